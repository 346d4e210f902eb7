//! Reads the groups of a sealed body, however the bytes are cut. [MS-WSMV] 2.2.9.1.
//!
//! A group is two parts: one that says what is sealed and how long it is, and one that holds it. Where the
//! sealed bytes end follows from lengths alone, since they may contain the text of a delimiter: for SPNEGO
//! the signature's length and the plain length; for CredSSP the lengths of the TLS records, and a delimiter
//! cannot be taken for a record since none begins with a dash.

use super::content_type::{check_label, parse_content_type};
use super::{MessageSeal, SealProtocol};
use crate::error::{LimitExceeded, Malformed};
use crate::limits::{
    SEALED_BODY, SEALED_GROUP, SEALED_GROUPS, SEALED_HEADER_LINE, SEALED_HEADER_LINES, SEALED_SIGNATURE,
};
use crate::{Error, Result};
use zeroize::Zeroizing;

/// Bytes before each TLS record's own: type, version and length. RFC 8446 5.1.
const RECORD_HEADER: usize = 5;

/// The types that a TLS record can have.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;

/// Reads a sealed body group by group. Once failed, it stays failed.
#[derive(Debug)]
pub struct GroupReader {
    protocol: SealProtocol,
    boundary: String,
    buffer: Vec<u8>,
    start: usize,
    state: State,
    groups_left: usize,
    failed: Option<Error>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// A delimiter and headers come next.
    Head,
    /// Sealed bytes come next.
    Sealed(Sealed),
    /// The closing delimiter has been read.
    Finished,
}

#[derive(Debug, Clone, Copy)]
struct Sealed {
    header_len: u32,
    plain_len: usize,
    /// Bytes of whole TLS records that were counted already.
    counted: usize,
}

/// What the buffer holds of something.
enum Found<T> {
    /// Not all of it yet.
    Part,
    /// All of it, and how many bytes it took.
    Whole(T, usize),
}

impl GroupReader {
    /// A reader for a body with this `Content-Type`, sealed as this connection seals.
    ///
    /// # Errors
    /// When the type is none of the sealed ones, or its label another.
    pub fn new(content_type: &str, protocol: SealProtocol) -> Result<Self> {
        Ok(Self {
            protocol,
            boundary: parse_content_type(content_type, protocol)?,
            buffer: Vec::new(),
            start: 0,
            state: State::Head,
            groups_left: SEALED_GROUPS,
            failed: None,
        })
    }

    /// The same without a bound on the number of groups, for answers that are read as they come.
    #[must_use]
    pub fn streaming(self) -> Self {
        Self { groups_left: usize::MAX, ..self }
    }

    /// Takes bytes in, cut anywhere.
    ///
    /// # Errors
    /// When more than [`SEALED_BODY`] bytes wait.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        if SEALED_BODY < self.buffer.len().saturating_add(bytes.len()) {
            return self.fail(LimitExceeded::MessageSize.into());
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Opens the next group, if it is there.
    ///
    /// # Errors
    /// Whatever does not parse, and what the context says of the bytes.
    pub fn next_group(&mut self, seal: &mut dyn MessageSeal) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.check()?;
        self.advance(seal).or_else(|error| self.fail(error))
    }

    /// Whether the closing delimiter has been read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished) && self.failed.is_none()
    }

    /// No bytes will follow.
    ///
    /// # Errors
    /// When the closing delimiter is missing or something follows it.
    pub fn finish(&mut self) -> Result<()> {
        self.check()?;
        let rest = self.rest().trim_ascii();
        let complete = match self.state {
            State::Finished => rest.is_empty(),
            // The last line needs no end.
            State::Head => is_delimiter(rest, &self.boundary, "--"),
            State::Sealed(_) => false,
        };
        if !complete {
            return self.fail(Malformed::SealedBody.into());
        }
        self.state = State::Finished;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn fail<T>(&mut self, error: Error) -> Result<T> {
        self.failed = Some(error);
        Err(error)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn advance(&mut self, seal: &mut dyn MessageSeal) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if let State::Head = self.state {
            match read_head(self.rest(), &self.boundary, self.protocol)? {
                Found::Part => return Ok(None),
                Found::Whole(head, length) => {
                    self.start = self.start.saturating_add(length);
                    self.groups_left = self.groups_left.checked_sub(1).ok_or(LimitExceeded::SealedParts)?;
                    self.state = head.map_or(State::Finished, State::Sealed);
                }
            }
        }
        let State::Sealed(mut sealed) = self.state else {
            return Ok(None);
        };
        let length = match self.protocol {
            SealProtocol::Spnego => signed_length(self.rest(), &sealed)?,
            SealProtocol::CredSsp => records_length(self.rest(), &mut sealed)?,
        };
        self.state = State::Sealed(sealed);
        let Some(length) = length else { return Ok(None) };
        let bytes = self.rest().get(..length).ok_or(Malformed::SealedBody)?;
        let plain = seal.open(sealed.header_len, bytes, sealed.plain_len)?;
        if plain.len() != sealed.plain_len {
            return Err(Malformed::SealedBody.into());
        }
        self.start = self.start.saturating_add(length);
        self.state = State::Head;
        Ok(Some(plain))
    }
}

/// The signature's bytes and as many as the plain text has, once they are all there.
fn signed_length(rest: &[u8], sealed: &Sealed) -> Result<Option<usize>> {
    let signature = usize::try_from(sealed.header_len).unwrap_or(usize::MAX);
    if SEALED_SIGNATURE < signature {
        return Err(LimitExceeded::SealedHeader.into());
    }
    let length = signature.saturating_add(sealed.plain_len);
    Ok((length <= rest.len()).then_some(length))
}

/// Whole TLS records, once something follows that is none.
fn records_length(rest: &[u8], sealed: &mut Sealed) -> Result<Option<usize>> {
    loop {
        if SEALED_GROUP < sealed.counted {
            return Err(LimitExceeded::MessageSize.into());
        }
        match rest.get(sealed.counted..).unwrap_or_default() {
            // Without any record nothing would vouch for the group.
            [kind, ..] if !RECORD_TYPES.contains(kind) && sealed.counted == 0 => {
                return Err(Malformed::SealedBody.into());
            }
            [kind, ..] if !RECORD_TYPES.contains(kind) => return Ok(Some(sealed.counted)),
            [_, _, _, high, low, ..] => {
                let body = usize::from(u16::from_be_bytes([*high, *low]));
                let next = sealed.counted.saturating_add(RECORD_HEADER).saturating_add(body);
                if rest.len() < next {
                    return Ok(None);
                }
                sealed.counted = next;
            }
            _ => return Ok(None),
        }
    }
}

/// Reads both parts' headers and the length field; nothing when it was the closing delimiter.
fn read_head(rest: &[u8], boundary: &str, protocol: SealProtocol) -> Result<Found<Option<Sealed>>> {
    let mut lines = Lines { rest, taken: 0, left: SEALED_HEADER_LINES };
    let Some(first) = lines.next_line()? else { return Ok(Found::Part) };
    if is_delimiter(first, boundary, "--") {
        return Ok(Found::Whole(None, lines.taken));
    }
    if !is_delimiter(first, boundary, "") {
        return Err(Malformed::SealedBody.into());
    }
    let Some(plain_len) = read_description(&mut lines, boundary, protocol)? else { return Ok(Found::Part) };
    let Some(kind) = lines.next_line()? else { return Ok(Found::Part) };
    let binary = header(kind).is_some_and(|(name, value)| {
        name.eq_ignore_ascii_case("Content-Type") && value.eq_ignore_ascii_case("application/octet-stream")
    });
    if !binary {
        return Err(Malformed::SealedBody.into());
    }
    let Some((length, _)) = rest.get(lines.taken..).and_then(<[u8]>::split_first_chunk::<4>) else {
        return Ok(Found::Part);
    };
    let sealed = Sealed { header_len: u32::from_le_bytes(*length), plain_len, counted: 0 };
    Ok(Found::Whole(Some(sealed), lines.taken.saturating_add(length.len())))
}

/// Reads the first part's headers and the delimiter after them; gives the plain length.
fn read_description(lines: &mut Lines<'_>, boundary: &str, protocol: SealProtocol) -> Result<Option<usize>> {
    let (mut labelled, mut plain_len) = (false, None);
    loop {
        let Some(line) = lines.next_line()? else { return Ok(None) };
        if is_delimiter(line, boundary, "") {
            break;
        }
        let (name, value) = header(line).ok_or(Malformed::SealedBody)?;
        if name.eq_ignore_ascii_case("Content-Type") && !labelled {
            check_label(value, protocol)?;
            labelled = true;
        } else if name.eq_ignore_ascii_case("OriginalContent") && plain_len.is_none() {
            plain_len = Some(read_length(value)?);
        } else {
            return Err(Malformed::SealedBody.into());
        }
    }
    match plain_len {
        Some(length) if labelled => Ok(Some(length)),
        Some(_) | None => Err(Malformed::SealedBody.into()),
    }
}

fn read_length(original: &str) -> Result<usize> {
    let fields = original.split(';').filter_map(|field| field.split_once('='));
    let mut lengths =
        fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case("Length")).map(|(_, value)| value.trim());
    let (Some(length), None) = (lengths.next(), lengths.next()) else {
        return Err(Malformed::SealedBody.into());
    };
    if !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::SealedBody.into());
    }
    let length: usize = length.parse().map_err(|_| Malformed::SealedBody)?;
    if SEALED_GROUP < length { Err(LimitExceeded::MessageSize.into()) } else { Ok(length) }
}

/// `--`, the boundary, and what follows it; Exchange writes a blank before the boundary.
fn is_delimiter(line: &[u8], boundary: &str, suffix: &str) -> bool {
    let Some(rest) = line.strip_prefix(b"--") else { return false };
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    rest.strip_prefix(boundary.as_bytes()).is_some_and(|rest| rest.trim_ascii() == suffix.as_bytes())
}

/// A header line; WinRb leaves the tab away, others the blank.
fn header(line: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    Some((name.trim(), value.trim()))
}

/// Lines that end with LF or CRLF, bounded in length and number.
struct Lines<'a> {
    rest: &'a [u8],
    taken: usize,
    left: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end; nothing when it is not all there.
    fn next_line(&mut self) -> Result<Option<&'a [u8]>> {
        self.left = self.left.checked_sub(1).ok_or(LimitExceeded::SealedHeader)?;
        let rest = self.rest.get(self.taken..).unwrap_or_default();
        let window = rest.get(..SEALED_HEADER_LINE).unwrap_or(rest);
        let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
            return if window.len() < SEALED_HEADER_LINE { Ok(None) } else { Err(LimitExceeded::SealedHeader.into()) };
        };
        self.taken = self.taken.saturating_add(end).saturating_add(1);
        let line = rest.get(..end).unwrap_or_default();
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

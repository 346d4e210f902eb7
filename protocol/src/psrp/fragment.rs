//! Fragments, \[MS-PSRP\] 2.2.4: objects cut for the transport.

use uuid::Uuid;

use crate::Result;
use crate::error::{LimitExceeded, Malformed, Misuse, PeerMisbehaved};
use crate::limits::PSRP_OBJECT;

/// Bytes of a fragment's header: object and fragment number, flags, length; big endian.
pub(super) const HEADER: usize = 21;

const START: u8 = 0x01;
const END: u8 = 0x02;

/// A reassembled object: the bytes of one message.
pub type Object = Vec<u8>;

/// Puts the objects of one stream together again.
///
/// Objects follow each other and never interleave; what has failed stays failed.
#[derive(Debug, Default)]
pub struct Defragmenter {
    open: Option<Open>,
    /// The number of the object before: numbers only grow.
    last: Option<u64>,
    failed: Option<crate::Error>,
}

#[derive(Debug)]
struct Open {
    object: u64,
    next: u64,
    bytes: Vec<u8>,
}

struct Fragment<'b> {
    object: u64,
    number: u64,
    flags: u8,
    blob: &'b [u8],
}

impl Defragmenter {
    /// Nothing received yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one piece of the transport, which holds whole fragments, and returns the objects that it completes.
    ///
    /// # Errors
    /// A header that is cut or has unknown flags, a number out of order, an object within an object, or one that
    /// is larger than [`PSRP_OBJECT`].
    pub fn receive(&mut self, mut piece: &[u8]) -> Result<Vec<Object>> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let mut objects = Vec::new();
        while !piece.is_empty() {
            let taken = split(piece).and_then(|(fragment, rest)| {
                objects.extend(self.take(&fragment)?);
                Ok(rest)
            });
            match taken {
                Ok(rest) => piece = rest,
                Err(error) => {
                    self.failed = Some(error);
                    self.open = None;
                    return Err(error);
                }
            }
        }
        Ok(objects)
    }

    /// Whether an object has begun and not ended.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.open.is_some()
    }

    /// Bytes of it that are there.
    pub(super) fn unfinished(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.bytes.len())
    }

    fn take(&mut self, fragment: &Fragment<'_>) -> Result<Option<Object>> {
        if fragment.flags & !(START | END) != 0 {
            return Err(Malformed::PsrpFragment.into());
        }
        if fragment.flags & START != 0 {
            self.begin(fragment)?;
        }
        let open = self.open.as_mut().ok_or(PeerMisbehaved::FragmentOrder)?;
        if open.object != fragment.object || open.next != fragment.number {
            return Err(PeerMisbehaved::FragmentOrder.into());
        }
        if PSRP_OBJECT < open.bytes.len().saturating_add(fragment.blob.len()) {
            return Err(LimitExceeded::MessageSize.into());
        }
        open.bytes.extend_from_slice(fragment.blob);
        open.next = open.next.checked_add(1).ok_or(PeerMisbehaved::FragmentOrder)?;
        if fragment.flags & END == 0 {
            // One that neither ends nor carries anything could go on for ever.
            return if fragment.blob.is_empty() { Err(Malformed::PsrpFragment.into()) } else { Ok(None) };
        }
        self.last = Some(fragment.object);
        Ok(self.open.take().map(|open| open.bytes))
    }

    fn begin(&mut self, fragment: &Fragment<'_>) -> Result<()> {
        let grows = self.last.is_none_or(|last| last < fragment.object);
        if self.open.is_some() || fragment.number != 0 || !grows {
            return Err(PeerMisbehaved::FragmentOrder.into());
        }
        let bytes = Vec::with_capacity(if fragment.flags & END == 0 { 0 } else { fragment.blob.len() });
        self.open = Some(Open { object: fragment.object, next: 0, bytes });
        Ok(())
    }
}

fn split(piece: &[u8]) -> Result<(Fragment<'_>, &[u8])> {
    let (object, rest) = piece.split_first_chunk::<8>().ok_or(Malformed::PsrpFragment)?;
    let (number, rest) = rest.split_first_chunk::<8>().ok_or(Malformed::PsrpFragment)?;
    let (flags, rest) = rest.split_first().ok_or(Malformed::PsrpFragment)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(Malformed::PsrpFragment)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed::PsrpFragment)?;
    let (blob, rest) = rest.split_at_checked(length).ok_or(Malformed::PsrpFragment)?;
    let fragment =
        Fragment { object: u64::from_be_bytes(*object), number: u64::from_be_bytes(*number), flags: *flags, blob };
    Ok((fragment, rest))
}

/// RPID of the message that begins in this piece: what a client that proposes no id calls its pool.
#[must_use]
pub fn pool_of(piece: &[u8]) -> Option<Uuid> {
    id_at(piece, 8)
}

/// PID of the message that begins in this piece.
#[must_use]
pub fn pipeline_of(piece: &[u8]) -> Option<Uuid> {
    id_at(piece, 24)
}

fn id_at(piece: &[u8], at: usize) -> Option<Uuid> {
    let (fragment, _) = split(piece).ok()?;
    let id = fragment.blob.get(at..)?.first_chunk::<16>()?;
    Some(Uuid::from_bytes_le(*id))
}

/// Cuts objects of one sender into fragments.
#[derive(Debug)]
pub struct Fragmenter {
    next: u64,
    /// Bytes of a fragment, its header included.
    size: usize,
}

impl Fragmenter {
    /// Cuts into fragments of at most `size` bytes, headers included.
    ///
    /// # Errors
    /// [`Misuse::ChunkSize`] when not even a byte would fit.
    pub fn new(size: usize) -> Result<Self> {
        if size <= HEADER { Err(Misuse::ChunkSize.into()) } else { Ok(Self { next: 1, size }) }
    }

    /// The fragments of one object, each whole.
    #[must_use]
    pub fn cut(&mut self, object: &[u8]) -> Vec<Vec<u8>> {
        let mut cutting = self.begin(object.to_vec());
        let mut fragments = Vec::new();
        while cutting.next_length().is_some() {
            let mut fragment = Vec::new();
            cutting.take(&mut fragment);
            fragments.push(fragment);
        }
        fragments
    }

    /// Gives an object its number; it is cut when its fragments are fetched.
    pub(super) fn begin(&mut self, object: Object) -> Cutting {
        let number = self.next;
        self.next = number.saturating_add(1);
        Cutting { number, object, room: self.size.saturating_sub(HEADER).max(1), at: 0, index: 0, ended: false }
    }
}

/// An object on its way out, fragment by fragment: each byte is copied once, to where it is sent from.
#[derive(Debug)]
pub(super) struct Cutting {
    number: u64,
    object: Object,
    /// Bytes of the object in one fragment.
    room: usize,
    at: usize,
    index: u64,
    ended: bool,
}

impl Cutting {
    /// Bytes of the next fragment, if there is one.
    pub(super) fn next_length(&self) -> Option<usize> {
        (!self.ended).then(|| HEADER.saturating_add(self.left().min(self.room)))
    }

    /// Bytes of all fragments that are left.
    pub(super) fn waiting(&self) -> usize {
        let fragments = if self.ended { 0 } else { self.left().div_ceil(self.room).max(1) };
        self.left().saturating_add(fragments.saturating_mul(HEADER))
    }

    /// Writes the next fragment behind what is there.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        let end = self.object.len().min(self.at.saturating_add(self.room));
        let blob = self.object.get(self.at..end).unwrap_or_default();
        self.ended = end == self.object.len();
        let flags = if self.index == 0 { START } else { 0 } | if self.ended { END } else { 0 };
        out.reserve(HEADER.saturating_add(blob.len()));
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.index.to_be_bytes());
        out.push(flags);
        out.extend_from_slice(&u32::try_from(blob.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(blob);
        self.at = end;
        self.index = self.index.saturating_add(1);
    }

    fn left(&self) -> usize {
        self.object.len().saturating_sub(self.at)
    }
}

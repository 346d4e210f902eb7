//! Bodies of messages, of which output and the records of streams pass undecoded.

use std::fmt;

use super::message::HEADER;
use crate::Result;
use crate::clixml::{self, Value};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a SecureString begins with in CLIXML.
const SECURE: &[u8] = b"<SS";

/// The body of a message: CLIXML in UTF-8 without byte order mark; empty for `$null`.
///
/// It keeps the bytes of the object that it came in, so that a relay writes another header before it and cuts it
/// again without having copied it.
#[derive(Clone)]
pub struct RecordBody {
    object: Vec<u8>,
    /// Where the body begins: behind room for a header, and the mark.
    from: usize,
}

impl RecordBody {
    /// A body that was encoded elsewhere.
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        Self { object: body, from: 0 }
    }

    /// A value.
    #[must_use]
    pub fn encode(value: &Value) -> Self {
        // Room for the header, which is written when it is sent.
        let mut text = "\0".repeat(HEADER);
        text.push('\u{FEFF}');
        let from = text.len();
        clixml::encode_into(value, &mut text);
        Self { object: text.into_bytes(), from }
    }

    /// The body of an object with a header in front.
    pub(super) fn within(object: Vec<u8>) -> Self {
        let body = object.get(HEADER..).unwrap_or_default();
        let mark = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let from = object.len().min(HEADER.saturating_add(mark));
        Self { object, from }
    }

    /// The object with this header, in place where there is room for it.
    pub(super) fn into_object(self, header: &[u8; HEADER]) -> Vec<u8> {
        let Self { mut object, from } = self;
        if let Some(place) = object.first_chunk_mut::<HEADER>().filter(|_| HEADER <= from) {
            *place = *header;
            return object;
        }
        let mark = if object.is_empty() { &[] } else { BYTE_ORDER_MARK };
        [&header[..], mark, &object].concat()
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.object.get(self.from..).unwrap_or_default()
    }

    /// Whether it is an output of `$null`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Whether it may hold a SecureString, which is sealed for one side alone.
    #[must_use]
    pub fn has_secure(&self) -> bool {
        memchr::memmem::find(self.as_bytes(), SECURE).is_some()
    }

    /// The body decoded.
    ///
    /// # Errors
    /// As [`clixml::decode`].
    pub fn value(&self) -> Result<Value> {
        if self.is_empty() { Ok(Value::Nil) } else { clixml::decode(self.as_bytes()) }
    }
}

impl PartialEq for RecordBody {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RecordBody {}

/// A body may hold secrets.
impl fmt::Debug for RecordBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordBody({} bytes)", self.as_bytes().len())
    }
}

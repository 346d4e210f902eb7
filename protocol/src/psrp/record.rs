//! Output and the records of streams, whose bodies pass undecoded.

use std::fmt;

use crate::Result;
use crate::clixml::{self, Value};

/// What a SecureString begins with in CLIXML.
const SECURE: &[u8] = b"<SS";

/// The body of an output or of a stream's record: CLIXML in UTF-8 without byte order mark; empty for `$null`.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordBody(Vec<u8>);

impl RecordBody {
    /// A body that was encoded elsewhere.
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        Self(body)
    }

    /// A value.
    #[must_use]
    pub fn encode(value: &Value) -> Self {
        Self(clixml::encode(value).into_bytes())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether it is an output of `$null`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it may hold a SecureString, which is sealed for one side alone.
    #[must_use]
    pub fn has_secure(&self) -> bool {
        memchr::memmem::find(&self.0, SECURE).is_some()
    }

    /// The body decoded.
    ///
    /// # Errors
    /// As [`clixml::decode`].
    pub fn value(&self) -> Result<Value> {
        if self.0.is_empty() { Ok(Value::Nil) } else { clixml::decode(&self.0) }
    }
}

/// A body may hold secrets.
impl fmt::Debug for RecordBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordBody({} bytes)", self.0.len())
    }
}

//! Identifiers on the wire: shells, commands and messages.

use crate::Result;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::MESSAGE_ID;
use std::fmt;
use uuid::Uuid;

/// Bytes of a GUID in its hyphenated form.
const GUID_TEXT: usize = 36;

/// Reads the hyphenated form, of either case, and nothing else.
fn parse_guid(text: &str) -> Result<Uuid> {
    let text = text.trim_matches(crate::xml::is_space);
    if text.len() != GUID_TEXT {
        return Err(Malformed::Guid.into());
    }
    Uuid::try_parse(text).map_err(|_| Malformed::Guid.into())
}

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier with this value; randomness is the caller's.
            #[must_use]
            pub fn new(value: Uuid) -> Self {
                Self(value)
            }

            /// Reads a hyphenated GUID of either case, without braces.
            ///
            /// # Errors
            /// [`Malformed::Guid`] for everything else.
            pub fn parse(text: &str) -> Result<Self> {
                parse_guid(text).map(Self)
            }

            /// The value.
            #[must_use]
            pub fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            /// Upper case without braces, as Windows writes it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:X}", self.0.hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

guid_id! {
    /// Names a shell. [MS-WSMV] 2.2.4.
    ShellId
}
guid_id! {
    /// Names a command inside a shell. [MS-WSMV] 2.2.4.
    CommandId
}

/// The identifier of a message, kept verbatim since clients compare what comes back byte for byte.
/// WS-Addressing (2004/08) 3.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// `uuid:` and the value in upper case, as Windows writes it.
    #[must_use]
    pub fn new(value: Uuid) -> Self {
        Self(format!("uuid:{:X}", value.hyphenated()))
    }

    /// Keeps a peer's text as it is.
    ///
    /// # Errors
    /// When it is empty, longer than [`MESSAGE_ID`] bytes, or not printable ASCII.
    pub fn parse(text: &str) -> Result<Self> {
        if MESSAGE_ID < text.len() {
            return Err(LimitExceeded::MessageId.into());
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Malformed::MessageId.into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as the peer wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageId {
    /// Bounded printable ASCII by construction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}

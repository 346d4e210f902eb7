//! Which streams are compressed. [MS-WSMV] 2.2.4.9 and 3.1.4.1.31.6.

use super::request::{RequestHeader, Resource};
use crate::Result;
use crate::error::Unsupported;
use crate::soap::envelope::{Envelope, is_mandatory, short_text};
use crate::xml::{Element, Namespace};

/// How the data of a shell's streams is carried, both ways; see [`crate::xpress`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    #[default]
    None,
    /// In blocks of XPRESS: what Windows clients of PowerShell insist on unless told otherwise.
    Xpress,
}

impl Compression {
    /// What a description of a shell says of it. [MS-WSMV] 2.2.4.8.
    pub(crate) const fn mode(self) -> &'static str {
        match self {
            Self::None => "NoCompression",
            Self::Xpress => "XpressCompression",
        }
    }

    pub(crate) fn of_mode(mode: &str) -> Option<Self> {
        [Self::None, Self::Xpress].into_iter().find(|known| known.mode() == mode)
    }
}

/// What a request asks for. Another kind, or one for streams that are never compressed, is not understood.
pub(crate) fn read_compression(envelope: &Envelope, header: &RequestHeader) -> Result<Compression> {
    let Some(wanted) = envelope.header(Namespace::Shell, "CompressionType")? else {
        return Ok(Compression::None);
    };
    if is_xpress(wanted)? && matches!(header.resource, Resource::PowerShell(_)) {
        return Ok(Compression::Xpress);
    }
    if is_mandatory(wanted)? { Err(Unsupported::MustUnderstand.into()) } else { Ok(Compression::None) }
}

fn is_xpress(wanted: &Element) -> Result<bool> {
    Ok(short_text(wanted)?.eq_ignore_ascii_case("xpress"))
}

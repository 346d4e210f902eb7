//! What the readers of bodies share.

use super::id::CommandId;
use crate::Result;
use crate::error::{LimitExceeded, Malformed};
use crate::limits::STREAM_NAMES;
use crate::soap::envelope::short_text;
use crate::xml::{Element, Namespace, is_space};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The one element of a body.
pub(crate) fn sole<'a>(body: &'a [Element], namespace: Namespace, local: &str) -> Result<&'a Element> {
    match body {
        [element] if element.is(namespace, local) => Ok(element),
        [] | [_, ..] => Err(Malformed::Body.into()),
    }
}

/// The text of an element that may be missing.
pub(crate) fn optional_text(parent: &Element, namespace: Namespace, local: &'static str) -> Result<String> {
    Ok(parent.one(namespace, local)?.map(short_text).transpose()?.unwrap_or_default().to_owned())
}

/// Names of streams, separated by white space.
pub(crate) fn stream_names(parent: &Element, local: &'static str) -> Result<Vec<String>> {
    parent.one(Namespace::Shell, local)?.map_or(Ok(Vec::new()), split_names)
}

/// The same, of the element itself.
pub(crate) fn split_names(element: &Element) -> Result<Vec<String>> {
    let names: Vec<String> =
        short_text(element)?.split(is_space).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if STREAM_NAMES < names.len() { Err(LimitExceeded::Items.into()) } else { Ok(names) }
}

/// The attribute that says whose something is.
pub(crate) fn command_id(element: &Element) -> Result<Option<CommandId>> {
    let id = element.attribute(Namespace::None, "CommandId").filter(|id| !id.is_empty());
    id.map(CommandId::parse).transpose()
}

/// The bytes of an element in base64. Some clients break it into lines.
pub(crate) fn bytes(element: &Element) -> Result<Vec<u8>> {
    let text = element.trimmed()?;
    // Lines are rare: only what does not decode as it is may be in some.
    let decoded = STANDARD.decode(text).or_else(|_in_lines| STANDARD.decode(text.split(is_space).collect::<String>()));
    decoded.map_err(|_| Malformed::Base64.into())
}

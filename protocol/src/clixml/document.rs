//! `Objs`: what PowerShell writes to the streams of a program, \[MS-PSRP\] 2.2.5 by its other name.

use quick_xml::events::BytesStart;

use super::decode::{Decoder, checked_text, element};
use super::text::unescape;
use super::value::{Progress, Value};
use crate::Result;
use crate::error::Malformed;
use crate::xml::attribute_value;

const NAMESPACE: &str = "http://schemas.microsoft.com/powershell/2004/04";

/// A value and the stream it was written to.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRecord {
    /// `Output`, `Error`, `progress`, `verbose` and the like, as written; empty when it is not said.
    pub stream: String,
    /// The value.
    pub value: Value,
}

/// Reads an `Objs` document: what follows the line `#< CLIXML`.
///
/// # Errors
/// As [`super::decode`].
pub fn decode_document(document: &[u8]) -> Result<Vec<StreamRecord>> {
    let mut decoder = Decoder::new(checked_text(document)?);
    let (root, empty) = element(decoder.next()?).ok_or(Malformed::Clixml)?;
    check_root(&root)?;
    let mut records = Vec::new();
    while let Some((start, empty)) = if empty { None } else { decoder.child()? } {
        let stream = stream_of(&start)?;
        records.push(decoder.record(&start, empty, stream)?);
    }
    decoder.nothing_more()?;
    Ok(records)
}

fn check_root(start: &BytesStart<'_>) -> Result<()> {
    if start.name().as_ref() != "Objs" {
        return Err(Malformed::Clixml.into());
    }
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed::Xml)?;
        let value = attribute_value(&attribute.value)?;
        let known = match attribute.key.as_ref() {
            "Version" => value.starts_with("1."),
            "xmlns" => value == NAMESPACE,
            _ => false,
        };
        if !known {
            return Err(Malformed::Clixml.into());
        }
    }
    Ok(())
}

fn stream_of(start: &BytesStart<'_>) -> Result<String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed::Xml)?;
        if attribute.key.as_ref() == "S" {
            return attribute_value(&attribute.value);
        }
    }
    Ok(String::new())
}

/// The children of `PR`, in any order, each at most once; what is missing has its default.
pub(super) fn progress(decoder: &mut Decoder<'_>, empty: bool) -> Result<Progress> {
    let mut progress = Progress { parent_id: -1, percent: -1, seconds_left: -1, ..Progress::default() };
    let mut seen: Vec<String> = Vec::new();
    while let Some((start, empty)) = if empty { None } else { decoder.child()? } {
        let tag = start.name().as_ref().to_owned();
        let text = unescape(decoder.text(empty)?.into())?;
        if seen.contains(&tag) {
            return Err(Malformed::Duplicate.into());
        }
        let number = || text.trim().parse::<i32>().map_err(|_| Malformed::ClixmlValue);
        match tag.as_str() {
            "AV" => progress.activity = text,
            "AI" => progress.activity_id = number()?,
            "CO" => progress.operation = Some(text),
            "Nil" => {}
            "PI" => progress.parent_id = number()?,
            "PC" => progress.percent = number()?,
            "T" => progress.kind = text,
            "SR" => progress.seconds_left = number()?,
            "SD" => progress.status = text,
            _ => return Err(Malformed::Clixml.into()),
        }
        seen.push(tag);
    }
    Ok(progress)
}

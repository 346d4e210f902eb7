//! The envelope of every message. SOAP 1.2 part 1, 5.

use crate::Result;
use crate::error::{Malformed, Unsupported};
use crate::limits::SHORT_TEXT;
use crate::wsman::MessageId;
use crate::xml::{Element, Namespace, Writer, parse};
use uuid::Uuid;

/// Where answers go: back on the same connection.
pub(crate) const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/// The headers that this crate understands, used or not.
const UNDERSTOOD: [(Namespace, &str); 17] = [
    (Namespace::Addressing, "Action"),
    (Namespace::Addressing, "FaultTo"),
    (Namespace::Addressing, "From"),
    (Namespace::Addressing, "MessageID"),
    (Namespace::Addressing, "ReplyTo"),
    (Namespace::Addressing, "To"),
    (Namespace::Wsman, "Locale"),
    (Namespace::Wsman, "MaxEnvelopeSize"),
    (Namespace::Wsman, "OperationTimeout"),
    (Namespace::Wsman, "OptionSet"),
    (Namespace::Wsman, "ResourceURI"),
    (Namespace::Wsman, "SelectorSet"),
    (Namespace::Microsoft, "DataLocale"),
    (Namespace::Microsoft, "OperationID"),
    (Namespace::Microsoft, "SequenceId"),
    (Namespace::Microsoft, "SessionId"),
    // By its value and where it stands: see `wsman::compression`.
    (Namespace::Shell, "CompressionType"),
];

/// A message whose outer shape is right.
#[derive(Debug)]
pub(crate) struct Envelope {
    root: Element,
}

impl Envelope {
    pub(crate) fn decode(document: &[u8]) -> Result<Self> {
        let root = parse(document)?;
        let shape = match root.children() {
            [header, body] => header.is(Namespace::Soap, "Header") && body.is(Namespace::Soap, "Body"),
            [body] => body.is(Namespace::Soap, "Body"),
            _ => false,
        };
        if !shape || !root.is(Namespace::Soap, "Envelope") {
            return Err(Malformed::Envelope.into());
        }
        Ok(Self { root })
    }

    /// One header, by name.
    pub(crate) fn header(&self, namespace: Namespace, local: &'static str) -> Result<Option<&Element>> {
        match self.headers() {
            Some(headers) => headers.one(namespace, local),
            None => Ok(None),
        }
    }

    /// The text of one header; too long is an error.
    pub(crate) fn header_text(&self, namespace: Namespace, local: &'static str) -> Result<Option<&str>> {
        self.header(namespace, local)?.map(|header| short_text(header)).transpose()
    }

    /// What the body holds.
    pub(crate) fn body(&self) -> &[Element] {
        self.root.children().last().map_or(&[], Element::children)
    }

    /// Refuses what is mandatory and unknown. Stock clients write the attribute with and without prefix.
    pub(crate) fn check_understood(&self) -> Result<()> {
        for header in self.headers().map_or(&[][..], Element::children) {
            let known = UNDERSTOOD.iter().any(|(namespace, local)| header.is(*namespace, local));
            if is_mandatory(header)? && !known {
                return Err(Unsupported::MustUnderstand.into());
            }
        }
        Ok(())
    }

    /// Answers go back on the connection and nowhere else.
    pub(crate) fn check_reply_address(&self) -> Result<()> {
        for name in ["ReplyTo", "FaultTo"] {
            let Some(header) = self.header(Namespace::Addressing, name)? else { continue };
            let address = header.one(Namespace::Addressing, "Address")?.ok_or(Malformed::Header)?;
            if address.trimmed()? != ANONYMOUS {
                return Err(Unsupported::ReplyTo.into());
            }
        }
        Ok(())
    }

    fn headers(&self) -> Option<&Element> {
        self.root.children().first().filter(|first| first.is(Namespace::Soap, "Header"))
    }
}

/// Whether a server that does not understand a header has to refuse the message.
pub(crate) fn is_mandatory(header: &Element) -> Result<bool> {
    Ok(flag(header, Namespace::Soap, "mustUnderstand")? || flag(header, Namespace::None, "mustUnderstand")?)
}

/// A leaf's text without white space around it, at most [`SHORT_TEXT`] bytes.
pub(crate) fn short_text(element: &Element) -> Result<&str> {
    bounded(element.trimmed()?)
}

/// A text of at most [`SHORT_TEXT`] bytes.
pub(crate) fn bounded(text: &str) -> Result<&str> {
    if SHORT_TEXT < text.len() { Err(crate::error::LimitExceeded::Text.into()) } else { Ok(text) }
}

/// An attribute that says true or false; absent = false. XML Schema part 2, 3.2.2, in any case since
/// Python clients write `True`.
pub(crate) fn flag(element: &Element, namespace: Namespace, local: &str) -> Result<bool> {
    let Some(value) = element.attribute(namespace, local) else {
        return Ok(false);
    };
    if value.eq_ignore_ascii_case("true") || value == "1" {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") || value == "0" {
        Ok(false)
    } else {
        Err(Malformed::Header.into())
    }
}

/// Starts an envelope with the namespaces that are used throughout, up to its header.
pub(crate) fn start_envelope(writer: &mut Writer) {
    writer
        .start("s:Envelope")
        .attribute("xml:lang", "en-US")
        .attribute("xmlns:s", Namespace::Soap.uri())
        .attribute("xmlns:a", Namespace::Addressing.uri())
        .attribute("xmlns:w", Namespace::Wsman.uri())
        .attribute("xmlns:p", Namespace::Microsoft.uri())
        .attribute("xmlns:x", Namespace::Transfer.uri())
        .attribute("xmlns:rsp", Namespace::Shell.uri());
}

/// Starts an answer up to its open body.
pub(crate) fn start_answer(writer: &mut Writer, action: &str, message_id: Uuid, relates_to: Option<&MessageId>) {
    start_envelope(writer);
    writer.start("s:Header").leaf("a:Action", action).leaf("a:MessageID", MessageId::new(message_id).as_str());
    writer.leaf("a:To", ANONYMOUS);
    if let Some(id) = relates_to {
        writer.leaf("a:RelatesTo", id.as_str());
    }
    writer.end().start("s:Body");
}

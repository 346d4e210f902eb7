//! What the service says of itself: Identify (DSP0226 11), and the one value of its configuration.

use super::body::{optional_text, sole};
use super::response::Identity;
use crate::Result;
use crate::error::Malformed;
use crate::soap::envelope::short_text;
use crate::xml::{Element, Namespace, Writer};

pub(crate) fn is_identify(body: &[Element]) -> bool {
    sole(body, Namespace::Identity, "Identify").is_ok()
}

pub(crate) fn write_identify(writer: &mut Writer) {
    writer.start("wsmid:Identify").attribute("xmlns:wsmid", Namespace::Identity.uri()).end();
}

pub(crate) fn write_identity(writer: &mut Writer, identity: &Identity) {
    writer
        .start("wsmid:IdentifyResponse")
        .attribute("xmlns:wsmid", Namespace::Identity.uri())
        .leaf("wsmid:ProtocolVersion", Namespace::Wsman.uri())
        .leaf("wsmid:ProductVendor", &identity.product_vendor)
        .leaf("wsmid:ProductVersion", &identity.product_version)
        .end();
}

pub(crate) fn read_identity(response: &Element) -> Result<Identity> {
    Ok(Identity {
        product_vendor: optional_text(response, Namespace::Identity, "ProductVendor")?,
        product_version: optional_text(response, Namespace::Identity, "ProductVersion")?,
    })
}

pub(crate) fn write_config(writer: &mut Writer, max_envelope_size_kb: u32) {
    writer
        .start("cfg:Config")
        .attribute("xmlns:cfg", Namespace::Config.uri())
        .leaf("cfg:MaxEnvelopeSizekb", &max_envelope_size_kb.to_string())
        .end();
}

pub(crate) fn read_config(config: &Element) -> Result<u32> {
    let size = config.one(Namespace::Config, "MaxEnvelopeSizekb")?.ok_or(Malformed::Body)?;
    short_text(size)?.parse().map_err(|_| Malformed::Body.into())
}

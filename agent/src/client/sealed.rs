//! Sealed bodies over the login's context: every document and every line goes through here.

use crate::error::{AgentError, GatewayFault};
use sekisho_protocol::job::JSON_MIME;
use sekisho_protocol::sealing::{GroupReader, MessageSeal, SealedBody, open_body, seal_body_as};
use zeroize::Zeroizing;

/// The login's context. Messages are sealed and opened strictly in order.
#[derive(Debug)]
pub(super) struct Channel {
    seal: Box<dyn MessageSeal>,
}

/// The groups of one body as they come.
#[derive(Debug)]
pub(super) struct Groups {
    reader: GroupReader,
}

impl Channel {
    pub(super) fn new(seal: Box<dyn MessageSeal>) -> Self {
        Self { seal }
    }

    pub(super) fn seal_json(&mut self, json: &[u8]) -> Result<SealedBody, AgentError> {
        seal_body_as(self.seal.as_mut(), JSON_MIME, json).map_err(|_| GatewayFault::Seal.into())
    }

    pub(super) fn open_document(&mut self, content_type: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        open_body(self.seal.as_mut(), content_type, body).map_err(|_| GatewayFault::Seal.into())
    }

    pub(super) fn groups(&self, content_type: &str) -> Result<Groups, AgentError> {
        let reader = GroupReader::new(content_type, self.seal.protocol()).map_err(|_| GatewayFault::Seal)?;
        Ok(Groups { reader: reader.streaming() })
    }
}

impl Groups {
    /// Takes bytes in and hands out what is whole by then.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        channel: &mut Channel,
        mut group: impl FnMut(&[u8]) -> Result<(), AgentError>,
    ) -> Result<(), AgentError> {
        self.reader.push(bytes).map_err(|_| GatewayFault::Seal)?;
        while let Some(plain) = self.reader.next_group(channel.seal.as_mut()).map_err(|_| GatewayFault::Seal)? {
            group(&plain)?;
        }
        Ok(())
    }

    /// The body has ended: whether its closing delimiter was there.
    pub(super) fn end(&mut self) -> bool {
        self.reader.finish().is_ok()
    }
}

//! A request of somebody who is logged in: opened, passed to its service, and the answer sealed.

use super::api;
use super::connection::Client;
use super::head::{Head, Verb};
use super::reply::Reply;
use super::respond::{Answer, Problem};
use super::route::{Service, service};
use super::wsman;
use crate::config::BodyRule;
use crate::credentials::Hold;
use crate::identity::Identity;
use bytes::Bytes;
use hyper::StatusCode;
use parking_lot::Mutex;
use sekisho_protocol::sealing::{GroupWriter, MessageSeal, open_body, seal_body_as, streaming_content_type};
use sekisho_protocol::soap::Fault;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Sealed groups that wait to be written.
const STREAM_DEPTH: usize = 4;

/// What seals and opens the bodies of one connection.
type Seal = Arc<Mutex<Box<dyn MessageSeal>>>;

/// Somebody who has logged in.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) identity: Arc<Identity>,
    /// Dropped by the first message in clear: whoever begins without it never seals, and it is a whole TLS
    /// connection that would be kept for nothing.
    pub(super) seal: Option<Seal>,
    pub(super) hold: Hold,
}

impl Known {
    pub(super) fn new(identity: Identity, seal: Box<dyn MessageSeal>, hold: Hold) -> Self {
        Self { identity: Arc::new(identity), seal: Some(Arc::new(Mutex::new(seal))), hold }
    }
}

/// How the request came, and so how its answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    Sealed,
    Plain,
}

/// Serves one request; `None` when it cannot be opened.
pub(super) async fn serve(client: &Client, known: &mut Known, head: &Head, body: &[u8]) -> Option<Reply> {
    let cover = if head.sealed() { Cover::Sealed } else { Cover::Plain };
    let opened;
    let plain = match cover {
        Cover::Sealed => {
            opened = open_body(known.seal.as_ref()?.lock().as_mut(), &head.content_type, body).ok()?;
            opened.as_slice()
        }
        Cover::Plain => body,
    };
    if plain.is_empty() && head.verb == Verb::Post {
        // The request that only logs in.
        return Some(Reply::bare(StatusCode::OK));
    }
    if cover == Cover::Plain {
        if client.door.bodies == BodyRule::SealedOnly {
            return cover_reply(known, cover, unsealed());
        }
        known.seal = None;
    }
    let answer = match service(&head.path) {
        Service::Wsman { target } => wsman::serve(client, known, target, head, plain).await,
        Service::Jobs => api::jobs(client, known, plain).await,
        Service::Targets => api::targets(client, known, plain),
        Service::Capabilities => api::capabilities(client, known, head, plain).await,
        Service::WsmanAnonymous | Service::Unknown => return None,
    };
    cover_reply(known, cover, answer)
}

fn unsealed() -> Answer {
    let text = "this listener takes sealed bodies only: have the client encrypt its messages (pypsrp: encryption='always', pywinrm: message_encryption='always')";
    Problem::fault(Fault::access_denied(text.to_owned())).answer(None)
}

fn cover_reply(known: &Known, cover: Cover, answer: Answer) -> Option<Reply> {
    match answer {
        Answer::Whole { status, mime, body, retry_after, delivered } => {
            let reply = match cover {
                Cover::Plain => Reply::whole(status, mime, body),
                Cover::Sealed => {
                    let sealed = seal_body_as(known.seal.as_ref()?.lock().as_mut(), mime, &body).ok()?;
                    Reply::whole(status, &sealed.content_type, sealed.bytes)
                }
            };
            Some(reply.retry_after(retry_after).delivered(delivered))
        }
        Answer::Stream { mime, documents } => Some(match cover {
            Cover::Plain => Reply::stream(mime, documents),
            Cover::Sealed => sealed_stream(Arc::clone(known.seal.as_ref()?), mime, documents),
        }),
    }
}

fn sealed_stream(seal: Seal, mime: &'static str, mut documents: mpsc::Receiver<Bytes>) -> Reply {
    let (sender, receiver) = mpsc::channel(STREAM_DEPTH);
    let content_type = streaming_content_type(seal.lock().protocol());
    tokio::spawn(async move {
        let Ok(mut writer) = GroupWriter::new(mime) else { return };
        loop {
            // The job behind the documents must hear of a client that is gone before it has more to say.
            let document = tokio::select! {
                biased;
                () = sender.closed() => return,
                document = documents.recv() => document,
            };
            let Some(document) = document else { break };
            let group = writer.group(seal.lock().as_mut(), &document);
            let Ok(group) = group else { return };
            if sender.send(Bytes::from(group)).await.is_err() {
                return;
            }
        }
        // Without the last delimiter the client knows that something is missing.
        drop(sender.send(Bytes::from_static(writer.finish())).await);
    });
    Reply::stream(&content_type, receiver)
}

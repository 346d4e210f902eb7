//! The job API over HTTP: documents of JSON in, documents or lines of JSON out. `docs/job-api.md`.

use super::connection::Client;
use super::head::{Head, Verb};
use super::known::Known;
use super::respond::Answer;
use crate::jobs::{self, Caller, Refused};
use hyper::StatusCode;
use sekisho_protocol::job::{JSON_MIME, LINES_MIME};
use std::sync::Arc;

/// Submits a job; its answer streams.
pub(super) async fn jobs(client: &Client, known: &Known, json: &[u8]) -> Answer {
    let caller = Caller { identity: Arc::clone(&known.identity), hold: known.hold.another(), address: client.peer };
    match jobs::submit(&client.gateway, caller, json).await {
        Ok(documents) => Answer::Stream { mime: LINES_MIME, documents },
        Err(refused) => refusal(&refused),
    }
}

/// Lists the targets that the user may reach.
pub(super) fn targets(client: &Client, known: &Known, json: &[u8]) -> Answer {
    match jobs::list(&client.gateway, &known.identity, client.peer, json) {
        Ok(list) => whole(list),
        Err(refused) => refusal(&refused),
    }
}

/// Says what the user may do on a target: the one of the query, or of the document.
pub(super) async fn capabilities(client: &Client, known: &Known, head: &Head, json: &[u8]) -> Answer {
    let request = match head.verb {
        Verb::Get => jobs::read_query(head.query.as_deref()),
        Verb::Post | Verb::Other => jobs::read_document(json),
    };
    let answered = match request {
        Ok(request) => jobs::capabilities(&client.gateway, &known.identity, client.peer, request).await,
        Err(refused) => Err(refused),
    };
    match answered {
        Ok(document) => whole(document),
        Err(refused) => refusal(&refused),
    }
}

fn whole(body: Vec<u8>) -> Answer {
    Answer::Whole { status: StatusCode::OK, mime: JSON_MIME, body, retry_after: None, delivered: None }
}

fn refusal(refused: &Refused) -> Answer {
    let status = StatusCode::from_u16(refused.class.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Its texts are the gateway's own and short.
    let body = refused.problem().encode().unwrap_or_default();
    Answer::Whole { status, mime: JSON_MIME, body, retry_after: refused.retry_after, delivered: None }
}

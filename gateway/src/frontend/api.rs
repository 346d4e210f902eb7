//! The job API over HTTP: documents of JSON in, documents or lines of JSON out. `docs/job-api.md`.

use super::connection::Client;
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
        Ok(list) => {
            Answer::Whole { status: StatusCode::OK, mime: JSON_MIME, body: list, retry_after: None, delivered: None }
        }
        Err(refused) => refusal(&refused),
    }
}

fn refusal(refused: &Refused) -> Answer {
    let status = StatusCode::from_u16(refused.class.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Its texts are the gateway's own and short.
    let body = refused.problem().encode().unwrap_or_default();
    Answer::Whole { status, mime: JSON_MIME, body, retry_after: refused.retry_after, delivered: None }
}

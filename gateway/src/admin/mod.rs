//! Health and metrics, on a listener of their own. No login and no names, and nothing to change but to ask
//! for the files to be read again.

use crate::frontend::ReplyBody;
use crate::state::Gateway;
use crate::telemetry::Now;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 32;
/// How long one connection may live.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Answers until `stop`.
pub async fn serve(gateway: Arc<Gateway>, socket: TcpListener, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned()) else {
            tokio::task::yield_now().await;
            continue;
        };
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let _ = tokio::time::timeout(MAX_TIME, connection(gateway, stream)).await;
            drop(place);
        });
    }
}

async fn connection(gateway: Arc<Gateway>, stream: TcpStream) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(&gateway, request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    let server = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = server.await {
        tracing::debug!(%error, "Connection to the admin listener ended");
    }
}

fn answer(gateway: &Gateway, method: &Method, path: &str) -> Response<ReplyBody> {
    let (status, text) = match (method, path) {
        (&Method::GET, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/readyz") => ready(gateway),
        (&Method::GET, "/metrics") => (StatusCode::OK, metrics(gateway)),
        (&Method::POST, "/reload") => {
            gateway.reload.notify_one();
            (StatusCode::ACCEPTED, "asked for; the log and the audit log say what came of it\n".to_owned())
        }
        (&Method::GET, _) => {
            (StatusCode::NOT_FOUND, "there are /healthz, /readyz, /metrics and, by POST, /reload\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
    };
    let mut response = Response::new(ReplyBody::whole(text.into_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

fn ready(gateway: &Gateway) -> (StatusCode, String) {
    if gateway.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned())
    } else if !gateway.audit.healthy() {
        (StatusCode::SERVICE_UNAVAILABLE, "the audit log cannot be written\n".to_owned())
    } else {
        (StatusCode::OK, "ready\n".to_owned())
    }
}

pub(crate) fn metrics(gateway: &Gateway) -> String {
    let audit = gateway.audit.counters();
    gateway.metrics.render(Now {
        connections: gateway.caps.connections(),
        handshakes: gateway.caps.handshakes(),
        shells: gateway.sessions.places().len(),
        jobs: gateway.jobs.running(),
        credentials: gateway.reach.credentials.len(),
        audit_failures: audit.lost,
        head_copies_failed: audit.head_copies_failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[tokio::test]
    async fn a_copy_of_a_head_that_fails_shows_in_the_metrics() {
        for (settings, failed) in [("", "0"), ("\n[audit.heads]\nsyslog = \"nobody-listens-here\"\n", "1")] {
            let trial = Trial::new(settings, None).await;
            let text = metrics(trial.gateway());
            let count = text.lines().find_map(|line| line.strip_prefix("sekisho_audit_head_copies_failed_total "));
            assert_eq!(count, Some(failed));
            trial.stop().await;
        }
    }
}

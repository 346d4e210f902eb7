//! One connection to a target: a login by `Negotiate`, and then requests under it.

use super::Target;
use super::service::{Answer, Caller, Outcome};
use crate::frontend::{Delivered, Flushes, ReplyBody, SOAP, Watched};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sekisho_protocol::auth::{NegotiateAcceptor, NegotiateStep};
use sekisho_protocol::http_auth::{Scheme, challenge, parse_authorization, token_header};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Bytes of one request's head: a login token in it is the largest thing.
const MAX_HEAD: usize = 96 * 1024;
/// Headers of one request.
const MAX_HEADERS: usize = 64;
/// Bytes of one request's body, as Windows has it.
const MAX_BODY: usize = 512_000;
/// How long TLS, and each body, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection stays open without a request.
const IDLE: Duration = Duration::from_secs(120);
/// The one path there is.
const PATH: &str = "/wsman";

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    target: Arc<Target>,
    peer: SocketAddr,
    login: Mutex<Login>,
    flushes: Flushes,
}

/// How far the login is. One connection, one context: there is no second login.
#[derive(Debug)]
enum Login {
    Nobody,
    Begun(Box<NegotiateAcceptor>),
    Known(String),
    Failed,
}

/// One answer of HTTP.
struct Reply {
    status: StatusCode,
    authenticate: Option<String>,
    xml: String,
    delivered: Option<Delivered>,
    stays_open: bool,
}

impl Reply {
    fn bare(status: StatusCode) -> Self {
        Self { status, authenticate: None, xml: String::new(), delivered: None, stays_open: true }
    }

    fn closing(status: StatusCode) -> Self {
        Self { stays_open: false, ..Self::bare(status) }
    }

    fn challenge() -> Self {
        Self { authenticate: Some(challenge(Scheme::Negotiate).to_owned()), ..Self::bare(StatusCode::UNAUTHORIZED) }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let status = match answer.outcome {
            Outcome::Response => StatusCode::OK,
            Outcome::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { xml: answer.xml, delivered: answer.delivered, ..Self::bare(status) }
    }
}

impl Connection {
    pub(super) fn new(target: Arc<Target>, peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self { target, peer, login: Mutex::new(Login::Nobody), flushes: Flushes::default() })
    }

    /// Serves it to its end, or until the target stops.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let Ok(Ok(stream)) = timeout(PATIENCE, self.target.tls.accept(stream)).await else { return };
        let service = service_fn(|request| {
            let connection = Arc::clone(&self);
            async move { Ok::<_, Infallible>(connection.answer(request).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(Watched::new(stream, self.flushes.clone())), service);
        tokio::select! {
            // A client that goes away is no fault of the target's.
            _ended = served => {}
            () = self.target.stop.cancelled() => {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        let reply = self.reply(request).await;
        let delivered = reply.delivered.map(|action| (action, self.flushes.clone()));
        let bytes = (!reply.xml.is_empty()).then(|| Bytes::from(reply.xml));
        let content_type = bytes.is_some().then(|| SOAP.to_owned());
        let mut response = Response::new(ReplyBody::Whole { bytes, delivered });
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        set(headers, CONTENT_TYPE, content_type);
        set(headers, WWW_AUTHENTICATE, reply.authenticate);
        set(headers, CONNECTION, (!reply.stays_open).then(|| "close".to_owned()));
        response
    }

    async fn reply(&self, request: Request<Incoming>) -> Reply {
        if request.uri().path() != PATH {
            return Reply::closing(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::POST {
            return Reply::closing(StatusCode::METHOD_NOT_ALLOWED);
        }
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let body = timeout(PATIENCE, Limited::new(request.into_body(), MAX_BODY).collect()).await;
        let Ok(Ok(body)) = body else { return Reply::closing(StatusCode::PAYLOAD_TOO_LARGE) };
        let body = body.to_bytes();
        let mut login = self.login.lock().await;
        match authorization {
            Some(value) => self.leg(&mut login, &value, &body).await,
            None => self.request(&login, &body).await,
        }
    }

    async fn leg(&self, login: &mut Login, value: &HeaderValue, body: &[u8]) -> Reply {
        let refused = || Reply { stays_open: false, ..Reply::challenge() };
        let token = match value.to_str().map(parse_authorization) {
            Ok(Ok((Scheme::Negotiate, token))) => token,
            Ok(Ok((Scheme::CredSsp, _)) | Err(_)) | Err(_) => return refused(),
        };
        let mut acceptor = match std::mem::replace(login, Login::Failed) {
            Login::Nobody => Box::new(self.target.acceptor()),
            Login::Begun(acceptor) => acceptor,
            Login::Known(_) | Login::Failed => return Reply::closing(StatusCode::BAD_REQUEST),
        };
        match acceptor.step(&token) {
            Err(_refused) => refused(),
            Ok(NegotiateStep::Continue { token }) => {
                *login = Login::Begun(acceptor);
                Reply {
                    authenticate: Some(token_header(Scheme::Negotiate, &token)),
                    ..Reply::bare(StatusCode::UNAUTHORIZED)
                }
            }
            // Over TLS, bodies go as they are.
            Ok(NegotiateStep::Done { token, name, seal: _ }) => {
                *login = Login::Known(name.user.to_lowercase());
                let reply = self.request(login, body).await;
                Reply { authenticate: token.map(|token| token_header(Scheme::Negotiate, &token)), ..reply }
            }
        }
    }

    async fn request(&self, login: &Login, body: &[u8]) -> Reply {
        match login {
            // The request that only logs in.
            Login::Known(_) if body.is_empty() => Reply::bare(StatusCode::OK),
            Login::Known(account) => {
                let caller = Caller { account, peer: self.peer };
                self.target.service.answer(caller, body).await.into()
            }
            Login::Nobody | Login::Begun(_) => Reply::challenge(),
            Login::Failed => Reply::closing(StatusCode::BAD_REQUEST),
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(name, value);
    }
}

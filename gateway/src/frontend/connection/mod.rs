//! One connection of a client: TLS, HTTP, the login, and then its requests.

use super::body::{Flushes, ReplyBody, Watched};
use super::head::{Authorization, Head};
use super::known::{self, Known};
use super::login::{self, Leg};
use super::reply::{self, Reply};
use super::route::{Service, is_ours, service};
use crate::limits::AddressKey;
use crate::listener::accept::Door;
use crate::listener::caps::{ConnectionSlot, HandshakeSlot};
use crate::state::Gateway;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sekisho_protocol::credssp::Acceptor;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Bytes of one request's head. A login token in it is the largest thing.
const MAX_HEAD: usize = 96 * 1024;
/// Headers of one request.
const MAX_HEADERS: usize = 64;
/// How long the body of one request may take.
const BODY_TIME: Duration = Duration::from_secs(60);

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// What is known of a client from the start.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) door: Arc<Door>,
    pub(crate) peer: SocketAddr,
    /// For logs.
    pub(crate) id: u64,
}

/// How far the login is. INVARIANT(one-connection-one-context): there is never more than one, and a
/// connection that failed answers nothing more.
#[derive(Debug)]
enum State {
    Nobody,
    Login(Box<Acceptor>),
    Known(Box<Known>),
    Failed,
}

#[derive(Debug)]
struct Context {
    state: State,
    /// What the login has used up.
    legs: u32,
    bytes: usize,
    toll: Toll,
    /// Gives its place back when the login is done.
    _handshake: Option<HandshakeSlot>,
}

/// Whether the next login of this connection is counted already, by the request that came to be challenged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Toll {
    Due,
    Paid,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    context: Mutex<Context>,
    logged_in: CancellationToken,
    /// The login has to make room for another.
    given_up: CancellationToken,
    closing: CancellationToken,
    flushes: Flushes,
    _slot: ConnectionSlot,
}

impl Connection {
    /// A connection that was let in.
    #[must_use]
    pub fn new(
        gateway: Arc<Gateway>,
        door: Arc<Door>,
        peer: SocketAddr,
        slots: (ConnectionSlot, HandshakeSlot),
    ) -> Arc<Self> {
        let id = SERIAL.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            client: Client { gateway, door, peer, id },
            given_up: slots.1.given_up(),
            context: Mutex::new(Context {
                state: State::Nobody,
                legs: 0,
                bytes: 0,
                toll: Toll::Due,
                _handshake: Some(slots.1),
            }),
            logged_in: CancellationToken::new(),
            closing: CancellationToken::new(),
            flushes: Flushes::default(),
            _slot: slots.0,
        })
    }

    /// Serves it to its end: at most the time of a login until somebody is known.
    pub async fn serve(self: Arc<Self>, stream: TcpStream) {
        let time = self.client.gateway.live().config.limits.login_time;
        let served = Arc::clone(&self).handshake(stream);
        tokio::pin!(served);
        tokio::select! {
            () = &mut served => {}
            limit = self.login_ends(time) => {
                self.client.gateway.metrics.refused_connection(limit);
                tracing::debug!(conn = self.client.id, client_addr = %self.client.peer.ip(), limit, "Login given up");
            }
        }
    }

    /// Why there will be no login; never, once there was one.
    async fn login_ends(&self, time: Duration) -> &'static str {
        tokio::select! {
            biased;
            () = self.logged_in.cancelled() => {}
            () = self.given_up.cancelled() => return "handshakes",
            () = tokio::time::sleep(time) => return "login_time",
        }
        std::future::pending().await
    }

    async fn handshake(self: Arc<Self>, stream: TcpStream) {
        let door = Arc::clone(&self.client.door);
        let Some(tls) = &door.tls else { return self.http(stream).await };
        let id = self.client.id;
        // The handshake's room is given back with it.
        match Box::pin(tls.acceptor.accept(stream)).await.map(|stream| self.http(stream)) {
            Ok(served) => served.await,
            Err(error) => tracing::debug!(conn = id, %error, "TLS handshake failed"),
        }
    }

    /// Serves HTTP. What lives as long as the connection has a place of its own and is not moved into futures,
    /// which keep room for all the places that it passes through.
    fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: Arc<Self>,
        stream: S,
    ) -> impl Future<Output = ()> + Send {
        let answering = Arc::clone(&self);
        let service = service_fn(move |request| {
            let connection = Arc::clone(&answering);
            // hyper keeps room for it as long as the connection lives, and it is large.
            Box::pin(async move { Ok::<_, Infallible>(connection.answer(request).await) })
        });
        let mut served = Box::pin(
            hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.client.gateway.live().config.limits.idle_connection)
                .max_buf_size(MAX_HEAD)
                .max_headers(MAX_HEADERS)
                .serve_connection(TokioIo::new(Watched::new(stream, self.flushes.clone())), service),
        );
        async move {
            let ended = tokio::select! {
                ended = served.as_mut() => ended,
                () = self.ends() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(conn = self.client.id, %error, "Connection ended");
            }
        }
    }

    async fn ends(&self) {
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = self.client.gateway.drained.cancelled() => {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        let reply = self.reply(request).await;
        if reply.closes() {
            self.closing.cancel();
        }
        reply.into_response(&self.flushes)
    }

    async fn reply(&self, request: Request<Incoming>) -> Reply {
        let head = Head::read(&request);
        let service = service(&head.path);
        if service == Service::Unknown {
            return Reply::bare(StatusCode::NOT_FOUND).close();
        }
        if !service.takes(head.verb) {
            return Reply::bare(StatusCode::METHOD_NOT_ALLOWED).close();
        }
        if !self.is_addressed(&head) {
            return Reply::bare(StatusCode::MISDIRECTED_REQUEST).close();
        }
        let mut context = self.context.lock().await;
        let Some(body) = self.read(&mut context, &head, request.into_body()).await else {
            context.state = State::Failed;
            return Reply::bare(StatusCode::PAYLOAD_TOO_LARGE).close();
        };
        if head.identify || service == Service::WsmanAnonymous {
            return reply::identify();
        }
        match &head.authorization {
            Authorization::CredSsp(token) => self.leg(&mut context, &head, token, &body).await,
            Authorization::Absent => self.request(&mut context, &head, &body).await,
            Authorization::Foreign => {
                context.state = State::Failed;
                Reply::challenge().close()
            }
        }
    }

    fn is_addressed(&self, head: &Head) -> bool {
        let live = self.client.gateway.live();
        is_ours(&self.client.door.server_names, &live.config.routing, head.host.as_deref())
    }

    /// Reads the body of a request, and counts head and body as long as nobody is known.
    async fn read(&self, context: &mut Context, head: &Head, body: Incoming) -> Option<Vec<u8>> {
        let limits = self.client.gateway.live().config.limits.clone();
        let known = matches!(context.state, State::Known(_));
        let most = if known {
            limits.body_bytes
        } else {
            limits.login_bytes.checked_sub(context.bytes)?.checked_sub(head.size)?
        };
        let body = tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await.ok()?.ok()?.to_bytes();
        if !known {
            context.bytes = context.bytes.saturating_add(head.size).saturating_add(body.len());
            context.legs = context.legs.saturating_add(1);
            if limits.login_legs < context.legs {
                return None;
            }
        }
        Some(body.into())
    }

    async fn leg(&self, context: &mut Context, head: &Head, token: &[u8], body: &[u8]) -> Reply {
        // A new login on a connection replaces who it was, from its first token on.
        let mut acceptor = match std::mem::replace(&mut context.state, State::Failed) {
            State::Login(acceptor) => acceptor,
            State::Nobody | State::Known(_) => {
                if let Some(limited) = self.begin(context) {
                    return limited;
                }
                context.toll = Toll::Due;
                Box::new(login::acceptor(&self.client))
            }
            State::Failed => return Reply::bare(StatusCode::BAD_REQUEST).close(),
        };
        match login::step(&self.client, &mut acceptor, token).await {
            Leg::Continue(token) => {
                context.state = State::Login(acceptor);
                Reply::token(&token)
            }
            Leg::Refused(Some(token)) => Reply::token(&token).close(),
            Leg::Refused(None) => Reply::challenge().close(),
            Leg::Done(known) => {
                self.logged_in.cancel();
                *context = Context { state: State::Known(known), legs: 0, bytes: 0, toll: Toll::Due, _handshake: None };
                // Over HTTPS the last leg carries the first request; the earlier ones repeated it.
                self.request(context, head, body).await.after_login()
            }
        }
    }

    /// Counts one login against its address, once: nothing, or the answer when it has had its share.
    fn begin(&self, context: &mut Context) -> Option<Reply> {
        let Client { gateway, peer, .. } = &self.client;
        if context.toll == Toll::Due
            && let Err(limited) = gateway.rates.login(AddressKey::from(peer.ip()))
        {
            gateway.audit_refused_address("login_rate", *peer, limited);
            context.state = State::Failed;
            return Some(Reply::limited(limited).close());
        }
        context.toll = Toll::Paid;
        None
    }

    async fn request(&self, context: &mut Context, head: &Head, body: &[u8]) -> Reply {
        match &mut context.state {
            State::Known(known) => match known::serve(&self.client, known, head, body).await {
                Some(reply) => reply,
                None => {
                    // Undecipherable: the client must log in anew, on another connection.
                    context.state = State::Failed;
                    Reply::bare(StatusCode::BAD_REQUEST).close()
                }
            },
            State::Nobody | State::Login(_) => {
                context.state = State::Nobody;
                // Already here: stock clients hear of it only before they have begun.
                self.begin(context).unwrap_or_else(Reply::challenge)
            }
            State::Failed => Reply::bare(StatusCode::BAD_REQUEST).close(),
        }
    }
}

#[cfg(test)]
mod tests;

//! The accept loop: caps and rates first, then one task per connection.

use super::tls::ListenerTls;
use crate::config::{BodyRule, Listener, ListenerTransport};
use crate::frontend::Connection;
use crate::limits::AddressKey;
use crate::state::Gateway;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long accept pauses when the process is out of file descriptors, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// TCP keep-alive: long silent commands cross firewalls that forget idle connections.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// One listening socket and what every connection on it needs.
#[derive(Debug)]
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// Which bodies it takes.
    pub bodies: BodyRule,
    /// Names that its clients may use as Host; empty: any.
    pub server_names: Vec<String>,
    pub(crate) tls: Option<ListenerTls>,
    pub(crate) credssp: Arc<sekisho_protocol::credssp::AcceptorConfig>,
}

impl Door {
    /// Reads the certificates of a listener.
    ///
    /// # Errors
    /// When a file cannot be read or used; the text names it.
    pub fn new(
        listener: &Listener,
        inner: &crate::config::InnerCertificate,
    ) -> Result<Self, super::tls::CertificateError> {
        let tls = match &listener.transport {
            ListenerTransport::Tls { certificate, key, .. } => Some(ListenerTls::load(certificate, key)?),
            ListenerTransport::PlainHttp => None,
        };
        let outer = tls.as_ref().map(ListenerTls::certificate);
        Ok(Self {
            address: listener.address,
            bodies: listener.transport.bodies(),
            server_names: listener.server_names.clone(),
            credssp: super::tls::inner_config(inner, outer)?,
            tls,
        })
    }
}

/// Accepts until `stop`; connections run in `tasks`.
pub async fn accept(gateway: Arc<Gateway>, door: Arc<Door>, socket: TcpListener, stop: CancellationToken) {
    prepare(&socket);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => admit(&gateway, &door, stream, peer),
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(gateway: &Arc<Gateway>, door: &Arc<Door>, stream: TcpStream, peer: SocketAddr) {
    let address = AddressKey::from(peer.ip());
    // First of all: who comes too often must not cost somebody else a login that is under way.
    if let Err(limited) = gateway.rates.connection(address) {
        // So many that not even an answer is affordable.
        gateway.audit_refused_address("rate", peer, limited);
        return;
    }
    let slots = match gateway.caps.admit(address) {
        Ok(slots) => slots,
        Err(full) => {
            gateway.metrics.refused_connection(full.as_str());
            tracing::debug!(client_addr = %peer.ip(), limit = full.as_str(), "Connection refused");
            return;
        }
    };
    let connection = Connection::new(Arc::clone(gateway), Arc::clone(door), peer, slots);
    tokio::spawn(connection.serve(stream));
}

/// Sets what each connection of a listener is to have: they inherit it, and nothing has to be asked for one by one.
fn prepare(listener: &TcpListener) {
    let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE);
    let socket = socket2::SockRef::from(listener);
    if let Err(error) = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keep_alive)) {
        tracing::warn!(%error, "Cannot set socket options");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_have_what_their_listener_was_given() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        prepare(&listener);
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (_client, (stream, _)) = (client.unwrap(), accepted.unwrap());
        let socket = socket2::SockRef::from(&stream);
        assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEP_ALIVE);
    }
}

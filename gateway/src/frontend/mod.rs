//! Towards clients: one connection, one security context; requests in, answers out, in turn.

mod api;
mod body;
mod connection;
mod head;
mod known;
mod login;
mod powershell;
mod reply;
mod respond;
mod route;
mod wsman;

pub use body::ReplyBody;
pub(crate) use body::{Delivered, Flushes, Watched};
#[cfg(test)]
pub(crate) use connection::Client;
pub use connection::Connection;
pub(crate) use respond::SOAP;
pub use respond::{Answer, Problem};

//! What an operator has switched off. Each is logged at every start and shown by `check`.

use std::fmt;
use std::net::SocketAddr;

use super::names::TargetName;

/// A `dangerous_` key that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    ListenerPlainHttp(SocketAddr),
    TargetPlainHttp(TargetName),
    TargetUnverified(TargetName),
    AdminExposed(SocketAddr),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListenerPlainHttp(address) => {
                write!(
                    f,
                    "listener {address} has no TLS: bodies are sealed, names and headers can be read and logins relayed"
                )
            }
            Self::TargetPlainHttp(target) => {
                write!(
                    f,
                    "target {target} is reached without TLS: whoever is on the way can pass the login on to another machine"
                )
            }
            Self::TargetUnverified(target) => {
                write!(
                    f,
                    "the certificate of target {target} is not verified: whoever is on the way can take its place"
                )
            }
            Self::AdminExposed(address) => {
                write!(f, "health and metrics on {address} can be read from other machines without a login")
            }
        }
    }
}

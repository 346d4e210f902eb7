//! NTLMv2 for both roles. [MS-NLMP].
//!
//! The acceptor's messages are sspi's, behind a guard of our own ([`guard`]); the initiator's are ours, since
//! sspi's cannot name the service in its login; signing and sealing are ours for both, since SPNEGO has to
//! rewind them ([MS-SPNG] 3.3.5.1), which sspi does not let its callers do.

pub(crate) mod acceptor;
mod av_pairs;
pub(crate) mod crypto;
pub(crate) mod guard;
pub(crate) mod initiator;
mod library;
mod message;
pub(crate) mod session;

#[cfg(test)]
pub(crate) use message::Flags;
pub(crate) use message::is_ntlm;

#[cfg(test)]
pub(crate) mod attack;

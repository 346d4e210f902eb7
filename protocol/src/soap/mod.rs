//! SOAP 1.2 envelopes, WS-Addressing headers and faults.

pub mod fault;

pub use fault::{Blame, Fault, FaultCode, PeerFault, PeerText, Subcode};

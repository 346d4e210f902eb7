//! SOAP 1.2 envelopes, WS-Addressing headers and faults.

pub(crate) mod envelope;
pub mod fault;
mod fault_codec;

pub use fault::{Blame, Fault, FaultCode, PeerFault, PeerText, Subcode};
pub(crate) use fault_codec::{read_fault, write_fault};

//! SOAP 1.2 envelopes, WS-Addressing headers and faults.

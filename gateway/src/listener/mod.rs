//! Listening: caps before anybody is known, the TLS handshake under a deadline, one task per connection.

pub mod accept;
pub mod caps;
pub mod tls;

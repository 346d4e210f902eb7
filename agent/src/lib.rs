//! Submits one job for many targets to a Sekisho gateway.

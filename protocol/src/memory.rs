//! Wiping allocator, locked pages and process hardening: the one place with unsafe code and with what differs between systems.

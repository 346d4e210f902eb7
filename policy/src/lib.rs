//! The allowlist: its model, its documents, and decide().

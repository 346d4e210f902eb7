//! One checkpoint for Windows remote management: authenticate, judge, audit, re-delegate.

pub mod audit;
pub mod config;
pub mod identity;
pub mod private_file;

//! One checkpoint for Windows remote management: authenticate, judge, audit, re-delegate.

pub mod config;

//! One checkpoint for Windows remote management: authenticate, judge, audit, re-delegate.
#![forbid(unsafe_code)]

pub mod audit;
pub mod cli;
pub mod commands;
pub mod config;
pub mod identity;
pub mod policy_files;
pub mod private_file;

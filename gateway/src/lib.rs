//! One checkpoint for Windows remote management: authenticate, judge, audit, re-delegate.
#![forbid(unsafe_code)]

pub mod admin;
pub mod audit;
pub mod backend;
pub mod cli;
pub mod commands;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod enforce;
pub mod frontend;
pub mod identity;
pub mod jobs;
pub mod limits;
pub mod listener;
pub mod policy_files;
pub mod private_file;
pub mod random;
pub mod recording;
pub mod serve;
pub mod session;
pub mod state;
pub mod telemetry;

#[cfg(test)]
mod trial;

//! Pipelines of real clients as the gateway reads them, and what it sends to a target as a real PowerShell reads it.

mod read;
mod recorded;
mod sent;

//! PowerShell as a target of the demo has it: a pool over \[MS-PSRP\], and a few cmdlets with what this machine is.
//! Commands come as names with arguments; text is refused as an endpoint without language refuses it.

mod binding;
mod cmdlets;
mod effect;
mod errors;
mod machine;
mod objects;
mod pipeline;
mod pool;
mod records;
mod secure;
mod view;

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub(super) use machine::Machine;
pub(super) use pool::Pool;
#[cfg(test)]
pub(in crate::demo) use script::{Asked, Heard, Say};

//! Shells of clients, found by (principal, shell id), and the commands in them.
//!
//! INVARIANT(identity-bound): a shell is looked up by the authenticated principal and the id together; the id
//! alone leads nowhere. Ids of cmd shells are the gateway's own. PowerShell's clients name their pools themselves and
//! repeat the names in their messages, so that theirs are taken; audit log and recordings use ids of the gateway's.

mod any;
mod command;
mod commands;
mod launch;
mod output;
mod places;
mod pool;
mod reaper;
mod shell;
mod story;
mod table;

pub use any::Session;
pub use command::{Command, Ended, Launch, NotLaunched, Start, TerminatedBy};
pub use output::{Buffer, Fetched, Turn};
pub use places::{Place, Places, ShellRules, TableFull};
pub use pool::{Caller, Described, Fetch, NotOpenedPool, PoolFetched, PoolProblem, PoolShell, Proposal};
pub use reaper::reap_forever;
pub use shell::{NotStarted, Opening, Shell, presence};
pub(crate) use story::{Story, outcome};
pub use table::SessionTable;

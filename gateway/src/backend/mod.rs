//! Towards targets: one connection is one authenticated context, never shared among principals, and nothing
//! starts on a target without a [`crate::enforce::Permit`].

mod connection;
mod dial;
mod error;
mod http;
mod idle;
mod link;
mod pipeline;
mod pool;
mod pool_key;
mod quota;
mod shell;
mod trust;

pub use dial::Dialer;
pub use error::{BackendError, Effect, NotOpened};
pub use pipeline::{PipelineControl, PipelineEvent, RunningPipeline};
pub use pool::{PoolOpening, TargetPool, own_answer};
pub use quota::{Quotas, Reserved};
pub use shell::{Control, Received, Running, TargetShell};
pub use trust::{TrustError, client_config};

//! What the gateway answers itself, without a target.

use crate::enforce::Asker;
use crate::enforce::pipeline::Local;
use crate::state::Live;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{HostCall, HostMethod};

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Objects, in order.
    pub(super) output: Vec<Value>,
    /// A call to the client's host.
    pub(super) call: Option<HostCall>,
}

/// The answer to what needs no target.
pub(super) fn answers(_live: &Live, asker: Asker<'_>, local: &Local) -> Answers {
    match local {
        Local::Prompt => Answers { output: vec![Value::text(format!("PS {}> ", asker.target.name))], call: None },
        Local::Nothing | Local::Commands(_) => Answers::default(),
        Local::Exit => {
            let call = HostCall { call: -100, method: HostMethod::PopRunspace, parameters: Vec::new() };
            Answers { output: Vec::new(), call: Some(call) }
        }
    }
}

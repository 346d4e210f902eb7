//! What a client says of its host, \[MS-PSRP\] 2.2.3.14.

use super::members::{boolean, object, required};
use crate::Result;
use crate::clixml::{Object, Value};

/// Which parts of a host are there, and what is known of its window.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has these four flags, each with a meaning of its own")]
pub struct HostInfo {
    /// `_isHostNull`.
    pub no_host: bool,
    /// `_isHostUINull`.
    pub no_ui: bool,
    /// `_isHostRawUINull`.
    pub no_raw_ui: bool,
    /// `_useRunspaceHost`: the host of the pool stands for that of the pipeline.
    pub pool_host: bool,
    /// `_hostDefaultData`: colours, sizes and the title, as sent.
    pub defaults: Option<Value>,
}

impl HostInfo {
    /// No host of its own: the pool's is used.
    #[must_use]
    pub fn none() -> Self {
        Self { no_host: true, no_ui: true, no_raw_ui: true, pool_host: true, defaults: None }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`crate::error::Malformed::PsrpBody`] when a member is missing or of another type.
    pub fn decode(value: &Value) -> Result<Self> {
        let host = object(value)?;
        let flag = |name| boolean(required(host, name)?);
        Ok(Self {
            no_host: flag("_isHostNull")?,
            no_ui: flag("_isHostUINull")?,
            no_raw_ui: flag("_isHostRawUINull")?,
            pool_host: flag("_useRunspaceHost")?,
            defaults: host.member("_hostDefaultData").cloned(),
        })
    }

    /// Writes it.
    #[must_use]
    pub fn encode(&self) -> Value {
        let mut members = Vec::new();
        if let Some(defaults) = &self.defaults {
            members.push(("_hostDefaultData".to_owned(), defaults.clone()));
        }
        for (name, value) in [
            ("_isHostNull", self.no_host),
            ("_isHostUINull", self.no_ui),
            ("_isHostRawUINull", self.no_raw_ui),
            ("_useRunspaceHost", self.pool_host),
        ] {
            members.push((name.to_owned(), Value::Bool(value)));
        }
        Value::object(Object { extended: Some(members), ..Object::default() })
    }
}

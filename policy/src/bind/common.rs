//! The common parameters, which commands take beside their own.

use crate::catalog::CommandInfo;

/// Who has to allow a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The rule for the command, when it lists parameters.
    Listed,
    /// Nobody: allowed on every visible command (rule R8).
    Always,
    /// Nobody can: it writes a variable of the target's session (rule R8).
    Never,
}

/// A common parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Common {
    pub(super) name: &'static str,
    pub(super) alias: &'static str,
    pub(super) is_switch: bool,
    pub(super) grant: Grant,
    needs: Needs,
}

/// What a command has to support for a parameter to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Common,
    ShouldProcess,
    Transactions,
}

const fn plain(name: &'static str, alias: &'static str) -> Common {
    Common { name, alias, is_switch: false, grant: Grant::Always, needs: Needs::Common }
}

const fn switch(name: &'static str, alias: &'static str, needs: Needs) -> Common {
    Common { name, alias, is_switch: true, grant: Grant::Always, needs }
}

const fn variable(name: &'static str, alias: &'static str) -> Common {
    Common { name, alias, is_switch: false, grant: Grant::Never, needs: Needs::Common }
}

const ALL: [Common; 15] = [
    switch("Verbose", "vb", Needs::Common),
    switch("Debug", "db", Needs::Common),
    plain("ErrorAction", "ea"),
    plain("WarningAction", "wa"),
    plain("InformationAction", "infa"),
    plain("ProgressAction", "proga"),
    plain("OutBuffer", "ob"),
    variable("ErrorVariable", "ev"),
    variable("WarningVariable", "wv"),
    variable("InformationVariable", "iv"),
    variable("OutVariable", "ov"),
    variable("PipelineVariable", "pv"),
    switch("WhatIf", "wi", Needs::ShouldProcess),
    switch("Confirm", "cf", Needs::ShouldProcess),
    // R8 does not name it, so that a rule has to.
    Common { grant: Grant::Listed, ..switch("UseTransaction", "usetx", Needs::Transactions) },
];

/// The common parameters that a command takes.
pub(super) fn of(info: &CommandInfo) -> impl Iterator<Item = &'static Common> {
    ALL.iter().filter(|common| match common.needs {
        Needs::Common => info.common,
        Needs::ShouldProcess => info.should_process,
        Needs::Transactions => info.transactions,
    })
}

//! The parameters that PowerShell itself adds to commands, and what rule R8 says of each.

use super::model::{CommandInfo, Edition, WorkflowParameters};

/// A parameter that PowerShell adds. None has a position, none takes pipeline input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommonParameter {
    /// Its name.
    pub name: &'static str,
    /// Its alias, in lower case.
    pub alias: Option<&'static str>,
    /// Switch or value.
    pub takes: CommonValue,
    /// Which commands have it.
    pub group: CommonGroup,
    /// What a policy says of it, whatever the rule that allows the command.
    pub verdict: CommonVerdict,
    /// The editions that have it, as documentation says. Rule R8 does not ask: an edition that lacks it answers with
    /// an error of its own.
    pub editions: &'static [Edition],
}

/// Whether a common parameter takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonValue {
    /// A switch.
    Switch,
    /// One value.
    One,
}

/// Which commands have a common parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonGroup {
    /// All cmdlets, and functions with `CmdletBinding`.
    Common,
    /// Those that support `ShouldProcess`.
    ShouldProcess,
    /// Those that support transactions.
    Transaction,
    /// Workflows.
    Workflow,
}

/// What a policy says of a common parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonVerdict {
    /// Allowed on every command that is allowed and has it.
    Allowed,
    /// Denied on every command: it would write a variable of the session, lengthen a transaction beyond the
    /// pipeline, or send the work to another computer. It counts all the same where an abbreviation is resolved.
    Denied,
}

const BOTH: &[Edition] = &[Edition::Windows51, Edition::Core7];
const WINDOWS: &[Edition] = &[Edition::Windows51];

const fn common(
    name: &'static str,
    alias: &'static str,
    takes: CommonValue,
    verdict: CommonVerdict,
) -> CommonParameter {
    CommonParameter { name, alias: Some(alias), takes, group: CommonGroup::Common, verdict, editions: BOTH }
}

const fn should_process(name: &'static str, alias: &'static str) -> CommonParameter {
    CommonParameter {
        group: CommonGroup::ShouldProcess,
        ..common(name, alias, CommonValue::Switch, CommonVerdict::Allowed)
    }
}

const fn workflow(name: &'static str, takes: CommonValue) -> CommonParameter {
    let (group, verdict) = (CommonGroup::Workflow, CommonVerdict::Denied);
    CommonParameter { name, alias: None, takes, group, verdict, editions: WINDOWS }
}

/// All of them.
pub const COMMON_PARAMETERS: [CommonParameter; 37] = [
    common("Verbose", "vb", CommonValue::Switch, CommonVerdict::Allowed),
    common("Debug", "db", CommonValue::Switch, CommonVerdict::Allowed),
    common("ErrorAction", "ea", CommonValue::One, CommonVerdict::Allowed),
    common("WarningAction", "wa", CommonValue::One, CommonVerdict::Allowed),
    common("InformationAction", "infa", CommonValue::One, CommonVerdict::Allowed),
    CommonParameter {
        editions: &[Edition::Core7],
        ..common("ProgressAction", "proga", CommonValue::One, CommonVerdict::Allowed)
    },
    common("OutBuffer", "ob", CommonValue::One, CommonVerdict::Allowed),
    common("ErrorVariable", "ev", CommonValue::One, CommonVerdict::Denied),
    common("WarningVariable", "wv", CommonValue::One, CommonVerdict::Denied),
    common("InformationVariable", "iv", CommonValue::One, CommonVerdict::Denied),
    common("OutVariable", "ov", CommonValue::One, CommonVerdict::Denied),
    common("PipelineVariable", "pv", CommonValue::One, CommonVerdict::Denied),
    should_process("WhatIf", "wi"),
    should_process("Confirm", "cf"),
    CommonParameter {
        name: "UseTransaction",
        alias: Some("usetx"),
        takes: CommonValue::Switch,
        group: CommonGroup::Transaction,
        verdict: CommonVerdict::Denied,
        editions: WINDOWS,
    },
    workflow("AsJob", CommonValue::Switch),
    workflow("InputObject", CommonValue::One),
    workflow("JobName", CommonValue::One),
    workflow("PSAllowRedirection", CommonValue::Switch),
    workflow("PSApplicationName", CommonValue::One),
    workflow("PSAuthentication", CommonValue::One),
    workflow("PSAuthenticationLevel", CommonValue::One),
    workflow("PSCertificateThumbprint", CommonValue::One),
    workflow("PSComputerName", CommonValue::One),
    workflow("PSConfigurationName", CommonValue::One),
    workflow("PSConnectionRetryCount", CommonValue::One),
    workflow("PSConnectionRetryIntervalSec", CommonValue::One),
    workflow("PSConnectionURI", CommonValue::One),
    workflow("PSCredential", CommonValue::One),
    workflow("PSElapsedTimeoutSec", CommonValue::One),
    workflow("PSParameterCollection", CommonValue::One),
    workflow("PSPersist", CommonValue::One),
    workflow("PSPort", CommonValue::One),
    workflow("PSPrivateMetadata", CommonValue::One),
    workflow("PSRunningTimeoutSec", CommonValue::One),
    workflow("PSSessionOption", CommonValue::One),
    workflow("PSUseSSL", CommonValue::Switch),
];

impl CommandInfo {
    /// The parameters that PowerShell adds to this command.
    pub fn common_parameters(&self) -> impl Iterator<Item = &'static CommonParameter> + use<> {
        let (common, should_process, transactions) = (self.common, self.should_process, self.transactions);
        let workflow = self.workflow == WorkflowParameters::Taken;
        COMMON_PARAMETERS.iter().filter(move |parameter| match parameter.group {
            CommonGroup::Common => common,
            CommonGroup::ShouldProcess => should_process,
            CommonGroup::Transaction => transactions,
            CommonGroup::Workflow => workflow,
        })
    }
}

impl CommonParameter {
    /// Whether this is its name or its alias, whatever the case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    }
}

//! What the shipped catalogue knows of the commands in JEA's files.

use std::sync::Arc;

use crate::catalog::{Catalog, CommandInfo, Edition};
use crate::fold::fold;

/// What a command accepts, in each edition that has it. Takes its name with or without a module.
pub(super) fn infos(name: &str) -> Vec<Arc<CommandInfo>> {
    let bare = name.rsplit('\\').next().unwrap_or_default();
    let editions = [Edition::Windows51, Edition::Core7];
    editions.into_iter().filter_map(|edition| Catalog::shipped().lookup(edition, bare)).collect()
}

/// What a name is among the parameters of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Parameter,
    /// Another name of this parameter.
    AliasOf(String),
    /// One that every command takes, or that none may be given.
    Common,
    Unknown,
}

/// Looks a parameter up. Where nobody knows the command, every name may be one.
pub(super) fn standing(infos: &[Arc<CommandInfo>], name: &str) -> Standing {
    let called = |other: &String| fold(other) == fold(name);
    let mut parameters = infos.iter().flat_map(|info| &info.parameters);
    if infos.is_empty() || parameters.clone().any(|parameter| called(&parameter.name)) {
        return Standing::Parameter;
    }
    if let Some(parameter) = parameters.find(|parameter| parameter.aliases.iter().any(called)) {
        return Standing::AliasOf(parameter.name.clone());
    }
    let mut common = infos.iter().flat_map(|info| info.common_parameters());
    if common.any(|common| common.is_called(name)) { Standing::Common } else { Standing::Unknown }
}

/// Whether a name is an alias that PowerShell has for a command from the start.
pub(super) fn is_alias_of(alias: &str, command: &str) -> bool {
    infos(command).iter().flat_map(|info| &info.aliases).any(|known| fold(known) == fold(alias))
}

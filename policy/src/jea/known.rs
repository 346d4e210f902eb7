//! What else is known of commands.

use crate::fold::fold;

/// Why a command should be in no allowlist.
pub(super) fn danger(name: &str) -> Option<&'static str> {
    let name = fold(name);
    DANGERS.iter().find(|(commands, _)| commands.contains(&name.as_str())).map(|(_, why)| *why)
}

/// The command that PowerShell's own alias stands for.
pub(super) fn command_of_alias(_alias: &str) -> Option<String> {
    None
}

const DANGERS: [(&[&str], &str); 1] = [(&["invoke-expression"], "runs any text")];

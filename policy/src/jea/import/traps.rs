//! What a visible command brings with it.

use crate::fold::fold;
use crate::jea::note::shown;
use crate::lint;

/// The traps of a command that is visible with all its parameters.
pub(super) fn command(name: &str) -> Vec<String> {
    let mut traps = Vec::new();
    if name.contains('*') {
        traps.push(wildcard(name));
    } else if let Some((module, _)) = name.split_once('\\') {
        traps.push(format!(
            "`{}`: PowerShell imports the whole module {} for it. In a session that also has a list of parameters for this \
             command, the name with its module runs it unrestricted",
            shown(name),
            shown(module)
        ));
    }
    let bare = fold(name.rsplit('\\').next().unwrap_or_default());
    traps.extend(lint::danger_of(&bare).map(|why| format!("{}: {why}", shown(name))));
    traps
}

/// The trap of a command with a list of parameters.
pub(super) fn restricted(name: &str) -> Option<String> {
    let proxied = ["select-object", "measure-object", "get-help", "get-command", "out-default", "get-formatdata"];
    if proxied.contains(&fold(name).as_str()) {
        return Some(format!(
            "{}: a session of the type RestrictedRemoteServer has a narrow form of it already, which this widens",
            shown(name)
        ));
    }
    lint::danger_of_restricted(&fold(name)).map(|why| format!("{}: {why}", shown(name)))
}

fn wildcard(name: &str) -> String {
    let what = match fold(name.rsplit('\\').next().unwrap_or_default()).as_str() {
        "*" => "every command",
        "*-process" => "Start-Process too",
        "*-service" => "New-Service and Set-Service -BinaryPathName too",
        other if other.starts_with("get-") => "whatever modules add by such a name",
        _ => "whatever begins or ends so, the dangerous ones too",
    };
    format!(
        "`{}` makes {what} visible; here it covers what the catalogue knows, with letters, digits, `-` and `_` in place \
         of `*`. Write the names that are needed",
        shown(name)
    )
}

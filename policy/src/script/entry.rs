//! The entry that pins a script, as `policy pin` writes it.

use std::collections::HashSet;

use super::{PinnedText, declared};
use crate::fold::fold;
use crate::limits;
use crate::model::{Declared, DeclaredKind, DeclaredParameter};

/// The TOML of an entry that pins a script: its digest, and its parameters where they can be read. Each of them
/// takes every value until somebody restricts it, which the entry says.
#[must_use]
pub fn policy_pin_entry(text: &str, name: &str, file: &str) -> String {
    let pinned = PinnedText::of(text);
    let mut entry = format!(
        "[[roles.ROLE.scripts]]   # put the role's name for ROLE\nname = {}\nfile = {}\nsha256 = \"{}\"\n",
        quoted(name),
        quoted(file),
        pinned.sha256()
    );
    match declared(pinned.text()) {
        Declared::InOrder(list) | Declared::Named(list) => entry.push_str(&parameters(&list)),
        Declared::Unread => entry.push_str(
            "# Its param(...) could not be read; list here what it may be given, by name.\nparameters = []\n",
        ),
    }
    let using = using_names(pinned.text());
    if !using.is_empty() {
        let list: Vec<String> = using.iter().map(|name| quoted(name)).collect();
        entry.push_str(&format!("using = [{}]\n", list.join(", ")));
    }
    entry
}

fn parameters(list: &[DeclaredParameter]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut text = "# Each takes any value: remove what nobody needs, and restrict the rest with validate_set or\n\
                    # validate_pattern.\nparameters = [\n"
        .to_owned();
    for parameter in list {
        match parameter.kind {
            DeclaredKind::Switch => text.push_str(&format!("  {},\n", quoted(&parameter.name))),
            DeclaredKind::Value | DeclaredKind::Several => {
                text.push_str(&format!("  {{ name = {} }},\n", quoted(&parameter.name)))
            }
        }
    }
    text.push_str("]\n");
    text
}

/// Names after `$using:`, each once, in the order of the text.
pub(crate) fn using_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let lower = text.to_ascii_lowercase();
    for (at, mark) in lower.match_indices("$using:") {
        let rest = text.get(at.saturating_add(mark.len())..).unwrap_or_default();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let sane = !name.is_empty() && name.chars().count() <= limits::NAME && names.len() < limits::LIST;
        if sane && seen.insert(fold(&name)) {
            names.push(name);
        }
    }
    names
}

/// A TOML string: in single quotes where that is possible.
fn quoted(text: &str) -> String {
    if !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_digest_parameters_and_using() {
        let text = "param([string]$Name, [switch]$Force)\nRestart-Service $Name; $using:Reason; $USING:reason";
        let entry = policy_pin_entry(text, "restart", "scripts/restart.ps1");
        let sha256 = PinnedText::of(text).sha256().to_owned();
        for line in [
            "name = 'restart'",
            "file = 'scripts/restart.ps1'",
            &format!("sha256 = \"{sha256}\""),
            "  { name = 'Name' },",
            "  'Force',",
            "using = ['Reason']",
        ] {
            assert!(entry.lines().any(|found| found == line), "{line} in\n{entry}");
        }
        assert!(!policy_pin_entry("Get-Date", "a", "a.ps1").contains("parameters"));
        assert!(policy_pin_entry("using module x", "a", "a.ps1").contains("parameters = []"));
    }

    #[test]
    fn every_text_can_be_quoted() {
        for text in ["a", "it's", "a\"b\\c'", "'\n\u{7f}"] {
            let document = format!("x = {}", quoted(text));
            let table: toml::Table = document.parse().unwrap();
            assert_eq!(table.get("x").and_then(|value| value.as_str()), Some(text), "{document}");
        }
    }
}

//! A proposal as a document of a policy, with comments for whoever has to stand by it.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Holders, Need, Role, Values, roles};
use crate::commands::policy::quoted;

/// Characters of a comment's line: what it quotes was chosen by whoever was denied.
const MAX_COMMENT: usize = 300;
/// Names that a comment lists.
const MAX_NAMES: usize = 8;

/// Something that the proposal does not allow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) times: usize,
}

impl LeftOut {
    pub(super) fn add(all: &mut Vec<Self>, what: String, why: String) {
        match all.iter_mut().find(|one| one.what == what && one.why == why) {
            Some(one) => one.times = one.times.saturating_add(1),
            None => all.push(Self { what, why, times: 1 }),
        }
    }
}

#[derive(Debug)]
pub(super) struct Proposal {
    defaults: Option<Holders>,
    roles: Vec<Role>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Proposal {
    pub(super) fn new(mut needs: BTreeMap<Need, Holders>, left_out: Vec<LeftOut>) -> Self {
        let defaults = needs.remove(&Need::Defaults);
        Self { defaults, roles: roles(needs), left_out }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::from("# A proposal: read every entry, and take out what should stay denied.\n");
        for left in &self.left_out {
            comment(&mut out, &format!("left out, {}: {}: {}", times(left.times), left.what, left.why));
        }
        if let Some(holders) = &self.defaults {
            out.push('\n');
            comment(
                &mut out,
                &format!("{}: {}", times(holders.times), named(&holders.targets.keys().cloned().collect())),
            );
            out.push_str("defaults = true\n");
        }
        for (index, role) in self.roles.iter().enumerate() {
            write_role(&mut out, &format!("proposed-{}", index.saturating_add(1)), role);
        }
        out
    }
}

fn write_role(out: &mut String, name: &str, role: &Role) {
    out.push_str(&format!("\n[roles.{name}]\ncmdlets = [\n"));
    let who = format!("{} on {}", named(&role.principals), named(&role.targets));
    for (need, count) in &role.rules {
        let entry = match need {
            Need::Command { name, parameters } => {
                let parameters: Vec<String> = parameters.iter().map(|(name, values)| parameter(name, values)).collect();
                format!("{{ name = {}, parameters = [{}] }}", quoted(name), parameters.join(", "))
            }
            Need::Whole(name) => {
                comment(out, "  takes input from the pipeline, so that its parameters cannot be restricted:");
                quoted(name)
            }
            Need::Defaults | Need::Program(_) => continue,
        };
        comment(out, &format!("  {}: {who}", times(*count)));
        out.push_str(&format!("  {entry},\n"));
    }
    out.push_str("]\n");
    write_programs(out, name, &who, &role.rules);
    out.push_str(&format!(
        "\n[[assignments]]\nprincipals = [{}]\ntargets = [{}]\nroles = [\"{name}\"]\n",
        list(&role.principals),
        list(&role.targets)
    ));
}

/// The lists of arguments that a program was asked for with, and how often.
type Asked<'a> = (BTreeSet<&'a [String]>, usize);

/// A rule for each program, with all lists of arguments that were asked for.
fn write_programs(out: &mut String, role: &str, who: &str, rules: &[(Need, usize)]) {
    let mut by_path: BTreeMap<(&str, bool), Asked<'_>> = BTreeMap::new();
    for (need, count) in rules {
        let Need::Program(program) = need else { continue };
        let entry = by_path.entry((&program.path, program.guessed)).or_default();
        entry.0.insert(&program.arguments);
        entry.1 = entry.1.saturating_add(*count);
    }
    for (index, ((path, guessed), (lists, count))) in by_path.iter().enumerate() {
        out.push_str(&format!("\n[[roles.{role}.programs]]\n"));
        comment(out, &format!("{}: {who}", times(*count)));
        if *guessed {
            comment(out, "nobody named its folder: look where it lies on the targets");
        }
        let lists: Vec<String> = lists
            .iter()
            .map(|arguments| format!("[{}]", arguments.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", ")))
            .collect();
        out.push_str(&format!(
            "name = \"program {}\"\npath = {}\narguments = {{ exact = [{}] }}\n",
            index.saturating_add(1),
            quoted(path),
            lists.join(", ")
        ));
    }
}

fn parameter(name: &str, values: &Values) -> String {
    match values {
        Values::Any => quoted(name),
        Values::Set(set) => format!("{{ name = {}, validate_set = [{}] }}", quoted(name), list(set)),
        Values::Secret => format!("{{ name = {}, secret = true }}", quoted(name)),
        Values::Secure => format!("{{ name = {}, secure = true }}", quoted(name)),
    }
}

fn list(texts: &BTreeSet<String>) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn named(names: &BTreeSet<String>) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// One line, whatever the text is; blanks before it are the indent.
fn comment(out: &mut String, text: &str) {
    let indent = text.len().saturating_sub(text.trim_start().len());
    let safe = |c: char| {
        let hidden =
            matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
        if c.is_control() || hidden { '?' } else { c }
    };
    let mut line: String = text.trim_start().chars().map(safe).take(MAX_COMMENT).collect();
    if text.trim_start().chars().nth(MAX_COMMENT).is_some() {
        line.push('…');
    }
    out.push_str(&format!("{}# {line}\n", " ".repeat(indent)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_asked_for_gets_out_of_its_quotes_or_its_comment() {
        for text in ["a'b", "a\\'\n\"]}, x", "\u{1}", "C:\\x", "受'", "'''", "\\\""] {
            let read: toml::Table = toml::from_str(&format!("x = {}", quoted(text))).unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
        let mut out = String::new();
        comment(&mut out, "  a\nb\r\u{202E}c");
        assert_eq!(out, "  # a?b??c\n");
        comment(&mut out, &"x".repeat(1000));
        assert!(out.lines().all(|line| line.chars().count() < MAX_COMMENT + 10 && line.trim_start().starts_with('#')));
    }
}

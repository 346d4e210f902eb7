//! The parameters of a restricted command, with the values that they may have.

use std::sync::Arc;

use super::draft::ParameterDraft;
use super::{pattern_traps, values};
use crate::catalog::CommandInfo;
use crate::fold::fold;
use crate::jea::data::{Entry, Node, Place, Table};
use crate::jea::known::{self, Standing};
use crate::jea::note::{Notes, shown};
use crate::limits;
use crate::pattern::Pattern;

/// Who a note is about.
struct Subject<'s> {
    command: &'s str,
    parameter: &'s str,
    place: Place,
    field: &'s str,
}

impl Subject<'_> {
    fn say(&self, what: &str) -> String {
        format!("{} -{}: {what}", shown(self.command), shown(self.parameter))
    }
}

/// Reads `Parameters`: the parameters and comments on them. `Err` holds the comment in place of the whole entry.
pub(super) fn read(
    command: &str,
    (list, infos): (&Entry, &[Arc<CommandInfo>]),
    field: &str,
    notes: &mut Notes<'_>,
) -> Result<(Vec<ParameterDraft>, Vec<String>), String> {
    let mut parameters: Vec<ParameterDraft> = Vec::new();
    let mut comments = Vec::new();
    for node in values::items(&list.node) {
        let Some((table, name)) = values::table(node).and_then(|table| Some((table, values::member(table, "Name")?)))
        else {
            let message = format!(
                "{}: a parameter that is no hashtable with `Name`: PowerShell refuses to load it",
                shown(command)
            );
            return Err(notes.left_out(node.place, field, message));
        };
        let subject = Subject { command, parameter: name, place: node.place, field };
        if parameters.iter().any(|other| fold(&other.name) == fold(name)) {
            comments.push(notes.left_out(node.place, field, subject.say("listed twice; the first entry counts")));
            continue;
        }
        let found = check_name(infos, name).and_then(|()| parameter(&subject, table, &mut comments, notes));
        match found {
            Ok(parameter) => parameters.push(parameter),
            Err(why) => comments.push(notes.left_out(node.place, field, subject.say(&why))),
        }
    }
    Ok((parameters, comments))
}

/// One parameter, or why it is left out: then it cannot be used at all, which is less than the file allows.
fn parameter(
    subject: &Subject<'_>,
    table: &Table,
    comments: &mut Vec<String>,
    notes: &mut Notes<'_>,
) -> Result<ParameterDraft, String> {
    let name = subject.parameter;
    let set = table.get("ValidateSet").map(|entry| read_set(&entry.node)).transpose()?;
    let pattern =
        table.get("ValidatePattern").map(|entry| read_pattern(subject, &entry.node, comments, notes)).transpose()?;
    let mut trap = |text: String| comments.push(notes.trap(subject.place, subject.field, subject.say(&text)));
    if set.is_some() && pattern.is_some() {
        trap(
            "both ValidateSet and ValidatePattern. The documentation says that the set is dropped; PowerShell 7.6 \
              demands both, and so does this policy"
                .to_owned(),
        );
    }
    for entry in &table.0 {
        if !["name", "validateset", "validatepattern"].contains(&fold(&entry.key).as_str()) {
            trap(format!("`{}`: PowerShell overlooks it, so that it restricts nothing", shown(&entry.key)));
        }
    }
    Ok(ParameterDraft { name: name.to_owned(), set, pattern })
}

/// Whether a parameter of that name can be restricted.
fn check_name(infos: &[Arc<CommandInfo>], name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > limits::NAME || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return Err(
            "no name of a parameter; PowerShell takes wildcards in it as they are, so that it fits none".to_owned()
        );
    }
    match known::standing(infos, name) {
        // One that nobody knows may be there on a target; if not, nothing fits it.
        Standing::Parameter | Standing::Unknown => Ok(()),
        Standing::AliasOf(full) => {
            let name = shown(&full);
            Err(format!(
                "an alias of -{name}. PowerShell takes it for another parameter, which does nothing; list {name}"
            ))
        }
        Standing::Common => {
            Err("a common parameter: whether it is allowed does not depend on the list, here or on a target".to_owned())
        }
    }
}

fn read_set(node: &Node) -> Result<Vec<String>, String> {
    let mut set: Vec<String> = Vec::new();
    for item in values::items(node) {
        let value =
            values::text(item).ok_or_else(|| format!("{} in ValidateSet; write it as a text", item.value.kind()))?;
        if !set.iter().any(|other| other == value) {
            set.push(value.to_owned());
        }
    }
    if set.is_empty() {
        return Err("an empty ValidateSet: PowerShell refuses to load a file with it".to_owned());
    }
    Ok(set)
}

/// JEA matches `^(p)$` and ignores case; so does a policy, with the end of the value taken as its end.
fn read_pattern(
    subject: &Subject<'_>,
    node: &Node,
    comments: &mut Vec<String>,
    notes: &mut Notes<'_>,
) -> Result<String, String> {
    let source = values::text(node).ok_or("a ValidatePattern that is no text")?;
    let pattern = without_frame(source);
    if let Err(mistake) = Pattern::parse(pattern) {
        let why =
            format!("the pattern `{}` cannot be taken over: {} ({})", shown(source), mistake.message, mistake.hint);
        return Err(why);
    }
    let line_feed = "PowerShell matches `^(pattern)$`, which lets a line feed at the end of a value pass; here the whole value \
                     has to match";
    notes.trap_once(node.place, subject.field, line_feed);
    for trap in pattern_traps::of(pattern) {
        let text = subject.say(&format!("the pattern `{}` {trap}", shown(source)));
        comments.push(notes.trap(node.place, subject.field, text));
    }
    Ok(pattern.to_owned())
}

/// Takes away what says nothing here: the option to ignore case, which is on, and the frame that an export puts around
/// a pattern so that it ends where the value ends.
fn without_frame(source: &str) -> &str {
    let pattern = source.strip_prefix("(?i)").unwrap_or(source);
    let inner = pattern.strip_prefix("(?:").and_then(|rest| rest.strip_suffix(r")\z"));
    // `(?:a)|(?:b)\z` is no frame: what is between would be no pattern.
    inner.filter(|inner| Pattern::parse(inner).is_ok()).unwrap_or(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_frame_is_taken_away() {
        for (source, inner) in [
            (r"(?:a|b)\z", "a|b"),
            (r"(?i)(?:a)\z", "a"),
            (r"(?:(?:a)\z)\z", r"(?:a)\z"),
            (r"(?:a)|(?:b)\z", r"(?:a)|(?:b)\z"),
            (r"(?:a)(?:b)\z", r"(?:a)(?:b)\z"),
            (r"(?:a)", "(?:a)"),
            (r"(?:a\)\z", r"(?:a\)\z"),
        ] {
            assert_eq!(without_frame(source), inner, "{source}");
        }
    }
}

//! What may be done on a target, and whether one command would be allowed.

use super::safe::write_lines;
use super::{json, write_safe};
use sekisho_protocol::job::{
    Capabilities, CommandEntry, ParameterEntry, ParameterSecrecy, PowershellLines, ProgramEntry, RoleEntry,
    ScriptEntry, Verdict,
};
use std::io::{self, Write};

const INDENT: &str = "  ";
const DEEPER: &str = "    ";
/// Values of one parameter that people are shown; JSON has all.
const SHOWN_VALUES: usize = 20;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanForm {
    /// For people.
    Text,
    /// The document of the job API.
    Json,
}

/// Writes the answer.
///
/// # Errors
/// What the writer fails with.
pub fn write_capabilities(out: &mut dyn Write, document: &Capabilities, form: CanForm) -> io::Result<()> {
    match (form, &document.answer) {
        (CanForm::Json, _) => json::write_line(out, document),
        (CanForm::Text, Some(verdict)) => write_verdict(out, &document.target, verdict),
        (CanForm::Text, None) => write_list(out, document),
    }
}

fn write_verdict(out: &mut dyn Write, target: &str, verdict: &Verdict) -> io::Result<()> {
    let mut line = |label: &str, text: &str| {
        out.write_all(label.as_bytes())?;
        write_safe(out, text)?;
        out.write_all(b"\n")
    };
    match verdict {
        Verdict::Allow { role, rule, canonical } => {
            line("yes, on ", target)?;
            line("  runs as: ", canonical)?;
            line("  by:      ", &format!("{role}/{rule}"))
        }
        Verdict::Deny { message, rule } => {
            line("no, not on ", target)?;
            write_lines(out, INDENT, message.as_bytes())?;
            match rule {
                Some(rule) => write_lines(out, INDENT, format!("rule: {rule}").as_bytes()),
                None => Ok(()),
            }
        }
    }
}

fn write_list(out: &mut dyn Write, document: &Capabilities) -> io::Result<()> {
    for role in &document.roles {
        write_role(out, role)?;
    }
    match document.left_out {
        0 => Ok(()),
        count => writeln!(out, "and {count} more, for which the answer has no room"),
    }
}

fn write_role(out: &mut dyn Write, role: &RoleEntry) -> io::Result<()> {
    write_safe(out, &role.name)?;
    out.write_all(b"\n")?;
    let all = [
        role.commands.iter().map(command).collect::<Vec<_>>(),
        role.programs.iter().map(program).collect(),
        role.scripts.iter().map(script).collect(),
    ];
    for (first, rest) in all.iter().flatten().filter_map(|lines| lines.split_first()) {
        write_lines(out, INDENT, first.as_bytes())?;
        rest.iter().try_for_each(|line| write_lines(out, DEEPER, line.as_bytes()))?;
    }
    match role.powershell {
        Some(PowershellLines::ConstantCommands) => {
            writeln!(out, "{INDENT}(also inside powershell -EncodedCommand, through WinRS)")
        }
        None => Ok(()),
    }
}

fn command(entry: &CommandEntry) -> Vec<String> {
    match &entry.parameters {
        None => vec![one_line(&entry.name)],
        Some(parameters) => {
            std::iter::once(format!("{} with", one_line(&entry.name))).chain(parameters.iter().map(parameter)).collect()
        }
    }
}

fn parameter(entry: &ParameterEntry) -> String {
    let what = match (&entry.secrecy, entry.values.is_empty(), &entry.pattern) {
        (Some(ParameterSecrecy::Secret), ..) => " (secret)".to_owned(),
        (Some(ParameterSecrecy::Secure), ..) => " (a SecureString or PSCredential)".to_owned(),
        (None, false, _) => format!(": {}", values(&entry.values)),
        (None, true, Some(pattern)) => format!(": matching {pattern}"),
        (None, true, None) => String::new(),
    };
    one_line(&format!("-{}{what}", entry.name))
}

fn values(values: &[String]) -> String {
    let shown = values.iter().take(SHOWN_VALUES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match values.len().saturating_sub(SHOWN_VALUES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn program(entry: &ProgramEntry) -> Vec<String> {
    vec![one_line(&entry.path), one_line(&format!("arguments: {}", entry.arguments))]
}

fn script(entry: &ScriptEntry) -> Vec<String> {
    std::iter::once(one_line(&format!("script {} ({})", entry.name, entry.sha256)))
        .chain(entry.parameters.iter().map(parameter))
        .collect()
}

/// A text of an answer cannot make a line of its own.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(document: &Capabilities, form: CanForm) -> String {
        let mut out = Vec::new();
        write_capabilities(&mut out, document, form).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn answer(verdict: Verdict) -> String {
        written(&Capabilities::answer("web01".to_owned(), verdict), CanForm::Text)
    }

    #[test]
    fn an_answer_says_yes_or_no_and_why() {
        let allow = Verdict::Allow {
            role: "dns-ops".into(),
            rule: "Restart-Service".into(),
            canonical: "Restart-Service -Name:'Dns'".into(),
        };
        assert_eq!(
            answer(allow),
            "yes, on web01\n  runs as: Restart-Service -Name:'Dns'\n  by:      dns-ops/Restart-Service\n"
        );
        let deny = Verdict::Deny { message: "not so\nbut so \u{1b}".into(), rule: Some("a/b".into()) };
        assert_eq!(answer(deny), "no, not on web01\n  not so\n  but so \\u{1b}\n  rule: a/b\n");
    }

    #[test]
    fn a_list_has_all_that_a_role_allows() {
        let parameter = |name: &str| ParameterEntry { name: name.into(), ..ParameterEntry::default() };
        let role = RoleEntry {
            name: "ops".into(),
            powershell: Some(PowershellLines::ConstantCommands),
            commands: vec![
                CommandEntry { name: "Get-Service".into(), ..CommandEntry::default() },
                CommandEntry {
                    name: "Set-It".into(),
                    module: String::new(),
                    parameters: Some(vec![
                        parameter("Force"),
                        ParameterEntry { values: vec!["a".into(), "b\nc".into()], ..parameter("Name") },
                        ParameterEntry { pattern: Some("[a-z]+".into()), ..parameter("Path") },
                        ParameterEntry { secrecy: Some(ParameterSecrecy::Secret), ..parameter("Pin") },
                        ParameterEntry { secrecy: Some(ParameterSecrecy::Secure), ..parameter("Credential") },
                    ]),
                },
            ],
            programs: vec![ProgramEntry { path: r"C:\x.exe".into(), arguments: "none".into() }],
            scripts: vec![ScriptEntry {
                name: "tidy".into(),
                sha256: "ab".into(),
                parameters: vec![parameter("Days")],
            }],
        };
        let document = Capabilities::list("web01".to_owned(), vec![role]);
        let expected = "ops\n  Get-Service\n  Set-It with\n    -Force\n    -Name: a, b c\n    -Path: matching [a-z]+\n    \
                        -Pin (secret)\n    -Credential (a SecureString or PSCredential)\n  C:\\x.exe\n    arguments: none\n  \
                        script tidy (ab)\n    -Days\n  (also inside powershell -EncodedCommand, through WinRS)\n";
        assert_eq!(written(&document, CanForm::Text), expected);
        assert_eq!(Capabilities::decode(written(&document, CanForm::Json).trim_end().as_bytes()), Ok(document));
    }

    #[test]
    fn many_values_are_counted_for_people() {
        let many: Vec<String> = (0..SHOWN_VALUES + 3).map(|index| index.to_string()).collect();
        assert!(values(&many).ends_with("19 and 3 more"));
    }
}

//! Fields that a gateway has no use for, each with the reason.

use super::values;
use crate::fold::fold;
use crate::jea::data::{Entry, Table, Value};
use crate::jea::note::{Notes, shown};

/// Fields of both kinds of files that are noted and nothing else.
const LEFT_OUT: [(&str, &str); 15] = [
    ("GUID", "says nothing about what is allowed; the policy is known by its digest"),
    ("SchemaVersion", "says nothing about what is allowed"),
    ("Author", "says nothing about what is allowed; the version control of the policy knows"),
    ("CompanyName", "says nothing about what is allowed"),
    ("Copyright", "says nothing about what is allowed"),
    ("ModulesToImport", "the target loads modules by itself when one of their commands is called"),
    (
        "VisibleProviders",
        "a gateway knows no providers: a parameter that takes a path reaches every provider that the target's session \
         has, unless its values are restricted",
    ),
    (
        "ScriptsToProcess",
        "runs on the target when a session starts; it stays in the target's own session configuration",
    ),
    ("TypesToProcess", "is loaded on the target, and can run code; it stays in the target's own session configuration"),
    (
        "FormatsToProcess",
        "is loaded on the target, and can run code; it stays in the target's own session configuration",
    ),
    ("AssembliesToLoad", "is loaded on the target; it stays in the target's own session configuration"),
    ("EnvironmentVariables", "is set on the target; clients cannot set any through the gateway"),
    ("VariableDefinitions", "is set on the target; text with variables is refused here anyway"),
    ("ExecutionPolicy", "belongs to the target; scripts pass here only when a policy pins their content"),
    ("PowerShellVersion", "belongs to the target; the gateway's configuration says which edition a target runs"),
];

/// Fields that only a session configuration has.
const SESSION_LEFT_OUT: [(&str, &str); 7] = [
    (
        "RunAsVirtualAccount",
        "commands run on the target under the account that the user delegates, not under an administrator of the machine: \
         the account itself needs the rights that the role's commands need",
    ),
    ("RunAsVirtualAccountGroups", "belongs to the virtual account, which is not used"),
    (
        "GroupManagedServiceAccount",
        "commands run on the target under the account that the user delegates, so that the target's own log names the user",
    ),
    ("TranscriptDirectory", "every command is in the gateway's audit, before it runs and in its canonical form"),
    (
        "MountUserDrive",
        "no files are copied through a policy of commands. With it PowerShell adds functions for copying to every session, \
         and checks parameters of commands that it would not check otherwise",
    ),
    ("UserDriveMaximumSize", "belongs to the user drive, which is not used"),
    (
        "EnforceInputParameterValidation",
        "a restricted command takes no input from a pipeline here, so that nothing escapes the check",
    ),
];

/// Notes a field that every kind of file can have and nobody needs. `false`: it is another one.
pub(super) fn note(entry: &Entry, notes: &mut Notes<'_>) -> bool {
    if fold(&entry.key) == fold("FunctionDefinitions") {
        note_functions(entry, notes);
        return true;
    }
    from(&LEFT_OUT, entry, notes)
}

/// The same for the fields of session configurations.
pub(super) fn note_session(entry: &Entry, notes: &mut Notes<'_>) -> bool {
    from(&SESSION_LEFT_OUT, entry, notes) || note(entry, notes)
}

fn from(fields: &[(&str, &str)], entry: &Entry, notes: &mut Notes<'_>) -> bool {
    let found = fields.iter().find(|(name, _)| fold(name) == fold(&entry.key));
    if let Some((_, why)) = found {
        notes.left_out(entry.place, &entry.key, *why);
    }
    found.is_some()
}

/// Notes a field that nobody knows.
pub(super) fn unknown(entry: &Entry, notes: &mut Notes<'_>) {
    let message = format!("`{}` is no field of this kind of file; PowerShell refuses to load it", shown(&entry.key));
    notes.left_out(entry.place, &entry.key, message);
}

fn note_functions(entry: &Entry, notes: &mut Notes<'_>) {
    for node in values::items(&entry.node) {
        let Some(table) = values::table(node) else {
            notes.left_out(node.place, &entry.key, format!("{} where a hashtable belongs", node.value.kind()));
            continue;
        };
        let name = shown(values::member(table, "Name").unwrap_or("a function without a name"));
        let why = format!(
            "{name}: its body stays in the target's own session configuration; what it accepts comes from there with \
             `policy catalog import`"
        );
        notes.left_out(node.place, &entry.key, why);
        for trap in body(table) {
            notes.trap(node.place, &entry.key, format!("{name}: {trap}"));
        }
    }
}

/// What a function's body should not do, since it runs without restriction whatever the session's language mode is.
fn body(function: &Table) -> Vec<&'static str> {
    const TELLING: [(&[&str], &str); 4] = [
        (
            &["invoke-expression", "iex ", "[scriptblock]::create"],
            "its body runs text; a parameter that reaches it runs anything",
        ),
        (
            &["start-process", "cmd /c", "cmd.exe", "powershell "],
            "its body starts programs; see what its parameters can put in",
        ),
        (
            &["-like", ".startswith("],
            "its body compares text with a beginning or wildcards; `..` and links lead elsewhere from a path that passes",
        ),
        (&["-replace", " -f "], "its body builds text from its parameters; see where it goes"),
    ];
    let Some(Value::Script(body)) = function.get("ScriptBlock").map(|entry| &entry.node.value) else {
        return Vec::new();
    };
    let body = body.to_lowercase();
    TELLING.iter().filter(|(words, _)| words.iter().any(|word| body.contains(word))).map(|(_, trap)| *trap).collect()
}

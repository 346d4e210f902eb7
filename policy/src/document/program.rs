//! A program rule of a role.

use toml::de::DeTable;

use super::{check_description, required_name};
use crate::arguments::{ArgumentForm, ArgumentRule, ValuePattern, checked};
use crate::decision::{Input, Secrecy};
use crate::interpreter::is_interpreter;
use crate::limits;
use crate::model::ProgramRule;
use crate::pattern::Reach;
use crate::program_path::ProgramPath;
use crate::render;
use crate::source_text::{Located, Patterns, Reader, Span, Value};

/// How arguments are written, for hints.
const FORMS: &str =
    "write arguments = \"none\", { exact = [['a', 'b']] }, { each = ['[a-z]+'], max = 2 } or { any = true }";

/// Reads a rule and its name; `None` when it is of no use, which was reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    patterns: &mut Patterns,
    value: &Value<'_>,
) -> Option<(Located, ProgramRule)> {
    let table = reader.table(value, "a program rule", "a table, for instance [[roles.web-ops.programs]]")?;
    reader.known_keys(table, "a program rule", &["name", "description", "path", "arguments", "stdin"]);
    check_description(reader, table);
    let span = value.span();
    let name = required_name(reader, table, &span, "program rule");
    let path = read_path(reader, table, &span);
    let arguments = match table.get("arguments") {
        Some(arguments) => read_arguments(reader, patterns, arguments),
        None => Some(ArgumentRule::new(ArgumentForm::None, Secrecy::Open)),
    };
    let input = match table.get("stdin").and_then(|stdin| reader.switch(stdin, "`stdin`")) {
        Some(true) => Input::Permitted,
        Some(false) | None => Input::Refused,
    };
    let (path, arguments) = (path?, arguments?);
    let spans = (table.get("arguments").map_or(span, Value::span), table.get("stdin").map(Value::span));
    check_interpreter(reader, &path, &arguments, (input, &spans.0, spans.1.as_ref()));
    check_reachable(reader, &path, &arguments, &spans.0);
    let name = name?;
    let rule = ProgramRule { name: name.text.clone(), path, arguments, input };
    Some((name, rule))
}

fn read_path(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span) -> Option<ProgramPath> {
    let Some(value) = table.get("path") else {
        let hint = r"name the program: path = 'C:\Windows\System32\hostname.exe'";
        reader.missing(span, "the program rule", "path", hint);
        return None;
    };
    let path = reader.text(value, "`path`")?;
    match ProgramPath::parse(&path.text) {
        Ok(path) => Some(path),
        Err((message, hint)) => {
            reader.mistake(&path.span, message, hint);
            None
        }
    }
}

fn read_arguments(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Option<ArgumentRule> {
    if let Some(word) = value.get_ref().as_str() {
        if word == "none" {
            return Some(ArgumentRule::new(ArgumentForm::None, Secrecy::Open));
        }
        reader.mistake(&value.span(), "`arguments` as text can only be \"none\"", FORMS);
        return None;
    }
    let table = reader.table(value, "`arguments`", "\"none\" or a table, for instance { exact = [['a', 'b']] }")?;
    reader.known_keys(table, "`arguments`", &["exact", "each", "max", "any", "secret"]);
    let secrecy = read_secrecy(reader, table);
    let forms = ["exact", "each", "any"].map(|key| table.get(key));
    let form = match forms {
        [Some(lists), None, None] => read_exact(reader, lists),
        [None, Some(each), None] => read_each(reader, patterns, each, (table, &value.span())),
        [None, None, Some(any)] => read_any(reader, any),
        [None, None, None] => {
            reader.missing(&value.span(), "`arguments`", "exact`, `each` or `any", FORMS);
            None
        }
        [Some(_), Some(_), _] | [Some(_), _, Some(_)] | [_, Some(_), Some(_)] => {
            reader.mistake(&value.span(), "`arguments` has more than one of `exact`, `each` and `any`", FORMS);
            None
        }
    };
    if let Some(max) = table.get("max").filter(|_| !table.contains_key("each")) {
        reader.mistake(&max.span(), "`max` belongs to `each` only", "remove it");
    }
    Some(ArgumentRule::new(form?, secrecy))
}

fn read_secrecy(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Secrecy {
    match table.get("secret").and_then(|secret| reader.switch(secret, "`secret`")) {
        Some(true) => Secrecy::Secret,
        Some(false) | None => Secrecy::Open,
    }
}

fn read_any(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ArgumentForm> {
    if reader.switch(value, "`any`")? {
        return Some(ArgumentForm::Any);
    }
    reader.mistake(&value.span(), "`any` can only be true", FORMS);
    None
}

fn read_exact(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ArgumentForm> {
    const WANTED: &str = "a list of argument lists, for instance [['start', 'w3svc'], ['stop', 'w3svc']]";
    let lists = reader.list(value, "`exact`", WANTED)?;
    if lists.is_empty() {
        reader.mistake(&value.span(), "`exact` is empty, so that nothing is allowed", FORMS);
        return None;
    }
    let before = reader.mistakes.len();
    let mut exact = Vec::new();
    for list in lists {
        if let Some(list) = reader.list(list, "an entry of `exact`", WANTED) {
            let values = list.iter().filter_map(|value| reader.text(value, "an argument"));
            exact.push(values.map(|value| value.text).collect());
        }
    }
    (reader.mistakes.len() == before).then_some(ArgumentForm::Exact(exact))
}

fn read_each(
    reader: &mut Reader<'_>,
    patterns: &mut Patterns,
    value: &Value<'_>,
    (table, span): (&DeTable<'_>, &Span),
) -> Option<ArgumentForm> {
    let max = match table.get("max") {
        Some(max) => reader.count(max, "`max`", limits::LIST),
        None => {
            reader.missing(
                span,
                "`arguments`",
                "max",
                "say how many arguments there may be: { each = ['[a-z]+'], max = 2 }",
            );
            None
        }
    };
    let list = reader.list(value, "`each`", "a list of patterns, for instance ['/fo', 'csv|list']")?;
    if list.is_empty() {
        reader.mistake(&value.span(), "`each` is empty, so that no argument is allowed", FORMS);
        return None;
    }
    let before = reader.mistakes.len();
    let patterns = list.iter().filter_map(|entry| read_pattern(reader, patterns, entry)).collect();
    (reader.mistakes.len() == before).then_some(ArgumentForm::Each { patterns, max: max? })
}

/// A pattern as text, or as `{ pattern = '…', secret = true }`.
fn read_pattern(reader: &mut Reader<'_>, patterns: &mut Patterns, entry: &Value<'_>) -> Option<ValuePattern> {
    let Some(table) = entry.get_ref().as_table() else {
        let source = reader.text(entry, "a pattern")?;
        return Some(ValuePattern { pattern: reader.pattern(&source, patterns)?, secrecy: Secrecy::Open });
    };
    reader.known_keys(table, "a pattern", &["pattern", "secret"]);
    let secrecy = read_secrecy(reader, table);
    let Some(source) = table.get("pattern") else {
        reader.missing(&entry.span(), "the pattern", "pattern", "write { pattern = '…', secret = true }");
        return None;
    };
    let source = reader.text(source, "`pattern`")?;
    Some(ValuePattern { pattern: reader.pattern(&source, patterns)?, secrecy })
}

/// Interpreters may be run with lists that are spelled out, and never read commands from elsewhere.
fn check_interpreter(
    reader: &mut Reader<'_>,
    path: &ProgramPath,
    arguments: &ArgumentRule,
    (input, arguments_span, input_span): (Input, &Span, Option<&Span>),
) {
    if !is_interpreter(path.base()) {
        return;
    }
    let free = match &arguments.form {
        ArgumentForm::None | ArgumentForm::Exact(_) => false,
        ArgumentForm::Each { patterns, .. } => patterns.iter().any(|value| value.pattern.reach() == Reach::Open),
        ArgumentForm::Any => true,
    };
    let name = path.name();
    if free {
        let message = format!("{name} runs what its arguments say, so that free arguments allow everything");
        let hint = "list the arguments: { exact = [['/c', 'ver']] }, or name the program that does the work";
        reader.mistake(arguments_span, message, hint);
    }
    if let (Input::Permitted, Some(span)) = (input, input_span) {
        let message = format!("{name} runs what its input says, so that `stdin` allows everything");
        reader.mistake(span, message, "remove `stdin`, or name the program that does the work");
    }
}

/// Warns of lists that no command line can carry.
fn check_reachable(reader: &mut Reader<'_>, path: &ProgramPath, arguments: &ArgumentRule, span: &Span) {
    let ArgumentForm::Exact(lists) = &arguments.form else {
        return;
    };
    let unreachable = lists
        .iter()
        .filter(|list| render::checked_program(path.text(), checked((*list).clone(), &[]), Input::Refused).is_none())
        .count();
    if unreachable > 0 {
        let message = format!("{unreachable} of the lists can never match: no WinRS command line can carry them");
        let hint =
            "leave out quotes, the characters & | < > ^ % ! ( ) ; @ `, and a backslash at the end of text with blanks";
        reader.warning(span, message, hint);
    }
}

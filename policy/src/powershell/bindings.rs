//! The constants that come with a text: `$using:` values, and arguments for a `param(…)`.

use std::collections::HashMap;

use super::chars;
use super::lexer::Lexer;
use super::refusal::{Construct, Refusal};
use crate::command::{Argument, Bindings};
use crate::fold::fold;
use crate::limits;
use crate::value::{NumberKind, SecureKind, Value};

/// Constants by the names that stand for them.
#[derive(Debug, Default)]
pub(super) struct Constants {
    using: Named,
    parameters: Named,
}

/// Values by folded name. `None`: there were two for one name, and which one counts is not ours to guess.
type Named = HashMap<String, Option<Value>>;

/// A name that `param(…)` declares.
struct Declared<'t> {
    name: &'t str,
    kind: Option<&'t str>,
    start: usize,
}

impl Constants {
    /// Reads a leading `param(…)` if arguments are given, and leaves the lexer behind it.
    pub(super) fn read(lexer: &mut Lexer<'_>, bindings: &Bindings) -> Result<Self, Refusal> {
        let mut using = Named::new();
        for (name, value) in &bindings.using {
            using.entry(fold(name)).and_modify(|known| *known = None).or_insert_with(|| Some(value.clone()));
        }
        lexer.skip_blank_lines();
        let start = lexer.at();
        let has_block = begins_with_block(lexer.rest());
        let parameters = match (has_block, bindings.arguments.is_empty()) {
            (false, true) => Named::new(),
            (true, true) => return Err(lexer.refuse(Construct::ParameterBlock, start)),
            (false, false) => return Err(lexer.refuse(Construct::UnusedArguments, start)),
            (true, false) => {
                let declared = read_block(lexer)?;
                bind(lexer, &declared, &bindings.arguments)?
            }
        };
        Ok(Self { using, parameters })
    }

    /// The constant that a variable stands for.
    pub(super) fn value(&self, scope: Option<&str>, name: &str) -> Result<&Value, Construct> {
        let (values, missing) = match scope {
            None => (&self.parameters, Construct::Variable),
            Some(scope) if scope.eq_ignore_ascii_case("using") => (&self.using, Construct::UsingVariable),
            Some(_) => return Err(Construct::Variable),
        };
        values.get(&fold(name)).and_then(Option::as_ref).ok_or(missing)
    }
}

/// Bytes that a value takes, about.
pub(super) fn weight(value: &Value) -> usize {
    let mut weight = 0_usize;
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        weight = weight.saturating_add(size_of::<Value>());
        match value {
            Value::Text(text) => weight = weight.saturating_add(text.len()),
            Value::Number(number) => weight = weight.saturating_add(number.text.len()),
            Value::List(items) => left.extend(items),
            Value::Null | Value::Bool(_) | Value::Secure(_) | Value::Opaque(_) => {}
        }
    }
    weight
}

fn begins_with_block(rest: &str) -> bool {
    let keyword = rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("param"));
    let after = rest.get(5..).unwrap_or("").trim_start_matches([' ', '\t', '\r', '\n']);
    keyword && after.starts_with('(')
}

fn read_block<'t>(lexer: &mut Lexer<'t>) -> Result<Vec<Declared<'t>>, Refusal> {
    lexer.bump_while(|c| c.is_ascii_alphabetic());
    lexer.skip_blank_lines();
    lexer.bump();
    let mut declared: Vec<Declared<'t>> = Vec::new();
    loop {
        lexer.skip_blank_lines();
        let one = read_declaration(lexer)?;
        let again = declared.iter().any(|other| other.name.eq_ignore_ascii_case(one.name));
        if again || declared.len() >= limits::SCRIPT_PARAMETERS {
            return Err(lexer.refuse(Construct::ParameterBlock, one.start));
        }
        declared.push(one);
        lexer.skip_blank_lines();
        let at = lexer.at();
        match lexer.bump() {
            Some(',') => {}
            Some(')') => return Ok(declared),
            Some(_) | None => return Err(lexer.refuse(Construct::ParameterBlock, at)),
        }
    }
}

/// `$name` or `[type]$name`.
fn read_declaration<'t>(lexer: &mut Lexer<'t>) -> Result<Declared<'t>, Refusal> {
    let start = lexer.at();
    let refused = |lexer: &Lexer<'t>| lexer.refuse(Construct::ParameterBlock, start);
    let mut kind = None;
    if lexer.peek() == Some('[') {
        lexer.bump();
        let rest = lexer.rest();
        lexer.bump_while(|c| c.is_ascii_alphanumeric() || c == '.');
        if lexer.rest().starts_with("[]") {
            lexer.bump();
            lexer.bump();
        }
        let length = rest.len().saturating_sub(lexer.rest().len());
        kind = rest.get(..length);
        if lexer.bump() != Some(']') {
            return Err(refused(lexer));
        }
        lexer.skip_blank_lines();
    }
    if lexer.bump() != Some('$') {
        return Err(refused(lexer));
    }
    let rest = lexer.rest();
    lexer.bump_while(chars::is_variable_name);
    let name = rest.get(..rest.len().saturating_sub(lexer.rest().len())).unwrap_or("");
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_automatic(name) {
        Ok(Declared { name, kind, start })
    } else {
        Err(refused(lexer))
    }
}

/// Variables that mean something to PowerShell itself.
const AUTOMATIC: [&str; 28] = [
    "args",
    "confirmpreference",
    "error",
    "event",
    "eventargs",
    "executioncontext",
    "false",
    "foreach",
    "home",
    "host",
    "input",
    "lastexitcode",
    "matches",
    "myinvocation",
    "nestedpromptlevel",
    "null",
    "pid",
    "profile",
    "psboundparameters",
    "pscmdlet",
    "psitem",
    "psscriptroot",
    "pwd",
    "sender",
    "shellid",
    "switch",
    "this",
    "true",
];

fn is_automatic(name: &str) -> bool {
    let folded = fold(name);
    AUTOMATIC.contains(&folded.as_str()) || folded.ends_with("preference") || folded.starts_with("ps")
}

/// Gives each declared name its argument: named ones by their whole name, the others in order.
fn bind(lexer: &Lexer<'_>, declared: &[Declared<'_>], arguments: &[Argument]) -> Result<Named, Refusal> {
    let mut values: Vec<Option<&Value>> = vec![None; declared.len()];
    for argument in arguments {
        let slot = match &argument.name {
            Some(name) => declared.iter().position(|one| fold(one.name) == fold(name)),
            None => None,
        };
        let free = slot.and_then(|slot| values.get_mut(slot)).filter(|value| value.is_none());
        match (&argument.name, free) {
            (None, _) => {}
            (Some(_), Some(free)) => *free = Some(&argument.value),
            (Some(_), None) => return Err(lexer.refuse(Construct::ParameterBinding, 0)),
        }
    }
    for argument in arguments.iter().filter(|argument| argument.name.is_none()) {
        match values.iter_mut().find(|value| value.is_none()) {
            Some(free) => *free = Some(&argument.value),
            None => return Err(lexer.refuse(Construct::ParameterBinding, 0)),
        }
    }
    let pairs = declared.iter().zip(values).map(|(one, value)| match value {
        Some(value) if fits(one.kind, value) => Ok((fold(one.name), Some(value.clone()))),
        Some(_) | None => Err(lexer.refuse(Construct::ParameterBinding, one.start)),
    });
    pairs.collect()
}

/// Whether a value has the type already: PowerShell would convert another one, and we do not.
fn fits(kind: Option<&str>, value: &Value) -> bool {
    let Some(kind) = kind.map(str::to_ascii_lowercase) else { return true };
    let kind = kind.strip_prefix("system.").unwrap_or(&kind);
    let of_number = |wanted| matches!(value, Value::Number(number) if number.kind == wanted);
    match (kind, value) {
        ("object", _) => true,
        ("string", Value::Text(_)) | ("bool" | "boolean", Value::Bool(_)) | ("object[]" | "array", Value::List(_)) => {
            true
        }
        ("string[]", Value::List(items)) => items.iter().all(|item| matches!(item, Value::Text(_))),
        ("int[]" | "int32[]", Value::List(items)) => {
            items.iter().all(|item| matches!(item, Value::Number(number) if number.kind == NumberKind::Int32))
        }
        ("int" | "int32", _) => of_number(NumberKind::Int32),
        ("long" | "int64", _) => of_number(NumberKind::Int64),
        ("double", _) => of_number(NumberKind::Double),
        ("securestring" | "security.securestring", Value::Secure(secure)) => secure.kind == SecureKind::SecureString,
        ("pscredential" | "management.automation.pscredential", Value::Secure(secure)) => {
            matches!(secure.kind, SecureKind::Credential { .. })
        }
        _ => false,
    }
}

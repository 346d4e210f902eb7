//! The form that works, made from a script block that does not.

use super::lexer::{Lexer, Token};
use super::refusal::{Construct, Refusal};
use crate::limits;

/// Comparisons of `Where-Object` that take a property and a value without a block.
const COMPARISONS: [&str; 14] = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "contains",
    "notcontains",
    "in",
    "notin",
];

/// Adds the form without a block to a refusal of one; `rest` begins with the block.
pub(super) fn add(refusal: Refusal, command: &str, rest: &str) -> Refusal {
    if refusal.construct != Construct::ScriptBlock {
        return refusal;
    }
    let form = block(rest).and_then(|block| form(command, block));
    refusal.with_hint(form)
}

/// What stands between the braces, if it is short and holds no other block.
fn block(rest: &str) -> Option<&str> {
    let (inside, _) = rest.strip_prefix('{')?.split_once('}')?;
    if inside.len() > limits::HINT_BYTES || inside.contains(['{', '\n', '\r']) {
        return None;
    }
    Some(inside.trim())
}

fn form(command: &str, block: &str) -> Option<String> {
    let rest = block.strip_prefix("$_.").or_else(|| block.strip_prefix("$PSItem."))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (property, rest) = rest.split_at_checked(end)?;
    if property.is_empty() {
        return None;
    }
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(command));
    if is(&["Where-Object", "where", "?"]) {
        let (comparison, value) = comparison(rest)?;
        return Some(format!("{command} {property} -{comparison} {value}"));
    }
    (is(&["ForEach-Object", "foreach", "%"]) && rest.is_empty()).then(|| format!("{command} {property}"))
}

/// Splits ` -eq 'Running'` into `eq` and `Running`.
fn comparison(rest: &str) -> Option<(&str, &str)> {
    let (name, value) = rest.trim_start().strip_prefix('-')?.split_once(' ')?;
    let value = value.trim();
    let known = COMPARISONS.iter().any(|known| {
        name.eq_ignore_ascii_case(known) || name.strip_prefix(['c', 'i']).is_some_and(|n| n.eq_ignore_ascii_case(known))
    });
    let constant = single_piece(value)?;
    if !known || matches!(constant, Token::Variable { .. }) && !is_constant(value) {
        return None;
    }
    // Quotes are left out where the word alone means the same.
    let bare = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).filter(|v| is_simple(v)).unwrap_or(value);
    Some((name, bare))
}

/// The only piece of a text, if it is a value.
fn single_piece(text: &str) -> Option<Token<'_>> {
    let mut lexer = Lexer::new(text);
    let token = lexer.next().ok()?.token;
    let is_value = matches!(token, Token::Word(_) | Token::Number(_) | Token::Text(_) | Token::Variable { .. });
    (is_value && lexer.peek().is_none()).then_some(token)
}

fn is_constant(value: &str) -> bool {
    ["$true", "$false", "$null"].iter().any(|known| known.eq_ignore_ascii_case(value))
}

fn is_simple(word: &str) -> bool {
    word.starts_with(char::is_alphabetic) && word.chars().all(|c| c.is_alphanumeric() || c == '_')
}

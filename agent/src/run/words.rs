//! The words of a command line, read as a command of PowerShell's with typed arguments. `docs/agent.md`, "How words are
//! read".
//!
//! Nothing is put together into text here: what a word means does not depend on the words beside it, except that a
//! comma at its end goes on in the next one, so that a word that came from somewhere else stays one value.

use sekisho_protocol::job::{CallArgument, CallValue, CommandCall, ScriptArgument};
use std::iter::Peekable;

/// What ends the reading of a word as an unquoted one: it is text as it stands then.
const SPECIAL: [char; 14] = ['(', ')', '{', '}', ';', '|', '&', '<', '>', '`', '"', '\'', '\u{2018}', '\u{2019}'];
/// What PowerShell takes for a dash.
const DASHES: [char; 4] = ['-', '\u{2013}', '\u{2014}', '\u{2015}'];

/// The command that words stand for; none for no words.
#[must_use]
pub fn command(words: &[String]) -> Option<CommandCall> {
    let (name, rest) = words.split_first()?;
    let mut words = rest.iter().map(String::as_str).peekable();
    let mut arguments = Vec::with_capacity(rest.len());
    while let Some(word) = words.next() {
        arguments.push(argument(word, &mut words));
    }
    Some(CommandCall { name: name.clone(), arguments })
}

/// `NAME=VALUE`, for a script's `param(…)`; nothing without a name.
#[must_use]
pub fn script_argument(word: &str) -> Option<ScriptArgument> {
    let (name, value) = word.split_once('=')?;
    let name = name.strip_prefix(['$', '-']).unwrap_or(name);
    let value = self::value(value, &mut std::iter::empty().peekable());
    is_name(name).then(|| ScriptArgument { name: name.to_owned(), value })
}

fn argument<'w>(word: &'w str, rest: &mut Peekable<impl Iterator<Item = &'w str>>) -> CallArgument {
    let Some((name, value)) = parameter(word) else {
        return CallArgument { parameter: None, value: Some(value(word, rest)) };
    };
    let value = match value {
        // `-Name:` and the value in the next word.
        Some("") => rest.next().map(|word| self::value(word, rest)),
        Some(value) => Some(self::value(value, rest)),
        None => None,
    };
    CallArgument { parameter: Some(name.to_owned()), value }
}

/// `-Name` or `-Name:value`.
fn parameter(word: &str) -> Option<(&str, Option<&str>)> {
    let dashless = word.strip_prefix(DASHES)?;
    let (name, value) = match dashless.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (dashless, None),
    };
    is_name(name).then_some((name, value))
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// One value, with the words into which a comma leads on.
fn value<'w>(word: &'w str, rest: &mut Peekable<impl Iterator<Item = &'w str>>) -> CallValue {
    let Some(Items { mut items, mut goes_on }) = items(word) else { return CallValue::Text(word.to_owned()) };
    let mut is_list = 1 < items.len();
    while goes_on && let Some(word) = rest.next() {
        is_list = true;
        goes_on = match self::items(word) {
            Some(more) => {
                items.extend(more.items);
                more.goes_on
            }
            None => {
                items.push(CallValue::Text(word.to_owned()));
                false
            }
        };
    }
    match (items.pop(), is_list) {
        // A comma that leads nowhere is part of the text.
        _ if goes_on => CallValue::Text(word.to_owned()),
        (Some(only), false) => only,
        (Some(last), true) => {
            items.push(last);
            CallValue::List(items)
        }
        (None, _) => CallValue::Text(word.to_owned()),
    }
}

struct Items {
    items: Vec<CallValue>,
    goes_on: bool,
}

/// The items of a word that PowerShell would read as it stands; nothing for any other.
fn items(word: &str) -> Option<Items> {
    let mut items = Vec::new();
    let mut rest = word;
    loop {
        let (item, after) = if rest.starts_with('\'') { quoted(rest)? } else { bare(rest)? };
        items.push(item);
        rest = match after.strip_prefix(',') {
            None if after.is_empty() => return Some(Items { items, goes_on: false }),
            None => return None,
            Some("") => return Some(Items { items, goes_on: true }),
            Some(rest) => rest,
        };
    }
}

/// Text in single quotes, in which two of them are one.
fn quoted(text: &str) -> Option<(CallValue, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(further) => {
                value.push('\'');
                rest = further;
            }
            None => return Some((CallValue::Text(value), after)),
        }
    }
}

fn bare(text: &str) -> Option<(CallValue, &str)> {
    let end = text.find(',').unwrap_or(text.len());
    let (item, rest) = text.split_at_checked(end)?;
    let is_bare = !item.is_empty() && !item.contains(SPECIAL) && !item.contains(char::is_whitespace);
    is_bare.then(|| (constant(item).unwrap_or_else(|| CallValue::Text(item.to_owned())), rest))
}

/// `$true`, `$false`, `$null`, and whole numbers that are written back as they were written.
fn constant(item: &str) -> Option<CallValue> {
    let names = [("$true", CallValue::Bool(true)), ("$false", CallValue::Bool(false)), ("$null", CallValue::Null)];
    if let Some((_, value)) = names.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(item)) {
        return Some(value);
    }
    let number: i64 = item.parse().ok()?;
    (number.to_string() == item).then_some(CallValue::Integer(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str]) -> CommandCall {
        command(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// Arguments in short: `-name`, `=value`, or both.
    fn read(words: &[&str]) -> String {
        let call = call(&[&["Get-It"], words].concat());
        let shown = call.arguments.iter().map(|argument| {
            let name = argument.parameter.as_ref().map_or(String::new(), |name| format!("-{name}"));
            format!("{name}{}", argument.value.as_ref().map_or(String::new(), |value| format!("={}", json(value))))
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn json(value: &CallValue) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn names_values_and_switches() {
        assert_eq!(call(&["Get-Service"]), CommandCall { name: "Get-Service".into(), arguments: vec![] });
        assert_eq!(read(&["-Name", "Spooler", "-Force"]), r#"-Name ="Spooler" -Force"#);
        assert_eq!(read(&["-Name:Spooler", "-Confirm:$false"]), r#"-Name="Spooler" -Confirm=false"#);
        assert_eq!(read(&["-Name:", "Spooler", "-Name:"]), r#"-Name="Spooler" -Name"#);
        assert_eq!(read(&["\u{2013}Name", "x"]), r#"-Name ="x""#);
        assert_eq!(read(&["-\u{e9}t\u{e9}_1", "_", "-_x"]), "-\u{e9}t\u{e9}_1 =\"_\" -_x");
        assert_eq!(command(&[]), None);
    }

    #[test]
    fn what_is_no_name_is_a_value() {
        for word in ["-", "--", "--x", "-a.b", "-a b", "-1x", "--%", "-?", "/all", "-:x"] {
            assert_eq!(read(&[word]), format!("={}", serde_json::to_string(word).unwrap()), "{word}");
        }
    }

    #[test]
    fn numbers_and_constants_are_typed_where_they_are_written_back_as_they_were() {
        assert_eq!(read(&["5", "-5", "0", "9223372036854775807"]), "=5 =-5 =0 =9223372036854775807");
        assert_eq!(read(&["$TRUE", "$false", "$Null"]), "=true =false =null");
        for word in ["007", "+5", "-0", "1.5", "1e3", "0x10", "1kb", "9223372036854775808", "$x", "True", "", "5 "] {
            assert_eq!(read(&[word]), format!("={}", serde_json::to_string(word).unwrap()), "{word}");
        }
    }

    #[test]
    fn commas_make_lists_as_powershell_reads_them() {
        assert_eq!(read(&["a,b,5,$true"]), r#"=["a","b",5,true]"#);
        assert_eq!(read(&["-Name:a,b"]), r#"-Name=["a","b"]"#);
        assert_eq!(read(&["a,", "b,", "c", "d"]), r#"=["a","b","c"] ="d""#);
        assert_eq!(read(&["a,", "b c", "d"]), r#"=["a","b c"] ="d""#);
        assert_eq!(read(&["'a,b'", "'it''s','5'"]), r#"="a,b" =["it's","5"]"#);
        for word in [",", ",a", "a,,b", "a,", "'a", "'a'b", "it's", "a b,c", "x,$(y)", "a,\"b\"", "\u{2019},x"] {
            assert_eq!(read(&[word]), format!("={}", serde_json::to_string(word).unwrap()), "{word}");
        }
    }

    #[test]
    fn a_script_is_given_values_by_name() {
        let read = |word| script_argument(word).map(|argument| (argument.name, json(&argument.value)));
        assert_eq!(read("Days=5"), Some(("Days".into(), "5".into())));
        assert_eq!(read("$Name='5'"), Some(("Name".into(), r#""5""#.into())));
        assert_eq!(read("-Filter=a=b c,d"), Some(("Filter".into(), r#""a=b c,d""#.into())));
        assert_eq!(read("Names=a,b"), Some(("Names".into(), r#"["a","b"]"#.into())));
        assert_eq!(read("Empty="), Some(("Empty".into(), r#""""#.into())));
        for word in ["Days", "=5", "a b=5", "a.b=1", "$=1"] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_word_with_a_blank_or_anything_special_is_one_value_and_nothing_else(
            before in "[a-z,$-]{0,4}", special in "[ (){};|&<>`\"\u{2018}]", after in "[a-z,'$-]{0,4}",
        ) {
            let word = format!("{before}{special}{after}");
            let call = call(&["Get-It", "-Name", &word, "last"]);
            proptest::prop_assert_eq!(&call.arguments[1].value, &Some(CallValue::Text(word)));
            proptest::prop_assert_eq!(call.arguments.len(), 3);
        }
    }
}

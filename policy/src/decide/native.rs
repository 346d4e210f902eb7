//! Programs reached through PowerShell (rule R13): which texts its arguments become.

use crate::command::Argument;
use crate::value::{Number, Spelling, Value};

/// The arguments as the program gets them; an error when that is not sure.
pub(super) type Texts = Result<Vec<String>, ()>;

/// The texts that PowerShell hands to a program, where every PowerShell hands over the same ones.
///
/// Text and plain numbers are taken as they are, and a name with a dash and no value of its own. Other names,
/// values and lists become text in more than one way, and Windows PowerShell 5.1 builds the command line without
/// regard to quotes in an argument, to empty ones, and to backslashes before the quote that it adds itself.
pub(super) fn texts(arguments: &[Argument]) -> Texts {
    arguments.iter().map(text).collect::<Option<Vec<_>>>().ok_or(())
}

fn text(argument: &Argument) -> Option<String> {
    let text = match (&argument.name, &argument.value) {
        (None, Value::Text(text)) => text,
        (None, Value::Number(Number { text, spelling: Spelling::Plain, .. })) => text,
        (Some(name), Value::Null) if name.starts_with('-') && !name.ends_with([':', ' ']) => name,
        (None | Some(_), _) => return None,
    };
    is_handed_over_whole(text).then(|| text.clone())
}

fn is_handed_over_whole(text: &str) -> bool {
    // PowerShell takes typographic quotes for quotes, and `--%` ends its reading of arguments.
    let odd = |c: char| c.is_control() || matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}');
    // PowerShell 7 puts the home folder in its place.
    let home = text == "~" || text.starts_with("~\\") || text.starts_with("~/");
    let quoted_by_powershell = text.chars().any(char::is_whitespace);
    !(home || text.is_empty() || text == "--%" || text.chars().any(odd) || quoted_by_powershell && text.ends_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NumberKind;

    fn positional(text: &str) -> Argument {
        Argument::positional(Value::text(text))
    }

    #[test]
    fn texts_plain_numbers_and_dashed_names_are_handed_over() {
        let number = Number { kind: NumberKind::Int32, text: "4".to_owned(), spelling: Spelling::Plain };
        let arguments = [
            Argument::named("-n", Value::Null),
            Argument::positional(Value::Number(number)),
            positional("/fo"),
            positional("a b&|;$(x)'"),
            positional("C:\\x\\"),
            positional("-Name"),
        ];
        let expected = ["-n", "4", "/fo", "a b&|;$(x)'", "C:\\x\\", "-Name"].map(str::to_owned).to_vec();
        assert_eq!(texts(&arguments), Ok(expected));
        assert_eq!(texts(&[]), Ok(vec![]));
    }

    #[test]
    fn what_becomes_text_in_more_than_one_way_is_refused() {
        let marked = Number { kind: NumberKind::Int32, text: "16".to_owned(), spelling: Spelling::Marked };
        for bad in [
            positional(""),
            positional("--%"),
            positional("a\"b"),
            positional("a\u{201D}b"),
            positional("a b\\"),
            positional("a\nb"),
            positional("a\0b"),
            Argument::positional(Value::Null),
            Argument::positional(Value::Bool(true)),
            Argument::positional(Value::List(vec![Value::text("a")])),
            Argument::positional(Value::Number(marked)),
            Argument::named("-n", Value::int(4)),
            Argument::named("-n:", Value::Null),
            Argument::named("-n ", Value::Null),
            Argument::named("n", Value::Null),
            Argument::named("", Value::Null),
            Argument::named("\u{2013}n", Value::Null),
            Argument::named("-a\"b", Value::Null),
        ] {
            assert_eq!(texts(&[positional("x"), bad.clone()]), Err(()), "{bad:?}");
        }
    }
}

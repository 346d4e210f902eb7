//! Texts in quotes, as PowerShell reads them, and only where it reads them without looking anything up.

use super::cursor::{Cursor, is_blank, is_double_quote, is_line_end, is_single_quote};
use super::{DataMistake, Place};

/// What may follow a `$` that is a character like others. Anything else could begin a variable.
const AFTER_PLAIN_DOLLAR: [char; 8] = [')', '|', ' ', ']', ',', '\'', '/', '\\'];

/// Reads a text in single quotes, the opening one of which comes next.
pub(super) fn single(cursor: &mut Cursor<'_>) -> Result<String, DataMistake> {
    let place = cursor.place();
    cursor.next();
    let mut text = String::new();
    while let Some(character) = cursor.next() {
        if !is_single_quote(character) {
            text.push(character);
            continue;
        }
        match cursor.peek() {
            Some(second) if is_single_quote(second) => text.extend(cursor.next()),
            Some(_) | None => return Ok(text),
        }
    }
    Err(unclosed(place))
}

/// Reads a text in double quotes, the opening one of which comes next.
pub(super) fn double(cursor: &mut Cursor<'_>) -> Result<String, DataMistake> {
    let place = cursor.place();
    cursor.next();
    let mut text = String::new();
    loop {
        let here = cursor.place();
        match cursor.next() {
            None => return Err(unclosed(place)),
            Some(quote) if is_double_quote(quote) => match cursor.peek() {
                Some(second) if is_double_quote(second) => text.extend(cursor.next()),
                Some(_) | None => return Ok(text),
            },
            Some('`') => text.push(escaped(cursor, here)?),
            Some('$') => {
                plain_dollar(cursor, here, is_double_quote)?;
                text.push('$');
            }
            Some(other) => text.push(other),
        }
    }
}

/// Whether a here-text opens here: `@`, a quote, and nothing but blanks up to the end of the line.
pub(super) fn opens_here(cursor: &Cursor<'_>) -> bool {
    let mut rest = cursor.rest().chars();
    rest.next() == Some('@')
        && rest.next().is_some_and(|quote| is_single_quote(quote) || is_double_quote(quote))
        && rest.find(|c| !is_blank(*c)).is_some_and(is_line_end)
}

/// Reads a here-text that opens here.
pub(super) fn here(cursor: &mut Cursor<'_>) -> Result<String, DataMistake> {
    let place = cursor.place();
    cursor.next();
    let closes: fn(char) -> bool =
        if cursor.peek().is_some_and(is_single_quote) { is_single_quote } else { is_double_quote };
    let expands = cursor.next().is_some_and(is_double_quote);
    cursor.skip_line();
    cursor.eat_line_end();
    let mut text = String::new();
    // The line end before the closing mark is none of the text's.
    let mut line_end = String::new();
    let mut at_line_start = true;
    loop {
        let here = cursor.place();
        if at_line_start && cursor.peek().is_some_and(closes) && cursor.second() == Some('@') {
            cursor.next();
            cursor.next();
            return Ok(text);
        }
        text.push_str(&line_end);
        line_end.clear();
        let character = cursor.next().ok_or_else(|| unclosed(place))?;
        at_line_start = is_line_end(character);
        match character {
            '\r' if cursor.eat('\n') => line_end.push_str("\r\n"),
            '\r' | '\n' => line_end.push(character),
            '`' if expands => text.push(escaped(cursor, here)?),
            '$' if expands => {
                plain_dollar(cursor, here, is_line_end)?;
                text.push('$');
            }
            other => text.push(other),
        }
    }
}

/// What a backtick, already behind us, makes of the next character.
fn escaped(cursor: &mut Cursor<'_>, place: Place) -> Result<char, DataMistake> {
    const LITERAL: &str = "write the character itself, and the text in single quotes";
    match cursor.next() {
        Some('0') => Err(DataMistake::new(place, "a text holds the NUL character", LITERAL)),
        Some('a') => Ok('\u{7}'),
        Some('b') => Ok('\u{8}'),
        Some('f') => Ok('\u{C}'),
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some('v') => Ok('\u{B}'),
        Some('e' | 'u') => {
            let message = "`e and `u after a backtick mean one thing in Windows PowerShell 5.1 and another in 7";
            Err(DataMistake::new(place, message, LITERAL))
        }
        Some(end) if is_line_end(end) => {
            Err(DataMistake::new(place, "a backtick at the end of a line within a text", LITERAL))
        }
        Some(other) => Ok(other),
        None => Err(unclosed(place)),
    }
}

/// Refuses a `$`, already behind us, that could begin a variable or an expression.
fn plain_dollar(cursor: &Cursor<'_>, place: Place, ends: fn(char) -> bool) -> Result<(), DataMistake> {
    if cursor.peek().is_none_or(|next| ends(next) || is_line_end(next) || AFTER_PLAIN_DOLLAR.contains(&next)) {
        return Ok(());
    }
    let hint = "use single quotes where `$` is meant as it is; values that are looked up cannot be taken over";
    Err(DataMistake::new(place, "a `$` in double quotes, whose value PowerShell would look up", hint))
}

fn unclosed(place: Place) -> DataMistake {
    DataMistake::new(place, "a text that does not end", "close it with the quote it began with")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let mut cursor = Cursor::new(text);
        let found = match cursor.peek() {
            Some(quote) if is_single_quote(quote) => single(&mut cursor),
            Some(quote) if is_double_quote(quote) => double(&mut cursor),
            Some(_) | None => here(&mut cursor),
        };
        let found = found.map_err(|mistake| format!("{} {}", mistake.place.column, mistake.message))?;
        assert_eq!(cursor.rest(), "", "{text}");
        Ok(found)
    }

    #[test]
    fn single_quotes_of_every_kind_keep_what_is_between_them() {
        for (text, value) in [
            ("''", ""),
            ("'a$b`n\"c'", "a$b`n\"c"),
            ("'it''s'", "it's"),
            ("'it\u{2019}\u{2019}s'", "it\u{2019}s"),
            ("\u{2018}a\u{2019}", "a"),
            ("\u{201A}a\u{201B}", "a"),
            ("'two\r\nlines'", "two\r\nlines"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(value), "{text}");
        }
        assert!(read("'a").unwrap_err().contains("does not end"));
    }

    #[test]
    fn double_quotes_take_escapes_and_no_variable() {
        for (text, value) in [
            ("\"a`tb`n\"", "a\tb\n"),
            ("\"a\"\"b\"", "a\"b"),
            ("\"a`\"b`$c``\"", "a\"b$c`"),
            ("\u{201C}a\u{201D}", "a"),
            ("\"^(a|b)$\"", "^(a|b)$"),
            ("\"(a$|b)$|c\"", "(a$|b)$|c"),
            ("\"`a`b`f`r`v`x\"", "\u{7}\u{8}\u{C}\r\u{B}x"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(value), "{text}");
        }
        for text in
            ["\"$a\"", "\"$(a)\"", "\"${a}\"", "\"$_\"", "\"$$\"", "\"$?\"", "\"$^\"", "\"$:a\"", "\"$1\"", "\"$受\""]
        {
            assert!(read(text).unwrap_err().starts_with("2 a `$` in double quotes"), "{text}");
        }
        for text in ["\"`e\"", "\"`u{41}\"", "\"`0\"", "\"`\n\"", "\"`\r\"", "\"`"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn here_texts_end_at_the_start_of_a_line_only() {
        for (text, value) in [
            ("@'\n'@", ""),
            ("@'  \na '@ b\n c\n'@", "a '@ b\n c"),
            ("@'\r\na\r\nb\r\n'@", "a\r\nb"),
            ("@'\n\n\u{2019}@", ""),
            ("@\"\na\"\"b`t$\n\"@", "a\"\"b\t$"),
            ("@'\n$a `n\n'@", "$a `n"),
            ("@'\n'a\n'@", "'a"),
        ] {
            assert!(opens_here(&Cursor::new(text)), "{text}");
            assert_eq!(read(text).as_deref(), Ok(value), "{text}");
        }
        assert!(
            !opens_here(&Cursor::new("@'a\n'@")) && !opens_here(&Cursor::new("@'")) && !opens_here(&Cursor::new("@{"))
        );
        assert!(read("@'\na\n '@").unwrap_err().starts_with("1 a text that does not end"));
        assert!(read("@\"\n$a\n\"@").is_err());
    }
}

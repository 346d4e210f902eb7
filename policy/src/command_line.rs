//! Reading a WinRS command line so that there is only one way to read it (rule R12 of tests/data/policy-cases/rules.md).
//!
//! The service glues `rsp:Command` and the `rsp:Arguments` with blanks into one line and gives it to `cmd.exe /c`
//! (\[MS-WSMV\] 3.1.4.11), whose reading differs from that of the program it starts. This reader knows blanks, tabs
//! and plain double quotes around whole pieces. Whatever either of the two could read otherwise is refused with
//! its place. Upholds (refuse-never-escape).

use std::fmt;

use crate::limits;

/// Why a command line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Construct {
    /// No program in it.
    Empty,
    /// Longer than [`limits::COMMAND_LINE`].
    TooLong,
    /// A character that cmd.exe gives a meaning to, quoted or not.
    Metacharacter(char),
    /// A control character other than a tab.
    ControlCharacter,
    /// A character that Windows turns into `"` for programs that do not read Unicode.
    LookalikeQuote,
    /// A quote that never closes.
    UnbalancedQuote,
    /// A quote that does not enclose a whole piece.
    QuoteInsidePiece,
    /// A backslash, or what Windows turns into one, before a closing quote.
    BackslashBeforeQuote,
}

/// A command line that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What it was refused for.
    pub construct: Construct,
    /// Where it stands in the joined line, in characters from 0.
    pub place: usize,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.place.saturating_add(1);
        match self.construct {
            Construct::Empty => write!(f, "the command line names no program: send the program's name or full path"),
            Construct::TooLong => write!(
                f,
                "the command line is longer than {} characters, which is all that cmd.exe takes: send less at once",
                limits::COMMAND_LINE
            ),
            Construct::Metacharacter(character) => {
                write!(f, "`{character}` at character {at} is refused, quoted too, since {}", meaning(character))
            }
            Construct::ControlCharacter => {
                write!(f, "a control character at character {at} is refused: put the command on one line of plain text")
            }
            Construct::LookalikeQuote => write!(
                f,
                "a typographic or full-width quote at character {at} is refused, since Windows turns it into a plain \
                 quote for some programs: write a plain double quote around the whole argument, or none"
            ),
            Construct::UnbalancedQuote => {
                write!(f, "the quote at character {at} is never closed: enclose the whole argument in a pair of quotes")
            }
            Construct::QuoteInsidePiece => write!(
                f,
                "the quote at character {at} does not enclose a whole argument: write \"a b\" instead of a\" b\" and \
                 leave quotes inside arguments out"
            ),
            Construct::BackslashBeforeQuote => write!(
                f,
                "the backslash at character {at}, before a closing quote, is refused, since cmd.exe and programs read \
                 it differently: leave the last backslash out"
            ),
        }
    }
}

/// What cmd.exe does with a character, and what to do instead.
fn meaning(character: char) -> &'static str {
    match character {
        '&' | '|' => "cmd.exe would run a second command: send each command as a request of its own",
        '<' | '>' => "cmd.exe would redirect to or from a file: take the output as it is returned",
        '%' | '!' => "cmd.exe would put a variable's value there: write the value itself",
        '^' => "cmd.exe takes it for an escape: write the argument without it",
        '(' | ')' | ';' | '@' => "cmd.exe may take it for syntax: write the argument without it",
        _ => "it is a shell's syntax: write the argument without it",
    }
}

/// Joins `rsp:Command` and the `rsp:Arguments` elements by one blank, as the service does.
///
/// # Errors
/// [`Construct::TooLong`].
pub fn join(command: &str, arguments: &[String]) -> Result<String, Refusal> {
    let bytes = arguments.iter().fold(command.len(), |sum, a| sum.saturating_add(a.len()).saturating_add(1));
    // A UTF-16 unit takes at most three bytes, so that a longer text is too long in any case.
    if bytes > limits::COMMAND_LINE.saturating_mul(3) {
        return Err(TOO_LONG);
    }
    let mut line = String::with_capacity(bytes);
    line.push_str(command);
    for argument in arguments {
        line.push(' ');
        line.push_str(argument);
    }
    Ok(line)
}

/// Splits a client's line into program and arguments. The first piece is the program.
///
/// # Errors
/// A [`Refusal`] with its place. There is no other way in which this fails, whatever the text.
pub fn parse(line: &str) -> Result<Vec<String>, Refusal> {
    check_length(line)?;
    check_characters(line, Parentheses::Refused)?;
    let pieces = split(line)?;
    if pieces.is_empty() {
        return Err(Refusal { construct: Construct::Empty, place: 0 });
    }
    Ok(pieces)
}

/// Reads a line that this crate rendered. It differs from a client's in one way: a path with blanks or
/// parentheses is quoted and has one `@` before it (see [`crate::CheckedProgram::command_line`]).
///
/// # Errors
/// A [`Refusal`]; its place counts from the first character after `@"path"`, where the line has that.
pub fn parse_rendered(line: &str) -> Result<Vec<String>, Refusal> {
    let Some((path, tail)) = line.strip_prefix("@\"").and_then(|rest| rest.split_once('"')) else {
        return parse(line);
    };
    check_length(line)?;
    check_characters(path, Parentheses::Literal)?;
    check_characters(tail, Parentheses::Refused)?;
    if path.ends_with(is_backslash) {
        return Err(Refusal { construct: Construct::BackslashBeforeQuote, place: 0 });
    }
    if !tail.is_empty() && !tail.starts_with(is_separator) {
        return Err(Refusal { construct: Construct::QuoteInsidePiece, place: 0 });
    }
    let mut pieces = vec![path.to_owned()];
    pieces.extend(split(tail)?);
    Ok(pieces)
}

const TOO_LONG: Refusal = Refusal { construct: Construct::TooLong, place: limits::COMMAND_LINE };

fn check_length(line: &str) -> Result<(), Refusal> {
    if line.len() > limits::COMMAND_LINE && line.encode_utf16().count() > limits::COMMAND_LINE {
        return Err(TOO_LONG);
    }
    Ok(())
}

/// Whether parentheses may stand in a text. Inside quotes cmd.exe takes them as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parentheses {
    Refused,
    Literal,
}

fn check_characters(text: &str, parentheses: Parentheses) -> Result<(), Refusal> {
    let refused = |(place, character)| refused_character(character).map(|construct| Refusal { construct, place });
    let tolerated = |refusal: &Refusal| {
        parentheses == Parentheses::Literal && matches!(refusal.construct, Construct::Metacharacter('(' | ')'))
    };
    match text.chars().enumerate().filter_map(refused).find(|refusal| !tolerated(refusal)) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// Why a character may stand nowhere in a command line, if so.
pub(crate) fn refused_character(character: char) -> Option<Construct> {
    match character {
        '\t' => None,
        '&' | '|' | '<' | '>' | '^' | '%' | '!' | '(' | ')' | ';' | '@' | '`' => {
            Some(Construct::Metacharacter(character))
        }
        _ if character.is_control() => Some(Construct::ControlCharacter),
        // Stricter than R12: best-fit conversion to an ANSI code page makes these a plain quote, after which the
        // program splits its arguments elsewhere.
        '\u{2BA}'
        | '\u{2DD}'
        | '\u{2EE}'
        | '\u{30E}'
        | '\u{201C}'..='\u{201F}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{275D}'
        | '\u{275E}'
        | '\u{301D}'..='\u{301F}'
        | '\u{FF02}' => Some(Construct::LookalikeQuote),
        _ => None,
    }
}

/// A backslash, and the characters that best-fit conversion to an ANSI code page makes one: before a closing quote
/// a program that does not read Unicode would take it for an escape, and split its arguments elsewhere.
fn is_backslash(character: char) -> bool {
    matches!(character, '\\' | '\u{A5}' | '\u{20A9}' | '\u{20E5}' | '\u{2216}' | '\u{FE68}' | '\u{FF3C}')
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// Splits at blanks and tabs; a piece is either free of quotes or enclosed in one pair.
fn split(line: &str) -> Result<Vec<String>, Refusal> {
    let mut pieces = Vec::new();
    let mut rest = line.chars().enumerate().peekable();
    while let Some((place, character)) = rest.next() {
        if is_separator(character) {
            continue;
        }
        let quoted = character == '"';
        let mut piece = String::new();
        if !quoted {
            piece.push(character);
        }
        let mut closed = false;
        for (at, next) in rest.by_ref() {
            match (quoted, next) {
                (true, '"') if piece.ends_with(is_backslash) => {
                    return Err(Refusal { construct: Construct::BackslashBeforeQuote, place: at.saturating_sub(1) });
                }
                (true, '"') => closed = true,
                (false, '"') => return Err(Refusal { construct: Construct::QuoteInsidePiece, place: at }),
                (false, ' ' | '\t') => closed = true,
                (true | false, other) => piece.push(other),
            }
            if closed {
                break;
            }
        }
        if quoted && !closed {
            return Err(Refusal { construct: Construct::UnbalancedQuote, place });
        }
        if quoted && let Some((at, _)) = rest.next_if(|(_, next)| !is_separator(*next)) {
            return Err(Refusal { construct: Construct::QuoteInsidePiece, place: at.saturating_sub(1) });
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<String>, (Construct, usize)> {
        parse(line).map_err(|refusal| (refusal.construct, refusal.place))
    }

    #[test]
    fn pieces_are_split_at_blanks_and_tabs() {
        assert_eq!(read("  a\t b  \"c d\" \"\" e\\ ").unwrap(), ["a", "b", "c d", "", "e\\"]);
        assert_eq!(read("\"C:\\Program Files\\x.exe\" y").unwrap(), ["C:\\Program Files\\x.exe", "y"]);
        assert_eq!(read("a\u{a0}b c\u{3000}d").unwrap(), ["a\u{a0}b", "c\u{3000}d"]);
    }

    #[test]
    fn every_metacharacter_is_refused_with_its_place_quoted_or_not() {
        for c in "&|<>^%!();@`".chars() {
            assert_eq!(read(&format!("ab {c}")), Err((Construct::Metacharacter(c), 3)));
            assert_eq!(read(&format!("é \"{c}\"")), Err((Construct::Metacharacter(c), 3)));
        }
        for c in ['\0', '\n', '\r', '\u{b}', '\u{c}', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(read(&format!("ab {c}")), Err((Construct::ControlCharacter, 3)));
        }
        for c in ['\u{ff02}', '\u{201c}', '\u{201d}', '\u{2ba}', '\u{30e}', '\u{301d}'] {
            assert_eq!(read(&format!("ab {c}")), Err((Construct::LookalikeQuote, 3)));
        }
    }

    #[test]
    fn quotes_enclose_whole_pieces_or_are_refused() {
        assert_eq!(read("a \"b"), Err((Construct::UnbalancedQuote, 2)));
        assert_eq!(read("a b\""), Err((Construct::QuoteInsidePiece, 3)));
        assert_eq!(read("a b\"c d\""), Err((Construct::QuoteInsidePiece, 3)));
        assert_eq!(read("a \"b\"c"), Err((Construct::QuoteInsidePiece, 4)));
        assert_eq!(read("a \"b\"\"c\""), Err((Construct::QuoteInsidePiece, 4)));
        assert_eq!(read("a \"b\\\" c\""), Err((Construct::BackslashBeforeQuote, 4)));
        assert_eq!(read("a \"C:\\x\\\""), Err((Construct::BackslashBeforeQuote, 7)));
        for c in ['\u{a5}', '\u{20a9}', '\u{20e5}', '\u{2216}', '\u{fe68}', '\u{ff3c}'] {
            assert_eq!(read(&format!("a \"b {c}\" c")), Err((Construct::BackslashBeforeQuote, 5)));
            assert_eq!(read(&format!("a b{c} \"{c}c d\"")).unwrap().len(), 3, "elsewhere it is a letter");
        }
        assert_eq!(read("\""), Err((Construct::UnbalancedQuote, 0)));
        assert_eq!(read("a \"b\" \""), Err((Construct::UnbalancedQuote, 6)));
    }

    #[test]
    fn a_line_has_a_program_and_an_end() {
        assert_eq!(read(" \t"), Err((Construct::Empty, 0)));
        assert!(read(&"a".repeat(limits::COMMAND_LINE)).is_ok());
        assert_eq!(read(&"a".repeat(limits::COMMAND_LINE + 1)).unwrap_err().0, Construct::TooLong);
        assert!(read(&"受".repeat(limits::COMMAND_LINE)).is_ok());
        assert_eq!(read(&"😀".repeat(limits::COMMAND_LINE / 2 + 1)).unwrap_err().0, Construct::TooLong);
        assert_eq!(join("a", &vec![String::new(); 30_000]), Err(TOO_LONG));
        assert_eq!(join("a b", &["c".to_owned(), String::new(), "d".to_owned()]).unwrap(), "a b c  d");
    }

    #[test]
    fn a_rendered_path_in_quotes_is_read_back_and_nothing_looser() {
        let pieces = parse_rendered("@\"C:\\Program Files (x86)\\x.exe\" \"a b\"").unwrap();
        assert_eq!(pieces, ["C:\\Program Files (x86)\\x.exe", "a b"]);
        for bad in ["@\"C:\\a b\\x.exe\"y", "@\"C:\\a&b\\x.exe\"", "@\"C:\\a b\\\" c", "@\"C:\\a b.exe\" (c)", "@x"] {
            assert!(parse_rendered(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_names_the_construct_and_the_place_and_never_the_text() {
        let refusal = parse("net user \"hunter2\" %PATH%").unwrap_err();
        let message = refusal.to_string();
        assert!(message.contains("`%` at character 20"), "{message}");
        assert!(message.contains("write the value itself"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

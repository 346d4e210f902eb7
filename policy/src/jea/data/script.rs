//! Finding the end of a script block. What it does is nobody's business here: it is kept as text.
//!
//! Where it ends must not be in doubt, so that what stands behind it is read as PowerShell reads it. A script block
//! in which a quote, a comment or a brace could be meant in two ways is refused.

use super::cursor::{Cursor, is_double_quote, is_line_end, is_single_quote};
use super::{DataMistake, Place, text};
use crate::limits;

const REWRITE: &str = "write that line of the script block more plainly, or move the function into a module";

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Brace,
    Parenthesis,
    /// A text in double quotes, in which `$(` opens a parenthesis.
    Quoted,
    /// A here-text in double quotes.
    Here,
}

/// Reads a script block, the opening brace of which comes next, and gives the text between its braces.
pub(super) fn block(cursor: &mut Cursor<'_>) -> Result<String, DataMistake> {
    let place = cursor.place();
    cursor.next();
    let start = cursor.rest();
    let mut scanner = Scanner { cursor: cursor.clone(), open: vec![Open::Brace], before: '{' };
    while let Some(innermost) = scanner.open.last().copied() {
        let here = scanner.cursor.place();
        let Some(character) = scanner.cursor.peek() else {
            return Err(DataMistake::new(place, "a script block that does not end", "close it with `}`"));
        };
        match innermost {
            Open::Brace | Open::Parenthesis => scanner.code(character, here)?,
            Open::Quoted => scanner.quoted(character)?,
            Open::Here => scanner.here(character)?,
        }
        if scanner.open.len() > limits::SCRIPT_DEPTH {
            let message = format!("more than {} levels of brackets in a script block", limits::SCRIPT_DEPTH);
            return Err(DataMistake::new(here, message, REWRITE));
        }
    }
    *cursor = scanner.cursor;
    let length = start.len().saturating_sub(cursor.rest().len());
    let inner = start.get(..length).and_then(|text| text.strip_suffix('}')).unwrap_or_default();
    Ok(inner.to_owned())
}

/// Skips `<# … #>`, which comes next.
pub(super) fn skip_block_comment(cursor: &mut Cursor<'_>) -> Result<(), DataMistake> {
    let place = cursor.place();
    cursor.next();
    cursor.next();
    while let Some(character) = cursor.next() {
        if character == '#' && cursor.eat('>') {
            return Ok(());
        }
    }
    Err(DataMistake::new(place, "a comment that does not end", "close it with `#>`"))
}

struct Scanner<'t> {
    cursor: Cursor<'t>,
    open: Vec<Open>,
    /// The character before the next one, where it counts.
    before: char,
}

impl Scanner<'_> {
    fn code(&mut self, character: char, here: Place) -> Result<(), DataMistake> {
        let begins = self.begins_token();
        let verbatim = begins && self.cursor.rest().starts_with("--%");
        match character {
            _ if verbatim => Err(DataMistake::new(here, "verbatim arguments after `--%`", REWRITE)),
            '`' => self.skip_pair(),
            '#' if begins => {
                self.cursor.skip_line();
                Ok(())
            }
            '#' => Err(DataMistake::new(here, "a `#` that may or may not begin a comment", REWRITE)),
            '<' if self.cursor.second() == Some('#') => self.comment(begins, here),
            '@' if self.cursor.second().is_some_and(is_quote) => self.here_text(begins, here),
            '$' if self.cursor.second() == Some('{') => self.braced_variable(here),
            quote if is_single_quote(quote) => {
                text::single(&mut self.cursor)?;
                self.before = quote;
                Ok(())
            }
            quote if is_double_quote(quote) => self.push(Open::Quoted),
            '{' => self.push(Open::Brace),
            '(' => self.push(Open::Parenthesis),
            '}' => self.close(Open::Brace, here),
            ')' => self.close(Open::Parenthesis, here),
            other => {
                self.cursor.next();
                self.before = other;
                Ok(())
            }
        }
    }

    /// Whether a token begins here for certain.
    fn begins_token(&self) -> bool {
        self.before.is_whitespace() || matches!(self.before, '{' | '}' | '(' | ')' | ';' | ',' | '|' | '=')
    }

    fn skip_pair(&mut self) -> Result<(), DataMistake> {
        self.cursor.next();
        self.before = match self.cursor.next() {
            // A continued line is a blank; any other character is part of a word.
            Some('\r') => {
                self.cursor.eat('\n');
                ' '
            }
            Some('\n') => ' ',
            Some(_) | None => '`',
        };
        Ok(())
    }

    fn comment(&mut self, begins: bool, here: Place) -> Result<(), DataMistake> {
        if !begins {
            return Err(DataMistake::new(here, "a `<#` that may or may not begin a comment", REWRITE));
        }
        self.before = ' ';
        skip_block_comment(&mut self.cursor)
    }

    fn here_text(&mut self, begins: bool, here: Place) -> Result<(), DataMistake> {
        if !(begins && text::opens_here(&self.cursor)) {
            return Err(DataMistake::new(here, "an `@` before a quote that begins no here-text", REWRITE));
        }
        if self.cursor.second().is_some_and(is_single_quote) {
            self.before = '\'';
            return text::here(&mut self.cursor).map(|_| ());
        }
        self.cursor.skip_line();
        self.push(Open::Here)
    }

    /// `${name}`, in which no bracket or quote means anything.
    fn braced_variable(&mut self, here: Place) -> Result<(), DataMistake> {
        if self.before == '$' {
            return Err(DataMistake::new(here, "a `$` before `${`", REWRITE));
        }
        self.cursor.next();
        self.cursor.next();
        loop {
            match self.cursor.next() {
                Some('}') => break,
                Some('`') => {
                    self.cursor.next();
                }
                Some(_) => {}
                None => return Err(DataMistake::new(here, "a `${` that does not end", "close it with `}`")),
            }
        }
        self.before = 'x';
        Ok(())
    }

    /// Within a text in double quotes.
    fn quoted(&mut self, character: char) -> Result<(), DataMistake> {
        match character {
            '`' => self.skip_pair(),
            '$' => self.expansion(),
            quote if is_double_quote(quote) => {
                self.cursor.next();
                if self.cursor.peek().is_some_and(is_double_quote) {
                    self.cursor.next();
                    return Ok(());
                }
                self.before = quote;
                self.open.pop();
                Ok(())
            }
            _ => {
                self.cursor.next();
                Ok(())
            }
        }
    }

    /// Within a here-text in double quotes, which ends with a quote and `@` at the start of a line.
    fn here(&mut self, character: char) -> Result<(), DataMistake> {
        match character {
            '`' => self.skip_pair(),
            '$' => self.expansion(),
            end if is_line_end(end) => {
                self.cursor.eat_line_end();
                if self.cursor.peek().is_some_and(is_double_quote) && self.cursor.second() == Some('@') {
                    self.cursor.next();
                    self.cursor.next();
                    self.before = '"';
                    self.open.pop();
                }
                Ok(())
            }
            _ => {
                self.cursor.next();
                Ok(())
            }
        }
    }

    /// A `$` within double quotes: `$(` holds code again.
    fn expansion(&mut self) -> Result<(), DataMistake> {
        let here = self.cursor.place();
        self.before = ' ';
        match self.cursor.second() {
            Some('(') => {
                self.cursor.next();
                self.push(Open::Parenthesis)
            }
            Some('{') => self.braced_variable(here),
            Some('$') => Err(DataMistake::new(here, "two `$` within double quotes", REWRITE)),
            Some(_) | None => {
                self.cursor.next();
                Ok(())
            }
        }
    }

    fn push(&mut self, what: Open) -> Result<(), DataMistake> {
        self.before = self.cursor.next().unwrap_or(' ');
        self.open.push(what);
        Ok(())
    }

    fn close(&mut self, what: Open, here: Place) -> Result<(), DataMistake> {
        if self.open.pop() != Some(what) {
            return Err(DataMistake::new(here, "a bracket that closes another than the one that is open", REWRITE));
        }
        self.before = self.cursor.next().unwrap_or(' ');
        Ok(())
    }
}

fn is_quote(character: char) -> bool {
    is_single_quote(character) || is_double_quote(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String), String> {
        let mut cursor = Cursor::new(text);
        let inner = block(&mut cursor).map_err(|mistake| format!("{} {}", mistake.place.column, mistake.message))?;
        Ok((inner, cursor.rest().to_owned()))
    }

    #[test]
    fn a_block_ends_where_powershell_ends_it() {
        for inner in [
            "",
            " param($x) if ($x -like 'a}') { \"}\" } ",
            " # }\n",
            " <# } #> ",
            " \"$(if (1) { '}' })\" ",
            " \"a\"\"}\" ",
            " \"`\"}\" ",
            " 'it''s }' ",
            " @'\n}'@ }\n'@ ",
            " @\"\n} $(@{a='}'}) \"@\n\"@ ",
            " ${a}b} ".trim_end_matches("b} "),
            " ${`}} ",
            " a `} b ",
            " \u{201C}}\u{201D} ",
            " @{a={}; b=@(1)} ",
            " \"${x}}\" ",
            " $x = \"@\"; ",
        ] {
            let found = read(&format!("{{{inner}}} rest"));
            assert_eq!(found, Ok((inner.to_owned(), " rest".to_owned())), "{inner}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, message) in [
            ("{ a#b }", "4 a `#` that may"),
            ("{ a<#b#> }", "4 a `<#` that may"),
            ("{ a@'b' }", "4 an `@` before a quote"),
            ("{ @'b' }", "3 an `@` before a quote"),
            ("{ cmd --% } }", "7 verbatim"),
            ("{ $${a} }", "4 a `$` before"),
            ("{ \"$$\" }", "4 two `$`"),
            ("{ ( } )", "5 a bracket that closes another"),
            ("{ ) }", "3 a bracket that closes another"),
            ("{ 'a }", "3 a text that does not end"),
            ("{ \"a }", "1 a script block that does not end"),
            ("{ { }", "1 a script block that does not end"),
            ("{ ${a ", "3 a `${` that does not end"),
            ("{ <# ", "3 a comment that does not end"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(message), "{text}: {found}");
        }
        assert!(read(&"{".repeat(limits::SCRIPT_DEPTH + 2)).unwrap_err().contains("levels of brackets"));
    }
}

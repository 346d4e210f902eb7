//! Cuts script text into words, as PowerShell does while it reads a command's arguments.
//!
//! Linear: every character is looked at a bounded number of times. What PowerShell could take for something other
//! than a plain word is refused here, so that the parser sees no trace of it.

use super::chars;
use super::number::{self, Reading};
use super::refusal::{Construct, Refusal};
use crate::value::Number;

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// The end of the text.
    End,
    /// CR, LF or both.
    Newline,
    /// `|`.
    Pipe,
    /// `,`.
    Comma,
    /// A word without quotes that is neither a number nor a parameter.
    Word(&'t str),
    /// A number.
    Number(Number),
    /// What stood in quotes.
    Text(String),
    /// `-Name`, or `-Name:`.
    Parameter { name: &'t str, colon: Colon },
    /// `$name`, with the part before a colon if there is one.
    Variable { scope: Option<&'t str>, name: &'t str },
}

/// Whether a parameter ends with a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colon {
    Absent,
    Present,
}

/// A token with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub(super) token: Token<'t>,
    /// Bytes before it.
    pub(super) start: usize,
    /// Whether a blank stands before it.
    pub(super) after_blank: bool,
}

/// Reads pieces one by one.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    #[cfg(test)]
    pub(super) steps: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn refuse(&self, construct: Construct, byte: usize) -> Refusal {
        Refusal::new(construct, self.text, byte)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    /// Reads one character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at = self.at.saturating_add(c.len_utf8());
        #[cfg(test)]
        self.count();
        Some(c)
    }

    /// Tests count the characters read, so that they need no clock to see how the time grows.
    #[cfg(test)]
    fn count(&mut self) {
        self.steps = self.steps.saturating_add(1);
    }

    /// Reads on while the characters are such.
    pub(super) fn bump_while(&mut self, such: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&such) {
            self.bump();
        }
    }

    /// Reads over blanks and line ends.
    pub(super) fn skip_blank_lines(&mut self) {
        self.bump_while(|c| chars::is_blank(c) || chars::is_newline(c));
    }

    /// The next piece.
    pub(super) fn next(&mut self) -> Result<Piece<'t>, Refusal> {
        let before = self.at;
        self.bump_while(chars::is_blank);
        let start = self.at;
        let token = self.token(start)?;
        Ok(Piece { token, start, after_blank: before < start })
    }

    fn token(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        let Some(c) = self.peek() else { return Ok(Token::End) };
        match c {
            '\r' | '\n' => {
                self.bump();
                if c == '\r' && self.peek() == Some('\n') {
                    self.bump();
                }
                Ok(Token::Newline)
            }
            '|' if self.peek_second() == Some('|') => Err(self.refuse(Construct::Chain, start)),
            '|' => {
                self.bump();
                Ok(Token::Pipe)
            }
            ',' => {
                self.bump();
                Ok(Token::Comma)
            }
            '\'' | '"' => self.quoted(start),
            '$' => self.variable(start),
            '-' => self.dash(start),
            '#' => Err(self.refuse(Construct::Comment, start)),
            '@' => Err(self.refuse(at_sign(self.peek_second()), start)),
            '0'..='9' | '.' => self.maybe_number(start),
            _ => self.word(start).map(Token::Word),
        }
    }

    /// A word up to what ends it; refuses every character that makes it more than a word.
    fn word(&mut self, start: usize) -> Result<&'t str, Refusal> {
        while let Some(c) = self.peek()
            && !ends_word(c)
        {
            if let Some(construct) = self.refused_in_word(c, start) {
                return Err(self.refuse(construct, self.at));
            }
            self.bump();
        }
        Ok(self.text.get(start..self.at).unwrap_or(""))
    }

    fn refused_in_word(&self, c: char, start: usize) -> Option<Construct> {
        let first = self.at == start;
        Some(match c {
            ';' => Construct::Statements,
            '&' if self.peek_second() == Some('&') => Construct::Chain,
            '&' => Construct::Background,
            '(' | ')' => Construct::Parentheses,
            '{' | '}' => Construct::ScriptBlock,
            '<' if first && self.peek_second() == Some('#') => Construct::Comment,
            '<' | '>' => Construct::Redirection,
            '`' => Construct::Backtick,
            '$' if self.peek_second() == Some('(') => Construct::Subexpression,
            '$' => Construct::Expansion,
            '\'' | '"' => Construct::QuoteInWord,
            // PowerShell ends the word there, and begins another without a blank.
            ']' if first => Construct::Unexpected,
            _ => return refused_letter(c),
        })
    }

    /// A number, or a word that begins like one.
    fn maybe_number(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        let word = self.word(start)?;
        let like_number =
            word.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit()) && !word.starts_with("..");
        if !like_number {
            return Ok(Token::Word(word));
        }
        match number::read(word) {
            Reading::Number(number) => Ok(Token::Number(number)),
            Reading::Text => Ok(Token::Word(word)),
            Reading::Refused => Err(self.refuse(Construct::Number, start)),
        }
    }

    /// A parameter, or a word that begins with a dash.
    fn dash(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        match self.peek_second() {
            Some('?') => return Err(self.refuse(Construct::HelpSwitch, start)),
            Some('-') => return self.two_dashes(start),
            Some(c) if chars::starts_parameter(c) => {}
            // Whether it is a letter is a question of PowerShell's version.
            Some(c) if !c.is_ascii() && refused_letter(c).is_none() => {
                return Err(self.refuse(Construct::ParameterName, start));
            }
            Some(_) | None => return self.word(start).map(Token::Word),
        }
        self.bump();
        let from = self.at;
        while let Some(c) = self.peek()
            && !ends_word(c)
            && c != ':'
        {
            if matches!(c, '.' | '[') {
                return Err(self.refuse(Construct::ParameterName, start));
            }
            if let Some(construct) = self.refused_in_word(c, start) {
                return Err(self.refuse(construct, self.at));
            }
            self.bump();
        }
        let name = self.text.get(from..self.at).unwrap_or("");
        let colon = if self.peek() == Some(':') {
            self.bump();
            Colon::Present
        } else {
            Colon::Absent
        };
        Ok(Token::Parameter { name, colon })
    }

    fn two_dashes(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        let word = self.word(start)?;
        if word == "--" {
            return Err(self.refuse(Construct::EndOfParameters, start));
        }
        if word.starts_with("--%") {
            return Err(self.refuse(Construct::VerbatimArgument, start));
        }
        Ok(Token::Word(word))
    }

    fn quoted(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        let quote = self.bump().unwrap_or('\'');
        let mut value = String::new();
        loop {
            let place = self.at;
            let Some(c) = self.bump() else { return Err(self.refuse(Construct::UnclosedQuote, start)) };
            let ends = if quote == '\'' { chars::is_single_quote(c) } else { chars::is_double_quote(c) };
            if ends {
                // Doubled, a quote stands for itself. PowerShell takes two different ones of a kind for the second.
                if self.peek() == Some(c) {
                    self.bump();
                } else if c == quote && !self.peek().is_some_and(|next| same_kind(quote, next)) {
                    break;
                } else {
                    return Err(self.refuse(Construct::TypographicQuote, place));
                }
            } else if quote == '"' && c == '`' {
                return Err(self.refuse(Construct::Backtick, place));
            } else if quote == '"' && c == '$' {
                let sub = self.peek() == Some('(');
                let construct = if sub { Construct::Subexpression } else { Construct::Expansion };
                return Err(self.refuse(construct, place));
            }
            value.push(c);
        }
        self.end_of_value()?;
        Ok(Token::Text(value))
    }

    fn variable(&mut self, start: usize) -> Result<Token<'t>, Refusal> {
        self.bump();
        if self.peek() == Some('(') {
            return Err(self.refuse(Construct::Subexpression, start));
        }
        let mut scope = None;
        let mut name = self.variable_name();
        if self.peek() == Some(':') && !name.is_empty() {
            self.bump();
            scope = Some(name);
            name = self.variable_name();
        }
        if name.is_empty() {
            return Err(self.refuse(Construct::Variable, start));
        }
        self.end_of_value()?;
        Ok(Token::Variable { scope, name })
    }

    fn variable_name(&mut self) -> &'t str {
        let from = self.at;
        self.bump_while(chars::is_variable_name);
        self.text.get(from..self.at).unwrap_or("")
    }

    /// A quoted value or a variable has to end where a word ends: PowerShell reads on otherwise.
    fn end_of_value(&self) -> Result<(), Refusal> {
        let Some(c) = self.peek() else { return Ok(()) };
        if ends_word(c) {
            return Ok(());
        }
        let construct = match c {
            '.' | '[' | ':' | '?' => Construct::MemberAccess,
            '=' => Construct::Assignment,
            ';' => Construct::Statements,
            _ => self.refused_in_word(c, self.at).unwrap_or(Construct::QuoteInWord),
        };
        Err(self.refuse(construct, self.at))
    }
}

/// Whether a word ends before this character, with nothing to be refused.
fn ends_word(c: char) -> bool {
    chars::is_blank(c) || chars::is_newline(c) || matches!(c, ',' | '|')
}

fn same_kind(quote: char, other: char) -> bool {
    if quote == '\'' { chars::is_single_quote(other) } else { chars::is_double_quote(other) }
}

/// Letters that PowerShell takes for syntax, and such as people cannot see.
fn refused_letter(c: char) -> Option<Construct> {
    if chars::is_odd_dash(c) {
        Some(Construct::TypographicDash)
    } else if chars::is_single_quote(c) || chars::is_double_quote(c) {
        Some(Construct::TypographicQuote)
    } else if chars::is_odd_blank(c) {
        Some(Construct::TypographicBlank)
    } else if chars::is_invisible(c) {
        Some(Construct::InvisibleCharacter)
    } else {
        None
    }
}

fn at_sign(next: Option<char>) -> Construct {
    match next {
        Some('(') => Construct::ArrayExpression,
        Some('{') => Construct::Hashtable,
        Some(c) if chars::is_single_quote(c) || chars::is_double_quote(c) => Construct::HereString,
        Some(_) | None => Construct::Splatting,
    }
}

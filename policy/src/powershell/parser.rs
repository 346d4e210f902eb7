//! Reads one pipeline of commands with constant arguments (R11).
//!
//! There is nothing in the accepted language that nests, so that nothing here recurses.

use super::bindings::{Constants, weight};
use super::hint;
use super::lexer::{Colon, Lexer, Piece, Token};
use super::refusal::{Construct, Refusal};
use crate::command::{Argument, Command, Pipeline};
use crate::limits;
use crate::value::Value;

/// What switches PowerShell to another way of reading when it is an argument's value.
const VERBATIM: &str = "--%";

/// What to do about an argument whose value is `--%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verbatim {
    /// It is refused, as R11 says.
    Refused,
    /// It is taken where PowerShell reads on as usual after it.
    Taken,
}

/// Whether a value stands alone or in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Alone,
    InList,
}

/// Reads the pipeline that a lexer stands before.
#[derive(Debug)]
pub(super) struct Parser<'t, 'b> {
    lexer: Lexer<'t>,
    ahead: Option<Piece<'t>>,
    constants: &'b Constants,
    verbatim: Verbatim,
    /// Bytes of constants that may still be put in.
    room: usize,
}

impl<'t, 'b> Parser<'t, 'b> {
    pub(super) fn new(lexer: Lexer<'t>, constants: &'b Constants, verbatim: Verbatim) -> Self {
        Self { lexer, ahead: None, constants, verbatim, room: limits::SUBSTITUTED_BYTES }
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        self.lexer.steps
    }

    /// The pipeline; there may be nothing else in the text.
    pub(super) fn pipeline(&mut self) -> Result<Pipeline, Refusal> {
        self.lexer.skip_blank_lines();
        if self.lexer.peek().is_none() {
            return Err(self.refuse(Construct::Empty, 0));
        }
        let mut pipeline = Vec::new();
        loop {
            if pipeline.len() >= limits::PIPELINE_COMMANDS {
                return Err(self.refuse(Construct::TooManyCommands, self.lexer.at()));
            }
            pipeline.push(self.command(pipeline.is_empty())?);
            if self.peek()?.token != Token::Pipe {
                break;
            }
            self.take()?;
            self.lexer.skip_blank_lines();
        }
        self.end()?;
        Ok(pipeline)
    }

    fn refuse(&self, construct: Construct, byte: usize) -> Refusal {
        self.lexer.refuse(construct, byte)
    }

    fn peek(&mut self) -> Result<&Piece<'t>, Refusal> {
        let piece = match self.ahead.take() {
            Some(piece) => piece,
            None => self.lexer.next()?,
        };
        Ok(self.ahead.insert(piece))
    }

    fn take(&mut self) -> Result<Piece<'t>, Refusal> {
        match self.ahead.take() {
            Some(piece) => Ok(piece),
            None => self.lexer.next(),
        }
    }

    /// After the last argument: line ends and blanks only.
    fn end(&mut self) -> Result<(), Refusal> {
        self.ahead = None;
        self.lexer.skip_blank_lines();
        let construct = match self.lexer.peek() {
            None => return Ok(()),
            // PowerShell 7 reads on there, Windows PowerShell does not.
            Some('|') => Construct::MissingCommand,
            Some('#' | '<') => Construct::Comment,
            Some(_) => Construct::Statements,
        };
        Err(self.refuse(construct, self.lexer.at()))
    }

    fn command(&mut self, first: bool) -> Result<Command, Refusal> {
        if let Some(construct) = refused_start(self.lexer.rest()) {
            return Err(self.refuse(construct, self.lexer.at()));
        }
        let piece = self.take()?;
        let name = match piece.token {
            Token::Word(name) => name,
            Token::End | Token::Newline | Token::Pipe => {
                return Err(self.refuse(Construct::MissingCommand, piece.start));
            }
            Token::Comma => return Err(self.refuse(Construct::LoneComma, piece.start)),
            Token::Parameter { .. } => return Err(self.refuse(Construct::CommandName, piece.start)),
            Token::Number(_) | Token::Text(_) => return Err(self.refuse(Construct::Expression, piece.start)),
            Token::Variable { .. } => {
                let construct =
                    if is_assignment(self.lexer.rest()) { Construct::Assignment } else { Construct::Expression };
                return Err(self.refuse(construct, piece.start));
            }
        };
        if let Some(construct) = refused_name(name, first) {
            return Err(self.refuse(construct, piece.start));
        }
        let arguments = self.arguments().map_err(|refusal| hint::add(refusal, name, self.lexer.rest()))?;
        Ok(Command::new(name, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, Refusal> {
        let mut arguments = Vec::new();
        loop {
            let start = match &self.peek()?.token {
                Token::End | Token::Newline | Token::Pipe => return Ok(arguments),
                Token::Comma
                | Token::Word(_)
                | Token::Number(_)
                | Token::Text(_)
                | Token::Parameter { .. }
                | Token::Variable { .. } => self.peek()?.start,
            };
            if arguments.len() >= limits::COMMAND_ARGUMENTS {
                return Err(self.refuse(Construct::TooManyArguments, start));
            }
            arguments.push(self.argument()?);
        }
    }

    fn argument(&mut self) -> Result<Argument, Refusal> {
        let piece = self.take()?;
        let Token::Parameter { name, colon } = piece.token else {
            let verbatim = matches!(&piece.token, Token::Text(text) if text == VERBATIM);
            let start = piece.start;
            let value = self.value(piece)?;
            if verbatim && matches!(self.peek()?.token, Token::Parameter { .. }) {
                // PowerShell drops the parameter's name and takes the rest of the line for one value.
                return Err(self.refuse(Construct::VerbatimArgument, start));
            }
            return Ok(Argument::positional(value));
        };
        match colon {
            Colon::Absent => Ok(Argument::named(format!("-{name}"), Value::Null)),
            Colon::Present => self.value_after_colon(name),
        }
    }

    /// The client writes a blank after the colon where one was typed.
    fn value_after_colon(&mut self, name: &str) -> Result<Argument, Refusal> {
        let piece = self.take()?;
        match piece.token {
            Token::End | Token::Newline | Token::Pipe | Token::Comma | Token::Parameter { .. } => {
                Err(self.refuse(Construct::MissingValue, piece.start))
            }
            Token::Word(_) | Token::Number(_) | Token::Text(_) | Token::Variable { .. } => {
                let blank = if piece.after_blank { " " } else { "" };
                Ok(Argument::named(format!("-{name}:{blank}"), self.value(piece)?))
            }
        }
    }

    /// A value, or a list of values with commas between them.
    fn value(&mut self, piece: Piece<'t>) -> Result<Value, Refusal> {
        let alone = self.is_last_of_value()?;
        let first = self.element(piece, if alone { Standing::Alone } else { Standing::InList })?;
        if alone {
            return Ok(first);
        }
        let mut elements = vec![first];
        while !self.is_last_of_value()? {
            let comma = self.take()?;
            if elements.len() >= limits::LIST_ELEMENTS {
                return Err(self.refuse(Construct::TooManyElements, comma.start));
            }
            self.lexer.skip_blank_lines();
            let piece = self.take()?;
            elements.push(self.element(piece, Standing::InList)?);
        }
        Ok(Value::List(elements))
    }

    fn is_last_of_value(&mut self) -> Result<bool, Refusal> {
        Ok(self.peek()?.token != Token::Comma)
    }

    fn element(&mut self, piece: Piece<'t>, standing: Standing) -> Result<Value, Refusal> {
        match piece.token {
            Token::Word(word) => Ok(Value::text(word)),
            Token::Number(number) => Ok(Value::Number(number)),
            Token::Text(text) if text == VERBATIM && self.verbatim == Verbatim::Refused => {
                Err(self.refuse(Construct::VerbatimArgument, piece.start))
            }
            Token::Text(text) => Ok(Value::Text(text)),
            Token::Variable { scope, name } => self.variable(scope, name, piece.start, standing),
            Token::Parameter { .. } => Err(self.refuse(Construct::ParameterInList, piece.start)),
            Token::End | Token::Newline | Token::Pipe | Token::Comma => {
                Err(self.refuse(Construct::LoneComma, piece.start))
            }
        }
    }

    fn variable(
        &mut self,
        scope: Option<&str>,
        name: &str,
        start: usize,
        standing: Standing,
    ) -> Result<Value, Refusal> {
        if scope.is_none()
            && let Some(value) = constant(name)
        {
            return Ok(value);
        }
        let value = self.constants.value(scope, name).map_err(|construct| self.refuse(construct, start))?;
        if standing == Standing::InList {
            return Err(self.refuse(Construct::PartialArgument, start));
        }
        if self.verbatim == Verbatim::Refused && matches!(value, Value::Text(text) if text == VERBATIM) {
            return Err(self.refuse(Construct::VerbatimArgument, start));
        }
        // A short text could name a long value many times.
        match self.room.checked_sub(weight(value)) {
            Some(room) => self.room = room,
            None => return Err(self.refuse(Construct::TooMuchData, start)),
        }
        Ok(value.clone())
    }
}

fn constant(name: &str) -> Option<Value> {
    if name.eq_ignore_ascii_case("true") {
        Some(Value::Bool(true))
    } else if name.eq_ignore_ascii_case("false") {
        Some(Value::Bool(false))
    } else if name.eq_ignore_ascii_case("null") {
        Some(Value::Null)
    } else {
        None
    }
}

/// What stands before a command's name, if it is refused there.
fn refused_start(rest: &str) -> Option<Construct> {
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some('&'), Some('&')) => Some(Construct::Chain),
        (Some('&'), _) => Some(Construct::CallOperator),
        (Some('.'), None | Some(' ' | '\t' | '\r' | '\n' | '\'' | '"' | '$' | '(' | '{')) => Some(Construct::DotSource),
        (Some('['), _) => Some(Construct::Expression),
        (Some(_) | None, _) => begins_with_keyword(rest).then_some(Construct::Keyword),
    }
}

/// Whether the text goes on like `if(` or `try{`.
fn begins_with_keyword(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    after.starts_with(['(', '{']) && is_keyword(word)
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn is_assignment(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix("??").or_else(|| rest.strip_prefix(['+', '-', '*', '/', '%'])).unwrap_or(rest);
    rest.starts_with('=')
}

/// Words that begin something other than a command, in one version of PowerShell or another.
const KEYWORDS: [&str; 51] = [
    "assembly",
    "base",
    "begin",
    "break",
    "catch",
    "class",
    "clean",
    "command",
    "configuration",
    "continue",
    "data",
    "default",
    "define",
    "do",
    "dynamicparam",
    "else",
    "elseif",
    "end",
    "enum",
    "exit",
    "filter",
    "finally",
    "for",
    "foreach",
    "from",
    "function",
    "hidden",
    "if",
    "in",
    "inlinescript",
    "interface",
    "module",
    "namespace",
    "node",
    "parallel",
    "param",
    "private",
    "process",
    "public",
    "return",
    "sequence",
    "static",
    "switch",
    "throw",
    "trap",
    "try",
    "until",
    "using",
    "var",
    "while",
    "workflow",
];

/// Why a word is no command's name, if so. It has to begin like a name: anything else could be an expression.
fn refused_name(name: &str, first: bool) -> Option<Construct> {
    // After a `|` it is the alias of ForEach-Object.
    if is_keyword(name) && (first || !name.eq_ignore_ascii_case("foreach")) {
        return Some(Construct::Keyword);
    }
    let mut characters = name.chars();
    let plain = match characters.next() {
        Some('_' | '\\') => true,
        Some('%' | '?') => characters.next().is_none(),
        Some('0'..='9') => begins_like_no_number(name),
        Some(c) => c.is_alphabetic(),
        None => false,
    };
    if plain { None } else { Some(Construct::CommandName) }
}

/// Whether the letter after the digits belongs to no notation of numbers, as in `7z.exe`.
fn begins_like_no_number(name: &str) -> bool {
    name.trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with(|c: char| c.is_ascii_alphabetic() && !"bdegklmnpstuxy".contains(c.to_ascii_lowercase()))
}

//! The script text that can be judged: one pipeline of commands with constant arguments (R11 of
//! tests/data/policy-cases/rules.md).
//!
//! The text is read as PowerShell reads it, or refused: INVARIANT(read-as-powershell-does). What comes out is what a
//! stock client would have sent for it as structured commands, so that everything after this is the same for both.

mod bindings;
mod chars;
mod hint;
mod lexer;
mod number;
mod parser;
mod refusal;
mod render;

#[cfg(test)]
mod tests;

pub(crate) use number::real_text;
pub use refusal::{Construct, Refusal};
pub use render::{Unrenderable, describe, render, render_checked};

use crate::command::{Bindings, Pipeline};
use crate::limits;
use bindings::Constants;
use lexer::Lexer;
use parser::{Parser, Verbatim};

/// Reads a text for judgement.
///
/// Without bindings this is exactly R11. With them `$using:name` stands for its constant, and a leading `param(…)` is
/// taken whose names stand for the given arguments, each where it is a whole argument.
///
/// # Errors
/// A [`Refusal`]; nothing else can go wrong, whatever the text, and the time is linear in its length.
pub fn parse(text: &str, bindings: &Bindings) -> Result<Pipeline, Refusal> {
    read_text(text, bindings, Verbatim::Refused)
}

/// Reads a text for `policy read`: what PowerShell itself makes of it, without judging.
///
/// This differs from [`parse`] in one way: an argument `'--%'` is taken where PowerShell reads on as usual after it.
/// R11 refuses such an argument always, so that a decision must never rest on this.
///
/// # Errors
/// As [`parse`].
pub fn read(text: &str) -> Result<Pipeline, Refusal> {
    read_text(text, &Bindings::default(), Verbatim::Taken)
}

fn read_text(text: &str, bindings: &Bindings, verbatim: Verbatim) -> Result<Pipeline, Refusal> {
    if text.len() > limits::SCRIPT_BYTES {
        return Err(Refusal::new(Construct::TooLong, "", 0));
    }
    let mut lexer = Lexer::new(text);
    let constants = Constants::read(&mut lexer, bindings)?;
    Parser::new(lexer, &constants, verbatim).pipeline()
}

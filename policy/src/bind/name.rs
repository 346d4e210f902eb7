//! How a parameter's name is written, and which parameter it means.

use super::refusal::BindReason;
use crate::catalog::{CommandInfo, CommonParameter, ParameterInfo};
use crate::fold::fold_char;

/// A name without what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spelled<'a> {
    pub(super) name: &'a str,
    pub(super) ending: Ending,
}

/// What a name says about where its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `-Name`: without a value of its own the next entry may be it.
    Dashed,
    /// `-Name:`: its own entry has the value, null too.
    Colon,
    /// `Name`, as programs write it.
    Bare,
}

impl<'a> Spelled<'a> {
    /// Reads the forms that PowerShell takes for a parameter: `Name`, `-Name`, `--Name`, `-Name:`, each of those
    /// with a dash perhaps followed by one blank.
    ///
    /// Anything else is no name: PowerShell ends at an empty one, ignores invisible characters within one, and
    /// knows dashes that other programs do not take for dashes.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let Some(dashed) = text.strip_prefix('-') else {
            return is_plain(text).then_some(Self { name: text, ending: Ending::Bare });
        };
        let dashed = dashed.strip_prefix('-').unwrap_or(dashed);
        let dashed = dashed.strip_suffix(' ').unwrap_or(dashed);
        let (name, ending) = match dashed.strip_suffix(':') {
            Some(name) => (name, Ending::Colon),
            None => (dashed, Ending::Dashed),
        };
        is_plain(name).then_some(Self { name, ending })
    }
}

fn is_plain(name: &str) -> bool {
    let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || is_letter_beyond_ascii(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(sane)
}

/// Own commands may have names in any script; marks, joiners and blanks are no part of one.
fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric()
}

/// The parameter that a name means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    /// One of the command's own, with its index.
    Declared(usize, &'a ParameterInfo),
    Common(&'static CommonParameter),
}

impl<'a> Target<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Declared(_, parameter) => &parameter.name,
            Self::Common(common) => common.name,
        }
    }
}

/// Rule R4: the exact name or alias; else the only parameter that a name or alias begins with, where one of the
/// command's own wins over common ones.
pub(super) fn resolve<'a>(info: &'a CommandInfo, typed: &str) -> Result<Target<'a>, BindReason<'a>> {
    let mut exact = Matches::default();
    let mut declared = Matches::default();
    let mut common = Matches::default();
    for (index, parameter) in info.parameters.iter().enumerate() {
        let names = std::iter::once(&parameter.name).chain(&parameter.aliases).map(String::as_str);
        let target = Target::Declared(index, parameter);
        match names.map(|name| fit(typed, name)).max().unwrap_or(Fit::None) {
            Fit::Exact => exact.add(target),
            Fit::Prefix => declared.add(target),
            Fit::None => {}
        }
    }
    for one in info.common_parameters() {
        let names = std::iter::once(one.name).chain(one.alias);
        match names.map(|name| fit(typed, name)).max().unwrap_or(Fit::None) {
            Fit::Exact => exact.add(Target::Common(one)),
            Fit::Prefix => common.add(Target::Common(one)),
            Fit::None => {}
        }
    }
    [exact, declared, common].into_iter().find_map(Matches::answer).unwrap_or(Err(BindReason::UnknownName))
}

/// The parameters that a name may mean: the first, and another one if there is any.
#[derive(Default)]
struct Matches<'a> {
    first: Option<Target<'a>>,
    other: Option<Target<'a>>,
}

impl<'a> Matches<'a> {
    fn add(&mut self, target: Target<'a>) {
        match self.first {
            None => self.first = Some(target),
            Some(_) => self.other = Some(target),
        }
    }

    fn answer(self) -> Option<Result<Target<'a>, BindReason<'a>>> {
        Some(match (self.first?, self.other) {
            (one, None) => Ok(one),
            (one, Some(other)) => Err(BindReason::Ambiguous(one.name(), other.name())),
        })
    }
}

/// How a typed name fits a full one, from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    None,
    Prefix,
    Exact,
}

fn fit(typed: &str, full: &str) -> Fit {
    let mut rest = full.chars().map(fold_char);
    for c in typed.chars().map(fold_char) {
        if rest.next() != Some(c) {
            return Fit::None;
        }
    }
    if rest.next().is_none() { Fit::Exact } else { Fit::Prefix }
}

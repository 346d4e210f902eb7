//! Why arguments cannot be bound, in words that hold nothing of the request.

use std::fmt;

/// Why the arguments of a command cannot be bound, and at which entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BindRefusal<'a> {
    pub(crate) reason: BindReason<'a>,
    /// Index of the entry, from 0.
    pub(crate) at: usize,
}

/// Why an argument cannot be bound. The names are the catalogue's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindReason<'a> {
    /// The text is no parameter's name, in whatever form.
    NotAName,
    /// The command has no such parameter.
    UnknownName,
    /// An abbreviation of these two, and perhaps of more.
    Ambiguous(&'a str, &'a str),
    /// A common parameter that is denied always: most write a variable of the session.
    Denied(&'static str),
    /// The parameter has a value already.
    Duplicate(&'a str),
    /// The parameter needs a value.
    MissingValue(&'a str),
    /// A name without dash and value is followed by a value without name.
    TwoReadings(&'a str),
    /// A switch was given something else than true or false.
    SwitchValue(&'a str),
    /// It is not known whether this is a switch.
    DoubtfulSwitch(&'a str),
    /// The positions of this command are not known.
    Unnamed,
    /// A value without name could belong to either.
    Undecided(&'a str, &'a str),
    /// A value without name would belong to this one, which takes none by position.
    NotByPosition(&'a str),
    /// No parameter is left for a value without name.
    Surplus,
}

impl fmt::Display for BindRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument {} ", self.at.saturating_add(1))?;
        match self.reason {
            BindReason::NotAName => f.write_str("has a name that is not written plainly: use the form -Name"),
            BindReason::UnknownName => f.write_str("names a parameter that the command does not have"),
            BindReason::Ambiguous(one, other) => {
                write!(f, "is an abbreviation of -{one} and of -{other}: write the whole name")
            }
            BindReason::Denied(name) => write!(f, "is -{name}, which is never allowed: leave it out"),
            BindReason::Duplicate(name) => write!(f, "gives -{name} a second time: give it once"),
            BindReason::MissingValue(name) => write!(f, "is -{name} without a value: put one after it"),
            BindReason::TwoReadings(name) => write!(
                f,
                "is {name} without a dash and without a value, before a value without a name: write -{name}, or put \
                 the value into the same entry"
            ),
            BindReason::SwitchValue(name) => {
                write!(f, "gives the switch -{name} a value: write -{name}, -{name}:$true or -{name}:$false")
            }
            BindReason::DoubtfulSwitch(name) => {
                write!(f, "is -{name}, of which it is not known whether it is a switch: write -{name}:VALUE")
            }
            BindReason::Unnamed => {
                f.write_str("has no name, and the positions of this command are not known: name the parameter")
            }
            BindReason::Undecided(one, other) => {
                write!(f, "has no name and could be -{one} or -{other}: name the parameter")
            }
            BindReason::NotByPosition(name) => {
                write!(f, "has no name and would be -{name}, which takes none by position: name the parameter")
            }
            BindReason::Surplus => f.write_str("has no name, and no position is left for it"),
        }
    }
}

//! What a question for commands looks for, prepared once for all commands.

use super::SHOWN;
use super::offered::{Kind, Offered};
use super::wildcard::{self, Name, Pattern};
use crate::enforce::pipeline::CommandQuery;
use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord};

/// Characters of a name in an error.
const ABOUT: usize = 128;

/// A question for commands.
pub(super) struct Sought<'q> {
    names: Vec<Named<'q>>,
    modules: Vec<Pattern>,
    kinds: Option<i32>,
}

/// One name or pattern of names, in all the ways in which it may be meant.
struct Named<'q> {
    text: &'q str,
    whole: Pattern,
    by_module: Option<(Pattern, Pattern)>,
    as_program: Pattern,
}

/// What of a command is compared.
struct Candidate {
    /// A program that may be called without its ending.
    is_program: bool,
    name: Name,
    module: Name,
}

impl<'q> Sought<'q> {
    pub(super) fn of(query: &'q CommandQuery) -> Self {
        Self {
            names: query.names.iter().map(|name| Named::of(name)).collect(),
            modules: query.modules.iter().map(|module| Pattern::new(module)).collect(),
            kinds: query.kinds,
        }
    }

    /// Whether a command is among those that are asked for.
    pub(super) fn has(&self, one: &Offered) -> bool {
        let (_, flag) = one.kind.flag();
        let kind = match (self.kinds, &one.kind) {
            (Some(kinds), _) => kinds & flag != 0,
            // As PowerShell does: these are shown when they are asked for by name or by kind.
            (None, Kind::Alias(_) | Kind::Application(_)) => !self.names.is_empty(),
            (None, Kind::Cmdlet | Kind::Function) => true,
        };
        let one = Candidate::of(one);
        let named = self.names.is_empty() || self.names.iter().any(|named| named.is(&one));
        kind && named && (self.modules.is_empty() || self.modules.iter().any(|module| module.fits(&one.module)))
    }

    /// As PowerShell does: a name that is not there is an error, and a pattern that fits nothing is none.
    pub(super) fn missing(&self, all: &[Offered]) -> Vec<ErrorRecord> {
        let plain: Vec<&Named<'_>> = self.names.iter().filter(|named| wildcard::is_plain(named.text)).collect();
        if plain.is_empty() {
            return Vec::new();
        }
        let all: Vec<Candidate> = all.iter().map(Candidate::of).collect();
        let missing = plain.into_iter().filter(|named| !all.iter().any(|one| named.is(one)));
        missing.take(SHOWN).map(|named| not_found(named.text)).collect()
    }
}

impl<'q> Named<'q> {
    fn of(text: &'q str) -> Self {
        let by_module = text.split_once('\\').map(|(module, name)| (Pattern::new(module), Pattern::new(name)));
        Self { text, whole: Pattern::new(text), by_module, as_program: Pattern::new(&format!("{text}.exe")) }
    }

    fn is(&self, one: &Candidate) -> bool {
        let by_module = || {
            let both = self.by_module.as_ref();
            both.is_some_and(|(module, name)| module.fits(&one.module) && name.fits(&one.name))
        };
        let as_program = || one.is_program && self.as_program.fits(&one.name);
        self.whole.fits(&one.name) || by_module() || as_program()
    }
}

impl Candidate {
    fn of(one: &Offered) -> Self {
        let has_end = one.name.len() > 4 && one.name.to_ascii_lowercase().ends_with(".exe");
        let is_program = has_end && matches!(one.kind, Kind::Application(_));
        Self { is_program, name: Name::new(&one.name), module: Name::new(&one.module) }
    }
}

fn not_found(name: &str) -> ErrorRecord {
    let about: String = name.chars().filter(|c| !c.is_control()).take(ABOUT).collect();
    ErrorRecord {
        message: format!("'{about}' is no command that you are allowed on this target: Get-Command shows them"),
        id: "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand".to_owned(),
        category: ErrorCategory::ObjectNotFound,
        about,
    }
}

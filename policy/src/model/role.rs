//! A role: what its holders may do, in the form in which it is looked up.

use std::collections::HashMap;
use std::sync::Arc;

use super::command::CommandRule;
use super::script::ScriptRule;
use crate::arguments::ArgumentRule;
use crate::catalog::{CommandInfo, Edition};
use crate::decision::Input;
use crate::program_path::ProgramPath;

/// A role: what its holders may do.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Ordered by name.
    pub(crate) programs: Vec<ProgramRule>,
    /// Rules by the program's key.
    by_key: HashMap<String, Vec<usize>>,
    /// In the order of the document.
    pub(crate) commands: Vec<CommandRule>,
    tables: Tables,
    /// Folded alias to command name, folded.
    aliases: HashMap<String, String>,
    /// In the order of the document.
    pub(crate) scripts: Vec<ScriptRule>,
    /// Scripts by digest.
    by_digest: HashMap<String, Vec<usize>>,
    constant_commands: ConstantCommands,
}

/// A rule that allows one program.
#[derive(Debug, Clone)]
pub(crate) struct ProgramRule {
    pub(crate) name: String,
    pub(crate) path: ProgramPath,
    pub(crate) arguments: ArgumentRule,
    pub(crate) input: Input,
}

/// Whether `powershell.exe` with encoded text is read as script text when it comes through WinRS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConstantCommands {
    /// It is a program like any other.
    #[default]
    Unread,
    /// The role says `powershell = "constant-commands"`.
    Read,
}

/// What a role is made of.
#[derive(Debug, Default)]
pub(crate) struct RoleParts {
    pub(crate) name: String,
    pub(crate) programs: Vec<ProgramRule>,
    pub(crate) commands: Vec<CommandRule>,
    /// What each command rule covers, wildcards expanded.
    pub(crate) coverage: Vec<Coverage>,
    /// Folded alias and folded command name.
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) scripts: Vec<ScriptRule>,
    pub(crate) constant_commands: ConstantCommands,
}

/// One command that one rule covers in one edition.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// Index of the rule among the role's.
    pub(crate) rule: usize,
    pub(crate) edition: Edition,
    pub(crate) info: Arc<CommandInfo>,
    pub(crate) qualified: Qualified,
}

/// Whether a command may be called `Module\Name` by a rule (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualified {
    /// The entry has no parameter list, and the module has to be the catalogue's.
    Permitted,
    /// The entry has a parameter list.
    Refused,
}

/// A rule that covers a command, with what the catalogue knows of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) rule: &'a CommandRule,
    pub(crate) info: &'a Arc<CommandInfo>,
    pub(crate) qualified: Qualified,
}

/// Entries by folded command name, for each edition.
#[derive(Debug, Default)]
struct Tables {
    windows51: HashMap<String, Vec<Slot>>,
    core7: HashMap<String, Vec<Slot>>,
}

#[derive(Debug)]
struct Slot {
    rule: usize,
    info: Arc<CommandInfo>,
    qualified: Qualified,
}

impl Role {
    pub(crate) fn new(parts: RoleParts) -> Self {
        let RoleParts { name, mut programs, commands, coverage, aliases, scripts, constant_commands } = parts;
        programs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, rule) in programs.iter().enumerate() {
            by_key.entry(rule.path.key().to_owned()).or_default().push(index);
        }
        let mut by_digest: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, script) in scripts.iter().enumerate() {
            by_digest.entry(script.sha256.clone()).or_default().push(index);
        }
        let mut tables = Tables::default();
        coverage.into_iter().for_each(|covered| tables.insert(covered));
        let aliases = aliases.into_iter().collect();
        Self { name, programs, by_key, commands, tables, aliases, scripts, by_digest, constant_commands }
    }

    /// The rules whose program could be meant by a key, in order of their names.
    pub(crate) fn rules_for(&self, key: &str) -> impl Iterator<Item = &ProgramRule> {
        self.by_key.get(key).into_iter().flatten().filter_map(|index| self.programs.get(*index))
    }

    /// The rules that cover a command of the catalogue, alternatives all of them: one look-up, wildcards expanded.
    ///
    /// Takes the command's folded name without a module, aliases resolved before.
    pub(crate) fn command_entries(&self, edition: Edition, folded: &str) -> impl Iterator<Item = Entry<'_>> {
        self.tables.of(edition).get(folded).into_iter().flatten().filter_map(|slot| {
            let rule = self.commands.get(slot.rule)?;
            Some(Entry { rule, info: &slot.info, qualified: slot.qualified })
        })
    }

    /// All that the role covers in an edition: folded name and entry, in no order.
    pub(crate) fn covered(&self, edition: Edition) -> impl Iterator<Item = (&str, Entry<'_>)> {
        self.tables.of(edition).iter().flat_map(move |(name, slots)| {
            slots.iter().filter_map(move |slot| {
                let rule = self.commands.get(slot.rule)?;
                Some((name.as_str(), Entry { rule, info: &slot.info, qualified: slot.qualified }))
            })
        })
    }

    /// The folded name of the command that a folded alias stands for. Aliases count within their own role only.
    pub(crate) fn alias(&self, folded: &str) -> Option<&str> {
        self.aliases.get(folded).map(String::as_str)
    }

    /// All aliases with what they stand for, both folded, in no order.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(alias, name)| (alias.as_str(), name.as_str()))
    }

    /// The pinned scripts with this SHA-256 (lower-case hex), alternatives all of them.
    pub(crate) fn scripts_for(&self, sha256: &str) -> impl Iterator<Item = &ScriptRule> {
        self.by_digest.get(sha256).into_iter().flatten().filter_map(|index| self.scripts.get(*index))
    }

    /// Whether the role has PowerShell's encoded text through WinRS read as commands.
    pub(crate) fn constant_commands(&self) -> ConstantCommands {
        self.constant_commands
    }
}

impl Tables {
    fn of(&self, edition: Edition) -> &HashMap<String, Vec<Slot>> {
        match edition {
            Edition::Windows51 => &self.windows51,
            Edition::Core7 => &self.core7,
        }
    }

    fn insert(&mut self, covered: Coverage) {
        let Coverage { rule, edition, info, qualified } = covered;
        let table = match edition {
            Edition::Windows51 => &mut self.windows51,
            Edition::Core7 => &mut self.core7,
        };
        table.entry(crate::fold::fold(&info.name)).or_default().push(Slot { rule, info, qualified });
    }
}

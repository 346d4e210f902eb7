//! From a command as written down to a command that can be judged by: every key checked, every mistake named.

use std::collections::HashSet;

use super::model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty, Unnamed,
    WorkflowParameters,
};
use super::record::{CommandRecord, ParameterRecord, PlaceRecord, RecordMistake};
use crate::fold::fold;
use crate::limits;
use crate::source_text::shown;

/// Parameters of one command. The largest known one has 108.
pub(super) const PARAMETERS: usize = 512;
/// Parameter sets of one command: PowerShell itself has no more than 32.
pub(super) const SETS: usize = 64;
/// Aliases of one command or parameter.
pub(super) const ALIASES: usize = 64;
/// Values of one parameter.
pub(super) const VALUES: usize = 2048;
/// Characters of a value, a type or a set's name.
pub(super) const TEXT: usize = 1024;
/// The highest position: that of .NET's `Int32`.
pub(super) const POSITION: u32 = 0x7FFF_FFFF;

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

impl CommandRecord {
    /// The command, and the editions that have it.
    ///
    /// # Errors
    /// Every mistake of the record: a name that is none, one that stands twice or is that of a common parameter, a
    /// set that does not exist, keys that contradict each other, and whatever is larger than any command is.
    pub fn check(&self) -> Result<(Vec<Edition>, CommandInfo), Vec<RecordMistake>> {
        let mut check = Check { parameter: None, mistakes: Vec::new() };
        let editions = check.editions(&self.editions);
        let info = check.command(self);
        if check.mistakes.is_empty() { Ok((editions, info)) } else { Err(check.mistakes) }
    }
}

/// Whether a command, a module or an alias of a command can be called so.
fn is_command_name(name: &str) -> bool {
    let sane = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().count() <= limits::NAME && name.chars().all(sane)
}

/// Whether a parameter or its alias can be called so. Never an empty name: one makes a target's PowerShell crash.
fn is_parameter_name(name: &str) -> bool {
    let sane = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    is_command_name(name) && name.chars().all(sane) && !name.starts_with('-')
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= TEXT && !text.chars().any(char::is_control)
}

struct Check {
    parameter: Option<usize>,
    mistakes: Vec<RecordMistake>,
}

impl Check {
    fn mistake(&mut self, key: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        if self.mistakes.len() < limits::MISTAKES {
            let (message, hint) = (message.into(), hint.into());
            self.mistakes.push(RecordMistake { parameter: self.parameter, key, message, hint });
        }
    }

    fn bounded<'a, T>(&mut self, key: &'static str, list: &'a [T], most: usize) -> &'a [T] {
        if list.len() > most {
            self.mistake(key, format!("`{key}` has {} entries", list.len()), format!("at most {most} are read"));
        }
        list.get(..most.min(list.len())).unwrap_or_default()
    }

    fn editions(&mut self, written: &[String]) -> Vec<Edition> {
        let mut editions = Vec::new();
        for edition in self.bounded("editions", written, ALIASES) {
            match edition.as_str() {
                "5.1" => editions.push(Edition::Windows51),
                "7" => editions.push(Edition::Core7),
                "ws2025" => editions.extend(EDITIONS),
                other => {
                    let message = format!("`{}` is no edition of PowerShell", shown(other));
                    self.mistake("editions", message, "write \"5.1\" or \"7\"");
                }
            }
        }
        if written.is_empty() {
            editions.extend(EDITIONS);
        }
        editions.sort_unstable();
        editions.dedup();
        editions
    }

    fn command(&mut self, record: &CommandRecord) -> CommandInfo {
        if !is_command_name(&record.name) {
            let hint = "use letters, digits, `-`, `_` and `.`";
            self.mistake("name", format!("`{}` is no name for a command", shown(&record.name)), hint);
        }
        if !record.module.is_empty() && !is_command_name(&record.module) {
            let hint = "use letters, digits, `-`, `_` and `.`, or leave `module` out";
            self.mistake("module", format!("`{}` is no name for a module", shown(&record.module)), hint);
        }
        let sets = self.sets(&record.sets);
        let mut info = CommandInfo {
            kind: self.kind(record.kind.as_deref()),
            common: record.common,
            should_process: record.should_process,
            transactions: record.transactions,
            workflow: if record.workflow_common { WorkflowParameters::Taken } else { WorkflowParameters::None },
            aliases: self.aliases("command_aliases", &record.command_aliases, is_command_name),
            default_set: self.default_set(record.default_set.as_deref(), &sets),
            sets,
            unnamed: self.unnamed(record.unnamed.as_deref()),
            doubts: self.texts("doubt", &record.doubts, VALUES),
            ..CommandInfo::new(record.name.as_str(), record.module.as_str())
        };
        for (index, parameter) in self.bounded("parameters", &record.parameters, PARAMETERS).iter().enumerate() {
            self.parameter = Some(index);
            let parameter = self.parameter(parameter, &info.sets);
            info.parameters.push(parameter);
        }
        self.names(&info);
        self.positions(&info);
        self.parameter = None;
        info
    }

    fn kind(&mut self, written: Option<&str>) -> CommandKind {
        match written {
            Some("cmdlet") => CommandKind::Cmdlet,
            Some("function" | "cdxml") => CommandKind::Function,
            Some("unknown") | None => CommandKind::Unknown,
            Some(other) => {
                let message = format!("`{}` is no kind of command", shown(other));
                self.mistake("kind", message, "write \"cmdlet\" or \"function\"");
                CommandKind::Unknown
            }
        }
    }

    fn unnamed(&mut self, written: Option<&str>) -> Unnamed {
        match written {
            None => Unnamed::Bind,
            Some("refuse") => Unnamed::Refuse,
            Some(other) => {
                let message = format!("`unnamed` is `{}`", shown(other));
                self.mistake("unnamed", message, "write \"refuse\", or leave it out where the positions are known");
                Unnamed::Refuse
            }
        }
    }

    fn sets(&mut self, written: &[String]) -> Vec<String> {
        let sets = self.texts("sets", written, SETS);
        if let Some(twice) = twice(sets.iter().map(String::as_str)) {
            self.mistake("sets", format!("the set `{}` stands twice", shown(twice)), "name each set once");
        }
        sets
    }

    fn default_set(&mut self, written: Option<&str>, sets: &[String]) -> Option<usize> {
        match written {
            Some(name) => self.set(name, sets, "default_set"),
            // The only one is the default one.
            None => (sets.len() == 1).then_some(0),
        }
    }

    fn set(&mut self, name: &str, sets: &[String], key: &'static str) -> Option<usize> {
        let found = sets.iter().position(|set| fold(set) == fold(name));
        if found.is_none() {
            let message = format!("there is no parameter set `{}`", shown(name));
            self.mistake(key, message, "name it in the `sets` of the command too");
        }
        found
    }

    fn texts(&mut self, key: &'static str, written: &[String], most: usize) -> Vec<String> {
        let texts = self.bounded(key, written, most).to_vec();
        if let Some(odd) = texts.iter().find(|text| !is_text(text)) {
            let message = format!("`{}` in `{key}` is empty, longer than {TEXT} characters, or no text", shown(odd));
            self.mistake(key, message, "write it as PowerShell shows it");
        }
        texts
    }

    fn aliases(&mut self, key: &'static str, written: &[String], sane: fn(&str) -> bool) -> Vec<String> {
        let aliases = self.bounded(key, written, ALIASES).to_vec();
        // Aliases of commands have odd characters: `?`, `%`. Since none counts unless a policy lists it, they go.
        if key == "command_aliases" {
            return aliases.into_iter().filter(|alias| sane(alias)).collect();
        }
        if let Some(odd) = aliases.iter().find(|alias| !sane(alias)) {
            let message = format!("`{}` is no name for a parameter", shown(odd));
            self.mistake(key, message, "use letters, digits and `_`, without a dash in front");
        }
        aliases
    }

    fn parameter(&mut self, record: &ParameterRecord, sets: &[String]) -> ParameterInfo {
        if !is_parameter_name(&record.name) {
            let message = format!("`{}` is no name for a parameter", shown(&record.name));
            self.mistake("name", message, "use letters, digits and `_`, without a dash in front");
        }
        let membership = self.membership(record, sets);
        ParameterInfo {
            aliases: self.aliases("aliases", &record.aliases, is_parameter_name),
            membership,
            pipeline: self.pipeline(&record.pipeline),
            remaining: record.remaining,
            wildcards: record.wildcards,
            values: self.texts("values", &record.values, VALUES),
            dynamic: self.texts("dynamic", &record.dynamic, ALIASES),
            ..ParameterInfo::new(record.name.as_str(), self.parameter_kind(record))
        }
    }

    fn parameter_kind(&mut self, record: &ParameterRecord) -> ParameterKind {
        let name = shown(&record.name);
        match (&record.type_name, record.switch, record.switch_doubt) {
            (_, _, true) => ParameterKind::Switch(Uncertainty::Doubtful),
            (None, true, false) => ParameterKind::Switch(Uncertainty::Sure),
            (Some(type_name), false, false) => {
                if !is_text(type_name) {
                    let message = format!("the `type` of `{name}` is empty, longer than {TEXT} characters, or no text");
                    self.mistake("type", message, "write the name of a .NET type, for instance \"string\"");
                }
                ParameterKind::Value(type_name.clone())
            }
            (None, false, false) => {
                let message = format!("the parameter `{name}` has neither `type` nor `switch`");
                self.mistake("type", message, "write type = \"string\", or switch = true if it takes no value");
                ParameterKind::Switch(Uncertainty::Doubtful)
            }
            (Some(_), true, false) => {
                let message = format!("the parameter `{name}` has both `type` and `switch`");
                self.mistake("switch", message, "a switch takes no value: leave one of the two out");
                ParameterKind::Switch(Uncertainty::Doubtful)
            }
        }
    }

    fn membership(&mut self, record: &ParameterRecord, sets: &[String]) -> Vec<Membership> {
        let everywhere = PlaceRecord { position: record.position, mandatory: record.mandatory };
        if record.by_set.is_empty() {
            if record.sets.is_empty() {
                return vec![self.place(None, everywhere)];
            }
            let names = record.sets.iter().map(|name| (name.as_str(), everywhere)).collect();
            return self.places("sets", names, sets);
        }
        if !record.sets.is_empty() || everywhere != PlaceRecord::default() {
            let message = format!("`{}` has `by_set` and also `sets`, `position` or `mandatory`", shown(&record.name));
            self.mistake("by_set", message, "with `by_set` they stand inside it");
        }
        let names = record.by_set.iter().map(|(name, place)| (name.as_str(), *place)).collect();
        self.places("by_set", names, sets)
    }

    fn places(&mut self, key: &'static str, written: Vec<(&str, PlaceRecord)>, sets: &[String]) -> Vec<Membership> {
        let written = self.bounded(key, &written, SETS);
        if let Some(twice) = twice(written.iter().map(|(name, _)| *name)) {
            self.mistake(key, format!("the set `{}` stands twice in `{key}`", shown(twice)), "name each set once");
        }
        let mut places = Vec::with_capacity(written.len());
        for (name, place) in written {
            if let Some(set) = self.set(name, sets, key) {
                places.push(self.place(Some(set), *place));
            }
        }
        places
    }

    fn place(&mut self, set: Option<usize>, place: PlaceRecord) -> Membership {
        if place.position.is_some_and(|position| position > POSITION) {
            self.mistake("position", "`position` is larger than any", "count from 0");
        }
        Membership { set, position: place.position, mandatory: place.mandatory }
    }

    fn pipeline(&mut self, written: &[String]) -> PipelineInput {
        let mut input = PipelineInput::default();
        for word in self.bounded("pipeline", written, ALIASES) {
            match word.as_str() {
                "value" => input.value = true,
                "property" => input.property = true,
                "unknown" => input = PipelineInput { value: true, property: true },
                other => {
                    let message = format!("`pipeline` holds `{}`", shown(other));
                    self.mistake("pipeline", message, "write \"value\", \"property\" or both");
                }
            }
        }
        input
    }

    /// Names and aliases of parameters are one name space, which the common parameters share.
    fn names(&mut self, info: &CommandInfo) {
        let mut seen = HashSet::new();
        for (index, parameter) in info.parameters.iter().enumerate() {
            self.parameter = Some(index);
            let named = std::iter::once(("name", &parameter.name));
            for (key, name) in named.chain(parameter.aliases.iter().map(|alias| ("aliases", alias))) {
                let folded = fold(name);
                if info.common_parameters().any(|common| common.is_called(&folded)) {
                    let message = format!("`{}` is a common parameter", shown(name));
                    self.mistake(key, message, "common parameters are not listed: leave it out");
                } else if !seen.insert(folded) {
                    let message = format!("`{}` names two parameters, or one twice", shown(name));
                    self.mistake(key, message, "each name and each alias stands once in a command");
                }
            }
        }
    }

    /// Two parameters in one place cannot both take the argument that stands there.
    fn positions(&mut self, info: &CommandInfo) {
        // What is wrong already may look as if it shared a place.
        if info.unnamed == Unnamed::Refuse || !self.mistakes.is_empty() {
            return;
        }
        let mut taken = HashSet::new();
        for (index, parameter) in info.parameters.iter().enumerate() {
            self.parameter = Some(index);
            let before = taken.len();
            let mut wanted = 0_usize;
            for place in &parameter.membership {
                let Some(position) = place.position else { continue };
                let sets = match place.set {
                    Some(set) => set..set.saturating_add(1),
                    None => 0..info.sets.len().max(1),
                };
                wanted = wanted.saturating_add(sets.len());
                taken.extend(sets.map(|set| (set, position)));
            }
            if taken.len().saturating_sub(before) < wanted {
                let message = format!("`{}` has the position of another parameter of its set", shown(&parameter.name));
                self.mistake("position", message, "correct it, or write unnamed = \"refuse\" on the command");
            }
        }
    }
}

/// The first that stands twice, whatever its case.
fn twice<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(fold(name)))
}

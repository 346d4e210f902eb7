//! Commands as a real machine knows them: the JSON that the one-liner of `docs/catalog.md` writes from the metadata of
//! `Get-Command`.

mod json;
mod metadata;

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use self::json::Place;
use super::model::{CommandInfo, Edition};
use crate::fold::fold;
use crate::limits;
use crate::source_text::shown;

/// Bytes of one import: all commands of a server with every role take about half.
pub const IMPORT_BYTES: usize = 64 * 1024 * 1024;
/// Commands of one import.
pub const IMPORT_COMMANDS: usize = 16_384;

/// What keeps an import from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMistake {
    /// The command, by its name where it has one; empty for the whole file.
    pub command: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for ImportMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.command.is_empty() {
            write!(f, "{}: ", self.command)?;
        }
        write!(f, "{} ({})", self.message, self.hint)
    }
}

/// The commands of an import, each with the edition of the machine that it comes from.
///
/// # Errors
/// Every mistake of the file: what is no such JSON, what is no command that a policy could name, and a command that
/// stands there twice for one edition.
pub fn from_json(text: &str) -> Result<Vec<(Vec<Edition>, CommandInfo)>, Vec<ImportMistake>> {
    let whole =
        |message: String, hint: &str| vec![ImportMistake { command: String::new(), message, hint: hint.to_owned() }];
    if text.len() > IMPORT_BYTES {
        return Err(whole(format!("larger than {IMPORT_BYTES} bytes"), "import fewer modules at once"));
    }
    let hint = "save what the one-liner of docs/catalog.md prints, as UTF-8";
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{FEFF}'))
        .map_err(|error| whole(format!("not readable as JSON: {error}"), hint))?;
    let commands = json::many(&json);
    if commands.len() > IMPORT_COMMANDS {
        return Err(whole(format!("more than {IMPORT_COMMANDS} commands"), "import fewer modules at once"));
    }
    let mut import = Import::default();
    for (number, command) in commands.into_iter().enumerate() {
        import.command(number, command);
    }
    if import.mistakes.is_empty() { Ok(import.commands) } else { Err(import.mistakes) }
}

#[derive(Default)]
struct Import {
    commands: Vec<(Vec<Edition>, CommandInfo)>,
    seen: HashSet<(String, Vec<Edition>)>,
    mistakes: Vec<ImportMistake>,
}

impl Import {
    fn command(&mut self, number: usize, command: &Value) {
        let place = match command.get("Name").and_then(Value::as_str) {
            Some(name) => shown(name),
            None => format!("command {}", number.saturating_add(1)),
        };
        match metadata::record(Place(command)) {
            Ok(record) => match record.check() {
                Ok((editions, info)) => self.keep(place, editions, info),
                Err(mistakes) => {
                    for mistake in mistakes {
                        self.mistake(&place, mistake.message, mistake.hint);
                    }
                }
            },
            Err((message, hint)) => self.mistake(&place, message, hint),
        }
    }

    fn keep(&mut self, place: String, editions: Vec<Edition>, info: CommandInfo) {
        if self.seen.insert((fold(&info.name), editions.clone())) {
            self.commands.push((editions, info));
        } else {
            let hint = "leave one of the two out, for instance with Where-Object ModuleName -eq ...";
            self.mistake(&place, "stands there twice".to_owned(), hint.to_owned());
        }
    }

    fn mistake(&mut self, command: &str, message: String, hint: String) {
        if self.mistakes.len() < limits::MISTAKES {
            self.mistakes.push(ImportMistake { command: command.to_owned(), message, hint });
        }
    }
}

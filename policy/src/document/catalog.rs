//! `[catalog]`: commands that are not shipped, or are otherwise on the targets.

use toml::de::DeTable;

use crate::catalog::{CommandInfo, CommandRecord, Edition, ParameterRecord, PlaceRecord, RecordMistake};
use crate::source_text::{Located, Reader, Span, Value, shown};

/// What a document says about the catalogue.
#[derive(Debug)]
pub(crate) struct CatalogDocument {
    pub(crate) mode: Option<(Span, Mode)>,
    /// With the place of each command's name.
    pub(crate) commands: Vec<(Located, Vec<Edition>, CommandInfo)>,
}

/// What the documents' commands are to the shipped ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Extend,
    Replace,
}

const COMMAND_KEYS: [&str; 13] = [
    "name",
    "module",
    "editions",
    "kind",
    "common",
    "workflow_common",
    "should_process",
    "transactions",
    "command_aliases",
    "sets",
    "default_set",
    "unnamed",
    "parameters",
];
const PARAMETER_KEYS: [&str; 14] = [
    "name",
    "aliases",
    "switch",
    "switch_doubt",
    "type",
    "sets",
    "by_set",
    "position",
    "mandatory",
    "pipeline",
    "remaining",
    "wildcards",
    "values",
    "dynamic",
];
/// The highest position: that of .NET's `Int32`.
const POSITION: usize = 0x7FFF_FFFF;

pub(super) fn read(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<CatalogDocument> {
    let table = reader.table(value, "`catalog`", "a table headed [catalog]")?;
    reader.known_keys(table, "`catalog`", &["mode", "commands"]);
    let mode = table.get("mode").and_then(|mode| read_mode(reader, mode));
    let wanted = "one table for each command, headed [[catalog.commands]]";
    let list = table.get("commands").and_then(|value| reader.list(value, "`catalog.commands`", wanted));
    let commands = list.into_iter().flatten().filter_map(|entry| read_command(reader, entry)).collect();
    Some(CatalogDocument { mode, commands })
}

fn read_mode(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(Span, Mode)> {
    let mode = reader.text(value, "`mode`")?;
    match mode.text.as_str() {
        "extend" => Some((mode.span, Mode::Extend)),
        "replace" => Some((mode.span, Mode::Replace)),
        other => {
            let message = format!("`{}` is no mode of the catalogue", shown(other));
            reader.mistake(&mode.span, message, "write \"extend\" or \"replace\"");
            None
        }
    }
}

fn read_command(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(Located, Vec<Edition>, CommandInfo)> {
    let table = reader.table(value, "a command of the catalogue", "a table headed [[catalog.commands]]")?;
    let before = reader.mistakes.len();
    reader.known_keys(table, "a command of the catalogue", &COMMAND_KEYS);
    let Some(name) = table.get("name") else {
        reader.missing(&value.span(), "the command", "name", "write name = 'Restart-WebAppPool'");
        return None;
    };
    let name = reader.text(name, "`name`")?;
    let mut keys = Keys { reader, table };
    let mut record = CommandRecord {
        name: name.text.clone(),
        module: keys.text("module").unwrap_or_default(),
        editions: keys.texts("editions"),
        kind: keys.text("kind"),
        common: keys.switch("common").unwrap_or(true),
        workflow_common: keys.switch("workflow_common").unwrap_or(false),
        should_process: keys.switch("should_process").unwrap_or(false),
        transactions: keys.switch("transactions").unwrap_or(false),
        command_aliases: keys.texts("command_aliases"),
        sets: keys.texts("sets"),
        default_set: keys.text("default_set"),
        unnamed: keys.text("unnamed"),
        parameters: Vec::new(),
        doubts: Vec::new(),
    };
    let mut places = Vec::new();
    if let Some(list) = table.get("parameters").and_then(|list| reader.list(list, "`parameters`", "a list of tables")) {
        for entry in list {
            record.parameters.extend(read_parameter(reader, entry));
            places.push(entry);
        }
    }
    if reader.mistakes.len() > before {
        return None;
    }
    match record.check() {
        Ok((editions, info)) => Some((name, editions, info)),
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| report(reader, (value, table), &places, mistake));
            None
        }
    }
}

/// Puts a mistake at the value of its key, or else at what the key is missing in.
fn report(
    reader: &mut Reader<'_>,
    (value, table): (&Value<'_>, &DeTable<'_>),
    parameters: &[&Value<'_>],
    mistake: RecordMistake,
) {
    let parameter = mistake.parameter.and_then(|index| parameters.get(index)).copied();
    let within = parameter.map_or(Some(table), |parameter| parameter.get_ref().as_table());
    let key = within.and_then(|table| table.get(mistake.key));
    let span = key.or(parameter).unwrap_or(value).span();
    reader.mistake(&span, mistake.message, mistake.hint);
}

fn read_parameter(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ParameterRecord> {
    let table = reader.table(value, "a parameter", "a table, for instance { name = 'Name', type = 'string' }")?;
    reader.known_keys(table, "a parameter of the catalogue", &PARAMETER_KEYS);
    let by_set = table.get("by_set").map(|value| read_places(reader, value)).unwrap_or_default();
    let mut keys = Keys { reader, table };
    Some(ParameterRecord {
        name: keys.text("name").unwrap_or_default(),
        aliases: keys.texts("aliases"),
        switch: keys.switch("switch").unwrap_or(false),
        switch_doubt: keys.switch("switch_doubt").unwrap_or(false),
        type_name: keys.text("type"),
        sets: keys.texts("sets"),
        by_set,
        position: keys.position(),
        mandatory: keys.switch("mandatory").unwrap_or(false),
        pipeline: keys.texts("pipeline"),
        remaining: keys.switch("remaining").unwrap_or(false),
        wildcards: keys.switch("wildcards").unwrap_or(false),
        values: keys.texts("values"),
        dynamic: keys.texts("dynamic"),
    })
}

fn read_places(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<(String, PlaceRecord)> {
    const WANTED: &str = "a table of sets, for instance { SetA = { position = 0, mandatory = true }, SetB = {} }";
    let mut places = Vec::new();
    for (set, value) in reader.table(value, "`by_set`", WANTED).into_iter().flatten() {
        let Some(table) = reader.table(value, "a set of `by_set`", WANTED) else {
            continue;
        };
        reader.known_keys(table, "a set of `by_set`", &["position", "mandatory"]);
        let mut keys = Keys { reader, table };
        let place = PlaceRecord { position: keys.position(), mandatory: keys.switch("mandatory").unwrap_or(false) };
        places.push((set.get_ref().to_string(), place));
    }
    places
}

/// Optional keys of a table.
struct Keys<'r, 'a, 't, 'i> {
    reader: &'r mut Reader<'a>,
    table: &'t DeTable<'i>,
}

impl Keys<'_, '_, '_, '_> {
    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.table.get(key)?;
        self.reader.text(value, &format!("`{key}`")).map(|text| text.text)
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let list = self.table.get(key).map(|value| self.reader.texts(value, &format!("`{key}`"))).unwrap_or_default();
        list.into_iter().map(|text| text.text).collect()
    }

    fn switch(&mut self, key: &str) -> Option<bool> {
        let value = self.table.get(key)?;
        self.reader.switch(value, &format!("`{key}`"))
    }

    fn position(&mut self) -> Option<u32> {
        let value = self.table.get("position")?;
        self.reader.count(value, "`position`", POSITION).and_then(|count| u32::try_from(count).ok())
    }
}

//! The catalogue of commands in its source form: a folder with a file of JSON lines for each module, a command a
//! line. `catalog-generate` makes the shipped catalogue of it; `docs/catalog.md` has the meaning of every key.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use sekisho_policy::catalog::{
    CommandInfo, CommandRecord, Origin, ParameterKind, ParameterRecord, PlaceRecord, Unnamed, encode,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The compact form of a folder, and what it holds in numbers.
#[derive(Debug)]
pub struct Generated {
    pub blob: Vec<u8>,
    /// One figure a line, the digest of the blob last.
    pub summary: String,
}

/// Why a folder has no compact form.
#[derive(Debug)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// What a line says besides its definition.
#[derive(Debug, Deserialize)]
struct Head {
    name: String,
    module: String,
    editions: Vec<String>,
    in7: Option<Definition>,
}

/// A key that nobody reads is an error, so that no mark is lost.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of the source form, one to one")]
struct Definition {
    kind: Option<String>,
    common: bool,
    #[serde(default)]
    workflow_common: bool,
    should_process: bool,
    #[serde(default)]
    transactions: bool,
    #[serde(default)]
    command_aliases: Vec<String>,
    sets: Vec<String>,
    default_set: Option<String>,
    unnamed: Option<String>,
    parameters: Vec<Parameter>,
    #[serde(default)]
    doubt: Vec<Doubt>,
}

#[derive(Debug, Deserialize)]
struct Doubt {
    what: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of the source form, one to one")]
struct Parameter {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    switch: bool,
    #[serde(default)]
    switch_doubt: bool,
    #[serde(rename = "type")]
    type_name: Option<String>,
    #[serde(default)]
    sets: Vec<String>,
    #[serde(default)]
    by_set: BTreeMap<String, Place>,
    position: Option<u32>,
    #[serde(default)]
    mandatory: bool,
    #[serde(default)]
    pipeline: Vec<String>,
    #[serde(default)]
    remaining: bool,
    #[serde(default)]
    wildcards: bool,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    dynamic: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    position: Option<u32>,
    #[serde(default)]
    mandatory: bool,
}

/// Reads the folder and makes the compact form.
///
/// # Errors
/// When a file cannot be read, or a line of it is no command; the message says which.
pub fn generate(folder: &Path) -> Result<Generated, Unusable> {
    let commands = read(folder)?;
    let blob = encode(&commands).map_err(|error| Unusable(error.to_string()))?;
    let summary = summary(&commands, &blob);
    Ok(Generated { blob, summary })
}

/// All definitions of a folder, checked.
///
/// # Errors
/// As [`generate`].
pub fn read(folder: &Path) -> Result<Vec<(Origin, CommandInfo)>, Unusable> {
    let unreadable = |error: std::io::Error| Unusable(format!("cannot read {}: {error}", folder.display()));
    let mut commands = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        for (number, line) in text.lines().enumerate() {
            let place = |why: String| Unusable(format!("{}, line {}: {why}", path.display(), number.saturating_add(1)));
            commands.extend(definitions(line).map_err(place)?);
        }
    }
    Ok(commands)
}

/// The definitions of a line: two where PowerShell 7 has one of its own.
///
/// # Errors
/// What is wrong with the line.
pub fn definitions(line: &str) -> Result<Vec<(Origin, CommandInfo)>, String> {
    let mut keys: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    let line: Head = serde_json::from_value(keys.clone().into()).map_err(|error| error.to_string())?;
    keys.retain(|key, _| !matches!(key.as_str(), "name" | "module" | "editions" | "in7"));
    let definition: Definition =
        serde_json::from_value(keys.into()).map_err(|error| format!("{}: {error}", line.name))?;
    let origin = origin(&line.editions)?;
    let (first, second) = match (origin, line.in7) {
        (origin, None) => ((origin, definition), None),
        (Origin::Both, Some(in7)) => ((Origin::Windows51, definition), Some((Origin::Core7, in7))),
        (_, Some(_)) => return Err(format!("{}: `in7` beside one edition", line.name)),
    };
    std::iter::once(first)
        .chain(second)
        .map(|(origin, definition)| checked(&line.name, &line.module, origin, definition))
        .collect()
}

fn origin(editions: &[String]) -> Result<Origin, String> {
    match editions.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["5.1"] => Ok(Origin::Windows51),
        ["7"] => Ok(Origin::Core7),
        ["5.1", "7"] => Ok(Origin::Both),
        ["ws2025"] => Ok(Origin::WindowsServer),
        other => Err(format!("the editions {other:?} together are not foreseen")),
    }
}

fn checked(name: &str, module: &str, origin: Origin, definition: Definition) -> Result<(Origin, CommandInfo), String> {
    let mut doubts: Vec<String> = definition.doubt.into_iter().map(|doubt| doubt.what).collect();
    doubts.sort_unstable();
    doubts.dedup();
    let record = CommandRecord {
        name: name.to_owned(),
        module: module.to_owned(),
        editions: Vec::new(),
        kind: definition.kind,
        common: definition.common,
        workflow_common: definition.workflow_common,
        should_process: definition.should_process,
        transactions: definition.transactions,
        command_aliases: definition.command_aliases,
        sets: definition.sets,
        default_set: definition.default_set,
        unnamed: definition.unnamed,
        parameters: definition.parameters.into_iter().map(parameter).collect(),
        doubts,
    };
    match record.check() {
        Ok((_, info)) => Ok((origin, info)),
        Err(mistakes) => Err(format!("{name}: {}", mistakes.first().map(ToString::to_string).unwrap_or_default())),
    }
}

fn parameter(parameter: Parameter) -> ParameterRecord {
    let place =
        |(name, place): (String, Place)| (name, PlaceRecord { position: place.position, mandatory: place.mandatory });
    ParameterRecord {
        name: parameter.name,
        aliases: parameter.aliases,
        switch: parameter.switch,
        switch_doubt: parameter.switch_doubt,
        type_name: parameter.type_name,
        sets: parameter.sets,
        by_set: parameter.by_set.into_iter().map(place).collect(),
        position: parameter.position,
        mandatory: parameter.mandatory,
        pipeline: parameter.pipeline,
        remaining: parameter.remaining,
        wildcards: parameter.wildcards,
        values: parameter.values,
        dynamic: parameter.dynamic,
    }
}

/// What a catalogue holds, in numbers, one a line.
#[must_use]
pub fn summary(commands: &[(Origin, CommandInfo)], blob: &[u8]) -> String {
    let infos = || commands.iter().map(|(_, info)| info);
    let parameters = || infos().flat_map(|info| &info.parameters);
    let count = |name: &str, number: usize| format!("{name}: {number}\n");
    let modules: std::collections::BTreeSet<&str> = infos().map(|info| info.module.as_str()).collect();
    let of = |wanted: Origin| commands.iter().filter(|(origin, _)| *origin == wanted).count();
    let mut text = String::new();
    text += &count("modules", modules.len());
    // A definition of PowerShell 7 for which there is one of 5.1 too is the same command.
    let named: std::collections::BTreeSet<(&str, &str)> =
        infos().map(|info| (info.module.as_str(), info.name.as_str())).collect();
    text += &count("commands", named.len());
    text += &count("definitions", commands.len());
    text += &count("definitions for Windows PowerShell 5.1 alone", of(Origin::Windows51));
    text += &count("definitions for PowerShell 7 alone", of(Origin::Core7));
    text += &count("definitions for both", of(Origin::Both));
    text += &count("definitions of modules of Windows Server 2025", of(Origin::WindowsServer));
    text += &count("parameters", parameters().count());
    text += &count("switches", parameters().filter(|p| matches!(p.kind, ParameterKind::Switch(_))).count());
    text += &count("unnamed arguments refused", infos().filter(|info| info.unnamed == Unnamed::Refuse).count());
    text +=
        &count("default set unknown", infos().filter(|info| info.sets.len() > 1 && info.default_set.is_none()).count());
    text += &count("bytes", blob.len());
    let digest = Sha256::digest(blob).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    text + "SHA-256: " + &digest + "\n"
}

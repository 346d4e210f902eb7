//! From the metadata of PowerShell to a record: common parameters told apart, sets by name.

use super::json::{Place, Wrong};
use crate::catalog::check::SETS;
use crate::catalog::common::{COMMON_PARAMETERS, CommonGroup};
use crate::catalog::record::{CommandRecord, ParameterRecord, PlaceRecord};
use crate::fold::fold;
use crate::source_text::shown;

/// What PowerShell calls the places of a parameter in all sets that do not name it, and the only set of a command
/// that has none with a name.
const ALL_SETS: &str = "__AllParameterSets";

/// The common parameters that every version has: a command that lacks one takes none of them.
const ALWAYS: [&str; 7] =
    ["Verbose", "Debug", "ErrorAction", "WarningAction", "ErrorVariable", "WarningVariable", "OutVariable"];

struct Parameter {
    record: ParameterRecord,
    /// Its places by the name of the set.
    places: Vec<(String, PlaceRecord)>,
}

/// Reads one command.
pub(super) fn record(command: Place<'_>) -> Result<CommandRecord, Wrong> {
    const KEYS: [&str; 8] = ["Name", "Module", "Kind", "PowerShell", "Provider", "DefaultSet", "Sets", "Parameters"];
    command.known(&KEYS)?;
    let kind = command.text("Kind")?;
    let provider = command.text("Provider")?;
    let parameters: Vec<Parameter> =
        command.places("Parameters").into_iter().map(|place| parameter(place, provider)).collect::<Result<_, _>>()?;
    let has = |group: CommonGroup| match group {
        CommonGroup::Common => ALWAYS.iter().all(|name| parameters.iter().any(|p| p.record.name == *name)),
        CommonGroup::Workflow => kind == "Workflow",
        CommonGroup::ShouldProcess | CommonGroup::Transaction => {
            let mut wanted = COMMON_PARAMETERS.iter().filter(|common| common.group == group);
            wanted.all(|common| parameters.iter().any(|p| is_common(&p.record, group) && p.record.name == common.name))
        }
    };
    let mut record = CommandRecord {
        name: command.text("Name")?.to_owned(),
        module: command.text("Module")?.to_owned(),
        editions: vec![edition(command.text("PowerShell")?)?],
        kind: Some(kind_of(kind)?.to_owned()),
        common: has(CommonGroup::Common),
        workflow_common: has(CommonGroup::Workflow),
        should_process: has(CommonGroup::ShouldProcess),
        transactions: has(CommonGroup::Transaction),
        sets: command.texts("Sets")?,
        ..CommandRecord::default()
    };
    let groups = [
        (record.common, CommonGroup::Common),
        (record.workflow_common, CommonGroup::Workflow),
        (record.should_process, CommonGroup::ShouldProcess),
        (record.transactions, CommonGroup::Transaction),
    ];
    let added = |p: &ParameterRecord| groups.iter().any(|(taken, group)| *taken && is_common(p, *group));
    let own = parameters.into_iter().filter(|parameter| !added(&parameter.record)).collect();
    sets(&mut record, command.text("DefaultSet")?, own);
    Ok(record)
}

/// Whether this is the parameter that PowerShell adds, and not one of the command that is called the same: then it
/// has the alias that PowerShell gives it.
fn is_common(parameter: &ParameterRecord, group: CommonGroup) -> bool {
    COMMON_PARAMETERS.iter().filter(|common| common.group == group).any(|common| {
        parameter.name.eq_ignore_ascii_case(common.name)
            && common.alias.is_none_or(|alias| parameter.aliases.iter().any(|own| own.eq_ignore_ascii_case(alias)))
    })
}

fn edition(version: &str) -> Result<String, Wrong> {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(5) => Ok("5.1".to_owned()),
        Some(7..) => Ok("7".to_owned()),
        Some(_) | None => Err((
            format!("comes from PowerShell `{}`", shown(version)),
            "run the one-liner in Windows PowerShell 5.1 or PowerShell 7".to_owned(),
        )),
    }
}

fn kind_of(kind: &str) -> Result<&'static str, Wrong> {
    match kind {
        "Cmdlet" => Ok("cmdlet"),
        "Function" | "Filter" | "Workflow" => Ok("function"),
        _ => Err((
            "is neither a cmdlet nor a function".to_owned(),
            "add -CommandType Cmdlet, Function to the one-liner's Get-Command".to_owned(),
        )),
    }
}

fn parameter(place: Place<'_>, provider: &str) -> Result<Parameter, Wrong> {
    place.known(&["Name", "Type", "Switch", "Dynamic", "Aliases", "Values", "Sets"])?;
    let mut record = ParameterRecord {
        name: place.text("Name")?.to_owned(),
        aliases: place.texts("Aliases")?,
        switch: place.bool("Switch")?,
        values: place.texts("Values")?,
        ..ParameterRecord::default()
    };
    if !record.switch {
        record.type_name = Some(place.text("Type")?.to_owned());
    }
    if place.bool("Dynamic")? {
        record.dynamic.push(provider.to_owned());
    }
    let mut places = Vec::new();
    for set in place.places("Sets") {
        set.known(&["Name", "Position", "Mandatory", "Value", "Property", "Remaining"])?;
        // No position is written as the smallest number.
        let position = u32::try_from(set.number("Position")?).ok();
        places.push((set.text("Name")?.to_owned(), PlaceRecord { position, mandatory: set.bool("Mandatory")? }));
        record.remaining |= set.bool("Remaining")?;
        for (key, word) in [("Value", "value"), ("Property", "property")] {
            if set.bool(key)? && !record.pipeline.iter().any(|known| known == word) {
                record.pipeline.push(word.to_owned());
            }
        }
    }
    Ok(Parameter { record, places })
}

/// Gives the record its sets, and each parameter its places in them.
fn sets(record: &mut CommandRecord, default: &str, parameters: Vec<Parameter>) {
    let named = |name: &String| fold(name) != fold(ALL_SETS);
    let mut known = std::mem::take(&mut record.sets);
    if !default.is_empty() {
        known.push(default.to_owned());
        record.default_set = Some(default.to_owned());
    }
    known.extend(parameters.iter().flat_map(|parameter| &parameter.places).map(|(name, _)| name.clone()));
    let mut seen = std::collections::HashSet::new();
    known.retain(|name| named(name) && seen.insert(fold(name)));
    if known.is_empty() {
        known.push(ALL_SETS.to_owned());
    }
    record.default_set = record.default_set.take().filter(|name| known.iter().any(|set| fold(set) == fold(name)));
    record.sets = known;
    if record.sets.len() > SETS {
        // The record is refused for it, and nothing here shall take its time before.
        return;
    }
    for Parameter { record: parameter, places } in parameters {
        let parameter = placed(parameter, places, &record.sets);
        record.parameters.push(parameter);
    }
    if collide(record) {
        record.unnamed = Some("refuse".to_owned());
    }
}

fn placed(mut parameter: ParameterRecord, places: Vec<(String, PlaceRecord)>, sets: &[String]) -> ParameterRecord {
    let everywhere = places.iter().find(|(name, _)| fold(name) == fold(ALL_SETS)).map(|(_, place)| *place);
    let own: Vec<(String, PlaceRecord)> = places.into_iter().filter(|(name, _)| fold(name) != fold(ALL_SETS)).collect();
    match everywhere {
        Some(place) if own.is_empty() => {
            parameter.position = place.position;
            parameter.mandatory = place.mandatory;
        }
        Some(place) => {
            // What a set says itself comes before what is said of all.
            let of = |set: &String| own.iter().find(|(name, _)| fold(name) == fold(set)).map_or(place, |(_, own)| *own);
            parameter.by_set = sets.iter().map(|set| (set.clone(), of(set))).collect();
        }
        None => parameter.by_set = own,
    }
    parameter
}

/// Whether two parameters share a place in a set: PowerShell itself cannot bind by position then.
fn collide(record: &CommandRecord) -> bool {
    let mut taken = std::collections::HashSet::new();
    record.parameters.iter().any(|parameter| {
        record.sets.iter().any(|set| {
            let place = match parameter.by_set.is_empty() {
                true => parameter.position,
                false => parameter.by_set.iter().find(|(name, _)| name == set).and_then(|(_, place)| place.position),
            };
            place.is_some_and(|position| !taken.insert((set.clone(), position)))
        })
    })
}

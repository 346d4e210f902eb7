//! One command, in words: what `policy catalog show` prints.

use super::blob::Origin;
use super::common::{COMMON_PARAMETERS, CommonGroup, CommonVerdict};
use super::model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, Uncertainty, Unnamed,
    WorkflowParameters,
};
use super::shipped::{CREDIT, Catalog, Source};

/// Doubts that say nothing about how a command is judged.
const HARMLESS: [&str; 2] = ["switch_mandatory", "switch_position"];

/// What a catalogue knows of a command, line by line: once where the editions agree, and once for each where they do
/// not. Empty when it knows nothing.
#[must_use]
pub fn explain(catalog: &Catalog, name: &str) -> Vec<String> {
    let of = |edition| Some((catalog.lookup(edition, name)?, catalog.source(edition, name)?));
    let mut lines = match (of(Edition::Windows51), of(Edition::Core7)) {
        (None, None) => return Vec::new(),
        (Some((first, source)), Some(second)) if (&first, source) == (&second.0, second.1) => {
            command(&first, "Windows PowerShell 5.1 and PowerShell 7", source)
        }
        (first, second) => {
            let each = [(first, "Windows PowerShell 5.1"), (second, "PowerShell 7")];
            let known = each.into_iter().filter_map(|(found, editions)| found.map(|found| (found, editions)));
            known.flat_map(|((info, source), editions)| command(&info, editions, source)).collect()
        }
    };
    let shipped = |edition| matches!(catalog.source(edition, name), Some(Source::Shipped(_)));
    if shipped(Edition::Windows51) || shipped(Edition::Core7) {
        lines.push(CREDIT.to_owned());
    }
    lines
}

fn command(info: &CommandInfo, editions: &str, source: Source) -> Vec<String> {
    let source = match source {
        Source::Policy => "as the policy says",
        Source::Shipped(Origin::WindowsServer) => "as shipped, from a module of Windows Server 2025",
        Source::Shipped(Origin::Windows51 | Origin::Core7 | Origin::Both) => "as shipped",
    };
    let kind = match info.kind {
        CommandKind::Cmdlet => "cmdlet",
        CommandKind::Function => "function (JEA lists it among VisibleFunctions)",
        CommandKind::Unknown => "cmdlet or function, which is not known",
    };
    let module = if info.module.is_empty() { "no module" } else { &info.module };
    let mut lines = vec![format!("{}  ({module})", info.name), format!("  {kind}, in {editions}, {source}")];
    lines.extend(sets(info));
    if info.parameters.is_empty() {
        lines.push("  no parameters of its own".to_owned());
    }
    lines.extend(info.parameters.iter().map(|entry| parameter(info, entry)));
    lines.extend(common(info));
    lines.extend(marks(info).into_iter().map(|mark| format!("  note: {mark}")));
    lines
}

fn sets(info: &CommandInfo) -> Option<String> {
    if info.sets.len() < 2 {
        return None;
    }
    let name = |(index, set): (usize, &String)| {
        if info.default_set == Some(index) { format!("{set} (default)") } else { set.clone() }
    };
    Some(format!("  parameter sets: {}", info.sets.iter().enumerate().map(name).collect::<Vec<_>>().join(", ")))
}

fn parameter(info: &CommandInfo, parameter: &ParameterInfo) -> String {
    let mut facts = vec![match &parameter.kind {
        ParameterKind::Switch(Uncertainty::Sure) => "switch".to_owned(),
        ParameterKind::Switch(Uncertainty::Doubtful) => {
            format!("switch or not is not known: only -{}:value is accepted", parameter.name)
        }
        ParameterKind::Value(type_name) => type_name.clone(),
    }];
    if !parameter.aliases.is_empty() {
        facts.push(format!("alias {}", parameter.aliases.join(", ")));
    }
    facts.extend(places(info, &parameter.membership));
    match (parameter.pipeline.value, parameter.pipeline.property) {
        (false, false) => {}
        (true, false) => facts.push("takes objects from the pipeline".to_owned()),
        (false, true) => facts.push("takes properties from the pipeline".to_owned()),
        (true, true) => facts.push("takes objects and properties from the pipeline".to_owned()),
    }
    if parameter.remaining {
        facts.push("takes the unnamed arguments that are left over".to_owned());
    }
    if parameter.wildcards {
        facts.push("takes wildcards: a pattern of the policy has to see to that".to_owned());
    }
    if !parameter.values.is_empty() {
        facts.push(format!("documented values {}", parameter.values.join(", ")));
    }
    if !parameter.dynamic.is_empty() {
        facts.push(format!("there only on paths of {}, by its name only", parameter.dynamic.join(", ")));
    }
    format!("  -{}  {}", parameter.name, facts.join("; "))
}

fn places(info: &CommandInfo, membership: &[Membership]) -> Vec<String> {
    let place = |entry: &Membership| {
        let position = entry.position.map(|position| format!("position {position}"));
        let mandatory = entry.mandatory.then(|| "mandatory".to_owned());
        position.into_iter().chain(mandatory).collect::<Vec<_>>().join(", ")
    };
    let set = |entry: &Membership| entry.set.and_then(|set| info.sets.get(set));
    let one = |entry: &Membership| match (set(entry), place(entry)) {
        // With a single set there is nothing to tell apart.
        (Some(set), place) if info.sets.len() > 1 && place.is_empty() => format!("in {set}"),
        (Some(set), place) if info.sets.len() > 1 => format!("in {set}: {place}"),
        (_, place) => place,
    };
    membership.iter().map(one).filter(|text| !text.is_empty()).collect()
}

fn common(info: &CommandInfo) -> Vec<String> {
    let names = |group: CommonGroup, verdict: CommonVerdict| {
        let of = COMMON_PARAMETERS.iter().filter(|common| common.group == group && common.verdict == verdict);
        of.map(|common| format!("-{}", common.name)).collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    if info.common {
        lines.push(format!("  allowed whenever it is: {}", names(CommonGroup::Common, CommonVerdict::Allowed)));
        lines.push(format!("  never allowed: {}", names(CommonGroup::Common, CommonVerdict::Denied)));
    } else {
        lines.push("  takes no common parameters: only what is listed".to_owned());
    }
    if info.should_process {
        lines.push(format!("  allowed too: {}", names(CommonGroup::ShouldProcess, CommonVerdict::Allowed)));
    }
    if info.transactions {
        lines.push(format!("  never allowed: {}", names(CommonGroup::Transaction, CommonVerdict::Denied)));
    }
    if info.workflow == WorkflowParameters::Taken {
        lines.push(format!("  never allowed: {}", names(CommonGroup::Workflow, CommonVerdict::Denied)));
    }
    lines
}

/// What each mark of the catalogue means for who writes a policy.
fn marks(info: &CommandInfo) -> Vec<String> {
    let mut marks = Vec::new();
    if info.unnamed == Unnamed::Refuse {
        marks.push("its positions are not known for sure, so that every argument needs its name".to_owned());
    }
    if info.sets.len() > 1 && info.default_set.is_none() {
        marks.push(
            "its default set is not known: an unnamed argument counts only where all sets that are left agree"
                .to_owned(),
        );
    }
    if info.parameters.iter().any(|parameter| !parameter.dynamic.is_empty()) {
        marks
            .push("some parameters exist only on certain paths, and the target may not know them on others".to_owned());
    }
    if info.parameters.iter().any(|p| p.membership.iter().any(|m| m.position.is_some()) && is_switch(p)) {
        marks.push("a switch has a position: an unnamed argument that would land on it is refused".to_owned());
    }
    let doubts: Vec<&str> = info.doubts.iter().map(String::as_str).filter(|doubt| !HARMLESS.contains(doubt)).collect();
    if !doubts.is_empty() {
        let doubts = doubts.join(", ");
        marks.push(format!("its documentation is at odds with itself ({doubts}), and the careful reading is shown"));
    }
    marks
}

fn is_switch(parameter: &ParameterInfo) -> bool {
    matches!(parameter.kind, ParameterKind::Switch(_))
}

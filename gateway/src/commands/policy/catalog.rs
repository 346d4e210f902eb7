//! `policy catalog`: what PowerShell's commands accept.

use std::fmt::Write as _;
use std::io::Write;

use sekisho_policy::Edition;
use sekisho_policy::catalog::{
    CREDIT, Catalog, CommandInfo, CommandKind, Membership, Origin, ParameterInfo, ParameterKind, Source, Uncertainty,
    Unnamed,
};

use super::super::{CommandError, Status};
use super::PolicyCommandError;
use super::forms::edition;
use crate::cli::CatalogCommand;

/// Names that are offered instead of one that is unknown.
const MAX_OFFERED: usize = 8;

pub(super) fn run(command: &CatalogCommand, out: &mut dyn Write) -> Result<Status, CommandError> {
    match command {
        CatalogCommand::Show { name, edition: wanted } => {
            let wanted = edition(wanted).map_err(PolicyCommandError::Asked)?;
            show(Catalog::shipped(), wanted, name, out)
        }
    }
}

fn show(catalogue: &Catalog, edition: Edition, name: &str, out: &mut dyn Write) -> Result<Status, CommandError> {
    let Some(info) = catalogue.lookup(edition, name) else {
        let offered = offered(catalogue, edition, name);
        let others = if offered.is_empty() { String::new() } else { format!("; there are {}", offered.join(", ")) };
        let why = format!("the catalogue knows no command of this name for PowerShell {}{others}", number(edition));
        return Err(PolicyCommandError::Asked(why).into());
    };
    out.write_all(described(&info, catalogue.source(edition, name), edition).as_bytes())?;
    Ok(Status::Fine)
}

fn number(edition: Edition) -> &'static str {
    match edition {
        Edition::Windows51 => "5.1",
        Edition::Core7 => "7",
    }
}

/// Commands that are called like that, or of the same noun.
fn offered<'c>(catalogue: &'c Catalog, edition: Edition, name: &str) -> Vec<&'c str> {
    let wanted = name.to_lowercase();
    let noun = wanted.split_once('-').map_or(wanted.as_str(), |(_, noun)| noun);
    let alike = |known: &str| !noun.is_empty() && known.to_lowercase().contains(noun);
    let mut found: Vec<&str> = catalogue.names(edition).map(|(name, _)| name).filter(|known| alike(known)).collect();
    found.sort_unstable();
    found.truncate(MAX_OFFERED);
    found
}

fn described(info: &CommandInfo, source: Option<Source>, edition: Edition) -> String {
    let kind = match info.kind {
        CommandKind::Cmdlet => "cmdlet",
        CommandKind::Function => "function",
        CommandKind::Unknown => "cmdlet or function",
    };
    let module = if info.module.is_empty() { String::new() } else { format!(" of {}", info.module) };
    let mut text = format!("{}: {kind}{module}, PowerShell {}\n", info.name, number(edition));
    let shipped = match source {
        Some(Source::Shipped(origin)) => Some(match origin {
            Origin::Windows51 => "the reference of Windows PowerShell 5.1",
            Origin::Core7 => "the reference of PowerShell 7",
            Origin::Both => "the reference of both editions",
            Origin::WindowsServer => "the reference of Windows Server 2025",
        }),
        Some(Source::Policy) | None => None,
    };
    line(&mut text, format_args!("from: {}", shipped.unwrap_or("the policy")));
    if !info.aliases.is_empty() {
        line(
            &mut text,
            format_args!("aliases on Windows, which count only where a role lists them: {}", info.aliases.join(", ")),
        );
    }
    let common = match (info.common, info.should_process) {
        (true, true) => "the common parameters, -WhatIf and -Confirm",
        (true, false) => "the common parameters",
        (false, true) => "-WhatIf and -Confirm, and no other common parameter",
        (false, false) => "no common parameter",
    };
    line(&mut text, format_args!("takes: {common}"));
    if info.sets.len() > 1 {
        let default = info.default_set.and_then(|index| info.sets.get(index));
        let shown = default.map_or("none is known to be the default", String::as_str);
        line(&mut text, format_args!("parameter sets: {} (default: {shown})", info.sets.join(", ")));
    }
    if info.unnamed == Unnamed::Refuse {
        line(&mut text, format_args!("arguments without a name are refused: their positions are not known"));
    }
    for parameter in &info.parameters {
        line(&mut text, format_args!("{}", described_parameter(parameter, &info.sets)));
    }
    if !info.doubts.is_empty() {
        line(&mut text, format_args!("its pages disagree on: {}", info.doubts.join(", ")));
    }
    if shipped.is_some() {
        line(&mut text, format_args!("{CREDIT}"));
    }
    text
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "    {words}");
}

fn described_parameter(parameter: &ParameterInfo, sets: &[String]) -> String {
    let names = std::iter::once(&parameter.name).chain(&parameter.aliases);
    let names = names.map(|name| format!("-{name}")).collect::<Vec<_>>().join(", ");
    let mut facts = vec![match &parameter.kind {
        ParameterKind::Switch(Uncertainty::Sure) => "switch".to_owned(),
        ParameterKind::Switch(Uncertainty::Doubtful) => "switch; a value only as -Name:value".to_owned(),
        ParameterKind::Value(of) => of.clone(),
    }];
    facts.extend(parameter.membership.iter().filter_map(|place| described_place(place, sets)));
    match (parameter.pipeline.value, parameter.pipeline.property) {
        (true, true) => facts.push("from the pipeline, by value or property".to_owned()),
        (true, false) => facts.push("from the pipeline".to_owned()),
        (false, true) => facts.push("from the pipeline, by property".to_owned()),
        (false, false) => {}
    }
    if parameter.remaining {
        facts.push("takes what is left over".to_owned());
    }
    if !parameter.values.is_empty() {
        facts.push(format!("documented values: {}", parameter.values.join("|")));
    }
    if !parameter.dynamic.is_empty() {
        facts.push(format!("only on paths of {}", parameter.dynamic.join(", ")));
    }
    format!("{names}: {}", facts.join("; "))
}

/// Nothing for a place in all sets that says nothing more.
fn described_place(place: &Membership, sets: &[String]) -> Option<String> {
    let set = place.set.and_then(|index| sets.get(index)).filter(|_| sets.len() > 1);
    let facts = [
        place.position.map(|position| format!("position {position}")),
        place.mandatory.then(|| "mandatory".to_owned()),
        set.map(|set| format!("in {set}")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    (!facts.is_empty()).then(|| facts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(edition: Edition, name: &str) -> Result<String, String> {
        let mut out = Vec::new();
        show(Catalog::shipped(), edition, name, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_command_is_shown_with_all_that_a_policy_has_to_know() {
        let text = shown(Edition::Windows51, "restart-service").unwrap();
        for part in [
            "Restart-Service: ",
            "of Microsoft.PowerShell.Management, PowerShell 5.1\n",
            "    takes: the common parameters, -WhatIf and -Confirm\n",
            "(default: InputObject)",
            "    -Force: switch\n",
            "    -Name, -ServiceName: System.String[]; position 0 mandatory in Default; from the pipeline",
            CREDIT,
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let refused = shown(Edition::Core7, "Invoke-Command").unwrap();
        assert!(refused.contains("arguments without a name are refused"), "{refused}");
    }

    #[test]
    fn for_a_name_that_is_unknown_others_are_offered() {
        let why = shown(Edition::Windows51, "Recycle-WebAppPool").unwrap_err();
        assert!(why.contains("Restart-WebAppPool") && why.contains("PowerShell 5.1"), "{why}");
        assert!(!shown(Edition::Core7, "Xyzzy-").unwrap_err().contains("there are"));
    }
}

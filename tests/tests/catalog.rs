//! The shipped catalogue against its source, and the documented one-liner against a real PowerShell.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use sekisho_policy::catalog::{
    Catalog, CommandInfo, Edition, Membership, ParameterInfo, ParameterKind, Source, Unnamed, from_json,
};
use sekisho_tests::engine::{self, Task};
use sekisho_tests::{catalog, left_out, source};

type Outcome = Result<(), Box<dyn Error>>;

const SOURCE: &str = "../shared/catalog";

#[test]
fn the_shipped_catalogue_is_what_its_source_says() -> Outcome {
    let folder = source::root().join(SOURCE);
    if !folder.is_dir() {
        left_out(&format!("the source of the catalogue is not at {SOURCE}"));
        return Ok(());
    }
    let mut source = catalog::read(&folder)?;
    source.sort_by(|(a, first), (b, second)| (&first.module, &first.name, a).cmp(&(&second.module, &second.name, b)));
    let shipped = Catalog::shipped().definitions();
    assert_eq!(shipped.len(), source.len());
    for ((origin, info), (expected, definition)) in shipped.iter().zip(&source) {
        assert_eq!((origin, info.as_ref()), (expected, definition));
    }
    let data = source::root().join("policy/src/catalog/data");
    let generated = catalog::generate(&folder)?;
    assert!(generated.blob == std::fs::read(data.join("shipped.bin"))?, "run catalog-generate again");
    assert_eq!(generated.summary, std::fs::read_to_string(data.join("shipped.txt"))?);
    Ok(())
}

#[test]
fn a_line_of_the_source_with_an_unknown_mark_is_refused() -> Outcome {
    let line = r#"{"name":"Get-X","module":"M","editions":["5.1","7"],"kind":"cmdlet","common":true,"should_process":false,
        "sets":[],"parameters":[{"name":"A","switch":true}],"in7":{"common":true,"should_process":true,"sets":[],"parameters":[]}}"#;
    let definitions = catalog::definitions(line)?;
    assert_eq!(definitions.len(), 2);
    assert!(definitions.iter().any(|(_, info)| info.should_process && info.parameters.is_empty()));
    for (old, new) in [
        (r#""kind":"cmdlet""#, r#""kind":"cmdlet","mark":true"#),
        (r#""switch":true"#, r#""switch":true,"mark":true"#),
        (r#""switch":true"#, r#""switch":true,"sets":["S"]"#),
        (r#"["5.1","7"]"#, r#"["5.1"]"#),
        (r#"["5.1","7"]"#, r#"["8"]"#),
    ] {
        assert!(catalog::definitions(&line.replace(old, new)).is_err(), "{new}");
    }
    assert!(catalog::generate(Path::new("no such folder")).is_err());
    Ok(())
}

/// The one-liner as the guide has it, up to where it writes its file, with other commands.
fn one_liner(commands: &str) -> Result<String, Box<dyn Error>> {
    let guide = std::fs::read_to_string(source::root().join("docs/catalog.md"))?;
    let block = guide.split("```powershell\n").nth(1).and_then(|rest| rest.split("```").next());
    let (script, _) =
        block.and_then(|block| block.split_once(" | Set-Content ")).ok_or("the guide has no one-liner")?;
    let (_, rest) = script.split_once(" | ").ok_or("the one-liner has no pipeline")?;
    Ok(format!("{commands} | {rest}\n"))
}

/// What the one-liner says in a real PowerShell; nothing where there is none.
fn asked(prelude: &str, commands: &str) -> Result<Option<String>, Box<dyn Error>> {
    let Some(engine) = engine::find(Task::Run)? else { return Ok(None) };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("import.ps1");
    std::fs::write(&script, format!("{prelude}\n{}", one_liner(commands)?))?;
    let output = engine.command().arg(&script).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(Some(String::from_utf8(output.stdout)?))
}

#[test]
fn the_one_liner_of_the_guide_says_what_functions_accept() -> Outcome {
    let prelude = "\
        function Get-Plain($A, [switch]$B, [int]$C) {}\n\
        function Set-Bound { [CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'D')] param(\n\
            [Parameter(ParameterSetName = 'X', Mandatory, Position = 0)][ValidateSet('a', 'b')][Alias('N', 'Nm')][string[]]$Name,\n\
            [Parameter()][Parameter(ParameterSetName = 'Y', Mandatory, Position = 3)][int]$Id,\n\
            [Parameter(ValueFromRemainingArguments)]$Rest) }\n\
        function Add-Debugging { param([switch]$Debug, [switch]$Confirm) }\n\
        function Use-Nothing { }";
    let names = "Get-Plain, Set-Bound, Add-Debugging, Use-Nothing";
    let Some(json) = asked(prelude, &format!("Get-Command {names}"))? else { return Ok(()) };
    let commands: BTreeMap<String, CommandInfo> = from_json(&json)
        .map_err(|mistakes| format!("{mistakes:?}"))?
        .into_iter()
        .map(|(_, info)| (info.name.clone(), info))
        .collect();
    let plain = commands.get("Get-Plain").ok_or("it is missing")?;
    assert!(!plain.common && !plain.should_process);
    let positions: Vec<_> = plain.parameters.iter().map(|p| p.membership.first().and_then(|m| m.position)).collect();
    assert_eq!(positions, [Some(0), None, Some(1)], "in the order of their declaration");
    let bound = commands.get("Set-Bound").ok_or("it is missing")?;
    assert!(bound.common && bound.should_process);
    assert_eq!((bound.sets.join(" "), bound.default_set), ("D X Y".to_owned(), Some(0)));
    let names: Vec<_> =
        bound.parameters.iter().map(|p| (p.name.as_str(), p.aliases.join(" "), p.values.len())).collect();
    assert_eq!(names, [("Name", "N Nm".to_owned(), 2), ("Id", String::new(), 0), ("Rest", String::new(), 0)]);
    let places = bound.parameters.get(1).map(|p| p.membership.iter().map(|m| (m.mandatory, m.position)).collect());
    assert_eq!(places, Some(vec![(false, None), (false, None), (true, Some(3))]));
    assert!(bound.parameters.get(2).is_some_and(|p| p.remaining));
    let debugging = commands.get("Add-Debugging").ok_or("it is missing")?;
    assert!(!debugging.common && debugging.parameters.len() == 2);
    assert!(commands.get("Use-Nothing").is_some_and(|info| !info.common && info.parameters.is_empty()));
    // One command comes as an object, not as a list of one.
    let one = asked("", "Get-Command Where-Object")?.unwrap_or_default();
    assert_eq!(from_json(&one).map_err(|mistakes| format!("{mistakes:?}"))?.len(), 1);
    Ok(())
}

/// A parameter's place in a set: what all sets say unless the set says something.
fn place(parameter: &ParameterInfo, set: Option<usize>) -> Option<&Membership> {
    parameter.membership.iter().find(|place| place.set.is_none() || place.set == set)
}

/// Where two catalogues differ on a command. Only what both know is compared: parameters and sets of Windows alone, and
/// those that no page has, are not in both.
fn differences(machine: &CommandInfo, shipped: &CommandInfo) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |differs: bool, what: String| {
        if differs {
            found.push(format!("{} {what}", machine.name));
        }
    };
    let flags = |info: &CommandInfo| (info.common, info.should_process, info.transactions);
    note(flags(machine) != flags(shipped), "flags".to_owned());
    let default = |info: &CommandInfo| info.default_set.and_then(|set| info.sets.get(set)).cloned();
    let several = machine.sets.len() > 1 && shipped.sets.len() > 1;
    note(several && default(machine) != default(shipped), "default set".to_owned());
    for ours in &machine.parameters {
        let Some(theirs) = shipped.parameters.iter().find(|other| other.name.eq_ignore_ascii_case(&ours.name)) else {
            continue;
        };
        let is_switch = |p: &ParameterInfo| matches!(p.kind, ParameterKind::Switch(_));
        note(is_switch(ours) != is_switch(theirs), format!("-{} switch", ours.name));
        let aliases = |p: &ParameterInfo| {
            let mut aliases: Vec<String> = p.aliases.iter().map(|alias| alias.to_ascii_lowercase()).collect();
            aliases.sort_unstable();
            aliases
        };
        note(aliases(ours) != aliases(theirs), format!("-{} aliases", ours.name));
        for (index, set) in machine.sets.iter().enumerate() {
            let other = shipped.sets.iter().position(|known| known == set);
            let (Some(here), Some(there)) = (place(ours, Some(index)), place(theirs, other)) else { continue };
            note(here.mandatory != there.mandatory, format!("-{} mandatory in {set}", ours.name));
            // Positions are ranks: whether it has one is comparable.
            let positions = here.position.is_some() != there.position.is_some();
            note(shipped.unnamed == Unnamed::Bind && positions, format!("-{} position in {set}", ours.name));
        }
    }
    found
}

#[test]
fn the_shipped_catalogue_agrees_with_a_real_powershell() -> Outcome {
    let core = "Get-Command -CommandType Cmdlet, Function -Module Microsoft.PowerShell.Core";
    let Some(json) = asked("", core)? else { return Ok(()) };
    let machine = from_json(&json).map_err(|mistakes| format!("{mistakes:?}"))?;
    let (mut compared, mut found) = (0_usize, Vec::new());
    for (editions, info) in &machine {
        assert_eq!(editions, &[Edition::Core7]);
        let shipped = Catalog::shipped();
        if let Some(known) = shipped.lookup(Edition::Core7, &info.name) {
            assert!(matches!(shipped.source(Edition::Core7, &info.name), Some(Source::Shipped(_))));
            compared = compared.saturating_add(1);
            found.extend(differences(info, &known));
        }
    }
    assert!(45 <= compared, "{compared} commands");
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

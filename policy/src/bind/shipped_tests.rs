//! Binding against the shipped catalogue: what people type every day, and every parameter there is.

use super::*;
use crate::catalog::{Catalog, CommonVerdict, Edition};

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// Words as a client sends them: `-Name` is a name without a value, everything else is a value.
fn words(line: &str) -> Vec<Argument> {
    let word = |word: &str| match (word.starts_with('-'), word.parse::<i32>()) {
        (true, _) => Argument::named(word, Value::Null),
        (false, Ok(number)) => Argument::positional(Value::int(number)),
        (false, Err(_)) => Argument::positional(Value::text(word)),
    };
    line.split(' ').skip(1).map(word).collect()
}

/// The parameters that the words of a line are bound to.
fn names(edition: Edition, line: &str) -> Result<Vec<String>, String> {
    let command = line.split(' ').next().unwrap_or_default();
    let info = Catalog::shipped().lookup(edition, command).unwrap_or_else(|| panic!("{command}"));
    match bind(&info, &words(line)) {
        Ok(bound) => Ok(bound.iter().map(|one| one.name.to_owned()).collect()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

#[test]
fn what_people_type_is_bound_as_on_a_target() {
    for (line, expected) in [
        ("Restart-Service Spooler", "Name"),
        ("Restart-Service Spooler -Force", "Name Force"),
        ("Stop-Service -Force Spooler", "Force Name"),
        ("Get-Service Spooler", "Name"),
        ("Stop-Process 4711", "Id"),
        ("Get-Process notepad", "Name"),
        ("Get-ChildItem C:\\ *.txt -Recurse", "Path Filter Recurse"),
        ("Copy-Item a b", "Path Destination"),
        ("Get-Content a.txt -Tail 5", "Path Tail"),
        ("Where-Object Status -eq Running", "Property EQ Value"),
        ("ForEach-Object Name", "MemberName"),
        ("Select-Object Name", "Property"),
        ("Sort-Object Name -Descending", "Property Descending"),
        ("Write-Host a b", "Object"),
        ("Join-Path a b", "Path ChildPath"),
        ("Test-Path C:\\", "Path"),
        ("Set-Content a.txt b", "Path Value"),
        ("Get-Item -LiteralPath C:\\", "LiteralPath"),
    ] {
        for edition in EDITIONS {
            let bound = names(edition, line).unwrap_or_else(|refusal| panic!("{edition:?} {line}: {refusal}"));
            assert_eq!(bound.join(" "), expected, "{edition:?} {line}");
        }
    }
    for (line, expected) in [
        ("Get-EventLog System 5", "LogName InstanceId"),
        ("Restart-WebAppPool Portal", "Name"),
        ("Get-ADUser aoki", "Identity"),
        ("Unlock-ADAccount aoki", "Identity"),
    ] {
        assert_eq!(names(Edition::Windows51, line).unwrap().join(" "), expected, "{line}");
    }
}

#[test]
fn what_is_not_sure_is_refused() {
    for line in ["Stop-Process notepad", "Invoke-Command web01", "Enter-PSSession web01"] {
        for edition in EDITIONS {
            assert!(names(edition, line).is_err(), "{edition:?} {line}: {:?}", names(edition, line));
        }
    }
    assert!(names(Edition::Core7, "Import-Module x").is_err(), "its page is not to be trusted");
}

#[test]
fn every_parameter_is_bound_by_its_name_and_its_aliases() {
    let value = [Value::text("x"), Value::Bool(true)];
    let mut seen = 0_usize;
    for edition in EDITIONS {
        for (command, _) in Catalog::shipped().names(edition) {
            let info = Catalog::shipped().lookup(edition, command).unwrap();
            for parameter in &info.parameters {
                let value = match parameter.kind {
                    ParameterKind::Value(_) | ParameterKind::Switch(Uncertainty::Doubtful) => &value[0],
                    ParameterKind::Switch(Uncertainty::Sure) => &value[1],
                };
                for name in std::iter::once(&parameter.name).chain(&parameter.aliases) {
                    for form in [format!("-{name}:"), name.to_uppercase()] {
                        let arguments = [Argument::named(form, value.clone())];
                        let bound = bind(&info, &arguments).unwrap_or_else(|why| panic!("{command} {name}: {why}"));
                        assert_eq!((bound[0].name, &*bound[0].value), (parameter.name.as_str(), value));
                        seen += 1;
                    }
                }
            }
            for common in info.common_parameters().filter(|common| common.verdict == CommonVerdict::Denied) {
                let arguments = [Argument::named(common.name, value[0].clone())];
                assert_eq!(bind(&info, &arguments).unwrap_err().reason, BindReason::Denied(common.name), "{command}");
            }
        }
    }
    assert!(seen > 60_000, "{seen}");
}

#[test]
fn what_is_bound_by_position_is_bound_the_same_by_name() {
    let (mut placed, mut refused) = (0_usize, 0_usize);
    for edition in EDITIONS {
        for (command, _) in Catalog::shipped().names(edition) {
            let info = Catalog::shipped().lookup(edition, command).unwrap();
            for count in 1..4 {
                let arguments = vec![Argument::positional(Value::text("x")); count];
                let Ok(bound) = bind(&info, &arguments) else {
                    refused += 1;
                    continue;
                };
                let named: Vec<Argument> = bound
                    .iter()
                    .map(|one| Argument::named(format!("-{}:", one.name), one.value.clone().into_owned()))
                    .collect();
                let again = bind(&info, &named).unwrap();
                let pairs = |list: &[Bound<'_>]| -> Vec<(String, Value)> {
                    list.iter().map(|one| (one.name.to_owned(), one.value.clone().into_owned())).collect()
                };
                assert_eq!(pairs(&again), pairs(&bound), "{command}");
                placed += 1;
            }
        }
    }
    assert!(placed > 4000 && refused > 4000, "{placed} placed, {refused} refused");
}

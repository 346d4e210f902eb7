//! What PowerShell's own commands write for a role is imported as that role.

use super::engine::{self, run};
use super::random::Random;
use sekisho_policy::jea::{File, Imported, Outcome, import};
use std::fs;
use std::path::Path;

/// Commands with parameters that they have.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("Restart-Service", &["Name", "Force", "PassThru", "DisplayName"]),
    ("Get-EventLog", &["LogName", "Newest", "EntryType"]),
    ("Get-WinEvent", &["LogName", "MaxEvents", "Path"]),
    ("Stop-Process", &["Name", "Id", "Force"]),
    ("Get-ChildItem", &["Path", "Filter", "Recurse"]),
    ("Get-Service", &["Name", "DisplayName"]),
];
const WHOLE: [&str; 5] = ["Get-Process", r"NetTCPIP\Get-NetIPAddress", "Get-Net*", "Get-Date", "Test-Path"];
/// Values that have to be written with care.
const VALUES: [&str; 10] = [
    "DNS",
    "it's",
    "\"q\" $x `n",
    "受注システム",
    "\u{2018}curly\u{2019}",
    "a;b #c",
    "@{ x = 1 }",
    "C:\\Logs\\",
    "two\nlines",
    "\u{201A}\u{201E}",
];
const PATTERNS: [&str; 6] = [r"\d{1,3}", "DNS|W32Time", "it's[a-z]+", r"C:\\Logs\\[a-z]+\.log", "^web$", "受注.?"];

/// A role as PowerShell's arguments and as what the import should say.
#[derive(Default)]
struct Role {
    arguments: Vec<String>,
    expected: toml::Table,
}

fn quoted(text: &str) -> String {
    let mut quoted = "'".to_owned();
    for c in text.chars() {
        let doubled = matches!(c, '\'' | '\u{2018}'..='\u{201B}');
        quoted.extend(std::iter::repeat_n(c, if doubled { 2 } else { 1 }));
    }
    quoted + "'"
}

fn texts(values: &[&str]) -> toml::Value {
    values.iter().map(|value| toml::Value::from(*value)).collect::<Vec<_>>().into()
}

fn some<'a>(random: &mut Random, from: &[&'a str]) -> Vec<&'a str> {
    let chosen: Vec<&str> = from.iter().filter(|_| random.once_in(2)).copied().collect();
    if chosen.is_empty() { vec![from[0]] } else { chosen }
}

fn parameter(random: &mut Random, name: &str) -> (String, toml::Value) {
    let mut text = format!("@{{ Name = {}", quoted(name));
    let mut table = toml::Table::new();
    table.insert("name".to_owned(), name.into());
    if random.once_in(3) {
        let set = some(random, &VALUES);
        text.push_str(&format!(
            "; ValidateSet = {}",
            set.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ")
        ));
        table.insert("validate_set".to_owned(), texts(&set));
    } else if random.once_in(2) {
        let pattern = random.pick(&PATTERNS);
        text.push_str(&format!("; ValidatePattern = {}", quoted(pattern)));
        table.insert("validate_pattern".to_owned(), pattern.into());
    }
    let value = if table.len() == 1 { name.into() } else { table.into() };
    (text + " }", value)
}

fn role(random: &mut Random) -> Role {
    let mut role = Role::default();
    let (mut written, mut expected) = (Vec::new(), Vec::new());
    for name in some(random, &WHOLE) {
        written.push(quoted(name));
        expected.push(toml::Value::from(name));
    }
    for (name, parameters) in COMMANDS.iter().filter(|_| random.once_in(2)).collect::<Vec<_>>() {
        let listed: Vec<_> = some(random, parameters).iter().map(|name| parameter(random, name)).collect();
        let (texts, values): (Vec<_>, Vec<_>) = listed.into_iter().unzip();
        written.push(format!("@{{ Name = {}; Parameters = {} }}", quoted(name), texts.join(", ")));
        let table =
            toml::Table::from_iter([("name".to_owned(), (*name).into()), ("parameters".to_owned(), values.into())]);
        expected.push(table.into());
    }
    role.arguments.push(format!("-VisibleCmdlets {}", written.join(", ")));
    role.expected.insert("cmdlets".to_owned(), expected.into());
    if random.once_in(2) {
        role.arguments.push("-VisibleFunctions 'Get-NetAdapter'".to_owned());
        role.expected.insert("functions".to_owned(), texts(&["Get-NetAdapter"]));
    }
    if random.once_in(2) {
        let description = random.pick(&VALUES);
        role.arguments.push(format!("-Description {}", quoted(description)));
        role.expected.insert("description".to_owned(), description.into());
    }
    if random.once_in(2) {
        role.arguments.push("-AliasDefinitions @{ Name = 'gp1'; Value = 'Get-Process' }".to_owned());
        let aliases = toml::Table::from_iter([("gp1".to_owned(), "Get-Process".into())]);
        role.expected.insert("aliases".to_owned(), aliases.into());
    }
    if random.once_in(2) {
        role.arguments.push(r"-VisibleExternalCommands 'C:\Windows\System32\hostname.exe'".to_owned());
        let program = toml::Table::from_iter([
            ("name".to_owned(), "hostname.exe".into()),
            ("path".to_owned(), r"C:\Windows\System32\hostname.exe".into()),
            ("arguments".to_owned(), toml::Table::from_iter([("any".to_owned(), true.into())]).into()),
        ]);
        role.expected.insert("programs".to_owned(), vec![toml::Value::from(program)].into());
    }
    if random.once_in(2) {
        role.arguments.push(
            "-FunctionDefinitions @{ Name = 'Get-X'; ScriptBlock = { param($a) \"$(if ($a) { '}' })\" } }".to_owned(),
        );
        role.arguments.push("-ModulesToImport 'NetTCPIP', @{ ModuleName = 'A'; ModuleVersion = '1.0' }".to_owned());
        role.arguments
            .push("-EnvironmentVariables @{ A = 'b' } -VariableDefinitions @{ Name = 'v'; Value = 'w' }".to_owned());
        role.arguments.push(
            "-VisibleProviders 'FileSystem' -TypesToProcess 'C:\\t.ps1xml' -ScriptsToProcess 'C:\\s.ps1'".to_owned(),
        );
    }
    role
}

fn imported(files: &[&Path]) -> Result<Imported, String> {
    let read: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    let files: Vec<File<'_>> = read.iter().map(|(name, bytes)| File { name, bytes }).collect();
    import(&files).map_err(|mistakes| format!("{mistakes:#?}"))
}

fn table(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn roles_that_powershell_writes_are_imported_as_they_were_meant() -> engine::Outcome {
    let folder = tempfile::tempdir()?;
    let mut random = Random::new(7);
    let roles: Vec<Role> = (0..60).map(|_| role(&mut random)).collect();
    let path = |index: usize| folder.path().join(format!("role{index}.psrc"));
    let mut script = String::new();
    for (index, role) in roles.iter().enumerate() {
        let arguments = role.arguments.join(" ");
        script.push_str(&format!("New-PSRoleCapabilityFile -Path '{}' {arguments}\n", path(index).display()));
    }
    if !run(&script, &[], folder.path())? {
        return Ok(());
    }
    for (index, role) in roles.iter().enumerate() {
        let found = imported(&[&path(index)])?;
        let document = table(&found.documents[0].text);
        let expected = toml::Value::from(role.expected.clone());
        assert_eq!(
            document["roles"][&format!("role{index}")],
            expected,
            "{}\n{}",
            role.arguments.join("\n"),
            found.documents[0].text
        );
    }
    Ok(())
}

#[test]
fn sessions_that_powershell_writes_are_imported_as_they_were_meant() -> engine::Outcome {
    let folder = tempfile::tempdir()?;
    let arguments = r"-SessionType RestrictedRemoteServer -Description 'it''s' -RunAsVirtualAccount -TranscriptDirectory 'C:\T' \
        -RequiredGroups @{ And = @{ Or = 'DEMO\a', 'DEMO\b' }, 'DEMO\c' } -LanguageMode NoLanguage -MountUserDrive -UserDriveMaximumSize 5000 \
        -RoleDefinitions @{ 'DEMO\Web Ops' = @{ RoleCapabilities = 'web' }; 'DEMO\it''s' = @{ VisibleCmdlets = 'Get-Process', @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidateSet = 'a''b' } } } }"
        .replace("\\\n", "`\n");
    let [web, small, full] = ["web.psrc", "small.pssc", "full.pssc"].map(|name| folder.path().join(name));
    let script = format!(
        "New-PSRoleCapabilityFile -Path '{}' -VisibleCmdlets 'Get-Date'\n\
         New-PSSessionConfigurationFile -Path '{}' {arguments}\nNew-PSSessionConfigurationFile -Full -Path '{}' {arguments}",
        web.display(),
        small.display(),
        full.display()
    );
    if !run(&script, &[], folder.path())? {
        return Ok(());
    }
    for (file, name) in [(&small, "small"), (&full, "full")] {
        let found = imported(&[&web, file])?;
        let document = table(&found.documents.iter().find(|document| document.name.starts_with(name)).unwrap().text);
        assert_eq!(document["defaults"], true.into());
        let groups = r"require_groups = { and = [{ or = ['DEMO\a', 'DEMO\b'] }, 'DEMO\c'] }";
        assert_eq!(document["require_groups"], table(groups)["require_groups"]);
        let mut assignments = document["assignments"].as_array().unwrap().clone();
        assignments.sort_by_key(|assignment| assignment["principals"].to_string());
        let expected = format!(
            "[[a]]\nprincipals = ['DEMO\\Web Ops']\ntarget_groups = ['jea {name}']\nroles = ['web']\n\
             [[a]]\nprincipals = [\"DEMO\\\\it's\"]\ntarget_groups = ['jea {name}']\nroles = [\"{name} it-s\"]\n"
        );
        let mut expected = table(&expected)["a"].as_array().unwrap().clone();
        expected.sort_by_key(|assignment| assignment["principals"].to_string());
        assert_eq!(assignments, expected);
        // PowerShell writes the name of a type for the hashtable.
        assert!(
            found.notes.iter().any(|note| note.outcome == Outcome::LeftOut && note.message.contains("which are lost"))
        );
        let role = "cmdlets = ['Get-Process']";
        assert_eq!(document["roles"][&format!("{name} it-s")], table(role).into());
    }
    Ok(())
}

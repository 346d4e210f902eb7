//! Damaged and devious files: refused with their places, or documents that compile.

use super::random::Random;
use sekisho_policy::jea::{File, import};
use sekisho_policy::{Policy, Source};

const FIELDS: [&str; 16] = [
    "VisibleCmdlets",
    "VisibleFunctions",
    "VisibleExternalCommands",
    "VisibleAliases",
    "AliasDefinitions",
    "FunctionDefinitions",
    "RoleDefinitions",
    "RequiredGroups",
    "SessionType",
    "LanguageMode",
    "Description",
    "GUID",
    "RoleCapabilities",
    "Parameters",
    "Name",
    "ModulesToImport",
];
const VALUES: [&str; 34] = [
    "'Get-Service'",
    "'Get-*'",
    r"'Module\Get-X'",
    "'*'",
    "@{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidateSet = 'a', 'b' } }",
    "@{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidatePattern = '(?i)a*' }, @{ Name = 'ErrorAction'; ValidateSet = 'x' } }",
    "@{ Name = 'Get-Nothing'; Parameters = @() }",
    "@{ Name = 'Get-Date'; Parameters = @{ Name = 'Format'; ValidatePattern = '[' } }",
    r"'C:\W\hostname.exe'",
    r"'C:\W\cmd.exe'",
    "'x.ps1'",
    "@{ Name = 'a'; Value = 'Get-Service' }",
    "@{ Name = 'a b'; Value = 'Get-*' }",
    "@{ Name = 'F'; ScriptBlock = { param($p) \"$p\" } }",
    r"@{ 'D\x' = @{ RoleCapabilities = 'r' } }",
    r"@{ 'x' = @{ VisibleCmdlets = 'Get-Date' } }",
    r"@{ And = @{ Or = 'D\a', 'b' }, 'D\c' }",
    "@{ Or = @() }",
    "'RestrictedRemoteServer'",
    "'FullLanguage'",
    "$null",
    "$true",
    "5",
    "@()",
    "@{ }",
    "\"a`n[roles.evil]\"",
    "'\u{202E}\u{2028}'''",
    "@'\n# x\n]\n'@",
    "'DEMO\\\u{130}'",
    "'a\u{7F}b'",
    "'a'",
    "''",
    "' '",
    "'System.Collections.Hashtable'",
];

fn file(random: &mut Random) -> String {
    let mut text = "@{\n".to_owned();
    for _ in 0..random.below(7) {
        let values: Vec<&str> = (0..=random.below(4)).map(|_| random.pick(&VALUES)).collect();
        text.push_str(&format!("{} = {}\n", random.pick(&FIELDS), values.join(", ")));
    }
    text.push('}');
    if random.once_in(3) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = random.below(places.len());
        let to = places[(at + random.below(4)).min(places.len() - 1)];
        text.replace_range(places[at]..to, "");
    }
    text
}

#[test]
fn what_is_imported_compiles_whatever_was_in_the_file() {
    let mut random = Random::new(11);
    let mut compiled = 0;
    for _ in 0..800 {
        let mut texts = [file(&mut random), file(&mut random)];
        for text in &mut texts {
            // A name twice is refused; most files should be read.
            let mut seen = Vec::new();
            let lines = text.lines().filter(|line| {
                let key = line.split(" = ").next().unwrap_or_default().to_owned();
                !FIELDS.contains(&key.as_str())
                    || !seen.contains(&key) && {
                        seen.push(key);
                        true
                    }
            });
            *text = lines.collect::<Vec<_>>().join("\n");
        }
        let files =
            [File { name: "r.psrc", bytes: texts[0].as_bytes() }, File { name: "r.pssc", bytes: texts[1].as_bytes() }];
        match import(&files) {
            Ok(imported) => {
                let documents = imported.documents.iter();
                let sources: Vec<Source<'_>> =
                    documents.map(|document| Source { name: &document.name, text: &document.text }).collect();
                if let Err(mistakes) = Policy::compile(&sources) {
                    panic!("{mistakes:#?}\n{texts:#?}\n{imported:#?}");
                }
                compiled += 1;
            }
            Err(mistakes) => assert!(mistakes.iter().all(|mistake| mistake.line >= 1 && !mistake.hint.is_empty())),
        }
    }
    assert!(compiled > 150, "{compiled}");
}

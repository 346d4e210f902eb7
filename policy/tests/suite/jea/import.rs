//! What becomes of each field.

use super::{compiled, imported, mistakes, notes};
use sekisho_policy::jea::Outcome;

/// The role that one field makes, as TOML.
fn role(field: &str) -> toml::Table {
    let found = imported(&[("r.psrc", &format!("@{{ {field} }}"))]);
    let document: toml::Table = found.documents[0].text.parse().unwrap();
    document["roles"]["r"].as_table().unwrap().clone()
}

/// The document of a session configuration.
fn session(fields: &str) -> toml::Table {
    let files = [("web.psrc", "@{ VisibleCmdlets = 'Get-Date' }"), ("s.pssc", &format!("@{{ {fields} }}"))];
    let found = imported(&files);
    found.documents.iter().find(|document| document.name == "s.pssc.toml").unwrap().text.parse().unwrap()
}

/// The notes on a file with one field.
fn said(field: &str, outcome: Outcome) -> Vec<String> {
    notes(&imported(&[("r.psrc", &format!("@{{ {field} }}"))]), outcome)
}

fn session_said(fields: &str, outcome: Outcome) -> Vec<String> {
    notes(&imported(&[("s.pssc", &format!("@{{ {fields} }}"))]), outcome)
}

#[track_caller]
fn assert_said(found: &[String], parts: &[&str]) {
    for part in parts {
        assert!(found.iter().any(|note| note.contains(part)), "{part} is not in {found:#?}");
    }
}

fn toml(text: &str) -> toml::Table {
    text.parse().unwrap()
}

#[test]
fn commands_keep_their_names_parameters_and_values() {
    let field = r"VisibleCmdlets = 'Get-Service', 'DnsServer\*', 'NetTCPIP\Get-NetIPAddress', @{ Name = 'Restart-Service'
        Parameters = @{ Name = 'Name'; ValidateSet = 'DNS', 2 }, @{ Name = 'Force' }, @{ Name = 'DisplayName'; ValidatePattern = 'a|b' } },
        @{ Name = 'Get-Date'; Parameters = @() }, @{ name = 'Get-Process'; PARAMETERS = @{ NAME = 'Name'; validateset = 'y' } }
        VisibleFunctions = 'Get-NetAdapter', @{ Name = 'Get-Volume'; Parameters = @{ Name = 'DriveLetter' } }";
    let expected = r"
        cmdlets = [
            'Get-Service', 'DnsServer\*', 'NetTCPIP\Get-NetIPAddress',
            { name = 'Restart-Service', parameters = [
                { name = 'Name', validate_set = ['DNS', '2'] }, 'Force', { name = 'DisplayName', validate_pattern = 'a|b' } ] },
            { name = 'Get-Date', parameters = [] },
            { name = 'Get-Process', parameters = [{ name = 'Name', validate_set = ['y'] }] },
        ]
        functions = ['Get-NetAdapter', { name = 'Get-Volume', parameters = ['DriveLetter'] }]";
    assert_eq!(role(field), toml(expected));
}

#[test]
fn entries_that_give_nothing_on_a_target_give_nothing_here() {
    let field = r"VisibleCmdlets = @{ Name = 'Get-Process' }, @{ Parameters = @{ Name = 'a' } }, @{ Name = 'Get-S*'; Parameters = @{ Name = 'a' } },
        @{ Name = 'M\Get-S'; Parameters = @{ Name = 'a' } }, @{ Name = 'Get-X'; Parameters = 'a' }, 5, $null, @('x', @('y')), 'Get-Serv?ce', 'Get-[a-c]x',
        'a b', 'System.Collections.Hashtable', { Get-Date }";
    assert_eq!(role(field), toml("cmdlets = []"));
    assert_said(
        &said(field, Outcome::LeftOut),
        &[
            "`Get-Process`: a hashtable without `Parameters`",
            "a hashtable without `Name`",
            "`Get-S*`: a name with wildcards or a module and a list of parameters",
            r"`M\Get-S`: a name with wildcards or a module",
            "Get-X: a parameter that is no hashtable with `Name`",
            "a number among the commands",
            "$null among the commands",
            "a list among the commands",
            "`Get-Serv?ce`: of wildcards only",
            "`Get-[a-c]x`: of wildcards only",
            "`a b`: no name of a cmdlet",
            "are lost",
            "a script block among the commands",
        ],
    );
}

#[test]
fn a_parameter_that_cannot_be_restricted_as_meant_is_left_out_and_not_set_free() {
    for (parameter, why) in [
        ("ValidatePattern = 'a(?=b)'", "look-around"),
        ("ValidatePattern = '(a)\\1'", "back-references"),
        ("ValidatePattern = '*.log'", "cannot be taken over"),
        ("ValidatePattern = '[a-z-[aeiou]]'", "within brackets"),
        ("ValidatePattern = $null", "no text"),
        ("ValidateSet = @()", "an empty ValidateSet"),
        ("ValidateSet = 'a', $true", "true or false in ValidateSet"),
        ("ValidateSet = 1.50", "a number in ValidateSet"),
        ("ValidateSet = 'a', @('b')", "a list in ValidateSet"),
    ] {
        let field = format!(
            "VisibleCmdlets = @{{ Name = 'Restart-Service'; Parameters = @{{ Name = 'Name' }}, @{{ Name = 'DisplayName'; {parameter} }} }}"
        );
        assert_eq!(
            role(&field),
            toml("cmdlets = [{ name = 'Restart-Service', parameters = ['Name'] }]"),
            "{parameter}"
        );
        assert_said(&said(&field, Outcome::LeftOut), &[why, "Restart-Service -DisplayName: "]);
    }
    let odd = "VisibleCmdlets = @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Na*' }, @{ Name = '-A' }, @{ Name = '' }, @{ Name = 'Name' }, @{ Name = 'name'; ValidateSet = 'x' } }";
    assert_eq!(role(odd), toml("cmdlets = [{ name = 'Restart-Service', parameters = ['Name'] }]"));
    assert_said(
        &said(odd, Outcome::LeftOut),
        &["Restart-Service -Na*: no name of a parameter", "Restart-Service -name: listed twice"],
    );
}

#[test]
fn the_option_to_ignore_case_is_on_anyway() {
    let field =
        "VisibleCmdlets = @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidatePattern = '(?i)web' } }";
    assert_eq!(
        role(field),
        toml("cmdlets = [{ name = 'Restart-Service', parameters = [{ name = 'Name', validate_pattern = 'web' }] }]")
    );
}

#[test]
fn traps_of_commands_are_told() {
    let field = r"VisibleCmdlets = '*', '*-Service', '*-Process', 'Get-*', 'Stop-*', 'DnsServer\Get-DnsServer', 'Invoke-Expression', 'Copy-Item', @{ Name = 'Start-Process'; Parameters = @{ Name = 'FilePath' } },
        'Get-Process', @{ Name = 'Get-Process'; Parameters = @{ Name = 'Name'; ValidateSet = 'b'; ValidatePattern = 'HR_*'; Odd = 1 }; Odd = 2 },
        @{ Name = 'Get-Content'; Parameters = @{ Name = 'Path'; ValidatePattern = '^C:\\Logs\\.*$' } },
        @{ Name = 'Select-Object'; Parameters = @{ Name = 'Property' } }";
    assert_said(
        &said(field, Outcome::Trap),
        &[
            "`*` makes every command visible",
            "New-Service and Set-Service -BinaryPathName too",
            "Start-Process too",
            "whatever modules add by such a name",
            "the dangerous ones too",
            "imports the whole module DnsServer",
            "Get-Process stands here twice, at least once with a list",
            "both ValidateSet and ValidatePattern",
            "Get-Process -Name: the pattern `HR_*` repeats the character `_`",
            "Get-Process -Name: `Odd`: PowerShell overlooks it",
            "`Odd` of Get-Process: PowerShell overlooks it",
            "any text through in one place",
            "holds `$`",
            "lets a line feed at the end of a value pass",
            "Invoke-Expression: it runs text as code",
            "Start-Process: it starts any program",
            "Copy-Item: ",
            "Select-Object: a session of the type RestrictedRemoteServer has a narrow form",
        ],
    );
}

#[test]
fn aliases_are_visible_when_defined_unless_there_is_a_list() {
    let definitions = "VisibleCmdlets = 'Get-Process'
        AliasDefinitions = @{ Name = 'a'; Value = 'Get-Process' }, @{ Name = 'b'; Value = 'Stop-Process'; Options = 'None' }, @{ Name = 'c' }, @{ Name = 'A'; Value = 'x' }";
    assert_eq!(role(definitions)["aliases"], toml("a = 'Get-Process'\nb = 'Stop-Process'").into());
    assert_said(
        &said(definitions, Outcome::Trap),
        &["the alias `b` stands for Stop-Process, which the role does not make"],
    );
    assert_said(
        &said(definitions, Outcome::LeftOut),
        &["no hashtable with `Name` and `Value`", "the alias `A` is defined twice"],
    );

    let listed = format!("{definitions}\nVisibleAliases = 'B', 'x*', 'nobody'");
    assert_eq!(role(&listed)["aliases"], toml("b = 'Stop-Process'").into());
    assert_said(
        &said(&listed, Outcome::LeftOut),
        &[
            "the alias `a` is defined and not among VisibleAliases",
            "`x*`: aliases with wildcards",
            "`nobody` is the alias of no command",
        ],
    );
    assert_eq!(role(&format!("{definitions}\nVisibleAliases = '*'"))["aliases"].as_table().unwrap().len(), 2);
    let odd = role("AliasDefinitions = @{ Name = 'a b'; Value = 'Get-Process' }, @{ Name = 'c'; Value = 'M\\Get-X' }");
    assert!(odd["aliases"].as_table().unwrap().is_empty(), "{odd:?}");
}

#[test]
fn programs_keep_free_arguments_only_where_that_is_no_interpreter() {
    let field = r"VisibleExternalCommands = 'C:\Windows\System32\hostname.exe', 'D:\t\hostname.exe', 'C:\Windows\System32\net.exe', 'C:\Windows\System32\cmd.exe',
        'C:\W\powershell.exe', '*', 'hostname.exe', 'C:\s\a.ps1', 'C:\s\b.bat', 'C:\W\*', '%windir%\x.exe', '\\srv\s\x.exe', 7";
    let expected = r"
        [[programs]]
        name = 'hostname.exe'
        path = 'C:\Windows\System32\hostname.exe'
        arguments = { any = true }
        [[programs]]
        name = 'hostname.exe-2'
        path = 'D:\t\hostname.exe'
        arguments = { any = true }
        [[programs]]
        name = 'net.exe'
        path = 'C:\Windows\System32\net.exe'
        arguments = { any = true }";
    assert_eq!(role(field), toml(expected));
    assert_said(&said(field, Outcome::Trap), &["cannot restrict the arguments", "`net group Administrators me /add`"]);
    assert_said(
        &said(field, Outcome::LeftOut),
        &[
            r"`C:\Windows\System32\cmd.exe`: it runs what its arguments say",
            r"`C:\W\powershell.exe`: it runs",
            "`*`: it exposes every program",
            "`hostname.exe`: the path does not start with a drive",
            r"`C:\s\a.ps1`: a script: pin",
            "batch files are refused",
            r"`C:\W\*`: the path holds a character",
            "holds a variable",
            "lies on another machine",
            "`7`: the path does not start",
        ],
    );
}

#[test]
fn every_field_that_is_not_taken_over_says_why() {
    for (field, why) in [
        ("GUID = 'x'", "says nothing"),
        ("Author = 'x'", "says nothing"),
        ("CompanyName = 'x'", "says nothing"),
        ("Copyright = 'x'", "says nothing"),
        ("ModulesToImport = 'x', @{ ModuleName = 'y' }", "loads modules by itself"),
        ("VisibleProviders = '*'", "knows no providers"),
        ("ScriptsToProcess = 'x'", "runs on the target"),
        ("TypesToProcess = 'x'", "can run code"),
        ("FormatsToProcess = 'x'", "can run code"),
        ("AssembliesToLoad = 'x'", "is loaded on the target"),
        ("EnvironmentVariables = @{ a = 'b' }", "cannot set any"),
        ("VariableDefinitions = @{ Name = 'a'; Value = { 1 } }", "is set on the target"),
        ("FunctionDefinitions = @{ Name = 'Get-X'; ScriptBlock = { 1 } }", "Get-X: its body stays"),
        ("FunctionDefinitions = 'x'", "a text where a hashtable belongs"),
        ("RunAsVirtualAccount = $true", "is no field of this kind of file"),
        ("VisibleCmdlet = 'Get-X'", "is no field of this kind of file"),
        ("Description = @()", "a list where a text belongs"),
    ] {
        assert_said(&said(field, Outcome::LeftOut), &[why]);
    }
    for (field, why) in [
        ("SchemaVersion = '2.0.0.0'", "says nothing"),
        ("RunAsVirtualAccount = $true", "under the account that the user delegates"),
        ("RunAsVirtualAccountGroups = 'x'", "which is not used"),
        ("GroupManagedServiceAccount = 'x'", "names the user"),
        ("TranscriptDirectory = 'x'", "gateway's audit"),
        ("MountUserDrive = $true", "no files are copied"),
        ("UserDriveMaximumSize = 5MB", "user drive"),
        ("EnforceInputParameterValidation = $true", "takes no input from a pipeline"),
        ("ExecutionPolicy = 'x'", "belongs to the target"),
        ("PowerShellVersion = '5.1'", "belongs to the target"),
        ("ScriptsToProcess = 'x'", "runs on the target"),
        ("RoleDefinitions = 5", "a number where a hashtable belongs"),
        ("Odd = 5", "is no field"),
    ] {
        assert_said(&session_said(field, Outcome::LeftOut), &[why]);
    }
    assert_said(&said("Description = ''", Outcome::Became), &["nothing, since it is empty"]);
    assert_eq!(role("Description = 'it''s'"), toml("description = \"it's\""));
}

#[test]
fn what_a_function_does_is_looked_at_for_what_escapes() {
    for (body, why) in [
        ("Invoke-Expression \"x $p\"", "runs text"),
        ("Start-Process $p", "starts programs"),
        ("if ($p -like 'C:\\a\\*') { Get-Content $p }", "`..` and links"),
        ("$p -replace 'a', 'b'", "builds text"),
    ] {
        let field = format!("FunctionDefinitions = @{{ Name = 'F'; ScriptBlock = {{ param($p) {body} }} }}");
        assert_said(&said(&field, Outcome::Trap), &[why]);
    }
}

#[test]
fn principals_and_roles_become_assignments_that_grant_nothing_yet() {
    let fields = r"SessionType = 'RestrictedRemoteServer'; RoleDefinitions = @{
        'DEMO\Web Ops' = @{ RoleCapabilities = 'WEB', 'missing' }
        'DEMO\b' = @{ RoleCapabilityFiles = 'C:\Roles\web.psrc'; VisibleCmdlets = 'Get-Process'; VisibleFunctions = 'F' }
        'DEMO\none' = @{ RoleCapabilities = 'missing' }
        'BUILTIN\Administrators' = @{ RoleCapabilities = 'web' }; 'Administrators' = @{ RoleCapabilities = 'web' }
        '.\local' = @{ RoleCapabilities = 'web' }; 'ops@demo.example' = @{ RoleCapabilities = 'web' }; 'D\a\b' = @{ RoleCapabilities = 'web' } }";
    let expected = |who: &str, roles: &str| {
        format!("[[assignments]]\nprincipals = ['{who}']\ntarget_groups = ['jea s']\nroles = [{roles}]\n")
    };
    let mut text = "defaults = true\n[roles.'s b']\ncmdlets = ['Get-Process']\nfunctions = ['F']\n".to_owned();
    text += &expected(r"DEMO\Web Ops", "'web'");
    text += &expected(r"DEMO\b", "'s b', 'web'");
    for name in ["Administrators", "Administrators", "local", "ops-demo.example", "b"] {
        text += &expected(&format!(r"UNRESOLVED\{name}"), "'web'");
    }
    assert_eq!(session(fields), toml(&text));
    let found = imported(&[("web.psrc", "@{}"), ("s.pssc", &format!("@{{ {fields} }}"))]);
    assert_said(
        &notes(&found, Outcome::LeftOut),
        &["the role `missing` is not among", r"DEMO\none: none of its roles is among"],
    );
    assert_said(
        &notes(&found, Outcome::Trap),
        &[
            r"DEMO\b holds 2 roles. PowerShell merges them",
            r"`BUILTIN\Administrators` is a group of each target",
            "`Administrators` has no domain",
            r"`.\local` is a group of each target",
            "`ops@demo.example` has no domain",
            r"`D\a\b` is no name of a user",
        ],
    );
}

#[test]
fn what_a_session_itself_makes_visible_is_a_role_for_everybody() {
    let fields = r"VisibleCmdlets = 'Get-Process'; AliasDefinitions = @{ Name = 'p'; Value = 'Get-Process' }
        RoleDefinitions = @{ 'D\a' = @{ RoleCapabilities = 'web' }; 'D\b' = @{ } }; SessionType = 'Empty'";
    let expected = r"
        [roles.s]
        cmdlets = ['Get-Process']
        aliases = { p = 'Get-Process' }
        [[assignments]]
        principals = ['D\a']
        target_groups = ['jea s']
        roles = ['s', 'web']
        [[assignments]]
        principals = ['D\b']
        target_groups = ['jea s']
        roles = ['s']";
    assert_eq!(session(fields), toml(expected));
    let nobody = session("VisibleCmdlets = 'Get-Process'; SessionType = 'Empty'");
    assert_eq!(nobody["assignments"][0]["principals"][0], r"UNRESOLVED\s".into());
    // A role of that name is another one.
    let found =
        imported(&[("s.psrc", "@{ VisibleCmdlets = 'Get-Date' }"), ("s.pssc", "@{ VisibleCmdlets = 'Get-Process' }")]);
    assert!(found.documents[1].text.contains("[roles.\"s session\"]"), "{}", found.documents[1].text);
}

#[test]
fn required_groups_hold_and_what_is_not_understood_is_met_by_nobody() {
    for (field, expected) in [
        (r"'D\a'", r"'D\a'"),
        (r"@{ And = 'D\a' }", r"{ and = ['D\a'] }"),
        (r"@{ or = 'D\a', 'D\b' }", r"{ or = ['D\a', 'D\b'] }"),
        (
            r"@{ And = @{ Or = 'D\a', @{ And = 'D\b', 'D\c' } }, 'D\d' }",
            r"{ and = [{ or = ['D\a', { and = ['D\b', 'D\c'] }] }, 'D\d'] }",
        ),
        (r"@{ Or = 'D\a', 'Admins' }", r"{ or = ['D\a', 'UNRESOLVED\Admins'] }"),
        (r"@{ And = 'D\a'; Or = 'D\b' }", r"'UNRESOLVED\neither a group nor one of And and Or with groups in it'"),
        ("@{ }", r"'UNRESOLVED\neither a group nor one of And and Or with groups in it'"),
        ("@{ And = @() }", r"'UNRESOLVED\neither a group nor one of And and Or with groups in it'"),
        (r"@{ Not = 'D\a' }", r"'UNRESOLVED\neither a group nor one of And and Or with groups in it'"),
        (
            r"@{ And = 'D\a', $null }",
            r"{ and = ['D\a', 'UNRESOLVED\neither a group nor one of And and Or with groups in it'] }",
        ),
    ] {
        let found = session(&format!("RequiredGroups = {field}"));
        assert_eq!(found["require_groups"], toml(&format!("x = {expected}"))["x"], "{field}");
    }
    assert_said(&session_said(r"RequiredGroups = 'D\a'", Outcome::Trap), &["holds for the whole policy"]);
}

#[test]
fn requirements_are_as_deep_as_a_policy_takes_them() {
    let nested = format!("RequiredGroups = {}'D\\a'{}", "@{ And = ".repeat(20), " }".repeat(20));
    let text = session(&nested)["require_groups"].to_string();
    assert!(text.contains("UNRESOLVED") && !text.contains(r"D\\a"), "{text}");
}

#[test]
fn an_import_grants_nothing_before_its_targets_are_named() {
    let files = [
        ("web.psrc", "@{ VisibleCmdlets = 'Get-Date' }"),
        ("s.pssc", r"@{ RoleDefinitions = @{ 'D\u' = @{ RoleCapabilities = 'web' } } }"),
    ];
    let policy = compiled(&imported(&files)).policy;
    let circumstances = sekisho_policy::Circumstances::default();
    let mut target = crate::support::target("web01");
    assert!(!policy.may_reach(&crate::support::principal(r"D\u", &[]), &target, &circumstances));
    target.groups.push("jea s".to_owned());
    assert!(policy.may_reach(&crate::support::principal(r"d\U", &[]), &target, &circumstances));
}

#[test]
fn session_types_and_language_modes_are_told() {
    assert_eq!(session("SessionType = 'restrictedremoteserver'")["defaults"], true.into());
    for open in ["", "SessionType = 'Default'"] {
        assert!(!session(open).contains_key("defaults"));
        assert_said(&session_said(open, Outcome::Trap), &["not RestrictedRemoteServer"]);
    }
    assert!(session_said("SessionType = 'Empty'", Outcome::Trap).is_empty());
    for mode in ["FullLanguage", "ConstrainedLanguage", "RestrictedLanguage"] {
        let field = format!("SessionType = 'Empty'; LanguageMode = '{mode}'");
        assert_said(&session_said(&field, Outcome::Trap), &["overrides the session's type"]);
    }
    assert!(session_said("SessionType = 'Empty'; LanguageMode = 'NoLanguage'", Outcome::Trap).is_empty());
}

#[test]
fn files_that_cannot_be_read_are_refused_all_at_once() {
    let found = mistakes(&[
        ("a.psrc", b"@{ VisibleCmdlets = Get-Date }"),
        ("b.psd1", b"@{}"),
        ("c.pssc", b"@{\n  A = \"$x\" }"),
        ("d.psrc", b"@\0{\0}\0"),
        ("x/web.psrc", b"@{}"),
        ("y\\WEB.psrc", b"@{}"),
    ]);
    let shown: Vec<String> =
        found.iter().map(|m| format!("{}:{}:{} {}", m.file, m.line, m.column, m.message)).collect();
    for (line, start) in shown.iter().zip([
        "a.psrc:1:21 a word without quotes",
        "b.psd1:1:1 the file is neither",
        "c.pssc:2:8 a `$` in double quotes",
        "d.psrc:1:1 the file holds NUL",
        "y\\WEB.psrc:1:1 the name is that of x/web.psrc already",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(shown.len(), 5);
}

#[test]
fn nothing_of_a_file_ends_a_comment_or_a_text() {
    let field = "Description = \"a`n[roles.evil]`r`n\u{2028}'''\"\"\"\"\"\"\"; VisibleCmdlets = \"x`n]`ncmdlets = ['*']\", 'a\u{202E}b', @{ Name = \"c`n*\"; Parameters = @() }, 'Get-X'";
    assert_eq!(role(field)["cmdlets"], toml("x = ['Get-X']")["x"]);
    let found = imported(&[
        ("r\n.psrc", "@{}"),
        (
            "s.pssc",
            "@{ RoleDefinitions = @{ \"D\\a`n[x]\" = @{ VisibleCmdlets = 'Get-X' } }; Description = \"x`n[y]\" }",
        ),
    ]);
    for document in &found.documents {
        let document: toml::Table = document.text.parse().unwrap();
        assert!(document.keys().all(|key| ["roles", "assignments"].contains(&key.as_str())), "{document:?}");
    }
}

#[test]
fn a_file_without_a_mark_that_windows_powershell_reads_otherwise_is_told() {
    let found = imported(&[("r.psrc", "@{\n VisibleCmdlets = 'Get-受注' }")]);
    assert_said(&notes(&found, Outcome::Trap), &["2 encoding: UTF-8 without a byte order mark"]);
    let marked = imported(&[("r.psrc", "\u{FEFF}@{ VisibleCmdlets = 'Get-受注' }")]);
    assert!(notes(&marked, Outcome::Trap).is_empty());
}

#[test]
fn what_the_catalogue_does_not_know_cannot_be_restricted_and_is_kept_in_a_comment() {
    let field =
        "VisibleCmdlets = @{ Name = 'Get-OurThing'; Parameters = @{ Name = 'Id'; ValidateSet = 'a' } }, 'Get-OurOther'";
    assert_eq!(role(field), toml("cmdlets = ['Get-OurOther']"));
    assert_said(&said(field, Outcome::LeftOut), &["Get-OurThing: the catalogue does not know it"]);
    let document = &imported(&[("r.psrc", &format!("@{{ {field} }}"))]).documents[0].text.replace("\n    # ", " ");
    assert!(
        document.contains("{ name = \"Get-OurThing\", parameters = [{ name = \"Id\", validate_set = [\"a\"] }] }"),
        "{document}"
    );
}

#[test]
fn parameters_are_looked_up() {
    let field = "VisibleCmdlets = @{ Name = 'Restart-Service'; Parameters = @{ Name = 'ServiceName' }, @{ Name = 'ErrorAction'; ValidateSet = 'Stop' },
        @{ Name = 'wi' }, @{ Name = 'Newer' }, @{ Name = 'force' } }";
    assert_eq!(role(field), toml("cmdlets = [{ name = 'Restart-Service', parameters = ['Newer', 'force'] }]"));
    assert_said(
        &said(field, Outcome::LeftOut),
        &["-ServiceName: an alias of -Name", "-ErrorAction: a common parameter", "-wi: a common parameter"],
    );
}

#[test]
fn aliases_that_powershell_has_are_found_for_commands_that_the_role_names() {
    let field = "VisibleCmdlets = 'Get-Service'; VisibleAliases = 'gsv', 'gps'";
    assert_eq!(role(field)["aliases"], toml("gsv = 'Get-Service'").into());
    assert_said(&said(field, Outcome::LeftOut), &["`gps` is the alias of no command that the role names"]);
}

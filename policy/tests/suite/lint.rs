//! What lint tells of documents that are no mistake.

use sekisho_policy::{Policy, Source};

/// `line message (hint)` of every finding on a role `a` with these lines from line 2 on.
fn lint(lines: &str) -> Vec<String> {
    let text = format!("[roles.a]\n{lines}\n[[assignments]]\nprincipals = ['D\\a']\ntags = ['t']\nroles = ['a']\n");
    let warnings = Policy::lint(&[Source { name: "f.toml", text: &text }]).unwrap();
    warnings.iter().map(|w| format!("{}:{} {} ({})", w.line, w.column, w.message, w.hint)).collect()
}

/// Exactly one finding, which begins and goes on like this.
fn assert_one(lines: &str, start: &str, part: &str) {
    let found = lint(lines);
    assert!(found.len() == 1 && found[0].starts_with(start) && found[0].contains(part), "{lines}: {found:#?}");
}

#[test]
fn a_sober_role_is_left_alone() {
    let sober = "
cmdlets = [
  'Get-Service', 'Get-Net*',
  { name = 'Restart-Service', parameters = [{ name = 'Name', validate_set = ['Dns'] }, 'Force'] },
  { name = 'Restart-Service', rule = 'b', parameters = [{ name = 'Name', validate_pattern = 'Web-[a-z]+' }] },
  { name = 'Copy-Item', parameters = [{ name = 'Path', validate_set = ['C:\\a.txt'] }, { name = 'Destination', validate_set = ['D:\\b.txt'] }] },
  { name = 'Select-Object', parameters = [{ name = 'Property', validate_set = ['Name'] }] },
  { name = 'Set-ADAccountPassword', parameters = [{ name = 'Identity', validate_pattern = 'web-[a-z]+' }, { name = 'NewPassword', secure = true }] },
]
[[roles.a.programs]]
name = 'p'
path = 'C:\\Windows\\System32\\net.exe'
arguments = { exact = [['share']] }";
    assert_eq!(lint(sober), Vec::<String>::new());
}

#[test]
fn dangerous_commands_are_told_with_the_reason() {
    for (name, why) in [
        ("Invoke-Expression", "runs text as code"),
        ("Start-Process", "starts any program"),
        ("Invoke-Command", "another session"),
        ("Enter-PSSession", "another session"),
        ("Start-Job", "jobs run"),
        ("Set-Alias", "alias makes a name"),
        ("Set-PSBreakpoint", "debuggers"),
        ("Update-TypeData", "types and formats"),
        ("Trace-Command", "runs the expression"),
        ("Add-Type", "code of the sender's choice"),
        ("New-Object", "code of the sender's choice"),
        ("Import-Module", "code of the sender's choice"),
        ("Set-Variable", "depend on variables"),
        ("Register-WmiEvent", "script block"),
        ("Register-ScheduledTask", "run later"),
        ("Set-PSSessionConfiguration", "past the gateway"),
        ("ForEach-Object", "script blocks"),
        ("Where-Object", "script blocks"),
        ("Select-Object", "calculated properties"),
        ("Copy-Item", "it writes where"),
        ("Set-Content", "it writes where"),
        ("Out-File", "it writes where"),
        ("Get-Content", "reads any file"),
        ("New-Service", "as the system"),
        ("Invoke-CimMethod", "any class"),
    ] {
        let found = lint(&format!("cmdlets = ['{name}']"));
        assert!(found.len() == 1 && found[0].starts_with(&format!("2:12 `{name}` in an allowlist: ")), "{found:#?}");
        assert!(found[0].contains(why), "{found:#?}");
    }
}

#[test]
fn parameters_that_are_restricted_take_the_danger_away_and_free_ones_do_not() {
    let copy = |parameters: &str| lint(&format!("cmdlets = [{{ name = 'Copy-Item', parameters = [{parameters}] }}]"));
    assert_eq!(copy("{ name = 'Path', validate_set = ['a'] }, 'Force'"), Vec::<String>::new());
    let found = copy("{ name = 'Path', validate_set = ['a'] }, 'Destination'");
    assert!(found.len() == 1 && found[0].contains("it writes where"), "{found:#?}");
    let always =
        lint("cmdlets = [{ name = 'Start-Process', parameters = [{ name = 'FilePath', validate_set = ['a'] }] }]");
    assert!(always.len() == 1 && always[0].contains("starts any program"), "{always:#?}");
}

#[test]
fn wildcards_name_what_they_let_in() {
    assert_one("cmdlets = ['*-Process']", "2:12 `*-Process` covers 6 commands, among them", "Start-Process");
    assert_one("cmdlets = ['Restart-*']", "2:12 `Restart-*` covers", "not of the verb Get alone");
    assert_one("cmdlets = ['Get-C*']", "2:12 `Get-C*` covers", "Get-Content");
    assert_eq!(lint("cmdlets = ['Get-Net*']"), Vec::<String>::new());
}

#[test]
fn rules_that_change_nothing_are_told() {
    let restricted = "{ name = 'Restart-Service', parameters = [{ name = 'Name', validate_set = ['Dns'] }] }";
    assert_one(
        &format!("cmdlets = ['Restart-Service', {restricted}]"),
        "2:40 the rule changes nothing: `Restart-Service`",
        "",
    );
    assert_one(
        &format!("cmdlets = [{restricted}, 'Restart-Service']"),
        "2:21 the rule changes nothing: `Restart-Service#2`",
        "",
    );
    assert_one("cmdlets = ['Get-Service', 'get-service']", "2:27 the rule changes nothing: `Get-Service`", "");
    assert_one("cmdlets = ['Get-Serv*', 'Get-Service']", "2:25 the rule changes nothing: `Get-Serv*`", "");
    assert_eq!(lint(&format!("cmdlets = [{restricted}, {restricted}]")), Vec::<String>::new());
    assert_one(
        "cmdlets = [{ name = 'Restart-Service', parameters = ['Force'] }]",
        "2:21 the rule can never be used: `Restart-Service` needs -",
        "which is not listed",
    );
}

#[test]
fn names_with_a_module_are_told_of_the_real_engine() {
    assert_one(
        r"cmdlets = ['Microsoft.PowerShell.Management\Get-Service']",
        "2:12 the module changes nothing here",
        "JEA",
    );
}

#[test]
fn secrets_are_marked_as_what_they_are() {
    let reset = |parameter: &str| {
        lint(&format!(
            "cmdlets = [{{ name = 'Set-ADAccountPassword', parameters = [{{ name = 'Identity', validate_set = ['a'] }}, {parameter}] }}]"
        ))
    };
    for (parameter, part) in [
        ("'NewPassword'", "refused without `secure = true`"),
        ("{ name = 'NewPassword', secret = true }", "refused without `secure = true`"),
        ("{ name = 'Server', secure = true }", "no SecureString"),
    ] {
        let found = reset(parameter);
        assert!(found.len() == 1 && found[0].contains(part), "{parameter}: {found:#?}");
    }
    assert_eq!(reset("{ name = 'NewPassword', secure = true }"), Vec::<String>::new());
}

#[test]
fn an_alias_that_the_gateway_answers_itself_is_told() {
    let aliases = |text: &str| format!("cmdlets = ['Get-Service']\naliases = {{ {text} }}");
    assert_one(&aliases("GCM = 'Get-Service'"), "3:13 the alias `GCM` is PowerShell's own", "another name");
    assert_eq!(lint(&aliases("gsv = 'Get-Service'")), Vec::<String>::new());
}

#[test]
fn whoever_lets_a_target_ask_is_told_what_it_can_ask_for() {
    let entry = "cmdlets = [{ name = 'Get-Service', prompts = true }]";
    assert_one(entry, "2:21 `Get-Service` may ask the user", "a target can then ask for a password");
    assert_eq!(lint("cmdlets = [{ name = 'Get-Service', prompts = false }]"), Vec::<String>::new());
}

#[test]
fn patterns_of_commands_programs_and_scripts_are_examined() {
    let pattern = "cmdlets = [{ name = 'Get-Service', parameters = [{ name = 'Name', validate_pattern = 'HR_*' }] }]";
    assert_one(pattern, "2:86 `_*` in the pattern `HR_*`", "no wildcard");
    let program =
        |arguments: &str| format!("[[roles.a.programs]]\nname = 'p'\npath = 'C:\\x\\p.exe'\narguments = {arguments}");
    assert_one(&program("{ each = ['^web'], max = 1 }"), "3:8 the pattern `^web` is anchored in part", "whole value");
    assert_one(&program("{ any = true }"), "3:8 p.exe may be given any argument", "each");
    let net = program("{ each = ['[a-z]+'], max = 3 }").replace("p.exe", "net.exe");
    assert_one(&net, "3:8 net.exe with free arguments: it adds accounts", "exact");
    let cmd = program("{ exact = [['/c', 'ver']] }").replace("p.exe", "cmd.exe");
    assert_one(&cmd, "3:8 cmd.exe in an allowlist", "pin a script");
}

#[test]
fn a_role_that_reads_commands_and_has_none_is_told() {
    assert_one("powershell = 'constant-commands'", "1:8 the role reads PowerShell's encoded commands", "allows none");
}

#[test]
fn lint_holds_the_warnings_of_compiling_and_refuses_mistakes() {
    let text = "[roles.a]\n";
    let found = Policy::lint(&[Source { name: "f", text }]).unwrap();
    assert!(found[0].message.contains("nobody holds"), "{found:?}");
    assert!(Policy::lint(&[Source { name: "f", text: "x = 1" }]).is_err());
}

//! Mistaken commands, scripts, conditions, required groups, denials and catalogues, each with its place.

use sekisho_policy::{PinnedText, Policy, Source, limits, policy_pin_entry};

use crate::documents::{assert_mistakes, mistakes, warnings};
use crate::support::try_compile;

/// A role `a` with these lines from line 2 on.
fn role(lines: &str) -> String {
    format!("[roles.a]\n{lines}\n[[assignments]]\nprincipals = ['D\\a']\ntags = ['t']\nroles = ['a']\n")
}

/// An assignment with these lines from line 6 on.
fn assignment(lines: &str) -> String {
    format!("[roles.a]\n[[assignments]]\nprincipals = ['D\\a']\ntags = ['t']\nroles = ['a']\n{lines}\n")
}

#[test]
fn every_key_of_a_whole_policy_is_read() {
    let text = include_str!("whole.toml");
    let script = "param([string]$Name, [switch]$Force)\nRestart-Service $Name # $using:Reason\n";
    let sha256 = PinnedText::of(script).sha256().to_owned();
    let text = text.replace("SHA256", &sha256);
    let compiled = try_compile(&[("whole.toml", &text), ("scripts/restart.ps1", script)]).unwrap();
    assert_eq!(compiled.warnings, []);
}

#[test]
fn commands_have_names_and_nothing_else() {
    for (entry, message) in [
        ("''", "2:12 `` is no name for a command"),
        ("'Get-?'", "2:12 `Get-?` holds what no command's name has"),
        (r"'A\B\C'", r"2:12 `A\\B\\C` holds what no command's name has"),
        ("'Get-Service '", "2:12 `Get-Service ` holds what no command's name has"),
        ("1", "2:12 a command is a TOML integer"),
        ("{ parameters = [] }", "2:12 the command has no `name`"),
        ("{ name = 'Get-*', parameters = [] }", "2:21 `Get-*` cannot have a parameter list"),
        (r"{ name = 'M\Get-X', parameters = [] }", r"2:21 `M\\Get-X` cannot have a parameter list"),
        ("{ name = 'Get-Service', parameter = [] }", "2:36 unknown key `parameter` in a command"),
        ("{ name = 'Get-Service', prompts = 'yes' }", "2:46 `prompts` is a TOML string"),
        ("{ name = 'Get-Service', rule = 'a/b' }", "2:43 `a/b` is no name for a rule"),
        ("{ name = 'Get-Nothing', parameters = [] }", "2:21 the catalogue does not know `Get-Nothing`"),
    ] {
        assert_mistakes(&role(&format!("cmdlets = [{entry}]")), &[message]);
        assert_mistakes(
            &role(&format!("functions = [{entry}]")),
            &[&message
                .replacen("2:", "", 1)
                .split_once(' ')
                .map(|(column, rest)| {
                    let column: usize = column.parse().unwrap();
                    format!("2:{} {rest}", column + 2)
                })
                .unwrap()],
        );
    }
    assert_mistakes(&role("cmdlets = 'Get-Service'"), &["2:11 `cmdlets` is a TOML string"]);
    let twice = "cmdlets = [{ name = 'Get-Service', rule = 'x' }, { name = 'Get-Date', rule = 'X' }]";
    assert_mistakes(&role(twice), &["2:78 the role has two rules named `X`"]);
}

#[test]
fn hints_name_what_was_meant() {
    let hint = |text: &str| try_compile(&[("f", text)]).unwrap_err()[0].hint.clone();
    assert_eq!(hint(&role("cmdlets = [{ name = 'Get-Servise', parameters = [] }]")), "did you mean `Get-Service`?");
    assert_eq!(hint(&role("cmdlet = []")), "did you mean `cmdlets`?");
    assert_eq!(hint("require_group = 'D\\g'"), "did you mean `require_groups`?");
    let zone = assignment("when = { time_zone = 'Asia/Tokio' }");
    assert_eq!(hint(&zone), "did you mean `Asia/Tokyo`?");
    assert_eq!(hint(&assignment("sources = ['10.1.0.0/8']")), "write 10.0.0.0/8");
}

#[test]
fn parameters_have_names_values_and_one_kind_of_secrecy() {
    for (parameter, message) in [
        ("''", "`` is no name for a parameter"),
        ("'-Name'", "`-Name` is no name for a parameter"),
        ("'Na me'", "`Na me` is no name for a parameter"),
        ("1", "a parameter is a TOML integer"),
        ("{ validate_set = ['a'] }", "the parameter has no `name`"),
        ("{ name = 'Name', validateset = [] }", "unknown key `validateset` in a parameter"),
        ("{ name = 'Name', validate_set = 'a' }", "`validate_set` is a TOML string"),
        ("{ name = 'Name', validate_set = [1] }", "an entry of `validate_set` is a TOML integer"),
        ("{ name = 'Name', validate_pattern = '(?=a)' }", "the pattern is not readable"),
        ("{ name = 'Name', validate_pattern = 1 }", "`validate_pattern` is a TOML integer"),
        ("{ name = 'Name', secret = 'yes' }", "`secret` is a TOML string"),
        ("{ name = 'Name', secret = true, secure = true }", "a parameter cannot be `secret` and `secure`"),
        ("{ name = 'Name', secure = true, validate_set = ['a'] }", "a `secure` parameter cannot have a set"),
        ("{ name = 'Name', secure = true, validate_pattern = 'a' }", "a `secure` parameter cannot have a set"),
        ("{ name = 'ErrorAction', validate_set = ['Stop'] }", "the values of the common parameter `ErrorAction`"),
        ("'Name', 'name'", "the parameter `name` is listed twice"),
    ] {
        let found = mistakes(&role(&format!("cmdlets = [{{ name = 'Get-Service', parameters = [{parameter}] }}]")));
        assert_eq!(found.len(), 1, "{parameter}: {found:#?}");
        assert!(found[0].starts_with("2:") && found[0].contains(message), "{parameter}: {found:#?}");
    }
}

#[test]
fn what_never_applies_is_a_warning() {
    for (lines, message) in [
        ("cmdlets = ['Get-Nothing']", "2:12 `Get-Nothing` is nothing that the catalogue knows"),
        (r"cmdlets = ['NetTCPIP\Get-Service']", r"2:12 `NetTCPIP\\Get-Service` is nothing that the catalogue knows"),
        ("cmdlets = ['Zzz-*']", "2:12 `Zzz-*` is nothing that the catalogue knows"),
        (
            "cmdlets = [{ name = 'Get-Service', parameters = ['Naem'] }]",
            "2:50 the command has no parameter `Naem`, so that nothing fits",
        ),
        (
            "cmdlets = [{ name = 'Get-Service', parameters = ['Verbose'] }]",
            "2:50 `Verbose` is allowed on every command that takes it",
        ),
        (
            "cmdlets = [{ name = 'Get-Service', parameters = ['OutVariable'] }]",
            "2:50 `OutVariable` is denied on every command",
        ),
        (
            "cmdlets = [{ name = 'Get-Service', parameters = [{ name = 'Name', validate_set = [] }] }]",
            "2:82 `validate_set` is empty",
        ),
        ("aliases = { gsv = 'Get-Service' }", "2:19 the alias `gsv` stands for `Get-Service`, which the role does not"),
        (
            "cmdlets = ['Get-Service', 'Get-Date']\naliases = { Get-Date = 'Get-Service' }",
            "3:13 the alias `Get-Date` is the name of a command",
        ),
    ] {
        let found = warnings(&role(lines));
        assert!(found.len() == 1 && found[0].starts_with(message), "{lines}: {found:#?}");
    }
    let hint = |lines: &str| crate::support::compile(&[("f", &role(lines))]).warnings[0].hint.clone();
    assert_eq!(hint("cmdlets = [{ name = 'Get-EventLog', parameters = ['LN'] }]"), "it is an alias: write `LogName`");
    assert!(hint(r"cmdlets = ['NetTCPIP\Get-Service']").contains("Microsoft.PowerShell.Management"));
}

#[test]
fn aliases_and_powershell_are_checked() {
    assert_mistakes(&role("aliases = ['a']"), &["2:11 `aliases` is a TOML array"]);
    assert_mistakes(&role("aliases = { 'a b' = 'Get-Service' }"), &["2:13 `a b` is no name for an alias"]);
    assert_mistakes(&role(r"aliases = { a = 'M\Get-X' }"), &[r"2:17 `M\\Get-X` is no name for an alias"]);
    assert_mistakes(&role("aliases = { a = 1 }"), &["2:17 what an alias stands for is a TOML integer"]);
    assert_mistakes(
        &role("cmdlets = ['Get-Date']\naliases = { a = 'Get-Date', A = 'Get-Date' }"),
        &["3:13 the role has the alias `a` twice"],
    );
    assert_mistakes(&role("powershell = 'all'"), &["2:14 `powershell` can only be"]);
    assert_mistakes(&role("powershell = true"), &["2:14 `powershell` is a TOML boolean"]);
}

#[test]
fn required_groups_are_groups_and_lists_of_them() {
    for (value, message) in [
        ("1", "1:18 `require_groups` is a TOML integer"),
        ("'mfa'", "1:18 the principal `mfa` has no domain"),
        ("{}", "1:18 `require_groups` has no `and` or `or`"),
        (r"{ and = ['D\a'], or = ['D\b'] }", "1:18 `require_groups` has both `and` and `or`"),
        ("{ and = [] }", "1:26 the list of required groups is empty"),
        (r"{ nor = ['D\a'] }", "1:18 `require_groups` has no `and` or `or`"),
        (r"{ or = [{ and = ['D\a', 'x'] }] }", "1:42 the principal `x` has no domain"),
        (r"{ or = 'D\a' }", "1:25 a list of required groups is a TOML string"),
    ] {
        let found = mistakes(&format!("require_groups = {value}\n"));
        assert!(found.iter().any(|found| found.starts_with(message)), "{value}: {found:#?}");
    }
    let deep = |depth: usize| {
        let open = "{ or = [".repeat(depth);
        format!("require_groups = {open}'D\\a'{}", "] }".repeat(depth))
    };
    assert_mistakes(&deep(limits::REQUIREMENT_DEPTH), &[]);
    assert!(mistakes(&deep(limits::REQUIREMENT_DEPTH + 1))[0].contains("nested more than"));
    assert!(!mistakes(&deep(50_000)).is_empty());
    assert_mistakes("defaults = 'yes'\n", &["1:12 `defaults` is a TOML string"]);
}

#[test]
fn conditions_are_windows_and_networks() {
    for (line, message) in [
        ("when = 1", "6:8 `when` is a TOML integer"),
        ("when = []", "6:8 `when` is empty"),
        ("when = {}", "6:8 `when` has no `time_zone`"),
        ("when = { time_zone = 'Mars' }", "6:22 there is no time zone `Mars`"),
        ("when = { time_zone = 'UTC', from = '08:00' }", "6:8 `when` has no `to`"),
        ("when = { time_zone = 'UTC', to = '08:00' }", "6:8 `when` has no `from`"),
        ("when = { time_zone = 'UTC', from = '8', to = '9:00' }", "6:36 `8` is no time of day"),
        ("when = { time_zone = 'UTC', from = '08:00', to = '08:00' }", "6:50 the hours are empty"),
        ("when = { time_zone = 'UTC', from = '24:00', to = '08:00' }", "6:50 the hours are empty"),
        ("when = { time_zone = 'UTC', days = ['mo'] }", "6:37 `mo` is no day of the week"),
        ("when = { time_zone = 'UTC', days = [] }", "6:36 `days` is empty"),
        ("when = { time_zone = 'UTC', day = ['mon'] }", "6:29 unknown key `day` in `when`"),
        ("when = [{ time_zone = 'UTC' }, 2]", "6:32 `when` is a TOML integer"),
        ("sources = []", "6:11 `sources` is empty"),
        ("sources = ['10.0.0.0/33']", "6:12 `10.0.0.0/33` is no network"),
        ("sources = ['host']", "6:12 `host` is no network"),
    ] {
        let found = mistakes(&assignment(line));
        assert!(found.iter().any(|found| found.starts_with(message)), "{line}: {found:#?}");
    }
    assert_mistakes(&assignment("when = { time_zone = 'UTC' }\nsources = ['10.0.0.1', 'fd00::/8']"), &[]);
}

#[test]
fn denials_have_names_and_something_to_deny() {
    let deny = |lines: &str| format!("[[deny]]\nname = 'n'\n{lines}\n");
    assert_mistakes(&deny(""), &["1:1 the rule that denies has no `commands` or `programs`"]);
    assert_mistakes("[[deny]]\ncommands = ['Stop-Computer']\n", &["1:1 the rule that denies has no `name`"]);
    for (lines, message) in [
        ("commands = []", "3:12 `commands` is empty"),
        ("commands = ['a b']", "3:13 `a b` holds what no command's name has"),
        ("programs = ['x']", "3:13 the path has no extension"),
        (r"programs = ['C:\a\..\x.exe']", "3:13 the path holds `.` or `..`"),
        ("commands = ['Stop-Computer']\nprincipals = []", "4:14 `principals` is empty"),
        ("commands = ['Stop-Computer']\nprincipals = ['x']", "4:15 the principal `x` has no domain"),
        ("commands = ['Stop-Computer']\ntargets = ['a b']", "4:12 a target pattern holds"),
        ("commands = ['Stop-Computer']\ntags = []", "4:8 `tags` is empty"),
        ("commands = ['Stop-Computer']\nreason = ''", "4:10 `reason` is empty"),
        ("commands = ['Stop-Computer']\nwhy = ''", "4:1 unknown key `why` in a rule that denies"),
    ] {
        assert_mistakes(&deny(lines), &[message]);
    }
    let one = deny("commands = ['Stop-Computer']");
    assert_mistakes(&format!("{one}{one}"), &["5:8 f.toml has a rule named `n` already"]);
    assert!(try_compile(&[("a", &one), ("b", &one)]).unwrap_err()[0].message.contains("a has a rule named `n`"));
    let found = warnings(&deny("commands = ['Stop-Nothing', 'Stop-Compute']"));
    assert!(found.len() == 2 && found[0].contains("denies nothing"), "{found:#?}");
    assert_mistakes("deny = 1\n", &["1:8 `deny` is a TOML integer"]);
}

#[test]
fn catalogues_are_checked_key_by_key() {
    let command = |lines: &str| format!("[[catalog.commands]]\nname = 'Get-Own'\n{lines}\n");
    for (lines, message) in [
        ("modul = 'X'", "3:1 unknown key `modul` in a command of the catalogue"),
        ("should_process = 1", "3:18 `should_process` is a TOML integer"),
        ("editions = ['6']", "3:12 `6` is no edition"),
        ("parameters = [1]", "3:15 a parameter is a TOML integer"),
        ("parameters = [{ name = 'A', type = 'string', swich = true }]", "3:46 unknown key `swich`"),
        ("parameters = [{ name = 'A', type = 'string', position = -1 }]", "3:57 `position` is out of range"),
        ("parameters = [{ name = 'A', type = 'string', by_set = 1 }]", "3:55 `by_set` is a TOML integer"),
        (
            "sets = ['S']\nparameters = [{ name = 'A', type = 'string', by_set = { S = { at = 1 } } }]",
            "4:63 unknown key `at` in a set of `by_set`",
        ),
    ] {
        assert_mistakes(&command(lines), &[message]);
    }
    for (lines, line) in [
        ("parameters = [{ name = 'A', type = 'string' }, { name = 'a', type = 'string' }]", "3:"),
        ("parameters = [{ name = 'A' }]", "3:"),
        ("parameters = [{ name = 'A', type = 'string', sets = ['X'] }]", "3:"),
        ("default_set = 'X'", "3:"),
    ] {
        let found = mistakes(&command(lines));
        assert!(found.len() == 1 && found[0].starts_with(line), "{lines}: {found:#?}");
    }
    assert_mistakes("[catalog]\nmode = 'add'\n", &["2:8 `add` is no mode of the catalogue"]);
    assert_mistakes("[catalog]\nmodes = 'extend'\n", &["2:1 unknown key `modes` in `catalog`"]);
    assert_mistakes("[[catalog.commands]]\nmodule = 'X'\n", &["1:1 the command has no `name`"]);
    let (extend, replace) = ("[catalog]\nmode = 'extend'\n", "[catalog]\nmode = 'replace'\n");
    let found = try_compile(&[("a", extend), ("b", replace)]).unwrap_err();
    assert!(found[0].file == "b" && found[0].line == 2 && found[0].message.contains("another `mode`"), "{found:?}");
    let found = try_compile(&[("a", &command("")), ("b", &command(""))]).unwrap_err();
    assert!(found[0].message.contains("is in a already"), "{found:?}");
    let (old, new) = (command("editions = ['5.1']"), command("editions = ['7']"));
    assert!(try_compile(&[("a", &old), ("b", &new)]).is_ok());
}

#[test]
fn a_policys_own_commands_extend_or_replace_the_shipped_ones() {
    let own = "[[catalog.commands]]\nname = 'Get-Own'\nparameters = [{ name = 'A', type = 'string' }]\n";
    let restricted = |name: &str| role(&format!("cmdlets = [{{ name = '{name}', parameters = [] }}]"));
    assert_eq!(mistakes(&restricted("Get-Own")).len(), 1);
    assert_eq!(mistakes(&format!("{}{own}", restricted("Get-Own"))), Vec::<String>::new());
    assert_eq!(mistakes(&format!("{}{own}", restricted("Get-Service"))), Vec::<String>::new());
    let alone = format!("{}{own}[catalog]\nmode = 'replace'\n", restricted("Get-Service"));
    // TOML wants the table before its list.
    let alone = alone.replace("[catalog]\nmode = 'replace'\n", "").replacen(
        "[roles.a]",
        "catalog.mode = 'replace'\n[roles.a]",
        1,
    );
    assert!(
        mistakes(&alone).iter().any(|found| found.contains("does not know `Get-Service`")),
        "{:?}",
        mistakes(&alone)
    );
}

/// A role that pins this script, and the script's text.
fn pinned(script: &str, lines: &str) -> String {
    let sha256 = PinnedText::of(script).sha256().to_owned();
    format!("[[roles.a.scripts]]\nname = 's'\nfile = 'x/s.ps1'\nsha256 = '{sha256}'\n{lines}\n")
}

#[test]
fn a_pinned_script_is_the_one_beside_the_policy() {
    let script = "param($Name)\r\nGet-Service $Name\r\n";
    let text = pinned(script, "parameters = ['name']");
    let found = |files: &[(&str, &str)]| -> Vec<String> {
        let mut all = vec![("f.toml", text.as_str())];
        all.extend(files);
        let shown =
            |m: sekisho_policy::Mistake| format!("{}:{}:{} {} ({})", m.file, m.line, m.column, m.message, m.hint);
        try_compile(&all).map(|_| Vec::new()).unwrap_or_else(|mistakes| mistakes.into_iter().map(shown).collect())
    };
    assert_eq!(found(&[("x/s.ps1", script)]), Vec::<String>::new());
    assert_eq!(found(&[("x/s.ps1", &script.replace('\r', ""))]), Vec::<String>::new());
    assert_eq!(found(&[("X.PS1", "$"), ("x/s.ps1", script)]), Vec::<String>::new());
    for (files, start, hint) in [
        (&[][..], "f.toml:3:8 there is no script `x/s.ps1`", "policy pin x/s.ps1"),
        (&[("x/t.ps1", script)], "f.toml:3:8 there is no script `x/s.ps1`", "did you mean `x/t.ps1`?"),
        (&[("x/s.ps1", "Get-Service")], "f.toml:4:10 the script `x/s.ps1` is not the one", "policy pin x/s.ps1"),
        (&[("x/s.ps1", " \r\n")], "f.toml:3:8 the script `x/s.ps1` is empty", ""),
    ] {
        let found = found(files);
        assert!(found.len() == 1 && found[0].starts_with(start) && found[0].contains(hint), "{found:#?}");
    }
    let huge = "#".repeat(limits::SCRIPT_BYTES + 1);
    assert!(found(&[("x/s.ps1", &huge)])[0].contains("larger than"));
    let many: Vec<String> = (0..=limits::SCRIPTS).map(|number| format!("{number}.ps1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    assert!(found(&many)[0].contains("512 scripts"));
}

#[test]
fn entries_of_scripts_are_checked() {
    for (from, to, message) in [
        ("name = 's'\n", "", "1:1 the script has no `name`"),
        ("file = 'x/s.ps1'\n", "", "1:1 the script has no `file`"),
        ("'x/s.ps1'", "'../s.ps1'", "3:8 `../s.ps1` is no script below"),
        ("'x/s.ps1'", "'/s.ps1'", "3:8 `/s.ps1` is no script below"),
        ("'x/s.ps1'", r"'x\s.ps1'", r"3:8 `x\\s.ps1` is no script below"),
        ("'x/s.ps1'", "'x//s.ps1'", "3:8 `x//s.ps1` is no script below"),
        ("'x/s.ps1'", "'C:s.ps1'", "3:8 `C:s.ps1` is no script below"),
        ("'x/s.ps1'", "'s.txt'", "3:8 `s.txt` is no script below"),
        ("sha256 = '", "sha256 = '0", "4:10 `sha256` is not 64"),
        ("sha256 = '", "hash = '", "1:1 the script has no `sha256`"),
        ("using = []", "using = [1]", "5:10 a parameter is a TOML integer"),
    ] {
        let text = pinned("Get-Date", "using = []").replace(from, to);
        let found = try_compile(&[("f.toml", &text), ("x/s.ps1", "Get-Date")]).unwrap_err();
        let found: Vec<String> = found.iter().map(|m| format!("{}:{} {}", m.line, m.column, m.message)).collect();
        assert!(found.iter().any(|found| found.starts_with(message)), "{to}: {found:#?}");
    }
    let twice = format!("{0}{0}", pinned("Get-Date", ""));
    let found = try_compile(&[("f.toml", &twice), ("x/s.ps1", "Get-Date")]).unwrap_err();
    assert!(found[0].message.contains("two scripts named `s`"));
    let odd = pinned("param($Name) $using:Reason", "parameters = ['Nam']\nusing = ['Name', 'reason']");
    let warnings = crate::support::compile(&[("f.toml", &odd), ("x/s.ps1", "param($Name) $using:Reason")]).warnings;
    let shown: Vec<String> =
        warnings.iter().map(|w| format!("{}:{} {} ({})", w.line, w.column, w.message, w.hint)).collect();
    assert!(
        shown.contains(&"5:15 the script declares no parameter `Nam` (did you mean `Name`?)".to_owned()),
        "{shown:#?}"
    );
    assert!(shown.iter().any(|shown| shown.starts_with("6:10 the script does not use `$using:Name`")), "{shown:#?}");
}

#[test]
fn pinned_files_are_named_before_they_are_read_and_are_part_of_the_digest() {
    let script = "param($Name)\nGet-Service $Name";
    let entry = policy_pin_entry(script, "s", "x/s.ps1").replace("ROLE", "a");
    let odd = "[[roles.b.scripts]]\nfile = '../b.ps1'\n[[roles.b.scripts]]\nfile = 'x/s.ps1'\n[[roles.b.scripts]]\nfile = 1\n";
    let documents =
        [Source { name: "a", text: &entry }, Source { name: "b", text: odd }, Source { name: "c", text: "[[" }];
    assert_eq!(Policy::pinned_files(&documents), ["x/s.ps1"]);
    let digest = |script: &str, entry: &str| {
        let entry =
            entry.replace(PinnedText::of("param($Name)\nGet-Service $Name").sha256(), PinnedText::of(script).sha256());
        try_compile(&[("a", &entry), ("x/s.ps1", script)]).unwrap().policy.digest().to_owned()
    };
    let one = digest(script, &entry);
    assert_eq!(digest("param($Name)\r\nGet-Service $Name", &entry), one);
    assert_ne!(digest(&format!("{script}\n"), &entry), one);
}

#[test]
fn more_than_the_limits_is_a_mistake() {
    let entries: String = (0..200).map(|_| "'*',").collect();
    let found = mistakes(&role(&format!("cmdlets = [{entries}]")));
    assert!(found.iter().any(|found| found.contains("the wildcards of the policy cover more")), "{found:#?}");
    let deny = |number: usize| format!("[[deny]]\nname = 'n{number}'\nprograms = ['x.exe']\n");
    let many: String = (0..=limits::DENIALS).map(deny).collect();
    assert!(mistakes(&many).iter().any(|found| found.contains("4096")), "{:#?}", mistakes(&many));
}

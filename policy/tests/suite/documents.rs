//! Mistaken documents, with the exact place of every mistake.

use sekisho_policy::limits;

use crate::support::{compile, policy_of, try_compile};

/// `line:column message` of every mistake of one document.
pub(crate) fn mistakes(text: &str) -> Vec<String> {
    match try_compile(&[("f.toml", text)]) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|m| format!("{}:{} {}", m.line, m.column, m.message)).collect(),
    }
}

pub(crate) fn warnings(text: &str) -> Vec<String> {
    compile(&[("f.toml", text)]).warnings.iter().map(|w| format!("{}:{} {}", w.line, w.column, w.message)).collect()
}

/// Each expected text begins a mistake; there are no others.
pub(crate) fn assert_mistakes(text: &str, expected: &[&str]) {
    let found = mistakes(text);
    let all = found.len() == expected.len() && found.iter().zip(expected).all(|(one, start)| one.starts_with(start));
    assert!(all, "{text}\nfound {found:#?}\nexpected {expected:#?}");
}

/// A rule with a name and a path, and these further lines from line 4 on.
fn rule(lines: &str) -> String {
    format!("[[roles.a.programs]]\nname = 'p'\npath = 'C:\\x\\p.exe'\n{lines}\n")
}

#[test]
fn all_mistakes_of_all_files_are_reported_at_once() {
    let roles = "[roles.web-ops]\nprogams = 1\n\n[[roles.web-ops.programs]]\nnam = 'x'\npath = 'x.exe'\n";
    let assignments = "\u{FEFF}[[assignments]]\nprincipals = ['ops']\ntargets = ['web 01']\nroles = ['webops']\n";
    let found = try_compile(&[("roles.toml", roles), ("assign.toml", assignments)]).unwrap_err();
    let places: Vec<String> = found.iter().map(|m| format!("{}:{}:{}", m.file, m.line, m.column)).collect();
    assert_eq!(
        places,
        [
            "assign.toml:2:15",
            "assign.toml:3:12",
            "assign.toml:4:10",
            "roles.toml:2:1",
            "roles.toml:4:1",
            "roles.toml:5:1",
            "roles.toml:6:8"
        ]
    );
    assert!(found.iter().all(|mistake| !mistake.hint.is_empty()));
    let shown = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(shown.contains("assign.toml:4:10: there is no role `webops` (did you mean `web-ops`?)"), "{shown}");
    assert!(shown.contains("roles.toml:2:1: unknown key `progams` in a role (did you mean `programs`?)"), "{shown}");
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    assert_mistakes("role = 1\n", &["1:1 unknown key `role` in a policy document"]);
    assert_mistakes("[roles.a]\ncmdlet = []\n", &["2:1 unknown key `cmdlet` in a role"]);
    assert_mistakes(&rule("argument = 'none'"), &["4:1 unknown key `argument` in a program rule"]);
    assert_mistakes(&rule("arguments = { any = true, min = 1 }"), &["4:27 unknown key `min` in `arguments`"]);
    let each = "arguments = { each = [{ pattern = 'a', secrets = true }], max = 1 }";
    assert_mistakes(&rule(each), &["4:40 unknown key `secrets` in a pattern"]);
    assert_mistakes(
        "[roles.a]\n[[assignments]]\nprincipals = ['D\\a']\ntags = ['t']\nroles = ['a']\nwhenever = 1\n",
        &["6:1 unknown key `whenever` in an assignment"],
    );
}

#[test]
fn values_of_the_wrong_type_are_named() {
    assert_mistakes(
        "roles = 1\nassignments = 2\n",
        &["1:9 `roles` is a TOML integer", "2:15 `assignments` is a TOML integer"],
    );
    assert_mistakes("roles.a = 'x'\n", &["1:11 a role is a TOML string"]);
    assert_mistakes("[roles.a]\nprograms = 'x'\n", &["2:12 `programs` is a TOML string"]);
    assert_mistakes("[roles.a]\nprograms = ['x', 2]\n", &["2:13 a program rule is", "2:18 a program rule is"]);
    assert_mistakes("assignments = ['x']\n", &["1:16 an assignment is a TOML string"]);
    assert_mistakes("[roles.a]\ndescription = 1\n", &["2:15 `description` is a TOML integer"]);
    assert_mistakes(&rule("stdin = 'yes'"), &["4:9 `stdin` is a TOML string"]);
    assert_mistakes(&rule("arguments = 1"), &["4:13 `arguments` is a TOML integer"]);
    assert_mistakes(&rule("arguments = { any = 1 }"), &["4:21 `any` is a TOML integer"]);
    assert_mistakes(&rule("arguments = { exact = 'a' }"), &["4:23 `exact` is a TOML string"]);
    assert_mistakes(
        &rule("arguments = { exact = ['a', 'b'] }"),
        &["4:24 an entry of `exact`", "4:29 an entry of `exact`"],
    );
    assert_mistakes(&rule("arguments = { exact = [['a', 2]] }"), &["4:30 an argument is a TOML integer"]);
    assert_mistakes(&rule("arguments = { each = 'a', max = 1 }"), &["4:22 `each` is a TOML string"]);
    assert_mistakes(
        &rule("arguments = { each = [1], max = '2' }"),
        &["4:23 a pattern is", "4:33 `max` is a TOML string"],
    );
    assert_mistakes(&rule("arguments = { any = true, secret = 1 }"), &["4:36 `secret` is a TOML integer"]);
}

#[test]
fn forms_of_arguments_are_one_of_five() {
    assert_mistakes(&rule("arguments = 'any'"), &["4:13 `arguments` as text can only be \"none\""]);
    assert_mistakes(&rule("arguments = {}"), &["4:13 `arguments` has no `exact`, `each` or `any`"]);
    assert_mistakes(&rule("arguments = { any = true, exact = [[]] }"), &["4:13 `arguments` has more than one"]);
    assert_mistakes(
        &rule("arguments = { any = true, each = ['a'], max = 1 }"),
        &["4:13 `arguments` has more than one"],
    );
    assert_mistakes(&rule("arguments = { any = false }"), &["4:21 `any` can only be true"]);
    assert_mistakes(&rule("arguments = { exact = [] }"), &["4:23 `exact` is empty"]);
    assert_mistakes(&rule("arguments = { each = [], max = 1 }"), &["4:22 `each` is empty"]);
    assert_mistakes(&rule("arguments = { each = ['a'] }"), &["4:13 `arguments` has no `max`"]);
    assert_mistakes(&rule("arguments = { each = ['a'], max = -1 }"), &["4:35 `max` is out of range"]);
    assert_mistakes(&rule("arguments = { each = ['a'], max = 99999999999999999999 }"), &["4:35 `max` is out of range"]);
    assert_mistakes(&rule("arguments = { exact = [['a']], max = 1 }"), &["4:38 `max` belongs to `each` only"]);
    assert_mistakes(
        &rule("arguments = { each = [{ secret = true }], max = 1 }"),
        &["4:23 the pattern has no `pattern`"],
    );
    for good in [
        "",
        "arguments = 'none'",
        "arguments = { any = true }",
        "arguments = { exact = [[]] }",
        "arguments = { each = ['a', { pattern = 'b', secret = true }], max = 0 }",
        "[roles.a.programs.arguments]\neach = ['a']\nmax = 0x10\nsecret = false",
    ] {
        assert_eq!(mistakes(&rule(good)), [""; 0], "{good}");
    }
}

#[test]
fn patterns_are_checked_where_they_stand() {
    let text =
        rule("arguments = { each = [\n  'ok',\n  '(',\n  { pattern = 'a(?=b)' },\n  '[[:alpha:]]',\n], max = 1 }");
    assert_mistakes(
        &text,
        &[
            "6:3 the pattern is not readable at its character 1",
            "7:15 the pattern is not readable at its character 2",
            "8:3 a bracket within brackets",
        ],
    );
}

#[test]
fn paths_are_checked_where_they_stand() {
    for (path, message) in [
        ("hostname.exe", "the path does not start with a drive"),
        (r"C:\x\run.bat", "batch files are refused"),
        (r"C:\x\run.CMD", "batch files are refused"),
        (r"\\srv\x\run.exe", "the path lies on another machine"),
        (r"C:\x\..\run.exe", "the path holds `.` or `..`"),
        (r"C:\x&y\run.exe", "the path holds a character"),
        (r"C:\x\run", "the path has no extension"),
        (r"%windir%\x.exe", "the path holds a variable"),
    ] {
        let text = format!("[[roles.a.programs]]\nname = 'p'\npath = '{path}'\n");
        assert_mistakes(&text, &[&format!("3:8 {message}")]);
    }
}

#[test]
fn interpreters_take_spelled_out_arguments_only() {
    let with =
        |program: &str, lines: &str| format!("[[roles.a.programs]]\nname = 'p'\npath = 'C:\\x\\{program}'\n{lines}\n");
    assert_mistakes(
        &with("powershell.exe", "arguments = { any = true }"),
        &["4:13 powershell.exe runs what its arguments"],
    );
    assert_mistakes(
        &with("CMD.exe", "arguments = { each = ['/c', '[a-z]+'], max = 2 }"),
        &["4:13 CMD.exe runs what its"],
    );
    assert_mistakes(&with("cmd.exe", "stdin = true"), &["4:9 cmd.exe runs what its input says"]);
    assert_mistakes(
        &with("wmic.exe", "stdin = true\narguments = { any = true }"),
        &["4:9 wmic.exe runs what its input", "5:13 wmic.exe runs what its arguments"],
    );
    for good in ["", "arguments = { exact = [['/c', 'ver']] }", "arguments = { each = ['/c', 'ver|date'], max = 2 }"] {
        assert_eq!(mistakes(&with("cmd.exe", good)), [""; 0], "{good}");
    }
}

#[test]
fn assignments_say_who_where_and_what() {
    assert_mistakes(
        "[[assignments]]\n",
        &[
            "1:1 the assignment has no `principals`",
            "1:1 the assignment has no `roles`",
            "1:1 the assignment has no `targets`",
        ],
    );
    let assignment = |who: &str, where_: &str| {
        format!("[roles.a]\n[[assignments]]\nprincipals = [{who}]\n{where_}\nroles = ['a']\n")
    };
    for (who, message) in [
        ("'ops'", "3:15 the principal `ops` has no domain"),
        ("'ops@demo.example'", "3:15 the principal `ops@demo.example` has no domain"),
        (r"'D\a', '\a'", r"3:22 `\\a` is no principal"),
        (r"'D\'", r"3:15 `D\\` is no principal"),
        (r"'D\a\b'", r"3:15 `D\\a\\b` is no principal"),
        (r"'D\*'", r"3:15 `D\\*` holds what no name has"),
        (r"'D\a '", r"3:15 `D\\a ` holds what no name has"),
        ("1", "3:15 an entry of `principals` is a TOML integer"),
        ("", "3:14 `principals` is empty"),
    ] {
        assert_mistakes(&assignment(who, "tags = ['t']"), &[message]);
    }
    for (place, message) in [
        ("targets = ['a b']", "4:12 a target pattern holds letters"),
        ("targets = ['ok', 'web?']", "4:18 a target pattern holds letters"),
        ("targets = ['a..b']", "4:12 the target pattern has nothing"),
        ("targets = []", "4:11 `targets` is empty"),
        ("target_groups = ['w*']", "4:18 `w*` is no name for `target_groups`"),
        ("tags = ['']", "4:9 `` is no name for `tags`"),
    ] {
        assert_mistakes(&assignment(r"'D\a'", place), &[message]);
    }
}

#[test]
fn names_are_unique_and_plain() {
    let twice = format!("{}{}", rule(""), rule(""));
    assert_mistakes(&twice, &["6:8 the role has two rules named `p`"]);
    assert_mistakes("[roles.'a/b']\n", &["1:8 `a/b` is no name for a role"]);
    assert_mistakes("[roles.'']\n", &["1:8 `` is no name for a role"]);
    assert_mistakes(
        "[[roles.a.programs]]\nname = \"a\\nb\"\npath = 'C:\\x.exe'\n",
        &["2:8 `a\\nb` is no name for a program rule"],
    );
    assert_mistakes("[roles.A]\n[roles.a]\n", &["2:8 the role `a` is defined in f.toml already"]);
    let found = try_compile(&[("b", "[roles.x]"), ("a", "\n[roles.X]")]).unwrap_err();
    assert_eq!((found[0].file.as_str(), found[0].line, found[0].column), ("b", 1, 8));
    assert!(try_compile(&[("a", ""), ("a", "")]).unwrap_err()[0].message.contains("same name"));
}

#[test]
fn broken_toml_is_reported_with_what_can_still_be_read() {
    assert_mistakes(
        "[roles.a]\nx = \"C:\\W\"\n\n[[assignments]]\nroles = ['nobody']\nprincipals = ['ops']\n",
        // Nothing is said of what is missing or unknown by name: it may stand where the text was not readable.
        &["2:1 unknown key `x`", "2:9 not readable as TOML", "6:15 the principal `ops`"],
    );
    assert_mistakes("[roles.a]\n[roles.a]\n", &["2:8 not readable as TOML: duplicate key"]);
    assert_mistakes("[roles.a\n", &["1:9 not readable as TOML"]);
    assert_mistakes(
        &format!("x = {}\n", "[".repeat(200)),
        &["1:1 unknown key", "1:85 not readable", "1:205 not readable"],
    );
}

#[test]
fn warnings_do_not_keep_a_policy_from_being_used() {
    let text = r#"
[roles.idle]

[roles.used]
[[roles.used.programs]]
name = "one"
path = 'C:\a\x.exe'
arguments = { exact = [['a b'], ['a&b'], ['"']] }
[[roles.used.programs]]
name = "two"
path = 'C:\b\x.exe'

[[assignments]]
principals = ['D\a']
targets = ['*']
roles = ['used']
"#;
    assert_eq!(
        warnings(text),
        [
            "2:8 nobody holds the role `idle`",
            "4:8 x.exe in role `used` stands for two programs, here and as c:\\a\\x.exe",
            "8:13 2 of the lists can never match: no WinRS command line can carry them",
            "15:12 `*` fits no name that has a dot in it",
        ]
    );
    assert!(warnings("").is_empty());
}

#[test]
fn sizes_and_counts_are_bounded() {
    let many: Vec<String> = (0..=limits::SOURCES).map(|n| n.to_string()).collect();
    let documents: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    assert!(try_compile(&documents).unwrap_err()[0].message.contains("more than 256 documents"));
    let large = "#".repeat(limits::SOURCE_BYTES + 1);
    assert!(try_compile(&[("f", &large)]).unwrap_err()[0].message.contains("larger than"));
    let long = rule(&format!("arguments = {{ exact = [[{}]] }}", "'',".repeat(limits::LIST + 1)));
    assert_mistakes(&long, &["4:24 an entry of `exact` has more than 4096 entries"]);
    let pattern = rule(&format!("arguments = {{ each = ['{}'], max = 1 }}", "a".repeat(limits::PATTERN_BYTES + 1)));
    assert_mistakes(&pattern, &["4:23 the pattern is longer than 2048 bytes"]);
    let roles: String = (0..=limits::ROLES).map(|n| format!("[roles.r{n}]\n")).collect();
    assert_eq!(mistakes(&roles).len(), 1);
    let wrong: String = (0..2000).map(|n| format!("k{n} = 1\n")).collect();
    let found = mistakes(&wrong);
    assert_eq!(found.len(), limits::MISTAKES + 1);
    assert!(found.last().unwrap().ends_with("and 1500 more mistakes"));
}

#[test]
fn the_digest_covers_every_document_and_its_name() {
    let digest = |documents: &[(&str, &str)]| compile(documents).policy.digest().to_owned();
    let one = digest(&[("a.toml", "[roles.a]\n")]);
    assert_eq!(one.len(), 64);
    assert_eq!(one, digest(&[("a.toml", "[roles.a]\r\n")]));
    assert_ne!(one, digest(&[("b.toml", "[roles.a]\n")]));
    assert_ne!(one, digest(&[("a.toml", "[roles.b]\n")]));
    assert_ne!(one, digest(&[("a.toml", "[roles.a]\n"), ("b.toml", "")]));
    assert_ne!(policy_of("[roles.ops]").digest(), one);
}

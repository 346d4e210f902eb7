//! `explain`, `test` and `diff`.

use serde_json::Value as Json;

use super::{POLICY, Place, WHO, explained};
use crate::commands::Status;

#[test]
fn explain_gives_the_verdict_the_rule_and_the_canonical_form() {
    let place = Place::new();
    let allowed = place.ends(Status::Fine, &explained(&["--", "restart-webapppool", "portal"]));
    assert_eq!(allowed, "allow: rule Restart-WebAppPool of role pool-ops\n    Restart-WebAppPool -Name:'portal'\n");
    let denied = place.ends(Status::Found, &explained(&["--", "Restart-WebAppPool", "-Name", "Other"]));
    assert!(denied.starts_with("deny: ") && denied.contains("Portal") && denied.contains("-Name"), "{denied}");
    let script = place.ends(Status::Fine, &explained(&["--", "gwap -Name 'Portal'"]));
    assert!(script.starts_with("allow"), "{script}");
}

#[test]
fn explain_takes_programs_scripts_and_whole_requests() {
    let place = Place::new();
    let allowed = place.ends(Status::Fine, &explained(&["--winrs", "--", "hostname"]));
    assert!(allowed.contains("machine name") && allowed.contains(r"C:\Windows\System32\hostname.exe"), "{allowed}");
    place.ends(Status::Found, &explained(&["--winrs", "--", "hostname", "&", "whoami"]));
    let (ended, out) = place.run(&explained(&["--script", "-", "--json"]), " Get-WebAppPoolState -Name Portal\r\n");
    assert_eq!(ended.unwrap(), Status::Fine);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["decision"], &json["canonical"][0]["args"][0]["name"]), (&"allow".into(), &"Name".into()));
    place.write(
        "request.json",
        r#"{"user": {"name": "DEMO\\aoki", "groups": ["DEMO\\WebOps"]}, "target": "iis01.demo.example", "kind": "winrs",
            "request": {"command": "hostname", "args": [], "stdin": ""}}"#,
    );
    place.ends(Status::Found, &["explain", "--policy", "web.toml", "--request", "request.json"]);
    let why = place.fails(&["explain", "--policy", "web.toml", "--", "x"]);
    assert!(why.contains("--user"), "{why}");
    let words = [&["explain", "--policy", "web.toml", "--edition", "6"], &WHO[..], &["--", "x"]].concat();
    assert!(place.fails(&words).contains("5.1 or 7"));
}

const CASES: &str = r#"
user = 'DEMO\aoki'
groups = ['DEMO\WebOps']
target = "iis01.demo.example"

[[cases]]
name = "pools"
allow = [
  "Restart-WebAppPool Portal",
  { script = "gwap", rule = "Get-WebAppPoolState", role = "pool-ops" },
  { program = "hostname", rule = "machine name" },
]
deny = [
  { script = "Restart-WebAppPool Other", because = "Portal" },
  "Remove-WebAppPool Portal",
]

[[cases]]
name = "others"
groups = []
deny = ["gwap", { program = "hostname" }]
"#;

#[test]
fn cases_that_are_as_expected_pass() {
    let place = Place::new();
    place.write("cases.toml", CASES);
    let public = include_str!("../../../../../tests/data/policy-cases/cases.jsonl");
    let winrs: String =
        public.lines().filter(|line| line.contains("\"winrs\"")).map(|line| format!("{line}\n")).collect();
    place.write("cases.jsonl", &winrs.replace("\"expect\": \"allow\"", "\"expect\": \"allow\", \"debatable\": true"));
    let out = place.ends(Status::Fine, &["test", "web.toml", "cases.toml", "cases.jsonl"]);
    assert_eq!(out, "12 requests, 0 differ\n");
}

#[test]
fn a_difference_is_shown_with_its_place_and_both_verdicts() {
    let place = Place::new();
    place.write(
        "cases.toml",
        &CASES.replace("{ program = \"hostname\" }", "\"x\"").replace("rule = \"machine name\"", "rule = \"other\""),
    );
    place.write("more.jsonl", concat!(
        r#"{"id": 7, "why": "a \"quote\" & <tag>", "user": {"name": "DEMO\\x"}, "target": "t", "kind": "psrp_script", "request": {"script": "Get-Date"}, "expect": "allow"}"#,
        "\n\n"
    ));
    let out = place.ends(
        Status::Found,
        &["test", "web.toml", "cases.toml", "more.jsonl", "--junit", &place.path("report.xml").display().to_string()],
    );
    assert!(out.contains("cases.toml:11: pools\n    DEMO\\aoki on iis01.demo.example: hostname\n  - allow by rule other\n  + allow: rule machine name of role pool-ops\n"), "{out}");
    assert!(
        out.contains("more.jsonl:1: 7 a \"quote\" & <tag>\n    DEMO\\x on t: Get-Date\n  - allow\n  + deny: "),
        "{out}"
    );
    assert!(out.ends_with("8 requests, 2 differ\n"), "{out}");
    let report = std::fs::read_to_string(place.path("report.xml")).unwrap();
    assert!(
        report.contains("tests=\"8\" failures=\"2\"") && report.contains("&quot;quote&quot; &amp; &lt;tag&gt;"),
        "{report}"
    );
}

#[test]
fn what_is_wrong_with_a_file_of_cases_is_said_with_its_line() {
    let place = Place::new();
    let wrong = [
        ("a.toml", "x = 1\n", "a.toml:1"),
        ("b.toml", "[[cases]]\nuser = 'D\\u'\nallow = ['x']\n", "has no `target`"),
        ("c.toml", "user = 'D\\u'\ntarget = 't'\n[[cases]]\nname = 'n'\n", "c.toml:3"),
        (
            "d.toml",
            "user = 'D\\u'\ntarget = 't'\n[[cases]]\nallow = [\n  'x',\n  { script = 'x', program = 'y' }]\n",
            "d.toml:6",
        ),
        (
            "e.toml",
            "user = 'D\\u'\ntarget = 't'\n[[cases]]\ndeny = [{ script = 'x', rule = 'y' }]\n",
            "belong to what is allowed",
        ),
        ("f.toml", "user = 'D\\u'\ntarget = 't'\n", "no cases with expected verdicts"),
        ("g.jsonl", "\n{\n", "g.jsonl:2"),
        ("h.jsonl", r#"{"expect": "maybe"}"#, "h.jsonl:1"),
        (
            "i.jsonl",
            r#"{"user": {"name": "u"}, "target": "t", "kind": "winrs", "request": {"command": "x"}}"#,
            "no cases with expected",
        ),
    ];
    for (name, text, why) in wrong {
        place.write(name, text);
        let said = place.fails(&["test", "web.toml", name]);
        assert!(said.contains(why), "{name}: {said}");
    }
}

#[test]
fn diff_says_what_would_change_and_how() {
    let place = Place::new();
    place.write("cases.toml", CASES);
    let out = place.ends(Status::Fine, &["diff", "web.toml", "web.toml", "--requests", "cases.toml"]);
    assert_eq!(out, "7 requests: 0 would be allowed, 0 would be denied, 0 would be allowed otherwise\n");
    let new = POLICY
        .replace("\"Orders\"]", "\"Other\"]")
        .replace("  \"Get-WebAppPoolState\",\n", "")
        .replace("aliases =", "#")
        .replace("machine name", "the name");
    place.write("new.toml", &new);
    let out = place.ends(Status::Found, &["diff", "web.toml", "new.toml", "--requests", "cases.toml"]);
    assert!(out.contains("DEMO\\aoki on iis01.demo.example: Restart-WebAppPool Other\n  - deny: "), "{out}");
    assert!(
        out.contains("  + allow: rule Restart-WebAppPool of role pool-ops\n      Restart-WebAppPool -Name:'Other'\n"),
        "{out}"
    );
    assert!(out.contains("  - allow: rule Get-WebAppPoolState of role pool-ops\n"), "{out}");
    assert!(out.contains("  + allow: rule the name of role pool-ops\n"), "{out}");
    assert!(
        out.ends_with("7 requests: 1 would be allowed, 1 would be denied, 1 would be allowed otherwise\n"),
        "{out}"
    );
}

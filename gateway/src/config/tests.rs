//! The configuration file: what is taken, what is refused, and where that is said to be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use sekisho_policy::Edition;

/// The least that is a configuration.
const LEAST: &str = r#"
[[listeners]]
address = "0.0.0.0:5986"
tls = { certificate = "server.pem", key = "server.key" }
[credssp]
certificate = "inner.pem"
key = "/etc/inner.key"
[accounts]
file = "accounts"
key_file = "accounts.key"
[policy]
path = "policy"
[audit]
directory = "audit"
digest_key = "digest.key"
[audit.sign]
key = "signing.key"
"#;

fn parse(text: &str) -> Result<Config, Vec<Mistake>> {
    Config::parse(Path::new("/etc/sekisho/gateway.toml"), text)
}

fn with(more: &str) -> Result<Config, Vec<Mistake>> {
    parse(&format!("{LEAST}\n{more}"))
}

#[test]
fn the_least_configuration_is_safe() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.warnings, []);
    assert!(config.targets.is_empty());
    assert_eq!(config.audit.durability, Durability::Fsync);
    assert_eq!(config.audit.on_failure, OnFailure::Deny);
    assert_eq!(config.audit.denied_text, DeniedText::Digest);
    assert!(config.admin.address.unwrap().ip().is_loopback());
    assert_eq!(config.limits.login_time, Duration::from_secs(20));
}

#[test]
fn paths_are_meant_from_the_folder_of_the_file() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.policy, PathBuf::from("/etc/sekisho/policy"));
    assert_eq!(config.credssp.key, PathBuf::from("/etc/inner.key"));
}

#[test]
fn every_dangerous_key_warns() {
    let config = with(
        r#"
        [[listeners]]
        address = "127.0.0.1:5985"
        dangerous_plain_http = true
        [targets.old]
        address = "10.0.0.1"
        dangerous_plain_http = true
        [targets.lab]
        address = "lab.example.com"
        dangerous_unverified_certificate = true
        [admin]
        address = "0.0.0.0:9986"
        dangerous_exposed = true
        "#,
    );
    let config = config.unwrap();
    let exposed = "0.0.0.0:9986".parse().unwrap();
    let expected = [
        Warning::ListenerPlainHttp("127.0.0.1:5985".parse().unwrap()),
        Warning::TargetUnverified(TargetName::parse("lab").unwrap()),
        Warning::TargetPlainHttp(TargetName::parse("old").unwrap()),
        Warning::AdminExposed(exposed),
    ];
    assert_eq!(config.warnings, expected);
    assert_eq!(config.listeners[1].transport.bodies(), BodyRule::SealedOnly);
    assert_eq!(config.targets.find("old").unwrap().port, 5985);
}

#[test]
fn a_target_is_what_was_written() {
    let config = with(
        r#"
        [targets.Web01]
        address = "Web01.Example.com"
        ca = "ca.pem"
        authentication = "credssp"
        tags = ["Prod", "web"]
        code_page = 65001
        account_domain = "CORP"
        quotas = { connections = 5 }
        [targets.db]
        address = "10.0.0.2"
        port = 15986
        pin = "AA:bb:00000000000000000000000000000000000000000000000000000000:cc:DD"
        server_name = "db.example.com"
        spn = "WSMAN/db"
        [target_groups]
        All = ["WEB01", "db"]
        "#,
    );
    let config = config.unwrap();
    let web = config.targets.find("wEb01").unwrap();
    assert_eq!((web.host.as_str(), web.port, web.spn.as_str()), ("web01.example.com", 5986, "HTTP/web01.example.com"));
    let trust = Trust::Ca(PathBuf::from("/etc/sekisho/ca.pem"));
    assert_eq!(web.transport, TargetTransport::Https { trust, server_name: "web01.example.com".to_owned() });
    assert_eq!((web.authentication, web.code_page), (TargetAuthentication::CredSsp, Some(65001)));
    assert_eq!(web.account_domain.as_deref(), Some("CORP"));
    assert_eq!((web.tags.join(" ").as_str(), web.quotas.connections), ("prod web", 5));
    let db = config.targets.find("db").unwrap();
    let TargetTransport::Https { trust: Trust::Pin(pin), server_name } = &db.transport else { panic!("{db:?}") };
    assert_eq!((pin[0], pin[1], pin[31], server_name.as_str()), (0xaa, 0xbb, 0xdd, "db.example.com"));
    assert_eq!((db.authentication, db.code_page, db.spn.as_str()), (TargetAuthentication::Negotiate, None, "WSMAN/db"));
    assert_eq!(config.targets.group("all").unwrap().len(), 2);
    assert_eq!(config.targets.groups_of(&db.name)[0].as_str(), "all");
    assert!(config.targets.find("10.0.0.2").is_none(), "a closed table");
    assert!(config.targets.find("../db").is_none());
}

const GROUPED: &str = r#"
[targets.a]
address = "10.0.0.1"
[targets.b]
address = "10.0.0.2"
edition = "5.1"
endpoint = "full"
[targets.c]
address = "10.0.0.3"
"#;

/// An open shell is judged as the machine it is on: a name that leads elsewhere is another one.
#[test]
fn a_target_is_the_same_machine_only_when_it_is_reached_in_the_same_way() {
    let one = |lines: &str| {
        let text = format!("\n[targets.w]\naddress = \"w.example.com\"\nca = \"ca.pem\"\n{lines}\n");
        with(&text).unwrap().targets.find("w").unwrap().clone()
    };
    let first = one("");
    assert!(first.is_same_machine(&one("tags = [\"x\"]\nedition = \"7\"")));
    for other in [
        "port = 1",
        "spn = \"HTTP/x\"",
        "authentication = \"credssp\"",
        "account_domain = \"X\"",
        "server_name = \"x\"",
    ] {
        assert!(!first.is_same_machine(&one(other)), "{other}");
    }
}

#[test]
fn a_target_says_its_powershell_itself_or_by_its_groups() {
    let groups = r#"
        [target_groups]
        plain = ["a", "b", "c"]
        modern = { targets = ["a", "b"], edition = "7" }
        modern_too = { targets = ["a"], edition = "7", endpoint = "restricted" }
    "#;
    let config = with(&format!("{GROUPED}\n{groups}")).unwrap();
    let of = |name: &str| config.targets.find(name).map(|target| (target.edition, target.endpoint)).unwrap();
    assert_eq!(of("a"), (Edition::Core7, Endpoint::Restricted));
    assert_eq!(of("b"), (Edition::Windows51, Endpoint::Full), "the target wins");
    assert_eq!(of("c"), (Edition::Windows51, Endpoint::Restricted), "what holds when nobody says");
    assert_eq!(config.targets.group("modern").unwrap().len(), 2);
}

#[test]
fn groups_that_disagree_about_a_target_are_a_mistake_unless_it_says_so_itself() {
    let disagree = |target: &str| {
        let groups = format!(
            "[target_groups]\none = {{ targets = [\"{target}\"], edition = \"7\", endpoint = \"full\" }}\n\
             two = {{ targets = [\"{target}\"], edition = \"5.1\", endpoint = \"restricted\" }}"
        );
        with(&format!("{GROUPED}\n{groups}"))
    };
    let mistakes = disagree("a").unwrap_err();
    let told: Vec<_> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "the groups `one` and `two` disagree about `edition` of target `a`",
            "the groups `one` and `two` disagree about `endpoint` of target `a`"
        ]
    );
    assert!(disagree("b").is_ok());
}

#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let text = "[[listeners]]\naddress = \"here\"\ntl = 1\n[limit]\n[limits]\nconnections = \"many\"\nhandshakes = 0\n[audit]\ndurability = \"maybe\"\n";
    let mistakes = parse(text).unwrap_err();
    let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let expected = [
        "1:1: a listener needs `tls` (add",
        "2:11: this is no address and port (write",
        "3:1: there is no key `listeners.tl` (did you mean `tls`?)",
        "4:2: there is no key `limit` (did you mean `limits`?)",
        "6:15: `limits.connections` cannot be this text (write a number from 1 to 100000)",
        "7:14: `limits.handshakes` is out of range (write a number from 1 to 10000)",
        "8:1: `audit.directory` is missing (name",
        "9:14: `audit.durability` has no such value (write \"write\" or \"fsync\")",
    ];
    for expected in expected {
        let expected = format!("/etc/sekisho/gateway.toml:{expected}");
        assert!(told.iter().any(|told| told.starts_with(&expected)), "{expected} in {told:#?}");
    }
    let sorted = mistakes.windows(2).all(|pair| (pair[0].line, pair[0].column) <= (pair[1].line, pair[1].column));
    assert!(sorted);
}

#[test]
fn what_is_not_toml_is_told_with_the_rest() {
    let mistakes = parse("[limits]\nconnections = = 3\n[nothing]\n").unwrap_err();
    assert!(mistakes.iter().any(|mistake| mistake.line == 2 && mistake.message.starts_with("not readable as TOML")));
    assert!(mistakes.iter().any(|mistake| mistake.message == "there is no key `nothing`"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        ("[[listeners]]\naddress = \"0.0.0.0:1\"", "a listener needs `tls`"),
        ("[[listeners]]\naddress = \"0.0.0.0:5986\"\ndangerous_plain_http = true", "two listeners have the address"),
        (
            "[[listeners]]\naddress = \"0.0.0.0:1\"\ndangerous_plain_http = true\ntls = { certificate = \"a\", key = \"b\" }",
            "not both",
        ),
        ("[targets.\"a b\"]\naddress = \"x\"", "a name begins with"),
        ("[targets.a]", "`targets.a.address` is missing"),
        ("[targets.a]\naddress = \"x y\"", "this is no host name"),
        ("[targets.a]\naddress = \"x\"\nport = 65536", "is out of range"),
        ("[targets.a]\naddress = \"x\"\nport = -1", "cannot be a number"),
        ("[targets.a]\naddress = \"x\"\n[targets.A]\naddress = \"x\"", "two targets are called `a`"),
        ("[targets.a]\naddress = \"x\"\nca = \"c\"\npin = \"00\"", "a target has one of"),
        ("[targets.a]\naddress = \"x\"\npin = \"00\"", "no SHA-256"),
        (
            "[targets.a]\naddress = \"x\"\nca = \"c\"\ndangerous_plain_http = true",
            "without TLS there is no certificate",
        ),
        ("[targets.a]\naddress = \"x\"\nscheme = \"http\"", "there is no key `targets.a.scheme`"),
        ("[targets.a]\naddress = \"x\"\nspn = \"x\"", "no service name"),
        ("[targets.a]\naddress = \"x\"\naccount_domain = 'a\\b'", "this is no domain"),
        ("[target_groups]\ng = [\"nobody\"]", "there is no target of this name"),
        ("[target_groups]\ng = { target = [] }", "there is no key `target_groups.g.target`"),
        ("[target_groups]\ng = \"web01\"", "`target_groups.g` cannot be this text"),
        ("[target_groups]\ng = { targets = [], edition = \"6\" }", "`target_groups.g.edition` has no such value"),
        ("[targets.a]\naddress = \"x\"\nendpoint = \"open\"", "`targets.a.endpoint` has no such value"),
        ("[targets.a]\naddress = \"x\"\n[target_groups]\na = []", "`a` is a target and a group"),
        ("[admin]\naddress = \"0.0.0.0:1\"", "open to other machines"),
        ("[sessions]\nidle = \"1m\"", "is not below `sessions.idle`"),
        ("[sessions]\nidle = 60", "cannot be a number"),
        ("[limits.lockout]\nfirst = \"1h\"\nlongest = \"1m\"", "is above `limits.lockout.longest`"),
        ("[limits.rates]\ncommands = { per_minute = 0 }", "is out of range"),
        ("[limits]\nconnections = 10", "`limits.connections_per_address` is above"),
        ("[log]\nfilter = \"==\"", "no log filter"),
        ("[routing]\nhost_suffix = \".x\"", "no host name"),
        ("[jobs]\ndeadline = \"\"", "is out of range"),
    ];
    for (text, message) in cases {
        let Err(mistakes) = with(text) else { panic!("taken: {text}") };
        let found = mistakes
            .iter()
            .any(|mistake| mistake.message.contains(message) || mistake.message.contains("cannot be this text"));
        assert!(found, "{text}: {mistakes:#?}");
    }
}

#[test]
fn accounts_have_one_key_elsewhere() {
    let text = |key: &str| LEAST.replace("key_file = \"accounts.key\"", key);
    assert!(parse(&text("")).unwrap_err()[0].message.contains("no key"));
    assert!(parse(&text("key_file = \"a\"\nkey_credential = \"b\"")).unwrap_err()[0].message.contains("two keys"));
    assert!(parse(&text("key_credential = \"../b\"")).is_err());
    let config = parse(&text("key_credential = \"sekisho.accounts\"")).unwrap();
    assert_eq!(config.accounts.key, KeySource::Credential("sekisho.accounts".to_owned()));
}

#[test]
fn mistakes_are_bounded() {
    let many: String = (0..1000).map(|number| format!("key{number} = 1\n")).collect();
    assert_eq!(parse(&many).unwrap_err().len(), 100);
}

#[test]
fn the_example_of_the_documentation_has_every_key() {
    let page = include_str!("../../../docs/configuration.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config = parse(example).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    assert_eq!(config.warnings, []);
    // Every key that the program knows stands somewhere on the page.
    let sources = [
        include_str!("document/audit.rs"),
        include_str!("document/limits.rs"),
        include_str!("document/listeners.rs"),
        include_str!("document/powershell.rs"),
        include_str!("document/recording.rs"),
        include_str!("document/rest.rs"),
        include_str!("document/targets.rs"),
    ];
    for source in sources {
        for part in source.split("reader, \"").skip(1) {
            let key = part.split('"').next().unwrap();
            assert!(page.contains(&format!("`{key}`")), "`{key}` is not documented");
        }
    }
}

#[test]
fn nothing_is_recorded_unless_that_is_asked_for() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.recording.sessions, RecordedSessions::None);
    assert_eq!(config.recording.directory, PathBuf::from("/etc/sekisho/recordings"));
    let settings = "[recording]\ntargets = [\"*\"]\nclixml = true\n";
    assert_eq!(with(settings).unwrap().recording.sessions, RecordedSessions::None);
}

#[test]
fn recorded_are_all_targets_or_those_that_are_named() {
    const TARGETS: &str = r#"
        [targets]
        web01 = { address = "a" }
        web02 = { address = "b" }
        db01 = { address = "c" }
        [target_groups]
        web = ["web01", "web02"]
    "#;
    let recorded = |keys: &str| {
        let config = with(&format!("{TARGETS}\n[recording]\nenabled = true\n{keys}")).unwrap();
        let all = ["web01", "web02", "db01"].into_iter();
        all.filter(|name| config.recording.records(config.targets.find(name).unwrap(), &config.targets))
            .collect::<Vec<_>>()
    };
    assert_eq!(recorded(""), ["web01", "web02", "db01"]);
    assert_eq!(recorded("targets = ['*']"), ["web01", "web02", "db01"]);
    assert_eq!(recorded("targets = ['DB01']"), ["db01"]);
    assert_eq!(recorded("target_groups = ['web']"), ["web01", "web02"]);
    assert_eq!(recorded("target_groups = ['web']\ntargets = ['db01']"), ["web01", "web02", "db01"]);
    let wrong = with("[recording]\nenabled = true\ntargets = ['web09']\ntarget_groups = ['none']").unwrap_err();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

#[test]
fn a_pattern_that_would_hide_nothing_is_a_mistake() {
    assert_eq!(with("[recording]\nredact = ['a+', '(?i)pass\\w+']").unwrap().recording.redact.len(), 2);
    let long = "a".repeat(2000);
    for pattern in ["(", "a*", "(a{1000}){1000}", long.as_str()] {
        let mistakes = with(&format!("[recording]\nredact = ['{pattern}']")).unwrap_err();
        assert!(mistakes[0].message.contains("pattern"), "{mistakes:?}");
    }
    let many = vec!["'a'"; 65].join(",");
    assert!(with(&format!("[recording]\nredact = [{many}]")).is_err());
}

#[test]
fn recordings_have_a_folder_of_their_own() {
    assert!(with("[recording]\nenabled = true\ndirectory = 'audit'").is_err());
    let other = with("[recording]\nenabled = true\ndirectory = '/srv/r'").unwrap();
    assert_eq!(other.recording.directory, PathBuf::from("/srv/r"));
    assert_eq!((other.recording.on_full, other.recording.limits.entry), (OnFull::Deny, 65_536));
}

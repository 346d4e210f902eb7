//! The commands on real files. One installation is made and copied, since RSA keys take their time.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use clap::Parser as _;
use sekisho_protocol::secret::SecretText;
use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::audit::{Audit, Context, Event, EventKind, StopReason};
use crate::cli::Cli;
use crate::config::Config;

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

/// Passwords that are there already.
struct Given(Vec<&'static str>);

impl Passwords for Given {
    fn first_line(&mut self) -> Result<SecretText, PasswordError> {
        self.ask("")
    }

    fn ask(&mut self, _prompt: &str) -> Result<SecretText, PasswordError> {
        if self.0.is_empty() { Err(PasswordError::Empty) } else { Ok(SecretText::new(self.0.remove(0).to_owned())) }
    }
}

/// Runs a command line. Gives its end and what it wrote.
fn line(arguments: &[&str], passwords: &[&'static str]) -> (Result<Status, CommandError>, String) {
    let cli = Cli::try_parse_from([&["sekisho-gateway"], arguments].concat()).unwrap();
    let mut out = Vec::new();
    let mut passwords = Given(passwords.to_vec());
    let result = run(&cli.command, NOW, &mut Console { out: &mut out, passwords: &mut passwords });
    (result, String::from_utf8(out).unwrap())
}

static INSTALLED: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("gateway");
    let arguments = ["init", directory.to_str().unwrap(), "--name", "GW01.example.com", "--account", "Alice"];
    let (result, out) = line(&arguments, &["secret", "secret"]);
    assert_eq!(result.unwrap(), Status::Fine);
    (root, out)
});

/// A copy of the installation.
fn installation() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(&INSTALLED.0.path().join("gateway"), copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&place).unwrap();
            std::fs::set_permissions(&place, PermissionsExt::from_mode(0o700)).unwrap();
            copy_into(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn check(directory: &Path, now: OffsetDateTime) -> Findings {
    examine(&directory.join("gateway.toml"), now)
}

fn edit(directory: &Path, from: &str, to: &str) {
    let path = directory.join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

fn assert_one(findings: &Findings, expected: &str) {
    assert!(matches!(findings.mistakes.as_slice(), [one] if one.contains(expected)), "{expected}: {findings:#?}");
}

fn each_file(directory: &Path, look: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        look(&path);
        if path.is_dir() {
            each_file(&path, look);
        }
    }
}

#[test]
fn a_first_installation_passes_its_own_check() {
    let directory = installation();
    let (result, out) = line(&["check", "--config", directory.path().join("gateway.toml").to_str().unwrap()], &[]);
    assert_eq!(result.unwrap(), Status::Fine, "{out}");
    let config = Config::load(&directory.path().join("gateway.toml")).unwrap();
    assert_eq!(config.warnings, []);
    let accounts = crate::identity::LocalAccounts::load(&config.accounts).unwrap();
    let (name, account) = accounts.iter().next().unwrap();
    assert_eq!((name, account.groups()), ("alice", &["operators".to_owned()][..]));
    assert!(!crate::policy_files::compile(&config.policy).unwrap().policy.digest().is_empty());
}

#[test]
fn everything_of_an_installation_is_private() {
    let root = INSTALLED.0.path().join("gateway");
    let mut files = 0;
    each_file(INSTALLED.0.path(), &mut |path| {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        files += 1;
    });
    assert!(files > 15);
    assert!(!crate::private_file::beside(&root, ".unfinished").exists());
}

#[test]
fn init_shows_the_first_public_key_and_what_comes_next() {
    let out = &INSTALLED.1;
    let shown = std::fs::read_to_string(INSTALLED.0.path().join("gateway/audit-first-key.pub")).unwrap();
    assert!(out.contains(shown.trim()) && shown.starts_with("ed25519:"));
    for step in ["check --config", "serve --config", "tls/ca.pem", "audit verify", "GATEWAY\\alice"] {
        assert!(out.contains(step), "{step}");
    }
    assert!(!out.contains("secret"));
}

#[test]
fn the_commented_role_is_a_policy() {
    let directory = installation();
    let path = directory.path().join("policy/policy.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (explanation, role) = text.split_once("#\n").unwrap();
    assert!(explanation.starts_with("# Who may run what"));
    let uncommented: String =
        role.lines().map(|line| format!("{}\n", line.trim_start_matches('#').trim_start())).collect();
    std::fs::write(&path, uncommented).unwrap();
    assert_eq!(check(directory.path(), NOW).mistakes, [""; 0]);
}

#[test]
fn init_overwrites_nothing_and_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("gateway");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("mine"), "x").unwrap();
    let (result, _) = line(&["init", directory.to_str().unwrap()], &["x", "x"]);
    assert!(matches!(result, Err(CommandError::NotEmpty(_))));
    let fresh = root.path().join("fresh");
    for (arguments, passwords) in [
        (vec!["--account", "a b"], vec!["x", "x"]),
        (vec!["--name", "a b"], vec!["x", "x"]),
        (vec![], vec!["x", "y"]),
        (vec!["--password-stdin"], vec![]),
    ] {
        let arguments = [vec!["init", fresh.to_str().unwrap()], arguments].concat();
        assert!(line(&arguments, &passwords).0.is_err(), "{arguments:?}");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "{arguments:?}");
    }
}

#[test]
fn the_certificates_are_what_clients_need() {
    let config = Config::load(&INSTALLED.0.path().join("gateway/gateway.toml")).unwrap();
    let pem = std::fs::read(INSTALLED.0.path().join("gateway/tls/server.pem")).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
    let server = pem.parse_x509().unwrap();
    let names = server.subject_alternative_name().unwrap().unwrap().value.to_owned();
    let names = format!("{names:?}");
    assert!(names.contains("gw01.example.com") && names.contains("localhost"), "{names}");
    assert!(!server.is_ca() && server.public_key().parsed().is_ok());
    assert_eq!(config.listeners.len(), 1);
}

#[test]
fn certificates_that_expire_are_found() {
    let directory = installation();
    let later = |days: i64| check(directory.path(), NOW + time::Duration::days(days));
    assert_eq!(later(0).mistakes, [""; 0]);
    assert!(later(800).warnings.iter().any(|warning| warning.contains("server.pem expires on")));
    assert!(later(826).mistakes.iter().any(|mistake| mistake.contains("server.pem has expired on 2028")));
    assert!(later(-1).mistakes.iter().any(|mistake| mistake.contains("not valid yet")));
}

#[test]
fn keys_that_do_not_belong_or_can_be_read_are_found() {
    let directory = installation();
    let tls = directory.path().join("tls");
    std::fs::set_permissions(tls.join("server.key"), PermissionsExt::from_mode(0o640)).unwrap();
    assert_one(&check(directory.path(), NOW), "server.key can be used by others (mode 0640); run: chmod 600");
    std::fs::set_permissions(tls.join("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::copy(tls.join("credssp.key"), tls.join("server.key")).unwrap();
    assert_one(&check(directory.path(), NOW), "server.key is not the key of");
    std::fs::write(tls.join("server.key"), "nothing").unwrap();
    assert_one(&check(directory.path(), NOW), "no private key");
}

#[test]
fn a_credssp_certificate_that_is_not_rsa_is_found() {
    let directory = installation();
    let tls = directory.path().join("tls");
    std::fs::copy(tls.join("ca.pem"), tls.join("credssp.pem")).unwrap();
    std::fs::copy(tls.join("ca.key"), tls.join("credssp.key")).unwrap();
    assert_one(&check(directory.path(), NOW), "has no RSA key");
}

#[test]
fn a_server_name_that_the_certificate_lacks_is_found() {
    let directory = installation();
    edit(
        directory.path(),
        "[[listeners]]",
        "[[listeners]]\nserver_names = [\"gw01.example.com\", \"other.example.com\"]",
    );
    assert_one(&check(directory.path(), NOW), "is not for the server name other.example.com");
}

#[test]
fn everything_else_that_is_named_is_read() {
    type Break = fn(&Path);
    let cases: [(Break, &str); 11] = [
        (
            |directory| {
                std::fs::set_permissions(directory.join("gateway.toml"), PermissionsExt::from_mode(0o664)).unwrap()
            },
            "gateway.toml can be written by others; run: chmod go-w",
        ),
        (
            |directory| {
                let file = directory.join("policy/policy.toml");
                std::fs::set_permissions(file, PermissionsExt::from_mode(0o602)).unwrap();
            },
            "policy.toml can be written by others",
        ),
        (
            |directory| {
                let folder = directory.join("policy/scripts");
                std::fs::create_dir(&folder).unwrap();
                std::fs::write(folder.join("a.ps1"), "Get-Date").unwrap();
                let pinned = sekisho_policy::policy_pin_entry("Get-Date", "a", "scripts/a.ps1").replace("ROLE", "r");
                std::fs::write(directory.join("policy/scripts.toml"), pinned).unwrap();
                std::fs::set_permissions(folder.join("a.ps1"), PermissionsExt::from_mode(0o620)).unwrap();
            },
            "scripts/a.ps1 can be written by others",
        ),
        (
            |directory| std::fs::remove_file(directory.join("keys/accounts.key")).unwrap(),
            "accounts.key: there is no such file",
        ),
        (|directory| std::fs::write(directory.join("accounts"), "x").unwrap(), "is no accounts file"),
        (|directory| std::fs::write(directory.join("policy/policy.toml"), "rolls = 1").unwrap(), "policy.toml:1:1"),
        (|directory| std::fs::remove_dir(directory.join("audit")).unwrap(), "mkdir -m 700"),
        (
            |directory| std::fs::set_permissions(directory.join("audit"), PermissionsExt::from_mode(0o770)).unwrap(),
            "can be written by others",
        ),
        (
            |directory| {
                std::fs::copy(directory.join("keys/accounts.key"), directory.join("keys/audit-digest.key")).unwrap();
            },
            "is no key file for audit-digest",
        ),
        (
            |directory| {
                edit(directory, "[policy]", "[targets.web]\naddress = \"web\"\nca = \"tls/none.pem\"\n[policy]")
            },
            "none.pem",
        ),
        (|directory| edit(directory, "[policy]", "[polices]\n[policy]"), "did you mean `policy`?"),
    ];
    for (break_it, expected) in cases {
        let directory = installation();
        break_it(directory.path());
        assert_one(&check(directory.path(), NOW), expected);
    }
    assert_one(&examine(Path::new("/nonexistent/x.toml"), NOW), "/nonexistent/x.toml");
}

#[test]
fn a_check_that_finds_mistakes_says_so_and_ends_with_3() {
    let directory = installation();
    edit(directory.path(), "[policy]", "[polices]\n[policy]");
    let (result, out) = line(&["check", "--config", directory.path().join("gateway.toml").to_str().unwrap()], &[]);
    assert_eq!(result.unwrap(), Status::Found);
    assert!(out.contains("mistake: ") && out.ends_with(": 1 mistake\n"), "{out}");
    assert_eq!(format!("{:?}", ExitCode::from(Status::Found)), format!("{:?}", ExitCode::from(3)));
}

#[test]
fn a_check_changes_nothing() {
    let directory = installation();
    let mut before = Vec::new();
    each_file(directory.path(), &mut |path| before.push((path.to_owned(), std::fs::read(path).ok())));
    check(directory.path(), NOW);
    let mut after = Vec::new();
    each_file(directory.path(), &mut |path| after.push((path.to_owned(), std::fs::read(path).ok())));
    assert_eq!(before, after);
}

#[test]
fn accounts_come_and_go() {
    let directory = installation();
    let config = directory.path().join("gateway.toml");
    let config = config.to_str().unwrap();
    let (added, out) = line(&["account", "add", "Bob", "--groups", "a,b c", "--config", config], &["pw", "pw"]);
    assert_eq!(added.unwrap(), Status::Fine);
    assert!(out.starts_with("GATEWAY\\bob was added"));
    let (_, out) = line(&["account", "list", "--config", config], &[]);
    assert_eq!(out, "GATEWAY\\alice\toperators\nGATEWAY\\bob\ta,b c\n");
    assert!(line(&["account", "add", "bob", "--password-stdin", "--config", config], &["pw"]).0.is_err());
    assert_eq!(line(&["account", "remove", "BOB", "--config", config], &[]).0.unwrap(), Status::Fine);
    assert!(line(&["account", "remove", "bob", "--config", config], &[]).0.is_err());
    let (differ, _) = line(&["account", "add", "carol", "--config", config], &["one", "two"]);
    assert!(matches!(differ, Err(CommandError::Password(PasswordError::Differ))));
}

/// Runs the audit log of an installation for a while.
fn write_log(directory: &Path) {
    let mut settings = Config::load(&directory.join("gateway.toml")).unwrap().audit;
    settings.heads.file = Some(directory.join("heads"));
    let start = Event::new(EventKind::Start { version: "1".to_owned() }, &Context::default());
    let stop = Event::new(EventKind::Stop { reason: StopReason::Signal }, &Context::default());
    let (audit, opened) = Audit::open(&settings, Arc::new(|| NOW), &start).unwrap();
    assert!(opened.new_chain);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(audit.close(&stop)).unwrap();
}

#[test]
fn audit_verify_says_what_it_proved() {
    let directory = installation();
    write_log(directory.path());
    let (log, heads) = (directory.path().join("audit"), directory.path().join("heads"));
    let key = std::fs::read_to_string(directory.path().join("audit-first-key.pub")).unwrap();
    let verify =
        |more: &[&str]| line(&[&["audit", "verify", log.to_str().unwrap(), "--key", key.trim()], more].concat(), &[]);
    let (status, out) = verify(&[]);
    assert_eq!(status.unwrap(), Status::Fine);
    assert!(
        out.contains("verified: 5 lines with 2 signed heads in 1 files") && out.contains("not proved: no copy"),
        "{out}"
    );
    let (status, out) = verify(&["--head", heads.to_str().unwrap()]);
    assert_eq!(status.unwrap(), Status::Fine);
    assert!(out.contains("2 copies of heads") && !out.contains("not proved"), "{out}");
    // As syslog keeps them.
    let text = std::fs::read_to_string(&heads).unwrap();
    std::fs::write(&heads, text.replace("{\"chain\"", "Jan  2 03:04:05 gw sekisho-gateway[1]: {\"chain\"")).unwrap();
    assert_eq!(verify(&["--head", heads.to_str().unwrap()]).0.unwrap(), Status::Fine);

    let file = log.join("audit-00000001.jsonl");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}torn")).unwrap();
    assert_eq!(verify(&[]).0.unwrap(), Status::Incomplete);
    let cut: String = good.lines().take(3).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, cut).unwrap();
    assert_eq!(verify(&[]).0.unwrap(), Status::Fine, "without a copy of a head nobody can tell");
    let (status, out) = verify(&["--head", heads.to_str().unwrap()]);
    assert_eq!(status.unwrap(), Status::Found);
    assert!(out.contains("CHANGED: ") && out.contains("its tail was cut off"), "{out}");
}

#[test]
fn audit_verify_refuses_what_it_cannot_read() {
    let directory = installation();
    let log = directory.path().join("audit");
    let log = log.to_str().unwrap();
    assert!(matches!(line(&["audit", "verify", log, "--key", "x"], &[]).0, Err(CommandError::PublicKey)));
    let key = std::fs::read_to_string(directory.path().join("audit-first-key.pub")).unwrap();
    assert_eq!(line(&["audit", "verify", log, "--key", key.trim()], &[]).0.unwrap(), Status::Incomplete);
    let heads = directory.path().join("heads");
    std::fs::write(&heads, "\n{}\n").unwrap();
    let (result, _) = line(&["audit", "verify", log, "--key", key.trim(), "--head", heads.to_str().unwrap()], &[]);
    assert!(matches!(result, Err(CommandError::Head { line: 2, .. })));
}

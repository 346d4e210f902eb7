//! The commands on real files, through the same door as the command line.

mod audit_log;
mod judging;
mod proposing;

use std::path::PathBuf;

use clap::Parser as _;
use tempfile::TempDir;

use crate::cli::{Cli, Command};
use crate::commands::{CommandError, Console, PasswordError, Passwords, Status};

const POLICY: &str = r#"
[roles.pool-ops]
cmdlets = [
  { name = "Restart-WebAppPool", parameters = [{ name = "Name", validate_set = ["Portal", "Orders"] }] },
  "Get-WebAppPoolState",
]
aliases = { gwap = "Get-WebAppPoolState" }

[[roles.pool-ops.programs]]
name = "machine name"
path = 'C:\Windows\System32\hostname.exe'

[[assignments]]
principals = ['DEMO\WebOps']
targets = ["iis*.demo.example"]
roles = ["pool-ops"]
"#;
const WHO: [&str; 6] = ["--user", r"DEMO\aoki", "--group", r"DEMO\WebOps", "--target", "iis01.demo.example"];

struct NoPasswords;

impl Passwords for NoPasswords {
    fn first_line(&mut self) -> Result<sekisho_protocol::secret::SecretText, PasswordError> {
        Err(PasswordError::Empty)
    }

    fn ask(&mut self, _prompt: &str) -> Result<sekisho_protocol::secret::SecretText, PasswordError> {
        Err(PasswordError::Empty)
    }
}

/// A folder with files, and what `policy` says there.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("web.toml", POLICY);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a line. Words that are names of files here are taken as those.
    fn run(&self, words: &[&str], input: &str) -> (Result<Status, CommandError>, String) {
        let known = |word: &&str| !word.is_empty() && !word.starts_with('-') && self.path(word).exists();
        let word = |word: &&str| if known(word) { self.path(word).display().to_string() } else { (*word).to_owned() };
        let line = ["sekisho-gateway", "policy"].iter().map(|word| (*word).to_owned()).chain(words.iter().map(word));
        let Command::Policy(command) = Cli::try_parse_from(line).unwrap().command else { panic!("{words:?}") };
        let mut out = Vec::new();
        let mut console = Console { out: &mut out, passwords: &mut NoPasswords };
        let ended = super::run(&command, &mut input.as_bytes(), &mut console);
        (ended, String::from_utf8(out).unwrap())
    }

    /// Runs a line that ends as it is said, and gives what it wrote.
    fn ends(&self, status: Status, words: &[&str]) -> String {
        let (ended, out) = self.run(words, "");
        assert_eq!(ended.unwrap_or_else(|error| panic!("{words:?}: {error}")), status, "{words:?}: {out}");
        out
    }

    /// Runs a line that cannot be done, and gives why.
    fn fails(&self, words: &[&str]) -> String {
        let (ended, out) = self.run(words, "");
        let Err(error) = ended else { panic!("{words:?}: {out}") };
        error.to_string()
    }
}

fn explained<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["explain", "--policy", "web.toml"], &WHO[..], more].concat()
}

#[test]
fn check_says_all_mistakes_of_all_files_with_their_places() {
    let place = Place::new();
    assert_eq!(place.ends(Status::Fine, &["check", "web.toml"]), "no mistakes\n");
    assert_eq!(place.ends(Status::Fine, &["check", "--json", "web.toml"]), "[]\n");
    place.write("bad/a.toml", "[roles.r]\nprogam = 1\n");
    place.write("bad/b.toml", "[[assignments]]\nprincipals = ['x']\nroles = ['gone']\ntargets = ['t']\n");
    let out = place.ends(Status::Found, &["check", "bad"]);
    assert!(out.contains("a.toml:2:1: unknown key `progam`") && out.contains("b.toml:2:15: "), "{out}");
    assert!(out.ends_with("3 mistakes\n"), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&place.ends(Status::Found, &["check", "--json", "bad"])).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[0]["line"], &json[0]["kind"]), (3, &2.into(), &"mistake".into()));
    assert!(place.fails(&["check", "nowhere.toml"]).contains("cannot read policy"));
}

#[test]
fn lint_says_what_is_hardly_meant() {
    let place = Place::new();
    assert_eq!(place.ends(Status::Fine, &["lint", "web.toml"]), "no warnings\n");
    place.write("idle.toml", &format!("{POLICY}\n[roles.idle]\n"));
    let out = place.ends(Status::Found, &["lint", "idle.toml"]);
    assert!(out.contains("idle.toml:") && out.contains("warning: ") && out.ends_with("1 warning\n"), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&place.ends(Status::Found, &["lint", "--json", "idle.toml"])).unwrap();
    assert_eq!(json[0]["kind"], "warning");
    place.write("bad.toml", "x = 1\n");
    assert!(place.ends(Status::Found, &["lint", "bad.toml"]).ends_with("1 mistake\n"));
}

#[test]
fn import_jea_writes_documents_and_never_over_others() {
    let place = Place::new();
    let source = "@{ GUID = 'x'\r\nVisibleCmdlets = 'Get-Service', @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidateSet = 'Dns' } } }";
    let utf16: Vec<u8> = std::iter::once(0xFEFF_u16).chain(source.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(place.path("DnsOps.psrc"), utf16).unwrap();
    let out = place.ends(Status::Fine, &["import-jea", "DnsOps.psrc"]);
    assert!(out.contains("[roles.DnsOps]") && out.contains("VisibleCmdlets"), "{out}");
    std::fs::create_dir(place.path("made")).unwrap();
    let out = place.ends(Status::Fine, &["import-jea", "DnsOps.psrc", "--out", "made"]);
    assert!(out.contains("# written: "), "{out}");
    assert_eq!(std::fs::read_dir(place.path("made")).unwrap().count(), 1);
    place.ends(Status::Fine, &["check", "made"]);
    assert!(place.fails(&["import-jea", "DnsOps.psrc", "--out", "made"]).contains("stays as it is"));
    place.write("Run.psrc", "@{ VisibleCmdlets = $(Get-Date) }");
    let why = place.fails(&["import-jea", "Run.psrc"]);
    assert!(why.contains("1 mistake") && why.contains("Run.psrc:1:"), "{why}");
}

#[test]
fn what_a_user_may_do_is_listed() {
    let place = Place::new();
    let list = |more: &[&'static str]| [&["list", "--policy", "web.toml"], &WHO[..], more].concat();
    let out = place.ends(Status::Fine, &list(&[]));
    let lines: Vec<&str> = out.lines().map(str::trim).collect();
    for line in [
        "role pool-ops",
        "Get-WebAppPoolState (any parameters)",
        "Restart-WebAppPool -Name <Portal|Orders>",
        "gwap = get-webapppoolstate",
        r"C:\Windows\System32\hostname.exe (arguments: none)",
    ] {
        assert!(lines.contains(&line), "{line}: {out}");
    }
    let json: serde_json::Value = serde_json::from_str(&place.ends(Status::Fine, &list(&["--json"]))).unwrap();
    assert_eq!(json[0]["commands"][1]["parameters"][0]["values"], serde_json::json!(["Portal", "Orders"]));
    let out = place
        .ends(Status::Fine, &["list", "--policy", "web.toml", "--user", r"DEMO\x", "--target", "iis01.demo.example"]);
    assert_eq!(out, "DEMO\\x may do nothing on iis01.demo.example\n");
}

#[test]
fn export_jea_writes_both_files_and_says_what_is_not_in_them() {
    let place = Place::new();
    std::fs::create_dir(place.path("made")).unwrap();
    let words = ["export-jea", "Pool-Ops", "--policy", "web.toml", "--out", "made"];
    let out = place.ends(Status::Fine, &words);
    assert!(out.lines().filter(|line| line.starts_with("written: ")).count() == 2, "{out}");
    place.ends(Status::Fine, &["import-jea", "made/pool-ops.psrc", "made/pool-ops.pssc"]);
    assert!(place.fails(&words).contains("stays as it is"));
    assert!(place.fails(&["export-jea", "other", "--policy", "web.toml"]).contains("no role of this name"));
}

#[test]
fn a_script_that_is_pinned_passes_as_text_and_no_other() {
    let place = Place::new();
    place.write("p/scripts/recycle.ps1", "param([string]$Pool)\r\nif ($Pool) { Restart-WebAppPool $Pool }\r\n");
    place.write("p/web.toml", POLICY);
    let words = ["pin", "p/scripts/recycle.ps1", "--role", "pool-ops", "--policy", "p"];
    let entry = place.ends(Status::Fine, &words);
    assert!(entry.starts_with("[[roles.pool-ops.scripts]]\n") && entry.contains("scripts/recycle.ps1"), "{entry}");
    assert!(place.ends(Status::Fine, &["pin", "p/scripts/recycle.ps1"]).contains("roles.ROLE.scripts"));
    place.write("outside.ps1", "x");
    assert!(place.fails(&["pin", "outside.ps1", "--policy", "p"]).contains("put it there"));
    place.write("p/web.toml", &POLICY.replace("[[assignments]]", &format!("{entry}\n[[assignments]]")));
    let request = |script: &str| {
        serde_json::json!({"user": {"name": "DEMO\\aoki", "groups": ["DEMO\\WebOps"]}, "target": "iis01.demo.example",
            "kind": "psrp_script", "request": {"script": script, "args": [{"name": "Pool", "value": "x"}]}})
        .to_string()
    };
    let script = "param([string]$Pool)\nif ($Pool) { Restart-WebAppPool $Pool }";
    place.write("request.json", &request(script));
    let out = place.ends(Status::Fine, &["explain", "--policy", "p", "--request", "request.json", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        json["canonical"],
        serde_json::json!([{"cmd": script, "is_script": true, "args": [{"name": "Pool", "value": "x"}]}])
    );
    place.write("request.json", &request(&format!("{script};x")));
    place.ends(Status::Found, &["explain", "--policy", "p", "--request", "request.json"]);
}

#[test]
fn the_catalogue_explains_a_command_and_takes_those_of_a_machine() {
    let place = Place::new();
    let out = place.ends(Status::Fine, &["catalog", "show", "restart-service"]);
    assert!(out.starts_with("Restart-Service  (Microsoft.PowerShell.Management)\n"), "{out}");
    assert!(place.fails(&["catalog", "show", "Recycle-WebAppPool"]).contains("Restart-WebAppPool"));
    assert!(!place.fails(&["catalog", "show", "Xyzzy-"]).contains("there are"));
    place.write("commands.json", r#"[{"Name": "Restart-Own", "Module": "Own", "Kind": "Function", "PowerShell": "5.1",
        "Provider": "FileSystem", "DefaultSet": "", "Sets": ["__AllParameterSets"], "Parameters": [
            {"Name": "Name", "Type": "System.String", "Switch": false, "Dynamic": false, "Aliases": [], "Values": [],
             "Sets": [{"Name": "__AllParameterSets", "Position": 0, "Mandatory": true, "Value": false, "Property": false, "Remaining": false}]}]}]"#);
    let document = place.ends(Status::Fine, &["catalog", "import", "commands.json"]);
    place.write("p/own.toml", &document);
    place.write(
        "p/web.toml",
        &POLICY
            .replace("\"Get-WebAppPoolState\",", "{ name = \"Restart-Own\", parameters = [\"Name\"] },")
            .replace("aliases =", "#"),
    );
    let out = place.ends(Status::Fine, &["catalog", "show", "Restart-Own", "--policy", "p"]);
    assert!(out.contains("as the policy says"), "{out}");
    place.ends(Status::Fine, &[&["explain", "--policy", "p"], &WHO[..], &["--", "Restart-Own x"]].concat());
    place.write("commands.json", "[{}]");
    assert!(place.fails(&["catalog", "import", "commands.json"]).contains("commands.json: "));
}

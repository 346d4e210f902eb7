//! What is under `deploy/` is true: the examples are read by the gateway itself, the units by systemd, the scripts by
//! PowerShell. Where a tool is missing, the test says so and leaves that part out.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_gateway::config::{Config, KeySource};
use sekisho_policy::{Policy, Source};
use sekisho_tests::engine::{self, Task};
use sekisho_tests::left_out;
use sekisho_tests::source::root;
use sha2::{Digest as _, Sha256};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Where units and examples expect the program.
const PROGRAM: &str = "/usr/local/bin/sekisho-gateway";
/// `systemd-analyze` counts in tenths here: an exposure of 1.5.
const MOST_EXPOSED: &str = "--threshold=15";
const SERVICES: [&str; 2] = ["sekisho-gateway.service", "sekisho-audit-verify.service"];

fn deploy(name: &str) -> PathBuf {
    root().join("deploy").join(name)
}

fn read(name: &str) -> Outcome<String> {
    Ok(std::fs::read_to_string(deploy(name)).map_err(|error| format!("deploy/{name}: {error}"))?)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        left_out(&format!("{program} is not here"));
    }
    found
}

/// All values of a key in a unit, in order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

fn example() -> Outcome<Config> {
    let text = read("gateway.toml")?;
    Config::parse(Path::new("/etc/sekisho/gateway.toml"), &text).map_err(|mistakes| format!("{mistakes:?}").into())
}

#[test]
fn the_example_configuration_is_valid_and_takes_no_protection_away() -> Outcome {
    let config = example()?;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert!(!config.targets.is_empty());
    Ok(())
}

#[test]
fn the_example_policy_is_valid_and_hardly_meant_otherwise() -> Outcome {
    let text = read("policy.toml")?;
    let source = Source { name: "policy.toml", text: &text };
    let compiled = Policy::compile(&[source]).map_err(|mistakes| format!("{mistakes:?}"))?;
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    Ok(())
}

/// Every folder and file that the configuration names is where the unit and tmpfiles.conf make room for it.
#[test]
fn examples_units_and_folders_agree() -> Outcome {
    let config = example()?;
    let unit = read("sekisho-gateway.service")?;
    let KeySource::Credential(credential) = &config.accounts.key else { return Err("no systemd credential".into()) };
    let [loaded] = *values(&unit, "LoadCredential") else { return Err("one credential is expected".into()) };
    let (name, file) = loaded.split_once(':').ok_or("a credential without a file")?;
    assert_eq!(name, credential);

    let folders = read("tmpfiles.conf")?;
    let folders: Vec<&str> = folders.lines().filter(|line| line.starts_with("d ")).collect();
    let made = |path: &Path, owner: &str| {
        let path = path.to_string_lossy();
        folders.iter().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(1) == Some(&path.as_ref()) && words.get(3) == Some(&owner)
        })
    };
    let in_folder = |path: &Path, owner: &str| path.parent().is_some_and(|folder| made(folder, owner));
    assert!(in_folder(Path::new(file), "root"), "{file}: others than systemd could read it");
    // Exchanged at each signed head: read-only to the unit it would not be.
    for path in [&config.audit.signing.key, &config.audit.digest_key, &config.accounts.file] {
        assert!(in_folder(path, "sekisho") && path.starts_with("/var/lib/sekisho"), "{}", path.display());
    }
    assert!(made(&config.audit.directory, "sekisho") && config.audit.directory.starts_with("/var/log/sekisho"));
    assert!(made(&config.policy, "root"));
    assert_eq!((values(&unit, "StateDirectory"), values(&unit, "LogsDirectory")), (vec!["sekisho"], vec!["sekisho"]));

    let ports = config.listeners.iter().map(|listener| listener.address.port());
    let ports = ports.chain(config.admin.address.map(|address| address.port()));
    let wanted: Vec<String> = ports.map(|port| format!("tcp:{port}")).collect();
    assert_eq!(values(&unit, "SocketBindAllow"), wanted);
    for unit in SERVICES {
        let text = read(unit)?;
        let [start] = *values(&text, "ExecStart") else { return Err(format!("{unit}: one ExecStart").into()) };
        assert!(start.starts_with(&format!("{PROGRAM} ")), "{unit}: {start}");
    }
    Ok(())
}

/// The program that `cargo build` has put beside the tests.
fn gateway() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("SEKISHO_GATEWAY_BIN") {
        return Ok(path.into());
    }
    let here = std::env::current_exe()?;
    let program = here.ancestors().nth(2).ok_or("no target folder")?.join("sekisho-gateway");
    if !program.exists() {
        return Err(format!("{} is missing; run: cargo build -p sekisho-gateway", program.display()).into());
    }
    Ok(program)
}

/// What `init` makes, by the example's names.
fn init(directory: &Path) -> Outcome {
    let mut child = Command::new(gateway()?)
        .args(["init", "--password-stdin", "--name", "gw01.example.com"])
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    child.stdin.take().ok_or("no standard input")?.write_all(b"Correct-Horse-7-Battery\n")?;
    assert!(child.wait()?.success(), "init failed");
    Ok(())
}

/// The layout that docs/deploy.md makes of what `init` has made, below another root.
fn lay_out(made: &Path, root: &Path) -> Outcome<PathBuf> {
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    for folder in ["/etc/sekisho/tls", "/etc/sekisho/policy", "/etc/sekisho/credentials", "/var/lib/sekisho/keys"] {
        std::fs::create_dir_all(below(folder))?;
    }
    std::fs::create_dir_all(below("/var/log/sekisho/audit"))?;
    std::fs::set_permissions(below("/var/log/sekisho/audit"), PermissionsExt::from_mode(0o700))?;
    let moves = [
        ("tls/server.pem", "/etc/sekisho/tls/server.pem"),
        ("tls/server.key", "/etc/sekisho/tls/server.key"),
        ("tls/credssp.pem", "/etc/sekisho/tls/credssp.pem"),
        ("tls/credssp.key", "/etc/sekisho/tls/credssp.key"),
        ("tls/ca.pem", "/etc/sekisho/tls/targets-ca.pem"),
        ("keys/accounts.key", "/etc/sekisho/credentials/accounts.key"),
        ("keys/audit-signing.key", "/var/lib/sekisho/keys/audit-signing.key"),
        ("keys/audit-digest.key", "/var/lib/sekisho/keys/audit-digest.key"),
        ("accounts", "/var/lib/sekisho/accounts"),
    ];
    for (from, to) in moves {
        std::fs::rename(made.join(from), below(to)).map_err(|error| format!("{from}: {error}"))?;
    }
    std::fs::copy(deploy("policy.toml"), below("/etc/sekisho/policy/main.toml"))?;
    let prefix = |part: &str| root.join(part).to_string_lossy().into_owned();
    let text = read("gateway.toml")?;
    let text = text.replace("/etc/sekisho", &prefix("etc/sekisho")).replace("/var/", &format!("{}/", prefix("var")));
    std::fs::write(below("/etc/sekisho/gateway.toml"), text)?;
    Ok(below("/etc/sekisho/gateway.toml"))
}

#[test]
fn check_finds_the_examples_good() -> Outcome {
    let folder = tempfile::tempdir()?;
    init(&folder.path().join("first"))?;
    let config = lay_out(&folder.path().join("first"), folder.path())?;
    let check = |config: &Path| {
        let credentials = folder.path().join("etc/sekisho/credentials");
        let mut command = Command::new(gateway()?);
        command.arg("check").arg("--config").arg(config).env("CREDENTIALS_DIRECTORY", credentials);
        Outcome::Ok(command.output()?)
    };
    let output = check(&config)?;
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("warning"), "{}", said(&output));
    // And it is this file that was judged.
    let text = std::fs::read_to_string(&config)?;
    std::fs::write(&config, text.replace("durability =", "durabilty ="))?;
    assert_eq!(check(&config)?.status.code(), Some(3));
    Ok(())
}

/// The units with a program that is there in place of one that is not installed.
fn units_in(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut units = Vec::new();
    for name in SERVICES.into_iter().chain(["sekisho-audit-verify.timer"]) {
        let unit = folder.join(name);
        std::fs::write(&unit, read(name)?.replace(PROGRAM, "/bin/true"))?;
        units.push(unit);
    }
    Ok(units)
}

#[test]
fn systemd_understands_the_units_and_finds_them_tight() -> Outcome {
    if !have("systemd-analyze") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let units = units_in(folder.path())?;
    let verified = Command::new("systemd-analyze").arg("verify").args(&units).output()?;
    assert!(verified.status.success() && said(&verified).is_empty(), "{}", said(&verified));
    for service in units.iter().filter(|unit| unit.extension().is_some_and(|extension| extension == "service")) {
        let mut command = Command::new("systemd-analyze");
        command.args(["security", "--offline=true", "--no-pager", MOST_EXPOSED]).arg(service);
        let output = command.output()?;
        if said(&output).contains("unrecognized option") {
            left_out("this systemd-analyze cannot judge a unit that is not installed");
            return Ok(());
        }
        assert!(output.status.success(), "{}", said(&output));
    }
    Ok(())
}

/// The system calls of a set such as `@system-service`, sets within it included.
fn calls_of(set: &str) -> Outcome<BTreeSet<String>> {
    let output = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager", set]).output()?;
    let mut calls = BTreeSet::new();
    for line in String::from_utf8(output.stdout)?.lines().skip(1).map(str::trim) {
        match line.chars().next() {
            Some('@') => calls.append(&mut calls_of(line)?),
            Some(first) if first != '#' => drop(calls.insert(line.to_owned())),
            Some(_) | None => {}
        }
    }
    Ok(calls)
}

/// What the unit's filter lets through, read as systemd reads it: line after line.
fn calls_let_through(unit: &str) -> Outcome<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for line in values(unit, "SystemCallFilter") {
        let taken_out = line.starts_with('~');
        for word in line.trim_start_matches('~').split_whitespace() {
            let calls = if word.starts_with('@') { calls_of(word)? } else { BTreeSet::from([word.to_owned()]) };
            allowed = if taken_out { &allowed - &calls } else { &allowed | &calls };
        }
    }
    Ok(allowed)
}

/// The names in what `strace -f` has written: `PID name(…` or `PID <... name resumed>`.
fn calls_made(trace: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let call = line.split_once(' ')?.1.trim_start().trim_start_matches("<... ");
        let end = call.find(['(', ' '])?;
        call.get(..end).filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).map(str::to_owned)
    };
    trace.lines().filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// Starts, answers, reloads and stops: nothing in it needs a system call that the unit refuses.
#[test]
fn the_gateway_lives_with_the_units_system_calls() -> Outcome {
    if !have("strace") || !have("systemd-analyze") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    init(&folder.path().join("first"))?;
    let config = lay_out(&folder.path().join("first"), folder.path())?;
    let text = std::fs::read_to_string(&config)?.replace("0.0.0.0:5986", "127.0.0.1:0");
    std::fs::write(&config, text.replace("127.0.0.1:9986", "127.0.0.1:0"))?;
    let trace = folder.path().join("trace");
    // -D: the gateway is our child, and the signals reach it.
    let mut child = Command::new("strace")
        .args(["-D", "-f", "-qq", "-o"])
        .arg(&trace)
        .arg(gateway()?)
        .arg("serve")
        .arg("--config")
        .arg(&config)
        .env("CREDENTIALS_DIRECTORY", folder.path().join("etc/sekisho/credentials"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
    let address = lines.next().transpose()?.unwrap_or_default();
    let Some(address) = address.strip_prefix("listening on ") else {
        let status = child.wait()?;
        let trace = std::fs::read_to_string(&trace).unwrap_or_default();
        assert!(trace.is_empty(), "serve ended with {status}");
        left_out("strace may not trace here");
        return Ok(());
    };
    // No handshake: it hears so, answers by an alert, and lives on.
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"no handshake at all\r\n\r\n")?;
    let _answer = client.read_to_end(&mut Vec::new());
    for signal in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").arg(signal).arg(child.id().to_string()).status()?.success());
    }
    assert!(child.wait()?.success());
    let made = calls_made(&std::fs::read_to_string(&trace)?);
    assert!(made.contains("accept4") && made.contains("listen"), "no trace of a server: {made:?}");
    let refused = &made - &calls_let_through(&read("sekisho-gateway.service")?)?;
    assert!(refused.is_empty(), "the unit refuses {refused:?}");
    Ok(())
}

/// The gateway drains for 20 s and closes shells for 15 s; systemd must not kill it before.
#[test]
fn the_unit_waits_for_the_drain() -> Outcome {
    let unit = read("sekisho-gateway.service")?;
    let [stop] = *values(&unit, "TimeoutStopSec") else { return Err("no TimeoutStopSec".into()) };
    let drain = example()?.sessions.drain.as_secs();
    assert!(stop.parse::<u64>()? > drain + seconds_of("CLEANUP")?);
    Ok(())
}

fn seconds_of(name: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(root().join("gateway/src/serve.rs"))?;
    let start = format!("const {name}: Duration = Duration::from_secs(");
    let line = text.lines().find_map(|line| line.strip_prefix(start.as_str())).ok_or("serve.rs has no such time")?;
    Ok(line.trim_end_matches(");").parse()?)
}

#[test]
fn user_and_folders_are_made() -> Outcome {
    if !have("systemd-sysusers") || !have("systemd-tmpfiles") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let root = folder.path().to_string_lossy().into_owned();
    for part in ["etc", "var/lib", "var/log"] {
        std::fs::create_dir_all(folder.path().join(part))?;
    }
    let probe = folder.path().join("probe");
    std::fs::write(&probe, "")?;
    if std::os::unix::fs::chown(&probe, Some(1), Some(1)).is_err() {
        left_out("folders for another user are made by the superuser only");
        return Ok(());
    }
    for (program, file) in [("systemd-sysusers", "sysusers.conf"), ("systemd-tmpfiles", "tmpfiles.conf")] {
        // The tools look for their file below the other root.
        std::fs::copy(deploy(file), folder.path().join(file))?;
        let mut command = Command::new(program);
        command.arg(format!("--root={root}"));
        if program == "systemd-tmpfiles" {
            command.arg("--create").arg(deploy(file));
        } else {
            command.arg(folder.path().join(file));
        }
        let output = command.output()?;
        assert!(output.status.success(), "{program}: {}", said(&output));
    }
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).map(|m| m.permissions().mode() & 0o7777);
    assert_eq!(mode("etc/sekisho")?, 0o750);
    assert_eq!(mode("etc/sekisho/credentials")?, 0o700);
    assert_eq!(mode("var/lib/sekisho/keys")?, 0o700);
    assert_eq!(mode("var/log/sekisho/audit")?, 0o700);
    Ok(())
}

#[test]
fn the_container_runs_without_a_shell_and_not_as_root() -> Outcome {
    let text = read("Containerfile")?;
    let last = text.rsplit("\nFROM ").next().ok_or("no stage")?;
    assert!(last.starts_with("scratch\n") && !last.contains("\nRUN "));
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).ok_or("no user")?;
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).ok_or("no Rust version")?;
    assert!(text.contains(&format!("FROM rust:{}-", rust.trim_matches('"'))), "builds with another Rust than {rust}");
    Ok(())
}

#[test]
fn the_guide_names_every_file() -> Outcome {
    let guide = std::fs::read_to_string(root().join("docs/deploy.md"))?;
    for entry in std::fs::read_dir(root().join("deploy"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let short = name.strip_prefix("sekisho-audit-verify").unwrap_or(&name);
        assert!(guide.contains(&format!("{short}`")), "docs/deploy.md says nothing of {name}");
    }
    assert!(guide.contains("Neither script was run on a\nlive Windows"));
    Ok(())
}

#[test]
fn scripts_for_windows_are_plain_and_say_what_was_not_tried() -> Outcome {
    for name in ["client.ps1", "target.ps1"] {
        let text = read(name)?;
        assert!(text.is_ascii(), "{name}: Windows PowerShell 5.1 reads other letters by the machine's code page");
        assert!(text.contains("NOT run") && text.contains("on a live Windows"), "{name}");
    }
    Ok(())
}

/// Runs a script of tests/deploy/, which ends with `all is well`.
fn play(script: &str) -> Outcome {
    let Some(engine) = engine::find(Task::Run)? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let made = folder.path().join("made");
    init(&made)?;
    let leaf = made.join("tls/server.pem");
    let here = root().join("tests/deploy");
    let scripts = ["client.ps1", "target.ps1"].map(|name| deploy(name).to_string_lossy().into_owned()).join(":");
    let output = engine
        .command()
        .arg(here.join(script))
        .env("HERE", &here)
        .env("DEPLOY", root().join("deploy"))
        .env("SCRIPTS", scripts)
        .env("CA", made.join("tls/ca.pem"))
        .env("PIN", pin_of(&leaf)?)
        .env("LEAF", leaf)
        .output()?;
    let said = said(&output);
    assert!(said.lines().any(|line| line == "all is well"), "{script}: {said}");
    Ok(())
}

/// SHA-256 of the first certificate of a PEM file.
fn pin_of(pem: &Path) -> Outcome<String> {
    let text = std::fs::read_to_string(pem)?;
    let body = text.split("-----BEGIN CERTIFICATE-----").nth(1).and_then(|rest| rest.split("-----END").next());
    let der = STANDARD.decode(body.ok_or("no certificate")?.split_whitespace().collect::<String>())?;
    Ok(Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn powershell_reads_the_scripts() -> Outcome {
    play("syntax.ps1")
}

#[test]
fn the_client_script_changes_what_it_says_and_takes_it_back() -> Outcome {
    play("client.ps1")
}

#[test]
fn the_target_script_lets_the_gateway_in_and_others_out() -> Outcome {
    play("target.ps1")
}

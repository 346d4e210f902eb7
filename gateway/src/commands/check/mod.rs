//! `check`: everything that `serve` would read, and what is wrong with it.

mod tls;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use time::OffsetDateTime;

use super::{CommandError, Console, Status};
use crate::config::{
    AuditSettings, Config, ConfigError, ListenerTransport, RecordedSessions, RecordingSettings, TargetTransport, Trust,
};
use crate::identity::LocalAccounts;
use crate::policy_files::{PolicyError, PolicyFiles};
use crate::private_file::{Access, KeyPurpose, read_key};

/// What a check found. Each says what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub mistakes: Vec<String>,
    pub warnings: Vec<String>,
}

impl Findings {
    fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    fn warning(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

pub(super) fn run(config: &Path, now: OffsetDateTime, console: &mut Console<'_>) -> Result<Status, CommandError> {
    let findings = examine(config, now);
    for warning in &findings.warnings {
        writeln!(console.out, "warning: {warning}")?;
    }
    for mistake in &findings.mistakes {
        writeln!(console.out, "mistake: {mistake}")?;
    }
    match findings.mistakes.len() {
        0 => writeln!(console.out, "{}: good", config.display())?,
        1 => writeln!(console.out, "{}: 1 mistake", config.display())?,
        many => writeln!(console.out, "{}: {many} mistakes", config.display())?,
    }
    Ok(if findings.mistakes.is_empty() { Status::Fine } else { Status::Found })
}

/// Reads a configuration and all that it names. Changes nothing.
#[must_use]
pub fn examine(config: &Path, now: OffsetDateTime) -> Findings {
    let mut findings = Findings::default();
    match Config::load(config) {
        Ok(config) => examine_parts(&config, now, &mut findings),
        Err(ConfigError::Mistakes(mistakes)) => findings.mistakes.extend(mistakes.iter().map(ToString::to_string)),
        Err(error @ (ConfigError::Io { .. } | ConfigError::TooLarge { .. })) => findings.mistake(error.to_string()),
    }
    findings
}

fn examine_parts(config: &Config, now: OffsetDateTime, findings: &mut Findings) {
    findings.warnings.extend(config.warnings.iter().map(ToString::to_string));
    unchangeable(&config.file, findings);
    unchangeable(&config.policy, findings);
    for listener in &config.listeners {
        if let ListenerTransport::Tls { certificate, key, .. } = &listener.transport {
            tls::server(certificate, key, &listener.server_names, now, findings);
        }
    }
    tls::credssp(&config.credssp, now, findings);
    if let Err(error) = LocalAccounts::load(&config.accounts) {
        findings.mistake(error.to_string());
    }
    policy(config, findings);
    audit(&config.audit, findings);
    recording(&config.recording, findings);
    targets(config, now, findings);
}

/// Whoever can write these, or what is in them, decides who may do what.
fn unchangeable(path: &Path, findings: &mut Findings) {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    std::iter::once(path.to_owned()).chain(entries).for_each(|path| writable_by_nobody_else(&path, findings));
}

fn writable_by_nobody_else(path: &Path, findings: &mut Findings) {
    // What cannot be read is told by whoever reads it.
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o022 != 0) {
        findings.mistake(format!("{0} can be written by others; run: chmod go-w {0}", path.display()));
    }
}

fn policy(config: &Config, findings: &mut Findings) {
    let compiled = PolicyFiles::read(&config.policy).and_then(|files| {
        // What lies in the policy's folder itself was looked at with it.
        let seen = |path: &Path| path == config.policy || path.parent() == Some(&config.policy);
        files.paths().iter().filter(|path| !seen(path)).for_each(|path| writable_by_nobody_else(path, findings));
        files.compile()
    });
    match compiled {
        Ok(compiled) => findings.warnings.extend(compiled.warnings.iter().map(ToString::to_string)),
        Err(PolicyError::Mistakes(mistakes)) => findings.mistakes.extend(mistakes.iter().map(ToString::to_string)),
        Err(error @ PolicyError::Unreadable { .. }) => findings.mistake(error.to_string()),
    }
}

fn audit(settings: &AuditSettings, findings: &mut Findings) {
    let keys = [(&settings.signing.key, KeyPurpose::AuditSigning), (&settings.digest_key, KeyPurpose::AuditDigest)];
    for (path, purpose) in keys {
        if let Err(error) = read_key(path, purpose, Access::OwnerOnly) {
            findings.mistake(error.to_string());
        }
    }
    let shown = settings.directory.display();
    match std::fs::metadata(&settings.directory) {
        Err(error) => findings.mistake(format!("audit directory {shown}: {error}; make it: mkdir -m 700 {shown}")),
        Ok(metadata) if !metadata.is_dir() => {
            findings.mistake(format!("audit directory {shown} is no directory; name a folder"))
        }
        Ok(metadata) if metadata.mode() & 0o022 != 0 => {
            findings.mistake(format!("audit directory {shown} can be written by others; run: chmod 700 {shown}"));
        }
        Ok(metadata) if metadata.mode() & 0o055 != 0 => {
            findings.warning(format!("audit directory {shown} can be read by others; run: chmod 700 {shown}"));
        }
        Ok(_) => {}
    }
    if settings.heads.file.is_none() && settings.heads.syslog.is_none() {
        findings.warning("no copies of the audit's signed heads are kept elsewhere, so a log that was cut off would not be found; set audit.heads");
    }
    if settings.heads.file.as_ref().is_some_and(|file| file.starts_with(&settings.directory)) {
        findings.warning("audit.heads.file lies in the log's own folder, where whoever cuts the log off can cut it too; choose another place");
    }
}

fn recording(settings: &RecordingSettings, findings: &mut Findings) {
    // The gateway makes it, with the right permissions, if it is not there.
    let Ok(metadata) = std::fs::metadata(&settings.directory) else { return };
    let shown = settings.directory.display();
    if settings.sessions == RecordedSessions::None {
        return;
    }
    if !metadata.is_dir() {
        findings.mistake(format!("recording directory {shown} is no directory; name a folder"));
    } else if metadata.mode() & 0o077 != 0 {
        findings.mistake(format!("recording directory {shown} can be used by others; run: chmod 700 {shown}"));
    }
}

fn targets(config: &Config, now: OffsetDateTime, findings: &mut Findings) {
    let mut seen: Vec<&Path> = Vec::new();
    for target in config.targets.iter() {
        if let TargetTransport::Https { trust: Trust::Ca(ca), .. } = &target.transport
            && !seen.contains(&ca.as_path())
        {
            seen.push(ca);
            tls::authorities(ca, now, findings);
        }
    }
    if config.targets.is_empty() {
        findings.warning("there are no targets, so nothing can be reached; add [targets.NAME]");
    }
}

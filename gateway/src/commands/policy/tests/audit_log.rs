//! An audit log as the gateway writes it.

use std::sync::Arc;
use std::time::Duration;

use sekisho_policy::Action;
use time::macros::datetime;

use super::Place;
use crate::audit::{
    Asked, Audit, Commanded, Context, DeniedArgument, DeniedCommand, Event, EventKind, JudgedArgument, LoginOutcome,
    Permitted, StopReason,
};
use crate::commands::policy::forms::Request;
use crate::config::{AuditSettings, DeniedText, Durability, HeadCopies, OnFailure, Rotation, Signing};
use crate::private_file::{KeyPurpose, create, key_text, new_key};

/// Judges requests by the place's policy and writes what came of them, after a login of each user.
pub(super) fn written(place: &Place, denied_text: DeniedText, requests: &[Request]) {
    let directory = place.path("audit");
    std::fs::create_dir(&directory).unwrap();
    std::os::unix::fs::PermissionsExt::set_mode(&mut std::fs::metadata(&directory).unwrap().permissions(), 0o700);
    for (name, purpose) in [("signing.key", KeyPurpose::AuditSigning), ("digest.key", KeyPurpose::AuditDigest)] {
        create(&place.path(name), key_text(purpose, &new_key().unwrap()).as_bytes()).unwrap();
    }
    let settings = AuditSettings {
        directory,
        durability: Durability::Write,
        on_failure: OnFailure::Deny,
        rotation: Rotation { bytes: 64 * 1024 * 1024, age: Duration::from_secs(86_400) },
        signing: Signing { key: place.path("signing.key"), lines: 1000, interval: Duration::from_secs(60) },
        heads: HeadCopies::default(),
        denied_text,
        digest_key: place.path("digest.key"),
    };
    let event = |kind| Event::new(kind, &Context::default());
    let clock = Arc::new(|| datetime!(2026-01-02 03:04:05 UTC));
    let start = event(EventKind::Start { version: "0".to_owned() });
    let (audit, _) = Audit::open(&settings, clock, &start).unwrap();
    let policy = crate::policy_files::load(&place.path("web.toml")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for request in requests {
        let context = |target: Option<&str>| Context {
            principal: Some(request.principal.name.clone()),
            client_addr: Some("10.0.0.7:50000".parse().unwrap()),
            target: target.map(str::to_owned),
            ..Context::default()
        };
        let login =
            EventKind::Login { outcome: LoginOutcome::Ok, claimed: None, groups: request.principal.groups.clone() };
        runtime.block_on(audit.append(&Event::new(login, &context(None)))).unwrap();
        let kind = outcome(&audit, request, &policy);
        runtime.block_on(audit.append(&Event::new(kind, &context(Some(&request.target.name))))).unwrap();
    }
    let closed = EventKind::Denial { reason: "TargetClosed".to_owned(), rule: None, asked: None };
    runtime.block_on(audit.append(&event(closed))).unwrap();
    runtime.block_on(audit.close(&event(EventKind::Stop { reason: StopReason::Signal }))).unwrap();
}

fn outcome(audit: &Audit, request: &Request, policy: &sekisho_policy::Policy) -> EventKind {
    use sekisho_policy::{Checked, Decision};
    let redactor = audit.redactor();
    match (request.judge(policy), &request.action) {
        (Decision::Allow(allowed), _) => {
            let what = match &allowed.checked {
                Checked::Commands(commands) => Permitted::Commands(redactor.commands(commands)),
                Checked::Script(script) => Permitted::Script(redactor.script(script)),
                Checked::Program(program) => {
                    let judged = program
                        .arguments()
                        .iter()
                        .map(|one| JudgedArgument { value: one.value(), secret: one.is_secret() });
                    Permitted::Program(redactor.program(program.path(), &judged.collect::<Vec<_>>()))
                }
            };
            EventKind::Command(Commanded { role: allowed.role, rule: allowed.rule, what })
        }
        (Decision::Deny(denied), action) => {
            let secret = !redactor.shows_denied_text();
            let asked = match action {
                Action::Commands(commands) => {
                    let denied = commands.commands.iter().map(|command| DeniedCommand {
                        name: &command.name,
                        arguments: command
                            .arguments
                            .iter()
                            .map(|one| DeniedArgument { name: one.name.as_deref(), value: &one.value, secret })
                            .collect(),
                    });
                    Asked::Commands(redactor.denied_commands(&[denied.collect()]).unwrap())
                }
                Action::Program(program) => {
                    let judged = program.arguments.iter().map(|value| JudgedArgument { value, secret });
                    Asked::Program(redactor.program(&program.command, &judged.collect::<Vec<_>>()))
                }
                Action::Script(script) => Asked::Unread(redactor.unread(&script.text, denied.place)),
            };
            EventKind::Denial { reason: "Parameter".to_owned(), rule: None, asked: Some(asked) }
        }
    }
}

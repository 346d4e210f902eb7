//! One target of a job, from its turn to its outcome, and the cleaning up after it.

use super::Job;
use super::ledger::Report;
use super::outcome::Outcome;
use super::output::Pieces;
use super::pipeline::{Beginning, LeftPipeline};
use super::stop::Why;
use crate::audit::TerminatedBy;
use crate::backend::{self, Dialer, Reserved, TargetShell};
use crate::config::Target;
use crate::enforce::pipeline::PLAIN;
use crate::enforce::{Ask, Counted, Guess, Permit, closed, judge_counted, may_reach};
use crate::recording::Recording;
use crate::session::{Command, Fetched, Launch, Place, ShellRules, Start};
use sekisho_policy::Action;
use sekisho_protocol::job::{Effect, OutputStream};
use sekisho_protocol::winrs::{Profile, ShellOptions, Stream};
use sekisho_protocol::wsman::{CommandId, CommandState, ReceiveResponse};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

/// UTF-8: what a job's programs are asked to write, unless a target sets another code page.
const UTF_8: u16 = 65_001;
/// Bytes of output that are taken out of the buffer at a time, once encoded.
const FETCH: usize = 64 * 1024;
/// How long the end of a command is waited for before its shell is deleted in any case.
const SETTLE: Duration = Duration::from_secs(10);
/// How long one wait for output lasts; another one follows.
const WAIT: Duration = Duration::from_secs(60);

/// One target's turn.
pub(super) struct Errand<'a> {
    pub(super) job: &'a Job,
    pub(super) index: usize,
    reports: &'a mpsc::Sender<Report>,
}

/// What a target's command has before it is judged.
struct Admitted {
    dialer: Arc<Dialer>,
    counted: Counted,
    place: Place,
    reserved: Reserved,
}

/// What was opened for a target, to be closed again.
struct Opened {
    shell: OpenedShell,
    /// Kept until the target's shell is gone.
    _place: Place,
}

/// The shell of a program or of a pipeline, and what is left in it.
enum OpenedShell {
    Commands(Arc<TargetShell>, Left),
    PowerShell(Box<LeftPipeline>),
}

/// What is left of a command when its outcome is known.
enum Left {
    Nothing,
    /// It was given up before it was known to run.
    Launch(Launch),
    /// It runs, or has ended.
    Command(Arc<Command>),
}

/// What ends a wait for a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interrupted {
    Timeout,
    Stopped(Why),
}

impl Interrupted {
    pub(super) fn by(self) -> TerminatedBy {
        match self {
            Self::Timeout => TerminatedBy::Deadline,
            Self::Stopped(why) => why.by(),
        }
    }

    pub(super) fn outcome(self, effect: Effect) -> Outcome {
        match self {
            Self::Timeout => Outcome::timed_out(effect),
            Self::Stopped(why) => Outcome::stopped(why, effect),
        }
    }
}

/// Works on targets, one after another, until none is left.
pub(super) async fn work(job: Arc<Job>, reports: mpsc::Sender<Report>) {
    while let Some((index, name)) = job.take() {
        Errand { job: &job, index, reports: &reports }.run(name).await;
    }
}

impl Errand<'_> {
    async fn run(&self, name: &str) {
        let (outcome, opened) = match self.job.stop.halt() {
            Some(why) => (Outcome::stopped(why, Effect::NothingRan), None),
            None => self.carry_out(name).await,
        };
        let report = self.report(Report::Ended { index: self.index, outcome });
        let close = async {
            if let Some(opened) = opened {
                opened.close().await;
            }
        };
        // A client that reads slowly must not keep the target's shell open.
        tokio::join!(report, close);
    }

    async fn carry_out(&self, name: &str) -> (Outcome, Option<Opened>) {
        let job = self.job;
        let id = CommandId::new(Uuid::new_v4());
        let admitted = tokio::select! {
            biased;
            why = job.stop.halted() => Err(Outcome::stopped(why, Effect::NothingRan)),
            admitted = self.admit(name, id) => admitted,
        };
        let Admitted { dialer, counted, place, reserved } = match admitted {
            Ok(admitted) => admitted,
            Err(outcome) => return (outcome, None),
        };
        // Not interrupted from here on: what is written as allowed has an end that is written too.
        let permit = match judge_counted(&job.gateway, self.ask(dialer.target(), id), counted).await {
            Ok(permit) => permit,
            Err(refusal) => {
                self.recording().refused(id, &refusal.to_string()).await;
                return (refusal.into(), None);
            }
        };
        let (outcome, shell) = match &job.action {
            Action::Program(_) => self.program((dialer, reserved), permit, id).await,
            Action::Commands(_) | Action::Script(_) => {
                let (outcome, left) = self.pipeline(Beginning { dialer, reserved, id }, permit).await;
                (outcome, OpenedShell::PowerShell(Box::new(left)))
            }
        };
        (outcome, Some(Opened { shell, _place: place }))
    }

    async fn program(
        &self,
        (dialer, reserved): (Arc<Dialer>, Reserved),
        permit: Permit,
        id: CommandId,
    ) -> (Outcome, OpenedShell) {
        let code_page = Some(dialer.target().code_page.unwrap_or(UTF_8));
        let options = ShellOptions { profile: Profile::Load, code_page };
        let principal = self.job.caller.identity.principal.clone();
        let backend = TargetShell::reserved(dialer, principal, options, reserved, self.patience());
        let (outcome, left) = self.launch(Arc::clone(&backend), permit, id).await;
        (outcome, OpenedShell::Commands(backend, left))
    }

    /// Finds the target, and waits until the rates, the numbers of shells and what the target itself allows let one
    /// more command onto it.
    async fn admit(&self, name: &str, id: CommandId) -> Result<Admitted, Outcome> {
        let Job { gateway, caller, queue, .. } = self.job;
        // Asked anew for each target: a reload binds the ones that have not begun.
        let live = gateway.live_full();
        let found =
            live.config.targets.find(name).filter(|target| may_reach(&live, &caller.identity, target, caller.address));
        // A user who gives a target a minute does not want to wait an hour for it to begin.
        let deadline = self.patience();
        let Some(dialer) = found.and_then(|target| live.dialer(target)) else {
            // Counted, since each of these writes a line, and names could be guessed by the thousand.
            let (identity, client) = (&caller.identity, caller.address);
            let guess = Guess { identity, client, session: self.job.id, name: Some(name) };
            queue.count_closed(gateway, guess, deadline).await?;
            return Err(closed(gateway, guess).await.into());
        };
        let target = dialer.target();
        let counted = queue.count(gateway, &self.ask(target, id), deadline).await?;
        let rules = ShellRules::new(&live.config.limits);
        let places = gateway.sessions.places();
        let principal = &caller.identity.principal;
        let place = places.wait(principal, &target.name, rules, deadline).await?;
        let reserved = dialer.reserve(principal, deadline).await.map_err(Outcome::not_sent)?;
        Ok(Admitted { dialer: Arc::clone(dialer), counted, place, reserved })
    }

    fn ask<'a>(&'a self, target: &'a Target, command: CommandId) -> Ask<'a> {
        let Job { caller, action, id, .. } = self.job;
        Ask { identity: &caller.identity, client: caller.address, target, session: *id, command, action, form: &PLAIN }
    }

    pub(super) fn recording(&self) -> Recording {
        let target = self.job.targets.get(self.index);
        target.map_or_else(Recording::off, |target| self.job.recording.on_target(target))
    }

    async fn launch(&self, backend: Arc<TargetShell>, permit: Permit, id: CommandId) -> (Outcome, Left) {
        let recording = self.recording();
        let start = Start { gateway: Arc::clone(&self.job.gateway), backend, id, buffer: self.job.buffer, recording };
        let mut launch = Command::launch(start, permit);
        let mut interrupted = std::pin::pin!(self.interrupted());
        let launched = tokio::select! {
            biased;
            interrupted = &mut interrupted => Err(interrupted),
            launched = self.started(&mut launch) => Ok(launched),
        };
        match launched {
            Ok(Ok((command, began))) => (self.attend(&command, began, interrupted).await, Left::Command(command)),
            Ok(Err(outcome)) => (outcome, Left::Nothing),
            Err(interrupted) => match launch.give_up(interrupted.by()) {
                backend::Effect::NotDone => (interrupted.outcome(Effect::NothingRan), Left::Nothing),
                backend::Effect::Unknown => (interrupted.outcome(Effect::Unknown), Left::Launch(launch)),
            },
        }
    }

    async fn started(&self, launch: &mut Launch) -> Result<(Arc<Command>, Instant), Outcome> {
        let sent = launch.sending().await;
        let began = Instant::now();
        if sent {
            self.report(Report::Started { index: self.index }).await;
        }
        Ok((launch.launched().await?, began))
    }

    /// Waits until the target's time is over, or the job is stopped.
    pub(super) async fn interrupted(&self) -> Interrupted {
        let deadline = self.patience();
        tokio::select! {
            why = self.job.stop.stopped() => Interrupted::Stopped(why),
            () = sleep_until(deadline) => Interrupted::Timeout,
        }
    }

    /// When the time for this target is over, if it begins now.
    pub(super) fn patience(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.job.timeout).unwrap_or(now)
    }

    async fn attend(
        &self,
        command: &Command,
        began: Instant,
        interrupted: Pin<&mut impl Future<Output = Interrupted>>,
    ) -> Outcome {
        tokio::select! {
            biased;
            interrupted = interrupted => {
                command.terminate(interrupted.by());
                interrupted.outcome(Effect::Unknown)
            }
            outcome = self.pass_on(command, began) => outcome,
        }
    }

    /// Passes output on until the end. What was not passed on stays in the command's buffer, and when that is
    /// full the target is asked for no more.
    async fn pass_on(&self, command: &Command, began: Instant) -> Outcome {
        let mut pieces = Pieces::default();
        let outcome = loop {
            let now = Instant::now();
            match command.fetch(FETCH, now.checked_add(WAIT).unwrap_or(now)).await {
                Fetched::Nothing => {}
                Fetched::Failed(ended) => break ended.into(),
                Fetched::Output(answer, turn) => {
                    let exit_code = self.tell(&mut pieces, answer).await;
                    command.acknowledge(turn);
                    if let Some(exit_code) = exit_code {
                        break Outcome::Finished { exit_code, state: None, duration: began.elapsed() };
                    }
                }
            }
        };
        for (stream, data) in pieces.rest() {
            self.report(Report::Output { index: self.index, stream, data }).await;
        }
        outcome
    }

    async fn tell(&self, pieces: &mut Pieces, answer: ReceiveResponse) -> Option<i32> {
        for chunk in answer.streams {
            let stream = match Stream::of_name(&chunk.stream) {
                Some(Stream::Stdout) => OutputStream::Stdout,
                Some(Stream::Stderr) => OutputStream::Stderr,
                None => continue,
            };
            for data in pieces.take(stream, &chunk.data) {
                self.report(Report::Output { index: self.index, stream, data }).await;
            }
        }
        match answer.state {
            Some(CommandState::Done { exit_code }) => Some(exit_code),
            Some(CommandState::Running | CommandState::Pending) | None => None,
        }
    }

    /// The desk is there as long as any errand is; without it there is nobody to tell.
    pub(super) async fn report(&self, report: Report) {
        drop(self.reports.send(report).await);
    }
}

impl Opened {
    async fn close(self) {
        let (backend, left) = match self.shell {
            OpenedShell::Commands(backend, left) => (backend, left),
            OpenedShell::PowerShell(left) => return left.close().await,
        };
        // The command is ended before its shell, so that the target's word on it is heard.
        let ended = async {
            match left {
                Left::Nothing => {}
                Left::Launch(launch) => launch.settled().await,
                Left::Command(command) => command.ended().await,
            }
        };
        drop(timeout(SETTLE, ended).await);
        if let Err(error) = backend.close().await {
            tracing::info!(%error, "The shell of a job could not be deleted at its target");
        }
    }
}

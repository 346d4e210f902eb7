//! Runs a job and writes its results.

use crate::error::{AgentError, Refusal};
use crate::objects::{Read, progress, read};
use crate::output::{Format, Progress, write_event, write_results, write_safe, write_table, write_targets};
use crate::results::{Ending, JobResults, Keep, KeptRecord};
use crate::{Client, ExitStatus, JobStream};
use sekisho_protocol::job::{JobEvent, JobRequest, RecordStream, TargetSelection};
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::time::Instant;

/// How a job's results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExecOptions {
    /// Their form.
    pub format: Format,
    /// Whether there is a line of progress.
    pub progress: ProgressLine,
}

/// Whether there is a line of progress on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressLine {
    /// There is: it is a terminal.
    Shown,
    /// There is none.
    #[default]
    Hidden,
}

/// Where everything is written to.
#[expect(missing_debug_implementations, reason = "writers have none")]
pub struct Sinks<'a> {
    /// The results.
    pub out: &'a mut (dyn Write + Send),
    /// Progress and what went wrong.
    pub err: &'a mut (dyn Write + Send),
}

/// Runs one job to its end, or until `interrupt` is ready, and writes what is known of it by then.
///
/// # Errors
/// When nothing is known of any target: the job was refused, or the connection broke before its first line.
/// Later faults are part of the results and of the status.
pub async fn exec(
    client: &mut Client,
    request: &JobRequest,
    options: ExecOptions,
    sinks: Sinks<'_>,
    interrupt: impl Future<Output = ()> + Send,
) -> Result<ExitStatus, AgentError> {
    follow(client, request, options.progress, options.format, sinks, interrupt).await
}

/// Runs one job to its end, or until `interrupt` is ready; `report` writes what is known of it.
pub(crate) async fn follow(
    client: &mut Client,
    request: &JobRequest,
    progress: ProgressLine,
    report: impl Report,
    sinks: Sinks<'_>,
    interrupt: impl Future<Output = ()> + Send,
) -> Result<ExitStatus, AgentError> {
    let mut interrupt = std::pin::pin!(interrupt);
    let submitted = tokio::select! {
        biased;
        () = &mut interrupt => None,
        submitted = client.submit(request) => Some(submitted?),
    };
    let mut run = Run::new(request, progress, report, sinks);
    let end = match submitted {
        None => Err(Stop::Interrupted),
        Some(mut stream) => run.follow(&mut stream, interrupt).await,
    };
    if end.is_err() {
        // Before anything is written, which may take its time: this is what stops the rest.
        client.close().await;
    }
    run.report(end)
}

/// Writes the list of the targets that the user may reach.
///
/// # Errors
/// When the gateway refuses, breaks the protocol, or the list cannot be written.
pub async fn print_targets(client: &mut Client, format: Format, out: &mut dyn Write) -> Result<(), AgentError> {
    let list = client.targets().await?;
    write_targets(out, &list, format).and_then(|()| out.flush()).map_err(AgentError::Output)
}

/// Writes an error for people, with the gateway's own words where it sent any.
///
/// # Errors
/// What the writer fails with.
pub fn write_error(err: &mut dyn Write, error: &AgentError) -> io::Result<()> {
    writeln!(err, "error: {error}")?;
    if let AgentError::Refused(refusal) = error {
        return write_refusal(err, refusal);
    }
    if error.exit_status() == ExitStatus::Lost {
        writeln!(err, "whether anything ran is not known here; the gateway's audit says what was sent")?;
    }
    Ok(())
}

fn write_refusal(err: &mut dyn Write, refusal: &Refusal) -> io::Result<()> {
    if let Some(problem) = &refusal.problem {
        err.write_all(b"the gateway says: ")?;
        write_safe(err, &problem.error.message)?;
        err.write_all(b"\nto ask about it, give this id: ")?;
        write_safe(err, &problem.error.correlation_id)?;
        err.write_all(b"\n")?;
    }
    match refusal.retry_after_seconds {
        Some(seconds) => writeln!(err, "try again in {seconds} s"),
        None => Ok(()),
    }
}

/// How a job's results are written.
pub(crate) trait Report: Send {
    /// Whether they are collected for [`Report::finish`], or written by [`Report::live`] as they come.
    fn keep(&self) -> Keep;

    /// A line that has come, and the record that it completed.
    fn live(&mut self, sinks: Sinks<'_>, event: &JobEvent, record: Option<&KeptRecord>) -> io::Result<()>;

    /// The end; `rest` are the lines that the gateway did not write any more.
    fn finish(
        &mut self,
        sinks: Sinks<'_>,
        results: &JobResults,
        early: Option<Ending>,
        rest: &[JobEvent],
    ) -> io::Result<()>;

    /// How the program ends, where the outcomes say this.
    fn status(&self, outcomes: ExitStatus) -> ExitStatus;
}

/// The results of programs.
impl Report for Format {
    fn keep(&self) -> Keep {
        match self {
            Self::Table | Self::Json => Keep::Output,
            Self::Jsonl => Keep::Outcomes,
        }
    }

    fn live(&mut self, sinks: Sinks<'_>, event: &JobEvent, _record: Option<&KeptRecord>) -> io::Result<()> {
        write_event(sinks.out, event)
    }

    fn finish(
        &mut self,
        sinks: Sinks<'_>,
        results: &JobResults,
        early: Option<Ending>,
        rest: &[JobEvent],
    ) -> io::Result<()> {
        match self {
            Self::Table => write_table(sinks.out, results),
            Self::Json => write_results(sinks.out, results, early),
            Self::Jsonl => rest.iter().try_for_each(|event| write_event(sinks.out, event)),
        }
    }

    fn status(&self, outcomes: ExitStatus) -> ExitStatus {
        outcomes
    }
}

fn progress_of(target: &str, record: &KeptRecord) -> String {
    match read(record) {
        Read::Value(value) => format!("{target}: {}", progress(&value)),
        Read::Unreadable(_) => String::new(),
    }
}

/// Why a job's lines end before the last one.
enum Stop {
    Interrupted,
    Broken(AgentError),
}

struct Run<'a, R> {
    results: JobResults,
    progress: Progress,
    report: R,
    sinks: Sinks<'a>,
}

impl<'a, R: Report> Run<'a, R> {
    fn new(request: &JobRequest, progress: ProgressLine, report: R, sinks: Sinks<'a>) -> Self {
        let asked = match &request.targets {
            TargetSelection::Names(names) => Some(names.clone()),
            TargetSelection::Group(_) => None,
        };
        let progress = Progress::new(progress == ProgressLine::Shown);
        Self { results: JobResults::new(asked, report.keep()), progress, report, sinks }
    }

    /// Takes lines until the last one.
    async fn follow(
        &mut self,
        stream: &mut JobStream<'_>,
        mut interrupt: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<(), Stop> {
        loop {
            let next = tokio::select! {
                biased;
                () = &mut interrupt => return Err(Stop::Interrupted),
                next = stream.next() => next.map_err(Stop::Broken)?,
            };
            match next {
                Some(event) => self.take(&event).map_err(Stop::Broken)?,
                None if self.results.is_done() => return Ok(()),
                None => return Err(Stop::Broken(AgentError::Lost)),
            }
        }
    }

    fn take(&mut self, event: &JobEvent) -> Result<(), AgentError> {
        self.results.apply(event)?;
        let record = self.results.take_record();
        if let (Some(record), Some(target)) = (&record, event.target())
            && record.stream == RecordStream::Progress
        {
            self.progress.note(|| progress_of(target, record));
        }
        if self.report.keep() == Keep::Outcomes {
            self.live(event, record.as_ref()).map_err(AgentError::Output)?;
        }
        let (err, results) = (&mut *self.sinks.err, &self.results);
        self.progress.update(err, results, Instant::now()).map_err(AgentError::Output)
    }

    fn live(&mut self, event: &JobEvent, record: Option<&KeptRecord>) -> io::Result<()> {
        if matches!(event, JobEvent::Heartbeat {}) {
            return Ok(());
        }
        self.progress.clear(self.sinks.err)?;
        let Sinks { out, err } = &mut self.sinks;
        self.report.live(Sinks { out: &mut **out, err: &mut **err }, event, record)?;
        self.sinks.out.flush()
    }

    /// Writes what is left to write, and says how it ended.
    fn report(mut self, end: Result<(), Stop>) -> Result<ExitStatus, AgentError> {
        let (early, error) = match end {
            Ok(()) => (None, None),
            Err(Stop::Interrupted) => (Some(Ending::Interrupted), None),
            Err(Stop::Broken(error @ AgentError::Output(_))) => return Err(error),
            Err(Stop::Broken(error)) => (Some(Ending::Lost), Some(error)),
        };
        self.progress.clear(self.sinks.err).map_err(AgentError::Output)?;
        if self.results.job().is_none() {
            return match error {
                Some(error) => Err(error),
                None => self.interrupted_before_accepted(),
            };
        }
        let rest = early.map_or_else(Vec::new, |ending| self.results.end(ending));
        let Sinks { out, err } = &mut self.sinks;
        let sinks = Sinks { out: &mut **out, err: &mut **err };
        self.report.finish(sinks, &self.results, early, &rest).map_err(AgentError::Output)?;
        self.sinks.out.flush().map_err(AgentError::Output)?;
        self.write_ending(early, error.as_ref()).map_err(AgentError::Output)?;
        Ok(match early {
            None => self.report.status(self.results.exit_status()),
            Some(Ending::Interrupted) => ExitStatus::Interrupted,
            Some(Ending::Lost) => ExitStatus::Lost,
        })
    }

    fn interrupted_before_accepted(self) -> Result<ExitStatus, AgentError> {
        writeln!(self.sinks.err, "interrupted before the gateway accepted the job; it may have begun nevertheless")
            .map_err(AgentError::Output)?;
        Ok(ExitStatus::Interrupted)
    }

    fn write_ending(&mut self, early: Option<Ending>, error: Option<&AgentError>) -> io::Result<()> {
        let Some(ending) = early else { return Ok(()) };
        let err = &mut *self.sinks.err;
        if let Some(error) = error {
            writeln!(err, "error: {error}")?;
        }
        match ending {
            Ending::Interrupted => err.write_all(b"interrupted: the connection was closed, which stops the job")?,
            Ending::Lost => err.write_all(b"the results are not complete")?,
        }
        err.write_all(b"; what became of the targets without an outcome is in the gateway's audit, job ")?;
        write_safe(err, self.results.job().unwrap_or_default())?;
        err.write_all(b"\n")
    }
}

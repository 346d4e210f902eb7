//! `demo`: a gateway and three targets on this machine alone, and what they do, told step by step.
//!
//! Nothing listens elsewhere than on 127.0.0.1, nothing needs rights, and nothing is left behind. The story is a
//! self-test: a step that does not show what it says ends it with an error.

mod agent;
mod certificates;
mod error;
mod folder;
mod hints;
mod narrator;
mod site;
mod story;
mod targets;

#[cfg(test)]
mod tests;

pub use error::DemoError;
pub use targets::TargetError;

use crate::cli::DemoArguments;
use crate::commands::Status;
use folder::Folder;
use narrator::Narrator;
use site::{Pace, Site};
use std::io::{self, Write};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The command `demo`: a runtime of its own, and the story on standard output.
///
/// # Errors
/// As [`run`].
pub fn command(arguments: &DemoArguments) -> Result<Status, DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments, &mut io::stdout()))?;
    Ok(Status::Fine)
}

/// Runs the demo to its end, or until a signal says to stop.
///
/// # Errors
/// When a step does not show what it says, and when something cannot be set up or removed.
pub async fn run(arguments: &DemoArguments, out: &mut (dyn Write + Send)) -> Result<(), DemoError> {
    let mut signals = Signals::new()?;
    let folder = Folder::new()?;
    let ended = in_folder(arguments, &folder, out, &mut signals).await;
    let path = folder.path().to_owned();
    let removed = folder.remove().map_err(|source| DemoError::NotRemoved { path, source });
    if let (Err(_), Err(left)) = (&ended, &removed) {
        // The first of two errors is the one returned; that something is left is not kept quiet for it.
        writeln!(out, "{left}")?;
    }
    ended.and(removed)?;
    writeln!(out, "\nEverything was stopped and removed.")?;
    Ok(out.flush()?)
}

async fn in_folder(
    arguments: &DemoArguments,
    folder: &Folder,
    out: &mut (dyn Write + Send),
    signals: &mut Signals,
) -> Result<(), DemoError> {
    let mut narrator = Narrator::new(out, story::STEPS);
    if arguments.serve {
        narrator.say("A gateway and three targets are made, on this machine alone.")?;
    } else {
        narrator.begin("A gateway and three targets are made, on this machine alone")?;
    }
    narrator.say(&format!("Certificates, accounts and a policy are in {}.", folder.path().display()))?;
    let pace = if arguments.serve { Pace::Usual } else { Pace::Slow };
    let mut site = Site::start(folder, pace).await?;
    let ended = tokio::select! {
        // A signal that came meanwhile counts.
        biased;
        () = signals.stop() => if arguments.serve { Ok(()) } else { Err(DemoError::Interrupted) },
        ended = present(arguments, &mut site, &mut narrator) => ended,
    };
    site.stop().await;
    ended
}

async fn present(arguments: &DemoArguments, site: &mut Site, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    narrator.say(&format!("All listen at free ports of {}.", site.gateway.ip()))?;
    if arguments.serve {
        hints::print(site, narrator)?;
        std::future::pending::<()>().await;
    }
    story::tell(site, narrator).await
}

/// Ctrl-C, and what else asks a process to end.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn stop(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

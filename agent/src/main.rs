//! `sekisho`: submits one job for many targets to a Sekisho gateway.

use clap::Parser as _;
use sekisho_agent::cli::{Cli, execute};
use sekisho_agent::{ExitStatus, Sinks};
use sekisho_protocol::memory::{WipingAllocator, harden_process};
use std::future::poll_fn;
use std::io::{BufWriter, Write as _, stderr, stdout};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::system();

fn main() -> ExitCode {
    // Before the first secret. What the system refuses here is no reason not to run on a user's machine.
    let _refused = harden_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        let _unheard = writeln!(stderr(), "error: the system has no resources left to start with");
        return ExitStatus::Unreachable.into();
    };
    let mut out = BufWriter::new(stdout());
    let mut err = stderr();
    let sinks = Sinks { out: &mut out, err: &mut err };
    runtime.block_on(execute(&cli, sinks, interrupt)).into()
}

/// Help and version go to standard output, mistakes to standard error, each with clap's code: 0 or 2.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render();
    let _unheard = if error.use_stderr() { write!(stderr(), "{text}") } else { write!(stdout(), "{text}") };
    u8::try_from(error.exit_code()).map_or_else(|_| ExitStatus::Usage.into(), ExitCode::from)
}

/// Ready at the first Ctrl-C. The second one ends the process at once, from a thread of its own: the first may
/// find the main thread waiting for a reader of its output.
fn interrupt() -> impl Future<Output = ()> + Send {
    let (armed, is_armed) = mpsc::channel();
    let (sender, receiver) = oneshot::channel();
    let watcher = thread::Builder::new().name("interrupt".to_owned()).spawn(move || watch(&armed, sender));
    // Waits until Ctrl-C is watched for, so that none is taken for the kind that ends a process.
    let watched = watcher.is_ok() && is_armed.recv().is_ok();
    async move {
        if !watched || receiver.await.is_err() {
            // Without a watcher Ctrl-C ends the process as it would any other.
            std::future::pending::<()>().await;
        }
    }
}

#[expect(clippy::exit, reason = "the second Ctrl-C ends the process whatever the main thread does")]
fn watch(armed: &mpsc::Sender<()>, first: oneshot::Sender<()>) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let mut signal = pin!(tokio::signal::ctrl_c());
        // The first poll is what installs the handler.
        let polled = poll_fn(|context| Poll::Ready(signal.as_mut().poll(context))).await;
        if armed.send(()).is_err() {
            return;
        }
        let received = match polled {
            Poll::Ready(received) => received,
            Poll::Pending => signal.await,
        };
        if received.is_err() {
            return;
        }
        // Nobody waits any more when the job is over and its results are being written: then one is enough.
        let heard = first.send(()).is_ok();
        if !heard || tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(ExitStatus::Interrupted.code()));
        }
    });
}

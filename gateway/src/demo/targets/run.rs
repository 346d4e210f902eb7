//! One local program: started without a shell, bounded in time and output.

use super::programs::Local;
use super::shell::Shell;
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::CommandId;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long one program may run: those of the table take milliseconds, but for a file system that hangs.
const RUN_TIME: Duration = Duration::from_secs(20);
/// Bytes of both streams of one program.
const OUTPUT: usize = 256 * 1024;
/// Bytes that are read at a time.
const CHUNK: usize = 8 * 1024;
/// What Windows' programs end with after Control-C: `STATUS_CONTROL_C_EXIT`.
const INTERRUPTED: i32 = -1_073_741_510;
/// What Windows' `TerminateProcess` is given by most who call it.
const TERMINATED: i32 = 1;

/// Why a program is not let go on.
enum Stopped {
    Interrupted,
    TooLong,
    TooMuch,
}

/// Starts a program with a clean environment and no input.
pub(super) fn start(local: Local) -> io::Result<Child> {
    Command::new(local.program)
        .args(local.arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Hands a program's output to its command until it ends, and then its exit code.
pub(super) async fn follow(mut child: Child, shell: Arc<Shell>, id: CommandId, stop: CancellationToken) {
    let ended = tokio::select! {
        ended = tokio::time::timeout(RUN_TIME, drain(&mut child, &shell, id)) => ended.unwrap_or(Err(Stopped::TooLong)),
        () = stop.cancelled() => Err(Stopped::Interrupted),
    };
    let (code, message) = match ended {
        Ok(code) => (code, ""),
        Err(Stopped::Interrupted) => (INTERRUPTED, ""),
        Err(Stopped::TooLong) => (TERMINATED, "The program ran too long and was ended.\r\n"),
        Err(Stopped::TooMuch) => (TERMINATED, "The program wrote too much and was ended.\r\n"),
    };
    if ended.is_err() {
        // It may have ended by itself meanwhile; it is waited for in any case, so that none is left behind.
        let _killed = child.kill().await;
    }
    shell.finish(id, code, message);
}

async fn drain(child: &mut Child, shell: &Shell, id: CommandId) -> Result<i32, Stopped> {
    let left = AtomicUsize::new(OUTPUT);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::try_join!(
        pump(stdout, Stream::Stdout, shell, (id, &left)),
        pump(stderr, Stream::Stderr, shell, (id, &left))
    )?;
    let status = child.wait().await;
    // Ended by a signal, a program has no code.
    Ok(status.ok().and_then(|status| status.code()).unwrap_or(TERMINATED))
}

async fn pump(
    source: Option<impl AsyncRead + Unpin>,
    stream: Stream,
    shell: &Shell,
    (id, left): (CommandId, &AtomicUsize),
) -> Result<(), Stopped> {
    let Some(mut source) = source else { return Ok(()) };
    let mut buffer = vec![0; CHUNK];
    loop {
        // A pipe that breaks ends as one that is closed.
        let read = source.read(&mut buffer).await.unwrap_or(0);
        let Some(data) = buffer.get(..read).filter(|data| !data.is_empty()) else { return Ok(()) };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(data.len()));
        if taken.is_err() {
            return Err(Stopped::TooMuch);
        }
        shell.push(id, stream, data).await;
    }
}

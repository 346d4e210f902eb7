//! Programs and shells without a connection.

use super::programs::Local;
use super::run::{follow, start};
use super::shell::Shell;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::winrs::Stream;
use sekisho_protocol::wsman::{
    Action, CommandId, CommandState, CreateShell, MessageId, ReceiveResponse, Request, RequestBody, RequestHeader,
    Resource, ResponseBody,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

fn header(action: Action, shell: Option<&Shell>) -> RequestHeader {
    RequestHeader {
        message_id: Some(MessageId::new(Uuid::nil())),
        action,
        resource: Resource::CmdShell,
        to: String::new(),
        operation_timeout: None,
        max_envelope_size: 153_600,
        shell: shell.map(Shell::id),
        options: Vec::new(),
        session_id: None,
    }
}

fn shell() -> Arc<Shell> {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let peer = "127.0.0.1:1".parse().unwrap();
    let header = header(Action::Create, None);
    Shell::open(&header, &CreateShell::default(), ("demo", peer), (&tasks, &stop)).unwrap()
}

/// A program that no table has, as a command of the shell.
fn run(
    shell: &Arc<Shell>,
    program: &'static str,
    arguments: &'static [&'static str],
) -> (CommandId, CancellationToken) {
    let (id, stop) = (CommandId::new(Uuid::new_v4()), CancellationToken::new());
    shell.expect(id).unwrap();
    let child = start(Local { program, arguments }).unwrap();
    tokio::spawn(follow(child, Arc::clone(shell), id, stop.clone()));
    (id, stop)
}

/// One poll. Nothing of it is acknowledged.
async fn poll(shell: &Arc<Shell>, id: CommandId) -> Result<ReceiveResponse, Fault> {
    let body = RequestBody::Receive { command_id: Some(id), streams: vec!["stdout".to_owned(), "stderr".to_owned()] };
    let done = shell.serve(Request { header: header(Action::Receive, Some(shell)), body }).await?;
    let ResponseBody::Receive(output) = done.body else { panic!("{:?}", done.body) };
    Ok(output)
}

/// Polls again and again, as clients do.
async fn receive(shell: &Arc<Shell>, id: CommandId) -> ReceiveResponse {
    loop {
        match poll(shell, id).await {
            Ok(output) => {
                shell.acknowledge(id);
                return output;
            }
            Err(fault) => assert_eq!(fault.code, FaultCode::TIMED_OUT),
        }
    }
}

/// All of standard output and standard error, and the exit code.
async fn all(shell: &Arc<Shell>, id: CommandId) -> (String, String, i32) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    loop {
        let received = receive(shell, id).await;
        for chunk in received.streams {
            let to = if chunk.stream == Stream::Stdout.name() { &mut out } else { &mut err };
            to.extend(chunk.data);
        }
        if let Some(CommandState::Done { exit_code }) = received.state {
            return (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit_code);
        }
    }
}

#[tokio::test]
async fn both_streams_and_the_exit_code_arrive() {
    let shell = shell();
    let (id, _stop) = run(&shell, "/bin/sh", &["-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(all(&shell, id).await, ("out\n".to_owned(), "err\n".to_owned(), 7));
}

#[tokio::test]
async fn a_program_has_no_input_and_a_clean_environment() {
    let shell = shell();
    let (id, _stop) = run(&shell, "/bin/sh", &["-c", "/bin/cat; pwd; echo \"$LC_ALL $HOME\""]);
    assert_eq!(all(&shell, id).await, ("/\nC \n".to_owned(), String::new(), 0));
}

#[tokio::test]
async fn more_output_than_the_buffer_waits_for_its_reader() {
    let shell = shell();
    let (id, _stop) = run(&shell, "/bin/dd", &["if=/dev/zero", "bs=1000", "count=200", "status=none"]);
    let (out, err, exit_code) = all(&shell, id).await;
    assert_eq!((out.len(), err.as_str(), exit_code), (200_000, "", 0));
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_ended() {
    let shell = shell();
    let (id, _stop) = run(&shell, "/bin/cat", &["/dev/zero"]);
    let (out, err, exit_code) = all(&shell, id).await;
    assert_eq!((err.as_str(), exit_code), ("The program wrote too much and was ended.\r\n", 1));
    assert!(out.len() <= 256 * 1024);
}

// Time is that of the test: it jumps when nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_program_that_runs_too_long_is_ended() {
    let shell = shell();
    let (id, _stop) = run(&shell, "/bin/sleep", &["1000"]);
    let (_, err, exit_code) = all(&shell, id).await;
    assert_eq!((err.as_str(), exit_code), ("The program ran too long and was ended.\r\n", 1));
}

#[tokio::test]
async fn a_program_is_interrupted() {
    let shell = shell();
    let (id, stop) = run(&shell, "/bin/sleep", &["1000"]);
    stop.cancel();
    assert_eq!(all(&shell, id).await, (String::new(), String::new(), -1_073_741_510));
}

#[tokio::test(start_paused = true)]
async fn a_poll_without_output_ends_before_the_client_gives_up() {
    let shell = shell();
    let id = CommandId::new(Uuid::new_v4());
    shell.expect(id).unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(poll(&shell, id).await.unwrap_err().code, FaultCode::TIMED_OUT);
    assert_eq!(begun.elapsed().as_millis(), 59_500);
}

#[tokio::test]
async fn what_was_not_written_to_the_client_comes_again() {
    let shell = shell();
    let id = CommandId::new(Uuid::new_v4());
    shell.expect(id).unwrap();
    shell.push(id, Stream::Stdout, b"once").await;
    for _ in 0..2 {
        // Its acknowledgement is dropped unrun, as when the connection breaks before the write.
        assert_eq!(poll(&shell, id).await.unwrap().streams[0].data, b"once");
    }
}

//! Exchanges of unmodified pypsrp and pywinrm with an independent target, read back. See `tests/data`.

use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, Profile, ShellOptions};
use sekisho_protocol::wsman::{
    CommandState, Request, RequestBody, Response, ResponseBody, SignalCode, decode_request, decode_response,
    encode_request, encode_response,
};
use uuid::Uuid;

#[expect(clippy::disallowed_methods, reason = "recordings are files")]
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// One recording, both sides decoded.
fn exchanges(name: &str) -> Vec<(Request, Response)> {
    let recorded = String::from_utf8(read(&format!("winrs/{name}.jsonl"))).unwrap();
    let decode = |line: &str| {
        let exchange: serde_json::Value = serde_json::from_str(line).unwrap();
        let side = |name: &str| exchange[name].as_str().unwrap().to_owned();
        let request = decode_request(side("request").as_bytes()).unwrap();
        (request, decode_response(side("response").as_bytes()).unwrap())
    };
    recorded.lines().map(decode).collect()
}

const ALL: [&str; 10] = [
    "pypsrp-exit",
    "pypsrp-long",
    "pypsrp-noshell",
    "pypsrp-run",
    "pypsrp-stdin",
    "pypsrp-timeout",
    "pywinrm-ps",
    "pywinrm-run",
    "pywinrm-stdin",
    "pywinrm-timeout",
];

/// Short names of what was asked, in order.
fn story(name: &str) -> Vec<&'static str> {
    let word = |request: &Request| match &request.body {
        RequestBody::Identify => "identify",
        RequestBody::Create(_) => "create",
        RequestBody::Command(_) => "command",
        RequestBody::Send(_) => "send",
        RequestBody::Receive { .. } => "receive",
        RequestBody::Signal { .. } => "signal",
        RequestBody::Delete => "delete",
        RequestBody::Get => "get",
        RequestBody::Other => "other",
    };
    exchanges(name).iter().map(|(request, _)| word(request)).collect()
}

fn output_of(name: &str, stream: &str) -> (Vec<u8>, Option<i32>) {
    let (mut data, mut code) = (Vec::new(), None);
    for (_, response) in exchanges(name) {
        let Ok(ResponseBody::Receive(output)) = response.outcome else { continue };
        data.extend(output.streams.into_iter().filter(|chunk| chunk.stream == stream).flat_map(|chunk| chunk.data));
        if let Some(CommandState::Done { exit_code }) = output.state {
            code = Some(exit_code);
        }
    }
    (data, code)
}

#[test]
fn every_exchange_is_read_and_related() {
    for name in ALL {
        for (request, response) in exchanges(name) {
            assert_eq!(response.relates_to, request.header.message_id, "{name}");
        }
    }
}

#[test]
fn what_was_read_is_written_and_read_again() {
    for name in ALL {
        for (request, response) in exchanges(name) {
            let again = decode_request(encode_request(&request).unwrap().as_bytes()).unwrap();
            assert_eq!(again, request, "{name}");
            if let Ok(body) = &response.outcome {
                let written = encode_response(response.relates_to.as_ref(), Uuid::nil(), body);
                assert_eq!(decode_response(written.as_bytes()).unwrap(), response, "{name}");
            }
        }
    }
}

#[test]
fn stories() {
    assert_eq!(story("pypsrp-run"), ["create", "command", "receive", "signal", "delete"]);
    assert_eq!(story("pypsrp-stdin"), ["create", "command", "send", "send", "receive", "signal", "delete"]);
    assert_eq!(story("pypsrp-timeout"), ["create", "command", "receive", "receive", "signal", "delete"]);
    assert_eq!(story("pywinrm-run"), ["create", "command", "receive", "signal", "delete"]);
    assert_eq!(story("pywinrm-stdin"), ["create", "command", "send", "receive", "signal", "delete"]);
}

#[test]
fn outputs_and_exit_codes() {
    assert_eq!(output_of("pypsrp-stdin", "stdout"), (b"line one\r\nline two".to_vec(), Some(0)));
    assert_eq!(output_of("pypsrp-exit", "stderr"), (b"bad\r\n".to_vec(), Some(-1_073_741_510)));
    assert_eq!(output_of("pywinrm-run", "stdout"), (b"one two three\r\n".to_vec(), Some(0)));
    assert_eq!(output_of("pypsrp-long", "stdout").0.len(), 30_000);
}

#[test]
fn a_shell_of_pypsrp() {
    let (create, _) = exchanges("pypsrp-stdin").remove(0);
    let options = ShellOptions::parse(&create.header).unwrap();
    assert_eq!(options, ShellOptions { profile: Profile::Skip, code_page: Some(65_001) });
    let RequestBody::Create(shell) = create.body else { panic!("not a Create") };
    assert_eq!(shell.environment, [("A".to_owned(), "b c".to_owned())]);
    assert_eq!(shell.working_directory.as_deref(), Some("C:\\Windows"));
    assert_eq!(shell.idle_timeout, Some(std::time::Duration::from_secs(60)));
    assert_eq!(
        (shell.input_streams, shell.output_streams),
        (vec!["stdin".to_owned()], vec!["stdout".to_owned(), "stderr".to_owned()])
    );
}

#[test]
fn commands_of_both_clients() {
    let command = |name| {
        let (request, _) = exchanges(name).remove(1);
        let options = CommandOptions::parse(&request.header).unwrap();
        let RequestBody::Command(line) = request.body else { panic!("not a Command") };
        (line.command, line.arguments, options)
    };
    let (program, arguments, options) = command("pypsrp-run");
    assert_eq!((program.as_str(), arguments), ("echo", vec!["hello & <world> \"q\"".to_owned(), "ü€".to_owned()]));
    assert_eq!(options, CommandOptions { input: ConsoleInput::Console, shell: CommandShell::Through });
    // pywinrm joins its arguments.
    let (program, arguments, _) = command("pywinrm-run");
    assert_eq!((program.as_str(), arguments), ("echo", vec!["one two three".to_owned()]));
    let (program, arguments, _) = command("pywinrm-ps");
    assert!(program.starts_with("powershell -encodedcommand ") && arguments.is_empty());
    let (_, _, options) = command("pywinrm-stdin");
    assert_eq!(options.input, ConsoleInput::Pipe);
    let (_, _, options) = command("pywinrm-timeout");
    assert_eq!(options.shell, CommandShell::Skip);
}

#[test]
fn timeouts_and_missing_shells_are_faults() {
    let codes = |name| -> Vec<FaultCode> {
        exchanges(name).into_iter().filter_map(|(_, response)| response.outcome.err()).map(|fault| fault.code).collect()
    };
    assert_eq!(codes("pypsrp-timeout"), [FaultCode::TIMED_OUT]);
    assert_eq!(codes("pywinrm-timeout"), [FaultCode::TIMED_OUT]);
    assert_eq!(codes("pypsrp-noshell"), [FaultCode::UNEXPECTED_SELECTORS]);
}

#[test]
fn signals_of_both_clients() {
    let signals = |name| -> Vec<SignalCode> {
        let signal = |(request, _): (Request, Response)| match request.body {
            RequestBody::Signal { signal, .. } => Some(signal),
            RequestBody::Identify
            | RequestBody::Create(_)
            | RequestBody::Command(_)
            | RequestBody::Send(_)
            | RequestBody::Receive { .. }
            | RequestBody::Delete
            | RequestBody::Get
            | RequestBody::Other => None,
        };
        exchanges(name).into_iter().filter_map(signal).collect()
    };
    assert_eq!(signals("pypsrp-run"), [SignalCode::CtrlC]);
    assert_eq!(signals("pypsrp-exit"), [SignalCode::Terminate]);
    assert_eq!(signals("pywinrm-run"), [SignalCode::Terminate]);
}

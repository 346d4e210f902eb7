//! Requests of clients and responses of targets.

use super::pieces::Pieces;
use sekisho_protocol::limits::COMMAND_TEXT;
use sekisho_protocol::winrs::client::{ClientSettings, Program, Run, RunEvent};
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, Profile, ShellOptions};
use sekisho_protocol::wsman::{
    CommandLine, CreateShell, RequestBody, Resource, decode_request, decode_response, encode_fault, encode_request,
    encode_response,
};
use std::time::Duration;
use uuid::Uuid;

/// Any document of a client. What we read is written by us and read again as the same, or not written at all.
pub fn request(input: &[u8]) {
    let request = match decode_request(input) {
        Ok(request) => request,
        Err(refused) => {
            let fault = encode_fault(refused.relates_to.as_ref(), Uuid::nil(), &refused.fault);
            let answer = decode_response(fault.as_bytes()).expect("our own fault can be read");
            assert!(answer.outcome.is_err() && answer.relates_to == refused.relates_to);
            return;
        }
    };
    if let RequestBody::Command(line) = &request.body
        && request.header.resource == Resource::CmdShell
    {
        assert!(line.command.len() <= COMMAND_TEXT);
    }
    let Ok(text) = encode_request(&request) else { return };
    let again = decode_request(text.as_bytes()).expect("our own request can be read");
    assert_eq!(again.body, request.body, "another body is read than was judged");
    assert_eq!((again.header.action, again.header.shell), (request.header.action, request.header.shell));
}

/// Any document of a target. Its text is bounded, and shown by nothing.
pub fn response(input: &[u8]) {
    let Ok(response) = decode_response(input) else { return };
    match &response.outcome {
        Err(fault) => {
            assert!(fault.text.untrusted().len() <= sekisho_protocol::limits::PEER_TEXT + 4);
            let shown = format!("{fault:?}");
            assert!(shown.len() < 200, "{shown}");
        }
        Ok(body) => {
            let text = encode_response(response.relates_to.as_ref(), Uuid::nil(), body);
            let again = decode_response(text.as_bytes()).expect("our own response can be read");
            assert!(again.outcome.is_ok());
        }
    }
}

/// Any answers to the requests of a run: it comes to its end, starts its program once, and says so.
pub fn winrs_client(input: &[u8]) {
    let settings = ClientSettings {
        to: "http://t/wsman".to_owned(),
        max_envelope_size: 153_600,
        operation_timeout: Duration::from_secs(20),
        session_id: None,
    };
    let program = Program {
        shell: CreateShell::default(),
        shell_options: ShellOptions { profile: Profile::Skip, code_page: Some(437) },
        line: CommandLine { command: "hostname".to_owned(), arguments: Vec::new(), command_id: None },
        command_options: CommandOptions { input: ConsoleInput::Pipe, shell: CommandShell::Through },
        input: Some(b"in".to_vec()),
    };
    let mut run = Run::new(settings, program);
    let (mut commands, mut done, mut sent) = (0_u32, 0_u32, 0_u128);
    for piece in Pieces::new(input).bounded() {
        sent += 1;
        let Ok(Some(request)) = run.next_request(Uuid::from_u128(sent)) else { break };
        commands += u32::from(matches!(request.body, RequestBody::Command(_)));
        // The identifier that a target has to echo is not in any input.
        let id = request.header.message_id.map(|id| id.as_str().to_owned()).unwrap_or_default();
        let answer = String::from_utf8_lossy(piece).replace("$ID", &id);
        match decode_response(answer.as_bytes()) {
            Ok(response) => drop(run.accept(response)),
            Err(_) => run.lost(),
        }
        while let Some(event) = run.next_event() {
            done += u32::from(matches!(event, RunEvent::Done { .. }));
        }
    }
    assert!(commands <= 1 && done <= 1, "the program was started or ended twice");
}

//! Client and server of WinRS, paired in memory over encoded messages.

use crate::support::{command_id, request, shell_id};
use sekisho_protocol::Error;
use sekisho_protocol::error::{Malformed, Misuse, PeerMisbehaved};
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::winrs::client::{ClientEvent, ClientSettings, Operation, Program, Run, RunEvent, ShellClient};
use sekisho_protocol::winrs::server::{ShellEvent, ShellLimits, ShellMachine};
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, Profile, ShellOptions, Stream};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, Compression, CreateShell, MessageId, ReceiveResponse, Request,
    RequestBody, Response, ResponseBody, SendStream, ShellDetails, ShellId, SignalCode, StreamChunk, WsmanOption,
    decode_request, decode_response, encode_fault, encode_request, encode_response,
};
use std::time::Duration;
use uuid::Uuid;

const LIMITS: ShellLimits = ShellLimits { commands: 2, output: 100_000 };

fn settings() -> ClientSettings {
    ClientSettings {
        to: "https://127.0.0.1:5986/wsman".to_owned(),
        max_envelope_size: 153_600,
        operation_timeout: Duration::from_secs(20),
        session_id: Some(Uuid::from_u128(1)),
    }
}

fn shell_options() -> ShellOptions {
    ShellOptions { profile: Profile::Skip, code_page: Some(65_001) }
}

fn command_options() -> CommandOptions {
    CommandOptions { input: ConsoleInput::Pipe, shell: CommandShell::Through }
}

fn line(command: &str) -> CommandLine {
    CommandLine { command: command.to_owned(), arguments: vec!["a b".to_owned()], command_id: None }
}

fn create() -> CreateShell {
    CreateShell {
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        ..CreateShell::default()
    }
}

fn program(input: Option<&[u8]>) -> Program {
    Program {
        shell: create(),
        shell_options: shell_options(),
        line: line("cat"),
        command_options: command_options(),
        input: input.map(<[u8]>::to_vec),
    }
}

fn details() -> ShellDetails {
    ShellDetails {
        shell_id: shell_id(),
        address: "https://127.0.0.1:5986/wsman".to_owned(),
        resource_uri: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd".to_owned(),
        owner: "alice".to_owned(),
        client_ip: "127.0.0.1".to_owned(),
        idle_timeout: Duration::from_secs(7200),
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        compression: Compression::None,
        run_time: Duration::ZERO,
        inactivity: Duration::ZERO,
    }
}

/// A target whose one program gives its input back, and a line on standard error.
#[derive(Default)]
struct Target {
    shell: Option<ShellMachine>,
    started: usize,
    polls: usize,
    seen: Vec<Action>,
    /// Polls that run into the timeout first.
    silent_polls: usize,
    /// Answers that are lost on the way, counted down.
    input: Vec<u8>,
    input_ended: bool,
}

impl Target {
    fn answer(&mut self, xml: &str) -> String {
        let request = decode_request(xml.as_bytes()).unwrap();
        self.seen.push(request.header.action);
        let id = request.header.message_id.clone();
        match self.serve(request) {
            Ok(body) => encode_response(id.as_ref(), Uuid::from_u128(99), &body),
            Err(fault) => encode_fault(id.as_ref(), Uuid::from_u128(99), &fault),
        }
    }

    fn serve(&mut self, request: Request) -> Result<ResponseBody, Fault> {
        if let RequestBody::Create(create) = &request.body {
            let (shell, options) = ShellMachine::open(shell_id(), &request.header, create, LIMITS)?;
            assert_eq!(options, shell_options());
            self.shell = Some(shell);
            return Ok(ResponseBody::Created(details()));
        }
        let shell = self.shell.as_mut().ok_or_else(Fault::no_such_shell)?;
        match shell.receive(request)? {
            ShellEvent::Start { line, options } => {
                assert_eq!((line.arguments.len(), options), (1, command_options()));
                self.started += 1;
                let id = CommandId::new(Uuid::from_u128(self.started.try_into().unwrap()));
                shell.start(id)?;
                let output = shell.output(id).unwrap();
                output.push(Stream::Stderr, b"started\n").unwrap();
                Ok(ResponseBody::Command { command_id: id })
            }
            ShellEvent::Input(inputs) => {
                for input in inputs {
                    self.input.extend(input.data);
                    self.input_ended |= input.end;
                }
                Ok(ResponseBody::Send)
            }
            ShellEvent::Poll { command_id, max_envelope_size, .. } => {
                self.polls += 1;
                if self.polls <= self.silent_polls {
                    return Err(Fault::timed_out());
                }
                let output = shell.output(command_id).unwrap();
                let room = output.room().min(self.input.len());
                if !output.is_finished() {
                    output.push(Stream::Stdout, &self.input[..room]).unwrap();
                    self.input.drain(..room);
                    if self.input.is_empty() && self.input_ended {
                        output.finish(-3);
                    }
                }
                let answer = output.peek(max_envelope_size).ok_or_else(Fault::timed_out)?;
                output.acknowledge();
                Ok(ResponseBody::Receive(answer))
            }
            ShellEvent::Interrupt { .. } | ShellEvent::Terminate { .. } | ShellEvent::AlreadyGone => {
                Ok(ResponseBody::Signal)
            }
            ShellEvent::Describe => Ok(ResponseBody::Shell(details())),
            ShellEvent::Close => Ok(ResponseBody::Delete),
        }
    }
}

/// Runs to the end; gives all events.
fn drive(run: &mut Run, target: &mut Target) -> Vec<RunEvent> {
    let mut events = Vec::new();
    for number in 100_u128.. {
        while let Some(event) = run.next_event() {
            events.push(event);
        }
        let Some(request) = run.next_request(Uuid::from_u128(number)).unwrap() else { break };
        let answer = target.answer(&encode_request(&request).unwrap());
        run.accept(decode_response(answer.as_bytes()).unwrap()).unwrap();
    }
    events
}

fn output_of(events: &[RunEvent], wanted: Stream) -> Vec<u8> {
    let data = events.iter().filter_map(|event| match event {
        RunEvent::Output { stream, data } if *stream == wanted => Some(data.clone()),
        RunEvent::Output { .. }
        | RunEvent::Created(_)
        | RunEvent::Started(_)
        | RunEvent::Done { .. }
        | RunEvent::Fault { .. }
        | RunEvent::Finished => None,
    });
    data.flatten().collect()
}

#[test]
fn a_program_runs_from_create_to_delete() {
    let (mut run, mut target) = (Run::new(settings(), program(Some(b"hello"))), Target::default());
    let events = drive(&mut run, &mut target);
    assert_eq!(
        target.seen,
        [Action::Create, Action::Command, Action::Send, Action::Receive, Action::Signal, Action::Delete]
    );
    assert_eq!(events[0], RunEvent::Created(shell_id()));
    assert!(matches!(events[1], RunEvent::Started(_)));
    assert_eq!(output_of(&events, Stream::Stdout), b"hello");
    assert_eq!(output_of(&events, Stream::Stderr), b"started\n");
    assert_eq!(events[events.len() - 2..], [RunEvent::Done { exit_code: -3 }, RunEvent::Finished]);
    assert!(run.is_finished() && run.error().is_none());
    assert_eq!(run.next_request(Uuid::nil()), Ok(None));
}

#[test]
fn long_input_and_output_go_in_pieces_and_done_comes_once() {
    let input: Vec<u8> = (0..=255).cycle().take(500_000).collect();
    let (mut run, mut target) = (Run::new(settings(), program(Some(&input))), Target::default());
    let events = drive(&mut run, &mut target);
    assert_eq!(output_of(&events, Stream::Stdout), input);
    assert_eq!(target.seen.iter().filter(|action| **action == Action::Send).count(), 8);
    assert_eq!(events.iter().filter(|event| matches!(event, RunEvent::Done { .. })).count(), 1);
    assert_eq!(target.started, 1);
}

#[test]
fn timeouts_are_polled_again() {
    let mut target = Target { silent_polls: 3, ..Target::default() };
    let events = drive(&mut Run::new(settings(), program(Some(b"x"))), &mut target);
    assert_eq!(target.seen.iter().filter(|action| **action == Action::Receive).count(), 4);
    assert_eq!(output_of(&events, Stream::Stdout), b"x");
}

/// What a target does with the request number `at`.
fn broken_at(at: usize, how: fn(&mut Run, String)) -> (Run, Target, Vec<RunEvent>) {
    let (mut run, mut target) = (Run::new(settings(), program(Some(b"x"))), Target::default());
    let mut events = Vec::new();
    for number in 0..20 {
        let Some(request) = run.next_request(Uuid::from_u128(number)).unwrap() else { break };
        let answer = target.answer(&encode_request(&request).unwrap());
        if usize::try_from(number).unwrap() == at {
            how(&mut run, answer);
        } else {
            run.accept(decode_response(answer.as_bytes()).unwrap()).unwrap();
        }
        while let Some(event) = run.next_event() {
            events.push(event);
        }
    }
    (run, target, events)
}

#[test]
fn nothing_is_run_twice_and_everything_is_cleaned_up() {
    let ways: [fn(&mut Run, String); 3] = [
        |run, _| run.lost(),
        |run, answer| {
            let wrong = answer.replace("RelatesTo>uuid", "RelatesTo>UUID");
            assert_eq!(run.accept(decode_response(wrong.as_bytes()).unwrap()), Err(PeerMisbehaved::Unrelated.into()));
        },
        |run, answer| {
            let mut response = decode_response(answer.as_bytes()).unwrap();
            response.outcome = Ok(ResponseBody::Config { max_envelope_size_kb: 1 });
            assert_eq!(run.accept(response), Err(PeerMisbehaved::WrongResponse.into()));
        },
    ];
    for how in ways {
        for at in 0..6 {
            let (run, target, events) = broken_at(at, how);
            let count = |wanted| target.seen.iter().filter(|action| **action == wanted).count();
            assert!(run.is_finished() && run.error().is_some(), "{at}");
            assert_eq!(events.last(), Some(&RunEvent::Finished));
            assert!(target.started <= 1 && count(Action::Send) <= 1);
            // Without an answer to Create nobody knows what to close.
            assert_eq!(count(Action::Delete), usize::from(at != 0), "{at} {:?}", target.seen);
            assert_eq!(count(Action::Signal), usize::from(1 < at));
        }
    }
}

#[test]
fn faults_end_the_run_with_cleaning_up() {
    for at in 0..6 {
        let (run, target, events) = broken_at(at, |run, answer| {
            let id = decode_response(answer.as_bytes()).unwrap().relates_to;
            let fault = encode_fault(id.as_ref(), Uuid::nil(), &Fault::access_denied("no"));
            run.accept(decode_response(fault.as_bytes()).unwrap()).unwrap();
        });
        assert!(run.is_finished() && run.error().is_none());
        assert_eq!(target.seen.contains(&Action::Delete), at != 0);
        let told = events.iter().any(|event| matches!(event, RunEvent::Fault { .. }));
        assert_eq!(told, at < 4, "{at}");
    }
}

#[test]
fn a_run_can_be_stopped_at_any_time() {
    for at in 0..6 {
        for waiting in [false, true] {
            let (mut run, mut target) = (Run::new(settings(), program(Some(b"x"))), Target::default());
            for number in 0..20 {
                let stop = usize::try_from(number).unwrap() == at;
                if stop && !waiting {
                    run.stop();
                    run.stop();
                }
                let Some(request) = run.next_request(Uuid::from_u128(number)).unwrap() else { break };
                if stop && waiting {
                    run.stop();
                    assert_eq!(run.next_request(Uuid::nil()), Ok(None));
                }
                let answer = target.answer(&encode_request(&request).unwrap());
                run.accept(decode_response(answer.as_bytes()).unwrap()).unwrap();
            }
            assert!(run.is_finished());
            let opened = target.seen.contains(&Action::Create);
            assert_eq!(target.seen.contains(&Action::Delete), opened);
            assert_eq!(target.seen.contains(&Action::Signal), target.started == 1, "{at} {waiting} {:?}", target.seen);
        }
    }
}

#[test]
fn answers_cut_anywhere_are_refused() {
    let (mut run, mut target) =
        (Run::new(settings(), program(None)), Target { input_ended: true, ..Target::default() });
    for number in 0.. {
        let Some(request) = run.next_request(Uuid::from_u128(number)).unwrap() else { break };
        let answer = target.answer(&encode_request(&request).unwrap());
        for end in 0..answer.len() {
            assert!(decode_response(&answer.as_bytes()[..end]).is_err());
        }
        run.accept(decode_response(answer.as_bytes()).unwrap()).unwrap();
    }
    assert!(run.is_finished());
}

// The client's shell on a hostile target.

fn id(number: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(number))
}

fn ok(number: u128, body: ResponseBody) -> Response {
    Response { relates_to: Some(id(number)), outcome: Ok(body) }
}

/// A client whose command runs, and whose Receive with the number 3 is under way.
fn receiving() -> ShellClient {
    let mut client = ShellClient::new(settings());
    client.create(Uuid::from_u128(1), create(), shell_options()).unwrap();
    client.accept(&id(1), ok(1, ResponseBody::Created(details()))).unwrap();
    client.command(Uuid::from_u128(2), line("x"), command_options()).unwrap();
    client.accept(&id(2), ok(2, ResponseBody::Command { command_id: command_id() })).unwrap();
    client.receive(Uuid::from_u128(3), command_id()).unwrap();
    client
}

fn output(command: CommandId, chunks: &[(&str, &[u8], bool)], state: CommandState) -> ResponseBody {
    let chunk = |(stream, data, end): &(&str, &[u8], bool)| StreamChunk {
        stream: (*stream).to_owned(),
        data: data.to_vec(),
        end: *end,
    };
    ResponseBody::Receive(ReceiveResponse {
        command_id: Some(command),
        streams: chunks.iter().map(chunk).collect(),
        state: Some(state),
    })
}

#[test]
fn output_that_was_not_asked_for_fails_the_client() {
    let other = CommandId::new(Uuid::from_u128(0xFFFF));
    for (body, error) in [
        (output(other, &[("stdout", b"x", false)], CommandState::Running), PeerMisbehaved::UnexpectedOutput),
        (output(command_id(), &[("pr", b"x", false)], CommandState::Running), PeerMisbehaved::UnexpectedOutput),
        (
            output(command_id(), &[("stdout", b"x", true), ("stdout", b"y", false)], CommandState::Running),
            PeerMisbehaved::AfterEnd,
        ),
        (ResponseBody::Send, PeerMisbehaved::WrongResponse),
        (ResponseBody::Created(details()), PeerMisbehaved::WrongResponse),
    ] {
        let mut client = receiving();
        let error: Error = error.into();
        assert_eq!(client.accept(&id(3), ok(3, body)), Err(error));
        // Failed stays failed, but what there is can be closed.
        assert_eq!(client.receive(Uuid::from_u128(4), command_id()), Err(error));
        assert_eq!(client.command(Uuid::from_u128(4), line("x"), command_options()), Err(error));
        assert_eq!(client.send(Uuid::from_u128(4), command_id(), Vec::new(), true), Err(error));
        client.signal(Uuid::from_u128(4), command_id(), SignalCode::Terminate).unwrap();
        assert_eq!(client.accept(&id(4), ok(4, ResponseBody::Signal)), Ok(vec![ClientEvent::Signalled(command_id())]));
        client.delete(Uuid::from_u128(5)).unwrap();
        assert_eq!(client.accept(&id(5), ok(5, ResponseBody::Delete)), Ok(vec![ClientEvent::Deleted]));
        assert_eq!(client.shell(), None);
    }
}

#[test]
fn done_is_the_end() {
    let mut client = receiving();
    let body =
        output(command_id(), &[("stdout", b"x", false), ("stdout", b"", true)], CommandState::Done { exit_code: 4 });
    let events = client.accept(&id(3), ok(3, body)).unwrap();
    assert_eq!(events.last(), Some(&ClientEvent::Done { command_id: command_id(), exit_code: 4 }));
    assert_eq!(client.receive(Uuid::from_u128(4), command_id()), Err(Misuse::WrongState.into()));
    client.signal(Uuid::from_u128(4), command_id(), SignalCode::Terminate).unwrap();
}

#[test]
fn streams_stay_ended_across_answers() {
    let mut client = receiving();
    client.accept(&id(3), ok(3, output(command_id(), &[("stdout", b"", true)], CommandState::Running))).unwrap();
    client.receive(Uuid::from_u128(4), command_id()).unwrap();
    let late = output(command_id(), &[("stdout", b"x", false)], CommandState::Running);
    assert_eq!(client.accept(&id(4), ok(4, late)), Err(PeerMisbehaved::AfterEnd.into()));
}

#[test]
fn one_poll_at_a_time_and_no_unknown_commands() {
    let mut client = receiving();
    assert_eq!(client.receive(Uuid::from_u128(4), command_id()), Err(Misuse::WrongState.into()));
    let unknown = CommandId::new(Uuid::from_u128(8));
    assert_eq!(client.receive(Uuid::from_u128(4), unknown), Err(Misuse::WrongState.into()));
    assert_eq!(client.send(Uuid::from_u128(4), unknown, Vec::new(), true), Err(Misuse::WrongState.into()));
    assert_eq!(client.accept(&id(9), ok(9, ResponseBody::Delete)), Err(Misuse::WrongState.into()));
    // A poll that was dropped may be made again: the target keeps what was not read.
    assert_eq!(client.abandon(&id(3)), Some(Operation::Receive(command_id())));
    client.receive(Uuid::from_u128(4), command_id()).unwrap();
}

#[test]
fn a_command_that_the_target_names_twice_fails_the_client() {
    let mut client = receiving();
    client.command(Uuid::from_u128(4), line("y"), command_options()).unwrap();
    let again = ok(4, ResponseBody::Command { command_id: command_id() });
    assert_eq!(client.accept(&id(4), again), Err(PeerMisbehaved::OutOfOrder.into()));
}

#[test]
fn a_fault_without_relation_is_taken_and_an_answer_is_not() {
    let mut client = receiving();
    assert_eq!(
        client.accept(&id(3), Response { relates_to: None, outcome: Ok(ResponseBody::Send) }),
        Err(PeerMisbehaved::Unrelated.into())
    );
    let mut client = receiving();
    let fault = decode_response(encode_fault(None, Uuid::nil(), &Fault::no_such_shell()).as_bytes()).unwrap();
    let events = client.accept(&id(3), fault).unwrap();
    assert!(matches!(&events[..], [ClientEvent::Fault { operation: Operation::Receive(_), .. }]));
}

#[test]
fn a_shell_is_asked_for_once() {
    let mut client = ShellClient::new(settings());
    assert_eq!(client.command(Uuid::nil(), line("x"), command_options()), Err(Misuse::WrongState.into()));
    assert_eq!(client.delete(Uuid::nil()), Err(Misuse::WrongState.into()));
    client.create(Uuid::from_u128(1), create(), shell_options()).unwrap();
    assert_eq!(client.create(Uuid::from_u128(2), create(), shell_options()), Err(Misuse::WrongState.into()));
    client.abandon(&id(1));
    assert_eq!(client.create(Uuid::from_u128(3), create(), shell_options()), Err(Misuse::WrongState.into()));
}

// The server's shell against odd clients.

fn machine() -> ShellMachine {
    let header = request(Action::Create, None, RequestBody::Create(create())).header;
    ShellMachine::open(shell_id(), &header, &create(), LIMITS).unwrap().0
}

fn ask(machine: &mut ShellMachine, action: Action, body: RequestBody) -> Result<ShellEvent, FaultCode> {
    machine.receive(request(action, Some(shell_id()), body)).map_err(|fault| fault.code)
}

fn stdin(command_id: CommandId, end: bool) -> SendStream {
    SendStream { stream: "stdin".to_owned(), command_id: Some(command_id), end, data: b"x".to_vec() }
}

#[test]
fn a_shell_answers_to_its_own_name_until_it_is_closed() {
    let mut machine = machine();
    let foreign = request(Action::Get, Some(ShellId::new(Uuid::from_u128(5))), RequestBody::Get);
    assert_eq!(machine.receive(foreign).unwrap_err().code, FaultCode::UNEXPECTED_SELECTORS);
    assert_eq!(ask(&mut machine, Action::Get, RequestBody::Get), Ok(ShellEvent::Describe));
    machine.start(command_id()).unwrap();
    assert_eq!(ask(&mut machine, Action::Delete, RequestBody::Delete), Ok(ShellEvent::Close));
    assert!(machine.output(command_id()).is_none());
    assert_eq!(ask(&mut machine, Action::Delete, RequestBody::Delete), Err(FaultCode::UNEXPECTED_SELECTORS));
    assert!(machine.start(command_id()).is_err());
}

#[test]
fn terminate_may_come_again() {
    let mut machine = machine();
    machine.start(command_id()).unwrap();
    let signal = |signal| RequestBody::Signal { command_id: Some(command_id()), signal };
    let interrupt = ShellEvent::Interrupt { command_id: command_id(), signal: SignalCode::CtrlC };
    assert_eq!(ask(&mut machine, Action::Signal, signal(SignalCode::CtrlC)), Ok(interrupt));
    let terminate = ShellEvent::Terminate { command_id: command_id() };
    assert_eq!(ask(&mut machine, Action::Signal, signal(SignalCode::Terminate)), Ok(terminate));
    for _ in 0..2 {
        assert_eq!(ask(&mut machine, Action::Signal, signal(SignalCode::Terminate)), Ok(ShellEvent::AlreadyGone));
    }
    let poll = RequestBody::Receive { command_id: Some(command_id()), streams: Vec::new() };
    assert_eq!(ask(&mut machine, Action::Receive, poll), Err(FaultCode::UNEXPECTED_SELECTORS));
}

#[test]
fn commands_are_bounded() {
    let mut machine = machine();
    for number in 0..2 {
        assert!(matches!(
            ask(&mut machine, Action::Command, RequestBody::Command(line("x"))),
            Ok(ShellEvent::Start { .. })
        ));
        machine.start(CommandId::new(Uuid::from_u128(number))).unwrap();
    }
    assert_eq!(ask(&mut machine, Action::Command, RequestBody::Command(line("x"))), Err(FaultCode(2_150_859_174)));
    assert!(machine.start(command_id()).is_err());
    assert_eq!(machine.commands().count(), 2);
}

#[test]
fn input_is_taken_whole_or_not_at_all() {
    let mut machine = machine();
    machine.start(command_id()).unwrap();
    let unknown = CommandId::new(Uuid::from_u128(0xAB));
    let mixed = RequestBody::Send(vec![stdin(command_id(), true), stdin(unknown, true)]);
    assert_eq!(ask(&mut machine, Action::Send, mixed), Err(FaultCode::UNEXPECTED_SELECTORS));
    // The end in the refused request did not count.
    let Ok(ShellEvent::Input(inputs)) =
        ask(&mut machine, Action::Send, RequestBody::Send(vec![stdin(command_id(), true)]))
    else {
        panic!("refused")
    };
    assert!(inputs[0].end && inputs[0].data == b"x");
    let late = RequestBody::Send(vec![stdin(command_id(), false)]);
    assert_eq!(ask(&mut machine, Action::Send, late), Err(FaultCode(2_150_859_147)));
    let other = RequestBody::Send(vec![SendStream { stream: "pr".to_owned(), ..stdin(command_id(), false) }]);
    assert_eq!(ask(&mut machine, Action::Send, other), Err(FaultCode(2_150_859_147)));
    let stream = RequestBody::Receive { command_id: Some(command_id()), streams: vec!["debug".to_owned()] };
    assert_eq!(ask(&mut machine, Action::Receive, stream), Err(FaultCode(2_150_859_149)));
}

#[test]
fn shells_with_other_streams_or_bad_options_are_refused() {
    let open = |create: CreateShell, options: Vec<WsmanOption>| {
        let mut header = request(Action::Create, None, RequestBody::Create(create.clone())).header;
        header.options = options;
        ShellMachine::open(shell_id(), &header, &create, LIMITS).map(drop).map_err(|fault| fault.code)
    };
    let option = |name: &str, value: &str| {
        vec![WsmanOption { name: name.to_owned(), value: value.to_owned(), must_comply: false }]
    };
    let streams = |input: &str, output: &str| CreateShell {
        input_streams: vec![input.to_owned()],
        output_streams: vec![output.to_owned()],
        ..CreateShell::default()
    };
    assert_eq!(open(CreateShell::default(), Vec::new()), Ok(()));
    assert_eq!(open(streams("pr", "stdout"), Vec::new()), Err(FaultCode::INVALID_INPUT_STREAM));
    assert_eq!(open(streams("stdin", "debug"), Vec::new()), Err(FaultCode::INVALID_DESIRED_STREAMS));
    for (name, value) in
        [("WINRS_CODEPAGE", "x"), ("WINRS_CODEPAGE", "-1"), ("WINRS_CODEPAGE", "65536"), ("WINRS_NOPROFILE", "maybe")]
    {
        assert_eq!(open(create(), option(name, value)), Err(FaultCode::INVALID_PARAMETER), "{name} {value}");
    }
    for value in ["TRUE", "True", "1", "false", "", "0"] {
        assert_eq!(open(create(), option("winrs_noprofile", value)), Ok(()), "{value}");
    }
}

#[test]
fn debug_shows_no_input_and_no_output() {
    // As text, and as bytes printed as numbers.
    let hidden = |shown: String| assert!(!shown.contains("hunter2") && !shown.contains("104, 117, 110"), "{shown}");
    let mut run = Run::new(settings(), program(Some(b"hunter2")));
    hidden(format!("{run:?}"));
    for event in drive(&mut run, &mut Target::default()) {
        hidden(format!("{event:?}"));
    }
    let mut machine = machine();
    machine.start(command_id()).unwrap();
    machine.output(command_id()).unwrap().push(Stream::Stdout, b"hunter2").unwrap();
    hidden(format!("{machine:?} {:?}", machine.output(command_id()).unwrap().peek(153_600)));
    let mut client = receiving();
    let events =
        client.accept(&id(3), ok(3, output(command_id(), &[("stdout", b"hunter2", false)], CommandState::Running)));
    hidden(format!("{client:?} {events:?}"));
    let input = SendStream { data: b"hunter2".to_vec(), ..stdin(command_id(), true) };
    hidden(format!("{:?}", ask(&mut machine, Action::Send, RequestBody::Send(vec![input]))));
}

#[test]
fn errors_speak_of_no_peer() {
    assert_eq!(Error::from(Malformed::Xml).to_string(), "malformed input: XML that is not well-formed");
}

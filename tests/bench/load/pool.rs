//! A pool of PowerShell remoting, and pipelines in it, as a stock client does them.

use crate::Outcome;
use crate::http::Answer;
use crate::plan::Route;
use crate::session::{LoggedIn, Took};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::{
    Argument, ClientEvent, Command, CreatePipeline, HostInfo, InitRunspacePool, PipelineState, PoolClient, Stream,
};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, CreateShell, MessageId, ReceiveResponse, Request, RequestBody,
    RequestHeader, Resource, ResponseBody, ShellId, SignalCode, WsmanOption, decode_response,
};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Bytes of an envelope, and of a fragment, as PowerShell's own client asks for them.
const ENVELOPE: usize = 512_000;
const FRAGMENT: usize = 32 * 1024;

/// An open pool.
pub(crate) struct Pool {
    connection: LoggedIn,
    client: PoolClient,
    shell: ShellId,
    session: Uuid,
    to: String,
}

/// What one command brought.
#[derive(Default)]
pub(crate) struct Brought {
    pub(crate) objects: usize,
    /// Of CLIXML.
    pub(crate) bytes: usize,
    pub(crate) envelopes: usize,
}

impl Pool {
    pub(crate) fn open(connection: LoggedIn, route: &Route) -> Outcome<Self> {
        let id = Uuid::new_v4();
        let init = InitRunspacePool { min: 1, max: 1, host: HostInfo::none() };
        let mut client = PoolClient::new(id, &init, FRAGMENT)?;
        let opening = client.take_output(None, Stream::Main, usize::MAX).unwrap_or_default();
        let to = format!("https://127.0.0.1:{}{}", route.port, route.path);
        let mut pool = Self { connection, client, shell: ShellId::new(id), session: Uuid::new_v4(), to };
        let shell = CreateShell {
            shell_id: Some(pool.shell),
            input_streams: vec!["stdin".to_owned(), "pr".to_owned()],
            output_streams: vec!["stdout".to_owned()],
            creation_xml: Some(STANDARD.encode(opening)),
            ..CreateShell::default()
        };
        let version = WsmanOption { name: "protocolversion".to_owned(), value: "2.3".to_owned(), must_comply: true };
        let mut request = pool.request(Action::Create, RequestBody::Create(shell));
        request.header.shell = None;
        request.header.options = vec![version];
        let ResponseBody::Created(details) = pool.ask(&request)? else { return Err("no shell was created".into()) };
        pool.shell = details.shell_id;
        loop {
            for chunk in pool.receive(None)?.streams {
                pool.client.receive(None, &chunk.data)?;
            }
            while let Some(event) = pool.client.next_event() {
                if event == ClientEvent::Opened {
                    return Ok(pool);
                }
            }
        }
    }

    /// Runs a command to its end and signals that.
    pub(crate) fn run(&mut self, command: &Command, pause: Duration) -> Outcome<(Took, Brought)> {
        let begun = Instant::now();
        let id = Uuid::new_v4();
        self.client.create_pipeline(id, &CreatePipeline::of_statements(vec![vec![command.clone()]]))?;
        let first = self.client.take_output(Some(id), Stream::Main, usize::MAX).unwrap_or_default();
        let line = CommandLine {
            command: String::new(),
            arguments: vec![STANDARD.encode(first)],
            command_id: Some(CommandId::new(id)),
        };
        let request = self.request(Action::Command, RequestBody::Command(line));
        let ResponseBody::Command { command_id } = self.ask(&request)? else {
            return Err("the command did not start".into());
        };
        let started = Instant::now();
        let brought = self.output(id, command_id, pause)?;
        let done = Instant::now();
        let body = RequestBody::Signal { command_id: Some(command_id), signal: SignalCode::Terminate };
        self.ask(&self.request(Action::Signal, body))?;
        self.client.forget(id);
        let took = Took {
            command: started.duration_since(begun),
            receive: done.duration_since(started),
            signal: done.elapsed(),
        };
        Ok((took, brought))
    }

    fn output(&mut self, id: Uuid, command: CommandId, pause: Duration) -> Outcome<Brought> {
        let (mut brought, mut state) = (Brought::default(), None);
        loop {
            let answer = self.receive(Some(command))?;
            for chunk in answer.streams {
                self.client.receive(Some(id), &chunk.data)?;
            }
            brought.envelopes = brought.envelopes.saturating_add(1);
            while let Some(event) = self.client.next_event() {
                if let ClientEvent::Record { body, .. } = &event {
                    brought.objects = brought.objects.saturating_add(1);
                    brought.bytes = brought.bytes.saturating_add(body.as_bytes().len());
                }
                if let ClientEvent::State { stated, .. } = event
                    && stated.state.is_final()
                {
                    state = Some(stated.state);
                }
            }
            if matches!(answer.state, Some(CommandState::Done { .. })) {
                break;
            }
            thread::sleep(pause);
        }
        if state == Some(PipelineState::Completed) { Ok(brought) } else { Err(format!("it ended {state:?}").into()) }
    }

    /// What comes next, however long it takes.
    fn receive(&mut self, command_id: Option<CommandId>) -> Outcome<ReceiveResponse> {
        let body = RequestBody::Receive { command_id, streams: vec!["stdout".to_owned()] };
        let answer = self.ask(&self.request(Action::Receive, body))?;
        let ResponseBody::Receive(answer) = answer else { return Err("the answer fits no Receive".into()) };
        Ok(answer)
    }

    fn request(&self, action: Action, body: RequestBody) -> Request {
        let header = RequestHeader {
            message_id: Some(MessageId::new(Uuid::new_v4())),
            action,
            resource: Resource::PowerShell("Microsoft.PowerShell".to_owned()),
            to: self.to.clone(),
            operation_timeout: Some(Duration::from_secs(20)),
            max_envelope_size: ENVELOPE,
            shell: Some(self.shell),
            options: Vec::new(),
            session_id: Some(self.session),
        };
        Request { header, body }
    }

    fn ask(&mut self, request: &Request) -> Outcome<ResponseBody> {
        let Answer { status, body, .. } = self.connection.exchange(request)?;
        if body.is_empty() {
            return Err(format!("status {status} without a body").into());
        }
        decode_response(&body)?.outcome.map_err(|fault| format!("{fault:?}").into())
    }

    pub(crate) fn close(mut self) -> Outcome<()> {
        self.ask(&self.request(Action::Delete, RequestBody::Delete)).map(drop)
    }
}

/// A command with named arguments.
pub(crate) fn command(name: &str, arguments: Vec<(&str, Value)>) -> Command {
    let named = |(name, value): (&str, Value)| Argument { name: Some(name.to_owned()), value };
    Command::new(name, arguments.into_iter().map(named).collect())
}

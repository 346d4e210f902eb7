//! A login, a shell, and commands in it, as a stock client does them.

use crate::Outcome;
use crate::http::{Answer, Http, Road};
use crate::plan::{Login, Route};
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::http_auth::{ClientLogin, LoginStep, Scheme};
use sekisho_protocol::sealing::{MessageSeal, open_body, seal_body};
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::winrs::client::{ClientEvent, ClientSettings, ShellClient};
use sekisho_protocol::winrs::{CommandOptions, CommandShell, ConsoleInput, Profile, ShellOptions};
use sekisho_protocol::wsman::{
    CommandId, CommandLine, CreateShell, Request, SignalCode, decode_response, encode_request,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

const SOAP: &str = "application/soap+xml;charset=UTF-8";
const ENVELOPE: usize = 153_600;

/// A connection that is logged in.
pub(crate) struct LoggedIn {
    http: Http,
    /// Without TLS, bodies are sealed.
    seal: Option<Box<dyn MessageSeal>>,
}

/// A shell on it.
pub(crate) struct Shell {
    connection: LoggedIn,
    client: ShellClient,
}

/// How long the parts of one command took.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) command: Duration,
    pub(crate) receive: Duration,
    pub(crate) signal: Duration,
}

impl Took {
    pub(crate) fn whole(self) -> Duration {
        self.command.saturating_add(self.receive).saturating_add(self.signal)
    }
}

pub(crate) fn log_in(road: &Road, route: &Route) -> Outcome<LoggedIn> {
    let mut http = road.connect(route)?;
    let credential = DelegatedCredential {
        domain: route.domain.clone(),
        user: route.user.clone(),
        password: SecretText::new(route.password.clone()),
    };
    let scheme = match route.login {
        Login::Credssp => Scheme::CredSsp,
        Login::Negotiate => Scheme::Negotiate,
    };
    let mut login = ClientLogin::new(scheme, &credential, "HTTP/127.0.0.1", http.binding.take())?;
    let mut authorization = login.start()?;
    loop {
        let answer = http.post(("Authorization", &authorization), &[])?;
        let challenges: Vec<&str> = answer.challenges.iter().map(String::as_str).collect();
        match login.step(answer.status, &challenges)? {
            LoginStep::Send { authorization: next } => authorization = next,
            LoginStep::Done(seal) => return Ok(LoggedIn { http, seal: route.ca.is_none().then_some(seal) }),
        }
    }
}

impl LoggedIn {
    pub(crate) fn exchange(&mut self, request: &Request) -> Outcome<Answer> {
        let xml = encode_request(request)?.into_bytes();
        let Some(seal) = &mut self.seal else { return self.http.post(("Content-Type", SOAP), &xml) };
        let sealed = seal_body(seal.as_mut(), &xml)?;
        let answer = self.http.post(("Content-Type", &sealed.content_type), &sealed.bytes)?;
        if answer.body.is_empty() {
            return Ok(answer);
        }
        let body = open_body(seal.as_mut(), &answer.content_type, &answer.body)?.to_vec();
        Ok(Answer { body, ..answer })
    }

    pub(crate) fn open(self, route: &Route) -> Outcome<Shell> {
        let settings = ClientSettings {
            to: format!("http://127.0.0.1:{}{}", route.port, route.path),
            max_envelope_size: ENVELOPE,
            operation_timeout: Duration::from_secs(20),
            session_id: Some(Uuid::new_v4()),
        };
        let mut shell = Shell { connection: self, client: ShellClient::new(settings) };
        let wanted = CreateShell {
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..CreateShell::default()
        };
        let options = ShellOptions { profile: Profile::Skip, code_page: Some(65001) };
        let request = shell.client.create(Uuid::new_v4(), wanted, options)?;
        shell.ask(&request)?;
        Ok(shell)
    }
}

impl Shell {
    fn ask(&mut self, request: &Request) -> Outcome<Vec<ClientEvent>> {
        let answer = self.connection.exchange(request)?;
        let id = request.header.message_id.as_ref().ok_or("no message id")?;
        if answer.body.is_empty() {
            return Err(format!("status {} without a body", answer.status).into());
        }
        let events = self.client.accept(id, decode_response(&answer.body)?)?;
        match events.iter().find(|event| matches!(event, ClientEvent::Fault { .. })) {
            Some(fault) => Err(format!("{fault:?}").into()),
            None => Ok(events),
        }
    }

    /// Runs a program to its end and signals that, as pypsrp does.
    pub(crate) fn run(&mut self, program: &str) -> Outcome<Took> {
        let begun = Instant::now();
        let id = self.start(program)?;
        let started = Instant::now();
        self.output(id)?;
        let done = Instant::now();
        let request = self.client.signal(Uuid::new_v4(), id, SignalCode::Terminate)?;
        self.ask(&request)?;
        Ok(Took {
            command: started.duration_since(begun),
            receive: done.duration_since(started),
            signal: done.elapsed(),
        })
    }

    fn start(&mut self, program: &str) -> Outcome<CommandId> {
        let line = CommandLine { command: program.to_owned(), arguments: Vec::new(), command_id: None };
        let options = CommandOptions { input: ConsoleInput::Console, shell: CommandShell::Through };
        let request = self.client.command(Uuid::new_v4(), line, options)?;
        match self.ask(&request)?.first() {
            Some(ClientEvent::Started(id)) => Ok(*id),
            _ => Err("the command did not start".into()),
        }
    }

    fn output(&mut self, id: CommandId) -> Outcome<()> {
        let mut bytes = 0_usize;
        loop {
            let request = self.client.receive(Uuid::new_v4(), id)?;
            for event in self.ask(&request)? {
                match event {
                    ClientEvent::Output { data, .. } => bytes = bytes.saturating_add(data.len()),
                    ClientEvent::Done { exit_code: 0, .. } if bytes > 0 => return Ok(()),
                    ClientEvent::Done { exit_code, .. } => {
                        return Err(format!("exit code {exit_code} and {bytes} bytes of output").into());
                    }
                    ClientEvent::StillRunning(_) => {}
                    ClientEvent::Created(_)
                    | ClientEvent::Started(_)
                    | ClientEvent::InputTaken(_)
                    | ClientEvent::Signalled(_)
                    | ClientEvent::Deleted
                    | ClientEvent::Fault { .. } => return Err("the answer fits no Receive".into()),
                }
            }
        }
    }

    pub(crate) fn close(mut self) -> Outcome<()> {
        let request = self.client.delete(Uuid::new_v4())?;
        self.ask(&request).map(drop)
    }
}

//! The library: logins, jobs, refusals, and gateways that misbehave.

use crate::fake::{self, CERTIFICATE, FakeGateway, certificate, gateway, logged_in, logged_in_with, options};
use sekisho_agent::error::{CertificateFault, GatewayFault};
use sekisho_agent::exec::write_error;
use sekisho_agent::{
    AgentError, Client, ExecOptions, ExitStatus, Format, GatewayUrl, Sinks, Trust, credential, exec, print_targets,
};
use sekisho_protocol::job::{
    JobEvent, JobRequest, OutputData, OutputStream, Problem, ProblemBody, ProblemClass, Summary, TargetEntry,
    TargetList, TargetSelection,
};
use sekisho_protocol::secret::SecretText;
use sha2::{Digest as _, Sha256};
use std::future::{pending, ready};
use std::io::{self, Write};
use std::time::Duration;
use tokio::sync::oneshot;

fn request() -> JobRequest {
    let targets = TargetSelection::Names(vec!["web01".into(), "web02".into()]);
    JobRequest::new("hostname".into(), vec!["-x".into()], targets)
}

fn accepted() -> JobEvent {
    JobEvent::accepted(1, "job-7".into(), vec!["web01".into(), "web02".into()])
}

fn started(target: &str) -> JobEvent {
    JobEvent::Started { target: target.into() }
}

fn output(target: &str, bytes: &[u8]) -> JobEvent {
    JobEvent::Output { target: target.into(), stream: OutputStream::Stdout, data: OutputData::of(bytes) }
}

fn finished(target: &str) -> JobEvent {
    JobEvent::Finished { target: target.into(), exit_code: 0, state: None, duration_ms: 3 }
}

fn done(summary: Summary) -> JobEvent {
    JobEvent::Done { summary }
}

/// What one run wrote and how it ended.
struct Outcome {
    status: Result<ExitStatus, AgentError>,
    out: String,
    err: String,
}

async fn run(client: &mut Client, format: Format, interrupt: impl Future<Output = ()> + Send) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let options = ExecOptions { format, ..ExecOptions::default() };
    let sinks = Sinks { out: &mut out, err: &mut err };
    let status = exec(client, &request(), options, sinks, interrupt).await;
    Outcome { status, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

async fn all_ok(mut gateway: FakeGateway) {
    assert_eq!(gateway.read_job().await, request());
    gateway.write_first(&[accepted(), started("web01"), started("web02")]).await;
    gateway.write_group(&[output("web02", b"up\r\n"), JobEvent::Heartbeat {}]).await;
    gateway.write_group(&[output("web01", b"up\r\n"), finished("web01"), finished("web02")]).await;
    gateway.write_group(&[done(Summary { succeeded: 2, ..Summary::default() })]).await;
    gateway.write_end().await;
}

#[tokio::test]
async fn a_job_over_one_login() {
    let (port, served) = gateway(all_ok).await;
    let outcome = run(&mut logged_in(port).await, Format::Table, pending()).await;
    assert_eq!(outcome.status.unwrap(), ExitStatus::AllOk);
    assert_eq!(outcome.out, "web01, web02 (exit 0)\n  up\n\n2 targets: 2 ok\n");
    assert_eq!(outcome.err, "");
    served.await.unwrap();
}

#[tokio::test]
async fn lines_come_as_they_are_without_heartbeats() {
    let (port, _served) = gateway(all_ok).await;
    let outcome = run(&mut logged_in(port).await, Format::Jsonl, pending()).await;
    let events: Vec<JobEvent> = outcome.out.lines().map(|line| JobEvent::decode(line.as_bytes()).unwrap()).collect();
    assert_eq!(events.len(), 8);
    assert!(!events.contains(&JobEvent::Heartbeat {}));
    assert!(matches!(events.last(), Some(JobEvent::Done { .. })));
}

#[tokio::test]
async fn the_same_connection_carries_a_list_and_a_second_job() {
    let (port, served) = gateway(|mut gateway| async move {
        gateway.log_in().await.unwrap();
        let (path, json) = gateway.read_sealed().await;
        assert_eq!((path.as_str(), json.as_slice()), ("/api/v1/targets", &b"{}"[..]));
        let entry = TargetEntry { name: "web01".into(), groups: vec![], tags: vec![], roles: vec!["ops".into()] };
        gateway.write_sealed(200, "", &TargetList::new(vec![entry]).encode().unwrap()).await;
        for _ in 0..2 {
            gateway.read_sealed().await;
            gateway.write_first(&[accepted(), started("web01"), finished("web01")]).await;
            gateway.write_group(&[started("web02"), finished("web02")]).await;
            gateway.write_group(&[done(Summary { succeeded: 2, ..Summary::default() })]).await;
            gateway.write_end().await;
        }
    })
    .await;
    let mut client = logged_in(port).await;
    let mut out = Vec::new();
    print_targets(&mut client, Format::Table, &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains("web01"));
    for _ in 0..2 {
        assert_eq!(run(&mut client, Format::Json, pending()).await.status.unwrap(), ExitStatus::AllOk);
    }
    served.await.unwrap();
}

#[tokio::test]
async fn the_delegated_credential_arrives_as_it_is() {
    let (port, served) = gateway(|mut gateway| async move { gateway.log_in().await }).await;
    drop(logged_in(port).await);
    let login = served.await.unwrap().unwrap();
    assert_eq!(login.delegated.user, "alice");
    assert!(login.delegated.password.with(|password| password == fake::PASSWORD));
}

#[tokio::test]
async fn a_wrong_password_is_a_failed_login() {
    let (port, _served) = gateway(|mut gateway| async move {
        let login = gateway.log_in().await;
        assert!(login.is_none());
        gateway.closed().await
    })
    .await;
    let wrong = credential("alice", SecretText::new("wrong".to_owned()));
    let error = Client::connect(&options(port, Trust::from_pem(CERTIFICATE).unwrap()), wrong).await.unwrap_err();
    assert!(matches!(error, AgentError::LoginRefused), "{error}");
    assert_eq!(error.exit_status(), ExitStatus::LoginFailed);
}

#[tokio::test]
async fn a_busy_gateway_is_no_failed_login() {
    let (port, _served) = gateway(|mut gateway| async move {
        gateway.read().await;
        gateway.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n").await;
        gateway.closed().await
    })
    .await;
    let good = credential("alice", SecretText::new(fake::PASSWORD.to_owned()));
    let error = Client::connect(&options(port, Trust::from_pem(CERTIFICATE).unwrap()), good).await.unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::TryLater);
    assert!(matches!(error, AgentError::Refused(refusal) if refusal.retry_after_seconds == Some(9)));
}

#[tokio::test]
async fn the_pinned_certificate_and_no_other_is_accepted() {
    let pin: [u8; 32] = Sha256::digest(certificate()).into();
    let (port, _served) = gateway(all_ok).await;
    let mut client = logged_in_with(&options(port, Trust::Pin(pin))).await;
    assert_eq!(run(&mut client, Format::Table, pending()).await.status.unwrap(), ExitStatus::AllOk);

    let (port, _served) = gateway(|mut gateway| async move { gateway.closed().await }).await;
    let other = options(port, Trust::Pin([0; 32]));
    let error = Client::connect(&other, credential("alice", SecretText::new("x".into()))).await.unwrap_err();
    assert!(matches!(error, AgentError::Certificate(CertificateFault::PinMismatch)), "{error}");
    assert_eq!(error.exit_status(), ExitStatus::Unreachable);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_before_the_login() {
    let (port, _served) = gateway(|mut gateway| async move { gateway.closed().await }).await;
    let mut by_address = options(port, Trust::from_pem(CERTIFICATE).unwrap());
    by_address.gateway = GatewayUrl::parse(&format!("https://127.0.0.1:{port}")).unwrap();
    let error = Client::connect(&by_address, credential("alice", SecretText::new("x".into()))).await.unwrap_err();
    assert!(matches!(error, AgentError::Certificate(CertificateFault::WrongName)), "{error}");
}

#[tokio::test]
async fn an_unknown_issuer_is_refused_before_the_login() {
    let (port, _served) = gateway(|mut gateway| async move { gateway.closed().await }).await;
    let error = Client::connect(&options(port, other_ca()), credential("alice", SecretText::new("x".into()))).await;
    let error = error.unwrap_err();
    assert!(matches!(error, AgentError::Certificate(CertificateFault::UnknownIssuer)), "{error}");
}

/// A CA that has nothing to do with the gateway.
fn other_ca() -> Trust {
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertificateParams::new(vec!["other.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    Trust::Ca(vec![ca.der().clone()])
}

/// Where results are written, and a signal when a certain text has been.
struct Watched {
    bytes: Vec<u8>,
    text: &'static str,
    seen: Option<oneshot::Sender<()>>,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if String::from_utf8_lossy(&self.bytes).contains(self.text)
            && let Some(seen) = self.seen.take()
        {
            seen.send(()).unwrap();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn ctrl_c_keeps_the_results_and_closes_the_connection() {
    let (port, served) = gateway(|mut gateway| async move {
        gateway.read_job().await;
        gateway.write_first(&[accepted(), started("web01"), output("web01", b"up"), finished("web01")]).await;
        gateway.write_group(&[started("web02")]).await;
        gateway.closed().await
    })
    .await;
    let (seen, stop) = oneshot::channel();
    let mut out = Watched { bytes: Vec::new(), text: r#""started","target":"web02"}"#, seen: Some(seen) };
    let mut err = Vec::new();
    let mut client = logged_in(port).await;
    let options = ExecOptions { format: Format::Jsonl, ..ExecOptions::default() };
    let sinks = Sinks { out: &mut out, err: &mut err };
    let interrupt = async { stop.await.unwrap() };
    let status = exec(&mut client, &request(), options, sinks, interrupt).await;
    assert_eq!(status.unwrap(), ExitStatus::Interrupted);
    assert!(served.await.unwrap(), "the gateway sees the connection closed, with the client still alive");
    let out = String::from_utf8(out.bytes).unwrap();
    let mut last = out.lines().rev();
    assert!(matches!(
        JobEvent::decode(last.next().unwrap().as_bytes()),
        Ok(JobEvent::Done { summary: Summary { succeeded: 1, cancelled: 1, .. } })
    ));
    assert_eq!(last.next().unwrap(), r#"{"event":"cancelled","target":"web02","effect":"unknown"}"#);
    assert!(String::from_utf8(err).unwrap().contains("job-7"));
    drop(client);
}

#[tokio::test]
async fn ctrl_c_before_the_first_line_says_that_it_may_have_begun() {
    let (port, _served) = gateway(|mut gateway| async move {
        gateway.log_in().await;
        gateway.closed().await
    })
    .await;
    let outcome = run(&mut logged_in(port).await, Format::Table, ready(())).await;
    assert_eq!(outcome.status.unwrap(), ExitStatus::Interrupted);
    assert!(outcome.err.starts_with("interrupted before"), "{}", outcome.err);
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_given_up() {
    let (port, _served) = gateway(|mut gateway| async move {
        gateway.read_job().await;
        gateway.write_first(&[accepted(), started("web01")]).await;
        gateway.closed().await
    })
    .await;
    let mut options = options(port, Trust::from_pem(CERTIFICATE).unwrap());
    options.timeouts.idle = Duration::from_millis(200);
    let outcome = run(&mut logged_in_with(&options).await, Format::Table, pending()).await;
    assert_eq!(outcome.status.unwrap(), ExitStatus::Lost);
    assert!(outcome.out.contains("(failed: lost; it may have run: outcome unknown)"), "{}", outcome.out);
    assert!(outcome.err.contains("not been heard of"), "{}", outcome.err);
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_id_and_time() {
    for (class, status) in [
        (ProblemClass::InvalidRequest, ExitStatus::Usage),
        (ProblemClass::Denied, ExitStatus::Denied),
        (ProblemClass::Limited, ExitStatus::TryLater),
        (ProblemClass::Unavailable, ExitStatus::TryLater),
    ] {
        let (port, _served) = gateway(move |mut gateway| async move {
            gateway.read_job().await;
            let error = ProblemBody {
                class,
                message: "not\u{1b} now".into(),
                correlation_id: "c9".into(),
                retry_after_seconds: None,
            };
            gateway.write_sealed(class.status(), "Retry-After: 7\r\n", &Problem { error }.encode().unwrap()).await;
            gateway.closed().await
        })
        .await;
        let error = run(&mut logged_in(port).await, Format::Table, pending()).await.status.unwrap_err();
        assert_eq!(error.exit_status(), status);
        let mut err = Vec::new();
        write_error(&mut err, &error).unwrap();
        let err = String::from_utf8(err).unwrap();
        assert!(
            err.contains("the gateway says: not\\u{1b} now\n") && err.contains("c9") && err.contains("7 s"),
            "{err}"
        );
    }
}

#[tokio::test]
async fn what_is_not_sealed_is_not_believed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    ] {
        let (port, _served) = gateway(move |mut gateway| async move {
            gateway.read_job().await;
            gateway.write(answer.as_bytes()).await;
            gateway.closed().await
        })
        .await;
        let error = run(&mut logged_in(port).await, Format::Table, pending()).await.status.unwrap_err();
        assert!(matches!(error, AgentError::Misbehaved(GatewayFault::Seal)), "{answer}: {error}");
        assert_eq!(error.exit_status(), ExitStatus::Lost);
    }
}

#[tokio::test]
async fn a_gateway_that_breaks_the_order_is_given_up_with_what_is_known() {
    for (bad, fault) in [
        (finished("web01"), "already has its outcome"),
        (started("web09"), "not part of the job"),
        (done(Summary { succeeded: 2, ..Summary::default() }), "summary does not agree"),
        (accepted(), "out of order"),
    ] {
        let (port, _served) = gateway(|mut gateway| async move {
            gateway.read_job().await;
            gateway.write_first(&[accepted(), started("web01"), finished("web01")]).await;
            gateway.write_group(&[bad]).await;
            gateway.closed().await
        })
        .await;
        let outcome = run(&mut logged_in(port).await, Format::Table, pending()).await;
        assert_eq!(outcome.status.unwrap(), ExitStatus::Lost);
        assert!(outcome.err.contains(fault), "{}", outcome.err);
        assert!(outcome.out.contains("web01 (exit 0)"), "{}", outcome.out);
    }
}

#[tokio::test]
async fn other_targets_than_those_asked_for_are_refused() {
    let (port, _served) = gateway(|mut gateway| async move {
        gateway.read_job().await;
        gateway.write_first(&[JobEvent::accepted(1, "j".into(), vec!["web01".into()])]).await;
        gateway.closed().await
    })
    .await;
    let error = run(&mut logged_in(port).await, Format::Table, pending()).await.status.unwrap_err();
    assert!(matches!(error, AgentError::Misbehaved(GatewayFault::OtherTargets)), "{error}");
}

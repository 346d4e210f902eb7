//! Jobs from end to end: the agent's library, a gateway, and targets, all in this process.

use crate::audit::verify;
use crate::credentials::Hold;
use crate::demo::folder::Folder;
use crate::demo::site::{Pace, Site, TARGETS, USER};
use crate::identity::PrincipalName;
use crate::recording::{Anchors, Entry, Proof, file_of};
use crate::state::Gateway;
use sekisho_agent::client::{Timeouts, Trust};
use sekisho_agent::error::Refusal;
use sekisho_agent::results::{JobResults, Keep, Outcome};
use sekisho_agent::{AgentError, Client, ClientOptions, GatewayUrl, JobStream, credential};
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::job::{Effect, FailureClass, JobEvent, JobRequest, ProblemClass, TargetSelection};
use sekisho_protocol::secret::SecretText;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Programs that the demo's own policy does not name.
const MORE: &str = r"
[[roles.looker.programs]]
name = 'sleep'
path = 'C:\Demo\sleep.exe'

[[roles.looker.programs]]
name = 'much'
path = 'C:\Demo\much.exe'

";
/// Commands of PowerShell's, on some targets.
const POWERSHELL: &str = r#"
[roles.shell]
cmdlets = [
    "Get-Service",
    "Select-Object",
    "Start-Sleep",
    "Write-Output",
    "Write-Warning",
    "Write-Host",
    "Write-Error",
    "Write-Progress",
    "Read-Host",
    "Get-Endless",
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["W32Time"] }] },
]

[[assignments]]
principals = ['GATEWAY\operators']
targets = ['web*']
roles = ['shell']

[catalog]
mode = "extend"

[[catalog.commands]]
name = "Get-Endless"
module = "Demo"
"#;
/// Other names of the first target, all of them with its accounts.
const ALIASES: usize = 12;
/// The first target once more, as if it allowed one shell and one connection.
const FEW: &str = "web-few";
/// Longer than anything here takes on a busy machine, and shorter than `sleep` runs on its own.
pub(super) const SOON: Duration = Duration::from_secs(12);

pub(super) struct Lab {
    _folder: Folder,
    _gone: Socket,
    pub(super) site: Site,
}

impl Lab {
    pub(super) async fn new() -> Self {
        Self::with("").await
    }

    pub(super) async fn with(more: &str) -> Self {
        let folder = Folder::new().unwrap();
        let policy = include_str!("../policy.toml").replacen("[roles.disks]", &format!("{MORE}[roles.disks]"), 1);
        let policy = format!("{policy}\n{POWERSHELL}");
        // Bound and kept, so that nobody else is given it, and nobody listens there.
        let gone = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        gone.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let closed = gone.local_addr().unwrap().as_socket().unwrap().port();
        let config = |targets: &[crate::demo::targets::Running]| {
            let mut text = more.to_owned();
            let mut target = |name: &str, port: u16| {
                let tag = if name.starts_with("web") { "web" } else { "other" };
                write!(
                    text,
                    "\n[targets.{name}]\naddress = \"127.0.0.1\"\nport = {port}\nserver_name = \"web01\"\n\
                     spn = \"HTTP/web01\"\nca = \"tls/targets-ca.pem\"\naccount_domain = \"web01\"\n\
                     tags = [\"{tag}\"]\n"
                )
                .unwrap();
            };
            target("web-gone", closed);
            target("secret01", targets[0].address.port());
            (0..ALIASES).for_each(|index| target(&alias(index), targets[0].address.port()));
            target(FEW, targets[0].address.port());
            text.push_str("quotas = { shells_per_account = 1, accounts = 1, connections = 1 }\n");
            text
        };
        let site = Site::start_with(&folder, Pace::Usual, &policy, &config).await.unwrap();
        Self { _folder: folder, _gone: gone, site }
    }

    fn gateway(&self) -> &Arc<Gateway> {
        &self.site.parts().0.unwrap().gateway
    }

    pub(super) async fn client(&self) -> Client {
        let gateway = GatewayUrl::parse(&format!("https://{}", self.site.gateway)).unwrap();
        let trust = Trust::from_pem(&std::fs::read(self.site.ca()).unwrap()).unwrap();
        let options = ClientOptions { gateway, trust, timeouts: Timeouts::default() };
        let password = SecretText::new(self.site.password.with(str::to_owned));
        Client::connect(&options, credential(USER, password)).await.unwrap()
    }

    /// Runs a job to its end, checking every line by the agent's rules.
    pub(super) async fn ran(&self, request: &JobRequest) -> JobResults {
        collect(&mut self.client().await, request).await
    }

    pub(super) fn shells(&self) -> usize {
        self.site.parts().1.iter().map(crate::demo::targets::Running::shells).sum()
    }

    /// Waits until nothing of any job is left, here or at the targets.
    pub(super) async fn quiet(&self) {
        let began = Instant::now();
        while 0 < self.gateway().jobs.running() || 0 < self.shells() {
            assert!(began.elapsed() < SOON, "{} shells are left", self.shells());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let places = self.gateway().sessions.places();
        assert!(places.is_empty(), "{places:?}");
    }

    /// The lines of the log after the gateway's end.
    pub(super) async fn log(mut self) -> Log {
        self.site.stop_gateway().await;
        let key = crate::audit::parse_public_key(&self.site.installed.first_key).unwrap();
        let report = verify(&self.site.audit(), &key, &[]).unwrap();
        assert!(report.finding.is_none(), "{report:?}");
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(self.site.audit()).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            lines.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
        }
        self.site.stop().await;
        Log(lines)
    }
}

pub(super) struct Log(Vec<Value>);

impl Log {
    pub(super) fn of(&self, event: &str) -> Vec<&Value> {
        self.0.iter().filter(|line| line["event"] == event).collect()
    }
}

fn alias(index: usize) -> String {
    format!("web-m{index:02}")
}

fn request(targets: &[&str], program: &str) -> JobRequest {
    with_arguments(targets, program, &[])
}

fn with_arguments(targets: &[&str], program: &str, arguments: &[&str]) -> JobRequest {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    JobRequest::new(program.to_owned(), owned(arguments), TargetSelection::Names(owned(targets)))
}

pub(super) async fn collect(client: &mut Client, request: &JobRequest) -> JobResults {
    let mut results = JobResults::new(None, Keep::Output);
    let mut stream = client.submit(request).await.unwrap();
    while let Some(event) = stream.next().await.unwrap() {
        results.apply(&event).unwrap();
    }
    assert!(results.is_done());
    results
}

fn refusal(error: AgentError) -> Refusal {
    let AgentError::Refused(refusal) = error else { panic!("{error}") };
    refusal
}

pub(super) fn failure(results: &JobResults, index: usize) -> (FailureClass, Effect) {
    let outcome = results.targets()[index].outcome.as_ref();
    let Some(Outcome::Failed { class, effect, .. }) = outcome else { panic!("{outcome:?}") };
    (*class, *effect)
}

#[tokio::test]
async fn one_login_runs_a_program_on_all_targets_and_all_of_it_is_written() {
    let lab = Lab::new().await;
    let results = lab.ran(&request(&["web01", "WEB02", "db01"], "hostname")).await;
    let uname = rustix::system::uname();
    for target in results.targets() {
        assert_eq!(target.outcome, Some(Outcome::Finished { exit_code: 0, state: None }));
        assert_eq!(String::from_utf8_lossy(&target.stdout.bytes).trim_end(), uname.nodename().to_str().unwrap());
    }
    lab.quiet().await;
    let job = results.job().unwrap().to_owned();
    let log = lab.log().await;
    for event in ["command", "result"] {
        let lines = log.of(event);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line["session"] == job.as_str()));
    }
    assert!(log.of("result").iter().all(|line| line["outcome"] == "exit" && line["shell"]["target"].is_string()));
    let stages: Vec<_> = log.of("job").iter().map(|line| line["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["submitted", "finished"]);
    assert_eq!(log.of("job")[1]["succeeded"], 3);
}

#[tokio::test]
async fn a_job_is_recorded_with_the_target_of_each_line() {
    let lab = Lab::with("\n[recording]\nenabled = true\ntargets = ['web01', 'db01']\n").await;
    let results = lab.ran(&request(&["web01", "web02", "db01"], "hostname")).await;
    lab.quiet().await;
    let session = Uuid::try_parse(results.job().unwrap()).unwrap();
    let (audit, folder) = (lab.site.audit(), lab.site.audit().with_file_name("recordings"));
    let mut said = Vec::new();
    let anchor = Anchors::read(&audit, u64::MAX).unwrap().of(session);
    let proof = anchor.compare_file(&file_of(&folder, session), &mut |line| {
        let (by, text) = if let Entry::Asked(said) | Entry::Stdout(said) = &line.entry {
            (&said.by, said.text.trim_end())
        } else if let Entry::Ended(ended) = &line.entry {
            (&ended.by, ended.outcome.as_str())
        } else {
            return;
        };
        said.push((by.target.clone().unwrap(), text.to_owned()));
    });
    assert!(matches!(proof.unwrap(), Proof::Whole { complete: true, .. }));
    let uname = rustix::system::uname();
    let host = uname.nodename().to_str().unwrap().to_owned();
    for target in ["web01", "db01"] {
        let of: Vec<_> = said.iter().filter(|(whose, _)| whose == target).map(|(_, text)| text.as_str()).collect();
        assert_eq!(of, [r"'C:\Windows\System32\hostname.exe'", &host, "exit 0"]);
    }
    assert_eq!(said.len(), 6, "web02 is not recorded");
    let log = lab.log().await;
    assert_eq!(log.of("job")[1]["recording"]["complete"], true);
}

#[tokio::test]
async fn each_target_has_its_own_outcome() {
    let lab = Lab::new().await;
    let names = ["web01", "db01", "web-gone", "secret01", "nowhere"];
    let request = with_arguments(&names, "df", &["-h"]);
    let results = lab.ran(&request).await;
    assert_eq!(results.targets()[0].outcome, Some(Outcome::Finished { exit_code: 0, state: None }));
    assert!(matches!(results.targets()[1].outcome, Some(Outcome::Denied { .. })));
    assert_eq!(failure(&results, 2), (FailureClass::Unreachable, Effect::NothingRan));
    let texts = results.targets()[3..].iter().map(|target| match &target.outcome {
        Some(Outcome::Denied { message, rule: None }) => message.split(" (reference").next().unwrap(),
        other => panic!("{other:?}"),
    });
    let texts: Vec<_> = texts.collect();
    assert_eq!(texts[0], texts[1], "what is closed looks like what is not there");
    assert!(!results.targets()[2].started, "nothing is said to be sent that was not");
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!(log.of("denial").len(), 3);
    let unsent = log.of("result").into_iter().find(|line| line["target"] == "web-gone").unwrap();
    assert_eq!(unsent["outcome"], "not_sent");
}

#[tokio::test]
async fn a_group_means_its_members_that_are_open_and_the_list_shows_them() {
    let lab = Lab::new().await;
    let group = JobRequest::new("uname".to_owned(), vec![], TargetSelection::Group("ALL".to_owned()));
    let mut client = lab.client().await;
    let results = collect(&mut client, &group).await;
    let mut names: Vec<_> = results.targets().iter().map(|target| target.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["db01", "web01", "web02"]);
    assert_eq!(results.summary().succeeded, 3);
    let list = client.targets().await.unwrap();
    assert!(list.targets.iter().all(|target| target.name != "secret01"));
    let web = list.targets.iter().find(|target| target.name == "web01").unwrap();
    assert_eq!((web.groups.join(" "), web.roles.join(" ")), ("all web".to_owned(), "disks looker shell".to_owned()));
    assert_eq!(list.targets.len(), TARGETS.len() + ALIASES + 2);
    lab.log().await;
}

#[tokio::test]
async fn a_target_that_takes_too_long_is_told_to_stop() {
    let lab = Lab::new().await;
    let mut slow = request(&["web01", "web02"], "sleep");
    slow.timeout_seconds = Some(1);
    let began = Instant::now();
    let results = lab.ran(&slow).await;
    assert!(began.elapsed() < SOON);
    for index in 0..2 {
        assert_eq!(failure(&results, index), (FailureClass::Timeout, Effect::Unknown));
        assert!(results.targets()[index].started);
    }
    lab.quiet().await;
    let log = lab.log().await;
    assert!(log.of("result").iter().all(|line| line["outcome"] == "terminated" && line["by"] == "deadline"));
    assert_eq!(log.of("job")[1]["failed"], 2);
}

#[tokio::test]
async fn a_job_that_takes_too_long_as_a_whole_is_stopped() {
    let lab = Lab::with("[jobs]\ndeadline = \"2s\"\n").await;
    let mut slow = request(&["web01", "web02"], "sleep");
    slow.throttle = Some(1);
    let results = lab.ran(&slow).await;
    assert_eq!(failure(&results, 0), (FailureClass::Timeout, Effect::Unknown));
    assert_eq!(failure(&results, 1), (FailureClass::Timeout, Effect::NothingRan));
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!((log.of("command").len(), &log.of("result")[0]["by"]), (1, &"deadline".into()));
    assert_eq!(log.of("job")[1]["stage"], "cancelled");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_job() {
    let lab = Lab::new().await;
    let mut slow = request(&["web01", "web02", "db01"], "sleep");
    slow.throttle = Some(1);
    let mut client = lab.client().await;
    let mut stream = client.submit(&slow).await.unwrap();
    while !matches!(stream.next().await.unwrap().unwrap(), JobEvent::Started { .. }) {}
    drop(stream);
    client.close().await;
    drop(client);
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!(log.of("command").len(), 1, "what had not begun is not begun");
    assert_eq!(log.of("result").len(), 1);
    assert_eq!((&log.of("result")[0]["outcome"], &log.of("result")[0]["by"]), (&"terminated".into(), &"client".into()));
    let last = log.of("job")[1];
    assert_eq!((&last["stage"], &last["cancelled"]), (&"cancelled".into(), &3.into()));
}

#[tokio::test]
async fn the_end_of_the_gateway_ends_its_jobs_and_says_so() {
    let lab = Lab::new().await;
    let mut slow = request(&["web01", "web02"], "sleep");
    slow.throttle = Some(1);
    let mut client = lab.client().await;
    let mut stream = client.submit(&slow).await.unwrap();
    let mut results = JobResults::new(None, Keep::Output);
    while let Some(event) = stream.next().await.unwrap() {
        results.apply(&event).unwrap();
        if matches!(event, JobEvent::Started { .. }) {
            lab.gateway().stopping.cancel();
            lab.gateway().drained.cancel();
        }
    }
    assert!(results.is_done());
    assert_eq!(results.targets()[0].outcome, Some(Outcome::Cancelled { effect: Effect::Unknown }));
    assert_eq!(results.targets()[1].outcome, Some(Outcome::Cancelled { effect: Effect::NothingRan }));
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!(log.of("result")[0]["by"], "shutdown");
    assert_eq!(log.of("job")[1]["stage"], "cancelled");
}

fn delegate_another(lab: &Lab) -> Hold {
    let password = SecretText::new("another one".to_owned());
    let credential = DelegatedCredential { domain: String::new(), user: USER.to_owned(), password };
    lab.gateway().reach.credentials.keep(&PrincipalName::local(USER).unwrap(), credential).unwrap()
}

#[tokio::test]
async fn a_wrong_password_for_many_targets_is_tried_twice_and_no_more() {
    let lab = Lab::new().await;
    let mut client = lab.client().await;
    let _wrong = delegate_another(&lab);
    let names: Vec<String> = (0..ALIASES).map(alias).collect();
    let many = JobRequest::new("hostname".to_owned(), vec![], TargetSelection::Names(names));
    let results = collect(&mut client, &many).await;
    let classes: Vec<_> = (0..ALIASES).map(|index| failure(&results, index)).collect();
    let counted = |class| classes.iter().filter(|found| **found == (class, Effect::NothingRan)).count();
    assert_eq!((counted(FailureClass::LoginRefused), counted(FailureClass::NotTried)), (2, ALIASES - 2));
    lab.quiet().await;
    lab.log().await;
}

#[tokio::test]
async fn a_job_waits_for_its_rate_and_the_log_says_so_once() {
    let lab = Lab::with("[limits.rates.commands_per_principal]\nper_minute = 600\nburst = 2\n").await;
    let names: Vec<String> = (0..ALIASES).map(alias).collect();
    let many = JobRequest::new("hostname".to_owned(), vec![], TargetSelection::Names(names));
    let results = lab.ran(&many).await;
    assert_eq!(results.summary().succeeded, 12);
    lab.quiet().await;
    assert_eq!(lab.log().await.of("limit").len(), 1);
}

#[tokio::test]
async fn a_wait_that_is_longer_than_a_target_may_take_is_a_limit_with_its_time() {
    let lab = Lab::with("[limits.rates.commands_per_principal]\nper_minute = 1\nburst = 1\n").await;
    let mut two = request(&["web01", "web02"], "hostname");
    two.timeout_seconds = Some(20);
    two.throttle = Some(1);
    let results = lab.ran(&two).await;
    assert_eq!(failure(&results, 1), (FailureClass::Limit, Effect::NothingRan));
    let Some(Outcome::Failed { retry_after_seconds: Some(seconds), .. }) = results.targets()[1].outcome else {
        panic!()
    };
    assert!((20..=61).contains(&seconds));
    lab.log().await;
}

#[tokio::test]
async fn shells_beyond_the_quota_wait_for_their_place() {
    let lab = Lab::with("[limits]\nshells_per_principal = 2\n").await;
    let names: Vec<String> = (0..ALIASES).map(alias).collect();
    let many = JobRequest::new("hostname".to_owned(), vec![], TargetSelection::Names(names));
    assert_eq!(lab.ran(&many).await.summary().succeeded, 12);
    lab.quiet().await;
    lab.log().await;
}

/// A job that runs on the target that allows one shell, until it is dropped.
async fn occupied(client: &mut Client) -> JobStream<'_> {
    let mut running = client.submit(&request(&[FEW], "sleep")).await.unwrap();
    while !matches!(running.next().await.unwrap().unwrap(), JobEvent::Started { .. }) {}
    running
}

#[tokio::test]
async fn what_the_target_itself_allows_is_waited_for() {
    let lab = Lab::new().await;
    let (mut one, mut other) = (lab.client().await, lab.client().await);
    let running = occupied(&mut one).await;
    let mut waiting = other.submit(&request(&[FEW, "web02"], "hostname")).await.unwrap();
    let mut results = JobResults::new(None, Keep::Output);
    while results.targets().get(1).is_none_or(|target| target.outcome.is_none()) {
        results.apply(&waiting.next().await.unwrap().unwrap()).unwrap();
    }
    assert!(!results.targets()[0].started, "nothing is begun that the target would refuse");
    drop(running);
    one.close().await;
    while let Some(event) = waiting.next().await.unwrap() {
        results.apply(&event).unwrap();
    }
    assert_eq!(results.summary().succeeded, 2);
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!((log.of("command").len(), log.of("result").len()), (3, 3));
}

#[tokio::test]
async fn a_target_that_is_full_for_too_long_is_a_limit_and_nothing_of_it_is_written_as_allowed() {
    let lab = Lab::new().await;
    let (mut one, mut other) = (lab.client().await, lab.client().await);
    let running = occupied(&mut one).await;
    let mut late = request(&[FEW], "hostname");
    late.timeout_seconds = Some(1);
    let results = collect(&mut other, &late).await;
    assert_eq!(failure(&results, 0), (FailureClass::Limit, Effect::NothingRan));
    drop(running);
    one.close().await;
    lab.quiet().await;
    assert_eq!(lab.log().await.of("command").len(), 1);
}

#[tokio::test]
async fn names_that_lead_nowhere_are_counted_as_commands_are() {
    let lab = Lab::with("[limits.rates.commands_per_principal]\nper_minute = 1\nburst = 3\n").await;
    let mut guesses = request(&["web01", "nowhere1", "nowhere2", "secret01", "nowhere3"], "hostname");
    guesses.timeout_seconds = Some(5);
    guesses.throttle = Some(1);
    let results = lab.ran(&guesses).await;
    assert!(matches!(results.targets()[2].outcome, Some(Outcome::Denied { .. })));
    for index in [3, 4] {
        assert_eq!(failure(&results, index), (FailureClass::Limit, Effect::NothingRan));
    }
    let log = lab.log().await;
    assert_eq!((log.of("denial").len(), log.of("limit").len()), (2, 1));
}

#[tokio::test]
async fn jobs_and_what_they_opened_are_in_the_gauges() {
    let lab = Lab::new().await;
    let mut client = lab.client().await;
    let mut running = client.submit(&request(&["web01", "web02"], "sleep")).await.unwrap();
    let mut started = 0;
    while started < 2 {
        started += usize::from(matches!(running.next().await.unwrap().unwrap(), JobEvent::Started { .. }));
    }
    let gauge = |kind: &str| {
        let text = crate::admin::metrics(lab.gateway());
        let start = format!("sekisho_now{{kind=\"{kind}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse::<usize>().unwrap()
    };
    // A line says that it is sent, just before it runs.
    let began = Instant::now();
    while gauge("commands") < 2 {
        assert!(began.elapsed() < SOON);
        tokio::task::yield_now().await;
    }
    assert_eq!((gauge("shells"), gauge("jobs")), (2, 1));
    drop(running);
    client.close().await;
    lab.quiet().await;
    assert_eq!((gauge("shells"), gauge("jobs"), gauge("commands")), (0, 0, 0));
    lab.log().await;
}

#[tokio::test]
async fn what_is_refused_as_a_whole_says_why() {
    let lab = Lab::with("[jobs]\njobs_per_principal = 1\ntargets = 3\n").await;
    let mut client = lab.client().await;
    for closed in ["nowhere", "secret01"] {
        for targets in [TargetSelection::Names(vec![closed.to_owned()]), TargetSelection::Group(closed.to_owned())] {
            let job = JobRequest::new("hostname".to_owned(), vec![], targets);
            let refused = refusal(client.submit(&job).await.unwrap_err());
            assert_eq!(refused.class, ProblemClass::Denied);
            let error = refused.problem.unwrap().error;
            assert!(error.message.starts_with("no such target, or it is not open to you"), "{}", error.message);
            assert_eq!(error.correlation_id.len(), 12);
        }
    }
    let many = request(&["web01", "web02", "db01", "web-gone"], "hostname");
    assert_eq!(refusal(client.submit(&many).await.unwrap_err()).class, ProblemClass::InvalidRequest);
    let quote = with_arguments(&["web01"], "hostname", &["a\" \"b"]);
    assert_eq!(refusal(client.submit(&quote).await.unwrap_err()).class, ProblemClass::InvalidRequest);

    let mut other = lab.client().await;
    let mut running = other.submit(&request(&["web01"], "sleep")).await.unwrap();
    running.next().await.unwrap();
    let refused = refusal(client.submit(&request(&["web02"], "hostname")).await.unwrap_err());
    assert_eq!((refused.class, refused.retry_after_seconds.is_some()), (ProblemClass::Limited, true));
    drop(running);
    other.close().await;
    lab.quiet().await;
    lab.gateway().stopping.cancel();
    let refused = refusal(client.submit(&request(&["web02"], "hostname")).await.unwrap_err());
    assert_eq!((refused.class, refused.retry_after_seconds.is_some()), (ProblemClass::Unavailable, true));
    let log = lab.log().await;
    assert_eq!((log.of("denial").len(), log.of("limit").len()), (4, 1));
}

#[tokio::test]
async fn a_client_that_reads_late_gets_every_byte() {
    let lab = Lab::with("[jobs]\nbuffer_bytes = \"4KiB\"\n").await;
    let mut client = lab.client().await;
    let mut stream = client.submit(&request(&["web01", "web02", "db01"], "much")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut results = JobResults::new(None, Keep::Output);
    while let Some(event) = stream.next().await.unwrap() {
        results.apply(&event).unwrap();
    }
    for target in results.targets() {
        assert_eq!(target.outcome, Some(Outcome::Finished { exit_code: 0, state: None }));
        assert_eq!(target.stdout.bytes.len(), 200_000);
    }
    lab.quiet().await;
    lab.log().await;
}

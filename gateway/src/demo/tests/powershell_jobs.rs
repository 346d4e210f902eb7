//! Commands and scripts of PowerShell's as jobs, from end to end: the agent's library, a gateway, and targets.

use super::jobs::{Lab, SOON, failure};
use sekisho_agent::objects::{Json, Nested, Read, read, text};
use sekisho_agent::results::{JobResults, KeptRecord, Outcome, TargetResult};
use sekisho_agent::run::{command, script_argument, work};
use sekisho_protocol::clixml::Value;
use sekisho_protocol::job::{
    Effect, FailureClass, JobEvent, JobRequest, PipelineEnd, RECORD_CHUNK, RecordStream, ScriptCall, TargetSelection,
    Work,
};
use serde_json::{Value as Parsed, json};
use std::time::{Duration, Instant};

fn on(targets: &[&str], work: Work) -> JobRequest {
    JobRequest::of(work, TargetSelection::Names(targets.iter().map(|&name| name.to_owned()).collect()))
}

fn words(words: &[&str]) -> Work {
    work(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).unwrap()
}

fn finished(exit_code: i64, state: PipelineEnd) -> Option<Outcome> {
    Some(Outcome::Finished { exit_code, state: Some(state) })
}

fn value(record: &KeptRecord) -> Value {
    match read(record) {
        Read::Value(value) => value,
        Read::Unreadable(clixml) => panic!("{clixml}"),
    }
}

fn of(target: &TargetResult, stream: RecordStream) -> Vec<Parsed> {
    let records = target.records.kept.iter().filter(|record| record.stream == stream);
    records.map(|record| serde_json::to_value(Json { value: &value(record), nested: Nested::Plain }).unwrap()).collect()
}

fn denied(results: &JobResults, index: usize) -> &str {
    match &results.targets()[index].outcome {
        Some(Outcome::Denied { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_command_runs_on_many_targets_as_it_was_judged_and_its_objects_come_back() {
    let lab = Lab::new().await;
    let request = on(&["web01", "web02"], words(&["Get-Service", "W32Time,Spooler"]));
    let results = lab.ran(&request).await;
    for target in results.targets() {
        assert_eq!(target.outcome, finished(0, PipelineEnd::Completed));
        let names: Vec<_> = of(target, RecordStream::Output).iter().map(|object| object["Name"].clone()).collect();
        assert_eq!(names, ["W32Time", "Spooler"].map(Parsed::from));
        assert_eq!(target.records.kept.len(), 2);
    }
    lab.quiet().await;
    let job = results.job().unwrap().to_owned();
    let log = lab.log().await;
    let commands = log.of("command");
    assert_eq!(commands.len(), 2);
    assert!(commands.iter().all(|line| line["session"] == job.as_str()));
    assert!(commands[0].to_string().contains("Get-Service"), "as it was sent: {}", commands[0]);
    let ends: Vec<_> = log.of("result").iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(ends, ["completed", "completed"]);
    assert!(log.of("result").iter().all(|line| line["shell"]["target"].is_string()));
}

#[tokio::test]
async fn a_text_is_judged_as_the_commands_that_it_holds() {
    let lab = Lab::new().await;
    let ran = async |text: &str| lab.ran(&on(&["web01"], words(&[text]))).await;
    let results = ran("Get-Service -Name W32Time | Select-Object Name, Status").await;
    let output = of(&results.targets()[0], RecordStream::Output);
    assert_eq!(output, [json!({"Name": "W32Time", "Status": output[0]["Status"]})]);
    assert!(denied(&ran("Get-Service; Remove-Item x").await, 0).len() > 10);
    assert!(denied(&ran("Restart-Service Spooler").await, 0).contains("W32Time only"));
    let elsewhere = lab.ran(&on(&["web01", "db01"], words(&["Write-Warning x"]))).await;
    assert!(!denied(&elsewhere, 1).is_empty(), "each target by its own roles");
    let text = "param($Name)\r\nGet-Service -Name $Name | Select-Object Name".to_owned();
    let arguments = vec![script_argument("Name=W32Time").unwrap()];
    let results = lab.ran(&on(&["web01"], Work::Script(ScriptCall { text, arguments }))).await;
    assert_eq!(of(&results.targets()[0], RecordStream::Output), [json!({"Name": "W32Time"})]);
}

#[tokio::test]
async fn streams_come_apart_and_an_error_is_a_failure_of_its_target() {
    let lab = Lab::new().await;
    let ran = async |line: &[&str]| lab.ran(&on(&["web01"], words(line))).await;

    let results = ran(&["Get-Service", "-Name", "W32Time,NoSuch"]).await;
    let target = &results.targets()[0];
    assert_eq!(target.outcome, finished(1, PipelineEnd::Completed));
    assert_eq!(of(target, RecordStream::Output).len(), 1, "what came before and after the error counts too");
    let errors = of(target, RecordStream::Error);
    assert!(errors[0]["FullyQualifiedErrorId"].as_str().unwrap().starts_with("NoServiceFound"), "{errors:?}");

    let results = ran(&["Get-Service", "-Name", "NoSuch", "-ErrorAction", "Stop"]).await;
    let target = &results.targets()[0];
    assert_eq!(target.outcome, finished(1, PipelineEnd::Failed));
    assert_eq!(of(target, RecordStream::Error).len(), 1, "the error by which it failed");

    let results = ran(&["Write-Warning", "slow"]).await;
    let target = &results.targets()[0];
    assert_eq!(target.outcome, finished(0, PipelineEnd::Completed));
    let streams: Vec<_> = target.records.kept.iter().map(|record| record.stream).collect();
    assert_eq!(streams, [RecordStream::Warning], "once, though the host is called as well");

    let results = ran(&["Write-Host", "by hand"]).await;
    assert_eq!(of(&results.targets()[0], RecordStream::Host), [Parsed::from("by hand\n")]);
    assert_eq!(of(&results.targets()[0], RecordStream::Information).len(), 1);
}

#[tokio::test]
async fn nobody_is_asked_and_no_target_waits_for_an_answer() {
    let lab = Lab::new().await;
    let results = lab.ran(&on(&["web01"], words(&["Read-Host", "-Prompt", "who"]))).await;
    let target = &results.targets()[0];
    assert!(matches!(target.outcome, Some(Outcome::Finished { exit_code: 1, .. })), "{:?}", target.outcome);
    assert_eq!(of(target, RecordStream::Error).len(), 1);
}

#[tokio::test]
async fn a_long_record_comes_in_parts_and_is_whole() {
    let lab = Lab::new().await;
    let long = "<".repeat(RECORD_CHUNK - 1000);
    let results = lab.ran(&on(&["web01"], words(&["Write-Output", "-InputObject", &long]))).await;
    let record = &results.targets()[0].records.kept[0];
    assert!(3 * RECORD_CHUNK < record.clixml.len());
    assert_eq!(text(&value(record)), long);
}

#[tokio::test]
async fn each_target_has_its_own_end_and_nothing_is_left_there() {
    let lab = Lab::new().await;
    let mut request = on(&["web-gone", "nowhere", "web01"], words(&["Start-Sleep", "-Seconds", "100"]));
    request.timeout_seconds = Some(1);
    let results = lab.ran(&request).await;
    assert_eq!(failure(&results, 0), (FailureClass::Unreachable, Effect::NothingRan));
    assert!(denied(&results, 1).len() > 10);
    assert_eq!(failure(&results, 2), (FailureClass::Timeout, Effect::Unknown));
    assert!(!results.targets()[0].started && results.targets()[2].started);
    lab.quiet().await;
    let log = lab.log().await;
    let end = |target: &str| log.of("result").into_iter().find(|line| line["target"] == target).unwrap().clone();
    assert_eq!(end("web-gone")["outcome"], "not_sent");
    assert_eq!((end("web01")["outcome"].clone(), end("web01")["by"].clone()), (json!("terminated"), json!("deadline")));
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_target_and_keeps_no_pool_beyond_its_time() {
    let lab = Lab::new().await;
    let mut client = lab.client().await;
    let mut request = on(&["web01"], words(&["Get-Endless"]));
    request.timeout_seconds = Some(2);
    let mut stream = client.submit(&request).await.unwrap();
    let began = Instant::now();
    let mut seen_open = false;
    while !seen_open || 0 < lab.shells() {
        seen_open |= 0 < lab.shells();
        assert!(began.elapsed() < SOON, "the pool is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut bytes, mut last) = (0, None);
    while let Some(event) = stream.next().await.unwrap() {
        if let JobEvent::Record { clixml, .. } = &event {
            bytes += clixml.0.len();
        }
        last = Some(event);
    }
    assert!(matches!(last, Some(JobEvent::Done { summary }) if summary.failed == 1), "{last:?}");
    // What the gateway, the connection and the agent hold; without a bound it would be all of two seconds' output.
    assert!(0 < bytes && bytes < 32 << 20, "{bytes}");
    lab.quiet().await;
}

#[tokio::test]
async fn a_client_that_goes_stops_what_runs() {
    let lab = Lab::new().await;
    let mut client = lab.client().await;
    {
        let request = on(&["web01", "web02"], words(&["Start-Sleep", "100"]));
        let mut stream = client.submit(&request).await.unwrap();
        let mut started = 0;
        while started < 2 {
            let event = stream.next().await.unwrap().unwrap();
            started += usize::from(matches!(event, JobEvent::Started { .. }));
        }
    }
    client.close().await;
    lab.quiet().await;
    let log = lab.log().await;
    assert_eq!(log.of("job")[1]["cancelled"], 2);
    assert!(log.of("result").iter().all(|line| line["outcome"] == "terminated" && line["by"] == "client"));
}

#[tokio::test]
async fn what_is_asked_first_is_answered_as_it_would_be_run() {
    use sekisho_protocol::job::{CapabilitiesRequest, Question, Verdict};
    let lab = Lab::new().await;
    let mut client = lab.client().await;
    let mut asked = async |question: Question| {
        let request = CapabilitiesRequest::ask("web01".to_owned(), question);
        client.capabilities(&request).await.unwrap().answer.unwrap()
    };
    let call = |line: &[&str]| command(&line.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).unwrap();
    let allowed = asked(Question::Command(call(&["Restart-Service", "W32Time"]))).await;
    let Verdict::Allow { canonical, .. } = allowed else { panic!("{allowed:?}") };
    assert!(canonical.contains("-Name:'W32Time'"), "{canonical}");
    let denied = asked(Question::Command(call(&["Restart-Service", "W32Time,Spooler"]))).await;
    assert!(matches!(denied, Verdict::Deny { .. }), "{denied:?}");
    let script = ScriptCall {
        text: "param($n) Restart-Service $n".to_owned(),
        arguments: vec![script_argument("n=W32Time").unwrap()],
    };
    assert!(matches!(asked(Question::Script(script)).await, Verdict::Allow { .. }));
}

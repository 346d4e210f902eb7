//! Jobs of PowerShell's, from their lines to what is written.

use super::*;
use crate::exec::Report as _;
use crate::results::tests::{accepted, denied, done, ended, record, started};
use crate::results::{Ending, JobResults, Keep};
use sekisho_protocol::job::{JobEvent, PipelineEnd, RecordStream};
use serde_json::{Value as Json, json};

const SERVICE: &str = r#"<Obj RefId="0"><TN RefId="0"><T>System.ServiceProcess.ServiceController</T><T>System.ComponentModel.Component</T><T>System.Object</T></TN><ToString>System.ServiceProcess.ServiceController</ToString><Props><B N="CanStop">true</B><S N="DisplayName">Print Spooler</S><S N="ServiceName">Spooler</S><Obj N="Status" RefId="1"><TN RefId="1"><T>System.ServiceProcess.ServiceControllerStatus</T><T>System.Enum</T><T>System.ValueType</T><T>System.Object</T></TN><ToString>Running</ToString><I32>4</I32></Obj><Obj N="DependentServices" RefId="2"><TN RefId="2"><T>System.ServiceProcess.ServiceController[]</T><T>System.Array</T><T>System.Object</T></TN><LST><S>Fax</S></LST></Obj></Props><MS><S N="Name">Spooler</S></MS></Obj>"#;
const ERROR: &str = r#"<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN><ToString>Cannot find any service</ToString><MS><Obj N="Exception" RefId="1"><Props><S N="Message">Cannot find any service_x000A_really</S></Props></Obj><S N="FullyQualifiedErrorId">NoServiceFoundForGivenName,Cmd</S><S N="ErrorCategory_Activity">Get-Service</S><S N="ErrorCategory_Message">ObjectNotFound: (x:String) [Get-Service], ServiceCommandException</S></MS></Obj>"#;
const WARNING: &str = r#"<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.WarningRecord</T></TN><ToString>slow</ToString><MS><S N="InformationalRecord_Message">slow_x001B_[2J</S></MS></Obj>"#;

/// What was written, and how it ends.
struct Written {
    out: String,
    err: String,
    status: ExitStatus,
}

fn written(options: RunOptions, events: &[JobEvent]) -> Written {
    let mut report = Objects::new(options);
    let mut results = JobResults::new(None, report.keep());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for event in events {
        results.apply(event).unwrap();
        let record = results.take_record();
        if report.keep() == Keep::Outcomes {
            report.live(Sinks { out: &mut out, err: &mut err }, event, record.as_ref()).unwrap();
        }
    }
    let early = (!results.is_done()).then_some(Ending::Lost);
    let rest = early.map_or_else(Vec::new, |ending| results.end(ending));
    report.finish(Sinks { out: &mut out, err: &mut err }, &results, early, &rest).unwrap();
    let status = report.status(results.exit_status());
    Written { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), status }
}

fn options(form: RunForm) -> RunOptions {
    RunOptions { form, ..RunOptions::default() }
}

fn selecting(form: RunForm, names: &[&str]) -> RunOptions {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    RunOptions { form, selection: Selection::new(&names), ..RunOptions::default() }
}

fn output(target: &str, clixml: &str) -> JobEvent {
    record(target, RecordStream::Output, clixml)
}

/// A job in which everything happens.
fn job() -> Vec<JobEvent> {
    let mut events = vec![
        accepted(&["web01", "web02", "db01"]),
        started("web02"),
        started("web01"),
        output("web02", SERVICE),
        record("web02", RecordStream::Error, ERROR),
        output("web01", SERVICE),
        record("web01", RecordStream::Warning, WARNING),
        record("web01", RecordStream::Host, "<S>by hand_x000A_</S>"),
        output("web01", "<S>text</S>"),
        ended("web01", 0, PipelineEnd::Completed),
        ended("web02", 1, PipelineEnd::Completed),
        denied("db01"),
    ];
    events.push(done(&events));
    events
}

#[test]
fn tables_for_people() {
    let Written { out, err, status } = written(RunOptions::default(), &job());
    assert_eq!(
        out,
        "Status  Name    DisplayName   Target\n\
         ------  ----    -----------   ------\n\
         Running Spooler Print Spooler web01\n\
         Running Spooler Print Spooler web02\n\
         \n\
         web01\n  by hand\n  text\n\
         \n\
         db01 (denied)\n  no rule allows it\n\
         \n\
         3 targets: 1 ok, 1 ended with an error, 1 denied\n"
    );
    assert_eq!(
        err,
        "WARNING: web01: slow\\u{1b}[2J\n\
         Get-Service : Cannot find any service\n  really\n    \
         + CategoryInfo          : ObjectNotFound: (x:String) [Get-Service], ServiceCommandException\n    \
         + FullyQualifiedErrorId : NoServiceFoundForGivenName,Cmd\n    \
         + Target                : web02\n"
    );
    assert_eq!(status, ExitStatus::SomeFailed);
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn one_document_with_properties_types_and_streams_apart() {
    let Written { out, err, .. } = written(options(RunForm::Json), &job());
    assert_eq!(err, "");
    let document = json(&out);
    assert_eq!((&document["version"], &document["ended"]), (&json!(2), &json!("done")));
    let web01 = &document["results"][0];
    assert_eq!((&web01["outcome"], &web01["state"]), (&json!("finished"), &json!("completed")));
    assert_eq!(
        web01["streams"]["output"],
        json!([
            {
                "types": ["System.ServiceProcess.ServiceController", "System.ComponentModel.Component", "System.Object"],
                "text": "System.ServiceProcess.ServiceController",
                "value": {
                    "CanStop": true, "DisplayName": "Print Spooler", "ServiceName": "Spooler", "Status": "Running",
                    "DependentServices": ["Fax"], "Name": "Spooler",
                },
            },
            {"types": ["System.String"], "value": "text"},
        ])
    );
    assert_eq!(web01["streams"]["warning"][0]["text"], "slow\u{1b}[2J");
    assert_eq!(web01["streams"]["host"][0]["value"], "by hand\n");
    assert_eq!(web01["streams"]["error"], json!([]));
    let error = &document["results"][1]["streams"]["error"][0];
    assert_eq!(error["text"], "Cannot find any service\nreally");
    assert_eq!(error["value"]["FullyQualifiedErrorId"], "NoServiceFoundForGivenName,Cmd");
    assert_eq!(document["results"][2]["outcome"], "denied");
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "nothing for the terminal");
}

#[test]
fn a_line_for_each_record_in_the_order_in_which_they_came() {
    let Written { out, .. } = written(options(RunForm::Jsonl), &job());
    let lines: Vec<Json> = out.lines().map(json).collect();
    assert_eq!(lines.len(), job().len());
    assert_eq!(lines[0]["event"], "accepted");
    assert_eq!(
        (&lines[3]["event"], &lines[3]["target"], &lines[3]["stream"], &lines[3]["value"]["Name"]),
        (&json!("record"), &json!("web02"), &json!("output"), &json!("Spooler"))
    );
    assert_eq!(lines[9]["state"], "completed");
    let cut = written(options(RunForm::Jsonl), &job()[..9]);
    let last: Vec<Json> = cut.out.lines().map(json).collect();
    assert_eq!(last[9]["event"], "failed", "what the gateway did not say any more");
    assert_eq!(last.last().unwrap()["event"], "done");
}

#[test]
fn raw_is_the_text_of_the_output_and_nothing_else() {
    let mut events = vec![accepted(&["a"]), started("a")];
    events.push(output("a", "<S>one_x001B__x000A_two</S>"));
    events.push(output("a", "<Obj RefId=\"0\"><LST><I32>1</I32><S></S></LST></Obj>"));
    events.push(record("a", RecordStream::Warning, WARNING));
    events.push(record("a", RecordStream::Host, "<S>host_x000A_</S>"));
    events.push(ended("a", 3, PipelineEnd::Completed));
    events.push(done(&events));
    let raw = written(options(RunForm::Raw(RawText::AsIs)), &events);
    assert_eq!(raw.out, "one\u{1b}\ntwo\n1\n\n");
    assert_eq!(raw.err, "WARNING: a: slow\\u{1b}[2J\na: host\na: exit code 3\n1 target: 1 ended with an error\n");
    let harmless = written(options(RunForm::Raw(RawText::Harmless)), &events);
    assert_eq!(harmless.out, "one\\u{1b}\ntwo\n1\n\n");
}

#[test]
fn raw_properties_stand_on_one_line() {
    let raw = written(selecting(RunForm::Raw(RawText::AsIs), &["name", "status"]), &job());
    assert_eq!(raw.out, "Spooler\tRunning\nSpooler\tRunning\ntext\n");
    let quiet = [accepted(&["a"]), started("a"), ended("a", 0, PipelineEnd::Completed)];
    let all = [&quiet[..], &[done(&quiet)]].concat();
    let raw = written(options(RunForm::Raw(RawText::AsIs)), &all);
    assert_eq!((raw.out.as_str(), raw.err.as_str()), ("", ""), "where all is well, nothing else is said");
}

#[test]
fn what_is_asked_for_is_shown_and_what_is_not_there_is_said_once() {
    let select = |form| written(selecting(form, &["name", "Nothing", "status"]), &job());
    let table = select(RunForm::Table);
    assert!(table.out.starts_with("name    Nothing status  Target\n"), "{}", table.out);
    assert!(table.out.contains("\nSpooler         Running web02\n"), "{}", table.out);
    assert_eq!(table.err.matches("WARNING: no object has the property Nothing\n").count(), 1);
    let document = select(RunForm::Json);
    let output = &json(&document.out)["results"][0]["streams"]["output"];
    assert_eq!(output[0]["value"], json!({"name": "Spooler", "Nothing": null, "status": "Running"}));
    assert_eq!(output[1]["value"], "text");
    assert_eq!(document.err, "WARNING: no object has the property Nothing\n");
    let none = [accepted(&["a"]), denied("a")];
    assert_eq!(written(selecting(RunForm::Table, &["x"]), &none).err, "", "no object, no property");
}

#[test]
fn a_record_that_is_none_is_said_and_counts() {
    let mut events = vec![accepted(&["a"]), started("a"), output("a", "<Obj>"), ended("a", 0, PipelineEnd::Completed)];
    events.push(done(&events));
    for (form, where_said) in [(RunForm::Table, true), (RunForm::Json, false), (RunForm::Jsonl, false)] {
        let Written { out, err, status } = written(options(form), &events);
        assert_eq!(status, ExitStatus::SomeFailed, "{form:?}");
        assert_eq!(err.contains("cannot be read"), where_said, "{form:?}: {err}");
        assert_eq!(out.contains(r#""value":null,"clixml":"<Obj>""#), !where_said, "{out}");
    }
}

#[test]
fn output_of_a_target_cannot_pass_for_something_else() {
    let text = "<S>x_x000A_db01 (denied)_x000A__x001B_]0;t_x0007_</S>";
    let object = r#"<Obj RefId="0"><MS><S N="A_x001B_[2J">v_x001B_[2J_x000A_Target</S></MS></Obj>"#;
    let mut events = vec![accepted(&["a"]), started("a"), output("a", text), output("a", object)];
    events.push(record("a", RecordStream::Error, "<S>x_x000A_WARNING: b: y_x001B_</S>"));
    events.push(ended("a", 1, PipelineEnd::Failed));
    events.push(done(&events));
    let Written { out, err, .. } = written(RunOptions::default(), &events);
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
    assert!(out.contains("\n  db01 (denied)\n"), "indented, unlike a heading");
    assert!(err.contains("\n  WARNING: b"), "{err}");
}

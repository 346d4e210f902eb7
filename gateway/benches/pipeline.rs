//! What the gateway does with a CREATE_PIPELINE besides judging it: decodes it, takes it out of its wrapper, and encodes
//! one for the target.

use criterion::{Criterion, criterion_group, criterion_main};
use sekisho_gateway::enforce::pipeline::{Asked, Secrets, read};
use sekisho_policy::Presence;
use sekisho_protocol::Result;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::error::Misuse;
use sekisho_protocol::psrp::{Argument, Command, CommandKind, CreatePipeline, RecordBody};
use std::hint::black_box;

fn argument(name: &str, value: Value) -> Argument {
    Argument { name: Some(name.to_owned()), value }
}

/// As PowerShell sends a command with four arguments.
fn command() -> CreatePipeline {
    let arguments = vec![
        argument("Name", Value::text("Spooler")),
        argument("StartupType", Value::text("Automatic")),
        argument("DisplayName", Value::text("Print <Spooler> & more")),
        argument("Force", Value::Bool(true)),
    ];
    CreatePipeline::of_statements(vec![vec![Command::new("Set-Service", arguments)]])
}

/// As pypsrp's `execute_ps` sends a line.
fn wrapped() -> CreatePipeline {
    let invoke = Command::new("Invoke-Expression", vec![argument("Command", Value::text("Get-Service -Name Spooler"))]);
    let to_text = Command::new("Out-String", vec![argument("Stream", Value::Bool(true))]);
    CreatePipeline::of_statements(vec![vec![invoke, to_text]])
}

/// As PowerShell sends the line of a user.
fn script() -> CreatePipeline {
    let line = "Get-Service -Name Spooler, W32Time | Select-Object -Property Name, Status";
    let line = Command { kind: CommandKind::Script, ..Command::new(line, Vec::new()) };
    CreatePipeline::of_statements(vec![vec![line]])
}

fn asked(body: &RecordBody) -> Result<Asked> {
    let request = CreatePipeline::decode(&body.value()?)?;
    Ok(read(&request, Presence::Absent, &|_| Err(Misuse::WrongState.into()), &mut Secrets::new()))
}

fn pipelines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("CREATE_PIPELINE");
    for (name, request) in [("command", command()), ("wrapped line", wrapped()), ("script", script())] {
        let body = RecordBody::encode(&request.encode());
        assert!(matches!(asked(&body), Ok(Asked::Judge { .. })), "the request has to be judged");
        group.bench_function(format!("{name}, decoded and read"), |bencher| bencher.iter(|| asked(black_box(&body))));
        group.bench_function(format!("{name}, encoded"), |bencher| {
            bencher.iter(|| RecordBody::encode(&black_box(&request).encode()));
        });
    }
    group.finish();
}

criterion_group!(benches, pipelines);
criterion_main!(benches);

//! How long it takes to read script text.
#![expect(clippy::expect_used, reason = "a benchmark whose text is refused has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sekisho_policy::command::Bindings;
use sekisho_policy::powershell::{parse, render};

fn benches(criterion: &mut Criterion) {
    let bindings = Bindings::default();
    let list = format!("Get-Service -Name {}", vec!["'W3SVC'"; 20_000].join(","));
    let word = format!("Write-Output {}", "a".repeat(1_000_000));
    let quotes = format!("Write-Output '{}'", "''".repeat(500_000));
    let cases = [
        ("one command", "Restart-WebAppPool -Name 'Portal'"),
        (
            "a pipeline",
            "Get-EventLog -LogName System -Newest 50 | Where-Object EntryType -eq Error | Select-Object Source, Message",
        ),
        ("a list of 20,000", &list),
        ("a word of 1 MB", &word),
        ("1 MB of quotes", &quotes),
    ];
    let mut group = criterion.benchmark_group("parse");
    for (name, text) in cases {
        parse(text, &bindings).expect("it is of the subset");
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).expect("small")));
        group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(text), &bindings)));
    }
    group.finish();

    let mut group = criterion.benchmark_group("refuse");
    for (name, text) in [
        ("a script block", "Get-Service | Where-Object { $_.Status -eq 'Running' }"),
        ("two statements", "Get-Service Spooler; Stop-Computer"),
    ] {
        parse(text, &bindings).expect_err("it is not of the subset");
        group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(text), &bindings)));
    }
    group.finish();

    let pipeline = parse("Get-EventLog -LogName 'System' -Newest 50 | Select-Object Source, Message", &bindings);
    let pipeline = pipeline.expect("it is of the subset");
    criterion
        .bench_function("render a pipeline and read it back", |bencher| bencher.iter(|| render(black_box(&pipeline))));
}

criterion_group!(powershell, benches);
criterion_main!(powershell);

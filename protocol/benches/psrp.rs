//! The way of output through a relay: fragments of a target, records, fragments for the client. And what it would
//! cost to decode it.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sekisho_protocol::clixml::{self, Object, Value};
use sekisho_protocol::psrp::{
    ClientEvent, CreatePipeline, Destination, Fragmenter, HostInfo, InitRunspacePool, Message, MessageHeader,
    MessageType, PoolClient, PoolServer, Stream, private_data,
};
use sekisho_protocol::{Result, xpress};
use uuid::Uuid;

const POOL: Uuid = Uuid::from_u128(1);
const PIPELINE: Uuid = Uuid::from_u128(2);
const FRAGMENT: usize = 32 * 1024;
const ENVELOPE: usize = 360 * 1024;

/// What Get-Service puts out, more or less.
fn service(number: u64) -> Value {
    let members = [("Name", "Spooler"), ("DisplayName", "Print Spooler"), ("Status", "Running"), ("Text", "a <b> & c")];
    let members = members.map(|(name, text)| (name.to_owned(), Value::text(format!("{text} {number}"))));
    let types = ["System.ServiceProcess.ServiceController", "System.Object"].map(str::to_owned);
    Value::object(Object {
        types: Some(types.into()),
        shown: Some("Spooler".to_owned()),
        adapted: Some(members.into()),
        ..Object::default()
    })
}

/// A client and a server, each with a pipeline that runs.
fn machines() -> Result<(PoolClient, PoolServer)> {
    let init = InitRunspacePool { min: 1, max: 1, host: HostInfo::none() };
    let mut client = PoolClient::new(POOL, &init, FRAGMENT)?;
    let creation = client.take_output(None, Stream::Main, usize::MAX).unwrap_or_default();
    let mut server = PoolServer::open(POOL, &creation, &private_data(Vec::new()), FRAGMENT)?;
    client.receive(None, &server.take_output(None, usize::MAX).unwrap_or_default())?;
    let request = CreatePipeline::of_statements(vec![vec![sekisho_protocol::psrp::Command::new("a", Vec::new())]]);
    client.create_pipeline(PIPELINE, &request)?;
    server.command(PIPELINE, &client.take_output(Some(PIPELINE), Stream::Main, usize::MAX).unwrap_or_default())?;
    while client.next_event().is_some() || server.next_event().is_some() {}
    Ok((client, server))
}

/// A Receive's worth of output of a target.
fn output(objects: usize, body: &Value) -> Vec<u8> {
    let header = MessageHeader {
        destination: Destination::Client,
        kind: MessageType::PipelineOutput,
        pool: POOL,
        pipeline: PIPELINE,
    };
    let Ok(mut fragmenter) = Fragmenter::new(FRAGMENT) else { return Vec::new() };
    (0..objects).flat_map(|_| fragmenter.cut(&Message::new(header, body).encode()).concat()).collect()
}

fn relay(client: &mut PoolClient, server: &mut PoolServer, piece: &[u8]) -> Result<usize> {
    client.receive(Some(PIPELINE), piece)?;
    while let Some(event) = client.next_event() {
        if let ClientEvent::Record { id, kind, body } = event
            && !body.has_secure()
        {
            server.record(id, kind, body)?;
        }
    }
    let mut bytes = 0_usize;
    while let Some(fragments) = server.take_output(Some(PIPELINE), ENVELOPE) {
        bytes = bytes.saturating_add(fragments.len());
    }
    Ok(bytes)
}

fn psrp(criterion: &mut Criterion) {
    let small = output(400, &service(1));
    let large = output(2, &Value::text("x".repeat(150_000)));
    let mut group = criterion.benchmark_group("a relay's output");
    for (name, piece) in [("objects of 700 bytes", small), ("texts of 150 KB", large)] {
        group.throughput(Throughput::Bytes(piece.len().try_into().unwrap_or(u64::MAX)));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                machines,
                |pair| pair.and_then(|(mut client, mut server)| relay(&mut client, &mut server, black_box(&piece))),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();

    let list = Value::object(Object {
        content: clixml::Content::List(clixml::ListKind::List, (0..200).map(service).collect()),
        ..Object::default()
    });
    let text = clixml::encode(&list);
    let mut group = criterion.benchmark_group("CLIXML of 200 objects");
    group.throughput(Throughput::Bytes(text.len().try_into().unwrap_or(u64::MAX)));
    group.bench_function("decode", |bencher| bencher.iter(|| clixml::decode(black_box(text.as_bytes()))));
    group.bench_function("encode", |bencher| bencher.iter(|| clixml::encode(black_box(&list))));
    group.bench_function("store as XPRESS", |bencher| bencher.iter(|| xpress::store(black_box(text.as_bytes()))));
    group.finish();
}

criterion_group!(benches, psrp);
criterion_main!(benches);

//! Costs of one message: a request decoded, an answer encoded, a body sealed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sekisho_protocol::Result;
use sekisho_protocol::sealing::{MessageSeal, SealProtocol, SealedChunk, open_body, seal_body};
use sekisho_protocol::wsman::{
    Action, CommandId, CommandLine, CommandState, MessageId, ReceiveResponse, Request, RequestBody, RequestHeader,
    Resource, ResponseBody, ShellId, StreamChunk, decode_request, decode_response, encode_request, encode_response,
};
use std::hint::black_box;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Bytes of output in one answer.
const OUTPUT: usize = 64 * 1024;

/// Copies: what is measured is the framing, without cryptography.
#[derive(Debug)]
struct Copy;

impl MessageSeal for Copy {
    fn protocol(&self) -> SealProtocol {
        SealProtocol::Spnego
    }

    fn seal(&mut self, plain: &[u8]) -> Result<SealedChunk> {
        Ok(SealedChunk { header_len: 0, bytes: plain.to_vec() })
    }

    fn open(&mut self, _: u32, bytes: &[u8], _: usize) -> Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(bytes.to_vec()))
    }
}

fn command() -> String {
    let header = RequestHeader {
        message_id: Some(MessageId::new(Uuid::from_u128(1))),
        action: Action::Command,
        resource: Resource::CmdShell,
        to: "https://gateway.example:5986/wsman/web01".to_owned(),
        operation_timeout: Some(Duration::from_secs(20)),
        max_envelope_size: 153_600,
        shell: Some(ShellId::new(Uuid::from_u128(2))),
        options: Vec::new(),
        session_id: Some(Uuid::from_u128(3)),
    };
    let arguments = vec!["/all".to_owned(), "a \"quoted\" & <marked> text".to_owned()];
    let line = CommandLine { command: r"C:\Windows\System32\ipconfig.exe".to_owned(), arguments, command_id: None };
    encode_request(&Request { header, body: RequestBody::Command(line) }).unwrap_or_default()
}

fn output() -> ResponseBody {
    let data = (0..=255).cycle().take(OUTPUT).collect();
    ResponseBody::Receive(ReceiveResponse {
        command_id: Some(CommandId::new(Uuid::from_u128(4))),
        streams: vec![StreamChunk { stream: "stdout".to_owned(), data, end: false }],
        state: Some(CommandState::Running),
    })
}

fn soap(criterion: &mut Criterion) {
    let request = command();
    assert!(decode_request(request.as_bytes()).is_ok(), "the request has to be one");
    criterion.bench_function("decode a Command request", |bencher| {
        bencher.iter(|| decode_request(black_box(request.as_bytes())));
    });

    let body = output();
    let id = MessageId::new(Uuid::from_u128(5));
    let response = encode_response(Some(&id), Uuid::nil(), &body);
    let mut group = criterion.benchmark_group("64 KiB of output");
    group.throughput(Throughput::Bytes(OUTPUT.try_into().unwrap_or(u64::MAX)));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| encode_response(Some(&id), Uuid::nil(), black_box(&body)));
    });
    group.bench_function("decode", |bencher| bencher.iter(|| decode_response(black_box(response.as_bytes()))));
    group.bench_function("seal", |bencher| bencher.iter(|| seal_body(&mut Copy, black_box(response.as_bytes()))));
    if let Ok(sealed) = seal_body(&mut Copy, response.as_bytes()) {
        group.bench_function("open", |bencher| {
            bencher.iter(|| open_body(&mut Copy, &sealed.content_type, black_box(&sealed.bytes)));
        });
    }
    group.finish();
}

criterion_group!(benches, soap);
criterion_main!(benches);

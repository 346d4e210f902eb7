//! What a login and its sealed bodies cost: whole handshakes with RSA-2048, both ends in one thread.
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark has nobody to report an error to")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sekisho_protocol::auth::{
    AccountName, AccountSource, BindingRule, NegotiateAcceptor, NegotiateStep, NtHash, Wrapping,
};
use sekisho_protocol::credssp::{
    AcceptStep, Acceptor, AcceptorConfig, DelegatedCredential, InitiateStep, Initiator, InitiatorOptions, InnerTls,
};
use sekisho_protocol::http_auth::{ClientLogin, LoginStep, Scheme, parse_authorization, token_header};
use sekisho_protocol::limits::SEALED_CHUNK;
use sekisho_protocol::sealing::MessageSeal;
use sekisho_protocol::secret::SecretText;
use std::hint::black_box;
use std::sync::Arc;

const KEY: &[u8] = include_bytes!("../testdata/rsa-2048-for-tests.pk8");
const PASSWORD: &str = "correct horse battery staple";

struct OneAccount;

impl AccountSource for OneAccount {
    fn nt_hash(&self, _claimed: &AccountName) -> Option<NtHash> {
        Some(NtHash::of_password(&SecretText::new(PASSWORD.to_owned())))
    }
}

fn config(inner_tls: InnerTls) -> Arc<AcceptorConfig> {
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&KEY.into(), &rcgen::PKCS_RSA_SHA256).expect("key");
    let params = rcgen::CertificateParams::new(vec!["gw.test".to_owned()]).expect("parameters");
    let certificate: CertificateDer<'static> = params.self_signed(&pair).expect("certificate").der().clone();
    let key: PrivateKeyDer<'static> = PrivatePkcs8KeyDer::from(KEY.to_vec()).into();
    Arc::new(AcceptorConfig::with_tls(certificate, key, None, inner_tls).expect("configuration"))
}

fn credential() -> DelegatedCredential {
    DelegatedCredential {
        domain: "GATEWAY".to_owned(),
        user: "alice".to_owned(),
        password: SecretText::new(PASSWORD.to_owned()),
    }
}

type Seals = (Box<dyn MessageSeal>, Box<dyn MessageSeal>);

fn initiator(inner_tls: InnerTls) -> Initiator {
    let options = InitiatorOptions { wrapping: Wrapping::Spnego, inner_tls };
    Initiator::with_options(&credential(), "HTTP/gw.test", None, options).expect("initiator")
}

fn log_in(config: &Arc<AcceptorConfig>, mut initiator: Initiator) -> Seals {
    let mut acceptor = Acceptor::new(config, Arc::new(OneAccount));
    let mut token = initiator.start().expect("start");
    loop {
        let AcceptStep::Continue { token: answer } = acceptor.step(&token) else { panic!("refused") };
        match initiator.step(&answer).expect("step") {
            InitiateStep::Send { token: next } => token = next,
            InitiateStep::Deliver { token, seal: client } => {
                let AcceptStep::Done { seal: server, .. } = acceptor.step(&token) else { panic!("not done") };
                return (client, server);
            }
        }
    }
}

fn log_in_by_negotiate() -> Seals {
    let mut acceptor = NegotiateAcceptor::new(Arc::new(OneAccount), BindingRule::AbsentOrOneOf(Vec::new()));
    let mut login = ClientLogin::new(Scheme::Negotiate, &credential(), "HTTP/gw.test", None).expect("login");
    let mut value = login.start().expect("start");
    let mut server = None;
    loop {
        let (scheme, token) = parse_authorization(&value).expect("header");
        let (status, token) = match acceptor.step(&token).expect("accepted") {
            NegotiateStep::Continue { token } => (401, token),
            NegotiateStep::Done { token, seal, .. } => {
                server = Some(seal);
                (200, token.unwrap_or_default())
            }
        };
        match login.step(status, &[&token_header(scheme, &token)]).expect("step") {
            LoginStep::Send { authorization } => value = authorization,
            LoginStep::Done(client) => return (client, server.expect("seal")),
        }
    }
}

fn handshakes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("login");
    for (name, inner_tls) in [("credssp_tls12", InnerTls::Tls12), ("credssp_tls13", InnerTls::Tls13)] {
        let config = config(inner_tls);
        group.bench_function(name, |bench| {
            bench.iter_batched(|| initiator(inner_tls), |login| log_in(&config, login), BatchSize::SmallInput);
        });
    }
    group.bench_function("negotiate", |bench| bench.iter(log_in_by_negotiate));
    group.finish();
}

/// A name, a login, and the most that is sealed at once.
type Kind = (&'static str, fn() -> Seals, usize);

fn seals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal_and_open");
    let kinds: [Kind; 3] = [
        ("credssp_tls12", || log_in(&config(InnerTls::Tls12), initiator(InnerTls::Tls12)), SEALED_CHUNK),
        ("credssp_tls13", || log_in(&config(InnerTls::Tls13), initiator(InnerTls::Tls13)), SEALED_CHUNK),
        ("negotiate", log_in_by_negotiate, usize::MAX),
    ];
    for (name, log_in, chunk) in kinds {
        for kib in [16, 64_u64] {
            let plain = vec![7; usize::try_from(kib).expect("small").saturating_mul(1024)];
            let (mut client, mut server) = log_in();
            group.throughput(Throughput::Bytes(kib.saturating_mul(1024)));
            group.bench_function(format!("{name}/{kib}KiB"), |bench| {
                bench.iter(|| {
                    for part in plain.chunks(chunk) {
                        let sealed = client.seal(part).expect("sealed");
                        let opened = server.open(sealed.header_len, &sealed.bytes, part.len()).expect("opened");
                        black_box(opened);
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, handshakes, seals);
criterion_main!(benches);

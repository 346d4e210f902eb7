//! A target of PowerShell remoting that costs next to nothing: what is measured is what stands in front of it. It says
//! its port on standard output, and serves until standard input ends.

mod http;
pub(crate) mod output;
mod pool;

use crate::Outcome;
use crate::plan::Plan;
use http::Http;
use pool::Pools;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho_protocol::auth::{
    AccountName, AccountSource, BindingRule, ChannelBinding, NegotiateAcceptor, NegotiateStep, NtHash,
};
use sekisho_protocol::http_auth::{Scheme, challenge, parse_authorization, token_header};
use sekisho_protocol::secret::SecretText;
use serde_json::{Value, json};
use std::io::{Write as _, stdin, stdout};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What all connections share.
struct Target {
    tls: Arc<ServerConfig>,
    binding: ChannelBinding,
    account: Arc<Account>,
    pools: Pools,
}

/// The one account there is.
struct Account {
    user: String,
    password: String,
}

impl AccountSource for Account {
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        let known = claimed.user.eq_ignore_ascii_case(&self.user);
        known.then(|| NtHash::of_password(&SecretText::new(self.password.clone())))
    }
}

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let account = plan.account.as_ref().ok_or("no account")?;
    let certificate = CertificateDer::from_pem_file(&plan.certificate)?;
    let binding = ChannelBinding::tls_server_end_point(&certificate)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(&plan.key)?)?;
    let target = Arc::new(Target {
        tls: Arc::new(config),
        binding,
        account: Arc::new(Account { user: account.user.clone(), password: account.password.clone() }),
        pools: Pools::default(),
    });
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(stdout(), "{}", json!({ "port": socket.local_addr()?.port() }))?;
    thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let target = Arc::clone(&target);
            thread::spawn(move || {
                // Who goes away has had enough.
                if let Err(error) = target.serve(stream) {
                    drop(writeln!(std::io::stderr(), "a connection of the target's ended: {error}"));
                }
            });
        }
    });
    stdin().read_line(&mut String::new())?;
    Ok(json!({}))
}

impl Target {
    fn serve(&self, stream: TcpStream) -> Outcome<()> {
        stream.set_nodelay(true)?;
        let mut http = Http::accept(&self.tls, stream)?;
        let rule = BindingRule::OneOf(vec![self.binding.clone()]);
        let own: Arc<Account> = Arc::clone(&self.account);
        let account: Arc<dyn AccountSource> = own;
        let mut acceptor = NegotiateAcceptor::new(account, rule);
        let mut known = false;
        while let Some(request) = http.next()? {
            let mut authenticate = None;
            if let Some(value) = &request.authorization {
                let (Scheme::Negotiate, token) = parse_authorization(value)? else {
                    return Err("this target takes Negotiate".into());
                };
                match acceptor.step(&token)? {
                    NegotiateStep::Continue { token } => authenticate = Some(token_header(Scheme::Negotiate, &token)),
                    NegotiateStep::Done { token, .. } => {
                        known = true;
                        authenticate = token.map(|token| token_header(Scheme::Negotiate, &token));
                    }
                }
            } else if !known {
                authenticate = Some(challenge(Scheme::Negotiate).to_owned());
            }
            let (status, xml) = match known {
                false => (401, String::new()),
                true if request.body.is_empty() => (200, String::new()),
                true => self.pools.answer(&request.body),
            };
            http.answer(status, authenticate.as_deref(), &xml)?;
        }
        Ok(())
    }
}

//! The login of one connection, from its first token to a principal whose credential is in the store.

use super::connection::Client;
use super::known::Known;
use crate::audit::{Context, Event, EventKind, LoginOutcome};
use crate::enforce::correlation;
use crate::identity::{Identity, PrincipalName};
use crate::limits::AddressKey;
use crate::limits::lockout::Failure;
use crate::state::Gateway;
use sekisho_protocol::Error;
use sekisho_protocol::auth::{AccountName, AccountSource, NtHash};
use sekisho_protocol::credssp::{AcceptStep, Acceptor, Login};
use sekisho_protocol::error::AuthFailure;
use sekisho_protocol::sealing::MessageSeal;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// What one leg leads to.
#[derive(Debug)]
pub(super) enum Leg {
    /// Answer with this token and wait.
    Continue(Vec<u8>),
    /// Nobody; the token, if any, tells the peer so.
    Refused(Option<Vec<u8>>),
    /// Somebody.
    Done(Box<Known>),
}

/// The accounts as one address may try them: locked ones look like unknown ones.
struct Accounts {
    gateway: Arc<Gateway>,
    address: IpAddr,
}

impl AccountSource for Accounts {
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        let live = self.gateway.live();
        let principal = live.identity.normalise(claimed).ok();
        let hash = live.identity.nt_hash(claimed);
        let locked = principal.as_ref().and_then(|principal| {
            self.gateway.lockout.locked(AddressKey::from(self.address), principal, Instant::now())
        });
        hash.filter(|_| locked.is_none())
    }
}

/// An acceptor for one connection.
pub(super) fn acceptor(client: &Client) -> Acceptor {
    let accounts = Accounts { gateway: Arc::clone(&client.gateway), address: client.peer.ip() };
    Acceptor::new(&client.door.credssp, Arc::new(accounts))
}

/// Takes one token.
pub(super) async fn step(client: &Client, acceptor: &mut Acceptor, token: &[u8]) -> Leg {
    match acceptor.step(token) {
        AcceptStep::Continue { token } => Leg::Continue(token),
        AcceptStep::Rejected { token, cause, claimed } => {
            refuse(client, outcome(cause), claimed.as_ref()).await;
            Leg::Refused(token)
        }
        // The protocol has nothing to send with the last answer.
        AcceptStep::Done { token: _, login, seal } => finish(client, login, seal).await,
    }
}

async fn finish(client: &Client, login: Login, seal: Box<dyn MessageSeal>) -> Leg {
    let Login { authenticated, delegated } = login;
    let live = client.gateway.live();
    let claimed = AccountName { domain: delegated.domain.clone(), user: delegated.user.clone() };
    let Ok(principal) = live.identity.normalise(&authenticated) else {
        refuse(client, LoginOutcome::UnknownName, Some(&authenticated)).await;
        return Leg::Refused(None);
    };
    let same = live.identity.normalise(&claimed).is_ok_and(|other| other == principal);
    let right = live.identity.confirms(&principal, &delegated.password);
    if !same || !right || live.identity.groups(&principal).is_none() {
        refuse(client, LoginOutcome::DelegatedMismatch, Some(&authenticated)).await;
        return Leg::Refused(None);
    };
    drop(live);
    welcome(client, Identity { principal }, delegated, seal).await
}

async fn welcome(
    client: &Client,
    identity: Identity,
    delegated: sekisho_protocol::credssp::DelegatedCredential,
    seal: Box<dyn MessageSeal>,
) -> Leg {
    let gateway = &client.gateway;
    let principal = identity.principal.clone();
    if gateway.write(event(client, LoginOutcome::Ok, Some(&principal), None)).await.is_err() {
        return Leg::Refused(None);
    }
    let Ok(hold) = gateway.reach.credentials.keep(&principal, delegated) else {
        tracing::error!("A delegated credential could not be stored");
        return Leg::Refused(None);
    };
    gateway.lockout.succeeded(AddressKey::from(client.peer.ip()), &principal);
    gateway.metrics.login("ok");
    tracing::info!(conn = client.id, %principal, client_addr = %client.peer.ip(), "Logged in");
    Leg::Done(Box::new(Known::new(identity, seal, hold)))
}

/// Counts, writes and slows down a failed login. Counted before anything is waited for, and written by a task of
/// its own: who hangs up as soon as the answer is late has guessed all the same.
async fn refuse(client: &Client, outcome: LoginOutcome, claimed: Option<&AccountName>) {
    let gateway = &client.gateway;
    let (address, now) = (AddressKey::from(client.peer.ip()), Instant::now());
    let principal = claimed.and_then(|name| gateway.live().identity.normalise(name).ok());
    // What no account has may be a password that was typed in the wrong place: audit gets no text of it.
    let account = principal.as_ref().filter(|principal| gateway.live().identity.groups(principal).is_some());
    let locked = principal.as_ref().and_then(|principal| gateway.lockout.locked(address, principal, now));
    let outcome = if locked.is_some() { LoginOutcome::LockedOut } else { outcome };
    gateway.metrics.login("failed");
    tracing::info!(conn = client.id, client_addr = %client.peer.ip(), ?outcome, "Login failed");
    let mut events = vec![event(client, outcome, account, claimed)];
    // A locked address gains nothing by going on, and its lock is not prolonged by it.
    let guess = principal.as_ref().filter(|_| locked.is_none() && counts(outcome));
    if let Some((failures, Failure::Locked(duration))) = guess.map(|name| gateway.lockout.failed(address, name, now)) {
        let kind = EventKind::Lockout { account: account.map(ToString::to_string), failures, duration };
        events.push(Event::new(kind, &context(client, account)));
    }
    let writing = Arc::clone(gateway);
    let written = gateway.tasks.spawn(async move {
        for event in events {
            // The answer is the same whether this could be written or not: no.
            writing.audit_after(event).await;
        }
    });
    drop(written.await);
    let Some(principal) = &principal else { return };
    tokio::time::sleep(gateway.lockout.delay(principal, now)).await;
}

/// Which failures are guesses at a password.
fn counts(outcome: LoginOutcome) -> bool {
    match outcome {
        LoginOutcome::BadCredentials | LoginOutcome::DelegatedMismatch => true,
        // A stripped MIC or a forged binding is an attack on the login as well.
        LoginOutcome::Protocol => true,
        LoginOutcome::Ok | LoginOutcome::UnknownName | LoginOutcome::LockedOut | LoginOutcome::Limit => false,
    }
}

fn outcome(cause: Error) -> LoginOutcome {
    match cause {
        Error::Auth(AuthFailure::BadCredentials) => LoginOutcome::BadCredentials,
        Error::LimitExceeded(_) => LoginOutcome::Limit,
        Error::Auth(_) | Error::Malformed(_) | Error::PeerMisbehaved(_) | Error::Unsupported(_) | Error::Misuse(_) => {
            LoginOutcome::Protocol
        }
    }
}

fn event(
    client: &Client,
    outcome: LoginOutcome,
    principal: Option<&PrincipalName>,
    claimed: Option<&AccountName>,
) -> Event {
    let unknown = claimed.filter(|_| principal.is_none());
    let claimed = unknown.map(|name| client.gateway.audit.redactor().claim(&format!("{}\\{}", name.domain, name.user)));
    let known = principal.filter(|_| outcome == LoginOutcome::Ok);
    let groups = known.and_then(|name| client.gateway.live().identity.groups(name)).unwrap_or_default();
    Event::new(EventKind::Login { outcome, claimed, groups }, &context(client, principal))
}

fn context(client: &Client, principal: Option<&PrincipalName>) -> Context {
    Context {
        principal: principal.map(ToString::to_string),
        client_addr: Some(client.peer),
        policy: Some(client.gateway.live().policy.digest().to_owned()),
        correlation: Some(correlation()),
        ..Context::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use futures_util::FutureExt as _;

    fn told(lines: &[serde_json::Value], event: &str) -> usize {
        lines.iter().filter(|line| line["event"] == event).count()
    }

    #[tokio::test]
    async fn who_hangs_up_before_the_answer_has_guessed_all_the_same() {
        let trial = Trial::new("\n[limits.lockout]\nfailures = 2\n", None).await;
        let (client, name) = (trial.client(), AccountName { domain: "GATEWAY".to_owned(), user: "alice".to_owned() });
        let address = AddressKey::from(client.peer.ip());
        let alice = PrincipalName::local("alice").unwrap();
        for _ in 0..3 {
            assert!(trial.gateway().lockout.locked(address, &alice, Instant::now()).is_none());
            let answer = refuse(&client, LoginOutcome::BadCredentials, Some(&name));
            assert!(answer.now_or_never().is_none(), "the answer waits for the log");
        }
        assert!(trial.gateway().lockout.locked(address, &alice, Instant::now()).is_some());
        let lines = trial.stop().await;
        assert_eq!((told(&lines, "login"), told(&lines, "lockout")), (3, 1));
    }
}

//! The gateway's own way to a target: permit, login bound to the channel, shell, command, end.

use super::{password, permit_for, site};
use crate::backend::{BackendError, Dialer, Effect, Quotas, Received, TargetShell};
use crate::credentials::Hold;
use crate::demo::site::{Site, TARGETS, USER};
use crate::enforce::Permit;
use crate::identity::PrincipalName;
use crate::state::Gateway;
use sekisho_policy::{Action, ProgramRequest};
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::secret::SecretText;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::winrs::{Profile, ShellOptions};
use sekisho_protocol::wsman::CommandState;
use std::sync::Arc;

/// What is asked for at a time.
const ENVELOPE: usize = 512_000;

fn gateway(site: &Site) -> &Arc<Gateway> {
    &site.parts().0.unwrap().gateway
}

fn principal() -> PrincipalName {
    PrincipalName::local(USER).unwrap()
}

fn delegate(site: &Site, password: &str) -> Hold {
    let password = SecretText::new(password.to_owned());
    let credential = DelegatedCredential { domain: "GATEWAY".to_owned(), user: USER.to_owned(), password };
    gateway(site).reach.credentials.keep(&principal(), credential).unwrap()
}

async fn permit(site: &Site, command: &str, arguments: &[&str]) -> Permit {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    permit_for(site, &Action::Program(ProgramRequest::new(command, arguments))).await.unwrap()
}

fn shell(site: &Site) -> Arc<TargetShell> {
    let live = gateway(site).live_full();
    let dialer = live.dialer(live.config.targets.find(TARGETS[0]).unwrap()).unwrap();
    TargetShell::new(Arc::clone(dialer), principal(), ShellOptions { profile: Profile::Skip, code_page: Some(437) })
}

/// Runs a program to its end: its output and exit code.
async fn ran(shell: &Arc<TargetShell>, permit: Permit) -> (String, i32) {
    let mut running = shell.start(permit).await.unwrap();
    let mut output = Vec::new();
    loop {
        let Received::Output(received) = running.receive(ENVELOPE).await.unwrap() else { continue };
        output.extend(received.streams.into_iter().flat_map(|chunk| chunk.data));
        if let Some(CommandState::Done { exit_code }) = received.state {
            running.end().await.unwrap();
            return (String::from_utf8(output).unwrap(), exit_code);
        }
    }
}

#[tokio::test]
async fn programs_run_one_after_another_in_one_shell_that_is_gone_in_the_end() {
    let (_folder, site) = site().await;
    let _hold = delegate(&site, &password(&site));
    let shell = shell(&site);
    let (output, exit_code) = ran(&shell, permit(&site, "hostname", &[]).await).await;
    let uname = rustix::system::uname();
    assert_eq!((output.trim_end(), exit_code), (uname.nodename().to_str().unwrap(), 0));
    // The path of this one is sent in quotes.
    let (output, exit_code) = ran(&shell, permit(&site, "df", &["-h"]).await).await;
    assert!(output.contains('/') && exit_code == 0, "{output}");
    assert_eq!(site.parts().1[0].shells(), 1);
    shell.close().await.unwrap();
    assert_eq!(site.parts().1[0].shells(), 0);
    site.stop().await;
}

/// A shell on the first target as if that allowed so many connections.
fn dialer_of(site: &Site, connections: usize) -> Arc<Dialer> {
    let live = gateway(site).live_full();
    let mut target = live.config.targets.find(TARGETS[0]).unwrap().clone();
    target.quotas.connections = connections;
    let reach = &gateway(site).reach;
    Arc::new(Dialer::new(Arc::new(target), Arc::clone(&reach.credentials), &Quotas::default()).unwrap())
}

#[tokio::test]
async fn an_open_shell_keeps_no_connection_that_another_needs() {
    let (_folder, site) = site().await;
    let _hold = delegate(&site, &password(&site));
    let dialer = dialer_of(&site, 1);
    let options = ShellOptions { profile: Profile::Skip, code_page: Some(437) };
    let shells = [(); 3].map(|()| TargetShell::new(Arc::clone(&dialer), principal(), options));
    for shell in shells.iter().chain(&shells) {
        let (_, exit_code) = ran(shell, permit(&site, "hostname", &[]).await).await;
        assert_eq!(exit_code, 0);
    }
    assert_eq!(site.parts().1[0].shells(), 3);
    // What is in use stays in use, and is heard of.
    let running = shells[0].start(permit(&site, "hostname", &[]).await).await.unwrap();
    let busy = shells[1].start(permit(&site, "hostname", &[]).await).await.unwrap_err();
    assert_eq!((busy, busy.effect()), (BackendError::Busy, Effect::NotDone));
    running.end().await.unwrap();
    for shell in &shells {
        shell.close().await.unwrap();
    }
    assert_eq!(site.parts().1[0].shells(), 0);
    site.stop().await;
}

#[tokio::test]
async fn what_is_cleaned_up_waits_for_a_connection() {
    let (_folder, site) = site().await;
    let _hold = delegate(&site, &password(&site));
    let dialer = dialer_of(&site, 1);
    let options = ShellOptions { profile: Profile::Skip, code_page: Some(437) };
    let [first, second] = [(); 2].map(|()| TargetShell::new(Arc::clone(&dialer), principal(), options));
    ran(&first, permit(&site, "hostname", &[]).await).await;
    let running = second.start(permit(&site, "hostname", &[]).await).await.unwrap();
    let (closed, ended) = tokio::join!(first.close(), async {
        tokio::task::yield_now().await;
        running.end().await
    });
    assert_eq!((closed, ended), (Ok(()), Ok(())));
    second.close().await.unwrap();
    assert_eq!(site.parts().1[0].shells(), 0);
    site.stop().await;
}

#[tokio::test]
async fn a_program_that_the_target_does_not_have_is_a_fault_and_the_shell_lives_on() {
    let (_folder, site) = site().await;
    let _hold = delegate(&site, &password(&site));
    let shell = shell(&site);
    let error = shell.start(permit(&site, "missing", &[]).await).await.unwrap_err();
    assert_eq!(error, BackendError::Fault(FaultCode::FILE_NOT_FOUND));
    assert_eq!(error.effect(), Effect::NotDone);
    let (output, exit_code) = ran(&shell, permit(&site, "uname", &[]).await).await;
    assert!(!output.is_empty() && exit_code == 0);
    site.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_by_the_target() {
    let (_folder, site) = site().await;
    let _hold = delegate(&site, "another one");
    let error = shell(&site).start(permit(&site, "hostname", &[]).await).await.unwrap_err();
    assert_eq!(error, BackendError::LoginRefused);
    assert_eq!(site.parts().1[0].shells(), 0);
    site.stop().await;
}

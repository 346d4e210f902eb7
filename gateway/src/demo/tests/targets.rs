//! What a target refuses.

use super::{password, site, target};
use crate::demo::site::{HASTY, USER};
use sekisho_protocol::Error;
use sekisho_protocol::error::AuthFailure;
use sekisho_protocol::http_auth::Scheme;
use sekisho_protocol::soap::FaultCode;
use sekisho_protocol::wsman::{Action, CommandLine, CreateShell, RequestBody, Resource, ResponseBody, SignalCode};

const REFUSED: Error = Error::Auth(AuthFailure::RefusedByPeer);

#[tokio::test]
async fn a_login_has_to_be_bound_to_the_channel() {
    let (folder, site) = site().await;
    let (mut right, mut without, mut wrong) =
        (target(&folder, &site).await, target(&folder, &site).await, target(&folder, &site).await);
    let word = password(&site);
    let binding = right.binding();
    assert_eq!(right.log_in(Scheme::Negotiate, (USER, &word), Some(binding)).await, Ok(()));
    assert_eq!(without.log_in(Scheme::Negotiate, (USER, &word), None).await, Err(REFUSED));
    let gateway = super::Raw::connect(site.gateway, "127.0.0.1", &site.ca(), "/wsman").await.binding();
    assert_eq!(wrong.log_in(Scheme::Negotiate, (USER, &word), Some(gateway)).await, Err(REFUSED));
    site.stop().await;
}

#[tokio::test]
async fn names_and_passwords_have_to_be_right() {
    let (folder, site) = site().await;
    for (user, word) in [(USER, "another one"), ("nobody", &*password(&site)), (USER, "")] {
        let mut client = target(&folder, &site).await;
        let binding = client.binding();
        assert_eq!(client.log_in(Scheme::Negotiate, (user, word), Some(binding)).await, Err(REFUSED), "{user}");
    }
    site.stop().await;
}

#[tokio::test]
async fn nothing_is_served_without_a_login() {
    let (folder, site) = site().await;
    let mut client = target(&folder, &site).await;
    let got = client.send("POST /wsman", "", b"<x/>").await;
    assert_eq!((got.status, got.authenticate), (401, vec!["Negotiate".to_owned()]));
    for (line, headers, status) in [
        ("GET /wsman", "", 405),
        ("POST /other", "", 404),
        ("POST /wsman", "Authorization: Basic ZGVtbzpkZW1v\r\n", 401),
        ("POST /wsman", "Authorization: CredSSP AAAA\r\n", 401),
        ("POST /wsman", "Authorization: Negotiate AAAA\r\n", 401),
    ] {
        let got = target(&folder, &site).await.send(line, headers, b"").await;
        assert_eq!(got.status, status, "{line} {headers}");
        assert!(got.body.is_empty());
    }
    site.stop().await;
}

#[tokio::test]
async fn only_shells_are_served_and_only_to_their_owner() {
    let (folder, site) = site().await;
    let word = password(&site);
    let (mut owner, mut other) = (target(&folder, &site).await, target(&folder, &site).await);
    let binding = Some(owner.binding());
    owner.log_in(Scheme::Negotiate, (USER, &word), binding.clone()).await.unwrap();
    other.log_in(Scheme::Negotiate, (HASTY, &word), binding).await.unwrap();
    for resource in [Resource::PowerShell("Other".to_owned()), Resource::Other("http://x/wmi".to_owned())] {
        let create = RequestBody::Create(CreateShell::default());
        let fault = owner.ask(resource, Action::Create, None, create).await.unwrap_err();
        assert_eq!(fault.code, FaultCode::RESOURCE_NOT_FOUND);
    }
    let shell = owner.create().await.unwrap();
    let resource = Resource::PowerShell("Microsoft.PowerShell".to_owned());
    let fault = owner.ask(resource, Action::Delete, Some(shell), RequestBody::Delete).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::UNEXPECTED_SELECTORS, "the kind of a shell is settled by its Create");
    let fault = other.ask(Resource::CmdShell, Action::Delete, Some(shell), RequestBody::Delete).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::UNEXPECTED_SELECTORS);
    let deleted = owner.ask(Resource::CmdShell, Action::Delete, Some(shell), RequestBody::Delete).await;
    assert_eq!(deleted, Ok(ResponseBody::Delete));
    site.stop().await;
}

#[tokio::test]
async fn shells_are_counted() {
    let (folder, site) = site().await;
    let mut client = target(&folder, &site).await;
    let binding = Some(client.binding());
    client.log_in(Scheme::Negotiate, (USER, &password(&site)), binding).await.unwrap();
    for _ in 0..30 {
        client.create().await.unwrap();
    }
    assert_eq!(client.create().await.unwrap_err().code, FaultCode::QUOTA_SHELLS);
    site.stop().await;
}

#[tokio::test]
async fn a_line_with_more_than_a_program_starts_nothing() {
    let (folder, site) = site().await;
    let mut client = target(&folder, &site).await;
    let binding = Some(client.binding());
    client.log_in(Scheme::Negotiate, (USER, &password(&site)), binding).await.unwrap();
    let shell = client.create().await.unwrap();
    for (line, code) in [
        (r"C:\Windows\System32\hostname.exe & id", FaultCode::INVALID_PARAMETER),
        (r"C:\Windows\System32\cmd.exe", FaultCode::FILE_NOT_FOUND),
        ("/bin/sh", FaultCode::FILE_NOT_FOUND),
    ] {
        let line = CommandLine { command: line.to_owned(), arguments: Vec::new(), command_id: None };
        let asked = client.ask(Resource::CmdShell, Action::Command, Some(shell), RequestBody::Command(line)).await;
        assert_eq!(asked.unwrap_err().code, code);
    }
    site.stop().await;
}

#[tokio::test]
async fn a_signal_to_a_command_that_is_gone_is_answered() {
    let (folder, site) = site().await;
    let mut client = target(&folder, &site).await;
    let binding = Some(client.binding());
    client.log_in(Scheme::Negotiate, (USER, &password(&site)), binding).await.unwrap();
    let shell = client.create().await.unwrap();
    let line = CommandLine { command: r"C:\Demo\uname.exe".to_owned(), arguments: Vec::new(), command_id: None };
    let started = client.ask(Resource::CmdShell, Action::Command, Some(shell), RequestBody::Command(line)).await;
    let Ok(ResponseBody::Command { command_id }) = started else { panic!("{started:?}") };
    for _ in 0..2 {
        let signal = RequestBody::Signal { command_id: Some(command_id), signal: SignalCode::Terminate };
        let answer = client.ask(Resource::CmdShell, Action::Signal, Some(shell), signal).await;
        assert_eq!(answer, Ok(ResponseBody::Signal));
    }
    site.stop().await;
}

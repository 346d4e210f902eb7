//! What may be done, asked from end to end.

use super::jobs::Lab;
use super::raw::Raw;
use crate::demo::site::USER;
use sekisho_agent::AgentError;
use sekisho_protocol::http_auth::Scheme;
use sekisho_protocol::job::{Capabilities, CapabilitiesRequest, ProblemClass, ProgramCall, Question, Verdict};

fn program(name: &str, arguments: &[&str]) -> Question {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Question::Program(ProgramCall { name: name.to_owned(), arguments })
}

async fn asked(lab: &Lab, question: Question) -> Verdict {
    let request = CapabilitiesRequest::ask("web01".to_owned(), question);
    lab.client().await.capabilities(&request).await.unwrap().answer.unwrap()
}

#[tokio::test]
async fn one_is_told_whether_and_why_not_and_nothing_runs_and_nothing_is_written() {
    let lab = Lab::new().await;
    let Verdict::Allow { role, rule, canonical } = asked(&lab, program("hostname", &[])).await else { panic!() };
    assert_eq!((role.as_str(), rule.as_str()), ("looker", "hostname"));
    assert_eq!(canonical, r"C:\Windows\System32\hostname.exe");
    let Verdict::Deny { message, rule } = asked(&lab, program("hostname", &["/x"])).await else { panic!() };
    assert!(message.contains("hostname.exe is allowed in role looker, but with other arguments"), "{message}");
    assert_eq!(rule.as_deref(), Some("looker/hostname"));
    let text = Question::Powershell("Restart-Service -Name Dns".to_owned());
    assert!(matches!(asked(&lab, text).await, Verdict::Deny { .. }));
    lab.quiet().await;
    assert_eq!(lab.log().await.of("command").len(), 0);
}

#[tokio::test]
async fn a_question_leaves_no_line_but_one_about_a_target_that_is_not_open_does() {
    let lab = Lab::new().await;
    asked(&lab, program("shutdown", &[])).await;
    for name in ["nowhere", "secret01"] {
        let refused = lab.client().await.capabilities(&CapabilitiesRequest::list(name.to_owned())).await;
        let Err(AgentError::Refused(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.class, ProblemClass::Denied);
        assert_eq!(refusal.problem.unwrap().error.message, "no such target, or it is not open to you");
    }
    let log = lab.log().await;
    let targets: Vec<_> = log.of("denial").iter().map(|line| line["target"].clone()).collect();
    assert_eq!(targets, ["nowhere", "secret01"]);
}

#[tokio::test]
async fn the_list_has_what_the_users_roles_allow_there() {
    let lab = Lab::new().await;
    let document = lab.client().await.capabilities(&CapabilitiesRequest::list("WEB01".to_owned())).await.unwrap();
    assert_eq!((document.target.as_str(), document.answer), ("web01", None));
    let looker = document.roles.iter().find(|role| role.name == "looker").unwrap();
    let hostname = looker.programs.iter().find(|program| program.path.ends_with("hostname.exe")).unwrap();
    assert_eq!(hostname.arguments, "none");
    lab.log().await;
}

#[tokio::test]
async fn the_list_can_be_fetched_with_get_by_who_has_logged_in_and_nothing_else_can() {
    let lab = Lab::new().await;
    let path = "/api/v1/capabilities";
    let mut client = Raw::connect(lab.site.gateway, "127.0.0.1", &lab.site.ca(), path).await;
    assert_eq!(client.send(&format!("GET {path}?target=web01"), "", b"").await.status, 401);
    let mut client = Raw::connect(lab.site.gateway, "127.0.0.1", &lab.site.ca(), path).await;
    let binding = Some(client.binding());
    client.log_in(Scheme::CredSsp, (USER, &super::password(&lab.site)), binding).await.unwrap();
    let got = client.send(&format!("GET {path}?target=web01"), "", b"").await;
    assert_eq!(got.status, 200);
    assert_eq!(Capabilities::decode(&got.body).unwrap().target, "web01");
    for (query, status) in [("?target=nowhere", 403), ("?target=web01&command=x", 400), ("", 400)] {
        assert_eq!(client.send(&format!("GET {path}{query}"), "", b"").await.status, status, "{query}");
    }
    assert_eq!(client.send("GET /api/v1/targets", "", b"").await.status, 405);
    lab.log().await;
}

#[tokio::test]
async fn questions_count_against_the_rate_of_their_user() {
    let lab = Lab::with("[limits.rates.commands_per_principal]\nper_minute = 1\nburst = 2\n").await;
    let mut client = lab.client().await;
    let request = CapabilitiesRequest::list("web01".to_owned());
    client.capabilities(&request).await.unwrap();
    client.capabilities(&request).await.unwrap();
    let Err(AgentError::Refused(refusal)) = client.capabilities(&request).await else { panic!("not refused") };
    assert_eq!(refusal.class, ProblemClass::Limited);
    assert!(0 < refusal.retry_after_seconds.unwrap());
    lab.log().await;
}

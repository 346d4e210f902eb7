//! The login: CredSSP in the headers of empty requests.

use super::http::{Connection, read_body, retry_after};
use crate::error::{AgentError, GatewayFault, Refusal};
use hyper::header::{HeaderMap, WWW_AUTHENTICATE};
use sekisho_protocol::Error;
use sekisho_protocol::error::AuthFailure;
use sekisho_protocol::http_auth::{ClientLogin, LoginStep};
use sekisho_protocol::job::ProblemClass;
use sekisho_protocol::sealing::MessageSeal;

/// Answers that a login may take: TLS has two, NTLM and the binding three, and some have to spare.
const LEGS: usize = 16;
/// Bytes of an answer's body during the login; nothing in it is used.
const LEG_BODY: usize = 16 * 1024;

/// Logs in on this connection.
pub(super) async fn log_in(
    connection: &mut Connection,
    path: &'static str,
    login: &mut ClientLogin,
) -> Result<Box<dyn MessageSeal>, AgentError> {
    let mut authorization = login.start().map_err(explain)?;
    for _ in 0..LEGS {
        let response = connection.post_leg(path, &authorization).await?;
        let (head, body) = response.into_parts();
        // Read to its end, since the next leg goes over the same connection.
        read_body(body, LEG_BODY).await?;
        let status = head.status.as_u16();
        if let Some(refusal) = refused_before_login(status, &head.headers) {
            return Err(AgentError::Refused(refusal));
        }
        let challenges: Vec<&str> =
            head.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).collect();
        match login.step(status, &challenges).map_err(explain)? {
            LoginStep::Send { authorization: next } => authorization = next,
            LoginStep::Done(seal) => return Ok(seal),
        }
    }
    Err(GatewayFault::Login.into())
}

/// A gateway that is full, or that has locked this address out, says so before it looks at the login.
fn refused_before_login(status: u16, headers: &HeaderMap) -> Option<Refusal> {
    let class = [ProblemClass::Limited, ProblemClass::Unavailable, ProblemClass::Denied]
        .into_iter()
        .find(|class| class.status() == status)?;
    Some(Refusal { class, problem: None, retry_after_seconds: retry_after(headers) })
}

fn explain(error: Error) -> AgentError {
    match error {
        Error::Auth(AuthFailure::KeyBindingWrong | AuthFailure::ChannelBindingWrong) => AgentError::LoginBinding,
        Error::Auth(_) => AgentError::LoginRefused,
        Error::Malformed(_)
        | Error::PeerMisbehaved(_)
        | Error::Unsupported(_)
        | Error::LimitExceeded(_)
        | Error::Misuse(_) => GatewayFault::Login.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderValue, RETRY_AFTER};
    use sekisho_protocol::error::Misuse;

    #[test]
    fn a_busy_gateway_is_no_wrong_password() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("9"));
        for (status, class) in
            [(429, ProblemClass::Limited), (503, ProblemClass::Unavailable), (403, ProblemClass::Denied)]
        {
            let refusal = refused_before_login(status, &headers).unwrap();
            assert_eq!((refusal.class, refusal.retry_after_seconds), (class, Some(9)));
        }
        for status in [200, 401, 400, 500] {
            assert!(refused_before_login(status, &headers).is_none(), "{status}");
        }
    }

    #[test]
    fn a_refused_password_and_a_broken_protocol_are_told_apart() {
        assert!(matches!(explain(AuthFailure::RefusedByPeer.into()), AgentError::LoginRefused));
        assert!(matches!(explain(AuthFailure::KeyBindingWrong.into()), AgentError::LoginBinding));
        assert!(matches!(explain(Misuse::WrongState.into()), AgentError::Misbehaved(GatewayFault::Login)));
    }
}

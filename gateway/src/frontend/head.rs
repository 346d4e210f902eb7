//! What a request's head says, read once.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request};
use sekisho_protocol::http_auth::{Scheme, parse_authorization};

/// The header by which a client asks who we are without a login. [MS-WSMV] 3.1.4.1.
const IDENTIFY: &str = "wsmanidentify";

/// What the request says about who sends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Authorization {
    /// Nothing.
    Absent,
    /// A token of CredSSP.
    CredSsp(Vec<u8>),
    /// Another scheme, several headers, or nothing that parses. Never tried.
    Foreign,
}

/// The methods that anything here is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Other,
}

impl Verb {
    fn of(method: &Method) -> Self {
        if method == Method::GET {
            Self::Get
        } else if method == Method::POST {
            Self::Post
        } else {
            Self::Other
        }
    }
}

/// One request's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) host: Option<String>,
    pub(super) content_type: String,
    pub(super) authorization: Authorization,
    pub(super) identify: bool,
    /// Bytes, near enough to count them.
    pub(super) size: usize,
}

impl Head {
    pub(super) fn read<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let host = text(headers, &HOST).or_else(|| request.uri().host().map(str::to_owned));
        Self {
            verb: Verb::of(request.method()),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            host,
            content_type: text(headers, &CONTENT_TYPE).unwrap_or_default(),
            authorization: authorization(headers),
            identify: headers
                .get(IDENTIFY)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"unauthenticated")),
            size: headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).sum(),
        }
    }

    pub(super) fn sealed(&self) -> bool {
        let kind = self.content_type.trim_start();
        kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
    }
}

fn text(headers: &HeaderMap, name: &hyper::header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn authorization(headers: &HeaderMap) -> Authorization {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    match (first.map(|value| value.to_str().map(parse_authorization)), second) {
        (None, _) => Authorization::Absent,
        (Some(Ok(Ok((Scheme::CredSsp, token)))), None) => Authorization::CredSsp(token),
        (Some(_), _) => Authorization::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let mut request = Request::post("/wsman/web01?PSVersion=5.1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Head::read(&request.body(()).unwrap())
    }

    #[test]
    fn one_credssp_token_and_nothing_else_is_a_login() {
        assert_eq!(head(&[]).authorization, Authorization::Absent);
        assert_eq!(head(&[("authorization", "CredSSP AAEC")]).authorization, Authorization::CredSsp(vec![0, 1, 2]));
        for foreign in ["Basic YTpi", "Negotiate AAEC", "Kerberos AAEC", "CredSSP ???", ""] {
            assert_eq!(head(&[("authorization", foreign)]).authorization, Authorization::Foreign, "{foreign}");
        }
        let two = head(&[("authorization", "CredSSP AAEC"), ("authorization", "CredSSP AAEC")]);
        assert_eq!(two.authorization, Authorization::Foreign);
    }

    #[test]
    fn what_is_sealed_shows_in_the_type() {
        assert!(head(&[("content-type", "Multipart/Encrypted;protocol=x")]).sealed());
        assert!(!head(&[("content-type", "application/soap+xml;charset=UTF-8")]).sealed());
        assert!(!head(&[]).sealed());
        assert_eq!(head(&[]).path, "/wsman/web01");
    }
}

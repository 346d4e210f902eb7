//! Which target a request is for: by path, by Host name, or neither. A name is only a key of the closed
//! table; nothing of it is ever resolved.

use super::head::Verb;
use crate::config::{Routing, Target, TargetTable};

/// Bytes of a path or Host that are looked at.
const MAX_NAME: usize = 256;

/// What a request's path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service<'a> {
    /// WS-Man, perhaps with a target's name in the path.
    Wsman {
        /// What follows `/wsman/`.
        target: Option<&'a str>,
    },
    /// Identify without a login.
    WsmanAnonymous,
    /// Submits a job.
    Jobs,
    /// Lists targets.
    Targets,
    /// Says what may be done on a target.
    Capabilities,
    /// Nothing of ours.
    Unknown,
}

impl Service<'_> {
    /// Whether it is asked with this method. Only what changes nothing is asked with GET.
    pub(super) fn takes(self, verb: Verb) -> bool {
        match (self, verb) {
            (_, Verb::Post) | (Self::Capabilities, Verb::Get) => true,
            (
                Self::Wsman { .. } | Self::WsmanAnonymous | Self::Jobs | Self::Targets | Self::Unknown,
                Verb::Get | Verb::Other,
            )
            | (Self::Capabilities, Verb::Other) => false,
        }
    }
}

/// Why no target was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RouteError {
    /// Neither way names one.
    #[error(
        "no target named: put its name into the path, as in /wsman/web01, or use a Host name that the gateway knows (winrm.Session of pywinrm cuts the path: use winrm.Protocol)"
    )]
    NotNamed,
    /// Path and Host name different ones.
    #[error("the path and the Host name disagree about the target: name it one way")]
    Disagree,
    /// The table has no such target. Answered like a target that is not open to the user, so that the table
    /// cannot be read by guessing.
    #[error("no such target, or it is not open to you")]
    Unknown,
}

/// Reads a path. The query is ignored, as PowerShell puts its version there.
#[must_use]
pub(super) fn service(path: &str) -> Service<'_> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if MAX_NAME < path.len() {
        return Service::Unknown;
    }
    let parts: Vec<&str> = path.split('/').collect();
    let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
    match parts.as_slice() {
        ["", wsman] if is(wsman, "wsman") => Service::Wsman { target: None },
        ["", wsman, target] if is(wsman, "wsman") && !target.is_empty() => Service::Wsman { target: Some(target) },
        ["", wsman, identify] if is(wsman, "wsman-anon") && is(identify, "identify") => Service::WsmanAnonymous,
        ["", "api", "v1", "jobs"] => Service::Jobs,
        ["", "api", "v1", "targets"] => Service::Targets,
        ["", "api", "v1", "capabilities"] => Service::Capabilities,
        _ => Service::Unknown,
    }
}

/// The target's name by path and Host, if there is one.
///
/// # Errors
/// When the two disagree.
pub(super) fn named<'n>(
    routing: &Routing,
    path: Option<&'n str>,
    host: Option<&'n str>,
) -> Result<Option<&'n str>, RouteError> {
    let by_host = host.and_then(|host| host_label(host, routing.host_suffix.as_deref()?));
    match (path, by_host) {
        (Some(path), Some(host)) if !path.eq_ignore_ascii_case(host) => Err(RouteError::Disagree),
        (name @ Some(_), _) | (None, name) => Ok(name),
    }
}

/// The target that path and Host name.
///
/// # Errors
/// When none is named, they disagree, or the table has no such target.
pub(super) fn target<'t>(
    table: &'t TargetTable,
    routing: &Routing,
    path: Option<&str>,
    host: Option<&str>,
) -> Result<&'t Target, RouteError> {
    let name = named(routing, path, host)?.ok_or(RouteError::NotNamed)?;
    table.find(name).ok_or(RouteError::Unknown)
}

/// Whether a client may call this listener so: by one of its names, or by one that names a target.
#[must_use]
pub(super) fn is_ours(names: &[String], routing: &Routing, host: Option<&str>) -> bool {
    if names.is_empty() {
        return true;
    }
    let Some(host) = host else { return false };
    let name = without_port(host);
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
        || routing.host_suffix.as_deref().is_some_and(|suffix| host_label(host, suffix).is_some())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// The part of a Host before the suffix: `web01` of `web01.gw.example:5986`.
fn host_label<'h>(host: &'h str, suffix: &str) -> Option<&'h str> {
    if MAX_NAME < host.len() {
        return None;
    }
    let name = without_port(host);
    let at = name.len().checked_sub(suffix.len())?;
    let (label, tail) = name.split_at_checked(at)?;
    let label = label.strip_suffix('.')?;
    (tail.eq_ignore_ascii_case(suffix) && !label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let cases = [
            ("/wsman", Service::Wsman { target: None }),
            ("/wsman/", Service::Wsman { target: None }),
            ("/WSMAN/Web01/", Service::Wsman { target: Some("Web01") }),
            ("/wsman/web01/x", Service::Unknown),
            ("/wsman//", Service::Unknown),
            ("/wsman-anon/identify", Service::WsmanAnonymous),
            ("/api/v1/jobs", Service::Jobs),
            ("/API/v1/jobs", Service::Unknown),
            ("/", Service::Unknown),
            ("", Service::Unknown),
            ("wsman", Service::Unknown),
        ];
        for (path, expected) in cases {
            assert_eq!(service(path), expected, "{path}");
        }
        assert_eq!(service(&format!("/wsman/{}", "a".repeat(300))), Service::Unknown);
    }

    #[test]
    fn a_listener_with_names_answers_to_them_alone() {
        let names = ["gw.example".to_owned()];
        let routing = Routing { host_suffix: Some("gw.example".to_owned()) };
        for ours in ["gw.example", "GW.example:5986", "web01.gw.example"] {
            assert!(is_ours(&names, &routing, Some(ours)), "{ours}");
        }
        for other in [Some("evil.example"), Some("gw.example.evil"), Some(""), None] {
            assert!(!is_ours(&names, &routing, other), "{other:?}");
            assert!(is_ours(&[], &routing, other));
        }
    }

    #[test]
    fn host_names() {
        let cases = [
            ("web01.gw.example", Some("web01")),
            ("WEB01.GW.Example:5986", Some("WEB01")),
            ("a.b.gw.example", Some("a.b")),
            ("gw.example", None),
            (".gw.example", None),
            ("web01gw.example", None),
            ("web01.gw.example.evil", None),
            ("[::1]:5986", None),
            ("wéb.gw.example", Some("wéb")),
            ("", None),
        ];
        for (host, expected) in cases {
            assert_eq!(host_label(host, "gw.example"), expected, "{host}");
        }
    }
}

//! Which account a delegated credential is on a target.

use crate::identity::{LOCAL_DOMAIN, PrincipalName};
use sekisho_protocol::credssp::DelegatedCredential;

/// The account's domain: what the target's configuration says, or else the domain that the user typed. What
/// only means this gateway (`.`, `GATEWAY`) means nothing to a target, and is left out.
pub(super) fn domain<'a>(configured: Option<&'a str>, typed_domain: &'a str, user: &'a str) -> &'a str {
    let typed = || {
        let in_user =
            user.split_once('\\').map(|(domain, _)| domain).or_else(|| user.rsplit_once('@').map(|(_, suffix)| suffix));
        if typed_domain.is_empty() { in_user.unwrap_or_default() } else { typed_domain }
    };
    let domain = configured.unwrap_or_else(typed);
    if domain == "." || domain.eq_ignore_ascii_case(LOCAL_DOMAIN) { "" } else { domain }
}

/// The credential as the target is to see it.
pub(super) fn on_target(
    credential: DelegatedCredential,
    principal: &PrincipalName,
    domain: &str,
) -> DelegatedCredential {
    DelegatedCredential { domain: domain.to_owned(), user: principal.name().to_owned(), password: credential.password }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::secret::SecretText;

    #[test]
    fn what_means_the_gateway_means_nothing_to_a_target() {
        let cases = [
            ("", "alice", ""),
            (".", "alice", ""),
            ("GATEWAY", "alice", ""),
            ("gateway", "alice", ""),
            ("LAB", "alice", "LAB"),
            ("", "LAB\\alice", "LAB"),
            ("", ".\\alice", ""),
            ("", "alice@lab.test", "lab.test"),
            ("", "alice@GATEWAY", ""),
        ];
        for (typed, user, expected) in cases {
            let credential =
                DelegatedCredential { domain: typed.into(), user: user.into(), password: SecretText::new("x".into()) };
            assert_eq!(domain(None, typed, user), expected, "{typed} {user}");
            assert_eq!(domain(Some("CORP"), typed, user), "CORP");
            assert_eq!(domain(Some("."), typed, user), "");
            let account = on_target(credential, &PrincipalName::local("alice").unwrap(), expected);
            assert_eq!((account.domain.as_str(), account.user.as_str()), (expected, "alice"));
        }
    }
}

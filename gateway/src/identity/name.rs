//! Who somebody is, from the many ways in which clients write it.

use std::fmt;

/// The domain of accounts that the gateway keeps itself.
pub const LOCAL_DOMAIN: &str = "GATEWAY";

/// As long as a Windows user name with its domain may be.
const MAX_PART: usize = 104;

/// An authenticated or authenticatable identity: `DOMAIN\name`.
///
/// Compared ignoring case, which is why the domain is kept in upper and the name in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalName {
    domain: String,
    name: String,
}

/// Why a name leads to nobody. Never shows the name: it comes from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    #[error("the user name is empty")]
    Empty,
    #[error("the user name is longer than {MAX_PART} characters")]
    TooLong,
    #[error("the user name has a character that account names cannot have")]
    Character,
    #[error("the user name gives its domain twice; write name, GATEWAY\\name or name@GATEWAY")]
    TwoDomains,
    #[error("the domain is not served by this gateway; write the name alone, or GATEWAY\\name for a local account")]
    UnknownDomain,
}

impl PrincipalName {
    /// A local account.
    ///
    /// # Errors
    /// When the name is no account name.
    pub fn local(name: &str) -> Result<Self, NameRefused> {
        Ok(Self { domain: LOCAL_DOMAIN.to_owned(), name: account_name(name)? })
    }

    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\\{}", self.domain, self.name)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The one table by which names lead to principals. The name that logs in and the name of the delegated
/// credential both pass it, and must come out equal.
///
/// | domain field | user field         | principal        |
/// |--------------|--------------------|------------------|
/// | empty        | `name`             | `GATEWAY\name`   |
/// | `.`          | `name`             | `GATEWAY\name`   |
/// | local        | `name`             | `GATEWAY\name`   |
/// | empty        | `name@local`       | `GATEWAY\name`   |
/// | empty        | `\name`, `.\name`, `local\name` | `GATEWAY\name` |
/// | anything else                  || refused          |
///
/// *local* is `GATEWAY` or one of the configured further names, ignoring case. A client's own machine name
/// as domain is refused: it is the client's word alone, and another site's domain could have that name.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    local_names: Vec<String>,
}

impl NameTable {
    /// With further domain names and UPN suffixes that mean this gateway.
    #[must_use]
    pub fn new(local_names: &[String]) -> Self {
        Self { local_names: local_names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// # Errors
    /// When the name leads to nobody for certain.
    pub fn normalise(&self, domain: &str, user: &str) -> Result<PrincipalName, NameRefused> {
        if user.is_empty() {
            return Err(NameRefused::Empty);
        }
        if user.len() > MAX_PART.saturating_mul(2) || domain.len() > MAX_PART {
            return Err(NameRefused::TooLong);
        }
        match (domain, user.split_once('\\'), user.rsplit_once('@')) {
            ("", None, None) => PrincipalName::local(user),
            ("", Some(("", name)), None) => PrincipalName::local(name),
            ("", Some((domain, name)), None) => self.in_domain(domain, name),
            ("", None, Some((name, suffix))) if suffix != "." => self.in_domain(suffix, name),
            (domain, None, None) => self.in_domain(domain, user),
            (_, None, Some(_)) if domain.is_empty() => Err(NameRefused::UnknownDomain),
            (_, Some(_), _) | (_, None, Some(_)) => Err(NameRefused::TwoDomains),
        }
    }

    fn in_domain(&self, domain: &str, name: &str) -> Result<PrincipalName, NameRefused> {
        let local = domain == "."
            || domain.eq_ignore_ascii_case(LOCAL_DOMAIN)
            || self.local_names.iter().any(|known| known.eq_ignore_ascii_case(domain));
        if local { PrincipalName::local(name) } else { Err(NameRefused::UnknownDomain) }
    }
}

/// A plain ASCII account name in lower case. NTLM folds case by a table of its own, so names whose case
/// folding could be argued about are left out.
fn account_name(text: &str) -> Result<String, NameRefused> {
    if text.is_empty() {
        return Err(NameRefused::Empty);
    }
    if text.len() > MAX_PART {
        return Err(NameRefused::TooLong);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'$');
    if !text.bytes().all(plain) || text.bytes().all(|byte| byte == b'.') {
        return Err(NameRefused::Character);
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> NameTable {
        NameTable::new(&["gw01".to_owned(), "GW01.example.com".to_owned()])
    }

    #[test]
    fn every_way_to_write_a_local_account_leads_to_one_principal() {
        let ways = [
            ("", "alice"),
            ("", "ALICE"),
            (".", "alice"),
            ("GATEWAY", "alice"),
            ("gateway", "Alice"),
            ("", "alice@GATEWAY"),
            ("", "alice@gateway"),
            ("", ".\\alice"),
            ("", "\\alice"),
            ("", "GATEWAY\\alice"),
            ("GW01", "alice"),
            ("gw01.example.com", "alice"),
            ("", "alice@gw01.example.com"),
            ("", "gw01\\alice"),
        ];
        for (domain, user) in ways {
            let principal = table().normalise(domain, user).unwrap_or_else(|error| panic!("{domain} {user}: {error}"));
            assert_eq!(principal.to_string(), "GATEWAY\\alice", "{domain} {user}");
        }
    }

    #[test]
    fn every_other_way_is_refused() {
        let ways = [
            ("", "", NameRefused::Empty),
            ("GATEWAY", "", NameRefused::Empty),
            ("", "GATEWAY\\", NameRefused::Empty),
            ("", "@GATEWAY", NameRefused::Empty),
            ("CORP", "alice", NameRefused::UnknownDomain),
            ("LAPTOP7", "alice", NameRefused::UnknownDomain),
            ("", "alice@corp.example.com", NameRefused::UnknownDomain),
            ("", "alice@.", NameRefused::UnknownDomain),
            ("", "alice@", NameRefused::UnknownDomain),
            ("", "CORP\\alice", NameRefused::UnknownDomain),
            ("GATEWAY", "alice@GATEWAY", NameRefused::TwoDomains),
            ("GATEWAY", "GATEWAY\\alice", NameRefused::TwoDomains),
            ("", "GATEWAY\\alice@GATEWAY", NameRefused::TwoDomains),
            ("CORP", ".\\alice", NameRefused::TwoDomains),
            ("", ".\\.\\alice", NameRefused::Character),
            ("", "alice@x@GATEWAY", NameRefused::Character),
            (" ", "alice", NameRefused::UnknownDomain),
            ("", " alice", NameRefused::Character),
            ("", "alice\0", NameRefused::Character),
            ("", "ali\u{017F}e", NameRefused::Character),
            ("", "..", NameRefused::Character),
            ("", "alice/bob", NameRefused::Character),
        ];
        for (domain, user, refused) in ways {
            assert_eq!(table().normalise(domain, user), Err(refused), "{domain:?} {user:?}");
        }
        let long = "a".repeat(MAX_PART.saturating_add(1));
        assert_eq!(table().normalise("", &long), Err(NameRefused::TooLong));
        assert_eq!(table().normalise(&long, "alice"), Err(NameRefused::TooLong));
    }

    #[test]
    fn further_names_are_local_only_when_configured() {
        assert_eq!(NameTable::default().normalise("gw01", "alice"), Err(NameRefused::UnknownDomain));
    }
}

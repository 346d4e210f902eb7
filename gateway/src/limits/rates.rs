//! Rates by address, by principal, by target and in total, by governor's GCRA.

use super::{AddressKey, whole_seconds};
use crate::identity::PrincipalName;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota};
use std::num::NonZeroU32;
use std::time::Duration;

/// An address may connect this many times as often as it may log in. Within that it is answered that it comes too
/// often, which costs the signature of a TLS handshake; beyond, it is not answered at all.
pub const CONNECTIONS_PER_LOGIN: u32 = 4;

/// One rate: so many at once, and so many per minute on the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Refilled per minute.
    pub per_minute: NonZeroU32,
    /// What may come at once.
    pub burst: NonZeroU32,
}

impl Rate {
    fn times(self, factor: u32) -> Self {
        let times = |number: NonZeroU32| number.checked_mul(NonZeroU32::new(factor)?);
        Self {
            per_minute: times(self.per_minute).unwrap_or(NonZeroU32::MAX),
            burst: times(self.burst).unwrap_or(NonZeroU32::MAX),
        }
    }

    fn quota(self) -> Quota {
        Quota::per_minute(self.per_minute).allow_burst(self.burst)
    }
}

/// The rates of one gateway.
#[derive(Debug, Clone, Copy)]
pub struct RateRules {
    /// Logins begun by one address.
    pub address: Rate,
    /// Commands and shells of one principal.
    pub principal: Rate,
    /// Commands and shells towards one target.
    pub target: Rate,
    /// Commands and shells of everybody.
    pub total: Rate,
}

/// Whose rate was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// One network client.
    Address,
    /// One principal.
    Principal,
    /// One target.
    Target,
    /// The gateway as a whole.
    Total,
}

impl LimitScope {
    /// The word for audit and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Principal => "principal",
            Self::Target => "target",
            Self::Total => "total",
        }
    }
}

/// A rate was exceeded; try again after `retry_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: the limit per {} is reached, try again in {} s", scope.as_str(), whole_seconds(*retry_after))]
pub struct Limited {
    /// Whose rate it was.
    pub scope: LimitScope,
    /// When the next request will pass.
    pub retry_after: Duration,
}

/// How much of one operation is paid already: what waits for one rate does not pay the others twice.
#[derive(Debug, Default)]
pub struct Toll {
    principal: bool,
    target: bool,
}

/// The limiters.
#[derive(Debug)]
pub struct Rates {
    connections: DefaultKeyedRateLimiter<AddressKey>,
    logins: DefaultKeyedRateLimiter<AddressKey>,
    principal: DefaultKeyedRateLimiter<PrincipalName>,
    target: DefaultKeyedRateLimiter<String>,
    total: DefaultDirectRateLimiter,
}

impl Rates {
    /// Limiters under these rules.
    #[must_use]
    pub fn new(rules: RateRules) -> Self {
        Self {
            connections: DefaultKeyedRateLimiter::keyed(rules.address.times(CONNECTIONS_PER_LOGIN).quota()),
            logins: DefaultKeyedRateLimiter::keyed(rules.address.quota()),
            principal: DefaultKeyedRateLimiter::keyed(rules.principal.quota()),
            target: DefaultKeyedRateLimiter::keyed(rules.target.quota()),
            total: DefaultDirectRateLimiter::direct(rules.total.quota()),
        }
    }

    /// Counts one connection of this address, whatever comes of it.
    ///
    /// # Errors
    /// When the address has had so many that it is not to be answered.
    pub fn connection(&self, address: AddressKey) -> Result<(), Limited> {
        self.connections.check_key(&address).map_err(|over| limited(LimitScope::Address, &over))
    }

    /// Counts one login that this address begins.
    ///
    /// # Errors
    /// When the address has had its share.
    pub fn login(&self, address: AddressKey) -> Result<(), Limited> {
        self.logins.check_key(&address).map_err(|over| limited(LimitScope::Address, &over))
    }

    /// Counts one command or shell of this principal on this target. The narrowest limit answers first, so
    /// that a busy principal does not use up what others share.
    ///
    /// # Errors
    /// When the principal, the target or the gateway has had its share.
    pub fn operation(&self, principal: &PrincipalName, target: &str) -> Result<(), Limited> {
        self.pay(&mut Toll::default(), principal, target)
    }

    /// The same, going on where `toll` stopped.
    ///
    /// # Errors
    /// When the principal, the target or the gateway has had its share.
    pub fn pay(&self, toll: &mut Toll, principal: &PrincipalName, target: &str) -> Result<(), Limited> {
        self.pay_principal(toll, principal)?;
        if !toll.target {
            self.target.check_key(&target.to_owned()).map_err(|over| limited(LimitScope::Target, &over))?;
            toll.target = true;
        }
        self.total.check().map_err(|over| limited(LimitScope::Total, &over))
    }

    /// Counts one request of this principal that is about no target.
    ///
    /// # Errors
    /// When the principal or the gateway has had its share.
    pub fn request(&self, principal: &PrincipalName) -> Result<(), Limited> {
        self.pay_request(&mut Toll::default(), principal)
    }

    /// The same, going on where `toll` stopped.
    ///
    /// # Errors
    /// When the principal or the gateway has had its share.
    pub fn pay_request(&self, toll: &mut Toll, principal: &PrincipalName) -> Result<(), Limited> {
        self.pay_principal(toll, principal)?;
        self.total.check().map_err(|over| limited(LimitScope::Total, &over))
    }

    fn pay_principal(&self, toll: &mut Toll, principal: &PrincipalName) -> Result<(), Limited> {
        if !toll.principal {
            self.principal.check_key(principal).map_err(|over| limited(LimitScope::Principal, &over))?;
            toll.principal = true;
        }
        Ok(())
    }

    /// Drops what has refilled, so that the tables stay as small as the traffic of the last minutes.
    pub fn forget_idle(&self) {
        self.connections.retain_recent();
        self.logins.retain_recent();
        self.principal.retain_recent();
        self.target.retain_recent();
    }
}

fn limited(scope: LimitScope, over: &governor::NotUntil<<DefaultClock as Clock>::Instant>) -> Limited {
    Limited { scope, retry_after: over.wait_time_from(DefaultClock::default().now()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn rate(per_minute: u32, burst: u32) -> Rate {
        Rate { per_minute: NonZeroU32::new(per_minute).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    fn rates() -> Rates {
        Rates::new(RateRules { address: rate(1, 2), principal: rate(1, 3), target: rate(1, 4), total: rate(1, 5) })
    }

    fn name(text: &str) -> PrincipalName {
        PrincipalName::local(text).unwrap()
    }

    #[test]
    fn an_address_has_its_burst_and_no_more() {
        let (rates, address) = (rates(), AddressKey::from(IpAddr::from([192, 0, 2, 1])));
        assert!(rates.login(address).is_ok());
        assert!(rates.login(address).is_ok());
        let over = rates.login(address).unwrap_err();
        assert_eq!(over.scope, LimitScope::Address);
        assert!(Duration::ZERO < over.retry_after && over.retry_after <= Duration::from_secs(60));
        assert!(rates.login(AddressKey::from(IpAddr::from([192, 0, 2, 2]))).is_ok());
    }

    #[test]
    fn an_address_connects_more_often_than_it_logs_in_and_not_for_ever() {
        let (rates, address) = (rates(), AddressKey::from(IpAddr::from([192, 0, 2, 1])));
        for _ in 0..2 * CONNECTIONS_PER_LOGIN {
            assert!(rates.connection(address).is_ok());
        }
        assert_eq!(rates.connection(address).unwrap_err().scope, LimitScope::Address);
        assert!(rates.login(address).is_ok());
    }

    #[test]
    fn what_waits_for_one_rate_does_not_pay_the_others_again() {
        let rates =
            Rates::new(RateRules { address: rate(1, 1), principal: rate(1, 3), target: rate(1, 1), total: rate(1, 9) });
        rates.operation(&name("a"), "web01").unwrap();
        let mut toll = Toll::default();
        for _ in 0..5 {
            assert_eq!(rates.pay(&mut toll, &name("a"), "web01").unwrap_err().scope, LimitScope::Target);
        }
        rates.operation(&name("a"), "web02").unwrap();
        assert_eq!(rates.request(&name("a")).unwrap_err().scope, LimitScope::Principal);
    }

    #[test]
    fn each_scope_answers_in_its_turn() {
        let rates = rates();
        for _ in 0..3 {
            rates.operation(&name("a"), "web01").unwrap();
        }
        assert_eq!(rates.operation(&name("a"), "web01").unwrap_err().scope, LimitScope::Principal);
        rates.operation(&name("b"), "web01").unwrap();
        assert_eq!(rates.operation(&name("b"), "web01").unwrap_err().scope, LimitScope::Target);
        rates.operation(&name("c"), "web02").unwrap();
        assert_eq!(rates.operation(&name("c"), "web03").unwrap_err().scope, LimitScope::Total);
    }
}

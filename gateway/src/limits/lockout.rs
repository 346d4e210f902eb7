//! Lockout after failed logins.
//!
//! Counted by (address, account), so that a stranger cannot lock an administrator out: an address that has
//! failed too often is refused for a time that doubles. The account alone, whoever tries, only slows down.

use super::AddressKey;
use crate::identity::PrincipalName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// Entries kept per table. Each needs a failed login, and those are rate-limited per address.
const MAX_ENTRIES: usize = 65_536;
/// Failures are forgotten after this time without one, or after the longest lock if that is longer.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// How many doublings the lock time goes through at most.
const MAX_DOUBLINGS: u32 = 16;

/// When to lock, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct LockoutRules {
    /// Failures in a row before the first lock.
    pub threshold: u32,
    /// The first lock's length; each further failure doubles it.
    pub base: Duration,
    /// The longest lock.
    pub maximum: Duration,
    /// The most that one login of an account is slowed down, whoever tries.
    pub account_delay: Duration,
}

/// What a failed login led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Counted, and no more.
    Counted,
    /// This failure locked the pair for that long.
    Locked(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    last: Instant,
    locked_until: Option<Instant>,
}

/// The two counters.
#[derive(Debug)]
pub struct Lockout {
    rules: LockoutRules,
    pairs: Mutex<HashMap<(AddressKey, PrincipalName), Record>>,
    accounts: Mutex<HashMap<PrincipalName, Record>>,
}

impl Lockout {
    /// An empty table under these rules.
    #[must_use]
    pub fn new(rules: LockoutRules) -> Self {
        Self { rules, pairs: Mutex::default(), accounts: Mutex::default() }
    }

    /// How long this pair is still locked, if it is.
    #[must_use]
    pub fn locked(&self, address: AddressKey, account: &PrincipalName, now: Instant) -> Option<Duration> {
        let pairs = self.pairs.lock();
        let until = pairs.get(&(address, account.clone()))?.locked_until?;
        (now < until).then(|| until.duration_since(now))
    }

    /// How long an answer to a login of this account should wait, whatever address it comes from.
    #[must_use]
    pub fn delay(&self, account: &PrincipalName, now: Instant) -> Duration {
        let accounts = self.accounts.lock();
        let Some(record) = accounts.get(account).filter(|record| !self.forgotten(record, now)) else {
            return Duration::ZERO;
        };
        let over = record.failures.saturating_sub(self.rules.threshold);
        Duration::from_millis(100).saturating_mul(over).min(self.rules.account_delay)
    }

    /// Counts a failed login: how many there are now, and what follows.
    pub fn failed(&self, address: AddressKey, account: &PrincipalName, now: Instant) -> (u32, Failure) {
        self.count(&mut self.accounts.lock(), account.clone(), now);
        let mut pairs = self.pairs.lock();
        let key = (address, account.clone());
        let failures = self.count(&mut pairs, key.clone(), now);
        let Some(over) = failures.checked_sub(self.rules.threshold) else {
            return (failures, Failure::Counted);
        };
        let time = self.rules.base.saturating_mul(1 << over.min(MAX_DOUBLINGS)).min(self.rules.maximum);
        if let Some(record) = pairs.get_mut(&key) {
            record.locked_until = now.checked_add(time);
        }
        (failures, Failure::Locked(time))
    }

    /// Forgets the failures of this pair after a good login. The account's own count fades by itself, since
    /// others may still be trying.
    pub fn succeeded(&self, address: AddressKey, account: &PrincipalName) {
        self.pairs.lock().remove(&(address, account.clone()));
    }

    fn count<K: Hash + Eq + Clone>(&self, table: &mut HashMap<K, Record>, key: K, now: Instant) -> u32 {
        self.make_room(table, now);
        let fresh = Record { failures: 0, last: now, locked_until: None };
        let record = table.entry(key).or_insert(fresh);
        if self.forgotten(record, now) {
            *record = fresh;
        }
        record.failures = record.failures.saturating_add(1);
        record.last = now;
        record.failures
    }

    fn make_room<K: Hash + Eq + Clone>(&self, table: &mut HashMap<K, Record>, now: Instant) {
        if table.len() < MAX_ENTRIES {
            return;
        }
        table.retain(|_, record| !self.forgotten(record, now));
        if table.len() < MAX_ENTRIES {
            return;
        }
        let oldest = table.iter().min_by_key(|(_, record)| record.last).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            table.remove(&key);
        }
    }

    fn forgotten(&self, record: &Record, now: Instant) -> bool {
        let locked = record.locked_until.is_some_and(|until| now < until);
        !locked && MEMORY.max(self.rules.maximum) <= now.saturating_duration_since(record.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const RULES: LockoutRules = LockoutRules {
        threshold: 3,
        base: Duration::from_secs(10),
        maximum: Duration::from_secs(60),
        account_delay: Duration::from_secs(3),
    };

    fn address(last: u8) -> AddressKey {
        AddressKey::from(IpAddr::from([192, 0, 2, last]))
    }

    fn alice() -> PrincipalName {
        PrincipalName::local("alice").unwrap()
    }

    #[test]
    fn locks_at_the_threshold_and_doubles() {
        let (lockout, now) = (Lockout::new(RULES), Instant::now());
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Counted);
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Counted);
        assert_eq!(lockout.locked(address(1), &alice(), now), None);
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Locked(Duration::from_secs(10)));
        assert_eq!(lockout.locked(address(1), &alice(), now), Some(Duration::from_secs(10)));
        assert_eq!(lockout.locked(address(1), &alice(), now + Duration::from_secs(10)), None);
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Locked(Duration::from_secs(20)));
        for _ in 0..40 {
            lockout.failed(address(1), &alice(), now);
        }
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Locked(Duration::from_secs(60)));
    }

    #[test]
    fn a_stranger_locks_nobody_else_out_but_slows_the_account() {
        let (lockout, now) = (Lockout::new(RULES), Instant::now());
        for _ in 0..100 {
            lockout.failed(address(66), &alice(), now);
        }
        assert_eq!(lockout.locked(address(1), &alice(), now), None);
        assert_eq!(lockout.delay(&alice(), now), RULES.account_delay);
        assert_eq!(lockout.delay(&alice(), now + Duration::from_secs(3600)), Duration::ZERO);
    }

    #[test]
    fn success_and_time_forget() {
        let (lockout, now) = (Lockout::new(RULES), Instant::now());
        lockout.failed(address(1), &alice(), now);
        lockout.failed(address(1), &alice(), now);
        lockout.succeeded(address(1), &alice());
        assert_eq!(lockout.failed(address(1), &alice(), now).1, Failure::Counted);
        lockout.failed(address(1), &alice(), now);
        assert_eq!(lockout.failed(address(1), &alice(), now + MEMORY).1, Failure::Counted);
    }

    #[test]
    fn the_table_is_bounded() {
        let (lockout, now) = (Lockout::new(RULES), Instant::now());
        for n in 0..u32::try_from(MAX_ENTRIES).unwrap() + 10 {
            lockout.failed(AddressKey::from(IpAddr::from(n.to_be_bytes())), &alice(), now);
        }
        assert_eq!(lockout.pairs.lock().len(), MAX_ENTRIES);
    }
}

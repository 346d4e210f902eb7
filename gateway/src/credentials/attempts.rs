//! How often a credential may still be tried.

use std::collections::HashMap;

/// Refusals by targets after which a credential is not tried again.
pub(super) const MAX_REFUSALS: u32 = 2;
/// Account realms that are told apart; targets beyond that share one.
const MAX_REALMS: usize = 64;

/// The credential was refused so many times and is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub u32);

#[derive(Debug, Default)]
struct Realm {
    in_flight: u32,
    proven: bool,
}

/// The attempts with one credential.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    refusals: u32,
    realms: HashMap<String, Realm>,
}

impl Attempts {
    /// Whether one more authentication may start now; `false` means to wait for the outcome of another.
    pub(super) fn begin(&mut self, realm: &str) -> Result<bool, Refused> {
        if MAX_REFUSALS <= self.refusals {
            return Err(Refused(self.refusals));
        }
        let refusals = self.refusals;
        let realm = self.realm(realm);
        if !realm.proven && MAX_REFUSALS <= refusals.saturating_add(realm.in_flight) {
            return Ok(false);
        }
        realm.in_flight = realm.in_flight.saturating_add(1);
        Ok(true)
    }

    pub(super) fn unknown(&mut self, realm: &str) {
        let realm = self.realm(realm);
        realm.in_flight = realm.in_flight.saturating_sub(1);
    }

    pub(super) fn accepted(&mut self, realm: &str) {
        self.unknown(realm);
        self.realm(realm).proven = true;
    }

    pub(super) fn refused(&mut self, realm: &str) {
        self.unknown(realm);
        self.refusals = self.refusals.saturating_add(1);
    }

    fn realm(&mut self, name: &str) -> &mut Realm {
        let name = name.to_lowercase();
        let known = self.realms.contains_key(&name) || self.realms.len() < MAX_REALMS;
        self.realms.entry(if known { name } else { String::new() }).or_default()
    }
}

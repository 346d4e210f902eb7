//! How many connections and handshakes there may be, per address and in total, before anybody is known.

use crate::limits::AddressKey;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct CapRules {
    /// Open connections in total.
    pub connections: usize,
    /// Open connections of one address.
    pub connections_per_address: usize,
    /// Connections that are not logged in yet, in total.
    pub handshakes: usize,
    /// The same of one address.
    pub handshakes_per_address: usize,
}

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Too many connections in total.
    Connections,
    /// Too many connections, or logins under way, of this address.
    Address,
}

impl Full {
    /// The word for audit and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Address => "address",
        }
    }
}

#[derive(Debug, Default)]
struct Open {
    connections: usize,
    handshakes: usize,
}

#[derive(Debug, Default)]
struct Counts {
    total: Open,
    addresses: HashMap<AddressKey, Open>,
    /// The logins under way, oldest first.
    handshakes: BTreeMap<u64, (AddressKey, CancellationToken)>,
    serial: u64,
}

/// Counts what is open.
#[derive(Debug)]
pub struct Caps {
    rules: CapRules,
    counts: Mutex<Counts>,
}

impl Caps {
    /// Nothing open yet.
    #[must_use]
    pub fn new(rules: CapRules) -> Arc<Self> {
        Arc::new(Self { rules, counts: Mutex::default() })
    }

    /// Lets one connection in, with the slot of a login that is still under way. When there are as many of these
    /// as may be, the oldest gives way: who floods the gateway with connections that say nothing, from however
    /// many addresses, keeps nobody out, since a login takes milliseconds.
    ///
    /// # Errors
    /// Which number is reached.
    pub fn admit(self: &Arc<Self>, address: AddressKey) -> Result<(ConnectionSlot, HandshakeSlot), Full> {
        let mut counts = self.counts.lock();
        let (connections, handshakes) =
            counts.addresses.get(&address).map_or((0, 0), |open| (open.connections, open.handshakes));
        if self.rules.connections_per_address <= connections || self.rules.handshakes_per_address <= handshakes {
            return Err(Full::Address);
        }
        if self.rules.connections <= counts.total.connections {
            return Err(Full::Connections);
        }
        if self.rules.handshakes <= counts.total.handshakes {
            counts.give_up_oldest();
        }
        counts.change(address, |open| {
            open.connections = open.connections.saturating_add(1);
            open.handshakes = open.handshakes.saturating_add(1);
        });
        let (serial, given_up) = counts.begin(address);
        let connection = ConnectionSlot { caps: Arc::clone(self), address };
        Ok((connection, HandshakeSlot { caps: Arc::clone(self), serial, given_up }))
    }

    /// Open connections now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.lock().total.connections
    }

    /// Connections that are not logged in now.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.counts.lock().total.handshakes
    }
}

impl Counts {
    fn begin(&mut self, address: AddressKey) -> (u64, CancellationToken) {
        let given_up = CancellationToken::new();
        self.serial = self.serial.wrapping_add(1);
        self.handshakes.insert(self.serial, (address, given_up.clone()));
        (self.serial, given_up)
    }

    fn give_up_oldest(&mut self) {
        if let Some((_, (address, given_up))) = self.handshakes.pop_first() {
            self.ended(address);
            given_up.cancel();
        }
    }

    fn ended(&mut self, address: AddressKey) {
        self.change(address, |open| open.handshakes = open.handshakes.saturating_sub(1));
    }

    fn change(&mut self, address: AddressKey, change: impl Fn(&mut Open)) {
        change(&mut self.total);
        let open = self.addresses.entry(address).or_default();
        change(open);
        if open.connections == 0 && open.handshakes == 0 {
            self.addresses.remove(&address);
        }
    }
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    caps: Arc<Caps>,
    address: AddressKey,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = self.caps.counts.lock();
        counts.change(self.address, |open| open.connections = open.connections.saturating_sub(1));
    }
}

/// One login under way; gives its place back when dropped.
#[derive(Debug)]
pub struct HandshakeSlot {
    caps: Arc<Caps>,
    serial: u64,
    given_up: CancellationToken,
}

impl HandshakeSlot {
    /// Cancelled when the login has to make room for another.
    #[must_use]
    pub fn given_up(&self) -> CancellationToken {
        self.given_up.clone()
    }
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        let mut counts = self.caps.counts.lock();
        // Whoever had to make room has given the place back already.
        if let Some((address, _)) = counts.handshakes.remove(&self.serial) {
            counts.ended(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(last: u8) -> AddressKey {
        AddressKey::from(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn every_number_holds_and_places_come_back() {
        let caps = Caps::new(CapRules {
            connections: 3,
            connections_per_address: 2,
            handshakes: 2,
            handshakes_per_address: 2,
        });
        let first = caps.admit(address(1)).unwrap();
        let second = caps.admit(address(1)).unwrap();
        assert_eq!(caps.admit(address(1)).unwrap_err(), Full::Address);
        assert_eq!(caps.connections(), 2);
        drop(second.1);
        let third = caps.admit(address(2)).unwrap();
        drop(third.1);
        assert_eq!(caps.admit(address(3)).unwrap_err(), Full::Connections);
        drop((first, second.0, third.0));
        assert_eq!((caps.connections(), caps.handshakes()), (0, 0));
        assert!(caps.counts.lock().addresses.is_empty());
    }

    #[test]
    fn one_address_does_not_take_all_logins() {
        let caps = Caps::new(CapRules {
            connections: 9,
            connections_per_address: 9,
            handshakes: 9,
            handshakes_per_address: 1,
        });
        let first = caps.admit(address(1)).unwrap();
        assert_eq!(caps.admit(address(1)).unwrap_err(), Full::Address);
        assert!(caps.admit(address(2)).is_ok());
        drop(first.1);
        assert!(caps.admit(address(1)).is_ok());
    }

    #[test]
    fn the_oldest_login_under_way_makes_room_for_a_new_one() {
        let caps = Caps::new(CapRules {
            connections: 9,
            connections_per_address: 9,
            handshakes: 2,
            handshakes_per_address: 9,
        });
        let (known, oldest, newer) =
            (caps.admit(address(1)).unwrap(), caps.admit(address(1)).unwrap(), caps.admit(address(2)).unwrap());
        // The first of all made room already, which is no harm to one that has logged in by then.
        assert!(known.1.given_up().is_cancelled());
        assert!(!oldest.1.given_up().is_cancelled());
        let newest = caps.admit(address(3)).unwrap();
        assert!(oldest.1.given_up().is_cancelled());
        assert!(!newer.1.given_up().is_cancelled() && !newest.1.given_up().is_cancelled());
        assert_eq!((caps.connections(), caps.handshakes()), (4, 2));
        drop((known, oldest));
        assert_eq!((caps.connections(), caps.handshakes()), (2, 2));
        drop(newest.1);
        let _room = caps.admit(address(4)).unwrap();
        assert!(!newer.1.given_up().is_cancelled());
        drop((newer, newest.0));
        assert_eq!((caps.connections(), caps.handshakes()), (1, 1));
    }
}

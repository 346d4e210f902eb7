//! How many connections and handshakes there may be, per address and in total, before anybody is known.

use crate::limits::AddressKey;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

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
    /// Too many connections that are not logged in yet.
    Handshakes,
}

impl Full {
    /// The word for audit and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Address => "address",
            Self::Handshakes => "handshakes",
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

    /// Lets one connection in, with the slot of a login that is still under way.
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
            return Err(Full::Handshakes);
        }
        counts.change(address, |open| {
            open.connections = open.connections.saturating_add(1);
            open.handshakes = open.handshakes.saturating_add(1);
        });
        Ok((ConnectionSlot { caps: Arc::clone(self), address }, HandshakeSlot { caps: Arc::clone(self), address }))
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
    address: AddressKey,
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        let mut counts = self.caps.counts.lock();
        counts.change(self.address, |open| open.handshakes = open.handshakes.saturating_sub(1));
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
        assert_eq!(caps.admit(address(2)).unwrap_err(), Full::Handshakes);
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
}

//! How many connections and handshakes there may be, per address and in total, before anybody is known.

use crate::limits::AddressKey;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct CapRules {
    /// Open connections in total.
    pub connections: usize,
    /// Open connections of one address.
    pub connections_per_address: usize,
    /// Connections that are not logged in yet, in total.
    pub handshakes: usize,
}

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Too many connections in total.
    Connections,
    /// Too many connections of this address.
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
            Self::Address => "connections_per_address",
            Self::Handshakes => "handshakes",
        }
    }
}

/// Counts what is open.
#[derive(Debug)]
pub struct Caps {
    rules: CapRules,
    addresses: Mutex<HashMap<AddressKey, usize>>,
    connections: AtomicUsize,
    handshakes: AtomicUsize,
}

impl Caps {
    /// Nothing open yet.
    #[must_use]
    pub fn new(rules: CapRules) -> Arc<Self> {
        Arc::new(Self {
            rules,
            addresses: Mutex::default(),
            connections: AtomicUsize::new(0),
            handshakes: AtomicUsize::new(0),
        })
    }

    /// Lets one connection in, with the slot of a login that is still under way.
    ///
    /// # Errors
    /// Which number is reached.
    pub fn admit(self: &Arc<Self>, address: AddressKey) -> Result<(ConnectionSlot, HandshakeSlot), Full> {
        let connection = self.connection(address)?;
        if !raise(&self.handshakes, self.rules.handshakes) {
            return Err(Full::Handshakes);
        }
        Ok((connection, HandshakeSlot { caps: Arc::clone(self) }))
    }

    /// Open connections now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections that are not logged in now.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::Relaxed)
    }

    fn connection(self: &Arc<Self>, address: AddressKey) -> Result<ConnectionSlot, Full> {
        let mut addresses = self.addresses.lock();
        let of_address = addresses.entry(address).or_insert(0);
        if self.rules.connections_per_address <= *of_address {
            return Err(Full::Address);
        }
        if !raise(&self.connections, self.rules.connections) {
            if *of_address == 0 {
                addresses.remove(&address);
            }
            return Err(Full::Connections);
        }
        *of_address = of_address.saturating_add(1);
        Ok(ConnectionSlot { caps: Arc::clone(self), address })
    }
}

fn raise(counter: &AtomicUsize, limit: usize) -> bool {
    counter
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < limit).then(|| now.saturating_add(1)))
        .is_ok()
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    caps: Arc<Caps>,
    address: AddressKey,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.caps.connections.fetch_sub(1, Ordering::AcqRel);
        let mut addresses = self.caps.addresses.lock();
        if let Some(of_address) = addresses.get_mut(&self.address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

/// One login under way; gives its place back when dropped.
#[derive(Debug)]
pub struct HandshakeSlot {
    caps: Arc<Caps>,
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        self.caps.handshakes.fetch_sub(1, Ordering::AcqRel);
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
        let caps = Caps::new(CapRules { connections: 3, connections_per_address: 2, handshakes: 2 });
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
        assert!(caps.addresses.lock().is_empty());
    }
}

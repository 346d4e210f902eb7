//! Rates and lockout: what a client may cost us, before and after it is known.

pub mod lockout;
pub mod rates;

use std::net::IpAddr;
use std::time::Duration;

/// What one network client is counted by: an IPv4 address, or the /64 of an IPv6 address, since a single
/// host has a whole /64 to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        })
    }
}

/// The seconds that a client is told to wait: whole ones, and never less than it has to.
#[must_use]
pub fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(0 < time.subsec_nanos())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_as_long_as_told_has_waited_long_enough() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5000, 5)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }

    #[test]
    fn one_host_is_one_key() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
    }
}

//! Conditions of an assignment: when and from where. What is not known does not hold.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::action::Circumstances;

/// What has to hold beside user and target. Nothing stated holds always.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// One of these windows.
    pub(crate) when: Option<Vec<Window>>,
    /// One of these networks.
    pub(crate) sources: Option<Vec<IpNet>>,
}

/// Days of the week and hours of the day, by the clock on the wall of a time zone.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Days on which it begins.
    pub(crate) days: Days,
    pub(crate) hours: Hours,
    pub(crate) zone: TimeZone,
}

/// A set of days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days(u8);

/// From a minute of the day until before another: the next day's if it is not later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hours {
    from: u16,
    to: u16,
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

impl Conditions {
    /// Whether nothing has to hold.
    pub(crate) fn always_hold(&self) -> bool {
        self.when.is_none() && self.sources.is_none()
    }

    /// Whether they hold; a fact that is missing does not.
    pub(crate) fn hold(&self, circumstances: &Circumstances) -> bool {
        let when = self.when.as_ref().is_none_or(|windows| {
            let time = circumstances.unix_time.and_then(|seconds| Timestamp::from_second(seconds).ok());
            time.is_some_and(|time| windows.iter().any(|window| window.holds(time)))
        });
        let source = self.sources.as_ref().is_none_or(|networks| {
            let address = circumstances.source.map(|address| address.to_canonical());
            address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
        });
        when && source
    }
}

impl Window {
    fn holds(&self, time: Timestamp) -> bool {
        let local = self.zone.to_datetime(time);
        let (hour, minute) = (u16::from(local.hour().unsigned_abs()), u16::from(local.minute().unsigned_abs()));
        let minute = hour.saturating_mul(60).saturating_add(minute);
        let today = self.days.contains(local.weekday());
        if self.hours.from < self.hours.to {
            return today && self.hours.from <= minute && minute < self.hours.to;
        }
        let yesterday = self.days.contains(local.weekday().previous());
        today && self.hours.from <= minute || yesterday && minute < self.hours.to
    }
}

impl Days {
    pub(crate) const ALL: Self = Self(0b111_1111);
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn with(self, day: Weekday) -> Self {
        Self(self.0 | bit(day))
    }

    pub(crate) fn contains(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }

    /// Reads `mon` or `Monday`.
    pub(crate) fn parse(text: &str) -> Option<Weekday> {
        const NAMES: [(&str, Weekday); 7] = [
            ("monday", Weekday::Monday),
            ("tuesday", Weekday::Tuesday),
            ("wednesday", Weekday::Wednesday),
            ("thursday", Weekday::Thursday),
            ("friday", Weekday::Friday),
            ("saturday", Weekday::Saturday),
            ("sunday", Weekday::Sunday),
        ];
        let text = text.to_ascii_lowercase();
        let short = |name: &str| name.get(..3).is_some_and(|short| short == text);
        NAMES.iter().find(|(name, _)| *name == text || short(name)).map(|(_, day)| *day)
    }
}

fn bit(day: Weekday) -> u8 {
    match day {
        Weekday::Monday => 1,
        Weekday::Tuesday => 1 << 1,
        Weekday::Wednesday => 1 << 2,
        Weekday::Thursday => 1 << 3,
        Weekday::Friday => 1 << 4,
        Weekday::Saturday => 1 << 5,
        Weekday::Sunday => 1 << 6,
    }
}

impl Hours {
    pub(crate) const ALL: Self = Self { from: 0, to: DAY };

    /// Takes minutes of the day; `None` when both are the same, which could mean all or nothing.
    pub(crate) fn new(from: u16, to: u16) -> Option<Self> {
        (from != to && from < DAY && to <= DAY).then_some(Self { from, to })
    }

    /// Reads `08:00` as minutes of the day, up to `24:00`.
    pub(crate) fn parse(text: &str) -> Option<u16> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |digits: &str| {
            let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            two.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
        let all = hours.saturating_mul(60).saturating_add(minutes);
        (all <= DAY).then_some(all)
    }
}

/// The time zone of an IANA name, from this crate's own copy of the database.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// All names of time zones, for hints.
pub(crate) fn time_zone_names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// Reads a network such as `10.0.0.0/8`, or a single address; the error is a hint.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| "write 10.0.0.0/8, fd00::/8 or 10.0.0.1".to_owned())?),
    };
    if network.trunc() != network {
        return Err(format!("write {}", network.trunc()));
    }
    match network {
        IpNet::V6(six) if six.addr().to_ipv4_mapped().is_some() => Err("write the IPv4 network itself".to_owned()),
        IpNet::V4(_) | IpNet::V6(_) => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Circumstances {
        let time: Timestamp = text.parse().unwrap();
        Circumstances { unix_time: Some(time.as_second()), source: None }
    }

    fn window(days: &[&str], from: &str, to: &str, zone: &str) -> Conditions {
        let days = days.iter().fold(Days::NONE, |days, day| days.with(Days::parse(day).unwrap()));
        let hours = Hours::new(Hours::parse(from).unwrap(), Hours::parse(to).unwrap()).unwrap();
        let window = Window { days, hours, zone: time_zone(zone).unwrap() };
        Conditions { when: Some(vec![window]), sources: None }
    }

    #[test]
    fn office_hours_are_those_of_the_zone() {
        let office = window(&["mon", "Tuesday"], "08:00", "18:00", "Asia/Tokyo");
        for (time, holds) in [
            // 2026-08-31 is a Monday; Tokyo is nine hours ahead.
            ("2026-08-30T22:59:59Z", false),
            ("2026-08-30T23:00:00Z", true),
            ("2026-08-31T08:59:59Z", true),
            ("2026-08-31T09:00:00Z", false),
            ("2026-09-01T00:00:00Z", true),
            ("2026-09-02T00:00:00Z", false),
        ] {
            assert_eq!(office.hold(&at(time)), holds, "{time}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = window(&["fri"], "22:00", "06:00", "Europe/Berlin");
        for (time, holds) in [
            // 2026-08-28 is a Friday; Berlin is two hours ahead in summer.
            ("2026-08-28T19:59:00Z", false),
            ("2026-08-28T20:00:00Z", true),
            ("2026-08-29T03:59:00Z", true),
            ("2026-08-29T04:00:00Z", false),
            ("2026-08-29T20:30:00Z", false),
            ("2026-08-28T03:00:00Z", false),
        ] {
            assert_eq!(night.hold(&at(time)), holds, "{time}");
        }
    }

    #[test]
    fn summer_time_moves_the_window_with_the_wall_clock() {
        let morning = window(&["sun"], "01:30", "03:30", "America/New_York");
        for (time, holds) in [
            // 2026-03-08, 02:00 to 03:00 does not exist: 01:30 EST is 06:30Z, 03:30 EDT is 07:30Z.
            ("2026-03-08T06:29:00Z", false),
            ("2026-03-08T06:30:00Z", true),
            ("2026-03-08T07:29:00Z", true),
            ("2026-03-08T07:30:00Z", false),
            // 2026-11-01, 01:00 to 02:00 is there twice: both 01:30 are within.
            ("2026-11-01T05:30:00Z", true),
            ("2026-11-01T06:10:00Z", false),
            ("2026-11-01T06:30:00Z", true),
            ("2026-11-01T08:29:00Z", true),
            ("2026-11-01T08:30:00Z", false),
        ] {
            assert_eq!(morning.hold(&at(time)), holds, "{time}");
        }
    }

    #[test]
    fn the_end_of_the_day_is_within_and_missing_facts_deny() {
        let late = window(&["sun"], "23:00", "24:00", "UTC");
        assert!(late.hold(&at("2026-08-30T23:59:59Z")) && !late.hold(&at("2026-08-31T00:00:00Z")));
        assert!(!late.hold(&Circumstances::default()));
        let odd = Circumstances { unix_time: Some(i64::MAX), source: None };
        assert!(!late.hold(&odd));
        let sources = Conditions { when: None, sources: Some(vec![network("10.0.0.0/8").unwrap()]) };
        assert!(!sources.hold(&Circumstances::default()));
        assert!(Conditions::default().hold(&Circumstances::default()));
    }

    #[test]
    fn sources_are_networks_of_either_family() {
        let networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"].map(|text| network(text).unwrap());
        let conditions = Conditions { when: None, sources: Some(networks.to_vec()) };
        for (address, holds) in [
            ("10.255.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            let source = Some(address.parse().unwrap());
            assert_eq!(conditions.hold(&Circumstances { unix_time: None, source }), holds, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_hour_day_or_zone_is_refused() {
        assert_eq!(network("10.0.0.1/8"), Err("write 10.0.0.0/8".to_owned()));
        for bad in ["", "10.0.0.0/33", "10.0.0", "::ffff:10.0.0.0/104", "a", "10.0.0.0/8 ", "fe80::1%eth0"] {
            assert!(network(bad).is_err(), "{bad}");
        }
        for bad in ["8:00", "08:60", "24:01", "0800", "08:00:00", "", "+8:00", "08: 0"] {
            assert_eq!(Hours::parse(bad), None, "{bad}");
        }
        assert_eq!(Hours::new(60, 60), None);
        assert_eq!(Days::parse("mo"), None);
        assert!(time_zone("Asia/Tokio").is_none() && time_zone("").is_none());
        assert!(time_zone_names().iter().any(|name| name == "Asia/Tokyo"));
    }
}

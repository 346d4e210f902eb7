//! `[limits]`, `[sessions]` and `[jobs]`: numbers, their bounds, and what holds without them.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::model::{Jobs, Limits, Lockout, Rate, Rates, Sessions};
use crate::config::reader::{Reader, Section};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn limits(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Limits {
    let mut section = top.section(reader, "limits");
    let section_ref = &mut section;
    let limits = Limits {
        connections: section_ref.count(reader, "connections", 1..=100_000, 4096),
        connections_per_address: section_ref.count(reader, "connections_per_address", 1..=100_000, 256),
        handshakes: section_ref.count(reader, "handshakes", 1..=10_000, 256),
        handshakes_per_address: section_ref.count(reader, "handshakes_per_address", 1..=10_000, 32),
        login_legs: u32::try_from(section_ref.count(reader, "login_legs", 4..=64, 16)).unwrap_or(16),
        login_bytes: to_usize(section_ref.bytes(reader, "login_bytes", (16 << 10)..=(16 << 20), 1 << 20)),
        login_time: section_ref.duration(reader, "login_time", SECOND..=MINUTE * 5, SECOND * 20),
        idle_connection: section_ref.duration(reader, "idle_connection", SECOND..=HOUR, MINUTE * 20),
        body_bytes: to_usize(section_ref.bytes(reader, "body_bytes", (64 << 10)..=(4 << 20), 768 << 10)),
        shells_per_principal: section_ref.count(reader, "shells_per_principal", 1..=10_000, 100),
        shells_per_target: section_ref.count(reader, "shells_per_target", 1..=10_000, 100),
        commands_per_shell: section_ref.count(reader, "commands_per_shell", 1..=100, 8),
        rates: rates(section_ref, reader),
        lockout: lockout(section_ref, reader),
    };
    let span = section.span.clone();
    section.finish(reader);
    if limits.connections_per_address > limits.connections {
        reader.mistake(
            &span,
            "`limits.connections_per_address` is above `limits.connections`",
            "raise the total or lower it",
        );
    }
    if limits.handshakes_per_address > limits.handshakes {
        reader.mistake(
            &span,
            "`limits.handshakes_per_address` is above `limits.handshakes`",
            "raise the total or lower it",
        );
    }
    limits
}

pub(super) fn sessions(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Sessions {
    let mut section = top.section(reader, "sessions");
    let sessions = Sessions {
        idle: section.duration(reader, "idle", SECOND * 10..=DAY, MINUTE * 15),
        lifetime: section.duration(reader, "lifetime", MINUTE..=DAY * 7, HOUR * 12),
        maximum_operation_timeout: section.duration(reader, "maximum_operation_timeout", SECOND..=MINUTE * 10, MINUTE),
        drain: section.duration(reader, "drain", SECOND..=MINUTE * 10, SECOND * 20),
    };
    let span = section.span.clone();
    section.finish(reader);
    if sessions.idle > sessions.lifetime {
        reader.mistake(&span, "`sessions.idle` is above `sessions.lifetime`", "lower it");
    }
    if sessions.maximum_operation_timeout >= sessions.idle {
        let message = "`sessions.maximum_operation_timeout` is not below `sessions.idle`";
        reader.mistake(&span, message, "lower it, so that a client that waits for output is not idle");
    }
    sessions
}

pub(super) fn jobs(top: &mut Section<'_>, reader: &mut Reader<'_>) -> Jobs {
    let mut section = top.section(reader, "jobs");
    let jobs = Jobs {
        targets: section.count(reader, "targets", 1..=10_000, 1000),
        throttle: section.count(reader, "throttle", 1..=1000, 64),
        jobs_per_principal: section.count(reader, "jobs_per_principal", 1..=100, 4),
        deadline: section.duration(reader, "deadline", SECOND..=DAY, HOUR),
        buffer_bytes: to_usize(section.bytes(reader, "buffer_bytes", (4 << 10)..=(16 << 20), 256 << 10)),
    };
    section.finish(reader);
    jobs
}

fn rates(limits: &mut Section<'_>, reader: &mut Reader<'_>) -> Rates {
    let mut section = limits.section(reader, "rates");
    let rates = Rates {
        logins_per_address: rate(&mut section, reader, "logins_per_address", (120, 60)),
        commands_per_principal: rate(&mut section, reader, "commands_per_principal", (600, 200)),
        commands_per_target: rate(&mut section, reader, "commands_per_target", (600, 200)),
        commands: rate(&mut section, reader, "commands", (12_000, 2000)),
    };
    section.finish(reader);
    rates
}

fn rate(rates: &mut Section<'_>, reader: &mut Reader<'_>, key: &'static str, (per_minute, burst): (u32, u32)) -> Rate {
    const MAX: u64 = 10_000_000;
    let mut section = rates.section(reader, key);
    let mut positive = |key, default: u32| {
        let number = section.number(reader, key, 1..=MAX, u64::from(default));
        NonZeroU32::new(u32::try_from(number).unwrap_or(default)).unwrap_or(NonZeroU32::MIN)
    };
    let rate = Rate { per_minute: positive("per_minute", per_minute), burst: positive("burst", burst) };
    section.finish(reader);
    rate
}

fn lockout(limits: &mut Section<'_>, reader: &mut Reader<'_>) -> Lockout {
    let mut section = limits.section(reader, "lockout");
    let lockout = Lockout {
        failures: u32::try_from(section.count(reader, "failures", 1..=1000, 5)).unwrap_or(5),
        first: section.duration(reader, "first", SECOND..=HOUR, SECOND * 30),
        longest: section.duration(reader, "longest", SECOND..=DAY, HOUR),
        account_delay: section.duration(reader, "account_delay", Duration::ZERO..=SECOND * 10, SECOND * 2),
    };
    let span = section.span.clone();
    section.finish(reader);
    if lockout.first > lockout.longest {
        reader.mistake(&span, "`limits.lockout.first` is above `limits.lockout.longest`", "lower it");
    }
    lockout
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

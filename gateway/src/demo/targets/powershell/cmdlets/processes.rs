//! Processes of this machine, from `/proc`.

use super::{Each, Entry, Given, Input, fits, named, next};
use crate::demo::targets::powershell::effect::{Effect, Effects, all};
use crate::demo::targets::powershell::errors::Error;
use crate::demo::targets::powershell::objects::{long, members, typed};
use sekisho_protocol::clixml::{Real, RealKind, Value};

pub(super) const ENTRIES: [Entry; 1] = [Entry {
    name: "Get-Process",
    parameters: &[next("Name"), named("Id")],
    make: |given| Each::boxed(given, Input::Refused, show),
}];

/// Processes at most.
const MAX_PROCESSES: usize = 4096;
/// Bytes of a page and parts of a second in which the kernel counts: what every Linux on the machines that are
/// supported has.
const PAGE: u64 = 4096;
const TICKS: u64 = 100;

/// What one line of `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    name: String,
    session: i32,
    /// Parts of a second on the processor.
    ticks: u64,
    threads: i32,
    virtual_bytes: u64,
    resident_bytes: u64,
}

fn show(given: &Given, _input: Option<Value>) -> Effects {
    let processes = running();
    let names = given.bound.texts("Name");
    let ids: Vec<i64> = given.bound.texts("Id").iter().filter_map(|id| id.parse().ok()).collect();
    let chosen = |process: &&Process| {
        let by_name = names.is_empty() || names.iter().any(|name| fits(name, &process.name));
        by_name && (ids.is_empty() || ids.contains(&process.id.into()))
    };
    let mut effects: Vec<_> = processes.iter().filter(chosen).map(|process| Effect::Output(encode(process))).collect();
    let absent = names
        .iter()
        .filter(|name| !name.contains(['*', '?']) && !processes.iter().any(|process| fits(name, &process.name)));
    effects.extend(absent.map(|name| {
        let message = format!(
            "Cannot find a process with the name \"{name}\". Verify the process name and call the \
                               cmdlet again."
        );
        Effect::Error(Error::not_found("NoProcessFoundForGivenName", given.command, name, message))
    }));
    all(effects)
}

/// Those of this machine by name. A process that ends meanwhile is left out.
fn running() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut processes: Vec<Process> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|id| parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?))
        .take(MAX_PROCESSES)
        .collect();
    processes.sort_by_key(|process| (process.name.to_lowercase(), process.id));
    processes
}

/// Reads a line of `stat`. The name stands in parentheses and may hold any character, so that the last one counts.
fn parse(line: &str) -> Option<Process> {
    let (id, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Process {
        id: id.parse().ok()?,
        name: name.to_owned(),
        session: fields.get(3)?.parse().ok()?,
        ticks: number(11)?.saturating_add(number(12)?),
        threads: fields.get(17)?.parse().ok()?,
        virtual_bytes: number(20)?,
        resident_bytes: number(21)?.saturating_mul(PAGE),
    })
}

/// A process as PowerShell sends it.
fn encode(process: &Process) -> Value {
    const TYPES: [&str; 4] =
        ["System.Diagnostics.Process", "System.ComponentModel.Component", "System.MarshalByRefObject", "System.Object"];
    let Process { id, name, session, ticks, threads, virtual_bytes, resident_bytes } = process;
    let (seconds, rest) = (ticks.checked_div(TICKS).unwrap_or(0), ticks.checked_rem(TICKS).unwrap_or(0));
    let cpu = Value::Real(Real { kind: RealKind::Double, text: format!("{seconds}.{rest:02}") });
    typed(
        &TYPES,
        &format!("System.Diagnostics.Process ({name})"),
        members([
            ("HasExited", Value::Bool(false)),
            ("Id", Value::int(*id)),
            ("MachineName", Value::text(".")),
            ("ProcessName", Value::text(name.as_str())),
            ("SessionId", Value::int(*session)),
            ("VirtualMemorySize64", long(*virtual_bytes)),
            ("WorkingSet64", long(*resident_bytes)),
            ("TotalProcessorTime", Value::Duration(format!("PT{seconds}.{rest:02}S"))),
        ]),
        members([
            ("Name", Value::text(name.as_str())),
            ("SI", Value::int(*session)),
            ("VM", long(*virtual_bytes)),
            ("WS", long(*resident_bytes)),
            ("CPU", cpu),
            ("ThreadCount", Value::int(*threads)),
        ]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let line = "42 (a) b (c)) S 1 42 7 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 3 0 12 8192 2 18446744073709551615";
        let expected = Process {
            id: 42,
            name: "a) b (c)".to_owned(),
            session: 7,
            ticks: 200,
            threads: 3,
            virtual_bytes: 8192,
            resident_bytes: 8192,
        };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse("42 (a) S 1"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_runs() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(running().iter().any(|process| process.id == me && process.threads > 0));
    }
}

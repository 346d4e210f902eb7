//! What time it is, and what machine this is.

use super::{Each, Entry, Given, Input, named};
use crate::demo::targets::powershell::effect::{Effect, Effects, one};
use crate::demo::targets::powershell::objects::{enumeration, long, member, members, moment, selected, span, typed};
use sekisho_protocol::clixml::{Content, Object, Value};
use time::OffsetDateTime;

pub(super) const ENTRIES: [Entry; 2] = [
    Entry { name: "Get-Date", parameters: &[], make: |given| Each::boxed(given, Input::Refused, date) },
    Entry {
        name: "Get-ComputerInfo",
        parameters: &[named("Property")],
        make: |given| Each::boxed(given, Input::Refused, computer),
    },
];

fn date(_given: &Given, _input: Option<Value>) -> Effects {
    let hint = enumeration("Microsoft.PowerShell.Commands.DisplayHintType", "DateTime", 2);
    one(Effect::Output(Value::object(Object {
        content: Content::Value(moment(OffsetDateTime::now_utc())),
        extended: Some(members([("DisplayHint", hint)])),
        ..Object::default()
    })))
}

/// The facts that Linux has of those that Windows tells.
fn computer(given: &Given, _input: Option<Value>) -> Effects {
    const TYPE: &str = "Microsoft.PowerShell.Commands.ComputerInfo";
    let uname = rustix::system::uname();
    let system = rustix::system::sysinfo();
    let text = |text: &std::ffi::CStr| Value::text(text.to_string_lossy());
    let unit = u64::from(system.mem_unit);
    let bytes = |count: u64| long(count.saturating_mul(unit));
    let info = typed(
        &[TYPE, "System.Object"],
        TYPE,
        members([
            ("CsName", Value::text(given.machine.name())),
            ("CsDNSHostName", text(uname.nodename())),
            ("CsSystemType", text(uname.machine())),
            ("CsTotalPhysicalMemory", bytes(system.totalram)),
            ("CsNumberOfLogicalProcessors", Value::int(processors())),
            ("OsName", text(uname.sysname())),
            ("OsVersion", text(uname.release())),
            ("OsFreePhysicalMemory", bytes(system.freeram)),
            ("OsUptime", span(u64::try_from(system.uptime).unwrap_or(0))),
            ("OsLocalDateTime", moment(OffsetDateTime::now_utc())),
            ("OsNumberOfProcesses", Value::int(system.procs.into())),
        ]),
        Vec::new(),
    );
    let chosen = given.bound.texts("Property");
    if chosen.is_empty() {
        return one(Effect::Output(info));
    }
    let picked = chosen.into_iter().map(|name| {
        let value = member(&info, &name).cloned().unwrap_or(Value::Nil);
        (name, value)
    });
    one(Effect::Output(selected(TYPE, picked.collect())))
}

fn processors() -> i32 {
    std::thread::available_parallelism().ok().and_then(|count| i32::try_from(count.get()).ok()).unwrap_or(1)
}

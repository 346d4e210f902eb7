//! Records of the streams, and what the host shows beside them: PowerShell sends both.

use super::objects::{enumeration, list, members, moment, typed, unsigned};
use sekisho_protocol::clixml::{Object, Value};
use sekisho_protocol::psrp::{HostMethod, MessageType};
use time::OffsetDateTime;

/// A stream for messages to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Warning,
    Verbose,
    Debug,
}

impl Told {
    pub(super) const fn kind(self) -> MessageType {
        match self {
            Self::Warning => MessageType::WarningRecord,
            Self::Verbose => MessageType::VerboseRecord,
            Self::Debug => MessageType::DebugRecord,
        }
    }

    pub(super) const fn shown(self) -> HostMethod {
        match self {
            Self::Warning => HostMethod::WriteWarningLine,
            Self::Verbose => HostMethod::WriteVerboseLine,
            Self::Debug => HostMethod::WriteDebugLine,
        }
    }

    pub(super) fn encode(self, message: &str) -> Value {
        const INFORMATIONAL: &str = "System.Management.Automation.InformationalRecord";
        let name = match self {
            Self::Warning => "System.Management.Automation.WarningRecord",
            Self::Verbose => "System.Management.Automation.VerboseRecord",
            Self::Debug => "System.Management.Automation.DebugRecord",
        };
        typed(
            &[name, INFORMATIONAL, "System.Object"],
            message,
            Vec::new(),
            members([
                ("InformationalRecord_Message", Value::text(message)),
                ("InformationalRecord_SerializeInvocationInfo", Value::Bool(false)),
            ]),
        )
    }
}

/// INFORMATION_RECORD, \[MS-PSRP\] 2.2.2.26.
pub(super) fn information(data: Value, source: &str, tags: &[&str]) -> Value {
    let tags = list(tags.iter().map(|&tag| Value::text(tag)).collect());
    Value::object(Object::of_members([
        ("MessageData", data),
        ("Source", Value::text(source)),
        ("TimeGenerated", moment(OffsetDateTime::now_utc())),
        ("Tags", tags),
        ("User", Value::text("demo")),
        ("Computer", Value::text(super::machine::node_name())),
        ("ProcessId", unsigned(std::process::id())),
        ("NativeThreadId", unsigned(0)),
        ("ManagedThreadId", unsigned(1)),
    ]))
}

/// What `Write-Host` sends as information.
pub(super) fn host_message(message: &str, no_new_line: bool) -> Value {
    let types = ["System.Management.Automation.HostInformationMessage", "System.Object"];
    let adapted = members([
        ("Message", Value::text(message)),
        ("NoNewLine", Value::Bool(no_new_line)),
        ("ForegroundColor", Value::Nil),
        ("BackgroundColor", Value::Nil),
    ]);
    typed(&types, message, adapted, Vec::new())
}

/// PROGRESS_RECORD, \[MS-PSRP\] 2.2.2.25.
pub(super) fn progress(activity: &str, status: &str, percent: i32, completed: bool) -> Value {
    let (shown, code) = if completed { ("Completed", 1) } else { ("Processing", 0) };
    Value::object(Object::of_members([
        ("Activity", Value::text(activity)),
        ("ActivityId", Value::int(0)),
        ("StatusDescription", Value::text(status)),
        ("CurrentOperation", Value::Nil),
        ("ParentActivityId", Value::int(-1)),
        ("PercentComplete", Value::int(percent)),
        ("Type", enumeration("System.Management.Automation.ProgressRecordType", shown, code)),
        ("SecondsRemaining", Value::int(-1)),
    ]))
}

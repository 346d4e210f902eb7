//! What is said to people, waited for, and asked.

use super::{Each, Entry, Given, Input, named, next, switch};
use crate::demo::targets::powershell::effect::{Effect, Effects, all, nothing, one, outputs};
use crate::demo::targets::powershell::errors::Error;
use crate::demo::targets::powershell::objects::{items, text};
use crate::demo::targets::powershell::records::{Told, host_message, information, progress};
use sekisho_protocol::clixml::{Real, RealKind, Value};
use sekisho_protocol::psrp::HostMethod;
use std::time::Duration;

pub(super) const ENTRIES: [Entry; 11] = [
    Entry {
        name: "Write-Output",
        parameters: &[next("InputObject"), switch("NoEnumerate")],
        make: |given| Each::boxed(given, Input::Taken, write_output),
    },
    Entry { name: "Write-Warning", parameters: &MESSAGE, make: |given| Each::boxed(given, Input::Taken, warning) },
    Entry { name: "Write-Verbose", parameters: &MESSAGE, make: |given| Each::boxed(given, Input::Taken, verbose) },
    Entry { name: "Write-Debug", parameters: &MESSAGE, make: |given| Each::boxed(given, Input::Taken, debug) },
    Entry { name: "Write-Error", parameters: &MESSAGE, make: |given| Each::boxed(given, Input::Taken, error) },
    Entry {
        name: "Write-Information",
        parameters: &[next("MessageData"), named("Tags")],
        make: |given| Each::boxed(given, Input::Taken, inform),
    },
    Entry {
        name: "Write-Host",
        parameters: &[next("Object"), switch("NoNewline")],
        make: |given| Each::boxed(given, Input::Taken, host),
    },
    Entry {
        name: "Write-Progress",
        parameters: &[next("Activity"), next("Status"), named("PercentComplete"), switch("Completed")],
        make: |given| Each::boxed(given, Input::Refused, progresses),
    },
    Entry {
        name: "Start-Sleep",
        parameters: &[next("Seconds"), named("Milliseconds")],
        make: |given| Each::boxed(given, Input::Refused, sleep),
    },
    Entry {
        name: "Read-Host",
        parameters: &[next("Prompt"), switch("AsSecureString")],
        make: |given| Each::boxed(given, Input::Refused, read),
    },
    Entry {
        name: "Get-Credential",
        parameters: &[next("UserName"), named("Message")],
        make: |given| Each::boxed(given, Input::Refused, credential),
    },
];

const MESSAGE: [super::Parameter; 1] = [next("Message")];
/// The longest sleep: that of a day.
const MAX_SLEEP: Duration = Duration::from_secs(86_400);

fn write_output(given: &Given, input: Option<Value>) -> Effects {
    let value = input.or_else(|| given.bound.value("InputObject").cloned()).unwrap_or(Value::Nil);
    if given.bound.is_on("NoEnumerate") {
        return one(Effect::Output(value));
    }
    outputs(items(&value).to_vec())
}

fn message(given: &Given, input: Option<Value>) -> String {
    input.as_ref().map(text).or_else(|| given.bound.text("Message")).unwrap_or_default()
}

fn warning(given: &Given, input: Option<Value>) -> Effects {
    one(Effect::Told(Told::Warning, message(given, input)))
}

fn verbose(given: &Given, input: Option<Value>) -> Effects {
    one(Effect::Told(Told::Verbose, message(given, input)))
}

fn debug(given: &Given, input: Option<Value>) -> Effects {
    one(Effect::Told(Told::Debug, message(given, input)))
}

fn error(given: &Given, input: Option<Value>) -> Effects {
    one(Effect::Error(Error::written(message(given, input))))
}

fn inform(given: &Given, input: Option<Value>) -> Effects {
    let data = input.or_else(|| given.bound.value("MessageData").cloned()).unwrap_or(Value::Nil);
    let tags = given.bound.texts("Tags");
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    one(Effect::Information(information(data, given.command, &tags)))
}

/// Written twice, as PowerShell does: as information, and by the host.
fn host(given: &Given, input: Option<Value>) -> Effects {
    let value = input.or_else(|| given.bound.value("Object").cloned()).unwrap_or(Value::Nil);
    let shown = text(&value);
    let stays = given.bound.is_on("NoNewline");
    let method = if stays { HostMethod::Write1 } else { HostMethod::WriteLine2 };
    all(vec![
        Effect::Information(information(host_message(&shown, stays), given.command, &["PSHOST"])),
        Effect::Show(method, vec![Value::Text(shown)]),
    ])
}

fn progresses(given: &Given, _input: Option<Value>) -> Effects {
    let of = |name: &str| given.bound.text(name).unwrap_or_default();
    let percent = given.bound.number("PercentComplete").and_then(|percent| i32::try_from(percent).ok()).unwrap_or(-1);
    let status = given.bound.text("Status").unwrap_or_else(|| "Processing".to_owned());
    one(Effect::Progress(progress(&of("Activity"), &status, percent, given.bound.is_on("Completed"))))
}

fn sleep(given: &Given, _input: Option<Value>) -> Effects {
    let milliseconds = given.bound.number("Milliseconds").and_then(|number| u64::try_from(number).ok());
    let span = match (milliseconds, given.bound.value("Seconds")) {
        (Some(milliseconds), _) => Some(Duration::from_millis(milliseconds)),
        (None, Some(Value::Real(Real { kind: RealKind::Double | RealKind::Single | RealKind::Decimal, text }))) => {
            text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        }
        (None, Some(_)) => {
            given.bound.number("Seconds").and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
        }
        (None, None) => None,
    };
    match span.filter(|span| *span <= MAX_SLEEP) {
        Some(span) => one(Effect::Wait(span)),
        None => {
            let message = "Cannot process command because of one or more missing mandatory parameters: Seconds.";
            one(Effect::Fail(Error::binding("MissingMandatoryParameter", given.command, message.to_owned())))
        }
    }
}

/// Asks the user for a line: the prompt is written, and the line read, as two calls.
fn read(given: &Given, _input: Option<Value>) -> Effects {
    let secure = given.bound.is_on("AsSecureString");
    let method = if secure { HostMethod::ReadLineAsSecureString } else { HostMethod::ReadLine };
    let asks = Effect::Ask { method, parameters: Vec::new(), then: Box::new(|answer| one(Effect::Output(answer))) };
    match given.bound.text("Prompt") {
        Some(prompt) => all(vec![Effect::Show(HostMethod::Write1, vec![Value::text(format!("{prompt}: "))]), asks]),
        None => one(asks),
    }
}

fn credential(given: &Given, _input: Option<Value>) -> Effects {
    let of = |name: &str| Value::text(given.bound.text(name).unwrap_or_default());
    one(Effect::Ask {
        method: HostMethod::PromptForCredential2,
        parameters: vec![
            Value::text("PowerShell credential request"),
            of("Message"),
            of("UserName"),
            Value::text(""),
            Value::int(1),
            Value::int(0),
        ],
        then: Box::new(|answer| if answer == Value::Nil { nothing() } else { one(Effect::Output(answer)) }),
    })
}

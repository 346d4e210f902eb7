//! Services: looked at, started, stopped.

use super::{Cmdlet, Each, Entry, Given, Input, fits, name_of, named, next, switch};
use crate::demo::targets::powershell::effect::{Effect, Effects, all, one};
use crate::demo::targets::powershell::errors::Error;
use crate::demo::targets::powershell::machine::{Service, Status};
use crate::demo::targets::powershell::objects::{enumeration, list, members, number, typed};
use crate::demo::targets::powershell::records::Told;
use sekisho_protocol::clixml::{Object, Value};
use sekisho_protocol::psrp::HostMethod;

pub(super) const ENTRIES: [Entry; 4] = [
    Entry {
        name: "Get-Service",
        parameters: &[next("Name"), named("DisplayName"), named("Include"), named("Exclude")],
        make: |given| Each::boxed(given, Input::Taken, show),
    },
    Entry { name: "Start-Service", parameters: &CHANGES, make: |given| change(given, start) },
    Entry { name: "Stop-Service", parameters: &CHANGES, make: |given| change(given, stop) },
    Entry { name: "Restart-Service", parameters: &CHANGES, make: |given| change(given, restart) },
];

const CHANGES: [super::Parameter; 4] = [next("Name"), switch("Force"), switch("PassThru"), named("DisplayName")];

fn show(given: &Given, input: Option<Value>) -> Effects {
    all(wanted(given, input.as_ref()).into_iter().map(|found| found.map_or_else(Effect::Error, output)).collect())
}

fn output(service: Service) -> Effect {
    Effect::Output(encode(&service))
}

/// The services that are asked for, and an error for each name that nothing is called by.
fn wanted(given: &Given, input: Option<&Value>) -> Vec<Result<Service, Error>> {
    let services = given.machine.services();
    let bound = &given.bound;
    let (mut names, titles) = (bound.texts("Name"), bound.texts("DisplayName"));
    names.extend(input.map(name_of));
    if names.is_empty() && titles.is_empty() {
        names.push("*".to_owned());
    }
    let of_names = names.iter().map(|name| (name, Field::Name));
    let of_titles = titles.iter().map(|title| (title, Field::Title));
    of_names
        .chain(of_titles)
        .flat_map(|(pattern, field)| {
            let found: Vec<_> = services
                .iter()
                .filter(|service| fits(pattern, field.of(service)) && kept(given, service))
                .cloned()
                .map(Ok)
                .collect();
            if found.is_empty() && !pattern.contains(['*', '?']) {
                return vec![Err(missing(given.command, pattern))];
            }
            found
        })
        .collect()
}

/// What a pattern is compared with.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Title,
}

impl Field {
    const fn of(self, service: &Service) -> &'static str {
        match self {
            Self::Name => service.name,
            Self::Title => service.display,
        }
    }
}

fn kept(given: &Given, service: &Service) -> bool {
    let (include, exclude) = (given.bound.texts("Include"), given.bound.texts("Exclude"));
    let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, service.name));
    (include.is_empty() || any(&include)) && !any(&exclude)
}

fn missing(command: &str, name: &str) -> Error {
    let message = format!("Cannot find any service with service name '{name}'.");
    Error::not_found("NoServiceFoundForGivenName", command, name, message)
}

/// A change of a service: what may be wrong with it, and the state in the end.
type Change = fn(&Service) -> Result<Status, &'static str>;

fn start(_service: &Service) -> Result<Status, &'static str> {
    Ok(Status::Running)
}

fn restart(_service: &Service) -> Result<Status, &'static str> {
    Ok(Status::Running)
}

/// The one that carries the session.
fn stop(service: &Service) -> Result<Status, &'static str> {
    if service.name == "WinRM" { Err("it carries this session") } else { Ok(Status::Stopped) }
}

fn change(given: Given, change: Change) -> Box<dyn Cmdlet> {
    Box::new(Changing { given, change })
}

struct Changing {
    given: Given,
    change: Change,
}

impl Cmdlet for Changing {
    fn alone(&mut self) -> Effects {
        self.all(None)
    }

    fn take(&mut self, value: Value) -> Effects {
        self.all(Some(&value))
    }
}

impl Changing {
    fn all(&self, input: Option<&Value>) -> Effects {
        if input.is_none() && self.given.bound.value("Name").or_else(|| self.given.bound.value("DisplayName")).is_none()
        {
            let message = "Cannot process command because of one or more missing mandatory parameters: Name.";
            let error = Error::binding("MissingMandatoryParameter", self.given.command, message.to_owned());
            return one(Effect::Fail(error));
        }
        let effects: Vec<Effects> = wanted(&self.given, input)
            .into_iter()
            .map(|found| match found {
                Ok(service) => self.one(service),
                Err(error) => one(Effect::Error(error)),
            })
            .collect();
        Box::new(effects.into_iter().flatten())
    }

    fn one(&self, service: Service) -> Effects {
        let Given { command, machine, bound, keys: _ } = &self.given;
        let about =
            format!("Performing the operation \"{command}\" on target \"{} ({})\".", service.display, service.name);
        if bound.is_on("WhatIf") {
            let text = Value::text(format!("What if: {about}"));
            return one(Effect::Show(HostMethod::WriteLine2, vec![text]));
        }
        let status = match (self.change)(&service) {
            Ok(status) => status,
            Err(reason) => {
                let message = format!("Service '{} ({})' cannot be stopped: {reason}.", service.display, service.name);
                let reason = "ServiceIsDependentOnOthers";
                return one(Effect::Error(Error::refused(reason, command, service.name, message)));
            }
        };
        let (machine, passes) = (std::sync::Arc::clone(machine), bound.is_on("PassThru"));
        let told = Effect::Told(Told::Verbose, about.clone());
        let act = move || {
            machine.set(service.name, status);
            let changed = Service { status, ..service };
            all(if passes { vec![told, output(changed)] } else { vec![told] })
        };
        if bound.is_on("Confirm") { one(confirm(&about, act)) } else { act() }
    }
}

/// Asks as `-Confirm` does; yes is 0 and yes to all is 1.
fn confirm(about: &str, act: impl FnOnce() -> Effects + Send + 'static) -> Effect {
    let choice = |label: &str| {
        let members = [("label", Value::text(label)), ("helpMessage", Value::text(""))];
        Value::object(Object::of_members(members))
    };
    let choices = ["&Yes", "Yes to &All", "&No", "No to A&ll"].map(choice).into();
    let message = format!("Are you sure you want to perform this action?\n{about}");
    Effect::Ask {
        method: HostMethod::PromptForChoice,
        parameters: vec![Value::text("Confirm"), Value::text(message), list(choices), Value::int(0)],
        then: Box::new(move |answer| if matches!(number(&answer), Some(0 | 1)) { act() } else { all(Vec::new()) }),
    }
}

/// A service as Windows PowerShell sends it.
fn encode(service: &Service) -> Value {
    const TYPES: [&str; 4] = [
        "System.ServiceProcess.ServiceController",
        "System.ComponentModel.Component",
        "System.MarshalByRefObject",
        "System.Object",
    ];
    let (status, code) = service.status.shown();
    let runs = service.status == Status::Running;
    let none = list(Vec::new());
    typed(
        &TYPES,
        service.name,
        members([
            ("CanPauseAndContinue", Value::Bool(false)),
            ("CanShutdown", Value::Bool(false)),
            ("CanStop", Value::Bool(runs)),
            ("DisplayName", Value::text(service.display)),
            ("DependentServices", none.clone()),
            ("MachineName", Value::text(".")),
            ("ServiceName", Value::text(service.name)),
            ("ServicesDependedOn", none.clone()),
            ("ServiceHandle", Value::Nil),
            ("Status", enumeration("System.ServiceProcess.ServiceControllerStatus", status, code)),
            ("ServiceType", enumeration("System.ServiceProcess.ServiceType", "Win32ShareProcess", 32)),
            ("StartType", enumeration("System.ServiceProcess.ServiceStartMode", "Automatic", 2)),
            ("Site", Value::Nil),
            ("Container", Value::Nil),
        ]),
        members([("Name", Value::text(service.name)), ("RequiredServices", none)]),
    )
}

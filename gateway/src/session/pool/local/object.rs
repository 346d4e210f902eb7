//! Commands as the objects that PowerShell sends of them.

use super::offered::{Kind, Offered, Parameter, Takes};
use sekisho_protocol::clixml::{Content, ListKind, Object, Value};
use std::collections::HashMap;

const CUSTOM: &str = "System.Management.Automation.PSCustomObject";
const COMMAND_INFO: &str = "System.Management.Automation.CommandInfo";
const METADATA: &str = "System.Management.Automation.ParameterMetadata";

/// Members that GET_COMMAND_METADATA asks a server for, \[MS-PSRP\] 2.2.3.22.
const METADATA_MEMBERS: [&str; 7] =
    ["Name", "Namespace", "HelpUri", "CommandType", "ResolvedCommandName", "OutputType", "Parameters"];

/// Makes objects; those of common parameters are made once.
#[derive(Default)]
pub(super) struct Objects {
    common: HashMap<String, Value>,
}

impl Objects {
    /// What proxies are made from.
    pub(super) fn metadata(&mut self, offered: &Offered) -> Value {
        self.selected(offered, &METADATA_MEMBERS)
    }

    /// What `Select-Object -Property` makes of a command.
    pub(super) fn selected(&mut self, offered: &Offered, names: &[impl AsRef<str>]) -> Value {
        let members = names.iter().map(AsRef::as_ref);
        let members = members.map(|name: &str| (name.to_owned(), self.member(offered, name))).collect();
        custom(&format!("Selected.{}", type_of(offered)), members)
    }

    /// What `Get-Command` returns.
    pub(super) fn command(&mut self, offered: &Offered) -> Value {
        let syntax = syntax(offered);
        let (kind, _) = offered.kind.flag();
        let sets = list(vec![Value::text(syntax.as_str())]);
        let names = offered.parameters.iter().map(|one| (Value::text(one.name.as_str()), Value::text(METADATA)));
        let adapted = [
            ("Name", Value::text(offered.name.as_str())),
            ("CommandType", Value::text(kind)),
            ("Definition", self.member(offered, "Definition")),
            ("Source", Value::text(offered.module.as_str())),
            ("Version", Value::Nil),
            ("Visibility", Value::text("Public")),
            ("ModuleName", Value::text(offered.module.as_str())),
            ("Module", Value::Nil),
            ("OutputType", list(Vec::new())),
            ("Parameters", dictionary(names.collect())),
            ("ParameterSets", sets),
        ];
        let extended = [("Namespace", Value::text(offered.module.as_str())), ("HelpUri", Value::text(""))];
        Value::object(Object {
            types: Some([type_of(offered), COMMAND_INFO, "System.Object"].map(str::to_owned).into()),
            shown: Some(offered.name.clone()),
            adapted: Some(owned(adapted)),
            extended: Some(owned(extended)),
            ..Object::default()
        })
    }

    fn member(&mut self, offered: &Offered, name: &str) -> Value {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let text = |value: &str| Value::text(value);
        if is("Name") {
            text(&offered.name)
        } else if is("CommandType") {
            command_type(&offered.kind)
        } else if is("ModuleName") || is("Source") {
            text(&offered.module)
        } else if is("HelpUri") {
            text("")
        } else if is("ResolvedCommandName") {
            match &offered.kind {
                Kind::Alias(command) => text(command),
                Kind::Cmdlet | Kind::Function | Kind::Application(_) => Value::Nil,
            }
        } else if is("Definition") {
            match &offered.kind {
                Kind::Alias(what) | Kind::Application(what) => text(what),
                Kind::Cmdlet | Kind::Function => Value::text(format!("{} {}", offered.name, syntax(offered))),
            }
        } else if is("OutputType") {
            list(Vec::new())
        } else if is("Parameters") {
            self.parameters(offered)
        } else if is("CmdletBinding") {
            Value::Bool(offered.parameters.iter().any(|parameter| parameter.common))
        } else {
            Value::Nil
        }
    }

    fn parameters(&mut self, offered: &Offered) -> Value {
        let entries = offered.parameters.iter().map(|parameter| {
            let value = match parameter.common {
                true => self.common.entry(parameter.name.clone()).or_insert_with(|| metadata(parameter)).clone(),
                false => metadata(parameter),
            };
            (Value::text(parameter.name.as_str()), value)
        });
        dictionary(entries.collect())
    }
}

/// How many there are: what stands before the answers to GET_COMMAND_METADATA.
pub(super) fn count(many: usize) -> Value {
    let members = vec![("Count".to_owned(), Value::int(i32::try_from(many).unwrap_or(i32::MAX)))];
    custom("Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo", members)
}

/// What `Measure-Object` returns.
pub(super) fn measured(many: usize) -> Value {
    const TYPES: [&str; 3] = [
        "Microsoft.PowerShell.Commands.GenericMeasureInfo",
        "Microsoft.PowerShell.Commands.MeasureInfo",
        "System.Object",
    ];
    let adapted = [
        ("Count", Value::int(i32::try_from(many).unwrap_or(i32::MAX))),
        ("Average", Value::Nil),
        ("Sum", Value::Nil),
        ("Maximum", Value::Nil),
        ("Minimum", Value::Nil),
        ("StandardDeviation", Value::Nil),
        ("Property", Value::Nil),
    ];
    Value::object(Object {
        types: Some(TYPES.map(str::to_owned).into()),
        shown: Some(TYPES.map(str::to_owned).into_iter().next().unwrap_or_default()),
        adapted: Some(owned(adapted)),
        ..Object::default()
    })
}

fn type_of(offered: &Offered) -> &'static str {
    match offered.kind {
        Kind::Cmdlet => "System.Management.Automation.CmdletInfo",
        Kind::Function => "System.Management.Automation.FunctionInfo",
        Kind::Alias(_) => "System.Management.Automation.AliasInfo",
        Kind::Application(_) => "System.Management.Automation.ApplicationInfo",
    }
}

/// `[-Name <string[]>] [-Force] [<CommonParameters>]`: without positions, since which parameters may stand together
/// is the policy's to say.
fn syntax(offered: &Offered) -> String {
    let mut words: Vec<String> = Vec::new();
    for parameter in offered.parameters.iter().filter(|parameter| !parameter.common) {
        let kind = parameter.kind.rsplit('.').next().unwrap_or_default().to_lowercase();
        words.push(match parameter.takes {
            Takes::Nothing => format!("[-{}]", parameter.name),
            Takes::Value => format!("[-{} <{kind}>]", parameter.name),
        });
    }
    if offered.parameters.iter().any(|parameter| parameter.common) {
        words.push("[<CommonParameters>]".to_owned());
    }
    words.join(" ")
}

fn metadata(parameter: &Parameter) -> Value {
    let aliases = parameter.aliases.iter().map(|alias| Value::text(alias.as_str())).collect();
    let adapted = [
        ("Name", Value::text(parameter.name.as_str())),
        ("ParameterType", Value::text(parameter.kind.as_str())),
        ("Aliases", typed_list("System.Collections.ObjectModel.Collection`1[[System.String]]", aliases)),
        ("IsDynamic", Value::Bool(false)),
        ("SwitchParameter", Value::Bool(parameter.takes == Takes::Nothing)),
    ];
    Value::object(Object {
        types: Some([METADATA, "System.Object"].map(str::to_owned).into()),
        shown: Some(METADATA.to_owned()),
        adapted: Some(owned(adapted)),
        ..Object::default()
    })
}

fn command_type(kind: &Kind) -> Value {
    let types = ["System.Management.Automation.CommandTypes", "System.Enum", "System.ValueType", "System.Object"];
    let (shown, flag) = kind.flag();
    Value::object(Object {
        types: Some(types.map(str::to_owned).into()),
        shown: Some(shown.to_owned()),
        content: Content::Value(Value::int(flag)),
        ..Object::default()
    })
}

fn custom(first: &str, members: Vec<(String, Value)>) -> Value {
    let types = [first, CUSTOM, "System.Object"].map(str::to_owned);
    Value::object(Object { types: Some(types.into()), extended: Some(members), ..Object::default() })
}

fn list(items: Vec<Value>) -> Value {
    typed_list("System.Collections.ObjectModel.ReadOnlyCollection`1[[System.Object]]", items)
}

fn typed_list(kind: &str, items: Vec<Value>) -> Value {
    let types = [kind, "System.Object"].map(str::to_owned);
    let content = Content::List(ListKind::List, items);
    Value::object(Object { types: Some(types.into()), content, ..Object::default() })
}

fn dictionary(entries: Vec<(Value, Value)>) -> Value {
    let types = [
        "System.Collections.Generic.Dictionary`2[[System.String],[System.Management.Automation.ParameterMetadata]]",
        "System.Object",
    ];
    let content = Content::Dictionary(entries);
    Value::object(Object { types: Some(types.map(str::to_owned).into()), content, ..Object::default() })
}

fn owned<const N: usize>(members: [(&str, Value); N]) -> Vec<(String, Value)> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

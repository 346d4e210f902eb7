//! What a principal may use on a target, as one list of commands with the parameters that are allowed.

use sekisho_policy::catalog::{
    CommandInfo, CommandKind, CommonValue, CommonVerdict, Edition, ParameterKind, default_commands,
};
use sekisho_policy::{CommandListing, RoleListing};
use std::collections::BTreeMap;

/// One command, alias or program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) module: String,
    pub(super) kind: Kind,
    pub(super) parameters: Vec<Parameter>,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Cmdlet,
    Function,
    /// Another name of the command that it holds.
    Alias(String),
    /// A program, by its path.
    Application(String),
}

/// A parameter that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// The type in .NET, as far as it is known.
    pub(super) kind: String,
    pub(super) aliases: Vec<String>,
    pub(super) takes: Takes,
    /// One of those that PowerShell adds to every command.
    pub(super) common: bool,
}

/// Whether a parameter takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Value,
}

impl Kind {
    /// Its name and flag, \[MS-PSRP\] 2.2.3.19.
    pub(super) fn flag(&self) -> (&'static str, i32) {
        match self {
            Self::Alias(_) => ("Alias", 1),
            Self::Function => ("Function", 2),
            Self::Cmdlet => ("Cmdlet", 8),
            Self::Application(_) => ("Application", 32),
        }
    }
}

/// What the gateway itself takes, whatever the policy says: it answers these, or takes them off what it is sent.
const OWN: [&str; 4] = ["Exit-PSSession", "Get-Command", "Get-FormatData", "Out-Default"];

/// The parameters of `Get-Command` that the gateway answers.
const ANSWERED: [&str; 4] = ["Name", "Module", "CommandType", "ListImported"];

/// Everything that is offered, by name.
pub(super) fn offered(listing: &[RoleListing<'_>], edition: Edition) -> Vec<Offered> {
    let mut all: BTreeMap<String, Offered> = BTreeMap::new();
    for listed in listing.iter().flat_map(|role| &role.commands) {
        add(&mut all, command(listed, edition));
    }
    for default in default_commands().commands {
        if OWN.contains(&default.info.name.as_str()) {
            add(&mut all, whole(&default.info, edition));
        }
    }
    if let Some(own) = all.get_mut("get-command") {
        own.parameters.retain(|parameter| parameter.common || ANSWERED.contains(&parameter.name.as_str()));
    }
    let aliases = listing.iter().flat_map(|role| &role.aliases).filter_map(|(alias, command)| {
        let target = all.get(*command)?.name.clone();
        Some(Offered { kind: Kind::Alias(target), ..named(alias) })
    });
    let aliases: Vec<Offered> = aliases.collect();
    let programs = listing.iter().flat_map(|role| &role.programs).map(|program| {
        let name = program.path.rsplit('\\').next().unwrap_or(program.path);
        Offered { kind: Kind::Application(program.path.to_owned()), ..named(name) }
    });
    let mut rest: Vec<Offered> = aliases.into_iter().chain(programs).collect();
    rest.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.kind.flag().cmp(&b.kind.flag())));
    rest.dedup();
    all.into_values().chain(rest).collect()
}

fn named(name: &str) -> Offered {
    Offered { name: name.to_owned(), module: String::new(), kind: Kind::Function, parameters: Vec::new() }
}

/// Several rules for one command add up to what may be given to it.
fn add(all: &mut BTreeMap<String, Offered>, offered: Offered) {
    match all.entry(offered.name.to_lowercase()) {
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(offered);
        }
        std::collections::btree_map::Entry::Occupied(mut known) => {
            let known = known.get_mut();
            for parameter in offered.parameters {
                if !known.parameters.iter().any(|other| other.name == parameter.name) {
                    known.parameters.push(parameter);
                }
            }
            known.parameters.sort_by_key(|parameter| parameter.common);
            if offered.kind == Kind::Cmdlet {
                known.kind = Kind::Cmdlet;
            }
        }
    }
}

/// A JEA endpoint shows a command that is restricted as a function.
fn command(listed: &CommandListing<'_>, edition: Edition) -> Offered {
    let mut offered = whole(listed.info, edition);
    if let Some(allowed) = &listed.parameters {
        offered.kind = Kind::Function;
        offered
            .parameters
            .retain(|parameter| parameter.common || allowed.iter().any(|listed| listed.name == parameter.name));
    }
    offered
}

fn whole(info: &CommandInfo, edition: Edition) -> Offered {
    let own = info.parameters.iter().map(|parameter| Parameter {
        name: parameter.name.clone(),
        kind: match &parameter.kind {
            ParameterKind::Switch(_) => SWITCH.to_owned(),
            ParameterKind::Value(kind) => full_type(kind),
        },
        aliases: parameter.aliases.clone(),
        takes: match &parameter.kind {
            ParameterKind::Switch(_) => Takes::Nothing,
            ParameterKind::Value(_) => Takes::Value,
        },
        common: false,
    });
    let common = info
        .common_parameters()
        .filter(|common| common.verdict == CommonVerdict::Allowed && common.editions.contains(&edition));
    let common = common.map(|common| Parameter {
        name: common.name.to_owned(),
        kind: match common.takes {
            CommonValue::Switch => SWITCH.to_owned(),
            CommonValue::One if common.name == "OutBuffer" => "System.Int32".to_owned(),
            CommonValue::One => "System.Management.Automation.ActionPreference".to_owned(),
        },
        aliases: common.alias.iter().map(|alias| (*alias).to_owned()).collect(),
        takes: match common.takes {
            CommonValue::Switch => Takes::Nothing,
            CommonValue::One => Takes::Value,
        },
        common: true,
    });
    Offered {
        name: info.name.clone(),
        module: info.module.clone(),
        kind: match info.kind {
            CommandKind::Cmdlet => Kind::Cmdlet,
            CommandKind::Function | CommandKind::Unknown => Kind::Function,
        },
        parameters: own.chain(common).collect(),
    }
}

const SWITCH: &str = "System.Management.Automation.SwitchParameter";

/// The name that .NET has for a type as documentation writes it; others stay as they are.
fn full_type(documented: &str) -> String {
    const NAMES: [(&str, &str); 12] = [
        ("string", "System.String"),
        ("int", "System.Int32"),
        ("int32", "System.Int32"),
        ("long", "System.Int64"),
        ("int64", "System.Int64"),
        ("bool", "System.Boolean"),
        ("boolean", "System.Boolean"),
        ("datetime", "System.DateTime"),
        ("object", "System.Object"),
        ("psobject", "System.Management.Automation.PSObject"),
        ("securestring", "System.Security.SecureString"),
        ("pscredential", "System.Management.Automation.PSCredential"),
    ];
    let element = documented.strip_suffix("[]").unwrap_or(documented);
    match NAMES.iter().find(|(short, _)| short.eq_ignore_ascii_case(element)) {
        Some((_, full)) if element == documented => (*full).to_owned(),
        Some((_, full)) => format!("{full}[]"),
        None => documented.to_owned(),
    }
}

//! The commands that every session of a JEA endpoint has: those of `RestrictedRemoteServer`, as the narrow functions
//! that PowerShell puts in their place. They are the same in both editions.

use super::model::{CommandInfo, CommandKind, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty};

/// The default commands and the aliases that come with them.
#[derive(Debug, Clone)]
pub struct DefaultCommands {
    /// Each with all that it accepts. They may stand anywhere in a pipeline (R9), and only their bare names count:
    /// with a module it would be the whole command that is meant, which a JEA endpoint hides.
    pub commands: Vec<DefaultCommand>,
    /// Alias and command.
    pub aliases: &'static [(&'static str, &'static str)],
}

/// A default command.
#[derive(Debug, Clone)]
pub struct DefaultCommand {
    /// What it accepts: parameters that the whole command has and the narrow one lacks are not in it.
    pub info: CommandInfo,
    /// The parameters whose values are restricted. PowerShell bounds counts and lengths as well, which is left to the
    /// target: whatever is too long for it, it refuses.
    pub constraints: &'static [Constraint],
}

/// The values of one parameter of a default command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// The parameter's full name.
    pub parameter: &'static str,
    /// What its values may be.
    pub values: Values,
}

/// What values may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// One of these, whole and ignoring case.
    Set(&'static [&'static str]),
    /// What this pattern matches as a whole.
    Pattern(&'static str),
}

const ALIASES: [(&str, &str); 6] = [
    ("gcm", "Get-Command"),
    ("cls", "Clear-Host"),
    ("clear", "Clear-Host"),
    ("select", "Select-Object"),
    ("measure", "Measure-Object"),
    ("exsn", "Exit-PSSession"),
];

const PROPERTIES: [&str; 11] = [
    "ModuleName",
    "Namespace",
    "OutputType",
    "Count",
    "HelpUri",
    "Name",
    "CommandType",
    "ResolvedCommandName",
    "DefaultParameterSet",
    "CmdletBinding",
    "Parameters",
];

const CATEGORIES: [&str; 16] = [
    "Alias",
    "Cmdlet",
    "Provider",
    "General",
    "FAQ",
    "Glossary",
    "HelpFile",
    "ScriptCommand",
    "Function",
    "Filter",
    "ExternalScript",
    "All",
    "DefaultHelp",
    "DscResource",
    "Class",
    "Configuration",
];

const HELP_NAME: &str = r"[-._:\\\p{Ll}\p{Lu}\p{Lt}\p{Lo}\p{Nd}\p{Lm}]{1,100}";

/// The default commands, in the order in which PowerShell's documentation names them.
#[must_use]
pub fn default_commands() -> DefaultCommands {
    const CORE: &str = "Microsoft.PowerShell.Core";
    const UTILITY: &str = "Microsoft.PowerShell.Utility";
    let from_pipeline = || ParameterInfo {
        pipeline: PipelineInput { value: true, property: false },
        ..ParameterInfo::new("InputObject", ParameterKind::Value("object".to_owned()))
    };
    let commands = vec![
        command("Get-Command", CORE, get_command(), &[]),
        command(
            "Get-FormatData",
            UTILITY,
            vec![value("TypeName", "string[]", 0), value("PowerShellVersion", "string", 1)],
            &[],
        ),
        command("Clear-Host", "", Vec::new(), &[]),
        command(
            "Select-Object",
            UTILITY,
            vec![value("Property", "string[]", 0), from_pipeline()],
            &[Constraint { parameter: "Property", values: Values::Set(&PROPERTIES) }],
        ),
        command(
            "Get-Help",
            CORE,
            vec![value("Name", "string", 0), value("Category", "string[]", 1)],
            &[
                Constraint { parameter: "Name", values: Values::Pattern(HELP_NAME) },
                Constraint { parameter: "Category", values: Values::Set(&CATEGORIES) },
            ],
        ),
        command("Measure-Object", UTILITY, vec![from_pipeline()], &[]),
        command("Out-Default", CORE, vec![from_pipeline()], &[]),
        command("Exit-PSSession", CORE, Vec::new(), &[]),
    ];
    DefaultCommands { commands, aliases: &ALIASES }
}

fn get_command() -> Vec<ParameterInfo> {
    vec![
        value("Name", "string[]", 0),
        value("Module", "string[]", 1),
        value("ArgumentList", "object[]", 2),
        value("CommandType", "string", 3),
        ParameterInfo::new("ListImported", ParameterKind::Switch(Uncertainty::Sure)),
        ParameterInfo::new("ShowCommandInfo", ParameterKind::Switch(Uncertainty::Sure)),
    ]
}

fn value(name: &str, type_name: &str, position: u32) -> ParameterInfo {
    ParameterInfo {
        membership: vec![Membership { set: None, position: Some(position), mandatory: false }],
        ..ParameterInfo::new(name, ParameterKind::Value(type_name.to_owned()))
    }
}

fn command(
    name: &str,
    module: &str,
    parameters: Vec<ParameterInfo>,
    constraints: &'static [Constraint],
) -> DefaultCommand {
    let info = CommandInfo { kind: CommandKind::Function, parameters, ..CommandInfo::new(name, module) };
    DefaultCommand { info, constraints }
}

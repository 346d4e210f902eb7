//! `policy list`: what a user may do on a target.

use std::io::Write;

use sekisho_policy::{
    CommandListing, ConstantCommands, ListedSecrecy, ParameterListing, ProgramListing, Prompts, RoleListing,
    ScriptListing,
};
use serde_json::{Value as Json, json};

use super::super::{CommandError, Status};
use super::forms::one_line;
use super::{PolicyCommandError, asked};
use crate::cli::ListArguments;
use crate::policy_files::load;

pub(super) fn run(arguments: &ListArguments, out: &mut dyn Write) -> Result<Status, CommandError> {
    let policy = load(&arguments.policy).map_err(PolicyCommandError::from)?;
    let (principal, target, circumstances) = asked::facts(&arguments.facts)?;
    let roles = policy.listing(&principal, &target, &circumstances);
    if arguments.json {
        writeln!(out, "{}", one_line(&roles.iter().map(role).collect::<Json>()))?;
    } else if roles.is_empty() {
        writeln!(out, "{} may do nothing on {}", principal.name, target.name)?;
    } else {
        roles.iter().try_for_each(|role| write_role(role, out))?;
    }
    Ok(Status::Fine)
}

fn write_role(role: &RoleListing<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "role {}", role.name)?;
    for command in &role.commands {
        writeln!(out, "    {}{}", command.name, command_text(command))?;
    }
    for (alias, command) in &role.aliases {
        writeln!(out, "    {alias} = {command}")?;
    }
    for program in &role.programs {
        writeln!(out, "    {} (arguments: {})", program.path, program.arguments)?;
    }
    for script in &role.scripts {
        writeln!(
            out,
            "    script {}{}{}",
            script.name,
            parameters_text(&script.parameters),
            prompts_text(script.prompts)
        )?;
    }
    match role.constant_commands {
        ConstantCommands::Read => writeln!(out, "    powershell -EncodedCommand of these commands, through WinRS"),
        ConstantCommands::Unread => Ok(()),
    }
}

fn command_text(command: &CommandListing<'_>) -> String {
    match &command.parameters {
        None => format!(" (any parameters){}", prompts_text(command.prompts)),
        Some(parameters) => format!("{}{}", parameters_text(parameters), prompts_text(command.prompts)),
    }
}

fn prompts_text(prompts: Prompts) -> &'static str {
    match prompts {
        Prompts::Permitted => " (may ask the user)",
        Prompts::Refused | Prompts::Indifferent => "",
    }
}

fn parameters_text(parameters: &[ParameterListing<'_>]) -> String {
    parameters.iter().map(|parameter| format!(" -{}{}", parameter.name, values_text(parameter))).collect()
}

fn values_text(parameter: &ParameterListing<'_>) -> String {
    match parameter.secrecy {
        ListedSecrecy::Secret => return " <secret>".to_owned(),
        ListedSecrecy::Secure => return " <SecureString or PSCredential>".to_owned(),
        ListedSecrecy::Open => {}
    }
    let set = (!parameter.values.is_empty()).then(|| parameter.values.join("|"));
    let pattern = parameter.pattern.map(|pattern| format!("/{pattern}/"));
    let shown: Vec<String> = [set, pattern].into_iter().flatten().collect();
    if shown.is_empty() { String::new() } else { format!(" <{}>", shown.join(" ")) }
}

fn role(role: &RoleListing<'_>) -> Json {
    let aliases: Json =
        role.aliases.iter().map(|(alias, command)| json!({ "alias": alias, "command": command })).collect();
    json!({
        "role": role.name,
        "commands": role.commands.iter().map(command).collect::<Json>(),
        "aliases": aliases,
        "programs": role.programs.iter().map(program).collect::<Json>(),
        "scripts": role.scripts.iter().map(script).collect::<Json>(),
        "constant_commands": role.constant_commands == ConstantCommands::Read,
    })
}

fn command(command: &CommandListing<'_>) -> Json {
    let parameters = command.parameters.as_ref().map(|all| all.iter().map(parameter).collect::<Json>());
    json!({ "name": command.name, "module": command.module, "rule": command.rule, "parameters": parameters,
        "prompts": command.prompts == Prompts::Permitted })
}

fn parameter(parameter: &ParameterListing<'_>) -> Json {
    let secrecy = match parameter.secrecy {
        ListedSecrecy::Open => "open",
        ListedSecrecy::Secret => "secret",
        ListedSecrecy::Secure => "secure",
    };
    json!({ "name": parameter.name, "values": parameter.values, "pattern": parameter.pattern, "secrecy": secrecy })
}

fn program(program: &ProgramListing<'_>) -> Json {
    json!({ "rule": program.rule, "path": program.path, "arguments": program.arguments })
}

fn script(script: &ScriptListing<'_>) -> Json {
    json!({
        "name": script.name,
        "sha256": script.sha256,
        "parameters": script.parameters.iter().map(parameter).collect::<Json>(),
        "using": script.using.iter().map(parameter).collect::<Json>(),
        "prompts": script.prompts == Prompts::Permitted,
    })
}

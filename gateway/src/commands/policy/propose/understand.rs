//! What a request needs: found out by letting a scratch policy judge it that allows its commands altogether, so that
//! names, abbreviations and positions are resolved in the one place where they always are.

use sekisho_policy::command::{Bindings, Pipeline};
use sekisho_policy::{
    Action, Checked, CheckedArguments, CheckedCommand, Decision, Mistake, Policy, Presence, ProgramRequest, Source,
    command_line, powershell,
};

use super::rule::{Need, ProgramNeed};
use crate::commands::policy::forms::Request;
use crate::commands::policy::quoted;

/// The role of the scratch policy; refusals name it.
const SCRATCH: &str = "proposed";
/// Where a program lies whose folder nobody named.
const SYSTEM: &str = r"C:\Windows\System32\";
/// What everybody has who has anything, in the forms that need no rule of their own.
const DEFAULTS: [&str; 14] = [
    "get-command",
    "get-formatdata",
    "clear-host",
    "select-object",
    "get-help",
    "measure-object",
    "out-default",
    "exit-pssession",
    "gcm",
    "cls",
    "clear",
    "select",
    "measure",
    "exsn",
];

/// A policy that is made to understand one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch<'a> {
    /// A document with the commands that are not shipped; empty when there are none.
    pub(super) catalogue: &'a str,
}

impl Scratch<'_> {
    /// The rules that the request needs, or why there can be none.
    pub(super) fn needs(&self, request: &Request) -> Result<Vec<Need>, String> {
        let statements: Vec<Pipeline> = match &request.action {
            Action::Program(program) => return self.program(program).map(|need| vec![need]),
            Action::Script(script) => {
                vec![powershell::parse(&script.text, &Bindings::default()).map_err(|refusal| refusal.to_string())?]
            }
            Action::Commands(commands) => {
                commands.extra_commands.clone().unwrap_or_else(|| vec![commands.commands.clone()])
            }
        };
        let names: Vec<&str> = statements.iter().flatten().map(|command| command.name.as_str()).collect();
        let (rest, defaults): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| !DEFAULTS.contains(&name.to_ascii_lowercase().as_str()));
        // The default commands as everybody has them, if that is enough; otherwise by rules of their own.
        match self.judged(request, &rest, !defaults.is_empty()) {
            Ok(needs) => Ok(needs),
            Err(why) if defaults.is_empty() => Err(why),
            Err(_) => self.judged(request, &names, false),
        }
    }

    fn judged(&self, request: &Request, names: &[&str], defaults: bool) -> Result<Vec<Need>, String> {
        for name in names {
            self.danger(&format!("cmdlets = [{}]", quoted(name)))?;
        }
        let entries: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let policy = self.policy(&format!("cmdlets = [{}]", entries.join(", ")), defaults, request)?;
        let allowed = match request.judge(&policy) {
            Decision::Allow(allowed) => allowed,
            Decision::Deny(denied) => return Err(denied.message),
        };
        let input = match &request.action {
            Action::Commands(commands) => commands.input,
            Action::Script(script) => script.input,
            Action::Program(_) => Presence::Absent,
        };
        let mut needs: Vec<Need> = match &allowed.checked {
            Checked::Commands(commands) => {
                commands.statements().iter().flat_map(|pipeline| pipeline_needs(pipeline, input)).collect()
            }
            Checked::Program(_) | Checked::Script(_) => Vec::new(),
        };
        needs.extend(defaults.then_some(Need::Defaults));
        Ok(needs)
    }

    fn program(&self, program: &ProgramRequest) -> Result<Need, String> {
        let line = command_line::join(&program.command, &program.arguments).map_err(|refusal| refusal.to_string())?;
        let pieces = command_line::parse(&line).map_err(|refusal| refusal.to_string())?;
        let (name, arguments) = pieces.split_first().ok_or("it names no program")?;
        let guessed = !name.contains('\\');
        let path = match (guessed, name.to_ascii_lowercase().ends_with(".exe")) {
            (false, _) => name.clone(),
            (true, true) => format!("{SYSTEM}{name}"),
            (true, false) => format!("{SYSTEM}{name}.exe"),
        };
        // Whoever may pass anything to a program that runs what it is given may do anything.
        let entry = |arguments: &str| {
            format!("[[roles.{SCRATCH}.programs]]\nname = \"it\"\npath = {}\narguments = {arguments}", quoted(&path))
        };
        self.compiled(&entry("{ any = true }"))?;
        let texts: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        self.danger(&entry(&format!("{{ exact = [[{}]] }}", texts.join(", "))))?;
        Ok(Need::Program(ProgramNeed { path, guessed, arguments: arguments.to_vec() }))
    }

    /// What is wrong with an entry.
    fn compiled(&self, entry: &str) -> Result<(), String> {
        let text = document(entry, false, (r"SCRATCH\user", "scratch"));
        Policy::compile(&self.sources(&text)).map(drop).map_err(first_mistake)
    }

    /// What is wrong with an entry, or speaks against it.
    fn danger(&self, entry: &str) -> Result<(), String> {
        let text = document(entry, false, (r"SCRATCH\user", "scratch"));
        let warnings = Policy::lint(&self.sources(&text)).map_err(first_mistake)?;
        let of_entry = warnings.into_iter().find(|warning| warning.file == SCRATCH);
        of_entry.map_or(Ok(()), |warning| Err(format!("{} ({})", warning.message, warning.hint)))
    }

    fn policy(&self, entry: &str, defaults: bool, request: &Request) -> Result<Policy, String> {
        let text = document(entry, defaults, (&request.principal.name, &request.target.name));
        Policy::compile(&self.sources(&text)).map(|compiled| compiled.policy).map_err(first_mistake)
    }

    fn sources<'t>(&'t self, text: &'t str) -> Vec<Source<'t>> {
        let mut sources = vec![Source { name: SCRATCH, text }];
        if !self.catalogue.is_empty() {
            sources.push(Source { name: "catalog.toml", text: self.catalogue });
        }
        sources
    }
}

fn first_mistake(mistakes: Vec<Mistake>) -> String {
    mistakes.first().map_or_else(String::new, |mistake| format!("{} ({})", mistake.message, mistake.hint))
}

fn document(entry: &str, defaults: bool, (principal, target): (&str, &str)) -> String {
    format!(
        "defaults = {defaults}\n[roles.{SCRATCH}]\n{entry}\n[[assignments]]\nprincipals = [{}]\ntargets = [{}]\n\
         roles = [\"{SCRATCH}\"]\n",
        quoted(principal),
        quoted(target)
    )
}

/// Values that come from the pipeline cannot be checked: what takes them needs a rule without a list (R9).
fn pipeline_needs(pipeline: &[CheckedCommand], input: Presence) -> Vec<Need> {
    let mine = pipeline.iter().enumerate().filter(|(_, command)| command.role() == SCRATCH);
    mine.filter_map(|(index, command)| match command.arguments() {
        CheckedArguments::Named(_) if index > 0 || input == Presence::Present => {
            Some(Need::Whole(command.name().to_owned()))
        }
        CheckedArguments::Named(parameters) => Some(Need::command(command.name(), parameters)),
        CheckedArguments::Program(_) => None,
    })
    .collect()
}

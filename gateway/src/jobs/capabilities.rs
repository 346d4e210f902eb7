//! What a principal may do on a target, and whether one command would be allowed there.

use super::Refused;
use super::plan::{self, program};
use crate::enforce::{Asker, Foreseen, Guess, Refusal, closed, foresee, listing, may_reach};
use crate::identity::Identity;
use crate::state::{Gateway, Live};
use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{
    Action, CommandListing, ConstantCommands, ListedSecrecy, ParameterListing, RoleListing, ScriptListing,
};
use sekisho_protocol::job::{
    Capabilities, CapabilitiesRequest, CommandEntry, MESSAGE_BYTES, ParameterEntry, ParameterSecrecy, PowershellLines,
    ProgramEntry, Question, RoleEntry, ScriptEntry, Verdict,
};
use std::net::SocketAddr;
use uuid::Uuid;

/// Reads the query of a request without a body: the target's name and nothing else.
///
/// # Errors
/// When it is anything else.
pub fn read_query(query: Option<&str>) -> Result<CapabilitiesRequest, Refused> {
    let target = query.and_then(|query| query.strip_prefix("target=")).unwrap_or_default();
    let request = CapabilitiesRequest::list(target.to_owned());
    request.validate().map_err(Refused::mistake)?;
    Ok(request)
}

/// Reads the document of a request.
///
/// # Errors
/// The rule that it breaks.
pub fn read_document(json: &[u8]) -> Result<CapabilitiesRequest, Refused> {
    CapabilitiesRequest::decode(json).map_err(Refused::mistake)
}

/// The document that says so. Nothing is run, so nothing is written; but the principal's rate counts it.
///
/// # Errors
/// When it comes too often, or the target is not open to the principal, which is written.
pub async fn capabilities(
    gateway: &Gateway,
    identity: &Identity,
    client: SocketAddr,
    request: CapabilitiesRequest,
) -> Result<Vec<u8>, Refused> {
    gateway.rates.request(&identity.principal).map_err(Refusal::Limited)?;
    let live = gateway.live_full();
    let found = live.config.targets.find(&request.target);
    let Some(target) = found.filter(|target| may_reach(&live, identity, target, client)) else {
        let guess = Guess { identity, client, session: Uuid::new_v4(), name: Some(&request.target) };
        return Err(closed(gateway, guess).await.into());
    };
    let asker = Asker { identity, client, target };
    let name = target.name.to_string();
    let document = match &request.question {
        Some(question) => Capabilities::answer(name, verdict(&live, asker, question)?),
        None => Capabilities::list(name, listing(&live, asker).into_iter().map(role).collect()),
    };
    document.encode().map_err(Refused::mistake)
}

fn verdict(live: &Live, asker: Asker<'_>, question: &Question) -> Result<Verdict, Refused> {
    let action = match question {
        Question::Program(asked) => Action::Program(program(&asked.name, &asked.arguments)?),
        Question::Powershell(text) => Action::Script(ScriptRequest::new(text.as_str())),
        Question::Command(call) => Action::Commands(plan::commands(call)),
        Question::Script(call) => Action::Script(plan::script(call)),
    };
    Ok(match foresee(live, asker, &action) {
        Foreseen::Allow { role, rule, canonical } => {
            Verdict::Allow { role: bounded(role), rule: bounded(rule), canonical }
        }
        Foreseen::Deny { message, rule } => Verdict::Deny { message: bounded(message), rule: rule.map(bounded) },
    })
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MESSAGE_BYTES));
    text
}

fn role(listed: RoleListing<'_>) -> RoleEntry {
    RoleEntry {
        name: listed.name.to_owned(),
        powershell: match listed.constant_commands {
            ConstantCommands::Unread => None,
            ConstantCommands::Read => Some(PowershellLines::ConstantCommands),
        },
        commands: listed.commands.iter().map(command).collect(),
        programs: listed
            .programs
            .into_iter()
            .map(|program| ProgramEntry { path: program.path.to_owned(), arguments: program.arguments })
            .collect(),
        scripts: listed.scripts.iter().map(script).collect(),
    }
}

fn command(listed: &CommandListing<'_>) -> CommandEntry {
    CommandEntry {
        name: listed.name.to_owned(),
        module: listed.module.to_owned(),
        parameters: listed.parameters.as_ref().map(|parameters| parameters.iter().map(parameter).collect()),
    }
}

fn parameter(listed: &ParameterListing<'_>) -> ParameterEntry {
    ParameterEntry {
        name: listed.name.to_owned(),
        values: listed.values.to_vec(),
        pattern: listed.pattern.map(str::to_owned),
        secrecy: match listed.secrecy {
            ListedSecrecy::Open => None,
            ListedSecrecy::Secret => Some(ParameterSecrecy::Secret),
            ListedSecrecy::Secure => Some(ParameterSecrecy::Secure),
        },
    }
}

fn script(listed: &ScriptListing<'_>) -> ScriptEntry {
    ScriptEntry {
        name: listed.name.to_owned(),
        sha256: listed.sha256.to_owned(),
        parameters: listed.parameters.iter().map(parameter).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_the_name_of_a_target_and_nothing_else() {
        assert_eq!(read_query(Some("target=web01")).unwrap(), CapabilitiesRequest::list("web01".to_owned()));
        for query in [
            None,
            Some(""),
            Some("target="),
            Some("target=web01&target=web02"),
            Some("target=web01&command=x"),
            Some("Target=web01"),
            Some("target=%77eb01"),
            Some("target=../x"),
        ] {
            assert!(read_query(query).is_err(), "{query:?}");
        }
    }
}

//! Every spelling of a wrapper that stock clients send, and what comes close to one and is none.

mod local;
mod sent;
mod values;
mod wrappers;

use super::values::using_key;
use super::*;
use sekisho_protocol::clixml::{Content, Object, SecureText, Value};
use sekisho_protocol::psrp::{Argument, Command as Wire, Merge};
use sekisho_protocol::secret::SecretText;
use zeroize::Zeroizing;

fn arg(name: Option<&str>, value: Value) -> Argument {
    Argument { name: name.map(str::to_owned), value }
}

fn cmd(name: &str, arguments: Vec<Argument>) -> Wire {
    Wire::new(name, arguments)
}

fn script(text: &str, arguments: Vec<Argument>) -> Wire {
    Wire { kind: psrp::CommandKind::Script, ..cmd(text, arguments) }
}

fn out_default() -> Wire {
    Wire { merge: Merge { previous: true, ..Merge::default() }, ..cmd("Out-Default", vec![]) }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn no_key(_: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Err(sekisho_protocol::error::Misuse::WrongState.into())
}

/// A seal that is none, so that tests see what came out.
fn opened(sealed: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Ok(SecretText::new(format!("opened:{}", sealed.0.as_str())))
}

fn asked(statements: Vec<Vec<Wire>>) -> Asked {
    read(&CreatePipeline::of_statements(statements), Presence::Absent, &no_key, &mut Secrets::new())
}

fn one(commands: Vec<Wire>) -> Asked {
    asked(vec![commands])
}

fn why(asked: Asked) -> Why {
    let Asked::Refused(unread) = asked else { panic!("{asked:?}") };
    unread.why
}

fn script_of(asked: Asked) -> (ScriptRequest, Form) {
    let Asked::Judge { action: Action::Script(request), form } = asked else { panic!("{asked:?}") };
    (request, form)
}

fn commands_of(asked: Asked) -> (CommandsRequest, Form) {
    let Asked::Judge { action: Action::Commands(request), form } = asked else { panic!("{asked:?}") };
    (request, form)
}

fn local_of(asked: Asked) -> Local {
    let Asked::Local { local, .. } = asked else { panic!("{asked:?}") };
    local
}

fn invoked(name: &str, arguments: Vec<Argument>, out: &str, stream: Vec<Argument>) -> Asked {
    one(vec![cmd(name, arguments), cmd(out, stream)])
}

fn using(entries: &[(&str, Value)]) -> Argument {
    let entries = entries.iter().map(|(name, value)| (text(&using_key(name)), value.clone()));
    let content = Content::Dictionary(entries.collect());
    arg(Some("--%"), Value::object(Object { content, ..Object::default() }))
}

fn credential(user: Value, password: Value) -> Value {
    let adapted = vec![("UserName".to_owned(), user), ("Password".to_owned(), password)];
    let types = ["System.Management.Automation.PSCredential", "System.Object"].map(str::to_owned);
    Value::object(Object { types: Some(types.into()), adapted: Some(adapted), ..Object::default() })
}

fn secure(text: &str) -> Value {
    Value::Secure(SecureText(Zeroizing::new(text.to_owned())))
}

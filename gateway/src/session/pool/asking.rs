//! Calls of a target to the client's host that want an answer of the user's: passed on where policy lets a command
//! ask, and the answer encoded afresh.

use sekisho_protocol::clixml::{Content, ListKind, Object, Value};
use sekisho_protocol::psrp::{HostCall, HostMethod, HostResponse, HostResult};
use std::collections::HashMap;

/// Questions of one pipeline that are open at the same time: a pipeline waits for each of its own.
const OPEN: usize = 8;
/// Bytes of an answer's text.
const ANSWER: usize = 64 * 1024;
/// Fields of one form, and choices of one list.
const FIELDS: usize = 64;

/// The questions of one pipeline that wait for their answer: the client is given numbers of the gateway's own.
#[derive(Debug, Default)]
pub(super) struct Questions {
    last: i64,
    open: HashMap<i64, (i64, HostMethod)>,
}

impl Questions {
    /// The call for the client; nothing when too many are open.
    pub(super) fn ask(&mut self, call: &HostCall) -> Option<HostCall> {
        if OPEN <= self.open.len() {
            return None;
        }
        self.last = self.last.saturating_add(1);
        self.open.insert(self.last, (call.call, call.method));
        Some(HostCall { call: self.last, ..call.clone() })
    }

    /// The answer for the target, if it answers a question and is of the kind that was asked for; else an error.
    pub(super) fn answered(&mut self, response: HostResponse) -> Option<HostResponse> {
        let (call, method) = self.open.remove(&response.call)?;
        let result = match response.result {
            HostResult::Value(value) if fits(method, &value) => HostResult::Value(value),
            // The text of the client's error is none of the target's business.
            HostResult::Value(_) | HostResult::Error(_) | HostResult::Done => HostResult::Error(declined()),
        };
        Some(HostResponse { call, method, result })
    }
}

fn declined() -> Value {
    use sekisho_protocol::psrp::{ErrorCategory, ErrorRecord};
    let record = ErrorRecord {
        message: "the user gave no answer".to_owned(),
        id: "SekishoNoAnswer".to_owned(),
        category: ErrorCategory::OperationStopped,
        about: String::new(),
    };
    record.encode()
}

/// Whether a value can answer a question of this kind.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these methods ask; of any other no answer fits")]
fn fits(method: HostMethod, value: &Value) -> bool {
    match method {
        HostMethod::ReadLine => is_text(value),
        HostMethod::ReadLineAsSecureString => matches!(value, Value::Secure(_)),
        HostMethod::PromptForCredential1 | HostMethod::PromptForCredential2 => is_credential(value),
        HostMethod::PromptForChoice => is_number(value),
        HostMethod::PromptForChoiceMultipleSelection => {
            items(value).is_some_and(|items| items.len() <= FIELDS && items.iter().all(is_number))
        }
        HostMethod::Prompt => is_form(value),
        HostMethod::ReadKey => is_key(value),
        _ => false,
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.len() <= ANSWER)
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_))
}

fn items(value: &Value) -> Option<&[Value]> {
    match &value.as_object()?.content {
        Content::List(ListKind::List, items) => Some(items),
        Content::List(..) | Content::Nothing | Content::Value(_) | Content::Dictionary(_) => None,
    }
}

/// A PSCredential: a name and a SecureString, and nothing else.
fn is_credential(value: &Value) -> bool {
    let Value::Object(object) = value else { return false };
    let members: Vec<_> = object.adapted.iter().chain(&object.extended).flatten().collect();
    // Its type gives it both, so that clients send them as properties of the type.
    let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    members.len() == 2
        && matches!(object.content, Content::Nothing)
        && member("UserName").is_some_and(is_text)
        && matches!(member("Password"), Some(Value::Secure(_)))
}

/// What a form brings: by name, texts, numbers, secrets and credentials.
fn is_form(value: &Value) -> bool {
    let Value::Object(object) = value else { return false };
    let Content::Dictionary(entries) = &object.content else { return false };
    let is_field = |value: &Value| {
        let plain = matches!(value, Value::Nil | Value::Bool(_) | Value::Integer(_) | Value::Secure(_));
        plain || is_text(value) || is_credential(value)
    };
    let is_entry = |(key, value): &(Value, Value)| {
        let many = items(value).is_some_and(|items| items.len() <= FIELDS && items.iter().all(is_field));
        is_text(key) && (is_field(value) || many)
    };
    entries.len() <= FIELDS && entries.iter().all(is_entry)
}

/// A pressed key: four plain members.
fn is_key(value: &Value) -> bool {
    let Value::Object(object) = value else { return false };
    let plain = |value: &Value| {
        let single = matches!(value, Value::Bool(_) | Value::Integer(_) | Value::Char(_));
        single || value.as_object().is_some_and(is_enumeration)
    };
    let members: Vec<_> = object.adapted.iter().chain(&object.extended).flatten().collect();
    matches!(object.content, Content::Nothing) && members.len() <= 4 && members.iter().all(|(_, value)| plain(value))
}

fn is_enumeration(object: &Object) -> bool {
    matches!(&object.content, Content::Value(Value::Integer(_)))
        && object.adapted.is_none()
        && object.extended.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::clixml::decode;

    const TYPES: &str = "<TN RefId=\"0\"><T>System.Management.Automation.PSCredential</T><T>System.Object</T></TN>";

    fn answers(method: HostMethod, clixml: &str) -> bool {
        fits(method, &decode(clixml.as_bytes()).unwrap())
    }

    #[test]
    fn a_credential_as_powershell_writes_it_answers_the_question_for_one() {
        let credential = |members: &str| format!("<Obj RefId=\"0\">{TYPES}<Props>{members}</Props></Obj>");
        let (user, password) =
            ("<S N=\"UserName\">corp\\suzuki</S>", "<SS N=\"Password\">FvWUAZAW66+WfLolUZdWbA==</SS>");
        let whole = credential(&format!("{user}{password}"));
        assert!(answers(HostMethod::PromptForCredential2, &whole));
        assert!(!answers(HostMethod::ReadLine, &whole));
        for part in [
            user.to_owned(),
            format!("{user}{password}<S N=\"More\">x</S>"),
            format!("{user}<S N=\"Password\">plain</S>"),
        ] {
            assert!(!answers(HostMethod::PromptForCredential2, &credential(&part)), "{part}");
        }
    }
}

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

    /// A question that was not asked after all.
    pub(super) fn withdraw(&mut self, question: &HostCall) {
        self.open.remove(&question.call);
    }

    /// The answer for the target, if it answers a question and is of the kind that was asked for; else an error.
    pub(super) fn answered(&mut self, response: HostResponse) -> Option<HostResponse> {
        let (call, method) = self.open.remove(&response.call)?;
        let result = match response.result {
            HostResult::Value(value) => {
                rebuilt(method, &value).map_or_else(|| HostResult::Error(declined()), HostResult::Value)
            }
            // The text of the client's error is none of the target's business.
            HostResult::Error(_) | HostResult::Done => HostResult::Error(declined()),
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

/// The answer to a question of this kind, made anew of what may be in it: types and members of the client's are no
/// part of it. Nothing when the value answers no such question.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these methods ask; of any other no answer fits")]
fn rebuilt(method: HostMethod, value: &Value) -> Option<Value> {
    match method {
        HostMethod::ReadLine => text(value),
        HostMethod::ReadLineAsSecureString => secret(value),
        HostMethod::PromptForCredential1 | HostMethod::PromptForCredential2 => credential(value),
        HostMethod::PromptForChoice => number(value),
        HostMethod::PromptForChoiceMultipleSelection => list(value, number),
        HostMethod::Prompt => form(value),
        HostMethod::ReadKey => key(value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<Value> {
    matches!(value, Value::Text(text) if text.len() <= ANSWER).then(|| value.clone())
}

fn secret(value: &Value) -> Option<Value> {
    matches!(value, Value::Secure(_)).then(|| value.clone())
}

fn number(value: &Value) -> Option<Value> {
    matches!(value, Value::Integer(_)).then(|| value.clone())
}

fn list(value: &Value, item: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    let Content::List(ListKind::List, items) = &value.as_object()?.content else { return None };
    if FIELDS < items.len() {
        return None;
    }
    let items = items.iter().map(item).collect::<Option<_>>()?;
    let types = ["System.Collections.ArrayList", "System.Object"].map(str::to_owned);
    Some(Value::object(Object {
        types: Some(types.into()),
        content: Content::List(ListKind::List, items),
        ..Object::default()
    }))
}

/// A PSCredential: a name and a SecureString, and nothing else.
fn credential(value: &Value) -> Option<Value> {
    const TYPE: &str = "System.Management.Automation.PSCredential";
    let object = value.as_object()?;
    let members: Vec<_> = object.adapted.iter().chain(&object.extended).flatten().collect();
    // Its type gives it both, so that clients send them as properties of the type.
    let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if members.len() != 2 || !matches!(object.content, Content::Nothing) {
        return None;
    }
    let named = [("UserName", text(member("UserName")?)?), ("Password", secret(member("Password")?)?)];
    Some(Value::object(Object {
        types: Some([TYPE, "System.Object"].map(str::to_owned).into()),
        shown: Some(TYPE.to_owned()),
        adapted: Some(named.map(|(name, value)| (name.to_owned(), value)).into()),
        ..Object::default()
    }))
}

/// What a form brings: by name, texts, numbers, secrets and credentials.
fn form(value: &Value) -> Option<Value> {
    let Content::Dictionary(entries) = &value.as_object()?.content else { return None };
    if FIELDS < entries.len() {
        return None;
    }
    let field = |value: &Value| {
        let plain = matches!(value, Value::Nil | Value::Bool(_)).then(|| value.clone());
        plain.or_else(|| number(value)).or_else(|| text(value)).or_else(|| secret(value)).or_else(|| credential(value))
    };
    let entry = |(key, value): &(Value, Value)| Some((text(key)?, field(value).or_else(|| list(value, field))?));
    let entries = entries.iter().map(entry).collect::<Option<_>>()?;
    let types = ["System.Collections.Hashtable", "System.Object"].map(str::to_owned);
    let content = Content::Dictionary(entries);
    Some(Value::object(Object { types: Some(types.into()), content, ..Object::default() }))
}

/// A pressed key, \[MS-PSRP\] 2.2.3.26: four plain members.
fn key(value: &Value) -> Option<Value> {
    const MEMBERS: [&str; 4] = ["virtualKeyCode", "character", "controlKeyState", "keyDown"];
    let object = value.as_object()?;
    let single =
        |value: &Value| matches!(value, Value::Bool(_) | Value::Integer(_) | Value::Char(_)).then(|| value.clone());
    let plain = |value: &Value| match value.as_object().map(|object| &object.content) {
        Some(Content::Value(inner)) => number(inner),
        Some(Content::Nothing | Content::List(..) | Content::Dictionary(_)) | None => single(value),
    };
    let members: Vec<_> = object.adapted.iter().chain(&object.extended).flatten().collect();
    if MEMBERS.len() != members.len() || !matches!(object.content, Content::Nothing) {
        return None;
    }
    let named = MEMBERS.map(|wanted| {
        let (_, value) = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some((wanted.to_owned(), plain(value)?))
    });
    let extended = named.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Value::object(Object { extended: Some(extended), ..Object::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::clixml::{decode, encode};

    const TYPES: &str = "<TN RefId=\"0\"><T>System.Management.Automation.PSCredential</T><T>System.Object</T></TN>";

    fn answers(method: HostMethod, clixml: &str) -> bool {
        rebuilt(method, &decode(clixml.as_bytes()).unwrap()).is_some()
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

    #[test]
    fn an_answer_is_made_anew_without_the_types_and_members_of_the_clients() {
        let odd = "<TN RefId=\"0\"><T>Odd.Type</T></TN><ToString>odd</ToString>";
        let more = "<MS><S N=\"More\">x</S></MS>";
        let of =
            |method, clixml: String| rebuilt(method, &decode(clixml.as_bytes()).unwrap()).map(|value| encode(&value));
        let entry = "<En><S N=\"Key\">Field</S><S N=\"Value\">v</S></En>";
        let form = of(HostMethod::Prompt, format!("<Obj RefId=\"0\">{odd}<DCT>{entry}</DCT>{more}</Obj>")).unwrap();
        assert!(form.contains("Hashtable") && form.contains("Field"), "{form}");
        let numbers = HostMethod::PromptForChoiceMultipleSelection;
        let numbers = of(numbers, format!("<Obj RefId=\"0\">{odd}<LST><I32>1</I32></LST>{more}</Obj>")).unwrap();
        let members = "<S N=\"UserName\">u</S><SS N=\"Password\">AAAA</SS>";
        let user =
            of(HostMethod::PromptForCredential2, format!("<Obj RefId=\"0\">{odd}<MS>{members}</MS></Obj>")).unwrap();
        let key = "<I32 N=\"virtualKeyCode\">13</I32><C N=\"character\">13</C><I32 N=\"controlKeyState\">0</I32>\
                   <B N=\"keyDown\">true</B>";
        let pressed = of(HostMethod::ReadKey, format!("<Obj RefId=\"0\">{odd}<MS>{key}</MS></Obj>")).unwrap();
        for made in [form, numbers, user, pressed] {
            assert!(!made.contains("Odd") && !made.contains("odd") && !made.contains("More"), "{made}");
        }
        let foreign = key.replace("keyDown", "other");
        assert_eq!(of(HostMethod::ReadKey, format!("<Obj RefId=\"0\"><MS>{foreign}</MS></Obj>")), None);
        assert_eq!(of(HostMethod::GetName, "<S>x</S>".to_owned()), None);
    }
}

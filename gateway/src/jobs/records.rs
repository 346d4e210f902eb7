//! What a target's pipeline says, in the words of the job API.

use sekisho_protocol::clixml::{Content, Integer, Object, Value};
use sekisho_protocol::error::Malformed;
use sekisho_protocol::job::RecordStream;
use sekisho_protocol::psrp::{HostCall, HostMethod, MessageType, Passage, RecordBody};
use sekisho_protocol::{Error, Result};

/// What stands in the place of a SecureString: nobody outside of the gateway has a key for it.
const SECURE: &str = "System.Security.SecureString";
/// Output of `$null`, which travels as nothing.
const NULL: &str = "<Nil />";

/// What a call of a host shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// This text.
    Text(String),
    /// What a record of a stream says as well.
    AsRecord,
    /// Nothing that could be passed on.
    Nothing,
}

/// Which message is a record of which stream.
const STREAMS: [(MessageType, RecordStream); 7] = [
    (MessageType::PipelineOutput, RecordStream::Output),
    (MessageType::ErrorRecord, RecordStream::Error),
    (MessageType::WarningRecord, RecordStream::Warning),
    (MessageType::VerboseRecord, RecordStream::Verbose),
    (MessageType::DebugRecord, RecordStream::Debug),
    (MessageType::InformationRecord, RecordStream::Information),
    (MessageType::ProgressRecord, RecordStream::Progress),
];
/// Calls whose text no record says as well, and what ends that text.
const SHOWN: [(HostMethod, &str); 6] = [
    (HostMethod::Write1, ""),
    (HostMethod::Write2, ""),
    (HostMethod::WriteLine1, "\n"),
    (HostMethod::WriteLine2, "\n"),
    (HostMethod::WriteLine3, "\n"),
    (HostMethod::WriteErrorLine, "\n"),
];

/// The stream of a message; nothing for what is no record.
pub(super) fn stream(kind: MessageType) -> Option<RecordStream> {
    STREAMS.iter().find(|(known, _)| *known == kind).map(|(_, stream)| *stream)
}

/// The CLIXML of a record.
pub(super) fn clixml(body: &RecordBody) -> Result<&str> {
    if body.is_empty() {
        return Ok(NULL);
    }
    std::str::from_utf8(body.as_bytes()).map_err(|_no_text| Error::from(Malformed::Clixml))
}

/// The same record without SecureStrings. One that cannot hold any is not looked into.
pub(super) fn without_secrets(body: RecordBody) -> Result<RecordBody> {
    if !body.has_secure() {
        return Ok(body);
    }
    body.value().map(|value| RecordBody::encode(&value_without_secrets(&value)))
}

/// The same value without SecureStrings. The depth of values is bounded by their decoder.
pub(super) fn value_without_secrets(value: &Value) -> Value {
    match (value, value.as_object()) {
        (Value::Secure(_), _) => Value::text(SECURE),
        (_, Some(object)) => Value::object(object_without_secrets(object)),
        (_, None) => value.clone(),
    }
}

fn object_without_secrets(object: &Object) -> Object {
    let members = |members: &Option<Vec<(String, Value)>>| {
        let opened = |members: &Vec<(String, Value)>| {
            members.iter().map(|(name, value)| (name.clone(), value_without_secrets(value))).collect()
        };
        members.as_ref().map(opened)
    };
    let content = match &object.content {
        Content::Nothing => Content::Nothing,
        Content::Value(value) => Content::Value(value_without_secrets(value)),
        Content::List(kind, items) => Content::List(*kind, items.iter().map(value_without_secrets).collect()),
        Content::Dictionary(entries) => Content::Dictionary(
            entries.iter().map(|(key, value)| (value_without_secrets(key), value_without_secrets(value))).collect(),
        ),
    };
    Object {
        types: object.types.clone(),
        shown: object.shown.clone(),
        content,
        adapted: members(&object.adapted),
        extended: members(&object.extended),
    }
}

/// What a call shows: text as it is, with a line feed where a line ends. Warnings and their like come as records too.
pub(super) fn shown(call: &HostCall) -> Shown {
    if call.method.passage() != Passage::Shown {
        return Shown::Nothing;
    }
    let Some((method, end)) = SHOWN.iter().find(|(method, _)| *method == call.method) else { return Shown::AsRecord };
    // Colours stand before the text.
    match call.parameters.last() {
        None if *method == HostMethod::WriteLine1 => Shown::Text((*end).to_owned()),
        Some(Value::Text(text)) => Shown::Text(format!("{text}{end}")),
        Some(Value::Units(units)) => Shown::Text(format!("{}{end}", String::from_utf16_lossy(units))),
        Some(_) | None => Shown::Nothing,
    }
}

/// What a script ends with by `exit`.
pub(super) fn exit_code(call: &HostCall) -> Option<i32> {
    match call.parameters.first() {
        Some(Value::Integer(Integer { value, .. })) => i32::try_from(*value).ok(),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: HostMethod, parameters: Vec<Value>) -> HostCall {
        HostCall { call: -100, method, parameters }
    }

    fn body(clixml: &str) -> RecordBody {
        RecordBody::new(clixml.as_bytes().to_vec())
    }

    #[test]
    fn no_secure_string_leaves_the_gateway_wherever_it_stands() {
        let sealed = "<SS>c2VhbGVk</SS>";
        let member = sealed.replace("<SS>", "<SS N=\"Password\">");
        let key = sealed.replace("<SS>", "<SS N=\"Key\">");
        let value = sealed.replace("<SS>", "<SS N=\"Value\">");
        for clixml in [
            sealed.to_owned(),
            format!("<Obj RefId=\"0\"><MS><S N=\"UserName\">sato</S>{member}</MS></Obj>"),
            format!("<Obj RefId=\"0\"><Props>{member}</Props></Obj>"),
            format!("<Obj RefId=\"0\"><LST><I32>1</I32>{sealed}</LST></Obj>"),
            format!("<Obj RefId=\"0\"><DCT><En>{key}{value}</En></DCT></Obj>"),
            format!("<Obj RefId=\"0\">{sealed}<MS>{member}</MS></Obj>"),
            format!(
                "<Obj RefId=\"0\"><MS><Obj N=\"A\" RefId=\"1\"><LST>{sealed}</LST></Obj><Ref N=\"B\" RefId=\"1\" /></MS></Obj>"
            ),
        ] {
            let opened = without_secrets(body(&clixml)).unwrap();
            let text = super::clixml(&opened).unwrap();
            assert!(!text.contains("c2VhbGVk") && !text.contains("<SS") && text.contains(SECURE), "{clixml}: {text}");
        }
        assert!(without_secrets(body("<SS>x")).is_err(), "what cannot be read does not pass");
        let plain = body("<S>not <!-- looked --> into</S>");
        assert_eq!(without_secrets(plain.clone()).unwrap().as_bytes(), plain.as_bytes());
    }

    #[test]
    fn records_are_text() {
        assert_eq!(clixml(&body("")).unwrap(), "<Nil />");
        assert_eq!(clixml(&body("<S>é</S>")).unwrap(), "<S>é</S>");
        assert!(clixml(&RecordBody::new(vec![b'<', 0xff])).is_err());
    }

    #[test]
    fn what_is_shown_is_text_where_no_record_says_the_same() {
        let (text, colour) = (|| Value::text("x"), || Value::int(4));
        let line = Shown::Text("x\n".to_owned());
        assert_eq!(shown(&call(HostMethod::Write1, vec![text()])), Shown::Text("x".to_owned()));
        assert_eq!(shown(&call(HostMethod::Write2, vec![colour(), colour(), text()])), Shown::Text("x".to_owned()));
        assert_eq!(shown(&call(HostMethod::WriteLine1, vec![])), Shown::Text("\n".to_owned()));
        assert_eq!(shown(&call(HostMethod::WriteLine2, vec![text()])), line);
        assert_eq!(shown(&call(HostMethod::WriteLine3, vec![colour(), colour(), text()])), line);
        assert_eq!(shown(&call(HostMethod::WriteLine2, vec![])), Shown::Nothing);
        assert_eq!(shown(&call(HostMethod::WriteLine2, vec![colour()])), Shown::Nothing);
        for method in [HostMethod::WriteWarningLine, HostMethod::WriteVerboseLine, HostMethod::WriteProgress] {
            assert_eq!(shown(&call(method, vec![text()])), Shown::AsRecord);
        }
        for method in HostMethod::ALL.iter().filter(|method| method.passage() != Passage::Shown) {
            assert_eq!(shown(&call(*method, vec![text()])), Shown::Nothing, "{method:?}");
        }
    }

    #[test]
    fn every_record_has_its_stream() {
        let streams = MessageType::ALL.iter().filter(|kind| stream(**kind).is_some()).count();
        let records = MessageType::ALL.iter().filter(|kind| kind.is_record()).count();
        assert_eq!((streams, records), (7, 7));
    }
}

//! Bodies of CREATE_PIPELINE as a real engine reads them: we refuse, or read the same; what it refuses, we refuse.

use std::collections::BTreeMap;

use sekisho_protocol::clixml;
use sekisho_protocol::psrp::{Command, CommandKind, CreatePipeline, Scope};
use serde_json::Value;

use crate::support::oracle;

#[test]
fn a_body_is_refused_or_read_as_a_real_engine_reads_it() {
    let mut stricter: BTreeMap<String, usize> = BTreeMap::new();
    let mut same = 0_usize;
    for row in oracle() {
        let id = &row["id"];
        let read =
            clixml::decode(row["clixml"].as_str().unwrap().as_bytes()).and_then(|body| CreatePipeline::decode(&body));
        match (read, row.get("error")) {
            (Ok(_), Some(error)) => panic!("{id} is accepted, and the engine says {error}"),
            (Err(_), Some(_)) => {}
            (Err(error), None) => *stricter.entry(error.to_string()).or_default() += 1,
            (Ok(pipeline), None) => {
                compare(id, &pipeline.commands, &row["commands"]);
                let statements = pipeline.statements.unwrap_or_default();
                let expected = row.get("statements").and_then(Value::as_array).cloned().unwrap_or_default();
                assert_eq!(statements.len(), expected.len(), "{id}");
                statements.iter().zip(&expected).for_each(|(statement, expected)| compare(id, statement, expected));
                for (flag, name) in [
                    (pipeline.no_input, "NoInput"),
                    (pipeline.add_to_history, "AddToHistory"),
                    (pipeline.is_nested, "IsNested"),
                ] {
                    assert_eq!(row[name], if flag { "True" } else { "False" }, "{id}");
                }
                same += 1;
            }
        }
    }
    println!("{same} read the same; refused though the engine reads them: {stricter:?}");
    assert!(same > 400, "{same}");
}

/// Names, texts and the kinds of values; how values are shown is compared by the program `wire-corpus`.
fn compare(id: &Value, commands: &[Command], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(commands.len(), expected.len(), "{id}");
    for (command, expected) in commands.iter().zip(expected) {
        assert_eq!(expected["cmd"], command.name.as_str(), "{id}");
        assert_eq!(expected["is_script"], command.kind == CommandKind::Script, "{id}");
        let scope = match command.scope {
            Scope::Default => Value::Null,
            Scope::Local => Value::Bool(true),
            Scope::Session => Value::Bool(false),
        };
        assert_eq!(expected["local_scope"], scope, "{id}");
        let arguments = expected["args"].as_array().unwrap();
        assert_eq!(command.arguments.len(), arguments.len(), "{id}");
        for (argument, expected) in command.arguments.iter().zip(arguments) {
            assert_eq!(expected["name"].as_str(), argument.name.as_deref(), "{id}");
            compare_value(id, &argument.value, &expected["value"]);
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are compared by their types alone")]
fn compare_value(id: &Value, value: &clixml::Value, expected: &Value) {
    use clixml::Value as Clixml;
    match value {
        Clixml::Nil => assert_eq!(*expected, Value::Null, "{id}"),
        Clixml::Text(text) | Clixml::ScriptBlock(text) => {
            assert_eq!((expected["type"].as_str(), expected["text"].as_str()), (Some("String"), Some(text.as_str())));
        }
        Clixml::Bool(flag) => assert_eq!(expected["text"], if *flag { "True" } else { "False" }, "{id}"),
        Clixml::Integer(integer) => assert_eq!(expected["text"], integer.value.to_string(), "{id}"),
        Clixml::Bytes(_) => assert_eq!(expected["type"], "Byte[]", "{id}"),
        Clixml::Guid(guid) => assert_eq!(expected["text"], guid.to_string(), "{id}"),
        Clixml::Object(object) => {
            if let clixml::Content::List(_, items) = &object.content {
                let expected = expected["items"].as_array().unwrap();
                assert_eq!(items.len(), expected.len(), "{id}");
                items.iter().zip(expected).for_each(|(item, expected)| compare_value(id, item, expected));
            }
        }
        _ => assert!(expected.get("type").is_some(), "{id}"),
    }
}

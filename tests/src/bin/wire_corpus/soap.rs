//! What one WS-Man message says, request or response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::xml::{self, Element, Namespace};
use serde_json::{Map, Value, json};

pub(crate) fn read(text: &str) -> Result<Value, String> {
    let root = xml::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    if !root.is(Namespace::Soap, "Envelope") {
        return Err("no SOAP envelope".to_owned());
    }
    let mut answer = Map::new();
    if let Some(header) = one(&root, Namespace::Soap, "Header")? {
        read_header(header, &mut answer)?;
    }
    if let Some(body) = one(&root, Namespace::Soap, "Body")? {
        for element in body.children() {
            read_body(element, &mut answer)?;
        }
    }
    Ok(Value::Object(answer))
}

fn one<'e>(element: &'e Element, namespace: Namespace, local: &'static str) -> Result<Option<&'e Element>, String> {
    element.one(namespace, local).map_err(|error| format!("{local}: {error}"))
}

fn text(element: &Element) -> Result<&str, String> {
    element.trimmed().map_err(|error| format!("{}: {error}", element.local()))
}

fn put(answer: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    answer.entry(name).or_insert_with(|| value.into());
}

fn read_header(header: &Element, answer: &mut Map<String, Value>) -> Result<(), String> {
    for (name, namespace, local) in [
        ("action", Namespace::Addressing, "Action"),
        ("message_id", Namespace::Addressing, "MessageID"),
        ("relates_to", Namespace::Addressing, "RelatesTo"),
        ("resource", Namespace::Wsman, "ResourceURI"),
    ] {
        if let Some(element) = one(header, namespace, local)? {
            put(answer, name, text(element)?);
        }
    }
    if let Some(set) = one(header, Namespace::Wsman, "SelectorSet")? {
        let selectors = named(set, "Selector")?;
        for (name, value) in &selectors {
            if name.eq_ignore_ascii_case("ShellId") {
                put(answer, "shell", value.clone());
            }
        }
        put(answer, "selectors", selectors);
    }
    if let Some(set) = one(header, Namespace::Wsman, "OptionSet")? {
        put(answer, "options", named(set, "Option")?);
    }
    Ok(())
}

/// Elements with a `Name`, by it.
fn named(set: &Element, local: &'static str) -> Result<Map<String, Value>, String> {
    let mut found = Map::new();
    for element in set.all(Namespace::Wsman, local) {
        let name = element.attribute(Namespace::None, "Name").ok_or_else(|| format!("{local} without name"))?;
        if found.insert(name.to_owned(), Value::from(text(element)?)).is_some() {
            return Err(format!("{local} twice"));
        }
    }
    Ok(found)
}

fn read_body(element: &Element, answer: &mut Map<String, Value>) -> Result<(), String> {
    if element.is(Namespace::Soap, "Fault") {
        put(answer, "fault", fault(element)?);
        return Ok(());
    }
    walk(element, answer)
}

/// Takes what shells know from an element and all elements in it.
fn walk(element: &Element, answer: &mut Map<String, Value>) -> Result<(), String> {
    let attribute = |name| element.attribute(Namespace::None, name);
    if let Some(command) = attribute("CommandId") {
        put(answer, "command", command);
    }
    match (element.namespace(), element.local()) {
        (Namespace::Shell, "Shell") => {
            if let Some(shell) = attribute("ShellId") {
                put(answer, "shell", shell);
            }
        }
        (Namespace::Shell, "ShellId") => put(answer, "shell", text(element)?),
        (Namespace::Shell, "CommandId") => put(answer, "command", text(element)?),
        (Namespace::Shell, "ExitCode") => {
            let code: i64 = text(element)?.parse().map_err(|_| "an exit code that is no number")?;
            put(answer, "exit_code", code);
        }
        (Namespace::Shell, "CommandState") => {
            if let Some(state) = attribute("State") {
                put(answer, "state", state);
            }
        }
        (Namespace::Shell, "Stream") => push(answer, "streams", stream(element)?),
        (Namespace::PowerShell, "creationXml") => put(answer, "creation_xml", text(element)?),
        (Namespace::Addressing, _) => return Ok(()),
        _ => {}
    }
    if element.is(Namespace::Wsman, "SelectorSet") {
        for (name, value) in named(element, "Selector")? {
            if name.eq_ignore_ascii_case("ShellId") {
                put(answer, "shell", value);
            }
        }
    }
    element.children().iter().try_for_each(|child| walk(child, answer))?;
    if let Some(parameters) =
        element.children().iter().find(|child| child.is(Namespace::Addressing, "ReferenceParameters"))
    {
        walk_reference(parameters, answer)?;
    }
    Ok(())
}

/// The address of what was created: its selectors, and its resource where the header names none.
fn walk_reference(parameters: &Element, answer: &mut Map<String, Value>) -> Result<(), String> {
    if let Some(resource) = one(parameters, Namespace::Wsman, "ResourceURI")? {
        put(answer, "resource", text(resource)?);
    }
    if let Some(set) = one(parameters, Namespace::Wsman, "SelectorSet")? {
        let selectors = named(set, "Selector")?;
        for (name, value) in &selectors {
            if name.eq_ignore_ascii_case("ShellId") {
                put(answer, "shell", value.clone());
            }
        }
        put(answer, "selectors", selectors);
    }
    Ok(())
}

fn push(answer: &mut Map<String, Value>, name: &str, value: Value) {
    if let Value::Array(items) = answer.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        items.push(value);
    }
}

fn stream(element: &Element) -> Result<Value, String> {
    let name = element.attribute(Namespace::None, "Name").ok_or("a stream without name")?;
    let end = match element.attribute(Namespace::None, "End") {
        None => false,
        Some(flag) => matches!(flag.trim(), "true" | "TRUE" | "True" | "1"),
    };
    // Long data is broken into lines by some writers.
    let data: String = text(element)?.split_ascii_whitespace().collect();
    STANDARD.decode(&data).map_err(|_| "stream data that is no base64")?;
    Ok(json!({"name": name, "end": end, "data": data}))
}

fn fault(fault: &Element) -> Result<Value, String> {
    let mut answer = Map::new();
    let code = one(fault, Namespace::Soap, "Code")?;
    if let Some(value) = inner(code, "Value")? {
        put(&mut answer, "code", local_name(text(value)?));
    }
    if let Some(value) = inner(inner(code, "Subcode")?, "Value")? {
        put(&mut answer, "subcode", local_name(text(value)?));
    }
    let reason = one(fault, Namespace::Soap, "Reason")?;
    if let Some(first) = reason.and_then(|reason| reason.all(Namespace::Soap, "Text").next()) {
        put(&mut answer, "reason", text(first)?);
    }
    let detail = one(fault, Namespace::Soap, "Detail")?.and_then(|detail| find(detail, Namespace::Fault, "WSManFault"));
    if let Some(code) = detail.and_then(|found| found.attribute(Namespace::None, "Code")) {
        let code: u64 = code.trim().parse().map_err(|_| "a fault code that is no number")?;
        put(&mut answer, "wsman_code", code);
    }
    Ok(Value::Object(answer))
}

fn inner<'e>(element: Option<&'e Element>, local: &'static str) -> Result<Option<&'e Element>, String> {
    element.map_or(Ok(None), |element| one(element, Namespace::Soap, local))
}

/// Prefixes are the writer's own.
fn local_name(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn find<'e>(element: &'e Element, namespace: Namespace, local: &str) -> Option<&'e Element> {
    if element.is(namespace, local) {
        return Some(element);
    }
    element.children().iter().find_map(|child| find(child, namespace, local))
}

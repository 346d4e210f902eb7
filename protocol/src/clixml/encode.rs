//! Writing values: one form for each, with fresh references.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::{escape, escape_units};
use super::value::{Content, Member, Object, Progress, TypeNames, Value};

/// A value as CLIXML, without byte order mark.
///
/// References count from 0 in order. An object that stands twice is written once and referred to.
#[must_use]
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    encode_into(value, &mut out);
    out
}

/// As [`encode`], behind what is there already: messages are filled once.
pub fn encode_into(value: &Value, out: &mut String) {
    let mut encoder = Encoder { out, objects: HashMap::new(), types: HashMap::new(), next_object: 0, next_types: 0 };
    encoder.value(value, None);
}

struct Encoder<'v, 'o> {
    out: &'o mut String,
    /// References of objects that other places may hold too, by their place in memory.
    objects: HashMap<*const Object, usize>,
    types: HashMap<&'v [String], usize>,
    next_object: usize,
    next_types: usize,
}

impl<'v> Encoder<'v, '_> {
    fn value(&mut self, value: &'v Value, name: Option<&str>) {
        match value {
            Value::Nil => self.empty("Nil", name),
            Value::Text(text) => self.escaped("S", name, text),
            Value::Units(units) => {
                self.open("S", name, None);
                self.out.push('>');
                escape_units(units, self.out);
                self.close("S");
            }
            Value::Char(unit) => self.plain("C", name, &unit.to_string()),
            Value::Bool(value) => self.plain("B", name, if *value { "true" } else { "false" }),
            Value::Integer(integer) => self.plain(integer.kind.tag(), name, &integer.value.to_string()),
            Value::Real(real) => self.plain(real.kind.tag(), name, &real.text),
            Value::DateTime(text) => self.plain("DT", name, text),
            Value::Duration(text) => self.plain("TS", name, text),
            Value::Bytes(bytes) => self.plain("BA", name, &STANDARD.encode(bytes)),
            Value::Guid(guid) => self.plain("G", name, &guid.hyphenated().to_string()),
            Value::Uri(text) => self.escaped("URI", name, text),
            Value::Version(text) => self.plain("Version", name, text),
            Value::SemanticVersion(text) => self.plain("SemanticVersion", name, text),
            Value::Xml(text) => self.escaped("XD", name, text),
            Value::ScriptBlock(text) => self.escaped("SBK", name, text),
            Value::Secure(secure) => self.plain("SS", name, &secure.0),
            Value::Progress(progress) => self.progress(progress, name),
            Value::Object(object) => self.object(object, name),
        }
    }

    fn object(&mut self, object: &'v Arc<Object>, name: Option<&str>) {
        let place = Arc::as_ptr(object);
        if let Some(id) = self.objects.get(&place).copied() {
            self.open("Ref", name, Some(id));
            self.out.push_str(" />");
            return;
        }
        let id = self.next_object;
        self.next_object = id.saturating_add(1);
        if Arc::strong_count(object) > 1 {
            self.objects.insert(place, id);
        }
        self.open("Obj", name, Some(id));
        self.out.push('>');
        if let Some(types) = &object.types {
            self.type_names(types);
        }
        if let Some(shown) = &object.shown {
            self.escaped("ToString", None, shown);
        }
        self.content(&object.content);
        self.members("Props", object.adapted.as_deref());
        self.members("MS", object.extended.as_deref());
        self.close("Obj");
    }

    fn type_names(&mut self, types: &'v TypeNames) {
        if let Some(id) = self.types.get(&**types).copied() {
            self.open("TNRef", None, Some(id));
            self.out.push_str(" />");
            return;
        }
        let id = self.next_types;
        self.next_types = id.saturating_add(1);
        self.types.insert(types, id);
        self.open("TN", None, Some(id));
        self.out.push('>');
        for name in types.iter() {
            self.escaped("T", None, name);
        }
        self.close("TN");
    }

    fn content(&mut self, content: &'v Content) {
        match content {
            Content::Nothing => {}
            Content::Value(value) => self.value(value, None),
            Content::List(kind, items) => {
                self.open(kind.tag(), None, None);
                self.out.push('>');
                for item in items {
                    self.value(item, None);
                }
                self.close(kind.tag());
            }
            Content::Dictionary(entries) => {
                self.out.push_str("<DCT>");
                for (key, value) in entries {
                    self.out.push_str("<En>");
                    self.value(key, Some("Key"));
                    self.value(value, Some("Value"));
                    self.out.push_str("</En>");
                }
                self.out.push_str("</DCT>");
            }
        }
    }

    fn members(&mut self, tag: &'static str, members: Option<&'v [Member]>) {
        let Some(members) = members else { return };
        self.open(tag, None, None);
        self.out.push('>');
        for (name, value) in members {
            self.value(value, Some(name));
        }
        self.close(tag);
    }

    fn progress(&mut self, progress: &Progress, name: Option<&str>) {
        self.open("PR", name, None);
        self.out.push('>');
        self.escaped("AV", None, &progress.activity);
        self.plain("AI", None, &progress.activity_id.to_string());
        match &progress.operation {
            Some(operation) => self.escaped("CO", None, operation),
            None => self.empty("Nil", None),
        }
        self.plain("PI", None, &progress.parent_id.to_string());
        self.plain("PC", None, &progress.percent.to_string());
        self.escaped("T", None, &progress.kind);
        self.plain("SR", None, &progress.seconds_left.to_string());
        self.escaped("SD", None, &progress.status);
        self.close("PR");
    }

    fn empty(&mut self, tag: &'static str, name: Option<&str>) {
        self.open(tag, name, None);
        self.out.push_str(" />");
    }

    /// Text of digits, base64 and the like, which needs no escape.
    fn plain(&mut self, tag: &'static str, name: Option<&str>, text: &str) {
        self.open(tag, name, None);
        self.out.push('>');
        self.out.push_str(text);
        self.close(tag);
    }

    fn escaped(&mut self, tag: &'static str, name: Option<&str>, text: &str) {
        self.open(tag, name, None);
        self.out.push('>');
        escape(text, self.out);
        self.close(tag);
    }

    fn open(&mut self, tag: &'static str, name: Option<&str>, id: Option<usize>) {
        self.out.push('<');
        self.out.push_str(tag);
        if let Some(name) = name {
            self.out.push_str(" N=\"");
            escape(name, self.out);
            self.out.push('"');
        }
        if let Some(id) = id {
            self.out.push_str(" RefId=\"");
            self.out.push_str(&id.to_string());
            self.out.push('"');
        }
    }

    fn close(&mut self, tag: &'static str) {
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }
}

//! Values as JSON. `docs/agent.md`, "Objects as JSON".

use super::text::number;
use super::types::SECURE_STRING;
use super::view::Selection;
use super::{is_enumeration, members, property, text, type_names};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_protocol::clixml::{Content, Member, Object, Real, Value};
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::HashSet;

/// A value that is written as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a> {
    /// The value.
    pub value: &'a Value,
    /// How objects within it are written.
    pub nested: Nested,
}

/// How objects within objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nested {
    /// By their properties, or by their text where they have none.
    #[default]
    Plain,
    /// With the names of their types, their text, value and properties apart.
    Typed,
}

/// Properties of an object that were asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selected<'a> {
    pub(crate) value: &'a Value,
    pub(crate) selection: &'a Selection,
    pub(crate) nested: Nested,
}

/// Members alone.
#[derive(Debug, Clone)]
pub(crate) struct Properties<'a> {
    members: Vec<&'a Member>,
    nested: Nested,
}

/// A value within another.
struct Inner<'a>(Json<'a>);

impl<'a> Json<'a> {
    fn inner(self, value: &'a Value) -> Inner<'a> {
        Inner(Json { value, nested: self.nested })
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Integer(integer) => serializer.serialize_i128(integer.value),
            Value::Real(real) => write_real(real, serializer),
            Value::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Value::Text(text) | Value::DateTime(text) | Value::Duration(text) => serializer.serialize_str(text),
            Value::Secure(_) => serializer.serialize_str(SECURE_STRING),
            Value::Units(_)
            | Value::Char(_)
            | Value::Guid(_)
            | Value::Uri(_)
            | Value::Version(_)
            | Value::SemanticVersion(_)
            | Value::Xml(_)
            | Value::ScriptBlock(_)
            | Value::Progress(_) => serializer.serialize_str(&text(self.value)),
            Value::Object(object) => self.object(object, serializer),
        }
    }
}

impl<'a> Json<'a> {
    fn object<S: Serializer>(self, object: &'a Object, serializer: S) -> Result<S::Ok, S::Error> {
        match &object.content {
            Content::Value(inner) => match &object.shown {
                Some(shown) if is_enumeration(object) => serializer.serialize_str(shown),
                Some(_) | None => Json { value: inner, nested: self.nested }.serialize(serializer),
            },
            Content::List(_, items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&self.inner(item)))?;
                list.end()
            }
            Content::Dictionary(entries) => self.dictionary(entries, serializer),
            Content::Nothing => {
                let members = members(object);
                match &object.shown {
                    Some(shown) if members.is_empty() => serializer.serialize_str(shown),
                    Some(_) | None => Properties { members, nested: self.nested }.serialize(serializer),
                }
            }
        }
    }

    /// By the texts of the keys, or as a list of pairs where two have the same.
    fn dictionary<S: Serializer>(self, entries: &'a [(Value, Value)], serializer: S) -> Result<S::Ok, S::Error> {
        let keys: Vec<String> = entries.iter().map(|(key, _)| text(key)).collect();
        if keys.iter().collect::<HashSet<_>>().len() == keys.len() {
            let mut map = serializer.serialize_map(Some(keys.len()))?;
            keys.iter().zip(entries).try_for_each(|(key, (_, value))| map.serialize_entry(key, &self.inner(value)))?;
            return map.end();
        }
        let mut list = serializer.serialize_seq(Some(entries.len()))?;
        for (key, value) in entries {
            list.serialize_element(&Pair { key: self.inner(key), value: self.inner(value) })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct Pair<'a> {
    key: Inner<'a>,
    value: Inner<'a>,
}

/// An object with everything apart.
#[derive(Serialize)]
struct Wrapped<'a> {
    types: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
}

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(json) = self;
        let (Nested::Typed, Value::Object(object)) = (json.nested, json.value) else {
            return json.serialize(serializer);
        };
        let value = match &object.content {
            Content::Nothing => None,
            // Of an enumeration the number: the name is its text.
            Content::Value(value) => Some(Json { value, nested: json.nested }),
            Content::List(..) | Content::Dictionary(_) => Some(*json),
        };
        let properties = Properties::of(object, json.nested);
        Wrapped { types: type_names(json.value), text: object.shown.as_deref(), value, properties }
            .serialize(serializer)
    }
}

impl<'a> Properties<'a> {
    /// Those of an object; nothing where there are none.
    fn of(object: &'a Object, nested: Nested) -> Option<Self> {
        let members = members(object);
        (!members.is_empty()).then_some(Self { members, nested })
    }

    /// What an object has beside the value that it is, as far as it is written.
    pub(crate) fn beside(value: &'a Value, nested: Nested) -> Option<Self> {
        let object = value.as_object().filter(|object| object.content != Content::Nothing)?;
        if nested == Nested::Typed { Self::of(object, nested) } else { None }
    }
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, &Inner(Json { value, nested: self.nested }))?;
        }
        map.end()
    }
}

impl Serialize for Selected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, selection, nested } = *self;
        if !super::view::has_properties(value) {
            return Json { value, nested }.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(selection.names().len()))?;
        for name in selection.names() {
            let value = property(value, name);
            map.serialize_entry(name, &value.map(|value| Inner(Json { value, nested })))?;
        }
        map.end()
    }
}

/// With all its digits; what JSON has no number for is text.
fn write_real<S: Serializer>(real: &Real, serializer: S) -> Result<S::Ok, S::Error> {
    match RawValue::from_string(real.text.clone()) {
        Ok(number) if real.text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => number.serialize(serializer),
        Ok(_) | Err(_) => serializer.serialize_str(number(real)),
    }
}

//! Values of PowerShell's JSON, which has its ways with lists.

use serde_json::Value;

/// Message and hint.
pub(super) type Wrong = (String, String);

/// An object of the import whose keys are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(pub(super) &'a Value);

/// What a list holds. PowerShell writes a list of one as its only entry, an empty one as nothing, and Windows
/// PowerShell some lists as an object with their length.
pub(super) fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        Value::Object(keys) => match (keys.get("value"), keys.get("Count")) {
            (Some(Value::Array(list)), Some(_)) if keys.len() == 2 => list.iter().collect(),
            _ => vec![value],
        },
        Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![value],
    }
}

impl<'a> Place<'a> {
    /// Refuses keys that nobody reads: then the file comes from something else than the one-liner.
    pub(super) fn known(self, known: &[&str]) -> Result<(), Wrong> {
        let Value::Object(keys) = self.0 else {
            return Err(wrong("is no JSON object"));
        };
        match keys.keys().find(|key| !known.contains(&key.as_str())) {
            Some(_) => Err(wrong("has a key that is none of the one-liner's")),
            None => Ok(()),
        }
    }

    fn key(self, key: &str) -> &'a Value {
        self.0.get(key).unwrap_or(&Value::Null)
    }

    pub(super) fn text(self, key: &str) -> Result<&'a str, Wrong> {
        self.key(key).as_str().ok_or_else(|| wrong(&format!("has no text as `{key}`")))
    }

    pub(super) fn bool(self, key: &str) -> Result<bool, Wrong> {
        self.key(key).as_bool().ok_or_else(|| wrong(&format!("has neither true nor false as `{key}`")))
    }

    pub(super) fn number(self, key: &str) -> Result<i64, Wrong> {
        self.key(key).as_i64().ok_or_else(|| wrong(&format!("has no whole number as `{key}`")))
    }

    pub(super) fn texts(self, key: &str) -> Result<Vec<String>, Wrong> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            // Windows PowerShell and lists of numbers: `ValidateSet` takes them too.
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let texts: Option<Vec<String>> = many(self.key(key)).into_iter().map(text).collect();
        texts.ok_or_else(|| wrong(&format!("has something else than texts in `{key}`")))
    }

    pub(super) fn places(self, key: &str) -> Vec<Place<'a>> {
        many(self.key(key)).into_iter().map(Place).collect()
    }
}

fn wrong(message: &str) -> Wrong {
    (message.to_owned(), "import what the one-liner of docs/catalog.md of this version writes".to_owned())
}

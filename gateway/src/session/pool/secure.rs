//! SecureStrings between the two sides of the gateway, each of which has a session key of its own.

use sekisho_protocol::Result;
use sekisho_protocol::clixml::{Content, Object, SecureText, Value};
use std::sync::Arc;

/// The same value with every SecureString in it sealed anew. The depth of values is bounded by their decoder.
///
/// # Errors
/// What `reseal` says.
pub(super) fn resealed(value: &Value, reseal: &mut dyn FnMut(&SecureText) -> Result<SecureText>) -> Result<Value> {
    if let Value::Secure(sealed) = value {
        return reseal(sealed).map(Value::Secure);
    }
    if let Value::Object(object) = value {
        return Ok(Value::Object(Arc::new(object_resealed(object, reseal)?)));
    }
    Ok(value.clone())
}

/// Whether a SecureString is anywhere in a value.
pub(super) fn has_secure(value: &Value) -> bool {
    let Value::Object(object) = value else { return matches!(value, Value::Secure(_)) };
    let within = match &object.content {
        Content::Nothing => false,
        Content::Value(value) => has_secure(value),
        Content::List(_, items) => items.iter().any(has_secure),
        Content::Dictionary(entries) => entries.iter().any(|(key, value)| has_secure(key) || has_secure(value)),
    };
    let mut members = object.adapted.iter().chain(&object.extended).flatten();
    within || members.any(|(_, value)| has_secure(value))
}

fn object_resealed(object: &Object, reseal: &mut dyn FnMut(&SecureText) -> Result<SecureText>) -> Result<Object> {
    let content = match &object.content {
        Content::Nothing => Content::Nothing,
        Content::Value(value) => Content::Value(resealed(value, reseal)?),
        Content::List(kind, items) => {
            Content::List(*kind, items.iter().map(|item| resealed(item, reseal)).collect::<Result<_>>()?)
        }
        Content::Dictionary(entries) => {
            let mut sealed = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                sealed.push((resealed(key, reseal)?, resealed(value, reseal)?));
            }
            Content::Dictionary(sealed)
        }
    };
    let mut members = |members: &Option<Vec<(String, Value)>>| {
        let sealed = members.as_ref().map(|members| {
            members.iter().map(|(name, value)| Ok((name.clone(), resealed(value, reseal)?))).collect::<Result<Vec<_>>>()
        });
        sealed.transpose()
    };
    Ok(Object {
        adapted: members(&object.adapted)?,
        extended: members(&object.extended)?,
        types: object.types.clone(),
        shown: object.shown.clone(),
        content,
    })
}

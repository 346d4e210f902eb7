//! Members of the objects that messages are.

use crate::Result;
use crate::clixml::{Content, Integer, IntegerKind, ListKind, Object, Value};
use crate::error::Malformed;

/// A member that has to be there.
pub(super) fn required<'o>(object: &'o Object, name: &str) -> Result<&'o Value> {
    object.member(name).ok_or_else(|| Malformed::PsrpBody.into())
}

/// Messages are objects without types, text or content of their own.
pub(super) fn object(value: &Value) -> Result<&Object> {
    value.as_object().ok_or_else(|| Malformed::PsrpBody.into())
}

pub(super) fn boolean(value: &Value) -> Result<bool> {
    if let Value::Bool(value) = value { Ok(*value) } else { Err(Malformed::PsrpBody.into()) }
}

pub(super) fn optional_boolean(value: &Value) -> Result<Option<bool>> {
    if *value == Value::Nil { Ok(None) } else { boolean(value).map(Some) }
}

pub(super) fn text(value: &Value) -> Result<&str> {
    if let Value::Text(text) = value { Ok(text) } else { Err(Malformed::PsrpBody.into()) }
}

pub(super) fn optional_text(value: &Value) -> Result<Option<&str>> {
    if *value == Value::Nil { Ok(None) } else { text(value).map(Some) }
}

/// `I64`.
pub(super) fn long(value: &Value) -> Result<i64> {
    if let Value::Integer(Integer { kind: IntegerKind::Int64, value }) = value {
        i64::try_from(*value).map_err(|_| Malformed::PsrpBody.into())
    } else {
        Err(Malformed::PsrpBody.into())
    }
}

/// A number, or an enumeration: an object whose content is one.
pub(super) fn int(value: &Value) -> Result<i32> {
    let inner = match value.as_object().map(|object| &object.content) {
        Some(Content::Value(inner)) => inner,
        Some(Content::Nothing | Content::List(..) | Content::Dictionary(_)) | None => value,
    };
    if let Value::Integer(Integer { kind: IntegerKind::Int32, value }) = inner {
        i32::try_from(*value).map_err(|_| Malformed::PsrpBody.into())
    } else {
        Err(Malformed::PsrpBody.into())
    }
}

/// An ordered list: `LST` without members of its own.
pub(super) fn list(value: &Value) -> Result<&[Value]> {
    let object = object(value)?;
    match &object.content {
        Content::List(ListKind::List, items) if object.extended.is_none() && object.adapted.is_none() => Ok(items),
        Content::List(..) | Content::Nothing | Content::Value(_) | Content::Dictionary(_) => {
            Err(Malformed::PsrpBody.into())
        }
    }
}

/// A list as PowerShell's own client writes it.
pub(super) fn generic_list(items: Vec<Value>) -> Value {
    const TYPES: [&str; 2] = [
        "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, \
         Version=3.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]",
        "System.Object",
    ];
    typed(&TYPES, None, Content::List(ListKind::List, items))
}

/// An enumeration: its type, the name of the value, and the value.
pub(super) fn enumeration(type_name: &str, shown: &str, value: i32) -> Value {
    let types = [type_name, "System.Enum", "System.ValueType", "System.Object"];
    typed(&types, Some(shown), Content::Value(Value::int(value)))
}

pub(super) fn typed(types: &[&str], shown: Option<&str>, content: Content) -> Value {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    Value::object(Object { types: Some(types), shown: shown.map(str::to_owned), content, ..Object::default() })
}

/// `PublicKey` of PUBLIC_KEY, \[MS-PSRP\] 2.2.2.3.
pub(super) fn public_key(body: &Value) -> Result<String> {
    Ok(text(required(object(body)?, "PublicKey")?)?.to_owned())
}

/// `EncryptedSessionKey` of ENCRYPTED_SESSION_KEY, \[MS-PSRP\] 2.2.2.4.
pub(super) fn session_key(body: &Value) -> Result<String> {
    Ok(text(required(object(body)?, "EncryptedSessionKey")?)?.to_owned())
}

//! The names of types.

use sekisho_protocol::clixml::{IntegerKind, RealKind, Value};

/// What PowerShell puts before the types of objects that came from elsewhere.
const DESERIALIZED: &str = "Deserialized.";

/// The name of a type as it was at its origin.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix(DESERIALIZED).unwrap_or(name)
}

/// The names of a value's types, most special first; none for `$null`.
#[must_use]
pub fn type_names(value: &Value) -> Vec<&str> {
    if let Value::Object(object) = value {
        return match (&object.types, &object.content) {
            (Some(types), _) => types.iter().map(String::as_str).collect(),
            (None, sekisho_protocol::clixml::Content::Value(inner)) => type_names(inner),
            (None, _) => Vec::new(),
        };
    }
    primitive(value).into_iter().collect()
}

/// The type of a value that is no object.
fn primitive(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Nil | Value::Object(_) => return None,
        Value::Text(_) | Value::Units(_) => "System.String",
        Value::Char(_) => "System.Char",
        Value::Bool(_) => "System.Boolean",
        Value::Integer(integer) => match integer.kind {
            IntegerKind::Byte => "System.Byte",
            IntegerKind::SByte => "System.SByte",
            IntegerKind::UInt16 => "System.UInt16",
            IntegerKind::Int16 => "System.Int16",
            IntegerKind::UInt32 => "System.UInt32",
            IntegerKind::Int32 => "System.Int32",
            IntegerKind::UInt64 => "System.UInt64",
            IntegerKind::Int64 => "System.Int64",
        },
        Value::Real(real) => match real.kind {
            RealKind::Single => "System.Single",
            RealKind::Double => "System.Double",
            RealKind::Decimal => "System.Decimal",
        },
        Value::DateTime(_) => "System.DateTime",
        Value::Duration(_) => "System.TimeSpan",
        Value::Bytes(_) => "System.Byte[]",
        Value::Guid(_) => "System.Guid",
        Value::Uri(_) => "System.Uri",
        Value::Version(_) => "System.Version",
        Value::SemanticVersion(_) => "System.Management.Automation.SemanticVersion",
        Value::Xml(_) => "System.Xml.XmlDocument",
        Value::ScriptBlock(_) => "System.Management.Automation.ScriptBlock",
        Value::Secure(_) => SECURE_STRING,
        Value::Progress(_) => "System.Management.Automation.ProgressRecord",
    })
}

/// What stands in the place of a secret, as its `ToString` says.
pub(super) const SECURE_STRING: &str = "System.Security.SecureString";

//! Values of arguments as JSON.

use sekisho_policy::value::{Number, NumberKind, Opaque, Secure, SecureKind, Spelling, Value};
use serde_json::{Map, Value as Json, json};

/// What marks a value that is no primitive.
const OBJECT: &str = "$clixml";
/// What marks a secret, of which JSON has the kind alone.
const SECURE: &str = "$secure";
const SECURE_STRING: &str = "SecureString";
const CREDENTIAL: &str = "Credential";

/// A decoded `V` of a request. What is no primitive is opaque, whatever it claims to be.
#[must_use]
pub fn value_from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => number_from_json(number),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(value_from_json).collect()),
        Json::Object(members) => object(members),
    }
}

fn object(members: &Map<String, Json>) -> Value {
    let text = |key: &str| members.get(key).and_then(Json::as_str);
    let kind = match (members.len(), text(SECURE), text("user")) {
        (1, Some(SECURE_STRING), None) => SecureKind::SecureString,
        (1, Some(CREDENTIAL), None) => SecureKind::Credential { user: String::new() },
        (2, Some(CREDENTIAL), Some(user)) => SecureKind::Credential { user: user.to_owned() },
        _ if text(OBJECT) == Some("ScriptBlock") => return Value::Opaque(Opaque::ScriptBlock),
        _ => return Value::Opaque(Opaque::Object),
    };
    Value::Secure(Secure { kind, handle: 0 })
}

fn number_from_json(number: &serde_json::Number) -> Value {
    let kind = match (number.as_i64(), number.as_u64()) {
        (Some(small), _) if i32::try_from(small).is_ok() => NumberKind::Int32,
        (Some(_), _) => NumberKind::Int64,
        (None, Some(_)) => NumberKind::UInt64,
        (None, None) => NumberKind::Double,
    };
    let text = match (kind, number.as_f64()) {
        (NumberKind::Double, Some(double)) => double_text(double),
        _ => number.to_string(),
    };
    Value::Number(Number { kind, text, spelling: Spelling::Plain })
}

/// Significant digits above which .NET writes a double with an exponent.
const DOUBLE_DIGITS: i32 = 15;
/// Zeros after the point above which it does, too.
const LEADING_ZEROS: i32 = -5;

/// A double as .NET writes it in the invariant culture: `1E+20`, not `100000000000000000000`.
fn double_text(double: f64) -> String {
    let scientific = format!("{double:e}");
    let Some((digits, Ok(exponent))) = scientific.split_once('e').map(|(d, e)| (d, e.parse::<i32>())) else {
        return scientific;
    };
    if (LEADING_ZEROS.saturating_add(1)..DOUBLE_DIGITS).contains(&exponent) {
        return if double == 0.0 { "0".to_owned() } else { double.to_string() };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}E{sign}{:02}", exponent.unsigned_abs())
}

/// A value as answers have it. Numbers are numbers; of a secret there is the kind alone.
#[must_use]
pub fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => number_to_json(number),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(value_to_json).collect()),
        Value::Secure(secure) => match &secure.kind {
            SecureKind::SecureString => json!({ SECURE: SECURE_STRING }),
            SecureKind::Credential { user } => json!({ SECURE: CREDENTIAL, "user": user }),
        },
        Value::Opaque(Opaque::ScriptBlock) => json!({ OBJECT: "ScriptBlock" }),
        Value::Opaque(Opaque::Object) => json!({ OBJECT: "Obj" }),
    }
}

fn number_to_json(number: &Number) -> Json {
    let plain: Option<serde_json::Number> = number.text.parse().ok();
    plain.map_or_else(|| Json::String(number.text.clone()), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(json: &str) -> (NumberKind, String) {
        let value = value_from_json(&serde_json::from_str(json).unwrap());
        let Value::Number(number) = value else { panic!("{value:?}") };
        (number.kind, number.text)
    }

    #[test]
    fn numbers_have_the_text_that_dotnet_writes() {
        let cases = [
            ("50", NumberKind::Int32, "50"),
            ("-2147483648", NumberKind::Int32, "-2147483648"),
            ("2147483648", NumberKind::Int64, "2147483648"),
            ("18446744073709551615", NumberKind::UInt64, "18446744073709551615"),
            ("50.0", NumberKind::Double, "50"),
            ("1.5", NumberKind::Double, "1.5"),
            ("-0.0001", NumberKind::Double, "-0.0001"),
            ("0.00001", NumberKind::Double, "1E-05"),
            ("123456789012345.0", NumberKind::Double, "123456789012345"),
            ("1e15", NumberKind::Double, "1E+15"),
            ("1e300", NumberKind::Double, "1E+300"),
            ("18446744073709551616", NumberKind::Double, "1.8446744073709552E+19"),
        ];
        for (json, kind, text) in cases {
            assert_eq!(number(json), (kind, text.to_owned()), "{json}");
        }
    }

    #[test]
    fn what_is_no_primitive_is_opaque_in_lists_too() {
        let opaque = |json: Json| {
            let value = value_from_json(&json);
            let Value::Opaque(opaque) = value else { panic!("{value:?}") };
            opaque
        };
        assert_eq!(opaque(json!({"$clixml": "ScriptBlock", "text": "x"})), Opaque::ScriptBlock);
        for object in [json!({}), json!({"$clixml": "Obj"}), json!({"type": "Int32", "text": "1"}), json!({"a": 1})] {
            assert_eq!(opaque(object), Opaque::Object);
        }
        for odd in [
            json!({"$secure": "SecureString", "x": 1}),
            json!({"$secure": "x"}),
            json!({"$secure": "SecureString", "user": "x"}),
        ] {
            assert_eq!(opaque(odd), Opaque::Object);
        }
        let list = value_from_json(&json!([1, {"$clixml": "Obj"}]));
        assert!(matches!(list, Value::List(items) if items[1] == Value::Opaque(Opaque::Object)));
    }

    #[test]
    fn values_come_back_as_they_went() {
        let all = json!([null, true, 1, 1.5, "x", ["y"], {"$secure": "SecureString"},
            {"$secure": "Credential", "user": "DEMO\\x"}, {"$clixml": "Obj"}, {"$clixml": "ScriptBlock"}]);
        assert_eq!(value_to_json(&value_from_json(&all)), all);
    }
}

//! Whether a value has a parameter's type already, or can be made into it for sure.
//!
//! Where several parameters compete for a value, PowerShell first looks for one that takes it as it is. What is
//! not known to be so or not so counts as unsure, and then nothing is bound.

use crate::value::{NumberKind, SecureKind, Value};

/// An answer that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unsure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    Bool,
    Number(NumberKind),
    Object,
    SecureString,
    Credential,
    /// A class or enumeration that no plain value is an instance of.
    Other,
    /// An interface, a wrapper or a container, whose members are not known here.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    Several,
}

/// Whether the value is an instance of the type, or of the type's elements, without conversion.
pub(super) fn fits(type_name: &str, value: &Value) -> Answer {
    let (class, shape) = read(type_name);
    match value {
        Value::List(items) => list_fits(class, shape, items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_) | Value::Opaque(_) => {
            one_fits(class, value)
        }
    }
}

fn list_fits(class: Class, shape: Shape, items: &[Value]) -> Answer {
    match (class, shape) {
        (Class::Object | Class::Unknown, _) => Answer::Unsure,
        (_, Shape::One) => Answer::No,
        (_, Shape::Several) if items.is_empty() => Answer::Unsure,
        (_, Shape::Several) => {
            let answers = items.iter().map(|item| one_fits(class, item));
            answers.reduce(|one, other| if one == other { one } else { Answer::Unsure }).unwrap_or(Answer::Unsure)
        }
    }
}

fn one_fits(class: Class, value: &Value) -> Answer {
    let answer = |is| if is { Answer::Yes } else { Answer::No };
    match (class, value) {
        (Class::Unknown, _) | (_, Value::Null | Value::List(_) | Value::Opaque(_)) => Answer::Unsure,
        (Class::Object, Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Secure(_)) => Answer::Yes,
        (_, Value::Text(_)) => answer(class == Class::Text),
        (_, Value::Bool(_)) => answer(class == Class::Bool),
        (_, Value::Number(number)) => answer(class == Class::Number(number.kind)),
        (_, Value::Secure(secure)) => match secure.kind {
            SecureKind::SecureString => answer(class == Class::SecureString),
            SecureKind::Credential { .. } => answer(class == Class::Credential),
        },
    }
}

/// Whether the target makes the type of the value without fail.
pub(super) fn converts(type_name: &str, value: &Value) -> bool {
    let (class, _) = read(type_name);
    match (class, value) {
        (Class::Text, Value::Bool(_) | Value::Number(_) | Value::Text(_)) => true,
        (Class::Number(kind), Value::Number(number)) => holds(kind, &number.text),
        (Class::Number(kind), Value::Text(text)) => is_plain_integer(text) && holds(kind, text),
        (
            Class::Text
            | Class::Bool
            | Class::Number(_)
            | Class::Object
            | Class::SecureString
            | Class::Credential
            | Class::Other
            | Class::Unknown,
            _,
        ) => false,
    }
}

fn is_plain_integer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an integer of this type can have the value. Fractions are rounded by the target and not judged here.
fn holds(kind: NumberKind, text: &str) -> bool {
    match kind {
        NumberKind::Byte => text.parse::<u8>().is_ok(),
        NumberKind::SByte => text.parse::<i8>().is_ok(),
        NumberKind::Int16 => text.parse::<i16>().is_ok(),
        NumberKind::UInt16 => text.parse::<u16>().is_ok(),
        NumberKind::Int32 => text.parse::<i32>().is_ok(),
        NumberKind::UInt32 => text.parse::<u32>().is_ok(),
        NumberKind::Int64 => text.parse::<i64>().is_ok(),
        NumberKind::UInt64 => text.parse::<u64>().is_ok(),
        NumberKind::Single | NumberKind::Double | NumberKind::Decimal => text.parse::<i64>().is_ok(),
    }
}

/// Names by their last part, in the spellings of documentation and of PowerShell.
const NAMES: [(&str, Class); 30] = [
    ("string", Class::Text),
    ("boolean", Class::Bool),
    ("bool", Class::Bool),
    ("byte", Class::Number(NumberKind::Byte)),
    ("sbyte", Class::Number(NumberKind::SByte)),
    ("int16", Class::Number(NumberKind::Int16)),
    ("short", Class::Number(NumberKind::Int16)),
    ("uint16", Class::Number(NumberKind::UInt16)),
    ("ushort", Class::Number(NumberKind::UInt16)),
    ("int32", Class::Number(NumberKind::Int32)),
    ("int", Class::Number(NumberKind::Int32)),
    ("uint32", Class::Number(NumberKind::UInt32)),
    ("uint", Class::Number(NumberKind::UInt32)),
    ("int64", Class::Number(NumberKind::Int64)),
    ("long", Class::Number(NumberKind::Int64)),
    ("uint64", Class::Number(NumberKind::UInt64)),
    ("ulong", Class::Number(NumberKind::UInt64)),
    ("single", Class::Number(NumberKind::Single)),
    ("float", Class::Number(NumberKind::Single)),
    ("double", Class::Number(NumberKind::Double)),
    ("decimal", Class::Number(NumberKind::Decimal)),
    ("object", Class::Object),
    ("securestring", Class::SecureString),
    ("pscredential", Class::Credential),
    // Values that were sent may or may not be wrapped on the other side.
    ("psobject", Class::Unknown),
    ("valuetype", Class::Unknown),
    ("enum", Class::Unknown),
    ("array", Class::Unknown),
    ("void", Class::Unknown),
    ("", Class::Unknown),
];

fn read(type_name: &str) -> (Class, Shape) {
    let (element, shape) = match type_name.strip_suffix("[]") {
        Some(element) => (element, Shape::Several),
        None => (type_name, Shape::One),
    };
    if element.contains(['`', '[', '<', '+', '&', '*']) || element.contains("Collections") {
        return (Class::Unknown, shape);
    }
    let last = element.rsplit('.').next().unwrap_or_default();
    let class = match NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(last)) {
        Some((_, class)) => *class,
        None if is_interface(last) => Class::Unknown,
        None => Class::Other,
    };
    (class, shape)
}

/// `IEnumerable` and its like: text is an instance of several. `IPAddress` is taken along, to no harm.
fn is_interface(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next() == Some('I') && characters.next().is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Number, Spelling};

    #[test]
    fn plain_values_fit_their_own_types_alone() {
        let text = Value::text("1");
        for (name, expected) in [
            ("System.String", Answer::Yes),
            ("string[]", Answer::Yes),
            ("String", Answer::Yes),
            ("System.Object[]", Answer::Yes),
            ("System.Int32", Answer::No),
            ("System.ServiceProcess.ServiceController[]", Answer::No),
            ("System.Management.Automation.PSObject", Answer::Unsure),
            ("System.Collections.Generic.List`1[System.String]", Answer::Unsure),
            ("System.Nullable`1[System.Int32]", Answer::Unsure),
            ("IEnumerable", Answer::Unsure),
            ("", Answer::Unsure),
        ] {
            assert_eq!(fits(name, &text), expected, "{name}");
        }
        assert_eq!(fits("System.Int32[]", &Value::int(1)), Answer::Yes);
        assert_eq!(fits("System.Int64", &Value::int(1)), Answer::No);
        assert_eq!(fits("bool", &Value::Bool(true)), Answer::Yes);
        assert_eq!(fits("string", &Value::Null), Answer::Unsure);
    }

    #[test]
    fn lists_fit_when_all_their_items_do() {
        let list = |items: &[Value]| Value::List(items.to_vec());
        let (text, number) = (Value::text("a"), Value::int(1));
        assert_eq!(fits("string[]", &list(&[text.clone(), text.clone()])), Answer::Yes);
        assert_eq!(fits("string[]", &list(std::slice::from_ref(&number))), Answer::No);
        assert_eq!(fits("string[]", &list(&[text.clone(), number])), Answer::Unsure);
        assert_eq!(fits("string", &list(&[text])), Answer::No);
        assert_eq!(fits("string[]", &list(&[])), Answer::Unsure);
        assert_eq!(fits("object", &list(&[])), Answer::Unsure);
    }

    #[test]
    fn conversions_that_may_fail_are_not_counted_on() {
        let number =
            |kind, text: &str| Value::Number(Number { kind, text: text.to_owned(), spelling: Spelling::Plain });
        assert!(converts("System.Int32[]", &Value::text("123")));
        assert!(converts("string", &Value::int(5)));
        assert!(converts("long", &number(NumberKind::Int32, "-5")));
        for text in ["", "x", "1kb", "0x10", " 1", "-1", "99999999999", "1.5", "１"] {
            assert!(!converts("System.Int32", &Value::text(text)), "{text}");
        }
        assert!(!converts("byte", &number(NumberKind::Int32, "256")));
        assert!(!converts("int", &number(NumberKind::Double, "3.5")));
        assert!(!converts("System.DateTime", &Value::text("1")));
        assert!(!converts("string", &Value::List(vec![])));
    }
}

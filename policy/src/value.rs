//! The values that arguments can have: what PSRP carries and what script text can spell.

use std::fmt;

use crate::powershell::real_text;

/// A value of an argument.
///
/// Rule R7: null, booleans, numbers, text and lists of them may pass; secrets only where a rule says
/// `secure = true`; everything else is refused wherever it stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `$null`.
    Null,
    /// `$true` or `$false`.
    Bool(bool),
    /// A number with its type.
    Number(Number),
    /// Text: inert data, whatever characters it holds.
    Text(String),
    /// A list. A list within a list is refused.
    List(Vec<Self>),
    /// A SecureString or a PSCredential, which the policy never sees the inside of.
    Secure(Secure),
    /// Anything else, named by its kind: refused always.
    Opaque(Opaque),
}

/// A number. Two numbers are equal when type and text are.
#[derive(Debug, Clone)]
pub struct Number {
    /// The type it has in .NET.
    pub kind: NumberKind,
    /// Its text in the invariant culture: `16` for `0x10`, `1024` for `1kb`. What patterns and sets are compared with.
    pub text: String,
    /// How it was written.
    pub spelling: Spelling,
}

/// The type of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// `System.Byte`.
    Byte,
    /// `System.SByte`.
    SByte,
    /// `System.Int16`.
    Int16,
    /// `System.UInt16`.
    UInt16,
    /// `System.Int32`.
    Int32,
    /// `System.UInt32`.
    UInt32,
    /// `System.Int64`.
    Int64,
    /// `System.UInt64`.
    UInt64,
    /// `System.Single`.
    Single,
    /// `System.Double`.
    Double,
    /// `System.Decimal`.
    Decimal,
}

/// How a number was written in script text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// Decimal digits, perhaps with a sign or a point; and every number that did not come as text and is shown so.
    Plain,
    /// With a suffix, in hexadecimal or with an exponent, or of a text that versions of PowerShell differ in: refused
    /// on a parameter whose values are restricted (R6).
    Marked,
}

/// A secret that the gateway holds; the policy knows its kind alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secure {
    /// SecureString or PSCredential.
    pub kind: SecureKind,
    /// The gateway's own handle of it, meaningless to anybody else.
    pub handle: u64,
}

/// The kind of a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecureKind {
    /// `System.Security.SecureString`.
    SecureString,
    /// `System.Management.Automation.PSCredential`, with the user name it carries.
    Credential {
        /// The user name, which is no secret.
        user: String,
    },
}

/// A value that is refused everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opaque {
    /// A script block.
    ScriptBlock,
    /// An object, a dictionary, or a value of a type that is not listed in [`Value`].
    Object,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}

impl Eq for Number {}

impl Number {
    /// A `System.Double` that did not come as text.
    #[must_use]
    pub fn double(value: f64) -> Self {
        let text = if value.is_finite() { real_text(&value) } else { special(value) };
        Self { kind: NumberKind::Double, spelling: spelling(&text, 15), text }
    }

    /// A `System.Single` that did not come as text.
    #[must_use]
    pub fn single(value: f32) -> Self {
        let text = if value.is_finite() { real_text(&value) } else { special(value.into()) };
        Self { kind: NumberKind::Single, spelling: spelling(&text, 7), text }
    }
}

/// A number that every version and every part of PowerShell shows alike has no more digits than its type is sure of,
/// and no exponent. What is shown of any other is not known, and so it is not compared with rules.
fn spelling(text: &str, sure: usize) -> Spelling {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let usual = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    if usual && digits <= sure && text != "-0" { Spelling::Plain } else { Spelling::Marked }
}

/// As .NET writes them in the invariant culture.
fn special(value: f64) -> String {
    let text = match (value.is_nan(), value.is_sign_negative()) {
        (true, _) => "NaN",
        (false, false) => "Infinity",
        (false, true) => "-Infinity",
    };
    text.to_owned()
}

impl Value {
    /// Text from anything that can be text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number of type `System.Int32`.
    pub fn int(number: i32) -> Self {
        Self::Number(Number { kind: NumberKind::Int32, text: number.to_string(), spelling: Spelling::Plain })
    }
}

/// Values may be secret, so that only kinds and sizes are shown.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Number(number) => write!(f, "Number({:?})", number.kind),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Secure(secure) => write!(
                f,
                "Secure({})",
                match secure.kind {
                    SecureKind::SecureString => "SecureString",
                    SecureKind::Credential { .. } => "Credential",
                }
            ),
            Self::Opaque(opaque) => write!(f, "{opaque:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_text_that_dot_net_gives_them() {
        for (value, text) in [
            (2.5, "2.5"),
            (-0.0, "-0"),
            (1e300, "1E+300"),
            (1.5e-7, "1.5E-07"),
            (0.0001, "0.0001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(Number::double(value).text, text);
        }
        assert_eq!(Number::single(0.1).text, "0.1");
        let spelling = |value| Number::double(value).spelling;
        for plain in [2.5, -17.0, 0.0, 123_456_789_012_345.0] {
            assert_eq!(spelling(plain), Spelling::Plain, "{plain}");
        }
        for marked in [-0.0, 1e300, 1e-5, f64::NAN, f64::INFINITY, 1_234_567_890_123_456.0, 1.0 / 3.0] {
            assert_eq!(spelling(marked), Spelling::Marked, "{marked}");
        }
        assert_eq!(Number::single(16_777_216.0).spelling, Spelling::Marked);
        assert_eq!(Number::single(f32::NEG_INFINITY).text, "-Infinity");
    }
}

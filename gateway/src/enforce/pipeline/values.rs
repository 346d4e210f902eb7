//! From values of CLIXML to those that policy judges (R7): what is not listed there is opaque.

use super::{Opener, Secrets, Why};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_policy::command::{Argument, Bindings};
use sekisho_policy::limits::SUBSTITUTED_BYTES;
use sekisho_policy::value::{Number, NumberKind, Opaque, Secure, SecureKind, Spelling, Value};
use sekisho_protocol::clixml::{self, Content, Integer, IntegerKind, Object, Real, RealKind, SecureText};
use sekisho_protocol::psrp;

/// `N` of the argument that holds the values of `$using:` names.
const USING: &str = "--%";
const USING_PREFIX: &str = "$using:";
const CREDENTIAL: &str = "System.Management.Automation.PSCredential";

/// Reads the values of one pipeline.
pub(super) struct Values<'a> {
    open: Opener<'a>,
    secrets: &'a mut Secrets,
    /// Bytes that may still be read: references let a small request hold much.
    left: usize,
}

impl<'a> Values<'a> {
    pub(super) fn new(open: Opener<'a>, secrets: &'a mut Secrets) -> Self {
        Self { open, secrets, left: SUBSTITUTED_BYTES }
    }

    pub(super) fn arguments(&mut self, arguments: &[psrp::Argument]) -> Result<Vec<Argument>, Why> {
        arguments.iter().map(|one| self.argument(one)).collect()
    }

    /// What comes with a script.
    pub(super) fn bindings(&mut self, arguments: &[psrp::Argument]) -> Result<Bindings, Why> {
        let mut bindings = Bindings::default();
        let mut carriers = 0_usize;
        for argument in arguments {
            if argument.name.as_deref() == Some(USING) {
                carriers = carriers.saturating_add(1);
                bindings.using = self.using(&argument.value)?;
            } else {
                bindings.arguments.push(self.argument(argument)?);
            }
        }
        if carriers > 1 { Err(Why::Using) } else { Ok(bindings) }
    }

    fn argument(&mut self, argument: &psrp::Argument) -> Result<Argument, Why> {
        let name = argument.name.as_deref();
        self.pay(name.map_or(0, str::len))?;
        Ok(Argument { name: name.map(str::to_owned), value: self.value(&argument.value)? })
    }

    fn using(&mut self, carrier: &clixml::Value) -> Result<Vec<(String, Value)>, Why> {
        let Some(Content::Dictionary(entries)) = carrier.as_object().map(|object| &object.content) else {
            return Err(Why::Using);
        };
        let entries = entries.iter().map(|(key, value)| {
            let clixml::Value::Text(key) = key else { return Err(Why::Using) };
            self.pay(key.len())?;
            Ok((using_name(key).ok_or(Why::Using)?, self.value(value)?))
        });
        entries.collect()
    }

    fn value(&mut self, value: &clixml::Value) -> Result<Value, Why> {
        if let clixml::Value::Object(object) = value
            && let Content::List(_, items) = &object.content
        {
            return items.iter().map(|item| self.single(item)).collect::<Result<_, _>>().map(Value::List);
        }
        self.single(value)
    }

    /// Anything but a list.
    fn single(&mut self, value: &clixml::Value) -> Result<Value, Why> {
        self.pay(size_of::<Value>())?;
        match value {
            clixml::Value::Nil => Ok(Value::Null),
            clixml::Value::Text(text) => {
                self.pay(text.len())?;
                Ok(Value::text(text.as_str()))
            }
            clixml::Value::Bool(value) => Ok(Value::Bool(*value)),
            clixml::Value::Integer(integer) => Ok(integer_number(*integer)),
            clixml::Value::Real(real) => {
                self.pay(real.text.len())?;
                Ok(real_number(real).map_or(Value::Opaque(Opaque::Object), Value::Number))
            }
            clixml::Value::Secure(sealed) => self.secure(SecureKind::SecureString, sealed),
            clixml::Value::ScriptBlock(_) => Ok(Value::Opaque(Opaque::ScriptBlock)),
            clixml::Value::Object(object) => self.object(object),
            // Policy accepts none of these (R7).
            clixml::Value::Units(_)
            | clixml::Value::Char(_)
            | clixml::Value::DateTime(_)
            | clixml::Value::Duration(_)
            | clixml::Value::Bytes(_)
            | clixml::Value::Guid(_)
            | clixml::Value::Uri(_)
            | clixml::Value::Version(_)
            | clixml::Value::SemanticVersion(_)
            | clixml::Value::Xml(_)
            | clixml::Value::Progress(_) => Ok(Value::Opaque(Opaque::Object)),
        }
    }

    fn object(&mut self, object: &Object) -> Result<Value, Why> {
        match (&object.content, credential(object)) {
            (Content::Nothing, Some((user, sealed))) => {
                self.pay(user.len())?;
                self.secure(SecureKind::Credential { user: user.to_owned() }, sealed)
            }
            // Text that something was hung on, as PowerShell does with lines of files: the text alone goes on.
            (Content::Value(clixml::Value::Text(text)), _) if is_string(object) => {
                self.pay(text.len())?;
                Ok(Value::text(text.as_str()))
            }
            (Content::Nothing | Content::Value(_) | Content::List(..) | Content::Dictionary(_), _) => {
                Ok(Value::Opaque(Opaque::Object))
            }
        }
    }

    fn secure(&mut self, kind: SecureKind, sealed: &SecureText) -> Result<Value, Why> {
        let secret = (self.open)(sealed).map_err(|_| Why::Sealed)?;
        Ok(Value::Secure(Secure { kind, handle: self.secrets.add(secret)? }))
    }

    fn pay(&mut self, bytes: usize) -> Result<(), Why> {
        self.left = self.left.checked_sub(bytes).ok_or(Why::TooMuch)?;
        Ok(())
    }
}

/// User and sealed password of a PSCredential.
fn credential(object: &Object) -> Option<(&str, &SecureText)> {
    if object.types.as_ref()?.first()? != CREDENTIAL {
        return None;
    }
    match (object.adapted_member("UserName")?, object.adapted_member("Password")?) {
        (clixml::Value::Text(user), clixml::Value::Secure(sealed)) => Some((user, sealed)),
        _ => None,
    }
}

fn is_string(object: &Object) -> bool {
    object.types.as_ref().is_none_or(|types| types.first().is_some_and(|first| first == "System.String"))
}

/// `$using:name` in base64 of UTF-16LE.
fn using_name(key: &str) -> Option<String> {
    let bytes = STANDARD.decode(key).ok()?;
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    let (prefix, name) = text.split_at_checked(USING_PREFIX.len())?;
    (prefix.eq_ignore_ascii_case(USING_PREFIX) && !name.is_empty()).then(|| name.to_owned())
}

/// The key of a name: as PowerShell looks it up, in lower case.
pub(super) fn using_key(name: &str) -> String {
    let lower = name.chars().map(|c| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            (Some(_) | None, _) => c,
        }
    });
    let text: String = USING_PREFIX.chars().chain(lower).collect();
    STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

fn integer_number(integer: Integer) -> Value {
    let kind = match integer.kind {
        IntegerKind::Byte => NumberKind::Byte,
        IntegerKind::SByte => NumberKind::SByte,
        IntegerKind::UInt16 => NumberKind::UInt16,
        IntegerKind::Int16 => NumberKind::Int16,
        IntegerKind::UInt32 => NumberKind::UInt32,
        IntegerKind::Int32 => NumberKind::Int32,
        IntegerKind::UInt64 => NumberKind::UInt64,
        IntegerKind::Int64 => NumberKind::Int64,
    };
    Value::Number(Number { kind, text: integer.value.to_string(), spelling: Spelling::Plain })
}

/// In the text that .NET would show, which is what rules are compared with; nothing for what it would not write so.
fn real_number(real: &Real) -> Option<Number> {
    let text = real.text.as_str();
    match real.kind {
        RealKind::Single => text.parse().ok().map(Number::single),
        RealKind::Double => text.parse().ok().map(Number::double),
        RealKind::Decimal => is_plain_decimal(text).then(|| Number {
            kind: NumberKind::Decimal,
            text: text.to_owned(),
            spelling: Spelling::Plain,
        }),
    }
}

/// As .NET writes a decimal, zeros at the end among it: another spelling would be shown otherwise than it is judged.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let whole_right = whole == "0" || !whole.starts_with('0');
    let nothing = text.starts_with('-') && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    whole_right && !whole.is_empty() && !part.is_empty() && !nothing
}

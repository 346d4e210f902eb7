//! Values in memory.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Result;

/// A value, \[MS-PSRP\] 2.2.5.1 and 2.2.5.2.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `Nil`.
    Nil,
    /// `S`.
    Text(String),
    /// `S` whose units are no text, half of a surrogate pair among them: what a target may put out, and no name.
    Units(Vec<u16>),
    /// `C`: one UTF-16 unit.
    Char(u16),
    /// `B`.
    Bool(bool),
    /// `By`, `SB`, `U16`, `I16`, `U32`, `I32`, `U64`, `I64`.
    Integer(Integer),
    /// `Sg`, `Db`, `D`.
    Real(Real),
    /// `DT`: xs:dateTime as sent.
    DateTime(String),
    /// `TS`: xs:duration as sent.
    Duration(String),
    /// `BA`.
    Bytes(Vec<u8>),
    /// `G`.
    Guid(Uuid),
    /// `URI`.
    Uri(String),
    /// `Version`: two to four numbers.
    Version(String),
    /// `SemanticVersion`.
    SemanticVersion(String),
    /// `XD`: text of a document, never parsed.
    Xml(String),
    /// `SBK`: source of a script block.
    ScriptBlock(String),
    /// `SS`.
    Secure(SecureText),
    /// `PR`: only in the streams of programs.
    Progress(Box<Progress>),
    /// `Obj`, or `Ref` to one before: both hold the same object.
    Object(Arc<Object>),
}

/// A whole number and its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// Its type.
    pub kind: IntegerKind,
    /// Its value, within the bounds of the type.
    pub value: i128,
}

/// The type of a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegerKind {
    /// `By`.
    Byte,
    /// `SB`.
    SByte,
    /// `U16`.
    UInt16,
    /// `I16`.
    Int16,
    /// `U32`.
    UInt32,
    /// `I32`.
    Int32,
    /// `U64`.
    UInt64,
    /// `I64`.
    Int64,
}

impl IntegerKind {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Byte, Self::SByte, Self::UInt16, Self::Int16, Self::UInt32, Self::Int32, Self::UInt64, Self::Int64];

    /// The element's name.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Byte => "By",
            Self::SByte => "SB",
            Self::UInt16 => "U16",
            Self::Int16 => "I16",
            Self::UInt32 => "U32",
            Self::Int32 => "I32",
            Self::UInt64 => "U64",
            Self::Int64 => "I64",
        }
    }

    /// Whether a value is within the bounds of the type.
    #[must_use]
    pub fn holds(self, value: i128) -> bool {
        match self {
            Self::Byte => u8::try_from(value).is_ok(),
            Self::SByte => i8::try_from(value).is_ok(),
            Self::UInt16 => u16::try_from(value).is_ok(),
            Self::Int16 => i16::try_from(value).is_ok(),
            Self::UInt32 => u32::try_from(value).is_ok(),
            Self::Int32 => i32::try_from(value).is_ok(),
            Self::UInt64 => u64::try_from(value).is_ok(),
            Self::Int64 => i64::try_from(value).is_ok(),
        }
    }
}

/// A number with a fraction, as text: `1.5`, `1E+300`, `INF`, `-INF`, `NaN`; a decimal has no exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// Its type.
    pub kind: RealKind,
    /// Its text in the invariant culture, checked.
    pub text: String,
}

/// The type of a number with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealKind {
    /// `Sg`.
    Single,
    /// `Db`.
    Double,
    /// `D`.
    Decimal,
}

impl RealKind {
    /// The element's name.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Single => "Sg",
            Self::Double => "Db",
            Self::Decimal => "D",
        }
    }
}

/// A SecureString: ciphertext in base64, and from protocol 2.4 on clear text in base64, so that it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecureText(pub Zeroizing<String>);

/// A record of progress as `PR` writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// `AV`: what is going on.
    pub activity: String,
    /// `AI`.
    pub activity_id: i32,
    /// `CO`: the operation within it.
    pub operation: Option<String>,
    /// `PI`: -1 when there is no parent.
    pub parent_id: i32,
    /// `PC`: per cent, -1 when unknown.
    pub percent: i32,
    /// `T`: `Processing` or `Completed`.
    pub kind: String,
    /// `SR`: seconds left, -1 when unknown.
    pub seconds_left: i32,
    /// `SD`.
    pub status: String,
}

/// An object, \[MS-PSRP\] 2.2.5.2.
#[derive(Clone, Default, PartialEq)]
pub struct Object {
    /// `TN`: the names of its types, most special first. `None` when the element is not there.
    pub types: Option<TypeNames>,
    /// `ToString`.
    pub shown: Option<String>,
    /// What it is beside its members.
    pub content: Content,
    /// `Props`: members that its type gives it.
    pub adapted: Option<Vec<Member>>,
    /// `MS`: members that were added.
    pub extended: Option<Vec<Member>>,
}

/// Names of types; shared between objects that repeat them by `TNRef`.
pub type TypeNames = Arc<[String]>;

/// A named member.
pub type Member = (String, Value);

/// What an object is beside its members.
#[derive(Clone, Default, PartialEq)]
pub enum Content {
    /// Nothing.
    #[default]
    Nothing,
    /// A primitive value with members, or an object within an object.
    Value(Value),
    /// `LST`, `IE`, `STK`, `QUE`.
    List(ListKind, Vec<Value>),
    /// `DCT`.
    Dictionary(Vec<(Value, Value)>),
}

/// The kind of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// `LST`.
    List,
    /// `IE`.
    Enumerable,
    /// `STK`, top first.
    Stack,
    /// `QUE`.
    Queue,
}

impl ListKind {
    /// The element's name.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::List => "LST",
            Self::Enumerable => "IE",
            Self::Stack => "STK",
            Self::Queue => "QUE",
        }
    }
}

impl Value {
    /// Text from anything that can be text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// `I32`.
    #[must_use]
    pub fn int(value: i32) -> Self {
        Self::Integer(Integer { kind: IntegerKind::Int32, value: value.into() })
    }

    /// `I64`.
    #[must_use]
    pub fn long(value: i64) -> Self {
        Self::Integer(Integer { kind: IntegerKind::Int64, value: value.into() })
    }

    /// The value that a primitive element of this name and text has: a number of any type, among others.
    ///
    /// # Errors
    /// [`crate::error::Malformed`] when there is no such element, or its text is none of its.
    pub fn primitive(tag: &str, text: &str) -> Result<Self> {
        super::primitive::parse(tag, text.to_owned())
    }

    /// `System.Object[]`.
    #[must_use]
    pub fn array(items: Vec<Self>) -> Self {
        let types = ["System.Object[]", "System.Array", "System.Object"].map(str::to_owned);
        let content = Content::List(ListKind::List, items);
        Self::object(Object { types: Some(types.into()), content, ..Object::default() })
    }

    /// An object.
    #[must_use]
    pub fn object(object: Object) -> Self {
        Self::Object(Arc::new(object))
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl Object {
    /// An object that is nothing but its added members, as messages are.
    #[must_use]
    pub fn of_members<const N: usize>(members: [(&str, Value); N]) -> Self {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { extended: Some(members), ..Self::default() }
    }

    /// An added member by its exact name. Decoding has refused one that is there twice.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.extended.as_ref()?.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A member that its type gives it.
    #[must_use]
    pub fn adapted_member(&self, name: &str) -> Option<&Value> {
        self.adapted.as_ref()?.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// Values belong to a peer and may be secret, so that only kinds and sizes are shown.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("Nil"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Units(units) => write!(f, "Units({})", units.len()),
            Self::Char(_) => f.write_str("Char"),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Integer(integer) => write!(f, "Integer({:?})", integer.kind),
            Self::Real(real) => write!(f, "Real({:?})", real.kind),
            Self::DateTime(_) => f.write_str("DateTime"),
            Self::Duration(_) => f.write_str("Duration"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Guid(_) => f.write_str("Guid"),
            Self::Uri(_) => f.write_str("Uri"),
            Self::Version(_) => f.write_str("Version"),
            Self::SemanticVersion(_) => f.write_str("SemanticVersion"),
            Self::Xml(text) => write!(f, "Xml({} bytes)", text.len()),
            Self::ScriptBlock(text) => write!(f, "ScriptBlock({} bytes)", text.len()),
            Self::Secure(_) => f.write_str("Secure"),
            Self::Progress(_) => f.write_str("Progress"),
            Self::Object(object) => object.fmt(f),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |members: &Option<Vec<Member>>| members.as_ref().map_or(0, Vec::len);
        f.debug_struct("Object")
            .field("adapted", &count(&self.adapted))
            .field("extended", &count(&self.extended))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Value(value) => value.fmt(f),
            Self::List(kind, items) => write!(f, "{kind:?}({})", items.len()),
            Self::Dictionary(entries) => write!(f, "Dictionary({})", entries.len()),
        }
    }
}

impl fmt::Debug for SecureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecureText")
    }
}

//! What the target's commands put out: encoded once, and then only written.

use sekisho_protocol::clixml::{IntegerKind, Object, Value};
use sekisho_protocol::psrp::{CreatePipeline, RecordBody};

/// What texts are made of, and its bytes once it is escaped.
const PIECE: (&str, usize) = ("a line with <marks> & signs, ", 39);
/// Bytes of a line and of a block, escaped.
pub(crate) const LINE: usize = 2000;
pub(crate) const BLOCK: usize = 64 * 1024;

/// What of a pipeline's output is left.
pub(super) struct Output {
    body: RecordBody,
    left: i128,
}

impl Output {
    /// `Get-Content -Path lines|blocks -TotalCount N` puts out so many, everything else one object.
    pub(super) fn of(request: &CreatePipeline) -> Self {
        let arguments = request.commands.first().map(|command| command.arguments.as_slice()).unwrap_or_default();
        let value = |wanted: &str| {
            let mut named = arguments.iter().filter(|argument| argument.name.as_deref() == Some(wanted));
            named.next().map(|argument| &argument.value)
        };
        let left = match value("TotalCount") {
            Some(Value::Integer(count)) => count.value,
            _ => return Self { body: RecordBody::encode(&service()), left: 1 },
        };
        let blocks = matches!(value("Path").map(first), Some(Value::Text(path)) if path == "blocks");
        let (piece, length) = PIECE;
        let text = piece.repeat(if blocks { BLOCK } else { LINE }.div_ceil(length));
        Self { body: RecordBody::encode(&Value::text(text)), left }
    }

    /// The next object, until there is none.
    pub(super) fn next(&mut self) -> Option<RecordBody> {
        self.left = self.left.checked_sub(1).filter(|left| 0 <= *left)?;
        Some(self.body.clone())
    }
}

/// A path is a list where the policy has bound it.
fn first(value: &Value) -> &Value {
    let Value::Object(object) = value else { return value };
    let sekisho_protocol::clixml::Content::List(_, items) = &object.content else { return value };
    items.first().unwrap_or(value)
}

/// What Get-Service puts out, more or less.
fn service() -> Value {
    let number = |value| Value::Integer(sekisho_protocol::clixml::Integer { kind: IntegerKind::Int32, value });
    let texts = [("Name", "Spooler"), ("DisplayName", "Print Spooler"), ("ServiceName", "Spooler")];
    let mut members: Vec<_> = texts.map(|(name, text)| (name.to_owned(), Value::text(text))).into();
    members.push(("ServiceType".to_owned(), number(272)));
    members.push(("Status".to_owned(), number(4)));
    Value::object(Object {
        types: Some(["System.ServiceProcess.ServiceController", "System.Object"].map(str::to_owned).into()),
        shown: Some("System.ServiceProcess.ServiceController".to_owned()),
        adapted: Some(members),
        ..Object::default()
    })
}

//! Errors, warnings and their like, in the look that PowerShell gives them.

use super::record::{error_message, message};
use super::{Read, property, text};
use crate::output::write_safe;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::job::RecordStream;
use std::io::{self, Write};

/// Writes a record of the streams that are no output; of the others nothing.
///
/// # Errors
/// What the writer fails with.
pub fn write_trouble(err: &mut dyn Write, target: &str, stream: RecordStream, read: &Read<'_>) -> io::Result<()> {
    let value = match read {
        Read::Value(value) => value,
        Read::Unreadable(_) => {
            return lines(err, &format!("WARNING: {target}: a record of the target's cannot be read"));
        }
    };
    match stream {
        RecordStream::Error => write_error(err, target, value),
        RecordStream::Warning => lines(err, &format!("WARNING: {target}: {}", message(value))),
        RecordStream::Verbose => lines(err, &format!("VERBOSE: {target}: {}", message(value))),
        RecordStream::Debug => lines(err, &format!("DEBUG: {target}: {}", message(value))),
        RecordStream::Output | RecordStream::Information | RecordStream::Progress | RecordStream::Host => Ok(()),
    }
}

fn write_error(err: &mut dyn Write, target: &str, value: &Value) -> io::Result<()> {
    let of = |name| property(value, name).map_or_else(String::new, text);
    let message = error_message(value);
    let activity = of("ErrorCategory_Activity");
    lines(err, &if activity.is_empty() { message } else { format!("{activity} : {message}") })?;
    let category = of("ErrorCategory_Message");
    let details = [
        ("CategoryInfo", category),
        ("FullyQualifiedErrorId", of("FullyQualifiedErrorId")),
        ("Target", target.to_owned()),
    ];
    for (name, detail) in details.iter().filter(|(_, detail)| !detail.is_empty()) {
        lines(err, &format!("    + {name:<21} : {}", detail.replace(['\r', '\n'], " ")))?;
    }
    Ok(())
}

/// Each line made harmless; those after the first are set in, so that none passes for the beginning of a record.
fn lines(err: &mut dyn Write, text: &str) -> io::Result<()> {
    for (index, line) in text.lines().enumerate() {
        if 0 < index {
            err.write_all(b"  ")?;
        }
        write_safe(err, line)?;
        err.write_all(b"\n")?;
    }
    Ok(())
}

//! The text of a script, from a file or from standard input.

use crate::config::read_bounded;
use crate::error::{AgentError, UsageMistake};
use sekisho_protocol::job::SCRIPT_BYTES;
use std::io::Read;
use std::path::Path;

/// Bytes of a script's file: twice its text, for UTF-16.
const FILE_BYTES: usize = SCRIPT_BYTES.saturating_mul(2);

/// Reads the script of a file, or of `input` for `-`.
///
/// # Errors
/// When it cannot be read, is too large, or is no text.
pub fn read(path: &Path, input: &mut dyn Read) -> Result<String, AgentError> {
    let bytes = if path == Path::new("-") { from(input)? } else { read_bounded(path, FILE_BYTES)? };
    text(&bytes)
}

fn from(input: &mut dyn Read) -> Result<Vec<u8>, AgentError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = input.take(most).read_to_end(&mut bytes);
    read.map_err(|source| AgentError::File { path: "standard input".into(), source })?;
    if FILE_BYTES < bytes.len() { Err(UsageMistake::FileSize.into()) } else { Ok(bytes) }
}

/// UTF-8, or UTF-16 where a mark says so, as PowerShell reads files. The mark is no part of the text.
fn text(bytes: &[u8]) -> Result<String, AgentError> {
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        whole => std::str::from_utf8(whole).ok().map(str::to_owned),
    };
    decoded.ok_or_else(|| UsageMistake::ScriptText.into())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<String, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn of(bytes: &[u8]) -> Result<String, String> {
        read(&PathBuf::from("-"), &mut &bytes[..]).map_err(|error| error.to_string())
    }

    #[test]
    fn text_is_read_in_the_forms_in_which_editors_of_windows_leave_it() {
        for bytes in [
            "Get-It \u{e9}\r\n".as_bytes(),
            b"\xef\xbb\xbfGet-It \xc3\xa9\r\n",
            b"\xff\xfeG\0e\0t\0-\0I\0t\0 \0\xe9\0\r\0\n\0",
            b"\xfe\xff\0G\0e\0t\0-\0I\0t\0 \0\xe9\0\r\0\n",
        ] {
            assert_eq!(of(bytes).unwrap(), "Get-It \u{e9}\r\n");
        }
    }

    #[test]
    fn what_is_no_text_or_too_large_is_refused() {
        for bytes in [&b"\xff"[..], b"\xff\xfea", b"\xff\xfe\0\xd8", b"Gr\xfc\xdfe"] {
            assert_eq!(of(bytes).unwrap_err(), UsageMistake::ScriptText.to_string());
        }
        assert_eq!(of(&vec![b' '; FILE_BYTES + 1]).unwrap_err(), UsageMistake::FileSize.to_string());
        let path = PathBuf::from("/nowhere/x.ps1");
        assert!(matches!(read(&path, &mut std::io::empty()), Err(AgentError::File { .. })));
    }
}

//! From the bytes of a file to its text.

use super::{DataMistake, Place};
use crate::limits;

/// How a file's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8 without a mark. Windows PowerShell 5.1 reads it in the code page of the machine.
    Utf8Unmarked,
    /// UTF-8 with a byte order mark.
    Utf8,
    /// UTF-16LE with a byte order mark: what PowerShell itself writes.
    Utf16Le,
    /// UTF-16BE with a byte order mark.
    Utf16Be,
}

/// Reads a file's bytes as text, without its byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Encoding, String), DataMistake> {
    if bytes.len() > limits::SOURCE_BYTES {
        return Err(unreadable(&format!("the file is larger than {} bytes", limits::SOURCE_BYTES)));
    }
    let (encoding, text) = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return Err(unreadable("the file is UTF-32")),
        [0xFF, 0xFE, rest @ ..] => (Encoding::Utf16Le, utf16(rest, u16::from_le_bytes)?),
        [0xFE, 0xFF, rest @ ..] => (Encoding::Utf16Be, utf16(rest, u16::from_be_bytes)?),
        [0xEF, 0xBB, 0xBF, rest @ ..] => (Encoding::Utf8, utf8(rest)?),
        unmarked => (Encoding::Utf8Unmarked, utf8(unmarked)?),
    };
    if text.contains('\0') {
        return Err(unreadable("the file holds NUL characters: it is no text, or UTF-16 without a byte order mark"));
    }
    Ok((encoding, text))
}

fn utf8(bytes: &[u8]) -> Result<String, DataMistake> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| unreadable("the file is not UTF-8, and has no mark"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DataMistake> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(unreadable("the file is UTF-16 and ends in half a character"));
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| unreadable("the file is UTF-16 and holds half a character"))
}

fn unreadable(message: &str) -> DataMistake {
    let hint = "save it as UTF-8 with a byte order mark, or as UTF-16LE with one, as PowerShell does";
    DataMistake::new(Place { line: 1, column: 1 }, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "@{ a = '受注 😀' }\r\n";

    fn units(mark: [u8; 2], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.into_iter().chain(TEXT.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn what_powershell_and_people_write_is_read() {
        let marked: Vec<u8> = [0xEF, 0xBB, 0xBF].into_iter().chain(TEXT.bytes()).collect();
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8Unmarked),
            (marked, Encoding::Utf8),
            (units([0xFF, 0xFE], u16::to_le_bytes), Encoding::Utf16Le),
            (units([0xFE, 0xFF], u16::to_be_bytes), Encoding::Utf16Be),
        ] {
            assert_eq!(decode(&bytes).unwrap(), (encoding, TEXT.to_owned()));
        }
        assert_eq!(decode(b"").unwrap(), (Encoding::Utf8Unmarked, String::new()));
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_reason() {
        for (bytes, reason) in [
            (&b"\xFF\xFE\0\0@\0\0\0"[..], "UTF-32"),
            (b"\0\0\xFE\xFF\0\0\0@", "UTF-32"),
            (b"\xFF\xFE@", "half a character"),
            (b"\xFF\xFE\0\xD8a\0", "half a character"),
            (b"\xFE\xFF\xDC\0", "half a character"),
            (b"@\0{\0}\0", "without a byte order mark"),
            (b"@{ a = 'M\xFCller' }", "not UTF-8"),
            (b"\xEF\xBB\xBF\xC0\x80", "not UTF-8"),
        ] {
            let found = decode(bytes).unwrap_err();
            assert!(found.message.contains(reason), "{bytes:?}: {}", found.message);
        }
        assert!(decode(&vec![b' '; limits::SOURCE_BYTES + 1]).unwrap_err().message.contains("larger"));
    }
}

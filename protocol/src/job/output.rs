//! The target's output in a line of a job's answer.

use super::{JobMistake, OUTPUT_CHUNK};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Where output was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Output: `{"text":".."}` where the bytes are UTF-8, `{"base64":".."}` where they are not.
///
/// `Debug` shows lengths only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OutputData {
    /// UTF-8.
    Text(String),
    /// Any bytes, in standard base64 with padding.
    Base64(String),
}

impl OutputData {
    /// The form for these bytes: text if they are UTF-8.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    /// How many bytes at the front of `bytes` to send now, at most [`OUTPUT_CHUNK`], so that a character of
    /// UTF-8 is not cut in two; the rest waits for what comes after it.
    ///
    /// Zero only for an unfinished character alone: it is sent as it is at the end of the output.
    #[must_use]
    pub fn whole_characters(bytes: &[u8]) -> usize {
        let most = bytes.len().min(OUTPUT_CHUNK);
        let Some(front) = bytes.get(..most) else {
            return most;
        };
        match std::str::from_utf8(front) {
            Ok(_) => most,
            // `error_len` is absent only where the end came too early; other bytes go out as base64.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => most,
        }
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`JobMistake::Output`] for base64 that is none.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, JobMistake> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Base64(text) => STANDARD.decode(text).map(Cow::Owned).map_err(|_| JobMistake::Output),
        }
    }

    pub(super) fn validate(&self) -> Result<(), JobMistake> {
        let within = match self {
            Self::Text(text) => text.len() <= OUTPUT_CHUNK,
            Self::Base64(text) => text.len() <= base64_length(OUTPUT_CHUNK) && self.bytes().is_ok(),
        };
        if within { Ok(()) } else { Err(JobMistake::Output) }
    }
}

const fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

impl fmt::Debug for OutputData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Base64(text) => write!(f, "Base64({} characters)", text.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_comes_back_byte_for_byte_however_it_is_cut() {
        let mut whole = "é\u{20ac}\u{1f600}a".as_bytes().to_vec();
        whole.extend_from_slice(b"\xff\xfe");
        for cut in 0..=whole.len() {
            let mut pending = Vec::new();
            let mut back = Vec::new();
            for part in [&whole[..cut], &whole[cut..]] {
                pending.extend_from_slice(part);
                let now = OutputData::whole_characters(&pending);
                let data = OutputData::of(&pending[..now]);
                back.extend_from_slice(&data.bytes().unwrap());
                pending.drain(..now);
            }
            back.extend_from_slice(&OutputData::of(&pending).bytes().unwrap());
            assert_eq!(back, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_character_is_not_cut_in_two() {
        assert_eq!(OutputData::whole_characters("aé".as_bytes()), 3);
        assert_eq!(OutputData::whole_characters(&"aé".as_bytes()[..2]), 1);
        assert_eq!(OutputData::whole_characters(b"a\xff"), 2);
        let long = "é".repeat(OUTPUT_CHUNK);
        assert_eq!(OutputData::whole_characters(&long.as_bytes()[1..]), OUTPUT_CHUNK);
        assert_eq!(OutputData::whole_characters(format!("a{long}").as_bytes()), OUTPUT_CHUNK - 1);
    }

    #[test]
    fn debug_keeps_output_to_itself() {
        assert!(!format!("{:?}", OutputData::of(b"canary")).contains("canary"));
    }
}

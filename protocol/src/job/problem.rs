//! What the gateway answers instead of a stream or a list.

use super::{DOCUMENT_BYTES, JobMistake, check_text, decode, encode};
use serde::{Deserialize, Serialize};

/// A refusal before the first line: the sealed body of a status other than 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What is wrong.
    pub error: ProblemBody,
}

/// What is wrong, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemBody {
    /// For programs.
    pub class: ProblemClass,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// Finds this refusal in the gateway's log and audit.
    pub correlation_id: String,
    /// When a repetition makes sense, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

/// The class of a [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemClass {
    /// The request breaks a rule of this document.
    InvalidRequest,
    /// The user may not do this at all: no role, an unknown group or target.
    Denied,
    /// Too much at a time; try again.
    Limited,
    /// The gateway cannot work now: it is ending, or its audit cannot be written.
    Unavailable,
}

impl ProblemClass {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Denied => 403,
            Self::Limited => 429,
            Self::Unavailable => 503,
        }
    }
}

impl Problem {
    /// Decodes and validates a problem.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        let problem: Self = decode(json, DOCUMENT_BYTES)?;
        problem.validate()?;
        Ok(problem)
    }

    /// Validates and encodes the problem.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        self.validate()?;
        encode(self, DOCUMENT_BYTES)
    }

    fn validate(&self) -> Result<(), JobMistake> {
        check_text(&self.error.message)?;
        check_text(&self.error.correlation_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::MESSAGE_BYTES;

    fn problem() -> Problem {
        Problem {
            error: ProblemBody {
                class: ProblemClass::Limited,
                message: "too many jobs".into(),
                correlation_id: "c1".into(),
                retry_after_seconds: Some(5),
            },
        }
    }

    #[test]
    fn the_document_is_the_one_in_the_docs() {
        let json =
            r#"{"error":{"class":"limited","message":"too many jobs","correlation_id":"c1","retry_after_seconds":5}}"#;
        assert_eq!(String::from_utf8(problem().encode().unwrap()).unwrap(), json);
        assert_eq!(Problem::decode(json.as_bytes()), Ok(problem()));
    }

    #[test]
    fn foreign_and_long_texts_are_refused() {
        assert_eq!(Problem::decode(br#"{"error":"no"}"#), Err(JobMistake::Malformed));
        let mut long = problem();
        long.error.message = "m".repeat(MESSAGE_BYTES + 1);
        assert_eq!(long.encode(), Err(JobMistake::TextLength));
    }
}

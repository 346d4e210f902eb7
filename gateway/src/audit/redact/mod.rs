//! What is kept of a command: its words, but of secrets only a keyed digest.

mod commands;
mod line;

pub use commands::{AuditedCommands, AuditedScript, DeniedArgument, DeniedCommand};

use std::fmt::Write as _;

use ring::{digest, hmac};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::config::DeniedText;

/// An argument whose name contains one of these has a secret value, whatever policy says.
const SECRET_WORDS: [&str; 7] = ["password", "passwd", "pwd", "passphrase", "secret", "token", "key"];

/// Longer texts are kept as a digest even where text is asked for.
const MAX_KEPT_TEXT: usize = 8 * 1024;

/// Makes auditable forms of texts that may hold secrets.
#[derive(Debug)]
pub struct Redactor {
    key: hmac::Key,
    denied_text: DeniedText,
}

/// One argument as policy judged it.
#[derive(Clone, Copy)]
pub struct JudgedArgument<'a> {
    pub value: &'a str,
    /// Marked `secret` by the rule.
    pub secret: bool,
}

impl std::fmt::Debug for JudgedArgument<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JudgedArgument").field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// A program and its arguments as judged, with secret ones as digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedProgram {
    path: String,
    arguments: Vec<AuditedArgument>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum AuditedArgument {
    Plain(String),
    Secret {
        /// What stands before the value in the same argument, such as `/password:`.
        #[serde(skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
        /// HMAC-SHA-256 of the value, in hex.
        hmac: String,
    },
}

/// A name that somebody claimed and that no account has. People type their password where the name belongs, so
/// that it is kept like one: equal claims can be told, and nobody can guess at it without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedClaim {
    bytes: usize,
    /// HMAC-SHA-256 of the name, in hex.
    hmac: String,
}

/// A text that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedText {
    bytes: usize,
    sha256: String,
    /// Where reading stopped, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Redactor {
    /// With the key of the digests.
    #[must_use]
    pub fn new(key: &[u8; 32], denied_text: DeniedText) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), denied_text }
    }

    /// A program as judged.
    #[must_use]
    pub fn program(&self, path: &str, arguments: &[JudgedArgument<'_>]) -> AuditedProgram {
        AuditedProgram { path: path.to_owned(), arguments: self.arguments(arguments) }
    }

    fn arguments(&self, arguments: &[JudgedArgument<'_>]) -> Vec<AuditedArgument> {
        let mut audited = Vec::new();
        let mut value_follows = false;
        for argument in arguments {
            let (this, next) = self.argument(*argument, value_follows);
            audited.push(this);
            value_follows = next;
        }
        audited
    }

    /// Whether the operator wants to see what was denied.
    #[must_use]
    pub fn shows_denied_text(&self) -> bool {
        self.denied_text == DeniedText::Text
    }

    /// A text that could not be read; `place` is where reading stopped.
    #[must_use]
    pub fn unread(&self, text: &str, place: Option<usize>) -> AuditedText {
        let kept = match self.denied_text {
            DeniedText::Text if text.len() <= MAX_KEPT_TEXT => Some(text.to_owned()),
            DeniedText::Text | DeniedText::Digest => None,
        };
        AuditedText {
            bytes: text.len(),
            sha256: hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()),
            place,
            text: kept,
        }
    }

    /// A name that no account has.
    #[must_use]
    pub fn claim(&self, name: &str) -> AuditedClaim {
        AuditedClaim { bytes: name.len(), hmac: hex(hmac::sign(&self.key, name.as_bytes()).as_ref()) }
    }

    /// The audited form, and whether the next argument is this one's secret value.
    fn argument(&self, argument: JudgedArgument<'_>, value_follows: bool) -> (AuditedArgument, bool) {
        let text = argument.value;
        if argument.secret {
            return (self.secret(None, text), false);
        }
        match (Shape::of(text), value_follows) {
            (Shape::Assignment { name, value }, _) if is_secret_name(name) => {
                let prefix = text.get(..text.len().saturating_sub(value.len())).unwrap_or_default();
                (self.secret(Some(prefix), value), false)
            }
            // A secret may begin like a switch; then what follows it is judged by the same name.
            (Shape::Switch { name }, true) => (self.secret(None, text), is_secret_name(name)),
            (Shape::Switch { name }, false) => (AuditedArgument::Plain(text.to_owned()), is_secret_name(name)),
            (Shape::Assignment { .. } | Shape::Word, true) => (self.secret(None, text), false),
            (Shape::Assignment { .. } | Shape::Word, false) => (AuditedArgument::Plain(text.to_owned()), false),
        }
    }

    fn secret(&self, prefix: Option<&str>, value: &str) -> AuditedArgument {
        AuditedArgument::Secret {
            prefix: prefix.map(str::to_owned),
            hmac: hex(hmac::sign(&self.key, value.as_bytes()).as_ref()),
        }
    }
}

/// How an argument names its value.
enum Shape<'a> {
    /// `/name:value`, `--name=value`, `name=value`.
    Assignment {
        name: &'a str,
        value: &'a str,
    },
    /// `/name`, `-name`, `--name`, also with a closing `:` or `=`: its value may be the next argument.
    Switch {
        name: &'a str,
    },
    Word,
}

impl<'a> Shape<'a> {
    fn of(text: &'a str) -> Self {
        let name = text.trim_start_matches(['-', '/']);
        let switch = name.len() != text.len();
        match name.split_once([':', '=']) {
            Some((name, "")) if switch => Self::Switch { name },
            Some((name, value)) => Self::Assignment { name, value },
            None if switch => Self::Switch { name },
            None => Self::Word,
        }
    }
}

/// Whether a name speaks of a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = Zeroizing::new(name.to_lowercase());
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audited(arguments: &[(&str, bool)]) -> String {
        let redactor = Redactor::new(&[7; 32], DeniedText::Digest);
        let judged: Vec<_> = arguments.iter().map(|&(value, secret)| JudgedArgument { value, secret }).collect();
        serde_json::to_string(&redactor.program("C:\\x.exe", &judged)).unwrap()
    }

    #[test]
    fn plain_arguments_are_kept() {
        let line = audited(&[("/all", false), ("name", false), ("x=y", false)]);
        assert_eq!(line, r#"{"path":"C:\\x.exe","arguments":["/all","name","x=y"]}"#);
    }

    #[test]
    fn secret_values_never_appear() {
        let forms: [&[(&str, bool)]; 13] = [
            &[("hunter2", true)],
            &[("/password:hunter2", false)],
            &[("--token=hunter2", false)],
            &[("-Key", false), ("hunter2", false)],
            &[("-Key:", false), ("hunter2", false)],
            &[("/PASSWORD", false), ("hunter2", false)],
            &[("--client-secret", false), ("hunter2", false)],
            &[("password=hunter2", false)],
            &[("--Password", false), ("-hunter2", false)],
            &[("--password", false), ("a=hunter2", false)],
            &[("--show-key", false), ("--password", false), ("hunter2", false)],
            &[("/passwordhint:hunter2", false)],
            &[("-pwd", false), ("/hunter2:x", false)],
        ];
        for form in forms {
            let line = audited(form);
            assert!(!line.contains("hunter2"), "{line}");
            assert!(line.contains("hmac"), "{line}");
        }
    }

    #[test]
    fn a_secret_name_hides_its_own_value_only() {
        let line = audited(&[("-Key", false), ("hunter2", false), ("after", false)]);
        assert!(line.contains("\"-Key\",{\"hmac\":") && line.ends_with(",\"after\"]}"), "{line}");
        let line = audited(&[("/password:hunter2", false), ("after", false)]);
        assert!(line.contains("\"prefix\":\"/password:\"") && line.ends_with(",\"after\"]}"), "{line}");
    }

    #[test]
    fn digests_are_keyed_and_equal_for_equal_secrets() {
        let same =
            |key: u8| serde_json::to_string(&Redactor::new(&[key; 32], DeniedText::Digest).secret(None, "x")).unwrap();
        assert_eq!(same(1), same(1));
        assert_ne!(same(1), same(2));
    }

    #[test]
    fn a_claimed_name_is_a_keyed_digest_even_where_text_is_asked_for() {
        let claim =
            |key: u8| serde_json::to_string(&Redactor::new(&[key; 32], DeniedText::Text).claim("\\hunter2")).unwrap();
        assert!(claim(1).starts_with(r#"{"bytes":8,"hmac":""#) && !claim(1).contains("hunter2"), "{}", claim(1));
        assert_ne!(claim(1), claim(2));
    }

    #[test]
    fn unread_text_is_a_digest_unless_asked_for() {
        let digest = Redactor::new(&[7; 32], DeniedText::Digest).unread("abc", Some(1));
        let line = serde_json::to_string(&digest).unwrap();
        assert_eq!(
            line,
            r#"{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","place":1}"#
        );
        let text = Redactor::new(&[7; 32], DeniedText::Text);
        assert!(serde_json::to_string(&text.unread("abc", None)).unwrap().contains(r#""text":"abc""#));
        assert!(!serde_json::to_string(&text.unread(&"a".repeat(MAX_KEPT_TEXT + 1), None)).unwrap().contains("text"));
    }
}

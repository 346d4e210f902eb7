//! The configuration file with defaults: gateway, user, and by what the gateway is verified. Never a password.

use crate::error::AgentError;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Bytes that the configuration file may have.
const CONFIG_BYTES: usize = 64 * 1024;

/// What the file may say. Arguments come before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The gateway's address.
    pub gateway: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The file with the gateway's CA; relative to the folder of this file.
    pub ca: Option<PathBuf>,
    /// The gateway's fingerprint.
    pub pin: Option<String>,
}

impl AgentConfig {
    /// Reads the file at `explicit`, which must be there, or else the user's own, which need not.
    ///
    /// # Errors
    /// When it cannot be read or has a mistake.
    pub fn load(explicit: Option<&Path>) -> Result<Self, AgentError> {
        match (explicit, default_path()) {
            (Some(path), _) => Self::read(path),
            (None, Some(path)) if path.exists() => Self::read(&path),
            (None, _) => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, AgentError> {
        let bytes = read_bounded(path, CONFIG_BYTES)?;
        let mistake = |message| AgentError::Config { path: path.to_owned(), message };
        let text = String::from_utf8(bytes).map_err(|_| mistake("it is not UTF-8".to_owned()))?;
        let mut config = Self::parse(&text).map_err(mistake)?;
        if let (Some(ca), Some(folder)) = (&config.ca, path.parent()) {
            config.ca = Some(folder.join(ca));
        }
        Ok(config)
    }

    /// Only the parser's message is used, since its picture of the line would show what stands there: perhaps
    /// a password that somebody put in.
    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            let column = before.chars().rev().take_while(|character| *character != '\n').count().saturating_add(1);
            let hint =
                if error.message().contains("`password") { "; a password never stands in this file" } else { "" };
            format!("line {line}, column {column}: {}{hint}", error.message())
        })
    }
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read_bounded(path: &Path, most: usize) -> Result<Vec<u8>, AgentError> {
    let source = |source| AgentError::File { path: path.to_owned(), source };
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path).map_err(source)?.take(limit).read_to_end(&mut bytes).map_err(source)?;
    if bytes.len() > most {
        return Err(source(io::Error::new(io::ErrorKind::FileTooLarge, "larger than such a file can be")));
    }
    Ok(bytes)
}

fn default_path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CONFIG_HOME")
        .or_else(|| folder("APPDATA"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(base.join("sekisho").join("agent.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_and_the_ca_stands_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        std::fs::write(&path, "gateway = \"https://gw\"\nuser = 'CORP\\alice'\nca = \"ca.pem\"\n").unwrap();
        let config = AgentConfig::load(Some(&path)).unwrap();
        assert_eq!(config.gateway.as_deref(), Some("https://gw"));
        assert_eq!(config.user.as_deref(), Some("CORP\\alice"));
        assert_eq!(config.ca, Some(folder.path().join("ca.pem")));
    }

    #[test]
    fn a_password_in_the_file_is_refused_and_not_shown() {
        let message = AgentConfig::parse("user = \"alice\"\npassword = \"hunter2\"\n").unwrap_err();
        assert!(message.starts_with("line 2, column 1: unknown field `password`"), "{message}");
        assert!(message.ends_with("a password never stands in this file"));
        assert!(!message.contains("hunter2"));
        let message = AgentConfig::parse("password = hunter2\n").unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_named_file_must_be_there_and_of_sane_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        assert!(matches!(AgentConfig::load(Some(&path)), Err(AgentError::File { .. })));
        std::fs::write(&path, vec![b'#'; CONFIG_BYTES + 1]).unwrap();
        assert!(matches!(AgentConfig::load(Some(&path)), Err(AgentError::File { .. })));
    }
}

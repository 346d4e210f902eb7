//! Where the password comes from: a prompt, standard input, or a file that others cannot read.
//!
//! Never an argument or the environment, which other processes can read.

mod platform;

use crate::error::{AgentError, PasswordMistake};
use sekisho_protocol::secret::SecretText;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes that a password may have.
pub const PASSWORD_BYTES: usize = 1024;
/// The two bytes of a line end, and one to see that there is more.
const READ_BYTES: usize = PASSWORD_BYTES + 3;

/// Where the password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// Asked for on the terminal, without echo.
    Prompt,
    /// The first line of standard input.
    Stdin,
    /// The first line of a file that others cannot read.
    File(PathBuf),
}

impl PasswordSource {
    /// Reads the password; `user` and `gateway` stand in the question.
    ///
    /// # Errors
    /// When there is none, or it lies open.
    pub fn read(&self, user: &str, gateway: &str) -> Result<SecretText, AgentError> {
        match self {
            Self::Prompt => prompt(user, gateway),
            Self::Stdin => from_stdin(),
            Self::File(path) => from_file(path),
        }
    }
}

fn prompt(user: &str, gateway: &str) -> Result<SecretText, AgentError> {
    match rpassword::prompt_password(format!("Password of {user} for {gateway}: ")) {
        Ok(password) if password.is_empty() => Err(PasswordMistake::Empty.into()),
        Ok(password) if password.len() > PASSWORD_BYTES => {
            drop(Zeroizing::new(password));
            Err(PasswordMistake::TooLong.into())
        }
        Ok(password) => Ok(SecretText::new(password)),
        Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) => {
            Err(PasswordMistake::GivenUp.into())
        }
        Err(_) => Err(PasswordMistake::NoTerminal.into()),
    }
}

fn from_stdin() -> Result<SecretText, AgentError> {
    if io::stdin().is_terminal() {
        return Err(PasswordMistake::StdinIsTerminal.into());
    }
    // Not through std's standard input, whose buffer would keep a copy.
    let source = |source| AgentError::File { path: "standard input".into(), source };
    let mut input = platform::unbuffered_stdin().map_err(source)?;
    read_line(&mut input).map_err(source)?
}

fn from_file(path: &Path) -> Result<SecretText, AgentError> {
    let source = |source| AgentError::File { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(source)?;
    // Asked of the open file, so that the answer is about what will be read.
    platform::check_private(&file.metadata().map_err(source)?)?;
    read_line(&mut file).map_err(source)?
}

/// Reads one line into memory of its final size.
fn read_line(input: &mut dyn Read) -> io::Result<Result<SecretText, AgentError>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_BYTES));
    let most = u64::try_from(READ_BYTES).unwrap_or(u64::MAX);
    // `read_to_end` does not grow a buffer whose capacity suffices, but may probe with a small one of its own.
    let mut chunk = Zeroizing::new([0_u8; READ_BYTES]);
    let mut input = input.take(most);
    loop {
        let count = match input.read(&mut chunk[..]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if bytes.contains(&b'\n') {
            break;
        }
    }
    Ok(first_line(bytes).map_err(AgentError::from))
}

fn first_line(mut bytes: Zeroizing<Vec<u8>>) -> Result<SecretText, PasswordMistake> {
    if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        bytes.truncate(end);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err(PasswordMistake::Empty);
    }
    if bytes.len() > PASSWORD_BYTES {
        return Err(PasswordMistake::TooLong);
    }
    SecretText::from_utf8(bytes).map_err(|_| PasswordMistake::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1);
            let (now, rest) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = rest;
            Ok(count)
        }
    }

    /// Read at once and byte by byte, which must not make a difference.
    fn line(bytes: &[u8]) -> Result<String, PasswordMistake> {
        let whole = outcome(read_line(&mut &*bytes));
        assert_eq!(outcome(read_line(&mut Slow(bytes))), whole);
        whole
    }

    fn outcome(read: io::Result<Result<SecretText, AgentError>>) -> Result<String, PasswordMistake> {
        match read.unwrap() {
            Ok(secret) => Ok(secret.with(str::to_owned)),
            Err(AgentError::Password(mistake)) => Err(mistake),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_first_line_counts_and_only_its_end_is_cut_off() {
        for bytes in [&b"pass word "[..], b"pass word \n", b"pass word \r\n", b"pass word \nmore"] {
            assert_eq!(line(bytes), Ok("pass word ".into()));
        }
        assert_eq!(line("p\u{e4}ss".as_bytes()), Ok("p\u{e4}ss".into()));
    }

    #[test]
    fn no_password_and_no_text_are_told_apart() {
        assert_eq!(line(b""), Err(PasswordMistake::Empty));
        assert_eq!(line(b"\r\nx"), Err(PasswordMistake::Empty));
        assert_eq!(line(b"\xff\n"), Err(PasswordMistake::NotText));
        let mut longest = vec![b'a'; PASSWORD_BYTES];
        assert_eq!(line(&longest).map(|text| text.len()), Ok(PASSWORD_BYTES));
        longest.extend_from_slice(b"\r\n");
        assert_eq!(line(&longest).map(|text| text.len()), Ok(PASSWORD_BYTES));
        assert_eq!(line(&vec![b'a'; 100_000]), Err(PasswordMistake::TooLong));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        for (mode, private) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = PasswordSource::File(path.clone()).read("u", "g");
            match read {
                Ok(secret) => assert!(private && secret.with(|text| text == "hunter2"), "{mode:o}"),
                Err(AgentError::Password(PasswordMistake::Exposed)) => assert!(!private, "{mode:o}"),
                Err(other) => panic!("{mode:o}: {other}"),
            }
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = PasswordSource::File("/nowhere/password".into()).read("u", "g").unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/password: "), "{error}");
    }
}

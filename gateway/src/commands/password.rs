//! Passwords from a terminal or from standard input, read without a buffer that would keep a copy.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use sekisho_protocol::secret::SecretText;
use zeroize::Zeroizing;

/// Windows' own limit is 256 UTF-16 units.
const MAX_PASSWORD: usize = 1024;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is empty")]
    Empty,
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    TooLong,
    #[error("the password is not UTF-8")]
    Encoding,
    #[error("the two passwords differ")]
    Differ,
    #[error("given up")]
    Interrupted,
    #[error("there is no terminal to ask at: use --password-stdin")]
    NoTerminal,
    #[error("the password cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Where passwords come from.
pub trait Passwords {
    /// The first line of standard input.
    ///
    /// # Errors
    /// When there is none, or it is no password.
    fn first_line(&mut self) -> Result<SecretText, PasswordError>;

    /// Asks at the terminal, without echo.
    ///
    /// # Errors
    /// When there is no terminal, or what was typed is no password.
    fn ask(&mut self, prompt: &str) -> Result<SecretText, PasswordError>;
}

/// A password for a new account: from standard input, or asked for twice.
pub(super) fn new_password(
    passwords: &mut dyn Passwords,
    stdin: bool,
    name: &str,
) -> Result<SecretText, PasswordError> {
    if stdin {
        return passwords.first_line();
    }
    let first = passwords.ask(&format!("Password for {name}: "))?;
    let second = passwords.ask("Once more: ")?;
    if first.ct_eq(&second) { Ok(first) } else { Err(PasswordError::Differ) }
}

/// The process's own terminal and standard input.
#[derive(Debug, Default)]
pub struct Terminal;

impl Passwords for Terminal {
    fn first_line(&mut self) -> Result<SecretText, PasswordError> {
        read_line(io::stdin().as_fd())
    }

    fn ask(&mut self, prompt: &str) -> Result<SecretText, PasswordError> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let mut terminal = terminal.map_err(|_| PasswordError::NoTerminal)?;
        terminal.write_all(prompt.as_bytes())?;
        let silent = Silent::begin(&terminal)?;
        let line = read_line(terminal.as_fd());
        drop(silent);
        terminal.write_all(b"\n")?;
        line
    }
}

/// A terminal without echo, until dropped. It sends no signals meanwhile: one would leave it silent for ever.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn begin(terminal: &'a File) -> Result<Self, PasswordError> {
        let before = tcgetattr(terminal).map_err(io::Error::from)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Flush, &silent).map_err(io::Error::from)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that has gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// A line being typed or read. Its buffer never grows.
struct Line(Zeroizing<Vec<u8>>);

enum Typed {
    More,
    End,
    Interrupt,
    TooLong,
}

impl Line {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MAX_PASSWORD)))
    }

    fn feed(&mut self, byte: u8) -> Typed {
        const INTERRUPT: u8 = 0x03;
        const END_OF_INPUT: u8 = 0x04;
        const BACKSPACE: u8 = 0x08;
        const ERASE_LINE: u8 = 0x15;
        const DELETE: u8 = 0x7F;
        match byte {
            b'\n' | b'\r' | END_OF_INPUT => Typed::End,
            INTERRUPT => Typed::Interrupt,
            BACKSPACE | DELETE => {
                // A whole character: its continuation bytes, and the byte before them.
                while self.0.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
                Typed::More
            }
            ERASE_LINE => {
                self.0.clear();
                Typed::More
            }
            _ if self.0.len() >= MAX_PASSWORD => Typed::TooLong,
            _ => {
                self.0.push(byte);
                Typed::More
            }
        }
    }

    fn finish(self) -> Result<SecretText, PasswordError> {
        if self.0.is_empty() {
            return Err(PasswordError::Empty);
        }
        SecretText::from_utf8(self.0).map_err(|_| PasswordError::Encoding)
    }
}

/// Reads up to the end of a line or of the input, byte by byte and straight from the descriptor.
fn read_line(input: BorrowedFd<'_>) -> Result<SecretText, PasswordError> {
    let mut line = Line::new();
    let mut byte = Zeroizing::new([0; 1]);
    loop {
        match rustix::io::read(input, &mut *byte) {
            Ok(0) => return line.finish(),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let [typed] = *byte;
        match line.feed(typed) {
            Typed::More => {}
            Typed::End => return line.finish(),
            Typed::Interrupt => return Err(PasswordError::Interrupted),
            Typed::TooLong => return Err(PasswordError::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, PasswordError> {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(bytes).unwrap();
        drop(writer);
        read_line(reader.as_fd()).map(|text| text.with(str::to_owned))
    }

    #[test]
    fn a_password_is_the_first_line() {
        for bytes in [&b"secret"[..], b"secret\n", b"secret\r\n", b"secret\nmore\n", b"secret\x04more"] {
            assert_eq!(read(bytes).unwrap(), "secret");
        }
        assert_eq!(read("pässwörd \n".as_bytes()).unwrap(), "pässwörd ");
    }

    #[test]
    fn what_is_no_password_is_refused() {
        assert!(matches!(read(b""), Err(PasswordError::Empty)));
        assert!(matches!(read(b"\nsecret"), Err(PasswordError::Empty)));
        assert!(matches!(read(b"\xff\n"), Err(PasswordError::Encoding)));
        assert!(matches!(read(b"sec\x03ret"), Err(PasswordError::Interrupted)));
        assert!(matches!(read(&[b'x'; MAX_PASSWORD + 1]), Err(PasswordError::TooLong)));
        assert!(read(&[b'x'; MAX_PASSWORD]).is_ok());
    }

    #[test]
    fn typing_can_be_corrected() {
        assert_eq!(read("secx\x7fret\n".as_bytes()).unwrap(), "secret");
        assert_eq!(read("sec\u{e4}\x08ret\n".as_bytes()).unwrap(), "secret");
        assert_eq!(read(b"wrong\x15secret\n").unwrap(), "secret");
        assert_eq!(read(b"\x7f\x7fsecret\n").unwrap(), "secret");
    }
}

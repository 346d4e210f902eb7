//! The options of WinRS. [MS-WSMV] 2.2.4 and 3.1.4.1.31.

use crate::soap::Fault;
use crate::wsman::{RequestHeader, WsmanOption};

const NO_PROFILE: &str = "WINRS_NOPROFILE";
const CODE_PAGE: &str = "WINRS_CODEPAGE";
const CONSOLE_STDIN: &str = "WINRS_CONSOLEMODE_STDIN";
const SKIP_CMD_SHELL: &str = "WINRS_SKIP_CMD_SHELL";

/// Whether the user's profile is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As Windows does unless told.
    Load,
    /// Faster, and nothing of the profile runs.
    Skip,
}

/// Options of Create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellOptions {
    /// Whether the user's profile is loaded.
    pub profile: Profile,
    /// The code page of the console; absent = the target's own.
    pub code_page: Option<u16>,
}

/// How a command reads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleInput {
    /// As from a console.
    Console,
    /// As from a pipe.
    Pipe,
}

/// Who reads the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandShell {
    /// `cmd.exe`, with all its metacharacters.
    Through,
    /// The program is started directly.
    Skip,
}

/// Options of Command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandOptions {
    /// How a command reads its input.
    pub input: ConsoleInput,
    /// Who reads the command line.
    pub shell: CommandShell,
}

impl ShellOptions {
    /// Reads the options of a Create.
    ///
    /// # Errors
    /// A fault for a value that is none.
    pub fn parse(header: &RequestHeader) -> Result<Self, Fault> {
        let profile = if parse_flag(header, NO_PROFILE)?.unwrap_or(false) { Profile::Skip } else { Profile::Load };
        let code_page = match header.option(CODE_PAGE).map(str::trim) {
            None | Some("") => None,
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(number.parse().map_err(|_| bad_value(CODE_PAGE))?)
            }
            Some(_) => return Err(bad_value(CODE_PAGE)),
        };
        Ok(Self { profile, code_page })
    }

    /// The options as a client writes them.
    #[must_use]
    pub fn render(&self) -> Vec<WsmanOption> {
        let mut options = vec![render_flag(NO_PROFILE, self.profile == Profile::Skip)];
        if let Some(page) = self.code_page {
            options.push(WsmanOption { name: CODE_PAGE.to_owned(), value: page.to_string(), must_comply: false });
        }
        options
    }
}

impl CommandOptions {
    /// Reads the options of a Command.
    ///
    /// # Errors
    /// A fault for a value that is none.
    pub fn parse(header: &RequestHeader) -> Result<Self, Fault> {
        let console = parse_flag(header, CONSOLE_STDIN)?.unwrap_or(true);
        let skip = parse_flag(header, SKIP_CMD_SHELL)?.unwrap_or(false);
        Ok(Self {
            input: if console { ConsoleInput::Console } else { ConsoleInput::Pipe },
            shell: if skip { CommandShell::Skip } else { CommandShell::Through },
        })
    }

    /// The options as a client writes them.
    #[must_use]
    pub fn render(&self) -> Vec<WsmanOption> {
        vec![
            render_flag(CONSOLE_STDIN, self.input == ConsoleInput::Console),
            render_flag(SKIP_CMD_SHELL, self.shell == CommandShell::Skip),
        ]
    }
}

/// Clients write `TRUE`, `True` and `1`.
fn parse_flag(header: &RequestHeader, name: &str) -> Result<Option<bool>, Fault> {
    match header.option(name).map(str::trim) {
        None | Some("") => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("true") || value == "1" => Ok(Some(true)),
        Some(value) if value.eq_ignore_ascii_case("false") || value == "0" => Ok(Some(false)),
        Some(_) => Err(bad_value(name)),
    }
}

fn render_flag(name: &str, value: bool) -> WsmanOption {
    let value = if value { "TRUE" } else { "FALSE" };
    WsmanOption { name: name.to_owned(), value: value.to_owned(), must_comply: false }
}

fn bad_value(name: &str) -> Fault {
    Fault::invalid_parameter(format!("The value of the option {name} is not valid."))
}

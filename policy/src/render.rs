//! Writing a checked program as the one line that cmd.exe and the program both read as it was judged.

use crate::command_line;
use crate::decision::{CheckedArgument, CheckedProgram, Input};

/// Makes the program that is to be run, with its command line. `None` when no line would read back as the same.
///
/// Upholds (judged-is-rendered).
pub(crate) fn checked_program(path: &str, arguments: Vec<CheckedArgument>, input: Input) -> Option<CheckedProgram> {
    let line = render(path, &arguments);
    let read = command_line::parse_rendered(&line).ok()?;
    let judged = std::iter::once(path).chain(arguments.iter().map(|argument| argument.value.as_str()));
    if !read.iter().map(String::as_str).eq(judged) {
        return None;
    }
    Some(CheckedProgram { path: path.to_owned(), arguments, input, command_line: line })
}

fn render(path: &str, arguments: &[CheckedArgument]) -> String {
    let mut line = String::with_capacity(path.len().saturating_add(16));
    if path.chars().all(is_plain_in_path) {
        line.push_str(path);
    } else {
        // `cmd /c` takes the first and the last quote away from most lines that begin with a quote. `@` (no echo)
        // makes the line begin with something else, with and without quotes that the service adds around it.
        line.push_str("@\"");
        line.push_str(path);
        line.push('"');
    }
    for argument in arguments.iter().map(|argument| argument.value.as_str()) {
        line.push(' ');
        if needs_quotes(argument) {
            line.push('"');
            line.push_str(argument);
            line.push('"');
        } else {
            line.push_str(argument);
        }
    }
    line
}

/// Characters at which cmd.exe never ends the name of a program.
fn is_plain_in_path(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '\\' | ':' | '.' | '-' | '_')
}

/// cmd.exe and `CommandLineToArgvW` split at blanks and tabs only; the other kinds of blank are enclosed since
/// code pages turn them into plain ones.
fn needs_quotes(argument: &str) -> bool {
    argument.is_empty() || argument.chars().any(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Secrecy;

    fn program(path: &str, arguments: &[&str]) -> Option<String> {
        let arguments =
            arguments.iter().map(|a| CheckedArgument { value: (*a).to_owned(), secrecy: Secrecy::Open }).collect();
        checked_program(path, arguments, Input::Refused).map(|program| program.command_line().to_owned())
    }

    #[test]
    fn plain_paths_stand_bare_and_others_after_an_at_sign() {
        assert_eq!(program("C:\\W\\h.exe", &[]).unwrap(), "C:\\W\\h.exe");
        assert_eq!(program("C:\\W\\h.exe", &["a b", "", "c\\"]).unwrap(), "C:\\W\\h.exe \"a b\" \"\" c\\");
        assert_eq!(program("C:\\Program Files\\h.exe", &["a b"]).unwrap(), "@\"C:\\Program Files\\h.exe\" \"a b\"");
        assert_eq!(program("C:\\P (x86)\\h.exe", &["/q"]).unwrap(), "@\"C:\\P (x86)\\h.exe\" /q");
        assert_eq!(program("C:\\a,b\\h.exe", &[]).unwrap(), "@\"C:\\a,b\\h.exe\"");
        assert_eq!(program("C:\\W\\h.exe", &["a\u{a0}b"]).unwrap(), "C:\\W\\h.exe \"a\u{a0}b\"");
    }

    #[test]
    fn what_would_read_differently_is_not_rendered() {
        for bad in ["a\"b", "a b\\", "\"", "a&b", "%PATH%", "a\nb", "\u{a0}\\"] {
            assert_eq!(program("C:\\W\\h.exe", &[bad]), None, "{bad:?}");
        }
        assert_eq!(program("C:\\a&b\\h.exe", &[]), None);
        assert_eq!(program("", &["x"]), None);
    }

    #[test]
    fn debug_of_a_program_hides_secret_arguments() {
        let secret = CheckedArgument { value: "hunter2".to_owned(), secrecy: Secrecy::Secret };
        let program = checked_program("C:\\W\\h.exe", vec![secret], Input::Refused).unwrap();
        assert!(!format!("{program:?}").contains("hunter2"));
        assert!(program.command_line().contains("hunter2"));
    }
}

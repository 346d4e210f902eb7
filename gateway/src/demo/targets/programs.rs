//! The programs that a target of the demo has: local ones, by a closed table, and never through a shell.

use sekisho_policy::command_line;
use sekisho_protocol::soap::{Fault, FaultCode};
use sekisho_protocol::wsman::CommandLine;
use std::path::Path;

/// A program of this machine with all its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) program: &'static str,
    pub(super) arguments: &'static [&'static str],
}

/// What a command line of a Windows machine means here.
struct Entry {
    path: &'static str,
    arguments: &'static [&'static str],
    /// The first that this machine has is run.
    local: &'static [Local],
}

const fn local(program: &'static str, arguments: &'static [&'static str]) -> Local {
    Local { program, arguments }
}

/// Where a minimal system lacks a program, another one says nearly the same.
const TABLE: [Entry; 5] = [
    Entry {
        path: r"C:\Windows\System32\hostname.exe",
        arguments: &[],
        local: &[
            local("/bin/hostname", &[]),
            local("/usr/bin/hostname", &[]),
            local("/bin/uname", &["-n"]),
            local("/usr/bin/uname", &["-n"]),
        ],
    },
    Entry {
        path: r"C:\Demo\uname.exe",
        arguments: &[],
        local: &[local("/bin/uname", &["-srm"]), local("/usr/bin/uname", &["-srm"])],
    },
    Entry {
        path: r"C:\Demo\uptime.exe",
        arguments: &[],
        local: &[
            local("/usr/bin/uptime", &[]),
            local("/bin/uptime", &[]),
            local("/bin/cat", &["/proc/uptime"]),
            local("/usr/bin/cat", &["/proc/uptime"]),
        ],
    },
    Entry {
        path: r"C:\Program Files\Demo\df.exe",
        arguments: &[],
        local: &[local("/bin/df", &["-P", "/"]), local("/usr/bin/df", &["-P", "/"])],
    },
    Entry {
        path: r"C:\Program Files\Demo\df.exe",
        arguments: &["-h"],
        local: &[local("/bin/df", &["-h", "/"]), local("/usr/bin/df", &["-h", "/"])],
    },
];

/// Programs that the tests need and the demo does not: one that goes on, and one that writes much.
#[cfg(test)]
const OF_TESTS: [Entry; 2] = [
    Entry {
        path: r"C:\Demo\sleep.exe",
        arguments: &[],
        local: &[local("/bin/sleep", &["15"]), local("/usr/bin/sleep", &["15"])],
    },
    Entry {
        path: r"C:\Demo\much.exe",
        arguments: &[],
        local: &[
            local("/usr/bin/head", &["-c", "200000", "/dev/zero"]),
            local("/bin/head", &["-c", "200000", "/dev/zero"]),
        ],
    },
];
#[cfg(not(test))]
const OF_TESTS: [Entry; 0] = [];

/// The paths of the table.
#[cfg(test)]
pub(in crate::demo) fn paths() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.path)
}

/// Reads a line as cmd.exe would and finds the program that it names.
pub(super) fn find(line: &CommandLine) -> Result<Local, Fault> {
    let joined = command_line::join(&line.command, &line.arguments).map_err(unreadable)?;
    let words = command_line::parse_rendered(&joined).map_err(unreadable)?;
    let fits = |entry: &&Entry| {
        words.split_first().is_some_and(|(path, arguments)| {
            path.eq_ignore_ascii_case(entry.path) && arguments.iter().eq(entry.arguments.iter())
        })
    };
    let entry = TABLE.iter().chain(&OF_TESTS).find(fits).ok_or_else(not_found)?;
    entry.local.iter().find(|local| Path::new(local.program).is_file()).copied().ok_or_else(not_found)
}

fn unreadable(refusal: command_line::Refusal) -> Fault {
    Fault::invalid_parameter(format!("The command line is not one that this target reads: {refusal}."))
}

fn not_found() -> Fault {
    Fault::internal(FaultCode::FILE_NOT_FOUND, "The system cannot find the file specified.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command: &str, arguments: &[&str]) -> Result<Local, FaultCode> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        find(&CommandLine { command: command.to_owned(), arguments, command_id: None }).map_err(|fault| fault.code)
    }

    #[test]
    fn a_rendered_line_names_a_local_program() {
        let hostname = found(r"C:\Windows\System32\hostname.exe", &[]).unwrap();
        assert!(["hostname", "uname"].iter().any(|name| hostname.program.ends_with(name)));
        assert_eq!(found(r"c:\WINDOWS\system32\HOSTNAME.EXE", &[]), Ok(hostname));
        assert_eq!(found(r"C:\Demo\uname.exe", &[]).unwrap().arguments, ["-srm"]);
    }

    #[test]
    fn a_path_in_quotes_is_read() {
        let plain = found("@\"C:\\Program Files\\Demo\\df.exe\"", &[]).unwrap();
        assert_eq!(plain.arguments, ["-P", "/"]);
        let human = found("@\"C:\\Program Files\\Demo\\df.exe\" -h", &[]).unwrap();
        assert_eq!(human.arguments, ["-h", "/"]);
        assert_eq!(found("@\"C:\\Program Files\\Demo\\df.exe\"", &["-h"]), Ok(human));
    }

    #[test]
    fn arguments_are_those_of_the_table_and_no_others() {
        for arguments in [&["-a"][..], &["-h", "-h"], &["/"], &["-H"]] {
            let command = "@\"C:\\Program Files\\Demo\\df.exe\"";
            assert_eq!(found(command, arguments), Err(FaultCode::FILE_NOT_FOUND), "{arguments:?}");
        }
        assert_eq!(found(r"C:\Windows\System32\hostname.exe", &["x"]), Err(FaultCode::FILE_NOT_FOUND));
    }

    #[test]
    fn nothing_else_is_found() {
        for command in ["hostname", "/bin/hostname", "/bin/sh", r"C:\Windows\System32\cmd.exe", r"C:\Demo\..\x.exe"] {
            assert_eq!(found(command, &[]), Err(FaultCode::FILE_NOT_FOUND), "{command}");
        }
    }

    #[test]
    fn what_cmd_could_read_otherwise_is_refused() {
        let hostname = r"C:\Windows\System32\hostname.exe";
        for line in [format!("{hostname} & id"), format!("{hostname} | id"), format!("\"{hostname}"), String::new()] {
            assert_eq!(found(&line, &[]), Err(FaultCode::INVALID_PARAMETER), "{line}");
        }
    }

    #[test]
    fn local_programs_are_whole_paths_and_no_shells() {
        for local in TABLE.iter().flat_map(|entry| entry.local) {
            assert!(local.program.starts_with('/'), "{}", local.program);
            assert!(!local.program.ends_with("sh"), "{}", local.program);
        }
    }
}

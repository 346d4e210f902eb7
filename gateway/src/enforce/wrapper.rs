//! PowerShell's commands inside a program's line, as stock clients send them through WinRS: taken out to be judged by
//! what they are, and wrapped anew for the target.
//!
//! Only one form is read, and strictly: `powershell`, a few options without effect on what runs, and
//! `-EncodedCommand` with base64 of UTF-16LE as the last of it. Whatever else is in the line refuses it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_policy::{POWERSHELL, Presence, ProgramRequest, RequestExtras, ShellResource, command_line, limits};

/// What the target's PowerShell is started with; the commands follow.
const OPTIONS: &str = "-NoProfile -NonInteractive -EncodedCommand";

/// What masterzen/winrm (Terraform, Packer) writes before each script: it keeps progress out of the output. Dropped,
/// since it is no command and changes nothing of what the commands do.
const QUIET: &str = "$ProgressPreference = 'SilentlyContinue';";

/// Values of `-ExecutionPolicy`, which is about script files and so about nothing that is sent.
const EXECUTION_POLICIES: [&str; 7] =
    ["unrestricted", "bypass", "remotesigned", "allsigned", "restricted", "default", "undefined"];

/// What a line carries that starts PowerShell.
#[derive(PartialEq, Eq)]
pub(super) enum Carried {
    /// The text of its commands.
    Text(String),
    /// Something else; why it is refused.
    Refused(&'static str),
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Refused(why) => write!(f, "Refused({why})"),
        }
    }
}

const OTHER_OPTIONS: &str = "your role lets PowerShell run constant commands only: put them into -EncodedCommand, as the last \
     of the line, with nothing else before it than -NoProfile, -NonInteractive, -NoLogo and -ExecutionPolicy";
const NOT_ENCODED: &str = "what follows -EncodedCommand is not base64 of UTF-16LE text";

/// Reads a line that starts PowerShell; nothing for any other line, and for one that nothing may come of.
pub(super) fn carried(request: &ProgramRequest) -> Option<Carried> {
    // What comes with the line can change what PowerShell does: judged, and denied, like for any program (R12).
    let alone =
        RequestExtras { environment: Presence::Absent, working_directory: Presence::Absent, input: Presence::Absent };
    if request.extras != alone || request.resource != ShellResource::CommandShell {
        return None;
    }
    let line = command_line::join(&request.command, &request.arguments).ok()?;
    let pieces = command_line::parse(&line).ok()?;
    let (program, options) = pieces.split_first()?;
    is_powershell(program).then(|| read(options))
}

/// The line that carries commands to a target; nothing when it is longer than one can be.
pub(super) fn line(commands: &str) -> Option<String> {
    let bytes: Vec<u8> = commands.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let line = format!("{POWERSHELL} {OPTIONS} {}", STANDARD.encode(bytes));
    (line.len() <= limits::COMMAND_LINE).then_some(line)
}

fn is_powershell(program: &str) -> bool {
    ["powershell", "powershell.exe", POWERSHELL].iter().any(|name| name.eq_ignore_ascii_case(program))
}

fn read(options: &[String]) -> Carried {
    let mut left = options.iter().map(String::as_str);
    while let Some(word) = left.next() {
        match Switch::of(word) {
            Some(Switch::NoEffect) => {}
            Some(Switch::ExecutionPolicy) => {
                let known = |value: &str| EXECUTION_POLICIES.iter().any(|known| known.eq_ignore_ascii_case(value));
                if !left.next().is_some_and(known) {
                    return Carried::Refused(OTHER_OPTIONS);
                }
            }
            Some(Switch::EncodedCommand) => {
                return match (left.next(), left.next()) {
                    (Some(encoded), None) => decode(encoded).map_or(Carried::Refused(NOT_ENCODED), Carried::Text),
                    (Some(_) | None, _) => Carried::Refused(OTHER_OPTIONS),
                };
            }
            None => return Carried::Refused(OTHER_OPTIONS),
        }
    }
    Carried::Refused(OTHER_OPTIONS)
}

/// The options of powershell.exe that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    NoEffect,
    ExecutionPolicy,
    EncodedCommand,
}

impl Switch {
    /// As powershell.exe reads them: each may be cut short as far as it says.
    fn of(word: &str) -> Option<Self> {
        let name = word.strip_prefix(['-', '/'])?.to_ascii_lowercase();
        let is = |whole: &str, least: &str| whole.starts_with(&name) && name.starts_with(least);
        if is("noprofile", "nop") || is("noninteractive", "noni") || is("nologo", "nol") {
            return Some(Self::NoEffect);
        }
        if is("executionpolicy", "ex") || name == "ep" {
            return Some(Self::ExecutionPolicy);
        }
        (is("encodedcommand", "e") || name == "ec").then_some(Self::EncodedCommand)
    }
}

fn decode(encoded: &str) -> Option<String> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    Some(text.strip_prefix(QUIET).map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
    }

    fn of(command: &str, arguments: &[&str]) -> Option<Carried> {
        carried(&ProgramRequest::new(command, arguments.iter().map(|argument| (*argument).to_owned()).collect()))
    }

    fn text(text: &str) -> Option<Carried> {
        Some(Carried::Text(text.to_owned()))
    }

    #[test]
    fn what_stock_clients_send_is_unwrapped() {
        let script = "Get-Service -Name 'Dns'\n| Select-Object Name";
        let b64 = encoded(script);
        // pywinrm's run_ps, Ansible's winrm raw, masterzen's Powershell.
        assert_eq!(of(&format!("powershell -encodedcommand {b64}"), &[]), text(script));
        let ansible = format!("-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand {b64}");
        assert_eq!(of("PowerShell", &[&ansible]), text(script));
        let quiet = encoded(&format!("{QUIET}{script}"));
        assert_eq!(of(&format!("powershell.exe -EncodedCommand {quiet}"), &[]), text(script));
    }

    #[test]
    fn every_spelling_of_the_program_and_its_options_is_read() {
        let b64 = encoded("Get-It");
        for program in ["powershell", "POWERSHELL.EXE", POWERSHELL, &POWERSHELL.to_uppercase()] {
            for option in ["-e", "-ec", "-en", "-enc", "-Enco", "/encodedCommand", "-ENCODEDCOMMAND", "/e"] {
                assert_eq!(of(program, &["-nop", "/NoLogo", "-noni", "-ep", "bypass", option, &b64]), text("Get-It"));
            }
        }
    }

    #[test]
    fn what_is_no_powershell_is_left_to_the_programs_rules() {
        let b64 = encoded("Get-It");
        for program in ["pwsh", "powershell_ise", "C:\\powershell.exe", ".\\powershell", "powershell.com", "hostname"] {
            assert_eq!(of(program, &["-EncodedCommand", &b64]), None, "{program}");
        }
        assert_eq!(of("powershell & calc", &[]), None, "not even a line that can be read");
    }

    #[test]
    fn anything_else_in_the_line_refuses_it() {
        let b64 = encoded("Get-It");
        for options in [
            &[][..],
            &["-Command", "Get-It"],
            &["-Command", "-"],
            &["Get-It"],
            &["-File", "x.ps1"],
            &["-EncodedCommand"],
            &["-EncodedCommand", &b64, "-NoExit"],
            &["-EncodedCommand", &b64, &b64],
            &["-NoExit", "-EncodedCommand", &b64],
            &["-EncodedArguments", &b64, "-EncodedCommand", &b64],
            &["-ExecutionPolicy", "-EncodedCommand", &b64],
            &["-ExecutionPolicy", "Elsewhere", "-EncodedCommand", &b64],
            &["-Version", "2", "-EncodedCommand", &b64],
            &["-PSConsoleFile", "x", "-EncodedCommand", &b64],
            &["-no", "-EncodedCommand", &b64],
            &["--EncodedCommand", &b64],
            &["\u{2013}EncodedCommand", &b64],
            &["-", &b64],
        ] {
            assert_eq!(of("powershell", options), Some(Carried::Refused(OTHER_OPTIONS)), "{options:?}");
        }
    }

    #[test]
    fn only_base64_of_utf_16_is_text() {
        let utf8 = STANDARD.encode("Get-It!");
        let lone = STANDARD.encode([0x00, 0xd8]);
        for bad in ["Get-It", "R", &utf8, &lone, "RwBlAHQALQBJAHQA====", "RwB lAA=="] {
            let carried = of("powershell", &["-e", bad]);
            assert!(matches!(carried, Some(Carried::Refused(_))), "{bad}: {carried:?}");
        }
    }

    #[test]
    fn what_comes_with_a_line_leaves_it_to_the_programs_rules() {
        let line = format!("powershell -e {}", encoded("Get-It"));
        let with = |change: fn(&mut ProgramRequest)| {
            let mut request = ProgramRequest::new(line.clone(), vec![]);
            change(&mut request);
            carried(&request)
        };
        assert_eq!(with(|_| {}), text("Get-It"));
        assert_eq!(with(|request| request.extras.environment = Presence::Present), None);
        assert_eq!(with(|request| request.extras.working_directory = Presence::Present), None);
        assert_eq!(with(|request| request.extras.input = Presence::Present), None);
        assert_eq!(with(|request| request.resource = ShellResource::Other), None);
    }

    #[test]
    fn only_the_known_words_before_a_script_are_dropped_and_only_once() {
        let quieted = |script: &str| of("powershell", &["-e", &encoded(script)]);
        assert_eq!(quieted(&format!("{QUIET}{QUIET}Get-It")), text(&format!("{QUIET}Get-It")));
        let other = "$progressPreference = 'SilentlyContinue';Get-It";
        assert_eq!(quieted(other), text(other), "left for the policy to refuse");
    }

    #[test]
    fn what_is_sent_reads_back_as_the_same_commands() {
        let commands = "Restart-Service -Name 'Dns\u{1f600}'";
        let sent = line(commands).unwrap();
        let begin =
            r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile -NonInteractive -EncodedCommand ";
        assert!(sent.starts_with(begin), "{sent}");
        assert_eq!(of(&sent, &[]), text(commands));
        assert_eq!(line(&"a".repeat(limits::COMMAND_LINE)), None);
    }
}

//! The full path of a program, as the only spelling of it.

use crate::fold::fold;
use crate::limits;

/// A checked path and the names by which a client may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramPath {
    text: String,
    folded: String,
    /// Where the base name starts in `folded`.
    base_at: usize,
}

/// Why a path is refused, and what to write.
pub(crate) type PathMistake = (&'static str, &'static str);

impl ProgramPath {
    pub(crate) fn parse(text: &str) -> Result<Self, PathMistake> {
        check_form(text)?;
        for component in text.split('\\').skip(1) {
            check_component(component)?;
        }
        let folded = fold(text);
        let base_at = folded.rfind('\\').unwrap_or_default().saturating_add(1);
        let path = Self { text: text.to_owned(), folded, base_at };
        check_extension(path.base())?;
        Ok(path)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The base name as the policy writes it.
    pub(crate) fn name(&self) -> &str {
        self.text.rsplit_once('\\').map_or(self.text.as_str(), |(_, name)| name)
    }

    /// The base name, folded.
    pub(crate) fn base(&self) -> &str {
        self.folded.get(self.base_at..).unwrap_or_default()
    }

    /// What rules are looked up by: the base name, folded, without `.exe`.
    pub(crate) fn key(&self) -> &str {
        without_exe(self.base())
    }

    /// Whether a folded piece names this program: its exact path, its base name, or that without `.exe` (R12).
    pub(crate) fn is_named(&self, folded_piece: &str) -> bool {
        folded_piece == self.folded || folded_piece == self.base() || folded_piece == self.key()
    }
}

/// The key under which rules for a client's piece are found, if there are any.
pub(crate) fn key_of_piece(folded_piece: &str) -> &str {
    without_exe(folded_piece.rsplit_once('\\').map_or(folded_piece, |(_, base)| base))
}

fn without_exe(base: &str) -> &str {
    base.strip_suffix(".exe").unwrap_or(base)
}

fn check_form(text: &str) -> Result<(), PathMistake> {
    const FULL: &str = "write the full path with its drive, for instance 'C:\\Windows\\System32\\hostname.exe'";
    if text.chars().count() > limits::PROGRAM_PATH {
        return Err(("the path is longer than Windows takes", FULL));
    }
    if text.starts_with("\\\\") || text.starts_with("//") {
        return Err(("the path lies on another machine or in a device name space", FULL));
    }
    if text.contains('%') {
        return Err(("the path holds a variable, which a client could change", FULL));
    }
    if text.contains('/') {
        return Err(("the path holds a forward slash", "use backslashes, and single quotes around them in TOML"));
    }
    let mut start = text.chars();
    let drive = (start.next().is_some_and(|c| c.is_ascii_alphabetic()), start.next(), start.next());
    if drive != (true, Some(':'), Some('\\')) {
        return Err(("the path does not start with a drive and a backslash", FULL));
    }
    // Parentheses are fine: such a path is always rendered in quotes.
    // Brackets are wildcards to PowerShell.
    let odd = |c: char| matches!(c, '"' | '*' | '?' | '[' | ']') || !matches!(c, '(' | ')') && forbidden(c);
    if text.chars().any(odd) {
        return Err((
            "the path holds a character that cmd.exe or Windows gives a meaning to",
            "move the program to a folder whose name has letters, digits, blanks, `-`, `_` and `.` only",
        ));
    }
    Ok(())
}

fn forbidden(character: char) -> bool {
    character == '\t' || crate::command_line::refused_character(character).is_some()
}

fn check_component(component: &str) -> Result<(), PathMistake> {
    const PLAIN: &str = "write the path as the Explorer shows it, each folder once and by its long name";
    if component.is_empty() {
        return Err(("the path has an empty part", PLAIN));
    }
    if component == "." || component == ".." {
        return Err(("the path holds `.` or `..`", PLAIN));
    }
    if component.contains(':') {
        return Err(("the path names an alternate data stream", PLAIN));
    }
    if component.ends_with(['.', ' ']) || component.starts_with(' ') {
        return Err(("a part of the path begins with a blank or ends in a dot or blank, which Windows drops", PLAIN));
    }
    if component.split('~').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(("the path holds a short (8.3) name", PLAIN));
    }
    let stem = fold(component.split('.').next().unwrap_or_default());
    let numbered = |name: &str| stem.strip_prefix(name).is_some_and(|rest| rest.chars().count() == 1);
    if ["con", "prn", "aux", "nul"].contains(&stem.as_str()) || numbered("com") || numbered("lpt") {
        return Err(("a part of the path is a device name", PLAIN));
    }
    Ok(())
}

fn check_extension(folded_base: &str) -> Result<(), PathMistake> {
    match folded_base.rsplit_once('.') {
        Some((stem, "exe" | "com")) if !stem.is_empty() => Ok(()),
        Some((_, "bat" | "cmd")) => Err((
            "batch files are refused: cmd.exe reads their arguments a second time, so that no check of them holds",
            "name the program that the batch file starts",
        )),
        Some(_) => Err((
            "only .exe and .com files are programs; Windows opens others with whatever program is registered for them",
            "name the program itself",
        )),
        None => Err(("the path has no extension", "write the whole file name, for instance hostname.exe")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_three_names_and_no_other() {
        let path = ProgramPath::parse(r"C:\Windows\System32\HOSTNAME.exe").unwrap();
        assert_eq!(path.key(), "hostname");
        for name in [r"c:\windows\system32\hostname.exe", "hostname.exe", "hostname"] {
            assert!(path.is_named(name), "{name}");
        }
        for name in [
            "hostname.",
            "hostname.exe.",
            "hostname.com",
            "hostname.exe.exe",
            r"c:\windows\system32\hostname",
            "",
            r"c:/windows/system32/hostname.exe",
            r"\windows\system32\hostname.exe",
            r".\hostname.exe",
            r"c:\windows\system32\.\hostname.exe",
            "hostname.exe:x",
            r"c:hostname.exe",
            "\\hostname",
            "host\u{212A}",
        ] {
            assert!(!path.is_named(name), "{name}");
        }
        let com = ProgramPath::parse(r"C:\Windows\System32\chcp.com").unwrap();
        assert!(com.is_named("chcp.com") && !com.is_named("chcp") && !com.is_named("chcp.com.exe"));
    }

    #[test]
    fn paths_with_blanks_and_parentheses_are_paths() {
        for good in [r"C:\Program Files (x86)\A-B\t_1.exe", r"D:\受注\x.exe", r"C:\x.exe", r"C:\a~b\x.exe"] {
            assert!(ProgramPath::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn every_other_spelling_is_a_mistake_with_its_reason() {
        for (bad, reason) in [
            ("hostname.exe", "start with a drive"),
            (r"\Windows\x.exe", "start with a drive"),
            (r"C:x.exe", "start with a drive"),
            (r"1:\x.exe", "start with a drive"),
            ("", "start with a drive"),
            (r"\\srv\share\x.exe", "another machine"),
            (r"\\?\C:\x.exe", "another machine"),
            (r"%SystemRoot%\x.exe", "variable"),
            ("C:/Windows/x.exe", "forward slash"),
            (r"C:\a\..\x.exe", "`..`"),
            (r"C:\a\.\x.exe", "`..`"),
            (r"C:\a\\x.exe", "empty part"),
            (r"C:\a\", "empty part"),
            (r"C:\a&b\x.exe", "gives a meaning"),
            (r"C:\a\x*.exe", "gives a meaning"),
            (r"C:\a\x?.exe", "gives a meaning"),
            ("C:\\a\\\"x\".exe", "gives a meaning"),
            ("C:\\a\\x\n.exe", "gives a meaning"),
            ("C:\\a\\x\t.exe", "gives a meaning"),
            (r"C:\a\x.exe:ads", "alternate data stream"),
            (r"C:\a \x.exe", "blank"),
            (r"C:\a\x.exe.", "dot"),
            (r"C:\PROGRA~1\x.exe", "8.3"),
            (r"C:\con\x.exe", "device name"),
            (r"C:\a\nul.exe", "device name"),
            (r"C:\a\com1.exe", "device name"),
            (r"C:\a\x.bat", "batch files"),
            (r"C:\a\x.CMD", "batch files"),
            (r"C:\a\x.ps1", "only .exe and .com"),
            (r"C:\a\.exe", "only .exe and .com"),
            (r"C:\a\x", "no extension"),
        ] {
            let (message, _) = ProgramPath::parse(bad).expect_err(bad);
            assert!(message.contains(reason), "{bad}: {message}");
        }
        assert!(ProgramPath::parse(&format!(r"C:\{}.exe", "a".repeat(260))).is_err());
    }
}

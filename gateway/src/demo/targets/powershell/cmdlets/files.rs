//! The files of one folder, and no others.

use super::{Each, Entry, Given, Input, fits, named, next, switch};
use crate::demo::targets::powershell::effect::{Effect, Effects, all, one};
use crate::demo::targets::powershell::errors::Error;
use crate::demo::targets::powershell::objects::{long, members, moment, typed};
use sekisho_protocol::clixml::Value;
use std::io::Read as _;
use time::OffsetDateTime;

pub(super) const ENTRIES: [Entry; 2] = [
    Entry {
        name: "Get-ChildItem",
        parameters: &[next("Path"), next("Filter"), switch("File")],
        make: |given| Each::boxed(given, Input::Refused, files),
    },
    Entry {
        name: "Get-Content",
        parameters: &[next("Path"), named("TotalCount")],
        make: |given| Each::boxed(given, Input::Refused, content),
    },
];

/// The folder as its users name it.
pub(super) const FOLDER: &str = r"C:\Demo";
/// Files of the folder at most.
const MAX_FILES: usize = 1024;
/// Bytes of a file that are read at most.
const MAX_CONTENT: u64 = 256 * 1024;

/// The name within the folder that a path means, empty for the folder itself. Other paths mean nothing.
fn within(path: &str) -> Option<&str> {
    let rest = path.get(FOLDER.len()..).filter(|_| path.get(..FOLDER.len()).is_some_and(is_folder))?;
    let name = rest.strip_prefix('\\').unwrap_or(rest);
    let separated = rest.is_empty() || rest.starts_with('\\');
    (separated && !name.contains(['/', '\\', ':', '\0']) && name != ".." && name != ".").then_some(name)
}

fn is_folder(path: &str) -> bool {
    path.eq_ignore_ascii_case(FOLDER)
}

fn not_found(given: &Given, path: &str) -> Effects {
    let message = format!("Cannot find path '{path}' because it does not exist.");
    one(Effect::Error(Error::not_found("PathNotFound", given.command, path, message)))
}

fn files(given: &Given, _input: Option<Value>) -> Effects {
    let path = given.bound.text("Path").unwrap_or_else(|| FOLDER.to_owned());
    let Some(name) = within(&path) else { return not_found(given, &path) };
    let filter = given.bound.text("Filter").unwrap_or_else(|| "*".to_owned());
    let mut found: Vec<_> = entries(given)
        .into_iter()
        .filter(|(known, _, _)| (name.is_empty() || fits(name, known)) && fits(&filter, known))
        .collect();
    if found.is_empty() && !name.is_empty() && !name.contains(['*', '?']) {
        return not_found(given, &path);
    }
    found.sort();
    all(found.iter().map(|(name, length, changed)| Effect::Output(encode(name, *length, *changed))).collect())
}

/// Name, length and time of change of each plain file. What cannot be looked at is not there.
fn entries(given: &Given) -> Vec<(String, u64, OffsetDateTime)> {
    let Ok(entries) = std::fs::read_dir(given.machine.folder()) else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((entry.file_name().into_string().ok()?, metadata.len(), metadata.modified().ok()?.into()))
        })
        .take(MAX_FILES)
        .collect()
}

fn content(given: &Given, _input: Option<Value>) -> Effects {
    let path = given.bound.text("Path").unwrap_or_default();
    let found = within(&path)
        .and_then(|name| entries(given).into_iter().find(|(known, _, _)| known.eq_ignore_ascii_case(name)))
        .and_then(|(name, _, _)| {
            let mut text = Vec::new();
            let file = std::fs::File::open(given.machine.folder().join(name)).ok()?;
            file.take(MAX_CONTENT).read_to_end(&mut text).ok()?;
            Some(String::from_utf8_lossy(&text).into_owned())
        });
    let Some(text) = found else { return not_found(given, &path) };
    let count = given.bound.number("TotalCount").and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    all(text.lines().take(count).map(|line| Effect::Output(Value::text(line))).collect())
}

/// A file as PowerShell sends it.
fn encode(name: &str, length: u64, changed: OffsetDateTime) -> Value {
    const TYPES: [&str; 4] =
        ["System.IO.FileInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object"];
    let path = format!("{FOLDER}\\{name}");
    let extension = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default();
    let base = name.strip_suffix(extension).unwrap_or(name);
    typed(
        &TYPES,
        &path,
        members([
            ("Name", Value::text(name)),
            ("Length", long(length)),
            ("DirectoryName", Value::text(FOLDER)),
            ("IsReadOnly", Value::Bool(false)),
            ("Exists", Value::Bool(true)),
            ("FullName", Value::text(path.as_str())),
            ("Extension", Value::text(extension)),
            ("LastWriteTime", moment(changed)),
        ]),
        members([
            ("PSPath", Value::text(format!("Microsoft.PowerShell.Core\\FileSystem::{path}"))),
            ("PSChildName", Value::text(name)),
            ("PSIsContainer", Value::Bool(false)),
            ("Mode", Value::text("-a----")),
            ("BaseName", Value::text(base)),
        ]),
    )
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn only_what_is_in_the_folder_is_named() {
        for (path, name) in [
            (r"C:\Demo", Some("")),
            (r"c:\demo\", Some("")),
            (r"C:\Demo\a.txt", Some("a.txt")),
            (r"C:\Demo\..", None),
            (r"C:\Demo\.", None),
            (r"C:\Demo\a\b", None),
            (r"C:\Demo\../b", None),
            (r"C:\Demos", None),
            (r"C:\Windows", None),
            ("/etc/passwd", None),
            ("", None),
            ("C:\\Demo\\a\0b", None),
        ] {
            assert_eq!(within(path), name, "{path}");
        }
    }
}

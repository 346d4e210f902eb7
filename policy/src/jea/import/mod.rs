//! From JEA's files to documents of a policy.

mod aliases;
mod commands;
mod document;
mod draft;
mod metadata;
mod parameter;
mod pattern_traps;
mod programs;
mod role;
mod session;
mod traps;
mod values;

use std::collections::BTreeMap;

use super::data::{self, DataMistake, Encoding, Place, Table};
use super::note::shown;
use super::note::{Note, Notes};
use crate::fold::fold;
use crate::limits;
use crate::mistake::Mistake;

/// A JEA file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name or path. It ends in `.psrc` or `.pssc`; a role is named by the part before that.
    pub name: &'a str,
    /// Its bytes, in any encoding that PowerShell reads without guessing.
    pub bytes: &'a [u8],
}

/// What JEA files became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Documents of a policy, one for each file. They compile together, and grant nothing before somebody says on
    /// which targets.
    pub documents: Vec<ImportedDocument>,
    /// What became of every field, ordered by file and place.
    pub notes: Vec<Note>,
}

/// A document of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedDocument {
    /// A file name for it.
    pub name: String,
    /// Its text, TOML.
    pub text: String,
}

/// Reads role capabilities and session configurations together.
///
/// # Errors
/// Every file that is none of the two, is not readable, holds anything that would have to be run, or has the name of
/// another role.
pub fn import(files: &[File<'_>]) -> Result<Imported, Vec<Mistake>> {
    let mut read = Vec::new();
    let mut mistakes = Vec::new();
    if files.len() > limits::SOURCES {
        let message = format!("more than {} files", limits::SOURCES);
        return Err(vec![whole_file("", message, "import them in several runs")]);
    }
    for file in files {
        match Read::new(file) {
            Ok(file) => read.push(file),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.extend(same_names(&read));
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(mistakes);
    }
    Ok(import_read(&read))
}

fn import_read(files: &[Read<'_>]) -> Imported {
    let roles: Roles = files
        .iter()
        .filter(|file| file.kind == Kind::Role)
        .map(|file| (fold(&file.stem), values::plain_name(&file.stem)))
        .collect();
    let mut documents = Vec::new();
    let mut notes = Vec::new();
    for file in files {
        let mut of_file = Notes::new(file.name);
        note_encoding(file, &mut of_file);
        let draft = match file.kind {
            Kind::Role => role::document(file, &mut of_file),
            Kind::Session => session::document(file, &roles, &mut of_file),
        };
        let name = format!("{}.{}.toml", values::plain_name(&file.stem), file.kind.extension());
        documents.push(ImportedDocument { name, text: document::write(file.name, &draft) });
        notes.extend(of_file.taken);
    }
    notes.sort();
    Imported { documents, notes }
}

/// The roles that are imported, by their folded names.
type Roles = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Role,
    Session,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Self::Role => "psrc",
            Self::Session => "pssc",
        }
    }
}

/// A file whose hashtable was read.
struct Read<'a> {
    name: &'a str,
    /// Its name without folders and extension: what JEA calls a role capability by.
    stem: String,
    kind: Kind,
    encoding: Encoding,
    /// Whether the text has characters beyond ASCII.
    beyond_ascii: Option<Place>,
    table: Table,
}

impl<'a> Read<'a> {
    fn new(file: &File<'a>) -> Result<Self, Mistake> {
        let base = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let (stem, extension) = base.rsplit_once('.').unwrap_or((base, ""));
        let kind = match extension.to_ascii_lowercase().as_str() {
            "psrc" => Kind::Role,
            "pssc" => Kind::Session,
            _ => {
                let message = "the file is neither a role capability (.psrc) nor a session configuration (.pssc)";
                return Err(whole_file(file.name, message.to_owned(), "name the two kinds of JEA's files only"));
            }
        };
        let in_file = |mistake: DataMistake| mistake.in_file(file.name);
        let (encoding, text) = data::decode(file.bytes).map_err(in_file)?;
        let table = data::parse(&text).map_err(in_file)?;
        let beyond_ascii = first_beyond_ascii(&text);
        Ok(Self { name: file.name, stem: stem.to_owned(), kind, encoding, beyond_ascii, table })
    }
}

fn first_beyond_ascii(text: &str) -> Option<Place> {
    text.lines().zip(1..).find_map(|(line, number)| {
        let column = line.chars().position(|c| !c.is_ascii())?.saturating_add(1);
        Some(Place { line: number, column })
    })
}

/// Role capabilities are found by name, so that two of one name are one at random.
fn same_names(files: &[Read<'_>]) -> Vec<Mistake> {
    let mut seen: BTreeMap<(&str, String), &str> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for file in files {
        let plain = fold(&values::plain_name(&file.stem));
        if let Some(first) = seen.insert((file.kind.extension(), plain), file.name) {
            let message = format!("the name is that of {} already", shown(first));
            let hint = "PowerShell takes the first role capability of a name that it finds: rename one of the two";
            mistakes.push(whole_file(file.name, message, hint));
        }
    }
    mistakes
}

fn note_encoding(file: &Read<'_>, notes: &mut Notes<'_>) {
    let Some(place) = file.beyond_ascii.filter(|_| file.encoding == Encoding::Utf8Unmarked) else {
        return;
    };
    notes.trap(
        place,
        "encoding",
        "UTF-8 without a byte order mark: Windows PowerShell 5.1 reads these characters in the machine's code page, so \
         that its names and values are others than here; save the file with a byte order mark",
    );
}

fn whole_file(file: &str, message: String, hint: &str) -> Mistake {
    Mistake { file: file.to_owned(), line: 1, column: 1, message, hint: hint.to_owned() }
}

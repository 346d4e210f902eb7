//! Reads a policy from a file, or from all `.toml` files of a directory, with the scripts that they pin.

use sekisho_policy::{Compiled, Mistake, Policy, Source, Warning};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one file; `sekisho_policy` bounds each document more tightly.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// Files of one directory.
const MAX_FILES: usize = 256;

/// Why a policy cannot be used.
#[derive(Debug)]
pub enum PolicyError {
    /// A file cannot be read.
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What to do.
        why: String,
    },
    /// Documents with mistakes, all of them.
    Mistakes(Vec<Mistake>),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "cannot read policy {}: {why}", path.display()),
            Self::Mistakes(mistakes) => {
                write!(f, "the policy has {} mistake(s)", mistakes.len())?;
                mistakes.iter().try_for_each(|mistake| write!(f, "\n{mistake}"))
            }
        }
    }
}

impl std::error::Error for PolicyError {}

/// The files of a policy: its documents, and the scripts that they pin.
#[derive(Debug)]
pub struct PolicyFiles {
    /// The folder that names of files count from.
    root: PathBuf,
    /// Name below the root, with `/`, and text.
    files: Vec<(String, String)>,
}

impl PolicyFiles {
    /// Reads a policy: a file, or all `.toml` files of a directory, with the scripts that they pin. A script that is
    /// not there is left to the compiler, which knows where it is named.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let (root, documents) = if path.is_dir() {
            (path.to_owned(), documents(path)?)
        } else {
            (path.parent().map(Path::to_owned).unwrap_or_default(), vec![path.to_owned()])
        };
        let mut files = Vec::new();
        for document in documents {
            let name = document.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, read_text(&document)?));
        }
        let sources: Vec<_> = files.iter().map(|(name, text)| Source { name, text }).collect();
        for name in Policy::pinned_files(&sources) {
            let script = root.join(&name);
            if script.is_file() {
                files.push((name, read_text(&script)?));
            }
        }
        Ok(Self { root, files })
    }

    /// The files, for the compiler.
    #[must_use]
    pub fn sources(&self) -> Vec<Source<'_>> {
        self.files.iter().map(|(name, text)| Source { name, text }).collect()
    }

    /// The documents alone.
    fn documents(&self) -> impl Iterator<Item = &(String, String)> {
        self.files.iter().filter(|(name, _)| name.ends_with(".toml"))
    }

    /// The folder that a policy names its scripts from.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files and all folders between them and the policy's own: whoever can write one of these decides who may
    /// do what.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for (name, _) in &self.files {
            let below = Path::new(name).ancestors().filter(|path| !path.as_os_str().is_empty());
            paths.extend(below.map(|path| self.root.join(path)));
        }
        paths.sort();
        paths.dedup();
        paths
    }

    /// Compiles them; warnings are for `check`.
    ///
    /// # Errors
    /// When a document has mistakes.
    pub fn compile(&self) -> Result<Compiled, PolicyError> {
        Policy::compile(&self.sources()).map_err(PolicyError::Mistakes)
    }

    /// Everything that is odd or dangerous in them.
    ///
    /// # Errors
    /// When a document has mistakes.
    pub fn lint(&self) -> Result<Vec<Warning>, PolicyError> {
        Policy::lint(&self.sources()).map_err(PolicyError::Mistakes)
    }
}

/// Reads and compiles a policy; warnings are for `check`.
///
/// # Errors
/// When a file cannot be read or a document has mistakes.
pub fn compile(path: &Path) -> Result<Compiled, PolicyError> {
    PolicyFiles::read(path)?.compile()
}

/// What a policy says about the catalogue, as a document of its own; empty when it says nothing.
///
/// # Errors
/// When a file cannot be read, or is no TOML.
pub fn own_catalogue(path: &Path) -> Result<String, PolicyError> {
    let mut own = toml::Table::new();
    for (name, text) in PolicyFiles::read(path)?.documents() {
        let unreadable = |error: toml::de::Error| PolicyError::Unreadable { path: name.into(), why: error.to_string() };
        let mut document: toml::Table = toml::from_str(text).map_err(unreadable)?;
        let Some(toml::Value::Table(catalogue)) = document.remove("catalog") else { continue };
        for (key, value) in catalogue {
            match (own.get_mut(&key), value) {
                (Some(toml::Value::Array(all)), toml::Value::Array(more)) => all.extend(more),
                (_, value) => drop(own.insert(key, value)),
            }
        }
    }
    if own.is_empty() {
        return Ok(String::new());
    }
    let document = toml::Table::from_iter([("catalog".to_owned(), toml::Value::Table(own))]);
    toml::to_string(&document)
        .map_err(|error| PolicyError::Unreadable { path: path.to_owned(), why: error.to_string() })
}

/// Reads and compiles a policy.
///
/// # Errors
/// When a file cannot be read or a document has mistakes.
pub fn load(path: &Path) -> Result<Policy, PolicyError> {
    compile(path).map(|compiled| compiled.policy)
}

fn documents(directory: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    let unreadable =
        |error: std::io::Error| PolicyError::Unreadable { path: directory.to_owned(), why: error.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() || MAX_FILES < files.len() {
        let why = format!("the directory has {} files that end in .toml; it needs 1 to {MAX_FILES}", files.len());
        return Err(PolicyError::Unreadable { path: directory.to_owned(), why });
    }
    Ok(files)
}

/// The text of a document or a script, in UTF-8 or UTF-16.
///
/// # Errors
/// When it cannot be read.
pub fn read_text(path: &Path) -> Result<String, PolicyError> {
    let unreadable = |error: std::io::Error| PolicyError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if MAX_FILE < u64::try_from(read).unwrap_or(u64::MAX) {
        let why = format!("it is larger than {MAX_FILE} bytes");
        return Err(PolicyError::Unreadable { path: path.to_owned(), why });
    }
    decode(bytes).ok_or_else(|| {
        let why = "it is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8".to_owned();
        PolicyError::Unreadable { path: path.to_owned(), why }
    })
}

/// Scripts from Windows are often UTF-16 with a mark.
fn decode(bytes: Vec<u8>) -> Option<String> {
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = rest.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        let units: Vec<u16> = pairs.filter_map(|pair| pair.try_into().ok().map(unit)).collect();
        String::from_utf16(&units).ok()
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a policy that pins `scripts/a.ps1`, whose text is this.
    fn policy(folder: &Path, script: Option<&[u8]>) -> PathBuf {
        let pinned = sekisho_policy::policy_pin_entry("Get-Date\n'é'", "a", "scripts/a.ps1").replace("ROLE", "r");
        std::fs::write(folder.join("p.toml"), pinned).unwrap();
        std::fs::write(folder.join("notes.txt"), "no part of it").unwrap();
        std::fs::create_dir(folder.join("scripts")).unwrap();
        std::fs::write(folder.join("scripts/other.ps1"), "nobody pins it").unwrap();
        if let Some(bytes) = script {
            std::fs::write(folder.join("scripts/a.ps1"), bytes).unwrap();
        }
        folder.to_owned()
    }

    #[test]
    fn pinned_scripts_are_read_beside_the_documents_in_every_encoding() {
        let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| {
            let units = std::iter::once(mark).chain("Get-Date\r\n'é'\r\n".encode_utf16());
            units.flat_map(bytes).collect::<Vec<u8>>()
        };
        let scripts = [
            "Get-Date\n'é'".as_bytes().to_vec(),
            "\u{FEFF}Get-Date\r\n'é'\r\n".as_bytes().to_vec(),
            utf16(0xFEFF, u16::to_le_bytes),
            utf16(0xFEFF, u16::to_be_bytes),
        ];
        for script in scripts {
            let folder = tempfile::tempdir().unwrap();
            let path = policy(folder.path(), Some(&script));
            let files = PolicyFiles::read(&path).unwrap();
            let names: Vec<_> = files.sources().iter().map(|source| source.name).collect::<Vec<_>>();
            assert_eq!(names, ["p.toml", "scripts/a.ps1"]);
            files.compile().unwrap();
            let alone = PolicyFiles::read(&path.join("p.toml")).unwrap();
            assert_eq!(alone.compile().unwrap().policy.digest(), files.compile().unwrap().policy.digest());
            let paths = files.paths();
            for part in ["p.toml", "scripts", "scripts/a.ps1"] {
                assert!(paths.contains(&path.join(part)), "{part} in {paths:?}");
            }
            assert_eq!(paths.len(), 3);
        }
    }

    #[test]
    fn a_script_that_is_missing_or_another_is_a_mistake_with_its_place() {
        for (script, part) in [
            (None, "p.toml:3:8: there is no script `scripts/a.ps1`"),
            (Some(&b"Get-Date\n"[..]), "policy pin scripts/a.ps1"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let error = load(&policy(folder.path(), script)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let error = load(&policy(folder.path(), Some(&[0xC3]))).unwrap_err().to_string();
        assert!(error.contains("scripts/a.ps1") && error.contains("UTF-8"), "{error}");
        assert_eq!(decode(vec![0xFF, 0xFE, 0x41]), None);
    }

    #[test]
    fn what_documents_say_about_the_catalogue_becomes_one_document() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
        write("a.toml", "defaults = true\n[catalog]\nmode = 'extend'\n[[catalog.commands]]\nname = 'A'\n");
        write("b.toml", "[[catalog.commands]]\nname = 'B'\n[roles.r]\n");
        let own: toml::Table = toml::from_str(&own_catalogue(place.path()).unwrap()).unwrap();
        assert_eq!((own.len(), own["catalog"]["commands"].as_array().unwrap().len()), (1, 2));
        write("a.toml", "defaults = true\n");
        write("b.toml", "");
        assert_eq!(own_catalogue(place.path()).unwrap(), "");
    }
}

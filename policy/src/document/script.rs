//! `[[roles.NAME.scripts]]`: a script file beside the policy, pinned by its digest.

use toml::de::DeTable;

use super::command::{ParameterDocument, read_parameters, read_prompts};
use super::{check_description, required_name};
use crate::decision::Prompts;
use crate::limits;
use crate::source_text::{Located, Patterns, Reader, Span, Value, shown};

/// A script whose file was not yet looked at.
#[derive(Debug)]
pub(crate) struct ScriptDocument {
    pub(crate) name: Located,
    /// Its path below the policy's folder, with `/`.
    pub(crate) file: Located,
    /// Lower-case hex.
    pub(crate) sha256: Located,
    pub(crate) parameters: Vec<ParameterDocument>,
    pub(crate) using: Vec<ParameterDocument>,
    pub(crate) prompts: Prompts,
}

const KEYS: [&str; 7] = ["name", "description", "file", "sha256", "parameters", "using", "prompts"];
const PIN: &str = "run `sekisho-gateway policy pin FILE.ps1`, which writes the entry";

pub(super) fn read_all(reader: &mut Reader<'_>, patterns: &mut Patterns, value: &Value<'_>) -> Vec<ScriptDocument> {
    let wanted = "one table for each script, for instance [[roles.web-ops.scripts]]";
    let Some(list) = reader.list(value, "`scripts`", wanted) else {
        return Vec::new();
    };
    let mut scripts: Vec<ScriptDocument> = Vec::new();
    for entry in list {
        let Some(table) = reader.table(entry, "a script", "a table, for instance [[roles.web-ops.scripts]]") else {
            continue;
        };
        let Some(script) = read(reader, patterns, table, &entry.span()) else {
            continue;
        };
        if scripts.iter().any(|other| other.name.text == script.name.text) {
            let message = format!("the role has two scripts named `{}`", shown(&script.name.text));
            reader.mistake(&script.name.span, message, "give each script a name of its own: the audit names it");
        }
        scripts.push(script);
    }
    scripts
}

fn read(reader: &mut Reader<'_>, patterns: &mut Patterns, table: &DeTable<'_>, span: &Span) -> Option<ScriptDocument> {
    reader.known_keys(table, "a script", &KEYS);
    check_description(reader, table);
    let name = required_name(reader, table, span, "script");
    let file = required(reader, table, span, "file").filter(|file| check_file(reader, file));
    let sha256 = required(reader, table, span, "sha256").and_then(|digest| check_digest(reader, digest));
    let mut list = |key| table.get(key).map(|value| read_parameters(reader, patterns, value)).unwrap_or_default();
    let (parameters, using) = (list("parameters"), list("using"));
    let prompts = read_prompts(reader, table);
    Some(ScriptDocument { name: name?, file: file?, sha256: sha256?, parameters, using, prompts })
}

fn required(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Span, key: &str) -> Option<Located> {
    let Some(value) = table.get(key) else {
        reader.missing(span, "the script", key, PIN);
        return None;
    };
    reader.text(value, &format!("`{key}`"))
}

/// The script files that a document pins and that lie below the policy's folder; nothing else of it is read.
pub(crate) fn pinned_files(text: &str) -> Vec<String> {
    let (root, _) = DeTable::parse_recoverable(text);
    let roles = root.get_ref().get("roles").and_then(|roles| roles.get_ref().as_table());
    let scripts = roles
        .into_iter()
        .flat_map(|roles| roles.values())
        .filter_map(|role| role.get_ref().as_table()?.get("scripts")?.get_ref().as_array());
    let files = scripts.flatten().filter_map(|script| script.get_ref().as_table()?.get("file")?.get_ref().as_str());
    files.filter(|file| is_below(file)).map(str::to_owned).collect()
}

/// Whether a name leads to a file below the policy's folder and nowhere else.
fn is_below(file: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let sane = |part: &str| !part.is_empty() && part != "." && part != "..";
    let ends = file.get(file.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".ps1"));
    ends && file.len() <= limits::SCRIPT_PATH && !file.chars().any(odd) && file.split('/').all(sane)
}

fn check_file(reader: &mut Reader<'_>, file: &Located) -> bool {
    let good = is_below(&file.text);
    if !good {
        let message = format!("`{}` is no script below the policy's folder", shown(&file.text));
        let hint = "write its path from the policy's folder on with forward slashes, for instance scripts/clean.ps1";
        reader.mistake(&file.span, message, hint);
    }
    good
}

fn check_digest(reader: &mut Reader<'_>, digest: Located) -> Option<Located> {
    if digest.text.len() == 64 && digest.text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Located { text: digest.text.to_ascii_lowercase(), ..digest });
    }
    reader.mistake(&digest.span, "`sha256` is not 64 hexadecimal digits", PIN);
    None
}

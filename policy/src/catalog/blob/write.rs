//! Writing the compact form: what the generator of the shipped catalogue calls.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::{
    COMMON, DOUBTFUL, FROM_PROPERTY, FROM_VALUE, KIND_CMDLET, KIND_FUNCTION, LISTS, MAGIC, MODULES, ORIGINS, Origin,
    REFUSE, REMAINING, SHOULD_PROCESS, SWITCH, TRANSACTIONS, UNPACKED, WILDCARDS, WORKFLOW,
};
use crate::catalog::model::{
    CommandInfo, CommandKind, Membership, ParameterInfo, ParameterKind, Uncertainty, Unnamed, WorkflowParameters,
};

/// A catalogue that has no compact form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritable {
    /// More modules than are read.
    Modules,
    /// A module, named here, or the index is larger than is read.
    Size(String),
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modules => write!(f, "more than {MODULES} modules: write less into one catalogue"),
            Self::Size(what) => write!(f, "{what} takes more than {UNPACKED} bytes: raise the bound of the reader"),
        }
    }
}

impl std::error::Error for Unwritable {}

/// The compact form of these commands. The same commands in any order give the same bytes.
///
/// # Errors
/// When there are more modules, or larger ones, than are read back.
pub fn encode(commands: &[(Origin, CommandInfo)]) -> Result<Vec<u8>, Unwritable> {
    let mut modules: BTreeMap<&str, Vec<(&str, Origin, &CommandInfo)>> = BTreeMap::new();
    for (origin, info) in commands {
        modules.entry(&info.module).or_default().push((&info.name, *origin, info));
    }
    if modules.len() > MODULES {
        return Err(Unwritable::Modules);
    }
    let (mut index, mut chunks) = (Vec::new(), Vec::new());
    number(&mut index, modules.len());
    for (module, mut commands) in modules {
        commands.sort_by_key(|(name, origin, _)| (*name, *origin));
        let raw = chunk(&commands);
        let packed = pack(&raw, module)?;
        text(&mut index, module);
        number(&mut index, raw.len());
        number(&mut index, packed.len());
        number(&mut index, commands.len());
        for (name, origin, _) in commands {
            text(&mut index, name);
            number(&mut index, ORIGINS.iter().position(|known| *known == origin).unwrap_or_default());
        }
        chunks.extend_from_slice(&packed);
    }
    let packed = pack(&index, "the index")?;
    let mut blob = MAGIC.to_vec();
    number(&mut blob, index.len());
    number(&mut blob, packed.len());
    blob.extend_from_slice(&packed);
    blob.extend_from_slice(&chunks);
    Ok(blob)
}

fn pack(raw: &[u8], what: &str) -> Result<Vec<u8>, Unwritable> {
    if raw.len() > UNPACKED {
        return Err(Unwritable::Size(what.to_owned()));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(raw).and_then(|()| encoder.finish());
    packed.map_err(|_| Unwritable::Size(what.to_owned()))
}

fn chunk(commands: &[(&str, Origin, &CommandInfo)]) -> Vec<u8> {
    let mut texts = Texts::default();
    let mut definitions = Vec::new();
    for (_, _, info) in commands {
        definition(&mut definitions, &mut texts, info);
    }
    let mut raw = Vec::new();
    number(&mut raw, texts.list.len());
    for entry in texts.list {
        text(&mut raw, entry);
    }
    raw.extend_from_slice(&definitions);
    raw
}

/// The texts of a chunk, each once, by number in the order in which they were needed.
#[derive(Default)]
struct Texts<'a> {
    list: Vec<&'a str>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        *self.numbers.entry(text).or_insert_with(|| {
            self.list.push(text);
            self.list.len().saturating_sub(1)
        })
    }
}

fn definition<'a>(out: &mut Vec<u8>, texts: &mut Texts<'a>, info: &'a CommandInfo) {
    let kind = match info.kind {
        CommandKind::Cmdlet => KIND_CMDLET,
        CommandKind::Function => KIND_FUNCTION,
        CommandKind::Unknown => 0,
    };
    bits(
        out,
        kind,
        &[
            (info.common, COMMON),
            (info.should_process, SHOULD_PROCESS),
            (info.transactions, TRANSACTIONS),
            (info.workflow == WorkflowParameters::Taken, WORKFLOW),
            (info.unnamed == Unnamed::Refuse, REFUSE),
        ],
    );
    number(out, texts.number(&info.name));
    list(out, texts, &info.aliases);
    list(out, texts, &info.sets);
    optional(out, info.default_set);
    list(out, texts, &info.doubts);
    number(out, info.parameters.len());
    for parameter in &info.parameters {
        parameter_definition(out, texts, parameter);
    }
}

fn parameter_definition<'a>(out: &mut Vec<u8>, texts: &mut Texts<'a>, parameter: &'a ParameterInfo) {
    let lists = [&parameter.aliases, &parameter.values, &parameter.dynamic];
    let has_lists = lists.iter().any(|list| !list.is_empty());
    let kind = match &parameter.kind {
        ParameterKind::Switch(Uncertainty::Sure) => SWITCH,
        ParameterKind::Switch(Uncertainty::Doubtful) => SWITCH | DOUBTFUL,
        ParameterKind::Value(_) => 0,
    };
    bits(
        out,
        kind,
        &[
            (parameter.pipeline.value, FROM_VALUE),
            (parameter.pipeline.property, FROM_PROPERTY),
            (parameter.remaining, REMAINING),
            (parameter.wildcards, WILDCARDS),
            (has_lists, LISTS),
        ],
    );
    number(out, texts.number(&parameter.name));
    if let ParameterKind::Value(type_name) = &parameter.kind {
        number(out, texts.number(type_name));
    }
    number(out, parameter.membership.len());
    for Membership { set, position, mandatory } in &parameter.membership {
        optional(out, *set);
        out.push(u8::from(*mandatory));
        optional(out, position.map(|position| usize::try_from(position).unwrap_or(usize::MAX)));
    }
    if has_lists {
        for entries in lists {
            list(out, texts, entries);
        }
    }
}

fn bits(out: &mut Vec<u8>, first: u64, others: &[(bool, u64)]) {
    let all = others.iter().filter(|(set, _)| *set).fold(first, |all, (_, bit)| all | bit);
    number(out, usize::try_from(all).unwrap_or_default());
}

fn list<'a>(out: &mut Vec<u8>, texts: &mut Texts<'a>, entries: &'a [String]) {
    number(out, entries.len());
    for entry in entries {
        number(out, texts.number(entry));
    }
}

/// Nothing is 0, everything else one more than it is.
fn optional(out: &mut Vec<u8>, value: Option<usize>) {
    number(out, value.map_or(0, |value| value.saturating_add(1)));
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

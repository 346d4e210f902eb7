//! Reading the compact form. A damaged one gives nothing, and never more than was there.

use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

use flate2::read::ZlibDecoder;

use super::{
    COMMON, DOUBTFUL, FROM_PROPERTY, FROM_VALUE, KIND_CMDLET, KIND_FUNCTION, LISTS, MAGIC, MODULES, ORIGINS, Origin,
    REFUSE, REMAINING, SHOULD_PROCESS, SWITCH, TRANSACTIONS, UNPACKED, WILDCARDS, WORKFLOW,
};
use crate::catalog::check::{ALIASES, PARAMETERS, POSITION, SETS, VALUES};
use crate::catalog::model::{
    CommandInfo, CommandKind, Membership, ParameterInfo, ParameterKind, PipelineInput, Uncertainty, Unnamed,
    WorkflowParameters,
};

/// Groups of seven bits that a number can have: more than any size here needs.
const NUMBER_GROUPS: u32 = 5;
/// Commands of one module. The largest known one has 226.
const COMMANDS: usize = 4096;

/// All names of a catalogue.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Index {
    pub(in crate::catalog) modules: Vec<Module>,
}

/// A module: the names of its commands, and where its definitions are.
#[derive(Debug)]
pub(in crate::catalog) struct Module {
    pub(in crate::catalog) name: String,
    /// In the order of the definitions.
    pub(in crate::catalog) commands: Vec<(String, Origin)>,
    packed: Range<usize>,
    unpacked: usize,
}

/// The definitions of a module.
pub(in crate::catalog) type Chunk = Vec<Arc<CommandInfo>>;

/// Reads the index of a blob.
pub(in crate::catalog) fn index(blob: &[u8]) -> Option<Index> {
    let mut head = Input { rest: blob.strip_prefix(MAGIC)? };
    let (unpacked, packed) = (head.size(UNPACKED)?, head.size(blob.len())?);
    let raw = unpack(head.take(packed)?, unpacked)?;
    let mut at = blob.len().checked_sub(head.rest.len())?;
    let mut input = Input { rest: &raw };
    let modules = input.many(MODULES, |input| {
        let module = module(input, at)?;
        at = module.packed.end;
        Some(module)
    })?;
    (input.rest.is_empty() && at == blob.len()).then_some(Index { modules })
}

fn module(input: &mut Input<'_>, at: usize) -> Option<Module> {
    let name = input.text()?.to_owned();
    let unpacked = input.size(UNPACKED)?;
    let packed = at..at.checked_add(input.size(usize::MAX)?)?;
    let commands =
        input.many(COMMANDS, |input| Some((input.text()?.to_owned(), *ORIGINS.get(input.size(ORIGINS.len())?)?)))?;
    Some(Module { name, commands, packed, unpacked })
}

/// Reads the definitions of a module: all of them, or nothing.
pub(in crate::catalog) fn chunk(blob: &[u8], module: &Module) -> Option<Chunk> {
    let raw = unpack(blob.get(module.packed.clone())?, module.unpacked)?;
    let mut input = Input { rest: &raw };
    let texts = input.many(UNPACKED, Input::text)?;
    let mut definitions = Definitions { input, texts };
    let mut chunk = Vec::with_capacity(module.commands.len());
    for (name, _) in &module.commands {
        let info = definitions.command(&module.name)?;
        if info.name != *name {
            return None;
        }
        chunk.push(Arc::new(info));
    }
    definitions.input.rest.is_empty().then_some(chunk)
}

fn unpack(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(size);
    // One byte more than expected, so that the end of the stream and its check sum are read too.
    let most = u64::try_from(size).ok()?.checked_add(1)?;
    ZlibDecoder::new(packed).take(most).read_to_end(&mut raw).ok()?;
    (raw.len() == size).then_some(raw)
}

/// What is still to be read.
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for group in 0..NUMBER_GROUPS {
            let [byte] = *self.take(1)? else { return None };
            number |= u64::from(byte & 0x7F).checked_shl(group.checked_mul(7)?)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn size(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|size| *size <= most)
    }

    fn optional(&mut self, most: usize) -> Option<Option<usize>> {
        Some(self.size(most)?.checked_sub(1))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.size(UNPACKED)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// Every entry takes a byte at least, so that a false count ends with the input.
    fn many<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.size(most)?;
        let mut entries = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            entries.push(one(self)?);
        }
        Some(entries)
    }
}

struct Definitions<'a> {
    input: Input<'a>,
    texts: Vec<&'a str>,
}

impl Definitions<'_> {
    fn text(&mut self) -> Option<String> {
        let number = self.input.size(UNPACKED)?;
        self.texts.get(number).map(|text| (*text).to_owned())
    }

    fn list(&mut self, most: usize) -> Option<Vec<String>> {
        let Self { input, texts } = self;
        input.many(most, |input| texts.get(input.size(UNPACKED)?).map(|text| (*text).to_owned()))
    }

    fn command(&mut self, module: &str) -> Option<CommandInfo> {
        let bits = self.input.number()?;
        let kind = match bits & (KIND_CMDLET | KIND_FUNCTION) {
            KIND_CMDLET => CommandKind::Cmdlet,
            KIND_FUNCTION => CommandKind::Function,
            0 => CommandKind::Unknown,
            _ => return None,
        };
        let mut info = CommandInfo {
            kind,
            common: bits & COMMON != 0,
            should_process: bits & SHOULD_PROCESS != 0,
            transactions: bits & TRANSACTIONS != 0,
            workflow: if bits & WORKFLOW == 0 { WorkflowParameters::None } else { WorkflowParameters::Taken },
            unnamed: if bits & REFUSE == 0 { Unnamed::Bind } else { Unnamed::Refuse },
            ..CommandInfo::new(self.text()?, module)
        };
        info.aliases = self.list(ALIASES)?;
        info.sets = self.list(SETS)?;
        info.default_set = self.input.optional(info.sets.len())?;
        info.doubts = self.list(VALUES)?;
        for _ in 0..self.input.size(PARAMETERS)? {
            info.parameters.push(self.parameter(info.sets.len())?);
        }
        Some(info)
    }

    fn parameter(&mut self, sets: usize) -> Option<ParameterInfo> {
        let bits = self.input.number()?;
        let name = self.text()?;
        let kind = match bits & (SWITCH | DOUBTFUL) {
            0 => ParameterKind::Value(self.text()?),
            SWITCH => ParameterKind::Switch(Uncertainty::Sure),
            _ => ParameterKind::Switch(Uncertainty::Doubtful),
        };
        let mut parameter = ParameterInfo {
            membership: self.input.many(SETS, |input| membership(input, sets))?,
            pipeline: PipelineInput { value: bits & FROM_VALUE != 0, property: bits & FROM_PROPERTY != 0 },
            remaining: bits & REMAINING != 0,
            wildcards: bits & WILDCARDS != 0,
            ..ParameterInfo::new(name, kind)
        };
        if bits & LISTS != 0 {
            parameter.aliases = self.list(ALIASES)?;
            parameter.values = self.list(VALUES)?;
            parameter.dynamic = self.list(ALIASES)?;
        }
        Some(parameter)
    }
}

fn membership(input: &mut Input<'_>, sets: usize) -> Option<Membership> {
    let set = input.optional(sets)?;
    let mandatory = input.size(1)? != 0;
    let highest = usize::try_from(POSITION).ok()?;
    let position = match input.optional(highest)? {
        Some(position) => Some(u32::try_from(position).ok()?),
        None => None,
    };
    Some(Membership { set, position, mandatory })
}

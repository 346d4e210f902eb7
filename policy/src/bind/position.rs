//! Where values without a name belong.
//!
//! What PowerShell does: names narrow the parameter sets down; then each value goes to the next position of the
//! sets that are left, first to the default set's parameter if it takes the value as it is, then to another
//! set's, then to the default set's by conversion; and each parameter that is bound narrows the sets further.
//! What is left over goes to a parameter that takes all remaining values.

use std::borrow::Cow;

use super::refusal::{BindReason, BindRefusal};
use super::types::{self, Answer};
use super::{Binding, Grant};
use crate::catalog::{CommandInfo, Membership, ParameterInfo, ParameterKind, Unnamed};
use crate::value::Value;

/// Parameter sets that are counted with; real commands have up to 32.
const SETS: usize = 128;

/// Some of a command's parameter sets, one bit each.
type Sets = u128;

/// A value without a name, with the index of its entry.
type Entry<'a> = (usize, &'a Value);

/// Gives each value without a name to the parameter that the target would give it to.
pub(super) fn place<'a>(binding: &mut Binding<'a>, unnamed: &[Entry<'a>]) -> Result<(), BindRefusal<'a>> {
    let Some((first, _)) = unnamed.first() else {
        return Ok(());
    };
    let info = binding.info;
    if info.unnamed == Unnamed::Refuse || info.sets.len() > SETS {
        return Err(BindRefusal { reason: BindReason::Unnamed, at: *first });
    }
    let named = binding.taken.iter().filter_map(|index| info.parameters.get(*index));
    let mut possible = named.fold(all(info), |sets, parameter| sets & sets_of(info, parameter));
    let mut values = unnamed.iter();
    while let Some((at, value)) = values.as_slice().first() {
        let refused = |reason| BindRefusal { reason, at: *at };
        let Some((index, parameter)) = next(binding, possible, value).map_err(refused)? else {
            break;
        };
        binding.add(*at, &parameter.name, Grant::Listed, Cow::Borrowed(value)).map_err(refused)?;
        binding.taken.push(index);
        possible &= sets_of(info, parameter);
        values.next();
    }
    remaining(binding, possible, values.as_slice())
}

/// All that is left over, for the one parameter that takes it.
fn remaining<'a>(binding: &mut Binding<'a>, possible: Sets, left: &[Entry<'a>]) -> Result<(), BindRefusal<'a>> {
    let Some((at, value)) = left.first() else {
        return Ok(());
    };
    let refused = |reason| BindRefusal { reason, at: *at };
    let info = binding.info;
    let mut takers =
        info.parameters.iter().enumerate().filter(|(index, one)| {
            one.remaining && !binding.taken.contains(index) && sets_of(info, one) & possible != 0
        });
    let (index, taker) = takers.next().ok_or_else(|| refused(BindReason::Surplus))?;
    if let Some((_, other)) = takers.next() {
        return Err(refused(BindReason::Undecided(&taker.name, &other.name)));
    }
    drop(takers);
    let value = match left {
        [_] => Cow::Borrowed(*value),
        several => Cow::Owned(Value::List(several.iter().map(|(_, value)| (*value).clone()).collect())),
    };
    binding.add(*at, &taker.name, Grant::Listed, value).map_err(refused)?;
    binding.taken.push(index);
    Ok(())
}

/// A parameter that a value may belong to.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    index: usize,
    parameter: &'a ParameterInfo,
    position: u32,
    /// The sets for which it comes next.
    sets: Sets,
}

/// The parameter that takes the next value; none when no set that is left has a position left.
fn next<'a>(
    binding: &Binding<'a>,
    possible: Sets,
    value: &Value,
) -> Result<Option<(usize, &'a ParameterInfo)>, BindReason<'a>> {
    let candidates = candidates(binding, possible);
    let Some(least) = candidates.iter().map(|one| one.position).min() else {
        return Ok(None);
    };
    let (first, later): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|one| one.position == least);
    let [one, rest @ ..] = first.as_slice() else {
        return Ok(None);
    };
    let comes_first = |other: &&Candidate<'a>| first.iter().any(|one| precedes(binding.info, one, other));
    if let Some(other) = later.iter().find(|other| !comes_first(other)) {
        return Err(BindReason::Undecided(&one.parameter.name, &other.parameter.name));
    }
    let chosen = match rest.first() {
        None => *one,
        Some(other) => choose(binding.info, &first, value)
            .ok_or(BindReason::Undecided(&one.parameter.name, &other.parameter.name))?,
    };
    let parameter = chosen.parameter;
    match parameter.kind {
        ParameterKind::Value(_) if parameter.dynamic.is_empty() => Ok(Some((chosen.index, parameter))),
        ParameterKind::Value(_) | ParameterKind::Switch(_) => Err(BindReason::NotByPosition(&parameter.name)),
    }
}

/// For each set that is left its next parameter by position, each parameter once.
fn candidates<'a>(binding: &Binding<'a>, possible: Sets) -> Vec<Candidate<'a>> {
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    for set in 0..count(binding.info) {
        if possible & bit(set) == 0 {
            continue;
        }
        let first = open_in(binding, set).map(|one| one.position).min();
        for next in open_in(binding, set).filter(|one| Some(one.position) == first) {
            match candidates.iter_mut().find(|one| one.index == next.index && one.position == next.position) {
                Some(known) => known.sets |= next.sets,
                None => candidates.push(next),
            }
        }
    }
    candidates
}

/// The parameters of a set that take a value by position and have none yet.
fn open_in<'a>(binding: &Binding<'a>, set: usize) -> impl Iterator<Item = Candidate<'a>> {
    let open = binding.info.parameters.iter().enumerate().filter(|(index, parameter)| {
        // One that takes what remains comes after all positions.
        !parameter.remaining && !binding.taken.contains(index)
    });
    open.filter_map(move |(index, parameter)| {
        let position = membership(parameter, set)?.position?;
        Some(Candidate { index, parameter, position, sets: bit(set) })
    })
}

/// Whether one parameter's position is certainly before another's, which then has to wait for the next value.
///
/// PowerShell compares positions of different sets, and only their order within a set is known here: a set that
/// has both, each at the same position, shows it.
fn precedes(info: &CommandInfo, one: &Candidate<'_>, other: &Candidate<'_>) -> bool {
    let at = |candidate: &Candidate<'_>, set| {
        membership(candidate.parameter, set).and_then(|place| place.position) == Some(candidate.position)
    };
    one.index == other.index || (0..count(info)).any(|set| at(one, set) && at(other, set))
}

/// Decides between parameters at one position of several sets as PowerShell would; none where that is not sure.
fn choose<'a>(info: &CommandInfo, candidates: &[Candidate<'a>], value: &Value) -> Option<Candidate<'a>> {
    let sets: u32 = candidates.iter().map(|one| one.sets.count_ones()).sum();
    let within_one_set = candidates.iter().fold(0, |all, one| all | one.sets).count_ones() < sets;
    if within_one_set {
        return None;
    }
    let standard = bit(default_set(info)?);
    let standard = candidates.iter().find(|one| one.sets & standard != 0);
    if let Some(standard) = standard {
        match fits(standard, value) {
            Answer::Yes => return Some(*standard),
            Answer::Unsure => return None,
            Answer::No => {}
        }
    }
    let mut fitting = None;
    for candidate in candidates {
        match (fits(candidate, value), fitting) {
            (Answer::No, _) => {}
            (Answer::Yes, None) => fitting = Some(*candidate),
            (Answer::Yes, Some(_)) | (Answer::Unsure, _) => return None,
        }
    }
    fitting.or_else(|| standard.filter(|one| converts(one, value)).copied())
}

fn fits(candidate: &Candidate<'_>, value: &Value) -> Answer {
    match &candidate.parameter.kind {
        ParameterKind::Value(type_name) => types::fits(type_name, value),
        ParameterKind::Switch(_) => Answer::Unsure,
    }
}

fn converts(candidate: &Candidate<'_>, value: &Value) -> bool {
    match &candidate.parameter.kind {
        ParameterKind::Value(type_name) => types::converts(type_name, value),
        ParameterKind::Switch(_) => false,
    }
}

/// A command without named sets has one.
fn count(info: &CommandInfo) -> usize {
    info.sets.len().max(1)
}

fn default_set(info: &CommandInfo) -> Option<usize> {
    if count(info) == 1 { Some(0) } else { info.default_set }
}

fn bit(set: usize) -> Sets {
    u32::try_from(set).ok().and_then(|shift| 1_u128.checked_shl(shift)).unwrap_or(0)
}

fn all(info: &CommandInfo) -> Sets {
    (0..count(info)).fold(0, |sets, set| sets | bit(set))
}

/// A parameter without a place of its own is in all sets.
fn sets_of(info: &CommandInfo, parameter: &ParameterInfo) -> Sets {
    if parameter.membership.is_empty() {
        return all(info);
    }
    parameter.membership.iter().fold(0, |sets, one| sets | one.set.map_or_else(|| all(info), bit))
}

fn membership(parameter: &ParameterInfo, set: usize) -> Option<&Membership> {
    let own = parameter.membership.iter().find(|one| one.set == Some(set));
    own.or_else(|| parameter.membership.iter().find(|one| one.set.is_none()))
}

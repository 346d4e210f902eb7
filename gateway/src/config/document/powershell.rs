//! What targets and groups say of the PowerShell behind a target: `edition` and `endpoint`.

use std::collections::BTreeMap;

use crate::config::model::{Endpoint, TargetTable};
use crate::config::reader::{Located, Reader, Section};
use crate::config::{GroupName, TargetName};
use sekisho_policy::Edition;

const EDITIONS: [(&str, Option<Edition>); 2] = [("5.1", Some(Edition::Windows51)), ("7", Some(Edition::Core7))];
const ENDPOINTS: [(&str, Option<Endpoint>); 2] =
    [("restricted", Some(Endpoint::Restricted)), ("full", Some(Endpoint::Full))];

/// What one table says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    edition: Option<Edition>,
    endpoint: Option<Endpoint>,
}

impl Said {
    pub(super) fn read(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Self {
        Self {
            edition: section.choice(reader, "edition", &EDITIONS, None),
            endpoint: section.choice(reader, "endpoint", &ENDPOINTS, None),
        }
    }
}

/// What groups have said of one target so far, each with the first group that said so.
#[derive(Debug, Default)]
struct ByGroups<'g> {
    edition: Option<(Edition, &'g GroupName)>,
    endpoint: Option<(Endpoint, &'g GroupName)>,
}

impl ByGroups<'_> {
    fn said(&self) -> (Option<Edition>, Option<Endpoint>) {
        (self.edition.map(|(edition, _)| edition), self.endpoint.map(|(endpoint, _)| endpoint))
    }
}

/// Gives each target what it says itself, or else what its groups say; groups must not contradict each other about
/// a target that says nothing.
pub(super) fn settle(
    table: &mut TargetTable,
    targets: &BTreeMap<TargetName, Said>,
    groups: &[(Located, GroupName, Said)],
    reader: &mut Reader<'_>,
) {
    let mut by_groups: BTreeMap<TargetName, ByGroups<'_>> = BTreeMap::new();
    for (place, group, said) in groups {
        for target in table.groups.get(group).into_iter().flatten() {
            let own = targets.get(target).copied().unwrap_or_default();
            let known = by_groups.entry(target.clone()).or_default();
            let mut asked = Asked { reader, place, group, target };
            if own.edition.is_none() {
                asked.agree("edition", said.edition, &mut known.edition);
            }
            if own.endpoint.is_none() {
                asked.agree("endpoint", said.endpoint, &mut known.endpoint);
            }
        }
    }
    for target in table.targets.values_mut() {
        let own = targets.get(&target.name).copied().unwrap_or_default();
        let groups = by_groups.remove(&target.name).unwrap_or_default();
        let (edition, endpoint) = groups.said();
        target.edition = own.edition.or(edition).unwrap_or_default();
        target.endpoint = own.endpoint.or(endpoint).unwrap_or_default();
    }
}

/// One group that speaks of one target.
struct Asked<'a, 'r, 'g> {
    reader: &'a mut Reader<'r>,
    place: &'g Located,
    group: &'g GroupName,
    target: &'a TargetName,
}

impl<'g> Asked<'_, '_, 'g> {
    /// Takes what is said, or tells that another group says otherwise.
    fn agree<T: Copy + PartialEq>(&mut self, key: &str, said: Option<T>, known: &mut Option<(T, &'g GroupName)>) {
        match (said, *known) {
            (None, _) => {}
            (Some(said), None) => *known = Some((said, self.group)),
            (Some(said), Some((before, _))) if said == before => {}
            (Some(_), Some((_, other))) => {
                let message = format!(
                    "the groups `{other}` and `{}` disagree about `{key}` of target `{}`",
                    self.group, self.target
                );
                self.reader.mistake(&self.place.span, message, format!("write `{key}` at the target itself"));
            }
        }
    }
}

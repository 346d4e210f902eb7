//! The list of targets that a user may reach.

use super::{
    DOCUMENT_BYTES, JobMistake, LABELS, TARGETS, VERSION, check_name, check_text, check_version, decode, encode,
};
use serde::{Deserialize, Serialize};

/// The request for the list: an empty object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetsRequest {}

/// The targets that the user may reach, and nothing of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetList {
    /// [`VERSION`].
    pub version: u32,
    /// Sorted by name.
    pub targets: Vec<TargetEntry>,
    /// How many more there are that the list has no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEntry {
    /// Its name: what a job is submitted for.
    pub name: String,
    /// The groups it is in, for `group` of a request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The roles that the user has on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// Bytes of a list without its targets, and some.
const AROUND_LIST: usize = 256;

impl TargetEntry {
    /// Takes its bytes and a comma's from `room`, if there are as many.
    fn fits(&self, room: &mut usize) -> bool {
        let size = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len().saturating_add(1));
        room.checked_sub(size).inspect(|rest| *room = *rest).is_some()
    }
}

impl TargetsRequest {
    /// Decodes a request.
    ///
    /// # Errors
    /// [`JobMistake::Malformed`] for anything but an empty object.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        decode(json, DOCUMENT_BYTES)
    }

    /// Encodes the request.
    ///
    /// # Errors
    /// None in practice.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        encode(self, DOCUMENT_BYTES)
    }
}

impl TargetList {
    /// A list of this version, sorted by name, with as many targets as it has room for: [`TARGETS`], in
    /// [`DOCUMENT_BYTES`].
    #[must_use]
    pub fn new(mut targets: Vec<TargetEntry>) -> Self {
        targets.sort_by(|left, right| left.name.cmp(&right.name));
        let mut room = DOCUMENT_BYTES.saturating_sub(AROUND_LIST);
        let fits = targets.iter().take(TARGETS).take_while(|target| target.fits(&mut room)).count();
        let left_out = u64::try_from(targets.len().saturating_sub(fits)).unwrap_or(u64::MAX);
        targets.truncate(fits);
        Self { version: VERSION, targets, left_out }
    }

    /// Decodes and validates a list.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn decode(json: &[u8]) -> Result<Self, JobMistake> {
        let list: Self = decode(json, DOCUMENT_BYTES)?;
        list.validate()?;
        Ok(list)
    }

    /// Validates and encodes the list.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn encode(&self) -> Result<Vec<u8>, JobMistake> {
        self.validate()?;
        encode(self, DOCUMENT_BYTES)
    }

    fn validate(&self) -> Result<(), JobMistake> {
        check_version(self.version, VERSION)?;
        if self.targets.len() > TARGETS {
            return Err(JobMistake::TargetCount);
        }
        for target in &self.targets {
            check_name(&target.name)?;
            for labels in [&target.groups, &target.tags, &target.roles] {
                if labels.len() > LABELS {
                    return Err(JobMistake::TextLength);
                }
                labels.iter().try_for_each(|label| check_text(label))?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> TargetEntry {
        TargetEntry { name: name.into(), groups: vec!["web".into()], tags: vec![], roles: vec!["operator".into()] }
    }

    #[test]
    fn the_document_is_the_one_in_the_docs() {
        let list = TargetList::new(vec![entry("web02"), entry("web01")]);
        let json = r#"{"version":1,"targets":[{"name":"web01","groups":["web"],"roles":["operator"]},{"name":"web02","groups":["web"],"roles":["operator"]}]}"#;
        assert_eq!(String::from_utf8(list.encode().unwrap()).unwrap(), json);
        assert_eq!(TargetList::decode(json.as_bytes()), Ok(list));
        assert_eq!(TargetsRequest {}.encode().unwrap(), b"{}");
        assert_eq!(TargetsRequest::decode(b"{\"all\":true}"), Err(JobMistake::Malformed));
    }

    #[test]
    fn bounds_are_checked() {
        assert_eq!(TargetList::new(vec![entry("a/b")]).encode(), Err(JobMistake::Name));
        let mut many = entry("web01");
        many.tags = vec![String::new(); LABELS + 1];
        assert_eq!(TargetList::new(vec![many]).encode(), Err(JobMistake::TextLength));
        let mut long = TargetList::new(vec![]);
        long.targets = vec![entry("a"); TARGETS + 1];
        assert_eq!(long.encode(), Err(JobMistake::TargetCount));
        let mut other = TargetList::new(vec![]);
        other.version = 2;
        assert_eq!(other.encode(), Err(JobMistake::Version));
    }

    #[test]
    fn a_list_that_is_too_long_says_how_many_are_left_out() {
        let many = TargetList::new(vec![entry("a"); TARGETS + 5]);
        assert_eq!((many.targets.len(), many.left_out), (TARGETS, 5));
        assert_eq!(TargetList::decode(&many.encode().unwrap()), Ok(many));
        let mut large = entry("a");
        large.tags = vec!["\u{1}".repeat(4000); 4];
        let large = TargetList::new(vec![large; TARGETS]);
        assert!(large.targets.len() < TARGETS && large.left_out > 0);
        assert!(large.encode().is_ok(), "what is left fits the document, escapes included");
    }
}

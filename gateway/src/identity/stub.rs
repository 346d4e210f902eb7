use super::{NameRefused, PrincipalName};
use sekisho_protocol::auth::{AccountName, NtHash};
#[derive(Debug)]
pub struct Identities {}
#[derive(Debug)]
pub struct Identity { principal: PrincipalName, groups: Vec<String> }
impl Identity {
    pub fn principal(&self) -> &PrincipalName { &self.principal }
    pub fn groups(&self) -> &[String] { &self.groups }
}
impl Identities {
    pub fn normalise(&self, _n: &AccountName) -> Result<PrincipalName, NameRefused> { Err(NameRefused::Empty) }
    pub fn nt_hash(&self, _n: &PrincipalName) -> Option<NtHash> { None }
    pub fn identity(&self, _n: &PrincipalName) -> Option<Identity> { None }
}

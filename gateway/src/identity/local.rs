//! The gateway's own accounts, for small sites and first steps.
//!
//! The file has NT hashes, and an NT hash is as good as the password. So it is encrypted under a key that lies
//! elsewhere, and neither file is used when others can read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sekisho_protocol::auth::{AccountName, AccountSource, NtHash};
use sekisho_protocol::secret::SecretText;
use zeroize::Zeroizing;

use super::IdentityProvider;
use super::name::{LOCAL_DOMAIN, NameRefused, NameTable, PrincipalName};
use super::sealed::{self, Unsealed};
use crate::config::{self, KeySource};
use crate::private_file::{self, Access, FileError, KEY_LEN, KeyPurpose};

/// Local accounts are for small sites.
const MAX_ACCOUNTS: usize = 10_000;
const MAX_GROUPS: usize = 64;
const MAX_GROUP_NAME: usize = 64;
/// Above what the bounds allow.
const MAX_FILE: u64 = 64 * 1024 * 1024;
const HASH_LEN: usize = 16;

/// Why accounts cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} cannot be opened with this key: the key is another one, or the file was changed", path.display())]
    Refused { path: PathBuf },
    #[error("{} is no accounts file of this version", path.display())]
    Foreign { path: PathBuf },
    #[error(
        "there is no $CREDENTIALS_DIRECTORY: the key is a systemd credential, so run this in the unit, or use key_file"
    )]
    NoCredentials,
    #[error("{0}")]
    Name(#[from] NameRefused),
    #[error("an account of this name is there already; remove it first")]
    Exists,
    #[error("there is no account of this name; see: account list")]
    Unknown,
    #[error("there are {MAX_ACCOUNTS} accounts already; use a directory for more")]
    Full,
    #[error(
        "an account has at most {MAX_GROUPS} groups, whose names have 1 to {MAX_GROUP_NAME} letters, digits, '.', '-', '_' or spaces"
    )]
    Groups,
    #[error("an account and a group cannot have one name, since policy writes both as GATEWAY\\name; choose another")]
    Ambiguous,
    #[error("no random numbers from the system")]
    NoRandomness,
}

/// What is kept of an account.
pub struct Account {
    hash: NtHash,
    groups: Vec<String>,
}

impl Account {
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("groups", &self.groups).finish_non_exhaustive()
    }
}

/// All local accounts, in memory.
#[derive(Debug, Default)]
pub struct LocalAccounts {
    names: NameTable,
    /// By the principal's name part.
    accounts: BTreeMap<String, Account>,
}

/// Makes the key file of the accounts.
///
/// # Errors
/// When it is there already or cannot be written.
pub fn new_account_key(path: &Path) -> Result<(), FileError> {
    let key = private_file::new_key()?;
    private_file::create(path, private_file::key_text(KeyPurpose::Accounts, &key).as_bytes())
}

impl LocalAccounts {
    /// Reads and decrypts the file.
    ///
    /// # Errors
    /// When the file or its key cannot be read, can be read by others, or do not belong together.
    pub fn load(settings: &config::Accounts) -> Result<Self, AccountsError> {
        let key = read_key(&settings.key)?;
        let path = &settings.file;
        let bytes = private_file::read(path, MAX_FILE, Access::OwnerOnly)?;
        let plain = sealed::open(&key, &bytes).map_err(|error| unsealed(error, path))?;
        let accounts = decode(&plain).ok_or_else(|| AccountsError::Foreign { path: path.clone() })?;
        Ok(Self { names: NameTable::new(&settings.local_names), accounts })
    }

    /// Encrypts and replaces the file, which may not be there yet.
    ///
    /// # Errors
    /// When the key cannot be read or the file cannot be written; the old one stays.
    pub fn save(&self, settings: &config::Accounts) -> Result<(), AccountsError> {
        let key = read_key(&settings.key)?;
        let bytes = sealed::seal(&key, &self.encode()).map_err(|error| unsealed(error, &settings.file))?;
        Ok(private_file::replace(&settings.file, &bytes)?)
    }

    /// Reads, changes and replaces the file while nobody else does.
    ///
    /// # Errors
    /// Those of [`Self::load`], [`Self::save`] and of the change.
    pub fn edit(
        settings: &config::Accounts,
        change: impl FnOnce(&mut Self) -> Result<(), AccountsError>,
    ) -> Result<(), AccountsError> {
        let path = private_file::beside(&settings.file, ".lock");
        let lock = private_file::open_lock(&path);
        let lock =
            lock.and_then(|file| file.lock().map(|()| file)).map_err(|error| private_file::io_error(&path, error))?;
        let mut accounts = Self::load(settings)?;
        change(&mut accounts)?;
        accounts.save(settings)?;
        drop(lock);
        Ok(())
    }

    /// # Errors
    /// When the name is no account name or is taken, or there are too many accounts or groups.
    pub fn add(&mut self, name: &str, hash: NtHash, groups: &[String]) -> Result<PrincipalName, AccountsError> {
        let principal = PrincipalName::local(name)?;
        if self.accounts.contains_key(principal.name()) {
            return Err(AccountsError::Exists);
        }
        if self.accounts.len() >= MAX_ACCOUNTS {
            return Err(AccountsError::Full);
        }
        if groups.len() > MAX_GROUPS || !groups.iter().all(|group| is_group_name(group)) {
            return Err(AccountsError::Groups);
        }
        if self.is_ambiguous(principal.name(), groups) {
            return Err(AccountsError::Ambiguous);
        }
        self.accounts.insert(principal.name().to_owned(), Account { hash, groups: groups.to_vec() });
        Ok(principal)
    }

    /// # Errors
    /// When there is no such account.
    pub fn remove(&mut self, name: &str) -> Result<PrincipalName, AccountsError> {
        let principal = PrincipalName::local(name)?;
        self.accounts.remove(principal.name()).map(|_| principal).ok_or(AccountsError::Unknown)
    }

    /// The accounts by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.iter().map(|(name, account)| (name.as_str(), account))
    }

    /// Whether a group would have an account's name, or the account a group's.
    fn is_ambiguous(&self, name: &str, groups: &[String]) -> bool {
        let is_account = |group: &String| {
            group.eq_ignore_ascii_case(name) || self.accounts.contains_key(&group.to_ascii_lowercase())
        };
        let mut known = self.accounts.values().flat_map(|account| &account.groups);
        groups.iter().any(is_account) || known.any(|group| group.eq_ignore_ascii_case(name))
    }

    fn account(&self, principal: &PrincipalName) -> Option<&Account> {
        if principal.domain() == LOCAL_DOMAIN { self.accounts.get(principal.name()) } else { None }
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let sizes = self.accounts.iter().map(|(name, account)| {
            let groups: usize = account.groups.iter().map(|group| group.len().saturating_add(1)).sum();
            name.len().saturating_add(HASH_LEN).saturating_add(groups).saturating_add(2)
        });
        // At its final size: a growing buffer would leave copies of hashes.
        let mut plain = Zeroizing::new(Vec::with_capacity(sizes.sum()));
        for (name, account) in &self.accounts {
            push_text(&mut plain, name);
            account.hash.with(|hash| plain.extend_from_slice(hash));
            plain.push(u8::try_from(account.groups.len()).unwrap_or(u8::MAX));
            for group in &account.groups {
                push_text(&mut plain, group);
            }
        }
        plain
    }
}

impl AccountSource for LocalAccounts {
    fn nt_hash(&self, claimed: &AccountName) -> Option<NtHash> {
        let principal = self.normalise(claimed).ok()?;
        self.account(&principal).map(|account| account.hash.with(|hash| NtHash::from_bytes(*hash)))
    }
}

impl IdentityProvider for LocalAccounts {
    fn normalise(&self, claimed: &AccountName) -> Result<PrincipalName, NameRefused> {
        self.names.normalise(&claimed.domain, &claimed.user)
    }

    fn groups(&self, principal: &PrincipalName) -> Option<Vec<String>> {
        let qualified = |group: &String| format!("{LOCAL_DOMAIN}\\{group}");
        self.account(principal).map(|account| account.groups.iter().map(qualified).collect())
    }

    fn confirms(&self, principal: &PrincipalName, password: &SecretText) -> bool {
        let given = NtHash::of_password(password);
        let nobody = NtHash::from_bytes([0; HASH_LEN]);
        let known = self.account(principal);
        let equal = given.ct_eq(known.map_or(&nobody, |account| &account.hash));
        equal && known.is_some()
    }
}

fn read_key(source: &KeySource) -> Result<Zeroizing<[u8; KEY_LEN]>, AccountsError> {
    let (path, access) = match source {
        KeySource::File(path) => (path.clone(), Access::OwnerOnly),
        KeySource::Credential(name) => {
            let directory = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or(AccountsError::NoCredentials)?;
            (PathBuf::from(directory).join(name), Access::SystemdCredential)
        }
    };
    Ok(private_file::read_key(&path, KeyPurpose::Accounts, access)?)
}

fn unsealed(error: Unsealed, path: &Path) -> AccountsError {
    match error {
        Unsealed::Foreign => AccountsError::Foreign { path: path.to_owned() },
        Unsealed::Refused => AccountsError::Refused { path: path.to_owned() },
        Unsealed::NoRandomness => AccountsError::NoRandomness,
    }
}

fn is_group_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b' ');
    (1..=MAX_GROUP_NAME).contains(&name.len()) && name.trim() == name && name.bytes().all(plain)
}

/// Names and groups are bounded far below 256 bytes.
fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(text.as_bytes());
}

/// Each account: name, hash, groups. Texts have their length before them, in one byte.
fn decode(mut bytes: &[u8]) -> Option<BTreeMap<String, Account>> {
    let mut accounts = BTreeMap::new();
    while !bytes.is_empty() {
        let name = take_text(&mut bytes)?;
        let (hash, rest) = bytes.split_first_chunk::<HASH_LEN>()?;
        let hash = NtHash::from_bytes(*hash);
        let (count, rest) = rest.split_first()?;
        bytes = rest;
        let groups = (0..*count).map(|_| take_text(&mut bytes)).collect::<Option<Vec<_>>>()?;
        // A name that could not have been added was not.
        let valid = PrincipalName::local(&name).is_ok_and(|principal| principal.name() == name);
        if !valid || accounts.len() >= MAX_ACCOUNTS || accounts.insert(name, Account { hash, groups }).is_some() {
            return None;
        }
    }
    Some(accounts)
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let (len, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*len))?;
    *bytes = rest;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    fn settings() -> (config::Accounts, TempDir) {
        let root = tempfile::tempdir().unwrap();
        let key = root.path().join("key");
        new_account_key(&key).unwrap();
        let file = root.path().join("accounts");
        let settings = config::Accounts { file, key: KeySource::File(key), local_names: vec!["gw01".to_owned()] };
        LocalAccounts::default().save(&settings).unwrap();
        (settings, root)
    }

    fn hash(password: &str) -> NtHash {
        NtHash::of_password(&SecretText::new(password.to_owned()))
    }

    fn name(domain: &str, user: &str) -> AccountName {
        AccountName { domain: domain.to_owned(), user: user.to_owned() }
    }

    fn with_alice() -> (config::Accounts, TempDir) {
        let (settings, root) = settings();
        let groups = ["operators".to_owned(), "Domain Admins".to_owned()];
        LocalAccounts::edit(&settings, |accounts| accounts.add("Alice", hash("secret"), &groups).map(drop)).unwrap();
        (settings, root)
    }

    #[test]
    fn an_account_is_found_by_every_way_to_write_it() {
        let (settings, _root) = with_alice();
        let accounts = LocalAccounts::load(&settings).unwrap();
        for claimed in [name("", "alice"), name("GATEWAY", "ALICE"), name(".", "alice"), name("", "alice@gw01")] {
            assert!(accounts.nt_hash(&claimed).unwrap().ct_eq(&hash("secret")), "{claimed:?}");
        }
        for claimed in [name("", "bob"), name("CORP", "alice"), name("", "alice@corp")] {
            assert!(accounts.nt_hash(&claimed).is_none(), "{claimed:?}");
        }
        let alice = accounts.normalise(&name("", "alice")).unwrap();
        assert_eq!(accounts.groups(&alice).unwrap(), ["GATEWAY\\operators", "GATEWAY\\Domain Admins"]);
    }

    #[test]
    fn only_the_password_of_the_account_confirms_it() {
        let (settings, _root) = with_alice();
        let accounts = LocalAccounts::load(&settings).unwrap();
        let password = |text: &str| SecretText::new(text.to_owned());
        let alice = PrincipalName::local("alice").unwrap();
        assert!(accounts.confirms(&alice, &password("secret")));
        assert!(!accounts.confirms(&alice, &password("Secret")));
        assert!(!accounts.confirms(&PrincipalName::local("bob").unwrap(), &password("secret")));
    }

    #[test]
    fn the_file_shows_neither_names_nor_hashes() {
        let (settings, _root) = with_alice();
        let bytes = std::fs::read(&settings.file).unwrap();
        assert!(!bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"alice")));
        hash("secret").with(|hash| assert!(!bytes.windows(HASH_LEN).any(|window| window == hash)));
    }

    #[test]
    fn files_that_others_can_read_are_refused() {
        let (settings, _root) = with_alice();
        let KeySource::File(key) = &settings.key else { panic!("a file") };
        for path in [key, &settings.file] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
            let refused = LocalAccounts::load(&settings);
            assert!(matches!(refused, Err(AccountsError::File(FileError::Open { .. }))), "{path:?}");
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
        }
        assert!(LocalAccounts::load(&settings).is_ok());
    }

    #[test]
    fn a_changed_file_or_another_key_is_refused() {
        let (settings, root) = with_alice();
        let other = root.path().join("other");
        new_account_key(&other).unwrap();
        let foreign = config::Accounts { key: KeySource::File(other), ..settings.clone() };
        assert!(matches!(LocalAccounts::load(&foreign), Err(AccountsError::Refused { .. })));
        let mut bytes = std::fs::read(&settings.file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&settings.file, bytes).unwrap();
        assert!(matches!(LocalAccounts::load(&settings), Err(AccountsError::Refused { .. })));
    }

    #[test]
    fn accounts_are_added_once_and_removed() {
        let (settings, _root) = with_alice();
        let again = LocalAccounts::edit(&settings, |accounts| accounts.add("ALICE", hash("x"), &[]).map(drop));
        assert!(matches!(again, Err(AccountsError::Exists)));
        LocalAccounts::edit(&settings, |accounts| accounts.remove("aLice").map(drop)).unwrap();
        assert_eq!(LocalAccounts::load(&settings).unwrap().iter().count(), 0);
        let gone = LocalAccounts::edit(&settings, |accounts| accounts.remove("alice").map(drop));
        assert!(matches!(gone, Err(AccountsError::Unknown)));
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let (settings, _root) = with_alice();
        let before = std::fs::read(&settings.file).unwrap();
        let failed = LocalAccounts::edit(&settings, |accounts| {
            accounts.remove("alice")?;
            accounts.add("a b", hash("x"), &[]).map(drop)
        });
        assert!(matches!(failed, Err(AccountsError::Name(NameRefused::Character))));
        assert_eq!(std::fs::read(&settings.file).unwrap(), before);
    }

    #[test]
    fn an_account_and_a_group_never_have_one_name() {
        let mut accounts = LocalAccounts::default();
        let group = |name: &str| [name.to_owned()];
        accounts.add("alice", hash("x"), &group("Operators")).unwrap();
        for (name, groups) in
            [("operators", vec![]), ("bob", vec!["Alice".to_owned()]), ("bob", vec!["BOB".to_owned()])]
        {
            assert!(matches!(accounts.add(name, hash("x"), &groups), Err(AccountsError::Ambiguous)), "{name}");
        }
        accounts.add("bob", hash("x"), &group("operators")).unwrap();
    }

    #[test]
    fn groups_are_bounded() {
        let mut accounts = LocalAccounts::default();
        for groups in [vec![String::new()], vec!["a,b".to_owned()], vec![" a".to_owned()], vec!["a".to_owned(); 65]] {
            assert!(matches!(accounts.add("x", hash("x"), &groups), Err(AccountsError::Groups)), "{groups:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_refused_and_never_panics() {
        let mut accounts = LocalAccounts::default();
        accounts.add("alice", hash("x"), &["g".to_owned()]).unwrap();
        let plain = accounts.encode();
        assert!(decode(&plain).is_some());
        for len in 1..plain.len() {
            assert!(decode(&plain[..len]).is_none(), "{len}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let mut accounts = LocalAccounts::default();
        accounts.add("alice", hash("x"), &[]).unwrap();
        assert!(!format!("{accounts:?}").contains("hash"));
    }
}

//! `account add`, `account list` and `account remove`.

use std::path::Path;

use sekisho_protocol::auth::NtHash;

use super::password::new_password;
use super::{CommandError, Console, Status};
use crate::config::Config;
use crate::identity::{LOCAL_DOMAIN, LocalAccounts, PrincipalName};

pub(super) fn add(
    config: &Path,
    (name, groups): (&str, &[String]),
    stdin: bool,
    console: &mut Console<'_>,
) -> Result<Status, CommandError> {
    let settings = Config::load(config)?.accounts;
    // Before a password is asked for in vain.
    let principal = PrincipalName::local(name).map_err(crate::identity::AccountsError::from)?;
    let password = new_password(console.passwords, stdin, &principal.to_string())?;
    let hash = NtHash::of_password(&password);
    LocalAccounts::edit(&settings, |accounts| accounts.add(name, hash, groups).map(drop))?;
    writeln!(console.out, "{principal} was added; a running gateway takes it when it reloads (SIGHUP)")?;
    Ok(Status::Fine)
}

pub(super) fn list(config: &Path, console: &mut Console<'_>) -> Result<Status, CommandError> {
    let accounts = LocalAccounts::load(&Config::load(config)?.accounts)?;
    for (name, account) in accounts.iter() {
        writeln!(console.out, "{LOCAL_DOMAIN}\\{name}\t{}", account.groups().join(","))?;
    }
    Ok(Status::Fine)
}

pub(super) fn remove(config: &Path, name: &str, console: &mut Console<'_>) -> Result<Status, CommandError> {
    let settings = Config::load(config)?.accounts;
    LocalAccounts::edit(&settings, |accounts| accounts.remove(name).map(drop))?;
    writeln!(
        console.out,
        "{LOCAL_DOMAIN}\\{} was removed; a running gateway takes it when it reloads (SIGHUP)",
        name.to_ascii_lowercase()
    )?;
    Ok(Status::Fine)
}

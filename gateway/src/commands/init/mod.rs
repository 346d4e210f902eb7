//! `init`: a first installation that `serve` starts from at once.

use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use sekisho_protocol::auth::NtHash;
use sekisho_protocol::secret::SecretText;
use time::OffsetDateTime;

use super::certificates::{self, Certificates};
use super::password::new_password;
use super::{CommandError, Console, Status};
use crate::audit::public_key_text;
use crate::cli::InitArguments;
use crate::config::{Accounts, KeySource};
use crate::identity::{LocalAccounts, PrincipalName, new_account_key};
use crate::private_file::{KeyPurpose, beside, create, io_error, key_text, new_key, sync_directory_of};

const PRIVATE_DIRECTORY: u32 = 0o700;
/// In one certificate.
const MAX_NAMES: usize = 64;

/// What to install.
#[derive(Debug, Clone)]
pub struct Installation<'a> {
    pub directory: &'a Path,
    /// Host names and addresses of the certificate.
    pub names: &'a [String],
    pub listen: SocketAddr,
    pub account: &'a str,
    pub groups: &'a [String],
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub config: PathBuf,
    /// The first public key of the audit log.
    pub first_key: String,
}

pub(super) fn run(
    arguments: &InitArguments,
    now: OffsetDateTime,
    console: &mut Console<'_>,
) -> Result<Status, CommandError> {
    let names = names(&arguments.names)?;
    let principal = PrincipalName::local(&arguments.account).map_err(crate::identity::AccountsError::from)?;
    refuse_contents(&arguments.directory)?;
    let password = new_password(console.passwords, arguments.password_stdin, &principal.to_string())?;
    let installation = Installation {
        directory: &arguments.directory,
        names: &names,
        listen: arguments.listen,
        account: &arguments.account,
        groups: &arguments.groups,
    };
    let installed = install(&installation, &password, now)?;
    report(&arguments.directory, &installed, &principal, console)?;
    Ok(Status::Fine)
}

/// Makes everything in a folder beside, and puts it in place when it is whole.
///
/// # Errors
/// When the folder has something in it already, or something cannot be made; then nothing is left behind.
pub fn install(
    installation: &Installation<'_>,
    password: &SecretText,
    now: OffsetDateTime,
) -> Result<Installed, CommandError> {
    let directory = installation.directory;
    refuse_contents(directory)?;
    let unfinished = beside(directory, ".unfinished");
    make_directory(&unfinished)?;
    let made = fill(&unfinished, installation, password, now).and_then(|first_key| {
        let moved = std::fs::rename(&unfinished, directory).and_then(|()| sync_directory_of(directory));
        moved.map_err(|error| io_error(directory, error))?;
        Ok(first_key)
    });
    match made {
        Ok(first_key) => Ok(Installed { config: directory.join("gateway.toml"), first_key }),
        Err(error) => {
            // The error says what matters; what was made is of no use.
            let _unremoved = std::fs::remove_dir_all(&unfinished);
            Err(error)
        }
    }
}

fn fill(
    directory: &Path,
    installation: &Installation<'_>,
    password: &SecretText,
    now: OffsetDateTime,
) -> Result<String, CommandError> {
    for folder in ["tls", "keys", "policy", "audit"] {
        make_directory(&directory.join(folder))?;
    }
    tls(&directory.join("tls"), &certificates::make(installation.names, now)?)?;
    let keys = directory.join("keys");
    let signing = new_key()?;
    create(&keys.join("audit-signing.key"), key_text(KeyPurpose::AuditSigning, &signing).as_bytes())?;
    create(&keys.join("audit-digest.key"), key_text(KeyPurpose::AuditDigest, &*new_key()?).as_bytes())?;
    new_account_key(&keys.join("accounts.key"))?;
    let settings = Accounts {
        file: directory.join("accounts"),
        key: KeySource::File(keys.join("accounts.key")),
        local_names: Vec::new(),
    };
    let mut accounts = LocalAccounts::default();
    accounts.add(installation.account, NtHash::of_password(password), installation.groups)?;
    accounts.save(&settings)?;
    let group = installation.groups.first().map_or("operators", String::as_str);
    create(&directory.join("policy").join("policy.toml"), policy(group).as_bytes())?;
    create(&directory.join("gateway.toml"), configuration(installation).as_bytes())?;
    let first_key = public_key_text(&SigningKey::from_bytes(&signing).verifying_key());
    create(&directory.join("audit-first-key.pub"), format!("{first_key}\n").as_bytes())?;
    Ok(first_key)
}

fn tls(directory: &Path, made: &Certificates) -> Result<(), CommandError> {
    let files = [
        ("ca.pem", made.ca.as_str()),
        ("ca.key", &made.ca_key),
        ("server.pem", &made.server),
        ("server.key", &made.server_key),
        ("credssp.pem", &made.credssp),
        ("credssp.key", &made.credssp_key),
    ];
    for (name, text) in files {
        create(&directory.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// The machine's own name, what was asked for, and loopback.
fn names(asked: &[String]) -> Result<Vec<String>, CommandError> {
    let uname = rustix::system::uname();
    let own = uname.nodename().to_str().ok().filter(|name| is_host(name)).map(str::to_ascii_lowercase);
    let mut names: Vec<String> = Vec::new();
    for name in asked {
        if !is_host(name) {
            return Err(CommandError::HostName(name.clone()));
        }
        names.push(name.to_ascii_lowercase());
    }
    names.extend(own);
    names.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    match unique.get(MAX_NAMES) {
        Some(one_too_many) => Err(CommandError::HostName(one_too_many.clone())),
        None => Ok(unique),
    }
}

fn is_host(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok()
        || (name.len() <= 253
            && name.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            }))
}

fn refuse_contents(directory: &Path) -> Result<(), CommandError> {
    match std::fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CommandError::NotEmpty(directory.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(directory, error).into()),
    }
}

fn make_directory(path: &Path) -> Result<(), CommandError> {
    DirBuilder::new().mode(PRIVATE_DIRECTORY).create(path).map_err(|error| io_error(path, error).into())
}

fn configuration(installation: &Installation<'_>) -> String {
    format!(include_str!("gateway.toml.in"), listen = installation.listen)
}

fn policy(group: &str) -> String {
    format!(include_str!("policy.toml.in"), group = group)
}

fn report(
    directory: &Path,
    installed: &Installed,
    principal: &PrincipalName,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let (config, first_key, directory) = (installed.config.display(), &installed.first_key, directory.display());
    writeln!(
        console.out,
        "Installed in {directory}, with the account {principal}.

The first public key of the audit log:

    {first_key}

Keep it where whoever owns this machine cannot change it: with it anyone can verify the log.

Next:
  1. Name your targets in {config}.
  2. Write who may run what in {directory}/policy/policy.toml: as it is, everything is denied.
  3. sekisho-gateway check --config {config}
  4. sekisho-gateway serve --config {config}
  5. Have your clients trust {directory}/tls/ca.pem, and move {directory}/tls/ca.key off this machine.
  6. Move {directory}/keys/accounts.key to where backups of the accounts do not go.

To verify the log:
  sekisho-gateway audit verify {directory}/audit --key {first_key}"
    )?;
    Ok(())
}

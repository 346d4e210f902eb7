//! Everything that the demo runs: a gateway as `init` installs it, and three targets.

use super::certificates::{self, Issued};
use super::error::DemoError;
use super::folder::Folder;
use super::targets::{Running, Setup};
use crate::audit::StopReason;
use crate::commands::{Installation, Installed, install};
use crate::config::Config;
use crate::identity::LocalAccounts;
use crate::private_file::{self, FileError};
use crate::serve::Server;
use ring::rand::{SecureRandom, SystemRandom};
use sekisho_protocol::auth::NtHash;
use sekisho_protocol::secret::SecretText;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// The account of the story.
pub(super) const USER: &str = "demo";
/// An account of its own for the step about rates, so that it has all of its rate.
pub(super) const HASTY: &str = "hasty";
/// The targets, as clients name them.
pub(super) const TARGETS: [&str; 3] = ["web01", "web02", "db01"];
/// Commands that a user of the story has at once. The story's own stay below.
pub(super) const BURST: usize = 15;

/// Beside the gateway's folder, so that the lines to paste are short.
const CA: &str = "ca.pem";
const PASSWORD: &str = "password";
/// Seconds that a job of the story may take: less than the minute in which a command is refilled.
pub(super) const PATIENCE: u32 = 20;

const GROUP: &str = "operators";
/// What users may do with programs, and with PowerShell's commands.
const POLICY: &str = concat!(include_str!("policy.toml"), include_str!("commands.toml"));
/// Letters and digits that no shell and no reader takes for others; 32 of them, so that each is as likely.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const PASSWORD_LENGTH: usize = 20;

/// How much the users may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// What holds without any setting.
    Usual,
    /// So little that a limit is reached.
    Slow,
}

/// A gateway and its targets.
#[derive(Debug)]
pub(super) struct Site {
    /// Where clients reach the gateway.
    pub(super) gateway: SocketAddr,
    /// The password of both accounts, on the targets too.
    pub(super) password: SecretText,
    pub(super) installed: Installed,
    directory: PathBuf,
    server: Option<Server>,
    stopping: Option<JoinHandle<()>>,
    targets: Vec<Running>,
}

impl Site {
    /// Installs everything in a folder, and starts it on free ports of 127.0.0.1.
    pub(super) async fn start(folder: &Folder, pace: Pace) -> Result<Self, DemoError> {
        Self::start_with(folder, pace, POLICY, &|_targets| String::new()).await
    }

    /// The same with another policy, and more in the configuration.
    pub(super) async fn start_with(
        folder: &Folder,
        pace: Pace,
        policy: &str,
        more: &(dyn Fn(&[Running]) -> String + Sync),
    ) -> Result<Self, DemoError> {
        let now = OffsetDateTime::now_utc();
        let directory = folder.path().join("gateway");
        let password = new_password()?;
        let names = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
        let groups = [GROUP.to_owned()];
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let installation =
            Installation { directory: &directory, names: &names, listen, account: USER, groups: &groups };
        let installed = install(&installation, &password, now)?;
        let (ca, issued) = certificates::issue(&TARGETS, now)?;
        private_file::create(&directory.join("tls/targets-ca.pem"), ca.as_bytes())?;
        let targets = start_targets(issued, &password, folder).await?;
        private_file::replace(&directory.join("policy/policy.toml"), policy.as_bytes())?;
        private_file::replace(&installed.config, (configuration(pace, &targets) + &more(&targets)).as_bytes())?;
        std::fs::copy(directory.join("tls/ca.pem"), folder.path().join(CA))?;
        password.with(|text| private_file::create(&folder.path().join(PASSWORD), text.as_bytes()))?;
        let config = Config::load(&installed.config)?;
        let hash = NtHash::of_password(&password);
        LocalAccounts::edit(&config.accounts, |accounts| accounts.add(HASTY, hash, &groups).map(drop))?;
        let server = Server::start(config).await?;
        let gateway = server.addresses.first().copied().ok_or_else(no_address)?;
        let (server, stopping) = (Some(server), None);
        Ok(Self { gateway, password, installed, directory, server, stopping, targets })
    }

    /// What clients verify the gateway by.
    pub(super) fn ca(&self) -> PathBuf {
        self.directory.with_file_name(CA)
    }

    /// Where the password stands, for clients that read it from a file.
    pub(super) fn password_file(&self) -> PathBuf {
        self.directory.with_file_name(PASSWORD)
    }

    /// The log.
    pub(super) fn audit(&self) -> PathBuf {
        self.directory.join("audit")
    }

    /// The copies of the signed heads.
    pub(super) fn heads(&self) -> PathBuf {
        self.directory.join("heads")
    }

    /// The gateway, while it runs, and its targets in the order of their names in [`TARGETS`].
    #[cfg(test)]
    pub(super) fn parts(&self) -> (Option<&Server>, &[Running]) {
        (self.server.as_ref(), &self.targets)
    }

    /// Stops the gateway. Whoever gives up waiting leaves the rest to [`Site::stop`].
    pub(super) async fn stop_gateway(&mut self) {
        if let Some(server) = self.server.take() {
            self.stopping = Some(tokio::spawn(server.stop(StopReason::Signal)));
        }
        if let Some(stopping) = &mut self.stopping {
            // It has no result; when it panicked there is nothing left to stop.
            let _ended = stopping.await;
            self.stopping = None;
        }
    }

    /// Stops everything.
    pub(super) async fn stop(mut self) {
        self.stop_gateway().await;
        for target in self.targets {
            target.stop().await;
        }
    }
}

fn no_address() -> std::io::Error {
    std::io::ErrorKind::AddrNotAvailable.into()
}

async fn start_targets(issued: Vec<Issued>, password: &SecretText, folder: &Folder) -> Result<Vec<Running>, DemoError> {
    let mut targets = Vec::new();
    for (name, Issued { certificate, key }) in TARGETS.into_iter().zip(issued) {
        let accounts = [USER, HASTY].map(|user| (user.to_owned(), NtHash::of_password(password))).into();
        let folder = files(folder, name)?;
        targets.push(Running::start(Setup { name: name.to_owned(), certificate, key, accounts, folder }).await?);
    }
    Ok(targets)
}

/// The folder of one target, with something to find.
fn files(folder: &Folder, name: &str) -> Result<PathBuf, DemoError> {
    let own = folder.path().join(name);
    std::fs::create_dir(&own)?;
    std::fs::write(own.join("welcome.txt"), format!("This is {name} of Sekisho's demo.\nIts files are few.\n"))?;
    Ok(own)
}

fn configuration(pace: Pace, targets: &[Running]) -> String {
    let mut text = include_str!("gateway.toml").to_owned();
    if pace == Pace::Slow {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            text,
            "\n[limits.rates.commands_per_principal]\nper_minute = 1\nburst = {BURST}\n\n\
             [jobs]\ndeadline = \"{PATIENCE}s\"\n"
        );
    }
    for (name, target) in TARGETS.into_iter().zip(targets) {
        let _ = write!(
            text,
            "\n[targets.{name}]\naddress = \"{}\"\nport = {}\nserver_name = \"{name}\"\nspn = \"HTTP/{name}\"\n\
             ca = \"tls/targets-ca.pem\"\naccount_domain = \"{name}\"\ntags = [\"{}\"]\n",
            target.address.ip(),
            target.address.port(),
            name.trim_end_matches(|character: char| character.is_ascii_digit()),
        );
    }
    text
}

fn new_password() -> Result<SecretText, FileError> {
    let mut random = Zeroizing::new([0_u8; PASSWORD_LENGTH]);
    SystemRandom::new().fill(random.as_mut()).map_err(|_| FileError::Random)?;
    let mut text = String::with_capacity(PASSWORD_LENGTH);
    let letter = |byte: &u8| PASSWORD_LETTERS.get(usize::from(byte % 32)).map_or('a', |letter| char::from(*letter));
    text.extend(random.iter().map(letter));
    Ok(SecretText::new(text))
}

/// Copies a folder of files, for a step that changes what it copied.
pub(super) fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_fresh_and_plain() {
        let (one, other) = (new_password().unwrap(), new_password().unwrap());
        assert!(!one.ct_eq(&other));
        one.with(|text| {
            assert_eq!(text.len(), PASSWORD_LENGTH);
            assert!(text.bytes().all(|byte| PASSWORD_LETTERS.contains(&byte)));
        });
    }

    #[test]
    fn the_policy_and_its_targets_fit() {
        let sources = [sekisho_policy::Source { name: "policy.toml", text: POLICY }];
        let compiled = sekisho_policy::Policy::compile(&sources).unwrap();
        assert_eq!(compiled.warnings.len(), 0, "{:?}", compiled.warnings);
        for path in super::super::targets::paths() {
            assert!(POLICY.contains(path), "{path}");
        }
    }
}

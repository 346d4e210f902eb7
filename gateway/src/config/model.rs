//! The validated configuration. Everything in it is in range and makes sense together; relative paths have been
//! resolved against the folder of the file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::names::{GroupName, TargetName};
use super::recording::RecordingSettings;
use super::warning::Warning;
use sekisho_policy::Edition;

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    pub listeners: Vec<Listener>,
    pub credssp: InnerCertificate,
    pub limits: Limits,
    pub sessions: Sessions,
    pub targets: TargetTable,
    pub accounts: Accounts,
    pub policy: PathBuf,
    pub audit: AuditSettings,
    pub recording: RecordingSettings,
    pub admin: Admin,
    pub routing: Routing,
    pub jobs: Jobs,
    pub log: Log,
    /// One for each `dangerous_` key that is in force.
    pub warnings: Vec<Warning>,
}

/// An address on which clients log in.
#[derive(Debug, Clone)]
pub struct Listener {
    pub address: SocketAddr,
    pub transport: ListenerTransport,
    /// The names by which clients know this listener, lower case; empty: any.
    pub server_names: Vec<String>,
}

/// What is below HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerTransport {
    Tls {
        certificate: PathBuf,
        key: PathBuf,
        bodies: BodyRule,
    },
    /// No TLS, so bodies must be sealed.
    PlainHttp,
}

impl ListenerTransport {
    /// Which bodies are accepted.
    #[must_use]
    pub fn bodies(&self) -> BodyRule {
        match self {
            Self::Tls { bodies, .. } => *bodies,
            Self::PlainHttp => BodyRule::SealedOnly,
        }
    }
}

/// Which request bodies a listener accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    SealedOnly,
    SealedOrProtectedByTls,
}

/// The certificate of the TLS inside CredSSP. RSA: stock clients crash on ECDSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerCertificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Bounds that protect the gateway.
#[derive(Debug, Clone)]
pub struct Limits {
    pub connections: usize,
    pub connections_per_address: usize,
    pub handshakes: usize,
    pub handshakes_per_address: usize,
    /// Requests of one connection before its login is complete.
    pub login_legs: u32,
    /// Bytes of one connection before its login is complete, headers included.
    pub login_bytes: usize,
    /// From accept to the end of the login.
    pub login_time: Duration,
    /// Without a request in progress.
    pub idle_connection: Duration,
    /// One request body, sealed.
    pub body_bytes: usize,
    pub rates: Rates,
    pub lockout: Lockout,
    pub shells_per_principal: usize,
    pub shells_per_target: usize,
    /// Commands that run at the same time in one shell.
    pub commands_per_shell: usize,
}

/// Requests over time.
#[derive(Debug, Clone)]
pub struct Rates {
    /// Logins begun from one address.
    pub logins_per_address: Rate,
    /// Commands of one principal.
    pub commands_per_principal: Rate,
    /// Commands on one target.
    pub commands_per_target: Rate,
    /// Commands in total.
    pub commands: Rate,
}

/// So many in a minute, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: NonZeroU32,
    pub burst: NonZeroU32,
}

/// What follows failed logins of one account from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// Failures that are free.
    pub failures: u32,
    /// The first lock; each further failure doubles it.
    pub first: Duration,
    pub longest: Duration,
    /// The most that failures from everywhere slow one account down.
    pub account_delay: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// Without a request: the session and its credential end.
    pub idle: Duration,
    /// However busy.
    pub lifetime: Duration,
    /// The longest that one Receive may wait.
    pub maximum_operation_timeout: Duration,
    /// How long commands that run may go on after the signal to stop.
    pub drain: Duration,
}

/// The closed table of targets, and their groups.
///
/// INVARIANT(targets-are-a-closed-table): a name from a peer is only a key here; nothing else resolves it.
#[derive(Debug, Clone, Default)]
pub struct TargetTable {
    pub(super) targets: BTreeMap<TargetName, Target>,
    pub(super) groups: BTreeMap<GroupName, Vec<TargetName>>,
}

impl TargetTable {
    /// The target that a peer named, if the table has it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Target> {
        self.targets.get(&TargetName::parse(name).ok()?)
    }

    /// The members of a group that a peer named.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&[TargetName]> {
        self.groups.get(&GroupName::parse(name).ok()?).map(Vec::as_slice)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.targets.values()
    }

    pub fn groups(&self) -> impl Iterator<Item = (&GroupName, &[TargetName])> {
        self.groups.iter().map(|(name, members)| (name, members.as_slice()))
    }

    /// The groups that a target is in.
    pub fn groups_of(&self, target: &TargetName) -> Vec<&GroupName> {
        self.groups.iter().filter(|(_, members)| members.contains(target)).map(|(name, _)| name).collect()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

/// One machine that the gateway can reach.
#[derive(Debug, Clone)]
pub struct Target {
    pub name: TargetName,
    /// Host name or address to connect to.
    pub host: String,
    pub port: u16,
    pub transport: TargetTransport,
    pub authentication: TargetAuthentication,
    pub tags: Vec<String>,
    /// Instead of the one that the client asks for.
    pub code_page: Option<u16>,
    /// The domain of the account used on this target; absent: the one that the user typed.
    pub account_domain: Option<String>,
    /// The service name put into the login, such as `HTTP/web01.example.com`.
    pub spn: String,
    pub connect_timeout: Duration,
    /// Without a byte from the target, beyond what an operation timeout allows.
    pub read_timeout: Duration,
    pub quotas: TargetQuotas,
    /// The PowerShell behind its default endpoint: what its commands are judged by.
    pub edition: Edition,
    pub endpoint: Endpoint,
    /// The session configurations that clients may choose; jobs use the first. Never empty.
    pub configurations: Vec<String>,
}

impl Target {
    /// The session configuration of this name, as the target's table writes it: case does not matter.
    #[must_use]
    pub fn configuration(&self, name: &str) -> Option<&str> {
        self.configurations.iter().map(String::as_str).find(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether both lead to the same machine in the same way, whatever else is said of it.
    #[must_use]
    pub fn is_same_machine(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.transport, self.authentication, &self.account_domain, &self.spn)
            == (&other.host, other.port, &other.transport, other.authentication, &other.account_domain, &other.spn)
    }
}

/// What kind of PowerShell endpoint a target has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// One that hides `Module\Name`, as JEA's do: names go out bare.
    #[default]
    Restricted,
    /// One that knows every command: names go out with their module, so that no function of a session shadows them.
    Full,
}

/// How the target is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetTransport {
    Https { trust: Trust, server_name: String },
    PlainHttp,
}

/// What makes a target's certificate the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    SystemRoots,
    Ca(PathBuf),
    /// SHA-256 of the certificate's DER.
    Pin([u8; 32]),
    Unverified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetAuthentication {
    /// SPNEGO with sealed bodies: the target never sees the password.
    Negotiate,
    /// Delegates the password once more, to this target.
    CredSsp,
}

/// What the target itself allows; the gateway stays inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetQuotas {
    /// Shells of one account (`MaxShellsPerUser`).
    pub shells_per_account: usize,
    /// Distinct accounts at the same time (`MaxConcurrentUsers`).
    pub accounts: usize,
    /// Connections from the gateway.
    pub connections: usize,
}

/// Where local accounts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    pub file: PathBuf,
    pub key: KeySource,
    /// Further domain names and UPN suffixes that mean this gateway, such as its DNS name; lower case.
    pub local_names: Vec<String>,
}

/// Where a key of 32 bytes is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A name below `$CREDENTIALS_DIRECTORY`, which systemd fills.
    Credential(String),
    File(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    pub directory: PathBuf,
    pub durability: Durability,
    pub on_failure: OnFailure,
    pub rotation: Rotation,
    pub signing: Signing,
    pub heads: HeadCopies,
    pub denied_text: DeniedText,
    /// The key of the digests that stand for secret arguments.
    pub digest_key: PathBuf,
}

/// When an audit line counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Handed to the operating system: survives the gateway's crash.
    Write,
    /// On the disk: survives the machine's crash.
    Fsync,
}

/// What happens to a command whose audit line cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    Deny,
    Degrade,
}

/// When a new file is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub bytes: u64,
    pub age: Duration,
}

/// How often the head is signed, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    pub key: PathBuf,
    pub lines: u64,
    pub interval: Duration,
}

/// Where signed heads go besides the chain itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadCopies {
    pub file: Option<PathBuf>,
    /// The datagram socket of a syslog daemon.
    pub syslog: Option<PathBuf>,
}

/// What is kept of a command that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedText {
    Digest,
    Text,
}

/// Health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// `None`: no listener.
    pub address: Option<SocketAddr>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// `<target>.<suffix>` as Host names a target; lower case, without a leading dot.
    pub host_suffix: Option<String>,
}

/// Bounds of the job API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jobs {
    pub targets: usize,
    pub throttle: usize,
    pub jobs_per_principal: usize,
    pub deadline: Duration,
    /// Output kept for one target while the client does not read.
    pub buffer_bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A filter of `tracing`, such as `info` or `sekisho_gateway=debug`.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

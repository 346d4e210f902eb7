//! What can go wrong, in the user's words, and the exit status that goes with it.

use crate::ExitStatus;
use sekisho_protocol::job::{JobMistake, Problem, ProblemClass};
use std::io;
use std::path::PathBuf;

/// What went wrong. Nothing that a peer wrote is part of the text; a gateway's own words are in [`Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Arguments or configuration.
    #[error("{0}")]
    Usage(#[from] UsageMistake),
    /// A job that breaks a rule of the job API.
    #[error("{0}")]
    Job(#[from] JobMistake),
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A configuration file with a mistake: the text names line and column.
    #[error("{path}: {message}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, from the parser of the user's own file.
        message: String,
    },
    /// No password to log in with.
    #[error("{0}")]
    Password(#[from] PasswordMistake),
    /// No connection.
    #[error("cannot reach the gateway: {0}; check its name, its port, and that it is running")]
    Unreachable(io::Error),
    /// No connection in time.
    #[error("cannot reach the gateway: no answer in time; check its name, its port, and the way to it")]
    ConnectTimeout,
    /// A certificate that does not verify.
    #[error("the gateway's certificate does not verify: {0}")]
    Certificate(#[from] CertificateFault),
    /// TLS failed otherwise.
    #[error("no tls connection to the gateway: its port may speak plain http or another protocol")]
    Tls,
    /// Wrong password or unknown account.
    #[error("login failed: the gateway did not accept user and password")]
    LoginRefused,
    /// The peer of the login is not the one whose certificate we saw.
    #[error("login failed: the gateway could not prove that it holds its key; somebody may stand between")]
    LoginBinding,
    /// The login took too long.
    #[error("login failed: no answer in time")]
    LoginTimeout,
    /// The gateway refused before it worked on anything.
    #[error("{0}")]
    Refused(Refusal),
    /// The connection ended before the job was sent.
    #[error("the gateway closed the connection before the job was sent")]
    Closed,
    /// The connection ended after the job was sent.
    #[error("the connection to the gateway broke after the job was sent")]
    Lost,
    /// No line and no heartbeat in time.
    #[error("the gateway has not been heard of for too long")]
    Silent,
    /// The gateway broke a rule.
    #[error("the gateway's answer breaks the protocol: {0}")]
    Misbehaved(#[from] GatewayFault),
    /// The results could not be written.
    #[error("cannot write the results: {0}")]
    Output(#[source] io::Error),
}

/// A refusal by the gateway, before anything ran.
#[derive(Debug, thiserror::Error)]
#[error("the gateway refused the request: {}", reason(*class))]
pub struct Refusal {
    /// What kind of refusal.
    pub class: ProblemClass,
    /// The gateway's own words and the id to ask for, if it sent any: to be printed harmlessly.
    pub problem: Option<Box<Problem>>,
    /// When a repetition makes sense.
    pub retry_after_seconds: Option<u32>,
}

fn reason(class: ProblemClass) -> &'static str {
    match class {
        ProblemClass::InvalidRequest => "it is not valid there",
        ProblemClass::Denied => "policy does not allow it",
        ProblemClass::Limited => "too much at a time; try again later",
        ProblemClass::Unavailable => "it cannot work now; try again later",
    }
}

/// Mistakes in arguments and configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageMistake {
    /// No gateway named.
    #[error("name the gateway: --gateway https://HOST, or `gateway` in the configuration file")]
    NoGateway,
    /// No user named.
    #[error("name the user: --user 'DOMAIN\\name', or `user` in the configuration file")]
    NoUser,
    /// Not a URL that we can use.
    #[error("the gateway's address has the form https://HOST or https://HOST:PORT, and nothing after it")]
    GatewayUrl,
    /// Something other than HTTPS.
    #[error("the gateway's address begins with https://; nothing else is spoken, since the password depends on it")]
    NotHttps,
    /// User or password in the URL.
    #[error("the gateway's address contains no user and never a password; use --user")]
    UserInUrl,
    /// Not a fingerprint.
    #[error("the pin is the SHA-256 of the gateway's certificate: 64 hexadecimal digits, colons allowed")]
    Pin,
    /// Both in one configuration file.
    #[error("give `ca` or `pin` in the configuration file, not both")]
    CaAndPin,
    /// A CA file without a certificate.
    #[error("the CA file holds no certificate in PEM form")]
    EmptyCa,
    /// A CA file that does not parse.
    #[error("the CA file is not valid PEM, or holds a certificate that is not valid")]
    BadCa,
    /// No roots of the system.
    #[error("this system has no roots of its own: give the gateway's CA by --ca or its fingerprint by --pin")]
    NoRoots,
    /// A mistake in the file of targets.
    #[error("line {line} of the targets file: {mistake}")]
    TargetsFile {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        mistake: JobMistake,
    },
    /// A file of targets that is no text.
    #[error("the targets file is not UTF-8")]
    TargetsText,
    /// A file that is too large to be what it should be.
    #[error("the file is larger than it can be for its purpose; is it the right one?")]
    FileSize,
    /// A script that is no text.
    #[error("the script is neither UTF-8 nor UTF-16 with a mark: save it as UTF-8")]
    ScriptText,
    /// Not of the form `NAME=VALUE`.
    #[error("--arg takes NAME=VALUE, where NAME is one of the script's param(…)")]
    ScriptArgument,
    /// `--arg` without `--script`.
    #[error("--arg goes with --script: write the arguments of a command after it")]
    ArgumentsWithoutScript,
    /// Neither a command nor a script.
    #[error("give a command after --, or a script by --script FILE")]
    CommandOrScript,
    /// Two things from standard input.
    #[error("standard input cannot hold both the script and the password: give one of them in a file")]
    StdinTwice,
}

/// Why there is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordMistake {
    /// No terminal to ask on.
    #[error("no terminal to ask for the password on; use --password-stdin or --password-file")]
    NoTerminal,
    /// The user gave up.
    #[error("no password entered")]
    GivenUp,
    /// Standard input would show it.
    #[error("standard input is a terminal and would show the password; leave out --password-stdin to be asked for it")]
    StdinIsTerminal,
    /// Nothing there.
    #[error("the password is empty")]
    Empty,
    /// Too long.
    #[error("the password is longer than {} bytes; is it the right file?", crate::secrets::PASSWORD_BYTES)]
    TooLong,
    /// Not text.
    #[error("the password is not UTF-8")]
    NotText,
    /// A file that others can read.
    #[error("others can read the password file; take that right away first (chmod 600)")]
    Exposed,
    /// A system where that cannot be told.
    #[error("on this system it cannot be checked who can read a password file; use the prompt or --password-stdin")]
    CannotCheck,
}

/// Why a certificate does not verify, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// No chain to a root.
    #[error("it is issued by nobody who is trusted here; give the gateway's CA by --ca or its fingerprint by --pin")]
    UnknownIssuer,
    /// Another name.
    #[error("it is for another name; use the name that stands in the certificate")]
    WrongName,
    /// Outside its time.
    #[error("it has expired or is not valid yet; check the clock here and the certificate there")]
    Expired,
    /// Not the pinned one.
    #[error("its fingerprint is not the pinned one; if the certificate was renewed, compare and set the new pin")]
    PinMismatch,
    /// Anything else.
    #[error("it is not usable for this")]
    Other,
}

/// A rule that the gateway broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// HTTP itself.
    #[error("not http/1.1, or headers without end")]
    Http,
    /// A status that has no meaning here.
    #[error("unexpected http status")]
    Status,
    /// A login without end, or out of order.
    #[error("the login does not follow CredSSP")]
    Login,
    /// A body that is not sealed or does not open.
    #[error("a body is not sealed, or its seal is broken")]
    Seal,
    /// More bytes than such an answer may have.
    #[error("a body or line is too large")]
    Size,
    /// A line that does not decode.
    #[error("a line or document that is not part of the job API")]
    Document,
    /// Not `accepted` first, or twice, or something after `done`.
    #[error("a line out of order")]
    Order,
    /// Targets other than those asked for.
    #[error("the accepted targets are not those asked for")]
    OtherTargets,
    /// A target that is not part of the job.
    #[error("a line on a target that is not part of the job")]
    UnknownTarget,
    /// A second outcome, or output after it.
    #[error("a line on a target that already has its outcome")]
    AfterOutcome,
    /// `done` before every target has its outcome, or with other numbers.
    #[error("the summary does not agree with the lines before it")]
    Summary,
}

impl AgentError {
    /// The exit status for this error.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) | Self::Job(_) | Self::File { .. } | Self::Config { .. } | Self::Password(_) => {
                ExitStatus::Usage
            }
            Self::Unreachable(_) | Self::ConnectTimeout | Self::Certificate(_) | Self::Tls | Self::Closed => {
                ExitStatus::Unreachable
            }
            Self::LoginRefused | Self::LoginBinding | Self::LoginTimeout => ExitStatus::LoginFailed,
            Self::Refused(refusal) => match refusal.class {
                ProblemClass::InvalidRequest => ExitStatus::Usage,
                ProblemClass::Denied => ExitStatus::Denied,
                ProblemClass::Limited | ProblemClass::Unavailable => ExitStatus::TryLater,
            },
            Self::Misbehaved(GatewayFault::Login | GatewayFault::Http) => ExitStatus::Unreachable,
            Self::Lost | Self::Silent | Self::Misbehaved(_) => ExitStatus::Lost,
            Self::Output(_) => ExitStatus::Output,
        }
    }
}

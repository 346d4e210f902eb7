//! What a target's cmdlets work on: services that exist in the demo alone, the processes and facts of this machine,
//! and one folder.

use parking_lot::Mutex;
use sekisho_protocol::auth::NtHash;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Stopped,
    Running,
}

impl Status {
    /// `System.ServiceProcess.ServiceControllerStatus`.
    pub(super) const fn shown(self) -> (&'static str, i32) {
        match self {
            Self::Stopped => ("Stopped", 1),
            Self::Running => ("Running", 4),
        }
    }
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) display: &'static str,
    pub(super) status: Status,
}

const SERVICES: [Service; 6] = [
    Service { name: "BITS", display: "Background Intelligent Transfer Service", status: Status::Stopped },
    Service { name: "Dnscache", display: "DNS Client", status: Status::Running },
    Service { name: "Spooler", display: "Print Spooler", status: Status::Running },
    Service { name: "W32Time", display: "Windows Time", status: Status::Stopped },
    Service { name: "W3SVC", display: "World Wide Web Publishing Service", status: Status::Running },
    Service { name: "WinRM", display: "Windows Remote Management (WS-Management)", status: Status::Running },
];

/// Users that got a password.
const MAX_USERS: usize = 64;

/// One target's own.
#[derive(Debug)]
pub(in crate::demo) struct Machine {
    name: String,
    folder: PathBuf,
    services: Mutex<Vec<Service>>,
    passwords: Mutex<BTreeMap<String, NtHash>>,
    /// What tests script and look at.
    #[cfg(test)]
    watch: super::script::Watch,
}

impl Machine {
    /// A machine of this name, whose files are those of a folder.
    pub(in crate::demo) fn new(name: String, folder: PathBuf) -> Self {
        Self {
            name,
            folder,
            services: Mutex::new(SERVICES.into()),
            passwords: Mutex::default(),
            #[cfg(test)]
            watch: super::script::Watch::default(),
        }
    }

    #[cfg(test)]
    pub(in crate::demo) fn watch(&self) -> &super::script::Watch {
        &self.watch
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All services in the order of their names.
    pub(super) fn services(&self) -> Vec<Service> {
        self.services.lock().clone()
    }

    /// Brings a service into a state.
    pub(super) fn set(&self, name: &str, status: Status) {
        if let Some(service) = self.services.lock().iter_mut().find(|service| service.name == name) {
            service.status = status;
        }
    }

    /// Gives a user another password. Users come to be by it; there are at most [`MAX_USERS`].
    pub(super) fn set_password(&self, user: &str, password: NtHash) {
        let mut passwords = self.passwords.lock();
        if passwords.len() < MAX_USERS || passwords.contains_key(user) {
            passwords.insert(user.to_owned(), password);
        }
    }

    /// Whether a user has this password.
    #[cfg(test)]
    pub(in crate::demo) fn has_password(&self, user: &str, password: &NtHash) -> bool {
        let bytes = password.with(|bytes| *bytes);
        self.passwords.lock().get(user).is_some_and(|known| known.with(|known| *known == bytes))
    }
}

/// The name of this machine.
pub(super) fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

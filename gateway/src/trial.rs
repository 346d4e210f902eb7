//! A whole gateway for unit tests, with the account `alice`, that nobody connects to.

use crate::audit::StopReason;
use crate::commands::{Installation, install};
use crate::config::Config;
use crate::credentials::Hold;
use crate::frontend::Client;
use crate::identity::{Identity, PrincipalName};
use crate::listener::accept::Door;
use crate::serve::Server;
use crate::state::Gateway;
use sekisho_protocol::credssp::DelegatedCredential;
use sekisho_protocol::secret::SecretText;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use time::OffsetDateTime;

pub(crate) struct Trial {
    folder: TempDir,
    pub(crate) server: Server,
}

impl Trial {
    /// With more lines of configuration, and with a policy if it is not to be the empty one of `init`.
    pub(crate) async fn new(settings: &str, policy: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("gateway");
        let names = ["localhost".to_owned()];
        let listen = "127.0.0.1:0".parse().unwrap();
        let installation = Installation { directory: &directory, names: &names, listen, account: "alice", groups: &[] };
        let installed = install(&installation, &password(), OffsetDateTime::now_utc()).unwrap();
        let text = std::fs::read_to_string(&installed.config).unwrap() + settings;
        std::fs::write(&installed.config, &text).unwrap();
        let mut config = Config::parse(&installed.config, &text).unwrap();
        if let Some(policy) = policy {
            for old in std::fs::read_dir(&config.policy).unwrap() {
                std::fs::remove_file(old.unwrap().path()).unwrap();
            }
            std::fs::write(config.policy.join("trial.toml"), policy).unwrap();
        }
        // The admin listener has one port, and other tests may have it.
        config.admin.address = None;
        Self { folder, server: Server::start(config).await.unwrap() }
    }

    pub(crate) fn gateway(&self) -> &Arc<Gateway> {
        &self.server.gateway
    }

    pub(crate) fn client(&self) -> Client {
        let live = self.gateway().live();
        let door = Door::new(&live.config.listeners[0], &live.config.credssp).unwrap();
        let peer = "192.0.2.1:1".parse().unwrap();
        Client { gateway: Arc::clone(self.gateway()), door: Arc::new(door), peer, id: 1 }
    }

    /// Alice, logged in.
    pub(crate) fn alice(&self) -> (Arc<Identity>, Hold) {
        let principal = PrincipalName::local("alice").unwrap();
        let credential = DelegatedCredential { domain: String::new(), user: "alice".to_owned(), password: password() };
        let hold = self.gateway().reach.credentials.keep(&principal, credential).unwrap();
        (Arc::new(Identity { principal }), hold)
    }

    /// Starts a gateway again where one has stopped, whose folder somebody else keeps.
    pub(crate) async fn again(config: Config) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: Server::start(config).await.unwrap() }
    }

    /// Puts another configuration in force, as a reload does.
    pub(crate) fn replace_config(&self, config: Config) {
        let policy = crate::policy_files::load(&config.policy).unwrap();
        let identity = crate::identity::LocalAccounts::load(&config.accounts).unwrap();
        let live = crate::state::Live::new(config, policy, Box::new(identity), &self.gateway().reach).unwrap();
        self.gateway().replace(live);
    }

    /// Stops it and keeps its folder.
    pub(crate) async fn stop_keeping(self) -> TempDir {
        self.server.stop(StopReason::Signal).await;
        self.folder
    }

    /// Stops it, and returns the lines of its audit log.
    pub(crate) async fn stop(self) -> Vec<Value> {
        let directory = self.gateway().live().config.audit.directory.clone();
        self.server.stop(StopReason::Signal).await;
        let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        drop(self.folder);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn password() -> SecretText {
    SecretText::new("a password".to_owned())
}

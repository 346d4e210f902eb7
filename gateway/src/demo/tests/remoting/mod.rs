//! PowerShell remoting through the whole gateway, and attacks on it from either side.

mod client;
mod hostile_client;
mod hostile_target;
mod recorded;
mod sessions;
mod wire;

use super::{Raw, password};
use crate::demo::folder::Folder;
use crate::demo::site::{Pace, Site, USER};
use crate::demo::targets::{Asked, Heard, Say};
use client::Client;
use sekisho_protocol::http_auth::Scheme;
use std::time::Duration;

/// Commands that the targets have for these tests alone, and what may be done with the others.
const POLICY: &str = r#"
[[catalog.commands]]
name = "Get-Much"
parameters = [{ name = "Count", type = "int", position = 0 }, { name = "Size", type = "int", position = 1 }]

[[catalog.commands]]
name = "Get-Endless"

[roles.remote]
cmdlets = [
    "Get-Much",
    "Get-Endless",
    "Get-Process",
    "Write-Output",
    "Write-Warning",
    "Write-Error",
    "Write-Verbose",
    "Write-Host",
    "Write-Information",
    "Write-Progress",
    "Start-Sleep",
    "Select-Object",
    "Sort-Object",
    { name = "Get-Service", parameters = ["Name"] },
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["W32Time"] }] },
    { name = "Read-Host", prompts = true },
    { name = "Get-Credential", prompts = true },
    { name = "Set-LocalUser", parameters = ["Name", { name = "Password", secure = true }] },
]

[[assignments]]
principals = ['GATEWAY\operators']
targets = ['web*']
roles = ['remote']
"#;

/// Tests ask for more in a minute than people do.
const LIMITS: &str = "\n[limits.rates.commands_per_principal]\nper_minute = 60000\nburst = 6000\n";

/// When a test is lost: by far longer than anything takes.
const LATEST: Duration = Duration::from_secs(120);

/// A gateway, and the first target with its ears.
struct Remote {
    _folder: Folder,
    site: Site,
}

impl Remote {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With more in the configuration.
    async fn with(more: &str) -> Self {
        let folder = Folder::new().unwrap();
        let policy = format!("{}\n{POLICY}", include_str!("../../policy.toml"));
        let site =
            Site::start_with(&folder, Pace::Usual, &policy, &|_targets| format!("{LIMITS}{more}")).await.unwrap();
        Self { _folder: folder, site }
    }

    /// A client whose pool is open.
    async fn client(&self) -> Client {
        Client::open(self, USER).await
    }

    /// A connection that is logged in.
    async fn connection(&self, user: &str) -> Raw {
        let mut raw = Raw::connect(self.site.gateway, "127.0.0.1", &self.site.ca(), "/wsman/web01").await;
        let binding = Some(raw.binding());
        raw.log_in(Scheme::CredSsp, (user, &password(&self.site)), binding).await.unwrap();
        raw
    }

    /// What the target does from here on.
    fn misbehave(&self, script: impl Fn(Asked) -> Say + Send + Sync + 'static) {
        self.site.parts().1[0].machine().watch().misbehave(script);
    }

    fn behave(&self) {
        self.misbehave(|_| Say::Usual);
    }

    /// What the target was sent.
    fn heard(&self) -> Vec<Heard> {
        self.site.parts().1[0].machine().watch().heard()
    }

    /// Waits until the target has heard something.
    async fn heard_of(&self, wanted: impl Fn(&Heard) -> bool) {
        let heard = async {
            while !self.heard().iter().any(&wanted) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LATEST, heard).await.expect("the target never heard of it");
    }

    /// How many pipelines the target was sent.
    fn pipelines(&self) -> usize {
        self.heard().iter().filter(|heard| matches!(heard, Heard::Command { .. })).count()
    }

    /// Shells that the target has open.
    fn shells(&self) -> usize {
        self.site.parts().1[0].shells()
    }
}

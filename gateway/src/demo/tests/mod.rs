//! The gateway's backend against the demo's targets, and both against clients that do wrong.

mod backend;
mod capabilities;
mod commands;
mod jobs;
mod pipelines;
mod powershell_jobs;
mod raw;
mod remoting;
mod targets;

use super::folder::Folder;
use super::site::{Pace, Site, TARGETS, USER};
use crate::enforce::{Ask, Permit, Refusal, judge};
use crate::identity::{Identity, PrincipalName};
use raw::Raw;
use sekisho_policy::Action as PolicyAction;
use sekisho_protocol::wsman::CommandId;
use uuid::Uuid;

/// A rule for a program that no target has.
const MORE: &str = r"
[[roles.looker.programs]]
name = 'missing'
path = 'C:\Demo\missing.exe'
";

async fn site() -> (Folder, Site) {
    let folder = Folder::new().unwrap();
    let policy = include_str!("../policy.toml").replacen("[roles.disks]", &format!("{MORE}[roles.disks]"), 1);
    let site = Site::start_with(&folder, Pace::Usual, &policy, &|_targets| String::new()).await.unwrap();
    (folder, site)
}

/// A connection to the first target, not logged in.
async fn target(folder: &Folder, site: &Site) -> Raw {
    let ca = folder.path().join("gateway/tls/targets-ca.pem");
    Raw::connect(site.parts().1[0].address, TARGETS[0], &ca, "/wsman").await
}

fn password(site: &Site) -> String {
    site.password.with(str::to_owned)
}

/// Goes through the one door to the first target.
async fn permit_for(site: &Site, action: &PolicyAction) -> Result<Permit, Refusal> {
    let gateway = &site.parts().0.unwrap().gateway;
    let live = gateway.live_full();
    let ask = Ask {
        identity: &Identity { principal: PrincipalName::local(USER).unwrap() },
        client: "127.0.0.1:1".parse().unwrap(),
        target: live.config.targets.find(TARGETS[0]).unwrap(),
        session: Uuid::new_v4(),
        command: CommandId::new(Uuid::new_v4()),
        action,
        form: &crate::enforce::pipeline::PLAIN,
    };
    judge(gateway, ask).await
}

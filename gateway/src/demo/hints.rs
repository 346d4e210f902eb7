//! Lines for other clients to paste, while the demo stays up.

use super::agent::Agent;
use super::narrator::Narrator;
use super::site::{Site, TARGETS, USER};
use std::io;

/// Prints where everything is, and how three clients reach it.
pub(super) fn print(site: &Site, narrator: &mut Narrator<'_>) -> io::Result<()> {
    let ca = site.ca();
    narrator.say(&format!("\nThe gateway is up at https://{}/wsman/TARGET", site.gateway))?;
    narrator.say(&format!("  targets   {}", TARGETS.join(", ")))?;
    narrator.say(&format!("  user      {USER}"))?;
    site.password.with(|password| narrator.say(&format!("  password  {password}")))?;
    narrator.say(&format!("  CA file   {}", ca.display()))?;
    narrator.say("  programs  hostname, uname, uptime; on web01 and web02 also df and df -h")?;
    narrator.say("  commands  Get-Service, Get-Process, Get-Date, Select-Object; Restart-Service W32Time")?;
    narrator.say("\nThe agent:\n")?;
    let file = site.password_file();
    let agent = Agent::new(site, USER);
    narrator.quote(&format!(
        "{}\n{}\n{}",
        agent.line(&format!("targets --password-file {}", file.display())),
        agent.line(&format!("exec --password-file {} --target {} -- uptime", file.display(), TARGETS.join(","))),
        agent.line(&format!(
            "run --password-file {} --target {} -- Restart-Service -Name W32Time",
            file.display(),
            TARGETS.join(",")
        ))
    ))?;
    narrator.say("\npypsrp (pip install 'pypsrp[credssp]'):\n")?;
    narrator.quote(&site.password.with(|password| pypsrp(site, password)))?;
    narrator.say("\npywinrm (pip install 'pywinrm[credssp]'):\n")?;
    narrator.quote(&site.password.with(|password| pywinrm(site, password)))?;
    narrator.say("\nCtrl-C stops and removes everything.")
}

fn pypsrp(site: &Site, password: &str) -> String {
    let (host, port, ca) = (site.gateway.ip(), site.gateway.port(), site.ca());
    format!(
        "python3 - <<'END'\n\
         from pypsrp.client import Client\n\
         client = Client('{host}', port={port}, path='wsman/web01', ssl=True,\n\
         \x20               cert_validation='{}', auth='credssp',\n\
         \x20               username='{USER}', password='{password}')\n\
         print(client.execute_cmd('hostname'))\n\
         output, streams, had_errors = client.execute_ps('Get-Service W32Time | Select-Object Name, Status')\n\
         print(output, streams.error)\n\
         output, streams, had_errors = client.execute_ps('Restart-Service Spooler')\n\
         print(*streams.error)\n\
         END",
        ca.display()
    )
}

fn pywinrm(site: &Site, password: &str) -> String {
    let (gateway, ca) = (site.gateway, site.ca());
    format!(
        "python3 - <<'END'\n\
         from winrm.protocol import Protocol\n\
         client = Protocol('https://{gateway}/wsman/web01', transport='credssp',\n\
         \x20                 ca_trust_path='{}', username='{USER}', password='{password}')\n\
         shell = client.open_shell()\n\
         command = client.run_command(shell, 'hostname')\n\
         print(client.get_command_output(shell, command))\n\
         client.cleanup_command(shell, command)\n\
         client.close_shell(shell)\n\
         END",
        ca.display()
    )
}

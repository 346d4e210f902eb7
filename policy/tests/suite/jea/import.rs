use super::{compiled, imported, mistakes, notes};
use sekisho_policy::jea::Outcome;

#[test]
fn show() {
    let found = imported(&[("DNS.psrc", r#"@{
GUID = 'x'
Description = 'DNS operators'
VisibleCmdlets = 'Get-Service', 'DnsServer\*', @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidateSet = 'DNS', 'Dnscache' }, @{ Name = 'Force' } },
  @{ Name = 'Get-EventLog'; Parameters = @{ Name = 'LogName'; ValidatePattern = 'HR_*' } }, @{ Name = 'Get-Process' }, 'Get-Serv?ce'
VisibleFunctions = 'Get-NetIPAddress'
VisibleExternalCommands = 'C:\Windows\System32\hostname.exe', 'C:\Windows\System32\cmd.exe', 'C:\x\a.ps1', '*', 'C:\Windows\System32\net.exe'
AliasDefinitions = @{ Name = 'rs'; Value = 'Restart-Service' }, @{ Name = 'st'; Value = 'Stop-Service' }
FunctionDefinitions = @{ Name = 'Get-X'; ScriptBlock = { param($p) if ($p -like 'C:\*') { Invoke-Expression "x $p" } } }
}"#), ("ops.pssc", r#"@{
SchemaVersion = '2.0.0.0'
SessionType = 'RestrictedRemoteServer'
RunAsVirtualAccount = $true
TranscriptDirectory = 'C:\T'
Description = 'all'
RequiredGroups = @{ And = @{ Or = 'CONTOSO\SmartCard-Logon1', 'CONTOSO\SmartCard-Logon2' }, 'Administrators' }
RoleDefinitions = @{ 'CONTOSO\DnsAdmins' = @{ RoleCapabilities = 'DNS', 'Other' }; 'BUILTIN\Users' = @{ VisibleCmdlets = 'Get-Process'; RoleCapabilityFiles = 'C:\x\DNS.psrc' }; 'CONTOSO\x' = @{ RoleCapabilities = 'None' } }
}"#)]);
    for document in &found.documents { println!("=== {}\n{}", document.name, document.text); }
    for note in &found.notes { println!("{note}"); }
    let _ = (compiled, mistakes, notes, Outcome::Became);
}

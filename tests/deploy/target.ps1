# Runs deploy/target.ps1 against the stand-ins. The environment is that of client.ps1.

. "$env:HERE/windows.ps1"
$target = "$env:DEPLOY/target.ps1"
$leaf = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($env:LEAF)
$global:Store["Cert:\LocalMachine\My\$($leaf.Thumbprint)"] = $leaf
$credssp = 'WSMan:\localhost\Service\Auth\CredSSP'

# A server that everyone can reach, with CredSSP left on by somebody, and without an HTTPS listener.
$global:Settings[$credssp] = 'true'
Add-Rule 'WINRM-HTTP-In-TCP' '5985'
Add-Rule 'WinRM-HTTPS-by-hand' @('5986') 'Any'
Add-Rule 'WinRM-off-already' '5985'
$global:Rules['WinRM-off-already'].Enabled = 'False'
Add-Rule 'Range' '5000-6000' 'Any'
Add-Rule 'From-the-domain' '5986' 'System' 'GroupPolicy'
Add-Rule 'Another-program' 'Any' 'C:\Program Files\Backup\backup.exe'
Add-Rule 'Another-service' 'Any' 'Any' 'Local' 'Spooler'
Add-Rule 'Web' '443'
$bare = Show-World

$message = ''
try { & $target -GatewayAddress 10.0.0.5 | Out-Null } catch { $message = "$_" }
Assert-Has $message '-CertificateThumbprint' 'without a listener the script says what to give'
Assert-Equal (Show-World) $bare 'the machine then'

& $target -GatewayAddress 10.0.0.5 -CertificateThumbprint $leaf.Thumbprint -WhatIf 3>$null | Out-Null
Assert-Equal (Show-World) $bare 'the machine after -WhatIf'
Assert-Equal $global:Calls.Count 0 'changes of -WhatIf'

$said = & $target -GatewayAddress 10.0.0.5 -CertificateThumbprint $leaf.Thumbprint 3>&1
$after = Show-World
Assert-Has $after 'listener HTTPS 5986' 'the listener'
Assert-Has $after 'rule Sekisho-WinRM-HTTPS True 5986 10.0.0.5' 'the way in for the gateway'
Assert-Has $after 'rule WINRM-HTTP-In-TCP False' 'the built-in rule'
Assert-Has $after 'rule WinRM-HTTPS-by-hand False' 'a rule made by hand'
Assert-Has $after 'rule Range True' 'a rule that serves more'
Assert-Has $after 'rule From-the-domain True' 'a rule of Group Policy'
Assert-Has $after 'rule Another-program True' 'a rule of another program'
Assert-Has $after 'rule Another-service True' 'a rule of another service'
Assert-Has $after 'rule Web True' 'a rule for another port'
Assert-Has $after "$credssp=false" 'CredSSP'
$said = $said -join "`n"
Assert-Has $said 'Rule Range (Range) opens WinRM too' 'a warning about the range'
Assert-Has $said 'comes from Group Policy' 'a warning about Group Policy'
Assert-Lacks $said 'Another' 'a warning about others'
Assert-Has $said "pin = ""$env:PIN""" 'the pin for the configuration'
$opened = $global:Calls.IndexOf('New-NetFirewallRule Sekisho-WinRM-HTTPS')
$closed = $global:Calls.IndexOf('Disable-NetFirewallRule WINRM-HTTP-In-TCP')
Assert-Equal ($opened -lt $closed) $true 'the gateway is let in before others are shut out'

& $target -GatewayAddress 10.0.0.5 3>$null | Out-Null
Assert-Equal (Show-World) $after 'the machine after a second run'

& $target -GatewayAddress 10.0.0.6, 10.1.0.0/28 -CredSSP 3>$null | Out-Null
Assert-Has (Show-World) 'rule Sekisho-WinRM-HTTPS True 5986 10.0.0.6,10.1.0.0/28' 'other addresses'
Assert-Has (Show-World) "$credssp=true" 'CredSSP where the target is configured for it'
& $target -GatewayAddress 10.0.0.6 3>$null | Out-Null

$global:Calls.Clear()
$world = Show-World
& $target -Undo -WhatIf | Out-Null
Assert-Equal (Show-World) $world 'the machine after -Undo -WhatIf'
Assert-Equal $global:Calls.Count 0 'changes of -Undo -WhatIf'
& $target -Undo | Out-Null
Assert-Equal (Show-World) $bare 'the machine after -Undo'
Assert-Has "$(& $target -Undo)" 'nothing to undo' 'a second -Undo'

foreach ($wrong in '*', 'any', 'LocalSubnet', 'gw01.example.com') {
    $failed = $false
    try { & $target -GatewayAddress $wrong | Out-Null } catch { $failed = $true }
    Assert-Equal $failed $true "the address $wrong is refused"
}
'all is well'

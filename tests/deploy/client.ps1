# Runs deploy/client.ps1 against the stand-ins. Arguments come from the environment: DEPLOY is the folder of the
# scripts, HERE that of this file, CA a certificate of an authority, LEAF one of a server.

. "$env:HERE/windows.ps1"
$client = "$env:DEPLOY/client.ps1"
$list = 'hklm:\software\policies\microsoft\windows\credentialsdelegation'

# A machine with an entry of somebody else, NTLM-only delegation configured off, and WinRM stopped.
Enable-WSManCredSSP -Role Client -DelegateComputer 'old.example.com'
$global:Settings['WSMan:\localhost\Client\Auth\CredSSP'] = 'false'
$global:Registry[$list]['AllowFreshCredentialsWhenNTLMOnly'] = 0
$global:Services.WinRM = 'Stopped'
$before = Show-World
$global:Calls.Clear()

& $client -Gateway gw01.example.com -LocalAccounts -CaCertificate $env:CA -WhatIf | Out-Null
Assert-Equal $global:Calls.Count 0 'changes of -WhatIf'
Assert-Equal (Show-World) $before 'the machine after -WhatIf'

$failed = $false
try { & $client -Gateway gw01.example.com -CaCertificate $env:LEAF | Out-Null } catch { $failed = $true }
Assert-Equal $failed $true 'a certificate that is not of an authority is refused'
Assert-Equal (Show-World) $before 'the machine after a refused certificate'

$failed = $false
try { & $client -Gateway '*' | Out-Null } catch { $failed = $true }
Assert-Equal $failed $true 'a pattern instead of a name is refused'

$said = & $client -Gateway gw01.example.com, gw02.example.com -LocalAccounts -CaCertificate $env:CA
Assert-Has ($said -join "`n") 'https://gw01.example.com:5986/wsman/web01' 'what the script says'
$after = Show-World
Assert-Has $after "$list\allowfreshcredentials 2=WSMAN/gw01.example.com" 'fresh credentials'
Assert-Has $after "$list\allowfreshcredentialswhenntlmonly 1=WSMAN/gw01.example.com" 'by NTLM'
Assert-Has $after "$list\allowfreshcredentialswhenntlmonly 2=WSMAN/gw02.example.com" 'by NTLM, the second'
Assert-Has $after "$list AllowFreshCredentialsWhenNTLMOnly=1" 'the policy is on'
Assert-Has $after 'Cert:\LocalMachine\Root\' 'the authority is trusted'
Assert-Has $after 'Client\Auth\CredSSP=true' 'CredSSP is on'
Assert-Has $after 'service WinRM Stopped' 'WinRM runs for the time of the script only'

$global:Calls.Clear()
& $client -Gateway gw01.example.com, gw02.example.com -LocalAccounts -CaCertificate $env:CA | Out-Null
Assert-Equal (Show-World) $after 'the machine after a second run'

$global:Calls.Clear()
& $client -Undo -WhatIf | Out-Null
Assert-Equal (Show-World) $after 'the machine after -Undo -WhatIf'
Assert-Equal $global:Calls.Count 0 'changes of -Undo -WhatIf'

# The entry of somebody else keeps CredSSP on: Windows could only take out all entries at once.
& $client -Undo 3>$null | Out-Null
$undone = Show-World
Assert-Has $undone 'WSMAN/old.example.com' 'the entry of somebody else'
Assert-Lacks $undone 'gw01' 'entries of the gateway'
Assert-Lacks $undone 'gw02' 'entries of the second gateway'
Assert-Lacks $undone 'Cert:' 'the authority'
Assert-Has $undone "$list AllowFreshCredentialsWhenNTLMOnly=0" 'the policy is as before'
Assert-Lacks $undone 'ConcatenateDefaults' 'the policy for defaults'
Assert-Has $undone 'Client\Auth\CredSSP=true' 'CredSSP stays on for others'

# With that entry gone, it can be switched off, and nothing is left.
$global:Registry["$list\allowfreshcredentials"].Clear()
& $client -Undo | Out-Null
Assert-Has (Show-World) 'Client\Auth\CredSSP=false' 'CredSSP is off again'
Assert-Lacks (Show-World) 'sekisho' 'notes'

$said = & $client -Undo
Assert-Has "$said" 'nothing to undo' 'a second -Undo'

# A stranger's authority that was trusted before stays trusted.
Import-Certificate -FilePath $env:CA -CertStoreLocation 'Cert:\LocalMachine\Root'
& $client -Gateway gw01.example.com -CaCertificate $env:CA | Out-Null
& $client -Undo | Out-Null
Assert-Has (Show-World) 'Cert:\LocalMachine\Root\' 'an authority that was there before'
'all is well'

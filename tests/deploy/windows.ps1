# Stand-ins for the commands and drives of Windows that deploy/*.ps1 use: a registry, a firewall, WinRM and a
# certificate store in memory. They are functions, which PowerShell finds before commands of the same name.

$global:Registry = @{}          # path -> ordered values
$global:Store = @{}             # path -> certificate
$global:Rules = [ordered]@{}    # name -> rule
$global:Settings = @{}          # WSMan path -> value
$global:Listeners = @()
$global:Services = @{ WinRM = 'Running' }
$global:Calls = [System.Collections.ArrayList]::new()   # each change, in order

function global:Note([string] $Text) { [void] $global:Calls.Add($Text) }

function global:Resolve-Registry([string] $Path) { return $Path.TrimEnd('\').ToLowerInvariant() }

function global:Test-Path {
    param([Parameter(Position = 0)] [string] $LiteralPath)
    if ($LiteralPath -like 'Cert:*') { return $global:Store.ContainsKey($LiteralPath) }
    return $global:Registry.ContainsKey((Resolve-Registry $LiteralPath))
}

function global:New-Item {
    param([string] $Path, [switch] $Force, [string] $Transport, [string] $Address, [int] $Port,
        [string] $CertificateThumbPrint, [switch] $Confirm)
    Note "New-Item $Path"
    if ($Path -like 'WSMan:*') {
        $global:Listeners += [pscustomobject]@{
            Transport = $Transport; Address = $Address; Port = $Port; CertificateThumbprint = $CertificateThumbPrint
        }
        return
    }
    $global:Registry[(Resolve-Registry $Path)] = [ordered]@{}
}

function global:Get-Item {
    param([Parameter(Position = 0)] [string] $LiteralPath)
    if ($LiteralPath -like 'Cert:*') { return $global:Store[$LiteralPath] }
    return [pscustomobject]@{ Value = $global:Settings[$LiteralPath] }
}

function global:Remove-Item {
    param([string] $LiteralPath, [switch] $Force, [switch] $Confirm)
    Note "Remove-Item $LiteralPath"
    if ($LiteralPath -like 'Cert:*') { $global:Store.Remove($LiteralPath) } else { $global:Registry.Remove((Resolve-Registry $LiteralPath)) }
}

function global:Get-ItemProperty {
    param([string] $LiteralPath)
    return [pscustomobject] $global:Registry[(Resolve-Registry $LiteralPath)]
}

function global:New-ItemProperty {
    param([string] $LiteralPath, [string] $Name, $Value, [string] $PropertyType, [switch] $Force, [switch] $Confirm)
    Note "New-ItemProperty $LiteralPath $Name"
    $global:Registry[(Resolve-Registry $LiteralPath)][$Name] = $Value
}

function global:Remove-ItemProperty {
    param([string] $LiteralPath, [string] $Name, [switch] $Force, [switch] $Confirm)
    Note "Remove-ItemProperty $LiteralPath $Name"
    $global:Registry[(Resolve-Registry $LiteralPath)].Remove($Name)
}

function global:Resolve-Path {
    param([string] $LiteralPath)
    return [pscustomobject]@{ ProviderPath = $LiteralPath }
}

function global:Import-Certificate {
    param([string] $FilePath, [string] $CertStoreLocation, [switch] $Confirm)
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($FilePath)
    Note "Import-Certificate $FilePath"
    $global:Store["$CertStoreLocation\$($certificate.Thumbprint)"] = $certificate
}

# --- Services and WinRM ---------------------------------------------------------------------------------------------

function global:Get-Service { param([string] $Name) return [pscustomobject]@{ Name = $Name; Status = $global:Services[$Name] } }

function global:Start-Service { param([string] $Name, [switch] $Confirm) Note "Start-Service $Name"; $global:Services[$Name] = 'Running' }

function global:Stop-Service { param([string] $Name, [switch] $Confirm) Note "Stop-Service $Name"; $global:Services[$Name] = 'Stopped' }

$global:Delegation = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CredentialsDelegation'

function global:Enable-WSManCredSSP {
    param([string] $Role, [string[]] $DelegateComputer, [switch] $Force)
    if ($global:Services.WinRM -ne 'Running') { throw 'WinRM does not run' }
    Note "Enable-WSManCredSSP $Role"
    if ($Role -eq 'Server') { $global:Settings['WSMan:\localhost\Service\Auth\CredSSP'] = 'true'; return }
    $global:Settings['WSMan:\localhost\Client\Auth\CredSSP'] = 'true'
    $list = Resolve-Registry "$global:Delegation\AllowFreshCredentials"
    foreach ($key in $list, (Resolve-Registry $global:Delegation)) {
        if (-not $global:Registry.ContainsKey($key)) { $global:Registry[$key] = [ordered]@{} }
    }
    $global:Registry[(Resolve-Registry $global:Delegation)]['AllowFreshCredentials'] = 1
    foreach ($name in $DelegateComputer) {
        if ($global:Registry[$list].Values -notcontains "WSMAN/$name") {
            $global:Registry[$list][[string] ($global:Registry[$list].Count + 1)] = "WSMAN/$name"
        }
    }
}

function global:Disable-WSManCredSSP {
    param([string] $Role)
    Note "Disable-WSManCredSSP $Role"
    if ($Role -eq 'Server') { $global:Settings['WSMan:\localhost\Service\Auth\CredSSP'] = 'false'; return }
    $global:Settings['WSMan:\localhost\Client\Auth\CredSSP'] = 'false'
    $global:Registry.Remove((Resolve-Registry "$global:Delegation\AllowFreshCredentials"))
    $global:Registry[(Resolve-Registry $global:Delegation)].Remove('AllowFreshCredentials')
}

function global:Get-WSManInstance { param([string] $ResourceURI, [switch] $Enumerate) return $global:Listeners }

function global:Remove-WSManInstance {
    param([string] $ResourceURI, [hashtable] $SelectorSet)
    Note "Remove-WSManInstance $($SelectorSet.Transport)"
    $global:Listeners = @($global:Listeners | Where-Object { $_.Transport -ne $SelectorSet.Transport })
}

# --- The firewall ---------------------------------------------------------------------------------------------------

function global:Add-Rule([string] $Name, $LocalPort, [string] $Program = 'System', [string] $Source = 'Local', [string] $Service = 'Any') {
    $global:Rules[$Name] = [pscustomobject]@{
        Name = $Name; InstanceID = $Name; DisplayName = "Rule $Name"; Enabled = 'True'; PolicyStoreSourceType = $Source
        Protocol = 'TCP'; LocalPort = $LocalPort; RemoteAddress = 'Any'; Program = $Program; Service = $Service
    }
}

function global:Get-NetFirewallRule {
    [CmdletBinding()]
    param([string] $Name, [string] $PolicyStore, [string] $Direction, [string] $Enabled, [string] $Action)
    if ($Name) {
        if ($global:Rules.Contains($Name)) { return $global:Rules[$Name] }
        Write-Error "no rule $Name"
        return
    }
    return @($global:Rules.Values | Where-Object { $_.Enabled -eq $Enabled })
}

function global:Get-NetFirewallPortFilter { param([switch] $All, [string] $PolicyStore) return @($global:Rules.Values) }

function global:Get-NetFirewallApplicationFilter { param([Parameter(ValueFromPipeline = $true)] $Rule) process { $Rule } }

function global:Get-NetFirewallServiceFilter { param([Parameter(ValueFromPipeline = $true)] $Rule) process { $Rule } }

function global:Get-NetFirewallProfile { return [pscustomobject]@{ Name = 'Domain'; Enabled = 'True' } }

function global:New-NetFirewallRule {
    param([string] $Name, [string] $DisplayName, [string] $Direction, [string] $Action, [string] $Protocol, [int] $LocalPort,
        [string[]] $RemoteAddress, [string] $Profile, [string] $Enabled, [switch] $Confirm)
    Note "New-NetFirewallRule $Name"
    Add-Rule $Name $LocalPort
    $global:Rules[$Name].RemoteAddress = $RemoteAddress
}

function global:Set-NetFirewallRule {
    param([string] $Name, [string[]] $RemoteAddress, [string] $Protocol, [int] $LocalPort, [string] $Action, [string] $Profile,
        [string] $Enabled, [switch] $Confirm)
    Note "Set-NetFirewallRule $Name"
    $global:Rules[$Name].RemoteAddress = $RemoteAddress
    $global:Rules[$Name].LocalPort = $LocalPort
}

function global:Disable-NetFirewallRule {
    param([string] $Name, [switch] $Confirm)
    Note "Disable-NetFirewallRule $Name"
    $global:Rules[$Name].Enabled = 'False'
}

function global:Enable-NetFirewallRule {
    param([string] $Name, [switch] $Confirm)
    Note "Enable-NetFirewallRule $Name"
    $global:Rules[$Name].Enabled = 'True'
}

function global:Remove-NetFirewallRule {
    param([string] $Name, [switch] $Confirm)
    Note "Remove-NetFirewallRule $Name"
    $global:Rules.Remove($Name)
}

# --- Looking at it --------------------------------------------------------------------------------------------------

# Everything that a script can have changed, as one text.
function global:Show-World {
    $lines = [System.Collections.ArrayList]::new()
    foreach ($path in ($global:Registry.Keys | Sort-Object)) {
        foreach ($name in $global:Registry[$path].Keys) { [void] $lines.Add("$path $name=$($global:Registry[$path][$name] -join ',')") }
    }
    foreach ($path in ($global:Store.Keys | Sort-Object)) { [void] $lines.Add($path) }
    foreach ($rule in $global:Rules.Values) { [void] $lines.Add("rule $($rule.Name) $($rule.Enabled) $($rule.LocalPort -join ',') $($rule.RemoteAddress -join ',')") }
    foreach ($path in ($global:Settings.Keys | Sort-Object)) { [void] $lines.Add("$path=$($global:Settings[$path])") }
    foreach ($listener in $global:Listeners) { [void] $lines.Add("listener $($listener.Transport) $($listener.Port)") }
    foreach ($name in ($global:Services.Keys | Sort-Object)) { [void] $lines.Add("service $name $($global:Services[$name])") }
    return ($lines -join "`n")
}

function global:Assert-Equal($Found, $Expected, [string] $What) {
    if ("$Found" -cne "$Expected") { throw "${What}: found`n$Found`nexpected`n$Expected" }
}

function global:Assert-Has([string] $Text, [string] $Part, [string] $What) {
    if (-not $Text.Contains($Part)) { throw "${What}: nothing like '$Part' in`n$Text" }
}

function global:Assert-Lacks([string] $Text, [string] $Part, [string] $What) {
    if ($Text.Contains($Part)) { throw "${What}: there is '$Part' in`n$Text" }
}

<#
.SYNOPSIS
Lets a Windows target be managed through a Sekisho gateway, and closes the direct way to its WinRM.

.DESCRIPTION
1. Looks whether WinRM listens on HTTPS. With -CertificateThumbprint it makes the listener if there is none.
2. Opens the firewall for WinRM over HTTPS from the gateway's addresses, by one rule of its own, and then disables the
   rules that let others in: every enabled rule that is for WinRM's ports alone.
3. Switches CredSSP off for the WinRM service, so that no client delegates a password to this machine, or on with
   -CredSSP, if the gateway's configuration says authentication = "credssp" for this target.
4. Prints what the gateway's configuration needs to know of the listener's certificate.

It can be run again, also with other addresses. What was changed is noted in HKLM:\SOFTWARE\Sekisho\Target, which
administrators alone can write, and -Undo puts it back.

Run it at the console or through the gateway: a remote session from any other machine is cut off by step 2.

.PARAMETER GatewayAddress
The addresses from which the gateway connects: IP addresses, or networks such as 10.0.0.0/28.

.PARAMETER Port
The port of the HTTPS listener.

.PARAMETER CredSSP
This target is configured for CredSSP: leave it on for the WinRM service, or switch it on.

.PARAMETER CertificateThumbprint
Of a certificate in Cert:\LocalMachine\My, for a new HTTPS listener if there is none.

.PARAMETER Undo
Put back what earlier runs changed.

.EXAMPLE
.\target.ps1 -GatewayAddress 10.0.0.5 -WhatIf

Shows what would be changed, and changes nothing.

.EXAMPLE
.\target.ps1 -GatewayAddress 10.0.0.5, 10.0.0.6

Two gateways; the target never sees a password.

.EXAMPLE
.\target.ps1 -GatewayAddress 10.0.0.5 -CredSSP

For a target whose programs need the password once more, for a third machine.

.EXAMPLE
.\target.ps1 -Undo

.NOTES
Made for Windows PowerShell 5.1 and later on Windows Server 2012 and later, in an elevated window. Its syntax was
checked by PowerShell's own parser, and its steps were tried against stand-ins of the Windows commands; it was NOT run
on a live Windows.
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Apply')]
param(
    [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Apply')]
    [ValidatePattern('^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$')]
    [string[]] $GatewayAddress,

    [Parameter(ParameterSetName = 'Apply')]
    [ValidateRange(1, 65535)]
    [int] $Port = 5986,

    [Parameter(ParameterSetName = 'Apply')]
    [switch] $CredSSP,

    [Parameter(ParameterSetName = 'Apply')]
    [ValidatePattern('^[0-9A-Fa-f]{40}$')]
    [string] $CertificateThumbprint,

    [Parameter(Mandatory = $true, ParameterSetName = 'Undo')]
    [switch] $Undo
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$StatePath = 'HKLM:\SOFTWARE\Sekisho\Target'
$CredSspPath = 'WSMan:\localhost\Service\Auth\CredSSP'
$RuleName = 'Sekisho-WinRM-HTTPS'
$WinRmPorts = @('5985', '5986', [string] $Port)

# --- What was changed: lines "kind|what" ----------------------------------------------------------------------------

function Read-Change {
    if (-not (Test-Path -LiteralPath $StatePath)) { return }
    $property = (Get-ItemProperty -LiteralPath $StatePath).PSObject.Properties['Changes']
    if ($null -ne $property) { $property.Value | Where-Object { $_ } }
}

function Write-Change([string[]] $Changes) {
    if (-not (Test-Path -LiteralPath $StatePath)) { New-Item -Path $StatePath -Force -Confirm:$false | Out-Null }
    New-ItemProperty -LiteralPath $StatePath -Name 'Changes' -Value $Changes -PropertyType 'MultiString' -Force `
        -Confirm:$false | Out-Null
}

# Noted before it is done: what is noted and was not done does no harm at -Undo.
function Add-Change([string] $Change) {
    $changes = @(Read-Change)
    if ($changes -notcontains $Change) { Write-Change ($changes + $Change) }
}

function Remove-Change([string] $Change) {
    $rest = @(Read-Change | Where-Object { $_ -ne $Change })
    if ($rest.Count -gt 0) { Write-Change $rest } else { Remove-Item -LiteralPath $StatePath -Force -Confirm:$false }
}

# --- The listener ---------------------------------------------------------------------------------------------------

function Read-HttpsListener {
    return Get-WSManInstance -ResourceURI 'winrm/config/Listener' -Enumerate | Where-Object { $_.Transport -eq 'HTTPS' }
}

function Confirm-Listener {
    $listeners = @(Read-HttpsListener)
    if ($listeners.Count -gt 0) {
        if (@($listeners | Where-Object { [string] $_.Port -eq [string] $Port }).Count -eq 0) {
            throw "the HTTPS listener of WinRM has port $($listeners[0].Port); say -Port $($listeners[0].Port)"
        }
        Write-Verbose 'WinRM listens on HTTPS'
        return
    }
    if (-not $CertificateThumbprint) {
        throw ('WinRM has no HTTPS listener; say -CertificateThumbprint of a certificate in Cert:\LocalMachine\My ' +
            'that has the name by which the gateway connects')
    }
    if (-not (Test-Path -LiteralPath "Cert:\LocalMachine\My\$CertificateThumbprint")) {
        throw "there is no certificate $CertificateThumbprint in Cert:\LocalMachine\My"
    }
    if ($PSCmdlet.ShouldProcess("WinRM, port $Port", "Listen on HTTPS with certificate $CertificateThumbprint")) {
        Add-Change 'listener|HTTPS'
        New-Item -Path 'WSMan:\localhost\Listener' -Transport HTTPS -Address '*' -Port $Port `
            -CertificateThumbPrint $CertificateThumbprint -Force -Confirm:$false | Out-Null
    }
}

# --- The firewall ---------------------------------------------------------------------------------------------------

# Whether an entry of a rule ("5986", "5000-6000" or "Any") covers a port.
function Test-Covers([string] $Entry, [string] $Wanted) {
    if ($Entry -eq 'Any') { return $true }
    if ($Entry -match '^(\d+)-(\d+)$') { return [int] $Wanted -in ([int] $Matches[1])..([int] $Matches[2]) }
    return $Entry -eq $Wanted
}

# Enabled rules that let others reach WinRM. Narrow: for WinRM's ports alone. Broad: for more than that, so they serve
# something else as well.
function Find-OpenRule {
    $ports = @{}
    Get-NetFirewallPortFilter -All -PolicyStore ActiveStore | ForEach-Object { $ports[$_.InstanceID] = $_ }
    # The active store has the rules of Group Policy too.
    foreach ($rule in Get-NetFirewallRule -PolicyStore ActiveStore -Direction Inbound -Enabled True -Action Allow) {
        $filter = $ports[$rule.InstanceID]
        if ($rule.Name -eq $RuleName -or $null -eq $filter) { continue }
        if (@('TCP', '6', 'Any') -notcontains [string] $filter.Protocol) { continue }
        $entries = @($filter.LocalPort | ForEach-Object { [string] $_ })
        $hits = @(foreach ($wanted in $WinRmPorts) { $entries | Where-Object { Test-Covers $_ $wanted } })
        if ($hits.Count -eq 0) { continue }
        $width = 'Narrow'
        if (@($entries | Where-Object { $WinRmPorts -notcontains $_ }).Count -gt 0) { $width = 'Broad' }
        New-Object -TypeName PSObject -Property @{ Rule = $rule; Width = $width }
    }
}

# WinRM is served by the system itself, so a rule for another program or service does not open it.
function Test-ForSystem($Rule) {
    $application = ($Rule | Get-NetFirewallApplicationFilter).Program
    $service = ($Rule | Get-NetFirewallServiceFilter).Service
    return (@('Any', 'System') -contains [string] $application) -and (@('Any', 'WinRM') -contains [string] $service)
}

function Test-Rule([string] $Name) {
    return $null -ne (Get-NetFirewallRule -Name $Name -ErrorAction SilentlyContinue)
}

function Open-ForGateway {
    if (-not (Test-Rule $RuleName)) {
        if ($PSCmdlet.ShouldProcess("TCP $Port from $($GatewayAddress -join ', ')", 'Allow in the firewall')) {
            Add-Change "rule|$RuleName"
            New-NetFirewallRule -Name $RuleName -DisplayName 'Sekisho: WinRM (HTTPS) from the gateway' `
                -Direction Inbound -Action Allow -Protocol TCP -LocalPort $Port -RemoteAddress $GatewayAddress `
                -Profile Any -Enabled True -Confirm:$false | Out-Null
        }
        return
    }
    if ($PSCmdlet.ShouldProcess("TCP $Port from $($GatewayAddress -join ', ')", "Set in the firewall's rule $RuleName")) {
        Set-NetFirewallRule -Name $RuleName -RemoteAddress $GatewayAddress -Protocol TCP -LocalPort $Port -Action Allow `
            -Profile Any -Enabled True -Confirm:$false
    }
}

function Close-ForOthers {
    foreach ($found in @(Find-OpenRule | Where-Object { Test-ForSystem $_.Rule })) {
        $rule = $found.Rule
        $shown = "$($rule.DisplayName) ($($rule.Name))"
        if ($found.Width -eq 'Broad') {
            Write-Warning "$shown opens WinRM too, with other ports: narrow or disable it by hand"
        } elseif ([string] $rule.PolicyStoreSourceType -eq 'GroupPolicy') {
            Write-Warning "$shown opens WinRM and comes from Group Policy: take it out there"
        } elseif ($PSCmdlet.ShouldProcess($shown, 'Disable this rule of the firewall')) {
            Add-Change "disabled|$($rule.Name)"
            Disable-NetFirewallRule -Name $rule.Name -Confirm:$false
        }
    }
    foreach ($network in @(Get-NetFirewallProfile | Where-Object { [string] $_.Enabled -ne 'True' })) {
        Write-Warning "the firewall is off for the profile $($network.Name): everyone reaches WinRM there"
    }
}

# --- CredSSP --------------------------------------------------------------------------------------------------------

function Test-CredSspServer {
    return (Get-Item -LiteralPath $CredSspPath).Value -eq 'true'
}

function Set-CredSspServer([bool] $On) {
    if ($On) { Enable-WSManCredSSP -Role Server -Force | Out-Null } else { Disable-WSManCredSSP -Role Server }
}

function Confirm-CredSsp {
    $before = Test-CredSspServer
    $wanted = [bool] $CredSSP
    if ($before -eq $wanted) { return }
    $words = if ($wanted) { 'Enable CredSSP' } else { 'Disable CredSSP' }
    if ($PSCmdlet.ShouldProcess('WinRM service', $words)) {
        # The first run knows what was there before.
        if (@(Read-Change | Where-Object { $_ -like 'credssp|*' }).Count -eq 0) { Add-Change "credssp|$before" }
        Set-CredSspServer $wanted
    }
}

# --- What the gateway needs to know ---------------------------------------------------------------------------------

function Get-Sha256([byte[]] $Bytes) {
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { $digest = $sha.ComputeHash($Bytes) } finally { $sha.Dispose() }
    return ([BitConverter]::ToString($digest) -replace '-', '').ToLowerInvariant()
}

function Show-Certificate {
    foreach ($listener in @(Read-HttpsListener)) {
        $path = "Cert:\LocalMachine\My\$($listener.CertificateThumbprint -replace '\s', '')"
        if (-not (Test-Path -LiteralPath $path)) {
            Write-Warning "$path, the listener's certificate, is not there"
            continue
        }
        $certificate = Get-Item -LiteralPath $path
        $name = $certificate.GetNameInfo([System.Security.Cryptography.X509Certificates.X509NameType]::DnsName, $false)
        if ($certificate.NotAfter -lt [DateTime]::Now) { Write-Warning "it has expired on $($certificate.NotAfter)" }
        Write-Output 'For the target in gateway.toml:'
        Write-Output "server_name = ""$name"""
        if ($certificate.Subject -eq $certificate.Issuer) {
            Write-Output "pin = ""$(Get-Sha256 $certificate.RawData)"""
        } else {
            Write-Output "ca = ""FILE""  # the authority: $($certificate.Issuer)"
            Write-Output "# or: pin = ""$(Get-Sha256 $certificate.RawData)"""
        }
    }
}

# --- Applying and undoing -------------------------------------------------------------------------------------------

function Invoke-Apply {
    if ((Get-Service -Name WinRM).Status -ne 'Running') { throw 'WinRM does not run; say: Enable-PSRemoting' }
    Confirm-Listener
    # The gateway's way in comes first, so that nobody is left outside in between.
    Open-ForGateway
    Close-ForOthers
    Confirm-CredSsp
    Show-Certificate
}

function Undo-Change([string] $Change) {
    $kind, $what = $Change.Split('|', 2)
    if (-not $PSCmdlet.ShouldProcess($what, "Undo ($kind)")) { return }
    switch ($kind) {
        'disabled' {
            if (Test-Rule $what) { Enable-NetFirewallRule -Name $what -Confirm:$false }
        }
        'rule' {
            if (Test-Rule $what) { Remove-NetFirewallRule -Name $what -Confirm:$false }
        }
        'credssp' { Set-CredSspServer ($what -eq 'True') }
        'listener' {
            if (@(Read-HttpsListener).Count -gt 0) {
                Remove-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet @{ Address = '*'; Transport = $what }
            }
        }
        default {
            Write-Warning "This version does not know what to do about: $Change"
            return
        }
    }
    Remove-Change $Change
}

function Invoke-Undo {
    $changes = @(Read-Change)
    if ($changes.Count -eq 0) {
        Write-Output 'There is nothing to undo: no run of this script has changed anything'
        return
    }
    # The old rules before the gateway's own goes, and the listener last.
    foreach ($kind in 'disabled', 'credssp', 'rule', 'listener') {
        foreach ($change in @($changes | Where-Object { $_ -like "$kind|*" })) { Undo-Change $change }
    }
}

if ($Undo) { Invoke-Undo } else { Invoke-Apply }

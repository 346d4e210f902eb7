<#
.SYNOPSIS
Lets a Windows client delegate its credential to a Sekisho gateway, and to nothing else.

.DESCRIPTION
Three things keep Windows from logging in to a gateway with CredSSP until an administrator says otherwise. This script
says so, for the gateways that are named and for no pattern:

1. CredSSP is switched on for the WinRM client, and the policy "Allow delegating fresh credentials" gets an entry
   WSMAN/<gateway>  (Enable-WSManCredSSP -Role Client).
2. With -LocalAccounts, "Allow delegating fresh credentials with NTLM-only server authentication" gets the same entry.
   The gateway's own accounts need it, and so does every client that cannot use Kerberos towards the gateway.
3. With -CaCertificate, the authority that signed the gateway's certificate is trusted by this machine.

It can be run again: what is there already stays as it is. What was added is noted in
HKLM:\SOFTWARE\Sekisho\Client, which administrators alone can write, and -Undo takes back exactly that.

In a domain, set the two policies by Group Policy instead, or it may overwrite them, and use this script for single
machines.

.PARAMETER Gateway
The gateway's name, exactly as it stands in the address that clients use. Several may be given.

.PARAMETER LocalAccounts
Also allow delegation where the gateway proves itself by NTLM alone.

.PARAMETER CaCertificate
A file with the certificate of the authority that signed the gateway's certificate (tls/ca.pem of `init`).

.PARAMETER Undo
Take back what earlier runs added, for all gateways.

.EXAMPLE
.\client.ps1 -Gateway gw01.example.com -LocalAccounts -CaCertificate .\ca.pem -WhatIf

Shows what would be changed, and changes nothing.

.EXAMPLE
.\client.ps1 -Gateway gw01.example.com -LocalAccounts -CaCertificate .\ca.pem

For a small site: the gateway's own accounts, and the authority that `sekisho-gateway init` made.

.EXAMPLE
.\client.ps1 -Gateway gw01.example.com, gw02.example.com

For accounts of a domain, with a certificate that this machine trusts already.

.EXAMPLE
.\client.ps1 -Undo

.NOTES
Made for Windows PowerShell 5.1 and later, in an elevated window. Its syntax was checked by PowerShell's own parser,
and its steps were tried against stand-ins of the Windows commands; it was NOT run on a live Windows.
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Apply')]
param(
    [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Apply')]
    [ValidatePattern('^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$')]
    [string[]] $Gateway,

    [Parameter(ParameterSetName = 'Apply')]
    [switch] $LocalAccounts,

    [Parameter(ParameterSetName = 'Apply')]
    [string] $CaCertificate,

    [Parameter(Mandatory = $true, ParameterSetName = 'Undo')]
    [switch] $Undo
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$StatePath = 'HKLM:\SOFTWARE\Sekisho\Client'
$PolicyPath = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CredentialsDelegation'
$CredSspPath = 'WSMan:\localhost\Client\Auth\CredSSP'
$RootStore = 'Cert:\LocalMachine\Root'
$Fresh = 'AllowFreshCredentials'
$NtlmOnly = 'AllowFreshCredentialsWhenNTLMOnly'
$NtlmOnlyDefaults = 'ConcatenateDefaults_AllowFreshNTLMOnly'

# --- The registry ---------------------------------------------------------------------------------------------------

# A value, or nothing when the key or the value is not there.
function Read-Value([string] $Path, [string] $Name) {
    if (-not (Test-Path -LiteralPath $Path)) { return $null }
    $key = Get-ItemProperty -LiteralPath $Path
    $property = $key.PSObject.Properties[$Name]
    if ($null -eq $property) { return $null }
    return , $property.Value
}

function Write-Value([string] $Path, [string] $Name, $Value, [string] $Type) {
    if (-not (Test-Path -LiteralPath $Path)) {
        New-Item -Path $Path -Force -Confirm:$false | Out-Null
    }
    New-ItemProperty -LiteralPath $Path -Name $Name -Value $Value -PropertyType $Type -Force -Confirm:$false | Out-Null
}

function Remove-Value([string] $Path, [string] $Name) {
    if ($null -ne (Read-Value $Path $Name)) {
        Remove-ItemProperty -LiteralPath $Path -Name $Name -Force -Confirm:$false
    }
}

# What earlier runs added: lines "kind|what".
function Read-Change {
    return @(Read-Value $StatePath 'Changes' | ForEach-Object { $_ } | Where-Object { $_ })
}

function Add-Change([string] $Change) {
    $changes = @(Read-Change)
    if ($changes -notcontains $Change) {
        Write-Value $StatePath 'Changes' ([string[]] ($changes + $Change)) 'MultiString'
    }
}

function Remove-Change([string] $Change) {
    $rest = @(Read-Change | Where-Object { $_ -ne $Change })
    if ($rest.Count -gt 0) {
        Write-Value $StatePath 'Changes' ([string[]] $rest) 'MultiString'
    } else {
        Remove-Item -LiteralPath $StatePath -Force -Confirm:$false
    }
}

# --- The lists of the policy: a key with values named 1, 2, 3 ... ---------------------------------------------------

function Read-List([string] $List) {
    $path = "$PolicyPath\$List"
    if (-not (Test-Path -LiteralPath $path)) { return }
    $key = Get-ItemProperty -LiteralPath $path
    foreach ($property in $key.PSObject.Properties) {
        if ($property.Name -match '^\d+$') {
            New-Object -TypeName PSObject -Property @{ Name = $property.Name; Entry = [string] $property.Value }
        }
    }
}

function Test-Entry([string] $List, [string] $Entry) {
    return @(Read-List $List | Where-Object { $_.Entry -eq $Entry }).Count -gt 0
}

function Add-Entry([string] $List, [string] $Entry) {
    $used = @(Read-List $List | ForEach-Object { $_.Name })
    $number = 1
    while ($used -contains [string] $number) { $number++ }
    Write-Value "$PolicyPath\$List" ([string] $number) $Entry 'String'
}

function Remove-Entry([string] $List, [string] $Entry) {
    foreach ($found in @(Read-List $List | Where-Object { $_.Entry -eq $Entry })) {
        Remove-Value "$PolicyPath\$List" $found.Name
    }
}

# --- WinRM ----------------------------------------------------------------------------------------------------------

# The WSMan drive works only while the WinRM service runs; on clients it often does not. It runs for this script then.
function Start-WinRmForNow {
    $service = Get-Service -Name WinRM
    if ($service.Status -eq 'Running') { return $false }
    if (-not $PSCmdlet.ShouldProcess('WinRM service', 'Start for the time of this script')) { return $false }
    Start-Service -Name WinRM -Confirm:$false
    return $true
}

function Test-CredSspClient {
    if ((Get-Service -Name WinRM).Status -ne 'Running') { return $false }
    return (Get-Item -LiteralPath $CredSspPath).Value -eq 'true'
}

# --- Applying -------------------------------------------------------------------------------------------------------

# Reads the file before anything is changed: a wrong one stops the script.
function Read-Authority([string] $Path) {
    $full = (Resolve-Path -LiteralPath $Path).ProviderPath
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($full)
    $constraints = $certificate.Extensions | Where-Object { $_.Oid.Value -eq '2.5.29.19' }
    if (-not $constraints -or -not $constraints.CertificateAuthority) {
        throw "$Path is not the certificate of an authority; give the file that signed the gateway's certificate"
    }
    $read = @{ File = $full; Thumbprint = $certificate.Thumbprint; Subject = $certificate.Subject }
    return New-Object -TypeName PSObject -Property $read
}

function Add-Authority($Authority) {
    if (Test-Path -LiteralPath "$RootStore\$($Authority.Thumbprint)") {
        Write-Verbose "$($Authority.Subject) is trusted already"
        return
    }
    $shown = "$($Authority.Subject) ($($Authority.Thumbprint))"
    if ($PSCmdlet.ShouldProcess($shown, 'Trust this authority on this machine')) {
        # Noted first: what is noted and not there does no harm at -Undo, the other way round it would stay for ever.
        Add-Change "authority|$($Authority.Thumbprint)"
        Import-Certificate -FilePath $Authority.File -CertStoreLocation $RootStore -Confirm:$false | Out-Null
    }
}

function Add-Delegation([string] $Name) {
    $entry = "WSMAN/$Name"
    $there = Test-Entry $Fresh $entry
    $on = Test-CredSspClient
    if ($there -and $on) {
        Write-Verbose "$entry may be delegated to already"
        return
    }
    if ($PSCmdlet.ShouldProcess($entry, 'Enable CredSSP and allow delegating fresh credentials')) {
        if (-not $on) { Add-Change 'credssp|client' }
        if (-not $there) { Add-Change "entry|$Fresh|$entry" }
        Enable-WSManCredSSP -Role Client -DelegateComputer $Name -Force | Out-Null
    }
}

function Add-NtlmOnly([string] $Name) {
    $entry = "WSMAN/$Name"
    if ((Test-Entry $NtlmOnly $entry) -and (Read-Value $PolicyPath $NtlmOnly) -eq 1) {
        Write-Verbose "$entry may be delegated to by NTLM already"
        return
    }
    if ($PSCmdlet.ShouldProcess($entry, 'Allow delegating fresh credentials with NTLM-only server authentication')) {
        if (-not (Test-Entry $NtlmOnly $entry)) {
            Add-Change "entry|$NtlmOnly|$entry"
            Add-Entry $NtlmOnly $entry
        }
        foreach ($flag in $NtlmOnly, $NtlmOnlyDefaults) {
            $before = Read-Value $PolicyPath $flag
            if ($before -eq 1) { continue }
            if ($null -eq $before) { Add-Change "switch|$flag" } else { Add-Change "number|$flag|$before" }
            Write-Value $PolicyPath $flag 1 'DWord'
        }
    }
}

function Invoke-Apply {
    $authority = $null
    if ($CaCertificate) { $authority = Read-Authority $CaCertificate }
    $started = Start-WinRmForNow
    try {
        if ($authority) { Add-Authority $authority }
        foreach ($name in $Gateway) {
            Add-Delegation $name
            if ($LocalAccounts) { Add-NtlmOnly $name }
        }
    } finally {
        if ($started) { Stop-Service -Name WinRM -Confirm:$false }
    }
    if ($WhatIfPreference) { return }
    foreach ($name in $Gateway) {
        Write-Output "Ready for $name. For a target called web01:"
        Write-Output "    winrs -r:https://${name}:5986/wsman/web01 -ad -u:NAME hostname"
    }
}

# --- Undoing --------------------------------------------------------------------------------------------------------

function Undo-Entry([string] $Change, [string] $List, [string] $Entry) {
    if ($PSCmdlet.ShouldProcess("$List\$Entry", 'Remove')) {
        Remove-Entry $List $Entry
        Remove-Change $Change
        if ($List -eq $Fresh -and (Read-Change) -notcontains 'credssp|client') { Show-LocalPolicy }
    }
}

# The entries of a list that no earlier run of this script added.
function Read-Other([string] $List) {
    $ours = @(Read-Change)
    $entries = @(Read-List $List | ForEach-Object { $_.Entry })
    return @($entries | Where-Object { $ours -notcontains "entry|$List|$_" })
}

function Show-LocalPolicy {
    Write-Warning 'Look in gpedit.msc (System, Credentials Delegation): what is left of the gateway there comes back'
}

# Enable-WSManCredSSP writes its entries into the local Group Policy too, from where only Disable-WSManCredSSP takes
# them out: all of them, also those of others. So it is called only when no others are left.
function Undo-CredSsp([string] $Change) {
    $others = @(Read-Other $Fresh | Where-Object { $_ -like 'WSMAN/*' })
    if ($others.Count -gt 0) {
        Write-Warning "CredSSP stays on for the WinRM client, since it may delegate to others: $($others -join ', ')"
        Show-LocalPolicy
        return
    }
    if ($PSCmdlet.ShouldProcess('WinRM client', 'Disable CredSSP')) {
        Disable-WSManCredSSP -Role Client
        Remove-Change $Change
    }
}

function Undo-Switch([string] $Change, [string] $Name, $Before) {
    if (@(Read-Other $NtlmOnly).Count -gt 0) {
        Write-Warning "$Name stays, since entries of others need it"
        return
    }
    if ($PSCmdlet.ShouldProcess("$PolicyPath\$Name", 'Put back')) {
        if ($null -eq $Before) {
            Remove-Value $PolicyPath $Name
        } else {
            Write-Value $PolicyPath $Name ([int] $Before) 'DWord'
        }
        Remove-Change $Change
    }
}

function Undo-Authority([string] $Change, [string] $Thumbprint) {
    if ($PSCmdlet.ShouldProcess($Thumbprint, 'No longer trust this authority')) {
        $path = "$RootStore\$Thumbprint"
        if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Confirm:$false }
        Remove-Change $Change
    }
}

function Undo-Change([string] $Change) {
    $parts = $Change.Split('|')
    switch ($parts[0]) {
        'entry' { Undo-Entry $Change $parts[1] $parts[2] }
        'switch' { Undo-Switch $Change $parts[1] $null }
        'number' { Undo-Switch $Change $parts[1] $parts[2] }
        'credssp' { Undo-CredSsp $Change }
        'authority' { Undo-Authority $Change $parts[1] }
        default { Write-Warning "This version does not know what to do about: $Change" }
    }
}

function Invoke-Undo {
    $changes = @(Read-Change)
    if ($changes.Count -eq 0) {
        Write-Output 'There is nothing to undo: no run of this script has changed anything'
        return
    }
    $started = Start-WinRmForNow
    try {
        # Entries first: whether the switches can go depends on what is left.
        foreach ($kind in 'entry', 'switch', 'number', 'credssp', 'authority') {
            foreach ($change in @($changes | Where-Object { $_.Split('|')[0] -eq $kind })) { Undo-Change $change }
        }
    } finally {
        if ($started) { Stop-Service -Name WinRM -Confirm:$false }
    }
}

if ($Undo) { Invoke-Undo } else { Invoke-Apply }

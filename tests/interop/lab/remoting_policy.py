"""The policy of the tests of PowerShell remoting: commands of Windows' own, and those that the independent target has."""

from .policy import POLICY

REMOTING = (
    POLICY
    + r"""
[roles.sessions]
description = "What a session of PowerShell's can do on the independent target"
powershell = "constant-commands"
cmdlets = [
    "Get-Service",
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["Spooler", "W32Time"] }, "Force"] },
    "Get-Date", "Get-ComputerInfo", "Start-Sleep", "Select-Object",
    "Write-Output", "Write-Warning", "Write-Error", "Write-Verbose", "Write-Debug", "Write-Host", "Write-Progress",
    "Write-Information",
    "Show-Args", "Throw-Error", "Write-Text", "Write-Many", "Write-Line", "Read-Input", "Read-First", "Big-Output",
    "New-Password", "New-Credential", "Request-HostCall", "Request-Nothing",
    { name = "Set-Secret", parameters = ["Name", { name = "Value", secret = true }] },
    { name = "Test-Password", parameters = [{ name = "Password", secure = true }] },
    { name = "Test-Credential", parameters = [{ name = "Credential", secure = true }] },
]

[roles.asking]
description = "Commands that may ask the user"
cmdlets = [
    { name = "Read-Host", prompts = true },
    { name = "Get-Credential", prompts = true },
    { name = "Select-Choice", prompts = true },
]

[roles.silent]
description = "The same, that may not"
cmdlets = ["Read-Host", "Get-Credential", "Select-Choice"]

[[catalog.commands]]
name = "Write-Text"
parameters = [{ name = "Size", type = "int" }]

[[catalog.commands]]
name = "Write-Many"
parameters = [{ name = "Count", type = "int" }]

[[catalog.commands]]
name = "Write-Line"
parameters = [{ name = "Text", type = "string", position = 0 }]

[[catalog.commands]]
name = "Big-Output"
parameters = [{ name = "Count", type = "int", position = 0 }]

[[catalog.commands]]
name = "Read-Input"
parameters = [{ name = "InputObject", type = "object", pipeline = ["value"] }]

[[catalog.commands]]
name = "Read-First"
parameters = [{ name = "InputObject", type = "object", pipeline = ["value"] }]

[[catalog.commands]]
name = "New-Password"
parameters = []

[[catalog.commands]]
name = "New-Credential"
parameters = []

[[catalog.commands]]
name = "Request-Nothing"
parameters = []

[[catalog.commands]]
name = "Select-Choice"
parameters = []

[[catalog.commands]]
name = "Request-HostCall"
parameters = [{ name = "Method", type = "int" }]

[[catalog.commands]]
name = "Test-Password"
parameters = [{ name = "Password", type = "System.Security.SecureString" }]

[[catalog.commands]]
name = "Test-Credential"
parameters = [{ name = "Credential", type = "System.Management.Automation.PSCredential" }]

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['*']
roles = ["sessions", "asking"]

[[assignments]]
principals = ['GATEWAY\other']
targets = ['*']
roles = ["sessions", "silent"]
"""
)

"""The policy of the interop tests."""

WINDOWS = r"C:\Windows\System32"

POLICY = r"""
[roles.operator]
description = "Each program that the independent target has, but for interpreters"

[[roles.operator.programs]]
name = "hostname"
path = 'C:\Windows\System32\hostname.exe'

[[roles.operator.programs]]
name = "whoami"
path = 'C:\Windows\System32\whoami.exe'
arguments = { exact = [[], ['/user'], ['/groups', '/fo', 'csv']] }

[[roles.operator.programs]]
name = "bigout"
path = 'C:\Lab\bigout.exe'
arguments = { each = ['[0-9]{1,8}'], max = 1 }

[[roles.operator.programs]]
name = "cat"
path = 'C:\Lab\cat.exe'
stdin = true

[[roles.operator.programs]]
name = "exit"
path = 'C:\Lab\exit.exe'
arguments = { each = ['-?[0-9]{1,10}'], max = 1 }

[[roles.operator.programs]]
name = "sleep"
path = 'C:\Lab\sleep.exe'
arguments = { each = ['[0-9]{1,3}(\.[0-9]{1,3})?'], max = 1 }

[[roles.operator.programs]]
name = "stderr"
path = 'C:\Lab\stderr.exe'
arguments = { each = ['[a-z]{1,20}'], max = 4 }

[[roles.operator.programs]]
name = "both"
path = 'C:\Lab\both.exe'

[[roles.operator.programs]]
name = "show-args"
path = 'C:\Program Files\Lab\show-args.exe'
arguments = { each = ['[A-Za-z0-9 ._:=/\\-]{0,100}'], max = 20 }

[[roles.operator.programs]]
name = "set-password"
path = 'C:\Lab\set-password.exe'
arguments = { each = ['[a-z]{1,20}', { pattern = '/to:[A-Za-z0-9-]{1,40}', secret = true }], max = 2 }

[roles.reader]
[[roles.reader.programs]]
name = "hostname"
path = 'C:\Windows\System32\hostname.exe'

[roles.services]
description = "Commands that clients wrap into a line of PowerShell's"
powershell = "constant-commands"
cmdlets = [
    "Show-Args",
    "Throw-Error",
    { name = "Get-Service", parameters = ["Name"] },
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["Spooler", "W32Time"] }, "Force"] },
    { name = "Set-Secret", parameters = ["Name", { name = "Value", secret = true }] },
]

# What the independent target has beside Windows' own.
[catalog]
mode = "extend"

[[catalog.commands]]
name = "Show-Args"
module = "Lab"
parameters = [{ name = "Text", type = "string[]", position = 0 }, { name = "Flag", switch = true }]

[[catalog.commands]]
name = "Throw-Error"
module = "Lab"
parameters = [{ name = "Message", type = "string", position = 0 }]

[[catalog.commands]]
name = "Set-Secret"
module = "Lab"
parameters = [{ name = "Name", type = "string" }, { name = "Value", type = "string" }]

[[assignments]]
principals = ['GATEWAY\scripter']
targets = ['web*']
roles = ["services"]

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['web*', 'db*']
roles = ["operator"]

[[assignments]]
principals = ['GATEWAY\other']
targets = ['web01']
roles = ["operator"]

[[assignments]]
principals = ['GATEWAY\viewers']
tags = ["web"]
roles = ["reader"]
"""

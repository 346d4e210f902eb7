"""PowerShell remoting of stock clients, all the way to the independent target and back."""

import pytest
from pypsrp.client import Client
from pypsrp.powershell import PowerShell, PSInvocationState, RunspacePool

from lab.accounts import PASSWORD
from lab.clients import Pypsrp
from lab.policy import POLICY

PYPSRP = Pypsrp("pypsrp")

POWERSHELL = POLICY + r"""
[roles.shell]
cmdlets = [
    'Get-Service',
    { name = 'Restart-Service', parameters = [{ name = 'Name', validate_set = ['Spooler'] }, 'Force'] },
    'Get-Date', 'Get-ComputerInfo', 'Start-Sleep', 'Write-Output', 'Write-Warning', 'Write-Error', 'Write-Verbose',
    'Write-Host', 'Select-Object',
]

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['*']
roles = ['shell']
"""


@pytest.fixture
def remoting(another):
    return another(policy=POWERSHELL)


def test_a_command_runs(remoting):
    with PYPSRP.wsman(remoting.where("https"), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").add_parameter("Name", "Spooler")
        output = shell.invoke()
        assert shell.state == PSInvocationState.COMPLETED, shell.streams.error
        assert [str(o) for o in output] == ["Spooler"]


def test_a_denied_command_fails_as_an_error_and_the_session_goes_on(remoting):
    with PYPSRP.wsman(remoting.where("https"), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Restart-Service").add_parameter("Name", "Dnscache")
        shell.invoke()
        [error] = shell.streams.error
        assert (shell.state, shell.had_errors) == (PSInvocationState.FAILED, True)
        assert "validate_set" in str(error) or "Spooler" in str(error), str(error)
        assert error.fq_error == "SekishoPolicyDenied"
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").add_parameter("Name", "Spooler")
        assert [str(o) for o in shell.invoke()] == ["Spooler"]


def test_execute_ps(remoting):
    with Client(
        "127.0.0.1",
        port=remoting.where("https").port,
        path="wsman/web01",
        username="ops",
        password=PASSWORD,
        auth="credssp",
        cert_validation=str(remoting.where("https").ca),
        no_proxy=True,
    ) as client:
        output, streams, had_errors = client.execute_ps("Get-Service -Name Spooler")
        print(output, streams.error)
        assert not had_errors and "Spooler" in output

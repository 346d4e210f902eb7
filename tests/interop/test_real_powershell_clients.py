"""Python's client at one end and real PowerShell at the other: text on an endpoint without a language, and what would
bring a target's PowerShell down."""

import pytest
from pypsrp.client import Client
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from engine_target.pipelines import statements
from lab.accounts import PASSWORD
from lab.clients import Pypsrp

PYPSRP = Pypsrp("pypsrp")


def ran(engines):
    asked = engines.targets.seen("psrp", way="gateway", type="CREATE_PIPELINE")
    return [statement for event in asked for statement in statements(event["clixml"])]


def executed(engines, target, text):
    where = engines.where(target=target)
    client = Client(
        where.host,
        port=where.port,
        ssl=True,
        path=where.path,
        username="ops",
        password=PASSWORD,
        auth="credssp",
        cert_validation=str(where.ca),
        no_proxy=True,
    )
    with client:
        return client.execute_ps(text)


def test_text_runs_where_there_is_no_language(engines):
    """The endpoint refuses every script; what the gateway makes of one is none."""
    with PYPSRP.wsman(engines.where(target="jea01"), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_script("Restart-Service -Force -Name Spooler")
        shell.invoke()
        assert not shell.had_errors
        shell = PowerShell(pool)
        shell.add_script("Get-Service Spooler")
        [service] = shell.invoke()
    assert service.extended_properties["Name"] == "Spooler"
    assert ran(engines) == [
        [("Restart-Service", False, [("Force", True), ("Name", "Spooler")])],
        [("Get-Service", False, [("Name", "Spooler")])],
    ]


@pytest.mark.parametrize("target", ["web01", "jea01"])
def test_text_output_comes_from_either_endpoint(engines, target):
    """A full endpoint has an Out-String; for a restricted one the gateway makes the text itself."""
    output, streams, had_errors = executed(engines, target, "Get-Service Spooler")
    assert not had_errors and not streams.error
    assert "Spooler" in output and "Running" in output
    [statement] = ran(engines)
    names = [name.rpartition("\\")[2] for name, _, _ in statement]
    assert names == (["Get-Service", "Out-String"] if target == "web01" else ["Get-Service"])


@pytest.mark.parametrize("target", ["web01", "jea01"])
def test_a_denial_is_what_execute_ps_shows(engines, target):
    _, streams, had_errors = executed(engines, target, "Stop-Computer")
    assert had_errors and ran(engines) == []
    [error] = streams.error
    assert error.fq_error == "SekishoPolicyDenied" and "none of your roles on this target" in str(error)


def asked(pool, name):
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Service").add_parameter(name, "Spooler")
    return shell.invoke(), shell


# A parameter without a name ends the whole process of PowerShell that binds it; the rest binds what it is not.
NAMES = [
    "-",
    "--",
    "-:",
    "- ",
    " ",
    "\u2013",
    "\u200dName",
    "--Name",
    "Name ",
    "-Name: ",
    "Na\u00adme",
    "Nam\u00e9",
]


@pytest.mark.parametrize("target", ["web01", "jea01"])
def test_no_name_of_a_parameter_does_any_harm(engines, target):
    """Each is refused, or leaves as the one parameter that it can mean; the target lives on."""
    refused = []
    with PYPSRP.wsman(engines.where(target=target), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        for name in NAMES:
            _, shell = asked(pool, name)
            if shell.had_errors:
                assert shell.streams.error[-1].fq_error == "SekishoPolicyDenied", repr(name)
                refused.append(name)
        assert len(asked(pool, "Name")[0]) == 1
    assert len(refused) >= 9, refused
    got = ran(engines)
    assert len(got) == len(NAMES) - len(refused) + 1
    assert all(arguments == [("Name", "Spooler")] for [(_, _, arguments)] in got), got


def test_a_parameter_without_a_name_breaks_the_session_and_not_the_target(engines):
    with PYPSRP.wsman(engines.where(), "ops", PASSWORD) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        with pytest.raises(WSManFaultError, match="cannot be read, and the shell is closed"):
            asked(pool, "")
    assert ran(engines) == []
    assert engines.targets.seen("labbug") == []
    engines.targets.nothing_left()

"""What policy forbids: the user sees why, the audit too, and the session goes on."""

import pytest
from pypsrp.complex_objects import CommandType, RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from lab.accounts import PASSWORD
from lab.psrp import (
    PERMISSION_DENIED,
    PYPSRP,
    RESOURCE_BUSY,
    command,
    completed,
    refused,
    run,
    script,
    session,
)
from lab.remoting_policy import REMOTING

ACCESS_DENIED = 5
UNSUPPORTED, INVALID_RESOURCE, NO_SUCH_SHELL = 2150858818, 2150858811, 2150858843


def goes_on(pool):
    assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("Restart-Service", {"Name": "Dnscache"}, "Spooler"),
        ("Restart-Service", {"DisplayName": "Print Spooler"}, "DisplayName"),
        ("Stop-Service", {"Name": "Spooler"}, "none of your roles"),
        ("Get-Service", {"OutVariable": "x"}, "OutVariable"),
        ("Get-Service", {"NoSuch": "x"}, "does not have"),
        ("no-such-command", {}, "none of your roles"),
        ("Invoke-Expression", {"Command": "Get-Service"}, "none of your roles"),
        ("__Set-PSDebugMode", {"Mode": 1}, "debugging"),
        ("C:\\Windows\\System32\\net.exe", {}, "allow"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_command_that_is_not_allowed(remoting, name, parameters, says):
    with session(remoting) as pool:
        error = refused(command(pool, name, **parameters))
        assert says in str(error), str(error)
        assert (error.fq_error, error.category) == ("SekishoPolicyDenied", PERMISSION_DENIED)
        assert error.target_name in (name, None, "") and error.exception is not None
        remoting.nothing_ran()
        goes_on(pool)
    line = remoting.audited("denial", principal="GATEWAY\\ops", target="web01")
    assert line["policy"] and line["session"] and line["command"]
    # What nobody has judged does not stand there as it is.
    assert not any(value in str(line) for value in ("Dnscache", "Print Spooler"))


@pytest.mark.parametrize(
    "text",
    [
        "Get-Service | ForEach-Object { $_.Stop() }",
        "$x = Get-Service",
        "& whoami",
        "Get-Service; Stop-Service Spooler",
        "[System.IO.File]::ReadAllText('C:\\x')",
        "Get-Service -Name $env:PATH",
        'Get-Service -Name "$(whoami)"',
        "Get-Service > C:\\x",
        "iex 'Get-Service'",
        "function Get-Service { whoami }",
        "Get-Service --% -Name x",
        "Get-Service &",
        " ",
        "\x00",
    ],
)
def test_a_script_that_is_not_allowed(remoting, text):
    with session(remoting) as pool:
        error = refused(script(pool, text))
        assert (error.fq_error, error.category) == ("SekishoPolicyDenied", PERMISSION_DENIED), str(error)
        assert str(error)
        remoting.nothing_ran()
        goes_on(pool)
    remoting.audited("denial")


def test_no_statement_runs_when_one_is_denied(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Get-Service", Name="Spooler").add_statement()
        shell.add_cmdlet("Stop-Service").add_parameter("Name", "Spooler").add_statement()
        shell.add_cmdlet("Get-Date")
        refused(shell)
        assert shell.output == []
        remoting.nothing_ran()
        goes_on(pool)


def test_a_denial_in_the_audit_and_what_ran_beside_it(remoting):
    with session(remoting) as pool:
        refused(command(pool, "Restart-Service", Name="Dnscache"))
        run(pool, "Restart-Service", Name="spooler", Force=None)
    denial = remoting.audited("denial")
    assert denial["rule"] == "sessions/Restart-Service"
    [[denied]] = denial["commands"]
    assert denied["name"] == "Restart-Service"
    line = remoting.audited("command")
    assert line["commands"] == [
        [
            {
                "name": "Restart-Service",
                "role": "sessions",
                "rule": "Restart-Service",
                "parameters": [{"name": "Name", "value": "spooler"}, {"name": "Force", "value": True}],
            }
        ]
    ]
    result = remoting.audited("result")
    assert (result["outcome"], result["command"]) == ("completed", {**line["command"], **result["command"]})
    assert result["stdout_bytes"] == 0 and result["stderr_bytes"] > 0
    assert remoting.gateway.verify().returncode == 0


def test_a_policy_that_changes_binds_the_next_command(another):
    path = another(policy=REMOTING)
    with session(path) as pool:
        run(pool, "Restart-Service", Name="Spooler")
        text = path.gateway.policy_file.read_text()
        path.gateway.policy_file.write_text(text.replace('["Spooler", "W32Time"]', '["W32Time"]'))
        path.gateway.reload()
        path.audited("reload", outcome="taken")
        assert "W32Time" in str(refused(command(pool, "Restart-Service", Name="Spooler")))
        goes_on(pool)


def test_somebody_without_a_role_opens_no_session(remoting):
    with PYPSRP.wsman(remoting.where("http"), "nobody", PASSWORD) as wsman:
        wsman.get_server_config()
        with pytest.raises(WSManFaultError) as fault:
            RunspacePool(wsman).open()
    assert fault.value.reason
    remoting.nothing_reached_a_target()


def test_rates_are_told_as_such(another):
    rates = """
logins_per_address = { per_minute = 60000, burst = 6000 }
commands_per_principal = { per_minute = 1, burst = 3 }
commands_per_target = { per_minute = 60000, burst = 6000 }
"""
    path = another(policy=REMOTING, rates=rates)
    with session(path) as pool:
        goes_on(pool)
        shells = [command(pool, "Get-Service", Name="Spooler") for _ in range(4)]
        for shell in shells:
            shell.invoke()
        error = shells[-1].streams.error[-1]
        assert (error.fq_error, error.category) == ("SekishoLimited", RESOURCE_BUSY)
        assert "try again" in str(error)
    assert 1 <= len(path.targets.seen("pipeline")) <= 3


def test_commands_that_run_side_by_side_are_limited(another):
    path = another(policy=REMOTING, limits="connections_per_address = 1000\ncommands_per_shell = 2\n")
    with session(path) as pool:
        slow = [command(pool, "Start-Sleep", Seconds=300) for _ in range(2)]
        for one in slow:
            one.begin_invoke()
        with pytest.raises(WSManFaultError) as fault:
            command(pool, "Get-Date").begin_invoke()
        assert fault.value.code == 2150859174
        slow[0].stop()
        goes_on(pool)


# ---- the session itself
@pytest.mark.parametrize(
    "name", ["PowerShell.7", "Microsoft.PowerShell32", "Elsewhere", "Microsoft.Exchange"]
)
def test_a_session_configuration_that_the_target_does_not_offer(remoting, name):
    with pytest.raises(WSManFaultError) as fault:
        with session(remoting, scheme="http", pool={"configuration_name": name}):
            pass
    assert fault.value.code == INVALID_RESOURCE and "configurations" in fault.value.reason
    remoting.nothing_reached_a_target()


def test_a_session_configuration_by_its_name_in_any_case(another):
    path = another(policy=REMOTING, target_extra='configurations = ["Microsoft.PowerShell", "Lab.Jea"]\n')
    with session(path, pool={"configuration_name": "lab.JEA"}) as pool:
        goes_on(pool)
    [shell] = path.targets.seen("shell", op="create")
    assert shell["uri"].endswith("/Lab.Jea")


def test_disconnecting_is_refused_and_the_session_goes_on(remoting):
    with session(remoting) as pool:
        with pytest.raises(WSManFaultError) as fault:
            pool.disconnect()
        assert fault.value.code == UNSUPPORTED and fault.value.reason
        goes_on(pool)


@pytest.mark.parametrize("new", [False, True])
def test_connecting_again_is_refused(remoting, new):
    with session(remoting) as pool:
        with PYPSRP.wsman(remoting.where(), "ops", PASSWORD) as wsman:
            wsman.get_server_config()
            other = RunspacePool(wsman)
            other.id = other.shell.id = pool.id
            other._new_client, other.state = new, RunspacePoolState.DISCONNECTED
            with pytest.raises(WSManFaultError) as fault:
                other.connect()
        assert fault.value.code == UNSUPPORTED and fault.value.reason
        goes_on(pool)


def test_listing_sessions_is_refused(remoting):
    with PYPSRP.wsman(remoting.where(), "ops", PASSWORD) as wsman:
        wsman.get_server_config()
        with pytest.raises(WSManFaultError) as fault:
            RunspacePool.get_runspace_pools(wsman)
    assert fault.value.code == ACCESS_DENIED and "shells only" in fault.value.reason


def test_a_pool_has_one_runspace_whatever_its_client_asks_for(remoting):
    with session(remoting, pool={"min_runspaces": 3, "max_runspaces": 9}) as pool:
        assert pool.get_available_runspaces() == 1
        with pytest.raises(Exception):
            pool.max_runspaces = 20
        goes_on(pool)
    told = "".join(m["text"] for m in remoting.targets.seen("message", kind="INIT_RUNSPACEPOOL"))
    assert '<I32 N="MaxRunspaces">1</I32>' in told and '<I32 N="MinRunspaces">1</I32>' in told


def test_a_session_is_not_reset(remoting):
    with session(remoting) as pool:
        with pytest.raises(Exception):
            pool.reset_runspace_state()
        goes_on(pool)


def test_a_nested_pipeline_is_refused(remoting):
    with session(remoting) as pool:
        shell = PowerShell(pool)
        shell.is_nested = True
        shell.add_cmdlet("Get-Date")
        error = refused(shell)
        assert "inside of another" in str(error)
        goes_on(pool)


def test_another_users_session_is_not_there(remoting):
    with session(remoting) as pool:
        with PYPSRP.wsman(remoting.where(), "other", PASSWORD) as wsman:
            wsman.get_server_config()
            theirs = RunspacePool(wsman)
            theirs.id = theirs.shell.id = pool.id
            theirs.shell._selector_set = pool.shell._selector_set
            theirs.shell.opened, theirs.state = True, pool.state
            theirs.protocol_version = pool.protocol_version
            with pytest.raises(WSManFaultError) as fault:
                command(theirs, "Get-Date").invoke()
        assert fault.value.code == NO_SUCH_SHELL
        goes_on(pool)


# ---- what is allowed
def test_the_commands_that_are_allowed_are_listed_from_the_policy(remoting):
    with session(remoting) as pool:
        found = {c.name for c in pool.get_command_metadata("*Service*", CommandType.ALL)}
        assert found == {"Get-Service", "Restart-Service"}
        assert pool.get_command_metadata("Stop-Service") == []
        names = {str(c.name) for c in pool.get_command_metadata(["Out-Default", "Exit-PSSession"])}
        assert names == {"Out-Default", "Exit-PSSession"}
    assert not remoting.targets.seen("psmeta", "pipeline")


def test_get_command_shows_what_is_allowed(remoting):
    with session(remoting) as pool:
        output = completed(command(pool, "Get-Command", Name="*-Service"))
        names = {str(c.extended_properties.get("Name", c.adapted_properties.get("Name"))) for c in output}
        assert names == {"Get-Service", "Restart-Service"}
    remoting.nothing_ran()

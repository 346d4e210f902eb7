"""What is not allowed: the client learns why, and no target learns anything."""

import pytest
import winrm.exceptions
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, WinRS

from lab import soap
from lab.accounts import PASSWORD
from lab.clients import CLIENTS, Pypsrp, Pywinrm, credssp_session, invoke
from lab.raw import Raw

PYPSRP, PYWINRM = Pypsrp("pypsrp"), Pywinrm("pywinrm")
ACCESS_DENIED = 5
DENIED = (WSManFaultError, winrm.exceptions.WSManFaultError)


def denied(client, *args, **options):
    """Runs it and gives the reason that the client shows."""
    with pytest.raises(DENIED) as refused:
        client.run(*args, **options)
    fault = refused.value
    code = fault.wsman_fault_code if isinstance(fault, winrm.exceptions.WSManFaultError) else fault.code
    assert code == ACCESS_DENIED
    return fault.reason


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_sees_why(path, client, scheme):
    reason = denied(client, path.where(scheme), "ops", PASSWORD, "shutdown", "/r")
    assert "allow" in reason
    path.nothing_ran()
    path.targets.nothing_left()
    line = path.audited("denial", principal="GATEWAY\\ops", target="web01")
    assert line["policy"] and not path.audit("command", "result")
    # What was asked for stands there by name; its arguments, which nobody has judged, do not.
    assert line["program"]["path"] == "shutdown" and "/r" not in str(line)


@pytest.mark.parametrize(
    "words",
    [
        ["shutdown"],
        ["whoami", "/all"],
        ["hostname", "x"],
        ["bigout", "123456789"],
        ["hostname & whoami"],
        ["hostname", "&", "whoami"],
        ["hostname&whoami"],
        ["hostname | whoami"],
        ["hostname > C:\\x"],
        ["show-args", "%COMSPEC%"],
        ["show-args", "%USERNAME%"],
        ["show-args", "!x!"],
        ["show-args", "a^b"],
        ["show-args", '"odd'],
        ["show-args", 'a"b"'],
        ["show-args", '"a\\"'],
        ["show-args", "a\nwhoami"],
        ["show-args", "a\x00b"],
        ["cmd", "/c", "hostname"],
        ["powershell", "-c", "hostname"],
        ["C:\\Windows\\System32\\..\\System32\\hostname.exe"],
        ["C:/Windows/System32/hostname.exe"],
        ["\\\\host\\share\\hostname.exe"],
        ["hostname.exe:stream"],
        ["hostname.com"],
        [""],
        [" "],
    ],
    ids=lambda words: " ".join(words).encode("unicode_escape").decode(),
)
def test_everything_else_is_refused(path, words):
    session, place = credssp_session(path.where(), "ops", PASSWORD), path.where()
    shell = soap.Answer(session.post(place.url, soap.create())).shell
    body = soap.command(shell, *words).encode()
    answer = soap.Answer(session.post(place.url, body))
    # A zero byte is no XML at all, so that it does not come as far as the policy.
    assert answer.status in (400, 500) if "\x00" in "".join(words) else answer.fault == ACCESS_DENIED
    path.nothing_ran()
    session.post(place.url, soap.delete(shell))
    path.targets.nothing_left()


def test_a_denial_does_not_end_the_shell(path):
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        for _ in range(3):
            with pytest.raises(WSManFaultError):
                invoke(shell, "shutdown")
        assert invoke(shell, "hostname").code == 0
    assert [r["name"].rsplit("\\")[-1] for r in path.targets.seen("run")] == ["hostname.exe"]


def test_groups_give_roles(path):
    assert PYPSRP.run(path.where(), "viewer", PASSWORD, "hostname").code == 0
    assert path.audited("command")["role"] == "reader"
    denied(PYPSRP, path.where(), "viewer", PASSWORD, "whoami")


def test_a_target_that_one_may_not_reach_is_like_one_that_is_not_there(path):
    """Nobody learns the names of targets by asking, and no target hears of somebody without a role."""
    answers = set()
    for user, target in (
        ("nobody", "web01"),
        ("viewer", "db01"),
        ("other", "web02"),
        ("ops", "no-such-target"),
    ):
        session, place = credssp_session(path.where(), user, PASSWORD), path.where(target=target)
        assert session.post(place.url, soap.IDENTIFY).status_code == 200
        answer = soap.Answer(session.post(place.url, soap.create()))
        answers.add((answer.status, answer.fault, answer.reason.replace(target, "TARGET")))
    assert len(answers) == 1, answers
    path.nothing_reached_a_target()


@pytest.mark.parametrize("options", [{"environment": {"PATH": "C:\\x"}}, {"working_directory": "C:\\x"}])
def test_what_changes_a_program_from_outside_is_refused(path, options):
    with pytest.raises(WSManFaultError) as refused:
        with PYPSRP.wsman(path.where(), "ops", PASSWORD) as wsman:
            # So that a refused Create is not the answer to the last leg of the login.
            wsman.get_server_config()
            with WinRS(wsman, **options) as shell:
                invoke(shell, "hostname")
    assert refused.value.code == ACCESS_DENIED
    path.nothing_ran()


@pytest.mark.parametrize("client", [PYPSRP, PYWINRM], ids=lambda c: c.name)
def test_input_for_a_program_that_takes_none_is_refused(path, client):
    denied(client, path.where(), "ops", PASSWORD, "sleep", "1", stdin=b"surprise")
    assert not path.targets.seen("stdin")
    path.targets.nothing_left()


def test_run_ps_of_pywinrm_is_refused(path):
    protocol = PYWINRM.protocol(path.where(), "ops", PASSWORD)
    shell = protocol.open_shell()
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        protocol.run_command(shell, "powershell -encodedcommand aABvAHMAdABuAGEAbQBlAA==")
    assert refused.value.wsman_fault_code == ACCESS_DENIED
    protocol.close_shell(shell)
    path.nothing_ran()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_powershell_session_of_somebody_without_commands_of_its_own_says_why(path, scheme):
    """The roles of this policy have programs alone: a session opens, and everything else in it is denied."""
    with PYPSRP.wsman(path.where(scheme), "viewer", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").invoke()
        [error] = shell.streams.error
    assert error.fq_error == "SekishoPolicyDenied" and "none of your roles" in str(error)
    path.nothing_ran()


WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Process"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Service"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"


@pytest.mark.parametrize(
    ("resource", "action", "body"),
    [
        (
            WMI,
            WMI + "/Create",
            f'<p:Create_INPUT xmlns:p="{WMI}"><p:CommandLine>calc</p:CommandLine></p:Create_INPUT>',
        ),
        (WMI, soap.TRANSFER + "/Get", ""),
        (WMI, ENUMERATION + "/Enumerate", f'<n:Enumerate xmlns:n="{ENUMERATION}"/>'),
        (
            WMI,
            soap.SHELL + "/Command",
            "<rsp:CommandLine><rsp:Command>hostname</rsp:Command></rsp:CommandLine>",
        ),
        (CIM, CIM + "/StopService", f'<p:StopService_INPUT xmlns:p="{CIM}"/>'),
        ("http://schemas.dmtf.org/wbem/wscim/1/*", ENUMERATION + "/Enumerate", ""),
        ("http://schemas.microsoft.com/wbem/wsman/1/windows/EventLog", EVENTING + "/Subscribe", ""),
        ("http://schemas.microsoft.com/wbem/wsman/1/config/listener", ENUMERATION + "/Enumerate", ""),
        ("http://schemas.microsoft.com/wbem/wsman/1/config", soap.TRANSFER + "/Put", ""),
        ("http://schemas.microsoft.com/wbem/wsman/1/config/winrs", soap.TRANSFER + "/Put", ""),
        ("http://schemas.microsoft.com/wbem/wsman/1/windows/EventLog", soap.TRANSFER + "/Create", ""),
        ("http://schemas.microsoft.com/powershell/Microsoft.PowerShell", soap.SHELL + "/Command", ""),
        ("http://schemas.example.com/other/cmd", soap.TRANSFER + "/Create", soap.CREATE),
        (soap.CMD, ENUMERATION + "/Enumerate", ""),
        (soap.CMD, soap.SHELL + "/Disconnect", ""),
    ],
)
def test_only_command_shells_are_served(path, resource, action, body):
    session, place = credssp_session(path.where(), "ops", PASSWORD), path.where()
    assert session.post(place.url, soap.IDENTIFY).status_code == 200
    answer = soap.Answer(session.post(place.url, soap.envelope(action, body, resource=resource)))
    assert answer.status == 500 and answer.fault, answer.status
    path.nothing_reached_a_target()


@pytest.mark.parametrize("resource", [WMI, CIM, soap.CMD + "/x", soap.CMD.upper() + "2", ""])
def test_an_open_shell_is_reached_as_a_shell_only(path, resource):
    """The id of a good shell does not make a Command of something else good."""
    raw = Raw(path.where())
    shell = raw.ask(soap.create()).shell
    answer = raw.ask(soap.command(shell, "hostname", resource=resource))
    assert answer.status == 500 and answer.fault
    path.nothing_ran()
    assert raw.ask(soap.delete(shell)).status == 200


def test_a_policy_that_changes_binds_the_next_command_of_an_open_shell(another):
    path = another()
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        assert invoke(shell, "whoami").code == 0
        text = path.gateway.policy_file.read_text()
        path.gateway.policy_file.write_text(
            text.replace('name = "whoami"', 'name = "other"').replace("whoami.exe", "x.exe")
        )
        path.gateway.reload()
        path.audited("reload", outcome="taken")
        with pytest.raises(WSManFaultError):
            invoke(shell, "whoami")
        path.gateway.policy_file.write_text("roles = 1")
        path.gateway.reload()
        path.audited("reload", outcome="refused")
        assert invoke(shell, "hostname").code == 0


def test_a_command_that_was_never_started_has_no_output(path):
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        process = Process(shell, "hostname", id="11111111-2222-3333-4444-555555555555")
        with pytest.raises(WSManFaultError):
            process.poll_invoke()

"""Commands that stock clients wrap into a line of PowerShell's, through WinRS: judged as commands, and sent anew."""

import base64

import pytest
import winrm
import winrm.exceptions
from pypsrp.exceptions import WSManFaultError

from lab.accounts import PASSWORD
from lab.clients import Pypsrp, Pywinrm, invoke
from test_ansible import ansible

PYPSRP, PYWINRM = Pypsrp("pypsrp"), Pywinrm("pywinrm")
ACCESS_DENIED = 5
POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
OPTIONS = ["-NoProfile", "-NonInteractive", "-EncodedCommand"]


def encoded(script):
    return base64.b64encode(script.encode("utf-16-le")).decode()


def run_ps(path, user, script, options="-encodedcommand"):
    """What pywinrm's Session.run_ps does; its Session cannot be given a path."""
    return PYWINRM.run(path.where(), user, PASSWORD, f"powershell {options} {encoded(script)}")


def denied(path, user, script, **options):
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        run_ps(path, user, script, **options)
    assert refused.value.wsman_fault_code == ACCESS_DENIED
    path.nothing_ran()
    return refused.value.reason


def arrived(path):
    """The text of the commands that the target was given, by its own log."""
    started = path.targets.seen("run", via="winrs")
    assert [(r["name"], r["args"][:-1]) for r in started] == [(POWERSHELL.lower(), OPTIONS)] * len(started)
    return [base64.b64decode(r["args"][-1]).decode("utf-16-le") for r in started]


def ran(path):
    return [
        (r["name"], [(a["n"], a["v"]) for a in r["args"]])
        for r in path.targets.seen("run", via="winrs-powershell")
    ]


def test_run_ps_runs_what_was_judged_and_nothing_of_the_clients_bytes(path):
    done = run_ps(path, "scripter", "  get-service -n:'Spooler'\n")
    assert done.code == 0 and b"Spooler" in done.out
    assert arrived(path) == ["Get-Service -Name:'Spooler'"]
    assert ran(path) == [("Get-Service", [("-Name:", "Spooler")])]
    line = path.audited("command", principal="GATEWAY\\scripter", target="web01")
    assert (line["role"], line["rule"]) == ("services", "Get-Service")
    expected = {"name": "Get-Service", "role": "services", "rule": "Get-Service"}
    assert line["commands"] == [[{**expected, "parameters": [{"name": "Name", "value": "Spooler"}]}]]
    assert "program" not in line
    assert path.audited("result", principal="GATEWAY\\scripter")["exit_code"] == 0


def test_the_session_of_pywinrm_as_people_use_it(path, resolve):
    resolve(["web01.gw.test"])
    session = winrm.Session(
        f"https://web01.gw.test:{path.where().port}",
        auth=("scripter", PASSWORD),
        transport="credssp",
        ca_trust_path=str(path.where().ca),
        proxy=None,
    )
    done = session.run_ps("Restart-Service -Name Spooler -Force")
    assert done.status_code == 0
    assert arrived(path) == ["Restart-Service -Name:'Spooler' -Force:$true"]
    assert session.run_ps("Throw-Error 'not today'").std_err == b"not today"


def test_raw_of_ansible_runs_too(path, tmp_path):
    done = ansible(path, tmp_path, "winrm", "ansible.builtin.raw", "Get-Service Spooler", user="scripter")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Spooler" in done.stdout
    assert arrived(path) == ["Get-Service -Name:'Spooler'"]


def test_pypsrp_may_send_the_words_one_by_one(path):
    words = ["-NoProfile", "-EncodedCommand", encoded("Get-Service -Name Spooler")]
    assert PYPSRP.run(path.where(), "scripter", PASSWORD, "PowerShell.exe", *words).code == 0
    assert arrived(path) == ["Get-Service -Name:'Spooler'"]


def test_the_known_words_of_terraform_and_packer_are_dropped(path):
    run_ps(path, "scripter", "$ProgressPreference = 'SilentlyContinue';Get-Service -Name Spooler")
    assert arrived(path) == ["Get-Service -Name:'Spooler'"]


def test_values_arrive_as_they_were_judged(path):
    odd = "it''s; a | b & c > d %PATH% $(x) `n"
    run_ps(path, "scripter", f"Show-Args -Text '{odd}' -Flag")
    assert ran(path) == [("Show-Args", [("-Text:", odd.replace("''", "'")), ("-Flag:", True)])]


def test_an_error_of_the_target_reaches_the_client_as_it_is(path):
    done = run_ps(path, "scripter", "Throw-Error -Message 'not today'")
    assert done.code == 1
    assert done.err.startswith(b"#< CLIXML") and b"not today" in done.err


@pytest.mark.parametrize("user", ["ops", "other"])
def test_without_such_a_role_the_line_is_a_program_that_no_rule_names(path, user):
    reason = denied(path, user, "Get-Service -Name Spooler")
    assert "none of your roles on this target allows this program" in reason
    line = path.audited("denial", principal=f"GATEWAY\\{user}")
    assert line["program"]["path"] == "powershell" and "commands" not in line


@pytest.mark.parametrize(
    "script, says",
    [
        ("Restart-Service -Name Dns", "Restart-Service is allowed in role services, but"),
        ("Stop-Service -Name Spooler", "allows"),
        ("Get-Service -Name Spooler -ComputerName db01", "Get-Service is allowed in role services, but"),
        ("Get-Service -Name $env:x", "a variable"),
        ("Get-Service -Name Spooler; Get-Service", "statement"),
        ("Get-Service | ForEach-Object { $_.Stop() }", "{"),
        ("& whoami", "&"),
        ("$ErrorActionPreference = 'Stop';Get-Service", "an assignment"),
        ("iex 'whoami'", "allows"),
        ("hostname", "allows"),
    ],
)
def test_what_is_not_allowed_is_denied_with_the_reason(path, script, says):
    reason = denied(path, "scripter", script)
    assert says in reason, reason
    line = path.audited("denial", principal="GATEWAY\\scripter", target="web01")
    # Its values have been judged by nobody.
    assert not any(word in str(line) for word in ("whoami", "db01", "Stop()", "Spooler"))
    assert not path.audit("command")


def test_denied_commands_stand_in_the_audit_by_name(path):
    denied(path, "scripter", "Restart-Service -Name Dns -Force")
    line = path.audited("denial")
    assert line["rule"] == "services/Restart-Service"
    [[command]] = line["commands"]
    assert command["name"] == "Restart-Service"
    assert [p.get("name") for p in command["parameters"]] == ["-Name", None, "-Force"]
    assert set(command["parameters"][1]["value"]) == {"hmac"}


def test_text_that_cannot_be_judged_is_kept_as_its_digest(path):
    script = "Get-Service -Name $secret"
    denied(path, "scripter", script)
    unread = path.audited("denial")["unread"]
    assert unread["bytes"] == len(script) and unread["place"] == script.index("$") and "text" not in unread


def test_a_secret_value_reaches_the_target_and_not_the_audit(path):
    run_ps(path, "scripter", "Set-Secret -Name a -Value hunter2-canary")
    assert arrived(path) == ["Set-Secret -Name:'a' -Value:'hunter2-canary'"]
    line = path.audited("command")
    [[command]] = line["commands"]
    assert command["parameters"][0] == {"name": "Name", "value": "a"}
    assert set(command["parameters"][1]["value"]) == {"hmac"}
    denied_values = "Set-Secret -Name a -Value hunter2-canary -Other x"
    path.targets.forget()
    denied(path, "scripter", denied_values)
    logs = "".join(file.read_text() for file in (path.gateway.folder / "audit").glob("*.jsonl"))
    assert "hunter2-canary" not in logs and encoded("hunter2-canary") not in logs


@pytest.mark.parametrize(
    "options",
    ["-NoExit -EncodedCommand", "-Version 2 -EncodedCommand", "-Command", "-File", "-EncodedArguments", ""],
)
def test_other_options_are_refused_clearly(path, options):
    reason = denied(path, "scripter", "Get-Service -Name Spooler", options=options)
    assert "-EncodedCommand" in reason, reason


def test_an_environment_is_refused_with_it(path):
    line = f"powershell -EncodedCommand {encoded('Get-Service -Name Spooler')}"
    protocol = PYWINRM.protocol(path.where(), "scripter", PASSWORD)
    shell = protocol.open_shell(env_vars={"PSModulePath": "C:\\x"})
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        protocol.run_command(shell, line)
    assert refused.value.wsman_fault_code == ACCESS_DENIED
    protocol.close_shell(shell)
    path.nothing_ran()


def test_nothing_is_let_through_to_its_standard_input(path):
    line = f"powershell -EncodedCommand {encoded('Get-Service -Name Spooler')}"
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        PYWINRM.run(path.where(), "scripter", PASSWORD, line, stdin=b"surprise")
    assert refused.value.wsman_fault_code == ACCESS_DENIED
    assert not path.targets.seen("stdin")


def test_a_policy_that_changes_binds_the_next_command_of_an_open_shell(another):
    path = another()
    line = f"powershell -EncodedCommand {encoded('Restart-Service -Name Spooler')}"
    with PYPSRP.shell(path.where(), "scripter", PASSWORD) as shell:
        assert invoke(shell, line).code == 0
        policy = path.gateway.policy_file.read_text()
        path.gateway.policy_file.write_text(policy.replace('["Spooler", "W32Time"]', '["W32Time"]'))
        path.gateway.reload()
        path.audited("reload", outcome="taken")
        with pytest.raises(WSManFaultError) as refused:
            invoke(shell, line)
        assert refused.value.code == ACCESS_DENIED and "W32Time" in refused.value.reason
        assert invoke(shell, line.replace(encoded("Restart-Service -Name Spooler"), encoded("Get-Service -Name a"))).code is not None
    assert len(arrived(path)) == 2

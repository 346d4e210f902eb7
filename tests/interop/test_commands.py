"""Allowed commands of stock clients, all the way to the target and back."""

import json

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS

from lab import soap
from lab.accounts import PASSWORD
from lab.clients import CLIENTS, Pypsrp, Pywinrm, invoke
from lab.policy import WINDOWS
from lab.raw import Raw

PYPSRP, PYWINRM = Pypsrp("pypsrp"), Pywinrm("pywinrm")
OPERATION_TIMEOUT = 2150858793


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_runs_a_program(path, client, scheme):
    result = client.run(path.where(scheme), "ops", PASSWORD, "hostname")
    assert (result.code, result.out, result.err) == (0, b"target1\r\n", b"")
    [command] = path.targets.seen("command")
    assert command["text"].strip('"') == WINDOWS + r"\hostname.exe"
    assert command["options"]["WINRS_SKIP_CMD_SHELL"].upper() == "FALSE"
    path.targets.nothing_left()
    line = path.audited("command", principal="GATEWAY\\ops", target="web01")
    assert line["program"]["path"] == WINDOWS + r"\hostname.exe"
    assert (line["role"], line["rule"]) == ("operator", "hostname")
    result = path.audited("result")
    assert (result["outcome"], result["exit_code"], result["stdout_bytes"]) == (
        "exit",
        0,
        len(b"target1\r\n"),
    )
    assert line["seq"] < result["seq"] and line["command"]["gateway"] == result["command"]["gateway"]
    assert result["command"]["target"] == command["command"] and result["shell"]["target"] == command["shell"]


@pytest.mark.parametrize(
    ("target", "name", "scheme", "sealed"),
    [
        ("web01", "target1", "negotiate", None),
        ("web02", "target2", "negotiate", True),
        ("db01", "target3", "credssp", None),
    ],
)
def test_each_kind_of_target_is_reached_with_the_clients_own_credential(path, target, name, scheme, sealed):
    assert PYPSRP.run(path.where(target=target), "ops", PASSWORD, "hostname").out == name.encode() + b"\r\n"
    assert PYPSRP.run(path.where(target=target), "ops", PASSWORD, "whoami").out == b"gateway\\ops\r\n"
    for login in path.targets.seen("auth"):
        assert (login["ok"], login["target"], login["scheme"]) == (True, name, scheme)
    if sealed is not None:
        assert {c["encrypted"] for c in path.targets.seen("command")} == {sealed}


def test_a_login_to_a_target_is_bound_to_its_certificate_and_name(path):
    """What a hostile target hears from the gateway is of no use at another one."""
    PYPSRP.run(path.where(target="web01"), "ops", PASSWORD, "hostname")
    ntlm = path.targets.seen("auth")[-1]["ntlm"]
    assert (ntlm["ntlmv2"], ntlm["binding"], ntlm["mic"]) == (True, "right", True)
    assert ntlm["spn"] and "/" in ntlm["spn"]


@pytest.mark.parametrize("user", ["ops", "OPS", "GATEWAY\\ops", ".\\ops", "ops@GATEWAY"])
def test_each_form_of_a_name_leads_to_one_principal(path, user):
    assert PYPSRP.run(path.where(), user, PASSWORD, "hostname").code == 0
    assert path.audited("command")["principal"] == "GATEWAY\\ops"


@pytest.mark.parametrize("spelling", ["hostname", "HostName.EXE", WINDOWS.lower() + r"\hostname.exe"])
def test_a_program_is_sent_as_the_policy_writes_it(path, spelling):
    assert PYPSRP.run(path.where(), "ops", PASSWORD, spelling).code == 0
    assert path.targets.seen("command")[0]["text"].strip('"') == WINDOWS + r"\hostname.exe"


@pytest.mark.parametrize(
    ("words", "arrive"),
    [
        (["one", "two"], ["one", "two"]),
        (["one two"], ["one", "two"]),
        (['"one two"', "three"], ["one two", "three"]),
        (["/x:y", "a=b", '""'], ["/x:y", "a=b", ""]),
        ([], []),
    ],
)
def test_arguments_arrive_as_they_were_judged(path, words, arrive):
    for client in (PYPSRP, PYWINRM):
        result = client.run(path.where(), "ops", PASSWORD, "show-args", *words)
        assert json.loads(result.out) == arrive, client.name
    assert path.audited("command")["program"]["path"] == r"C:\Program Files\Lab\show-args.exe"


def test_an_argument_that_is_secret_is_run_but_not_told(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "set-password", "alice", "/to:Never-seen-1")
    assert path.targets.seen("run")[0]["args"] == ["alice", "/to:Never-seen-1"]
    line = path.audited("command")
    assert "alice" in json.dumps(line) and "Never-seen-1" not in json.dumps(path.audit())
    assert "Never-seen-1" not in path.gateway.program.output.read_text()


@pytest.mark.parametrize("client", [PYPSRP, PYWINRM], ids=lambda c: c.name)
def test_both_outputs_are_kept_apart(path, client):
    both = client.run(path.where(), "ops", PASSWORD, "both")
    assert (both.code, both.out, both.err) == (0, b"to stdout\r\n", b"to stderr\r\n")
    err = client.run(path.where(), "ops", PASSWORD, "stderr", "some", "words")
    assert (err.code, err.out, err.err) == (1, b"", b"some words\r\n")


@pytest.mark.parametrize("client", [PYPSRP, PYWINRM], ids=lambda c: c.name)
@pytest.mark.parametrize("code", [0, 1, 255, -1, 2147483647, -2147483648, -1073741510])
def test_exit_codes_come_back(path, client, code):
    assert client.run(path.where(), "ops", PASSWORD, "exit", str(code)).code == code
    assert path.audited("result")["exit_code"] == code


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("target", ["web01", "web02", "db01"])
@pytest.mark.parametrize("client", [PYPSRP, PYWINRM], ids=lambda c: c.name)
def test_long_output_is_whole(path, client, target, scheme):
    size = 3_000_000
    result = client.run(path.where(scheme, target), "ops", PASSWORD, "bigout", str(size))
    assert result.out == b"0123456789abcdef" * (size // 16)
    assert path.audited("result")["stdout_bytes"] == size


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", [PYPSRP, PYWINRM], ids=lambda c: c.name)
def test_standard_input_arrives(path, client, scheme):
    data = bytes(range(256)) * 300
    assert client.run(path.where(scheme), "ops", PASSWORD, "cat", stdin=data).out == data
    assert path.targets.seen("stdin")[0]["bytes"] == len(data)
    assert path.audited("result")["stdin_bytes"] == len(data)


def test_a_long_poll_ends_with_the_timeout_that_clients_wait_for(path):
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        process = Process(shell, "sleep", ["2.5"])
        process.begin_invoke()
        with pytest.raises(WSManFaultError) as waited:
            shell.receive("stdout stderr", process.id, timeout=1)
        assert waited.value.code == OPERATION_TIMEOUT
        process.end_invoke()
        assert process.rc == 0
    path.targets.ran(1)


@pytest.mark.parametrize(
    ("client", "short"),
    [(PYPSRP, {"operation_timeout": 1}), (PYWINRM, {"operation_timeout_sec": 1, "read_timeout_sec": 3})],
    ids=["pypsrp", "pywinrm"],
)
def test_clients_poll_until_a_slow_command_is_done(path, client, short):
    assert client.run(path.where(), "ops", PASSWORD, "sleep", "2.5", **short).code == 0
    path.targets.ran(1)


def test_one_shell_runs_many_commands(path):
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        for n in range(5):
            assert invoke(shell, "exit", str(n)).code == n
        processes = [Process(shell, "show-args", [str(n)]) for n in range(4)]
        for process in processes:
            process.begin_invoke()
        for n, process in reversed(list(enumerate(processes))):
            process.end_invoke()
            assert json.loads(process.stdout) == [str(n)]
    assert len({c["shell"] for c in path.targets.seen("command")}) == 1
    path.targets.nothing_left()


def test_a_running_command_can_be_stopped(path):
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        process = Process(shell, "sleep", ["300"])
        process.begin_invoke()
        process.signal(SignalCode.CTRL_C)
        process.end_invoke()
        assert process.rc != 0
        assert invoke(shell, "hostname").code == 0
    assert path.audited("result")["outcome"] in ("terminated", "exit")
    path.targets.nothing_left()


@pytest.mark.parametrize(("asked", "arrives"), [(None, "437"), (437, "437"), (65001, "65001")])
def test_the_code_page_is_what_the_client_would_have_without_the_gateway(path, asked, arrives):
    with PYPSRP.wsman(path.where(), "ops", PASSWORD) as wsman, WinRS(wsman, codepage=asked) as shell:
        assert invoke(shell, "hostname").code == 0
    shells = path.targets.seen("shell", op="create")
    assert {s["options"].get("WINRS_CODEPAGE", "437") for s in shells} == {arrives}


def test_a_code_page_of_the_configuration_wins(another):
    path = another(target_extra="code_page = 65001")
    with PYPSRP.wsman(path.where(), "ops", PASSWORD) as wsman, WinRS(wsman, codepage=437) as shell:
        assert invoke(shell, "hostname").code == 0
    [shell] = path.targets.seen("shell", op="create")
    assert shell["options"]["WINRS_CODEPAGE"] == "65001"


@pytest.mark.parametrize("most", [8192, 32768, 153600, 512000, 5_000_000])
def test_no_answer_is_larger_than_the_client_asks_for(path, most):
    raw = Raw(path.where())
    raw.begin("bigout", "400000")
    out, code = b"", None
    while code is None:
        response = raw.session.post(
            raw.where.url, soap.receive(raw.shell, raw.command, most=most), timeout=20
        )
        assert len(response.content) <= min(most, 512_000)
        more, code = raw.read(soap.Answer(response))
        out += more
    assert (out, code) == (b"0123456789abcdef" * 25000, 0)
    raw.end()


@pytest.mark.parametrize(
    ("timeout", "status"),
    [("PT0.5S", 200), ("PT1M", 200), ("P1D", 200), ("5", 500), ("PTS", 500), ("-PT1S", 500)],
)
def test_operation_timeouts(path, timeout, status):
    raw = Raw(path.where())
    answer = raw.ask(soap.create().replace("PT20S", timeout))
    assert answer.status == status
    assert status == 200 or answer.fault == 2150858767


def test_what_a_client_says_about_its_shell_is_not_forwarded(path):
    with (
        PYPSRP.wsman(path.where(), "ops", PASSWORD) as wsman,
        WinRS(wsman, name="mine", no_profile=True) as shell,
    ):
        assert invoke(shell, "hostname").code == 0
    [shell] = path.targets.seen("shell", op="create")
    assert (shell["env"], shell["cwd"]) == ({}, None) and shell["name"] != "mine"

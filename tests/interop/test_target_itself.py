"""The harness: stock clients against the independent target, with no gateway between.

What fails here is a fault of the tests, not of the gateway."""

import json

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import Process

from lab import soap
from lab.accounts import PASSWORD
from lab.clients import BROKEN, CLIENTS, REFUSED, Pypsrp, Pywinrm, Where, credssp_session, invoke
from lab.targets import Targets

NTLM = Pypsrp("pypsrp", {"auth": "ntlm"})
DIRECT = [
    *CLIENTS.values(),
    Pypsrp("pypsrp-negotiate", {"auth": "negotiate"}),
    Pypsrp("pypsrp-raw-ntlm", {"auth": "ntlm"}),
    Pywinrm("pywinrm-raw-ntlm", {"transport": "ntlm"}),
]


@pytest.fixture
def where(targets, authority):
    return lambda scheme, index=0: Where(targets.port(scheme, index), scheme, authority.file)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", DIRECT, ids=lambda c: c.name)
def test_a_client_runs_a_program(where, targets, client, scheme):
    result = client.run(where(scheme), "ops", PASSWORD, r"C:\Lab\show-args.exe", "one", "two")
    assert (result.code, json.loads(result.out)) == (0, ["one", "two"])
    [command] = targets.seen("command")
    sealed = scheme == "http" or client.name.endswith("sealed")
    assert (command["encrypted"], command["user"]) == (sealed, "GATEWAY\\ops")
    targets.nothing_left()


@pytest.mark.parametrize("user", ["ops", "GATEWAY\\ops", ".\\ops", "ops@GATEWAY"])
def test_each_form_of_a_name_is_known(where, targets, user):
    assert NTLM.run(where("http"), user, PASSWORD, "hostname").out == b"target1\r\n"
    assert targets.seen("auth")[-1]["user"] == "GATEWAY\\ops"


def test_a_wrong_password_is_refused(where, targets):
    for client in (NTLM, CLIENTS["pypsrp"]):
        with pytest.raises(REFUSED):
            client.run(where("https"), "ops", PASSWORD + "x", "hostname")
    assert not targets.seen("command", "shell")


def test_channel_binding_and_service_name_are_seen(where, targets):
    NTLM.run(where("https"), "ops", PASSWORD, "hostname")
    ntlm = targets.seen("auth")[-1]["ntlm"]
    assert ntlm == {"ntlmv2": True, "binding": "right", "spn": "host/127.0.0.1", "mic": True}


def test_a_binding_to_another_certificate_is_refused(tmp_path, authority, users):
    other, _key = authority.issue("elsewhere")
    relayed = Targets(tmp_path, authority, users, options=["--cbt", "--cbt-cert", other])
    try:
        with pytest.raises(AuthenticationError):
            NTLM.run(Where(relayed.port("https"), "https", authority.file), "ops", PASSWORD, "hostname")
        [refused] = relayed.seen("auth")
        assert not refused["ok"] and refused["ntlm"]["binding"] == "wrong"
    finally:
        relayed.stop()


def test_programs_output_codes_and_input(where, targets):
    with NTLM.shell(where("http"), "ops", PASSWORD) as shell:
        assert invoke(shell, r"C:\Windows\System32\whoami.exe").out == b"gateway\\ops\r\n"
        assert invoke(shell, "exit", "-1073741510").code == -1073741510
        assert invoke(shell, "exit", "2147483647").code == 2147483647
        both = invoke(shell, r"C:\Lab\both.exe")
        assert (both.out, both.err) == (b"to stdout\r\n", b"to stderr\r\n")
        big = invoke(shell, r"C:\Lab\bigout.exe", "3000000").out
        assert big == (b"0123456789abcdef" * 187500)
        data = bytes(range(256)) * 1000
        assert invoke(shell, r"C:\Lab\cat.exe", stdin=data).out == data
    targets.nothing_left()


def test_words_are_split_as_windows_splits_them(where):
    line = r'C:\Lab\show-args.exe "a b" c\d "e\\" "f\"g" "" h'
    result = NTLM.run(where("http"), "ops", PASSWORD, line)
    assert json.loads(result.out) == ["a b", r"c\d", "e\\", 'f"g', "", "h"]


def test_an_injected_command_really_runs_and_is_seen(where, targets):
    NTLM.run(where("http"), "ops", PASSWORD, "echo harmless & whoami")
    assert [r["name"] for r in targets.seen("run")] == ["echo", "whoami"]


def test_faults_can_be_injected_and_forgotten(where, targets):
    targets.inject("0:fault=2150859173@Create#1")
    with pytest.raises(WSManFaultError) as refused:
        NTLM.run(where("http"), "ops", PASSWORD, "hostname")
    assert refused.value.code == 2150859173
    assert NTLM.run(where("http"), "ops", PASSWORD, "hostname").code == 0
    targets.inject("drop=1@Command")
    with pytest.raises(BROKEN):
        NTLM.run(where("http"), "ops", PASSWORD, "hostname")
    targets.forget()
    assert NTLM.run(where("http"), "ops", PASSWORD, "hostname").code == 0
    assert len(targets.seen("command")) == 1


def test_a_shell_belongs_to_who_made_it(where, targets):
    place = where("https")
    mine, yours = credssp_session(place, "ops", PASSWORD), credssp_session(place, "other", PASSWORD)
    shell = soap.Answer(mine.post(place.url, soap.create())).shell
    # A fault as the answer to the last leg of a login would be taken for a failed login by this client.
    assert soap.Answer(yours.post(place.url, soap.IDENTIFY)).status == 200
    stolen = soap.Answer(yours.post(place.url, soap.command(shell, "hostname")))
    assert (stolen.status, stolen.fault) == (500, 5)
    assert soap.Answer(mine.post(place.url, soap.delete(shell))).status == 200
    assert targets.seen("wrongowner") and not targets.seen("command")


@pytest.mark.parametrize(
    ("fault", "runs"),
    [("drop=1", 1), ("reset=1", 1), ("truncate=1", 1), ("corrupt=1", 1), ("relates=1", 1)]
    + [("garbage=200", 0), ("badxml=1", 0), ("dtd=1", 0), ("http=500", 0), ("denied=1", 0), ("quota=ops", 0)],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_each_fault_is_one_and_runs_what_it_says(where, targets, fault, runs, scheme):
    targets.inject(f"{fault}@Command#1")
    with NTLM.shell(where(scheme), "ops", PASSWORD) as shell:
        process = Process(shell, "exit", ["1"])
        with pytest.raises(Exception):
            process.begin_invoke()
        shell.opened = False
    assert len(targets.seen("fault", action="Command")) == 1
    targets.ran(runs)


@pytest.mark.parametrize("action", ["Create", "Command", "Receive"])
def test_a_hanging_target_hangs_until_the_client_has_had_enough(where, targets, action):
    targets.inject(f"hang=1@{action}")
    with pytest.raises(BROKEN):
        NTLM.run(where("https"), "ops", PASSWORD, "hostname", read_timeout=0.3, reconnection_backoff=0)

"""Targets that die, fault, answer garbage or hang: a clear error in time, nothing run twice, nothing left behind."""

import time

import pypsrp.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import Process

from lab import agent
from lab.accounts import PASSWORD
from lab.certificates import Authority
from lab.clients import Pypsrp, invoke

# Over sealed HTTP, where a fault to the first request is not the answer to the last leg of a login.
SCHEME = "http"
PYPSRP = Pypsrp("pypsrp")
TIMEOUTS = {"operation_timeout": 5, "read_timeout": 8}
EXECUTED = ["drop=1", "reset=1", "truncate=1", "corrupt=1", "relates=1"]
NOT_EXECUTED = ["garbage=200", "badxml=1", "dtd=1", "http=500", "http=503", "http=302"]
REFUSED = ["denied=1", "fault=2150858843", "fault=2150859174", "quota=ops", "busy=1"]


def faulted(path, *words, target="web01"):
    """Runs it, and gives the fault that the client sees: a fault of WS-Management, and in time."""
    begin = time.monotonic()
    with pytest.raises(WSManFaultError) as fault:
        PYPSRP.run(path.where(SCHEME, target), "ops", PASSWORD, *words, **TIMEOUTS)
    assert time.monotonic() - begin < 20
    assert fault.value.code and fault.value.reason
    for inside in ("injected", "target1", "127.0.0.1", "Access is denied."):
        assert inside not in fault.value.reason, "the target's own text reached the client"
    return fault.value


@pytest.mark.parametrize("target", ["web01", "web02", "db01"])
@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, *REFUSED])
def test_a_command_whose_answer_is_lost_or_wrong(path, fault, target):
    path.targets.inject(f"{fault}@Command")
    faulted(path, "exit", "7", target=target)
    path.targets.ran(1 if fault in EXECUTED else 0)
    assert len(path.targets.seen("fault", action="Command")) == 1, "the command was sent again"
    assert path.audited("command")
    result = path.audited("result")
    assert result["outcome"] == ("fault" if fault in REFUSED else "unknown"), result
    path.targets.nothing_left()


@pytest.mark.parametrize("fault", [*NOT_EXECUTED, *REFUSED, "quota=shells"])
def test_a_shell_that_a_target_does_not_give(path, fault):
    path.targets.inject(f"{fault}@Create")
    faulted(path, "exit", "7")
    path.nothing_ran()
    assert all(line["outcome"] in ("not_sent", "fault") for line in path.audit("result"))
    path.targets.nothing_left()


def test_the_quota_of_a_target_is_told_as_one(path):
    """Clients wait and try again on these codes."""
    path.targets.inject("quota=shells@Create")
    assert faulted(path, "hostname").code in (2150859173, 2150858815)


@pytest.mark.parametrize("quota", ["shells", "ops"])
def test_a_job_waits_for_a_target_that_says_that_it_is_at_its_limits(path, quota):
    path.targets.inject(f"quota={quota}@Create#1")
    outcome = agent.run(path.where(), "ops", PASSWORD, "hostname", target="web01", timeout=30)
    assert outcome.code == 0 and b"target1" in outcome.out, outcome
    path.targets.ran(1)
    path.targets.nothing_left()


def test_a_job_does_not_wait_longer_than_it_may(path):
    path.targets.inject("quota=shells@Create")
    outcome = agent.run(path.where(), "ops", PASSWORD, "hostname", target="web01", timeout=3)
    assert outcome.code != 0 and b"limit" in outcome.out, outcome
    path.nothing_ran()


@pytest.mark.parametrize("target", ["web01", "web02", "db01"])
@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, "denied=1", "fault=2150858843"])
def test_output_that_is_lost_is_never_taken_for_all_of_it(path, fault, target):
    path.targets.inject(f"{fault}@Receive#1")
    try:
        result = PYPSRP.run(path.where(SCHEME, target), "ops", PASSWORD, "bigout", "400000", **TIMEOUTS)
    except WSManFaultError as refused:
        assert refused.reason
        assert path.audited("result")["outcome"] in ("unknown", "fault")
    else:
        assert result.out == b"0123456789abcdef" * 25000
    path.targets.ran(1)
    path.targets.forget_faults()
    path.targets.nothing_left()


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, "denied=1"])
@pytest.mark.parametrize("action", ["Signal", "Delete"])
def test_a_clean_up_that_fails_does_not_take_the_result(path, fault, action):
    path.targets.inject(f"{fault}@{action}#1")
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "exit", "3", **TIMEOUTS).code == 3
    path.targets.ran(1)
    assert path.audited("result")["exit_code"] == 3


@pytest.mark.parametrize("fault", [*EXECUTED, "http=500", "garbage=50"])
def test_input_is_never_sent_twice(path, fault):
    path.targets.inject(f"{fault}@Send#1")
    with pytest.raises((WSManFaultError, pypsrp.exceptions.WinRMTransportError)):
        PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "cat", stdin=b"once", **TIMEOUTS)
    assert len(path.targets.seen("fault", action="Send")) == 1
    assert len(path.targets.seen("stdin")) <= 1


@pytest.fixture
def impatient(another):
    return another(target_extra='connect_timeout = "2s"\nread_timeout = "2s"\n')


@pytest.mark.parametrize("action", ["Create", "Command", "Receive"])
def test_a_target_that_hangs(impatient, action):
    path = impatient
    path.targets.inject(f"hang=1@{action}#1")
    faulted(path, "sleep", "60")
    assert len(path.targets.seen("command")) <= 1
    assert path.gateway.stop() == 0
    path.targets.nothing_left()
    [result] = path.audit("result")
    assert result["outcome"] == ("not_sent" if action == "Create" else "unknown"), result


@pytest.mark.parametrize(
    ("action", "outcome", "told"),
    [("Create", "not_sent", "nothing was run"), ("Command", "unknown", "is unknown")],
)
def test_a_client_that_waits_less_than_the_gateway_would_is_answered_in_its_time(
    another, action, outcome, told
):
    path = another()
    path.targets.inject(f"hang=1@{action}#1")
    begin = time.monotonic()
    fault = faulted(path, "sleep", "60")
    assert told in fault.reason and time.monotonic() - begin < 15
    # The client has deleted its shell, and what became of its command is written.
    assert path.audited("result")["outcome"] == outcome
    assert path.audited("session_end", reason="deleted")
    assert len(path.targets.seen("fault")) == 1
    path.nothing_ran()


def test_a_target_that_trickles(path):
    path.targets.inject("trickle=1@Command#1")
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "exit", "5").code == 5


def test_a_target_that_refuses_the_login_hears_of_it_twice_at_most(path):
    """One wrong password, fanned out or tried again, must not lock a domain account."""
    path.targets.inject("authfail=1")
    with PYPSRP.wsman(path.where(SCHEME), "ops", PASSWORD) as wsman:
        from pypsrp.shell import WinRS

        for _ in range(4):
            with pytest.raises(WSManFaultError):
                with WinRS(wsman) as shell:
                    invoke(shell, "hostname")
    assert len(path.targets.seen("auth", ok=False)) <= 2
    path.nothing_ran()
    for line in path.audit("result"):
        assert (line["outcome"], line["why"]) == ("not_sent", "login_refused")


def test_a_target_that_is_not_there(another, targets):
    path = another(target_extra='connect_timeout = "2s"\n', port_of=lambda scheme, index: 9)
    faulted(path, "hostname")
    assert all(line["outcome"] == "not_sent" for line in path.audit("result"))


def test_a_target_with_a_strange_certificate_hears_no_credential(another, tmp_path):
    path = another(trusted=Authority(tmp_path / "stranger").file)
    faulted(path, "hostname")
    path.nothing_reached_a_target()
    for line in path.audit("result"):
        assert (line["outcome"], line["why"]) == ("not_sent", "certificate_refused")


def test_a_pinned_certificate_is_the_only_one(another, authority):
    pem = authority.issued("target", "target.test")[0].read_bytes()
    right = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
    path = another(trust=f'pin = "{right}"')
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "hostname").code == 0
    path.targets.forget()
    path = another(trust=f'pin = "{right[:-1]}{"0" if right[-1] != "0" else "1"}"')
    faulted(path, "hostname")
    path.nothing_reached_a_target()


def test_a_certificate_for_another_name_hears_no_credential(another):
    path = another(target_extra='server_name = "elsewhere.test"', only=("web01",))
    faulted(path, "hostname")
    path.nothing_reached_a_target()
    path = another(target_extra='server_name = "target.test"', only=("web01",))
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "hostname").code == 0


def test_a_target_can_have_accounts_of_another_domain(another):
    path = another(target_extra='account_domain = "GATEWAY"')
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "whoami").out == b"gateway\\ops\r\n"
    path.targets.forget()
    path = another(target_extra='account_domain = "ELSEWHERE"')
    faulted(path, "whoami")
    assert [login["ok"] for login in path.targets.seen("auth")] == [False]


def test_after_a_fault_the_next_command_works(path):
    path.targets.inject("drop=1@Command#1")
    faulted(path, "hostname")
    assert PYPSRP.run(path.where(SCHEME), "ops", PASSWORD, "hostname").code == 0


def test_one_dead_target_does_not_hold_up_the_others(another):
    path = another()
    path.targets.inject("0:hang=1")
    with PYPSRP.wsman(path.where(SCHEME, "web01"), "ops", PASSWORD, **TIMEOUTS):
        begin = time.monotonic()
        assert PYPSRP.run(path.where(SCHEME, "web02"), "ops", PASSWORD, "hostname").code == 0
        assert time.monotonic() - begin < 3


def test_the_gateway_stops_in_time_although_a_target_hangs(another):
    path = another(target_extra='read_timeout = "60s"\n', extra='[sessions]\ndrain = "1s"\n')
    with PYPSRP.shell(path.where(SCHEME, "web02"), "ops", PASSWORD) as shell:
        process = Process(shell, "sleep", ["60"])
        process.begin_invoke()
        path.targets.inject("hang=1")
        assert path.gateway.program.stop(patience=40) == 0
        shell.opened = False
    assert path.audit("stop")

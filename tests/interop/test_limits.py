"""How much anybody may take: rates, quotas, lockout, and connections of nobody in particular."""

import contextlib
import time

import pytest
import requests
import winrm.exceptions
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.shell import Process, SignalCode

from lab import soap, wire
from lab.accounts import PASSWORD
from lab.clients import REFUSED, Pypsrp, Pywinrm, credssp_session, invoke
from lab.processes import poll
from lab.raw import Raw

PYPSRP = Pypsrp("pypsrp")
QUOTA_USER, QUOTA_SHELLS, QUOTA_OPERATIONS = 2150859175, 2150859173, 2150859174
FEW = "{ per_minute = 60, burst = 2 }"
ELSEWHERE = "127.0.0.2"


def log_in(path, source="127.0.0.1", user="ops", password=PASSWORD):
    """The status of a login; the client's own error when it is refused."""
    session = credssp_session(path.where(), user, password, source=source)
    with contextlib.closing(session):
        return session.post(path.where().url, soap.IDENTIFY, timeout=20).status_code


# ---- rates
@pytest.mark.parametrize(
    ("whose", "scope"),
    [("commands_per_principal", "principal"), ("commands_per_target", "target"), ("commands", "total")],
)
def test_a_command_beyond_the_rate_is_refused_with_the_time_to_try_again(another, whose, scope):
    path = another(rates=f"{whose} = {FEW}")
    raw = Raw(path.where())
    shell = raw.ask(soap.create()).shell
    for _ in range(2):
        assert raw.ask(soap.command(shell, "hostname")).status == 200
    over = raw.session.post(path.where().url, soap.command(shell, "hostname"), timeout=20)
    answer = soap.Answer(over)
    assert (answer.status, answer.fault) == (503, QUOTA_USER) and scope in answer.reason
    assert 1 <= int(over.headers["Retry-After"]) <= 2
    path.targets.ran(2)
    assert path.audited("limit", limit=scope, principal="GATEWAY\\ops")
    time.sleep(int(over.headers["Retry-After"]))
    assert raw.ask(soap.command(shell, "hostname")).status == 200


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_stock_client_reads_that_it_was_limited(another, scheme):
    path = another(rates=f"commands_per_principal = {FEW}")
    with PYPSRP.shell(path.where(scheme), "ops", PASSWORD) as shell:
        with pytest.raises(WSManFaultError) as limited:
            for _ in range(10):
                invoke(shell, "hostname")
        assert limited.value.code == QUOTA_USER and "try again in" in limited.value.reason
        time.sleep(1.1)
        assert invoke(shell, "hostname").code == 0


def test_one_principal_that_is_limited_does_not_limit_another(another):
    path = another(rates=f"commands_per_principal = {FEW}")
    ops, other = Raw(path.where()), Raw(path.where(), "other")
    ops_shell, other_shell = ops.ask(soap.create()).shell, other.ask(soap.create()).shell
    assert [ops.ask(soap.command(ops_shell, "hostname")).status for _ in range(3)] == [200, 200, 503]
    assert other.ask(soap.command(other_shell, "hostname")).status == 200


LOGINS = "logins_per_address = { per_minute = 60, burst = 6 }"


def test_an_address_that_logs_in_too_often_waits_and_others_do_not(another):
    path = another(rates=LOGINS)
    over = None
    while over is None:
        session = credssp_session(path.where(), "ops", PASSWORD)
        with contextlib.closing(session):
            response = session.post(path.where().url, soap.IDENTIFY, timeout=20)
        over = None if response.status_code == 200 else response
    answer = soap.Answer(over)
    assert (answer.status, answer.fault) == (503, QUOTA_USER) and "per address" in answer.reason
    assert over.headers["Retry-After"] == "1" and over.headers["Connection"] == "close"
    assert log_in(path, ELSEWHERE) == 200
    assert path.audited("limit", limit="address")["client_addr"].startswith("127.0.0.1:")
    time.sleep(1)
    assert log_in(path) == 200


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", [PYPSRP, Pywinrm("pywinrm")], ids=lambda c: c.name)
def test_stock_clients_read_that_they_log_in_too_often(another, client, scheme):
    path = another(rates=LOGINS)
    faults = (WSManFaultError, WinRMTransportError, winrm.exceptions.WSManFaultError)
    with pytest.raises(faults) as limited:
        for _ in range(20):
            assert client.run(path.where(scheme), "ops", PASSWORD, "hostname").code == 0
    assert "the limit per address is reached, try again in 1 s" in str(limited.value)


def test_an_address_that_connects_without_end_is_not_answered(another):
    path = another(rates=LOGINS)
    statuses = []
    for _ in range(60):
        with wire.connect(path.where(), tls=False) as s, contextlib.suppress(OSError):
            s = wire.secure(s, path.where())
            s.sendall(wire.post(path.where()))
            statuses.append(wire.answer(s)[0])
    # Each answer takes a handshake, and there are four times as many as logins, and what refills meanwhile.
    assert 401 in statuses and 503 in statuses and len(statuses) < 50
    assert log_in(path, ELSEWHERE) == 200


# ---- quotas
def test_shells_of_one_principal_are_bounded(another):
    path = another(limits="shells_per_principal = 3")
    raw = Raw(path.where())
    shells = [raw.ask(soap.create()).shell for _ in range(3)]
    assert raw.ask(soap.create()).fault == QUOTA_SHELLS
    assert Raw(path.where(), "other").ask(soap.create()).shell
    assert raw.ask(soap.delete(shells[0])).status == 200
    assert raw.ask(soap.create()).shell


def test_shells_on_one_target_are_bounded(another):
    path = another(limits="shells_per_target = 2")
    one, two = Raw(path.where()), Raw(path.where(), "other")
    assert one.ask(soap.create()).shell and two.ask(soap.create()).shell
    answer = one.ask(soap.create())
    assert answer.fault == QUOTA_SHELLS and "target" in answer.reason
    one.where = path.where(target="web02")
    assert one.ask(soap.create()).shell


def test_commands_of_one_shell_are_bounded(another):
    path = another(limits="commands_per_shell = 2")
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        running = [Process(shell, "sleep", ["60"]) for _ in range(2)]
        for process in running:
            process.begin_invoke()
        with pytest.raises(WSManFaultError) as refused:
            Process(shell, "hostname").begin_invoke()
        assert refused.value.code == QUOTA_OPERATIONS
        running[0].signal(SignalCode.TERMINATE)
        assert invoke(shell, "hostname").code == 0
    path.targets.nothing_left()


def test_as_many_commands_run_at_once_as_the_configuration_says_and_each_can_be_reached(another):
    path = another(limits="commands_per_shell = 12")
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        running = [Process(shell, "sleep", ["60"]) for _ in range(11)] + [Process(shell, "cat")]
        for process in running:
            process.begin_invoke()
        path.targets.ran(12)
        running[-1].send(b"still heard", end=True)
        running[-1].end_invoke()
        assert running[-1].stdout == b"still heard"
        running[0].signal(SignalCode.CTRL_C)
        running[0].end_invoke()
        assert running[0].rc != 0
    path.targets.nothing_left()


def test_connections_to_one_target_are_bounded_by_what_it_allows(another):
    path = another(target_extra="quotas = { connections = 2 }")
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell:
        running = [Process(shell, "sleep", ["60"]) for _ in range(2)]
        for process in running:
            process.begin_invoke()
        with pytest.raises(WSManFaultError) as refused:
            Process(shell, "hostname").begin_invoke()
        assert refused.value.code == QUOTA_OPERATIONS and "nothing was run" in refused.value.reason
        running[0].signal(SignalCode.TERMINATE)
        assert invoke(shell, "hostname").code == 0
    path.targets.nothing_left()


def test_an_open_shell_keeps_no_connection_to_the_target_from_others(another):
    """More of them than the connections that a target allows by default, and each is used more than once."""
    path = another()
    clients = [Raw(path.where()), Raw(path.where(), "other")]
    opened = [(raw, raw.ask(soap.create()).shell) for raw in clients for _ in range(14)]
    for _ in range(2):
        for raw, raw.shell in opened:
            raw.command = raw.ask(soap.command(raw.shell, "hostname")).command
            assert raw.rest() == (b"target1\r\n", 0)
    for raw, shell in opened:
        assert raw.ask(soap.delete(shell)).status == 200
    path.targets.ran(2 * len(opened))
    path.targets.nothing_left()


def test_a_client_that_does_not_read_holds_up_its_own_command_only(another):
    path = another()
    raw = Raw(path.where())
    before = path.gateway.resident()
    raw.begin("bigout", "20000000")
    # The target has made all of it by now; the gateway has not asked for more than its buffer holds.
    assert Pypsrp("other").run(path.where(), "ops", PASSWORD, "hostname").code == 0
    time.sleep(1)
    assert path.gateway.resident() - before < 8 * 1024
    out, code = raw.rest()
    assert (len(out), code) == (20_000_000, 0)
    assert path.gateway.resident() - before < 12 * 1024


def test_a_target_is_never_asked_for_more_than_it_allows(another):
    path = another(target_extra="quotas = { shells_per_account = 1, accounts = 1 }\n")
    one, two, other = Raw(path.where()), Raw(path.where()), Raw(path.where(), "other")
    one.begin("hostname")
    for raw in (two, other):
        raw.shell = raw.ask(soap.create()).shell
        answer = raw.ask(soap.command(raw.shell, "hostname"))
        assert answer.status == 503 and answer.fault in (QUOTA_SHELLS, QUOTA_OPERATIONS)
        assert "nothing was run" in answer.reason
    path.targets.ran(1)
    assert one.end().status == 200
    assert two.ask(soap.command(two.shell, "hostname")).status == 200
    path.targets.ran(2)


# ---- lockout
def test_lockout_is_of_an_address_and_an_account_so_that_a_stranger_locks_nobody_out(another):
    path = another(extra='[limits.lockout]\nfailures = 2\nfirst = "10m"\n')
    for _ in range(3):
        with pytest.raises(REFUSED):
            log_in(path, password="wrong")
    with pytest.raises(REFUSED):
        log_in(path)
    [lockout] = path.audit("lockout")
    assert lockout["account"] == "GATEWAY\\ops" and lockout["client_addr"].startswith("127.0.0.1:")
    assert (lockout["failures"], lockout["duration_ms"]) == (3, 600_000)
    assert path.audit("login")[-1]["outcome"] == "locked_out"
    raw = Raw(path.where(), source=ELSEWHERE)
    raw.begin("hostname")
    assert raw.rest() == (b"target1\r\n", 0)


def test_a_lock_ends_and_the_next_one_is_longer(another):
    path = another(extra='[limits.lockout]\nfailures = 1\nfirst = "1s"\n')
    for _ in range(2):
        with pytest.raises(REFUSED):
            log_in(path, password="wrong")
    [lock] = path.audit("lockout")
    time.sleep(lock["duration_ms"] / 1000)
    with pytest.raises(REFUSED):
        log_in(path, password="wrong")
    [_, longer] = path.audit("lockout")
    assert longer["duration_ms"] == 2 * lock["duration_ms"]
    time.sleep(longer["duration_ms"] / 1000)
    assert log_in(path) == 200


# ---- connections of nobody in particular
def test_a_thousand_idle_connections_are_capped_and_the_service_goes_on_for_others(another):
    path = another(limits='handshakes_per_address = 32\nlogin_time = "5s"')
    begin = time.monotonic()
    connections = [wire.connect(path.where(), tls=False) for _ in range(1000)]
    try:
        poll(lambda: sum(map(wire.is_open, connections)) <= 32, "more connections are open than may be")
        assert any(map(wire.is_open, connections))
        # Nobody else notices.
        for _ in range(3):
            assert log_in(path, ELSEWHERE) == 200
        assert path.gateway.admin("readyz")[0] == 200
        poll(lambda: not any(map(wire.is_open, connections)), "idle connections outlived the time of a login")
        assert time.monotonic() - begin > 4
        assert log_in(path) == 200
    finally:
        for connection in connections:
            connection.close()
    assert path.gateway.program.alive()


def test_logins_under_way_are_bounded_in_total_and_the_oldest_make_room(another):
    path = another(limits="handshakes = 16\nhandshakes_per_address = 8")
    sources = [f"127.0.1.{n + 1}" for n in range(8)]
    connections = [wire.connect(path.where(), source, tls=False) for source in sources for _ in range(8)]
    try:
        poll(lambda: sum(map(wire.is_open, connections)) <= 16, "more logins are under way than may be")
        # Connections that say nothing, from however many addresses, keep nobody out.
        for _ in range(5):
            assert log_in(path) == 200
        assert path.gateway.now("handshakes") <= 16
        assert any(map(wire.is_open, connections)) and not any(map(wire.is_open, connections[:32]))
    finally:
        for connection in connections:
            connection.close()


def test_connections_that_are_logged_in_are_bounded_per_address(another):
    path = another(limits="connections_per_address = 4")
    kept = [Raw(path.where()) for _ in range(4)]
    with pytest.raises(requests.ConnectionError):
        log_in(path)
    assert log_in(path, ELSEWHERE) == 200
    kept.pop().session.close()
    poll(lambda: path.gateway.now("connections") == 3, "a place was not given back")
    assert log_in(path) == 200


@pytest.fixture
def hasty(another):
    return another(limits='login_time = "1s"')


def trickle(s, data, seconds=4):
    """Sends a byte now and then; how long that worked."""
    begin = time.monotonic()
    with contextlib.suppress(OSError):
        for byte in data:
            s.sendall(bytes([byte]))
            if time.monotonic() - begin > seconds or not wire.is_open(s):
                break
            time.sleep(0.05)
    return time.monotonic() - begin


def test_a_slow_handshake_is_cut_off_wherever_it_is_slow(hasty):
    where = hasty.where()
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
    head = wire.post(where, "X: " + "x" * 500)
    body = wire.post(where).replace(b"Length: 0", b"Length: 500") + bytes(500)
    for what, data, tls in (("tls", hello, False), ("head", head, True), ("body", body, True)):
        with wire.connect(where, tls=tls) as s:
            sent = body.index(b"\r\n\r\n") if what == "body" else 0
            s.sendall(data[:sent])
            assert trickle(s, data[sent:]) < 2.5, what
        assert log_in(hasty) == 200, what
    # Between the legs of a login, too.
    with wire.Inner(where).socket as s:
        assert wire.ends(s, 5) < 2.5


def test_a_login_has_so_many_legs_and_bytes_and_no_more(another):
    path = another(limits='login_legs = 6\nlogin_bytes = "64KiB"')
    with wire.connect(path.where()) as s:
        statuses = []
        for _ in range(8):
            with contextlib.suppress(OSError):
                s.sendall(wire.post(path.where()))
            statuses.append(wire.answer(s)[0])
        assert statuses[:6] == [401] * 6 and 401 not in statuses[6:]
    with wire.connect(path.where()) as s:
        s.sendall(wire.post(path.where(), body=bytes(70_000)))
        assert wire.answer(s)[0] in (413, None)
    # A client whose first request carries its first command is let in all the same.
    assert log_in(path) == 200

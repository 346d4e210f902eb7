"""Connections of clients that break, come back, or belong to somebody else; and many of them."""

import concurrent.futures
import json
import time

import pytest
import requests
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.shell import Process

from lab import soap
from lab.accounts import PASSWORD
from lab.clients import Pypsrp, invoke
from lab.processes import poll
from lab.raw import TIMED_OUT, Raw

PYPSRP = Pypsrp("pypsrp")
NO_SUCH_SHELL = 2150858843
# How long commands may go on when the gateway is told to stop.
SHORT_DRAIN = '[sessions]\ndrain = "1s"\n'


def test_a_shell_outlives_the_connection_it_was_made_on(path):
    raw = Raw(path.where())
    raw.begin("bigout", "1000000")
    raw.reconnect()
    assert raw.rest() == (b"0123456789abcdef" * 62500, 0)
    raw.reconnect()
    assert raw.end().status == 200
    path.targets.ran(1)
    path.targets.nothing_left()


def test_a_long_poll_that_is_given_up_loses_nothing(path):
    path.targets.inject("slowcmd=1500@Run#1")
    raw = Raw(path.where())
    raw.begin("bigout", "300000")
    for _ in range(2):
        with pytest.raises(requests.ReadTimeout):
            raw.ask(soap.receive(raw.shell, raw.command), timeout=(5, 0.3))
        raw.reconnect()
    assert raw.rest() == (b"0123456789abcdef" * 18750, 0)
    assert raw.end().status == 200
    path.targets.ran(1)


def test_output_is_whole_and_nothing_comes_twice_however_often_one_logs_in_anew(path):
    raw, out = Raw(path.where()), b""
    raw.begin("bigout", "3000000")
    while (part := raw.part())[1] is None:
        out += part[0]
        raw.reconnect()
    assert (out + part[0], part[1]) == (b"0123456789abcdef" * 187500, 0)
    assert len(path.audit("login", outcome="ok")) > 3
    path.targets.ran(1)


def test_the_newest_poll_gets_the_output_since_older_ones_may_be_of_connections_that_are_gone(path):
    """A client whose network went away says nothing: its connection looks alive, and its poll too."""
    path.targets.inject("slowcmd=1200@Run#1")
    raw, gone = Raw(path.where()), Raw(path.where())
    raw.begin("bigout", "100000")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        poll_of_old = pool.submit(gone.ask, soap.receive(raw.shell, raw.command))
        time.sleep(0.3)
        assert raw.rest() == (b"0123456789abcdef" * 6250, 0)
        assert poll_of_old.result().fault == TIMED_OUT
    path.targets.ran(1)


def test_a_credential_is_held_as_long_as_a_connection_or_a_shell_and_no_longer(another):
    path = another()

    def held(times):
        poll(lambda: path.gateway.now("credentials") == times, lambda: f"{times} should be held")

    raw = Raw(path.where())
    held(1)
    raw.begin("hostname")
    raw.session.close()
    poll(lambda: path.gateway.now("connections") == 0, "the connection is still there")
    held(1)
    raw.login()
    raw.end()
    held(1)
    raw.session.close()
    held(0)


def test_a_client_that_goes_away_while_a_command_starts_leaves_nothing_behind(path):
    path.targets.inject("delay=600@Command#1")
    raw = Raw(path.where())
    shell = raw.ask(soap.create()).shell
    with pytest.raises(requests.ReadTimeout):
        raw.ask(soap.command(shell, "sleep", "300"), timeout=(5, 0.2))
    raw.reconnect()
    assert raw.ask(soap.delete(shell)).status == 200
    path.targets.nothing_left()
    assert path.audited("result")["outcome"] in ("terminated", "unknown", "not_sent")
    assert path.audited("session_end", reason="deleted")


def test_the_shell_of_another_is_like_one_that_is_not_there(path):
    mine, yours = Raw(path.where()), Raw(path.where(), "other")
    mine.begin("sleep", "60")
    missing = "11111111-2222-3333-4444-555555555555"

    def attempts(shell):
        return [
            soap.command(shell, "hostname"),
            soap.receive(shell, mine.command),
            soap.signal(shell, mine.command, "terminate"),
            soap.send(shell, mine.command, b"x"),
            soap.envelope(soap.TRANSFER + "/Get", shell=shell),
            soap.delete(shell),
        ]

    answers = [
        [(a.status, a.fault, a.reason) for a in map(yours.ask, attempts(s))] for s in (mine.shell, missing)
    ]
    assert answers[0] == answers[1]
    assert {fault for _status, fault, _reason in answers[0]} == {NO_SUCH_SHELL}
    path.targets.ran(1)
    assert mine.end().status == 200
    path.targets.nothing_left()


def test_the_same_shell_at_another_target_is_not_there(path):
    raw = Raw(path.where(target="web01"))
    raw.begin("sleep", "60")
    raw.where = path.where(target="web02")
    assert raw.ask(soap.command(raw.shell, "hostname")).fault == NO_SUCH_SHELL
    assert [r["target"] for r in path.targets.seen("run")] == ["target1"]
    raw.where = path.where(target="web01")
    assert raw.end().status == 200


def test_ids_are_the_gateways_own(path):
    raw = Raw(path.where())
    raw.begin("hostname")
    [command] = path.targets.seen("command")
    assert raw.shell.upper() != command["shell"] and raw.command.upper() != command["command"]
    raw.end()


def test_a_deleted_shell_is_gone(path):
    raw = Raw(path.where())
    raw.begin("hostname")
    assert raw.end().status == 200
    assert raw.ask(soap.command(raw.shell, "hostname")).fault == NO_SUCH_SHELL
    path.targets.ran(1)


def test_message_ids_come_back_as_they_were(path):
    raw = Raw(path.where())
    for message in ("uuid:0A0b0C0d-1111-2222-3333-444455556666", "urn:x-test:Hello"):
        assert raw.ask(soap.create(message=message)).relates_to == message
        assert raw.ask(soap.receive("none", "none", message=message)).relates_to == message


def test_a_body_sealed_under_a_context_that_is_gone_is_answered_by_400(path):
    """pypsrp does this after its connection broke: it logs in again and sends what it had sealed before."""
    with PYPSRP.shell(path.where("http"), "ops", PASSWORD) as shell:
        assert invoke(shell, "hostname").code == 0
        shell.wsman.transport.session.close()
        with pytest.raises(WinRMTransportError) as refused:
            Process(shell, "exit", ["1"]).begin_invoke()
        assert refused.value.code == 400
        shell.opened = False
    path.targets.ran(1)


def test_a_shell_that_nobody_uses_is_reaped_on_both_sides_and_one_that_is_polled_is_not(another):
    path = another(extra='[sessions]\nidle = "10s"\nmaximum_operation_timeout = "5s"\n')
    raw = Raw(path.where())
    raw.begin("sleep", "300")
    raw.session.close()
    with PYPSRP.shell(path.where(target="web02"), "ops", PASSWORD, operation_timeout=2) as shell:
        assert invoke(shell, "sleep", "17").code == 0
        assert [t["shells"] for t in path.targets.ask("state").values()] == [0, 1, 0]
        assert invoke(shell, "hostname").code == 0
    [end] = path.audit("session_end", reason="idle")
    assert end["shell"]["gateway"] == raw.shell
    [result] = path.audit("result", session=end["session"])
    assert (result["outcome"], result["by"]) == ("terminated", "idle")
    raw.reconnect()
    assert raw.ask(soap.command(raw.shell, "hostname")).fault == NO_SUCH_SHELL


def test_a_gateway_that_is_told_to_stop_cleans_up(another):
    path = another(extra=SHORT_DRAIN)
    raw = Raw(path.where())
    raw.begin("sleep", "300")
    assert path.gateway.stop() == 0
    path.targets.nothing_left()
    lines = path.audit()
    assert "stop" in [line["event"] for line in lines]
    assert [line["event"] for line in lines if line["event"] == "result"] == ["result"]


def test_many_clients_at_once_get_each_its_own_answer(path):
    def one(n):
        target = ("web01", "web02", "db01")[n % 3]
        scheme = ("https", "http")[n % 2]
        result = PYPSRP.run(path.where(scheme, target), "ops", PASSWORD, "show-args", f"mine-{n}")
        return json.loads(result.out) == [f"mine-{n}"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(48)))
    path.targets.ran(48)
    path.targets.nothing_left()


def test_a_gateway_that_is_killed_leaves_an_audit_that_verifies(another):
    path = another()
    raw = Raw(path.where())
    raw.begin("sleep", "300")
    path.gateway.program.process.kill()
    path.gateway.program.process.wait()
    path.gateway.start()
    poll(lambda: path.audit("start"), "the gateway did not start again")
    assert path.gateway.verify().returncode == 0


def test_the_wrong_command_id_is_refused(path):
    raw = Raw(path.where())
    raw.begin("hostname")
    assert raw.ask(soap.receive(raw.shell, "11111111-2222-3333-4444-555555555555")).fault
    raw.end()
    with PYPSRP.shell(path.where(), "ops", PASSWORD) as shell, pytest.raises(WSManFaultError):
        shell.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate", raw.command)

"""Output in any amount: whole, in order, once, in envelopes that the client takes."""

import contextlib
import dataclasses
import hashlib
import socket
import threading
import time

import pytest
import requests
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import _TransportHTTP

from lab.psrp import COMPLETED, command, completed, refused, run, session
from lab.tap import Tap

PATTERN = "0123456789abcdef"


def text(size):
    return (PATTERN * (size // 16 + 1))[:size]


@pytest.fixture
def envelopes(monkeypatch):
    """The sizes of all envelopes that the client gets, in bytes."""
    sizes, send = [], _TransportHTTP.send

    def sent(self, message, **options):
        answer = send(self, message, **options)
        sizes.append(len(answer))
        return answer

    monkeypatch.setattr(_TransportHTTP, "send", sent)
    return sizes


# ---- amounts
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_one_long_text(remoting, envelopes, scheme):
    size = 10_000_000
    with session(remoting, scheme=scheme) as pool:
        [got] = run(pool, "Write-Text", Size=size)
    assert hashlib.sha256(got.encode()).digest() == hashlib.sha256(text(size).encode()).digest()
    assert len(envelopes) > 20 and max(envelopes) <= 512_000
    assert remoting.audited("result")["stdout_bytes"] >= size


def test_an_object_that_is_larger_than_any_may_be_is_refused_clearly(remoting):
    with session(remoting, lasting=False) as pool:
        error = refused(command(pool, "Write-Text", Size=12_000_000))
    assert error.fq_error == "SekishoTargetFailed" and "too large" in str(error)
    with session(remoting) as pool:
        assert run(pool, "Write-Text", Size=3) == ["012"]


def test_many_lines(remoting):
    with session(remoting) as pool:
        got = run(pool, "Big-Output", Count=12_000)
    assert got == [f"{n:08d} {PATTERN * 64}" for n in range(12_000)]


def test_many_small_objects(remoting):
    with session(remoting) as pool:
        assert run(pool, "Write-Many", Count=20_000) == list(range(20_000))


@pytest.mark.parametrize("size", [0, 1, 31_900, 32_727, 32_728, 32_729, 65_536, 98_304])
def test_sizes_about_that_of_a_fragment(remoting, size):
    with session(remoting) as pool:
        assert run(pool, "Write-Text", Size=size) == [text(size)]


@pytest.mark.parametrize("envelope", [8192, 16384, 65536, 153600])
def test_small_envelopes(remoting, envelopes, envelope):
    with session(remoting, max_envelope_size=envelope) as pool:
        assert run(pool, "Write-Text", Size=200_000) == [text(200_000)]
        assert run(pool, "Write-Many", Count=300) == list(range(300))
        assert completed(command(pool, "Read-Input"), ["x" * 20_000])[0].startswith("1 ")
    if envelope != 153600:
        assert max(envelopes) <= envelope, max(envelopes)


def test_an_envelope_that_is_smaller_than_any_may_be_is_refused(remoting):
    """Eight KiB is the least by WS-Management."""
    with pytest.raises(WSManFaultError) as refusal:
        with session(remoting, scheme="http", max_envelope_size=4096):
            pass
    assert refusal.value.reason
    remoting.nothing_reached_a_target()


def test_output_of_two_pipelines_at_once_is_not_mixed_up(remoting):
    with session(remoting) as one, session(remoting) as other:
        got = {}
        threads = [
            threading.Thread(target=lambda p=p, n=n: got.update({n: run(p, "Big-Output", Count=n)}))
            for p, n in ((one, 400), (other, 500))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [len(got[n]) for n in (400, 500)] == [400, 500]


def test_a_client_that_takes_nothing_stops_the_target_and_not_the_gateway(remoting):
    before = remoting.gateway.resident()
    with session(remoting) as pool:
        shell = command(pool, "Big-Output", Count=60_000)
        shell.begin_invoke()
        shell.poll_invoke()
        # Somebody else is served meanwhile.
        with session(remoting, user="other") as other:
            run(other, "Get-Service", Name="Spooler")
        assert remoting.gateway.resident() - before < 64 * 1024
        shell.stop()


# ---- silence
def test_a_long_silence_is_told_on_time(remoting):
    """At most what the client asked for, and a little; and the output is there when it comes."""
    with session(remoting, operation_timeout=3, read_timeout=10) as pool:
        shell = command(pool, "Start-Sleep", Seconds=8)
        shell.add_statement().add_cmdlet("Write-Output").add_parameter("InputObject", "awake")
        shell.begin_invoke()
        waits = []
        while shell.state != COMPLETED:
            begin = time.monotonic()
            shell.poll_invoke()
            waits.append(time.monotonic() - begin)
        assert shell.output == ["awake"]
    assert len(waits) >= 3 and max(waits) < 6
    assert not any(line["outcome"] != "completed" for line in remoting.audit("result"))


def test_the_fault_that_says_so(remoting):
    with session(remoting, operation_timeout=2, read_timeout=10) as pool:
        shell = command(pool, "Start-Sleep", Seconds=30)
        shell.begin_invoke()
        with pytest.raises(Exception) as fault:
            pool._receive(shell.id)
        assert fault.value.code == 2150858793
        shell.stop()


# ---- connections that break
class Cut(Tap):
    """Ends a connection in the middle of an answer that is larger than `size`."""

    def __init__(self, port, size):
        super().__init__(port)
        self.size, self.cuts = size, 0

    def _forward(self, source, sink, kept):
        passed = 0
        try:
            while data := source.recv(64 * 1024):
                if kept is self.down and self.cuts:
                    passed += len(data)
                    if passed > self.size:
                        self.cuts -= 1
                        break
                elif kept is self.up:
                    passed = 0
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Patient:
    """A client that sends the same request again, after a login of its own, whenever its connection is cut."""

    def __init__(self, monkeypatch):
        self.again, send = 0, _TransportHTTP.send

        def sent(transport, message, **options):
            while True:
                try:
                    return send(transport, message, **options)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    self.again += 1
                    transport.session.close()
                    transport.session, transport.encryption = None, None

        monkeypatch.setattr(_TransportHTTP, "send", sent)


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("size", [100, 40_000, 200_000, 400_000])
def test_an_answer_that_was_cut_is_given_again_and_nothing_is_lost_or_doubled(
    remoting, monkeypatch, size, scheme
):
    tap, where = Cut(remoting.where(scheme).port, size), remoting.where
    monkeypatch.setattr(remoting, "where", lambda *a, **o: dataclasses.replace(where(*a, **o), port=tap.port))
    patient = Patient(monkeypatch)
    with contextlib.closing(tap), session(remoting, scheme=scheme, reconnection_retries=0) as pool:
        shell = command(pool, "Big-Output", Count=3000)
        shell.begin_invoke()
        shell.poll_invoke()
        tap.cuts = 4
        assert shell.end_invoke() == [f"{n:08d} {PATTERN * 64}" for n in range(3000)]
        assert patient.again == 4 and shell.state == COMPLETED
    remoting.targets.ran(1)


def test_the_last_answer_is_given_again_too(remoting, monkeypatch):
    tap, where = Cut(remoting.where().port, 100), remoting.where
    monkeypatch.setattr(remoting, "where", lambda *a, **o: dataclasses.replace(where(*a, **o), port=tap.port))
    patient = Patient(monkeypatch)
    with contextlib.closing(tap), session(remoting, reconnection_retries=0) as pool:
        for number in range(3):
            shell = command(pool, "Write-Output", InputObject=number)
            shell.begin_invoke()
            tap.cuts = 1
            assert shell.end_invoke() == [number]
        assert patient.again == 3


def test_a_poll_that_is_given_up_loses_nothing(remoting):
    """pypsrp asks again by itself, after a new login."""
    with session(remoting, reconnection_backoff=0.05) as pool:
        shell = command(pool, "Start-Sleep", Milliseconds=2500)
        shell.add_statement().add_cmdlet("Write-Text").add_parameter("Size", 300_000)
        shell.begin_invoke()
        transport = pool.connection.transport
        patience, transport.read_timeout = transport.read_timeout, 0.7
        logins = len(remoting.audit("login", outcome="ok"))
        shell.poll_invoke()
        transport.read_timeout = patience
        assert shell.end_invoke() == [text(300_000)]
    assert len(remoting.audit("login", outcome="ok")) > logins, "it did not ask again"

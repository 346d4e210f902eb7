"""What clients send while a pipeline runs: objects, a stop, the end of the session."""

import hashlib
import threading
import time

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import SignalCode

from lab.processes import poll
from lab.psrp import COMPLETED, FAILED, STOPPED, command, completed, refused, run, session
from lab.remoting_policy import REMOTING

# Seconds from a stop to the target, with what a busy machine adds to the one that is promised.
STOP = 5


def digest(items):
    return hashlib.sha256("\n".join(items).encode("utf-16-le")).hexdigest()


# ---- objects
@pytest.mark.parametrize(
    "items",
    [["one"], ["one", "two", "three"], ["x" * 300_000, "y"], [str(n) for n in range(500)]],
    ids=["one", "three", "large", "many"],
)
def test_input_arrives_whole_and_in_order(remoting, items):
    with session(remoting) as pool:
        shell = command(pool, "Read-Input")
        assert completed(shell, items) == [f"{len(items)} {digest(items)}"]
    assert remoting.audited("result")["stdin_bytes"] > sum(map(len, items))


def test_input_that_comes_bit_by_bit(remoting):
    def slowly():
        for n in range(20):
            yield [f"item {n}"]

    with session(remoting) as pool:
        items = [f"item {n}" for n in range(20)]
        assert completed(command(pool, "Read-Input"), slowly()) == [f"20 {digest(items)}"]


def test_much_input(remoting):
    """More than the gateway keeps for a target that does not take it at once."""
    items = [f"{n:06d}" + "z" * 40_000 for n in range(250)]
    with session(remoting) as pool:
        assert completed(command(pool, "Read-Input"), items) == [f"250 {digest(items)}"]


def test_a_pipeline_that_ends_before_its_input_does(remoting):
    """What comes late is for nobody, and harms nobody."""
    with session(remoting) as pool:
        shell = command(pool, "Read-First")
        shell.begin_invoke(iter_of(["first"], *[["z" * 50_000] for _ in range(100)]))
        assert shell.end_invoke() == ["first"]
        assert shell.state == COMPLETED
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


def test_a_pipeline_that_fails_before_its_input_does(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Throw-Error", Message="early")
        shell.begin_invoke(iter_of(*[["z" * 50_000] for _ in range(100)]))
        shell.end_invoke()
        assert shell.state == FAILED and "early" in str(shell.streams.error[-1])
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


def iter_of(*parts):
    yield from parts


def test_input_for_a_command_that_takes_none_is_denied(remoting):
    with session(remoting) as pool:
        error = refused(command(pool, "Restart-Service", Name="Spooler"), ["surprise"])
        assert error.fq_error == "SekishoPolicyDenied"
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert not remoting.targets.seen("message", kind="PIPELINE_INPUT")


def test_much_input_for_a_denied_command_is_swallowed(remoting):
    with session(remoting) as pool:
        error = refused(command(pool, "Stop-Service"), [["z" * 100_000] for _ in range(100)])
        assert error.fq_error == "SekishoPolicyDenied"
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert not remoting.targets.seen("message", kind="PIPELINE_INPUT")


def test_an_object_as_input_is_refused_clearly(remoting):
    """Objects bind to parameters by their properties, at the target."""
    with session(remoting) as pool:
        [service] = run(pool, "Get-Service", Name="Spooler")
        remoting.targets.forget_faults()
        error = refused(command(pool, "Read-Input"), [service])
        assert error.fq_error == "SekishoInputRefused" and "texts" in str(error)
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert not remoting.targets.seen("message", kind="PIPELINE_INPUT")
    assert remoting.audited("result", outcome="terminated")["by"] == "gateway"


# ---- stop
def begun(path, pool, name="Start-Sleep", **parameters):
    shell = command(pool, name, **(parameters or {"Seconds": 300}))
    shell.begin_invoke()
    path.targets.ran(len(path.targets.seen("run")) or 1)
    return shell


def test_stop_reaches_the_target_and_the_session_goes_on(remoting):
    with session(remoting) as pool:
        shell = begun(remoting, pool)
        asked = time.time()
        shell.stop()
        assert shell.state == STOPPED
        [signal] = remoting.targets.seen("signal", code="crtl_c")
        assert signal["ts"] - asked < STOP
        [stopped] = remoting.targets.seen("stopped")
        assert stopped["pipeline"] == signal["command"]
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert [line["outcome"] for line in remoting.audit("result")] == ["stopped", "completed"]


def test_stop_in_mid_poll(remoting):
    """While a long poll holds one connection of the client's, the stop comes over another one."""
    with session(remoting) as pool, session(remoting) as other:
        shell = begun(remoting, pool)
        poller = threading.Thread(target=shell.end_invoke)
        poller.start()
        # Another connection of the same user finds the shell by its id.
        other.shell._selector_set, own = pool.shell._selector_set, other.shell._selector_set
        other.shell.signal(SignalCode.PS_CTRL_C, str(shell.id).upper())
        other.shell._selector_set = own
        poller.join(20)
        assert not poller.is_alive() and shell.state == STOPPED
        [error] = shell.streams.error
        assert error.fq_error == "PipelineStopped"


def test_stop_while_output_is_waiting_for_its_client(remoting):
    with session(remoting) as pool:
        shell = begun(remoting, pool, "Big-Output", Count=200_000)
        shell.poll_invoke()
        asked = time.time()
        shell.stop()
        [signal] = remoting.targets.seen("signal", code="crtl_c")
        assert signal["ts"] - asked < STOP
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


def test_stop_while_the_target_takes_no_input(another):
    """A Send that hangs does not keep a stop from being sent."""
    path = another(policy=REMOTING)
    with session(path) as pool:
        shell = command(pool, "Read-Input")
        path.targets.inject("hang=1@Send#1")
        shell.begin_invoke(["one"])
        poll(lambda: path.targets.seen("fault", action="Send"), "nothing was sent")
        asked = time.time()
        shell.stop()
        [signal] = path.targets.seen("signal", code="crtl_c")
        assert signal["ts"] - asked < STOP
    assert path.audited("result")["outcome"] == "stopped"


def test_stopped_pipelines_do_not_fill_the_session(remoting):
    """A client of pypsrp that stops one never asks for it again."""
    with session(remoting) as pool:
        for _ in range(12):
            command_that_sleeps = command(pool, "Start-Sleep", Seconds=300)
            command_that_sleeps.begin_invoke()
            command_that_sleeps.stop()
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert len(remoting.audit("result")) == 13


def test_stop_of_what_has_ended(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Get-Date")
        completed(shell)
        pool.shell.signal(SignalCode.PS_CTRL_C, str(shell.id).upper())
        pool.shell.signal(SignalCode.TERMINATE, str(shell.id).upper())
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert [line["outcome"] for line in remoting.audit("result")] == ["completed"] * 2


def test_stop_of_what_never_was(remoting):
    with session(remoting) as pool:
        with pytest.raises(WSManFaultError):
            pool.shell.signal(SignalCode.PS_CTRL_C, "11111111-2222-3333-4444-555555555555")
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


def test_stop_before_the_pipeline_is_complete(remoting):
    """A client that thinks better of it, half-way through a long request."""

    with session(remoting) as pool:
        shell = command(pool, "Write-Output", InputObject="x" * 900_000)
        sent = []
        send = pool.shell.send
        pool.shell.send = lambda *args, **options: sent.append(args)
        shell.begin_invoke()
        pool.shell.send = send
        assert sent, "one piece was enough"
        pool.shell.signal(SignalCode.PS_CTRL_C, str(shell.id).upper())
        shell.end_invoke()
        assert shell.state == STOPPED
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert len(remoting.targets.seen("pipeline")) == 1

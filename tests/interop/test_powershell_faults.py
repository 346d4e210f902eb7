"""Targets that die, fault, answer garbage or hang under a session: a clear error, in time, and no second run."""

import threading
import time

import pytest
from pypsrp.exceptions import WSManFaultError

from lab.psrp import FAILED, command, run, session
from lab.remoting_policy import REMOTING
from lab.targets import Targets

EXECUTED = ["drop=1", "reset=1", "truncate=1", "corrupt=1", "relates=1"]
NOT_EXECUTED = ["garbage=200", "badxml=1", "dtd=1", "http=500", "http=503", "http=302"]
REFUSED = ["denied=1", "fault=2150858843", "fault=2150859174", "quota=ops", "busy=1"]
TIMEOUTS = {"operation_timeout": 5, "read_timeout": 15}
# The target's own words, which are none of a client's business.
INSIDE = ("injected", "target1", "127.0.0.1", "Access is denied.")


def failed(shell):
    """Invokes what a target fails at: a clear error, in time; as a record, or as a fault when the session is gone."""
    begin = time.monotonic()
    try:
        shell.invoke()
    except WSManFaultError as fault:
        told, kind = fault.reason, "fault"
    else:
        assert shell.state == FAILED and shell.streams.error, (shell.state, shell.output)
        told, kind = str(shell.streams.error[-1]), shell.streams.error[-1].fq_error
    assert time.monotonic() - begin < 25
    assert told and not any(inside in told for inside in INSIDE), told
    return kind, told


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, *REFUSED, "quota=shells"])
def test_a_session_that_a_target_does_not_open(remoting, fault):
    remoting.targets.inject(f"{fault}@Create")
    begin = time.monotonic()
    with pytest.raises(WSManFaultError) as told:
        with session(remoting, scheme="http", **TIMEOUTS):
            pass
    assert time.monotonic() - begin < 25
    assert told.value.reason and not any(inside in told.value.reason for inside in INSIDE)
    remoting.nothing_ran()
    remoting.targets.forget_faults()


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, *REFUSED])
def test_a_session_whose_opening_breaks_off(remoting, fault):
    remoting.targets.inject(f"{fault}@Receive")
    with pytest.raises(WSManFaultError) as told:
        with session(remoting, scheme="http", **TIMEOUTS):
            pass
    assert told.value.reason and not any(inside in told.value.reason for inside in INSIDE)
    remoting.targets.forget_faults()
    remoting.targets.nothing_left()


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, *REFUSED])
def test_a_command_whose_answer_is_lost_or_wrong(remoting, fault):
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        remoting.targets.inject(f"{fault}@Command")
        kind, told = failed(command(pool, "Write-Output", InputObject="once"))
        assert kind == "SekishoTargetFailed" and ("nothing was run" in told or "unknown" in told)
        assert len(remoting.targets.seen("fault", action="Command")) == 1, "the command was sent again"
        remoting.targets.forget_faults()
    assert len(remoting.targets.seen("pipeline")) <= (1 if fault in EXECUTED else 0)
    assert remoting.audited("command")
    result = remoting.audited("result")
    assert result["outcome"] == ("fault" if fault in REFUSED else "unknown"), result
    remoting.targets.nothing_left()


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, "denied=1", "fault=2150858843"])
def test_output_that_is_lost_is_never_taken_for_all_of_it(remoting, fault):
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        shell = command(pool, "Big-Output", Count=2000)
        shell.begin_invoke()
        shell.poll_invoke()
        remoting.targets.inject(f"{fault}@Receive#1")
        try:
            shell.end_invoke()
        except WSManFaultError as gone:
            assert gone.reason
        else:
            assert shell.state == FAILED or len(shell.output) == 2000
            if shell.state == FAILED:
                assert shell.streams.error[-1].fq_error == "SekishoTargetFailed"
        remoting.targets.forget_faults()
    remoting.targets.ran(1)
    assert remoting.audited("result")["outcome"] in ("unknown", "fault", "completed")
    remoting.targets.nothing_left()


@pytest.mark.parametrize("fault", [*EXECUTED, "http=500", "garbage=50", "denied=1"])
def test_input_is_never_sent_twice(remoting, fault):
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        remoting.targets.inject(f"{fault}@Send#1")
        shell = command(pool, "Read-Input")
        begin = time.monotonic()
        try:
            shell.invoke(["once"])
        except WSManFaultError as gone:
            assert gone.reason
        else:
            assert shell.state == FAILED
        assert time.monotonic() - begin < 25
        remoting.targets.forget_faults()
    assert len(remoting.targets.seen("message", kind="PIPELINE_INPUT")) <= 1


@pytest.mark.parametrize("fault", [*EXECUTED, *NOT_EXECUTED, "denied=1"])
@pytest.mark.parametrize("action", ["Signal", "Delete"])
def test_a_clean_up_that_fails_does_not_take_the_result(remoting, fault, action):
    remoting.targets.inject(f"{fault}@{action}#1")
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        assert run(pool, "Write-Output", InputObject=1) == [1]
        assert run(pool, "Write-Output", InputObject=2) == [2]
    assert [line["outcome"] for line in remoting.audit("result")] == ["completed"] * 2


@pytest.mark.parametrize("action", ["Create", "Command", "Receive", "Send"])
def test_a_target_that_hangs(another, action):
    path = another(policy=REMOTING, target_extra='connect_timeout = "2s"\nread_timeout = "2s"\n')
    if action == "Create":
        path.targets.inject("hang=1@Create#1")
        with pytest.raises(WSManFaultError) as told:
            with session(path, scheme="http", **TIMEOUTS):
                pass
        assert told.value.reason
        return
    with session(path, lasting=False, **TIMEOUTS) as pool:
        path.targets.inject(f"hang=1@{action}#1")
        shell = command(pool, "Read-Input" if action == "Send" else "Start-Sleep")
        begin = time.monotonic()
        try:
            shell.invoke(["x"] if action == "Send" else None)
            assert shell.state == FAILED
        except WSManFaultError as gone:
            assert gone.reason
        assert time.monotonic() - begin < 25
    assert path.audited("result")["outcome"] == "unknown"


def test_a_client_that_waits_less_for_a_session_than_the_gateway_is_answered_in_its_time(remoting):
    """And the session that comes too late is closed again."""
    remoting.targets.inject("delay=6000@Create#1")
    begin = time.monotonic()
    with pytest.raises(WSManFaultError) as told:
        with session(remoting, scheme="http", operation_timeout=4, read_timeout=15):
            pass
    assert time.monotonic() - begin < 6 and "in time" in told.value.reason
    assert remoting.audited("session_end")
    assert remoting.targets.seen("shell", op="create")
    remoting.targets.nothing_left()


def test_a_shell_that_is_gone_ends_the_session_and_a_new_one_works(remoting):
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        run(pool, "Get-Date")
        remoting.targets.ask("clear")
        kind, _told = failed(command(pool, "Get-Date"))
        assert kind == "SekishoTargetFailed"
        # What comes next is told plainly that there is no session, so that a client opens a new one.
        with pytest.raises(WSManFaultError) as gone:
            command(pool, "Get-Date").invoke()
        assert gone.value.code == 2150858843
    assert remoting.audited("session_end", reason="target")
    with session(remoting) as pool:
        run(pool, "Get-Date")


def test_a_shell_that_goes_in_the_middle_of_a_command(remoting):
    with session(remoting, lasting=False, **TIMEOUTS) as pool:
        shell = command(pool, "Start-Sleep", Seconds=300)
        shell.begin_invoke()
        remoting.targets.ran(1)
        threading.Timer(0.5, lambda: remoting.targets.ask("clear")).start()
        begin = time.monotonic()
        try:
            shell.end_invoke()
            assert shell.streams.error
        except WSManFaultError as gone:
            assert gone.reason
        assert time.monotonic() - begin < 30


def test_a_target_that_is_killed(another, tmp_path, authority, users):
    targets = Targets(tmp_path / "mortal", authority, users, count=3, options=["--cbt"])
    path = another(policy=REMOTING, port_of=targets.port)
    try:
        with session(path, lasting=False, **TIMEOUTS) as pool:
            shell = command(pool, "Start-Sleep", Seconds=300)
            shell.begin_invoke()
            targets.ran(1)
            targets.program.process.kill()
            begin = time.monotonic()
            try:
                shell.end_invoke()
                assert shell.state == FAILED
                assert shell.streams.error[-1].fq_error == "SekishoTargetFailed"
            except WSManFaultError as gone:
                assert gone.reason
            assert time.monotonic() - begin < 30
            kind, told = failed(command(pool, "Get-Date"))
            assert "reach" in told or kind == "fault", told
        assert path.audited("result")["outcome"] == "unknown"
    finally:
        targets.stop()


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_targets_of_older_powershell(another, tmp_path, authority, users, version):
    targets = Targets(tmp_path / "old", authority, users, count=3, options=["--cbt", "--protocol", version])
    path = another(policy=REMOTING, port_of=targets.port)
    try:
        with session(path) as pool:
            assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
            assert len(run(pool, "Write-Text", Size=700_000)[0]) == 700_000
    finally:
        targets.stop()

"""The harness of real PowerShell: client, stand-in for ssh, WinRM, PowerShell as the target, with no gateway between.

What fails here is a fault of the tests, not of the gateway."""

import os
import shlex

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from engine_target.framing import END, FRAGMENT, START, Assembly, Cutter, fragments, packet
from engine_target.pipelines import facts, statements
from lab import engine
from lab.accounts import PASSWORD
from lab.clients import Pypsrp, Where
from lab.engine import RESTRICTED, Client
from lab.processes import poll
from lab.scenarios import NAMES


@pytest.fixture
def where(engine_targets, authority):
    return lambda index=0, scheme="https": Where(engine_targets.port(scheme, index), scheme, authority.file)


@pytest.fixture
def client(tmp_path, engine_play, where):
    def make(index=0, **settings):
        return Client(engine_play, tmp_path / "client", where(index), "ops", PASSWORD, **settings)

    return make


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_looks_the_same_over_winrm(client, engine_serve, engine_targets, name):
    restricted = name.startswith("2")
    direct = shlex.join(engine_serve) + (f" {RESTRICTED}" if restricted else "")
    expected = client().scenario(name, LAB_DIRECT=direct)
    seen = client(1 if restricted else 0).scenario(name)
    if name == "12-many-sessions":
        # Of three sessions at once, the first to answer is the first.
        seen, expected = "".join(sorted(seen.splitlines(True))), "".join(sorted(expected.splitlines(True)))
    assert seen == expected
    assert bool(expected.strip()) == (name != "01-open-close")
    assert not engine_targets.seen("labbug")


# ---- the target, asked by pypsrp
NTLM = Pypsrp("pypsrp", {"auth": "ntlm"})


def invoke(pool, *commands, script=None):
    shell = PowerShell(pool)
    if script:
        shell.add_script(script)
    for name, arguments in commands:
        shell.add_cmdlet(name).add_parameters(arguments)
    output = shell.invoke()
    shell.close()
    return output, shell


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_cmdlets_of_an_independent_client_run_in_powershell(where, engine_targets, scheme):
    with NTLM.wsman(where(scheme=scheme), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        output, shell = invoke(
            pool, ("Get-Service", {"Name": "Spooler"}), ("Select-Object", {"Property": ["Name"]})
        )
        assert [o.adapted_properties.get("Name") or o.extended_properties["Name"] for o in output] == [
            "Spooler"
        ]
        assert not shell.had_errors
        output, shell = invoke(pool, script="1..3 | ForEach-Object { $_ * 2 }; Write-Error 'no such thing'")
        assert (output, str(shell.streams.error[0])) == ([2, 4, 6], "no such thing")
        [engine] = engine_targets.seen("engine")
    said = engine_targets.seen("psrp", type="CREATE_PIPELINE")
    assert statements(said[0]["clixml"]) == [
        [
            ("Get-Service", False, [("Name", "Spooler")]),
            ("Select-Object", False, [("Property", ["Name"])]),
        ]
    ]
    assert facts(said[0]["clixml"])["NoInput"] is True
    [(_, is_script, arguments)] = statements(said[1]["clixml"])[0]
    assert (is_script, arguments) == (True, [])
    poll(lambda: not os.path.exists(f"/proc/{engine['pid']}"), "the process of a shell that is gone")


def test_a_restricted_target_is_a_real_jea_endpoint(where):
    with NTLM.wsman(where(1), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        invoke(pool, ("Restart-Service", {"Name": "Spooler"}))
        for name, arguments, why in (
            ("Restart-Service", {"Name": "WinRM"}, "ParameterArgumentValidationError,Restart-Service"),
            ("Get-Process", {}, "CommandNotFoundException"),
        ):
            shell = PowerShell(pool)
            shell.add_cmdlet(name).add_parameters(arguments)
            shell.invoke()
            assert shell.had_errors and shell.streams.error[-1].fq_error == why


def test_nothing_to_say_is_a_timeout_and_then_it_goes_on(where, engine_targets):
    with NTLM.wsman(where(), "ops", PASSWORD, operation_timeout=1) as wsman, RunspacePool(wsman) as pool:
        output, _ = invoke(pool, script="Start-Sleep -Milliseconds 2500; 'at last'")
    assert output == ["at last"]


def test_several_pipelines_at_once_and_one_is_stopped(where):
    with NTLM.wsman(where(), "ops", PASSWORD) as wsman, RunspacePool(wsman, max_runspaces=3) as pool:
        sleeper = PowerShell(pool)
        sleeper.add_script("'started'; Start-Sleep 60; 'not reached'")
        sleeper.begin_invoke()
        assert invoke(pool, script="'meanwhile'")[0] == ["meanwhile"]
        poll(lambda: sleeper.output or sleeper.poll_invoke(timeout=1) or sleeper.output, "started")
        sleeper.stop()
        assert sleeper.output == ["started"]
        assert invoke(pool, script="'afterwards'")[0] == ["afterwards"]


def test_answers_fit_into_the_envelopes_of_the_client(where, engine_targets):
    """PowerShell's own fragments are 32 KiB: they are cut smaller here, as a server does that knows the envelope."""
    with NTLM.wsman(where(), "ops", PASSWORD, max_envelope_size=20000) as wsman:
        lengths = []
        receive = wsman.transport.send

        def measured(*args, **options):
            answer = receive(*args, **options)
            lengths.append(len(answer))
            return answer

        wsman.transport.send = measured
        with RunspacePool(wsman) as pool:
            # pypsrp asks for more as soon as it knows who answers.
            wsman.update_max_payload_size(20000)
            assert invoke(pool, script="'x' * 100000")[0] == ["x" * 100000]
    assert max(lengths) <= 20000 and len(lengths) > 5


def test_a_shell_whose_process_has_ended_is_gone(where, engine_targets):
    with NTLM.wsman(where(), "ops", PASSWORD) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        shell = PowerShell(pool)
        shell.add_script("[Environment]::Exit(9)")
        with pytest.raises(WSManFaultError, match="has ended"):
            shell.invoke()


def test_a_command_that_should_never_run_leaves_a_trace(where, canary_file):
    """Were it to run behind the gateway, it would be seen."""
    assert not canary_file.exists()
    with NTLM.wsman(where(), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        invoke(pool, ("Stop-Computer", {}))
    assert "Stop-Computer" in canary_file.read_text()
    canary_file.unlink()


# ---- the decoders
def test_fragments_are_cut_and_put_together():
    blob = bytes(40) + bytes(range(256)) * 40
    whole = FRAGMENT.pack(7, 0, START | END, len(blob)) + blob
    pieces = list(Cutter(1000).pieces(whole))
    assert all(len(p) <= 1000 for p in pieces) and len(pieces) == 11
    assert [f[1] for p in pieces for f in fragments(p)] == list(range(11))
    assembly = Assembly()
    assert [len(assembly.messages(p)) for p in pieces] == [0] * 10 + [1]
    with pytest.raises(ValueError, match="out of turn"):
        Assembly().messages(pieces[1])
    with pytest.raises(ValueError, match="is cut"):
        list(fragments(whole[:-1]))


def test_lines_of_the_transport_are_read():
    empty = "00000000-0000-0000-0000-000000000000"
    data = packet(f"<Data Stream='PromptResponse' PSGuid='{empty}'>AAE=</Data>\n".encode())
    assert (data.kind, data.stream, data.data) == ("Data", "PromptResponse", b"\x00\x01")
    assert packet(data.line()) == data
    assert packet(f"<CloseAck PSGuid='{empty.upper()}' />\r\n".encode()).pipeline == empty
    assert packet(b"Welcome!\n") is None


# ---- where PowerShell comes from
def test_powershell_is_named_found_or_left_out_and_said_so(monkeypatch, tmp_path):
    program = tmp_path / "engine"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setattr(engine, "ARCHIVE", tmp_path / "archive.tar.xz")
    monkeypatch.setenv("SEKISHO_ENGINE", f"env A=1 {program}")
    assert engine.find("play", None) == ["env", "A=1", str(program), "play"]
    monkeypatch.setenv("SEKISHO_ENGINE", "/opt/pwsh")
    with pytest.raises(pytest.skip.Exception, match="cannot do it"):
        engine.find("play", None)
    monkeypatch.setenv("SEKISHO_ENGINE", "required")
    with pytest.raises(pytest.fail.Exception, match="is required, but no PowerShell for 'play'"):
        engine.find("play", None)
    monkeypatch.delenv("SEKISHO_ENGINE")
    with pytest.raises(pytest.skip.Exception, match="no PowerShell for 'serve'"):
        engine.find("serve", None)
    (tmp_path / "archive.tar.xz").touch()
    assert engine.find("serve", lambda: program) == [str(program), "serve"]
    monkeypatch.setenv("SEKISHO_ENGINE", "/bin/false")
    with pytest.raises(pytest.fail.Exception, match="does not start"):
        engine.find("serve", None)

"""PowerShell remoting of stock clients, all the way to the independent target and back: what works."""

import pypsrp.powershell
import pytest
from pypsrp.client import Client
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool

from lab.accounts import PASSWORD
from lab.psrp import COMPLETED, FAILED, PYPSRP, command, completed, refused, run, script, session
from lab.remoting_policy import REMOTING

# So many that commands which nobody closes would fill any table.
MANY = 200


def names(output):
    return [str(item) for item in output]


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("target", ["web01", "web02", "db01"])
def test_a_command_runs(remoting, scheme, target):
    with session(remoting, scheme=scheme, target=target) as pool:
        assert names(run(pool, "Get-Service", Name="Spooler")) == ["Spooler"]
    assert remoting.audited("session_end", reason="deleted")
    remoting.targets.nothing_left()


def test_properties_come_with_the_objects(remoting):
    with session(remoting) as pool:
        [spooler] = run(pool, "Get-Service", Name="Spooler")
    assert spooler.types[0] == "System.ServiceProcess.ServiceController"
    assert spooler.extended_properties["Status"] == "Running"
    assert spooler.extended_properties["DisplayName"] == "Print Spooler"


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Get-Service -Name Spooler", ["Spooler"]),
        ("  get-service spooler\n", ["Spooler"]),
        ("Get-Service -Name Spooler | Select-Object -Property Name", ["Spooler"]),
        ("Write-Output 'it''s', 7", ["it's", "7"]),
        ("Write-Output 'ünïcödé 漢字 😀'", ["ünïcödé 漢字 😀"]),
    ],
)
def test_a_script_of_constant_commands_runs(remoting, text, output):
    with session(remoting) as pool:
        assert names(completed(script(pool, text))) == output


def test_a_script_with_its_arguments(remoting):
    with session(remoting) as pool:
        shell = script(pool, "param($name) Get-Service -Name $name").add_argument("Spooler")
        assert names(completed(shell)) == ["Spooler"]


def test_several_statements(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Get-Service", Name="Spooler").add_statement()
        shell.add_cmdlet("Write-Output").add_parameter("InputObject", "between").add_statement()
        shell.add_cmdlet("Get-Service").add_parameter("Name", "W3SVC")
        assert names(completed(shell)) == ["Spooler", "between", "W3SVC"]
    line = remoting.audited("command")
    assert [[c["name"] for c in statement] for statement in line["commands"]] == [
        ["Get-Service"],
        ["Write-Output"],
        ["Get-Service"],
    ]


def test_a_pipeline_of_commands(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Get-Service", Name="Spooler").add_cmdlet("Select-Object")
        shell.add_parameter("Property", ["Name", "Status"])
        assert names(completed(shell)) == ["Spooler"]


def test_values_arrive_as_they_were_judged(remoting):
    odd = "it's; a | b & c > d %PATH% $(x) `n \x00\x1f_x0041_ \ud83d\ude00"
    odd = odd.encode("utf-16", "surrogatepass").decode("utf-16")
    with session(remoting) as pool:
        shell = command(pool, "Show-Args", Text=["plain", odd]).add_parameter("Flag")
        completed(shell)
    [ran] = remoting.targets.seen("run", name="Show-Args")
    assert [(a["n"], a["v"]) for a in ran["args"]] == [("Text", ["plain", odd]), ("Flag", True)]


# ---- errors and streams
def test_an_error_that_does_not_end_it(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Get-Service", Name=["Spooler", "no-such"])
        assert names(shell.invoke()) == ["Spooler"]
        assert shell.state == COMPLETED
        [error] = shell.streams.error
        assert error.fq_error.startswith("NoServiceFoundForGivenName") and error.target_name == "no-such"
    assert remoting.audited("result")["outcome"] == "completed"


def test_an_error_that_ends_it(remoting):
    with session(remoting) as pool:
        error = refused(command(pool, "Throw-Error", Message="not today"))
        assert "not today" in str(error) and error.fq_error == "not today"
        assert names(run(pool, "Get-Service", Name="Spooler")) == ["Spooler"]
    assert [line["outcome"] for line in remoting.audit("result")] == ["failed", "completed"]


def test_every_stream_comes_on_its_own(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Write-Output", InputObject="output").add_statement()
        for name in ("Warning", "Verbose", "Debug"):
            shell.add_cmdlet(f"Write-{name}").add_parameter("Message", name.lower()).add_statement()
        shell.add_cmdlet("Write-Error").add_parameter("Message", "error").add_statement()
        shell.add_cmdlet("Write-Information").add_parameter("MessageData", "information").add_statement()
        shell.add_cmdlet("Write-Progress").add_parameter("Activity", "progress")
        shell.add_parameter("PercentComplete", 40)
        assert names(completed(shell)) == ["output"]
        streams = shell.streams
    assert [w.message for w in streams.warning] == ["warning"]
    assert [v.message for v in streams.verbose] == ["verbose"]
    assert [d.message for d in streams.debug] == ["debug"]
    assert [str(e) for e in streams.error] == ["error"]
    assert [i.message_data for i in streams.information] == ["information"]
    assert [(p.activity, p.percent_complete) for p in streams.progress] == [("progress", 40)]


def test_a_stream_that_is_merged_into_the_output_arrives_so(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Write-Warning", Message="x").merge_warning("output").merge_error("output")
        completed(shell)
    [pipeline] = remoting.targets.seen("message", kind="CREATE_PIPELINE")
    for name, value in (("MergeError", "Output"), ("MergeWarning", "Output"), ("MergeDebug", "None")):
        found = pipeline["text"].split(f'N="{name}"', 1)[1]
        assert f"<ToString>{value}</ToString>" in found.split("</Obj>", 1)[0], found[:300]


# ---- versions of the protocol
@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3"])
def test_versions_of_the_protocol(remoting, monkeypatch, version):
    monkeypatch.setattr(pypsrp.powershell, "PROTOCOL_VERSION", version)
    with session(remoting) as pool:
        assert pool.protocol_version == version
        assert names(run(pool, "Get-Service", Name="Spooler")) == ["Spooler"]
        # Records of information came with 2.3.
        shell = command(pool, "Write-Host", Object="hello").add_statement().add_cmdlet("Write-Warning")
        shell.add_parameter("Message", "x")
        completed(shell)
        assert len(shell.streams.information) == (1 if version == "2.3" else 0)
        assert len(shell.streams.warning) == 1
        assert len(run(pool, "Write-Text", Size=1_000_000)[0]) == 1_000_000
    created = remoting.targets.seen("message", kind="SESSION_CAPABILITY")[-1]
    assert '<Version N="protocolversion">2.3</Version>' in created["text"]


def test_a_client_that_is_ahead_is_answered_by_what_the_gateway_speaks(remoting, monkeypatch):
    """From 2.4 on secrets would travel as they are."""
    monkeypatch.setattr(pypsrp.powershell, "PROTOCOL_VERSION", "2.4")
    with session(remoting) as pool:
        assert pool.protocol_version == "2.3"
        assert names(run(pool, "Get-Service", Name="Spooler")) == ["Spooler"]


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_another_protocol_is_refused(remoting, monkeypatch, version):
    monkeypatch.setattr(pypsrp.powershell, "PROTOCOL_VERSION", version)
    with pytest.raises(Exception, match="opening of the pool|version"):
        with session(remoting):
            pass
    remoting.nothing_reached_a_target()


def test_what_only_a_debugger_has_use_for_is_left_out_of_what_the_target_says_of_itself(remoting):
    with session(remoting) as pool:
        data = pool.application_private_data
        text = str(data.data if hasattr(data, "data") else data)
        assert "PSVersionTable" in text
        for key in ("DebugMode", "BreakAll", "DebugBreakpointCount", "UnhandledBreakpointMode", "DebugStop"):
            assert key not in text


# ---- many
def test_many_pipelines_one_after_the_other_that_nobody_closes(remoting):
    with session(remoting) as pool:
        shells = []
        for number in range(MANY):
            shells.append(command(pool, "Write-Output", InputObject=number))
            assert completed(shells[-1]) == [number]
        # Late, but still theirs: the last ones.
        for shell in shells[-5:]:
            shell.close()
    results = remoting.audit("result", outcome="completed")
    assert len(results) == MANY
    assert remoting.targets.commands() == 0


def test_a_pipeline_can_be_closed_while_others_wait_to_be(remoting):
    """The one that ended last is never the one that is forgotten."""
    with session(remoting) as pool:
        before = [command(pool, "Write-Output", InputObject=n) for n in range(60)]
        for one in before:
            completed(one)
            last = command(pool, "Write-Output", InputObject="last")
            completed(last)
            completed(command(pool, "Write-Output", InputObject="after"))
            last.close()


def test_two_pools_of_one_user_know_nothing_of_each_other(remoting):
    with session(remoting) as one, session(remoting) as other:
        slow = command(one, "Start-Sleep", Milliseconds=300)
        slow.begin_invoke()
        assert names(run(other, "Get-Service", Name="Spooler")) == ["Spooler"]
        slow.end_invoke()
        assert slow.state == COMPLETED
    assert len({line["session"] for line in remoting.audit("command")}) == 2
    remoting.targets.nothing_left()


def test_pools_on_two_targets(remoting):
    with session(remoting, target="web01") as one, session(remoting, target="db01") as other:
        assert str(run(one, "Get-ComputerInfo")[0].extended_properties["CsName"]) == "target1"
        assert str(run(other, "Get-ComputerInfo")[0].extended_properties["CsName"]) == "target3"


# ---- execute_ps
def client(path, **options):
    where = path.where("https")
    return Client(
        "127.0.0.1",
        port=where.port,
        path=where.path,
        username="ops",
        password=PASSWORD,
        auth="credssp",
        cert_validation=str(where.ca),
        no_proxy=True,
        **options,
    )


@pytest.mark.parametrize("endpoint", ["restricted", "full"])
def test_execute_ps(another, endpoint):
    path = another(policy=REMOTING, target_extra=f'endpoint = "{endpoint}"\n')
    with client(path) as one:
        output, streams, had_errors = one.execute_ps("Get-Service -Name Spooler")
        assert not had_errors and "Spooler" in output
        output, streams, had_errors = one.execute_ps("Write-Warning 'careful'")
        assert not had_errors and [w.message for w in streams.warning] == ["careful"]
        output, streams, had_errors = one.execute_ps("Throw-Error 'not today'")
        assert had_errors and "not today" in str(streams.error[-1])
    first = path.targets.seen("pipeline")[0]["commands"]
    assert "Invoke-Expression" not in str(first)
    names = [c["cmd"] for c in first]
    if endpoint == "full":
        assert names == [
            "Microsoft.PowerShell.Management\\Get-Service",
            "Microsoft.PowerShell.Utility\\Out-String",
        ]
    else:
        # A restricted endpoint has nothing that makes text.
        assert names == ["Get-Service"]


def test_a_denied_line_of_execute_ps_says_why(remoting):
    with client(remoting) as one:
        output, streams, had_errors = one.execute_ps("Stop-Service -Name Spooler")
    assert had_errors and output == ""
    assert (
        "none of your roles" in str(streams.error[-1]) and streams.error[-1].fq_error == "SekishoPolicyDenied"
    )
    remoting.nothing_ran()


def test_an_environment_for_execute_ps_is_refused_with_what_works(remoting):
    with client(remoting) as one:
        output, streams, had_errors = one.execute_ps("Get-Service", environment={"PATH": "C:\\x"})
    assert had_errors and output == ""
    assert "leave environment variables" in str(streams.error[-1])
    remoting.nothing_ran()


def test_copy_and_fetch_of_pypsrp_are_refused_with_what_works(remoting, tmp_path):
    local = tmp_path / "local"
    local.write_bytes(b"0123456789" * 200_000)
    with client(remoting) as one:
        with pytest.raises(Exception, match="use a share, or a script for this one purpose"):
            one.copy(str(local), "C:\\remote")
        with pytest.raises(Exception, match="use a share, or a script for this one purpose"):
            one.fetch("C:\\remote", str(tmp_path / "fetched"))
    assert len(remoting.audit("denial")) == 2
    remoting.nothing_ran()
    remoting.targets.nothing_left()


# ---- ends
def test_closing_the_pool_ends_what_runs_in_it(remoting):
    with session(remoting) as pool:
        shell = command(pool, "Start-Sleep", Seconds=300)
        shell.begin_invoke()
        remoting.targets.ran(1)
    result = remoting.audited("result")
    assert (result["outcome"], result["by"]) == ("terminated", "client")
    assert remoting.targets.seen("signal", code="Terminate") or remoting.targets.seen("shell", op="delete")
    remoting.targets.nothing_left()


def test_a_session_that_nobody_uses_is_closed(another):
    path = another(policy=REMOTING, extra='[sessions]\nidle = "10s"\nmaximum_operation_timeout = "5s"\n')
    with PYPSRP.wsman(path.where(), "ops", PASSWORD) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        run(pool, "Get-Service", Name="Spooler")
        assert path.audited("session_end", reason="idle")
        path.targets.nothing_left()
        with pytest.raises(Exception) as gone:
            run(pool, "Get-Service", Name="Spooler")
        assert gone.value.code == 2150858843
        with RunspacePool(wsman) as again:
            assert names(run(again, "Get-Service", Name="Spooler")) == ["Spooler"]


def test_a_pipeline_object_can_be_used_again_once_it_was_closed(remoting):
    with session(remoting) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").add_parameter("Name", "Spooler")
        completed(shell)
        shell.close()
        shell.state = PSInvocationState.NOT_STARTED
        shell.output = []
        assert names(completed(shell)) == ["Spooler"]


def test_a_failed_pipeline_leaves_the_others_alone(remoting):
    with session(remoting) as pool:
        slow = command(pool, "Start-Sleep", Milliseconds=500)
        slow.begin_invoke()
        denied = command(pool, "Stop-Service", Name="Spooler")
        denied.invoke()
        assert denied.state == FAILED
        slow.end_invoke()
        assert slow.state == COMPLETED

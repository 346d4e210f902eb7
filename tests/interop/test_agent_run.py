"""`sekisho run`: the built agent, the gateway, and PowerShell as targets have it."""

import json

import pytest

from lab import agent, scenarios
from lab.accounts import PASSWORD
from lab.engines import COMMANDS, EngineGateway
from lab.policy import POLICY

SHELL = POLICY + r"""
[roles.shell]
cmdlets = [
    "Get-Service", "Select-Object", "Start-Sleep", "Write-Output", "Write-Warning", "Show-Args", "Throw-Error",
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["Spooler"] }, "Force"] },
    { name = "Set-Secret", parameters = ["Name", { name = "Value", secret = true }] },
]

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['web*']
roles = ['shell']
"""


@pytest.fixture
def remoting(another):
    return another(policy=SHELL)


def run(path, *words, target="web01", **options):
    return agent.run_powershell(path.where("https"), "ops", PASSWORD, *words, target=target, **options)


def records(done):
    lines = [json.loads(line) for line in done.out.decode().splitlines()]
    return [line for line in lines if line["event"] == "record"], lines


def test_a_command_is_sent_as_it_was_judged_and_its_object_comes_back(remoting):
    done = run(remoting, "Get-Service", "-Na", "Spooler,W3SVC", target="web01,web02")
    seen, lines = records(done)
    assert (done.code, done.err) == (0, b""), done.out.decode()
    names = {(line["target"], line["value"]["Name"]) for line in seen}
    assert names == {(t, n) for t in ("web01", "web02") for n in ("Spooler", "W3SVC")}
    assert all(line["stream"] == "output" for line in seen)
    assert seen[0]["types"][0] == "System.ServiceProcess.ServiceController"
    ends = [line for line in lines if line["event"] == "finished"]
    assert [(end["exit_code"], end["state"]) for end in ends] == [(0, "completed")] * 2
    for pipeline in remoting.targets.seen("pipeline"):
        [command] = pipeline["commands"]
        assert (command["cmd"], command["is_script"], pipeline["no_input"]) == ("Get-Service", False, True)
        assert [argument["n"] for argument in command["args"]] == ["Name"], "the whole name, and no dash"
    assert len(remoting.audit("command")) == 2
    assert [line["outcome"] for line in remoting.audit("result")] == ["completed"] * 2


def test_words_arrive_with_the_types_that_the_guide_says(remoting):
    done = run(remoting, "Show-Args", "-Text", "a b,c", "-Flag:$false")
    seen, _ = records(done)
    shown = json.loads(seen[0]["value"])["named"]
    assert shown["Text" if "Text" in shown else "text"][1] == "a b,c", "a word with a blank is one text"
    done = run(remoting, "Write-Output", "-InputObject", "a,5,$true,$null,'5',1.5,007")
    seen, _ = records(done)
    assert [line["value"] for line in seen] == ["a", 5, True, None, "5", "1.5", "007"], done.err


def test_a_text_is_judged_as_commands_and_a_denial_says_what_comes_nearest(remoting):
    done = run(remoting, "Get-Service -Name Spooler | Select-Object Name")
    assert done.code == 0 and records(done)[0][0]["value"]["Name"] == "Spooler"
    done = run(remoting, "Restart-Service", "Dnscache", form=None)
    assert done.code == 3 and b"web01 (denied)" in done.out and b"Spooler" in done.out
    done = run(remoting, "Get-Service; Stop-Computer", form=None)
    assert done.code == 3 and b"(denied)" in done.out


def test_errors_and_warnings_stand_apart_and_count(remoting):
    done = run(remoting, "Get-Service", "-Name", "Spooler,Missing", form=None)
    assert done.code == 1
    assert done.out.decode().startswith("Status  Name"), done.out
    assert b"1 target: 1 ended with an error" in done.out and b"Missing" not in done.out
    error = done.err.decode()
    assert "Cannot find any service with service name 'Missing'." in error
    assert "    + FullyQualifiedErrorId : NoServiceFoundForGivenName" in error and "    + Target" in error
    done = run(remoting, "Throw-Error", "-Message", "boom", form="--json")
    [result] = json.loads(done.out)["results"]
    assert (done.code, result["state"], result["exit_code"]) == (1, "failed", 1)
    assert result["streams"]["error"][0]["text"] == "boom" and result["streams"]["output"] == []
    done = run(remoting, "Write-Warning", "-Message", "slow", form="--json")
    [result] = json.loads(done.out)["results"]
    assert done.code == 0 and [record["text"] for record in result["streams"]["warning"]] == ["slow"]


def test_properties_that_are_asked_for(remoting):
    done = run(remoting, "Get-Service", "-Name", "Spooler", form="--json", options=["--select", "status,Nothing"])
    [record] = json.loads(done.out)["results"][0]["streams"]["output"]
    assert record["value"] == {"status": "Running", "Nothing": None}
    assert done.err == b"WARNING: no object has the property Nothing\n"


def test_a_script_comes_from_a_file_with_its_values(remoting, tmp_path):
    script = tmp_path / "x.ps1"
    script.write_bytes(b"\xef\xbb\xbfparam($Name)\r\nGet-Service -Name $Name\r\n")
    done = run(remoting, options=["--script", script, "--arg", "Name=Spooler"], form="--raw")
    assert (done.code, done.out) == (0, b"Spooler\n"), done
    [pipeline] = remoting.targets.seen("pipeline")
    assert not any(command["is_script"] for command in pipeline["commands"]), "no text reaches a target"


def test_a_long_command_is_stopped_at_its_time_and_leaves_nothing(remoting):
    done = run(remoting, "Start-Sleep", "-Seconds", "60", timeout=1)
    _, lines = records(done)
    [failed] = [line for line in lines if line["event"] == "failed"]
    assert (done.code, failed["class"], failed["effect"]) == (1, "timeout", "unknown")
    assert remoting.targets.seen("stopped") and remoting.targets.shells() == 0


def test_secrets_of_arguments_are_not_in_the_audit(remoting):
    done = run(remoting, "Set-Secret", "-Name", "x", "-Value", "canary-value-7")
    assert done.code == 0, done
    assert "canary-value-7" not in json.dumps(remoting.audit("command"))


# ---- real PowerShell
def test_objects_of_real_powershell(engines):
    done = run(engines, "Get-Service", "-Name", "Spooler,W32Time", target="web01,jea01", form=None)
    assert done.code == 0, done
    table = done.out.decode()
    assert table.startswith("Status  Name    DisplayName"), table
    assert table.count("Spooler") == 4 and table.count("jea01") == 2, table
    done = run(engines, "Get-Service", "-Name", "NoSuch", form="--json")
    [result] = json.loads(done.out)["results"]
    assert done.code == 1 and result["streams"]["error"][0]["value"]["FullyQualifiedErrorId"].startswith("NoService")
    done = run(engines, "Get-Service -Name Spooler | Select-Object Name, Status", form="--json")
    [record] = json.loads(done.out)["results"][0]["streams"]["output"]
    assert record["value"] == {"Name": "Spooler", "Status": "Running"}


def test_a_pinned_script_runs_as_the_policy_has_it(engines, installation, authority, engine_targets, tmp_path):
    assigned = "[[assignments]]\nprincipals = ['GATEWAY\\ops']\ntargets = ['web*']\nroles = [\"pinned\"]\n"
    text = "param([int]$Count)\nWrite-Warning 'counting'\n1..$Count | ForEach-Object { $_ * 2 }\nexit 4\n"
    entry, file, text = scenarios.pinned("pinned", "count", text)
    policy = (f"{COMMANDS}\n{entry}\n{assigned}", {file: text})
    gateway = EngineGateway(installation, tmp_path / "pinning", authority, engine_targets, policy)
    gateway.start()
    try:
        script = tmp_path / "mine.ps1"
        script.write_text(text)
        options = ["--script", script, "--arg", "Count=3"]
        done = agent.run_powershell(
            gateway.where("https"), "ops", PASSWORD, target="web01", form="--json", options=options
        )
        [result] = json.loads(done.out)["results"]
        assert (done.code, result["exit_code"]) == (1, 4), result
        assert [record["value"] for record in result["streams"]["output"]] == [2, 4, 6]
        assert [record["text"] for record in result["streams"]["warning"]] == ["counting"]
        script.write_text(text + "\nGet-Process\n")
        done = agent.run_powershell(
            gateway.where("https"), "ops", PASSWORD, target="web01", form="--json", options=options
        )
        assert done.code == 3, "another text is another script"
    finally:
        gateway.stop()

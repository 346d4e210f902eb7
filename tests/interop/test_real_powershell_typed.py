"""What people type at PowerShell, and what they see: denials that can be caught, jobs, input, stop, questions."""

import re

import pytest

from engine_target.pipelines import statements
from lab.processes import poll

OPEN = "$s = New-PSSession -HostName web01\n"
# Of an error, what a script can go by.
CAUGHT = (
    'catch { "$($_.FullyQualifiedErrorId)|$($_.CategoryInfo.Category)|$($_.CategoryInfo.TargetName)|'
    '$($_.Exception.Message)" }'
)


def ran(engines):
    """The names of the commands that the target got."""
    asked = engines.targets.seen("psrp", way="gateway", type="CREATE_PIPELINE")
    return [
        command.rpartition("\\")[2]
        for event in asked
        for statement in statements(event["clixml"])
        for command, _, _ in statement
    ]


# ---- denials
def test_a_denial_is_an_error_that_can_be_caught_and_the_session_goes_on(engines, typist):
    shown = (
        typist("other")
        .play(
            f"{OPEN}try {{ Invoke-Command -Session $s {{ Restart-Service Spooler }} -ErrorAction Stop }} {CAUGHT}\n"
            "Invoke-Command -Session $s { Restart-Service Spooler } -ErrorAction SilentlyContinue -ErrorVariable e\n"
            '"$($e.Count) $($e[0].GetType().Name) $($e[0].OriginInfo.PSComputerName) $($s.State)"\n'
            "(Invoke-Command -Session $s { Get-Service Spooler }).Name\n"
        )
        .splitlines()
    )
    [error, kept, name] = shown
    identity, category, about, message = error.split("|")
    assert (identity, category) == ("SekishoPolicyDenied", "PermissionDenied")
    assert (
        message.startswith("none of your roles on this target allows this command")
        and "Get-Service" in message
    )
    assert (kept, name) == ("1 RemotingErrorRecord web01 Opened", "Spooler")
    assert ran(engines) == ["Get-Service"]
    lines = engines.audit("denial")
    assert len(lines) == 2 and all(line["principal"] == "GATEWAY\\other" for line in lines)


ATTACKS = [
    "Stop-Computer",
    "& 'Stop-Computer'",
    ". Stop-Computer",
    "Microsoft.PowerShell.Management\\Stop-Computer",
    "Get-Service; Stop-Computer",
    "Get-Service Spooler | ForEach-Object { Stop-Computer }",
    "Get-Service Spooler | Stop-Computer",
    "Get-Service -Name (Stop-Computer)",
    'Get-Service -Name "$(Stop-Computer)"',
    "Get-Service -Name @(Stop-Computer)",
    "Get-Service -Name 'x' -OutVariable y; Stop-Computer",
    "Get-Service --% x; Stop-Computer",
    "Get-Service '--%' -Name Spooler",
    "Invoke-Expression 'Stop-Computer'",
    "Get-Service Spooler | Where-Object { Stop-Computer }",
    "function Get-Service { Stop-Computer }; Get-Service",
    "${function:Get-Service} = { Stop-Computer }; Get-Service",
    "Set-Item function:Get-Service { Stop-Computer }",
    "Set-Alias Get-Service Stop-Computer",
    "trap { Stop-Computer } Get-Service",
    "Get-Service -Name Spooler 2>&1 | Stop-Computer",
    "Get-Service -Name $(Stop-Computer; 'Spooler')",
    "if (Stop-Computer) { Get-Service }",
    "Start-Process Stop-Computer",
    "Invoke-Command { Stop-Computer }",
    "[scriptblock]::Create('Stop-Computer').Invoke()",
    "$ExecutionContext.InvokeCommand.InvokeScript('Stop-Computer')",
    "Get-Service -Name ([scriptblock]::Create('Stop-Computer'))",
    "begin { Stop-Computer } end { Get-Service }",
    "using module X; Get-Service",
    "Get-Service Spooler &",
]


def test_nothing_forbidden_runs_however_it_is_typed(engines, typist, canary_file):
    """In one session, under one command. The targets would write it down if one of these ran."""
    lines = [f"try {{ Invoke-Command -Session $s {{ {a} }} -ErrorAction Stop }} {CAUGHT}" for a in ATTACKS]
    # What PowerShell's own client does not even send is no attack on the gateway.
    shown = typist("other").play(
        OPEN + "\n".join(lines) + "\nInvoke-Command -Session $s { Get-Service Spooler }\n"
    )
    assert shown.rstrip().splitlines()[-1].startswith("@{Status=Running; ServiceName=Spooler")
    assert not canary_file.exists()
    assert set(ran(engines)) == {"Get-Service"}
    assert shown.count("SekishoPolicyDenied|PermissionDenied") >= len(ATTACKS) - 4, shown


# ---- jobs, input, stop
def test_a_job_brings_its_output_and_a_denied_one_fails_as_such(engines, typist):
    shown = (
        typist("other")
        .play(
            f"{OPEN}$j = Invoke-Command -Session $s {{ Get-Service Spooler }} -AsJob\n"
            "Wait-Job $j | Out-Null\n"
            '"$($j.State) $((Receive-Job $j).Name)"\n'
            "$j = Invoke-Command -Session $s { Restart-Service Spooler } -AsJob\n"
            "Wait-Job $j | Out-Null\n"
            f'"$($j.State)"; try {{ Receive-Job $j -ErrorAction Stop }} {CAUGHT}\n'
        )
        .splitlines()
    )
    assert shown[:2] == ["Completed Spooler", "Failed"]
    assert shown[2].startswith("SekishoPolicyDenied|PermissionDenied|")


def test_texts_that_are_piped_in_arrive_and_objects_are_refused(engines, typist):
    shown = (
        typist("other")
        .play(
            f"{OPEN}'Spooler', 'W32Time' | Invoke-Command -Session $s {{ Get-Service }} | ForEach-Object Name\n"
            f"try {{ [pscustomobject]@{{ Name = 'Spooler' }} | Invoke-Command -Session $s {{ Get-Service }} -ErrorAction Stop }} {CAUGHT}\n"
            "(Invoke-Command -Session $s { Get-Service Spooler }).Name\n"
        )
        .splitlines()
    )
    assert shown[:2] == ["Spooler", "W32Time"]
    assert shown[2].startswith("SekishoInputRefused|PermissionDenied|")
    assert shown[3:] == ["Spooler"]
    inputs = [e["clixml"] for e in engines.targets.seen("psrp", way="gateway", type="PIPELINE_INPUT")]
    assert inputs == ["<S>Spooler</S>", "<S>W32Time</S>"]


def test_a_stop_reaches_the_target(engines, typist):
    shown = (
        typist()
        .play(
            f"{OPEN}$j = Invoke-Command -Session $s -AsJob {{ 'started'; Start-Sleep 60; 'not reached' }}\n"
            "$i = 0; while (-not $j.ChildJobs[0].Output.Count -and $i++ -lt 400) { [System.Threading.Thread]::Sleep(50) }\n"
            "Stop-Job $j; $j.State; Receive-Job $j\n"
            "(Invoke-Command -Session $s { Get-Service Spooler }).Name\n"
        )
        .splitlines()
    )
    assert shown == ["Stopped", "started", "Spooler"]
    [signal] = [s for s in engines.targets.seen("signal") if s["code"].lower() != "terminate"]
    assert signal["code"] == "crtl_c"
    states = [e["clixml"] for e in engines.targets.seen("psrp", way="target", type="PIPELINE_STATE")]
    assert '<I32 N="PipelineState">3</I32>' in states[0]


# ---- questions
def test_who_may_ask_is_answered_and_the_secret_is_sealed_anew(engines, typist):
    client = typist()
    shown = client.play(
        f"{OPEN}Invoke-Command -Session $s {{ Read-Host Name }}\n"
        "$c = Invoke-Command -Session $s { Get-Credential corp\\suzuki }\n"
        '"$($c.UserName) $($c.GetNetworkCredential().Password)"\n',
        "alice",
        "asked-for-1",
    )
    assert "alice" in shown and "corp\\suzuki asked-for-1" in shown
    mine = client.said("PIPELINE_HOST_RESPONSE")
    its = engines.targets.seen("psrp", way="gateway", type="PIPELINE_HOST_RESPONSE")
    assert len(mine) == len(its) == 2
    assert "<SS" in mine[1]["clixml"] and "<SS" in its[1]["clixml"]
    assert secret(mine[1]["clixml"]) != secret(its[1]["clixml"])


def secret(clixml):
    return clixml.partition("<SS")[2].partition(">")[2].partition("<")[0]


def call_of(clixml):
    return re.search(r"RemoteHostMethodId.*?<ToString>(\w+)</ToString>", clixml)[1]


def test_who_may_not_ask_hears_so_and_nobody_waits(engines, typist):
    client = typist("viewer")
    shown = client.play(
        f"{OPEN}try {{ Invoke-Command -Session $s {{ Read-Host Name }} -ErrorAction Stop }} {CAUGHT}\n"
        "Invoke-Command -Session $s { Get-Credential corp\\suzuki }\n"
        '"$($s.State)"\n',
        "never-asked",
        "never-asked",
    )
    # What it writes before it asks is shown.
    shown_to_user = [call_of(m["clixml"]) for m in client.said("PIPELINE_HOST_CALL", way="server")]
    assert shown_to_user == ["Write1"]
    asked = {call_of(e["clixml"]) for e in engines.targets.seen("psrp", type="PIPELINE_HOST_CALL")}
    assert asked == {"Write1", "ReadLine", "PromptForCredential2"}
    assert "the gateway lets no command ask its user here" in shown
    assert shown.rstrip().endswith("Opened") and "never-asked" not in shown


# ---- sessions
def test_a_session_without_tls_is_sealed_whole(engines, typist):
    """Long arguments and long output, in bodies that CredSSP cuts into sealed parts."""
    where = engines.where("http")
    plain = {"LAB_PORT": str(where.port), "LAB_SCHEME": "http"}
    seen = typist().scenario("11-large", **plain)
    assert seen == "40000\n40000\n60\n"


@pytest.mark.parametrize(
    ("user", "typed", "why"),
    [
        ("nobody", "New-PSSession -HostName web01", "fault 5"),
        ("ops", "New-PSSession -HostName db01", "fault"),
        ("ops", "New-PSSession -HostName web01 -Options @{ ConfigurationName = 'Other' }", "fault"),
    ],
)
def test_who_has_no_business_there_gets_no_session(engines, typist, user, typed, why):
    shown = typist(user).play(f'$s = {typed}\n"[$($s.State)]"\n')
    assert why in shown and "[]" in shown
    assert engines.targets.seen("engine") == []


def test_sessions_and_their_processes_end_with_the_client(engines, typist):
    typist("other").play(f"{OPEN}Invoke-Command -Session $s {{ Get-Service Spooler }}\n")
    poll(lambda: engines.targets.shells() == 0, "a shell is left on the target")

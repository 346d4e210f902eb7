"""Each recorded scenario, typed at real PowerShell: as if there were no gateway, where the policy allows it; and with
denials that a person can see and a script can catch, where it allows one command alone."""

import json
import re
import shlex

import pytest

from engine_target.pipelines import statements
from lab.engines import HOSTS
from lab.scenarios import NAMES

SPOOLER = "@{Status=Running; ServiceName=Spooler;"
NO_OBJECT = "never takes an object or a list within a list: give texts, numbers, $true, $false, or a list of them (reference)\n"
NO_INPUT = "but without input, since what comes from a pipeline cannot be checked (reference)\n"
UNKNOWN = (
    "E: none of your roles on this target allows this command: write its whole name, or one of those that are allowed, "
    "among them {} (reference)\n"
)
# What is seen otherwise than without a gateway: what no policy can allow, and what is found out before anything runs.
OTHERWISE = {
    "03-invoke-script": [
        (
            "Spooler False\n",
            "E: 03-invoke-script-2 is allowed in role s03, but argument 2 has no name, and no position is left for it: "
            "it takes -Force, -Name here (reference)\n",
        ),
        ("6\na\nb\n1\n", f"E: 03-invoke-script-3 is allowed in role s03, but -map {NO_OBJECT}"),
    ],
    "04-values": [
        (
            "0\n@{A=1; B=b; PSComputerName=localhost; RunspaceId=GUID; PSShowComputerName=True}\n",
            f"E: 04-values-6 is allowed in role s04, but -h {NO_OBJECT}"
            f"E: 04-values-7 is allowed in role s04, but -o {NO_OBJECT}",
        )
    ],
    "06-errors": [
        (
            "E: The term 'No-SuchCommand' is not recognized as a name of a cmdlet, function, script file, or executable "
            "program.\nCheck the spelling of the name, or if a path was included, verify that the path is correct and "
            "try again.\n",
            UNKNOWN.format(
                "Get-Credential, Get-Service, Read-Host, Restart-Service, Select-Object, Where-Object"
            ),
        ),
        (
            "E: A parameter cannot be found that matches parameter name 'NoSuchParameter'.\n",
            "E: Get-Service is allowed in role operator, but argument 1 names a parameter that the command does not "
            "have (reference)\n",
        ),
    ],
    # The title of the window is the gateway's.
    "08-host-calls": [("\nlaboratory\n", "\nSekisho\n")],
}


@pytest.mark.parametrize("name", [name for name in NAMES if name[:1] in "01" and name != "07-input"])
def test_what_is_allowed_looks_as_if_there_were_no_gateway(engines, typist, engine_serve, name):
    expected = typist().scenario(name, LAB_DIRECT=shlex.join(engine_serve))
    for without, through in OTHERWISE.get(name, []):
        assert without in expected
        expected = expected.replace(without, through)
    if name == "13-enter":
        expected = re.sub(r"^PS \S+> ", "PS web01> ", expected, flags=re.M)
    seen = typist().scenario(name)
    if name == "12-many-sessions":
        # Of three sessions at once, the first to answer is the first.
        seen, expected = sorted(seen.splitlines()), sorted(expected.splitlines())
    assert seen == expected


def test_input_is_for_commands_and_not_for_scripts(engines, typist):
    """What comes from a pipeline is seen by no rule: a pinned script could do anything with it."""
    assert typist().scenario("07-input") == "".join(
        f"E: 07-input-{n} is allowed in role s07, {NO_INPUT}" for n in (1, 2, 3)
    )
    assert engines.targets.seen("psrp", type="CREATE_PIPELINE", way="gateway") == []


def test_a_restricted_endpoint_is_used_as_such(engines, typist):
    seen = typist().scenario("20-jea", LAB_HOSTS='{"localhost": "jea01"}').splitlines(keepends=True)
    offered = [
        "Exit-PSSession",
        "Get-Command",
        "Get-FormatData",
        "Get-Service",
        "Out-Default",
        "Restart-Service",
    ]
    assert [line.strip() for line in seen[:7]] == [*offered, "Restart-Service"]
    known = "Get-Service, Restart-Service"
    restart = "E: Restart-Service is allowed in role jea, but"
    expected = [
        SPOOLER,
        f"{restart} -Name accepts Spooler, W32Time only (reference)\n",
        f"{restart} without -PassThru: it takes -Force, -Name here (reference)\n",
        UNKNOWN.format(known),
        f"{restart} with a list of parameters, and then by its bare name only: leave the module out (reference)\n",
        "E: a value at the start of a command (line 1, character 2) is refused: ",
        SPOOLER,
        UNKNOWN.format(known).replace("E: ", "E: command 2: "),
        SPOOLER,
        "E: Get-Service is allowed in role jea, but argument 2 is -OutVariable, which is never allowed: ",
    ]
    assert len(seen[7:]) == len(expected)
    assert [line for line, start in zip(seen[7:], expected) if not line.startswith(start)] == []


def test_a_session_is_entered_and_left(engines, typist):
    """`prompt`, Out-Default, denials and `exit`, on an endpoint that would refuse the prompt."""
    client = typist()
    seen = client.scenario("21-jea-enter", LAB_HOSTS='{"localhost": "jea01"}')
    lines = [line for line in seen.splitlines() if not line.startswith("PS jea01> ")]
    assert seen.count("PS jea01> ") == 6 and "prompt" not in seen
    assert "Running  Spooler            Print Spooler" in lines
    assert (
        "E: Restart-Service is allowed in role jea, but -Name accepts Spooler, W32Time only (reference)"
        in lines
    )
    assert any(line.startswith("E: a value at the start of a command") for line in lines)
    # What the target got: neither the prompts nor the question for commands nor the end.
    ran = [
        [command for command, _, _ in statement]
        for e in engines.targets.seen("psrp", type="CREATE_PIPELINE", way="gateway")
        for statement in statements(e["clixml"])
    ]
    assert ran == [["Get-Service", "Out-Default"], ["Restart-Service", "Out-Default"]]
    assert engines.targets.seen("psrp", type="GET_COMMAND_METADATA", way="gateway") == []
    assert [m["type"] for m in client.said("GET_COMMAND_METADATA")] == ["GET_COMMAND_METADATA"]
    # Neither is a prompt a line of the audit.
    assert len(engines.audit("command")) == 2 and len(engines.audit("denial")) == 2


# How often something is denied where Get-Service alone is allowed.
DENIALS = {
    "01-open-close": 0,
    "02-invoke-structured": 3,
    "03-invoke-script": 7,
    "04-values": 6,
    "05-streams": 1,
    "06-errors": 8,
    "07-input": 3,
    "08-host-calls": 10,
    "09-stop": 2,
    "10-secure-strings": 4,
    "11-large": 3,
    "12-many-sessions": 3,
    "13-enter": 4,
    "20-jea": 10,
    "21-jea-enter": 3,
    "30-hop": 10,
}
# Errors of another kind: what Get-Service itself and Get-Command say, and a client that has nothing to go on with.
OTHER_ERRORS = [
    "E: Cannot find any service with service name 'NoSuchService'.",
    "E: You cannot call a method on a null-valued expression.",
    "E: 'Restart-Service' is no command that you are allowed on this target: Get-Command shows them",
]
LAST = "Invoke-Command -Session $s { Get-Service Spooler }"


@pytest.mark.parametrize("name", NAMES)
def test_under_one_command_all_else_is_denied_and_the_session_goes_on(engines, typist, name):
    hosts = {**HOSTS, "localhost": "jea01"} if name.startswith("2") else HOSTS
    seen = typist("other").scenario(name, LAST, LAB_HOSTS=json.dumps(hosts)).splitlines()
    errors = [line for line in seen if re.match(r"E: |RemotingErrorRecord: ", line)]
    denials = [line for line in errors if line.endswith(" (reference)")]
    assert [line for line in errors if line not in denials + OTHER_ERRORS] == []
    assert len(denials) == DENIALS[name], "\n".join(denials)
    assert len(engines.audit("denial")) == DENIALS[name]
    shown = [line for line in seen if line.strip()][-1]
    assert shown.startswith(SPOOLER)
    for event in engines.targets.seen("psrp", type="CREATE_PIPELINE", way="gateway"):
        for statement in statements(event["clixml"]):
            commands = {(command.rpartition("\\")[2], is_script) for command, is_script, _ in statement}
            assert commands <= {("Get-Service", False), ("Out-Default", False)}


# More of what people type; each line is seen as without a gateway.
LINES = """
(Invoke-Command -HostName localhost -UserName corp\\sato { Get-Service Spooler }).Name
(Invoke-Command -HostName localhost, host2 -UserName corp\\sato { Get-Service Spooler }).PSComputerName | Sort-Object
$s = New-PSSession -HostName localhost -UserName corp\\sato
(1..200 | ForEach-Object { if ($_ % 2) { 'Spooler' } else { 'W32Time' } } | Invoke-Command -Session $s { Get-Service } | Measure-Object).Count
Invoke-Command -Session $s -HideComputerName { Get-Service Spooler } | Select-Object Name, Status
(icm $s { Get-Service }).Count
try { Invoke-Command -Session $s { Get-Service NoSuch -ErrorAction Stop } -ErrorAction Stop } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category }
Invoke-Command -Session $s { Get-Service NoSuch, Spooler -ErrorAction SilentlyContinue } | ForEach-Object Name
$e = $null; Invoke-Command -Session $s { Get-Service NoSuch } -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId
Invoke-Command -Session $s { Get-Service -Name $using:PSCulture, 'Spooler' -ErrorAction Ignore } | ForEach-Object Name
$h = @{ Name = 'Spooler' }; Invoke-Command -Session $s { param($n) Get-Service -Name $n } -ArgumentList $h.Name | ForEach-Object Name
Invoke-Command -Session $s { Get-Service Spooler *>&1 } | ForEach-Object Name
$j = 1..3 | ForEach-Object { Invoke-Command -HostName localhost -UserName corp\\sato { Get-Service Spooler } -AsJob }
($j | Wait-Job | Receive-Job).Name
Invoke-Command -Session $s { Get-Service Spooler } -OutVariable o | Out-Null; $o.Name
"$($s.State) $($s.Availability) $($s.ConfigurationName)"
Remove-PSSession $s
try { Invoke-Command -Session $s { Get-Service } -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }
"""


def test_more_of_what_people_type_looks_as_if_there_were_no_gateway(engines, typist, engine_serve):
    expected = typist().play(LINES, LAB_DIRECT=shlex.join(engine_serve)).splitlines()
    seen = typist().play(LINES).splitlines()
    assert seen == expected

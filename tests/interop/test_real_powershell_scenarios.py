"""Each recorded scenario, typed at real PowerShell: as if there were no gateway, where the policy allows it; and with
denials that a person can see and a script can catch, where it allows one command alone."""

import json
import re
import shlex

import pytest

from engine_target.pipelines import statements
from lab.engines import HOSTS
from lab.scenarios import NAMES

NO_INPUT = "but without input, since what comes from a pipeline cannot be checked (reference)\n"
NO_OBJECT = (
    "never takes an object or a list within a list: give texts, numbers, $true, $false, or a list of them (reference)\n"
)
NO_COMMAND = (
    "E: none of your roles on this target allows this command: write its whole name, or one of those that are allowed, "
    "among them Get-Service, Restart-Service, Select-Object, Where-Object (reference)\n"
)
# What is seen otherwise than without a gateway: what no policy can allow, and what is found out sooner.
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
        ("0\n@{A=1; B=b; PSComputerName=localhost; RunspaceId=GUID; PSShowComputerName=True}\n", "".join(
            f"E: 04-values-{n} is allowed in role s04, but -{name} {NO_OBJECT}" for n, name in ((6, "h"), (7, "o"))
        )),
    ],
}


@pytest.mark.parametrize("name", [name for name in NAMES if name[:1] in "01"])
def test_what_is_allowed_looks_as_if_there_were_no_gateway(engines, typist, engine_serve, name):
    expected = typist().scenario(name, LAB_DIRECT=shlex.join(engine_serve))
    for without, through in OTHERWISE.get(name, []):
        assert without in expected
        expected = expected.replace(without, through)
    seen = typist().scenario(name)
    assert seen == expected


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
    "30-hop": 9,
}
# Errors of another kind: what Get-Service itself says, and what the client says that has nothing to go on with.
OTHER_ERRORS = [
    "E: Cannot find any service with service name 'NoSuchService'.",
    "E: You cannot call a method on a null-valued expression.",
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
    assert len(engines.audit("denied")) == DENIALS[name]
    shown = [line for line in seen if line.strip()][-1]
    assert shown.startswith("@{Status=Running; ServiceName=Spooler;")
    for event in engines.targets.seen("psrp", type="CREATE_PIPELINE", way="gateway"):
        for statement in statements(event["clixml"]):
            commands = {(command.rpartition("\\")[2], is_script) for command, is_script, _ in statement}
            assert commands <= {("Get-Service", False), ("Out-Default", False)}

"""Each recorded scenario, typed at real PowerShell: as if there were no gateway, where the policy allows it; and with
denials that a person can see and a script can catch, where it allows one command alone."""

import shlex

import pytest

from engine_target.pipelines import statements
from lab.engine import RESTRICTED
from lab.scenarios import NAMES

ALLOWED = [name for name in NAMES if name != "30-hop"]


def without(lines, *parts):
    return [line for line in lines if not any(part in line for part in parts)]


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_looks_as_if_there_were_no_gateway(engines, typist, engine_serve, name):
    restricted = name.startswith("2")
    direct = shlex.join(engine_serve) + (f" {RESTRICTED}" if restricted else "")
    hosts = '{"localhost": "jea01"}' if restricted else typist().environment["LAB_HOSTS"]
    expected = typist().scenario(name, LAB_DIRECT=direct)
    seen = typist().scenario(name, LAB_HOSTS=hosts)
    assert seen == expected


@pytest.mark.parametrize("name", NAMES)
def test_under_one_command_all_else_is_denied_and_the_session_goes_on(engines, typist, name):
    seen = typist("other").scenario(name)
    for e in engines.targets.seen("psrp", type="CREATE_PIPELINE", way="gateway"):
        for statement in statements(e["clixml"]):
            assert [c for c, is_script, _ in statement if is_script] == []
            assert {c.rpartition("\\")[2] for c, _, _ in statement} <= {"Get-Service", "Out-Default"}
    print(seen)

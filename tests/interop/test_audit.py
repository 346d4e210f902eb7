"""The book: written before the act, in order, and not to be changed."""

import datetime
import json
import re

import pytest
from pypsrp.exceptions import WSManFaultError

from lab.accounts import PASSWORD
from lab.clients import Pypsrp, invoke
from lab.processes import poll

PYPSRP = Pypsrp("pypsrp")


def when(line):
    # Nine digits of a second are more than Python reads.
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", line["time"])).timestamp()


def test_a_command_is_audited_before_the_target_hears_of_it(path):
    for _ in range(5):
        PYPSRP.run(path.where(), "ops", PASSWORD, "hostname")
    lines = path.audit("command")
    seen = {c["command"]: c["ts"] for c in path.targets.seen("command")}
    results = {r["command"]["gateway"]: r["command"]["target"] for r in path.audit("result")}
    assert len(lines) == len(seen) == 5
    for line in lines:
        assert when(line) <= seen[results[line["command"]["gateway"]]]


def test_lines_are_numbered_and_each_names_its_policy(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "hostname")
    with pytest.raises(WSManFaultError):
        PYPSRP.run(path.where("http"), "ops", PASSWORD, "shutdown")
    path.audited("denial")
    lines = path.audit()
    assert [line["seq"] for line in lines] == list(range(path.begin, path.begin + len(lines)))
    decided = [line for line in lines if line["event"] in ("command", "denial")]
    assert len({line["policy"] for line in decided}) == 1 and len(decided) == 2
    # Heads are the chain's own; every other line names the policy.
    assert {line["policy"] for line in lines if line["event"] != "head"} == {decided[0]["policy"]}


def test_no_password_is_in_anything_that_was_written(path):
    PYPSRP.run(path.where("http", "db01"), "ops", PASSWORD, "hostname")
    forms = [PASSWORD.encode(), PASSWORD.encode("utf-16-le"), PASSWORD.encode().hex().encode()]
    for file in path.gateway.folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(form in data for form in forms), file


def test_the_chain_verifies_and_a_change_is_found(another):
    path = another()
    for words in (["hostname"], ["exit", "4"]):
        PYPSRP.run(path.where(), "ops", PASSWORD, *words)
    path.audited("result", exit_code=4)
    path.gateway.stop()
    assert path.gateway.verify().returncode == 0
    [file, *_] = sorted((path.gateway.folder / "audit").glob("audit-*.jsonl"))
    good = file.read_text()
    lines = good.splitlines(keepends=True)
    command = next(i for i, line in enumerate(lines) if json.loads(line)["event"] == "command")
    changes = {
        "a word changed": good.replace("hostname", "hostnama", 1),
        "a line taken out": "".join(lines[:command] + lines[command + 1 :]),
        "two lines exchanged": "".join(
            lines[:command] + [lines[command + 1], lines[command]] + lines[command + 2 :]
        ),
        "a line put in twice": "".join(lines[: command + 1] + lines[command:]),
        "the beginning cut off": "".join(lines[1:]),
    }
    for what, text in changes.items():
        assert text != good
        file.write_text(text)
        done = path.gateway.verify()
        assert done.returncode != 0, what
    file.write_text(good)
    assert path.gateway.verify().returncode == 0


def test_what_cannot_be_audited_is_not_done(another):
    """The disk is full: no file may grow any more."""
    path = another(longest_file=48 * 1024)
    ran = denied = 0
    with PYPSRP.shell(path.where("http"), "ops", PASSWORD) as shell:
        for _ in range(400):
            try:
                invoke(shell, "hostname")
                ran += 1
            except WSManFaultError as refused:
                denied += 1
                assert refused.reason
                if denied == 3:
                    break
    assert ran and denied == 3
    commands = len(path.targets.seen("command"))
    assert commands == len(path.audit("command"))
    assert poll(lambda: path.gateway.admin("readyz")[0] == 503, "the gateway still says that it is ready")
    assert path.gateway.admin("healthz")[0] == 200


def test_where_the_operator_chose_so_commands_run_without_their_lines_and_that_is_loud(another):
    path = another(longest_file=24 * 1024, audit='on_failure = "degrade"')
    with PYPSRP.shell(path.where("http"), "ops", PASSWORD) as shell:
        for _ in range(60):
            assert invoke(shell, "hostname").code == 0
    assert len(path.targets.seen("command")) == 60 > len(path.audit("command"))
    assert path.gateway.admin("readyz")[0] == 503
    assert (
        int(re.search(r"^sekisho_audit_failures_total (\d+)$", path.gateway.admin("metrics")[1], re.M)[1]) > 0
    )

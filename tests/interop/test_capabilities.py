"""What may be done on a target, asked by a stock HTTP client with CredSSP, and by the agent."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lab.accounts import PASSWORD
from lab.clients import credssp_session
from lab.gateway import ROOT

AGENT = Path(os.environ.get("SEKISHO_AGENT_BIN", ROOT / "target/debug/sekisho"))
PATH = "api/v1/capabilities"


def url(path, query=""):
    return path.where(path=PATH).url + query


def test_get_lists_what_one_may_do(path):
    session = credssp_session(path.where(), "ops", PASSWORD)
    answer = session.get(url(path, "?target=WEB01"))
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")
    document = answer.json()
    assert document["target"] == "web01"
    [operator] = document["roles"]
    assert operator["name"] == "operator"
    whoami = r"C:\Windows\System32\whoami.exe"
    [arguments] = [p["arguments"] for p in operator["programs"] if p["path"] == whoami]
    assert "/user" in arguments
    path.nothing_reached_a_target()
    assert not path.audit("command", "denial")


def test_post_answers_one_question_and_runs_nothing(path):
    session = credssp_session(path.where(), "ops", PASSWORD)
    session.headers["Content-Type"] = "application/json"

    def ask(name, *arguments):
        question = {"program": {"name": name, "arguments": list(arguments)}}
        answer = session.post(url(path), json={"version": 1, "target": "web01", "question": question})
        assert answer.status_code == 200, answer.text
        return answer.json()["answer"]

    assert ask("hostname") == {
        "decision": "allow",
        "role": "operator",
        "rule": "hostname",
        "canonical": r"C:\Windows\System32\hostname.exe",
    }
    no = ask("hostname", "/x")
    assert (no["decision"], no["rule"]) == ("deny", "operator/hostname") and "other arguments" in no["message"]
    # An argument that a rule calls secret is not shown, not even to who wrote it.
    assert "hunter2" not in json.dumps(ask("set-password", "a", "/to:hunter2"))
    path.nothing_reached_a_target()
    assert not path.audit("command", "denial")


@pytest.mark.parametrize("target", ["web01", "no-such-target"])
def test_nobody_learns_of_targets_that_are_not_open(path, target):
    session = credssp_session(path.where(), "nobody", PASSWORD)
    answer = session.get(url(path, f"?target={target}"))
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "no such target, or it is not open to you"
    assert path.audited("denial", reason="TargetClosed", target=target)


def test_without_a_login_there_is_no_answer(path):
    session = credssp_session(path.where(), "ops", "wrong")
    session.auth = None
    answer = session.get(url(path, "?target=web01"))
    assert answer.status_code == 401 and not answer.content


def test_a_listener_that_demands_sealed_bodies_answers_none_in_clear(path):
    session = credssp_session(path.where("http"), "ops", PASSWORD)
    answer = session.get(path.where("http", path=PATH).url + "?target=web01")
    assert answer.status_code != 200 and b"operator" not in answer.content


def test_the_agent_says_whether_and_why_not(path, tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    where = path.where()

    def can(*words):
        line = [AGENT, "can", "--gateway", f"https://127.0.0.1:{where.port}", "--user", "ops", "--ca", where.ca]
        line += ["--password-file", password, "-t", "web01", *words]
        return subprocess.run([str(w) for w in line], capture_output=True, text=True, timeout=60, cwd=tmp_path)

    yes = can("--", "hostname")
    assert (yes.returncode, yes.stderr) == (0, "") and "operator/hostname" in yes.stdout
    no = can("--", "hostname", "/x")
    assert no.returncode == 3 and "hostname.exe is allowed in role operator" in no.stdout
    listed = can("--json")
    assert listed.returncode == 0 and json.loads(listed.stdout)["roles"][0]["name"] == "operator"
    path.nothing_reached_a_target()

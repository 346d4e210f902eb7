"""Running it: health, metrics, reload."""

import os
import re
import signal
import urllib.request

import pytest
from pypsrp.exceptions import WSManFaultError

from lab import soap, wire
from lab.accounts import PASSWORD
from lab.clients import REFUSED, Pypsrp, credssp_session, invoke
from lab.gateway import command
from lab.processes import poll
from lab.raw import Raw

ACCESS_DENIED, SHUTDOWN = 5, 1115
PYPSRP = Pypsrp("pypsrp")


def test_health_and_metrics_name_nobody(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "hostname")
    assert path.gateway.admin("healthz")[0] == 200
    assert path.gateway.admin("readyz")[0] == 200
    status, text = path.gateway.admin("metrics")
    assert status == 200 and re.search(r"^sekisho_\w+(\{.*\})? [0-9.]+$", text, re.M)
    for name in ("ops", "web01", "target1", "127.0.0.1"):
        assert name not in text


def test_check_finds_nothing_wrong_with_what_serves(path):
    done = command("check", "--config", path.gateway.config)
    assert done.returncode == 0


def test_check_says_what_is_wrong_and_where(path, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(
        path.gateway.config.read_text().replace("[admin]", 'nonsense = 1\n[admin]\ncolour = "red"')
    )
    done = command("check", "--config", bad, check=False)
    assert done.returncode != 0
    assert "nonsense" in done.stdout + done.stderr and "colour" in done.stdout + done.stderr


def test_a_configuration_that_is_wrong_keeps_the_old_one(another):
    path = another()
    good = path.gateway.config.read_text()
    path.gateway.config.write_text(good + "\n[nonsense]\n")
    path.gateway.reload()
    path.audited("reload", outcome="refused")
    assert PYPSRP.run(path.where(), "ops", PASSWORD, "hostname").code == 0


def test_an_account_that_is_added_can_log_in_after_a_reload(another):
    path = another()
    path.gateway.add_account("fresh", PASSWORD, "viewers")
    path.gateway.reload()
    path.audited("reload", outcome="taken")
    # The targets do not know this account: the gateway does.
    session = PYPSRP.wsman(path.where("http"), "fresh", PASSWORD)
    session.get_server_config()
    assert path.audited("login", outcome="ok", principal="GATEWAY\\fresh")


@pytest.mark.parametrize("groups", [None, []], ids=["removed", "without its groups"])
def test_an_account_that_changed_may_do_no_more_than_it_may_now(another, groups):
    path = another()
    with PYPSRP.shell(path.where(), "viewer", PASSWORD) as shell:
        assert invoke(shell, "hostname").code == 0
        path.gateway.remove_account("viewer")
        if groups is not None:
            path.gateway.add_account("viewer", PASSWORD, *groups)
        path.gateway.reload()
        path.audited("reload", outcome="taken")
        with pytest.raises(WSManFaultError) as refused:
            invoke(shell, "hostname")
        assert refused.value.code == ACCESS_DENIED
    session = credssp_session(path.where(), "viewer", PASSWORD)
    if groups is None:
        with pytest.raises(REFUSED):
            session.post(path.where().url, soap.IDENTIFY, timeout=20)
    else:
        assert session.post(path.where().url, soap.IDENTIFY, timeout=20).status_code == 200
    path.targets.ran(1)


def test_a_gateway_that_is_told_to_stop_lets_commands_end_and_begins_nothing_new(another):
    path = another(extra='[sessions]\ndrain = "20s"\n')
    raw = Raw(path.where())
    raw.begin("sleep", "2")
    os.kill(path.gateway.program.pid, signal.SIGTERM)
    poll(lambda: path.gateway.admin("readyz")[0] == 503, "it still says that it is ready")
    # Nothing new for those who are here, and nobody new.
    for new in (soap.command(raw.shell, "hostname"), soap.create()):
        answer = raw.ask(new)
        assert (answer.status, answer.fault) == (503, SHUTDOWN)
    with pytest.raises(OSError):
        wire.connect(path.where()).close()
    # What runs may end, and its output is heard.
    assert raw.rest() == (b"", 0)
    poll(lambda: not path.gateway.program.alive(), "it does not stop")
    assert path.gateway.program.stop() == 0
    path.targets.nothing_left()
    assert [line["event"] for line in path.audit()][-1] in ("stop", "head")
    assert path.audit("result")[0]["exit_code"] == 0
    assert path.gateway.verify().returncode == 0


def test_a_reload_is_asked_for_at_the_admin_listener_too(another):
    path = another()
    path.gateway.policy_file.write_text("")
    url = f"http://127.0.0.1:{path.gateway.ports['admin']}/reload"
    with urllib.request.urlopen(urllib.request.Request(url, b""), timeout=10) as answer:
        assert answer.status == 202
    line = path.audited("reload", outcome="taken")
    assert line["old_policy"] != line["new_policy"]


def test_the_log_is_for_operators_and_has_no_bodies(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "show-args", "never-in-the-log")
    assert "never-in-the-log" not in path.gateway.program.output.read_text()

"""Running it: health, metrics, reload."""

import re

from lab.accounts import PASSWORD
from lab.clients import Pypsrp
from lab.gateway import command

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


def test_an_account_that_is_added_can_log_in_after_a_reload_and_one_that_is_removed_cannot(another):
    path = another()
    path.gateway.add_account("fresh", PASSWORD, "viewers")
    path.gateway.reload()
    path.audited("reload", outcome="taken")
    # The targets do not know this account: the gateway does.
    session = PYPSRP.wsman(path.where("http"), "fresh", PASSWORD)
    session.get_server_config()
    assert path.audited("login", outcome="ok", principal="GATEWAY\\fresh")


def test_the_log_is_for_operators_and_has_no_bodies(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "show-args", "never-in-the-log")
    assert "never-in-the-log" not in path.gateway.program.output.read_text()

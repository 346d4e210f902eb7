"""Ansible, as it comes: what it wraps commands in is taken off, and what runs whole programs is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.accounts import PASSWORD

ANSIBLE = Path(sys.executable).parent / "ansible"


def ansible(path, tmp_path, connection, module, arguments, user="ops"):
    where = path.where("https")
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(
        f"""
all:
  hosts:
    web01:
      ansible_host: 127.0.0.1
      ansible_port: {where.port}
      ansible_user: {user}
      ansible_password: "{PASSWORD}"
      ansible_connection: {connection}
      ansible_winrm_scheme: https
      ansible_winrm_path: /{where.path}
      ansible_winrm_transport: credssp
      ansible_winrm_ca_trust_path: {where.ca}
      ansible_winrm_operation_timeout_sec: 10
      ansible_winrm_read_timeout_sec: 20
      ansible_psrp_protocol: https
      ansible_psrp_path: {where.path}
      ansible_psrp_auth: credssp
      ansible_psrp_ca_cert: {where.ca}
      ansible_psrp_operation_timeout: 10
      ansible_psrp_read_timeout: 20
"""
    )
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    environment["ANSIBLE_LIBRARY"] = str(tmp_path / "library")
    words = [ANSIBLE, "-i", inventory, "web01", "-m", module, "-a", arguments]
    return subprocess.run(
        [str(w) for w in words], env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )


@pytest.fixture
def run(remoting, tmp_path):
    def ansible_of(connection, module, arguments, user="ops"):
        return ansible(remoting, tmp_path, connection, module, arguments, user)

    return ansible_of


def shown(done):
    return done.stdout + done.stderr


# ---- raw
@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_raw_of_a_program_that_no_role_names_is_denied_clearly(path, tmp_path, connection):
    done = ansible(path, tmp_path, connection, "ansible.builtin.raw", "shutdown")
    assert done.returncode != 0
    assert "allow" in done.stdout, shown(done)
    path.nothing_ran()
    assert path.audited("denial", principal="GATEWAY\\ops", target="web01")


@pytest.mark.parametrize(("connection", "user"), [("psrp", "ops"), ("winrm", "scripter")])
def test_raw_runs_constant_commands(remoting, run, connection, user):
    done = run(connection, "ansible.builtin.raw", "Get-Service -Name Spooler", user)
    assert done.returncode == 0 and "rc=0" in done.stdout, shown(done)
    assert "Spooler" in done.stdout
    [ran] = remoting.targets.seen("run", name="Get-Service")
    assert [a["v"] for a in ran["args"]] == ["Spooler"]
    # The line that asks for the exit code stays with the gateway.
    assert "LASTEXITCODE" not in remoting.targets.log_file.read_text()


def test_raw_over_psrp_shows_every_line(remoting, run):
    done = run("psrp", "ansible.builtin.raw", "Write-Output 'grüße', 'second line'")
    assert done.returncode == 0, shown(done)
    assert "grüße" in done.stdout and "second line" in done.stdout


@pytest.mark.parametrize(("connection", "user"), [("psrp", "ops"), ("winrm", "scripter")])
def test_raw_that_fails_says_so(remoting, run, connection, user):
    done = run(connection, "ansible.builtin.raw", "Throw-Error 'not today'", user)
    assert done.returncode != 0 and "rc=1" in done.stdout, shown(done)
    assert "not today" in shown(done)


def test_raw_that_is_denied_is_shown_with_the_reason(remoting, run):
    done = run("psrp", "ansible.builtin.raw", "Restart-Service -Name Dnscache")
    assert done.returncode != 0
    assert "Restart-Service" in shown(done) and "Spooler" in shown(done), shown(done)
    remoting.nothing_ran()


# ---- modules and copies
MODULE = """#!powershell
#AnsibleRequires -CSharpUtil Ansible.Basic
$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{ data = @{ type = "str"; default = "pong" } } })
$module.Result.ping = $module.Params.data
$module.ExitJson()
"""


@pytest.mark.parametrize(("connection", "user"), [("psrp", "ops"), ("winrm", "scripter")])
def test_modules_are_refused_with_what_works_instead(remoting, run, tmp_path, connection, user):
    """A module of Windows' as those of ansible.windows are: run by the same bootstrap."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "win_ping.ps1").write_text(MODULE)
    (library / "win_ping.py").write_text("# The documentation of a module of PowerShell's.\n")
    done = run(connection, "win_ping", "data=canary", user)
    assert done.returncode != 0
    assert "ansible.builtin.raw" in shown(done), shown(done)
    remoting.nothing_ran()
    assert remoting.audited("denial")


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
@pytest.mark.parametrize("module", ["script", "copy"])
def test_what_copies_files_first_is_refused(remoting, run, tmp_path, connection, module):
    script = tmp_path / "local.ps1"
    script.write_text("Get-Service")
    arguments = str(script) if module == "script" else f"src={script} dest=C:\\\\x"
    done = run(connection, f"ansible.builtin.{module}", arguments)
    assert done.returncode != 0, shown(done)
    remoting.nothing_ran()
    assert remoting.audited("denial")

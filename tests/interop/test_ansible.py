"""Ansible, as it comes: what it wraps its commands in is no program that a policy can allow yet."""

import os
import subprocess
import sys
from pathlib import Path

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
    words = [ANSIBLE, "-i", inventory, "web01", "-m", module, "-a", arguments]
    return subprocess.run(
        [str(w) for w in words], env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )


def test_raw_over_winrm_is_denied_clearly(path, tmp_path):
    done = ansible(path, tmp_path, "winrm", "ansible.builtin.raw", "hostname")
    assert done.returncode != 0
    assert "allow" in done.stdout, done.stdout + done.stderr
    path.nothing_ran()
    assert path.audited("denial", principal="GATEWAY\\ops", target="web01")


def test_psrp_is_told_that_it_is_not_there_yet(path, tmp_path):
    done = ansible(path, tmp_path, "psrp", "ansible.builtin.raw", "hostname")
    assert done.returncode != 0
    assert "PowerShell" in done.stdout, done.stdout + done.stderr
    path.nothing_reached_a_target()

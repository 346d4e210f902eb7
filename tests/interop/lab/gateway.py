"""The built gateway: its configuration, its accounts, its process, and what it wrote."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .clients import Where
from .policy import POLICY
from .processes import Program, free_port, poll

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("SEKISHO_GATEWAY_BIN", ROOT / "target/debug/sekisho-gateway"))
HOST_SUFFIX = "gw.test"

# A test run logs in far more often than people do, and always from one address.
LIMITS = """
connections_per_address = 1000
handshakes_per_address = 100
"""
RATES = """
logins_per_address = { per_minute = 60000, burst = 6000 }
commands_per_principal = { per_minute = 60000, burst = 6000 }
commands_per_target = { per_minute = 60000, burst = 6000 }
"""


def binary():
    if not BINARY.exists():
        raise AssertionError(
            f"{BINARY} is not there: run tests/run, or name the program in SEKISHO_GATEWAY_BIN"
        )
    return BINARY


def command(*words, stdin="", check=True):
    """One command of the gateway's that ends by itself."""
    done = subprocess.run(
        [str(w) for w in (binary(), *words)], input=stdin, capture_output=True, text=True, timeout=120
    )
    if check and done.returncode:
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


@dataclass
class Options:
    """What a test wants otherwise than the rest. Texts are lines of the configuration."""

    extra: str = ""
    https: str = ""
    http: str = ""
    limits: str = LIMITS
    rates: str = RATES
    audit: str = ""
    target_extra: str = ""
    port_of: object = None
    trusted: object = None
    trust: str = ""
    only: tuple = ()
    longest_file: int = 0
    program: object = None
    environment: object = None


def install(folder, accounts):
    """What `init` makes, with some accounts. Made once and copied, since it takes a while."""
    command("init", folder, "--account", "admin", "--password-stdin", stdin="only-for-init-1\n")
    for name, password, groups in accounts:
        add_account(folder / "gateway.toml", name, password, *groups)
    return folder


def add_account(config, name, password, *groups):
    words = ["account", "add", name, "--config", config, "--password-stdin"]
    for group in groups:
        words += ["--groups", group]
    return command(*words, stdin=password + "\n")


class Gateway:
    """A gateway in front of targets."""

    def __init__(self, installation, folder, authority, targets, policy=POLICY, **options):
        shutil.copytree(installation, folder, dirs_exist_ok=True)
        self.folder, self.authority, self.targets = folder, authority, targets
        self.options = Options(**options)
        self.config, self.policy_file = folder / "gateway.toml", folder / "policy" / "policy.toml"
        self.policy_file.write_text(policy)
        self.certificate, self.key = authority.issued("gateway", "gw.test", f"*.{HOST_SUFFIX}")
        self.program = None

    # ---- configuration
    def target_table(self):
        o = self.options
        port = o.port_of or self.targets.port
        trust = o.trust or f'ca = "{o.trusted or self.authority.file}"'
        rows = {
            "web01": f'port = {port("https", 0)}\n{trust}\ntags = ["web"]',
            "web02": f'port = {port("http", 1)}\ndangerous_plain_http = true\ntags = ["web"]',
            "db01": f'port = {port("https", 2)}\n{trust}\nauthentication = "credssp"',
        }
        return "\n".join(
            f'[targets.{name}]\naddress = "127.0.0.1"\n{rows[name]}\n{o.target_extra}'
            for name in o.only or rows
        )

    def write_config(self):
        self.ports = {name: free_port() for name in ("https", "http", "admin")}
        self.config.write_text(
            f"""
[[listeners]]
address = "127.0.0.1:{self.ports["https"]}"
tls = {{ certificate = "{self.certificate}", key = "{self.key}" }}
{self.options.https}
[[listeners]]
address = "127.0.0.1:{self.ports["http"]}"
dangerous_plain_http = true
{self.options.http}
[credssp]
certificate = "tls/credssp.pem"
key = "tls/credssp.key"

[accounts]
file = "accounts"
key_file = "keys/accounts.key"

[policy]
path = "policy"

[audit]
directory = "audit"
digest_key = "keys/audit-digest.key"
{self.options.audit}

[audit.sign]
key = "keys/audit-signing.key"

[admin]
address = "127.0.0.1:{self.ports["admin"]}"

[routing]
host_suffix = "{HOST_SUFFIX}"

[limits]
{self.options.limits}
[limits.rates]
{self.options.rates}
{self.target_table()}
{self.options.extra}
"""
        )

    def add_account(self, name, password, *groups):
        return add_account(self.config, name, password, *groups)

    def remove_account(self, name):
        command("account", "remove", name, "--config", self.config)

    # ---- the process
    def start(self, tries=3):
        """Ports that were free can be taken before the gateway asks for them, so it is tried again."""
        for left in reversed(range(tries)):
            self.write_config()
            o = self.options
            words = [o.program or binary(), "serve", "--config", self.config]
            output = self.folder / "gateway.out"
            self.program = Program(words, output, longest_file=o.longest_file, environment=o.environment)
            try:
                self.program.until(self.is_ready, "the gateway is not ready")
                return self
            except AssertionError:
                self.program.stop()
                if not left or "in use" not in self.program.tail():
                    raise

    def is_ready(self):
        with contextlib.suppress(OSError, urllib.error.URLError):
            return self.admin("readyz")[0] == 200
        return False

    def admin(self, path):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports['admin']}/{path}", timeout=10
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def now(self, kind):
        """How many there are, by the metrics."""
        found = re.search(rf'^sekisho_now{{kind="{kind}"}} (\d+)$', self.admin("metrics")[1], re.M)
        return int(found.group(1))

    def resident(self):
        """KiB of memory that it has held at most."""
        text = Path(f"/proc/{self.program.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s*(\d+)", text, re.M).group(1))

    def stop(self):
        return self.program.stop()

    def reload(self):
        os.kill(self.program.pid, signal.SIGHUP)

    def where(self, scheme="https", target="web01", host="127.0.0.1", path=None):
        path = f"wsman/{target}" if path is None else path
        return Where(self.ports[scheme], scheme, self.authority.file, host, path)

    def verify(self):
        """`audit verify`, from the first public key alone."""
        key = (self.folder / "audit-first-key.pub").read_text().strip()
        return command("audit", "verify", self.folder / "audit", "--key", key, check=False)

    # ---- what it wrote
    def audit(self, *events, since=0, **facts):
        lines = []
        for file in sorted((self.folder / "audit").glob("audit-*.jsonl")):
            lines += [json.loads(line) for line in file.read_text().splitlines()]
        return [
            line
            for line in lines
            if line["seq"] >= since
            and (not events or line["event"] in events)
            and all(line.get(k) == v for k, v in facts.items())
        ]

    def next_line(self):
        return self.audit()[-1]["seq"] + 1

    def audited(self, event, since, **facts):
        """The first such line; waited for, since results are written when the target has told them."""
        return poll(
            lambda: self.audit(event, since=since, **facts),
            lambda: f"no audit line {event} {facts} in\n" + "\n".join(map(str, self.audit(since=since))),
        )[0]

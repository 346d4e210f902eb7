"""The stage of the bench: independent targets, and a gateway in front of them, as in the interop tests."""

import os

from lab.certificates import Authority
from lab.gateway import Gateway, install
from lab.targets import Targets

USER, PASSWORD = "ops", "Sesam-oeffne-dich 7!"
PROGRAM = "hostname"
POLICY = r"""
[roles.operator]
[[roles.operator.programs]]
name = "hostname"
path = 'C:\Windows\System32\hostname.exe'

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['*']
roles = ["operator"]
"""
# Whoever measures comes from one address and does nothing else.
LIMITS = """
connections = 20000
connections_per_address = 20000
handshakes = 1000
handshakes_per_address = 1000
shells_per_principal = 10000
shells_per_target = 10000
"""
RATES = "\n".join(
    f"{name} = {{ per_minute = 10000000, burst = 1000000 }}"
    for name in ("logins_per_address", "commands_per_principal", "commands_per_target", "commands")
)
QUOTAS = "quotas = { shells_per_account = 10000, accounts = 10, connections = 10000 }"

# A proxy in the environment would stand between the stock client and what it is measured against.
for name in list(os.environ):
    if name.upper().endswith("_PROXY") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        del os.environ[name]


class BenchGateway(Gateway):
    """A gateway whose targets are those of all processes of the stage, with verified HTTPS."""

    def target_table(self):
        tables = [f'[targets.{name}]\naddress = "127.0.0.1"\nport = {port}\nca = "{self.authority.file}"\n{QUOTAS}'
                  for name, port in self.options.port_of]
        return "\n".join(tables)


class Stage:
    """Everything of one part. To be used in a `with`."""

    policy = POLICY

    def __init__(self, folder, durability="fsync", count=1, processes=1, extra=""):
        self.folder = folder
        folder.mkdir(parents=True)
        self.authority = Authority(folder / "certificates")
        self.targets = self.start_targets(count, processes)
        ports = [(t, i) for t in self.targets for i in range(count // processes)]
        self.ports = [(f"web{n:03}", t.port("https", i)) for n, (t, i) in enumerate(ports)]
        self.gateway = BenchGateway(
            install(folder / "installation", [(USER, PASSWORD, ())]),
            folder / "gateway",
            self.authority,
            None,
            policy=self.policy,
            limits=LIMITS,
            rates=RATES,
            port_of=self.ports,
            audit=f'durability = "{durability}"',
            extra=extra,
        )

    def start_targets(self, count, processes):
        """The independent ones."""
        known = [{"domain": "GATEWAY", "realm": "GATEWAY", "user": USER, "password": PASSWORD}]
        options = ["--cbt", "--max-shells", 10000, "--max-ops", 10000]
        return [
            Targets(self.folder / f"targets{n}", self.authority, known, count // processes, options)
            for n in range(processes)
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.gateway.program:
            self.gateway.stop()
        for targets in self.targets:
            targets.stop()

    @property
    def pid(self):
        return self.gateway.program.pid

    # ---- routes of the load client
    def through(self, target=0, scheme="https", name="gateway"):
        """Through the gateway, as stock clients go."""
        ca = str(self.authority.file) if scheme == "https" else None
        path = f"/wsman/{self.ports[target][0]}"
        return self._route(name, self.gateway.ports[scheme], path, ca, "credssp")

    def direct(self, target=0, login="credssp", name="direct"):
        """To the target itself."""
        return self._route(name, self.ports[target][1], "/wsman", str(self.authority.file), login)

    def _route(self, name, port, path, ca, login):
        route = {"name": name, "port": port, "path": path, "ca": ca, "login": login}
        return {**route, "user": USER, "domain": "GATEWAY", "password": PASSWORD}

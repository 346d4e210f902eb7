"""Fixtures: one set of targets and one gateway for all tests that need nothing special."""

import json
import os
import shlex
import socket
from dataclasses import dataclass

import pytest

from lab.accounts import ACCOUNTS, PASSWORD
from lab.certificates import Authority
from lab.engine import RESTRICTED, Client, find, unpacked
from lab.engines import HOSTS, EngineGateway
from lab.gateway import Gateway, install
from lab.processes import poll
from lab.remoting_policy import REMOTING
from lab.targets import Targets

# A proxy or a bundle of certificates in the environment would be used instead of what a test says.
for name in list(os.environ):
    if name.upper().endswith("_PROXY") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        del os.environ[name]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def users():
    """What the targets know. The gateway delegates the name as the client wrote it, so each form must fit."""
    return [
        {"domain": "GATEWAY", "realm": "GATEWAY", "user": name, "password": PASSWORD} for name in ACCOUNTS
    ]


@pytest.fixture(scope="session")
def targets_of_all(tmp_path_factory, authority, users):
    targets = Targets(tmp_path_factory.mktemp("targets"), authority, users, count=3, options=["--cbt"])
    yield targets
    targets.stop()


@pytest.fixture
def targets(targets_of_all):
    targets_of_all.forget()
    yield targets_of_all
    targets_of_all.forget()


@pytest.fixture
def resolve(monkeypatch):
    """Names that lead to the loopback address, for this process only."""
    names = set()
    system = socket.getaddrinfo

    def getaddrinfo(host, *rest, **options):
        return system("127.0.0.1" if host in names else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names.update


# ---- real PowerShell
@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory):
    """Where the archive is unpacked, when it has to be."""
    made = []

    def unpack():
        made[:] = made or [unpacked(tmp_path_factory.mktemp("engine"))]
        return made[0]

    return unpack


@pytest.fixture(scope="session")
def engine_serve(engine_folder):
    return find("serve", engine_folder)


@pytest.fixture(scope="session")
def engine_play(engine_folder):
    return find("play", engine_folder)


@pytest.fixture(scope="session")
def canary_file(tmp_path_factory):
    """What commands that should never run write to, here."""
    return tmp_path_factory.mktemp("canary") / "ran"


@pytest.fixture(scope="session")
def engine_targets_of_all(tmp_path_factory, authority, users, engine_serve, canary_file):
    """Real PowerShell as targets: the first with all its language, the second restricted to a role (JEA)."""
    full = shlex.join(engine_serve)
    targets = Targets(
        tmp_path_factory.mktemp("engines"),
        authority,
        users,
        count=2,
        options=["--cbt", "--engine", full, "--engine", f"{full} {RESTRICTED}"],
        environment={"ENGINE_CANARY": str(canary_file)},
    )
    yield targets
    targets.stop()


@pytest.fixture
def engine_targets(engine_targets_of_all):
    engine_targets_of_all.forget()
    yield engine_targets_of_all
    engine_targets_of_all.forget()


# ---- the gateway
@pytest.fixture(scope="session")
def installation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installation") / "made"
    return install(folder, [(name, PASSWORD, groups) for name, groups in ACCOUNTS.items()])


@pytest.fixture(scope="session")
def gateway_of_all(tmp_path_factory, installation, authority, targets_of_all):
    gateway = Gateway(installation, tmp_path_factory.mktemp("gateway"), authority, targets_of_all)
    gateway.start()
    yield gateway
    # All clients are gone by now, whatever happened to them and to the targets. Shells may be left, until idle.
    for kind in ("handshakes", "commands"):
        poll(lambda: gateway.now(kind) == 0, lambda: f"{kind} are left: {gateway.admin('metrics')[1]}")
    code = gateway.stop()
    assert code == 0, f"the gateway ended with {code}\n{gateway.program.tail()}"


@pytest.fixture(scope="session")
def gateway_of_engines(tmp_path_factory, installation, authority, engine_targets_of_all):
    gateway = EngineGateway(
        installation, tmp_path_factory.mktemp("gateway-of-engines"), authority, engine_targets_of_all
    )
    gateway.start()
    yield gateway
    # All clients are gone by now, whatever became of their sessions.
    poll(lambda: gateway.now("commands") == 0, lambda: f"commands are left: {gateway.admin('metrics')[1]}")
    poll(lambda: engine_targets_of_all.shells() == 0, "shells are left on the targets")
    code = gateway.stop()
    assert code == 0, f"the gateway ended with {code}\n{gateway.program.tail()}"


@pytest.fixture
def engines(gateway_of_engines, engine_targets, canary_file):
    """Typed at real PowerShell, through the gateway, to real PowerShell. What must never run, never ran."""
    yield Path(gateway_of_engines, engine_targets, gateway_of_engines.next_line())
    assert not canary_file.exists(), canary_file.read_text()


@pytest.fixture
def typist(engines, engine_play, tmp_path):
    """PowerShell of a user, all of whose sessions lead to the gateway."""

    def make(user="ops", **settings):
        where = engines.where(target="{host}")
        hosts = json.dumps(HOSTS)
        return Client(engine_play, tmp_path / "typist", where, user, PASSWORD, LAB_HOSTS=hosts, **settings)

    return make


@dataclass
class Path:
    """The gateway and the targets of one test, and where the audit stood when it began."""

    gateway: Gateway
    targets: Targets
    begin: int

    def where(self, *args, **options):
        return self.gateway.where(*args, **options)

    def audited(self, event, **facts):
        return self.gateway.audited(event, self.begin, **facts)

    def audit(self, *events, **facts):
        return self.gateway.audit(*events, since=self.begin, **facts)

    def nothing_reached_a_target(self):
        seen = self.targets.seen("auth", "shell", "command", "pipeline", "run", "stdin")
        assert not seen, seen

    def nothing_ran(self):
        seen = self.targets.seen("command", "pipeline", "run", "stdin")
        assert not seen, seen


@pytest.fixture
def path(gateway_of_all, targets):
    """Stock client, gateway, target: with fresh logs, and with no shell left behind in the end."""
    yield Path(gateway_of_all, targets, gateway_of_all.next_line())
    targets.ask("clear")


@pytest.fixture(scope="module")
def gateway_of_patience(tmp_path_factory, installation, authority, targets_of_all):
    extra = "[limits.lockout]\nfailures = 1000\n"
    gateway = Gateway(
        installation, tmp_path_factory.mktemp("patient"), authority, targets_of_all, extra=extra
    )
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def patient(gateway_of_patience, targets):
    """The same by a gateway that locks nobody out for the failures of these tests."""
    yield Path(gateway_of_patience, targets, gateway_of_patience.next_line())
    targets.ask("clear")


@pytest.fixture(scope="session")
def gateway_of_sessions(tmp_path_factory, installation, authority, targets_of_all):
    folder = tmp_path_factory.mktemp("gateway-of-sessions")
    gateway = Gateway(installation, folder, authority, targets_of_all, policy=REMOTING)
    gateway.start()
    yield gateway
    poll(lambda: gateway.now("commands") == 0, lambda: f"commands are left: {gateway.admin('metrics')[1]}")
    code = gateway.stop()
    assert code == 0, f"the gateway ended with {code}\n{gateway.program.tail()}"


@pytest.fixture
def remoting(gateway_of_sessions, targets):
    """The same for sessions of PowerShell's."""
    yield Path(gateway_of_sessions, targets, gateway_of_sessions.next_line())
    targets.ask("clear")


@pytest.fixture
def another(tmp_path, installation, authority, targets):
    """Gateways with settings of their own."""
    made = []

    def make(**options):
        gateway = Gateway(installation, tmp_path / f"gateway{len(made)}", authority, targets, **options)
        made.append(gateway)
        gateway.start()
        return Path(gateway, targets, gateway.next_line())

    yield make
    for gateway in made:
        gateway.stop()


def pytest_sessionfinish(session, exitstatus):
    """A run in which nothing was tested is no success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and reporter and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

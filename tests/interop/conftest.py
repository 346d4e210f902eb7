"""Fixtures: one set of targets and one gateway for all tests that need nothing special."""

import os
import socket

import pytest

from lab.certificates import Authority
from lab.clients import Where
from lab.targets import Targets

PASSWORD = "Sesam-öffne-dich 7!"

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
        {"domain": "GATEWAY", "realm": "GATEWAY", "user": name, "password": PASSWORD}
        for name in ("ops", "viewer", "other")
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


def direct(targets, authority, scheme, index=0):
    return Where(targets.port(scheme, index), scheme, authority.file)


def pytest_sessionfinish(session, exitstatus):
    """A run in which nothing was tested is no success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and reporter and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

"""Stock clients, unmodified: pypsrp, pywinrm, requests with requests-credssp."""

import contextlib
from dataclasses import dataclass, field

import pypsrp.exceptions
import requests
import requests_credssp
import winrm.exceptions
import winrm.protocol
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

# How these clients say that a login was refused.
REFUSED = (
    pypsrp.exceptions.AuthenticationError,
    requests_credssp.exceptions.AuthenticationException,
    requests_credssp.exceptions.NTStatusException,
    winrm.exceptions.InvalidCredentialsError,
)
# How they say that a connection broke: pypsrp tries to close its shell on a new one, which a server answers by 400.
BROKEN = (requests.ConnectionError, requests.Timeout, pypsrp.exceptions.WinRMTransportError)


@dataclass
class Where:
    """A listener, and what to trust there."""

    port: int
    scheme: str
    ca: str
    host: str = "127.0.0.1"
    path: str = "wsman"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}/{self.path}"


@dataclass
class Result:
    code: int
    out: bytes
    err: bytes = b""


@dataclass
class Client:
    """One way to run a program. `run` and `shell` are what the tests use."""

    name: str
    options: dict = field(default_factory=dict)

    def run(self, where, user, password, command, *words, stdin=None, **options):
        raise NotImplementedError


class Pypsrp(Client):
    def wsman(self, where, user, password, **options):
        settings = {"auth": "credssp", "operation_timeout": 20, "read_timeout": 40, **self.options, **options}
        return WSMan(
            where.host,
            port=where.port,
            ssl=where.scheme == "https",
            path=where.path,
            username=user,
            password=password,
            cert_validation=str(where.ca),
            no_proxy=True,
            **settings,
        )

    @contextlib.contextmanager
    def shell(self, where, user, password, **options):
        with self.wsman(where, user, password, **options) as wsman, WinRS(wsman) as shell:
            yield shell

    def run(self, where, user, password, command, *words, stdin=None, **options):
        with self.shell(where, user, password, **options) as shell:
            return invoke(shell, command, *words, stdin=stdin)


def invoke(shell, command, *words, stdin=None):
    """One command in an open shell of pypsrp."""
    process = Process(shell, command, list(words))
    process.begin_invoke()
    if stdin is not None:
        size = 64 * 1024
        parts = [stdin[i : i + size] for i in range(0, len(stdin), size)] or [b""]
        for part in parts[:-1]:
            process.send(part, end=False)
        process.send(parts[-1], end=True)
    process.end_invoke()
    process.signal(SignalCode.TERMINATE)
    return Result(process.rc, process.stdout, process.stderr)


class Pywinrm(Client):
    def protocol(self, where, user, password, **options):
        settings = {
            "transport": "credssp",
            "operation_timeout_sec": 20,
            "read_timeout_sec": 40,
            **self.options,
            **options,
        }
        return winrm.protocol.Protocol(
            where.url, username=user, password=password, ca_trust_path=str(where.ca), proxy=None, **settings
        )

    def run(self, where, user, password, command, *words, stdin=None, **options):
        protocol = self.protocol(where, user, password, **options)
        shell = protocol.open_shell()
        try:
            # Without this pywinrm asks for a console as standard input.
            extra = {"console_mode_stdin": False} if stdin is not None else {}
            running = protocol.run_command(shell, command, words, **extra)
            try:
                if stdin is not None:
                    protocol.send_command_input(shell, running, stdin, end=True)
                out, err, code = protocol.get_command_output(shell, running)
                return Result(code, out, err)
            finally:
                protocol.cleanup_command(shell, running)
        finally:
            protocol.close_shell(shell)


class From(requests.adapters.HTTPAdapter):
    """Connections from one of the addresses of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, source_address=(self.address, 0), **options)


def credssp_session(where, user, password, mechanism="auto", source=None):
    """requests with requests-credssp, for requests that no ready client sends."""
    session = requests.Session()
    if source:
        session.mount(where.scheme + "://", From(source))
    session.trust_env = False
    session.verify = str(where.ca)
    session.auth = requests_credssp.HttpCredSSPAuth(user, password, auth_mechanism=mechanism)
    session.headers["Content-Type"] = "application/soap+xml;charset=UTF-8"
    session.headers["Accept-Encoding"] = "identity"
    return session


CLIENTS = {
    c.name: c
    for c in (
        Pypsrp("pypsrp"),
        Pypsrp("pypsrp-ntlm", {"credssp_auth_mechanism": "ntlm"}),
        Pypsrp("pypsrp-sealed", {"encryption": "always"}),
        Pywinrm("pywinrm"),
        Pywinrm("pywinrm-sealed", {"message_encryption": "always"}),
    )
}

"""The window of the user: what a target shows there, and what it may ask."""

import hashlib

import pytest
from pypsrp.complex_objects import Color, Coordinates, PSCredential, Size
from pypsrp.host import PSHost, PSHostRawUserInterface, PSHostUserInterface

from lab.psrp import ObjectMeta, command, completed, refused, run, script, session

PASSWORD = "typed-by-the-user"


def digest(text):
    return hashlib.sha256(text.encode("utf-16-le")).hexdigest()


class User(PSHostUserInterface):
    """Answers everything, and keeps what was shown and asked."""

    def __init__(self):
        super().__init__(raw_ui())
        self.shown, self.asked = [], []

    def WriteLine2(self, runspace, pipeline, value):
        self.shown.append(str(value))

    def WriteLine3(self, runspace, pipeline, foreground, background, value):
        self.shown.append(str(value))

    def ReadLine(self, runspace, pipeline):
        self.asked.append("line")
        return "forty-two"

    def ReadLineAsSecureString(self, runspace, pipeline):
        self.asked.append("secret")
        runspace.exchange_keys()
        return runspace.serialize(PASSWORD, ObjectMeta("SS"))

    def PromptForCredential2(self, runspace, pipeline, *args):
        self.asked.append("credential")
        runspace.exchange_keys()
        return PSCredential(username="alice", password=PASSWORD)

    def PromptForChoice(self, runspace, pipeline, *args):
        self.asked.append("choice")
        return 1


def raw_ui():
    size = Size(width=123, height=45)
    return PSHostRawUserInterface(
        window_title="canary-title",
        cursor_size=25,
        foreground_color=Color(value=Color.GRAY),
        background_color=Color(value=Color.BLACK),
        cursor_position=Coordinates(x=0, y=0),
        window_position=Coordinates(x=0, y=0),
        buffer_size=size,
        max_physical_window_size=size,
        max_window_size=size,
        window_size=size,
    )


@pytest.fixture
def user():
    return User()


def at(path, user, name="ops"):
    host = PSHost(None, None, False, "canary-host", None, user, "1.0")
    return session(path, user=name, pool={"host": host})


# ---- asking
@pytest.mark.parametrize(
    ("name", "parameters", "asked", "output"),
    [
        ("Read-Host", {}, "line", "you said forty-two"),
        ("Read-Host", {"AsSecureString": None}, "secret", digest(PASSWORD)),
        ("Get-Credential", {"Message": "who?"}, "credential", f"alice {digest(PASSWORD)}"),
        ("Select-Choice", {}, "choice", "choice 1"),
    ],
    ids=["text", "secret", "credential", "choice"],
)
def test_a_command_asks_where_policy_lets_it(remoting, user, name, parameters, asked, output):
    with at(remoting, user) as pool:
        assert run(pool, name, **parameters) == [output]
        assert run(pool, name, **parameters) == [output]
    assert user.asked == [asked, asked]
    assert PASSWORD not in str(remoting.audit())
    assert not any(PASSWORD in m["text"] for m in remoting.targets.seen("message"))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Read-Host", {}),
        ("Read-Host", {"AsSecureString": None}),
        ("Get-Credential", {"Message": "who?"}),
        ("Select-Choice", {}),
    ],
)
def test_nobody_is_asked_otherwise_and_no_target_waits(remoting, user, name, parameters):
    with at(remoting, user, "other") as pool:
        error = refused(command(pool, name, **parameters))
        assert "prompts = true" in str(error), str(error)
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert user.asked == []
    assert remoting.audited("result")["outcome"] == "failed"


def test_a_client_without_a_window_is_asked_nothing(remoting):
    with session(remoting) as pool:
        error = refused(command(pool, "Read-Host"))
        assert error.fq_error == "SekishoPromptRefused", str(error)
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]


def test_a_target_that_asks_and_does_not_wait(remoting, user):
    with at(remoting, user) as pool:
        assert run(pool, "Request-Nothing") == ["did not wait"]
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert [line["outcome"] for line in remoting.audit("result")] == ["completed"] * 2


# Those of [MS-PSRP] 2.2.3.17 that want an answer, and are none of the user's window.
@pytest.mark.parametrize(
    "method", [1, 2, 3, 4, 5, 7, 11, 12, 23, 24, 25, 26, 41, 42, 45, 46, 50, 52, 54, 55, 56]
)
def test_what_a_command_that_may_not_ask_calls_is_answered_and_never_passed(remoting, user, method):
    called = []
    with at(remoting, user) as pool:
        pool.host.run_method = lambda *args: called.append(args[0])
        [answer] = run(pool, "Request-HostCall", Method=method)
        assert [str(s) for s in run(pool, "Get-Service", Name="Spooler")] == ["Spooler"]
    assert called == [], answer
    if method in (11, 12, 23, 24, 25, 26, 46, 56):
        assert "refused: the gateway lets no command ask" in answer, answer


@pytest.mark.parametrize(("method", "answer"), [(37, "123"), (39, "123"), (35, "25")])
def test_the_size_of_the_window_is_the_clients_and_the_gateway_knows_it(remoting, user, method, answer):
    called = []
    with at(remoting, user) as pool:
        pool.host.run_method = lambda *args: called.append(args[0])
        [said] = run(pool, "Request-HostCall", Method=method)
    assert called == [] and "refused" not in said


# ---- showing
def test_what_a_target_shows_arrives(remoting, user):
    with at(remoting, user) as pool:
        run(pool, "Write-Line", Text="hello")
        run(pool, "Write-Line", Text="grüße 漢字")
    assert user.shown == ["hello", "grüße 漢字"]


def test_the_prompt_is_the_gateways(remoting, user):
    with at(remoting, user) as pool:
        assert run(pool, "prompt") == ["PS web01> "]
    assert not remoting.audit("command", "denial")
    remoting.nothing_ran()


def test_raw_of_ansible_gets_its_exit_code_by_a_call_of_the_host(remoting, user):
    with at(remoting, user) as pool:
        completed(script(pool, "Get-Service -Name Spooler\nexit $LASTEXITCODE"))
        assert pool.host.rc == 0
    assert "LASTEXITCODE" not in str(remoting.targets.seen("message"))


# ---- what the target knows of the user's window
def test_the_window_that_a_target_is_told_of_is_the_gateways(remoting, user):
    with at(remoting, user) as pool:
        run(pool, "Get-Date")
    told = "".join(m["text"] for m in remoting.targets.seen("message"))
    assert "canary-title" not in told and "canary-host" not in told
    assert '<B N="_isHostNull">false</B>' in told

"""No secret anywhere else: whole sessions with a password that nobody else has, and then a search for it.

Each search is first shown something planted, so that a search that cannot find is a failure and not a success.
"""

import gc
import hashlib
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pypsrp.host import PSHost, PSHostUserInterface
from requests.adapters import HTTPAdapter
from requests_credssp.credssp import CredSSPContext

from lab.canary import Memory, NtHash, Secret, may_read_memory, search, search_folder, summary, whole
from lab.clients import CLIENTS, REFUSED, Pypsrp, invoke
from lab.gateway import ROOT, Gateway
from lab.processes import poll
from lab.psrp import command, credential, secure
from lab.psrp import refused as denied
from lab.psrp import run as invoked
from lab.psrp import session as pools
from lab.remoting_policy import REMOTING
from lab.tap import Tap
from lab.targets import Targets
from winrm_target.remote_commands import OWN_PASSWORD

USER = "canary"
AGENT = Path(os.environ.get("SEKISHO_AGENT_BIN", ROOT / "target/debug/sekisho"))
# Asks for everything, and for what nobody may have by name.
FILTER = "trace,sspi=trace,picky=trace,winscard=trace,dpapi=trace"
# What a program is given and writes is recorded as it is, so that the target with `cat` is left out.
RECORDING = '[recording]\nenabled = true\nclixml = true\ntargets = ["web01", "db01"]\n'
ENVIRONMENT = {"RUST_LOG": FILTER, "RUST_BACKTRACE": "full", "SSPI_LOG_LEVEL": "trace"}
# Set where the build and the rights have to be there: a skipped canary is no canary.
REQUIRED = os.environ.get("SEKISHO_CANARY") == "required"
PYPSRP = Pypsrp("pypsrp")
# Of the key under which the credential store keeps passwords; it begins a locked page.
KEY_SIZE = 32
# Seconds from the end of a session to the last wiped buffer.
SOON = 5


def word():
    """Letters and digits, so that no escaping gets in the way; in small letters, since names are."""
    return secrets.token_hex(12)


def skip(why):
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)


class Words:
    """What is looked for."""

    def __init__(self):
        self.password = Secret("password", word())
        self.hash = NtHash("NT hash", self.password.text)
        self.wrong = Secret("wrong password", word())
        self.as_name = Secret("password typed as the name", word())
        self.argument = Secret("argument marked secret", word())
        self.denied = Secret("password in a denied command", word())
        self.input = Secret("standard input", word())
        self.plain = Secret("plain argument", word())
        self.secure = Secret("SecureString", word())
        self.credential = Secret("password of a PSCredential", word())
        self.typed = Secret("password typed when asked", word())
        self.value = Secret("value marked secret in a session", word())
        self.refused = Secret("SecureString in a denied command", word())
        self.targets_own = Secret("SecureString of a target", OWN_PASSWORD)
        self.planted = Secret("planted", word())

    def of_logins(self):
        return [self.password, self.hash, self.wrong]

    def of_sessions(self):
        return [self.secure, self.credential, self.typed, self.value, self.refused, self.targets_own]

    def of_audit(self):
        return [*self.of_logins(), self.as_name, self.argument, self.denied, self.input, *self.of_sessions()]

    def of_logs(self):
        """Not even arguments that the audit keeps."""
        return [*self.of_audit(), self.plain]

    def of_memory(self):
        return [self.password, self.wrong, self.argument, self.denied, self.input, *self.of_sessions()]


@dataclass
class Evidence:
    """What a whole session left behind."""

    build: str
    words: Words
    gateway: Gateway
    taps: dict
    replies: list = field(default_factory=list)
    copies: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    agent: dict = field(default_factory=dict)

    def log(self):
        return (self.gateway.folder / "gateway.out").read_bytes()

    def look(self, when, *wanted):
        """Searches the gateway's memory; for these alone where somebody waits meanwhile."""
        if may_read_memory(self.gateway.program.pid) is None:
            memory = Memory(self.gateway.program.pid)
            self.copies[when] = memory.copies(*(wanted or (*self.words.of_memory(), self.words.hash)))

    def found(self, when, *wanted):
        if why := may_read_memory():
            skip(why)
        names = tuple(f"{secret.name}: " for secret in wanted)
        return [copy for copy in self.copies[when] if copy.form.startswith(names)]


# ---- the session
def programs():
    """The builds that are looked at."""
    release = os.environ.get("SEKISHO_GATEWAY_RELEASE_BIN")
    return {"TRACE": None, "release": Path(release) if release else None}


@pytest.fixture(scope="module", params=["TRACE", "release"])
def session(request, tmp_path_factory, installation, authority):
    """A build of the gateway, and all that can be done with it, done once. Ended, but the process still lives."""
    program = programs()[request.param]
    if request.param == "release":
        if program is None:
            skip(
                "SEKISHO_GATEWAY_RELEASE_BIN is not set: the release build was NOT searched; tests/run canary builds it"
            )
        assert program.exists(), f"{program} is not there"
    words = Words()
    users = [{"domain": "GATEWAY", "realm": "GATEWAY", "user": USER, "password": words.password.text}]
    targets = Targets(tmp_path_factory.mktemp("targets"), authority, users, count=3, options=["--cbt"])
    taps = {(s, n): Tap(targets.port(s, n)) for s, n in (("https", 0), ("http", 1), ("https", 2))}
    gateway = Gateway(
        installation,
        tmp_path_factory.mktemp("canary"),
        authority,
        targets,
        port_of=lambda scheme, n: taps[scheme, n].port,
        extra=f'[log]\nfilter = "{FILTER}"\n{RECORDING}',
        program=program,
        environment=ENVIRONMENT,
    )
    gateway.policy_file.write_text(REMOTING.replace(r"GATEWAY\ops", "GATEWAY\\" + USER))
    evidence = Evidence(request.param, words, gateway, taps)
    added = gateway.add_account(USER, words.password.text)
    evidence.facts["account add"] = (added.stdout + added.stderr).encode()
    gateway.start()
    with pytest.MonkeyPatch.context() as patch:
        keep_replies(patch, evidence.replies)
        plant(evidence)
        run(evidence)
    yield evidence
    gateway.stop()
    targets.stop()
    for tap in taps.values():
        tap.close()


def keep_replies(patch, replies):
    """Keeps all that the stock clients get: status lines, headers, bodies, and what these say once unsealed."""
    send, wrapped = (
        HTTPAdapter.send,
        {name: getattr(CredSSPContext, name) for name in ("unwrap", "unwrap_winrm")},
    )

    def sent(self, request, **options):
        answer = send(self, request, **options)
        replies.append(f"{answer.status_code} {answer.reason} {answer.headers}".encode() + answer.content)
        return answer

    def kept(name):
        def unwrap(self, *data):
            replies.append(wrapped[name](self, *data))
            return replies[-1]

        return unwrap

    patch.setattr(HTTPAdapter, "send", sent)
    for name in wrapped:
        patch.setattr(CredSSPContext, name, kept(name))


def plant(evidence):
    """What each search of files must find."""
    forms = evidence.words.planted.everything().values()
    with open(evidence.gateway.folder / "gateway.out", "ab") as f:
        f.writelines(b"planted " + form + b"\n" for form in forms)
    (evidence.gateway.folder / "audit" / "planted.txt").write_bytes(b"\n".join(forms))
    evidence.replies.append(b"\n".join(forms))


def run(evidence):
    for client in CLIENTS.values():
        for scheme in ("https", "http"):
            everything(evidence, client, scheme)
    in_mid_login(evidence)
    with_open_shells(evidence)
    in_powershell(evidence)
    by_agent(evidence)
    gc.collect()
    ended(evidence)
    soon_after(evidence)


def everything(evidence, client, scheme):
    """One client over one listener: what is allowed, what is not, input, secrets, and mistakes at the login."""
    words, place = evidence.words, evidence.gateway.where
    password = words.password.text
    for target in ("web01", "web02", "db01"):
        assert client.run(place(scheme, target), USER, password, "hostname").code == 0
    where = place(scheme, "web02")
    told = client.run(where, USER, password, "cat.exe", stdin=words.input.text.encode())
    assert words.input.text.encode() in told.out
    client.run(where, USER, password, "show-args", words.plain.text)
    secret = "/to:" + words.argument.text
    client.run(where, USER, password, "set-password", "alice", secret)
    with pytest.raises(Exception, match="allows this program"):
        client.run(where, USER, password, "net.exe", "user", "alice", "/password:" + words.denied.text)
    for user, wrong in ((USER, words.wrong.text), (words.as_name.text, words.wrong.text)):
        with pytest.raises(REFUSED):
            client.run(where, user, wrong, "hostname")
    assert client.run(where, USER, password, "hostname").code == 0


def in_mid_login(evidence):
    """A target that stops answering in the middle of a CredSSP login: the password is open then, and is found."""
    tap, outcome = evidence.taps["https", 2], []
    where = evidence.gateway.where("https", "db01")

    def one():
        outcome.append(PYPSRP.run(where, USER, evidence.words.password.text, "hostname").code)

    tap.hold_after(3)
    client = threading.Thread(target=one)
    client.start()
    assert tap.holding.wait(20), "the gateway did not log in to the target"
    evidence.look("in mid-login", evidence.words.password)
    tap.release()
    client.join(60)
    assert outcome == [0]


def with_open_shells(evidence):
    where, password = evidence.gateway.where, evidence.words.password.text
    with PYPSRP.shell(where("https", "db01"), USER, password) as one:
        with PYPSRP.shell(where("http", "web02"), USER, password) as other:
            for shell in (one, other):
                assert invoke(shell, "hostname").code == 0
            evidence.facts["credentials"] = count(evidence, "credentials")
            evidence.look("open")
            look_at_keys(evidence)


class Typist(PSHostUserInterface):
    """Somebody who types a password whenever asked for one."""

    def __init__(self, password):
        super().__init__()
        self.password = password

    def ReadLineAsSecureString(self, runspace, pipeline):
        return secure(runspace, self.password)

    def PromptForCredential2(self, runspace, pipeline, *args):
        return credential(runspace, "alice", self.password)


def in_powershell(evidence):
    """Secrets in each of the ways that a session has for them, over a listener and to a target of each kind."""
    words = evidence.words
    host = PSHost(None, None, False, "typist", None, Typist(words.typed.text), "1.0")
    for scheme, target in (("http", "web01"), ("https", "web02"), ("https", "db01")):
        options = {"pool": {"host": host}, "user": USER, "password": words.password.text}
        with pools(evidence.gateway, target=target, scheme=scheme, **options) as pool:
            told = [
                *invoked(pool, "Test-Password", Password=secure(pool, words.secure.text)),
                *invoked(
                    pool, "Test-Credential", Credential=credential(pool, "alice", words.credential.text)
                ),
                *invoked(pool, "Read-Host", AsSecureString=None),
                *invoked(pool, "Get-Credential", Message="who?"),
            ]
            # The targets have opened each of them.
            for digest, secret in zip(
                told, (words.secure, words.credential, words.typed, words.typed), strict=True
            ):
                wanted = hashlib.sha256(secret.encodings["UTF-16"]).hexdigest()
                assert digest.rsplit(" ")[-1] == wanted, secret.name
            assert invoked(pool, "New-Password") == [OWN_PASSWORD]
            invoked(pool, "Set-Secret", Name="a", Value=words.value.text)
            assert denied(command(pool, "Show-Args", Text=secure(pool, words.refused.text)))
            evidence.look(f"in PowerShell on {target}")


def look_at_keys(evidence):
    """How often the key of the credential store is in memory, and what the kernel says of the process."""
    proc = Path(f"/proc/{evidence.gateway.program.pid}")
    evidence.facts["limits"] = (proc / "limits").read_text()
    evidence.facts["status"] = (proc / "status").read_text()
    if may_read_memory(evidence.gateway.program.pid) is None:
        memory = Memory(evidence.gateway.program.pid)
        keys = [page[:KEY_SIZE] for page in memory.locked() if any(page[:KEY_SIZE])]
        evidence.facts["keys"] = [len(memory.places(key)) for key in keys]


def by_agent(evidence):
    """A job, and what others can see of the process that asks for it: in mid-login, and while the job runs."""
    words, place = evidence.words, evidence.gateway.where()
    front, back = Tap(place.port), evidence.taps["https", 2]
    line = [AGENT, "exec", "--gateway", f"https://127.0.0.1:{front.port}", "--ca", place.ca, "--user", USER]
    line += ["--password-stdin", "--target", "web01,web02,db01"]
    line += ["--", "set-password", "alice", "/to:" + words.argument.text]
    agent = subprocess.Popen(
        [str(w) for w in line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **ENVIRONMENT},
    )
    front.hold_after(3)
    back.hold_after(3)
    agent.stdin.write(words.password.text.encode() + b"\n")
    agent.stdin.flush()
    for tap, when in ((front, "agent in mid-login"), (back, "agent")):
        poll(lambda tap=tap: tap.holding.is_set() or agent.poll() is not None, "the agent does nothing")
        if agent.poll() is None:
            for file in ("cmdline", "environ"):
                evidence.agent[file] = Path(f"/proc/{agent.pid}/{file}").read_bytes()
            if may_read_memory(agent.pid) is None:
                evidence.copies[when] = Memory(agent.pid).copies(words.password, words.hash)
        tap.release()
    evidence.agent["output"] = agent.communicate(timeout=60)[0]
    evidence.agent["code"] = agent.returncode
    front.close()


def count(evidence, kind):
    """A gauge of /metrics."""
    text = evidence.gateway.admin("metrics")[1]
    return next(int(line.split()[-1]) for line in text.splitlines() if f'now{{kind="{kind}"}}' in line)


def ended(evidence):
    """No connection, no shell, and the lease is gone."""
    for kind in ("connections", "shells", "commands", "credentials"):
        poll(lambda kind=kind: count(evidence, kind) == 0, f"{kind} are left")


def soon_after(evidence):
    """Connections to targets are closed a moment after their shells, and their buffers given back then."""
    deadline = time.monotonic() + SOON
    evidence.look("after")
    while time.monotonic() < deadline and evidence.copies.get("after"):
        if all(copy.form.startswith("NT hash") for copy in evidence.copies["after"]):
            return
        evidence.look("after")


# ---- what was found
def below_info(log):
    return [line for line in log.splitlines() if re.match(rb"[0-9T:.-]+Z (TRACE|DEBUG) ", line)]


def test_searches_find_every_form_in_another_process():
    """The control of the search of memory."""
    if why := may_read_memory():
        skip(why)
    secret = Secret("planted", word())
    code = "import sys; kept = [bytes.fromhex(line) for line in sys.stdin.readline().split()]; input()"
    code = code.replace("input()", "print('ready', flush=True); sys.stdin.readline()")
    helper = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    forms = secret.everything()
    helper.stdin.write(" ".join(form.hex() for form in forms.values()).encode() + b"\n")
    helper.stdin.flush()
    assert helper.stdout.readline() == b"ready\n"
    found = {copy.form for copy in Memory(helper.pid).copies(secret, Secret("absent", word()))}
    helper.communicate(b"\n", timeout=20)
    assert found == set(forms)


def test_the_log_has_no_secret(session):
    log = session.log()
    assert search(log, [session.words.planted]) == sorted(session.words.planted.everything())
    assert b"Logged in" in log and b"Login failed" in log
    if session.build == "TRACE":
        for line in (b"TRACE sekisho_gateway", b"DEBUG sekisho_gateway"):
            assert line in log, f"{line} is not in the log: is this the build for tests?"
    assert search(log, session.words.of_logs()) == []


def test_the_login_library_is_silent_below_info(session):
    """What it says there today shows no secret, but in other uses of it does: it writes passwords it is given."""
    said = [
        line
        for line in below_info(session.log())
        if re.search(rb"\b(sspi|picky\w*|winscard|dpapi\w*):", line)
    ]
    assert said == []


def test_the_release_build_has_nothing_below_info(session):
    assert bool(below_info(session.log())) == (session.build == "TRACE")


def test_the_audit_and_the_configuration_have_no_secret(session):
    planted = {form for _file, form in search_folder(session.gateway.folder, [session.words.planted])}
    assert planted == set(session.words.planted.everything())
    assert session.gateway.audit("denial") and session.gateway.audit("command")
    recordings = [file for file in (session.gateway.folder / "recordings").rglob("*") if file.is_file()]
    assert any(b"Test-Password" in file.read_bytes() for file in recordings), "nothing was recorded"
    recordings = [file.read_text() for file in (session.gateway.folder / "recordings").glob("*.jsonl")]
    assert any('"event":"asked"' in text for text in recordings) and any('"event":"stdout"' in text for text in recordings)
    assert search_folder(session.gateway.folder, session.words.of_audit()) == []


def test_replies_have_no_secret(session):
    replies = b"\n".join(session.replies)
    assert search(replies, [session.words.planted]) == sorted(session.words.planted.everything())
    assert b"CommandState/Done" in replies, "the replies were not unsealed"
    assert search(replies, [*session.words.of_logins(), session.words.as_name]) == []


def test_wires_have_no_secret(session):
    for (scheme, number), tap in session.taps.items():
        wire = tap.bytes()
        assert b"\r\n\r\n" in wire if scheme == "http" else b"\x16\x03" in wire
        assert search(wire, session.words.of_audit()) == [], number


def test_memory_has_the_password_while_a_login_is_in_progress(session):
    """The control: this is where and how the search must find it."""
    copies = session.found("in mid-login", session.words.password)
    print(f"{session.build}: in mid-login {summary(copies)}")
    assert whole(copies)


def test_memory_has_no_secret_while_shells_are_open(session):
    assert session.facts["credentials"] == 1
    copies = session.found("open", session.words.password, session.words.wrong)
    print(f"{session.build}: open {summary(copies)}")
    assert [str(copy) for copy in copies] == []


def test_memory_has_no_secret_while_powershell_is_open(session):
    for target in ("web01", "web02", "db01"):
        copies = session.found(f"in PowerShell on {target}", *session.words.of_memory())
        print(f"{session.build}: in PowerShell on {target} {summary(copies)}")
        assert [str(copy) for copy in copies] == []


def test_memory_has_no_secret_after_the_session(session):
    copies = session.found("after", *session.words.of_memory())
    print(f"{session.build}: after {summary(copies)}")
    assert [str(copy) for copy in copies] == []


def test_the_key_of_the_credential_store_is_in_its_locked_page_alone(session):
    if why := may_read_memory(session.gateway.program.pid):
        skip(why)
    assert session.facts["keys"] == [1]


def test_the_process_leaves_no_core_and_locks_its_key(session):
    assert re.search(r"^Max core file size\s+0\s+0\s", session.facts["limits"], re.M), session.facts["limits"]
    assert int(re.search(r"^VmLck:\s+(\d+) kB", session.facts["status"], re.M).group(1)) >= 4


def test_hashes_are_in_memory_once_for_each_account(session):
    """Local accounts are kept as hashes by design, and nothing else keeps them."""
    for when in ("open", "after"):
        copies = session.found(when, session.words.hash)
        print(f"{session.build}: {when} {summary(copies)}")
        assert [copy.form for copy in copies] == ["NT hash: raw"], [str(copy) for copy in copies]


def test_the_agent_shows_no_secret(session):
    agent = session.agent
    # The targets have no such program and say so: it went there.
    assert agent["code"] == 1 and b"3 targets: 3 ended with an error" in agent["output"], agent[
        "output"
    ].decode()
    assert b"--password-stdin" in agent["cmdline"] and b"RUST_LOG" in agent["environ"]
    shown = b"\n".join((agent["output"], agent["cmdline"], agent["environ"]))
    assert search(shown, session.words.of_logins()) == []


def test_the_agent_forgets_the_password_after_its_login(session):
    assert whole(session.found("agent in mid-login", session.words.password)), "the control found nothing"
    copies = session.found("agent", session.words.password, session.words.hash)
    print(
        f"{session.build}: agent in mid-login {summary(session.copies['agent in mid-login'])}, then {summary(copies)}"
    )
    assert [str(copy) for copy in copies] == []


def test_adding_an_account_shows_no_secret(session):
    assert session.facts["account add"]
    assert search(session.facts["account add"], session.words.of_logins()) == []

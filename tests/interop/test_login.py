"""Who is let in, and who is not."""

import re
import ssl

import pypsrp.exceptions
import pytest
import requests
import requests_credssp.credssp
import spnego._credssp
import spnego.tls
import winrm.exceptions

from lab import soap, wire
from lab.accounts import PASSWORD
from lab.clients import CLIENTS, REFUSED, Pypsrp, Pywinrm, credssp_session

PYPSRP = Pypsrp("pypsrp")


def a_fresh_account(gateway, name):
    """Failures are counted by account, so that each test has one of its own."""
    gateway.add_account(name, PASSWORD)
    gateway.reload()
    return name


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_wrong_password_is_refused(path, client, scheme):
    with pytest.raises(REFUSED):
        client.run(path.where(scheme), "viewer", PASSWORD + "x", "hostname")
    path.nothing_reached_a_target()
    assert path.audited("login")["outcome"] == "bad_credentials"
    # And the right one still works after this one failure.
    assert client.run(path.where(scheme), "viewer", PASSWORD, "hostname").code == 0


@pytest.mark.parametrize("user", ["ghost", "ELSEWHERE\\ops", "ops@elsewhere.test", "GATEWAY\\ghost", "ops "])
def test_an_account_that_is_not_there_is_refused_alike(path, user):
    with pytest.raises(REFUSED):
        PYPSRP.run(path.where(), user, PASSWORD, "hostname")
    path.nothing_reached_a_target()
    assert path.audited("login")["outcome"] in ("bad_credentials", "unknown_name")


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_both_versions_of_tls_inside_are_taken(path, monkeypatch, client, version):
    """Windows before 2022 has 1.2."""
    stock = spnego.tls.default_tls_context

    def one_version(*args, **options):
        made = stock(*args, **options)
        made.context.minimum_version = made.context.maximum_version = version
        return made

    for module in (spnego.tls, spnego._credssp, requests_credssp.credssp):
        if hasattr(module, "default_tls_context"):
            monkeypatch.setattr(module, "default_tls_context", one_version)
    assert client.run(path.where(), "ops", PASSWORD, "hostname").code == 0


def test_a_client_may_wait_for_leave_to_send_its_body(path):
    """.NET does."""
    with wire.connect(path.where()) as s:
        s.sendall(wire.post(path.where(), "Expect: 100-continue").replace(b"Length: 0", b"Length: 4"))
        status, _headers = wire.answer(s)
        if status == 100:
            s.sendall(b"body")
            status, _headers = wire.answer(s)
        assert status == 401


def test_a_login_is_audited_with_the_principal_and_the_address(path):
    PYPSRP.run(path.where(), "ops", PASSWORD, "hostname")
    line = path.audited("login", outcome="ok")
    assert line["principal"] == "GATEWAY\\ops" and line["client_addr"].startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "client",
    [
        Pypsrp("pypsrp-ntlm", {"auth": "ntlm"}),
        Pypsrp("pypsrp-negotiate", {"auth": "negotiate"}),
        Pypsrp("pypsrp-basic", {"auth": "basic"}),
        Pywinrm("pywinrm-ntlm", {"transport": "ntlm"}),
        Pywinrm("pywinrm-basic", {"transport": "basic"}),
    ],
    ids=lambda c: c.name,
)
def test_a_login_that_delegates_nothing_is_not_offered(path, client):
    with pytest.raises((*REFUSED, requests.RequestException)):
        client.run(path.where(), "ops", PASSWORD, "hostname")
    path.nothing_reached_a_target()


def test_only_credssp_is_offered(path):
    answer = requests.post(path.where().url, b"", verify=str(path.where().ca), timeout=20)
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.content) == (401, "CredSSP", b"")


def test_a_body_that_is_not_sealed_is_refused_over_plain_http(path):
    session, place = credssp_session(path.where("http"), "ops", PASSWORD), path.where("http")
    assert session.post(place.url, b"").status_code == 200
    answer = soap.Answer(session.post(place.url, soap.create()))
    assert (answer.status, answer.fault) == (500, 5) and "sealed" in answer.reason
    path.nothing_reached_a_target()


def test_a_listener_can_demand_sealed_bodies_over_tls(another):
    path = another(https="require_sealed_bodies = true\n")
    # Its only request that is not sealed is the answer to the last leg of the login: it must be readable there.
    for client in (PYPSRP, Pywinrm("pywinrm")):
        with pytest.raises((pypsrp.exceptions.WSManFaultError, winrm.exceptions.WSManFaultError)) as refused:
            client.run(path.where(), "ops", PASSWORD, "hostname")
        assert "sealed" in refused.value.reason
    path.nothing_reached_a_target()
    assert CLIENTS["pypsrp-sealed"].run(path.where(), "ops", PASSWORD, "hostname").code == 0
    assert CLIENTS["pywinrm-sealed"].run(path.where(), "ops", PASSWORD, "hostname").code == 0


def test_identify_tells_nothing_of_the_targets(path):
    session, place = credssp_session(path.where(), "ops", PASSWORD), path.where()
    answer = session.post(place.url, soap.IDENTIFY)
    assert answer.status_code == 200 and "IdentifyResponse" in answer.text
    assert not any(name in answer.text for name in ("web01", "target1", "127.0.0.1"))
    path.nothing_reached_a_target()


@pytest.mark.parametrize("route", ["wsman", "wsman/web01", "wsman-anon/identify"])
def test_identify_needs_no_login_and_tells_nothing(path, route):
    place = path.where(path=route)
    headers = {} if "anon" in route else {"WSMANIDENTIFY": "unauthenticated"}
    answer = requests.post(place.url, soap.IDENTIFY, headers=headers, verify=str(place.ca), timeout=20)
    assert answer.status_code == 200 and "IdentifyResponse" in answer.text
    assert "OS: 0.0.0 SP: 0.0 Stack: 3.0" in answer.text
    assert not re.search(r"web01|target1|127\.0\.0\.1|ops|Sekisho: ", answer.text)
    # It is that answer whatever is asked for, and nothing else is done.
    answer = requests.post(place.url, soap.create(), headers=headers, verify=str(place.ca), timeout=20)
    assert "IdentifyResponse" in answer.text and "ShellId" not in answer.text
    path.nothing_reached_a_target()


def test_failures_lock_the_address_out_of_the_account_and_say_so_in_the_audit(another):
    path = another(extra='[limits.lockout]\nfailures = 3\nfirst = "10m"\n')
    for _ in range(4):
        with pytest.raises(REFUSED):
            PYPSRP.run(path.where(), "viewer", "wrong", "hostname")
    with pytest.raises(REFUSED):
        PYPSRP.run(path.where(), "viewer", PASSWORD, "hostname")
    line = path.audited("lockout", account="GATEWAY\\viewer")
    assert line["duration_ms"] >= 1000
    # Others come in from the same address.
    assert PYPSRP.run(path.where(), "ops", PASSWORD, "hostname").code == 0


def test_a_client_that_sees_another_certificate_does_not_log_in(path, tmp_path):
    from lab.certificates import Authority

    stranger = Authority(tmp_path)
    place = path.where()
    place.ca = stranger.file
    with pytest.raises(requests.exceptions.SSLError):
        PYPSRP.run(place, "ops", PASSWORD, "hostname")
    assert not path.audit("login")

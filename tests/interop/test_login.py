"""Who is let in, and who is not."""

import pypsrp.exceptions
import pytest
import requests
import winrm.exceptions

from conftest import PASSWORD
from lab import soap
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

"""Secrets between clients and targets: sealed for the gateway, opened there, and sealed anew for the target."""

import hashlib
import secrets

import pytest

from lab.canary import Secret, search, search_folder
from lab.psrp import command, completed, credential, refused, run, secure, session
from winrm_target.remote_commands import OWN_PASSWORD


def digest(text):
    return hashlib.sha256(text.encode("utf-16-le")).hexdigest()


@pytest.fixture
def password():
    return secrets.token_hex(12)


def nowhere(path, *texts):
    """Neither in what the gateway wrote nor in what the target saw unsealed."""
    wanted = [Secret("password", text) for text in texts]
    assert search_folder(path.gateway.folder, wanted) == []
    assert search(path.targets.log_file.read_bytes(), wanted) == []


def sealed(path):
    """What stands between `<SS>` in what the target got."""
    text = "".join(m["text"] for m in path.targets.seen("message"))
    return [part.split("</SS>")[0] for part in text.split("<SS")[1:]]


def test_a_secure_string(remoting, password):
    with session(remoting) as pool:
        ours = secure(pool, password)
        assert run(pool, "Test-Password", Password=ours) == [digest(password)]
        assert run(pool, "Test-Password", Password=ours) == [digest(password)]
    nowhere(remoting, password)
    for theirs in sealed(remoting):
        assert theirs.split(">")[-1] != ours.text, "sealed under the client's key"
    # One exchange of keys for a session, of the gateway's own.
    assert len(remoting.targets.seen("message", kind="PUBLIC_KEY")) == 1


@pytest.mark.parametrize(
    "text", ["", "ü" * 500, "😀 \x00 end", "x" * 20_000], ids=["empty", "long", "odd", "longer"]
)
def test_odd_secrets(remoting, text):
    with session(remoting) as pool:
        assert run(pool, "Test-Password", Password=secure(pool, text)) == [digest(text)]


def test_a_credential(remoting, password):
    with session(remoting) as pool:
        one = credential(pool, "LAB\\alice", password)
        assert run(pool, "Test-Credential", Credential=one) == [f"LAB\\alice {digest(password)}"]
    nowhere(remoting, password)
    line = remoting.audited("command")
    assert password not in str(line)


def test_a_secret_where_policy_wants_none_is_denied(remoting, password):
    with session(remoting) as pool:
        for name, parameter in (
            ("Show-Args", "Text"),
            ("Set-Secret", "Value"),
            ("Write-Output", "InputObject"),
        ):
            error = refused(command(pool, name, **{parameter: secure(pool, password)}))
            assert error.fq_error == "SekishoPolicyDenied", str(error)
            assert "secure = true" in str(error), str(error)
    nowhere(remoting, password)
    remoting.nothing_ran()


def test_plain_text_where_policy_wants_a_secret_is_denied(remoting, password):
    with session(remoting) as pool:
        error = refused(command(pool, "Test-Password", Password=password))
        assert error.fq_error == "SekishoPolicyDenied"
    nowhere(remoting, password)
    remoting.nothing_ran()


def test_a_secret_under_another_key_is_refused(remoting, password):
    with session(remoting) as one, session(remoting) as other:
        theirs = secure(one, password)
        error = refused(command(other, "Test-Password", Password=theirs))
        assert "session's key" in str(error) or "SecureString" in str(error)
        secure(other, password)
        error = refused(command(other, "Test-Password", Password=theirs))
        assert "SecureString" in str(error)
    remoting.nothing_ran()


def test_a_value_that_is_marked_secret_is_a_digest_in_the_audit(remoting, password):
    with session(remoting) as pool:
        run(pool, "Set-Secret", Name="a", Value=password)
    [[one]] = remoting.audited("command")["commands"]
    assert one["parameters"][0] == {"name": "Name", "value": "a"}
    assert set(one["parameters"][1]["value"]) == {"hmac"}
    assert search_folder(remoting.gateway.folder, [Secret("value", password)]) == []


def test_a_secure_string_of_the_target_reaches_the_client(remoting):
    """Both sides exchange their keys first: the target asks for it, and the client has done so."""
    with session(remoting) as pool:
        pool.exchange_keys()
        assert run(pool, "New-Password") == [OWN_PASSWORD]
        [made] = run(pool, "New-Credential")
        assert (made.username, made.password) == ("alice", OWN_PASSWORD)
    assert search_folder(remoting.gateway.folder, [Secret("own", OWN_PASSWORD)]) == []


def test_many_secrets_in_one_session(remoting):
    texts = [secrets.token_hex(8) for _ in range(20)]
    with session(remoting) as pool:
        for text in texts:
            assert completed(command(pool, "Test-Password", Password=secure(pool, text))) == [digest(text)]
    nowhere(remoting, *texts)

"""A client that logs in as one and delegates another: nobody is let in, and no target hears of either."""

import pytest
import spnego._credssp

from lab.accounts import PASSWORD
from lab.clients import REFUSED, Pypsrp

PYPSRP = Pypsrp("pypsrp")


# What is delegated instead of ops with the right password.
OTHERS = {
    "another user": {"username": "viewer"},
    "another user with a domain": {"username": "GATEWAY\\viewer"},
    "another user by UPN": {"username": "viewer@GATEWAY"},
    "another domain": {"domain_name": "ELSEWHERE"},
    "nobody": {"username": ""},
    "another password": {"password": PASSWORD + "x"},
    "no password": {"password": ""},
}


@pytest.fixture
def delegate(monkeypatch):
    """What stock clients delegate instead of what they log in with."""
    made = spnego._credssp.TSPasswordCreds

    def instead(**other):
        def make(domain_name, username, password):
            return made(**{"domain_name": domain_name, "username": username, "password": password, **other})

        monkeypatch.setattr(spnego._credssp, "TSPasswordCreds", make)

    return instead


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_delegated_credential_of_somebody_else_is_refused(patient, delegate, scheme, other):
    path = patient
    delegate(**other)
    with pytest.raises(REFUSED):
        PYPSRP.run(path.where(scheme), "ops", PASSWORD, "hostname")
    assert path.audited("login")["outcome"] == "delegated_mismatch"
    assert not path.audit("command")
    path.nothing_reached_a_target()


@pytest.mark.parametrize("same", ["GATEWAY\\ops", "ops@GATEWAY", ".\\ops", "OPS"])
def test_the_same_account_may_be_written_in_another_way(path, delegate, same):
    delegate(username=same)
    assert PYPSRP.run(path.where(), "ops", PASSWORD, "hostname").code == 0

"""NTLM and CredSSP as attackers speak them: a stock client whose login is weaker than it should be is let in by no
password, the right one included."""

import hashlib
import ssl

import pytest
import spnego
import spnego._credssp
import spnego._ntlm
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from spnego.channel_bindings import GssChannelBindings

from lab.accounts import PASSWORD
from lab.clients import REFUSED, Pypsrp

PYPSRP = Pypsrp("pypsrp")
WRONG = PASSWORD + "x"
SCHEMES = pytest.mark.parametrize("scheme", ["https", "http"])
PASSWORDS = pytest.mark.parametrize("password", [PASSWORD, WRONG], ids=["right", "wrong"])


def refused(path, scheme, password, *outcomes):
    with pytest.raises(REFUSED):
        PYPSRP.run(path.where(scheme), "ops", password, "hostname")
    assert path.audited("login")["outcome"] in outcomes
    assert not path.audit("command")
    path.nothing_reached_a_target()


@SCHEMES
@PASSWORDS
@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_ntlm_version_1_is_refused(patient, monkeypatch, scheme, password, level):
    # 2 is the plain NTLMv1 response without LM's.
    monkeypatch.setenv("LM_COMPAT_LEVEL", level)
    refused(patient, scheme, password, "protocol")


@SCHEMES
@pytest.mark.parametrize(("password", "outcome"), [(PASSWORD, "protocol"), (WRONG, "bad_credentials")])
def test_an_integrity_check_left_out_is_refused(patient, monkeypatch, scheme, password, outcome):
    """The library below takes any password then."""
    never = property(lambda self: False, lambda self, value: None)
    monkeypatch.setattr(spnego._ntlm.NTLMProxy, "_mic_required", never, raising=False)
    refused(patient, scheme, password, outcome)


@SCHEMES
@PASSWORDS
def test_an_integrity_check_that_is_wrong_is_refused(patient, monkeypatch, scheme, password):
    monkeypatch.setattr(spnego._ntlm.NTLMProxy, "_calculate_mic", lambda *_messages: bytes(range(16)))
    refused(patient, scheme, password, "protocol", "bad_credentials")


@SCHEMES
@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_client_of_an_old_credssp_is_refused(patient, monkeypatch, scheme, version):
    monkeypatch.setattr(spnego._credssp, "_CREDSSP_VERSION", version)
    refused(patient, scheme, PASSWORD, "protocol")


# ---- the channel binding
@pytest.fixture
def bind(monkeypatch):
    """What the login inside CredSSP says that it is bound to; stock Python clients say nothing."""
    stock = spnego.client

    def to(data):
        def client(*args, **options):
            if options.get("protocol") == "negotiate":
                options["channel_bindings"] = GssChannelBindings(application_data=data)
            return stock(*args, **options)

        monkeypatch.setattr(spnego, "client", client)

    return to


def end_point(der):
    return b"tls-server-end-point:" + hashlib.sha256(der).digest()


def outer(path):
    pem = ssl.get_server_certificate((path.where().host, path.where().port))
    return ssl.PEM_cert_to_DER_cert(pem)


def inner(path):
    [pem] = path.gateway.folder.rglob("credssp.pem")
    return x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("certificate", [outer, inner], ids=["outer", "inner"])
def test_a_login_bound_to_a_certificate_of_the_gateway_is_taken(patient, bind, certificate):
    bind(end_point(certificate(patient)))
    assert PYPSRP.run(patient.where(), "ops", PASSWORD, "hostname").code == 0


@SCHEMES
@pytest.mark.parametrize(
    "data",
    [end_point(b"another"), b"tls-unique:" + bytes(12), b""],
    ids=["another certificate", "another kind", "empty"],
)
def test_a_login_bound_to_another_channel_is_refused(patient, bind, scheme, data):
    bind(data)
    refused(patient, scheme, PASSWORD, "protocol")

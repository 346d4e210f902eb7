"""Clients that mean harm, before and after a login. The process lives on, and others are served."""

import base64
import os

import pytest
import requests

from lab import soap, wire
from lab.accounts import PASSWORD
from lab.clients import Pypsrp, credssp_session
from lab.raw import Raw

PYPSRP = Pypsrp("pypsrp")
INVALID_XML, SCHEMA = 2150858819, 2150858817


@pytest.fixture
def unharmed(path):
    """The same process serves afterwards, and nothing in it panicked."""
    pid = path.gateway.program.pid
    yield path
    assert path.gateway.program.alive() and path.gateway.program.pid == pid
    assert PYPSRP.run(path.where(), "ops", PASSWORD, "hostname").code == 0
    assert "panicked" not in path.gateway.program.output.read_text()


# ---- before a login
def der(tag, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else b"\x84" + len(body).to_bytes(4, "big")
    return bytes([tag]) + length + body


def ts_request(version, *tokens, **fields):
    """TSRequest of [MS-CSSP] 2.2.1, by hand."""
    parts = [der(0xA0, der(0x02, bytes([version])))]
    if tokens:
        items = (der(0x30, der(0xA0, der(0x04, token))) for token in tokens)
        parts.append(der(0xA1, der(0x30, *items)))
    for name, tag in (("auth_info", 0xA2), ("pub_key_auth", 0xA3), ("nonce", 0xA5)):
        if name in fields:
            parts.append(der(tag, der(0x04, fields[name])))
    return der(0x30, *parts)


NTLM = b"NTLMSSP\0"
NEGOTIATE = NTLM + bytes.fromhex("01000000") + bytes.fromhex("978208e2") + bytes(24)
SPNEGO = bytes.fromhex("2b0601050502")
NEXT_SEQUENCE = der(0x30, b"\x02\x01\x06")


def spnego(*parts):
    return der(0x60, der(0x06, SPNEGO), der(0xA0, der(0x30, *parts)))


OUTER_TOKENS = {
    "empty": b"",
    "one byte": b"\x16",
    "noise": bytes(range(256)),
    "random": os.urandom(300),
    "a TLS alert": bytes.fromhex("15030300020228"),
    "an SSL 2 hello": bytes.fromhex("802e0100020015000000100100800200800300800600400400800700c00000"),
    "a cut ClientHello": bytes.fromhex("160301020001"),
    "a long record": b"\x16\x03\x01\xff\xff" + bytes(70_000),
    "application data": b"\x17\x03\x03\x00\x20" + bytes(32),
    "raw NTLM": NEGOTIATE,
    "raw SPNEGO": spnego(),
    "a TSRequest in clear": ts_request(6, NEGOTIATE),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("token", OUTER_TOKENS.values(), ids=OUTER_TOKENS)
def test_a_first_token_that_is_none(unharmed, token):
    with wire.connect(unharmed.where()) as s:
        value = base64.b64encode(token).decode()
        s.sendall(wire.post(unharmed.where(), f"Authorization: CredSSP {value}"))
        status, headers = wire.answer(s)
        assert status in (400, 401, 413, None), status
        assert headers.get("www-authenticate", "CredSSP").startswith("CredSSP")
    unharmed.nothing_reached_a_target()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "CredSSP",
        "CredSSP ",
        "CredSSP !!!!",
        "CredSSP AAEC, CredSSP AAEC",
        "CredSSP\tAAEC",
        "credssp " + "A" * 60_000,
        "Basic b3BzOng=",
        "Negotiate TlRMTVNTUAABAAAA",
        "Kerberos YII=",
        "NTLM TlRMTVNTUAABAAAA",
        "Digest x=y",
        "\xff\xfe",
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_an_authorization_that_is_none(unharmed, value):
    with wire.connect(unharmed.where()) as s:
        s.sendall(wire.post(unharmed.where(), f"Authorization: {value}"))
        assert wire.answer(s)[0] in (400, 401, 413, None)


def test_two_authorizations_are_none(unharmed):
    with wire.connect(unharmed.where()) as s:
        s.sendall(wire.post(unharmed.where(), "Authorization: CredSSP AAEC", "Authorization: CredSSP AAEC"))
        assert wire.answer(s)[0] in (400, 401, None)


INNER_TOKENS = {
    "noise": os.urandom(200),
    "zeros": bytes(5000),
    "no TSRequest": NEXT_SEQUENCE,
    "an endless length": b"\x30\x84\xff\xff\xff\xff\xa0\x03\x02\x01\x06",
    "an indefinite length": b"\x30\x80\xa0\x03\x02\x01\x06\x00\x00",
    "deeply nested": der(0x30, der(0xA0, der(0x02, b"\x06"))) + b"\x30\x82" * 2000,
    "no token": ts_request(6),
    "an empty token": ts_request(6, b""),
    "a token of noise": ts_request(6, os.urandom(64)),
    "a cut NTLM signature": ts_request(6, b"NTLMSS"),
    "a cut NEGOTIATE": ts_request(6, NTLM + b"\x01\0\0\0"),
    "NEGOTIATE with wild offsets": ts_request(6, NEGOTIATE[:16] + b"\xff" * 24),
    "CHALLENGE": ts_request(6, NTLM + b"\x02\0\0\0" + bytes(48)),
    "AUTHENTICATE first": ts_request(6, NTLM + b"\x03\0\0\0" + bytes(80)),
    "AUTHENTICATE with wild offsets": ts_request(6, NTLM + b"\x03\0\0\0" + b"\xff" * 80),
    "an unknown NTLM message": ts_request(6, NTLM + b"\x09\0\0\0" + bytes(40)),
    "an empty SPNEGO": ts_request(6, spnego()),
    "SPNEGO without mechanisms": ts_request(6, spnego(der(0xA0, der(0x30)))),
    "SPNEGO of noise": ts_request(6, b"\x60\x20" + os.urandom(32)),
    "an answer of SPNEGO": ts_request(6, der(0xA1, der(0x30))),
    "SPNEGO that nests itself": ts_request(
        6, spnego(der(0xA2, der(0x04, spnego(der(0xA2, der(0x04, NTLM))))))
    ),
    "a Kerberos ticket": ts_request(6, der(0x60, der(0x06, bytes.fromhex("2a864886f712010202")), bytes(200))),
    "many tokens": ts_request(6, *[NEGOTIATE] * 50),
    "version 2": ts_request(2, NEGOTIATE),
    "version 3": ts_request(3, NEGOTIATE),
    "version 4": ts_request(4, NEGOTIATE),
    "credentials before the binding": ts_request(6, NEGOTIATE, auth_info=bytes(100)),
    "credentials at once": ts_request(6, auth_info=bytes(100)),
    "a binding at once": ts_request(6, pub_key_auth=bytes(48), nonce=bytes(32)),
    "a nonce of another length": ts_request(6, NEGOTIATE, nonce=bytes(5)),
}


@pytest.mark.parametrize("version", [5, 6])
def test_a_first_token_inside_that_is_one_is_answered(unharmed, version):
    """The control of the tests below: what they change is heard when it is right."""
    inner = wire.Inner(unharmed.where())
    with inner.socket:
        status, said = inner.say(ts_request(version, NEGOTIATE))
    assert status == 401 and NTLM + b"\x02" in said


@pytest.mark.parametrize("token", INNER_TOKENS.values(), ids=INNER_TOKENS)
def test_a_first_token_inside_that_is_none(unharmed, token):
    inner = wire.Inner(unharmed.where())
    with inner.socket:
        try:
            status = inner.say(token)[0]
        except OSError:
            status = None
        assert status in (400, 401, 413, None), status
        # Whatever is said, nothing that this peer says next is a login.
        if status == 401:
            try:
                assert inner.say(ts_request(6, auth_info=bytes(100)))[0] in (400, 401, 413, None)
            except (OSError, ValueError):
                pass
    assert not unharmed.audit("login", outcome="ok")
    unharmed.nothing_reached_a_target()


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("what", ["a value", "a name", "the path", "many", "no end"])
def test_a_header_of_ten_megabytes(unharmed, what, scheme):
    where, size = unharmed.where(scheme), 10 << 20
    before = unharmed.gateway.resident()
    begin = f"POST /{where.path} HTTP/1.1\r\nHost: x\r\n".encode()
    data = {
        "a value": begin + b"X-Long: " + b"x" * size + b"\r\n\r\n",
        "a name": begin + b"x" * size + b": y\r\n\r\n",
        "the path": b"POST /wsman/" + b"x" * size + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "many": begin + b"".join(b"X-%d: y\r\n" % n for n in range(size // 12)) + b"\r\n",
        "no end": begin + (b"X: " + b"y" * 4000 + b"\r\n") * (size // 4006),
    }[what]
    with wire.connect(where) as s:
        try:
            s.sendall(data)
        except OSError:
            status = None
        else:
            status = wire.answer(s)[0]
        assert status in (400, 413, 414, 431, None)
    assert unharmed.gateway.resident() - before < 4096


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        b"GET /\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"POST /wsman HTTP/1.1\r\nHost : x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_what_is_no_request(unharmed, data, scheme):
    with wire.connect(unharmed.where(scheme)) as s:
        s.sendall(data)
        s.settimeout(2)
        assert wire.answer(s)[0] in (400, 401, 404, 405, 413, 505, None)
    unharmed.nothing_reached_a_target()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"])
def test_other_methods_are_not_there(unharmed, method):
    answer = requests.request(method, unharmed.where().url, verify=str(unharmed.where().ca), timeout=20)
    assert answer.status_code in (404, 405)


# ---- after a login
def bomb(depth):
    envelope = soap.create()
    deep = "<rsp:x>" * depth + "</rsp:x>" * depth
    return envelope.replace("</s:Body>", deep + "</s:Body>")


DTD = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
XML = {
    "a DTD": DTD + soap.create(),
    "a DTD and its entity": DTD + soap.create().replace("stdin", "&b;"),
    "an external entity": EXTERNAL + soap.create().replace("stdin", "&x;"),
    "an entity that nobody declared": soap.create().replace("stdin", "&x;"),
    "a processing instruction": '<?xml-stylesheet href="http://127.0.0.1/x"?>' + soap.create(),
    "depth": bomb(5000),
    "not closed": soap.create().replace("</s:Envelope>", ""),
    "more after the end": soap.create() + soap.create(),
    "no namespace": "<Envelope><Body/></Envelope>",
    "two bodies": soap.create().replace("</s:Envelope>", "<s:Body/></s:Envelope>"),
    "two actions": soap.create().replace("<a:To>", "<a:Action>x</a:Action><a:To>"),
    "many attributes": soap.create().replace(
        "<s:Body>", "<s:Body " + " ".join(f'a{n}="x"' for n in range(5000)) + ">"
    ),
    "many elements": soap.create().replace("</s:Body>", "<rsp:x/>" * 50_000 + "</s:Body>"),
    "not UTF-8": soap.create().encode().replace(b"stdin", b"\xff\xfe\xfd"),
    "JSON": '{"a": 1}',
    "noise": os.urandom(500),
}


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("xml", XML.values(), ids=XML)
def test_xml_that_is_refused(unharmed, xml, scheme):
    raw = Raw(unharmed.where())
    if scheme == "https":
        answer = raw.ask(xml)
        assert answer.status in (400, 500) and (answer.root is None or answer.fault)
        assert not answer.root or "passwd" not in (answer.reason or "")
    else:
        # The same, sealed, by a stock client.
        with PYPSRP.wsman(unharmed.where("http"), "ops", PASSWORD) as wsman:
            wsman.get_server_config()
            with pytest.raises(Exception) as refused:
                wsman.transport.send(xml.encode() if isinstance(xml, str) else xml)
            assert getattr(refused.value, "code", 500) in (400, 500)
    unharmed.nothing_reached_a_target()


def test_a_body_that_is_too_long(unharmed):
    raw = Raw(unharmed.where())
    try:
        answer = raw.session.post(unharmed.where().url, b"x" * (20 << 20), timeout=20)
    except requests.ConnectionError:
        return
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-100],
        lambda body: body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :],
        lambda body: body.replace(b"Length=", b"Length=9"),
        lambda body: body.replace(b"Length=", b"Length=-"),
        lambda body: body + body,
        lambda body: b"",
        lambda body: b"--Encrypted Boundary\r\n" * 1000,
    ],
    ids=["cut", "changed", "longer than it is", "negative", "twice", "nothing", "boundaries"],
)
def test_a_sealed_body_that_was_changed(unharmed, change):
    with PYPSRP.wsman(unharmed.where("http"), "ops", PASSWORD) as wsman:
        wsman.get_server_config()
        transport = wsman.transport
        kind, body = transport.encryption.wrap_message(soap.create().encode())
        answer = transport.session.post(
            unharmed.where("http").url, change(body), headers={"Content-Type": kind}, timeout=20
        )
        assert answer.status_code == 400 and answer.content == b""
    unharmed.nothing_reached_a_target()


def test_nothing_of_a_login_is_left_on_a_connection_that_begins_another(unharmed):
    """A second login on a connection replaces the first from its first token on."""
    session, place = credssp_session(unharmed.where(), "ops", PASSWORD), unharmed.where()
    assert session.post(place.url, soap.IDENTIFY).status_code == 200
    session.auth = None
    noise = base64.b64encode(os.urandom(60)).decode()
    answer = session.post(place.url, soap.create(), headers={"Authorization": f"CredSSP {noise}"})
    assert answer.status_code in (400, 401)
    try:
        again = session.post(place.url, soap.create())
    except requests.ConnectionError:
        return
    assert again.status_code in (400, 401)
    unharmed.nothing_reached_a_target()

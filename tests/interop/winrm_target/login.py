"""Logins, bound to one connection: Basic, Negotiate (NTLM, Kerberos), CredSSP."""

import base64
import binascii
import hashlib
import re

import spnego
from spnego._ntlm_raw.messages import AvId, NTClientChallengeV2

NAMES = {
    "negotiate": "Negotiate",
    "kerberos": "Kerberos",
    "credssp": "CredSSP",
    "basic": 'Basic realm="WSMAN"',
}


def nice(principal):
    """DOM\\user for NTLM names and user@REALM for Kerberos names."""
    m = re.fullmatch(r"([^@\\]+)@([^@]+)", principal or "")
    return f"{m.group(2).split('.')[0].upper()}\\{m.group(1)}" if m else (principal or "")


def kind_of_token(raw):
    if raw[:7] == b"NTLMSSP":
        return "raw-ntlm"
    if raw[:1] == b"\x16":
        return "tls"
    if b"\x2b\x06\x01\x05\x05\x02" in raw[:24]:
        return "spnego"
    return "raw-krb5" if raw[:1] == b"\x60" else "other"


def what_ntlm_said(raw, binding):
    """Channel binding, target name and MIC of an AUTHENTICATE message, as they really arrived."""
    at = raw.find(b"NTLMSSP\x00\x03\x00\x00\x00")
    if at < 0:
        return None
    message = raw[at:]
    length, offset = int.from_bytes(message[20:22], "little"), int.from_bytes(message[24:28], "little")
    if length < 24 + 28:
        return {"ntlmv2": False}
    pairs = NTClientChallengeV2.unpack(message[offset + 16 : offset + length]).av_pairs
    sent = pairs.get(AvId.channel_bindings)
    right = binding and hashlib.md5(binding.pack()).digest()
    return {
        "ntlmv2": True,
        "binding": "absent" if not sent or not any(sent) else "right" if sent == right else "wrong",
        "spn": pairs.get(AvId.target_name),
        "mic": bool(int(pairs.get(AvId.flags) or 0) & 2),
    }


class Login:
    """The security context of one connection."""

    def __init__(self, target, conn, tls):
        self.target, self.world, self.conn, self.tls = target, target.w, conn, tls
        self.ctx = self.scheme = self.user = self.mech = self.token = self.cred = self.ntlm = None

    def challenge(self):
        return [("WWW-Authenticate", NAMES[a]) for a in self.world.auths]

    def note(self, ok, **facts):
        self.world.log(
            "auth", target=self.target.name, conn=self.conn, scheme=self.scheme, ok=ok, tls=self.tls, **facts
        )

    def step(self, value):
        """One Authorization header (or none): whether the connection is logged in, and headers to answer with."""
        if not value:
            return (self.user is not None and self.scheme != "basic"), []
        scheme, _, token = value.partition(" ")
        scheme = scheme.lower()
        if scheme not in self.world.auths:
            return False, []
        kind, _value = self.world.fault(self.target, "Auth", "authfail")
        if kind:
            self.scheme = scheme
            self.note(False, why="injected")
            return False, []
        try:
            raw = base64.b64decode(token, validate=True)
        except binascii.Error:
            return False, []
        return self.basic(raw) if scheme == "basic" else self.negotiate(scheme, raw)

    def basic(self, raw):
        name, _, password = raw.decode("utf-8", "replace").partition(":")
        domain, _, user = name.rpartition("\\")
        known = self.world.users.get((domain.upper(), user.upper()))
        ok, first = known is not None and known[0] == password, self.user is None
        self.scheme, self.mech, self.user = ("basic", "basic", known[1]) if ok else ("basic", None, None)
        if first or not ok:
            self.note(ok, mech="basic", user=name)
        return ok, []

    def negotiate(self, scheme, raw):
        if self.ctx is None or self.ctx.complete or self.scheme != scheme:
            self.begin(scheme, raw)
        try:
            self.ntlm = what_ntlm_said(raw, self.world.cb if self.tls else None) or self.ntlm
            out = self.ctx.step(raw)
        except Exception as e:
            self.note(False, why=f"{type(e).__name__}: {e}"[:300], ntlm=self.ntlm)
            self.ctx = None
            return False, []
        name = NAMES[scheme]
        extra = [("WWW-Authenticate", f"{name} {base64.b64encode(out).decode()}")] if out else []
        if not self.ctx.complete:
            if scheme == "credssp" and self.ctx.get_extra_info("auth_stage") == "Authentication failure":
                self.note(False, why="inner authentication failed")
            return False, extra or [("WWW-Authenticate", name)]
        self.mech = self.ctx.negotiated_protocol or scheme
        self.user = self.known_as(self.ctx.client_principal)
        facts = self.delegated() if scheme == "credssp" else {"ntlm": self.ntlm}
        self.note(
            True,
            mech=self.mech,
            principal=self.ctx.client_principal,
            user=self.user,
            token=self.token,
            **facts,
        )
        return True, extra

    def known_as(self, principal):
        """One name for all forms in which a client may write a user."""
        domain, _, user = (principal or "").rpartition("\\")
        known = self.world.users.get((domain.upper(), user.upper()))
        return known[1] if known else nice(principal)

    def begin(self, scheme, raw):
        self.user = self.cred = self.ntlm = None
        self.scheme, self.token = scheme, kind_of_token(raw)
        options = spnego.NegotiateOptions.wrapping_winrm
        if scheme == "credssp":
            self.ctx = spnego.server(
                protocol="credssp",
                options=options,
                credssp_tls_context=self.world.cs,
                credssp_min_protocol=self.world.o.credssp_min,
            )
            return
        binding = self.world.cb if (self.tls and self.world.o.cbt) else None
        protocol = "kerberos" if scheme == "kerberos" else "negotiate"
        self.ctx = spnego.server(protocol=protocol, options=options, channel_bindings=binding)

    def delegated(self):
        """What CredSSP handed over: never the password, but whether it is the right one."""
        c = self.ctx.get_extra_info("client_credential")
        if c is not None and hasattr(c, "password"):
            known = self.world.users.get((c.domain_name.upper(), c.username.upper()))
            self.cred = {
                "domain": c.domain_name,
                "user": c.username,
                "pw_sha256": hashlib.sha256(c.password.encode()).hexdigest()[:16],
                "pw_ok": bool(known and known[0] == c.password),
            }
        return {
            "credssp_version": self.ctx.get_extra_info("protocol_version"),
            "delegated": self.cred,
            "inner_tls": self.ctx.get_extra_info("ssl_object").version(),
        }

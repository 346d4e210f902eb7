"""What all targets of one process share: the log, the faults to inject, the accounts, the TLS contexts."""

import collections
import hashlib
import json
import os
import re
import ssl
import tempfile
import time

import spnego
import spnego.channel_bindings
import spnego.tls


class Log:
    def __init__(self, path):
        self.f = open(path, "a", buffering=1) if path else None
        self.n = collections.Counter()

    def __call__(self, ev, **kw):
        self.n[ev] += 1
        if self.f:
            self.f.write(
                json.dumps({"ts": round(time.time(), 6), "ev": ev, **kw}, default=str, ensure_ascii=False)
                + "\n"
            )


# ---------------------------------------------------------------- faults
class Rule:
    def __init__(self, spec):
        m = re.fullmatch(r"(?:(\*|[\d,-]+):)?(\w+)(?:=([^@#]*))?(?:@(\w+))?(?:#(\d+))?", spec)
        if not m:
            raise ValueError(f"bad fault spec {spec!r}")
        idx, self.kind, self.value, self.action, n = m.groups()
        self.left = int(n) if n else None
        self.spec = spec
        self.idx = None
        if idx and idx != "*":
            self.idx = set()
            for part in idx.split(","):
                lo, _, hi = part.partition("-")
                self.idx.update(range(int(lo), int(hi or lo) + 1))

    def hit(self, idx, action):
        if self.left == 0 or (self.idx is not None and idx not in self.idx):
            return False
        if self.action and self.action != action:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class World:
    """Shared by all targets of this process."""

    def __init__(self, o):
        self.o, self.log, self.rules = o, Log(o.log), [Rule(f) for f in o.fault]
        self.users = {}
        for u in json.load(open(o.users)):
            d, n, p = u["domain"], u["user"], u["password"]
            realm = u.get("realm", d)
            for k in ((d, n), (realm, n), ("", f"{n}@{realm}"), ("", n), (".", n)):
                self.users[(k[0].upper(), k[1].upper())] = (p, f"{d}\\{n}")
        fd, path = tempfile.mkstemp(prefix="ntlm", text=True)
        with os.fdopen(fd, "w") as f:
            for (d, n), (p, _) in self.users.items():
                f.write(f"{d}:{n}:{p}\n")
        os.environ["NTLM_USER_FILE"] = path
        self.ntlm_file = path
        if o.keytab:
            os.environ["KRB5_KTNAME"] = "FILE:" + o.keytab
        self.auths = o.auth.split(",")
        # one CredSSP certificate/context for the process (pyspnego would re-load it per connection)
        cert, key, pub = spnego.tls.generate_tls_certificate()
        self.cs = spnego.tls.default_tls_context(usage="accept")
        with tempfile.NamedTemporaryFile(suffix=".pem") as f:
            f.write(cert + key)
            f.flush()
            self.cs.context.load_cert_chain(f.name)
        self.cs.public_key = pub
        if o.credssp_tls == "1.2":
            self.cs.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.tls = self.cb = None
        if o.https_base:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(o.cert, o.key)
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
            der = ssl.PEM_cert_to_DER_cert(
                re.search(
                    r"-----BEGIN CERT.*?END CERTIFICATE-----", open(o.cbt_cert or o.cert).read(), re.S
                ).group(0)
            )
            self.cb = spnego.channel_bindings.GssChannelBindings(
                application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest()
            )

    def fault(self, t, action, *kinds):
        for r in self.rules:
            if r.kind in kinds and r.hit(t.idx, action):
                self.log("fault", target=t.name, kind=r.kind, value=r.value, action=action)
                return r.kind, r.value
        return None, None

"""One connection of a client: HTTP, and requests one after another."""

import asyncio
import os
import socket
import ssl
import struct
import time
import xml.etree.ElementTree as ET

import h11

from .login import Login
from .sealing import seal, unseal
from .soap import (
    BADSHELL,
    BUSY,
    IDENT,
    QOPS,
    QPROC,
    QSHELLS,
    TIMEDOUT,
    BadSeal,
    Fault,
    Req,
    envelope,
    fault_xml,
)

LONGEST_BODY = 64 << 20
SOAP = "application/soap+xml;charset=UTF-8"
QUOTAS = {"shells": QSHELLS, "ops": QOPS, "proc": QPROC}
FAULTS = (
    "drop reset hang delay http fault denied quota busy garbage badxml dtd relates truncate trickle corrupt"
).split()
DTD = b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><s>&b;</s>'


class Gone(Exception):
    """The connection ends here, without (more of) an answer."""


class Conn:
    serial = 0

    def __init__(self, t, rd, wr, tls):
        Conn.serial += 1
        self.id, self.t, self.w, self.rd, self.wr, self.tls = Conn.serial, t, t.w, rd, wr, tls
        self.h = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
        self.login = Login(t, self.id, tls)
        self.sealed_as = None
        self.nreq = 0

    async def run(self):
        try:
            while await self.one():
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError, Gone):
            pass
        except h11.RemoteProtocolError as e:
            self.w.log("badhttp", target=self.t.name, conn=self.id, why=str(e)[:200])
        finally:
            try:
                self.wr.close()
            except Exception:
                pass

    # ---- HTTP
    async def request(self):
        head, body = None, bytearray()
        while True:
            ev = self.h.next_event()
            if ev is h11.NEED_DATA:
                data = await self.rd.read(65536)
                self.h.receive_data(data)
                if not data and (head or self.h.their_state in (h11.IDLE, h11.CLOSED, h11.ERROR)):
                    return None
            elif isinstance(ev, h11.Request):
                head = ev
                if self.h.they_are_waiting_for_100_continue:
                    self.wr.write(self.h.send(h11.InformationalResponse(status_code=100, headers=[])))
            elif isinstance(ev, h11.Data):
                body += ev.data
                if len(body) > LONGEST_BODY:
                    return None
            elif isinstance(ev, h11.EndOfMessage):
                return head, bytes(body)
            else:
                return None

    async def reply(self, status, body=b"", ctype=SOAP, extra=(), fault=None, value=None):
        headers = [
            ("Server", "Microsoft-HTTPAPI/2.0"),
            ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())),
            *extra,
            ("Content-Length", str(len(body))),
        ]
        if body:
            headers.insert(0, ("Content-Type", ctype))
        out = self.h.send(h11.Response(status_code=status, headers=headers, reason=b""))
        if fault == "truncate":
            self.wr.write(out + body[: len(body) // 2])
            await self.wr.drain()
            raise Gone
        out += self.h.send(h11.Data(data=body)) if body else b""
        out += self.h.send(h11.EndOfMessage()) or b""
        if fault == "trickle":
            for i in range(0, len(out), 16):
                self.wr.write(out[i : i + 16])
                await self.wr.drain()
                await asyncio.sleep(float(value) / 1000)
            return
        self.wr.write(out)
        await self.wr.drain()

    async def one(self):
        """One request and its answer; whether there may be another."""
        if self.h.our_state is h11.MUST_CLOSE:
            return False
        if self.h.our_state is h11.DONE and self.h.their_state is h11.DONE:
            self.h.start_next_cycle()
        got = await self.request()
        if got is None:
            return False
        request, body = got
        self.nreq += 1
        self.w.log.n["requests"] += 1
        if self.dropped_after():
            return False
        head = {k.decode().lower(): v.decode("latin1") for k, v in request.headers}
        path = request.target.decode("latin1").split("?")[0].rstrip("/").lower()
        if path != "/wsman":
            await self.reply(404)
        elif request.method != b"POST":
            await self.reply(405)
        elif head.get("wsmanidentify", "").lower() == "unauthenticated":
            await self.reply(200, IDENT.encode())
        else:
            ok, extra = self.login.step(head.get("authorization"))
            if not ok:
                await self.reply(401, extra=extra or self.login.challenge())
            elif not body:
                await self.reply(200, extra=extra)
            else:
                return await self.operation(head.get("content-type", ""), body, extra)
        return True

    def dropped_after(self):
        for rule in self.w.rules:
            if rule.kind == "drop_after" and self.nreq > int(rule.value) and rule.hit(self.t.idx, None):
                self.w.log("fault", target=self.t.name, kind="drop_after")
                return True
        return False

    # ---- one operation of a client that is logged in
    async def operation(self, ctype, body, extra):
        enc, action, relates, fault, value = ctype.startswith("multipart/"), "?", "", None, None
        try:
            q = self.read(enc, ctype, body)
            action, relates = q.action, q.msgid
            fault, value = self.w.fault(self.t, action, *FAULTS)
            if fault and await self.injected(fault, value, extra):
                return True
            name, xml = await self.t.handle(q)
            status, data = 200, envelope(name, "uuid:OTHER" if fault == "relates" else relates, xml)
            if fault in ("drop", "reset"):
                self.cut(fault)
        except BadSeal as e:
            self.w.log("decrypt", target=self.t.name, ok=False, why=str(e))
            await self.reply(400, extra=[("Connection", "close")])
            return False
        except Fault as f:
            status, data, fault = f.status, fault_xml(f, relates, self.t.name), None
            if f.code != TIMEDOUT:
                self.w.log(
                    "soapfault", target=self.t.name, conn=self.id, action=action, code=f.code, text=f.text
                )
        ctype, data = SOAP, data.encode()
        if enc and self.login.ctx is not None:
            ctype, data = seal(self.login.ctx, self.login.scheme, self.sealed_as, data)
        if fault == "corrupt":
            data = data[:-60] + bytes([data[-60] ^ 0xFF]) + data[-59:]
        await self.reply(status, data, ctype, extra, fault, value)
        return True

    def read(self, enc, ctype, body):
        if enc:
            body, self.sealed_as = unseal(self.login.ctx, self.login.scheme, ctype, body)
        elif not self.tls and not self.w.o.allow_unencrypted:
            raise Fault(5, "unencrypted traffic is disabled on this target", "w:AccessDenied", "s:Sender")
        try:
            return Req(ET.fromstring(body), self, enc)
        except ET.ParseError as e:
            raise Fault(0, f"bad XML: {e}", "w:SchemaValidationError", "s:Sender", 400) from e

    async def injected(self, fault, value, extra):
        """A fault that takes the place of the operation; whether it was answered. The rest come after it."""
        if fault == "delay":
            await asyncio.sleep(float(value) / 1000)
        elif fault == "hang":
            await self.rd.read(1)  # until the client has had enough
            raise Gone
        elif fault == "http":
            await self.reply(int(value))
            return True
        elif fault == "fault":
            raise Fault(int(value, 0) if value else BADSHELL, "injected fault")
        elif fault == "denied":
            raise Fault(5, "Access is denied.", "w:AccessDenied", "s:Sender")
        elif fault == "busy":
            raise Fault(BUSY, "The service is too busy.", "w:QuotaLimit")
        elif fault == "quota":
            raise Fault(QUOTAS.get(value, QSHELLS), "quota exceeded", "w:QuotaLimit")
        elif fault == "garbage":
            self.wr.write(os.urandom(int(value or 64)))
            await self.wr.drain()
            raise Gone
        elif fault in ("badxml", "dtd"):
            data, ctype = b"<s:Envelope><not closed" if fault == "badxml" else DTD, SOAP
            if self.sealed_as:
                ctype, data = seal(self.login.ctx, self.login.scheme, self.sealed_as, data)
            await self.reply(200, data, ctype, extra)
            return True
        return False

    def cut(self, fault):
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.wr.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise Gone

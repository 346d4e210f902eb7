"""Sockets by hand, for clients that are no clients."""

import base64
import contextlib
import socket
import ssl
import time

# A header that is longer ends the attempt to read an answer.
LONGEST_HEAD = 1 << 20


def connect(where, source="127.0.0.1", tls=True):
    s = socket.create_connection((where.host, where.port), timeout=20, source_address=(source, 0))
    return secure(s, where) if tls and where.scheme == "https" else s


def secure(s, where):
    return ssl.create_default_context(cafile=str(where.ca)).wrap_socket(s, server_hostname=where.host)


def post(where, *headers, body=b""):
    """The bytes of one request."""
    lines = [f"POST /{where.path} HTTP/1.1", f"Host: {where.host}:{where.port}", *headers]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(s):
    """Status and headers of the next answer; None and nothing when the connection ends without one."""
    head = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
            data = s.recv(65536)
            if not data:
                break
            head += data
    if b"\r\n\r\n" not in head:
        return None, {}
    first, *lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


def is_open(s):
    """Whether the other end has not closed it. To be asked of connections that say nothing by themselves."""
    s.settimeout(0)
    try:
        return bool(s.recv(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def ends(s, patience):
    """How long the connection is still there, at most `patience`."""
    begin = time.monotonic()
    s.settimeout(patience)
    with contextlib.suppress(OSError):
        while s.recv(65536):
            pass
    return time.monotonic() - begin


class Inner:
    """The TLS inside CredSSP, so that what it carries can be written by hand."""

    def __init__(self, where):
        self.where, self.socket = where, connect(where)
        self.read, self.written = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.tls = context.wrap_bio(self.read, self.written)
        self.socket.sendall(post(where))
        assert answer(self.socket)[0] == 401
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                status, token = self.leg(self.written.read())
                assert status == 401 and token
                self.read.write(token)

    def leg(self, token):
        """One leg: status and token of the answer."""
        value = base64.b64encode(token).decode()
        self.socket.sendall(post(self.where, f"Authorization: CredSSP {value}"))
        status, headers = answer(self.socket)
        return status, base64.b64decode(headers.get("www-authenticate", "").partition(" ")[2])

    def say(self, plain):
        """The status, and what the gateway says inside, if anything."""
        self.tls.write(plain)
        status, token = self.leg(self.written.read())
        self.read.write(token)
        try:
            return status, self.tls.read(65536)
        except (ssl.SSLWantReadError, ssl.SSLError):
            return status, b""

"""Message encryption ([MS-WSMV] 2.2.9.1): bodies sealed under the connection's security context."""

import re
import struct

from .soap import BadSeal

CREDSSP_CHUNK = 16384
LONGEST_HEADER = 4096
OCTETS = b"\tContent-Type: application/octet-stream\r\n"


def unseal(ctx, scheme, ctype, body):
    """The plain body, and the protocol's name to answer with."""
    protocol = re.search(r'protocol="([^"]+)"', ctype)
    boundary = re.search(r'boundary="([^"]+)"', ctype)
    if not protocol or not boundary or ctx is None or not ctx.complete:
        raise BadSeal("no security context")
    mark = b"--" + boundary.group(1).encode()
    out, pos = b"", 0
    while (first := body.find(mark + b"\r\n", pos)) >= 0:
        second = body.find(mark + b"\r\n", first + len(mark) + 2)
        length = re.search(rb"Length=(\d+)", body[first:second])
        octets = body.find(OCTETS, second)
        start = octets + len(OCTETS)
        if second < 0 or not length or octets < 0 or start + 4 > len(body):
            raise BadSeal("incomplete part")
        want = int(length.group(1))
        header = struct.unpack_from("<I", body, start)[0]
        if header > LONGEST_HEADER:
            raise BadSeal("header too long")
        # The sealed block has no length of its own: it ends at the next boundary that is followed by CRLF or --CRLF.
        earliest = start + 4 + header + (want if scheme != "credssp" else 0)
        ends = [body.find(mark + b"\r\n", earliest), body.find(mark + b"--\r\n", earliest)]
        end = min((e for e in ends if e >= 0), default=-1)
        if end < 0:
            raise BadSeal("no closing boundary")
        try:
            plain = ctx.unwrap_winrm(body[start + 4 : start + 4 + header], body[start + 4 + header : end])
        except Exception as e:
            raise BadSeal(str(e)[:200]) from e
        out += plain[:want]
        pos = end
    return out, protocol.group(1)


def seal(ctx, scheme, protocol, data):
    """The sealed body and its content type."""
    chunks, kind = [data], "multipart/encrypted"
    if scheme == "credssp" and len(data) > CREDSSP_CHUNK:
        chunks = [data[i : i + CREDSSP_CHUNK] for i in range(0, len(data), CREDSSP_CHUNK)]
        kind = "multipart/x-multi-encrypted"
    out = bytearray()
    for chunk in chunks:
        sealed = ctx.wrap_winrm(chunk)
        out += (
            b"--Encrypted Boundary\r\n"
            b"\tContent-Type: " + protocol.encode() + b"\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            b"--Encrypted Boundary\r\n"
            % (len(chunk) + sealed.padding_length)
            + OCTETS
            + struct.pack("<I", len(sealed.header))
            + sealed.header
            + sealed.data
        )
    out += b"--Encrypted Boundary--\r\n"
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', bytes(out)

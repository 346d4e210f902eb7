"""PowerShell's stdio transport (lines), and the fragments and messages that it carries. Decoders of the tests' own."""

import base64
import re
import struct
import uuid
from dataclasses import dataclass

POOL = "00000000-0000-0000-0000-000000000000"
DEFAULT, PROMPT_RESPONSE = "Default", "PromptResponse"
LINE = re.compile(
    r"""<(?P<packet>\w+)\s+(?:Stream=['"](?P<stream>\w+)['"]\s+)?PSGuid=['"](?P<pipeline>[0-9A-Fa-f-]{36})['"]\s*"""
    r"""(?:/>|>(?P<data>[^<]*)</\w+>)$"""
)
FRAGMENT = struct.Struct(">QQBI")
HEAD = struct.Struct("<II")
START, END = 1, 2
LEAST_PIECE = 256

TYPES = {
    0x00010002: "SESSION_CAPABILITY",
    0x00010004: "INIT_RUNSPACEPOOL",
    0x00010005: "PUBLIC_KEY",
    0x00010006: "ENCRYPTED_SESSION_KEY",
    0x00010007: "PUBLIC_KEY_REQUEST",
    0x00010008: "CONNECT_RUNSPACEPOOL",
    0x00021002: "SET_MAX_RUNSPACES",
    0x00021003: "SET_MIN_RUNSPACES",
    0x00021004: "RUNSPACE_AVAILABILITY",
    0x00021005: "RUNSPACEPOOL_STATE",
    0x00021006: "CREATE_PIPELINE",
    0x00021007: "GET_AVAILABLE_RUNSPACES",
    0x00021008: "USER_EVENT",
    0x00021009: "APPLICATION_PRIVATE_DATA",
    0x0002100A: "GET_COMMAND_METADATA",
    0x0002100B: "RUNSPACEPOOL_INIT_DATA",
    0x0002100C: "RESET_RUNSPACE_STATE",
    0x00021100: "RUNSPACEPOOL_HOST_CALL",
    0x00021101: "RUNSPACEPOOL_HOST_RESPONSE",
    0x00041002: "PIPELINE_INPUT",
    0x00041003: "END_OF_PIPELINE_INPUT",
    0x00041004: "PIPELINE_OUTPUT",
    0x00041005: "ERROR_RECORD",
    0x00041006: "PIPELINE_STATE",
    0x00041007: "DEBUG_RECORD",
    0x00041008: "VERBOSE_RECORD",
    0x00041009: "WARNING_RECORD",
    0x00041010: "PROGRESS_RECORD",
    0x00041011: "INFORMATION_RECORD",
    0x00041100: "PIPELINE_HOST_CALL",
    0x00041101: "PIPELINE_HOST_RESPONSE",
}


@dataclass
class Packet:
    kind: str
    pipeline: str
    stream: str = DEFAULT
    data: bytes = b""

    def line(self):
        if self.kind != "Data":
            return f"<{self.kind} PSGuid='{self.pipeline}' />\n".encode()
        data = base64.b64encode(self.data).decode()
        return f"<Data Stream='{self.stream}' PSGuid='{self.pipeline}'>{data}</Data>\n".encode()


def packet(line):
    """A line of the transport, or None where there is something else."""
    found = LINE.match(line.decode("utf-8", "replace").strip())
    if not found:
        return None
    data = base64.b64decode(found["data"] or "")
    return Packet(found["packet"], found["pipeline"].lower(), found["stream"] or DEFAULT, data)


@dataclass
class Message:
    destination: int
    type: str
    pool: str
    pipeline: str
    clixml: str

    def facts(self):
        return {
            "destination": self.destination,
            "type": self.type,
            "rpid": self.pool,
            "pid": self.pipeline,
            "clixml": self.clixml,
        }


def message(blob):
    """One whole object of a stream of fragments."""
    destination, kind = HEAD.unpack_from(blob)
    pool, pipeline = (str(uuid.UUID(bytes_le=bytes(blob[i : i + 16]))) for i in (8, 24))
    body = bytes(blob[40:]).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return Message(destination, TYPES.get(kind, f"0x{kind:08x}"), pool, pipeline, body)


def fragments(data):
    """(object, fragment, flags, blob) of some whole fragments."""
    at = 0
    while at < len(data):
        number, index, flags, size = FRAGMENT.unpack_from(data, at)
        at += FRAGMENT.size
        if at + size > len(data):
            raise ValueError("a fragment is cut")
        yield number, index, flags, data[at : at + size]
        at += size


class Assembly:
    """The objects of one stream of fragments."""

    def __init__(self):
        self.number, self.next, self.blob = None, 0, bytearray()

    def messages(self, data):
        whole = []
        for number, index, flags, blob in fragments(data):
            if flags & START:
                self.number, self.next, self.blob = number, 0, bytearray()
            if (number, index) != (self.number, self.next):
                raise ValueError(f"fragment {index} of object {number} comes out of turn")
            self.next += 1
            self.blob += blob
            if flags & END:
                whole.append(message(self.blob))
                self.number = None
        return whole


class Cutter:
    """Cuts fragments smaller, so that one fits into each of a client's envelopes."""

    def __init__(self, largest):
        self.largest, self.next = max(largest - FRAGMENT.size, LEAST_PIECE), {}

    def pieces(self, data):
        for number, _index, flags, blob in fragments(data):
            begin = range(0, len(blob) or 1, self.largest)
            for at in begin:
                piece = blob[at : at + self.largest]
                index = self.next.get(number, 0)
                self.next[number] = index + 1
                mine = (flags & START if at == 0 else 0) | (flags & END if at == begin[-1] else 0)
                yield FRAGMENT.pack(number, index, mine, len(piece)) + piece
            if flags & END:
                self.next.pop(number, None)

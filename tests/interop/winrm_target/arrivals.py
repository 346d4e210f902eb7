"""What arrives in PSRP's fragments, read independently of the library that answers it: for the log."""

import hashlib
import struct
import uuid

HEADER, MESSAGE = 21, 40
# Longer messages are logged by their beginning, length and digest.
LONGEST = 64 * 1024
KINDS = {
    0x00010002: "SESSION_CAPABILITY",
    0x00010004: "INIT_RUNSPACEPOOL",
    0x00010005: "PUBLIC_KEY",
    0x00021002: "SET_MAX_RUNSPACES",
    0x00021003: "SET_MIN_RUNSPACES",
    0x00021006: "CREATE_PIPELINE",
    0x00021007: "GET_AVAILABLE_RUNSPACES",
    0x0002100A: "GET_COMMAND_METADATA",
    0x0002100C: "RESET_RUNSPACE_STATE",
    0x00021101: "RUNSPACEPOOL_HOST_RESPONSE",
    0x00041002: "PIPELINE_INPUT",
    0x00041003: "END_OF_PIPELINE_INPUT",
    0x00041101: "PIPELINE_HOST_RESPONSE",
}


class Arrivals:
    """The messages of one shell, stream by stream."""

    def __init__(self):
        self.begun = {}

    def read(self, stream, data):
        """The messages that are whole by now: kind, pipeline, and text, with the size of the first fragment."""
        at = 0
        while at < len(data):
            number, part, flags, size = struct.unpack_from(">QQBI", data, at)
            blob = data[at + HEADER : at + HEADER + size]
            at += HEADER + size
            key = (stream, number)
            if (part == 0) != bool(flags & 1) or part != len(self.begun.setdefault(key, [])):
                raise ValueError(f"fragment {part} of object {number} does not follow")
            self.begun[key].append(blob)
            if flags & 2:
                yield self.message(b"".join(self.begun.pop(key)))

    def message(self, data):
        destination, kind = struct.unpack_from("<II", data)
        text = data[MESSAGE:].removeprefix(b"\xef\xbb\xbf")
        pipeline = uuid.UUID(bytes_le=bytes(data[24:MESSAGE]))
        return {
            "destination": destination,
            "kind": KINDS.get(kind, hex(kind)),
            "pool": str(uuid.UUID(bytes_le=bytes(data[8:24]))).upper(),
            "pipeline": str(pipeline).upper() if pipeline.int else None,
            "bytes": len(text),
            "sha256": hashlib.sha256(text).hexdigest()[:16],
            "text": text[:LONGEST].decode("utf-8", "replace"),
        }

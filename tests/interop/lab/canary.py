"""Looking for a secret in every form that a program could leave it in: in text, in files, in another's memory."""

import base64
import os
import re
from collections import Counter
from dataclasses import dataclass

from spnego._ntlm_raw.crypto import ntowfv1

# Copies that were cut, as one half in a register or across two buffers, are found by their pieces. Eight random
# letters and digits are no accident.
PIECE = 8
# More than the longest form, so that none is missed between two reads.
OVERLAP = 4096
READ = 8 * 1024 * 1024
# Mappings of the kernel's, which nobody can read like a file.
KERNELS = ("[vvar]", "[vvar_vclock]", "[vsyscall]")


def base64_forms(raw):
    """What of the base64 of these bytes does not depend on its neighbours, for each way it can be aligned."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).rstrip(b"=")
        begin = -(-before * 8 // 6)
        end = len(text) - ((before + len(raw)) % 3 > 0)
        yield f"base64+{before}", text[begin:end]


def texts_of(raw):
    """How bytes are written into text."""
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "hex, separated", raw.hex(" ").encode()
    yield "decimal", ", ".join(map(str, raw)).encode()
    yield "hexadecimal list", ", ".join(f"0x{b:02x}" for b in raw).encode()
    yield from base64_forms(raw)


class Secret:
    """A password, or another text that nobody may keep."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.encodings = {"UTF-8": text.encode(), "UTF-16": text.encode("utf-16-le")}
        self.forms = {}
        for encoding, raw in self.encodings.items():
            self.forms[encoding] = raw
            self.forms.update({f"{encoding} {form}": written for form, written in texts_of(raw)})

    def pieces(self):
        for encoding, raw in self.encodings.items():
            size = PIECE * (2 if encoding == "UTF-16" else 1)
            for at in range(0, len(raw) - size + 1, size):
                yield f"{encoding} piece {at // size}", raw[at : at + size]

    def everything(self):
        """Forms and pieces by name."""
        return {f"{self.name}: {form}": raw for form, raw in (*self.forms.items(), *self.pieces())}


class NtHash(Secret):
    """The hash of a password, as good as the password."""

    def __init__(self, name, password):
        self.name = name
        self.raw = ntowfv1(password)
        self.encodings = {"raw": self.raw}
        self.forms = {"raw": self.raw, **dict(texts_of(self.raw))}

    def pieces(self):
        return ()


def search(data, secrets):
    """The names of what is in these bytes."""
    return sorted({n for s in secrets for n, raw in s.everything().items() if raw in data})


def search_folder(folder, secrets):
    """The same for all files of a folder: (file, form)."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [(str(file), form) for file in files for form in search(file.read_bytes(), secrets)]


@dataclass(frozen=True)
class Copy:
    form: str
    region: str
    address: int

    def __str__(self):
        return f"{self.form} at {self.address:x} in {self.region}"


@dataclass(frozen=True)
class Region:
    start: int
    end: int
    name: str


def regions(pid):
    """What of a process's memory can be read."""
    with open(f"/proc/{pid}/maps") as f:
        for line in f:
            place, rights, *rest = line.split(maxsplit=5)
            name = rest[3].strip() if len(rest) > 3 else "anonymous"
            if rights[0] == "r" and name not in KERNELS:
                start, end = (int(side, 16) for side in place.split("-"))
                yield Region(start, end, f"{name} {rights}")


class Memory:
    """Another process's memory: needs root, since the gateway closes itself to everybody else."""

    def __init__(self, pid):
        self.pid = pid

    def read(self):
        """Pieces of each region, each with its address, overlapping."""
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            for region in regions(self.pid):
                at, tail = region.start, b""
                while at < region.end:
                    try:
                        memory.seek(at)
                        read = memory.read(min(READ, region.end - at))
                    except OSError:
                        # A region that was given back since the list was read holds nothing any more.
                        break
                    if not read:
                        break
                    yield region, at - len(tail), tail + read
                    at += len(read)
                    tail = read[-OVERLAP:]

    def copies(self, *secrets):
        """Every place where a form or a piece of a secret is."""
        wanted = {n: raw for s in secrets for n, raw in s.everything().items()}
        found = set()
        for region, start, data in self.read():
            # Most pages were never written to.
            if not data.strip(b"\0"):
                continue
            for form, raw in wanted.items():
                if raw in data:
                    for match in re.finditer(re.escape(raw), data):
                        found.add(Copy(form, region.name, start + match.start()))
        return sorted(found, key=lambda copy: (copy.form, copy.address))

    def places(self, raw):
        """Where these bytes are."""
        pattern = re.compile(re.escape(raw))
        return {start + m.start() for _region, start, data in self.read() for m in pattern.finditer(data)}

    def locked(self):
        """The content of pages that are locked into memory."""
        with open(f"/proc/{self.pid}/smaps") as f:
            entries = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) .*?^VmFlags:([^\n]*)", f.read(), re.M | re.S)
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            for start, end, flags in entries:
                if "lo" in flags.split():
                    memory.seek(int(start, 16))
                    yield memory.read(int(end, 16) - int(start, 16))


def summary(copies):
    """How many of each form, for people."""
    return dict(sorted(Counter(copy.form for copy in copies).items()))


def whole(copies):
    """Copies that are whole, in any form."""
    return [copy for copy in copies if " piece " not in copy.form]


def may_read_memory(pid=None):
    """Why not, if not."""
    try:
        with open(f"/proc/{pid or os.getppid()}/mem", "rb"):
            return None
    except OSError as error:
        return f"the memory of other processes cannot be read: {error}; run this as root"

"""WinRS: shells, output that waits for Receive, and a handful of programs."""

import asyncio
import base64
import collections
import json
import re
import time
from xml.sax.saxutils import escape

from .powershell import Ps, Terminate, TextSink
from .soap import TIMEDOUT, Fault


class Stream:
    """Output waiting for Receive."""

    def __init__(self):
        self.items, self.ev, self.done, self.rc = collections.deque(), asyncio.Event(), False, None

    def put(self, name, data):
        self.items.append((name, data))
        self.ev.set()

    def finish(self, rc=0):
        self.done, self.rc = True, rc
        self.ev.set()

    async def take(self, timeout, limit):
        if not self.items and not self.done:
            self.ev.clear()
            try:
                await asyncio.wait_for(self.ev.wait(), timeout)
            except asyncio.TimeoutError:
                raise Fault(
                    TIMEDOUT,
                    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
                    "w:TimedOut",
                )
        got, size = [], 0
        while self.items:
            n, d = self.items[0]
            room = limit - size
            if len(d) > room:
                if self.split and room > 0:
                    got.append((n, d[:room]))
                    self.items[0] = (n, d[room:])
                elif not got and not self.split:
                    got.append(self.items.popleft())
                break
            got.append(self.items.popleft())
            size += len(d)
        return got, self.done and not self.items

    split = True


class Shell:
    psrp = False

    def __init__(self, t, q, sid):
        self.t, self.id, self.user, self.uri = t, sid, q.conn.login.user, q.uri
        self.cmds = {}
        self.born = time.time()
        self.who = whoinfo(q)

    def close(self):
        for c in self.cmds.values():
            if c.task and not c.task.done():
                c.task.cancel()

    async def signal(self, c, code):
        if c.task and not c.task.done():
            c.task.cancel()
            try:
                await asyncio.wait_for(asyncio.shield(asyncio.gather(c.task, return_exceptions=True)), 2)
            except asyncio.TimeoutError:
                pass
        if code == "terminate":
            self.cmds.pop(c.id, None)


def whoinfo(q):
    login = q.conn.login
    return {
        "target": q.conn.t.name,
        "conn": q.conn.id,
        "user": login.user,
        "scheme": login.scheme,
        "mech": login.mech,
        "tls": q.conn.tls,
        "encrypted": q.enc,
        **({"delegated": login.cred} if login.cred else {}),
    }


class Cmd:
    def __init__(self, cid):
        self.id, self.out, self.task, self.stdin, self.eof, self.pipe = (
            cid,
            Stream(),
            None,
            bytearray(),
            asyncio.Event(),
            None,
        )


# ---- WinRS
def cmdline(line):
    """Split a cmd.exe line on & && || outside double quotes, so that injected commands really run (and are seen)."""
    parts, cur, inq, i = [], "", False, 0
    while i < len(line):
        ch = line[i]
        if ch == '"':
            inq = not inq
        if not inq and ch == "^" and i + 1 < len(line):
            cur += line[i + 1]
            i += 2
            continue
        if not inq and ch in "&|":
            parts.append(cur)
            cur = ""
            i += 2 if line[i : i + 2] in ("&&", "||") else 1
            continue
        cur += ch
        i += 1
    return [p.strip() for p in parts + [cur] if p.strip()]


def argv(line):
    """The words of a command line by the rules of CommandLineToArgvW."""
    words, word, quoted, i = [], None, False, 0
    while i < len(line):
        ch = line[i]
        if ch == "\\":
            run = len(line[i:]) - len(line[i:].lstrip("\\"))
            i += run
            if i < len(line) and line[i] == '"':
                word = (word or "") + "\\" * (run // 2)
                if run % 2:
                    word += '"'
                    i += 1
            else:
                word = (word or "") + "\\" * run
            continue
        if ch == '"':
            if quoted and line[i + 1 : i + 2] == '"':
                word, i = (word or "") + '"', i + 1
            else:
                quoted, word = not quoted, word or ""
        elif ch in " \t" and not quoted:
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + ch
        i += 1
    return words + ([word] if word is not None else [])


# ---- the programs that this machine has
PROGRAMS = {}
STATUS_CONTROL_C_EXIT = -1073741510


def program(*names):
    def register(f):
        PROGRAMS.update(dict.fromkeys(names, f))
        return f

    return register


class Run:
    """One program that runs: its words, the raw line, and its two outputs."""

    def __init__(self, shell, command, line, words):
        self.shell, self.command, self.line, self.words = shell, command, line, words

    def out(self, data):
        self.command.out.put("stdout", data.encode() if isinstance(data, str) else data)

    def err(self, text):
        self.command.out.put("stderr", text.encode())

    def number(self, default=0):
        return next((w for w in self.words if re.fullmatch(r"-?[\d.]+", w)), default)


@program("hostname")
async def _(r):
    r.out(r.shell.t.name + "\r\n")


@program("whoami")
async def _(r):
    r.out(r.shell.user.lower() + "\r\n")


@program("echo")
async def _(r):
    r.out((r.line[4:].strip() if r.line[:4].lower() == "echo" else " ".join(r.words)) + "\r\n")


@program("show-args")
async def _(r):
    r.out(json.dumps(r.words) + "\r\n")


@program("sleep", "timeout")
async def _(r):
    await asyncio.sleep(float(r.number(1)))


@program("exit")
async def _(r):
    return int(r.number())


@program("bigout")
async def _(r):
    left, block = int(r.words[0]), b"0123456789abcdef" * 4096
    while left > 0:
        r.out(block[:left])
        left -= len(block)
        await asyncio.sleep(0)


@program("stderr")
async def _(r):
    r.err(" ".join(r.words) + "\r\n")
    return 1


@program("both")
async def _(r):
    r.out("to stdout\r\n")
    r.err("to stderr\r\n")


@program("cat", "type")
async def _(r):
    await r.command.eof.wait()
    r.out(bytes(r.command.stdin))


@program("powershell", "pwsh")
async def _(r):
    script = None
    for i, word in enumerate(w.lower() for w in r.words):
        if word in ("-encodedcommand", "-enc", "-e", "-ec"):
            script = base64.b64decode(r.words[i + 1]).decode("utf-16-le")
            break
        if word in ("-command", "-c"):
            script = " ".join(r.words[i + 1 :])
            break
    if script is None:
        r.err("powershell: no command\r\n")
        return 64
    sink = TextSink(r.out, r.err)
    try:
        ps = Ps(r.shell.t, r.shell, sink, r.shell.who, via="winrs-powershell")
        return await ps.script(script) or (1 if sink.failed else 0)
    except Terminate as e:
        r.err(clixml_err(e.message))
        return 1


async def run_winrs(shell, command, line):
    try:
        command.out.finish(await run_line(shell, command, line))
    except asyncio.CancelledError:
        command.out.finish(STATUS_CONTROL_C_EXIT)
        raise
    except Exception as e:
        command.out.put("stderr", f"lab target error: {type(e).__name__}: {e}\r\n".encode())
        command.out.finish(255)


async def run_line(shell, command, line):
    t, code = shell.t, 0
    slow, value = t.w.fault(t, "Run", "slowcmd")
    if slow:
        await asyncio.sleep(float(value) / 1000)
    for one in cmdline(line):
        words = argv(one)
        if words[0].lower() in ("cmd", "cmd.exe") and [w.lower() for w in words[1:2]] in (["/c"], ["/k"]):
            words, one = words[2:], " ".join(words[2:])
        name = words[0].lower()
        t.w.log("run", **shell.who, via="winrs", name=name, args=words[1:])
        short = re.sub(r"\.exe$", "", name.rsplit("\\", 1)[-1])
        run = Run(shell, command, one, words[1:])
        if short not in PROGRAMS:
            run.err(f"'{name}' is not recognized as an internal or external command,\r\n")
            run.err("operable program or batch file.\r\n")
            code = 1
            continue
        code = await PROGRAMS[short](run) or 0
        if short == "exit":
            break
    return code


def clixml_err(msg):
    return (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><S S="Error">'
        + escape(msg)
        + "_x000D__x000A_</S></Objs>"
    )

"""A PowerShell shell with a process of PowerShell's own behind it: what WinRM carries, mapped one to one to its lines."""

import asyncio
import contextlib
import os
import re
import shlex

from winrm_target.soap import BADSHELL, Fault
from winrm_target.winrs import Shell, Stream

from .framing import DEFAULT, POOL, PROMPT_RESPONSE, Assembly, Cutter, Packet, packet

LONGEST_LINE = 4 << 20
PATIENCE = 20
FINAL = {"3", "4", "5"}
STATE = re.compile(r'<I32 N="PipelineState">(\d+)</I32>')
FAILED = "The PowerShell process of this shell has ended."


class Output(Stream):
    """What PowerShell has said and nobody has fetched, as whole fragments."""

    split = False

    def __init__(self):
        super().__init__()
        self.broken = False

    async def take(self, timeout, limit):
        got, done = await super().take(timeout, limit)
        if done and self.broken and not got:
            raise Fault(BADSHELL, FAILED, "w:InvalidSelectors", "s:Sender")
        return got, done


class EngineShell(Shell):
    psrp = True

    def __init__(self, t, q, sid, command):
        super().__init__(t, q, sid)
        self.words, self.out = shlex.split(command), Output()
        # Of an envelope, what is left for data when it is base64.
        self.cutter = Cutter((min(q.maxenv, 512000) - 4096) * 3 // 4)
        self.came, self.went, self.acks, self.order, self.process = {}, {}, {}, {}, None

    # ---- the process
    async def open(self, creation):
        self.process = await asyncio.create_subprocess_exec(
            *self.words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE
        )
        self.reader = asyncio.create_task(self.read())
        self.t.w.log("engine", **self.who, shell=self.id, pid=self.process.pid, words=self.words)
        await self.tell(Packet("Data", POOL, DEFAULT, creation))
        return self

    async def say(self, said):
        if said.kind == "Data":
            self.note("gateway", said)
        if self.process.returncode is not None:
            raise Fault(BADSHELL, FAILED, "w:InvalidSelectors", "s:Sender")
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(said.line())
            await self.process.stdin.drain()

    async def tell(self, said):
        """Says something and waits until PowerShell has acknowledged it: it takes each line in a thread of its own,
        so that what is said before that may overtake it."""
        order = self.order.setdefault(said.pipeline, asyncio.Lock())
        async with order:
            acknowledged = asyncio.get_running_loop().create_future()
            self.acks[said.kind + "Ack", said.pipeline] = acknowledged
            await self.say(said)
            try:
                await asyncio.wait_for(acknowledged, PATIENCE)
            except asyncio.TimeoutError:
                self.t.w.log(
                    "labbug", target=self.t.name, why=f"{said.kind} of {said.pipeline} is not acknowledged"
                )

    async def read(self):
        try:
            while line := await self.process.stdout.readline():
                heard = packet(line)
                if heard is None:
                    self.t.w.log("labbug", target=self.t.name, why=f"PowerShell said {line[:200]!r}")
                elif heard.kind == "Data":
                    self.hear(heard)
                elif ack := self.acks.pop((heard.kind, heard.pipeline), None):
                    ack.set_result(None)
        finally:
            for out in (self.out, *(c.out for c in self.cmds.values())):
                out.broken = True
                out.finish()
            for ack in self.acks.values():
                if not ack.done():
                    ack.set_result(None)

    def hear(self, heard):
        command = self.cmds.get(heard.pipeline.upper())
        out = command.out if command else self.out
        for piece in self.cutter.pieces(heard.data):
            out.put("stdout", piece)
        for message in self.note("target", heard):
            state = STATE.search(message.clixml) if message.type == "PIPELINE_STATE" else None
            if command and state and state[1] in FINAL:
                out.finish()

    def note(self, way, seen):
        """Into the log, what one side has said; the bodies of the target's answers only where they are short."""
        assembly = (self.came if way == "target" else self.went).setdefault(
            (seen.pipeline, seen.stream), Assembly()
        )
        messages = assembly.messages(seen.data)
        for m in messages:
            facts = m.facts()
            if way == "target":
                facts["clixml"] = facts["clixml"][:2000]
            self.t.w.log(
                "psrp",
                way=way,
                target=self.t.name,
                shell=self.id,
                at=seen.pipeline,
                stream=seen.stream,
                **facts,
            )
        return messages

    # ---- what WinRM asks for
    async def begin(self, c, data):
        c.out = Output()
        pipeline = c.id.lower()
        await self.tell(Packet("Command", pipeline))
        await self.tell(Packet("Data", pipeline, DEFAULT, data))

    async def send(self, stream, command, data):
        pipeline = command.id.lower() if command else POOL
        await self.tell(Packet("Data", pipeline, PROMPT_RESPONSE if stream == "pr" else DEFAULT, data))

    async def signal(self, c, code):
        if code == "terminate":
            await self.tell(Packet("Close", c.id.lower()))
            c.out.finish()
            self.cmds.pop(c.id, None)
        else:
            await self.tell(Packet("Signal", c.id.lower()))

    def close(self):
        self.reader.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, 9)
        self.t.w.log("engine", target=self.t.name, shell=self.id, ended=True)
        # Reaped by the loop; who still waits for output hears that the shell is gone.
        self.out.broken = True
        self.out.finish()

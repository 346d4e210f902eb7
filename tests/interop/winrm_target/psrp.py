"""PSRP shells, on the server side of psrpcore."""

import asyncio
import uuid

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    GetAvailableRunspacesEvent,
    GetCommandMetadataEvent,
    PipelineHostResponseEvent,
    PipelineInputEvent,
    PSRPPayload,
    PublicKeyEvent,
    ResetRunspaceStateEvent,
    ServerPipeline,
    ServerRunspacePool,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore import types as T

from . import remote_commands  # noqa: F401
from .arrivals import Arrivals
from .powershell import Collect, PipeSink, Ps, Terminate, show
from .winrs import Shell, Stream

# Commands that begin before their input has come, and may end before.
EAGER = ("throw-error", "read-first")
# How long a client may take for its half of the exchange of keys.
KEY = 20


class PsShell(Shell):
    psrp = True

    def __init__(self, t, q, sid):
        super().__init__(t, q, sid)
        self.pool = ServerRunspacePool(
            application_private_data={
                "PSVersionTable": {"PSVersion": T.PSVersion("5.1.20348.1"), "PSEdition": "Desktop"},
                # What a server says that can be debugged.
                "DebugMode": 1,
                "DebugBreakpointCount": 0,
                "UnhandledBreakpointMode": 0,
                "BreakAll": False,
                "DebugStop": False,
            }
        )
        if t.w.o.protocol:
            self.pool.our_capability.protocolversion = T.PSVersion(t.w.o.protocol)
        self.arrivals, self.keyed = Arrivals(), asyncio.Event()
        self.out = Stream()
        self.out.split = False

    async def open(self, creation):
        self.feed(creation, "creation")
        return self

    async def key(self):
        """The client has the session key from here on."""
        self.pool.request_key()
        self.flush()
        await asyncio.wait_for(self.keyed.wait(), KEY)

    async def begin(self, c, data):
        c.out.split = False
        c.input, c.calls, c.arrived = [], {}, asyncio.Event()
        c.pipe = ServerPipeline(self.pool, uuid.UUID(c.id))
        self.feed(data, ("stdin", c.id))

    async def send(self, stream, command, data):
        self.feed(data, (stream, command and command.id))

    async def signal(self, c, code):
        await super().signal(c, code)
        if code == "terminate" and c.pipe is not None:
            self.pool.pipeline_table.pop(c.pipe.pipeline_id, None)

    def feed(self, data, stream):
        for message in self.arrivals.read(stream, data):
            self.t.w.log("message", target=self.t.name, shell=self.id, **message)
        self.pool.receive_data(PSRPPayload(data, StreamType.default, None))
        while True:
            ev = self.pool.next_event()
            if ev is None:
                break
            pid = getattr(ev, "pipeline_id", None)
            c = self.cmds.get(str(pid).upper()) if pid else None
            if isinstance(ev, (CreatePipelineEvent, GetCommandMetadataEvent)) and c:
                self.start(c, ev)
            elif isinstance(ev, PipelineInputEvent) and c:
                c.input.append(ev.data)
                c.arrived.set()
            elif isinstance(ev, EndOfPipelineInputEvent) and c:
                c.eof.set()
            elif isinstance(ev, PipelineHostResponseEvent) and c and ev.ci in c.calls:
                c.calls.pop(ev.ci).set_result((ev.result, ev.error))
            elif isinstance(ev, PublicKeyEvent):
                self.keyed.set()
            elif isinstance(ev, GetAvailableRunspacesEvent):
                self.pool.runspace_availability_response(ev.ci, 1)
            elif isinstance(ev, (SetMaxRunspacesEvent, SetMinRunspacesEvent)) or (
                ResetRunspaceStateEvent and isinstance(ev, ResetRunspaceStateEvent)
            ):
                self.pool.runspace_availability_response(ev.ci, True)
        self.flush()

    def flush(self):
        while True:
            p = self.pool.data_to_send(32 * 1024)
            if p is None:
                return
            c = self.cmds.get(str(p.pipeline_id).upper()) if p.pipeline_id else None
            (c.out if c else self.out).put("stdout", p.data)

    def start(self, c, ev):
        if isinstance(ev, GetCommandMetadataEvent):
            self.t.w.log("psmeta", **self.who)
            c.pipe.start()
            c.pipe.write_output(T.CommandMetadataCount(Count=0))
            c.pipe.complete()
            self.flush()
            c.out.finish()
            return
        md = ev.pipeline
        cmds = [
            (x.command_text, bool(x.is_script), [(n, v) for n, v in x.parameters], bool(x.end_of_statement))
            for x in md.commands
        ]
        self.t.w.log(
            "pipeline",
            **self.who,
            shell=self.id,
            pipeline=c.id,
            no_input=bool(md.no_input),
            history=md.history,
            commands=[
                {
                    "cmd": n,
                    "is_script": s,
                    "args": [{"n": a, "t": type(v).__name__, "v": show(v)} for a, v in args],
                }
                for n, s, args, _e in cmds
            ],
        )
        c.task = asyncio.create_task(self.run(c, cmds, bool(md.no_input)))

    async def run(self, c, cmds, no_input):
        p = c.pipe
        p.start()
        sink = PipeSink(p, self.flush, c.calls)
        try:
            if not no_input and cmds[0][0].rsplit("\\", 1)[-1].lower() not in EAGER:
                await c.eof.wait()
            _k, v = self.t.w.fault(self.t, "Run", "slowcmd")
            if _k:
                await asyncio.sleep(float(v) / 1000)
            ps = Ps(self.t, self, sink, self.who, stdin=c.input)
            ps.incoming = c
            group, rest = [], list(cmds)
            while rest:
                n, is_script, args, eos = rest.pop(0)
                # As a target with all its language is asked for a command.
                n = n if is_script else n.rsplit("\\", 1)[-1]
                if is_script and not group and (not rest or eos):
                    await ps.script(n)
                elif is_script:  # script at the head of a pipeline
                    col = Collect(sink)
                    await Ps(self.t, self, col, self.who).script(n)
                    ps.stdin = col.items
                else:
                    group.append((n, args))
                if group and (eos or not rest):
                    for o in await ps.pipeline(group):
                        sink.output(o)
                    group = []
                    ps.stdin = []
            p.complete()
        except asyncio.CancelledError:
            try:
                p.stop()
            except Exception:
                pass
            self.t.w.log("stopped", **self.who, pipeline=c.id)
        except Terminate as e:
            p._change_state(T.PSInvocationState.Failed, error=e.record())
        except Exception as e:
            self.t.w.log("labbug", target=self.t.name, why=f"{type(e).__name__}: {e}")
            p._change_state(
                T.PSInvocationState.Failed,
                error=Terminate(f"lab target error: {type(e).__name__}: {e}", "LabError").record(),
            )
        self.flush()
        c.out.finish(0)

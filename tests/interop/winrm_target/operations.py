"""One target: the WS-Management operations on its shells."""

import asyncio
import base64
import hashlib
import re
import socket
import uuid
from xml.sax.saxutils import escape

from engine_target.shell import EngineShell

from .connection import Conn
from .psrp import PsShell
from .soap import BADSHELL, CMD_URI, IDENT, NS, PS_URI, QOPS, QSHELLS, SHELL, Fault
from .winrs import Cmd, Shell, run_winrs


class Target:
    def __init__(self, w, idx):
        self.w, self.idx, self.name, self.shells = w, idx, f"target{idx + 1}", {}
        self.services = {
            n.lower(): {"Name": n, "DisplayName": dn, "Status": st, "StartType": "Automatic", "Restarts": 0}
            for n, dn, st in (
                ("WinRM", "Windows Remote Management (WS-Management)", "Running"),
                ("Spooler", "Print Spooler", "Running"),
                ("W3SVC", "World Wide Web Publishing Service", "Running"),
                ("MSSQLSERVER", "SQL Server (MSSQLSERVER)", "Stopped"),
            )
        }

    async def client(self, rd, wr, tls):
        s = wr.get_extra_info("socket")
        if s is not None:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.w.log.n["connections"] += 1
        await Conn(self, rd, wr, tls).run()

    def powershell(self, q, sid):
        """What is behind a PowerShell shell of this target: PowerShell itself where its command line is given."""
        engines = self.w.o.engine
        if engines:
            return EngineShell(self, q, sid, engines[min(self.idx, len(engines) - 1)])
        return PsShell(self, q, sid)

    def shell(self, q):
        s = self.shells.get(q.sel.get("ShellId", "").upper())
        if s is None:
            raise Fault(
                BADSHELL,
                "The request for the Windows Remote Shell with ShellId failed because the shell was not found on the server.",
                "w:InvalidSelectors",
                "s:Sender",
            )
        if s.user.lower() != q.conn.login.user.lower():
            self.w.log("wrongowner", target=self.name, owner=s.user, user=q.conn.login.user)
            raise Fault(5, "Access is denied.", "w:AccessDenied", "s:Sender")
        return s

    def cmd(self, s, cid):
        c = s.cmds.get((cid or "").upper())
        if c is None:
            raise Fault(BADSHELL, "command not found", "w:InvalidSelectors", "s:Sender")
        return c

    async def handle(self, q):
        fn = getattr(self, "do_" + q.action.lower(), None) if q.action != "?" else None
        if fn is None:
            if q.body is not None and len(q.body) and q.body[0].tag.endswith("}Identify"):
                return "", re.search(r"<s:Body>(.*)</s:Body>", IDENT).group(1)
            raise Fault(2150858770, f"unsupported action {q.rawaction}", "a:ActionNotSupported", "s:Sender")
        return await fn(q)

    async def do_create(self, q):
        sh = q.body.find("rsp:Shell", NS)
        if sh is None:
            raise Fault(0, "no Shell element", "w:SchemaValidationError", "s:Sender")
        if len(self.shells) >= self.w.o.max_shells:
            raise Fault(QSHELLS, "maximum number of concurrent shells", "w:QuotaLimit")
        sid = (sh.get("ShellId") or str(uuid.uuid4())).upper()
        if q.uri.startswith(PS_URI):
            cx = sh.find("{http://schemas.microsoft.com/powershell}creationXml")
            if cx is None:
                raise Fault(0, "no creationXml", "w:SchemaValidationError", "s:Sender")
            s = await self.powershell(q, sid).open(base64.b64decode(cx.text))
        elif q.uri == CMD_URI:
            s = Shell(self, q, sid)
        else:
            raise Fault(2150858752, f"unknown resource {q.uri}", "w:InvalidResourceURI", "s:Sender")
        self.shells[sid] = s
        self.w.log(
            "shell",
            **s.who,
            op="create",
            shell=sid,
            uri=q.uri,
            to=q.to,
            options=q.opt,
            name=sh.findtext("rsp:Name", None, NS) or sh.get("Name"),
            env={e.get("Name"): e.text for e in sh.findall("rsp:Environment/rsp:Variable", NS)},
            cwd=sh.findtext("rsp:WorkingDirectory", None, NS),
        )
        ci = q.conn.wr.get_extra_info("peername")[0]
        return NS["x"] + "/CreateResponse", (
            f'<x:ResourceCreated><a:Address>{escape(q.to)}</a:Address><a:ReferenceParameters><w:ResourceURI>{escape(q.uri)}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{sid}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>'
            f"<rsp:Shell><rsp:ShellId>{sid}</rsp:ShellId><rsp:ResourceUri>{escape(q.uri)}</rsp:ResourceUri><rsp:Owner>{escape(q.conn.login.user)}</rsp:Owner><rsp:ClientIP>{ci}</rsp:ClientIP><rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut>"
            f"<rsp:InputStreams>{'stdin pr' if q.uri.startswith(PS_URI) else 'stdin'}</rsp:InputStreams><rsp:OutputStreams>{'stdout' if q.uri.startswith(PS_URI) else 'stdout stderr'}</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
        )

    async def do_get(self, q):
        if q.uri.endswith("/config"):
            return (
                NS["x"] + "/GetResponse",
                '<cfg:Config xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config"><cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms><cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>',
            )
        s = self.shell(q)
        return (
            NS["x"] + "/GetResponse",
            f"<rsp:Shell><rsp:ShellId>{s.id}</rsp:ShellId><rsp:State>Connected</rsp:State></rsp:Shell>",
        )

    async def do_command(self, q):
        s = self.shell(q)
        cl = q.body.find("rsp:CommandLine", NS)
        cid = (cl.get("CommandId") or str(uuid.uuid4())).upper()
        if len(s.cmds) >= self.w.o.max_ops:
            raise Fault(QOPS, "maximum number of concurrent operations", "w:QuotaLimit")
        text_ = cl.findtext("rsp:Command", "", NS) or ""
        args = [e.text or "" for e in cl.findall("rsp:Arguments", NS)]
        c = Cmd(cid)
        s.cmds[cid] = c
        if s.psrp:
            await s.begin(c, base64.b64decode("".join(args)))
        else:
            line = " ".join([text_] + args).strip()
            if len(line) > 1 and line[0] == line[-1] == '"' and line.count('"') == 2 and " " not in line:
                line = line[1:-1]
            self.w.log("command", **s.who, shell=s.id, command=cid, text=text_, args=args, options=q.opt)
            c.task = asyncio.create_task(run_winrs(s, c, line))
        return (
            SHELL + "/CommandResponse",
            f"<rsp:CommandResponse><rsp:CommandId>{cid}</rsp:CommandId></rsp:CommandResponse>",
        )

    async def do_send(self, q):
        s = self.shell(q)
        for st in q.body.findall("rsp:Send/rsp:Stream", NS):
            data = base64.b64decode(st.text or "")
            cid = st.get("CommandId")
            if s.psrp:
                await s.send(st.get("Name"), cid and self.cmd(s, cid), data)
                continue
            c = self.cmd(s, cid)
            c.stdin += data
            if (st.get("End") or "").lower() in ("true", "1"):
                self.w.log(
                    "stdin",
                    target=self.name,
                    command=c.id,
                    bytes=len(c.stdin),
                    sha256=hashlib.sha256(c.stdin).hexdigest()[:16],
                )
                c.eof.set()
        return SHELL + "/SendResponse", "<rsp:SendResponse/>"

    async def do_receive(self, q):
        s = self.shell(q)
        ds = q.body.find("rsp:Receive/rsp:DesiredStream", NS)
        cid = ds.get("CommandId") if ds is not None else None
        out = self.cmd(s, cid).out if cid else getattr(s, "out", None)
        if out is None:
            raise Fault(BADSHELL, "no command", "w:InvalidSelectors", "s:Sender")
        limit = max(1024, (min(q.maxenv, 512000) - 4096) * 3 // 4)
        got, done = await out.take(q.timeout, limit)
        attr = f' CommandId="{cid}"' if cid else ""
        x = "".join(
            f'<rsp:Stream Name="{n}"{attr}>{base64.b64encode(d).decode()}</rsp:Stream>' for n, d in got
        )
        if cid:
            if done:
                if not s.psrp:
                    x += f'<rsp:Stream Name="stdout"{attr} End="true"/><rsp:Stream Name="stderr"{attr} End="true"/>'
                x += f'<rsp:CommandState CommandId="{cid}" State="{SHELL}/CommandState/Done"><rsp:ExitCode>{out.rc or 0}</rsp:ExitCode></rsp:CommandState>'
            else:
                x += f'<rsp:CommandState CommandId="{cid}" State="{SHELL}/CommandState/Running"/>'
        return SHELL + "/ReceiveResponse", f"<rsp:ReceiveResponse>{x}</rsp:ReceiveResponse>"

    async def do_signal(self, q):
        s = self.shell(q)
        sg = q.body.find("rsp:Signal", NS)
        cid = sg.get("CommandId")
        code = (sg.findtext("rsp:Code", "", NS) or "").strip()
        self.w.log(
            "signal",
            target=self.name,
            user=q.conn.login.user,
            shell=s.id,
            command=cid,
            code=code.rsplit("/", 1)[-1],
        )
        c = s.cmds.get((cid or "").upper())
        if c is not None:
            await s.signal(c, code.rsplit("/", 1)[-1].lower())
        return SHELL + "/SignalResponse", "<rsp:SignalResponse/>"

    async def do_delete(self, q):
        s = self.shell(q)
        self.shells.pop(s.id, None)
        s.close()
        self.w.log("shell", **s.who, op="delete", shell=s.id)
        if s.psrp:
            s.out.finish()
        return NS["x"] + "/DeleteResponse", ""

"""A small subset of PowerShell: enough for what stock clients wrap commands in."""

import asyncio
import json
import re

from psrpcore import types as T


class Terminate(Exception):
    def __init__(
        self,
        message,
        eid,
        cat=T.ErrorCategory.NotSpecified,
        reason="RuntimeException",
        target=None,
        etype="System.Management.Automation.RuntimeException",
    ):
        super().__init__(message)
        self.message, self.eid, self.cat, self.reason, self.target, self.etype = (
            message,
            eid,
            cat,
            reason,
            target,
            etype,
        )

    def parts(self):
        ex = T.NETException(Message=self.message, HResult=-2146233087)
        ex.PSObject.type_names = [self.etype, "System.SystemException", "System.Exception", "System.Object"]
        return ex, T.ErrorCategoryInfo(
            Category=self.cat,
            Reason=self.reason,
            TargetName=str(self.target or ""),
            TargetType="String" if self.target else "",
        )

    def record(self):
        ex, ci = self.parts()
        return T.ErrorRecord(
            Exception=ex, CategoryInfo=ci, TargetObject=self.target, FullyQualifiedErrorId=self.eid
        )


class Exit(Exception):
    def __init__(self, rc):
        self.rc = rc


class TextSink:
    """powershell.exe under WinRS: text on stdout, errors on stderr."""

    def __init__(self, out, err):
        self.out, self.err, self.failed = out, err, False

    def output(self, o):
        self.out(text(o) + "\r\n")

    def error(self, e):
        self.failed = True
        self.err(e.message + "\r\n")

    def __getattr__(self, n):
        return lambda *a, **k: None

    def exit(self, rc):
        pass


class PipeSink:
    def __init__(self, p, flush, calls):
        self.p, self.flush, self.calls = p, flush, calls

    async def ask(self, method, parameters=()):
        """Calls the client's host and waits for its answer; an error of its is one here."""
        number = self.p.host_call(method, list(parameters))
        answered = self.calls[number] = asyncio.get_running_loop().create_future()
        self.flush()
        result, error = await answered
        if error is not None:
            raise Terminate(
                str(error), error.FullyQualifiedErrorId or "HostFailed", T.ErrorCategory.ResourceUnavailable
            )
        return result

    def show(self, method, parameters):
        self.p.host_call(method, parameters)
        self.flush()

    def output(self, o):
        self.p.write_output(o)
        self.flush()

    def error(self, e):
        ex, ci = e.parts()
        self.p.write_error(ex, ci, e.target, e.eid)
        self.flush()

    def warning(self, m):
        self.p.write_warning(m)
        self.flush()

    def verbose(self, m):
        self.p.write_verbose(m)
        self.flush()

    def debug(self, m):
        self.p.write_debug(m)
        self.flush()

    def progress(self, *a, **k):
        self.p.write_progress(*a, **k)
        self.flush()

    def information(self, m, src):
        self.p.write_information(
            m,
            src,
            computer="lab",
            user="lab",
            process_id=1,
            native_thread_id=1,
            managed_thread_id=1,
            tags=["PSHOST"],
        )
        self.flush()

    def exit(self, rc):
        self.p.host_call(T.HostMethodIdentifier.SetShouldExit, [rc])
        self.flush()


def text(o):
    if o is None:
        return ""
    if isinstance(o, bool):
        return str(o)
    s = getattr(o, "PSObject", None)
    if s is not None and getattr(s, "to_string", None):
        return s.to_string
    if s is not None and s.extended_properties and not isinstance(o, (str, int, float)):
        return (
            "@{"
            + "; ".join(f"{p.name}={text(getattr(o, p.name, None))}" for p in s.extended_properties)
            + "}"
        )
    return str(o)


def show(v):
    if isinstance(v, T.PSSecureString):
        return "<SecureString>"
    if isinstance(v, dict):
        return {str(k): show(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [show(x) for x in v]
    if v is None or isinstance(v, (bool, int, float, str)):
        return v if not isinstance(v, str) else str(v)
    return text(v)


def psobj(types, tostring, **props):
    o = T.PSCustomObject(**props)
    o.PSObject.type_names = list(types) + ["System.Object"]
    o.PSObject.to_string = tostring
    return o


SVC = [
    "System.ServiceProcess.ServiceController",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
]


def service(s):
    return psobj(
        SVC,
        s["Name"],
        Name=s["Name"],
        DisplayName=s["DisplayName"],
        Status=s["Status"],
        StartType=s["StartType"],
        Restarts=s["Restarts"],
        ServiceName=s["Name"],
    )


class Ps:
    def __init__(self, t, shell, sink, who, via="psrp", stdin=()):
        self.t, self.shell, self.s, self.who, self.via, self.stdin = t, shell, sink, who, via, list(stdin)

    async def script(self, src):
        """A tiny subset: statements by ; or newline, pipelines by |, -Name value arguments, quotes, exit N, throw 'x'."""
        try:
            for st in split_top(src, ";\n"):
                low = st.lower()
                if (
                    not st
                    or st.startswith("#")
                    or re.match(r"\$\w+(:\w+)?\s*=", st)
                    or low.startswith(("set-strictmode", "if (", "[console]"))
                ):
                    continue
                m = re.fullmatch(r"exit(?:\s+(.*))?", st, re.I)
                if m:
                    n = (m.group(1) or "0").strip()
                    raise Exit(int(n) if re.fullmatch(r"-?\d+", n) else 0)
                m = re.fullmatch(r"throw\s+(.*)", st, re.I)
                if m:
                    raise Terminate(
                        m.group(1).strip("'\""), m.group(1).strip("'\""), T.ErrorCategory.OperationStopped
                    )
                if st[0] in "'\"" or re.fullmatch(r"-?[\d.]+", st):
                    self.s.output(st.strip("'\""))
                    continue
                cmds = []
                for part in split_top(st, "|"):
                    tk = tokens(part.lstrip("&. "))
                    cmds.append((tk[0][0], pair(tk[1:])))
                for o in await self.pipeline(cmds):
                    self.s.output(o)
        except Exit as e:
            self.s.exit(e.rc)
            return e.rc
        return 0

    async def pipeline(self, cmds):
        data = self.stdin
        for name, args in cmds:
            self.t.w.log(
                "run",
                **self.who,
                via=self.via,
                name=name,
                args=[{"n": n, "t": type(v).__name__, "v": show(v)} for n, v in args],
            )
            fn = CMDLETS.get(name.lower())
            if fn is None:
                raise Terminate(
                    f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
                    "CommandNotFoundException",
                    T.ErrorCategory.ObjectNotFound,
                    "CommandNotFoundException",
                    name,
                    "System.Management.Automation.CommandNotFoundException",
                )
            named = {(n or "").lstrip("-").rstrip(":").lower(): v for n, v in args if n}
            pos = [v for n, v in args if not n]
            data = await fn(self, named, pos, data)
        return data


def split_top(src, seps):
    parts, cur, qt, depth = [], "", None, 0
    for ch in src.replace("\r", ""):
        if qt:
            qt = None if ch == qt else qt
        elif ch in "'\"":
            qt = ch
        elif ch in "({":
            depth += 1
        elif ch in ")}":
            depth -= 1
        elif ch in seps and depth <= 0:
            parts.append(cur.strip())
            cur = ""
            continue
        cur += ch
    return [p for p in parts + [cur.strip()] if p]


def tokens(s):
    out = []
    for m in re.finditer(r"(-[A-Za-z]\w*:)(?=\S)|'((?:[^']|'')*)'|\"((?:[^\"`]|`.)*)\"|(\S+)", s):
        if m.group(1) is not None:
            out.append((m.group(1), False))
        elif m.group(2) is not None:
            out.append((m.group(2).replace("''", "'"), True))
        elif m.group(3) is not None:
            out.append((re.sub(r"`(.)", r"\1", m.group(3)), True))
        else:
            out.append((m.group(4), False))
    return out


def pair(tk):
    out, i = [], 0

    def val(x, quoted):
        return (
            x
            if quoted
            else int(x)
            if re.fullmatch(r"-?\d{1,9}", x)
            else {"$true": True, "$false": False, "$null": None}.get(x.lower(), x)
        )

    while i < len(tk):
        x, qd = tk[i]
        if not qd and re.fullmatch(r"-[A-Za-z]\w*:?", x):
            if i + 1 < len(tk) and (tk[i + 1][1] or not re.fullmatch(r"-[A-Za-z]\w*:?", tk[i + 1][0])):
                out.append((x, val(*tk[i + 1])))
                i += 2
                continue
            out.append((x, True))
        else:
            out.append((None, val(x, qd)))
        i += 1
    return out


CMDLETS = {}


def cmdlet(*names):
    def deco(f):
        for n in names:
            CMDLETS[n.lower()] = f
        return f

    return deco


def arg(named, pos, key, i=0, default=None):
    return named.get(key, pos[i] if len(pos) > i else default)


def many(v):
    return list(v) if isinstance(v, (list, tuple)) else [v]


@cmdlet("hostname")
async def _(c, n, p, d):
    return [c.t.name]


@cmdlet("whoami")
async def _(c, n, p, d):
    return [c.shell.user.lower()]


@cmdlet("Get-Date")
async def _(c, n, p, d):
    return [T.PSDateTime.now()]


@cmdlet("Write-Output", "echo")
async def _(c, n, p, d):
    v = n.get("inputobject", p if len(p) != 1 else p[0])
    return many(v) if (p or n) else d


@cmdlet("Start-Sleep", "sleep")
async def _(c, n, p, d):
    await asyncio.sleep(
        float(n["milliseconds"]) / 1000 if "milliseconds" in n else float(arg(n, p, "seconds", 0, 1))
    )
    return []


@cmdlet("Get-Service")
async def _(c, n, p, d):
    names = arg(n, p, "name")
    out = []
    if names is None:
        return [service(s) for s in c.t.services.values()]
    for x in many(names):
        rx = re.compile(re.escape(str(x)).replace(r"\*", ".*").replace(r"\?", "."), re.I)
        hit = [s for s in c.t.services.values() if rx.fullmatch(s["Name"])]
        if not hit and "*" not in str(x):
            c.s.error(
                Terminate(
                    f"Cannot find any service with service name '{x}'.",
                    "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand",
                    T.ErrorCategory.ObjectNotFound,
                    "ServiceCommandException",
                    str(x),
                    "Microsoft.PowerShell.Commands.ServiceCommandException",
                )
            )
        out += [service(s) for s in hit]
    return out


@cmdlet("Restart-Service")
async def _(c, n, p, d):
    out = []
    for x in many(arg(n, p, "name") or [text(o) for o in d]):
        s = c.t.services.get(str(x).lower())
        if not s:
            c.s.error(
                Terminate(
                    f"Cannot find any service with service name '{x}'.",
                    "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.RestartServiceCommand",
                    T.ErrorCategory.ObjectNotFound,
                    "ServiceCommandException",
                    str(x),
                    "Microsoft.PowerShell.Commands.ServiceCommandException",
                )
            )
            continue
        c.s.verbose(
            f'Performing the operation "Restart-Service" on target "{s["DisplayName"]} ({s["Name"]})".'
        )
        c.s.warning(f"Waiting for service '{s['DisplayName']} ({s['Name']})' to start...")
        s["Restarts"] += 1
        s["Status"] = "Running"
        if n.get("passthru"):
            out.append(service(s))
    return out


@cmdlet("Stop-Service", "Start-Service")
async def _(c, n, p, d):
    raise Terminate("Service cannot be controlled in the lab", "CouldNotControl", T.ErrorCategory.CloseError)


@cmdlet("Throw-Error")
async def _(c, n, p, d):
    m = str(arg(n, p, "message", 0, "boom"))
    raise Terminate(m, m, T.ErrorCategory.OperationStopped)


@cmdlet("Write-Error")
async def _(c, n, p, d):
    m = str(arg(n, p, "message", 0, "error"))
    c.s.error(
        Terminate(
            m,
            "Microsoft.PowerShell.Commands.WriteErrorException",
            T.ErrorCategory.NotSpecified,
            "WriteErrorException",
            None,
            "Microsoft.PowerShell.Commands.WriteErrorException",
        )
    )
    return []


@cmdlet("Write-Warning")
async def _(c, n, p, d):
    c.s.warning(str(arg(n, p, "message", 0, "")))
    return []


@cmdlet("Write-Verbose")
async def _(c, n, p, d):
    c.s.verbose(str(arg(n, p, "message", 0, "")))
    return []


@cmdlet("Write-Debug")
async def _(c, n, p, d):
    c.s.debug(str(arg(n, p, "message", 0, "")))
    return []


@cmdlet("Write-Host", "Write-Information")
async def _(c, n, p, d):
    c.s.information(" ".join(text(x) for x in p) or str(n.get("object", n.get("messagedata", ""))), "lab")
    return []


@cmdlet("Write-Progress")
async def _(c, n, p, d):
    c.s.progress(
        str(arg(n, p, "activity", 0, "work")),
        1,
        str(n.get("status", "running")),
        percent_complete=int(n.get("percentcomplete", 50)),
    )
    return []


@cmdlet("Get-ComputerInfo")
async def _(c, n, p, d):
    for pc in (10, 60, 100):
        c.s.progress("Gathering information", 1, "Collecting", percent_complete=pc)
    return [
        psobj(
            ["Microsoft.PowerShell.Commands.ComputerInfo"],
            "ComputerInfo",
            CsName=c.t.name,
            OsName="Lab Server 2022",
            OsVersion="10.0.20348",
            OsUptime=T.PSDuration(hours=5) if hasattr(T, "PSDuration") else 5,
            CsProcessors=T.PSList(["cpu0", "cpu1"]),
        )
    ]


@cmdlet("Set-Secret")
async def _(c, n, p, d):
    return []


@cmdlet("Out-String")
async def _(c, n, p, d):
    return [text(o) for o in d] if n.get("stream") else ["".join(text(o) + "\r\n" for o in d)]


@cmdlet("Out-Null")
async def _(c, n, p, d):
    return []


@cmdlet("Out-Default", "Select-Object", "Where-Object", "ForEach-Object", "New-Item")
async def _(c, n, p, d):
    return d


@cmdlet("Measure-Object")
async def _(c, n, p, d):
    return [psobj(["Microsoft.PowerShell.Commands.GenericMeasureInfo"], "measure", Count=len(d))]


@cmdlet("Show-Args")
async def _(c, n, p, d):
    return [
        json.dumps(
            {
                "named": {k: [type(v).__name__, show(v)] for k, v in n.items()},
                "pos": [[type(v).__name__, show(v)] for v in p],
                "in": [show(x) for x in d],
            },
            sort_keys=True,
        )
    ]


@cmdlet("Big-Output")
async def _(c, n, p, d):
    blk = "0123456789abcdef" * 64
    for i in range(int(arg(n, p, "count", 0, 100))):
        c.s.output(f"{i:08d} {blk}")
        await asyncio.sleep(0)
    return []


@cmdlet("Invoke-Expression")
async def _(c, n, p, d):
    sub = Ps(c.t, c.shell, Collect(c.s), c.who, c.via)
    await sub.script(str(arg(n, p, "command", 0, "")))
    return sub.s.items


class Collect:
    def __init__(self, inner):
        self.inner, self.items = inner, []

    def output(self, o):
        self.items.append(o)

    def __getattr__(self, n):
        return getattr(self.inner, n)

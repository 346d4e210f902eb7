"""Commands that only a PowerShell session has something for: its host, its secrets, its input, its streams."""

import asyncio
import hashlib

from psrpcore import types as T

from .powershell import Terminate, arg, cmdlet, text

# What a target gives away of its own.
OWN_PASSWORD = "made-by-the-target"
METHODS = T.HostMethodIdentifier


def digest(value):
    return hashlib.sha256(str(value).encode("utf-16-le")).hexdigest()


def opened(value):
    """The text of a SecureString; nothing else is one."""
    if not isinstance(value, T.PSSecureString):
        raise Terminate(f"a SecureString was expected, and {type(value).__name__} came", "NoSecret")
    return value.decrypt()


@cmdlet("Test-Password")
async def _(c, n, p, d):
    return [digest(opened(n.get("password")))]


@cmdlet("Test-Credential")
async def _(c, n, p, d):
    credential = n.get("credential")
    return [f"{credential.UserName} {digest(opened(credential.Password))}"]


@cmdlet("New-Password")
async def _(c, n, p, d):
    """A SecureString on its way to the client: a server asks for the key first, and waits for it."""
    await c.shell.key()
    return [T.PSSecureString(OWN_PASSWORD)]


@cmdlet("New-Credential")
async def _(c, n, p, d):
    await c.shell.key()
    return [T.PSCredential(UserName="alice", Password=T.PSSecureString(OWN_PASSWORD))]


@cmdlet("Start-Sleep")
async def _(c, n, p, d):
    seconds = float(n.get("milliseconds", 0)) / 1000 or float(arg(n, p, "seconds", 0, 0))
    await asyncio.sleep(seconds)
    return []


@cmdlet("Write-Text")
async def _(c, n, p, d):
    """One text of so many characters."""
    size = int(n["size"])
    c.s.output(("0123456789abcdef" * (size // 16 + 1))[:size])
    return []


@cmdlet("Write-Many")
async def _(c, n, p, d):
    """So many small objects, and now and then a chance for others."""
    for i in range(int(n["count"])):
        c.s.output(i)
        if i % 500 == 0:
            await asyncio.sleep(0)
    return []


@cmdlet("Read-Input")
async def _(c, n, p, d):
    """How many objects came, and a digest of their texts."""
    return [f"{len(d)} {digest(chr(10).join(text(o) for o in d))}"]


@cmdlet("Read-First")
async def _(c, n, p, d):
    """Ends with the first object, whatever follows."""
    await c.incoming.arrived.wait()
    return [text(c.incoming.input[0])]


# ---- the host
@cmdlet("Read-Host")
async def _(c, n, p, d):
    if n.get("assecurestring"):
        return [digest(opened(await c.s.ask(METHODS.ReadLineAsSecureString)))]
    return [f"you said {await c.s.ask(METHODS.ReadLine)}"]


@cmdlet("Get-Credential")
async def _(c, n, p, d):
    message = str(n.get("message", "Enter your credentials."))
    answer = await c.s.ask(METHODS.PromptForCredential2, ["Credential request", message, "alice", "", 3, 1])
    return [f"{answer.UserName} {digest(opened(answer.Password))}"]


@cmdlet("Select-Choice")
async def _(c, n, p, d):
    choices = [T.PSCustomObject(label=label, helpMessage="") for label in ("&Yes", "&No")]
    return [f"choice {await c.s.ask(METHODS.PromptForChoice, ['Sure?', 'Really?', choices, 1])}"]


@cmdlet("Request-HostCall")
async def _(c, n, p, d):
    """Any call by its number: what came back, or that it was refused."""
    method = METHODS(int(n["method"]))
    if method.is_void():
        c.s.show(method, [])
        return [f"{method.name} is not answered"]
    try:
        answer = await c.s.ask(method, [])
    except Terminate as refused:
        return [f"{method.name} refused: {refused.message}"]
    return [f"{method.name}: {text(answer)}"]


@cmdlet("Write-Line")
async def _(c, n, p, d):
    """What Write-Host does for the host, without a record."""
    c.s.show(METHODS.WriteLine2, [str(arg(n, p, "text", 0, ""))])
    return []


@cmdlet("Request-Nothing")
async def _(c, n, p, d):
    """Asks, and ends without waiting for an answer."""
    c.s.p.host_call(METHODS.ReadLine, [])
    return ["did not wait"]

"""What reaches a target is never the client's bytes: both are captured, and compared."""

import base64
import re

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from lab.accounts import PASSWORD
from lab.psrp import PYPSRP, command, completed, run, script, session
from winrm_target.arrivals import Arrivals

ARGUMENT = re.compile(r'<(?:S|Nil) N="N"(?:/>|>([^<]*)</S>)')


class Client:
    """What a client of pypsrp sends, as messages."""

    def __init__(self, monkeypatch):
        self.pieces = []
        invoke = WSMan.invoke

        def kept(wsman, action, resource_uri, resource, *args, **options):
            for node in resource.iter() if resource is not None else ():
                name = node.tag.rsplit("}")[-1]
                if name in ("creationXml", "Arguments", "Stream") and node.text:
                    self.pieces.append(((name, node.get("CommandId")), base64.b64decode(node.text)))
            return invoke(wsman, action, resource_uri, resource, *args, **options)

        monkeypatch.setattr(WSMan, "invoke", kept)

    def messages(self):
        arrivals = Arrivals()
        return [m for _stream, piece in self.pieces for m in arrivals.read("all", piece)]

    def texts(self, kind):
        return [m["text"] for m in self.messages() if m["kind"] == kind]


def at_target(path, kind):
    return [m["text"] for m in path.targets.seen("message", kind=kind)]


def arguments(text):
    """The names of the arguments of a CREATE_PIPELINE; None for a position."""
    return [name or None for name in ARGUMENT.findall(text)]


def everything(path, pool):
    run(pool, "Get-Service", Name="Spooler")
    shell = command(pool, "get-service", **{"-na": None}).add_argument("Spooler")
    completed(shell)
    completed(PowerShell(pool).add_cmdlet("GET-SERVICE").add_argument("Spooler"))
    completed(
        PowerShell(pool)
        .add_cmdlet("Restart-Service")
        .add_parameter("-Name:", "Spooler")
        .add_parameter("-Force")
    )
    completed(script(pool, " Get-Service  spooler | select-object Name -First 1 "))
    completed(script(pool, "param($canary) Get-Service -Name $canary").add_argument("Spooler"))


def test_names_are_full_and_dashless_and_scripts_are_gone(remoting, monkeypatch):
    client = Client(monkeypatch)
    with session(remoting) as pool:
        everything(remoting, pool)
    ours, theirs = client.texts("CREATE_PIPELINE"), at_target(remoting, "CREATE_PIPELINE")
    assert len(ours) == len(theirs) == 6
    assert any('<B N="IsScript">true</B>' in text for text in ours), "the control saw no script"
    for text in theirs:
        assert '<B N="IsScript">false</B>' in text and '<B N="IsScript">true</B>' not in text
        assert "canary" not in text and "param(" not in text
        assert all(name and name.isalpha() for name in arguments(text)), arguments(text)
    assert [arguments(text) for text in theirs] == [
        ["Name"],
        ["Name"],
        ["Name"],
        ["Name", "Force"],
        ["Name", "Property", "First"],
        ["Name"],
    ]
    assert set(ours).isdisjoint(theirs)


def test_commands_have_the_names_of_the_catalogue(remoting):
    with session(remoting) as pool:
        everything(remoting, pool)
    names = [[c["cmd"] for c in p["commands"]] for p in remoting.targets.seen("pipeline")]
    assert names == [
        ["Get-Service"],
        ["Get-Service"],
        ["Get-Service"],
        ["Restart-Service"],
        ["Get-Service", "Select-Object"],
        ["Get-Service"],
    ]
    assert not any(c["is_script"] for p in remoting.targets.seen("pipeline") for c in p["commands"])


def test_what_the_client_says_of_itself_stays_here(remoting, monkeypatch):
    """Application arguments, history, host, apartment, names and options of the shell, ids."""
    client = Client(monkeypatch)
    where = remoting.where("https")
    with PYPSRP.wsman(where, "ops", PASSWORD) as wsman:
        pool = RunspacePool(wsman, apartment_state=0, thread_options=1, no_profile=True, idle_timeout=77)
        pool.open(application_arguments={"canary": "canary-argument"})
        shell = command(pool, "Get-Service", Name="Spooler")
        shell.history_string = "canary-history"
        shell.invoke(add_to_history=True, redirect_shell_error_to_out=False, remote_stream_options=15)
        pool.close()
    sent = "".join(m["text"] for m in client.messages())
    assert "canary-argument" in sent and "canary-history" in sent, "the control saw nothing"
    got = "".join(m["text"] for m in remoting.targets.seen("message"))
    assert "canary" not in got
    [init] = at_target(remoting, "INIT_RUNSPACEPOOL")
    assert init != client.texts("INIT_RUNSPACEPOOL")[0]
    assert '<Nil N="ApplicationArguments"' in init or 'N="ApplicationArguments"' in init
    [created] = at_target(remoting, "CREATE_PIPELINE")
    assert '<B N="AddToHistory">false</B>' in created and '<Nil N="History"' in created
    [ours] = client.texts("CREATE_PIPELINE")
    # Set by the client otherwise than the gateway sets it, each.
    for name, value in (("RedirectShellErrorOutputPipe", "false"), ("AddToHistory", "true")):
        assert f'<B N="{name}">{value}</B>' in ours and f'<B N="{name}">{value}</B>' not in created, name
    [shell] = remoting.targets.seen("shell", op="create")
    assert shell["shell"] != pool.id and shell["name"] == "Sekisho"
    assert not any("PROFILE" in name for name in shell["options"])


def test_ids_on_the_two_sides_are_different(remoting, monkeypatch):
    client = Client(monkeypatch)
    with session(remoting) as pool:
        run(pool, "Get-Date")
        run(pool, "Get-Date")
    for side in ("pool", "pipeline"):
        ours = {m[side] for m in client.messages()} - {None}
        theirs = {m[side] for m in remoting.targets.seen("message")} - {None}
        assert ours and theirs and ours.isdisjoint(theirs)
    assert len({m["pool"] for m in remoting.targets.seen("message")}) == 1


def test_what_the_gateway_answers_itself_reaches_nobody(remoting):
    with session(remoting) as pool:
        run(pool, "prompt")
        completed(command(pool, "TabExpansion2", inputScript="Get-S", cursorColumn=5))
        completed(command(pool, "Get-FormatData", TypeName="System.ServiceProcess.ServiceController"))
        pool.get_available_runspaces()
    assert not remoting.targets.seen("pipeline", "psmeta")
    assert not at_target(remoting, "GET_AVAILABLE_RUNSPACES")

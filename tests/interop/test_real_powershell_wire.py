"""What reaches PowerShell at a target is never what its client said: both ends are real, and both are listened to."""

import base64
import xml.etree.ElementTree as ET

import pytest
from pypsrp.powershell import PowerShell, RunspacePool

from engine_target.pipelines import facts, statements
from lab.accounts import PASSWORD
from lab.clients import Pypsrp

PYPSRP = Pypsrp("pypsrp")
CANARY = "Canary-Passw0rd!"
MANAGEMENT = "Microsoft.PowerShell.Management"
DEBUGGER = ("DebugMode", "DebugStop", "DebugBreakpointCount", "BreakAll", "UnhandledBreakpointMode")
# As PowerShell's own client does with what people type.
OPEN = "$s = New-PSSession -HostName web01\n"
SECRET = f"$x = [securestring]::new(); '{CANARY}'.ToCharArray() | ForEach-Object {{ $x.AppendChar($_) }}\n"


def arrived(engines, *types):
    return [e["clixml"] for e in engines.targets.seen("psrp", way="gateway") if e["type"] in types]


def ran(engines):
    """The statements that the target got, in the order of their arrival."""
    return [one for clixml in arrived(engines, "CREATE_PIPELINE") for one in statements(clixml)]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Get-Service Spooler", [("Get-Service", [("Name", "Spooler")])]),
        ("gsv spool* -Exc BITS", None),
        ("Get-Service -Na Spooler", [("Get-Service", [("Name", "Spooler")])]),
        (
            "Restart-Service Spooler,W32Time -Fo -PassThru:$false",
            [("Restart-Service", [("Force", True), ("Name", ["Spooler", "W32Time"]), ("PassThru", False)])],
        ),
        ("Get-Service -DisplayName '印刷サービス'", [("Get-Service", [("DisplayName", "印刷サービス")])]),
        (
            "Get-Service -Name 'W*' | Select-Object ServiceName -First 2",
            [
                ("Get-Service", [("Name", "W*")]),
                ("Select-Object", [("First", 2), ("Property", "ServiceName")]),
            ],
        ),
        (
            "Get-Service | Where-Object Status -eq 'Running'",
            [
                ("Get-Service", []),
                ("Where-Object", [("EQ", True), ("Property", "Status"), ("Value", "Running")]),
            ],
        ),
    ],
)
@pytest.mark.parametrize("way", ["typed", "text"])
def test_arguments_leave_with_their_full_names_and_text_leaves_as_commands(engines, typist, way, typed, sent):
    """PowerShell makes commands of a block of constants; pypsrp sends the text. The target gets the same of both."""
    if way == "typed":
        client = typist()
        shown = client.play(f"{OPEN}Invoke-Command -Session $s {{ {typed} }}\n")
        said = [one for m in client.said("CREATE_PIPELINE") for one in statements(m["clixml"])]
        assert not [text for one in said for text, is_script, _ in one if is_script]
        denied = shown.startswith("E: ")
    else:
        denied = invoked_as_text(engines, typed).had_errors
    assert denied == (sent is None)
    if sent is None:
        assert ran(engines) == []
        return
    [got] = ran(engines)
    assert [(name.rpartition("\\")[2], plain(arguments)) for name, _, arguments in got] == sent
    assert all("\\" in name and not is_script for name, is_script, _ in got)


def invoked_as_text(engines, text):
    with PYPSRP.wsman(engines.where(), "ops", PASSWORD) as wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_script(text)
        shell.invoke()
        return shell


def plain(arguments):
    assert all(name and not name.startswith("-") and not name.endswith(":") for name, _ in arguments)
    return sorted(arguments, key=lambda a: a[0])


def test_a_restricted_endpoint_gets_bare_names(engines, typist):
    shown = typist().play(
        "$s = New-PSSession -HostName jea01\n"
        "Invoke-Command -Session $s { Restart-Service Spooler -Force }\n"
        "Invoke-Command -Session $s { Get-Service Spooler }\n"
    )
    assert "Status=Running; ServiceName=Spooler" in shown and "E:" not in shown
    assert ran(engines) == [
        [("Restart-Service", False, [("Name", "Spooler"), ("Force", True)])],
        [("Get-Service", False, [("Name", "Spooler")])],
    ]


def test_the_pool_of_a_target_is_the_gateways_own(engines, typist):
    client = typist()
    client.play(f"{OPEN}Invoke-Command -Session $s {{ Get-Service Spooler }}\n")
    [mine] = client.said("INIT_RUNSPACEPOOL")
    [its] = arrived(engines, "INIT_RUNSPACEPOOL")
    assert "PSVersionTable" in mine["clixml"] and "PSVersionTable" not in its
    host = facts(its)["HostInfo"]
    assert host["_isHostNull"] is False
    assert "laboratory" in mine["clixml"] and "laboratory" not in its
    [pipeline] = arrived(engines, "CREATE_PIPELINE")
    about = facts(pipeline)
    assert (about["AddToHistory"], about["IsNested"], about["NoInput"]) == (False, False, True)
    assert ET.fromstring(pipeline).findtext(".//S[@N='History']") is None
    ids = {m["rpid"] for m in client.said()} & {e["rpid"] for e in engines.targets.seen("psrp")}
    assert ids <= {"00000000-0000-0000-0000-000000000000"}
    ids = {m["pid"] for m in client.said()} & {e["pid"] for e in engines.targets.seen("psrp")}
    assert ids <= {"00000000-0000-0000-0000-000000000000"}


def test_both_ends_are_told_of_protocol_2_3_and_no_debugger(engines, typist):
    client = typist()
    client.play(f"{OPEN}Invoke-Command -Session $s {{ Get-Service Spooler }}\n")
    [told] = client.said("SESSION_CAPABILITY", way="server")
    [asked] = arrived(engines, "SESSION_CAPABILITY")
    for clixml in (told["clixml"], asked):
        assert ET.fromstring(clixml).findtext(".//Version[@N='protocolversion']") == "2.3"
    [private] = client.said("APPLICATION_PRIVATE_DATA", way="server")
    assert "PSVersionTable" in private["clixml"]
    assert not [key for key in DEBUGGER if key in private["clixml"]]
    assert "Set-PSUnhandledBreakpointMode" not in "".join(m["clixml"] for m in client.said())


def test_a_pinned_script_leaves_as_the_policys_own_copy(engines, typist):
    client = typist()
    client.play(f"{OPEN}Invoke-Command -Session $s {{ param($a, $b) \"$a $b\" }} -ArgumentList 1,'x'\n")
    [[(text, is_script, arguments)]] = ran(engines)
    assert is_script and text.strip() == 'param($a, $b) "$a $b"'
    assert arguments == [("a", 1), ("b", "x")]


def test_a_secret_is_sealed_for_each_side_and_in_clear_nowhere(engines, typist):
    client = typist()
    shown = client.play(
        OPEN
        + SECRET
        + "$c = [pscredential]::new('corp\\svc', $x)\n"
        + "Invoke-Command -Session $s { param($sec) $sec.Length } -ArgumentList $x\n"
        + "Invoke-Command -Session $s { param($cred) $cred.UserName } -ArgumentList $c\n"
        + "Invoke-Command -Session $s { ($using:c).UserName }\n"
    )
    assert shown.splitlines() == [str(len(CANARY)), "corp\\svc", "corp\\svc"]
    sides = [[m["clixml"] for m in client.said("CREATE_PIPELINE")], arrived(engines, "CREATE_PIPELINE")]
    sealed = [{e.text for clixml in side for e in ET.fromstring(clixml).iter("SS")} for side in sides]
    assert [len(one) for one in sealed] == [1, 1] and sealed[0] != sealed[1]
    forms = [CANARY.encode(), CANARY.encode("utf-16-le")]
    forms += [base64.b64encode(form).rstrip(b"=") for form in forms]
    places = [client.capture, engines.targets.log_file, *engines.gateway.folder.rglob("*")]
    for file in places:
        if file.is_file():
            content = file.read_bytes()
            assert not [form for form in forms if form in content], file


def test_a_secret_that_comes_back_is_sealed_for_the_client(engines, typist):
    client = typist()
    shown = client.play(
        f"{OPEN}$back = Invoke-Command -Session $s {{ $r = [securestring]::new(); "
        "'CanaryBack!'.ToCharArray() | ForEach-Object { $r.AppendChar($_) }; $r }\n"
        "[System.Net.NetworkCredential]::new('', $back).Password\n"
    )
    assert shown.splitlines() == ["CanaryBack!"]
    [output] = client.said("PIPELINE_OUTPUT", way="server")
    [there] = [e for e in engines.targets.seen("psrp", type="PIPELINE_OUTPUT")]
    assert "<SS>" in output["clixml"] and output["clixml"] != there["clixml"]

"""SOAP and WS-Management: names, fault codes, envelopes, requests."""

import re
import uuid
from xml.sax.saxutils import escape

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "wsmid": "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",
}
SHELL = NS["rsp"]
CMD_URI = SHELL + "/cmd"
PS_URI = "http://schemas.microsoft.com/powershell/"
ACT = {NS["x"] + "/Create": "Create", NS["x"] + "/Delete": "Delete", NS["x"] + "/Get": "Get"}
ACT.update(
    {
        SHELL + "/" + n: n
        for n in ("Command", "Send", "Receive", "Signal", "Connect", "Disconnect", "Reconnect")
    }
)
TIMEDOUT, BADSHELL, QSHELLS, QOPS, QPROC, BUSY = (
    2150858793,
    2150858843,
    2150859173,
    2150859174,
    2150859175,
    2150859120,
)


class BadSeal(Exception):
    """undecryptable body: Windows answers a bare 400 and forgets the security context"""


class Fault(Exception):
    def __init__(self, code, text, sub="w:InternalError", who="s:Receiver", status=500):
        super().__init__(text)
        self.code, self.text, self.sub, self.who, self.status = code, text, sub, who, status


XN = f'xmlns:s="{NS["s"]}" xmlns:a="{NS["a"]}" xmlns:w="{NS["w"]}" xmlns:p="{NS["p"]}" xmlns:rsp="{NS["rsp"]}" xmlns:x="{NS["x"]}"'
IDENT = (
    f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body><wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion><wsmid:ProductVendor>lab</wsmid:ProductVendor>"
    "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
)


def envelope(action, rel, body):
    return (
        f'<s:Envelope xml:lang="en-US" {XN}><s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>'
        f"<a:To>{NS['a']}/role/anonymous</a:To><a:RelatesTo>{escape(rel)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def fault_xml(f, rel, machine):
    return envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        rel,
        f'<s:Fault><s:Code><s:Value>{f.who}</s:Value><s:Subcode><s:Value>{f.sub}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">'
        f'{escape(f.text)}</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{f.code}" '
        f'Machine="{machine}"><f:Message>{escape(f.text)}</f:Message></f:WSManFault></s:Detail></s:Fault>',
    )


def seconds(text, default=60.0):
    m = re.fullmatch(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", text or "")
    if not m:
        return default
    d, h, mi, s = (float(x or 0) for x in m.groups())
    return d * 86400 + h * 3600 + mi * 60 + s


class Req:
    def __init__(self, env, conn, enc):
        def g(p):
            return (env.findtext(f"s:Header/{p}", None, NS) or "").strip()

        self.conn, self.enc, self.msgid, self.uri = conn, enc, g("a:MessageID"), g("w:ResourceURI")
        self.rawaction = g("a:Action")
        self.action = ACT.get(self.rawaction, "?")
        self.timeout = seconds(g("w:OperationTimeout"))
        self.sel = {
            e.get("Name"): (e.text or "").strip()
            for e in env.findall("s:Header/w:SelectorSet/w:Selector", NS)
        }
        self.opt = {e.get("Name"): e.text for e in env.findall("s:Header/w:OptionSet/w:Option", NS)}
        self.maxenv = int(g("w:MaxEnvelopeSize") or 153600)
        self.to = g("a:To")
        self.body = env.find("s:Body", NS)

"""Envelopes written by hand, for what no ready client sends. Shares nothing with the gateway or the target."""

import base64
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
}
CMD = NS["rsp"] + "/cmd"
TRANSFER, SHELL = NS["x"], NS["rsp"]
IDENTIFY = (
    f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)
CREATE = (
    "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams>"
    "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
)


def envelope(action, body="", resource=CMD, shell=None, timeout=20, message=None, most=512000):
    selector = (
        f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell)}</w:Selector></w:SelectorSet>'
        if shell
        else ""
    )
    names = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in NS.items())
    return (
        f"<s:Envelope {names}><s:Header><a:Action>{escape(action)}</a:Action>"
        f"<a:To>http://localhost/wsman</a:To><a:MessageID>{message or f'uuid:{uuid.uuid4()}'}</a:MessageID>"
        f"<a:ReplyTo><a:Address>{NS['a']}/role/anonymous</a:Address></a:ReplyTo>"
        f"<w:ResourceURI>{escape(resource)}</w:ResourceURI><w:MaxEnvelopeSize>{most}</w:MaxEnvelopeSize>"
        f"<w:OperationTimeout>PT{timeout}S</w:OperationTimeout>{selector}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


def create(**options):
    return envelope(TRANSFER + "/Create", CREATE, **options)


def command(shell, program, *words, **options):
    words = "".join(f"<rsp:Arguments>{escape(w)}</rsp:Arguments>" for w in words)
    body = f"<rsp:CommandLine><rsp:Command>{escape(program)}</rsp:Command>{words}</rsp:CommandLine>"
    return envelope(SHELL + "/Command", body, shell=shell, **options)


def receive(shell, command_id, **options):
    body = f'<rsp:Receive><rsp:DesiredStream CommandId="{command_id}">stdout stderr</rsp:DesiredStream></rsp:Receive>'
    return envelope(SHELL + "/Receive", body, shell=shell, **options)


def signal(shell, command_id, code, **options):
    body = f'<rsp:Signal CommandId="{command_id}"><rsp:Code>{SHELL}/signal/{code}</rsp:Code></rsp:Signal>'
    return envelope(SHELL + "/Signal", body, shell=shell, **options)


def send(shell, command_id, data, end=True, **options):
    text = base64.b64encode(data).decode()
    stream = f'<rsp:Stream Name="stdin" CommandId="{command_id}" End="{str(end).lower()}">{text}</rsp:Stream>'
    return envelope(SHELL + "/Send", f"<rsp:Send>{stream}</rsp:Send>", shell=shell, **options)


def delete(shell, **options):
    return envelope(TRANSFER + "/Delete", shell=shell, **options)


class Answer:
    """The parts of a response that tests look at."""

    def __init__(self, response):
        self.status = response.status_code
        self.root = ET.fromstring(response.content) if response.content else None

    def text(self, path):
        return self.root.findtext(path, None, NS)

    @property
    def relates_to(self):
        return self.text("s:Header/a:RelatesTo")

    @property
    def shell(self):
        return self.text("s:Body/rsp:Shell/rsp:ShellId")

    @property
    def command(self):
        return self.text("s:Body/rsp:CommandResponse/rsp:CommandId")

    @property
    def fault(self):
        found = self.root.find("s:Body/s:Fault/s:Detail/f:WSManFault", NS)
        return None if found is None else int(found.get("Code"))

    @property
    def reason(self):
        return self.text("s:Body/s:Fault/s:Reason/s:Text")

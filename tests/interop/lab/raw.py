"""A shell by hand, request by request, for what no ready client does."""

import base64

from . import soap
from .accounts import PASSWORD
from .clients import credssp_session

STREAMS = "s:Body/rsp:ReceiveResponse/rsp:Stream"
TIMED_OUT = 2150858793


class Raw:
    """A shell by hand, over one connection at a time."""

    def __init__(self, where, user="ops", source=None):
        self.where, self.user, self.source, self.shell, self.command = where, user, source, None, None
        self.login()

    def ask(self, body, **options):
        return soap.Answer(self.session.post(self.where.url, body, **{"timeout": 40, **options}))

    def login(self):
        self.session = credssp_session(self.where, self.user, PASSWORD, source=self.source)
        # So that what is asked for next is not the last leg of the login.
        assert self.ask(soap.IDENTIFY).status == 200

    def reconnect(self):
        self.session.close()
        self.login()

    def begin(self, *words):
        self.shell = self.ask(soap.create()).shell
        self.command = self.ask(soap.command(self.shell, *words)).command
        assert self.shell and self.command

    def part(self):
        """The output of one Receive, and the exit code if that was the last."""
        return self.read(self.ask(soap.receive(self.shell, self.command)))

    @staticmethod
    def read(answer):
        assert answer.fault in (None, TIMED_OUT), answer.reason
        streams = answer.root.findall(STREAMS, soap.NS)
        code = answer.text("s:Body/rsp:ReceiveResponse/rsp:CommandState/rsp:ExitCode")
        return b"".join(base64.b64decode(s.text or "") for s in streams), None if code is None else int(code)

    def rest(self):
        """All output from here to the end, and the exit code."""
        out, code = b"", None
        while code is None:
            more, code = self.part()
            out += more
        return out, code

    def end(self):
        return self.ask(soap.delete(self.shell))

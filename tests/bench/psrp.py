"""What the parts of PowerShell remoting share: a lean target, and pypsrp's pools at it and at the gateway."""

import contextlib

from lab.clients import Pypsrp, Where
from load import Load
from pypsrp.powershell import PowerShell, PSInvocationState, RunspacePool
from stage import PASSWORD, USER, Stage

CLIENT = Pypsrp("pypsrp")


class LeanTarget:
    """The load client's own target, which costs so little that what stands in front of it shows."""

    def __init__(self, authority):
        certificate, key = authority.issued("target", "target.test")
        account = {"user": USER, "password": PASSWORD}
        self.load = Load("target", certificate=str(certificate), key=str(key), account=account)
        self.https = self.load.hear()["port"]

    def port(self, _scheme, _index=0):
        return self.https

    def stop(self):
        self.load.say("")
        self.load.hear()
        self.load.end()


class PsrpStage(Stage):
    """A gateway in front of a lean target."""

    policy = r"""
[roles.operator]
cmdlets = ["Get-Service", "Get-Content"]

[[assignments]]
principals = ['GATEWAY\ops']
targets = ['*']
roles = ["operator"]
"""

    def start_targets(self, _count, _processes):
        return [LeanTarget(self.authority)]

    def lean_routes(self):
        return [self.direct(login="negotiate"), self.through()]

    @contextlib.contextmanager
    def pools(self):
        """One of pypsrp's on each way."""
        name, port = self.ports[0]
        direct, through = Where(port, "https", self.authority.file), self.gateway.where(target=name)
        with (
            CLIENT.wsman(direct, f"GATEWAY\\{USER}", PASSWORD, auth="negotiate") as straight,
            CLIENT.wsman(through, f"GATEWAY\\{USER}", PASSWORD) as around,
            RunspacePool(straight) as one,
            RunspacePool(around) as other,
        ):
            yield {"direct": one, "gateway": other}


def invoke(pool, cmdlet, **parameters):
    """One command in an open pool."""
    shell = PowerShell(pool)
    shell.add_cmdlet(cmdlet)
    shell.add_parameters(parameters)
    output = shell.invoke()
    assert shell.state == PSInvocationState.COMPLETED, shell.streams.error
    return output

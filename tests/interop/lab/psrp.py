"""Sessions of pypsrp, as stock as they come, and what tests look at in them."""

import contextlib

from pypsrp.complex_objects import ObjectMeta, PSCredential
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, PSInvocationState, RunspacePool

from .accounts import PASSWORD
from .clients import Pypsrp

PYPSRP = Pypsrp("pypsrp")
COMPLETED, FAILED, STOPPED = (
    PSInvocationState.COMPLETED,
    PSInvocationState.FAILED,
    PSInvocationState.STOPPED,
)
# Categories of errors, by the number that travels.
PERMISSION_DENIED, RESOURCE_BUSY = 18, 19


NO_SUCH_SHELL = 2150858843


@contextlib.contextmanager
def session(
    path, user="ops", target="web01", scheme="https", pool=None, lasting=True, password=PASSWORD, **options
):
    """An open pool; `pool` are options of RunspacePool, the rest are those of WSMan. One that need not be `lasting`
    may be gone when it is closed."""
    where = path.where(scheme, target)
    with PYPSRP.wsman(where, user, password, **options) as wsman:
        opened = RunspacePool(wsman, **(pool or {}))
        opened.open()
        try:
            yield opened
        finally:
            try:
                opened.close()
            except WSManFaultError as gone:
                if lasting or gone.code != NO_SUCH_SHELL:
                    raise


def command(pool, name, **parameters):
    """One cmdlet, not yet invoked."""
    shell = PowerShell(pool)
    shell.add_cmdlet(name)
    for parameter, value in parameters.items():
        shell.add_parameter(parameter, value)
    return shell


def run(pool, name, **parameters):
    """One cmdlet that completes: its output."""
    return completed(command(pool, name, **parameters))


def completed(shell, input=None):
    output = shell.invoke(input)
    assert shell.state == COMPLETED, [str(e) for e in shell.streams.error]
    return output


def script(pool, text):
    shell = PowerShell(pool)
    shell.add_script(text)
    return shell


def refused(shell, input=None):
    """Invokes what ends with an error: the error that a user sees."""
    shell.invoke(input)
    assert shell.state == FAILED and shell.had_errors, shell.output
    return shell.streams.error[-1]


def secure(pool, text):
    pool.exchange_keys()
    return pool.serialize(text, ObjectMeta("SS"))


def credential(pool, user, text):
    pool.exchange_keys()
    return PSCredential(username=user, password=text)

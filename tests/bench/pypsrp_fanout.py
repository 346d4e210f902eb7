"""How people do it today: pypsrp in threads, one session for each target. A plan, as JSON, on standard input."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

plan = json.load(sys.stdin)


def one(port):
    wsman = WSMan(
        "127.0.0.1",
        port=port,
        ssl=True,
        auth=plan["auth"],
        username=plan["user"],
        password=plan["password"],
        cert_validation=plan["ca"],
        no_proxy=True,
    )
    with wsman, WinRS(wsman) as shell:
        process = Process(shell, plan["program"])
        process.invoke()
        process.signal(SignalCode.CTRL_C)
        return process.stdout.decode().strip()


with ThreadPoolExecutor(plan["threads"]) as pool:
    print("\n".join(pool.map(one, plan["ports"])))

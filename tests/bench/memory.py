"""What an idle session holds: a client that is logged in, its shell, and the connection to its target."""

import time

from load import Load
from machine import resident
from stage import PROGRAM, Stage

TARGETS = 10
GOAL = 64
# As a session settles: what it used while it was busy is given back after a while.
SETTLE = (0.5, 10, 60)


def measure(folder, few):
    sessions = 50 if few else 1000
    found = {}
    for scheme in ("https", "http"):
        with Stage(folder / scheme, "write", count=TARGETS, processes=1) as stage:
            stage.gateway.start()
            routes = [stage.through(t, scheme) for t in range(TARGETS)]
            # What is there for the first session stays for all.
            first = open_all(routes, len(routes))
            finish(first)
            before = resident(stage.pid)
            load = open_all(routes, sessions)
            found[scheme] = settle(stage.pid, before, sessions, SETTLE[:1] if few else SETTLE)
            finish(load)
    return found


def open_all(routes, sessions):
    load = Load("idle", routes=routes, program=PROGRAM, warmup=1, count=sessions, threads=4)
    assert load.hear() == {"open": sessions}
    return load


def settle(pid, before, sessions, waits):
    begun, after = time.monotonic(), {}
    for wait in waits:
        time.sleep(max(0, begun + wait - time.monotonic()))
        after[f"after_{wait:g}_s_kib"] = (resident(pid) - before) / sessions / 1024
    return {"sessions": sessions, "before_mib": before / 2**20, **after}


def finish(load):
    load.say("")
    load.hear()
    load.end()


def rows(found):
    for scheme, r in found.items():
        kib = [(key.split("_")[1], value) for key, value in r.items() if key.endswith("_kib")]
        yield (
            f"memory per idle session, {scheme}, {r['sessions']} sessions",
            ", ".join(f"{value:.1f} KiB after {wait} s" for wait, value in kib),
            f"≤ {GOAL} KiB",
            kib[-1][1] <= GOAL,
        )

"""What the gateway holds while much output of PowerShell remoting passes, whether its client keeps up or not."""

from load import run
from machine import resident
from psrp import PsrpStage

MIB = 2**20
GOAL = 64
# Seconds that the client waits between two answers.
CLIENTS = {"fast": 0, "slow": 0.02}


def measure(folder, few):
    size = (20 if few else 200) * MIB
    return {f"{client}, {shape}": one(folder / f"{client}-{shape}", shape, size, pause)
            for client, pause in CLIENTS.items() for shape in ("lines", "blocks")}


def one(folder, shape, size, pause):
    """With a gateway of its own: the most that it ever had is asked for."""
    with PsrpStage(folder, "write") as stage:
        stage.gateway.start()
        before = resident(stage.pid)
        plan = {"program": shape, "bytes": size, "count": 1, "pause": pause}
        [found] = run("psrp_output", routes=[stage.through()], **plan)["gateway"]
        return {
            "before_mib": before / MIB,
            "most_mib": resident(stage.pid, most=True) / MIB,
            "output_mib": found["bytes"] / MIB,
            "seconds": found["seconds"],
        }


def rows(found):
    for name, r in found.items():
        yield (
            f"memory, {r['output_mib']:.0f} MiB of output, {name}",
            f"{r['most_mib']:.1f} MiB at most ({r['before_mib']:.1f} before), {r['seconds']:.1f} s",
            f"≤ {GOAL} MiB",
            r["most_mib"] <= GOAL,
        )

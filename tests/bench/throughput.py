"""Commands through one gateway by several clients at once, and what each costs the gateway."""

from load import run
from machine import cpu_seconds, spread
from stage import PROGRAM, Stage

CLIENTS = 8


def measure(folder, few):
    seconds, rounds = (1, 1) if few else (8, 3)
    found = {}
    for durability in ("fsync", "write"):
        with Stage(folder / durability, durability, count=2, processes=2) as stage:
            stage.gateway.start()
            found[durability] = [one(stage, seconds) for _ in range(rounds)]
    return {d: {key: spread([r[key] for r in rounds]) for key in rounds[0]} for d, rounds in found.items()}


def one(stage, seconds):
    both = range(len(stage.ports))
    plan = {"program": PROGRAM, "seconds": seconds, "threads": CLIENTS}
    direct = run("throughput", routes=[stage.direct(t) for t in both], **plan)
    before = cpu_seconds(stage.pid)
    through = run("throughput", routes=[stage.through(t) for t in both], **plan)
    used = cpu_seconds(stage.pid) - before
    return {
        "direct_per_s": direct["per_second"],
        "gateway_per_s": through["per_second"],
        "gateway_cpu_ms": used * 1000 / through["commands"],
        "gateway_cores": used / seconds,
    }


def rows(found):
    for durability, r in found.items():
        cost = r["gateway_cpu_ms"]["median"]
        yield (
            f"commands/s, {CLIENTS} clients, audit {durability}",
            f"{r['gateway_per_s']['median']:.0f} (direct {r['direct_per_s']['median']:.0f}); "
            f"{cost:.2f} ms of CPU each = {1000 / cost:.0f}/s and core",
            "",
            None,
        )

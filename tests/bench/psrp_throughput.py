"""Output of PowerShell remoting through the gateway, as a share of what the same client gets from the target itself."""

import statistics
import time

from load import run
from machine import cpu_seconds, spread
from psrp import PsrpStage, invoke

MIB = 2**20
GOAL = 0.9
# Objects as the target puts them out: their name there, and bytes of each.
SHAPES = {"lines": 2000, "blocks": 64 * 1024}


def measure(folder, few):
    lean, stock, rounds = (4 * MIB, MIB, 2) if few else (64 * MIB, 8 * MIB, 7)
    found = {}
    with PsrpStage(folder, "write") as stage:
        stage.gateway.start()
        for shape in SHAPES:
            found[f"lean, {shape}"] = lean_client(stage, shape, lean, rounds)
            found[f"pypsrp, {shape}"] = stock_client(stage, shape, stock, rounds)
    return found


def lean_client(stage, shape, size, rounds):
    plan = {"program": shape, "bytes": size, "warmup": 1, "count": rounds}
    before = cpu_seconds(stage.pid)
    result = run("psrp_output", routes=stage.lean_routes(), **plan)
    used = cpu_seconds(stage.pid) - before
    rates = {way: [r["bytes"] / r["seconds"] / MIB for r in runs] for way, runs in both(result)}
    through = sum(r["bytes"] for r in result["gateway"]) * (rounds + 1) / rounds
    return {**shares(rates), "gateway_cpu_ms_per_mib": used * 1000 / (through / MIB)}


def both(result):
    return ((way, result[way]) for way in ("direct", "gateway"))


def stock_client(stage, shape, size, rounds):
    """pypsrp with one open pool on each way, in turn."""
    count = size // SHAPES[shape]
    rates = {"direct": [], "gateway": []}
    with stage.pools() as pools:
        for turn in range(rounds + 1):
            for way, pool in pools.items():
                begun = time.perf_counter()
                output = invoke(pool, "Get-Content", Path=shape, TotalCount=count)
                took = time.perf_counter() - begun
                assert len(output) == count, len(output)
                if turn:
                    rates[way].append(size / took / MIB)
    return shares(rates)


def shares(rates):
    """Each run through the gateway against the direct ones before and after it would be better still; those beside
    it in turn are near enough."""
    each = [through / direct for direct, through in zip(rates["direct"], rates["gateway"])]
    return {
        "direct_mib_per_s": spread(rates["direct"]),
        "gateway_mib_per_s": spread(rates["gateway"]),
        "share": statistics.median(each),
        "shares": each,
    }


def rows(found):
    for name, r in found.items():
        cost = r.get("gateway_cpu_ms_per_mib")
        yield (
            f"output, {name}",
            f"{r['share'] * 100:.0f} % of direct ({min(r['shares']) * 100:.0f} to {max(r['shares']) * 100:.0f}; "
            f"{r['direct_mib_per_s']['median']:.1f} → {r['gateway_mib_per_s']['median']:.1f} MiB/s"
            + (f"; {cost:.1f} ms of the gateway's CPU for each MiB)" if cost else ")"),
            f"≥ {GOAL * 100:.0f} %",
            r["share"] >= GOAL,
        )

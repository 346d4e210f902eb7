"""What the gateway adds to a command of PowerShell remoting in an open session."""

import time

from latency import added, in_ms, middle, rows  # noqa: F401 (the same rows)
from load import run
from psrp import PsrpStage, invoke


def measure(folder, few):
    count, rounds = (40, 1) if few else (1200, 3)
    return {durability: one(folder / durability, durability, count, rounds) for durability in ("fsync", "write")}


def one(folder, durability, count, rounds):
    with PsrpStage(folder, durability) as stage:
        stage.gateway.start()
        lean = [lean_client(stage, count) for _ in range(rounds)]
        stock = [stock_client(stage, count // 3) for _ in range(rounds)]
        return {"PSRP, lean": middle(lean), "PSRP, pypsrp": middle(stock)}


def lean_client(stage, count):
    return in_ms(run("psrp_latency", routes=stage.lean_routes(), warmup=count // 10, count=count))


def stock_client(stage, count):
    """pypsrp with one open pool on each way, command by command in turn."""
    taken = {"direct": [], "gateway": []}
    with stage.pools() as pools:
        for turn in range(count + count // 10):
            for way, pool in pools.items():
                begun = time.perf_counter()
                output = invoke(pool, "Get-Service", Name="Spooler")
                took = time.perf_counter() - begun
                assert len(output) == 1, output
                if turn >= count // 10:
                    taken[way].append(took * 1000)
    return added(taken["direct"], taken["gateway"])

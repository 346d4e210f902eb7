"""What the gateway adds to a command in an open shell, compared with the same client at the target itself."""

import statistics
import time

from lab.clients import Pypsrp, Where, invoke
from load import run
from machine import percentile
from stage import PASSWORD, PROGRAM, USER, Stage


def measure(folder, few):
    count, rounds = (40, 1) if few else (1500, 3)
    return {
        durability: one(folder / durability, durability, count, rounds) for durability in ("fsync", "write")
    }


def one(folder, durability, count, rounds):
    with Stage(folder, durability) as stage:
        stage.gateway.start()
        lean = [lean_client(stage, count) for _ in range(rounds)]
        stock = [stock_client(stage, count // 3) for _ in range(rounds)]
        return {"lean": middle(lean), "pypsrp": middle(stock)}


def lean_client(stage, count):
    routes = [stage.direct(), stage.through()]
    return in_ms(run("latency", routes=routes, program=PROGRAM, warmup=count // 10, count=count))


def in_ms(found):
    """What the load client found on both ways."""
    ms = {way: {part: [t / 1000 for t in found[way][part]] for part in found[way]} for way in ("direct", "gateway")}
    parts = {
        part: statistics.median(ms["gateway"][part]) - statistics.median(ms["direct"][part])
        for part in ("command", "receive", "signal")
    }
    return {**added(ms["direct"]["whole"], ms["gateway"]["whole"]), "added_median_of_parts_ms": parts}


def stock_client(stage, count):
    """pypsrp with one open shell on each way, command by command in turn."""
    client, taken = Pypsrp("pypsrp"), {"direct": [], "gateway": []}
    name, port = stage.ports[0]
    direct = Where(port, "https", stage.authority.file)
    with (
        client.shell(direct, f"GATEWAY\\{USER}", PASSWORD) as straight,
        client.shell(stage.gateway.where(target=name), f"GATEWAY\\{USER}", PASSWORD) as through,
    ):
        for turn in range(count + count // 10):
            for way, shell in (("direct", straight), ("gateway", through)):
                begun = time.perf_counter()
                result = invoke(shell, PROGRAM)
                took = time.perf_counter() - begun
                assert result.code == 0 and result.out, result
                if turn >= count // 10:
                    taken[way].append(took * 1000)
    return added(taken["direct"], taken["gateway"])


def added(direct, gateway):
    def at(share):
        one, other = percentile(direct, share), percentile(gateway, share)
        return {"direct_ms": one, "gateway_ms": other, "added_ms": other - one}

    return {"count": len(direct), "median": at(0.5), "p90": at(0.9), "p99": at(0.99)}


def middle(rounds):
    """The round whose added median is the median of all."""
    ordered = sorted(rounds, key=lambda r: r["median"]["added_ms"])
    chosen = ordered[len(ordered) // 2]
    every = [{s: r[s]["added_ms"] for s in ("median", "p90", "p99")} for r in rounds]
    return {**chosen, "added_ms_of_all_rounds": every}


def rows(found):
    for durability, clients in found.items():
        for client, r in clients.items():
            m, p = r["median"], r["p99"]
            yield (
                f"added per command, {client}, audit {durability}",
                f"{m['added_ms']:+.2f} ms median ({m['direct_ms']:.2f} → {m['gateway_ms']:.2f}), "
                f"{p['added_ms']:+.2f} ms p99 ({p['direct_ms']:.2f} → {p['gateway_ms']:.2f})",
                "≤ 1 ms, ≤ 5 ms",
                m["added_ms"] <= 1 and p["added_ms"] <= 5,
            )

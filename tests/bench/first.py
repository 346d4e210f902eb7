"""A whole session with one command: two logins through the gateway, one at the target itself."""

from load import run
from machine import percentile
from stage import PROGRAM, Stage


def measure(folder, few):
    count = 10 if few else 300
    with Stage(folder) as stage:
        stage.gateway.start()
        routes = [
            stage.direct(login="negotiate", name="direct, NTLM"),
            stage.direct(name="direct, CredSSP"),
            stage.through(),
        ]
        found = run("first", routes=routes, program=PROGRAM, warmup=count // 10, count=count)
        return {
            route["name"]: {
                part: {s: percentile(times, q) / 1000 for s, q in (("median_ms", 0.5), ("p99_ms", 0.99))}
                for part, times in found[route["name"]].items()
            }
            for route in routes
        }


def rows(found):
    for name, r in found.items():
        yield (
            f"first command, {name}",
            f"login {r['login']['median_ms']:.1f} ms, first output {r['first']['median_ms']:.1f} ms "
            f"(p99 {r['first']['p99_ms']:.1f}), whole session {r['whole']['median_ms']:.1f} ms",
            "",
            None,
        )

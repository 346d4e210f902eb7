"""One command on many targets: the agent through the gateway, and pypsrp with threads straight to the targets."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from lab.gateway import ROOT
from machine import cpu_seconds, spread
from stage import PASSWORD, PROGRAM, USER, Stage

AGENT = os.environ.get("SEKISHO_AGENT_BIN", ROOT / "target/release/sekisho")
PEER = Path(__file__).parent / "pypsrp_fanout.py"
TARGETS, AT_ONCE, PROCESSES = 100, 32, 2


def measure(folder, few):
    rounds = 1 if few else 7
    found = {}
    for durability in ("fsync", "write"):
        with Stage(folder / durability, durability, count=TARGETS, processes=PROCESSES) as stage:
            stage.gateway.start()
            ways = {"agent": agent(stage), "pypsrp, NTLM": peer(stage, "ntlm"), "pypsrp, CredSSP": peer(stage, "credssp")}
            taken = {name: [] for name in ways}
            for turn in range(rounds + 1):
                for name, (words, stdin) in ways.items():
                    used = child(words, stdin, stage.pid)
                    if turn or few:
                        taken[name].append(used)
            found[durability] = {
                name: {key: spread([r[key] for r in rounds]) for key in rounds[0]} for name, rounds in taken.items()
            }
    return found


def agent(stage):
    names = ",".join(name for name, _port in stage.ports)
    login = ["--gateway", f"https://127.0.0.1:{stage.gateway.ports['https']}", "--user", USER, "--password-stdin"]
    words = [AGENT, "exec", *login, "--ca", stage.authority.file, "--target", names, "--throttle", AT_ONCE]
    return [*words, "--output", "jsonl", "--", r"C:\Windows\System32\hostname.exe"], PASSWORD + "\n"


def peer(stage, auth):
    plan = {"ports": [port for _name, port in stage.ports], "ca": str(stage.authority.file), "auth": auth}
    plan |= {"user": f"GATEWAY\\{USER}", "password": PASSWORD, "threads": AT_ONCE, "program": PROGRAM}
    return [sys.executable, PEER], json.dumps(plan)


def child(words, stdin, gateway):
    """One run of a program, its start included: wall and processor time; and the gateway's meanwhile."""
    before, begun = cpu_seconds(gateway), time.perf_counter()
    process = subprocess.Popen(
        [str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(stdin)
    process.stdin.close()
    out = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    errors = process.stderr.read()
    process.returncode = os.waitstatus_to_exitcode(status)
    answered = sum(f"target{n + 1}" in out for n in range(TARGETS // PROCESSES))
    if process.returncode or answered < TARGETS // PROCESSES:
        raise SystemExit(f"{words[0]} ended with {process.returncode}\n{out[-2000:]}\n{errors[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "wall_s": wall,
        "client_cpu_ms_per_target": cpu * 1000 / TARGETS,
        "gateway_cpu_ms_per_target": (cpu_seconds(gateway) - before) * 1000 / TARGETS,
    }


def rows(found):
    for durability, ways in found.items():
        ours = ways["agent"]
        for name, r in ways.items():
            wall, cpu = r["wall_s"]["median"], r["client_cpu_ms_per_target"]["median"]
            text = f"{wall:.2f} s, {cpu:.2f} ms of client CPU per target"
            if name == "agent":
                gateway = r["gateway_cpu_ms_per_target"]["median"]
                yield f"{TARGETS} targets, {name}, audit {durability}", f"{text}, {gateway:.2f} of the gateway's", "", None
                continue
            wall_ratio = ours["wall_s"]["median"] / wall
            cpu_ratio = ours["client_cpu_ms_per_target"]["median"] / cpu
            yield (
                f"{TARGETS} targets, {name}",
                f"{text}; the agent: × {wall_ratio:.2f} and × {cpu_ratio:.3f}",
                "≤ 1, ≤ 0.2",
                wall_ratio <= 1 and cpu_ratio <= 0.2,
            )

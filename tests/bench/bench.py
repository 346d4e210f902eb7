"""Measures, prints a table, and writes everything down. Started by `run`."""

import argparse
import datetime
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import machine

# The lab of the interop tests: targets, gateway, certificates, stock clients.
sys.path.append(str(Path(__file__).resolve().parent.parent / "interop"))

PARTS = (
    "latency",
    "first",
    "throughput",
    "logins",
    "memory",
    "fanout",
    "psrp-latency",
    "psrp-throughput",
    "psrp-memory",
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--quick", action="store_true", help="few of each: to see that it works")
    parser.add_argument("--json", type=Path, help="where to write everything")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    unknown = set(chosen.only) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return chosen


def main():
    chosen = arguments()
    facts = {"taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), **machine.facts()}
    print(f"{facts['cpu']}, {facts['cores']} cores, load {facts['load_at_start'][0]}; {facts['taken']}", flush=True)
    result = {"machine": facts, "quick": chosen.quick, "parts": {}}
    folder = Path(tempfile.mkdtemp(prefix="sekisho-bench-"))
    try:
        for name in chosen.only:
            part = importlib.import_module(name.replace("-", "_"))
            begun = time.monotonic()
            load = round(os.getloadavg()[0], 2)
            found = part.measure(folder / name, chosen.quick)
            result["parts"][name] = {"load_before": load, "found": found}
            print(f"\n{name} ({time.monotonic() - begun:.0f} s)", flush=True)
            table(part.rows(found))
            if chosen.json:
                chosen.json.write_text(json.dumps(result, indent=1))
    finally:
        shutil.rmtree(folder)


def table(rows):
    for what, value, goal, reached in rows:
        verdict = "" if reached is None else ("reached" if reached else "MISSED")
        print(f"  {what:52} {value}" + (f"   [goal {goal}: {verdict}]" if goal else ""), flush=True)


if __name__ == "__main__":
    main()

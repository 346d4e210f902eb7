"""The machine: what it is, what processes use of it, and where they may run."""

import contextlib
import os
import platform
import re
import statistics
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
# The processor of the gateway where it is measured alone, and the one of everything else.
MEASURED, OTHERS = {0}, {1}


def facts():
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory.group(1)) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_at_start": [round(x, 2) for x in os.getloadavg()],
    }


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid, most=False):
    """Bytes that a process has in memory, or has had at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    name = "VmHWM" if most else "VmRSS"
    return int(re.search(rf"{name}:\s*(\d+)", status).group(1)) * 1024


@contextlib.contextmanager
def pinned(processors):
    """Programs that are started here run on these processors alone."""
    before = os.sched_getaffinity(0)
    if processors <= before:
        os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values):
    """Minimum, median and maximum of a few runs."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "runs": len(values)}

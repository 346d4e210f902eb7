"""The load client: see load/main.rs."""

import json
import os
import resource
import subprocess

BINARY = os.environ.get("SEKISHO_LOAD_BIN", "target/release/examples/load")


class Load:
    """One run of it."""

    def __init__(self, mode, **plan):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([BINARY], **pipes)
        self.say(json.dumps({"mode": mode, **plan}))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the load client ended with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait():
            raise SystemExit(f"the load client ended with {self.process.returncode}")


def run(mode, **plan):
    """What it found, with the processor time that it took itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    load = Load(mode, **plan)
    found = load.hear()
    load.end()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found["client_cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found

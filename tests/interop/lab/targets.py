"""The independent targets, as one process with a log and a control port."""

import json
import sys
import urllib.request
from pathlib import Path

from .processes import Program, poll

PROGRAM = Path(__file__).parent.parent / "target.py"


class Targets:
    def __init__(self, folder, authority, users, count=1, options=(), environment=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log_file, ready = folder / "seen.jsonl", folder / "ready.json"
        known = folder / "users.json"
        known.write_text(json.dumps(users))
        certificate, key = authority.issued("target", "target.test")
        words = [sys.executable, PROGRAM, "--users", known, "--log", self.log_file, "--count", count]
        words += ["--mode", "free", "--ready", ready, "--http-base", 1, "--https-base", 1]
        words += ["--cert", certificate, "--key", key, *options]
        self.program = Program(words, folder / "target.out", environment=environment)
        self.program.until(ready.exists, "the targets are not ready")
        self.ready = json.loads(ready.read_text())
        self.begin = 0

    def port(self, scheme, index=0):
        return self.ready["targets"][index][scheme]

    def stop(self):
        self.program.stop()

    # ---- the control port
    def ask(self, what, **body):
        data = json.dumps(body).encode() if body else None
        url = f"http://127.0.0.1:{self.ready['control']}/{what}"
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
            return json.loads(answer.read())

    def inject(self, *faults):
        """See the head of target.py: [IDX:]KIND=VALUE[@Action][#TIMES]"""
        for fault in faults:
            self.ask("fault", spec=fault)

    def forget_faults(self):
        self.ask("heal")

    def forget(self):
        """No faults and no shells any more, and a log that begins here."""
        self.ask("clear")
        self.begin = len(self.log_file.read_text().splitlines())

    def shells(self):
        return sum(t["shells"] for t in self.ask("state").values())

    def commands(self):
        return sum(t["commands"] for t in self.ask("state").values())

    # ---- the log of what really arrived
    def seen(self, *kinds, **facts):
        lines = self.log_file.read_text().splitlines()[self.begin :]
        events = [json.loads(line) for line in lines]
        return [
            e
            for e in events
            if (not kinds or e["ev"] in kinds) and all(e.get(k) == v for k, v in facts.items())
        ]

    def ran(self, times):
        """That programs ran so often. A program starts a moment after its command was answered."""
        poll(lambda: len(self.seen("run")) >= times, lambda: f"{times} should have run: {self.seen('run')}")
        assert len(self.seen("run")) == times

    def nothing_left(self):
        poll(lambda: self.shells() == 0, lambda: f"shells are left on the target: {self.ask('state')}")

"""Starting, watching and ending programs; waiting with a bound."""

import os
import resource
import signal
import socket
import subprocess
import time

PATIENCE = 30.0
PAUSE = 0.02


def poll(condition, what, patience=PATIENCE):
    """The first true value of `condition`, asked again and again; an error that says `what` when there is none."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {patience:g} s: {what() if callable(what) else what}")
        time.sleep(PAUSE)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """One child process whose output goes to a file."""

    def __init__(self, words, output, longest_file=0, environment=None):
        self.output = output

        def limit():
            # A file that is too long is then an error like a full disk, and not the end of the program.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (longest_file, longest_file))

        with open(output, "ab") as f:
            self.process = subprocess.Popen(
                [str(w) for w in words],
                stdin=subprocess.DEVNULL,
                stdout=f,
                stderr=subprocess.STDOUT,
                preexec_fn=limit if longest_file else None,
                env={**os.environ, **(environment or {})},
            )
        self.words = words

    @property
    def pid(self):
        return self.process.pid

    def tail(self, lines=40):
        text = self.output.read_text(errors="replace").splitlines()
        return "\n".join([f"{self.words[0]} ended with {self.process.poll()}; its output:"] + text[-lines:])

    def alive(self):
        return self.process.poll() is None

    def until(self, condition, what, patience=PATIENCE):
        """Like poll, but given up at once when the program ends."""

        def check():
            value = condition()
            if not value and not self.alive():
                raise AssertionError(self.tail())
            return value

        return poll(check, lambda: f"{what}\n{self.tail()}", patience)

    def stop(self, patience=20):
        """Asks it to end; the exit code. Killed, and None, when it does not."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return None
        return self.process.returncode

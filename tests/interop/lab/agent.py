"""The agent, as a user runs it."""

import os
import subprocess
from pathlib import Path

from .clients import Result

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("SEKISHO_AGENT_BIN", ROOT / "target/debug/sekisho"))


def run(where, user, password, *program, target, timeout=20):
    """One job: the agent's exit code and its output as JSON lines."""
    line = [BINARY, "exec", "--gateway", f"https://{where.host}:{where.port}", "--ca", where.ca, "--user", user]
    line += ["--password-stdin", "--target", target, "--timeout", timeout, "--output", "jsonl", "--", *program]
    done = subprocess.run(
        [str(word) for word in line], input=password.encode() + b"\n", capture_output=True, timeout=timeout + 40
    )
    return Result(done.returncode, done.stdout, done.stderr)


def run_powershell(where, user, password, *words, target, form="--jsonl", timeout=20, options=(), input=b""):
    """`sekisho run`: the agent's exit code and what it wrote."""
    line = [BINARY, "run", "--gateway", f"https://{where.host}:{where.port}", "--ca", where.ca, "--user", user]
    line += ["--password-stdin", "--target", target, "--timeout", timeout, *([form] if form else []), *options]
    line += ["--", *words] if words else []
    stdin = password.encode() + b"\n" + input
    done = subprocess.run(
        [str(word) for word in line], input=stdin, capture_output=True, timeout=timeout + 40
    )
    return Result(done.returncode, done.stdout, done.stderr)

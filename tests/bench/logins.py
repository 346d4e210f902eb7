"""CredSSP logins that one core of the gateway takes, beside the RSA-2048 signatures that it could make."""

import re
import subprocess

from load import run
from machine import MEASURED, OTHERS, cpu_seconds, pinned, spread
from stage import Stage

CLIENTS = 4
GOAL = 0.7


def measure(folder, few):
    seconds, rounds = (1, 1) if few else (6, 5)
    found = {}
    for durability in ("fsync", "write"):
        with Stage(folder / durability, durability) as stage:
            with pinned(MEASURED):
                stage.gateway.start()
            for scheme in ("http", "https"):
                found[f"{scheme}, audit {durability}"] = summary(
                    [one(stage, scheme, seconds) for _ in range(rounds)], 2 if scheme == "https" else 1
                )
            key = stage.folder / "gateway" / "tls" / "credssp.key"
            found["openssl_per_s"] = openssl(key.parent, few)
    return found


def one(stage, scheme, seconds):
    """Signatures before and after, so that a machine that changes its pace shows."""
    key = str(stage.folder / "gateway" / "tls" / "credssp.key")
    signatures = []

    def sign():
        with pinned(MEASURED):
            s = run("signing", key=key, seconds=seconds / 4)
        signatures.append(s["signatures"] / s["client_cpu_s"])

    sign()
    before = cpu_seconds(stage.pid)
    with pinned(OTHERS):
        logins = run("logins", routes=[stage.through(scheme=scheme)], seconds=seconds, threads=CLIENTS)
    used = cpu_seconds(stage.pid) - before
    sign()
    return {
        "logins_per_s": logins["per_second"],
        "logins_per_cpu_s": logins["logins"] / used,
        "gateway_busy": used / seconds,
        "client_cpu_ms": logins["client_cpu_s"] * 1000 / logins["logins"],
        "signatures_per_cpu_s": sum(signatures) / len(signatures),
    }


def summary(rounds, signatures):
    """A login over HTTPS with an RSA certificate outside takes two signatures."""
    for r in rounds:
        r["share"] = r["logins_per_cpu_s"] * signatures / r["signatures_per_cpu_s"]
    return {"signatures_each": signatures, **{key: spread([r[key] for r in rounds]) for key in rounds[0]}}


def openssl(folder, few):
    """What OpenSSL signs, for comparison."""
    with pinned(MEASURED):
        words = ["openssl", "speed", "-seconds", "1" if few else "3", "rsa2048"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder)
    found = re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", done.stdout)
    return float(found.group(1)) if found else None


def rows(found):
    for name, r in found.items():
        if not isinstance(r, dict):
            continue
        yield (
            f"CredSSP logins/s and core, {name}",
            f"{r['logins_per_cpu_s']['median']:.0f} by CPU, {r['logins_per_s']['median']:.0f} by the clock; "
            f"{r['signatures_each']} × RSA-2048 at {r['signatures_per_cpu_s']['median']:.0f}/s "
            f"= {r['share']['median'] * 100:.0f} %",
            f"≥ {GOAL * 100:.0f} %",
            r["share"]["median"] >= GOAL,
        )

"""The real PowerShell that tests need, and played as a client of WinRM.

It is the host program of the archive beside the repository, or what SEKISHO_ENGINE names (a command line); with
SEKISHO_ENGINE=required there has to be one of the two. tests/src/engine.rs takes `pwsh` for some tasks, too: it can
neither be typed at line by line nor has it the make-believe services that are typed about here."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from . import scenarios
from .gateway import ROOT

VARIABLE, REQUIRED = "SEKISHO_ENGINE", "required"
ARCHIVE = ROOT.parent / "shared/engine/powershell-engine-linux-x64.tar.xz"
# .NET does not start without the ICU library unless this is set.
WITHOUT_ICU = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"
STAND_IN = Path(__file__).with_name("ssh.py")
RESTRICTED = f"-ConfigurationFile {scenarios.RESTRICTED}"
PATIENCE = 120
# What differs from run to run: ids, how far a session has come that closes, and what PowerShell says of the
# transport's end, when nobody reads any more.
NOISE = [
    (r'^.*An unknown element "" was received.*\n', ""),
    (r"^E: Object reference not set to an instance of an object\.\n", ""),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "GUID"),
    (r"\bClosing\b", "Closed"),
    (r"\(reference [0-9a-f]{12}\)", "(reference)"),
]


def words(unpack):
    """The command line of the host program, or why there is none."""
    given = os.environ.get(VARIABLE, "").split()
    if given and given != [REQUIRED]:
        if Path(given[0]).stem == "pwsh":
            return None, f"{VARIABLE} names pwsh, which cannot do it"
        return given, None
    if ARCHIVE.is_file():
        return [str(unpack())], None
    return None, f"{VARIABLE} is not a command line, and ../shared/engine is missing"


def find(task, unpack):
    command, why = words(unpack)
    if command:
        starts(command)
        return [*command, task]
    why = f"no PowerShell for '{task}': {why}"
    if os.environ.get(VARIABLE, "").strip() == REQUIRED:
        pytest.fail(f"{VARIABLE} is {REQUIRED}, but {why}")
    pytest.skip(why)


def starts(command):
    """A program that dies at its start would look like a test that failed."""
    for culture in ({}, {WITHOUT_ICU: "1"}):
        environment = {**os.environ, **culture}
        tried = subprocess.run(
            [*command, "parse"], stdin=subprocess.DEVNULL, capture_output=True, env=environment
        )
        if tried.returncode == 0:
            os.environ.update(culture)
            return
    pytest.fail(f"{command[0]} does not start: see whether its libraries are here")


def unpacked(folder):
    """The program of the archive, unpacked once into a folder."""
    home = folder / "powershell-engine"
    if not home.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-xJf", ARCHIVE, "-C", folder], check=True)
    return home / "engine"


class Client:
    """PowerShell that is typed at, with all its sessions carried over WinRM to one listener."""

    def __init__(self, command, folder, where, user, password, **settings):
        self.command, self.folder, self.where = command, folder, where
        folder.mkdir(parents=True, exist_ok=True)
        self.capture = folder / "client.jsonl"
        secret = folder / "password"
        secret.touch(0o600)
        secret.write_text(password)
        stand_in = folder / "bin" / "ssh"
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {STAND_IN} "$@"\n')
        stand_in.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{stand_in.parent}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAB_SERVER_PATH": os.environ["PATH"],
            "LAB_PORT": str(where.port),
            "LAB_SCHEME": where.scheme,
            "LAB_PATH": where.path,
            "LAB_CA": str(where.ca),
            "LAB_USER": user,
            "LAB_PASSWORD_FILE": str(secret),
            "LAB_CAPTURE": str(self.capture),
            **settings,
        }

    def play(self, script, *answers, **environment):
        """What a person sees who types this, line by line, and answers questions so."""
        file = self.folder / "typed.ps1"
        file.write_text(script)
        self.capture.write_text("")
        done = subprocess.run(
            [*self.command, str(file), *answers],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
        )
        return done.stdout + done.stderr

    def scenario(self, name, then="", **environment):
        """What a person sees who types one of the scenarios (and something `then`, before the session is closed);
        without what differs from run to run."""
        typed = re.sub(r"^(?=Remove-PSSession \$s)", f"{then}\n", scenarios.typed(name), flags=re.M)
        answers = scenarios.ANSWERS.get(name, ())
        seen = self.play(typed, *answers, SCENARIO_FILE=str(scenarios.SCRIPT_FILE), **environment)
        for pattern, instead in NOISE:
            seen = re.sub(pattern, instead, seen, flags=re.M)
        return seen

    def said(self, *types, way="client"):
        """The messages of the last play, as the stand-in saw them."""
        lines = [json.loads(line) for line in self.capture.read_text().splitlines()]
        return [m for m in lines if m["way"] == way and (not types or m["type"] in types)]

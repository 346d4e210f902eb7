"""What a person types at PowerShell (tests/data/powershell), what PowerShell made of it when that was recorded
(tests/data/psrp), and a policy that allows it."""

import gzip
import hashlib
import json
import re

from engine_target.pipelines import statements

from .gateway import ROOT

FOLDER = ROOT / "tests/data/powershell"
RECORDED = ROOT / "tests/data/psrp"
NAMES = sorted(file.stem for file in FOLDER.glob("[0-9]*.ps1"))
SCRIPT_FILE = FOLDER / "script-file.ps1"
RESTRICTED = FOLDER / "jea.pssc"
# What whoever types answers to its questions.
ANSWERS = {"08-host-calls": ("alice", "secret", "y", "pw", "field")}

PARAM = re.compile(r"\s*param\s*\(([^)]*)\)", re.I)
VARIABLE = re.compile(r"\$(\w+)")
USING = re.compile(r"\$using:(\w+)", re.I)
# Of these scripts, what takes secrets and nothing else.
SECURE = {"sec", "cred", "c"}


def typed(name):
    """The lines as they are typed; what was recorded for its bytes alone is looked at here."""
    lines = (FOLDER / f"{name}.ps1").read_text().splitlines()
    if name == "04-values":
        # A process looks different each time.
        lines = [line.removesuffix(" | Out-Null") for line in lines if "$PID" not in line]
    return "\n".join(lines)


def recorded(name):
    """What the client of the recording asked for: one list of commands for each statement of each pipeline."""
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt") as lines:
        packets = [json.loads(line) for line in lines]
    asked = [p for p in packets if p["way"] == "client" and p.get("message") == "CREATE_PIPELINE"]
    return [statement for p in asked for statement in statements(p["clixml"])]


def scripts(name):
    """The texts that travelled as text, each once."""
    texts = [text for statement in recorded(name) for text, is_script, _ in statement if is_script]
    return list(dict.fromkeys(texts))


def entries(names):
    known = (f'{{ name = "{n}"{", secure = true" if n.lower() in SECURE else ""} }}' for n in names)
    return f"[{', '.join(known)}]"


def pinned(role, name, text, **more):
    """A script in the policy: its entry, and the file that it names."""
    file = f"scripts/{name}.ps1"
    digest = hashlib.sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()
    lines = [f"[[roles.{role}.scripts]]", f'name = "{name}"', f'file = "{file}"', f'sha256 = "{digest}"']
    declared = PARAM.match(text)
    if declared:
        lines.append(f"parameters = {entries(VARIABLE.findall(declared[1]))}")
    used = dict.fromkeys(u.lower() for u in USING.findall(text))
    if used:
        lines.append(f"using = {entries(used)}")
    lines += [f"{key} = {value}" for key, value in more.items()]
    return "\n".join(lines), file, text


def pinned_of(name, role, **more):
    """The scripts of a scenario as the policy has them."""
    return [pinned(role, f"{name}-{i}", text, **more) for i, text in enumerate(scripts(name), 1)]

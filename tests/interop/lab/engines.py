"""A gateway in front of real PowerShell: its targets, its policy, and a client that is typed at."""

from . import scenarios
from .gateway import Gateway

# What each target of the gateway is: one of the two kinds of PowerShell behind the front.
FULL, RESTRICTED = 0, 1
TARGETS = {"web01": FULL, "web02": FULL, "web03": FULL, "jea01": RESTRICTED}
# Which target is meant by the names of the recorded scenarios.
HOSTS = {"localhost": "web01", "host1": "web01", "host2": "web02", "host3": "web03"}

COMMANDS = """
[roles.operator]
description = "What the scenarios type as commands"
cmdlets = ["Get-Service", "Restart-Service", "Where-Object", "Select-Object"]

[roles.s08]
cmdlets = [{ name = "Restart-Service", prompts = true }]

[roles.asking]
cmdlets = [{ name = "Read-Host", prompts = true }, { name = "Get-Credential", prompts = true }]

[roles.silent]
description = "The same, but nobody is asked"
cmdlets = ["Read-Host", "Get-Credential"]

[roles.one-command]
cmdlets = ["Get-Service"]

[roles.jea]
description = "What the restricted endpoint shows, too"
cmdlets = [
    "Get-Service",
    { name = "Restart-Service", parameters = [{ name = "Name", validate_set = ["Spooler", "W32Time"] }, "Force"] },
]
"""
ASSIGNMENTS = """
[[assignments]]
principals = ['GATEWAY\\ops']
targets = ['web*']
roles = [ROLES]

[[assignments]]
principals = ['GATEWAY\\ops']
targets = ['jea01']
roles = ["jea"]

[[assignments]]
principals = ['GATEWAY\\viewer']
targets = ['web*']
roles = ["silent"]

[[assignments]]
principals = ['GATEWAY\\other']
targets = ['web*', 'jea01']
roles = ["one-command"]
"""
# In the second hop nothing can be allowed yet, and pinning a text would send it to where it may do anything.
NEVER_PINNED = {"30-hop"}
# The scripts in which PowerShell at the target asks whoever types.
PROMPTS = {"08-host-calls"}


def policy(extra="", scripts=(), roles=()):
    """The text of the policy, and the files that it pins: {path: text}."""
    parts, files, names = [COMMANDS], {}, ["operator", "asking", *roles]
    known = [
        (f"s{name[:2]}", name) for name in scenarios.NAMES if name not in NEVER_PINNED and name[:1] != "2"
    ]
    entries = list(scripts)
    for role, name in known:
        more = {"prompts": "true"} if name in PROMPTS else {}
        made = scenarios.pinned_of(name, role, **more)
        entries += made
        names += [role] * bool(made)
    for entry, file, text in entries:
        parts.append(entry)
        files[file] = text
    listed = ", ".join(f'"{name}"' for name in names)
    return "\n\n".join([*parts, ASSIGNMENTS.replace("ROLES", listed), extra]), files


class EngineGateway(Gateway):
    """A gateway whose targets are PowerShell."""

    def __init__(self, installation, folder, authority, targets, policy_and_files=None, **options):
        text, files = policy_and_files or policy()
        super().__init__(installation, folder, authority, targets, policy=text, **options)
        for name, content in files.items():
            file = self.policy_file.parent / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)

    def target_table(self):
        tables = []
        for name, kind in TARGETS.items():
            endpoint = "full" if kind == FULL else "restricted"
            tables.append(
                f'[targets.{name}]\naddress = "127.0.0.1"\nport = {self.targets.port("https", kind)}\n'
                f'ca = "{self.authority.file}"\nedition = "7"\nendpoint = "{endpoint}"\n{self.options.target_extra}'
            )
        return "\n".join(tables)

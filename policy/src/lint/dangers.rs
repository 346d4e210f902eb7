//! Commands and programs that no allowlist should hold, each with the reason.

use std::sync::LazyLock;

use crate::command_pattern::CommandPattern;

/// Commands of one kind, and why they are dangerous.
pub(super) struct Danger {
    /// Names, perhaps with `*`.
    names: &'static [&'static str],
    pub(super) when: When,
    pub(super) why: &'static str,
    pub(super) instead: &'static str,
}

/// In which rules they are.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// In every rule.
    Always,
    /// Where one of these parameters takes any value.
    Free(&'static [&'static str]),
}

/// Parameters that take paths.
const PATHS: &[&str] =
    &["Path", "LiteralPath", "FilePath", "Destination", "DestinationPath", "OutFile", "Name", "NewName"];

const DANGERS: &[Danger] = &[
    Danger {
        names: &["Invoke-Expression"],
        when: When::Always,
        why: "it runs text as code, so that the rule allows everything",
        instead: "name the commands that are needed, or pin a script",
    },
    Danger {
        names: &[
            "Invoke-Command",
            "Enter-PSSession",
            "New-PSSession",
            "Connect-PSSession",
            "Receive-PSSession",
            "Import-PSSession",
            "Export-PSSession",
            "Enter-PSHostProcess",
        ],
        when: When::Always,
        why: "it opens another session, whose commands this policy does not judge",
        instead: "let users reach the other target through the gateway",
    },
    Danger {
        names: &["Start-Process", "Invoke-Item"],
        when: When::Always,
        why: "it starts any program or file, outside the rules for programs",
        instead: "write a program rule with the program's path",
    },
    Danger {
        names: &["Start-Job", "Start-ThreadJob", "Receive-Job", "Wait-Job", "Debug-Job", "Suspend-Job", "Resume-Job"],
        when: When::Always,
        why: "jobs run in a new session without the restrictions of this one",
        instead: "name the commands that are needed",
    },
    Danger {
        names: &[
            "Register-ScheduledJob",
            "Set-ScheduledJob",
            "Register-ScheduledTask",
            "Set-ScheduledTask",
            "New-ScheduledTaskAction",
            "New-ScheduledTask",
            "Add-JobTrigger",
            "Set-JobTrigger",
        ],
        when: When::Always,
        why: "it has any program run later, under another account",
        instead: "allow Start-ScheduledTask with the names of tasks that are there",
    },
    Danger {
        names: &[
            "Set-PSBreakpoint",
            "Enable-PSBreakpoint",
            "Set-PSDebug",
            "Debug-Process",
            "Debug-Runspace",
            "Enable-RunspaceDebug",
            "Disable-RunspaceDebug",
            "Wait-Debugger",
            "__*",
        ],
        when: When::Always,
        why: "debuggers run code inside commands that are trusted",
        instead: "debug at the target itself",
    },
    Danger {
        names: &["Update-TypeData", "Update-FormatData"],
        when: When::Always,
        why: "types and formats hold script blocks that run without restrictions",
        instead: "change the target's own configuration",
    },
    Danger {
        names: &["Trace-Command", "Measure-Command"],
        when: When::Always,
        why: "it runs the expression that it is given",
        instead: "name the commands that are needed",
    },
    Danger {
        names: &["Set-Alias", "New-Alias", "Import-Alias"],
        when: When::Always,
        why: "an alias makes a name that is allowed run something else",
        instead: "write `aliases` in the role",
    },
    Danger {
        names: &["Set-Variable", "New-Variable", "Clear-Variable", "Remove-Variable"],
        when: When::Always,
        why: "functions of the session and its preferences depend on variables",
        instead: "write values into the commands that need them",
    },
    Danger {
        names: &[
            "Add-Type",
            "New-Object",
            "Import-Module",
            "New-Module",
            "Install-Module",
            "Install-Script",
            "Install-Package",
            "Save-Module",
            "Use-Transaction",
        ],
        when: When::Always,
        why: "it loads or creates code of the sender's choice",
        instead: "have the module on the target, and name its commands",
    },
    Danger {
        names: &["Register-*Event", "Unregister-Event", "New-Event"],
        when: When::Always,
        why: "an event's action is a script block that runs later",
        instead: "watch from a machine of your own",
    },
    Danger {
        names: &[
            "Set-PSSessionConfiguration",
            "Register-PSSessionConfiguration",
            "Unregister-PSSessionConfiguration",
            "Enable-PSSessionConfiguration",
            "Disable-PSSessionConfiguration",
            "New-PSSessionConfigurationFile",
            "New-PSRoleCapabilityFile",
            "Enable-PSRemoting",
            "Disable-PSRemoting",
            "Set-WSManInstance",
            "New-WSManInstance",
            "Set-WSManQuickConfig",
            "Enable-WSManCredSSP",
            "Connect-WSMan",
            "Set-ExecutionPolicy",
        ],
        when: When::Always,
        why: "it changes who may do what on the target, past the gateway",
        instead: "change it in the target's configuration management",
    },
    Danger {
        names: &[
            "Invoke-CimMethod",
            "Invoke-WmiMethod",
            "Invoke-WSManAction",
            "Set-WmiInstance",
            "New-CimInstance",
            "Set-CimInstance",
            "Remove-CimInstance",
            "Remove-WmiObject",
        ],
        when: When::Free(&[
            "ClassName",
            "Class",
            "MethodName",
            "Name",
            "Query",
            "Action",
            "ResourceUri",
            "InputObject",
            "CimInstance",
            "Path",
        ]),
        why: "with any class and method it starts programs and changes anything",
        instead: "restrict class and method with validate_set",
    },
    Danger {
        names: &["ForEach-Object", "Where-Object"],
        when: When::Free(&["Process", "Begin", "End", "RemainingScripts", "FilterScript", "MemberName", "Parallel"]),
        why: "it calls script blocks or any method of what comes along",
        instead: "allow the comparison parameters of Where-Object alone",
    },
    Danger {
        names: &[
            "Select-Object",
            "Sort-Object",
            "Group-Object",
            "Format-Table",
            "Format-List",
            "Format-Wide",
            "Format-Custom",
            "Compare-Object",
            "ConvertTo-Html",
        ],
        when: When::Free(&["Property", "ExpandProperty", "GroupBy"]),
        why: "calculated properties are code, and a proxy of one's own on the target may take them",
        instead: "restrict `Property` with validate_set, as `defaults = true` does",
    },
    Danger {
        names: &[
            "Copy-Item",
            "Move-Item",
            "Rename-Item",
            "New-Item",
            "Set-Item",
            "Expand-Archive",
            "Copy-VMFile",
            "Start-BitsTransfer",
            "Set-Content",
            "Add-Content",
            "Out-File",
            "Tee-Object",
            "Export-Csv",
            "Export-Clixml",
            "Invoke-WebRequest",
            "Invoke-RestMethod",
            "Start-Transcript",
            "Set-AuthenticodeSignature",
        ],
        when: When::Free(PATHS),
        why: "it writes where scripts, profiles, modules or functions lie, and whoever writes these runs code",
        instead: "restrict the path with validate_set, or with a pattern that takes no `..`",
    },
    Danger {
        names: &["Set-ItemProperty", "New-ItemProperty", "Remove-Item", "Clear-Content", "Set-Acl"],
        when: When::Free(PATHS),
        why: "in the registry and in files it changes what the system starts, or who may change it",
        instead: "restrict the path with validate_set",
    },
    Danger {
        names: &["Get-Content", "Import-Clixml", "Select-String", "Get-Item", "New-PSDrive"],
        when: When::Free(&["Path", "LiteralPath", "Root"]),
        why: "it reads any file that the account can read, keys and passwords too",
        instead: "restrict the path with validate_set, or with a pattern that takes no `..`",
    },
    Danger {
        names: &["New-Service", "Set-Service"],
        when: When::Free(&["BinaryPathName", "Credential", "SecurityDescriptorSddl"]),
        why: "a service runs the program it is given, as the system",
        instead: "list the parameters that are needed, such as Name and StartupType",
    },
    Danger {
        names: &["Add-LocalGroupMember", "Add-ADGroupMember", "Add-ADPrincipalGroupMembership", "Set-ADGroup"],
        when: When::Free(&["Group", "Name", "SID", "Identity", "MemberOf"]),
        why: "with any group it makes administrators",
        instead: "restrict the group with validate_set",
    },
    Danger {
        names: &["New-LocalUser", "Set-LocalUser", "Set-ADAccountPassword", "New-ADUser", "Set-ADUser", "Set-ADObject"],
        when: When::Free(&["Name", "SID", "Identity", "InputObject", "OtherAttributes", "Replace", "Add"]),
        why: "with any account it takes over the account of an administrator",
        instead: "restrict the account with a pattern that no administrator's name fits",
    },
    Danger {
        names: &["TabExpansion", "TabExpansion2"],
        when: When::Always,
        why: "completion loads modules and reads paths that the sender chooses",
        instead: "leave it out: clients complete without it",
    },
    Danger {
        names: &[
            "Set-GPRegistryValue",
            "Set-GPPrefRegistryValue",
            "Import-GPO",
            "New-GPLink",
            "Set-GPPermission",
            "Restore-GPO",
        ],
        when: When::Always,
        why: "a group policy runs scripts on every machine that it reaches",
        instead: "change group policies in their own review",
    },
];

/// Programs that change the system when their arguments are free, as base names without extension.
pub(super) const PROGRAMS: &[(&[&str], &str)] = &[
    (&["net", "net1", "dsadd", "dsmod", "dsrm"], "it adds accounts and members of groups as well"),
    (&["sc", "schtasks", "at"], "it has any program run as the system"),
    (&["reg", "regedit", "regini", "bcdedit"], "it changes what the system starts"),
    (
        &["certutil", "bitsadmin", "curl", "ftp", "tftp", "robocopy", "xcopy", "expand", "esentutl", "tar", "makecab"],
        "it writes files where scripts and programs lie",
    ),
    (&["icacls", "cacls", "takeown", "subinacl"], "it changes who may change what"),
    (&["netsh", "pnputil", "dism", "msiexec", "wusa", "winget"], "it loads programs or libraries that it is given"),
    (&["ntdsutil", "vssadmin", "diskshadow", "wbadmin", "nltest"], "it reads the secrets of the system or the domain"),
    (&["winrm", "wevtutil", "auditpol"], "it changes remote access, or takes traces away"),
];

/// The dangers of a command, by its folded name.
pub(super) fn of_command(folded: &str) -> impl Iterator<Item = &'static Danger> {
    static PATTERNS: LazyLock<Vec<(CommandPattern, &'static Danger)>> = LazyLock::new(|| {
        let names = DANGERS.iter().flat_map(|danger| danger.names.iter().map(move |name| (name, danger)));
        names.filter_map(|(name, danger)| Some((CommandPattern::parse(name).ok()?, danger))).collect()
    });
    PATTERNS.iter().filter(move |(pattern, _)| pattern.covers(folded, "")).map(|(_, danger)| *danger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Edition};
    use crate::fold::fold;

    /// Commands that no catalogue lists: of modules that are not shipped, or none at all.
    const ELSEWHERE: &[&str] =
        &["install-module", "install-script", "install-package", "save-module", "tabexpansion", "__*"];

    #[test]
    fn every_name_and_parameter_is_one_that_the_catalogue_knows() {
        let catalog = Catalog::shipped();
        let find = |name: &str| {
            [Edition::Windows51, Edition::Core7]
                .into_iter()
                .filter_map(|edition| catalog.lookup(edition, name))
                .collect::<Vec<_>>()
        };
        for danger in DANGERS {
            for name in danger.names.iter().filter(|name| !name.contains('*')) {
                let infos = find(name);
                if infos.is_empty() {
                    assert!(ELSEWHERE.contains(&fold(name).as_str()), "{name}");
                    continue;
                }
                if let When::Free(parameters) = danger.when {
                    let known = infos
                        .iter()
                        .flat_map(|info| &info.parameters)
                        .any(|known| parameters.contains(&known.name.as_str()));
                    assert!(known, "{name} has none of {parameters:?}");
                }
            }
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<&str> = DANGERS.iter().flat_map(|danger| danger.names).copied().collect();
        names.extend(PROGRAMS.iter().flat_map(|(names, _)| *names));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

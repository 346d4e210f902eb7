//! Programs that run what they are given: allowing them with free arguments allows everything.

/// Base names without `.exe`, in lower case.
const INTERPRETERS: &[&str] = &[
    "bash",
    "cmd",
    "cmstp",
    "conhost",
    "cscript",
    "csi",
    "dotnet",
    "forfiles",
    "fsi",
    "installutil",
    "java",
    "javaw",
    "mavinject",
    "msbuild",
    "mshta",
    "node",
    "odbcconf",
    "pcalua",
    "perl",
    "php",
    "powershell",
    "powershell_ise",
    "psexec",
    "psexec64",
    "pwsh",
    "py",
    "python",
    "python3",
    "pythonw",
    "regasm",
    "regsvcs",
    "regsvr32",
    "ruby",
    "runas",
    "rundll32",
    "scriptrunner",
    "sh",
    "ssh",
    "start",
    "winrs",
    "wmic",
    "wscript",
    "wsl",
];

/// Whether a program runs what it is given. Takes a folded base name, with or without its extension.
pub(crate) fn is_interpreter(folded_base: &str) -> bool {
    let stem = folded_base.rsplit_once('.').map_or(folded_base, |(stem, _)| stem);
    INTERPRETERS.contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_known_with_and_without_extension() {
        for name in ["powershell.exe", "pwsh", "cmd.exe", "wmic.exe", "rundll32.exe", "conhost.exe"] {
            assert!(is_interpreter(name), "{name}");
        }
        for name in ["hostname.exe", "systeminfo", "cmdkey.exe", ""] {
            assert!(!is_interpreter(name), "{name}");
        }
    }
}

//! Scripts of stock clients that no allowlist of commands can take: recognised so that their users are told what
//! works instead. They are judged like any other, since a policy may pin one; only the words of a denial depend on it.

use sekisho_protocol::psrp::Command;

/// As far as a script is looked at.
const LOOKED_AT: usize = 16 * 1024;

/// A script of a stock client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// What runs one of Ansible's modules, or one of its copies.
    AnsibleModule,
    /// What pypsrp and older Ansible copy files with.
    FileCopy,
    /// What `Copy-Item` copies files with, to or from a session.
    CopyItem,
}

/// Words that stand in a script, all of them, without blanks and in lower case.
const SIGNS: [(Known, &[&str]); 7] = [
    (Known::AnsibleModule, &["ansiblerequirespowershellv", "convertfrom-json"]),
    (Known::AnsibleModule, &["$exec_wrapper_str=$input|out-string"]),
    (Known::FileCopy, &["[system.io.file]::create($path)", "frombase64string("]),
    (Known::FileCopy, &["getunresolvedproviderpathfrompspath(", "tobase64string(", ".openread()"]),
    (Known::CopyItem, &["pscopytosessionhelper"]),
    (Known::CopyItem, &["pscopyfromsessionhelper"]),
    (Known::CopyItem, &["pscopyremoteutils"]),
];

impl Known {
    /// The script that a text is, if it is one of these.
    pub(in crate::enforce) fn of_text(text: &str) -> Option<Self> {
        let head = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or_default();
        let squeezed: String = head.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        let found = SIGNS.iter().find(|(_, words)| words.iter().all(|word| squeezed.contains(word)));
        found.map(|(known, _)| *known)
    }

    /// The script that a command comes from, if it is one of these.
    pub(super) fn of_command(command: &Command) -> Option<Self> {
        let helpers = ["PSCopyToSessionHelper", "PSCopyFromSessionHelper", "PSCopyRemoteUtils"];
        helpers.iter().any(|helper| command.name.eq_ignore_ascii_case(helper)).then_some(Self::CopyItem)
    }

    /// For the user: what this was, and what works instead.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::AnsibleModule => {
                "Ansible's modules run whole programs of their own, which no list of commands can judge: use \
                 `ansible.builtin.raw` with commands that you are allowed, or scripts that the gateway's policy pins"
            }
            Self::FileCopy => {
                "copying files through a session takes a script that writes wherever it is told to: use a share, or \
                 a script for this one purpose that the gateway's policy pins"
            }
            Self::CopyItem => {
                "Copy-Item with -ToSession or -FromSession defines functions on the target, which is refused: use a \
                 share, or a script for this one purpose that the gateway's policy pins"
            }
        }
    }
}

//! The URIs of actions and resources. [MS-WSMV] 2.2.4 and 3.1.4.1.

use super::request::{Action, Resource, SignalCode};
use crate::Result;
use crate::error::Unsupported;
use std::borrow::Cow;

const CMD_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
const POWERSHELL: &str = "http://schemas.microsoft.com/powershell/";
const CONFIG: &str = "http://schemas.microsoft.com/wbem/wsman/1/config";
const IDENTIFY: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd/Identify";

const ACTIONS: [(Action, &str); 8] = [
    (Action::Identify, IDENTIFY),
    (Action::Create, "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"),
    (Action::Delete, "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete"),
    (Action::Get, "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"),
    (Action::Command, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command"),
    (Action::Send, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send"),
    (Action::Receive, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive"),
    (Action::Signal, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Signal"),
];

/// Known, and not offered.
const DISCONNECTION: [&str; 3] = [
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Connect",
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Disconnect",
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Reconnect",
];

const SIGNALS: [(SignalCode, &str); 6] = [
    (SignalCode::Terminate, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate"),
    (SignalCode::CtrlC, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_c"),
    (SignalCode::CtrlBreak, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_break"),
    // PowerShell servers compare with this misspelling; the right form comes from pypsrp.
    (SignalCode::PowerShellCtrlC, "powershell/signal/crtl_c"),
    (SignalCode::PowerShellCtrlC, "powershell/signal/ctrl_c"),
    (SignalCode::Other, ""),
];

impl Action {
    /// The action of a URI, compared byte for byte.
    ///
    /// # Errors
    /// [`Unsupported::Disconnection`] and [`Unsupported::Action`].
    pub(crate) fn of_uri(uri: &str) -> Result<Self> {
        if DISCONNECTION.contains(&uri) {
            return Err(Unsupported::Disconnection.into());
        }
        let known = ACTIONS.iter().find(|(_, known)| *known == uri);
        Ok(known.map(|(action, _)| *action).ok_or(Unsupported::Action)?)
    }

    pub(crate) fn uri(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, uri)| uri)
    }
}

impl Resource {
    /// The resource of a URI. Names of PowerShell's configurations are kept in the client's case.
    #[must_use]
    pub fn of_uri(uri: &str) -> Self {
        if uri.eq_ignore_ascii_case(CMD_SHELL) {
            return Self::CmdShell;
        }
        if uri.eq_ignore_ascii_case(CONFIG) {
            return Self::Config;
        }
        match uri.split_at_checked(POWERSHELL.len()) {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case(POWERSHELL) && !name.is_empty() => {
                Self::PowerShell(name.to_owned())
            }
            Some(_) | None if uri.is_empty() => Self::None,
            Some(_) | None => Self::Other(uri.to_owned()),
        }
    }

    /// Whether both are the same: the names of session configurations are compared ignoring case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PowerShell(one), Self::PowerShell(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        }
    }

    /// Its URI; empty for none.
    #[must_use]
    pub fn uri(&self) -> Cow<'_, str> {
        match self {
            Self::CmdShell => Cow::Borrowed(CMD_SHELL),
            Self::PowerShell(name) => Cow::Owned(format!("{POWERSHELL}{name}")),
            Self::Config => Cow::Borrowed(CONFIG),
            Self::Other(uri) => Cow::Borrowed(uri),
            Self::None => Cow::Borrowed(""),
        }
    }
}

impl SignalCode {
    /// The signal of a code. `Terminate` occurs with a capital letter too.
    pub(crate) fn of_uri(uri: &str) -> Self {
        let known = SIGNALS.iter().find(|(_, known)| known.eq_ignore_ascii_case(uri));
        known.map_or(Self::Other, |(signal, _)| *signal)
    }

    pub(crate) fn uri(self) -> &'static str {
        SIGNALS.iter().find(|(signal, _)| *signal == self).map_or("", |(_, uri)| uri)
    }
}

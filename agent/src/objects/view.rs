//! Which properties of an object people are shown: those that were asked for, PowerShell's own choice where the type is
//! known, or the first ones.

use super::{is_enumeration, members, property, text, type_names, types};
use sekisho_protocol::clixml::{Content, Member, Value};

/// Properties beyond which PowerShell writes a list in place of a table.
const COLUMNS: usize = 4;
/// Members that are about how an object came here, or about how it is shown.
const HIDDEN: [&str; 5] =
    ["PSComputerName", "RunspaceId", "PSShowComputerName", "PSStandardMembers", "PSSourceJobInstanceId"];

/// Properties that were asked for, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<String>);

/// How a value is shown.
#[derive(Debug, PartialEq)]
pub(super) enum View<'v> {
    /// One row in a table of these columns.
    Table(Vec<Column>),
    /// One row for each entry of a dictionary.
    Entries(&'v [(Value, Value)]),
    /// One line for each of these properties.
    List(Vec<&'v Member>),
    /// One text.
    Text,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Column {
    pub(super) heading: String,
    property: String,
    cell: Cell,
}

/// How a property is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cell {
    /// As text.
    Text,
    /// Bytes, in units of 1024.
    Kilobytes,
    /// With two digits after the point.
    Hundredths,
}

/// A cell as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) side: Side,
}

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Selection {
    /// These, without blanks around them; nothing where none is left.
    #[must_use]
    pub fn new(names: &[String]) -> Option<Self> {
        let names = names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then_some(Self(names))
    }

    /// The names as they were given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether a value has a property of this name.
    pub(crate) fn finds(value: &Value, name: &str) -> bool {
        property(value, name).is_some()
    }
}

/// Whether a value is more than its text.
pub(crate) fn has_properties(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    match &object.content {
        Content::Dictionary(_) => true,
        Content::Nothing => !members(object).is_empty(),
        Content::Value(_) | Content::List(..) => false,
    }
}

/// How a value is shown.
pub(super) fn view<'v>(value: &'v Value, selection: Option<&Selection>) -> View<'v> {
    let Some(object) = value.as_object().filter(|object| has_properties(value) && !is_enumeration(object)) else {
        return View::Text;
    };
    if let Some(selection) = selection {
        return View::Table(selection.names().iter().map(|name| Column::plain(name)).collect());
    }
    if let Some(columns) = known(value) {
        return View::Table(columns);
    }
    if let Content::Dictionary(entries) = &object.content {
        return View::Entries(entries);
    }
    let members: Vec<&Member> = members(object).into_iter().filter(|(name, _)| is_shown(name)).collect();
    match members.len() {
        0 => View::Text,
        1..=COLUMNS => View::Table(members.into_iter().map(|(name, _)| Column::plain(name)).collect()),
        _ => View::List(members),
    }
}

fn is_shown(name: &str) -> bool {
    !name.starts_with("__") && !HIDDEN.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
}

impl Column {
    fn plain(name: &str) -> Self {
        Self { heading: name.to_owned(), property: name.to_owned(), cell: Cell::Text }
    }

    /// This column of a value; empty where there is no such property.
    pub(super) fn of(&self, value: &Value) -> Shown {
        property(value, &self.property).map_or_else(|| Shown::left(String::new()), |value| self.cell.of(value))
    }
}

impl Cell {
    fn of(self, value: &Value) -> Shown {
        match (self, value) {
            (Self::Kilobytes, Value::Integer(integer)) => {
                Shown { text: (integer.value / 1024).to_string(), side: Side::Right }
            }
            (Self::Hundredths, Value::Real(real)) => {
                let text = real.text.parse::<f64>().map_or_else(|_| real.text.clone(), |number| format!("{number:.2}"));
                Shown { text, side: Side::Right }
            }
            (Self::Text | Self::Kilobytes | Self::Hundredths, Value::Integer(_) | Value::Real(_)) => {
                Shown { text: text(value), side: Side::Right }
            }
            (Self::Text | Self::Kilobytes | Self::Hundredths, _) => Shown::left(text(value)),
        }
    }
}

impl Shown {
    pub(super) fn left(text: String) -> Self {
        Self { text, side: Side::Left }
    }

    /// A value as it stands in a table.
    pub(super) fn of(value: &Value) -> Self {
        Cell::Text.of(value)
    }
}

/// PowerShell's own columns for the first of a value's types that is known here and has any of them.
fn known(value: &Value) -> Option<Vec<Column>> {
    type_names(value).into_iter().find_map(|name| {
        let name = class(types::plain(name));
        let (_, columns) = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let has_any = columns.iter().any(|(_, from, _)| property(value, from).is_some());
        has_any.then(|| {
            let column = |(heading, from, cell): &Known| Column {
                heading: (*heading).to_owned(),
                property: (*from).to_owned(),
                cell: *cell,
            };
            columns.iter().map(column).collect()
        })
    })
}

/// The class of an instance of CIM or WMI, such as `Win32_Service` of
/// `Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Service`; any other name as it is.
fn class(name: &str) -> &str {
    name.split_once('#').and_then(|(_, path)| path.rsplit(['/', '\\']).next()).unwrap_or(name)
}

/// Heading, property, and how it is written.
type Known = (&'static str, &'static str, Cell);

const fn plain(name: &'static str) -> Known {
    (name, name, Cell::Text)
}

/// What Windows PowerShell 5.1 shows of these types when nobody asks for anything else: the views of its
/// `DotNetTypes`, `FileSystem` and `Event.format.ps1xml`, of the CIM classes those of `Microsoft.Management.Infrastructure`
/// and of their modules. Where it groups files by folder, there is one table here.
const KNOWN: &[(&str, &[Known])] = &[
    ("System.ServiceProcess.ServiceController", &[plain("Status"), plain("Name"), plain("DisplayName")]),
    (
        "System.Diagnostics.Process",
        &[
            plain("Handles"),
            ("NPM(K)", "NPM", Cell::Kilobytes),
            ("PM(K)", "PM", Cell::Kilobytes),
            ("WS(K)", "WS", Cell::Kilobytes),
            ("CPU(s)", "CPU", Cell::Hundredths),
            plain("Id"),
            plain("SI"),
            plain("ProcessName"),
        ],
    ),
    ("System.IO.FileInfo", FILES),
    ("System.IO.DirectoryInfo", FILES),
    (
        "System.Diagnostics.EventLogEntry",
        &[
            plain("Index"),
            ("Time", "TimeGenerated", Cell::Text),
            plain("EntryType"),
            plain("Source"),
            plain("InstanceId"),
            plain("Message"),
        ],
    ),
    (
        "System.Diagnostics.Eventing.Reader.EventLogRecord",
        &[plain("TimeCreated"), plain("Id"), plain("LevelDisplayName"), plain("Message")],
    ),
    (
        "Win32_Service",
        &[plain("ProcessId"), plain("Name"), plain("StartMode"), plain("State"), plain("Status"), plain("ExitCode")],
    ),
    (
        "Win32_Process",
        &[plain("ProcessId"), plain("Name"), plain("HandleCount"), plain("WorkingSetSize"), plain("VirtualSize")],
    ),
    (
        "Win32_LogicalDisk",
        &[
            plain("DeviceID"),
            plain("DriveType"),
            plain("ProviderName"),
            plain("VolumeName"),
            plain("Size"),
            plain("FreeSpace"),
        ],
    ),
    (
        "Win32_OperatingSystem",
        &[
            plain("SystemDirectory"),
            plain("Organization"),
            plain("BuildNumber"),
            plain("RegisteredUser"),
            plain("SerialNumber"),
            plain("Version"),
        ],
    ),
    (
        "Win32_ComputerSystem",
        &[
            plain("Name"),
            plain("PrimaryOwnerName"),
            plain("Domain"),
            plain("TotalPhysicalMemory"),
            plain("Model"),
            plain("Manufacturer"),
        ],
    ),
    (
        "Win32_BIOS",
        &[plain("SMBIOSBIOSVersion"), plain("Manufacturer"), plain("Name"), plain("SerialNumber"), plain("Version")],
    ),
    (
        "Win32_QuickFixEngineering",
        &[plain("Source"), plain("Description"), plain("HotFixID"), plain("InstalledBy"), plain("InstalledOn")],
    ),
    ("MSFT_ScheduledTask", &[plain("TaskPath"), plain("TaskName"), plain("State")]),
    (
        "MSFT_NetAdapter",
        &[
            plain("Name"),
            plain("InterfaceDescription"),
            plain("ifIndex"),
            plain("Status"),
            plain("MacAddress"),
            plain("LinkSpeed"),
        ],
    ),
    (
        "MSFT_Volume",
        &[
            plain("DriveLetter"),
            plain("FriendlyName"),
            plain("FileSystemType"),
            plain("DriveType"),
            plain("HealthStatus"),
            plain("OperationalStatus"),
            plain("SizeRemaining"),
            plain("Size"),
        ],
    ),
    ("Microsoft.PowerShell.Commands.LocalUser", &[plain("Name"), plain("Enabled"), plain("Description")]),
    ("Microsoft.PowerShell.Commands.LocalGroup", &[plain("Name"), plain("Description")]),
];

const FILES: &[Known] = &[plain("Mode"), plain("LastWriteTime"), plain("Length"), plain("Name")];

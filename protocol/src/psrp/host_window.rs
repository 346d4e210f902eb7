//! The window of a host, \[MS-PSRP\] 2.2.3.14: what a client tells of its own, and what a server may be told.

use super::host::HostInfo;
use super::host_call::HostMethod;
use super::members::{int, object, required, typed};
use crate::clixml::{Content, Integer, IntegerKind, Object, Value};
use uuid::Uuid;

/// Columns and rows that are passed on at most: a target makes a buffer of this size.
const MOST_CELLS: i32 = 9999;
/// Characters of a title.
const TITLE: usize = 128;

/// A place or a size in a window: columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// `x` or `width`.
    pub columns: i32,
    /// `y` or `height`.
    pub rows: i32,
}

/// What is known of a window. Every number is within bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostWindow {
    /// A console colour, 0 to 15.
    pub foreground: i32,
    /// A console colour, 0 to 15.
    pub background: i32,
    /// Where the cursor is.
    pub cursor: Cells,
    /// Which part of the buffer is shown.
    pub position: Cells,
    /// Per cent of a cell.
    pub cursor_size: i32,
    /// The size of the buffer.
    pub buffer: Cells,
    /// The size of the window.
    pub window: Cells,
    /// The largest window for this buffer.
    pub most_window: Cells,
    /// The largest window for this screen.
    pub most_physical: Cells,
    /// The title.
    pub title: String,
}

impl Default for HostWindow {
    /// A window as a terminal has it.
    fn default() -> Self {
        let window = Cells { columns: 120, rows: 50 };
        Self {
            foreground: 7,
            background: 0,
            cursor: Cells { columns: 0, rows: 0 },
            position: Cells { columns: 0, rows: 0 },
            cursor_size: 25,
            buffer: Cells { columns: 120, rows: 3000 },
            window,
            most_window: window,
            most_physical: window,
            title: "Sekisho".to_owned(),
        }
    }
}

impl HostWindow {
    /// Reads what a host's information says, within bounds; what is missing or makes no sense is as in a window
    /// of the usual kind.
    #[must_use]
    pub fn of(host: &HostInfo) -> Self {
        let mut window = Self::default();
        let data = host.defaults.as_ref().and_then(|defaults| object(defaults).ok()?.member("data"));
        let Some(Value::Object(data)) = data else { return window };
        let Content::Dictionary(entries) = &data.content else { return window };
        for (key, value) in entries.iter().take(32) {
            if let (Ok(key), Some(value)) = (int(key), held(value)) {
                window.set(key, value);
            }
        }
        window
    }

    /// A host that is there, with this window.
    #[must_use]
    pub fn host(&self) -> HostInfo {
        HostInfo { no_host: false, no_ui: false, no_raw_ui: false, pool_host: false, defaults: Some(self.encode()) }
    }

    /// The answer to a getter; nothing for any other method.
    #[must_use]
    pub fn answer(&self, method: HostMethod) -> Option<Value> {
        Some(match method {
            HostMethod::GetName => Value::text("Sekisho"),
            HostMethod::GetVersion => Value::Version("1.0".to_owned()),
            HostMethod::GetInstanceId => Value::Guid(Uuid::nil()),
            HostMethod::GetCurrentCulture | HostMethod::GetCurrentUICulture => Value::text("en-US"),
            HostMethod::GetForegroundColor => Value::int(self.foreground),
            HostMethod::GetBackgroundColor => Value::int(self.background),
            HostMethod::GetCursorPosition => self.cursor.place(),
            HostMethod::GetWindowPosition => self.position.place(),
            HostMethod::GetCursorSize => Value::int(self.cursor_size),
            HostMethod::GetBufferSize => self.buffer.size(),
            HostMethod::GetWindowSize => self.window.size(),
            HostMethod::GetWindowTitle => Value::text(self.title.as_str()),
            HostMethod::GetMaxWindowSize => self.most_window.size(),
            HostMethod::GetMaxPhysicalWindowSize => self.most_physical.size(),
            HostMethod::GetKeyAvailable | HostMethod::GetIsRunspacePushed => Value::Bool(false),
            HostMethod::SetShouldExit
            | HostMethod::EnterNestedPrompt
            | HostMethod::ExitNestedPrompt
            | HostMethod::NotifyBeginApplication
            | HostMethod::NotifyEndApplication
            | HostMethod::ReadLine
            | HostMethod::ReadLineAsSecureString
            | HostMethod::Write1
            | HostMethod::Write2
            | HostMethod::WriteLine1
            | HostMethod::WriteLine2
            | HostMethod::WriteLine3
            | HostMethod::WriteErrorLine
            | HostMethod::WriteDebugLine
            | HostMethod::WriteProgress
            | HostMethod::WriteVerboseLine
            | HostMethod::WriteWarningLine
            | HostMethod::Prompt
            | HostMethod::PromptForCredential1
            | HostMethod::PromptForCredential2
            | HostMethod::PromptForChoice
            | HostMethod::SetForegroundColor
            | HostMethod::SetBackgroundColor
            | HostMethod::SetCursorPosition
            | HostMethod::SetWindowPosition
            | HostMethod::SetCursorSize
            | HostMethod::SetBufferSize
            | HostMethod::SetWindowSize
            | HostMethod::SetWindowTitle
            | HostMethod::ReadKey
            | HostMethod::FlushInputBuffer
            | HostMethod::SetBufferContents1
            | HostMethod::SetBufferContents2
            | HostMethod::GetBufferContents
            | HostMethod::ScrollBufferContents
            | HostMethod::PushRunspace
            | HostMethod::PopRunspace
            | HostMethod::GetRunspace
            | HostMethod::PromptForChoiceMultipleSelection => return None,
        })
    }

    fn set(&mut self, key: i32, value: &Value) {
        let number = |most| int(value).ok().filter(|number| (0..=most).contains(number));
        match key {
            0 => self.foreground = number(15).unwrap_or(self.foreground),
            1 => self.background = number(15).unwrap_or(self.background),
            2 => self.cursor = Cells::read(value, ("x", "y"), 0).unwrap_or(self.cursor),
            3 => self.position = Cells::read(value, ("x", "y"), 0).unwrap_or(self.position),
            4 => self.cursor_size = number(100).unwrap_or(self.cursor_size),
            5 => self.buffer = Cells::read(value, ("width", "height"), 1).unwrap_or(self.buffer),
            6 => self.window = Cells::read(value, ("width", "height"), 1).unwrap_or(self.window),
            7 => self.most_window = Cells::read(value, ("width", "height"), 1).unwrap_or(self.most_window),
            8 => self.most_physical = Cells::read(value, ("width", "height"), 1).unwrap_or(self.most_physical),
            9 => {
                if let Value::Text(title) = value {
                    self.title = title.chars().filter(|c| !c.is_control()).take(TITLE).collect();
                }
            }
            _ => {}
        }
    }

    fn encode(&self) -> Value {
        const COORDINATES: &str = "System.Management.Automation.Host.Coordinates";
        const SIZE: &str = "System.Management.Automation.Host.Size";
        const COLOR: &str = "System.ConsoleColor";
        let entries = [
            ("System.String", Value::text(self.title.as_str())),
            (SIZE, self.most_physical.size()),
            (SIZE, self.most_window.size()),
            (SIZE, self.window.size()),
            (SIZE, self.buffer.size()),
            ("System.Int32", Value::int(self.cursor_size)),
            (COORDINATES, self.position.place()),
            (COORDINATES, self.cursor.place()),
            (COLOR, Value::int(self.background)),
            (COLOR, Value::int(self.foreground)),
        ];
        let entry = |(key, (kind, value)): (i32, (&str, Value))| {
            (Value::int(key), Value::object(Object::of_members([("T", Value::text(kind)), ("V", value)])))
        };
        let entries = (0..=9).rev().zip(entries).map(entry).collect();
        let data = typed(&["System.Collections.Hashtable", "System.Object"], None, Content::Dictionary(entries));
        Value::object(Object::of_members([("data", data)]))
    }
}

impl Cells {
    fn read(value: &Value, (columns, rows): (&str, &str), least: i32) -> Option<Self> {
        let object = object(value).ok()?;
        let of = |name| {
            let Ok(Value::Integer(Integer { kind: IntegerKind::Int32, value })) = required(object, name) else {
                return None;
            };
            i32::try_from((*value).clamp(i128::from(least), i128::from(MOST_CELLS))).ok()
        };
        Some(Self { columns: of(columns)?, rows: of(rows)? })
    }

    fn place(self) -> Value {
        Value::object(Object::of_members([("x", Value::int(self.columns)), ("y", Value::int(self.rows))]))
    }

    fn size(self) -> Value {
        Value::object(Object::of_members([("width", Value::int(self.columns)), ("height", Value::int(self.rows))]))
    }
}

fn held(value: &Value) -> Option<&Value> {
    object(value).ok()?.member("V")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_is_read_within_bounds_and_said_again() {
        let mut window = HostWindow { title: "laboratory".to_owned(), ..HostWindow::default() };
        window.buffer = Cells { columns: 80, rows: 300 };
        assert_eq!(HostWindow::of(&window.host()), window);
        window.buffer = Cells { columns: i32::MAX, rows: -7 };
        window.foreground = 99;
        window.title = format!("a\u{1b}]0;{}", "x".repeat(1000));
        let read = HostWindow::of(&window.host());
        assert_eq!((read.buffer, read.foreground), (Cells { columns: MOST_CELLS, rows: 1 }, 7));
        assert_eq!((read.title.chars().count(), read.title.contains('\u{1b}')), (TITLE, false));
        assert_eq!(HostWindow::of(&HostInfo::none()), HostWindow::default());
    }

    #[test]
    fn exactly_the_getters_are_answered() {
        use crate::psrp::Passage;
        let window = HostWindow::default();
        for method in HostMethod::ALL {
            assert_eq!(window.answer(*method).is_some(), method.passage() == Passage::Known, "{}", method.name());
        }
    }
}

//! Objects as lines of text: a table of the columns that PowerShell shows of a type, or of the first ones.

use super::objects::{all_members, member, text, type_name};
use sekisho_protocol::clixml::Value;

/// Columns of a type, as PowerShell's own views have them.
const VIEWS: [(&str, &[&str]); 3] = [
    ("System.ServiceProcess.ServiceController", &["Status", "Name", "DisplayName"]),
    ("System.Diagnostics.Process", &["Id", "ProcessName", "CPU", "WS"]),
    ("System.IO.FileInfo", &["Mode", "LastWriteTime", "Length", "Name"]),
];
/// Columns of any other type.
const MAX_COLUMNS: usize = 4;
/// Objects of one type that are held to make columns of one width; a longer table goes on with a new head.
const MAX_ROWS: usize = 500;
/// Characters of one cell.
const MAX_CELL: usize = 60;

/// Collects neighbours of one type.
#[derive(Debug, Default)]
pub(super) struct View {
    kind: String,
    rows: Vec<Value>,
}

impl View {
    /// The lines that are finished with another object: its own, where it is no row.
    pub(super) fn add(&mut self, value: Value) -> Vec<String> {
        if value == Value::Nil {
            return Vec::new();
        }
        let is_row = is_row(&value);
        let ends = !is_row || self.kind != type_name(&value) || MAX_ROWS <= self.rows.len();
        let mut lines = if ends { self.finish() } else { Vec::new() };
        if is_row {
            type_name(&value).clone_into(&mut self.kind);
            self.rows.push(value);
        } else {
            lines.extend(text(&value).lines().map(str::to_owned));
        }
        lines
    }

    /// The lines of what is left.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let rows = std::mem::take(&mut self.rows);
        let Some(first) = rows.first() else { return Vec::new() };
        let columns = columns(&self.kind, first);
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| columns.iter().map(|column| cell(&member(row, column).map(text).unwrap_or_default())).collect())
            .collect();
        let mut lines = vec![String::new()];
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let of = |row: &Vec<String>| row.get(at).map_or(0, |cell| cell.chars().count());
                cells.iter().map(of).max().unwrap_or(0).max(column.chars().count())
            })
            .collect();
        let underlines = columns.iter().map(|column| "-".repeat(column.chars().count())).collect();
        for row in [columns, underlines].iter().chain(&cells) {
            lines.push(line(row, &widths));
        }
        lines.push(String::new());
        lines
    }
}

/// Errors and dates are lines of their own.
fn is_row(value: &Value) -> bool {
    let line = type_name(value) == "System.Management.Automation.ErrorRecord" || member(value, "DisplayHint").is_some();
    !line && all_members(value).next().is_some()
}

fn columns(kind: &str, first: &Value) -> Vec<String> {
    match VIEWS.iter().find(|(known, _)| *known == kind) {
        Some((_, columns)) => columns.iter().map(|&column| column.to_owned()).collect(),
        None => all_members(first).map(|(name, _)| name.clone()).take(MAX_COLUMNS).collect(),
    }
}

fn cell(text: &str) -> String {
    let clean = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    clean.take(MAX_CELL).collect()
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, &width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::targets::powershell::objects::{members, selected};

    #[test]
    fn neighbours_of_one_type_are_one_table() {
        let row = |name: &str, state: &str| {
            selected("x", members([("Name", Value::text(name)), ("State", Value::text(state))]))
        };
        let mut view = View::default();
        assert_eq!(view.add(row("a", "long one")), Vec::<String>::new());
        assert_eq!(view.add(row("abcdef", "b\nc")), Vec::<String>::new());
        let lines = view.add(Value::text("text\nof two lines"));
        let expected =
            ["", "Name   State", "----   -----", "a      long one", "abcdef b c", "", "text", "of two lines"];
        assert_eq!(lines, expected);
        assert_eq!(view.finish(), Vec::<String>::new());
    }
}

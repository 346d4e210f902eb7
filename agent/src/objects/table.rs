//! Tables and lists, written.

use super::rows::{Block, Listed, Row, Rows};
use super::view::{Shown, Side};
use crate::output::write_safe;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The heading of the column that says where an object came from.
const TARGET: &str = "Target";
/// Columns that a cell of a table takes at most; JSON and `--raw` have all.
const WIDTH: usize = 80;
const CUT: char = '…';

/// Writes all tables and lists, an empty line after each.
///
/// # Errors
/// What the writer fails with.
pub fn write_rows(out: &mut dyn Write, rows: &Rows) -> io::Result<()> {
    rows.blocks.iter().try_for_each(|block| match block {
        Block::Table { headings, rows } => write_table(out, headings, rows),
        Block::List { objects } => objects.iter().try_for_each(|listed| write_list(out, listed)),
    })
}

fn write_table(out: &mut dyn Write, headings: &[String], rows: &[Row]) -> io::Result<()> {
    let rows: Vec<Vec<Shown>> = rows.iter().map(cells).collect();
    let headings: Vec<String> = headings.iter().map(|heading| line(heading)).chain([TARGET.to_owned()]).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    // A column stands on the right when every cell of it that says something does.
    let sides: Vec<Side> = (0..headings.len()).map(|index| side(&rows, index)).collect();
    write_line(out, &headings, &widths, &sides)?;
    let lines: Vec<String> = headings.iter().map(|heading| "-".repeat(heading.width())).collect();
    write_line(out, &lines, &widths, &sides)?;
    for row in rows {
        let texts: Vec<String> = row.into_iter().map(|cell| cell.text).collect();
        write_line(out, &texts, &widths, &sides)?;
    }
    out.write_all(b"\n")
}

fn side(rows: &[Vec<Shown>], index: usize) -> Side {
    let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.text.is_empty()).peekable();
    let says_something = cells.peek().is_some();
    if says_something && cells.all(|cell| cell.side == Side::Right) { Side::Right } else { Side::Left }
}

fn cells(row: &Row) -> Vec<Shown> {
    let target = Shown::left(row.target.clone());
    row.cells.iter().chain([&target]).map(|cell| Shown { text: line(&cell.text), side: cell.side }).collect()
}

fn write_line(out: &mut dyn Write, cells: &[String], widths: &[usize], sides: &[Side]) -> io::Result<()> {
    let mut line = String::new();
    for ((cell, width), side) in cells.iter().zip(widths).zip(sides) {
        if !line.is_empty() || *width == 0 {
            line.push(' ');
        }
        let blanks = " ".repeat(width.saturating_sub(cell.width()));
        match side {
            Side::Left => line.extend([cell.as_str(), blanks.as_str()]),
            Side::Right => line.extend([blanks.as_str(), cell.as_str()]),
        }
    }
    writeln!(out, "{}", line.trim_end())
}

/// `Name : value`, each property on its own line, an empty line after each object.
fn write_list(out: &mut dyn Write, listed: &Listed) -> io::Result<()> {
    let target = (TARGET.to_owned(), listed.target.clone());
    let properties = || listed.properties.iter().chain([&target]).map(|(name, text)| (line(name), text));
    let width = properties().map(|(name, _)| name.width()).max().unwrap_or_default();
    for (name, text) in properties() {
        let mut front = format!("{name}{} : ", " ".repeat(width.saturating_sub(name.width())));
        // An empty text has no lines, and its property one.
        for line in text.lines().chain(text.is_empty().then_some("")) {
            writeln!(out, "{}", format!("{front}{}", harmless(line)).trim_end())?;
            front = " ".repeat(width.saturating_add(3));
        }
    }
    out.write_all(b"\n")
}

/// The first line of a text, made harmless and cut to what a table has room for.
fn line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let is_whole = first.len() == text.trim_end_matches(['\r', '\n']).len();
    let (mut line, mut width) = (String::new(), 0_usize);
    let mut rest = first.chars();
    // The last place is for the mark of what was cut off.
    while width < WIDTH.saturating_sub(1)
        && let Some(character) = rest.next()
    {
        width = width.saturating_add(character.width().unwrap_or(1));
        line.push(if character == '\t' { ' ' } else { character });
    }
    let mut line = harmless(&line);
    match (is_whole, rest.as_str()) {
        (true, "") => {}
        (true, last) if last.width() == 1 => line.push_str(&harmless(last)),
        (true | false, _) => line.push(CUT),
    }
    line
}

fn harmless(text: &str) -> String {
    let mut bytes = Vec::new();
    match write_safe(&mut bytes, text) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

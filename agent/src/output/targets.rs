//! The list of targets that the user may reach.

use super::{Format, json, write_safe};
use sekisho_protocol::job::TargetList;
use std::io::{self, Write};

const HEADINGS: [&str; 4] = ["TARGET", "GROUPS", "TAGS", "ROLES"];
const GAP: &str = "  ";

/// Writes the list: a table, one document, or one document a line.
///
/// # Errors
/// What the writer fails with.
pub fn write_targets(out: &mut dyn Write, list: &TargetList, format: Format) -> io::Result<()> {
    match format {
        Format::Table => write_rows(out, list),
        Format::Json => json::write_line(out, list),
        Format::Jsonl => list.targets.iter().try_for_each(|target| json::write_line(out, target)),
    }
}

fn write_rows(out: &mut dyn Write, list: &TargetList) -> io::Result<()> {
    if list.targets.is_empty() {
        return writeln!(out, "no targets: no role of yours is assigned to any");
    }
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for target in &list.targets {
        let joined = |labels: &[String]| labels.join(", ");
        let cells = [target.name.clone(), joined(&target.groups), joined(&target.tags), joined(&target.roles)];
        rows.push(cells.map(|cell| harmless(&cell)));
    }
    let mut widths = [0_usize; HEADINGS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}{GAP}"));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    match list.left_out {
        0 => Ok(()),
        count => writeln!(out, "and {count} more, for which the list has no room"),
    }
}

fn harmless(cell: &str) -> String {
    let mut bytes = Vec::new();
    match write_safe(&mut bytes, cell) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_protocol::job::TargetEntry;

    fn written(list: &TargetList, format: Format) -> String {
        let mut out = Vec::new();
        write_targets(&mut out, list, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn list() -> TargetList {
        let entry = |name: &str, groups: &[&str]| TargetEntry {
            name: name.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            tags: vec![],
            roles: vec!["op\u{1b}s".into()],
        };
        TargetList::new(vec![entry("web01", &["web", "all"]), entry("database01", &[])])
    }

    #[test]
    fn columns_are_aligned_and_harmless() {
        let expected = "TARGET      GROUPS    TAGS  ROLES\n\
                        database01                  op\\u{1b}s\n\
                        web01       web, all        op\\u{1b}s\n";
        assert_eq!(written(&list(), Format::Table), expected);
    }

    #[test]
    fn json_is_the_document_of_the_api() {
        assert_eq!(TargetList::decode(written(&list(), Format::Json).as_bytes()), Ok(list()));
        assert_eq!(written(&list(), Format::Jsonl).lines().count(), 2);
    }

    #[test]
    fn a_list_that_is_not_complete_says_so() {
        let mut list = list();
        list.left_out = 3;
        assert!(written(&list, Format::Table).ends_with("and 3 more, for which the list has no room\n"));
    }

    #[test]
    fn an_empty_list_says_why() {
        assert!(written(&TargetList::new(vec![]), Format::Table).starts_with("no targets"));
    }
}

//! A document of a policy, written line by line, which remembers what each line was written for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

/// What can be left out when the product does not take it. It has a name, which is the same in every attempt.
pub(super) type Part = String;

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// Of each line, the part it belongs to.
    parts: Vec<Option<Part>>,
}

impl Page {
    /// A line that the document cannot do without.
    pub(super) fn line(&mut self, line: &str) {
        self.add(line, None);
    }

    /// A line of a part.
    pub(super) fn part(&mut self, line: &str, part: &str) {
        self.add(line, Some(part.to_owned()));
    }

    fn add(&mut self, line: &str, part: Option<Part>) {
        self.text.push_str(line);
        self.text.push('\n');
        self.parts.push(part);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The part that a line, counted from 1, belongs to.
    pub(super) fn part_of(&self, line: usize) -> Option<&Part> {
        line.checked_sub(1).and_then(|index| self.parts.get(index))?.as_ref()
    }
}

/// Writes `key = [ .. ]` with each entry on a line of its own, so that it can be left out alone.
pub(super) fn list(page: &mut Page, key: &str, owner: &str, entries: &[(Part, String)], without: &BTreeSet<Part>) {
    page.part(&format!("{key} = ["), owner);
    for (part, entry) in entries.iter().filter(|(part, _)| !without.contains(part)) {
        page.part(&format!("  {entry},"), part);
    }
    page.part("]", owner);
}

/// A text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Writing to a String does not fail.
            _ if character.is_control() => drop(write!(out, "\\U{:08X}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// A value on one line. What TOML has no word for (null) is left out of lists and tables.
pub(super) fn inline(value: &Json) -> String {
    match value {
        Json::Null => quoted(""),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().filter(|item| !item.is_null()).map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> =
                members.map(|(key, value)| format!("{} = {}", quoted(key), inline(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// The texts of a list. Numbers and flags stand for their text, as values are compared.
pub(super) fn texts(list: Option<&Json>) -> Vec<String> {
    let text = |item: &Json| match item {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(if *flag { "True" } else { "False" }.to_owned()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    list.and_then(Json::as_array).into_iter().flatten().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_back_by_toml_as_they_were() {
        let odd = json!({"a b": ["x\"y\\z", "\u{7f}\n\t\0", "受注", {"": [true, 1, 1.5]}], "c": []});
        let text = format!("value = {}", inline(&odd));
        let read: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&read["value"]).unwrap(), odd, "{text}");
        assert_eq!(inline(&json!([null, {"x": null}])), "[{  }]");
    }

    #[test]
    fn each_line_knows_its_part() {
        let mut page = Page::default();
        page.line("# head");
        let entries = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        list(&mut page, "x", "owner", &entries, &BTreeSet::from(["a".to_owned()]));
        assert_eq!(page.text(), "# head\nx = [\n  2,\n]\n");
        let parts: Vec<_> = (0..6).map(|line| page.part_of(line).map(String::as_str)).collect();
        assert_eq!(parts, [None, None, Some("owner"), Some("b"), Some("owner"), None]);
    }
}

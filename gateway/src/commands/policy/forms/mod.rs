//! Requests, answers and readings as JSON: one form for `decide`, `read`, `explain`, `test`, `diff` and `propose`.
//!
//! Requests are those of the public policy cases (tests/data/policy-cases/rules.md), with `time`, `source`, `tags`,
//! `target_groups` and `edition` beside them. Whatever is not understood is an error, which callers deny.

mod answer;
mod reading;
mod request;
mod value;

use serde::Serialize;

pub use answer::{Answer, canonical};
pub use reading::reading;
pub use request::{Request, edition, time};
pub use value::{value_from_json, value_to_json};

/// JSON on one line, whatever a reader takes for the end of a line: Unicode has three that JSON leaves as they are.
#[must_use]
pub fn one_line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    if !json.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return json;
    }
    json.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_to_every_reader() {
        let odd = "a\u{85}b\u{2028}c\u{2029}d\n\u{b}\u{1c}受";
        let line = one_line(&[odd]);
        assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{line}");
        assert!(line.contains('受'));
        assert_eq!(serde_json::from_str::<Vec<String>>(&line).unwrap(), [odd]);
    }
}

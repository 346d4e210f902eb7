//! Names of targets with `*`, which stands for any characters except a dot (rule R1).

use crate::fold::fold;
use crate::limits;

/// A pattern for the whole name of a target, ignoring case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetPattern {
    /// The labels between the dots, folded.
    labels: Vec<String>,
}

impl TargetPattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn parse(source: &str) -> Result<Self, &'static str> {
        if source.is_empty() {
            return Err("the target pattern is empty");
        }
        if source.chars().count() > limits::TARGET_NAME {
            return Err("the target pattern is longer than any name");
        }
        if source.chars().any(|c| !c.is_alphanumeric() && !matches!(c, '*' | '-' | '_' | '.')) {
            return Err("a target pattern holds letters, digits, `-`, `_`, `.` and `*` only");
        }
        if source.split('.').any(str::is_empty) {
            return Err("the target pattern has nothing before, between or after its dots");
        }
        Ok(Self { labels: fold(source).split('.').map(str::to_owned).collect() })
    }

    /// Whether it fits a name, which was folded by the caller.
    ///
    /// Since `*` never stands for a dot, a name fits when its labels fit one by one.
    pub(crate) fn fits(&self, folded_name: &str) -> bool {
        let mut names = folded_name.split('.');
        self.labels.iter().all(|label| names.next().is_some_and(|name| label_fits(label, name)))
            && names.next().is_none()
    }

    /// Whether it is a lone `*`, which fits no name with a dot.
    pub(crate) fn is_lone_wildcard(&self) -> bool {
        self.labels == ["*"]
    }
}

/// The pieces between the stars must follow one another; the first and the last stand at the ends.
fn label_fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(name) = name.strip_prefix(head).and_then(|name| name.strip_suffix(tail)) else {
        return false;
    };
    let mut remaining = name;
    for piece in middle.split('*') {
        let Some((_, after)) = remaining.split_once(piece) else {
            return false;
        };
        remaining = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        TargetPattern::parse(pattern).unwrap().fits(&fold(name))
    }

    #[test]
    fn a_star_stands_for_anything_but_a_dot() {
        for (pattern, name) in [
            ("iis*.demo.example", "IIS01.demo.EXAMPLE"),
            ("iis*.demo.example", "iis.demo.example"),
            ("*.demo.example", "a.demo.example"),
            ("*", "web01"),
            ("a*b*c", "abc"),
            ("a*b*c", "aXbYbZc"),
            ("**", "x"),
            ("a*a", "aa"),
            ("*.*", "a.b"),
            ("web01", "WEB01"),
            ("ü*", "Ünal"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_whole_name_has_to_fit() {
        for (pattern, name) in [
            ("iis*.demo.example", "iis01.x.demo.example"),
            ("iis*.demo.example", "iis01.demo.example.evil"),
            ("iis*.demo.example", "xiis01.demo.example"),
            ("iis*.demo.example", "iis01demoexample"),
            ("*", "a.b"),
            ("*.demo.example", "demo.example"),
            ("*.demo.example", "a.demo.example."),
            ("a*a", "a"),
            ("ab*ba", "aba"),
            ("a*b*c", "acb"),
            ("kiosk", "\u{212A}iosk"),
            ("web01", "web01 "),
            ("web01", ""),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_name_is_a_mistake() {
        for bad in ["", "a b", "a..b", ".a", "a.", "a?", "[ab]", "a/b", "a\\b", "a:5986", "a\0", "10.0.0.0/8"] {
            assert!(TargetPattern::parse(bad).is_err(), "{bad}");
        }
        assert!(TargetPattern::parse(&"a".repeat(256)).is_err());
        assert!(TargetPattern::parse("*").unwrap().is_lone_wildcard());
        assert!(!TargetPattern::parse("*.a").unwrap().is_lone_wildcard());
    }
}

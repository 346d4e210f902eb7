//! What a rule says about the arguments of a program, and which of them are secret.

use std::sync::Arc;

use crate::decision::{CheckedArgument, Secrecy};
use crate::limits;
use crate::pattern::Pattern;
use crate::pattern_shape::Gate;

/// The arguments that a rule allows.
#[derive(Debug, Clone)]
pub(crate) struct ArgumentRule {
    pub(crate) form: ArgumentForm,
    /// Marks all arguments at once.
    pub(crate) secrecy: Secrecy,
    /// What every argument that fits has in common.
    gate: Gate,
}

#[derive(Debug, Clone)]
pub(crate) enum ArgumentForm {
    /// No argument.
    None,
    /// The whole list is one of these, in this case of letters.
    Exact(Vec<Vec<String>>),
    /// Each argument alone matches one pattern; there may be none.
    Each { patterns: Vec<ValuePattern>, max: usize },
    /// Whatever the command line can carry.
    Any,
}

/// A pattern for one argument.
#[derive(Debug, Clone)]
pub(crate) struct ValuePattern {
    pub(crate) pattern: Arc<Pattern>,
    pub(crate) secrecy: Secrecy,
}

impl ArgumentRule {
    pub(crate) fn new(form: ArgumentForm, secrecy: Secrecy) -> Self {
        let gate = match &form {
            ArgumentForm::None | ArgumentForm::Exact(_) | ArgumentForm::Any => Gate::OPEN,
            ArgumentForm::Each { patterns, .. } => Gate::of(&mut patterns.iter().map(|value| value.pattern.shape())),
        };
        Self { form, secrecy, gate }
    }

    /// Judges the whole list; `None` when it does not fit.
    pub(crate) fn judge(&self, arguments: &[String]) -> Option<Vec<Secrecy>> {
        match &self.form {
            ArgumentForm::None => arguments.is_empty().then(Vec::new),
            ArgumentForm::Exact(lists) => {
                lists.iter().any(|list| list == arguments).then(|| vec![self.secrecy; arguments.len()])
            }
            ArgumentForm::Each { patterns, max } if arguments.len() <= *max => {
                // Most rules for a program are told apart by this, before any pattern's engine is asked.
                let shaped = |argument: &String| patterns.iter().any(|value| value.pattern.shape().fits(argument));
                if !arguments.iter().all(|argument| self.gate.fits(argument)) || !arguments.iter().all(shaped) {
                    return None;
                }
                arguments.iter().map(|argument| self.judge_one(patterns, argument)).collect()
            }
            ArgumentForm::Each { .. } => None,
            ArgumentForm::Any => Some(vec![self.secrecy; arguments.len()]),
        }
    }

    /// All patterns are tried, so that one that marks a secret is never hidden by one before it.
    fn judge_one(&self, patterns: &[ValuePattern], argument: &str) -> Option<Secrecy> {
        patterns
            .iter()
            .filter(|value| value.pattern.matches(argument))
            .map(|value| value.secrecy)
            .reduce(Secrecy::or)
            .map(|secrecy| secrecy.or(self.secrecy))
    }

    /// Whether any argument of a line that fits would be secret.
    pub(crate) fn marks_secrets(&self) -> bool {
        let marked = match &self.form {
            ArgumentForm::None | ArgumentForm::Exact(_) | ArgumentForm::Any => false,
            ArgumentForm::Each { patterns, .. } => patterns.iter().any(|value| value.secrecy == Secrecy::Secret),
        };
        marked || self.secrecy == Secrecy::Secret
    }

    /// For a denial: what would be accepted, in the words of the document.
    pub(crate) fn describe(&self) -> String {
        match &self.form {
            ArgumentForm::None => "none".to_owned(),
            ArgumentForm::Exact(lists) => {
                let shown = lists.iter().map(|list| describe_list(list, self.secrecy));
                format!("exactly {}", enumerate(shown, lists.len(), " or "))
            }
            ArgumentForm::Each { patterns, max } => {
                let shown = patterns.iter().map(|value| match value.secrecy.or(self.secrecy) {
                    Secrecy::Open => shorten(value.pattern.source()),
                    Secrecy::Secret => "<secret>".to_owned(),
                });
                format!("at most {max}, each matching {}", enumerate(shown, patterns.len(), " or "))
            }
            ArgumentForm::Any => "any".to_owned(),
        }
    }
}

fn describe_list(list: &[String], secrecy: Secrecy) -> String {
    match (list.is_empty(), secrecy) {
        (true, _) => "none".to_owned(),
        (false, Secrecy::Secret) => "<secret>".to_owned(),
        (false, Secrecy::Open) => format!("`{}`", shorten(&list.join(" "))),
    }
}

/// Joins what a denial shows, and says how many more there are.
pub(crate) fn enumerate(shown: impl Iterator<Item = String>, all: usize, between: &str) -> String {
    let mut text = shown.take(limits::SHOWN_ENTRIES).collect::<Vec<_>>().join(between);
    let more = all.saturating_sub(limits::SHOWN_ENTRIES);
    if more > 0 {
        text.push_str(&format!(" ({more} more)"));
    }
    text
}

pub(crate) fn shorten(value: &str) -> String {
    let mut shown: String = value.chars().take(limits::SHOWN_VALUE).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}

/// Puts values and their secrecy together. An option whose name speaks of a secret marks its value, or the
/// argument after it: rules are written for what is allowed, and this is easily forgotten.
pub(crate) fn checked(arguments: Vec<String>, secrecies: &[Secrecy]) -> Vec<CheckedArgument> {
    let mut next = Secrecy::Open;
    let mut checked = Vec::with_capacity(arguments.len());
    for (index, value) in arguments.into_iter().enumerate() {
        let ruled = secrecies.get(index).copied().unwrap_or(Secrecy::Secret);
        let (own, following) = option_secrecy(&value);
        checked.push(CheckedArgument { value, secrecy: ruled.or(next).or(own) });
        next = following;
    }
    checked
}

/// Whether a name speaks of a password, secret, token or key.
pub(crate) fn speaks_of_secret(name: &str) -> bool {
    const TELLING: [&[u8]; 5] = [b"pass", b"pwd", b"secret", b"token", b"key"];
    let holds = |word: &[u8]| name.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    TELLING.into_iter().any(holds)
}

/// What an argument's own name says about itself and about the argument after it.
fn option_secrecy(argument: &str) -> (Secrecy, Secrecy) {
    let speaks = speaks_of_secret;
    match argument.split_once([':', '=']) {
        // `sc.exe config x password= y` has its value in the next argument, and cannot be written otherwise.
        Some((name, "")) if speaks(name) => (Secrecy::Open, Secrecy::Secret),
        Some((name, _)) if speaks(name) => (Secrecy::Secret, Secrecy::Open),
        None if argument.starts_with(['-', '/']) && speaks(argument) => (Secrecy::Open, Secrecy::Secret),
        Some(_) | None => (Secrecy::Open, Secrecy::Open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    fn each(patterns: &[(&str, Secrecy)], max: usize) -> ArgumentRule {
        let patterns = patterns
            .iter()
            .map(|(source, secrecy)| ValuePattern {
                pattern: Arc::new(Pattern::parse(source).unwrap()),
                secrecy: *secrecy,
            })
            .collect();
        ArgumentRule::new(ArgumentForm::Each { patterns, max }, Secrecy::Open)
    }

    #[test]
    fn exact_lists_fit_whole_and_in_their_case() {
        let form = ArgumentForm::Exact(vec![strings(&["/all"]), strings(&["a", "b"])]);
        let rule = ArgumentRule::new(form, Secrecy::Open);
        assert!(rule.judge(&strings(&["/all"])).is_some());
        assert!(rule.judge(&strings(&["a", "b"])).is_some());
        for bad in [&["/ALL"][..], &[], &["a"], &["b", "a"], &["a", "b", "c"], &["a b"]] {
            assert!(rule.judge(&strings(bad)).is_none(), "{bad:?}");
        }
        assert_eq!(rule.describe(), "exactly `/all` or `a b`");
    }

    #[test]
    fn each_argument_matches_alone_up_to_the_maximum() {
        let rule = each(&[("/fo", Secrecy::Open), ("csv|list", Secrecy::Open)], 2);
        for good in [&[][..], &["/FO"], &["/fo", "CSV"], &["csv", "list"]] {
            assert!(rule.judge(&strings(good)).is_some(), "{good:?}");
        }
        for bad in [&["/fo csv"][..], &["/fo", "csv", "list"], &["/fo", "x"], &[""]] {
            assert!(rule.judge(&strings(bad)).is_none(), "{bad:?}");
        }
        assert_eq!(rule.describe(), "at most 2, each matching /fo or csv|list");
    }

    #[test]
    fn a_secret_pattern_marks_its_values_whatever_else_matches() {
        let rule = each(&[(".*", Secrecy::Open), ("p.*", Secrecy::Secret)], 9);
        assert_eq!(rule.judge(&strings(&["a", "pw"])).unwrap(), [Secrecy::Open, Secrecy::Secret]);
        assert!(!rule.describe().contains("p.*"));
    }

    #[test]
    fn names_that_speak_of_secrets_mark_values() {
        let marked = |list: &[&str]| -> Vec<bool> {
            let arguments = strings(list);
            let secrecies = vec![Secrecy::Open; arguments.len()];
            checked(arguments, &secrecies).iter().map(CheckedArgument::is_secret).collect()
        };
        assert_eq!(marked(&["/password:x", "y"]), [true, false]);
        assert_eq!(marked(&["-Token", "x", "y"]), [false, true, false]);
        assert_eq!(marked(&["--api-key=x", "secret=z"]), [true, true]);
        assert_eq!(marked(&["/fo", "csv", "C:\\tokens"]), [false, false, false]);
        assert_eq!(marked(&["password", "x"]), [false, false]);
        assert_eq!(marked(&["obj=", "D\\u", "password=", "x", "y"]), [false, false, false, true, false]);
        assert_eq!(marked(&["-Secret:", "x", "/pass:y"]), [false, true, true]);
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let lists = (0..50).map(|n| vec!["x".repeat(500), n.to_string()]).collect();
        let rule = ArgumentRule::new(ArgumentForm::Exact(lists), Secrecy::Open);
        let shown = rule.describe();
        assert!(shown.contains("(44 more)") && shown.len() < 600, "{shown}");
    }
}

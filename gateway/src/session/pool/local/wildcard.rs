//! Wildcards as PowerShell reads them in names: `*`, `?`, `[a-z]` and a backtick before what is meant as it is.

/// Longest pattern and longest name that are compared: the time is their product.
const LENGTH: usize = 512;

/// A name, ready to be compared, ignoring case. One that is too long fits nothing.
pub(super) struct Name(Option<Vec<char>>);

/// A pattern, ready to be compared. One that cannot be read fits nothing.
pub(super) struct Pattern {
    parts: Option<Vec<Part>>,
    /// Characters that a name must have at least.
    least: usize,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self(folded(name))
    }
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        let parts = folded(pattern).and_then(|pattern| parse(&pattern));
        let least = parts.iter().flatten().filter(|part| !matches!(part, Part::Any)).count();
        Self { parts, least }
    }

    /// Whether a name fits as a whole.
    pub(super) fn fits(&self, name: &Name) -> bool {
        let (Some(parts), Some(name)) = (&self.parts, &name.0) else { return false };
        // No more parts than the name is long are left then, however long the pattern is.
        self.least <= name.len() && matches(parts, name)
    }
}

fn folded(text: &str) -> Option<Vec<char>> {
    (text.len() <= LENGTH).then(|| text.chars().map(|c| c.to_ascii_lowercase()).collect())
}

/// Whether a pattern stands for one name alone.
pub(super) fn is_plain(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '`'])
}

enum Part {
    Any,
    One,
    Is(char),
    Within(Vec<(char, char)>),
}

fn parse(pattern: &[char]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut left = pattern.iter().copied();
    while let Some(c) = left.next() {
        parts.push(match c {
            '*' if matches!(parts.last(), Some(Part::Any)) => continue,
            '*' => Part::Any,
            '?' => Part::One,
            '`' => Part::Is(left.next()?),
            '[' => {
                let set: Vec<char> = left.by_ref().take_while(|c| *c != ']').collect();
                Part::Within(ranges(&set))
            }
            c => Part::Is(c),
        });
    }
    Some(parts)
}

fn ranges(set: &[char]) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    let mut left = set;
    loop {
        match left {
            [from, '-', to, rest @ ..] => {
                ranges.push((*from, *to));
                left = rest;
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                left = rest;
            }
            [] => return apart(ranges),
        }
    }
}

/// In order and apart from each other, so that the one that may hold a character is found without reading all.
fn apart(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.retain(|(from, to)| from <= to);
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let touch = next.0 <= last.1;
        if touch {
            last.1 = last.1.max(next.1);
        }
        touch
    });
    ranges
}

fn is_within(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|(from, _)| *from <= c);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, to)| c <= *to)
}

/// Row by row: which beginnings of the name the parts so far can be.
fn matches(parts: &[Part], name: &[char]) -> bool {
    let mut reached = vec![false; name.len().saturating_add(1)];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in parts {
        let mut next = Vec::with_capacity(reached.len());
        let mut any = false;
        let before = std::iter::once(None).chain(name.iter().copied().map(Some));
        let mut previous = false;
        for (here, c) in reached.iter().zip(before) {
            any |= *here;
            let fits = c.is_some_and(|c| match part {
                Part::Any | Part::One => true,
                Part::Is(wanted) => *wanted == c,
                Part::Within(ranges) => is_within(ranges, c),
            });
            next.push(if matches!(part, Part::Any) { any } else { previous && fits });
            previous = *here;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).fits(&Name::new(name))
    }

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name) in [
            ("Get-Service", "get-service"),
            ("*", ""),
            ("*", "x"),
            ("Get-*", "Get-Date"),
            ("*-Date", "Get-Date"),
            ("G?t-D*e", "Get-Date"),
            ("[a-g]et-*", "Get-Date"),
            ("Get-[dx]ate", "Get-Date"),
            ("a`*b", "a*b"),
            ("**", "abc"),
            ("[x-za-cb-g]et", "get"),
            ("[a-zc]et", "xet"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("Get", "Get-Date"),
            ("Get-*", "get"),
            ("?", ""),
            ("Get-?", "Get-"),
            ("[h-z]et-*", "Get-Date"),
            ("[z-a]et", "get"),
            ("a`*b", "axb"),
            ("", "a"),
            ("a`", "a"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        assert!(is_plain("Get-Date") && !is_plain("Get-*") && !is_plain("[a]"));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let (pattern, name) = ("*a".repeat(255), "a".repeat(511) + "b");
        assert!(!fits(&pattern, &name));
    }

    #[test]
    fn a_pattern_has_no_more_parts_than_the_name_that_it_is_compared_with_allows() {
        let pattern = Pattern::new("***a**?*");
        assert_eq!((pattern.parts.unwrap().len(), pattern.least), (5, 2));
        let set = Pattern::new("[a-ca-cb-dbz]").parts.unwrap();
        let [Part::Within(ranges)] = set.as_slice() else { panic!() };
        assert_eq!(ranges, &[('a', 'd'), ('z', 'z')]);
    }
}

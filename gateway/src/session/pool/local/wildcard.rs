//! Wildcards as PowerShell reads them in names: `*`, `?`, `[a-z]` and a backtick before what is meant as it is.

/// Longest pattern and longest name that are compared: the time is their product.
const LENGTH: usize = 512;

/// Whether a name fits a pattern as a whole, ignoring case.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let fold = |text: &str| text.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<char>>();
    if LENGTH < pattern.len() || LENGTH < name.len() {
        return false;
    }
    let Some(parts) = parse(&fold(pattern)) else { return false };
    matches(&parts, &fold(name))
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
            [] => return ranges,
        }
    }
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
                Part::Within(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)),
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
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("Get", "Get-Date"),
            ("Get-*", "get"),
            ("?", ""),
            ("Get-?", "Get-"),
            ("[h-z]et-*", "Get-Date"),
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
}

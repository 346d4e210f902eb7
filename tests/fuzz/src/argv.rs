//! How Windows reads a command line, written independently of the policy crate and only from the documentation of
//! `CommandLineToArgvW` and of the C runtime's start-up ("Parsing C command-line arguments").

/// The arguments after the program, as the C runtime since 2008 splits them.
#[must_use]
pub fn arguments(tail: &str) -> Vec<String> {
    let chars: Vec<char> = tail.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        while matches!(chars.get(at), Some(' ' | '\t')) {
            at += 1;
        }
        if at >= chars.len() {
            return found;
        }
        let (argument, next) = one(&chars, at);
        found.push(argument);
        at = next;
    }
}

fn one(chars: &[char], mut at: usize) -> (String, usize) {
    let mut argument = String::new();
    let mut quoted = false;
    while let Some(c) = chars.get(at) {
        match c {
            ' ' | '\t' if !quoted => break,
            '\\' => {
                let run = chars[at..].iter().take_while(|c| **c == '\\').count();
                at += run;
                let before_quote = chars.get(at) == Some(&'"');
                let kept = if before_quote { run / 2 } else { run };
                argument.extend(std::iter::repeat_n('\\', kept));
                if before_quote && run % 2 == 1 {
                    argument.push('"');
                    at += 1;
                }
            }
            '"' if quoted && chars.get(at + 1) == Some(&'"') => {
                argument.push('"');
                at += 2;
            }
            '"' => {
                quoted = !quoted;
                at += 1;
            }
            other => {
                argument.push(*other);
                at += 1;
            }
        }
    }
    (argument, at)
}

/// What a program that does not read Unicode is given: the characters that Windows' code pages (1252 and 932 by
/// best fit) turn into what splits arguments.
#[must_use]
pub fn best_fit(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{2BA}' | '\u{30E}' | '\u{201C}'..='\u{201E}' | '\u{2033}' | '\u{301D}'..='\u{301F}' | '\u{FF02}' => '"',
            '\u{A5}' | '\u{20A9}' | '\u{2216}' | '\u{FF3C}' => '\\',
            '\u{2000}'..='\u{2006}' | '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

//! Reads what a script's leading `param(…)` declares. Nothing is run and nothing is guessed: whatever takes more
//! than the plain forms to read leaves the declaration unread.

use std::iter::Peekable;
use std::str::Chars;

use crate::fold::fold;
use crate::limits;
use crate::model::{Declared, DeclaredKind, DeclaredParameter};

/// Parameters of one script.
const PARAMETERS: usize = 256;
/// Brackets within brackets.
const DEPTH: usize = 64;
/// Characters of one parameter's attributes together.
const ATTRIBUTE: usize = 4096;

/// What a script declares.
pub(crate) fn declared(text: &str) -> Declared {
    let mut reader = Reader { chars: text.chars().peekable() };
    reader.script().unwrap_or(Declared::Unread)
}

struct Reader<'t> {
    chars: Peekable<Chars<'t>>,
}

/// How positions come about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Positions {
    InOrder,
    Stated,
}

impl Reader<'_> {
    fn script(&mut self) -> Option<Declared> {
        let mut positions = Positions::InOrder;
        self.trivia()?;
        while self.chars.peek() == Some(&'[') {
            if states_positions(&self.balanced(']')?) {
                positions = Positions::Stated;
            }
            self.trivia()?;
        }
        let word = self.word();
        if word.eq_ignore_ascii_case("using") {
            return None;
        }
        if !word.eq_ignore_ascii_case("param") {
            return Some(Declared::InOrder(Vec::new()));
        }
        self.trivia()?;
        if self.chars.next()? != '(' {
            return None;
        }
        let parameters = self.parameters(&mut positions)?;
        Some(match positions {
            Positions::InOrder => Declared::InOrder(parameters),
            Positions::Stated => Declared::Named(parameters),
        })
    }

    fn parameters(&mut self, positions: &mut Positions) -> Option<Vec<DeclaredParameter>> {
        let mut parameters = Vec::new();
        loop {
            self.trivia()?;
            if parameters.is_empty() && self.chars.next_if_eq(&')').is_some() {
                return Some(parameters);
            }
            if parameters.len() >= PARAMETERS {
                return None;
            }
            let parameter = self.parameter(positions)?;
            // PowerShell refuses a script with two of one name.
            if parameters.iter().any(|other: &DeclaredParameter| fold(&other.name) == fold(&parameter.name)) {
                return None;
            }
            parameters.push(parameter);
            match self.chars.next()? {
                ')' => return Some(parameters),
                ',' => {}
                _ => return None,
            }
        }
    }

    /// Reads one parameter up to the comma or the parenthesis behind it.
    fn parameter(&mut self, positions: &mut Positions) -> Option<DeclaredParameter> {
        let mut parameter = DeclaredParameter { name: String::new(), kind: DeclaredKind::Value, aliases: Vec::new() };
        while self.chars.peek() == Some(&'[') {
            let attribute = self.balanced(']')?;
            if states_positions(&attribute) {
                *positions = Positions::Stated;
            }
            if is_switch(&attribute) {
                parameter.kind = DeclaredKind::Switch;
            } else if attribute.ends_with("[]]") && parameter.kind == DeclaredKind::Value {
                parameter.kind = DeclaredKind::Several;
            }
            parameter.aliases.extend(aliases(&attribute)?);
            self.trivia()?;
        }
        if self.chars.next()? != '$' {
            return None;
        }
        parameter.name = self.word();
        if parameter.name.is_empty() || parameter.name.chars().count() > limits::NAME {
            return None;
        }
        self.trivia()?;
        if self.chars.next_if_eq(&'=').is_some() {
            self.default()?;
        }
        Some(parameter)
    }

    /// Passes over a default value: up to a comma or the closing parenthesis.
    fn default(&mut self) -> Option<()> {
        loop {
            self.trivia()?;
            match self.chars.peek()? {
                ',' | ')' => return Some(()),
                '(' => drop(self.balanced(')')?),
                '[' => drop(self.balanced(']')?),
                '{' => drop(self.balanced('}')?),
                _ => drop(self.piece()?),
            }
        }
    }

    /// Reads from an opening bracket to the closing one that belongs to it.
    fn balanced(&mut self, close: char) -> Option<String> {
        let mut text = String::from(self.chars.next()?);
        let mut closers = vec![close];
        while let Some(expected) = closers.last() {
            self.trivia()?;
            let piece = self.piece()?;
            match piece.as_str() {
                "(" => closers.push(')'),
                "[" => closers.push(']'),
                "{" => closers.push('}'),
                ")" | "]" | "}" if piece.chars().eq([*expected]) => drop(closers.pop()),
                ")" | "]" | "}" => return None,
                _ => {}
            }
            text.push_str(&piece);
            if closers.len() > DEPTH || text.len() > ATTRIBUTE {
                return None;
            }
        }
        Some(text)
    }

    /// One character, or one whole string.
    fn piece(&mut self) -> Option<String> {
        match self.chars.next()? {
            '\'' => self.single_quoted(),
            '"' => self.double_quoted(),
            // What these begin or change cannot be told without PowerShell's own parser.
            '`' | '@' | '\u{2018}'..='\u{201E}' | '\0' => None,
            other if other.is_alphanumeric() && self.chars.peek() == Some(&'#') => None,
            other => Some(other.to_string()),
        }
    }

    fn single_quoted(&mut self) -> Option<String> {
        let mut text = String::from('\'');
        loop {
            let next = self.chars.next()?;
            text.push(next);
            match next {
                '\'' if self.chars.next_if_eq(&'\'').is_none() => return Some(text),
                '\u{2018}'..='\u{201B}' => return None,
                _ => {}
            }
        }
    }

    fn double_quoted(&mut self) -> Option<String> {
        let mut text = String::from('"');
        loop {
            let next = self.chars.next()?;
            text.push(next);
            match next {
                '"' if self.chars.next_if_eq(&'"').is_none() => return Some(text),
                '`' | '$' | '\u{201C}'..='\u{201E}' => return None,
                _ => {}
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        word
    }

    /// Passes over blanks and comments; `None` when a comment never ends.
    fn trivia(&mut self) -> Option<()> {
        loop {
            match self.chars.peek() {
                Some(c) if c.is_whitespace() => drop(self.chars.next()),
                Some('#') => while self.chars.next_if(|c| !matches!(c, '\n' | '\r')).is_some() {},
                Some('<') => {
                    self.chars.next();
                    if self.chars.next()? != '#' {
                        return None;
                    }
                    let mut last = ' ';
                    loop {
                        let next = self.chars.next()?;
                        if (last, next) == ('#', '>') {
                            break;
                        }
                        last = next;
                    }
                }
                Some(_) | None => return Some(()),
            }
        }
    }
}

/// Whether an attribute says which positions parameters have, or which set they are in.
fn states_positions(attribute: &str) -> bool {
    let attribute = attribute.to_ascii_lowercase();
    ["position", "parametersetname", "valuefromremaining"].iter().any(|word| attribute.contains(word))
}

fn is_switch(attribute: &str) -> bool {
    let name = attribute.trim_matches(['[', ']']).to_ascii_lowercase();
    matches!(
        name.as_str(),
        "switch"
            | "switchparameter"
            | "management.automation.switchparameter"
            | "system.management.automation.switchparameter"
    )
}

/// The names in `[Alias('a', 'b')]`; `None` when they are not plain strings.
fn aliases(attribute: &str) -> Option<Vec<String>> {
    let list = attribute.split_at_checked(7).filter(|(start, _)| start.eq_ignore_ascii_case("[alias("));
    let Some((_, list)) = list else {
        return Some(Vec::new());
    };
    list.strip_suffix(")]")?
        .split(',')
        .map(|name| {
            let quoted = |quote| name.strip_prefix(quote).and_then(|name: &str| name.strip_suffix(quote));
            let name = quoted('\'').or_else(|| quoted('"'))?;
            let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            plain.then(|| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(declared: &Declared) -> Vec<String> {
        match declared {
            Declared::InOrder(list) | Declared::Named(list) => list
                .iter()
                .map(|parameter| {
                    let mark = if parameter.kind == DeclaredKind::Switch { "?" } else { "" };
                    format!(
                        "{}{mark}{}",
                        parameter.name,
                        parameter.aliases.iter().map(|a| format!("/{a}")).collect::<String>()
                    )
                })
                .collect(),
            Declared::Unread => vec!["unread".to_owned()],
        }
    }

    #[test]
    fn plain_declarations_are_read_in_order() {
        for (text, expected) in [
            ("param($a, $b)", &["a", "b"][..]),
            ("param()", &[]),
            ("Get-Service", &[]),
            ("", &[]),
            ("$x = 1; param($a)", &[]),
            (
                "# a comment with param($x)\n<# another # > #>\nPARAM (\n  [string] $Name = 'a,b)',\n  [switch]$Force\n)",
                &["Name", "Force?"],
            ),
            (
                "[CmdletBinding()]\nparam(\n  [Parameter(Mandatory)]\n  [ValidateSet('a', \"b]\")]\n  [string[]]$Name,\n  [int]$Count = (1 + 2), $Rest = { 1, 2 })\nbody",
                &["Name", "Count", "Rest"],
            ),
            (
                "param([Alias('cn', \"host\")] $ComputerName, [System.Management.Automation.SwitchParameter] $Wait)",
                &["ComputerName/cn/host", "Wait?"],
            ),
            ("param($a # the first\n , $b)", &["a", "b"]),
        ] {
            let found = declared(text);
            assert!(matches!(found, Declared::InOrder(_)), "{text}: {found:?}");
            assert_eq!(names(&found), expected, "{text}");
        }
    }

    #[test]
    fn stated_positions_leave_the_names() {
        for text in [
            "param([Parameter(Position = 1)] $a, $b)",
            "[CmdletBinding(PositionalBinding = $false)] param($a, $b)",
            "param([Parameter(ValueFromRemainingArguments)] $a, $b)",
            "param([Parameter(ParameterSetName = 'x')] $a, $b)",
        ] {
            let found = declared(text);
            assert!(matches!(found, Declared::Named(_)), "{text}: {found:?}");
            assert_eq!(names(&found), ["a", "b"], "{text}");
        }
    }

    #[test]
    fn what_takes_more_to_read_is_left_unread() {
        for text in [
            "using module X\nparam($a)",
            "param($a",
            "param($a, )",
            "param(${a b})",
            "param($a = \"$(Get-Date)\")",
            "param($a = @'\nx\n'@)",
            "param($a = `\n1)",
            "param($a = ‘x’)",
            "param([Alias(($x))] $a)",
            "param($a $b)",
            "param([string $a)",
            "param([string)] $a)",
            "<# never closed param($a)",
            "param x",
            "param($a, $A)",
        ] {
            assert_eq!(declared(text), Declared::Unread, "{text}");
        }
        assert_eq!(declared(&format!("param($a = {})", "(".repeat(100_000))), Declared::Unread);
        assert_eq!(declared(&format!("param({})", "$a,".repeat(100_000))), Declared::Unread);
        assert_eq!(
            declared(&format!("param($a = {})", "{'x'}".repeat(10_000))),
            Declared::InOrder(vec![DeclaredParameter {
                name: "a".to_owned(),
                kind: DeclaredKind::Value,
                aliases: Vec::new(),
            }])
        );
    }
}

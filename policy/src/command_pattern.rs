//! Names of commands as documents write them: `Get-Service`, `Module\Get-Service`, `Get-Net*` (rule R3).

use crate::fold::fold;
use crate::limits;

/// A name with or without a module, each perhaps with `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandPattern {
    /// Folded.
    module: Option<String>,
    /// Folded.
    name: String,
}

impl CommandPattern {
    /// Reads a name; the error says what is wrong with it and follows the name.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (module, name) = match text.split_once('\\') {
            Some((module, name)) => (Some(module), name),
            None => (None, text),
        };
        for part in module.into_iter().chain([name]) {
            if part.is_empty() || part.chars().count() > limits::NAME {
                return Err("is no name for a command");
            }
            if part.chars().any(|c| !in_star(c) && !matches!(c, '.' | '*')) {
                return Err("holds what no command's name has; `*` is the only wildcard");
            }
        }
        Ok(Self { module: module.map(fold), name: fold(name) })
    }

    /// Whether it is a whole name without a module.
    pub(crate) fn is_plain(&self) -> bool {
        self.module.is_none() && !self.is_wildcard()
    }

    pub(crate) fn is_wildcard(&self) -> bool {
        self.name.contains('*') || self.module.as_ref().is_some_and(|module| module.contains('*'))
    }

    pub(crate) fn is_qualified(&self) -> bool {
        self.module.is_some()
    }

    /// The command's name, folded, perhaps with `*`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it covers a command of the catalogue, whose names were folded by the caller.
    pub(crate) fn covers(&self, folded_name: &str, folded_module: &str) -> bool {
        self.covers_module(folded_module) && fits(&self.name, folded_name)
    }

    /// Whether the module, if it names one, is this one.
    pub(crate) fn covers_module(&self, folded_module: &str) -> bool {
        self.module.as_ref().is_none_or(|module| fits(module, folded_module))
    }
}

/// What `*` stands for.
fn in_star(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_')
}

/// Whether a pattern fits a whole name. A star that was passed is never lengthened again once a later one was
/// reached: what it could gain, the later one can take.
fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut star = None;
    loop {
        let at_name = name.clone();
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                name = at_name;
                star = Some((pattern.clone(), name.clone()));
            }
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(_) | None, _) => {
                // One character more for the star, and again from behind it.
                let Some((behind, mut taken)) = star.take() else {
                    return false;
                };
                if !taken.next().is_some_and(in_star) {
                    return false;
                }
                (pattern, name) = (behind, taken);
                star = Some((pattern.clone(), name.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, name: &str, module: &str) -> bool {
        CommandPattern::parse(pattern).unwrap().covers(&fold(name), &fold(module))
    }

    #[test]
    fn a_star_stands_for_letters_digits_dash_and_underscore() {
        for (pattern, name) in [
            ("Get-*", "get-service"),
            ("Get-*", "Get-"),
            ("*-Service", "Restart-Service"),
            ("*", "Get-A_1"),
            ("*e*e*", "Get-Service"),
            ("G*t-*", "Get-Item"),
            ("*é", "Café"),
            ("a.*", "a.b"),
        ] {
            assert!(covers(pattern, name, ""), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("Get-*", "xGet-Service"),
            ("Get-*", "Get-Ser.vice"),
            ("*", "a.b"),
            ("*.b", "a.c.b"),
            ("*-Service", "Restart-Services"),
            ("Get-Service", "Get-Servic"),
            ("Get*x", "Get-Service"),
        ] {
            assert!(!covers(pattern, name, ""), "{pattern} {name}");
        }
    }

    #[test]
    fn a_module_has_to_be_the_catalogues() {
        let module = "Microsoft.PowerShell.Management";
        assert!(covers(r"microsoft.powershell.management\get-service", "Get-Service", module));
        assert!(covers(r"Microsoft.PowerShell.*\Get-*", "Get-Service", module));
        for pattern in [r"NetTCPIP\Get-Service", r"*\Get-Service", r"Microsoft.*\Get-Service"] {
            assert!(!covers(pattern, "Get-Service", module), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in ["", r"\Get-X", r"M\", r"A\B\C", "Get-X ", "Get-?", "[a]", "a/b", "C:\\x.exe", "a\u{200D}", "&"] {
            assert!(CommandPattern::parse(bad).is_err(), "{bad}");
        }
        let pattern = CommandPattern::parse("Get-Service").unwrap();
        assert!(pattern.is_plain() && !pattern.is_wildcard() && !pattern.is_qualified());
        assert!(!CommandPattern::parse(r"M\Get-X").unwrap().is_plain());
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = format!("{}b", "*a".repeat(100));
        assert!(!covers(&pattern, &"a".repeat(250), ""));
    }
}

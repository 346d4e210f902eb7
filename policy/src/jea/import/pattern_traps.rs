//! What people write in ValidatePattern and do not mean.

use regex_syntax::ast::{self, Ast, RepetitionKind, Visitor};

use crate::limits;

/// What a pattern does that it was hardly meant to do, each as the end of a sentence about it.
pub(super) fn of(pattern: &str) -> Vec<String> {
    let parsed = ast::parse::ParserBuilder::new().nest_limit(limits::PATTERN_DEPTH).build().parse(pattern);
    let Some(form) = parsed.ok().and_then(|ast| ast::visit(&ast, Form::default()).ok()) else {
        return Vec::new();
    };
    let mut traps = Vec::new();
    if let Some(repeated) = form.starred {
        let shown: String = repeated.escape_debug().collect();
        traps.push(format!(
            "repeats the character `{shown}`: `*` is no wildcard in a pattern, and stands for any number of the character \
             before it; for any text write `.*`"
        ));
    }
    if form.anything {
        let meets = if form.literals { "lets any text through in one place" } else { "lets every text through" };
        traps.push(format!("{meets}, `..` and separators of paths included: say which characters are meant"));
    }
    if form.dollar {
        traps.push(
            "holds `$`, which for PowerShell also stands before a line feed at the end of a value; here it is the end"
                .to_owned(),
        );
    }
    traps
}

#[derive(Default)]
struct Form {
    /// A plain character with a star behind it.
    starred: Option<char>,
    /// `.*`, `.+` and the like.
    anything: bool,
    literals: bool,
    dollar: bool,
}

impl Visitor for Form {
    type Output = Self;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Literal(_) => self.literals = true,
            Ast::Assertion(assertion) => self.dollar |= assertion.kind == ast::AssertionKind::EndLine,
            Ast::Empty(_)
            | Ast::Flags(_)
            | Ast::Dot(_)
            | Ast::ClassUnicode(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Group(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => {}
        }
        Ok(())
    }
}

impl Form {
    fn repetition(&mut self, repetition: &ast::Repetition) {
        let many = match repetition.op.kind {
            RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => true,
            RepetitionKind::ZeroOrOne => false,
            RepetitionKind::Range(ref range) => matches!(range, ast::RepetitionRange::AtLeast(_)),
        };
        if many && matches!(*repetition.ast, Ast::Dot(_)) {
            self.anything = true;
        }
        if let (Ast::Literal(literal), RepetitionKind::ZeroOrMore) = (&*repetition.ast, &repetition.op.kind) {
            self.starred.get_or_insert(literal.c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trap_is_told_and_plain_patterns_are_left_alone() {
        for (pattern, part) in [
            ("HR_*", "repeats the character `_`"),
            ("L*", "repeats the character `L`"),
            (".*", "every text through"),
            (r"C:\\Logs\\.+\.log", "any text through in one place"),
            ("a.{1,}", "any text through"),
            ("^abc$", "holds `$`"),
        ] {
            let found = of(pattern);
            assert!(found.iter().any(|trap| trap.contains(part)), "{pattern}: {found:?}");
        }
        for plain in ["DNS Client", r"\d{1,3}", "[a-z]+", "colou?r", "a+", r"web\d*", "(a|b)*", r"\$x", ".", ".{1,8}"] {
            assert!(of(plain).is_empty(), "{plain}: {:?}", of(plain));
        }
        assert!(of("(").is_empty());
    }
}

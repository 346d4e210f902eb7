//! Patterns that mean something else than they look like.

use regex_syntax::ast::{self, Ast};

use super::Finding;
use crate::document::ParameterDocument;
use crate::limits;
use crate::source_text::{Span, shown};

pub(super) fn examine_parameter(parameter: &ParameterDocument, findings: &mut Vec<Finding>) {
    if let Some((source, _)) = &parameter.pattern {
        examine(&source.text, &source.span, findings);
    }
}

/// Examines a pattern that compiles.
pub(super) fn examine(source: &str, span: &Span, findings: &mut Vec<Finding>) {
    let Ok(ast) = ast::parse::ParserBuilder::new().nest_limit(limits::PATTERN_DEPTH).build().parse(source) else {
        return;
    };
    let shown = shown(source);
    let mut push = |message: String, hint: &str| {
        findings.push(Finding { span: span.clone(), message, hint: hint.to_owned() });
    };
    if is_half_anchored(&ast) {
        let message = format!("the pattern `{shown}` is anchored in part, and yet always has to match the whole value");
        push(message, "write ^(?:a|b)$ or no anchors at all; for `begins with` add .* at the end");
    }
    if let Some(literal) = wildcard_look(&ast) {
        let message =
            format!("`{literal}*` in the pattern `{shown}` means any number of `{literal}`, and is no wildcard");
        push(message, "write .* for any characters, for instance HR_.*");
    }
    if accepts_everything(&ast) {
        let message = format!("the pattern `{shown}` accepts every value on one line");
        push(message, "leave the pattern out, or say what is needed");
    } else if is_open_path(source, &ast) {
        let message = format!("the pattern `{shown}` lets `..` through, which leads out of the folder");
        push(message, r"allow single parts only, for instance C:\\Logs\\[\w-]+\.log");
    }
    if has_unescaped_dot(&ast) {
        let message = format!("a dot in the pattern `{shown}` stands for any character");
        push(message, r"write \. for a dot");
    }
}

fn parts(ast: &Ast) -> &[Ast] {
    if let Ast::Concat(concat) = ast { &concat.asts } else { std::slice::from_ref(ast) }
}

fn is_start(ast: &Ast) -> bool {
    matches!(ast, Ast::Assertion(assertion) if matches!(assertion.kind, ast::AssertionKind::StartLine | ast::AssertionKind::StartText))
}

fn is_end(ast: &Ast) -> bool {
    matches!(ast, Ast::Assertion(assertion) if matches!(assertion.kind, ast::AssertionKind::EndLine | ast::AssertionKind::EndText))
}

/// `^a`, `a$`, `^a|b$`: whoever writes this thinks of a match within the value.
fn is_half_anchored(ast: &Ast) -> bool {
    let one = |ast: &Ast| {
        let parts = parts(ast);
        (parts.first().is_some_and(is_start), parts.last().is_some_and(is_end))
    };
    let Ast::Alternation(alternation) = ast else {
        return matches!(one(ast), (true, false) | (false, true));
    };
    let anchors: Vec<(bool, bool)> = alternation.asts.iter().map(one).collect();
    let first = anchors.first();
    anchors.iter().any(|anchors| Some(anchors) != first || matches!(anchors, (true, false) | (false, true)))
}

/// A letter, digit, dash or underscore with `*` behind it at the end, as in `HR_*`.
fn wildcard_look(ast: &Ast) -> Option<char> {
    let parts = parts(ast);
    let last = parts.iter().rev().find(|part| !is_end(part))?;
    let Ast::Repetition(repetition) = last else {
        return None;
    };
    let star = matches!(repetition.op.kind, ast::RepetitionKind::ZeroOrMore);
    let Ast::Literal(literal) = &*repetition.ast else {
        return None;
    };
    (star && (literal.c.is_alphanumeric() || matches!(literal.c, '_' | '-'))).then_some(literal.c)
}

fn is_anything(ast: &Ast) -> bool {
    let mut ast = ast;
    while let Ast::Group(group) = ast {
        ast = &group.ast;
    }
    let Ast::Repetition(repetition) = ast else {
        return false;
    };
    let open = match &repetition.op.kind {
        ast::RepetitionKind::ZeroOrMore | ast::RepetitionKind::OneOrMore => true,
        ast::RepetitionKind::Range(range) => matches!(range, ast::RepetitionRange::AtLeast(_)),
        ast::RepetitionKind::ZeroOrOne => false,
    };
    open && matches!(&*repetition.ast, Ast::Dot(_))
}

fn accepts_everything(ast: &Ast) -> bool {
    let mut parts = parts(ast).iter().filter(|part| !is_start(part) && !is_end(part));
    parts.next().is_some_and(is_anything) && parts.all(is_anything)
}

/// A path with a part that takes dots and backslashes.
fn is_open_path(source: &str, ast: &Ast) -> bool {
    (source.contains(r"\\") || source.contains('/')) && parts(ast).iter().any(is_anything)
}

/// A dot between letters or digits, as in `web01.demo.example`.
fn has_unescaped_dot(ast: &Ast) -> bool {
    let literal = |ast: &Ast| matches!(ast, Ast::Literal(literal) if literal.c.is_alphanumeric());
    parts(ast).windows(3).any(|three| match three {
        [before, Ast::Dot(_), after] => literal(before) && literal(after),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        let mut findings = Vec::new();
        examine(source, &(0..0), &mut findings);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn what_looks_like_something_else_is_told() {
        for (source, part) in [
            ("^web", "anchored in part"),
            ("dns$", "anchored in part"),
            ("^a|b$", "anchored in part"),
            ("^a$|b", "anchored in part"),
            ("HR_*", "`_*` in the pattern"),
            ("^Web*$", "`b*` in the pattern"),
            (".*", "every value"),
            ("^.+$", "every value"),
            ("(.*)", "every value"),
            (r"C:\\Logs\\.*", "leads out of the folder"),
            ("/srv/.+", "leads out of the folder"),
            ("web01.demo", "any character"),
        ] {
            let found = found(source);
            assert_eq!(found.len(), 1, "{source}: {found:?}");
            assert!(found.iter().all(|message| message.contains(part)), "{source}: {found:?}");
        }
    }

    #[test]
    fn what_means_what_it_looks_like_is_not() {
        for source in [
            "Dns|DnsCache",
            "^(?:a|b)$",
            "^a$|^b$",
            r"\d{1,3}",
            r"web01\.demo",
            "[a-z]+",
            r"C:\\Logs\\[\w-]+\.log",
            "a.*b",
            "x-[0-9]*",
            "https?",
            "",
        ] {
            assert_eq!(found(source), Vec::<String>::new(), "{source}");
        }
    }
}

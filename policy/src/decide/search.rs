//! One command on its way through the rules of all roles.

use std::sync::Arc;

use super::native::Texts;
use super::values::{self, ValueRefusal};
use super::{Standing, native};
use crate::arguments::speaks_of_secret;
use crate::bind::{BindRefusal, Bound, Grant, bind};
use crate::catalog::{CommandInfo, ParameterKind};
use crate::command::Argument;
use crate::decision::{CheckedParameter, Prompts, Secrecy};
use crate::fold::{fold, fold_char};
use crate::model::{
    CommandRule, Entry, ParameterRule, ParameterSecrecy, Parameters, ProgramRule, Qualified, Role, ScriptRule,
};
use crate::value::Value;

/// Whether a command gets objects from a pipeline, which nobody can judge beforehand (rule R9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// It is the first and nothing is sent.
    Nothing,
    /// Another command stands before it.
    Pipeline,
    /// Objects are sent to the pipeline.
    Input,
}

/// How a command was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qualifier<'a> {
    /// By its name alone.
    None,
    /// As `Module\Name`; the module is folded.
    Module(&'a str),
}

/// One command, and what came of asking the rules so far.
pub(super) struct Search<'a> {
    arguments: &'a [Argument],
    feed: Feed,
    /// One for all rules that know the command by the same metadata.
    bindings: Vec<(&'a Arc<CommandInfo>, Binding<'a>)>,
    texts: Option<Texts>,
    pub(super) found: Option<Found<'a>>,
    pub(super) missed: Option<Missed<'a>>,
}

type Binding<'a> = Result<Vec<Named<'a>>, BindRefusal<'a>>;

/// A bound argument with the key under which rules know it.
struct Named<'a> {
    bound: Bound<'a>,
    folded: String,
}

/// The first rule that allows, and what all that allow say of the arguments.
pub(super) struct Found<'a> {
    pub(super) role: &'a Role,
    pub(super) rule: Asked<'a>,
    pub(super) secrecies: Vec<Secrecy>,
    pub(super) prompts: Prompts,
}

/// A rule, with what it knows of the command.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    Command(&'a CommandRule, &'a Arc<CommandInfo>),
    Program(&'a ProgramRule),
    Script(&'a ScriptRule),
}

/// The rule that came nearest so far.
pub(super) struct Missed<'a> {
    pub(super) role: &'a Role,
    pub(super) rule: Asked<'a>,
    pub(super) by: Miss<'a>,
}

/// By how much a rule was missed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Miss<'a> {
    /// The same file name in another folder or spelling.
    Path,
    /// `Module\Name` of a rule with a list of parameters.
    Qualified,
    /// The arguments do not bind.
    Unbound(BindRefusal<'a>),
    /// A parameter that the rule does not list.
    Hidden(&'a str),
    /// A value of a kind that is never accepted, or not for this parameter.
    Kind(&'a str, ValueRefusal),
    /// A value that the rule does not accept.
    Value(&'a ParameterRule, ValueRefusal),
    /// Arguments that cannot be handed to a program as they are.
    Texts,
    /// Other arguments of a program.
    Arguments,
    /// A `$using:` value that the rule does not name, or a second one of the same name.
    Using,
    /// Objects that cannot be judged.
    Fed(Feed),
}

impl Miss<'_> {
    /// Greater is nearer.
    fn nearness(self) -> u8 {
        match self {
            Self::Path => 0,
            Self::Qualified => 1,
            Self::Unbound(_) | Self::Texts => 2,
            Self::Kind(..) => 3,
            Self::Hidden(_) | Self::Using => 4,
            Self::Value(..) | Self::Arguments => 5,
            Self::Fed(_) => 6,
        }
    }
}

impl<'a> Asked<'a> {
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Command(rule, _) => &rule.name,
            Self::Program(rule) => &rule.name,
            Self::Script(rule) => &rule.name,
        }
    }

    fn prompts(self) -> Prompts {
        match self {
            Self::Command(rule, _) => rule.prompts,
            Self::Program(_) => Prompts::Refused,
            Self::Script(rule) => rule.prompts,
        }
    }

    fn marks_secrets(self) -> bool {
        let marks = |list: &[ParameterRule]| list.iter().any(|rule| rule.secrecy != ParameterSecrecy::Open);
        match self {
            Self::Command(rule, _) => match &rule.parameters {
                Parameters::All => false,
                Parameters::Listed(list) => marks(list),
            },
            Self::Program(rule) => rule.arguments.marks_secrets(),
            Self::Script(rule) => marks(&rule.parameters) || marks(&rule.using),
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(arguments: &'a [Argument], feed: Feed) -> Self {
        Self { arguments, feed, bindings: Vec::new(), texts: None, found: None, missed: None }
    }

    /// Asks a rule for a command that was named by its bare name or with its module (R3).
    pub(super) fn ask(&mut self, role: &'a Role, standing: Standing, qualifier: Qualifier<'_>, entry: Entry<'a>) {
        let asked = Asked::Command(entry.rule, entry.info);
        if let Qualifier::Module(module) = qualifier {
            if !is_module(&entry.info.module, module) {
                return;
            }
            if entry.qualified == Qualified::Refused || standing == Standing::Default {
                return self.miss(role, asked, Miss::Qualified);
            }
        }
        if self.has_nothing_to_add(role, asked) {
            return;
        }
        let at = self.binding(entry.info);
        let judged = match self.bindings.get(at) {
            Some((_, Ok(named))) => judge(named, entry.rule, standing, self.feed).and_then(|secrecies| {
                check_joined(named, entry.rule, entry.info)?;
                Ok(secrecies)
            }),
            Some((_, Err(refusal))) => Err(Miss::Unbound(*refusal)),
            None => return,
        };
        match judged {
            Ok(secrecies) => self.find(role, asked, secrecies),
            Err(by) => self.miss(role, asked, by),
        }
    }

    /// Asks a rule for a program (R13).
    pub(super) fn ask_program(&mut self, role: &'a Role, folded: &str, rule: &'a ProgramRule) {
        let asked = Asked::Program(rule);
        if !rule.path.is_named(folded) {
            return self.miss(role, asked, Miss::Path);
        }
        if self.has_nothing_to_add(role, asked) {
            return;
        }
        let texts = self.texts.get_or_insert_with(|| native::texts(self.arguments));
        let judged = match (texts, self.feed) {
            (Err(()), _) => Err(Miss::Texts),
            (Ok(texts), Feed::Nothing) => rule.arguments.judge(texts).ok_or(Miss::Arguments),
            (Ok(_), feed) => Err(Miss::Fed(feed)),
        };
        match judged {
            Ok(secrecies) => self.find(role, asked, secrecies),
            Err(by) => self.miss(role, asked, by),
        }
    }

    /// The bound arguments of an allowed command, in canonical form.
    pub(super) fn parameters(&self, found: &Found<'_>, info: &Arc<CommandInfo>) -> Vec<CheckedParameter> {
        let binding = self.bindings.iter().find(|(known, _)| Arc::ptr_eq(known, info));
        let named = binding.and_then(|(_, binding)| binding.as_ref().ok()).map_or(&[][..], Vec::as_slice);
        named.iter().zip(&found.secrecies).map(|(one, secrecy)| checked(&one.bound, *secrecy)).collect()
    }

    /// The arguments of an allowed program.
    pub(super) fn texts(&self) -> Vec<String> {
        self.texts.as_ref().and_then(|texts| texts.as_ref().ok()).cloned().unwrap_or_default()
    }

    fn binding(&mut self, info: &'a Arc<CommandInfo>) -> usize {
        if let Some(at) = self.bindings.iter().position(|(known, _)| Arc::ptr_eq(known, info)) {
            return at;
        }
        let named = |bound: Vec<Bound<'a>>| {
            bound.into_iter().map(|bound| Named { folded: fold(bound.name), bound }).collect::<Vec<_>>()
        };
        self.bindings.push((info, bind(info, self.arguments).map(named)));
        self.bindings.len().saturating_sub(1)
    }

    /// Whether another rule that allows would change nothing: it marks no secrets, lets nothing more be asked and
    /// answers no earlier.
    fn has_nothing_to_add(&self, role: &Role, rule: Asked<'_>) -> bool {
        self.found.as_ref().is_some_and(|found| {
            let earlier = std::ptr::eq(found.role, role) && rule.name() < found.rule.name();
            let asks_no_more = found.prompts.or(rule.prompts()) == found.prompts;
            !earlier && !rule.marks_secrets() && asks_no_more
        })
    }

    fn find(&mut self, role: &'a Role, rule: Asked<'a>, secrecies: Vec<Secrecy>) {
        let Some(found) = &mut self.found else {
            self.found = Some(Found { role, rule, secrecies, prompts: rule.prompts() });
            return;
        };
        if is_same_reading(found.rule, rule) {
            found.secrecies.iter_mut().zip(secrecies).for_each(|(one, other)| *one = one.or(other));
            found.prompts = found.prompts.or(rule.prompts());
            if std::ptr::eq(found.role, role) && rule.name() < found.rule.name() {
                found.rule = rule;
            }
        }
    }

    fn miss(&mut self, role: &'a Role, rule: Asked<'a>, by: Miss<'a>) {
        if self.missed.as_ref().is_none_or(|missed| missed.by.nearness() < by.nearness()) {
            self.missed = Some(Missed { role, rule, by });
        }
    }
}

/// Whether two rules read the arguments by the same metadata, so that what one says holds for the other.
fn is_same_reading(one: Asked<'_>, other: Asked<'_>) -> bool {
    match (one, other) {
        (Asked::Command(_, one), Asked::Command(_, other)) => Arc::ptr_eq(one, other),
        (Asked::Program(one), Asked::Program(other)) => one.path == other.path,
        (Asked::Script(one), Asked::Script(other)) => one.sha256 == other.sha256,
        (Asked::Command(..) | Asked::Program(_) | Asked::Script(_), _) => false,
    }
}

fn is_module(known: &str, folded: &str) -> bool {
    !known.is_empty() && known.chars().map(fold_char).eq(folded.chars())
}

/// What one rule says of bound arguments.
fn judge<'a>(
    named: &[Named<'a>],
    rule: &'a CommandRule,
    standing: Standing,
    feed: Feed,
) -> Result<Vec<Secrecy>, Miss<'a>> {
    let mut secrecies = Vec::with_capacity(named.len());
    for Named { bound, folded } in named {
        secrecies.push(judge_one(bound, folded, rule)?);
    }
    match (&rule.parameters, standing, feed) {
        (Parameters::Listed(_), Standing::Held, Feed::Pipeline | Feed::Input) => Err(Miss::Fed(feed)),
        (Parameters::All, _, _) | (_, Standing::Default, _) | (_, _, Feed::Nothing) => Ok(secrecies),
    }
}

fn judge_one<'a>(bound: &Bound<'a>, folded: &str, rule: &'a CommandRule) -> Result<Secrecy, Miss<'a>> {
    let name = bound.name;
    match (&rule.parameters, bound.grant) {
        (Parameters::All, Grant::Listed | Grant::Always) | (Parameters::Listed(_), Grant::Always) => {
            values::check_kind(&bound.value).map_err(|refusal| Miss::Kind(name, refusal))?;
            Ok(Secrecy::Open)
        }
        (Parameters::Listed(_), Grant::Listed) => {
            judge_listed(rule.parameter(folded).ok_or(Miss::Hidden(name))?, name, &bound.value)
        }
    }
}

/// A function without common parameters binds as a plain script does: a list for a single text is joined.
fn check_joined<'a>(named: &[Named<'a>], rule: &'a CommandRule, info: &CommandInfo) -> Result<(), Miss<'a>> {
    if info.common {
        return Ok(());
    }
    let several = |name: &str| {
        let kind = info.parameters.iter().find(|one| one.name == name).map(|one| &one.kind);
        matches!(kind, Some(ParameterKind::Value(of)) if of.ends_with("[]"))
    };
    for Named { bound, folded } in named {
        let Some(listed) = rule.parameter(folded) else { continue };
        if values::is_joined(listed, &bound.value) && !several(bound.name) {
            return Err(Miss::Value(listed, ValueRefusal::NotAccepted));
        }
    }
    Ok(())
}

/// What a rule says of the value of a parameter that it lists.
pub(super) fn judge_listed<'a>(rule: &'a ParameterRule, name: &'a str, value: &Value) -> Result<Secrecy, Miss<'a>> {
    match values::judge(rule, value) {
        Ok(()) => Ok(match rule.secrecy {
            ParameterSecrecy::Open => Secrecy::Open,
            ParameterSecrecy::Secret | ParameterSecrecy::Secure => Secrecy::Secret,
        }),
        Err(refusal) if refusal.is_of_kind() => Err(Miss::Kind(name, refusal)),
        Err(refusal) => Err(Miss::Value(rule, refusal)),
    }
}

/// An argument in canonical form. A name that speaks of a secret marks its value: rules are written for what is
/// allowed, and this is easily forgotten.
pub(super) fn checked(bound: &Bound<'_>, ruled: Secrecy) -> CheckedParameter {
    let telling = speaks_of_secret(bound.name) || matches!(*bound.value, Value::Secure(_));
    let own = if telling { Secrecy::Secret } else { Secrecy::Open };
    CheckedParameter { name: bound.name.to_owned(), value: bound.value.clone().into_owned(), secrecy: ruled.or(own) }
}

//! Cases as TOML, for people to write: who and where once, then lists of what is allowed and what is denied.

use std::net::IpAddr;

use sekisho_policy::command::ScriptRequest;
use sekisho_policy::{Action, Circumstances, Principal, ProgramRequest, TargetFacts};
use serde::Deserialize;
use toml::Spanned;

use super::{Case, Expected, Verdict};
use crate::commands::policy::forms::{Request, edition, time};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// For all cases that do not say otherwise.
    user: Option<String>,
    groups: Option<Vec<String>>,
    target: Option<String>,
    target_groups: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    edition: Option<String>,
    time: Option<String>,
    source: Option<IpAddr>,
    #[serde(default)]
    cases: Vec<Spanned<Group>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    name: String,
    user: Option<String>,
    groups: Option<Vec<String>>,
    target: Option<String>,
    target_groups: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    edition: Option<String>,
    time: Option<String>,
    source: Option<IpAddr>,
    #[serde(default)]
    allow: Vec<Spanned<Wanted>>,
    #[serde(default)]
    deny: Vec<Spanned<Wanted>>,
}

/// One request: PowerShell text, or a table that says more.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Script(String),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// PowerShell text.
    script: Option<String>,
    /// A command line for the cmd shell.
    program: Option<String>,
    role: Option<String>,
    rule: Option<String>,
    because: Option<String>,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let place = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        format!("{file}:{}", before.matches('\n').count().saturating_add(1))
    };
    let document: Document = toml::from_str(text).map_err(|error| {
        let line = place(error.span().map_or(0, |span| span.start));
        format!("{line}: no cases: {}", error.message())
    })?;
    let mut cases = Vec::new();
    for group in &document.cases {
        let start = group.span().start;
        let group = group.get_ref();
        let context = |why: String| format!("{}: {why}", place(start));
        let of_group = Facts::new(&document, group).map_err(context)?;
        if group.allow.is_empty() && group.deny.is_empty() {
            return Err(context("this case asks for nothing: give it `allow` or `deny`".to_owned()));
        }
        for (verdict, wanted) in [(Verdict::Allow, &group.allow), (Verdict::Deny, &group.deny)] {
            for one in wanted {
                let line = place(one.span().start);
                let (action, expected) = one.get_ref().read(verdict).map_err(|why| format!("{line}: {why}"))?;
                cases.push(Case {
                    place: line,
                    name: group.name.clone(),
                    request: of_group.request(action),
                    expected: Some(expected),
                });
            }
        }
    }
    Ok(cases)
}

struct Facts {
    principal: Principal,
    target: TargetFacts,
    circumstances: Circumstances,
}

impl Facts {
    fn new(document: &Document, group: &Group) -> Result<Self, String> {
        let needed = |own: &Option<String>, all: &Option<String>, key: &str| {
            let found = own.clone().or_else(|| all.clone());
            found.ok_or_else(|| format!("this case has no `{key}`: give it one, or one to the whole file"))
        };
        let list = |own: &Option<Vec<String>>, all: &Option<Vec<String>>| {
            own.clone().or_else(|| all.clone()).unwrap_or_default()
        };
        let name = group.edition.as_deref().or(document.edition.as_deref());
        let when = group.time.as_deref().or(document.time.as_deref());
        Ok(Self {
            principal: Principal {
                name: needed(&group.user, &document.user, "user")?,
                groups: list(&group.groups, &document.groups),
            },
            target: TargetFacts {
                name: needed(&group.target, &document.target, "target")?,
                groups: list(&group.target_groups, &document.target_groups),
                tags: list(&group.tags, &document.tags),
                edition: name.map_or_else(|| Ok(sekisho_policy::Edition::default()), edition)?,
            },
            circumstances: Circumstances {
                unix_time: when.map(time).transpose()?,
                source: group.source.or(document.source),
            },
        })
    }

    fn request(&self, action: Action) -> Request {
        Request {
            principal: self.principal.clone(),
            target: self.target.clone(),
            circumstances: self.circumstances,
            action,
        }
    }
}

impl Wanted {
    fn read(&self, verdict: Verdict) -> Result<(Action, Expected), String> {
        let script = |text: &String| Action::Script(ScriptRequest::new(text.clone()));
        let table = match self {
            Self::Script(text) => return Ok((script(text), Expected::only(verdict))),
            Self::Table(table) => table,
        };
        let action = match (&table.script, &table.program) {
            (Some(text), None) => script(text),
            (None, Some(line)) => Action::Program(ProgramRequest::new(line.clone(), Vec::new())),
            (Some(_), Some(_)) | (None, None) => return Err("write either `script` or `program`".to_owned()),
        };
        let rule = table.role.is_some() || table.rule.is_some();
        if (verdict == Verdict::Deny && rule) || (verdict == Verdict::Allow && table.because.is_some()) {
            return Err("`role` and `rule` belong to what is allowed, `because` to what is denied".to_owned());
        }
        let (role, rule, because) = (table.role.clone(), table.rule.clone(), table.because.clone());
        Ok((action, Expected { verdict, role, rule, because }))
    }
}

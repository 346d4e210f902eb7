//! From documents to a policy: all mistakes of all documents in one report.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::conditions::Conditions;
use crate::digest::digest;
use crate::document::{self, AssignmentDocument, Document};
use crate::fold::fold;
use crate::limits;
use crate::mistake::{Mistake, Warning};
use crate::model::{Assignment, Denials, Policy, PolicyParts, ProgramRule, Requirement, Role, RoleParts, Scope};
use crate::source_text::{Completeness, Located, Patterns, Reader, nearest_of, shown};

/// A document of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// What mistakes call it, and part of the digest: its path below the policy's folder.
    pub name: &'a str,
    /// Its whole text, TOML.
    pub text: &'a str,
}

/// A policy that may be used, and what is odd in its documents.
#[derive(Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// To be shown, ordered by place. None of them keeps the policy from being used.
    pub warnings: Vec<Warning>,
}

impl Policy {
    /// Compiles all documents of a policy together. No document at all is a policy that denies everything.
    ///
    /// # Errors
    /// Every mistake of every document, ordered by place, at most [`limits::MISTAKES`] and a last one that says
    /// that there are more.
    pub fn compile(sources: &[Source<'_>]) -> Result<Compiled, Vec<Mistake>> {
        let mut compiler = Compiler::new(sources)?;
        let documents = compiler.read();
        let roles = compiler.roles(&documents);
        let assignments = compiler.assignments(&documents, &roles);
        compiler.warn_of_idle_roles(&documents, &roles, &assignments);
        compiler.warn_of_shared_names(&documents);
        let warnings = compiler.finish()?;
        let digest = digest(sources.iter().map(|source| (source.name, source.text)));
        let policy = Policy::new(PolicyParts {
            roles: build_roles(documents, &roles),
            assignments,
            requirement: Requirement::And(Vec::new()),
            denials: Denials::default(),
            defaults: None,
            digest,
        });
        Ok(Compiled { policy, warnings })
    }
}

/// Where a role was first defined: its index in order of names, the document, and the place there.
struct Definition {
    index: usize,
    document: usize,
    name: String,
}

/// Roles by their folded names; the order of this map is the order of the policy's roles.
type Roles = BTreeMap<String, Definition>;

struct Compiler<'a> {
    readers: Vec<Reader<'a>>,
    names: Vec<&'a str>,
}

impl<'a> Compiler<'a> {
    /// Sorts the documents by name, so that the order in which they were found decides nothing.
    fn new(sources: &[Source<'a>]) -> Result<Self, Vec<Mistake>> {
        if sources.len() > limits::SOURCES {
            return Err(vec![whole_file("", format!("the policy has more than {} documents", limits::SOURCES))]);
        }
        let mut sources = sources.to_vec();
        sources.sort_by_key(|source| source.name);
        let mut seen = HashSet::new();
        let mut refused = Vec::new();
        for source in &sources {
            if !seen.insert(source.name) {
                refused.push(whole_file(source.name, "two documents have the same name".to_owned()));
            }
            if source.text.len() > limits::SOURCE_BYTES {
                let message = format!("the document is larger than {} bytes", limits::SOURCE_BYTES);
                refused.push(whole_file(source.name, message));
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        let readers = sources.iter().map(|source| Reader::new(source.name, source.text)).collect();
        Ok(Self { readers, names: sources.iter().map(|source| source.name).collect() })
    }

    fn read(&mut self) -> Vec<Document> {
        let mut patterns = Patterns::default();
        self.readers.iter_mut().map(|reader| document::read(reader, &mut patterns)).collect()
    }

    /// Collects the roles of all documents; a role stands in one place only.
    fn roles(&mut self, documents: &[Document]) -> Roles {
        let mut roles = Roles::new();
        let mut rules = 0_usize;
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                rules = rules.saturating_add(role.programs.len());
                if rules > limits::RULES || roles.len() >= limits::ROLES {
                    let message = format!("more than {} roles or {} rules", limits::ROLES, limits::RULES);
                    self.mistake(at, &role.name, message, "split the targets between gateways");
                    return roles;
                }
                let definition = Definition { index: 0, document: at, name: role.name.text.clone() };
                if let Some(first) = roles.get(&fold(&role.name.text)) {
                    let file = self.names.get(first.document).copied().unwrap_or_default();
                    let message = format!("the role `{}` is defined in {file} already", shown(&role.name.text));
                    self.mistake(at, &role.name, message, "put all its rules into one place, or rename one of the two");
                } else {
                    roles.insert(fold(&role.name.text), definition);
                }
            }
        }
        for (index, definition) in roles.values_mut().enumerate() {
            definition.index = index;
        }
        roles
    }

    fn assignments(&mut self, documents: &[Document], roles: &Roles) -> Vec<Assignment> {
        let all: usize = documents.iter().map(|document| document.assignments.len()).sum();
        if all > limits::ASSIGNMENTS {
            let file = self.names.first().copied().unwrap_or_default();
            let message = format!("the policy has more than {} assignments", limits::ASSIGNMENTS);
            if let Some(reader) = self.readers.first_mut() {
                reader.mistakes.push(whole_file(file, message));
            }
        }
        let mut resolved = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            for assignment in &document.assignments {
                resolved.push(Assignment {
                    principals: assignment.principals.clone(),
                    scope: Scope {
                        targets: assignment.targets.clone(),
                        target_groups: assignment.target_groups.clone(),
                        tags: assignment.tags.clone(),
                    },
                    conditions: Conditions::default(),
                    roles: self.resolve(at, assignment, roles),
                });
            }
        }
        resolved
    }

    fn resolve(&mut self, at: usize, assignment: &AssignmentDocument, roles: &Roles) -> Vec<usize> {
        let mut indices = Vec::new();
        for name in &assignment.roles {
            match roles.get(&fold(&name.text)) {
                Some(definition) => indices.push(definition.index),
                // In a document that was not readable as a whole the role may have been defined all the same.
                None if !self.is_whole() => {}
                None => {
                    let known: Vec<&str> = roles.values().map(|definition| definition.name.as_str()).collect();
                    let hint = match nearest_of(&name.text, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("define it: [roles.{}]", shown(&name.text)),
                    };
                    self.mistake(at, name, format!("there is no role `{}`", shown(&name.text)), hint);
                }
            }
        }
        indices
    }

    fn warn_of_idle_roles(&mut self, documents: &[Document], roles: &Roles, assignments: &[Assignment]) {
        let held: HashSet<usize> = assignments.iter().flat_map(|assignment| assignment.roles.iter().copied()).collect();
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                if roles.get(&fold(&role.name.text)).is_some_and(|definition| !held.contains(&definition.index)) {
                    let message = format!("nobody holds the role `{}`", shown(&role.name.text));
                    self.warning(at, &role.name, message, "assign it, or remove it");
                }
            }
        }
    }

    /// A base name that stands for two programs runs the first of them by role and rule.
    fn warn_of_shared_names(&mut self, documents: &[Document]) {
        let mut paths: HashMap<String, String> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                for rule in &role.programs {
                    let path = fold(rule.path.text());
                    let first = paths.entry(rule.path.base().to_owned()).or_insert_with(|| path.clone());
                    if *first != path {
                        let message = format!(
                            "{} in role `{}` stands for two programs, here and as {first}",
                            rule.path.name(),
                            shown(&role.name.text)
                        );
                        self.warning(at, &role.name, message, "tell users to call them by their full paths");
                    }
                }
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.readers.iter().all(|reader| reader.completeness == Completeness::Whole)
    }

    fn mistake(&mut self, document: usize, name: &Located, message: String, hint: impl Into<String>) {
        if let Some(reader) = self.readers.get_mut(document) {
            reader.mistake(&name.span, message, hint);
        }
    }

    fn warning(&mut self, document: usize, name: &Located, message: String, hint: &str) {
        if let Some(reader) = self.readers.get_mut(document) {
            reader.warning(&name.span, message, hint);
        }
    }

    /// All warnings, or all mistakes if there is one.
    fn finish(self) -> Result<Vec<Warning>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut warnings = Vec::new();
        for reader in self.readers {
            mistakes.extend(reader.mistakes);
            warnings.extend(reader.warnings);
        }
        mistakes.sort();
        // TOML's parser repeats itself, for instance for each of many open brackets.
        mistakes.dedup();
        warnings.sort();
        let more = mistakes.len().saturating_sub(limits::MISTAKES);
        if more > 0 {
            mistakes.truncate(limits::MISTAKES);
            let file = mistakes.last().map(|last| last.file.clone()).unwrap_or_default();
            mistakes.push(whole_file(&file, format!("and {more} more mistakes")));
        }
        if mistakes.is_empty() { Ok(warnings) } else { Err(mistakes) }
    }
}

/// A mistake that has no place within a document.
fn whole_file(file: &str, message: String) -> Mistake {
    Mistake { file: file.to_owned(), line: 1, column: 1, message, hint: "see the limits in docs/policy.md".to_owned() }
}

/// The roles in the order of their indices.
fn build_roles(documents: Vec<Document>, roles: &Roles) -> Vec<Role> {
    let mut rules: BTreeMap<String, Vec<ProgramRule>> = BTreeMap::new();
    for role in documents.into_iter().flat_map(|document| document.roles) {
        rules.entry(fold(&role.name.text)).or_default().extend(role.programs);
    }
    rules
        .into_iter()
        .filter_map(|(key, programs)| {
            let name = roles.get(&key)?.name.clone();
            Some(Role::new(RoleParts { name, programs, ..RoleParts::default() }))
        })
        .collect()
}

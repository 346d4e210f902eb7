//! From documents to a policy: all mistakes of all documents in one report.

mod assignments;
mod catalog;
mod commands;
mod defaults;
mod denials;
mod roles;
mod scripts;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::{Catalog, Edition};
use crate::digest::digest;
use crate::document::{self, DefaultCommands, Document};
use crate::fold::fold;
use crate::limits;
use crate::lint;
use crate::mistake::{Mistake, Warning};
use crate::model::{Policy, PolicyParts, Requirement};
use crate::script::PinnedText;
use crate::source_text::{Completeness, Located, Patterns, Reader, Span};

pub(crate) use roles::Roles;

/// A file of a policy: a document, or a script that documents pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// What mistakes call it, and part of the digest: its path below the policy's folder, with `/`. What ends in
    /// `.ps1` is a script.
    pub name: &'a str,
    /// Its whole text.
    pub text: &'a str,
}

/// A policy that may be used, and what is odd in its documents.
#[derive(Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// To be shown, ordered by place: what works in no case, or in another than is hardly meant. None of them keeps
    /// the policy from being used.
    pub warnings: Vec<Warning>,
}

impl Source<'_> {
    fn is_script(&self) -> bool {
        let end = self.name.len().saturating_sub(4);
        self.name.get(end..).is_some_and(|end| end.eq_ignore_ascii_case(".ps1"))
    }
}

impl Policy {
    /// Compiles all files of a policy together. No document at all is a policy that denies everything.
    ///
    /// # Errors
    /// Every mistake of every document, ordered by place, at most [`limits::MISTAKES`] and a last one that says
    /// that there are more.
    pub fn compile(sources: &[Source<'_>]) -> Result<Compiled, Vec<Mistake>> {
        let (policy, compiler, _) = compile(sources)?;
        Ok(Compiled { policy, warnings: compiler.warnings() })
    }

    /// What is dangerous, doubtful or of no use in documents that make a policy: the warnings of
    /// [`Policy::compile`] and many more, ordered by place.
    ///
    /// # Errors
    /// As [`Policy::compile`].
    pub fn lint(sources: &[Source<'_>]) -> Result<Vec<Warning>, Vec<Mistake>> {
        let (policy, mut compiler, documents) = compile(sources)?;
        for (at, document) in documents.iter().enumerate() {
            for finding in lint::document(document, &policy) {
                compiler.warning_at(at, &finding.span, finding.message, finding.hint);
            }
        }
        Ok(compiler.warnings())
    }

    /// The script files that documents pin, each once, ordered by name: what has to be read beside the documents.
    /// All lie below the policy's folder. Mistakes are left to [`Policy::compile`].
    pub fn pinned_files(documents: &[Source<'_>]) -> Vec<String> {
        let mut files: Vec<String> = documents
            .iter()
            .filter(|source| !source.is_script() && source.text.len() <= limits::SOURCE_BYTES)
            .flat_map(|source| document::pinned_files(source.text))
            .collect();
        files.sort_unstable();
        files.dedup();
        files.truncate(limits::SCRIPTS);
        files
    }
}

/// The policy, what was found on the way, and the documents, in the order of the compiler's readers.
fn compile<'a>(sources: &[Source<'a>]) -> Result<(Policy, Compiler<'a>, Vec<Document>), Vec<Mistake>> {
    let mut compiler = Compiler::new(sources)?;
    let documents = compiler.read();
    let catalog = compiler.catalog(&documents);
    let roles = compiler.roles(&documents);
    let assignments = compiler.assignments(&documents, &roles);
    let built = compiler.build_roles(&documents, &roles, &catalog);
    let denials = compiler.denials(&documents, &catalog);
    compiler.warn_of_idle_roles(&documents, &roles, &assignments);
    compiler.warn_of_shared_names(&documents);
    compiler.check()?;
    let requirement = documents.iter().filter_map(|document| document.requirement.clone()).collect();
    let visible = documents.iter().any(|document| document.defaults == DefaultCommands::Visible);
    let policy = Policy::new(PolicyParts {
        roles: built,
        assignments,
        requirement: Requirement::And(requirement),
        denials,
        defaults: visible.then(defaults::role),
        catalog,
        digest: digest(sources.iter().map(|source| (source.name, source.text))),
    });
    Ok((policy, compiler, documents))
}

/// The documents on their way to a policy.
struct Compiler<'a> {
    readers: Vec<Reader<'a>>,
    names: Vec<&'a str>,
    scripts: BTreeMap<&'a str, PinnedText>,
    /// Commands that wildcards covered so far.
    covered: usize,
    /// The catalogue's names, once a wildcard asks for them.
    known: OnceCell<Vec<KnownName>>,
}

impl<'a> Compiler<'a> {
    /// Sorts the documents by name, so that the order in which they were found decides nothing.
    fn new(sources: &[Source<'a>]) -> Result<Self, Vec<Mistake>> {
        let (scripts, mut documents): (Vec<Source<'_>>, Vec<Source<'_>>) =
            sources.iter().partition(|source| source.is_script());
        let mut refused = Vec::new();
        if documents.len() > limits::SOURCES || scripts.len() > limits::SCRIPTS {
            let message =
                format!("the policy has more than {} documents or {} scripts", limits::SOURCES, limits::SCRIPTS);
            return Err(vec![whole_file("", message)]);
        }
        documents.sort_by_key(|source| source.name);
        let mut seen = HashSet::new();
        for source in documents.iter().chain(&scripts) {
            if !seen.insert(source.name) {
                refused.push(whole_file(source.name, "two documents have the same name".to_owned()));
            }
            let most = if source.is_script() { limits::SCRIPT_BYTES } else { limits::SOURCE_BYTES };
            if source.text.len() > most {
                refused.push(whole_file(source.name, format!("the document is larger than {most} bytes")));
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        Ok(Self {
            readers: documents.iter().map(|source| Reader::new(source.name, source.text)).collect(),
            names: documents.iter().map(|source| source.name).collect(),
            scripts: scripts.iter().map(|source| (source.name, PinnedText::of(source.text))).collect(),
            covered: 0,
            known: OnceCell::new(),
        })
    }

    fn read(&mut self) -> Vec<Document> {
        let mut patterns = Patterns::default();
        self.readers.iter_mut().map(|reader| document::read(reader, &mut patterns)).collect()
    }

    fn is_whole(&self) -> bool {
        self.readers.iter().all(|reader| reader.completeness == Completeness::Whole)
    }

    fn mistake(&mut self, document: usize, name: &Located, message: String, hint: impl Into<String>) {
        if let Some(reader) = self.readers.get_mut(document) {
            reader.mistake(&name.span, message, hint);
        }
    }

    fn warning(&mut self, document: usize, name: &Located, message: String, hint: impl Into<String>) {
        self.warning_at(document, &name.span, message, hint);
    }

    fn warning_at(&mut self, document: usize, span: &Span, message: String, hint: impl Into<String>) {
        if let Some(reader) = self.readers.get_mut(document) {
            reader.warning(span, message, hint);
        }
    }

    /// A mistake that belongs to no place of one document.
    fn mistake_of_all(&mut self, message: String) {
        let file = self.names.first().copied().unwrap_or_default();
        if let Some(reader) = self.readers.first_mut() {
            reader.mistakes.push(whole_file(file, message));
        }
    }

    /// Ordered by place, each once.
    fn warnings(self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.readers.into_iter().flat_map(|reader| reader.warnings).collect();
        warnings.sort();
        warnings.dedup();
        warnings.truncate(limits::MISTAKES);
        warnings
    }

    /// All mistakes, if there is one.
    fn check(&mut self) -> Result<(), Vec<Mistake>> {
        let mut mistakes: Vec<Mistake> =
            self.readers.iter_mut().flat_map(|reader| std::mem::take(&mut reader.mistakes)).collect();
        mistakes.sort();
        // TOML's parser repeats itself, for instance for each of many open brackets.
        mistakes.dedup();
        let more = mistakes.len().saturating_sub(limits::MISTAKES);
        if more > 0 {
            mistakes.truncate(limits::MISTAKES);
            let file = mistakes.last().map(|last| last.file.clone()).unwrap_or_default();
            mistakes.push(whole_file(&file, format!("and {more} more mistakes")));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }
}

/// A name of the catalogue, folded once for all wildcards.
struct KnownName {
    edition: Edition,
    name: String,
    module: String,
}

/// All names of a catalogue.
fn known_names(catalog: &Catalog) -> Vec<KnownName> {
    let editions = [Edition::Windows51, Edition::Core7].into_iter();
    let names = editions.flat_map(|edition| catalog.names(edition).map(move |(name, module)| (edition, name, module)));
    names.map(|(edition, name, module)| KnownName { edition, name: fold(name), module: fold(module) }).collect()
}

/// A mistake that has no place within a document.
fn whole_file(file: &str, message: String) -> Mistake {
    Mistake { file: file.to_owned(), line: 1, column: 1, message, hint: "see the limits in docs/policy.md".to_owned() }
}

/// How often each name was given so far, ignoring case: the second `Get-Service` of a role is `Get-Service#2`.
#[derive(Debug, Default)]
struct Numbering(HashMap<String, usize>);

impl Numbering {
    /// A name that was not given before.
    fn next(&mut self, name: &str) -> String {
        let count = self.0.entry(fold(name)).or_default();
        *count = count.saturating_add(1);
        // No document calls a rule `Get-Service#2`, since `#` is in no name.
        if *count > 1 { format!("{name}#{count}") } else { name.to_owned() }
    }
}

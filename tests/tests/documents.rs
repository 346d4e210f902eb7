//! Documents for people: what they point at is there.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Component, Path, PathBuf};

use sekisho_tests::source::{Source, root, sources};

type Outcome = Result<(), Box<dyn Error>>;

/// Those that name tests as proof.
const PROVED: [&str; 4] = ["ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "README.md"];
/// Names of tests are sentences; names of keys are shorter.
const WORDS: usize = 4;

fn documents() -> Result<Vec<Source>, Box<dyn Error>> {
    Ok(sources()?.into_iter().filter(|source| source.has_extension(&["md"])).collect())
}

/// What stands between single backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_name_of_a_test(word: &str) -> bool {
    let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let metric = word.starts_with("sekisho_");
    plain && !metric && WORDS <= word.split('_').count()
}

/// The names of all functions, Rust's and Python's.
fn functions(sources: &[Source]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for source in sources.iter().filter(|source| source.has_extension(&["rs", "py"])) {
        for keyword in ["fn ", "def "] {
            names.extend(source.text.split(keyword).skip(1).filter_map(|rest| rest.split(['(', '<']).next()));
        }
    }
    names
}

#[test]
fn every_test_that_a_document_names_exists() -> Outcome {
    let sources = sources()?;
    let there = functions(&sources);
    let mut missing = Vec::new();
    let mut named = 0_usize;
    for document in sources.iter().filter(|source| PROVED.contains(&source.path.as_str())) {
        for name in quoted(&document.text).filter(|word| is_name_of_a_test(word)) {
            named = named.saturating_add(1);
            if !there.contains(name) {
                missing.push(format!("{}: {name}", document.path));
            }
        }
    }
    assert!(missing.is_empty(), "there is no such test:\n{}", missing.join("\n"));
    assert!(100 < named, "the documents were not read: {named} names");
    Ok(())
}

/// Targets of `[text](target)` within the repository, without what follows `#`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).filter_map(|target| target.split('#').next())
}

/// Whether the path stays within the repository and leads to something.
fn leads_somewhere(from: &str, link: &str) -> bool {
    let mut path = PathBuf::new();
    for part in Path::new(from).parent().unwrap_or_else(|| Path::new("")).join(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                if !path.pop() {
                    return false;
                }
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir => return false,
        }
    }
    root().join(path).exists()
}

#[test]
fn links_lead_somewhere() -> Outcome {
    let mut broken = Vec::new();
    for document in documents()? {
        let dead = links(&document.text).filter(|link| !link.is_empty() && !leads_somewhere(&document.path, link));
        broken.extend(dead.map(|link| format!("{}: {link}", document.path)));
    }
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
    Ok(())
}

#[test]
fn the_guide_lists_each_of_its_pages_and_adr_each_decision() -> Outcome {
    for (folder, list) in [("docs/", "docs/README.md"), ("docs/adr/", "docs/adr/README.md")] {
        let documents = documents()?;
        let index = documents.iter().find(|document| document.path == list).ok_or(list)?;
        for page in &documents {
            let Some(name) = page.path.strip_prefix(folder).filter(|name| !name.contains('/') && *name != "README.md")
            else {
                continue;
            };
            let listed = [format!("]({name})"), format!("`{name}`")].iter().any(|entry| index.text.contains(entry));
            assert!(listed, "{list} does not list {name}");
        }
    }
    Ok(())
}

#[test]
fn both_languages_of_the_readme_have_the_same_parts() -> Outcome {
    let documents = documents()?;
    let [english, japanese] = ["README.md", "README.ja.md"].map(|path| documents.iter().find(|d| d.path == path));
    let parts = |document: Option<&Source>| {
        let text = document.map(|document| document.text.clone()).unwrap_or_default();
        let headings = text.lines().filter(|line| line.starts_with("## ")).count();
        (headings, text.matches("\n```").count(), text.lines().filter(|line| line.starts_with("- ")).count())
    };
    assert_eq!(parts(english), parts(japanese));
    assert!(0 < parts(english).0);
    Ok(())
}

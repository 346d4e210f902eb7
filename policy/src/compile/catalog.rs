//! The catalogue that a policy is compiled against.

use std::collections::HashMap;

use super::Compiler;
use crate::catalog::{Catalog, CatalogMode, Edition};
use crate::document::{Document, Mode};
use crate::fold::fold;
use crate::source_text::{Located, shown};

impl Compiler<'_> {
    /// The shipped catalogue, with what the documents add to it or put in its place.
    pub(super) fn catalog(&mut self, documents: &[Document]) -> Catalog {
        let mode = match self.mode(documents) {
            Mode::Extend => CatalogMode::Extend,
            Mode::Replace => CatalogMode::Replace,
        };
        let mut own = Vec::new();
        let mut first: HashMap<(Edition, String), usize> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            for (name, editions, info) in document.catalog.iter().flat_map(|catalog| &catalog.commands) {
                for edition in editions {
                    if let Some(other) = first.insert((*edition, fold(&info.name)), at) {
                        let file = self.names.get(other).copied().unwrap_or_default();
                        let message = format!("the command `{}` is in {file} already", shown(&info.name));
                        self.mistake(at, name, message, "keep one of the two, or give them different `editions`");
                    }
                }
                own.push((editions.clone(), info.clone()));
            }
        }
        Catalog::build(mode, own)
    }

    fn mode(&mut self, documents: &[Document]) -> Mode {
        let mut stated: Option<Mode> = None;
        for (at, document) in documents.iter().enumerate() {
            let Some((span, mode)) = document.catalog.as_ref().and_then(|catalog| catalog.mode.clone()) else {
                continue;
            };
            if stated.is_some_and(|stated| stated != mode) {
                let place = Located { text: String::new(), span };
                let message = "another document has another `mode` of the catalogue".to_owned();
                self.mistake(at, &place, message, "write the same everywhere, or in one document only");
            }
            stated = Some(mode);
        }
        stated.unwrap_or(Mode::Extend)
    }
}

//! Rules that deny: wildcards expanded.

use std::collections::BTreeMap;

use super::Compiler;
use super::commands::near_command;
use super::known_names;
use crate::catalog::{Catalog, default_commands};
use crate::command_pattern::CommandPattern;
use crate::document::{DenyDocument, Document};
use crate::fold::fold;
use crate::limits;
use crate::model::{Denial, Denials};
use crate::source_text::{Located, shown};

impl Compiler<'_> {
    pub(super) fn denials(&mut self, documents: &[Document], catalog: &Catalog) -> Denials {
        let mut ordered: BTreeMap<&str, (usize, &DenyDocument)> = BTreeMap::new();
        for (at, document) in documents.iter().enumerate() {
            for denial in &document.denials {
                if let Some((first, _)) = ordered.get(denial.name.text.as_str()) {
                    let file = self.names.get(*first).copied().unwrap_or_default();
                    let message = format!("{file} has a rule named `{}` already", shown(&denial.name.text));
                    self.mistake(at, &denial.name, message, "give each rule a name of its own: the audit names it");
                }
                ordered.insert(&denial.name.text, (at, denial));
            }
        }
        if ordered.len() > limits::DENIALS {
            self.mistake_of_all(format!("the policy has more than {} rules that deny", limits::DENIALS));
            return Denials::default();
        }
        let (mut denials, mut commands, mut programs) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (at, denial)) in ordered.into_values().enumerate() {
            for (name, pattern) in &denial.commands {
                commands.extend(self.denied(at, name, pattern, catalog).into_iter().map(|name| (index, name)));
            }
            programs.extend(denial.programs.iter().map(|path| (index, path.clone())));
            denials.push(Denial {
                name: denial.name.text.clone(),
                reason: denial.reason.clone(),
                principals: denial.principals.clone(),
                scope: denial.scope.clone(),
            });
        }
        Denials::new(denials, commands, programs)
    }

    /// The folded names that an entry denies: those of the catalogue and of the default commands, which are there
    /// whatever the catalogue is. No other command is ever allowed.
    fn denied(&mut self, at: usize, name: &Located, pattern: &CommandPattern, catalog: &Catalog) -> Vec<String> {
        let known = self.known.get_or_init(|| known_names(catalog)).iter();
        let mut denied: Vec<String> =
            known.filter(|known| pattern.covers(&known.name, &known.module)).map(|known| known.name.clone()).collect();
        let defaults = default_commands().commands.into_iter().map(|command| command.info);
        denied.extend(
            defaults
                .map(|info| (fold(&info.name), fold(&info.module)))
                .filter(|(name, module)| pattern.covers(name, module))
                .map(|(name, _)| name),
        );
        denied.sort_unstable();
        denied.dedup();
        self.covered = self.covered.saturating_add(denied.len());
        if self.covered > limits::COVERED {
            let message = format!("the wildcards of the policy cover more than {} commands", limits::COVERED);
            self.mistake(at, name, message, "name the commands");
            return Vec::new();
        }
        if denied.is_empty() {
            let message =
                format!("`{}` is nothing that the catalogue knows, so that it denies nothing", shown(&name.text));
            self.warning(at, name, message, near_command(&name.text, catalog));
        }
        denied
    }
}

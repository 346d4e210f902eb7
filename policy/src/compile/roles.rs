//! Roles: found in all documents, and built from what they list.

use std::collections::{BTreeMap, HashMap};

use super::Compiler;
use crate::catalog::{Catalog, Edition};
use crate::document::{Document, RoleDocument};
use crate::fold::fold;
use crate::limits;
use crate::model::{Role, RoleParts};
use crate::source_text::shown;

/// Where a role was first defined: its index in order of names, the document, and the name there.
pub(crate) struct Definition {
    pub(crate) index: usize,
    pub(crate) document: usize,
    pub(crate) name: String,
}

/// Roles by their folded names; the order of this map is the order of the policy's roles.
pub(crate) type Roles = BTreeMap<String, Definition>;

impl Compiler<'_> {
    /// Collects the roles of all documents; a role stands in one place only.
    pub(super) fn roles(&mut self, documents: &[Document]) -> Roles {
        let mut roles = Roles::new();
        let mut rules = 0_usize;
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                rules = rules.saturating_add(rules_of(role));
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

    /// A base name that stands for two programs runs the first of them by role and rule.
    pub(super) fn warn_of_shared_names(&mut self, documents: &[Document]) {
        let mut paths: HashMap<String, String> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                for (_, rule) in &role.programs {
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

    /// The roles in the order of their indices.
    pub(super) fn build_roles(&mut self, documents: &[Document], roles: &Roles, catalog: &Catalog) -> Vec<Role> {
        let mut built: BTreeMap<&str, Role> = BTreeMap::new();
        for (at, document) in documents.iter().enumerate() {
            for role in &document.roles {
                let Some((key, definition)) = roles.get_key_value(&fold(&role.name.text)) else {
                    continue;
                };
                // A second definition was reported, and nobody uses the policy.
                if definition.document == at && !built.contains_key(key.as_str()) {
                    built.insert(key, self.build_role(at, role, catalog));
                }
            }
        }
        built.into_values().collect()
    }

    fn build_role(&mut self, at: usize, role: &RoleDocument, catalog: &Catalog) -> Role {
        let (commands, coverage) = self.commands(at, role, catalog);
        let aliases = self.aliases(at, role, catalog);
        let built = Role::new(RoleParts {
            name: role.name.text.clone(),
            programs: role.programs.iter().map(|(_, rule)| rule.clone()).collect(),
            commands,
            coverage,
            aliases,
            scripts: self.scripts_of(at, role),
            constant_commands: role.constant_commands,
        });
        self.warn_of_aliases(at, role, &built);
        built
    }

    /// The aliases that count, folded. A command's name means that command always: were it an alias in one role,
    /// what is allowed and written by its full name would mean something else when it is asked for again.
    fn aliases(&mut self, at: usize, role: &RoleDocument, catalog: &Catalog) -> Vec<(String, String)> {
        let mut aliases = Vec::new();
        for alias in &role.aliases {
            let name = &alias.alias.text;
            if EDITIONS.iter().any(|edition| catalog.lookup(*edition, name).is_some()) {
                let message = format!("the alias `{}` is the name of a command, and means that command", shown(name));
                self.warning(at, &alias.alias, message, "give it another name");
            } else {
                aliases.push((fold(name), fold(&alias.command.text)));
            }
        }
        aliases
    }

    fn warn_of_aliases(&mut self, at: usize, role: &RoleDocument, built: &Role) {
        for alias in &role.aliases {
            let folded = fold(&alias.command.text);
            if EDITIONS.iter().all(|edition| built.command_entries(*edition, &folded).next().is_none()) {
                let message = format!(
                    "the alias `{}` stands for `{}`, which the role does not allow",
                    shown(&alias.alias.text),
                    shown(&alias.command.text)
                );
                self.warning(at, &alias.command, message, "write the whole name of a command that the role lists");
            }
        }
    }
}

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

fn rules_of(role: &RoleDocument) -> usize {
    [role.programs.len(), role.commands.len(), role.aliases.len(), role.scripts.len()]
        .into_iter()
        .fold(0, usize::saturating_add)
}

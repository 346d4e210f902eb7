//! A session configuration file: who holds which roles, and what must hold besides.

use std::collections::BTreeSet;

use super::draft::{AssignmentDraft, Commented, DocumentDraft, Requirement, RoleDraft};
use super::{Read, Roles, aliases, metadata, role, values};
use crate::fold::fold;
use crate::jea::data::{Entry, Node, Place, Table, Value};
use crate::jea::note::{Notes, shown};
use crate::limits;

/// The domain of names that have none here. Nobody is in it, so that what it stands in grants nothing.
const UNRESOLVED: &str = "UNRESOLVED";
const TOP: Place = Place { line: 1, column: 1 };

/// The document of a session configuration.
pub(super) fn document(file: &Read<'_>, roles: &Roles, notes: &mut Notes<'_>) -> DocumentDraft {
    let mut session = Session {
        stem: values::plain_name(&file.stem),
        roles,
        used: roles.values().map(|name| fold(name)).collect(),
        draft: DocumentDraft::default(),
    };
    let for_everybody = session.visible_for_everybody(file, notes);
    for entry in &file.table.0 {
        session.field(entry, notes);
    }
    session.session_type(&file.table, notes);
    session.assignments(&file.table, for_everybody.as_deref(), notes);
    session.draft
}

struct Session<'r> {
    stem: String,
    roles: &'r Roles,
    /// Folded names of roles that are taken.
    used: BTreeSet<String>,
    draft: DocumentDraft,
}

impl Session<'_> {
    /// A role of what the file itself makes visible, and its name.
    fn visible_for_everybody(&mut self, file: &Read<'_>, notes: &mut Notes<'_>) -> Option<String> {
        if !role::makes_visible(&file.table) {
            return None;
        }
        let mut own = RoleDraft { name: self.unused(&self.stem), ..RoleDraft::default() };
        for entry in &file.table.0 {
            role::fill(entry, &mut own, notes);
        }
        aliases::read(&file.table, &mut own, notes);
        own.comments.push(notes.trap(
            TOP,
            "file",
            format!(
                "what the file itself makes visible became the role `{}`, which every assignment below holds",
                own.name
            ),
        ));
        let name = own.name.clone();
        self.draft.roles.push(own);
        Some(name)
    }

    fn field(&mut self, entry: &Entry, notes: &mut Notes<'_>) {
        match fold(&entry.key).as_str() {
            "visiblecmdlets"
            | "visiblefunctions"
            | "visibleexternalcommands"
            | "visiblealiases"
            | "aliasdefinitions" => {}
            // Read as a whole.
            "sessiontype" | "roledefinitions" => {}
            "languagemode" => self.language_mode(entry, notes),
            "requiredgroups" => self.required_groups(entry, notes),
            "description" => match values::text(&entry.node) {
                Some(text) => {
                    self.draft.comments.push(format!("Description: {text}"));
                    notes.became(entry.place, &entry.key, "a comment in the document");
                }
                None => {
                    notes.left_out(entry.place, &entry.key, "it is no text");
                }
            },
            _ => {
                if !metadata::note_session(entry, notes) {
                    metadata::unknown(entry, notes);
                }
            }
        }
    }

    fn session_type(&mut self, table: &Table, notes: &mut Notes<'_>) {
        const FIELD: &str = "SessionType";
        let entry = table.get(FIELD);
        let place = entry.map_or(TOP, |entry| entry.place);
        let kind = entry.and_then(|entry| values::text(&entry.node)).unwrap_or("Default");
        match fold(kind).as_str() {
            "restrictedremoteserver" => {
                self.draft.defaults = Some(Commented::new(true, Vec::new()));
                notes.became(
                    place,
                    FIELD,
                    "`defaults = true`: the eight commands of such a session, for who holds a role",
                );
            }
            "empty" => notes.became(place, FIELD, "no `defaults`: nothing is visible but what roles name"),
            _ => {
                let message = "not RestrictedRemoteServer: on a target everything that PowerShell loads is in such a session \
                               unless a field restricts it. Here nothing is allowed but what roles name, not even the eight \
                               commands of a restricted session; interactive clients need them: defaults = true";
                let comment = notes.trap(place, FIELD, message);
                self.draft.comments.push(comment);
            }
        }
    }

    fn language_mode(&mut self, entry: &Entry, notes: &mut Notes<'_>) {
        let mode = values::text(&entry.node).unwrap_or_default();
        if fold(mode) == fold("NoLanguage") {
            notes.became(
                entry.place,
                &entry.key,
                "how every policy works: no text is run but what reads as constant commands",
            );
            return;
        }
        let message = format!(
            "`{}` overrides the session's type, so that visible commands are no boundary on the target: script blocks, \
             functions and variables run there. Here they never do",
            shown(mode)
        );
        let comment = notes.trap(entry.place, &entry.key, message);
        self.draft.comments.push(comment);
    }

    fn required_groups(&mut self, entry: &Entry, notes: &mut Notes<'_>) {
        let mut comments = Vec::new();
        let requirement = requirement(&entry.node, (&entry.key, 0), &mut comments, notes);
        comments.push(notes.trap(
            entry.place,
            &entry.key,
            "became `require_groups`, which holds for the whole policy and not for this session alone",
        ));
        self.draft.required = Some(Commented { comments, item: Some(requirement) });
    }

    fn assignments(&mut self, table: &Table, for_everybody: Option<&str>, notes: &mut Notes<'_>) {
        const FIELD: &str = "RoleDefinitions";
        let entry = table.get(FIELD);
        let definitions = entry.and_then(|entry| values::table(&entry.node));
        match (entry, definitions) {
            (Some(entry), Some(definitions)) => {
                for definition in &definitions.0 {
                    let assignment = self.assignment(definition, for_everybody, notes);
                    self.draft.assignments.push(assignment);
                }
                let message = format!(
                    "{} assignments. They hold on targets of the group `{}`, which the gateway's configuration has to \
                     name, or on targets that are written here instead",
                    definitions.0.len(),
                    self.target_group()
                );
                notes.became(entry.place, FIELD, message);
            }
            (Some(entry), None) => {
                notes.left_out(entry.place, FIELD, format!("{} where a hashtable belongs", entry.node.value.kind()));
            }
            (None, _) => self.assign_to_nobody(for_everybody, notes),
        }
    }

    /// Who may connect stands in the endpoint's permissions then, and not in the file.
    fn assign_to_nobody(&mut self, for_everybody: Option<&str>, notes: &mut Notes<'_>) {
        let Some(role) = for_everybody else { return };
        let message = "the file has no RoleDefinitions: who may connect stands in the permissions of the registered \
                       endpoint (Get-PSSessionConfiguration). Write those users and groups as principals";
        let comment = notes.trap(TOP, "RoleDefinitions", message);
        let assignment = AssignmentDraft {
            principal: format!(r"{UNRESOLVED}\{}", self.stem),
            target_group: self.target_group(),
            roles: vec![role.to_owned()],
        };
        self.draft.assignments.push(Commented::new(assignment, vec![comment]));
    }

    fn assignment(
        &mut self,
        definition: &Entry,
        for_everybody: Option<&str>,
        notes: &mut Notes<'_>,
    ) -> Commented<AssignmentDraft> {
        const FIELD: &str = "RoleDefinitions";
        let mut comments = Vec::new();
        let who = principal(&definition.key).unwrap_or_else(|(placeholder, why)| {
            comments.push(notes.trap(definition.place, FIELD, why));
            placeholder
        });
        let Some(table) = values::table(&definition.node) else {
            let why = format!("{}: {} where a hashtable belongs", shown(&definition.key), definition.node.value.kind());
            return Commented::left_out(notes.left_out(definition.place, FIELD, why));
        };
        let mut held: Vec<String> = for_everybody.map(str::to_owned).into_iter().collect();
        held.extend(self.inline_role(&definition.key, table, notes));
        for (field, form) in [("RoleCapabilities", Naming::Name), ("RoleCapabilityFiles", Naming::Path)] {
            if let Some(entry) = table.get(field) {
                self.capabilities(entry, form, (&mut held, &mut comments), notes);
            }
        }
        if held.is_empty() {
            let why = format!("{}: none of its roles is among the imported files", shown(&definition.key));
            return Commented::left_out(notes.left_out(definition.place, FIELD, why));
        }
        if held.len() > 1 {
            let why = format!(
                "{} holds {} roles. PowerShell merges them for each parameter, so that one can take away what another \
                 gives and both together can allow what none of them does; here a command is allowed if one role alone \
                 allows it",
                shown(&definition.key),
                held.len()
            );
            comments.push(notes.trap(definition.place, FIELD, why));
        }
        let assignment = AssignmentDraft { principal: who, target_group: self.target_group(), roles: held };
        Commented::new(assignment, comments)
    }

    /// What a definition makes visible by itself, as a role of its own.
    fn inline_role(&mut self, principal: &str, table: &Table, notes: &mut Notes<'_>) -> Option<String> {
        let visible = role::makes_visible(table);
        let name = format!("{} {}", self.stem, principal.rsplit('\\').next().unwrap_or_default());
        let mut own = RoleDraft { name: self.unused(&values::plain_name(&name)), ..RoleDraft::default() };
        for entry in &table.0 {
            let named = ["rolecapabilities", "rolecapabilityfiles"].contains(&fold(&entry.key).as_str());
            if !named && !role::fill(entry, &mut own, notes) && !metadata::note(entry, notes) {
                metadata::unknown(entry, notes);
            }
        }
        if !visible {
            return None;
        }
        aliases::read(table, &mut own, notes);
        let name = own.name.clone();
        self.used.insert(fold(&name));
        self.draft.roles.push(own);
        Some(name)
    }

    fn capabilities(
        &self,
        entry: &Entry,
        naming: Naming,
        (held, comments): (&mut Vec<String>, &mut Vec<String>),
        notes: &mut Notes<'_>,
    ) {
        let before = held.len();
        let texts = values::texts(entry, notes);
        for (place, text) in &texts {
            let name = match naming {
                Naming::Name => text,
                Naming::Path => {
                    let base = text.rsplit(['/', '\\']).next().unwrap_or_default();
                    base.rsplit_once('.').map_or(base, |(stem, _)| stem)
                }
            };
            match self.roles.get(&fold(name)) {
                Some(role) if held.contains(role) => {}
                Some(role) => held.push(role.clone()),
                None => {
                    let why =
                        format!("the role `{}` is not among the imported files: import {0}.psrc too", shown(name));
                    comments.push(format!("left out: {}", notes.left_out(*place, &entry.key, why)));
                }
            }
        }
        let taken = held.len().saturating_sub(before);
        notes.became(entry.place, &entry.key, format!("{taken} of {} became `roles` of the assignment", texts.len()));
    }

    fn target_group(&self) -> String {
        format!("jea {}", self.stem)
    }

    fn unused(&self, name: &str) -> String {
        let mut unused = name.to_owned();
        while self.used.contains(&fold(&unused)) {
            unused.push_str(" session");
        }
        unused
    }
}

#[derive(Clone, Copy)]
enum Naming {
    Name,
    Path,
}

/// A principal as policies know it. `Err`: a name that stands for nobody, and why.
fn principal(text: &str) -> Result<String, (String, String)> {
    let unresolved = |why: &str| {
        let placeholder = format!(r"{UNRESOLVED}\{}", values::plain_name(text.rsplit('\\').next().unwrap_or_default()));
        let why = format!(
            "`{}` {why}. `{placeholder}` stands for nobody until you write DOMAIN\\name in its place",
            shown(text)
        );
        (placeholder, why)
    };
    let Some((domain, name)) = text.split_once('\\') else {
        return Err(unresolved("has no domain, so that it means an account of each target"));
    };
    let odd = |c: char| c.is_control() || matches!(c, '*' | '?' | '/' | '"');
    if domain.is_empty() || name.is_empty() || name.contains('\\') || text.contains(odd) || text.trim() != text {
        return Err(unresolved("is no name of a user or group"));
    }
    if text.chars().count() > limits::NAME {
        return Err(unresolved("is longer than any name"));
    }
    if ["builtin", "nt authority", "nt service", "."].contains(&fold(domain).as_str()) {
        return Err(unresolved("is a group of each target, of which a gateway does not know the members"));
    }
    Ok(text.to_owned())
}

/// A group, or one of `And` and `Or` with what is in it. What is not understood can be met by nobody.
fn requirement(
    node: &Node,
    (field, depth): (&str, usize),
    comments: &mut Vec<String>,
    notes: &mut Notes<'_>,
) -> Requirement {
    let mut group = |text: &str| {
        principal(text).unwrap_or_else(|(placeholder, why)| {
            comments.push(notes.trap(node.place, field, why));
            placeholder
        })
    };
    if let Some(text) = values::text(node) {
        return Requirement::Group(group(text));
    }
    let only = match &node.value {
        Value::Table(table) => <&[Entry; 1]>::try_from(table.0.as_slice()).ok().map(|[entry]| entry),
        Value::Text(_) | Value::Number(_) | Value::Switch(_) | Value::Null | Value::List(_) | Value::Script(_) => None,
    };
    let combine = only.and_then(|entry| Combine::named(&entry.key).map(|combine| (entry, combine)));
    let parts = combine.map(|(entry, _)| values::items(&entry.node)).unwrap_or_default();
    match combine {
        Some((_, combine)) if !parts.is_empty() && depth < limits::REQUIREMENT_DEPTH => {
            let parts =
                parts.iter().map(|part| requirement(part, (field, depth.saturating_add(1)), comments, notes)).collect();
            match combine {
                Combine::And => Requirement::All(parts),
                Combine::Or => Requirement::Any(parts),
            }
        }
        Some(_) | None => Requirement::Group(group("neither a group nor one of And and Or with groups in it")),
    }
}

#[derive(Clone, Copy)]
enum Combine {
    And,
    Or,
}

impl Combine {
    fn named(key: &str) -> Option<Self> {
        match fold(key).as_str() {
            "and" => Some(Self::And),
            "or" => Some(Self::Or),
            _ => None,
        }
    }
}

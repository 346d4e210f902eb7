//! Pinned scripts: their files compared with what is pinned.

use std::collections::HashSet;

use super::Compiler;
use super::commands::parameter_rule;
use crate::document::{ParameterDocument, RoleDocument, ScriptDocument};
use crate::fold::fold;
use crate::model::{Declared, DeclaredParameter, ParameterRule, ScriptRule};
use crate::script::{declared, using_names};
use crate::source_text::{nearest_of, shown};

impl Compiler<'_> {
    pub(super) fn scripts_of(&mut self, at: usize, role: &RoleDocument) -> Vec<ScriptRule> {
        role.scripts.iter().filter_map(|script| self.script(at, script)).collect()
    }

    fn script(&mut self, at: usize, script: &ScriptDocument) -> Option<ScriptRule> {
        let file = shown(&script.file.text);
        let pin = format!("run `sekisho-gateway policy pin {file}`");
        let Some(pinned) = self.scripts.get(script.file.text.as_str()).cloned() else {
            let message = format!("there is no script `{file}` beside the policy");
            let known: Vec<&str> = self.scripts.keys().copied().collect();
            let hint = match nearest_of(&script.file.text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("put it below the policy's folder and {pin}"),
            };
            self.mistake(at, &script.file, message, hint);
            return None;
        };
        if pinned.text().is_empty() {
            self.mistake(at, &script.file, format!("the script `{file}` is empty"), "write it, or remove the entry");
            return None;
        }
        if pinned.sha256() != script.sha256.text {
            let message = format!("the script `{file}` is not the one that was pinned");
            let hint = format!("read what has changed, and {pin} if it is meant to be so");
            self.mistake(at, &script.sha256, message, hint);
            return None;
        }
        let declared = declared(pinned.text());
        let parameters = self.script_parameters(at, &script.parameters, &declared);
        self.check_using(at, &script.using, pinned.text());
        Some(ScriptRule {
            name: script.name.text.clone(),
            sha256: pinned.sha256().to_owned(),
            text: pinned.text().to_owned(),
            parameters,
            using: sorted(script.using.iter().map(|parameter| parameter_rule(parameter, None)).collect()),
            declared,
            prompts: script.prompts,
        })
    }

    /// Names are those of `param(…)`, where it can be read.
    fn script_parameters(&mut self, at: usize, list: &[ParameterDocument], declared: &Declared) -> Vec<ParameterRule> {
        let known: Option<&[DeclaredParameter]> = match declared {
            Declared::InOrder(known) | Declared::Named(known) => Some(known),
            Declared::Unread => None,
        };
        let rules = list.iter().map(|parameter| {
            let folded = fold(&parameter.name.text);
            let name = known.and_then(|known| known.iter().find(|known| fold(&known.name) == folded));
            if let (None, Some(known)) = (name, known) {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                let message = format!("the script declares no parameter `{}`", shown(&parameter.name.text));
                let hint = match nearest_of(&parameter.name.text, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write a name that stands in its param(...), or leave it out".to_owned(),
                };
                self.warning(at, &parameter.name, message, hint);
            }
            parameter_rule(parameter, name.map(|known| known.name.clone()))
        });
        sorted(rules.collect())
    }

    fn check_using(&mut self, at: usize, list: &[ParameterDocument], text: &str) {
        let known: HashSet<String> = using_names(text).iter().map(|name| fold(name)).collect();
        for parameter in list.iter().filter(|parameter| !known.contains(&fold(&parameter.name.text))) {
            let message = format!("the script does not use `$using:{}`", shown(&parameter.name.text));
            self.warning(at, &parameter.name, message, "write a name that stands in it after $using:, or leave it out");
        }
    }
}

fn sorted(mut rules: Vec<ParameterRule>) -> Vec<ParameterRule> {
    rules.sort_by(|a, b| a.folded.cmp(&b.folded));
    rules
}

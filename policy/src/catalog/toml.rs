//! A catalogue as a document of a policy.

use std::fmt::Write as _;

use toml::Value;

use super::model::{
    CommandInfo, CommandKind, Edition, Membership, ParameterInfo, ParameterKind, Uncertainty, Unnamed,
    WorkflowParameters,
};

/// The document that holds these commands: put beside the others of a policy, its commands win over shipped ones.
#[must_use]
pub fn to_toml(commands: &[(Vec<Edition>, CommandInfo)]) -> String {
    let mut text = "[catalog]\nmode = \"extend\"\n".to_owned();
    for (editions, info) in commands {
        text += "\n[[catalog.commands]]\n";
        for (key, value) in command(editions, info) {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{key} = {value}");
        }
        if !info.parameters.is_empty() {
            text += "parameters = [\n";
            for entry in &info.parameters {
                let keys: Vec<String> =
                    parameter(info, entry).iter().map(|(key, value)| format!("{key} = {value}")).collect();
                let _ = writeln!(text, "    {{ {} }},", keys.join(", "));
            }
            text += "]\n";
        }
    }
    text
}

type Keys = Vec<(&'static str, Value)>;

fn command(editions: &[Edition], info: &CommandInfo) -> Keys {
    let editions = editions.iter().map(|edition| match edition {
        Edition::Windows51 => "5.1",
        Edition::Core7 => "7",
    });
    let mut keys: Keys = vec![("name", Value::from(info.name.as_str()))];
    let mut put = |there: bool, key, value: Value| {
        if there {
            keys.push((key, value));
        }
    };
    put(!info.module.is_empty(), "module", Value::from(info.module.as_str()));
    put(true, "editions", editions.map(Value::from).collect::<Vec<_>>().into());
    match info.kind {
        CommandKind::Cmdlet => put(true, "kind", "cmdlet".into()),
        CommandKind::Function => put(true, "kind", "function".into()),
        CommandKind::Unknown => {}
    }
    put(!info.common, "common", false.into());
    put(info.workflow == WorkflowParameters::Taken, "workflow_common", true.into());
    put(info.should_process, "should_process", true.into());
    put(info.transactions, "transactions", true.into());
    put(!info.aliases.is_empty(), "command_aliases", texts(&info.aliases));
    put(!info.sets.is_empty(), "sets", texts(&info.sets));
    if let Some(set) = info.default_set.and_then(|set| info.sets.get(set)) {
        put(info.sets.len() > 1, "default_set", set.as_str().into());
    }
    put(info.unnamed == Unnamed::Refuse, "unnamed", "refuse".into());
    keys
}

fn parameter(info: &CommandInfo, parameter: &ParameterInfo) -> Keys {
    let mut keys: Keys = vec![("name", Value::from(parameter.name.as_str()))];
    let mut put = |there: bool, key, value: Value| {
        if there {
            keys.push((key, value));
        }
    };
    match &parameter.kind {
        ParameterKind::Switch(Uncertainty::Sure) => put(true, "switch", true.into()),
        ParameterKind::Switch(Uncertainty::Doubtful) => put(true, "switch_doubt", true.into()),
        ParameterKind::Value(type_name) => put(true, "type", type_name.as_str().into()),
    }
    put(!parameter.aliases.is_empty(), "aliases", texts(&parameter.aliases));
    for (key, value) in places(info, &parameter.membership) {
        put(true, key, value);
    }
    let pipeline = [(parameter.pipeline.value, "value"), (parameter.pipeline.property, "property")];
    let pipeline: Vec<Value> = pipeline.iter().filter(|(there, _)| *there).map(|(_, word)| (*word).into()).collect();
    put(!pipeline.is_empty(), "pipeline", pipeline.into());
    put(parameter.remaining, "remaining", true.into());
    put(parameter.wildcards, "wildcards", true.into());
    put(!parameter.values.is_empty(), "values", texts(&parameter.values));
    put(!parameter.dynamic.is_empty(), "dynamic", texts(&parameter.dynamic));
    keys
}

fn places(info: &CommandInfo, membership: &[Membership]) -> Keys {
    let named = |place: &Membership| place.set.and_then(|set| info.sets.get(set)).map(String::as_str);
    let Some(first) = membership.first() else { return Keys::new() };
    let same = membership.iter().all(|place| (place.position, place.mandatory) == (first.position, first.mandatory));
    let sets = membership.iter().filter_map(named);
    if same {
        let sets: Vec<Value> = sets.map(Value::from).collect();
        let sets = if sets.is_empty() { None } else { Some(("sets", sets.into())) };
        return sets.into_iter().chain(place(first)).collect();
    }
    let by_set = membership.iter().filter_map(|entry| {
        let keys = place(entry).into_iter().map(|(key, value)| (key.to_owned(), value));
        Some((named(entry)?.to_owned(), Value::Table(keys.collect())))
    });
    vec![("by_set", Value::Table(by_set.collect()))]
}

fn place(place: &Membership) -> Keys {
    let position = place.position.map(|position| ("position", Value::from(i64::from(position))));
    let mandatory = place.mandatory.then_some(("mandatory", Value::from(true)));
    position.into_iter().chain(mandatory).collect()
}

fn texts(list: &[String]) -> Value {
    Value::Array(list.iter().map(|text| Value::from(text.as_str())).collect())
}

//! The property on which everything rests: what is sent to a target is read there as exactly what was judged.

use crate::recorded::Outcome;
use sekisho_gateway::config::Endpoint;
use sekisho_gateway::enforce::pipeline::{Asked, Form, Secrets, Sent, Writer, encode, read};
use sekisho_policy::value::{NumberKind, Value as Judged};
use sekisho_policy::{
    Action, Checked, CheckedArguments, CheckedCommand, CheckedParameter, CheckedScript, Circumstances, Edition,
    PinnedText, Policy, Presence, Principal, Source, TargetFacts,
};
use sekisho_protocol::clixml::{
    self, Content, Integer, IntegerKind, ListKind, Object, Real, RealKind, SecureText, Value,
};
use sekisho_protocol::psrp::{Argument, Command, CommandKind, CreatePipeline, Merge, MergeTarget};
use sekisho_protocol::secret::SecretText;
use sekisho_tests::engine::{Task, find};
use serde_json::{Map, Value as Json, json};
use std::fs::File;
use std::process::Stdio;

const MODELS: u64 = 600;

const SCRIPT: &str =
    "param($One, $Two, [switch] $Quick)\n# 'text' \"$x\" & <tag> \u{1f600} _x000D_\nUse $One $using:Place $using:Ünï";

const POLICY: &str = r"
defaults = true

[catalog]
mode = 'replace'
commands = [
  { name = 'Test-Any', module = 'Test.Module', parameters = [ { name = 'First', type = 'object', position = 0 }, { name = 'Second', type = 'object' }, { name = 'Ünï', type = 'object[]' }, { name = 'Quick', switch = true } ] },
  { name = 'Test-Own', should_process = true, parameters = [ { name = 'First', type = 'object', position = 0 } ] },
]

[roles.r]
cmdlets = ['Test-Any']
functions = ['Test-Own']
[[roles.r.programs]]
name = 'tool'
path = 'C:\Program Files\Tool\tool.exe'
arguments = { any = true }
[[roles.r.scripts]]
name = 'pinned'
file = 'pinned.ps1'
sha256 = 'SHA256'
parameters = ['One', 'Two', 'Quick']
using = ['Place', 'Ünï']

[[assignments]]
principals = ['D\u']
targets = ['web01']
roles = ['r']
";

/// SplitMix64: the same numbers every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most).unwrap_or(1)).unwrap_or_default()
    }

    fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len());
        list.get(at).copied().unwrap_or_default()
    }
}

const ODD: &[&str] = &[
    "",
    " ",
    "Spooler",
    "-Name",
    "--%",
    "'; Stop-It # $(x) `n\" & | > %PATH%",
    "_x000D_",
    "_x005F_x000D_",
    "_X000d_",
    "\0",
    "a\0b",
    "\r\n\t",
    "\u{1}\u{1f}\u{7f}\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{1f600}",
    "日本語 株式会社",
    "<&>]]>",
    "<!--",
    "&#13;",
    "e\u{301}",
    "Spoo\u{ad}ler",
    "\u{202e}",
    "\u{10ffff}",
    "true",
    "$null",
    "1E+3",
    "_x",
    "_x_",
    "_x0041",
];

fn text(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(3) {
        match random.below(3) {
            0 => text.push_str(random.pick(ODD)),
            1 => text.push(char::from_u32(u32::try_from(random.next() % 0x11_0000).unwrap_or_default()).unwrap_or('x')),
            _ => text.push(random.pick(&['a', '_', 'x', '0', '\'', '"', '\n', '\r'])),
        }
    }
    text
}

fn number(random: &mut Random) -> Value {
    let integer = |kind: IntegerKind, least: i128, most: i128, random: &mut Random| {
        let value = match random.below(4) {
            0 => least,
            1 => most,
            2 => 0_i128.clamp(least, most),
            _ => i128::from(random.next().cast_signed()).clamp(least, most),
        };
        Value::Integer(Integer { kind, value })
    };
    let real = |kind, text: String| Value::Real(Real { kind, text });
    match random.below(11) {
        0 => integer(IntegerKind::Byte, 0, u8::MAX.into(), random),
        1 => integer(IntegerKind::SByte, i8::MIN.into(), i8::MAX.into(), random),
        2 => integer(IntegerKind::Int16, i16::MIN.into(), i16::MAX.into(), random),
        3 => integer(IntegerKind::UInt16, 0, u16::MAX.into(), random),
        4 => integer(IntegerKind::Int32, i32::MIN.into(), i32::MAX.into(), random),
        5 => integer(IntegerKind::UInt32, 0, u32::MAX.into(), random),
        6 => integer(IntegerKind::Int64, i64::MIN.into(), i64::MAX.into(), random),
        7 => integer(IntegerKind::UInt64, 0, u64::MAX.into(), random),
        8 => {
            let value = f64::from_bits(random.next());
            let special = random.pick(&["NaN", "INF", "-INF", "-0", "1E+300", "0.1", "4.9E-324"]);
            let odd = !value.is_finite() || random.below(3) == 0;
            real(RealKind::Double, if odd { special.to_owned() } else { format!("{value:E}") })
        }
        9 => {
            let value = f32::from_bits(u32::try_from(random.next() >> 32).unwrap_or_default());
            let special = random.pick(&["NaN", "INF", "0.5", "16777216", "3.4028235E+38"]);
            let odd = !value.is_finite() || random.below(3) == 0;
            real(RealKind::Single, if odd { special.to_owned() } else { format!("{value:E}") })
        }
        _ => {
            let decimals = ["0", "3.250", "-79228162514264337593543950335", "0.0000000000000000000000000001", "-0.5"];
            real(RealKind::Decimal, random.pick(&decimals).to_owned())
        }
    }
}

fn single(random: &mut Random) -> Value {
    match random.below(6) {
        0 => Value::Nil,
        1 => Value::Bool(random.below(2) == 0),
        2 | 3 => Value::Text(text(random)),
        _ => number(random),
    }
}

fn value(random: &mut Random) -> Value {
    if random.below(3) > 0 {
        return single(random);
    }
    let kind = match random.below(3) {
        0 => ListKind::List,
        1 => ListKind::Enumerable,
        _ => ListKind::Queue,
    };
    let items = (0..random.below(4)).map(|_| single(random)).collect();
    Value::object(Object { content: Content::List(kind, items), ..Object::default() })
}

/// One of the forms in which clients send a parameter.
fn named(name: &str, value: Value, random: &mut Random) -> Vec<Argument> {
    let one = |name: Option<String>, value| Argument { name, value };
    let plain = value != Value::Nil;
    match random.below(3) {
        0 if plain => vec![one(Some(format!("-{name}")), Value::Nil), one(None, value)],
        1 => vec![one(Some(format!("-{name}:")), value)],
        _ => vec![one(Some(name.to_owned()), value)],
    }
}

fn command(random: &mut Random) -> Command {
    let mut arguments = Vec::new();
    match random.below(3) {
        0 => {
            if random.below(2) == 0 {
                let given = value(random);
                arguments.extend(named("First", given, random));
            }
            Command::new(random.pick(&["Test-Own", "test-own"]), arguments)
        }
        _ => {
            for name in ["first", "Second", "Ünï"] {
                if random.below(3) > 0 {
                    let given = value(random);
                    arguments.extend(named(name, given, random));
                }
            }
            if random.below(3) == 0 {
                arguments.push(Argument { name: Some("-Quick".to_owned()), value: Value::Nil });
            }
            if random.below(4) == 0 {
                arguments.extend(named("ErrorAction", Value::text("Stop"), random));
            }
            Command::new(random.pick(&["Test-Any", "TEST-ANY", r"Test.Module\Test-Any"]), arguments)
        }
    }
}

fn script(random: &mut Random) -> Command {
    let mut arguments = vec![];
    if random.below(2) == 0 {
        arguments.push(Argument { name: None, value: value(random) });
    }
    if random.below(2) == 0 {
        arguments.push(Argument { name: Some("Two".to_owned()), value: value(random) });
    }
    if random.below(2) == 0 {
        // `$using:place` and `$using:ünï`.
        let keys = ["JAB1AHMAaQBuAGcAOgBwAGwAYQBjAGUA", "JAB1AHMAaQBuAGcAOgD8AG4A7wA="];
        let entries = keys.map(|key| (Value::text(key), value(random))).into();
        let carrier = Value::object(Object { content: Content::Dictionary(entries), ..Object::default() });
        arguments.push(Argument { name: Some("--%".to_owned()), value: carrier });
    }
    Command { kind: CommandKind::Script, ..Command::new(SCRIPT, arguments) }
}

fn request(random: &mut Random) -> CreatePipeline {
    let out_default = || {
        let merge = Merge { previous: true, ..Merge::default() };
        Command { merge, ..Command::new("Out-Default", vec![]) }
    };
    let host = random.below(3) == 0;
    let mut statements = match random.below(8) {
        0 => vec![vec![script(random)]],
        1 => {
            let arguments = (0..random.below(3)).map(|_| Argument { name: None, value: Value::text("-x y") }).collect();
            vec![vec![Command::new("tool", arguments)]]
        }
        _ => {
            let pipeline = |random: &mut Random| (0..=random.below(2)).map(|_| command(random)).collect::<Vec<_>>();
            (0..=random.below(3)).map(|_| pipeline(random)).collect()
        }
    };
    if statements.iter().flatten().all(|one| one.kind == CommandKind::Name) && random.below(4) == 0 {
        let merge = Merge { error: MergeTarget::Output, ..Merge::default() };
        statements.iter_mut().flatten().for_each(|one| one.merge = merge);
    }
    if host {
        statements.iter_mut().for_each(|statement| statement.push(out_default()));
    }
    CreatePipeline::of_statements(statements)
}

fn refuse(_: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Err(sekisho_protocol::error::Misuse::WrongState.into())
}

fn seal(_: &SecretText) -> sekisho_protocol::Result<SecureText> {
    Err(sekisho_protocol::error::Misuse::WrongState.into())
}

fn policy() -> Outcome<Policy> {
    let text = POLICY.replace("SHA256", PinnedText::of(SCRIPT).sha256());
    let sources = [Source { name: "p.toml", text: &text }, Source { name: "pinned.ps1", text: SCRIPT }];
    Ok(Policy::compile(&sources).map_err(|mistakes| format!("{mistakes:?}"))?.policy)
}

/// What was judged, and the body that a target gets for it.
fn sent(policy: &Policy, request: &CreatePipeline, endpoint: Endpoint) -> Outcome<Option<(Checked, Form, String)>> {
    let mut secrets = Secrets::new();
    let Asked::Judge { action, form } = read(request, Presence::Absent, &refuse, &mut secrets) else {
        return Ok(None);
    };
    let principal = Principal { name: "D\\u".to_owned(), groups: vec![] };
    let (groups, tags) = (vec![], vec![]);
    let target = TargetFacts { name: "web01".to_owned(), groups, tags, edition: Edition::Core7 };
    let decision = policy.decide(&principal, &target, &Circumstances::default(), &action);
    let Some(allowed) = decision.allowed() else { return Ok(None) };
    let checked = allowed.checked.clone();
    let what = match &checked {
        Checked::Commands(commands) => Sent::Commands(commands),
        Checked::Script(script) => Sent::Script(script),
        Checked::Program(_) => return Ok(None),
    };
    let writer = Writer { endpoint, secrets: &secrets, seal: &seal };
    let pipeline = encode(what, &form, Presence::Absent, &writer)?;
    assert!(matches!(action, Action::Commands(_) | Action::Script(_)));
    Ok(Some((checked, form, clixml::encode(&pipeline.encode()))))
}

fn kind_name(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Byte => "Byte",
        NumberKind::SByte => "SByte",
        NumberKind::Int16 => "Int16",
        NumberKind::UInt16 => "UInt16",
        NumberKind::Int32 => "Int32",
        NumberKind::UInt32 => "UInt32",
        NumberKind::Int64 => "Int64",
        NumberKind::UInt64 => "UInt64",
        NumberKind::Single => "Single",
        NumberKind::Double => "Double",
        NumberKind::Decimal => "Decimal",
    }
}

fn value_told(value: &Judged) -> Json {
    match value {
        Judged::Null => Json::Null,
        Judged::Bool(value) => json!({"type": "Boolean", "text": if *value { "True" } else { "False" }}),
        Judged::Number(number) => json!({"type": kind_name(number.kind), "text": number.text}),
        Judged::Text(text) => json!({"type": "String", "text": text}),
        Judged::List(items) => {
            json!({"type": "ArrayList", "items": items.iter().map(value_told).collect::<Vec<_>>()})
        }
        Judged::Secure(_) | Judged::Opaque(_) => json!("nothing that was judged has it here"),
    }
}

fn entry(name: Option<&str>, value: Json) -> Json {
    json!({"name": name, "value": value})
}

fn parameter_told(parameter: &CheckedParameter) -> Json {
    entry(Some(parameter.name()), value_told(parameter.value()))
}

fn whole(module: &str, name: &str, endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::Full if !module.is_empty() => format!("{module}\\{name}"),
        Endpoint::Full | Endpoint::Restricted => name.to_owned(),
    }
}

fn command_told(command: &CheckedCommand, endpoint: Endpoint) -> Json {
    let arguments: Vec<Json> = match command.arguments() {
        CheckedArguments::Named(list) => list.iter().map(parameter_told).collect(),
        CheckedArguments::Program(list) => {
            list.iter().map(|one| entry(None, json!({"type": "String", "text": one.value()}))).collect()
        }
    };
    line(&whole(command.module(), command.name(), endpoint), false, arguments)
}

fn script_told(script: &CheckedScript) -> Json {
    let mut arguments: Vec<Json> = script.parameters().iter().map(parameter_told).collect();
    if !script.using().is_empty() {
        let key = |name: &str| match name {
            "Place" => "JAB1AHMAaQBuAGcAOgBwAGwAYQBjAGUA",
            _ => "JAB1AHMAaQBuAGcAOgD8AG4A7wA=",
        };
        let mut pairs: Vec<Json> = script
            .using()
            .iter()
            .map(|one| json!([{"type": "String", "text": key(one.name())}, value_told(one.value())]))
            .collect();
        pairs.sort_by_key(ToString::to_string);
        arguments.push(entry(Some("--%"), json!({"type": "Hashtable", "pairs": pairs})));
    }
    line(SCRIPT, true, arguments)
}

fn line(name: &str, is_script: bool, arguments: Vec<Json>) -> Json {
    json!({"cmd": name, "is_script": is_script, "end": false, "local_scope": null, "args": arguments})
}

/// What PowerShell has to make of it.
fn wanted(checked: &Checked, form: &Form, endpoint: Endpoint) -> Json {
    let mut statements: Vec<Vec<Json>> = match checked {
        Checked::Commands(commands) => {
            let told =
                |statement: &Vec<CheckedCommand>| statement.iter().map(|one| command_told(one, endpoint)).collect();
            commands.statements().iter().map(told).collect()
        }
        Checked::Script(script) => vec![vec![script_told(script)]],
        Checked::Program(_) => Vec::new(),
    };
    if form.shown == sekisho_gateway::enforce::pipeline::Shown::Host {
        let name = whole("Microsoft.PowerShell.Core", "Out-Default", endpoint);
        statements.iter_mut().for_each(|statement| statement.push(line(&name, false, vec![])));
    }
    let mut wanted = Map::new();
    wanted.insert("commands".to_owned(), json!(statements.first()));
    if statements.len() > 1 {
        wanted.insert("statements".to_owned(), json!(statements));
    }
    for (name, flag) in [("NoInput", "True"), ("AddToHistory", "False"), ("IsNested", "False")] {
        wanted.insert(name.to_owned(), json!(flag));
    }
    Json::Object(wanted)
}

/// Reals by their bits, since texts of one number differ, and pairs of a dictionary in some order.
fn normal(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(normal),
        Json::Object(members) => {
            let text = members.get("text").and_then(Json::as_str).map(|text| text.replace("Infinity", "inf"));
            let bits = match (members.get("type").and_then(Json::as_str), text) {
                (Some("Double"), Some(text)) => text.parse().ok().map(|value: f64| value.to_bits().to_string()),
                (Some("Single"), Some(text)) => text.parse().ok().map(|value: f32| value.to_bits().to_string()),
                (Some(_) | None, _) => None,
            };
            if let Some(bits) = bits {
                members.insert("text".to_owned(), Json::from(bits));
            }
            members.retain(|name, _| !["id", "end", "merge"].contains(&name.as_str()));
            members.values_mut().for_each(normal);
            if let Some(Json::Array(pairs)) = members.get_mut("pairs") {
                pairs.sort_by_key(ToString::to_string);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Allowed requests as the tests make them: enough of them, of each kind.
fn models() -> Outcome<Vec<(Json, String)>> {
    let policy = policy()?;
    let mut models = Vec::new();
    let mut scripts = 0;
    for seed in 0..MODELS {
        let endpoint = if seed % 2 == 0 { Endpoint::Full } else { Endpoint::Restricted };
        let request = request(&mut Random(seed));
        if let Some((checked, form, body)) = sent(&policy, &request, endpoint)? {
            scripts += usize::from(matches!(checked, Checked::Script(_)));
            models.push((wanted(&checked, &form, endpoint), body));
        }
    }
    assert!(models.len() > 300 && scripts > 30, "{} models, {scripts} scripts", models.len());
    Ok(models)
}

#[test]
fn what_is_sent_decodes_to_itself() -> Outcome {
    for (_, body) in models()? {
        let value = clixml::decode(body.as_bytes())?;
        let back = CreatePipeline::decode(&value)?;
        assert_eq!(clixml::encode(&back.encode()), body);
    }
    Ok(())
}

#[test]
fn powershell_reads_exactly_what_was_judged() -> Outcome {
    let Some(engine) = find(Task::Wire)? else { return Ok(()) };
    let models = models()?;
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("bodies.jsonl");
    let lines: Vec<String> = (0..)
        .zip(&models)
        .map(|(id, (_, body)): (u32, _)| json!({"id": id, "clixml": body, "as": "pipeline"}).to_string())
        .collect();
    std::fs::write(&input, lines.join("\n") + "\n")?;
    let output = engine.command().stdin(Stdio::from(File::open(&input)?)).output()?;
    let told = String::from_utf8(output.stdout)?;
    let mut answers = told.lines();
    for (at, (wanted, body)) in models.into_iter().enumerate() {
        let mut told: Json = serde_json::from_str(answers.next().ok_or_else(|| format!("no answer to {at}"))?)?;
        let mut wanted = wanted;
        normal(&mut told);
        normal(&mut wanted);
        assert_eq!(told, wanted, "{body}");
    }
    Ok(())
}

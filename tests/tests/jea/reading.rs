//! What our reader takes for constants, PowerShell reads as the same constants.

use super::engine::{Outcome, run};
use super::random::Random;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sekisho_policy::jea::data::{Node, Value, read};
use std::fs;

const EVALUATE: &str = include_str!("../../data/jea/evaluate.ps1");

fn short_text(kind: char, text: &str) -> String {
    format!("{kind}{}", BASE64_STANDARD.encode(text))
}

/// The short form that evaluate.ps1 writes.
fn short(value: &Value) -> String {
    match value {
        Value::Text(text) => short_text('t', text),
        Value::Number(token) => format!("n{}", number(token)),
        Value::Switch(true) => "T".to_owned(),
        Value::Switch(false) => "F".to_owned(),
        Value::Null => "-".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|Node { value, .. }| short(value)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Table(table) => {
            let entry = |key: &str, value: &Value| format!("{}={}", short_text('t', &key.to_lowercase()), short(value));
            let mut entries: Vec<String> = table.0.iter().map(|found| entry(&found.key, &found.node.value)).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Value::Script(text) => short_text('s', text),
    }
}

/// What a number of the generator's is.
fn number(token: &str) -> String {
    let lower = token.to_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).unwrap().to_string();
    }
    let units = [("kb", 1_i64 << 10), ("mb", 1 << 20)];
    let (digits, times) =
        units.iter().find_map(|(unit, times)| Some((lower.strip_suffix(unit)?, *times))).unwrap_or((&lower, 1));
    match digits.parse::<i64>() {
        Ok(whole) => (whole * times).to_string(),
        Err(_) => digits.parse::<f64>().unwrap().to_string(),
    }
}

/// Pieces of data files and of what is none, among them everything that once was read in two ways.
const PIECES: [&str; 84] = [
    "'a'",
    "\"b\"",
    "'it''s'",
    "\"q\"\"q\"",
    "'",
    "\"",
    "\u{2018}",
    "\u{2019}",
    "\u{201A}",
    "\u{201B}",
    "\u{201C}",
    "\u{201D}",
    "\u{201E}",
    "@{",
    "}",
    "@(",
    ")",
    "(",
    "{",
    "$true",
    "$null",
    "$False",
    "$",
    "$$",
    "${a}",
    "$x",
    "$(",
    "=",
    ";",
    "\n",
    "\r\n",
    "\r",
    ",",
    " ",
    "\t",
    "\u{A0}",
    "\u{85}",
    "\u{2028}",
    "\u{3000}",
    "\u{200B}",
    "#",
    "<#",
    "#>",
    "`",
    "`\n",
    "`t",
    "`\"",
    "`'",
    "`$",
    "``",
    "@'\n",
    "\n'@",
    "@\"\n",
    "\n\"@",
    "@'  \n",
    "1",
    "-1",
    "0x1F",
    "1.5",
    "50MB",
    "007",
    "a",
    "b = ",
    "Name",
    "k1 = 'v'",
    "\"$|",
    "$)\"",
    "\"a$ b\"",
    "--%",
    ".",
    "+",
    "-",
    "[",
    "]",
    "&",
    "|",
    "{ param($p) }",
    "{ \"$(1)\" }",
    "{ # }\n}",
    "{ 'a}' }",
    "# x\n",
    "<# y #>",
    "\"^(a|b)$\"",
    "if",
];

fn constant(random: &mut Random, depth: usize) -> String {
    let deeper = depth.saturating_sub(1);
    match random.below(if depth == 0 { 7 } else { 13 }) {
        0 => random.pick(&["'a'", "'it''s'", "''", "'\u{2019}\u{2019}'", "'a\nb'", "'受注'", "'$x`n\"'"]).to_owned(),
        1 => random.pick(&["\"b\"", "\"`t`\"$)\"", "\"a\"\"b\"", "\"(a|b)$\"", "\u{201C}c\u{201E}"]).to_owned(),
        2 => random.pick(&["@'\nx\n'@", "@'  \r\n'a'\r\n '@\r\n'@", "@\"\na\"b`n$\n\"@", "@'\n'@"]).to_owned(),
        3 => random.pick(&["0", "12", "-7", "0xff", "3.25", "64kb", "007", "2MB"]).to_owned(),
        4 => random.pick(&["$true", "$FALSE", "$null"]).to_owned(),
        5 => random
            .pick(&[
                "{ }",
                "{ param($a) \"x $a $(if ($a) { '}' })\" }",
                "{ @{a='}'} # }\n }",
                "{ <# } #> ${a} + ${b`}c}; x `} }",
                "{ @'\n}\n'@ ; @\"\n$('}')\n\"@ }",
                "{\n\u{201C}}\u{201D}; 'it''s }' }",
            ])
            .to_owned(),
        6 => "'z'".to_owned(),
        7 | 8 => {
            let items: Vec<String> = (0..=random.below(3)).map(|_| constant(random, deeper)).collect();
            items.join(random.pick(&[",", " , ", ",\n", " <# c #> , # d\n "]))
        }
        9 | 10 => {
            let items: Vec<String> = (0..random.below(4)).map(|_| constant(random, deeper)).collect();
            format!("@({}{})", random.pick(&["", "\n", " "]), items.join(random.pick(&["\n", ";", " ; \n", "\n# e\n"])))
        }
        11 => format!("({})", constant(random, deeper)),
        _ => table(random, deeper),
    }
}

fn table(random: &mut Random, depth: usize) -> String {
    let mut text = "@{".to_owned();
    for index in 0..random.below(4) {
        let key = random.pick(&["Name#", "'a b#'", "if#", "_x#", "\"K#\""]);
        text.push_str(&format!(
            "{}{}{}{}{}",
            if index == 0 { random.pick(&["", " ", "\n\r\n"]) } else { random.pick(&["\n", ";", " ; ", "\r\n \r\n"]) },
            key.replace('#', &index.to_string()),
            random.pick(&["=", " = ", "\t=\n", " = <# f #> "]),
            constant(random, depth),
            random.pick(&["", " ", " # g\n", "\n"]),
        ));
    }
    text.push_str(random.pick(&["}", "\n}", ";}", " # h\n}"]));
    text
}

/// A well-made file, most of them with a few pieces put in, left out or doubled.
fn file(random: &mut Random) -> String {
    let mut text = table(random, 3);
    if random.once_in(3) {
        return text;
    }
    for _ in 0..=random.below(3) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let at = places[random.below(places.len())];
        let to = places[(places.binary_search(&at).unwrap() + random.below(3)).min(places.len() - 1)];
        match random.below(3) {
            0 => text.insert_str(at, random.pick(&PIECES)),
            1 => text.replace_range(at..to, ""),
            _ => text.replace_range(at..to, random.pick(&PIECES)),
        }
    }
    text
}

#[test]
fn what_is_read_is_what_powershell_reads() -> Outcome {
    let folder = tempfile::tempdir()?;
    let count = std::env::var("SEKISHO_JEA_TEXTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4000);
    let seed = std::env::var("SEKISHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = Random::new(seed);
    let texts: Vec<String> = (0..count).map(|_| file(&mut random)).collect();
    let accepted: Vec<(&String, String)> = texts
        .iter()
        .filter_map(|text| Some((text, short(&Value::Table(read("f.psrc", text.as_bytes()).ok()?)))))
        .collect();
    // Half of them are damaged; what is left must be many all the same.
    assert!(accepted.len() * 3 > texts.len(), "{} of {}", accepted.len(), texts.len());
    let lines: Vec<String> = accepted.iter().map(|(text, _)| BASE64_STANDARD.encode(text)).collect();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    fs::write(&input, lines.join("\n"))?;
    if !run(EVALUATE, &[&input, &output], folder.path())? {
        return Ok(());
    }
    let answers = fs::read_to_string(&output)?;
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), accepted.len());
    // Nobody looks into script blocks: one that is no code keeps PowerShell from reading the file at all.
    let no_code = |ours: &str, theirs: &str| {
        theirs.starts_with("error ") && ["=s", "[s", ",s"].iter().any(|script| ours.contains(script))
    };
    let wrong: Vec<_> =
        accepted.iter().zip(answers).filter(|((_, ours), theirs)| ours != theirs && !no_code(ours, theirs)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} read otherwise: {:#?}",
        wrong.len(),
        accepted.len(),
        &wrong[..wrong.len().min(5)]
    );
    Ok(())
}

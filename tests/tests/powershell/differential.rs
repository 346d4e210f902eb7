//! New texts, read by PowerShell itself and by us.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::thread;

use sekisho_policy::command::{Argument, Bindings, Pipeline};
use sekisho_policy::powershell;
use sekisho_policy::value::Value;
use sekisho_tests::engine::{self, Engine, Task};
use serde_json::{Value as Json, json};

use crate::form;
use crate::generate::{self, Dice, Pieces};
use crate::readings;

type Outcome = Result<(), Box<dyn Error>>;

/// How many texts of each kind.
const COUNT: &str = "SEKISHO_DIFFERENTIAL_TEXTS";
const SEED: &str = "SEKISHO_DIFFERENTIAL_SEED";
const DEFAULT_COUNT: usize = 1500;

fn setting(name: &str) -> Option<usize> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// How PowerShell reads each of these texts.
fn asked(engine: &Engine, texts: Vec<String>) -> Result<Vec<Json>, Box<dyn Error>> {
    let mut child = engine.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let count = texts.len();
    // PowerShell answers while it is asked, and stops when nobody reads.
    let asking = thread::spawn(move || {
        texts.iter().enumerate().try_for_each(|(id, text)| writeln!(stdin, "{}", json!({"id": id, "text": text})))
    });
    let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let answers: Result<Vec<Json>, _> = stdout.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect();
    let answers: Vec<Json> = answers.map_err(|error: Box<dyn Error>| error)?;
    asking.join().map_err(|_| "asking failed")??;
    assert!(child.wait()?.success(), "PowerShell failed");
    assert_eq!(answers.len(), count, "PowerShell answers every text");
    Ok(answers)
}

/// Texts that are asked for at once.
const BATCH: usize = 20_000;

fn compare(kind: &str, mut texts: impl Iterator<Item = String>) -> Outcome {
    let Some(engine) = engine::find(Task::Parse)? else { return Ok(()) };
    let (mut all, mut accepted, mut wrong) = (0, 0, Vec::new());
    loop {
        let batch: Vec<String> = texts.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        all += batch.len();
        accepted += batch.iter().filter(|text| powershell::read(text).is_ok()).count();
        wrong.extend(asked(&engine, batch)?.iter().filter_map(readings::wrong));
    }
    println!("{kind}: {all} texts, {accepted} accepted, {} read differently", wrong.len());
    assert!(accepted > all / 100, "a comparison of texts that are all refused says nothing");
    assert!(wrong.is_empty(), "{} {kind} texts:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    Ok(())
}

/// Texts of one kind, from a seed that is printed.
fn texts(kind: u64, make: impl FnMut(&mut Dice) -> String + 'static) -> impl Iterator<Item = String> {
    let seed = setting(SEED).unwrap_or(2026);
    println!("{SEED}={seed}");
    let mut dice = Dice::new(u64::try_from(seed).unwrap().wrapping_mul(31).wrapping_add(kind));
    let mut make = make;
    (0..setting(COUNT).unwrap_or(DEFAULT_COUNT)).map(move |_| make(&mut dice))
}

#[test]
fn texts_by_grammar_are_read_as_powershell_reads_them() -> Outcome {
    let all = Pieces::all();
    compare("grammatical", texts(1, move |dice| all.text(dice)))?;
    let accepted = Pieces::such(|text| powershell::read(text).is_ok());
    compare("mostly accepted", texts(2, move |dice| accepted.text(dice)))
}

#[test]
fn recorded_texts_with_changes_are_read_as_powershell_reads_them() -> Outcome {
    let recorded = readings::recorded();
    let of = move |dice: &mut Dice| recorded[dice.below(recorded.len())]["text"].as_str().unwrap().to_owned();
    compare(
        "changed",
        texts(3, move |dice| {
            let (text, other) = (of(dice), of(dice));
            generate::mutated(dice, &text, &other)
        }),
    )
}

/// What is written is run by a target, which has to read it as it was judged.
#[test]
fn what_we_write_is_read_by_powershell_as_what_was_judged() -> Outcome {
    let Some(engine) = engine::find(Task::Parse)? else { return Ok(()) };
    let pieces = Pieces::such(|text| powershell::read(text).is_ok());
    let texts = texts(5, move |dice| pieces.text(dice));
    let mut pipelines: Vec<Pipeline> =
        texts.filter_map(|text| powershell::parse(&text, &Bindings::default()).ok()).collect();
    let mut dice = Dice::new(6);
    for pipeline in &mut pipelines {
        let content = generate::content(&mut dice);
        let command = pipeline.last_mut().ok_or("a pipeline has a command")?;
        command.arguments.push(Argument::named("-Last:", Value::text(content)));
    }
    let mut written = Vec::new();
    for pipeline in &pipelines {
        written.push(powershell::render(pipeline)?);
    }
    assert!(written.len() > 500, "texts of accepted pieces are accepted");
    for (answer, pipeline) in asked(&engine, written)?.iter().zip(&pipelines) {
        assert_eq!(answer["statements"], json!([form::statement(pipeline)]), "{}", answer["text"]);
    }
    Ok(())
}

#[test]
fn devious_characters_are_read_as_powershell_reads_them() -> Outcome {
    compare("soup", texts(4, generate::soup))
}

#[test]
fn every_character_in_every_place_is_read_as_powershell_reads_it() -> Outcome {
    // All of the first plane takes minutes: on request.
    let last = if setting(COUNT).is_some() { 0xFFFF } else { 0x17F };
    let characters = (0..=last).filter_map(char::from_u32);
    compare("placed", generate::every_place(characters.chain('\u{2010}'..='\u{203F}')))
}

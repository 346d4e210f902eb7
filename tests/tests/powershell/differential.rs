//! New texts, read by PowerShell itself and by us.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::thread;

use sekisho_policy::powershell;
use sekisho_tests::engine::{self, Engine, Task};
use serde_json::{Value as Json, json};

use crate::generate::{self, Dice};
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

fn compare(kind: &str, texts: impl Iterator<Item = String>) -> Outcome {
    let Some(engine) = engine::find(Task::Parse)? else { return Ok(()) };
    let texts: Vec<String> = texts.collect();
    let answers = asked(&engine, texts)?;
    let accepted = answers.iter().filter(|answer| powershell::read(answer["text"].as_str().unwrap()).is_ok()).count();
    let wrong: Vec<String> = answers.iter().filter_map(readings::wrong).collect();
    println!("{kind}: {} texts, {accepted} accepted, {} read differently", answers.len(), wrong.len());
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
    compare("mostly plain", texts(1, |dice| generate::by_grammar(dice, 6)))?;
    compare("mostly odd", texts(2, |dice| generate::by_grammar(dice, 2)))
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

//! A program's side of the pipe: one line in, one answer out, whatever the line is.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, BufRead, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;

/// Bytes of one line: twice what a script of 20,000 commands takes.
const MAX_LINE: usize = 8 * 1024 * 1024;
/// Bytes of an `id` that is repeated in an answer.
const MAX_ID: usize = 4096;
/// An answer takes milliseconds. What takes longer is an error of ours, and denied like any other.
pub(super) const DEADLINE: Duration = Duration::from_millis(900);
/// What the reader of a line may use: its recursion is bounded far below.
const STACK: usize = 16 * 1024 * 1024;
/// Lines that were given up, whose threads may still be at work.
const MOST_GIVEN_UP: usize = 8;

/// Answers one line.
pub(super) type Respond = Arc<dyn Fn(&[u8]) -> String + Send + Sync>;
/// Answers a line that could not be.
pub(super) type Refuse = fn(id: Json, reason: String) -> String;

/// How lines are answered.
pub(super) struct Lines {
    pub(super) respond: Respond,
    pub(super) refuse: Refuse,
    pub(super) deadline: Duration,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Lines {
    /// Answers every line until the input ends.
    ///
    /// # Errors
    /// When input or output fails.
    pub(super) fn answer(&self, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
        let mut worker = None;
        let mut given_up = 0_usize;
        let mut line = Vec::new();
        while let Some(length) = read_line(input, &mut line)? {
            let answer = match (length, given_up < MOST_GIVEN_UP) {
                (Length::TooLong, _) => {
                    let why = format!("the line is longer than {MAX_LINE} bytes: send less at once");
                    (self.refuse)(id_of(&line), why)
                }
                (Length::Whole, false) => {
                    let why = "too many lines could not be answered in time: start this program again".to_owned();
                    (self.refuse)(id_of(&line), why)
                }
                (Length::Whole, true) => match self.in_time(&mut worker, &line) {
                    Ok(answer) => answer,
                    Err(why) => {
                        // The thread may be at work for ever: the next line gets another one.
                        worker = None;
                        given_up = given_up.saturating_add(1);
                        (self.refuse)(id_of(&line), why)
                    }
                },
            };
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
        Ok(())
    }

    fn in_time(&self, worker: &mut Option<Worker>, line: &[u8]) -> Result<String, String> {
        let worker = match worker {
            Some(worker) => worker,
            None => worker.insert(self.worker().map_err(|error| format!("no thread could be started: {error}"))?),
        };
        let ended = || "the line could not be judged: an internal error".to_owned();
        worker.lines.send(line.to_vec()).map_err(|_| ended())?;
        worker.answers.recv_timeout(self.deadline).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer within {} ms", self.deadline.as_millis()),
            RecvTimeoutError::Disconnected => ended(),
        })
    }

    fn worker(&self) -> io::Result<Worker> {
        let (lines, taken) = channel::<Vec<u8>>();
        let (given, answers) = channel();
        let (respond, refuse) = (Arc::clone(&self.respond), self.refuse);
        Builder::new().name("policy lines".to_owned()).stack_size(STACK).spawn(move || {
            for line in taken {
                // Nothing that is left half done is used again: an answer depends on its line alone.
                let answer = catch_unwind(AssertUnwindSafe(|| respond(&line)));
                let answer = answer.unwrap_or_else(|_| {
                    refuse(id_of(&line), "the line could not be judged: an internal error".to_owned())
                });
                if given.send(answer).is_err() {
                    break;
                }
            }
        })?;
        Ok(Worker { lines, answers })
    }
}

struct Worker {
    lines: Sender<Vec<u8>>,
    answers: Receiver<String>,
}

enum Length {
    Whole,
    TooLong,
}

/// Reads one line without its end. Of one that is too long the beginning is kept and the rest thrown away.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<Length>> {
    line.clear();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
    if (&mut *input).take(most).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(Length::Whole));
    }
    if line.len() <= MAX_LINE {
        return Ok(Some(Length::Whole));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Length::TooLong))
}

/// The `id` of a line as far as it can be told, of one that is no JSON or no request too; null when it cannot.
pub(super) fn id_of(line: &[u8]) -> Json {
    let found = RefCell::new(Json::Null);
    // What follows the id may be anything: the error says nothing that matters here.
    let _rest = serde_json::Deserializer::from_slice(line).deserialize_map(IdOnly(&found));
    let id = found.into_inner();
    match &id {
        Json::String(text) if text.len() <= MAX_ID => id,
        Json::Number(_) => id,
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => Json::Null,
    }
}

/// Notes the first `id` as soon as it is met, and reads on without keeping anything.
struct IdOnly<'a>(&'a RefCell<Json>);

impl<'de> Visitor<'de> for IdOnly<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            if key && self.0.borrow().is_null() {
                let id: Json = map.next_value()?;
                *self.0.borrow_mut() = id;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a key is `id`.
struct Key;

impl<'de> serde::de::DeserializeSeed<'de> for Key {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == "id")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<bool, E> {
        Ok(key == b"id")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    fn refuse(id: Json, reason: String) -> String {
        json!({ "id": id, "refused": reason }).to_string()
    }

    fn answers(respond: Respond, deadline: Duration, input: &[u8]) -> Vec<Json> {
        let mut out = Vec::new();
        Lines { respond, refuse, deadline }.answer(&mut &*input, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn echo(input: &[u8]) -> Vec<Json> {
        answers(Arc::new(|line| json!({ "bytes": line.len() }).to_string()), DEADLINE, input)
    }

    #[test]
    fn every_line_gets_one_answer_the_last_one_without_an_end_too() {
        assert_eq!(echo(b"").len(), 0);
        assert_eq!(
            echo(b"ab\n\n\xff\r\nc"),
            [json!({"bytes": 2}), json!({"bytes": 0}), json!({"bytes": 2}), json!({"bytes": 1})]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_by_its_id_and_the_next_one_is_read() {
        let mut input = br#"{"id": "long", "x": ""#.to_vec();
        input.resize(MAX_LINE + 5, b'x');
        input.extend_from_slice(b"\"}\nab\n");
        let answers = echo(&input);
        assert_eq!((answers.len(), &answers[0]["id"], &answers[1]), (2, &json!("long"), &json!({"bytes": 2})));
        input.truncate(MAX_LINE);
        assert_eq!(echo(&input), [json!({"bytes": MAX_LINE})], "the longest line");
        input.resize(MAX_LINE + 1, b'x');
        assert_eq!(echo(&input)[0]["id"], "long", "one more, without an end");
    }

    #[test]
    fn a_panic_denies_its_line_and_no_other() {
        let respond: Respond = Arc::new(|line| {
            assert!(!line.ends_with(b"!}"), "this line is fatal");
            "1".to_owned()
        });
        let answers = answers(respond, DEADLINE, b"{\"id\":7,!}\n{}\n");
        assert_eq!((&answers[0]["id"], &answers[1]), (&json!(7), &json!(1)));
    }

    #[test]
    fn a_line_that_takes_too_long_is_given_up_and_some_are_the_last() {
        // The lines that are stuck wait for a lock that this test holds until it has all the answers.
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().unwrap();
        let theirs = Arc::clone(&gate);
        let respond: Respond = Arc::new(move |line| {
            if line.starts_with(b"{") {
                drop(theirs.lock());
            }
            "1".to_owned()
        });
        let lines = "{\"id\":7}\n".repeat(MOST_GIVEN_UP) + "fine\n{\"id\":8}\n";
        let answers = answers(respond, Duration::from_millis(20), lines.as_bytes());
        drop(held);
        assert!(answers[..MOST_GIVEN_UP].iter().all(|answer| answer["id"] == 7), "{answers:?}");
        assert!(answers[MOST_GIVEN_UP]["refused"].as_str().unwrap().contains("again"), "{answers:?}");
        assert_eq!(answers[MOST_GIVEN_UP + 1]["id"], 8);
    }

    #[test]
    fn the_id_of_a_line_is_found_as_far_as_it_can_be_told() {
        let cases: [(&[u8], Json); 12] = [
            (br#"{"id": "a", "x": 1}"#, json!("a")),
            (br#"{"x": {"id": "no"}, "id": 7}"#, json!(7)),
            (br#"{"id": "a", "id": "b"}"#, json!("a")),
            (br#"{"id": "a", "x": [}"#, json!("a")),
            (b"{\"x\": \"\xff\", \"id\": \"a\"}", json!("a")),
            (b"{\"\xff\": 1, \"id\": \"a\"}", json!("a")),
            (br#"{"x": "\ud800", "id": "a", "#, json!("a")),
            (b"{\"id\": \"\xff\"}", Json::Null),
            (br#"{"id": ["a"]}"#, Json::Null),
            (br#"["id"]"#, Json::Null),
            (b"", Json::Null),
            (b"\xef\xbb\xbf{\"id\": 1}", Json::Null),
        ];
        for (line, id) in cases {
            assert_eq!(id_of(line), id, "{}", String::from_utf8_lossy(line));
        }
        let deep = format!("{{\"x\": {}{}, \"id\": 1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(id_of(deep.as_bytes()), 1);
        assert_eq!(id_of(format!("{{\"id\": \"{}\"}}", "x".repeat(MAX_ID + 1)).as_bytes()), Json::Null);
    }
}

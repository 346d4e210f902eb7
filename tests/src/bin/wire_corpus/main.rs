//! Shows how `sekisho-protocol` reads and writes: JSON lines in, one JSON line out for each.
//!
//! - `{id, clixml, as: "pipeline"}`: the commands of a CREATE_PIPELINE body.
//! - `{id, clixml}`: the value, decoded and encoded again.
//! - `{id, soap}`: what a WS-Man message says.
//! - `{id, fragments: [base64 …]}`: the messages that they hold.
//! - `{id, model}`: the CREATE_PIPELINE body for commands in canonical form.
//!
//! A line that cannot be read is answered with `{id, error}`.

mod fragments;
mod model;
mod pipeline;
mod soap;

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use sekisho_protocol::clixml;
use serde_json::{Value, json};

/// Bytes of one line: the largest body, escaped.
const LINE: u64 = 64 * 1024 * 1024;

fn main() -> ExitCode {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    loop {
        let mut line = Vec::new();
        match std::io::Read::take(&mut input, LINE).read_until(b'\n', &mut line) {
            Ok(0) => return ExitCode::SUCCESS,
            Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            Ok(_) => {
                let answered = writeln!(output, "{}", answer(&line)).and_then(|()| output.flush());
                if answered.is_err() {
                    return ExitCode::FAILURE;
                }
            }
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

fn answer(line: &[u8]) -> Value {
    let request: Value = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return json!({"id": null, "error": format!("no JSON: {error}")}),
    };
    let id = request.get("id").cloned().unwrap_or_default();
    // What a line is answered with is up to that line alone, a mistake of this program's included.
    match std::panic::catch_unwind(|| read(&request)).unwrap_or_else(|_| Err("a panic".to_owned())) {
        Ok(Value::Object(mut answer)) => {
            answer.insert("id".to_owned(), id);
            Value::Object(answer)
        }
        Ok(_) => json!({"id": id, "error": "nothing to answer"}),
        Err(error) => json!({"id": id, "error": error}),
    }
}

fn read(request: &Value) -> Result<Value, String> {
    if let Some(body) = request.get("clixml") {
        let body = body.as_str().ok_or("`clixml` is no text")?;
        let value = clixml::decode(body.as_bytes()).map_err(|error| error.to_string())?;
        return match request.get("as").and_then(Value::as_str) {
            Some("pipeline") => pipeline::read(&value),
            Some(_) => Err("`as` can only be \"pipeline\"".to_owned()),
            None => Ok(json!({"clixml": clixml::encode(&value)})),
        };
    }
    if let Some(text) = request.get("soap") {
        return soap::read(text.as_str().ok_or("`soap` is no text")?);
    }
    if let Some(fragments) = request.get("fragments") {
        return fragments::read(fragments.as_array().ok_or("`fragments` is no list")?);
    }
    if let Some(commands) = request.get("model") {
        return model::body(commands).map(|body| json!({"clixml": body}));
    }
    Err("none of `clixml`, `soap`, `fragments` and `model` is there".to_owned())
}

#[cfg(test)]
mod tests;

//! `policy read`: what the PowerShell subset makes of texts, JSON lines in and out.

use std::io::{BufRead, Write};
use std::sync::Arc;

use sekisho_policy::powershell;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::super::{CommandError, Status};
use super::forms::{one_line, reading};
use super::lines::{DEADLINE, Lines, id_of};

pub(super) fn run(input: &mut dyn BufRead, out: &mut dyn Write) -> Result<Status, CommandError> {
    let lines = Lines { respond: Arc::new(respond), refuse, deadline: DEADLINE };
    lines.answer(input, out)?;
    Ok(Status::Fine)
}

#[derive(Deserialize)]
struct Asked {
    text: String,
}

fn respond(line: &[u8]) -> String {
    let id = id_of(line);
    let asked: Asked = match serde_json::from_slice(line) {
        Ok(asked) => asked,
        Err(error) => return refuse(id, format!("no text: {error}")),
    };
    match powershell::read(&asked.text) {
        Ok(pipeline) => json!({ "id": id, "reading": "commands", "statements": [reading(&pipeline)] }).to_string(),
        Err(refusal) => {
            one_line(&json!({ "id": id, "reading": "refused", "why": refusal.to_string(), "place": refusal.place,
            "hint": refusal.hint }))
        }
    }
}

fn refuse(id: Json, reason: String) -> String {
    one_line(&json!({ "id": id, "reading": "refused", "why": reason, "place": null }))
}

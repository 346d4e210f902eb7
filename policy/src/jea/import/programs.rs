//! `VisibleExternalCommands`: programs and scripts.

use super::draft::{Commented, ProgramDraft};
use super::values;
use crate::fold::fold;
use crate::interpreter::is_interpreter;
use crate::jea::data::Entry;
use crate::jea::note::{Notes, shown};
use crate::program_path::ProgramPath;

pub(super) fn read(entry: &Entry, notes: &mut Notes<'_>) -> Vec<Commented<ProgramDraft>> {
    let mut programs: Vec<Commented<ProgramDraft>> = Vec::new();
    let texts = values::texts(entry, notes);
    for (place, text) in &texts {
        match program(text) {
            Ok(path) => {
                let name = unused_name(&path, &programs);
                let trap = notes.trap(*place, &entry.key, free_arguments(&path));
                programs.push(Commented::new(ProgramDraft { name, path: path.text().to_owned() }, vec![trap]));
            }
            Err(why) => {
                let comment = notes.left_out(*place, &entry.key, format!("`{}`: {why}", shown(text)));
                programs.push(Commented::left_out(comment));
            }
        }
    }
    let taken = programs.iter().filter(|program| program.item.is_some()).count();
    notes.became(entry.place, &entry.key, format!("{taken} of {} entries became `programs` of the role", texts.len()));
    programs
}

fn program(text: &str) -> Result<ProgramPath, String> {
    if text == "*" {
        return Err("it exposes every program and script of the target; name those that are needed".to_owned());
    }
    if fold(text).ends_with(".ps1") {
        return Err(
            "a script: pin its content with `policy pin`, then the gateway sends that and nothing else".to_owned()
        );
    }
    let path = ProgramPath::parse(text).map_err(|(message, hint)| format!("{message} ({hint})"))?;
    if is_interpreter(path.base()) {
        return Err("it runs what its arguments say, and JEA cannot restrict them: this allows everything. List the \
                    arguments that are needed: arguments = { exact = [['/c', 'ver']] }"
            .to_owned());
    }
    Ok(path)
}

fn free_arguments(path: &ProgramPath) -> String {
    let example = match path.key() {
        "net" | "net1" => ": `net group Administrators me /add` among them",
        "sc" => ": `sc config … binPath= …` among them",
        "reg" => ": `reg add` and `reg import` among them",
        "schtasks" => ": `schtasks /create … /tr …` among them",
        "icacls" | "takeown" | "cacls" => ": rights on every file among them",
        _ => "",
    };
    format!(
        "{}: JEA cannot restrict the arguments of programs, so that all are allowed{example}; a policy can, with \
         arguments = {{ exact = [..] }} or {{ each = [..], max = .. }}",
        shown(path.name())
    )
}

fn unused_name(path: &ProgramPath, programs: &[Commented<ProgramDraft>]) -> String {
    let base = values::plain_name(path.name());
    let taken = |name: &str| programs.iter().filter_map(|other| other.item.as_ref()).any(|other| other.name == name);
    let mut name = base.clone();
    let mut number = 1_usize;
    while taken(&name) {
        number = number.saturating_add(1);
        name = format!("{base}-{number}");
    }
    name
}

//! The configuration file, section by section: what may stand in it, within which bounds, and what holds when
//! it is left out.

mod audit;
mod limits;
mod listeners;
mod powershell;
mod recording;
mod rest;
mod targets;

use std::path::Path;

use super::mistake::Mistake;
use super::model::Config;
use super::reader::Reader;

/// Reads a whole file, or tells all its mistakes.
pub(super) fn parse(file: &Path, text: &str) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader::new(file, text);
    let config = read(file, &mut reader);
    reader.finish(config)
}

fn read(file: &Path, reader: &mut Reader<'_>) -> Option<Config> {
    let mut top = reader.document();
    let mut warnings = Vec::new();
    let listeners = listeners::listeners(&mut top, reader, &mut warnings);
    let credssp = listeners::credssp(&mut top, reader);
    let limits = limits::limits(&mut top, reader);
    let sessions = limits::sessions(&mut top, reader);
    let jobs = limits::jobs(&mut top, reader);
    let targets = targets::table(&mut top, reader, &mut warnings);
    let accounts = rest::accounts(&mut top, reader);
    let policy = rest::policy(&mut top, reader);
    let audit = audit::audit(&mut top, reader);
    let folder = audit.as_ref().map(|audit| audit.directory.as_path());
    let recording = recording::recording(&mut top, reader, &targets, folder);
    let admin = rest::admin(&mut top, reader, &mut warnings);
    let routing = rest::routing(&mut top, reader);
    let log = rest::log(&mut top, reader);
    top.finish(reader);
    Some(Config {
        file: file.to_owned(),
        listeners,
        credssp: credssp?,
        limits,
        sessions,
        targets,
        accounts: accounts?,
        policy: policy?,
        audit: audit?,
        recording,
        admin,
        routing,
        jobs,
        log,
        warnings,
    })
}

//! Reading a log for what it says. Whether it is what was written is for [`super::verify`] to prove.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::Value as Json;

use super::OpenError;
use super::check::{Read, read_line};
use super::line::file_name;
use super::recover::numbers;

/// Gives every line of a log in order; the number of those that are no JSON comes back.
///
/// # Errors
/// When a file cannot be read.
pub fn read_events(directory: &Path, each: &mut dyn FnMut(&Json)) -> Result<usize, OpenError> {
    let mut unreadable = 0_usize;
    for number in numbers(directory)? {
        let path = directory.join(file_name(number));
        let mut reader = BufReader::new(File::open(&path).map_err(|error| OpenError::io(&path, error))?);
        let mut buffer = Vec::new();
        loop {
            match read_line(&mut reader, &mut buffer).map_err(|error| OpenError::io(&path, error))? {
                Read::End => break,
                Read::Line | Read::Torn => match serde_json::from_slice(&buffer) {
                    Ok(event) => each(&event),
                    Err(_) => unreadable = unreadable.saturating_add(1),
                },
                Read::TooLong => unreadable = unreadable.saturating_add(1),
            }
        }
    }
    Ok(unreadable)
}

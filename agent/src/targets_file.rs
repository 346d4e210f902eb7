//! The file of `--targets-file`: one target a line, `#` begins a comment.

use crate::error::UsageMistake;
use sekisho_protocol::job::{self, JobMistake};
use std::collections::HashSet;

/// Bytes that such a file may have: all names of the largest job, and as much again for comments and blanks.
pub const FILE_BYTES: usize = 2 * job::TARGET_LIST_BYTES;

/// Reads the targets' names.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(bytes: &[u8]) -> Result<Vec<String>, UsageMistake> {
    if bytes.len() > FILE_BYTES {
        return Err(UsageMistake::FileSize);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| UsageMistake::TargetsText)?;
    // Editors on Windows write the mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for (line, content) in (1_usize..).zip(text.lines()) {
        let name = content.split_once('#').map_or(content, |(before, _)| before).trim();
        if name.is_empty() {
            continue;
        }
        let mistake = |mistake| UsageMistake::TargetsFile { line, mistake };
        job::check_name(name).map_err(mistake)?;
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(mistake(JobMistake::TargetTwice));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_a_line_with_comments_and_blanks() {
        let text = "\u{feff}# the web farm\r\nweb01\r\n\r\n  web02  # the second\n#web03\nweb04";
        assert_eq!(parse(text.as_bytes()), Ok(vec!["web01".into(), "web02".into(), "web04".into()]));
        assert_eq!(parse(b""), Ok(vec![]));
    }

    #[test]
    fn mistakes_name_their_line() {
        let at = |line, mistake| Err(UsageMistake::TargetsFile { line, mistake });
        assert_eq!(parse(b"web01\nweb 02\n"), at(2, JobMistake::Name));
        assert_eq!(parse(b"web01\n\nWEB01\n"), at(3, JobMistake::TargetTwice));
        assert_eq!(parse(b"web01\n\xff\n"), Err(UsageMistake::TargetsText));
        assert_eq!(parse(&vec![b'#'; FILE_BYTES + 1]), Err(UsageMistake::FileSize));
    }
}

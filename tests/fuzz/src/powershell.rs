//! Script text.

use super::pieces::Pieces;
use sekisho_policy::command::{Argument, Bindings, Pipeline};
use sekisho_policy::powershell::{parse, read, render};
use sekisho_policy::value::Value;

/// Any text: read or refused at a place inside it; what is read is written and read as the same.
pub fn text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match parse(&text, &Bindings::default()) {
        Ok(pipeline) => {
            assert!(read(&text).is_ok_and(|read| read == pipeline), "judged otherwise than read");
            let written = render(&pipeline).expect("what is read can be written");
            assert!(parse(&written, &Bindings::default()).is_ok_and(|again| again == pipeline), "written otherwise");
            check(&pipeline);
        }
        Err(refusal) => {
            assert!(refusal.place <= text.chars().count(), "refused outside of the text");
            assert!(refusal.for_sender().len() < 1000);
            if let Ok(pipeline) = read(&text) {
                check(&pipeline);
            }
        }
    }
}

/// Names hold nothing that could be read as more than a name.
fn check(pipeline: &Pipeline) {
    assert!(!pipeline.is_empty());
    let syntax = |c: char| c.is_whitespace() || c.is_control() || ";|&(){}<>$`'\"‘’‚‛“”„–—―,".contains(c);
    for command in pipeline {
        assert!(!command.name.is_empty() && !command.name.contains(syntax), "a command's name");
        for name in command.arguments.iter().filter_map(|argument| argument.name.as_deref()) {
            let bare = name.strip_prefix('-').expect("a dash comes first");
            let bare = bare.strip_suffix(": ").or_else(|| bare.strip_suffix(':')).unwrap_or(bare);
            assert!(!bare.is_empty() && !bare.contains(syntax) && !bare.contains(':'), "a parameter's name");
        }
    }
}

/// A text, the names it may use for constants, and arguments for its `param(…)`: a constant comes out as it went in.
pub fn bindings(input: &[u8]) {
    const CONSTANT: &str = "; Stop-Computer '’\" $(x) #\n--%";
    let mut pieces = Pieces::new(input);
    let text = String::from_utf8_lossy(pieces.piece()).into_owned();
    let using = String::from_utf8_lossy(pieces.piece()).into_owned();
    let name = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned()).filter(|name| !name.is_empty());
    let arguments =
        pieces.bounded().map(|piece| Argument { name: name(piece), value: Value::text(CONSTANT) }).collect();
    let bindings = Bindings { using: vec![(using, Value::text(CONSTANT))], arguments };
    let Ok(pipeline) = parse(&text, &bindings) else { return };
    check(&pipeline);
    if !text.contains('$') {
        assert!(
            parse(&text, &Bindings::default()).is_ok_and(|plain| plain == pipeline),
            "bindings changed a plain text"
        );
    }
}

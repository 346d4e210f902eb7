//! What the gateway answers itself.

use super::*;
use sekisho_protocol::psrp::GetCommandMetadata;

fn query(names: &[&str]) -> CommandQuery {
    CommandQuery { names: names.iter().map(|name| (*name).to_owned()).collect(), ..CommandQuery::default() }
}

#[test]
fn what_is_answered_here_is_told_apart_in_every_spelling() {
    for name in ["prompt", "PROMPT"] {
        assert_eq!(local_of(one(vec![cmd(name, vec![])])), Local::Prompt);
    }
    assert_eq!(local_of(one(vec![script("prompt", vec![])])), Local::Prompt);
    let completion = vec![arg(None, text("Get-S")), arg(None, Value::int(5))];
    assert_eq!(local_of(one(vec![cmd("TabExpansion2", completion.clone())])), Local::Nothing);
    assert_eq!(local_of(one(vec![cmd("TabExpansion", completion)])), Local::Nothing);
    assert_eq!(local_of(one(vec![cmd("Get-FormatData", vec![arg(Some("TypeName"), text("*"))])])), Local::Nothing);
    for exit in [vec![cmd("Exit-PSSession", vec![])], vec![cmd("exsn", vec![]), out_default()]] {
        assert_eq!(local_of(one(exit)), Local::Exit);
    }
    for ask in [
        vec![cmd("Get-Command", vec![])],
        vec![cmd("gcm", vec![])],
        vec![cmd(r"microsoft.powershell.core\get-command", vec![])],
        vec![cmd("Get-Command", vec![arg(Some("-ListImported"), Value::Nil)])],
        vec![cmd("Get-Command", vec![arg(Some("ArgumentList"), Value::Nil), arg(Some("Name"), Value::Nil)])],
        vec![script(" Get-Command\n", vec![]), out_default()],
        vec![script("Get-Command\nexit $LASTEXITCODE", vec![])],
    ] {
        assert_eq!(local_of(one(ask)), Local::Commands(query(&[])));
    }
}

#[test]
fn get_command_is_read_with_its_names_modules_and_kinds() {
    let names = |value: Value| vec![arg(Some("-Name"), Value::Nil), arg(None, value)];
    for arguments in [
        names(text("a*")),
        names(Value::array(vec![text("a*")])),
        vec![arg(Some("Name"), text("a*"))],
        vec![arg(Some("-Name:"), text("a*"))],
        vec![arg(None, text("a*"))],
    ] {
        assert_eq!(local_of(one(vec![cmd("Get-Command", arguments)])), Local::Commands(query(&["a*"])));
    }
    let kinds = |value: Value| local_of(one(vec![cmd("Get-Command", vec![arg(Some("CommandType"), value)])]));
    for (value, flags) in
        [(text("Function, cmdlet"), 10), (Value::int(271), 271), (Value::array(vec![text("Alias")]), 1)]
    {
        assert_eq!(kinds(value), Local::Commands(CommandQuery { kinds: Some(flags), ..query(&[]) }));
    }
    let both = one(vec![cmd("Get-Command", vec![arg(None, text("a")), arg(None, text("m"))])]);
    assert_eq!(local_of(both), Local::Commands(CommandQuery { modules: vec!["m".to_owned()], ..query(&["a"]) }));
    let select = vec![arg(None, Value::array(vec![text("Name"), text("Module")]))];
    let selected = one(vec![cmd("Get-Command", vec![]), cmd("Select-Object", select)]);
    let then = Then::Select(vec!["Name".to_owned(), "Module".to_owned()]);
    assert_eq!(local_of(selected), Local::Commands(CommandQuery { then, ..query(&[]) }));
    let counted = one(vec![cmd("Get-Command", vec![]), cmd("measure", vec![])]);
    assert_eq!(local_of(counted), Local::Commands(CommandQuery { then: Then::Count, ..query(&[]) }));
}

#[test]
fn get_command_goes_to_no_target_in_any_other_form() {
    let ask = |arguments| one(vec![cmd("Get-Command", arguments)]);
    for refused in [
        ask(vec![arg(Some("ArgumentList"), text("cert:"))]),
        ask(vec![arg(Some("-Syntax"), Value::Nil), arg(None, text("x"))]),
        ask(vec![arg(Some("ShowCommandInfo"), Value::Bool(true))]),
        ask(vec![arg(Some("-Na"), Value::Nil), arg(None, text("x"))]),
        ask(vec![arg(Some("Name"), text("a")), arg(Some("Name"), text("b"))]),
        ask(vec![arg(Some("-Name"), Value::Nil)]),
        ask(vec![arg(Some("Name"), Value::int(1))]),
        ask((0..5).map(|_| arg(None, Value::Nil)).collect()),
        ask(vec![arg(Some("CommandType"), text("Workflow"))]),
        ask(vec![arg(Some("Name"), Value::ScriptBlock("x".to_owned()))]),
        one(vec![cmd("Get-Command", vec![]), cmd("Get-Help", vec![])]),
        one(vec![cmd("Get-Date", vec![]), cmd("Get-Command", vec![])]),
        one(vec![cmd("Get-Command", vec![]), script("Select-Object", vec![])]),
        one(vec![cmd("Get-Command", vec![]), cmd("Select-Object", vec![arg(Some("First"), Value::int(1))])]),
        asked(vec![vec![cmd("Get-Date", vec![])], vec![cmd("Get-Command", vec![])]]),
        one(vec![script("Get-Command | Get-Help", vec![])]),
    ] {
        assert_eq!(why(refused), Why::GetCommand);
    }
}

#[test]
fn what_only_looks_like_an_answer_of_ours_is_judged() {
    commands_of(one(vec![cmd("prompt", vec![arg(None, text("x"))])]));
    commands_of(one(vec![cmd("prompt", vec![]), cmd("Get-Help", vec![])]));
    commands_of(one(vec![cmd("Exit-PSSession", vec![arg(None, text("x"))])]));
    commands_of(one(vec![cmd(r"Other\Get-Command", vec![])]));
    commands_of(one(vec![cmd("Get-Commands", vec![])]));
    script_of(one(vec![script("Get-Command; Get-Date", vec![])]));
    script_of(one(vec![script("prompt", vec![arg(None, text("x"))])]));
    script_of(one(vec![script("Get-Help Get-Command | & { x }", vec![])]));
}

#[test]
fn get_command_is_answered_within_bounds_only() {
    let list = |many: usize, length: usize| Value::array((0..many).map(|n| text(&format!("{n:0length$}"))).collect());
    let ask = |name: &str, value: Value| one(vec![cmd("Get-Command", vec![arg(Some(name), value)])]);
    let select =
        |value: Value| one(vec![cmd("Get-Command", vec![]), cmd("Select-Object", vec![arg(Some("Property"), value)])]);
    for name in ["Name", "Module"] {
        local_of(ask(name, list(256, 512)));
        assert_eq!(why(ask(name, list(257, 4))), Why::GetCommand);
        assert_eq!(why(ask(name, list(1, 513))), Why::GetCommand);
    }
    let kinds = |many: usize| Value::array(vec![text("Alias"); many]);
    local_of(ask("CommandType", kinds(256)));
    assert_eq!(why(ask("CommandType", kinds(257))), Why::GetCommand);
    assert_eq!(why(ask("CommandType", text(&"Alias,".repeat(100)))), Why::GetCommand);
    local_of(select(list(11, 512)));
    for refused in [list(12, 2), list(1, 513), Value::array(vec![text("Parameters"), text("pARAMETERS")])] {
        assert_eq!(why(select(refused)), Why::GetCommand);
    }
    let request = |names: Vec<String>| GetCommandMetadata { names, kinds: 1, modules: vec![] };
    assert!(CommandQuery::from(request(vec!["a".repeat(512); 256])).is_bounded());
    assert!(!CommandQuery::from(request(vec!["a".to_owned(); 257])).is_bounded());
    assert!(!CommandQuery::from(request(vec!["a".repeat(513)])).is_bounded());
}

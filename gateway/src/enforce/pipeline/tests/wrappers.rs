//! Wrappers, and what comes close to one.

use super::*;
use sekisho_protocol::psrp::{MergeTarget, Scope};

const WINRB_TAIL: &str = "if (!$?) { if($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 } }";

#[test]
fn text_for_lines_is_judged_by_what_it_says() {
    let stream = || vec![arg(Some("Stream"), Value::Nil)];
    for (arguments, stream) in [
        (vec![arg(Some("Command"), text("Get-Date"))], stream()),
        (vec![arg(Some("command"), text("Get-Date"))], vec![arg(Some("stream"), Value::Bool(true))]),
        (vec![arg(Some("-Command"), Value::Nil), arg(None, text("Get-Date"))], vec![arg(Some("-Stream"), Value::Nil)]),
        (vec![arg(Some("-Command:"), text("Get-Date"))], vec![arg(Some("-Stream:"), Value::Bool(true))]),
    ] {
        let (request, form) = script_of(invoked("Invoke-expression", arguments, "Out-string", stream));
        assert_eq!(request, ScriptRequest::new("Get-Date"));
        assert_eq!((form.shown, form.exit), (Shown::Text, ExitTail::None));
    }
}

#[test]
fn what_comes_close_to_text_for_lines_is_judged_as_commands() {
    let command = || vec![arg(Some("Command"), text("Get-Date"))];
    let stream = || vec![arg(Some("Stream"), Value::Nil)];
    for close in [
        invoked("iex", command(), "Out-String", stream()),
        invoked("Invoke-Expression", command(), "Out-Host", stream()),
        invoked("Invoke-Expression", command(), "Out-String", vec![]),
        invoked("Invoke-Expression", command(), "Out-String", vec![arg(Some("Stream"), Value::Bool(false))]),
        invoked("Invoke-Expression", command(), "Out-String", vec![arg(Some("Width"), Value::int(9))]),
        invoked("Invoke-Expression", vec![arg(Some("Comm"), text("x"))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![arg(Some("--Command:"), text("x"))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![arg(Some("Command"), Value::int(1))], "Out-String", stream()),
        invoked("Invoke-Expression", vec![], "Out-String", stream()),
        one(vec![cmd("Invoke-Expression", command())]),
        one(vec![cmd("Get-Date", vec![]), cmd("Invoke-Expression", command()), cmd("Out-String", stream())]),
        one(vec![cmd("Invoke-Expression", command()), cmd("Out-String", stream()), out_default()]),
        one(vec![script("Invoke-Expression", command()), cmd("Out-String", stream())]),
    ] {
        commands_of(close);
    }
    let batch = vec![
        vec![cmd("New-Item", vec![arg(Some("Path"), text("env:"))]), cmd("Out-Null", vec![])],
        vec![cmd("Invoke-Expression", command()), cmd("Out-String", stream())],
    ];
    assert_eq!(why(asked(batch)), Why::InvokedInBatch);
}

#[test]
fn the_ends_of_ansible_and_winrb_are_taken_off_exactly() {
    let (request, form) = script_of(one(vec![script("Get-Date\nexit $LASTEXITCODE", vec![])]));
    assert_eq!((request.text.as_str(), form.exit, form.shown), ("Get-Date", ExitTail::LastExitCode, Shown::Objects));
    for newline in ["\n", "\r\n"] {
        let sent = format!("Get-Date{newline}{WINRB_TAIL}");
        let command = vec![arg(Some("-Command"), Value::Nil), arg(None, text(&sent))];
        let stream = vec![arg(Some("-Stream"), Value::Nil)];
        let (request, form) = script_of(invoked("Invoke-expression", command, "Out-string", stream));
        assert_eq!((request.text.as_str(), form.exit, form.shown), ("Get-Date", ExitTail::WinRb, Shown::Text));
    }
    for other in [
        "Get-Date; exit $LASTEXITCODE",
        "Get-Date\nexit $LASTEXITCODE ",
        "Get-Date\nexit $lastexitcode",
        "Get-Date\nexit 1",
        "\nexit $LASTEXITCODE",
        &format!("Get-Date\n{WINRB_TAIL}"),
    ] {
        let (request, form) = script_of(one(vec![script(other, vec![])]));
        assert_eq!((request.text.as_str(), form.exit), (other, ExitTail::None), "{other:?}");
    }
}

#[test]
fn the_end_is_put_back_where_a_policy_may_have_pinned_it() {
    let (request, form) = script_of(one(vec![script("Get-Date\nexit $LASTEXITCODE", vec![])]));
    let (whole, without) = form.whole(&Action::Script(request)).unwrap();
    assert_eq!(whole, Action::Script(ScriptRequest::new("Get-Date\nexit $LASTEXITCODE")));
    assert_eq!(without.exit, ExitTail::None);
    let (request, form) = script_of(one(vec![script("Get-Date", vec![])]));
    assert_eq!(form.whole(&Action::Script(request)), None);
}

#[test]
fn out_default_is_taken_off_where_a_client_put_it() {
    let (request, form) = commands_of(one(vec![cmd("Get-Date", vec![]), out_default()]));
    assert_eq!((request.commands, form.shown), (vec![Command::new("Get-Date", vec![])], Shown::Host));
    let (request, form) = script_of(one(vec![script("1 + 1", vec![]), out_default()]));
    assert_eq!((request, form.shown), (ScriptRequest::new("1 + 1"), Shown::Host));
    let batch = vec![vec![cmd("A-B", vec![]), out_default()], vec![cmd("C-D", vec![]), out_default()]];
    let (request, form) = commands_of(asked(batch));
    assert_eq!(request.extra_commands.unwrap().concat().len(), 2);
    assert_eq!(form.shown, Shown::Host);
    // One that was typed is judged.
    let typed = vec![cmd("Get-Date", vec![]), cmd("Out-Default", vec![]), out_default()];
    assert_eq!(commands_of(one(typed)).0.commands.len(), 2);
    let plain = commands_of(one(vec![cmd("Get-Date", vec![]), cmd("Out-Default", vec![])]));
    assert_eq!((plain.0.commands.len(), plain.1.shown), (2, Shown::Objects));
    // With arguments, in the middle, in one statement of two, or alone.
    let given = Wire { arguments: vec![arg(Some("Transcript"), Value::Nil)], ..out_default() };
    assert_eq!(why(one(vec![cmd("Get-Date", vec![]), given])), Why::Merge);
    assert_eq!(why(one(vec![out_default(), cmd("Get-Date", vec![])])), Why::Merge);
    assert_eq!(why(one(vec![out_default()])), Why::Merge);
    let some = vec![vec![cmd("A-B", vec![]), out_default()], vec![cmd("C-D", vec![])]];
    assert_eq!(why(asked(some)), Why::MixedOutput);
    let as_script = Wire { kind: psrp::CommandKind::Script, ..out_default() };
    assert_eq!(why(one(vec![cmd("Get-Date", vec![]), as_script])), Why::Merge);
}

#[test]
fn redirections_into_the_output_stay_with_their_commands_and_others_are_refused() {
    let merged = |merge: Merge| Wire { merge, ..cmd("Get-Date", vec![]) };
    let error = Merge { error: MergeTarget::Output, ..Merge::default() };
    let (_, form) = commands_of(one(vec![merged(error), cmd("B-C", vec![])]));
    assert_eq!(form.merges, [[error, Merge::default()]]);
    assert!(commands_of(one(vec![cmd("B-C", vec![])])).1.merges.is_empty());
    for lost in [
        Merge { warning: MergeTarget::Null, ..Merge::default() },
        Merge { error: MergeTarget::Null, ..Merge::default() },
        Merge { information: MergeTarget::Null, ..error },
        Merge { previous: true, ..Merge::default() },
    ] {
        assert_eq!(why(one(vec![merged(lost), cmd("B-C", vec![])])), Why::Merge);
    }
    let text = Wire { merge: error, ..script("Get-Date", vec![]) };
    assert_eq!(why(one(vec![text])), Why::Merge);
}

#[test]
fn envelopes_that_nothing_can_allow_are_refused() {
    let nested = CreatePipeline { is_nested: true, ..CreatePipeline::of_statements(vec![vec![cmd("A-B", vec![])]]) };
    assert_eq!(why(read(&nested, Presence::Absent, &no_key, &mut Secrets::new())), Why::Nested);
    let session = |command: Wire| Wire { scope: Scope::Session, ..command };
    assert_eq!(why(one(vec![session(cmd("A-B", vec![]))])), Why::Scope);
    assert_eq!(why(one(vec![session(script("Get-Date", vec![]))])), Why::Scope);
    assert_eq!(why(asked(vec![vec![cmd("A-B", vec![])], vec![session(cmd("A-B", vec![]))]])), Why::Scope);
    commands_of(one(vec![Wire { scope: Scope::Local, ..cmd("A-B", vec![]) }]));
    for name in ["__Set-PSDebugMode", "__x", "__"] {
        assert_eq!(why(one(vec![cmd("A-B", vec![]), cmd(name, vec![])])), Why::Debugger);
    }
    commands_of(one(vec![cmd("_x", vec![])]));
    let mut other = CreatePipeline::of_statements(vec![vec![cmd("A-B", vec![])], vec![cmd("C-D", vec![])]]);
    other.commands = vec![cmd("A-C", vec![])];
    assert_eq!(why(read(&other, Presence::Absent, &no_key, &mut Secrets::new())), Why::Batch);
    other.statements = Some(vec![]);
    assert_eq!(why(read(&other, Presence::Absent, &no_key, &mut Secrets::new())), Why::Batch);
}

#[test]
fn a_statement_behind_the_first_is_read_too() {
    let statements = vec![vec![cmd("A-B", vec![])], vec![cmd("C-D", vec![arg(None, text("x"))]), script("x", vec![])]];
    let (request, _) = commands_of(asked(statements));
    let extra = request.extra_commands.unwrap();
    assert_eq!(extra.first(), Some(&request.commands));
    assert_eq!(extra[1][1].kind, CommandKind::Script, "for the policy to refuse");
}

#[test]
fn scripts_of_stock_clients_are_judged_and_their_denial_says_what_works() {
    let bootstrap = "if ($PSVersionTable.PSVersion -lt [Version]\"5.1\") {\n    '{\"failed\":true,\"msg\":\"Ansible requires \
                     PowerShell v5.1\"}'\n    exit 1\n}\n$code = ConvertFrom-Json -InputObject $codeJson\n";
    for (text, known) in [
        (bootstrap, Known::AnsibleModule),
        ("&chcp.com 65001 > $null\n$exec_wrapper_str = $input | Out-String\n", Known::AnsibleModule),
        (
            "begin {\n$fd = [System.IO.File]::Create($path)\n}\nprocess {\n[Convert]::FromBase64String($x) }",
            Known::FileCopy,
        ),
        (
            "# x\n$a = $p.GetUnresolvedProviderPathFromPSPath($r)\n$f = $s.OpenRead()\n[C]::ToBase64String($b)",
            Known::FileCopy,
        ),
        ("function PSCopyToSessionHelper { param($x) }", Known::CopyItem),
    ] {
        let (request, form) = script_of(one(vec![script(text, vec![])]));
        assert_eq!((request.text.as_str(), form.known), (text, Some(known)));
    }
    let helper = commands_of(one(vec![cmd("PSCopyFromSessionHelper", vec![])])).1;
    assert_eq!(helper.known, Some(Known::CopyItem));
    assert_eq!(script_of(one(vec![script("Get-Date", vec![])])).1.known, None);
}

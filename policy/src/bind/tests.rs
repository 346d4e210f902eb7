use super::*;
use crate::catalog::{Membership, Unnamed};

fn value(name: &str, aliases: &[&str], type_name: &str) -> ParameterInfo {
    let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    ParameterInfo { aliases, ..ParameterInfo::new(name, ParameterKind::Value(type_name.to_owned())) }
}

fn switch(name: &str, sure: Uncertainty) -> ParameterInfo {
    ParameterInfo { kind: ParameterKind::Switch(sure), ..value(name, &[], "") }
}

/// The parameter at a position of some sets.
fn at(parameter: ParameterInfo, position: u32, sets: &[usize]) -> ParameterInfo {
    let place = |set| Membership { set, position: Some(position), mandatory: false };
    let membership = match sets {
        [] => vec![place(None)],
        sets => sets.iter().map(|set| place(Some(*set))).collect(),
    };
    ParameterInfo { membership, ..parameter }
}

fn within(parameter: ParameterInfo, sets: &[usize]) -> ParameterInfo {
    let place = |set: &usize| Membership { set: Some(*set), position: None, mandatory: false };
    ParameterInfo { membership: sets.iter().map(place).collect(), ..parameter }
}

fn command(parameters: Vec<ParameterInfo>) -> CommandInfo {
    CommandInfo { parameters, ..CommandInfo::new("Get-EventLog", "M") }
}

fn with_sets(sets: &[&str], default_set: Option<usize>, parameters: Vec<ParameterInfo>) -> CommandInfo {
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    CommandInfo { sets, default_set, ..command(parameters) }
}

/// `Get-EventLog` of the public policy corpus, with a switch.
fn log() -> CommandInfo {
    command(vec![
        at(value("LogName", &["LN"], "string"), 0, &[]),
        at(value("InstanceId", &[], "long[]"), 1, &[]),
        value("Newest", &[], "int"),
        value("EntryType", &[], "string[]"),
        value("ComputerName", &["Cn"], "string[]"),
        switch("AsString", Uncertainty::Sure),
    ])
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn named(name: &str, value: Value) -> Argument {
    Argument::named(name, value)
}

fn positional(value: Value) -> Argument {
    Argument::positional(value)
}

/// Names and values as bound.
fn pairs(info: &CommandInfo, arguments: &[Argument]) -> Vec<(String, Value)> {
    let bound = bind(info, arguments).unwrap_or_else(|refusal| panic!("{arguments:?}: {refusal}"));
    bound.into_iter().map(|one| (one.name.to_owned(), one.value.into_owned())).collect()
}

fn pair(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

/// The reason for which an entry is refused.
#[track_caller]
fn refused<'a>(info: &'a CommandInfo, arguments: &'a [Argument]) -> BindReason<'a> {
    bind(info, arguments).expect_err("refused").reason
}

#[test]
fn every_form_of_a_name_means_the_same() {
    let info = log();
    let expected = vec![pair("LogName", text("System"))];
    for name in [
        "LogName",
        "-LogName",
        "--LogName",
        "-LogName:",
        "-LogName: ",
        "-LogName ",
        "--LogName: ",
        "-lOGnAME",
        "LN",
        "-ln:",
    ] {
        assert_eq!(pairs(&info, &[named(name, text("System"))]), expected, "{name:?}");
    }
    for name in ["-LogName", "--LogName", "-LogName ", "-LN", "-Log"] {
        assert_eq!(pairs(&info, &[named(name, Value::Null), positional(text("System"))]), expected, "{name:?}");
    }
    assert_eq!(pairs(&info, &[positional(text("System"))]), expected);
}

#[test]
fn what_is_no_plain_name_is_refused() {
    let info = log();
    for name in [
        "",
        "-",
        "--",
        "-:",
        "--:",
        "- ",
        "-: ",
        ":",
        " ",
        "---LogName",
        "- LogName",
        " -LogName",
        "LogName ",
        "LogName:",
        "-LogName  ",
        "-LogName\t",
        "-LogName\n",
        "-LogName::",
        "-LogName :",
        "\u{2013}LogName",
        "\u{2014}LogName",
        "\u{2015}LogName",
        "-\u{2013}LogName",
        "-Log\u{ad}Name",
        "\u{200d}LogName",
        "-\u{200b}LogName",
        "\u{feff}LogName",
        "-LogName\0",
        "-LogNamé\u{301}",
        "-?",
        "?",
        "-*",
        "-Log*",
        "-Log.Name",
        "/LogName",
        "-LogName=",
        "-'LogName'",
        "-LogName\u{a0}",
        "-\u{3000}LogName",
        "\u{fffe}LogName",
        "-Log`Name",
        "-$x",
    ] {
        assert_eq!(refused(&info, &[named(name, text("System"))]), BindReason::NotAName, "{name:?}");
    }
    for name in ["-Ｌn", "-LogNamé", "-Neweſt", "-Logname\u{131}", "-受注", "-LogNameX", "-xLogName", "-0"] {
        assert_eq!(refused(&info, &[named(name, text("System"))]), BindReason::UnknownName, "{name:?}");
    }
}

#[test]
fn an_empty_name_is_never_bound_even_where_it_would_be_the_only_choice() {
    let info = CommandInfo { common: false, ..command(vec![value("Name", &[], "string")]) };
    for name in ["", "-", "--", "-:", "--: ", "- "] {
        assert_eq!(refused(&info, &[named(name, text("x"))]), BindReason::NotAName, "{name:?}");
    }
}

#[test]
fn abbreviations_need_one_meaning() {
    let info = log();
    for (typed, full) in [("L", "LogName"), ("-e", "EntryType"), ("-In", "InstanceId"), ("-C", "ComputerName")] {
        assert_eq!(pairs(&info, &[named(typed, text("x"))]), [pair(full, text("x"))], "{typed}");
    }
}

#[test]
fn abbreviations_of_two_are_refused_where_none_is_the_only_declared_one() {
    let info = log();
    assert_eq!(refused(&info, &[named("-Err", text("x"))]), BindReason::Ambiguous("ErrorAction", "ErrorVariable"));
    assert_eq!(pairs(&info, &[named("-ErrorA", text("x"))]), [pair("ErrorAction", text("x"))]);
    let parameters =
        vec![value("Name", &[], "string"), value("Namespace", &[], "string"), value("X", &["Nam2"], "int")];
    let three = command(parameters);
    assert_eq!(pairs(&three, &[named("-Name", text("x"))]), [pair("Name", text("x"))], "an exact name wins");
    assert_eq!(refused(&three, &[named("-Names2", text("x"))]), BindReason::UnknownName);
    assert_eq!(refused(&three, &[named("-Na", text("x"))]), BindReason::Ambiguous("Name", "X"));
    assert_eq!(pairs(&three, &[named("-Nam2", text("x"))]), [pair("X", text("x"))]);
    // An alias is exact too, before what it begins.
    let alias = command(vec![value("Ever", &[], "string"), value("Evx", &[], "string")]);
    assert_eq!(refused(&alias, &[named("-ev", text("x"))]), BindReason::Denied("ErrorVariable"));
    // A command whose own parameter is spelled like a common one has no clear reading.
    let clash = command(vec![value("Out", &["ob"], "string")]);
    assert_eq!(refused(&clash, &[named("-ob", text("x"))]), BindReason::Ambiguous("Out", "OutBuffer"));
}

#[test]
fn a_parameter_is_given_once_however_it_is_spelled() {
    let info = log();
    for second in ["-LN", "LogName", "-logname:", "-L", "--LogName"] {
        let arguments = [named("-LogName", text("System")), named(second, text("System"))];
        assert_eq!(refused(&info, &arguments), BindReason::Duplicate("LogName"), "{second}");
        assert_eq!(bind(&info, &arguments).unwrap_err().at, 1);
    }
    let arguments = [named("-ea", text("Stop")), named("-ErrorAction", text("Stop"))];
    assert_eq!(refused(&info, &arguments), BindReason::Duplicate("ErrorAction"));
    let arguments = [named("-AsString", Value::Null), named("-As:", Value::Bool(false))];
    assert_eq!(refused(&info, &arguments), BindReason::Duplicate("AsString"));
    // A name moves the positions on, as it does on the target.
    let arguments = [positional(Value::int(7)), named("-LogName", text("System"))];
    assert_eq!(pairs(&info, &arguments), [pair("InstanceId", Value::int(7)), pair("LogName", text("System"))]);
}

#[test]
fn a_switch_takes_true_false_or_nothing() {
    let info = log();
    for name in ["-AsString", "AsString", "-AsString:", "-As"] {
        assert_eq!(pairs(&info, &[named(name, Value::Null)]), [pair("AsString", Value::Bool(true))], "{name}");
        for value in [true, false] {
            let value = Value::Bool(value);
            assert_eq!(pairs(&info, &[named(name, value.clone())]), [pair("AsString", value)], "{name}");
        }
        for wrong in [text("true"), text(""), Value::int(1), Value::int(0), Value::List(vec![Value::Bool(true)])] {
            assert_eq!(refused(&info, &[named(name, wrong)]), BindReason::SwitchValue("AsString"), "{name}");
        }
        let arguments = [named(name, Value::Null), positional(text("System"))];
        let expected = [pair("AsString", Value::Bool(true)), pair("LogName", text("System"))];
        assert_eq!(pairs(&info, &arguments), expected, "{name}");
    }
    assert_eq!(pairs(&info, &[named("-vb", Value::Null)]), [pair("Verbose", Value::Bool(true))]);
    assert_eq!(refused(&info, &[named("-Verbose", text("x"))]), BindReason::SwitchValue("Verbose"));
}

#[test]
fn a_doubtful_switch_needs_a_value_of_its_own() {
    let info = command(vec![switch("Force", Uncertainty::Doubtful), at(value("Name", &[], "string"), 0, &[])]);
    for name in ["-Force", "Force", "-Force:"] {
        assert_eq!(refused(&info, &[named(name, Value::Null)]), BindReason::DoubtfulSwitch("Force"));
        let split = [named(name, Value::Null), positional(text("x"))];
        assert_eq!(refused(&info, &split), BindReason::DoubtfulSwitch("Force"), "{name}");
        assert_eq!(pairs(&info, &[named(name, Value::Bool(true))]), [pair("Force", Value::Bool(true))]);
    }
}

#[test]
fn a_value_is_its_own_or_the_next_entry_without_a_name() {
    let info = log();
    let null = Value::Null;
    // Whatever is next is the value, a dash at its beginning or not, and null too.
    for value in [text("-Newest"), text("--%"), text("-?"), null.clone(), Value::int(5), Value::List(vec![])] {
        let split = [named("-EntryType", null.clone()), positional(value.clone())];
        assert_eq!(pairs(&info, &split), [pair("EntryType", value)]);
    }
    for arguments in [
        vec![named("-EntryType", null.clone())],
        vec![named("EntryType", null.clone())],
        vec![named("-EntryType", null.clone()), named("-AsString", null.clone())],
        vec![named("-EntryType", null.clone()), named("-Newest", Value::int(5)), positional(text("x"))],
        vec![named("EntryType", null.clone()), named("-Newest", Value::int(5))],
    ] {
        assert_eq!(refused(&info, &arguments), BindReason::MissingValue("EntryType"), "{arguments:?}");
    }
    assert_eq!(
        refused(&info, &[named("EntryType", null.clone()), positional(text("x"))]),
        BindReason::TwoReadings("EntryType")
    );
    let colon = [named("-EntryType:", null.clone()), positional(text("System"))];
    assert_eq!(pairs(&info, &colon), [pair("EntryType", null), pair("LogName", text("System"))]);
    let own = [named("-EntryType", text("Error")), positional(text("System"))];
    assert_eq!(pairs(&info, &own), [pair("EntryType", text("Error")), pair("LogName", text("System"))]);
    let chain = [named("-EntryType", Value::Null), positional(text("-LogName")), positional(text("System"))];
    assert_eq!(pairs(&info, &chain), [pair("EntryType", text("-LogName")), pair("LogName", text("System"))]);
}

#[test]
fn common_parameters_depend_on_the_command() {
    let info = log();
    for (name, full) in [
        ("-ErrorAction", "ErrorAction"),
        ("ea", "ErrorAction"),
        ("-wa", "WarningAction"),
        ("-infa", "InformationAction"),
        ("-proga", "ProgressAction"),
        ("-ob", "OutBuffer"),
        ("-OutB", "OutBuffer"),
    ] {
        let arguments = [named(name, text("Stop"))];
        assert_eq!(pairs(&info, &arguments), [pair(full, text("Stop"))]);
        assert_eq!(bind(&info, &arguments).unwrap()[0].grant, Grant::Always);
        let bare = CommandInfo { common: false, ..log() };
        assert_eq!(refused(&bare, &arguments), BindReason::UnknownName);
    }
    assert_eq!(refused(&info, &[named("-WhatIf", Value::Null)]), BindReason::UnknownName);
    assert_eq!(refused(&info, &[named("-usetx", Value::Null)]), BindReason::UnknownName);
    let careful = CommandInfo { should_process: true, transactions: true, ..log() };
    assert_eq!(pairs(&careful, &[named("-wi", Value::Null)]), [pair("WhatIf", Value::Bool(true))]);
    assert_eq!(pairs(&careful, &[named("-cf:", Value::Bool(false))]), [pair("Confirm", Value::Bool(false))]);
    assert_eq!(refused(&careful, &[named("-usetx", Value::Null)]), BindReason::Denied("UseTransaction"));
    let own = command(vec![value("Computer", &[], "string")]);
    let own = CommandInfo { should_process: true, ..own };
    assert_eq!(pairs(&own, &[named("-C", text("x"))])[0].0, "Computer", "the declared one wins over -Confirm");
}

#[test]
fn parameters_that_write_variables_are_never_bound() {
    let info = log();
    for (name, full) in [
        ("-ErrorVariable", "ErrorVariable"),
        ("ev", "ErrorVariable"),
        ("-wv:", "WarningVariable"),
        ("-iv", "InformationVariable"),
        ("-OutVariable", "OutVariable"),
        ("-ov", "OutVariable"),
        ("-OutV", "OutVariable"),
        ("-pv", "PipelineVariable"),
        ("-Pi", "PipelineVariable"),
    ] {
        assert_eq!(refused(&info, &[named(name, text("x"))]), BindReason::Denied(full), "{name}");
        assert_eq!(refused(&info, &[named(name, Value::Null)]), BindReason::Denied(full), "{name}");
    }
}

#[test]
fn positions_go_in_order_and_no_further() {
    let info = log();
    let arguments = [positional(text("System")), named("-AsString", Value::Null), positional(Value::int(7))];
    let expected =
        [pair("LogName", text("System")), pair("AsString", Value::Bool(true)), pair("InstanceId", Value::int(7))];
    assert_eq!(pairs(&info, &arguments), expected);
    let surplus = [positional(text("a")), positional(text("1")), positional(text("c"))];
    assert_eq!(bind(&info, &surplus).unwrap_err(), BindRefusal { reason: BindReason::Surplus, at: 2 });
    assert_eq!(refused(&command(vec![]), &[positional(text("a"))]), BindReason::Surplus);
    let untold = CommandInfo { unnamed: Unnamed::Refuse, ..log() };
    assert_eq!(refused(&untold, &[positional(text("a"))]), BindReason::Unnamed);
    assert_eq!(pairs(&untold, &[named("-LN", Value::Null), positional(text("a"))]).len(), 1);
    // Ranks need not be dense.
    let sparse = command(vec![at(value("B", &[], "int"), 100, &[]), at(value("A", &[], "int"), 2, &[])]);
    let both = [positional(text("1")), positional(text("2"))];
    assert_eq!(pairs(&sparse, &both), [pair("A", text("1")), pair("B", text("2"))]);
}

#[test]
fn a_value_without_a_name_lands_on_no_switch_and_on_nothing_that_may_be_missing() {
    let info = command(vec![at(switch("Force", Uncertainty::Sure), 0, &[])]);
    assert_eq!(refused(&info, &[positional(Value::Bool(true))]), BindReason::NotByPosition("Force"));
    let dynamic = ParameterInfo { dynamic: vec!["FileSystem".to_owned()], ..value("Attributes", &[], "string") };
    let info = command(vec![at(dynamic, 0, &[])]);
    assert_eq!(refused(&info, &[positional(text("x"))]), BindReason::NotByPosition("Attributes"));
    assert_eq!(pairs(&info, &[named("-Attr", text("x"))]), [pair("Attributes", text("x"))]);
}

/// `Restart-Service`: the default set takes objects, another one names.
fn restart(default_set: Option<usize>) -> CommandInfo {
    with_sets(
        &["InputObject", "Default", "DisplayName"],
        default_set,
        vec![
            at(value("InputObject", &[], "System.ServiceProcess.ServiceController[]"), 0, &[0]),
            at(value("Name", &["ServiceName"], "System.String[]"), 0, &[1]),
            within(value("DisplayName", &[], "System.String[]"), &[2]),
            switch("Force", Uncertainty::Sure),
        ],
    )
}

/// `Stop-Process`: the default set takes numbers.
fn stop() -> CommandInfo {
    with_sets(
        &["Id", "Name", "InputObject"],
        Some(0),
        vec![
            at(value("Id", &[], "System.Int32[]"), 0, &[0]),
            within(value("Name", &[], "System.String[]"), &[1]),
            at(value("InputObject", &[], "System.Diagnostics.Process[]"), 0, &[2]),
        ],
    )
}

#[test]
fn sets_compete_by_type_first_and_the_default_set_wins_ties() {
    let info = restart(Some(0));
    assert_eq!(pairs(&info, &[positional(text("x"))]), [pair("Name", text("x"))]);
    let list = Value::List(vec![text("x"), text("y")]);
    assert_eq!(pairs(&info, &[positional(list.clone())]), [pair("Name", list)]);
    for unsure in [Value::Null, Value::List(vec![]), Value::List(vec![text("x"), Value::int(1)]), Value::int(1)] {
        let arguments = [positional(unsure)];
        assert_eq!(refused(&info, &arguments), BindReason::Undecided("InputObject", "Name"), "{arguments:?}");
    }
    assert_eq!(pairs(&stop(), &[positional(Value::int(5))]), [pair("Id", Value::int(5))]);
    assert_eq!(pairs(&stop(), &[positional(text("5"))]), [pair("Id", text("5"))]);
    assert_eq!(refused(&stop(), &[positional(text("x"))]), BindReason::Undecided("Id", "InputObject"));
    let both = with_sets(
        &["A", "B"],
        Some(1),
        vec![at(value("First", &[], "string"), 0, &[0]), at(value("Second", &[], "string[]"), 0, &[1])],
    );
    assert_eq!(pairs(&both, &[positional(text("x"))]), [pair("Second", text("x"))]);
    let unsure = with_sets(
        &["A", "B"],
        Some(0),
        vec![at(value("First", &[], "PSObject"), 0, &[0]), at(value("Second", &[], "string"), 0, &[1])],
    );
    assert_eq!(refused(&unsure, &[positional(text("x"))]), BindReason::Undecided("First", "Second"));
    let three = with_sets(
        &["A", "B", "C"],
        Some(2),
        vec![
            at(value("First", &[], "string"), 0, &[0]),
            at(value("Second", &[], "string[]"), 0, &[1]),
            at(value("Third", &[], "int"), 0, &[2]),
        ],
    );
    assert_eq!(refused(&three, &[positional(text("x"))]), BindReason::Undecided("First", "Second"));
}

#[test]
fn an_unknown_default_set_decides_nothing() {
    let arguments = [positional(text("x"))];
    assert_eq!(refused(&restart(None), &arguments), BindReason::Undecided("InputObject", "Name"));
    // With one candidate there is nothing to decide.
    let one = with_sets(&["A", "B"], None, vec![at(value("Name", &[], "string"), 0, &[0, 1])]);
    assert_eq!(pairs(&one, &arguments), [pair("Name", text("x"))]);
}

#[test]
fn names_narrow_the_sets_down() {
    let parameters = vec![
        at(value("Name", &[], "string"), 0, &[0]),
        at(value("Id", &[], "string"), 0, &[1]),
        at(value("Text", &[], "string"), 1, &[0, 1]),
        within(value("OfName", &[], "string"), &[0]),
        within(value("OfId", &[], "string"), &[1]),
    ];
    let info = with_sets(&["Name", "Id"], Some(0), parameters);
    let x = || positional(text("x"));
    assert_eq!(pairs(&info, &[x()])[0].0, "Name");
    assert_eq!(pairs(&info, &[x(), named("-OfId", text("y"))])[0].0, "Id");
    assert_eq!(pairs(&info, &[x(), x(), named("-OfId", text("y"))])[1].0, "Text");
    assert_eq!(pairs(&info, &[named("-OfName", text("y")), x()])[1].0, "Name");
    let none_left = [named("-OfName", text("y")), named("-OfId", text("y")), x()];
    assert_eq!(refused(&info, &none_left), BindReason::Surplus);
    // By position too: after one of a set only the sets that have it are left.
    assert_eq!(refused(&info, &[x(), x(), x()]), BindReason::Surplus);
}

#[test]
fn positions_of_different_sets_are_not_compared() {
    let info = with_sets(
        &["A", "B"],
        Some(0),
        vec![at(value("First", &[], "string"), 0, &[0]), at(value("Second", &[], "int"), 1, &[1])],
    );
    assert_eq!(refused(&info, &[positional(text("x"))]), BindReason::Undecided("First", "Second"));
    // A set that has both shows which of the two comes first, whatever its type.
    let files = with_sets(
        &["Items", "LiteralItems"],
        Some(1),
        vec![
            at(value("Path", &[], "Uri"), 0, &[0]),
            at(value("Filter", &[], "string"), 1, &[]),
            within(value("LiteralPath", &[], "string"), &[1]),
        ],
    );
    let x = || positional(text("x"));
    assert_eq!(pairs(&files, &[x(), x()]), [pair("Path", text("x")), pair("Filter", text("x"))]);
    assert_eq!(pairs(&files, &[named("-LiteralPath", text("y")), x()])[1].0, "Filter");
    assert_eq!(refused(&files, &[x(), x(), x()]), BindReason::Surplus);
    let membership = vec![
        Membership { set: Some(0), position: Some(0), mandatory: false },
        Membership { set: Some(1), position: Some(1), mandatory: false },
    ];
    let only = ParameterInfo { membership, ..value("Only", &[], "string") };
    let same = with_sets(&["A", "B"], Some(0), vec![only]);
    assert_eq!(pairs(&same, &[positional(text("x"))])[0].0, "Only");
    let crowded = with_sets(
        &["A", "B"],
        Some(0),
        vec![at(value("First", &[], "string"), 0, &[0]), at(value("Second", &[], "int"), 0, &[0])],
    );
    assert_eq!(refused(&crowded, &[positional(text("x"))]), BindReason::Undecided("First", "Second"));
}

#[test]
fn what_is_left_over_goes_to_the_parameter_that_takes_it() {
    let rest = ParameterInfo { remaining: true, ..at(value("Rest", &["r"], "object[]"), 0, &[]) };
    let info = command(vec![rest.clone(), at(value("Name", &[], "string"), 1, &[])]);
    let [a, b, c] = ["a", "b", "c"].map(|one| positional(text(one)));
    assert_eq!(pairs(&info, std::slice::from_ref(&a)), [pair("Name", text("a"))]);
    assert_eq!(pairs(&info, &[a.clone(), b.clone()]), [pair("Name", text("a")), pair("Rest", text("b"))]);
    let list = Value::List(vec![text("b"), text("c")]);
    assert_eq!(pairs(&info, &[a.clone(), b.clone(), c]), [pair("Name", text("a")), pair("Rest", list)]);
    assert_eq!(refused(&info, &[named("-Rest", text("x")), a.clone(), b]), BindReason::Surplus);
    let two = command(vec![rest.clone(), ParameterInfo { name: "More".to_owned(), ..rest }]);
    assert_eq!(refused(&two, &[a]), BindReason::Undecided("Rest", "More"));
}

#[test]
fn many_arguments_and_names_are_answered_in_one_pass() {
    let rest = ParameterInfo { remaining: true, ..value("Rest", &[], "object[]") };
    let info = command(vec![rest]);
    let many: Vec<Argument> = (0..20_000).map(|n| positional(Value::int(n))).collect();
    assert_eq!(pairs(&info, &many).len(), 1);
    let names: Vec<Argument> = (0..20_000).map(|_| named(&"x".repeat(100), Value::Null)).collect();
    assert_eq!(refused(&info, &names), BindReason::UnknownName);
}

#[test]
fn words_of_refusals_hold_nothing_of_the_request() {
    let info = log();
    for arguments in [
        vec![named("-hunter2", text("hunter2"))],
        vec![named("-hunter2 ", text("hunter2"))],
        vec![named("-\u{ad}hunter2", text("hunter2"))],
        vec![named("-AsString", text("hunter2"))],
        vec![positional(text("hunter2")), positional(text("hunter2")), positional(text("hunter2"))],
        vec![named("LogName", Value::Null), positional(text("hunter2"))],
    ] {
        let refusal = bind(&info, &arguments).unwrap_err();
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"), "{refusal}");
    }
}

//! What the gateway takes every recorded pipeline for.

use crate::recorded::{Outcome, names, oracle, pipelines};
use sekisho_gateway::enforce::pipeline::{Asked, Local, Secrets, Shown, read};
use sekisho_policy::command::{Argument, Pipeline};
use sekisho_policy::value::{SecureKind, Value};
use sekisho_policy::{Action, Presence};
use sekisho_protocol::clixml::SecureText;
use sekisho_protocol::psrp::CreatePipeline;
use sekisho_protocol::secret::SecretText;

fn open(_: &SecureText) -> sekisho_protocol::Result<SecretText> {
    Ok(SecretText::new(String::from("opened")))
}

fn asked(request: &CreatePipeline) -> Asked {
    let input = if request.no_input { Presence::Absent } else { Presence::Present };
    read(request, input, &open, &mut Secrets::new())
}

/// One line for each pipeline.
fn told(request: &CreatePipeline) -> String {
    match asked(request) {
        Asked::Refused(unread) => format!("refused {:?}", unread.why),
        Asked::Local { local, form } => format!("local {}{}", local_word(&local), shown(form.shown)),
        Asked::Judge { action, form } => format!("{}{}", action_text(&action), shown(form.shown)),
    }
}

fn shown(shown: Shown) -> &'static str {
    match shown {
        Shown::Objects => "",
        Shown::Host => " => host",
        Shown::Text => " => text",
    }
}

fn local_word(local: &Local) -> String {
    match local {
        Local::Prompt => "prompt".to_owned(),
        Local::Nothing => "nothing".to_owned(),
        Local::Exit => "exit".to_owned(),
        Local::Commands(query) => format!("commands {:?}", query.names),
    }
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Program(_) => "program".to_owned(),
        Action::Commands(request) => {
            let statements =
                request.extra_commands.as_deref().unwrap_or_else(|| std::slice::from_ref(&request.commands));
            statements.iter().map(statement).collect::<Vec<_>>().join("; ")
        }
        Action::Script(request) => {
            let using = request.bindings.using.iter().map(|(name, value)| format!(" ${name}={}", value_text(value)));
            let given = request.bindings.arguments.iter().map(argument);
            let input = if request.input == Presence::Present { " <input" } else { "" };
            format!("script {:?}{}{}{input}", request.text.trim(), given.collect::<String>(), using.collect::<String>())
        }
    }
}

fn statement(pipeline: &Pipeline) -> String {
    let commands = pipeline.iter().map(|command| {
        let arguments: String = command.arguments.iter().map(argument).collect();
        format!("{}{arguments}", command.name)
    });
    commands.collect::<Vec<_>>().join(" | ")
}

fn argument(argument: &Argument) -> String {
    match &argument.name {
        None => format!(" {}", value_text(&argument.value)),
        Some(name) => format!(" [{name}]{}", value_text(&argument.value)),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("{}:{:?}", number.text, number.kind),
        Value::Text(text) if text.len() > 40 => format!("'{} characters'", text.len()),
        Value::Text(text) => format!("'{text}'"),
        Value::List(items) => format!("({})", items.iter().map(value_text).collect::<Vec<_>>().join(",")),
        Value::Secure(secure) => match &secure.kind {
            SecureKind::SecureString => "SECRET".to_owned(),
            SecureKind::Credential { user } => format!("CREDENTIAL of {user}"),
        },
        Value::Opaque(opaque) => format!("{opaque:?}"),
    }
}

/// What recordings hold beside the debugger's command, which comes before every `Invoke-Command` of them.
const DEBUGGER: &str = "refused Nested";

fn expect(name: &str, wanted: &[&str]) -> Outcome {
    let told: Vec<String> = pipelines(name)?.iter().map(told).filter(|line| line != DEBUGGER).collect();
    assert_eq!(told, wanted, "{name}");
    Ok(())
}

#[test]
fn structured_commands_are_judged_as_they_were_sent() -> Outcome {
    let wanted = [
        "Get-Service 'Spooler'",
        "Restart-Service [-Name]null ('Spooler','W32Time') [-Force]null",
        "Restart-Service [-Name:]'Spooler' [-Confirm:]false",
        "Get-Service [-Name]null 'W*' | Select-Object [-Property]null ('ServiceName','Status') [-First]null 2:Int32",
        "Get-Service [-DisplayName]null '印刷サービス'",
        "Get-Service 'Spooler'",
        "Get-Service 'Spooler'; Get-Service 'W32Time'",
        "Get-Service 'Spooler'",
        "Get-Service [-Name]null 10:Int32 [-ErrorAction]null 'SilentlyContinue'",
    ];
    expect("02-invoke-structured", &wanted)?;
    expect("v23/02-invoke-structured", &wanted)
}

#[test]
fn scripts_come_with_their_values() -> Outcome {
    expect(
        "03-invoke-script",
        &[
            r#"script "param($a, $b) \"$a $b\"" 1:Int32 'x'"#,
            r#"script "param([string]$Name, [switch]$Force) \"$Name $Force\"" 'Spooler' true"#,
            "Get-Service [-Name]null 'Spooler'",
            r#"script "$using:n + 1; $using:list; ($using:map).k" $n=5:Int32 $list=('a','b') $map=Object"#,
            r#"script "if ($true) { 1..3 | ForEach-Object { $_ * 2 } }""#,
            "Get-Service | Where-Object 'Status' [-eq]null 'Running'",
            r#"script "$x = 1; $x""#,
            r##"script "param($n)\n# a script file, sent as text\n\"from a file: $n\"" 7:Int32"##,
        ],
    )
}

#[test]
fn values_that_policy_does_not_list_are_opaque() -> Outcome {
    let told: Vec<String> = pipelines("04-values")?.iter().map(told).filter(|line| line != DEBUGGER).collect();
    let [.., mixed, object] = told.as_slice() else { return Err("too few".into()) };
    let given = " 1:Int32 't' (1:Int32,'x') Object Object Object null true";
    assert!(mixed.ends_with(given), "{mixed}");
    assert!(object.ends_with("$o\" Object"), "{object}");
    Ok(())
}

#[test]
fn input_secrets_and_large_texts_are_seen() -> Outcome {
    expect(
        "07-input",
        &[
            r#"script "$input | ForEach-Object { $_ * 2 }" <input"#,
            r#"script "Get-Service -Name $input" <input"#,
            r#"script "$input | ForEach-Object ServiceName" <input"#,
        ],
    )?;
    for name in ["10-secure-strings", "v23/10-secure-strings"] {
        expect(
            name,
            &[
                r#"script "param($sec) $sec.Length" SECRET"#,
                r#"script "param($cred) $cred.UserName" CREDENTIAL of corp\svc"#,
                r#"script "($using:c).UserName" $c=CREDENTIAL of corp\svc"#,
                r#"script "$r = [securestring]::new(); 'CanaryBack!'.ToCharArray() | ForEach-Object { $r.AppendChar($_) }; $r""#,
            ],
        )?;
    }
    let large: Vec<String> = pipelines("11-large")?.iter().map(told).filter(|line| line != DEBUGGER).collect();
    assert!(large.iter().any(|line| line.contains("$t.Length\" '") && line.ends_with(" characters'")), "{large:?}");
    Ok(())
}

#[test]
fn typed_lines_are_judged_without_what_the_console_adds() -> Outcome {
    expect(
        "13-enter",
        &[
            "local prompt",
            "Get-Service 'Spooler' => host",
            "local prompt",
            r#"script "1 + 1" => host"#,
            "local prompt",
            "Restart-Service [-Name]null 'Spooler' => host",
            "local prompt",
            r#"script "Get-Service | Where-Object { $_.Status -eq 'Stopped' }" => host"#,
            "local prompt",
            r#"script "$x = 5; $x" => host"#,
            "local prompt",
            "local exit => host",
        ],
    )?;
    expect(
        "21-jea-enter",
        &[
            "local prompt",
            "Get-Service 'Spooler' => host",
            "local prompt",
            "Restart-Service [-Name]null 'Spooler' => host",
            "local prompt",
            "Restart-Service 'WinRM' => host",
            "local prompt",
            "local commands [] => host",
            "local prompt",
            r#"script "1 + 1" => host"#,
            "local prompt",
            "local exit => host",
        ],
    )
}

#[test]
fn what_is_sent_to_a_jea_endpoint_is_read() -> Outcome {
    expect(
        "20-jea",
        &[
            "local commands []",
            r#"local commands ["Restart-Service"]"#,
            "Get-Service 'Spooler'",
            "Restart-Service [-Name]null 'Spooler' [-Force]null",
            "Restart-Service 'Spooler'",
            "Restart-Service [-Name]null 'WinRM'",
            "Restart-Service [-Name]null 'Spooler' [-PassThru]null",
            "Get-Process",
            r"Microsoft.PowerShell.Management\Restart-Service [-Name]null 'WinRM'",
            r#"script "1 + 1""#,
            "Get-Service 'Spooler'",
            "Get-Service 'Spooler' | Select-Object [-Property]null 'Name'",
            "Get-Service 'Spooler'; Restart-Service 'Spooler'",
            "local nothing",
            "Get-Service 'Spooler' [-OutVariable]null 'x'",
            "local exit",
        ],
    )
}

#[test]
fn a_second_hop_comes_as_text_with_its_credential() -> Outcome {
    let told: Vec<String> = pipelines("30-hop")?.iter().map(told).filter(|line| line != DEBUGGER).collect();
    let using = told.iter().find(|line| line.contains("$using:TargetServer")).ok_or("none")?;
    assert!(using.ends_with(r"$targetserver='web01' $credential=CREDENTIAL of corp\sato"), "{using}");
    let given = told.iter().find(|line| line.contains("param($t, $c)")).ok_or("none")?;
    assert!(given.ends_with(r" ('web01','db01') CREDENTIAL of corp\sato"), "{given}");
    Ok(())
}

#[test]
fn every_pipeline_that_is_known_is_read_and_nothing_of_its_secrets_is_shown() -> Outcome {
    let mut count = 0;
    for name in names()? {
        for request in pipelines(&name)? {
            let shown = format!("{:?}", asked(&request));
            assert!(!shown.contains("Canary") && !shown.contains("opened"), "{name}");
            count += 1;
        }
    }
    assert!(count > 190, "{count}");
    let oracle = oracle()?;
    assert!(oracle.len() > 400, "{}", oracle.len());
    for request in &oracle {
        let _told = told(request);
    }
    Ok(())
}

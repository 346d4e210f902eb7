//! Rule R12 as a table: what is read, how, and what is refused with which reason.

use sekisho_policy::command_line::Construct::{
    self, BackslashBeforeQuote, ControlCharacter, Empty, LookalikeQuote, Metacharacter, QuoteInsidePiece, TooLong,
    UnbalancedQuote,
};
use sekisho_policy::{Decision, DenyReason, Policy};

use crate::support::{argv, decide, policy_of, reason};

/// One program of each kind of argument rule, and one whose arguments are free, so that only the reader refuses.
const RULES: &str = r#"
[[roles.ops.programs]]
name = "hostname"
path = 'C:\Windows\System32\hostname.exe'

[[roles.ops.programs]]
name = "free"
path = 'C:\Tools\free.exe'
arguments = { any = true }

[[roles.ops.programs]]
name = "spaced"
path = 'C:\Program Files (x86)\Kiosk\kiosk.exe'
arguments = { each = ['[-a-z0-9 ]+'], max = 2 }

[[roles.ops.programs]]
name = "code page"
path = 'C:\Windows\System32\chcp.com'
"#;

const HOSTNAME: &str = r"C:\Windows\System32\hostname.exe";
const FREE: &str = r"C:\Tools\free.exe";
const KIOSK: &str = r"C:\Program Files (x86)\Kiosk\kiosk.exe";

fn policy() -> Policy {
    policy_of(RULES)
}

#[test]
fn what_is_allowed_is_read_in_the_one_way_there_is() {
    let policy = policy();
    let table: &[(&str, &[&str])] = &[
        ("hostname", &[HOSTNAME]),
        ("HOSTNAME", &[HOSTNAME]),
        ("hostname.exe", &[HOSTNAME]),
        ("HostName.EXE", &[HOSTNAME]),
        ("  hostname\t", &[HOSTNAME]),
        ("\"hostname\"", &[HOSTNAME]),
        ("\"hostname.exe\"", &[HOSTNAME]),
        (HOSTNAME, &[HOSTNAME]),
        (r"c:\windows\SYSTEM32\Hostname.Exe", &[HOSTNAME]),
        ("\"C:\\Windows\\System32\\hostname.exe\"", &[HOSTNAME]),
        ("chcp.com", &[r"C:\Windows\System32\chcp.com"]),
        ("free", &[FREE]),
        ("free a b", &[FREE, "a", "b"]),
        ("free a\t \t b", &[FREE, "a", "b"]),
        ("free \"a b\" c", &[FREE, "a b", "c"]),
        ("free \"\"", &[FREE, ""]),
        ("free \"\" \"\"", &[FREE, "", ""]),
        ("free \"a\tb\"", &[FREE, "a\tb"]),
        (r"free C:\temp\", &[FREE, r"C:\temp\"]),
        (r"free \\srv\share\x", &[FREE, r"\\srv\share\x"]),
        (r#"free "C:\a b\c""#, &[FREE, r"C:\a b\c"]),
        ("free /p:a=b,c", &[FREE, "/p:a=b,c"]),
        ("free 'a b'", &[FREE, "'a", "b'"]),
        ("free $HOME *.txt ~ {a} [b] #c", &[FREE, "$HOME", "*.txt", "~", "{a}", "[b]", "#c"]),
        ("free 受注システム", &[FREE, "受注システム"]),
        ("free ｆｕｌｌ", &[FREE, "ｆｕｌｌ"]),
        ("free a\u{a0}b", &[FREE, "a\u{a0}b"]),
        ("free a\u{3000}b", &[FREE, "a\u{3000}b"]),
        ("kiosk -start", &[KIOSK, "-start"]),
        ("kiosk \"two words\"", &[KIOSK, "two words"]),
    ];
    for (line, expected) in table {
        let decision = decide(&policy, line);
        assert_eq!(
            argv(&decision).as_deref(),
            Some(&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
            "{line:?}: {decision:?}"
        );
    }
}

#[test]
fn what_could_be_read_twice_is_refused_where_it_stands() {
    let policy = policy();
    let table: &[(&str, Construct, usize)] = &[
        ("hostname & whoami", Metacharacter('&'), 9),
        ("hostname&whoami", Metacharacter('&'), 8),
        ("hostname && whoami", Metacharacter('&'), 9),
        ("hostname | more", Metacharacter('|'), 9),
        ("hostname || whoami", Metacharacter('|'), 9),
        ("hostname > C:\\x", Metacharacter('>'), 9),
        ("hostname 2>&1", Metacharacter('>'), 10),
        ("free < C:\\x", Metacharacter('<'), 5),
        ("free %PATH%", Metacharacter('%'), 5),
        ("free \"%PATH%\"", Metacharacter('%'), 6),
        ("free %PATHEXT:~0,1%", Metacharacter('%'), 5),
        ("free 100%", Metacharacter('%'), 8),
        ("free !PATH!", Metacharacter('!'), 5),
        ("free ^& whoami", Metacharacter('^'), 5),
        ("host^name", Metacharacter('^'), 4),
        ("(hostname)", Metacharacter('('), 0),
        ("free \"(x)\"", Metacharacter('('), 6),
        ("free )", Metacharacter(')'), 5),
        ("@hostname", Metacharacter('@'), 0),
        ("free a;b", Metacharacter(';'), 6),
        ("hostname;whoami", Metacharacter(';'), 8),
        ("free `whoami`", Metacharacter('`'), 5),
        ("free \"a\" & whoami", Metacharacter('&'), 9),
        ("free \"a & b\"", Metacharacter('&'), 8),
        ("free \"a\\\" & whoami", Metacharacter('&'), 10),
        ("hostname\0", ControlCharacter, 8),
        ("free a\0b", ControlCharacter, 6),
        ("hostname\nwhoami", ControlCharacter, 8),
        ("hostname\r\nwhoami", ControlCharacter, 8),
        ("free \"a\nb\"", ControlCharacter, 7),
        ("free a\u{b}b", ControlCharacter, 6),
        ("free a\u{c}b", ControlCharacter, 6),
        ("free a\u{1b}[2J", ControlCharacter, 6),
        ("free a\u{7f}", ControlCharacter, 6),
        ("free a\u{85}b", ControlCharacter, 6),
        ("free \u{1a}", ControlCharacter, 5),
        ("free \"a", UnbalancedQuote, 5),
        ("free \"a\" \"b", UnbalancedQuote, 9),
        ("\"hostname", UnbalancedQuote, 0),
        ("free \"", UnbalancedQuote, 5),
        ("free a\"", QuoteInsidePiece, 6),
        ("free a\"b c\"", QuoteInsidePiece, 6),
        ("free \"a\"b", QuoteInsidePiece, 7),
        ("free \"a\"\"b\"", QuoteInsidePiece, 7),
        ("free \"\"\"\"", QuoteInsidePiece, 6),
        ("host\"name\"", QuoteInsidePiece, 4),
        ("\"hostname\".exe", QuoteInsidePiece, 9),
        ("free /p:\"a b\"", QuoteInsidePiece, 8),
        ("free \"C:\\a b\\\"", BackslashBeforeQuote, 12),
        ("free \"a\\\\\" b", BackslashBeforeQuote, 8),
        ("free \"a\\\" b\"", BackslashBeforeQuote, 7),
        ("free \u{ff02}a b\u{ff02}", LookalikeQuote, 5),
        ("free \u{201c}a\u{201d}", LookalikeQuote, 5),
        ("\u{201c}hostname\u{201d}", LookalikeQuote, 0),
        ("", Empty, 0),
        (" \t ", Empty, 0),
    ];
    for (line, construct, place) in table {
        let decision = decide(&policy, line);
        let denied = decision.denied().unwrap_or_else(|| panic!("{line:?} was allowed"));
        assert_eq!((denied.reason, denied.place), (DenyReason::Unreadable(*construct), Some(*place)), "{line:?}");
        assert!(!denied.message.contains("whoami") && !denied.message.contains("PATH"), "{line:?}: {}", denied.message);
    }
    let long = format!("free {}", "a".repeat(9000));
    assert_eq!(reason(&decide(&policy, &long)), Some(DenyReason::Unreadable(TooLong)));
}

#[test]
fn no_other_spelling_names_a_program() {
    let policy = policy();
    for line in [
        "whoami",
        "hostname.",
        "hostname.exe.",
        "hostname..exe",
        "\"hostname \"",
        "\"hostname.exe \"",
        "\" hostname\"",
        "\"\"",
        "\"\" hostname",
        "hostname.com",
        "hostname.bat",
        "hostname.exe.exe",
        "hostname.exe:ads",
        "hostname.exe::$DATA",
        "hostname/",
        "hostname/all",
        "hostname,",
        "hostname=",
        "hostname\\",
        "hostna~1.exe",
        "HOSTNA~1",
        "hostname*",
        "host?ame",
        r".\hostname",
        r"..\hostname.exe",
        r"\hostname.exe",
        r"\Windows\System32\hostname.exe",
        r"C:hostname.exe",
        r"C:\Temp\hostname.exe",
        r"C:\Windows\hostname.exe",
        r"C:\Windows\System32\hostname",
        r"C:\Windows\System32\..\System32\hostname.exe",
        r"C:\Windows\.\System32\hostname.exe",
        r"C:\Windows\\System32\hostname.exe",
        r"C:\Windows\System32\hostname.exe\",
        r"C:\Windows\System32\hostname.exe.",
        r"C:/Windows/System32/hostname.exe",
        r"D:\Windows\System32\hostname.exe",
        r"\\?\C:\Windows\System32\hostname.exe",
        r"\\.\C:\Windows\System32\hostname.exe",
        r"\\localhost\c$\Windows\System32\hostname.exe",
        r"C:\WINDOW~1\System32\hostname.exe",
        r"C:\Windows\SysNative\hostname.exe",
        "ho\u{17f}tname",
        "ho\u{17f}tname.exe",
        "\u{212a}iosk -start",
        "\u{ff48}\u{ff4f}\u{ff53}\u{ff54}name",
        "hostname\u{ff0e}exe",
        "host\u{200b}name",
        "hostname\u{200b}",
        "hostname\u{a0}",
        "hostname\u{3000}",
        "\u{feff}hostname",
        "h\u{3bf}stname",
        "hostname\u{301}",
        "chcp",
        "chcp.exe",
        "chcp.com.exe",
        "cmd /c hostname",
        "powershell -EncodedCommand aABvAHMAdABuAGEAbQBlAA==",
        "call hostname",
        "start hostname",
        "echo",
        "'hostname'",
    ] {
        let decision = decide(&policy, line);
        assert_eq!(reason(&decision), Some(DenyReason::Program), "{line:?}: {decision:?}");
    }
}

#[test]
fn arguments_are_never_taken_for_others() {
    let policy = policy();
    for line in [
        "hostname x",
        "hostname \"\"",
        "hostname /?",
        "hostname -s",
        "kiosk a b c",
        "kiosk -START_",
        "kiosk \u{17f}top",
        "kiosk brea\u{212a}",
        "kiosk a,b",
        "kiosk \"\"",
        "kiosk \"tab\there\"",
        "kiosk a\u{a0}b",
    ] {
        let decision = decide(&policy, line);
        assert_eq!(reason(&decision), Some(DenyReason::Arguments), "{line:?}: {decision:?}");
    }
}

#[test]
fn what_no_line_can_carry_is_denied() {
    // A wide blank makes quotes necessary, and the backslash then stands before the closing one.
    let decision = decide(&policy(), "free a\u{3000}\\");
    assert_eq!(reason(&decision), Some(DenyReason::NotRenderable), "{decision:?}");
}

#[test]
fn the_rendered_line_quotes_what_needs_it() {
    let policy = policy();
    let line = |text: &str| match decide(&policy, text) {
        Decision::Allow(allowed) => allowed.program().unwrap().command_line().to_owned(),
        Decision::Deny(denied) => panic!("{denied:?}"),
    };
    assert_eq!(line("\"HOSTNAME\""), HOSTNAME);
    assert_eq!(line("free \"a\"  \"b c\" \"\""), r#"C:\Tools\free.exe a "b c" """#);
    assert_eq!(line("kiosk -start \"a b\""), r#"@"C:\Program Files (x86)\Kiosk\kiosk.exe" -start "a b""#);
}

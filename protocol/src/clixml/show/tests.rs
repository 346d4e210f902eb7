use zeroize::Zeroizing;

use super::{ShowLimits, columns, harmless, inline, lines};
use crate::clixml::{SecureText, Value, decode};
use crate::limits::{SHOW_CELL, SHOW_COLUMNS};

fn read(text: &str) -> Value {
    decode(text.as_bytes()).unwrap()
}

fn shown(text: &str) -> Vec<String> {
    lines(&read(text), ShowLimits::default())
}

#[test]
fn primitives_are_shown_by_their_invariant_text() {
    for (clixml, text) in [
        ("<S>text</S>", "text"),
        ("<C>960</C>", "π"),
        ("<C>55357</C>", "\\u{d83d}"),
        ("<S>a_xD83D_b</S>", "a\\u{d83d}b"),
        ("<B>true</B>", "True"),
        ("<I32>-5</I32>", "-5"),
        ("<U64>18446744073709551615</U64>", "18446744073709551615"),
        ("<Db>1.5E+300</Db>", "1.5E+300"),
        ("<Db>INF</Db>", "Infinity"),
        ("<Sg>-INF</Sg>", "-Infinity"),
        ("<D>-1.50</D>", "-1.50"),
        ("<DT>2026-08-20T12:00:00.1234567+09:00</DT>", "2026-08-20T12:00:00.1234567+09:00"),
        ("<TS>PT9.0269026S</TS>", "00:00:09.0269026"),
        ("<TS>P1DT2H3M4S</TS>", "1.02:03:04"),
        ("<TS>-PT90M</TS>", "-01:30:00"),
        ("<TS>P2D</TS>", "2.00:00:00"),
        ("<TS>PT0.5S</TS>", "00:00:00.5000000"),
        ("<BA>AQID</BA>", "{1, 2, 3}"),
        ("<G>11111111-2222-3333-4444-555555555555</G>", "11111111-2222-3333-4444-555555555555"),
        ("<URI>http://a/</URI>", "http://a/"),
        ("<Version>5.1.1</Version>", "5.1.1"),
        ("<SemanticVersion>7.6.0-rc.1</SemanticVersion>", "7.6.0-rc.1"),
        ("<XD>&lt;a/&gt;</XD>", "<a/>"),
        ("<SBK>Get-Date</SBK>", "Get-Date"),
    ] {
        assert_eq!(shown(clixml), [text], "{clixml}");
        assert_eq!(inline(&read(clixml), 100), text, "{clixml}");
        assert_eq!(columns(&read(clixml)), []);
    }
    assert_eq!(shown("<Nil/>"), [""; 0]);
    assert_eq!(shown("<S></S>"), [""], "an empty text is a line");
    assert_eq!(inline(&Value::Bytes(vec![7; 300]), 2000).matches('7').count(), 256);
}

#[test]
fn a_secure_string_is_never_shown() {
    let secure = Value::Secure(SecureText(Zeroizing::new("aHVudGVyMg==".to_owned())));
    assert_eq!(lines(&secure, ShowLimits::default()), ["System.Security.SecureString"]);
    let credential = "<Obj RefId=\"0\"><TN RefId=\"0\"><T>System.Management.Automation.PSCredential</T></TN>\
        <ToString>System.Management.Automation.PSCredential</ToString>\
        <Props><S N=\"UserName\">alice</S><SS N=\"Password\">aHVudGVyMg==</SS></Props></Obj>";
    assert_eq!(shown(credential), ["UserName : alice", "Password : System.Security.SecureString"]);
    assert_eq!(columns(&read(credential))[1].1, "System.Security.SecureString");
    let list = format!("<Obj RefId=\"1\"><LST><SS>aHVudGVyMg==</SS>{credential}</LST></Obj>");
    let all = format!("{:?} {}", shown(&list), inline(&read(&list), 500));
    assert!(!all.contains("aHVudGVyMg") && !all.contains("hunter2"), "{all}");
}

const SERVICE: &str = "<Obj RefId=\"0\"><TN RefId=\"0\"><T>System.ServiceProcess.ServiceController</T></TN>\
    <ToString>System.ServiceProcess.ServiceController</ToString>\
    <Props><S N=\"Name\">Spooler</S><B N=\"CanStop\">true</B>\
    <Obj N=\"Status\" RefId=\"1\"><TN RefId=\"1\"><T>System.ServiceProcess.ServiceControllerStatus</T><T>System.Enum</T>\
    </TN><ToString>Running</ToString><I32>4</I32></Obj>\
    <Obj N=\"Needs\" RefId=\"2\"><LST><S>RPCSS</S><S>http</S></LST></Obj><Nil N=\"Site\"/></Props>\
    <MS><S N=\"name\">spooler2</S><S N=\"PSComputerName\">web01</S><G N=\"RunspaceId\">11111111-2222-3333-4444-555555555555</G>\
    <B N=\"PSShowComputerName\">true</B><S N=\"Text\">one_x000A_two</S></MS></Obj>";

#[test]
fn objects_are_shown_by_their_members() {
    let expected = [
        "Name    : spooler2",
        "CanStop : True",
        "Status  : Running",
        "Needs   : {RPCSS, http}",
        "Site    : ",
        "Text    : one",
        "          two",
    ];
    assert_eq!(shown(SERVICE), expected);
    let cells = [("Name", "spooler2"), ("CanStop", "True"), ("Status", "Running"), ("Needs", "{RPCSS, http}")];
    let more = [("Site", ""), ("Text", "one␊two")];
    let all: Vec<_> = cells.iter().chain(&more).map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(columns(&read(SERVICE)), all);
    assert_eq!(inline(&read(SERVICE), 100), "System.ServiceProcess.ServiceController");

    let list = format!("<Obj RefId=\"7\"><LST><S>first</S>{SERVICE}<S>last</S><Nil/></LST></Obj>");
    let found = shown(&list);
    assert_eq!((found[0].as_str(), found[1].as_str(), found[9].as_str()), ("first", "", "last"), "{found:?}");
    assert_eq!(found.len(), 10);
}

#[test]
fn other_shapes() {
    for (clixml, text) in [
        ("<Obj RefId=\"0\"><S>plain</S><MS><S N=\"PSComputerName\">web01</S></MS></Obj>", "plain"),
        ("<Obj RefId=\"0\"><TN RefId=\"0\"><T>A.B</T></TN><ToString>its text</ToString></Obj>", "its text"),
        ("<Obj RefId=\"0\"><TN RefId=\"0\"><T>A.B</T></TN></Obj>", "A.B"),
        ("<Obj RefId=\"0\"><DCT><En><S N=\"Key\">a</S><I32 N=\"Value\">1</I32></En></DCT></Obj>", "a : 1"),
        ("<Obj RefId=\"0\"><Obj RefId=\"1\"><MS><S N=\"X\">y</S></MS></Obj></Obj>", "X : y"),
        (
            "<Obj RefId=\"0\"><TN RefId=\"0\"><T>System.Management.Automation.ErrorRecord</T></TN><ToString>no such \
             thing</ToString><MS><S N=\"FullyQualifiedErrorId\">X</S></MS></Obj>",
            "no such thing",
        ),
        (
            "<Obj RefId=\"0\"><MS><Obj N=\"MessageData\" RefId=\"1\"><TN RefId=\"0\">\
             <T>System.Management.Automation.HostInformationMessage</T></TN><ToString>host text</ToString><Props>\
             <S N=\"Message\">host text</S></Props></Obj><DT N=\"TimeGenerated\">2026-11-23T20:56:08Z</DT></MS></Obj>",
            "host text",
        ),
    ] {
        assert_eq!(shown(clixml), [text], "{clixml}");
    }
    let custom =
        "<Obj RefId=\"0\"><MS><Obj N=\"In\" RefId=\"1\"><MS><I32 N=\"A\">1</I32><Nil N=\"B\"/></MS></Obj></MS></Obj>";
    assert_eq!(shown(custom), ["In : @{A=1; B=}"]);
    let table = "<Obj RefId=\"0\"><DCT><En><S N=\"Key\">a</S><I32 N=\"Value\">1</I32></En></DCT></Obj>";
    assert_eq!(columns(&read(table)), [("a".to_owned(), "1".to_owned())]);
    assert_eq!(inline(&read(table), 100), "@{a=1}");
}

#[test]
fn nothing_that_a_terminal_acts_upon_comes_through() {
    let nasty = "\u{1B}[2J\u{7}a\tb\r\nc\u{9B}d\u{7F}\u{202E}e\u{2028}f\u{85}";
    let text = lines(&Value::text(nasty), ShowLimits::default());
    assert_eq!(text, ["␛[2J␇a\tb", "c\\u{9b}d␡\\u{202e}e\\u{2028}f\\u{85}"]);
    assert_eq!(inline(&Value::text(nasty), 100), "␛[2J␇a␉b␍␊c\\u{9b}d␡\\u{202e}e\\u{2028}f\\u{85}");
    assert_eq!(harmless("a\0b", 10), "a␀b");
    let member = "<Obj RefId=\"0\"><MS><S N=\"a_x001B_[1m\">b_x001B_</S></MS></Obj>";
    assert_eq!(shown(member), ["a␛[1m : b␛"]);
    assert_eq!(columns(&read(member)), [("a␛[1m".to_owned(), "b␛".to_owned())]);
    for c in (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        for line in lines(&Value::text(format!("x{c}y")), ShowLimits::default()) {
            assert!(!line.chars().any(char::is_control), "{c:?}");
        }
    }
}

#[test]
fn what_is_shown_is_bounded() {
    let limits = ShowLimits { lines: 3, width: 5, depth: 1 };
    assert_eq!(lines(&Value::text("a\nb\nc"), limits), ["a", "b", "c"]);
    assert_eq!(lines(&Value::text("a\nb\nc\nd"), limits), ["a", "b", "c", "…"]);
    assert_eq!(lines(&Value::text("12345"), limits), ["12345"]);
    assert_eq!(lines(&Value::text("123456"), limits), ["1234…"]);
    assert_eq!(inline(&Value::text("ééééé"), 4), "ééé…");
    assert_eq!(inline(&Value::text("a"), 0), "…");
    assert_eq!(inline(&Value::text("\u{9B}\u{9B}"), 7), "\\u{9b}…", "an escape is not cut");
    let nested = "<Obj RefId=\"0\"><MS><Obj N=\"In\" RefId=\"1\"><LST><Obj RefId=\"2\"><LST><Obj RefId=\"3\"><LST><Obj \
        RefId=\"4\"><LST><Obj RefId=\"5\"><LST/></Obj></LST></Obj></LST></Obj></LST></Obj></LST></Obj></MS></Obj>";
    assert_eq!(shown(nested), ["In : {{{{…}}}}"]);
    let many: String = (0..1000).map(|at| format!("<S N=\"m{at}\">{}</S>", "x".repeat(1000))).collect();
    let wide = columns(&read(&format!("<Obj RefId=\"0\"><MS>{many}</MS></Obj>")));
    assert_eq!(wide.len(), SHOW_COLUMNS);
    assert!(wide.iter().all(|(_, cell)| cell.chars().count() == SHOW_CELL));
}

/// Each list holds the one before many times, and the innermost shows nothing at all.
#[test]
fn shared_objects_that_show_nothing_take_no_time() {
    let mut text = "<Obj RefId=\"0\"><LST /></Obj>".to_owned();
    for level in 1..4 {
        let before = format!("<Ref RefId=\"{}\" />", level - 1);
        text = format!("{text}<Obj RefId=\"{level}\"><LST>{}</LST></Obj>", before.repeat(50));
    }
    let value = read(&format!("<Obj RefId=\"9\"><LST>{text}</LST></Obj>"));
    assert_eq!(lines(&value, ShowLimits { depth: 100, ..ShowLimits::default() }).last().map(String::as_str), Some("…"));
    let mut deep = Value::Nil;
    for _ in 0..100 {
        let list = crate::clixml::Content::List(crate::clixml::ListKind::List, vec![deep.clone(), deep]);
        deep = Value::object(crate::clixml::Object { content: list, ..Default::default() });
    }
    assert_eq!(lines(&deep, ShowLimits { depth: 1000, ..ShowLimits::default() }), ["…"]);
    assert!(inline(&deep, usize::MAX).len() < 1000);
}

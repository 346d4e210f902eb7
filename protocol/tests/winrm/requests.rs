//! Requests that are refused, and with which fault.

use crate::support::{NASTY, command_id, request, shell_id};
use sekisho_protocol::Error;
use sekisho_protocol::error::{LimitExceeded, Malformed, Unsupported};
use sekisho_protocol::soap::{Blame, FaultCode};
use sekisho_protocol::wsman::{
    Action, CommandLine, Compression, CreateShell, MessageId, Request, RequestBody, RequestError, Resource, SendStream,
    SignalCode, WsmanOption, decode_request, encode_request,
};
use std::time::Duration;
use uuid::Uuid;

/// One request of each kind.
pub(crate) fn all_kinds() -> Vec<Request> {
    let shell = Some(shell_id());
    let command = Some(command_id());
    let create = CreateShell {
        name: Some(NASTY.replace(['\t', '\n', '\r'], " ")),
        shell_id: Some(shell_id()),
        idle_timeout: Some(Duration::from_millis(90_500)),
        lifetime: Some(Duration::from_secs(86_400)),
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        environment: vec![("A".to_owned(), NASTY.to_owned()), ("B".to_owned(), String::new())],
        working_directory: Some("C:\\x & y".to_owned()),
        creation_xml: None,
        compression: Compression::None,
    };
    let line = CommandLine {
        command: NASTY.to_owned(),
        arguments: vec![NASTY.to_owned(), String::new(), " x ".to_owned()],
        command_id: command,
    };
    let input =
        |data: &[u8], end| SendStream { stream: "stdin".to_owned(), command_id: command, end, data: data.to_vec() };
    let streams = vec!["stdout".to_owned(), "stderr".to_owned()];
    vec![
        request(Action::Create, None, RequestBody::Create(create)),
        request(Action::Command, shell, RequestBody::Command(line)),
        request(Action::Send, shell, RequestBody::Send(vec![input(b"\0\xFFabc", false), input(b"", true)])),
        request(Action::Receive, shell, RequestBody::Receive { command_id: command, streams }),
        request(Action::Signal, shell, RequestBody::Signal { command_id: command, signal: SignalCode::Terminate }),
        request(Action::Signal, shell, RequestBody::Signal { command_id: command, signal: SignalCode::CtrlC }),
        request(Action::Get, shell, RequestBody::Get),
        request(Action::Delete, shell, RequestBody::Delete),
    ]
}

fn refused(xml: &str) -> RequestError {
    *decode_request(xml.as_bytes()).unwrap_err()
}

fn encoded(action: Action) -> String {
    let found = all_kinds().into_iter().find(|request| request.header.action == action);
    encode_request(&found.unwrap()).unwrap()
}

/// The refusal of a request in which some text was replaced; it has to be there.
fn refused_with(action: Action, from: &str, to: &str) -> (Error, FaultCode) {
    let xml = encoded(action);
    assert!(xml.contains(from), "{from} is not in {xml}");
    let refusal = refused(&xml.replacen(from, to, 1));
    (refusal.error, refusal.fault.code)
}

fn add_header(action: Action, header: &str) -> String {
    encoded(action).replacen("<s:Header>", &format!("<s:Header>{header}"), 1)
}

#[test]
fn every_kind_is_read_back() {
    for request in all_kinds() {
        assert_eq!(decode_request(encode_request(&request).unwrap().as_bytes()).unwrap(), request);
    }
}

#[test]
fn options_are_read_back() {
    let mut sent = all_kinds().remove(1);
    let option = |name: &str, value: &str, must_comply| WsmanOption {
        name: name.to_owned(),
        value: value.to_owned(),
        must_comply,
    };
    sent.header.options = vec![option("WINRS_SKIP_CMD_SHELL", "FALSE", true), option("other", "<&>", false)];
    let read = decode_request(encode_request(&sent).unwrap().as_bytes()).unwrap();
    assert_eq!(read, sent);
    assert_eq!(read.header.option("winrs_skip_cmd_shell"), Some("FALSE"));
}

#[test]
fn every_truncation_is_refused() {
    for request in all_kinds() {
        let xml = encode_request(&request).unwrap();
        for end in 0..xml.len() {
            assert!(decode_request(&xml.as_bytes()[..end]).is_err());
        }
    }
}

#[test]
fn what_xml_cannot_carry_is_not_sent() {
    let line = CommandLine { command: "a\u{1b}b".to_owned(), arguments: Vec::new(), command_id: None };
    let request = request(Action::Command, Some(shell_id()), RequestBody::Command(line));
    assert_eq!(encode_request(&request), Err(Malformed::XmlCharacter.into()));
}

#[test]
fn unknown_mandatory_headers_are_refused_with_and_without_prefix() {
    for header in [
        "<z:Z xmlns:z='urn:z' s:mustUnderstand='true'/>",
        "<z:Z xmlns:z='urn:z' s:mustUnderstand='1'/>",
        "<z:Z xmlns:z='urn:z' mustUnderstand='true'/>",
        "<z:Z xmlns:z='urn:z' mustUnderstand='True' s:mustUnderstand='false'/>",
        "<rsp:CompressionType s:mustUnderstand='true'>xpress</rsp:CompressionType>",
        "<w:To s:mustUnderstand='true'>x</w:To>",
    ] {
        let refusal = refused(&add_header(Action::Get, header));
        assert_eq!(refusal.error, Unsupported::MustUnderstand.into(), "{header}");
        assert_eq!(refusal.fault.code, FaultCode(2_150_858_768));
        assert_eq!(refusal.fault.blame, Blame::MustUnderstand);
        assert!(refusal.relates_to.is_some());
    }
    for header in [
        "<z:Z xmlns:z='urn:z'/>",
        "<z:Z xmlns:z='urn:z' s:mustUnderstand='false'/>",
        "<z:Z xmlns:z='urn:z' mustUnderstand='0'/>",
        "<rsp:CompressionType>xpress</rsp:CompressionType>",
    ] {
        assert!(decode_request(add_header(Action::Get, header).as_bytes()).is_ok(), "{header}");
    }
    let odd = refused(&add_header(Action::Get, "<z:Z xmlns:z='urn:z' s:mustUnderstand='perhaps'/>"));
    assert_eq!(odd.error, Malformed::Header.into());
}

#[test]
fn timeouts() {
    for bad in ["20", "PT", "-PT20S", "PT20X", ""] {
        let (error, code) = refused_with(Action::Get, "PT20.000S", bad);
        assert_eq!((error, code), (Malformed::Duration.into(), FaultCode(2_150_858_767)), "{bad}");
    }
    for (text, expected) in [("PT0S", None), ("PT0.000S", None), ("PT1.5S", Some(1500)), ("P365D", Some(600_000))] {
        let read = decode_request(encoded(Action::Get).replacen("PT20.000S", text, 1).as_bytes()).unwrap();
        assert_eq!(read.header.operation_timeout, expected.map(Duration::from_millis), "{text}");
    }
}

#[test]
fn envelope_sizes() {
    for bad in ["8191", "0", "-1", "+9000", "x", "", "99999999999999999999999"] {
        let (error, code) = refused_with(Action::Get, ">153600<", &format!(">{bad}<"));
        assert_eq!((error, code), (Malformed::Header.into(), FaultCode::INVALID_HEADER), "{bad}");
    }
    let read = decode_request(encoded(Action::Get).replacen("153600", "4294967295", 1).as_bytes()).unwrap();
    assert_eq!(read.header.max_envelope_size, 512_000);
}

#[test]
fn actions_that_are_not_served() {
    let get = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
    for action in [
        "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put",
        "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate",
        "x",
    ] {
        let (error, code) = refused_with(Action::Get, get, action);
        assert_eq!((error, code), (Unsupported::Action.into(), FaultCode(2_150_858_753)), "{action}");
    }
    for action in ["Connect", "Disconnect", "Reconnect"] {
        let action = format!("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/{action}");
        let (error, code) = refused_with(Action::Get, get, &action);
        assert_eq!((error, code), (Unsupported::Disconnection.into(), FaultCode(2_150_858_818)));
    }
}

#[test]
fn wmi_is_recognised_and_not_read() {
    let cmd = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
    for resource in [
        "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Process",
        "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Process",
        "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
        "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd2",
    ] {
        let xml = encoded(Action::Command).replacen(cmd, resource, 1);
        let invoke = xml.replacen(
            "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command",
            &format!("{resource}/Create"),
            1,
        );
        for (xml, action) in [(xml, Action::Command), (invoke, Action::Other)] {
            let read = decode_request(xml.as_bytes()).unwrap();
            assert_eq!(read.header.resource, Resource::Other(resource.to_owned()));
            assert_eq!((read.header.action, read.body), (action, RequestBody::Other));
        }
    }
}

#[test]
fn resources() {
    let cmd = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
    let (error, code) = refused_with(Action::Get, cmd, "");
    assert_eq!((error, code), (Malformed::ResourceUri.into(), FaultCode::INVALID_RESOURCE_URI));
    assert_eq!(Resource::of_uri(&cmd.to_uppercase()), Resource::CmdShell);
    let powershell = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell";
    assert_eq!(Resource::of_uri(powershell), Resource::PowerShell("Microsoft.PowerShell".to_owned()));
    assert_eq!(Resource::of_uri(powershell).uri(), powershell);
    assert!(matches!(Resource::of_uri("http://schemas.microsoft.com/powershell/"), Resource::Other(_)));
    assert_eq!(Resource::of_uri(""), Resource::None);
}

#[test]
fn the_configuration_can_be_got_and_nothing_else() {
    let config = "http://schemas.microsoft.com/wbem/wsman/1/config";
    let cmd = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
    let mut get = all_kinds().into_iter().find(|request| request.header.action == Action::Get).unwrap();
    get.header.shell = None;
    get.header.resource = Resource::Config;
    assert_eq!(decode_request(encode_request(&get).unwrap().as_bytes()).unwrap(), get);
    for action in [Action::Create, Action::Command, Action::Delete] {
        let (error, _) = refused_with(action, cmd, config);
        assert_eq!(error, Unsupported::Action.into());
    }
}

#[test]
fn selectors() {
    let selector = format!("<w:Selector Name=\"ShellId\">{}</w:Selector>", shell_id());
    let unknown = selector.replace("ShellId", "Name");
    for (from, to, error, code) in [
        (selector.as_str(), "", Malformed::Selector, FaultCode::INVALID_SELECTORS),
        (selector.as_str(), unknown.as_str(), Malformed::Selector, FaultCode::INVALID_SELECTORS),
        (
            "</w:SelectorSet>",
            "<w:Selector Name='x'>1</w:Selector></w:SelectorSet>",
            Malformed::Selector,
            FaultCode::INVALID_SELECTORS,
        ),
        ("</w:SelectorSet>", "</w:SelectorSet><w:SelectorSet/>", Malformed::Duplicate, FaultCode::INVALID_HEADER),
        (&shell_id().to_string(), "no guid", Malformed::Guid, FaultCode::UNEXPECTED_SELECTORS),
        (
            &shell_id().to_string(),
            "{00000000-0000-0000-0000-000011112222}",
            Malformed::Guid,
            FaultCode::UNEXPECTED_SELECTORS,
        ),
    ] {
        assert_eq!(refused_with(Action::Get, from, to), (error.into(), code), "{to}");
    }
    let lower = encoded(Action::Get).replace(&shell_id().to_string(), &shell_id().to_string().to_lowercase());
    assert_eq!(decode_request(lower.as_bytes()).unwrap().header.shell, Some(shell_id()));
    let with_shell = add_header(Action::Create, &format!("<w:SelectorSet>{selector}</w:SelectorSet>"));
    assert_eq!(refused(&with_shell).error, Malformed::Selector.into());
}

#[test]
fn options_that_are_refused() {
    let with = |options: &str| refused(&add_header(Action::Create, &format!("<w:OptionSet>{options}</w:OptionSet>")));
    for (options, error) in [
        ("<w:Option Name='X' MustComply='true'>1</w:Option>", Error::from(Unsupported::MustComply)),
        ("<w:Option Name='A'/><w:Option Name='a'/>", Malformed::Option.into()),
        ("<w:Option>1</w:Option>", Malformed::Option.into()),
        ("<w:Option Name=''>1</w:Option>", Malformed::Option.into()),
        ("<w:Other Name='A'>1</w:Other>", Malformed::Option.into()),
    ] {
        let refusal = with(options);
        assert_eq!((refusal.error, refusal.fault.code), (error, FaultCode(2_150_858_809)), "{options}");
    }
    let many: String = (0..65).map(|n| format!("<w:Option Name='{n}'/>")).collect();
    assert_eq!(with(&many).error, LimitExceeded::Items.into());
}

#[test]
fn duplicated_headers_are_refused() {
    for header in [
        "<a:Action>x</a:Action>",
        "<a:MessageID>uuid:x</a:MessageID>",
        "<w:ResourceURI>x</w:ResourceURI>",
        "<w:OperationTimeout>PT1S</w:OperationTimeout>",
        "<w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>",
        "<a:To>x</a:To>",
        "<a:ReplyTo/>",
    ] {
        let refusal = refused(&add_header(Action::Get, header));
        assert_eq!(
            (refusal.error, refusal.fault.code),
            (Malformed::Duplicate.into(), FaultCode::INVALID_HEADER),
            "{header}"
        );
    }
}

#[test]
fn answers_to_another_address_are_refused() {
    let anonymous = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
    let (error, code) = refused_with(Action::Get, anonymous, "http://192.0.2.1/");
    assert_eq!((error, code), (Unsupported::ReplyTo.into(), FaultCode::INVALID_HEADER));
    let elsewhere = "<a:FaultTo><a:Address>http://192.0.2.1/</a:Address></a:FaultTo>";
    assert_eq!(refused(&add_header(Action::Get, elsewhere)).error, Unsupported::ReplyTo.into());
}

#[test]
fn message_identifiers_are_kept_verbatim_and_bounded() {
    let own = "uuid:00000000-0000-0000-0000-000000000007";
    let odd = "uuid:aBc-Def/&amp;'";
    let read = decode_request(encoded(Action::Get).replacen(own, odd, 1).as_bytes()).unwrap();
    assert_eq!(read.header.message_id.unwrap().as_str(), "uuid:aBc-Def/&'");
    assert_eq!(refused_with(Action::Get, own, &"x".repeat(257)).0, LimitExceeded::MessageId.into());
    assert_eq!(refused_with(Action::Get, own, "").0, Malformed::MessageId.into());
    assert_eq!(refused_with(Action::Get, own, "a b").0, Malformed::MessageId.into());
}

#[test]
fn wrong_namespaces_are_refused() {
    let shell = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell\"";
    let (error, code) = refused_with(Action::Command, shell, "urn:x\"");
    assert_eq!((error, code), (Malformed::Body.into(), FaultCode::SCHEMA_VALIDATION));
    let (error, code) = refused_with(
        Action::Get,
        "http://www.w3.org/2003/05/soap-envelope",
        "http://schemas.xmlsoap.org/soap/envelope/",
    );
    assert_eq!((error, code), (Malformed::Envelope.into(), FaultCode::INVALID_BODY));
}

#[test]
fn envelopes_of_another_shape_are_refused() {
    for (from, to) in [
        ("<s:Body/>", "<s:Body/><s:Body/>"),
        ("<s:Header>", "<s:Header/><s:Header>"),
        ("<s:Header>", "<s:Other/><s:Header>"),
        ("</s:Envelope>", "<s:Other/></s:Envelope>"),
    ] {
        assert_eq!(refused_with(Action::Get, from, to).0, Malformed::Envelope.into(), "{to}");
    }
    assert_eq!(refused("<a/>").error, Malformed::Envelope.into());
}

#[test]
fn bodies_that_do_not_match_are_refused() {
    for (action, from, to) in [
        (Action::Command, "<rsp:Arguments>", "<rsp:Command>x</rsp:Command><rsp:Arguments>"),
        (Action::Command, "<rsp:Arguments>", "<rsp:Other/><rsp:Arguments>"),
        (Action::Command, "<rsp:CommandLine ", "<rsp:CommandLine/><rsp:CommandLine "),
        (Action::Create, "<rsp:InputStreams>", "<rsp:Unknown/><rsp:InputStreams>"),
        (Action::Create, "PT90.500S", "90"),
        (
            Action::Create,
            "</rsp:Shell>",
            "<creationXml xmlns='http://schemas.microsoft.com/powershell'>x</creationXml></rsp:Shell>",
        ),
        (Action::Send, "End=\"true\"", "End=\"maybe\""),
        (Action::Delete, "<s:Body/>", "<s:Body><rsp:Shell/></s:Body>"),
        (Action::Get, "<s:Body/>", "<s:Body><rsp:Shell/></s:Body>"),
    ] {
        let (error, code) = refused_with(action, from, to);
        let expected = [Malformed::Body.into(), Malformed::Duplicate.into()];
        assert!(expected.contains(&error), "{error} for {to}");
        assert_eq!(code, FaultCode(2_150_858_817), "{to}");
    }
    let (error, code) = refused_with(Action::Send, "AP9hYmM=", "AP9hYmM");
    assert_eq!((error, code), (Malformed::Base64.into(), FaultCode(2_150_858_791)));
}

#[test]
fn commands_without_a_command_are_refused() {
    let attribute = format!(" CommandId=\"{}\"", command_id());
    for action in [Action::Send, Action::Receive, Action::Signal] {
        let (error, code) = refused_with(action, &attribute, "");
        assert_eq!((error, code), (Malformed::NoCommandId.into(), FaultCode::NO_COMMAND_ID));
    }
    let (error, code) = refused_with(Action::Receive, &attribute, " CommandId='x'");
    assert_eq!((error, code), (Malformed::Guid.into(), FaultCode(2_150_858_843)));
}

#[test]
fn long_commands_are_refused() {
    let line = CommandLine { command: "x".repeat(32_767), arguments: vec![String::new()], command_id: None };
    let request = request(Action::Command, Some(shell_id()), RequestBody::Command(line));
    let refusal = refused(&encode_request(&request).unwrap());
    assert_eq!((refusal.error, refusal.fault.code), (LimitExceeded::Command.into(), FaultCode(2_147_942_606)));
    let many = CommandLine { command: "x".to_owned(), arguments: vec![String::new(); 1024], command_id: None };
    let request = crate::support::request(Action::Command, Some(shell_id()), RequestBody::Command(many));
    assert_eq!(refused(&encode_request(&request).unwrap()).error, LimitExceeded::Items.into());
}

#[test]
fn base64_in_lines_is_read() {
    let xml = encoded(Action::Send).replacen("AP9hYmM=", "\nAP9h\r\n  YmM=\n", 1);
    let RequestBody::Send(streams) = decode_request(xml.as_bytes()).unwrap().body else { panic!("not a Send") };
    assert_eq!(streams[0].data, b"\0\xFFabc");
}

#[test]
fn identify_needs_no_header() {
    let bare = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
                <i:Identify xmlns:i='http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'/></s:Body></s:Envelope>";
    let read = decode_request(bare.as_bytes()).unwrap();
    assert_eq!(
        (read.header.action, read.header.message_id, read.body),
        (Action::Identify, None, RequestBody::Identify)
    );
    let own = request(Action::Identify, None, RequestBody::Identify);
    assert_eq!(decode_request(encode_request(&own).unwrap().as_bytes()).unwrap().body, RequestBody::Identify);
}

#[test]
fn powershell_has_room() {
    let mut sent = request(
        Action::Create,
        None,
        RequestBody::Create(CreateShell { creation_xml: Some("AAAA".to_owned()), ..CreateShell::default() }),
    );
    sent.header.resource = Resource::PowerShell("Microsoft.PowerShell".to_owned());
    assert_eq!(decode_request(encode_request(&sent).unwrap().as_bytes()).unwrap(), sent);
    let body = RequestBody::Receive { command_id: None, streams: vec!["stdout".to_owned()] };
    let mut sent = request(Action::Receive, Some(shell_id()), body);
    sent.header.resource = Resource::PowerShell("x".to_owned());
    assert_eq!(decode_request(encode_request(&sent).unwrap().as_bytes()).unwrap(), sent);
}

#[test]
fn powershell_may_be_compressed_and_nothing_else() {
    let create = |resource: &str| {
        let mut sent = request(Action::Create, None, RequestBody::Create(CreateShell::default()));
        sent.header.resource = Resource::of_uri(resource);
        encode_request(&sent).unwrap()
    };
    let read = |xml: &str, header: &str| {
        let xml = xml.replacen("<s:Header>", &format!("<s:Header>{header}"), 1);
        match decode_request(xml.as_bytes()).map(|request| request.body) {
            Ok(RequestBody::Create(shell)) => Ok(shell.compression),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err((refusal.error, refusal.fault.code)),
        }
    };
    let powershell = create("http://schemas.microsoft.com/powershell/Microsoft.PowerShell");
    let refusal = (Error::from(Unsupported::MustUnderstand), FaultCode(2_150_858_768));
    for (header, expected) in [
        ("", Ok(Compression::None)),
        ("<rsp:CompressionType s:mustUnderstand='true'>xpress</rsp:CompressionType>", Ok(Compression::Xpress)),
        ("<rsp:CompressionType mustUnderstand='1'> XPRESS </rsp:CompressionType>", Ok(Compression::Xpress)),
        ("<rsp:CompressionType>xpress</rsp:CompressionType>", Ok(Compression::Xpress)),
        ("<rsp:CompressionType s:mustUnderstand='true'>gzip</rsp:CompressionType>", Err(refusal)),
        ("<rsp:CompressionType s:mustUnderstand='true'/>", Err(refusal)),
        ("<rsp:CompressionType s:mustUnderstand='false'>gzip</rsp:CompressionType>", Ok(Compression::None)),
    ] {
        assert_eq!(read(&powershell, header), expected, "{header}");
    }
    let cmd = create("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd");
    let header = "<rsp:CompressionType s:mustUnderstand='true'>xpress</rsp:CompressionType>";
    assert_eq!(read(&cmd, header), Err(refusal), "the streams of WinRS are never compressed");
    let twice = header.repeat(2);
    assert_eq!(read(&powershell, &twice).unwrap_err().0, Malformed::Duplicate.into());
    let compressed = CreateShell { compression: Compression::Xpress, ..CreateShell::default() };
    let ours = encode_request(&request(Action::Create, None, RequestBody::Create(compressed))).unwrap();
    assert!(!ours.contains("CompressionType"), "we never ask for it");
}

#[test]
fn session_identifiers_that_are_none_are_ignored() {
    let own = MessageId::new(Uuid::from_u128(9));
    let xml = encoded(Action::Get).replacen(own.as_str(), "whatever", 1);
    assert_eq!(decode_request(xml.as_bytes()).unwrap().header.session_id, None);
}

#[test]
fn nothing_of_a_command_is_in_debug_or_errors() {
    for request in all_kinds() {
        let shown = format!("{request:?}");
        assert!(!shown.contains("_x0041_") && !shown.contains("C:\\\\x"), "{shown}");
    }
    let refusal = refused(&encoded(Action::Command).replacen("<rsp:Arguments>", "<rsp:hunter2/><rsp:Arguments>", 1));
    assert!(!format!("{} {:?}", refusal.error, refusal).contains("hunter2"));
}

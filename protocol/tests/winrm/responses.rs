//! Responses and faults: ours, and those of a hostile target.

use crate::support::{NASTY, command_id, shell_id};
use sekisho_protocol::error::{Malformed, PeerMisbehaved};
use sekisho_protocol::soap::{Blame, Fault, FaultCode, Subcode};
use sekisho_protocol::wsman::{
    CommandState, Compression, Identity, MessageId, ReceiveResponse, ResponseBody, ShellDetails, StreamChunk,
    decode_response, encode_fault, encode_response,
};
use std::time::Duration;
use uuid::Uuid;

fn shell() -> ShellDetails {
    ShellDetails {
        shell_id: shell_id(),
        address: "https://gateway/wsman/web01?x&y".to_owned(),
        resource_uri: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd".to_owned(),
        owner: "GATEWAY\\alice <&>".to_owned(),
        client_ip: "192.0.2.7".to_owned(),
        idle_timeout: Duration::from_secs(7200),
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        compression: Compression::None,
        run_time: Duration::from_millis(1500),
        inactivity: Duration::ZERO,
    }
}

pub(crate) fn output(state: CommandState) -> ReceiveResponse {
    let chunk = |stream: &str, data: &[u8], end| StreamChunk { stream: stream.to_owned(), data: data.to_vec(), end };
    ReceiveResponse {
        command_id: Some(command_id()),
        streams: vec![chunk("stdout", b"one\0\xFF", false), chunk("stderr", b"two", false), chunk("stdout", b"", true)],
        state: Some(state),
    }
}

fn all_kinds() -> Vec<ResponseBody> {
    let identity = Identity {
        product_vendor: "Sekisho <&>".to_owned(),
        product_version: "OS: 0.0.0 SP: 0.0 Stack: 3.0".to_owned(),
    };
    vec![
        ResponseBody::Identify(identity),
        ResponseBody::Created(shell()),
        ResponseBody::Created(ShellDetails { compression: Compression::Xpress, ..shell() }),
        ResponseBody::Command { command_id: command_id() },
        ResponseBody::Send,
        ResponseBody::Receive(output(CommandState::Running)),
        ResponseBody::Receive(output(CommandState::Pending)),
        ResponseBody::Receive(output(CommandState::Done { exit_code: -1_073_741_510 })),
        ResponseBody::Receive(ReceiveResponse { command_id: None, streams: Vec::new(), state: None }),
        ResponseBody::Signal,
        ResponseBody::Delete,
        ResponseBody::Shell(ShellDetails { address: String::new(), ..shell() }),
        ResponseBody::Config { max_envelope_size_kb: 500 },
    ]
}

#[test]
fn how_streams_are_carried_is_told() {
    let created = |compression| {
        encode_response(None, Uuid::nil(), &ResponseBody::Created(ShellDetails { compression, ..shell() }))
    };
    let plain = created(Compression::None);
    assert!(plain.contains("<rsp:CompressionMode>NoCompression</rsp:CompressionMode>"), "{plain}");
    let packed = created(Compression::Xpress);
    assert!(packed.contains("<rsp:CompressionMode>XpressCompression</rsp:CompressionMode>"), "{packed}");
    let other = packed.replace("XpressCompression", "Other");
    assert_eq!(decode_response(other.as_bytes()), Err(Malformed::Body.into()));
}

fn id() -> MessageId {
    MessageId::parse("uuid:aBcD-verbatim").unwrap()
}

fn encoded(body: &ResponseBody) -> String {
    encode_response(Some(&id()), Uuid::from_u128(5), body)
}

fn refused(xml: &str) -> sekisho_protocol::Error {
    decode_response(xml.as_bytes()).unwrap_err()
}

#[test]
fn every_kind_is_read_back() {
    for body in all_kinds() {
        let response = decode_response(encoded(&body).as_bytes()).unwrap();
        assert_eq!(response.relates_to, Some(id()));
        assert_eq!(response.outcome, Ok(body));
    }
}

#[test]
fn every_truncation_is_refused() {
    for body in all_kinds() {
        let xml = encoded(&body);
        for end in 0..xml.len() {
            assert!(decode_response(&xml.as_bytes()[..end]).is_err());
        }
    }
}

#[test]
fn the_identifier_is_echoed_verbatim() {
    let xml = encoded(&ResponseBody::Delete);
    assert!(xml.contains("<a:RelatesTo>uuid:aBcD-verbatim</a:RelatesTo>"));
    assert!(xml.contains("<a:MessageID>uuid:00000000-0000-0000-0000-000000000005</a:MessageID>"));
    assert!(xml.contains("<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/DeleteResponse</a:Action>"));
    assert!(!encode_response(None, Uuid::nil(), &ResponseBody::Delete).contains("RelatesTo"));
}

#[test]
fn a_shell_is_named_where_each_client_looks() {
    let xml = encoded(&ResponseBody::Created(shell()));
    let selector = xml.find("<w:Selector Name=\"ShellId\">00000000-0000-0000-0000-000011112222</w:Selector>").unwrap();
    let element = xml.find("<rsp:ShellId>00000000-0000-0000-0000-000011112222</rsp:ShellId>").unwrap();
    // pywinrm takes the first element that has this attribute.
    assert!(xml.find("Name=\"ShellId\"").unwrap() < element && selector < element);
}

#[test]
fn ends_and_exit_codes_are_written_as_clients_read_them() {
    let xml = encoded(&ResponseBody::Receive(output(CommandState::Done { exit_code: -1 })));
    assert!(xml.contains(" End=\"true\"></rsp:Stream>"));
    assert!(xml.contains("CommandState/Done\"><rsp:ExitCode>-1</rsp:ExitCode>"));
}

#[test]
fn faults_are_read_back() {
    let faults = [
        Fault::timed_out(),
        Fault::access_denied(NASTY).with_machine("gw.example"),
        Fault::no_such_shell(),
        Fault::quota(FaultCode::QUOTA_SHELLS, "too many"),
        Fault::must_understand(),
        Fault::action_not_supported(),
        Fault::envelope_too_large(),
    ];
    for fault in faults {
        let xml = encode_fault(Some(&id()), Uuid::nil(), &fault);
        let read = decode_response(xml.as_bytes()).unwrap();
        assert_eq!(read.relates_to, Some(id()));
        let read = read.outcome.unwrap_err();
        assert_eq!((read.code, read.blame), (fault.code, fault.blame));
        assert_eq!(read.text.untrusted(), fault.reason.trim());
    }
}

#[test]
fn a_timeout_says_what_clients_search_for() {
    let xml = encode_fault(Some(&id()), Uuid::nil(), &Fault::timed_out());
    for part in
        ["OperationTimeout", "Code=\"2150858793\"", "<s:Value>s:Receiver</s:Value>", "<s:Value>w:TimedOut</s:Value>"]
    {
        assert!(xml.contains(part), "{part}");
    }
}

#[test]
fn faults_of_addressing_have_another_action() {
    let of = |fault: &Fault| encode_fault(None, Uuid::nil(), fault);
    assert!(of(&Fault::action_not_supported()).contains("/2004/08/addressing/fault<"));
    assert!(of(&Fault::no_such_shell()).contains("/wsman/1/wsman/fault<"));
    assert!(of(&Fault::must_understand()).contains("<s:Value>s:MustUnderstand</s:Value></s:Code>"));
}

#[test]
fn a_reason_with_controls_is_still_xml() {
    let fault = Fault::sender(FaultCode::BUSY, Subcode::InternalError, "a\u{1b}[31m\0b");
    let read = decode_response(encode_fault(None, Uuid::nil(), &fault).as_bytes()).unwrap();
    assert_eq!(read.outcome.unwrap_err().text.untrusted(), "a\u{FFFD}[31m\u{FFFD}b");
}

#[test]
fn texts_of_targets_are_bounded_and_not_shown() {
    let fault = Fault::access_denied(format!("hunter2{}", "é".repeat(100_000)));
    let read = decode_response(encode_fault(None, Uuid::nil(), &fault).as_bytes()).unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
    let text = read.outcome.unwrap_err().text;
    assert!(text.untrusted().starts_with("hunter2") && text.untrusted().len() <= 4097);
}

#[test]
fn faults_of_windows_are_read() {
    let xml = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Header/><s:Body><s:Fault>\
        <s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:InternalError</s:Value></s:Subcode></s:Code>\
        <s:Reason><s:Text xml:lang=''/></s:Reason><s:Detail><f:WSManFault \
        xmlns:f='http://schemas.microsoft.com/wbem/wsman/1/wsmanfault' Code='995' Machine='x'><f:Message>\
        <f:ProviderFault provider='Shell' path='p'>The I/O operation has been aborted</f:ProviderFault></f:Message>\
        </f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>";
    let fault = decode_response(xml.as_bytes()).unwrap().outcome.unwrap_err();
    assert_eq!((fault.code, fault.blame), (FaultCode::OPERATION_ABORTED, Blame::Sender));
    assert_eq!(fault.text.untrusted(), "The I/O operation has been aborted");
    for bad in ["-1", "x", "99999999999", ""] {
        assert_eq!(refused(&xml.replace("'995'", &format!("'{bad}'"))), Malformed::Body.into(), "{bad}");
    }
}

#[test]
fn transient_faults() {
    for (code, transient) in [
        (FaultCode::BUSY, true),
        (FaultCode(2_150_859_241), true),
        (FaultCode::QUOTA_OPERATIONS, true),
        (FaultCode::ACCESS_DENIED, false),
        (FaultCode::UNEXPECTED_SELECTORS, false),
        (FaultCode(0), false),
    ] {
        assert_eq!(code.is_transient(), transient, "{code:?}");
    }
}

#[test]
fn output_of_two_commands_in_one_answer_is_refused() {
    let xml = encoded(&ResponseBody::Receive(output(CommandState::Running)));
    let own = command_id().to_string();
    let foreign = xml.replacen(&own, &shell_id().to_string(), 1);
    assert_eq!(refused(&foreign), PeerMisbehaved::UnexpectedOutput.into());
    let state = xml.rfind("<rsp:CommandState").unwrap();
    let twice = format!("{}{}", &xml[..state], xml[state..].replacen("</rsp:ReceiveResponse>", &format!("<rsp:CommandState CommandId='{own}' State='http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running'/></rsp:ReceiveResponse>"), 1));
    assert_eq!(refused(&twice), Malformed::Duplicate.into());
}

#[test]
fn exit_codes_of_targets() {
    let xml = encoded(&ResponseBody::Receive(output(CommandState::Done { exit_code: 7 })));
    for (text, code) in
        [("-1", -1), ("3221225786", -1_073_741_510), ("2147483647", i32::MAX), ("-2147483648", i32::MIN)]
    {
        let read = decode_response(xml.replace(">7<", &format!(">{text}<")).as_bytes()).unwrap();
        let Ok(ResponseBody::Receive(output)) = read.outcome else { panic!("not a Receive") };
        assert_eq!(output.state, Some(CommandState::Done { exit_code: code }));
    }
    for bad in ["x", "", "4294967296", "-2147483649", "1.0"] {
        assert_eq!(refused(&xml.replace(">7<", &format!(">{bad}<"))), Malformed::Body.into(), "{bad}");
    }
}

#[test]
fn shells_with_two_names_are_refused() {
    let xml = encoded(&ResponseBody::Created(shell()));
    let own = shell_id().to_string();
    assert_eq!(refused(&xml.replacen(&own, &command_id().to_string(), 1)), Malformed::Body.into());
    let selector = format!("<w:Selector Name=\"ShellId\">{own}</w:Selector>");
    assert_eq!(refused(&xml.replacen(&selector, &selector.repeat(2), 1)), Malformed::Body.into());
    assert_eq!(refused(&xml.replacen(&selector, "", 1)), Malformed::Body.into());
}

#[test]
fn answers_of_other_kinds_are_refused() {
    let empty = encoded(&ResponseBody::Delete);
    for action in ["Create", "Get", "Nothing", ""] {
        assert_eq!(refused(&empty.replace("DeleteResponse", action)), Malformed::Body.into(), "{action}");
    }
    let two = encoded(&ResponseBody::Send).replace("<rsp:SendResponse/>", "<rsp:SendResponse/><rsp:SendResponse/>");
    assert_eq!(refused(&two), Malformed::Body.into());
    let foreign = encoded(&ResponseBody::Send).replace("<rsp:SendResponse/>", "<x:SendResponse/>");
    assert_eq!(refused(&foreign), Malformed::Body.into());
}

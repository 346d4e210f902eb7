//! Arbitrary bytes never panic, and what is written is read back.

use crate::support::{Flip, command_id, request, shell_id};
use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_protocol::sealing::{SealProtocol, open_body, seal_body};
use sekisho_protocol::wsman::{
    Action, CommandLine, CommandState, CreateShell, ReceiveResponse, RequestBody, ResponseBody, SendStream,
    StreamChunk, decode_request, decode_response, encode_request, encode_response,
};
use uuid::Uuid;

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..40).prop_map(|chars| chars.into_iter().collect())
}

/// Pieces of real documents in any order: gets further than bytes do.
fn fragments() -> impl Strategy<Value = String> {
    let xml = encode_request(&request(Action::Get, Some(shell_id()), RequestBody::Get)).unwrap();
    let pieces: Vec<String> = xml.split_inclusive('>').map(str::to_owned).collect();
    let extra =
        ["<!DOCTYPE a>", "&x;", "&#x41;", "<![CDATA[", "]]>", "<!--", "-->", "<?x?>", "\0", "<s:Body>", "</s:Body>"];
    let pieces: Vec<String> = pieces.into_iter().chain(extra.iter().map(|piece| (*piece).to_owned())).collect();
    vec(proptest::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = decode_request(&bytes).map_err(drop).is_ok();
        let _ = decode_response(&bytes).map_err(drop).is_ok();
        for protocol in [SealProtocol::Spnego, SealProtocol::CredSsp] {
            let kind = format!("multipart/encrypted;protocol=\"{}\";boundary=\"Encrypted Boundary\"", protocol.label());
            let _ = open_body(&mut Flip::new(protocol), &kind, &bytes).is_ok();
        }
    }

    #[test]
    fn pieces_of_documents_never_panic(document in fragments()) {
        let _ = decode_request(document.as_bytes()).map_err(drop).is_ok();
        let _ = decode_response(document.as_bytes()).map_err(drop).is_ok();
    }

    #[test]
    fn changed_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut xml = encode_request(&request(Action::Get, Some(shell_id()), RequestBody::Get)).unwrap().into_bytes();
        let at = at.index(xml.len());
        xml[at] = byte;
        let _ = decode_request(&xml).map_err(drop).is_ok();
    }

    #[test]
    fn commands_are_read_back_or_refused(command in text(), arguments in vec(text(), 0..5)) {
        let line = CommandLine { command, arguments, command_id: None };
        let sent = request(Action::Command, Some(shell_id()), RequestBody::Command(line));
        if let Ok(xml) = encode_request(&sent) {
            prop_assert_eq!(decode_request(xml.as_bytes()).map_err(|refusal| refusal.error), Ok(sent));
        }
    }

    #[test]
    fn environments_are_read_back_or_refused(name in text(), value in text()) {
        let shell = CreateShell { environment: vec![(name, value)], ..CreateShell::default() };
        let sent = request(Action::Create, None, RequestBody::Create(shell));
        if let Ok(xml) = encode_request(&sent) {
            prop_assert_eq!(decode_request(xml.as_bytes()).map_err(|refusal| refusal.error), Ok(sent));
        }
    }

    #[test]
    fn streams_are_read_back(data in vec(any::<u8>(), 0..300), end in any::<bool>(), exit_code in any::<i32>()) {
        let input = SendStream { stream: "stdin".to_owned(), command_id: Some(command_id()), end, data: data.clone() };
        let sent = request(Action::Send, Some(shell_id()), RequestBody::Send(vec![input]));
        prop_assert_eq!(decode_request(encode_request(&sent).unwrap().as_bytes()).map_err(|refusal| refusal.error), Ok(sent));
        let output = ReceiveResponse {
            command_id: Some(command_id()),
            streams: vec![StreamChunk { stream: "stdout".to_owned(), data, end }],
            state: Some(CommandState::Done { exit_code }),
        };
        let body = ResponseBody::Receive(output);
        let read = decode_response(encode_response(None, Uuid::nil(), &body).as_bytes()).unwrap();
        prop_assert_eq!(read.outcome, Ok(body));
    }

    #[test]
    fn sealed_bodies_are_opened(plain in vec(any::<u8>(), 1..2000), credssp in any::<bool>()) {
        let protocol = if credssp { SealProtocol::CredSsp } else { SealProtocol::Spnego };
        let body = seal_body(&mut Flip::new(protocol), &plain).unwrap();
        let opened = open_body(&mut Flip::new(protocol), &body.content_type, &body.bytes).unwrap();
        prop_assert_eq!(&opened[..], &plain[..]);
    }
}

//! Sealed bodies: our own, those of stock clients, and broken ones.

use crate::support::Flip;
use sekisho_protocol::error::{LimitExceeded, Malformed, Misuse, PeerMisbehaved, Unsupported};
use sekisho_protocol::limits::{SEALED_BODY, SEALED_CHUNK};
use sekisho_protocol::sealing::{
    GroupReader, GroupWriter, SealProtocol, open_body, seal_body, seal_body_as, streaming_content_type,
};
use sekisho_protocol::{Error, Result};

const BOTH: [SealProtocol; 2] = [SealProtocol::Spnego, SealProtocol::CredSsp];

/// Plain text that, flipped, contains a delimiter: nothing may search for one.
fn hostile_plain(len: usize) -> Vec<u8> {
    let delimiter = b"--Encrypted Boundary--\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n";
    delimiter.iter().map(|byte| byte ^ 0x5A).cycle().take(len).collect()
}

fn open(protocol: SealProtocol, content_type: &str, body: &[u8]) -> Result<Vec<u8>> {
    open_body(&mut Flip::new(protocol), content_type, body).map(|plain| plain.to_vec())
}

#[test]
fn bodies_of_all_sizes_are_opened() {
    for protocol in BOTH {
        for len in [1, 100, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1, 3 * SEALED_CHUNK, 100_001] {
            let plain = hostile_plain(len);
            let body = seal_body(&mut Flip::new(protocol), &plain).unwrap();
            assert_eq!(open(protocol, &body.content_type, &body.bytes).unwrap(), plain);
        }
    }
}

#[test]
fn only_credssp_is_cut_into_chunks() {
    let groups = |protocol, len| {
        let body = seal_body(&mut Flip::new(protocol), &vec![b'x'; len]).unwrap();
        let count = body.bytes.windows(15).filter(|window| *window == b"OriginalContent").count();
        (body.content_type.split(';').next().unwrap().to_owned(), count)
    };
    assert_eq!(groups(SealProtocol::Spnego, 100_000), ("multipart/encrypted".to_owned(), 1));
    assert_eq!(groups(SealProtocol::CredSsp, SEALED_CHUNK), ("multipart/encrypted".to_owned(), 1));
    assert_eq!(groups(SealProtocol::CredSsp, SEALED_CHUNK + 1), ("multipart/x-multi-encrypted".to_owned(), 2));
}

#[test]
fn the_form_is_that_of_windows() {
    let body = seal_body(&mut Flip::new(SealProtocol::Spnego), b"abc").unwrap();
    assert_eq!(
        body.content_type,
        "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\""
    );
    let mut expected = b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
        \tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=3\r\n--Encrypted Boundary\r\n\
        \tContent-Type: application/octet-stream\r\n\x10\0\0\0"
        .to_vec();
    expected.extend([0; 16]);
    expected.extend(b"abc".map(|byte| byte ^ 0x5A));
    expected.extend(b"--Encrypted Boundary--\r\n");
    assert_eq!(body.bytes, expected);
    let json = seal_body_as(&mut Flip::new(SealProtocol::Spnego), "application/json", b"{}").unwrap();
    assert!(json.bytes.windows(38).any(|window| window == b"OriginalContent: type=application/json"));
}

#[test]
fn framing_of_stock_clients_is_read() {
    for (name, protocol) in [
        ("pypsrp-spnego", SealProtocol::Spnego),
        ("pywinrm-spnego", SealProtocol::Spnego),
        ("pywinrm-credssp", SealProtocol::CredSsp),
    ] {
        for len in [100, 40_000] {
            let recorded = crate::recorded::read(&format!("sealed/{name}-{len}.bin"));
            let end = recorded.iter().position(|byte| *byte == b'\n').unwrap();
            let content_type = std::str::from_utf8(&recorded[..end]).unwrap();
            let plain = open(protocol, content_type, &recorded[end + 1..]).unwrap();
            assert_eq!(plain.len(), len);
            assert!(plain.starts_with(b"<s:Envelope>--Encrypted Boundary--\r\n"));
        }
    }
}

#[test]
fn deviations_of_other_clients_are_tolerated() {
    for protocol in BOTH {
        let body = seal_body(&mut Flip::new(protocol), b"plain text").unwrap();
        // Latin-1, so that each byte is one character.
        let text: String = body.bytes.iter().copied().map(char::from).collect();
        for (from, to) in [
            ("\t", ""),
            ("--Encrypted Boundary", "-- Encrypted Boundary"),
            ("\r\n", "\n"),
            ("OriginalContent: ", "originalcontent:"),
            ("Content-Type: ", "CONTENT-TYPE:"),
            ("Length=", "length="),
            ("--Encrypted Boundary--\r\n", "--Encrypted Boundary--"),
        ] {
            let changed = text.replace(from, to);
            let bytes: Vec<u8> = changed.chars().map(|c| u8::try_from(c).unwrap()).collect();
            assert_eq!(open(protocol, &body.content_type, &bytes).unwrap(), b"plain text", "{protocol:?} {to:?}");
        }
    }
}

#[test]
fn the_length_field_of_credssp_is_ignored() {
    let body = seal_body(&mut Flip::new(SealProtocol::CredSsp), b"plain").unwrap();
    let at = body.bytes.windows(4).position(|window| window == [16, 0, 0, 0]).unwrap();
    let mut bytes = body.bytes.clone();
    bytes[at..at + 4].copy_from_slice(&[0xFF; 4]);
    assert_eq!(open(SealProtocol::CredSsp, &body.content_type, &bytes).unwrap(), b"plain");
    let body = seal_body(&mut Flip::new(SealProtocol::Spnego), b"plain").unwrap();
    let at = body.bytes.windows(4).position(|window| window == [16, 0, 0, 0]).unwrap();
    let mut bytes = body.bytes;
    bytes[at..at + 4].copy_from_slice(&[0xFF; 4]);
    let refused = open(SealProtocol::Spnego, &body.content_type, &bytes);
    assert_eq!(refused, Err(LimitExceeded::SealedHeader.into()));
}

#[test]
fn groups_are_read_however_they_are_cut() {
    for protocol in BOTH {
        let plain = hostile_plain(SEALED_CHUNK + 300);
        let body = seal_body(&mut Flip::new(protocol), &plain).unwrap();
        for size in [1, 7, 1000] {
            let (mut seal, mut opened) = (Flip::new(protocol), Vec::new());
            let mut reader = GroupReader::new(&body.content_type, protocol).unwrap();
            for piece in body.bytes.chunks(size) {
                reader.push(piece).unwrap();
                while let Some(group) = reader.next_group(&mut seal).unwrap() {
                    opened.extend_from_slice(&group);
                }
            }
            reader.finish().unwrap();
            assert!(reader.is_finished());
            assert_eq!(opened, plain);
        }
    }
}

#[test]
fn a_group_can_be_read_before_the_next_is_made() {
    for protocol in BOTH {
        let (mut sealing, mut opening) = (Flip::new(protocol), Flip::new(protocol));
        let mut writer = GroupWriter::new("application/json").unwrap();
        let mut reader = GroupReader::new(&streaming_content_type(protocol), protocol).unwrap().streaming();
        for number in 0..1000_u32 {
            let line = format!("{{\"line\":{number}}}\n");
            reader.push(&writer.group(&mut sealing, line.as_bytes()).unwrap()).unwrap();
            assert_eq!(&reader.next_group(&mut opening).unwrap().unwrap()[..], line.as_bytes());
            assert!(reader.next_group(&mut opening).unwrap().is_none());
            assert!(!reader.is_finished());
        }
    }
    let mut reader = GroupReader::new(&streaming_content_type(SealProtocol::Spnego), SealProtocol::Spnego).unwrap();
    reader.push(GroupWriter::new("application/json").unwrap().finish()).unwrap();
    assert!(reader.next_group(&mut Flip::new(SealProtocol::Spnego)).unwrap().is_none());
    assert!(reader.is_finished());
}

#[test]
fn every_truncation_is_refused() {
    for protocol in BOTH {
        let body = seal_body(&mut Flip::new(protocol), &hostile_plain(200)).unwrap();
        // Without the last line's end it is whole still.
        for end in 0..body.bytes.len() - 2 {
            assert!(open(protocol, &body.content_type, &body.bytes[..end]).is_err(), "{protocol:?} {end}");
        }
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    for protocol in BOTH {
        let body = seal_body(&mut Flip::new(protocol), b"x").unwrap();
        let longer = [&body.bytes[..], b"x"].concat();
        assert_eq!(open(protocol, &body.content_type, &longer), Err(Malformed::SealedBody.into()));
    }
}

fn changed(from: &str, to: &str) -> Result<Vec<u8>> {
    let body = seal_body(&mut Flip::new(SealProtocol::Spnego), b"plain").unwrap();
    let text: String = body.bytes.iter().copied().map(char::from).collect();
    assert!(text.contains(from));
    let bytes: Vec<u8> = text.replacen(from, to, 1).chars().map(|c| u8::try_from(c).unwrap()).collect();
    open(SealProtocol::Spnego, &body.content_type, &bytes)
}

#[test]
fn broken_groups_are_refused() {
    let malformed: Error = Malformed::SealedBody.into();
    for (from, to, error) in [
        ("Length=5", "Length=4", malformed),
        ("Length=5", "Length=6", malformed),
        ("Length=5", "Length=-5", malformed),
        ("Length=5", "Length=+5", malformed),
        ("Length=5", "Length=5;Length=5", malformed),
        (";Length=5", "", malformed),
        ("Length=5", "Length=99999999", LimitExceeded::MessageSize.into()),
        ("Length=5", "Length=99999999999999999999999", malformed),
        (
            "\tOriginalContent",
            "\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\tOriginalContent",
            malformed,
        ),
        ("\tOriginalContent", "\tX: y\r\n\tOriginalContent", malformed),
        ("application/octet-stream", "text/plain", malformed),
        ("HTTP-SPNEGO", "HTTP-CredSSP", PeerMisbehaved::SealLabel.into()),
        ("--Encrypted Boundary", "--Other", malformed),
        ("\t", &"x".repeat(600), LimitExceeded::SealedHeader.into()),
    ] {
        assert_eq!(changed(from, to), Err(error), "{to:.40}");
    }
}

#[test]
fn a_reader_that_failed_stays_failed() {
    let protocol = SealProtocol::Spnego;
    let mut reader = GroupReader::new(&streaming_content_type(protocol), protocol).unwrap();
    reader.push(b"garbage\r\n").unwrap();
    let error: Error = Malformed::SealedBody.into();
    for _ in 0..2 {
        assert_eq!(reader.next_group(&mut Flip::new(protocol)).unwrap_err(), error);
        assert_eq!(reader.push(b"x"), Err(error));
        assert_eq!(reader.finish(), Err(error));
    }
}

#[test]
fn sizes_and_counts_are_bounded() {
    let protocol = SealProtocol::Spnego;
    let mut reader = GroupReader::new(&streaming_content_type(protocol), protocol).unwrap();
    assert_eq!(reader.push(&vec![0; SEALED_BODY + 1]), Err(LimitExceeded::MessageSize.into()));
    // Very many groups of nothing.
    let empty = b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
        \tOriginalContent: type=x;Length=0\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n\x10\0\0\0SSSSSSSSSSSSSSSS";
    let refused = open(protocol, &streaming_content_type(protocol), &empty.repeat(300));
    assert_eq!(refused, Err(LimitExceeded::SealedParts.into()));
}

#[test]
fn content_types() {
    let good = streaming_content_type(SealProtocol::CredSsp);
    let read = |value: &str| GroupReader::new(value, SealProtocol::CredSsp).map(drop);
    assert_eq!(read(&good), Ok(()));
    assert_eq!(read(&good.replace(';', " ; ").replace("multipart", "MULTIPART").replace('"', "")), Ok(()));
    assert_eq!(read("application/soap+xml;charset=UTF-8"), Err(Unsupported::ContentType.into()));
    assert_eq!(read(&good.replace("CredSSP", "SPNEGO")), Err(PeerMisbehaved::SealLabel.into()));
    assert_eq!(read("multipart/encrypted"), Err(PeerMisbehaved::SealLabel.into()));
    assert_eq!(read(&good.replace("Encrypted Boundary", "")), Err(Malformed::SealedBody.into()));
    assert_eq!(read(&good.replace("Encrypted Boundary", &"x".repeat(71))), Err(Malformed::SealedBody.into()));
    assert_eq!(read(&format!("{good};boundary=\"x\"")), Err(Malformed::SealedBody.into()));
}

#[test]
fn nothing_is_not_sealed() {
    let mut seal = Flip::new(SealProtocol::Spnego);
    assert_eq!(seal_body(&mut seal, b""), Err(Misuse::WrongState.into()));
    assert_eq!(seal_body_as(&mut seal, "a\r\nb", b"x"), Err(Misuse::WrongState.into()));
}

/// Nobody would have to know a key for either.
#[test]
fn nothing_sealed_is_no_body() {
    for protocol in BOTH {
        let kind = streaming_content_type(protocol);
        assert_eq!(open(protocol, &kind, b"--Encrypted Boundary--\r\n"), Err(Malformed::SealedBody.into()));
    }
    let body = seal_body(&mut Flip::new(SealProtocol::CredSsp), b"abc").unwrap();
    let head = body.bytes.iter().position(|byte| *byte == 0x17).unwrap();
    let head = std::str::from_utf8(&body.bytes[..head]).unwrap().replace("Length=3", "Length=0");
    assert!(head.ends_with("octet-stream\r\n\x10\0\0\0"), "{head:?}");
    let empty = format!("{head}--Encrypted Boundary--\r\n");
    assert_eq!(open(SealProtocol::CredSsp, &body.content_type, empty.as_bytes()), Err(Malformed::SealedBody.into()));
}

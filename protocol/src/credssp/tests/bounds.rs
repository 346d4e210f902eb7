//! Tokens too many, too large, cut anywhere, or of something else altogether.

use super::*;
use crate::auth::tests::prefers_kerberos;
use crate::error::LimitExceeded;
use crate::limits::LOGIN_LEGS;

#[test]
fn two_messages_in_one_leg_are_refused() {
    let mut attacker = Attacker::connected();
    let negotiate = attacker.ntlm.negotiate();
    let message = TsRequest { nego_token: Some(&negotiate), ..TsRequest::ours() }.encode();
    let step = attacker.send_bytes(&message.repeat(2));
    assert_eq!(attacker.refused(step), PeerMisbehaved::TrailingBytes.into());
}

#[test]
fn legs_and_bytes_are_bounded() {
    let mut lazy = acceptor(InnerTls::Both);
    for _ in 0..LOGIN_LEGS {
        assert!(matches!(lazy.step(b""), AcceptStep::Continue { .. }));
    }
    let AcceptStep::Rejected { cause, .. } = lazy.step(b"") else { panic!("not bounded") };
    assert_eq!(cause, LimitExceeded::LoginLegs.into());

    let AcceptStep::Rejected { cause, .. } = acceptor(InnerTls::Both).step(&vec![22; LOGIN_TOKEN + 1]) else {
        panic!("not bounded")
    };
    assert_eq!(cause, LimitExceeded::LoginBytes.into());

    // A message that announces more than a login may have.
    let mut attacker = Attacker::connected();
    let step = attacker.send_bytes(&[0x30, 0x83, 0x10, 0, 0]);
    assert_eq!(attacker.refused(step), LimitExceeded::MessageSize.into());
    // One that comes in many legs, and is longer than it said.
    let mut attacker = Attacker::connected();
    let mut step = attacker.send_bytes(&[0x30, 0x82, 0xff, 0xf0]);
    while let AcceptStep::Continue { .. } = step {
        step = attacker.send_bytes(&[0; 16_000]);
    }
    assert_eq!(attacker.refused(step), LimitExceeded::MessageSize.into());
    // Messages that each are as large as one may be.
    let mut attacker = Attacker::connected();
    let (first, _) = prefers_kerberos(&[0; 60_000]);
    let step = attacker.send(&TsRequest { nego_token: Some(&first), ..TsRequest::ours() });
    attacker.answer(step);
    let step = attacker.send_bytes(&TsRequest { nego_token: Some(&[0; 65_000]), ..TsRequest::ours() }.encode());
    assert_eq!(attacker.refused(step), LimitExceeded::LoginBytes.into());
}

#[test]
fn first_tokens_that_are_no_tls_are_refused() {
    let tokens = [&b"NTLMSSP\0\x01\0\0\0"[..], b"GET / HTTP/1.1\r\n\r\n", &[0x60, 2, 6, 0], &[0xff; 100]];
    for token in tokens {
        let AcceptStep::Rejected { cause, claimed: None, .. } = acceptor(InnerTls::Both).step(token) else {
            panic!("not refused")
        };
        assert_eq!(cause, PeerMisbehaved::InnerTls.into());
    }
}

/// A client whose records are cut at every byte gets in all the same: TLS inside tokens is a stream.
#[test]
fn tokens_cut_at_every_byte_lead_to_the_same_login() {
    for inner_tls in [InnerTls::Tls12, InnerTls::Tls13] {
        for leg in 0..4 {
            let mut length = 2;
            let mut cut = 1;
            while cut < length {
                length = cut_login(inner_tls, leg, cut);
                cut += 1;
            }
        }
    }
}

/// Cuts the token of one leg in two; the token's length.
fn cut_login(inner_tls: InnerTls, cut_leg: usize, cut: usize) -> usize {
    let (mut acceptor, mut initiator) = (acceptor(inner_tls), initiator(Wrapping::Spnego, inner_tls, PASSWORD, None));
    let mut token = initiator.start().unwrap();
    let mut length = 0;
    for leg in 0.. {
        if leg == cut_leg {
            length = token.len();
            let AcceptStep::Continue { token: early } = acceptor.step(&token[..cut]) else { panic!("cut at {cut}") };
            assert!(early.is_empty());
            token.drain(..cut);
        }
        let AcceptStep::Continue { token: answer } = acceptor.step(&token) else { panic!("cut at {cut}") };
        match initiator.step(&answer).unwrap() {
            InitiateStep::Send { token: next } => token = next,
            InitiateStep::Deliver { token, .. } => {
                assert!(matches!(acceptor.step(&token), AcceptStep::Done { .. }));
                return length;
            }
        }
    }
    length
}

#[test]
fn sealed_chunks_cut_changed_or_of_another_length_fail_for_ever() {
    for inner_tls in [InnerTls::Tls12, InnerTls::Tls13] {
        let login = || pair(acceptor(inner_tls), initiator(Wrapping::Raw, inner_tls, PASSWORD, None)).unwrap();
        let mut paired = login();
        assert_eq!(paired.client.seal(&vec![0; SEALED_CHUNK + 1]).err(), Some(Misuse::ChunkSize.into()));
        assert_eq!(paired.client.seal(b"x").err(), Some(Misuse::ChunkSize.into()));
        for (plain_len, cut) in [(3, 0), (5, 0), (4, 1), (4, 20)] {
            let mut paired = login();
            let chunk = paired.client.seal(b"text").unwrap();
            let end = chunk.bytes.len() - cut;
            let error = Error::from(PeerMisbehaved::SealedLength);
            assert_eq!(paired.server.open(16, &chunk.bytes[..end], plain_len).err(), Some(error));
            assert_eq!(paired.server.open(16, &chunk.bytes, 4).err(), Some(error), "failed stays failed");
        }
        let mut paired = login();
        let mut chunk = paired.client.seal(b"text").unwrap();
        *chunk.bytes.last_mut().unwrap() ^= 1;
        assert_eq!(paired.server.open(16, &chunk.bytes, 4).err(), Some(PeerMisbehaved::InnerTls.into()));
        let mut paired = login();
        let chunk = paired.client.seal(b"text").unwrap();
        paired.server.open(16, &chunk.bytes, 4).unwrap();
        assert!(paired.server.open(16, &chunk.bytes, 4).is_err(), "a replay is refused");
    }
}

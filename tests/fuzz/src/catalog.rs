//! The catalogue of commands: imports of machines, and the compact form.

use super::pieces::Pieces;
use sekisho_policy::catalog::{Catalog, CommandInfo, Edition, Origin, encode, from_json, to_toml};

const EDITIONS: [Edition; 2] = [Edition::Windows51, Edition::Core7];

/// Any text as an import: what is taken has names, sets that exist, and the same compact form when read again.
pub fn import(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match from_json(text) {
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(!mistake.message.is_empty() && !mistake.hint.is_empty());
            }
        }
        Ok(commands) => {
            let document = to_toml(&commands);
            assert_eq!(document.matches("\n[[catalog.commands]]\n").count(), commands.len());
            let commands: Vec<(Origin, CommandInfo)> =
                commands.into_iter().map(|(_, info)| (Origin::Both, info)).collect();
            commands.iter().for_each(|(_, info)| sound(info));
            same_again(&commands);
        }
    }
}

/// Any compact form. An even first byte takes the rest as it is; after an odd one stand index and chunk as pieces,
/// which are packed here, so that what is behind the check sums is reached.
pub fn blob(input: &[u8]) {
    let Some((form, rest)) = input.split_first() else { return };
    let blob = if form & 1 == 0 { rest.to_vec() } else { packed(rest) };
    let Some(catalog) = Catalog::from_blob(blob) else { return };
    for (edition, name) in
        EDITIONS.into_iter().flat_map(|edition| catalog.names(edition).map(move |(name, _)| (edition, name)))
    {
        if let Some(info) = catalog.lookup(edition, name) {
            sound(&info);
        }
    }
    let commands: Vec<(Origin, CommandInfo)> =
        catalog.definitions().into_iter().map(|(origin, info)| (origin, (*info).clone())).collect();
    same_again(&commands);
}

/// What the judgement relies on: sets are there, and a parameter has a place at least where one was written.
fn sound(info: &CommandInfo) {
    assert!(info.default_set.is_none_or(|set| set < info.sets.len()));
    for place in info.parameters.iter().flat_map(|parameter| &parameter.membership) {
        assert!(place.set.is_none_or(|set| set < info.sets.len()), "a place in a set that is not there");
    }
}

fn same_again(commands: &[(Origin, CommandInfo)]) {
    let written = encode(commands).expect("what was read can be written");
    let read = Catalog::from_blob(written).expect("what was written can be read").definitions();
    let mut before: Vec<String> = commands.iter().map(|command| format!("{command:?}")).collect();
    let mut after: Vec<String> = read.iter().map(|(origin, info)| format!("{:?}", (origin, info.as_ref()))).collect();
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after, "read otherwise than written");
}

/// A blob of one index and one chunk. The sizes in the index are the fuzzer's own: it has to find them.
fn packed(input: &[u8]) -> Vec<u8> {
    let mut pieces = Pieces::new(input);
    let index = pieces.piece();
    let chunk = pieces.rest();
    let packed_index = stored(index);
    let mut blob = b"SKCT\x01".to_vec();
    number(&mut blob, index.len());
    number(&mut blob, packed_index.len());
    blob.extend_from_slice(&packed_index);
    blob.extend_from_slice(&stored(chunk));
    blob
}

fn number(out: &mut Vec<u8>, mut number: usize) {
    while number > 0x7F {
        out.push(u8::try_from(number & 0x7F).expect("seven bits") | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).expect("seven bits"));
}

/// A zlib stream of one block that is not compressed.
fn stored(raw: &[u8]) -> Vec<u8> {
    let raw = raw.get(..raw.len().min(usize::from(u16::MAX))).unwrap_or_default();
    let length = u16::try_from(raw.len()).expect("it was cut");
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in raw {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(raw);
    stream.extend_from_slice(&(high << 16 | low).to_be_bytes());
    stream
}

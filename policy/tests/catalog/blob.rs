//! The compact form: what is written is read, and a damaged one gives nothing.

use proptest::prelude::*;
use sekisho_policy::catalog::{
    Catalog, CommandInfo, Edition, Membership, Origin, ParameterInfo, ParameterKind, PipelineInput, Uncertainty,
    Unnamed, WorkflowParameters, encode,
};

use super::{BOTH, info};

const SHIPPED: &[u8] = include_bytes!("../../src/catalog/data/shipped.bin");

/// Asks for everything; whatever is there answers.
fn walk(catalog: &Catalog) -> usize {
    let names = BOTH.into_iter().flat_map(|edition| catalog.names(edition).map(move |(name, _)| (edition, name)));
    names.filter(|(edition, name)| catalog.lookup(*edition, name).is_some()).count()
}

fn small() -> Vec<u8> {
    let commands: Vec<(Origin, CommandInfo)> = (0..3)
        .map(|number| {
            let module = format!("Module{}", number % 2);
            (Origin::Both, CommandInfo { module, ..info(&format!("Get-Thing{number}")) })
        })
        .collect();
    encode(&commands).unwrap()
}

#[test]
fn the_same_commands_in_any_order_give_the_same_bytes() {
    let shipped = Catalog::shipped().definitions();
    let mut commands: Vec<(Origin, CommandInfo)> =
        shipped.iter().map(|(origin, info)| (*origin, (**info).clone())).collect();
    commands.reverse();
    let again = encode(&commands).unwrap();
    let read = Catalog::from_blob(again.clone()).unwrap().definitions();
    assert!(read == shipped, "read otherwise than written");
    let third = commands.len() / 3;
    commands.rotate_left(third);
    assert!(encode(&commands).unwrap() == again);
}

#[test]
fn a_form_that_is_cut_is_refused() {
    let whole = small();
    assert_eq!(walk(&Catalog::from_blob(whole.clone()).unwrap()), 6);
    for length in 0..whole.len() {
        assert!(Catalog::from_blob(whole[..length].to_vec()).is_none(), "{length} bytes were read");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(Catalog::from_blob(longer).is_none());
}

#[test]
fn a_form_with_a_flipped_bit_gives_nothing_that_was_not_written() {
    let whole = small();
    let written = Catalog::from_blob(whole.clone()).unwrap().definitions();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Some(catalog) = Catalog::from_blob(damaged) {
            let read = catalog.definitions();
            assert!(read.iter().all(|entry| written.contains(entry)), "bit {bit} changed a definition");
            assert!(walk(&catalog) <= 6);
        }
    }
}

#[test]
fn damage_in_one_module_leaves_the_others() {
    let mut damaged = SHIPPED.to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 0xFF;
    let catalog = Catalog::from_blob(damaged).unwrap();
    assert!(catalog.lookup(Edition::Windows51, "Get-Service").is_some());
    let (missing, module): (Vec<_>, Vec<_>) = catalog
        .names(Edition::Windows51)
        .filter(|(name, _)| catalog.lookup(Edition::Windows51, name).is_none())
        .unzip();
    assert!(!missing.is_empty(), "the damage was not noticed");
    assert!(module.iter().all(|module| *module == module_of_last()), "{module:?}");
}

fn module_of_last() -> &'static str {
    let shipped = Catalog::shipped();
    let modules = shipped.names(Edition::Windows51).map(|(_, module)| module);
    modules.max().unwrap()
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z印]{1,8}"
}

prop_compose! {
    fn place(sets: usize)(set in 0..sets, position in prop::option::of(0..300_u32), mandatory in any::<bool>())
        -> Membership
    {
        Membership { set: Some(set), position, mandatory }
    }
}

fn parameter() -> impl Strategy<Value = ParameterInfo> {
    let kind = prop_oneof![
        Just(ParameterKind::Switch(Uncertainty::Sure)),
        Just(ParameterKind::Switch(Uncertainty::Doubtful)),
        word().prop_map(ParameterKind::Value),
    ];
    let lists =
        (prop::collection::vec(word(), 0..3), prop::collection::vec(word(), 0..3), prop::collection::vec(word(), 0..2));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (word(), kind, prop::collection::vec(place(3), 1..4), lists, flags).prop_map(
        |(name, kind, membership, (aliases, values, dynamic), (value, property, remaining, wildcards))| ParameterInfo {
            aliases,
            membership,
            pipeline: PipelineInput { value, property },
            remaining,
            wildcards,
            values,
            dynamic,
            ..ParameterInfo::new(name, kind)
        },
    )
}

fn command() -> impl Strategy<Value = (Origin, CommandInfo)> {
    let origin = prop::sample::select(vec![Origin::Windows51, Origin::Core7, Origin::Both, Origin::WindowsServer]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let lists = (prop::collection::vec(word(), 0..3), prop::option::of(0..3_usize));
    (origin, word(), word(), flags, lists, prop::collection::vec(parameter(), 0..4)).prop_map(
        |(
            origin,
            name,
            module,
            (common, should_process, transactions, workflow, refuse),
            (doubts, default),
            parameters,
        )| {
            let info = CommandInfo {
                common,
                should_process,
                transactions,
                workflow: if workflow { WorkflowParameters::Taken } else { WorkflowParameters::None },
                unnamed: if refuse { Unnamed::Refuse } else { Unnamed::Bind },
                sets: vec!["A".to_owned(), "B".to_owned(), "C d".to_owned()],
                default_set: default,
                doubts: doubts.clone(),
                aliases: doubts,
                parameters,
                ..CommandInfo::new(name, module)
            };
            (origin, info)
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(commands in prop::collection::vec(command(), 0..8)) {
        let read = Catalog::from_blob(encode(&commands).unwrap()).unwrap().definitions();
        let mut read: Vec<(Origin, CommandInfo)> = read.into_iter().map(|(origin, info)| (origin, (*info).clone())).collect();
        let mut written = commands;
        let key = |(origin, info): &(Origin, CommandInfo)| (info.module.clone(), info.name.clone(), *origin, format!("{info:?}"));
        read.sort_by_key(key);
        written.sort_by_key(key);
        prop_assert_eq!(read, written);
    }

    #[test]
    fn no_bytes_make_the_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..400_usize) {
        let mut damaged = small();
        let at = at.min(damaged.len());
        damaged.splice(at..at, bytes.clone());
        for blob in [bytes, damaged] {
            if let Some(catalog) = Catalog::from_blob(blob) {
                walk(&catalog);
            }
        }
    }
}

//! What a policy makes of the catalogue.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sekisho_policy::catalog::{Catalog, CatalogMode, CommandInfo, Edition, Source};

use super::{BOTH, info};

/// Names of which some are shipped, in odd case.
fn name() -> impl Strategy<Value = String> {
    let names =
        ["Get-Service", "GET-SERVICE", "Get-EventLog", "Test-Json", "Get-WebAppPoolState", "Get-Own", "get-own"];
    prop::sample::select(names.to_vec()).prop_map(str::to_owned)
}

fn editions() -> impl Strategy<Value = Vec<Edition>> {
    prop::sample::subsequence(BOTH.to_vec(), 0..=2)
}

proptest! {
    #[test]
    fn own_commands_win_in_their_editions_and_nothing_else_changes(
        own in prop::collection::vec((name(), editions()), 0..6),
        replace in any::<bool>(),
        asked in name(),
    ) {
        let mut expected: BTreeMap<(Edition, String), String> = BTreeMap::new();
        let mut commands: Vec<(Vec<Edition>, CommandInfo)> = Vec::new();
        for (number, (name, editions)) in own.iter().enumerate() {
            let module = format!("Own{number}");
            for edition in editions {
                expected.insert((*edition, name.to_ascii_lowercase()), module.clone());
            }
            commands.push((editions.clone(), CommandInfo { module, ..info(name) }));
        }
        let mode = if replace { CatalogMode::Replace } else { CatalogMode::Extend };
        let catalog = Catalog::build(mode, commands);
        for edition in BOTH {
            let found = catalog.lookup(edition, &asked);
            let folded = asked.to_ascii_lowercase();
            match expected.get(&(edition, folded.clone())) {
                Some(module) => {
                    prop_assert_eq!(&found.unwrap().module, module);
                    prop_assert_eq!(catalog.source(edition, &asked), Some(Source::Policy));
                }
                None if replace => prop_assert!(found.is_none()),
                None => {
                    prop_assert_eq!(found, Catalog::shipped().lookup(edition, &asked));
                    prop_assert_eq!(catalog.source(edition, &asked), Catalog::shipped().source(edition, &asked));
                }
            }
            let listed = catalog.names(edition).filter(|(name, _)| name.to_ascii_lowercase() == folded).count();
            prop_assert_eq!(listed, usize::from(catalog.lookup(edition, &asked).is_some()));
        }
    }
}

#[test]
fn an_empty_replacement_knows_nothing() {
    let catalog = Catalog::build(CatalogMode::Replace, Vec::new());
    assert_eq!(catalog.names(Edition::Windows51).count(), 0);
    assert!(catalog.definitions().is_empty());
    assert!(catalog.lookup(Edition::Windows51, "Get-Service").is_none());
}

#[test]
fn what_is_shipped_does_not_change_by_what_a_policy_adds() {
    let before = Catalog::shipped().lookup(Edition::Windows51, "Get-Service");
    let own = vec![(BOTH.to_vec(), info("Get-Service"))];
    let catalog = Catalog::build(CatalogMode::Extend, own);
    assert_ne!(catalog.lookup(Edition::Windows51, "Get-Service"), before);
    assert_eq!(Catalog::shipped().lookup(Edition::Windows51, "Get-Service"), before);
}

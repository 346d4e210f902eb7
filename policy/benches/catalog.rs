//! How long it takes until the shipped catalogue answers, and how long an answer takes then.
#![expect(clippy::expect_used, reason = "a benchmark without a catalogue has nothing to measure")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sekisho_policy::catalog::{Catalog, Edition};

const BLOB: &[u8] = include_bytes!("../src/catalog/data/shipped.bin");

fn open() -> Catalog {
    Catalog::from_blob(BLOB.to_vec()).expect("it is whole")
}

fn benches(criterion: &mut Criterion) {
    let edition = Edition::Windows51;
    criterion.bench_function("open the catalogue: all names", |bench| bench.iter(open));
    for (what, name) in [("a small module", "Restart-WebAppPool"), ("the largest module", "Get-VM")] {
        let first = |catalog: Catalog| catalog.lookup(edition, name).expect("it is shipped");
        criterion.bench_function(&format!("first command of {what}"), |bench| {
            bench.iter_batched(open, first, BatchSize::LargeInput);
        });
    }
    criterion.bench_function("everything, once", |bench| {
        bench.iter_batched(open, |catalog| catalog.definitions().len(), BatchSize::LargeInput);
    });
    let catalog = Catalog::shipped();
    for (what, name) in [("a known command", "restart-service"), ("an unknown command", "Restart-Nothing")] {
        assert_eq!(catalog.lookup(edition, name).is_some(), what == "a known command");
        criterion.bench_function(&format!("look {what} up"), |bench| {
            bench.iter(|| catalog.lookup(black_box(edition), black_box(name)));
        });
    }
}

criterion_group!(group, benches);
criterion_main!(group);

//! What Latchkey costs inside one process, by criterion: each row beside its peer, with the ratio of the same run.
//!
//! `cargo bench --bench in_process`. Processes and storms are in `cargo bench --bench table`, with the table of all rows.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

mod common;

use std::time::Duration;

use common::pair::{Pair, measure};
use common::rows;
use criterion::{Criterion, criterion_group, criterion_main};

/// Turns for the ratio, after criterion's own measurement of both.
const TURNS: usize = 40;

fn in_process(criterion: &mut Criterion) {
    for mut pair in rows::all() {
        let mut group = criterion.benchmark_group(pair.name);
        let Pair { thing, peer, peer_name, .. } = &mut pair;
        group.bench_function("latchkey", |bencher| bencher.iter_custom(&mut *thing));
        group.bench_function(*peer_name, |bencher| bencher.iter_custom(&mut *peer));
        group.finish();
        let (thing, peer) = measure(&mut pair, TURNS);
        let ratio = pair.limit.ratio(thing.median, peer.median);
        let tenth = pair.limit.ratio(thing.tenth, peer.tenth);
        let (thing, peer) = (thing.median, peer.median);
        let verdict = if pair.limit.holds(ratio) { "holds" } else { "MISSED" };
        println!(
            "{}: {thing:.2?}, {}: {peer:.2?}; ratio {ratio:.2} ({tenth:.2}), to reach {}: {verdict}\n",
            pair.name, pair.peer_name, pair.limit
        );
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = in_process
}
criterion_main!(benches);

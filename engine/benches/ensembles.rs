//! Ensembles, dense networks and a pipeline, model by model: criterion's statistics of one row and of batches of 1,024, rows taking turns.

use std::cell::RefCell;

use criterion::{BatchSize, Criterion, Throughput};
use finai_engine_benches::Case;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for case in Case::all("") {
        for mut contender in case.contenders() {
            for size in [1, 1024] {
                let mut group = criterion.benchmark_group(format!("{}/{size}", case.name));
                group.throughput(Throughput::Elements(size as u64));
                let batches = RefCell::new(case.table.batches(size).cycle());
                let contender = RefCell::new(&mut contender);
                let fill = || {
                    let batch = batches.borrow_mut().next();
                    contender
                        .borrow_mut()
                        .fill(&case.table, batch.expect("rows"));
                };
                let name = contender.borrow().name();
                group.bench_function(name, |bencher| {
                    bencher.iter_batched(
                        fill,
                        |()| contender.borrow_mut().score(),
                        BatchSize::PerIteration,
                    )
                });
            }
        }
    }
    criterion.final_summary();
}

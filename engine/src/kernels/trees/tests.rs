//! Laid-out ensembles against a walk over the vertices as the file lists them.

use super::build::{Branch, Mode, Source, Vertex, Weight};
use super::ensemble::{Aggregate, Ensemble};
use super::node::{Node, Packed, Real, Wide};
use crate::kernels::Rows;

/// A reproducible sequence of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Few distinct values, so that thresholds are met exactly; all that is special about floats.
    fn value(&mut self) -> f32 {
        const VALUES: [f32; 11] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            2.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MIN_POSITIVE,
            1e-45,
            f32::MAX,
        ];
        VALUES[self.below(VALUES.len())]
    }

    fn feature(&mut self) -> f32 {
        if self.below(5) == 0 {
            f32::NAN
        } else {
            self.value()
        }
    }
}

const WIDTH: usize = 6;

fn grow(
    random: &mut Random,
    source: &mut Source,
    depth: usize,
    tree: usize,
    spread: bool,
) -> usize {
    let id = source.vertices.len();
    source.vertices.push(Vertex::Leaf { first: 0, count: 0 });
    if depth == 0 || random.below(6) == 0 {
        let first = source.weights.len();
        for target in 0..source.targets {
            let here = if spread {
                random.below(2) == 0
            } else {
                target == tree % source.targets
            };
            if here {
                source.weights.push(Weight {
                    target,
                    value: random.below(1000) as f32 / 8.0 - 50.0,
                });
            }
        }
        source.vertices[id] = Vertex::Leaf {
            first,
            count: source.weights.len() - first,
        };
        return id;
    }
    let modes = [
        Mode::Leq,
        Mode::Lt,
        Mode::Gte,
        Mode::Gt,
        Mode::Eq,
        Mode::Neq,
    ];
    let (yes, no) = (
        grow(random, source, depth - 1, tree, spread),
        grow(random, source, depth - 1, tree, spread),
    );
    source.vertices[id] = Vertex::Branch(Branch {
        mode: modes[random.below(modes.len())],
        feature: random.below(WIDTH),
        threshold: random.value(),
        missing_yes: random.below(2) == 0,
        yes,
        no,
    });
    id
}

/// The leaf that a row reaches, by the definition of the modes.
fn leaf(source: &Source, root: usize, row: &[f32]) -> (usize, usize) {
    let mut at = root;
    loop {
        match source.vertices[at] {
            Vertex::Leaf { first, count } => return (first, count),
            Vertex::Branch(b) => {
                let x = row[b.feature];
                let holds = match b.mode {
                    Mode::Leq => x <= b.threshold,
                    Mode::Lt => x < b.threshold,
                    Mode::Gte => x >= b.threshold,
                    Mode::Gt => x > b.threshold,
                    Mode::Eq => x == b.threshold,
                    Mode::Neq => x != b.threshold,
                };
                at = if holds || (x.is_nan() && b.missing_yes) {
                    b.yes
                } else {
                    b.no
                };
            }
        }
    }
}

/// Aggregates of one row, target by target; `None` where no leaf contributed.
fn expected(source: &Source, aggregate: Aggregate, row: &[f32]) -> Vec<Option<f32>> {
    let mut sums = vec![None; source.targets];
    for root in &source.roots {
        let (first, count) = leaf(source, *root, row);
        for weight in &source.weights[first..first + count] {
            let sum: &mut Option<f32> = &mut sums[weight.target];
            *sum = Some(match (*sum, aggregate) {
                (None, _) => weight.value,
                (Some(s), Aggregate::Min) => s.min(weight.value),
                (Some(s), Aggregate::Max) => s.max(weight.value),
                (Some(s), _) => s + weight.value,
            });
        }
    }
    if aggregate == Aggregate::Average {
        sums.iter_mut()
            .flatten()
            .for_each(|s| *s /= source.roots.len() as f32);
    }
    sums
}

fn check<N: Node>(source: &Source, aggregate: Aggregate, rows: &[Vec<f32>]) {
    let ensemble = Ensemble::<N>::new(source, aggregate, WIDTH).unwrap();
    let cells: Vec<N::Value> = rows
        .iter()
        .flatten()
        .map(|x| N::Value::from_f32(*x))
        .collect();
    for size in [1, 7, 8, 20, rows.len()] {
        for (first, chunk) in rows.chunks(size).enumerate() {
            let view = Rows::new(&cells, first * size * WIDTH, WIDTH, WIDTH, chunk.len()).unwrap();
            let mut sums = vec![N::Value::default(); chunk.len() * source.targets];
            let mut seen = vec![false; sums.len()];
            ensemble.evaluate(&view, &mut sums, &mut seen);
            for (i, row) in chunk.iter().enumerate() {
                for (t, expected) in expected(source, aggregate, row).into_iter().enumerate() {
                    let cell = i * source.targets + t;
                    // Weights are multiples of 1/8, so that sums are exact; averages are rounded once.
                    let difference = (sums[cell].to_f32() - expected.unwrap_or(0.0)).abs();
                    assert!(
                        difference <= 1e-5,
                        "{aggregate:?} row {row:?}: off by {difference}"
                    );
                    assert_eq!(
                        seen[cell],
                        expected.is_some(),
                        "{aggregate:?} row {row:?} target {t}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_layout_agrees_with_a_plain_walk() {
    let mut random = Random(7);
    for round in 0..120 {
        let spread = round % 3 == 0;
        let mut source = Source {
            targets: 1 + random.below(4),
            ..Source::default()
        };
        for tree in 0..1 + random.below(20) {
            let depth = random.below(8);
            let root = grow(&mut random, &mut source, depth, tree, spread);
            source.roots.push(root);
        }
        let rows: Vec<Vec<f32>> = (0..50)
            .map(|_| (0..WIDTH).map(|_| random.feature()).collect())
            .collect();
        for aggregate in [
            Aggregate::Sum,
            Aggregate::Average,
            Aggregate::Min,
            Aggregate::Max,
        ] {
            check::<Packed>(&source, aggregate, &rows);
            check::<Wide<f32>>(&source, aggregate, &rows);
            check::<Wide<f64>>(&source, aggregate, &rows);
        }
    }
}

#[test]
fn what_does_not_fit_eight_bytes_is_laid_out_wide() {
    let mut source = Source {
        targets: 1,
        ..Source::default()
    };
    source.weights = vec![
        Weight {
            target: 0,
            value: 1.0,
        },
        Weight {
            target: 0,
            value: 2.0,
        },
    ];
    source.vertices = vec![
        Vertex::Branch(Branch {
            mode: Mode::Leq,
            feature: 5000,
            threshold: 0.0,
            missing_yes: false,
            yes: 1,
            no: 2,
        }),
        Vertex::Leaf { first: 0, count: 1 },
        Vertex::Leaf { first: 1, count: 1 },
    ];
    source.roots = vec![0];
    assert!(Ensemble::<Packed>::new(&source, Aggregate::Sum, 5001).is_none());
    assert!(Ensemble::<Wide<f32>>::new(&source, Aggregate::Sum, 5000).is_none());
    let wide = Ensemble::<Wide<f32>>::new(&source, Aggregate::Sum, 5001).unwrap();
    let mut row = vec![9.0; 5001];
    row[5000] = -1.0;
    let (mut sums, mut seen) = ([0.0], [false]);
    wide.evaluate(
        &Rows::new(&row, 0, 5001, 5001, 1).unwrap(),
        &mut sums,
        &mut seen,
    );
    assert_eq!((sums, seen), ([1.0], [true]));
}

//! Laid-out ensembles against a walk over the vertices as the file lists them, bit for bit.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::blocks::Blocks;
use super::build::{Branch, Mode, Source, Vertex, Weight, layout};
use super::ensemble::{Aggregate, Ensemble};
use super::floats::Floats;
use super::masks::Masks;
use super::node::{Node, Packed, Real, Wide};
use super::payload::Payload;
use crate::kernels::{Register, Rows};

/// Few distinct values, so that thresholds are met exactly; all that is special about floats.
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

/// A set is filled in where the tree grows.
const MODES: [Mode; 7] = [
    Mode::Leq,
    Mode::Lt,
    Mode::Gte,
    Mode::Gt,
    Mode::Eq,
    Mode::Neq,
    Mode::Member { first: 0, end: 0 },
];

const AGGREGATES: [Aggregate; 4] = [
    Aggregate::Sum,
    Aggregate::Average,
    Aggregate::Min,
    Aggregate::Max,
];

/// A leaf of the tree so far that becomes a branch over two leaves.
#[derive(Debug, Clone)]
struct Split {
    leaf: Index,
    mode: Mode,
    feature: Index,
    threshold: f32,
    missing: bool,
    members: Vec<f32>,
}

/// Which targets a leaf has weights for.
#[derive(Debug, Clone, Copy)]
enum Spread {
    One,
    All,
    Some,
}

fn tree(splits: usize, modes: &'static [Mode]) -> impl Strategy<Value = Vec<Split>> {
    let split = (
        any::<Index>(),
        select(modes),
        any::<Index>(),
        select(&VALUES),
        any::<bool>(),
        prop::collection::vec(select(&VALUES), 0..6),
    );
    let split = split.prop_map(|(leaf, mode, feature, threshold, missing, members)| Split {
        leaf,
        mode,
        feature,
        threshold,
        missing,
        members,
    });
    prop::collection::vec(split, 0..splits)
}

fn grow(trees: &[Vec<Split>], width: usize, targets: usize, spread: Spread) -> Source {
    let mut source = Source {
        targets,
        ..Source::default()
    };
    for (number, splits) in trees.iter().enumerate() {
        let root = source.vertices.len();
        source.roots.push(root);
        let mut open = vec![leaf(&mut source, number, spread)];
        for split in splits {
            let at = open.swap_remove(split.leaf.index(open.len()));
            let yes = leaf(&mut source, number, spread);
            let no = leaf(&mut source, number, spread);
            source.vertices[at] = Vertex::Branch(Branch {
                mode: set(&mut source, split),
                feature: split.feature.index(width),
                threshold: split.threshold.into(),
                missing_yes: split.missing,
                yes,
                no,
            });
            open.extend([yes, no]);
        }
    }
    source
}

fn set(source: &mut Source, split: &Split) -> Mode {
    if !matches!(split.mode, Mode::Member { .. }) {
        return split.mode;
    }
    let first = source.members.len() as u32;
    let mut members: Vec<f64> = split.members.iter().map(|m| f64::from(*m)).collect();
    members.sort_by(f64::total_cmp);
    source.members.append(&mut members);
    let end = source.members.len() as u32;
    Mode::Member { first, end }
}

/// A new leaf whose weights no sum is exact for.
fn leaf(source: &mut Source, tree: usize, spread: Spread) -> usize {
    let (first, id) = (source.weights.len(), source.vertices.len());
    let targets = source.targets;
    let here = |target: &usize| match spread {
        Spread::One => *target == tree % targets,
        Spread::All => true,
        Spread::Some => (id * 7 + target).is_multiple_of(3),
    };
    for target in (0..targets).filter(here) {
        let value = f64::from(((id * 37 + target * 11) % 1000) as f32 / 7.0 - 60.0);
        source.weights.push(Weight { target, value });
    }
    let count = source.weights.len() - first;
    source.vertices.push(Vertex::Leaf { first, count });
    id
}

/// The weights of the leaf that a row reaches, by the definition of the modes.
fn reached<'a, T: Real>(source: &'a Source, root: usize, row: &[T]) -> &'a [Weight] {
    let mut at = root;
    loop {
        match source.vertices[at] {
            Vertex::Leaf { first, count } => return &source.weights[first..first + count],
            Vertex::Branch(b) => {
                let (x, threshold) = (row[b.feature], T::from_f64(b.threshold));
                let holds = match b.mode {
                    Mode::Leq => x <= threshold,
                    Mode::Lt => x < threshold,
                    Mode::Gte => x >= threshold,
                    Mode::Gt => x > threshold,
                    Mode::Eq => x == threshold,
                    Mode::Neq => x != threshold,
                    Mode::Member { first, end } => source.members[first as usize..end as usize]
                        .iter()
                        .any(|m| x == T::from_f64(*m)),
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
fn expected<T: Real>(source: &Source, aggregate: Aggregate, row: &[T]) -> Vec<Option<T>> {
    let mut sums: Vec<Option<T>> = vec![None; source.targets];
    for root in &source.roots {
        for weight in reached(source, *root, row) {
            let (sum, value) = (&mut sums[weight.target], T::from_f64(weight.value));
            *sum = Some(match (*sum, aggregate) {
                (None, Aggregate::Min | Aggregate::Max) => value,
                (Some(s), Aggregate::Min) => {
                    if s <= value {
                        s
                    } else {
                        value
                    }
                }
                (Some(s), Aggregate::Max) => {
                    if s >= value {
                        s
                    } else {
                        value
                    }
                }
                (s, _) => s.unwrap_or_default() + value,
            });
        }
    }
    if aggregate == Aggregate::Average {
        sums.iter_mut()
            .flatten()
            .for_each(|s| *s = s.divide(source.roots.len()));
    }
    sums
}

/// Compares what `evaluate(rows, sums, seen)` gives in batches of several sizes.
fn check<T: Real>(
    source: &Source,
    aggregate: Aggregate,
    width: usize,
    cells: &[f32],
    mut evaluate: impl FnMut(&Rows<'_, T>, &mut [T], &mut [bool]),
) -> Result<(), TestCaseError> {
    let cells: Vec<T> = cells.iter().map(|x| T::from_f64(f64::from(*x))).collect();
    let rows = cells.len() / width;
    for size in [1, 2, 7, 16, 21, 64, rows] {
        for first in (0..rows).step_by(size) {
            let count = size.min(rows - first);
            let view = Rows::new(&cells, first * width, width, width, count).unwrap();
            let mut sums = vec![T::NAN; count * source.targets];
            let mut seen = vec![false; sums.len()];
            evaluate(&view, &mut sums, &mut seen);
            for (i, row) in view.iter().enumerate() {
                for (t, expected) in expected(source, aggregate, row).into_iter().enumerate() {
                    let cell = i * source.targets + t;
                    let wanted = (expected.unwrap_or_default(), expected.is_some());
                    prop_assert!(
                        format!("{:?}", (sums[cell], seen[cell])) == format!("{wanted:?}"),
                        "{aggregate:?} row {row:?} in {size}: {:?} for {wanted:?}",
                        (sums[cell], seen[cell])
                    );
                }
            }
        }
    }
    Ok(())
}

fn walks<N: Node>(
    source: &Source,
    aggregate: Aggregate,
    width: usize,
    cells: &[f32],
) -> Result<(), TestCaseError> {
    let ensemble = Ensemble::<N>::new(source, aggregate, width).unwrap();
    check(source, aggregate, width, cells, |rows, sums, seen| {
        ensemble.evaluate(rows, sums, seen)
    })
}

fn feature() -> impl Strategy<Value = f32> {
    prop_oneof![4 => select(&VALUES), 1 => Just(f32::NAN)]
}

/// Up to `trees` trees of up to `splits` branches, and rows.
fn case(
    trees: usize,
    splits: usize,
    modes: &'static [Mode],
) -> impl Strategy<Value = (Source, usize, Vec<f32>)> {
    let spread = select(&[Spread::One, Spread::All, Spread::Some]);
    let trees = prop::collection::vec(tree(splits, modes), 1..=trees);
    (
        trees,
        1..4usize,
        spread,
        select(&[1usize, 2, 6, 16, 17, 32, 33, 70]),
        1..90usize,
    )
        .prop_flat_map(|(trees, targets, spread, width, rows)| {
            let source = grow(&trees, width, targets, spread);
            let cells = prop::collection::vec(feature(), width * rows);
            (Just(source), Just(width), cells)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn every_walk_agrees_with_the_definition(
        (source, width, cells) in case(20, 40, &MODES),
        aggregate in select(&AGGREGATES),
    ) {
        walks::<Packed>(&source, aggregate, width, &cells)?;
        walks::<Wide<f32>>(&source, aggregate, width, &cells)?;
        walks::<Wide<f64>>(&source, aggregate, width, &cells)?;
    }

    #[test]
    fn what_this_processor_chooses_agrees_with_the_definition(
        (source, width, cells) in prop_oneof![case(20, 120, &MODES), case(20, 24, &MODES[..4])],
        aggregate in select(&AGGREGATES),
    ) {
        let floats = Floats::new(&source, aggregate, width).unwrap();
        let mut registers = vec![Register::default(); floats.registers() * cells.len().div_ceil(16)];
        check(&source, aggregate, width, &cells, |rows, sums, seen| {
            floats.evaluate(rows, sums, seen, &mut registers)
        })?;
    }

    /// Trees on both sides of the exits that a top has, so that some go on below and others do not.
    #[test]
    fn blocks_agree_with_the_definition((source, width, cells) in case(6, 70, &MODES), average in any::<bool>()) {
        let aggregate = if average { Aggregate::Average } else { Aggregate::Sum };
        let layout = layout::<Packed>(&source).unwrap();
        let payload = Payload::new(&source, &layout, aggregate).unwrap();
        if let (Payload::Dense(dense), true) = (&payload, super::has_vectors()) {
            let blocks = Blocks::new(&layout, dense, source.targets, average).unwrap();
            let mut registers = vec![Register::default(); blocks.registers() * cells.len().div_ceil(16)];
            let walks = Ensemble::<Packed>::new(&source, aggregate, width).unwrap();
            check(&source, aggregate, width, &cells, |rows, sums, seen| {
                let deep = walks.deep();
                assert!(blocks.evaluate(deep, rows, sums, seen, &mut registers));
            })?;
        }
    }

    /// An equality has its leaves twice, a set more often: without it trees of 32 leaves fit masks.
    #[test]
    fn masks_agree_with_the_definition((source, width, cells) in case(40, 31, &MODES[..4]), average in any::<bool>()) {
        let aggregate = if average { Aggregate::Average } else { Aggregate::Sum };
        let layout = layout::<Packed>(&source).unwrap();
        let payload = Payload::new(&source, &layout, aggregate).unwrap();
        if let (Payload::Dense(dense), true) = (&payload, super::has_vectors())
            && dense.width == 1
        {
            let masks = Masks::lay_out(&layout, dense, source.targets, average, width).unwrap();
            check(&source, aggregate, width, &cells, |rows, sums, seen| masks.evaluate(rows, sums, seen))?;
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

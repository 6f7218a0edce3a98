//! Kernels against straightforward twins, on inputs that proptest makes up.

use proptest::prelude::*;

use super::along::{Axis, Extreme, Reduce, Reduction};
use super::label::{Keys, LabelEncoder, Table};
use super::svm::{Similarity, SvmRegressor, Vectors};
use super::text::pattern::Pattern;
use super::text::tfidf::{Mode, Pool, TfIdf, Vocabulary};
use super::text::tokenise::{Cut, Cutting, Tokeniser};
use super::{Arena, Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, Span, slab};

fn scratch(kernel: &dyn Kernel) -> Scratch {
    Scratch {
        f32: vec![0.0; kernel.scratch().f32],
        ..Scratch::default()
    }
}

/// The f32 cells that a kernel makes of one row.
fn floats(kernel: &dyn Kernel, x: Slab<'_>, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; width];
    let rows = RowsMut::new(&mut out, 0, width, width, 1).unwrap();
    kernel
        .run(&[x], &mut [SlabMut::F32(rows)], &mut scratch(kernel))
        .unwrap();
    out
}

fn row<T>(cells: &[T]) -> Rows<'_, T> {
    Rows::new(cells, 0, cells.len(), cells.len(), 1).unwrap()
}

/// Texts of few letters, so that tokens repeat.
fn text() -> impl Strategy<Value = String> {
    "[ab éB.]{0,24}"
}

proptest! {
    #[test]
    fn support_vectors(
        x in prop::collection::vec(-2.0f32..2.0, 5),
        vectors in prop::collection::vec(prop::collection::vec(-2.0f32..2.0, 5), 1..6),
        coefficients in prop::collection::vec(-1.0f32..1.0, 6),
        (gamma, coef0) in (0.01f32..0.5, -1.0f32..1.0),
        kind in 0..4,
    ) {
        let similarity = match kind {
            0 => Similarity::Linear,
            1 => Similarity::Poly { gamma, coef0, degree: 3.0 },
            2 => Similarity::Rbf { gamma },
            _ => Similarity::Sigmoid { gamma, coef0 },
        };
        let kernel = SvmRegressor {
            vectors: Vectors::new(&vectors.concat(), 5, similarity),
            coefficients: coefficients[..vectors.len()].to_vec(),
            rho: 0.5,
            one_class: false,
        };
        let found = f64::from(floats(&kernel, Slab::F32(row(&x)), 1)[0]);
        let (gamma, coef0) = (f64::from(gamma), f64::from(coef0));
        let expected: f64 = vectors.iter().zip(&coefficients).map(|(v, c)| {
            let pairs = || x.iter().zip(v).map(|(x, v)| (f64::from(*x), f64::from(*v)));
            let dot: f64 = pairs().map(|(x, v)| x * v).sum();
            let value = match kind {
                0 => dot,
                1 => (gamma * dot + coef0).powi(3),
                2 => (-gamma * pairs().map(|(x, v)| (x - v).powi(2)).sum::<f64>()).exp(),
                _ => (gamma * dot + coef0).tanh(),
            };
            value * f64::from(*c)
        }).sum::<f64>() + 0.5;
        prop_assert!((found - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{found} {expected}");
    }

    #[test]
    fn encoded_labels(
        keys in prop::collection::vec("[a-c]{0,2}", 1..20),
        values in prop::collection::vec("[x-z]{0,3}", 20),
        cells in prop::collection::vec("[a-c]{0,2}", 1..10),
    ) {
        let table = values[..keys.len()].iter().map(|v| v.as_str().into()).collect();
        let kernel = LabelEncoder { keys: Keys::texts(&keys), table: Table::Text(table, "?".into()) };
        let mut from = Arena::default();
        let spans: Vec<Span> = cells.iter().map(|c| from.push(c).unwrap()).collect();
        let (mut out, mut to) = (vec![Span::default(); cells.len()], Arena::default());
        let rows = RowsMut::new(&mut out, 0, cells.len(), cells.len(), 1).unwrap();
        let input = Slab::Text(row(&spans), from.as_str());
        kernel.run(&[input], &mut [SlabMut::Text(rows, &mut to)], &mut Scratch::default()).unwrap();
        for (cell, span) in cells.iter().zip(out) {
            let at = keys.iter().position(|k| k == cell);
            prop_assert_eq!(slab::text(to.as_str(), span), at.map_or("?", |i| values[i].as_str()));
        }
    }

    #[test]
    fn reductions(
        (outer, length, inner) in (1usize..4, 1usize..5, 1usize..4),
        cells in prop::collection::vec(-3.0f32..3.0, 48),
    ) {
        let axis = Axis { outer, length, inner };
        let cells = &cells[..outer * length * inner];
        let sum = floats(&Reduce { reduction: Reduction::Sum, axis }, Slab::F32(row(cells)), outer * inner);
        let max = floats(&Reduce { reduction: Reduction::Max, axis }, Slab::F32(row(cells)), outer * inner);
        let mut places = vec![0; outer * inner];
        let width = places.len();
        let rows = RowsMut::new(&mut places, 0, width, width, 1).unwrap();
        Extreme { axis, least: false, last: false }
            .run(&[Slab::F32(row(cells))], &mut [SlabMut::I64(rows)], &mut Scratch::default())
            .unwrap();
        for o in 0..outer {
            for k in 0..inner {
                let line: Vec<f32> = (0..length).map(|l| cells[(o * length + l) * inner + k]).collect();
                let total: f64 = line.iter().map(|v| f64::from(*v)).sum();
                let most = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                prop_assert_eq!(sum[o * inner + k], total as f32);
                prop_assert_eq!(max[o * inner + k], most);
                let first = line.iter().position(|v| *v == most).unwrap() as i64;
                prop_assert_eq!(places[o * inner + k], first);
            }
        }
    }

    #[test]
    fn tokens_of_a_class(text in text(), least in 1usize..4) {
        let cut = Cut::Tokens(Pattern::new("[ab]+").unwrap());
        let tokeniser = Tokeniser { cut, least, mark: false };
        let mut found = Vec::new();
        tokeniser.tokens(&text, &mut Cutting::default(), &mut found).unwrap();
        let expected: Vec<&str> = if text.chars().count() < least {
            vec![]
        } else {
            text.split(|c| !matches!(c, 'a' | 'b')).filter(|t| !t.is_empty() && t.len() >= least).collect()
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn tokens_between_separators(text in text(), least in 1usize..3) {
        let separators = [" ", "\\."].map(|p| Pattern::new(p).unwrap()).to_vec();
        let tokeniser = Tokeniser { cut: Cut::Separators(separators), least, mark: false };
        let mut found = Vec::new();
        tokeniser.tokens(&text, &mut Cutting::default(), &mut found).unwrap();
        let first = text.split(' ').filter(|t| t.chars().count() >= least);
        let expected: Vec<&str> = first.flat_map(|t| t.split('.')).filter(|t| t.chars().count() >= least).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_pattern_gives_tokens_or_an_error(pattern in "\\PC{0,12}", text in "\\PC{0,40}") {
        if let Ok(pattern) = Pattern::new(&pattern) {
            let tokeniser = Tokeniser { cut: Cut::Tokens(pattern), least: 1, mark: true };
            let mut found = Vec::new();
            tokeniser.tokens(&text, &mut Cutting::default(), &mut found).unwrap();
            prop_assert!(found[1..found.len() - 1].iter().all(|token| text.contains(token)));
        }
    }

    #[test]
    fn n_grams(
        tokens in prop::collection::vec(0i64..4, 0..12),
        grams in prop::collection::hash_set(prop::collection::vec(0i64..4, 1..4), 1..12),
        (least, more, distance) in (1usize..4, 0usize..3, 1usize..4),
    ) {
        let lengths = (least, (least + more).min(3));
        let grams: Vec<Vec<i64>> = grams.into_iter().filter(|g| (lengths.0..=lengths.1).contains(&g.len())).collect();
        let mut pool = Pool::new();
        for (column, gram) in grams.iter().enumerate() {
            let gram: Vec<u32> = gram.iter().map(|t| *t as u32).collect();
            prop_assert!(pool.insert(&gram, column));
        }
        let kernel = TfIdf {
            vocabulary: Vocabulary::Integers((0..3).map(|i| (i, i as u32)).collect()),
            pool,
            lengths,
            distance,
            mode: Mode::Frequency,
            weights: Vec::new(),
            tokeniser: None,
        };
        let found = floats(&kernel, Slab::I64(row(&tokens)), grams.len());
        for (gram, found) in grams.iter().zip(found) {
            // Token 3 is in no vocabulary. Single tokens count once, longer ones for every distance.
            let distances = if gram.len() == 1 { 1 } else { distance };
            let tokens = &tokens;
            let expected = (1..=distances).flat_map(|d| {
                (0..tokens.len()).filter(move |start| {
                    (0..gram.len()).all(|k| tokens.get(start + k * d) == Some(&gram[k]) && gram[k] < 3)
                }).collect::<Vec<_>>()
            }).count();
            prop_assert_eq!(found, expected as f32, "{:?}", gram);
        }
    }
}

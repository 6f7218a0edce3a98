//! TfIdfVectorizer: how often the n-grams of a pool occur among the tokens of a row.

use std::collections::HashMap;
use std::sync::Arc;

use super::tokenise::{Cutting, Tokeniser};
use crate::error::{Error, Result};
use crate::kernels::slab::text;
use crate::kernels::{Kernel, Scratch, Slab, SlabMut, mismatch};

/// Most steps over the n-grams of one row.
const STEPS: usize = 1 << 24;

/// What a count becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The count.
    Frequency,
    /// The weight, where the count is not 0.
    Presence,
    /// The count times the weight.
    Weighted,
}

/// Token -> number, for the tokens of the pool.
#[derive(Debug, Clone)]
pub enum Vocabulary {
    Texts(HashMap<Box<str>, u32>),
    Integers(HashMap<i64, u32>),
}

/// The n-grams of a pool as a tree: from a node by a token to a node.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    next: HashMap<(u32, u32), u32>,
    /// Output column of the n-gram that ends at a node.
    columns: Vec<Option<usize>>,
}

impl Pool {
    pub fn new() -> Pool {
        Pool {
            next: HashMap::new(),
            columns: vec![None],
        }
    }

    /// False where the pool has the n-gram already.
    pub fn insert(&mut self, tokens: &[u32], column: usize) -> bool {
        let mut node = 0;
        for token in tokens {
            let fresh = self.columns.len() as u32;
            node = *self.next.entry((node, *token)).or_insert(fresh);
            if node == fresh {
                self.columns.push(None);
            }
        }
        match self.columns.get_mut(node as usize) {
            Some(place @ None) => {
                *place = Some(column);
                true
            }
            _ => false,
        }
    }

    fn step(&self, node: u32, token: u32) -> Option<u32> {
        self.next.get(&(node, token)).copied()
    }
}

/// Counts of n-grams of `lengths` tokens, `1..=distance` apart.
#[derive(Debug, Clone)]
pub struct TfIdf {
    pub vocabulary: Vocabulary,
    pub pool: Pool,
    pub lengths: (usize, usize),
    pub distance: usize,
    pub mode: Mode,
    /// One for each output column, or none.
    pub weights: Vec<f32>,
    /// Cuts the single text of a row; without it the columns of a row are its tokens.
    pub tokeniser: Option<Arc<Tokeniser>>,
}

/// A token that no n-gram has.
const UNKNOWN: u32 = u32::MAX;

impl TfIdf {
    fn count(&self, tokens: &[u32], out: &mut [f32]) -> Result<()> {
        let (least, most) = self.lengths;
        let steps = tokens
            .len()
            .saturating_mul(most.saturating_mul(self.distance));
        if steps > STEPS {
            return Err(Error::TooLarge {
                what: "steps over the n-grams of a text",
                found: steps as u64,
                limit: STEPS as u64,
            });
        }
        let mut add = |node: u32| {
            let column = self.pool.columns.get(node as usize).copied().flatten();
            if let Some(cell) = column.and_then(|c| out.get_mut(c)) {
                *cell += 1.0;
            }
        };
        if least == 1 {
            tokens
                .iter()
                .filter_map(|t| self.pool.step(0, *t))
                .for_each(&mut add);
        }
        let shortest = least.max(2);
        if shortest > most {
            return Ok(());
        }
        for distance in 1..=self.distance {
            for start in 0..tokens.len() {
                if start + distance * (shortest - 1) >= tokens.len() {
                    break;
                }
                let mut node = 0;
                let places = tokens[start..].iter().step_by(distance).take(most);
                for (length, token) in (1..).zip(places) {
                    match self.pool.step(node, *token) {
                        Some(next) => node = next,
                        None => break,
                    }
                    if length >= shortest {
                        add(node);
                    }
                }
            }
        }
        Ok(())
    }

    fn weigh(&self, out: &mut [f32]) {
        match (self.mode, self.weights.is_empty()) {
            (Mode::Frequency, _) | (Mode::Weighted, true) => {}
            (Mode::Presence, true) => out.iter_mut().for_each(|o| *o = o.min(1.0)),
            (Mode::Presence, false) => out
                .iter_mut()
                .zip(&self.weights)
                .for_each(|(o, w)| *o = if *o > 0.0 { *w } else { 0.0 }),
            (Mode::Weighted, false) => out.iter_mut().zip(&self.weights).for_each(|(o, w)| *o *= w),
        }
    }
}

impl Kernel for TfIdf {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("TfIdfVectorizer"));
        };
        let (mut cutting, mut pieces) = (Cutting::default(), Vec::new());
        let mut tokens = Vec::new();
        for i in 0..out.rows() {
            tokens.clear();
            match (x, &self.vocabulary) {
                (Slab::Text(x, arena), Vocabulary::Texts(words)) => {
                    let texts = x.row(i).iter().map(|span| text(arena, *span));
                    let number = |word: &str| words.get(word).copied().unwrap_or(UNKNOWN);
                    match &self.tokeniser {
                        None => tokens.extend(texts.map(number)),
                        Some(tokeniser) => {
                            pieces.clear();
                            for text in texts {
                                tokeniser.tokens(text, &mut cutting, &mut pieces)?;
                            }
                            tokens.extend(pieces.iter().map(|word| number(word)));
                        }
                    }
                }
                (Slab::I64(x), Vocabulary::Integers(words)) => tokens.extend(
                    x.row(i)
                        .iter()
                        .map(|v| words.get(v).copied().unwrap_or(UNKNOWN)),
                ),
                _ => return Err(mismatch("TfIdfVectorizer")),
            }
            let out = out.row(i);
            out.fill(0.0);
            self.count(&tokens, out)?;
            self.weigh(out);
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        500 + self.pool.columns.len() / 8
    }

    fn memory(&self) -> usize {
        let words = match &self.vocabulary {
            Vocabulary::Texts(map) => {
                map.capacity() * 32 + map.keys().map(|k| k.len()).sum::<usize>()
            }
            Vocabulary::Integers(map) => map.capacity() * 24,
        };
        let tokeniser = self.tokeniser.as_ref().map_or(0, |t| t.memory());
        words + self.pool.next.capacity() * 16 + self.pool.columns.len() * 16 + tokeniser
    }
}

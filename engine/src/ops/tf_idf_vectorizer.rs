//! TfIdfVectorizer: counts of the n-grams of a pool.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, finite};
use crate::error::{Error, Result};
use crate::kernels::text::tfidf::{Mode, Pool, TfIdf, Vocabulary};
use crate::kernels::text::tokenise::Tokeniser;
use crate::kernels::{Element, Shape};

const OP: &str = "TfIdfVectorizer";
/// Columns of the output.
const COLUMNS: usize = 1 << 20;
/// Longest n-gram times distances between its tokens.
const REACH: usize = 1_024;

/// Tokens are the columns of a row, or with a tokeniser those of its single text; f32 out.
pub fn bind_tokens(
    node: &NodeProto,
    element: Element,
    tokeniser: Option<Arc<Tokeniser>>,
) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let length = |name: &str, least: i64| {
        let value = attributes.int(name);
        let value = value.and_then(|v| usize::try_from(v).ok().filter(|_| v >= least));
        value.ok_or_else(|| Error::Invalid(format!("{OP} has an impossible \"{name}\"")))
    };
    let (shortest, longest) = (length("min_gram_length", 1)?, length("max_gram_length", 1)?);
    let distance = length("max_skip_count", 0)?.saturating_add(1);
    if shortest > longest {
        return Err(Error::Invalid(format!(
            "{OP} has n-grams of {shortest} to {longest} tokens"
        )));
    }
    let reach = longest.saturating_mul(distance);
    if reach > REACH {
        return Err(Error::TooLarge {
            what: "steps over an n-gram",
            found: reach as u64,
            limit: REACH as u64,
        });
    }
    let mode = match attributes.string("mode")?.as_deref() {
        Some("TF") => Mode::Frequency,
        Some("IDF") => Mode::Presence,
        Some("TFIDF") => Mode::Weighted,
        _ => return Err(Error::Invalid(format!("{OP} has an unknown mode"))),
    };
    let (columns, width) = columns(&attributes)?;
    let weights = attributes.floats("weights");
    finite(OP, "weight", weights)?;
    if !weights.is_empty() && weights.len() != columns.len() {
        return Err(Error::Invalid(format!(
            "{OP} has {} weights for {} n-grams",
            weights.len(),
            columns.len()
        )));
    }
    let (texts, ints) = (
        attributes.strings("pool_strings")?,
        attributes.ints("pool_int64s"),
    );
    let lengths = (shortest, longest);
    let (vocabulary, pool) = match (element, texts.is_empty(), ints.is_empty()) {
        (Element::Text, false, true) => {
            let (words, tokens) = number(texts.iter().map(|t| Box::from(t.as_str())));
            (
                Vocabulary::Texts(words),
                pool(&attributes, &tokens, &columns, lengths)?,
            )
        }
        (Element::I64, true, false) => {
            let (words, tokens) = number(ints.iter().copied());
            (
                Vocabulary::Integers(words),
                pool(&attributes, &tokens, &columns, lengths)?,
            )
        }
        _ => {
            return Err(Error::Invalid(format!(
                "{OP} over {element:?} has {} texts and {} integers in its pool",
                texts.len(),
                ints.len()
            )));
        }
    };
    let kernel = TfIdf {
        vocabulary,
        pool,
        lengths,
        distance,
        mode,
        weights: by_column(weights, &columns, width)?,
        tokeniser,
    };
    Ok(Bound::new(kernel, Shape::f32(width)))
}

/// Weights of the output's columns from those of the n-grams; columns of none have weight 0.
fn by_column(weights: &[f32], columns: &[usize], width: usize) -> Result<Vec<f32>> {
    if weights.is_empty() {
        return Ok(Vec::new());
    }
    let mut of: Vec<Option<f32>> = vec![None; width];
    for (weight, column) in weights.iter().zip(columns) {
        match of.get_mut(*column) {
            Some(Some(other)) if other != weight => {
                return Err(Error::Unsupported(format!(
                    "one column for n-grams of different weights of {OP}"
                )));
            }
            Some(place) => *place = Some(*weight),
            None => {}
        }
    }
    Ok(of.into_iter().map(Option::unwrap_or_default).collect())
}

/// Attribute `ngram_indexes`: the column of each n-gram, and how many columns there are.
fn columns(attributes: &Attributes<'_>) -> Result<(Vec<usize>, usize)> {
    let columns: Option<Vec<usize>> = attributes
        .ints("ngram_indexes")
        .iter()
        .map(|i| usize::try_from(*i).ok())
        .collect();
    let columns = columns.filter(|c| !c.is_empty());
    let columns = columns
        .ok_or_else(|| Error::Invalid(format!("{OP} has no ngram_indexes or one below 0")))?;
    let width = columns.iter().max().map_or(0, |m| m.saturating_add(1));
    if width > COLUMNS {
        return Err(Error::TooLarge {
            what: "columns of a text vector",
            found: width as u64,
            limit: COLUMNS as u64,
        });
    }
    Ok((columns, width))
}

/// Distinct tokens with a number each, and the numbers of all tokens.
fn number<T: Eq + Hash + Clone>(tokens: impl Iterator<Item = T>) -> (HashMap<T, u32>, Vec<u32>) {
    let mut words = HashMap::new();
    let numbers = tokens
        .map(|token| {
            let fresh = words.len() as u32;
            *words.entry(token).or_insert(fresh)
        })
        .collect();
    (words, numbers)
}

/// The n-grams of the lengths that are counted. `ngram_counts` says where in the pool those of each length begin.
fn pool(
    attributes: &Attributes<'_>,
    tokens: &[u32],
    columns: &[usize],
    (shortest, longest): (usize, usize),
) -> Result<Pool> {
    let starts = attributes.ints("ngram_counts");
    if starts.len() < longest {
        return Err(Error::Invalid(format!(
            "{OP} has ngram_counts for {} lengths, {longest} expected",
            starts.len()
        )));
    }
    let mut pool = Pool::new();
    let mut columns = columns.iter();
    for (i, start) in starts.iter().enumerate() {
        let (length, end) = (i + 1, starts.get(i + 1));
        let end = end.map_or(Some(tokens.len()), |end| usize::try_from(*end).ok());
        let run = usize::try_from(*start)
            .ok()
            .zip(end)
            .and_then(|(start, end)| tokens.get(start..end))
            .filter(|run| run.len().is_multiple_of(length));
        let Some(run) = run else {
            return Err(Error::Invalid(format!(
                "{OP} has ngram_counts that do not divide its pool into {length}-grams"
            )));
        };
        for ngram in run.chunks_exact(length) {
            let Some(column) = columns.next() else {
                return Err(Error::Invalid(format!(
                    "{OP} has more n-grams than ngram_indexes"
                )));
            };
            if (shortest..=longest).contains(&length) && !pool.insert(ngram, *column) {
                return Err(Error::Invalid(format!("{OP} has a {length}-gram twice")));
            }
        }
    }
    Ok(pool)
}

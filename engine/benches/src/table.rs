//! Rows to score, all different: repeated rows would train the branch predictor.

use std::ops::Range;
use std::path::Path;

/// Rows, one [`Input`] for every graph input.
pub struct Table {
    pub rows: usize,
    pub inputs: Vec<Input>,
}

/// Row-major values of one graph input.
pub struct Input {
    /// Of one row: `[F]` for `[N,F]`, `[T,F]` for `[N,T,F]`.
    pub shape: Vec<usize>,
    pub values: Values,
}

pub enum Values {
    Floats(Vec<f32>),
    Texts(Vec<String>),
}

impl Table {
    /// One matrix of `features` columns from a file of nothing but float32 numbers.
    pub fn matrix(path: &Path, features: usize) -> Table {
        let bytes = std::fs::read(path).expect("rows");
        let cells = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
        let cells: Vec<f32> = cells.collect();
        Table {
            rows: cells.len() / features,
            inputs: vec![Input {
                shape: vec![features],
                values: Values::Floats(cells),
            }],
        }
    }

    /// A `[N,1]` input for every column of `{"floats": [column, ...], "texts": [column, ...]}`.
    pub fn columns(path: &Path) -> Table {
        let text = std::fs::read_to_string(path).expect("columns");
        let mut columns: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let floats: Vec<Vec<f32>> =
            serde_json::from_value(columns["floats"].take()).expect("columns of numbers");
        let texts: Vec<Vec<String>> =
            serde_json::from_value(columns["texts"].take()).expect("columns of texts");
        let floats = floats.into_iter().map(Values::Floats);
        let inputs = floats.chain(texts.into_iter().map(Values::Texts));
        let inputs: Vec<Input> = inputs
            .map(|values| Input {
                shape: vec![1],
                values,
            })
            .collect();
        let rows = inputs.first().map_or(0, |input| match &input.values {
            Values::Floats(cells) => cells.len(),
            Values::Texts(cells) => cells.len(),
        });
        Table { rows, inputs }
    }

    /// `rows` rows of numbers from -1 to 1 for float inputs of these shapes.
    pub fn random(rows: usize, shapes: Vec<Vec<usize>>) -> Table {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let inputs = shapes.into_iter().map(|shape| {
            let cells = rows * shape.iter().product::<usize>();
            Input {
                shape,
                values: Values::Floats((0..cells).map(|_| next()).collect()),
            }
        });
        Table {
            rows,
            inputs: inputs.collect(),
        }
    }

    /// Batches of `size` rows, whole ones only.
    pub fn batches(&self, size: usize) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
        (0..self.rows / size).map(move |i| i * size..(i + 1) * size)
    }
}

impl Input {
    /// Cells of these rows in a vector of all cells.
    pub fn cells(&self, rows: &Range<usize>) -> Range<usize> {
        let width: usize = self.shape.iter().product();
        rows.start * width..rows.end * width
    }
}

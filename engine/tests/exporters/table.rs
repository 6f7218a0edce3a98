//! The input tables of the suite, as `models/tables.py` stores them.

use std::collections::HashMap;
use std::path::Path;

use finai_engine::{Batch, Result, Signature};
use serde_json::Value;

use super::files::{Reader, json};

/// Cells of one column.
enum Cells {
    /// float32 as f64: what a model of float32 reads is exactly this.
    Numbers(Vec<f64>),
    Texts {
        texts: Vec<String>,
        /// Index into `texts`; `None` for NULL.
        codes: Vec<Option<usize>>,
    },
}

/// A table of rows that models are scored on.
pub struct Table {
    rows: usize,
    columns: Vec<Cells>,
    names: HashMap<String, usize>,
}

impl Table {
    pub fn read(folder: &Path, name: &str) -> Table {
        let header = json(&folder.join(format!("{name}.json")));
        let content = folder.join(format!("{name}.bin"));
        if let Some(base) = header["base"].as_str() {
            let mut table = Table::read(folder, base);
            if content.exists() {
                table.punch(&Reader::open(&content).rest());
            } else {
                table.round();
            }
            return table;
        }
        let rows = header["rows"].as_u64().unwrap() as usize;
        let mut reader = Reader::open(&content);
        let (mut columns, mut names) = (Vec::new(), HashMap::new());
        for column in header["columns"].as_array().unwrap() {
            names.insert(column["name"].as_str().unwrap().to_owned(), columns.len());
            columns.push(cells(column, rows, &mut reader));
        }
        assert!(
            reader.rest().is_empty(),
            "table {name} is longer than its columns"
        );
        Table {
            rows,
            columns,
            names,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Makes NaN of the cells whose bit is set; bits are row by row, the lowest first.
    fn punch(&mut self, bits: &[u8]) {
        let width = self.columns.len();
        assert_eq!(bits.len(), (self.rows * width).div_ceil(8));
        for (c, column) in self.columns.iter_mut().enumerate() {
            let Cells::Numbers(cells) = column else {
                panic!("texts have no holes")
            };
            for (row, cell) in cells.iter_mut().enumerate() {
                let bit = row * width + c;
                if bits[bit / 8] >> (bit % 8) & 1 == 1 {
                    *cell = f64::NAN;
                }
            }
        }
    }

    fn round(&mut self) {
        for column in &mut self.columns {
            let Cells::Numbers(cells) = column else {
                continue;
            };
            cells
                .iter_mut()
                .for_each(|cell| *cell = f64::from(*cell as f32));
        }
    }

    /// Column of each feature of a model.
    pub fn bind(&self, signature: &Signature) -> Vec<usize> {
        let column = |name: &String| {
            *self
                .names
                .get(name)
                .unwrap_or_else(|| panic!("no column {name}"))
        };
        signature
            .features
            .iter()
            .map(|feature| column(&feature.name))
            .collect()
    }

    /// Pushes one row; `columns` are those of the features.
    pub fn push(&self, row: usize, columns: &[usize], batch: &mut Batch) -> Result<()> {
        batch.push_row()?;
        for (feature, column) in columns.iter().enumerate() {
            match &self.columns[*column] {
                Cells::Numbers(cells) => batch.set_float(feature, cells[row])?,
                Cells::Texts { texts, codes } => match codes[row] {
                    Some(code) => batch.set_text(feature, &texts[code])?,
                    None => batch.set_null(feature)?,
                },
            }
        }
        Ok(())
    }
}

fn cells(column: &Value, rows: usize, reader: &mut Reader) -> Cells {
    let kind = column["stored"]
        .as_str()
        .or(column["type"].as_str())
        .unwrap();
    Cells::Numbers(match kind {
        "f32" => reader
            .take::<4>(rows)
            .map(|b| f64::from(f32::from_le_bytes(b)))
            .collect(),
        "f64" => reader.take::<8>(rows).map(f64::from_le_bytes).collect(),
        "u8" => reader.take::<1>(rows).map(|[b]| f64::from(b)).collect(),
        "i8" => {
            let cell = |b: [u8; 1]| match i8::from_le_bytes(b) {
                i8::MIN => f64::NAN,
                whole => f64::from(whole),
            };
            reader.take::<1>(rows).map(cell).collect()
        }
        "i16" => {
            let scale = column["scale"].as_f64().unwrap();
            let cell = |b| f64::from(i16::from_le_bytes(b)) * scale;
            reader.take::<2>(rows).map(cell).collect()
        }
        "text" => {
            let texts = serde_json::from_value(column["texts"].clone()).unwrap();
            let code = |b| Some(usize::from(u16::from_le_bytes(b))).filter(|code| *code != 0xffff);
            let codes = reader.take::<2>(rows).map(code).collect();
            return Cells::Texts { texts, codes };
        }
        other => panic!("column of type {other}"),
    })
}

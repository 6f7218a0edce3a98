//! Bytes that passed the first gate to a model: as prost decodes them, and long tables of numbers and texts in less time.
//!
//! Exporters write the tables of tree ensembles number by number, and prost finds out about each what it is. Here large
//! attributes are taken out of the bytes and read element by element; whatever else they hold, and the rest, is prost's.

use std::borrow::Cow;

use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto};

use super::wire::{Cursor, Value};
use crate::{Error, Result};

/// Bytes of an attribute that is worth it.
const LARGE: usize = 16 << 10;

/// Field numbers of onnx.proto.
const GRAPH_OF_MODEL: u32 = 7;
const NODE_OF_GRAPH: u32 = 1;
const ATTRIBUTE_OF_NODE: u32 = 5;
const FLOATS: u32 = 7;
const INTS: u32 = 8;
const STRINGS: u32 = 9;

/// Decodes a model that the first gate let pass.
pub(super) fn decode(bytes: &[u8]) -> Result<ModelProto> {
    model(bytes, LARGE)
}

fn model(bytes: &[u8], large: usize) -> Result<ModelProto> {
    let parts = Parts::of(bytes, GRAPH_OF_MODEL, large)?;
    // Of several graphs prost makes one.
    let [(0, graph)] = parts.large.as_slice() else {
        return message(bytes);
    };
    if parts.count > 1 {
        return message(bytes);
    }
    let parts_of_graph = Parts::of(graph, NODE_OF_GRAPH, large)?;
    let mut graph: GraphProto = message(&parts_of_graph.rest)?;
    for (index, bytes) in parts_of_graph.large {
        graph.node.insert(index, node(bytes, large)?);
    }
    let mut model: ModelProto = message(&parts.rest)?;
    model.graph = Some(graph);
    Ok(model)
}

fn node(bytes: &[u8], large: usize) -> Result<NodeProto> {
    let parts = Parts::of(bytes, ATTRIBUTE_OF_NODE, large)?;
    let mut node: NodeProto = message(&parts.rest)?;
    for (index, bytes) in parts.large {
        node.attribute.insert(index, attribute(bytes)?);
    }
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<AttributeProto> {
    let mut rest = Vec::new();
    let (mut floats, mut ints, mut strings) = (Vec::new(), Vec::new(), Vec::new());
    let mut cursor = Cursor::new(bytes);
    loop {
        let from = cursor.rest();
        let Some((number, value)) = cursor.field()? else {
            break;
        };
        let field = from.split_at(from.len() - cursor.rest().len()).0;
        // Elements of a list follow each other.
        match (number, value, field) {
            (INTS, Value::Varint(value), _) => {
                room(&mut ints, from.len() / 2)?;
                ints.push(value.cast_signed());
                while cursor.passes((INTS << 3) as u8) {
                    ints.push(cursor.varint()?.cast_signed());
                }
            }
            (FLOATS, Value::Fixed32, [.., a, b, c, d]) => {
                room(&mut floats, from.len() / 5)?;
                floats.push(f32::from_le_bytes([*a, *b, *c, *d]));
            }
            (STRINGS, Value::Bytes(text), _) => {
                room(&mut strings, from.len() / 6)?;
                strings.push(text.to_vec());
                while cursor.passes((STRINGS << 3 | 2) as u8) {
                    let length = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
                    strings.push(cursor.take(length)?.to_vec());
                }
            }
            (INTS, Value::Bytes(packed), _) => {
                let mut packed = Cursor::new(packed);
                while !packed.rest().is_empty() {
                    ints.push(packed.varint()?.cast_signed());
                }
            }
            (FLOATS, Value::Bytes(packed), _) if packed.len().is_multiple_of(4) => {
                let (cells, _) = packed.as_chunks::<4>();
                floats.extend(cells.iter().map(|cell| f32::from_le_bytes(*cell)));
            }
            _ => rest.extend_from_slice(field),
        }
    }
    let mut attribute: AttributeProto = message(&rest)?;
    (attribute.floats, attribute.ints, attribute.strings) = (floats, ints, strings);
    Ok(attribute)
}

/// Room for as many elements as may follow, at the first one: pages that none of them needs are never touched.
#[inline]
fn room<T>(elements: &mut Vec<T>, count: usize) -> Result<()> {
    if elements.capacity() > 0 {
        return Ok(());
    }
    elements
        .try_reserve(count.max(1))
        .map_err(|_| Error::OutOfMemory)
}

/// A message and those of its fields of one number that are large.
struct Parts<'a> {
    /// The bytes without these.
    rest: Cow<'a, [u8]>,
    /// With their places among all fields of that number.
    large: Vec<(usize, &'a [u8])>,
    /// Fields of that number.
    count: usize,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8], number: u32, large: usize) -> Result<Parts<'a>> {
        let mut parts = Parts {
            rest: Cow::Borrowed(bytes),
            large: Vec::new(),
            count: 0,
        };
        let mut cursor = Cursor::new(bytes);
        // Where the fields begin that are not in `rest` yet.
        let mut kept = bytes;
        loop {
            let from = cursor.rest();
            match cursor.field()? {
                None => break,
                Some((found, Value::Bytes(field))) if found == number => {
                    parts.count += 1;
                    if field.len() >= large {
                        parts.keep(kept.split_at(kept.len() - from.len()).0);
                        kept = cursor.rest();
                        parts.large.push((parts.count - 1, field));
                    }
                }
                Some(_) => {}
            }
        }
        if !parts.large.is_empty() {
            parts.keep(kept);
        }
        Ok(parts)
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.large.is_empty() {
            self.rest = Cow::Owned(bytes.to_vec());
        } else {
            self.rest.to_mut().extend_from_slice(bytes);
        }
    }
}

fn message<T: Message + Default>(bytes: &[u8]) -> Result<T> {
    T::decode(bytes).map_err(|error| Error::NotOnnx(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Limits;
    use crate::admit::prescan;

    fn files() -> Vec<Vec<u8>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["models/exported", "fixtures", "fixtures/networks"];
        let folders = folders.map(|folder| root.join("tests").join(folder));
        let files = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap());
        let paths = files.map(|entry| entry.unwrap().path());
        let onnx = paths.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
        onnx.map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// What prost makes of the bytes is what comes out, for any size that counts as large.
    fn same(bytes: &[u8]) {
        let expected = ModelProto::decode(bytes).map(|model| model.encode_to_vec());
        for large in [0, 40, 500, LARGE] {
            let found = model(bytes, large).map(|model| model.encode_to_vec());
            assert_eq!(found.ok(), expected.clone().ok());
        }
    }

    #[test]
    fn decodes_every_model_as_prost_does() {
        let files = files();
        assert!(files.len() > 150);
        files.iter().for_each(|file| same(file));
    }

    #[test]
    fn decodes_what_passes_the_first_gate_as_prost_does() {
        let mut state = 1u64;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut passed = 0;
        for file in files().into_iter().filter(|file| file.len() < 20_000) {
            for _ in 0..40 {
                let mut bytes = file.clone();
                for _ in 0..=random(3) {
                    let at = random(bytes.len());
                    match random(3) {
                        0 => bytes[at] = random(256) as u8,
                        1 => bytes[at] ^= 1 << random(8),
                        _ => drop(bytes.remove(at)),
                    }
                }
                if prescan(&bytes, &Limits::default()).is_ok() {
                    passed += 1;
                    same(&bytes);
                }
            }
        }
        assert!(passed > 1_000, "{passed}");
    }

    #[test]
    fn takes_packed_and_mixed_tables() {
        let mut attribute = vec![0x0a, 1, b'x'];
        attribute.extend([0x40, 5, 0x42, 3, 1, 0x96, 1, 0x40, 7]);
        attribute.extend([0x3a, 8, 0, 0, 128, 63, 0, 0, 0, 64, 0x3d, 0, 0, 64, 64]);
        attribute.extend([0x4a, 2, b'a', b'b', 0x4a, 0]);
        let wrap = |key: u8, bytes: &[u8]| [&[key, bytes.len() as u8], bytes].concat();
        let node = [wrap(0x2a, &[0x0a, 1, b'y']), wrap(0x2a, &attribute)].concat();
        let graph = wrap(0x0a, &node);
        same(&wrap(0x3a, &graph));
        same(&[wrap(0x3a, &graph), wrap(0x3a, &graph)].concat());
        let decoded = model(&wrap(0x3a, &graph), 0).unwrap().graph.unwrap();
        let attribute = &decoded.node[0].attribute[1];
        assert_eq!(attribute.ints, [5, 1, 150, 7]);
        assert_eq!(attribute.floats, [1.0, 2.0, 3.0]);
    }
}

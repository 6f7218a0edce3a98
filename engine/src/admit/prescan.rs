//! The first gate: a walk over the bytes by field number, before anything is decoded or allocated.
//!
//! The decoder trusts counts: two bytes of an empty attribute become hundreds decoded. So what decoding will
//! take is summed here first, and features that are never accepted are refused by name.

use super::operators;
use super::schema::{
    ATTRIBUTE, GRAPH, Kind, MODEL, Message, NODE, NODE_DOMAIN, NODE_OPERATOR, TENSOR,
};
use super::wire::{Cursor, Value, malformed};
use crate::{Error, Limits, Result};

/// Bytes of a name; the longest that exporters write are scope paths of a few hundred.
const NAME_SIZE: usize = 1_024;
/// Messages within messages: model, graph, node, attribute, tensor is 5; a graph in an attribute adds 3.
const DEPTH: usize = 16;
/// What an allocation costs beyond its payload.
const ALLOCATION: usize = 16;

/// What happens to a graph in an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bodies {
    /// Refused, naming the operator that carries it, except the body of a Scan, which may carry none itself.
    Refuse,
    /// Walked and counted as part of the model.
    Count,
}

/// Refuses bytes that are not an ONNX model, or that would take more than `limits` to decode.
pub(super) fn prescan(bytes: &[u8], bodies: Bodies, limits: &Limits) -> Result<()> {
    limit("bytes", bytes.len(), limits.model_size)?;
    if bytes.is_empty() {
        return Err(Error::NotOnnx("no bytes".into()));
    }
    let mut scan = Scan {
        limits,
        bodies,
        node: &[],
        inside: false,
        memory: 0,
        nodes: 0,
        attributes: 0,
        initializers: 0,
        graphs: 0,
    };
    scan.message(&MODEL, bytes, 0)?;
    if scan.graphs == 0 {
        return Err(Error::NotOnnx("no graph".into()));
    }
    Ok(())
}

struct Scan<'a> {
    limits: &'a Limits,
    bodies: Bodies,
    /// Bytes of the node being walked.
    node: &'a [u8],
    /// Within the body of a Scan.
    inside: bool,
    memory: usize,
    nodes: usize,
    attributes: usize,
    initializers: usize,
    graphs: usize,
}

impl<'a> Scan<'a> {
    fn message(&mut self, message: &'static Message, bytes: &'a [u8], depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(malformed("messages nested too deep"));
        }
        let mut cursor = Cursor::new(bytes);
        // Elements of a list follow each other: most fields are of the kind of the one before.
        let (mut previous, mut last) = (0, None);
        while let Some((number, value)) = cursor.field()? {
            let known = match last {
                Some(_) if number == previous => last,
                _ => message.fields.iter().find(|(known, _)| *known == number),
            };
            let Some(&(_, kind)) = known else {
                continue;
            };
            // A vector starts with room for four elements and doubles.
            let spare = if number == previous { 0 } else { 2 };
            (previous, last) = (number, known);
            if let (Kind::Integers(size), Value::Varint(_)) = (kind, value) {
                let count = 1 + cursor.integers(number)?;
                self.elements(count, size, spare)?;
                continue;
            }
            self.field(message, kind, value, spare, depth)?;
        }
        Ok(())
    }

    fn field(
        &mut self,
        message: &'static Message,
        kind: Kind,
        value: Value<'a>,
        spare: usize,
        depth: usize,
    ) -> Result<()> {
        match (kind, value) {
            (Kind::Integer, Value::Varint(_)) | (Kind::Float, Value::Fixed32) => Ok(()),
            (Kind::Location, Value::Varint(0)) => Ok(()),
            (Kind::Location, Value::Varint(_)) => Err(Error::Unsupported("external data".into())),
            (Kind::Refused(what), _) => Err(Error::Unsupported(what.into())),

            (Kind::Integers(size), Value::Bytes(packed)) => {
                let mut packed = Cursor::new(packed);
                let mut count = 0;
                while !packed.is_empty() {
                    packed.varint()?;
                    count += 1;
                }
                self.elements(count, size, spare)
            }
            (Kind::Floats, Value::Fixed32) => self.elements(1, 4, spare),
            (Kind::Floats, Value::Bytes(packed)) if packed.len().is_multiple_of(4) => {
                self.elements(packed.len() / 4, 4, spare)
            }
            (Kind::Doubles, Value::Fixed64) => self.elements(1, 8, spare),
            (Kind::Doubles, Value::Bytes(packed)) if packed.len().is_multiple_of(8) => {
                self.elements(packed.len() / 8, 8, spare)
            }

            (Kind::Name, Value::Bytes(name)) => self.name(name),
            (Kind::Names, Value::Bytes(name)) => {
                self.elements(1, size_of::<String>(), spare)?;
                self.name(name)
            }
            (Kind::Text, Value::Bytes(text)) => {
                utf8(text)?;
                self.payload(text)
            }
            (Kind::Bytes, Value::Bytes(bytes)) => self.payload(bytes),
            (Kind::Strings, Value::Bytes(bytes)) => {
                self.elements(1, size_of::<Vec<u8>>(), spare)?;
                self.payload(bytes)
            }

            (Kind::Message(inner), Value::Bytes(bytes)) => self.message(inner, bytes, depth + 1),
            (Kind::Messages(inner), Value::Bytes(bytes)) => {
                self.repeated(inner, bytes, spare, depth)
            }
            (Kind::Graph, Value::Bytes(bytes)) => {
                self.graphs += 1;
                if self.graphs > 1 {
                    return Err(Error::Invalid("model has 2 graphs".into()));
                }
                self.message(&GRAPH, bytes, depth + 1)
            }
            (Kind::Nodes, Value::Bytes(bytes)) => {
                self.nodes += 1;
                limit("nodes", self.nodes, self.limits.nodes)?;
                let outer = std::mem::replace(&mut self.node, bytes);
                self.repeated(&NODE, bytes, spare, depth)?;
                self.node = outer;
                Ok(())
            }
            (Kind::Attributes, Value::Bytes(bytes)) => {
                self.attributes += 1;
                limit("attributes", self.attributes, self.limits.attributes)?;
                self.repeated(&ATTRIBUTE, bytes, spare, depth)
            }
            (Kind::Initializers, Value::Bytes(bytes)) => {
                self.initializers += 1;
                limit("initializers", self.initializers, self.limits.initializers)?;
                self.repeated(&TENSOR, bytes, spare, depth)
            }
            (Kind::Body, Value::Bytes(bytes))
                if self.bodies == Bodies::Refuse && !self.inside && is_scan(self.node) =>
            {
                self.inside = true;
                self.message(&GRAPH, bytes, depth + 1)?;
                self.inside = false;
                Ok(())
            }
            (Kind::Body | Kind::Bodies, Value::Bytes(_)) if self.bodies == Bodies::Refuse => {
                Err(refused_body(self.node))
            }
            (Kind::Body, Value::Bytes(bytes)) => self.message(&GRAPH, bytes, depth + 1),
            (Kind::Bodies, Value::Bytes(bytes)) => self.repeated(&GRAPH, bytes, spare, depth),

            _ => Err(malformed(&format!(
                "a field of wrong type in a {}",
                message.name
            ))),
        }
    }

    fn repeated(
        &mut self,
        message: &'static Message,
        bytes: &'a [u8],
        spare: usize,
        depth: usize,
    ) -> Result<()> {
        self.elements(1, message.size, spare)?;
        self.message(message, bytes, depth + 1)
    }

    fn name(&mut self, name: &[u8]) -> Result<()> {
        limit("bytes in a name", name.len(), NAME_SIZE)?;
        utf8(name)?;
        if name.contains(&0) {
            return Err(Error::Invalid("a name contains a NUL byte".into()));
        }
        self.payload(name)
    }

    /// Adds `count` elements of a vector, whose capacity is at most twice its length once it has four.
    fn elements(&mut self, count: usize, size: usize, spare: usize) -> Result<()> {
        self.charge(
            count
                .saturating_mul(2)
                .saturating_add(spare)
                .saturating_mul(size),
        )
    }

    fn payload(&mut self, bytes: &[u8]) -> Result<()> {
        self.charge(bytes.len() + ALLOCATION)
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.memory = self.memory.saturating_add(bytes);
        limit("bytes when decoded", self.memory, self.limits.decode_memory)
    }
}

/// The error for a count above its limit.
pub(super) fn limit(what: &'static str, found: usize, limit: usize) -> Result<()> {
    if found > limit {
        return Err(Error::TooLarge {
            what,
            found: found as u64,
            limit: limit as u64,
        });
    }
    Ok(())
}

fn utf8(text: &[u8]) -> Result<()> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::NotOnnx("text that is not UTF-8".into())),
    }
}

/// A name of a node.
fn text(node: &[u8], wanted: u32) -> Result<String> {
    let mut cursor = Cursor::new(node);
    let mut text = String::new();
    while let Some((number, value)) = cursor.field()? {
        if let (true, Value::Bytes(bytes)) = (number == wanted, value) {
            utf8(bytes)?;
            limit("bytes in a name", bytes.len(), NAME_SIZE)?;
            text = String::from_utf8_lossy(bytes).into_owned();
        }
    }
    Ok(text)
}

fn is_scan(node: &[u8]) -> bool {
    let domain = text(node, NODE_DOMAIN);
    let default = domain.is_ok_and(|domain| operators::canonical(&domain) == operators::ONNX);
    default && text(node, NODE_OPERATOR).is_ok_and(|op| op == "Scan")
}

/// Names the operator of a node that carries a graph: the operator itself where it is not supported anyway.
fn refused_body(node: &[u8]) -> Error {
    match (text(node, NODE_OPERATOR), text(node, NODE_DOMAIN)) {
        (Ok(op), Ok(domain)) if operators::is_listed(&domain, &op) => {
            Error::Unsupported(format!("a graph as attribute of operator \"{op}\""))
        }
        (Ok(op), Ok(domain)) => operators::unsupported(&domain, &op),
        (Err(error), _) | (_, Err(error)) => error,
    }
}

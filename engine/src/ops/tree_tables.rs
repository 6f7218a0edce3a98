//! What TreeEnsembleClassifier and TreeEnsembleRegressor share: the node and leaf tables of the file, checked.

use std::collections::HashSet;

use super::Attributes;
use super::tensor::{Cells, Constant};
use super::tree_chains;
use crate::error::{Error, Result};
use crate::kernels::trees::{Branch, Mode, Source, Vertex, Weight};
use crate::kernels::{Element, Shape};

/// Attribute names of the leaf table.
pub struct LeafTable {
    pub trees: &'static str,
    pub nodes: &'static str,
    pub targets: &'static str,
    pub weights: &'static str,
}

/// What the tables are read for.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub targets: usize,
    pub input: Shape,
    /// Of several weights of a leaf for one target the first listed counts; otherwise they are an error.
    pub repeats: bool,
}

/// Reads and checks all trees over `width` features: tables of equal length, known modes, node ids distinct, children in
/// their own tree, no node with two parents but for chains of equalities, no cycle, features below `width`, weights finite and only on leaves, targets
/// below `targets`.
pub fn read(
    op: &str,
    attributes: &Attributes<'_>,
    leaves: &LeafTable,
    Wanted {
        targets,
        input,
        repeats,
    }: Wanted,
) -> Result<Source> {
    let nodes = NodeTable::read(op, attributes, input.element)?;
    let index = nodes.index()?;
    let vertices = nodes.vertices(&index, input.width)?;
    let mut source = Source {
        vertices,
        targets,
        roots: nodes.roots(),
        ..Source::default()
    };
    tree_chains::join(&mut source);
    check_shape(&source, &source.vertices, |node, what| {
        nodes.invalid(node, what.into())
    })?;
    let weights = numbers(op, attributes, leaves.weights, input.element)?;
    nodes.add_leaves(attributes, leaves, &weights, &index, repeats, &mut source)?;
    Ok(source)
}

/// Finds nodes by tree and id.
struct Index<'a> {
    trees: &'a [i64],
    ids: &'a [i64],
    /// Positions in ascending order; empty where the tables ascend by themselves.
    order: Vec<usize>,
}

impl<'a> Index<'a> {
    /// The position of a node that is listed twice is the error.
    fn new(trees: &'a [i64], ids: &'a [i64]) -> Result<Index<'a>, usize> {
        let key = |i: usize| (trees[i], ids[i]);
        let mut order = Vec::new();
        if !(1..ids.len()).all(|i| key(i - 1) < key(i)) {
            order = (0..ids.len()).collect();
            order.sort_by_key(|i| key(*i));
            if let Some(pair) = order.windows(2).find(|pair| key(pair[0]) == key(pair[1])) {
                return Err(pair[1]);
            }
        }
        Ok(Index { trees, ids, order })
    }

    /// The node's position; fast where it is as far from `near` as its id says.
    fn find(&self, near: usize, key: (i64, i64)) -> Option<usize> {
        let at = |i: usize| Some((*self.trees.get(i)?, *self.ids.get(i)?));
        let distance = key.1.checked_sub(*self.ids.get(near)?)?;
        let guess = usize::try_from(distance.checked_add(near as i64)?).ok();
        if let Some(guess) = guess.filter(|guess| at(*guess) == Some(key)) {
            return Some(guess);
        }
        if self.order.is_empty() {
            let first = self.trees.partition_point(|tree| *tree < key.0);
            let count = self.trees[first..].partition_point(|tree| *tree == key.0);
            let found = self.ids[first..first + count].binary_search(&key.1);
            return found.ok().map(|i| first + i);
        }
        let found = self.order.binary_search_by_key(&Some(key), |i| at(*i));
        self.order.get(found.ok()?).copied()
    }
}

struct NodeTable<'a> {
    op: &'a str,
    trees: &'a [i64],
    ids: &'a [i64],
    features: &'a [i64],
    modes: &'a [Vec<u8>],
    values: Vec<f64>,
    yes: &'a [i64],
    no: &'a [i64],
    missing: &'a [i64],
}

impl<'a> NodeTable<'a> {
    fn read(op: &'a str, attributes: &Attributes<'a>, element: Element) -> Result<NodeTable<'a>> {
        let table = NodeTable {
            op,
            trees: attributes.ints("nodes_treeids"),
            ids: attributes.ints("nodes_nodeids"),
            features: attributes.ints("nodes_featureids"),
            modes: attributes.raw_strings("nodes_modes"),
            values: numbers(op, attributes, "nodes_values", element)?,
            yes: attributes.ints("nodes_truenodeids"),
            no: attributes.ints("nodes_falsenodeids"),
            missing: attributes.ints("nodes_missing_value_tracks_true"),
        };
        let n = table.ids.len();
        if n == 0 {
            return Err(Error::Invalid(format!("{op} has no nodes")));
        }
        let lengths = [
            ("nodes_treeids", table.trees.len()),
            ("nodes_featureids", table.features.len()),
            ("nodes_modes", table.modes.len()),
            ("nodes_values", table.values.len()),
            ("nodes_truenodeids", table.yes.len()),
            ("nodes_falsenodeids", table.no.len()),
        ];
        let tracks = ("nodes_missing_value_tracks_true", table.missing.len());
        let hitrates = match attributes.floats("nodes_hitrates") {
            [] => numbers(op, attributes, "nodes_hitrates", element)?.len(),
            given => given.len(),
        };
        let hitrates = ("nodes_hitrates", hitrates);
        let optional = [tracks, hitrates].into_iter().filter(|(_, len)| *len != 0);
        match lengths
            .into_iter()
            .chain(optional)
            .find(|(_, len)| *len != n)
        {
            None => Ok(table),
            Some((name, len)) => Err(Error::Invalid(format!(
                "{op} has {n} nodes_nodeids and {len} {name}"
            ))),
        }
    }

    fn invalid(&self, node: usize, what: String) -> Error {
        Error::Invalid(format!(
            "{}: node {} of tree {} {what}",
            self.op, self.ids[node], self.trees[node]
        ))
    }

    fn index(&self) -> Result<Index<'a>> {
        Index::new(self.trees, self.ids)
            .map_err(|twice| self.invalid(twice, "is listed twice".into()))
    }

    fn vertices(&self, index: &Index<'_>, width: usize) -> Result<Vec<Vertex>> {
        let mut vertices = Vec::with_capacity(self.ids.len());
        for i in 0..self.ids.len() {
            vertices.push(self.vertex(i, index, width)?);
        }
        Ok(vertices)
    }

    fn vertex(&self, i: usize, index: &Index<'_>, width: usize) -> Result<Vertex> {
        let mode = match self.modes[i].as_slice() {
            b"LEAF" => return Ok(Vertex::Leaf { first: 0, count: 0 }),
            b"BRANCH_LEQ" => Mode::Leq,
            b"BRANCH_LT" => Mode::Lt,
            b"BRANCH_GTE" => Mode::Gte,
            b"BRANCH_GT" => Mode::Gt,
            b"BRANCH_EQ" => Mode::Eq,
            b"BRANCH_NEQ" => Mode::Neq,
            b"BRANCH_MEMBER" => {
                return Err(Error::Unsupported(format!(
                    "mode BRANCH_MEMBER of {}",
                    self.op
                )));
            }
            _ => return Err(self.invalid(i, "has an unknown mode".into())),
        };
        let feature = usize::try_from(self.features[i])
            .ok()
            .filter(|f| *f < width);
        let Some(feature) = feature else {
            return Err(self.invalid(i, format!("reads feature {} of {width}", self.features[i])));
        };
        if self.values[i].is_nan() {
            return Err(self.invalid(i, "has a threshold that is not a number".into()));
        }
        let child = |id: i64| {
            let found = index.find(i, (self.trees[i], id));
            found
                .ok_or_else(|| self.invalid(i, format!("has child {id}, which is not in the tree")))
        };
        Ok(Vertex::Branch(Branch {
            mode,
            feature,
            threshold: self.values[i],
            missing_yes: self.missing.get(i).is_some_and(|m| *m != 0),
            yes: child(self.yes[i])?,
            no: child(self.no[i])?,
        }))
    }

    /// The first node listed of each tree, in the order of the trees.
    fn roots(&self) -> Vec<usize> {
        let mut seen = HashSet::new();
        let first = |i: &usize| *i == 0 || self.trees[*i] != self.trees[i - 1];
        (0..self.trees.len())
            .filter(|i| first(i) && seen.insert(self.trees[*i]))
            .collect()
    }

    fn add_leaves(
        &self,
        attributes: &Attributes<'_>,
        table: &LeafTable,
        weights: &[f64],
        index: &Index<'_>,
        repeats: bool,
        source: &mut Source,
    ) -> Result<()> {
        let (trees, nodes) = (attributes.ints(table.trees), attributes.ints(table.nodes));
        let targets = attributes.ints(table.targets);
        let n = weights.len();
        for (name, len) in [
            (table.trees, trees.len()),
            (table.nodes, nodes.len()),
            (table.targets, targets.len()),
        ] {
            if len != n {
                return Err(Error::Invalid(format!(
                    "{} has {n} {} and {len} {name}",
                    self.op, table.weights
                )));
            }
        }
        finite(self.op, table.weights, weights)?;
        let mut rows = Vec::with_capacity(n);
        let mut near = 0;
        for i in 0..n {
            let Some(vertex) = index.find(near, (trees[i], nodes[i])) else {
                let what = format!(
                    "node {} of tree {}, which has a weight, does not exist",
                    nodes[i], trees[i]
                );
                return Err(Error::Invalid(format!("{}: {what}", self.op)));
            };
            near = vertex;
            if self.modes[vertex] != b"LEAF" {
                return Err(self.invalid(vertex, "has a weight and is no leaf".into()));
            }
            let target = usize::try_from(targets[i])
                .ok()
                .filter(|t| *t < source.targets);
            let Some(target) = target else {
                return Err(self.invalid(
                    vertex,
                    format!("adds to output {} of {}", targets[i], source.targets),
                ));
            };
            rows.push((
                vertex,
                Weight {
                    target,
                    value: weights[i],
                },
            ));
        }
        rows.sort_by_key(|(vertex, weight)| (*vertex, weight.target));
        if repeats {
            rows.dedup_by_key(|(vertex, weight)| (*vertex, weight.target));
        }
        for pair in rows.windows(2) {
            if (pair[0].0, pair[0].1.target) == (pair[1].0, pair[1].1.target) {
                return Err(self.invalid(
                    pair[0].0,
                    format!("has two weights for output {}", pair[0].1.target),
                ));
            }
        }
        for (i, (vertex, weight)) in rows.into_iter().enumerate() {
            if let Vertex::Leaf { first, count } = &mut source.vertices[vertex] {
                if *count == 0 {
                    *first = i;
                }
                *count += 1;
            }
            source.weights.push(weight);
        }
        Ok(())
    }
}

/// One parent at most for the branches, and with `vertices` for whatever is among them; none for the roots. Then what hangs
/// below a root is a tree.
pub fn check_shape(
    source: &Source,
    vertices: &[Vertex],
    invalid: impl Fn(usize, &str) -> Error,
) -> Result<()> {
    let mut parents = vec![false; vertices.len()];
    for vertex in &source.vertices {
        let Vertex::Branch(branch) = vertex else {
            continue;
        };
        for child in [branch.yes, branch.no] {
            if let Some(parent) = parents.get_mut(child)
                && std::mem::replace(parent, true)
            {
                return Err(invalid(child, "has two parents"));
            }
        }
    }
    let rooted = |root: &&usize| parents.get(**root).copied().unwrap_or(false);
    match source.roots.iter().find(rooted) {
        None => Ok(()),
        Some(root) => Err(invalid(*root, "is the root of a cycle")),
    }
}

/// Attribute `name`, or the doubles of `<name>_as_tensor`, which onnxruntime reads for double inputs.
fn numbers(
    op: &str,
    attributes: &Attributes<'_>,
    name: &str,
    element: Element,
) -> Result<Vec<f64>> {
    let floats = attributes.floats(name);
    let full = format!("{name}_as_tensor");
    let Some(tensor) = attributes.tensor(&full) else {
        return Ok(floats.iter().map(|v| f64::from(*v)).collect());
    };
    if !floats.is_empty() {
        return Err(Error::Invalid(format!("{op} has {name} and {full}")));
    }
    match (Constant::read(tensor)?.cells, element) {
        (Cells::F64(cells), Element::F64) => Ok(cells),
        _ => Err(Error::Unsupported(format!(
            "attribute \"{full}\" of {op} unless both it and the input are doubles"
        ))),
    }
}

/// Refuses NaN and infinities among weights.
pub fn finite(op: &str, name: &str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::Invalid(format!(
            "{op} has {name} {i} that is not a finite number"
        ))),
    }
}

/// Gives leaves without a weight one of zero, as onnxruntime does where there is a single target.
pub fn fill_leaves(source: &mut Source) {
    for vertex in &mut source.vertices {
        if let Vertex::Leaf { first, count } = vertex
            && *count == 0
        {
            (*first, *count) = (source.weights.len(), 1);
            source.weights.push(Weight {
                target: 0,
                value: 0.0,
            });
        }
    }
}

/// Attribute `n_targets`, 1 where it is absent.
pub fn targets(op: &str, attributes: &Attributes<'_>) -> Result<usize> {
    let targets = usize::try_from(attributes.int("n_targets").unwrap_or(1)).ok();
    let targets = targets.filter(|t| (1..=1 << 16).contains(t));
    targets.ok_or_else(|| Error::Invalid(format!("{op} has n_targets out of range")))
}

/// Attribute `base_values`, finite and of one of the lengths allowed.
pub fn base_values(
    op: &str,
    attributes: &Attributes<'_>,
    element: Element,
    lengths: &[usize],
) -> Result<Vec<f64>> {
    let base = numbers(op, attributes, "base_values", element)?;
    finite(op, "base_values", &base)?;
    if !base.is_empty() && !lengths.contains(&base.len()) {
        return Err(Error::Invalid(format!(
            "{op} has {} base values for {} outputs",
            base.len(),
            lengths[0]
        )));
    }
    Ok(base)
}

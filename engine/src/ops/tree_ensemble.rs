//! TreeEnsemble, the one tree operator of ai.onnx.ml 5: numbers per target.

use tract_onnx::pb::NodeProto;

use super::tensor::{Cells, Constant};
use super::tree_tables::{check_shape, finite, targets};
use super::{Attributes, Bound, numeric};
use crate::error::{Error, Result};
use crate::kernels::post::PostTransform;
use crate::kernels::trees::{
    Aggregate, Branch, Mode, Source, TreeRegressor, Trees, Vertex, Weight,
};
use crate::kernels::{Element, Shape};

const OP: &str = "TreeEnsemble";

/// Members of all sets: each takes several slots.
const MEMBERS: usize = 1 << 18;

/// One number per target, of the input's type.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let shape = numeric(OP, inputs)?;
    if !matches!(shape.element, Element::F32 | Element::F64) {
        return Err(Error::Invalid(format!(
            "{OP} takes floats or doubles, found {:?}",
            shape.element
        )));
    }
    let targets = targets(OP, &attributes)?;
    let aggregate = match attributes.int("aggregate_function").unwrap_or(1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(invalid(format!("has aggregate function {other}"))),
    };
    let post = match attributes.int("post_transform").unwrap_or(0) {
        0 => PostTransform::None,
        // Where the standard has 1 for SOFTMAX and 2 for LOGISTIC, onnxruntime computes the other.
        value @ 1..=2 => {
            return Err(Error::Unsupported(format!(
                "post_transform {value} of {OP}, which the standard and onnxruntime read differently,"
            )));
        }
        3 => PostTransform::SoftmaxZero,
        4 => PostTransform::Probit,
        other => return Err(invalid(format!("has post transform {other}"))),
    };
    let source = Tables::read(&attributes, shape)?.source(targets, shape.width)?;
    let kernel = TreeRegressor {
        trees: Trees::new(&source, aggregate, shape.element, shape.width)?,
        base: Vec::new(),
        post,
    };
    let output = Shape {
        width: targets,
        ..shape
    };
    Ok(Bound::new(kernel, output))
}

fn invalid(what: String) -> Error {
    Error::Invalid(format!("{OP} {what}"))
}

/// Branches and leaves, which have tables of their own.
struct Tables<'a> {
    modes: Vec<i64>,
    splits: Vec<f64>,
    members: Vec<f64>,
    weights: Vec<f64>,
    features: &'a [i64],
    /// Child and whether it is a leaf.
    yes: (&'a [i64], &'a [i64]),
    no: (&'a [i64], &'a [i64]),
    missing: &'a [i64],
    leaf_targets: &'a [i64],
    roots: &'a [i64],
}

impl<'a> Tables<'a> {
    fn read(attributes: &Attributes<'a>, shape: Shape) -> Result<Tables<'a>> {
        let numbers = |name: &str| -> Result<Vec<f64>> {
            let Some(tensor) = attributes.tensor(name) else {
                return Ok(Vec::new());
            };
            match (Constant::read(tensor)?.cells, shape.element) {
                (Cells::F32(cells), Element::F32) => Ok(cells.into_iter().map(f64::from).collect()),
                (Cells::F64(cells), Element::F64) => Ok(cells),
                _ => Err(invalid(format!(
                    "has {name} of another type than its input"
                ))),
            }
        };
        let modes = match attributes.tensor("nodes_modes") {
            Some(tensor) => bytes(tensor)?,
            None => Vec::new(),
        };
        let tables = Tables {
            modes,
            splits: numbers("nodes_splits")?,
            members: numbers("membership_values")?,
            weights: numbers("leaf_weights")?,
            features: attributes.ints("nodes_featureids"),
            yes: (
                attributes.ints("nodes_truenodeids"),
                attributes.ints("nodes_trueleafs"),
            ),
            no: (
                attributes.ints("nodes_falsenodeids"),
                attributes.ints("nodes_falseleafs"),
            ),
            missing: attributes.ints("nodes_missing_value_tracks_true"),
            leaf_targets: attributes.ints("leaf_targetids"),
            roots: attributes.ints("tree_roots"),
        };
        let hitrates = numbers("nodes_hitrates")?.len();
        tables.check_lengths(hitrates)?;
        finite(OP, "leaf_weights", &tables.weights)?;
        if tables.members.len() > MEMBERS {
            return Err(Error::TooLarge {
                what: "membership_values",
                found: tables.members.len() as u64,
                limit: MEMBERS as u64,
            });
        }
        Ok(tables)
    }

    fn check_lengths(&self, hitrates: usize) -> Result<()> {
        let n = self.modes.len();
        if n == 0 || self.roots.is_empty() {
            return Err(invalid("has no nodes or no roots".into()));
        }
        let lengths = [
            ("nodes_splits", self.splits.len()),
            ("nodes_featureids", self.features.len()),
            ("nodes_truenodeids", self.yes.0.len()),
            ("nodes_trueleafs", self.yes.1.len()),
            ("nodes_falsenodeids", self.no.0.len()),
            ("nodes_falseleafs", self.no.1.len()),
        ];
        let optional = [
            ("nodes_missing_value_tracks_true", self.missing.len()),
            ("nodes_hitrates", hitrates),
        ];
        let optional = optional.into_iter().filter(|(_, len)| *len != 0);
        if let Some((name, len)) = lengths
            .into_iter()
            .chain(optional)
            .find(|(_, len)| *len != n)
        {
            return Err(invalid(format!("has {n} nodes_modes and {len} {name}")));
        }
        let (weights, targets) = (self.weights.len(), self.leaf_targets.len());
        if weights != targets {
            return Err(invalid(format!(
                "has {weights} leaf_weights and {targets} leaf_targetids"
            )));
        }
        Ok(())
    }

    /// Branches come first, then leaves, each with one weight.
    fn source(&self, targets: usize, width: usize) -> Result<Source> {
        let n = self.modes.len();
        let mut source = Source {
            targets,
            ..Source::default()
        };
        // NaN ends a set; behind the last it can be left out.
        let mut sets = self
            .members
            .split_inclusive(|m| m.is_nan())
            .map(|set| set.split(|m| m.is_nan()).next().unwrap_or(&[]));
        for i in 0..n {
            let (mode, threshold) = self.mode(i, &mut sets, &mut source.members)?;
            let feature = self.features[i];
            let known = usize::try_from(feature).ok().filter(|f| *f < width);
            let Some(feature) = known else {
                return Err(invalid(format!(
                    "node {i} reads feature {feature} of {width}"
                )));
            };
            source.vertices.push(Vertex::Branch(Branch {
                mode,
                feature,
                threshold,
                missing_yes: self.missing.get(i).is_some_and(|m| *m != 0),
                yes: self.child(i, self.yes)?,
                no: self.child(i, self.no)?,
            }));
        }
        if sets.next().is_some() {
            return Err(invalid("has more membership_values than nodes use".into()));
        }
        for (i, (target, value)) in self.leaf_targets.iter().zip(&self.weights).enumerate() {
            let known = usize::try_from(*target).ok().filter(|t| *t < targets);
            let Some(target) = known else {
                return Err(invalid(format!(
                    "leaf {i} adds to output {target} of {targets}"
                )));
            };
            source.vertices.push(Vertex::Leaf { first: i, count: 1 });
            source.weights.push(Weight {
                target,
                value: *value,
            });
        }
        source.roots = self.roots(&mut source.vertices)?;
        // Leaves can be shared: nothing is below them.
        let branches = &source.vertices[..n];
        check_shape(&source, branches, |v, what| {
            invalid(format!("node {v} {what}"))
        })?;
        Ok(source)
    }

    /// A node's mode and threshold. The members of a set are moved to `members`, in order and without repetitions.
    fn mode<'s>(
        &self,
        node: usize,
        sets: &mut impl Iterator<Item = &'s [f64]>,
        members: &mut Vec<f64>,
    ) -> Result<(Mode, f64)> {
        let mode = match self.modes[node] {
            0 => Mode::Leq,
            1 => Mode::Lt,
            2 => Mode::Gte,
            3 => Mode::Gt,
            4 => Mode::Eq,
            5 => Mode::Neq,
            6 => {
                let Some(set) = sets.next() else {
                    return Err(invalid(format!("node {node} has no membership_values")));
                };
                let mut set = set.to_vec();
                set.sort_by(f64::total_cmp);
                set.dedup();
                let first = members.len() as u32;
                members.append(&mut set);
                let end = members.len() as u32;
                return Ok((Mode::Member { first, end }, 0.0));
            }
            other => return Err(invalid(format!("node {node} has mode {other}"))),
        };
        match self.splits[node].is_nan() {
            false => Ok((mode, self.splits[node])),
            true => Err(invalid(format!(
                "node {node} has a threshold that is not a number"
            ))),
        }
    }

    /// The vertex of a child.
    fn child(&self, node: usize, (ids, leaves): (&[i64], &[i64])) -> Result<usize> {
        let (kind, first, count) = match leaves[node] {
            0 => ("node", 0, self.modes.len()),
            1 => ("leaf", self.modes.len(), self.weights.len()),
            other => {
                return Err(invalid(format!(
                    "node {node} says {other} where 1 is a leaf and 0 is none"
                )));
            }
        };
        let found = usize::try_from(ids[node]).ok().filter(|id| *id < count);
        found.map(|id| first + id).ok_or_else(|| {
            invalid(format!(
                "node {node} has the child {kind} {} of {count}",
                ids[node]
            ))
        })
    }

    /// A root whose two children are the same leaf is that leaf: a tree without branches.
    fn roots(&self, vertices: &mut [Vertex]) -> Result<Vec<usize>> {
        let n = self.modes.len();
        let mut roots = Vec::with_capacity(self.roots.len());
        let mut seen = vec![false; n];
        for root in self.roots {
            let known = usize::try_from(*root).ok().filter(|r| *r < n);
            let Some(root) = known else {
                return Err(invalid(format!("has the root {root} of {n} nodes")));
            };
            if std::mem::replace(&mut seen[root], true) {
                return Err(invalid(format!("has the root {root} twice")));
            }
            if let Vertex::Branch(branch) = vertices[root]
                && branch.yes == branch.no
                && branch.yes >= n
            {
                vertices[root] = vertices[branch.yes];
            }
            roots.push(root);
        }
        Ok(roots)
    }
}

/// Cells of a tensor of bytes.
fn bytes(tensor: &tract_onnx::pb::TensorProto) -> Result<Vec<i64>> {
    use tract_onnx::pb::tensor_proto::DataType;
    if DataType::try_from(tensor.data_type) != Ok(DataType::Uint8) {
        return Err(invalid("has nodes_modes that are no bytes".into()));
    }
    match tensor.raw_data.is_empty() {
        true => Ok(tensor.int32_data.iter().map(|v| i64::from(*v)).collect()),
        false => Ok(tensor.raw_data.iter().map(|b| i64::from(*b)).collect()),
    }
}

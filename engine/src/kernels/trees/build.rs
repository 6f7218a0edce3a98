//! From vertices as a model file lists them to packed slots.

use std::collections::VecDeque;

use super::node::{Node, Real};

/// How a branch compares the feature's value with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    /// The value is one of a range of `Source::members`, which ascend; the threshold has no meaning.
    Member {
        first: u32,
        end: u32,
    },
}

/// An inner vertex.
#[derive(Debug, Clone, Copy)]
pub struct Branch {
    pub mode: Mode,
    pub feature: usize,
    pub threshold: f64,
    /// NaN goes to `yes` where it would go to `no`.
    pub missing_yes: bool,
    /// Vertex where the comparison holds.
    pub yes: usize,
    /// Vertex where it does not.
    pub no: usize,
}

/// A vertex of a tree.
#[derive(Debug, Clone, Copy)]
pub enum Vertex {
    Branch(Branch),
    /// Range of `Source::weights`.
    Leaf {
        first: usize,
        count: usize,
    },
}

/// What a leaf adds to one target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    pub target: usize,
    pub value: f64,
}

/// A validated ensemble: children and weights in range, no cycle below any root.
#[derive(Debug, Clone, Default)]
pub struct Source {
    pub vertices: Vec<Vertex>,
    pub weights: Vec<Weight>,
    /// Values of all sets.
    pub members: Vec<f64>,
    /// Vertex at which each tree starts, in summing order.
    pub roots: Vec<usize>,
    pub targets: usize,
}

/// A tree in its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    pub root: u32,
    /// Longest path in steps.
    pub depth: u32,
}

/// Slots of all trees and which leaf each slot is.
#[derive(Debug, Clone)]
pub struct Layout<N> {
    pub slots: Vec<N>,
    /// Vertex of each slot that is a leaf, `NO_LEAF` elsewhere.
    pub leaves: Vec<u32>,
    pub trees: Vec<Tree>,
    /// Any slot sends NaN to its upper child.
    pub missing: bool,
}

pub const NO_LEAF: u32 = u32::MAX;

/// A branch in the one form that slots know: `x <= threshold` goes to `upper`.
struct Step<T> {
    feature: usize,
    threshold: T,
    missing: bool,
    upper: Goal,
    lower: Goal,
    /// Steps that the vertex takes at most.
    span: u32,
}

/// What a slot stands for.
#[derive(Clone, Copy)]
enum Goal {
    Vertex(usize),
    /// The second comparison of an equality at this vertex.
    Second(usize),
    /// The search for the value among a range of the vertex's members.
    Search {
        vertex: usize,
        first: u32,
        end: u32,
    },
    /// The second comparison with the last candidate.
    Found {
        vertex: usize,
        member: u32,
    },
}

impl Goal {
    fn vertex(self) -> usize {
        match self {
            Goal::Vertex(v) | Goal::Second(v) => v,
            Goal::Search { vertex, .. } | Goal::Found { vertex, .. } => vertex,
        }
    }

    /// Where the pair of children is remembered, for goals that several slots have.
    fn shared(self) -> Option<usize> {
        match self {
            Goal::Vertex(v) => Some(v * 2),
            Goal::Second(v) => Some(v * 2 + 1),
            Goal::Search { .. } | Goal::Found { .. } => None,
        }
    }
}

/// Lays all trees out; `None` where a slot does not fit the node type.
pub fn layout<N: Node>(source: &Source) -> Option<Layout<N>> {
    let mut out = Layout {
        slots: Vec::new(),
        leaves: Vec::new(),
        trees: Vec::new(),
        missing: false,
    };
    let mut pairs = vec![NO_PAIR; source.vertices.len() * 2];
    for root in &source.roots {
        out.add_tree(source, *root, &mut pairs)?;
    }
    out.slots.shrink_to_fit();
    Some(out)
}

const NO_PAIR: usize = usize::MAX;

impl<N: Node> Layout<N> {
    /// Slots of tree `i`: they follow its root.
    pub fn range(&self, tree: usize) -> std::ops::Range<usize> {
        let root = |i: usize| self.trees.get(i).map(|t| t.root as usize);
        root(tree).unwrap_or(0)..root(tree + 1).unwrap_or(self.slots.len())
    }

    /// Breadth first, so that the upper levels of a tree share cache lines. A vertex that takes several comparisons is the
    /// start of paths of different length to its children, which then take several slots: `pairs` lets these share what is
    /// below, on a level that no path is too long for.
    fn add_tree(&mut self, source: &Source, root: usize, pairs: &mut [usize]) -> Option<()> {
        let start = self.slots.len();
        let mut depth = 0;
        let mut queue = VecDeque::new();
        self.reserve(1)?;
        queue.push_back((start, Goal::Vertex(root), 0));
        while let Some((slot, goal, level)) = queue.pop_front() {
            depth = depth.max(level);
            let Some(step) = step::<N::Value>(source, goal)? else {
                self.leaf(slot, goal)?;
                continue;
            };
            let known = goal.shared().and_then(|i| pairs.get(i)).copied();
            let pair = match known.filter(|pair| *pair != NO_PAIR) {
                Some(pair) => pair,
                None => {
                    let pair = self.slots.len();
                    self.reserve(2)?;
                    for (slot, child) in [(pair, step.lower), (pair + 1, step.upper)] {
                        let inside = child.vertex() == goal.vertex();
                        queue.push_back((slot, child, level + if inside { 0 } else { step.span }));
                    }
                    if let Some(known) = goal.shared().and_then(|i| pairs.get_mut(i)) {
                        *known = pair;
                    }
                    pair
                }
            };
            self.missing |= step.missing;
            *self.slots.get_mut(slot)? = N::new(step.threshold, step.feature, step.missing, pair)?;
        }
        self.trees.push(Tree {
            root: u32::try_from(start).ok()?,
            depth,
        });
        Some(())
    }

    fn reserve(&mut self, count: usize) -> Option<()> {
        for _ in 0..count {
            self.slots
                .push(N::new(N::Value::NAN, 0, false, self.slots.len())?);
            self.leaves.push(NO_LEAF);
        }
        Some(())
    }

    fn leaf(&mut self, slot: usize, goal: Goal) -> Option<()> {
        let Goal::Vertex(vertex) = goal else {
            return None;
        };
        *self.slots.get_mut(slot)? = N::new(N::Value::NAN, 0, false, slot)?;
        *self.leaves.get_mut(slot)? = u32::try_from(vertex).ok()?;
        Some(())
    }
}

/// The comparison of a slot; `Some(None)` for a leaf. `x < t` is `x <= t.below()`, the opposites swap children (and with
/// them the side that NaN takes by itself), an equality is two comparisons, and a set is searched by halves. NaN is
/// unequal to every threshold and in no set.
fn step<T: Real>(source: &Source, goal: Goal) -> Option<Option<Step<T>>> {
    let id = goal.vertex();
    let Vertex::Branch(branch) = source.vertices.get(id)? else {
        return Some(None);
    };
    let Branch {
        mode,
        feature,
        missing_yes,
        ..
    } = *branch;
    let at = T::from_f64(branch.threshold);
    let (yes, no) = (Goal::Vertex(branch.yes), Goal::Vertex(branch.no));
    let span = match mode {
        Mode::Leq | Mode::Lt | Mode::Gt | Mode::Gte => 1,
        Mode::Eq | Mode::Neq => 2,
        Mode::Member { first, end } => 2 + (end - first).max(1).next_power_of_two().ilog2(),
    };
    let step = |threshold, upper, lower, missing| {
        Some(Some(Step {
            feature,
            threshold,
            missing,
            upper,
            lower,
            span,
        }))
    };
    let member = |i: u32| source.members.get(i as usize).map(|m| T::from_f64(*m));
    match (mode, goal) {
        (_, Goal::Found { member: i, .. }) => step(member(i)?.below(), no, yes, false),
        (Mode::Member { first, end }, Goal::Vertex(_)) if first == end => {
            step(T::NAN, yes, no, missing_yes)
        }
        (Mode::Member { first, end }, Goal::Vertex(_)) | (_, Goal::Search { first, end, .. }) => {
            let middle = first.midpoint(end);
            match middle == first {
                true => {
                    let found = Goal::Found {
                        vertex: id,
                        member: first,
                    };
                    step(member(first)?, found, no, missing_yes)
                }
                false => {
                    let half = |first, end| Goal::Search {
                        vertex: id,
                        first,
                        end,
                    };
                    let last = member(middle - 1)?;
                    step(last, half(first, middle), half(middle, end), missing_yes)
                }
            }
        }
        (Mode::Member { .. }, Goal::Second(_)) => None,
        (Mode::Leq, _) => step(at, yes, no, missing_yes),
        (Mode::Lt, _) => step(at.below(), yes, no, missing_yes),
        (Mode::Gt, _) => step(at, no, yes, !missing_yes),
        (Mode::Gte, _) => step(at.below(), no, yes, !missing_yes),
        (Mode::Eq, Goal::Vertex(_)) => step(at, Goal::Second(id), no, missing_yes),
        (Mode::Eq, _) => step(at.below(), no, yes, false),
        (Mode::Neq, Goal::Vertex(_)) => step(at, Goal::Second(id), yes, false),
        (Mode::Neq, _) => step(at.below(), yes, no, false),
    }
}

//! Chains of equalities in a tree. Exporters write membership in a set as one equality after the other, all with the same
//! branch where it holds: `x == a`, else `x == b`, else .... A chain becomes one branch, so that no vertex has two parents.

use crate::kernels::trees::{Branch, Mode, Source, Vertex};

/// Joins every chain into its first vertex; the others become leaves that nothing leads to.
pub fn join(source: &mut Source) {
    let parents = parents(source);
    for head in 0..source.vertices.len() {
        let Some(mut branch) = equality(source, head) else {
            continue;
        };
        let continues = parents[head].is_some_and(|p| follows(source, p, head));
        let mut values = vec![branch.threshold];
        while !continues
            && branch.no != head
            && parents[branch.no].is_some()
            && let Some(next) = equality(source, branch.no).filter(|next| alike(&branch, next))
        {
            values.push(next.threshold);
            source.vertices[branch.no] = Vertex::Leaf { first: 0, count: 0 };
            branch.no = next.no;
        }
        if values.len() == 1 {
            continue;
        }
        values.sort_by(f64::total_cmp);
        values.dedup_by(|a, b| a == b);
        let first = source.members.len();
        let end = first + values.len();
        let (Ok(first), Ok(end)) = (u32::try_from(first), u32::try_from(end)) else {
            return;
        };
        source.members.extend(values);
        branch.mode = Mode::Member { first, end };
        source.vertices[head] = Vertex::Branch(branch);
    }
}

/// The only branch that leads to a vertex, and by one side alone; none for roots.
fn parents(source: &Source) -> Vec<Option<usize>> {
    let mut parents = vec![(0, 0); source.vertices.len()];
    for (i, vertex) in source.vertices.iter().enumerate() {
        if let Vertex::Branch(branch) = vertex {
            for child in [branch.yes, branch.no] {
                parents[child] = (i, parents[child].1 + 1);
            }
        }
    }
    for root in &source.roots {
        parents[*root].1 = 0;
    }
    let single = |(parent, count)| (count == 1).then_some(parent);
    parents.into_iter().map(single).collect()
}

fn equality(source: &Source, vertex: usize) -> Option<Branch> {
    match source.vertices.get(vertex) {
        Some(Vertex::Branch(branch)) if branch.mode == Mode::Eq && branch.threshold.is_finite() => {
            Some(*branch)
        }
        _ => None,
    }
}

fn alike(x: &Branch, y: &Branch) -> bool {
    (x.feature, x.yes, x.missing_yes) == (y.feature, y.yes, y.missing_yes)
}

/// True where `vertex` goes on with the chain of its parent.
fn follows(source: &Source, parent: usize, vertex: usize) -> bool {
    let pair = equality(source, parent).zip(equality(source, vertex));
    pair.is_some_and(|(parent, branch)| parent.no == vertex && alike(&parent, &branch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(threshold: f64, yes: usize, no: usize) -> Vertex {
        Vertex::Branch(Branch {
            mode: Mode::Eq,
            feature: 0,
            threshold,
            missing_yes: false,
            yes,
            no,
        })
    }

    const LEAF: Vertex = Vertex::Leaf { first: 0, count: 0 };

    fn joined(vertices: Vec<Vertex>, root: usize) -> Source {
        let mut source = Source {
            vertices,
            roots: vec![root],
            ..Source::default()
        };
        join(&mut source);
        source
    }

    fn branch(source: &Source, vertex: usize) -> Branch {
        match source.vertices[vertex] {
            Vertex::Branch(branch) => branch,
            Vertex::Leaf { .. } => panic!("{vertex} is a leaf"),
        }
    }

    #[test]
    fn a_chain_in_any_order_is_one_set() {
        // 2 -> 0 -> 3 -> 4, all to 1 where they hold.
        let vertices = vec![
            equal(5.0, 1, 3),
            LEAF,
            equal(7.0, 1, 0),
            equal(5.0, 1, 4),
            LEAF,
        ];
        let source = joined(vertices, 2);
        let Branch { mode, yes, no, .. } = branch(&source, 2);
        assert_eq!((mode, yes, no), (Mode::Member { first: 0, end: 2 }, 1, 4));
        assert_eq!(source.members, [5.0, 7.0]);
        assert!(matches!(source.vertices[0], Vertex::Leaf { .. }));
        assert!(matches!(source.vertices[3], Vertex::Leaf { .. }));
    }

    #[test]
    fn other_branches_stay() {
        // Another branch where it holds, a vertex that something else leads to as well, and no number.
        for (vertices, root) in [
            (
                vec![equal(1.0, 2, 1), equal(2.0, 3, 4), LEAF, LEAF, LEAF],
                0,
            ),
            (
                vec![
                    equal(1.0, 2, 1),
                    equal(2.0, 2, 4),
                    equal(3.0, 1, 4),
                    LEAF,
                    LEAF,
                ],
                0,
            ),
            (vec![equal(f64::NAN, 2, 1), equal(2.0, 2, 3), LEAF, LEAF], 0),
        ] {
            let source = joined(vertices, root);
            assert!(source.members.is_empty());
            assert_eq!(branch(&source, 0).mode, Mode::Eq);
        }
    }

    #[test]
    fn a_cycle_stays_one() {
        let source = joined(vec![equal(1.0, 2, 1), equal(2.0, 2, 0), LEAF], 0);
        assert_eq!(branch(&source, 0).no, 0);
    }
}

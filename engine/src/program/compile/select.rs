//! Nodes that pick: the largest cell, columns by index, labels.

use super::*;

impl<'a> Compiler<'a> {
    pub(super) fn arg_max(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let Some(x) = self
            .rows(node, 0)
            .filter(|x| x.rank == Rank::Two && x.view.element == Element::F32)
        else {
            return Ok(None);
        };
        if !matches!(attributes.int("axis"), Some(1 | -1)) {
            return Ok(None);
        }
        let rank = if attributes.int("keepdims").unwrap_or(1) != 0 {
            Rank::Two
        } else {
            Rank::One
        };
        let view = self.block(Shape::i64(1));
        self.choices.push((view, x.view.width));
        self.step(
            ArgMax {
                last: attributes.int("select_last_index").unwrap_or(0) != 0,
            },
            vec![x.view],
            view,
        );
        Ok(self.set(node, Value::rows(view, rank)))
    }

    /// Class labels by index, or columns by constant index.
    pub(super) fn array_feature_extractor(&mut self, node: &'a NodeProto) -> Compiled {
        if let (Some(classes), Some(index)) = (self.constant_input(node, 0), self.rows(node, 1)) {
            let Some(labels) = array_feature_extractor::classes(&classes) else {
                return Ok(None);
            };
            if self.classes(index) != Some(labels.len()) {
                return Ok(None);
            }
            return Ok(self.set(node, Value::Label(index, Rc::new(labels))));
        }
        let (Some(x), Some(indices)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        match indices.i64s().filter(|i| !i.is_empty()) {
            Some(indices) => self.select(node, x, indices),
            None => Ok(None),
        }
    }

    /// Number of classes that an ArgMax chose from.
    pub(super) fn classes(&self, index: Tensor) -> Option<usize> {
        self.choices
            .iter()
            .find(|(view, _)| *view == index.view)
            .map(|(_, classes)| *classes)
    }

    /// LabelEncoder over class labels changes their texts, over anything else it is a kernel.
    pub(super) fn label_encoder(&mut self, node: &'a NodeProto, bind: ops::Bind) -> Compiled {
        let (tensor, integers) = match self.value(node, 0) {
            Some(Value::Label(tensor, labels)) => match labels.as_ref() {
                Labels::Integers(integers) => (*tensor, integers.clone()),
                Labels::Texts(_) => return Ok(None),
            },
            Some(Value::Rows(tensor)) => match self.classes(*tensor) {
                Some(classes) => (*tensor, (0..).take(classes).collect()),
                None => return self.operator(node, bind),
            },
            _ => return Ok(None),
        };
        match label_encoder::relabel(node, &integers)? {
            Some(labels) => Ok(self.set(node, Value::Label(tensor, Rc::new(labels)))),
            None => self.operator(node, bind),
        }
    }

    /// Columns by a list of constant indices, negative ones counted from the end.
    pub(super) fn gather(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(indices)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let axis = Attributes::new(node)?.int("axis").unwrap_or(0);
        let width = i64::try_from(x.view.width).unwrap_or(i64::MAX);
        match indices.i64s() {
            Some(cells)
                if x.rank == Rank::Two
                    && matches!(axis, 1 | -1)
                    && indices.dims.len() == 1
                    && !cells.is_empty() =>
            {
                let cells: Vec<i64> = cells
                    .iter()
                    .map(|i| if *i < 0 { i.saturating_add(width) } else { *i })
                    .collect();
                self.select(node, x, &cells)
            }
            _ => Ok(None),
        }
    }

    /// A run of columns is a narrower view; others are copied.
    pub(super) fn select(&mut self, node: &'a NodeProto, x: Tensor, indices: &[i64]) -> Compiled {
        let shape = Shape {
            element: x.view.element,
            width: x.view.width,
        };
        let Bound {
            kernel, outputs, ..
        } = array_feature_extractor::bind(indices, shape)?;
        let first = indices.first().and_then(|i| usize::try_from(*i).ok());
        let run = indices.windows(2).all(|w| w[1] == w[0] + 1);
        let view = match (first, outputs.first()) {
            (Some(first), _) if run => x.view.columns(first, indices.len()),
            (_, Some(shape)) => {
                let view = self.block(*shape);
                self.program.steps.push(Step {
                    call: Call::Kernel(kernel),
                    inputs: vec![x.view],
                    outputs: vec![view],
                });
                view
            }
            _ => return Ok(None),
        };
        Ok(self.set(node, Value::rows(view, Rank::Two)))
    }
}

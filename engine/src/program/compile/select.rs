//! Nodes that pick: the largest cell, columns by index, labels.

use super::*;

impl<'a> Compiler<'a> {
    /// Class labels by index, or columns by constant index.
    pub(super) fn array_feature_extractor(&mut self, node: &'a NodeProto) -> Compiled {
        if let (Some(classes), Some(index)) = (self.constant_input(node, 0), self.rows(node, 1)) {
            let labels = array_feature_extractor::classes(&classes);
            return match (labels, self.classes(index)) {
                (Some(labels), Some(count)) if count == labels.len() => {
                    Ok(self.set(node, Value::Label(index, Rc::new(labels))))
                }
                (Some(_), Some(_)) => Ok(None),
                _ => self.line(node, &classes, index),
            };
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
            Some(Value::Constant(constant)) => {
                let constant = constant.clone();
                return self.encoded(node, &constant, bind);
            }
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

    /// Places along an axis of a row by constant index, negative ones counted from the end.
    pub(super) fn gather(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(indices)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let axis = x.dims.axis(Attributes::new(node)?.int("axis").unwrap_or(0));
        let (Some(axis), Some(cells)) = (axis, indices.i64s()) else {
            return Ok(None);
        };
        let sizes = x.dims.sizes();
        let size = i64::try_from(sizes[axis]).unwrap_or(i64::MAX);
        let places: Option<Vec<usize>> = cells
            .iter()
            .map(|i| {
                let place = if *i < 0 { i.saturating_add(size) } else { *i };
                usize::try_from(place).ok().filter(|_| place < size)
            })
            .collect();
        let Some(places) = places.filter(|p| !p.is_empty()) else {
            return Err(Error::Invalid(format!(
                "Gather takes an index that is not one of {size}"
            )));
        };
        let dims = Dims::new(&[&sizes[..axis], &indices.dims, &sizes[axis + 1..]].concat());
        let tensor = self.along(x, axis, &places).zip(dims);
        self.rows_value(node, tensor.map(|(t, dims)| Tensor { dims, ..t }))
    }

    /// Columns by constant index.
    pub(super) fn select(&mut self, node: &'a NodeProto, x: Tensor, indices: &[i64]) -> Compiled {
        if !x.dims.is_matrix() {
            return Ok(None);
        }
        let shape = Shape {
            element: x.view.element,
            width: x.view.width,
        };
        array_feature_extractor::bind(indices, shape)?;
        let cells: Vec<usize> = indices
            .iter()
            .filter_map(|i| usize::try_from(*i).ok())
            .collect();
        let dims = Dims::columns(cells.len());
        let tensor = self.pick(x, cells, dims);
        self.rows_value(node, tensor)
    }
}

//! Nodes that move cells: casts, concatenations, reshapes.

use super::*;

impl<'a> Compiler<'a> {
    pub(super) fn cast(&mut self, node: &'a NodeProto) -> Compiled {
        let to = Attributes::new(node)?
            .int("to")
            .and_then(|t| i32::try_from(t).ok())
            .map(DataType::try_from);
        let to = match to {
            Some(Ok(DataType::Float)) => Element::F32,
            Some(Ok(DataType::Double)) => Element::F64,
            Some(Ok(DataType::Int64)) => Element::I64,
            Some(Ok(DataType::Bool)) => Element::Bool,
            Some(Ok(DataType::String)) => Element::Text,
            _ => return Ok(None),
        };
        let value = match self.value(node, 0).cloned() {
            Some(Value::Label(tensor, labels)) => match (labels.as_ref(), to) {
                (Labels::Integers(_), Element::I64 | Element::Text)
                | (Labels::Texts(_), Element::Text) => Value::Label(tensor, labels),
                _ => return Ok(None),
            },
            Some(Value::Rows(x)) if x.view.element == to => Value::Rows(x),
            Some(Value::Rows(x)) if x.view.element != Element::Text && to != Element::Text => {
                let view = self.block(Shape {
                    element: to,
                    width: x.view.width,
                });
                self.step(Cast { to }, vec![x.view], view);
                Value::Rows(Tensor { view, ..x })
            }
            _ => return Ok(None),
        };
        Ok(self.set(node, value))
    }

    pub(super) fn concat(&mut self, node: &'a NodeProto) -> Compiled {
        let rank = match (
            Attributes::new(node)?.int("axis"),
            self.rows(node, 0).map(|t| t.rank),
        ) {
            (Some(1 | -1), Some(Rank::Two)) => Rank::Two,
            (Some(2 | -1), Some(Rank::Three(1))) => Rank::Three(1),
            _ => return Ok(None),
        };
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some(parts) = parts.filter(|p| p.iter().all(|t| t.rank == rank)) else {
            return Ok(None);
        };
        let Some(first) = parts.first().map(|t| t.view) else {
            return Ok(None);
        };
        if parts.iter().any(|t| t.view.element != first.element) {
            return Ok(None);
        }
        let view = self.side_by_side(&parts, first.element);
        Ok(self.set(node, Value::rows(view, rank)))
    }

    pub(super) fn feature_vectorizer(&mut self, node: &'a NodeProto) -> Compiled {
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some(parts) = parts.filter(|p| !p.is_empty() && p.iter().all(|t| t.rank == Rank::Two))
        else {
            return Ok(None);
        };
        let shapes: Vec<Shape> = parts
            .iter()
            .map(|t| Shape {
                element: t.view.element,
                width: t.view.width,
            })
            .collect();
        if let Some(bind) = ops::find(&node.op_type) {
            bind(node, &shapes)?;
        }
        let view = self.side_by_side(&parts, Element::F32);
        Ok(self.set(node, Value::rows(view, Rank::Two)))
    }

    /// Neighbouring columns of one block stay where they are; anything else is copied into a new block.
    pub(super) fn side_by_side(&mut self, parts: &[Tensor], element: Element) -> View {
        let width = parts.iter().map(|t| t.view.width).sum();
        if let Some(first) = parts.first().map(|t| t.view) {
            let mut end = first.offset;
            let adjacent = parts.iter().all(|Tensor { view, .. }| {
                let next =
                    view.place == first.place && view.element == element && view.offset == end;
                end += view.width;
                next
            });
            if adjacent {
                return View { width, ..first };
            }
        }
        let view = self.block(Shape { element, width });
        let mut column = 0;
        for part in parts {
            self.step(
                Cast { to: element },
                vec![part.view],
                view.columns(column, part.view.width),
            );
            column += part.view.width;
        }
        view
    }

    /// Shapes that keep the rows and the order of their cells.
    pub(super) fn reshape(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(value) = self.value(node, 0).cloned() else {
            return Ok(None);
        };
        let (tensor, width) = match &value {
            Value::Rows(tensor) | Value::Label(tensor, _) => (*tensor, tensor.view.width),
            Value::Constant(_) => return Ok(None),
        };
        let attributes = Attributes::new(node)?;
        let axes = match self.constant_input(node, 1) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None => Some(attributes.ints("axes").to_vec()),
        };
        let width_i64 = i64::try_from(width).unwrap_or(i64::MAX);
        let rank = match (node.op_type.as_str(), axes.as_deref(), tensor.rank) {
            ("Reshape", Some([-1]), _) if width == 1 => Rank::One,
            ("Reshape", Some([-1 | 0, w]), _) if *w == width_i64 => Rank::Two,
            ("Reshape", Some([0, -1]), _) => Rank::Two,
            ("Flatten", _, _) if attributes.int("axis").unwrap_or(1) == 1 => Rank::Two,
            ("Squeeze", Some([1 | -1]), Rank::Two) if width == 1 => Rank::One,
            ("Squeeze", Some([1]), Rank::Three(1)) => Rank::Two,
            ("Unsqueeze", Some([1 | -1]), Rank::One) => Rank::Two,
            _ => return Ok(None),
        };
        let tensor = Tensor { rank, ..tensor };
        let value = match value {
            Value::Label(_, labels) => Value::Label(tensor, labels),
            _ => Value::Rows(tensor),
        };
        Ok(self.set(node, value))
    }
}

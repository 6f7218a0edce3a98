//! Cast and copies: cells of one element type into another's block.

use super::slab::text;
use super::{Arena, Element, Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, Span, mismatch};
use crate::error::Result;

/// Converts every cell to the output's element; booleans become 0 and 1, NaN is true.
#[derive(Debug, Clone, Copy)]
pub struct Cast {
    pub to: Element,
}

impl Kernel for Cast {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [out]) = (inputs, outputs) else {
            return Err(mismatch("Cast"));
        };
        let bool = self.to == Element::Bool;
        match (x, out) {
            (Slab::F32(x), SlabMut::F32(o)) => each(x, o, |x| x),
            (Slab::F64(x), SlabMut::F32(o)) => each(x, o, |x| x as f32),
            (Slab::I64(x), SlabMut::F32(o)) => each(x, o, |x| x as f32),
            (Slab::F32(x), SlabMut::F64(o)) => each(x, o, f64::from),
            (Slab::F64(x), SlabMut::F64(o)) => each(x, o, |x| x),
            (Slab::I64(x), SlabMut::F64(o)) => each(x, o, |x| x as f64),
            (Slab::F32(x), SlabMut::I64(o)) if bool => each(x, o, |x| i64::from(x != 0.0)),
            (Slab::F64(x), SlabMut::I64(o)) if bool => each(x, o, |x| i64::from(x != 0.0)),
            (Slab::I64(x), SlabMut::I64(o)) if bool => each(x, o, |x| i64::from(x != 0)),
            (Slab::F32(x), SlabMut::I64(o)) => each(x, o, |x| x as i64),
            (Slab::F64(x), SlabMut::I64(o)) => each(x, o, |x| x as i64),
            (Slab::I64(x), SlabMut::I64(o)) => each(x, o, |x| x),
            (Slab::Text(x, from), SlabMut::Text(o, arena)) => copy(x, from, o, arena)?,
            _ => return Err(mismatch("Cast")),
        }
        Ok(())
    }

    fn is_copy(&self) -> bool {
        true
    }
}

fn each<T: Copy, U>(x: &Rows<'_, T>, out: &mut RowsMut<'_, U>, convert: impl Fn(T) -> U) {
    for i in 0..x.rows() {
        for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
            *o = convert(*x);
        }
    }
}

/// Texts appended to another block's arena.
fn copy(
    x: &Rows<'_, Span>,
    from: &str,
    out: &mut RowsMut<'_, Span>,
    arena: &mut Arena,
) -> Result<()> {
    for i in 0..x.rows() {
        for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
            *o = arena.push(text(from, *x))?;
        }
    }
    Ok(())
}

/// FeatureVectorizer: any number of numeric inputs side by side, as f32.
#[derive(Debug, Clone, Copy)]
pub struct Concat;

impl Kernel for Concat {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let [SlabMut::F32(out)] = outputs else {
            return Err(mismatch("FeatureVectorizer"));
        };
        for i in 0..out.rows() {
            let mut rest = out.row(i);
            for x in inputs {
                rest = match x {
                    Slab::F32(x) => append(rest, x.row(i), |x| x),
                    Slab::F64(x) => append(rest, x.row(i), |x| x as f32),
                    Slab::I64(x) => append(rest, x.row(i), |x| x as f32),
                    Slab::Text(..) => return Err(mismatch("FeatureVectorizer")),
                };
            }
        }
        Ok(())
    }
}

fn append<'a, T: Copy>(out: &'a mut [f32], row: &[T], convert: impl Fn(T) -> f32) -> &'a mut [f32] {
    let (head, rest) = out.split_at_mut(row.len());
    head.iter_mut().zip(row).for_each(|(o, x)| *o = convert(*x));
    rest
}

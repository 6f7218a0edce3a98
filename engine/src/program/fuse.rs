//! Concatenation without copies: what is only made to be copied is made in place.

use super::step::{Place, Step, View};
use super::tabular::Tabular;

/// Where a block is written by one-output steps and read by a single copy alone, those steps write to the copy's target.
/// The search is quadratic in the steps, so that programs of very many keep their copies.
pub fn place_concats(program: &mut Tabular) {
    const STEPS: usize = 8_192;
    if program.steps.len() > STEPS {
        return;
    }
    let mut i = 0;
    while i < program.steps.len() {
        match redirect(program, i) {
            Some((block, target)) => {
                for step in &mut program.steps {
                    for view in step
                        .outputs
                        .iter_mut()
                        .filter(|v| v.place == Place::Block(block))
                    {
                        *view = View {
                            place: target.place,
                            offset: target.offset + view.offset,
                            stride: target.stride,
                            ..*view
                        };
                    }
                }
                program.steps.remove(i);
                if let Some(shape) = program.blocks.get_mut(block) {
                    shape.width = 0;
                }
            }
            None => i += 1,
        }
    }
}

/// The block that step `i` copies whole, and where to.
fn redirect(program: &Tabular, i: usize) -> Option<(usize, View)> {
    let step = program.steps.get(i)?;
    let ([from], [to]) = (step.inputs.as_slice(), step.outputs.as_slice()) else {
        return None;
    };
    let Place::Block(block) = from.place else {
        return None;
    };
    let whole = from.offset == 0 && from.width == from.stride && from.width == to.width;
    let copy = step.is_copy();
    let read = |s: &Step| s.inputs.iter().any(|v| v.place == from.place);
    let alone = program.steps.iter().filter(|s| read(s)).count() == 1;
    let kept = program.outputs.iter().any(|(v, _)| v.place == from.place);
    let mut makers = program
        .steps
        .iter()
        .filter(|s| s.outputs.iter().any(|v| v.place == from.place));
    let safe = makers.all(|s| s.outputs.len() == 1 && s.inputs.iter().all(|v| v.place != to.place));
    (whole && copy && alone && !kept && safe).then_some((block, *to))
}

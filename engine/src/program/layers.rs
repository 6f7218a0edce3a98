//! Dense layers that follow each other become one step.

use super::step::{Call, Place, Step};
use super::tabular::Tabular;
use crate::kernels::dense::network::Network;

/// Joins dense layers of which each is read by the next alone.
pub fn stack_layers(program: &mut Tabular) {
    let mut first = 0;
    while first < program.steps.len() {
        let mut end = first + 1;
        while end < program.steps.len() && feeds_only(program, end - 1) {
            end += 1;
        }
        if let Some(step) = joined(&program.steps[first..end]) {
            for inner in &program.steps[first..end - 1] {
                if let Some(Place::Block(block)) = inner.outputs.first().map(|v| v.place)
                    && let Some(shape) = program.blocks.get_mut(block)
                {
                    shape.width = 0;
                }
            }
            program.steps.splice(first..end, [step]);
            first += 1;
        } else {
            first = end;
        }
    }
}

/// True where step `i` is a layer whose output nothing but the next step, another layer, reads.
fn feeds_only(program: &Tabular, i: usize) -> bool {
    let (Some(step), Some(next)) = (program.steps.get(i), program.steps.get(i + 1)) else {
        return false;
    };
    let layers = [step, next]
        .iter()
        .all(|s| matches!(s.call, Call::Dense(_)));
    let Some(view) = step.outputs.first() else {
        return false;
    };
    let touches = |s: &&Step| {
        let views = s.inputs.iter().chain(&s.outputs);
        views.clone().any(|v| v.place == view.place)
    };
    layers
        && next.inputs.as_slice() == [*view]
        && program.steps.iter().filter(touches).count() == 2
        && program.outputs.iter().all(|(v, _)| v.place != view.place)
}

fn joined(steps: &[Step]) -> Option<Step> {
    let layers = steps.iter().map(|step| match &step.call {
        Call::Dense(dense) => Some(dense.clone()),
        Call::Kernel(_) => None,
    });
    let network = Network::new(layers.collect::<Option<_>>()?)?;
    Some(Step {
        call: Call::Kernel(Box::new(network)),
        inputs: steps.first()?.inputs.clone(),
        outputs: steps.last()?.outputs.clone(),
    })
}

//! LinearClassifier: one weighted sum per class, or one for two classes.

use tract_onnx::pb::NodeProto;

use super::linear_regressor::linear;
use super::{Attributes, Bound, Labels, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::linear::{Decision, LinearClassifier};
use crate::kernels::post::PostTransform;

const OP: &str = "LinearClassifier";

/// Label index and one f32 per class.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let width = numeric(OP, inputs)?.width;
    let labels = labels(OP, &attributes, "classlabels_ints", "classlabels_strings")?;
    let outputs = match attributes.floats("intercepts").len() {
        0 => attributes.floats("coefficients").len() / width.max(1),
        n => n,
    };
    let post = attributes.post_transform()?;
    let decision = match (outputs, labels.len()) {
        (1, 2) if post == PostTransform::Probit => {
            return Err(Error::Unsupported(format!(
                "post transform PROBIT of {OP} with one sum for two classes"
            )));
        }
        (1, 2) => Decision::OneScore,
        (n, classes) if n == classes => Decision::PerClass,
        (n, classes) => {
            return Err(Error::Invalid(format!(
                "{OP} has {n} sums for {classes} classes"
            )));
        }
    };
    let linear = linear(OP, &attributes, width, outputs)?;
    Ok(Bound::classifier(
        LinearClassifier {
            linear,
            decision,
            post,
        },
        labels,
    ))
}

/// Class labels of a classifier: integers or texts, not both.
pub fn labels(
    op: &str,
    attributes: &Attributes<'_>,
    integers: &str,
    texts: &str,
) -> Result<Labels> {
    let (integers, texts) = (attributes.ints(integers), attributes.strings(texts)?);
    match (integers.is_empty(), texts.is_empty()) {
        (false, false) => Err(Error::Invalid(format!(
            "{op} has class labels of two types"
        ))),
        (false, true) => Labels::Integers(integers.to_vec()).checked(op),
        (true, _) => Labels::Texts(texts).checked(op),
    }
}

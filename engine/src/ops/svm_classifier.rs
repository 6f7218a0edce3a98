//! SVMClassifier: machines for each pair of classes, or one weighted sum per class where there are no support vectors.

use tract_onnx::pb::NodeProto;

use super::linear_classifier::labels;
use super::svm::{coefficients, rho, support, weights};
use super::{Attributes, Bound, Labels, finite, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::post::PostTransform;
use crate::kernels::svm::{LinearSvmClassifier, Platt, SvmClassifier};

const OP: &str = "SVMClassifier";
/// Pairs and their coupling grow with the square of the classes.
const CLASSES: usize = 256;

/// Label index and f32 numbers: probabilities of the classes, scores of the classes without support vectors, or scores of
/// the pairs without `prob_a`, two columns where there are two classes.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let width = numeric(OP, inputs)?.width;
    let labels = labels(OP, &attributes, "classlabels_ints", "classlabels_strings")?;
    let classes = labels.len();
    if classes < 2 {
        return Err(Error::Unsupported(format!("{OP} of one class")));
    }
    if classes > CLASSES {
        return Err(Error::TooLarge {
            what: "classes of a support vector machine",
            found: classes as u64,
            limit: CLASSES as u64,
        });
    }
    let per_class = attributes.ints("vectors_per_class");
    let per_class: Option<Vec<usize>> = per_class
        .iter()
        .map(|n| usize::try_from(*n).ok().filter(|n| *n <= 1 << 31))
        .collect();
    let per_class = per_class
        .ok_or_else(|| Error::Invalid(format!("{OP} has vectors_per_class out of range")))?;
    let vectors: usize = per_class.iter().sum();
    if vectors == 0 {
        return linear(&attributes, labels, width);
    }
    if per_class.len() != classes {
        return Err(Error::Invalid(format!(
            "{OP} has {} vectors_per_class for {classes} classes",
            per_class.len()
        )));
    }
    let coefficients = coefficients(OP, &attributes)?;
    if (classes - 1).checked_mul(vectors) != Some(coefficients.len()) {
        return Err(Error::Invalid(format!(
            "{OP} has {} coefficients for {vectors} support vectors of {classes} classes",
            coefficients.len()
        )));
    }
    let pairs = classes * (classes - 1) / 2;
    let rho = rho(OP, &attributes)?;
    if rho.len() != pairs {
        return Err(Error::Invalid(format!(
            "{OP} has {} rho for {pairs} pairs of classes",
            rho.len()
        )));
    }
    let platt = platt(&attributes, pairs)?;
    let post = attributes.post_transform()?;
    let columns = match (platt.is_empty(), pairs) {
        (true, 1) if post == PostTransform::Probit => {
            return Err(Error::Unsupported(format!(
                "post transform PROBIT of {OP} with one sum for two classes"
            )));
        }
        (false, _) | (true, 1) => classes,
        (true, pairs) => pairs,
    };
    let kernel = SvmClassifier {
        vectors: support(OP, &attributes, vectors, width)?,
        per_class,
        coefficients: coefficients.to_vec(),
        rho: rho.to_vec(),
        platt,
        post,
    };
    Ok(Bound {
        outputs: vec![Shape::i64(1), Shape::f32(columns)],
        ..Bound::classifier(kernel, labels)
    })
}

fn platt(attributes: &Attributes<'_>, pairs: usize) -> Result<Vec<Platt>> {
    let (a, b) = (attributes.floats("prob_a"), attributes.floats("prob_b"));
    finite(OP, "prob_a", a)?;
    finite(OP, "prob_b", b)?;
    if a.len() != b.len() || !(a.is_empty() || a.len() == pairs) {
        return Err(Error::Invalid(format!(
            "{OP} has {} prob_a and {} prob_b for {pairs} pairs of classes",
            a.len(),
            b.len()
        )));
    }
    Ok(a.iter()
        .zip(b)
        .map(|(a, b)| Platt { a: *a, b: *b })
        .collect())
}

fn linear(attributes: &Attributes<'_>, labels: Labels, width: usize) -> Result<Bound> {
    let weights = weights(OP, attributes, labels.len(), width)?;
    let probabilities = !attributes.floats("prob_a").is_empty();
    let positive = attributes.floats("coefficients").iter().all(|w| *w >= 0.0);
    let second_above = match (labels.len(), probabilities, positive) {
        (2, false, true) => Some(0.5),
        (2, false, false) => Some(0.0),
        _ => None,
    };
    let kernel = LinearSvmClassifier {
        weights,
        rho: rho(OP, attributes)?[0],
        second_above,
        post: attributes.post_transform()?,
    };
    Ok(Bound::classifier(kernel, labels))
}

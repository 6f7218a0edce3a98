//! Tokenizer of the domain com.microsoft: texts to tokens by a pattern or by separators.

use tract_onnx::pb::NodeProto;

use super::Attributes;
use crate::error::{Error, Result};
use crate::kernels::text::pattern::{Matching, Pattern};
use crate::kernels::text::tokenise::{Cut, Tokeniser};

const OP: &str = "Tokenizer";
/// Bytes of a pattern, and separators of a node.
const PATTERN: usize = 1_024;
const SEPARATORS: usize = 64;

/// The value that pads shorter rows has no use here: a row has its own tokens and no others.
pub fn read(node: &NodeProto) -> Result<Tokeniser> {
    let attributes = Attributes::new(node)?;
    let least = attributes.int("mincharnum").unwrap_or(1);
    let least = usize::try_from(least).ok().filter(|n| *n >= 1);
    let least = least
        .ok_or_else(|| Error::Invalid(format!("{OP} has a mincharnum that is not positive")))?;
    let separators = attributes.strings("separators")?;
    let expression = attributes.string("tokenexp")?;
    let cut = match (separators.as_slice(), expression.as_deref()) {
        ([], None | Some("")) => {
            return Err(Error::Invalid(format!(
                "{OP} has neither separators nor tokenexp"
            )));
        }
        ([], Some(".")) => Cut::Characters,
        ([], Some(expression)) => Cut::Tokens(pattern(expression)?),
        ([only], _) if only.is_empty() => Cut::Characters,
        (separators, _) if separators.len() > SEPARATORS => {
            return Err(Error::TooLarge {
                what: "separators of a tokenizer",
                found: separators.len() as u64,
                limit: SEPARATORS as u64,
            });
        }
        (separators, _) => {
            let patterns: Vec<Pattern> = separators
                .iter()
                .map(|s| pattern(s))
                .collect::<Result<_>>()?;
            for pattern in &patterns {
                if pattern.find("", 0, &mut Matching::default())?.is_some() {
                    return Err(Error::Unsupported(format!(
                        "a separator of {OP} that matches the empty text"
                    )));
                }
            }
            Cut::Separators(patterns)
        }
    };
    if matches!(cut, Cut::Characters) && least > 1 {
        return Err(Error::Invalid(format!(
            "{OP} of characters has a mincharnum above 1"
        )));
    }
    let mark = attributes.int("mark").unwrap_or(0) != 0;
    Ok(Tokeniser { cut, least, mark })
}

fn pattern(text: &str) -> Result<Pattern> {
    if text.len() > PATTERN {
        return Err(Error::TooLarge {
            what: "bytes of a pattern",
            found: text.len() as u64,
            limit: PATTERN as u64,
        });
    }
    Pattern::new(text)
}

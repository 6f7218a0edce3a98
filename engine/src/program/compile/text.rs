//! Nodes of texts: normal forms, tokens and their n-grams.

use super::*;
use crate::ops::{string_normalizer, tf_idf_vectorizer, tokenizer};

impl<'a> Compiler<'a> {
    pub(super) fn string_normalizer(&mut self, node: &'a NodeProto) -> Compiled {
        let case = string_normalizer::read(node)?;
        let Some(x) = self.rows(node, 0).filter(|x| x.element() == Element::Text) else {
            return Ok(None);
        };
        let tensor = match case {
            None => x,
            Some(case) => self.push(Box::new(case), vec![x.view], Element::Text, x.dims),
        };
        self.rows_value(node, Some(tensor))
    }

    /// Tokens have no block of their own: who reads them cuts the text.
    pub(super) fn tokenizer(&mut self, node: &'a NodeProto) -> Compiled {
        let tokeniser = tokenizer::read(node)?;
        match self.rows(node, 0) {
            Some(x) if x.element() == Element::Text && x.view.width == 1 => {
                Ok(self.set(node, Value::Tokens(x.view, Arc::new(tokeniser))))
            }
            Some(x) if x.element() == Element::Text => {
                Err(Error::Unsupported("Tokenizer over several columns".into()))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn tf_idf_vectorizer(&mut self, node: &'a NodeProto) -> Compiled {
        let (view, tokeniser) = match self.value(node, 0) {
            Some(Value::Tokens(view, tokeniser)) => (*view, Some(tokeniser.clone())),
            Some(Value::Rows(x)) if x.dims.is_matrix() && !x.narrow => (x.view, None),
            _ => return Ok(None),
        };
        let Bound {
            kernel, outputs, ..
        } = tf_idf_vectorizer::bind_tokens(node, view.element, tokeniser)?;
        let width = outputs.first().map_or(0, |shape| shape.width);
        let tensor = self.push(kernel, vec![view], Element::F32, Dims::columns(width));
        self.rows_value(node, Some(tensor))
    }
}

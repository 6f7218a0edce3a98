//! Tokenizer: a text as a list of tokens, as many as it has.

use super::pattern::{Matching, Pattern};
use crate::error::{Error, Result};

/// Longest text, in bytes; searching again after a match that is too short is quadratic in the worst case, so that texts are
/// shorter where that can happen.
const TEXT: usize = 1 << 20;
const SEARCHED: usize = 1 << 15;

/// Tokens that stand for the beginning and the end of a text.
const MARKS: [&str; 2] = ["\x02", "\x03"];

/// How a text is cut.
#[derive(Debug, Clone)]
pub enum Cut {
    /// Every character is a token.
    Characters,
    /// What the pattern matches is a token.
    Tokens(Pattern),
    /// What the patterns, one after the other, match between tokens is left out. None of them matches the empty text.
    Separators(Vec<Pattern>),
}

/// A tokeniser; tokens of fewer than `least` characters are dropped.
#[derive(Debug, Clone)]
pub struct Tokeniser {
    pub cut: Cut,
    pub least: usize,
    pub mark: bool,
}

/// What a tokeniser keeps between texts.
#[derive(Debug, Default)]
pub struct Cutting<'a> {
    matching: Vec<Matching>,
    between: Vec<&'a str>,
}

impl Tokeniser {
    /// Appends the tokens of a text.
    pub fn tokens<'a>(
        &self,
        text: &'a str,
        cutting: &mut Cutting<'a>,
        out: &mut Vec<&'a str>,
    ) -> Result<()> {
        let limit = match &self.cut {
            Cut::Characters => TEXT,
            Cut::Tokens(pattern) if pattern.is_simple() && self.least <= 1 => TEXT,
            _ => SEARCHED,
        };
        if text.len() > limit {
            return Err(Error::TooLarge {
                what: "bytes of text in a tokenised feature",
                found: text.len() as u64,
                limit: limit as u64,
            });
        }
        if self.mark {
            out.push(MARKS[0]);
        }
        match &self.cut {
            Cut::Characters => {
                out.extend(text.char_indices().map(|(i, c)| &text[i..i + c.len_utf8()]))
            }
            Cut::Tokens(pattern) => self.matches(pattern, text, cutting, out)?,
            Cut::Separators(patterns) => self.pieces(patterns, text, cutting, out)?,
        }
        if self.mark {
            out.push(MARKS[1]);
        }
        Ok(())
    }

    fn matches<'a>(
        &self,
        pattern: &Pattern,
        text: &'a str,
        cutting: &mut Cutting<'a>,
        out: &mut Vec<&'a str>,
    ) -> Result<()> {
        if !self.keeps(text) {
            return Ok(());
        }
        cutting.matching.resize_with(1, Matching::default);
        let matching = &mut cutting.matching[0];
        let mut from = 0;
        while from <= text.len()
            && let Some((start, end)) = pattern.find(text, from, matching)?
        {
            let token = &text[start..end];
            from = if self.keeps(token) {
                out.push(token);
                end
            } else {
                start + text[start..].chars().next().map_or(1, char::len_utf8)
            };
        }
        Ok(())
    }

    fn pieces<'a>(
        &self,
        patterns: &[Pattern],
        text: &'a str,
        cutting: &mut Cutting<'a>,
        out: &mut Vec<&'a str>,
    ) -> Result<()> {
        cutting
            .matching
            .resize_with(patterns.len(), Matching::default);
        let first = out.len();
        out.push(text);
        for (pattern, matching) in patterns.iter().zip(&mut cutting.matching) {
            cutting.between.clear();
            cutting.between.extend(out.drain(first..));
            for text in &cutting.between {
                let mut from = 0;
                while let Some((start, end)) = pattern.find(text, from, matching)? {
                    if self.keeps(&text[from..start]) {
                        out.push(&text[from..start]);
                    }
                    from = end;
                }
                if self.keeps(&text[from..]) {
                    out.push(&text[from..]);
                }
            }
        }
        Ok(())
    }

    fn keeps(&self, token: &str) -> bool {
        token.chars().take(self.least).count() == self.least
    }

    pub fn memory(&self) -> usize {
        match &self.cut {
            Cut::Characters => 0,
            Cut::Tokens(pattern) => pattern.memory(),
            Cut::Separators(patterns) => patterns.iter().map(Pattern::memory).sum(),
        }
    }
}

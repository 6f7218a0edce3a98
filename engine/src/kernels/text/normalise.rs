//! StringNormalizer: texts in lower or upper case, character by character.

use crate::error::Result;
use crate::kernels::slab::text;
use crate::kernels::{Kernel, Scratch, Slab, SlabMut, mismatch};

/// Which case the characters get; the simple mapping of Unicode, in which one character stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Lower,
    Upper,
}

impl Case {
    #[inline]
    pub fn of(self, c: char) -> char {
        if c.is_ascii() {
            return match self {
                Case::Lower => c.to_ascii_lowercase(),
                Case::Upper => c.to_ascii_uppercase(),
            };
        }
        match self {
            Case::Lower => single(c, c.to_lowercase()),
            Case::Upper => single(c, c.to_uppercase()),
        }
    }
}

/// The mapping where it is one character; full mappings to several have simple ones of their own.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => match c {
            '\u{130}' => 'i',
            '\u{1f80}'..='\u{1faf}' if u32::from(c) % 16 < 8 => {
                char::from_u32(u32::from(c) + 8).unwrap_or(c)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
            _ => c,
        },
    }
}

impl Kernel for Case {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::Text(x, from)], [SlabMut::Text(out, arena)]) = (inputs, outputs) else {
            return Err(mismatch("StringNormalizer"));
        };
        for i in 0..x.rows() {
            for (o, span) in out.row(i).iter_mut().zip(x.row(i)) {
                let text = text(from, *span);
                // A two-byte character may become one of three bytes.
                *o = arena.write(text.len() + text.len() / 2 + 4, |out| {
                    out.extend(text.chars().map(|c| self.of(c)));
                })?;
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        100
    }
}

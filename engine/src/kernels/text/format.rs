//! Cast between numbers and texts, with the spellings of onnxruntime.

use crate::error::{Error, Result};
use crate::kernels::slab::text;
use crate::kernels::{Arena, Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, Span, mismatch};

/// Numbers to texts: floats with eight significant digits, as C's `%.8g`; bools as 0 and 1.
#[derive(Debug, Clone, Copy)]
pub struct CastText;

const DIGITS: i32 = 8;
/// Bytes of the longest spelling of a number.
const SIZE: usize = 32;

impl Kernel for CastText {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [SlabMut::Text(out, arena)]) = (inputs, outputs) else {
            return Err(mismatch("Cast"));
        };
        match x {
            Slab::F32(x) => each(x, out, arena, |x, text| float(f64::from(x), text)),
            Slab::F64(x) => each(x, out, arena, float),
            Slab::I64(x) => each(x, out, arena, |x, text| {
                use std::fmt::Write;
                let _ = write!(text, "{x}");
            }),
            Slab::Text(..) => Err(mismatch("Cast")),
        }
    }

    fn cost(&self) -> usize {
        100
    }
}

fn each<T: Copy>(
    x: &Rows<'_, T>,
    out: &mut RowsMut<'_, Span>,
    arena: &mut Arena,
    spell: impl Fn(T, &mut String),
) -> Result<()> {
    for i in 0..x.rows() {
        for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
            *o = arena.write(SIZE, |text| spell(*x, text))?;
        }
    }
    Ok(())
}

fn float(x: f64, out: &mut String) {
    use std::fmt::Write;
    if !x.is_finite() {
        out.push_str(match x {
            x if x.is_nan() => "NaN",
            x if x > 0.0 => "INF",
            _ => "-INF",
        });
        return;
    }
    let mut digits = String::with_capacity(SIZE);
    let _ = write!(digits, "{:.*e}", (DIGITS - 1) as usize, x.abs());
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x.is_sign_negative() {
        out.push('-');
    }
    let significant: String = mantissa.chars().filter(|c| *c != '.').collect();
    let significant = significant.trim_end_matches('0');
    let (first, rest) = significant.split_at(significant.len().min(1));
    let first = if first.is_empty() { "0" } else { first };
    match exponent {
        e if !(-4..DIGITS).contains(&e) => {
            out.push_str(first);
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
            let sign = if e < 0 { '-' } else { '+' };
            let _ = write!(out, "e{sign}{:02}", e.abs());
        }
        e if e < 0 => {
            out.push_str("0.");
            (1..-e).for_each(|_| out.push('0'));
            out.push_str(first);
            out.push_str(rest);
        }
        e => {
            out.push_str(first);
            let whole = e as usize;
            let (before, after) = rest.split_at(rest.len().min(whole));
            out.push_str(before);
            (before.len()..whole).for_each(|_| out.push('0'));
            if !after.is_empty() {
                out.push('.');
                out.push_str(after);
            }
        }
    }
}

/// Texts to numbers: the longest beginning that is one, after white space. Anything else is an error.
#[derive(Debug, Clone, Copy)]
pub struct ParseText;

impl Kernel for ParseText {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::Text(x, arena)], [out]) = (inputs, outputs) else {
            return Err(mismatch("Cast"));
        };
        let none = || Error::Evaluation("Cast of a text that does not begin with a number".into());
        for i in 0..x.rows() {
            for (column, span) in x.row(i).iter().enumerate() {
                let text = text(arena, *span);
                match out {
                    SlabMut::F32(out) => {
                        out.row(i)[column] = number(text).ok_or_else(none)? as f32;
                    }
                    SlabMut::F64(out) => out.row(i)[column] = number(text).ok_or_else(none)?,
                    SlabMut::I64(out) => out.row(i)[column] = integer(text).ok_or_else(none)?,
                    SlabMut::Text(..) => return Err(mismatch("Cast")),
                }
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        50
    }
}

const SPACES: [char; 6] = [' ', '\t', '\n', '\x0b', '\x0c', '\r'];

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(SPACES);
    let sign = usize::from(text.starts_with(['+', '-']));
    let end = sign + digits(&text[sign..]);
    text[..end].parse().ok()
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(SPACES);
    let sign = usize::from(text.starts_with(['+', '-']));
    let body = &text[sign..];
    let negate = |x: f64| if text.starts_with('-') { -x } else { x };
    let begins = |word: &str| {
        body.get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    if begins("inf") {
        return Some(negate(f64::INFINITY));
    }
    if begins("nan") {
        return Some(f64::NAN);
    }
    // Hexadecimal is refused rather than read as the 0 before its x.
    if begins("0x") {
        return None;
    }
    let whole = digits(body);
    let mut end = whole;
    if body[end..].starts_with('.') {
        let fraction = digits(&body[end + 1..]);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if end == 0 {
        return None;
    }
    if body[end..].starts_with(['e', 'E']) {
        let rest = &body[end + 1..];
        let sign = usize::from(rest.starts_with(['+', '-']));
        match digits(&rest[sign..]) {
            0 => {}
            n => end += 1 + sign + n,
        }
    }
    let value: f64 = body[..end].parse().ok()?;
    value.is_finite().then(|| negate(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_spelled_as_in_c() {
        let cases = [
            (1.0, "1"),
            (1.5, "1.5"),
            (-0.0, "-0"),
            (1e10, "1e+10"),
            (123_456_789.0, "1.2345679e+08"),
            (12_345_678.0, "12345678"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (100.0, "100"),
            (-0.25, "-0.25"),
            (1e100, "1e+100"),
            (9.999_999_99, "10"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-INF"),
        ];
        for (x, expected) in cases {
            let mut text = String::new();
            float(x, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn numbers_are_read_from_the_beginning() {
        for (text, expected) in [
            ("1", Some(1.0)),
            (" -1.5e3x", Some(-1500.0)),
            ("1e", Some(1.0)),
            ("5.", Some(5.0)),
            (".5", Some(0.5)),
            (".", None),
            ("", None),
            ("abc", None),
            ("1e400", None),
            ("0x10", None),
            ("-INFINITY", Some(f64::NEG_INFINITY)),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(integer(" +7.5"), Some(7));
        assert_eq!(integer("99999999999999999999"), None);
        assert_eq!(integer("-"), None);
    }
}

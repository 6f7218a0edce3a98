//! Natural numbers of any size, as far as exact sums need them. Least significant word first.

use std::cmp::Ordering;

/// The product of two numbers.
pub fn product(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut words = vec![0u32; a.len() + b.len()];
    for (i, &x) in a.iter().enumerate() {
        let mut carry = 0u64;
        for (j, &y) in b.iter().enumerate() {
            let sum = u64::from(x) * u64::from(y) + u64::from(words[i + j]) + carry;
            words[i + j] = sum as u32;
            carry = sum >> 32;
        }
        words[i + b.len()] = carry as u32;
    }
    words
}

/// a - b, where a is not less than b.
pub fn difference(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut borrow = 0i64;
    let words = a.iter().enumerate().map(|(i, &x)| {
        let y = b.get(i).copied().unwrap_or(0);
        let difference = i64::from(x) - i64::from(y) + borrow;
        borrow = difference >> 32;
        difference as u32
    });
    words.collect()
}

/// Which of two numbers is larger.
pub fn compare(a: &[u32], b: &[u32]) -> Ordering {
    let length = a.len().max(b.len());
    let word = |words: &[u32], i: usize| words.get(i).copied().unwrap_or(0);
    (0..length)
        .rev()
        .map(|i| word(a, i).cmp(&word(b, i)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Puts `words` zero words in front.
pub fn shifted(mut number: Vec<u32>, words: usize) -> Vec<u32> {
    number.splice(0..0, std::iter::repeat_n(0, words));
    number
}

/// The number as m * 2^e with m correctly rounded to double precision; None for zero.
pub fn rounded(number: &[u32]) -> Option<(f64, i32)> {
    let top = number.iter().rposition(|&word| word != 0)?;
    let word = |i: usize| u128::from(number.get(i).copied().unwrap_or(0));
    // Three words hold at least 65 significant bits; 64 of them and whether there are more decide how to round.
    let low = top.saturating_sub(2);
    let leading = word(low) | word(low + 1) << 32 | word(low + 2) << 64;
    let excess = 64u32.saturating_sub(leading.leading_zeros());
    let mut mantissa = (leading >> excess) as u64;
    let cut = leading & ((1u128 << excess) - 1) != 0;
    if cut || number[..low].iter().any(|&word| word != 0) {
        mantissa |= 1;
    }
    Some((mantissa as f64, (32 * low) as i32 + excess as i32))
}

/// m * 2^e.
pub fn scaled(m: f64, e: i32) -> f64 {
    // In two steps, each of which is a normal number.
    let e = e.clamp(-2000, 2000);
    let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
    m * power(e / 2) * power(e - e / 2)
}

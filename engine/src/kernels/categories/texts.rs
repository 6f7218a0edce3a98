//! A hash table of texts, most of them short: what is known of one is read in a few words, without a call or a loop.

/// Slots that a search may look at; with more, a model's texts were chosen to collide.
const PROBES: usize = 32;

/// Texts up to which a table is made so large that a search hardly ever looks at a second slot.
const FEW: usize = 256;

/// Text -> position, by open addressing.
#[derive(Debug, Clone)]
pub struct Texts {
    /// 1 + index into `keys`, 0 where free; a power of two, at most half of them taken, of few texts an eighth.
    slots: Box<[u32]>,
    keys: Box<[Key]>,
    /// All texts, one behind the other.
    text: Box<[u8]>,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    start: u32,
    len: u32,
}

impl Texts {
    /// Of equal texts the first counts. `None` where there are too many texts, or too many of one hash.
    pub fn new(values: &[String]) -> Option<Texts> {
        let bytes = values.iter().map(String::len).sum();
        u32::try_from(values.len().max(bytes)).ok()?;
        let share = if values.len() <= FEW { 8 } else { 2 };
        let mut table = Texts {
            slots: vec![0; (share * values.len()).next_power_of_two().max(2)].into(),
            keys: Box::default(),
            text: values.concat().into_bytes().into(),
        };
        let mut keys = Vec::with_capacity(values.len());
        let mut start = 0;
        for value in values {
            let len = value.len();
            keys.push(Key {
                start: start as u32,
                len: len as u32,
            });
            start += len;
        }
        table.keys = keys.into();
        for (position, value) in values.iter().enumerate() {
            match table.probe(value.as_bytes())? {
                (_, Some(_)) => {}
                (slot, None) => table.slots[slot] = position as u32 + 1,
            }
        }
        Some(table)
    }

    #[inline]
    pub fn find(&self, value: &str) -> Option<usize> {
        let (_, position) = self.probe(value.as_bytes())?;
        position
    }

    /// The slot that has the text, with its position, or the free one where it would be; `None` where `PROBES` slots are
    /// neither.
    #[inline]
    fn probe(&self, value: &[u8]) -> Option<(usize, Option<usize>)> {
        let mask = self.slots.len() - 1;
        let words = words(value);
        let first = hash(value, words);
        for probe in 0..PROBES {
            let slot = first.wrapping_add(probe) & mask;
            let Some(index) = (self.slots[slot] as usize).checked_sub(1) else {
                return Some((slot, None));
            };
            let key = self.keys[index];
            let (start, len) = (key.start as usize, key.len as usize);
            let text = &self.text[start..start + len];
            if len == value.len() && self::words(text) == words && (len <= 16 || text == value) {
                return Some((slot, Some(index)));
            }
        }
        None
    }

    pub fn memory(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.keys) + self.text.len()
    }
}

/// The first and the last eight bytes, all of a text of up to 16 bytes; with the length, they tell such texts apart.
#[inline]
fn words(value: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return (first.into(), last.into());
    }
    match value {
        [] => (0, 0),
        [a, .., b] => (
            (*a).into(),
            u64::from(value[value.len() / 2]) << 8 | u64::from(*b),
        ),
        [a] => ((*a).into(), 0),
    }
}

/// Multiplications that spread every bit of every word; longer texts go in eight bytes by eight.
#[inline]
fn hash(value: &[u8], (first, last): (u64, u64)) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(ODD);
        product as u64 ^ (product >> 64) as u64
    };
    let mut hash = mix(value.len() as u64, first);
    if value.len() > 16 {
        let (middle, _) = value[8..].as_chunks();
        hash = middle
            .iter()
            .fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    }
    mix(hash, last) as usize
}

#[cfg(test)]
mod tests {
    use super::super::Categories;
    use super::*;

    fn texts(values: &[&str]) -> Texts {
        let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        Texts::new(&values).unwrap()
    }

    #[test]
    fn texts_of_all_lengths_are_found_and_no_others() {
        let long: String = ('a'..='z').cycle().take(60).collect();
        let all: Vec<&str> = (0..=60).map(|len| &long[..len]).collect();
        let table = texts(&all);
        for (position, value) in all.iter().enumerate() {
            assert_eq!(table.find(value), Some(position));
            for at in 0..value.len() {
                let mut other = (*value).to_owned();
                other.replace_range(at..=at, "#");
                assert_eq!(table.find(&other), None, "{other}");
            }
        }
        assert_eq!(table.find(&format!("{long}i")), None);
        assert_eq!(table.find("\0"), None);
    }

    #[test]
    fn of_equal_texts_the_first_counts() {
        assert_eq!(texts(&["b", "a", "b", "a"]).find("a"), Some(1));
        assert_eq!(texts(&[]).find(""), None);
        assert_eq!(texts(&["", "x"]).find(""), Some(0));
    }

    #[test]
    fn texts_that_collide_are_found_all_the_same() {
        let same =
            |text: &String| hash(text.as_bytes(), words(text.as_bytes())).is_multiple_of(512);
        let values: Vec<String> = (0..)
            .map(|i| format!("c{i}"))
            .filter(same)
            .take(PROBES + 1)
            .collect();
        assert!(Texts::new(&values[..PROBES]).is_some());
        assert!(Texts::new(&values).is_none());
        let categories = Categories::texts(&values);
        for (position, value) in values.iter().enumerate() {
            assert_eq!(categories.text(value), Some(position));
        }
        assert_eq!(categories.text("c"), None);
    }

    #[test]
    fn many_texts_do_not_collide() {
        let values: Vec<String> = (0..100_000)
            .map(|i| format!("category {i} of a table"))
            .collect();
        let table = Texts::new(&values).unwrap();
        for (position, value) in values.iter().enumerate() {
            assert_eq!(table.find(value), Some(position));
        }
    }
}

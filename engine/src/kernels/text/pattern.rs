//! Patterns in RE2's dialect, matched in linear time; of the matches at one place the longest counts.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input, MatchKind, meta};

use crate::error::{Error, Result};

/// Bytes that a compiled pattern may take.
const SIZE: usize = 1 << 20;
/// Bytes of the states that are made while matching.
const STATES: usize = 2 << 20;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    first: meta::Regex,
    /// Finds the longest match at a place; `None` where the first is the longest.
    longest: Option<Box<DFA>>,
    memory: usize,
}

/// What matching keeps between texts.
#[derive(Debug, Default)]
pub struct Matching(Option<Cache>);

impl Pattern {
    /// Errors for a pattern that is malformed, too large or has parts that the two dialects read differently.
    pub fn new(pattern: &str) -> Result<Pattern> {
        let Translated { text, simple } = translate(pattern)?;
        let refused = |_| Error::Invalid("a pattern is malformed or too large".into());
        let first = meta::Regex::builder()
            .configure(
                meta::Config::new()
                    .nfa_size_limit(Some(SIZE))
                    .hybrid_cache_capacity(STATES)
                    .dfa(false)
                    .onepass(false),
            )
            .build(&text)
            .map_err(|_| Error::Invalid("a pattern is malformed or too large".into()))?;
        let longest = if simple {
            None
        } else {
            let dfa = DFA::builder()
                .configure(
                    DFA::config()
                        .match_kind(MatchKind::All)
                        .cache_capacity(STATES)
                        .skip_cache_capacity_check(true),
                )
                .thompson(thompson::Config::new().nfa_size_limit(Some(SIZE)))
                .build(&text)
                .map_err(refused)?;
            Some(Box::new(dfa))
        };
        let memory = first.memory_usage() + longest.as_ref().map_or(0, |dfa| dfa.memory_usage());
        Ok(Pattern {
            first,
            longest,
            memory,
        })
    }

    /// The leftmost longest match from `from` on, as a range of bytes.
    pub fn find(
        &self,
        text: &str,
        from: usize,
        matching: &mut Matching,
    ) -> Result<Option<(usize, usize)>> {
        let Some(found) = self.first.find(Input::new(text).span(from..text.len())) else {
            return Ok(None);
        };
        let Some(dfa) = &self.longest else {
            return Ok(Some((found.start(), found.end())));
        };
        let cache = matching.0.get_or_insert_with(|| dfa.create_cache());
        let input = Input::new(text)
            .span(found.start()..text.len())
            .anchored(Anchored::Yes);
        let end = dfa
            .try_search_fwd(cache, &input)
            .map_err(|_| Error::Evaluation("a pattern could not be matched".into()))?;
        let end = end.map_or(found.end(), |end| end.offset());
        Ok(Some((found.start(), end)))
    }

    /// True where the first match is the longest, so that no text is searched twice.
    pub fn is_simple(&self) -> bool {
        self.longest.is_none()
    }

    pub fn memory(&self) -> usize {
        self.memory
    }
}

struct Translated {
    text: String,
    /// One class of characters, once or more: its first match is its longest.
    simple: bool,
}

/// RE2's classes `\w`, `\d`, `\s` and its word boundary are those of ASCII, and a class of it holds no other.
fn translate(pattern: &str) -> Result<Translated> {
    let refused = |what: &str| Err(Error::Unsupported(format!("{what} in a pattern")));
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    // Classes seen, and whether anything but one of them with a plus behind it was seen.
    let (mut atoms, mut other) = (0, false);
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else {
                    return refused("a backslash at the end");
                };
                let perl = match escaped {
                    'w' => Some("[0-9A-Za-z_]"),
                    'W' => Some("[^0-9A-Za-z_]"),
                    'd' => Some("[0-9]"),
                    'D' => Some("[^0-9]"),
                    's' => Some("[\\t\\n\\f\\r ]"),
                    'S' => Some("[^\\t\\n\\f\\r ]"),
                    _ => None,
                };
                match (perl, escaped) {
                    (Some(perl), _) => text.push_str(perl),
                    (None, 'b') if !class => text.push_str("(?-u:\\b)"),
                    (None, 'B' | 'C' | 'Q' | 'E') => return refused("\\B, \\C or \\Q"),
                    _ => text.extend(['\\', escaped]),
                }
                if !class {
                    atoms += 1;
                    other |= perl.is_none();
                }
            }
            '[' if class && chars.peek() == Some(&':') => text.push('['),
            '[' if class => text.push_str("\\["),
            '[' => {
                class = true;
                atoms += 1;
                text.push('[');
                if chars.peek() == Some(&'^') {
                    text.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    text.push_str("\\]");
                }
            }
            ':' if class && chars.peek() == Some(&']') && text.contains("[:") => {
                text.push(':');
                text.extend(chars.next());
            }
            ']' if class => {
                class = false;
                text.push(']');
            }
            '-' if class && chars.peek() == Some(&'-') => {
                return refused("a range that begins with -");
            }
            '&' | '~' if class => text.extend(['\\', c]),
            '+' if !class && atoms == 1 && chars.peek().is_none() => text.push('+'),
            c => {
                other |= !class;
                text.push(c);
            }
        }
    }
    Ok(Translated {
        text,
        simple: atoms == 1 && !other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &str, text: &str) -> Vec<String> {
        let pattern = Pattern::new(pattern).unwrap();
        let (mut from, mut found) = (0, Vec::new());
        let mut matching = Matching::default();
        while let Some((start, end)) = pattern.find(text, from, &mut matching).unwrap() {
            if end == start {
                break;
            }
            found.push(text[start..end].to_owned());
            from = end;
        }
        found
    }

    #[test]
    fn the_longest_match_counts() {
        assert_eq!(all("a|ab", "aab Ab"), ["a", "ab"]);
        assert_eq!(all("a??b|a.*c", "ab abc"), ["ab abc"]);
        assert_eq!(all("[a-z]+", "ab cd"), ["ab", "cd"]);
        assert!(Pattern::new("[a-z]+").unwrap().is_simple());
        assert!(!Pattern::new("[a-z]+|x").unwrap().is_simple());
        assert!(!Pattern::new("[a-z]+[0-9]").unwrap().is_simple());
    }

    #[test]
    fn classes_are_those_of_ascii() {
        assert_eq!(all("\\w+", "aé_1 b"), ["a", "_1", "b"]);
        assert_eq!(all("[\\w-]+", "a-b é"), ["a-b"]);
        assert_eq!(all("\\b\\w\\w+\\b", "a bc éde"), ["bc", "de"]);
        assert_eq!(all("[^ ]+", "éa b"), ["éa", "b"]);
        assert_eq!(all("[[a]+", "[a]"), ["[a"]);
        assert_eq!(all("[[:alpha:]&]+", "a&1"), ["a&"]);
    }

    #[test]
    fn what_differs_or_is_too_large_is_refused() {
        for pattern in ["\\Bx", "[+--]", "(", "\\", "(((a{100}){100}){100}){10}"] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }
}

//! Texts: normal forms, numbers as text, tokens and their n-grams.

pub mod format;
pub mod normalise;
pub mod pattern;
pub mod tfidf;
pub mod tokenise;

//! Names as SQL writes them.

use sha2::{Digest, Sha256};

use crate::description::hex;

/// A name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name in at most so many bytes, of which the last tell it from others that begin alike.
pub fn shortened(name: &str, most: usize) -> String {
    let Some((start, _)) = name
        .split_at_checked(most - 9)
        .filter(|_| name.len() > most)
    else {
        return name.to_owned();
    };
    let digest = hex(&Sha256::digest(name));
    format!("{start}_{}", digest.get(..8).unwrap_or(&digest))
}

//! Little-endian numbers and JSON from files.

use std::path::Path;

use serde_json::Value;

pub struct Reader {
    content: Vec<u8>,
    at: usize,
}

impl Reader {
    pub fn open(path: &Path) -> Reader {
        let content = bytes(path);
        Reader { content, at: 0 }
    }

    /// The next `count` groups of `N` bytes.
    pub fn take<const N: usize>(&mut self, count: usize) -> impl Iterator<Item = [u8; N]> + '_ {
        let from = self.at;
        self.at += count * N;
        self.content[from..self.at]
            .chunks_exact(N)
            .map(|group| group.try_into().unwrap())
    }

    /// All bytes that were not taken.
    pub fn rest(&mut self) -> Vec<u8> {
        self.content.split_off(self.at)
    }
}

pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

//! What is counted, and what for. Knows nothing of PostgreSQL.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Longest name of a model or guard, in bytes; `registry::check_name` admits no longer one.
const NAME: usize = 64;

/// Version of a guard: those of models start at 1.
const GUARD: i32 = 0;

/// A version of a model in a database, or a guard. Equal names and numbers with other content are another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub database: u32,
    pub version: i32,
    /// The first bytes of the sha256 of the model; for a guard, when it was created.
    pub content: u64,
    name: [u8; NAME],
}

/// A key as numbers, as many as shared memory keeps of it.
pub type Words = [u64; 2 + NAME / 8];

impl Key {
    pub fn of_version(database: u32, model: &str, version: i32, sha256: &[u8]) -> Key {
        Key {
            database,
            version,
            content: Key::content_of(sha256),
            name: padded(model),
        }
    }

    /// `created_at` in microseconds.
    pub fn of_guard(database: u32, guard: &str, created_at: i64) -> Key {
        Key {
            database,
            version: GUARD,
            content: created_at.cast_unsigned(),
            name: padded(guard),
        }
    }

    pub fn is_of_guard(&self) -> bool {
        self.version == GUARD
    }

    /// What `content` is for bytes of that sha256.
    pub fn content_of(sha256: &[u8]) -> u64 {
        sha256.first_chunk().map_or(0, |c| u64::from_le_bytes(*c))
    }

    /// Of the model or guard.
    pub fn name(&self) -> String {
        let name = self.name.split(|byte| *byte == 0).next();
        String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
    }

    /// Never 0, and the same in every process.
    pub fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        Hash::hash(self, &mut hasher);
        hasher.finish() | 1
    }

    pub fn words(&self) -> Words {
        let mut words = [0; 2 + NAME / 8];
        let (name, _) = self.name.as_chunks::<8>();
        let first = [
            u64::from(self.database) | u64::from(self.version.cast_unsigned()) << 32,
            self.content,
        ];
        let all = first
            .into_iter()
            .chain(name.iter().map(|c| u64::from_le_bytes(*c)));
        words.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        words
    }

    pub fn of_words(words: &Words) -> Key {
        let [first, content, name @ ..] = words;
        let mut padded = [0; NAME];
        let bytes = name.iter().flat_map(|word| word.to_le_bytes());
        padded
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        Key {
            database: *first as u32,
            version: ((first >> 32) as u32).cast_signed(),
            content: *content,
            name: padded,
        }
    }
}

fn padded(name: &str) -> [u8; NAME] {
    let mut padded = [0; NAME];
    padded
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from);
    padded
}

/// What was counted of one version or guard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub calls: u64,
    pub rows: u64,
    pub errors: u64,
    pub nanoseconds: u64,
    /// Of guards alone.
    pub alerts: u64,
    /// Microseconds as PostgreSQL counts them; 0 where no row was scored.
    pub last_scored: i64,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.calls = self.calls.wrapping_add(other.calls);
        self.rows = self.rows.wrapping_add(other.rows);
        self.errors = self.errors.wrapping_add(other.errors);
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
        self.alerts = self.alerts.wrapping_add(other.alerts);
        self.last_scored = self.last_scored.max(other.last_scored);
    }
}

//! Names of the columns that steps add.

/// Bytes that PostgreSQL keeps of a name.
const LONGEST: usize = 63;

/// The column that says where another one was missing.
pub fn indicator(column: &str) -> String {
    format!("{}_missing", shortened(column, LONGEST - "_missing".len()))
}

/// The column of a category: `<column>_<category>` in lower case, what is no letter or digit as `_`, with a number behind it
/// where the name is taken.
pub fn one_hot(column: &str, category: &str, taken: &[String]) -> String {
    let mut word = String::new();
    for c in category.to_lowercase().chars() {
        match c.is_alphanumeric() {
            true => word.push(c),
            false if word.is_empty() || word.ends_with('_') => {}
            false => word.push('_'),
        }
    }
    let word = word.trim_end_matches('_');
    let name = match word.is_empty() {
        true => column.to_owned(),
        false => format!("{column}_{word}"),
    };
    let mut number = if word.is_empty() { 1 } else { 0 };
    loop {
        let suffix = match number {
            0 => String::new(),
            number => format!("_{number}"),
        };
        let candidate = format!("{}{suffix}", shortened(&name, LONGEST - suffix.len()));
        if !taken.contains(&candidate) {
            return candidate;
        }
        number = (number + 1).max(2);
    }
}

fn shortened(name: &str, bytes: usize) -> &str {
    let mut end = name.len().min(bytes);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_unique() {
        let taken = ["purpose_used_car".to_owned(), "purpose_1".to_owned()];
        assert_eq!(one_hot("purpose", "new car", &taken), "purpose_new_car");
        assert_eq!(
            one_hot("purpose", "Used-Car!", &taken),
            "purpose_used_car_2"
        );
        assert_eq!(one_hot("purpose", "...", &taken), "purpose_2");
        let long = one_hot("purpose", &"ä".repeat(80), &[]);
        assert!(long.len() <= 63 && long.starts_with("purpose_ä"));
    }
}

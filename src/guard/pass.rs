//! The row that is being released: its guard lets it through once, in the statement that inserts it.

use std::cell::{Cell, RefCell};

thread_local! {
    static PASS: RefCell<Option<String>> = const { RefCell::new(None) };
    static HELD: Cell<u64> = const { Cell::new(0) };
}

/// Lets the next row of a guard through while it lives.
pub struct Pass {
    held_before: u64,
}

impl Pass {
    pub fn for_guard(guard: &str) -> Pass {
        set(Some(guard.to_owned()));
        Pass {
            held_before: HELD.get(),
        }
    }

    /// Whether some guard held a row meanwhile: another than the one it is for.
    pub fn was_held_elsewhere(&self) -> bool {
        HELD.get() > self.held_before
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        set(None);
    }
}

/// Whether this is the row that is let through; the next one is not.
pub fn is_let_through(guard: &str) -> bool {
    let is_it = PASS.with(|pass| {
        pass.try_borrow()
            .is_ok_and(|pass| pass.as_deref() == Some(guard))
    });
    if is_it {
        set(None);
    }
    is_it
}

/// A guard has held a row.
pub fn held() {
    HELD.set(HELD.get() + 1);
}

fn set(guard: Option<String>) {
    PASS.with(|pass| {
        if let Ok(mut pass) = pass.try_borrow_mut() {
            *pass = guard;
        }
    });
}

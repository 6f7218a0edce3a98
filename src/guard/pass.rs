//! The row that is being released: guards of its table let it through, each once, in the statement that inserts it.

use std::cell::RefCell;

use pgrx::pg_sys;

thread_local! {
    static PASS: RefCell<Option<Issued>> = const { RefCell::new(None) };
}

struct Issued {
    table: pg_sys::Oid,
    /// Guards that have seen the row.
    used: Vec<String>,
}

/// Lets a row into a table while it lives.
pub struct Pass(());

impl Pass {
    pub fn into_table(table: pg_sys::Oid) -> Pass {
        let used = Vec::new();
        set(Some(Issued { table, used }));
        Pass(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        set(None);
    }
}

/// Whether this is the row that is let through; the guard's next one is not. `is_of` says whether the guard's trigger is on
/// a table, or on a partition of it.
pub fn is_let_through(guard: &str, is_of: impl FnOnce(pg_sys::Oid) -> bool) -> bool {
    let table = PASS.with(|pass| {
        let pass = pass.try_borrow().ok()?;
        let issued = pass.as_ref()?;
        let is_new = !issued.used.iter().any(|used| used == guard);
        is_new.then_some(issued.table)
    });
    let Some(table) = table else {
        return false;
    };
    if !is_of(table) {
        return false;
    }
    PASS.with(|pass| {
        if let Ok(mut pass) = pass.try_borrow_mut()
            && let Some(issued) = pass.as_mut()
        {
            issued.used.push(guard.to_owned());
        }
    });
    true
}

fn set(issued: Option<Issued>) {
    PASS.with(|pass| {
        if let Ok(mut pass) = pass.try_borrow_mut() {
            *pass = issued;
        }
    });
}

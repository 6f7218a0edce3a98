//! Acting as another role, and settings under which values are written the same everywhere.

use std::ffi::CStr;

use pgrx::prelude::*;

/// Runs `work` as a role, as a restricted operation; whose identity it was is back on every path, and so are the settings.
pub fn acting_as<T>(role: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    let _identity = Assumed::assume(role);
    with_settings(&[], work)
}

struct Assumed {
    user: pg_sys::Oid,
    context: i32,
}

impl Assumed {
    fn assume(role: pg_sys::Oid) -> Assumed {
        let mut user = pg_sys::InvalidOid;
        let mut context = 0;
        // SAFETY: the identity is restored by Drop, and by PostgreSQL itself when a transaction aborts.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
            let restricted = (pg_sys::SECURITY_LOCAL_USERID_CHANGE
                | pg_sys::SECURITY_RESTRICTED_OPERATION) as i32;
            pg_sys::SetUserIdAndSecContext(role, context | restricted);
        }
        Assumed { user, context }
    }
}

impl Drop for Assumed {
    fn drop(&mut self) {
        // SAFETY: gives back the identity that `assume` found; cannot raise.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
    }
}

/// Settings under which output functions write what input functions read back, whatever a session has set.
const FAITHFUL: [(&CStr, &CStr); 8] = [
    (c"DateStyle", c"ISO, YMD"),
    (c"IntervalStyle", c"postgres"),
    (c"TimeZone", c"UTC"),
    (c"extra_float_digits", c"1"),
    (c"bytea_output", c"hex"),
    (c"lc_monetary", c"C"),
    (c"xmloption", c"content"),
    // Names are written with their schema.
    (c"search_path", c"pg_catalog, pg_temp"),
];

/// Runs `work`, which writes values as text.
pub fn writing_text<T>(work: impl FnOnce() -> T) -> T {
    with_settings(&FAITHFUL, work)
}

/// Runs `work`, which reads values written so; checks of domains find what their names mean to the session.
pub fn reading_text<T>(work: impl FnOnce() -> T) -> T {
    with_settings(&FAITHFUL[..7], work)
}

/// Runs SQL of the extension's own.
pub fn with_own_names<T>(work: impl FnOnce() -> T) -> T {
    with_settings(&FAITHFUL[7..], work)
}

fn with_settings<T>(settings: &[(&CStr, &CStr)], work: impl FnOnce() -> T) -> T {
    // SAFETY: opens a nesting level, which is closed below or by the abort that an error means.
    let level = unsafe {
        let level = pg_sys::NewGUCNestLevel();
        for (name, value) in settings {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        level
    };
    let result = work();
    // SAFETY: closes the nesting level; false takes back what code of others has set within it.
    unsafe { pg_sys::AtEOXact_GUC(false, level) };
    result
}

//! Work that may fail without taking the statement along.

use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

/// An error that PostgreSQL raised. Its message may quote values.
#[derive(Debug)]
pub struct Caught {
    pub sqlstate: PgSqlErrorCode,
    pub message: String,
}

/// Why an attempt came to nothing.
#[derive(Debug)]
pub enum Failure<E> {
    Error(E),
    Caught(Caught),
}

/// Runs `work` in a subtransaction, which is rolled back where it fails. A cancelled statement, a server that shuts down
/// and what else ends a session are no failures of the work: they are raised on, outside the subtransaction.
pub fn attempt<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
    // SAFETY: the subtransaction is ended on both ways below; memory and resources are the caller's again then.
    let (memory, resources) = unsafe {
        let before = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(before.0);
        before
    };
    let result = PgTryBuilder::new(AssertUnwindSafe(|| work().map_err(Ended::Failed)))
        .catch_others(|error| Err(Ended::Raised(Box::new(error))))
        .execute();
    // SAFETY: as above.
    unsafe {
        if result.is_ok() {
            pg_sys::ReleaseCurrentSubTransaction();
        } else {
            pg_sys::MemoryContextSwitchTo(memory);
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::MemoryContextSwitchTo(memory);
        pg_sys::CurrentResourceOwner = resources;
    }
    result.map_err(|ended| match ended {
        Ended::Failed(error) => Failure::Error(error),
        Ended::Raised(error) => Failure::Caught(caught(*error)),
    })
}

/// How the work came to nothing.
enum Ended<E> {
    Failed(E),
    Raised(Box<CaughtError>),
}

fn caught(error: CaughtError) -> Caught {
    let (sqlstate, message) = match &error {
        CaughtError::PostgresError(report)
        | CaughtError::ErrorReport(report)
        | CaughtError::RustPanic {
            ereport: report, ..
        } => (report.sql_error_code(), report.message().to_owned()),
    };
    let ends_the_session = matches!(
        sqlstate,
        PgSqlErrorCode::ERRCODE_QUERY_CANCELED
            | PgSqlErrorCode::ERRCODE_ADMIN_SHUTDOWN
            | PgSqlErrorCode::ERRCODE_CRASH_SHUTDOWN
            | PgSqlErrorCode::ERRCODE_CANNOT_CONNECT_NOW
            | PgSqlErrorCode::ERRCODE_DATABASE_DROPPED
    );
    if ends_the_session {
        error.rethrow();
    }
    Caught { sqlstate, message }
}

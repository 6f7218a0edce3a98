//! The triggers that note what changes in the source of a feature set.

use crate::elevate::{TextRow, Value};
use crate::error::Result;
use crate::identifier::{quoted, shortened};

use super::sql::{execute, rows};

/// One trigger: which, what of it follows its name, and whether it fires in a session of its own (O), on a replica (R) or
/// always (A).
struct Trigger {
    suffix: &'static str,
    events: &'static str,
    level: &'static str,
    enabled: char,
}

const STATEMENTS: [Trigger; 5] = [
    Trigger {
        suffix: "insert",
        events: "INSERT",
        level: "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
        enabled: 'O',
    },
    Trigger {
        suffix: "update",
        events: "UPDATE",
        level: "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT",
        enabled: 'O',
    },
    Trigger {
        suffix: "delete",
        events: "DELETE",
        level: "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
        enabled: 'O',
    },
    TRUNCATE,
    // Logical replication applies rows, not statements.
    Trigger {
        suffix: "replica",
        events: "INSERT OR UPDATE OR DELETE",
        level: "FOR EACH ROW",
        enabled: 'R',
    },
];
/// Statements that name a partition do not fire the statement triggers of its parent; row triggers are on every partition.
const ROWS: [Trigger; 2] = [
    Trigger {
        suffix: "row",
        events: "INSERT OR UPDATE OR DELETE",
        level: "FOR EACH ROW",
        enabled: 'A',
    },
    TRUNCATE,
];
const TRUNCATE: Trigger = Trigger {
    suffix: "truncate",
    events: "TRUNCATE",
    level: "FOR EACH STATEMENT",
    enabled: 'A',
};

const FIND: &str = "SELECT t.tgname, t.tgenabled FROM pg_trigger t
     WHERE t.tgrelid = $1::regclass AND t.tgfoid = 'finai._log_feature_change()'::regprocedure AND NOT t.tgisinternal
       AND t.tgparentid = 0 AND t.tgargs = convert_to($2, 'SQL_ASCII') || '\\x00'::bytea";

/// Makes the triggers of a set on its source be there and fire. False where they did already.
pub fn ensure(set: &str, source: &str, in_partitions: bool) -> Result<bool> {
    let wanted: &[Trigger] = if in_partitions { &ROWS } else { &STATEMENTS };
    let found = rows(FIND, &[Value::Text(source), Value::Text(set)])?;
    let is_there = |row: &TextRow, trigger: &Trigger| {
        row[0].as_deref() == Some(&name(set, trigger))
            && row[1].as_deref() == Some(&trigger.enabled.to_string())
    };
    if wanted
        .iter()
        .all(|trigger| found.iter().any(|row| is_there(row, trigger)))
    {
        return Ok(false);
    }
    drop(set, source)?;
    for trigger in wanted {
        let (name, literal) = (quoted(&name(set, trigger)), set.replace('\'', "''"));
        execute(
            &format!(
                "CREATE TRIGGER {name} AFTER {} ON {source} {} EXECUTE FUNCTION finai._log_feature_change('{literal}')",
                trigger.events, trigger.level
            ),
            &[],
        )?;
        let enable = match trigger.enabled {
            'A' => "ENABLE ALWAYS",
            'R' => "ENABLE REPLICA",
            _ => continue,
        };
        execute(
            &format!("ALTER TABLE {source} {enable} TRIGGER {name}"),
            &[],
        )?;
    }
    Ok(true)
}

/// Removes them.
pub fn drop(set: &str, source: &str) -> Result<()> {
    for row in rows(FIND, &[Value::Text(source), Value::Text(set)])? {
        let Some(Some(found)) = row.first() else {
            continue;
        };
        let ours = STATEMENTS.iter().chain(&ROWS);
        if ours
            .map(|trigger| name(set, trigger))
            .any(|ours| ours == *found)
        {
            execute(&format!("DROP TRIGGER {} ON {source}", quoted(found)), &[])?;
        }
    }
    Ok(())
}

/// One name, of at most 63 bytes.
fn name(set: &str, trigger: &Trigger) -> String {
    format!("finai_copy_{}_{}", shortened(set, 40), trigger.suffix)
}

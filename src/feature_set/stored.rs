//! Sets as they are stored, with the views that are theirs.

use pgrx::pg_sys;

use crate::elevate::{Value, rows_now};
use crate::error::{FeatureSetError, Result};
use crate::row::JsonText;

/// A view is the set's where it belongs to a member of the set's owner, or that owner is gone: others can have made one of
/// its name.
const STORED: &str = "SELECT s.view, s.entity, s.event_time, s.event_id, s.time_zone, s.features::text, s.owner_oid, v.relowner,
       (SELECT d.refobjid FROM pg_rewrite r
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
        WHERE r.ev_class = v.oid LIMIT 1), (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0),
       to_regclass(s.view) IS NOT NULL
     FROM finai.feature_set s LEFT JOIN pg_class v ON v.oid = to_regclass(s.view) AND v.relkind = 'v'
       AND (pg_has_role(v.relowner, s.owner_oid, 'MEMBER') OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = s.owner_oid))
     WHERE s.name = $1";

/// A set as it is stored.
pub struct Stored {
    pub view: String,
    pub entity: String,
    pub event_time: String,
    pub event_id: String,
    pub time_zone: String,
    pub features: JsonText,
    pub owner: pg_sys::Oid,
    /// None where it is gone, or is not the set's.
    pub existing: Option<View>,
    pub is_taken: bool,
}

/// A set's view as it is.
pub struct View {
    pub owner: pg_sys::Oid,
    /// The relation it reads.
    pub source: pg_sys::Oid,
    pub columns: Vec<String>,
}

impl Stored {
    pub fn load(name: &str) -> Result<Stored> {
        Stored::find(name)?.ok_or_else(|| FeatureSetError::Unknown(name.to_owned()).into())
    }

    pub fn find(name: &str) -> Result<Option<Stored>> {
        let Some(row) = rows_now(STORED, &[Value::Text(name)])?.into_iter().next() else {
            return Ok(None);
        };
        let mut fields = row.into_iter();
        let mut next = || fields.next().flatten();
        let mut text = || next().unwrap_or_default();
        let (view, entity, event_time, event_id, time_zone, features) =
            (text(), text(), text(), text(), text(), text());
        let mut number = || next()?.parse::<u32>().ok();
        let owner = number().map_or(pg_sys::InvalidOid, pg_sys::Oid::from);
        let existing = (number(), number());
        let columns = next().and_then(|names| serde_json::from_str(&names).ok());
        Ok(Some(Stored {
            view,
            entity,
            event_time,
            event_id,
            time_zone,
            features: JsonText::new(features),
            owner,
            is_taken: next().as_deref() == Some("t"),
            existing: match (existing, columns) {
                ((Some(owner), Some(source)), Some(columns)) => Some(View {
                    owner: owner.into(),
                    source: source.into(),
                    columns,
                }),
                _ => None,
            },
        }))
    }

    pub fn existing(&self, name: &str) -> Result<&View> {
        let (name, view) = (name.to_owned(), self.view.clone());
        Ok(self.existing.as_ref().ok_or(match self.is_taken {
            true => FeatureSetError::ViewOfOthers { name, view },
            false => FeatureSetError::ViewGone { name, view },
        })?)
    }

    /// The role that it belongs to.
    pub fn owner(&self) -> pg_sys::Oid {
        self.existing.as_ref().map_or(self.owner, |view| view.owner)
    }
}

//! The SQL that keeps a copy equal to its view. Names come from the catalogue, quoted; it runs with pg_catalog as the only
//! schema that is searched.

use crate::feature_set::Reach;

/// A column as SQL needs it.
#[derive(Debug, Clone)]
pub struct SqlColumn {
    /// Quoted.
    pub name: String,
    /// Its type, to cast a text to.
    pub kind: String,
    /// The operator by which its type's default order tells equal values.
    pub equal: String,
}

/// Everything that statements about one set's copy name.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Relations, with their schemas, quoted.
    pub view: String,
    pub source: String,
    pub copy: String,
    pub id: SqlColumn,
    pub time: SqlColumn,
    pub reaches: Vec<Reach>,
    /// Of each reach, its entity's.
    pub entities: Vec<Vec<SqlColumn>>,
    /// All columns of the view, quoted.
    pub columns: Vec<String>,
}

impl Plan {
    /// Makes the copy.
    pub fn build(&self) -> Vec<String> {
        let Plan { view, copy, .. } = self;
        let id = &self.id.name;
        let mut statements = vec![
            format!("CREATE TABLE {copy} AS SELECT * FROM {view}"),
            format!("ALTER TABLE {copy} ADD PRIMARY KEY ({id})"),
        ];
        if let Some(entity) = self.entities.first() {
            let names: Vec<&str> = entity.iter().map(|column| column.name.as_str()).collect();
            let key = names.join(", ");
            let time = &self.time.name;
            statements.push(format!("CREATE INDEX ON {copy} ({key}, {time})"));
        }
        statements.push(format!("ANALYZE {copy}"));
        statements
    }

    /// Makes the rows of the copy those of the view.
    pub fn rebuild(&self) -> Vec<String> {
        let Plan {
            view, source, copy, ..
        } = self;
        let same = self.same_event("t", "s");
        vec![
            format!(
                "DELETE FROM {copy} AS t WHERE NOT EXISTS (SELECT FROM {source} AS s WHERE {same})"
            ),
            format!(
                "{} SELECT {} FROM {view} AS f {}",
                self.insert(),
                self.list("f"),
                self.replace()
            ),
        ]
    }

    /// Removes events that the source has no more. $1: ids, as texts.
    pub fn delete(&self) -> String {
        let Plan { source, copy, .. } = self;
        let SqlColumn { name, kind, equal } = &self.id;
        format!(
            "DELETE FROM {copy} AS t USING (SELECT c.id::{kind} AS id FROM unnest($1) AS c (id)) AS c \
             WHERE t.{name} {equal} c.id AND NOT EXISTS (SELECT FROM {source} AS s WHERE {})",
            self.same_event("t", "s")
        )
    }

    /// Computes anew the events that changed and those that can tell. $1: ids, $2: times, $3: entities, as texts.
    pub fn update(&self) -> String {
        let Plan { view, source, .. } = self;
        let (id, time) = (&self.id, &self.time);
        let mut affected = vec!["SELECT id FROM change".to_owned()];
        for (i, reach) in self.reaches.iter().enumerate() {
            let on: Vec<String> = self.entities[i]
                .iter()
                .enumerate()
                .map(|(n, column)| format!("e.{} {} r.e{n}", column.name, column.equal))
                .collect();
            let until = match reach.horizon {
                Some(_) => format!(" AND e.{} < r.until", time.name),
                None => String::new(),
            };
            affected.push(format!(
                "SELECT e.{} FROM ({}) AS r JOIN {source} AS e ON {} AND e.{} >= r.since{until}",
                id.name,
                self.ranges(i),
                on.join(" AND "),
                time.name,
            ));
        }
        format!(
            "WITH change AS MATERIALIZED (\
               SELECT c.id::{} AS id, c.at::{} AS at, c.entities::jsonb AS entities \
               FROM unnest($1, $2, $3) AS c (id, at, entities)), \
             affected AS MATERIALIZED ({}) \
             {} SELECT {} FROM affected AS a JOIN {source} AS s ON s.{} {} a.id \
             CROSS JOIN LATERAL finai.feature_row(NULL::{view}, s.*) AS f {}",
            id.kind,
            time.kind,
            affected.join(" UNION "),
            self.insert(),
            self.list("f"),
            id.name,
            id.equal,
            self.replace(),
        )
    }

    /// A row where two events have one id.
    pub fn duplicates(&self) -> String {
        let (source, id) = (&self.source, &self.id.name);
        format!("SELECT FROM {source} AS s GROUP BY s.{id} HAVING count(*) > 1 LIMIT 1")
    }

    /// As `duplicates`, of some ids. $1: ids, as texts.
    pub fn duplicates_among(&self) -> String {
        let Plan { source, id, .. } = self;
        let SqlColumn { name, kind, equal } = id;
        format!(
            "SELECT FROM (SELECT DISTINCT c.id::{kind} AS id FROM unnest($1) AS c (id)) AS c \
             JOIN {source} AS s ON s.{name} {equal} c.id GROUP BY c.id HAVING count(*) > 1 LIMIT 1"
        )
    }

    /// Per entity of a reach, from when to when its events can tell; spans that touch are one.
    fn ranges(&self, i: usize) -> String {
        let columns = &self.entities[i];
        let numbered = |write: fn(usize, &SqlColumn, usize) -> String| {
            let texts = columns.iter().enumerate().map(|(n, c)| write(n, c, i));
            texts.collect::<Vec<String>>().join(", ")
        };
        let names = numbered(|n, _, _| format!("e{n}"));
        let values = numbered(|n, column, i| {
            format!("(c.entities -> {i} ->> {n})::{} AS e{n}", column.kind)
        });
        let changes = format!(
            "SELECT {values}, c.at FROM change AS c WHERE jsonb_typeof(c.entities -> {i}) = 'array'"
        );
        let Some(horizon) = self.reaches[i].horizon else {
            return format!(
                "SELECT {names}, min(c.at) AS since FROM ({changes}) AS c GROUP BY {names}"
            );
        };
        let (until, before) = (
            later("max(c.at)", horizon),
            later(
                &format!("lag(c.at) OVER (PARTITION BY {names} ORDER BY c.at)"),
                horizon,
            ),
        );
        format!(
            "SELECT {names}, min(c.at) AS since, {until} AS until FROM (\
               SELECT {names}, c.at, sum(c.starts) OVER (PARTITION BY {names} ORDER BY c.at ROWS UNBOUNDED PRECEDING) AS span FROM (\
                 SELECT {names}, c.at, CASE WHEN c.at <= {before} THEN 0 ELSE 1 END AS starts \
                 FROM ({changes}) AS c) AS c) AS c GROUP BY {names}, c.span"
        )
    }

    fn same_event(&self, a: &str, b: &str) -> String {
        let SqlColumn { name, equal, .. } = &self.id;
        format!("{a}.{name} {equal} {b}.{name}")
    }

    fn insert(&self) -> String {
        format!(
            "INSERT INTO {} AS t ({})",
            self.copy,
            self.columns.join(", ")
        )
    }

    /// A row that is there already is written where a bit of it differs.
    fn replace(&self) -> String {
        format!(
            "ON CONFLICT ({}) DO UPDATE SET ({}) = ROW({}) WHERE t.* *<> excluded.*",
            self.id.name,
            self.columns.join(", "),
            self.list("excluded"),
        )
    }

    fn list(&self, relation: &str) -> String {
        let columns = self
            .columns
            .iter()
            .map(|column| format!("{relation}.{column}"));
        columns.collect::<Vec<String>>().join(", ")
    }
}

/// A time so much later, without months or days, so that no time zone bends it. No horizon reaches from before the year
/// 294000 to after the last time that there is.
fn later(time: &str, microseconds: i64) -> String {
    format!(
        "CASE WHEN {time} < '294000-01-01' THEN {time} + make_interval(secs => {}.{:06}) ELSE 'infinity' END",
        microseconds / 1_000_000,
        microseconds % 1_000_000
    )
}

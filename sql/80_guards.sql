-- Guards: a table's rows scored as they are written.
CREATE TABLE finai.guard (
  name         text COLLATE "C" NOT NULL CONSTRAINT guard_pkey PRIMARY KEY
               CONSTRAINT guard_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  relation     text NOT NULL,
  relation_oid oid,
  model        text COLLATE "C" NOT NULL,
  features     text COLLATE "C",
  threshold    double precision NOT NULL
               CONSTRAINT guard_threshold_check CHECK (threshold OPERATOR(pg_catalog.>) '-Infinity' AND threshold OPERATOR(pg_catalog.<) 'Infinity'),
  action       text COLLATE "C" NOT NULL
               CONSTRAINT guard_action_check CHECK (action OPERATOR(pg_catalog.=) ANY (ARRAY['review', 'notify', 'reject', 'flag', 'hold', 'off'])),
  score_column name,
  flag_column  name,
  watch        text[] NOT NULL DEFAULT '{}',
  on_error     text COLLATE "C" NOT NULL DEFAULT 'open'
               CONSTRAINT guard_on_error_check CHECK (on_error OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'closed'])),
  budget_ms    integer CONSTRAINT guard_budget_ms_check CHECK (budget_ms OPERATOR(pg_catalog.>) 0),
  created_by   name NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.guard IS 'One row per guard: what it scores, when it speaks up and what it does then. Its triggers carry its name.';
COMMENT ON COLUMN finai.guard.relation IS 'The table, with its schema; the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.guard.budget_ms IS 'Milliseconds that scoring the rows of one statement may take.';

CREATE TRIGGER guard_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.guard FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_relation_oid;
CREATE TRIGGER guard_no_truncate BEFORE TRUNCATE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_no_truncate;
CREATE TRIGGER guard_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.guard', '');

-- Alerts: rows that a guard spoke up about, or could not score.
CREATE TABLE finai.alert (
  id           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_pkey PRIMARY KEY,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  created_by   name NOT NULL,
  guard        text COLLATE "C" NOT NULL,
  relation     text NOT NULL,
  relation_oid oid,
  action       text COLLATE "C" NOT NULL,
  key          jsonb NOT NULL,
  model        text COLLATE "C",
  version      integer,
  threshold    double precision,
  score        double precision,
  features     jsonb,
  reasons      jsonb,
  error        text,
  held         json,
  status       text COLLATE "C" NOT NULL
               CONSTRAINT alert_status_check CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'held', 'unscored', 'released', 'resolved'])),
  outcome      text COLLATE "C"
               CONSTRAINT alert_outcome_check CHECK (outcome OPERATOR(pg_catalog.=) ANY (ARRAY['confirmed', 'dismissed', 'unclear'])),
  note         text,
  resolved_by  name,
  resolved_at  timestamptz,
  released_by  name,
  released_at  timestamptz
);
COMMENT ON TABLE finai.alert IS
'Rows that a guard spoke up about (open), kept back (held), let through unscored (unscored),
and what became of them.';
COMMENT ON COLUMN finai.alert.created_by IS 'Role that wrote the row.';
COMMENT ON COLUMN finai.alert.relation IS
'The guarded table; the oid beside it, which says who may see the alert, is found anew when rows are restored
elsewhere, and NULL where the table was dropped.';
COMMENT ON COLUMN finai.alert.key IS
'The row''s primary key, else the columns of a unique index without NULLs, else the whole row,
as PostgreSQL writes the values.';
COMMENT ON COLUMN finai.alert.model IS 'The model as the guard names it; version is the one that scored.';
COMMENT ON COLUMN finai.alert.features IS 'What the model got.';
COMMENT ON COLUMN finai.alert.error IS 'SQLSTATE and message of what kept the row from being scored.';
COMMENT ON COLUMN finai.alert.held IS 'The row that is kept back, whole, as PostgreSQL writes its values.';
COMMENT ON COLUMN finai.alert.outcome IS 'What a reviewer found: confirmed, dismissed or unclear; as a label, true, false and NULL.';
COMMENT ON COLUMN finai.alert.id IS 'Number of the alert, for finai.resolve_alert and finai.release_alert.';
COMMENT ON COLUMN finai.alert.created_at IS 'When the row was written.';
COMMENT ON COLUMN finai.alert.guard IS 'The guard that spoke up.';
COMMENT ON COLUMN finai.alert.relation_oid IS 'The guarded table''s oid; NULL once it is dropped.';
COMMENT ON COLUMN finai.alert.action IS
'What the guard was to do; also reject, for rows that could not be scored, and unknown,
for a guard without configuration.';
COMMENT ON COLUMN finai.alert.version IS 'The version that scored; NULL where none could be found.';
COMMENT ON COLUMN finai.alert.threshold IS 'The guard''s threshold then.';
COMMENT ON COLUMN finai.alert.score IS 'The row''s score; NULL where it could not be scored.';
COMMENT ON COLUMN finai.alert.reasons IS 'Not filled: NULL.';
COMMENT ON COLUMN finai.alert.status IS
'open (the row is in the table, and scores high), held (kept out), unscored (let in without a score),
released (inserted after it was held), resolved.';
COMMENT ON COLUMN finai.alert.note IS 'What the reviewer wrote.';
COMMENT ON COLUMN finai.alert.resolved_by IS 'Role that resolved it.';
COMMENT ON COLUMN finai.alert.resolved_at IS 'When it was resolved.';
COMMENT ON COLUMN finai.alert.released_by IS 'Role that released the row.';
COMMENT ON COLUMN finai.alert.released_at IS 'When the row was released.';
CREATE TRIGGER alert_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.alert FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_relation_oid;
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_no_truncate;
CREATE TRIGGER alert_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.alert', '');
SELECT pg_catalog.pg_extension_config_dump('finai.alert_id_seq', '');

-- Alerts of a table that is dropped are found, and told apart from those of a later one of its name.
CREATE INDEX alert_relation_oid_idx ON finai.alert (relation_oid);

-- Who may read the whole table, with no row of it kept from them, may see its alerts.
ALTER TABLE finai.alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY alert_reviewers ON finai.alert FOR SELECT
  USING (pg_catalog.has_table_privilege(relation_oid, 'SELECT') AND NOT pg_catalog.row_security_active(relation_oid));
COMMENT ON POLICY alert_reviewers ON finai.alert IS
'Alerts are seen by roles with SELECT on the whole table, where no row-level security is in force on it for
them.';


-- What is known of a guard's triggers: status and, where it is not simply active or off, why.
CREATE FUNCTION finai._guard_state(name text, relation oid, action text, watches boolean) RETURNS TABLE (status text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH member AS (
    SELECT p.relid::oid AS oid FROM pg_partition_tree(_guard_state.relation) p UNION SELECT _guard_state.relation
  ), own AS (
    SELECT t.tgrelid, t.tgname, t.tgenabled, t.tgnewtable, k.kind, m.oid IS NOT NULL AS is_member,
           CASE k.kind WHEN 'replica' THEN 'R' WHEN 'flag' THEN 'A' ELSE 'O' END AS fires
    FROM pg_trigger t
    CROSS JOIN LATERAL (SELECT regexp_replace(t.tgname, '^.*_', '')) AS k (kind)
    LEFT JOIN member m ON m.oid = t.tgrelid
    WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgargs = convert_to(_guard_state.name, 'UTF8') || '\x00'::bytea
  ), lacking AS (
    SELECT string_agg(k.kind, ', ' ORDER BY k.kind) AS kinds
    FROM unnest(CASE WHEN _guard_state.action = 'flag' THEN '{flag}' WHEN _guard_state.action = 'hold' THEN '{hold}' WHEN _guard_state.action = 'off' THEN '{}'
                     WHEN _guard_state.watches THEN '{insert,update}' ELSE '{insert}' END::text[]) AS k (kind)
    WHERE NOT EXISTS (SELECT FROM own o WHERE o.tgrelid = _guard_state.relation AND o.kind = k.kind)
  ), unguarded AS (
    SELECT string_agg(p.relid::text, ', ' ORDER BY p.relid::text) AS partitions
    FROM pg_partition_tree(_guard_state.relation) p
    WHERE p.level > 0
      AND _guard_state.action IN ('review', 'notify', 'reject')
      AND NOT EXISTS (SELECT FROM own o WHERE o.tgrelid = p.relid AND o.tgnewtable IS NOT NULL)
  ), other AS (
    SELECT string_agg(DISTINCT format('%I on %s', o.tgname, o.tgrelid::regclass), ', ') FILTER (WHERE o.is_member AND o.tgenabled = 'D') AS disabled,
           string_agg(DISTINCT format('%I on %s', o.tgname, o.tgrelid::regclass), ', ') FILTER (WHERE o.is_member AND o.tgenabled <> o.fires) AS altered,
           string_agg(DISTINCT o.tgrelid::regclass::text, ', ') FILTER (WHERE NOT o.is_member) AS abandoned,
           bool_or(o.is_member) AS is_guarded
    FROM own o
  )
  SELECT CASE WHEN c.oid IS NULL OR o.is_guarded IS NOT TRUE OR o.disabled IS NOT NULL OR l.kinds IS NOT NULL OR (_guard_state.action = 'hold' AND c.relispartition) THEN 'broken'
              WHEN _guard_state.action = 'off' THEN 'off'
              WHEN o.altered IS NOT NULL OR u.partitions IS NOT NULL OR (_guard_state.action <> 'flag' AND c.relispartition) THEN 'partly'
              ELSE 'active' END,
         CASE WHEN c.oid IS NULL THEN 'the table is gone'
              WHEN o.is_guarded IS NOT TRUE THEN 'the table has none of its triggers'
              WHEN l.kinds IS NOT NULL THEN 'the table lacks its triggers of kind ' || l.kinds || ', which finai.alter_guard makes'
              WHEN o.disabled IS NOT NULL THEN 'disabled: ' || o.disabled
              WHEN _guard_state.action = 'hold' AND c.relispartition THEN 'the table has become a partition, where no row is held'
              WHEN _guard_state.action NOT IN ('flag', 'off') AND c.relispartition THEN 'the table has become a partition: not guarded where rows are written through the partitioned table'
              WHEN o.altered IS NOT NULL THEN 'enabled for other sessions than it should be, which finai.alter_guard mends: ' || o.altered
              WHEN _guard_state.action <> 'off' AND u.partitions IS NOT NULL THEN 'not guarded where rows are written straight into them: ' || u.partitions
              WHEN o.abandoned IS NOT NULL THEN 'has triggers that do nothing, which finai.alter_guard drops, on ' || o.abandoned END
  FROM lacking l CROSS JOIN unguarded u CROSS JOIN other o
  LEFT JOIN pg_class c ON c.oid = _guard_state.relation
$$;
COMMENT ON FUNCTION finai._guard_state(text, oid, text, boolean) IS 'The status of a guard as its table''s triggers have it, for the view finai.guards.';

-- Triggers whose guard has no row, as after a restore of the table alone.
CREATE FUNCTION finai._stray_guards(known text[]) RETURNS TABLE (guard text, relation oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT g.name, t.tgrelid
  FROM pg_trigger t
  CROSS JOIN LATERAL (SELECT replace(encode(t.tgargs, 'escape'), '\000', '')) AS g (name)
  WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgparentid = 0 AND g.name <> ALL (known)
$$;
COMMENT ON FUNCTION finai._stray_guards(text[]) IS 'Triggers of guards that have no row, for the view finai.guards.';

-- Guards with what they did. Whoever may read a table sees what guards it.
CREATE VIEW finai.guards AS
SELECT g.name AS guard, COALESCE(c.oid::pg_catalog.regclass::pg_catalog.text, g.relation) AS relation, g.model, g.features, g.threshold, g.action,
       CASE WHEN g.features IS NOT NULL AND r.view IS NULL OR t.detail IS NULL AND p.detail IS NOT NULL THEN 'broken' ELSE t.status END AS status,
       CASE WHEN c.oid IS NULL OR g.features IS NULL OR r.view IS NOT NULL THEN COALESCE(t.detail, p.detail)
            WHEN f.name IS NULL THEN 'the feature set is gone'
            ELSE 'the view of the feature set is gone, or another''s' END AS detail,
       COALESCE(s.rows, 0) AS rows, COALESCE(s.alerts, 0) AS alerts, COALESCE(s.unscored, 0) AS unscored, s.mean_us, s.last_scored, finai._statistics_scope() AS scope,
       g.score_column, g.flag_column, g.watch, g.on_error, g.budget_ms, g.created_by, g.created_at
FROM finai.guard g
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.relation_oid
LEFT JOIN finai.feature_set f ON f.name OPERATOR(pg_catalog.=) g.features
LEFT JOIN LATERAL finai._feature_set_relations(f.view, f.source, f.owner_oid) r ON true
LEFT JOIN finai._guard_statistics() s ON s.guard OPERATOR(pg_catalog.=) g.name AND s.created_at OPERATOR(pg_catalog.=) g.created_at
CROSS JOIN LATERAL finai._guard_state(g.name, g.relation_oid, g.action, g.watch OPERATOR(pg_catalog.<>) '{}') t
LEFT JOIN LATERAL (SELECT finai._guard_problem(g.name) AS detail) p ON g.action OPERATOR(pg_catalog.<>) 'off'
WHERE CASE WHEN c.oid IS NULL THEN EXISTS (
             SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) g.created_by AND pg_catalog.pg_has_role(r.oid, 'MEMBER')
             UNION ALL
             SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'finai' AND pg_catalog.pg_has_role(e.extowner, 'MEMBER'))
           ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END
UNION ALL
SELECT n.guard, n.relation::pg_catalog.regclass::pg_catalog.text, NULL, NULL, NULL, NULL, 'broken', 'it has no configuration: finai.drop_guard(guard) removes its triggers', 0, 0, 0, NULL, NULL, finai._statistics_scope(), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM finai._stray_guards(ARRAY(SELECT g.name FROM finai.guard g)) n
WHERE pg_catalog.has_table_privilege(n.relation, 'SELECT')
ORDER BY 1;
COMMENT ON VIEW finai.guards IS
'Every guard of a table that one may read: what it does, its status and what it did. Where the table is gone,
who made the guard sees it, and whoever administers the extension.';

COMMENT ON COLUMN finai.guards.guard IS 'The guard''s name.';
COMMENT ON COLUMN finai.guards.relation IS 'The table it stands on.';
COMMENT ON COLUMN finai.guards.model IS 'The model it scores with, as finai.create_guard was told: name, name@alias or name@version.';
COMMENT ON COLUMN finai.guards.features IS 'The feature set that computes features; NULL where the table''s columns are all there is.';
COMMENT ON COLUMN finai.guards.threshold IS 'The score from which on it acts.';
COMMENT ON COLUMN finai.guards.action IS 'review, notify, reject, flag or hold; off.';
COMMENT ON COLUMN finai.guards.status IS
'active; off; partly: rows that are written straight into some partitions, or in some sessions, are not guarded;
broken: not guarded, or rows cannot be scored. finai.alter_guard(guard) mends its triggers.';
COMMENT ON COLUMN finai.guards.detail IS 'Why the status is what it is, where it is not active or off.';
COMMENT ON COLUMN finai.guards.rows IS 'Rows it looked at, as far as scope goes.';
COMMENT ON COLUMN finai.guards.alerts IS 'Alerts it wrote on rows that reached the threshold; flag and reject write none.';
COMMENT ON COLUMN finai.guards.unscored IS 'Rows that could not be scored, or not in time.';
COMMENT ON COLUMN finai.guards.mean_us IS 'Microseconds a row, features included; NULL where no row was looked at.';
COMMENT ON COLUMN finai.guards.last_scored IS 'When it looked at a row last.';
COMMENT ON COLUMN finai.guards.scope IS
'What rows, alerts, unscored and mean_us count: cluster, all sessions since the server started,
with finai in shared_preload_libraries; otherwise backend, this session alone.';
COMMENT ON COLUMN finai.guards.score_column IS 'The column that flag sets to the score.';
COMMENT ON COLUMN finai.guards.flag_column IS 'The column that flag sets to whether the score reaches the threshold.';
COMMENT ON COLUMN finai.guards.watch IS 'Columns whose change by UPDATE has the row looked at again.';
COMMENT ON COLUMN finai.guards.on_error IS 'open: rows that cannot be scored go in; closed: their statement fails.';
COMMENT ON COLUMN finai.guards.budget_ms IS 'Milliseconds that scoring the rows of one statement (flag and hold: one row) may take; NULL: any.';
COMMENT ON COLUMN finai.guards.created_by IS 'Role that created it.';
COMMENT ON COLUMN finai.guards.created_at IS 'When it was created.';

-- What a guard would have said. precision is a word of SQL's grammar, which PL/pgSQL's checkers do not take for a name.
CREATE FUNCTION finai._try_guard(relation regclass, model text, threshold double precision, features text, label text, event_time text)
RETURNS TABLE (day date, rows bigint, alerts bigint, unscored bigint, share_right double precision, share_found double precision)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source regclass := relation;
  day_of text := 'NULL::pg_catalog.date';
  is_bad text := 'NULL::pg_catalog.bool';
  column_type oid;
  at text := event_time;
BEGIN
  IF relation IS NULL OR model IS NULL OR threshold IS NULL THEN
    RAISE EXCEPTION 'parameter "%" is null', CASE WHEN relation IS NULL THEN 'relation' WHEN model IS NULL THEN 'model' ELSE 'threshold' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the table, the model and a score.';
  END IF;
  IF NOT (threshold > '-Infinity' AND threshold < 'Infinity') THEN
    RAISE EXCEPTION 'invalid value for parameter "threshold"'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is not a finite number.', HINT = 'Pass the score from which on the guard would speak up.';
  END IF;
  IF features IS NOT NULL THEN
    SELECT s.view::regclass, coalesce(at, s.event_time) INTO source, at FROM finai._guard_features(relation, features) s;
  END IF;
  PERFORM finai._check_guard_model(source, model, threshold);
  IF at IS NOT NULL THEN
    column_type := finai._column_type(source, at, 'event_time');
    IF column_type <> ALL (ARRAY['date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype]) THEN
      RAISE EXCEPTION 'column "%" of % is no time', at, source
        USING ERRCODE = 'datatype_mismatch', HINT = 'event_time names a column of type date, timestamp or timestamptz.';
    END IF;
    day_of := format('r.%I::pg_catalog.date', at);
  END IF;
  IF label IS NOT NULL THEN
    column_type := finai._column_type(source, label, 'label');
    IF column_type = 'boolean'::regtype THEN
      is_bad := format('r.%I', label);
    ELSIF column_type = ANY (ARRAY['smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype]) THEN
      is_bad := format('r.%I <> 0', label);
    ELSE
      RAISE EXCEPTION 'column "%" of % is no label', label, source
        USING ERRCODE = 'datatype_mismatch', HINT = 'label names a boolean column, or one of numbers where 0 means no.';
    END IF;
  END IF;
  -- OFFSET keeps the score from being computed for each aggregate.
  RETURN QUERY EXECUTE format(
    'SELECT s.day, count(*), count(*) FILTER (WHERE s.high), count(*) FILTER (WHERE s.high IS NULL),
            count(*) FILTER (WHERE s.high AND s.bad)::float8 / nullif(count(*) FILTER (WHERE s.high AND s.bad IS NOT NULL), 0),
            count(*) FILTER (WHERE s.high AND s.bad)::float8 / nullif(count(*) FILTER (WHERE s.bad), 0)
     FROM (SELECT %s AS day, finai._guard_score($1, r) >= $2 AS high, %s AS bad FROM %s AS r OFFSET 0) s
     GROUP BY GROUPING SETS ((s.day), ())
     HAVING grouping(s.day) = 1 OR s.day IS NOT NULL
     ORDER BY s.day NULLS LAST', day_of, is_bad, source)
    USING model, threshold;
END
$$;
COMMENT ON FUNCTION finai._try_guard(regclass, text, double precision, text, text, text) IS 'What finai.try_guard returns.';
CREATE FUNCTION finai.try_guard(relation regclass, model text, threshold double precision, features text DEFAULT NULL, label text DEFAULT NULL, event_time text DEFAULT NULL)
RETURNS TABLE (day date, rows bigint, alerts bigint, unscored bigint, "precision" double precision, recall double precision)
LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.day, t.rows, t.alerts, t.unscored, t.share_right, t.share_found FROM finai._try_guard(relation, model, threshold, features, label, event_time) t
$$;
COMMENT ON FUNCTION finai.try_guard(regclass, text, double precision, text, text, text) IS
'What a guard on a table would have said of the rows that are there, per day, and in a last row, without a day,
of all of them, rows without a time included. Changes nothing.
relation, model, threshold, features: as for finai.create_guard.
label: a column that says which rows were bad: boolean, or a number that is not 0.
event_time: a column of type date, timestamp or timestamptz; with features, by default the feature set''s.
  Without either, the total alone.
Returns rows; alerts: those that score at least the threshold; unscored: those that cannot be scored,
which finai.score of such a row explains; precision: the share of alerts that were right; recall: the share of
bad rows that were found. Both leave out rows without a label, and are NULL where there are none, or no label.
Scores as the current role, who needs SELECT on the table (with features, on the set''s view)
and USE on the model.
Errors: as finai.score, but for rows that cannot be scored; 0A000 a model without a single score,
  22023 a threshold that no score reaches, 42703 no such column, 42804 a column of a wrong type.';

CREATE FUNCTION finai._column_type(relation regclass, name text, parameter text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found oid := (SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = relation AND a.attname = _column_type.name AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION 'column "%" does not exist in %', name, relation
      USING ERRCODE = 'undefined_column', HINT = format('%s names a column of it.', parameter);
  END IF;
  RETURN found;
END
$$;
COMMENT ON FUNCTION finai._column_type(regclass, text, text) IS 'The type of a column, for finai.try_guard.';

-- Guards that name a model, or a version of it by number; without one, any.
CREATE FUNCTION finai._guard_dependents(model text, version integer) RETURNS TABLE (object text, owner oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('guard %s on table %s', g.name, g.relation), c.relowner
  FROM finai.guard g JOIN pg_class c ON c.oid = g.relation_oid
  WHERE split_part(g.model, '@', 1) = _guard_dependents.model
    AND (_guard_dependents.version IS NULL OR g.model = format('%s@%s', _guard_dependents.model, _guard_dependents.version))
  ORDER BY g.name
$$;
COMMENT ON FUNCTION finai._guard_dependents(text, integer) IS 'Guards that name a version of a model, or any version of it when version is NULL.';

COMMENT ON FUNCTION finai._check_guard_model(regclass, text, double precision) IS
'Refuses a model that no guard could score the rows with, and a threshold that its scores never reach,
for finai.try_guard.';
COMMENT ON FUNCTION finai._guard_score(text, record) IS
  'As finai.score, for finai.try_guard: NULL where the row cannot be scored, or its score is no number.';
COMMENT ON FUNCTION finai._guard_problem(text) IS
'Why the rows of a guard cannot be scored as things are, for the view finai.guards. NULL where they can, and for
whoever may not read its table.';
COMMENT ON FUNCTION finai._guard_features(regclass, text) IS 'View and time of a feature set over a table, for finai.try_guard.';
COMMENT ON FUNCTION finai._guard() IS 'What the triggers of guards run. Their argument is the guard''s name.';
COMMENT ON FUNCTION finai._guard_statistics() IS 'Counts of guards, for the view finai.guards.';
COMMENT ON FUNCTION finai.create_guard(regclass, text, double precision, text, text, text, text, text[], text, integer, text) IS
'Makes a guard: from now on each row that is written into the table is scored with the model,
and where it scores at least the threshold, the action happens. Returns the guard''s name. For the table''s owner.
relation: an ordinary or partitioned table.
model: name, name@alias or name@version, with a single score. Columns bind to its features by name.
threshold: for a model whose scores are probabilities 0 (every row that can be scored) to 1.
action: what happens to a row that scores so high:
  review: an alert is written (finai.alert), for all rows of a statement at once.
  notify: as review, and NOTIFY finai_alert, with {"guard", "alert", "score"} for each,
    or with their number for more than 100; such a transaction cannot be prepared.
  reject: the statement fails with 23514; no row of it goes in, and no alert, but a line in the server''s log.
  flag: before the row is stored score_column and flag_column are set; no alert.
  hold: the row is kept out and saved in an alert, until finai.release_alert inserts it.
features: a feature set of the table; columns of its view bind instead.
score_column: with flag, gets the score: double precision, real or numeric without precision.
flag_column: with flag, gets whether the score reaches the threshold: boolean.
  Both are NULL for a row that cannot be scored, so neither may be NOT NULL.
  Of several guards that set one column, the last by name has the say.
watch: columns whose change by UPDATE scores the row again; without it, updates are not looked at.
  A row that an UPDATE moves to another partition is no new row.
on_error: open lets rows in that could not be scored, and an alert says so (status unscored);
  closed makes the statement fail.
budget_ms: milliseconds that scoring the rows of one statement (flag and hold: one row) may take,
  beyond which rows count as not scored; NULL: any.
name: by default <table>_<model>.
The guard scores, and computes features, as the table''s owner, who needs USE on the model; writers need nothing.
Errors: 42501 not the owner, or the owner has no USE; 42809 no ordinary or partitioned table;
  42704 no such model or feature set, or no column for a feature; 42804 a column of a wrong type;
  42703 no such column; 55000 nothing promoted; 42710 the name is taken;
  22023 a value out of range, a feature set of another table, or a column to set that is NOT NULL
  or is looked at itself;
  0A000 a generated column as a feature of flag or hold, watch with hold, an action but flag on a partition,
  a foreign partition (actions but flag and hold), a partition key to set, a model without a single score.';
COMMENT ON FUNCTION finai.alter_guard(text, double precision, text, text, integer) IS
'Changes settings of a guard from the next statement on; what is NULL stays. For the table''s owner.
name: of the guard. Alone it mends the guard: partitions that were attached since are guarded, triggers that
  are missing or disabled are made and enabled, those left on partitions that were detached are dropped,
  and a table that was restored under another name is followed. The other calls do that too.
threshold: as for finai.create_guard.
action: one of finai.create_guard''s, or off; flag only where the guard was made with columns to set.
on_error: open or closed.
budget_ms: 0 for none.
Writers are not kept waiting, unless triggers have to be made or dropped: for partitions, or between flag,
hold and the other actions.
Errors: 42704 no such guard, 22023 a value out of range, otherwise as finai.create_guard.';
COMMENT ON FUNCTION finai.drop_guard(text) IS
'Removes a guard with its triggers; its alerts stay.
For the table''s owner; where the table is gone, for the role that made it,
superusers and members of the extension''s owner.';
COMMENT ON FUNCTION finai.resolve_alert(bigint, text, text) IS
'Records what a reviewer found. For roles that may see the alert.
id: of the alert.
outcome: confirmed (the guard was right), dismissed (it was not) or unclear; given once.
note: free text.
A row that is held can be confirmed, and stays out for good; for other outcomes it is released first,
unless its table is gone.
Errors: 22004 no id or outcome, 42704 no such alert that one may see, 55000 resolved already or held still,
  22023 another outcome.';
COMMENT ON FUNCTION finai.release_alert(bigint) IS
'Inserts the row that a guard held, as the current role, who needs INSERT on the table.
Guards with action hold let this row through, and no other that its triggers write: a reviewer has looked at it;
guards with other actions and triggers see it as any row.
Values are read back as they were written; columns that were added since take their defaults.
Fails as the INSERT does, and the row stays held then.
Errors: 22004 no id, 42704 no such alert that one may see, 55000 released or resolved already, nothing held,
  or kept out by a trigger, 42703 a column of it is gone, 42P01 the table is.';
COMMENT ON FUNCTION finai.delete_alerts(timestamptz) IS
'Deletes alerts written before a moment and returns how many: of tables that the current role owns,
all of them for the owner of the extension. Rows that are held still are kept.';

-- Feature sets: point-in-time features of events, defined once, the same numbers offline and online.
CREATE TABLE finai.feature_set (
  name       text COLLATE "C" NOT NULL CONSTRAINT feature_set_pkey PRIMARY KEY
             CONSTRAINT feature_set_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  owner      name NOT NULL,
  owner_oid  oid,
  view       text NOT NULL,
  source     text NOT NULL,
  entity     text NOT NULL,
  event_time text NOT NULL,
  event_id   text NOT NULL,
  time_zone  text NOT NULL,
  features   jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  stored     text,
  stored_source oid,
  stored_state text,
  refreshed_at timestamptz
);
COMMENT ON TABLE finai.feature_set IS
'One row per feature set: the view of its name, the relation whose events it reads,
and its features as create_feature_set was told them.';
CREATE TRIGGER feature_set_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.feature_set
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_owner_oid;
CREATE TRIGGER feature_set_no_truncate BEFORE TRUNCATE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_no_truncate;
CREATE TRIGGER feature_set_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_set', '');

-- The kernel: one pass over an entity's events in order, one state for all features. As a window function it gives every row
-- its features, over the events before a row and then the row itself that row's.
CREATE AGGREGATE finai._window_features(plan text, is_event boolean, VARIADIC "any") (
  SFUNC = finai._window_step, STYPE = internal, FINALFUNC = finai._window_numbers, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE finai._window_texts(plan text, is_event boolean, VARIADIC "any") (
  SFUNC = finai._window_step, STYPE = internal, FINALFUNC = finai._window_texts_of, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE finai._window_features(text, boolean, "any") IS
'What the views of feature sets call: the numbers of the features of a plan at the last of an entity''s events,
given in the order of their time. Arguments after is_event: the event''s time, then the columns of the plan.
NULL where the last event has no time.
Errors: 22023 events out of order, or a call that no view makes.';
COMMENT ON AGGREGATE finai._window_texts(text, boolean, "any") IS
'As finai._window_features, for features whose values are kept as text: the last value of a column that is not
a number of at most double precision.';
COMMENT ON FUNCTION finai._window_step(internal, text, boolean, "any") IS 'Transition function of finai._window_features and finai._window_texts.';
COMMENT ON FUNCTION finai._window_numbers(internal) IS 'Final function of finai._window_features.';
COMMENT ON FUNCTION finai._window_texts_of(internal) IS 'Final function of finai._window_texts.';
COMMENT ON FUNCTION finai._is_night(timestamp) IS '1 where the hour is at most 6, else 0; NULL for NULL and infinite times. For the views of feature sets.';
COMMENT ON FUNCTION finai._is_weekend(timestamp) IS '1 on Saturdays and Sundays, else 0; NULL for NULL and infinite times. For the views of feature sets.';
COMMENT ON FUNCTION finai._quotient(double precision, double precision, double precision) IS
'of * scale / to; NULL where to is 0 or an argument is NULL. Never an overflow error.
For the views of feature sets.';
COMMENT ON FUNCTION finai._feature_set_entities(text) IS
'The entities that a set''s features are by: their columns, and for how many seconds an event has a say in the
features of later ones (window plus delay; NULL where a feature looks back over all history).';

COMMENT ON FUNCTION finai.create_feature_set(text, regclass, text, text, text, jsonb, text, boolean) IS
'Defines point-in-time features of the rows of a table, partitioned table or materialized view:
makes the view name in the schema of source, with the columns of source and then the features,
each as of its row.
source: whose rows are the events.
entity: the column whose events are one another''s history.
event_time: the column with their time; an event at t sees those of its entity in (t - window, t].
event_id: the column that orders rows of the same time; it needs a unique index.
features: an array of objects, each with
  name, of the view''s column
  agg: count, sum, avg, min, max, stddev, distinct, share, risk, last, time_since_last, first_seen, ratio,
    zscore, distance, speed, sequence, night or weekend
  column, or columns, that it is of
  window: "7 days", in seconds to weeks; without it all history
  delay: what becomes known so much later, as labels do
  by: a column, or several, instead of entity
  current: whether the row itself counts
  k: events of a sequence
  of, to and scale: a ratio between two features of the set
time_zone: where night and weekend are, for timestamp with time zone.
create_indexes: run the CREATE INDEX statements that make feature_row and features_at fast and are still
  missing, and that are returned.
Needs SELECT on source and CREATE on its schema.
Errors: 22023 invalid features, 42703 no such column, 42701 a name twice, 42804 a column of a wrong type,
  42704 no such feature, 42710 the set exists, 42809 source of another kind,
  55000 no unique index on event_id, 54000 too many features, 42501 no privilege.';
COMMENT ON FUNCTION finai.drop_feature_set(text) IS
'Drops a feature set with its view, its stored copy and the triggers that keep it.
Refused while a guard needs it, or other objects depend on the view.
Needs ownership of the view; of the set where the view is gone, or belongs to a role that is no member of
the set''s owner (such a view stays).
Statements that are prepared in open sessions need DISCARD PLANS before they find a set of the same name
that is made anew.
Errors: 42704 no such set, 2BP01 a guard or dependent objects, 42501 not the owner.';
COMMENT ON FUNCTION finai.describe_feature_set(text) IS
'What the features of a set mean, a row each: type, meaning in words, aggregate,
columns (or features of a ratio), entity, window, delay, and whether the row itself counts (NULL where that
cannot be chosen). Needs SELECT on the set''s view.
Errors: 42704 no such set, 55000 the view is gone or another''s, or a column of the source has another name,
  42501 no privilege.';
COMMENT ON FUNCTION finai.feature_row(anyelement, record) IS
'One row of a feature set''s view, computed through indexes, of an event that is stored already or not:
the numbers are those of the view, to the last bit. NULL for a NULL row.
view: NULL::<the set''s view>, which says what set it is and what is returned.
event: a row of the set''s source, or any with the columns that the set reads; others are NULL.
Its past are the stored rows before it by (event_time, event_id), as the statement sees them.
Runs with the caller''s rights: needs SELECT on the source.
Errors: 42809 not the view of a set, 42703 the row has no column that is needed, 42804 one of another type,
  55000 the view or a column of the source is gone or another one.';
COMMENT ON FUNCTION finai.features_at(anyelement, "any", "any") IS
'The features of one entity as of a moment: those of its event at that time, the last by event_id, as the view
has them, where there is one. Otherwise what is known then, of the events in (at - window, at]: columns of the
event are NULL, and so are features that need one or are by another entity. NULL where entity or at is NULL.
view: NULL::<the set''s view>, which says what set it is and what is returned.
entity: a value of the set''s entity.
at: the moment.
Runs with the caller''s rights: needs SELECT on the source. Errors as for finai.feature_row.';

-- Sets, for whoever may read where they come from.
CREATE FUNCTION finai._feature_set_relations(view text, source text, owner oid) RETURNS TABLE (view oid, view_owner oid, source oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.oid, v.relowner, COALESCE(r.oid, s.oid)
  FROM (SELECT parse_ident(_feature_set_relations.view), parse_ident(_feature_set_relations.source)) AS n (view, source)
  LEFT JOIN pg_class v ON v.relname = n.view[2] AND v.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = n.view[1]) AND v.relkind = 'v'
    AND (pg_has_role(v.relowner, _feature_set_relations.owner, 'MEMBER') OR NOT EXISTS (SELECT FROM pg_roles WHERE pg_roles.oid = _feature_set_relations.owner))
  LEFT JOIN LATERAL (
    SELECT d.refobjid AS oid
    FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
    WHERE w.ev_class = v.oid LIMIT 1) r ON true
  LEFT JOIN pg_class s ON s.relname = n.source[2] AND s.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = n.source[1])
$$;
COMMENT ON FUNCTION finai._feature_set_relations(text, text, oid) IS
'The view of a feature set, where it is the set''s own, with its owner, and the relation that it reads; for the
views finai.feature_sets and finai.guards.';
CREATE VIEW finai.feature_sets AS
SELECT f.name, COALESCE(s.oid::pg_catalog.regclass::pg_catalog.text, f.source) AS source, COALESCE(r.view::pg_catalog.regclass::pg_catalog.text, f.view) AS view,
       f.entity, f.event_time, f.event_id, f.time_zone, pg_catalog.jsonb_array_length(f.features) AS features,
       CASE WHEN r.view IS NULL OR s.oid IS NULL THEN 'broken' ELSE 'active' END AS status,
       f.stored, f.refreshed_at, COALESCE(pg_catalog.pg_get_userbyid(r.view_owner), f.owner) AS owner, f.created_at, f.features AS definition
FROM finai.feature_set f
CROSS JOIN LATERAL finai._feature_set_relations(f.view, f.source, f.owner_oid) r
LEFT JOIN pg_catalog.pg_class s ON s.oid OPERATOR(pg_catalog.=) r.source
WHERE CASE WHEN s.oid IS NULL THEN pg_catalog.pg_has_role(COALESCE(r.view_owner, f.owner_oid), 'MEMBER') IS TRUE OR EXISTS (
             SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'finai' AND pg_catalog.pg_has_role(e.extowner, 'MEMBER'))
           ELSE pg_catalog.has_table_privilege(s.oid, 'SELECT') OR pg_catalog.has_table_privilege(r.view, 'SELECT') IS TRUE END
ORDER BY f.name;
COMMENT ON VIEW finai.feature_sets IS
'Every feature set whose source, or view, one may read; where the source is gone, its owner sees the set,
and whoever administers the extension. finai.describe_feature_set says what the features mean.';
COMMENT ON COLUMN finai.feature_sets.name IS 'The set''s name, which is the view''s without its schema.';
COMMENT ON COLUMN finai.feature_sets.source IS 'The relation whose rows are the events.';
COMMENT ON COLUMN finai.feature_sets.view IS 'The view with the columns of source and then the features.';
COMMENT ON COLUMN finai.feature_sets.entity IS 'The column whose events are one another''s history, where a feature is not by others.';
COMMENT ON COLUMN finai.feature_sets.event_time IS 'The column with the time of an event.';
COMMENT ON COLUMN finai.feature_sets.event_id IS 'The unique column that orders events of the same time.';
COMMENT ON COLUMN finai.feature_sets.time_zone IS 'Where night and weekend are, for events with a time zone.';
COMMENT ON COLUMN finai.feature_sets.features IS 'How many features were defined; a sequence has two columns in the view.';
COMMENT ON COLUMN finai.feature_sets.status IS 'active; broken: view or source is gone.';
COMMENT ON COLUMN finai.feature_sets.stored IS 'The copy that finai.refresh_feature_set keeps; NULL without one.';
COMMENT ON COLUMN finai.feature_sets.refreshed_at IS 'When the copy was made or refreshed last.';
COMMENT ON COLUMN finai.feature_sets.owner IS 'The view''s owner; who created the set where the view is gone.';
COMMENT ON COLUMN finai.feature_sets.created_at IS 'When the set was created.';
COMMENT ON COLUMN finai.feature_sets.definition IS 'The features as finai.create_feature_set was told them.';

-- What changed in the source of a feature set since its stored copy was refreshed.
CREATE TABLE finai.feature_change (
  feature_set text COLLATE "C" NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  event_id    text,
  event_time  text,
  entities    jsonb,
  CONSTRAINT feature_change_pkey PRIMARY KEY (feature_set, id)
);
COMMENT ON TABLE finai.feature_change IS
'Events that were inserted, changed or deleted since finai.refresh_feature_set ran last,
with the time from which features of the same entities may differ. No event_id: anything may have changed.';
CREATE TRIGGER feature_change_no_truncate BEFORE TRUNCATE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_no_truncate;
CREATE TRIGGER feature_change_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change', '');
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change_id_seq', '');

COMMENT ON FUNCTION finai._log_feature_change() IS
'What finai.refresh_feature_set puts on the source of a feature set: notes which events changed.
For triggers alone.';
COMMENT ON PROCEDURE finai.refresh_feature_set(text, boolean) IS
'Keeps <set>_stored, beside the view of a feature set, equal to that view: a table with a row per event.
The first call makes it, with triggers on the source that note what changes; it keeps writers waiting while it
runs.
Later calls compute only the features that later or late events, updates (labels that become known) and
deletes can have changed.
Changes that are not committed yet come with the next call; of two calls at once the second waits.
name: a feature set of the current role, which must own its source, a table.
  The column of the event id must be unique and not null.
rebuild: compute everything anew.
  Happens by itself where the source was rewritten, lost its triggers or, partitioned,
  other partitions; call it so after changes that triggers did not see (DISABLE TRIGGER; TRUNCATE of a
  partition by its own name, twice in a transaction).
The copy has a primary key on the event id and an index on the first entity and the time,
so entities longer than some 2,700 bytes cannot be in it (54000).
Needs isolation level READ COMMITTED.
Errors: 42704 no such set, 42501 not its owner or not the owner of its source, 0A000 the source is no table,
  or an unlogged one, 55000 the view or a column is not as it was, or the copy lacks columns or its key,
  25001 another isolation level, 42P07 a relation of the copy''s name exists,
  23505 or 23502 event ids are not unique or null.';

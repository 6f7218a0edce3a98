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
COMMENT ON TABLE finai.feature_set IS 'One row per feature set: the view of its name, the relation whose events it reads, and its features as create_feature_set was told them.';
CREATE TRIGGER feature_set_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.feature_set
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_owner_oid;
CREATE TRIGGER feature_set_no_truncate BEFORE TRUNCATE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_no_truncate;
CREATE TRIGGER feature_set_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_set', '');

-- What changed in the source of a feature set since its stored copy was refreshed.
CREATE TABLE finai.feature_change (
  feature_set text COLLATE "C" NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  event_id    text,
  event_time  text,
  entities    jsonb,
  CONSTRAINT feature_change_pkey PRIMARY KEY (feature_set, id)
);
COMMENT ON TABLE finai.feature_change IS 'Events that were inserted, changed or deleted since finai.refresh_feature_set ran last, with the time from which features of the same entities may differ. No event_id: anything may have changed.';
CREATE TRIGGER feature_change_no_truncate BEFORE TRUNCATE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_no_truncate;
CREATE TRIGGER feature_change_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change', '');
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change_id_seq', '');

COMMENT ON FUNCTION finai._log_feature_change() IS 'What finai.refresh_feature_set puts on the source of a feature set: notes which events changed. For triggers alone.';
COMMENT ON PROCEDURE finai.refresh_feature_set(text, boolean) IS
'Keeps <set>_stored, beside the view of a feature set, equal to that view: a table with a row per event. The first call makes it, with triggers on the source that note what changes; it keeps writers waiting while it runs. Later calls compute only the features that later or late events, updates (labels that become known) and deletes can have changed. Changes that are not committed yet come with the next call; of two calls at once the second waits.
name: a feature set of the current role, which must own its source, a table. The column of the event id must be unique and not null.
rebuild: compute everything anew. Happens by itself where the source was rewritten, lost its triggers or, partitioned, other partitions; call it so after changes that triggers did not see (DISABLE TRIGGER).
Needs isolation level READ COMMITTED. Errors: 42704 no such set, 42501 not its owner or not the owner of its source, 0A000 the source is no table, 25001 another isolation level, 42P07 a relation of the copy''s name exists, 23505 or 23502 event ids are not unique or null.';

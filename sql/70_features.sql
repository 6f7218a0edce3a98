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
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
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

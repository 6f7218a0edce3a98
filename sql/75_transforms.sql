-- Transforms: parameters fitted once, applied unchanged to later rows.
CREATE TABLE finai.transform (
  name      text COLLATE "C" NOT NULL
            CONSTRAINT transform_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  version   integer NOT NULL CONSTRAINT transform_version_check CHECK (version OPERATOR(pg_catalog.>) 0),
  owner     name NOT NULL,
  owner_oid oid,
  relation  text NOT NULL,
  rules     jsonb NOT NULL,
  fitted    jsonb NOT NULL,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT transform_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE finai.transform IS 'One row per fit of a transform: the relation it was fitted on, its rules, and the parameters that they took from it. Never changed: another fit is another version.';
CREATE TRIGGER transform_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_owner_oid;
CREATE TRIGGER transform_no_truncate BEFORE TRUNCATE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_no_truncate;
CREATE TRIGGER transform_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.transform', '');

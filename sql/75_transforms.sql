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

-- Generated SQL finds pg_catalog alone, and writes numbers to the last bit.
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET extra_float_digits = 1;
COMMENT ON FUNCTION finai.woe_table(regclass, text, text, integer) IS
  'Weight of Evidence of a column against a label, which is boolean or 0/1; true and 1 mean bad. woe = ln(good% / bad%), where good% is the share of all goods that lie in the bin: positive is safer. iv = (good% - bad%) * woe, total_iv is their sum. A share below 1e-4 counts as 1e-4; smoothed is the number of bins where one did. Text, boolean and enum columns have one bin a value, number columns at most bins (2 to 1000) bins at their quantiles by linear interpolation, from lower up to but without upper, equal cuts and empty bins merged; a column with no more values than bins has one bin a value. Missing values (NULL, NaN) have a bin of their own, the last, with lower, upper and category NULL. Rows without a label are left out. woe and iv are NULL where there are no goods or no bads at all. Reads as the caller, who needs SELECT (42501). Errors: 42P01 no such relation, 42703 no such column, 42804 a column of another type, 22023 a label with other values, bins out of range.';

-- Transforms: parameters fitted once, applied unchanged to later rows.
CREATE TABLE finai.transform (
  name      text COLLATE "C" NOT NULL
            CONSTRAINT transform_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  version   integer NOT NULL CONSTRAINT transform_version_check CHECK (version OPERATOR(pg_catalog.>) 0),
  owner     name NOT NULL,
  owner_oid oid,
  relation  text NOT NULL,
  relation_oid oid,
  rules     jsonb NOT NULL,
  fitted    jsonb NOT NULL,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT transform_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE finai.transform IS
'One row per fit of a transform: the relation it was fitted on, its rules, and the parameters that they took
from it. Never changed: another fit is another version.';
CREATE TRIGGER transform_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_owner_oid;
COMMENT ON COLUMN finai.transform.relation_oid IS 'Found anew from the name when rows are restored elsewhere; who may read all of it may use the transform.';
-- Relations are stored by name and found again by oid, so that a dump restored elsewhere keeps what is said of them.
CREATE FUNCTION finai._relation_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text[] := parse_ident(NEW.relation);
BEGIN
  -- An alert of a table that was dropped.
  IF TG_OP = 'INSERT' AND TG_TABLE_NAME = 'alert' AND NEW.relation_oid IS NULL THEN
    RETURN NEW;
  END IF;
  NEW.relation_oid := (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE (n.nspname = part[1] OR part[1] = 'pg_temp' AND n.oid = pg_my_temp_schema()) AND c.relname = part[2]);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION finai._relation_oid() IS 'Finds the oid of the relation that a transform, a guard or an alert names.';
CREATE TRIGGER transform_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_relation_oid;
CREATE TRIGGER transform_immutable BEFORE UPDATE OF name, version, relation, rules, fitted, fitted_at ON finai.transform
  FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_change();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_immutable;
CREATE TRIGGER transform_no_truncate BEFORE TRUNCATE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_no_truncate;
CREATE TRIGGER transform_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.transform', '');

-- The transformed rows as a table.
CREATE PROCEDURE finai.transform_table(name text, source regclass, target text)
LANGUAGE c AS 'MODULE_PATHNAME', 'transform_table_wrapper';

-- Generated SQL finds pg_catalog alone, reads dates one way, and writes numbers to the last bit.
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET extra_float_digits = 1;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET extra_float_digits = 1;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET datestyle = 'ISO, YMD';
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET search_path = pg_catalog, pg_temp;
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET extra_float_digits = 1;
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET datestyle = 'ISO, YMD';
ALTER FUNCTION finai.transform_row(text, record) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.transform_row(text, record) SET extra_float_digits = 1;
ALTER FUNCTION finai.transform_row(text, record) SET datestyle = 'ISO, YMD';

COMMENT ON FUNCTION finai.woe_table(regclass, text, text, integer) IS
'Weight of Evidence of a column against a label, which is boolean or 0/1; true and 1 mean bad.
woe = ln(good% / bad%), where good% is the share of all goods that lie in the bin: positive is safer.
iv = (good% - bad%) * woe, total_iv is their sum.
A share below 1e-4 counts as 1e-4; smoothed is the number of bins where one did.
Text, boolean and enum columns have one bin a value, number columns at most bins (2 to 1000) bins at their
quantiles in double precision by linear interpolation, from lower up to but without upper,
equal cuts and empty bins merged; a column with no more values than bins has one bin a value.
Missing values (NULL, NaN) have a bin of their own, the last, with lower, upper and category NULL.
Rows without a label are left out. woe and iv are NULL where there are no goods or no bads at all.
Reads as the caller, who needs SELECT (42501).
Errors: 42P01 no such relation, 42703 no such column, 42804 a column of another type,
  22023 a label with other values, bins out of range.';
COMMENT ON FUNCTION finai.fit_transform(text, regclass, jsonb) IS
'Fits rules on a table or view and returns the version under which they are stored, with their parameters,
never to be changed.
name: of the transform; a first fit makes it the caller''s, others cannot add versions.
relation: whose rows it is fitted on.
rules: an array of steps, each fitted on what the steps before it give:
  {"column": c, "type": number | integer | numeric | text | boolean | date | timestamp} converts.
    "format": as in to_date, for dates. "invalid": "missing" instead of "error" for text that is no number
    or boolean; a number that double precision cannot hold becomes infinite, or 0; a date or time that cannot
    be read is PostgreSQL''s own error. Dates and timestamps become days and seconds since 1970, in UTC.
  {"column": c, "missing": mean | median | mode | constant | drop} fills NULL and NaN ("value" for a constant),
    or leaves such rows out. "indicator": true adds <c>_missing, 0 or 1.
  {"column": c, "outliers": winsorise | iqr | drop} moves numbers to the quantiles "lower" (0.01) and "upper"
    (0.99), or to Tukey''s fences, "factor" (1.5) interquartile ranges from the quartiles, or leaves rows
    outside the fences out.
  {"column": c, "scaling": standard | min_max | robust}: less mean by standard deviation (of the population),
    less minimum by range, less median by interquartile range; 0 where that is 0; later values may leave 0 to 1.
  {"column": c, "encoding": one_hot | ordinal | woe}: one_hot replaces the column by <c>_<category> columns of
    0 and 1, all 0 for a missing or unseen category ("indicator": true adds <c>_missing); ordinal gives 0, 1, ..
    in the order of the values, "unseen" (-1) for others, NULL for missing; woe gives the Weight of Evidence
    against "label" in at most "bins" (10) bins as finai.woe_table does, for missing that of its bin, for what
    was not seen "unseen" (NULL); the label is not needed later. "categories": [..] names them instead, in order.
  {"duplicates": [c, ..] | "all", "order": [c, "c desc", ..]}: of rows with equal columns the first by the order
    stays.
  A step may ask for several things of a column, done in the order above, and name several "columns".
Quantiles are by linear interpolation. Averages and quantiles leave out missing values and numbers beyond 1e150.
Errors: 22023 rules that are not understood, or the same thing twice for a column; 42703 no such column;
  42804 a column or constant of another type; 22000 no values to fit on, a label of one class;
  22P02 text that cannot be converted; 54000 more than 1,000 categories; 42701 a column name that is taken;
  42501 no SELECT, or another''s transform.';
COMMENT ON PROCEDURE finai.transform_table(text, regclass, text) IS
'Creates a table with the transformed rows of a table or view: the parameters of the transform (name for its
latest version, or name@version) are applied unchanged, columns that no rule names pass through,
rows that a rule drops and duplicates are left out.
The target, name (beside the source) or schema.name, must not exist (42P07) and is the caller''s.
Who may use a transform: its owner, and roles with SELECT on the whole relation that it was fitted on,
without row security in force for them; its parameters tell about those rows.
Errors: 42704 no such transform, 42703 a column that a rule needs is missing,
  42804 it is of another type than it was fitted on, 42501 not allowed.';
COMMENT ON FUNCTION finai.transform_row(text, record) IS
'One transformed row as a JSON object, with the same numbers as finai.transform_table to the last bit.
NULL where a rule would drop the row, and for a NULL row; duplicates do not apply to one row.
Columns bind by name; those that no rule names pass through. Rights and errors as finai.transform_table.';
COMMENT ON FUNCTION finai.describe_transform(text) IS
'The steps of a transform, named name (latest version) or name@version, with their fitted parameters in words.
Rights as finai.transform_table.';
COMMENT ON FUNCTION finai.drop_transform(text) IS
'Removes a transform, all versions, or with name@version one.
Needs ownership (42501); 42704 where there is none.
A transform of the same name that is fitted later starts at version 1 again.';

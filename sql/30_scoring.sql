-- A typed scoring function of one's own.
CREATE FUNCTION finai.create_scoring_function(name text, model text, row_type regtype, output text DEFAULT 'score')
RETURNS regprocedure
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text[] := parse_ident(name);
  row_class regclass;
  row_schema name;
  call text;
  result text;
  problem record;
  created regprocedure;
BEGIN
  SELECT t.typrelid, n.nspname INTO row_class, row_schema
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = row_type AND t.typrelid <> 0;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not a row type', row_type
      USING ERRCODE = 'wrong_object_type', HINT = 'Name a table, a view or a composite type.';
  END IF;
  IF array_length(part, 1) > 2 THEN
    RAISE EXCEPTION 'function name "%" has too many parts', name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Write name or schema.name.';
  END IF;
  SELECT o.call, o.result INTO call, result
  FROM (VALUES ('score', 'finai.score', 'double precision'),
               ('label', 'finai.classify', 'text'),
               ('probabilities', 'finai.probabilities', 'jsonb'),
               ('prediction', 'finai.predict', 'finai.prediction')) AS o (output, call, result)
  WHERE o.output = create_scoring_function.output;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unrecognized output "%"', output
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Outputs are score, label, probabilities and prediction.';
  END IF;
  -- Columns stay as they are checked until the function is there, as under a view that is being created.
  IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = row_class AND c.relkind <> 'c') AND has_table_privilege(row_class, 'SELECT') THEN
    EXECUTE format('SELECT FROM %s WHERE false', row_class);
  END IF;
  SELECT b.feature, b.status, b.hint INTO problem
  FROM finai.check_binding(model, row_class) b WHERE b.status <> 'ok' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'rows of % do not fit model "%": feature "%" is %', row_type, model, problem.feature,
                    CASE WHEN problem.status = 'missing' THEN 'missing' ELSE 'of another type' END
      USING ERRCODE = 'datatype_mismatch',
            HINT = format('SELECT * FROM finai.check_binding(%L, %L) shows every feature.', model, row_class);
  END IF;
  IF array_length(part, 1) = 1 THEN
    part := ARRAY[row_schema, part[1]];
  END IF;
  EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE sql STABLE PARALLEL SAFE AS %L',
                 part[1], part[2], row_type, result, format('SELECT %s(%L, $1)', call, model));
  created := format('%I.%I(%s)', part[1], part[2], row_type)::regprocedure;
  EXECUTE format('COMMENT ON FUNCTION %s IS %L', created,
                 format('%s of model %s for a row of %s. NULL for a NULL row. The caller needs USE on the model.',
                        output, model, row_type));
  -- So the event triggers find it, and DROP EXTENSION takes it along.
  EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION finai', created);
  RETURN created;
END
$$;
COMMENT ON FUNCTION finai.create_scoring_function(text, text, regtype, text) IS
'Creates name(row_type), a function that scores rows of one type with a model:
output is score (double precision), label (text), probabilities (jsonb) or prediction (finai.prediction).
It lands in the schema of the row type unless the name is qualified.
Checks first that the columns fit; an error names the feature that does not.
It is no delegation: whoever calls it needs USE on the model.
While it exists, DDL that takes a column it reads from the relation is refused (2BP01), or marks the version,
as alter_model(..., on_schema_change) says. DROP EXTENSION finai drops it.';

COMMENT ON FUNCTION finai.score(text, record) IS
'Scores one row with a model, named as model, model@alias or model@version:
the probability of the positive class, or the predicted value of a regression.
Columns bind to features by name; extra columns do not matter.
NULL for a NULL row; a NULL column follows the feature''s policy (see describe_model).
Errors: 42704 no such model, version or column, 42804 column of a wrong type, 22004 NULL where refused,
  22000 unknown category, 55000 nothing promoted, 42501 no USE on the model.
The version is the one promoted as of the statement''s snapshot.';
COMMENT ON FUNCTION finai.score_version(text, integer, record) IS
'Scores one row with one version of a model, as finai.score does with ''model@version'', and is immutable:
a version''s scores never change. 0A000 for a version that runs as a graph (see describe_model),
whose last bits may differ between processors. NULL if any argument is.
USE on the model is checked in every statement that computes scores.';
COMMENT ON FUNCTION finai.score_version(text, integer, text[], "any") IS
'Scores values given one by one, each under the name at its place in columns, with one version of a model:
for generated columns, expression indexes and remote servers, which take no whole rows.
A NULL value follows the feature''s policy; NULL if model, version or columns is. At most 97 values.
Errors: 22023 names and values of different numbers, a NULL name or a VARIADIC array;
  otherwise as finai.score_version(text, integer, record).';
COMMENT ON FUNCTION finai.predict(text, record) IS
'Scores one row and returns (score, label, model, version): the label is the predicted class,
NULL for a regression; the score is NULL for a model of several classes without a declared output.
Otherwise as finai.score.';
COMMENT ON FUNCTION finai.classify(text, record) IS
  'The predicted class of one row. 22023 for a regression. Otherwise as finai.score.';
COMMENT ON FUNCTION finai.probabilities(text, record) IS
'The probability of every class of one row, as a JSON object label -> probability. 22023 for a regression.
Otherwise as finai.score.';
COMMENT ON FUNCTION finai.credit_score(record) IS
'Credit points of one applicant, unrounded, higher is safer: 600 points at good:bad odds of 50:1,
20 points double the odds (points = 487.1229 + 28.8539 * ln((1 - p) / p), p = default_prob,
clipped to [1e-15, 1 - 1e-15]).
Scores with the champion of model credit_score; describe_model(''credit_score'') lists the columns it reads.';
COMMENT ON FUNCTION finai.default_prob(record) IS
  'Probability of default of one applicant, between 0 and 1: finai.score(''credit_score'', row).';
COMMENT ON FUNCTION finai.fraud_prob(record) IS
'Probability that a card transaction is fraudulent, between 0 and 1: finai.score(''fraud_prob'', row).
describe_model(''fraud_prob'') lists the features it reads.';

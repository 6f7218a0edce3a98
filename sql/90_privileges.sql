-- Nothing is anybody's but the owner's, except what is listed here.
REVOKE ALL ON ALL ROUTINES IN SCHEMA finai FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA finai FROM PUBLIC;
-- ALTER DEFAULT PRIVILEGES may have granted something to roles already.
DO $$
DECLARE
  grantee pg_catalog.regrole;
BEGIN
  FOR grantee IN
    SELECT DISTINCT a.grantee
    FROM (SELECT relacl AS acl, relowner AS owner FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace
          UNION ALL
          SELECT proacl, proowner FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace
          UNION ALL
          SELECT nspacl, nspowner FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'finai') AS o,
         pg_catalog.aclexplode(o.acl) AS a
    WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner AND a.grantee OPERATOR(pg_catalog.<>) 0
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ALL TABLES IN SCHEMA finai FROM %s', grantee);
    EXECUTE pg_catalog.format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA finai FROM %s', grantee);
    EXECUTE pg_catalog.format('REVOKE ALL ON ALL ROUTINES IN SCHEMA finai FROM %s', grantee);
    EXECUTE pg_catalog.format('REVOKE ALL ON SCHEMA finai FROM %s', grantee);
  END LOOP;
END
$$;
GRANT USAGE ON SCHEMA finai TO PUBLIC;

-- Scoring: the model's USE privilege decides in every statement.
GRANT EXECUTE ON FUNCTION finai.score(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.score_version(text, integer, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.score_version(text, integer, text[], "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.predict(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.classify(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.probabilities(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.credit_score(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.default_prob(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.fraud_prob(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.create_scoring_function(text, text, regtype, text) TO PUBLIC;

-- Describing.
GRANT EXECUTE ON FUNCTION finai.describe_model(text, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.check_binding(text, regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.inspect_onnx(bytea) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.model_onnx(text, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.model_history(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._bundled_models() TO PUBLIC;
GRANT SELECT ON finai.models TO PUBLIC;

-- Observing: models by name are everybody's to see, counts too.
GRANT EXECUTE ON FUNCTION finai._model_statistics() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._statistics_scope() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.cached_models() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.backend_memory() TO PUBLIC;
GRANT SELECT ON finai.stat_models TO PUBLIC;

-- What the triggers on the source of a feature set call; it acts only as such.
GRANT EXECUTE ON FUNCTION finai._log_feature_change() TO PUBLIC;

-- Guards: the trigger function runs for whoever owns a table, and partitions' triggers are copied as their owner; it does
-- nothing without the guard's row. Alerts: the policy says who sees which.
GRANT EXECUTE ON FUNCTION finai._guard() TO PUBLIC;
GRANT SELECT ON finai.alert TO PUBLIC;
GRANT SELECT ON finai.guards TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_statistics() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_state(text, oid, text, boolean) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._stray_guards(text[]) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._try_guard(regclass, text, double precision, text, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.try_guard(regclass, text, double precision, text, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_features(regclass, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_problem(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._check_guard_model(regclass, text, double precision) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_score(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._column_type(regclass, text, text) TO PUBLIC;
-- Features: who may read a set's source or view may have them computed; views run the aggregates as whoever reads them.
GRANT EXECUTE ON FUNCTION finai.feature_row(anyelement, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.features_at(anyelement, "any", "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.describe_feature_set(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._feature_set_relations(text, text, oid) TO PUBLIC;
GRANT SELECT ON finai.feature_sets TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._window_features(text, boolean, "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._window_texts(text, boolean, "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._is_night(timestamp) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._is_weekend(timestamp) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._quotient(double precision, double precision, double precision) TO PUBLIC;
-- Looking at data: as the caller, who needs SELECT.
GRANT EXECUTE ON FUNCTION finai.profile_table(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._require_rows(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._profiled_columns(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.woe_table(regclass, text, text, integer) TO PUBLIC;

-- Transforms: who owns one, or may read what it was fitted on.
GRANT EXECUTE ON FUNCTION finai.transform_row(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.describe_transform(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._refuse_text(text, text) TO PUBLIC;

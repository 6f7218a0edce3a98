-- Every function and relation of the extension, tried by five roles: what each gets, from the catalogue, so that a new
-- member without a decision shows.
\set onnx `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
CREATE ROLE regress_nobody; CREATE ROLE regress_user; CREATE ROLE regress_publisher; CREATE ROLE regress_auditor; CREATE ROLE regress_owner SUPERUSER;
CREATE TABLE file AS SELECT decode(:'onnx', 'base64') AS onnx;
CREATE TABLE customer AS SELECT 24 AS duration_in_month, 2 AS installment_rate_in_percentage_of_disposable_income, 3 AS present_residence_since,
  1 AS number_of_existing_credits_at_this_bank, 1 AS number_of_people_being_liable_to_provide_maintenance_for;
CREATE TABLE applicant AS SELECT 'no checking account'::text AS status_of_existing_checking_account, 'existing credits paid back duly till now'::text AS credit_history,
  'furniture/equipment'::text AS purpose, '500 <= ... < 1000 DM'::text AS savings_account_and_bonds, '... >= 7 years'::text AS present_employment_since,
  'none'::text AS other_debtors_or_guarantors, 'building society savings agreement/ life insurance'::text AS property, 'none'::text AS other_installment_plans,
  'own'::text AS housing, 'skilled employee / official'::text AS job, 'none'::text AS telephone, 24 AS duration_in_month, 2835 AS credit_amount,
  3 AS installment_rate_in_percentage_of_disposable_income, 4 AS present_residence_since, 1 AS number_of_existing_credits_at_this_bank, 1 AS number_of_people_being_liable_to_provide_maintenance_for;
CREATE TABLE payment AS SELECT 60.66 AS tx_amount, 0 AS tx_during_weekend, 0 AS tx_during_night, 2 AS customer_id_nb_tx_1day_window, 39.22 AS customer_id_avg_amount_1day_window,
  9 AS customer_id_nb_tx_7day_window, 73.7 AS customer_id_avg_amount_7day_window, 38 AS customer_id_nb_tx_30day_window, 83.2 AS customer_id_avg_amount_30day_window,
  0 AS terminal_id_nb_tx_1day_window, 0 AS terminal_id_risk_1day_window, 8 AS terminal_id_nb_tx_7day_window, 0 AS terminal_id_risk_7day_window,
  27 AS terminal_id_nb_tx_30day_window, 0 AS terminal_id_risk_30day_window;
CREATE TABLE customer_columns AS SELECT array_agg(attname::text ORDER BY attnum) AS names FROM pg_attribute WHERE attrelid = 'customer'::regclass AND attnum > 0;
GRANT SELECT ON file, customer, customer_columns, applicant, payment TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;

CREATE TABLE moment AS SELECT 1 AS id, 1 AS k, 'x' AS word, timestamp '2024-01-01' AS at;
ALTER TABLE moment ADD PRIMARY KEY (id);
SELECT finai.create_feature_set('moments', 'moment', 'k', 'at', 'id', '[{"name": "n", "agg": "count"}, {"name": "last_word", "agg": "last", "column": "word"}, {"name": "night", "agg": "night"}, {"name": "weekend", "agg": "weekend"}, {"name": "q", "agg": "ratio", "of": "n", "to": "n"}]');
GRANT SELECT ON moment, moments TO PUBLIC;

-- The user may score with both models; the publisher owns one and may call what publishes; the auditor reads the history.
GRANT EXECUTE ON FUNCTION finai.register_model, finai.promote_model, finai.rollback_model, finai.drop_alias, finai.retire_model, finai.drop_model,
  finai.rename_model, finai.alter_model, finai.grant_model, finai.revoke_model, finai.verify_models, finai.create_feature_set, finai.drop_feature_set TO regress_publisher;
GRANT SELECT ON finai.model_event TO regress_auditor;
SET ROLE regress_publisher;
SELECT finai.register_model('own', onnx), finai.register_model('own', onnx), finai.register_model('own', onnx) FROM file;
SELECT finai.promote_model('own', 1), finai.promote_model('own', 2);
SELECT finai.grant_model('own', 'regress_user');
RESET ROLE;
CREATE VIEW hidden AS SELECT * FROM customer;
SELECT finai.fit_transform('fitted', 'hidden', '[{"column": "duration_in_month", "missing": "mean"}]');
SELECT finai.register_model('other', onnx) FROM file;
SELECT finai.promote_model('other', 1);
SELECT finai.grant_model('other', 'regress_user');

-- One call of each function, on the publisher's model where a model is asked for.
CREATE TABLE call (function regprocedure, statement text);
INSERT INTO call VALUES
  ('finai.score(text, record)', $$SELECT finai.score('own', c) FROM customer c$$),
  ('finai.score_version(text, integer, record)', $$SELECT finai.score_version('own', 1, c) FROM customer c$$),
  ('finai.score_version(text, integer, text[], "any")', $$SELECT finai.score_version('own', 1, names, 24, 2, 3, 1, 1) FROM customer_columns$$),
  ('finai._typed_functions()', $$SELECT * FROM finai._typed_functions()$$),
  ('finai.predict(text, record)', $$SELECT finai.predict('own', c) FROM customer c$$),
  ('finai.classify(text, record)', $$SELECT finai.classify('credit_score', a) FROM applicant a$$),
  ('finai.probabilities(text, record)', $$SELECT finai.probabilities('credit_score', a) FROM applicant a$$),
  ('finai.credit_score(record)', $$SELECT finai.credit_score(a) FROM applicant a$$),
  ('finai.default_prob(record)', $$SELECT finai.default_prob(a) FROM applicant a$$),
  ('finai.fraud_prob(record)', $$SELECT finai.fraud_prob(p) FROM payment p$$),
  ('finai.create_scoring_function(text, text, regtype, text)', $$SELECT finai.create_scoring_function('public.mine', 'own', 'customer')$$),
  ('finai.register_model(text, bytea, text[], text, text[], jsonb, text, jsonb, double precision, text)', $$SELECT finai.register_model('own', onnx) FROM file$$),
  ('finai.promote_model(text, integer, text, text)', $$SELECT finai.promote_model('own', 3)$$),
  ('finai.rollback_model(text, text, text)', $$SELECT finai.rollback_model('own')$$),
  ('finai.drop_alias(text, text, text)', $$SELECT finai.drop_alias('own', 'champion')$$),
  ('finai.retire_model(text, integer, text)', $$SELECT finai.retire_model('own', 3)$$),
  ('finai.drop_model(text, text)', $$SELECT finai.drop_model('own')$$),
  ('finai.rename_model(text, text, text)', $$SELECT finai.rename_model('own', 'owned')$$),
  ('finai.alter_model(text, text, text, double precision, boolean, text, text)', $$SELECT finai.alter_model('own', use_case => 'x')$$),
  ('finai.grant_model(text, text, text, text)', $$SELECT finai.grant_model('own', 'public')$$),
  ('finai.revoke_model(text, text, text, text)', $$SELECT finai.revoke_model('own', 'regress_user')$$),
  ('finai.model_history(text)', $$SELECT finai.model_history('own')$$),
  ('finai.model_onnx(text, integer)', $$SELECT finai.model_onnx('own')$$),
  ('finai.verify_models(text)', $$SELECT finai.verify_models('own')$$),
  ('finai.describe_model(text, integer)', $$SELECT finai.describe_model('own')$$),
  ('finai.check_binding(text, regclass)', $$SELECT finai.check_binding('own', 'customer')$$),
  ('finai.inspect_onnx(bytea)', $$SELECT finai.inspect_onnx(onnx) FROM file$$),
  ('finai._bundled_models()', $$SELECT * FROM finai._bundled_models()$$),
  ('finai.cached_models()', 'SELECT * FROM finai.cached_models()'),
  ('finai.backend_memory()', 'SELECT * FROM finai.backend_memory()'),
  ('finai.reset_stat_models()', 'SELECT finai.reset_stat_models()'),
  ('finai._statistics_scope()', 'SELECT finai._statistics_scope()'),
  ('finai._model_statistics()', 'SELECT * FROM finai._model_statistics()'),
  ('finai.create_feature_set(text, regclass, text, text, text, jsonb, text, boolean)', $$SELECT finai.create_feature_set('mine', 'moment', 'k', 'at', 'id', '[{"name": "n", "agg": "count"}]')$$),
  ('finai.drop_feature_set(text)', $$SELECT finai.drop_feature_set('moments')$$),
  ('finai.describe_feature_set(text)', $$SELECT * FROM finai.describe_feature_set('moments')$$),
  ('finai.feature_row(anyelement, record)', $$SELECT finai.feature_row(NULL::moments, m) FROM moment m$$),
  ('finai.features_at(anyelement, "any", "any")', $$SELECT finai.features_at(NULL::moments, 1, '2024-01-01')$$),
  ('finai._feature_set_relations(text, text, oid)', $$SELECT finai._feature_set_relations('public.moments', 'public.payment', NULL)$$),
  ('finai._feature_set_entities(text)', $$SELECT * FROM finai._feature_set_entities('moments')$$),
  ('finai._window_features(text, boolean, "any")', $$SELECT n FROM moments$$),
  ('finai._window_texts(text, boolean, "any")', $$SELECT last_word FROM moments$$),
  ('finai._window_step(internal, text, boolean, "any")', $$SELECT finai._window_step(NULL, NULL, NULL, 1) IS NULL$$),
  ('finai._window_numbers(internal)', $$SELECT finai._window_numbers(NULL)$$),
  ('finai._window_texts_of(internal)', $$SELECT finai._window_texts_of(NULL)$$),
  ('finai._is_night(timestamp without time zone)', $$SELECT night FROM moments$$),
  ('finai._is_weekend(timestamp without time zone)', $$SELECT weekend FROM moments$$),
  ('finai._quotient(double precision, double precision, double precision)', $$SELECT q FROM moments$$),
  ('finai.refresh_feature_set(text, boolean)', $$CALL finai.refresh_feature_set('moments')$$),
  ('finai.profile_table(regclass)', $$SELECT finai.profile_table('customer')$$),
  ('finai._require_rows(regclass)', $$SELECT finai._require_rows('customer')$$),
  ('finai._profiled_columns(regclass)', $$SELECT finai._profiled_columns('customer')$$),
  ('finai.woe_table(regclass, text, text, integer)', $$SELECT finai.woe_table('customer', 'duration_in_month', 'number_of_existing_credits_at_this_bank')$$),
  ('finai.fit_transform(text, regclass, jsonb)', $$SELECT finai.fit_transform('other', 'customer', '[{"column": "duration_in_month", "missing": "mean"}]')$$),
  ('finai.transform_table(text, regclass, text)', $$CALL finai.transform_table('fitted', 'customer', 'transformed')$$),
  ('finai.transform_row(text, record)', $$SELECT finai.transform_row('fitted', c) FROM customer c$$),
  ('finai.describe_transform(text)', $$SELECT finai.describe_transform('fitted')$$),
  ('finai._refuse_text(text, text)', $$SELECT finai._refuse_text('a', 'number')$$),
  ('finai.drop_transform(text)', $$SELECT finai.drop_transform('fitted')$$),
  ('finai._version_dependents(text, integer)', $$SELECT finai._version_dependents('own', 1)$$);
-- Guards: of the publisher's table.
CREATE TABLE own_payment (LIKE payment); CREATE TABLE guarded (LIKE payment);
ALTER TABLE own_payment OWNER TO regress_publisher; ALTER TABLE guarded OWNER TO regress_publisher;
GRANT SELECT ON guarded TO regress_auditor, regress_user;
SELECT finai.create_guard('guarded', 'fraud_prob', 0, name => 'own');
INSERT INTO guarded SELECT * FROM payment;
GRANT EXECUTE ON FUNCTION finai.create_guard, finai.alter_guard, finai.drop_guard TO regress_publisher;
GRANT EXECUTE ON FUNCTION finai.resolve_alert, finai.release_alert, finai.delete_alerts TO regress_publisher, regress_auditor;
INSERT INTO call VALUES
  ('finai.create_guard(regclass, text, double precision, text, text, text, text, text[], text, integer, text)', $$SELECT finai.create_guard('own_payment', 'fraud_prob', 0.5)$$),
  ('finai.alter_guard(text, double precision, text, text, integer)', $$SELECT finai.alter_guard('own', threshold => 0.5)$$),
  ('finai.drop_guard(text)', $$SELECT finai.drop_guard('own')$$),
  ('finai.try_guard(regclass, text, double precision, text, text, text)', $$SELECT finai.try_guard('payment', 'fraud_prob', 0.5)$$),
  ('finai.resolve_alert(bigint, text, text)', $$SELECT finai.resolve_alert(1, 'confirmed')$$),
  ('finai.release_alert(bigint)', $$SELECT finai.release_alert(1)$$),
  ('finai.delete_alerts(timestamptz)', $$SELECT finai.delete_alerts('infinity')$$),
  ('finai._check_guard_model(regclass, text, double precision)', $$SELECT finai._check_guard_model('payment', 'fraud_prob', 0.5)$$),
  ('finai._guard_score(text, record)', $$SELECT finai._guard_score('fraud_prob', p) FROM payment p$$),
  ('finai._guard_problem(text)', $$SELECT finai._guard_problem('nothing')$$),
  ('finai._guard_features(regclass, text)', $$SELECT finai._guard_features('payment', 'nothing')$$),
  ('finai._try_guard(regclass, text, double precision, text, text, text)', $$SELECT finai._try_guard('payment', 'fraud_prob', 0.5, NULL, NULL, NULL)$$),
  ('finai._guard_state(text, oid, text, boolean)', $$SELECT finai._guard_state('own', 'guarded'::regclass, 'review', false)$$),
  ('finai._guard_statistics()', $$SELECT finai._guard_statistics()$$),
  ('finai._guard_dependents(text, integer)', $$SELECT finai._guard_dependents('own', NULL)$$),
  ('finai._stray_guards(text[])', $$SELECT finai._stray_guards('{}')$$),
  ('finai._column_type(regclass, text, text)', $$SELECT finai._column_type('payment', 'tx_amount', 'label')$$);
-- Trigger functions cannot be called; a role that may execute one is told so.
INSERT INTO call SELECT p.oid, format('SELECT finai.%I()', p.proname) FROM pg_proc p
WHERE p.pronamespace = 'finai'::regnamespace AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype);

CREATE FUNCTION attempt(tried_by text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', tried_by);
  EXECUTE statement;
  RAISE EXCEPTION SQLSTATE 'UNDO0';
EXCEPTION
  WHEN SQLSTATE 'UNDO0' THEN RETURN 'ok';
  WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE TABLE role (name text, n int);
INSERT INTO role VALUES ('regress_nobody', 1), ('regress_user', 2), ('regress_publisher', 3), ('regress_auditor', 4), ('regress_owner', 5);

-- Functions.
SELECT split_part(m.function::text, '(', 1) AS function, max(attempt(r.name, statement)) FILTER (WHERE n = 1) AS nobody, max(attempt(r.name, statement)) FILTER (WHERE n = 2) AS "user",
       max(attempt(r.name, statement)) FILTER (WHERE n = 3) AS publisher, max(attempt(r.name, statement)) FILTER (WHERE n = 4) AS auditor, max(attempt(r.name, statement)) FILTER (WHERE n = 5) AS owner
FROM (SELECT d.objid::regprocedure AS function FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'finai'
      WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e') m
LEFT JOIN call USING (function) CROSS JOIN role r
GROUP BY m.function ORDER BY m.function::text COLLATE "C";

-- Relations, each way of using them; what TRUNCATE would cascade to comes in an order of its own.
SET client_min_messages = warning;
SELECT c.relname::text, action, max(attempt(r.name, statement)) FILTER (WHERE n = 1) AS nobody, max(attempt(r.name, statement)) FILTER (WHERE n = 2) AS "user",
       max(attempt(r.name, statement)) FILTER (WHERE n = 3) AS publisher, max(attempt(r.name, statement)) FILTER (WHERE n = 4) AS auditor, max(attempt(r.name, statement)) FILTER (WHERE n = 5) AS owner
FROM pg_class c
JOIN LATERAL (VALUES ('select', format('SELECT * FROM finai.%I', relname), 'rvS'), ('insert', format('INSERT INTO finai.%I OVERRIDING SYSTEM VALUE SELECT * FROM finai.%1$I WHERE false', relname), 'r'),
                     ('update', format('UPDATE finai.%I SET %I = DEFAULT WHERE false', relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attname = CASE relname WHEN 'model_blob' THEN 'onnx' ELSE attname END ORDER BY attnum LIMIT 1)), 'r'),
                     ('delete', format('DELETE FROM finai.%I WHERE false', relname), 'r'), ('truncate', format('TRUNCATE finai.%I CASCADE', relname), 'r'),
                     ('nextval', format('SELECT nextval(%L)', 'finai.' || relname), 'S')) t (action, statement, kinds) ON position(c.relkind::text IN kinds) > 0
CROSS JOIN role r
WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind IN ('r', 'v', 'S')
GROUP BY c.relname, action, c.relkind ORDER BY c.relkind, c.relname, action;

-- A role that may write all data writes none of finai's.
CREATE ROLE regress_etl IN ROLE pg_write_all_data, pg_read_all_data;
SELECT c.relname::text, attempt('regress_etl', format('DELETE FROM finai.%I WHERE false', relname)) AS "delete", attempt('regress_etl', format('INSERT INTO finai.%I OVERRIDING SYSTEM VALUE SELECT * FROM finai.%1$I WHERE false', relname)) AS insert
FROM pg_class c WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind = 'r' ORDER BY 1;
DROP ROLE regress_etl;

-- On another's model the publisher is nobody.
SELECT statement, attempt('regress_publisher', replace(statement, '''own''', '''other''')) AS publisher
FROM call WHERE statement LIKE '%''own''%' ORDER BY statement COLLATE "C";
-- Nobody changes the schema or what is in it.
SELECT attempt('regress_publisher', 'CREATE TABLE finai.mine ()') AS "create", attempt('regress_publisher', 'DROP TABLE finai.model') AS "drop",
       attempt('regress_publisher', 'ALTER TABLE finai.model ADD x int') AS "alter", attempt('regress_publisher', 'CREATE TRIGGER t BEFORE INSERT ON finai.model FOR EACH ROW EXECUTE FUNCTION finai._refuse_change()') AS "trigger",
       attempt('regress_publisher', 'ALTER EXTENSION finai UPDATE') AS "update", attempt('regress_publisher', 'DROP EXTENSION finai') AS "drop extension";
DROP OWNED BY regress_nobody, regress_user, regress_publisher, regress_auditor;
DROP ROLE regress_nobody, regress_user, regress_publisher, regress_auditor, regress_owner;

-- Scores of one fixed version: immutable, so that PostgreSQL can store and index them.
\set regression `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
\set tfidf `base64 -w0 engine/tests/fixtures/message_tfidf.onnx`
\set lstm `base64 -w0 engine/tests/fixtures/networks/keras_lstm.onnx`
SELECT finai.register_model('amount', decode(:'regression', 'base64'));
SELECT finai.promote_model('amount', 1);
\set ECHO none
\i demo/credit.sql
\set ECHO all
CREATE TABLE t AS SELECT id, duration_in_month AS duration, installment_rate_in_percentage_of_disposable_income AS rate,
  present_residence_since AS residence, number_of_existing_credits_at_this_bank AS credits,
  number_of_people_being_liable_to_provide_maintenance_for AS liable FROM demo.applications;
\set columns '''{duration_in_month, installment_rate_in_percentage_of_disposable_income, present_residence_since, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for}'''
\set values 'duration, rate, residence, credits, liable'
SELECT provolatile, proparallel, proisstrict, pg_get_function_arguments(oid) FROM pg_proc WHERE proname = 'score_version' ORDER BY oid;

-- Both forms are finai.score of that version, whatever is promoted.
SELECT count(*) FROM t JOIN demo.applications a USING (id)
WHERE finai.score_version('amount', 1, a) <> finai.score('amount@1', a)
   OR finai.score_version('amount', 1, :columns, :values) <> finai.score('amount@1', a);
SELECT count(*) FROM demo.applications a WHERE finai.score_version('credit_score', 1, a) <> finai.default_prob(a);
SELECT finai.register_model('amount', decode(:'regression', 'base64'), missing => '{"duration_in_month": 24}');
SELECT count(*) FROM t WHERE finai.score_version('amount', (id % 2) + 1, :columns, :values) <> finai.score_version('amount', 1, :columns, :values);
-- The names may differ from row to row; extra ones do not matter.
SELECT count(*) FROM (SELECT *, CASE WHEN id % 2 = 0 THEN :columns::text[] || 'extra'::text ELSE 'before'::text || :columns::text[] END AS names FROM t) t
WHERE CASE WHEN id % 2 = 0 THEN finai.score_version('amount', 1, names, :values, 'x'::text) ELSE finai.score_version('amount', 1, names, now(), :values) END
   <> finai.score_version('amount', 1, :columns, :values);
SELECT count(*) FROM (SELECT *, CASE WHEN id % 2 = 0 THEN :columns::text[] ELSE replace(:columns, 'duration_in_month, ', '')::text[] || 'duration_in_month'::text END AS names FROM t OFFSET 0) t
WHERE id % 2 = 0 AND finai.score_version('amount', 1, names, :values) <> finai.score_version('amount', 1, :columns, :values);

-- A NULL value follows the feature's policy; a NULL model, version or columns gives NULL.
SELECT finai.score_version('amount', 2, :columns, NULL, 2, 3, 1, 1) = finai.score_version('amount', 2, :columns, 24, 2, 3, 1, 1) AS null_literal,
       finai.score_version('amount', 2, :columns, NULL::int, 2, 3, 1, 1) = finai.score_version('amount', 2, :columns, 24, 2, 3, 1, 1) AS null_value,
       finai.score_version('amount', 1, :columns, NULL, 2, 3, 1, 1) = finai.score_version('amount', 1, :columns, 'NaN'::float8, 2, 3, 1, 1) AS native;
SELECT finai.score_version(NULL, 1, :columns, 24, 2, 3, 1, 1), finai.score_version('amount', NULL, :columns, 24, 2, 3, 1, 1),
       finai.score_version('amount', 1, NULL, 24, 2, 3, 1, 1), finai.score_version('amount', 1, NULL::t), finai.score_version('amount', NULL, t), finai.score_version(NULL, 1, t)
FROM t WHERE id = 1;
SELECT finai.score_version('fraud_prob', 1, ARRAY['tx_amount'], NULL);

-- Types bind as in rows: domains, toasted and padded texts, enums, numerics, expanded arrays of names.
CREATE DOMAIN months AS int CHECK (value > 0);
CREATE TYPE housing AS ENUM ('own', 'rent', 'for free');
SELECT kind, (SELECT finai.score_version('amount', 1, :columns, v, 2, 3, 1, 1) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1)
              FROM (SELECT 24::numeric AS v) v) AS same FROM (VALUES ('numeric')) AS k (kind);
SELECT finai.score_version('amount', 1, :columns, 24::months, 2::int2, 3::int8, 1::float4, true) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS typed,
       finai.score_version('amount', 1, :columns, date '1970-01-25', timestamptz '1970-01-01 00:00:02+00', 3::float8, 1, 1) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS dates;
\set credit '''{status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income, other_debtors_or_guarantors, present_residence_since, property, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job, number_of_people_being_liable_to_provide_maintenance_for, telephone}'''
CREATE TABLE texts AS SELECT * FROM demo.applications;
ALTER TABLE texts ALTER housing TYPE housing USING housing::housing, ALTER job TYPE char(80);
ALTER TABLE texts ALTER purpose SET STORAGE EXTERNAL;
SELECT count(*) FROM texts a WHERE finai.default_prob(a) <> finai.score_version('credit_score', 1, :credit, status_of_existing_checking_account,
  duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income,
  other_debtors_or_guarantors, present_residence_since, property, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job,
  number_of_people_being_liable_to_provide_maintenance_for, telephone);
-- A text too long to stay in the row.
CREATE TABLE messages (message text);
ALTER TABLE messages ALTER message SET STORAGE EXTERNAL;
INSERT INTO messages SELECT repeat('win a free prize now ', 10000);
SELECT finai.register_model('spam', decode(:'tfidf', 'base64'));
SELECT finai.score_version('spam', 1, '{message}', message) = finai.score_version('spam', 1, m) AS same,
       finai.score_version('spam', 1, '{message}', message) = finai.score_version('spam', 1, '{message}', repeat('win a free prize now ', 10000)) AS in_line
FROM messages m;
CREATE TABLE named (names text[], n int);
INSERT INTO named SELECT :columns::text[] || ARRAY(SELECT md5(i::text) || repeat('x', 3000) FROM generate_series(1, 30) i), 1;
INSERT INTO named SELECT :columns, 2;
SELECT n, finai.score_version('amount', 1, names[1:5], 24, 2, 3, 1, 1) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS same FROM named ORDER BY n;
SELECT finai.score_version('amount', 1, names, 24, 2, 3, 1, 1) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS stored FROM named WHERE n = 2;
DO $$
DECLARE names text[] := '{}'; one float8; total float8 := 0;
BEGIN
  names := names || 'duration_in_month'::text; names := names || 'installment_rate_in_percentage_of_disposable_income'::text;
  names := names || 'present_residence_since'::text; names := names || 'number_of_existing_credits_at_this_bank'::text;
  names := names || 'number_of_people_being_liable_to_provide_maintenance_for'::text;
  FOR i IN 1..50 LOOP
    one := finai.score_version('amount', 1, names, i, 2, 3, 1, 1);
    total := total + one;
  END LOOP;
  IF total IS DISTINCT FROM (SELECT sum(finai.score_version('amount', 1, names, i, 2, 3, 1, 1)) FROM generate_series(1, 50) i) THEN
    RAISE EXCEPTION 'scores differ';
  END IF;
END $$;
SELECT finai.score_version('amount', 1, '[5:9]={duration_in_month,installment_rate_in_percentage_of_disposable_income,present_residence_since,number_of_existing_credits_at_this_bank,number_of_people_being_liable_to_provide_maintenance_for}', 24, 2, 3, 1, 1)
     = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS lower_bound;

-- Bad input, each with its error.
SELECT finai.score_version('amount', 1, :columns, 24, 2, 3, 1);
SELECT finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1, 1);
SELECT finai.score_version('amount', 1, '{}', 24);
SELECT finai.score_version('amount', 1, :columns, VARIADIC ARRAY[24, 2, 3, 1, 1]);
SELECT finai.score_version('amount', 1, :columns, VARIADIC NULL::int[]);
SELECT finai.score_version('amount', 1, '{a,NULL,c}', 24, 2, 3);
SELECT finai.score_version('amount', 1, '{{a,b},{c,d}}', 24, 2, 3, 4);
SELECT finai.score_version('amount', 1, '{a}', 24);
SELECT finai.score_version('amount', 1, '{duration_in_month,duration_in_month}', 24, 25);
SELECT finai.score_version('amount', 1, :columns, 'twenty-four', 2, 3, 1, 1);
SELECT finai.score_version('amount', 1, :columns, '24', 2, 3, 1, 1);
SELECT finai.score_version('amount', 1, :columns, '24'::text, 2, 3, 1, 1);
SELECT finai.score_version('amount', 1, :columns, ARRAY[24], 2, 3, 1, 1);
SELECT finai.score_version('amount', 1, :columns, ROW(24, 25), 2, 3, 1, 1);
SELECT finai.score_version('amount', 1, :columns, t, 2, 3, 1, 1) FROM t WHERE id = 1;
SELECT finai.score_version('amount', 1, :columns);
\set VERBOSITY sqlstate
SELECT finai.score_version('amount', 3, :columns, 24, 2, 3, 1, 1);
SELECT finai.score_version('amount', -1, :columns, 24, 2, 3, 1, 1);
SELECT finai.score_version('nothing', 1, :columns, 24, 2, 3, 1, 1);
SELECT finai.score_version('amount@1', 1, :columns, 24, 2, 3, 1, 1);
SELECT finai.score_version('', 1, t) FROM t;
SELECT finai.score_version('amount', 1, t) FROM t;
SELECT finai.score_version('fraud_prob', 1, ARRAY['tx_amount'], 5);
SELECT count(finai.score_version('amount', 1, (SELECT array_agg('c' || i) FROM generate_series(1, 100000) i), 24)) FROM t;
PREPARE untyped AS SELECT finai.score_version('amount', 1, '{duration_in_month}', $1);
\set VERBOSITY default
-- A function takes at most 100 arguments.
SELECT format('SELECT finai.score_version(%L, 1, %L, %s)', 'amount', :columns::text[] || array_agg('x' || i), '24, 2, 3, 1, 1, ' || string_agg(i::text, ', ')) AS call,
       format('SELECT finai.score_version(%L, 1, %L, %s)', 'amount', :columns::text[] || array_agg('x' || i) || 'y'::text, '24, 2, 3, 1, 1, 0, ' || string_agg(i::text, ', ')) AS longer
FROM generate_series(1, 92) i \gset
:call;
\set VERBOSITY sqlstate
:longer;
\set VERBOSITY default

-- A version that runs as a graph is refused: its last bits may depend on the processor.
SELECT finai.register_model('sequence', decode(:'lstm', 'base64'), features => ARRAY(SELECT 'f' || i FROM generate_series(1, 240) i)) AS version \gset
SELECT name FROM finai.describe_model('sequence', :version) WHERE part = 'program';
SELECT finai.score_version('sequence', :version, ARRAY['f1'], 1.5);
SELECT finai.score_version('sequence', :version, t) FROM t LIMIT 1;

-- What an alias means may change, so PostgreSQL itself refuses to store its score.
CREATE TABLE g (a int, s float8 GENERATED ALWAYS AS (finai.score('amount', ROW(a))) STORED);
CREATE INDEX ON demo.applications ((finai.default_prob(applications)));
CREATE INDEX ON demo.applications (id) WHERE finai.score('credit_score@1', applications) > 0.5;
CREATE INDEX ON demo.applications ((finai.score('credit_score@1', applications)));

-- A generated column, an index on it, an expression index, a partial index, a CHECK, a partition key, a materialized view.
ALTER TABLE t ADD score float8 GENERATED ALWAYS AS (finai.score_version('amount', 1, :columns, :values)) STORED;
SELECT count(*) FROM t JOIN demo.applications a USING (id) WHERE score IS DISTINCT FROM finai.score('amount@1', a);
UPDATE t SET duration = NULL WHERE id = 7;
SELECT count(*) FROM t WHERE score IS DISTINCT FROM finai.score_version('amount', 1, :columns, :values);
CREATE TABLE g (LIKE t INCLUDING GENERATED);
INSERT INTO g (id, :values) SELECT id, :values FROM t;
SELECT count(*) FROM g JOIN t USING (id) WHERE g.score IS DISTINCT FROM t.score;
COPY g (id, duration, rate, residence, credits, liable) FROM stdin;
1001	12	2	3	1	1
\.
SELECT score = finai.score_version('amount', 1, :columns, :values) AS copied FROM g WHERE id = 1001;
CREATE INDEX riskiest ON t (finai.score_version('amount', 2, :columns, :values));
CREATE INDEX dearest ON t (id) WHERE finai.score_version('amount', 1, :columns, :values) > 5000;
ANALYZE t;
SELECT attname, n_distinct <> 0 AS has_statistics FROM pg_stats WHERE tablename = 'riskiest';
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY finai.score_version('amount', 2, :columns, :values) DESC LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE finai.score_version('amount', 1, :columns, :values) > 5000 AND id < 500;
SELECT array(SELECT id FROM t WHERE finai.score_version('amount', 2, :columns, :values) > 5000 ORDER BY id)
     = array(SELECT id FROM t WHERE finai.score_version('amount', 2, :columns, :values) + 0 > 5000 ORDER BY id) AS same;
RESET enable_seqscan;
REINDEX TABLE t;
VACUUM FULL ANALYZE t;
CLUSTER t USING riskiest;
ALTER TABLE g ADD CONSTRAINT plausible CHECK (finai.score_version('amount', 1, :columns, :values) < 100000);
ALTER TABLE g ADD CONSTRAINT narrow CHECK (finai.score_version('amount', 1, :columns, :values) < 5000) NOT VALID;
INSERT INTO g SELECT id, :values FROM t WHERE score > 5000 LIMIT 1;
CREATE TABLE bands (LIKE demo.applications) PARTITION BY RANGE (finai.score_version('amount', 1, ARRAY['duration_in_month',
  'installment_rate_in_percentage_of_disposable_income', 'present_residence_since', 'number_of_existing_credits_at_this_bank',
  'number_of_people_being_liable_to_provide_maintenance_for'], duration_in_month, installment_rate_in_percentage_of_disposable_income,
  present_residence_since, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for));
CREATE TABLE low PARTITION OF bands FOR VALUES FROM (MINVALUE) TO (5000);
CREATE TABLE high PARTITION OF bands FOR VALUES FROM (5000) TO (MAXVALUE);
INSERT INTO bands SELECT * FROM demo.applications;
SELECT (SELECT count(*) FROM high) = (SELECT count(*) FROM demo.applications a WHERE finai.score('amount@1', a) >= 5000) AS routed;
CREATE MATERIALIZED VIEW scores AS SELECT id, finai.score_version('amount', 1, a) AS score FROM demo.applications a;
REFRESH MATERIALIZED VIEW scores;
SELECT count(*) FROM scores JOIN demo.applications a USING (id) WHERE score <> finai.score('amount', a);
CREATE STATISTICS spread ON (finai.score_version('amount', 1, :columns, :values)), (id) FROM t;
ANALYZE t;

-- Parallel workers, also where they build an index.
SET force_parallel_mode = on;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM demo.applications a WHERE finai.score_version('amount', 1, a) > 3000;
SELECT (SELECT count(*) FROM demo.applications a WHERE finai.score_version('amount', 1, a) > 3000) = (SELECT count(*) FROM scores WHERE score > 3000) AS same;
SELECT abs(sum(finai.score_version('amount', 2, :columns, :values)) - (SELECT sum(score) FROM t WHERE id <> 7)) < 1e-6 AS same FROM t WHERE id <> 7;
CREATE INDEX parallel_built ON t (finai.score_version('amount', 1, :columns, :values), id);
RESET force_parallel_mode;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Computed where the rows are: postgres_fdw ships it in WHERE and in aggregates, not in a bare target list.
CREATE EXTENSION postgres_fdw;
\set ECHO none
SELECT format('CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, dbname %L, extensions ''finai'')',
              current_setting('unix_socket_directories'), current_database()) \gexec
\set ECHO all
CREATE USER MAPPING FOR CURRENT_USER SERVER here;
CREATE FOREIGN TABLE remote (id int, duration int, rate int, residence int, credits int, liable int, purpose text) SERVER here OPTIONS (table_name 'sent');
CREATE TABLE sent AS SELECT t.*, a.purpose FROM t JOIN demo.applications a USING (id);
\set more '''{duration_in_month, installment_rate_in_percentage_of_disposable_income, present_residence_since, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for, any}'''
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM remote WHERE finai.score_version('amount', 1, :more, :values, purpose) > 5000;
EXPLAIN (VERBOSE, COSTS OFF) SELECT avg(finai.score_version('amount', 1, :more, :values, purpose)) FROM remote;
EXPLAIN (VERBOSE, COSTS OFF) SELECT finai.score_version('amount', 1, :more, :values, purpose) FROM remote;
SELECT (SELECT count(*) FROM remote WHERE finai.score_version('amount', 1, :more, :values, purpose) > 5000) = (SELECT count(*) FROM t WHERE score > 5000) AS filtered,
       (SELECT abs(avg(finai.score_version('amount', 1, :more, :values, purpose)) - (SELECT avg(score) FROM t)) < 1e-6 FROM remote) AS aggregated;
-- Where no value is a text of the remote table, postgres_fdw cannot tell where the collation of the names comes from, and computes here.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM remote WHERE finai.score_version('amount', 1, :columns, :values) > 5000;

-- Whoever computes a score needs USE, in every statement: inserting, reindexing, analysing as the table's owner.
CREATE ROLE regress_writer;
CREATE ROLE regress_keeper;
GRANT CREATE ON SCHEMA public TO regress_keeper;
CREATE TABLE kept (LIKE t);
INSERT INTO kept SELECT * FROM t LIMIT 20;
ALTER TABLE kept DROP score, ADD score float8 GENERATED ALWAYS AS (finai.score_version('amount', 1, :columns, :values)) STORED;
CREATE INDEX kept_idx ON kept (finai.score_version('amount', 2, :columns, :values));
GRANT SELECT, INSERT ON kept TO regress_writer;
ALTER TABLE kept OWNER TO regress_keeper;
SET ROLE regress_writer;
SELECT count(score) FROM kept;
INSERT INTO kept (id, duration) VALUES (0, 5);
SELECT finai.score_version('amount', 1, :columns, :values) FROM kept LIMIT 1;
RESET ROLE;
SELECT finai.grant_model('amount', 'regress_writer');
SET ROLE regress_writer;
INSERT INTO kept (id, duration) VALUES (0, 5);
PREPARE ins AS INSERT INTO kept (id, duration) VALUES ($1, 5);
EXECUTE ins(1);
RESET ROLE;
SELECT finai.revoke_model('amount', 'regress_writer');
SET ROLE regress_writer;
EXECUTE ins(2);
RESET ROLE;
REINDEX INDEX kept_idx;
ANALYZE kept;
SELECT finai.grant_model('amount', 'regress_keeper');
REINDEX INDEX kept_idx;
ANALYZE kept;
CREATE INDEX CONCURRENTLY kept_concurrent ON kept (finai.score_version('amount', 1, :columns, :values));
-- A materialized view is refreshed as its owner.
CREATE MATERIALIZED VIEW kept_scores AS SELECT id, finai.score_version('amount', 1, :columns, :values) FROM kept;
ALTER MATERIALIZED VIEW kept_scores OWNER TO regress_keeper;
REFRESH MATERIALIZED VIEW kept_scores;
SELECT finai.revoke_model('amount', 'regress_keeper');
REFRESH MATERIALIZED VIEW kept_scores;
VACUUM kept;
VACUUM FULL kept;
SELECT finai.grant_model('amount', 'regress_keeper');
VACUUM FULL kept;

-- What relies on a version is found from PostgreSQL's own catalogues.
CREATE VIEW v AS SELECT finai.score_version('amount', 2, a) FROM demo.applications a;
CREATE VIEW computed AS SELECT finai.score_version(purpose, id, a) FROM demo.applications a;
CREATE FUNCTION parsed(a demo.applications) RETURNS float8 LANGUAGE sql RETURN finai.score_version('credit_score', 1, a);
CREATE TABLE d (a int DEFAULT finai.score_version('amount', 2, '{duration_in_month,installment_rate_in_percentage_of_disposable_income,present_residence_since,number_of_existing_credits_at_this_bank,number_of_people_being_liable_to_provide_maintenance_for}', 1, 2, 3, 4, 5));
CREATE POLICY p ON d USING (finai.score_version('credit_score', 1, '{a}', a) > 0);
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER fires BEFORE UPDATE ON d FOR EACH ROW WHEN (finai.score_version('fraud_prob', 1, '{a}', NEW.a) > 0) EXECUTE FUNCTION fires();
SELECT object, owner::regrole FROM finai._version_dependents('amount', 1);
SELECT object, owner::regrole FROM finai._version_dependents('amount', 2);
SELECT count(*) FROM finai._version_dependents('amount', NULL);
SELECT object, owner::regrole FROM finai._version_dependents('credit_score', 1);
SELECT object, owner::regrole FROM finai._version_dependents('fraud_prob', 1);
SELECT object, owner::regrole FROM finai._version_dependents('amount', 12);
SELECT object, owner::regrole FROM finai._version_dependents('amoun', 1);
DROP VIEW computed;
SELECT object, owner::regrole FROM finai._version_dependents('amount', 12);
SELECT object, owner::regrole FROM finai._version_dependents(NULL, NULL);

-- Who may not use a model keeps nobody from retiring, renaming or dropping it; nor do temporary objects.
SELECT finai.register_model('free', decode(:'regression', 'base64'));
SELECT finai.promote_model('free', 1);
CREATE ROLE regress_stranger;
GRANT CREATE ON SCHEMA public TO regress_stranger;
SET ROLE regress_stranger;
CREATE TABLE strange (x int);
CREATE VIEW hinders AS SELECT finai.score_version('free', 1, '{x}', x) FROM strange;
CREATE VIEW hinders_all AS SELECT finai.score_version(m, 1, '{x}', 1) FROM (VALUES ('x')) t (m);
CREATE TEMP VIEW passing AS SELECT finai.score_version(m, 1, '{x}', 1) FROM (VALUES ('x')) t (m);
CREATE FUNCTION pretends(strange) RETURNS float8 LANGUAGE sql STABLE AS 'SELECT finai.score(''free'', $1)';
ALTER FUNCTION pretends DEPENDS ON EXTENSION finai;
RESET ROLE;
-- A table that it holds locked keeps neither promotions nor DDL waiting.
CREATE EXTENSION dblink;
SELECT dblink_connect('stranger', format('host=%s dbname=%s', current_setting('unix_socket_directories'), current_database()));
SELECT dblink_exec('stranger', 'BEGIN'), dblink_exec('stranger', 'LOCK TABLE public.strange IN ACCESS EXCLUSIVE MODE');
SET statement_timeout = '10s';
SELECT finai.promote_model('free', 1, 'unhindered');
ALTER TABLE d ADD unhindered int;
RESET statement_timeout;
SELECT dblink_exec('stranger', 'COMMIT'), dblink_disconnect('stranger');
SELECT finai.rename_model('free', 'freed');
SELECT finai.rename_model('freed', 'free');
SELECT finai.drop_alias('free', 'champion'), finai.drop_alias('free', 'unhindered');
SELECT finai.retire_model('free', 1);
SELECT finai.drop_model('free');
DROP OWNED BY regress_stranger;
DROP ROLE regress_stranger;

-- So it can be neither retired, nor dropped or renamed with its model; another version can, and is not scored then.
SELECT finai.retire_model('amount', 2);
\set VERBOSITY sqlstate
SELECT finai.drop_model('amount');
SELECT finai.rename_model('amount', 'price');
\set VERBOSITY default
SELECT finai.register_model('amount', decode(:'regression', 'base64'));
SELECT finai.score_version('amount', 3, :columns, 24, 2, 3, 1, 1) = finai.score_version('amount', 1, :columns, 24, 2, 3, 1, 1) AS same;
SELECT finai.retire_model('amount', 3);
SELECT finai.score_version('amount', 3, :columns, 24, 2, 3, 1, 1);
CREATE INDEX ON t (finai.score_version('amount', 3, :columns, :values));

-- Scoring assigns no transaction id.
BEGIN READ ONLY;
SELECT count(finai.score_version('amount', 1, :columns, :values)) FROM t;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_xid;
COMMIT;
-- A dump restores it: finai's rows are loaded before those of schemas that sort after it.
\set path `echo "$("${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}" --bindir):$PATH"`
\setenv PATH :path
CREATE DATABASE regress_score_version_restored;
\! pg_dump -Fc -T remote regress_score_version | pg_restore --exit-on-error -d regress_score_version_restored && echo restored
\c regress_score_version_restored
SELECT count(*), count(score) FROM t WHERE score = finai.score_version('amount', 1, :columns, :values);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY finai.score_version('amount', 2, :columns, :values) LIMIT 3;
SELECT array_agg(object) FROM finai._version_dependents('amount', 2) AS object;
\c regress_score_version
DROP DATABASE regress_score_version_restored;
-- In a schema that sorts before it the model is not there yet.
CREATE SCHEMA early;
CREATE TABLE early.t (LIKE t INCLUDING GENERATED);
INSERT INTO early.t SELECT id, :values FROM t LIMIT 5;
CREATE DATABASE regress_score_version_restored;
\! pg_dump -Fc -T remote regress_score_version | pg_restore -d regress_score_version_restored 2>&1 | grep error:
\c regress_score_version_restored
SELECT count(*) FROM early.t;
\c regress_score_version
DROP DATABASE regress_score_version_restored;
DROP OWNED BY regress_writer, regress_keeper;
DROP ROLE regress_writer, regress_keeper;

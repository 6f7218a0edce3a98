-- Where a call can stand, and what each place makes of it.
\set ECHO none
\i demo/credit.sql
\set ECHO all
SET search_path = demo, public;
\set VERBOSITY default
\set onnx `base64 -w0 models/credit_score.onnx`
CREATE TABLE file AS SELECT decode(:'onnx', 'base64') AS onnx;
CREATE TABLE a (LIKE applications);
INSERT INTO a SELECT * FROM applications WHERE id <= 20;
CREATE TABLE truth AS SELECT id, finai.default_prob(a) AS p FROM a;

-- What is stored cannot follow an alias: generated columns, indexes, their predicates, partition keys.
CREATE TABLE generated (amount int, p float8 GENERATED ALWAYS AS (finai.fraud_prob(ROW(amount))) STORED);
CREATE INDEX ON a (finai.default_prob(a));
CREATE INDEX ON a (id) WHERE finai.default_prob(a) > 0.5;
CREATE TABLE parted (amount int) PARTITION BY RANGE (finai.fraud_prob(ROW(amount)));
CREATE STATISTICS s ON (finai.default_prob(a)), id FROM a;

-- A CHECK and a DEFAULT are evaluated when rows are written.
\set VERBOSITY sqlstate
CREATE TABLE checked (LIKE a);
ALTER TABLE checked ADD CONSTRAINT risk CHECK (finai.default_prob(checked) < 0.5);
INSERT INTO checked SELECT a.* FROM a JOIN truth USING (id) WHERE p < 0.5;
INSERT INTO checked SELECT a.* FROM a JOIN truth USING (id) WHERE p >= 0.5;
SELECT (SELECT count(*) FROM checked) = (SELECT count(*) FROM truth WHERE p < 0.5) AS safe_ones;
CREATE FUNCTION one() RETURNS float8 LANGUAGE sql AS 'SELECT finai.default_prob(a) FROM demo.a WHERE id = 1';
CREATE TABLE defaulted (x int, p float8 DEFAULT demo.one());
INSERT INTO defaulted VALUES (1);
SELECT p = (SELECT p FROM truth WHERE id = 1) AS same FROM defaulted;

-- Triggers, before and after a row, with COPY, ON CONFLICT and RETURNING.
CREATE TABLE scored (LIKE a, PRIMARY KEY (id));
ALTER TABLE scored ADD p float8;
CREATE FUNCTION score_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.p := finai.default_prob(NEW); RETURN NEW; END $$;
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON scored FOR EACH ROW EXECUTE FUNCTION score_row();
INSERT INTO scored SELECT * FROM a WHERE id <= 10;
\copy (SELECT * FROM demo.a WHERE id > 10) TO 'tests/pg_regress/results/context.copy'
ALTER TABLE scored RENAME TO scored_table;
CREATE VIEW scored AS SELECT id, status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income, personal_status_and_sex, other_debtors_or_guarantors, present_residence_since, property, age_in_years, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job, number_of_people_being_liable_to_provide_maintenance_for, telephone, foreign_worker, creditability FROM scored_table;
\copy demo.scored_table (id, status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income, personal_status_and_sex, other_debtors_or_guarantors, present_residence_since, property, age_in_years, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job, number_of_people_being_liable_to_provide_maintenance_for, telephone, foreign_worker, creditability) FROM 'tests/pg_regress/results/context.copy'
SELECT count(*), bool_and(s.p = t.p) AS same FROM scored_table s JOIN truth t USING (id);
INSERT INTO scored SELECT * FROM a WHERE id = 1 ON CONFLICT (id) DO UPDATE SET credit_amount = 2 * excluded.credit_amount
RETURNING finai.default_prob(scored) > 0 AS returned;
SELECT s.p <> t.p AS rescored FROM scored_table s JOIN truth t USING (id) WHERE id = 1;
UPDATE scored_table SET credit_amount = credit_amount / 2 WHERE id = 1 RETURNING p = (SELECT p FROM truth WHERE id = 1) AS same;
DELETE FROM scored_table WHERE id = 2 RETURNING finai.default_prob(scored_table) = p AS same;
MERGE INTO scored_table s USING a ON a.id = s.id WHEN NOT MATCHED AND finai.default_prob(a) < 2 THEN
  INSERT (id, status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income, other_debtors_or_guarantors, present_residence_since, property, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job, number_of_people_being_liable_to_provide_maintenance_for, telephone)
  VALUES (a.id, a.status_of_existing_checking_account, a.duration_in_month, a.credit_history, a.purpose, a.credit_amount, a.savings_account_and_bonds, a.present_employment_since, a.installment_rate_in_percentage_of_disposable_income, a.other_debtors_or_guarantors, a.present_residence_since, a.property, a.other_installment_plans, a.housing, a.number_of_existing_credits_at_this_bank, a.job, a.number_of_people_being_liable_to_provide_maintenance_for, a.telephone);
SELECT count(*) FROM scored_table;

-- Views, materialized views, subqueries, aggregates, windows, grouping, sorting, laterals, CTEs.
CREATE VIEW risks AS SELECT id, finai.default_prob(a) AS p FROM a;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM risks;
REFRESH MATERIALIZED VIEW stored;
SELECT bool_and(r.p = t.p AND s.p = t.p) AS same FROM risks r JOIN stored s USING (id) JOIN truth t USING (id);
SELECT bool_and(p = (SELECT max(finai.default_prob(a)) FROM a WHERE a.id = t.id)) AS correlated FROM truth t;
WITH q AS MATERIALIZED (SELECT * FROM a) SELECT count(*) FROM q WHERE finai.default_prob(q) > 0;
SELECT count(*) FROM truth t, LATERAL (SELECT finai.default_prob(a) AS p FROM a WHERE a.id = t.id) l WHERE l.p = t.p;
SELECT count(*) FROM (SELECT rank() OVER (ORDER BY finai.default_prob(a)) FROM a) r;
SELECT count(*) FROM (SELECT finai.default_prob(a) > 0.5 FROM a GROUP BY 1) g;
SELECT finai.default_prob(NULL::a) IS NULL AS null_row, finai.default_prob(l) IS NULL AS outer_join FROM (VALUES (-1)) v (x) LEFT JOIN a l ON l.id = x;

-- Row-level security: only rows that pass the policy are scored, and a policy can score.
CREATE ROLE regress_clerk;
GRANT USAGE ON SCHEMA demo TO regress_clerk;
GRANT SELECT ON a, truth TO regress_clerk;
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON a TO regress_clerk USING (id <= 3);
SET ROLE regress_clerk;
SELECT count(*), count(finai.default_prob(a)) FROM a;
RESET ROLE;
CREATE POLICY risky ON a AS RESTRICTIVE TO regress_clerk USING (finai.default_prob(a) < (SELECT p FROM demo.truth WHERE truth.id = 2));
SET ROLE regress_clerk;
SELECT count(*) FROM a;
RESET ROLE;
SELECT count(*) FROM truth WHERE id <= 3 AND p < (SELECT p FROM truth WHERE id = 2);
SET ROLE none;
SELECT count(finai.default_prob(a)) FROM a;
DROP POLICY few ON a; DROP POLICY risky ON a;
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON SCHEMA demo FROM regress_clerk; REVOKE ALL ON a, truth FROM regress_clerk;
DROP ROLE regress_clerk;

-- Cursors, forwards and backwards, held past the transaction; DO; prepared statements; EXECUTE ... INTO.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT t.p = finai.default_prob(a) AS same FROM a JOIN truth t USING (id) ORDER BY id;
FETCH FORWARD 2 FROM c;
FETCH BACKWARD 1 FROM c;
DECLARE h CURSOR WITH HOLD FOR SELECT count(*) FROM a WHERE finai.default_prob(a) > 0;
COMMIT;
FETCH h;
CLOSE h;
DO $$ DECLARE r record; n int := 0; BEGIN FOR r IN SELECT finai.default_prob(a) AS p FROM demo.a LOOP n := n + 1; END LOOP; RAISE INFO '%', n; END $$;
PREPARE one_row (int) AS SELECT finai.default_prob(a) = (SELECT p FROM truth WHERE truth.id = $1) AS same FROM a WHERE a.id = $1;
EXECUTE one_row (1); EXECUTE one_row (2); EXECUTE one_row (3); EXECUTE one_row (4); EXECUTE one_row (5); EXECUTE one_row (6); EXECUTE one_row (7);
-- Recursion, and a function that scores inside a scoring query.
CREATE FUNCTION nested(x int) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT finai.default_prob(a) FROM demo.a WHERE a.id = x); END $$;
SELECT bool_and(finai.default_prob(a) = nested(a.id)) AS same FROM a;
-- A scored value as another call's argument.
SELECT count(finai.default_prob(x)) FROM (SELECT a.id, a.purpose, a.housing, a.job, a.telephone, a.property, a.credit_history, a.status_of_existing_checking_account, a.savings_account_and_bonds, a.present_employment_since, a.other_debtors_or_guarantors, a.other_installment_plans,
  finai.default_prob(a) AS duration_in_month, a.credit_amount, a.installment_rate_in_percentage_of_disposable_income, a.present_residence_since, a.number_of_existing_credits_at_this_bank, a.number_of_people_being_liable_to_provide_maintenance_for FROM a) x;

-- Scarce resources.
SET work_mem = '64kB';
SELECT count(*) FROM (SELECT finai.default_prob(x) AS p FROM applications x ORDER BY p) s;
RESET work_mem;
SET max_stack_depth = '100kB';
SELECT count(finai.default_prob(a)) FROM a;
SELECT finai.register_model('shallow', onnx, notes => 'registered with a small stack') FROM file;
RESET max_stack_depth;

-- Parallel workers.
SET force_parallel_mode = on;
SELECT count(*) FROM a JOIN truth t USING (id) WHERE finai.default_prob(a) = t.p;
RESET force_parallel_mode;

-- Maintenance of finai's own tables.
SELECT finai.promote_model('shallow', 1);
VACUUM FULL finai.model, finai.model_blob, finai.model_version, finai.model_alias, finai.model_grant, finai.model_status, finai.model_event;
REINDEX SCHEMA finai;
CLUSTER finai.model_version USING model_version_pkey;
ANALYZE;
SELECT count(finai.score('shallow', a)) FROM a;
\c
SET search_path = demo, public;
SELECT count(finai.score('shallow', a)) FROM a;

-- Cancelled in the middle of a statement, the next one works.
SET statement_timeout = '50ms';
SELECT count(finai.score('shallow', x)) FROM applications x, generate_series(1, 100000);
RESET statement_timeout;
SELECT count(finai.score('shallow', a)) FROM a;
-- Temporary tables, unlogged tables, foreign keys to scored tables, inheritance.
CREATE TEMP TABLE t AS SELECT * FROM a;
SELECT bool_and(finai.default_prob(t) = truth.p) AS same FROM t JOIN truth USING (id);
CREATE TABLE child (extra text) INHERITS (a);
INSERT INTO child SELECT t.*, 'x' FROM t;
SELECT count(*), count(DISTINCT finai.default_prob(a)) = count(DISTINCT p) AS same FROM a JOIN truth USING (id);

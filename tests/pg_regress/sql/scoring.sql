-- Scoring rows: what may be passed, how it binds, what comes back.
\set ECHO none
\i demo/credit.sql
\set ECHO all
SET search_path = demo, public;
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
\set regression `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
SELECT finai.register_model('housing', decode(:'multi', 'base64'));
SELECT finai.register_model('amount', decode(:'regression', 'base64'));
SELECT finai.promote_model('housing', 1), finai.promote_model('amount', 1);

-- A table's whole row, a view's, a subquery's, a composite's: by name, whatever the order, extra columns ignored.
CREATE TEMP TABLE reference AS SELECT id, finai.default_prob(a) AS p FROM applications a;
SELECT count(*), min(p) > 0 AS above_zero, max(p) < 1 AS below_one FROM reference;
CREATE VIEW shuffled AS SELECT telephone, job, 'extra' AS note, a.*, id + 1 AS next
FROM (SELECT id, status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds,
             present_employment_since, installment_rate_in_percentage_of_disposable_income, other_debtors_or_guarantors, present_residence_since,
             property, other_installment_plans, housing, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for
      FROM applications) a JOIN (SELECT id AS key, telephone, job FROM applications) b ON b.key = a.id;
SELECT count(*) FROM shuffled s JOIN reference r USING (id) WHERE finai.default_prob(s) <> r.p;
SELECT count(*) FROM (SELECT * FROM applications OFFSET 0) s JOIN reference r USING (id) WHERE finai.default_prob(s) <> r.p;
CREATE TYPE applicant AS (credit_history text, duration_in_month numeric, credit_amount real, purpose varchar(40), housing text, job text,
  status_of_existing_checking_account text, savings_account_and_bonds text, present_employment_since text, other_debtors_or_guarantors text,
  property text, other_installment_plans text, telephone text, installment_rate_in_percentage_of_disposable_income smallint,
  present_residence_since bigint, number_of_existing_credits_at_this_bank double precision, number_of_people_being_liable_to_provide_maintenance_for int);
SELECT count(*) FROM applications a JOIN reference r USING (id)
WHERE finai.default_prob(ROW(credit_history, duration_in_month, credit_amount, purpose, housing, job, status_of_existing_checking_account,
  savings_account_and_bonds, present_employment_since, other_debtors_or_guarantors, property, other_installment_plans, telephone,
  installment_rate_in_percentage_of_disposable_income, present_residence_since, number_of_existing_credits_at_this_bank,
  number_of_people_being_liable_to_provide_maintenance_for)::applicant) <> r.p;

-- Points are the probability on another scale, and every way to ask agrees.
SELECT count(*) FROM applications a
WHERE abs(finai.credit_score(a) - (600 + 20 / ln(2) * (ln((1 - finai.default_prob(a)) / finai.default_prob(a)) - ln(50)))) > 1e-9
   OR finai.score('credit_score', a) <> finai.default_prob(a)
   OR finai.score('credit_score@1', a) <> finai.default_prob(a)
   OR finai.score('credit_score@champion', a) <> finai.default_prob(a)
   OR (finai.predict('credit_score', a)).score <> finai.default_prob(a)
   OR (finai.predict('credit_score', a)).label <> finai.classify('credit_score', a)
   OR (finai.probabilities('credit_score', a) ->> 'bad')::float8 <> finai.default_prob(a);
SELECT (finai.predict('credit_score', a)).label, (finai.predict('credit_score', a)).model, (finai.predict('credit_score', a)).version
FROM applications a WHERE id = 1;

-- Several classes: labels and probabilities, no single score unless one is named.
SELECT finai.classify('housing', a) AS label, count(*) FROM applications a GROUP BY 1 ORDER BY 1;
SELECT bool_and(abs((SELECT sum(value::float8) FROM jsonb_each_text(finai.probabilities('housing', a))) - 1) < 1e-5) FROM applications a;
SELECT (finai.predict('housing', a)).score, (finai.predict('housing', a)).version FROM applications a WHERE id = 1;
SELECT finai.register_model('housing', decode(:'multi', 'base64'), output => 'rent');
SELECT count(*) FROM applications a WHERE finai.score('housing@2', a) <> (finai.probabilities('housing', a) ->> 'rent')::float8;

-- A regression has a value, no label.
SELECT round(corr(finai.score('amount', a), credit_amount)::numeric, 1) > 0.5 AS learned, count((finai.predict('amount', a)).label) AS labels FROM applications a;

-- NULL rows, NULL columns, missing policies.
SELECT finai.default_prob(NULL::applications), finai.classify('credit_score', NULL::applications);
SELECT finai.score('credit_score', a) FROM (SELECT 1) one LEFT JOIN applications a ON a.id = -1;
SELECT finai.score(NULL, a) FROM applications a WHERE id = 1;
SELECT finai.register_model('amount', decode(:'regression', 'base64'), missing => '{"duration_in_month": 24}');
SELECT (SELECT finai.score('amount@2', a) FROM (SELECT id, NULL::int AS duration_in_month, installment_rate_in_percentage_of_disposable_income,
          present_residence_since, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for, credit_amount
        FROM applications WHERE id = 7) a)
     = (SELECT finai.score('amount@2', a) FROM (SELECT id, 24 AS duration_in_month, installment_rate_in_percentage_of_disposable_income,
          present_residence_since, number_of_existing_credits_at_this_bank, number_of_people_being_liable_to_provide_maintenance_for, credit_amount
        FROM applications WHERE id = 7) a) AS null_counts_as_24;

-- The row type may change between statements, prepared or not.
CREATE TABLE live AS SELECT * FROM applications LIMIT 20;
PREPARE scores AS SELECT sum(finai.default_prob(l)) = sum(r.p) AS same FROM live l JOIN reference r USING (id);
EXECUTE scores; EXECUTE scores; EXECUTE scores; EXECUTE scores; EXECUTE scores; EXECUTE scores; EXECUTE scores;
ALTER TABLE live DROP COLUMN foreign_worker;
EXECUTE scores;
ALTER TABLE live ADD COLUMN added int DEFAULT 5;
ALTER TABLE live ALTER COLUMN credit_amount TYPE numeric;
EXECUTE scores;
CREATE FUNCTION first_score() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE l live%ROWTYPE; s float8;
BEGIN
  SELECT * INTO l FROM live ORDER BY id LIMIT 1;
  s := finai.default_prob(l);
  RETURN s;
END $$;
SELECT first_score() = p FROM reference WHERE id = 1;
ALTER TABLE live DROP COLUMN personal_status_and_sex;
SELECT first_score() = p FROM reference WHERE id = 1;
ALTER TABLE live RENAME COLUMN purpose TO reason;
SELECT first_score();
ALTER TABLE live RENAME COLUMN reason TO purpose;
SELECT first_score() = p FROM reference WHERE id = 1;

-- A trigger scores what is inserted; a promotion is seen by the next statement.
CREATE TABLE scored (LIKE applications, p float8);
CREATE FUNCTION score_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.p := finai.default_prob(NEW); RETURN NEW; END $$;
CREATE TRIGGER score_new BEFORE INSERT ON scored FOR EACH ROW EXECUTE FUNCTION score_new();
INSERT INTO scored SELECT * FROM applications;
SELECT count(*) FROM scored s JOIN reference r USING (id) WHERE s.p <> r.p;
BEGIN;
SELECT finai.promote_model('housing', 2);
SELECT count(DISTINCT (finai.predict('housing', a)).version), min((finai.predict('housing', a)).version) FROM applications a;
ROLLBACK;
SELECT count(DISTINCT (finai.predict('housing', a)).version), min((finai.predict('housing', a)).version) FROM applications a;

-- Typed functions of one's own are inlined, so the planner sees through them.
SELECT finai.create_scoring_function('risk', 'credit_score', 'applications');
SELECT finai.create_scoring_function('public.risk_label', 'credit_score', 'demo.applications', output => 'label');
SELECT count(*) FROM applications a JOIN reference r USING (id) WHERE risk(a) <> r.p;
SELECT risk_label(a), count(*) FROM applications a GROUP BY 1 ORDER BY 1;
EXPLAIN (VERBOSE, COSTS OFF) SELECT risk(a) FROM applications a;
SELECT risk(NULL);

-- Scoring assigns no transaction id, works in a read-only transaction and in parallel workers.
BEGIN READ ONLY;
SELECT count(finai.default_prob(a)) FROM applications a;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_xid;
COMMIT;
SET force_parallel_mode = on;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT sum(finai.default_prob(a)) FROM applications a;
SELECT abs(sum(finai.default_prob(a)) - (SELECT sum(p) FROM reference)) < 1e-9 FROM applications a;
SELECT count(*) FROM applications a JOIN reference r USING (id) WHERE risk(a) <> r.p;

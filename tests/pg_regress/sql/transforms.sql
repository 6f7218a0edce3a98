-- Weight of Evidence, transforms.
\pset null '∅'
\set ECHO none
\i demo/credit.sql
\set ECHO all
CREATE VIEW credit AS SELECT *, creditability = 'bad' AS bad FROM demo.applications;
-- German credit, as published: information values and the four bins of the checking account.
SELECT c AS column_name, round(max(w.total_iv)::numeric, 7) AS total_iv, max(w.smoothed) AS smoothed
FROM unnest(ARRAY['status_of_existing_checking_account', 'credit_history', 'savings_account_and_bonds', 'purpose', 'property', 'foreign_worker']) c,
     finai.woe_table('credit', c, 'bad') w GROUP BY c ORDER BY 2 DESC;
SELECT bin, lower, upper, category, rows, good, bad, bad_rate, round(woe::numeric, 6) AS woe, round(iv::numeric, 7) AS iv, smoothed
FROM finai.woe_table('credit', 'status_of_existing_checking_account', 'bad');
-- Quantile bins; every row is in one; the label may be a number.
CREATE VIEW numbered AS SELECT *, bad::int AS one, CASE WHEN bad THEN 1.0::numeric ELSE 0 END AS exact, CASE WHEN id % 7 > 0 THEN bad END AS partly FROM credit;
SELECT bin, lower, upper, rows, bad, round(woe::numeric, 6) AS woe FROM finai.woe_table('numbered', 'credit_amount', 'one', bins => 4);
SELECT count(*) AS bins, sum(rows) AS rows, sum(bad) AS bad FROM finai.woe_table('numbered', 'duration_in_month', 'exact');
SELECT sum(rows) FROM finai.woe_table('numbered', 'age_in_years', 'partly');
-- By hand: 4 goods and 2 bads. x: 2 goods, no bad; y: 1 good, 1 bad; missing: 1 and 1. ln(0.5 / 0.0001), ln(0.25 / 0.5).
CREATE TABLE small (kind text, amount double precision, flag boolean, bad boolean);
INSERT INTO small VALUES ('x', 1, true, false), ('x', 2, true, false), ('y', 2, false, false), ('y', 3, false, true), (NULL, 'NaN', NULL, false), (NULL, NULL, NULL, true), ('z', 9, true, NULL);
SELECT bin, category, rows, good, bad, bad_rate, woe, iv, total_iv, smoothed FROM finai.woe_table('small', 'kind', 'bad');
SELECT ln(0.5::float8 / 0.0001::float8) AS x, ln(0.5::float8) AS y;
-- One bin a value where there are no more values than bins; NaN is missing; infinite values lie in the outer bins.
SELECT bin, lower, upper, category, rows, good, bad FROM finai.woe_table('small', 'amount', 'bad');
INSERT INTO small VALUES ('y', 'Infinity', false, true), ('y', '-Infinity', false, true);
SELECT bin, lower, upper, rows, good, bad FROM finai.woe_table('small', 'amount', 'bad', 2);
SELECT bin, category, rows FROM finai.woe_table('small', 'flag', 'bad');
-- Ties: one value is nine tenths of the column.
CREATE TABLE tied AS SELECT CASE WHEN i <= 90 THEN 7 ELSE i END AS v, i % 3 = 0 AS bad FROM generate_series(1, 100) i;
SELECT bin, lower, upper, rows, good, bad, smoothed FROM finai.woe_table('tied', 'v', 'bad', 5);
UPDATE tied SET v = CASE WHEN v = 7 THEN 95 ELSE v END;
SELECT bin, lower, upper, rows FROM finai.woe_table('tied', 'v', 'bad', 4);
-- No bads, no rows, no value.
CREATE TABLE good (v integer, w integer, bad boolean);
SELECT * FROM finai.woe_table('good', 'v', 'bad');
INSERT INTO good VALUES (1, NULL, false), (2, NULL, false);
SELECT bin, lower, upper, rows, bad_rate, woe, iv, total_iv, smoothed FROM finai.woe_table('good', 'v', 'bad');
INSERT INTO good VALUES (1, NULL, true);
SELECT bin, lower, upper, rows, woe, iv, total_iv, smoothed FROM finai.woe_table('good', 'w', 'bad');
-- Bad input.
SELECT finai.woe_table('credit', 'purpose', 'creditability');
SELECT finai.woe_table('credit', 'purpose', 'age_in_years');
SELECT finai.woe_table('credit', 'purposes', 'bad');
SELECT finai.woe_table('credit', 'purpose', 'Bad');
SELECT finai.woe_table('credit', 'credit_amount', 'bad', 1);
SELECT finai.woe_table('credit', 'credit_amount', 'bad', NULL);
SELECT finai.woe_table('credit', NULL, 'bad');
SELECT finai.woe_table(NULL, 'purpose', 'bad');
SELECT finai.woe_table(4294967295::oid, 'purpose', 'bad');
SELECT finai.woe_table('finai.transform_pkey', 'name', 'version');
SELECT finai.woe_table('finai.transform', 'fitted_at', 'version');
CREATE ROLE regress_stranger;
SET ROLE regress_stranger;
SELECT finai.woe_table('credit', 'purpose', 'bad');
RESET ROLE;
DROP ROLE regress_stranger;

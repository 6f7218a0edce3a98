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

-- Transforms. Figures that can be checked by hand: 1, 2, 3, 4, 10 and a gap; mean 4, median 3, quartiles 2 and 4, deviation sqrt(10).
CREATE TABLE reading (id integer, x double precision, k text, note text);
INSERT INTO reading VALUES (1, 1, 'a', 'one'), (2, 2, 'b', 'two'), (3, 3, 'a', NULL), (4, 4, 'c', 'four'), (5, 10, 'a', 'five'), (6, NULL, NULL, 'six');
CREATE PROCEDURE try(rules jsonb) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM finai.fit_transform('try', 'reading', rules);
  DROP TABLE IF EXISTS tried;
  CALL finai.transform_table('try', 'reading', 'tried');
END $$;
SET client_min_messages = warning;
CALL try('[{"column": "x", "missing": "mean"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "missing": "median", "indicator": true}]'); SELECT id, x, x_missing FROM tried ORDER BY id;
CALL try('[{"column": "k", "missing": "mode"}]'); SELECT id, k FROM tried ORDER BY id;
CALL try('[{"column": "k", "missing": "constant", "value": "none"}, {"column": "x", "missing": "constant", "value": -1.5}]'); SELECT id, x, k FROM tried ORDER BY id;
CALL try('[{"columns": ["k", "x"], "missing": "drop"}]'); SELECT id FROM tried ORDER BY id;
CALL try('[{"column": "x", "outliers": "winsorise", "lower": 0.25, "upper": 0.75}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "outliers": "winsorise"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "outliers": "iqr"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "outliers": "iqr", "factor": 0.5}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "outliers": "drop"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "scaling": "standard"}]'); SELECT id, x, (ARRAY[1, 2, 3, 4, 10])[id]::float8 AS raw FROM tried ORDER BY id;
SELECT (1 - 4) / sqrt(10::float8) AS first, (10 - 4) / sqrt(10::float8) AS last;
CALL try('[{"column": "x", "scaling": "min_max"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "x", "scaling": "robust"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "k", "encoding": "one_hot"}]'); SELECT * FROM tried ORDER BY id;
CALL try('[{"column": "k", "encoding": "one_hot", "indicator": true, "categories": ["c", "B", "b"]}]'); SELECT * FROM tried ORDER BY id;
CALL try('[{"column": "k", "encoding": "ordinal"}]'); SELECT id, k FROM tried ORDER BY id;
CALL try('[{"column": "k", "encoding": "ordinal", "categories": ["c", "a"]}]'); SELECT id, k FROM tried ORDER BY id;
CALL try('[{"column": "k", "encoding": "ordinal", "categories": ["c"], "unseen": null}]'); SELECT id, k FROM tried ORDER BY id;
CALL try('[{"duplicates": ["k"], "order": ["id desc"]}]'); SELECT id, k FROM tried ORDER BY id;
CALL try('[{"duplicates": ["k"], "order": "x"}]'); SELECT id, k FROM tried ORDER BY id;
-- Each step is fitted on what the ones before it give: the mean of 1, 2, 3, 4, 4 is 2.8, not 4; the gap is not scaled with it.
CALL try('[{"column": "x", "outliers": "winsorise", "lower": 0, "upper": 0.75}, {"column": "x", "missing": "mean"}]'); SELECT id, x FROM tried ORDER BY id;
CALL try('[{"column": "id", "outliers": "drop", "factor": 0}, {"column": "x", "missing": "mean", "scaling": "min_max"}]'); SELECT id, x FROM tried ORDER BY id;
SELECT * FROM finai.describe_transform('try');
-- Versions: each fit is one more; older ones stay as they are.
SELECT version, owner, relation, jsonb_array_length(rules) AS rules FROM finai.transform WHERE name = 'try' ORDER BY version DESC LIMIT 2;
SELECT fitted FROM finai.transform WHERE name = 'try' AND version = 1;
UPDATE finai.transform SET fitted = '[]';

-- All at once, on a table of every type: the table and the rows agree to the last bit.
CREATE TYPE channel AS ENUM ('web', 'pos', 'atm');
CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE > -1000);
CREATE TABLE payment (id bigint, amount amount, fee real, balance double precision, pieces smallint, card text, code char(3), channel channel, online boolean, day date, at timestamptz, noted timestamp,
  risk text, "Shop ""Name""" varchar(20), fraud boolean, extra json, tags text[], place point, gap interval, raw bytea, ref uuid);
INSERT INTO payment SELECT i, CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 7919 % 10007) / 7.0 END, CASE i % 13 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL ELSE i / 3.0 END, CASE i % 100 WHEN 0 THEN 'Infinity' WHEN 1 THEN '-Infinity' WHEN 2 THEN 'NaN' ELSE sin(i) * 1e6 END,
  i % 5, 'card ' || i % 17, 'k' || i % 2, (enum_range(NULL::channel))[1 + i % 3], i % 2 = 0, '2024-01-01'::date + i % 300, '2024-03-30 23:00+00'::timestamptz + i * interval '7 minutes', '2024-01-01'::timestamp + i * interval '1.234567 s',
  CASE WHEN i % 9 = 0 THEN 'n/a' ELSE (i % 50 / 10.0)::text END, CASE WHEN i % 4 > 0 THEN 'Shop ' || i % 4 END, i % 29 = 0 OR i % 17 = 3, '{"a" : 1}', ARRAY['x', NULL, '"'], point(i, 0.1), i * interval '1 day 3 s', decode('00ff', 'hex'), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
FROM generate_series(1, 3000) i;
SELECT finai.fit_transform('prepare', 'payment', '[
  {"column": "risk", "type": "number", "invalid": "missing", "missing": "median", "indicator": true},
  {"columns": ["amount", "fee"], "missing": "mean", "outliers": "winsorise", "scaling": "standard"},
  {"column": "balance", "outliers": "iqr", "factor": 1, "scaling": "robust"},
  {"column": "pieces", "scaling": "min_max"},
  {"column": "card", "encoding": "woe", "label": "fraud"},
  {"column": "id", "encoding": "woe", "label": "fraud", "bins": 5},
  {"columns": ["channel", "Shop \"Name\""], "encoding": "one_hot", "indicator": true},
  {"column": "code", "encoding": "ordinal"}, {"column": "online", "type": "number"},
  {"column": "at", "type": "date"}, {"column": "day", "type": "number"}, {"column": "noted", "type": "integer"}]');
CALL finai.transform_table('prepare', 'payment', 'prepared');
\d prepared
SELECT column_name, missing, distinct_values AS distinct, mean, stddev, histogram FROM finai.profile_table('prepared') WHERE column_name IN ('amount', 'fee', 'balance', 'pieces', 'card', 'risk', 'code', 'day');
SELECT count(*) AS rows, count(DISTINCT t) AS different FROM (SELECT to_jsonb(p) AS t FROM prepared p) t;
CREATE FUNCTION disagreeing(transform text, source text, target text) RETURNS TABLE (only_in_table bigint, only_of_rows bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('WITH t AS (SELECT to_jsonb(r)::text FROM %I r), o AS (SELECT finai.transform_row(%L, r)::text FROM %I r WHERE finai.transform_row(%2$L, r) IS NOT NULL) SELECT (SELECT count(*) FROM (TABLE t EXCEPT ALL TABLE o) d), (SELECT count(*) FROM (TABLE o EXCEPT ALL TABLE t) d)', target, transform, source);
END $$;
SELECT * FROM disagreeing('prepare', 'payment', 'prepared');
-- The same whatever the session's settings.
CREATE TABLE before AS SELECT p.id, finai.transform_row('prepare', p)::text AS row FROM payment p;
SET extra_float_digits = -15; SET datestyle = 'SQL, DMY'; SET search_path = public, pg_catalog;
CREATE FUNCTION public.abs(double precision) RETURNS double precision LANGUAGE sql AS 'SELECT -1.0::float8';
CREATE FUNCTION public.wrong(double precision, double precision) RETURNS double precision LANGUAGE sql AS 'SELECT 0::float8';
CREATE OPERATOR public.- (LEFTARG = double precision, RIGHTARG = double precision, FUNCTION = public.wrong);
SELECT count(*) FROM payment p JOIN before b USING (id) WHERE finai.transform_row('prepare', p)::text <> b.row;
SELECT finai.fit_transform('prepare', 'payment', rules) FROM finai.transform WHERE name = 'prepare';
SELECT count(DISTINCT fitted) FROM finai.transform WHERE name = 'prepare';
RESET ALL;
\pset null '∅'
DROP OPERATOR public.- (double precision, double precision); DROP FUNCTION public.wrong, public.abs(double precision);
-- Rows that a rule drops are NULL one by one; duplicates are only a table's.
SELECT finai.fit_transform('select_rows', 'payment', '[{"column": "amount", "missing": "drop", "outliers": "drop"}, {"column": "balance", "missing": "drop", "scaling": "standard"}]');
CALL finai.transform_table('select_rows', 'payment', 'selected');
SELECT (SELECT count(*) FROM selected) AS kept, count(*) FILTER (WHERE finai.transform_row('select_rows', p) IS NULL) AS left_out FROM payment p;
SELECT * FROM disagreeing('select_rows', 'payment', 'selected');
SELECT finai.fit_transform('one_of_each', 'payment', '[{"duplicates": ["card", "online"], "order": ["at desc"]}, {"column": "amount", "scaling": "min_max"}]');
CALL finai.transform_table('one_of_each', 'payment', 'one_of_each');
SELECT count(*), min(id), max(id) FROM one_of_each;
SELECT finai.transform_row('one_of_each', p) ->> 'card' AS card FROM payment p WHERE id < 3;
CREATE TABLE twice (a integer, j json, p point, f double precision); INSERT INTO twice VALUES (1, '{}', '(1,2)', 'NaN'), (1, '{}', '(1,2)', 'NaN'), (1, '{ }', '(1,2)', 'NaN'), (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL);
SELECT finai.fit_transform('once', 'twice', '[{"duplicates": "all"}]');
CALL finai.transform_table('once', 'twice', 'once');
SELECT * FROM once ORDER BY j::text;

-- Later rows: the parameters stay; unseen categories, other columns, other number types, no label.
SELECT finai.transform_row('prepare', r) FROM (SELECT 7 AS id, 12.5::float8 AS amount, 1 AS fee, 0::numeric AS balance, 2 AS pieces, 'card new' AS card, 'zz' AS code, 'mobile' AS channel, true AS online, '2024-05-05'::date AS day, '2024-05-05 06:07:08+00'::timestamptz AS at, '2024-05-05 06:07:08.9'::timestamp AS noted, '0.5' AS risk, NULL::text AS "Shop ""Name""", 'kept' AS something) r;
SELECT finai.transform_row('prepare@1', NULL::payment), finai.transform_row(NULL, p) FROM payment p WHERE id = 1;
CREATE VIEW newer AS SELECT id + 10000 AS id, amount::float8, k AS kind FROM (SELECT id, x AS amount, k FROM reading) r;
SELECT finai.fit_transform('ratio', 'newer', '[{"column": "amount", "missing": "median", "scaling": "robust"}]');
CREATE SCHEMA elsewhere;
CALL finai.transform_table('ratio', 'reading', 'elsewhere.refused');
CALL finai.transform_table('ratio', 'newer', 'elsewhere."Odd ""Name"""');
SELECT * FROM elsewhere."Odd ""Name""" ORDER BY id;
-- Nothing varies: 0, for other values too; NULL stays NULL.
CREATE TABLE still (c double precision, d double precision); INSERT INTO still SELECT 0.1, i FROM generate_series(1, 10) i;
SELECT finai.fit_transform('still', 'still', '[{"column": "c", "scaling": "standard"}, {"column": "d", "scaling": "robust"}]');
SELECT finai.transform_row('still', s) FROM (VALUES (0.1::float8, 1::float8), (5, NULL), (NULL, 'Infinity'), ('NaN', 'NaN')) s (c, d);
SELECT finai.fit_transform('still', 'still', '[{"columns": ["c", "d"], "scaling": "min_max"}]');
SELECT finai.transform_row('still', s) FROM (VALUES (0.1::float8, 1::float8), (5, 19), (NULL, 'Infinity')) s (c, d);
-- Names of columns that encoding adds: words, unique, short.
CREATE TABLE word (w text, w_new_car text); INSERT INTO word VALUES ('new car', ''), ('New-Car!', ''), ('', ''), ('...', ''), (repeat('ä', 90), ''), (repeat('ä', 91), ''), ('12', '');
SELECT finai.fit_transform('words', 'word', '[{"column": "w", "encoding": "one_hot"}]');
SELECT c ->> 'category' AS category, c ->> 'column' AS column_name FROM finai.transform, jsonb_array_elements(fitted -> 0 -> 'columns') c WHERE name = 'words';
-- Conversions.
-- (a column may have the name of anything that the generated SQL uses)
CREATE TABLE raw (r text, s text, b text, d text, t text, x text); INSERT INTO raw VALUES (' 1e3 ', '42', 'yes', '2024-02-29', '2024-02-29 12:34:56', '31.12.2024'), (NULL, NULL, NULL, NULL, NULL, NULL);
SELECT finai.fit_transform('raw', 'raw', '[{"column": "r", "type": "number"}, {"column": "s", "type": "integer"}, {"column": "b", "type": "boolean"}, {"column": "d", "type": "date"}, {"column": "t", "type": "timestamp"}, {"column": "x", "type": "date", "format": "DD.MM.YYYY"}]');
SELECT finai.transform_row('raw', raw.*) FROM raw;
INSERT INTO raw VALUES ('twelve', '1.5', 'perhaps');
-- Later rows that cannot be converted are errors that name the column.
SELECT finai.transform_row('raw', raw.*) FROM raw WHERE raw.r = 'twelve';
CALL finai.transform_table('raw', 'raw', 'unconverted');
SELECT finai.fit_transform('raw', 'raw', '[{"column": "r", "type": "number"}]');
SELECT finai.fit_transform('raw', 'raw', '[{"column": "s", "type": "integer", "invalid": "missing"}, {"columns": ["r", "b"], "type": "boolean", "invalid": "missing"}]');
SELECT finai.transform_row('raw', raw.*) FROM raw WHERE raw.r = 'twelve';
SELECT finai.fit_transform('epoch', 'payment', '[{"columns": ["day", "at", "noted"], "type": "number"}, {"columns": ["pieces", "online", "channel"], "type": "text"}, {"column": "balance", "type": "boolean"}]');
SELECT finai.transform_row('epoch', r) FROM (SELECT '1970-01-03'::date AS day, '1970-01-01 00:00:01.5+00'::timestamptz AS at, 'infinity'::timestamp AS noted, 5::int2 AS pieces, true AS online, 'web'::channel AS channel, 'NaN'::float8 AS balance) r;

-- Bad rules: nothing is stored.
SELECT count(*) FROM finai.transform \gset before_
CREATE FUNCTION refused(rules text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  PERFORM finai.fit_transform('refused', 'payment', rules::jsonb);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), CASE WHEN hint LIKE 'Rules are%' THEN 'shape' ELSE nullif(hint, '') END);
END $$;
SELECT r AS rules, refused(r) FROM unnest(ARRAY[
  '{}', '[]', '"x"', '[1]', '[{}]', '[{"column": "amount"}]', '[{"column": 5, "missing": "mean"}]', '[{"columns": [], "missing": "mean"}]', '[{"columns": ["amount", "amount"], "missing": "mean"}]',
  '[{"column": "amount", "columns": ["fee"], "missing": "mean"}]', '[{"column": "amount", "missing": "average"}]', '[{"column": "amount", "missing": null}]', '[{"column": "amount", "missing": "mean", "wrong": 1}]',
  '[{"column": "amount", "missing": "mean", "value": 1}]', '[{"column": "amount", "missing": "constant"}]', '[{"column": "amount", "missing": "constant", "value": [1]}]', '[{"column": "amount", "missing": "constant", "value": "1"}]',
  '[{"column": "pieces", "missing": "constant", "value": 1.5}]', '[{"column": "online", "missing": "constant", "value": 1}]', '[{"column": "card", "missing": "constant", "value": 1}]', '[{"column": "day", "missing": "constant", "value": "yesterday week"}]',
  '[{"column": "channel", "missing": "constant", "value": "phone"}]', '[{"column": "pieces", "missing": "constant", "value": 99999}]', '[{"column": "amount", "missing": "drop", "indicator": true}]', '[{"column": "amount", "missing": "mean", "indicator": 1}]',
  '[{"column": "amounts", "missing": "mean"}]', '[{"column": "card", "missing": "mean"}]', '[{"column": "day", "missing": "median"}]', '[{"column": "card", "scaling": "standard"}]', '[{"column": "amount", "scaling": "log"}]',
  '[{"column": "online", "outliers": "iqr"}]', '[{"column": "amount", "outliers": "clip"}]', '[{"column": "amount", "outliers": "winsorise", "lower": 0.9, "upper": 0.1}]', '[{"column": "amount", "outliers": "winsorise", "lower": "low"}]', '[{"column": "amount", "outliers": "iqr", "factor": -1}]',
  '[{"column": "amount", "outliers": "iqr", "lower": 0.1}]', '[{"column": "extra", "encoding": "one_hot"}]', '[{"column": "day", "encoding": "ordinal"}]', '[{"column": "card", "encoding": "hash"}]', '[{"column": "card", "encoding": "one_hot", "categories": []}]',
  '[{"column": "card", "encoding": "one_hot", "categories": ["a", "a"]}]', '[{"column": "card", "encoding": "one_hot", "categories": [null]}]', '[{"column": "id", "encoding": "one_hot"}]', '[{"column": "pieces", "encoding": "ordinal", "categories": ["few"]}]', '[{"column": "card", "encoding": "woe"}]', '[{"column": "card", "encoding": "woe", "label": "pieces"}]',
  '[{"column": "card", "encoding": "woe", "label": "frauds"}]', '[{"column": "amount", "encoding": "woe", "label": "fraud", "bins": 1}]', '[{"column": "day", "encoding": "woe", "label": "fraud"}]', '[{"column": "card", "type": "money"}]', '[{"column": "extra", "type": "number"}]',
  '[{"column": "risk", "type": "number"}]', '[{"column": "risk", "type": "number", "format": "9"}]', '[{"column": "risk", "type": "date", "invalid": "missing"}]', '[{"column": "risk", "type": "number", "invalid": "null"}]', '[{"duplicates": "some"}]', '[{"duplicates": ["card"]}]',
  '[{"duplicates": ["cards"], "order": ["id"]}]', '[{"duplicates": ["card"], "order": ["ids"]}]', '[{"duplicates": "all", "missing": "drop"}]', '[{"duplicates": "all"}, {"duplicates": "all"}]', '[{"column": "amount", "missing": "mean"}, {"column": "amount", "missing": "median"}]',
  '[{"column": "amount", "missing": "mean", "indicator": true}, {"column": "amount_missing", "scaling": "standard"}, {"column": "card", "encoding": "one_hot"}, {"column": "card", "missing": "mode"}]', '[{"column": "amount", "missing": "constant", "value": 1e999}]']) r;
-- No values, no rows, one class.
CREATE TABLE nothing (a integer, b text, y boolean);
SELECT finai.fit_transform('refused', 'nothing', '[{"column": "a", "missing": "mean"}]');
INSERT INTO nothing VALUES (NULL, NULL, true), (NULL, NULL, true);
SELECT finai.fit_transform('refused', 'nothing', '[{"column": "a", "scaling": "min_max"}]');
SELECT finai.fit_transform('refused', 'nothing', '[{"column": "b", "missing": "mode"}]');
SELECT finai.fit_transform('refused', 'nothing', '[{"column": "b", "encoding": "one_hot"}]');
SELECT finai.fit_transform('refused', 'nothing', '[{"column": "b", "encoding": "woe", "label": "y"}]');
-- Names, relations, versions, targets, rows.
SELECT finai.fit_transform('no name', 'reading', '[{"column": "x", "missing": "mean"}]');
SELECT finai.fit_transform(NULL, 'reading', '[{"column": "x", "missing": "mean"}]');
SELECT finai.fit_transform('refused', NULL, '[{"column": "x", "missing": "mean"}]');
SELECT finai.fit_transform('refused', 'reading', NULL);
SELECT finai.fit_transform('refused', 4294967295::oid, '[{"column": "x", "missing": "mean"}]');
SELECT finai.fit_transform('refused', 'finai.transform_pkey', '[{"column": "x", "missing": "mean"}]');
SELECT count(*) = :before_count AS unchanged FROM finai.transform;
SELECT finai.transform_row('refused', r) FROM reading r;
SELECT finai.transform_row('ratio@9', r) FROM reading r;
SELECT finai.transform_row('ratio@champion', r) FROM reading r;
SELECT finai.transform_row('ratio', r) FROM reading r;
SELECT finai.transform_row('ratio', r) FROM (SELECT 'ten' AS amount) r;
SELECT finai.transform_row('ratio', r) FROM (SELECT 1 AS amount, 2 AS amount) r;
SELECT finai.transform_row('try@2', r) FROM (SELECT 1 AS x, 2 AS x_missing) r;
CALL finai.transform_table('ratio', 'newer', 'reading');
CALL finai.transform_table('ratio', 'newer', 'elsewhere.deep.name');
CALL finai.transform_table('ratio', 'newer', 'nowhere.name');
CALL finai.transform_table('ratio', 'newer', 'not a name');
CALL finai.transform_table('ratio', 'newer', NULL);
CALL finai.transform_table('ratio', 'finai.transform_pkey', 'x');
CALL finai.transform_table('refused', 'newer', 'x');
SELECT * FROM finai.describe_transform('refused');
SELECT finai.drop_transform('refused');
SELECT finai.drop_transform('ratio@9');
SELECT finai.drop_transform(NULL);

-- Roles: fitting needs EXECUTE and SELECT; a transform is its first fitter's; using it needs that role or the relation.
CREATE ROLE regress_fitter; CREATE ROLE regress_team; CREATE ROLE regress_mate IN ROLE regress_team; CREATE ROLE regress_reader; CREATE ROLE regress_nobody; CREATE ROLE regress_bound;
GRANT EXECUTE ON FUNCTION finai.fit_transform, finai.drop_transform TO PUBLIC; GRANT EXECUTE ON PROCEDURE finai.transform_table TO PUBLIC;
GRANT SELECT ON reading TO regress_team, regress_reader, regress_bound; GRANT CREATE ON SCHEMA public TO regress_team, regress_reader;
SET ROLE regress_nobody;
SELECT finai.fit_transform('theirs', 'reading', '[{"column": "x", "missing": "mean"}]');
SET ROLE regress_team;
SELECT finai.fit_transform('theirs', 'reading', '[{"column": "x", "missing": "mean"}]');
SET ROLE regress_mate;
SELECT finai.fit_transform('theirs', 'reading', '[{"column": "x", "missing": "median"}]');
RESET ROLE;
SELECT name, version, owner FROM finai.transform WHERE name = 'theirs' ORDER BY version;
SET ROLE regress_reader;
SELECT finai.fit_transform('theirs', 'reading', '[{"column": "x", "missing": "median"}]');
SELECT finai.transform_row('theirs', r) FROM (SELECT NULL::float8 AS x) r;
CALL finai.transform_table('theirs', 'reading', 'readers');
SELECT tableowner FROM pg_tables WHERE tablename = 'readers';
SELECT finai.drop_transform('theirs');
SELECT * FROM finai.transform;
SET ROLE regress_nobody;
SELECT finai.transform_row('theirs', r) FROM (SELECT NULL::float8 AS x) r;
SELECT * FROM finai.describe_transform('theirs');
CALL finai.transform_table('theirs', 'reading', 'mine');
RESET ROLE;
-- Under row security a role does not see all rows, nor what was learnt from them.
ALTER TABLE reading ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON reading USING (id < 3);
SET ROLE regress_bound;
SELECT finai.transform_row('theirs', r) FROM (SELECT NULL::float8 AS x) r;
RESET ROLE;
ALTER TABLE reading DISABLE ROW LEVEL SECURITY;
SET ROLE regress_bound;
SELECT finai.transform_row('theirs', r) FROM (SELECT NULL::float8 AS x) r;
CALL finai.transform_table('theirs', 'reading', 'mine');
RESET ROLE;
-- Another table of the old name says nothing about the transform.
ALTER TABLE reading RENAME TO former; CREATE TABLE reading (x integer); GRANT SELECT ON reading TO regress_nobody;
SET ROLE regress_nobody;
SELECT finai.transform_row('theirs', r) FROM (SELECT NULL::float8 AS x) r;
RESET ROLE;
DROP TABLE reading; ALTER TABLE former RENAME TO reading;
-- Dropped with its versions; the name is free again.
SET ROLE regress_mate;
SELECT finai.drop_transform('theirs@1');
SELECT finai.transform_row('theirs@1', r) FROM (SELECT NULL::float8 AS x) r;
SELECT finai.drop_transform('theirs');
SET ROLE regress_reader;
SELECT finai.fit_transform('theirs', 'reading', '[{"column": "x", "missing": "median"}]');
RESET ROLE;
-- Rows within rows, types with modifiers, errors that are caught.
SELECT finai.fit_transform('moved', 'reading', '[{"column": "x", "type": "text"}]');
SELECT finai.transform_row('moved', r) FROM (SELECT 1.5::float8 AS x, row(1, 'a') AS nested, ARRAY[row(1)] AS list, b'101' AS bits, 'ab'::char(5) AS padded, '192.168.0.1'::inet AS ip, '{"b": [1.10, 2]}'::jsonb AS tree, '[1,2)'::int4range AS range, 1.50::numeric(5,2) AS exact) r;
DO $$
DECLARE
  caught integer := 0;
BEGIN
  FOR i IN 1..200 LOOP
    BEGIN
      PERFORM finai.transform_row('ratio', r) FROM (SELECT i AS amounts) r;
    EXCEPTION WHEN undefined_column THEN caught := caught + 1;
    END;
  END LOOP;
  ASSERT caught = 200;
END $$;
SET max_parallel_workers_per_gather = 2; SET force_parallel_mode = on;
SELECT count(*) FROM payment p JOIN before b USING (id) WHERE finai.transform_row('prepare@1', p)::text <> b.row;
RESET max_parallel_workers_per_gather; RESET force_parallel_mode;
-- Texts beyond double precision are infinite or zero, those too long for a number are none; codes are in the order of the type.
CREATE TYPE grade AS ENUM ('low', 'medium', 'high');
CREATE TABLE beyond (id int, t text, g grade, n int);
INSERT INTO beyond VALUES (1, '1', 'low', 2), (2, 'x', 'medium', 10), (3, '1e400', 'high', 1);
SELECT finai.fit_transform('beyond', 'beyond', '[{"column": "t", "type": "number", "invalid": "missing"}, {"column": "g", "encoding": "ordinal"}, {"column": "n", "encoding": "ordinal"}]');
SELECT step, fitted FROM finai.describe_transform('beyond');
SELECT t, finai.transform_row('beyond', row(1, t, NULL, NULL)::beyond) ->> 't' AS number FROM unnest('{1e999,-1e400,1e-999,-3e-9,0e999,1.7e30,nan,inf,12}'::text[]) t;
SELECT finai.transform_row('beyond', row(1, repeat('9', 400), NULL, NULL)::beyond) ->> 't';
CALL finai.transform_table('beyond', 'beyond', 'went_beyond'); SELECT * FROM went_beyond ORDER BY id;
CREATE TABLE exact (t text); INSERT INTO exact VALUES ('1e400'), ('2');
SELECT finai.fit_transform('strict', 'exact', '[{"column": "t", "type": "number"}]');
SELECT finai.transform_row('strict', r) FROM exact r;
SELECT finai.transform_row('strict', row(repeat('9', 400))::exact);
-- No write, and no transaction id, where nothing is written; a fit that is rolled back was none.
BEGIN; SELECT count(finai.transform_row('prepare', p)) FROM payment p; SELECT pg_current_xact_id_if_assigned(); COMMIT;
BEGIN READ ONLY; SELECT finai.fit_transform('late', 'reading', '[{"column": "x", "missing": "mean"}]'); ROLLBACK;
BEGIN; SELECT finai.fit_transform('late', 'reading', '[{"column": "x", "missing": "mean"}]'); ROLLBACK;
SELECT count(*) FROM finai.transform WHERE name = 'late';
-- Another fit is seen by the next statement, by a running function too.
CREATE FUNCTION through(r reading) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN finai.transform_row('moving', r) -> 'x'; END $$;
SELECT finai.fit_transform('moving', 'reading', '[{"column": "x", "missing": "constant", "value": 1}]');
SELECT through(r) FROM reading r WHERE id = 6;
SELECT finai.fit_transform('moving', 'reading', '[{"column": "x", "missing": "constant", "value": 2}]');
SELECT through(r) FROM reading r WHERE id = 6;
REVOKE EXECUTE ON FUNCTION finai.fit_transform, finai.drop_transform FROM PUBLIC; REVOKE EXECUTE ON PROCEDURE finai.transform_table FROM PUBLIC;
DROP OWNED BY regress_fitter, regress_team, regress_mate, regress_reader, regress_nobody, regress_bound;
DROP ROLE regress_fitter, regress_team, regress_mate, regress_reader, regress_nobody, regress_bound;

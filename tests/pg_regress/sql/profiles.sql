-- profile_table: a table's columns in figures.
\pset null '∅'
\set SHOW_CONTEXT never
\x on
CREATE TYPE grade AS ENUM ('low', 'high');
CREATE DOMAIN percentage AS numeric(5, 2);
-- Figures that can be checked by hand: 1 to 9 and 100.
CREATE TABLE account (id integer, amount double precision, rate percentage, open boolean, "Kind of""x" text, grade grade, opened date, seen timestamptz, noted timestamp, code char(4), extra json, place point, tags text[]);
INSERT INTO account SELECT i, CASE WHEN i = 10 THEN 100 ELSE i END, i / 4.0, i % 2 = 0, CASE WHEN i <= 5 THEN 'a' WHEN i <= 8 THEN 'b' ELSE 'c' END, CASE WHEN i < 4 THEN 'high' ELSE 'low' END::grade,
  '2024-01-01'::date + i, '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour', '2024-01-01'::timestamp + i * interval '1 minute', 'k' || i % 2, '{"a": 1}', point(1, 2), '{x,y}' FROM generate_series(1, 10) i;
SELECT * FROM finai.profile_table('account');
-- Rows that are there twice, rows that lack a value; NaN is missing, infinite values are outliers and belong to no average.
CREATE TABLE odd (f double precision, r real, n numeric, d date, t timestamptz);
INSERT INTO odd SELECT i, i, i, '2024-01-01'::date + i, '2024-01-01 00:00+00'::timestamptz + i * interval '1 day' FROM generate_series(1, 4) i;
INSERT INTO odd VALUES (1, 1, 1, '2024-01-02', '2024-01-02 00:00+00'), ('NaN', 'NaN', 'NaN', NULL, NULL), ('NaN', 'NaN', 'NaN', NULL, NULL),
  ('Infinity', 'Infinity', 'Infinity', 'infinity', 'infinity'), ('-Infinity', '-Infinity', '-Infinity', '-infinity', '-infinity'), (1e308, 3e38, 1e400, '4714-11-24 BC', NULL), (-1e308, -3e38, -1e400, NULL, '0001-01-01'), (0, -0.0, 1e-400, NULL, NULL);
SELECT * FROM finai.profile_table('odd');
-- The fences of 1, 2, 3, 4, 100: p25 = 2, p75 = 4, fences at -1 and 7; a constant; no value at all.
CREATE TABLE fence (v integer, constant integer, nothing integer, nowhere text);
INSERT INTO fence VALUES (1, 5), (2, 5), (3, 5), (4, 5), (100, 5);
\x off
SELECT column_name, missing, distinct_values, minimum, maximum, mean, stddev, quantiles ->> 'p25' AS p25, quantiles ->> 'p75' AS p75, outliers, most_frequent -> 0 AS first, histogram FROM finai.profile_table('fence');
-- What is rare, and what is long.
CREATE TABLE word AS SELECT CASE WHEN i <= 60 THEN 'a' WHEN i <= 90 THEN 'b' ELSE repeat('w', 200) || i END AS w FROM generate_series(1, 100) i;
SELECT column_name, distinct_values, jsonb_path_query_array(most_frequent, '$.count') AS counts, length(most_frequent -> 2 ->> 'value') AS length, histogram FROM finai.profile_table('word');
-- Empty tables, tables without columns, without rows.
CREATE TABLE empty (a integer, b text, c date);
SELECT column_name, type, rows, missing, missing_share, distinct_values, minimum, mean, quantiles, outliers, duplicates, most_frequent, histogram FROM finai.profile_table('empty');
CREATE TABLE bare ();
SELECT rows, missing, distinct_values, duplicates FROM finai.profile_table('bare');
INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES;
SELECT rows, missing, distinct_values, duplicates FROM finai.profile_table('bare');
-- Views, partitions, dropped columns, names that need quotes.
CREATE VIEW shown AS SELECT amount, open FROM account WHERE id < 10;
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."T'""x" (gone integer, "select" integer) PARTITION BY LIST ("select");
CREATE TABLE "Odd Schema".part PARTITION OF "Odd Schema"."T'""x" DEFAULT;
ALTER TABLE "Odd Schema"."T'""x" DROP COLUMN gone;
INSERT INTO "Odd Schema"."T'""x" VALUES (1), (1);
SELECT column_name, rows, mean, duplicates FROM finai.profile_table('shown');
SELECT column_name, rows, mean, duplicates FROM finai.profile_table('"Odd Schema"."T''""x"');
-- Settings of the session change no figure, and neither does what lies first in its search path.
CREATE FUNCTION public.abs(double precision) RETURNS double precision LANGUAGE sql AS 'SELECT -1.0::float8';
CREATE TABLE figures AS SELECT * FROM finai.profile_table('account');
SET search_path = public, pg_catalog; SET extra_float_digits = -15; SET datestyle = 'German';
SELECT count(*) FROM (SELECT to_jsonb(f) FROM figures f EXCEPT SELECT to_jsonb(p) FROM finai.profile_table('account') p) d;
RESET search_path; RESET extra_float_digits; RESET datestyle;
DROP FUNCTION public.abs(double precision);
-- The ends of dates and times, and columns of no type of their own.
CREATE TABLE ends (d date, t timestamp, z timestamptz);
INSERT INTO ends VALUES ('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00'), ('4713-01-01 BC', '4714-11-24 BC', '4714-11-24 00:00+00 BC'), ('infinity', '-infinity', 'infinity');
SELECT column_name, minimum, maximum, quantiles ->> 'p01' AS p01, quantiles ->> 'p50' AS p50, quantiles ->> 'p99' AS p99, histogram FROM finai.profile_table('ends');
TRUNCATE ends; INSERT INTO ends VALUES ('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00');
SELECT column_name, quantiles ->> 'p50' AS p50 FROM finai.profile_table('ends');
SELECT count(*) > 10 AS columns FROM finai.profile_table('pg_stats');
-- No transaction id is assigned; a role needs SELECT on all that it looks at.
BEGIN; SELECT count(*) FROM finai.profile_table('account'); SELECT pg_current_xact_id_if_assigned(); COMMIT;
CREATE ROLE regress_reader; GRANT SELECT ON account TO regress_reader; GRANT SELECT (v) ON fence TO regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM finai.profile_table('account');
SELECT count(*) FROM finai.profile_table('fence');
SELECT count(*) FROM finai.profile_table('bare');
SELECT count(*) FROM finai.profile_table('finai.transform');
RESET ROLE;
DROP OWNED BY regress_reader; DROP ROLE regress_reader;
-- What is no table.
SELECT count(*) FROM finai.profile_table(NULL);
SELECT count(*) FROM finai.profile_table(4294967295::oid);
SELECT count(*) FROM finai.profile_table('finai.model_pkey'::regclass);

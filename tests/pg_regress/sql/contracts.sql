-- Columns that a promoted model reads through a typed scoring function: DDL takes none away unnoticed.
\set regression `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
\set path `echo "$("${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}" --bindir):$PATH"`
SELECT finai.register_model('amount', decode(:'regression', 'base64'), features => '{a,b,c,d,e}');
SELECT finai.register_model('amount', decode(:'regression', 'base64'), features => '{a,b,c,d,z}');
SELECT finai.promote_model('amount', 1);
CREATE TABLE t (a int, b int, c int, d int, e int, note text, f int);
INSERT INTO t VALUES (24, 2, 3, 1, 1, 'x', 7);
-- A typed function depends on the extension, which is how it is known.
SELECT finai.create_scoring_function('t_amount', 'amount', 't');
SELECT d.deptype, d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'finai') AS on_finai
FROM pg_depend d WHERE d.objid = 't_amount(t)'::regprocedure AND d.refclassid = 'pg_extension'::regclass;
SELECT function::regprocedure, model, alias, version FROM finai._typed_functions();

-- Refused: dropped, renamed, of another type; with what to do about it.
ALTER TABLE t DROP COLUMN e;
ALTER TABLE t RENAME a TO age;
ALTER TABLE t ALTER c TYPE text;
\set VERBOSITY sqlstate
ALTER TABLE t DROP COLUMN a, DROP COLUMN b;
ALTER TABLE t DROP COLUMN a CASCADE;
ALTER TABLE t RENAME COLUMN b TO "B";
ALTER TABLE t DROP COLUMN d, ADD COLUMN d text;
ALTER TABLE t ADD COLUMN "A" text;
SELECT count(t_amount(t)) FROM t;
ALTER TABLE t ALTER a TYPE date USING '1970-01-01'::date + a;
\set VERBOSITY default
SELECT count(*) AS columns, t_amount(t) > 0 AS scores FROM t, pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped GROUP BY t.*;

-- Allowed: what still binds, and what no model reads.
ALTER TABLE t ALTER a TYPE bigint USING a - '1970-01-01'::date;
ALTER TABLE t ALTER b TYPE numeric, ALTER c TYPE float4;
ALTER TABLE t DROP COLUMN d, ADD COLUMN d int DEFAULT 1;
ALTER TABLE t DROP COLUMN note;
ALTER TABLE t RENAME COLUMN f TO g;
ALTER TABLE t ALTER c SET DEFAULT 5;
ALTER TABLE t RENAME TO renamed;
CREATE SCHEMA other;
ALTER TABLE renamed SET SCHEMA other;
ALTER FUNCTION t_amount(other.renamed) RENAME TO moved;
ALTER TABLE other.renamed DROP COLUMN e;
ALTER FUNCTION moved(other.renamed) RENAME TO t_amount;
ALTER TABLE other.renamed SET SCHEMA public;
ALTER TABLE renamed RENAME TO t;
SELECT t_amount(t) > 0 AS scores FROM t;
-- Every command counts by itself: a rename that is taken back was refused before.
BEGIN;
ALTER TABLE t RENAME a TO age;
ALTER TABLE t RENAME age TO a;
ROLLBACK;
-- After an error that was caught, and inside a function, too.
DO $$
BEGIN
  BEGIN
    ALTER TABLE t DROP COLUMN e;
  EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE NOTICE 'refused: %', SQLERRM;
  END;
  BEGIN
    ALTER TABLE t DROP COLUMN nothing;
  EXCEPTION WHEN undefined_column THEN
    NULL;
  END;
  ALTER TABLE t ADD COLUMN h int;
  ALTER TABLE t DROP COLUMN h;
END $$;
DO $$ BEGIN ALTER TABLE t DROP COLUMN e; END $$;
-- DDL inside DDL: the inner command is refused, or counts as broken before the outer one ends.
CREATE FUNCTION nested(i bigint) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    ALTER TABLE t DROP COLUMN e;
  EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL;
  END;
  CREATE TABLE IF NOT EXISTS side (x int);
  ALTER TABLE side ADD COLUMN IF NOT EXISTS y int;
  RETURN i;
END $$;
CREATE TABLE outer_table (i bigint);
INSERT INTO outer_table VALUES (1), (2);
ALTER TABLE outer_table ALTER i TYPE int USING nested(i);
SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'e';

-- Dropping the function, or promoting a version that does not read the column, is the way.
BEGIN;
DROP FUNCTION t_amount(t);
ALTER TABLE t DROP COLUMN e;
ROLLBACK;
ALTER TABLE t ADD COLUMN z int DEFAULT 1;
SELECT finai.promote_model('amount', 2);
ALTER TABLE t DROP COLUMN e;
ALTER TABLE t DROP COLUMN z;
-- A promotion that would break the function is refused as well; other aliases are not asked.
SELECT finai.promote_model('amount', 1);
SELECT finai.promote_model('amount', 1, 'challenger');
-- The way back stands open: nothing refuses it, and the version is marked.
BEGIN;
SELECT finai.rollback_model('amount');
SELECT version, status, detail FROM finai.model_status;
ROLLBACK;
ALTER TABLE t ADD COLUMN e int DEFAULT 1;
BEGIN;
SELECT finai.rollback_model('amount');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 't'::regclass AND mode = 'AccessShareLock';
ROLLBACK;
SELECT finai.promote_model('amount', 1);
ALTER TABLE t DROP COLUMN z;

-- By alias and by number; label, prediction; bundled models.
\set ECHO none
\i demo/credit.sql
\set ECHO all
SELECT finai.create_scoring_function('t_challenger', 'amount@challenger', 't', 'prediction');
SELECT finai.create_scoring_function('risk', 'credit_score@1', 'demo.applications', 'label');
DROP FUNCTION t_amount(t);
ALTER TABLE t DROP COLUMN e;
ALTER TABLE demo.applications DROP COLUMN housing;
ALTER TABLE demo.applications RENAME purpose TO reason;
ALTER TABLE demo.applications DROP COLUMN foreign_worker;
-- A function that is anything else is nobody's contract.
DROP FUNCTION t_challenger(t);
CREATE FUNCTION mine(t) RETURNS float8 LANGUAGE sql STABLE AS $$ SELECT finai.score('amount', $1) $$;
ALTER FUNCTION mine(t) DEPENDS ON EXTENSION finai;
CREATE FUNCTION other(t) RETURNS float8 LANGUAGE sql STABLE AS $$SELECT finai.score('amount', $1)$$;
ALTER TABLE t DROP COLUMN e;
ALTER TABLE t ADD COLUMN e int DEFAULT 1;
DROP FUNCTION mine(t);
ALTER FUNCTION other(t) DEPENDS ON EXTENSION finai;
ALTER TABLE t DROP COLUMN e;
DROP FUNCTION other(t);

-- Types and domains whose CASCADE drops columns, generated columns, inherited ones, partitions, views, composite types.
\set VERBOSITY sqlstate
CREATE DOMAIN money_amount AS int;
CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * $1';
CREATE SCHEMA kinds;
CREATE DOMAIN kinds.count AS int;
CREATE ROLE regress_kinds;
CREATE DOMAIN owned AS int;
ALTER DOMAIN owned OWNER TO regress_kinds;
CREATE TABLE u (a money_amount, b int, c int GENERATED ALWAYS AS (twice(b)) STORED, d kinds.count, e owned);
SELECT finai.create_scoring_function('u_amount', 'amount', 'u');
DROP DOMAIN money_amount CASCADE;
DROP TYPE money_amount CASCADE;
DROP FUNCTION twice(int) CASCADE;
DROP ROUTINE twice(int) CASCADE;
DROP SCHEMA kinds CASCADE;
DROP OWNED BY regress_kinds CASCADE;
ALTER TABLE u DROP COLUMN b CASCADE;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'u'::regclass AND attnum > 0 AND NOT attisdropped;
CREATE TABLE parent (a int, b int, c int, d int, e int);
CREATE TABLE child () INHERITS (parent);
SELECT finai.create_scoring_function('child_amount', 'amount', 'child');
ALTER TABLE parent DROP COLUMN a;
ALTER TABLE parent RENAME a TO age;
ALTER TABLE ONLY parent DROP COLUMN a;
CREATE TABLE whole (a int, b int, c int, d int, e int, f int) PARTITION BY RANGE (f);
CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (10);
SELECT finai.create_scoring_function('part_amount', 'amount', 'part');
ALTER TABLE whole ALTER e TYPE text;
ALTER TABLE whole DETACH PARTITION part;
ALTER TABLE whole DROP COLUMN e;
ALTER TABLE part DROP COLUMN e;
CREATE VIEW v AS SELECT a, b, c, d, e, f FROM (SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, 6 AS f) s;
SELECT finai.create_scoring_function('v_amount', 'amount', 'v');
ALTER VIEW v RENAME COLUMN a TO age;
ALTER TABLE v RENAME COLUMN a TO age;
ALTER VIEW v RENAME COLUMN f TO g;
CREATE OR REPLACE VIEW v AS SELECT a, b, c, d, e, f AS g, 'x'::text AS "A" FROM (SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, 6 AS f) s;
CREATE OR REPLACE VIEW v AS SELECT a, b, c, d, e, f AS g, 'x'::text AS "N" FROM (SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, 6 AS f) s;
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
SELECT finai.create_scoring_function('m_amount', 'amount', 'm');
ALTER MATERIALIZED VIEW m RENAME COLUMN e TO f;
CREATE TYPE applicant AS (a int, b int, c int, d int, e int);
SELECT finai.create_scoring_function('applicant_amount', 'amount', 'applicant');
ALTER TYPE applicant DROP ATTRIBUTE a;
ALTER TYPE applicant RENAME ATTRIBUTE b TO bb;
ALTER TYPE applicant ALTER ATTRIBUTE c TYPE text;
ALTER TYPE applicant ALTER ATTRIBUTE c TYPE bigint;
ALTER TYPE applicant ADD ATTRIBUTE g int;
CREATE TABLE of_type OF applicant;
SELECT finai.create_scoring_function('of_type_amount', 'amount', 'of_type');
DROP FUNCTION applicant_amount(applicant);
ALTER TYPE applicant DROP ATTRIBUTE a CASCADE;
\set VERBOSITY terse
-- A view that CASCADE drops takes its function along: allowed.
CREATE TABLE base (a int, b int, c int, d int, e int);
CREATE VIEW over_base AS SELECT * FROM base;
SELECT finai.create_scoring_function('over_base_amount', 'amount', 'over_base');
ALTER TABLE base DROP COLUMN a;
SET client_min_messages = warning;
DROP FUNCTION over_base_amount(over_base);
SELECT finai.create_scoring_function('over_base_amount', 'amount', 'over_base');
ALTER TABLE base DROP COLUMN a CASCADE;
SELECT count(*) FROM pg_proc WHERE proname = 'over_base_amount';
RESET client_min_messages;
\set VERBOSITY default
DROP TABLE child, parent CASCADE;
SELECT to_regproc('child_amount');
-- A feature's own name goes before the folded one, so an additional column can be in the way.
SELECT finai.register_model('cased', decode(:'regression', 'base64'), features => '{A,b,c,d,e}');
SELECT finai.promote_model('cased', 1);
SELECT finai.create_scoring_function('cased', 'cased', 'm');
CREATE TABLE low (a int, b int, c int, d int, e int);
CREATE VIEW over_low AS SELECT * FROM low;
SELECT finai.create_scoring_function('cased', 'cased', 'low');
SELECT finai.create_scoring_function('cased', 'cased', 'over_low');
ALTER TABLE low ADD COLUMN "A" text;
ALTER TABLE low ADD COLUMN "A" int;
CREATE OR REPLACE VIEW over_low AS SELECT a, b, c, d, e, 'x'::text AS "A" FROM low;

-- A table's owner without any right on finai, whatever is on the search path.
CREATE ROLE regress_plain;
CREATE SCHEMA plain AUTHORIZATION regress_plain;
SELECT finai.revoke_model('amount', 'public');
SET ROLE regress_plain;
SET search_path = plain, pg_catalog;
CREATE FUNCTION plain.always(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR plain.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = plain.always);
CREATE TABLE w (a int, b int, c int, d int, e int, f int);
SELECT finai.create_scoring_function('w_risk', 'credit_score', 'w');
RESET ROLE;
SELECT finai.create_scoring_function('plain.w_amount', 'amount', 'w');
SET ROLE regress_plain;
ALTER TABLE w DROP COLUMN e;
ALTER TABLE w DROP COLUMN f;
ALTER TABLE w ADD COLUMN g int;
RESET ROLE;
SET search_path = public;
REVOKE USAGE ON SCHEMA finai FROM PUBLIC;
SET ROLE regress_plain;
ALTER TABLE plain.w DROP COLUMN e;
ALTER TABLE plain.w DROP COLUMN g;
RESET ROLE;
GRANT USAGE ON SCHEMA finai TO PUBLIC;
-- It writes a typed function of its own with a model that it may use.
SELECT finai.grant_model('amount', 'regress_plain');
SET ROLE regress_plain;
CREATE TABLE plain.own (a int, b int, c int, d int, e int);
SELECT finai.create_scoring_function('own_amount', 'amount', 'plain.own');
ALTER TABLE plain.own DROP COLUMN e;
DROP FUNCTION plain.own_amount(plain.own);
ALTER TABLE plain.own DROP COLUMN e;
RESET ROLE;

-- Who can merely read a table and use a model holds up nobody: a say has the table's owner, or whom promotions are up to.
CREATE SCHEMA third;
CREATE ROLE regress_third;
GRANT CREATE, USAGE ON SCHEMA third TO regress_third;
GRANT USAGE ON SCHEMA plain TO regress_third;
CREATE TABLE plain.victim (a int, b int, c int, d int, e int);
SET ROLE regress_third;
CREATE FUNCTION third.block(plain.victim) RETURNS float8 LANGUAGE sql AS $$SELECT finai.score('amount', $1)$$;
ALTER FUNCTION third.block(plain.victim) DEPENDS ON EXTENSION finai;
CREATE TABLE third.nothing (a int);
CREATE FUNCTION third.block(third.nothing) RETURNS float8 LANGUAGE sql AS $$SELECT finai.score('amount', $1)$$;
ALTER FUNCTION third.block(third.nothing) DEPENDS ON EXTENSION finai;
RESET ROLE;
ALTER TABLE plain.victim DROP COLUMN a;
SELECT finai.promote_model('amount', 1);
GRANT SELECT ON plain.victim TO regress_third;
ALTER TABLE plain.victim DROP COLUMN b;
SELECT finai.grant_model('amount', 'regress_third');
ALTER TABLE plain.victim DROP COLUMN c;
SELECT finai.grant_model('amount', 'regress_third', 'PROMOTE');
ALTER TABLE plain.victim DROP COLUMN d;
DROP TABLE plain.victim CASCADE;
DROP OWNED BY regress_third;

-- The other setting: the DDL is done and the version marked, with the role that did it; repaired, the mark is taken back.
SELECT finai.alter_model('amount', on_schema_change => 'mark');
SET ROLE regress_plain;
ALTER TABLE plain.w DROP COLUMN e;
ALTER TABLE plain.w RENAME a TO age;
RESET ROLE;
SELECT model, version, status, detail, changed_by FROM finai.model_status;
SELECT version, status FROM finai.models WHERE model = 'amount' ORDER BY version;
SELECT plain.w_amount(w) FROM (SELECT NULL::plain.w AS w) w;
INSERT INTO plain.w VALUES (1, 2, 3, 4);
SELECT plain.w_amount(w) FROM plain.w;
-- What was broken before does not count again.
SELECT finai.alter_model('amount', on_schema_change => 'refuse');
ALTER TABLE plain.w ADD COLUMN unrelated int;
ALTER TABLE plain.w DROP COLUMN b;
ALTER TABLE plain.w RENAME age TO a;
SELECT version, status FROM finai.model_status;
SELECT version, status, detail FROM finai.verify_models('amount') ORDER BY version;
BEGIN;
ALTER TABLE plain.w ADD COLUMN e int;
SELECT count(*) FROM finai.model_status;
ROLLBACK;
SELECT count(*) FROM finai.model_status;
ALTER TABLE plain.w ADD COLUMN e text;
ALTER TABLE plain.w ALTER e TYPE int USING 0;
SELECT count(*) FROM finai.model_status;
SELECT happened_by, event, version, detail FROM finai.model_event WHERE event IN ('broken', 'verified') ORDER BY id;
-- Dropping the function takes the mark back, too. A promotion marks as well.
SELECT finai.alter_model('amount', on_schema_change => 'mark');
ALTER TABLE plain.w DROP COLUMN e;
SELECT status, detail FROM finai.model_status;
DROP FUNCTION plain.w_amount(plain.w);
SELECT count(*) FROM finai.model_status;
SELECT finai.promote_model('amount', 2, 'shadow');
SELECT finai.create_scoring_function('plain.shadow', 'amount@shadow', 'public.t');
ALTER TABLE t ADD COLUMN z int;
SELECT finai.create_scoring_function('plain.shadow', 'amount@shadow', 'public.t');
ALTER TABLE t DROP COLUMN e;
SELECT finai.promote_model('amount', 1, 'shadow');
SELECT version, status, detail FROM finai.model_status;
SELECT finai.rollback_model('amount', 'shadow');
ALTER TABLE t ADD COLUMN e int;
SELECT count(*) FROM finai.model_status;
SELECT version, status FROM finai.verify_models('amount') ORDER BY version;
-- In one transaction a column may go and come back.
BEGIN;
ALTER TABLE t RENAME a TO age;
SELECT version, status, detail FROM finai.model_status;
ALTER TABLE t RENAME age TO a;
COMMIT;
SELECT count(*) FROM finai.model_status;
-- Several features at once.
BEGIN;
ALTER TABLE t DROP COLUMN a, ALTER b TYPE text;
SELECT version, status, detail FROM finai.model_status;
ROLLBACK;
-- A bundled model has a row from then on.
SELECT finai.alter_model('credit_score', on_schema_change => 'mark');
ALTER TABLE demo.applications DROP COLUMN housing;
SELECT model, version, status FROM finai.model_status;
SELECT count(finai.default_prob(a)) FROM (SELECT *, 'own'::text AS housing FROM demo.applications) a;
ALTER TABLE demo.applications ADD COLUMN housing text;
SELECT count(*) FROM finai.model_status;
-- A retired version and one that does not load are no contracts.
SELECT finai.alter_model('amount', on_schema_change => 'refuse');
SELECT finai.create_scoring_function('plain.second', 'amount@2', 'public.t');
SELECT finai.promote_model('amount', 1, 'shadow');
SELECT finai.retire_model('amount', 2);
DROP FUNCTION plain.second(t);
SELECT finai.retire_model('amount', 2);
CREATE FUNCTION plain.retired(t) RETURNS float8 LANGUAGE sql STABLE AS $$SELECT finai.score('amount@2', $1)$$;
ALTER FUNCTION plain.retired(t) DEPENDS ON EXTENSION finai;
CREATE FUNCTION plain.nobody(t) RETURNS float8 LANGUAGE sql STABLE AS $$SELECT finai.score('nobody', $1)$$;
ALTER FUNCTION plain.nobody(t) DEPENDS ON EXTENSION finai;
CREATE FUNCTION plain.nonsense(t) RETURNS float8 LANGUAGE sql STABLE AS $$SELECT finai.score('amount@99999999999', $1)$$;
ALTER FUNCTION plain.nonsense(t) DEPENDS ON EXTENSION finai;
ALTER TABLE t DROP COLUMN z;
ALTER TABLE t DROP COLUMN e;
DROP FUNCTION plain.shadow(t);
BEGIN;
ALTER TABLE finai.model_version DISABLE TRIGGER ALL;
UPDATE finai.model_version SET signature = '{"features": 1}' WHERE model = 'amount';
ALTER TABLE plain.w DROP COLUMN d;
ALTER TABLE u DROP COLUMN b CASCADE;
ROLLBACK;

-- What names a model keeps it from being renamed and dropped.
SELECT finai.rename_model('amount', 'price');
\set VERBOSITY sqlstate
SELECT finai.drop_model('amount');
\set VERBOSITY default

-- Dumps carry the functions and what they depend on; restored, they are contracts again.
CREATE DATABASE regress_contracts_restored;
\setenv PATH :path
\! pg_dump -Fc regress_contracts | pg_restore --exit-on-error -d regress_contracts_restored && echo restored
\c regress_contracts_restored
SELECT function::regprocedure, model, alias, version FROM finai._typed_functions() ORDER BY 1;
ALTER TABLE public.u DROP COLUMN b CASCADE;
-- DROP EXTENSION takes the functions and event triggers along, and nothing stays behind that disturbs DDL.
DROP EXTENSION finai;
SELECT count(*) FROM pg_event_trigger;
SELECT to_regproc('public.u_amount'), to_regproc('public.risk');
ALTER TABLE public.u DROP COLUMN b CASCADE;
BEGIN;
CREATE EXTENSION finai;
ALTER TABLE public.u ADD COLUMN b int, ADD COLUMN extra int;
DROP EXTENSION finai;
ALTER TABLE public.u DROP COLUMN extra;
CREATE EXTENSION finai;
COMMIT;
ALTER TABLE public.u RENAME b TO bb;
CREATE TABLE public.x (tx int);
DROP TABLE public.x;
-- The functions that event triggers call are called by nobody else.
SELECT finai._ddl_starts();
SELECT finai._ddl_ends();
SELECT evtname, evtevent, evtenabled FROM pg_event_trigger ORDER BY 1;
\c regress_contracts
DROP DATABASE regress_contracts_restored;
DROP TABLE u CASCADE;
DROP OWNED BY regress_plain, regress_kinds, regress_third CASCADE;
DROP ROLE regress_plain, regress_kinds, regress_third;

-- Both triggers watch the same commands.
SELECT count(DISTINCT evttags) AS lists, count(*) AS triggers FROM pg_event_trigger WHERE evtname LIKE 'finai%';

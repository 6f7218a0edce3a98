-- Installing and removing.
\dx+ finai
-- Every column that is everybody's to read is explained.
SELECT a.attrelid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'finai'::regnamespace AND (c.relkind = 'v' OR c.relname = 'alert') AND col_description(c.oid, a.attnum) IS NULL;
DROP EXTENSION finai;
SELECT count(*) FROM pg_class WHERE relnamespace = 'finai'::regnamespace;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'finai'::regnamespace;
CREATE EXTENSION finai;
SELECT count(*) FROM finai.models;
DROP EXTENSION finai;
-- A schema that somebody else prepared is refused.
CREATE FUNCTION finai.score(text, record) RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN 0; END';
\set VERBOSITY default
CREATE EXTENSION finai;
DROP SCHEMA finai CASCADE;
CREATE ROLE regress_planter;
CREATE SCHEMA finai AUTHORIZATION regress_planter;
CREATE EXTENSION finai;
DROP SCHEMA finai;
CREATE EXTENSION finai;
SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'finai';
DROP ROLE regress_planter;
-- A misspelt setting is an error; limits belong to superusers.
SET finai.cache_memroy = '1MB';
CREATE ROLE regress_user;
SET ROLE regress_user;
SET finai.max_model_size = '100MB';
RESET ROLE;
DROP ROLE regress_user;
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'finai.%' ORDER BY 1;
-- Default privileges open nothing.
CREATE ROLE regress_default;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_default;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_default;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_default;
DROP EXTENSION finai;
CREATE EXTENSION finai;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege('regress_default', c.oid, 'select,insert,update,delete');
SELECT has_sequence_privilege('regress_default', 'finai.model_event_id_seq', 'usage') AS sequence, has_schema_privilege('regress_default', 'finai', 'create') AS schema,
       has_function_privilege('regress_default', 'finai.promote_model(text, integer, text, text)', 'execute') AS promote;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM regress_default;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM regress_default;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM regress_default;
DROP ROLE regress_default;

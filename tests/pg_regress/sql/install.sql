-- Installing and removing.
\dx+ finai
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

-- Aliases, the stack behind each, retirement, and the two-person rule.
\set credit `base64 -w0 models/credit_score.onnx`
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
CREATE TABLE file AS SELECT decode(:'credit', 'base64') AS onnx, decode(:'multi', 'base64') AS other;
GRANT SELECT ON file TO PUBLIC;
SELECT finai.register_model('m', onnx) FROM file;
SELECT finai.register_model('m', other, output => 'rent') FROM file;
SELECT finai.register_model('m', onnx) FROM file;
SELECT count(*) AS versions, count(DISTINCT sha256) AS contents, (SELECT count(*) FROM finai.model_blob) AS stored FROM finai.model_version;

-- A rollback pops a stack: two go back two.
SELECT finai.promote_model('m', 1);
SELECT finai.promote_model('m', 2, reason => 'better on new customers');
SELECT finai.promote_model('m', 2);
SELECT finai.promote_model('m', 3);
SELECT alias, version, previous FROM finai.model_alias;
SELECT finai.rollback_model('m', reason => 'complaints');
SELECT finai.rollback_model('m');
SELECT alias, version, previous FROM finai.model_alias;
\set VERBOSITY default
SELECT finai.rollback_model('m');
\set VERBOSITY sqlstate
SELECT finai.rollback_model('m', 'nobody');
SELECT finai.rollback_model('nobody');
SELECT finai.rollback_model('m', 'bad alias');

-- The stack is a hundred deep.
DO $$ BEGIN FOR i IN 1..60 LOOP PERFORM finai.promote_model('m', 1, 'deep'); PERFORM finai.promote_model('m', 2, 'deep'); END LOOP; END $$;
SELECT version, cardinality(previous), previous[1], previous[100] FROM finai.model_alias WHERE alias = 'deep';
SELECT finai.drop_alias('m', 'deep', 'no longer needed');
SELECT finai.drop_alias('m', 'deep');
SELECT finai.score('m@deep', ROW(1));

-- A retired version is neither scored nor promoted, and rollbacks pass it over; what is promoted cannot be retired.
SELECT finai.promote_model('m', 2);
SELECT finai.promote_model('m', 3);
\set VERBOSITY default
SELECT finai.retire_model('m', 3);
SELECT finai.retire_model('m', 2, 'superseded');
SELECT finai.score('m@2', f) FROM file f;
SELECT finai.promote_model('m', 2);
\set VERBOSITY sqlstate
SELECT finai.retire_model('m', 2);
SELECT finai.retire_model('m', 9);
SELECT finai.retire_model('nobody', 1);
SELECT version, status, aliases FROM finai.models WHERE model = 'm';
SELECT name, type FROM finai.describe_model('m', 2) WHERE part = 'version';
SELECT finai.rollback_model('m');
-- Nor is it brought back by hand, and what an alias means is not deleted by anybody.
DELETE FROM finai.model_version WHERE model = 'm' AND version = 1;
DELETE FROM finai.model WHERE name = 'm';
UPDATE finai.model_version SET sha256 = '\x00';
UPDATE finai.model_version SET registered_by = 'somebody';
UPDATE finai.model_blob SET onnx = '\x00';
TRUNCATE finai.model CASCADE;
TRUNCATE finai.model_alias;
TRUNCATE finai.model_blob CASCADE;

-- Away from a bundled model and back: by rollback, and by dropping the alias.
SELECT finai.register_model('credit_score', onnx, output => 'good') FROM file;
SELECT finai.retire_model('credit_score', 1);
SELECT finai.promote_model('credit_score', 2);
SELECT finai.rollback_model('credit_score');
SELECT version, aliases FROM finai.models WHERE model = 'credit_score';
SELECT finai.rollback_model('credit_score');
SELECT finai.promote_model('credit_score', 2);
SELECT finai.drop_alias('credit_score', 'champion');
SELECT version, aliases FROM finai.models WHERE model = 'credit_score';
SELECT finai.promote_model('credit_score', 2);
SELECT finai.retire_model('credit_score', 1);
SELECT finai.rollback_model('credit_score');
SELECT version, aliases, status FROM finai.models WHERE model = 'credit_score';
-- With both versions gone nothing is live.
SELECT finai.drop_alias('credit_score', 'champion');
SELECT version, aliases, status FROM finai.models WHERE model = 'credit_score';
SELECT finai.score('credit_score', f) FROM file f;
\set VERBOSITY default
SELECT finai.drop_alias('fraud_prob', 'champion');
\set VERBOSITY sqlstate

-- Two persons: who registered a version in a session of their own cannot promote it, whatever role they take on.
CREATE ROLE regress_maker LOGIN; CREATE ROLE regress_checker LOGIN; CREATE ROLE regress_team;
GRANT regress_team TO regress_maker, regress_checker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA finai TO regress_team;
\c - regress_maker
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.register_model('loans', onnx) FROM file;
SELECT finai.promote_model('loans', 1, 'before');
SELECT finai.alter_model('loans', two_person => true);
\set VERBOSITY default
SELECT finai.promote_model('loans', 1);
SELECT finai.alter_model('loans', two_person => false);
\set VERBOSITY sqlstate
SELECT finai.drop_model('loans');
\c - regress_checker
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.promote_model('loans', 1);
SELECT finai.register_model('loans', other, output => 'rent') FROM file;
SELECT finai.promote_model('loans', 2);
SELECT finai.alter_model('loans', two_person => false);
\c - regress_maker
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.promote_model('loans', 2);
SELECT finai.rollback_model('loans');
SELECT finai.alter_model('loans', two_person => false);
SELECT finai.rename_model('loans', 'free');
\c - regress_checker
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.rollback_model('loans');
\c - postgres
\set VERBOSITY sqlstate
-- Another name is the same person, and taking on another session is no disguise.
ALTER ROLE regress_checker RENAME TO regress_examiner;
\c - regress_examiner
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.promote_model('loans', 2);
\c - postgres
\set VERBOSITY sqlstate
-- A dump carries names: the new one is stored.
SELECT finai.alter_model('loans', use_case => 'lending');
SELECT version, registered_session FROM finai.model_version WHERE model = 'loans' ORDER BY 1;
ALTER ROLE regress_examiner RENAME TO regress_checker;
SELECT finai.alter_model('loans', use_case => 'loans');
-- An administrator who registered nothing sets the rule aside; who is in the owner's role alone does not.
CREATE ROLE regress_idle LOGIN IN ROLE regress_team;
CREATE ROLE regress_dba LOGIN SUPERUSER;
\c - regress_idle
\set VERBOSITY sqlstate
SET ROLE regress_team;
SELECT finai.alter_model('loans', two_person => false);
SELECT finai.drop_model('loans');
\c - regress_dba
\set VERBOSITY sqlstate
BEGIN;
SELECT finai.alter_model('loans', two_person => false);
SELECT finai.rename_model('loans', 'free');
ROLLBACK;
\c - postgres
\set VERBOSITY sqlstate
DROP OWNED BY regress_idle; DROP ROLE regress_idle, regress_dba;
-- Superusers are not exempt.
SELECT finai.register_model('loans', onnx) FROM file;
SELECT finai.promote_model('loans', 3);
SET SESSION AUTHORIZATION regress_maker;
SELECT finai.promote_model('loans', 3);
RESET SESSION AUTHORIZATION;
SELECT finai.alter_model('loans', two_person => false);
SELECT finai.rename_model('loans', 'free');
SELECT finai.drop_model('loans');

-- Who, when, what and why.
SELECT model, event, version, detail, happened_by, happened_session, reason FROM finai.model_event
WHERE detail ->> 'alias' IS DISTINCT FROM 'deep' OR event = 'drop_alias' ORDER BY id;
DROP OWNED BY regress_team, regress_maker, regress_checker;
DROP ROLE regress_team, regress_maker, regress_checker;

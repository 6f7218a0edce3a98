-- Whole models: settings, names, owners, removal.
\set credit `base64 -w0 models/credit_score.onnx`
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
CREATE TABLE file AS SELECT decode(:'credit', 'base64') AS onnx, decode(:'multi', 'base64') AS other;
GRANT SELECT ON file TO PUBLIC;
CREATE ROLE regress_owner; CREATE ROLE regress_heir; CREATE ROLE regress_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA finai TO regress_owner, regress_heir;
SELECT finai.register_model('m', onnx) FROM file;
SELECT finai.register_model('m', other, output => 'rent') FROM file;
SELECT finai.promote_model('m', 1);
SELECT finai.register_model('twin', onnx) FROM file;

-- What describe_model says to the owner, and a call that follows promotions.
SELECT finai.register_model('said', other, features => NULL, labels => ARRAY['a', 'b', 'c'], output => 'b') FROM file;
SELECT finai.promote_model('said', 1);
SELECT finai.grant_model('said', 'regress_reader');
SELECT part, name, type, split_part(detail, E'\n', 1) AS detail FROM finai.describe_model('said') WHERE part IN ('declared', 'grant', 'call');
SET ROLE regress_reader;
SELECT count(*) FROM finai.describe_model('said') WHERE part = 'grant';
RESET ROLE;
SELECT finai.drop_model('said');

-- Settings.
SELECT finai.alter_model('m', use_case => 'lending', tolerance => 1e-4, on_schema_change => 'mark', reason => 'as agreed');
SELECT name, use_case, tolerance, two_person, on_schema_change FROM finai.model ORDER BY 1;
SELECT model, version, use_case FROM finai.models WHERE use_case IS NOT NULL;
\set VERBOSITY default
SELECT finai.alter_model('m');
SELECT finai.alter_model('m', tolerance => -1);
SELECT finai.alter_model('m', on_schema_change => 'ignore');
\set VERBOSITY sqlstate
SELECT finai.alter_model('m', tolerance => 'NaN');
SELECT finai.alter_model('m', tolerance => 'Infinity');
SELECT finai.alter_model('m', owner => 'nobody_at_all');
SELECT finai.alter_model('m', owner => 'public');
SELECT finai.alter_model('nobody', use_case => 'x');
SELECT finai.alter_model(NULL, use_case => 'x');

-- Owners: given to a role that one is a member of; a superuser gives to any.
SELECT finai.alter_model('m', owner => 'regress_owner');
SET ROLE regress_owner;
SELECT finai.alter_model('m', owner => 'regress_heir');
RESET ROLE;
GRANT regress_heir TO regress_owner;
SET ROLE regress_owner;
SELECT finai.alter_model('m', owner => 'regress_heir');
RESET ROLE;
REVOKE regress_heir FROM regress_owner;
SET ROLE regress_owner;
SELECT finai.alter_model('m', use_case => 'mine');
RESET ROLE;
SELECT DISTINCT model, owner FROM finai.models WHERE NOT bundled;

-- A new role of the owner's former name is somebody else.
ALTER ROLE regress_heir RENAME TO regress_heir_left;
CREATE ROLE regress_heir;
SELECT finai.alter_model('m', use_case => 'lending');
SET ROLE regress_heir;
SELECT finai.alter_model('m', use_case => 'theirs');
RESET ROLE;
DROP ROLE regress_heir;
ALTER ROLE regress_heir_left RENAME TO regress_heir;
-- A grantee renamed to - is not PUBLIC.
CREATE ROLE regress_dash;
SELECT finai.grant_model('m', 'regress_dash', 'READ');
ALTER ROLE regress_dash RENAME TO "-";
SELECT count(*) AS verified FROM finai.verify_models('m');
SET ROLE regress_reader;
SELECT finai.model_onnx('m');
RESET ROLE;
DROP ROLE "-";

-- The bytes need READ.
SELECT sha256(finai.model_onnx('m')) = sha256(onnx) AS champion, sha256(finai.model_onnx('m', 2)) = sha256(other) AS second,
       sha256(finai.model_onnx('m@2')) = sha256(other) AS by_reference FROM file;
SELECT length(finai.model_onnx('fraud_prob')) > 0 AS bundled;
SET ROLE regress_reader;
SELECT finai.model_onnx('m');
SELECT finai.model_onnx('credit_score');
RESET ROLE;
SELECT finai.grant_model('m', 'regress_reader');
SET ROLE regress_reader;
SELECT finai.model_onnx('m');
RESET ROLE;
SELECT finai.grant_model('m', 'regress_reader', 'READ');
SET ROLE regress_reader;
SELECT length(finai.model_onnx('m')) > 0 AS readable;
RESET ROLE;
SELECT finai.model_onnx('m', 9);
SELECT finai.model_onnx(NULL);

-- Names.
SELECT finai.rename_model('m', 'renamed', 'clearer');
SELECT model, version, aliases FROM finai.models WHERE NOT bundled;
SELECT DISTINCT model FROM finai.model_grant ORDER BY 1;
SELECT finai.describe_model('m');
\set VERBOSITY default
SELECT finai.rename_model('renamed', 'twin');
SELECT finai.rename_model('credit_score', 'mine');
\set VERBOSITY sqlstate
SELECT finai.rename_model('renamed', 'credit_score');
SELECT finai.rename_model('renamed', 'no@signs');
SELECT finai.rename_model('renamed', NULL);
SELECT finai.rename_model('nobody', 'somebody');
-- A name with a number means one content: back to one's own former name, not to another's.
SELECT finai.rename_model('renamed', 'again'), finai.rename_model('again', 'm'), finai.rename_model('m', 'renamed');
-- Its history follows it, and nobody else's who had one of the names.
SELECT event, version, detail FROM finai.model_history('renamed');
SELECT finai.rename_model('renamed', 'renamed');
\set VERBOSITY default
SELECT finai.rename_model('twin', 'again');
\set VERBOSITY sqlstate
-- A new model of the old name goes on counting.
SELECT finai.register_model('m', onnx) FROM file;

-- Removal: bytes that another model has stay; history stays; numbers are not given again.
SELECT count(*) AS blobs FROM finai.model_blob;
SELECT finai.drop_model('renamed', 'end of life');
SELECT count(*) AS blobs FROM finai.model_blob;
SELECT finai.drop_model('twin');
SELECT count(*) AS blobs FROM finai.model_blob;
SELECT finai.drop_model('m');
SELECT count(*) AS blobs FROM finai.model_blob;
SELECT count(*) FROM finai.models WHERE NOT bundled;
SELECT finai.register_model('m', onnx) FROM file;
SELECT finai.register_model('twin', onnx) FROM file;
SELECT finai.drop_model('nobody');
SELECT finai.drop_model(NULL);
-- Rolled back, everything is there again.
BEGIN;
SELECT finai.drop_model('twin');
SELECT finai.describe_model('twin@2') LIMIT 1;
ROLLBACK;
SELECT count(*) AS again FROM finai.models WHERE model = 'twin';
-- A bundled model becomes what it was.
\set VERBOSITY default
SELECT finai.drop_model('credit_score');
\set VERBOSITY sqlstate
SELECT finai.register_model('credit_score', other, output => 'rent') FROM file;
SELECT finai.promote_model('credit_score', 2);
SELECT finai.revoke_model('credit_score', 'public');
SELECT finai.drop_model('credit_score');
SELECT model, version, aliases, owner, status FROM finai.models WHERE model = 'credit_score';
SELECT finai.register_model('credit_score', other, output => 'rent') FROM file;

-- History.
SELECT model, event, version, detail, reason FROM finai.model_event ORDER BY id;
SELECT finai.grant_model('credit_score', 'PUBLIC');
SELECT event, version, detail, happened_by, reason FROM finai.model_history('credit_score');
SELECT finai.model_history('nobody');
SET ROLE regress_reader;
SELECT finai.model_history('credit_score');
RESET ROLE;
DROP OWNED BY regress_owner, regress_heir, regress_reader;
DROP ROLE regress_owner, regress_heir, regress_reader;

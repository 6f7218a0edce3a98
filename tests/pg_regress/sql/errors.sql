-- Bad input: each case has its SQLSTATE, the backend lives, and nothing half-written stays.
\set ECHO none
\i demo/credit.sql
\set ECHO all
SET search_path = demo, public;
\set onnx `base64 -w0 models/credit_score.onnx`
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
\set fraud `base64 -w0 models/fraud_prob.onnx`
CREATE TABLE file AS SELECT decode(:'onnx', 'base64') AS onnx;
CREATE TABLE state (calls int);
\set VERBOSITY sqlstate

-- Bytes that are not a model.
SELECT finai.register_model('m', '');
SELECT finai.register_model('m', '\x00');
SELECT finai.register_model('m', 'not an onnx file at all');
SELECT finai.register_model('m', substr(onnx, 1, length(onnx) / 2)) FROM file;
SELECT finai.register_model('m', substr(onnx, 1, length(onnx) - 1)) FROM file;
SELECT finai.register_model('m', sha512(onnx)) FROM file;
SELECT finai.register_model('m', decode(repeat('2a00', 1000000), 'hex'));
SET finai.max_model_size = '64kB';
SELECT finai.register_model('m', onnx || decode(repeat('00', 65536), 'hex')) FROM file;
RESET finai.max_model_size;
SET finai.max_decode_memory = '1MB';
SELECT finai.register_model('m', decode(:'fraud', 'base64'));
RESET finai.max_decode_memory;
SELECT finai.inspect_onnx('not an onnx file at all');

-- An operator that is not supported: the file's OneHotEncoder renamed to one of the same length that does not exist.
CREATE TABLE unknown_operator AS
SELECT decode(replace(encode(onnx, 'hex'), encode('OneHotEncoder', 'hex'), encode('TwoHotEncoder', 'hex')), 'hex') AS onnx FROM file;
SELECT finai.register_model('m', onnx) FROM unknown_operator;
SELECT op, supported, note FROM finai.inspect_onnx((SELECT onnx FROM unknown_operator)) WHERE NOT supported;

-- Arguments.
SELECT finai.register_model(NULL, onnx) FROM file;
SELECT finai.register_model('m', NULL);
SELECT finai.register_model('', onnx) FROM file;
SELECT finai.register_model('no@signs', onnx) FROM file;
SELECT finai.register_model('m', onnx, features => ARRAY['a', NULL]) FROM file;
SELECT finai.register_model('m', onnx, features => ARRAY['a', 'b']) FROM file;
SELECT finai.register_model('m', onnx, task => 'clustering') FROM file;
SELECT finai.register_model('m', onnx, output => 'ugly') FROM file;
SELECT finai.register_model('m', onnx, labels => ARRAY['one']) FROM file;
SELECT finai.register_model('m', onnx, missing => '[]') FROM file;
SELECT finai.register_model('m', onnx, missing => '{"no_such_feature": 0}') FROM file;
SELECT finai.register_model('m', onnx, missing => '{"purpose": 3}') FROM file;
SELECT finai.register_model('m', onnx, missing => '{"purpose": "native"}') FROM file;
SELECT count(*) AS models, (SELECT count(*) FROM finai.model_blob) AS blobs FROM finai.model;

-- Names and versions.
SELECT finai.score('nobody', a) FROM applications a;
SELECT finai.score('credit_score@9', a) FROM applications a;
SELECT finai.score('credit_score@nobody', a) FROM applications a;
SELECT finai.score('credit_score@', a) FROM applications a;
SELECT finai.score('@1', a) FROM applications a;
SELECT finai.score('credit_score@99999999999', a) FROM applications a;
SELECT finai.describe_model('nobody');
SELECT finai.check_binding('nobody', 'applications');
SELECT finai.check_binding('credit_score', 'nobody');
SELECT finai.check_binding('credit_score', 0);
SELECT finai.check_binding('credit_score', 4294967295);
SELECT finai.check_binding('credit_score', NULL);
SELECT finai.promote_model('nobody', 1);
SELECT finai.promote_model('credit_score', 2);
SELECT finai.promote_model('credit_score', NULL);
SELECT finai.promote_model('credit_score', 1, alias => '1');
SELECT finai.grant_model('credit_score', 'no_such_role');
SELECT finai.grant_model('credit_score', 'public', 'OWN');
SELECT finai.grant_model('nobody', 'public');
SELECT finai.register_model('idle', onnx) FROM file;
SELECT finai.score('idle', a) FROM applications a;
SELECT count(finai.score('idle@1', a)) FROM applications a;

-- Rows.
SELECT finai.default_prob(ROW(1, 2));
SELECT finai.default_prob(a) FROM (SELECT id, purpose FROM applications) a;
SELECT sum(finai.default_prob(a)) FROM (SELECT a.*, duration_in_month::text AS duration_in_month FROM (SELECT * FROM applications) a) a;
CREATE TABLE texts AS SELECT * FROM applications;
ALTER TABLE texts ALTER duration_in_month TYPE text;
SELECT finai.default_prob(t) FROM texts t;
CREATE TABLE holes AS SELECT * FROM applications;
UPDATE holes SET credit_amount = NULL WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM holes h;
UPDATE holes SET credit_amount = 1, purpose = NULL WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM holes h;
UPDATE holes SET purpose = 'space travel' WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM holes h;
ALTER TABLE holes ALTER duration_in_month TYPE float8;
UPDATE holes SET purpose = 'furniture/equipment', duration_in_month = 'NaN' WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM holes h;
UPDATE holes SET duration_in_month = 12 WHERE id = 500;
SELECT count(finai.default_prob(h)) FROM holes h;
SELECT finai.score('multi', a) FROM applications a;
SELECT finai.register_model('multi', decode(:'multi', 'base64'));
SELECT finai.score('multi@1', a) FROM applications a;

-- Typed functions.
SELECT finai.create_scoring_function('f', 'nobody', 'applications');
SELECT finai.create_scoring_function('f', 'fraud_prob', 'applications');
SELECT finai.create_scoring_function('f', 'credit_score', 'integer');
SELECT finai.create_scoring_function('a.b.c', 'credit_score', 'applications');
SELECT finai.create_scoring_function('f', 'credit_score', 'applications', output => 'points');
SELECT finai.create_scoring_function('public.f', 'credit_score', 'applications');
SELECT finai.create_scoring_function('public.f', 'credit_score', 'applications');

-- Errors inside blocks leave the backend usable.
DO $$
DECLARE good int := 0; bad int := 0;
BEGIN
  FOR i IN 1..1000 LOOP
    BEGIN
      PERFORM finai.default_prob(h) FROM (SELECT h.*, 'x' FROM demo.holes h WHERE id = 500) h WHERE finai.score('nobody', h) > 0;
    EXCEPTION WHEN undefined_object THEN bad := bad + 1;
    END;
    PERFORM finai.default_prob(h) FROM demo.holes h WHERE id = 500;
    good := good + 1;
  END LOOP;
  INSERT INTO state VALUES (good), (bad);
END $$;

SELECT * FROM state;

-- Damaged storage is noticed, never scored.
\c
\set VERBOSITY sqlstate
ALTER TABLE finai.model_blob DROP CONSTRAINT model_blob_sha256_check;
UPDATE finai.model_blob SET onnx = onnx || '\x00' WHERE sha256 = (SELECT sha256 FROM finai.model_version WHERE model = 'idle');
SELECT finai.score('idle@1', a) FROM demo.applications a;

-- What a user reads.
\set VERBOSITY default
SELECT finai.score('nobody', a) FROM demo.applications a;
SELECT finai.score('idle', a) FROM demo.applications a;
SELECT finai.default_prob(a) FROM (SELECT id, purpose FROM demo.applications) a;
SELECT finai.default_prob(t) FROM demo.texts t;
UPDATE demo.holes SET purpose = 'space travel' WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM demo.holes h;
UPDATE demo.holes SET purpose = NULL WHERE id = 500;
SELECT sum(finai.default_prob(h)) FROM demo.holes h;
SELECT finai.register_model('m', 'not an onnx file at all');
SELECT finai.register_model('m', onnx) FROM demo.unknown_operator;
SELECT finai.score('multi@1', a) FROM demo.applications a;

-- Read-only transactions change nothing.
\set VERBOSITY default
BEGIN READ ONLY;
SELECT finai.promote_model('idle', 1);
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) > 1 AS listed FROM finai.models;
SELECT finai.register_model('m', onnx) FROM demo.file;
ROLLBACK;

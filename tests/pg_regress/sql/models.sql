-- Registering, promoting and describing models.
\set onnx `base64 -w0 models/credit_score.onnx`
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`

-- What CREATE EXTENSION brings: two models that are no rows.
SELECT model, version, aliases, task, owner, bundled FROM finai.models;
SELECT count(*) FROM finai.model;
SELECT part, name, type, left(detail, 60) AS detail FROM finai.describe_model('credit_score') WHERE part <> 'program' AND part <> 'call' AND name <> '1';
SELECT part, name, type FROM finai.describe_model('fraud_prob') WHERE part IN ('model', 'feature', 'output');

-- Versions count up from 1; nothing is live before promotion.
SELECT finai.register_model('scorecard', decode(:'onnx', 'base64'), notes => 'first');
SELECT finai.register_model('scorecard', decode(:'onnx', 'base64'), notes => 'second');
SELECT model, version, aliases, owner, notes FROM finai.models WHERE NOT bundled;
SELECT count(*) AS blobs FROM finai.model_blob;
SELECT encode(sha256, 'hex') = (SELECT sha256 FROM finai.models WHERE model = 'credit_score') AS same_bytes FROM finai.model_version LIMIT 1;

SELECT finai.promote_model('scorecard', 1);
SELECT finai.promote_model('scorecard', 2, alias => 'challenger');
SELECT model, version, aliases FROM finai.models WHERE NOT bundled;
SELECT name, type FROM finai.describe_model('scorecard') WHERE part = 'version';
SELECT name, type FROM finai.describe_model('scorecard@challenger') WHERE part = 'version';
SELECT name, type FROM finai.describe_model('scorecard', 2) WHERE part = 'version';

-- Rolled back registrations and promotions leave nothing; a version number is not used twice.
BEGIN;
SELECT finai.register_model('scorecard', decode(:'multi', 'base64'));
SELECT finai.promote_model('scorecard', 3);
SAVEPOINT before;
SELECT finai.promote_model('scorecard', 2);
ROLLBACK TO before;
SELECT version, aliases FROM finai.models WHERE model = 'scorecard';
ROLLBACK;
SELECT version, aliases FROM finai.models WHERE model = 'scorecard';
SELECT count(*) AS blobs FROM finai.model_blob;

-- A version of one's own under a bundled name goes on from the bundled one.
SELECT finai.register_model('credit_score', decode(:'onnx', 'base64'), output => 'good');
SELECT model, version, aliases, bundled FROM finai.models WHERE model = 'credit_score';
SELECT finai.promote_model('credit_score', 2);
SELECT model, version, aliases, bundled FROM finai.models WHERE model = 'credit_score';
SELECT detail FROM finai.describe_model('credit_score') WHERE part = 'output' AND name = 'score';
SELECT finai.promote_model('credit_score', 1);
SELECT model, version, aliases, bundled FROM finai.models WHERE model = 'credit_score';

-- History.
SELECT id, happened_by, model, event, version, detail FROM finai.model_event ORDER BY id;
DELETE FROM finai.model_event;
UPDATE finai.model_event SET model = 'x';
TRUNCATE finai.model_event;

-- Declarations.
SELECT finai.register_model('multi', decode(:'multi', 'base64'), missing => '{"duration_in_month": 12}', output => 'rent');
SELECT name, type, detail FROM finai.describe_model('multi@1') WHERE part IN ('feature', 'output');

-- Looking into a file before registering it.
SELECT * FROM finai.inspect_onnx(decode(:'onnx', 'base64'));

-- How a table would bind.
CREATE TABLE narrow (duration_in_month int, credit_amount text, purpose text);
SELECT * FROM finai.check_binding('credit_score', 'narrow') ORDER BY status, feature LIMIT 4;
SELECT status, count(*) FROM finai.check_binding('credit_score', 'narrow') GROUP BY status ORDER BY status;

-- Reference rows: the trainer's own scores, which a version must reproduce.
\set card `cat models/credit_score.json`
\set onnx `base64 -w0 models/credit_score.onnx`
\set other `base64 -w0 engine/tests/fixtures/german_rf.onnx`
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
\set multi_card `cat engine/tests/fixtures/german_multi.json`
CREATE TABLE given AS SELECT decode(:'onnx', 'base64') AS onnx, decode(:'multi', 'base64') AS multi, :'card'::jsonb -> 'reference' -> 'rows' AS rows;
CREATE FUNCTION changed(change jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(CASE WHEN n = 3 THEN r || change ELSE r END ORDER BY n) FROM given, jsonb_array_elements(rows) WITH ORDINALITY AS e (r, n) WHERE n <= 5 $$;
CREATE FUNCTION changed_row(change jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT changed(jsonb_build_object('row', rows -> 2 -> 'row' || change)) FROM given $$;

SELECT finai.register_model('m', onnx, reference => rows) FROM given;
SELECT jsonb_array_length(reference) AS rows, tolerance FROM finai.model_version;
SELECT name, type, detail FROM finai.describe_model('m@1') WHERE part = 'reference';
-- Scores that are off are listed, the worst first, and nothing is stored.
\set VERBOSITY default
SELECT finai.register_model('m', onnx, reference => changed('{"score": 0.9}')) FROM given;
SELECT finai.register_model('m', onnx, reference => changed('{"label": "neither"}')) FROM given;
SELECT finai.register_model('m', onnx, output => 'good', reference => rows) FROM given;
SELECT finai.register_model('m', onnx, reference => changed('{"score": null, "label": null, "probabilities": {"bad": 0.5, "good": 0.5}}')) FROM given;
-- A row that the model refuses is one that disagrees.
SELECT finai.register_model('m', onnx, reference => changed_row('{"purpose": "ZZCANARY7731"}')) FROM given;
SELECT finai.register_model('m', onnx, reference => changed_row('{"credit_amount": null}')) FROM given;
-- Malformed.
SELECT finai.register_model('m', onnx, reference => '{}') FROM given;
SELECT finai.register_model('m', onnx, reference => '[]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[1]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"score": 1}]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"row": {}}]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"row": {}, "score": 0.5}]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"row": {}, "score": "high"}]') FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"row": {}, "result": 0.5}]') FROM given;
SELECT finai.register_model('m', onnx, reference => changed_row('{"credit_amount": "ZZCANARY7731"}')) FROM given;
SELECT finai.register_model('m', onnx, reference => changed_row('{"purpose": 7}')) FROM given;
SELECT finai.register_model('m', onnx, reference => changed('{"values": [1, 2, 3]}')) FROM given;
SELECT finai.register_model('m', onnx, reference => changed('{"probabilities": {"ugly": 1}}')) FROM given;
SELECT finai.register_model('m', onnx, reference => '[{"row": {}, "score": 1e400}]') FROM given;
SELECT finai.register_model('m', onnx, missing => '{"credit_amount": 1e400}') FROM given;
\set VERBOSITY sqlstate
SELECT finai.register_model('m', onnx, reference => (repeat('[', 200) || repeat(']', 200))::jsonb) FROM given;
SELECT finai.register_model('m', onnx, reference => (SELECT jsonb_agg(g.rows -> 0) FROM given g, generate_series(1, 10001))) FROM given;
SELECT finai.register_model('m', onnx, tolerance => -1) FROM given;
SELECT finai.register_model('m', onnx, tolerance => 'NaN') FROM given;
SELECT count(*) AS versions FROM finai.model_version;

-- The tolerance: the registration's, else the model's, else 1e-5.
SELECT finai.register_model('m', onnx, reference => changed('{"score": 0.9}'), tolerance => 1) FROM given;
SELECT finai.alter_model('m', tolerance => 2);
SELECT finai.register_model('m', onnx, reference => changed('{"score": 0.9}')) FROM given;
SELECT version, tolerance FROM finai.model_version ORDER BY 1;
-- Several classes: labels and probabilities of onnxruntime.
CREATE TABLE answers AS
SELECT jsonb_agg(jsonb_build_object('row', (SELECT jsonb_object_agg(c, v) FROM ROWS FROM (jsonb_array_elements_text(card -> 'columns'), jsonb_array_elements(r)) AS cell (c, v)),
                                    'label', card -> 'labels' -> (n::int - 1),
                                    'probabilities', (SELECT jsonb_object_agg(c, v) FROM ROWS FROM (unnest(ARRAY['for free', 'own', 'rent']), jsonb_array_elements(card -> 'probabilities' -> (n::int - 1))) AS cell (c, v)))) AS reference
FROM (SELECT :'multi_card'::jsonb AS card) c, jsonb_array_elements(card -> 'rows') WITH ORDINALITY AS e (r, n);
SELECT finai.register_model('multi', multi, reference => reference) FROM given, answers;

-- Verified again: every version, the bundled ones included, from its bytes.
SELECT model, version, status, rows, worst < tolerance AS within, tolerance, detail FROM finai.verify_models();
SELECT model, version, status FROM finai.verify_models('m');
SELECT finai.verify_models('nobody');
SELECT count(*) AS statuses FROM finai.model_status;
-- Bytes that are damaged, and scores that have changed since: recorded, still in the inventory, not to be promoted.
SET session_replication_role = replica;
ALTER TABLE finai.model_version DISABLE TRIGGER model_version_immutable;
UPDATE finai.model_version SET tolerance = 0.01 WHERE model = 'm' AND version = 2;
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_immutable;
ALTER TABLE finai.model_blob DROP CONSTRAINT model_blob_sha256_check;
UPDATE finai.model_blob SET onnx = substr(onnx, 2) WHERE sha256 = (SELECT sha256 FROM finai.model_version WHERE model = 'multi');
RESET session_replication_role;
SELECT model, version, status, rows, detail FROM finai.verify_models() WHERE status <> 'verified';
SELECT model, version, status FROM finai.models WHERE NOT bundled;
\set VERBOSITY default
SELECT finai.promote_model('m', 2);
\set VERBOSITY sqlstate
SELECT finai.promote_model('multi', 1);
-- Mended, it is verified again.
ALTER TABLE finai.model_version DISABLE TRIGGER model_version_immutable;
UPDATE finai.model_version SET tolerance = 1 WHERE model = 'm' AND version = 2;
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_immutable;
SELECT model, version, status FROM finai.verify_models('m');
SELECT finai.promote_model('m', 2);
SELECT model, version, event, detail -> 'detail' IS NOT NULL AS detailed FROM finai.model_event WHERE event IN ('failed', 'verified') ORDER BY id;
-- One's own models only.
CREATE ROLE regress_publisher;
GRANT EXECUTE ON FUNCTION finai.verify_models, finai.register_model TO regress_publisher;
GRANT SELECT ON given TO regress_publisher;
SET ROLE regress_publisher;
SELECT finai.register_model('own', onnx) FROM given;
SELECT model, version, status, rows, worst FROM finai.verify_models();
SELECT finai.verify_models('m');
RESET ROLE;
DROP OWNED BY regress_publisher;
DROP ROLE regress_publisher;

-- Models beyond tables of numbers: a text pipeline, a sequence through an LSTM, several values.
\set tfidf `base64 -w0 engine/tests/fixtures/message_tfidf.onnx`
\set tfidf_rows `cat engine/tests/fixtures/message_tfidf.json`
\set lstm `base64 -w0 engine/tests/fixtures/networks/keras_lstm.onnx`
\set lstm_rows `cat engine/tests/fixtures/networks/keras_lstm.json`
\set coder `base64 -w0 engine/tests/fixtures/networks/torch_autoencoder.onnx`

-- The words are cut, weighed and scored inside the model.
SELECT finai.register_model('intent', decode(:'tfidf', 'base64'));
SELECT part, name, type FROM finai.describe_model('intent', 1) WHERE part IN ('program', 'feature', 'output');
CREATE TABLE message AS
SELECT r.value ->> 0 AS message, (p.value ->> 1)::float8 AS expected
FROM jsonb_array_elements(:'tfidf_rows'::jsonb -> 'rows') WITH ORDINALITY r
JOIN jsonb_array_elements(:'tfidf_rows'::jsonb -> 'probabilities') WITH ORDINALITY p USING (ordinality);
SELECT count(*), max(abs(finai.score('intent@1', m) - expected)) <= 1e-6 AS equal, count(DISTINCT expected) > 10 AS differ FROM message m;

-- A sequence has a column for each of its cells, here 30 steps of 8 numbers.
SELECT finai.register_model('trend', decode(:'lstm', 'base64'));
SELECT count(*), min(name), max(name) FROM finai.describe_model('trend', 1) WHERE part = 'feature';
SELECT format('CREATE TYPE sequence AS (%s)', string_agg(format('%I float4', name), ', '))
FROM finai.describe_model('trend', 1) WHERE part = 'feature' \gexec
CREATE TABLE trend AS
SELECT (format('(%s)', (SELECT string_agg(c, ',') FROM jsonb_array_elements_text(r.value) c)))::sequence AS steps, (o.value ->> 0)::float8 AS expected
FROM jsonb_array_elements(jsonb_path_query_first(:'lstm_rows', '$.inputs.*')) WITH ORDINALITY r
JOIN jsonb_array_elements(jsonb_path_query_first(:'lstm_rows', '$.outputs.*')) WITH ORDINALITY o USING (ordinality);
SELECT count(*), max(abs(finai.score('trend@1', steps) - expected)) <= 1e-6 AS equal, count(DISTINCT expected) > 10 AS differ FROM trend;

-- Several values are no score.
\set VERBOSITY default
SELECT finai.register_model('coder', decode(:'coder', 'base64'));
SELECT finai.register_model('coder', decode(:'coder', 'base64'), task => 'vector');
SELECT part, name, detail FROM finai.describe_model('coder', 1) WHERE part = 'output';
SELECT format('CREATE TYPE image AS (%s)', string_agg(format('%I float4', name), ', '))
FROM finai.describe_model('coder', 1) WHERE part = 'feature' \gexec
CREATE TABLE coded AS SELECT (SELECT (format('(%s)', string_agg('0.5', ',')))::image FROM finai.describe_model('coder', 1) WHERE part = 'feature') AS pixels;
SELECT finai.score('coder@1', pixels) FROM coded;
SELECT finai.classify('coder@1', pixels) FROM coded;

-- The bundled models give the scores that onnxruntime gave on their 50 reference rows, and points follow the published formula.
\set credit_card `cat models/credit_score.json`
\set fraud_card `cat models/fraud_prob.json`
\set credit_onnx `base64 -w0 models/credit_score.onnx`
\set fraud_onnx `base64 -w0 models/fraud_prob.onnx`

CREATE FUNCTION card_type(card jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%I %s', c ->> 'name', CASE c ->> 'type' WHEN 'text' THEN 'text' ELSE 'float8' END), ', ')
  FROM jsonb_array_elements(card -> 'columns') c
$$;
SELECT format('CREATE TYPE applicant AS (%s)', card_type(:'credit_card')) \gexec
SELECT format('CREATE TYPE payment AS (%s)', card_type(:'fraud_card')) \gexec

CREATE TABLE credit_reference AS
SELECT jsonb_populate_record(NULL::applicant, r -> 'row') AS applicant, (r ->> 'score')::float8 AS score, r ->> 'label' AS label
FROM jsonb_array_elements(:'credit_card'::jsonb -> 'reference' -> 'rows') r;
CREATE TABLE fraud_reference AS
SELECT jsonb_populate_record(NULL::payment, r -> 'row') AS payment, (r ->> 'score')::float8 AS score, r ->> 'label' AS label
FROM jsonb_array_elements(:'fraud_card'::jsonb -> 'reference' -> 'rows') r;

SELECT count(*), max(abs(finai.default_prob(applicant) - score)) <= 1e-6 AS equal, bool_and(finai.classify('credit_score', applicant) = label) AS labels
FROM credit_reference;
SELECT count(*), max(abs(finai.fraud_prob(payment) - score)) <= 1e-6 AS equal, bool_and(finai.classify('fraud_prob', payment) = label) AS labels
FROM fraud_reference;
SELECT count(DISTINCT score) > 25 AS credit_rows_differ FROM credit_reference;
SELECT count(DISTINCT score) > 25 AS fraud_rows_differ FROM fraud_reference;

-- The bytes in the library are the files in models/.
SELECT sha256 = encode(sha256(decode(:'credit_onnx', 'base64')), 'hex') AS credit FROM finai.models WHERE model = 'credit_score';
SELECT sha256 = encode(sha256(decode(:'fraud_onnx', 'base64')), 'hex') AS fraud FROM finai.models WHERE model = 'fraud_prob';

-- The points of the credit scores, against the formula in numeric.
SELECT max(abs(finai.credit_score(applicant) - (487.122876 + 28.853901 * ln((1 - finai.default_prob(applicant)) / finai.default_prob(applicant))))) < 1e-4 AS points
FROM credit_reference;

-- Nothing is anybody's but the owner's, except what is listed here.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA finai FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA finai FROM PUBLIC;
GRANT USAGE ON SCHEMA finai TO PUBLIC;

-- Scoring: the model's USE privilege decides in every statement.
GRANT EXECUTE ON FUNCTION finai.score(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.predict(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.classify(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.probabilities(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.credit_score(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.default_prob(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.fraud_prob(record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.create_scoring_function(text, text, regtype, text) TO PUBLIC;

-- Describing.
GRANT EXECUTE ON FUNCTION finai.describe_model(text, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.check_binding(text, regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.inspect_onnx(bytea) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._bundled_models() TO PUBLIC;
GRANT SELECT ON finai.models TO PUBLIC;

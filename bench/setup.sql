-- 100,000 simulated transactions with their features, and the ways to score them that bench/run compares.
-- Run by psql from the repository's root.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

CREATE EXTENSION finai;
CREATE EXTENSION plpython3u;

\i demo/simulator.sql
CALL demo.simulate_transactions(n_customers => 500, n_terminals => 1000, n_days => 106, radius => 16,
     compromised_terminals_per_day => 0.2, compromised_customers_per_day => 0.3, seed => 7);
\i demo/features.sql

CREATE SCHEMA bench;
CREATE TABLE bench.transactions AS
SELECT * FROM demo.txn_velocity ORDER BY tx_time, tx_id LIMIT 100000;
VACUUM ANALYZE bench.transactions;

-- The bytes that finai carries as fraud_prob.
CREATE TABLE bench.model (onnx bytea);
\set onnx `base64 -w 0 models/fraud_prob.onnx`
INSERT INTO bench.model VALUES (decode(:'onnx', 'base64'));

-- Row by row, written to be fast: the session is made once per backend and runs on one thread, and the features
-- arrive as one array, which PL/Python converts faster than a row or 15 arguments.
CREATE FUNCTION bench.fraud_prob_plpython(features real[]) RETURNS float8
LANGUAGE plpython3u STABLE AS $$
session = GD.get("session")
if session is None:
    import numpy, onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    onnx = plpy.execute("SELECT onnx FROM bench.model")[0]["onnx"]
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    GD["session"], GD["numpy"] = session, numpy
    GD["input"], GD["output"] = session.get_inputs()[0].name, [session.get_outputs()[-1].name]
row = GD["numpy"].array([features], dtype="float32")
return session.run(GD["output"], {GD["input"]: row})[0].item(1)
$$;

-- The same, 10,000 rows at a time: no function of a row any more, but a loop around a query.
CREATE FUNCTION bench.fraud_prob_plpython_batches(query text) RETURNS float8
LANGUAGE plpython3u STABLE AS $$
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
onnx = plpy.execute("SELECT onnx FROM bench.model")[0]["onnx"]
session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
input, output = session.get_inputs()[0].name, [session.get_outputs()[-1].name]
total, rows = 0.0, plpy.cursor(query)
while batch := rows.fetch(10000):
    block = numpy.array([row["features"] for row in batch], dtype="float32")
    total += float(session.run(output, {input: block})[0][:, 1].sum(dtype="float64"))
return total
$$;

-- The features in the order of the model's input.
CREATE VIEW bench.features AS
SELECT tx_id,
       ARRAY[tx_amount, tx_during_weekend, tx_during_night,
             customer_id_nb_tx_1day_window, customer_id_avg_amount_1day_window,
             customer_id_nb_tx_7day_window, customer_id_avg_amount_7day_window,
             customer_id_nb_tx_30day_window, customer_id_avg_amount_30day_window,
             terminal_id_nb_tx_1day_window, terminal_id_risk_1day_window,
             terminal_id_nb_tx_7day_window, terminal_id_risk_7day_window,
             terminal_id_nb_tx_30day_window, terminal_id_risk_30day_window]::real[] AS features
FROM bench.transactions;

CREATE TABLE bench.way (way text PRIMARY KEY, place integer, description text, query text);
INSERT INTO bench.way VALUES
('finai', 1, '`sum(finai.fraud_prob(t))`',
 'SELECT sum(finai.fraud_prob(t)) FROM bench.transactions t'),
('row', 2, 'PL/Python, onnxruntime, row by row',
 'SELECT sum(bench.fraud_prob_plpython(features)) FROM bench.features'),
('batch', 3, 'PL/Python, onnxruntime, a loop over batches of 10,000',
 'SELECT bench.fraud_prob_plpython_batches(''SELECT features FROM bench.features'')'),
('client', 4, 'Python client: fetch the features, onnxruntime once over all', NULL),
('scan', 5, 'the scan alone: `sum(tx_amount)`',
 'SELECT sum(tx_amount) FROM bench.transactions');

CREATE TABLE bench.sample (round integer, way text REFERENCES bench.way, milliseconds float8, PRIMARY KEY (round, way));

-- One measurement of each way, one after the other, in one backend whose caches are warm.
CREATE PROCEDURE bench.measure(this_round integer)
LANGUAGE plpgsql AS $$
DECLARE
    w record;
    began timestamptz;
BEGIN
    SET LOCAL max_parallel_workers_per_gather = 0;
    PERFORM finai.fraud_prob(t) FROM bench.transactions t LIMIT 1000;
    PERFORM bench.fraud_prob_plpython(features) FROM bench.features LIMIT 1000;
    FOR w IN SELECT * FROM bench.way WHERE query IS NOT NULL ORDER BY place LOOP
        began := clock_timestamp();
        EXECUTE w.query;
        INSERT INTO bench.sample VALUES (this_round, w.way, 1000 * extract(epoch FROM clock_timestamp() - began));
    END LOOP;
END
$$;

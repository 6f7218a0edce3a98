-- The 15 features of the Fraud Detection Handbook, point in time: a row sees only what was known at its tx_time.
--
-- A window of w days is (t - w, t], as in pandas. '1 microsecond' leaves out the row w days ago and rows of the
-- same time; of those, a customer's window then adds the ones that do not come later in the order (tx_time, tx_id).
-- A fraud becomes known 7 days after it happened: terminal windows are (t - 7 days - w, t - 7 days].

SET client_min_messages = warning;

DROP MATERIALIZED VIEW IF EXISTS demo.transaction_features;
CREATE MATERIALIZED VIEW demo.transaction_features AS
WITH history AS (
    SELECT *,
           count(*) OVER same_time AS same_nb, sum(tx_amount) OVER same_time AS same_amount,
           count(*) OVER customer_1 AS nb_1, sum(tx_amount) OVER customer_1 AS amount_1,
           count(*) OVER customer_7 AS nb_7, sum(tx_amount) OVER customer_7 AS amount_7,
           count(*) OVER customer_30 AS nb_30, sum(tx_amount) OVER customer_30 AS amount_30,
           count(*) OVER terminal_1 AS terminal_nb_1, sum(tx_fraud::integer) OVER terminal_1 AS terminal_fraud_1,
           count(*) OVER terminal_7 AS terminal_nb_7, sum(tx_fraud::integer) OVER terminal_7 AS terminal_fraud_7,
           count(*) OVER terminal_30 AS terminal_nb_30, sum(tx_fraud::integer) OVER terminal_30 AS terminal_fraud_30
    FROM demo.transactions
    WINDOW customer AS (PARTITION BY customer_id ORDER BY tx_time),
           same_time AS (PARTITION BY customer_id, tx_time ORDER BY tx_id),
           customer_1 AS (customer RANGE BETWEEN '23:59:59.999999' PRECEDING AND '1 microsecond' PRECEDING),
           customer_7 AS (customer RANGE BETWEEN '6 days 23:59:59.999999' PRECEDING AND '1 microsecond' PRECEDING),
           customer_30 AS (customer RANGE BETWEEN '29 days 23:59:59.999999' PRECEDING AND '1 microsecond' PRECEDING),
           terminal AS (PARTITION BY terminal_id ORDER BY tx_time),
           terminal_1 AS (terminal RANGE BETWEEN '7 days 23:59:59.999999' PRECEDING AND '7 days' PRECEDING),
           terminal_7 AS (terminal RANGE BETWEEN '13 days 23:59:59.999999' PRECEDING AND '7 days' PRECEDING),
           terminal_30 AS (terminal RANGE BETWEEN '36 days 23:59:59.999999' PRECEDING AND '7 days' PRECEDING)
)
SELECT tx_id, tx_time, customer_id, terminal_id, tx_amount, tx_fraud, tx_fraud_scenario,
       (extract(isodow FROM tx_time) >= 6)::integer AS tx_during_weekend,
       (extract(hour FROM tx_time) <= 6)::integer AS tx_during_night,
       nb_1 + same_nb AS customer_id_nb_tx_1day_window,
       (coalesce(amount_1, 0) + same_amount)::float8 / (nb_1 + same_nb) AS customer_id_avg_amount_1day_window,
       nb_7 + same_nb AS customer_id_nb_tx_7day_window,
       (coalesce(amount_7, 0) + same_amount)::float8 / (nb_7 + same_nb) AS customer_id_avg_amount_7day_window,
       nb_30 + same_nb AS customer_id_nb_tx_30day_window,
       (coalesce(amount_30, 0) + same_amount)::float8 / (nb_30 + same_nb) AS customer_id_avg_amount_30day_window,
       terminal_nb_1 AS terminal_id_nb_tx_1day_window,
       coalesce(terminal_fraud_1::float8 / nullif(terminal_nb_1, 0), 0) AS terminal_id_risk_1day_window,
       terminal_nb_7 AS terminal_id_nb_tx_7day_window,
       coalesce(terminal_fraud_7::float8 / nullif(terminal_nb_7, 0), 0) AS terminal_id_risk_7day_window,
       terminal_nb_30 AS terminal_id_nb_tx_30day_window,
       coalesce(terminal_fraud_30::float8 / nullif(terminal_nb_30, 0), 0) AS terminal_id_risk_30day_window
FROM history;

CREATE UNIQUE INDEX transaction_features_tx_id_idx ON demo.transaction_features (tx_id);
CREATE INDEX transaction_features_tx_time_idx ON demo.transaction_features (tx_time);
ANALYZE demo.transaction_features;

COMMENT ON MATERIALIZED VIEW demo.transaction_features IS
'Each transaction with the 15 features that the model fraud_prob asks for, as they were known at its time. After new transactions: REFRESH MATERIALIZED VIEW demo.transaction_features';
COMMENT ON COLUMN demo.transaction_features.tx_during_weekend IS '1 on Saturday and Sunday, else 0';
COMMENT ON COLUMN demo.transaction_features.tx_during_night IS '1 from 00:00:00 to 06:59:59, else 0';
COMMENT ON COLUMN demo.transaction_features.customer_id_nb_tx_1day_window IS 'the customer''s transactions in the last day, this one included';
COMMENT ON COLUMN demo.transaction_features.customer_id_avg_amount_1day_window IS 'their mean amount';
COMMENT ON COLUMN demo.transaction_features.customer_id_nb_tx_7day_window IS 'the customer''s transactions in the last 7 days, this one included';
COMMENT ON COLUMN demo.transaction_features.customer_id_avg_amount_7day_window IS 'their mean amount';
COMMENT ON COLUMN demo.transaction_features.customer_id_nb_tx_30day_window IS 'the customer''s transactions in the last 30 days, this one included';
COMMENT ON COLUMN demo.transaction_features.customer_id_avg_amount_30day_window IS 'their mean amount';
COMMENT ON COLUMN demo.transaction_features.terminal_id_nb_tx_1day_window IS 'transactions at the terminal in the day that ended 7 days ago';
COMMENT ON COLUMN demo.transaction_features.terminal_id_risk_1day_window IS 'the share of frauds among them, 0 if there were none';
COMMENT ON COLUMN demo.transaction_features.terminal_id_nb_tx_7day_window IS 'transactions at the terminal in the 7 days that ended 7 days ago';
COMMENT ON COLUMN demo.transaction_features.terminal_id_risk_7day_window IS 'the share of frauds among them, 0 if there were none';
COMMENT ON COLUMN demo.transaction_features.terminal_id_nb_tx_30day_window IS 'transactions at the terminal in the 30 days that ended 7 days ago';
COMMENT ON COLUMN demo.transaction_features.terminal_id_risk_30day_window IS 'the share of frauds among them, 0 if there were none';

RESET client_min_messages;

-- The 15 features of the Fraud Detection Handbook as a feature set, demo.txn_velocity: a row sees only what was known at
-- its tx_time. Twelve look back; the amount is a column of the transaction.
--
-- A window of w days is (t - w, t]. A fraud becomes known 7 days after it happened: what is known of a terminal is of
-- (t - 7 days - w, t - 7 days].

SET client_min_messages = warning;

SELECT finai.create_feature_set('txn_velocity', 'demo.transactions', entity => 'customer_id',
         event_time => 'tx_time', event_id => 'tx_id', create_indexes => true, features => '[
  {"name": "tx_during_weekend", "agg": "weekend"},
  {"name": "tx_during_night", "agg": "night"},
  {"name": "customer_id_nb_tx_1day_window", "agg": "count", "window": "1 day"},
  {"name": "customer_id_avg_amount_1day_window", "agg": "avg", "column": "tx_amount", "window": "1 day"},
  {"name": "customer_id_nb_tx_7day_window", "agg": "count", "window": "7 days"},
  {"name": "customer_id_avg_amount_7day_window", "agg": "avg", "column": "tx_amount", "window": "7 days"},
  {"name": "customer_id_nb_tx_30day_window", "agg": "count", "window": "30 days"},
  {"name": "customer_id_avg_amount_30day_window", "agg": "avg", "column": "tx_amount", "window": "30 days"},
  {"name": "terminal_id_nb_tx_1day_window", "agg": "count", "window": "1 day", "delay": "7 days", "by": "terminal_id"},
  {"name": "terminal_id_risk_1day_window", "agg": "risk", "column": "tx_fraud", "window": "1 day", "delay": "7 days", "by": "terminal_id"},
  {"name": "terminal_id_nb_tx_7day_window", "agg": "count", "window": "7 days", "delay": "7 days", "by": "terminal_id"},
  {"name": "terminal_id_risk_7day_window", "agg": "risk", "column": "tx_fraud", "window": "7 days", "delay": "7 days", "by": "terminal_id"},
  {"name": "terminal_id_nb_tx_30day_window", "agg": "count", "window": "30 days", "delay": "7 days", "by": "terminal_id"},
  {"name": "terminal_id_risk_30day_window", "agg": "risk", "column": "tx_fraud", "window": "30 days", "delay": "7 days", "by": "terminal_id"}]') \g /dev/null

COMMENT ON VIEW demo.txn_velocity IS
'Each transaction with the 15 features that the model fraud_prob asks for, as they were known at its time. CALL finai.refresh_feature_set(''txn_velocity'') keeps a copy, demo.txn_velocity_stored';
COMMENT ON COLUMN demo.txn_velocity.tx_during_weekend IS '1 on Saturday and Sunday, else 0';
COMMENT ON COLUMN demo.txn_velocity.tx_during_night IS '1 from 00:00:00 to 06:59:59, else 0';
COMMENT ON COLUMN demo.txn_velocity.customer_id_nb_tx_1day_window IS 'the customer''s transactions in the last day, this one included; so for 7 and 30 days';
COMMENT ON COLUMN demo.txn_velocity.customer_id_avg_amount_1day_window IS 'their mean amount';
COMMENT ON COLUMN demo.txn_velocity.terminal_id_nb_tx_1day_window IS 'transactions at the terminal in the day that ended 7 days ago; so for 7 and 30 days';
COMMENT ON COLUMN demo.txn_velocity.terminal_id_risk_1day_window IS 'the share of frauds among them, 0 if there were none';

RESET client_min_messages;

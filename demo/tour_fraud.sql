-- Part of tour.sql: every card transaction scored by the model fraud_prob.

-- One backend, so that the rate below is one core's.
SET max_parallel_workers_per_gather = 0;

\echo '== 3. Fraud: score every transaction'
\echo '   A row goes in whole; the model finds its 15 features among the columns, by name:'
\echo '   SELECT tx_id, finai.fraud_prob(t) FROM demo.txn_velocity_stored t;'
CREATE TABLE demo.transaction_scores AS
SELECT t.tx_id, finai.fraud_prob(t) AS fraud_prob FROM demo.txn_velocity_stored t;
ALTER TABLE demo.transaction_scores ADD PRIMARY KEY (tx_id);
ANALYZE demo.transaction_scores;

\echo
\echo 'The ten riskiest. Nobody told the model the last column; kind 1 is an amount nobody spends, 2 a compromised terminal, 3 a stolen card.'
SELECT s.tx_id, t.tx_time, t.customer_id, t.terminal_id, t.tx_amount, round(s.fraud_prob::numeric, 4) AS fraud_prob,
       CASE WHEN t.tx_fraud THEN 'fraud, kind ' || t.tx_fraud_scenario ELSE 'no fraud' END AS truth
FROM demo.transaction_scores s JOIN demo.transactions t USING (tx_id)
ORDER BY s.fraud_prob DESC, s.tx_id
LIMIT 10;

\echo 'How good is that? AUC is the chance that a fraud scores higher than another transaction; 0.5 would be guessing.'
\echo 'The model was trained on transactions of other customers: it has seen none of these.'
WITH ranked AS (
    -- Equal scores share their mean rank: a tie counts half.
    SELECT t.tx_fraud,
           rank() OVER (ORDER BY s.fraud_prob) + (count(*) OVER (PARTITION BY s.fraud_prob) - 1) / 2.0 AS rank,
           row_number() OVER (ORDER BY s.fraud_prob DESC, s.tx_id) AS place
    FROM demo.transaction_scores s JOIN demo.transactions t USING (tx_id)
), counted AS (
    SELECT count(*) FILTER (WHERE tx_fraud) AS frauds, count(*) FILTER (WHERE NOT tx_fraud) AS others,
           sum(rank) FILTER (WHERE tx_fraud) AS rank_sum,
           count(*) FILTER (WHERE tx_fraud AND place <= 100) AS found
    FROM ranked
)
SELECT round((rank_sum - frauds * (frauds + 1) / 2.0) / (frauds * others), 4) AS auc,
       found AS "frauds among the 100 riskiest",
       round(100.0 * frauds / (frauds + others), 1) AS "among 100 at random"
FROM counted;

\echo 'How fast? One backend scores all of them once more:'
SELECT clock_timestamp() AS began \gset
SELECT count(finai.fraud_prob(t)) AS scored FROM demo.txn_velocity_stored t \gset
SELECT clock_timestamp() AS ended \gset
SELECT :scored AS rows, round(1000 * extract(epoch FROM :'ended'::timestamptz - :'began')) AS milliseconds,
       round(:scored / extract(epoch FROM :'ended'::timestamptz - :'began')) AS "rows per second";

RESET max_parallel_workers_per_gather;

-- Part of tour.sql: payments are scored as they come in, and somebody looks at those that stand out.

\echo '== 5. Guard: score payments as they come in'
\echo '   The older half of the transactions is history; the newer half, 50,000, will stream in. The bank learns of a fraud a week later.'
CREATE TABLE demo.payments (LIKE demo.transactions INCLUDING ALL);
ALTER TABLE demo.payments DROP COLUMN tx_fraud_scenario;
CREATE TABLE demo.incoming AS SELECT * FROM demo.transactions ORDER BY tx_id DESC LIMIT 50000;
INSERT INTO demo.payments (tx_id, tx_time, customer_id, terminal_id, tx_amount, tx_fraud)
SELECT tx_id, tx_time, customer_id, terminal_id, tx_amount, tx_fraud FROM demo.transactions
WHERE tx_id < (SELECT min(tx_id) FROM demo.incoming);
ANALYZE demo.payments;
SELECT (SELECT count(*) FROM demo.payments) AS history, count(*) AS to_come, min(tx_time) AS "from", max(tx_time) AS "to" FROM demo.incoming;

\echo 'The same features, of this table. What comes back are indexes that are missing; these came with the table, so there is none:'
SELECT finai.create_feature_set('payment_velocity', 'demo.payments', entity => 'customer_id', event_time => 'tx_time', event_id => 'tx_id',
         features => (SELECT definition FROM finai.feature_sets WHERE name = 'txn_velocity'));

\echo 'How many alerts would a threshold have raised, and how many of them rightly? History tells, day by day and in all:'
\echo '   SELECT * FROM finai.try_guard(''demo.payments'', ''fraud_prob'', threshold => 0.5, features => ''payment_velocity'', label => ''tx_fraud'');'
SELECT v.threshold, round(t.alerts::numeric / d.days, 1) AS "alerts a day", round(t.precision::numeric, 3) AS precision, round(t.recall::numeric, 3) AS recall
FROM (VALUES (0.2), (0.5), (0.8)) AS v (threshold),
     (SELECT count(DISTINCT tx_time::date) AS days FROM demo.payments) AS d,
     finai.try_guard('demo.payments', 'fraud_prob', v.threshold, features => 'payment_velocity', label => 'tx_fraud') AS t
WHERE t.day IS NULL
ORDER BY v.threshold;

\echo 'A guard of one statement. From now on whoever inserts has the row scored, and a suspicious one in finai.alert:'
\echo '   SELECT finai.create_guard(''demo.payments'', model => ''fraud_prob'', features => ''payment_velocity'', threshold => 0.5);'
SELECT finai.create_guard('demo.payments', model => 'fraud_prob', features => 'payment_velocity', threshold => 0.5) AS guard;

-- Batches of 100 in the order of time; at the end of each day the frauds of a week ago are known.
CREATE PROCEDURE demo.stream_payments(batch integer) LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
    day date;
    today date;
BEGIN
    FOR first IN SELECT i FROM generate_series((SELECT min(tx_id) FROM demo.incoming), (SELECT max(tx_id) FROM demo.incoming), batch) AS i LOOP
        INSERT INTO demo.payments (tx_id, tx_time, customer_id, terminal_id, tx_amount)
        SELECT tx_id, tx_time, customer_id, terminal_id, tx_amount FROM demo.incoming
        WHERE tx_id >= first AND tx_id < first + batch ORDER BY tx_id;
        today := (SELECT tx_time::date FROM demo.incoming WHERE tx_id = first);
        IF today IS DISTINCT FROM day THEN
            day := today;
            UPDATE demo.payments p SET tx_fraud = true FROM demo.incoming i
            WHERE p.tx_id = i.tx_id AND i.tx_fraud AND NOT p.tx_fraud AND i.tx_time < today - 6;
        END IF;
        COMMIT;
    END LOOP;
END
$$;
CREATE UNIQUE INDEX ON demo.incoming (tx_id);
ANALYZE demo.incoming;

\echo 'The stream: 500 statements of 100 payments.'
SELECT clock_timestamp() AS began \gset
CALL demo.stream_payments(100);
SELECT clock_timestamp() AS ended \gset
SELECT 50000 AS payments, round(extract(epoch FROM :'ended'::timestamptz - :'began')) AS seconds,
       round(1000 * extract(epoch FROM :'ended'::timestamptz - :'began') / 50000, 3) AS "ms a payment",
       (SELECT count(*) FROM finai.alert WHERE relation = 'demo.payments') AS alerts;
SELECT guard, status, rows, alerts, unscored, round(mean_us) AS "mean µs" FROM finai.guards;

\echo 'An analyst looks at what is open, the worst first:'
\echo '   SELECT * FROM finai.alert WHERE status = ''open'' ORDER BY score DESC;'
SELECT a.id, a.key ->> 'tx_id' AS tx_id, p.tx_time, p.customer_id, p.terminal_id, p.tx_amount, round(a.score::numeric, 3) AS score
FROM finai.alert a JOIN demo.payments p ON p.tx_id = (a.key ->> 'tx_id')::bigint
WHERE a.status = 'open'
ORDER BY a.score DESC, a.id
LIMIT 5;

\echo 'What did the model see in the worst one? An alert keeps the features as they were:'
SELECT f.key AS feature, f.value AS value
FROM (SELECT * FROM finai.alert WHERE status = 'open' ORDER BY score DESC, id LIMIT 1) AS a, jsonb_each_text(a.features) AS f;

\echo 'Weeks later the truth is known, and each alert gets its outcome:'
\echo '   SELECT finai.resolve_alert(id, ''confirmed'', ''charged back'') FROM finai.alert WHERE ...;'
SELECT count(finai.resolve_alert(a.id, CASE WHEN i.tx_fraud THEN 'confirmed' ELSE 'dismissed' END,
                                 CASE WHEN i.tx_fraud THEN 'charged back' ELSE 'customer confirms the payment' END)) AS resolved
FROM finai.alert a JOIN demo.incoming i ON i.tx_id = (a.key ->> 'tx_id')::bigint
WHERE a.relation = 'demo.payments' AND a.status = 'open';

\echo 'How good was the guard? Precision: of the alerts, how many were frauds. Recall: of the frauds, how many were alerts.'
SELECT count(a.id) AS alerts, count(*) FILTER (WHERE a.outcome = 'confirmed') AS confirmed, count(*) FILTER (WHERE i.tx_fraud) AS frauds,
       round(count(*) FILTER (WHERE a.outcome = 'confirmed')::numeric / nullif(count(a.id), 0), 3) AS precision,
       round(count(*) FILTER (WHERE a.outcome = 'confirmed')::numeric / nullif(count(*) FILTER (WHERE i.tx_fraud), 0), 3) AS recall,
       round(sum(i.tx_amount) FILTER (WHERE a.outcome = 'confirmed') / nullif(sum(i.tx_amount) FILTER (WHERE i.tx_fraud), 0), 3) AS "recall of money"
FROM demo.incoming i LEFT JOIN finai.alert a ON a.relation = 'demo.payments' AND (a.key ->> 'tx_id')::bigint = i.tx_id;

\echo 'By kind. A terminal that was compromised this week (2) looks like any other until its first frauds are known:'
SELECT i.tx_fraud_scenario AS kind, count(*) AS frauds, count(a.id) AS caught, round(count(a.id)::numeric / count(*), 3) AS recall
FROM demo.incoming i LEFT JOIN finai.alert a ON a.relation = 'demo.payments' AND (a.key ->> 'tx_id')::bigint = i.tx_id
WHERE i.tx_fraud
GROUP BY i.tx_fraud_scenario
ORDER BY i.tx_fraud_scenario;

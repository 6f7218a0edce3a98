-- The table for README.md, and the checks of the promise behind it.

\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset footer off

\echo
WITH finai AS (
    SELECT round, milliseconds FROM bench.sample WHERE way = 'finai'
), median AS (
    SELECT way, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.milliseconds) AS milliseconds,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY s.milliseconds / finai.milliseconds) AS ratio
    FROM bench.sample s JOIN finai USING (round)
    GROUP BY way
)
SELECT line FROM (
    SELECT 0 AS place, '| 100,000 transactions, one backend | ms | rows/s | times finai |' AS line
    UNION ALL
    SELECT 0, '|---|---:|---:|---:|'
    UNION ALL
    SELECT place, format('| %s | %s | %s | %s |', description, to_char(milliseconds, 'FM999,990'),
                         to_char((SELECT count(*) FROM bench.transactions) / milliseconds * 1000, 'FM999,999,990'),
                         to_char(ratio, 'FM990.00'))
    FROM median JOIN bench.way USING (way)
) AS t
ORDER BY place;
\echo
SELECT format('Medians of %s rounds, each of which measures every way in turn; the ratio is the median of the rounds'' ratios. PostgreSQL %s, onnxruntime %s, %s.',
              count(DISTINCT round), current_setting('server_version'), :'onnxruntime', :'cpu')
FROM bench.sample;
\echo
\pset format aligned
\pset tuples_only off
CREATE TABLE bench.verdict AS
SELECT 1 AS place, 'largest difference of a score to onnxruntime''s' AS figure, 'at most 1e-6' AS promise,
       to_char(max(abs(finai.fraud_prob(t) - bench.fraud_prob_plpython(f.features))), '9.9EEEE') AS measured,
       max(abs(finai.fraud_prob(t) - bench.fraud_prob_plpython(f.features))) <= 1e-6 AS passed
FROM bench.transactions t JOIN bench.features f USING (tx_id)
UNION ALL
SELECT 2, 'row by row from PL/Python, times finai', 'at least 10', to_char(median, 'FM990.0'), median >= 10
FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a.milliseconds / b.milliseconds) AS median
      FROM bench.sample a JOIN bench.sample b USING (round) WHERE a.way = 'row' AND b.way = 'finai') AS r;
SELECT figure, promise, measured, CASE WHEN passed THEN 'ok' ELSE 'FAILED' END AS verdict FROM bench.verdict ORDER BY place;
\pset format unaligned
\pset tuples_only on
SELECT format('%s passed, %s failed', count(*) FILTER (WHERE passed), count(*) FILTER (WHERE passed IS NOT TRUE)) FROM bench.verdict;

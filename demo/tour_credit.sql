-- Part of tour.sql: the credit applications scored by the model credit_score.

\echo '== 4. Credit: points and probability of default'
\echo '   credit_score gives points, higher is safer, 20 points double the odds; default_prob is the probability behind them.'
\echo '   SELECT id, finai.credit_score(a), finai.default_prob(a) FROM demo.applications a;'
CREATE TABLE demo.application_scores AS
SELECT a.id, finai.credit_score(a) AS points, finai.default_prob(a) AS default_prob FROM demo.applications a;
ALTER TABLE demo.application_scores ADD PRIMARY KEY (id);
ANALYZE demo.application_scores;

\echo
\echo 'The five riskiest applicants, then the five safest:'
(SELECT a.id, a.credit_amount, a.duration_in_month AS months, left(a.purpose, 20) AS purpose,
        round(s.points) AS points, round(s.default_prob::numeric, 3) AS default_prob, a.creditability AS truth
 FROM demo.application_scores s JOIN demo.applications a USING (id)
 ORDER BY s.points, a.id LIMIT 5)
UNION ALL
(SELECT a.id, a.credit_amount, a.duration_in_month, left(a.purpose, 20),
        round(s.points), round(s.default_prob::numeric, 3), a.creditability
 FROM demo.application_scores s JOIN demo.applications a USING (id)
 ORDER BY s.points DESC, a.id LIMIT 5)
ORDER BY points, id;

\echo 'The higher the points, the fewer credits went bad. Only the 300 applicants that the model has never seen are counted;'
\echo 'the other 700 taught it.'
SELECT fifth, round(min(points)) AS "points from", round(max(points)) AS "to", count(*) AS applicants,
       round(avg((creditability = 'bad')::integer), 3) AS "went bad", round(avg(default_prob)::numeric, 3) AS predicted
FROM (SELECT s.*, a.creditability, ntile(5) OVER (ORDER BY s.points) AS fifth
      FROM demo.application_scores s JOIN demo.applications a USING (id)
      WHERE a.id % 10 >= 7) AS f
GROUP BY fifth
ORDER BY fifth;

WITH ranked AS (
    SELECT a.creditability = 'bad' AS bad,
           rank() OVER (ORDER BY s.default_prob) + (count(*) OVER (PARTITION BY s.default_prob) - 1) / 2.0 AS rank
    FROM demo.application_scores s JOIN demo.applications a USING (id)
    WHERE a.id % 10 >= 7
), counted AS (
    SELECT count(*) FILTER (WHERE bad) AS bads, count(*) FILTER (WHERE NOT bad) AS goods, sum(rank) FILTER (WHERE bad) AS rank_sum
    FROM ranked
)
SELECT round((rank_sum - bads * (bads + 1) / 2.0) / (bads * goods), 4) AS auc FROM counted;

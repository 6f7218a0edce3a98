-- The table for README.md, and the checks of the promises behind it.

\set QUIET on
\pset footer off
CREATE VIEW bench.median AS
SELECT what, way, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS value FROM bench.sample GROUP BY what, way;

-- Differences and ratios are of ways that were measured one after the other.
CREATE FUNCTION bench.value(what text, way text) RETURNS float8 LANGUAGE sql STABLE
RETURN (SELECT m.value FROM bench.median m WHERE m.what = value.what AND m.way = value.way);
CREATE FUNCTION bench.added(what text, way text) RETURNS float8 LANGUAGE sql STABLE
RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY b.value - a.value)
        FROM (SELECT value, row_number() OVER (ORDER BY round) AS n FROM bench.sample s WHERE s.what = added.what AND s.way = 'bare') AS a
        JOIN (SELECT value, row_number() OVER (ORDER BY round) AS n FROM bench.sample s WHERE s.what = added.what AND s.way = added.way) AS b USING (n));
CREATE FUNCTION bench.times(what text, way text, base text) RETURNS float8 LANGUAGE sql STABLE
RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY b.value / a.value)
        FROM (SELECT value, row_number() OVER (ORDER BY round) AS n FROM bench.sample s WHERE s.what = times.what AND s.way = times.base) AS a
        JOIN (SELECT value, row_number() OVER (ORDER BY round) AS n FROM bench.sample s WHERE s.what = times.what AND s.way = times.way) AS b USING (n));

CREATE TABLE bench.verdict AS
SELECT 0 AS place, 'INSERT of one row, review guard, 300 trees, many in a transaction: added µs of the processor' AS figure, 'at most 15' AS promise,
       format('%s (bare %s; by the clock %s, bare %s; pgbench, 20 in a transaction, %s, bare %s)', round(added::numeric, 1), round(bench.value('statement processor', 'bare')::numeric, 1),
              round(bench.added('statement clock', 'guarded')::numeric, 1), round(bench.value('statement clock', 'bare')::numeric, 1),
              round(bench.added('statement', 'guarded')::numeric, 1), round(bench.value('statement', 'bare')::numeric, 1)) AS measured, added <= 15 AS passed
FROM bench.added('statement processor', 'guarded') AS added
UNION ALL
SELECT 1, 'the same, each with a COMMIT that waits for the disk', 'at most 25',
       format('%s (bare %s; by the clock %s, bare %s; pgbench %s, bare %s)', round(added::numeric, 1), round(bench.value('insert processor', 'bare')::numeric, 1),
              round(bench.added('insert clock', 'guarded')::numeric, 1), round(bench.value('insert clock', 'bare')::numeric, 1),
              round(bench.added('insert', 'guarded')::numeric), round(bench.value('insert', 'bare')::numeric)), added <= 25
FROM bench.added('insert processor', 'guarded') AS added
UNION ALL
SELECT 2, 'and with 10 features over 1.8 million rows: added ms of the processor', 'at most 1',
       format('%s (bare %s; by the clock %s, bare %s; pgbench %s, bare %s)', round(added::numeric / 1000, 3), round(bench.value('velocity processor', 'bare')::numeric / 1000, 3),
              round(bench.added('velocity clock', 'guarded')::numeric / 1000, 3), round(bench.value('velocity clock', 'bare')::numeric / 1000, 3),
              round(bench.added('velocity', 'guarded')::numeric / 1000, 3), round(bench.value('velocity', 'bare')::numeric / 1000, 3)), added <= 1000
FROM bench.added('velocity processor', 'guarded') AS added
UNION ALL
SELECT 3, 'COPY of 100,000 rows, review guard, logistic model: times bare', 'at most 2.5',
       format('%s (%s ms, bare %s)', round(times::numeric, 2), round(bench.value('copy', 'logistic')), round(bench.value('copy', 'bare'))), times <= 2.5
FROM bench.times('copy', 'logistic', 'bare') AS times
UNION ALL
SELECT 4, 'COPY of 100,000 rows, review guard, 300 trees: times bare', 'at most 4',
       format('%s (%s ms)', round(times::numeric, 2), round(bench.value('copy', 'trees'))), times <= 4
FROM bench.times('copy', 'trees', 'bare') AS times
UNION ALL
SELECT 5, '8 clients for 60 s: failed transactions, rows lost, alerts missing or wrong', '0, 0, 0',
       format('%s, %s, %s (%s rows, %s alerts in all)', failed, done - (after - before), wrong, done, reaching),
       failed = 0 AND done > 0 AND reaching > 0 AND done = after - before AND wrong = 0
FROM (SELECT bench.value('clients', 'failed') AS failed, bench.value('clients', 'processed') AS done, bench.value('clients', 'before') AS before,
             bench.value('clients', 'after') AS after, bench.value('clients', 'reaching') AS reaching, bench.value('clients', 'wrong') AS wrong) AS c
UNION ALL
SELECT 6, '14 features of a whole table by one statement: s, peak MB of the backend', 'at most 300, 512',
       format('%s, %s (%s rows)', round(seconds::numeric, 1), round(megabytes), rows), seconds <= 300 AND megabytes BETWEEN 1 AND 512
FROM (SELECT bench.value('features', 'seconds') AS seconds, bench.value('features', 'kilobytes') / 1024 AS megabytes,
             bench.value('features', 'rows') AS rows) AS f
UNION ALL
SELECT 7, 'features of one row (feature_row): median ms', 'at most 1',
       format('%s (99 of 100 below %s)', round(bench.value('row', 'milliseconds')::numeric, 3), round(high::numeric, 3)), bench.value('row', 'milliseconds') <= 1
FROM (SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY value) AS high FROM bench.sample WHERE what = 'row') AS r
UNION ALL
SELECT 8, 'refresh after 1,000 new rows: ms by rows of history; longest over shortest', 'at most 1.5 times',
       format('%s; %s', (SELECT string_agg(format('%s: %s', to_char(h.rows, 'FM9,999,999'), round(bench.value('refresh', h.name))), ', ' ORDER BY h.rows) FROM bench.history h),
              round(times::numeric, 2)), times <= 1.5
FROM bench.times('refresh', 'history_5000', 'history_278') AS times
UNION ALL
SELECT 9, 'rows of refreshed copies that differ from their views', '0', sum(value)::text, sum(value) = 0 AND count(*) = 3
FROM bench.sample WHERE what = 'differing';
SELECT figure, promise, measured, CASE WHEN passed THEN 'ok' ELSE 'FAILED' END AS verdict FROM bench.verdict ORDER BY place;
SELECT format('PostgreSQL %s, fsync on, %s. INSERT and COPY: medians of rounds that measure each way in turn.',
              current_setting('server_version'), :'cpu') AS conditions;
\pset format unaligned
\pset tuples_only on
SELECT format('%s passed, %s failed', count(*) FILTER (WHERE passed), count(*) FILTER (WHERE passed IS NOT TRUE)) FROM bench.verdict;

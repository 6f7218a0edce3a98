-- What bench/guards measures on: payments of 30 columns with two models, and 183 days of simulated card transactions.
-- Run by psql from the repository's root; the variable models names the folder that guard_models.py wrote.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

CREATE EXTENSION finai;
CREATE SCHEMA bench;
CREATE TABLE bench.sample (what text, way text, value float8, round integer GENERATED ALWAYS AS IDENTITY);

\set thresholds :models '/thresholds.sql'
\i :thresholds
\set logistic `base64 -w 0 :'models'/logistic.onnx`
\set trees `base64 -w 0 :'models'/trees.onnx`
SELECT finai.register_model('logistic', decode(:'logistic', 'base64')), finai.register_model('trees', decode(:'trees', 'base64')) \g /dev/null
SELECT finai.promote_model('logistic', 1), finai.promote_model('trees', 1) \g /dev/null

-- Three tables of payments that differ in their guards alone, and a fourth for COPY with the logistic model.
SELECT format('CREATE TABLE bench.bare (id bigint PRIMARY KEY, %s)', string_agg(format('f%s float8', i), ', ' ORDER BY i))
FROM generate_series(0, 29) AS i \gexec
CREATE TABLE bench.guarded (LIKE bench.bare INCLUDING ALL);
CREATE TABLE bench.logistic (LIKE bench.bare INCLUDING ALL);
CREATE SEQUENCE bench.payment_id;
SELECT finai.create_guard('bench.guarded', model => 'trees', threshold => :trees_threshold, name => 'trees_guard'),
       finai.create_guard('bench.logistic', model => 'logistic', threshold => :logistic_threshold, name => 'logistic_guard') \g /dev/null
CREATE TABLE bench.threshold AS SELECT :trees_threshold::float8 AS trees, :logistic_threshold::float8 AS logistic;
SELECT format('CREATE TABLE bench.copied_%s (LIKE bench.bare INCLUDING ALL)', way) FROM unnest(ARRAY['bare', 'logistic', 'trees']) AS way \gexec
SELECT finai.create_guard('bench.copied_trees', model => 'trees', threshold => :trees_threshold),
       finai.create_guard('bench.copied_logistic', model => 'logistic', threshold => :logistic_threshold) \g /dev/null
-- Rows inserted one by one, each committed or all at once, in turns of 100 into the table without a guard and the one with it:
-- microseconds of the backend's processor a row, which other work on the machine does not lengthen, and of the clock. The
-- first turns load the model and make the plans.
SELECT format($made$CREATE PROCEDURE bench.measure_inserts(what text, turns integer) LANGUAGE plpgsql AS $body$
DECLARE
    commits boolean := what = 'insert';
    r record;
    i integer := 0;
    guarded integer;
    processor bigint;
    now bigint;
    began timestamptz;
    processors bigint[] := '{0, 0}';
    clocks float8[] := '{0, 0}';
BEGIN
    FOR r IN SELECT * FROM bench.copied_bare LIMIT 200 * (2 + turns) LOOP
        IF i %% 100 = 0 THEN
            now := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint;
            IF i > 400 THEN
                processors[guarded] := processors[guarded] + now - processor;
                clocks[guarded] := clocks[guarded] + extract(epoch FROM clock_timestamp() - began);
            END IF;
            guarded := 1 + i / 100 %% 2;
            began := clock_timestamp();
            processor := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint;
        END IF;
        IF guarded = 1 THEN
            INSERT INTO bench.bare VALUES (nextval('bench.payment_id'), %1$s);
        ELSE
            INSERT INTO bench.guarded VALUES (nextval('bench.payment_id'), %1$s);
        END IF;
        IF commits THEN
            COMMIT;
        END IF;
        i := i + 1;
    END LOOP;
    INSERT INTO bench.sample (what, way, value)
    SELECT measure_inserts.what || v.kind, v.way, v.value / (100 * (turns - v.at / 2))
    FROM (VALUES (' processor', 'bare', 1, processors[1] / 1e3), (' processor', 'guarded', 2, processors[2] / 1e3),
                 (' clock', 'bare', 1, clocks[1] * 1e6), (' clock', 'guarded', 2, clocks[2] * 1e6)) AS v (kind, way, at, value);
END
$body$ $made$, (SELECT string_agg('r.f' || i, ', ' ORDER BY i) FROM generate_series(0, 29) AS i)) \gexec
CREATE TABLE bench.file AS SELECT :'models' || '/payments.csv' AS payments;

-- A new backend's first score loads the model: no part of what is measured.
CREATE PROCEDURE bench.measure_copy() LANGUAGE plpgsql AS $$
DECLARE
    way text;
    began timestamptz;
BEGIN
    FOREACH way IN ARRAY ARRAY['bare', 'logistic', 'trees'] LOOP
        EXECUTE format('TRUNCATE bench.copied_%s', way);
        EXECUTE format('INSERT INTO bench.copied_%s SELECT * FROM bench.bare LIMIT 1', way);
        EXECUTE format('TRUNCATE bench.copied_%s', way);
        COMMIT;
        began := clock_timestamp();
        EXECUTE format('COPY bench.copied_%s FROM %L (FORMAT csv)', way, (SELECT payments FROM bench.file));
        COMMIT;
        INSERT INTO bench.sample (what, way, value) VALUES ('copy', way, 1000 * extract(epoch FROM clock_timestamp() - began));
    END LOOP;
END
$$;

CREATE PROCEDURE bench.before_clients() LANGUAGE sql AS $$
INSERT INTO bench.sample (what, way, value) SELECT 'clients', 'before', count(*) FROM bench.guarded
$$;
-- Every row of the guarded table is scored anew: an alert for each that reaches the threshold, and no other.
CREATE PROCEDURE bench.after_clients() LANGUAGE sql AS $$
INSERT INTO bench.sample (what, way, value)
WITH scored AS (
    SELECT g.id, finai.score('trees', g) >= t.trees AS reaches FROM bench.guarded g, bench.threshold t
), alerted AS (
    SELECT (key ->> 'id')::bigint AS id, count(*) AS alerts, count(*) FILTER (WHERE status <> 'open') AS others
    FROM finai.alert WHERE guard = 'trees_guard' GROUP BY 1
)
SELECT 'clients', v.way, v.value
FROM (SELECT count(*) AS rows, count(*) FILTER (WHERE reaches) AS reaching,
             count(*) FILTER (WHERE reaches IS DISTINCT FROM (alerts = 1) AND (reaches OR alerts IS NOT NULL)) + coalesce(sum(others), 0) AS wrong
      FROM scored FULL JOIN alerted USING (id)) AS r,
     LATERAL (VALUES ('after', r.rows), ('reaching', r.reaching), ('wrong', r.wrong)) AS v (way, value)
$$;

-- Half a year of card transactions, and ten features that look back.
\i demo/simulator.sql
CALL demo.simulate_transactions();
\i demo/features.sql
SELECT finai.create_feature_set('velocity_10', 'demo.transactions', entity => 'customer_id', event_time => 'tx_time', event_id => 'tx_id',
         features => (SELECT jsonb_agg(f ORDER BY n) FROM finai.feature_set s, jsonb_array_elements(s.features) WITH ORDINALITY AS e (f, n)
                      WHERE s.name = 'txn_velocity' AND n IN (3, 4, 5, 6, 7, 8, 10, 11, 12, 14))) \g /dev/null
VACUUM ANALYZE demo.transactions;
CREATE SEQUENCE bench.tx_id START 100000000;
SELECT localtimestamp - max(tx_time) AS age FROM demo.transactions \gset
CREATE FUNCTION bench.simulated_now() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE RETURN localtimestamp - interval :'age';

-- What velocity.onnx is trained on: one week, its features in the order of the view, the label last.
SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) AS velocity FROM pg_attribute
WHERE attrelid = 'demo.velocity_10'::regclass AND attname ~ '_window$' \gset
SELECT format('CREATE VIEW bench.week AS SELECT %s, tx_fraud::integer AS fraud FROM demo.velocity_10
               WHERE tx_time >= %L AND tx_time < %L', :'velocity', '2018-07-25', '2018-08-01') \gexec

CREATE PROCEDURE bench.measure_features() LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    CREATE TABLE bench.features AS SELECT * FROM demo.txn_velocity;
    COMMIT;
    INSERT INTO bench.sample (what, way, value)
    SELECT 'features', v.way, v.value
    FROM (VALUES ('seconds', extract(epoch FROM clock_timestamp() - began)), ('rows', (SELECT count(*) FROM bench.features))) AS v (way, value);
    DROP TABLE bench.features;
END
$$;

-- Single rows all over the history, each asked for as a guard asks for it; the first ones warm caches.
CREATE PROCEDURE bench.measure_rows(n integer) LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint;
    began timestamptz;
BEGIN
    FOR i IN 1 .. 100 + n LOOP
        wanted := hashint8extended(i, 0) & 1048575;
        began := clock_timestamp();
        PERFORM finai.feature_row(NULL::demo.txn_velocity, t) FROM demo.transactions t WHERE t.tx_id = wanted;
        IF i > 100 THEN
            INSERT INTO bench.sample (what, way, value) VALUES ('row', 'milliseconds', 1000 * extract(epoch FROM clock_timestamp() - began));
        END IF;
    END LOOP;
END
$$;

-- Histories of about 100,000, 500,000 and 1.8 million rows in which a card and a terminal see as much a day; the last 6,000
-- rows of each come later.
CREATE TABLE bench.history (customers integer PRIMARY KEY, name text GENERATED ALWAYS AS ('history_' || customers) STORED, rows bigint);
INSERT INTO bench.history (customers) VALUES (278), (1392), (5000);
CREATE PROCEDURE bench.prepare_refresh() LANGUAGE plpgsql AS $$
DECLARE
    h bench.history;
    began timestamptz;
BEGIN
    FOR h IN SELECT * FROM bench.history ORDER BY customers LOOP
        CALL demo.simulate_transactions(n_customers => h.customers, n_terminals => 2 * h.customers, radius => 5 * sqrt(5000.0 / h.customers)::float8,
             compromised_terminals_per_day => 2 * h.customers / 5000.0, compromised_customers_per_day => 3 * h.customers / 5000.0);
        EXECUTE format('CREATE TABLE bench.later_%s AS SELECT * FROM demo.transactions ORDER BY tx_id DESC LIMIT 6000', h.name);
        EXECUTE format('CREATE TABLE bench.%I (LIKE demo.transactions INCLUDING ALL)', h.name);
        EXECUTE format('INSERT INTO bench.%I SELECT * FROM demo.transactions ORDER BY tx_id LIMIT (SELECT count(*) - 6000 FROM demo.transactions)', h.name);
        EXECUTE format('ANALYZE bench.%I', h.name);
        EXECUTE format('UPDATE bench.history SET rows = (SELECT count(*) FROM bench.%I) WHERE customers = $1', h.name) USING h.customers;
        PERFORM finai.create_feature_set(h.name || '_velocity', format('bench.%I', h.name)::regclass, entity => 'customer_id', event_time => 'tx_time',
                event_id => 'tx_id', features => (SELECT features FROM finai.feature_set WHERE name = 'txn_velocity'));
        COMMIT;
        began := clock_timestamp();
        CALL finai.refresh_feature_set(h.name || '_velocity');
        COMMIT;
        INSERT INTO bench.sample (what, way, value) VALUES ('first refresh', h.name, 1000 * extract(epoch FROM clock_timestamp() - began));
    END LOOP;
END
$$;
-- The next 1,000 rows of each history, in the order of time.
CREATE PROCEDURE bench.measure_refresh() LANGUAGE plpgsql AS $$
DECLARE
    h bench.history;
    began timestamptz;
BEGIN
    FOR h IN SELECT * FROM bench.history ORDER BY customers LOOP
        EXECUTE format('WITH moved AS (DELETE FROM bench.later_%1$s WHERE tx_id IN (SELECT tx_id FROM bench.later_%1$s ORDER BY tx_id LIMIT 1000) RETURNING *)
                        INSERT INTO bench.%1$I SELECT * FROM moved ORDER BY tx_id', h.name);
        COMMIT;
        began := clock_timestamp();
        CALL finai.refresh_feature_set(h.name || '_velocity');
        COMMIT;
        INSERT INTO bench.sample (what, way, value) VALUES ('refresh', h.name, 1000 * extract(epoch FROM clock_timestamp() - began));
    END LOOP;
END
$$;
-- How many rows of a copy are not, to the last bit, those of its view.
CREATE PROCEDURE bench.compare_copies() LANGUAGE plpgsql AS $$
DECLARE
    h bench.history;
    differing bigint;
BEGIN
    FOR h IN SELECT * FROM bench.history ORDER BY customers LOOP
        EXECUTE format('SELECT count(*) FROM bench.%1$I_velocity v FULL JOIN bench.%1$I_velocity_stored s USING (tx_id)
                        WHERE v.tx_time IS NULL OR s.tx_time IS NULL OR v.* *<> s.*', h.name) INTO differing;
        INSERT INTO bench.sample (what, way, value) VALUES ('differing', h.name, differing);
    END LOOP;
END
$$;

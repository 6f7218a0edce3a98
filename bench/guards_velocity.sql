-- The model of the ten features, and the guard that is measured beside none. After guards_setup.sql.

\set ON_ERROR_STOP on
\set QUIET on
\set thresholds :models '/thresholds.sql'
\i :thresholds
\set velocity `base64 -w 0 :'models'/velocity.onnx`
SELECT finai.register_model('velocity', decode(:'velocity', 'base64')) \g /dev/null
SELECT finai.promote_model('velocity', 1) \g /dev/null
CREATE TABLE bench.velocity_threshold AS SELECT :velocity_threshold::float8 AS threshold;

CREATE PROCEDURE bench.guard_velocity(wanted boolean) LANGUAGE plpgsql AS $$
BEGIN
    IF wanted THEN
        PERFORM finai.create_guard('demo.transactions', model => 'velocity', features => 'velocity_10', name => 'velocity_guard',
                threshold => (SELECT threshold FROM bench.velocity_threshold));
    ELSE
        PERFORM finai.drop_guard('velocity_guard');
    END IF;
END
$$;

-- As bench.measure_inserts, of card transactions: with the guard or without.
CREATE PROCEDURE bench.insert_velocity(way text, n integer) LANGUAGE plpgsql AS $$
DECLARE
    processor bigint;
    began timestamptz;
BEGIN
    FOR i IN 1 .. 200 + n LOOP
        IF i = 201 THEN
            processor := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint;
            began := clock_timestamp();
        END IF;
        INSERT INTO demo.transactions (tx_id, tx_time, customer_id, terminal_id, tx_amount)
        VALUES (nextval('bench.tx_id'), bench.simulated_now(), 5000 * random() - 0.5, 10000 * random() - 0.5, 1 + 300 * random());
        COMMIT;
    END LOOP;
    INSERT INTO bench.sample (what, way, value) VALUES
      ('velocity processor', way, (split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - processor) / 1000.0 / n),
      ('velocity clock', way, 1e6 * extract(epoch FROM clock_timestamp() - began) / n);
END
$$;

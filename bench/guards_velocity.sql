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

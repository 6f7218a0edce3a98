-- What scoring did, as one session without preloading counts it.
\set ECHO none
\i demo/credit.sql
\set ECHO all
-- This backend's own: no worker scores for it.
SET max_parallel_workers_per_gather = 0;
SET search_path = demo, public;
\set multi `base64 -w0 engine/tests/fixtures/german_multi.onnx`
\set network `base64 -w0 engine/tests/fixtures/german_mlp.onnx`
SELECT finai.register_model('network', decode(:'network', 'base64'));
SELECT finai.promote_model('network', 1);
SELECT finai.register_model('network', decode(:'network', 'base64'));
SELECT finai.register_model('multi', decode(:'multi', 'base64'));
SELECT finai.promote_model('multi', 1);

-- Registering, promoting and describing score nothing.
SELECT count(*) FROM finai.describe_model('network') WHERE part = 'model';
SELECT * FROM finai.stat_models;

-- Rows exactly, calls by their place in a statement.
SELECT count(finai.score('network', a)) FROM applications a;
SELECT model, version, calls, rows, errors, scope FROM finai.stat_models;
SELECT count(finai.score('network', a)), count(finai.classify('network', a)) FROM applications a WHERE id <= 10;
SELECT count(finai.credit_score(a)) FROM applications a;
SELECT count(finai.score('network@2', a)) FROM applications a WHERE id <= 17;
SELECT model, version, calls, rows, errors FROM finai.stat_models;
-- A call that sees no row did not score.
SELECT finai.score('network', a) FROM applications a WHERE false;
SELECT finai.score('network', NULL::applications) IS NULL AS none;
SELECT calls, rows FROM finai.stat_models WHERE model = 'network' AND version = 1;

-- Times: every call's first row and one in sixteen.
SELECT bool_and(total_ms > 0) AS total, bool_and(abs(mean_us - 1000 * total_ms / rows) < 1e-6) AS mean,
       bool_and(last_scored BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp()) AS last
FROM finai.stat_models;
SELECT last_scored AS earlier FROM finai.stat_models WHERE model = 'credit_score' \gset
SELECT finai.credit_score(a) > 0 AS scored FROM applications a LIMIT 1;
SELECT last_scored > :'earlier' AS moved FROM finai.stat_models WHERE model = 'credit_score';
-- Finding and compiling the model is no part of them: the first call of a session takes no longer here than the second.
\c -
SET max_parallel_workers_per_gather = 0;
SET search_path = demo, public;
SELECT * FROM finai.stat_models;
SELECT finai.credit_score(a) > 0 AS scored FROM applications a LIMIT 1;
SELECT load_ms FROM finai.cached_models() \gset
SELECT total_ms < :load_ms AS without_loading FROM finai.stat_models;

-- Rows that are refused are errors; rows before them count; nothing is lost when the transaction aborts.
SELECT finai.reset_stat_models();
SELECT * FROM finai.stat_models;
CREATE TABLE gaps AS SELECT * FROM applications WHERE id <= 5 ORDER BY id;
ALTER TABLE gaps ALTER COLUMN credit_amount DROP NOT NULL;
UPDATE gaps SET credit_amount = NULL WHERE id = 5;
SELECT finai.register_model('strict', decode(:'network', 'base64'), missing => '{"credit_amount": "error"}');
SELECT finai.promote_model('strict', 1);
SELECT count(finai.score('strict', g)) FROM (SELECT * FROM gaps ORDER BY id) g;
BEGIN;
SELECT count(finai.score('strict', g)) FROM gaps g WHERE id < 5;
SELECT count(finai.score('strict', g)) FROM (SELECT * FROM gaps ORDER BY id) g;
ROLLBACK;
SELECT model, calls, rows, errors, total_ms > 0 AS timed FROM finai.stat_models;
-- A row that does not bind; in a block that goes on.
DO $$
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      PERFORM finai.score('strict', x) FROM (SELECT 1 AS nothing) x;
    EXCEPTION WHEN others THEN
      NULL;
    END;
    PERFORM finai.score('strict', g) FROM demo.gaps g WHERE id = 1;
  END LOOP;
END
$$;
SELECT model, calls, rows, errors FROM finai.stat_models;
-- What has no version counts nowhere: no such model, no privilege.
SELECT finai.score('nothing', a) FROM applications a;
SELECT model FROM finai.stat_models;
-- Scalar expressions of PL/pgSQL count a call for each statement.
DO $$
DECLARE
  a demo.applications;
  s double precision := 0;
BEGIN
  FOR a IN SELECT * FROM demo.applications WHERE id <= 20 LOOP
    s := s + finai.score('network', a);
  END LOOP;
END
$$;
SELECT model, calls >= 1 AND calls <= rows AS calls, rows FROM finai.stat_models WHERE model = 'network';

-- A cursor counts when it is closed.
BEGIN;
SELECT finai.reset_stat_models();
DECLARE scores CURSOR FOR SELECT finai.score('network', a) FROM applications a;
MOVE 40 FROM scores;
SELECT count(*) FROM finai.stat_models;
CLOSE scores;
SELECT calls, rows FROM finai.stat_models;
COMMIT;

-- Versions that are gone are not listed, nor what was registered and rolled back; new bytes under an old name begin anew.
BEGIN;
SELECT finai.register_model('gone', decode(:'network', 'base64'));
SELECT finai.promote_model('gone', 1);
SELECT finai.score('gone', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model, rows FROM finai.stat_models WHERE model = 'gone';
ROLLBACK;
SELECT count(*) FROM finai.stat_models WHERE model = 'gone';
SELECT finai.register_model('gone', decode(:'multi', 'base64'), output => 'rent');
SELECT finai.promote_model('gone', 1);
SELECT count(*) FROM finai.stat_models WHERE model = 'gone';
SELECT finai.score('gone', a) IS NOT NULL AS scored FROM applications a LIMIT 2;
SELECT calls, rows FROM finai.stat_models WHERE model = 'gone';

-- Everybody sees counts; only the owner forgets them.
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT count(*) > 0 AS seen FROM finai.stat_models;
SELECT finai.reset_stat_models();
RESET ROLE;
DROP ROLE regress_reader;
-- In a read-only transaction, too, without a transaction id.
BEGIN READ ONLY;
SELECT finai.credit_score(a) > 0 AS scored FROM applications a LIMIT 1;
SELECT count(*) > 0 AS seen FROM finai.stat_models;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_id;
COMMIT;

-- Compiled models of one backend: what is kept, for how long, what it counts.
\set ECHO none
\i demo/credit.sql
\set ECHO all
-- This backend's own: no worker scores for it.
SET max_parallel_workers_per_gather = 0;
SET search_path = demo, public;
\set forest `base64 -w0 engine/tests/fixtures/german_rf.onnx`
\set boosted `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
\set histogram `base64 -w0 engine/tests/fixtures/german_hgb.onnx`
\set network `base64 -w0 engine/tests/fixtures/german_mlp.onnx`
SELECT finai.register_model('forest', decode(:'forest', 'base64'));
SELECT finai.promote_model('forest', 1);
SELECT finai.register_model('boosted', decode(:'boosted', 'base64'));
SELECT finai.promote_model('boosted', 1);
SELECT finai.register_model('histogram', decode(:'histogram', 'base64'));
SELECT finai.promote_model('histogram', 1);
SELECT finai.register_model('network', decode(:'network', 'base64'));
SELECT finai.promote_model('network', 1);

-- Registering keeps nothing; a new session holds nothing.
SELECT count(*) FROM finai.cached_models();
SELECT allocated > 0 AS allocated, peak >= allocated AS peak, cached FROM finai.backend_memory();
\c -
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM finai.cached_models();
SET search_path = demo, public;

-- What a model that is loaded adds to the memory is what it says that it holds: trees, a dense network, a pipeline, a network
-- that runs through tract. The first of a kind brings some of the library's own.
\set attention `base64 -w0 engine/tests/fixtures/networks/keras_attention.onnx`
SELECT finai.register_model('attention', decode(:'attention', 'base64'));
SELECT finai.promote_model('attention', 1);
SELECT avg(finai.score('network', a)) > 0 AS scored FROM applications a;
SELECT allocated AS before FROM finai.backend_memory() \gset
SELECT avg(finai.score('forest', a)) > 0 AS scored FROM applications a;
SELECT allocated AS loaded, cached FROM finai.backend_memory() \gset
SELECT bytes FROM finai.cached_models() WHERE model = 'forest' \gset
SELECT :bytes > 50000 AS large, :loaded - :before BETWEEN 0.95 * :bytes AND 1.05 * :bytes + 4096 AS honest;
SELECT :cached = sum(bytes) AS summed, :cached <= :loaded AS within FROM finai.cached_models();
SELECT allocated AS empty FROM finai.backend_memory() \gset
SELECT finai.score('credit_score', a) > 0 AS scored FROM applications a LIMIT 1;
SELECT allocated AS loaded FROM finai.backend_memory() \gset
SELECT :loaded - :empty BETWEEN 0.95 * bytes AND 1.05 * bytes + 4096 AS honest FROM finai.cached_models() WHERE model = 'credit_score';
SELECT allocated AS empty FROM finai.backend_memory() \gset
SELECT count(*) > 0 AS described FROM finai.describe_model('attention');
SELECT allocated AS loaded FROM finai.backend_memory() \gset
SELECT bytes > 500000 AS large, :loaded - :empty BETWEEN 0.95 * bytes AND 1.05 * bytes + 4096 AS honest FROM finai.cached_models() WHERE model = 'attention';
SET finai.cache_memory = 0;
SELECT avg(finai.score('forest', a)) > 0 AS scored FROM applications a;
RESET finai.cache_memory;
-- And gives it back. The last one used stays.
SET finai.cache_memory = 0;
SELECT model, version FROM finai.cached_models();
SELECT finai.score('network', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model FROM finai.cached_models();
SELECT allocated - :before BETWEEN -8192 AND 8192 AS given_back, cached < :bytes AS small FROM finai.backend_memory();
SELECT peak >= :loaded AS peak FROM finai.backend_memory();
RESET finai.cache_memory;

-- The last used first; hits are the calls that found it compiled, however many rows they score.
SELECT count(finai.score('boosted', a)) FROM applications a;
SELECT count(finai.score('histogram', a)) FROM applications a;
SELECT count(finai.score('boosted', a)) FROM applications a;
SELECT count(finai.score('boosted', a)), count(finai.score('boosted@1', a)) FROM applications a;
SELECT model, version, hits FROM finai.cached_models();
SELECT bool_and(load_ms > 0 AND load_ms < 10000) AS load_ms, bool_and(loaded_at <= last_used AND last_used <= clock_timestamp()) AS times,
       bool_and(bytes > 0) AS bytes, bool_and(c.sha256 = m.sha256) AS sha256
FROM finai.cached_models() c JOIN finai.models m USING (model, version);
SELECT finai.score('forest', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT bool_and(last_used <= earlier) AS ordered
FROM (SELECT last_used, lag(last_used) OVER (ORDER BY n) AS earlier FROM finai.cached_models() WITH ORDINALITY AS c (m, v, s, b, h, l, a, last_used, n)) AS c;

-- Over the limit, the one used longest ago goes first.
SELECT sum(bytes) AS held, max(bytes) AS largest FROM finai.cached_models() \gset
SELECT model FROM finai.cached_models();
SELECT (:held - 1) / 1024 AS limit \gset
SET finai.cache_memory = :limit;
SELECT model FROM finai.cached_models();
SELECT sum(bytes) <= :limit * 1024 AS bounded FROM finai.cached_models();
-- One that left is compiled again when it is needed: no hit.
SELECT finai.score('network', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model, hits FROM finai.cached_models() LIMIT 1;
SELECT sum(bytes) <= :limit * 1024 AS bounded FROM finai.cached_models();
-- A model over the whole limit is alone in the cache, and the next small one sends it away.
SET finai.cache_memory = 64;
SELECT finai.score('forest', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model, bytes > 64 * 1024 AS over FROM finai.cached_models();
SELECT finai.score('forest', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model, hits FROM finai.cached_models();
SELECT finai.score('network', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model FROM finai.cached_models();
-- Of two models in one statement, both are used although the cache keeps one.
SET finai.cache_memory = 0;
SELECT count(finai.score('forest', a)) AS forest, count(finai.score('network', a)) AS network FROM applications a;
SELECT count(*) FROM finai.cached_models();
-- An open cursor keeps what it uses, whatever the cache does, and gives it back.
SELECT finai.score('network', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT allocated AS before FROM finai.backend_memory() \gset
BEGIN;
DECLARE scores CURSOR FOR SELECT finai.score('forest', a) IS NOT NULL AS scored FROM applications a;
FETCH 1 FROM scores;
SELECT finai.score('network', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model FROM finai.cached_models();
SELECT allocated - :before > 0.8 * :bytes AS kept FROM finai.backend_memory();
FETCH 1 FROM scores;
COMMIT;
SELECT abs(allocated - :before) < 8192 AS given_back FROM finai.backend_memory();
RESET finai.cache_memory;

-- The same bytes under another name share one compiled model, which shows under the name that used it last.
SELECT finai.register_model('copy', decode(:'network', 'base64'));
SELECT finai.promote_model('copy', 1);
SELECT finai.score('network', a) = finai.score('copy', a) AS same FROM applications a LIMIT 1;
SELECT count(*) FILTER (WHERE model = 'copy') AS copy, count(*) FILTER (WHERE model = 'network') AS network FROM finai.cached_models();
-- Declared otherwise, it is another.
SELECT finai.register_model('copy', decode(:'network', 'base64'), missing => '{"credit_amount": 1000}');
SELECT finai.promote_model('copy', 2);
SELECT finai.score('network', a) = finai.score('copy', a) AS same FROM applications a LIMIT 1;
SELECT model, version FROM finai.cached_models() WHERE model IN ('copy', 'network') ORDER BY 1, 2;

-- A rollback changes nothing here: an entry is what bytes compile to, whoever may see them.
BEGIN;
SELECT finai.register_model('gone', decode(:'boosted', 'base64'), missing => '{"duration_in_month": 1000}');
SELECT finai.promote_model('gone', 1);
SELECT finai.score('gone', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
ROLLBACK;
SELECT model FROM finai.cached_models() LIMIT 1;
SELECT finai.score('gone', a) FROM applications a LIMIT 1;

-- Errors leave the cache usable.
SELECT finai.score('boosted', x) FROM (SELECT 1 AS a) x;
SELECT finai.score('boosted', a) IS NOT NULL AS scored FROM applications a LIMIT 1;
SELECT model FROM finai.cached_models() LIMIT 1;

-- Everybody sees what their own session holds; the limit is a superuser's.
CREATE ROLE regress_cache;
SET ROLE regress_cache;
SELECT count(*) > 0 AS cached FROM finai.cached_models();
SELECT allocated > cached AS allocated FROM finai.backend_memory();
SET finai.cache_memory = 0;
RESET ROLE;
DROP ROLE regress_cache;

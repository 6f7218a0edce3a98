-- What scoring did, by model and version.
CREATE VIEW finai.stat_models AS
SELECT s.model, s.version, s.calls, s.rows, s.errors, s.total_ms, s.mean_us, s.last_scored, s.scope
FROM finai._model_statistics() s
ORDER BY s.model, s.version;
COMMENT ON VIEW finai.stat_models IS
'What scoring with each version did: scope cluster where finai is in shared_preload_libraries (all sessions and
parallel workers of this database since the server started), otherwise scope backend (what this session''s own
process scored, without its parallel workers).
Versions that were not scored, or are gone, are not listed; a model that is renamed begins anew.
Counts are added when a call''s statement ends, whether it succeeds or not.
At most 1,024 versions of the cluster are counted at once, then the one scored longest ago is forgotten.';
COMMENT ON COLUMN finai.stat_models.model IS 'The model''s name.';
COMMENT ON COLUMN finai.stat_models.version IS 'The version''s number.';
COMMENT ON COLUMN finai.stat_models.calls IS
'Calls in statements that scored or failed: a call in a query counts once, whatever the number of its rows,
and once more in each parallel worker.';
COMMENT ON COLUMN finai.stat_models.rows IS 'Rows scored, exactly.';
COMMENT ON COLUMN finai.stat_models.errors IS 'Rows that the binding or the model refused, and calls whose model could not be loaded.';
COMMENT ON COLUMN finai.stat_models.total_ms IS
'Milliseconds in scoring rows, without finding and loading the model: each call''s first row is timed and one in
sixteen of the others, which stands for them.';
COMMENT ON COLUMN finai.stat_models.mean_us IS 'total_ms / rows, in microseconds; NULL where no row was scored.';
COMMENT ON COLUMN finai.stat_models.last_scored IS 'When the last of the timed rows was scored; NULL where no row was scored.';
COMMENT ON COLUMN finai.stat_models.scope IS 'cluster or backend.';
COMMENT ON FUNCTION finai._model_statistics() IS 'The rows of the view finai.stat_models, in no order.';
COMMENT ON FUNCTION finai._statistics_scope() IS 'cluster or backend, as finai.stat_models.scope, also where nothing is counted yet.';
COMMENT ON FUNCTION finai.reset_stat_models() IS
'Forgets what finai.stat_models shows of this database: for scope cluster everybody''s,
for scope backend this session''s.';
COMMENT ON FUNCTION finai.cached_models() IS
'The compiled models that this session''s process keeps, the one used last first: a version that was scored,
its bytes in memory (finai.cache_memory bounds their sum), how often a call found it compiled,
the milliseconds that reading and compiling it took, when that was, and when it was used last.
Versions with the same bytes and declaration share one.';
COMMENT ON FUNCTION finai.backend_memory() IS
'Bytes that finai has allocated in this session''s process outside PostgreSQL''s memory contexts:
now (allocated), at most so far (peak), and of those allocated the compiled models in the cache (cached).
A model that left the cache is freed when the last open statement that uses it ends.';

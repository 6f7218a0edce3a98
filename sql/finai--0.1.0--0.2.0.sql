\echo Use "ALTER EXTENSION finai UPDATE TO '0.2.0'" to load this file. \quit

-- What there is before, to tell it from what is new.
SELECT pg_catalog.set_config('finai_update.functions', (
  SELECT pg_catalog.array_agg(p.oid)::pg_catalog.text FROM pg_catalog.pg_proc p
  WHERE p.pronamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace), true);
SELECT pg_catalog.set_config('finai_update.relations', (
  SELECT pg_catalog.array_agg(c.oid)::pg_catalog.text FROM pg_catalog.pg_class c
  WHERE c.relnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace), true);

-- Grants on functions that get further arguments end with them: say which are to be made again, as grants of an update
-- script would not be dumped.
DO $$
DECLARE
  function pg_catalog.regprocedure;
  grantee pg_catalog.text;
BEGIN
  FOR function, grantee IN
    SELECT p.oid, CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::pg_catalog.text END
    FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a
    WHERE p.oid OPERATOR(pg_catalog.=) ANY (ARRAY[
            'finai.register_model(text, bytea, text[], text, text[], jsonb, text, text)'::pg_catalog.regprocedure,
            'finai.promote_model(text, integer, text)', 'finai.grant_model(text, text, text)', 'finai.revoke_model(text, text, text)'])
      AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
    ORDER BY 1, 2
  LOOP
    RAISE WARNING 'the grant on function % ends, as it has other arguments now', function
      USING HINT = pg_catalog.format('GRANT EXECUTE ON FUNCTION finai.%I TO %s;',
                                     (SELECT p.proname FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) function), grantee);
  END LOOP;
END
$$;
DROP FUNCTION finai.register_model(text, bytea, text[], text, text[], jsonb, text, text);
DROP FUNCTION finai.promote_model(text, integer, text);
DROP FUNCTION finai.grant_model(text, text, text);
DROP FUNCTION finai.revoke_model(text, text, text);

-- Tables that there were.
ALTER TABLE finai.model
  ADD COLUMN use_case text,
  ADD COLUMN tolerance double precision
    CONSTRAINT model_tolerance_check CHECK (tolerance OPERATOR(pg_catalog.>=) 0 AND tolerance OPERATOR(pg_catalog.<) 'Infinity'),
  ADD COLUMN two_person boolean NOT NULL DEFAULT false,
  ADD COLUMN on_schema_change text NOT NULL DEFAULT 'refuse'
    CONSTRAINT model_on_schema_change_check CHECK (on_schema_change OPERATOR(pg_catalog.=) ANY (ARRAY['refuse', 'mark']));
ALTER TABLE finai.model_blob
  ADD CONSTRAINT model_blob_sha256_check CHECK (sha256 OPERATOR(pg_catalog.=) pg_catalog.sha256(onnx));
ALTER TABLE finai.model_version
  ADD COLUMN registered_session name,
  ADD COLUMN reference jsonb,
  ADD COLUMN tolerance double precision,
  ADD COLUMN registered_session_oid oid;
ALTER TABLE finai.model_alias
  ADD COLUMN previous integer[] NOT NULL DEFAULT '{}';
ALTER TABLE finai.model_event
  ADD COLUMN happened_session name,
  ADD COLUMN reason text;
COMMENT ON TABLE finai.model IS 'One row per registered model with its settings. Versions are numbered from next_version and never reused.';
COMMENT ON COLUMN finai.model.tolerance IS 'Tolerance of reference rows where a registration names none; 1e-5 where neither does.';
COMMENT ON COLUMN finai.model.two_person IS 'Whether who registered a version may not promote it, superusers included.';
COMMENT ON COLUMN finai.model.on_schema_change IS 'What happens when DDL takes away a column that a promoted version reads through a typed scoring function: refuse the DDL, or mark the version.';
COMMENT ON COLUMN finai.model_version.registered_session IS 'Role that the session was authenticated as at registration, whom the two-person rule keeps from promoting it; the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.model_version.reference IS 'Rows with the trainer''s own scores, which the version reproduced within the tolerance when it was registered.';
COMMENT ON COLUMN finai.model_version.tolerance IS 'Largest accepted |score - reference| / max(1, |reference|) of a reference row.';
COMMENT ON COLUMN finai.model_alias.previous IS 'Versions that the alias meant before, the last one last: what rollback_model goes back to.';

CREATE INDEX model_event_model_idx ON finai.model_event (model, version);
COMMENT ON TABLE finai.model_event IS 'Append-only history of every change of a model: who (current and session role), when, what and why.';

CREATE TABLE finai.model_status (
  model      text COLLATE "C" NOT NULL
             CONSTRAINT model_status_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  version    integer NOT NULL,
  status     text COLLATE "C" NOT NULL CONSTRAINT model_status_status_check CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['retired', 'failed', 'broken'])),
  detail     text,
  changed_by name NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT model_status_pkey PRIMARY KEY (model, version)
);
COMMENT ON TABLE finai.model_status IS 'Versions that are retired (not scored any more), failed (reference rows no longer agree) or broken (a column that they read is gone). A version without a row is verified.';

CREATE TRIGGER model_version_immutable
  BEFORE UPDATE OF version, sha256, declaration, signature, notes, registered_by, registered_at, reference, tolerance, registered_session_oid
  ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_change();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_immutable;

CREATE FUNCTION finai._refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
    USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'The functions of schema finai remove rows of this table; DROP EXTENSION finai removes all.';
END
$$;

CREATE TRIGGER model_no_truncate BEFORE TRUNCATE ON finai.model FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model ENABLE ALWAYS TRIGGER model_no_truncate;
CREATE TRIGGER model_blob_no_truncate BEFORE TRUNCATE ON finai.model_blob FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_blob ENABLE ALWAYS TRIGGER model_blob_no_truncate;
CREATE TRIGGER model_version_no_truncate BEFORE TRUNCATE ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_no_truncate;
CREATE TRIGGER model_status_no_truncate BEFORE TRUNCATE ON finai.model_status FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_status ENABLE ALWAYS TRIGGER model_status_no_truncate;
CREATE TRIGGER model_alias_no_truncate BEFORE TRUNCATE ON finai.model_alias FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_alias ENABLE ALWAYS TRIGGER model_alias_no_truncate;
CREATE TRIGGER model_grant_no_truncate BEFORE TRUNCATE ON finai.model_grant FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_grant ENABLE ALWAYS TRIGGER model_grant_no_truncate;

CREATE FUNCTION finai._model_version_session_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.registered_session_oid := (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = NEW.registered_session);
  RETURN NEW;
END
$$;
CREATE TRIGGER model_version_session_oid BEFORE INSERT ON finai.model_version
  FOR EACH ROW EXECUTE FUNCTION finai._model_version_session_oid();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_session_oid;

-- Roles with pg_write_all_data could write here without a privilege: only the tables' owner does, for whom functions act.
CREATE FUNCTION finai._refuse_strangers() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
    RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'This table is changed by the functions of schema finai.';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER model_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model ENABLE ALWAYS TRIGGER model_strangers;
CREATE TRIGGER model_blob_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_blob FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_blob ENABLE ALWAYS TRIGGER model_blob_strangers;
CREATE TRIGGER model_version_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_strangers;
CREATE TRIGGER model_status_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_status FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_status ENABLE ALWAYS TRIGGER model_status_strangers;
CREATE TRIGGER model_alias_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_alias FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_alias ENABLE ALWAYS TRIGGER model_alias_strangers;
CREATE TRIGGER model_grant_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_grant FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_grant ENABLE ALWAYS TRIGGER model_grant_strangers;
CREATE TRIGGER model_event_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_event FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_event ENABLE ALWAYS TRIGGER model_event_strangers;

CREATE FUNCTION finai._refuse_delete_of_promoted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM finai.model_alias a
             WHERE a.model = OLD.model AND (a.version = OLD.version OR OLD.version = ANY (a.previous))) THEN
    RAISE EXCEPTION 'version % of model "%" is promoted', OLD.version, OLD.model
      USING ERRCODE = 'dependent_objects_still_exist',
            HINT = format('finai.drop_model(%L) removes the model; a version that no alias means any more can be retired with finai.retire_model.', OLD.model);
  END IF;
  RETURN OLD;
END
$$;

CREATE TRIGGER model_version_promoted BEFORE DELETE ON finai.model_version
  FOR EACH ROW EXECUTE FUNCTION finai._refuse_delete_of_promoted();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_promoted;

SELECT pg_catalog.pg_extension_config_dump('finai.model_status', '');

CREATE FUNCTION finai._ddl_ends()
RETURNS event_trigger
LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_ddl_ends_wrapper';

CREATE FUNCTION finai._ddl_starts()
RETURNS event_trigger
LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_ddl_starts_wrapper';

CREATE FUNCTION finai._model_statistics()
RETURNS TABLE (model text, version integer, calls bigint, rows bigint, errors bigint, total_ms double precision, mean_us double precision, last_scored timestamptz, scope text)
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', '_model_statistics_wrapper';

CREATE OR REPLACE VIEW finai.models AS
WITH version AS (
  SELECT v.model, v.version, v.signature OPERATOR(pg_catalog.->>) 'task' AS task, pg_catalog.pg_get_userbyid(m.owner_oid)::pg_catalog.text AS owner, false AS bundled,
         pg_catalog.encode(v.sha256, 'hex') AS sha256, v.notes, v.registered_by::pg_catalog.text AS registered_by, v.registered_at, m.use_case
  FROM finai.model_version v
  JOIN finai.model m ON m.name OPERATOR(pg_catalog.=) v.model
  UNION ALL
  SELECT b.model, b.version, b.task, pg_catalog.pg_get_userbyid(m.owner_oid)::pg_catalog.text, true, b.sha256, b.notes, NULL, NULL, m.use_case
  FROM finai._bundled_models() b
  LEFT JOIN finai.model m ON m.name OPERATOR(pg_catalog.=) b.model
)
SELECT v.model, v.version,
       ARRAY(SELECT a.alias FROM finai.model_alias a
             WHERE a.model OPERATOR(pg_catalog.=) v.model AND a.version OPERATOR(pg_catalog.=) v.version
             UNION ALL
             SELECT 'champion'
             WHERE v.bundled AND COALESCE(s.status, '') OPERATOR(pg_catalog.<>) 'retired' AND NOT EXISTS (
               SELECT FROM finai.model_alias a
               WHERE a.model OPERATOR(pg_catalog.=) v.model AND a.alias OPERATOR(pg_catalog.=) 'champion')
             ORDER BY 1) AS aliases,
       v.task, v.owner, v.bundled, v.sha256, v.notes, v.registered_by, v.registered_at,
       COALESCE(s.status, 'verified') AS status, v.use_case, t.last_scored
FROM version v
LEFT JOIN finai.model_status s ON s.model OPERATOR(pg_catalog.=) v.model AND s.version OPERATOR(pg_catalog.=) v.version
LEFT JOIN finai._model_statistics() t ON t.model OPERATOR(pg_catalog.=) v.model AND t.version OPERATOR(pg_catalog.=) v.version
ORDER BY v.model, v.version;
COMMENT ON VIEW finai.models IS
  'Every version of every model: its aliases (champion is what a bare name scores with), task, owner, sha256 of its bytes, who registered it, its status (verified; failed: reference rows no longer agree; broken: a column it reads is gone; retired: not scored any more), the model''s use case, and when it was last scored (by whom, finai.stat_models.scope says). A bundled model that nobody changed has no owner.';

CREATE FUNCTION finai._typed_functions()
RETURNS TABLE ("function" oid, model text, alias text, version integer)
LANGUAGE c STRICT STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_typed_functions_wrapper';

CREATE FUNCTION finai.alter_model(name text, owner text DEFAULT NULL, use_case text DEFAULT NULL, tolerance double precision DEFAULT NULL, two_person boolean DEFAULT NULL, on_schema_change text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'alter_model_wrapper';

CREATE FUNCTION finai.backend_memory()
RETURNS TABLE (allocated bigint, peak bigint, cached bigint)
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'backend_memory_wrapper';

CREATE FUNCTION finai.cached_models()
RETURNS TABLE (model text, version integer, sha256 text, bytes bigint, hits bigint, load_ms double precision, loaded_at timestamptz, last_used timestamptz)
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'cached_models_wrapper';

CREATE FUNCTION finai.drop_alias(name text, alias text, reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_alias_wrapper';

CREATE FUNCTION finai.drop_model(name text, reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_model_wrapper';

CREATE FUNCTION finai.grant_model(name text, grantee text, privilege text DEFAULT 'USE', reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'grant_wrapper';

CREATE FUNCTION finai.model_history(name text)
RETURNS TABLE (happened_at timestamptz, event text, version integer, detail jsonb, happened_by text, happened_session text, reason text)
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_history_wrapper';

CREATE FUNCTION finai.model_onnx(name text, version integer DEFAULT NULL)
RETURNS bytea
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_onnx_wrapper';

CREATE FUNCTION finai.promote_model(name text, version integer, alias text DEFAULT 'champion', reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'promote_wrapper';

CREATE FUNCTION finai.register_model(name text, onnx bytea, features text[] DEFAULT NULL, task text DEFAULT NULL, labels text[] DEFAULT NULL, missing jsonb DEFAULT NULL, output text DEFAULT NULL, reference jsonb DEFAULT NULL, tolerance double precision DEFAULT NULL, notes text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'register_wrapper';

CREATE FUNCTION finai.rename_model(name text, new_name text, reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'rename_model_wrapper';

CREATE FUNCTION finai.reset_stat_models()
RETURNS void
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reset_stat_models_wrapper';

CREATE FUNCTION finai.retire_model(name text, version integer, reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'retire_model_wrapper';

CREATE FUNCTION finai.revoke_model(name text, grantee text, privilege text DEFAULT 'USE', reason text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'revoke_wrapper';

CREATE FUNCTION finai.rollback_model(name text, alias text DEFAULT 'champion', reason text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'rollback_model_wrapper';

CREATE FUNCTION finai.score_version(model text, version integer, record record)
RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'score_version_wrapper';

CREATE FUNCTION finai.score_version(model text, version integer, columns text[], VARIADIC "values" "any")
RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'score_version_flat_wrapper';

CREATE OR REPLACE FUNCTION finai.create_scoring_function(name text, model text, row_type regtype, output text DEFAULT 'score')
RETURNS regprocedure
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text[] := parse_ident(name);
  row_class regclass;
  row_schema name;
  call text;
  result text;
  problem record;
  created regprocedure;
BEGIN
  SELECT t.typrelid, n.nspname INTO row_class, row_schema
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid = row_type AND t.typrelid <> 0;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not a row type', row_type
      USING ERRCODE = 'wrong_object_type', HINT = 'Name a table, a view or a composite type.';
  END IF;
  IF array_length(part, 1) > 2 THEN
    RAISE EXCEPTION 'function name "%" has too many parts', name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Write name or schema.name.';
  END IF;
  SELECT o.call, o.result INTO call, result
  FROM (VALUES ('score', 'finai.score', 'double precision'),
               ('label', 'finai.classify', 'text'),
               ('probabilities', 'finai.probabilities', 'jsonb'),
               ('prediction', 'finai.predict', 'finai.prediction')) AS o (output, call, result)
  WHERE o.output = create_scoring_function.output;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unrecognized output "%"', output
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Outputs are score, label, probabilities and prediction.';
  END IF;
  -- Columns stay as they are checked until the function is there, as under a view that is being created.
  IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = row_class AND c.relkind <> 'c') AND has_table_privilege(row_class, 'SELECT') THEN
    EXECUTE format('SELECT FROM %s WHERE false', row_class);
  END IF;
  SELECT b.feature, b.status, b.hint INTO problem
  FROM finai.check_binding(model, row_class) b WHERE b.status <> 'ok' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'rows of % do not fit model "%": feature "%" is %', row_type, model, problem.feature,
                    CASE WHEN problem.status = 'missing' THEN 'missing' ELSE 'of another type' END
      USING ERRCODE = 'datatype_mismatch',
            HINT = format('SELECT * FROM finai.check_binding(%L, %L) shows every feature.', model, row_class);
  END IF;
  IF array_length(part, 1) = 1 THEN
    part := ARRAY[row_schema, part[1]];
  END IF;
  EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE sql STABLE PARALLEL SAFE AS %L',
                 part[1], part[2], row_type, result, format('SELECT %s(%L, $1)', call, model));
  created := format('%I.%I(%s)', part[1], part[2], row_type)::regprocedure;
  EXECUTE format('COMMENT ON FUNCTION %s IS %L', created,
                 format('%s of model %s for a row of %s. NULL for a NULL row. The caller needs USE on the model.',
                        output, model, row_type));
  -- So the event triggers find it, and DROP EXTENSION takes it along.
  EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION finai', created);
  RETURN created;
END
$$;
COMMENT ON FUNCTION finai.create_scoring_function(text, text, regtype, text) IS
  'Creates name(row_type), a function that scores rows of one type with a model: output is score (double precision), label (text), probabilities (jsonb) or prediction (finai.prediction). It lands in the schema of the row type unless the name is qualified. Checks first that the columns fit; an error names the feature that does not. It is no delegation: whoever calls it needs USE on the model. While it exists, DDL that takes a column it reads from the relation is refused (2BP01), or marks the version, as alter_model(..., on_schema_change) says. DROP EXTENSION finai drops it.';
COMMENT ON FUNCTION finai.score_version(text, integer, record) IS
  'Scores one row with one version of a model, as finai.score does with ''model@version'', and is immutable: a version''s scores never change. 0A000 for a version that runs as a graph (see describe_model), whose last bits may differ between processors. NULL if any argument is. USE on the model is checked in every statement that computes scores.';
COMMENT ON FUNCTION finai.score_version(text, integer, text[], "any") IS
  'Scores values given one by one, each under the name at its place in columns, with one version of a model: for generated columns, expression indexes and remote servers, which take no whole rows. A NULL value follows the feature''s policy; NULL if model, version or columns is. At most 97 values. Errors: 22023 names and values of different numbers, a NULL name or a VARIADIC array; otherwise as finai.score_version(text, integer, record).';

CREATE VIEW finai.stat_models AS
SELECT s.model, s.version, s.calls, s.rows, s.errors, s.total_ms, s.mean_us, s.last_scored, s.scope
FROM finai._model_statistics() s
ORDER BY s.model, s.version;
COMMENT ON VIEW finai.stat_models IS
  'What scoring with each version did: scope cluster where finai is in shared_preload_libraries (all sessions and parallel workers of this database since the server started), otherwise scope backend (what this session''s own process scored, without its parallel workers). Versions that were not scored, or are gone, are not listed; a model that is renamed begins anew. Counts are added when a call''s statement ends, whether it succeeds or not. At most 1,024 versions of the cluster are counted at once, then the one scored longest ago is forgotten.';
COMMENT ON COLUMN finai.stat_models.calls IS 'Calls in statements that scored or failed: a call in a query counts once, whatever the number of its rows, and once more in each parallel worker.';
COMMENT ON COLUMN finai.stat_models.rows IS 'Rows scored, exactly.';
COMMENT ON COLUMN finai.stat_models.errors IS 'Rows that the binding or the model refused, and calls whose model could not be loaded.';
COMMENT ON COLUMN finai.stat_models.total_ms IS 'Milliseconds in scoring rows, without finding and loading the model: each call''s first row is timed and one in sixteen of the others, which stands for them.';
COMMENT ON COLUMN finai.stat_models.mean_us IS 'total_ms / rows, in microseconds; NULL where no row was scored.';
COMMENT ON COLUMN finai.stat_models.last_scored IS 'When the last of the timed rows was scored; NULL where no row was scored.';
COMMENT ON COLUMN finai.stat_models.scope IS 'cluster or backend.';
COMMENT ON FUNCTION finai._model_statistics() IS 'The rows of the view finai.stat_models, in no order.';
COMMENT ON FUNCTION finai.reset_stat_models() IS
  'Forgets what finai.stat_models shows of this database: for scope cluster everybody''s, for scope backend this session''s.';
COMMENT ON FUNCTION finai.cached_models() IS
  'The compiled models that this session''s process keeps, the one used last first: a version that was scored, its bytes in memory (finai.cache_memory bounds their sum), how often a call found it compiled, the milliseconds that reading and compiling it took, when that was, and when it was used last. Versions with the same bytes and declaration share one.';
COMMENT ON FUNCTION finai.backend_memory() IS
  'Bytes that finai has allocated in this session''s process outside PostgreSQL''s memory contexts: now (allocated), at most so far (peak), and of those allocated the compiled models in the cache (cached). A model that left the cache is freed when the last open statement that uses it ends.';

CREATE FUNCTION finai._version_dependents(model text, version integer) RETURNS TABLE (object text, owner oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
  WITH dependent AS (
    SELECT d.classid, d.objid, min(d.objsubid) AS objsubid
    FROM pg_depend d
    WHERE d.refclassid = 'pg_proc'::regclass
      AND d.refobjid IN ('finai.score_version(text, integer, record)'::regprocedure,
                         'finai.score_version(text, integer, text[], "any")'::regprocedure)
      AND d.deptype IN ('n', 'a', 'i')
    GROUP BY d.classid, d.objid
  ), named AS (
    SELECT CASE d.classid
             WHEN 'pg_attrdef'::regclass THEN
               (SELECT format('column %I of table %s', c.attname, a.adrelid::regclass)
                FROM pg_attrdef a JOIN pg_attribute c ON c.attrelid = a.adrelid AND c.attnum = a.adnum WHERE a.oid = d.objid)
             WHEN 'pg_rewrite'::regclass THEN
               (SELECT pg_describe_object('pg_class'::regclass, r.ev_class, 0) FROM pg_rewrite r WHERE r.oid = d.objid)
             ELSE pg_describe_object(d.classid, d.objid, d.objsubid)
           END AS description,
           CASE d.classid
             WHEN 'pg_attrdef'::regclass THEN (SELECT pg_get_expr(a.adbin, a.adrelid) FROM pg_attrdef a WHERE a.oid = d.objid)
             WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(d.objid)
             WHEN 'pg_rewrite'::regclass THEN pg_get_ruledef(d.objid)
             WHEN 'pg_proc'::regclass THEN pg_get_functiondef(d.objid)
             WHEN 'pg_trigger'::regclass THEN pg_get_triggerdef(d.objid)
             WHEN 'pg_statistic_ext'::regclass THEN pg_get_statisticsobjdef_expressions(d.objid)::text
             WHEN 'pg_policy'::regclass THEN
               (SELECT concat(pg_get_expr(l.polqual, l.polrelid), ' ', pg_get_expr(l.polwithcheck, l.polrelid))
                FROM pg_policy l WHERE l.oid = d.objid)
             WHEN 'pg_class'::regclass THEN
               (SELECT CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) ELSE pg_get_indexdef(c.oid) END
                FROM pg_class c WHERE c.oid = d.objid)
           END AS definition,
           CASE d.classid
             WHEN 'pg_attrdef'::regclass THEN (SELECT a.adrelid FROM pg_attrdef a WHERE a.oid = d.objid)
             WHEN 'pg_constraint'::regclass THEN (SELECT c.conrelid FROM pg_constraint c WHERE c.oid = d.objid)
             WHEN 'pg_rewrite'::regclass THEN (SELECT r.ev_class FROM pg_rewrite r WHERE r.oid = d.objid)
             WHEN 'pg_trigger'::regclass THEN (SELECT t.tgrelid FROM pg_trigger t WHERE t.oid = d.objid)
             WHEN 'pg_statistic_ext'::regclass THEN (SELECT e.stxrelid FROM pg_statistic_ext e WHERE e.oid = d.objid)
             WHEN 'pg_policy'::regclass THEN (SELECT l.polrelid FROM pg_policy l WHERE l.oid = d.objid)
             WHEN 'pg_class'::regclass THEN d.objid
           END AS relation,
           CASE d.classid
             WHEN 'pg_proc'::regclass THEN (SELECT p.proowner FROM pg_proc p WHERE p.oid = d.objid)
             WHEN 'pg_constraint'::regclass THEN
               (SELECT t.typowner FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid WHERE c.oid = d.objid)
           END AS owner
    FROM dependent d
  )
  SELECT n.description, coalesce(c.relowner, n.owner)
  FROM named n
  LEFT JOIN pg_class c ON c.oid = n.relation
  WHERE c.relpersistence IS DISTINCT FROM 't' AND (n.definition IS NULL
     OR NOT n.definition ~ 'finai\.score_version\('
     OR EXISTS (
       SELECT FROM regexp_matches(n.definition, 'finai\.score_version\((?:''([^'']*)''::text, ([0-9]+),)?', 'g') AS call (part)
       WHERE call.part[1] IS NULL
          OR call.part[1] = _version_dependents.model AND (_version_dependents.version IS NULL OR call.part[2] = _version_dependents.version::text)))
  UNION ALL
  SELECT pg_describe_object('pg_proc'::regclass, t.function, 0), p.proowner
  FROM finai._typed_functions() t
  JOIN pg_proc p ON p.oid = t.function
  WHERE t.model = _version_dependents.model AND (_version_dependents.version IS NULL OR t.version = _version_dependents.version)
  ORDER BY 1
$$;
COMMENT ON FUNCTION finai._version_dependents(text, integer) IS
  'What names a version of a model, or any version of it when version is NULL: columns, indexes, constraints, views and other objects whose stored expression calls finai.score_version, and typed scoring functions. A call whose model or version is not a constant counts as one on every version. Temporary objects do not count, and only those whose owner has USE on the model keep others from retiring, renaming or dropping.';
COMMENT ON FUNCTION finai._typed_functions() IS
  'Typed scoring functions, and the model with the alias or version that each calls.';
COMMENT ON FUNCTION finai._ddl_starts() IS 'Remembers which typed scoring functions miss columns before DDL.';
COMMENT ON FUNCTION finai._ddl_ends() IS
  'Refuses DDL that takes a column from a typed scoring function (2BP01), or marks the version, as the model''s on_schema_change says.';

CREATE EVENT TRIGGER finai_ddl_starts ON ddl_command_start
  WHEN TAG IN (
    'ALTER TABLE', 'ALTER TYPE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'DROP TABLE', 'DROP VIEW',
    'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION', 'DROP SCHEMA', 'DROP EXTENSION',
    'DROP OWNED', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP CAST', 'DROP LANGUAGE',
    'DROP TRANSFORM', 'DROP ACCESS METHOD', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER', 'DROP TEXT SEARCH CONFIGURATION',
    'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
  EXECUTE FUNCTION finai._ddl_starts();

CREATE EVENT TRIGGER finai_ddl_ends ON ddl_command_end
  WHEN TAG IN (
    'ALTER TABLE', 'ALTER TYPE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'DROP TABLE', 'DROP VIEW',
    'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION', 'DROP SCHEMA', 'DROP EXTENSION',
    'DROP OWNED', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP CAST', 'DROP LANGUAGE',
    'DROP TRANSFORM', 'DROP ACCESS METHOD', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER', 'DROP TEXT SEARCH CONFIGURATION',
    'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
  EXECUTE FUNCTION finai._ddl_ends();
ALTER EVENT TRIGGER finai_ddl_starts ENABLE ALWAYS;
ALTER EVENT TRIGGER finai_ddl_ends ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER finai_ddl_starts IS 'Schema contracts of typed scoring functions, before DDL.';
COMMENT ON EVENT TRIGGER finai_ddl_ends IS 'Schema contracts of typed scoring functions, after DDL.';

CREATE FUNCTION finai.verify_models(name text DEFAULT NULL)
RETURNS TABLE (model text, version integer, status text, rows integer, worst double precision, tolerance double precision, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verify_models_wrapper';
COMMENT ON FUNCTION finai.register_model(text, bytea, text[], text, text[], jsonb, text, jsonb, double precision, text) IS
  'Registers the bytes of an ONNX file as the next version of a model and returns its number; promote_model makes it live. features: column names in the order of the model''s inputs, where the file does not name them. task: binary, multiclass, regression or vector (several values, no single score), where the outputs leave it open. labels: class labels in the order of the probabilities. missing: JSON object feature -> "native" (NULL goes into the model as NaN), "error", or a constant that replaces NULL. output: the label whose probability is the score, or, of several outputs with numbers, the name of the one to use. reference: JSON array of at most 10,000 rows {"row": {feature: value}, "score": number, "label": text, "probabilities": {label: number}, "values": [number]}, the trainer''s own answers, of which each row has at least one: they are scored at once and stored with the version. tolerance: largest accepted |score - reference| / max(1, |reference|), else the model''s (alter_model), else 1e-5. Errors: 22P03 not ONNX, 54000 over a limit, 0A000 an operator that is not supported, 22023 an inconsistent model or declaration, or reference rows that disagree (the worst are in the detail), 42501 the name belongs to another role. Nothing is stored on error.';
COMMENT ON FUNCTION finai.promote_model(text, integer, text, text) IS
  'Makes an alias of a model (champion: what a bare name scores with) mean a version. Takes effect for others exactly at COMMIT. Needs ownership of the model or PROMOTE on it. Errors: 55000 a version that is retired or failed verification, 42501 the session user registered it and the model has the two-person rule, 2BP01 a typed scoring function over it would find columns missing. reason goes into the history.';
COMMENT ON FUNCTION finai.rollback_model(text, text, text) IS
  'Makes an alias mean what it meant before its last promotion and returns that version; called again, it goes back further, up to a hundred promotions. Versions that were retired or failed since are passed over. Needs ownership of the model or PROMOTE on it. Errors: 55000 nothing to go back to, 2BP01 a typed scoring function over it would find columns missing.';
COMMENT ON FUNCTION finai.drop_alias(text, text, text) IS
  'Removes an alias of a model. Without its champion a model is called by number or other alias; a bundled model''s champion is the bundled version again. Needs ownership of the model or PROMOTE on it. Errors: 42704 no such alias, 2BP01 a typed scoring function over the bundled version would find columns missing.';
COMMENT ON FUNCTION finai.retire_model(text, integer, text) IS
  'Keeps a version from being scored and promoted, for good; it stays in the inventory. Needs ownership of the model. Errors: 55000 an alias means it, 2BP01 a generated column, index or constraint calls score_version on it.';
COMMENT ON FUNCTION finai.drop_model(text, text) IS
  'Removes a model with its versions, aliases, grants and settings, and bytes that no other model has; its history stays, and its version numbers are not given again to a model of that name. A bundled model becomes what it was at CREATE EXTENSION. Needs ownership of the model, and under the two-person rule an administrator who registered none of its versions. Errors: 2BP01 a stored expression or typed scoring function refers to it, 55000 a bundled model that nobody changed.';
COMMENT ON FUNCTION finai.rename_model(text, text, text) IS
  'Gives a model another name; versions, aliases, grants and settings go with it. Calls that have the old name fail from then on. Needs ownership of the model. Under the two-person rule, an administrator who registered none of its versions. Errors: 42710 the name is taken, or was another model''s, 55000 a bundled model, 2BP01 a stored expression or typed scoring function has the old name.';
COMMENT ON FUNCTION finai.alter_model(text, text, text, double precision, boolean, text, text) IS
  'Changes settings of a model; what is NULL stays. owner: another role, of which the current one is a member. use_case: free text. tolerance: of reference rows, for registrations that name none. two_person: who registered a version (the role that the session was authenticated as, whatever role it acts for) cannot promote it or roll back to it, superusers included; only a superuser or member of the role that owns the extension who registered no version can set the rule aside, rename the model or drop it. on_schema_change: refuse or mark, what happens when DDL takes away a column that a promoted version reads through a typed scoring function. Needs ownership of the model.';
COMMENT ON FUNCTION finai.grant_model(text, text, text, text) IS
  'Grants a privilege on a model to a role, or to all with public: USE (score and describe), PROMOTE (move aliases), READ (the bytes, with model_onnx), EXPLAIN (kept for explanations; nothing asks for it yet). Needs ownership of the model.';
COMMENT ON FUNCTION finai.revoke_model(text, text, text, text) IS
  'Revokes a privilege on a model from a role, or from public. Needs ownership of the model.';
COMMENT ON FUNCTION finai.model_history(text) IS
  'What happened to a model, in order: registrations, promotions, grants, settings, failed and repeated verifications, with the role that acted, the session user behind it and the reason given. Needs ownership of the model or PROMOTE on it; the history of all models, dropped ones included, is finai.model_event.';
COMMENT ON FUNCTION finai.model_onnx(text, integer) IS
  'The ONNX bytes of a version, as they were registered; without a version, of the champion. The sha256 in finai.models is theirs. Needs READ on the model: thresholds and labels in a file can tell about training data.';
COMMENT ON FUNCTION finai.verify_models(text) IS
  'Loads every version of a model, or of all models that the current role owns, anew from its bytes and scores its reference rows again, as after an upgrade. One row a version: status verified or failed, reference rows, the worst |score - reference| / max(1, |reference|) and its tolerance. Versions whose status changed are recorded as such: a failed one still scores, but cannot be promoted. Retired versions are left out. Owners and grantees that were renamed since are stored under the names that they have now, which is what a dump carries.';
COMMENT ON FUNCTION finai.describe_model(text, integer) IS
  'Everything needed to call a model: its version, status, task and sha256, each feature with its kind, what NULL means and the categories it knows, what it returns, and a call to copy. Without a version, the champion. Needs USE on the model.';


-- Feature sets: point-in-time features of events, defined once, the same numbers offline and online.
CREATE TABLE finai.feature_set (
  name       text COLLATE "C" NOT NULL CONSTRAINT feature_set_pkey PRIMARY KEY
             CONSTRAINT feature_set_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  owner      name NOT NULL,
  owner_oid  oid,
  view       text NOT NULL,
  source     text NOT NULL,
  entity     text NOT NULL,
  event_time text NOT NULL,
  event_id   text NOT NULL,
  time_zone  text NOT NULL,
  features   jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.feature_set IS 'One row per feature set: the view of its name, the relation whose events it reads, and its features as create_feature_set was told them.';
CREATE TRIGGER feature_set_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.feature_set
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_owner_oid;
CREATE TRIGGER feature_set_no_truncate BEFORE TRUNCATE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_no_truncate;
CREATE TRIGGER feature_set_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_set', '');

-- Transforms: parameters fitted once, applied unchanged to later rows.
CREATE TABLE finai.transform (
  name      text COLLATE "C" NOT NULL
            CONSTRAINT transform_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  version   integer NOT NULL CONSTRAINT transform_version_check CHECK (version OPERATOR(pg_catalog.>) 0),
  owner     name NOT NULL,
  owner_oid oid,
  relation  text NOT NULL,
  rules     jsonb NOT NULL,
  fitted    jsonb NOT NULL,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT transform_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE finai.transform IS 'One row per fit of a transform: the relation it was fitted on, its rules, and the parameters that they took from it. Never changed: another fit is another version.';
CREATE TRIGGER transform_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_owner_oid;
CREATE TRIGGER transform_no_truncate BEFORE TRUNCATE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_no_truncate;
CREATE TRIGGER transform_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.transform', '');

-- Guards: a table's rows scored as they are written.
CREATE TABLE finai.guard (
  name         text COLLATE "C" NOT NULL CONSTRAINT guard_pkey PRIMARY KEY
               CONSTRAINT guard_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  relation     text NOT NULL,
  model        text COLLATE "C" NOT NULL,
  features     text COLLATE "C",
  threshold    double precision NOT NULL
               CONSTRAINT guard_threshold_check CHECK (threshold OPERATOR(pg_catalog.>) '-Infinity' AND threshold OPERATOR(pg_catalog.<) 'Infinity'),
  action       text COLLATE "C" NOT NULL
               CONSTRAINT guard_action_check CHECK (action OPERATOR(pg_catalog.=) ANY (ARRAY['review', 'notify', 'reject', 'flag', 'hold', 'off'])),
  score_column name,
  flag_column  name,
  watch        name[] NOT NULL DEFAULT '{}',
  on_error     text COLLATE "C" NOT NULL DEFAULT 'open'
               CONSTRAINT guard_on_error_check CHECK (on_error OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'closed'])),
  budget_ms    integer CONSTRAINT guard_budget_ms_check CHECK (budget_ms OPERATOR(pg_catalog.>) 0),
  created_by   name NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.guard IS 'One row per guard: what it scores, when it speaks up and what it does then. Its triggers carry its name.';
CREATE TRIGGER guard_no_truncate BEFORE TRUNCATE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_no_truncate;
CREATE TRIGGER guard_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.guard', '');

-- Alerts: rows that a guard spoke up about, or could not score.
CREATE TABLE finai.alert (
  id           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_pkey PRIMARY KEY,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  created_by   name NOT NULL,
  guard        text COLLATE "C" NOT NULL,
  relation     text NOT NULL,
  relation_oid oid,
  action       text COLLATE "C" NOT NULL,
  key          jsonb NOT NULL,
  model        text COLLATE "C" NOT NULL,
  version      integer,
  threshold    double precision NOT NULL,
  score        double precision,
  features     jsonb,
  reasons      jsonb,
  error        text,
  held         json,
  status       text COLLATE "C" NOT NULL
               CONSTRAINT alert_status_check CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'held', 'unscored', 'released', 'resolved'])),
  outcome      text COLLATE "C"
               CONSTRAINT alert_outcome_check CHECK (outcome OPERATOR(pg_catalog.=) ANY (ARRAY['confirmed', 'dismissed', 'unclear'])),
  note         text,
  resolved_by  name,
  resolved_at  timestamptz
);
COMMENT ON TABLE finai.alert IS 'Rows that a guard spoke up about (open), kept back (held), let through unscored (unscored), and what became of them.';
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_no_truncate;
CREATE TRIGGER alert_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.alert', '');
SELECT pg_catalog.pg_extension_config_dump('finai.alert_id_seq', '');

-- What is new belongs to whom the rest belongs to, and to nobody else, whatever ALTER DEFAULT PRIVILEGES says.
DO $$
DECLARE
  owner pg_catalog.regrole := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) 'finai.model'::pg_catalog.regclass);
  member pg_catalog.text;
  kind pg_catalog.text;
  grantee pg_catalog.text;
BEGIN
  FOR kind, member IN
    SELECT 'FUNCTION', p.oid::pg_catalog.regprocedure::pg_catalog.text
    FROM pg_catalog.pg_proc p
    WHERE p.pronamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace
      AND p.oid OPERATOR(pg_catalog.<>) ALL (pg_catalog.current_setting('finai_update.functions')::pg_catalog.oid[])
    UNION ALL
    SELECT 'TABLE', c.oid::pg_catalog.regclass::pg_catalog.text
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'v']::pg_catalog."char"[])
      AND c.oid OPERATOR(pg_catalog.<>) ALL (pg_catalog.current_setting('finai_update.relations')::pg_catalog.oid[])
  LOOP
    EXECUTE pg_catalog.format('ALTER %s %s OWNER TO %s', kind, member, owner);
    EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM PUBLIC', kind, member);
    FOR grantee IN
      SELECT DISTINCT a.grantee::pg_catalog.regrole::pg_catalog.text
      FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a
      WHERE kind OPERATOR(pg_catalog.=) 'FUNCTION' AND p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(member)
        AND a.grantee OPERATOR(pg_catalog.<>) ALL (ARRAY[owner, 0]::pg_catalog.oid[])
      UNION
      SELECT a.grantee::pg_catalog.regrole::pg_catalog.text
      FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
      WHERE kind OPERATOR(pg_catalog.=) 'TABLE' AND c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(member)
        AND a.grantee OPERATOR(pg_catalog.<>) ALL (ARRAY[owner, 0]::pg_catalog.oid[])
    LOOP
      EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s', kind, member, grantee);
    END LOOP;
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION finai.score_version(text, integer, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.score_version(text, integer, text[], "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.model_onnx(text, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.model_history(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._model_statistics() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.cached_models() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.backend_memory() TO PUBLIC;
GRANT SELECT ON finai.stat_models TO PUBLIC;

-- Typed scoring functions that were created before are watched from now on, and go with the extension.
DO $$
DECLARE
  function pg_catalog.regprocedure;
BEGIN
  FOR function IN
    SELECT p.oid
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
    WHERE l.lanname OPERATOR(pg_catalog.=) 'sql' AND p.pronargs OPERATOR(pg_catalog.=) 1 AND p.provolatile OPERATOR(pg_catalog.=) 's'
      AND p.prosrc OPERATOR(pg_catalog.~) '^SELECT finai\.(score|classify|probabilities|predict)\(E?''[^'']*'', \$1\)$'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) p.oid
                        AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                        AND d.deptype OPERATOR(pg_catalog.=) ANY (ARRAY['e', 'x']::pg_catalog."char"[]))
  LOOP
    EXECUTE pg_catalog.format('ALTER FUNCTION %s DEPENDS ON EXTENSION finai', function);
  END LOOP;
END
$$;

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
COMMENT ON COLUMN finai.model.on_schema_change IS
'What happens when DDL takes away a column that a promoted version reads through a typed scoring function:
refuse the DDL, or mark the version.';
COMMENT ON COLUMN finai.model_version.registered_session IS
'Role that the session was authenticated as at registration, whom the two-person rule keeps from promoting it;
the oid beside it is found anew when rows are restored elsewhere.';
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
COMMENT ON TABLE finai.model_status IS
'Versions that are retired (not scored any more), failed (reference rows no longer agree) or broken (a column
that they read is gone). A version without a row is verified.';

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
'Every version of every model: its aliases (champion is what a bare name scores with), task, owner,
sha256 of its bytes, who registered it, its status (verified; failed: reference rows no longer agree; broken:
a column it reads is gone; retired: not scored any more), the model''s use case,
and when it was last scored (by whom, finai.stat_models.scope says).
A bundled model that nobody changed has no owner.';

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
'Creates name(row_type), a function that scores rows of one type with a model:
output is score (double precision), label (text), probabilities (jsonb) or prediction (finai.prediction).
It lands in the schema of the row type unless the name is qualified.
Checks first that the columns fit; an error names the feature that does not.
It is no delegation: whoever calls it needs USE on the model.
While it exists, DDL that takes a column it reads from the relation is refused (2BP01), or marks the version,
as alter_model(..., on_schema_change) says. DROP EXTENSION finai drops it.';
COMMENT ON FUNCTION finai.score_version(text, integer, record) IS
'Scores one row with one version of a model, as finai.score does with ''model@version'', and is immutable:
a version''s scores never change. 0A000 for a version that runs as a graph (see describe_model),
whose last bits may differ between processors. NULL if any argument is.
USE on the model is checked in every statement that computes scores.';
COMMENT ON FUNCTION finai.score_version(text, integer, text[], "any") IS
'Scores values given one by one, each under the name at its place in columns, with one version of a model:
for generated columns, expression indexes and remote servers, which take no whole rows.
A NULL value follows the feature''s policy; NULL if model, version or columns is. At most 97 values.
Errors: 22023 names and values of different numbers, a NULL name or a VARIADIC array;
  otherwise as finai.score_version(text, integer, record).';

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
'What names a version of a model, or any version of it when version is NULL: columns, indexes, constraints,
views and other objects whose stored expression calls finai.score_version, and typed scoring functions.
A call whose model or version is not a constant counts as one on every version.
Temporary objects do not count, and only those whose owner has USE on the model keep others from retiring,
renaming or dropping.';
COMMENT ON FUNCTION finai._typed_functions() IS
  'Typed scoring functions, and the model with the alias or version that each calls.';
COMMENT ON FUNCTION finai._ddl_starts() IS
'Remembers which typed scoring functions and guards miss columns before DDL.
Refuses DROP EXTENSION finai without CASCADE while guards hold rows (2BP01).';
COMMENT ON FUNCTION finai._ddl_ends() IS
'Refuses DDL that takes a column from a typed scoring function or a guard (2BP01), or marks the version,
as the model''s on_schema_change says. Guards follow their tables'' names.';
CREATE EVENT TRIGGER finai_ddl_starts ON ddl_command_start
  WHEN TAG IN (
    'ALTER TABLE', 'ALTER SCHEMA', 'ALTER TYPE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'CREATE FOREIGN TABLE', 'DROP TABLE', 'DROP VIEW',
    'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION', 'DROP SCHEMA', 'DROP EXTENSION',
    'DROP OWNED', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP CAST', 'DROP LANGUAGE',
    'DROP TRANSFORM', 'DROP ACCESS METHOD', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER', 'DROP TEXT SEARCH CONFIGURATION',
    'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
  EXECUTE FUNCTION finai._ddl_starts();
CREATE EVENT TRIGGER finai_ddl_ends ON ddl_command_end
  WHEN TAG IN (
    'ALTER TABLE', 'ALTER SCHEMA', 'ALTER TYPE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'CREATE FOREIGN TABLE', 'DROP TABLE', 'DROP VIEW',
    'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION', 'DROP SCHEMA', 'DROP EXTENSION',
    'DROP OWNED', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP CAST', 'DROP LANGUAGE',
    'DROP TRANSFORM', 'DROP ACCESS METHOD', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER', 'DROP TEXT SEARCH CONFIGURATION',
    'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
  EXECUTE FUNCTION finai._ddl_ends();
ALTER EVENT TRIGGER finai_ddl_starts ENABLE ALWAYS;
ALTER EVENT TRIGGER finai_ddl_ends ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER finai_ddl_starts IS 'Schema contracts of typed scoring functions and guards, before DDL.';
COMMENT ON EVENT TRIGGER finai_ddl_ends IS 'Schema contracts of typed scoring functions and guards, after DDL.';

CREATE FUNCTION finai.verify_models(name text DEFAULT NULL)
RETURNS TABLE (model text, version integer, status text, rows integer, worst double precision, tolerance double precision, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verify_models_wrapper';
COMMENT ON FUNCTION finai.register_model(text, bytea, text[], text, text[], jsonb, text, jsonb, double precision, text) IS
'Registers the bytes of an ONNX file as the next version of a model and returns its number; promote_model makes
it live.
features: column names in the order of the model''s inputs, where the file does not name them.
task: binary, multiclass, regression or vector (several values, no single score),
  where the outputs leave it open.
labels: class labels in the order of the probabilities.
missing: JSON object feature -> "native" (NULL goes into the model as NaN), "error",
  or a constant that replaces NULL.
output: the label whose probability is the score, or, of several outputs with numbers,
  the name of the one to use.
reference: JSON array of at most 10,000 rows {"row": {feature: value}, "score": number, "label": text,
  "probabilities": {label: number}, "values": [number]}, the trainer''s own answers,
  of which each row has at least one: they are scored at once and stored with the version.
tolerance: largest accepted |score - reference| / max(1, |reference|), else the model''s (alter_model),
  else 1e-5.
Errors: 22P03 not ONNX, 54000 over a limit, 0A000 an operator that is not supported,
  22023 an inconsistent model or declaration, or reference rows that disagree (the worst are in the detail),
  42501 the name belongs to another role.
Nothing is stored on error.';
COMMENT ON FUNCTION finai.promote_model(text, integer, text, text) IS
'Makes an alias of a model (champion: what a bare name scores with) mean a version.
Takes effect for others exactly at COMMIT. Needs ownership of the model or PROMOTE on it.
Errors: 55000 a version that is retired or failed verification, 42501 the session user registered it and the
  model has the two-person rule, 2BP01 a typed scoring function over it would find columns missing.
The reason goes into the history.';
COMMENT ON FUNCTION finai.rollback_model(text, text, text) IS
'Makes an alias mean what it meant before its last promotion and returns that version; called again,
it goes back further, up to a hundred promotions. Versions that were retired or failed since are passed over.
Needs ownership of the model or PROMOTE on it.
Errors: 55000 nothing to go back to, 2BP01 a typed scoring function over it would find columns missing.';
COMMENT ON FUNCTION finai.drop_alias(text, text, text) IS
'Removes an alias of a model.
Without its champion a model is called by number or other alias; a bundled model''s champion is the bundled
version again. Needs ownership of the model or PROMOTE on it.
Errors: 42704 no such alias, 2BP01 a typed scoring function over the bundled version would find columns
  missing.';
COMMENT ON FUNCTION finai.retire_model(text, integer, text) IS
'Keeps a version from being scored and promoted, for good; it stays in the inventory.
Needs ownership of the model.
Errors: 55000 an alias means it, 2BP01 a generated column, index or constraint calls score_version on it.';
COMMENT ON FUNCTION finai.drop_model(text, text) IS
'Removes a model with its versions, aliases, grants and settings, and bytes that no other model has; its
history stays, and its version numbers are not given again to a model of that name.
A bundled model becomes what it was at CREATE EXTENSION.
Needs ownership of the model, and under the two-person rule an administrator who registered none of its
versions.
Errors: 2BP01 a stored expression or typed scoring function refers to it, 55000 a bundled model that nobody
  changed.';
COMMENT ON FUNCTION finai.rename_model(text, text, text) IS
'Gives a model another name; versions, aliases, grants and settings go with it.
Calls that have the old name fail from then on. Needs ownership of the model.
Under the two-person rule, an administrator who registered none of its versions.
Errors: 42710 the name is taken, or was another model''s, 55000 a bundled model,
  2BP01 a stored expression or typed scoring function has the old name.';
COMMENT ON FUNCTION finai.alter_model(text, text, text, double precision, boolean, text, text) IS
'Changes settings of a model; what is NULL stays.
owner: another role, of which the current one is a member.
use_case: free text.
tolerance: of reference rows, for registrations that name none.
two_person: who registered a version (the role that the session was authenticated as,
  whatever role it acts for) cannot promote it or roll back to it, superusers included;
  only a superuser or member of the role that owns the extension who registered no version can set the rule
  aside, rename the model or drop it.
on_schema_change: refuse or mark, what happens when DDL takes away a column that a promoted version reads
  through a typed scoring function.
Needs ownership of the model.';
COMMENT ON FUNCTION finai.grant_model(text, text, text, text) IS
'Grants a privilege on a model to a role, or to all with public: USE (score and describe),
PROMOTE (move aliases), READ (the bytes, with model_onnx), EXPLAIN (kept for explanations; nothing asks for it
yet). Needs ownership of the model.';
COMMENT ON FUNCTION finai.revoke_model(text, text, text, text) IS
  'Revokes a privilege on a model from a role, or from public. Needs ownership of the model.';
COMMENT ON FUNCTION finai.model_history(text) IS
'What happened to a model, in order: registrations, promotions, grants, settings,
failed and repeated verifications, with the role that acted, the session user behind it and the reason given.
Needs ownership of the model or PROMOTE on it; the history of all models, dropped ones included,
is finai.model_event.';
COMMENT ON FUNCTION finai.model_onnx(text, integer) IS
'The ONNX bytes of a version, as they were registered; without a version, of the champion.
The sha256 in finai.models is theirs.
Needs READ on the model: thresholds and labels in a file can tell about training data.';
COMMENT ON FUNCTION finai.verify_models(text) IS
'Loads every version of a model, or of all models that the current role owns,
anew from its bytes and scores its reference rows again, as after an upgrade.
One row a version: status verified or failed, reference rows, the worst |score - reference| / max(1,
|reference|) and its tolerance.
Versions whose status changed are recorded as such: a failed one still scores, but cannot be promoted.
Retired versions are left out.
Owners and grantees that were renamed since are stored under the names that they have now,
which is what a dump carries.';
COMMENT ON FUNCTION finai.describe_model(text, integer) IS
'Everything needed to call a model: its version, status, task and sha256, each feature with its kind,
what NULL means and the categories it knows, what it returns, and a call to copy.
Without a version, the champion. Needs USE on the model.';

CREATE FUNCTION finai._check_guard_model(relation regclass, model text, threshold double precision)
RETURNS void
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_check_guard_model_wrapper';

CREATE FUNCTION finai._feature_set_entities(name text)
RETURNS TABLE ("columns" text[], horizon bigint)
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_feature_set_entities_wrapper';

CREATE FUNCTION finai._guard()
RETURNS trigger
LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_guard_wrapper';

CREATE FUNCTION finai._guard_features(relation regclass, features text)
RETURNS TABLE (view text, event_time text)
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_guard_features_wrapper';

CREATE FUNCTION finai._guard_problem(guard text)
RETURNS text
LANGUAGE c STRICT STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_guard_problem_wrapper';

CREATE FUNCTION finai._guard_score(model text, record record)
RETURNS double precision
LANGUAGE c STRICT STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', '_guard_score_wrapper';

CREATE FUNCTION finai._guard_statistics()
RETURNS TABLE (guard text, created_at timestamp with time zone, statements bigint, rows bigint, alerts bigint, unscored bigint, mean_us double precision, last_scored timestamp with time zone)
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', '_guard_statistics_wrapper';

CREATE FUNCTION finai._is_night(at timestamp)
RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_is_night_wrapper';

CREATE FUNCTION finai._is_weekend(at timestamp)
RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_is_weekend_wrapper';

CREATE FUNCTION finai._log_feature_change()
RETURNS trigger
LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', '_log_feature_change_wrapper';

CREATE FUNCTION finai._quotient(of double precision, "to" double precision, scale double precision)
RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_quotient_wrapper';

CREATE FUNCTION finai._refuse_text(column_name text, target text)
RETURNS text
LANGUAGE c STRICT VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', '_refuse_text_wrapper';

CREATE FUNCTION finai._statistics_scope()
RETURNS text
LANGUAGE c STRICT STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', '_statistics_scope_wrapper';

CREATE FUNCTION finai._window_numbers(state internal)
RETURNS double precision[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_window_numbers_wrapper';

CREATE FUNCTION finai._window_step(state internal, plan text, is_event boolean, VARIADIC "values" "any")
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', '_window_step_wrapper';

CREATE FUNCTION finai._window_texts_of(state internal)
RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_window_texts_of_wrapper';

CREATE FUNCTION finai.alter_guard(name text, threshold double precision DEFAULT NULL, action text DEFAULT NULL, on_error text DEFAULT NULL, budget_ms integer DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'alter_guard_wrapper';

CREATE FUNCTION finai.create_feature_set(name text, source regclass, entity text, event_time text, event_id text, features jsonb, time_zone text DEFAULT 'UTC', create_indexes boolean DEFAULT false)
RETURNS TABLE (statement text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'create_feature_set_wrapper';

CREATE FUNCTION finai.create_guard(relation regclass, model text, threshold double precision, action text DEFAULT 'review', features text DEFAULT NULL, score_column text DEFAULT NULL, flag_column text DEFAULT NULL, watch text[] DEFAULT NULL, on_error text DEFAULT 'open', budget_ms integer DEFAULT NULL, name text DEFAULT NULL)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'create_guard_wrapper';

CREATE FUNCTION finai.delete_alerts(before timestamp with time zone)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'delete_alerts_wrapper';

CREATE FUNCTION finai.describe_feature_set(name text)
RETURNS TABLE (feature text, data_type text, meaning text, aggregate text, "columns" text[], entity text[], "window" text, delay text, current_row boolean)
LANGUAGE c STABLE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'describe_feature_set_wrapper';

CREATE FUNCTION finai.describe_transform(name text)
RETURNS TABLE (step integer, column_name text, rule text, fitted text)
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'describe_transform_wrapper';

CREATE FUNCTION finai.drop_feature_set(name text)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'drop_feature_set_wrapper';

CREATE FUNCTION finai.drop_guard(name text)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_guard_wrapper';

CREATE FUNCTION finai.drop_transform(name text)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_transform_wrapper';

CREATE FUNCTION finai.feature_row(view anyelement, event record)
RETURNS anyelement
LANGUAGE c STABLE PARALLEL UNSAFE COST 1000 SET search_path TO pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'feature_row_wrapper';

CREATE FUNCTION finai.features_at(view anyelement, entity "any", at "any")
RETURNS anyelement
LANGUAGE c STABLE PARALLEL UNSAFE COST 1000 SET search_path TO pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'features_at_wrapper';

CREATE FUNCTION finai.fit_transform(name text, relation regclass, rules jsonb)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fit_transform_wrapper';

CREATE PROCEDURE finai.refresh_feature_set(name text, rebuild boolean DEFAULT false) LANGUAGE c AS 'MODULE_PATHNAME', 'refresh_feature_set_wrapper';

CREATE FUNCTION finai.release_alert(id bigint)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'release_alert_wrapper';

CREATE FUNCTION finai.resolve_alert(id bigint, outcome text, note text DEFAULT NULL)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'resolve_alert_wrapper';

CREATE FUNCTION finai.transform_row(name text, record record)
RETURNS jsonb
LANGUAGE c STRICT STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'transform_row_wrapper';

CREATE FUNCTION finai.woe_table(relation regclass, column_name text, label text, bins integer DEFAULT 10)
RETURNS TABLE (bin integer, lower double precision, upper double precision, category text, rows bigint, good bigint, bad bigint, bad_rate double precision, woe double precision, iv double precision, total_iv double precision, smoothed integer)
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'woe_table_wrapper';

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
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  stored     text,
  stored_source oid,
  stored_state text,
  refreshed_at timestamptz
);
COMMENT ON TABLE finai.feature_set IS
'One row per feature set: the view of its name, the relation whose events it reads,
and its features as create_feature_set was told them.';
CREATE TRIGGER feature_set_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.feature_set
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_owner_oid;
CREATE TRIGGER feature_set_no_truncate BEFORE TRUNCATE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_no_truncate;
CREATE TRIGGER feature_set_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_set FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_set ENABLE ALWAYS TRIGGER feature_set_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_set', '');

-- The kernel: one pass over an entity's events in order, one state for all features. As a window function it gives every row
-- its features, over the events before a row and then the row itself that row's.
CREATE AGGREGATE finai._window_features(plan text, is_event boolean, VARIADIC "any") (
  SFUNC = finai._window_step, STYPE = internal, FINALFUNC = finai._window_numbers, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE finai._window_texts(plan text, is_event boolean, VARIADIC "any") (
  SFUNC = finai._window_step, STYPE = internal, FINALFUNC = finai._window_texts_of, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE finai._window_features(text, boolean, "any") IS
'What the views of feature sets call: the numbers of the features of a plan at the last of an entity''s events,
given in the order of their time. Arguments after is_event: the event''s time, then the columns of the plan.
NULL where the last event has no time.
Errors: 22023 events out of order, or a call that no view makes.';
COMMENT ON AGGREGATE finai._window_texts(text, boolean, "any") IS
'As finai._window_features, for features whose values are kept as text: the last value of a column that is not
a number of at most double precision.';
COMMENT ON FUNCTION finai._window_step(internal, text, boolean, "any") IS 'Transition function of finai._window_features and finai._window_texts.';
COMMENT ON FUNCTION finai._window_numbers(internal) IS 'Final function of finai._window_features.';
COMMENT ON FUNCTION finai._window_texts_of(internal) IS 'Final function of finai._window_texts.';
COMMENT ON FUNCTION finai._is_night(timestamp) IS '1 where the hour is at most 6, else 0; NULL for NULL and infinite times. For the views of feature sets.';
COMMENT ON FUNCTION finai._is_weekend(timestamp) IS '1 on Saturdays and Sundays, else 0; NULL for NULL and infinite times. For the views of feature sets.';
COMMENT ON FUNCTION finai._quotient(double precision, double precision, double precision) IS
'of * scale / to; NULL where to is 0 or an argument is NULL. Never an overflow error.
For the views of feature sets.';
COMMENT ON FUNCTION finai._feature_set_entities(text) IS
'The entities that a set''s features are by: their columns, and for how many seconds an event has a say in the
features of later ones (window plus delay; NULL where a feature looks back over all history).';

COMMENT ON FUNCTION finai.create_feature_set(text, regclass, text, text, text, jsonb, text, boolean) IS
'Defines point-in-time features of the rows of a table, partitioned table or materialized view:
makes the view name in the schema of source, with the columns of source and then the features,
each as of its row.
source: whose rows are the events.
entity: the column whose events are one another''s history.
event_time: the column with their time; an event at t sees those of its entity in (t - window, t].
event_id: the column that orders rows of the same time; it needs a unique index.
features: an array of objects, each with
  name, of the view''s column
  agg: count, sum, avg, min, max, stddev, distinct, share, risk, last, time_since_last, first_seen, ratio,
    zscore, distance, speed, sequence, night or weekend
  column, or columns, that it is of
  window: "7 days", in seconds to weeks; without it all history
  delay: what becomes known so much later, as labels do
  by: a column, or several, instead of entity
  current: whether the row itself counts
  k: events of a sequence
  of, to and scale: a ratio between two features of the set
time_zone: where night and weekend are, for timestamp with time zone.
create_indexes: run the CREATE INDEX statements that make feature_row and features_at fast and are still
  missing, and that are returned.
Needs SELECT on source and CREATE on its schema.
Errors: 22023 invalid features, 42703 no such column, 42701 a name twice, 42804 a column of a wrong type,
  42704 no such feature, 42710 the set exists, 42809 source of another kind,
  55000 no unique index on event_id, 54000 too many features, 42501 no privilege.';
COMMENT ON FUNCTION finai.drop_feature_set(text) IS
'Drops a feature set with its view, its stored copy and the triggers that keep it.
Refused while a guard needs it, or other objects depend on the view.
Needs ownership of the view; of the set where the view is gone, or belongs to a role that is no member of
the set''s owner (such a view stays).
Statements that are prepared in open sessions need DISCARD PLANS before they find a set of the same name
that is made anew.
Errors: 42704 no such set, 2BP01 a guard or dependent objects, 42501 not the owner.';
COMMENT ON FUNCTION finai.describe_feature_set(text) IS
'What the features of a set mean, a row each: type, meaning in words, aggregate,
columns (or features of a ratio), entity, window, delay, and whether the row itself counts (NULL where that
cannot be chosen). Needs SELECT on the set''s view.
Errors: 42704 no such set, 55000 the view is gone or another''s, or a column of the source has another name,
  42501 no privilege.';
COMMENT ON FUNCTION finai.feature_row(anyelement, record) IS
'One row of a feature set''s view, computed through indexes, of an event that is stored already or not:
the numbers are those of the view, to the last bit. NULL for a NULL row.
view: NULL::<the set''s view>, which says what set it is and what is returned.
event: a row of the set''s source, or any with the columns that the set reads; others are NULL.
Its past are the stored rows before it by (event_time, event_id), as the statement sees them.
Runs with the caller''s rights: needs SELECT on the source.
Errors: 42809 not the view of a set, 42703 the row has no column that is needed, 42804 one of another type,
  55000 the view or a column of the source is gone or another one.';
COMMENT ON FUNCTION finai.features_at(anyelement, "any", "any") IS
'The features of one entity as of a moment: those of its event at that time, the last by event_id, as the view
has them, where there is one. Otherwise what is known then, of the events in (at - window, at]: columns of the
event are NULL, and so are features that need one or are by another entity. NULL where entity or at is NULL.
view: NULL::<the set''s view>, which says what set it is and what is returned.
entity: a value of the set''s entity.
at: the moment.
Runs with the caller''s rights: needs SELECT on the source. Errors as for finai.feature_row.';

-- Sets, for whoever may read where they come from.
CREATE FUNCTION finai._feature_set_relations(view text, source text, owner oid) RETURNS TABLE (view oid, view_owner oid, source oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.oid, v.relowner, COALESCE(r.oid, s.oid)
  FROM (SELECT parse_ident(_feature_set_relations.view), parse_ident(_feature_set_relations.source)) AS n (view, source)
  LEFT JOIN pg_class v ON v.relname = n.view[2] AND v.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = n.view[1]) AND v.relkind = 'v'
    AND (pg_has_role(v.relowner, _feature_set_relations.owner, 'MEMBER') OR NOT EXISTS (SELECT FROM pg_roles WHERE pg_roles.oid = _feature_set_relations.owner))
  LEFT JOIN LATERAL (
    SELECT d.refobjid AS oid
    FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
    WHERE w.ev_class = v.oid LIMIT 1) r ON true
  LEFT JOIN pg_class s ON s.relname = n.source[2] AND s.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = n.source[1])
$$;
COMMENT ON FUNCTION finai._feature_set_relations(text, text, oid) IS
'The view of a feature set, where it is the set''s own, with its owner, and the relation that it reads; for the
views finai.feature_sets and finai.guards.';
CREATE VIEW finai.feature_sets AS
SELECT f.name, COALESCE(s.oid::pg_catalog.regclass::pg_catalog.text, f.source) AS source, COALESCE(r.view::pg_catalog.regclass::pg_catalog.text, f.view) AS view,
       f.entity, f.event_time, f.event_id, f.time_zone, pg_catalog.jsonb_array_length(f.features) AS features,
       CASE WHEN r.view IS NULL OR s.oid IS NULL THEN 'broken' ELSE 'active' END AS status,
       f.stored, f.refreshed_at, COALESCE(pg_catalog.pg_get_userbyid(r.view_owner), f.owner) AS owner, f.created_at, f.features AS definition
FROM finai.feature_set f
CROSS JOIN LATERAL finai._feature_set_relations(f.view, f.source, f.owner_oid) r
LEFT JOIN pg_catalog.pg_class s ON s.oid OPERATOR(pg_catalog.=) r.source
WHERE CASE WHEN s.oid IS NULL THEN pg_catalog.pg_has_role(COALESCE(r.view_owner, f.owner_oid), 'MEMBER') IS TRUE OR EXISTS (
             SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'finai' AND pg_catalog.pg_has_role(e.extowner, 'MEMBER'))
           ELSE pg_catalog.has_table_privilege(s.oid, 'SELECT') OR pg_catalog.has_table_privilege(r.view, 'SELECT') IS TRUE END
ORDER BY f.name;
COMMENT ON VIEW finai.feature_sets IS
'Every feature set whose source, or view, one may read; where the source is gone, its owner sees the set,
and whoever administers the extension. finai.describe_feature_set says what the features mean.';
COMMENT ON COLUMN finai.feature_sets.name IS 'The set''s name, which is the view''s without its schema.';
COMMENT ON COLUMN finai.feature_sets.source IS 'The relation whose rows are the events.';
COMMENT ON COLUMN finai.feature_sets.view IS 'The view with the columns of source and then the features.';
COMMENT ON COLUMN finai.feature_sets.entity IS 'The column whose events are one another''s history, where a feature is not by others.';
COMMENT ON COLUMN finai.feature_sets.event_time IS 'The column with the time of an event.';
COMMENT ON COLUMN finai.feature_sets.event_id IS 'The unique column that orders events of the same time.';
COMMENT ON COLUMN finai.feature_sets.time_zone IS 'Where night and weekend are, for events with a time zone.';
COMMENT ON COLUMN finai.feature_sets.features IS 'How many features were defined; a sequence has two columns in the view.';
COMMENT ON COLUMN finai.feature_sets.status IS 'active; broken: view or source is gone.';
COMMENT ON COLUMN finai.feature_sets.stored IS 'The copy that finai.refresh_feature_set keeps; NULL without one.';
COMMENT ON COLUMN finai.feature_sets.refreshed_at IS 'When the copy was made or refreshed last.';
COMMENT ON COLUMN finai.feature_sets.owner IS 'The view''s owner; who created the set where the view is gone.';
COMMENT ON COLUMN finai.feature_sets.created_at IS 'When the set was created.';
COMMENT ON COLUMN finai.feature_sets.definition IS 'The features as finai.create_feature_set was told them.';

-- What changed in the source of a feature set since its stored copy was refreshed.
CREATE TABLE finai.feature_change (
  feature_set text COLLATE "C" NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  event_id    text,
  event_time  text,
  entities    jsonb,
  CONSTRAINT feature_change_pkey PRIMARY KEY (feature_set, id)
);
COMMENT ON TABLE finai.feature_change IS
'Events that were inserted, changed or deleted since finai.refresh_feature_set ran last,
with the time from which features of the same entities may differ. No event_id: anything may have changed.';
CREATE TRIGGER feature_change_no_truncate BEFORE TRUNCATE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_no_truncate;
CREATE TRIGGER feature_change_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.feature_change FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.feature_change ENABLE ALWAYS TRIGGER feature_change_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change', '');
SELECT pg_catalog.pg_extension_config_dump('finai.feature_change_id_seq', '');

COMMENT ON FUNCTION finai._log_feature_change() IS
'What finai.refresh_feature_set puts on the source of a feature set: notes which events changed.
For triggers alone.';
COMMENT ON PROCEDURE finai.refresh_feature_set(text, boolean) IS
'Keeps <set>_stored, beside the view of a feature set, equal to that view: a table with a row per event.
The first call makes it, with triggers on the source that note what changes; it keeps writers waiting while it
runs.
Later calls compute only the features that later or late events, updates (labels that become known) and
deletes can have changed.
Changes that are not committed yet come with the next call; of two calls at once the second waits.
name: a feature set of the current role, which must own its source, a table.
  The column of the event id must be unique and not null.
rebuild: compute everything anew.
  Happens by itself where the source was rewritten, lost its triggers or, partitioned,
  other partitions; call it so after changes that triggers did not see (DISABLE TRIGGER; TRUNCATE of a
  partition by its own name, twice in a transaction).
The copy has a primary key on the event id and an index on the first entity and the time,
so entities longer than some 2,700 bytes cannot be in it (54000).
Needs isolation level READ COMMITTED.
Errors: 42704 no such set, 42501 not its owner or not the owner of its source, 0A000 the source is no table,
  or an unlogged one, 55000 the view or a column is not as it was, or the copy lacks columns or its key,
  25001 another isolation level, 42P07 a relation of the copy''s name exists,
  23505 or 23502 event ids are not unique or null.';

-- What can be read like a table.
CREATE FUNCTION finai._require_rows(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind "char";
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'parameter "relation" is null' USING ERRCODE = 'null_value_not_allowed', HINT = 'Give relation a value.';
  END IF;
  SELECT c.relkind INTO kind FROM pg_catalog.pg_class c WHERE c.oid = relation;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'relation with OID % does not exist', relation::oid
      USING ERRCODE = 'undefined_table', HINT = 'Name a table or view.';
  END IF;
  IF kind NOT IN ('r', 'v', 'm', 'f', 'p') THEN
    RAISE EXCEPTION '% has no rows to read', relation USING ERRCODE = 'wrong_object_type', HINT = 'Name a table or view.';
  END IF;
  IF NOT has_table_privilege(relation, 'SELECT')
     AND (NOT has_any_column_privilege(relation, 'SELECT')
          OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                     AND NOT has_column_privilege(relation, a.attnum, 'SELECT'))) THEN
    RAISE EXCEPTION 'permission denied for %', relation
      USING ERRCODE = 'insufficient_privilege', HINT = 'The current role needs SELECT on every column; a view can show some of them.';
  END IF;
END
$$;

-- How each column of a relation r is read: as a value that is NULL where it is missing, as a number, as text, as a key.
CREATE FUNCTION finai._profiled_columns(relation regclass)
RETURNS TABLE (name text, type text, base regtype, kind text, present text, number text, value text, key text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.type, k.base, k.kind, p.present,
         CASE k.kind WHEN 'number' THEN n.number
                     WHEN 'time' THEN format('extract(epoch FROM r.%I::%s)::float8', k.name, k.base) END,
         CASE WHEN k.base = 'numeric'::regtype THEN format('trim_scale(%s)::text', p.present)
              WHEN k.kind = 'number' AND k.base IN ('real'::regtype, 'double precision'::regtype) THEN format('(%s + 0::%s)::text', p.present, k.base)
              ELSE format('r.%I::text', k.name) END,
         CASE WHEN k.is_comparable THEN format('r.%I', k.name) ELSE format('r.%I::text', k.name) END
  FROM (SELECT a.attname::text AS name, a.attnum, format_type(a.atttypid, a.atttypmod) AS type, b.base,
               CASE WHEN b.base IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype) THEN 'number'
                    WHEN b.base = 'boolean'::regtype THEN 'boolean'
                    WHEN b.base IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN 'time'
                    WHEN b.base IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) OR b.is_enum THEN 'text' ELSE 'other' END AS kind,
               b.is_comparable
        FROM pg_catalog.pg_attribute a
        CROSS JOIN LATERAL (
          WITH RECURSIVE d AS (SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
                               UNION ALL
                               SELECT t.oid, t.typtype, t.typbasetype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
          SELECT d.oid::regtype AS base, d.typtype = 'e' AS is_enum,
                 d.typtype = 'e' OR d.typtype <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
                                            WHERE o.opcdefault AND (o.opcintype = d.oid OR d.oid = 'varchar'::regtype)) AS is_comparable
          FROM d WHERE d.typtype <> 'd') AS b
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped) AS k
  CROSS JOIN LATERAL (SELECT CASE WHEN k.base IN ('real'::regtype, 'double precision'::regtype, 'numeric'::regtype) THEN format('nullif(r.%I, ''NaN'')', k.name)
                                  ELSE format('r.%I', k.name) END AS present) AS p
  -- A numeric that no double precision number can hold is infinite, or zero.
  CROSS JOIN LATERAL (SELECT CASE WHEN k.base = 'numeric'::regtype THEN
                                    format('CASE WHEN abs(%1$s) < 1e-307 THEN 0 WHEN abs(%1$s) <= 1e308 THEN %1$s::float8 WHEN %1$s > 0 THEN ''Infinity'' WHEN %1$s < 0 THEN ''-Infinity'' END', p.present)
                                  ELSE format('%s::float8', p.present) END AS number) AS n
  ORDER BY k.attnum
$$;
-- A table's columns in figures.
CREATE FUNCTION finai.profile_table(relation regclass)
RETURNS TABLE (column_name text, type text, rows bigint, missing bigint, missing_share double precision, distinct_values bigint,
               minimum text, maximum text, mean double precision, stddev double precision, quantiles jsonb,
               outliers bigint, duplicates bigint, most_frequent jsonb, histogram text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET datestyle = 'ISO, YMD' AS $$
DECLARE
  points CONSTANT text[] := ARRAY['p01', 'p05', 'p25', 'p50', 'p75', 'p95', 'p99'];
  latest CONSTANT double precision := date_part('epoch', '294276-12-31 23:59:59'::timestamp);
  bars CONSTANT text[] := ARRAY['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
  c record;
  summaries text[] := '{}';
  contents text[] := '{}';
  bins text[] := '{}';
  outside text[] := '{}';
  keys text[] := '{}';
  absent text[] := '{}';
  summary jsonb[];
  found jsonb;
  i integer := 0;
  low double precision;
  high double precision;
  reach double precision;
  largest bigint;
BEGIN
  PERFORM finai._require_rows(relation);
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    absent := absent || format('(%s) IS NULL', c.present);
    keys := keys || c.key::text;
    summaries := summaries || CASE c.kind
      WHEN 'number' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text, ''mean'', avg(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''stddev'', stddev_samp(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''low'', min(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''high'', max(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''quantiles'', percentile_cont(''{0.01,0.05,0.25,0.5,0.75,0.95,0.99}''::float8[]) WITHIN GROUP (ORDER BY %2$s) FILTER (WHERE abs(%2$s) < 1e150))', c.present, c.number)
      WHEN 'time' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text, ''low'', min(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''high'', max(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''quantiles'', percentile_cont(''{0.01,0.05,0.25,0.5,0.75,0.95,0.99}''::float8[]) WITHIN GROUP (ORDER BY %2$s) FILTER (WHERE abs(%2$s) < 1e150))', c.present, c.number)
      WHEN 'boolean' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', bool_and(%1$s)::text, ''maximum'', bool_or(%1$s)::text, ''mean'', avg(%1$s::int)::float8)', c.present)
      WHEN 'text' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text)', c.present)
      ELSE format('jsonb_build_object(''missing'', count(*) - count(%1$s))', c.present) END;
  END LOOP;

  -- The table's own line: rows that lack a value somewhere, rows that differ, rows that are there once more.
  column_name := NULL;
  type := NULL;
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE %s), array_remove(ARRAY[%s]::jsonb[], NULL) FROM %s AS r',
                 CASE WHEN absent = '{}' THEN 'false' ELSE array_to_string(absent, ' OR ') END, array_to_string(summaries, ', '), relation)
  INTO rows, missing, summary;
  missing_share := missing::double precision / nullif(rows, 0);
  IF keys = '{}' THEN
    distinct_values := least(rows, 1);
  ELSE
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s AS r GROUP BY %s) AS g', relation, array_to_string(keys, ', ')) INTO distinct_values;
  END IF;
  duplicates := rows - distinct_values;
  RETURN NEXT;
  duplicates := NULL;
  IF keys = '{}' THEN
    RETURN;
  END IF;

  -- Values, bins and outliers of all columns in one scan.
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    i := i + 1;
    low := (summary[i] ->> 'low')::double precision;
    high := (summary[i] ->> 'high')::double precision;
    reach := 1.5 * ((summary[i] -> 'quantiles' ->> 4)::double precision - (summary[i] -> 'quantiles' ->> 2)::double precision);
    contents := contents || c.value::text;
    bins := bins || CASE WHEN low < high THEN format('CASE WHEN abs(%s) < 1e150 THEN least(width_bucket(%1$s, %2$L::float8, %3$L::float8, 10), 10) END', c.number, low, high)
                         ELSE 'NULL' END;
    outside := outside || CASE WHEN c.kind = 'number' THEN format('coalesce(%1$s < %2$L::float8 OR %1$s > %3$L::float8 OR abs(%1$s) = ''Infinity'', false)', c.number,
                                 (summary[i] -> 'quantiles' ->> 2)::double precision - reach, (summary[i] -> 'quantiles' ->> 4)::double precision + reach)
                               ELSE 'NULL' END;
  END LOOP;
  EXECUTE format($query$
    WITH g AS MATERIALIZED (
      SELECT e.i, e.value, e.bin, grouping(e.value) = 0 AS by_value, count(*) AS n, count(*) FILTER (WHERE e.outlier) AS outliers
      FROM (SELECT generate_series(1, %s) AS i, unnest(ARRAY[%s]::text[]) AS value, unnest(ARRAY[%s]::int[]) AS bin, unnest(ARRAY[%s]::bool[]) AS outlier FROM %s AS r) AS e
      GROUP BY GROUPING SETS ((e.i, e.value), (e.i, e.bin)))
    SELECT jsonb_object_agg(a.i, jsonb_build_object('distinct', a.distinct_values, 'outliers', a.outliers, 'bins', a.bins, 'frequent', f.frequent))
    FROM (SELECT g.i, count(g.value) FILTER (WHERE g.by_value) AS distinct_values, sum(g.outliers) FILTER (WHERE NOT g.by_value) AS outliers,
                 jsonb_object_agg(g.bin, g.n) FILTER (WHERE NOT g.by_value AND g.bin IS NOT NULL) AS bins
          FROM g GROUP BY g.i) AS a
    CROSS JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('value', left(t.value, 100), 'count', t.n) ORDER BY t.n DESC, t.value COLLATE "C") AS frequent
      FROM (SELECT g.value, g.n FROM g WHERE g.i = a.i AND g.by_value AND g.value IS NOT NULL ORDER BY g.n DESC, g.value COLLATE "C" LIMIT 10) AS t) AS f$query$,
    i, array_to_string(contents, ', '), array_to_string(bins, ', '), array_to_string(outside, ', '), relation)
  INTO found;

  i := 0;
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    i := i + 1;
    column_name := c.name;
    type := c.type;
    missing := (summary[i] ->> 'missing')::bigint;
    missing_share := missing::double precision / nullif(rows, 0);
    distinct_values := coalesce((found -> i::text ->> 'distinct')::bigint, 0);
    minimum := summary[i] ->> 'minimum';
    maximum := summary[i] ->> 'maximum';
    mean := (summary[i] ->> 'mean')::double precision;
    stddev := (summary[i] ->> 'stddev')::double precision;
    quantiles := (SELECT jsonb_object_agg(points[q.place], CASE WHEN c.kind = 'number' THEN q.value
                           WHEN c.base = 'date'::regtype THEN to_jsonb('epoch'::date + floor((q.value #>> '{}')::double precision / 86400)::integer)
                           WHEN c.base = 'timestamptz'::regtype THEN to_jsonb(to_timestamp(least((q.value #>> '{}')::double precision, latest)))
                           ELSE to_jsonb(to_timestamp(least((q.value #>> '{}')::double precision, latest)) AT TIME ZONE 'UTC') END)
                  FROM jsonb_array_elements(nullif(summary[i] -> 'quantiles', 'null')) WITH ORDINALITY AS q (value, place));
    outliers := CASE WHEN c.kind = 'number' THEN coalesce((found -> i::text ->> 'outliers')::bigint, 0) END;
    most_frequent := (SELECT jsonb_agg(f.value ORDER BY f.place)
                      FROM jsonb_array_elements(nullif(found -> i::text -> 'frequent', 'null')) WITH ORDINALITY AS f (value, place) WHERE f.place <= 5);
    histogram := NULL;
    IF nullif(found -> i::text -> 'bins', 'null') IS NOT NULL THEN
      largest := (SELECT max(b.value::bigint) FROM jsonb_each_text(found -> i::text -> 'bins') AS b);
      histogram := (SELECT string_agg(coalesce(bars[1 + 7 * (found -> i::text -> 'bins' ->> b.bin::text)::bigint / largest], '·'), '' ORDER BY b.bin)
                    FROM generate_series(1, 10) AS b (bin));
    ELSIF c.kind IN ('boolean', 'text') OR summary[i] ->> 'low' IS NOT NULL THEN
      largest := (found -> i::text -> 'frequent' -> 0 ->> 'count')::bigint;
      histogram := (SELECT string_agg(bars[1 + 7 * (f.value ->> 'count')::bigint / largest], '' ORDER BY f.place)
                    FROM jsonb_array_elements(nullif(found -> i::text -> 'frequent', 'null')) WITH ORDINALITY AS f (value, place));
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION finai.profile_table(regclass) IS
'Describes a table or view: first a line with column_name NULL for whole rows
(missing: rows that lack some value, distinct_values: rows that differ, duplicates: rows less those),
then one line a column. Missing is NULL, and NaN in number columns. minimum and maximum are as text.
mean, stddev (of the sample), quantiles (p01 to p99, linear interpolation) and histogram are of values below
1e150 in size; infinite ones count as outliers, as do numbers outside Tukey''s fences (more than 1.5
interquartile ranges below p25 or above p75). The mean of a boolean column is its share of true.
most_frequent has five values, as text of at most 100 characters, with counts.
histogram: ten bins of equal width from the smallest to the largest value, · for an empty one;
  for text, enum and boolean columns the ten most frequent values.
What makes no sense for a type is NULL; types that cannot be compared are compared as text.
Reads the table three times, as the caller, who needs SELECT on every column (42501).
Errors: 42P01 no such relation, 42809 not a table or view.';

-- Transforms: parameters fitted once, applied unchanged to later rows.
CREATE TABLE finai.transform (
  name      text COLLATE "C" NOT NULL
            CONSTRAINT transform_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_]{0,62}$'),
  version   integer NOT NULL CONSTRAINT transform_version_check CHECK (version OPERATOR(pg_catalog.>) 0),
  owner     name NOT NULL,
  owner_oid oid,
  relation  text NOT NULL,
  relation_oid oid,
  rules     jsonb NOT NULL,
  fitted    jsonb NOT NULL,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT transform_pkey PRIMARY KEY (name, version)
);
COMMENT ON TABLE finai.transform IS
'One row per fit of a transform: the relation it was fitted on, its rules, and the parameters that they took
from it. Never changed: another fit is another version.';
CREATE TRIGGER transform_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_owner_oid;
COMMENT ON COLUMN finai.transform.relation_oid IS 'Found anew from the name when rows are restored elsewhere; who may read all of it may use the transform.';
-- Relations are stored by name and found again by oid, so that a dump restored elsewhere keeps what is said of them.
CREATE FUNCTION finai._relation_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text[] := parse_ident(NEW.relation);
BEGIN
  -- An alert of a table that was dropped.
  IF TG_OP = 'INSERT' AND TG_TABLE_NAME = 'alert' AND NEW.relation_oid IS NULL THEN
    RETURN NEW;
  END IF;
  NEW.relation_oid := (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE (n.nspname = part[1] OR part[1] = 'pg_temp' AND n.oid = pg_my_temp_schema()) AND c.relname = part[2]);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION finai._relation_oid() IS 'Finds the oid of the relation that a transform, a guard or an alert names.';
CREATE TRIGGER transform_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.transform
  FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_relation_oid;
CREATE TRIGGER transform_immutable BEFORE UPDATE OF name, version, relation, rules, fitted, fitted_at ON finai.transform
  FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_change();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_immutable;
CREATE TRIGGER transform_no_truncate BEFORE TRUNCATE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_no_truncate;
CREATE TRIGGER transform_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.transform FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.transform ENABLE ALWAYS TRIGGER transform_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.transform', '');

-- The transformed rows as a table.
CREATE PROCEDURE finai.transform_table(name text, source regclass, target text)
LANGUAGE c AS 'MODULE_PATHNAME', 'transform_table_wrapper';

-- Generated SQL finds pg_catalog alone, reads dates one way, and writes numbers to the last bit.
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.woe_table(regclass, text, text, integer) SET extra_float_digits = 1;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET extra_float_digits = 1;
ALTER FUNCTION finai.fit_transform(text, regclass, jsonb) SET datestyle = 'ISO, YMD';
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET search_path = pg_catalog, pg_temp;
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET extra_float_digits = 1;
ALTER PROCEDURE finai.transform_table(text, regclass, text) SET datestyle = 'ISO, YMD';
ALTER FUNCTION finai.transform_row(text, record) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION finai.transform_row(text, record) SET extra_float_digits = 1;
ALTER FUNCTION finai.transform_row(text, record) SET datestyle = 'ISO, YMD';

COMMENT ON FUNCTION finai.woe_table(regclass, text, text, integer) IS
'Weight of Evidence of a column against a label, which is boolean or 0/1; true and 1 mean bad.
woe = ln(good% / bad%), where good% is the share of all goods that lie in the bin: positive is safer.
iv = (good% - bad%) * woe, total_iv is their sum.
A share below 1e-4 counts as 1e-4; smoothed is the number of bins where one did.
Text, boolean and enum columns have one bin a value, number columns at most bins (2 to 1000) bins at their
quantiles in double precision by linear interpolation, from lower up to but without upper,
equal cuts and empty bins merged; a column with no more values than bins has one bin a value.
Missing values (NULL, NaN) have a bin of their own, the last, with lower, upper and category NULL.
Rows without a label are left out. woe and iv are NULL where there are no goods or no bads at all.
Reads as the caller, who needs SELECT (42501).
Errors: 42P01 no such relation, 42703 no such column, 42804 a column of another type,
  22023 a label with other values, bins out of range.';
COMMENT ON FUNCTION finai.fit_transform(text, regclass, jsonb) IS
'Fits rules on a table or view and returns the version under which they are stored, with their parameters,
never to be changed.
name: of the transform; a first fit makes it the caller''s, others cannot add versions.
relation: whose rows it is fitted on.
rules: an array of steps, each fitted on what the steps before it give:
  {"column": c, "type": number | integer | numeric | text | boolean | date | timestamp} converts.
    "format": as in to_date, for dates. "invalid": "missing" instead of "error" for text that is no number
    or boolean; a number that double precision cannot hold becomes infinite, or 0; a date or time that cannot
    be read is PostgreSQL''s own error. Dates and timestamps become days and seconds since 1970, in UTC.
  {"column": c, "missing": mean | median | mode | constant | drop} fills NULL and NaN ("value" for a constant),
    or leaves such rows out. "indicator": true adds <c>_missing, 0 or 1.
  {"column": c, "outliers": winsorise | iqr | drop} moves numbers to the quantiles "lower" (0.01) and "upper"
    (0.99), or to Tukey''s fences, "factor" (1.5) interquartile ranges from the quartiles, or leaves rows
    outside the fences out.
  {"column": c, "scaling": standard | min_max | robust}: less mean by standard deviation (of the population),
    less minimum by range, less median by interquartile range; 0 where that is 0; later values may leave 0 to 1.
  {"column": c, "encoding": one_hot | ordinal | woe}: one_hot replaces the column by <c>_<category> columns of
    0 and 1, all 0 for a missing or unseen category ("indicator": true adds <c>_missing); ordinal gives 0, 1, ..
    in the order of the values, "unseen" (-1) for others, NULL for missing; woe gives the Weight of Evidence
    against "label" in at most "bins" (10) bins as finai.woe_table does, for missing that of its bin, for what
    was not seen "unseen" (NULL); the label is not needed later. "categories": [..] names them instead, in order.
  {"duplicates": [c, ..] | "all", "order": [c, "c desc", ..]}: of rows with equal columns the first by the order
    stays.
  A step may ask for several things of a column, done in the order above, and name several "columns".
Quantiles are by linear interpolation. Averages and quantiles leave out missing values and numbers beyond 1e150.
Errors: 22023 rules that are not understood, or the same thing twice for a column; 42703 no such column;
  42804 a column or constant of another type; 22000 no values to fit on, a label of one class;
  22P02 text that cannot be converted; 54000 more than 1,000 categories; 42701 a column name that is taken;
  42501 no SELECT, or another''s transform.';
COMMENT ON PROCEDURE finai.transform_table(text, regclass, text) IS
'Creates a table with the transformed rows of a table or view: the parameters of the transform (name for its
latest version, or name@version) are applied unchanged, columns that no rule names pass through,
rows that a rule drops and duplicates are left out.
The target, name (beside the source) or schema.name, must not exist (42P07) and is the caller''s.
Who may use a transform: its owner, and roles with SELECT on the whole relation that it was fitted on,
without row security in force for them; its parameters tell about those rows.
Errors: 42704 no such transform, 42703 a column that a rule needs is missing,
  42804 it is of another type than it was fitted on, 42501 not allowed.';
COMMENT ON FUNCTION finai.transform_row(text, record) IS
'One transformed row as a JSON object, with the same numbers as finai.transform_table to the last bit.
NULL where a rule would drop the row, and for a NULL row; duplicates do not apply to one row.
Columns bind by name; those that no rule names pass through. Rights and errors as finai.transform_table.';
COMMENT ON FUNCTION finai.describe_transform(text) IS
'The steps of a transform, named name (latest version) or name@version, with their fitted parameters in words.
Rights as finai.transform_table.';
COMMENT ON FUNCTION finai.drop_transform(text) IS
'Removes a transform, all versions, or with name@version one.
Needs ownership (42501); 42704 where there is none.
A transform of the same name that is fitted later starts at version 1 again.';

-- Guards: a table's rows scored as they are written.
CREATE TABLE finai.guard (
  name         text COLLATE "C" NOT NULL CONSTRAINT guard_pkey PRIMARY KEY
               CONSTRAINT guard_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  relation     text NOT NULL,
  relation_oid oid,
  model        text COLLATE "C" NOT NULL,
  features     text COLLATE "C",
  threshold    double precision NOT NULL
               CONSTRAINT guard_threshold_check CHECK (threshold OPERATOR(pg_catalog.>) '-Infinity' AND threshold OPERATOR(pg_catalog.<) 'Infinity'),
  action       text COLLATE "C" NOT NULL
               CONSTRAINT guard_action_check CHECK (action OPERATOR(pg_catalog.=) ANY (ARRAY['review', 'notify', 'reject', 'flag', 'hold', 'off'])),
  score_column name,
  flag_column  name,
  watch        text[] NOT NULL DEFAULT '{}',
  on_error     text COLLATE "C" NOT NULL DEFAULT 'open'
               CONSTRAINT guard_on_error_check CHECK (on_error OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'closed'])),
  budget_ms    integer CONSTRAINT guard_budget_ms_check CHECK (budget_ms OPERATOR(pg_catalog.>) 0),
  created_by   name NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.guard IS 'One row per guard: what it scores, when it speaks up and what it does then. Its triggers carry its name.';
COMMENT ON COLUMN finai.guard.relation IS 'The table, with its schema; the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.guard.budget_ms IS 'Milliseconds that scoring the rows of one statement may take.';

CREATE TRIGGER guard_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.guard FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_relation_oid;
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
  model        text COLLATE "C",
  version      integer,
  threshold    double precision,
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
  resolved_at  timestamptz,
  released_by  name,
  released_at  timestamptz
);
COMMENT ON TABLE finai.alert IS
'Rows that a guard spoke up about (open), kept back (held), let through unscored (unscored),
and what became of them.';
COMMENT ON COLUMN finai.alert.created_by IS 'Role that wrote the row.';
COMMENT ON COLUMN finai.alert.relation IS
'The guarded table; the oid beside it, which says who may see the alert, is found anew when rows are restored
elsewhere, and NULL where the table was dropped.';
COMMENT ON COLUMN finai.alert.key IS
'The row''s primary key, else the columns of a unique index without NULLs, else the whole row,
as PostgreSQL writes the values.';
COMMENT ON COLUMN finai.alert.model IS 'The model as the guard names it; version is the one that scored.';
COMMENT ON COLUMN finai.alert.features IS 'What the model got.';
COMMENT ON COLUMN finai.alert.error IS 'SQLSTATE and message of what kept the row from being scored.';
COMMENT ON COLUMN finai.alert.held IS 'The row that is kept back, whole, as PostgreSQL writes its values.';
COMMENT ON COLUMN finai.alert.outcome IS 'What a reviewer found: confirmed, dismissed or unclear; as a label, true, false and NULL.';
COMMENT ON COLUMN finai.alert.id IS 'Number of the alert, for finai.resolve_alert and finai.release_alert.';
COMMENT ON COLUMN finai.alert.created_at IS 'When the row was written.';
COMMENT ON COLUMN finai.alert.guard IS 'The guard that spoke up.';
COMMENT ON COLUMN finai.alert.relation_oid IS 'The guarded table''s oid; NULL once it is dropped.';
COMMENT ON COLUMN finai.alert.action IS
'What the guard was to do; also reject, for rows that could not be scored, and unknown,
for a guard without configuration.';
COMMENT ON COLUMN finai.alert.version IS 'The version that scored; NULL where none could be found.';
COMMENT ON COLUMN finai.alert.threshold IS 'The guard''s threshold then.';
COMMENT ON COLUMN finai.alert.score IS 'The row''s score; NULL where it could not be scored.';
COMMENT ON COLUMN finai.alert.reasons IS 'Not filled: NULL.';
COMMENT ON COLUMN finai.alert.status IS
'open (the row is in the table, and scores high), held (kept out), unscored (let in without a score),
released (inserted after it was held), resolved.';
COMMENT ON COLUMN finai.alert.note IS 'What the reviewer wrote.';
COMMENT ON COLUMN finai.alert.resolved_by IS 'Role that resolved it.';
COMMENT ON COLUMN finai.alert.resolved_at IS 'When it was resolved.';
COMMENT ON COLUMN finai.alert.released_by IS 'Role that released the row.';
COMMENT ON COLUMN finai.alert.released_at IS 'When the row was released.';
CREATE TRIGGER alert_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.alert FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_relation_oid;
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_no_truncate;
CREATE TRIGGER alert_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.alert', '');
SELECT pg_catalog.pg_extension_config_dump('finai.alert_id_seq', '');

-- Alerts of a table that is dropped are found, and told apart from those of a later one of its name.
CREATE INDEX alert_relation_oid_idx ON finai.alert (relation_oid);

-- Who may read the whole table, with no row of it kept from them, may see its alerts.
ALTER TABLE finai.alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY alert_reviewers ON finai.alert FOR SELECT
  USING (pg_catalog.has_table_privilege(relation_oid, 'SELECT') AND NOT pg_catalog.row_security_active(relation_oid));
COMMENT ON POLICY alert_reviewers ON finai.alert IS
'Alerts are seen by roles with SELECT on the whole table, where no row-level security is in force on it for
them.';


-- What is known of a guard's triggers: status and, where it is not simply active or off, why.
CREATE FUNCTION finai._guard_state(name text, relation oid, action text, watches boolean) RETURNS TABLE (status text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH member AS (
    SELECT p.relid::oid AS oid FROM pg_partition_tree(_guard_state.relation) p UNION SELECT _guard_state.relation
  ), own AS (
    SELECT t.tgrelid, t.tgname, t.tgenabled, t.tgnewtable, k.kind, m.oid IS NOT NULL AS is_member,
           CASE k.kind WHEN 'replica' THEN 'R' WHEN 'flag' THEN 'A' ELSE 'O' END AS fires
    FROM pg_trigger t
    CROSS JOIN LATERAL (SELECT regexp_replace(t.tgname, '^.*_', '')) AS k (kind)
    LEFT JOIN member m ON m.oid = t.tgrelid
    WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgargs = convert_to(_guard_state.name, 'UTF8') || '\x00'::bytea
  ), lacking AS (
    SELECT string_agg(k.kind, ', ' ORDER BY k.kind) AS kinds
    FROM unnest(CASE WHEN _guard_state.action = 'flag' THEN '{flag}' WHEN _guard_state.action = 'hold' THEN '{hold}' WHEN _guard_state.action = 'off' THEN '{}'
                     WHEN _guard_state.watches THEN '{insert,update}' ELSE '{insert}' END::text[]) AS k (kind)
    WHERE NOT EXISTS (SELECT FROM own o WHERE o.tgrelid = _guard_state.relation AND o.kind = k.kind)
  ), unguarded AS (
    SELECT string_agg(p.relid::text, ', ' ORDER BY p.relid::text) AS partitions
    FROM pg_partition_tree(_guard_state.relation) p
    WHERE p.level > 0
      AND _guard_state.action IN ('review', 'notify', 'reject')
      AND NOT EXISTS (SELECT FROM own o WHERE o.tgrelid = p.relid AND o.tgnewtable IS NOT NULL)
  ), other AS (
    SELECT string_agg(DISTINCT format('%I on %s', o.tgname, o.tgrelid::regclass), ', ') FILTER (WHERE o.is_member AND o.tgenabled = 'D') AS disabled,
           string_agg(DISTINCT format('%I on %s', o.tgname, o.tgrelid::regclass), ', ') FILTER (WHERE o.is_member AND o.tgenabled <> o.fires) AS altered,
           string_agg(DISTINCT o.tgrelid::regclass::text, ', ') FILTER (WHERE NOT o.is_member) AS abandoned,
           bool_or(o.is_member) AS is_guarded
    FROM own o
  )
  SELECT CASE WHEN c.oid IS NULL OR o.is_guarded IS NOT TRUE OR o.disabled IS NOT NULL OR l.kinds IS NOT NULL OR (_guard_state.action = 'hold' AND c.relispartition) THEN 'broken'
              WHEN _guard_state.action = 'off' THEN 'off'
              WHEN o.altered IS NOT NULL OR u.partitions IS NOT NULL OR (_guard_state.action <> 'flag' AND c.relispartition) THEN 'partly'
              ELSE 'active' END,
         CASE WHEN c.oid IS NULL THEN 'the table is gone'
              WHEN o.is_guarded IS NOT TRUE THEN 'the table has none of its triggers'
              WHEN l.kinds IS NOT NULL THEN 'the table lacks its triggers of kind ' || l.kinds || ', which finai.alter_guard makes'
              WHEN o.disabled IS NOT NULL THEN 'disabled: ' || o.disabled
              WHEN _guard_state.action = 'hold' AND c.relispartition THEN 'the table has become a partition, where no row is held'
              WHEN _guard_state.action NOT IN ('flag', 'off') AND c.relispartition THEN 'the table has become a partition: not guarded where rows are written through the partitioned table'
              WHEN o.altered IS NOT NULL THEN 'enabled for other sessions than it should be, which finai.alter_guard mends: ' || o.altered
              WHEN _guard_state.action <> 'off' AND u.partitions IS NOT NULL THEN 'not guarded where rows are written straight into them: ' || u.partitions
              WHEN o.abandoned IS NOT NULL THEN 'has triggers that do nothing, which finai.alter_guard drops, on ' || o.abandoned END
  FROM lacking l CROSS JOIN unguarded u CROSS JOIN other o
  LEFT JOIN pg_class c ON c.oid = _guard_state.relation
$$;
COMMENT ON FUNCTION finai._guard_state(text, oid, text, boolean) IS 'The status of a guard as its table''s triggers have it, for the view finai.guards.';

-- Triggers whose guard has no row, as after a restore of the table alone.
CREATE FUNCTION finai._stray_guards(known text[]) RETURNS TABLE (guard text, relation oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT g.name, t.tgrelid
  FROM pg_trigger t
  CROSS JOIN LATERAL (SELECT replace(encode(t.tgargs, 'escape'), '\000', '')) AS g (name)
  WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgparentid = 0 AND g.name <> ALL (known)
$$;
COMMENT ON FUNCTION finai._stray_guards(text[]) IS 'Triggers of guards that have no row, for the view finai.guards.';

-- Guards with what they did. Whoever may read a table sees what guards it.
CREATE VIEW finai.guards AS
SELECT g.name AS guard, COALESCE(c.oid::pg_catalog.regclass::pg_catalog.text, g.relation) AS relation, g.model, g.features, g.threshold, g.action,
       CASE WHEN g.features IS NOT NULL AND r.view IS NULL OR t.detail IS NULL AND p.detail IS NOT NULL THEN 'broken' ELSE t.status END AS status,
       CASE WHEN c.oid IS NULL OR g.features IS NULL OR r.view IS NOT NULL THEN COALESCE(t.detail, p.detail)
            WHEN f.name IS NULL THEN 'the feature set is gone'
            ELSE 'the view of the feature set is gone, or another''s' END AS detail,
       COALESCE(s.rows, 0) AS rows, COALESCE(s.alerts, 0) AS alerts, COALESCE(s.unscored, 0) AS unscored, s.mean_us, s.last_scored, finai._statistics_scope() AS scope,
       g.score_column, g.flag_column, g.watch, g.on_error, g.budget_ms, g.created_by, g.created_at
FROM finai.guard g
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.relation_oid
LEFT JOIN finai.feature_set f ON f.name OPERATOR(pg_catalog.=) g.features
LEFT JOIN LATERAL finai._feature_set_relations(f.view, f.source, f.owner_oid) r ON true
LEFT JOIN finai._guard_statistics() s ON s.guard OPERATOR(pg_catalog.=) g.name AND s.created_at OPERATOR(pg_catalog.=) g.created_at
CROSS JOIN LATERAL finai._guard_state(g.name, g.relation_oid, g.action, g.watch OPERATOR(pg_catalog.<>) '{}') t
LEFT JOIN LATERAL (SELECT finai._guard_problem(g.name) AS detail) p ON g.action OPERATOR(pg_catalog.<>) 'off'
WHERE CASE WHEN c.oid IS NULL THEN EXISTS (
             SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) g.created_by AND pg_catalog.pg_has_role(r.oid, 'MEMBER')
             UNION ALL
             SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'finai' AND pg_catalog.pg_has_role(e.extowner, 'MEMBER'))
           ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END
UNION ALL
SELECT n.guard, n.relation::pg_catalog.regclass::pg_catalog.text, NULL, NULL, NULL, NULL, 'broken', 'it has no configuration: finai.drop_guard(guard) removes its triggers', 0, 0, 0, NULL, NULL, finai._statistics_scope(), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM finai._stray_guards(ARRAY(SELECT g.name FROM finai.guard g)) n
WHERE pg_catalog.has_table_privilege(n.relation, 'SELECT')
ORDER BY 1;
COMMENT ON VIEW finai.guards IS
'Every guard of a table that one may read: what it does, its status and what it did. Where the table is gone,
who made the guard sees it, and whoever administers the extension.';

COMMENT ON COLUMN finai.guards.guard IS 'The guard''s name.';
COMMENT ON COLUMN finai.guards.relation IS 'The table it stands on.';
COMMENT ON COLUMN finai.guards.model IS 'The model it scores with, as finai.create_guard was told: name, name@alias or name@version.';
COMMENT ON COLUMN finai.guards.features IS 'The feature set that computes features; NULL where the table''s columns are all there is.';
COMMENT ON COLUMN finai.guards.threshold IS 'The score from which on it acts.';
COMMENT ON COLUMN finai.guards.action IS 'review, notify, reject, flag or hold; off.';
COMMENT ON COLUMN finai.guards.status IS
'active; off; partly: rows that are written straight into some partitions, or in some sessions, are not guarded;
broken: not guarded, or rows cannot be scored. finai.alter_guard(guard) mends its triggers.';
COMMENT ON COLUMN finai.guards.detail IS 'Why the status is what it is, where it is not active or off.';
COMMENT ON COLUMN finai.guards.rows IS 'Rows it looked at, as far as scope goes.';
COMMENT ON COLUMN finai.guards.alerts IS 'Alerts it wrote on rows that reached the threshold; flag and reject write none.';
COMMENT ON COLUMN finai.guards.unscored IS 'Rows that could not be scored, or not in time.';
COMMENT ON COLUMN finai.guards.mean_us IS 'Microseconds a row, features included; NULL where no row was looked at.';
COMMENT ON COLUMN finai.guards.last_scored IS 'When it looked at a row last.';
COMMENT ON COLUMN finai.guards.scope IS
'What rows, alerts, unscored and mean_us count: cluster, all sessions since the server started,
with finai in shared_preload_libraries; otherwise backend, this session alone.';
COMMENT ON COLUMN finai.guards.score_column IS 'The column that flag sets to the score.';
COMMENT ON COLUMN finai.guards.flag_column IS 'The column that flag sets to whether the score reaches the threshold.';
COMMENT ON COLUMN finai.guards.watch IS 'Columns whose change by UPDATE has the row looked at again.';
COMMENT ON COLUMN finai.guards.on_error IS 'open: rows that cannot be scored go in; closed: their statement fails.';
COMMENT ON COLUMN finai.guards.budget_ms IS 'Milliseconds that scoring the rows of one statement (flag and hold: one row) may take; NULL: any.';
COMMENT ON COLUMN finai.guards.created_by IS 'Role that created it.';
COMMENT ON COLUMN finai.guards.created_at IS 'When it was created.';

-- What a guard would have said. precision is a word of SQL's grammar, which PL/pgSQL's checkers do not take for a name.
CREATE FUNCTION finai._try_guard(relation regclass, model text, threshold double precision, features text, label text, event_time text)
RETURNS TABLE (day date, rows bigint, alerts bigint, unscored bigint, share_right double precision, share_found double precision)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source regclass := relation;
  day_of text := 'NULL::pg_catalog.date';
  is_bad text := 'NULL::pg_catalog.bool';
  column_type oid;
  at text := event_time;
BEGIN
  IF relation IS NULL OR model IS NULL OR threshold IS NULL THEN
    RAISE EXCEPTION 'parameter "%" is null', CASE WHEN relation IS NULL THEN 'relation' WHEN model IS NULL THEN 'model' ELSE 'threshold' END
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the table, the model and a score.';
  END IF;
  IF NOT (threshold > '-Infinity' AND threshold < 'Infinity') THEN
    RAISE EXCEPTION 'invalid value for parameter "threshold"'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is not a finite number.', HINT = 'Pass the score from which on the guard would speak up.';
  END IF;
  IF features IS NOT NULL THEN
    SELECT s.view::regclass, coalesce(at, s.event_time) INTO source, at FROM finai._guard_features(relation, features) s;
  END IF;
  PERFORM finai._check_guard_model(source, model, threshold);
  IF at IS NOT NULL THEN
    column_type := finai._column_type(source, at, 'event_time');
    IF column_type <> ALL (ARRAY['date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype]) THEN
      RAISE EXCEPTION 'column "%" of % is no time', at, source
        USING ERRCODE = 'datatype_mismatch', HINT = 'event_time names a column of type date, timestamp or timestamptz.';
    END IF;
    day_of := format('r.%I::pg_catalog.date', at);
  END IF;
  IF label IS NOT NULL THEN
    column_type := finai._column_type(source, label, 'label');
    IF column_type = 'boolean'::regtype THEN
      is_bad := format('r.%I', label);
    ELSIF column_type = ANY (ARRAY['smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype]) THEN
      is_bad := format('r.%I <> 0', label);
    ELSE
      RAISE EXCEPTION 'column "%" of % is no label', label, source
        USING ERRCODE = 'datatype_mismatch', HINT = 'label names a boolean column, or one of numbers where 0 means no.';
    END IF;
  END IF;
  -- OFFSET keeps the score from being computed for each aggregate.
  RETURN QUERY EXECUTE format(
    'SELECT s.day, count(*), count(*) FILTER (WHERE s.high), count(*) FILTER (WHERE s.high IS NULL),
            count(*) FILTER (WHERE s.high AND s.bad)::float8 / nullif(count(*) FILTER (WHERE s.high AND s.bad IS NOT NULL), 0),
            count(*) FILTER (WHERE s.high AND s.bad)::float8 / nullif(count(*) FILTER (WHERE s.bad), 0)
     FROM (SELECT %s AS day, finai._guard_score($1, r) >= $2 AS high, %s AS bad FROM %s AS r OFFSET 0) s
     GROUP BY GROUPING SETS ((s.day), ())
     HAVING grouping(s.day) = 1 OR s.day IS NOT NULL
     ORDER BY s.day NULLS LAST', day_of, is_bad, source)
    USING model, threshold;
END
$$;
COMMENT ON FUNCTION finai._try_guard(regclass, text, double precision, text, text, text) IS 'What finai.try_guard returns.';
CREATE FUNCTION finai.try_guard(relation regclass, model text, threshold double precision, features text DEFAULT NULL, label text DEFAULT NULL, event_time text DEFAULT NULL)
RETURNS TABLE (day date, rows bigint, alerts bigint, unscored bigint, "precision" double precision, recall double precision)
LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.day, t.rows, t.alerts, t.unscored, t.share_right, t.share_found FROM finai._try_guard(relation, model, threshold, features, label, event_time) t
$$;
COMMENT ON FUNCTION finai.try_guard(regclass, text, double precision, text, text, text) IS
'What a guard on a table would have said of the rows that are there, per day, and in a last row, without a day,
of all of them, rows without a time included. Changes nothing.
relation, model, threshold, features: as for finai.create_guard.
label: a column that says which rows were bad: boolean, or a number that is not 0.
event_time: a column of type date, timestamp or timestamptz; with features, by default the feature set''s.
  Without either, the total alone.
Returns rows; alerts: those that score at least the threshold; unscored: those that cannot be scored,
which finai.score of such a row explains; precision: the share of alerts that were right; recall: the share of
bad rows that were found. Both leave out rows without a label, and are NULL where there are none, or no label.
Scores as the current role, who needs SELECT on the table (with features, on the set''s view)
and USE on the model.
Errors: as finai.score, but for rows that cannot be scored; 0A000 a model without a single score,
  22023 a threshold that no score reaches, 42703 no such column, 42804 a column of a wrong type.';

CREATE FUNCTION finai._column_type(relation regclass, name text, parameter text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found oid := (SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = relation AND a.attname = _column_type.name AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION 'column "%" does not exist in %', name, relation
      USING ERRCODE = 'undefined_column', HINT = format('%s names a column of it.', parameter);
  END IF;
  RETURN found;
END
$$;
COMMENT ON FUNCTION finai._column_type(regclass, text, text) IS 'The type of a column, for finai.try_guard.';

-- Guards that name a model, or a version of it by number; without one, any.
CREATE FUNCTION finai._guard_dependents(model text, version integer) RETURNS TABLE (object text, owner oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('guard %s on table %s', g.name, g.relation), c.relowner
  FROM finai.guard g JOIN pg_class c ON c.oid = g.relation_oid
  WHERE split_part(g.model, '@', 1) = _guard_dependents.model
    AND (_guard_dependents.version IS NULL OR g.model = format('%s@%s', _guard_dependents.model, _guard_dependents.version))
  ORDER BY g.name
$$;
COMMENT ON FUNCTION finai._guard_dependents(text, integer) IS 'Guards that name a version of a model, or any version of it when version is NULL.';

COMMENT ON FUNCTION finai._check_guard_model(regclass, text, double precision) IS
'Refuses a model that no guard could score the rows with, and a threshold that its scores never reach,
for finai.try_guard.';
COMMENT ON FUNCTION finai._guard_score(text, record) IS
  'As finai.score, for finai.try_guard: NULL where the row cannot be scored, or its score is no number.';
COMMENT ON FUNCTION finai._guard_problem(text) IS
'Why the rows of a guard cannot be scored as things are, for the view finai.guards. NULL where they can, and for
whoever may not read its table.';
COMMENT ON FUNCTION finai._guard_features(regclass, text) IS 'View and time of a feature set over a table, for finai.try_guard.';
COMMENT ON FUNCTION finai._guard() IS 'What the triggers of guards run. Their argument is the guard''s name.';
COMMENT ON FUNCTION finai._guard_statistics() IS 'Counts of guards, for the view finai.guards.';
COMMENT ON FUNCTION finai.create_guard(regclass, text, double precision, text, text, text, text, text[], text, integer, text) IS
'Makes a guard: from now on each row that is written into the table is scored with the model,
and where it scores at least the threshold, the action happens. Returns the guard''s name. For the table''s owner.
relation: an ordinary or partitioned table.
model: name, name@alias or name@version, with a single score. Columns bind to its features by name.
threshold: for a model whose scores are probabilities 0 (every row that can be scored) to 1.
action: what happens to a row that scores so high:
  review: an alert is written (finai.alert), for all rows of a statement at once.
  notify: as review, and NOTIFY finai_alert, with {"guard", "alert", "score"} for each,
    or with their number for more than 100; such a transaction cannot be prepared.
  reject: the statement fails with 23514; no row of it goes in, and no alert, but a line in the server''s log.
  flag: before the row is stored score_column and flag_column are set; no alert.
  hold: the row is kept out and saved in an alert, until finai.release_alert inserts it.
features: a feature set of the table; columns of its view bind instead.
score_column: with flag, gets the score: double precision, real or numeric without precision.
flag_column: with flag, gets whether the score reaches the threshold: boolean.
  Both are NULL for a row that cannot be scored, so neither may be NOT NULL.
  Of several guards that set one column, the last by name has the say.
watch: columns whose change by UPDATE scores the row again; without it, updates are not looked at.
  A row that an UPDATE moves to another partition is no new row.
on_error: open lets rows in that could not be scored, and an alert says so (status unscored);
  closed makes the statement fail.
budget_ms: milliseconds that scoring the rows of one statement (flag and hold: one row) may take,
  beyond which rows count as not scored; NULL: any.
name: by default <table>_<model>.
The guard scores, and computes features, as the table''s owner, who needs USE on the model; writers need nothing.
Errors: 42501 not the owner, or the owner has no USE; 42809 no ordinary or partitioned table;
  42704 no such model or feature set, or no column for a feature; 42804 a column of a wrong type;
  42703 no such column; 55000 nothing promoted; 42710 the name is taken;
  22023 a value out of range, a feature set of another table, or a column to set that is NOT NULL
  or is looked at itself;
  0A000 a generated column as a feature of flag or hold, watch with hold, an action but flag on a partition,
  a foreign partition (actions but flag and hold), a partition key to set, a model without a single score.';
COMMENT ON FUNCTION finai.alter_guard(text, double precision, text, text, integer) IS
'Changes settings of a guard from the next statement on; what is NULL stays. For the table''s owner.
name: of the guard. Alone it mends the guard: partitions that were attached since are guarded, triggers that
  are missing or disabled are made and enabled, those left on partitions that were detached are dropped,
  and a table that was restored under another name is followed. The other calls do that too.
threshold: as for finai.create_guard.
action: one of finai.create_guard''s, or off; flag only where the guard was made with columns to set.
on_error: open or closed.
budget_ms: 0 for none.
Writers are not kept waiting, unless triggers have to be made or dropped: for partitions, or between flag,
hold and the other actions.
Errors: 42704 no such guard, 22023 a value out of range, otherwise as finai.create_guard.';
COMMENT ON FUNCTION finai.drop_guard(text) IS
'Removes a guard with its triggers; its alerts stay.
For the table''s owner; where the table is gone, for the role that made it,
superusers and members of the extension''s owner.';
COMMENT ON FUNCTION finai.resolve_alert(bigint, text, text) IS
'Records what a reviewer found. For roles that may see the alert.
id: of the alert.
outcome: confirmed (the guard was right), dismissed (it was not) or unclear; given once.
note: free text.
A row that is held can be confirmed, and stays out for good; for other outcomes it is released first,
unless its table is gone.
Errors: 22004 no id or outcome, 42704 no such alert that one may see, 55000 resolved already or held still,
  22023 another outcome.';
COMMENT ON FUNCTION finai.release_alert(bigint) IS
'Inserts the row that a guard held, as the current role, who needs INSERT on the table.
Guards with action hold let this row through, and no other that its triggers write: a reviewer has looked at it;
guards with other actions and triggers see it as any row.
Values are read back as they were written; columns that were added since take their defaults.
Fails as the INSERT does, and the row stays held then.
Errors: 22004 no id, 42704 no such alert that one may see, 55000 released or resolved already, nothing held,
  or kept out by a trigger, 42703 a column of it is gone, 42P01 the table is.';
COMMENT ON FUNCTION finai.delete_alerts(timestamptz) IS
'Deletes alerts written before a moment and returns how many: of tables that the current role owns,
all of them for the owner of the extension. Rows that are held still are kept.';

-- What is said of objects that 0.1.0 had.
COMMENT ON TABLE finai.model_grant IS
'Privileges on models: USE to score and describe, PROMOTE to move aliases.
The owner and superusers hold all of them.';
COMMENT ON COLUMN finai.models.model IS
'The model''s name.';
COMMENT ON COLUMN finai.models.version IS
'Its number; a model''s versions count from 1.';
COMMENT ON COLUMN finai.models.aliases IS
'Aliases that mean this version; champion is what a bare name scores with.';
COMMENT ON COLUMN finai.models.task IS
'binary, multiclass, regression or vector.';
COMMENT ON COLUMN finai.models.owner IS
'Who owns the model; NULL for a bundled one that nobody changed.';
COMMENT ON COLUMN finai.models.bundled IS
'Whether it came with the extension.';
COMMENT ON COLUMN finai.models.sha256 IS
'Of the ONNX file''s bytes, in hexadecimal.';
COMMENT ON COLUMN finai.models.notes IS
'As finai.register_model was told.';
COMMENT ON COLUMN finai.models.registered_by IS
'Role that registered the version; NULL for bundled ones.';
COMMENT ON COLUMN finai.models.registered_at IS
'When it was registered; NULL for bundled ones.';
COMMENT ON COLUMN finai.models.status IS
'verified, failed (reference rows no longer agree), broken (a column it reads is gone) or retired (not scored
any more).';
COMMENT ON COLUMN finai.models.use_case IS
'What the model is for, as finai.alter_model or finai.register_model was told.';
COMMENT ON COLUMN finai.models.last_scored IS
'When the version was scored last; by whom, finai.stat_models.scope says.';
COMMENT ON FUNCTION finai.score(text, record) IS
'Scores one row with a model, named as model, model@alias or model@version:
the probability of the positive class, or the predicted value of a regression.
Columns bind to features by name; extra columns do not matter.
NULL for a NULL row; a NULL column follows the feature''s policy (see describe_model).
Errors: 42704 no such model, version or column, 42804 column of a wrong type, 22004 NULL where refused,
  22000 unknown category, 55000 nothing promoted, 42501 no USE on the model.
The version is the one promoted as of the statement''s snapshot.';
COMMENT ON FUNCTION finai.predict(text, record) IS
'Scores one row and returns (score, label, model, version): the label is the predicted class,
NULL for a regression; the score is NULL for a model of several classes without a declared output.
Otherwise as finai.score.';
COMMENT ON FUNCTION finai.probabilities(text, record) IS
'The probability of every class of one row, as a JSON object label -> probability. 22023 for a regression.
Otherwise as finai.score.';
COMMENT ON FUNCTION finai.credit_score(record) IS
'Credit points of one applicant, unrounded, higher is safer: 600 points at good:bad odds of 50:1,
20 points double the odds (points = 487.1229 + 28.8539 * ln((1 - p) / p), p = default_prob,
clipped to [1e-15, 1 - 1e-15]).
Scores with the champion of model credit_score; describe_model(''credit_score'') lists the columns it reads.';
COMMENT ON FUNCTION finai.fraud_prob(record) IS
'Probability that a card transaction is fraudulent, between 0 and 1: finai.score(''fraud_prob'', row).
describe_model(''fraud_prob'') lists the features it reads.';
COMMENT ON COLUMN finai.stat_models.model IS
'The model''s name.';
COMMENT ON COLUMN finai.stat_models.version IS
'The version''s number.';
COMMENT ON FUNCTION finai._statistics_scope() IS
'cluster or backend, as finai.stat_models.scope, also where nothing is counted yet.';
COMMENT ON FUNCTION finai.check_binding(text, regclass) IS
'How the columns of a relation would bind to a model''s features, before scoring anything: one row per feature,
status ok, missing or mismatch. Needs USE on the model, reads no rows.';
COMMENT ON FUNCTION finai.inspect_onnx(bytea) IS
'The operators of an ONNX file with how often each is used, whether finai supports it, and why not.
Registers nothing.
Errors: 22P03 not ONNX, 54000 over a finai.max_ limit.';

-- What is new belongs to whom the rest belongs to, and to nobody else, whatever ALTER DEFAULT PRIVILEGES says.
DO $$
DECLARE
  owner pg_catalog.regrole := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) 'finai.model'::pg_catalog.regclass);
  member pg_catalog.text;
  kind pg_catalog.text;
  grantee pg_catalog.text;
BEGIN
  FOR kind, member IN
    SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::pg_catalog.text
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
      WHERE kind OPERATOR(pg_catalog.=) 'ROUTINE' AND p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(member)
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
GRANT EXECUTE ON FUNCTION finai._log_feature_change() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard() TO PUBLIC;
GRANT SELECT ON finai.alert TO PUBLIC;
GRANT SELECT ON finai.guards TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_statistics() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._stray_guards(text[]) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.try_guard(regclass, text, double precision, text, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_features(regclass, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._column_type(regclass, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.feature_row(anyelement, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.features_at(anyelement, "any", "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.describe_feature_set(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._window_features(text, boolean, "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._window_texts(text, boolean, "any") TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._is_night(timestamp) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._is_weekend(timestamp) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._quotient(double precision, double precision, double precision) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.profile_table(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._require_rows(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._profiled_columns(regclass) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.woe_table(regclass, text, text, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.transform_row(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai.describe_transform(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._refuse_text(text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_state(text, oid, text, boolean) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._try_guard(regclass, text, double precision, text, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._statistics_scope() TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._check_guard_model(regclass, text, double precision) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_score(text, record) TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._feature_set_relations(text, text, oid) TO PUBLIC;
GRANT SELECT ON finai.feature_sets TO PUBLIC;
GRANT EXECUTE ON FUNCTION finai._guard_problem(text) TO PUBLIC;

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

-- What relies on a model without being a row here: stored expressions on one version, and columns that typed functions read.

-- A call is read from the expression as PostgreSQL prints it; one whose model or version is not a plain constant may mean any.
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

-- Columns that typed scoring functions and guards read: everything that can change a row type or, by CASCADE, drop a column.
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

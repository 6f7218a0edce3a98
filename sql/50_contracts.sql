-- What relies on a model without being a row here: stored expressions on one version, and columns that typed functions read.

-- A call is read from the expression as PostgreSQL prints it; one whose model or version is not a plain constant may mean any.
CREATE FUNCTION finai._version_dependents(model text, version integer) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
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
           END AS definition
    FROM dependent d
  )
  SELECT n.description
  FROM named n
  WHERE n.definition IS NULL
     OR NOT n.definition ~ 'finai\.score_version\('
     OR EXISTS (
       SELECT FROM regexp_matches(n.definition, 'finai\.score_version\((?:''([^'']*)''::text, ([0-9]+),)?', 'g') AS call (part)
       WHERE call.part[1] IS NULL
          OR call.part[1] = _version_dependents.model AND (_version_dependents.version IS NULL OR call.part[2] = _version_dependents.version::text))
  ORDER BY 1
$$;
COMMENT ON FUNCTION finai._version_dependents(text, integer) IS
  'The columns, indexes, constraints, views and other objects whose stored expression calls finai.score_version on a version of a model, or on any version when it is NULL. A call whose model or version is not a constant counts as a call on every version.';

-- What makes up the extension, as the catalogue tells, one line each, in an order of its own: for comparing an updated
-- database with a fresh one. Owners are named, oids are not.
\set QUIET on
SET search_path = pg_catalog;
CREATE TEMP TABLE finding (object text, what text, value text);

-- Members, and what is in the schema without being one.
INSERT INTO finding
SELECT identity, 'member', type FROM pg_extension e, pg_depend d, pg_identify_object(d.classid, d.objid, 0)
WHERE e.extname = 'finai' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e';
INSERT INTO finding
SELECT c.oid::regclass::text, 'relation', concat_ws(' ', c.relkind, c.relpersistence, pg_get_userbyid(c.relowner), c.relrowsecurity, c.relforcerowsecurity,
       c.reloptions, c.relreplident)
FROM pg_class c WHERE c.relnamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT c.oid::regclass || '.' || a.attname, 'column',
       concat_ws(' ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END, a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
                 a.attcompression, a.attstattarget,
                 (SELECT string_agg(option, ' ') FROM unnest(a.attoptions) AS option WHERE option NOT LIKE 'pg\_attver=%'), pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind IN ('r', 'v', 'c', 'S', 'm', 'p');
INSERT INTO finding
SELECT c.conrelid::regclass || '.' || c.conname, 'constraint',
       concat_ws(' ', pg_get_constraintdef(c.oid), c.condeferrable, c.condeferred, c.convalidated, c.connoinherit)
FROM pg_constraint c WHERE c.connamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT i.indexrelid::regclass::text, 'index', concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisprimary, i.indisvalid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT c.oid::regclass::text, 'view', pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind = 'v';
INSERT INTO finding
SELECT t.tgrelid::regclass || '.' || t.tgname, 'trigger', concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'finai'::regnamespace AND NOT t.tgisinternal;
INSERT INTO finding
SELECT r.ev_class::regclass || '.' || r.rulename, 'rule', concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = 'finai'::regnamespace AND r.rulename <> '_RETURN';
INSERT INTO finding
SELECT s.seqrelid::regclass::text, 'sequence', concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relnamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT p.oid::regprocedure::text, 'function',
       concat_ws(' ', pg_get_functiondef(p.oid), pg_get_function_identity_arguments(p.oid), p.procost, p.prorows, p.proparallel, p.provolatile, p.proisstrict,
                 p.prosecdef, p.proleakproof, p.prosupport, p.proconfig, pg_get_userbyid(p.proowner))
FROM pg_proc p WHERE p.pronamespace = 'finai'::regnamespace AND p.prokind <> 'a';
INSERT INTO finding
SELECT p.oid::regprocedure::text, 'aggregate', concat_ws(' ', a.*, pg_get_function_arguments(p.oid))
FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE p.pronamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT t.oid::regtype::text, 'type', concat_ws(' ', t.typtype, t.typcategory, pg_get_userbyid(t.typowner), t.typlen)
FROM pg_type t WHERE t.typnamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT p.polrelid::regclass::text, 'policy', concat_ws(' ', p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'finai'::regnamespace;
INSERT INTO finding
SELECT t.evtname, 'event trigger', concat_ws(' ', t.evtevent, t.evtfoid::regprocedure, t.evtenabled, t.evttags)
FROM pg_event_trigger t;
INSERT INTO finding
SELECT i.identity, 'comment', d.description
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE i.schema = 'finai' OR i.identity LIKE 'finai%' OR i.identity LIKE '%finai.%';
INSERT INTO finding
SELECT c.oid::regclass::text, 'dumped', e.extcondition[array_position(e.extconfig, c.oid)]
FROM pg_extension e JOIN pg_class c ON c.oid = ANY (e.extconfig) WHERE e.extname = 'finai';
INSERT INTO finding
SELECT 'finai', 'extension', concat_ws(' ', extversion, extnamespace::regnamespace, extrelocatable) FROM pg_extension WHERE extname = 'finai';

-- Privileges, and those that a dump counts as the extension's own.
INSERT INTO finding
SELECT o.object, 'privilege', concat_ws(' ', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type, a.is_grantable, a.grantor::regrole)
FROM (SELECT oid::regclass::text AS object, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 'S' ELSE 'r' END::"char", relowner)) AS acl
      FROM pg_class WHERE relnamespace = 'finai'::regnamespace AND relkind IN ('r', 'v', 'S', 'm', 'p')
      UNION ALL SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc WHERE pronamespace = 'finai'::regnamespace
      UNION ALL SELECT oid::regtype::text, coalesce(typacl, acldefault('T', typowner)) FROM pg_type WHERE typnamespace = 'finai'::regnamespace
      UNION ALL SELECT 'schema finai', coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = 'finai') o,
     aclexplode(o.acl) a;
INSERT INTO finding
SELECT i.identity, 'initial privilege', concat_ws(' ', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type, a.is_grantable)
FROM pg_init_privs p, pg_identify_object(p.classoid, p.objoid, p.objsubid) i, aclexplode(p.initprivs) a
WHERE p.privtype = 'e' AND (i.schema = 'finai' OR i.identity = 'finai');

SELECT object, what, value FROM finding ORDER BY 1, 2, 3;

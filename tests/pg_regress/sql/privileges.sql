-- Who may do what: after CREATE EXTENSION, and after grants.
\set onnx `base64 -w0 models/credit_score.onnx`
\set ECHO none
\i demo/credit.sql
\set ECHO all
\set VERBOSITY sqlstate
CREATE ROLE regress_analyst; CREATE ROLE regress_publisher; CREATE ROLE regress_team; CREATE ROLE regress_member IN ROLE regress_team;
GRANT USAGE ON SCHEMA demo TO PUBLIC;
GRANT SELECT ON demo.applications TO PUBLIC;
GRANT CREATE ON SCHEMA public TO regress_analyst, regress_publisher;
GRANT EXECUTE ON FUNCTION finai.register_model, finai.promote_model, finai.grant_model, finai.revoke_model TO regress_publisher;

-- An ordinary role scores with and describes the bundled models, and writes its own typed functions.
SET ROLE regress_analyst;
SELECT count(finai.credit_score(a)), count(finai.score('credit_score', a)), count(finai.predict('credit_score', a)) FROM demo.applications a;
SELECT count(*) > 0 FROM finai.describe_model('fraud_prob');
SELECT count(*) > 0 FROM finai.check_binding('fraud_prob', 'demo.applications');
SELECT count(*) FROM finai.models;
SELECT finai.create_scoring_function('public.mine', 'credit_score', 'demo.applications');
SELECT count(public.mine(a)) FROM demo.applications a;
-- It changes nothing and reads no bytes.
SELECT finai.register_model('m', '\x00');
SELECT finai.promote_model('credit_score', 1);
SELECT finai.grant_model('credit_score', 'public');
SELECT finai.revoke_model('credit_score', 'public');
SELECT onnx FROM finai.model_blob;
SELECT * FROM finai.model_event;
INSERT INTO finai.model_alias VALUES ('credit_score', 'champion', 2);

-- A publisher registers without rights on the tables; the model is the publisher's.
SET ROLE regress_publisher;
SELECT finai.register_model('house', decode(:'onnx', 'base64'));
SELECT finai.promote_model('house', 1);
SELECT current_user, model, owner, registered_by, aliases FROM finai.models WHERE model = 'house';
SELECT count(finai.score('house', a)) FROM demo.applications a;
SELECT onnx FROM finai.model_blob;
-- It may not touch the bundled models, which belong to the extension's owner.
SELECT finai.register_model('credit_score', decode(:'onnx', 'base64'));
SELECT finai.promote_model('credit_score', 1);
SELECT finai.revoke_model('credit_score', 'public');

-- USE decides, in every statement, through groups and views, with warm caches.
SET ROLE regress_member;
SELECT count(finai.score('house', a)) FROM demo.applications a;
SELECT finai.describe_model('house');
SELECT finai.check_binding('house', 'demo.applications');
SET ROLE regress_publisher;
SELECT finai.grant_model('house', 'regress_team');
SET ROLE regress_member;
SELECT count(finai.score('house', a)) FROM demo.applications a;
SELECT finai.promote_model('house', 1);
PREPARE warm AS SELECT count(finai.score('house', a)) FROM demo.applications a;
EXECUTE warm;
SET ROLE regress_analyst;
EXECUTE warm;
SET ROLE regress_publisher;
SELECT finai.revoke_model('house', 'regress_team');
SET ROLE regress_member;
EXECUTE warm;
SET ROLE regress_publisher;
SELECT finai.grant_model('house', 'public');
SET ROLE regress_analyst;
EXECUTE warm;
RESET ROLE;

-- PROMOTE moves aliases, and nothing else.
GRANT EXECUTE ON FUNCTION finai.promote_model TO regress_member;
SELECT finai.grant_model('house', 'regress_member', 'promote');
SET ROLE regress_member;
SELECT finai.promote_model('house', 1, 'challenger');
SELECT finai.score('house@challenger', a) IS NOT NULL AS scored FROM demo.applications a LIMIT 1;
RESET ROLE;

-- A bundled model can be taken away from the public, and stays usable for its owner.
SELECT finai.revoke_model('credit_score', 'public');
SET ROLE regress_analyst;
SELECT count(finai.credit_score(a)) FROM demo.applications a;
RESET ROLE;
SELECT count(finai.credit_score(a)) FROM demo.applications a;
SELECT finai.grant_model('credit_score', 'regress_analyst');
SET ROLE regress_analyst;
SELECT count(finai.credit_score(a)) FROM demo.applications a;
RESET ROLE;

-- Writing on a role's behalf is immune to what its search path resolves first.
SET ROLE regress_publisher;
CREATE FUNCTION public.evil(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'captured as %', current_user; END $$;
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.evil);
CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'captured as %', current_user; END $$;
SET search_path = public, pg_catalog;
SELECT finai.register_model('house', decode(:'onnx', 'base64'));
SELECT finai.promote_model('house', 2);
SHOW search_path;
SELECT current_user;
-- Identity is back after an error too.
SELECT finai.promote_model('house', 7);
SELECT current_user;
RESET search_path;
DROP OPERATOR public.= (text, text);
DROP FUNCTION public.evil(text, text), public.sha256(bytea);
RESET ROLE;

-- No function of the extension runs with its owner's rights, leaks past barriers, or trusts the caller's search path.
SELECT count(*) FILTER (WHERE prosecdef) AS definer, count(*) FILTER (WHERE proleakproof) AS leakproof,
       count(*) FILTER (WHERE l.lanname <> 'c' AND p.prokind <> 'a' AND p.proconfig IS NULL) AS open_path,
       count(*) FILTER (WHERE obj_description(p.oid, 'pg_proc') IS NULL AND p.proname NOT LIKE '\_%') AS without_comment
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'finai'
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND d.deptype = 'e' JOIN pg_language l ON l.oid = p.prolang;
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'finai'::regnamespace AND has_function_privilege('regress_analyst', p.oid, 'execute') ORDER BY 1;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'finai'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND has_table_privilege('regress_analyst', c.oid, 'select') ORDER BY 1;
DROP OWNED BY regress_analyst, regress_publisher, regress_team, regress_member;
DROP ROLE regress_analyst, regress_publisher, regress_team, regress_member;

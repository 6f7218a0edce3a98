-- What other sessions do in between: a second session through dblink.
CREATE EXTENSION dblink;
\set onnx `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
CREATE TABLE file AS SELECT decode(:'onnx', 'base64') AS onnx;
GRANT SELECT ON file TO PUBLIC;
SELECT dblink_connect('other', format('host=%s dbname=%s', current_setting('unix_socket_directories'), current_database()));
CREATE TABLE customers AS SELECT 24 AS duration_in_month, 2 AS installment_rate_in_percentage_of_disposable_income, 3 AS present_residence_since,
  1 AS number_of_existing_credits_at_this_bank, 1 AS number_of_people_being_liable_to_provide_maintenance_for;
SELECT finai.register_model('amount', onnx) FROM file;

-- A promotion that a subtransaction rolled back is gone for the same call site, though the snapshot looks the same.
CREATE FUNCTION after_rollback() RETURNS text LANGUAGE plpgsql AS $$
DECLARE customer customers; score float8; seen text := '';
BEGIN
  SELECT * INTO customer FROM customers;
  FOR i IN 1..2 LOOP
    BEGIN
      IF i = 1 THEN
        PERFORM finai.promote_model('amount', 1, 'trial');
        PERFORM dblink_exec('other', 'CREATE TABLE unrelated ()');
      END IF;
      score := finai.score('amount@trial', customer);
      seen := seen || 'scored ';
      IF i = 1 THEN RAISE EXCEPTION 'roll back'; END IF;
    EXCEPTION
      WHEN undefined_object THEN seen := seen || 'no alias ';
      WHEN raise_exception THEN NULL;
    END;
  END LOOP;
  RETURN seen;
END $$;
SELECT after_rollback();

-- A promotion in another session is seen by the next statement, not by the one that runs.
SELECT finai.promote_model('amount', 1);
SELECT finai.register_model('amount', onnx) FROM file;
SELECT count(DISTINCT (finai.predict('amount', c)).version) AS versions, count(*) AS rows, max(dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.promote_model('amount', 2); END $d$ $q$)) AS meanwhile
FROM customers c, generate_series(1, 3);
SELECT (finai.predict('amount', c)).version FROM customers c;

-- A right that was revoked after the statement's snapshot no longer counts when it comes to writing.
CREATE ROLE regress_bob;
GRANT EXECUTE ON FUNCTION finai.promote_model, finai.register_model, finai.grant_model TO regress_bob;
SELECT finai.grant_model('amount', 'regress_bob', 'PROMOTE');
\set VERBOSITY sqlstate
GRANT SELECT ON customers TO regress_bob;
SET ROLE regress_bob;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM file;
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.revoke_model('amount', 'regress_bob', 'PROMOTE'); END $d$ $q$);
SELECT finai.promote_model('amount', 1, 'stolen');
ROLLBACK;
-- Nor does a right to score count any more in a transaction that keeps its snapshot, while the model stays as it was.
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.grant_model('amount', 'regress_bob'); END $d$ $q$);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT (finai.predict('amount', c)).version FROM customers c;
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.promote_model('amount', 1); END $d$ $q$);
SELECT (finai.predict('amount', c)).version FROM customers c;
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.revoke_model('amount', 'regress_bob'); END $d$ $q$);
SELECT (finai.predict('amount', c)).version FROM customers c;
ROLLBACK;
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.promote_model('amount', 2); END $d$ $q$);
-- Nor does a name count as free that somebody took since.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM file;
SELECT dblink_exec('other', $q$DO $d$ BEGIN PERFORM finai.register_model('taken', onnx) FROM file; END $d$ $q$);
SELECT finai.register_model('taken', onnx) FROM file;
ROLLBACK;
RESET ROLE;
SELECT model, version, registered_by FROM finai.models WHERE NOT bundled ORDER BY 1, 2;
SELECT alias, version FROM finai.model_alias ORDER BY 1;

-- Grants follow a role that is renamed, and a role dropped and made again starts anew.
CREATE ROLE regress_eve;
SELECT finai.grant_model('amount', 'regress_eve');
ALTER ROLE regress_eve RENAME TO regress_eva;
SET ROLE regress_eva;
SELECT count(finai.score('amount', c)) FROM (SELECT 24 AS duration_in_month, 2 AS installment_rate_in_percentage_of_disposable_income, 3 AS present_residence_since,
  1 AS number_of_existing_credits_at_this_bank, 1 AS number_of_people_being_liable_to_provide_maintenance_for) c;
RESET ROLE;
-- A dump carries names: verify_models stores the new one.
SELECT grantee FROM finai.model_grant WHERE grantee LIKE 'regress_ev%';
SELECT count(*) > 0 AS verified FROM finai.verify_models('amount');
SELECT grantee FROM finai.model_grant WHERE grantee LIKE 'regress_ev%';
SELECT finai.revoke_model('amount', 'regress_eva');
SELECT count(*) FROM finai.model_grant WHERE privilege = 'USE';
SELECT finai.grant_model('amount', 'regress_eva');
DROP ROLE regress_eva;
CREATE ROLE regress_eva;
SET ROLE regress_eva;
SELECT count(finai.score('amount', c)) FROM (SELECT 1 AS duration_in_month) c;
RESET ROLE;
SELECT finai.grant_model('amount', 'regress_eva');
SELECT grantee, grantee_oid = grantee::text::regrole AS current FROM finai.model_grant WHERE privilege = 'USE';
-- A role named - is not PUBLIC.
CREATE ROLE "-";
SELECT finai.grant_model('amount', '-');
SELECT finai.grant_model('amount', 'public');
SELECT grantee, grantee_oid FROM finai.model_grant WHERE grantee = '-';
DROP ROLE "-", regress_eva;
DROP OWNED BY regress_bob;
DROP ROLE regress_bob;
SELECT dblink_disconnect('other');

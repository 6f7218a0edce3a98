-- What every spec finds: two files whose scores differ on the same rows, a third one that begin_spec does not
-- register, customers, roles, and the procedure that begins a spec. Run by psql from the repository's root; the extension is each spec's own.
\set gbr `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
\set mlp `base64 -w0 engine/tests/fixtures/german_mlp.onnx`
\set rf `base64 -w0 engine/tests/fixtures/german_rf.onnx`
CREATE TABLE file (name text PRIMARY KEY, onnx bytea);
INSERT INTO file VALUES ('gbr', decode(:'gbr', 'base64')), ('mlp', decode(:'mlp', 'base64')), ('new', decode(:'rf', 'base64'));

CREATE TABLE customer (
  id integer PRIMARY KEY,
  duration_in_month integer,
  credit_amount integer,
  installment_rate_in_percentage_of_disposable_income integer,
  present_residence_since integer,
  number_of_existing_credits_at_this_bank integer,
  number_of_people_being_liable_to_provide_maintenance_for integer
);
INSERT INTO customer VALUES (1, 24, 2835, 3, 4, 1, 1), (2, 36, 6948, 2, 2, 1, 1), (3, 12, 3059, 2, 4, 1, 1);

CREATE TABLE decision (customer integer, score float8);

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['isolation_analyst', 'isolation_alice', 'isolation_bob'] LOOP
    EXECUTE format('CREATE ROLE %I', role);
    EXECUTE format('GRANT SELECT ON file, customer TO %I', role);
  END LOOP;
END
$$;

-- Waits, once the first row is scored, until the session that holds lock 1 lets it go.
CREATE FUNCTION pause(id integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF id = 2 THEN
    PERFORM pg_advisory_lock(1);
    PERFORM pg_advisory_unlock(1);
  END IF;
  RETURN true;
END
$$;

-- The extension anew, with model risk: version 1 predicts an amount, version 2 a probability; version 1 is live.
CREATE PROCEDURE begin_spec() LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
  DROP EXTENSION IF EXISTS finai CASCADE;
  CREATE EXTENSION finai;
  PERFORM finai.register_model('risk', (SELECT onnx FROM file WHERE name = 'gbr'));
  PERFORM finai.register_model('risk', (SELECT onnx FROM file WHERE name = 'mlp'));
  PERFORM finai.promote_model('risk', 1);
  PERFORM finai.grant_model('risk', 'isolation_analyst', 'USE');
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA finai TO isolation_alice, isolation_bob;
  TRUNCATE decision;
END
$$;

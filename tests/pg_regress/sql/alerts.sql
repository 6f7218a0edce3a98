-- Alerts: who sees them, what reviewers do with them, rows that are held and released, features from a feature set.
SET client_min_messages = warning;
CREATE ROLE regress_owner; CREATE ROLE regress_reviewer; CREATE ROLE regress_clerk; CREATE ROLE regress_stranger;
GRANT CREATE ON SCHEMA public TO regress_owner;
GRANT EXECUTE ON FUNCTION finai.create_guard, finai.alter_guard, finai.drop_guard, finai.create_feature_set, finai.drop_feature_set TO regress_owner;
GRANT EXECUTE ON FUNCTION finai.resolve_alert, finai.release_alert, finai.delete_alerts TO regress_owner, regress_reviewer, regress_clerk, regress_stranger;
CREATE DOMAIN positive AS numeric(12, 2) CHECK (VALUE > 0);
CREATE TYPE channel AS ENUM ('web', 'pos');
CREATE TYPE place AS (name text, at point);
SET ROLE regress_owner;
-- An amount of 200 or more scores 0.33, less next to nothing.
CREATE TABLE payment (
  id integer PRIMARY KEY, tx_amount positive NOT NULL, tx_during_weekend integer DEFAULT 0, tx_during_night integer DEFAULT 0,
  customer_id_nb_tx_1day_window integer DEFAULT 2, customer_id_avg_amount_1day_window float8 DEFAULT 39.22,
  customer_id_nb_tx_7day_window integer DEFAULT 9, customer_id_avg_amount_7day_window float8 DEFAULT 73.7,
  customer_id_nb_tx_30day_window integer DEFAULT 38, customer_id_avg_amount_30day_window float8 DEFAULT 83.2,
  terminal_id_nb_tx_1day_window integer DEFAULT 0, terminal_id_risk_1day_window float8 DEFAULT 0,
  terminal_id_nb_tx_7day_window integer DEFAULT 8, terminal_id_risk_7day_window float8 DEFAULT 0,
  terminal_id_nb_tx_30day_window integer DEFAULT 27, terminal_id_risk_30day_window float8 DEFAULT 0);
GRANT SELECT ON payment TO regress_reviewer;
GRANT SELECT, INSERT ON payment TO regress_clerk;
GRANT SELECT (id) ON payment TO regress_stranger;
RESET ROLE;

-- hold: the row is kept out, whole, and comes back as it was, whatever the settings of who wrote it and who releases it.
CREATE TABLE "Odd table" (LIKE payment INCLUDING ALL, seq bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, day date, wait interval, small float4, big float8,
  exact numeric, list integer[], grid text[], raw json, tree jsonb, words text, bytes bytea, "Quoted ""name""" text, flag boolean, via channel, place place, span int4range, kind regclass, gone integer, code char(4), flags bit varying(5), net inet,
  doubled numeric GENERATED ALWAYS AS (tx_amount * 2) STORED);
ALTER TABLE "Odd table" DROP gone;
SELECT finai.create_guard('"Odd table"', 'fraud_prob', 0.3, action => 'hold', name => 'keeper');
CREATE TABLE twin (LIKE "Odd table" INCLUDING ALL);
SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = 0; SET bytea_output = 'escape'; SET TimeZone = 'America/New_York';
CREATE PROCEDURE write(target regclass, amount numeric) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format($f$INSERT INTO %s (id, tx_amount, at, day, wait, small, big, exact, list, grid, raw, tree, words, bytes, "Quoted ""name""", flag, via, place, span, kind, code, flags, net) VALUES
    (1, $1, '2026-03-29 01:30:00.123456+01', '0044-03-15 BC', '1 year -2 days 03:04:05.678901', 0.1, 1/3::float8, 'NaN', '[0:1]={1,NULL}', '{{"a,b","\"c\\"},{"",NULL}}', '{"b":  1, "a": [1.10, "x"]}', 'null',
     E'line\n"two"\t\u00e9 \\ \u0001', '\x00ff5c', 'null', false, 'pos', ROW('a "b", c', '(1.5,-2)'), '[1,)', 'pg_catalog.pg_class', 'ab', B'101', '10.0.0.1/8')$f$, target) USING amount;
END $$;
CALL write('"Odd table"', 300);
CALL write('twin', 300);
SELECT count(*) FROM "Odd table";
SELECT key, status, action, held FROM finai.alert;
RESET ALL;
SET client_min_messages = warning; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Tokyo';
SELECT finai.release_alert(1);
RESET ALL;
SET client_min_messages = warning;
SELECT count(*) AS released, bool_and(o::text = t::text) AS same FROM "Odd table" o, twin t;
SELECT id, status, released_by FROM finai.alert;
-- Once.
\set VERBOSITY default
SELECT finai.release_alert(1);
-- A value that does not go in leaves the row held: a key that is taken, a column that is gone, a check.
CALL write('"Odd table"', 300);
-- It is in no table: without CASCADE the extension stays.
DROP EXTENSION finai;
DROP EXTENSION IF EXISTS unheard_of, finai;
DROP OWNED BY regress_stranger, CURRENT_USER;
BEGIN; DROP EXTENSION finai CASCADE; ROLLBACK;
SELECT finai.release_alert(max(id)) FROM finai.alert;
DELETE FROM "Odd table";
ALTER TABLE "Odd table" DROP words;
SELECT finai.release_alert(max(id)) FROM finai.alert;
ALTER TABLE "Odd table" ADD words text, ADD CONSTRAINT cheap CHECK (tx_amount < 300) NOT VALID;
SELECT finai.release_alert(max(id)) FROM finai.alert;
ALTER TABLE "Odd table" DROP CONSTRAINT cheap;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER a BEFORE INSERT ON "Odd table" FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT finai.release_alert(max(id)) FROM finai.alert;
DROP TRIGGER a ON "Odd table";
SELECT status, released_by FROM finai.alert ORDER BY id;
-- Another guard that would hold it lets it through, too; the next row is held again, by the first of them.
SELECT finai.create_guard('"Odd table"', 'fraud_prob', 0.2, action => 'hold', name => 'zeal');
SELECT finai.release_alert(max(id)) FROM finai.alert;
SELECT count(*) FROM "Odd table";
DELETE FROM "Odd table";
CALL write('"Odd table"', 300);
SELECT guard, status FROM finai.alert ORDER BY id;
-- A row that a trigger writes while another is released is no released one.
CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 1 THEN INSERT INTO "Odd table" (id, tx_amount) VALUES (2, 999); END IF; RETURN NEW; END $$;
CREATE TRIGGER z AFTER INSERT ON "Odd table" FOR EACH ROW EXECUTE FUNCTION copy();
SELECT finai.release_alert(max(id)) FROM finai.alert;
SELECT guard, key, status FROM finai.alert ORDER BY id;
SELECT id FROM "Odd table";
-- Nor one that a trigger writes before it; and a guard that flags looks at a released row as at any.
ALTER TABLE "Odd table" ADD markup xml, ADD score float8;
CREATE FUNCTION first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 5 THEN INSERT INTO "Odd table" (id, tx_amount) VALUES (6, 999); END IF; RETURN NEW; END $$;
SELECT finai.create_guard('"Odd table"', 'fraud_prob', 0.3, action => 'flag', score_column => 'score', name => 'marker');
INSERT INTO "Odd table" (id, tx_amount, markup, score) VALUES (5, 300, 'a<b/>c', 0.0001);
CREATE TRIGGER a BEFORE INSERT ON "Odd table" FOR EACH ROW EXECUTE FUNCTION first();
SET xmloption = document;
SELECT finai.release_alert(max(id)) FROM finai.alert;
RESET xmloption;
SELECT id, markup, round(score::numeric, 4) AS score FROM "Odd table" WHERE id > 4;
SELECT key, status FROM finai.alert ORDER BY id DESC LIMIT 2;
BEGIN READ ONLY; SELECT finai.resolve_alert(max(id), 'confirmed') FROM finai.alert; ROLLBACK;
SELECT finai.resolve_alert(max(id), 'confirmed') FROM finai.alert;
SELECT finai.drop_guard('zeal'), finai.drop_guard('keeper'), finai.drop_guard('marker');
DROP TABLE "Odd table";
-- Its alerts are those of no table from now on, restored from a dump or not, whatever table has its name by then.
CREATE TABLE "Odd table" (id integer);
CREATE TABLE dumped AS SELECT * FROM finai.alert;
SELECT bool_and(relation_oid IS NULL) AS nobodys FROM finai.alert;
BEGIN; DELETE FROM finai.alert; INSERT INTO finai.alert OVERRIDING SYSTEM VALUE SELECT * FROM dumped; SELECT bool_and(relation_oid IS NULL) AS nobodys FROM finai.alert; ROLLBACK;
DROP TABLE "Odd table", dumped;
SELECT guard, status FROM finai.alert ORDER BY id;
SELECT finai.release_alert(max(id)) FROM finai.alert WHERE status = 'held';
SELECT finai.delete_alerts('infinity');
SELECT guard, status FROM finai.alert ORDER BY id;
SELECT finai.resolve_alert(max(id), 'confirmed', 'a test') FROM finai.alert;
SELECT finai.delete_alerts('infinity');
\set VERBOSITY terse

-- Who sees what: SELECT on the whole table, and no row of it hidden.
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, action => 'hold', name => 'payments') \gset
INSERT INTO payment (id, tx_amount) VALUES (1, 20), (2, 300), (3, 400), (4, 500) RETURNING id;
INSERT INTO payment (id, tx_amount, tx_during_night) VALUES (5, 20, NULL);
CREATE FUNCTION attempt(statement text, tried_by text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', tried_by);
  EXECUTE statement;
  RESET ROLE;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
CREATE FUNCTION seen_by(role text) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SET LOCAL ROLE %I', role); n := (SELECT count(*) FROM finai.alert); RESET ROLE; RETURN n; END $$;
SELECT r AS role, seen_by(r) AS alerts FROM unnest(ARRAY['regress_owner', 'regress_reviewer', 'regress_clerk', 'regress_stranger']) r;
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
SELECT r AS role, seen_by(r) AS alerts FROM unnest(ARRAY['regress_owner', 'regress_reviewer', 'regress_stranger']) r;
ALTER TABLE payment FORCE ROW LEVEL SECURITY;
SELECT seen_by('regress_owner');
ALTER TABLE payment NO FORCE ROW LEVEL SECURITY;
ALTER TABLE payment DISABLE ROW LEVEL SECURITY;
SET ROLE regress_reviewer;
SELECT guard, status, rows >= 5 AS counted FROM finai.guards;
RESET ROLE; SET ROLE regress_stranger;
SELECT count(*) FROM finai.guards;
RESET ROLE;
CREATE FUNCTION alert_of(payment integer) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM finai.alert WHERE key = jsonb_build_object('id', payment) $$;
SELECT statement, role, attempt(statement, role) FROM (VALUES
  (1, 'SELECT finai.resolve_alert(NULL, ''confirmed'')', 'regress_reviewer'), (2, 'SELECT finai.resolve_alert(alert_of(5), NULL)', 'regress_reviewer'), (3, 'SELECT finai.resolve_alert(alert_of(5), ''true'')', 'regress_reviewer'),
  (4, 'SELECT finai.resolve_alert(0, ''confirmed'')', 'regress_reviewer'), (6, 'SELECT finai.release_alert(alert_of(5))', 'regress_clerk'),
  (7, 'SELECT finai.release_alert(alert_of(2))', 'regress_reviewer'), (9, 'SELECT finai.release_alert(alert_of(2))', 'regress_clerk'), (10, 'SELECT finai.release_alert(alert_of(2))', 'regress_clerk'),
  (11, 'SELECT finai.resolve_alert(alert_of(2), ''dismissed'', ''the customer''''s own'')', 'regress_reviewer'), (12, 'SELECT finai.resolve_alert(alert_of(2), ''confirmed'')', 'regress_reviewer'),
  (13, 'SELECT finai.resolve_alert(alert_of(3), ''dismissed'')', 'regress_reviewer'), (14, 'SELECT finai.resolve_alert(alert_of(3), ''confirmed'')', 'regress_reviewer'), (15, 'SELECT finai.release_alert(alert_of(3))', 'regress_clerk'),
  (16, 'SELECT finai.resolve_alert(alert_of(5), ''unclear'')', 'regress_owner'), (17, 'SELECT finai.delete_alerts(NULL)', 'regress_owner'),
  (18, 'UPDATE finai.alert SET note = ''x''', 'regress_owner'), (19, 'DELETE FROM finai.alert', 'regress_owner')) AS a (n, statement, role) ORDER BY n;
\set VERBOSITY default
SELECT finai.resolve_alert(NULL, 'confirmed');
SELECT finai.resolve_alert(1, NULL);
SELECT finai.release_alert(NULL);
\set VERBOSITY terse
SET ROLE regress_stranger;
SELECT finai.resolve_alert(1, 'confirmed'), finai.release_alert(1);
RESET ROLE;
SELECT id FROM payment ORDER BY 1;
SELECT key, status, outcome, note, resolved_by, released_by, created_by FROM finai.alert ORDER BY id;
-- Retention: the owner's own, but for rows that are held.
SET ROLE regress_reviewer;
SELECT finai.delete_alerts('infinity');
SET ROLE regress_owner;
SELECT finai.delete_alerts(now() - interval '1 day'), finai.delete_alerts('infinity');
RESET ROLE;
SELECT key, status FROM finai.alert;
SELECT finai.release_alert(id) FROM finai.alert;
SELECT finai.drop_guard('payments'), finai.delete_alerts('infinity');
-- A row that cannot be saved goes in where the guard is open.
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, action => 'hold');
ALTER TABLE finai.alert ADD CONSTRAINT broken CHECK (held IS NULL) NOT VALID;
INSERT INTO payment (id, tx_amount) VALUES (20, 300) RETURNING id;
SELECT finai.alter_guard('payment_fraud_prob', on_error => 'closed');
INSERT INTO payment (id, tx_amount) VALUES (21, 300) RETURNING id;
ALTER TABLE finai.alert DROP CONSTRAINT broken;
-- ON CONFLICT: the row is held before PostgreSQL looks for a conflict.
INSERT INTO payment (id, tx_amount) VALUES (20, 300) ON CONFLICT DO NOTHING;
SELECT key, status FROM finai.alert;
SELECT finai.drop_guard('payment_fraud_prob');
-- What a guard would have said; rows that cannot be scored are counted apart.
SET ROLE regress_reviewer;
SELECT * FROM finai.try_guard('payment', 'fraud_prob', 0.3);
RESET ROLE;
CREATE TABLE mixed (LIKE payment INCLUDING DEFAULTS, fraud boolean);
INSERT INTO mixed (id, tx_amount, tx_during_night, fraud) SELECT i, CASE WHEN i % 10 = 0 THEN 300 ELSE 20 END, CASE WHEN i % 15 <> 0 THEN 0 END, i % 20 = 0 FROM generate_series(101, 1000) i;
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', 0.3, label => 'fraud');
SELECT (SELECT unscored FROM finai.try_guard('mixed', 'fraud_prob', 0)) = count(*) FILTER (WHERE tx_during_night IS NULL) AS same FROM mixed;
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', 0.3, event_time => 'nothing');
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', 1.01);
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', -0.01);
-- What concerns all rows is an error: no such model, no right to it, no column for a feature.
SELECT * FROM finai.try_guard('mixed', 'nothing', 0.3);
DELETE FROM mixed;
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', 0.3);
ALTER TABLE mixed RENAME tx_amount TO amount;
\set VERBOSITY default
SELECT * FROM finai.try_guard('mixed', 'fraud_prob', 0.3);
\set VERBOSITY terse
DROP TABLE mixed;
SELECT finai.revoke_model('fraud_prob', 'public');
SET ROLE regress_reviewer;
SELECT * FROM finai.try_guard('payment', 'fraud_prob', 0.3);
RESET ROLE;
SELECT finai.grant_model('fraud_prob', 'public');
DELETE FROM payment WHERE id = 5;
CREATE TABLE history AS SELECT p.*, CASE WHEN id <> 4 THEN '2026-01-01'::timestamp + id * interval '9 hours' END AS at, id % 3 = 0 AS fraud, CASE WHEN id <> 3 THEN id % 2 END AS label FROM payment p;
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, label => 'fraud', event_time => 'at');
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, label => 'label');
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, label => 'at');
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, event_time => 'id');
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, event_time => 'nothing');
SELECT * FROM finai.try_guard('history', 'fraud_prob', 'NaN');
SELECT * FROM finai.try_guard('history', NULL, 0.5);
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3, features => 'nothing');
SET ROLE regress_stranger;
SELECT * FROM finai.try_guard('history', 'fraud_prob', 0.3);
RESET ROLE;

-- Features of a feature set: computed of each row as of its moment, with rows of the same statement before it.
\set onnx `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
SET ROLE regress_owner;
CREATE TABLE loan (id bigint PRIMARY KEY, customer integer, at timestamptz, amount integer, duration_in_month integer, installment_rate_in_percentage_of_disposable_income integer, present_residence_since integer, score float8);
SELECT finai.create_feature_set('loan_history', 'loan', 'customer', 'at', 'id', '[{"name": "number_of_existing_credits_at_this_bank", "agg": "count", "window": "365 days"}, {"name": "number_of_people_being_liable_to_provide_maintenance_for", "agg": "distinct", "column": "amount"}]', create_indexes => true);
RESET ROLE;
SELECT finai.register_model('risk', decode(:'onnx', 'base64'));
SELECT finai.promote_model('risk', 1), finai.grant_model('risk', 'regress_owner');
SET ROLE regress_owner;
SELECT finai.create_guard('loan', 'risk', -1e9, features => 'loan_history', name => 'lender');
SELECT finai.create_guard('loan', 'risk', 0);
SELECT finai.create_guard('payment', 'risk', 0, features => 'loan_history');
GRANT INSERT ON loan TO regress_clerk;
SET ROLE regress_clerk;
INSERT INTO loan SELECT i, i % 2, '2026-01-01'::timestamptz + i * interval '1 day', i, 12 + i, 2, 3 FROM generate_series(1, 5) i;
INSERT INTO loan VALUES (6, 1, '2026-01-20', 6, 12, 2, 3);
-- One row without a time: its features are NULL, which this model takes.
INSERT INTO loan VALUES (7, 1, NULL, 6, 12, 2, 3);
RESET ROLE;
SELECT key, features ->> 'number_of_existing_credits_at_this_bank' AS credits, features ->> 'number_of_people_being_liable_to_provide_maintenance_for' AS people, score = finai.score('risk', h) AS same, error
FROM finai.alert a LEFT JOIN loan_history h ON h.id = (a.key ->> 'id')::bigint WHERE a.guard = 'lender' ORDER BY a.id;
SELECT guard, relation, model, features, status, rows, alerts, unscored FROM finai.guards;
SET ROLE regress_owner;
SELECT rows, alerts FROM finai.try_guard('loan', 'risk', -1e9, features => 'loan_history') WHERE day IS NULL;
-- The set's view and columns stay while a guard reads them.
\set VERBOSITY default
SELECT finai.drop_feature_set('loan_history');
DROP VIEW loan_history;
-- What is told of a column is of use where there is no query.
SELECT finai.create_guard('payment', 'risk', 0);
BEGIN; ALTER TABLE payment ALTER tx_during_night TYPE text; SELECT finai.create_guard('payment', 'fraud_prob', 0.5); ROLLBACK;
SELECT finai.create_guard('loan', 'fraud_prob', 0.5, features => 'loan_history');
SELECT finai.create_guard('payment', 'fraud_prob', 0.5, features => 'nothing');
\set VERBOSITY terse
-- SQL that fails while features are computed, in the second row: rows go in.
RESET ROLE;
CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 / 0; RETURN true; END $$;
SELECT finai.delete_alerts('infinity');
ALTER TABLE loan ENABLE ROW LEVEL SECURITY; ALTER TABLE loan FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON loan FOR INSERT WITH CHECK (true);
CREATE POLICY readers ON loan FOR SELECT USING (id < 100 OR fail());
INSERT INTO loan VALUES (99, 7, '2026-02-01', 1, 12, 2, 3), (100, 8, '2026-02-02', 1, 12, 2, 3), (101, 8, '2026-02-03', 1, 12, 2, 3), (102, 9, '2026-02-03', 1, 12, 2, 3);
SELECT key, score IS NOT NULL AS scored, error, status FROM finai.alert ORDER BY id;
SELECT count(*) FROM loan WHERE id >= 99;
SELECT finai.alter_guard('lender', on_error => 'closed');
\set VERBOSITY default
INSERT INTO loan VALUES (103, 8, '2026-02-04', 1, 12, 2, 3);
\set VERBOSITY terse
SELECT finai.alter_guard('lender', on_error => 'open');
-- A statement that is cancelled while features are computed, or while alerts are written, is cancelled.
CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN true; END $$;
ALTER POLICY readers ON loan USING (id < 100 OR slow());
SET statement_timeout = '200ms';
\set VERBOSITY sqlstate
INSERT INTO loan VALUES (104, 8, '2026-02-05', 1, 12, 2, 3), (105, 8, '2026-02-05', 1, 12, 2, 3);
SELECT 1 AS free;
ALTER TABLE loan DISABLE ROW LEVEL SECURITY;
ALTER TABLE finai.alert ADD CONSTRAINT slow CHECK (id = 0 OR public.slow()) NOT VALID;
INSERT INTO loan VALUES (104, 8, '2026-02-05', 1, 12, 2, 3), (105, 8, '2026-02-05', 1, 12, 2, 3);
-- Who catches the cancellation is who they were, in the transaction that they were in.
CREATE ROLE regress_hasty; GRANT INSERT ON loan TO regress_hasty;
SET ROLE regress_hasty;
DO $$ BEGIN
  INSERT INTO loan VALUES (104, 8, '2026-02-05', 1, 12, 2, 3), (105, 8, '2026-02-05', 1, 12, 2, 3);
EXCEPTION WHEN query_canceled THEN
  PERFORM set_config('regress.caught_by', current_user, false);
END $$;
SELECT current_setting('regress.caught_by') AS caught_by, current_user;
RESET ROLE;
ALTER TABLE finai.alert DROP CONSTRAINT slow;
ALTER TABLE loan ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hasty;
DO $$ BEGIN
  INSERT INTO loan VALUES (104, 8, '2026-02-05', 1, 12, 2, 3), (105, 8, '2026-02-05', 1, 12, 2, 3);
EXCEPTION WHEN query_canceled THEN
  PERFORM set_config('regress.caught_by', current_user, false);
END $$;
SELECT current_setting('regress.caught_by') AS caught_by, current_user;
RESET ROLE;
ALTER TABLE loan DISABLE ROW LEVEL SECURITY;
DROP OWNED BY regress_hasty; DROP ROLE regress_hasty;
\set VERBOSITY terse
RESET statement_timeout;
SELECT count(*) FROM loan WHERE id IN (104, 105);
-- Before the row, too.
SELECT finai.create_guard('loan', 'risk', 0, action => 'flag', score_column => 'score', features => 'loan_history', name => 'flagger');
INSERT INTO loan VALUES (200, 20, '2026-03-01', 1, 12, 2, 3), (201, 20, '2026-03-02', 1, 12, 2, 3);
SELECT l.id, l.score = finai.score('risk', h) AS same FROM loan l JOIN loan_history h USING (id) WHERE l.id >= 200 ORDER BY 1;
-- A column to set is refused where the features read it, not where its name is but somewhere in their definition.
ALTER TABLE loan ADD risk float8, ADD count boolean, ADD "1 day" float8, ADD weight float8, ADD place float8, ADD twice integer GENERATED ALWAYS AS (amount * 2) STORED;
SELECT count(*) FROM finai.create_feature_set('loan_all', 'loan', 'customer', 'at', 'id', '[{"name": "number_of_existing_credits_at_this_bank", "agg": "count", "window": "1 day", "by": ["customer", "place"]}, {"name": "number_of_people_being_liable_to_provide_maintenance_for", "agg": "distinct", "column": "amount"}, {"name": "risky", "agg": "risk", "column": "count", "window": "1 day"}, {"name": "heavy", "agg": "sum", "column": "weight"}, {"name": "far", "agg": "distance", "columns": ["score", "place"]}]');
SELECT count(*) FROM finai.create_feature_set('loan_doubled', 'loan', 'customer', 'at', 'id', '[{"name": "number_of_existing_credits_at_this_bank", "agg": "count"}, {"name": "number_of_people_being_liable_to_provide_maintenance_for", "agg": "sum", "column": "twice"}]');
CREATE FUNCTION flagging(score_column text, flag_column text, features text) RETURNS text LANGUAGE sql AS $$
  SELECT attempt(format('SELECT finai.create_guard(''loan'', ''risk'', 0, action => ''flag'', score_column => %L, flag_column => %L, features => %L, name => ''tried''), finai.drop_guard(''tried'')', score_column, flag_column, features), 'postgres') $$;
SELECT c.*, flagging(c.score, c.flag, c.features) FROM (VALUES ('risk', NULL, 'loan_all'), ('1 day', NULL, 'loan_all'), ('weight', NULL, 'loan_all'), ('place', NULL, 'loan_all'), ('score', NULL, 'loan_all'), (NULL, 'count', 'loan_all'),
  ('weight', 'count', 'loan_history'), ('place', NULL, 'loan_history'), ('risk', NULL, 'loan_doubled')) AS c (score, flag, features);
SELECT finai.create_guard('loan', 'risk', 0, action => 'flag', score_column => 'risk', features => 'loan_all', name => 'flag_risk');
INSERT INTO loan VALUES (202, 20, '2026-03-03', 1, 12, 2, 3);
SELECT l.risk = finai.score('risk', h) AS same FROM loan l JOIN loan_all h USING (id) WHERE l.id = 202;
SELECT finai.drop_guard('flag_risk'), finai.drop_feature_set('loan_all'), finai.drop_feature_set('loan_doubled');
-- A column that a guard sets or watches stays.
ALTER TABLE loan DROP COLUMN score CASCADE;
ALTER TABLE loan RENAME score TO chance;
-- So does one that the guard's features come from.
ALTER TABLE loan RENAME customer TO client;
ALTER TABLE loan RENAME amount TO sum;
-- A table that gets another name, or schema, keeps its guard and its set.
ALTER TABLE loan RENAME TO credit;
CREATE SCHEMA elsewhere; ALTER TABLE credit SET SCHEMA elsewhere;
SELECT finai.alter_guard('lender', action => 'off'), finai.alter_guard('lender', action => 'review');
SELECT relation, status, detail FROM finai.guards WHERE guard = 'lender';
SELECT rows, unscored FROM finai.try_guard('elsewhere.credit', 'risk', 0, features => 'loan_history') WHERE day IS NULL;
ALTER TABLE elsewhere.credit SET SCHEMA public; ALTER TABLE credit RENAME TO loan; DROP SCHEMA elsewhere;
-- What would keep its rows from being scored is told where guards are looked at.
BEGIN; SELECT finai.drop_alias('risk', 'champion'); SELECT guard, status, detail FROM finai.guards WHERE guard = 'lender'; ROLLBACK;
-- With event triggers off, the set can go: rows go in unscored.
ALTER EVENT TRIGGER finai_ddl_starts DISABLE; ALTER EVENT TRIGGER finai_ddl_ends DISABLE;
SELECT finai.delete_alerts('infinity');
SELECT finai.drop_feature_set('loan_history');
SELECT finai.drop_guard('flagger');
DROP VIEW loan_history;
INSERT INTO loan VALUES (300, 20, '2026-03-01', 1, 12, 2, 3);
SELECT guard, error, status FROM finai.alert ORDER BY id;
SELECT guard, status, detail FROM finai.guards;
SELECT name, status FROM finai.feature_sets;
SELECT finai.drop_feature_set('loan_history');
-- Of a guard that was left without its table nothing is kept.
DROP TABLE loan;
SELECT guard, status, detail FROM finai.guards;
SELECT finai.drop_feature_set('loan_history');
SELECT guard, status, detail FROM finai.guards;
SELECT finai.drop_guard('lender');
-- A held row whose table is gone: it is put where it belongs by hand, and the alert is closed without a label.
CREATE TABLE brief (LIKE payment INCLUDING DEFAULTS);
SELECT finai.create_guard('brief', 'fraud_prob', 0, action => 'hold');
INSERT INTO brief (id, tx_amount) VALUES (1, 1);
SELECT max(id) AS alert FROM finai.alert \gset
SELECT finai.resolve_alert(:alert, 'unclear');
DROP TABLE brief;
SELECT finai.release_alert(:alert);
SELECT finai.resolve_alert(:alert, 'unclear', 'entered by hand');
SELECT status, outcome, note FROM finai.alert WHERE id = :alert;
DROP OWNED BY regress_owner, regress_reviewer, regress_clerk, regress_stranger CASCADE;
DROP ROLE regress_owner, regress_reviewer, regress_clerk, regress_stranger;

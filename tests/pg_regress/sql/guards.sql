-- Guards: which rows they look at, what they do with them, who may make them, what is refused.
SET client_min_messages = warning;
CREATE ROLE regress_owner; CREATE ROLE regress_writer; CREATE ROLE regress_stranger;
GRANT CREATE ON SCHEMA public TO regress_owner;
GRANT EXECUTE ON FUNCTION finai.create_guard, finai.alter_guard, finai.drop_guard TO regress_owner, regress_stranger;
-- An amount of 200 or more scores 0.33, less next to nothing.
CREATE TABLE payment_like (
  id integer, tx_amount numeric NOT NULL, tx_during_weekend integer DEFAULT 0, tx_during_night integer DEFAULT 0,
  customer_id_nb_tx_1day_window integer DEFAULT 2, customer_id_avg_amount_1day_window float8 DEFAULT 39.22,
  customer_id_nb_tx_7day_window integer DEFAULT 9, customer_id_avg_amount_7day_window float8 DEFAULT 73.7,
  customer_id_nb_tx_30day_window integer DEFAULT 38, customer_id_avg_amount_30day_window float8 DEFAULT 83.2,
  terminal_id_nb_tx_1day_window integer DEFAULT 0, terminal_id_risk_1day_window float8 DEFAULT 0,
  terminal_id_nb_tx_7day_window integer DEFAULT 8, terminal_id_risk_7day_window float8 DEFAULT 0,
  terminal_id_nb_tx_30day_window integer DEFAULT 27, terminal_id_risk_30day_window float8 DEFAULT 0);
GRANT SELECT ON payment_like TO regress_owner;
SET ROLE regress_owner;
CREATE TABLE payment (LIKE payment_like INCLUDING DEFAULTS, PRIMARY KEY (id));
GRANT INSERT, UPDATE (tx_amount), SELECT (id) ON payment TO regress_writer;
RESET ROLE;
CREATE VIEW said AS SELECT guard, action, key, version AS v, round(score::numeric, 4) AS score, error, status FROM finai.alert ORDER BY id;
CREATE FUNCTION forget() RETURNS bigint LANGUAGE sql AS $$ SELECT finai.delete_alerts('infinity') $$;

-- review: one row, several, a query, COPY; as a role that may write and nothing else.
SET ROLE regress_owner;
SELECT finai.create_guard('payment', 'fraud_prob', 0.3);
SELECT tgname, tgenabled, tgtype FROM pg_trigger WHERE tgrelid = 'payment'::regclass ORDER BY 1;
SET ROLE regress_writer;
INSERT INTO payment (id, tx_amount) VALUES (1, 20);
INSERT INTO payment (id, tx_amount) VALUES (2, 300);
INSERT INTO payment (id, tx_amount) VALUES (3, 20), (4, 400), (5, 30);
INSERT INTO payment (id, tx_amount) SELECT i, 20 + 200 * (i % 7 = 0)::integer FROM generate_series(10, 29) i;
COPY payment (id, tx_amount) FROM stdin;
30	20
31	999
\.
INSERT INTO payment (id, tx_amount) SELECT 1, 2 WHERE false;
SELECT * FROM finai.alert;
RESET ROLE;
SELECT * FROM said;
SELECT features, model, threshold, created_by, relation, relation_oid = 'payment'::regclass AS same FROM finai.alert WHERE key = '{"id": 2}';
-- More rows than a batch; every one of them is looked at.
CREATE TABLE many AS SELECT i AS id, 20 + 200 * (i % 1000 = 0)::integer AS tx_amount FROM generate_series(1000, 4999) i;
INSERT INTO payment (id, tx_amount) SELECT * FROM many;
SELECT count(*), min(key ->> 'id'), max(key ->> 'id') FROM finai.alert WHERE (key ->> 'id')::integer >= 1000;
DELETE FROM payment;
SELECT forget();

-- A row that cannot be scored goes in, and is said to be unscored; the others of its batch are scored.
INSERT INTO payment (id, tx_amount, tx_during_night) SELECT i, CASE WHEN i % 100 = 0 THEN 300 ELSE 20 END, CASE WHEN i % 150 <> 0 THEN 0 END FROM generate_series(1, 700) i;
SELECT count(*) FROM payment;
SELECT * FROM said;
SELECT guard, relation, status, detail, rows, alerts, unscored, mean_us > 0 AS timed, scope FROM finai.guards;
DELETE FROM payment;
SELECT forget();
-- Closed: such a row refuses the statement.
SELECT finai.alter_guard('payment_fraud_prob', on_error => 'closed');
\set VERBOSITY default
INSERT INTO payment (id, tx_amount, tx_during_night) VALUES (1, 300, 0), (2, 20, NULL);
INSERT INTO payment (id, tx_amount) VALUES (1, 300), (2, 20);
SELECT * FROM said;
-- The owner loses USE, the model its promotion: open lets rows in.
CREATE ROLE regress_reader;
SELECT finai.revoke_model('fraud_prob', 'public');
INSERT INTO payment (id, tx_amount) VALUES (3, 20);
SELECT finai.alter_guard('payment_fraud_prob', on_error => 'open');
SELECT finai.grant_model('fraud_prob', 'regress_owner');
SELECT finai.alter_guard('payment_fraud_prob', on_error => 'open');
SELECT finai.revoke_model('fraud_prob', 'regress_owner');
INSERT INTO payment (id, tx_amount) VALUES (3, 20);
SELECT key, version, error, status FROM finai.alert WHERE status = 'unscored';
SELECT finai.grant_model('fraud_prob', 'public');
\set VERBOSITY terse

-- reject: nothing of the statement goes in; the detail has no values.
SELECT finai.alter_guard('payment_fraud_prob', action => 'reject');
DELETE FROM payment; SELECT forget();
\set VERBOSITY default
INSERT INTO payment (id, tx_amount) VALUES (1, 20), (2, 300), (3, 400);
\set VERBOSITY sqlstate
INSERT INTO payment (id, tx_amount) VALUES (2, 300);
\set VERBOSITY terse
INSERT INTO payment (id, tx_amount) VALUES (1, 20);
SELECT count(*), (SELECT count(*) FROM finai.alert) AS alerts FROM payment;
-- notify.
SELECT finai.alter_guard('payment_fraud_prob', action => 'notify');
INSERT INTO payment (id, tx_amount) VALUES (2, 300);
SELECT status FROM said;
-- off, and on again; a statement that was prepared before takes part.
PREPARE pay(integer, numeric) AS INSERT INTO payment (id, tx_amount) VALUES ($1, $2);
EXECUTE pay(10, 300);
SELECT finai.alter_guard('payment_fraud_prob', action => 'off');
EXECUTE pay(11, 300);
SELECT guard, status, action FROM finai.guards;
SELECT finai.alter_guard('payment_fraud_prob', action => 'review', threshold => 0.2);
EXECUTE pay(12, 300);
SELECT finai.alter_guard('payment_fraud_prob', threshold => 0.5);
EXECUTE pay(13, 300);
SELECT key, action, threshold FROM finai.alert WHERE (key ->> 'id')::integer > 9 ORDER BY id;
DELETE FROM payment; SELECT forget();
SELECT finai.drop_guard('payment_fraud_prob');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'payment'::regclass;

-- watch: an UPDATE of these columns scores again, to the same value it does not; one of others does not.
SET ROLE regress_owner;
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, watch => '{tx_amount, customer_id_avg_amount_1day_window}', name => 'watchful');
INSERT INTO payment (id, tx_amount) VALUES (1, 20), (2, 20), (3, 300);
RESET ROLE; SELECT forget(); SET ROLE regress_owner;
UPDATE payment SET tx_during_night = 1;
UPDATE payment SET tx_amount = tx_amount;
UPDATE payment SET tx_amount = 300 WHERE id IN (1, 3);
UPDATE payment SET customer_id_avg_amount_1day_window = NULL WHERE id = 2;
UPDATE payment SET customer_id_avg_amount_1day_window = NULL WHERE id = 2;
-- ON CONFLICT and MERGE: rows that go in, rows that change, rows that do neither.
INSERT INTO payment (id, tx_amount) VALUES (3, 999), (20, 999) ON CONFLICT DO NOTHING;
INSERT INTO payment (id, tx_amount) VALUES (3, 888), (21, 999) ON CONFLICT (id) DO UPDATE SET tx_amount = excluded.tx_amount;
MERGE INTO payment p USING (VALUES (3, 777), (22, 999), (23, 20)) AS n (id, amount) ON p.id = n.id
  WHEN MATCHED THEN UPDATE SET tx_amount = n.amount WHEN NOT MATCHED THEN INSERT (id, tx_amount) VALUES (n.id, n.amount);
RESET ROLE;
SELECT key, status, error FROM said;
SELECT forget();
-- A savepoint that is rolled back takes its alerts along.
BEGIN;
INSERT INTO payment (id, tx_amount) VALUES (30, 300);
SAVEPOINT s;
INSERT INTO payment (id, tx_amount) VALUES (31, 300);
ROLLBACK TO s;
INSERT INTO payment (id, tx_amount) VALUES (32, 300);
COMMIT;
SELECT key FROM said;
SELECT forget();
-- Deferred triggers and cascades write as any statement does.
CREATE TABLE late (id integer PRIMARY KEY);
CREATE FUNCTION copy_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO payment (id, tx_amount) VALUES (NEW.id, 300); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION copy_late();
BEGIN; INSERT INTO late VALUES (40); SELECT count(*) FROM finai.alert; COMMIT;
SELECT key FROM said;
SELECT forget();
CREATE TABLE tariff (amount numeric PRIMARY KEY);
INSERT INTO tariff SELECT DISTINCT tx_amount FROM payment;
ALTER TABLE payment ADD FOREIGN KEY (tx_amount) REFERENCES tariff ON UPDATE CASCADE;
UPDATE tariff SET amount = 1000 + amount WHERE amount = 20;
SELECT key FROM said;
ALTER TABLE payment DROP CONSTRAINT payment_tx_amount_fkey;
SELECT forget();

-- Two guards on a table; row-level security hides rows from readers, not from guards.
SELECT finai.create_guard('payment', 'fraud_prob@1', 0.9, name => 'second');
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON payment USING (tx_amount < 100) WITH CHECK (true);
SET ROLE regress_writer;
INSERT INTO payment (id, tx_amount, terminal_id_risk_1day_window, terminal_id_risk_7day_window, terminal_id_risk_30day_window, terminal_id_nb_tx_1day_window) VALUES (50, 60, 1, 1, 0.5, 9);
RESET ROLE;
SELECT guard, key, v FROM said;
ALTER TABLE payment DISABLE ROW LEVEL SECURITY;
SELECT finai.drop_guard('second'), finai.drop_guard('watchful');
SELECT forget();

-- flag: columns are set before the row is stored, whatever was written there.
ALTER TABLE payment ADD score float8, ADD rounded real, ADD exact numeric, ADD suspicious boolean, ADD small numeric(4, 2), ADD doubled numeric GENERATED ALWAYS AS (tx_amount * 2) STORED;
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, action => 'flag', score_column => 'score', flag_column => 'suspicious', watch => '{tx_amount}', name => 'flagger');
SELECT tgname, tgenabled, tgtype FROM pg_trigger WHERE tgrelid = 'payment'::regclass ORDER BY 1;
INSERT INTO payment (id, tx_amount, score, suspicious) VALUES (60, 20, 9, NULL), (61, 300, 0, false) RETURNING id, round(score::numeric, 4) AS score, suspicious, doubled;
INSERT INTO payment (id, tx_amount, tx_during_night, score) VALUES (62, 20, NULL, 9) RETURNING id, score, suspicious;
UPDATE payment SET tx_amount = 400 WHERE id = 60 RETURNING id, round(score::numeric, 4) AS score, suspicious;
UPDATE payment SET tx_during_night = 1 WHERE id = 60 RETURNING id, round(score::numeric, 4) AS score, suspicious;
SELECT * FROM said;
COPY payment (id, tx_amount) FROM stdin;
70	20
71	300
\.
SELECT id, round(score::numeric, 4) AS score, suspicious FROM payment WHERE id >= 70;
SELECT rows, alerts, unscored FROM finai.guards;
SELECT finai.drop_guard('flagger');
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, action => 'flag', score_column => 'rounded', name => 'f4'), finai.create_guard('payment', 'fraud_prob', 0.3, action => 'flag', score_column => 'exact', name => 'num');
INSERT INTO payment (id, tx_amount) VALUES (72, 300) RETURNING rounded, exact;
SELECT finai.drop_guard('f4'), finai.drop_guard('num');
SELECT forget();

-- Partitions: rows through the table and straight into a partition are looked at once; a partition attached later is not.
SET ROLE regress_owner;
CREATE TABLE parted (LIKE payment_like INCLUDING DEFAULTS, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE north PARTITION OF parted FOR VALUES IN ('n');
CREATE TABLE south PARTITION OF parted FOR VALUES IN ('s') PARTITION BY RANGE (id);
CREATE TABLE south_1 PARTITION OF south FOR VALUES FROM (0) TO (100);
SELECT finai.create_guard('parted', 'fraud_prob', 0.3, watch => '{tx_amount}', name => 'regions');
SELECT tgrelid::regclass, tgname, tgenabled, tgparentid = 0 AS own FROM pg_trigger WHERE tgname LIKE 'finai%' ORDER BY 1, 2;
INSERT INTO parted (id, region, tx_amount) VALUES (1, 'n', 300), (2, 's', 300), (3, 's', 20);
INSERT INTO north (id, region, tx_amount) VALUES (4, 'n', 300);
INSERT INTO south (id, region, tx_amount) VALUES (5, 's', 300);
INSERT INTO south_1 (id, region, tx_amount) VALUES (6, 's', 300);
COPY parted (id, region, tx_amount) FROM stdin;
7	n	300
8	s	300
\.
-- An update that moves a row to another partition is an update.
UPDATE parted SET region = 's' WHERE id = 1;
UPDATE parted SET region = 'n', tx_amount = 400 WHERE id = 2;
UPDATE north SET tx_amount = 500 WHERE id = 2;
CREATE TABLE south_2 PARTITION OF south FOR VALUES FROM (100) TO (200);
INSERT INTO parted (id, region, tx_amount) VALUES (101, 's', 300);
INSERT INTO south_2 (id, region, tx_amount) VALUES (102, 's', 300);
RESET ROLE;
SELECT key, relation FROM finai.alert ORDER BY id;
SELECT guard, status, detail FROM finai.guards;
SELECT finai.alter_guard('regions');
INSERT INTO south_2 (id, region, tx_amount) VALUES (103, 's', 300);
SELECT key, relation FROM finai.alert ORDER BY id DESC LIMIT 1;
SELECT guard, status, detail FROM finai.guards;
-- flag and hold on a partitioned table: PostgreSQL copies row triggers to its partitions, later ones too.
ALTER TABLE parted ADD score float8;
SELECT finai.drop_guard('regions');
SET ROLE regress_owner;
SELECT finai.create_guard('parted', 'fraud_prob', 0.3, action => 'flag', score_column => 'score');
CREATE TABLE south_3 PARTITION OF south FOR VALUES FROM (200) TO (300);
INSERT INTO south_3 (id, region, tx_amount) VALUES (201, 's', 300) RETURNING round(score::numeric, 4) AS score;
INSERT INTO parted (id, region, tx_amount) VALUES (202, 's', 20) RETURNING round(score::numeric, 4) AS score;
RESET ROLE;
SELECT DISTINCT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname LIKE 'finai%' ORDER BY 1;
SELECT guard, status, detail FROM finai.guards;
SELECT forget();
-- Inheritance: a child is a table of its own.
CREATE TABLE child () INHERITS (payment);
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, watch => '{tx_amount}', name => 'parent');
INSERT INTO child (id, tx_amount) VALUES (1, 300);
UPDATE payment SET tx_amount = 301 WHERE id = 1 AND tableoid = 'child'::regclass;
SELECT guard, key FROM said;
DROP TABLE child;
SELECT forget();

-- Names: columns and tables are renamed, the table is dropped and made anew.
\set VERBOSITY default
ALTER TABLE payment RENAME tx_amount TO amount;
ALTER TABLE payment DROP COLUMN tx_during_night;
ALTER TABLE payment ALTER tx_during_night TYPE text;
-- Or marks the version, and the guard says so; a version that only a guard missed columns for is sound without it.
BEGIN;
CREATE TABLE marked (LIKE payment_like INCLUDING DEFAULTS);
SELECT finai.create_guard('marked', 'fraud_prob', 0.3), finai.alter_model('fraud_prob', on_schema_change => 'mark');
SET LOCAL client_min_messages = error;
ALTER TABLE marked RENAME tx_amount TO amount;
SELECT status, detail FROM finai.guards WHERE relation = 'marked';
SELECT status FROM finai.models WHERE model = 'fraud_prob';
SELECT finai.drop_guard('marked_fraud_prob');
SELECT status FROM finai.models WHERE model = 'fraud_prob';
ROLLBACK;
ALTER TABLE payment RENAME TO bill;
SELECT name, relation FROM finai.guard ORDER BY 1;
INSERT INTO bill (id, tx_amount) VALUES (80, 300);
SELECT guard, relation FROM finai.alert;
DROP TABLE bill;
SELECT guard, relation, status, detail FROM finai.guards ORDER BY 1;
SELECT finai.alter_guard('parent', threshold => 0.4);
SELECT finai.drop_guard('parent');
CREATE TABLE payment (LIKE payment_like INCLUDING DEFAULTS, PRIMARY KEY (id));
ALTER TABLE payment OWNER TO regress_owner;
INSERT INTO payment (id, tx_amount) VALUES (80, 300);
SELECT forget();
-- Models that a guard names stay.
SELECT finai.create_guard('payment', 'fraud_prob@1', 0.3, name => 'keeper');
\set onnx `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
SELECT finai.register_model('risk', decode(:'onnx', 'base64'));
SELECT finai.promote_model('risk', 1), finai.grant_model('risk', 'regress_owner');
CREATE TABLE loan (id integer, duration_in_month integer, installment_rate_in_percentage_of_disposable_income integer, present_residence_since integer,
  number_of_existing_credits_at_this_bank integer, number_of_people_being_liable_to_provide_maintenance_for integer);
ALTER TABLE loan OWNER TO regress_owner;
SELECT finai.create_guard('loan', 'risk', 2000);
SELECT finai.drop_model('risk');
SELECT finai.rename_model('risk', 'hazard');
INSERT INTO loan VALUES (1, 24, 2, 3, 1, 1), (1, 6, 2, 3, 1, 1);
SELECT key, round(score::numeric) AS score FROM finai.alert;
\set VERBOSITY terse

-- What is refused, with its SQLSTATE; nothing is left behind.
CREATE VIEW seen AS SELECT * FROM payment;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM payment;
CREATE TEMP TABLE passing (LIKE payment_like);
CREATE TABLE other (id integer, tx_amount text);
CREATE TABLE generated (LIKE payment_like, fee numeric);
ALTER TABLE generated DROP tx_during_night, ADD tx_during_night integer GENERATED ALWAYS AS (0) STORED;
CREATE DOMAIN chance AS float8 CHECK (VALUE BETWEEN 0 AND 1);
ALTER TABLE payment ADD score float8, ADD chance chance, ADD small numeric(4, 2), ADD flag boolean;
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE abroad (id integer) SERVER nowhere;
CREATE TABLE half (LIKE payment_like INCLUDING DEFAULTS) PARTITION BY LIST (id);
CREATE FOREIGN TABLE half_1 PARTITION OF half FOR VALUES IN (1) SERVER nowhere;
SELECT finai.register_model('idle', decode(:'onnx', 'base64'));
CREATE FUNCTION attempt(statement text, tried_by text DEFAULT 'postgres') RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', tried_by);
  EXECUTE statement;
  RAISE EXCEPTION SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN 'ok';
  WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN format('%s %s%s', SQLSTATE, SQLERRM, CASE WHEN hint = '' AND SQLSTATE <> '42501' THEN ' (no hint)' END);
END $$;
CREATE TABLE state AS SELECT (SELECT count(*) FROM pg_trigger) AS triggers, (SELECT count(*) FROM finai.guard) AS guards;
SELECT arguments, attempt('SELECT finai.create_guard(' || arguments || ')', role) AS outcome FROM (VALUES
  ('NULL, ''fraud_prob'', 0.5', 'postgres'), ('''payment'', NULL, 0.5', 'postgres'), ('''payment'', ''fraud_prob'', NULL', 'postgres'),
  ('''payment'', ''fraud_prob'', ''NaN''', 'postgres'), ('''payment'', ''fraud_prob'', ''-Infinity''', 'postgres'),
  ('''payment'', ''fraud_prob'', 1.5', 'postgres'), ('''payment'', ''fraud_prob'', -0.01', 'postgres'),
  ('''payment'', ''nothing'', 0.5', 'postgres'), ('''payment'', ''fraud_prob@7'', 0.5', 'postgres'), ('''payment'', ''fraud_prob@'', 0.5', 'postgres'), ('''loan'', ''idle'', 0.5', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, ''shout''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, ''off''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, on_error => ''maybe''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, budget_ms => 0', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, name => ''a b''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, name => ''keeper''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, watch => ''{nothing}''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, watch => ''{NULL}''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, score_column => ''score''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, ''flag''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, ''flag'', score_column => ''flag''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, ''flag'', score_column => ''chance''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, ''flag'', score_column => ''small''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, ''flag'', flag_column => ''score''', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5, ''flag'', score_column => ''nothing''', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, ''hold'', watch => ''{tx_amount}''', 'postgres'),
  ('''generated'', ''fraud_prob'', 0.5, ''hold''', 'postgres'), ('''generated'', ''fraud_prob'', 0.5', 'postgres'),
  ('''other'', ''fraud_prob'', 0.5', 'postgres'), ('''loan'', ''fraud_prob'', 0.5', 'postgres'), ('''payment'', ''fraud_prob'', 0.5, features => ''nothing''', 'postgres'),
  ('''seen'', ''fraud_prob'', 0.5', 'postgres'), ('''kept'', ''fraud_prob'', 0.5', 'postgres'), ('''passing'', ''fraud_prob'', 0.5', 'postgres'), ('''abroad'', ''fraud_prob'', 0.5', 'postgres'),
  ('''half'', ''fraud_prob'', 0.5', 'postgres'), ('''pg_class'', ''fraud_prob'', 0.5', 'postgres'), ('''finai.alert'', ''fraud_prob'', 0.5', 'postgres'), ('''payment_pkey'', ''fraud_prob'', 0.5', 'postgres'), ('1, ''fraud_prob'', 0.5', 'postgres'),
  ('''payment'', ''fraud_prob'', 0.5', 'regress_writer'), ('''payment'', ''fraud_prob'', 0.5', 'regress_stranger'), ('''payment'', ''idle'', 0.5', 'regress_owner')) AS a (arguments, role);
SELECT statement, attempt(statement, role) AS outcome FROM (VALUES
  ($$SELECT finai.alter_guard('nothing')$$, 'postgres'), ($$SELECT finai.alter_guard(NULL)$$, 'postgres'), ($$SELECT finai.alter_guard('keeper', threshold => 'NaN')$$, 'postgres'),
  ($$SELECT finai.alter_guard('keeper', threshold => 95)$$, 'postgres'), ($$SELECT finai.alter_guard('keeper', threshold => -1, action => 'off')$$, 'postgres'),
  ($$SELECT finai.alter_guard('keeper', action => 'flag')$$, 'postgres'), ($$SELECT finai.alter_guard('keeper', action => 'loud')$$, 'postgres'), ($$SELECT finai.alter_guard('keeper', budget_ms => -1)$$, 'postgres'),
  ($$SELECT finai.alter_guard('keeper', action => 'off')$$, 'regress_stranger'), ($$SELECT finai.alter_guard('keeper', action => 'off')$$, 'regress_writer'), ($$SELECT finai.drop_guard('keeper')$$, 'regress_stranger'),
  ($$SELECT finai.alter_guard('keeper', action => 'off')$$, 'regress_owner'), ($$SELECT finai.drop_guard('keeper')$$, 'regress_owner'), ($$SELECT finai.drop_guard('nothing')$$, 'postgres'), ($$SELECT finai._guard()$$, 'regress_writer'),
  ($$DELETE FROM finai.guard$$, 'regress_owner'), ($$TRUNCATE finai.alert$$, 'postgres'),
  ($$CREATE TRIGGER mine AFTER INSERT ON payment EXECUTE FUNCTION finai._guard('keeper'); INSERT INTO payment (id, tx_amount) VALUES (1, 1)$$, 'regress_owner')) AS a (statement, role);
SELECT s.triggers = (SELECT count(*) FROM pg_trigger) AND s.guards = (SELECT count(*) FROM finai.guard) AS untouched FROM state s;

-- Somebody else's trigger under a guard's name says nothing in its name; a trigger without its guard's row lets rows in and says so.
CREATE TABLE foreigner (LIKE payment_like INCLUDING DEFAULTS);
CREATE TRIGGER finai_guard_keeper_insert AFTER INSERT ON foreigner REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION finai._guard('keeper');
CREATE TRIGGER stray AFTER INSERT ON foreigner REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION finai._guard('gone');
SELECT forget();
INSERT INTO foreigner (id, tx_amount) VALUES (1, 300);
SELECT guard, relation, action, key ->> 'id' AS id, model, score, error, status FROM finai.alert ORDER BY guard;
SELECT guard, relation, status, detail FROM finai.guards ORDER BY guard, relation;
SELECT finai.drop_guard('gone');
-- Alerts that cannot be written: open lets the row in, closed does not.
SELECT finai.create_guard('payment', 'fraud_prob', 0.3, name => 'open'), forget();
ALTER TABLE finai.alert ADD CONSTRAINT broken CHECK (score IS NULL) NOT VALID;
INSERT INTO payment (id, tx_amount) VALUES (90, 300);
SELECT id, (SELECT count(*) FROM finai.alert) AS alerts FROM payment WHERE id = 90;
SELECT finai.alter_guard('open', on_error => 'closed');
\set VERBOSITY sqlstate
INSERT INTO payment (id, tx_amount) VALUES (91, 300);
\set VERBOSITY terse
ALTER TABLE finai.alert DROP CONSTRAINT broken;
-- A cancelled statement is no failure of the guard.
SELECT finai.alter_guard('open', on_error => 'open', budget_ms => 60000);
SET statement_timeout = '200ms';
\set VERBOSITY sqlstate
INSERT INTO payment (id, tx_amount) SELECT i, 300 FROM generate_series(1000, 3000000) i;
\set VERBOSITY terse
RESET statement_timeout;
SELECT count(*) FROM finai.alert;
-- Time is up: rows go in.
SELECT finai.alter_guard('open', budget_ms => 1), finai.drop_guard('keeper');
INSERT INTO payment (id, tx_amount) SELECT i, 20 FROM generate_series(1000, 60000) i;
SELECT bool_or(status = 'unscored' AND error = '53400: budget of 1 ms exceeded') AS late, count(*) BETWEEN 1 AND 59001 AS some FROM finai.alert;

-- An update that moves a row to another partition is no insert: hold keeps the row, flag leaves its score, whatever rows are deleted and inserted around it.
SELECT finai.drop_guard('open'), forget() IS NOT NULL;
CREATE TABLE region (LIKE payment_like INCLUDING DEFAULTS, region text, score float8, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE region_n PARTITION OF region FOR VALUES IN ('n');
CREATE TABLE region_s PARTITION OF region FOR VALUES IN ('s');
INSERT INTO region (id, tx_amount, region) VALUES (1, 300, 'n'), (2, 20, 'n'), (3, 400, 's');
SELECT finai.create_guard('region', 'fraud_prob', 0.3, 'hold', name => 'holder'), finai.create_guard('region', 'fraud_prob', 0.3, 'flag', score_column => 'score', name => 'scorer');
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE 'finai%' AND tgrelid IN ('region'::regclass, 'region_n'::regclass) ORDER BY 1, 2;
UPDATE region SET region = CASE region WHEN 'n' THEN 's' ELSE 'n' END;
MERGE INTO region r USING (VALUES (1, 'n'), (9, 's')) AS n (id, region) ON r.id = n.id WHEN MATCHED THEN UPDATE SET region = n.region WHEN NOT MATCHED THEN INSERT (id, tx_amount, region) VALUES (n.id, 900, n.region);
WITH gone AS (DELETE FROM region WHERE id = 3 RETURNING *) INSERT INTO region SELECT * FROM gone;
SELECT id, region, score FROM region ORDER BY id;
SELECT guard, key, status FROM said;
-- Moved by a trigger on the way of another.
CREATE FUNCTION along() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 1 THEN UPDATE region SET region = 's' WHERE id = 2 OR id = 3; INSERT INTO region (id, tx_amount, region) VALUES (10, 999, 'n'); END IF; RETURN OLD; END $$;
CREATE TRIGGER zz BEFORE DELETE ON region FOR EACH ROW EXECUTE FUNCTION along();
UPDATE region SET region = 'n' WHERE id = 2;
UPDATE region SET region = 's' WHERE id = 1;
SELECT id, region, score FROM region ORDER BY id;
SELECT guard, key, status FROM said;
SELECT finai.drop_guard('holder'), finai.drop_guard('scorer'), count(finai.resolve_alert(id, 'confirmed')) FROM finai.alert;
SELECT forget();
SELECT a, attempt(format('SELECT finai.create_guard(''region_n'', ''fraud_prob'', 0.3, %L)', a)) FROM unnest('{hold,review,notify,reject}'::text[]) a;
-- A table with a hold guard that becomes a partition holds nothing any more.
CREATE TABLE region_w (LIKE region);
SELECT finai.create_guard('region_w', 'fraud_prob', 0.3, 'hold', name => 'west');
ALTER TABLE region ATTACH PARTITION region_w FOR VALUES IN ('w');
UPDATE region SET region = 'w' WHERE id = 1;
SELECT id FROM region_w;
SELECT guard, key, status FROM said;
SELECT guard, status, detail FROM finai.guards;
SELECT finai.drop_guard('west'), forget();
-- A partition that belongs to another role is guarded as its table's owner.
ALTER TABLE region OWNER TO regress_owner;
ALTER TABLE region_n OWNER TO regress_stranger;
SELECT finai.grant_model('fraud_prob', 'regress_owner'), finai.revoke_model('fraud_prob', 'public');
SELECT finai.create_guard('region', 'fraud_prob', 0.3, 'hold', name => 'holder');
SET ROLE regress_owner;
INSERT INTO region (id, tx_amount, region) VALUES (20, 300, 'n');
RESET ROLE;
SELECT guard, key, status, error FROM said;
SELECT finai.drop_guard('holder'), finai.grant_model('fraud_prob', 'public'), count(finai.resolve_alert(id, 'confirmed')) FROM finai.alert;
SELECT forget();

-- Columns to set: nullable, of no partition key, not what the guard looks at.
ALTER TABLE region ADD suspicious boolean NOT NULL DEFAULT false, ADD doubt boolean;
CREATE TABLE verdict (LIKE payment_like INCLUDING DEFAULTS, suspicious boolean, score float8) PARTITION BY LIST (suspicious);
CREATE TABLE verdict_t PARTITION OF verdict FOR VALUES IN (true) PARTITION BY RANGE ((score + 1));
SELECT arguments, attempt('SELECT finai.create_guard(' || arguments || ')') AS outcome FROM (VALUES
  ($$'region', 'fraud_prob', 0.3, 'flag', flag_column => 'suspicious'$$), ($$'region', 'fraud_prob', 0.3, 'flag', flag_column => 'doubt'$$), ($$'verdict', 'fraud_prob', 0.3, 'flag', flag_column => 'suspicious'$$),
  ($$'verdict', 'fraud_prob', 0.3, 'flag', score_column => 'score'$$), ($$'verdict_t', 'fraud_prob', 0.3, 'flag', flag_column => 'suspicious'$$),
  ($$'payment', 'fraud_prob', 0.3, 'flag', score_column => 'terminal_id_risk_1day_window'$$), ($$'payment', 'fraud_prob', 0.3, 'flag', score_column => 'score', watch => '{score}'$$)) AS a (arguments);
-- One that becomes NOT NULL keeps what was written where the row cannot be scored.
SELECT finai.create_guard('region', 'fraud_prob', 0.3, 'flag', flag_column => 'doubt', name => 'doubter');
UPDATE region SET doubt = false;
ALTER TABLE region ALTER doubt SET NOT NULL, ALTER doubt SET DEFAULT false;
INSERT INTO region (id, tx_amount, tx_during_night, region) VALUES (30, 20, NULL, 's'), (31, 300, 0, 's') RETURNING id, doubt;
SELECT key, status FROM said;
SELECT finai.alter_guard('doubter', action => 'review');
SELECT attempt($$SELECT finai.alter_guard('doubter', action => 'flag')$$);
SELECT finai.drop_guard('doubter'), forget();

-- Triggers that ALTER TABLE enables for other sessions, disables or drops: said, and mended by alter_guard.
CREATE TABLE bulk (LIKE payment_like INCLUDING DEFAULTS, score float8);
SELECT finai.create_guard('bulk', 'fraud_prob', 0.3, name => 'bulky'), finai.create_guard('bulk', 'fraud_prob', 0.3, 'flag', score_column => 'score', name => 'flagger');
CREATE VIEW firing AS SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'bulk'::regclass ORDER BY 1;
ALTER TABLE bulk DISABLE TRIGGER ALL;
SELECT guard, status, detail FROM finai.guards WHERE relation = 'bulk';
ALTER TABLE bulk ENABLE TRIGGER ALL;
SELECT * FROM firing;
INSERT INTO bulk (id, tx_amount) VALUES (1, 300);
SELECT guard, key ->> 'id' AS id FROM said;
SELECT guard, status, detail, rows, alerts FROM finai.guards WHERE relation = 'bulk';
DROP TRIGGER finai_guard_flagger_flag ON bulk;
SELECT guard, status, detail FROM finai.guards WHERE relation = 'bulk';
ALTER TABLE bulk ENABLE REPLICA TRIGGER finai_guard_bulky_insert;
SELECT finai.alter_guard('bulky'), finai.alter_guard('flagger');
SELECT * FROM firing;
DROP TRIGGER finai_guard_bulky_insert ON bulk;
SELECT guard, status, detail FROM finai.guards WHERE relation = 'bulk';
SELECT finai.drop_guard('bulky'), finai.drop_guard('flagger'), forget();

-- Without a model to score with, an update of columns that are not watched is still none of the guard's business.
ALTER TABLE bulk OWNER TO regress_owner;
SELECT finai.create_guard('bulk', 'fraud_prob', 0.3, watch => '{tx_amount}', name => 'bulky');
SELECT finai.revoke_model('fraud_prob', 'regress_owner'), finai.revoke_model('fraud_prob', 'public');
UPDATE bulk SET score = 1;
SELECT finai.alter_guard('bulky', on_error => 'closed');
UPDATE bulk SET score = 2;
\set VERBOSITY default
UPDATE bulk SET tx_amount = 301;
\set VERBOSITY terse
SELECT finai.alter_guard('bulky', on_error => 'open');
UPDATE bulk SET tx_amount = 301;
SELECT key ->> 'id' AS id, error FROM said;
SELECT finai.grant_model('fraud_prob', 'public'), finai.drop_guard('bulky'), forget();

-- A partition that is detached is guarded no more; what was left on it goes with the next change of the guard.
SELECT finai.create_guard('region', 'fraud_prob', 0.3, name => 'pg');
ALTER TABLE region DETACH PARTITION region_n;
INSERT INTO region_n (id, tx_amount, region, doubt) VALUES (40, 300, 'n', false);
SELECT count(*) FROM finai.alert;
SELECT guard, status, detail FROM finai.guards;
SELECT finai.alter_guard('pg');
SELECT guard, status, detail FROM finai.guards;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'region_n'::regclass;
-- A foreign partition would take no row while statements' rows are collected: it is not attached.
\set VERBOSITY default
CREATE TABLE land (LIKE payment_like INCLUDING DEFAULTS) PARTITION BY LIST (id);
SELECT finai.create_guard('land', 'fraud_prob', 0.3, name => 'lander');
CREATE FOREIGN TABLE land_1 PARTITION OF land FOR VALUES IN (1) SERVER nowhere;
ALTER TABLE land DETACH PARTITION land_1;
SELECT finai.alter_guard('lander', action => 'hold');
CREATE FOREIGN TABLE land_1 PARTITION OF land FOR VALUES IN (1) SERVER nowhere;
SELECT finai.alter_guard('lander', action => 'review');
ALTER TABLE land DETACH PARTITION land_1;
SELECT finai.alter_guard('lander', action => 'review');
ALTER TABLE land ATTACH PARTITION land_1 FOR VALUES IN (1);
\set VERBOSITY terse
CREATE TABLE land_2 (LIKE land);
SELECT finai.create_guard('land_2', 'fraud_prob', 0.3, name => 'second');
ALTER TABLE land ATTACH PARTITION land_2 FOR VALUES IN (2);
SELECT guard, status, detail FROM finai.guards WHERE guard IN ('lander', 'second');
SELECT finai.drop_guard('pg'), finai.drop_guard('lander'), finai.drop_guard('second'), forget();
-- A guard whose table is gone is not taken over by who makes a trigger of its name.
CREATE TABLE passed (LIKE payment_like);
SELECT finai.create_guard('passed', 'fraud_prob', 0.3, name => 'orphan');
DROP TABLE passed;
SET ROLE regress_owner;
CREATE TABLE heir (LIKE payment_like);
CREATE TRIGGER h AFTER INSERT ON heir REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION finai._guard('orphan');
SELECT finai.drop_guard('orphan');
SELECT finai.alter_guard('orphan', threshold => 0);
RESET ROLE;
SELECT finai.drop_guard('orphan');
-- One whose table and maker are gone is left to who administers the extension.
CREATE ROLE regress_leaver; GRANT CREATE ON SCHEMA public TO regress_leaver; GRANT EXECUTE ON FUNCTION finai.create_guard TO regress_leaver;
CREATE ROLE regress_administrator; GRANT EXECUTE ON FUNCTION finai.drop_guard TO regress_administrator;
GRANT SELECT ON payment_like TO regress_leaver;
SET ROLE regress_leaver;
CREATE TABLE left_behind (LIKE payment_like);
SELECT finai.create_guard('left_behind', 'fraud_prob', 0.3, name => 'left'), finai.create_guard('left_behind', 'fraud_prob', 0.4, name => 'left_too');
RESET ROLE;
DROP OWNED BY regress_leaver; DROP ROLE regress_leaver;
SELECT guard, relation, status, detail, created_by FROM finai.guards WHERE guard LIKE 'left%';
SET ROLE regress_owner;
SELECT count(*) FROM finai.guards WHERE guard LIKE 'left%';
SELECT finai.drop_guard('left');
SET ROLE regress_administrator;
SELECT count(*) FROM finai.guards WHERE guard LIKE 'left%';
RESET ROLE;
SELECT extowner::regrole AS administrator FROM pg_extension WHERE extname = 'finai' \gset
GRANT :administrator TO regress_administrator;
SET ROLE regress_administrator;
SELECT guard FROM finai.guards WHERE guard LIKE 'left%';
SELECT finai.drop_guard('left');
RESET ROLE;
SELECT finai.drop_guard('left_too');
SELECT count(*) FROM finai.guards WHERE guard LIKE 'left%';
DROP OWNED BY regress_administrator; DROP ROLE regress_administrator;
-- Counts are shown to whom the guard is.
SET ROLE regress_stranger;
SELECT count(*) FROM finai._guard_statistics();
RESET ROLE;
-- More alerts in a statement than PostgreSQL takes in one array, in their order.
SELECT finai.create_guard('bulk', 'fraud_prob', 0, 'notify', name => 'loud');
INSERT INTO bulk (id, tx_amount) SELECT i, 300 FROM generate_series(1, 25000) i;
SELECT count(*), bool_and((key ->> 'id')::integer - id = first) AS in_order FROM (SELECT *, first_value((key ->> 'id')::integer - id) OVER (ORDER BY id) AS first FROM finai.alert) a;
SELECT forget();
BEGIN READ ONLY;
SELECT finai.alter_guard('loud', threshold => 0);
ROLLBACK;
SELECT finai.drop_guard('loud');

-- DROP EXTENSION takes the triggers, and nothing else, along.
DROP EXTENSION finai CASCADE;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'finai%';
INSERT INTO payment (id, tx_amount) VALUES (99, 300);
DROP OWNED BY regress_owner, regress_writer, regress_stranger CASCADE;
DROP ROLE regress_owner, regress_writer, regress_stranger, regress_reader;

-- The stored copy of a feature set stays, to the last bit, what the view is, whatever happens to the source.
CREATE ROLE regress_owner; CREATE ROLE regress_member IN ROLE regress_owner; CREATE ROLE regress_writer; CREATE ROLE regress_stranger;
GRANT CREATE ON SCHEMA public TO regress_owner, regress_stranger;
GRANT EXECUTE ON FUNCTION finai.create_feature_set, finai.drop_feature_set TO regress_owner, regress_stranger;
GRANT EXECUTE ON PROCEDURE finai.refresh_feature_set TO regress_owner, regress_stranger;
SELECT setseed(0.25);

SET ROLE regress_owner;
CREATE TABLE payment (
  id bigint PRIMARY KEY, at timestamptz, card integer, terminal text, amount numeric(10,2), lat float8, lon float8, fraud boolean, note text
);
GRANT SELECT, INSERT, UPDATE, DELETE ON payment TO regress_writer;
SELECT count(*) AS indexes FROM finai.create_feature_set('velocity', 'payment', entity => 'card', event_time => 'at', event_id => 'id', create_indexes => true, features => '[
  {"name": "night", "agg": "night"},
  {"name": "n_1d", "agg": "count", "window": "1 day"},
  {"name": "sum_3d", "agg": "sum", "column": "amount", "window": "3 days"},
  {"name": "dev_5d", "agg": "stddev", "column": "amount", "window": "5 days"},
  {"name": "least_2d", "agg": "min", "column": "amount", "window": "2 days"},
  {"name": "terminals_3d", "agg": "distinct", "column": "terminal", "window": "3 days"},
  {"name": "z_5d", "agg": "zscore", "column": "amount", "window": "5 days"},
  {"name": "pace", "agg": "ratio", "of": "n_1d", "to": "sum_3d"},
  {"name": "risk_2d", "agg": "risk", "column": "fraud", "window": "2 days", "delay": "1 day", "by": "terminal"},
  {"name": "n_terminal", "agg": "count", "window": "12 hours", "by": "terminal"},
  {"name": "n_both", "agg": "count", "window": "5 days", "by": ["card", "terminal"]}]');
-- Another set, of the whole past and of the last events.
SELECT count(*) AS indexes FROM finai.create_feature_set('past', 'payment', entity => 'card', event_time => 'at', event_id => 'id', create_indexes => true, features => '[
  {"name": "since", "agg": "time_since_last"},
  {"name": "new_terminal", "agg": "first_seen", "column": "terminal"},
  {"name": "last_note", "agg": "last", "column": "note"},
  {"name": "kmh", "agg": "speed", "columns": ["lat", "lon"]},
  {"name": "total", "agg": "sum", "column": "amount"},
  {"name": "last3", "agg": "sequence", "columns": ["amount", "lat"], "k": 3}]');

-- Rows that differ by a bit, are missing or too many.
CREATE FUNCTION differing(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %1$I v FULL JOIN %1$s_stored s USING (id) WHERE (v.*)::text IS NULL OR (s.*)::text IS NULL OR v.* *<> s.*', name) INTO n;
  RETURN n;
END
$$;
CREATE FUNCTION random_time() RETURNS timestamptz LANGUAGE sql VOLATILE RETURN '2024-03-01 00:00+00'::timestamptz + floor(random() * 20 * 24 * 60) * interval '1 minute';
CREATE PROCEDURE insert_payments(first bigint, n integer) LANGUAGE sql AS $$
INSERT INTO payment SELECT first + i, CASE WHEN random() < 0.98 THEN random_time() END, CASE WHEN random() < 0.97 THEN floor(random() * 12) END,
  CASE WHEN random() < 0.97 THEN 't' || floor(random() * 8) END, (random() * 1000)::numeric(10,2), random() * 90, random() * 180,
  CASE WHEN random() < 0.9 THEN random() < 0.2 END, CASE WHEN random() < 0.5 THEN 'note ' || i END
FROM generate_series(0, n - 1) AS i
$$;
CALL insert_payments(1, 1000);

-- The first call makes the copy and the triggers.
CALL finai.refresh_feature_set('velocity');
CALL finai.refresh_feature_set('past');
\d velocity_stored
SELECT tgname, tgenabled, pg_get_triggerdef(oid) LIKE '%EXECUTE FUNCTION finai._log_feature_change(''velocity'')' AS ours FROM pg_trigger WHERE tgrelid = 'payment'::regclass AND tgname LIKE '%velocity%' ORDER BY tgname;
SELECT relname, relowner::regrole, obj_description(oid) FROM pg_class WHERE relname LIKE '%\_stored' ORDER BY relname;
SELECT (SELECT count(*) FROM velocity_stored) AS rows, differing('velocity'), differing('past');

-- One late event: only those that it can have reached are written.
INSERT INTO payment VALUES (100000, '2024-03-10 12:00+00', 3, 't3', 10, 0, 0, false, 'late');
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'),
  (SELECT count(*) FROM velocity_stored WHERE xmin = (SELECT xmin FROM velocity_stored WHERE id = 100000)) AS written,
  (SELECT count(*) FROM payment WHERE at >= '2024-03-10 12:00+00' AND (card = 3 AND at < '2024-03-15 12:00+00' OR terminal = 't3' AND at < '2024-03-13 12:00+00')) AS within_reach;
-- A label that becomes known: its terminal's later events alone.
UPDATE payment SET fraud = true WHERE id = 100000;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'),
  (SELECT count(*) FROM velocity_stored WHERE xmin = (SELECT xmin FROM velocity_stored WHERE id = 100000)) AS written,
  (SELECT count(*) FROM payment WHERE at >= '2024-03-11 12:00+00' AND terminal = 't3' AND at < '2024-03-13 12:00+00') AS within_reach;
-- A column that no feature of the set reads: the row itself.
UPDATE payment SET note = 'other' WHERE id = 100000;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'), (SELECT count(*) FROM velocity_stored WHERE xmin = (SELECT xmin FROM velocity_stored WHERE id = 100000)) AS written;
-- Nothing happened: nothing is written.
CREATE TABLE before AS SELECT id, xmin::text AS writer FROM velocity_stored;
CALL finai.refresh_feature_set('velocity');
SELECT count(*) > 0 AS rows, count(*) FILTER (WHERE s.xmin::text <> before.writer) AS written FROM velocity_stored s JOIN before USING (id);

-- Whatever order things happen in. Statements of one row and of many; entities, times and ids that change; rows that go.
CREATE TABLE outcome (round integer, what text, velocity bigint, past bigint);
CREATE PROCEDURE churn(round integer) LANGUAGE plpgsql AS $$
DECLARE
  what text := (ARRAY['insert', 'one', 'label', 'amount', 'entity', 'time', 'id', 'delete', 'null', 'upsert', 'merge', 'subtransaction'])[1 + floor(random() * 12)];
BEGIN
  CASE what
    WHEN 'insert' THEN CALL insert_payments(1000000 + round * 1000, 1 + floor(random() * 60)::integer);
    WHEN 'one' THEN CALL insert_payments(1000000 + round * 1000, 1);
    WHEN 'label' THEN UPDATE payment SET fraud = NOT fraud WHERE random() < 0.01;
    WHEN 'amount' THEN UPDATE payment SET amount = amount + 1 WHERE random() < 0.01;
    WHEN 'entity' THEN UPDATE payment SET card = card + 1, terminal = CASE WHEN random() < 0.5 THEN terminal ELSE 't' || floor(random() * 8) END WHERE random() < 0.01;
    WHEN 'time' THEN UPDATE payment SET at = random_time() WHERE random() < 0.01;
    WHEN 'id' THEN UPDATE payment SET id = id + 50000000 WHERE random() < 0.005;
    WHEN 'delete' THEN DELETE FROM payment WHERE random() < 0.01;
    WHEN 'null' THEN UPDATE payment SET at = CASE WHEN random() < 0.5 THEN at END, card = CASE WHEN random() < 0.5 THEN card END WHERE random() < 0.005;
    WHEN 'upsert' THEN INSERT INTO payment SELECT id + floor(random() * 3) * 90000000, at, card, terminal, amount + 5, lat, lon, fraud, note FROM payment WHERE random() < 0.01
      ON CONFLICT (id) DO UPDATE SET amount = excluded.amount;
    WHEN 'merge' THEN MERGE INTO payment p USING (SELECT * FROM payment WHERE random() < 0.01) s ON p.id = s.id
      WHEN MATCHED AND s.amount < 300 THEN DELETE WHEN MATCHED THEN UPDATE SET amount = 300;
    WHEN 'subtransaction' THEN
      BEGIN
        DELETE FROM payment WHERE random() < 0.1;
        RAISE EXCEPTION 'undone';
      EXCEPTION WHEN raise_exception THEN
        UPDATE payment SET amount = 1 WHERE random() < 0.005;
      END;
  END CASE;
  IF random() < 0.6 THEN
    COMMIT;
    CALL finai.refresh_feature_set('velocity');
    CALL finai.refresh_feature_set('past');
    INSERT INTO outcome VALUES (round, what, differing('velocity'), differing('past'));
  END IF;
END
$$;
RESET ROLE;
SET ROLE regress_member;
SELECT format('CALL churn(%s)', i) FROM generate_series(1, 90) AS i \gexec
RESET ROLE;
SELECT count(DISTINCT what) AS kinds, count(*) > 40 AS often, max(velocity) AS velocity, max(past) AS past FROM outcome;
SET ROLE regress_owner;
CALL finai.refresh_feature_set('velocity');
CALL finai.refresh_feature_set('past');
SELECT differing('velocity'), differing('past');
RESET ROLE;
SELECT count(*) AS noted FROM finai.feature_change;

-- Who writes needs nothing but the right to; what they change is noted for the owner.
SET ROLE regress_writer;
INSERT INTO payment VALUES (200000, '2024-03-05', 1, 't1', 1);
UPDATE payment SET amount = 2 WHERE id = 200000;
SELECT * FROM finai.feature_change;
INSERT INTO finai.feature_change (feature_set) VALUES ('velocity');
RESET ROLE;
SELECT feature_set, event_id, event_time, entities FROM finai.feature_change ORDER BY feature_set, id;

-- Replication applies rows in a session of its own; TRUNCATE is told whatever the session.
SET session_replication_role = replica;
INSERT INTO payment VALUES (200001, '2024-03-05', 1, 't1', 1);
UPDATE payment SET card = 2 WHERE id = 200001;
DELETE FROM payment WHERE id = 200000;
RESET session_replication_role;
SET ROLE regress_owner;
CALL finai.refresh_feature_set('velocity');
CALL finai.refresh_feature_set('past');
SELECT differing('velocity'), differing('past');

-- All at once: the view is asked.
UPDATE payment SET amount = amount * 2;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity');
CALL finai.refresh_feature_set('past', rebuild => true);
SELECT differing('past');
BEGIN;
TRUNCATE payment;
CALL insert_payments(1, 100);
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'), (SELECT count(*) FROM velocity_stored) AS rows;
ROLLBACK;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'), (SELECT count(*) > 100 FROM velocity_stored) AS rows;

-- Triggers that were switched off or dropped: the next call mends them and computes everything.
ALTER TABLE payment DISABLE TRIGGER USER;
DELETE FROM payment WHERE id < 100;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity');
DROP TRIGGER finai_copy_velocity_update ON payment;
UPDATE payment SET amount = 3 WHERE id < 200;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity'), (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'payment'::regclass AND tgname LIKE 'finai_copy_velocity_%' AND tgenabled <> 'D') AS triggers;

-- A partition may be written to, emptied, attached and detached.
CREATE TABLE stream (id bigint NOT NULL, at timestamp NOT NULL, card text, amount integer, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE stream_1 PARTITION OF stream FOR VALUES FROM ('2024-01-01') TO ('2024-01-11');
CREATE TABLE stream_2 PARTITION OF stream FOR VALUES FROM ('2024-01-11') TO ('2024-01-21');
INSERT INTO stream SELECT i, '2024-01-01'::timestamp + i * interval '1 hour', 'c' || i % 5, i % 7 FROM generate_series(0, 479) AS i;
SELECT count(*) AS indexes FROM finai.create_feature_set('flow', 'stream', entity => 'card', event_time => 'at', event_id => 'id', create_indexes => true,
  features => '[{"name": "n", "agg": "count", "window": "3 days"}, {"name": "s", "agg": "sum", "column": "amount", "window": "3 days"}]');
CALL finai.refresh_feature_set('flow');
SELECT differing('flow');
INSERT INTO stream_1 VALUES (1000, '2024-01-05 00:30', 'c1', 100);
UPDATE stream SET at = at + interval '10 days' WHERE id = 10;
DELETE FROM stream_2 WHERE id = 300;
CALL finai.refresh_feature_set('flow');
SELECT differing('flow'), (SELECT count(*) FROM flow_stored WHERE xmin = (SELECT xmin FROM flow_stored WHERE id = 1000)) < 60 AS few_written;
CREATE TABLE stream_3 (card text, id bigint NOT NULL, at timestamp NOT NULL, amount integer);
INSERT INTO stream_3 SELECT 'c' || i % 5, 2000 + i, '2024-01-21'::timestamp + i * interval '1 hour', 1 FROM generate_series(0, 99) AS i;
ALTER TABLE stream ATTACH PARTITION stream_3 FOR VALUES FROM ('2024-01-21') TO ('2024-02-01');
CALL finai.refresh_feature_set('flow');
SELECT differing('flow');
INSERT INTO stream_3 VALUES ('c1', 3000, '2024-01-22 00:30', 100);
CALL finai.refresh_feature_set('flow');
SELECT differing('flow'), (SELECT count(*) FROM flow_stored WHERE xmin = (SELECT xmin FROM flow_stored WHERE id = 3000)) < 60 AS few_written;
TRUNCATE stream_1;
CALL finai.refresh_feature_set('flow');
SELECT differing('flow');
ALTER TABLE stream DETACH PARTITION stream_2;
CALL finai.refresh_feature_set('flow');
SELECT differing('flow'), (SELECT count(*) FROM flow_stored) AS rows;

-- What is refused, and changes nothing.
\set VERBOSITY default
CALL finai.refresh_feature_set(NULL);
CALL finai.refresh_feature_set('nothing');
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL finai.refresh_feature_set('velocity');
ROLLBACK;
BEGIN READ ONLY;
CALL finai.refresh_feature_set('velocity');
ROLLBACK;
SET ROLE regress_stranger;
CALL finai.refresh_feature_set('velocity');
RESET ROLE;
SET ROLE regress_writer;
CALL finai.refresh_feature_set('velocity');
RESET ROLE;
GRANT SELECT ON payment TO regress_stranger;
SET ROLE regress_stranger;
SELECT finai.create_feature_set('foreign_source', 'payment', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('foreign_source');
-- A trigger of one's own that names another's set.
CREATE TABLE decoy (LIKE payment);
CREATE TRIGGER decoy AFTER INSERT ON decoy REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION finai._log_feature_change('velocity');
INSERT INTO decoy VALUES (1, now(), 1, 't', 1);
SELECT finai._log_feature_change();
RESET ROLE;
SELECT count(*) AS noted FROM finai.feature_change WHERE feature_set = 'velocity';
SET ROLE regress_owner;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM payment;
CREATE UNIQUE INDEX ON seen (id);
SELECT finai.create_feature_set('over_view', 'seen', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('over_view');
CREATE TABLE parent (id bigint PRIMARY KEY, at timestamptz, card integer); CREATE TABLE child () INHERITS (parent);
SELECT finai.create_feature_set('over_parent', 'parent', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('over_parent');
CREATE TABLE loose (id bigint, at timestamptz, card integer, PRIMARY KEY (id, at));
INSERT INTO loose VALUES (1, now(), 1), (1, now() - interval '1 day', 1);
SELECT finai.create_feature_set('over_loose', 'loose', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('over_loose');
DELETE FROM loose;
CREATE TABLE over_loose_stored ();
CALL finai.refresh_feature_set('over_loose');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'loose'::regclass;
-- Ids that stop telling events apart are said to, by every refresh.
DROP TABLE over_loose_stored;
INSERT INTO loose VALUES (1, '2024-01-01', 1), (2, '2024-01-02', 1);
CALL finai.refresh_feature_set('over_loose');
INSERT INTO loose VALUES (1, '2024-01-05', 1);
CALL finai.refresh_feature_set('over_loose');
CALL finai.refresh_feature_set('over_loose', true);
DELETE FROM loose WHERE at = '2024-01-05'; INSERT INTO loose VALUES (3, '2024-01-05', 1);
CALL finai.refresh_feature_set('over_loose');
SELECT differing('over_loose');
-- A copy or view that somebody changed is named.
ALTER VIEW over_loose RENAME n TO number;
CALL finai.refresh_feature_set('over_loose');
ALTER VIEW over_loose RENAME number TO n;
ALTER TABLE over_loose_stored DROP CONSTRAINT over_loose_stored_pkey;
CALL finai.refresh_feature_set('over_loose');
DROP TABLE over_loose_stored;
CALL finai.refresh_feature_set('over_loose');
SELECT differing('over_loose');
-- An unlogged source is refused: a crash fires no trigger.
CREATE UNLOGGED TABLE brief (LIKE loose INCLUDING ALL);
SELECT count(*) FROM finai.create_feature_set('over_brief', 'brief', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('over_brief');
-- Names that begin alike.
SELECT count(*) FROM (SELECT repeat('a', 40) || e AS name FROM unnest('{_one,_two,_the_first_to_be_cut,_the_first_to_be_cat}'::text[]) e) n,
  finai.create_feature_set(n.name, 'loose', entity => 'card', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
RESET ROLE;
SELECT format('CALL finai.refresh_feature_set(%L)', name) FROM finai.feature_set WHERE name LIKE 'aaa%' ORDER BY 1 \gexec
INSERT INTO loose VALUES (4, '2024-01-05', 1);
SELECT format('CALL finai.refresh_feature_set(%L)', name) FROM finai.feature_set WHERE name LIKE 'aaa%' ORDER BY 1 \gexec
SELECT name, stored, (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'loose'::regclass AND tgargs = convert_to(name, 'UTF8') || '\x00') AS triggers FROM finai.feature_set WHERE name LIKE 'aaa%' ORDER BY 1;
SELECT count(finai.drop_feature_set(name)) FROM finai.feature_set WHERE name LIKE 'aaa%';
SET ROLE regress_owner;
-- A set that is dropped and made anew in one transaction, by another entity; times whose windows reach beyond what there is;
-- a column of the name that the refresh gives the source; domains over domains.
CREATE TABLE odd (id int PRIMARY KEY, at timestamp, k int, s int, name bpchar(8));
INSERT INTO odd SELECT i, '2024-01-01'::timestamp + i * interval '1 hour', i % 3, i % 4, (ARRAY['a', 'b'])[1 + i % 2] FROM generate_series(1, 60) i;
BEGIN;
SELECT count(*) FROM finai.create_feature_set('anew', 'odd', entity => 'k', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('anew');
INSERT INTO odd VALUES (100, '2024-01-02', 1, 1, 'a');
SELECT finai.drop_feature_set('anew');
SELECT count(*) FROM finai.create_feature_set('anew', 'odd', entity => 's', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "1 day"}]');
CALL finai.refresh_feature_set('anew');
INSERT INTO odd VALUES (101, '2024-01-02', 0, 2, 'b');
CALL finai.refresh_feature_set('anew');
SELECT differing('anew');
COMMIT;
INSERT INTO odd VALUES (102, '294276-12-31 23:59:59', 0, 2, 'b'), (103, '4713-01-02 BC', 0, 2, 'b'), (104, 'infinity', 0, 2, 'b'), (105, '294276-12-31 12:00', 0, 2, 'b');
CALL finai.refresh_feature_set('anew');
SELECT differing('anew');
DELETE FROM odd WHERE id > 101;
-- What the owner's triggers set does not stay with who refreshes.
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'nowhere', false), set_config('datestyle', 'German', false); RETURN NEW; END $$;
CREATE TRIGGER meddle BEFORE INSERT OR UPDATE ON anew_stored FOR EACH ROW EXECUTE FUNCTION meddle();
INSERT INTO odd VALUES (200, '2024-02-01', 1, 1, 'a');
RESET ROLE;
CALL finai.refresh_feature_set('anew');
SHOW search_path; SHOW datestyle;
SELECT count(*) FROM anew_stored WHERE id = 200;
-- A superuser can drop the set of an owner who lost rights.
CREATE ROLE regress_leaver; GRANT EXECUTE ON FUNCTION finai.create_feature_set TO regress_leaver; GRANT EXECUTE ON PROCEDURE finai.refresh_feature_set TO regress_leaver;
CREATE SCHEMA leavers; GRANT ALL ON SCHEMA leavers TO regress_leaver;
SET ROLE regress_leaver;
CREATE TABLE leavers.paid (id int PRIMARY KEY, at timestamp, k int);
SELECT count(*) FROM finai.create_feature_set('left_over', 'leavers.paid', entity => 'k', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count"}]');
SELECT count(*) FROM finai.create_feature_set('left_too', 'leavers.paid', entity => 'k', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count"}]');
CALL finai.refresh_feature_set('left_over'); CALL finai.refresh_feature_set('left_too');
RESET ROLE;
REVOKE ALL ON SCHEMA leavers FROM regress_leaver;
SELECT finai.drop_feature_set('left_too');
SELECT to_regclass('leavers.left_too_stored');
DROP OWNED BY regress_leaver CASCADE; DROP ROLE regress_leaver;
SELECT finai.drop_feature_set('left_over');
SELECT count(*) FROM finai.feature_set WHERE name LIKE 'left%';
DROP SCHEMA leavers;
CREATE EXTENSION citext;
SET ROLE regress_owner;
CREATE DOMAIN inner_text AS citext; CREATE DOMAIN outer_text AS inner_text;
CREATE TABLE cased (id int PRIMARY KEY, at timestamp, k outer_text);
INSERT INTO cased SELECT i, '2024-01-01'::timestamp + i * interval '1 hour', (ARRAY['a', 'A'])[1 + i % 2] FROM generate_series(1, 40) i;
SELECT count(*) FROM finai.create_feature_set('cases', 'cased', entity => 'k', event_time => 'at', event_id => 'id', features => '[{"name": "n", "agg": "count", "window": "10 hours"}]');
CALL finai.refresh_feature_set('cases');
INSERT INTO cased VALUES (100, '2024-01-01 05:30', 'a');
CALL finai.refresh_feature_set('cases');
SELECT differing('cases');
SELECT finai.drop_feature_set('cases'), finai.drop_feature_set('anew'), finai.drop_feature_set('over_loose'), finai.drop_feature_set('over_brief');
-- The table gets another name, a column too: the set says so, and nobody is kept from writing.
ALTER TABLE payment RENAME TO paid;
INSERT INTO paid VALUES (300000, '2024-03-07', 1, 't1', 1);
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity');
ALTER TABLE paid RENAME terminal TO shop;
\c
SET ROLE regress_owner;
INSERT INTO paid VALUES (300001, '2024-03-07', 1, 't1', 1);
CALL finai.refresh_feature_set('velocity');
ALTER TABLE paid RENAME shop TO terminal;
CALL finai.refresh_feature_set('velocity');
SELECT differing('velocity');

-- Dropping the set takes everything with it.
SELECT finai.drop_feature_set('velocity');
SELECT finai.drop_feature_set('past');
SELECT finai.drop_feature_set('flow');
SELECT to_regclass('velocity_stored'), (SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('paid'::regclass, 'stream'::regclass, 'stream_3'::regclass)) AS triggers;
RESET ROLE;
SELECT count(*) AS noted FROM finai.feature_change;
DROP OWNED BY regress_owner, regress_member, regress_writer, regress_stranger CASCADE;
DROP ROLE regress_owner, regress_member, regress_writer, regress_stranger;

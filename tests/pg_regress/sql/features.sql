-- Feature sets: every aggregate against numbers worked out by hand, online against offline, what is refused, who may.
CREATE TABLE payment (
  id       integer PRIMARY KEY,
  card     text,
  terminal integer,
  at       timestamp NOT NULL,
  amount   numeric(10,2),
  fraud    boolean,
  lat      float8,
  lon      float8
);
INSERT INTO payment VALUES
  (1, 'a', 1, '2024-01-01 00:00:00', 10,   false, 0, 0),
  (2, 'a', 2, '2024-01-01 12:00:00', 30,   true,  0, 90),
  -- The same time, ordered by id; a day after row 1 to the second.
  (4, 'a', 1, '2024-01-02 00:00:00', 20,   NULL,  NULL, 0),
  (3, 'a', 3, '2024-01-02 00:00:00', NULL, false, 0, 90),
  (5, 'b', 1, '2024-01-02 00:00:00', 5,    true,  1, 1),
  (6, NULL, 1, '2024-01-03 06:59:59', 99,  true,  1, 1),
  -- 7 days after row 2, and what is just inside.
  (7, 'a', 1, '2024-01-08 11:59:59', 20,   false, 0, -90),
  (8, 'a', 2, '2024-01-08 12:00:00', 40,   true,  0, -90);
SELECT * FROM finai.create_feature_set('card_features', 'payment', 'card', 'at', 'id', '[
  {"name": "n",          "agg": "count"},
  {"name": "n_1d",       "agg": "count",    "window": "1 day"},
  {"name": "n_1d_past",  "agg": "count",    "window": "1 day", "current": false},
  {"name": "n_7d",       "agg": "count",    "window": "1 week"},
  {"name": "known_7d",   "agg": "count",    "column": "amount", "window": "7 days"},
  {"name": "sum_7d",     "agg": "sum",      "column": "amount", "window": "7 days"},
  {"name": "avg_7d",     "agg": "avg",      "column": "amount", "window": "6 days 24 hours"},
  {"name": "min_7d",     "agg": "min",      "column": "amount", "window": "7 days"},
  {"name": "max_7d",     "agg": "max",      "column": "amount", "window": "7 days"},
  {"name": "sd",         "agg": "stddev",   "column": "amount"},
  {"name": "terminals",  "agg": "distinct", "column": "terminal", "window": "7 days"}]');
SELECT id, n, n_1d, n_1d_past, n_7d, known_7d, sum_7d, avg_7d, min_7d, max_7d, sd, terminals FROM card_features ORDER BY id;
SELECT * FROM finai.create_feature_set('history_features', 'payment', 'card', 'at', 'id', '[
  {"name": "share",      "agg": "share",    "column": "fraud"},
  {"name": "risk",       "agg": "risk",     "column": "fraud", "by": "terminal", "window": "7 days"},
  {"name": "risk_late",  "agg": "risk",     "column": "fraud", "by": "terminal", "window": "7 days", "delay": "1 day"},
  {"name": "last_amount","agg": "last",     "column": "amount"},
  {"name": "last_term",  "agg": "last",     "column": "terminal"},
  {"name": "gap",        "agg": "time_since_last"},
  {"name": "gap_here",   "agg": "time_since_last", "column": "terminal"},
  {"name": "new_card",   "agg": "first_seen"},
  {"name": "new_here",   "agg": "first_seen", "column": "terminal"},
  {"name": "ratio",      "agg": "ratio",    "column": "amount"},
  {"name": "z",          "agg": "zscore",   "column": "amount"},
  {"name": "km",         "agg": "distance", "columns": ["lat", "lon"]},
  {"name": "kmh",        "agg": "speed",    "columns": ["lat", "lon"]}]', create_indexes => true);
SELECT id, share, risk, risk_late, last_amount, last_term, gap, gap_here, new_card, new_here, ratio, z FROM history_features ORDER BY id;
SELECT id, round(km::numeric, 3) AS km, round(kmh::numeric, 3) AS kmh FROM history_features ORDER BY id;
SELECT indexdef FROM pg_indexes WHERE tablename = 'payment' ORDER BY 1;
-- The indexes are there now: none is proposed.
SELECT * FROM finai.create_feature_set('more', 'payment', 'card', 'at', 'id', '[
  {"name": "night",      "agg": "night"},
  {"name": "weekend",    "agg": "weekend"},
  {"name": "past",       "agg": "sequence", "columns": ["amount", "terminal"], "k": 2},
  {"name": "n_1d",       "agg": "count", "window": "1 day"},
  {"name": "n_7d",       "agg": "count", "window": "7 days"},
  {"name": "faster",     "agg": "ratio", "of": "n_1d", "to": "n_7d", "scale": 7},
  {"name": "faster_still", "agg": "ratio", "of": "faster", "to": "night"},
  {"name": "n_terminal", "agg": "count", "by": "terminal"}]');
SELECT id, night, weekend, past, past_mask, faster, faster_still, n_terminal FROM more ORDER BY id;
-- An entity of two columns has an index of its own; the kinds of last values.
ALTER TABLE payment ADD counter bigint DEFAULT 9007199254740993, ADD small real DEFAULT 0.1, ADD seen timestamptz DEFAULT '2024-03-31 01:30:00+00', ADD tags text[] DEFAULT '{x,"y z"}';
SELECT * FROM finai.create_feature_set('pairs', 'payment', 'card', 'at', 'id', '[
  {"name": "n_pair",   "agg": "count", "by": ["card", "terminal"]},
  {"name": "l_count",  "agg": "last", "column": "counter"},
  {"name": "l_small",  "agg": "last", "column": "small"},
  {"name": "l_seen",   "agg": "last", "column": "seen"},
  {"name": "l_tags",   "agg": "last", "column": "tags"},
  {"name": "l_amount_day", "agg": "last", "column": "amount", "window": "1 day"}]');
SELECT id, n_pair, l_count, l_small, l_seen, l_tags, l_amount_day FROM pairs ORDER BY id;
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'pairs' AND ordinal_position > 12 ORDER BY ordinal_position;

-- Every set, online: the view's rows to the last bit.
CREATE FUNCTION differences(feature_view regclass, source regclass, id text) RETURNS TABLE (compared bigint, rows_differ bigint, moments_differ bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT count(*), count(*) FILTER (WHERE record_image_ne(v, finai.feature_row(NULL::%1$s, s))),
           count(*) FILTER (WHERE is_last AND record_image_ne(v, finai.features_at(NULL::%1$s, s.card, s.at)))
    FROM %1$s v JOIN (SELECT s, s.card, s.at, s.%3$I AS key, s.card IS NOT NULL AND s.%3$I = max(s.%3$I) OVER (PARTITION BY s.card, s.at) AS is_last FROM %2$s s) s
      ON v.%3$I = s.key$q$, feature_view, source, id);
END $$;
SELECT view, d.* FROM finai.feature_set, differences(view::regclass, 'payment', 'id') d ORDER BY name;
-- A row that is not stored, of any row type with the columns that the set reads.
SELECT n, n_1d, sum_7d, fraud FROM finai.feature_row(NULL::card_features, ROW(9, 'a', 7, '2024-01-08 12:00:00', 1, NULL, NULL, NULL, 1, 0.1, NULL, NULL)::payment);
SELECT n, n_1d, sum_7d, fraud FROM finai.feature_row(NULL::card_features, (SELECT r FROM (SELECT 9 AS id, 'a'::text AS card, 7 AS terminal, '2024-01-08 12:00:00'::timestamp AS at, 1::numeric AS amount, 'x' AS unread) r));
SELECT finai.feature_row(NULL::card_features, NULL::payment);
SELECT finai.feature_row(NULL::card_features, r) FROM (SELECT 9 AS id, 'a' AS card, '2024-01-08 12:00:00'::timestamp AS at, 1::numeric AS amount) r;
SELECT finai.feature_row(NULL::card_features, r) FROM (SELECT 9 AS id, 'a'::text AS card, 7 AS terminal, '2024-01-08'::date AS at, 1::numeric AS amount) r;
-- Before the first event, between events, at one, of nobody. What needs an event or is by another entity is null.
SELECT m, r.id, r.card, r.at, n, n_1d, n_1d_past, sum_7d, sd FROM unnest(ARRAY['2023-12-31 23:59:59', '2024-01-01 18:00:00', '2024-01-02 00:00:00', '2024-01-09 12:00:00']::timestamp[]) m, finai.features_at(NULL::card_features, 'a', m) r;
SELECT share, risk, last_amount, last_term, gap, gap_here, new_card, new_here, ratio, z, km FROM finai.features_at(NULL::history_features, 'a', '2024-01-01 18:00:00') r;
SELECT night, weekend, past, past_mask, faster, n_terminal FROM finai.features_at(NULL::more, 'a', '2024-01-06 05:00:00');
SELECT n, sd FROM finai.features_at(NULL::card_features, 'nobody', '2024-01-01');
SELECT finai.features_at(NULL::card_features, NULL::text, '2024-01-01'), finai.features_at(NULL::card_features, 'a', NULL::timestamp);
SELECT finai.features_at(NULL::card_features, 'a', 'yesterday noon or so');

-- Later events change no earlier features, whenever they are stored.
CREATE TABLE before AS SELECT * FROM card_features;
INSERT INTO payment (id, card, terminal, at, amount) VALUES (100, 'a', 9, '2024-01-08 12:00:00.000001', 1e6), (101, 'a', 9, '2024-02-01', 1e6);
SELECT count(*) FROM before b JOIN card_features c USING (id) WHERE record_image_ne(b, c);
DELETE FROM payment WHERE id >= 100;

-- NaN and infinities as PostgreSQL's aggregates have them, and gone when they have left.
CREATE TABLE odd (id bigint PRIMARY KEY, k "char", at timestamptz, x float8);
INSERT INTO odd VALUES (1, 'k', '2024-01-01 00:00+00', 1), (2, 'k', '2024-01-01 01:00+00', 'NaN'), (3, 'k', '2024-01-01 02:00+00', 'Infinity'), (4, 'k', '2024-01-01 03:00+00', '-Infinity'),
  (5, 'k', '2024-01-01 04:00+00', 2), (6, 'k', '2024-01-01 05:00+00', 1e308), (7, 'k', '2024-01-01 05:00+00', 1e308), (8, 'k', '2024-01-01 06:00+00', -1e308), (9, 'k', '2024-01-02 00:00+00', 0.1), (10, 'k', '2024-01-02 00:00+00', 0.2),
  (11, 'k', NULL, 7), (12, 'k', 'infinity', 7), (13, 'k', '-infinity', 7), (14, 'k', '2024-01-03 03:00+00', 3);
SELECT * FROM finai.create_feature_set('odd_features', 'odd', 'k', 'at', 'id', '[
  {"name": "sum", "agg": "sum", "column": "x", "window": "2 hours"}, {"name": "avg", "agg": "avg", "column": "x", "window": "2 hours"},
  {"name": "min", "agg": "min", "column": "x", "window": "2 hours"}, {"name": "max", "agg": "max", "column": "x", "window": "2 hours"},
  {"name": "sd",  "agg": "stddev", "column": "x", "window": "2 hours"}, {"name": "ratio", "agg": "ratio", "column": "x", "window": "2 hours"},
  {"name": "big", "agg": "ratio", "of": "sum", "to": "avg", "scale": 1e300}]');
SELECT id, sum, avg, min, max, sd, ratio, big FROM odd_features ORDER BY id;
SELECT count(*) FILTER (WHERE record_image_ne(v, finai.feature_row(NULL::odd_features, o))) AS differ FROM odd_features v JOIN odd o USING (id);

-- Night and weekend where one is; midnight in Kolkata is half past six in London.
CREATE TABLE clock (id int PRIMARY KEY, k int, at timestamptz);
INSERT INTO clock VALUES (1, 1, '2024-01-05 18:29:59+00'), (2, 1, '2024-01-05 18:30:00+00'), (3, 1, '2024-01-06 01:29:59.999999+00'), (4, 1, '2024-01-06 01:30:00+00'), (5, 1, '2024-01-07 18:29:59+00'), (6, 1, '2024-01-07 18:30:00+00');
SELECT count(*) FROM finai.create_feature_set('kolkata', 'clock', 'k', 'at', 'id', '[{"name": "night", "agg": "night"}, {"name": "weekend", "agg": "weekend"}]', time_zone => 'Asia/Kolkata');
SELECT count(*) FROM finai.create_feature_set('utc', 'clock', 'k', 'at', 'id', '[{"name": "night", "agg": "night"}, {"name": "weekend", "agg": "weekend"}]');
SET TimeZone = 'America/New_York';
SELECT k.id, k.night, k.weekend, u.night AS utc_night, u.weekend AS utc_weekend FROM kolkata k JOIN utc u USING (id) ORDER BY 1;
RESET TimeZone;

-- In words.
SELECT feature, data_type, meaning FROM finai.describe_feature_set('card_features');
SELECT * FROM finai.describe_feature_set('more');
SELECT * FROM finai._feature_set_entities('history_features');

-- Names that must be quoted, columns of extensions' and users' types.
CREATE SCHEMA "My ""Schema";
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN money_amount AS numeric CHECK (VALUE >= 0);
CREATE TABLE "My ""Schema"."Pay ments" ("Event Id" uuid PRIMARY KEY, "The ""Card" varchar(20), "select" timestamp, "Amount; --" money_amount, hue colour, padded char(5), u uuid, raw bytea, n2 numeric, f float4, d date);
INSERT INTO "My ""Schema"."Pay ments"
SELECT md5(i::text)::uuid, chr(65 + i % 2), timestamp '2024-01-01' + i / 3 * interval '1 hour', i, CASE i % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' END::colour, repeat('x', i % 2), md5((i % 4)::text)::uuid, decode('0' || i % 3, 'hex'), (i % 3)::numeric + CASE WHEN i % 2 = 0 THEN 0 ELSE 0.00 END, CASE WHEN i % 2 = 0 THEN '-0'::float4 ELSE 0 END, date '2024-01-01' + i % 5
FROM generate_series(1, 20) i;
SELECT * FROM finai.create_feature_set('Quoted', '"My ""Schema"."Pay ments"', 'The "Card', 'select', 'Event Id', '[
  {"name": "Sum", "agg": "sum", "column": "Amount; --", "window": "3 hours"}, {"name": "hues", "agg": "distinct", "column": "hue"}, {"name": "pads", "agg": "distinct", "column": "padded"},
  {"name": "us", "agg": "distinct", "column": "u"}, {"name": "raws", "agg": "distinct", "column": "raw"}, {"name": "ns", "agg": "distinct", "column": "n2"}, {"name": "fs", "agg": "distinct", "column": "f"}, {"name": "ds", "agg": "distinct", "column": "d"},
  {"name": "last_hue", "agg": "last", "column": "hue"}, {"name": "by_hue", "agg": "count", "by": ["hue", "The \"Card"]}]', create_indexes => true);
SELECT "Amount; --" AS amount, "Sum", hues, pads, us, raws, ns, fs, ds, last_hue, by_hue FROM "My ""Schema"."Quoted" ORDER BY amount LIMIT 8;
SELECT count(*) FILTER (WHERE record_image_ne(v, finai.feature_row(NULL::"My ""Schema"."Quoted", p))) AS differ FROM "My ""Schema"."Quoted" v JOIN "My ""Schema"."Pay ments" p USING ("Event Id");

-- Partitioned tables: the unique index has the time too. Materialised views have no constraints.
CREATE TABLE parted (id int NOT NULL, card text, at timestamp NOT NULL, amount float8) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2024-01-05');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2024-01-05') TO ('2024-02-01');
SELECT * FROM finai.create_feature_set('parted_features', 'parted', 'card', 'at', 'id', '[{"name": "total", "agg": "sum", "column": "amount", "window": "3 days"}]');
CREATE UNIQUE INDEX ON parted (at, id);
SELECT * FROM finai.create_feature_set('parted_features', 'parted', 'card', 'at', 'id', '[{"name": "total", "agg": "sum", "column": "amount", "window": "3 days"}]', create_indexes => true);
INSERT INTO parted SELECT i, 'c' || i % 2, timestamp '2024-01-03' + i * interval '5 hours', i * 0.1 FROM generate_series(1, 30) i;
SELECT * FROM differences('parted_features', 'parted', 'id');
CREATE MATERIALIZED VIEW summary AS SELECT * FROM parted;
SELECT * FROM finai.create_feature_set('summary_features', 'summary', 'card', 'at', 'id', '[{"name": "total", "agg": "sum", "column": "amount", "window": "3 days"}]');
CREATE UNIQUE INDEX ON summary (id);
SELECT * FROM finai.create_feature_set('summary_features', 'summary', 'card', 'at', 'id', '[{"name": "total", "agg": "sum", "column": "amount", "window": "3 days"}]');
SELECT * FROM differences('summary_features', 'summary', 'id');

-- What is refused, with nothing changed.
CREATE VIEW a_view AS SELECT * FROM payment;
CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing; CREATE FOREIGN TABLE far (id int, card text, at timestamp) SERVER nowhere;
CREATE TEMP TABLE fleeting (id int PRIMARY KEY, card text, at timestamp);
CREATE TABLE shaky (id int PRIMARY KEY, card text, at timestamp, day date, place point, loose int UNIQUE, plain int NOT NULL, part int NOT NULL, amount int, ci text COLLATE "C", flag text);
CREATE UNIQUE INDEX ON shaky (part) WHERE amount > 0;
CREATE UNIQUE INDEX ON shaky ((plain + 1));
CREATE FUNCTION refused(statement text) RETURNS TABLE (state text, message text, hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  state := 'ACCEPTED'; RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
  RETURN NEXT;
END $$;
CREATE TABLE state_before AS SELECT (SELECT count(*) FROM finai.feature_set) AS sets, (SELECT count(*) FROM pg_class WHERE relkind = 'v') AS views, (SELECT count(*) FROM pg_index) AS indexes;
\x on
SELECT features, r.* FROM (VALUES
  ('{}'), ('[]'), ('[1]'), ('[{"agg": "count"}]'), ('[{"name": 1, "agg": "count"}]'), ('[{"name": "a b", "agg": "count"}]'), ('[{"name": "x"}]'), ('[{"name": "x", "agg": "median"}]'),
  ('[{"name": "x", "agg": "count", "colour": "red"}]'), ('[{"name": "x", "agg": 1}]'), ('[{"name": "x", "agg": "sum"}]'), ('[{"name": "x", "agg": "sum", "column": ["amount"]}]'),
  ('[{"name": "x", "agg": "sum", "column": "nothing"}]'), ('[{"name": "x", "agg": "sum", "column": "Amount"}]'), ('[{"name": "x", "agg": "sum", "column": "card"}]'), ('[{"name": "x", "agg": "sum", "column": "at"}]'),
  ('[{"name": "x", "agg": "share", "column": "flag"}]'), ('[{"name": "x", "agg": "distinct", "column": "place"}]'), ('[{"name": "x", "agg": "distance", "columns": ["amount"]}]'), ('[{"name": "x", "agg": "distance", "column": "amount"}]'),
  ('[{"name": "x", "agg": "count", "window": "0 days"}]'), ('[{"name": "x", "agg": "count", "window": "-1 day"}]'), ('[{"name": "x", "agg": "count", "window": "1 month"}]'), ('[{"name": "x", "agg": "count", "window": "2 years"}]'),
  ('[{"name": "x", "agg": "count", "window": "1 day 1 month"}]'), ('[{"name": "x", "agg": "count", "window": "soon"}]'), ('[{"name": "x", "agg": "count", "window": ""}]'), ('[{"name": "x", "agg": "count", "window": 7}]'),
  ('[{"name": "x", "agg": "count", "window": "99999999999999999999 days"}]'), ('[{"name": "x", "agg": "count", "window": "40000 days"}]'), ('[{"name": "x", "agg": "count", "window": "1.5 days"}]'),
  ('[{"name": "x", "agg": "count", "delay": "0 seconds"}]'), ('[{"name": "x", "agg": "count", "delay": "1 day", "current": true}]'), ('[{"name": "x", "agg": "last", "column": "amount", "delay": "1 day"}]'), ('[{"name": "x", "agg": "count", "current": "yes"}]'),
  ('[{"name": "x", "agg": "last", "column": "amount", "current": true}]'), ('[{"name": "x", "agg": "night", "window": "1 day"}]'), ('[{"name": "x", "agg": "night", "by": "card"}]'), ('[{"name": "x", "agg": "count", "k": 3}]'),
  ('[{"name": "x", "agg": "sequence", "columns": ["amount"]}]'), ('[{"name": "x", "agg": "sequence", "columns": ["amount"], "k": 0}]'), ('[{"name": "x", "agg": "sequence", "columns": [], "k": 3}]'), ('[{"name": "x", "agg": "sequence", "columns": ["amount"], "k": 1001}]'),
  ('[{"name": "x", "agg": "count", "by": "place"}]'), ('[{"name": "x", "agg": "count", "by": "nothing"}]'), ('[{"name": "x", "agg": "count", "by": []}]'), ('[{"name": "x", "agg": "count", "by": ["card", "card"]}]'), ('[{"name": "x", "agg": "count", "by": {"a": 1}}]'),
  ('[{"name": "x", "agg": "count"}, {"name": "x", "agg": "night"}]'), ('[{"name": "amount", "agg": "count"}]'), ('[{"name": "s", "agg": "sequence", "columns": ["amount"], "k": 2}, {"name": "s_mask", "agg": "count"}]'),
  ('[{"name": "x", "agg": "ratio", "of": "y"}]'), ('[{"name": "x", "agg": "ratio", "of": "y", "to": "z"}]'), ('[{"name": "x", "agg": "ratio", "of": "x", "to": "x"}]'),
  ('[{"name": "x", "agg": "ratio", "of": "n", "to": "y"}, {"name": "y", "agg": "ratio", "of": "n", "to": "z"}, {"name": "z", "agg": "ratio", "of": "n", "to": "x"}, {"name": "n", "agg": "count"}]'),
  ('[{"name": "x", "agg": "ratio", "of": "n", "to": "n", "scale": 0}, {"name": "n", "agg": "count"}]'), ('[{"name": "x", "agg": "ratio", "of": "n", "to": "n", "column": "amount"}, {"name": "n", "agg": "count"}]'), ('[{"name": "x", "agg": "ratio", "of": "l", "to": "l"}, {"name": "l", "agg": "last", "column": "amount"}]'),
  ('[{"name": "x", "agg": "count", "scale": 1e400}]'), ('[{"name": "x", "agg": "sum", "of": "n", "to": "n"}]')
) f (features), refused(format('SELECT finai.create_feature_set(''bad'', ''shaky'', ''card'', ''at'', ''id'', %L)', features)) r;
SELECT statement, r.state, regexp_replace(r.message, 'pg_temp_\d+', 'pg_temp') AS message, r.hint FROM (VALUES
  ($$'a b', 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'a_view', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'far', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$),
  ($$'bad', 'fleeting', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 0::regclass, 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'nothing', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$),
  ($$'bad', 'shaky', 'card', 'day', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'card', 'At', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'place', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$),
  ($$'bad', 'shaky', 'card', 'at', 'loose', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'card', 'at', 'plain', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'card', 'at', 'part', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'card', 'at', 'ctid', '[{"name": "x", "agg": "count"}]'$$),
  ($$'bad', 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]', time_zone => 'Mars/Olympus'$$), ($$'card_features', 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'payment', 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$),
  ($$NULL, 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', NULL, 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', NULL, 'at', 'id', '[{"name": "x", "agg": "count"}]'$$), ($$'bad', 'shaky', 'card', 'at', 'id', NULL$$)
) f (statement), refused('SELECT finai.create_feature_set(' || statement || ')') r;
SELECT r.* FROM refused((SELECT format('SELECT finai.create_feature_set(''bad'', ''shaky'', ''card'', ''at'', ''id'', %L)', jsonb_agg(jsonb_build_object('name', 'x' || i, 'agg', 'count'))) FROM generate_series(1, 501) i)) r;
SELECT r.* FROM refused((SELECT format('SELECT finai.create_feature_set(''bad'', ''shaky'', ''card'', ''at'', ''id'', %L)', jsonb_build_array('{"name": "x0", "agg": "count"}'::jsonb) || jsonb_agg(jsonb_build_object('name', 'x' || i, 'agg', 'ratio', 'of', 'x' || i - 1, 'to', 'x' || i - 1))) FROM generate_series(1, 9) i)) r;
SELECT r.* FROM (VALUES ($$SELECT finai.drop_feature_set('nothing')$$), ($$SELECT finai.drop_feature_set(NULL)$$), ($$SELECT * FROM finai.describe_feature_set('nothing')$$), ($$SELECT finai.feature_row(NULL::a_view, p) FROM payment p$$), ($$SELECT finai.feature_row(1, p) FROM payment p$$),
  ($$SELECT finai.features_at(NULL::payment, 'a', now())$$), ($$SELECT finai._window_features('{}', true, now())$$), ($$SELECT finai._window_features(NULL, true)$$), ($$SELECT finai._window_features('{"columns": [], "features": [{"agg": "count"}]}', true, 1)$$),
  ($$SELECT finai._window_features('{"columns": ["number"], "features": [{"agg": "sum", "columns": [0]}]}', true, now(), 'x'::text)$$), ($$SELECT finai._window_features('{"columns": [], "features": [{"agg": "count"}]}', true, now() - i * interval '1 day') FROM generate_series(1, 3) i$$)) f (statement), refused(statement) r;
\x off
SELECT sets = (SELECT count(*) FROM finai.feature_set) AND views = (SELECT count(*) FROM pg_class WHERE relkind = 'v') AND indexes = (SELECT count(*) FROM pg_index) AS unchanged FROM state_before;
BEGIN READ ONLY;
SELECT finai.create_feature_set('bad', 'shaky', 'card', 'at', 'id', '[{"name": "x", "agg": "count"}]');
ROLLBACK;
-- Reading assigns no transaction id.
BEGIN;
SELECT count(*) FROM card_features;
SELECT count(finai.feature_row(NULL::card_features, p)), count(finai.features_at(NULL::card_features, card, at)) FROM payment p;
SELECT pg_current_xact_id_if_assigned() IS NULL AS none;
ROLLBACK;

-- Rights. The view's readers need nothing else for it; feature_row and features_at read the source as who calls.
CREATE ROLE regress_maker; CREATE ROLE regress_reader; CREATE ROLE regress_other;
CREATE SCHEMA shop AUTHORIZATION regress_maker;
GRANT EXECUTE ON FUNCTION finai.create_feature_set, finai.drop_feature_set TO regress_maker, regress_other;
SET ROLE regress_maker;
CREATE TABLE shop.sale (id int PRIMARY KEY, buyer int, at timestamp, amount float8);
INSERT INTO shop.sale SELECT i, i % 3, timestamp '2024-01-01' + i * interval '1 hour', i FROM generate_series(1, 9) i;
SELECT * FROM finai.create_feature_set('sale_features', 'shop.sale', 'buyer', 'at', 'id', '[{"name": "n", "agg": "count"}, {"name": "last_buyer", "agg": "last", "column": "amount"}]');
GRANT USAGE ON SCHEMA shop TO regress_reader, regress_other;
GRANT SELECT ON shop.sale_features TO regress_reader;
SET ROLE regress_reader;
SELECT sum(n), sum(last_buyer) FROM shop.sale_features WHERE buyer = 1;
SELECT feature, meaning FROM finai.describe_feature_set('sale_features');
SELECT finai.feature_row(NULL::shop.sale_features, s) FROM shop.sale_features s LIMIT 1;
SELECT finai.features_at(NULL::shop.sale_features, 1, '2024-01-02');
SELECT finai.drop_feature_set('sale_features');
SELECT * FROM finai.feature_set;
SELECT finai._feature_set_entities('sale_features');
SELECT name, source, view, entity, event_time, event_id, time_zone, features, status, stored, refreshed_at, owner, created_at IS NOT NULL AS dated, jsonb_path_query_array(definition, '$[*].agg') AS aggregates FROM finai.feature_sets;
SET ROLE regress_other;
SELECT count(*) FROM finai.feature_sets;
SELECT count(*) FROM shop.sale_features;
SELECT * FROM finai.describe_feature_set('sale_features');
SELECT finai.drop_feature_set('sale_features');
SELECT finai.create_feature_set('mine', 'shop.sale', 'buyer', 'at', 'id', '[{"name": "n", "agg": "count"}]');
RESET ROLE;
GRANT SELECT ON shop.sale TO regress_other, regress_reader;
REVOKE USAGE ON SCHEMA shop FROM regress_other;
SET ROLE regress_other;
SELECT name, source, view, features, status, owner FROM finai.feature_sets;
RESET ROLE;
GRANT USAGE ON SCHEMA shop TO regress_other;
-- A source that has another name is followed; of one that is gone its owner and administrators know.
BEGIN;
ALTER TABLE shop.sale RENAME TO sold;
SELECT name, source, view, status, owner FROM finai.feature_sets WHERE name = 'sale_features';
DROP TABLE shop.sold CASCADE;
SELECT name, source, view, status, owner FROM finai.feature_sets WHERE name = 'sale_features';
SET ROLE regress_maker;
SELECT name, source, view, status, owner FROM finai.feature_sets WHERE name = 'sale_features';
SET ROLE regress_other;
SELECT name, source, view, status, owner FROM finai.feature_sets WHERE name = 'sale_features';
ROLLBACK;
SET ROLE regress_other;
SELECT finai.create_feature_set('mine', 'shop.sale', 'buyer', 'at', 'id', '[{"name": "n", "agg": "count"}]');
SET ROLE regress_reader;
SELECT (finai.feature_row(NULL::shop.sale_features, s)).n FROM shop.sale s ORDER BY id LIMIT 3;
-- Row security is that of who calls.
RESET ROLE;
ALTER TABLE shop.sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY later ON shop.sale FOR SELECT TO regress_reader USING (id > 3);
SET ROLE regress_reader;
SELECT (finai.features_at(NULL::shop.sale_features, 1, '2024-01-02')).n, (SELECT max(n) FROM shop.sale_features WHERE buyer = 1) AS in_view;
SET ROLE regress_maker;
SELECT (finai.features_at(NULL::shop.sale_features, 1, '2024-01-02')).n;
SELECT finai.drop_feature_set('sale_features');
RESET ROLE;
SELECT count(*) FROM finai.feature_set WHERE name = 'sale_features';
DROP SCHEMA shop CASCADE;
DROP OWNED BY regress_maker, regress_reader, regress_other;
DROP ROLE regress_maker, regress_reader, regress_other;

-- What somebody planted in a schema that comes first is never called.
CREATE SCHEMA trap;
CREATE FUNCTION trap.spring(a anyelement, b anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE OPERATOR trap.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE OPERATOR trap.< (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE OPERATOR trap.<= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE OPERATOR trap.>= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE FUNCTION trap.eq(timestamp, timestamp) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE FUNCTION trap.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq);
CREATE OPERATOR trap.= (LEFTARG = timestamp, RIGHTARG = timestamp, FUNCTION = trap.eq);
CREATE OPERATOR trap.<= (LEFTARG = timestamp, RIGHTARG = timestamp, FUNCTION = trap.eq);
CREATE FUNCTION trap.min(timestamp) RETURNS timestamp LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE FUNCTION trap.timezone(text, timestamptz) RETURNS timestamp LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (false); CREATE DOMAIN trap.int8 AS pg_catalog.int8 CHECK (false); CREATE DOMAIN trap.float8 AS pg_catalog.float8 CHECK (false);
SET search_path = trap, pg_catalog, public;
SELECT 'a'::pg_catalog.text = 'a'::pg_catalog.text;
SELECT finai.create_feature_set('trapped', 'public.payment', 'card', 'at', 'id', '[{"name": "n", "agg": "count", "window": "1 day"}, {"name": "l", "agg": "last", "column": "card"}, {"name": "gap", "agg": "time_since_last"}, {"name": "night", "agg": "night"}, {"name": "q", "agg": "ratio", "of": "n", "to": "n"}]');
SELECT count(*) FILTER (WHERE record_image_ne(v, finai.feature_row(NULL::public.trapped, p))) AS differ FROM public.trapped v JOIN public.payment p USING (id);
SELECT (finai.features_at(NULL::public.trapped, 'a', '2024-01-02 00:00:00'::timestamp)).*;
SELECT count(*) FROM finai.describe_feature_set('trapped');
SELECT finai.drop_feature_set('trapped');
RESET search_path;
DROP SCHEMA trap CASCADE;

-- What happens to the source: columns that come, renamed ones, another name or schema.
ALTER TABLE payment ADD extra text;
SELECT d.* FROM differences('card_features', 'payment', 'id') d;
ALTER TABLE payment RENAME TO payments;
ALTER TABLE payments RENAME lon TO longitude;
SELECT d.* FROM differences('card_features', 'payments', 'id') d;
SELECT finai.feature_row(NULL::history_features, p) FROM payments p LIMIT 1;
SELECT finai.describe_feature_set('history_features');
SELECT count(*) FROM history_features;
ALTER TABLE payments RENAME longitude TO lon;
SELECT d.* FROM differences('history_features', 'payments', 'id') d;
-- Columns that trade names are no longer those that the view reads.
BEGIN;
ALTER TABLE payments RENAME lon TO other; ALTER TABLE payments RENAME lat TO lon; ALTER TABLE payments RENAME other TO lat;
SAVEPOINT here;
SELECT finai.feature_row(NULL::history_features, p) FROM payments p LIMIT 1;
ROLLBACK TO here;
SELECT finai.features_at(NULL::history_features, 'a', '2024-01-08 12:00:00');
ROLLBACK TO here;
SELECT * FROM finai.describe_feature_set('history_features');
ROLLBACK;
ALTER TABLE payments DROP COLUMN amount;
ALTER TABLE payments ALTER id TYPE bigint;
-- A set of the same name over other rows is another set.
SELECT count(*) FROM finai.create_feature_set('again', 'payments', 'card', 'at', 'id', '[{"name": "n", "agg": "count"}, {"name": "s", "agg": "sum", "column": "amount"}]');
SELECT n, s FROM finai.features_at(NULL::again, 'a', '2024-01-08 12:00:00');
SELECT finai.drop_feature_set('again');
SELECT count(*) FROM finai.create_feature_set('again', 'payments', 'card', 'at', 'id', '[{"name": "n", "agg": "count", "window": "1 second"}, {"name": "s", "agg": "max", "column": "amount"}]');
SELECT n, s FROM finai.features_at(NULL::again, 'a', '2024-01-08 12:00:00');
-- Dependents keep it; a view that is gone, renamed or another is said to be so, and the set can be dropped.
CREATE VIEW on_top AS SELECT n FROM again;
SELECT finai.drop_feature_set('again');
DROP VIEW on_top;
SELECT format('CREATE OR REPLACE VIEW again AS SELECT *, 1 AS more FROM (%s) v', rtrim(pg_get_viewdef('again'), ';')) \gexec
SELECT n, s FROM finai.features_at(NULL::again, 'a', '2024-01-08 12:00:00');
SELECT n, s FROM finai.feature_row(NULL::again, (SELECT p FROM payments p WHERE id = 8));
SELECT finai.drop_feature_set('again');
SELECT count(*) FROM finai.create_feature_set('again', 'payments', 'card', 'at', 'id', '[{"name": "n", "agg": "count", "window": "1 second"}, {"name": "s", "agg": "max", "column": "amount"}]');
ALTER VIEW again RENAME TO against;
SELECT finai.features_at(NULL::against, 'a', '2024-01-08 12:00:00');
SELECT * FROM finai.describe_feature_set('again');
ALTER VIEW against RENAME TO again;
SELECT n, s FROM finai.features_at(NULL::again, 'a', '2024-01-08 12:00:00');
DROP VIEW again;
SELECT * FROM finai.describe_feature_set('again');
SELECT finai.drop_feature_set('again');
-- A view of its name that a stranger makes is not the set's, whose definition stays its owner's.
CREATE ROLE regress_maker; CREATE ROLE regress_planter; CREATE ROLE regress_heir IN ROLE regress_maker;
CREATE SCHEMA shared; GRANT ALL ON SCHEMA shared TO regress_maker, regress_planter;
GRANT EXECUTE ON FUNCTION finai.create_feature_set, finai.drop_feature_set TO regress_maker, regress_planter;
SET ROLE regress_maker;
CREATE TABLE shared.paid (id int PRIMARY KEY, at timestamptz, card int, secret text);
SELECT count(*) FROM finai.create_feature_set('held', 'shared.paid', 'card', 'at', 'id', '[{"name": "l", "agg": "last", "column": "secret"}]');
RESET ROLE; ALTER VIEW shared.held OWNER TO regress_heir; SET ROLE regress_maker;
SELECT finai.feature_row(NULL::shared.held, p) FROM shared.paid p;
SELECT finai.drop_feature_set('held');
SET ROLE regress_heir; DROP VIEW shared.held;
SET ROLE regress_planter;
CREATE TABLE shared.own (id int PRIMARY KEY, at timestamptz, card int, secret text);
CREATE VIEW shared.held AS SELECT *, ''::text AS l FROM shared.own;
SELECT * FROM finai.describe_feature_set('held');
SELECT finai.features_at(NULL::shared.held, 1, now());
SELECT finai.drop_feature_set('held');
SET ROLE regress_maker;
SELECT finai.drop_feature_set('held');
RESET ROLE;
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'shared.held'::regclass;
DROP SCHEMA shared CASCADE; DROP OWNED BY regress_maker, regress_planter, regress_heir; DROP ROLE regress_maker, regress_planter, regress_heir;

-- What travels as text does not depend on the settings of who reads.
CREATE TABLE seen (id int PRIMARY KEY, k int, at timestamptz, moment timestamptz, list float8[], span interval, day date);
INSERT INTO seen VALUES (1, 1, '2024-01-01 00:00+00', '2024-07-01 12:00+00', '{0.30000000000000004}', '-1 day 02:03', '2024-02-03'), (2, 1, '2024-01-02 00:00+00', NULL, NULL, NULL, NULL);
SELECT count(*) FROM finai.create_feature_set('lasts', 'seen', 'k', 'at', 'id', '[{"name": "m", "agg": "last", "column": "moment"}, {"name": "l", "agg": "last", "column": "list"}, {"name": "s", "agg": "last", "column": "span"}, {"name": "d", "agg": "last", "column": "day"}]');
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Shanghai'; SET extra_float_digits = 0; SET intervalstyle = sql_standard;
SELECT v.m = s.moment AS m, v.l = s.list AS l, v.s = s.span AS s, v.d = s.day AS d, o.m = s.moment AS om, o.l = s.list AS ol, o.s = s.span AS os, o.d = s.day AS od
FROM lasts v, seen s, finai.features_at(NULL::lasts, 1, '2024-01-03 00:00+00'::timestamptz) o WHERE v.id = 2 AND s.id = 1;
SHOW datestyle; SHOW timezone; SHOW extra_float_digits; SHOW intervalstyle;
RESET datestyle; RESET timezone; RESET extra_float_digits; RESET intervalstyle;

-- Times near the ends of what there is have the same features one by one.
CREATE TABLE edge (id int PRIMARY KEY, k int, at timestamp);
INSERT INTO edge VALUES (1, 1, '4713-01-02 BC'), (2, 1, '294276-12-31 23:59:59'), (3, 1, '294276-12-30'), (4, 1, '-infinity'), (5, 1, 'infinity'), (6, 1, '4714-11-24 BC');
SELECT count(*) FROM finai.create_feature_set('ends', 'edge', 'k', 'at', 'id', '[{"name": "n", "agg": "count", "window": "20 days"}]');
SELECT v.id, v.n, finai.feature_row(NULL::ends, f) IS NOT DISTINCT FROM v AS same FROM ends v JOIN edge f USING (id) ORDER BY id;
SELECT finai.features_at(NULL::ends, 1, '4713-01-03 BC'::timestamp);

-- Where plans are parallel, too: they look at catalogues as of now, which no parallel plan can.
BEGIN;
SELECT set_config(name, 'regress', true) AS mode FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT v.id, finai.feature_row(NULL::ends, f) IS NOT DISTINCT FROM v AS same FROM ends v JOIN edge f USING (id) WHERE id = 1;
SELECT (finai.features_at(NULL::ends, 1, '4713-01-03 BC'::timestamp)).n, (SELECT count(*) FROM finai.describe_feature_set('ends')) AS features;
COMMIT;
-- An entity of another type is cast where nothing is lost.
SELECT (finai.features_at(NULL::ends, e, '4713-01-03 BC'::timestamp)).n FROM (VALUES (1::smallint)) v (e);
SELECT (finai.features_at(NULL::ends, '1', '4713-01-03 BC'::timestamp)).n, (finai.features_at(NULL::ends, 1::bigint, '4713-01-03 BC'::timestamp)).n;
SELECT finai.features_at(NULL::ends, 1.4, '4713-01-03 BC'::timestamp);
SELECT finai.features_at(NULL::ends, true, '4713-01-03 BC'::timestamp);

-- A plan that no view has is refused before anything is made for it, and so is a set that is too wide.
CREATE ROLE regress_anyone; SET ROLE regress_anyone;
SELECT finai._window_features('{"columns":["number"],"features":[{"agg":"sequence","k":1000,"columns":[0' || repeat(',0', 5000000) || ']}]}', true, now(), 1.0::float8);
SELECT finai._window_features('{"columns":["number"],"features":[{"agg":"sequence","k":1000,"columns":[0' || repeat(',0', 50) || ']}]}', true, now(), 1.0::float8);
SELECT finai._window_features('{"columns":["number"],"features":[{"agg":"sequence","k":1001,"columns":[0]}]}', true, now(), 1.0::float8);
SELECT finai._window_features('{"columns":["number"],"features":[{"agg":"count"}' || repeat(',{"agg":"count"}', 500) || ']}', true, now(), 1.0::float8);
SELECT finai._window_features('{"columns":["number"],"features":[{"agg":"count"}' || repeat(',{"agg":"sequence","k":1000,"columns":[0,0,0,0,0,0,0,0,0]}', 10) || ']}', true, now(), 1.0::float8);
SELECT finai._window_features(repeat('[', 1000000), true, now(), 1.0::float8);
SELECT finai._window_features('{"columns":' || repeat('[', 10000), true, now(), 1.0::float8);
RESET ROLE; DROP ROLE regress_anyone;
SELECT finai.create_feature_set('wide', 'edge', 'k', 'at', 'id', (SELECT jsonb_agg(jsonb_build_object('name', 's' || i, 'agg', 'sequence', 'columns', ARRAY['k'], 'k', 1000)) FROM generate_series(1, 51) i));
SELECT finai.create_feature_set('deep', 'edge', 'k', 'at', 'id', (repeat('[', 5000) || repeat(']', 5000))::jsonb);
SELECT finai.create_feature_set('system', 'edge', 'k', 'at', 'id', '[{"name": "ctid", "agg": "count"}]');

-- A set that is made anew has another row type: what was planned before says so.
CREATE FUNCTION known() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (finai.features_at(NULL::ends, 1, '4713-01-03 BC'::timestamp)).n; END $$;
SELECT known();
SELECT finai.drop_feature_set('ends');
SELECT count(*) FROM finai.create_feature_set('ends', 'edge', 'k', 'at', 'id', '[{"name": "n", "agg": "count", "window": "1 day"}]');
SELECT known();
DISCARD PLANS;
SELECT known();
SELECT finai.drop_feature_set('ends'), finai.drop_feature_set('lasts');
DROP FUNCTION known; DROP TABLE edge, seen;

DROP TABLE payments CASCADE;
SELECT finai.drop_feature_set('card_features');
SELECT name FROM finai.feature_set ORDER BY 1;

-- What can be read like a table.
CREATE FUNCTION finai._require_rows(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind "char";
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'parameter "relation" is null' USING ERRCODE = 'null_value_not_allowed', HINT = 'Give relation a value.';
  END IF;
  SELECT c.relkind INTO kind FROM pg_catalog.pg_class c WHERE c.oid = relation;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'relation with OID % does not exist', relation::oid
      USING ERRCODE = 'undefined_table', HINT = 'Name a table or view.';
  END IF;
  IF kind NOT IN ('r', 'v', 'm', 'f', 'p') THEN
    RAISE EXCEPTION '% has no rows to read', relation USING ERRCODE = 'wrong_object_type', HINT = 'Name a table or view.';
  END IF;
  IF NOT has_table_privilege(relation, 'SELECT')
     AND (NOT has_any_column_privilege(relation, 'SELECT')
          OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                     AND NOT has_column_privilege(relation, a.attnum, 'SELECT'))) THEN
    RAISE EXCEPTION 'permission denied for %', relation
      USING ERRCODE = 'insufficient_privilege', HINT = 'The current role needs SELECT on every column; a view can show some of them.';
  END IF;
END
$$;

-- How each column of a relation r is read: as a value that is NULL where it is missing, as a number, as text, as a key.
CREATE FUNCTION finai._profiled_columns(relation regclass)
RETURNS TABLE (name text, type text, base regtype, kind text, present text, number text, value text, key text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.type, k.base, k.kind, p.present,
         CASE k.kind WHEN 'number' THEN n.number
                     WHEN 'time' THEN format('extract(epoch FROM r.%I::%s)::float8', k.name, k.base) END,
         CASE WHEN k.base = 'numeric'::regtype THEN format('trim_scale(%s)::text', p.present)
              WHEN k.kind = 'number' AND k.base IN ('real'::regtype, 'double precision'::regtype) THEN format('(%s + 0::%s)::text', p.present, k.base)
              ELSE format('r.%I::text', k.name) END,
         CASE WHEN k.is_comparable THEN format('r.%I', k.name) ELSE format('r.%I::text', k.name) END
  FROM (SELECT a.attname::text AS name, a.attnum, format_type(a.atttypid, a.atttypmod) AS type, b.base,
               CASE WHEN b.base IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype) THEN 'number'
                    WHEN b.base = 'boolean'::regtype THEN 'boolean'
                    WHEN b.base IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN 'time'
                    WHEN b.base IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) OR b.is_enum THEN 'text' ELSE 'other' END AS kind,
               b.is_comparable
        FROM pg_catalog.pg_attribute a
        CROSS JOIN LATERAL (
          WITH RECURSIVE d AS (SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
                               UNION ALL
                               SELECT t.oid, t.typtype, t.typbasetype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
          SELECT d.oid::regtype AS base, d.typtype = 'e' AS is_enum,
                 d.typtype = 'e' OR d.typtype <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
                                            WHERE o.opcdefault AND (o.opcintype = d.oid OR d.oid = 'varchar'::regtype)) AS is_comparable
          FROM d WHERE d.typtype <> 'd') AS b
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped) AS k
  CROSS JOIN LATERAL (SELECT CASE WHEN k.base IN ('real'::regtype, 'double precision'::regtype, 'numeric'::regtype) THEN format('nullif(r.%I, ''NaN'')', k.name)
                                  ELSE format('r.%I', k.name) END AS present) AS p
  -- A numeric that no double precision number can hold is infinite, or zero.
  CROSS JOIN LATERAL (SELECT CASE WHEN k.base = 'numeric'::regtype THEN
                                    format('CASE WHEN abs(%1$s) < 1e-307 THEN 0 WHEN abs(%1$s) <= 1e308 THEN %1$s::float8 WHEN %1$s > 0 THEN ''Infinity'' WHEN %1$s < 0 THEN ''-Infinity'' END', p.present)
                                  ELSE format('%s::float8', p.present) END AS number) AS n
  ORDER BY k.attnum
$$;
-- A table's columns in figures.
CREATE FUNCTION finai.profile_table(relation regclass)
RETURNS TABLE (column_name text, type text, rows bigint, missing bigint, missing_share double precision, distinct_values bigint,
               minimum text, maximum text, mean double precision, stddev double precision, quantiles jsonb,
               outliers bigint, duplicates bigint, most_frequent jsonb, histogram text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET datestyle = 'ISO, YMD' AS $$
DECLARE
  points CONSTANT text[] := ARRAY['p01', 'p05', 'p25', 'p50', 'p75', 'p95', 'p99'];
  latest CONSTANT double precision := date_part('epoch', '294276-12-31 23:59:59'::timestamp);
  bars CONSTANT text[] := ARRAY['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
  c record;
  summaries text[] := '{}';
  contents text[] := '{}';
  bins text[] := '{}';
  outside text[] := '{}';
  keys text[] := '{}';
  absent text[] := '{}';
  summary jsonb[];
  found jsonb;
  i integer := 0;
  low double precision;
  high double precision;
  reach double precision;
  largest bigint;
BEGIN
  PERFORM finai._require_rows(relation);
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    absent := absent || format('(%s) IS NULL', c.present);
    keys := keys || c.key::text;
    summaries := summaries || CASE c.kind
      WHEN 'number' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text, ''mean'', avg(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''stddev'', stddev_samp(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''low'', min(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''high'', max(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''quantiles'', percentile_cont(''{0.01,0.05,0.25,0.5,0.75,0.95,0.99}''::float8[]) WITHIN GROUP (ORDER BY %2$s) FILTER (WHERE abs(%2$s) < 1e150))', c.present, c.number)
      WHEN 'time' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text, ''low'', min(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''high'', max(%2$s) FILTER (WHERE abs(%2$s) < 1e150), ''quantiles'', percentile_cont(''{0.01,0.05,0.25,0.5,0.75,0.95,0.99}''::float8[]) WITHIN GROUP (ORDER BY %2$s) FILTER (WHERE abs(%2$s) < 1e150))', c.present, c.number)
      WHEN 'boolean' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', bool_and(%1$s)::text, ''maximum'', bool_or(%1$s)::text, ''mean'', avg(%1$s::int)::float8)', c.present)
      WHEN 'text' THEN format('jsonb_build_object(''missing'', count(*) - count(%1$s), ''minimum'', min(%1$s)::text, ''maximum'', max(%1$s)::text)', c.present)
      ELSE format('jsonb_build_object(''missing'', count(*) - count(%1$s))', c.present) END;
  END LOOP;

  -- The table's own line: rows that lack a value somewhere, rows that differ, rows that are there once more.
  column_name := NULL;
  type := NULL;
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE %s), array_remove(ARRAY[%s]::jsonb[], NULL) FROM %s AS r',
                 CASE WHEN absent = '{}' THEN 'false' ELSE array_to_string(absent, ' OR ') END, array_to_string(summaries, ', '), relation)
  INTO rows, missing, summary;
  missing_share := missing::double precision / nullif(rows, 0);
  IF keys = '{}' THEN
    distinct_values := least(rows, 1);
  ELSE
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s AS r GROUP BY %s) AS g', relation, array_to_string(keys, ', ')) INTO distinct_values;
  END IF;
  duplicates := rows - distinct_values;
  RETURN NEXT;
  duplicates := NULL;
  IF keys = '{}' THEN
    RETURN;
  END IF;

  -- Values, bins and outliers of all columns in one scan.
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    i := i + 1;
    low := (summary[i] ->> 'low')::double precision;
    high := (summary[i] ->> 'high')::double precision;
    reach := 1.5 * ((summary[i] -> 'quantiles' ->> 4)::double precision - (summary[i] -> 'quantiles' ->> 2)::double precision);
    contents := contents || c.value::text;
    bins := bins || CASE WHEN low < high THEN format('CASE WHEN abs(%s) < 1e150 THEN least(width_bucket(%1$s, %2$L::float8, %3$L::float8, 10), 10) END', c.number, low, high)
                         ELSE 'NULL' END;
    outside := outside || CASE WHEN c.kind = 'number' THEN format('coalesce(%1$s < %2$L::float8 OR %1$s > %3$L::float8 OR abs(%1$s) = ''Infinity'', false)', c.number,
                                 (summary[i] -> 'quantiles' ->> 2)::double precision - reach, (summary[i] -> 'quantiles' ->> 4)::double precision + reach)
                               ELSE 'NULL' END;
  END LOOP;
  EXECUTE format($query$
    WITH g AS MATERIALIZED (
      SELECT e.i, e.value, e.bin, grouping(e.value) = 0 AS by_value, count(*) AS n, count(*) FILTER (WHERE e.outlier) AS outliers
      FROM (SELECT generate_series(1, %s) AS i, unnest(ARRAY[%s]::text[]) AS value, unnest(ARRAY[%s]::int[]) AS bin, unnest(ARRAY[%s]::bool[]) AS outlier FROM %s AS r) AS e
      GROUP BY GROUPING SETS ((e.i, e.value), (e.i, e.bin)))
    SELECT jsonb_object_agg(a.i, jsonb_build_object('distinct', a.distinct_values, 'outliers', a.outliers, 'bins', a.bins, 'frequent', f.frequent))
    FROM (SELECT g.i, count(g.value) FILTER (WHERE g.by_value) AS distinct_values, sum(g.outliers) FILTER (WHERE NOT g.by_value) AS outliers,
                 jsonb_object_agg(g.bin, g.n) FILTER (WHERE NOT g.by_value AND g.bin IS NOT NULL) AS bins
          FROM g GROUP BY g.i) AS a
    CROSS JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('value', left(t.value, 100), 'count', t.n) ORDER BY t.n DESC, t.value COLLATE "C") AS frequent
      FROM (SELECT g.value, g.n FROM g WHERE g.i = a.i AND g.by_value AND g.value IS NOT NULL ORDER BY g.n DESC, g.value COLLATE "C" LIMIT 10) AS t) AS f$query$,
    i, array_to_string(contents, ', '), array_to_string(bins, ', '), array_to_string(outside, ', '), relation)
  INTO found;

  i := 0;
  FOR c IN SELECT * FROM finai._profiled_columns(relation) LOOP
    i := i + 1;
    column_name := c.name;
    type := c.type;
    missing := (summary[i] ->> 'missing')::bigint;
    missing_share := missing::double precision / nullif(rows, 0);
    distinct_values := coalesce((found -> i::text ->> 'distinct')::bigint, 0);
    minimum := summary[i] ->> 'minimum';
    maximum := summary[i] ->> 'maximum';
    mean := (summary[i] ->> 'mean')::double precision;
    stddev := (summary[i] ->> 'stddev')::double precision;
    quantiles := (SELECT jsonb_object_agg(points[q.place], CASE WHEN c.kind = 'number' THEN q.value
                           WHEN c.base = 'date'::regtype THEN to_jsonb('epoch'::date + floor((q.value #>> '{}')::double precision / 86400)::integer)
                           WHEN c.base = 'timestamptz'::regtype THEN to_jsonb(to_timestamp(least((q.value #>> '{}')::double precision, latest)))
                           ELSE to_jsonb(to_timestamp(least((q.value #>> '{}')::double precision, latest)) AT TIME ZONE 'UTC') END)
                  FROM jsonb_array_elements(nullif(summary[i] -> 'quantiles', 'null')) WITH ORDINALITY AS q (value, place));
    outliers := CASE WHEN c.kind = 'number' THEN coalesce((found -> i::text ->> 'outliers')::bigint, 0) END;
    most_frequent := (SELECT jsonb_agg(f.value ORDER BY f.place)
                      FROM jsonb_array_elements(nullif(found -> i::text -> 'frequent', 'null')) WITH ORDINALITY AS f (value, place) WHERE f.place <= 5);
    histogram := NULL;
    IF nullif(found -> i::text -> 'bins', 'null') IS NOT NULL THEN
      largest := (SELECT max(b.value::bigint) FROM jsonb_each_text(found -> i::text -> 'bins') AS b);
      histogram := (SELECT string_agg(coalesce(bars[1 + 7 * (found -> i::text -> 'bins' ->> b.bin::text)::bigint / largest], '·'), '' ORDER BY b.bin)
                    FROM generate_series(1, 10) AS b (bin));
    ELSIF c.kind IN ('boolean', 'text') OR summary[i] ->> 'low' IS NOT NULL THEN
      largest := (found -> i::text -> 'frequent' -> 0 ->> 'count')::bigint;
      histogram := (SELECT string_agg(bars[1 + 7 * (f.value ->> 'count')::bigint / largest], '' ORDER BY f.place)
                    FROM jsonb_array_elements(nullif(found -> i::text -> 'frequent', 'null')) WITH ORDINALITY AS f (value, place));
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION finai.profile_table(regclass) IS
'Describes a table or view: first a line with column_name NULL for whole rows
(missing: rows that lack some value, distinct_values: rows that differ, duplicates: rows less those),
then one line a column. Missing is NULL, and NaN in number columns. minimum and maximum are as text.
mean, stddev (of the sample), quantiles (p01 to p99, linear interpolation) and histogram are of values below
1e150 in size; infinite ones count as outliers, as do numbers outside Tukey''s fences (more than 1.5
interquartile ranges below p25 or above p75). The mean of a boolean column is its share of true.
most_frequent has five values, as text of at most 100 characters, with counts.
histogram: ten bins of equal width from the smallest to the largest value, · for an empty one;
  for text, enum and boolean columns the ten most frequent values.
What makes no sense for a type is NULL; types that cannot be compared are compared as text.
Reads the table three times, as the caller, who needs SELECT on every column (42501).
Errors: 42P01 no such relation, 42809 not a table or view.';

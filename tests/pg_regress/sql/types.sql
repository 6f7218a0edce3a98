-- Which column types supply which features, and what their values become.
\set regression `base64 -w0 engine/tests/fixtures/german_gbr.onnx`
SELECT finai.register_model('amount', decode(:'regression', 'base64'));
SELECT finai.promote_model('amount', 1);
CREATE FUNCTION amount_of(kind text, value text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE result float8;
BEGIN
  EXECUTE format($q$ SELECT finai.score('amount', r) FROM (SELECT %L::%s AS duration_in_month, 2 AS installment_rate_in_percentage_of_disposable_income,
    3 AS present_residence_since, 1 AS number_of_existing_credits_at_this_bank,
    1 AS number_of_people_being_liable_to_provide_maintenance_for) r $q$, value, kind) INTO result;
  RETURN result;
END $$;
-- The same number in every type is the same score.
SELECT kind, amount_of(kind, '24') = amount_of('float8', '24') AS same
FROM unnest(ARRAY['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'numeric(10,2)']) kind;
CREATE DOMAIN months AS int CHECK (value > 0);
SELECT amount_of('months', '24') = amount_of('float8', '24') AS domain;
-- Dates are days and timestamps seconds since 1970-01-01; a boolean is 0 or 1.
SELECT amount_of('date', '1970-01-25') = amount_of('float8', '24') AS date,
       amount_of('date', 'infinity') = amount_of('float8', 'infinity') AS infinite_date,
       amount_of('timestamp', '1970-01-01 00:00:24') = amount_of('float8', '24') AS "timestamp",
       amount_of('timestamptz', '1970-01-01 00:00:24+00') = amount_of('float8', '24') AS timestamptz,
       amount_of('timestamp', '-infinity') = amount_of('float8', '-infinity') AS infinite_timestamp,
       amount_of('boolean', 'true') = amount_of('float8', '1') AS "boolean";
-- Numbers that only numeric can hold are infinite as a float.
SELECT amount_of('numeric', repeat('9', 1000)) = amount_of('float8', 'infinity') AS huge,
       amount_of('int8', '9007199254740993') = amount_of('numeric', '9007199254740993') AS int8;
-- Other types cannot supply a number.
\set VERBOSITY sqlstate
SELECT amount_of('text', '24');
SELECT amount_of('interval', '24 days');
SELECT amount_of('int[]', '{24}');
SELECT amount_of('jsonb', '24');
\set VERBOSITY default

-- Text features take text, varchar, char(n), enums and domains over them.
\set ECHO none
\i demo/credit.sql
\set ECHO all
CREATE TYPE housing AS ENUM ('own', 'rent', 'for free');
CREATE DOMAIN purpose AS varchar(60);
CREATE TABLE typed AS SELECT * FROM demo.applications;
ALTER TABLE typed ALTER housing TYPE housing USING housing::housing, ALTER job TYPE char(80), ALTER purpose TYPE purpose, ALTER property TYPE varchar(80);
SELECT count(*) FROM typed t JOIN demo.applications a USING (id) WHERE finai.default_prob(t) <> finai.default_prob(a);
-- Values too long to stay in the row.
ALTER TABLE typed ADD note text;
ALTER TABLE typed ALTER note SET STORAGE EXTERNAL;
UPDATE typed SET note = repeat('toast', 10000);
SELECT count(*) FROM typed t JOIN demo.applications a USING (id) WHERE finai.default_prob(t) <> finai.default_prob(a);
-- A database in another encoding is refused.
CREATE DATABASE regress_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\c regress_latin1
CREATE EXTENSION finai;
\c postgres
DROP DATABASE regress_latin1;

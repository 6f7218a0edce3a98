-- Guards: a table's rows scored as they are written.
CREATE TABLE finai.guard (
  name         text COLLATE "C" NOT NULL CONSTRAINT guard_pkey PRIMARY KEY
               CONSTRAINT guard_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  relation     text NOT NULL,
  relation_oid oid,
  model        text COLLATE "C" NOT NULL,
  features     text COLLATE "C",
  threshold    double precision NOT NULL
               CONSTRAINT guard_threshold_check CHECK (threshold OPERATOR(pg_catalog.>) '-Infinity' AND threshold OPERATOR(pg_catalog.<) 'Infinity'),
  action       text COLLATE "C" NOT NULL
               CONSTRAINT guard_action_check CHECK (action OPERATOR(pg_catalog.=) ANY (ARRAY['review', 'notify', 'reject', 'flag', 'hold', 'off'])),
  score_column name,
  flag_column  name,
  watch        text[] NOT NULL DEFAULT '{}',
  on_error     text COLLATE "C" NOT NULL DEFAULT 'open'
               CONSTRAINT guard_on_error_check CHECK (on_error OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'closed'])),
  budget_ms    integer CONSTRAINT guard_budget_ms_check CHECK (budget_ms OPERATOR(pg_catalog.>) 0),
  created_by   name NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.guard IS 'One row per guard: what it scores, when it speaks up and what it does then. Its triggers carry its name.';
COMMENT ON COLUMN finai.guard.relation IS 'The table, with its schema; the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.guard.budget_ms IS 'Milliseconds that scoring the rows of one statement may take.';

-- Tables are stored by name and found again by oid, so that a dump restored elsewhere keeps guards and alerts.
CREATE FUNCTION finai._relation_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text[] := parse_ident(NEW.relation);
BEGIN
  NEW.relation_oid := (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = part[1] AND c.relname = part[2]);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION finai._relation_oid() IS 'Finds the oid of the table that a guard or an alert names.';
CREATE TRIGGER guard_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.guard FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_relation_oid;
CREATE TRIGGER guard_no_truncate BEFORE TRUNCATE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_no_truncate;
CREATE TRIGGER guard_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.guard FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.guard ENABLE ALWAYS TRIGGER guard_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.guard', '');

-- Alerts: rows that a guard spoke up about, or could not score.
CREATE TABLE finai.alert (
  id           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_pkey PRIMARY KEY,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  created_by   name NOT NULL,
  guard        text COLLATE "C" NOT NULL,
  relation     text NOT NULL,
  relation_oid oid,
  action       text COLLATE "C" NOT NULL,
  key          jsonb NOT NULL,
  model        text COLLATE "C",
  version      integer,
  threshold    double precision,
  score        double precision,
  features     jsonb,
  reasons      jsonb,
  error        text,
  held         json,
  status       text COLLATE "C" NOT NULL
               CONSTRAINT alert_status_check CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'held', 'unscored', 'released', 'resolved'])),
  outcome      text COLLATE "C"
               CONSTRAINT alert_outcome_check CHECK (outcome OPERATOR(pg_catalog.=) ANY (ARRAY['confirmed', 'dismissed', 'unclear'])),
  note         text,
  resolved_by  name,
  resolved_at  timestamptz,
  released_by  name,
  released_at  timestamptz
);
COMMENT ON TABLE finai.alert IS 'Rows that a guard spoke up about (open), kept back (held), let through unscored (unscored), and what became of them.';
COMMENT ON COLUMN finai.alert.created_by IS 'Role that wrote the row.';
COMMENT ON COLUMN finai.alert.relation IS 'The guarded table; the oid beside it, which says who may see the alert, is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.alert.key IS 'The row''s primary key, else the columns of a unique index without NULLs, else the whole row, as PostgreSQL writes the values.';
COMMENT ON COLUMN finai.alert.model IS 'The model as the guard names it; version is the one that scored.';
COMMENT ON COLUMN finai.alert.features IS 'What the model got.';
COMMENT ON COLUMN finai.alert.error IS 'SQLSTATE and message of what kept the row from being scored.';
COMMENT ON COLUMN finai.alert.held IS 'The row that is kept back, whole, as PostgreSQL writes its values.';
COMMENT ON COLUMN finai.alert.outcome IS 'What a reviewer found: confirmed, dismissed or unclear; as a label, true, false and NULL.';
CREATE TRIGGER alert_relation_oid BEFORE INSERT OR UPDATE OF relation ON finai.alert FOR EACH ROW EXECUTE FUNCTION finai._relation_oid();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_relation_oid;
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_no_truncate;
CREATE TRIGGER alert_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.alert', '');
SELECT pg_catalog.pg_extension_config_dump('finai.alert_id_seq', '');

-- Who may read the whole table, with no row of it kept from them, may see its alerts.
ALTER TABLE finai.alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY alert_reviewers ON finai.alert FOR SELECT
  USING (pg_catalog.has_table_privilege(relation_oid, 'SELECT') AND NOT pg_catalog.row_security_active(relation_oid));
COMMENT ON POLICY alert_reviewers ON finai.alert IS 'Alerts are seen by roles with SELECT on the whole table, where no row-level security is in force on it for them.';

COMMENT ON FUNCTION finai._guard() IS 'What the triggers of guards run. Their argument is the guard''s name.';
COMMENT ON FUNCTION finai.create_guard(regclass, text, double precision, text, text, text, text, text[], text, integer, text) IS
  'Guards a table and returns the guard''s name.';
COMMENT ON FUNCTION finai.alter_guard(text, double precision, text, text, integer) IS 'Alters a guard.';
COMMENT ON FUNCTION finai.drop_guard(text) IS 'Drops a guard.';

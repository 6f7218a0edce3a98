-- Guards: a table's rows scored as they are written.
CREATE TABLE finai.guard (
  name         text COLLATE "C" NOT NULL CONSTRAINT guard_pkey PRIMARY KEY
               CONSTRAINT guard_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  relation     text NOT NULL,
  model        text COLLATE "C" NOT NULL,
  features     text COLLATE "C",
  threshold    double precision NOT NULL
               CONSTRAINT guard_threshold_check CHECK (threshold OPERATOR(pg_catalog.>) '-Infinity' AND threshold OPERATOR(pg_catalog.<) 'Infinity'),
  action       text COLLATE "C" NOT NULL
               CONSTRAINT guard_action_check CHECK (action OPERATOR(pg_catalog.=) ANY (ARRAY['review', 'notify', 'reject', 'flag', 'hold', 'off'])),
  score_column name,
  flag_column  name,
  watch        name[] NOT NULL DEFAULT '{}',
  on_error     text COLLATE "C" NOT NULL DEFAULT 'open'
               CONSTRAINT guard_on_error_check CHECK (on_error OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'closed'])),
  budget_ms    integer CONSTRAINT guard_budget_ms_check CHECK (budget_ms OPERATOR(pg_catalog.>) 0),
  created_by   name NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.guard IS 'One row per guard: what it scores, when it speaks up and what it does then. Its triggers carry its name.';
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
  model        text COLLATE "C" NOT NULL,
  version      integer,
  threshold    double precision NOT NULL,
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
  resolved_at  timestamptz
);
COMMENT ON TABLE finai.alert IS 'Rows that a guard spoke up about (open), kept back (held), let through unscored (unscored), and what became of them.';
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_no_truncate;
CREATE TRIGGER alert_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.alert FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.alert ENABLE ALWAYS TRIGGER alert_strangers;
SELECT pg_catalog.pg_extension_config_dump('finai.alert', '');
SELECT pg_catalog.pg_extension_config_dump('finai.alert_id_seq', '');

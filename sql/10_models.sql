-- Refuse a schema that somebody else prepared: planted objects would become part of the installation.
DO $$
BEGIN
  IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
    RAISE EXCEPTION 'encoding "%" of this database is not supported', pg_catalog.getdatabaseencoding()
      USING ERRCODE = 'feature_not_supported',
            HINT = 'ONNX text is UTF-8: create the extension in a database with ENCODING ''UTF8''.';
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
             WHERE n.nspname OPERATOR(pg_catalog.=) 'finai' AND NOT r.rolsuper)
     OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace)
     OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace)
     OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace)
     OR EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oprnamespace OPERATOR(pg_catalog.=) 'finai'::pg_catalog.regnamespace)
  THEN
    RAISE EXCEPTION 'schema "finai" exists and is not an empty schema of a superuser'
      USING ERRCODE = 'duplicate_schema',
            HINT = 'Drop or rename the schema, then run CREATE EXTENSION finai again.';
  END IF;
END
$$;

-- Models: one row per name that a user registered or changed. Bundled models live in the library and have a row only once changed.
CREATE TABLE finai.model (
  name         text COLLATE "C" NOT NULL CONSTRAINT model_pkey PRIMARY KEY
               CONSTRAINT model_name_check CHECK (name OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  owner        name NOT NULL,
  owner_oid    oid,
  next_version integer NOT NULL DEFAULT 1,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now(),
  use_case     text,
  tolerance    double precision CONSTRAINT model_tolerance_check CHECK (tolerance OPERATOR(pg_catalog.>=) 0 AND tolerance OPERATOR(pg_catalog.<) 'Infinity'),
  two_person   boolean NOT NULL DEFAULT false,
  on_schema_change text NOT NULL DEFAULT 'refuse'
               CONSTRAINT model_on_schema_change_check CHECK (on_schema_change OPERATOR(pg_catalog.=) ANY (ARRAY['refuse', 'mark']))
);
COMMENT ON TABLE finai.model IS 'One row per registered model with its settings. Versions are numbered from next_version and never reused.';
COMMENT ON COLUMN finai.model.owner IS 'Role that registered it; the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.model.tolerance IS 'Tolerance of reference rows where a registration names none; 1e-5 where neither does.';
COMMENT ON COLUMN finai.model.two_person IS 'Whether who registered a version may not promote it, superusers included.';
COMMENT ON COLUMN finai.model.on_schema_change IS
'What happens when DDL takes away a column that a promoted version reads through a typed scoring function:
refuse the DDL, or mark the version.';

-- Model bytes: stored once per content, readable by the owner alone.
CREATE TABLE finai.model_blob (
  sha256 bytea NOT NULL CONSTRAINT model_blob_pkey PRIMARY KEY,
  onnx   bytea NOT NULL,
  CONSTRAINT model_blob_sha256_check CHECK (sha256 OPERATOR(pg_catalog.=) pg_catalog.sha256(onnx))
);
ALTER TABLE finai.model_blob ALTER COLUMN onnx SET STORAGE EXTERNAL;
COMMENT ON TABLE finai.model_blob IS 'ONNX bytes by their sha256. The same bytes registered twice are stored once.';

-- Versions: immutable facts about one registration.
CREATE TABLE finai.model_version (
  model         text COLLATE "C" NOT NULL
                CONSTRAINT model_version_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  version       integer NOT NULL CONSTRAINT model_version_version_check CHECK (version OPERATOR(pg_catalog.>) 0),
  sha256        bytea NOT NULL CONSTRAINT model_version_sha256_fkey REFERENCES finai.model_blob (sha256),
  declaration   json NOT NULL,
  signature     jsonb NOT NULL,
  notes         text,
  registered_by name NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  registered_session name,
  reference     jsonb,
  tolerance     double precision,
  registered_session_oid oid,
  CONSTRAINT model_version_pkey PRIMARY KEY (model, version)
);
COMMENT ON TABLE finai.model_version IS 'One row per registered version: its bytes, what was declared at registration, and the signature read from it.';
COMMENT ON COLUMN finai.model_version.declaration IS 'What register_model was told beyond the file: features, task, labels, missing, output.';
COMMENT ON COLUMN finai.model_version.signature IS 'Inputs, features, task and labels as finai reads them.';
COMMENT ON COLUMN finai.model_version.registered_session IS
'Role that the session was authenticated as at registration, whom the two-person rule keeps from promoting it;
the oid beside it is found anew when rows are restored elsewhere.';
COMMENT ON COLUMN finai.model_version.reference IS 'Rows with the trainer''s own scores, which the version reproduced within the tolerance when it was registered.';
COMMENT ON COLUMN finai.model_version.tolerance IS 'Largest accepted |score - reference| / max(1, |reference|) of a reference row.';

-- Versions that are not as they were registered; bundled ones too.
CREATE TABLE finai.model_status (
  model      text COLLATE "C" NOT NULL
             CONSTRAINT model_status_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  version    integer NOT NULL,
  status     text COLLATE "C" NOT NULL CONSTRAINT model_status_status_check CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['retired', 'failed', 'broken'])),
  detail     text,
  changed_by name NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT model_status_pkey PRIMARY KEY (model, version)
);
COMMENT ON TABLE finai.model_status IS
'Versions that are retired (not scored any more), failed (reference rows no longer agree) or broken (a column
that they read is gone). A version without a row is verified.';

-- Aliases: which version a name means, as of each statement's snapshot.
CREATE TABLE finai.model_alias (
  model   text COLLATE "C" NOT NULL
          CONSTRAINT model_alias_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  alias   text COLLATE "C" NOT NULL
          CONSTRAINT model_alias_alias_check CHECK (alias OPERATOR(pg_catalog.~) '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  version integer NOT NULL,
  previous integer[] NOT NULL DEFAULT '{}',
  CONSTRAINT model_alias_pkey PRIMARY KEY (model, alias)
);
COMMENT ON TABLE finai.model_alias IS 'The version that an alias means; champion is the one that a bare model name scores with.';
COMMENT ON COLUMN finai.model_alias.previous IS 'Versions that the alias meant before, the last one last: what rollback_model goes back to.';

-- Grants on models; the grantee PUBLIC is stored as -.
CREATE TABLE finai.model_grant (
  model       text COLLATE "C" NOT NULL
              CONSTRAINT model_grant_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  grantee     name NOT NULL,
  grantee_oid oid,
  privilege   text COLLATE "C" NOT NULL
              CONSTRAINT model_grant_privilege_check CHECK (privilege OPERATOR(pg_catalog.=) ANY (ARRAY['USE', 'EXPLAIN', 'READ', 'PROMOTE'])),
  CONSTRAINT model_grant_pkey PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE finai.model_grant IS
'Privileges on models: USE to score and describe, PROMOTE to move aliases.
The owner and superusers hold all of them.';

-- What happened to models, append-only.
CREATE TABLE finai.model_event (
  id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT model_event_pkey PRIMARY KEY,
  happened_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  happened_by name NOT NULL,
  model       text COLLATE "C" NOT NULL,
  event       text COLLATE "C" NOT NULL,
  version     integer,
  detail      jsonb,
  happened_session name,
  reason      text
);
CREATE INDEX model_event_model_idx ON finai.model_event (model, version);
COMMENT ON TABLE finai.model_event IS 'Append-only history of every change of a model: who (current and session role), when, what and why.';

-- Roles are stored by name and found again by oid, so that a dump restored elsewhere keeps grants to roles that exist there.
CREATE FUNCTION finai._model_owner_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.owner_oid := (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = NEW.owner);
  RETURN NEW;
END
$$;
CREATE TRIGGER model_owner_oid BEFORE INSERT OR UPDATE OF owner ON finai.model
  FOR EACH ROW EXECUTE FUNCTION finai._model_owner_oid();
ALTER TABLE finai.model ENABLE ALWAYS TRIGGER model_owner_oid;

CREATE FUNCTION finai._model_version_session_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.registered_session_oid := (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = NEW.registered_session);
  RETURN NEW;
END
$$;
CREATE TRIGGER model_version_session_oid BEFORE INSERT ON finai.model_version
  FOR EACH ROW EXECUTE FUNCTION finai._model_version_session_oid();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_session_oid;

CREATE FUNCTION finai._model_grantee_oid() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.grantee_oid := (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = NEW.grantee AND NEW.grantee <> '-');
  RETURN NEW;
END
$$;
CREATE TRIGGER model_grantee_oid BEFORE INSERT OR UPDATE OF grantee ON finai.model_grant
  FOR EACH ROW EXECUTE FUNCTION finai._model_grantee_oid();
ALTER TABLE finai.model_grant ENABLE ALWAYS TRIGGER model_grantee_oid;

-- Histories and versions do not change, whoever asks.
CREATE FUNCTION finai._refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'table "%" is append-only', TG_TABLE_NAME
    USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'Rows of this table are history; add, never change.';
END
$$;
CREATE TRIGGER model_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON finai.model_event
  FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_change();
ALTER TABLE finai.model_event ENABLE ALWAYS TRIGGER model_event_append_only;
CREATE TRIGGER model_version_immutable
  BEFORE UPDATE OF version, sha256, declaration, signature, notes, registered_by, registered_at, reference, tolerance, registered_session_oid
  ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_change();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_immutable;

-- A table that is emptied under a running statement would change its version: TRUNCATE does not wait for snapshots.
CREATE FUNCTION finai._refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
    USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'The functions of schema finai remove rows of this table; DROP EXTENSION finai removes all.';
END
$$;
CREATE TRIGGER model_no_truncate BEFORE TRUNCATE ON finai.model FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model ENABLE ALWAYS TRIGGER model_no_truncate;
CREATE TRIGGER model_blob_no_truncate BEFORE TRUNCATE ON finai.model_blob FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_blob ENABLE ALWAYS TRIGGER model_blob_no_truncate;
CREATE TRIGGER model_version_no_truncate BEFORE TRUNCATE ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_no_truncate;
CREATE TRIGGER model_status_no_truncate BEFORE TRUNCATE ON finai.model_status FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_status ENABLE ALWAYS TRIGGER model_status_no_truncate;
CREATE TRIGGER model_alias_no_truncate BEFORE TRUNCATE ON finai.model_alias FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_alias ENABLE ALWAYS TRIGGER model_alias_no_truncate;
CREATE TRIGGER model_grant_no_truncate BEFORE TRUNCATE ON finai.model_grant FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_truncate();
ALTER TABLE finai.model_grant ENABLE ALWAYS TRIGGER model_grant_no_truncate;

-- Roles with pg_write_all_data could write here without a privilege: only the tables' owner does, for whom functions act.
CREATE FUNCTION finai._refuse_strangers() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
    RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'This table is changed by the functions of schema finai.';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER model_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model ENABLE ALWAYS TRIGGER model_strangers;
CREATE TRIGGER model_blob_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_blob FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_blob ENABLE ALWAYS TRIGGER model_blob_strangers;
CREATE TRIGGER model_version_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_version FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_strangers;
CREATE TRIGGER model_status_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_status FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_status ENABLE ALWAYS TRIGGER model_status_strangers;
CREATE TRIGGER model_alias_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_alias FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_alias ENABLE ALWAYS TRIGGER model_alias_strangers;
CREATE TRIGGER model_grant_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_grant FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_grant ENABLE ALWAYS TRIGGER model_grant_strangers;
CREATE TRIGGER model_event_strangers BEFORE INSERT OR UPDATE OR DELETE ON finai.model_event FOR EACH STATEMENT EXECUTE FUNCTION finai._refuse_strangers();
ALTER TABLE finai.model_event ENABLE ALWAYS TRIGGER model_event_strangers;

-- An alias never means a version that is gone; a foreign key cannot say so, because bundled versions are no rows.
CREATE FUNCTION finai._refuse_delete_of_promoted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM finai.model_alias a
             WHERE a.model = OLD.model AND (a.version = OLD.version OR OLD.version = ANY (a.previous))) THEN
    RAISE EXCEPTION 'version % of model "%" is promoted', OLD.version, OLD.model
      USING ERRCODE = 'dependent_objects_still_exist',
            HINT = format('finai.drop_model(%L) removes the model; a version that no alias means any more can be retired with finai.retire_model.', OLD.model);
  END IF;
  RETURN OLD;
END
$$;
CREATE TRIGGER model_version_promoted BEFORE DELETE ON finai.model_version
  FOR EACH ROW EXECUTE FUNCTION finai._refuse_delete_of_promoted();
ALTER TABLE finai.model_version ENABLE ALWAYS TRIGGER model_version_promoted;

SELECT pg_catalog.pg_extension_config_dump('finai.model', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_blob', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_version', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_status', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_alias', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_grant', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_event', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_event_id_seq', '');

-- What predict returns.
CREATE TYPE finai.prediction AS (
  score   double precision,
  label   text,
  model   text,
  version integer
);
COMMENT ON TYPE finai.prediction IS 'A score with its label and the model version that gave it.';

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
               CONSTRAINT model_name_check CHECK (name ~ '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  owner        name NOT NULL,
  owner_oid    oid,
  next_version integer NOT NULL DEFAULT 1,
  created_at   timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE finai.model IS 'One row per registered model. Versions are numbered from next_version and never reused.';
COMMENT ON COLUMN finai.model.owner IS 'Role that registered it; the oid beside it is found anew when rows are restored elsewhere.';

-- Model bytes: stored once per content, readable by the owner alone.
CREATE TABLE finai.model_blob (
  sha256 bytea NOT NULL CONSTRAINT model_blob_pkey PRIMARY KEY,
  onnx   bytea NOT NULL
);
ALTER TABLE finai.model_blob ALTER COLUMN onnx SET STORAGE EXTERNAL;
COMMENT ON TABLE finai.model_blob IS 'ONNX bytes by their sha256. The same bytes registered twice are stored once.';

-- Versions: immutable facts about one registration.
CREATE TABLE finai.model_version (
  model         text COLLATE "C" NOT NULL
                CONSTRAINT model_version_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  version       integer NOT NULL CONSTRAINT model_version_version_check CHECK (version > 0),
  sha256        bytea NOT NULL CONSTRAINT model_version_sha256_fkey REFERENCES finai.model_blob (sha256),
  declaration   json NOT NULL,
  signature     jsonb NOT NULL,
  notes         text,
  registered_by name NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT model_version_pkey PRIMARY KEY (model, version)
);
COMMENT ON TABLE finai.model_version IS 'One row per registered version: its bytes, what was declared at registration, and the signature read from it.';
COMMENT ON COLUMN finai.model_version.declaration IS 'What register_model was told beyond the file: features, task, labels, missing, output.';
COMMENT ON COLUMN finai.model_version.signature IS 'Inputs, features, task and labels as finai reads them.';

-- Aliases: which version a name means, as of each statement's snapshot.
CREATE TABLE finai.model_alias (
  model   text COLLATE "C" NOT NULL
          CONSTRAINT model_alias_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  alias   text COLLATE "C" NOT NULL
          CONSTRAINT model_alias_alias_check CHECK (alias ~ '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'),
  version integer NOT NULL,
  CONSTRAINT model_alias_pkey PRIMARY KEY (model, alias)
);
COMMENT ON TABLE finai.model_alias IS 'The version that an alias means; champion is the one that a bare model name scores with.';

-- Grants on models; the grantee PUBLIC is stored as -.
CREATE TABLE finai.model_grant (
  model       text COLLATE "C" NOT NULL
              CONSTRAINT model_grant_model_fkey REFERENCES finai.model (name) ON UPDATE CASCADE ON DELETE CASCADE,
  grantee     name NOT NULL,
  grantee_oid oid,
  privilege   text COLLATE "C" NOT NULL
              CONSTRAINT model_grant_privilege_check CHECK (privilege IN ('USE', 'EXPLAIN', 'READ', 'PROMOTE')),
  CONSTRAINT model_grant_pkey PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE finai.model_grant IS 'Privileges on models: USE to score and describe, PROMOTE to move aliases. The owner and superusers hold all of them.';

-- What happened to models, append-only.
CREATE TABLE finai.model_event (
  id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT model_event_pkey PRIMARY KEY,
  happened_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  happened_by name NOT NULL,
  model       text COLLATE "C" NOT NULL,
  event       text COLLATE "C" NOT NULL,
  version     integer,
  detail      jsonb
);
COMMENT ON TABLE finai.model_event IS 'Append-only history: registrations, promotions and grants, with who and when.';

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

SELECT pg_catalog.pg_extension_config_dump('finai.model', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_blob', '');
SELECT pg_catalog.pg_extension_config_dump('finai.model_version', '');
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

-- The inventory: every version that can be scored, bundled ones included.
CREATE VIEW finai.models AS
WITH version AS (
  SELECT v.model, v.version, v.signature OPERATOR(pg_catalog.->>) 'task' AS task, pg_catalog.pg_get_userbyid(m.owner_oid)::pg_catalog.text AS owner, false AS bundled,
         pg_catalog.encode(v.sha256, 'hex') AS sha256, v.notes, v.registered_by::pg_catalog.text AS registered_by, v.registered_at, m.use_case
  FROM finai.model_version v
  JOIN finai.model m ON m.name OPERATOR(pg_catalog.=) v.model
  UNION ALL
  SELECT b.model, b.version, b.task, pg_catalog.pg_get_userbyid(m.owner_oid)::pg_catalog.text, true, b.sha256, b.notes, NULL, NULL, m.use_case
  FROM finai._bundled_models() b
  LEFT JOIN finai.model m ON m.name OPERATOR(pg_catalog.=) b.model
)
SELECT v.model, v.version,
       ARRAY(SELECT a.alias FROM finai.model_alias a
             WHERE a.model OPERATOR(pg_catalog.=) v.model AND a.version OPERATOR(pg_catalog.=) v.version
             UNION ALL
             SELECT 'champion'
             WHERE v.bundled AND COALESCE(s.status, '') OPERATOR(pg_catalog.<>) 'retired' AND NOT EXISTS (
               SELECT FROM finai.model_alias a
               WHERE a.model OPERATOR(pg_catalog.=) v.model AND a.alias OPERATOR(pg_catalog.=) 'champion')
             ORDER BY 1) AS aliases,
       v.task, v.owner, v.bundled, v.sha256, v.notes, v.registered_by, v.registered_at,
       COALESCE(s.status, 'verified') AS status, v.use_case, t.last_scored
FROM version v
LEFT JOIN finai.model_status s ON s.model OPERATOR(pg_catalog.=) v.model AND s.version OPERATOR(pg_catalog.=) v.version
LEFT JOIN finai._model_statistics() t ON t.model OPERATOR(pg_catalog.=) v.model AND t.version OPERATOR(pg_catalog.=) v.version
ORDER BY v.model, v.version;
COMMENT ON VIEW finai.models IS
'Every version of every model: its aliases (champion is what a bare name scores with), task, owner,
sha256 of its bytes, who registered it, its status (verified; failed: reference rows no longer agree; broken:
a column it reads is gone; retired: not scored any more), the model''s use case,
and when it was last scored (by whom, finai.stat_models.scope says).
A bundled model that nobody changed has no owner.';
COMMENT ON COLUMN finai.models.model IS 'The model''s name.';
COMMENT ON COLUMN finai.models.version IS 'Its number; a model''s versions count from 1.';
COMMENT ON COLUMN finai.models.aliases IS 'Aliases that mean this version; champion is what a bare name scores with.';
COMMENT ON COLUMN finai.models.task IS 'binary, multiclass, regression or vector.';
COMMENT ON COLUMN finai.models.owner IS 'Who owns the model; NULL for a bundled one that nobody changed.';
COMMENT ON COLUMN finai.models.bundled IS 'Whether it came with the extension.';
COMMENT ON COLUMN finai.models.sha256 IS 'Of the ONNX file''s bytes, in hexadecimal.';
COMMENT ON COLUMN finai.models.notes IS 'As finai.register_model was told.';
COMMENT ON COLUMN finai.models.registered_by IS 'Role that registered the version; NULL for bundled ones.';
COMMENT ON COLUMN finai.models.registered_at IS 'When it was registered; NULL for bundled ones.';
COMMENT ON COLUMN finai.models.status IS
'verified, failed (reference rows no longer agree), broken (a column it reads is gone) or retired (not scored
any more).';
COMMENT ON COLUMN finai.models.use_case IS 'What the model is for, as finai.alter_model or finai.register_model was told.';
COMMENT ON COLUMN finai.models.last_scored IS 'When the version was scored last; by whom, finai.stat_models.scope says.';

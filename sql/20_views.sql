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
  'Every version of every model: its aliases (champion is what a bare name scores with), task, owner, sha256 of its bytes, who registered it, its status (verified; failed: reference rows no longer agree; broken: a column it reads is gone; retired: not scored any more), the model''s use case, and when it was last scored (by whom, finai.stat_models.scope says). A bundled model that nobody changed has no owner.';

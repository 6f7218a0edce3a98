COMMENT ON FUNCTION finai.register_model(text, bytea, text[], text, text[], jsonb, text, jsonb, double precision, text) IS
'Registers the bytes of an ONNX file as the next version of a model and returns its number; promote_model makes
it live.
features: column names in the order of the model''s inputs, where the file does not name them.
task: binary, multiclass, regression or vector (several values, no single score),
  where the outputs leave it open.
labels: class labels in the order of the probabilities.
missing: JSON object feature -> "native" (NULL goes into the model as NaN), "error",
  or a constant that replaces NULL.
output: the label whose probability is the score, or, of several outputs with numbers,
  the name of the one to use.
reference: JSON array of at most 10,000 rows {"row": {feature: value}, "score": number, "label": text,
  "probabilities": {label: number}, "values": [number]}, the trainer''s own answers,
  of which each row has at least one: they are scored at once and stored with the version.
tolerance: largest accepted |score - reference| / max(1, |reference|), else the model''s (alter_model),
  else 1e-5.
Errors: 22P03 not ONNX, 54000 over a limit, 0A000 an operator that is not supported,
  22023 an inconsistent model or declaration, or reference rows that disagree (the worst are in the detail),
  42501 the name belongs to another role.
Nothing is stored on error.';
COMMENT ON FUNCTION finai.promote_model(text, integer, text, text) IS
'Makes an alias of a model (champion: what a bare name scores with) mean a version.
Takes effect for others exactly at COMMIT. Needs ownership of the model or PROMOTE on it.
Errors: 55000 a version that is retired or failed verification, 42501 the session user registered it and the
  model has the two-person rule, 2BP01 a typed scoring function over it would find columns missing.
The reason goes into the history.';
COMMENT ON FUNCTION finai.rollback_model(text, text, text) IS
'Makes an alias mean what it meant before its last promotion and returns that version; called again,
it goes back further, up to a hundred promotions. Versions that were retired or failed since are passed over.
Needs ownership of the model or PROMOTE on it.
Errors: 55000 nothing to go back to, 2BP01 a typed scoring function over it would find columns missing.';
COMMENT ON FUNCTION finai.drop_alias(text, text, text) IS
'Removes an alias of a model.
Without its champion a model is called by number or other alias; a bundled model''s champion is the bundled
version again. Needs ownership of the model or PROMOTE on it.
Errors: 42704 no such alias, 2BP01 a typed scoring function over the bundled version would find columns
  missing.';
COMMENT ON FUNCTION finai.retire_model(text, integer, text) IS
'Keeps a version from being scored and promoted, for good; it stays in the inventory.
Needs ownership of the model.
Errors: 55000 an alias means it, 2BP01 a generated column, index or constraint calls score_version on it.';
COMMENT ON FUNCTION finai.drop_model(text, text) IS
'Removes a model with its versions, aliases, grants and settings, and bytes that no other model has; its
history stays, and its version numbers are not given again to a model of that name.
A bundled model becomes what it was at CREATE EXTENSION.
Needs ownership of the model, and under the two-person rule an administrator who registered none of its
versions.
Errors: 2BP01 a stored expression or typed scoring function refers to it, 55000 a bundled model that nobody
  changed.';
COMMENT ON FUNCTION finai.rename_model(text, text, text) IS
'Gives a model another name; versions, aliases, grants and settings go with it.
Calls that have the old name fail from then on. Needs ownership of the model.
Under the two-person rule, an administrator who registered none of its versions.
Errors: 42710 the name is taken, or was another model''s, 55000 a bundled model,
  2BP01 a stored expression or typed scoring function has the old name.';
COMMENT ON FUNCTION finai.alter_model(text, text, text, double precision, boolean, text, text) IS
'Changes settings of a model; what is NULL stays.
owner: another role, of which the current one is a member.
use_case: free text.
tolerance: of reference rows, for registrations that name none.
two_person: who registered a version (the role that the session was authenticated as,
  whatever role it acts for) cannot promote it or roll back to it, superusers included;
  only a superuser or member of the role that owns the extension who registered no version can set the rule
  aside, rename the model or drop it.
on_schema_change: refuse or mark, what happens when DDL takes away a column that a promoted version reads
  through a typed scoring function.
Needs ownership of the model.';
COMMENT ON FUNCTION finai.grant_model(text, text, text, text) IS
'Grants a privilege on a model to a role, or to all with public: USE (score and describe),
PROMOTE (move aliases), READ (the bytes, with model_onnx), EXPLAIN (kept for explanations; nothing asks for it
yet). Needs ownership of the model.';
COMMENT ON FUNCTION finai.revoke_model(text, text, text, text) IS
  'Revokes a privilege on a model from a role, or from public. Needs ownership of the model.';
COMMENT ON FUNCTION finai.model_history(text) IS
'What happened to a model, in order: registrations, promotions, grants, settings,
failed and repeated verifications, with the role that acted, the session user behind it and the reason given.
Needs ownership of the model or PROMOTE on it; the history of all models, dropped ones included,
is finai.model_event.';
COMMENT ON FUNCTION finai.model_onnx(text, integer) IS
'The ONNX bytes of a version, as they were registered; without a version, of the champion.
The sha256 in finai.models is theirs.
Needs READ on the model: thresholds and labels in a file can tell about training data.';
COMMENT ON FUNCTION finai.verify_models(text) IS
'Loads every version of a model, or of all models that the current role owns,
anew from its bytes and scores its reference rows again, as after an upgrade.
One row a version: status verified or failed, reference rows, the worst |score - reference| / max(1,
|reference|) and its tolerance.
Versions whose status changed are recorded as such: a failed one still scores, but cannot be promoted.
Retired versions are left out.
Owners and grantees that were renamed since are stored under the names that they have now,
which is what a dump carries.';
COMMENT ON FUNCTION finai.describe_model(text, integer) IS
'Everything needed to call a model: its version, status, task and sha256, each feature with its kind,
what NULL means and the categories it knows, what it returns, and a call to copy.
Without a version, the champion. Needs USE on the model.';
COMMENT ON FUNCTION finai.check_binding(text, regclass) IS
'How the columns of a relation would bind to a model''s features, before scoring anything: one row per feature,
status ok, missing or mismatch. Needs USE on the model, reads no rows.';
COMMENT ON FUNCTION finai.inspect_onnx(bytea) IS
'The operators of an ONNX file with how often each is used, whether finai supports it, and why not.
Registers nothing.
Errors: 22P03 not ONNX, 54000 over a finai.max_ limit.';
COMMENT ON FUNCTION finai._bundled_models() IS 'The models that the library carries; see the view finai.models.';

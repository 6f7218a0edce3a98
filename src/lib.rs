//! finai: ONNX models scored inside PostgreSQL, over the rows where they live.
//!
//! `api` holds the SQL-callable functions; `registry` resolves a model's name under the statement's snapshot; `cache`
//! keeps compiled models; `row` turns a composite into batch columns; `site` is one place in a query that scores.
//! Modules that may use `unsafe` say so here.

// pgrx turns its own ErrorReport, 208 bytes, and nothing else into SQLSTATE, detail and hint.
#![allow(clippy::result_large_err)]

use pgrx::prelude::*;

#[allow(unsafe_code)]
mod allocator;
mod api;
mod binding_report;
mod bundled;
#[allow(unsafe_code)]
mod cache;
mod contract;
mod description;
#[allow(unsafe_code)]
mod elevate;
mod error;
mod feature_copy;
mod feature_set;
mod guard;
#[allow(unsafe_code)]
mod guc;
mod identifier;
mod points;
mod reference_rows;
#[allow(unsafe_code)]
mod registry;
#[allow(unsafe_code)]
mod row;
mod site;
#[allow(unsafe_code)]
mod statistics;
mod transform;
#[allow(unsafe_code)]
mod trigger;
mod verification;

pgrx::pg_module_magic!(name, version);

extension_sql_file!("../sql/10_models.sql", bootstrap);
extension_sql_file!(
    "../sql/20_views.sql",
    requires = [
        api::bundled::_bundled_models,
        api::statistics::_model_statistics,
    ]
);
extension_sql_file!(
    "../sql/30_scoring.sql",
    requires = [
        "20_views",
        api::scoring::score,
        api::scoring::score_version,
        api::scoring::score_version_flat,
        api::scoring::predict,
        api::scoring::classify,
        api::scoring::probabilities,
        api::bundled::credit_score,
        api::bundled::default_prob,
        api::bundled::fraud_prob,
        api::models::check_binding,
    ]
);
extension_sql_file!(
    "../sql/40_statistics.sql",
    requires = [
        "30_scoring",
        api::statistics::_model_statistics,
        api::statistics::_statistics_scope,
        api::statistics::reset_stat_models,
        api::statistics::cached_models,
        api::statistics::backend_memory,
    ]
);
extension_sql_file!(
    "../sql/50_contracts.sql",
    requires = [
        "40_statistics",
        api::contracts::_ddl_starts,
        api::contracts::_ddl_ends,
        api::contracts::_typed_functions,
    ]
);
extension_sql_file!(
    "../sql/60_models.sql",
    requires = [
        "50_contracts",
        api::models::register,
        api::models::model_onnx,
        api::models::verify_models,
        api::models::describe_model,
        api::models::check_binding,
        api::models::inspect_onnx,
        api::promotion::promote,
        api::promotion::rollback_model,
        api::promotion::drop_alias,
        api::promotion::retire_model,
        api::administration::alter_model,
        api::administration::rename_model,
        api::administration::drop_model,
        api::administration::grant,
        api::administration::revoke,
        api::administration::model_history,
    ]
);
extension_sql_file!(
    "../sql/70_features.sql",
    requires = [
        "60_models",
        api::feature_copies::refresh_feature_set,
        api::feature_copies::_log_feature_change,
        api::features::create_feature_set,
        api::features::drop_feature_set,
        api::features::describe_feature_set,
        api::features::feature_row,
        api::features::features_at,
        api::features::_feature_set_entities,
        api::features::_window_step,
        api::features::_window_numbers,
        api::features::_window_texts_of,
        api::features::_is_night,
        api::features::_is_weekend,
        api::features::_quotient,
    ]
);
extension_sql_file!("../sql/74_profiles.sql", requires = ["70_features"]);
extension_sql_file!(
    "../sql/75_transforms.sql",
    requires = [
        "74_profiles",
        api::transforms::woe_table,
        api::transforms::fit_transform,
        api::transforms::transform_row,
        api::transforms::describe_transform,
        api::transforms::drop_transform,
        api::transforms::_refuse_text,
    ]
);
extension_sql_file!(
    "../sql/80_guards.sql",
    requires = [
        "75_transforms",
        api::guards::_guard,
        api::guards::create_guard,
        api::guards::alter_guard,
        api::guards::drop_guard,
        api::guards::_guard_features,
        api::guards::_guard_problem,
        api::guards::resolve_alert,
        api::guards::release_alert,
        api::guards::delete_alerts,
        api::statistics::_guard_statistics,
    ]
);
extension_sql_file!("../sql/90_privileges.sql", finalize);

/// Called once per process when the library is loaded.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::init();
    statistics::init();
}

"""Gradient boosting outside scikit-learn: LightGBM, XGBoost and CatBoost with their own exporters."""

import json
import tempfile
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import onnx
import xgboost
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm as lightgbm_converter
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost as xgboost_converter
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tables
from skl import credit, wide
from suite import Export, case

LIGHT = {"num_threads": 1, "seed": 0, "deterministic": True, "force_row_wise": True, "verbose": -1}
XG = {"nthread": 1, "random_state": 0, "tree_method": "hist"}
CAT = {"thread_count": 1, "random_seed": 0, "verbose": False, "allow_writing_files": False, "iterations": 12, "depth": 4}


def rows(table: str, missing: bool) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Column names, training rows and target; the credit data as codes."""
    if table == "credit_codes":
        frame, classes = tables.training("credit")
        frame, target = tables.codes(frame), (classes == "bad").astype(int)
    else:
        frame, target = tables.training(table.split("_")[0])
    values = frame.to_numpy().astype(np.float32)
    if missing:
        values[np.random.default_rng(2).random(values.shape) < 0.1] = np.nan
    return list(frame.columns), values, target


def booster(name: str, table: str, model, convert, exporter: str, missing: bool = False, fit: dict | None = None, classifies=None, **rest) -> None:
    @case(table, name)
    def build() -> Export:
        columns, values, target = rows(table, missing)
        model.fit(values, target, **(fit or {}))
        classifier = hasattr(model, "classes_") if classifies is None else classifies
        graph, declaration = convert(model, len(columns), columns)
        own = (lambda frame: model.predict_proba(frame[columns].to_numpy())) if classifier else (lambda frame: model.predict(frame[columns].to_numpy()))
        return Export(graph, {graph.graph.input[0].name: columns}, exporter, "probability" if classifier else "value", declaration, own, **rest)


def named(graph: onnx.ModelProto, columns: list[str]) -> onnx.ModelProto:
    onnx.helper.set_model_props(graph, {"feature_names": json.dumps(columns)})
    return graph


def light(zipmap: bool = False, **options):
    return lambda model, width, columns: (named(convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, width]))], zipmap=zipmap,
                                                                 **options), columns), {})


def xgb(**options):
    return lambda model, width, columns: (convert_xgboost(model, initial_types=[("X", FloatTensorType([None, width]))], **options), {"features": columns})


def cat(model, width, columns):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.save_model(str(path), format="onnx", export_parameters={"onnx_domain": "ai.catboost", "onnx_model_version": 1})
        return onnx.load(path), {"features": columns}


def lgb(name, table, model, zipmap=False, options=None, **rest):
    booster(name, table, model, light(zipmap, **(options or {})), "onnxmltools, LightGBM", **rest)


TREES = {"n_estimators": 30, "num_leaves": 8, **LIGHT}
lgb("lightgbm_binary", "cancer", lightgbm.LGBMClassifier(**TREES))
lgb("lightgbm_binary_zipmap", "cancer", lightgbm.LGBMClassifier(**TREES), zipmap=True)
lgb("lightgbm_multiclass", "wine_holes", lightgbm.LGBMClassifier(**TREES | {"n_estimators": 10}), missing=True)
lgb("lightgbm_regression", "diabetes_holes", lightgbm.LGBMRegressor(**TREES), missing=True)
lgb("lightgbm_poisson", "diabetes", lightgbm.LGBMRegressor(objective="poisson", **TREES))
lgb("lightgbm_dart", "cancer", lightgbm.LGBMClassifier(boosting_type="dart", **TREES))
lgb("lightgbm_categorical_missing", "credit_codes", lightgbm.LGBMClassifier(min_child_samples=5, cat_smooth=1, **TREES),
    missing=True, fit={"categorical_feature": list(range(11))})
lgb("lightgbm_split", "diabetes", lightgbm.LGBMRegressor(**TREES), options={"split": 10})


def xg(name, table, model, options=None, **rest):
    booster(name, table, model, xgb(**(options or {})), "onnxmltools, XGBoost", **rest)


XTREES = {"n_estimators": 25, "max_depth": 4, **XG}
xg("xgboost_multiclass", "wine", xgboost.XGBClassifier(**XTREES | {"n_estimators": 10}))
xg("xgboost_missing", "cancer_holes", xgboost.XGBClassifier(**XTREES), missing=True)
xg("xgboost_regression_missing", "diabetes_holes", xgboost.XGBRegressor(**XTREES), missing=True)
xg("xgboost_random_forest_regressor", "diabetes", xgboost.XGBRFRegressor(n_estimators=10, max_depth=5, **XG))
xg("xgboost_poisson", "diabetes", xgboost.XGBRegressor(objective="count:poisson", **XTREES))


def cats(name, table, model, **rest):
    booster(name, table, model, cat, "CatBoost", **rest)


cats("catboost_multiclass", "wine", catboost.CatBoostClassifier(**CAT | {"depth": 3}))
cats("catboost_missing", "cancer_holes", catboost.CatBoostClassifier(**CAT), missing=True)
cats("catboost_regressor_missing", "diabetes_holes", catboost.CatBoostRegressor(nan_mode="Max", **CAT), missing=True, classifies=False)

ZIPMAP = {"options": {"nocl": [True, False], "zipmap": [True, False, "columns"]}}
update_registered_converter(lightgbm.LGBMClassifier, "LightGbmLGBMClassifier", calculate_linear_classifier_output_shapes, lightgbm_converter, **ZIPMAP)
update_registered_converter(xgboost.XGBClassifier, "XGBoostXGBClassifier", calculate_linear_classifier_output_shapes, xgboost_converter, **ZIPMAP)
encoded = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), tables.CREDIT_TEXTS),
                             ("numbers", "passthrough", tables.CREDIT_NUMBERS)])
BAD = {"target": lambda _, classes: (classes == "bad").astype(int), "opset": {"": 15, "ai.onnx.ml": 3}}
credit("lightgbm_pipeline", make_pipeline(encoded, lightgbm.LGBMClassifier(**TREES)), **BAD)
credit("xgboost_pipeline", make_pipeline(encoded, xgboost.XGBClassifier(**XTREES)), **BAD)
wide("lightgbm_behind_scaler", "cancer", make_pipeline(StandardScaler(), lightgbm.LGBMClassifier(**TREES)), opset={"": 15, "ai.onnx.ml": 3})

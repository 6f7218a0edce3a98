"""Trees and their ensembles of scikit-learn."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor,
                              ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor,
                              HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import tables
from skl import credit, wide

SEED = {"random_state": 0}


def parity(_, digits):
    return digits % 2


wide("decision_tree_classifier", "iris", DecisionTreeClassifier(**SEED))
wide("decision_tree_regressor", "diabetes", DecisionTreeRegressor(max_depth=6, **SEED))
wide("decision_tree_missing", "wine_holes", DecisionTreeClassifier(max_depth=6, **SEED), missing=True)
wide("decision_tree_leaf_ids", "iris", DecisionTreeClassifier(max_depth=4, **SEED), extra={"decision_leaf": True}, own=False)
wide("random_forest_binary", "cancer", RandomForestClassifier(15, max_depth=6, **SEED))
wide("random_forest_multiclass", "wine", RandomForestClassifier(12, max_depth=6, **SEED))
wide("random_forest_regressor", "diabetes", RandomForestRegressor(8, max_depth=5, **SEED))
wide("random_forest_two_targets", "diabetes", RandomForestRegressor(8, max_depth=5, **SEED), columns=8, target=lambda frame, y: np.c_[y, frame["s6"]], declaration={"task": "vector"})
wide("random_forest_behind_scaler", "cancer", make_pipeline(StandardScaler(), RandomForestClassifier(12, max_depth=5, **SEED)))
wide("random_forest_behind_pca", "digits", make_pipeline(PCA(10, **SEED), RandomForestClassifier(10, max_depth=5, **SEED)), target=parity)
wide("extra_trees_regressor", "diabetes", ExtraTreesRegressor(6, max_depth=5, **SEED))
wide("gradient_boosting_binary", "cancer", GradientBoostingClassifier(n_estimators=40, **SEED))
wide("gradient_boosting_multiclass", "wine", GradientBoostingClassifier(n_estimators=7, **SEED))
wide("gradient_boosting_regressor", "diabetes", GradientBoostingRegressor(n_estimators=40, **SEED))
wide("hist_gradient_boosting_binary", "cancer_holes", HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, **SEED), missing=True)
wide("hist_gradient_boosting_multiclass", "wine_holes", HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=8, **SEED), missing=True)
wide("hist_gradient_boosting_regressor", "diabetes_holes", HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=10, **SEED), missing=True)
wide("hist_gradient_boosting_poisson", "diabetes", HistGradientBoostingRegressor(loss="poisson", max_iter=20, max_leaf_nodes=8, **SEED))
wide("ada_boost_classifier", "wine", AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=8, **SEED))
wide("ada_boost_regressor", "diabetes", AdaBoostRegressor(n_estimators=8, **SEED))
wide("bagging_classifier", "iris", BaggingClassifier(n_estimators=6, **SEED))
wide("bagging_regressor", "diabetes", BaggingRegressor(DecisionTreeRegressor(max_depth=5), n_estimators=6, **SEED))
wide("isolation_forest", "cancer", IsolationForest(n_estimators=8, max_samples=32, **SEED), columns=10, tolerance="value", own=False, opset={"": 17, "ai.onnx.ml": 3}, declaration={"task": "regression"})

codes = ColumnTransformer([("texts", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), tables.CREDIT_TEXTS),
                           ("numbers", "passthrough", tables.CREDIT_NUMBERS)])
credit("hist_gradient_boosting_ordinal", make_pipeline(codes, HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, **SEED)),
       table="credit_holes", holes=True, null="")
wide("hist_gradient_boosting_categorical", "credit_codes",
     HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=8, categorical_features=list(range(11)), **SEED), data="codes", missing=True)

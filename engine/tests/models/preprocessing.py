"""Transformers of scikit-learn in front of small models, over text and number columns."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer,
                                   OneHotEncoder, OrdinalEncoder, PolynomialFeatures, PowerTransformer, QuantileTransformer,
                                   RobustScaler, StandardScaler, TargetEncoder)

import tables
from skl import credit, wide

TEXTS, NUMBERS = tables.CREDIT_TEXTS, tables.CREDIT_NUMBERS
LINEAR = {"max_iter": 3000}


def parity(_, digits):
    return digits % 2


def second(_, classes):
    return (classes == 1).astype(int)


def columns(*parts, model=None):
    return make_pipeline(ColumnTransformer(list(parts)), LogisticRegression(**LINEAR) if model is None else model)


ignoring = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
credit("one_hot_ignore_logistic", columns(("texts", ignoring, TEXTS), ("numbers", StandardScaler(), NUMBERS)))
credit("one_hot_unseen_imputed", columns(("texts", ignoring, TEXTS), ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS)),
       table="credit_holes", holes=True, null="")
credit("one_hot_infrequent", columns(("texts", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=60, sparse_output=False), TEXTS),
                                     ("numbers", MinMaxScaler(), NUMBERS)), columns=TEXTS + NUMBERS)
credit("one_hot_drop_first", columns(("texts", OneHotEncoder(drop="first", sparse_output=False), TEXTS), ("numbers", MaxAbsScaler(), NUMBERS)))
credit("one_hot_regression", columns(("texts", ignoring, TEXTS), ("numbers", RobustScaler(), ["duration_in_month"]), model=Ridge()),
       columns=[*TEXTS, "duration_in_month"], target=lambda frame, _: frame["credit_amount"].to_numpy())
credit("ordinal_unknown_forest", columns(("texts", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), TEXTS),
                                         ("numbers", SimpleImputer(strategy="median"), NUMBERS),
                                         model=RandomForestClassifier(8, max_depth=5, random_state=0)),
       table="credit_holes", holes=True, null="")
credit("ordinal_boosted_amount", columns(("texts", OrdinalEncoder(), TEXTS), ("numbers", "passthrough", ["duration_in_month"]),
                                         model=GradientBoostingRegressor(n_estimators=30, random_state=0)),
       columns=[*TEXTS, "duration_in_month"], target=lambda frame, _: frame["credit_amount"].to_numpy())
credit("most_frequent_text", columns(("texts", make_pipeline(SimpleImputer(missing_values="", strategy="most_frequent"), ignoring), TEXTS),
                                     ("numbers", make_pipeline(SimpleImputer(strategy="most_frequent"), StandardScaler()), NUMBERS)),
       table="credit_holes", holes=True, texts="", null="")
credit("multiclass_housing", columns(("texts", ignoring, [text for text in TEXTS if text != "housing"]), ("numbers", StandardScaler(), NUMBERS)),
       columns=[text for text in TEXTS if text != "housing"] + NUMBERS, target=lambda frame, _: frame["housing"].to_numpy())
credit("target_encoder", columns(("texts", TargetEncoder(random_state=0), TEXTS), ("numbers", StandardScaler(), NUMBERS)))
wide("one_hot_wide_text", "credit", make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), LogisticRegression(**LINEAR)),
     columns=len(TEXTS), kind=object, named=True)
wide("one_hot_integer_codes", "digits", make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(**LINEAR)), columns=20, kind=np.int64, target=parity)

wide("k_bins_one_hot", "wine", make_pipeline(KBinsDiscretizer(4, encode="onehot-dense"), LogisticRegression(**LINEAR)), target=second)
wide("k_bins_ordinal", "wine", make_pipeline(KBinsDiscretizer(5, encode="ordinal", strategy="uniform"), LogisticRegression(**LINEAR)), target=second)
wide("k_bins_behind_scaler", "iris", make_pipeline(StandardScaler(), KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), LogisticRegression(**LINEAR)), steps=True, target=second)
wide("pca_logistic", "digits", make_pipeline(PCA(12, random_state=0), LogisticRegression(**LINEAR)), target=parity)
wide("pca_whitened", "cancer", make_pipeline(StandardScaler(), PCA(6, whiten=True, random_state=0), LogisticRegression(**LINEAR)))
wide("incremental_pca", "wine", make_pipeline(StandardScaler(), IncrementalPCA(5), LogisticRegression(**LINEAR)), target=second)
wide("truncated_svd", "digits", make_pipeline(TruncatedSVD(12, random_state=0), LogisticRegression(**LINEAR)), target=parity)
wide("polynomial_logistic", "iris", make_pipeline(StandardScaler(), PolynomialFeatures(3), LogisticRegression(**LINEAR)), target=second)
wide("power_transformer_yeo_johnson", "wine", make_pipeline(PowerTransformer(), LogisticRegression(**LINEAR)), target=second)
wide("power_transformer_box_cox", "iris", make_pipeline(MinMaxScaler((1, 2), clip=True), PowerTransformer("box-cox"), LogisticRegression(**LINEAR)), target=second)
wide("quantile_transformer", "wine", make_pipeline(QuantileTransformer(n_quantiles=20), LogisticRegression(**LINEAR)), target=second)
wide("normalizer_l2", "wine", make_pipeline(Normalizer(), LogisticRegression(**LINEAR)), target=second)
wide("binarizer", "digits", make_pipeline(Binarizer(threshold=7.5), LogisticRegression(**LINEAR)), target=parity)
wide("robust_scaler", "wine", make_pipeline(RobustScaler(), LogisticRegression(**LINEAR)), target=second)
wide("min_max_scaler_clipped", "wine", make_pipeline(MinMaxScaler(clip=True), LogisticRegression(**LINEAR)), target=second)
wide("max_abs_scaler_double", "diabetes_double", make_pipeline(MaxAbsScaler(), LogisticRegression(**LINEAR)), kind=np.float64, target=lambda _, y: (y > 140).astype(int))
wide("select_k_best", "cancer", make_pipeline(SelectKBest(k=8), StandardScaler(), LogisticRegression(**LINEAR)))
wide("feature_union", "wine", make_pipeline(StandardScaler(), FeatureUnion([("pca", PCA(3, random_state=0)), ("best", SelectKBest(k=4))]),
                                            LogisticRegression(**LINEAR)))

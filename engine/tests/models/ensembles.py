"""Models made of models: votes, stacks, calibration, pairs of classes."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor, StackingClassifier,
                              StackingRegressor, VotingClassifier, VotingRegressor)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import tables
from skl import credit, wide

SEED = {"random_state": 0}


def classifiers():
    return [("logistic", make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))),
            ("tree", DecisionTreeClassifier(max_depth=4, **SEED)), ("bayes", GaussianNB())]


def regressors():
    return [("ridge", make_pipeline(StandardScaler(), Ridge())), ("tree", DecisionTreeRegressor(max_depth=4, **SEED)),
            ("forest", RandomForestRegressor(5, max_depth=4, **SEED))]


wide("voting_soft", "wine", VotingClassifier(classifiers(), voting="soft", weights=np.array([2, 1, 1]), flatten_transform=False))
wide("voting_hard", "wine", VotingClassifier(classifiers(), voting="hard", flatten_transform=False), own=False, tolerance="value")
wide("voting_regressor", "diabetes", VotingRegressor(regressors()))
wide("stacking_classifier", "cancer", StackingClassifier(classifiers()[:2], LogisticRegression()), columns=10)
wide("stacking_passthrough", "wine", make_pipeline(StandardScaler(), StackingClassifier(classifiers()[1:], LogisticRegression(max_iter=3000), passthrough=True)))
wide("stacking_regressor", "diabetes", StackingRegressor(regressors(), Ridge()))
wide("calibrated_sigmoid", "cancer", make_pipeline(StandardScaler(), CalibratedClassifierCV(LinearSVC(**SEED), cv=3)), columns=10)
wide("calibrated_sigmoid_forest", "wine", CalibratedClassifierCV(RandomForestClassifier(5, max_depth=4, **SEED), cv=2))
wide("calibrated_isotonic", "cancer", CalibratedClassifierCV(GradientBoostingClassifier(n_estimators=10, **SEED), method="isotonic", cv=2), columns=10)

encoded = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), tables.CREDIT_TEXTS),
                             ("numbers", StandardScaler(), tables.CREDIT_NUMBERS)])
credit("credit_voting", make_pipeline(encoded, VotingClassifier([("logistic", LogisticRegression(max_iter=1000)),
                                                                 ("forest", RandomForestClassifier(8, max_depth=5, **SEED))], voting="soft", flatten_transform=False)))
credit("credit_calibrated", make_pipeline(encoded, CalibratedClassifierCV(RandomForestClassifier(6, max_depth=5, **SEED), cv=2)))
credit("credit_stacking_zipmap", make_pipeline(encoded, StackingClassifier([("logistic", LogisticRegression(max_iter=1000)),
                                                                           ("tree", DecisionTreeClassifier(max_depth=4, **SEED))])), extra={"zipmap": True})

"""Linear models of scikit-learn."""

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.linear_model import (ElasticNet, Lasso, LinearRegression, LogisticRegression,
                                  Perceptron, PoissonRegressor, Ridge, RidgeClassifier, SGDClassifier, SGDRegressor)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

from skl import wide


def scaled(model):
    return make_pipeline(StandardScaler(), model)


wide("logistic_binary", "cancer", scaled(LogisticRegression(max_iter=1000)))
wide("logistic_multinomial", "wine", scaled(LogisticRegression(max_iter=1000)))
wide("logistic_multinomial_zipmap", "wine", scaled(LogisticRegression(max_iter=1000)), extra={"zipmap": True})
wide("logistic_multinomial_zipmap_columns", "wine", scaled(LogisticRegression(max_iter=1000)), extra={"zipmap": "columns"}, declaration={"task": "regression", "output": "i0"})
wide("logistic_multinomial_double", "diabetes_double", scaled(LogisticRegression(max_iter=1000)), kind=np.float64, target=lambda _, y: np.digitize(y, [100, 180]))
wide("logistic_text_labels_opset_12", "iris", LogisticRegression(max_iter=1000), opset={"": 12, "ai.onnx.ml": 1}, target=lambda _, y: np.array(["setosa", "versicolor", "virginica"])[y])
wide("logistic_one_vs_rest", "wine", scaled(OneVsRestClassifier(LogisticRegression(max_iter=1000))))
wide("logistic_one_vs_one", "iris", OneVsOneClassifier(LogisticRegression(max_iter=1000)), tolerance="value", own=False)
wide("linear_regression", "diabetes", LinearRegression())
wide("linear_regression_two_targets", "diabetes", LinearRegression(), columns=8, target=lambda frame, y: np.c_[y, frame["s6"]], declaration={"task": "vector"})
wide("multi_output_ridge", "diabetes", MultiOutputRegressor(Ridge()), columns=8, target=lambda frame, y: np.c_[y, frame["s6"]], declaration={"task": "vector"})
wide("ridge_double", "diabetes_double", scaled(Ridge()), kind=np.float64)
wide("lasso_polynomial", "diabetes", make_pipeline(PolynomialFeatures(2), StandardScaler(), Lasso(0.1, max_iter=20000)))
wide("elastic_net", "diabetes", scaled(ElasticNet(0.1)))
wide("poisson_regressor", "diabetes", scaled(PoissonRegressor()))
wide("pls_regression", "diabetes", PLSRegression(3))
wide("linear_svr", "diabetes", scaled(LinearSVR(random_state=0, max_iter=5000)))
wide("sgd_classifier_log_loss", "cancer", scaled(SGDClassifier(loss="log_loss", random_state=0)))
wide("sgd_classifier_modified_huber", "wine", scaled(SGDClassifier(loss="modified_huber", random_state=0)))
wide("sgd_regressor", "diabetes", scaled(SGDRegressor(random_state=0)))
wide("perceptron", "cancer", scaled(Perceptron(random_state=0)), columns=10, tolerance="value", own=False)
wide("ridge_classifier", "cancer", scaled(RidgeClassifier()), columns=10, tolerance="value", own=False, declaration={"task": "regression"})
wide("linear_svc_binary", "cancer", scaled(LinearSVC(random_state=0)), columns=10, tolerance="value", own=False, raw={LinearSVC: {}}, declaration={"task": "regression"})
wide("linear_svc_multiclass", "wine", scaled(LinearSVC(random_state=0)), tolerance="value", own=False, raw={LinearSVC: {}})
wide("lda", "wine", scaled(LinearDiscriminantAnalysis()))
wide("qda", "iris", QuadraticDiscriminantAnalysis())

"""Support vectors, neighbours, networks, naive Bayes, mixtures and clusters of scikit-learn."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from skl import wide


def scaled(model):
    return make_pipeline(StandardScaler(), model)


PROBABLE = {"probability": True, "random_state": 0}
wide("svc_rbf", "wine", scaled(SVC(**PROBABLE)))
wide("svc_rbf_binary", "cancer", scaled(SVC(**PROBABLE)), columns=10)
wide("svc_rbf_double", "diabetes_double", scaled(SVC(**PROBABLE)), kind=np.float64, target=lambda _, y: (y > 140).astype(int))
wide("svc_linear", "cancer", scaled(SVC(kernel="linear", C=0.1, **PROBABLE)), columns=10)
wide("svc_polynomial", "iris", scaled(SVC(kernel="poly", degree=2, coef0=1, **PROBABLE)))
wide("svc_sigmoid", "iris", scaled(SVC(kernel="sigmoid", gamma=0.1, **PROBABLE)))
wide("svc_scores_one_vs_rest", "wine", scaled(SVC(decision_function_shape="ovr")), tolerance="value", own=False)
wide("svc_scores_one_vs_one", "wine", scaled(SVC(decision_function_shape="ovo")), tolerance="value", own=False)
wide("nu_svc", "wine", scaled(NuSVC(nu=0.3, **PROBABLE)))
wide("svr_rbf", "diabetes", scaled(SVR(C=10)))
wide("nu_svr_polynomial", "diabetes", scaled(NuSVR(kernel="poly", degree=2, coef0=1, nu=0.3, C=10)))
wide("one_class_svm", "cancer", scaled(OneClassSVM(nu=0.1)), columns=10, tolerance="value", own=False, declaration={"task": "regression"})
wide("knn_classifier", "iris", KNeighborsClassifier(5), steps=True)
wide("knn_classifier_distance_weights", "wine", scaled(KNeighborsClassifier(7, weights="distance")), steps=True)
wide("knn_regressor", "diabetes", scaled(KNeighborsRegressor(6)), steps=True)
wide("knn_regressor_cdist", "diabetes", scaled(KNeighborsRegressor(4)), extra={"optim": "cdist"}, steps=True)
wide("mlp_classifier", "cancer", scaled(MLPClassifier(hidden_layer_sizes=(16, 8), max_iter=300, random_state=0)))
wide("mlp_classifier_multiclass", "digits", make_pipeline(MinMaxScaler(), MLPClassifier(hidden_layer_sizes=(24,), activation="tanh", max_iter=100, random_state=0)), target=lambda _, digits: digits % 4)
wide("mlp_classifier_logistic_double", "diabetes_double", scaled(MLPClassifier(hidden_layer_sizes=(8,), activation="logistic", max_iter=300, random_state=0)), kind=np.float64, target=lambda _, y: (y > 140).astype(int))
wide("mlp_regressor", "diabetes", scaled(MLPRegressor(hidden_layer_sizes=(16,), max_iter=800, random_state=0)))
wide("gaussian_nb", "iris", scaled(GaussianNB()))
wide("bernoulli_nb", "digits", BernoulliNB(binarize=8), columns=24, target=lambda _, digits: digits % 3)
wide("multinomial_nb", "digits", MultinomialNB(), columns=12, target=lambda _, digits: digits % 3)
wide("complement_nb", "digits", ComplementNB(), columns=12, target=lambda _, digits: digits % 3)
wide("gaussian_mixture", "iris", GaussianMixture(3, random_state=0), tolerance="probability", own=False)
wide("k_means", "wine", scaled(KMeans(3, n_init=3, random_state=0)), tolerance="value", own=False)
wide("gaussian_process_regressor", "diabetes", scaled(GaussianProcessRegressor(RBF(3) + WhiteKernel(1), optimizer=None, normalize_y=True)),
     columns=4, target=lambda frame, y: y, own=False)

"""Learners of gradus/classic against scikit-learn 1.9. Writes tests/golden/classic.safetensors."""
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from common import pattern, write


def classic():
    x = pattern((60, 4), 1, 2.0)
    asked = pattern((20, 4), 2, 2.0)
    noise = pattern((60,), 3, 0.5)
    y = (x[:, 0] * 1.5 - x[:, 1] + torch.sin(2 * x[:, 2]) + noise).float()
    labels = torch.bucketize(y, torch.quantile(y, torch.tensor([0.35, 0.7])))
    two = (labels > 0).long()
    X, A, Y, L, T = (t.numpy().astype(np.float64) if t.is_floating_point() else t.numpy() for t in (x, asked, y, labels, two))
    out = {"x": x, "asked": asked, "y": y, "labels": labels, "two": two}

    def put(name, values):
        out[name] = torch.tensor(np.ascontiguousarray(values), dtype=torch.float64)

    put("logistic", LogisticRegression(C=2.0, tol=1e-10, max_iter=10000).fit(X, L).predict_proba(A))
    put("ridge", Ridge(alpha=0.7).fit(X, Y).predict(A))
    put("neighbours", KNeighborsClassifier(3).fit(X, L).predict_proba(A))
    put("neighbours_numbers", KNeighborsRegressor(5).fit(X, Y).predict(A))
    put("bayes", GaussianNB().fit(X, L).predict_proba(A))
    put("tree_numbers", DecisionTreeRegressor(min_samples_leaf=3, random_state=0).fit(X, Y).predict(A))
    put("linear_svm", LinearSVC(C=0.5, dual=False, tol=1e-10, max_iter=100000).fit(X, L).decision_function(A))
    put("linear_svm_two", LinearSVC(C=0.5, dual=False, tol=1e-10, max_iter=100000).fit(X, T).decision_function(A))
    put("rbf_svm", SVC(C=10, tol=1e-6).fit(X, L).decision_function(A))
    put("rbf_svm_two", SVC(C=10, gamma=0.3, tol=1e-6).fit(X, T).decision_function(A))
    mean, std = Y.mean(), Y.std()
    put("rbf_svm_numbers", SVR(C=3, epsilon=0.1, tol=1e-6).fit(X, (Y - mean) / std).predict(A) * std + mean)
    # What gradus compare measures: of naive Bayes, and of ridge regression, on the examples asked.
    truth = (1.5 * asked[:, 0] - asked[:, 1]).float()
    asked_labels = torch.bucketize(truth, torch.quantile(y, torch.tensor([0.35, 0.7])))
    out |= {"asked_y": truth, "asked_labels": asked_labels}
    out["asked_two"] = (truth + 2 * asked[:, 3] > 0).long()
    for name, train, labels in (("three", L, asked_labels.numpy()), ("two", T, out["asked_two"].numpy())):
        p = GaussianNB().fit(X, train).predict_proba(A)
        named = p.argmax(1)
        area = sk.roc_auc_score(labels, p[:, 1]) if name == "two" else sk.roc_auc_score(labels, p, multi_class="ovr")
        put(f"figures.{name}", [sk.accuracy_score(labels, named), sk.balanced_accuracy_score(labels, named), area,
                                sk.f1_score(labels, named, average="macro"), sk.log_loss(labels, p)])
    answers = Ridge(alpha=0.7).fit(X, Y).predict(A)
    exact = truth.numpy().astype(np.float64)
    put("figures.numbers", [sk.r2_score(exact, answers), sk.root_mean_squared_error(exact, answers),
                            sk.mean_absolute_error(exact, answers)])
    pca = PCA(3).fit(X)
    put("pca.variance", pca.explained_variance_)
    put("pca.transform", np.abs(pca.transform(A)))
    put("k_means", [KMeans(4, n_init=100, tol=0, random_state=0).fit(X).inertia_])
    return out


write(classic)

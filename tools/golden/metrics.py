#!/usr/bin/env python3
"""Writes tests/golden/metrics.safetensors: what scikit-learn computes for the figures of gradus/train/metrics.

Run by hand when a case is added (needs scikit-learn, torch and safetensors; made with scikit-learn 1.9.1). Each case holds its
inputs and a vector of figures, whose order stands in the function that makes it and in tests/golden_metrics_test.cpp.

    python3 tools/golden/metrics.py [OUTPUT_FOLDER]
"""
import warnings

import numpy as np
import torch
from sklearn import metrics as sk

from common import write

warnings.filterwarnings("ignore")  # about classes without examples: they are cases here


def confusion_figures(labels, predicted, classes):
    """accuracy, balanced accuracy, MCC; precision, recall, F1 as micro, macro, weighted, macro with zero_division 1; then
    precision, recall, F1 by class."""
    names = list(range(classes))
    out = [sk.accuracy_score(labels, predicted), sk.balanced_accuracy_score(labels, predicted),
           sk.matthews_corrcoef(labels, predicted)]
    for average, zero in (("micro", 0), ("macro", 0), ("weighted", 0), ("macro", 1)):
        for score in (sk.precision_score, sk.recall_score, sk.f1_score):
            out.append(score(labels, predicted, labels=names, average=average, zero_division=zero))
    for score in (sk.precision_score, sk.recall_score, sk.f1_score):
        out += list(score(labels, predicted, labels=names, average=None, zero_division=0))
    return out


def calibration_error(p, labels, bins):
    confidence, right = p.max(1), p.argmax(1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return sum(abs(right[place == b].sum() - confidence[place == b].sum()) for b in range(bins)) / len(labels)


def classification_figures(p, labels):
    """log loss, Brier, top 1, 2 and 3, ROC AUC macro and weighted, average precision macro, ECE with 15 bins and with 4."""
    classes = p.shape[1]
    onehot = np.eye(classes)[labels]
    names = list(range(classes))
    present = [c for c in names if 0 < onehot[:, c].sum() < len(labels)]
    if classes == 2:
        auc = [sk.roc_auc_score(labels, p[:, 1])] * 2
        precision = sk.average_precision_score(labels, p[:, 1])
        brier = sk.brier_score_loss(labels, p[:, 1])
    else:
        each = np.array([sk.roc_auc_score(onehot[:, c], p[:, c]) for c in present])
        weights = onehot[:, present].sum(0)
        auc = [each.mean(), (each * weights).sum() / weights.sum()]
        if len(present) == classes:
            assert np.isclose(auc[0], sk.roc_auc_score(labels, p, multi_class="ovr", average="macro"))
        precision = np.mean([sk.average_precision_score(onehot[:, c], p[:, c]) for c in present])
        brier = np.mean(((p - onehot) ** 2).sum(1))
    top = [sk.top_k_accuracy_score(labels, p, k=k, labels=names) if classes > 2 else
           (sk.accuracy_score(labels, p.argmax(1)) if k == 1 else 1.0) for k in (1, 2, 3)]
    return [sk.log_loss(labels, p, labels=names), brier, *top, *auc, precision, calibration_error(p, labels, 15),
            calibration_error(p, labels, 4)]


def metrics():
    rng = np.random.default_rng(1)
    out = {}

    def store(case, **arrays):
        for name, value in arrays.items():
            value = np.asarray(value)
            out[f"{case}.{name}"] = torch.tensor(value, dtype=torch.int64 if value.dtype.kind == "i" else torch.float64)

    def confusion(case, labels, predicted, classes):
        labels, predicted = np.array(labels), np.array(predicted)
        store(case, labels=labels, predicted=predicted, figures=confusion_figures(labels, predicted, classes))

    confusion("confusion_binary", rng.integers(0, 2, 40), rng.integers(0, 2, 40), 2)
    labels = rng.integers(0, 5, 90)
    confusion("confusion_many", labels, np.where(rng.random(90) < 0.7, labels, rng.integers(0, 5, 90)), 5)
    confusion("confusion_missing_class", [0, 1, 1, 3, 0, 3], [0, 1, 0, 3, 3, 3], 4)
    confusion("confusion_never_predicted", [0, 1, 2, 2], [0, 1, 1, 0], 3)
    confusion("confusion_constant", [0, 1, 1, 0, 2], [1, 1, 1, 1, 1], 3)
    confusion("confusion_perfect", [0, 1, 2, 0], [0, 1, 2, 0], 3)

    def probabilities(case, n, classes, labels=None, rounded=None):
        labels = rng.integers(0, classes, n) if labels is None else np.array(labels)
        logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[labels]
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        if rounded:
            p[:, 1] = np.round(p[:, 1] * rounded) / rounded
            p[:, 0] = 1 - p[:, 1]
        store(case, p=p, labels=labels, figures=classification_figures(p, labels))

    probabilities("probabilities_binary", 60, 2)
    probabilities("probabilities_many", 80, 5)
    probabilities("probabilities_ties", 50, 2, rounded=8)
    probabilities("probabilities_missing_class", 30, 4, labels=np.array([0, 1, 3] * 10))

    def curve(case, scores, labels):
        fpr, tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
        precision, recall, _ = sk.precision_recall_curve(labels, scores)
        store(case, scores=np.asarray(scores, dtype=float), labels=np.array(labels), fpr=fpr, tpr=tpr,
              precision=precision[::-1].copy(), recall=recall[::-1].copy(),
              figures=[sk.roc_auc_score(labels, scores) if len(set(labels)) == 2 else np.nan,
                       sk.average_precision_score(labels, scores), sk.auc(recall, precision)])

    curve("curve_plain", rng.normal(size=25), rng.integers(0, 2, 25))
    curve("curve_ties", [0.5, 0.5, 0.2, 0.9, 0.9, 0.9, 0.1], [1, 0, 0, 1, 0, 1, 1])
    curve("curve_all_equal", [0.3, 0.3, 0.3, 0.3], [1, 0, 0, 1])
    curve("curve_reversed", [1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0])

    def regression(case, predicted, targets):
        store(case, predicted=predicted, targets=targets,
              figures=[sk.r2_score(targets, predicted), sk.mean_absolute_error(targets, predicted),
                       sk.mean_squared_error(targets, predicted), sk.root_mean_squared_error(targets, predicted)])

    y = rng.normal(size=50) * 3 + 1e4
    regression("regression_plain", y + rng.normal(size=50), y)
    y = rng.normal(size=(20, 3)) * [1, 10, 0.1]
    regression("regression_outputs", y + rng.normal(size=(20, 3)) * 0.3, y)
    regression("regression_constant", np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    regression("regression_exact", np.array([2.0, 2.0]), np.array([2.0, 2.0]))
    return out


if __name__ == "__main__":
    write(metrics)

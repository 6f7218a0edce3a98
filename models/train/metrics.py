"""Measures of a binary score; a higher score means more likely positive."""

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve


def binary_metrics(positive: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Discrimination (ties count half) and calibration of probabilities."""
    false_rate, true_rate, _ = roc_curve(positive, score, drop_intermediate=False)
    auc = roc_auc_score(positive, score)
    values = {
        "auc": auc,
        "gini": 2 * auc - 1,
        "ks": np.max(np.abs(true_rate - false_rate)),
        "average_precision": average_precision_score(positive, score),
        "brier": brier_score_loss(positive, score),
        "log_loss": log_loss(positive, score),
    }
    return {name: round(float(value), 4) for name, value in values.items()}


def card_precision(tx: pd.DataFrame, score: np.ndarray, k: int = 100) -> float:
    """Mean over days of: compromised cards among the day's k highest, over k.

    A card's score and label of a day are its transactions' maxima; a card found on one day is not counted on later ones.
    """
    found: set[int] = set()
    precisions = []
    scored = tx.assign(score=score, day=tx["tx_time"].dt.normalize())
    for _, day in scored.groupby("day"):
        cards = day.groupby("customer_id")[["score", "tx_fraud"]].max()
        cards = cards[~cards.index.isin(found)].sort_values("score", ascending=False, kind="stable").head(k)
        hits = cards.index[cards["tx_fraud"] == 1]
        found.update(hits)
        precisions.append(len(hits) / k)
    return float(np.mean(precisions))

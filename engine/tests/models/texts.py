"""Text pipelines of scikit-learn over short messages."""

import pandas as pd
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

import tables
from skl import convert
from suite import Export, case

#: skl2onnx cannot write scikit-learn's own pattern of words; this one is the same for ONNX's tokenizer.
WORDS = "[a-zA-Z0-9_]+"


def messages(name: str, model, extra: dict | None = None, rank: int = 1, tolerance: str = "probability") -> None:
    """Registers a classifier of the customer's intent; its input is [N] or, inside a ColumnTransformer, [N, 1]."""

    @case("messages", name)
    def build() -> Export:
        frame, intents = tables.training("messages")
        pick = (lambda rows: rows["message"].tolist()) if rank == 1 else (lambda rows: rows)
        model.fit(pick(frame), intents)
        graph = convert(model, [("message", StringTensorType([None] if rank == 1 else [None, 1]))], extra, None)
        return Export(graph, {"message": ["message"]}, "skl2onnx", tolerance, {}, lambda rows: model.predict_proba(pick(rows)))


messages("tfidf_logistic", make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)))
messages("tfidf_bigrams_sublinear", make_pipeline(TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True, max_features=150),
                                                  LogisticRegression(max_iter=1000)))
messages("count_multinomial_nb", make_pipeline(CountVectorizer(token_pattern=WORDS, max_features=25), MultinomialNB()))
messages("count_stop_words", make_pipeline(CountVectorizer(token_pattern=WORDS, stop_words=["the", "my", "a", "is"], lowercase=False, binary=True),
                                           LogisticRegression(max_iter=1000)))
messages("tfidf_characters", make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2), max_features=120), SGDClassifier(loss="log_loss", random_state=0)))
messages("tfidf_column", make_pipeline(ColumnTransformer([("words", TfidfVectorizer(token_pattern=WORDS), "message")]),
                                       LogisticRegression(max_iter=1000)), rank=2)

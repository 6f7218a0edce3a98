"""Keras networks, exported by tf2onnx."""

import numpy as np
import tensorflow as tf
import tf2onnx
from tensorflow.keras import layers

from networks import Task, export, task
from suite import Export, case

STEPS = (12, 3)


def train(model: tf.keras.Model, chosen: Task, inputs, epochs: int) -> None:
    last = model.outputs[0]
    if chosen.tolerance == "value":
        loss = "mse"
    else:
        loss = "binary_crossentropy" if last.shape[-1] == 1 else "sparse_categorical_crossentropy"
    model.compile(tf.keras.optimizers.Adam(0.01), loss)
    model.fit(inputs, chosen.target, epochs=epochs, batch_size=64, shuffle=False, verbose=0)


def network(name: str, about: str, epochs: int = 4, split=None, opset: int = 17):
    """Registers a builder: it takes the task and returns inputs and output of the network."""

    def register(build):
        table = {"values": "cancer"}.get(about, about)

        @case(table, f"keras_{name}")
        def make() -> Export:
            tf.keras.backend.clear_session()
            tf2onnx.utils.INTERNAL_NAME = 1
            tf.keras.utils.set_random_seed(7)
            chosen = task(about)
            inputs, output = build(chosen)
            model = tf.keras.Model(inputs, output)
            listed = inputs if isinstance(inputs, list) else [inputs]
            rows = split(chosen.inputs) if split else chosen.inputs
            train(model, chosen, rows, epochs)
            spec = [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name=x.name) for x in listed]
            call = tf.function(lambda *given: model(list(given) if len(given) > 1 else given[0], training=False))
            graph, _ = tf2onnx.convert.from_function(call, input_signature=spec, opset=opset)
            names = [x.name.split(":")[0] for x in graph.graph.input]
            columns = split_columns(chosen, listed) if split else [chosen.columns]
            own = None if split else lambda frame: native(model, chosen, frame)
            return export(graph, chosen, "tf2onnx, Keras", dict(zip(names, columns, strict=True)), own)

        return build

    return register


def native(model, chosen: Task, frame) -> np.ndarray:
    rows = frame[chosen.columns].to_numpy().astype(chosen.inputs.dtype)
    return model.predict(rows.reshape(-1, *chosen.inputs.shape[1:]), verbose=0)


def split_columns(chosen: Task, inputs: list) -> list[list[str]]:
    out, at = [], 0
    for x in inputs:
        width = int(np.prod(x.shape[1:]))
        out.append(chosen.columns[at:at + width])
        at += width
    return out


def scaled(chosen: Task):
    """The input and the training rows' mean and deviation taken out of it."""
    x = layers.Input(chosen.inputs.shape[1:], name="x")
    mean, deviation = chosen.inputs.mean(axis=0), chosen.inputs.std(axis=0)
    return x, layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist())(x)


def yes(y):
    return layers.Dense(1, activation="sigmoid")(y)


@network("dense_binary", "cancer")
def dense_binary(chosen):
    x, y = scaled(chosen)
    y = layers.Dense(16, activation="relu")(y)
    y = layers.Dropout(0.2)(layers.BatchNormalization()(y))
    return x, yes(layers.Dense(8, activation="tanh")(y))


@network("dense_softmax", "wine", epochs=20)
def dense_softmax(chosen):
    x, y = scaled(chosen)
    y = layers.Dense(12, activation="selu")(y)
    return x, layers.Dense(3, activation="softmax")(layers.Dense(8, activation="elu")(y))


@network("dense_regression", "diabetes", epochs=40)
def dense_regression(chosen):
    x, y = scaled(chosen)
    y = layers.Dense(24, activation="swish")(y)
    y = layers.Dense(8, activation="softplus")(layers.LeakyReLU()(y))
    return x, layers.Rescaling(100.0)(layers.Dense(1)(y))


@network("autoencoder", "values", epochs=10)
def autoencoder(chosen):
    x, y = scaled(chosen)
    y = layers.Dense(3, activation="tanh")(y)
    y = layers.Dense(8, activation="relu")(y)
    return x, layers.Dense(5)(y)


@network("cnn", "digits")
def cnn(_):
    x = layers.Input((8, 8), name="x")
    y = layers.Reshape((8, 8, 1))(layers.Rescaling(1 / 16)(x))
    y = layers.MaxPooling2D()(layers.Conv2D(8, 3, padding="same", activation="relu")(y))
    y = layers.Conv2D(8, 3, activation="relu")(y)
    return x, layers.Dense(4, activation="softmax")(layers.Flatten()(y))


@network("cnn_separable", "digits")
def cnn_separable(_):
    x = layers.Input((8, 8), name="x")
    y = layers.Reshape((8, 8, 1))(layers.Rescaling(1 / 16)(x))
    y = layers.SeparableConv2D(8, 3, padding="same", activation="relu")(y)
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides=2, padding="same")(y))
    return x, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(y))


@network("cnn_1d", "cards")
def cnn_1d(_):
    x = layers.Input(STEPS, name="x")
    y = layers.Conv1D(8, 3, padding="causal", activation="relu")(x)
    y = layers.Conv1D(8, 3, padding="same", dilation_rate=2, activation="relu")(layers.AveragePooling1D(2)(y))
    return x, yes(layers.GlobalMaxPooling1D()(y))


@network("lstm", "cards")
def lstm(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.LSTM(12)(x))


@network("lstm_stacked", "cards")
def lstm_stacked(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.LSTM(6)(layers.LSTM(8, return_sequences=True)(x)))


@network("lstm_bidirectional", "cards")
def lstm_bidirectional(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.Bidirectional(layers.LSTM(8))(x))


@network("gru", "cards")
def gru(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.GRU(10, reset_after=False)(x))


@network("gru_reset_after", "cards")
def gru_reset_after(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.GRU(10)(x))


@network("simple_rnn", "cards")
def simple_rnn(_):
    x = layers.Input(STEPS, name="x")
    return x, yes(layers.SimpleRNN(10)(x))


@network("attention", "cards")
def attention(_):
    x = layers.Input(STEPS, name="x")
    y = layers.Dense(16)(x)
    y = layers.LayerNormalization()(layers.Add()([y, layers.MultiHeadAttention(num_heads=2, key_dim=8)(y, y)]))
    y = layers.LayerNormalization()(layers.Add()([y, layers.Dense(16)(layers.Dense(24, activation="relu")(y))]))
    return x, yes(layers.GlobalAveragePooling1D()(y))


@network("embedding", "tokens")
def embedding(_):
    x = layers.Input((16,), dtype="int64", name="x")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(128, 8)(x))
    return x, layers.Dense(4, activation="softmax")(layers.Dense(8, activation="relu")(y))


@network("text_lstm", "tokens")
def text_lstm(_):
    x = layers.Input((16,), dtype="int64", name="x")
    return x, layers.Dense(4, activation="softmax")(layers.LSTM(8)(layers.Embedding(128, 8)(x)))


@network("two_inputs", "tokens", split=lambda ids: [ids[:, :1], ids[:, 1:4]])
def two_inputs(_):
    first, more = layers.Input((1,), dtype="int64", name="first"), layers.Input((3,), dtype="int64", name="more")
    y = layers.Flatten()(layers.Embedding(128, 6)(first))
    z = layers.Flatten()(layers.Embedding(128, 4)(more))
    return [first, more], layers.Dense(4, activation="softmax")(layers.Dense(8, activation="relu")(layers.Concatenate()([y, z])))

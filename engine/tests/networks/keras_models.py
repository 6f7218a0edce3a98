"""Exports small Keras networks with tf2onnx and records onnxruntime's outputs.

Usage: keras_models.py FOLDER [NAME ...]
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf
import tf2onnx
from tensorflow.keras import layers

from record import record

F32, I64 = tf.float32, tf.int64


def gelu(x):
    return tf.keras.activations.gelu(x, approximate=True)  # tf2onnx writes an operator that ONNX has not for the exact one


def dense():
    x = layers.Input((10,))
    y = layers.Dense(64, activation="relu")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Dense(32, activation="relu")(y)
    return x, layers.Dense(1, activation="sigmoid")(y)


def cnn():
    x = layers.Input((28, 28, 1))
    y = layers.Conv2D(32, 3, activation="relu")(x)
    y = layers.MaxPooling2D()(y)
    y = layers.Conv2D(64, 3, activation="relu")(y)
    y = layers.MaxPooling2D()(y)
    y = layers.Flatten()(y)
    return x, layers.Dense(10, activation="softmax")(y)


def cnn_1d():
    x = layers.Input((40, 4))
    y = layers.Conv1D(16, 5, padding="causal", activation="relu")(x)
    y = layers.AveragePooling1D(2)(y)
    y = layers.Conv1D(16, 3, padding="same", dilation_rate=2, activation="relu")(y)
    y = layers.GlobalAveragePooling1D()(y)
    return x, layers.Dense(1, activation="sigmoid")(y)


def separable():
    x = layers.Input((16, 16, 3))
    y = layers.SeparableConv2D(8, 3, padding="same", activation="relu")(x)
    y = layers.DepthwiseConv2D(3, strides=2, padding="same")(y)
    y = layers.GlobalMaxPooling2D()(y)
    return x, layers.Dense(3, activation="softmax")(y)


def lstm():
    x = layers.Input((30, 8))
    y = layers.LSTM(32)(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def lstm_stack():
    x = layers.Input((12, 5))
    y = layers.LSTM(16, return_sequences=True)(x)
    y = layers.LSTM(8)(y)
    return x, layers.Dense(1)(y)


def lstm_relu():
    x = layers.Input((9, 4))
    y = layers.LSTM(7, activation="relu", recurrent_activation="hard_sigmoid")(x)
    return x, layers.Dense(1)(y)


def bilstm():
    x = layers.Input((20, 6))
    y = layers.Bidirectional(layers.LSTM(16))(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def gru():
    x = layers.Input((20, 6))
    y = layers.GRU(16, reset_after=False)(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def gru_unrolled():
    x = layers.Input((8, 6))
    y = layers.GRU(16, unroll=True)(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def gru_after():
    x = layers.Input((20, 6))
    y = layers.GRU(16)(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def rnn():
    x = layers.Input((20, 6))
    y = layers.SimpleRNN(16)(x)
    return x, layers.Dense(1, activation="sigmoid")(y)


def attention():
    x = layers.Input((20, 8))
    y = layers.Dense(32)(x)
    for _ in range(2):
        a = layers.MultiHeadAttention(num_heads=2, key_dim=16)(y, y)
        y = layers.LayerNormalization()(layers.Add()([y, a]))
        f = layers.Dense(32)(layers.Dense(64, activation=gelu)(y))
        y = layers.LayerNormalization()(layers.Add()([y, f]))
    y = layers.GlobalAveragePooling1D()(y)
    return x, layers.Dense(1, activation="sigmoid")(y)


def recommender():
    user = layers.Input((1,), dtype="int64", name="user")
    item = layers.Input((1,), dtype="int64", name="item")
    u = layers.Flatten()(layers.Embedding(50, 8)(user))
    i = layers.Flatten()(layers.Embedding(100, 8)(item))
    y = layers.Concatenate()([u, i])
    y = layers.Dense(16, activation="relu")(y)
    y = layers.Dense(1)(layers.Concatenate()([y, layers.Dot(axes=1)([u, i])]))
    return [user, item], y


def tokens():
    x = layers.Input((24,), dtype="int64", name="tokens")
    y = layers.Embedding(200, 16)(x)
    y = layers.GlobalAveragePooling1D()(layers.Conv1D(16, 3, activation="relu")(y))
    return x, layers.Dense(1, activation="sigmoid")(y)


def autoencoder():
    x = layers.Input((12,))
    y = layers.Dense(6, activation="tanh")(x)
    y = layers.Dense(3, activation="selu")(y)
    y = layers.Dense(6, activation="elu")(y)
    return x, layers.Dense(12)(y)


def autoencoder_2d():
    x = layers.Input((16, 16, 1))
    y = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(y)
    y = layers.UpSampling2D()(layers.MaxPooling2D()(y))
    return x, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(y)


def activations():
    x = layers.Input((8, 6))
    y = layers.PReLU()(layers.Dense(6)(x))
    y = layers.LeakyReLU()(layers.Dense(6, activation="swish")(y))
    y = layers.Dense(6, activation="softplus")(y)
    y = layers.Reshape((48,))(layers.Permute((2, 1))(y))
    return x, layers.Dense(1, activation="hard_sigmoid")(y)


MODELS = [
    dense, cnn, cnn_1d, separable, lstm, lstm_stack, lstm_relu, bilstm, gru, gru_after, gru_unrolled, rnn,
    attention, recommender, tokens, autoencoder, autoencoder_2d, activations,
]


def main(folder, names):
    for build in MODELS:
        if names and build.__name__ not in names:
            continue
        tf.keras.utils.set_random_seed(7)
        inputs, output = build()
        model = tf.keras.Model(inputs, output)
        listed = inputs if isinstance(inputs, list) else [inputs]
        spec = [
            tf.TensorSpec((None, *x.shape[1:]), I64 if x.dtype == "int64" else F32, name=x.name)
            for x in listed
        ]
        call = tf.function(lambda *a: model(list(a) if len(a) > 1 else a[0], training=False))
        onnx, _ = tf2onnx.convert.from_function(call, input_signature=spec, opset=17)
        record(folder, "keras_" + build.__name__, onnx, {"user": 50, "item": 100, "tokens": 200})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Exports small PyTorch networks and records onnxruntime's outputs.

Usage: torch_models.py FOLDER [NAME ...]
"""

import io
import sys
import warnings

import onnx
import torch
from torch import nn

from record import record

warnings.filterwarnings("ignore")


class Last(nn.Module):
    """A recurrent layer and a head on its last step."""

    def __init__(self, cell, width, hidden, **options):
        super().__init__()
        self.cell = cell(width, hidden, batch_first=True, **options)
        self.head = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), 1)

    def forward(self, x):
        y, _ = self.cell(x)
        return torch.sigmoid(self.head(y[:, -1]))


class Encoder(nn.Module):
    def __init__(self, steps, width):
        super().__init__()
        self.embed = nn.Linear(width, 32)
        self.position = nn.Parameter(torch.randn(1, steps, 32))
        layer = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return torch.sigmoid(self.head(self.encoder(self.embed(x) + self.position).mean(1)))


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(50, 8), nn.Embedding(100, 8)
        self.net = nn.Sequential(nn.Linear(17, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, user, item):
        u, i = self.user(user), self.item(item)
        return self.net(torch.cat([u, i, (u * i).sum(-1, keepdim=True)], -1))


class Tokens(nn.Module):
    """Token and position embeddings, one attention layer."""

    def __init__(self, steps):
        super().__init__()
        self.token, self.place = nn.Embedding(100, 16), nn.Embedding(steps, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        y = self.token(x) + self.place(torch.arange(x.shape[1]))
        y = y + self.attention(y, y, y, need_weights=False)[0]
        return torch.softmax(self.head(y.amax(1)), -1)


class AutoencoderImage(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.GELU(),
            nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1), nn.InstanceNorm2d(8, affine=True), nn.ReLU(),
            nn.AvgPool2d(2), nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(8, 1, 3, padding=1),
        )

    def forward(self, x):
        return torch.sigmoid(self.net(x))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(32),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(1600, 10), nn.Softmax(-1),
    )


def tcn():
    return nn.Sequential(
        nn.Conv1d(4, 16, 3, padding=2, dilation=2), nn.ReLU(), nn.GroupNorm(4, 16),
        nn.Conv1d(16, 16, 3, padding=4, dilation=4), nn.ELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(16, 1), nn.Sigmoid(),
    )


def dense():
    return nn.Sequential(
        nn.Linear(10, 64), nn.ReLU(), nn.LayerNorm(64), nn.Dropout(0.1), nn.Linear(64, 32), nn.SiLU(),
        nn.Linear(32, 2), nn.Softmax(-1),
    )


F = torch.randn
MODELS = {
    "dense": (dense, [F(1, 10)], ["x"]),
    "cnn": (cnn, [F(1, 1, 28, 28)], ["image"]),
    "tcn": (tcn, [F(1, 4, 40)], ["series"]),
    "lstm": (lambda: Last(nn.LSTM, 8, 32), [F(1, 30, 8)], ["x"]),
    "lstm_stack": (lambda: Last(nn.LSTM, 8, 16, num_layers=2, bidirectional=True), [F(1, 12, 8)], ["x"]),
    "gru": (lambda: Last(nn.GRU, 6, 16), [F(1, 20, 6)], ["x"]),
    "gru_both": (lambda: Last(nn.GRU, 6, 16, bidirectional=True), [F(1, 20, 6)], ["x"]),
    "rnn": (lambda: Last(nn.RNN, 6, 16, nonlinearity="relu"), [F(1, 20, 6)], ["x"]),
    "encoder": (lambda: Encoder(20, 8), [F(1, 20, 8)], ["x"]),
    "recommender": (Recommender, [torch.tensor([3]), torch.tensor([5])], ["user", "item"]),
    "tokens": (lambda: Tokens(16), [torch.zeros(1, 16, dtype=torch.int64)], ["tokens"]),
    "autoencoder": (AutoencoderImage, [F(1, 1, 16, 16)], ["image"]),
}


def main(folder, names):
    for name, (build, example, inputs) in MODELS.items():
        if names and name not in names:
            continue
        torch.manual_seed(7)
        for fixed in ("", "_fixed"):
            axes = {} if fixed else {k: {0: "batch"} for k in [*inputs, "y"]}
            file = io.BytesIO()
            torch.onnx.export(
                build().eval(), tuple(example), file, input_names=inputs, output_names=["y"],
                dynamic_axes=axes, opset_version=17,
            )
            record(folder, "torch_" + name + fixed, onnx.load_from_string(file.getvalue()),
                   {"user": 50, "item": 100, "tokens": 100})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

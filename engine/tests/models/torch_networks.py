"""PyTorch networks, exported by torch.onnx."""

import io
import warnings

import numpy as np
import onnx
import torch
from torch import nn

from networks import Task, export, task
from suite import Export, case

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


class Scale(nn.Module):
    """Takes the training rows' mean and deviation out of the input."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(rows.mean(axis=0)))
        self.register_buffer("deviation", torch.tensor(rows.std(axis=0)))

    def forward(self, x):
        return (x - self.mean) / self.deviation


class Last(nn.Module):
    """A recurrent layer over [rows, steps, channels] and a head on its last step."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        steps, _ = self.layer(x)
        return torch.sigmoid(self.head(steps[:, -1]))


class Encoder(nn.Module):
    """A transformer's encoder over steps, or over words with places."""

    def __init__(self, embed: nn.Module, classes: int) -> None:
        super().__init__()
        self.embed = embed
        self.places = nn.Parameter(torch.randn(16, 16) * 0.1)
        layer = nn.TransformerEncoderLayer(16, 2, 24, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        y = self.embed(x)
        y = self.encoder(y + self.places[:y.shape[1]]).mean(dim=1)
        y = self.head(y)
        return torch.sigmoid(y) if y.shape[1] == 1 else torch.softmax(y, dim=1)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1))
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        y = self.first(x.unsqueeze(1) / 16)
        y = torch.relu(y + self.block(y))
        y = nn.functional.adaptive_avg_pool2d(y, 1).flatten(1)
        return torch.softmax(self.head(y), dim=1)


class TwoHeads(nn.Module):
    """A probability and an embedding of the row."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self.body = nn.Sequential(Scale(rows), nn.Linear(rows.shape[1], 4), nn.Tanh())
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        y = self.body(x)
        return torch.sigmoid(self.head(y)), nn.functional.normalize(y, dim=1)


class Words(nn.Module):
    """Word vectors, summed up by attention weights."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(128, 8, padding_idx=0)
        self.weight = nn.Linear(8, 1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        y = self.vectors(x)
        weights = torch.softmax(self.weight(y).masked_fill((x == 0).unsqueeze(2), -1e9), dim=1)
        return torch.softmax(self.head((y * weights).sum(dim=1)), dim=1)


class Image(nn.Module):
    """[rows, height, width] as images of one channel."""

    def forward(self, x):
        return (x / 16).unsqueeze(1)


class Turned(nn.Module):
    """[rows, steps, channels] as channels of steps."""

    def forward(self, x):
        return x.transpose(1, 2)


def train(model: nn.Module, chosen: Task, epochs: int) -> None:
    rows, target = torch.tensor(chosen.inputs), torch.tensor(chosen.target)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    model.train()
    for _ in range(epochs):
        for at in range(0, len(rows), 64):
            out = model(rows[at:at + 64])
            out, wanted = out[0] if isinstance(out, tuple) else out, target[at:at + 64]
            if chosen.tolerance == "value":
                loss = nn.functional.mse_loss(out, wanted.reshape(out.shape))
            elif out.shape[1] == 1:
                loss = nn.functional.binary_cross_entropy(out[:, 0], wanted.float())
            else:
                loss = nn.functional.nll_loss(torch.log(out + 1e-9), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()


def network(name: str, about: str, epochs: int = 4, opset: int = 17, outputs: tuple[str, ...] = ("output",), declaration: dict | None = None):
    """Registers a function that makes the network for its task."""

    def register(build):
        table = {"values": "cancer"}.get(about, about)

        @case(table, f"torch_{name}")
        def make() -> Export:
            torch.manual_seed(7)
            chosen = task(about)
            model = build(chosen)
            train(model, chosen, epochs)
            content = io.BytesIO()
            axes = {"input": {0: "rows"}} | {output: {0: "rows"} for output in outputs}
            torch.onnx.export(model, (torch.tensor(chosen.inputs[:2]),), content, input_names=["input"], output_names=list(outputs),
                              dynamic_axes=axes, opset_version=opset)
            graph = onnx.load_from_string(content.getvalue())
            return export(graph, chosen, "torch.onnx", None, lambda frame: native(model, chosen, frame), declaration)

        return build

    return register


def native(model: nn.Module, chosen: Task, frame) -> np.ndarray:
    rows = frame[chosen.columns].to_numpy().astype(chosen.inputs.dtype)
    with torch.no_grad():
        out = model(torch.tensor(rows.reshape(-1, *chosen.inputs.shape[1:])))
    return np.hstack([part.numpy() for part in out]) if isinstance(out, tuple) else out.numpy()


def yes(width: int) -> list[nn.Module]:
    return [nn.Linear(width, 1), nn.Sigmoid()]


@network("dense_binary", "cancer")
def dense_binary(chosen):
    return nn.Sequential(Scale(chosen.inputs), nn.Linear(20, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 8), nn.GELU(), *yes(8))


@network("dense_batch_norm", "wine", epochs=20)
def dense_batch_norm(chosen):
    return nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 12), nn.SiLU(), nn.BatchNorm1d(12), nn.Linear(12, 3), nn.Softmax(dim=1))


@network("dense_regression", "diabetes", epochs=60)
def dense_regression(chosen):
    return nn.Sequential(Scale(chosen.inputs), nn.Linear(10, 24), nn.LeakyReLU(0.1), nn.LayerNorm(24), nn.Linear(24, 8), nn.ELU(), nn.Linear(8, 1))


@network("autoencoder", "values", epochs=20)
def autoencoder(chosen):
    return nn.Sequential(Scale(chosen.inputs), nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 8), nn.PReLU(8), nn.Linear(8, 5))


@network("two_heads", "cancer", outputs=("probability", "embedding"), declaration={"task": "binary", "output": "probability"})
def two_heads(chosen):
    return TwoHeads(chosen.inputs)


@network("cnn", "digits")
def cnn(_):
    return nn.Sequential(Image(), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
                         nn.Flatten(), nn.Linear(32, 4), nn.Softmax(dim=1))


@network("cnn_residual", "digits")
def cnn_residual(_):
    return Residual()


@network("cnn_1d", "cards")
def cnn_1d(_):
    return nn.Sequential(Turned(), nn.Conv1d(3, 8, 3, padding=2, dilation=2), nn.ReLU(), nn.AvgPool1d(2), nn.Conv1d(8, 8, 3), nn.Hardswish(),
                         nn.AdaptiveMaxPool1d(1), nn.Flatten(), *yes(8))


@network("lstm", "cards")
def lstm(_):
    return Last(nn.LSTM(3, 12, batch_first=True), 12)


@network("lstm_bidirectional", "cards")
def lstm_bidirectional(_):
    return Last(nn.LSTM(3, 8, num_layers=2, batch_first=True, bidirectional=True), 16)


@network("gru", "cards")
def gru(_):
    return Last(nn.GRU(3, 12, batch_first=True), 12)


@network("gru_stacked", "cards")
def gru_stacked(_):
    return Last(nn.GRU(3, 8, num_layers=2, batch_first=True), 8)


@network("rnn", "cards")
def rnn(_):
    return Last(nn.RNN(3, 10, batch_first=True, nonlinearity="relu"), 10)


@network("transformer", "cards")
def transformer(_):
    return Encoder(nn.Linear(3, 16), 1)


@network("transformer_words", "tokens", opset=14)
def transformer_words(_):
    return Encoder(nn.Embedding(128, 16), 4)


@network("word_attention", "tokens")
def word_attention(_):
    return Words()

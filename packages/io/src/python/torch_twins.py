"""The networks of torch.test.ts in PyTorch: checks what was saved there, and saves its own. Usage: torch_twins.py FOLDER"""

import json
import struct
import sys

import numpy as np
import torch
from torch import nn

FOLDER = sys.argv[1]


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        return self.fc(torch.flatten(self.pool(torch.relu(self.conv2(x))), 1))


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.rnn = layer(3, 7, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(14, 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


def norms():
    return nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 6), nn.BatchNorm1d(6))


NETS = {"cnn": CNN, "lstm": lambda: Recurrent(nn.LSTM), "gru": lambda: Recurrent(nn.GRU), "norms": norms}

# ── safetensors in a few lines: Debian has no package of it ──────────────────────────────────────────

TYPES = {"F32": np.float32, "I32": np.int32, "I64": np.int64}


def load(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: torch.from_numpy(np.frombuffer(data[slice(*e["data_offsets"])], TYPES[e["dtype"]]).reshape(e["shape"]).copy())
        for name, e in header.items()
    }


def save(state, path):
    header, parts, at = {}, [], 0
    for name, t in state.items():
        array = t.detach().numpy()
        part = array.tobytes()
        dtype = {v: k for k, v in TYPES.items()}[array.dtype.type]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


# ── both ways ────────────────────────────────────────────────────────────────────────────────────────

torch.manual_seed(1)
for name, make in NETS.items():
    ours = np.load(f"{FOLDER}/{name}.ours.npz")
    x = torch.from_numpy(ours["x"])

    net = make()
    net.load_state_dict(load(f"{FOLDER}/{name}.ours.safetensors"), strict=True)
    error = np.abs(net.eval()(x).detach().numpy() - ours["y"]).max()
    print(name, "largest difference", error)
    assert error <= 1e-5, name
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            assert value.dtype == torch.int64 and value == 3, key

    net = make()
    for _ in range(5):
        net.train()(torch.randn_like(x) * 2 + 1)  # running statistics that are not the initial ones
    save(net.state_dict(), f"{FOLDER}/{name}.torch.safetensors")
    np.savez(f"{FOLDER}/{name}.torch.state.npz", **{key: t.detach().numpy() for key, t in net.state_dict().items()})
    np.savez_compressed(f"{FOLDER}/{name}.torch.npz", x=x.numpy(), y=net.eval()(x).detach().numpy())

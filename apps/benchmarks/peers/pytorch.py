"""The workloads in PyTorch, eager, on the CPU. Protocol and JSON lines as in ../src/measure.ts and ../src/result.ts."""

import json
import os
import platform
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

request = json.loads(sys.argv[1])
quick = request["quick"]
torch.set_num_threads(request["threads"])
torch.manual_seed(0)


def measure(run):
    def timed():
        before = time.perf_counter()
        run()
        return (time.perf_counter() - before) * 1e3

    if quick:
        return [timed()]
    start, n = time.perf_counter(), 0
    while (n < 2 or time.perf_counter() - start < 0.3) and time.perf_counter() - start < 10:
        run()
        n += 1
    times, start = [], time.perf_counter()
    while True:
        times.append(timed())
        passed = time.perf_counter() - start
        if (len(times) >= 10 and passed >= 0.7) or (len(times) >= 3 and passed > 20) or len(times) >= 2000:
            return sorted(times)


def gflops(operations):
    return lambda ms: {"gflops": round(operations / ms / 1e6, 3)}


def gigabytes(count):
    return lambda ms: {"GBs": round(count / ms / 1e6, 3)}


def per_second(name, count):
    return lambda ms: {name: round(count * 1e3 / ms)}


def reading(f):
    """Without gradients; one element of the result is read."""

    def run():
        with torch.no_grad():
            return f().flatten()[0].item()

    return run


def training(optimizer, loss):
    def run():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    return run


def gemm(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    return reading(lambda: torch.mm(a, b)), gflops(2 * n**3)


def gemv(transposed):
    w, x = torch.randn(1024, 1024), torch.randn(1, 1024)
    return reading(lambda: x @ w if transposed else F.linear(x, w)), gflops(2 * 1024**2)


def conv(batch, into, out, size, kernel, stride, padding, groups):
    layer = nn.Conv2d(into, out, kernel, stride, padding, groups=groups)
    x = torch.randn(batch, into, size, size)
    operations = 2 * batch * (size // stride) ** 2 * out * (into // groups) * kernel**2
    return reading(lambda: layer(x)), gflops(operations)


def recurrent(kind, gates, batch, into, hidden):
    layer, x = kind(into, hidden), torch.randn(100, batch, into)
    return reading(lambda: layer(x)[0]), gflops(2 * 100 * batch * gates * hidden * (into + hidden))


def eltwise():
    a, b, c, d = (torch.randn(2**20) for _ in range(4))
    return reading(lambda: torch.tanh(a * b + c) * torch.sigmoid(d)), gigabytes(20 * 2**20)


def cnn():
    def block(into, out):
        return [nn.Conv2d(into, out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))


def infer_cnn():
    net, x = cnn().eval(), torch.randn(1, 1, 28, 28)
    run = reading(lambda: net(x))
    run()
    startup = round((time.time() - float(os.environ["T0"])) * 1e3)
    return run, lambda ms: {"startup_ms": startup}


def classifier(net, x, optimizer):
    y = torch.randint(0, 10, (len(x),))
    return training(optimizer, lambda: F.cross_entropy(net(x), y)), per_second("samples_s", len(x))


def train_mlp():
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    return classifier(net, torch.randn(64, 784), torch.optim.Adam(net.parameters(), 1e-3))


def train_cnn():
    net = cnn()
    return classifier(net, torch.randn(64, 1, 28, 28), torch.optim.Adam(net.parameters(), 1e-3))


def language(kind, embed):
    symbols, hidden, steps, batch = 64, 256, 64, 32
    rnn, head, embedding = kind(symbols, hidden), nn.Linear(hidden, symbols), nn.Embedding(symbols, symbols)
    parts = [rnn, head, *([embedding] if embed else [])]
    optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()], 1e-3)
    ids, following = torch.randint(0, symbols, (steps, batch)), torch.randint(0, symbols, (steps * batch,))

    def loss():
        x = embedding(ids) if embed else F.one_hot(ids, symbols).float()
        return F.cross_entropy(head(rnn(x)[0]).reshape(-1, symbols), following)

    return training(optimizer, loss), per_second("tokens_s", batch * steps)


class Block(nn.Module):
    """Of ResNet-20; shortcuts without parameters, as the paper has them for CIFAR-10."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.more = o - i

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(y + x)


def train_resnet():
    sizes = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
    blocks = [Block(*first) for i, o, s in sizes for first in [(i, o, s), (o, o, 1), (o, o, 1)]]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    net = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    return classifier(net, torch.randn(32, 3, 32, 32), optimizer)


class Inverted(nn.Module):
    """Of MobileNetV2."""

    def __init__(self, i, o, stride, factor):
        super().__init__()
        wide = i * factor
        first = [conv_bn(i, wide, 1)] if factor != 1 else []
        self.body = nn.Sequential(*first, conv_bn(wide, wide, 3, stride, wide), conv_bn(wide, o, 1, act=False))
        self.same = stride == 1 and i == o

    def forward(self, x):
        return x + self.body(x) if self.same else self.body(x)


def conv_bn(i, o, kernel, stride=1, groups=1, act=True):
    conv = nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(o), *([nn.ReLU6()] if act else []))


def fuse(module):
    children = list(module.named_children())
    for (a, first), (b, norm) in zip(children, children[1:]):
        if isinstance(first, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, a, fuse_conv_bn_eval(first, norm))
            setattr(module, b, nn.Identity())
    for _, child in module.named_children():
        fuse(child)


def mobilenet(fused):
    layers, i = [conv_bn(3, 32, 3, 2)], 32
    sizes = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for factor, o, times, stride in sizes:
        for n in range(times):
            layers.append(Inverted(i, o, stride if n == 0 else 1, factor))
            i = o
    net = nn.Sequential(*layers, conv_bn(320, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    net.eval()
    if fused:
        fuse(net)
    x = torch.randn(1, 3, 224, 224)
    return reading(lambda: net(x)), lambda ms: {}


workloads = {
    "infer_cnn_b1": infer_cnn,
    **{f"gemm{n}": lambda n=n: gemm(n) for n in (128, 256, 512, 1024)},
    "gemv1024": lambda: gemv(False),
    "gemv1024_t": lambda: gemv(True),
    "conv_a": lambda: conv(1, 64, 64, 56, 3, 1, 1, 1),
    "conv_b": lambda: conv(8, 16, 32, 28, 3, 1, 1, 1),
    "conv_c": lambda: conv(1, 256, 256, 28, 1, 1, 0, 1),
    "conv_d": lambda: conv(1, 128, 128, 56, 3, 1, 1, 128),
    "conv_e": lambda: conv(1, 3, 64, 224, 7, 2, 3, 1),
    **{
        f"{name}_{tag}": lambda kind=kind, gates=gates, sizes=sizes: recurrent(kind, gates, *sizes)
        for name, kind, gates in (("rnn", nn.RNN, 1), ("gru", nn.GRU, 3), ("lstm", nn.LSTM, 4))
        for tag, sizes in (("b1", (1, 64, 128)), ("b32", (32, 128, 256)))
    },
    "eltwise1M": eltwise,
    "train_mlp": train_mlp,
    "train_cnn": train_cnn,
    "train_resnet20": train_resnet,
    "infer_mobilenet": lambda: mobilenet(True),
    "infer_mobilenet_unfolded": lambda: mobilenet(False),
    "train_lstm_onehot": lambda: language(nn.LSTM, False),
    "train_lstm_embed": lambda: language(nn.LSTM, True),
    "train_gru_onehot": lambda: language(nn.GRU, False),
    "train_gru_embed": lambda: language(nn.GRU, True),
}

contender = {
    "where": "python",
    "where_version": platform.python_version(),
    "library": f"torch-{torch.__version__}",
    "backend": "cpu",
    "threads": torch.get_num_threads(),
}
for name in request["workloads"]:
    if name not in workloads:
        continue
    try:
        run, derived = workloads[name]()
        times = measure(run)
        median = times[len(times) // 2]
        figures = {"median_ms": round(median, 5), "min_ms": round(times[0], 5), "reps": len(times), "derived": derived(median)}
        line = {**contender, "workload": name, **figures}
    except Exception as error:
        line = {**contender, "workload": name, "error": str(error)[:600]}
    print(json.dumps(line), flush=True)

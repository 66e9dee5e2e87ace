# One training step of a 784-256-10 perceptron: relu, cross entropy, Adam, batch 64.
from torch_common import *

net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
opt = torch.optim.Adam(net.parameters(), 1e-3)
x = torch.randn(64, 784)
y = torch.randint(0, 10, (64,))


def step():
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
    return loss.item()


l0 = step()
m = bench(step)
emit(LIB, BK, "train_mlp", m, {"samples_s": round(64e3 / m[0])}, loss=[l0, step()])

# Matrix-vector, 1024 x 1024: gemv1024 is nn.Linear without bias, W (out, in); gemv1024_t is x @ W, W (in, out).
from torch_common import *

n = 1024
x = torch.randn(1, n)
w = torch.randn(n, n)
for name, f in (("gemv1024", lambda: F.linear(x, w)), ("gemv1024_t", lambda: x @ w)):
    with torch.no_grad():
        m = bench(lambda: f()[0, 0].item())
    emit(LIB, BK, name, m, {"gflops": round(2 * n * n / m[0] / 1e6, 3), "GBs": round(4 * n * n / m[0] / 1e6, 3)})

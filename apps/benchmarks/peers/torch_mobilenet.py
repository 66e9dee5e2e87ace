# MobileNetV2 on one 224 x 224 image: with BatchNorm fused into the convolutions, and without; with JIT=1 in the
# environment also traced, frozen and optimised for inference. With EXPORT=FILE it measures nothing, and writes the
# model for ort_mobilenet.mjs.
from torch_common import *
from torch.nn.utils.fusion import fuse_conv_bn_eval


def conv_norm_relu(i, o, kernel, stride=1, groups=1):
    conv = nn.Conv2d(i, o, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(o), nn.ReLU6())


class InvertedResidual(nn.Module):
    def __init__(self, i, o, stride, expansion):
        super().__init__()
        hidden = i * expansion
        self.conv = nn.Sequential(
            *([] if expansion == 1 else [conv_norm_relu(i, hidden, 1)]),
            conv_norm_relu(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, o, 1, bias=False),
            nn.BatchNorm2d(o),
        )
        self.residual = stride == 1 and i == o

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


def mobilenet_v2():
    layers, i = [conv_norm_relu(3, 32, 3, 2)], 32
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, o, count, stride in stages:
        for n in range(count):
            layers.append(InvertedResidual(i, o, stride if n == 0 else 1, expansion))
            i = o
    layers.append(conv_norm_relu(320, 1280, 1))
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 1000)]
    net = nn.Sequential(*layers, *head)
    for module in net.modules():  # torchvision's first weights
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    return net.eval()


def fuse(module):
    children = list(module.named_children())
    for (a, conv), (b, norm) in zip(children, children[1:]):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, a, fuse_conv_bn_eval(conv, norm))
            setattr(module, b, nn.Identity())
    for _, child in module.named_children():
        fuse(child)
    return module


net = mobilenet_v2()
x = torch.randn(1, 3, 224, 224)
with torch.no_grad():
    if "EXPORT" in os.environ:
        torch.onnx.export(net, x, os.environ["EXPORT"], input_names=["x"], output_names=["y"], opset_version=13)
        sys.exit(0)
    for name in ("infer_mobilenet_unfolded", "infer_mobilenet"):
        if name == "infer_mobilenet":
            fuse(net)
        m = bench(lambda: net(x)[0, 0].item())
        emit(LIB, BK, name, m, {})
    if "JIT" in os.environ:
        jitted = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
        m = bench(lambda: jitted(x)[0, 0].item())
        emit(LIB, BK + ", jit", "infer_mobilenet", m, {})

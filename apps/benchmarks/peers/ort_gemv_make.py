# The ONNX models of ort_gemv.mjs: the weight is an initializer, as in every exported network, so that ONNX Runtime may
# pack it once.
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

n = 1024
weight = (np.random.default_rng(0).standard_normal((n, n)) * 0.1).astype(np.float32)
os.makedirs(os.environ["ONNX_DIR"], exist_ok=True)
for name, node in (
    ("gemv1024", helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)),
    ("gemv1024_t", helper.make_node("MatMul", ["x", "w"], ["y"])),
):
    graph = helper.make_graph(
        [node],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, n])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, n])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(os.environ["ONNX_DIR"], name + ".onnx"))

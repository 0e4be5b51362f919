"""Writes tests/golden/precision.safetensors: a product and a convolution under PyTorch's bf16 autocast. The tests read the
file; they never need Python.

    pip install torch==2.13.0 safetensors && python tools/golden/precision.py
"""
import torch
import torch.nn.functional as F
from common import record, write


def in_bf16(function):
    """`function` under autocast; its result, which PyTorch rounds to bf16, as f32."""
    def call(**inputs):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return function(**inputs).float()
    return call


def precision():
    torch.manual_seed(7)
    out = {}
    record(out, "linear", in_bf16(lambda x0, x1: F.linear(x0, x1)), x0=torch.randn(32, 48), x1=torch.randn(32, 48))
    record(out, "conv2d", in_bf16(lambda x0, x1: F.conv2d(x0, x1, padding=1)),
           x0=torch.randn(2, 8, 6, 6), x1=torch.randn(8, 8, 3, 3))
    return out


if __name__ == "__main__":
    write(precision)

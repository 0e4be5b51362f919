"""Shared by the scripts of this folder: inputs, recording of one case, writing the file."""
import pathlib
import sys

import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def pattern(shape, salt, scale):
    """Numbers in [-scale, scale) that both sides compute exactly: a multiplicative hash of the position."""
    count = int(torch.Size(shape).numel())
    values = [((i + 1) * 2654435761 + salt * 40503) % 2**32 / 2**32 for i in range(count)]
    return ((torch.tensor(values, dtype=torch.float64) * 2 - 1) * scale).to(torch.float32).reshape(shape)


def record(out, case, function, **inputs):
    """Inputs, output, cotangent, and the gradient of sum(output * cotangent) for each floating input."""
    wanted = {}
    for name, tensor in inputs.items():
        out[f"{case}.{name}"] = tensor.clone()
        if tensor.is_floating_point():
            wanted[name] = inputs[name] = tensor.clone().requires_grad_()
    y = function(**inputs)
    cotangent = torch.randn(y.shape)
    (y * cotangent).sum().backward()
    out[f"{case}.y"] = y.detach().clone()
    out[f"{case}.cotangent"] = cotangent
    for name, tensor in wanted.items():
        out[f"{case}.grad.{name}"] = tensor.grad.clone()


def write(*makers):
    """Writes tests/golden/NAME.safetensors (or OUTPUT_FOLDER/NAME.safetensors) for each function, named as its function."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests" / "golden"
    folder.mkdir(parents=True, exist_ok=True)
    for make in makers:
        path = folder / f"{make.__name__}.safetensors"
        tensors = {name: tensor.contiguous() for name, tensor in make().items()}
        save_file(tensors, path, metadata={"format": "pt"})
        print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")

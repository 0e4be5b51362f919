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

CHOICES = {"adjust_lr_fn": [None, "match_rms_adamw"], "line_search_fn": [None, "strong_wolfe"]}  # numbered in this order


def flatten_optimizer(state):
    """An optimizer's state_dict() as tensors by name, which is the form that Gradus loads and saves."""
    flat = {}

    def add(path, value):
        choices = CHOICES.get(path.split(".")[-1])
        if choices:
            value = choices.index(value)
        if isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                add(f"{path}.{i}", 0 if item is None else item)
        elif isinstance(value, torch.Tensor):
            flat[path] = value.clone()
        elif value is not None:
            flat[path] = torch.tensor(float(value), dtype=torch.float64)

    for index, entries in state["state"].items():
        for name, value in entries.items():
            add(f"state.{index}.{name}", value)
    for index, group in enumerate(state["param_groups"]):
        for name, value in group.items():
            if name == "params":
                flat[f"param_groups.{index}.params"] = torch.tensor(value, dtype=torch.int64)
            else:
                add(f"param_groups.{index}.{name}", value)
    return flat


def unflatten_optimizer(flat, like):
    """The reverse, for PyTorch's load_state_dict(); numbers become what they are in `like`, the state_dict() of an optimizer
    of the same class and groups."""
    state = {"state": {}, "param_groups": [{} for _ in like["param_groups"]]}

    for i, group in enumerate(like["param_groups"]):
        read = state["param_groups"][i]
        for key, known in group.items():
            path = f"param_groups.{i}.{key}"
            if isinstance(known, tuple) and f"{path}.0" in flat:
                read[key] = tuple(flat[f"{path}.{n}"].item() for n in range(len(known)))
            elif path not in flat:
                continue
            elif key == "params":
                read[key] = flat[path].tolist()
            elif key in CHOICES:
                read[key] = CHOICES[key][int(flat[path])]
            else:
                read[key] = type(known)(flat[path].item())
    lists = {"old_dirs", "old_stps", "ro"}
    for name, value in flat.items():
        parts = name.split(".")
        if parts[0] != "state":
            continue
        entries = state["state"].setdefault(int(parts[1]), {})
        if parts[2] in lists:
            entries.setdefault(parts[2], []).append(value.clone())
        else:
            entries[parts[2]] = value.clone()
    return state


PYTORCH_ALONE = {"foreach", "capturable", "differentiable", "fused", "al", "prev_loss"}


def as_gradus_saves(flat):
    return {name: value for name, value in flat.items() if not PYTORCH_ALONE & set(name.split("."))}


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

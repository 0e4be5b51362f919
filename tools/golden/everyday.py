#!/usr/bin/env python3
"""Writes tests/golden/everyday.safetensors: what PyTorch computes for the operations that the other files leave out: plain
arithmetic and comparison, rearranging, selecting, products, searching, the remaining poolings. Options stand here and in
tests/golden_everyday_test.cpp under the same case name.

    python3 tools/golden/everyday.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn.functional as F

from common import record, write


def numbers(case, shape, salt=0):
    torch.manual_seed(sum(case.encode()) + salt)
    return torch.randn(shape, dtype=torch.float64)


def sparsemax(x):
    """Martins and Astudillo, 2016: the projection of a row onto the probabilities, by sorting it."""
    ordered = x.sort(dim=-1, descending=True).values
    sums = ordered.cumsum(-1)
    counts = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    support = (1 + counts * ordered > sums).sum(-1, keepdim=True)
    threshold = (sums.gather(-1, support - 1) - 1) / support
    return (x - threshold).clamp(min=0)


def smooth(out):
    """Value and gradients, in f32 and f64."""
    at = torch.tensor([[0, 2, 1], [1, 1, 0]])

    def case(name, function, *shapes):
        for suffix, dtype in (("", torch.float32), ("_f64", torch.float64)):
            inputs = {f"x{i}": numbers(name, shape, i).to(dtype) for i, shape in enumerate(shapes)}
            record(out, name + suffix, lambda **x: function(*x.values()), **inputs)

    case("sub", lambda a, b: a - b, (2, 3), (3,))
    case("div", lambda a, b: a / b, (2, 3), (2, 1))
    case("where", lambda a, b: torch.where(a > b, a, b), (2, 3), (2, 3))
    case("mm", torch.mm, (2, 4), (4, 3))
    case("bmm", torch.bmm, (2, 3, 4), (2, 4, 2))
    case("mv", torch.mv, (3, 4), (4,))
    case("dot", torch.dot, (5,), (5,))
    case("outer", torch.outer, (3,), (4,))
    case("gather", lambda x: torch.gather(x, 1, at), (2, 4))
    case("index_select", lambda x: torch.index_select(x, 1, at[0]), (2, 4))
    case("scatter_add", lambda x, y: x.scatter_add(1, at, y), (2, 4), (2, 3))
    case("take_along_dim", lambda x: torch.take_along_dim(x, x.detach().argsort(1), 1), (3, 4))
    case("chunk", lambda x: torch.chunk(x, 3, 1)[1], (2, 7))
    case("split", lambda x: torch.split(x, [1, 4, 2], 1)[1], (2, 7))
    case("unbind", lambda x: torch.unbind(x, 1)[2], (2, 3, 2))
    case("movedim", lambda x: torch.movedim(x, 0, 2).contiguous(), (2, 3, 4))
    case("swapaxes", lambda x: torch.swapaxes(x, 0, 2).contiguous(), (2, 3, 4))
    case("permute", lambda x: x.permute(2, 0, 1).contiguous(), (2, 3, 4))
    case("expand", lambda x: x.expand(4, -1, 3).contiguous(), (2, 1))
    case("unflatten", lambda x: torch.unflatten(x, 1, (2, 3)), (2, 6))
    case("diag", lambda x: torch.diag(x, 1), (3, 4))
    case("trace", torch.trace, (4, 3))
    case("maxout", lambda x: x.reshape(2, 3, 2, 2).amax(2), (2, 6, 2))
    case("sparsemax", sparsemax, (3, 5))
    case("aminmax", lambda x: torch.aminmax(x, dim=1).max - torch.aminmax(x, dim=1).min, (3, 4))
    case("stop_gradient", lambda x: x.detach() * x, (2, 3))
    case("adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, 4), (2, 2, 10))
    case("adaptive_max_pool3d", lambda x: F.adaptive_max_pool3d(x, (2, 2, 3)), (1, 2, 3, 5, 4))
    case("global_max_pool", lambda x: F.adaptive_max_pool2d(x, 1), (2, 3, 4, 5))
    case("global_avg_pool", lambda x: F.adaptive_avg_pool2d(x, 1), (2, 3, 4, 5))
    case("lp_pool1d", lambda x: F.lp_pool1d(x.abs() + 0.1, 2, 3, 2), (2, 2, 9))
    case("lp_pool3d", lambda x: F.lp_pool3d(x.abs() + 0.1, 3, 2), (1, 1, 4, 4, 2))


def exact(out):
    """What has no gradient: inputs and answer, compared element by element."""

    def case(name, function, *inputs):
        for i, x in enumerate(inputs):
            out[f"{name}.x{i}"] = x.clone()
        out[f"{name}.y"] = function(*inputs).clone()

    a = numbers("a", (3, 4)).mul(2).round().to(torch.float32)
    b = numbers("b", (3, 4)).mul(2).round().to(torch.float32)
    odd = torch.tensor([0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf")])
    for name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"):
        case(name, getattr(torch, name), a, b)
    case("logical_not", torch.logical_not, a)
    for name in ("isnan", "isinf", "isfinite"):
        case(name, getattr(torch, name), odd)
    case("eq_odd", lambda x: x.unsqueeze(1) == x.unsqueeze(0), odd)
    case("nan_to_num", torch.nan_to_num, odd)
    case("nan_to_num_as", lambda x: torch.nan_to_num(x, 1.0, 2.0, -3.0), odd)
    case("argmin", lambda x: x.argmin(1), numbers("argmin", (3, 4)).to(torch.float32))
    case("argsort", lambda x: x.argsort(stable=True, dim=1), a)
    case("argsort_down", lambda x: x.argsort(stable=True, dim=0, descending=True), a)
    case("one_hot", lambda x: F.one_hot(x, 5), torch.tensor([[0, 4], [2, 2]]))
    edges = torch.tensor([-2.0, 0.0, 1.0, 1.0, 3.0])
    case("searchsorted", lambda x: torch.searchsorted(edges, x), a)
    case("searchsorted_right", lambda x: torch.searchsorted(edges, x, right=True), a)
    case("bucketize", lambda x: torch.bucketize(x, edges), a)
    case("histc", lambda x: torch.histc(x, 5), a)
    case("histc_range", lambda x: torch.histc(x, 4, -2, 2), a)
    line, plane, volume = (numbers(f"pool{n}", (1, 2) + (6,) * n).to(torch.float32) for n in (1, 2, 3))
    case("max_pool1d_at", lambda x: F.max_pool1d(x, 3, 2, 1, return_indices=True)[1], line)
    case("max_pool2d_at", lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True)[1], plane)
    case("max_pool3d_at", lambda x: F.max_pool3d(x, 3, 2, 1, return_indices=True)[1], volume)
    case("adaptive_max_pool1d_at", lambda x: F.adaptive_max_pool1d(x, 4, return_indices=True)[1], line)
    case("adaptive_max_pool2d_at", lambda x: F.adaptive_max_pool2d(x, 4, return_indices=True)[1], plane)
    case("adaptive_max_pool3d_at", lambda x: F.adaptive_max_pool3d(x, 4, return_indices=True)[1], volume)


def everyday():
    out = {}
    smooth(out)
    exact(out)
    return out


write(everyday)

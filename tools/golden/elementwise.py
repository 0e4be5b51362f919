#!/usr/bin/env python3
"""Writes tests/golden/elementwise.safetensors: what PyTorch computes, in f64, for elementwise operations, activations,
reductions and scans, and the gradients of sum(y * w) with w[i] = (7 i mod 11 - 5) / 4.

Run by hand when a case is added (needs torch and safetensors; made with torch 2.13, CPU). Inputs are exact in f32, shared by
the cases, and stored once as in.NAME. Options stand here and in tests/golden_elementwise_test.cpp under the same case name.

    python3 tools/golden/elementwise.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn.functional as F

from common import write

inf = float("inf")


def inputs():
    """Shapes [3, 4], and [4] for what is broadcast; `kinks` holds the points where derivatives jump."""
    torch.manual_seed(5)
    draw = lambda low, high, *shape: (torch.rand(*shape) * (high - low) + low).to(torch.float64)
    return {
        "any": draw(-3, 3, 3, 4), "row": draw(-2, 2, 4), "other": draw(-2, 2, 3, 4),
        "positive": draw(0.1, 4, 3, 4), "positive_row": draw(0.3, 3, 4), "unit": draw(-0.95, 0.95, 3, 4),
        "above_one": draw(1.1, 5, 3, 4), "weight": draw(0, 1, 3, 4), "channels": draw(0, 1, 3),
        "kinks": torch.tensor([-6, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 6, 21], dtype=torch.float64),
        "far": torch.tensor([-1000, -100, -30, -12.5, 12.5, 30, 100, 1000], dtype=torch.float64),
        "zeros": torch.tensor([[2, 0, 3, 0], [1, -1, 0, 4], [0.5, 2, -3, 1]], dtype=torch.float64),
        "cube": draw(-2, 2, 2, 3, 4), "matrix": torch.tensor([[0.0, 0, 0], [3, 0, -4]], dtype=torch.float64),
        "eight": draw(-3, 3, 2, 8),
    }


UNARY = {
    "any": "neg abs sign square floor ceil round trunc frac exp expm1 exp2 sin cos tan atan sinh cosh tanh asinh erf erfc "
           "sigmoid relu logsigmoid",
    "positive": "sqrt rsqrt reciprocal log log1p log2 log10 lgamma digamma",
    "unit": "asin acos atanh erfinv",
    "above_one": "acosh",
}
ACTIVATIONS = {
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "rrelu": lambda x: F.rrelu(x), "elu": lambda x: F.elu(x, 0.7),
    "celu": lambda x: F.celu(x, 1.5), "selu": F.selu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu, "mish": F.mish, "softplus": F.softplus, "softplus_beta": lambda x: F.softplus(x, 3, 5),
    "softsign": F.softsign, "hardtanh": lambda x: F.hardtanh(x, -2, 0.5), "relu6": F.relu6, "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish, "log_sigmoid": F.logsigmoid, "tanhshrink": F.tanhshrink, "softshrink": F.softshrink,
    "hardshrink": F.hardshrink, "threshold": lambda x: F.threshold(x, 1, -3), "relu": F.relu, "abs": torch.abs,
    "clamp": lambda x: torch.clamp(x, -1, 2), "clamp_min": lambda x: torch.clamp(x, min=-1),
    "clamp_max": lambda x: torch.clamp(x, max=2), "round": torch.round,
}
CASES = {
    "pow": (torch.pow, "positive other"), "atan2": (torch.atan2, "any row"), "hypot": (torch.hypot, "any row"),
    "fmod": (torch.fmod, "any row"), "remainder": (torch.remainder, "any row"),
    "floor_divide": (lambda a, b: torch.floor_divide(a.detach(), b.detach()), "any row"), "copysign": (torch.copysign, "any row"),
    "logaddexp": (torch.logaddexp, "any row"), "xlogy": (torch.xlogy, "any positive_row"),
    "xlogy_zero": (torch.xlogy, "zeros positive_row"), "maximum": (torch.maximum, "any row"),
    "minimum": (torch.minimum, "any row"), "clamp_tensors": (lambda x, a, b: torch.clamp(x, a, b), "any row positive_row"),
    "lerp": (torch.lerp, "any row weight"), "addcmul": (lambda x, a, b: torch.addcmul(x, a, b, value=0.5), "any other row"),
    "addcdiv": (lambda x, a, b: torch.addcdiv(x, a, b, value=-2), "any other positive_row"),
    "masked_fill": (lambda x, y: x.masked_fill(y > 0, 0.5), "any other"),
    "polygamma": (lambda x: torch.polygamma(2, x), "positive"),
    "prelu": (F.prelu, "cube channels"), "glu": (F.glu, "eight"), "softmin": (lambda x: F.softmin(x, 1), "cube"),
    "geglu": (lambda x: x[:, :4] * F.gelu(x[:, 4:]), "eight"), "swiglu": (lambda x: x[:, :4] * F.silu(x[:, 4:]), "eight"),
    "reglu": (lambda x: x[:, :4] * F.relu(x[:, 4:]), "eight"), "snake": (lambda x, a: x + torch.sin(a * x) ** 2 / a, "any positive_row"),
    "var": (lambda x: torch.var(x, (0, 2)), "cube"), "var_biased": (lambda x: torch.var(x, 1, correction=0), "cube"),
    "stddev": (lambda x: torch.std(x, 1, keepdim=True), "cube"), "stddev_zero": (lambda x: torch.std(x, 1), "matrix"),
    "norm_0": (lambda x: torch.linalg.vector_norm(x, 0, 1), "matrix"), "norm_1": (lambda x: torch.linalg.vector_norm(x, 1, 1), "matrix"),
    "norm_2": (lambda x: torch.linalg.vector_norm(x, 2, 1), "matrix"), "norm_3": (lambda x: torch.linalg.vector_norm(x, 3, (0, 2)), "cube"),
    "norm_half": (lambda x: torch.linalg.vector_norm(x, 0.5, 1), "any"), "norm_inf": (lambda x: torch.linalg.vector_norm(x, inf, 1), "cube"),
    "norm_minus_inf": (lambda x: torch.linalg.vector_norm(x, -inf, 1), "cube"),
    "logsumexp": (lambda x: torch.logsumexp(x, (0, 2)), "cube"), "logsumexp_far": (lambda x: torch.logsumexp(x, 0), "far"),
    "amax": (lambda x: torch.amax(x, (1, 2)), "cube"), "amax_ties": (lambda x: torch.amax(x, 1), "matrix"),
    "prod_zeros": (lambda x: torch.prod(x, 1), "zeros"), "cumsum": (lambda x: torch.cumsum(x, 1), "cube"),
    "cumprod": (lambda x: torch.cumprod(x, 2), "cube"), "cumprod_zeros": (lambda x: torch.cumprod(x, 1), "zeros"),
    "logcumsumexp": (lambda x: torch.logcumsumexp(x, 1), "cube"), "nansum": (lambda x: torch.nansum(x, 1), "cube"),
    "nanmean": (lambda x: torch.nanmean(x, 1), "cube"),
    "any_row": (lambda x: torch.any(x != 0, 1), "zeros"), "all_row": (lambda x: torch.all(x != 0, 1), "zeros"),
    "count_nonzero": (lambda x: torch.count_nonzero(x, 1), "zeros"),
}


def elementwise():
    table = inputs()
    out = {f"in.{name}": value for name, value in table.items()}
    for name, functions in UNARY.items():
        for f in functions.split():
            function = getattr(F, f) if f == "logsigmoid" else getattr(torch, f)
            CASES["log_sigmoid_any" if f == "logsigmoid" else f + "_any" if f in ACTIVATIONS else f] = (function, name)
    for name, function in ACTIVATIONS.items():
        CASES[name] = (function, "kinks")
        if name not in ("clamp", "clamp_min", "clamp_max", "round", "abs"):
            CASES[name + ".far"] = (function, "far")
    for case, (function, names) in CASES.items():
        operands = [table[name].clone().requires_grad_() for name in names.split()]
        y = function(*operands)
        out[f"{case}.y"] = y.detach().to(torch.float64)
        if not y.requires_grad:
            continue
        w = torch.tensor([(7 * i % 11 - 5) / 4 for i in range(y.numel())], dtype=torch.float64).reshape(y.shape)
        for i, g in enumerate(torch.autograd.grad((y * w).sum(), operands, allow_unused=True)):
            if g is not None:
                out[f"{case}.grad.{i}"] = g
    return out


if __name__ == "__main__":
    write(elementwise)

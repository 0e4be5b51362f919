#!/usr/bin/env python3
"""Writes tests/golden/schedules_all.safetensors: learning rates of PyTorch's schedulers, step by step.

Run by hand when a case is added (needs torch and safetensors; made with torch 2.13). The settings of each case stand here and
in tests/golden_schedules_test.cpp under the same name.

    python3 tools/golden/schedules.py [OUTPUT_FOLDER]
"""
import warnings

import torch
from torch.optim import lr_scheduler as s

from common import write

warnings.filterwarnings("ignore")  # about steps of a scheduler without steps of its optimizer

METRICS = [1.0, 0.9, 0.95, 0.9, 0.89999, 0.91, 0.92, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.49, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7,
           float("nan"), 0.7, 0.7, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]


def rates(make, steps, base=0.1, values=None):
    """The rate of each of `steps` steps; with `values` the rate after each of them."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for i in range(steps):
        if values is None:
            found.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
        else:
            scheduler.step(values[i])
            found.append(optimizer.param_groups[0]["lr"])
    return torch.tensor(found, dtype=torch.float64)


def schedules_all():
    out = {}
    cases = {
        "step": lambda o: s.StepLR(o, 7, gamma=0.5),
        "multistep": lambda o: s.MultiStepLR(o, [3, 10, 10, 25], gamma=0.3),
        "exponential": lambda o: s.ExponentialLR(o, 0.9),
        "cosine": lambda o: s.CosineAnnealingLR(o, 39, eta_min=0.01),
        "restarts": lambda o: s.CosineAnnealingWarmRestarts(o, 6, eta_min=0.001),
        "restarts_longer": lambda o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.001),
        "one_cycle": lambda o: s.OneCycleLR(o, 0.2, total_steps=40),
        "one_cycle_linear": lambda o: s.OneCycleLR(o, 0.2, total_steps=40, pct_start=0.27, anneal_strategy="linear",
                                                   div_factor=10, final_div_factor=50),
        "one_cycle_three": lambda o: s.OneCycleLR(o, 0.2, total_steps=40, pct_start=0.4, three_phase=True),
        "linear": lambda o: s.LinearLR(o, start_factor=0.2, end_factor=0.8, total_iters=12),
        "linear_default": lambda o: s.LinearLR(o),
        "constant_warmup": lambda o: s.ConstantLR(o, factor=0.4, total_iters=9),
        "polynomial": lambda o: s.PolynomialLR(o, total_iters=30, power=2.5),
        "cyclic": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=5, step_size_down=8),
        "cyclic2": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=6, mode="triangular2"),
        "cyclic_exp": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4, mode="exp_range", gamma=0.97),
        "lambda": lambda o: s.LambdaLR(o, lambda step: 1 / (1 + 0.25 * step)),
        "chained": lambda o: s.ChainedScheduler([s.ConstantLR(o, factor=0.1, total_iters=4), s.ExponentialLR(o, 0.9)]),
        "sequential": lambda o: s.SequentialLR(
            o, [s.LinearLR(o, 0.1, total_iters=8), s.ExponentialLR(o, 0.9), s.StepLR(o, 4, gamma=0.5)], [8, 20]),
    }
    for name, make in cases.items():
        out[name] = rates(make, 40)
    out["plateau.metrics"] = torch.tensor(METRICS, dtype=torch.float64)
    plateaus = {
        "plateau": lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=2),
        "plateau_cooldown": lambda o: s.ReduceLROnPlateau(o, factor=0.3, patience=1, cooldown=2, min_lr=0.004,
                                                          threshold=0.05, threshold_mode="abs"),
        "plateau_max": lambda o: s.ReduceLROnPlateau(o, mode="max", factor=0.2, patience=3, threshold=0.01, eps=1e-4),
        "plateau_max_abs": lambda o: s.ReduceLROnPlateau(o, mode="max", factor=0.6, patience=0, cooldown=1,
                                                         threshold_mode="abs"),
    }
    for name, make in plateaus.items():
        out[name] = rates(make, len(METRICS), values=METRICS)
    return out


if __name__ == "__main__":
    write(schedules_all)

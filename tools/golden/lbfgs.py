#!/usr/bin/env python3
"""Writes tests/golden/lbfgs.safetensors: the path of PyTorch's L-BFGS, step by step, in double precision, and of two cases the
state after step 2.

Run by hand when a case is added (needs torch and safetensors; made with torch 2.13). The settings of each case stand here and
in tests/golden_lbfgs_test.cpp under the same name.

    python3 tools/golden/lbfgs.py [OUTPUT_FOLDER]
"""
import torch

from common import as_gradus_saves, flatten_optimizer, unflatten_optimizer, write


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(x):
    curvature = torch.arange(1, x.numel() + 1, dtype=torch.float64)
    return 0.5 * (curvature * (x - 1) ** 2).sum()


def lbfgs():
    out = {}

    def step(function, x, optimizer):
        def closure():
            closure.calls += 1
            optimizer.zero_grad()
            loss = function(x)
            loss.backward()
            return loss

        closure.calls = 0
        return optimizer.step(closure).detach(), closure.calls

    def path(case, function, start, steps, **options):
        x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([x], **options)
        calls, rows, resumed = 0, [], None
        for number in range(1, steps + 1):
            loss, count = step(function, x, optimizer)
            calls += count
            rows.append(torch.cat([x.detach().clone(), loss.reshape(1), torch.tensor([calls], dtype=torch.float64)]))
            if resumed:
                step(function, *resumed)
                assert torch.allclose(resumed[0], x, rtol=1e-10, atol=1e-13), (case, number)
            if number == 2 and case in ("rosenbrock_short_history", "quadratic_fixed_step"):
                state = flatten_optimizer(optimizer.state_dict())
                out.update({f"{case}.state2.{name}": value for name, value in state.items()
                            if ".al." not in name or name.endswith("al.0")})
                copied = x.detach().clone().requires_grad_()  # PyTorch goes on from what Gradus saves
                resumed = copied, torch.optim.LBFGS([copied], lr=123)
                resumed[1].load_state_dict(unflatten_optimizer(as_gradus_saves(state), resumed[1].state_dict()))
        out[case] = torch.stack(rows)

    wolfe = "strong_wolfe"
    path("rosenbrock", rosenbrock, [-1.5, 2.0], 12, max_iter=4, line_search_fn=wolfe)
    path("rosenbrock_one_call", rosenbrock, [-1.2, 1.0], 3, line_search_fn=wolfe)
    path("rosenbrock_short_history", rosenbrock, [-1.2, 1.0, 0.5, -0.3], 10, max_iter=5, history_size=2,
         line_search_fn=wolfe)
    path("quadratic", quadratic, [0.0] * 8, 4, max_iter=5, line_search_fn=wolfe)
    path("quadratic_fixed_step", quadratic, [0.5, -2, 3, 4, -1], 6, max_iter=3)
    path("quadratic_small_lr", quadratic, [0.5, -2, 3, 4, -1], 6, lr=0.5, max_iter=3)
    return out


if __name__ == "__main__":
    write(lbfgs)

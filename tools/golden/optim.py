"""Writes tests/golden/optim.safetensors: 20 steps of every optimizer on a small network, PyTorch's or, for those that PyTorch
lacks, a plain transcription of the published algorithm. For each case: parameters after steps 10 and 20 in one row, losses,
and the state dict after step 10 in its flat form. See core.py.

    python3 tools/golden/optim.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn.functional as F

from common import write


class Published(torch.optim.Optimizer):
    """An algorithm from its paper: rule(p, g, state, group, t)."""

    def __init__(self, params, rule, lr, **defaults):
        super().__init__(params, dict(lr=lr, **defaults, maximize=False))
        self.rule, self.time = rule, 0

    @torch.no_grad()
    def step(self):
        self.time += 1
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.rule(p, p.grad, self.state[p], group, self.time))


def average(state, name, value, beta):
    state[name] = beta * state.get(name, torch.zeros_like(value)) + (1 - beta) * value
    return state[name]


def lion(p, g, state, group, t):
    beta1, beta2 = group["betas"]
    old = state.get("exp_avg", torch.zeros_like(p))
    direction = torch.sign(beta1 * old + (1 - beta1) * g)
    average(state, "exp_avg", g, beta2)
    return p - group["lr"] * (direction + group["weight_decay"] * p)


def lamb(p, g, state, group, t):
    beta1, beta2 = group["betas"]
    state["step"] = torch.tensor(float(t))
    m = average(state, "exp_avg", g, beta1) / (1 - beta1**t)
    v = average(state, "exp_avg_sq", g * g, beta2) / (1 - beta2**t)
    r = m / (v.sqrt() + group["eps"]) + group["weight_decay"] * p
    trust = p.norm() / r.norm() if p.norm() > 0 and r.norm() > 0 else 1
    return p - group["lr"] * trust * r


def lars(p, g, state, group, t):
    decay, size, slope = group["weight_decay"], p.norm(), g.norm()
    trust = group["trust_coefficient"] * size / (slope + decay * size) if size > 0 and slope > 0 else 1
    old = state.get("momentum_buffer", torch.zeros_like(p))
    state["momentum_buffer"] = group["momentum"] * old + group["lr"] * trust * (g + decay * p)
    return p - state["momentum_buffer"]


def published(rule, **defaults):
    return lambda p, **options: Published(p, rule, **(defaults | options))


def plain(name):
    return lambda p, **options: getattr(torch.optim, name)(p, foreach=False, **options)


MAKERS = {name.lower(): plain(name) for name in (
    "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Adamax", "Rprop", "ASGD", "Adafactor")}
MAKERS["muon"] = lambda p, **options: torch.optim.Muon(p, **options)
MAKERS["lion"] = published(lion, lr=1e-4, betas=(0.9, 0.99), weight_decay=0)
MAKERS["lamb"] = published(lamb, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0)
MAKERS["lars"] = published(lars, lr=1e-3, momentum=0.9, weight_decay=0, trust_coefficient=1e-3)

CASES = {
    "adam": dict(lr=0.01),
    "adam_penalty": dict(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adam_amsgrad": dict(lr=0.02, betas=(0.9, 0.9), amsgrad=True),
    "adam_maximize": dict(lr=0.01, maximize=True),
    "adamw_amsgrad": dict(lr=0.02, betas=(0.9, 0.9), weight_decay=0.1, amsgrad=True),
    "rmsprop": dict(),
    "rmsprop_momentum": dict(lr=0.003, alpha=0.9, weight_decay=0.1, momentum=0.8),
    "rmsprop_centered": dict(lr=0.005, alpha=0.95, eps=1e-3, momentum=0.5, centered=True),
    "adagrad": dict(lr=0.05),
    "adagrad_decay": dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2),
    "adadelta": dict(),
    "adadelta_penalty": dict(lr=0.7, rho=0.8, eps=1e-4, weight_decay=0.1),
    "nadam": dict(lr=0.01),
    "nadam_penalty": dict(lr=0.02, betas=(0.8, 0.95), weight_decay=0.1, momentum_decay=0.01),
    "nadam_decoupled": dict(lr=0.02, weight_decay=0.2, decoupled_weight_decay=True),
    "radam": dict(lr=0.02),
    "radam_penalty": dict(lr=0.02, betas=(0.8, 0.9), weight_decay=0.1),
    "radam_decoupled": dict(lr=0.02, weight_decay=0.2, decoupled_weight_decay=True),
    "adamax": dict(lr=0.01),
    "adamax_penalty": dict(lr=0.02, betas=(0.8, 0.95), weight_decay=0.1),
    "rprop": dict(),
    "rprop_sizes": dict(lr=0.05, etas=(0.4, 1.3), step_sizes=(1e-3, 0.1)),
    "asgd": dict(),
    "asgd_averaged": dict(lr=0.1, lambd=0.05, alpha=0.6, t0=4, weight_decay=0.1),
    "adafactor": dict(),
    "adafactor_clipped": dict(lr=0.05, beta2_decay=-0.5, eps=(1e-4, 0.1), d=1.2, weight_decay=0.2),
    "lion": dict(lr=0.003),
    "lion_decay": dict(lr=0.005, betas=(0.8, 0.95), weight_decay=0.3),
    "lamb": dict(lr=0.01),
    "lamb_decay": dict(lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1),
    "lars": dict(lr=1.0),
    "lars_decay": dict(lr=2.0, momentum=0.5, weight_decay=0.05, trust_coefficient=0.01),
    "muon": dict(lr=0.02),
    "muon_match": dict(lr=0.01, weight_decay=0.3, momentum=0.8, nesterov=False, ns_steps=3, adjust_lr_fn="match_rms_adamw"),
    "sgd_clip_norm": dict(lr=0.5, momentum=0.9),
    "sgd_clip_value": dict(lr=0.5),
    "adamw_groups": dict(lr=0.02, weight_decay=0.2),
}


def network():
    torch.manual_seed(6)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))


def parameters_of(case, model):
    named = dict(model.named_parameters())
    if case.startswith("muon"):
        return [p for p in named.values() if p.dim() == 2]
    if case == "adamw_groups":
        return [
            {"params": [named["0.weight"]]},
            {"params": [named["0.bias"], named["2.bias"]], "weight_decay": 0},
            {"params": [named["2.weight"]], "lr": 0.01},
        ]
    return named.values()


NOT_OURS = {"params", "foreach", "capturable", "differentiable", "fused"}


def save_state(out, case, optimizer):
    state = optimizer.state_dict()
    for index, entries in state["state"].items():
        for name, value in entries.items():
            if value is not None:
                out[f"{case}.state10.state.{index}.{name}"] = value.clone()
    for key, value in state["param_groups"][0].items():
        if key in NOT_OURS or (key == "decoupled_weight_decay" and case.startswith("adam")):
            continue
        if key == "adjust_lr_fn":
            value = [None, "match_rms_adamw"].index(value)
        values = {f"{key}.{i}": v for i, v in enumerate(value)} if isinstance(value, tuple) else {key: value}
        for name, number in values.items():
            out[f"{case}.state10.param_groups.0.{name}"] = torch.tensor(float(number or 0), dtype=torch.float64)


def optim():
    torch.Tensor.bfloat16 = torch.Tensor.clone  # Muon's iteration in f32
    torch.manual_seed(5)
    inputs, labels = torch.randn(12, 4), torch.randint(0, 3, (12,))
    out = {"inputs": inputs, "labels": labels}
    for name, parameter in network().named_parameters():
        out[f"initial.{name}"] = parameter.detach().clone()
    for case, options in CASES.items():
        model = network()
        optimizer = MAKERS[case.split("_")[0]](parameters_of(case, model), **options)
        history = []
        for step in range(1, 21):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), labels)
            loss.backward()
            if case == "sgd_clip_norm":
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            if case == "sgd_clip_value":
                torch.nn.utils.clip_grad_value_(model.parameters(), 0.02)
            optimizer.step()
            history.append(loss.item())
            if step in (10, 20):
                out[f"{case}.step{step}"] = torch.cat([p.detach().flatten() for p in model.parameters()])
            if step == 10 and case != "adamw_groups":
                save_state(out, case, optimizer)
        out[f"{case}.losses"] = torch.tensor(history)
    return out


if __name__ == "__main__":
    write(optim)

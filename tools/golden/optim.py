"""Writes tests/golden/optim.safetensors: 20 steps of every optimizer on a small network, PyTorch's or, for those that PyTorch
lacks, a plain transcription of the published algorithm; Schedule-Free is that of the authors' package. For each case: parameters
after steps 10 and 20 in one row, losses, and the state dict after step 10 in its flat form. See core.py.

    python3 tools/golden/optim.py [OUTPUT_FOLDER]      (pip install schedulefree==1.4.1 pytorch_optimizer==4.1.0)
"""
import copy

import pytorch_optimizer
import schedulefree
import torch
import torch.nn.functional as F

from common import as_gradus_saves, flatten_optimizer, unflatten_optimizer, write


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


def shampoo(p, g, state, group, t):
    """Algorithm 2 of Gupta et al. (2018), in f64."""
    axes, due = p.dim(), (t - 1) % group["update_freq"] == 0
    g = g + group["weight_decay"] * p
    step = g.double()
    if group["momentum"]:
        buffer = group["momentum"] * state.get("momentum_buffer", torch.zeros_like(p)) + g
        step, state["momentum_buffer"] = buffer.double(), buffer
    for axis, n in enumerate(p.shape):
        name = f"precond_{axis}"
        rows = g.movedim(axis, 0).reshape(n, -1)
        full = n <= group["max_matrix_size"]
        state[name] = state.get(name, 0) + (rows @ rows.T if full else (rows * rows).sum(1))
        root = state.get("inv_" + name)
        if due and full:
            values, vectors = torch.linalg.eigh(state[name].double())
            root = vectors @ torch.diag((values.clamp(min=0) + group["epsilon"]) ** (-0.5 / axes)) @ vectors.T
        elif due:
            root = (state[name].double() + group["epsilon"]) ** (-0.5 / axes)
        if group["update_freq"] > 1:
            state["inv_" + name] = root.float()
        step = torch.tensordot(root.double() if full else torch.diag(root.double()), step, ([1], [axis])).movedim(0, axis)
    state["step"] = torch.tensor(float(t))
    return p - group["lr"] * step.float()


def published(rule, **defaults):
    return lambda p, **options: Published(p, rule, **(defaults | options))


def plain(name):
    return lambda p, **options: getattr(torch.optim, name)(p, foreach=False, **options)


MAKERS = {name.lower(): plain(name) for name in (
    "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Adamax", "Rprop", "ASGD", "Adafactor")}
MAKERS["muon"] = lambda p, **options: torch.optim.Muon(p, **options)
MAKERS["sgdschedulefree"] = lambda p, **options: schedulefree.SGDScheduleFree(p, foreach=False, **options)
MAKERS["adamwschedulefree"] = lambda p, **options: schedulefree.AdamWScheduleFree(p, foreach=False, **options)
MAKERS["shampoo"] = published(
    shampoo, lr=0.1, momentum=0, weight_decay=0, epsilon=1e-4, update_freq=1, max_matrix_size=768)
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
    "sgdschedulefree": dict(),
    "sgdschedulefree_warmup": dict(lr=2.0, momentum=0.8, weight_decay=0.01, warmup_steps=6, r=1.0, weight_lr_power=1.0),
    "adamwschedulefree": dict(lr=0.02),
    "adamwschedulefree_warmup": dict(
        lr=0.03, betas=(0.8, 0.95), eps=1e-5, weight_decay=0.1, warmup_steps=12, r=0.5, weight_lr_power=2.0),
    "shampoo": dict(),
    "shampoo_momentum": dict(lr=0.05, momentum=0.8, weight_decay=0.1, epsilon=1e-2),
    "shampoo_seldom": dict(lr=0.03, update_freq=4),
    "shampoo_diagonal": dict(lr=0.05, epsilon=1e-3, max_matrix_size=4),
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


OF_THE_GROUP = ("k", "train_mode", "weight_sum", "lr_max", "scheduled_lr")  # of Schedule-Free


def saved_state(case, optimizer):
    state = optimizer.state_dict()
    if "schedulefree" in case:  # what it keeps for the group is state of the parameters with us; saved in evaluation mode
        group = state["param_groups"][0]
        for i, p in enumerate(optimizer.param_groups[0]["params"]):
            state["state"][i]["step"] = torch.tensor(float(group["k"]))
            for key in ("weight_sum", "lr_max"):
                state["state"][i][key] = torch.tensor(group[key], dtype=torch.float64)
            state["state"][i]["y"] = p.detach().clone()
        state["param_groups"][0] = {key: value for key, value in group.items() if key not in OF_THE_GROUP}
        state["param_groups"][0]["maximize"] = False
    return flatten_optimizer(state)


def check_reverse(case, model, optimizer):
    """What Gradus saves after step 10 is loaded by PyTorch, which then goes the same way: returns the parameters."""
    if type(optimizer).__module__.split(".")[0] != "torch":
        return None
    copied = copy.deepcopy(model)
    resumed = MAKERS[case.split("_")[0]](parameters_of(case, copied), **(CASES[case] | {"lr": 1.0}))
    flat = as_gradus_saves(saved_state(case, optimizer))
    resumed.load_state_dict(unflatten_optimizer(flat, resumed.state_dict()))
    for _ in range(10):
        train(case, copied, resumed)
    return torch.cat([p.detach().flatten() for p in copied.parameters()])


torch.manual_seed(5)
inputs, labels = torch.randn(12, 4), torch.randint(0, 3, (12,))


def train(case, model, optimizer):
    """One step; returns the loss before it."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    if case == "sgd_clip_norm":
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    if case == "sgd_clip_value":
        torch.nn.utils.clip_grad_value_(model.parameters(), 0.02)
    optimizer.step()
    return loss.item()


def optim():
    torch.Tensor.bfloat16 = torch.Tensor.clone  # Muon's iteration in f32
    out = {"inputs": inputs, "labels": labels}
    for name, parameter in network().named_parameters():
        out[f"initial.{name}"] = parameter.detach().clone()
    for case, options in CASES.items():
        model = network()
        optimizer = MAKERS[case.split("_")[0]](parameters_of(case, model), **options)
        history = []
        if "schedulefree" in case:
            optimizer.train()
        for step in range(1, 21):
            history.append(train(case, model, optimizer))
            if step in (10, 20):
                out[f"{case}.step{step}"] = torch.cat([p.detach().flatten() for p in model.parameters()])
            if step == 10:
                out |= {f"{case}.state10.{name}": value for name, value in saved_state(case, optimizer).items()}
                resumed = check_reverse(case, model, optimizer)
        assert resumed is None or torch.equal(resumed, out[f"{case}.step20"]), case
        if "schedulefree" in case:
            optimizer.eval()
            out[f"{case}.evaluation"] = torch.cat([p.detach().flatten() for p in model.parameters()])
        out[f"{case}.losses"] = torch.tensor(history)
    return out


def check_shampoo():
    """The transcription against a published program, where that follows the paper."""
    torch.manual_seed(8)
    mine, theirs = (torch.nn.Parameter(torch.full(shape, 0.5)) for shape in ((4, 3, 2),) * 2)
    a = MAKERS["shampoo"]([mine], epsilon=1e-3)
    b = pytorch_optimizer.Shampoo([theirs], lr=0.1, matrix_eps=1e-3)
    for _ in range(5):
        mine.grad = torch.randn(mine.shape)
        theirs.grad = mine.grad.clone()
        a.step()
        b.step()
    assert torch.allclose(mine, theirs, rtol=1e-4), (mine, theirs)


if __name__ == "__main__":
    check_shampoo()
    write(optim)

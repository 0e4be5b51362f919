#!/usr/bin/env python3
"""Writes tests/golden/*.safetensors: what PyTorch computes for layers, losses, models, optimizers and schedules.

Run by hand when a case is added (needs torch and safetensors; made with torch 2.13, CPU); the files are committed, and the
tests that read them (tests/golden*_test.cpp) need no Python. Every case is small and has fixed inputs. Options stand here
and in the test under the same case name.

    python3 tools/golden/core.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn.functional as F

from common import flatten_optimizer, pattern, record, write


def layers():
    torch.manual_seed(1)
    out = {}
    randn = torch.randn
    record(out, "linear", F.linear, input=randn(5, 7), weight=randn(4, 7), bias=randn(4))
    record(out, "linear_no_bias", F.linear, input=randn(5, 7), weight=randn(4, 7))
    record(out, "linear_3d", F.linear, input=randn(2, 3, 7), weight=randn(4, 7), bias=randn(4))

    def conv(case, options, groups=1, bias=True, kernel=(3, 3)):
        inputs = dict(input=randn(2, 4, 9, 8), weight=randn(6, 4 // groups, *kernel) * 0.3)
        if bias:
            inputs["bias"] = randn(6)
        record(out, case, lambda input, weight, bias=None: F.conv2d(input, weight, bias, groups=groups, **options), **inputs)

    conv("conv2d", {})
    conv("conv2d_stride", dict(stride=(2, 1), padding=(1, 2)))
    conv("conv2d_dilation", dict(dilation=2, padding=2))
    conv("conv2d_groups", dict(padding=1), groups=2)
    conv("conv2d_no_bias", dict(stride=2), bias=False, kernel=(2, 3))
    conv("conv2d_pointwise", {}, kernel=(1, 1))

    record(out, "max_pool2d", lambda input: F.max_pool2d(input, 2), input=randn(2, 3, 8, 6))
    record(out, "max_pool2d_padding", lambda input: F.max_pool2d(input, 3, 2, 1), input=randn(2, 3, 9, 8))
    record(out, "avg_pool2d", lambda input: F.avg_pool2d(input, 2), input=randn(2, 3, 8, 6))
    record(out, "avg_pool2d_padding", lambda input: F.avg_pool2d(input, 3, 2, 1), input=randn(2, 3, 9, 8))
    record(out, "avg_pool2d_no_pad", lambda input: F.avg_pool2d(input, 3, 2, 1, count_include_pad=False), input=randn(2, 3, 9, 8))

    record(out, "relu", F.relu, input=randn(4, 9))
    record(out, "tanh", torch.tanh, input=randn(4, 9) * 2)
    record(out, "sigmoid", torch.sigmoid, input=randn(4, 9) * 4)
    record(out, "softmax", lambda input: F.softmax(input, -1), input=randn(4, 9) * 3)
    record(out, "softmax_axis1", lambda input: F.softmax(input, 1), input=randn(3, 5, 4))
    record(out, "log_softmax", lambda input: F.log_softmax(input, -1), input=randn(4, 9) * 3)
    record(out, "log_softmax_axis1", lambda input: F.log_softmax(input, 1), input=randn(3, 5, 4))
    return out


def losses():
    torch.manual_seed(2)
    out = {}

    def cross_entropy(case, shape=(8, 5), ignored=None, **options):
        labels = torch.randint(0, shape[1], (shape[0], *shape[2:]))
        if ignored is not None:
            labels.view(-1)[::3] = ignored
        record(out, case, lambda input, labels: F.cross_entropy(input, labels, **options),
               input=torch.randn(shape) * 2, labels=labels)

    cross_entropy("cross_entropy")
    cross_entropy("cross_entropy_sum", reduction="sum")
    cross_entropy("cross_entropy_none", reduction="none")
    cross_entropy("cross_entropy_smoothing", label_smoothing=0.1)
    cross_entropy("cross_entropy_ignored", ignored=-100)
    cross_entropy("cross_entropy_ignored_smoothing", ignored=2, ignore_index=2, label_smoothing=0.2)
    cross_entropy("cross_entropy_images", shape=(2, 4, 3, 5), ignored=-100, label_smoothing=0.1)
    record(out, "mse_loss", F.mse_loss, input=torch.randn(6, 3), target=torch.randn(6, 3))
    record(out, "mse_loss_sum", lambda input, target: F.mse_loss(input, target, reduction="sum"),
           input=torch.randn(6, 3), target=torch.randn(6, 3))
    return out


class LeNet5(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = torch.nn.Linear(400, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 10)

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))))


def models():
    """LeNet-5 is too large to store: its weights are patterns, and of its gradients every 41st element and the norm count."""
    out = {}
    lenet = LeNet5()
    with torch.no_grad():
        for salt, parameter in enumerate(lenet.parameters()):
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 25
            parameter.copy_(pattern(parameter.shape, salt, 1.7 / fan_in**0.5))
    images, labels = pattern((4, 1, 28, 28), 99, 1.0), torch.tensor([3, 0, 9, 5])
    logits = lenet(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    out["lenet5.logits"], out["lenet5.loss"] = logits.detach(), loss.detach()
    for name, parameter in lenet.named_parameters():
        flat = parameter.grad.flatten()
        out[f"lenet5.sample.{name}"] = flat[::41].clone()
        out[f"lenet5.norm.{name}"] = flat.double().norm()
    return out


def mlp():
    torch.manual_seed(4)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, foreach=False),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, foreach=False),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, foreach=False),
    "sgd_weight_decay": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5, weight_decay=0.05, foreach=False),
    "sgd_dampening": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, dampening=0.3, foreach=False),
    "adamw": lambda p: torch.optim.AdamW(p, foreach=False),
    "adamw_weight_decay": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.2, foreach=False),
    "adamw_betas": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0, foreach=False),
}


def optimizers():
    torch.manual_seed(3)
    inputs, labels = torch.randn(16, 8), torch.randint(0, 3, (16,))
    out = {"inputs": inputs, "labels": labels}
    for name, parameter in mlp().named_parameters():
        out[f"initial.{name}"] = parameter.detach().clone()
    for case, make in OPTIMIZERS.items():
        model = mlp()
        optimizer = make(model.parameters())
        history = []
        for step in range(1, 21):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), labels)
            loss.backward()
            if case == "sgd" and step == 1:
                for name, parameter in model.named_parameters():
                    out[f"gradient.{name}"] = parameter.grad.clone()
            optimizer.step()
            history.append(loss.item())
            if step in (1, 10, 20):
                for name, parameter in model.named_parameters():
                    out[f"{case}.step{step}.{name}"] = parameter.detach().clone()
            if step == 10:
                state = flatten_optimizer(optimizer.state_dict())
                out |= {f"{case}.state10.{name}": value for name, value in state.items()}
        out[f"{case}.losses"] = torch.tensor(history)
    return out


def schedules():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=1e-3)
    values = []
    for _ in range(51):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return {"cosine": torch.tensor(values, dtype=torch.float64)}


if __name__ == "__main__":
    write(layers, losses, models, optimizers, schedules)

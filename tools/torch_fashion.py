#!/usr/bin/env python3
"""Trains a Fashion-MNIST recipe in PyTorch, to compare its accuracy with `gradus train` on the same recipe.

  python tools/torch_fashion.py recipes/fashion-lenet5.toml --seeds 1 2 3
  python tools/torch_fashion.py recipes/fashion-mlp.toml --set optimizer.lr=2e-3 --json

Needs Python 3.11, NumPy and PyTorch; nothing of Gradus. The architecture, the initialisation, the optimizer, the schedule,
the validation split's size and the choice of the best epoch are the recipe's; only the random numbers differ.
"""
import argparse
import ast
import copy
import gzip
import json
import math
import pathlib
import time
import tomllib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = "/usr/share/datasets/fashion-mnist"
DEFAULTS = {
    "model": {"hidden": [256, 128], "activation": "relu"},
    "data": {"validation": 5000, "batch_size": 64},
    "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": None, "betas": [0.9, 0.999], "eps": 1e-8, "momentum": 0.0,
                  "nesterov": False, "schedule": "constant", "warmup_steps": 0},
    "train": {"epochs": 5},
}


def read_idx(path):
    """An IDX file of bytes, gzipped: two zero bytes, the type, the rank, big-endian sizes, elements."""
    raw = gzip.open(path, "rb").read()
    rank = raw[3]
    sizes = np.frombuffer(raw, ">u4", rank, 4)
    return torch.from_numpy(np.frombuffer(raw, np.uint8, -1, 4 + 4 * rank).reshape(sizes.tolist()).copy())


def load(folder, part):
    images = read_idx(pathlib.Path(folder) / f"{part}-images-idx3-ubyte.gz")
    labels = read_idx(pathlib.Path(folder) / f"{part}-labels-idx1-ubyte.gz")
    return images.float().div(255).unsqueeze(1), labels.long()


def read_recipe(path, changes):
    recipe = tomllib.loads(pathlib.Path(path).read_text())
    for change in changes:
        key, _, value = change.partition("=")
        section, _, name = key.partition(".")
        try:
            recipe[section][name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            recipe[section][name] = value
    for section, defaults in DEFAULTS.items():
        recipe[section] = defaults | recipe.get(section, {})
    return recipe


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def make_model(settings):
    if settings["name"] == "lenet5":
        return LeNet5()
    if settings["name"] != "mlp":
        raise SystemExit(f"this script knows the models lenet5 and mlp, not {settings['name']}")
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[settings["activation"]]
    sizes = [784, *settings["hidden"]]
    layers = [nn.Flatten()]
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10))


def make_optimizer(model, o):
    if o["name"] == "adamw":
        decay = 0.01 if o["weight_decay"] is None else o["weight_decay"]
        return torch.optim.AdamW(model.parameters(), o["lr"], tuple(o["betas"]), o["eps"], decay)
    return torch.optim.SGD(model.parameters(), o["lr"], o["momentum"], weight_decay=o["weight_decay"] or 0.0,
                           nesterov=o["nesterov"])


def rate(o, step, steps):
    """Learning rate of step `step` (from 0): linear warm-up, then constant or half a cosine to zero."""
    warmup = o["warmup_steps"]
    if step < warmup:
        return o["lr"] * (step + 1) / warmup
    if o["schedule"] == "constant":
        return o["lr"]
    return o["lr"] * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


@torch.no_grad()
def evaluate(model, images, labels):
    logits = torch.cat([model(batch) for batch in images.split(1000)])
    return F.cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).float().mean().item()


def train(recipe, seed, train_set, test_set):
    torch.manual_seed(seed)
    model = make_model(recipe["model"])
    optimizer = make_optimizer(model, recipe["optimizer"])
    order = torch.randperm(len(train_set[0]))
    held_out, kept = order[: recipe["data"]["validation"]], order[recipe["data"]["validation"]:]
    images, labels = train_set[0][kept], train_set[1][kept]
    validation = train_set[0][held_out], train_set[1][held_out]
    size, epochs = recipe["data"]["batch_size"], recipe["train"]["epochs"]
    steps, step, best = epochs * math.ceil(len(images) / size), 0, (-1.0, None)
    start = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(size):
            for group in optimizer.param_groups:
                group["lr"] = rate(recipe["optimizer"], step, steps)
            optimizer.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            step += 1
        accuracy = evaluate(model, *validation)[1]
        if accuracy > best[0]:
            best = accuracy, copy.deepcopy(model.state_dict())
    seconds = time.perf_counter() - start
    model.load_state_dict(best[1])
    loss, accuracy = evaluate(model, *test_set)
    return {"seed": seed, "val_accuracy": best[0], "test_loss": loss, "test_accuracy": accuracy, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--data", default=FOLDER, help="folder of the four IDX files")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = read_recipe(arguments.recipe, arguments.set)
    train_set, test_set = load(arguments.data, "train"), load(arguments.data, "t10k")
    runs = [train(recipe, seed, train_set, test_set) for seed in arguments.seeds]
    mean = sum(run["test_accuracy"] for run in runs) / len(runs)
    if arguments.json:
        print(json.dumps({"recipe": arguments.recipe, "torch": torch.__version__, "runs": runs, "test_accuracy": mean}))
        return
    for run in runs:
        print("seed {seed}: validation {val_accuracy:.4f}, test {test_accuracy:.4f} (loss {test_loss:.4f}), {seconds:.1f} s"
              .format(**run))
    print(f"mean test accuracy of {len(runs)} seeds: {mean:.4f}")


if __name__ == "__main__":
    main()

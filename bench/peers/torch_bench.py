#!/usr/bin/env python3
"""One workload of the bench in PyTorch: one process, one line of JSON with the keys of gradus_bench.

  python bench/peers/torch_bench.py --workload lenet --dtype bf16 --threads 2

Data and initial weights are those of gradus_bench (bench/numbers.h), so that the losses can be compared. Needs torch 2 and
NumPy. scripts/bench.sh runs it.
"""
import argparse
import functools
import gzip
import json
import math
import os
import pathlib
import resource
import statistics
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16", "int8"],
                        help="bf16: autocast over f32 weights; int8: quantize_dynamic, of inference")
    parser.add_argument("--cast", action="store_true", help="bf16 inference with bf16 weights in place of autocast")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--tuned", action="store_true", help="fused optimizer, channels last")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="timed steps; 0: as many as the workload says")
    parser.add_argument("--warmup", type=int, default=0, help="steps before them")
    parser.add_argument("--max-seconds", type=float, default=60, help="no timed step begins later")
    return parser.parse_args()


ARGS = parse_arguments()
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(ARGS.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import torch_models as models  # noqa: E402


# ---------------------------------------------------------------------------------------------- what is measured

def seconds_since_start():
    clock = time.clock_gettime(time.CLOCK_BOOTTIME)
    if begin := os.environ.get("GRADUS_BENCH_BEGIN"):
        return clock - int(begin) * 1e-9
    ticks = int(pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return clock - ticks / os.sysconf("SC_CLK_TCK")


def processor_time():
    """Processor seconds: of all processors together, stolen by the hypervisor, of this process."""
    user, nice, system, _, _, irq, softirq, steal = map(int, open("/proc/stat").readline().split()[1:9])
    tick = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq + steal) / tick, steal / tick, time.process_time()


def peak_rss_mb():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


class Stopwatch:
    """Times steps, and looks how many cores others used meanwhile."""

    def __init__(self):
        self.milliseconds = []
        self.begin = time.perf_counter()
        self.before = processor_time()

    def step(self, begin):
        self.milliseconds.append((time.perf_counter() - begin) * 1e3)

    def elapsed(self):
        return time.perf_counter() - self.begin

    def report(self):
        wall = self.elapsed()
        busy, stolen, own = (b - a for a, b in zip(self.before, processor_time()))
        times = sorted(self.milliseconds)
        return {"step_ms_median": round(statistics.median(times), 5),
                "step_ms_p90": round(times[min(len(times) - 1, len(times) * 9 // 10)], 5),
                "step_ms_min": round(times[0], 5),
                "steps": len(times),
                "step_cpu_ms": round(own / len(times) * 1e3, 5),
                "own_cores": round(own / wall, 2),
                "foreign_cores": round((busy - stolen - own) / wall, 2),
                "steal_cores": round(stolen / wall, 2)}


# ---------------------------------------------------------------------------------------------- shared numbers

def uniform(seed, count):
    """`count` float64 in [-1, 1): SplitMix64 of the counters 1, 2, ..., its top 24 bits."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) \
            + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0 ** 23 - 1.0


def uniform_tensor(seed, *shape):
    return torch.from_numpy(uniform(seed, math.prod(shape)).astype(np.float32)).reshape(shape)


def integers(seed, high, *shape):
    return torch.from_numpy(((uniform(seed, math.prod(shape)) + 1) / 2 * high).astype(np.int64)).reshape(shape)


def zipf_tokens(seed, vocabulary, *shape):
    """Tokens whose probability falls about as 1/rank."""
    u = (uniform(seed, math.prod(shape)) + 1) / 2
    return torch.from_numpy((vocabulary ** u).astype(np.int64) - 1).clamp_(0, vocabulary - 1).reshape(shape)


# ---------------------------------------------------------------------------------------------- data

DATA_SECONDS = 0.0  # of reading, which does not count as start-up


def timed_reading(read):
    @functools.wraps(read)
    def timed(*arguments):
        global DATA_SECONDS
        begin = time.perf_counter()
        result = read(*arguments)
        DATA_SECONDS += time.perf_counter() - begin
        return result
    return timed


@timed_reading
def training_images():
    folder = pathlib.Path(os.environ.get("GRADUS_DATA_DIR", "/usr/share/datasets")) / "fashion-mnist"

    def read(name, offset):
        return np.frombuffer(gzip.open(folder / name).read(), np.uint8, offset=offset)
    x = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    y = read("train-labels-idx1-ubyte.gz", 8)
    x = (x.astype(np.float32) / np.float32(255) - np.float32(0.2860)) / np.float32(0.3530)
    return torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))


def shuffled_batches(x, y, size):
    """Batches without end; epoch e is ordered by uniform(2000 + e), its last, smaller batch is left out."""
    epoch = 0
    while True:
        order = torch.from_numpy(np.argsort(uniform(2000 + epoch, len(x)), kind="stable"))
        for i in range(0, len(x) - size + 1, size):
            rows = order[i:i + size]
            yield x[rows], y[rows]
        epoch += 1


def cycle(batches):
    while True:
        yield from batches


@timed_reading
def characters():
    """The text of the GPL 3, as Debian has it: ids 0..94 are printable ASCII, 95 is everything else."""
    text = np.frombuffer(open("/usr/share/common-licenses/GPL-3", "rb").read(), np.uint8).astype(np.int64) - 32
    text[(text < 0) | (text > 94)] = 95
    return torch.from_numpy(text)


# ---------------------------------------------------------------------------------------------- training

def fused():
    return {"fused": True} if ARGS.tuned else {}


def sgd(model, lr):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, **fused())


def adam(model, lr):
    return torch.optim.Adam(model.parameters(), lr=lr, **fused())


def adamw(model, lr):
    return torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=0.1, **fused())


def class_loss(logits, labels):
    return F.cross_entropy(logits.float(), labels)


def token_loss(logits, labels):
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), labels.reshape(-1))


def images_format(x):
    return x.to(memory_format=torch.channels_last) if ARGS.tuned else x


def initial(model):
    return models.init_parameters(model, uniform_tensor)


def character_batches():
    text = characters()
    for i in range(64):
        windows = torch.stack([text[s:s + 129] for s in integers(100 + i, len(text) - 129, 32).tolist()])
        yield windows[:, :-1], windows[:, 1:]


def training(name):
    """model, batches, loss, optimizer, unit, units per step, warm-up steps, timed steps"""
    if name == "mlp":
        model = initial(models.mlp())
        return model, shuffled_batches(*training_images(), 128), class_loss, sgd(model, 0.05), "samples", 128, 20, 200
    if name == "lenet":
        model = images_format(initial(models.lenet()))
        return model, shuffled_batches(*training_images(), 64), class_loss, adam(model, 1e-3), "samples", 64, 20, 200
    if name == "resnet18":
        model = images_format(initial(models.resnet18()))
        batches = [(images_format(uniform_tensor(10 + i, 64, 3, 32, 32)), integers(50 + i, 10, 64)) for i in range(4)]
        return model, cycle(batches), class_loss, sgd(model, 0.01), "samples", 64, 2, 6
    if name == "lstm":
        model = initial(models.CharLstm())
        return model, cycle(list(character_batches())), token_loss, adam(model, 2e-3), "tokens", 32 * 128, 3, 20
    if name == "gpt":
        model = initial(models.Gpt())
        tokens = [zipf_tokens(200 + i, 8192, 8, 257) for i in range(4)]
        batches = cycle([(t[:, :-1], t[:, 1:]) for t in tokens])
        return model, batches, token_loss, adamw(model, 1e-3), "tokens", 8 * 256, 2, 6
    if name == "bert":
        model = initial(models.Bert())
        batches = [(zipf_tokens(300 + i, 8192, 16, 128), integers(350 + i, 2, 16)) for i in range(8)]
        return model, cycle(batches), class_loss, adamw(model, 1e-4), "samples", 16, 3, 15
    if name == "tiny":
        model = initial(models.tiny())
        inputs = [uniform_tensor(400 + i, 4, 2) for i in range(64)]
        batches = cycle([(x, x[:, :1] * x[:, 1:]) for x in inputs])
        return model, batches, F.mse_loss, sgd(model, 0.05), "samples", 4, 200, 3000
    raise SystemExit(f"there is no workload {name}")


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=ARGS.dtype == "bf16" and not ARGS.cast)


def is_compared(step):
    power = 10 ** (len(str(step)) - 1)
    return step in (power, 2 * power, 5 * power)


def run_training(name):
    plain, batches, criterion, optimizer, unit, per_step, warmup, timed = training(name)
    model = torch.compile(plain) if ARGS.compile else plain
    rss_before = peak_rss_mb()
    losses, compared = [], []

    def step():
        x, y = next(batches)
        with autocast():
            loss = criterion(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if is_compared(len(losses)):
            compared.append((len(losses), losses[-1]))

    step()
    startup = seconds_since_start() - DATA_SECONDS
    for _ in range(1, ARGS.warmup or warmup):
        step()
    before, stopwatch = len(losses), Stopwatch()
    for i in range(ARGS.steps or timed):
        if i > 0 and stopwatch.elapsed() > ARGS.max_seconds:
            break
        begin = time.perf_counter()
        step()
        stopwatch.step(begin)
    line = stopwatch.report()
    timed_losses = losses[before:]
    line.update({f"{unit}_per_s": round(per_step / line["step_ms_median"] * 1e3, 2),
                 "peak_rss_mb": peak_rss_mb(), "rss_before_training_mb": rss_before,
                 "startup_s": round(startup, 4), "data_s": round(DATA_SECONDS, 4), "first_loss": losses[0],
                 "final_loss": statistics.fmean(timed_losses[-max(1, len(timed_losses) // 10):]), "losses": compared,
                 "parameters": sum(p.numel() for p in plain.parameters())})
    return line


# ---------------------------------------------------------------------------------------------- inference

def run_inference(model, unit, answer, steps, warmup):
    """`answer(i)` gives step number i's output."""
    stopwatch, startup, output = None, None, None
    with torch.no_grad(), autocast():  # one region of autocast, so that it casts the weights once
        for i in range(warmup + steps):
            if i == warmup:
                stopwatch = Stopwatch()
            if i > warmup and stopwatch.elapsed() > ARGS.max_seconds:
                break
            begin = time.perf_counter()
            output = answer(i)
            if i >= warmup:
                stopwatch.step(begin)
            if startup is None:
                startup = seconds_since_start()
    line = stopwatch.report()
    line.update({f"{unit}_per_s": round(1e3 / line["step_ms_median"], 2), "peak_rss_mb": peak_rss_mb(),
                 "startup_s": round(startup, 4), "data_s": 0.0, "output_sum": output.float().sum().item(),
                 "parameters": sum(p.numel() for p in model.parameters())})
    return line


def prepared(model):
    model = initial(model).eval()
    if ARGS.dtype == "int8":
        return torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    return model.bfloat16() if ARGS.dtype == "bf16" and ARGS.cast else model


def run_lenet_inference():
    model = prepared(models.lenet())
    image = uniform_tensor(500, 1, 1, 28, 28).to(next(model.parameters()).dtype)
    called = torch.compile(model) if ARGS.compile else model
    return run_inference(model, "samples", lambda i: called(image), ARGS.steps or 2000, ARGS.warmup or 200)


def run_gpt_decode():
    """Greedy decoding of one whole context after the other, with a cache of keys and values; the output is the token."""
    model = prepared(models.Gpt())
    decode = torch.compile(model.decode, dynamic=True) if ARGS.compile else model.decode
    dtype = torch.bfloat16 if ARGS.dtype == "bf16" else torch.float32
    caches, tokens = model.new_cache(dtype), torch.tensor([[1]])

    def answer(i):
        nonlocal tokens
        if i % model.context == 0:
            tokens = torch.tensor([[1]])
        tokens = decode(tokens, caches, i % model.context).argmax(-1)
        return tokens
    return run_inference(model, "tokens", answer, ARGS.steps or 512, ARGS.warmup or 256)


def main():
    torch.manual_seed(0)
    torch.set_num_threads(ARGS.threads)
    torch.set_num_interop_threads(1)
    line = {"workload": ARGS.workload, "framework": "torch", "version": torch.__version__, "dtype": ARGS.dtype,
            "cast": ARGS.cast, "compile": ARGS.compile, "tuned": ARGS.tuned, "threads": ARGS.threads, "available": True}
    inference = {"lenet_infer": run_lenet_inference, "gpt_decode": run_gpt_decode}
    line.update(inference[ARGS.workload]() if ARGS.workload in inference else run_training(ARGS.workload))
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

"""The models of the bench's workloads, written as one writes them in PyTorch."""
import math

import torch
from torch import nn
from torch.nn import functional as F


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def tiny():
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.down = None
        if stride != 1 or inputs != outputs:
            self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.down is None else self.down(x)))


def resnet18():
    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    inputs = 64
    for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


class CharLstm(nn.Module):
    """Two layers of LSTM over characters."""

    def __init__(self, vocabulary=96, hidden=256, layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, tokens):
        return self.head(self.lstm(self.embed(tokens))[0])


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def split(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).split(d, dim=2)
        return [z.view(b, t, self.heads, d // self.heads).transpose(1, 2) for z in (q, k, v)]

    def join(self, y):
        b, _, t, _ = y.shape
        return self.proj(y.transpose(1, 2).reshape(b, t, -1))

    def forward(self, x):
        q, k, v = self.split(x)
        return self.join(F.scaled_dot_product_attention(q, k, v, is_causal=self.causal))

    def decode(self, x, cache, position):
        """One token: x is (b, 1, d); cache is (keys, values), each (b, heads, context, d / heads)."""
        q, k, v = self.split(x)
        keys, values = cache
        keys[:, :, position:position + 1], values[:, :, position:position + 1] = k, v
        return self.join(F.scaled_dot_product_attention(q, keys[:, :, :position + 1], values[:, :, :position + 1]))


class Block(nn.Module):
    """A transformer block with biases, the norms in front (GPT) or behind (BERT)."""

    def __init__(self, width, heads, causal, norm_first):
        super().__init__()
        self.norm_first = norm_first
        self.ln1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, causal)
        self.ln2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def mlp(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))

    def forward(self, x):
        if self.norm_first:
            x = x + self.attn(self.ln1(x))
            return x + self.mlp(self.ln2(x))
        x = self.ln1(x + self.attn(x))
        return self.ln2(x + self.mlp(x))

    def decode(self, x, cache, position):
        x = x + self.attn.decode(self.ln1(x), cache, position)
        return x + self.mlp(self.ln2(x))


class Gpt(nn.Module):
    """GPT-2: learned positions, the output shares the token embedding."""

    def __init__(self, vocabulary=8192, context=256, layers=6, heads=6, width=384):
        super().__init__()
        self.heads, self.width, self.context = heads, width, context
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, True, True) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe.weight[:tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)

    def new_cache(self, dtype):
        shape = (1, self.heads, self.context, self.width // self.heads)
        return [(torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)) for _ in self.blocks]

    def decode(self, tokens, caches, position):
        x = self.wte(tokens) + self.wpe.weight[position:position + 1]
        for block, cache in zip(self.blocks, caches):
            x = block.decode(x, cache, position)
        return F.linear(self.ln_f(x), self.wte.weight)


class Bert(nn.Module):
    """BERT with a head of two classes on the first token."""

    def __init__(self, vocabulary=8192, context=128, layers=4, heads=4, width=256):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.ln = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, False, False) for _ in range(layers))
        self.pool = nn.Linear(width, width)
        self.head = nn.Linear(width, 2)

    def forward(self, tokens):
        x = self.ln(self.wte(tokens) + self.wpe.weight[:tokens.shape[1]])
        for block in self.blocks:
            x = block(x)
        return self.head(torch.tanh(self.pool(x[:, 0])))


def init_parameters(model, uniform_tensor):
    """Parameter number i is uniform(1000 + i) times 1/sqrt(fan in), embeddings times 0.035; gains are 1, biases 0."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            if p.dim() < 2:
                p.fill_(1.0 if name.endswith("weight") else 0.0)
            else:
                bound = 0.035 if id(p) in embeddings else 1.0 / math.sqrt(p[0].numel())
                p.copy_(uniform_tensor(1000 + i, *p.shape) * bound)
    return model

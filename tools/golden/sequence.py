#!/usr/bin/env python3
"""Writes tests/golden/{attention,recurrent,sequence_models}.safetensors: what PyTorch computes for attention, recurrent
layers and the models made of them.

Everything is computed in f64 from inputs that f32 holds exactly, so that both types are compared with it. Run by hand when a
case is added (needs torch and safetensors; made with torch 2.13, CPU). Options stand here and in
tests/sequence/golden_test.cpp under the same case name.

    python3 tools/golden/sequence.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import write


def exact(*shape):
    """N(0, 1), rounded to 10 bits."""
    return (torch.randn(shape, dtype=torch.float64) * 256).round() / 256


def fill(module):
    """Parameters that f32 holds exactly; gains near 1."""
    with torch.no_grad():
        for key, value in module.named_parameters():
            gain = value.dim() == 1 and ("norm" in key.lower() or "ln" in key) and key.endswith("weight")
            value.copy_(exact(*value.shape) / 2 + (1 if gain else 0))
    return module


def save(out, case, outputs, floating):
    """Outputs, their cotangents, and gradients of the tensors `floating` by name."""
    total = 0
    for i, y in enumerate(outputs):
        cotangent = exact(*y.shape)
        out[f"{case}.y{i}"], out[f"{case}.cotangent{i}"] = y.detach().clone(), cotangent
        total = total + (y * cotangent).sum()
    names = list(floating)
    for name, gradient in zip(names, torch.autograd.grad(total, [floating[n] for n in names], allow_unused=True)):
        if gradient is not None:
            out[f"{case}.grad.{name}"] = gradient.clone()


def function(out, case, call, **inputs):
    for name, value in inputs.items():
        out[f"{case}.{name}"] = value.clone()
    floating = {n: v.requires_grad_() for n, v in inputs.items() if v.is_floating_point()}
    save(out, case, [call(**inputs)], floating)


def layer(out, case, module, call, **inputs):
    fill(module)
    for name, value in inputs.items():
        out[f"{case}.{name}"] = value.clone()
    for name, value in module.state_dict().items():
        out[f"{case}.state.{name}"] = value.clone()
    floating = {n: v.requires_grad_() for n, v in inputs.items() if v.is_floating_point()}
    floating |= dict(module.named_parameters())
    y = call(module, **inputs)
    save(out, case, y if isinstance(y, (tuple, list)) else [y], floating)


def attention():
    torch.manual_seed(41)
    out = {}
    sdpa = F.scaled_dot_product_attention

    def case(name, q, k, v, **options):
        function(out, name, lambda query, key, value: sdpa(query, key, value, **options), query=q, key=k, value=v)

    case("sdpa", exact(2, 3, 5, 4), exact(2, 3, 6, 4), exact(2, 3, 6, 2))
    case("sdpa_causal", exact(2, 5, 4), exact(2, 5, 4), exact(2, 5, 4), is_causal=True)
    case("sdpa_causal_wide", exact(1, 2, 3, 4), exact(1, 2, 7, 4), exact(1, 2, 7, 4), is_causal=True)
    case("sdpa_causal_tall", exact(1, 2, 7, 4), exact(1, 2, 3, 4), exact(1, 2, 3, 4), is_causal=True)
    case("sdpa_scale", exact(4, 3), exact(5, 3), exact(5, 3), scale=0.3)
    case("sdpa_gqa", exact(2, 4, 3, 4), exact(2, 2, 5, 4), exact(2, 2, 5, 4), enable_gqa=True)
    mask = torch.rand(2, 1, 4, 6) < 0.6
    mask[0, 0, 2] = False
    out["bool_mask"] = mask
    case("sdpa_bool_mask", exact(2, 3, 4, 4), exact(2, 3, 6, 4), exact(2, 3, 6, 4), attn_mask=mask)
    function(out, "sdpa_float_mask", lambda query, key, value, mask: sdpa(query, key, value, attn_mask=mask),
             query=exact(2, 3, 4, 4), key=exact(2, 3, 6, 4), value=exact(2, 3, 6, 4), mask=exact(3, 1, 6))

    def mha(name, module, query, key=None, value=None, **options):
        inputs = {"query": query} | ({} if key is None else {"key": key, "value": value})
        weights = options.pop("weights", None)

        def call(m, query, key=None, value=None):
            key, value = (query, query) if key is None else (key, value)
            y, w = m(query, key, value, need_weights=weights is not None, average_attn_weights=weights == "mean", **options)
            return [y] if weights is None else [y, w]

        layer(out, name, module.double(), call, **inputs)

    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[0, 3:] = True
    out["padding"] = padding
    causal = torch.ones(5, 5).triu(1).bool()
    out["each_head"] = exact(2 * 2, 4, 5)
    mha("mha_self", nn.MultiheadAttention(6, 2, batch_first=True), exact(2, 5, 6))
    mha("mha_causal", nn.MultiheadAttention(6, 2, batch_first=True), exact(2, 5, 6), attn_mask=causal, is_causal=True)
    mha("mha_padding", nn.MultiheadAttention(6, 3, batch_first=True), exact(2, 5, 6), key_padding_mask=padding, attn_mask=causal)
    mha("mha_length_first", nn.MultiheadAttention(6, 2, bias=False), exact(5, 2, 6))
    mha("mha_cross", nn.MultiheadAttention(6, 2, batch_first=True), exact(2, 4, 6), exact(2, 5, 6), exact(2, 5, 6), attn_mask=out["each_head"])
    mha("mha_kdim", nn.MultiheadAttention(4, 2, kdim=3, vdim=5), exact(3, 2, 4), exact(5, 2, 3), exact(5, 2, 5))
    mha("mha_unbatched", nn.MultiheadAttention(4, 2), exact(3, 4), weights="mean")
    mha("mha_weights", nn.MultiheadAttention(6, 2, batch_first=True), exact(2, 5, 6), key_padding_mask=padding, weights="each")
    return out


def recurrent():
    torch.manual_seed(42)
    out = {}

    def lstm(name, module, x, *state):
        def call(m, x, h=None, c=None):
            y, (h_n, c_n) = m(x) if h is None else m(x, (h, c))
            return [y, h_n, c_n]

        layer(out, name, module.double(), call, x=x, **dict(zip("hc", state)))

    lstm("lstm", nn.LSTM(3, 4), exact(5, 2, 3))
    lstm("lstm_state", nn.LSTM(3, 4, bias=False, batch_first=True), exact(2, 3, 3), exact(1, 2, 4), exact(1, 2, 4))
    lstm("lstm_layers", nn.LSTM(3, 4, num_layers=2, batch_first=True), exact(2, 4, 3), exact(2, 2, 4), exact(2, 2, 4))
    lstm("lstm_bidirectional", nn.LSTM(3, 2, num_layers=2, bidirectional=True), exact(4, 2, 3), exact(4, 2, 2), exact(4, 2, 2))
    lstm("lstm_unbatched", nn.LSTM(3, 2, bidirectional=True), exact(3, 3))
    return out


class GptBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(dim, 3 * dim), "c_proj": nn.Linear(dim, dim)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(dim, 4 * dim), "c_proj": nn.Linear(4 * dim, dim)})

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (z.view(b, t, self.heads, -1).transpose(1, 2) for z in self.attn["c_attn"](self.ln_1(x)).split(d, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        x = x + self.attn["c_proj"](y)
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, vocab, context, layers, heads, dim):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, dim), nn.Embedding(context, dim)
        self.h = nn.ModuleList(GptBlock(dim, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(dim)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight[:ids.shape[1]]
        for block in self.h:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)


class Bert(nn.Module):
    """An encoder of PyTorch's own layers, whose parameters are saved under Hugging Face's names."""

    def __init__(self, vocab, context, layers, heads, dim, wide):
        super().__init__()
        self.words, self.positions, self.kinds = nn.Embedding(vocab, dim), nn.Embedding(context, dim), nn.Embedding(2, dim)
        self.norm = nn.LayerNorm(dim, eps=1e-12)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(dim, heads, wide, 0, "gelu", 1e-12, True) for _ in range(layers))
        self.pooler, self.classifier = nn.Linear(dim, dim), nn.Linear(dim, 3)

    def forward(self, ids, mask, kinds):
        x = self.norm(self.words(ids) + self.positions.weight[:ids.shape[1]] + self.kinds(kinds))
        for block in self.layers:
            x = block(x, src_key_padding_mask=~mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))

    @staticmethod
    def renamed(key, value):
        """[(name of Hugging Face, tensor)] of a parameter or its gradient."""
        top = {"words": "bert.embeddings.word_embeddings", "positions": "bert.embeddings.position_embeddings",
               "kinds": "bert.embeddings.token_type_embeddings", "norm": "bert.embeddings.LayerNorm",
               "pooler": "bert.pooler.dense", "classifier": "classifier"}
        head, _, rest = key.partition(".")
        if head in top:
            return [(f"{top[head]}.{rest}", value)]
        index, rest = rest.split(".", 1)
        prefix, kind = f"bert.encoder.layer.{index}", rest.rsplit(".", 1)[-1]
        if "in_proj" in rest:
            kind = kind.removeprefix("in_proj_")
            return [(f"{prefix}.attention.self.{n}.{kind}", part) for n, part in zip(("query", "key", "value"), value.chunk(3))]
        inner = {"self_attn.out_proj": "attention.output.dense", "norm1": "attention.output.LayerNorm",
                 "linear1": "intermediate.dense", "linear2": "output.dense", "norm2": "output.LayerNorm"}
        return [(f"{prefix}.{inner[rest.rsplit('.', 1)[0]]}.{kind}", value)]


def sequence_models():
    torch.manual_seed(43)
    out = {}
    layer(out, "encoder", nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu", batch_first=True).double(), lambda m, x: m(x), x=exact(2, 3, 4))
    layer(out, "encoder_norm_first", nn.TransformerEncoderLayer(4, 2, 6, 0.0, norm_first=True, bias=False).double(), lambda m, x: m(x), x=exact(3, 2, 4))
    layer(out, "gpt", Gpt(11, 6, 2, 2, 8).double(), lambda m, ids: m(ids), ids=torch.randint(0, 11, (2, 5)))
    mask = torch.ones(2, 4, dtype=torch.bool)
    mask[1, 3:] = False
    found = {}
    layer(found, "bert", Bert(7, 5, 2, 2, 6, 10).double(), lambda m, ids, mask, kinds: m(ids, mask, kinds),
          ids=torch.randint(0, 7, (2, 4)), mask=mask, kinds=torch.randint(0, 2, (2, 4)))
    for key, value in found.items():
        for kind in ("bert.state.", "bert.grad."):
            if key.startswith(kind):
                parts = Bert.renamed(key.removeprefix(kind), value)
                # The gradient of the bias of keys is 0: softmax does not see it. What is there is rounding errors.
                out |= {kind + name: part.clone() for name, part in parts if part.abs().max() > 1e-12}
                break
        else:
            out[key] = value
    return out


if __name__ == "__main__":
    write(attention, recurrent, sequence_models)

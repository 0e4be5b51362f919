#!/usr/bin/env python3
"""Writes tests/golden/nn_*.safetensors: what PyTorch computes for the layers and losses of nn.

Run by hand when a case is added (needs torch and safetensors; made with torch 2.13, CPU). Options stand here and in
tests/golden_nn_test.cpp under the same case name.

    python3 tools/golden/nn.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import record, write


def layer(out, case, module, *inputs, training=True, **named):
    """Input, state before, output, cotangent, gradients of input and parameters, state afterwards where it differs."""
    module.train(training)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    for key, value in before.items():
        out[f"{case}.state.{key}"] = value
    tensors = list(inputs)
    for i, tensor in enumerate(tensors):
        out[f"{case}.input{i}"] = tensor.clone()
        if tensor.is_floating_point():
            tensors[i] = tensor.clone().requires_grad_()
    y = module(*tensors)
    cotangent = torch.randn(y.shape)
    (y * cotangent).sum().backward()
    out[f"{case}.y"], out[f"{case}.cotangent"] = y.detach().clone(), cotangent
    for i, tensor in enumerate(tensors):
        if tensor.is_floating_point():
            out[f"{case}.grad.input{i}"] = tensor.grad.clone()
    for key, parameter in module.named_parameters():
        out[f"{case}.grad.{key}"] = parameter.grad.clone()
    for key, value in module.state_dict().items():
        if not torch.equal(value, before[key]):
            out[f"{case}.after.{key}"] = value.clone()


def shaken(module):
    """Parameters and statistics that are neither 0 nor 1."""
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape) + 0.5 if "var" in key else torch.randn(value.shape))
    return module


def nn_layers():
    torch.manual_seed(21)
    out = {}
    randn = torch.randn
    for training in (True, False):
        mode = "train" if training else "eval"
        layer(out, f"batch_norm1d_{mode}", shaken(nn.BatchNorm1d(3)), randn(5, 3), training=training)
        layer(out, f"batch_norm1d_length_{mode}", shaken(nn.BatchNorm1d(3, eps=1e-3, momentum=0.3)), randn(4, 3, 5), training=training)
        layer(out, f"batch_norm2d_{mode}", shaken(nn.BatchNorm2d(3)), randn(2, 3, 4, 3) * 2 + 1, training=training)
        layer(out, f"batch_norm2d_cumulative_{mode}", shaken(nn.BatchNorm2d(2, momentum=None)), randn(2, 2, 3, 3), training=training)
        layer(out, f"batch_norm2d_untracked_{mode}", shaken(nn.BatchNorm2d(2, track_running_stats=False)), randn(2, 2, 3, 3), training=training)
        layer(out, f"batch_norm3d_{mode}", shaken(nn.BatchNorm3d(2, affine=False)), randn(2, 2, 2, 3, 2), training=training)
        layer(out, f"instance_norm1d_{mode}", nn.InstanceNorm1d(3), randn(2, 3, 6), training=training)
        layer(out, f"instance_norm2d_{mode}", shaken(nn.InstanceNorm2d(3, affine=True, track_running_stats=True)), randn(2, 3, 3, 4), training=training)
        layer(out, f"instance_norm3d_{mode}", shaken(nn.InstanceNorm3d(2, affine=True)), randn(2, 2, 2, 2, 3), training=training)
    layer(out, "layer_norm", shaken(nn.LayerNorm(7)), randn(3, 4, 7))
    layer(out, "layer_norm_2d", shaken(nn.LayerNorm([4, 5], eps=1e-3)), randn(3, 4, 5))
    layer(out, "layer_norm_no_bias", shaken(nn.LayerNorm(7, bias=False)), randn(3, 7))
    layer(out, "layer_norm_plain", nn.LayerNorm(7, elementwise_affine=False), randn(3, 7))
    layer(out, "group_norm", shaken(nn.GroupNorm(2, 6)), randn(2, 6, 3, 3))
    layer(out, "group_norm_plain", nn.GroupNorm(3, 6, affine=False), randn(2, 6, 4))
    layer(out, "rms_norm", shaken(nn.RMSNorm(7)), randn(3, 7))
    layer(out, "rms_norm_eps", shaken(nn.RMSNorm([3, 4], eps=1e-2)), randn(2, 3, 4))
    layer(out, "local_response_norm", nn.LocalResponseNorm(3, alpha=0.2, beta=0.6, k=2.0), randn(2, 5, 3, 2))
    layer(out, "local_response_norm_even", nn.LocalResponseNorm(4), randn(2, 5, 3))
    layer(out, "bilinear", nn.Bilinear(4, 3, 5), randn(2, 6, 4), randn(2, 6, 3))
    layer(out, "bilinear_no_bias", nn.Bilinear(4, 3, 2, bias=False), randn(6, 4), randn(6, 3))
    layer(out, "embedding", nn.Embedding(7, 3, padding_idx=2), torch.tensor([[1, 2, 6], [0, 1, 1]]))
    layer(out, "conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), randn(2, 4, 9))
    layer(out, "conv1d_same", nn.Conv1d(2, 3, 4, padding="same", dilation=2), randn(2, 2, 9))
    layer(out, "conv3d", nn.Conv3d(2, 3, (2, 3, 2), padding=(1, 0, 1), bias=False), randn(2, 2, 3, 4, 3))
    layer(out, "conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), randn(2, 4, 5))
    layer(out, "conv_transpose2d", nn.ConvTranspose2d(3, 2, (3, 2), stride=2, dilation=(2, 1)), randn(2, 3, 3, 4))
    layer(out, "conv_transpose3d", nn.ConvTranspose3d(2, 2, 2, bias=False), randn(1, 2, 2, 3, 2))
    layer(out, "max_pool1d", nn.MaxPool1d(3, stride=2, padding=1, dilation=1, ceil_mode=True), randn(2, 3, 8))
    layer(out, "max_pool3d", nn.MaxPool3d(2), randn(1, 2, 4, 4, 2))
    layer(out, "avg_pool1d", nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False), randn(2, 3, 8))
    layer(out, "avg_pool3d", nn.AvgPool3d(2, divisor_override=3), randn(1, 2, 4, 4, 2))
    layer(out, "adaptive_avg_pool2d", nn.AdaptiveAvgPool2d((3, 2)), randn(2, 2, 5, 4))
    layer(out, "adaptive_max_pool2d", nn.AdaptiveMaxPool2d((2, 3)), randn(2, 2, 5, 4))
    layer(out, "lp_pool2d", nn.LPPool2d(2, 2), randn(2, 2, 4, 4))
    layer(out, "cosine_similarity", nn.CosineSimilarity(dim=1), randn(4, 5, 2), randn(4, 5, 2))
    layer(out, "pairwise_distance", nn.PairwiseDistance(), randn(4, 5), randn(4, 5))
    layer(out, "pairwise_distance_p3", nn.PairwiseDistance(p=3, eps=1e-3, keepdim=True), randn(4, 5), randn(4, 5))
    return out


def nn_images():
    """Layers that look up, pad, rearrange and resize; PReLU; poolings that need each other."""
    torch.manual_seed(24)
    out = {}
    randn = torch.randn
    layer(out, "prelu", nn.PReLU(), randn(2, 3))
    layer(out, "prelu_channels", shaken(nn.PReLU(3)), randn(2, 3, 4))
    tokens = torch.tensor([[0, 3, 1], [1, 1, 4], [1, 2, 2]])
    for mode in ("sum", "mean", "max"):
        layer(out, f"embedding_bag_{mode}", nn.EmbeddingBag(5, 3, mode=mode), tokens)
        layer(out, f"embedding_bag_{mode}_padding", nn.EmbeddingBag(5, 3, mode=mode, padding_idx=1), tokens.view(-1), torch.tensor([0, 4, 4, 7]))
    bags, more_bags = nn.EmbeddingBag(5, 3, mode="sum"), nn.EmbeddingBag(5, 3, mode="sum")
    layer(out, "embedding_bag_weights", Call(bags, lambda i, w: bags(i, per_sample_weights=w)), tokens, randn(3, 3))
    layer(out, "embedding_bag_offsets_weights", Call(more_bags, more_bags.forward), tokens.view(-1), torch.tensor([0, 2, 2]), randn(9))
    for p in (2.0, 1.0):
        layer(out, f"embedding_max_norm_{p:.0f}", nn.Embedding(5, 3, max_norm=1.2, norm_type=p), tokens)
        del out[f"embedding_max_norm_{p:.0f}.after.weight"]  # PyTorch scales the table, too
    layer(out, "pixel_shuffle", nn.PixelShuffle(2), randn(1, 8, 2, 3))
    layer(out, "pixel_unshuffle", nn.PixelUnshuffle(2), randn(1, 2, 4, 6))
    layer(out, "upsample_nearest", nn.Upsample(scale_factor=2), randn(1, 2, 3, 2))
    layer(out, "upsample_size", nn.Upsample(size=7), randn(1, 2, 4))
    layer(out, "upsample_bilinear", nn.Upsample(scale_factor=(2.0, 1.5), mode="bilinear"), randn(1, 2, 3, 5))
    layer(out, "upsample_bilinear_corners", nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), randn(1, 2, 3, 2))
    layer(out, "upsample_bicubic", nn.Upsample(scale_factor=2, mode="bicubic"), randn(1, 1, 3, 4))
    for axes in (1, 2, 3):
        sides = tuple(range(1, 2 * axes + 1)) if axes < 3 else (1, 0, 0, 2, 1, 1)
        x = randn(1, 2, *(5, 6, 7)[:axes]) if axes < 3 else randn(1, 1, 2, 3, 2)
        layer(out, f"constant_pad{axes}d", getattr(nn, f"ConstantPad{axes}d")(sides, 0.5), x)
        layer(out, f"zero_pad{axes}d", getattr(nn, f"ZeroPad{axes}d")(sides), x)
        layer(out, f"replication_pad{axes}d", getattr(nn, f"ReplicationPad{axes}d")(sides), x)
        layer(out, f"circular_pad{axes}d", getattr(nn, f"CircularPad{axes}d")(sides), x)
        layer(out, f"reflection_pad{axes}d", getattr(nn, f"ReflectionPad{axes}d")(sides), x)
    layer(out, "global_avg_pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), randn(2, 3, 4, 5))
    for axes in (1, 2, 3):
        pooled, at = getattr(F, f"max_pool{axes}d")(randn(1, 2, *(4, 6, 4)[:axes]), 2, return_indices=True)
        torch.use_deterministic_algorithms(False)  # the windows do not overlap
        layer(out, f"max_unpool{axes}d", getattr(nn, f"MaxUnpool{axes}d")(2), pooled, at)
        torch.use_deterministic_algorithms(True)
    return out


class Call(nn.Module):
    """A module that is called in another way; its state has the names of the module."""

    def __init__(self, module, forward):
        super().__init__()
        for name, parameter in module.named_parameters():
            self.register_parameter(name, parameter)
        self.function = forward

    def forward(self, *inputs):
        return self.function(*inputs)


def nn_losses():
    torch.manual_seed(22)
    out = {}
    randn, rand = torch.randn, torch.rand

    def loss(case, function, constants=(), **inputs):
        """All three reductions; `constants` names the inputs that PyTorch does not differentiate."""
        fixed = {name: inputs.pop(name) for name in constants}
        for reduction in ("mean", "sum", "none"):
            record(out, f"{case}_{reduction}", lambda **i: function(reduction=reduction, **i, **fixed),
                   **{name: tensor.clone() for name, tensor in inputs.items()})
            for name, tensor in fixed.items():
                out[f"{case}_{reduction}.{name}"] = tensor.clone()

    def signs(*shape):
        return torch.randint(0, 2, shape) * 2.0 - 1

    logits, labels = randn(6, 4) * 2, torch.tensor([0, 3, -100, 1, 2, 3])
    weight = rand(4) + 0.2
    loss("cross_entropy_weight", lambda input, labels, reduction: F.cross_entropy(input, labels, weight, reduction=reduction), input=logits, labels=labels)
    loss("cross_entropy_weight_smoothing", lambda input, labels, reduction: F.cross_entropy(input, labels, weight, reduction=reduction, label_smoothing=0.2), input=logits, labels=labels)
    out["class_weight"] = weight
    probabilities = F.softmax(randn(6, 4), 1)
    loss("cross_entropy_probabilities", lambda input, target, reduction: F.cross_entropy(input, target, weight, reduction=reduction, label_smoothing=0.1), input=logits, target=probabilities)
    loss("cross_entropy_probabilities_images", lambda input, target, reduction: F.cross_entropy(input, target, reduction=reduction), input=randn(2, 3, 4), target=F.softmax(randn(2, 3, 4), 1))
    loss("nll_loss", lambda input, labels, reduction: F.nll_loss(input, labels, weight, reduction=reduction), input=F.log_softmax(logits, 1), labels=labels)
    loss("kl_div", lambda input, target, reduction: F.kl_div(input, target, reduction=reduction), input=F.log_softmax(randn(3, 4), 1), target=F.softmax(randn(3, 4), 1))
    loss("kl_div_log_target", lambda input, target, reduction: F.kl_div(input, target, reduction=reduction, log_target=True), input=F.log_softmax(randn(3, 4), 1), target=F.log_softmax(randn(3, 4), 1))
    record(out, "kl_div_batch_mean", lambda input, target: F.kl_div(input, target, reduction="batchmean"), input=F.log_softmax(randn(3, 4), 1), target=F.softmax(randn(3, 4), 1))

    loss("binary_cross_entropy", lambda input, target, reduction: F.binary_cross_entropy(input, target, reduction=reduction), input=rand(3, 4) * 0.9 + 0.05, target=rand(3, 4))
    loss("binary_cross_entropy_weight", lambda input, target, reduction: F.binary_cross_entropy(input, target, weight, reduction=reduction), input=rand(3, 4) * 0.9 + 0.05, target=rand(3, 4))
    loss("binary_cross_entropy_with_logits", lambda input, target, reduction: F.binary_cross_entropy_with_logits(input, target, reduction=reduction), input=randn(3, 4) * 30, target=rand(3, 4))
    pos_weight = rand(4) * 3
    out["pos_weight"] = pos_weight
    loss("binary_cross_entropy_with_logits_weights", lambda input, target, reduction: F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight), input=randn(3, 4) * 3, target=rand(3, 4))
    loss("soft_margin_loss", constants=["target"], function=lambda input, target, reduction: F.soft_margin_loss(input, target, reduction=reduction), input=randn(3, 4) * 3, target=signs(3, 4))
    loss("multilabel_soft_margin_loss", constants=["target"], function=lambda input, target, reduction: F.multilabel_soft_margin_loss(input, target, weight, reduction=reduction), input=randn(3, 4) * 3, target=torch.randint(0, 2, (3, 4)).float())
    loss("hinge_embedding_loss", constants=["target"], function=lambda input, target, reduction: F.hinge_embedding_loss(input, target, margin=0.7, reduction=reduction), input=randn(3, 4), target=signs(3, 4))

    pair = dict(input=randn(5, 3) * 2, target=randn(5, 3))
    loss("l1_loss", lambda input, target, reduction: F.l1_loss(input, target, reduction=reduction), **pair)
    loss("huber_loss", lambda input, target, reduction: F.huber_loss(input, target, delta=0.8, reduction=reduction), **pair)
    loss("smooth_l1_loss", lambda input, target, reduction: F.smooth_l1_loss(input, target, beta=0.7, reduction=reduction), **pair)
    loss("poisson_nll_loss", constants=["target"], function=lambda input, target, reduction: F.poisson_nll_loss(input, target, reduction=reduction), input=randn(5, 3), target=torch.poisson(rand(5, 3) * 4))
    loss("poisson_nll_loss_full", constants=["target"], function=lambda input, target, reduction: F.poisson_nll_loss(input, target, log_input=False, full=True, reduction=reduction), input=rand(5, 3) + 0.1, target=torch.poisson(rand(5, 3) * 4))
    loss("gaussian_nll_loss", lambda input, target, var, reduction: F.gaussian_nll_loss(input, target, var, reduction=reduction), **pair, var=rand(5, 3) + 0.1)
    loss("gaussian_nll_loss_full", lambda input, target, var, reduction: F.gaussian_nll_loss(input, target, var, full=True, eps=0.3, reduction=reduction), **pair, var=rand(5) + 0.1)

    loss("margin_ranking_loss", constants=["target"], function=lambda input1, input2, target, reduction: F.margin_ranking_loss(input1, input2, target, margin=0.4, reduction=reduction), input1=randn(6), input2=randn(6), target=signs(6))
    loss("cosine_embedding_loss", constants=["target"], function=lambda input1, input2, target, reduction: F.cosine_embedding_loss(input1, input2, target, margin=0.1, reduction=reduction), input1=randn(6, 4), input2=randn(6, 4), target=signs(6))
    triplet = dict(anchor=randn(6, 4), positive=randn(6, 4), negative=randn(6, 4))
    loss("triplet_margin_loss", lambda anchor, positive, negative, reduction: F.triplet_margin_loss(anchor, positive, negative, reduction=reduction), **triplet)
    loss("triplet_margin_loss_swap", lambda anchor, positive, negative, reduction: F.triplet_margin_loss(anchor, positive, negative, margin=2.0, p=3, swap=True, reduction=reduction), **triplet)
    loss("multi_margin_loss", lambda input, labels, reduction: F.multi_margin_loss(input, labels, reduction=reduction), input=randn(5, 4), labels=torch.tensor([0, 3, 1, 1, 2]))
    loss("multi_margin_loss_weight", lambda input, labels, reduction: F.multi_margin_loss(input, labels, p=2, margin=0.7, weight=weight, reduction=reduction), input=randn(5, 4), labels=torch.tensor([0, 3, 1, 1, 2]))
    loss("multilabel_margin_loss", lambda input, labels, reduction: F.multilabel_margin_loss(input, labels, reduction=reduction), input=randn(3, 4), labels=torch.tensor([[3, 0, -1, 1], [1, -1, 2, 2], [0, 1, 2, 3]]))

    def focal(input, target, reduction, alpha=0.25, gamma=2.0):
        """Lin et al., 2017, equation 5."""
        entropy = F.binary_cross_entropy_with_logits(input, target, reduction="none")
        right = torch.where(target == 1, torch.sigmoid(input), 1 - torch.sigmoid(input))
        losses = torch.where(target == 1, alpha, 1 - alpha) * (1 - right) ** gamma * entropy
        return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]

    targets = torch.randint(0, 2, (4, 3)).float()
    for case, options in (("focal", {}), ("focal_gamma", dict(alpha=0.6, gamma=0.5))):
        for reduction in ("mean", "sum", "none"):
            inputs = dict(input=randn(4, 3) * 2, target=targets)
            record(out, f"{case}_{reduction}", lambda input, target: focal(input, target, reduction, **options), **inputs)
            out.pop(f"{case}_{reduction}.grad.target")
    return out


def nn_batch_norm():
    """Five steps of SGD with momentum through two batch normalisations, and what the model says in evaluation mode."""
    torch.manual_seed(23)
    out = {}
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.BatchNorm1d(5, momentum=None), nn.Linear(5, 3))
    for key, value in model.state_dict().items():
        out[f"initial.{key}"] = value.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=False)
    inputs, labels = torch.randn(5, 8, 4), torch.randint(0, 3, (5, 8))
    out["inputs"], out["labels"] = inputs, labels
    losses = []
    for step in range(5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[step]), labels[step])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    out["losses"] = torch.tensor(losses)
    for key, value in model.state_dict().items():
        out[f"final.{key}"] = value.clone()
    model.eval()
    out["eval"] = model(inputs[0]).detach()
    return out


if __name__ == "__main__":
    write(nn_layers, nn_images, nn_losses, nn_batch_norm)

#!/usr/bin/env python3
"""Writes tests/golden/structured.safetensors: what PyTorch computes for convolutions, poolings, views, indexing, products and
linear algebra, in f32 and f64. Options stand here and in tests/golden_structured_test.cpp under the same case name.

    python3 tools/golden/structured.py [OUTPUT_FOLDER]
"""
import torch
import torch.nn.functional as F

from common import record, write


class Both:
    """Records every case twice: in f32, and in f64 under "name_f64"."""

    def __init__(self):
        self.out = {}

    def __call__(self, case, function, *shapes, scale=1.0):
        for suffix, dtype in (("", torch.float32), ("_f64", torch.float64)):
            torch.manual_seed(sum(case.encode()))
            inputs = {f"x{i}": torch.randn(shape, dtype=torch.float64).mul(scale).to(dtype) for i, shape in enumerate(shapes)}
            record(self.out, case + suffix, lambda **x: function(*x.values()), **inputs)


def convolutions(case):
    case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=3, dilation=2, groups=2), (2, 4, 11), (6, 2, 3), (6,))
    case("conv1d_same", lambda x, w: F.conv1d(x, w, padding="same", dilation=3), (2, 2, 9), (3, 2, 4))
    case("conv2d_same", lambda x, w, b: F.conv2d(x, w, b, padding="same"), (1, 2, 5, 6), (3, 2, 2, 3), (3,))
    case("conv2d_depthwise", lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=1, groups=4), (2, 4, 6, 5), (8, 1, 3, 3))
    case("conv3d", lambda x, w, b: F.conv3d(x, w, b, stride=(1, 2, 1), padding=(1, 0, 2), dilation=(1, 1, 2), groups=2),
         (1, 4, 4, 5, 4), (4, 2, 2, 3, 2), (4,))
    case("conv3d_same", lambda x, w: F.conv3d(x, w, padding="same"), (1, 1, 3, 4, 3), (2, 1, 2, 3, 1))
    case("conv_transpose1d", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=3, padding=1, output_padding=2), (2, 3, 5),
         (3, 2, 4), (2,))
    case("conv_transpose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 2),
         groups=2, dilation=(1, 2)), (2, 4, 3, 4), (4, 3, 3, 2), (6,))
    case("conv_transpose2d_beyond", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(1, 2), padding=(1, 0), output_padding=(2, 3),
         dilation=(3, 4)), (1, 2, 3, 4), (2, 3, 2, 2), (3,))
    case("conv_transpose1d_zeros", lambda x, w: F.conv_transpose1d(x, w, dilation=4, output_padding=3, padding=1), (1, 2, 3), (2, 1, 2))
    case("conv_transpose3d", lambda x, w: F.conv_transpose3d(x, w, stride=2, padding=1), (1, 2, 2, 3, 2), (2, 2, 3, 2, 3))


def poolings(case):
    case("max_pool1d", lambda x: F.max_pool1d(x, 3, 2, 1, ceil_mode=True), (2, 2, 10))
    case("max_pool2d", lambda x: F.max_pool2d(x, (2, 3), 2, (0, 1), dilation=2, ceil_mode=True), (1, 2, 8, 9))
    case("max_pool3d", lambda x: F.max_pool3d(x, 2, (1, 2, 2), 1, ceil_mode=True), (1, 2, 3, 4, 5))
    case("avg_pool1d", lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True), (2, 2, 10))
    case("avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False), (1, 2, 8, 7))
    case("avg_pool2d_divisor", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, divisor_override=5), (1, 2, 8, 7))
    case("avg_pool3d", lambda x: F.avg_pool3d(x, (2, 3, 2), 2, (1, 1, 0), ceil_mode=True), (1, 2, 4, 5, 5))
    case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), (1, 2, 7, 9))
    case("adaptive_avg_pool3d", lambda x: F.adaptive_avg_pool3d(x, 2), (1, 2, 3, 4, 5))
    case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 4)), (1, 2, 7, 9))
    case("adaptive_max_pool1d", lambda x: F.adaptive_max_pool1d(x, 4), (2, 2, 10))
    case("lp_pool2d", lambda x: F.lp_pool2d(x.abs() + 0.1, 3, 2, 1), (1, 2, 4, 5))

    def unpool(x):
        y, at = F.max_pool2d(x, 2, return_indices=True)
        torch.use_deterministic_algorithms(False)  # the windows do not overlap
        result = F.max_unpool2d(y, at, 2, output_size=(5, 6))
        torch.use_deterministic_algorithms(True)
        return result

    case("max_unpool2d", unpool, (1, 2, 5, 6))


def views(case):
    case("flip", lambda x: torch.flip(x, (0, 2)), (2, 3, 4))
    case("roll", lambda x: torch.roll(x, -2, 1), (2, 5, 3))
    case("tile", lambda x: torch.tile(x, (3, 2)), (2, 2, 3))
    case("repeat_interleave", lambda x: torch.repeat_interleave(x, 3, 1), (2, 3))
    case("diagonal", lambda x: torch.diagonal(x, -1, 2, 0), (3, 2, 4))
    case("tril", lambda x: torch.tril(x, 1) + torch.triu(x, 2), (2, 4, 5))
    case("diag_embed", lambda x: torch.diag_embed(x, -2), (2, 3))
    case("unfold", lambda x: x.unfold(1, 3, 2), (2, 8, 2))
    case("im2col", lambda x: F.unfold(x, (2, 3), dilation=(2, 1), padding=1, stride=(1, 2)), (1, 2, 5, 6))
    case("col2im", lambda x: F.fold(x, (5, 6), (2, 3), dilation=(2, 1), padding=1, stride=(1, 2)), (1, 12, 15))
    for mode in ("reflect", "replicate", "circular"):
        case("pad_" + mode, lambda x, mode=mode: F.pad(x, (2, 1, 1, 3), mode), (1, 2, 5, 4))
    case("nearest", lambda x: F.interpolate(x, (7, 3)), (1, 2, 4, 5))
    case("bilinear", lambda x: F.interpolate(x, (7, 3), mode="bilinear"), (1, 2, 4, 5))
    case("bilinear_corners", lambda x: F.interpolate(x, (7, 3), mode="bilinear", align_corners=True), (1, 2, 4, 5))
    case("bicubic", lambda x: F.interpolate(x, (7, 3), mode="bicubic"), (1, 2, 4, 5))
    case("bicubic_corners", lambda x: F.interpolate(x, (7, 3), mode="bicubic", align_corners=True), (1, 2, 4, 5))
    for mode in ("nearest", "bilinear", "bicubic"):
        case(f"{mode}_scale", lambda x, mode=mode: F.interpolate(x, scale_factor=(1.7, 0.6), mode=mode), (1, 2, 4, 6))
    case("rot90", lambda x: torch.rot90(x) * torch.rot90(x, -3, (0, 1)) + torch.rot90(x, 3, (1, 0)), (2, 3))
    case("channel_shuffle", lambda x: F.channel_shuffle(x, 3), (1, 6, 2))
    case("stacks", lambda x: torch.hstack([x, x.sin()]) + torch.vstack([x[0].repeat(2), x[1].cos().repeat(2)]), (2, 3))
    case("logit", lambda x: torch.logit(x.sigmoid()) + torch.logit(x, 0.2), (2, 3))
    case("std_mean", lambda x: torch.cat(torch.std_mean(x, 1)) + torch.cat(torch.var_mean(x, 1, correction=0)), (2, 5))
    case("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), (2, 8, 2, 3))
    case("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 3), (2, 2, 3, 6))
    case("trilinear", lambda x: F.interpolate(x, (3, 5, 2), mode="trilinear"), (1, 1, 2, 3, 4))
    case("linear", lambda x: F.interpolate(x, 9, mode="linear"), (1, 2, 4))


def indexing(case):
    index = torch.tensor([[0, 3], [1, 2], [2, 0]])
    case("scatter", lambda x, y: x.scatter(1, index, y), (3, 4), (3, 2))
    places = torch.tensor([[0, 3, 0], [2, 2, 2]])
    case("scatter_prod_only", lambda x, y: x.scatter_reduce(1, places, y, "prod", include_self=False), (2, 4), (2, 3))
    case("scatter_prod_zeros", lambda x, y: (x.relu()).scatter_reduce(1, places, y.relu(), "prod"), (2, 4), (2, 3))
    case("quantile", lambda x: torch.quantile(x, 0.3, 1), (3, 6))
    case("index_copy", lambda x, y: x.index_copy(1, torch.tensor([2, 0]), y), (2, 4), (2, 2))
    case("index_fill", lambda x: x.index_fill(0, torch.tensor([2, 0]), 0.5), (4, 2))
    case("diff", lambda x: torch.diff(x, 2, 0), (5, 2))
    case("cummax", lambda x: torch.cummax(x, 1)[0], (2, 7, 2))
    case("cummin", lambda x: torch.cummin(x, 0)[0], (9, 2))
    case("masked_select", lambda x: torch.masked_select(x, torch.tensor([True, False, True])), (2, 3))
    for fold in ("amax", "amin", "mean", "sum", "prod"):
        case("scatter_" + fold, lambda x, y, fold=fold: x.scatter_reduce(1, places, y, fold), (2, 4), (2, 3))
    case("scatter_mean_only", lambda x, y: x.scatter_reduce(1, places, y, "mean", include_self=False), (2, 4), (2, 3))
    case("sort", lambda x: torch.sort(x, 1, descending=True)[0], (2, 5, 3))
    case("topk", lambda x: torch.topk(x, 3, -1, largest=False)[0], (3, 6))
    case("kthvalue", lambda x: torch.kthvalue(x, 2, 0)[0], (5, 3))
    case("median", lambda x: torch.median(x, 1)[0], (3, 6))
    case("index_add", lambda x, y: x.index_add(0, torch.tensor([2, 0, 2]), y, alpha=0.5), (4, 2), (3, 2))
    tokens = torch.tensor([[0, 3, 1], [1, 1, 4]])
    case("embedding", lambda w: F.embedding(tokens, w, padding_idx=1), (5, 3))
    for mode in ("sum", "mean", "max"):
        case("bag_" + mode, lambda w, mode=mode: F.embedding_bag(tokens, w, mode=mode, padding_idx=1), (5, 3))
    case("bag_offsets_max", lambda w: F.embedding_bag(tokens.view(-1), w, torch.tensor([0, 4, 4]), mode="max"), (5, 3))
    case("bag_offsets", lambda w: F.embedding_bag(tokens.view(-1), w, torch.tensor([0, 4, 4])), (5, 3))


def products(case):
    case("einsum_batched", lambda a, b: torch.einsum("...ij,...jk->k...i", a, b), (2, 3, 4), (2, 4, 2))
    case("einsum_diagonal", lambda a, b: torch.einsum("iij,jk->ik", a, b), (3, 3, 2), (2, 4))
    case("einsum_three", lambda a, b, c: torch.einsum("ab,bc,cd", a, b, c), (2, 3), (3, 4), (4, 2))
    case("tensordot", lambda a, b: torch.tensordot(a, b, dims=([1, 2], [1, 0])), (2, 3, 4), (4, 3, 2))
    case("addmm", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), (4,), (2, 3), (3, 4))
    case("cross", lambda a, b: torch.linalg.cross(a, b, dim=0), (3, 2), (3, 2))
    case("cov", lambda x: torch.cov(x) + torch.corrcoef(x), (3, 5))
    case("kron", torch.kron, (2, 3), (3, 2))
    case("cdist", torch.cdist, (3, 4), (2, 4))
    case("cdist_3", lambda a, b: torch.cdist(a, b, p=3.0), (3, 4), (2, 4))


def algebra(case):
    la, eye = torch.linalg, torch.eye

    def definite(x):
        return x @ x.mT + eye(x.shape[-2], dtype=x.dtype)

    def regular(x):
        return x + 3 * eye(x.shape[-1], dtype=x.dtype)

    case("cholesky", lambda x: la.cholesky(definite(x)), (2, 4, 4))
    case("solve", lambda a, b: la.solve(regular(a), b), (2, 4, 4), (4, 3))
    case("solve_triangular", lambda a, b: la.solve_triangular(regular(a), b, upper=True, left=False), (4, 4), (2, 4))
    case("inv", lambda x: la.inv(regular(x)), (2, 3, 3))
    case("det", la.det, (2, 3, 3))
    case("slogdet", lambda x: la.slogdet(x)[1], (2, 3, 3))
    case("qr", lambda x: la.qr(x)[0] @ la.qr(x)[1].sin(), (5, 3))
    case("eigh", lambda x: (la.eigh(x + x.mT)[1] ** 2) * la.eigh(x + x.mT)[0], (4, 4))
    case("svd", lambda x: (la.svd(x, full_matrices=False)[0] ** 2) * la.svd(x, full_matrices=False)[1], (4, 3))
    case("svdvals", la.svdvals, (2, 3, 5))
    case("pinv", la.pinv, (4, 2))
    case("lstsq", lambda a, b: la.lstsq(a, b).solution, (5, 3), (5, 2))
    case("norm_fro", la.matrix_norm, (2, 3, 4))
    case("norm_nuc", lambda x: la.matrix_norm(x, "nuc"), (3, 4))
    case("norm_1", lambda x: la.matrix_norm(x, 1), (2, 3, 4))
    case("power", lambda x: la.matrix_power(regular(x), 3), (3, 3))
    case("power_negative", lambda x: la.matrix_power(regular(x), -2), (3, 3))


def structured():
    case = Both()
    for group in (convolutions, poolings, views, indexing, products, algebra):
        group(case)
    return case.out


if __name__ == "__main__":
    write(structured)

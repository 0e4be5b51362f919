"""Derivatives of torch.func in f64: tests/golden/derivatives.safetensors."""
import torch
import torch.nn.functional as F
from torch.func import grad, hessian, jacrev, jvp, vmap

from common import write


def derivatives():
    torch.manual_seed(7)
    out = {}

    def normal(*shape):
        return torch.randn(*shape, dtype=torch.float64)

    def store(case, **tensors):
        for name, tensor in tensors.items():
            out[f"{case}.{name}"] = tensor.detach().clone()

    w1, b1, w2, x = normal(4, 3), normal(4), normal(2, 4), normal(5, 3)
    t1, tb, t2 = normal(4, 3), normal(4), normal(2, 4)
    labels = torch.tensor([0, 1, 1, 0, 1])

    def logits(w1, b1, w2, x=x):
        return torch.tanh(F.linear(x, w1, b1)) @ w2.T

    def loss(w1, b1, w2, x=x, labels=labels):
        return F.cross_entropy(logits(w1, b1, w2, x), labels)

    store("mlp", w1=w1, b1=b1, w2=w2, x=x, labels=labels, t1=t1, tb=tb, t2=t2)
    store("mlp", hessian=hessian(loss)(w1, b1, w2), mixed=jacrev(grad(loss), argnums=2)(w1, b1, w2),
          jacobian=jacrev(logits)(w1, b1, w2))
    store("mlp", jvp=jvp(logits, (w1, b1, w2), (t1, tb, t2))[1])
    h1, hb, h2 = jvp(grad(loss, argnums=(0, 1, 2)), (w1, b1, w2), (t1, tb, t2))[1]
    store("mlp", h1=h1, hb=hb, h2=h2)
    each = vmap(grad(lambda w, x, y: loss(w, b1, w2, x[None], y[None])), in_dims=(None, 0, 0))(w1, x, labels)
    store("mlp", each=each)

    images, weight, direction = normal(4, 4, 6, 5), normal(6, 2, 3, 2), normal(6, 2, 3, 2)

    def conv(images, weight):
        return F.conv2d(images, weight, stride=(2, 1), padding=(1, 0), groups=2)

    def energy(weight, image):
        return F.max_pool2d(torch.sin(conv(image[None], weight)), 2).square().sum()

    store("conv", images=images, weight=weight, direction=direction)
    store("conv", jvp=jvp(lambda w: conv(images, w), (weight,), (direction,))[1],
          each=vmap(grad(energy), in_dims=(None, 0))(weight, images),
          product=jvp(grad(lambda w: vmap(energy, in_dims=(None, 0))(w, images).sum()), (weight,), (direction,))[1])
    return out


if __name__ == "__main__":
    write(derivatives)

#!/usr/bin/env python3
"""Prints the polynomials of the f32 erf in gradus/kernel/elementwise/simd-inl.h, and the error that they reach in f32.

Least squares at Chebyshev nodes, weighted so that the error is relative to erf, on values that mpmath computes to 30 digits.
"""
import mpmath
import numpy

mpmath.mp.dps = 30


def fit(function, low, high, degree, weight):
    """Coefficients, lowest first, of the polynomial that fits `function` on [low, high]."""
    nodes = (low + high) / 2 + (high - low) / 2 * numpy.cos(numpy.pi * (numpy.arange(400) + 0.5) / 400)
    w = numpy.array([weight(t) for t in nodes])
    values = numpy.array([float(function(t)) for t in nodes])
    return numpy.linalg.lstsq(numpy.vander(nodes, degree + 1, increasing=True) * w[:, None], values * w, rcond=None)[0]


def horner(coefficients, x):
    total = numpy.float32(0)
    for c in reversed(coefficients):
        total = numpy.float32(total * x + numpy.float32(c))
    return total


def erf_ratio(t):
    root = mpmath.sqrt(t)
    return mpmath.erf(root) / root


inner = fit(erf_ratio, 1e-9, 1.0, 7, lambda t: 1.0)
outer = fit(lambda a: mpmath.log(mpmath.erfc(a)), 1.0, 4.0, 8, lambda a: float(mpmath.erfc(a)))
worst = 0
for x in numpy.linspace(1e-3, 4.5, 5000, dtype=numpy.float32):
    a = min(x, numpy.float32(4))
    y = horner(inner, x * x) * x if x < 1 else numpy.float32(1) - numpy.exp(horner(outer, a))
    worst = max(worst, abs(float(y) / float(mpmath.erf(float(x))) - 1))
print("erf(x) / x in x^2, |x| < 1:", ", ".join(f"{c:.9e}" for c in inner))
print("log(erfc(x)), 1 <= x <= 4:", ", ".join(f"{c:.9e}" for c in outer))
print(f"largest relative error in f32: {worst:.2e}")

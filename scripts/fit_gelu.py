#!/usr/bin/env python3
"""Fits the polynomial behind gelu in src/tensor/body_math.h and measures it in float32. Needs numpy.

gelu(x) = x (1/2 + x P(x^2)) on |x| <= EDGE, P a polynomial in t = 2 (x / EDGE)^2 - 1. The largest error of
gelu is made small by Lawson's method: least squares whose weights grow where the error is large.
"""
from math import erf, erfc, sqrt

import numpy as np
from numpy.polynomial import chebyshev

EDGE, DEGREE = 5.4, 14


def fit():
    angle = np.pi * (np.arange(4000) + 0.5) / 4000
    x = EDGE * np.sqrt((1 - np.cos(angle)) / 2)
    basis = chebyshev.chebvander(2 * (x / EDGE) ** 2 - 1, DEGREE) * (x * x)[:, None]
    wanted = x * np.array([0.5 * erf(v / sqrt(2)) for v in x])
    weight = np.ones(len(x))
    best, best_error = None, np.inf
    for _ in range(300):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(basis * root[:, None], wanted * root, rcond=None)[0]
        error = np.abs(basis @ found - wanted)
        if error.max() < best_error:
            best, best_error = found, error.max()
        weight *= error + 1e-13
        weight /= weight.mean()
    return chebyshev.cheb2poly(best)[::-1].astype(np.float32)


def fma(a, b, c):
    return (a.astype(np.float64) * b + np.float64(c)).astype(np.float32)


def measure(p):
    x = np.linspace(-8, 8, 400001).astype(np.float32)
    t = fma(x * x, np.float32(2 / (EDGE * EDGE)), np.float32(-1))
    y = np.full_like(x, p[0])
    for c in p[1:]:
        y = fma(y, t, c)
    y = x * fma(x, y, np.float32(0.5))
    y = np.where(x > EDGE, x, np.where(x < -EDGE, np.float32(0), y))
    exact = np.array([0.5 * v * erfc(-v / sqrt(2)) for v in x.astype(np.float64)])
    return np.abs(y - exact).max()


p = fit()
print(", ".join(f"{v:.9e}f" for v in p))
print(f"largest error of gelu in float32: {measure(p):.2e}")

#!/usr/bin/env python3
"""Fits what gelu is computed from in src/tensor/body_math.h and measures it in float32. Needs numpy.

Polynomial: gelu(x) = x (1/2 + x P(x^2)) on |x| <= EDGE, P a polynomial in t = 2 (x / EDGE)^2 - 1. The largest error
of gelu is made small by Lawson's method: least squares whose weights grow where the error is large.

Tables: gelu(x) = max(x, 0) - |x| H(|x|), H a cubic around each of PIECES points STEP apart; the last is 0. The first one is
1/2 and an odd polynomial, so that small numbers keep their digits. H is erfc(x / sqrt 2) / 2, or (1 - tanh(u)) / 2 for the
other gelu.
"""
from math import erf, erfc, pi, sqrt, tanh

import numpy as np
from numpy.polynomial import chebyshev

EDGE, DEGREE = 5.4, 14
PIECES, STEP = 32, 0.1775


def fma(a, b, c):
    return (a.astype(np.float64) * b + np.float64(c)).astype(np.float32)


def half_erf(x):
    return np.array([0.5 * erf(v / sqrt(2)) for v in x])


def half_tanh(x):
    return np.array([0.5 * tanh(sqrt(2 / pi) * (v + 0.044715 * v ** 3)) for v in x])


def fit_polynomial():
    angle = np.pi * (np.arange(4000) + 0.5) / 4000
    x = EDGE * np.sqrt((1 - np.cos(angle)) / 2)
    basis = chebyshev.chebvander(2 * (x / EDGE) ** 2 - 1, DEGREE) * (x * x)[:, None]
    wanted = x * half_erf(x)
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


def polynomial(p, x):
    t = fma(x * x, np.float32(2 / (EDGE * EDGE)), np.float32(-1))
    y = np.full_like(x, p[0])
    for c in p[1:]:
        y = fma(y, t, c)
    y = x * fma(x, y, np.float32(0.5))
    return np.where(x > EDGE, x, np.where(x < -EDGE, np.float32(0), y))


def fit_table(g):
    """[4, PIECES]: the cubics of 1/2 - g, lowest power first, through the Chebyshev points of their pieces."""
    points = STEP / 2 * np.cos(np.pi * (np.arange(4) + 0.5) / 4)
    odd = points[:2, None] ** np.array([1, 3])
    first = np.linalg.solve(odd, g(points[:2]))
    pieces = [[0.5, -first[0], 0, -first[1]]]
    for n in range(1, PIECES - 1):
        pieces.append(np.linalg.solve(points[:, None] ** np.arange(4), 0.5 - g(n * STEP + points)))
    pieces.append([0, 0, 0, 0])
    return np.array(pieces).T.astype(np.float32)


def by_table(table, x):
    step = np.float32(STEP)
    size = np.minimum(np.abs(x), step * np.float32(PIECES - 1))
    n = np.rint(size * np.float32(1 / STEP)).astype(int)
    r = fma(n.astype(np.float32), -step, size)
    h = table[3][n]
    for power in (2, 1, 0):
        h = (h.astype(np.float64) * r + table[power][n]).astype(np.float32)
    return (np.maximum(x, 0) - size.astype(np.float64) * h).astype(np.float32)


def show(numbers, width):
    for at in range(0, len(numbers), width):
        print("\t\t" + ", ".join(f"{v:.9e}f" for v in numbers[at:at + width]) + ",")


sample = np.linspace(-8, 8, 400001).astype(np.float32)
wide = sample.astype(np.float64)
with_erf = np.array([0.5 * v * erfc(-v / sqrt(2)) for v in wide])
with_tanh = wide * (0.5 + half_tanh(wide))

fitted = fit_polynomial()
show(fitted, 5)
print(f"largest error of the polynomial: {np.abs(polynomial(fitted, sample) - with_erf).max():.2e}")
for name, function, exact in (("gelu", half_erf, with_erf), ("gelu_tanh", half_tanh, with_tanh)):
    fitted = fit_table(function)
    print(name)
    for power in fitted:
        print("\t{")
        show(power, 8)
        print("\t},")
    error = np.abs(by_table(fitted, sample) - exact)
    print(f"largest error of the table: {error.max():.2e} at {sample[error.argmax()]:.3f}")

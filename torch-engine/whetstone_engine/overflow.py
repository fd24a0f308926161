"""Whose gradient is not finite, although each loss is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import EngineError
from .optimizer import norm_of
from .passes import Passes, Rows

NAMED = 8
"""Data that an error names, at most."""


def not_finite_gradient(passes: Passes, rows: Rows, loss: dict[str, Any]) -> EngineError:
    """Names the datum, or those whose sum it is. Computes passes again, at most three times each, in the
    place of the gradient."""
    found = _overflowing(passes, rows, loss)
    data = [] if found is None else np.unique(found.fields["row"]).tolist()
    if not data:
        whose = "the sum of this gradient and of what was accumulated before"
    elif len(data) == 1:
        whose = f"the gradient of datum {data[0]}"
    else:
        more = len(data) - NAMED
        named = ", ".join(map(str, data[:NAMED])) + (f" and {more} more" if more > 0 else "")
        whose = f"the sum of the gradients of data {named}"
    fp32 = "" if passes.architecture.precision == "fp32" else ", or compute in fp32"
    return EngineError(
        "non-finite-gradient",
        "engine",
        f"{whose} is not finite, and nothing was added: lower the weights or advantages{fp32}",
        **({"datum": data[0]} if len(data) == 1 else {}),
    )


def _overflowing(passes: Passes, rows: Rows, loss: dict[str, Any]) -> Rows | None:
    """The one row that is enough, or as few together as halving finds; None where all of them are finite."""
    passes.drop_aside()
    passes.grad.zero_()
    passes.over(rows, loss, "none", backward=True)
    count = len(rows.lengths)
    if math.isfinite(norm_of(passes.grad)):
        return None
    if count == 1:
        return rows
    first, second = rows.split(np.array([count // 2, count - count // 2]))
    return _overflowing(passes, first, loss) or _overflowing(passes, second, loss) or rows

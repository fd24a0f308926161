"""Weights read for the processor's matrix products of few rows. Suffixes as in decoder.py; O outputs, I
inputs, L lanes, C steps along each."""

from __future__ import annotations

import torch
from torch import Tensor

from .linear import Linear

LARGE = 4_000_000
"""Parameters from which weights do not stay in the processor's caches: it matters how they are read."""
LANES = 16
"""Places of a weight that are read at once. A product of few rows waits for memory, and a processor fetches
ahead where it is read on and on: where one product after another begins with other rows, it gets half to two
thirds as much. Of 4 to 48 lanes, 8 to 24 are the fastest."""
FEWEST = 3
"""Rows from which lanes are faster than the product as PyTorch makes it."""
MOST = 256
"""Rows up to which lanes are faster than the product as PyTorch makes it."""
TALL, RUN, MANY = 8192, 384, 48
"""Outputs and rows from which what lanes make takes longer to turn than they save: of such a weight, a head,
runs of so many outputs are multiplied one after the other, into the place that they have."""


class Lanes:
    """A weight [O, I] in fp32 as it lies. Row l · C + c is step c of lane l: the products, one for each step,
    read on in every lane."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.weight_OI = weight_OI
        steps = len(weight_OI) // LANES
        self.lanes_CLI = weight_OI[: LANES * steps].view(LANES, steps, weight_OI.shape[1]).transpose(0, 1)
        self.rest_RI = weight_OI[LANES * steps :]
        """Rows that no lane has."""

    def apply(self, x_NI: Tensor) -> Tensor:
        steps, count = len(self.lanes_CLI), len(x_NI)
        if steps == 0 or not FEWEST <= count <= MOST:
            return x_NI.mm(self.weight_OI.t())
        if count >= MANY and len(self.weight_OI) >= TALL:
            return self._in_runs(x_NI)
        x_IN = x_NI.t().contiguous()
        made_ON = x_NI.new_empty(len(self.weight_OI), count)
        # Outputs in order first, then rows: to turn both at once takes five times as long for a whole head.
        made_ON[: LANES * steps].view(LANES, steps, count).copy_(self.along(x_IN).transpose(0, 1))
        if len(self.rest_RI) > 0:
            torch.mm(self.rest_RI, x_IN, out=made_ON[LANES * steps :])
        return made_ON.t().contiguous()

    def _in_runs(self, x_NI: Tensor) -> Tensor:
        count, inputs = x_NI.shape
        runs = len(self.weight_OI) // RUN
        made_NO = x_NI.new_empty(count, len(self.weight_OI))
        weight_RIO = self.weight_OI[: RUN * runs].view(runs, RUN, inputs).transpose(1, 2)
        into_RNO = made_NO[:, : RUN * runs].view(count, runs, RUN).transpose(0, 1)
        into_RNO.baddbmm_(x_NI.expand(runs, -1, -1), weight_RIO, beta=0)
        if RUN * runs < len(self.weight_OI):
            made_NO[:, RUN * runs :] = x_NI.mm(self.weight_OI[RUN * runs :].t())
        return made_NO

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        if FEWEST <= len(x_NI) <= MOST:
            sum_NO.add_(self.apply(x_NI))
        else:
            sum_NO.addmm_(x_NI, self.weight_OI.t())

    def along(self, x_IN: Tensor) -> Tensor:
        """The products of the lanes, [C, L, N]."""
        return torch.bmm(self.lanes_CLI, x_IN.expand(len(self.lanes_CLI), -1, -1))


def as_it_lies(weight: Tensor | Linear) -> Tensor | Linear:
    """A weight that may be read in lanes."""
    return weight.weight_OI if isinstance(weight, Lanes) else weight

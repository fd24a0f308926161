"""Rows of several lengths, and what some steps on them make of a trainer."""

import numpy as np
import torch

from support.data import packed, positions, random_sequences
from whetstone_engine.trainer import Trainer

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(3, [12, 17, 40, 3, 8, 9, 30, 5, 2, 22])
COUNT = positions(SEQUENCES)
WEIGHTS = np.random.default_rng(0).normal(size=COUNT) * (np.random.default_rng(1).random(COUNT) < 0.6)
ARRAYS = packed(SEQUENCES, weights=WEIGHTS)
STEP = {"learningRate": 1e-2, "epsilon": 1e-3, "gradientClipNorm": 1}


def arrays_for(loss):
    """The same rows with what the loss needs."""
    arrays = packed(SEQUENCES, weights=WEIGHTS, advantages=WEIGHTS, logprobs=-1 - np.abs(WEIGHTS))
    return {
        name: values
        for name, values in arrays.items()
        if (name == "weights") == (loss is LOSS) or name in ("lengths", "tokens", "targets")
    }


def steps(trainer: Trainer, loss=LOSS, arrays=ARRAYS, wanted="all"):
    """Losses, logprobs, gradients and weights of some steps."""
    seen = []
    for _ in range(3):
        for backward in (False, True, True):
            head, out = trainer.run(arrays, loss, wanted, backward=backward)
            seen += [torch.tensor(head["lossSum"]), torch.from_numpy(out["logprobs"]), trainer.grad.clone()]
        trainer.optim_step(STEP)
        seen.append(trainer.flat.clone())
    return seen

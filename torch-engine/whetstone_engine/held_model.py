"""A model that a worker holds, and what it answered of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .errors import EngineError
from .frames import Arrays, Head
from .trainer import Trainer

REMEMBERED = 64
Reply = tuple[Head, Arrays]


class HeldModel:
    """A trainer, its sequence, and its last replies: a call that is made again is answered, not run again."""

    def __init__(self, trainer: Trainer, token_bytes: list[bytes] | None) -> None:
        self.trainer, self.token_bytes = trainer, token_bytes
        self.sequence = 0
        self.replies: OrderedDict[int, Reply] = OrderedDict()

    def once(self, sequence: int, run: Callable[[], Reply]) -> Reply:
        if sequence <= self.sequence:
            if sequence in self.replies:
                return self.replies[sequence]
            raise EngineError("sequence-forgotten", "engine", f"call {sequence} was applied and is forgotten")
        if sequence != self.sequence + 1:
            raise EngineError("sequence-gap", "engine", f"call {sequence} came after call {self.sequence}")
        head, arrays = run()
        self.sequence = sequence
        self.replies[sequence] = ({**head, "sequence": sequence}, arrays)
        while len(self.replies) > REMEMBERED:
            self.replies.popitem(last=False)
        return self.replies[sequence]

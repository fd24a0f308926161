"""A real device other than the host, where there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from whetstone_engine import device as device_module


@contextmanager
def computing_on_gpu() -> Iterator[None]:
    """Workers compute there meanwhile."""
    device_module.choose_device("cuda")
    try:
        yield
    finally:
        device_module.use_device(torch.device("cpu"))

"""What every test may ask for. One thread: the results are those that a worker of a small model computes."""

import pytest
import torch

from support.folders import FolderMaker
from whetstone_engine.worker import Worker

torch.set_num_threads(1)


@pytest.fixture
def make_folder(tmp_path) -> FolderMaker:
    return FolderMaker(tmp_path)


@pytest.fixture
def worker() -> Worker:
    return Worker()

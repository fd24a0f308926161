"""What every test may ask for. One thread: the results are those that a worker of a small model computes."""

import os

import pytest
import torch

from support import plain
from support.folders import FolderMaker
from whetstone_engine.worker import Worker

torch.set_num_threads(1)

APART = "WHETSTONE_TESTS_APART"
# Where PyTorch knows another device than the processor, gradients start threads that no process can be copied
# with, as helpers are: these tests run in a process of their own (test_apart.py).
collect_ignore = [] if APART in os.environ else ["test_device.py"]


@pytest.fixture(autouse=True)
def rounded_in_fp32(monkeypatch):
    """Whatever processor runs the tests; those of arithmetic in bf16 say so themselves."""
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: False)


@pytest.fixture
def make_folder(tmp_path) -> FolderMaker:
    return FolderMaker(tmp_path)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture(scope="module")
def phi(tmp_path_factory):
    """A model of the plain path, where one says enough, and its folder."""
    folder = tmp_path_factory.mktemp("phi")
    return plain.saved(plain.config_of("phi"), folder), folder

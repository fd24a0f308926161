"""Tests that want a process of their own: `conftest.py` says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import APART


@pytest.mark.parametrize("file", ["test_device.py"])
def test_what_passes_in_a_process_of_its_own(file):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(Path(__file__).parent / file),
    ]
    environment = {**os.environ, APART: "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout

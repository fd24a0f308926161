"""What a peer of the bench is asked to do, by its command line, and what all of them are set to."""

from __future__ import annotations

import argparse

import torch
from transformers.utils import logging


def asked_of(
    numbers: tuple[str, ...], *, reals: tuple[str, ...] = (), **choices: tuple[str, ...]
) -> argparse.Namespace:
    """A model, threads, and flags by name: whole numbers, reals, and those of a few words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    for name, words in choices.items():
        parser.add_argument(f"--{name}", required=True, choices=words)
    for kind, names in ((int, ("threads", *numbers)), (float, reals)):
        for name in names:
            parser.add_argument(f"--{name}", type=kind, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.set_flush_denormal(True)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return asked

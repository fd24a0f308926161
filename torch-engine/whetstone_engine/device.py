"""Where a worker computes: on the processor, or on a GPU where there is one. Weights, gradients, moments,
caches and activations lie there; requests, what is counted and checked of them, random numbers and files stay
on the host. Chosen once, before anything is loaded."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from .errors import EngineError, bad_request

DEVICES = ("auto", "cpu", "cuda")
PASS_SHARE = 4
"""At most one part in so many of a GPU's memory is kept by one pass for its gradients."""
ROWS_SHARE = 8
"""At most one part in so many of it are the keys and values of one sampler."""
Some = TypeVar("Some", Tensor, None)
_device = torch.device("cpu")


def choose_device(wanted: str) -> torch.device:
    """With `auto` the first GPU, and the processor where there is none; else the one that is named. Raises
    bad-request, and device-missing where PyTorch sees no GPU."""
    if wanted not in DEVICES:
        raise bad_request(f"there is no device {wanted!r}; there are {', '.join(DEVICES)}")
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise EngineError(
            "device-missing",
            "environment",
            f"PyTorch {torch.__version__} sees no GPU: it needs one of NVIDIA's, its driver, and a build for "
            'CUDA (docs/engines.md); or leave device out, or say device: "cpu"',
        )
    use_device(torch.device("cuda", 0) if there and wanted != "cpu" else torch.device("cpu"))
    return _device


def use_device(device: torch.device) -> None:
    """What is made from now on lies there."""
    global _device
    _device = device
    if device.type == "cuda":
        # Products in fp32 are in fp32: TF32 would round factors to 10 bits.
        torch.set_float32_matmul_precision("highest")
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        # Its attention plans anew for every length: two thirds of the 16 ms of a token on an H100.
        torch.backends.cuda.enable_cudnn_sdp(False)


def device() -> torch.device:
    return _device


def on_host() -> bool:
    """Whether the processor computes."""
    return _device.type == "cpu"


def moved(values: np.ndarray) -> Tensor:
    """An array as a tensor where passes compute; on the processor it is the array's own memory."""
    tensor = torch.from_numpy(values)
    return tensor if _device.type == "cpu" else tensor.to(_device)


def placed(tensor: Some) -> Some:
    """A tensor where passes compute: itself if it lies there; None for None."""
    return tensor if tensor is None or _device.type == "cpu" else tensor.to(_device)


def fetched(tokens_B: Tensor, logprobs_B: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Token ids (of 32 bits) and logprobs as arrays, from a GPU in one piece: it is waited for once."""
    if tokens_B.is_cpu:
        return tokens_B.numpy(), logprobs_B.numpy()
    both_2B = torch.stack((tokens_B.to(torch.int32), logprobs_B.view(torch.int32))).cpu().numpy()
    return both_2B[0], both_2B[1].view(np.float32)


def pass_bytes(host_bytes: int) -> int:
    """What one pass may keep for its gradients."""
    return _part(host_bytes, PASS_SHARE)


def rows_bytes(host_bytes: int) -> int:
    """What the keys and values of one sampler may take."""
    return _part(host_bytes, ROWS_SHARE)


def _part(host_bytes: int, share: int) -> int:
    """On a GPU by the memory that it has, not by what is free."""
    return host_bytes if _device.type != "cuda" else torch.cuda.mem_get_info(_device)[1] // share

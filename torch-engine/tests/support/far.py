"""A device that is not the host's, on a machine without a GPU. What lies there is computed by the processor,
and it meets the host by a copy that the code asks for and by nothing else:
an operation on tensors of both, an index from the other side and `.numpy()` are errors, as they are on a GPU
(which forgives some of them, at the price of a copy that nobody asked for).

It says where tensors lie. Of CUDA it says nothing: neither whether its kernels take what they get, nor how
they round, nor what they cost."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

from whetstone_engine import device as device_module


class Module(_DummyBackendModule):
    """What PyTorch asks of a device beside its operations."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend("far", backend_module=Module())
FAR, HOST = torch.device("far", 0), torch.device("cpu")
TRANSFERS = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)


class FarTensor(Tensor):
    """A tensor of the device; `inner` has its numbers."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor):
        far = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=FAR,
        )
        far.inner = inner
        return far

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})


class Pretending(TorchDispatchMode):
    """Sees operations that no tensor of the device takes part in: those that make one."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})


def run(function, args, kwargs):
    leaves = tree_flatten((args, kwargs))[0]
    tensors = [one for one in leaves if isinstance(one, Tensor)]
    far = [one for one in tensors if isinstance(one, FarTensor)]
    if far and len(far) < len(tensors) and function not in TRANSFERS:
        raise RuntimeError(f"{function}: expected all tensors to be on the same device")
    # Above composite operations, as in inference mode, it is an argument like others.
    to = next((one for one in leaves if isinstance(one, torch.device)), None)
    stays = bool(far) if to is None else to.type == FAR.type

    def near(one):
        return one.inner if isinstance(one, FarTensor) else HOST if isinstance(one, torch.device) else one

    inner_args, inner_kwargs = tree_map(near, (args, kwargs))
    # A wrapper that is made in inference mode cannot be a view of one that is not.
    with torch.inference_mode(False), torch.no_grad():
        out = function(*inner_args, **inner_kwargs)
        if function._schema.is_mutable:
            # What was changed is what was given.
            changed = kwargs.get("out", args[0] if args else None)
            return changed if isinstance(out, Tensor) else out
        return tree_map(lambda one: FarTensor(one) if stays and isinstance(one, Tensor) else one, out)


def _empty(size, stride, dtype=None, **_):
    return FarTensor(torch.empty_strided(size, stride, dtype=dtype))


def _copy(source, target, non_blocking=False):
    target.inner.copy_(source)
    return target


# `torch.tensor` makes what is asked of it below all modes.
LIBRARY = torch.library.Library("aten", "IMPL")
LIBRARY.impl("empty_strided", _empty, "PrivateUse1")
LIBRARY.impl("_copy_from", _copy, "PrivateUse1")


@contextmanager
def computing_far() -> Iterator[None]:
    """Workers compute on the device meanwhile."""
    device_module.use_device(FAR)
    try:
        with Pretending():
            yield
    finally:
        device_module.use_device(torch.device("cpu"))

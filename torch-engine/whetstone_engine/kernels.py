"""Pieces of the decoder in few passes over memory, with their gradients by hand: at small widths a pass costs
as much as a matrix product. Suffixes as in decoder.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from .precision import add_rounded, onednn_in_fp32, two_with_tiles

WIDE = 2**18
"""Numbers of a weight from which it counts how it is multiplied: around a smaller one the call does."""
NARROW, ALONE = 768, range(321, 1280)
"""Outputs up to which, and rows for which, oneDNN leaves a product by tiles to one of two threads."""


def rms_norm(x: Tensor, weight_D: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
    """x / √(mean x² + ε) · weight over the last dimension, computed in fp32 (arXiv 1910.07467), in a type."""
    if not x.is_cpu and x.dtype == weight_D.dtype == dtype:
        # Of many small calls a GPU is kept waiting.
        return F.rms_norm(x, weight_D.shape, weight_D, epsilon)
    if torch.is_grad_enabled():
        return _RmsNorm.apply(x, weight_D, epsilon, dtype)
    exact = x.float()
    normal = exact * _inverse_rms(exact, epsilon)
    return normal.mul_(weight_D) if dtype == normal.dtype else _rounded_product(normal, weight_D, dtype)


def _rounded_product(one: Tensor, other: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.mul(one, other, out=one.new_empty(one.shape, dtype=dtype))


def rms_norm_into(
    x: Tensor, weight_D: Tensor, epsilon: float, inverse: Tensor, normal: Tensor, out: Tensor
) -> None:
    """As `rms_norm`, bit for bit, of fp32 where no gradient is wanted, in memory that is there."""
    torch.mul(torch.mul(x, _inverse_rms(x, epsilon, inverse), out=normal), weight_D, out=out)


def _inverse_rms(x: Tensor, epsilon: float, out: Tensor | None = None) -> Tensor:
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32, out=out)
    if norm.is_cpu:
        # In as few calls as that takes: of a few rows they cost more than the numbers.
        return norm.mul_(x.shape[-1] ** -0.5).hypot_(_least(epsilon)).reciprocal_()
    return norm.square_().mul_(1 / x.shape[-1]).add_(epsilon).rsqrt_()


def unit(x: Tensor, epsilon: float) -> Tensor:
    """x / √(Σ x² + ε · D) over the last dimension D, where no gradient is wanted: `rms_norm` without its
    weight and without √D."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / length.hypot_(_least(x.shape[-1] * epsilon))


@lru_cache(maxsize=64)
def _least(square: float) -> Tensor:
    return torch.tensor(square).sqrt_()


class _RmsNorm(Function):
    @staticmethod
    def forward(
        context: FunctionCtx, x: Tensor, weight_D: Tensor, epsilon: float, dtype: torch.dtype
    ) -> Tensor:
        exact = x.float()
        inverse = _inverse_rms(exact, epsilon)
        normal = exact * inverse
        context.save_for_backward(normal, weight_D, inverse)
        context.dtype = x.dtype
        return _rounded_product(normal, weight_D, dtype)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        normal, weight_D, inverse = context.saved_tensors
        kept = weight_D.dtype
        grad, weight_D = grad.float(), weight_D.float()
        along = grad * normal
        share = torch.matmul(along, weight_D).mul_(1 / grad.shape[-1]).unsqueeze(-1)
        grad_x = torch.mul(grad, weight_D).addcmul_(normal, share, value=-1).mul_(inverse)
        wanted = context.needs_input_grad[1]
        return grad_x.to(context.dtype), along.flatten(0, -2).sum(0).to(kept) if wanted else None, None, None


def kernels_add_to(leaf: Tensor) -> bool:
    """Whether what is here adds the gradient of a decoder's weight to `leaf.gradient`, whatever its type,
    within `leaf.turn`: matrices and tables, by which is multiplied and in which is looked up. Autograd adds
    others to `leaf.grad`."""
    return leaf.dim() == 2


def multiply(x_NI: Tensor, weight_OI: Tensor) -> Tensor:
    """x · weightᵀ, the weight brought into the input's type for the moment. Its gradient is added where it
    lies, without a tensor of its own in between where both are of one type."""
    if torch.is_grad_enabled() and weight_OI.requires_grad:
        return _Multiply.apply(x_NI, weight_OI)
    if torch.is_grad_enabled() and x_NI.requires_grad:
        return _Frozen.apply(x_NI, weight_OI)
    return product(x_NI, weight_OI.to(x_NI.dtype))


def product(x_NI: Tensor, weight_OI: Tensor) -> Tensor:
    """x · weightᵀ, both of one type, without a gradient."""
    if x_NI.dtype == torch.float32 and weight_OI.numel() >= WIDE and onednn_in_fp32():
        return torch.ops.mkldnn._linear_pointwise(x_NI, weight_OI, None, "none", [], "")
    if x_NI.dtype == torch.bfloat16 and len(weight_OI) <= NARROW and len(x_NI) in ALONE and two_with_tiles():
        return _in_pieces(x_NI, weight_OI)
    return x_NI.mm(weight_OI.t())


def _in_pieces(x_NI: Tensor, weight_OI: Tensor) -> Tensor:
    """A few rows at a time: such products two threads share."""
    out_NO = x_NI.new_empty(len(x_NI), len(weight_OI))
    rows = math.ceil(len(x_NI) / math.ceil(len(x_NI) / (ALONE.start - 1)))
    for some, target in zip(x_NI.split(rows), out_NO.split(rows), strict=True):
        torch.mm(some, weight_OI.t(), out=target)
    return out_NO


class _Multiply(Function):
    @staticmethod
    def forward(context: FunctionCtx, x_NI: Tensor, weight_OI: Tensor) -> Tensor:
        context.save_for_backward(x_NI)
        context.weight = weight_OI
        return product(x_NI, weight_OI.to(x_NI.dtype))

    @staticmethod
    def backward(context: FunctionCtx, grad_NO: Tensor) -> tuple[Tensor | None, None]:
        with context.weight.turn:
            add_product(context.weight.gradient, grad_NO.t(), context.saved_tensors[0])
        wanted = context.needs_input_grad[0]
        return product(grad_NO, context.weight.to(grad_NO.dtype).t()) if wanted else None, None


class _Frozen(Function):
    """What is kept for the gradient is the weight as it lies, not its copy in another type."""

    @staticmethod
    def forward(context: FunctionCtx, x_NI: Tensor, weight_OI: Tensor) -> Tensor:
        context.weight = weight_OI
        return product(x_NI, weight_OI.to(x_NI.dtype))

    @staticmethod
    def backward(context: FunctionCtx, grad_NO: Tensor) -> tuple[Tensor, None]:
        return product(grad_NO, context.weight.to(grad_NO.dtype).t()), None


def add_product(sum_OI: Tensor, one: Tensor, other: Tensor, scale: float = 1) -> None:
    """sum += scale · one · other, in place, computed in the factors' type."""
    if sum_OI.dtype == one.dtype:
        sum_OI.addmm_(one, other, alpha=scale)
    else:
        add_rounded(sum_OI, one.mm(other), scale)


def look_up(tokens_N: Tensor, table_VD: Tensor, dtype: torch.dtype) -> Tensor:
    """The table's rows of tokens, in a type, with a gradient that is added where the table's lies."""
    if torch.is_grad_enabled() and table_VD.requires_grad:
        return _LookUp.apply(tokens_N, table_VD, dtype)
    return table_VD.index_select(0, tokens_N).to(dtype)


class _LookUp(Function):
    @staticmethod
    def forward(context: FunctionCtx, tokens_N: Tensor, table_VD: Tensor, dtype: torch.dtype) -> Tensor:
        context.save_for_backward(tokens_N)
        context.table = table_VD
        return table_VD.index_select(0, tokens_N).to(dtype)

    @staticmethod
    def backward(context: FunctionCtx, grad_ND: Tensor) -> tuple[None, None, None]:
        with context.table.turn:
            add_rows(context.table.gradient, context.saved_tensors[0], grad_ND)
        return None, None, None


def add_rows(sum_VD: Tensor, rows_N: Tensor, values_ND: Tensor) -> None:
    """Adds to rows of a table, which may be named more than once; a table in bf16 takes each row's sum, which
    one addition after another would round away."""
    if sum_VD.dtype == torch.float32:
        sum_VD.index_add_(0, rows_N, values_ND.float())
        return
    distinct, place_N = rows_N.unique(return_inverse=True)
    sums = values_ND.new_zeros(len(distinct), values_ND.shape[1], dtype=torch.float32)
    sums.index_add_(0, place_N, values_ND.float())
    sum_VD.index_copy_(0, distinct, sum_VD.index_select(0, distinct).float().add_(sums).to(sum_VD.dtype))


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) · up, gate and up being the halves of the last dimension (arXiv 2002.05202)."""
    if torch.is_grad_enabled():
        return _SwiGlu.apply(gate_up)
    return _let_through(gate_up)


def _let_through(gate_up: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate).mul_(up)


class _SwiGlu(Function):
    @staticmethod
    def forward(context: FunctionCtx, gate_up: Tensor) -> Tensor:
        context.save_for_backward(gate_up)
        return _let_through(gate_up)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> Tensor:
        (gate_up,) = context.saved_tensors
        gate, up = gate_up.chunk(2, dim=-1)
        grad_both = torch.empty_like(gate_up)
        grad_gate, grad_up = grad_both.chunk(2, dim=-1)
        # Lit again: kept, it would be an eighth of all that a pass keeps.
        torch.mul(grad, F.silu(gate), out=grad_up)
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=grad_gate)
        return grad_both


def rotate(heads_NHd: Tensor, rotation: tuple[Tensor, Tensor], turned: int) -> Tensor:
    """Turns the first `turned` heads by cosines and signed sines [N, 1, d] (arXiv 2104.09864; a head's halves
    belong together, as in Hugging Face's code). Where no gradient is wanted, in place."""
    if torch.is_grad_enabled():
        return _Rotate.apply(heads_NHd, *rotation, turned)
    return _turn(heads_NHd, *rotation, turned)


class _Rotate(Function):
    @staticmethod
    def forward(context: FunctionCtx, heads_NHd: Tensor, cosine: Tensor, sine: Tensor, turned: int) -> Tensor:
        context.save_for_backward(cosine, sine)
        context.turned = turned
        return _turn(heads_NHd.clone(), cosine, sine, turned)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None, None]:
        cosine, sine = context.saved_tensors
        return _turn(grad.clone(), cosine, -sine, context.turned), None, None, None


def _turn(heads_NHd: Tensor, cosine: Tensor, sine: Tensor, turned: int) -> Tensor:
    part = heads_NHd[:, :turned]
    crossed = _crossed(part)
    part.mul_(cosine).addcmul_(crossed, sine)
    return heads_NHd


def turn_into(heads_NHd: Tensor, cosine: Tensor, sine: Tensor, turned: int, out_NHd: Tensor) -> Tensor:
    """As `rotate` where no gradient is wanted, into other memory. Cosines are of all heads, [N, H, d]: 1 of
    those that are not turned."""
    torch.mul(heads_NHd, cosine, out=out_NHd)
    out_NHd[:, :turned].addcmul_(_crossed(heads_NHd[:, :turned]), sine)
    return out_NHd


def _crossed(part: Tensor) -> Tensor:
    """The halves of each head in each other's place, in one piece: half by half PyTorch multiplies slower."""
    half = part.shape[-1] // 2
    return torch.cat((part[..., half:], part[..., :half]), -1)


def turn_neighbours(heads_NHd: Tensor, rotation: Tensor, turned: int) -> Tensor:
    """Turns the first `turned` heads in place by complex numbers [N, 1, d/2], where the numbers that belong
    together are neighbours and no gradient is wanted."""
    pairs = heads_NHd.view(*heads_NHd.shape[:2], -1, 2)
    torch.view_as_complex(pairs)[:, :turned].mul_(rotation)
    return heads_NHd


def for_each_head(rotation: Tensor, turned: int) -> Tensor:
    """Complex numbers [N, 1, d/2] for each of the heads that are turned: in one piece these are turned faster
    than a piece a head."""
    return rotation.expand(-1, turned, -1).contiguous()


SMALLEST = -87.0
"""Of an exponent: the exponential of a little less is beyond fp32's normal numbers."""


def exponentials(x: Tensor) -> Tensor:
    """e^x in place; of what is below −87 e^−87, 2e-38, which no sum with a 1 in it sees. MKL takes a hundred
    times as long there, where most of a vocabulary is at a low temperature."""
    return (x.clamp_(min=SMALLEST) if x.is_cpu else x).exp_()


def weights_to_draw_by(exponentials: Tensor) -> Tensor:
    """In place: 0 of what was below −87, which is never to be drawn."""
    return F.threshold_(exponentials, 2e-38, 0) if exponentials.is_cpu else exponentials


LOGITS_AT_ONCE = 2**19
"""Logits that are looked at together: they stay in a processor's cache."""


def target_logprobs(logits_NV: Tensor, targets_N: Tensor) -> Tensor:
    """The log probability of each target, fp32 [N], computed in fp32; the logits are used up. PyTorch's
    softmax runs one number at a time where a row is shorter than a vector register, as a character model's
    logits are; exponentials and sums do not."""
    return _TargetLogprobs.apply(logits_NV, targets_N)


class _TargetLogprobs(Function):
    """Logits in fp32 become exponentials in place, and these the gradient: a large vocabulary's are the
    largest tensor of all. Those in bf16 stay as they are, and their exponentials are computed again."""

    @staticmethod
    def forward(context: FunctionCtx, logits_NV: Tensor, targets_N: Tensor) -> Tensor:
        logits_NV, targets_N1 = logits_NV.detach(), targets_N[:, None]
        chosen_N1, sums_N1, tops_N1 = logits_NV.new_empty(3, len(targets_N), 1, dtype=torch.float32)
        for part, target, chosen, sums, top in _parts_of(logits_NV, targets_N1, chosen_N1, sums_N1, tops_N1):
            exact = part.float()
            torch.amax(exact, 1, keepdim=True, out=top)
            torch.gather(exact.sub_(top), 1, target, out=chosen)
            torch.sum(exponentials(exact), 1, keepdim=True, out=sums)
        context.save_for_backward(sums_N1, targets_N1, tops_N1)
        context.logits = logits_NV
        return (chosen_N1 - sums_N1.log())[:, 0]

    @staticmethod
    def backward(context: FunctionCtx, grad_N: Tensor) -> tuple[Tensor, None]:
        sums_N1, targets_N1, tops_N1 = context.saved_tensors
        grad_N1 = grad_N[:, None]
        scales_N1 = (grad_N1 / sums_N1).neg_()
        # It happens once.
        grad_NV = context.logits
        if grad_NV.dtype == torch.float32:
            return grad_NV.mul_(scales_N1).scatter_add_(1, targets_N1, grad_N1), None
        for part, target, grad, scale, top in _parts_of(grad_NV, targets_N1, grad_N1, scales_N1, tops_N1):
            exact = exponentials(part.float().sub_(top)).mul_(scale)
            part.copy_(exact.scatter_add_(1, target, grad))
        return grad_NV, None


def _parts_of(logits_NV: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Rows that are looked at together."""
    at_once = LOGITS_AT_ONCE // logits_NV.shape[1] if logits_NV.is_cpu else len(logits_NV)
    return zip(*(one.split(max(1, at_once)) for one in (logits_NV, *others)), strict=True)

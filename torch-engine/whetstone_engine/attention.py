"""Causal attention over packed rows. Suffixes as in decoder.py; K key-value heads, each read by G query
heads."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from .packing import Bucket, Packing, Plan, gather, spread

SHORT = 512
"""Up to so many columns, plain matrix products with the probabilities kept are faster than a flash kernel, on
a processor."""


def attend(heads_NHd: Tensor, packing: Packing, key_heads: int) -> Tensor:
    """Attention of queries, keys and values [N, K·G + 2K, d] in this order; returns [N, K·G·d]. Where rows
    share beginnings, both are of the U positions that are computed."""
    if packing.columns <= SHORT and heads_NHd.is_cpu:
        return _ShortAttention.apply(heads_NHd, packing.plan(heads_NHd.shape[1], key_heads))
    heads_NHd = packing.at_places(heads_NHd)
    if heads_NHd.is_cuda and heads_NHd.dtype == torch.bfloat16 and heads_NHd.shape[2] % 8 == 0:
        attended_N = _packed(heads_NHd, packing, key_heads)
    else:
        parts = heads_NHd.split([bucket.positions for bucket in packing.buckets])
        attended = [_flash(part, one, key_heads) for part, one in zip(parts, packing.buckets, strict=True)]
        attended_N = attended[0] if len(attended) == 1 else torch.cat(attended)
    return attended_N if packing.shared is None else gather(attended_N, packing.shared.at_U)


def _packed(heads_NHd: Tensor, packing: Packing, key_heads: int) -> Tensor:
    """By a GPU's kernel that knows where rows end."""
    queries = heads_NHd.shape[1] - 2 * key_heads
    q, k, v = heads_NHd.split([queries, key_heads, key_heads], dim=1)
    ends, longest = packing.ends, packing.columns
    attended = torch.ops.aten._flash_attention_forward(
        q, k, v, ends, ends, longest, longest, dropout_p=0.0, is_causal=True, return_debug_mask=False
    )
    return attended[0].flatten(1)


def _flash(heads_NHd: Tensor, bucket: Bucket, key_heads: int) -> Tensor:
    queries = heads_NHd.shape[1] - 2 * key_heads
    heads_BTHd = spread(heads_NHd.flatten(1), bucket).unflatten(2, heads_NHd.shape[1:])
    q, k, v = heads_BTHd.transpose(1, 2).split([queries, key_heads, key_heads], dim=1)
    k, v = (for_queries(one, queries // key_heads) for one in (k, v))
    attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=q.shape[1] != k.shape[1])
    return gather(attended.transpose(1, 2).flatten(2).flatten(0, 1), bucket.place_N)


def for_queries(heads: Tensor, group: int) -> Tensor:
    """Keys or values [·, K, T, d]; on a GPU a copy for each query of a group, [·, K·G, T, d], without which
    its kernels for masks and for fp32 do not take them."""
    return heads if heads.is_cpu or group == 1 else heads.repeat_interleave(group, 1)


class _ShortAttention(Function):
    """One copy brings all heads of all rows into place for the matrix products, one more brings back what
    they make. Scores and their softmax are in fp32, whatever is multiplied."""

    @staticmethod
    def forward(context: FunctionCtx, heads_NHd: Tensor, plan: Plan) -> Tensor:
        width = heads_NHd.shape[2]
        buffer = heads_NHd.reshape(-1, width).index_select(0, plan.take_heads)
        queries, keys, values = plan.parts(buffer)
        attended = torch.empty_like(queries)
        shares = []
        buckets = zip(
            plan.buckets,
            *(plan.in_blocks(part) for part in (queries, attended)),
            *(plan.in_buckets(part) for part in (keys, values)),
            strict=True,
        )
        for bucket, blocks, outs, k, v in buckets:
            k = k.float()
            for (first, end), q, out in zip(bucket.edges, blocks, outs, strict=True):
                scores = k.new_empty(len(q), q.shape[1], end)
                scores.baddbmm_(q.float(), k[:, :end].transpose(1, 2), beta=0, alpha=width**-0.5)
                scores[:, :, first:].add_(_causal(end - first, plan.group))
                shares.append(scores.softmax(-1).to(v.dtype))
                torch.bmm(shares[-1], v[:, :end], out=out)
        context.save_for_backward(buffer, *shares)
        context.plan = plan
        return attended.index_select(0, plan.give_queries).view(plan.count, -1)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        buffer, *shares = context.saved_tensors
        plan, width = context.plan, buffer.shape[1]
        queries, keys, values = plan.parts(buffer)
        grads = torch.empty_like(buffer)
        grad_queries, grad_keys, grad_values = plan.parts(grads)
        grad_attended = grad.reshape(-1, width).index_select(0, plan.take_queries)
        grad_attended.index_fill_(0, plan.unanswered, 0)
        buckets = zip(
            *(plan.in_blocks(part) for part in (queries, grad_queries, grad_attended)),
            *(plan.in_buckets(part) for part in (keys, values, grad_keys, grad_values)),
            strict=True,
        )
        for blocks, grad_blocks, grad_outs, k, v, grad_k, grad_v in reversed([*buckets]):
            for q, grad_q, grad_out in reversed([*zip(blocks, grad_blocks, grad_outs, strict=True)]):
                share = shares.pop()
                end = share.shape[2]
                _put(grad_v, share.transpose(1, 2), grad_out)
                grad_share = torch.bmm(grad_out, v[:, :end].transpose(1, 2))
                grad_scores = torch._softmax_backward_data(grad_share, share, -1, share.dtype)
                torch.bmm(grad_scores, k[:, :end], out=grad_q)
                _put(grad_k, grad_scores.transpose(1, 2), q)
        # Of queries and keys.
        grads[: -len(grad_values)].mul_(width**-0.5)
        heads = len(plan.take_heads) // plan.places
        return plan.collect(grads.index_select(0, plan.give_heads).view(-1, heads, width)), None


def _put(sums: Tensor, one: Tensor, other: Tensor) -> None:
    """The products of a block's queries in the keys that it looks at. The last block, which comes first,
    looks at all; what the others find is added. Products that are not in one piece MKL and oneDNN compute
    matrix after matrix."""
    if one.shape[1] == sums.shape[1]:
        torch.bmm(one, other, out=sums)
    else:
        sums[:, : one.shape[1]].add_(torch.bmm(one, other))


@lru_cache(maxsize=64)
def _causal(columns: int, group: int) -> Tensor:
    """-∞ where a key comes after the query, [T·G, T]."""
    return torch.full((columns, columns), -torch.inf).triu(1).repeat_interleave(group, 0)

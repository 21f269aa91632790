"""QK-clip: the weights of queries and keys, scaled down where attention's logits have grown too large."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from optim_lib.optimizers.base import Array
from optim_lib.optimizers.clipping import check_positive


def qk_clip(queries: Array, keys: Array, largest_logits: ArrayLike, tau: float = 100.0, output_axis: int = 0) -> Array:
    r"""Scale the queries and keys of each attention head, in place, whose largest logit is above a threshold.

    A logit is the product of a query and a key, so it can grow with both of their weights, and under Muon it does: a
    softmax of logits in the thousands passes no gradient on, or too much. A norm or a cap inside the attention changes
    the network; QK-clip changes two weights, after the optimizer's step, and only in the heads that need it.

    .. math::
        \gamma_h = \min\left(1, \frac{\tau}{S_h}\right), \qquad
        W_q^h \leftarrow \sqrt{\gamma_h} \, W_q^h, \qquad W_k^h \leftarrow \sqrt{\gamma_h} \, W_k^h

    With it and Muon, a weight decay and a fixed root mean square of its steps, this is MuonClip.

    Parameters
    ----------
    queries, keys : ndarray
        The weights that make all heads' queries and keys, a head after the other along `output_axis`; changed in
        place. Two views of one matrix are as good. A bias, with its one axis, is scaled by a call of its own.
    largest_logits : array_like
        :math:`S_h`, one number for each head: the largest logit of the last batch, as `largest_logits` gives it. A head
        whose logits are all below zero, or that has none, is left alone.
    tau : float, default 100.0
        :math:`\tau > 0`; the default is that of Kimi K2.
    output_axis : 0 or -1, default 0
        Where the outputs of a weight are, as in `Muon`.

    Returns
    -------
    ndarray
        :math:`\gamma_h` of each head, 1 where nothing was done: worth watching.

    Raises
    ------
    ValueError
        If a weight cannot be divided into so many heads, is read-only, or `tau` is not positive.

    References
    ----------
    Kimi Team (2025), "Kimi K2: open agentic intelligence", section 2.1 and algorithm 1.

    Examples
    --------
    >>> w_q, w_k = np.ones((4, 3)), np.ones((4, 3))  # two heads of two outputs each
    >>> qk_clip(w_q, w_k, largest_logits=[50.0, 400.0])
    array([1.  , 0.25])
    >>> w_q[:, 0]
    array([1. , 1. , 0.5, 0.5])
    """
    check_positive("tau", tau)
    if output_axis not in (0, -1):
        raise ValueError(f"output_axis must be 0 or -1, got {output_axis!r}")
    largest = np.asarray(largest_logits, dtype=float)
    if largest.ndim != 1 or not largest.size:
        raise ValueError(f"largest_logits must be one number for each head, got the shape {largest.shape}")
    weights = {"queries": queries, "keys": keys}
    for name, weight in weights.items():
        _check_weight(name, weight, len(largest), output_axis)
    gamma = tau / np.maximum(np.where(np.isnan(largest), tau, largest), tau)
    for weight in weights.values():
        outputs_last = np.moveaxis(weight, output_axis, -1)
        outputs_last *= np.repeat(np.sqrt(gamma), outputs_last.shape[-1] // len(gamma)).astype(weight.dtype)
    return gamma


def largest_logits(queries: ArrayLike, keys: ArrayLike) -> Array:
    r"""The largest logit of each head: :math:`S_h = \max_{i,j} q_i \cdot k_j / \sqrt d` over all places of a batch.

    Parameters
    ----------
    queries, keys : array_like
        The activations, of shape (examples, heads, places, d).

    Raises
    ------
    ValueError
        If they are not of such shapes.

    Examples
    --------
    >>> largest_logits(np.ones((1, 2, 3, 4)), 5 * np.ones((1, 2, 3, 4)))
    array([10., 10.])
    """
    q, k = np.asarray(queries), np.asarray(keys)
    if q.ndim != 4 or k.ndim != 4 or q.shape[:2] != k.shape[:2] or q.shape[-1] != k.shape[-1] or not q.shape[-1]:
        raise ValueError(
            f"queries and keys must be of shape (examples, heads, places, d), of as many examples and heads and one d, "
            f"got {q.shape} and {k.shape}"
        )
    return np.max(q @ k.mT, axis=(0, 2, 3), initial=-np.inf) / np.sqrt(q.shape[-1])


def _check_weight(name: str, weight: Array, heads: int, output_axis: int) -> None:
    if not isinstance(weight, np.ndarray) or weight.dtype.kind != "f" or not weight.ndim:
        raise ValueError(f"{name} must be an array of floating-point numbers, got {type(weight).__name__}")
    if weight.shape[output_axis] % heads:
        raise ValueError(f"{name} must have outputs that {heads} heads share alike, got {weight.shape[output_axis]}")
    if not weight.flags.writeable:
        raise ValueError(f"{name} must be writeable, since it is changed in place")

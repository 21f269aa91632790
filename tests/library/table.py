"""One table of optimizers: what each is compared with, and at which settings. It drives the tests of this folder.

Peers are torch.optim, optax, and packages installed for the tests alone: pytorch-optimizer, and prodigyopt, which is
the authors' own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from unittest.mock import patch

import jax.numpy as jnp
import numpy as np
import optax
import prodigyopt
import pytorch_optimizer
import torch
from pytorch_optimizer.optimizer.muon import normuon
from pytorch_optimizer.optimizer.utils.matrix import zero_power_via_newton_schulz_5

from optim_lib.optimizers import (
    ADOPT,
    LAMB,
    LARS,
    SGD,
    SOAP,
    AdaBelief,
    Adafactor,
    AdaGrad,
    Adam,
    AdamHyperball,
    AdamW,
    AdEMAMix,
    AMSGrad,
    CautiousAdamW,
    CenteredRMSprop,
    Lion,
    MomentumSGD,
    Muon,
    MuonHyperball,
    NAdam,
    NesterovMomentum,
    NorMuon,
    Optimizer,
    Prodigy,
    RAdam,
    RMSprop,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Shampoo,
    UncorrectedAdam,
)

# Parameters of every rank a network has, a scalar and an empty one among them.
SHAPES = {
    "scalar": (),
    "bias": (5,),
    "one": (1,),
    "matrix": (4, 3),
    "row": (1, 6),
    "kernel": (2, 3, 2, 2),
    "none": (0, 3),
}


@dataclass(frozen=True)
class Row:
    """An optimizer, its peers (called with the hyperparameters by our names), and settings to compare them at.

    `tolerance` is that of a hundred steps. `squeezed` gives peers the parameters without axes of length one, and a
    number as a vector: so does the optimizer see them.
    """

    optimizer: type[Optimizer]
    settings: Sequence[dict[str, float]]
    torch: Callable[..., torch.optim.Optimizer] | None = None
    optax: Callable[..., optax.GradientTransformation] | None = None
    tolerance: float = 1e-12
    squeezed: bool = False

    def __str__(self) -> str:
        return self.optimizer.__name__


def _adam_family(peer: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    def make(parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, **more):
        return peer(parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, **more, **fixed)

    return make


def _optax_adam_family(peer: Callable[..., Any]) -> Callable[..., Any]:
    def make(learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8, **more):
        return peer(learning_rate, b1=beta1, b2=beta2, eps=epsilon, **more)

    return make


def _torch_ademamix(parameters, learning_rate, beta1=0.9, beta2=0.999, beta3=0.9999, epsilon=1e-8, weight_decay=0.0,
                    warmup=0.0, **more):  # fmt: skip
    return pytorch_optimizer.AdEMAMix(
        parameters, lr=learning_rate, betas=(beta1, beta2, beta3), eps=epsilon, weight_decay=weight_decay,
        weight_decouple=True, t_alpha_beta3=warmup or None, **more,
    )  # fmt: skip


def _optax_ademamix(learning_rate, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5.0, epsilon=1e-8, warmup=0.0, **more):
    """The schedules, which optax leaves to its callers and counts from 0, are those of the paper's appendix."""

    def grown_beta3(count):
        share, slow, fast = (count + 1) / warmup, jnp.log(beta3), jnp.log(beta1)
        return jnp.minimum(jnp.exp(fast * slow / ((1 - share) * slow + share * fast)), beta3)

    schedules = (grown_beta3, lambda count: jnp.minimum((count + 1) / warmup, 1) * alpha) if warmup else (beta3, alpha)
    return optax.contrib.ademamix(learning_rate, beta1, beta2, *schedules, eps=epsilon, **more)


def _torch_sgd(parameters, learning_rate, momentum=0.0, **more):
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=momentum, **more)


class DoublePrecisionMuon:
    """torch.optim.Muon for matrices, in float64 throughout, and torch.optim.AdamW for vectors."""

    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.0, adam_ratio=0.015,
                 beta1=0.9, beta2=0.95, epsilon=1e-10):  # fmt: skip
        self.matrices = [p for p in parameters if p.ndim > 1]
        self.flat = [p.detach().view(len(p), -1) for p in self.matrices]
        vectors = [p for p in parameters if p.ndim < 2]
        self.param_groups, self.adam_ratio = [{"lr": learning_rate}], adam_ratio
        self.peers = []
        if self.flat:
            self.peers += [torch.optim.Muon(self.flat, momentum=momentum, weight_decay=weight_decay)]
        if vectors:
            # Ours has one weight decay at Muon's rate; AdamW's is proportional to its own.
            decay = weight_decay / adam_ratio
            self.peers += [torch.optim.AdamW(vectors, betas=(beta1, beta2), eps=epsilon, weight_decay=decay)]

    def step(self):
        for flat, matrix in zip(self.flat, self.matrices, strict=True):
            flat.grad = matrix.grad.view(flat.shape)
        rate = self.param_groups[0]["lr"]
        # It orthogonalizes in bfloat16, and nothing else differs.
        with patch.object(torch.Tensor, "bfloat16", torch.Tensor.clone):
            for peer in self.peers:
                peer.param_groups[0]["lr"] = rate if isinstance(peer, torch.optim.Muon) else rate * self.adam_ratio
                peer.step()

    def zero_grad(self):
        for peer in self.peers:
            peer.zero_grad()


class DoublePrecisionNorMuon:
    """pytorch_optimizer's NorMuon, in float64 throughout; its vectors take the step of its own AdamW."""

    def __init__(self, parameters, learning_rate=0.02, weight_decay=0.0, adam_ratio=0.015, beta1=0.9, beta2=0.95,
                 epsilon=1e-10, **more):  # fmt: skip
        shared = {"weight_decay": weight_decay, "eps": epsilon}
        vector = shared | {"betas": (beta1, beta2), "weight_decay": weight_decay / adam_ratio}
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "use_muon": True, "beta2": beta2, **shared, **more},
            {"params": [p for p in parameters if p.ndim < 2], "use_muon": False, **vector},
        ]
        groups = [group for group in groups if group["params"]]
        self.param_groups, self.adam_ratio = [{"lr": learning_rate}], adam_ratio
        self.peer = pytorch_optimizer.NorMuon(groups, foreach=False)

    def step(self):
        rate = self.param_groups[0]["lr"]
        for group in self.peer.param_groups:
            group["lr"] = rate if group["use_muon"] else rate * self.adam_ratio
        orthogonalize = partial(normuon.zero_power_via_newton_schulz_5, dtype=torch.float64)
        with patch.object(normuon, "zero_power_via_newton_schulz_5", orthogonalize):
            self.peer.step()

    def zero_grad(self):
        self.peer.zero_grad()


class Transcribed(torch.optim.Optimizer):
    """A rule without a package to compare with, written down a second time, in torch and after its authors' code."""

    def __init__(self, parameters, learning_rate, **setting):
        super().__init__(parameters, {"lr": learning_rate} | self.defaults_of_the_rule | setting)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["t"] = state.get("t", 0) + 1
                self.rule(p, p.grad, state, group)

    @staticmethod
    def adam_direction(grad, state, group):
        average, square = (state.setdefault(key, torch.zeros_like(grad)) for key in ("average", "square"))
        average.lerp_(grad, 1 - group["beta1"])
        square.mul_(group["beta2"]).addcmul_(grad, grad, value=1 - group["beta2"])
        root = (square / (1 - group["beta2"] ** state["t"])).sqrt().add_(group["epsilon"])
        return average.div(1 - group["beta1"] ** state["t"]).div_(root)

    @staticmethod
    def muon_direction(grad, state, group):
        buffer = state.setdefault("buffer", torch.zeros_like(grad))
        buffer.mul_(group["momentum"]).add_(grad)  # not averaged: a length is of no account to what follows
        matrix = grad.add(buffer, alpha=group["momentum"]).reshape(len(grad), -1)
        return zero_power_via_newton_schulz_5(matrix, dtype=torch.float64).reshape(grad.shape)

    def turn(self, p, u, group):
        """As levanter's adamH and muonH: a step in units of the norm, and the norm that there was."""
        norm = p.norm()
        moved = p - group["lr"] * u * norm / u.norm().clamp(min=1e-10)
        p.copy_(moved / moved.norm() * norm)


class TorchCautiousAdamW(Transcribed):
    defaults_of_the_rule: ClassVar = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}

    def rule(self, p, grad, state, group):
        u = self.adam_direction(grad, state, group)
        aligned = torch.logical_or(torch.sign(u) == torch.sign(p), u * p == 0)
        p.sub_(torch.where(aligned, u + group["weight_decay"] * p, u), alpha=group["lr"])


class TorchAdamHyperball(Transcribed):
    defaults_of_the_rule: ClassVar = {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "adam_ratio": 0.03}

    def rule(self, p, grad, state, group):
        u = self.adam_direction(grad, state, group)
        if p.ndim > 1:
            self.turn(p, u, group)
        else:
            p.sub_(u, alpha=group["lr"] * group["adam_ratio"])


class TorchMuonHyperball(Transcribed):
    defaults_of_the_rule: ClassVar = {
        "momentum": 0.95,
        "beta1": 0.9,
        "beta2": 0.95,
        "epsilon": 1e-8,
        "adam_ratio": 0.03,
    }

    def rule(self, p, grad, state, group):
        if p.ndim > 1:
            self.turn(p, self.muon_direction(grad, state, group), group)
        else:
            p.sub_(self.adam_direction(grad, state, group), alpha=group["lr"] * group["adam_ratio"])


class DoublePrecisionTorch:
    """What pytorch_optimizer's SOAP takes for torch: it takes the QR decomposition in float32, and nothing else."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


class DoublePrecisionSOAP(pytorch_optimizer.SOAP):
    def step(self, closure=None):
        with patch.object(pytorch_optimizer.optimizer.soap, "torch", DoublePrecisionTorch()):
            return super().step(closure)


ADAM_SETTINGS = (
    {"learning_rate": 0.01},
    {"learning_rate": 0.3, "beta1": 0.0, "beta2": 0.9},
    {"learning_rate": 0.05, "beta1": 0.99, "beta2": 0.5, "epsilon": 0.3},
    {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.0, "epsilon": 1e-3},
)
MOMENTUM_SETTINGS = (
    {"learning_rate": 0.01},
    {"learning_rate": 0.3, "momentum": 0.0},
    {"learning_rate": 0.05, "momentum": 0.5},
    {"learning_rate": 0.001, "momentum": 0.99},
)

TABLE = (
    Row(
        SGD,
        ({"learning_rate": 0.01}, {"learning_rate": 0.3, "weight_decay": 0.5}),
        torch=_torch_sgd,
        optax=lambda learning_rate, weight_decay=0.0: optax.chain(
            optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate)
        ),
    ),
    Row(
        MomentumSGD,
        (
            *MOMENTUM_SETTINGS,
            {"learning_rate": 0.1, "momentum": 0.8, "weight_decay": 0.2},
            {"learning_rate": 0.1, "momentum": 0.0, "dampening": 0.7},
            {"learning_rate": 0.1, "momentum": 0.9, "dampening": 0.9},
            {"learning_rate": 0.1, "momentum": 0.5, "dampening": 1.0, "weight_decay": 0.2},
        ),
        torch=lambda parameters, learning_rate, momentum=0.9, **more: _torch_sgd(
            parameters, learning_rate, momentum, **more
        ),
    ),
    Row(
        NesterovMomentum,
        (*MOMENTUM_SETTINGS, {"learning_rate": 0.1, "momentum": 0.8, "weight_decay": 0.2}),
        # torch refuses nesterov=True with momentum 0, where the two are plain SGD.
        torch=lambda parameters, learning_rate, momentum=0.9, weight_decay=0.0: torch.optim.SGD(
            parameters, lr=learning_rate, momentum=momentum, weight_decay=weight_decay, nesterov=momentum > 0
        ),
        optax=lambda learning_rate, momentum=0.9, weight_decay=0.0: optax.chain(
            optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum, nesterov=True)
        ),
    ),
    Row(
        AdaGrad,
        ({"learning_rate": 0.01}, {"learning_rate": 1.0, "epsilon": 0.5}, {"learning_rate": 0.2, "epsilon": 1e-3}),
        torch=lambda parameters, learning_rate, epsilon=1e-8: torch.optim.Adagrad(
            parameters, lr=learning_rate, eps=epsilon
        ),
    ),
    Row(
        RMSprop,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.1, "decay": 0.0, "epsilon": 0.2},
            {"learning_rate": 0.05, "decay": 0.99, "epsilon": 1e-3},
        ),
        torch=lambda parameters, learning_rate, decay=0.9, epsilon=1e-8: torch.optim.RMSprop(
            parameters, lr=learning_rate, alpha=decay, eps=epsilon
        ),
        optax=lambda learning_rate, decay=0.9, epsilon=1e-8: optax.rmsprop(
            learning_rate, decay=decay, eps=epsilon, eps_in_sqrt=False
        ),
    ),
    Row(
        CenteredRMSprop,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.1, "decay": 0.5, "epsilon": 0.2},
            {"learning_rate": 0.05, "decay": 0.99, "epsilon": 1e-3},
        ),
        torch=lambda parameters, learning_rate, decay=0.9, epsilon=1e-8: torch.optim.RMSprop(
            parameters, lr=learning_rate, alpha=decay, eps=epsilon, centered=True
        ),
        optax=lambda learning_rate, decay=0.9, epsilon=1e-8: optax.rmsprop(
            learning_rate, decay=decay, eps=epsilon, eps_in_sqrt=False, centered=True
        ),
    ),
    Row(UncorrectedAdam, ADAM_SETTINGS),
    Row(Adam, ADAM_SETTINGS, torch=_adam_family(torch.optim.Adam), optax=_optax_adam_family(optax.adam)),
    Row(AMSGrad, ADAM_SETTINGS, torch=_adam_family(torch.optim.Adam, amsgrad=True)),
    Row(
        AdamW,
        (
            {"learning_rate": 0.01, "weight_decay": 0.01},
            {"learning_rate": 0.1, "weight_decay": 0.5, "beta1": 0.5},
            {"learning_rate": 0.3, "weight_decay": 0.0},
            {"learning_rate": 0.02, "weight_decay": 3.0, "beta2": 0.9, "epsilon": 0.1},
        ),
        torch=_adam_family(torch.optim.AdamW),
        optax=_optax_adam_family(optax.adamw),
    ),
    # It raises the half-life of its memory by other sums than the peers do.
    Row(
        AdEMAMix,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.1, "beta1": 0.5, "beta3": 0.99, "alpha": 2.0, "weight_decay": 0.5},
            {"learning_rate": 0.05, "beta2": 0.9, "beta3": 0.0, "alpha": 0.0, "epsilon": 0.1},
            {"learning_rate": 0.01, "beta3": 0.999, "alpha": 8.0, "weight_decay": 0.1, "warmup": 60.0},
        ),
        torch=_torch_ademamix,
        optax=_optax_ademamix,
        tolerance=1e-10,
    ),
    Row(
        ADOPT,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.3, "beta1": 0.0, "beta2": 0.9},
            {"learning_rate": 0.05, "beta1": 0.99, "beta2": 0.5, "epsilon": 0.3},
            {"learning_rate": 0.01, "beta1": 0.5, "beta2": 0.99, "epsilon": 0.1, "clip": 0},
        ),
        optax=lambda learning_rate, beta1=0.9, beta2=0.9999, epsilon=1e-6, clip=1: optax.contrib.adopt(
            learning_rate, beta1, beta2, epsilon, use_clipping=bool(clip)
        ),
    ),
    Row(
        CautiousAdamW,
        (
            {"learning_rate": 0.01, "weight_decay": 0.01},
            {"learning_rate": 0.1, "weight_decay": 0.5, "beta1": 0.5},
            {"learning_rate": 0.02, "weight_decay": 3.0, "beta2": 0.9, "epsilon": 0.1},
        ),
        torch=TorchCautiousAdamW,
    ),
    Row(
        AdamHyperball,
        (
            {"learning_rate": 0.02},
            {"learning_rate": 0.3, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1, "adam_ratio": 1.0},
        ),
        torch=TorchAdamHyperball,
        squeezed=True,
    ),
    Row(
        LARS,
        # With a weight decay the denominators differ: see test_lars_and_optax_differ_in_the_denominator.
        (
            {"learning_rate": 1.0, "weight_decay": 0.0, "trust_coefficient": 0.1},
            {"learning_rate": 0.3, "weight_decay": 0.0, "trust_coefficient": 0.01, "momentum": 0.5},
        ),
        optax=optax.lars,
    ),
    Row(
        LAMB,
        (
            {"learning_rate": 0.01, "weight_decay": 0.01, "epsilon": 1e-6},
            {"learning_rate": 0.1, "weight_decay": 0.5, "epsilon": 1e-3, "beta1": 0.5, "beta2": 0.9},
            {"learning_rate": 0.05, "weight_decay": 0.0, "epsilon": 1e-6},
        ),
        optax=_optax_adam_family(optax.lamb),
    ),
    Row(
        NAdam,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.3, "beta1": 0.0, "beta2": 0.9},
            {"learning_rate": 0.05, "beta1": 0.99, "beta2": 0.5, "epsilon": 0.3, "momentum_decay": 0.2},
            {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.0, "epsilon": 1e-3, "momentum_decay": 0.0},
        ),
        torch=_adam_family(torch.optim.NAdam),
    ),
    # Of the second setting the second moment is never used, of the third from the second step, of the last from 6.
    Row(
        RAdam,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.03, "beta1": 0.0, "beta2": 0.5},
            {"learning_rate": 0.05, "beta1": 0.99, "beta2": 0.9, "epsilon": 0.3},
            {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.99, "epsilon": 1e-3},
        ),
        torch=_adam_family(torch.optim.RAdam),
    ),
    Row(
        AdaBelief,
        (
            {"learning_rate": 0.01, "epsilon": 1e-16},
            {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-8},
            {"learning_rate": 0.05, "beta1": 0.99, "beta2": 0.5, "epsilon": 0.3},
        ),
        optax=lambda learning_rate, epsilon, beta1=0.9, beta2=0.999: optax.adabelief(
            learning_rate, beta1, beta2, eps=epsilon, eps_root=epsilon
        ),
    ),
    Row(
        Lion,
        (
            {"learning_rate": 0.01},
            {"learning_rate": 0.1, "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.5},
            {"learning_rate": 0.02, "beta1": 0.95, "beta2": 0.98, "weight_decay": 3.0},
        ),
        optax=lambda learning_rate, beta1=0.9, beta2=0.99, weight_decay=0.0: optax.lion(
            learning_rate, beta1, beta2, weight_decay=weight_decay
        ),
    ),
    Row(
        Adafactor,
        (
            {"learning_rate": 0.01, "epsilon2": 0.1},
            {"learning_rate": 1.0, "decay_power": 0.5, "clip_threshold": 1.5},
            {"learning_rate": 0.1, "decay_power": 1.0, "clip_threshold": 3.0, "epsilon2": 0.5},
        ),
        torch=lambda parameters, learning_rate, decay_power=0.8, clip_threshold=1.0, epsilon1=0, epsilon2=1e-3: (
            torch.optim.Adafactor(
                parameters, lr=learning_rate, beta2_decay=-decay_power, d=clip_threshold, eps=(1e-15, epsilon2)
            )
        ),
    ),
    Row(
        Muon,
        (
            {"learning_rate": 0.02},
            {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.3, "adam_ratio": 2.0},
            {"learning_rate": 0.05, "momentum": 0.5, "adam_ratio": 1.0, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1},
        ),
        torch=DoublePrecisionMuon,
        tolerance=1e-10,
        squeezed=True,
    ),
    Row(
        NorMuon,
        (
            {"learning_rate": 0.02},
            {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.3, "adam_ratio": 2.0, "beta2": 0.5},
            {"learning_rate": 0.05, "momentum": 0.5, "adam_ratio": 1.0, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1},
        ),
        torch=DoublePrecisionNorMuon,
        tolerance=1e-10,
        squeezed=True,
    ),
    Row(
        MuonHyperball,
        (
            {"learning_rate": 0.02},
            {"learning_rate": 0.1, "momentum": 0.5, "adam_ratio": 1.0, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1},
        ),
        torch=TorchMuonHyperball,
        tolerance=1e-10,
        squeezed=True,
    ),
    Row(
        Shampoo,
        ({"learning_rate": 0.1, "epsilon": 1e-4}, {"learning_rate": 0.5, "epsilon": 1.0}),
        torch=lambda parameters, learning_rate, epsilon=1e-4: pytorch_optimizer.Shampoo(
            parameters, lr=learning_rate, matrix_eps=epsilon
        ),
        tolerance=1e-10,
        squeezed=True,
    ),
    # Of the peer epsilon stands before the correction, and weights are decayed after the step.
    Row(
        SOAP,
        (
            {"learning_rate": 0.003, "epsilon": 1e-20, "weight_decay": 0.0},
            {"learning_rate": 0.1, "epsilon": 1e-20, "weight_decay": 0.0, "precondition_frequency": 1},
            {
                "learning_rate": 0.03,
                "beta1": 0.5,
                "beta2": 0.8,
                "epsilon": 1e-20,
                "weight_decay": 0.0,
                "precondition_frequency": 3,
            },
        ),
        torch=lambda parameters, learning_rate, weight_decay=0.0, epsilon=1e-20, beta1=0.95, beta2=0.95, **more: (
            DoublePrecisionSOAP(
                parameters, lr=learning_rate, weight_decay=weight_decay, eps=epsilon, betas=(beta1, beta2), **more
            )
        ),
        tolerance=1e-10,
        squeezed=True,
    ),
    Row(
        ScheduleFreeSGD,
        (
            {"learning_rate": 0.1},
            {"learning_rate": 0.5, "beta1": 0.5, "weight_decay": 0.1},
            {"learning_rate": 0.03, "beta1": 0.98, "weight_decay": 1.0},
        ),
        optax=lambda learning_rate, beta1=0.9, weight_decay=0.0: optax.contrib.schedule_free_sgd(
            learning_rate, b1=beta1, weight_decay=weight_decay
        ),
        torch=lambda parameters, learning_rate, beta1=0.9, weight_decay=0.0: pytorch_optimizer.ScheduleFreeSGD(
            parameters, lr=learning_rate, momentum=beta1, weight_decay=weight_decay
        ),
        tolerance=1e-10,
    ),
    Row(
        ScheduleFreeAdamW,
        (
            {"learning_rate": 0.0025},
            {"learning_rate": 0.3, "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1},
            {"learning_rate": 0.1, "beta1": 0.98, "beta2": 0.5, "epsilon": 0.1, "weight_decay": 1.0},
        ),
        optax=_optax_adam_family(optax.contrib.schedule_free_adamw),
        tolerance=1e-10,
    ),
    Row(
        Prodigy,
        # In the authors' code epsilon is multiplied by the next d.
        (
            {"learning_rate": 1.0, "epsilon": 1e-20, "d0": 1e-3},
            {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-20, "weight_decay": 0.3, "d0": 0.01},
            {"learning_rate": 0.3, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-20, "d0": 1e-4},
        ),
        torch=lambda parameters, learning_rate, epsilon=1e-20, **more: _adam_family(prodigyopt.Prodigy)(
            parameters, learning_rate, epsilon=epsilon, **more
        ),
        tolerance=1e-10,
    ),
)

OPTIMIZERS = tuple(row.optimizer for row in TABLE)
ELEMENTWISE = tuple(optimizer for optimizer in OPTIMIZERS if optimizer.elementwise)
INDEPENDENT = tuple(optimizer for optimizer in OPTIMIZERS if optimizer.independent)


def cases(peer: str | None = None) -> list[tuple[Row, dict[str, float]]]:
    """Every row at every setting, of all optimizers or of those that have the peer."""
    return [(row, setting) for row in TABLE if peer is None or getattr(row, peer) for setting in row.settings]


def label(value: Any) -> str | None:
    """A readable id for a parametrized test."""
    if isinstance(value, Row):
        return str(value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, dict):
        return ",".join(f"{name}={number:g}" for name, number in value.items())
    return None


def parameters(seed: int = 0, dtype: type = np.float64) -> dict[str, np.ndarray]:
    """One array of each shape, the bias all zero as a network's is at first."""
    rng = np.random.default_rng(seed)
    params = {name: np.asarray(rng.standard_normal(shape), dtype=dtype) for name, shape in SHAPES.items()}
    params["bias"][:] = 0
    return params


def gradients(steps: int, seed: int = 1, dtype: type = np.float64) -> list[dict[str, np.ndarray]]:
    """Gradients for `parameters`: of several sizes, with a drift and exact zeros, one parameter's zero at first."""
    rng = np.random.default_rng(seed)
    sequence = []
    for step in range(steps):
        scale = 10.0 ** rng.uniform(-2, 1)
        grads = {name: np.asarray(scale * (0.5 + rng.standard_normal(shape)), dtype) for name, shape in SHAPES.items()}
        grads["matrix"][step % 4] = 0
        if step < 3:
            grads["row"][:] = 0
        sequence.append(grads)
    return sequence


def copied(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in arrays.items()}


def walk(optimizer: Any, params: dict[str, np.ndarray], sequence: Sequence[dict[str, np.ndarray]]) -> Any:
    """Take a step for each gradient, in place; return the parameters."""
    for grads in sequence:
        params = optimizer.update(params, grads)
    return params


def seen_by_a_peer(row: Row, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters or gradients as the peers of a row take them; many fail at an empty one."""
    arrays = {name: array for name, array in arrays.items() if array.size}
    if not row.squeezed:
        return arrays
    return {name: np.squeeze(array) if array.size > 1 else array.reshape(1) for name, array in arrays.items()}


def assert_agree(ours: dict, theirs: dict, start: dict, tolerance: float = 1e-12) -> None:
    """Hold the largest difference in each parameter against the distance it has traveled."""
    assert ours.keys() == theirs.keys() == start.keys()
    for name, array in ours.items():
        if array.size == 0:
            continue
        expected = np.asarray(theirs[name])
        assert array.shape == expected.shape
        traveled = np.max(np.abs(array - start[name]))
        assert traveled > 1e-3, f"{name} barely moved: the comparison would say nothing"
        difference = np.max(np.abs(array - expected))
        assert difference <= tolerance * traveled, f"{name}: relative error {difference / traveled:.2e}"


def snapshot(optimizer: Optimizer) -> dict[str, dict[str, Any]]:
    """A copy of an optimizer's state and hyperparameters that `assert_same` can compare."""
    saved = optimizer.state_dict()
    return {"hyperparameters": saved["hyperparameters"], **saved["state"]}


def assert_same(one: Any, other: Any) -> None:
    """Bit for bit, dtype and shape included; a NaN is the same as a NaN."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
        return
    assert np.shape(one) == np.shape(other)
    assert np.asarray(one).dtype == np.asarray(other).dtype
    assert np.array_equal(one, other, equal_nan=True)

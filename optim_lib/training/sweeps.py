"""Many training runs: every combination of hyperparameters, with every seed, as one vectorized run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import seeds as checked_seeds
from optim_lib.checks import whole
from optim_lib.data import Dataset, Split
from optim_lib.networks import MLP
from optim_lib.optimizers.base import Optimizer, Params
from optim_lib.progress import progress_bar
from optim_lib.training.runs import (
    FAR,
    PATIENCE,
    Schedule,
    as_dataset,
    batches_of,
    evaluation_point,
    made_by,
    scheduled,
    train,
)
from optim_lib.training.torch_model import TorchModel

Array = NDArray[np.floating]


@dataclass(frozen=True)
class TrainingSweep:
    """Many runs: one for every combination of hyperparameters, and every seed.

    Attributes
    ----------
    axes : dict of str to ndarray
        The hyperparameters that were given as arrays, in order.
    seeds : tuple of int
    losses : ndarray of shape (grid..., seeds, steps)
        Of each mini-batch, before the step taken with it; infinite from a divergence on.
    epochs : ndarray of shape (evaluations,)
    train_losses, validation_losses, validation_accuracies : ndarray of shape (grid..., seeds, evaluations)
        At the start and after each epoch; infinite (accuracies: NaN) once a run has diverged.
    diverged_at : ndarray of int of shape (grid..., seeds)
        How many steps a run had taken when it diverged, or -1.
    params : dict of str to ndarray of shape (grid..., seeds, ...)
        The parameters at the end.
    vectorized : bool
        Whether all of it was one vectorized run.
    hidden : tuple
        What the torch module of each run has besides its parameters (running means), in order; else empty.
    """

    axes: dict[str, Array]
    seeds: tuple[int, ...]
    losses: Array
    epochs: Array
    train_losses: Array
    validation_losses: Array
    validation_accuracies: Array
    diverged_at: NDArray[np.integer]
    params: Params = field(repr=False)
    vectorized: bool = True
    hidden: tuple[Any, ...] = field(default=(), repr=False)


def train_sweep(
    model: MLP | Callable[[int], Any],
    optimizer: Callable[..., Any],
    data: Dataset,
    *,
    epochs: int = 15,
    batch_size: int | None = 32,
    seeds: Iterable[int] = (0,),
    schedule: Schedule | None = None,
    progress: bool = True,
    **hyperparameters: float | ArrayLike,
) -> TrainingSweep:
    """Train once for every combination of the hyperparameters given as arrays, and every seed.

    An `MLP` with a class of `optim_lib` is one vectorized run. Anything else is run one by one, with a progress bar,
    and gives the same numbers.

    Parameters
    ----------
    model : MLP, or callable from seed to torch.nn.Module
    optimizer : class
        Called with the hyperparameters by name.
    data, epochs, batch_size, schedule, progress
        As in `train`.
    seeds : iterable of int, default (0,)
        What `train` would be given one by one.
    **hyperparameters : float or array of one dimension
        A number is the same in all runs; an array is an axis of the grid.

    Examples
    --------
    >>> from optim_lib.data import digits
    >>> from optim_lib.optimizers import SGD
    >>> grid = train_sweep(MLP((64, 10)), SGD, digits(), epochs=2, seeds=range(3), learning_rate=[0.01, 0.1])
    >>> grid.train_losses.shape
    (2, 3, 3)
    """
    axes = {name: np.asarray(value) for name, value in hyperparameters.items() if np.ndim(value)}
    for name, values in axes.items():
        if values.ndim != 1 or not values.size:
            raise ValueError(f"{name} must be a number or a one-dimensional array, got shape {values.shape}")
        if values.dtype.kind not in "fiu":
            raise ValueError(f"{name} must be a number or an array of numbers, got {values.dtype}")
        axes[name] = values.astype(float)
    fixed = {name: value for name, value in hyperparameters.items() if name not in axes}
    shape = tuple(values.size for values in axes.values())
    flat = dict(zip(axes, (a.ravel() for a in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    settings = {**{name: np.full(math.prod(shape), value) for name, value in fixed.items()}, **flat}
    many = train_many(model, optimizer, settings, data, epochs, batch_size, tuple(seeds), schedule, progress)

    def on_grid(array: NDArray) -> NDArray:
        return array.reshape(shape + array.shape[1:])

    return TrainingSweep(
        axes=axes,
        seeds=many.seeds,
        epochs=many.epochs,
        params={name: on_grid(array) for name, array in many.params.items()},
        vectorized=many.vectorized,
        hidden=many.hidden,
        **{name: on_grid(getattr(many, name)) for name in _PER_RUN},
    )


_PER_RUN = ("losses", "train_losses", "validation_losses", "validation_accuracies", "diverged_at")


def train_many(
    model: Any,
    optimizer: Callable[..., Any],
    settings: dict[str, NDArray],
    data: Dataset,
    epochs: int,
    batch_size: int | None,
    seeds: tuple[int, ...],
    schedule: Schedule | None,
    progress: bool,
) -> TrainingSweep:
    """Train with settings k = 0, 1, ..., each hyperparameter an array over k, and every seed."""
    if isinstance(optimizer, Optimizer) or not callable(optimizer):
        raise TypeError(f"optimizer must be a class, such as Adam (not Adam()), got {optimizer!r}")
    if not isinstance(model, MLP) and (not callable(model) or hasattr(model, "named_parameters")):
        raise TypeError(
            f"model must be an MLP, or a function from a seed to a torch module, got {type(model).__name__}: each run "
            "needs a module of its own"
        )
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule must be a function of the first rate and the epoch, got {schedule!r}")
    data, seeds, total = as_dataset(data), checked_seeds("seeds", seeds), whole("epochs", epochs)
    count = next(iter(settings.values())).size if settings else 1
    ours = isinstance(optimizer, type) and issubclass(optimizer, Optimizer) and optimizer.can_sweep(settings)
    work = (model, optimizer, settings, count, data, total, batch_size, seeds, schedule, progress)
    return _all_at_once(*work) if ours and isinstance(model, MLP) else _one_by_one(*work)


def _all_at_once(model, optimizer, settings, count, data, epochs, batch_size, seeds, schedule, progress):
    # Axes: settings, seeds, and the two axes of a parameter.
    swept = optimizer(**{name: values.reshape(-1, 1, 1, 1) for name, values in settings.items()})
    swept.sweep_axes = 2
    rates = swept.learning_rate
    starts = [model.initialize(seed) for seed in seeds]
    params = {name: np.repeat(np.stack([start[name] for start in starts])[None], count, axis=0) for name in starts[0]}
    n = len(data.train.x)
    losses, evaluations = [], []

    def evaluate_all() -> None:
        with evaluation_point(swept, params):
            each = [_evaluate_stack(model, {name: p[k] for name, p in params.items()}, data) for k in range(count)]
        evaluations.append(np.array(each))

    with np.errstate(all="ignore"):
        evaluate_all()
        for epoch in progress_bar(range(epochs), desc="epochs", leave=False, delay=PATIENCE, disable=not progress):
            orders = [batches_of(n, batch_size, seed, epoch) for seed in seeds]
            for position, batches in enumerate(zip(*orders, strict=True)):
                if schedule is not None:
                    swept.learning_rate = _scheduled(schedule, rates, epoch + position / len(orders[0]))
                x, y = _stacked(data.train, batches)
                loss, grads = model.loss_and_gradients(params, x, y)
                losses.append(loss)
                swept.update(params, grads)
            evaluate_all()
    return _judged(
        np.moveaxis(np.array(losses), 0, -1).reshape(count, len(seeds), -1),
        np.moveaxis(np.array(evaluations), 0, -1).swapaxes(1, 2),
        params,
        seeds,
        n_epochs=epochs,
    )


def _one_by_one(model, optimizer, settings, count, data, epochs, batch_size, seeds, schedule, progress):
    runs = [(k, seed) for k in range(count) for seed in seeds]
    histories, hidden = [], []
    for k, seed in progress_bar(runs, desc="runs", leave=False, delay=PATIENCE, disable=not progress):
        setting = {name: plain(values[k]) for name, values in settings.items()}
        one = model if isinstance(model, MLP) else made_by(model, seed)
        histories.append(
            train(one, optimizer(**setting), data, epochs=epochs, batch_size=batch_size, seed=seed, schedule=schedule,
                  progress=False)
        )  # fmt: skip
        hidden.append(one.hidden_state() if isinstance(one, TorchModel) else None)
    per_epoch = len(batches_of(len(data.train.x), batch_size, 0, 0))
    losses = [_padded(h.losses, epochs * per_epoch) for h in histories]
    names = ("train_losses", "validation_losses", "validation_accuracies")
    evaluations = [[_padded(getattr(h, name), epochs + 1) for name in names] for h in histories]
    params = {name: np.stack([h.params[name] for h in histories]) for name in histories[0].params}
    shape = (count, len(seeds))
    result = _judged(
        np.array(losses).reshape(*shape, -1),
        np.array(evaluations).reshape(*shape, 3, -1),
        {name: array.reshape(shape + array.shape[1:]) for name, array in params.items()},
        seeds,
        n_epochs=epochs,
    )
    return replace(result, vectorized=False, hidden=tuple(hidden))


def plain(value: Any) -> Any:
    """A value of an array of settings as Python has it."""
    return value.item() if isinstance(value, np.generic) else value


def _judged(losses: Array, evaluations: Array, params: Params, seeds: tuple[int, ...], n_epochs: int) -> TrainingSweep:
    """Blank everything after a divergence. `losses`: (settings, seeds, steps); `evaluations`: (..., 3, epochs + 1)."""
    first = np.maximum(np.abs(losses[..., :1]), 1e-300)
    with np.errstate(invalid="ignore"):
        gone = np.logical_or.accumulate(~(losses <= FAR * first), axis=-1)
    diverged_at = np.where(gone[..., -1], np.argmax(gone, axis=-1), -1)
    per_epoch = losses.shape[-1] // n_epochs
    ends = np.arange(n_epochs + 1) * per_epoch
    over = (diverged_at[..., None] >= 0) & (ends > diverged_at[..., None])
    over[..., -1] |= ~np.isfinite(evaluations[..., 0, -1])
    late = over[..., -1] & (diverged_at < 0)
    train_losses, validation_losses, accuracies = np.moveaxis(evaluations, -2, 0)
    return TrainingSweep(
        axes={},
        seeds=seeds,
        losses=np.where(gone, np.inf, losses),
        epochs=np.arange(n_epochs + 1.0),
        train_losses=np.where(over, np.inf, train_losses),
        validation_losses=np.where(over, np.inf, validation_losses),
        validation_accuracies=np.where(over, np.nan, accuracies),
        diverged_at=np.where(late, losses.shape[-1], diverged_at),
        params=params,
    )


def _evaluate_stack(model: MLP, params: Params, data: Dataset) -> list[Array]:
    """Training loss, validation loss and validation accuracy of a stack of networks, one for each seed."""
    seeds = next(iter(params.values())).shape[0]
    unknown = np.full(seeds, np.nan)
    train_loss = model.loss(params, *data.train)
    if not len(data.validation.x):
        return [train_loss, unknown, unknown]
    classes = model.loss_name == "cross-entropy"
    accuracy = model.accuracy(params, *data.validation) if classes else unknown
    return [train_loss, model.loss(params, *data.validation), accuracy]


def _stacked(split: Split, batches: Sequence[Any]) -> tuple[Array, NDArray]:
    if isinstance(batches[0], slice):
        return split.x, split.y
    index = np.stack(batches)
    return split.x[index], split.y[index]


def _scheduled(schedule: Schedule, rates: float | Array, epoch: float) -> float | Array:
    if np.ndim(rates) == 0:
        return scheduled(schedule, rates, epoch)
    return np.array([scheduled(schedule, float(rate), epoch) for rate in rates.ravel()]).reshape(rates.shape)


def _padded(values: Array, size: int) -> Array:
    return np.concatenate([values, np.full(max(size - values.size, 0), np.inf)])[:size]

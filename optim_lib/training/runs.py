"""One training run, step by step, with everything it records."""

from __future__ import annotations

import math
import os
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import named_arrays, positive, whole
from optim_lib.checks import seed as checked_seed
from optim_lib.data import Dataset, Split, as_split, minibatches
from optim_lib.networks import MLP
from optim_lib.optimizers import Optimizer, ParameterGroups
from optim_lib.optimizers.base import Params
from optim_lib.optimizers.clipping import clip_by_global_norm, global_norm
from optim_lib.optimizers.wrapping import rules_in, step_in_place
from optim_lib.progress import progress_bar
from optim_lib.training import checkpoints
from optim_lib.training.fingerprints import fingerprint
from optim_lib.training.torch_model import NoClasses, TorchModel

Array = NDArray[np.floating]
# (initial rate, epoch) to a rate; the functions of `optim_lib.schedules` take and give arrays too.
Schedule = Callable[[float, float], Any]

# A run whose loss is this many times its first loss has diverged.
FAR = 1e6

# Seconds before a progress bar appears.
PATIENCE = 2.0


@dataclass
class History:
    """What one training run did.

    Attributes
    ----------
    losses : ndarray of shape (steps,)
        The loss of each mini-batch, before the step taken with it; infinite at a divergence.
    learning_rates, gradient_norms : ndarray of shape (steps,)
        The rate of each step, and the norm of its gradient over all parameters (before clipping).
    epochs : ndarray of shape (evaluations,)
        When the following were measured: at the start, after each epoch, and at the end.
    train_losses, validation_losses, validation_accuracies : ndarray of shape (evaluations,)
        Over the whole split; accuracies are NaN if the targets are numbers.
    seconds : ndarray of shape (evaluations,)
        Time spent in steps until then, without the evaluations.
    diverged_at : int or None
        How many steps had been taken when the loss was first not finite, or a million times its first value.
    params : dict of str to ndarray
        The parameters at the end. Those of a torch module are the module's own memory, and go on with it.
    """

    losses: Array
    learning_rates: Array
    gradient_norms: Array
    epochs: Array
    train_losses: Array
    validation_losses: Array
    validation_accuracies: Array
    seconds: Array
    diverged_at: int | None
    params: Params = field(repr=False)

    def __repr__(self) -> str:
        if self.diverged_at is not None:
            return f"History(diverged after {self.diverged_at} steps)"
        words = f"loss {self.train_losses[-1]:.3g} on training, {self.validation_losses[-1]:.3g} on validation"
        if np.isfinite(self.validation_accuracies[-1]):
            words += f"; accuracy {self.validation_accuracies[-1]:.3g}"
        return f"History({self.losses.size} steps, {self.epochs[-1]:g} epochs; {words})"


def train(
    model: Any,
    optimizer: Any,
    data: Dataset,
    *,
    epochs: float = 15,
    steps: int | None = None,
    batch_size: int | None = 32,
    seed: int = 0,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    params: Params | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> History:
    """Train a model, and record every step.

    Parameters
    ----------
    model : MLP or torch.nn.Module
        A torch module is trained where it is: its parameters are changed in place, in the memory that torch and NumPy
        share, with no copy. (Pass a `TorchModel` for a loss other than the usual.)
    optimizer : object with ``update(params, grads)``
        One of `optim_lib.optimizers`, or any class with that interface. It goes on from the past it has.
    data : Dataset
        Your own arrays become one by `Dataset.from_arrays`.
    epochs : float, default 15
        Passes over the training examples.
    steps : int, optional
        How many steps to take, instead of `epochs`.
    batch_size : int or None, default 32
        None takes all examples in every step: gradient descent.
    seed : int, default 0
        Decides the initial parameters of an MLP, the order of the examples in each epoch, and what a torch module's
        random layers (dropout) draw. The parameters of a torch module stay what they are.
    schedule : callable, optional
        ``schedule(initial_rate, epoch)`` gives the rate for each step; the epoch counts from 0 in fractions. The
        functions of `optim_lib.schedules` fit, with their other arguments fixed:
        ``functools.partial(cosine_annealing, total_epochs=15)``.
    clip_norm : float, optional
        Scale the gradients down where their norm, over all parameters together, is above this.
    params : dict of str to ndarray, optional
        Where the model starts, instead of where its `initialize` puts it; the dictionary is not changed.
    checkpoint : path, optional
        After each epoch the run is saved there (whole or not at all). If the file is there at the start, the run goes
        on from it, and ends bit for bit where it would have ended without the interruption. A run may be made longer;
        anything else that differs is refused: the data, where the parameters began, the optimizer and its groups, a
        schedule that would have given other rates, the layers of a module.
    progress : bool, default True
        Whether to show a progress bar, after the first two seconds.

    Returns
    -------
    History
        If the run diverges, it stops, and `diverged_at` says when.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the checkpoint is of another run, or of one that is longer than asked for; if
        an MLP begins anew with an optimizer that has a past.
    """
    run = _Run(as_model(model), optimizer, as_dataset(data), batch_size, seed, schedule, clip_norm)
    total = total_steps(epochs, steps, run.steps_per_epoch)
    warn_of_another_output_axis(run.model, optimizer)
    run.start(params)
    if checkpoint is not None:
        run.describe()
    if checkpoint is None or not run.resume(Path(checkpoint), total):
        run.refuse_a_past(params)
    shown = {"desc": "steps", "leave": False, "delay": PATIENCE, "disable": not progress}
    with progress_bar(total=total, initial=run.step, **shown) as bar:
        try:
            while run.step < total and run.diverged_at is None:
                run.take_step()
                bar.update()
                if run.step % run.steps_per_epoch == 0 or run.step == total or run.diverged_at is not None:
                    run.evaluate()
                    if checkpoint is not None:
                        run.save(Path(checkpoint))
        finally:  # also when a run is interrupted, the optimizer gets its rate back
            run.finish()
    return run.history()


class Steps:
    """The steps of one optimizer on one set of parameters: rate, clipping, divergence, and a record of each.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
    schedule : callable or None
        ``schedule(initial_rate, when)``.
    clip_norm : float or None
    far : float
        The loss at which a run is lost, in multiples of its first loss.
    """

    def __init__(self, optimizer: Any, schedule: Schedule | None, clip_norm: float | None, far: float = FAR) -> None:
        if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
            raise TypeError(
                f"optimizer must be an object with update(params, grads), such as Adam(0.1), got {optimizer!r}"
            )
        if clip_norm is not None:
            positive("clip_norm", clip_norm)
        if schedule is not None and not callable(schedule):
            raise TypeError(f"schedule must be a function of the first rate and the epoch, got {schedule!r}")
        if schedule is not None and not hasattr(optimizer, "learning_rate"):
            raise TypeError("schedule needs an optimizer with a learning_rate attribute to set")
        self.optimizer, self.schedule, self.clip_norm, self.far = optimizer, schedule, clip_norm, far
        self.initial_rate = getattr(optimizer, "learning_rate", math.nan)

    def begin(self, params: Params) -> None:
        self.params = params
        self.step, self.diverged_at, self.first_loss, self.seconds = 0, None, None, 0.0
        self.per_step: list[tuple[float, float, float]] = []

    def take(self, loss_and_gradients: Callable[[Params], tuple[Any, Params]], when: float) -> None:
        """One step, unless the loss says that the run is lost; `when` is the time that the schedule is asked for."""
        started = time.perf_counter()
        # A run that overflows is reported by its step: a warning would say nothing more.
        with np.errstate(all="ignore"):
            loss, grads = loss_and_gradients(self.params)
            loss, norm = float(loss), global_norm(grads)
            if self.schedule is not None:
                self.optimizer.learning_rate = self.rate_at(when)
            if self._is_lost(loss):
                self.diverged_at, loss = self.step, math.inf
            else:
                if self.clip_norm is not None:
                    grads, _ = clip_by_global_norm(grads, self.clip_norm)
                step_in_place(self.optimizer, self.params, grads)
        self.seconds += time.perf_counter() - started
        self.per_step.append((loss, float(getattr(self.optimizer, "learning_rate", math.nan)), norm))
        self.step += self.diverged_at is None

    def rate_at(self, when: float) -> float:
        return scheduled(self.schedule, self.initial_rate, when)

    def _is_lost(self, loss: float) -> bool:
        if self.first_loss is None:
            self.first_loss = abs(loss)
        return not loss <= self.far * max(self.first_loss, 1e-300)

    def finish(self) -> None:
        if self.schedule is not None:
            self.optimizer.learning_rate = self.initial_rate


class _Run(Steps):
    """The state of a run between two steps."""

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        data: Dataset,
        batch_size: int | None,
        seed: int,
        schedule: Schedule | None,
        clip_norm: float | None,
    ) -> None:
        super().__init__(optimizer, schedule, clip_norm)
        self.model, self.data, self.batch_size, self.seed = model, data, batch_size, seed
        checked_seed("seed", seed)
        n = len(self.data.train.x)
        self.steps_per_epoch = 1 if self.batch_size is None else len(batches_of(n, self.batch_size, self.seed, 0))

    def start(self, params: Params | None) -> None:
        self.begin(self.model.initialize(self.seed))
        if params is not None:
            named_arrays("params", params, self.params, "the model")
            for name, array in params.items():
                self.params[name][...] = array
        self.per_epoch: list[tuple[float, float, float, float, float]] = []
        self.batches: list[NDArray[np.integer] | slice] = []
        self.evaluate()

    def describe(self) -> None:
        """Note what this run is, before its first step: a checkpoint must be of the same."""
        conditions = {name: getattr(self, name) for name in ("batch_size", "seed", "clip_norm")}
        self.description = checkpoints.describe(self.model, self.optimizer, self.data, **conditions)
        self.description |= {"schedule": fingerprint(self.schedule), "start": self._where()}

    def take_step(self) -> None:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if position == 0 or not self.batches:
            self.batches = batches_of(len(self.data.train.x), self.batch_size, self.seed, epoch)
        batch, train = self.batches[position], self.data.train
        self.take(
            lambda params: self.model.loss_and_gradients(params, train.x[batch], train.y[batch]),
            self.step / self.steps_per_epoch,
        )

    def evaluate(self) -> None:
        with np.errstate(all="ignore"), evaluation_point(self.optimizer, self.params):
            train_loss = _loss(self.model, self.params, self.data.train)
            validation_loss, accuracy = evaluate(self.model, self.params, self.data.validation)
        self.per_epoch.append((self.step / self.steps_per_epoch, train_loss, validation_loss, accuracy, self.seconds))

    def history(self) -> History:
        per_step = np.array(self.per_step, dtype=float).reshape(-1, 3).T
        per_epoch = np.array(self.per_epoch, dtype=float).reshape(-1, 5).T
        return History(*per_step, *per_epoch, self.diverged_at, self.params)

    def save(self, path: Path) -> None:
        names = ("step", "diverged_at", "first_loss", "seconds", "per_step", "per_epoch", "params")
        content = {name: getattr(self, name) for name in names}
        content |= {name: np.array(content[name], dtype=float) for name in ("per_step", "per_epoch")}
        content |= {"description": self.description, "optimizer": checkpoints.optimizer_state(self.optimizer)}
        if hasattr(self.model, "hidden_state"):
            content["model"] = self.model.hidden_state()
        checkpoints.write(path, content)

    def _where(self) -> str:
        """Where the parameters are, and what else a module has."""
        return fingerprint(self.params, self.model.hidden_state() if hasattr(self.model, "hidden_state") else None)

    def refuse_a_past(self, params: Params | None) -> None:
        """Old moments have nothing to do with first parameters that are new."""
        if params is None and isinstance(self.model, MLP) and has_past(self.optimizer, self.params):
            raise ValueError(
                "optimizer must be without a past where a network begins anew, but it has the state of another run: "
                "make a new one, call reset(), or pass params to go on from them"
            )

    def resume(self, path: Path, total: int) -> bool:
        """Go on from a checkpoint if there is one."""
        if not path.exists():
            return False
        saved = checkpoints.read(path)
        different = self._differences(saved)
        if different:
            raise ValueError(
                f"checkpoint {path} must be of this run, but it differs in {', '.join(different)}; name another file"
            )
        if saved["step"] > total:
            raise ValueError(
                f"checkpoint {path} must be of a run of at most {total} steps, as asked for, but it has taken "
                f"{saved['step']}; name another file"
            )
        checkpoints.restore_optimizer(self.optimizer, saved["optimizer"])
        for name, array in saved["params"].items():
            self.params[name][...] = array
        if "model" in saved:
            self.model.restore_hidden_state(saved["model"])
        self.step, self.diverged_at, self.first_loss, self.seconds = (
            saved[name] for name in ("step", "diverged_at", "first_loss", "seconds")
        )
        self.per_step = list(map(tuple, saved["per_step"].reshape(-1, 3).tolist()))
        self.per_epoch = list(map(tuple, saved["per_epoch"].reshape(-1, 5).tolist()))
        self.batches = []
        return True

    def _differences(self, saved: Mapping[str, Any]) -> list[str]:
        """In what a saved run is not this one."""
        known = saved["description"]
        different = [name for name, words in self.description.items() if known.get(name) != words]
        # Whoever goes on with the very module and optimizer of the run has them where the run left them.
        if "start" in different and self._where() == fingerprint(saved["params"], saved.get("model")):
            different.remove("start")
        if "optimizer" in different and fingerprint(checkpoints.optimizer_state(self.optimizer)) == fingerprint(
            saved["optimizer"]
        ):
            different.remove("optimizer")
        # Of a schedule that is written in another way, what counts is which rates it would have given.
        if "schedule" in different and self._would_have_given(saved["per_step"].reshape(-1, 3)[:, 1]):
            different.remove("schedule")
        return different

    def _would_have_given(self, rates: Array) -> bool:
        if self.schedule is None:
            return bool(np.all(rates == self.initial_rate))
        return all(self.rate_at(step / self.steps_per_epoch) == rate for step, rate in enumerate(rates.tolist()))


def evaluate(model: Any, params: Params, split: Split) -> tuple[float, float]:
    """The loss and the accuracy over a split, at these parameters.

    Parameters
    ----------
    model : MLP, TorchModel or torch.nn.Module
    params : dict of str to ndarray
    split : Split, or a pair of arrays

    Returns
    -------
    (float, float)
        The accuracy is NaN if the targets are numbers, or the model has no output for each class; both are NaN if the
        split is empty.
    """
    model, split = as_model(model), as_split("split", split)
    if not len(split.x):
        return math.nan, math.nan
    has_classes = split.y.dtype.kind in "iub" and getattr(model, "loss_name", "cross-entropy") == "cross-entropy"
    try:
        accuracy = float(model.accuracy(params, *split)) if has_classes else math.nan
    except NoClasses:
        accuracy = math.nan
    return _loss(model, params, split), accuracy


def scheduled(schedule: Schedule, initial_rate: float, when: float) -> float:
    """The rate that a schedule gives, if it is one."""
    rate = schedule(initial_rate, when)
    if np.ndim(rate) or not isinstance(rate, int | float | np.number) or not 0 <= rate < math.inf:
        raise ValueError(f"schedule must give a rate of at least 0, got {rate!r} at {when:g}")
    return rate


def has_past(optimizer: Any, params: Params) -> bool:
    """Whether an optimizer of the course remembers steps on parameters of these names."""
    if isinstance(optimizer, ParameterGroups):
        return any(has_past(each, params) for each in optimizer.optimizers)
    return isinstance(optimizer, Optimizer) and not params.keys().isdisjoint(optimizer.state)


def warn_of_another_output_axis(model: Any, optimizer: Any) -> None:
    """Warn if a rule scales its steps by a weight's outputs over its inputs, and takes the one for the other."""
    axis = 0 if isinstance(model, TorchModel) else -1
    for rule in rules_in(optimizer):
        if getattr(rule, "output_axis", axis) != axis:
            warnings.warn(
                f"{type(rule).__name__} takes axis {rule.output_axis} of a weight for its outputs, but those of this "
                f"model are on axis {axis}: its steps have another scale; say output_axis={axis}",
                stacklevel=3,
            )


@contextmanager
def evaluation_point(optimizer: Any, params: Params) -> Iterator[None]:
    """Within, the parameters are those at which to evaluate: of Schedule-Free not those that are trained."""
    averages = optimizer.eval_params(params) if hasattr(optimizer, "eval_params") else params
    trained = {} if averages is params else {name: array.copy() for name, array in params.items()}
    try:
        for name in trained:
            params[name][...] = averages[name]
        yield
    finally:
        for name, array in trained.items():
            params[name][...] = array


def as_model(model: Any) -> Any:
    if isinstance(model, MLP | TorchModel):
        return model
    if hasattr(model, "named_parameters"):
        return TorchModel(model)
    raise TypeError(f"model must be an MLP or a torch.nn.Module, got {type(model).__name__}")


def made_by(make_model: Callable[[int], Any], seed: int) -> Any:
    """A model that a function makes; an error if it hands out one module twice, which would go on from the last run."""
    model = as_model(make_model(seed))
    if isinstance(model, TorchModel):
        if model.module in _HANDED_OUT:
            raise ValueError(
                "model must be made anew for each seed, but the same module came again: a run would go on from the last"
            )
        _HANDED_OUT.add(model.module)
    return model


_HANDED_OUT: weakref.WeakSet[Any] = weakref.WeakSet()


def as_dataset(data: Any) -> Dataset:
    if not isinstance(data, Dataset):
        made = "Dataset.from_arrays(x, y) makes one" if isinstance(data, tuple | list) else "such as digits()"
        raise TypeError(f"data must be a Dataset, {made}, got {type(data).__name__}")
    if not len(data.train.x):
        raise ValueError(f"data must have examples to train on, got {data!r}")
    return data


def batches_of(n: int, batch_size: int | None, seed: int, epoch: int) -> list[NDArray[np.integer] | slice]:
    """The mini-batches of one epoch: they depend on the seed and the epoch, and on nothing that happened before."""
    if batch_size is None:
        return [slice(None)]
    # Counted from 1: a generator seeded with [seed, 0] is the one seeded with seed, which drew the first parameters.
    return list(minibatches(n, batch_size, np.random.default_rng([seed, epoch + 1])))


def total_steps(epochs: float, steps: int | None, per_epoch: int) -> int:
    if steps is not None:
        return whole("steps", steps)
    return max(1, round(positive("epochs", epochs) * per_epoch))


def _loss(model: Any, params: Params, split: Split) -> float:
    return float(model.loss(params, *split))

"""Tasks with a dataset: digits, text, and a regression that is hard for gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from optim_lib import data
from optim_lib.checks import whole
from optim_lib.data import Dataset, Split
from optim_lib.networks import MLP
from optim_lib.tasks.base import Record, StepSchedule, Task
from optim_lib.training.runs import History, as_dataset, evaluate, made_by, train
from optim_lib.training.torch_model import TorchModel


@dataclass(frozen=True, repr=False)
class Supervised(Task):
    """A dataset, a model, and mini-batches.

    Attributes
    ----------
    make_data : callable
        Without arguments; called once.
    make_model : callable from seed to MLP or torch.nn.Module
    batch_size : int or None
        None: all examples in each step.
    """

    make_data: Callable[[], Dataset]
    make_model: Callable[[int], Any]
    batch_size: int | None = 32

    @property
    def data(self) -> Dataset:
        return _loaded(self.make_data)

    def __post_init__(self) -> None:
        for name, what in (("make_data", "a dataset"), ("make_model", "a model from a seed")):
            made = getattr(self, name)
            if not callable(made) or hasattr(made, "named_parameters"):
                raise TypeError(f"{name} must be a function that makes {what}, got {type(made).__name__}")
        if (self.metric == "accuracy") == bool(self.lower_is_better):
            raise ValueError(
                "metric must be 'accuracy', where higher is better, or a name for the loss, where lower is better, got "
                f"{self.metric!r} and lower_is_better {self.lower_is_better!r}"
            )
        whole("budget", self.budget)
        if self.batch_size is not None:
            whole("batch_size", self.batch_size)

    def model(self, seed: int = 0) -> MLP | TorchModel:
        return made_by(self.make_model, seed)

    def score(self, loss: float, accuracy: float) -> float:
        """The metric, from the loss and the accuracy on some examples."""
        return accuracy if self.metric == "accuracy" else loss

    def _run(
        self,
        model: Any,
        optimizer: Any,
        steps: int,
        seed: int,
        schedule: StepSchedule | None,
        clip_norm: float | None,
        progress: bool,
    ) -> Record:
        examples = self.data
        per_epoch = 1 if self.batch_size is None else math.ceil(len(examples.train.x) / self.batch_size)
        by_step = None if schedule is None else _ByStep(schedule, per_epoch, steps)
        history = train(
            model, optimizer, examples, steps=steps, batch_size=self.batch_size, seed=seed, schedule=by_step,
            clip_norm=clip_norm, progress=progress,
        )  # fmt: skip
        return self._record(history, evaluate(model, history.params, examples.test), per_epoch)

    def _record(self, history: History, test: tuple[float, float], per_epoch: int) -> Record:
        pairs = zip(history.validation_losses, history.validation_accuracies, strict=True)
        scores = np.array([self.score(*pair) for pair in pairs], dtype=float)
        if self.metric == "accuracy" and np.isnan(scores).all():
            raise ValueError(
                f"metric must be one that {self.name!r} has, but its targets are no classes to be right about"
            )
        lost = history.diverged_at is not None or not math.isfinite(history.train_losses[-1])
        if lost:
            scores[-1] = self.worst
        return Record(
            task=self.name,
            metric=self.metric,
            score=float(scores[-1]),
            test_score=self.worst if lost else self.score(*test),
            train_loss=math.inf if lost else float(history.train_losses[-1]),
            validation_loss=math.inf if lost else float(history.validation_losses[-1]),
            losses=history.losses,
            evaluated_at=np.rint(history.epochs * per_epoch).astype(int),
            scores=scores,
            diverged_at=history.losses.size if lost and history.diverged_at is None else history.diverged_at,
            seconds=float(history.seconds[-1]),
            params=history.params,
        )


@dataclass(frozen=True)
class _ByStep:
    """A schedule of steps, for `train`, which counts epochs."""

    schedule: StepSchedule
    per_epoch: int
    steps: int

    def __call__(self, rate: float, epoch: float) -> float:
        return self.schedule(rate, round(epoch * self.per_epoch), self.steps)


@cache
def _loaded(make_data: Callable[[], Dataset]) -> Dataset:
    return as_dataset(make_data())


def few(dataset: Dataset, train: int, validation: int, test: int) -> Dataset:
    """The first examples of each part: enough for a short run, and quick to evaluate."""
    sizes = {"train": train, "validation": validation, "test": test}
    parts = {part: getattr(dataset, part) for part in sizes}
    return replace(dataset, **{part: Split(parts[part].x[:n], parts[part].y[:n]) for part, n in sizes.items()})


def text_windows() -> Dataset:
    return few(data.characters(length=32), 1600, 400, 800)


def exact_regression() -> Dataset:
    """`ill_conditioned_regression` without noise: the least loss is 0, so a loss says how far there is to go."""
    return data.ill_conditioned_regression(condition=1000.0, noise=0.0)


def digit_mlp(seed: int = 0) -> MLP:
    return MLP((64, 32, 10))


def topic_of_words(seed: int = 0) -> MLP:
    """Softmax regression, from words to topics."""
    dataset = _loaded(data.sparse_words)
    return MLP((len(dataset.features), dataset.classes))


def linear(seed: int = 0) -> MLP:
    return MLP((20, 1), loss="squared error")


def cnn(seed: int = 0) -> Any:
    from optim_lib.tasks.models import digit_cnn

    return digit_cnn(seed)


def transformer(seed: int = 0, **options: Any) -> Any:
    from optim_lib.tasks.models import transformer as make

    return make(seed, **options)


def gru(seed: int = 0, **options: Any) -> Any:
    from optim_lib.tasks.models import gru as make

    return make(seed, **options)


digits_mlp = Supervised("digits, MLP", "accuracy", False, 340, data.digits, digit_mlp)
digits_cnn = Supervised("digits, CNN", "accuracy", False, 204, data.digits, cnn)
sparse_words = Supervised("topic of a line", "log loss", True, 160, data.sparse_words, topic_of_words)
char_transformer = Supervised("characters, transformer", "nats per character", True, 200, text_windows, transformer, 16)
recurrent = Supervised("characters, recurrent", "nats per character", True, 200, text_windows, gru, 16)
regression = Supervised("ill-conditioned regression", "loss", True, 300, exact_regression, linear, None)

"""Fair comparisons: the same tuning budget for everyone, seeds of its own for the report."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import between, seeds, whole
from optim_lib.data import Dataset
from optim_lib.networks import MLP
from optim_lib.optimizers.base import Optimizer, Params
from optim_lib.tables import table
from optim_lib.training.costs import StepCost
from optim_lib.training.runs import Schedule, evaluate, made_by
from optim_lib.training.sweeps import TrainingSweep, plain, train_many
from optim_lib.training.torch_model import TorchModel

Array = NDArray[np.floating]


@dataclass(frozen=True)
class LogUniform:
    """A range to search in evenly on a logarithmic scale: for learning rates."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high)
        if not 0 < self.low < self.high:
            raise ValueError(f"low and high must be positive and in this order, got {self.low!r} and {self.high!r}")

    def at(self, places: Array) -> Array:
        return self.low * (self.high / self.low) ** places


@dataclass(frozen=True)
class Uniform:
    """A range to search in evenly."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high)
        if not self.low < self.high:
            raise ValueError(f"low and high must be finite and in this order, got {self.low!r} and {self.high!r}")

    def at(self, places: Array) -> Array:
        return self.low + (self.high - self.low) * places


class Search:
    """An optimizer, and where to look for its hyperparameters.

    Parameters
    ----------
    optimizer : class
    **space : number, LogUniform, Uniform or list
        A number is fixed; a list is a choice between its values.

    Examples
    --------
    >>> from optim_lib.optimizers import MomentumSGD
    >>> search = Search(MomentumSGD, learning_rate=LogUniform(0.001, 1.0), momentum=0.9)
    >>> search.settings(4)["learning_rate"].round(6).tolist()
    [0.001, 0.01, 0.1, 1.0]
    """

    def __init__(self, optimizer: Callable[..., Any], **space: Any) -> None:
        if isinstance(optimizer, Optimizer) or not callable(optimizer):
            raise TypeError(f"optimizer must be a class, such as Adam (not Adam()), got {optimizer!r}")
        accepted = list(inspect.signature(optimizer).parameters)
        for name, values in space.items():
            if name not in accepted:
                raise ValueError(f"{name} must be a hyperparameter of {optimizer.__name__}: {', '.join(accepted)}")
            if not isinstance(values, LogUniform | Uniform | list | int | float | np.integer | np.floating):
                raise TypeError(f"{name} must be a number, a LogUniform, a Uniform or a list, got {values!r}")
            if isinstance(values, list) and not values:
                raise ValueError(f"{name} must have something to choose from, got an empty list")
        self.optimizer, self.space = optimizer, space

    def settings(self, trials: int, seed: int = 0) -> dict[str, NDArray]:
        """`trials` settings: each range is visited at evenly spaced places, ends included, in shuffled combination.

        With one range this is a grid; with several it is a Latin hypercube.
        """
        trials = whole("trials", trials)
        rng = np.random.default_rng(seed)
        places = np.linspace(0, 1, trials) if trials > 1 else np.array([0.5])
        settings, searched = {}, 0
        for name, values in self.space.items():
            if isinstance(values, int | float | np.number):
                settings[name] = np.full(trials, values)
                continue
            order = places if searched == 0 else rng.permutation(places)
            searched += 1
            if isinstance(values, list):
                index = np.minimum((order * len(values)).astype(int), len(values) - 1)
                settings[name] = _choices(values)[index]
            else:
                settings[name] = values.at(order)
        return settings

    def edges(self, setting: Mapping[str, float]) -> list[str]:
        """Sentences about the values of a setting that lie at an end of their range."""
        found = []
        for name, values in self.space.items():
            if isinstance(values, LogUniform | Uniform):
                for end, word in ((values.low, "lowest"), (values.high, "highest")):
                    if math.isclose(setting[name], end, rel_tol=1e-9):
                        found.append(f"{name} {setting[name]:.3g} is the {word} tried")
        return found


@dataclass(frozen=True)
class Tuned:
    """One optimizer after tuning.

    Attributes
    ----------
    label : str
    setting : dict of str to float
        The hyperparameters with the best validation result.
    at_edge : list of str
        Not empty if the best value of a hyperparameter is the end of its range: the result may be unfair to it.
    settings, scores : dict of str to ndarray, ndarray
        Everything that was tried, and its validation result (mean over the tuning seeds).
    results : dict of str to ndarray
        For each report seed: train_loss, validation_loss, validation_accuracy, test_loss, test_accuracy, and the
        measures asked for.
    histories : TrainingSweep or None
        The runs on the report seeds; None from `compare`.
    curves : list of (steps, scores)
        From `compare`: for each report seed, the score on validation during the run.
    cost : StepCost or None
        From `compare`: time and memory of a step.
    """

    label: str
    setting: dict[str, float]
    at_edge: list[str]
    settings: dict[str, NDArray] = field(repr=False)
    scores: Array = field(repr=False)
    results: dict[str, Array] = field(repr=False)
    histories: TrainingSweep | None = field(repr=False)
    curves: list[tuple[Array, Array]] = field(default_factory=list, repr=False)
    cost: StepCost | None = None

    def median(self, name: str) -> float:
        return float(np.median(self.results[name]))

    def spread(self, name: str) -> tuple[float, float]:
        """The lowest and the highest over the report seeds."""
        return float(np.min(self.results[name])), float(np.max(self.results[name]))


@dataclass(frozen=True, repr=False)
class Tuning:
    """A comparison with the same budget for everyone. Indexed by label; shown as a table."""

    tuned: dict[str, Tuned]
    conditions: str
    columns: tuple[str, ...] = ("train_loss", "test_loss", "test_accuracy")
    titles: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Tuned:
        return self.tuned[label]

    def __iter__(self) -> Iterator[Tuned]:
        return iter(self.tuned.values())

    @property
    def warnings(self) -> list[str]:
        """One sentence for each hyperparameter whose best value is at the edge of its range."""
        return [f"{t.label}: the best {words}; widen its range." for t in self.tuned.values() for words in t.at_edge]

    def per_seed(self, name: str) -> dict[str, Array]:
        """One result for all optimizers, seed by seed, as `plotting.strip` takes it."""
        return {label: tuned.results[name] for label, tuned in self.tuned.items()}

    def table(
        self,
        columns: Sequence[str] | None = None,
        formats: Mapping[str, str] | str = ".3g",
        caption: str = "",
    ) -> Any:
        """Median, lowest and highest over the report seeds of these results, with the setting chosen."""

        def cell(tuned: Tuned, name: str) -> str:
            how = formats if isinstance(formats, str) else formats.get(name, ".3g")
            low, high = tuned.spread(name)
            return f"{tuned.median(name):{how}} ({low:{how}} to {high:{how}})"

        titles = {name: self.titles.get(name, name) for name in columns or self.columns}
        rows = [
            {
                "optimizer": t.label,
                "setting": _in_words(t.setting),
                **{title: cell(t, name) for name, title in titles.items()},
            }
            for t in self
        ]
        return table(rows, caption=caption, notes=[self.conditions, *self.warnings])

    def cost_table(self, caption: str = "") -> Any:
        """Time and memory of a step, measured when `compare` was called: another number on every machine."""
        rows = [
            {
                "optimizer": t.label,
                "microseconds a step": f"{1e6 * t.cost.seconds:.0f}",
                "state, of the parameters' memory": f"{t.cost.state_bytes / t.cost.parameter_bytes:.2f}",
                "for a moment, of the same": f"{t.cost.peak_bytes / t.cost.parameter_bytes:.2f}",
            }
            for t in self
            if t.cost is not None
        ]
        return table(rows, caption=caption)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def __repr__(self) -> str:
        return repr(self.table())


def tune(
    searches: Mapping[str, Search],
    model: MLP | Callable[[int], Any],
    data: Dataset,
    *,
    trials: int = 12,
    epochs: int = 15,
    batch_size: int | None = 32,
    tuning_seeds: Iterable[int] = (100, 101, 102),
    report_seeds: Iterable[int] = (0, 1, 2, 3, 4),
    select: str = "validation accuracy",
    schedule: Schedule | None = None,
    measures: Mapping[str, Callable[[Params], float]] | None = None,
    progress: bool = True,
) -> Tuning:
    """Compare optimizers with the same budget: tune each on its own seeds, report on others.

    Every optimizer gets `trials` settings of its search space. Each is trained with every tuning seed; the one with the
    best validation result (mean over those seeds; an accuracy tie goes to the lower loss) is trained afresh with every
    report seed, and only then looks at the test examples.

    Parameters
    ----------
    searches : mapping of label to Search
    model, data, epochs, batch_size, schedule, progress
        As in `train_sweep`.
    trials : int, default 12
    tuning_seeds, report_seeds : iterable of int
        Without a seed in common.
    select : {"validation accuracy", "validation loss"}
    measures : mapping of str to callable, optional
        More to report: each is called with the final parameters of each report run, such as
        ``{"sharpness": lambda params: sharpness(network.on(*data.train), params)}``.

    Raises
    ------
    ValueError
        If the seeds overlap, or an argument is out of range.
    """
    check_searches(searches)
    check_measures(measures or {})
    tuning_seeds, report_seeds = check_seeds(tuning_seeds, report_seeds)
    if select not in _SELECTORS:
        raise ValueError(f"select must be one of {', '.join(_SELECTORS)}, got {select!r}")
    budget = {"epochs": epochs, "batch_size": batch_size, "schedule": schedule, "progress": progress}
    tuned = {}
    for label, search in searches.items():
        settings = search.settings(trials)
        tried = train_many(model, search.optimizer, settings, data, seeds=tuning_seeds, **budget)
        scores, order = _SELECTORS[select](tried)
        best = {name: plain(values[order[0]]) for name, values in settings.items()}
        chosen = {name: values[[order[0]]] for name, values in settings.items()}
        runs = train_many(model, search.optimizer, chosen, data, seeds=report_seeds, **budget)
        results = _report(model, runs, data, measures or {})
        tuned[label] = Tuned(label, best, search.edges(best), settings, scores, results, runs)
    conditions = (
        f"{plural(trials, 'setting')} for each optimizer, {plural(epochs, 'epoch')}, batch size "
        f"{batch_size or 'all'}; chosen by {select} over {plural(len(tuning_seeds), 'seed')}; "
        f"median (lowest to highest) over {plural(len(report_seeds), 'other seed')}."
    )
    return Tuning(tuned, conditions)


def check_seeds(tuning_seeds: Iterable[int], report_seeds: Iterable[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The seeds as tuples; an error if a seed that chose a setting would also praise it, or there are none."""
    tuning_seeds, report_seeds = seeds("tuning_seeds", tuning_seeds), seeds("report_seeds", report_seeds)
    shared = sorted(set(tuning_seeds) & set(report_seeds))
    if shared:
        raise ValueError(f"report_seeds must not be among tuning_seeds, but both have {shared}")
    return tuning_seeds, report_seeds


def check_searches(searches: Any) -> None:
    """Refuse what is no dictionary of searches, by name."""
    if not isinstance(searches, Mapping) or not searches:
        raise TypeError(f"searches must be a dictionary such as {{'Adam': Search(Adam, ...)}}, got {searches!r}")
    for label, search in searches.items():
        if not isinstance(search, Search):
            raise TypeError(f"searches[{label!r}] must be a Search, such as Search(Adam, ...), got {search!r}")


def check_measures(measures: Any) -> None:
    if not isinstance(measures, Mapping) or not all(map(callable, measures.values())):
        raise TypeError(f"measures must be a dictionary from names to functions, got {measures!r}")


def _by_accuracy(tried: TrainingSweep) -> tuple[Array, NDArray]:
    accuracy = np.nan_to_num(tried.validation_accuracies[..., -1], nan=0.0).mean(axis=-1)
    loss = tried.validation_losses[..., -1].mean(axis=-1)
    return accuracy, np.lexsort((loss, -accuracy.round(12)))


def _by_loss(tried: TrainingSweep) -> tuple[Array, NDArray]:
    loss = tried.validation_losses[..., -1].mean(axis=-1)
    return loss, np.argsort(loss, kind="stable")


_SELECTORS = {"validation accuracy": _by_accuracy, "validation loss": _by_loss}


def _report(model: Any, runs: TrainingSweep, data: Dataset, measures: Mapping[str, Callable]) -> dict[str, Array]:
    results: dict[str, list[float]] = {"test_loss": [], "test_accuracy": [], **{name: [] for name in measures}}
    for i, seed in enumerate(runs.seeds):
        params = {name: array[0, i] for name, array in runs.params.items()}
        one = model if isinstance(model, MLP) else made_by(model, seed)
        if isinstance(one, TorchModel):  # running means are no parameters, and the test loss needs them as well
            one.restore_hidden_state(runs.hidden[i])
        loss, accuracy = evaluate(one, params, data.test)
        results["test_loss"].append(loss)
        results["test_accuracy"].append(accuracy)
        for name, measure in measures.items():
            results[name].append(float(measure(params)))
    known = {
        "train_loss": runs.train_losses[0, :, -1],
        "validation_loss": runs.validation_losses[0, :, -1],
        "validation_accuracy": runs.validation_accuracies[0, :, -1],
    }
    return known | {name: np.array(values) for name, values in results.items()}


def _in_words(setting: Mapping[str, float]) -> str:
    def word(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

    return ", ".join(f"{name.replace('_', ' ')} {word(value)}" for name, value in setting.items())


def _choices(values: list[Any]) -> NDArray:
    """The values of a list as an array that keeps the type of each: 1 and 0.5 side by side stay what they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    kinds = {type(value) for value in values}
    return np.asarray(values) if len(kinds) == 1 and kinds <= {int, float, str} else array


def _check_ends(low: Any, high: Any) -> None:
    between("low", low, what="a finite number")
    between("high", high, what="a finite number")


def plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("s" if count != 1 else "")

"""Chapter 6, AdaGrad: words that are rare, rates that shrink, regret, and targets that move."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import Dataset, Split, digits, minibatches
from optim_lib.descent import sweep
from optim_lib.explorer import Plane, outline
from optim_lib.landscapes import quadratic
from optim_lib.measure import Agreement, largest_difference
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, AdaGrad, Adam, MomentumSGD, Optimizer, RMSprop
from optim_lib.probes import distances
from optim_lib.training import LogUniform, Search, Tuning, train_sweep, tune

Array = NDArray[np.floating]

# ---------------------------------------------------------------------------------------------- words


# Words by the number of training lines they are in.
CLASSES = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 128), (129, 10_000))


def mixed(data: Dataset, seed: int = 0, within: Sequence[tuple[int, int]] = ((0, 10_000),)) -> Dataset:
    """The same examples turned to other axes: every new feature is a mixture of all the old ones.

    Random signs, then a cosine transform: an orthogonal change of variables. Lengths and angles stay, so for every
    weight vector on the old features there is one on the new with the same outputs; only the axes are others. With the
    classes of `within` each word is mixed with those alone whose number of training lines is in the same class.
    """
    from scipy.fft import dct

    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), len(data.features))
    counts = data.train.x.sum(axis=0)
    blocks = [np.flatnonzero((low <= counts) & (counts <= high)) for low, high in within]

    def turn(part: Split) -> Split:
        x = part.x * signs
        for block in blocks:
            x[:, block] = dct(x[:, block], norm="ortho", axis=1)
        return Split(x, part.y)

    parts = {name: turn(getattr(data, name)) for name in ("train", "validation", "test")}
    return replace(data, name=f"{data.name}, mixed", features=tuple(f"mixture {i}" for i in range(signs.size)), **parts)


def word_network(data: Dataset) -> MLP:
    """Softmax regression: one weight for each word and topic."""
    return MLP((len(data.features), data.classes), dtype=np.float32)


# Three decades and seven rates for each, and nothing else to choose.
WORD_SEARCHES = {
    "SGD": Search(SGD, learning_rate=LogUniform(0.1, 100.0)),
    "momentum 0.9": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
    "AdaGrad": Search(AdaGrad, learning_rate=LogUniform(0.01, 10.0)),
    "Adam": Search(Adam, learning_rate=LogUniform(0.001, 1.0)),
}


def compare_on(
    data: Dataset, labels: Sequence[str] = tuple(WORD_SEARCHES), report_seeds: Sequence[int] = range(5)
) -> Tuning:
    """Two epochs of softmax regression with each optimizer, seven rates tried for each."""
    searches = {label: WORD_SEARCHES[label] for label in labels}
    return tune(
        searches, word_network(data), data, trials=7, epochs=2, tuning_seeds=(100, 101), select="validation loss",
        report_seeds=report_seeds, progress=False,
    )  # fmt: skip


def by_budget(data: Dataset, labels: Sequence[str] = ("SGD", "AdaGrad"), epochs: int = 5) -> dict[str, Array]:
    """Test loss of three seeds (rows) after 1, 2, ... epochs (columns), each with the best rate for that many.

    The rates are chosen by validation loss on another seed. A run of a constant rate that is cut short is the short
    run, so one sweep serves all budgets.
    """
    network, report, found = word_network(data), replace(data, validation=data.test), {}
    for label in labels:
        search = WORD_SEARCHES[label]
        settings = search.settings(7)
        rates, fixed = settings.pop("learning_rate"), {name: v[0] for name, v in settings.items()}
        common = {"epochs": epochs, "progress": False, **fixed}
        tried = train_sweep(network, search.optimizer, data, seeds=(100,), learning_rate=rates, **common)
        best = tried.validation_losses[:, 0, 1:].argmin(axis=0)
        chosen, place = np.unique(best, return_inverse=True)
        runs = train_sweep(network, search.optimizer, report, seeds=range(3), learning_rate=rates[chosen], **common)
        found[label] = np.stack([runs.validation_losses[k, :, e] for e, k in enumerate(place, start=1)], axis=1)
    return found


def weights_by_frequency(data: Dataset, tuning: Tuning) -> dict[str, Array]:
    """For each optimizer, the length of a word's weight vector: the mean over the words of each class of frequency.

    Words are sorted by the number of training lines they are in; the limits are `CLASSES`. The mean is over the report
    seeds too.
    """
    counts = data.train.x.sum(axis=0)
    inside = [(low <= counts) & (counts <= high) for low, high in CLASSES]
    found = {}
    for tuned in tuning:
        lengths = np.linalg.norm(tuned.histories.params["W1"][0], axis=-1).mean(axis=0)
        found[tuned.label] = np.array([lengths[words].mean() for words in inside])
    return found


RAREST = {"1 or 2": (1, 2), "3 to 8": (3, 8), "9 or more": (9, 10_000)}


def loss_by_rarest(data: Dataset, tuning: Tuning) -> list[dict[str, object]]:
    """Test loss of lines whose rarest known word is in so many training lines: a row for each class, mean of seeds."""
    counts, (x, y) = data.train.x.sum(axis=0), data.test
    rarest = np.where(x > 0, counts, np.inf).min(axis=1)
    network, rows = word_network(data), []
    for label, (low, high) in RAREST.items():
        lines = (low <= rarest) & (rarest <= high)
        row: dict[str, object] = {"training lines with the rarest word": label, "test lines": int(lines.sum())}
        for tuned in tuning:
            params = {name: array[0] for name, array in tuned.histories.params.items()}
            row[tuned.label] = float(network.loss(params, x[lines], y[lines]).mean())
        rows.append(row)
    return rows


class WordRun:
    """Three epochs of AdaGrad on the words, with the sums of squared gradients kept after every step.

    Attributes
    ----------
    accumulated : ndarray of shape (steps, words)
        For each word, the mean of :math:`G_t` over its weights, one for each topic.
    counts : ndarray of shape (words,)
        In how many training lines each word is.
    """

    def __init__(self, data: Dataset, learning_rate: float, epochs: int = 3, seed: int = 0) -> None:
        self.data, self.learning_rate = data, learning_rate
        self.counts = data.train.x.sum(axis=0)
        network, rng = word_network(data), np.random.default_rng(seed)
        params, optimizer, history = network.initialize(seed), AdaGrad(learning_rate=learning_rate), []
        for _ in range(epochs):
            for batch in minibatches(len(data.train.x), 32, rng):
                _, grads = network.loss_and_gradients(params, data.train.x[batch], data.train.y[batch])
                optimizer.update(params, grads)
                history.append(optimizer.state["W1"].accumulated.mean(axis=1))
        self.accumulated = np.array(history)
        self.last = optimizer.state["W1"].accumulated.astype(np.float64)

    def rates(self, words: Sequence[str]) -> dict[str, Array]:
        """The effective rate after each step of those words that the lines have; NaN before a word is first met."""
        found = {}
        for word in words:
            if word not in self.data.features:
                continue
            place = self.data.features.index(word)
            sums = self.accumulated[:, place].astype(np.float64)
            with np.errstate(divide="ignore"):
                rate = np.where(sums > 0, self.learning_rate / np.sqrt(sums), np.nan)
            found[f"{word} ({self.counts[place]:.0f})"] = rate
        return found

    def evenness(self) -> float:
        r"""The sum of the roots of :math:`G` over :math:`\sqrt{d \sum G}`: 1 if all coordinates have the same sum."""
        return float(np.sqrt(self.last).sum() / np.sqrt(self.last.size * self.last.sum()))


# ---------------------------------------------------------------------------------------------- ravines


def steps_by_condition(conditions: Sequence[float] = (1, 10, 100, 1000), steps: int = 3000) -> list[dict[str, object]]:
    """Steps from (1, 1) to a millionth of the first loss on ravines, at the best of 40 rates, SGD beside AdaGrad.

    One row for each optimizer and angle; the ravine and its start turn together.
    """
    rates, rows = np.geomspace(1e-3, 10, 40), []
    for label, optimizer, angle in (("SGD", SGD, 0), ("AdaGrad", AdaGrad, 0), ("AdaGrad, at 45 degrees", AdaGrad, 45)):
        turn, row = np.radians(angle), {"optimizer": label}
        start = np.array([np.cos(turn) - np.sin(turn), np.sin(turn) + np.cos(turn)])
        for condition in conditions:
            losses = sweep(optimizer, quadratic((1.0, condition), turn), start, steps, learning_rate=rates).losses
            arrived = losses <= 1e-6 * losses[:, :1]
            counts = np.where(arrived.any(axis=1), arrived.argmax(axis=1), steps + 1)
            row[f"condition number {condition:g}"] = int(counts.min()) if counts.min() <= steps else None
        rows.append(row)
    return rows


# ---------------------------------------------------------------------------------------------- rates and distances


def effective_rates(grads: ArrayLike, learning_rate: float = 1.0) -> Array:
    """The rate of each coordinate (columns) after each row of gradients, from what the library's AdaGrad remembers."""
    grads = np.asarray(grads, dtype=np.float64)
    optimizer, params = AdaGrad(learning_rate=learning_rate), {"theta": np.zeros(grads.shape[1:])}
    rates = np.empty_like(grads)
    for row, grad in zip(rates, grads, strict=True):
        optimizer.update(params, {"theta": grad})
        row[:] = learning_rate / (np.sqrt(optimizer.state["theta"].accumulated) + optimizer.epsilon)
    return rates


def moves_when_absent(optimizers: Sequence[type[Optimizer]]) -> list[dict[str, object]]:
    """Two gradients of 1, then a hundred of exactly 0: how far a weight moves with them, and how far without."""
    rows = []
    for optimizer in optimizers:
        path = distances(optimizer(learning_rate=0.1), np.concatenate([np.ones((2, 1)), np.zeros((100, 1))]))[:, 0]
        rows.append(
            {"optimizer": optimizer.__name__, "present, 2 steps": path[1], "absent, 100 steps": path[-1] - path[1]}
        )
    return rows


def first_steps(grads: ArrayLike, epsilon: float = 1e-8) -> list[dict[str, float]]:
    r"""The first step over the rate for gradients of several sizes, with epsilon outside the root and inside it.

    Outside is the library's AdaGrad. Inside is torch's without an epsilon, its sums started at `epsilon` in place of 0:
    :math:`\sqrt{\epsilon + \sum g^2}`.
    """
    import torch

    grads = np.asarray(grads, dtype=np.float64)
    outside = distances(AdaGrad(learning_rate=1.0, epsilon=epsilon), grads[None])[0]
    theta = torch.zeros(grads.size, dtype=torch.float64, requires_grad=True)
    theta.grad = torch.tensor(grads)
    torch.optim.Adagrad([theta], lr=1.0, initial_accumulator_value=epsilon, eps=0.0).step()
    inside = -theta.detach().numpy()
    return [
        {"gradient": g, "outside": out, "inside": into, "outside / inside": out / into}
        for g, out, into in zip(grads, outside, inside, strict=True)
    ]


def compare_with_sparse_torch(steps: int = 200, words: int = 50, seed: int = 0) -> Agreement:
    """Train a table of word vectors with torch's sparse gradients, and with ours in full: the largest difference.

    Each step looks up eight of the words, drawn with repetition. torch hands its optimizer the rows of those alone.
    """
    import torch

    rng = np.random.default_rng(seed)
    start = rng.standard_normal((words, 4))
    table = torch.nn.Embedding.from_pretrained(torch.tensor(start), freeze=False, sparse=True)
    theirs = torch.optim.Adagrad(table.parameters(), lr=0.1, eps=1e-8)
    ours, params, largest = AdaGrad(learning_rate=0.1, epsilon=1e-8), {"table": start.copy()}, 0.0
    for _ in range(steps):
        looked_up, targets = rng.integers(0, words, 8), rng.standard_normal((8, 4))
        with torch.sparse.check_sparse_tensor_invariants():
            theirs.zero_grad()
            ((table(torch.tensor(looked_up)) - torch.tensor(targets)) ** 2).sum().backward()
            theirs.step()
        grad = np.zeros_like(start)
        np.add.at(grad, looked_up, 2 * (params["table"][looked_up] - targets))
        ours.update(params, {"table": grad})
        largest = max(largest, largest_difference(params["table"], table.weight.detach()).largest)
    return Agreement(largest, f"AdaGrad and torch.optim.Adagrad with sparse gradients, {steps} steps")


# ---------------------------------------------------------------------------------------------- regret and drift


@dataclass(frozen=True)
class Regret:
    """What `regret` found, after each step and as the mean over the streams.

    Attributes
    ----------
    paid : dict of str to ndarray of shape (steps,)
        The regret of each player.
    bound : ndarray of shape (steps,)
        What theory promises to AdaGrad, the last player.
    """

    paid: dict[str, Array]
    bound: Array


def regret(
    players: Mapping[str, Optimizer], steps: int = 10_000, streams: int = 20, start: float = 3.0, seed: int = 6
) -> Regret:
    r"""Predict streams of numbers with loss :math:`|x - z_t|`, and count what each player loses by not knowing them.

    The numbers are standard normal. After each step the sum of a player's losses is compared with that of the best
    single prediction for the numbers so far, their median. The gradients are all 1 or -1. The bound is
    :math:`(D^2/2\eta + \eta) \sqrt T`, where `D` is the largest distance so far from the best prediction.
    """
    stream = np.random.default_rng(seed).standard_normal((steps, streams))
    median, least = _best_predictions(stream)
    paid, path = {}, np.empty_like(stream)
    for label, player in players.items():
        params = {"x": np.full(streams, start)}
        for t, z in enumerate(stream):
            path[t] = params["x"]
            player.update(params, {"x": np.sign(params["x"] - z)})
        paid[label] = (np.abs(path - stream).cumsum(axis=0) - least).mean(axis=1)
    farthest = np.maximum(np.maximum.accumulate(path) - median, median - np.minimum.accumulate(path))
    factor = farthest**2 / (2 * player.learning_rate) + player.learning_rate
    return Regret(paid, (factor * np.sqrt(np.arange(1, steps + 1))[:, None]).mean(axis=1))


def _best_predictions(stream: Array) -> tuple[Array, Array]:
    """For each prefix of each column: the number with the least sum of absolute differences, and that sum."""
    grid = np.linspace(-2.5, 2.5, 401)
    sums = np.zeros((stream.shape[1], grid.size))
    place, least = np.empty_like(stream), np.empty_like(stream)
    for t, row in enumerate(stream):
        sums += np.abs(row[:, None] - grid)
        place[t], least[t] = grid[sums.argmin(axis=1)], sums.min(axis=1)
    return place, least


TRACKERS = {"SGD": SGD, "RMSprop": RMSprop, "AdaGrad": AdaGrad}


TRACK_RATES = np.geomspace(1e-4, 10, 31)


def track(
    drift: float, steps: int = 10_000, tune_steps: int = 1000, late: bool = False
) -> tuple[dict[str, Array], dict[str, float]]:
    """Follow a target through noise: squared error after each step (steps, seeds), and each optimizer's rate.

    The target starts at 0 and makes a random walk with steps of standard deviation `drift`; gradients are the distance
    to it plus noise of standard deviation 1. Each optimizer's rate is the best of
    `TRACK_RATES` over the first `tune_steps` steps,
    or over the last quarter of all `steps` if `late`, on ten streams; the errors are those of forty other streams.
    """
    rates = TRACK_RATES
    errors, chosen = {}, {}
    for label, optimizer in TRACKERS.items():
        with np.errstate(all="ignore"):
            tried = _follow(optimizer, rates, drift, steps if late else tune_steps, seeds=10, seed=61)
            tried = tried[3 * steps // 4 if late else 0 :].mean(axis=(0, 2))
        best = int(np.nanargmin(tried))
        chosen[label] = float(rates[best])
        errors[label] = _follow(optimizer, rates[[best]], drift, steps, seeds=40, seed=62)[:, 0]
    return errors, chosen


def _follow(optimizer: type[Optimizer], rates: Array, drift: float, steps: int, seeds: int, seed: int) -> Array:
    """Squared distances to the target of shape (steps, rates, seeds)."""
    rng = np.random.default_rng(seed)
    swept = optimizer(learning_rate=rates[:, None])
    params, target = {"x": np.ones((rates.size, seeds))}, np.zeros(seeds)
    errors = np.empty((steps, rates.size, seeds))
    for t in range(steps):
        target = target + drift * rng.standard_normal(seeds)
        swept.update(params, {"x": params["x"] - target + rng.standard_normal(seeds)})
        errors[t] = (params["x"] - target) ** 2
    return errors


def in_octaves(errors: Mapping[str, Array], first: int = 8) -> tuple[Array, dict[str, Array]]:
    """Mean error over the seeds in windows of time that double; the windows' centers, and the means."""
    steps = len(next(iter(errors.values())))
    edges = np.unique(np.geomspace(first, steps, 2 * int(np.log2(steps / first)) + 1).astype(int))
    centers = np.sqrt(edges[:-1] * edges[1:])
    means = {label: np.array([e[a:b].mean() for a, b in itertools.pairwise(edges)]) for label, e in errors.items()}
    return centers, means


# ---------------------------------------------------------------------------------------------- a long training


DIGIT_RATES = {
    "SGD": (SGD, np.geomspace(0.01, 10, 7)),
    "AdaGrad": (AdaGrad, np.geomspace(0.001, 1, 7)),
    "RMSprop": (RMSprop, np.geomspace(1e-4, 0.1, 7)),
}


def long_training(epochs: int = 32, seeds: Sequence[int] = range(3)) -> dict[str, dict[str, Array]]:
    """A small network on the digits: training and validation loss after each epoch, for each seed (rows).

    The rate of each optimizer is the best of seven for the training loss at the end, on another seed.
    """
    data, network = digits(), MLP((64, 32, 10))
    train_losses, validation_losses = {}, {}
    for label, (optimizer, rates) in DIGIT_RATES.items():
        common = {"epochs": epochs, "progress": False}
        tried = train_sweep(network, optimizer, data, seeds=(100,), learning_rate=rates, **common)
        rate = rates[tried.train_losses[:, 0, -1].argmin()]
        runs = train_sweep(network, optimizer, data, seeds=seeds, learning_rate=[rate], **common)
        train_losses[label], validation_losses[label] = runs.train_losses[0], runs.validation_losses[0]
    return {"train": train_losses, "validation": validation_losses}


# ---------------------------------------------------------------------------------------------- coordinates


def divided_ravines(angles: ArrayLike, numbers: ArrayLike) -> tuple[dict[str, Plane], dict[str, Array]]:
    """For `explore_scenes`: a ravine's level line before and after its coordinates are divided, and condition numbers.

    A ravine with curvatures 1 and `numbers`, turned by `angles` degrees. From points all around, its gradients have the
    mean products :math:`H^2`. AdaGrad divides by the root of their diagonal, which is the ravine in other coordinates;
    the root of the whole matrix is :math:`H`, and with it every ravine is round.
    """
    angles, numbers = np.atleast_1d(angles), np.atleast_1d(numbers)
    around = np.radians(np.arange(0, 361, 4))
    circle = np.stack([np.cos(around), np.sin(around)])
    before, after, conditions = [], [], []
    for angle in np.radians(angles):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        for number in numbers:
            hessian = turn @ np.diag([1.0, number]) @ turn.T
            scale = np.diag(hessian @ hessian) ** -0.25
            divided = hessian * scale[:, None] * scale
            before.append(_level_line(hessian, circle))
            after.append(_level_line(divided / np.linalg.eigvalsh(divided)[0], circle))
            conditions.append([np.linalg.cond(matrix) for matrix in (hessian, divided)])
    grid = (len(angles), len(numbers))
    window = (-1.15, 1.15, -1.1, 1.1)
    planes = {
        "As the coordinates are": Plane([outline("level line", np.reshape(before, (*grid, -1, 2)))], window),
        "Each divided by its own size": Plane([outline("level line", np.reshape(after, (*grid, -1, 2)))], window),
    }
    both = np.reshape(conditions, (*grid, 2)).round(6)
    return planes, {"SGD": both[..., 0], "AdaGrad": both[..., 1]}


def _level_line(hessian: Array, circle: Array) -> Array:
    """Where the loss is that of the flattest direction at distance 1, if that has curvature 1."""
    values, vectors = np.linalg.eigh(hessian)
    return (vectors @ (circle / np.sqrt(values)[:, None])).T

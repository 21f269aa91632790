"""The claims of chapter 12, choosing: an experiment for each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import ch12, modern, width
from experiments.claims.ch09 import few_digits_task
from experiments.claims.ch11 import CNN_RATES
from experiments.claims.registry import MANY, ONE_PASS, SLOW, by_length, contest, tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED
from experiments.side_by_side import best_rate
from optim_lib import tasks
from optim_lib.data import ALPHABET, Dataset, Split, digits
from optim_lib.networks import Params
from optim_lib.optimizers import (
    SGD,
    Adam,
    AdamW,
    MomentumSGD,
    RMSprop,
)
from optim_lib.schedules import (
    cosine_annealing,
    warmup_cosine,
)
from optim_lib.tasks.supervised import Supervised, few
from optim_lib.training import LogUniform, Search, train
from optim_lib.training.runs import as_model


@tests("c-cnn")
def momentum_for_a_cnn() -> Results:
    results = Results()
    momentum = Search(MomentumSGD, learning_rate=CNN_RATES, momentum=0.9)
    adam = Search(Adam, learning_rate=LogUniform(3e-4, 0.3))
    for steps in (68, 340):
        for schedule, name in ((cosine_annealing, "cosine"), (None, "constant")):
            contest(results, {"momentum": momentum, "Adam": adam}, tasks.digits_cnn, budget=steps, schedule=schedule,
                    also=f", {name}, {steps} steps", **by_length(steps))  # fmt: skip
    return results


def of_classes(split: Split, first: int, last: int) -> Split:
    chosen = (split.y >= first) & (split.y <= last)
    return Split(split.x[chosen], split.y[chosen] - first)


def digits_from(first: int, last: int) -> Dataset:
    data = digits()
    return replace(data, **{part: of_classes(getattr(data, part), first, last) for part in PARTS})


PARTS = ("train", "validation", "test")


def hundred_new_digits() -> Dataset:
    return few(digits_from(5, 9), 100, 1000, 1000)


@cache
def convolutions_for_small_digits() -> Params:
    """A network that has learned the digits from 0 to 4."""
    model = as_model(tasks.supervised.cnn(7))
    return train(model, Adam(0.003), digits_from(0, 4), epochs=10, seed=7, progress=False).params


def pretrained_cnn(seed: int = 0) -> Any:
    """Its convolutions under a new last layer."""
    import torch

    module = tasks.supervised.cnn(seed)
    learned = convolutions_for_small_digits()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim == 4 or name.split(".")[0] in ("1", "4"):
                parameter.copy_(torch.as_tensor(learned[name]))
    return module


fine_tuning = Supervised("fine-tuning, CNN", "accuracy", False, 60, hundred_new_digits, pretrained_cnn, 20)


@tests("c-ft")
def adamw_at_a_low_rate() -> Results:
    """Digits from 5 to 9 on convolutions that know those from 0 to 4, and from scratch: where is the best rate?"""
    results = Results()
    adamw = Search(AdamW, learning_rate=LogUniform(1e-4, 1.0), weight_decay=0.01)
    momentum = Search(MomentumSGD, learning_rate=LogUniform(1e-3, 10.0), momentum=0.9)
    scratch = replace(fine_tuning, name="the same, from scratch", make_model=tasks.supervised.cnn)
    for steps in (30, 120):
        also, how = f", {steps} steps", {"budget": steps, "trials": 9, **ONE_PASS}
        contest(results, {"AdamW": adamw, "momentum": momentum}, fine_tuning, also=also, **how)
        contest(results, {"AdamW, from scratch": adamw}, scratch, also=also, **how)
    return results


def descriptions() -> Dataset:
    """Windows of the descriptions of scikit-learn's datasets: English, but not that of Python's help."""
    from sklearn import datasets

    loaded = (datasets.load_breast_cancer, datasets.load_diabetes, datasets.load_iris, datasets.load_wine)
    text = " ".join("\n".join(load().DESCR for load in (*loaded, datasets.load_digits, datasets.load_linnerud)).split())
    codes = np.array([ALPHABET.index(c) if c in ALPHABET else ALPHABET.index("?") for c in text], dtype=np.int64)
    windows = codes[: len(codes) // 33 * 33].reshape(-1, 33)
    windows = windows[np.random.default_rng(0).permutation(len(windows))]
    third = len(windows) // 3
    cuts = (windows[:third], windows[third : 2 * third], windows[2 * third :])
    return replace(tasks.char_transformer.data, **{
        part: Split(cut[:, :-1], cut[:, 1:]) for part, cut in zip(PARTS, cuts, strict=True)
    })  # fmt: skip


@cache
def transformer_that_read_the_help() -> Params:
    schedule = partial(warmup_cosine, warmup_epochs=40)
    return tasks.char_transformer.run(AdamW(0.01), 600, seed=7, schedule=schedule).params


def pretrained_transformer(seed: int = 0) -> Any:
    import torch

    module, learned = tasks.supervised.transformer(seed), transformer_that_read_the_help()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.as_tensor(learned[name]))
    return module


reading_on = Supervised("fine-tuning, transformer", "nats per character", True, 60, descriptions,
                        pretrained_transformer, 16)  # fmt: skip


@tests("c-ft-nlp")
def adamw_at_1e_5() -> Results:
    results = Results()
    adamw = {"AdamW": Search(AdamW, learning_rate=LogUniform(1e-5, 0.1))}
    scratch = replace(reading_on, name="the same text, from scratch", make_model=tasks.supervised.transformer)
    for steps in (60, 120):
        also = f", {steps} steps"
        contest(results, adamw, reading_on, trials=9, budget=steps, also=also, **SLOW)
        if steps == 60:
            contest(results, adamw, scratch, trials=9, budget=steps, also=f", from scratch{also}", **SLOW)
        for rate in (1e-5, 5e-5):
            one = {f"AdamW at {rate:.0e}": Search(AdamW, learning_rate=rate)}
            contest(results, one, reading_on, budget=steps, also=also, **SLOW)
    contest(results, {"before": Search(SGD, learning_rate=0.0)}, reading_on, budget=1, **SLOW)
    return results


@tests("c-tf")
def adamw_for_transformers() -> Results:
    """AdamW with warm-up and a cosine: against other rules with the same schedule, and against a constant rate.

    The rules are those of the comparison of chapter 12.
    """
    results, field = Results(), ch12.read_results()[tasks.char_transformer.name]
    for label, one in field.entrants.items():
        results.add(f"{label}, 100 steps", "test nats per character", one.test)
        results.add(f"{label}, 100 steps", "learning_rate", one.rate)
        results.add(f"{label}, 100 steps", AT_EDGE, one.at_edge)
    for steps, trials, lowest, highest in ((100, 7, 3e-4, 0.3), (300, 4, 1e-3, 0.03)):
        rule = Search(AdamW, learning_rate=LogUniform(lowest, highest), weight_decay=0.1)
        warm = partial(warmup_cosine, warmup_epochs=steps // 10)
        for label, schedule in (("warm-up and cosine", warm), ("constant", None)):
            contest(results, {label: rule}, tasks.char_transformer, trials=trials, budget=steps, schedule=schedule,
                    also=f", AdamW, {steps} steps", **SLOW)  # fmt: skip
    results.add("frequencies of characters", "test nats per character", frequencies_alone())
    return results


def frequencies_alone() -> float:
    """The test loss of whoever knows how frequent each character is, and nothing else."""
    data = tasks.char_transformer.data
    counts = np.bincount(data.train.y.ravel(), minlength=len(ALPHABET)) + 1.0
    return float(-np.log(counts / counts.sum())[data.test.y].mean())


CONTROL = {
    "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(3e-3, 3.0), momentum=0.9),
    "RMSprop": Search(RMSprop, learning_rate=LogUniform(3e-4, 0.3)),
    "Adam": Search(Adam, learning_rate=LogUniform(3e-4, 0.3)),
}


@tests("c-pg")
def adam_for_policies() -> Results:
    results = Results()
    for updates in (30, 80):
        contest(results, CONTROL, tasks.cartpole_policy, budget=updates, also=f", {updates} updates", **ONE_PASS)
    return results


@tests("c-value")
def rmsprop_or_adam_for_values() -> Results:
    results = Results()
    for updates in (800, 2000):
        contest(results, CONTROL, tasks.cartpole_value, budget=updates, also=f", {updates} updates", **ONE_PASS)
    return results


@tests("c-default")
def safest_default() -> Results:
    """From the comparison of chapter 12: who is how high without tuning and with it, task by task.

    Untuned is the validation score at the one rate of the usual table (of a range, its middle), on the tasks on which
    that rate was tried.
    """
    results, fields = Results(), ch12.read_results()
    for name, score in (("untuned", _at_the_tables_rate), ("tuned", _tuned)):
        found = {task: [score(field, label) for label in ch12.UNTUNED_RATES] for task, field in fields.items()}
        found = {task: scores for task, scores in found.items() if not np.isnan(scores).any()}
        ranks = [_ranks(np.array(scores), fields[task].lower_is_better) for task, scores in found.items()]
        for label, places in zip(ch12.UNTUNED_RATES, np.transpose(ranks), strict=True):
            results.add(f"{label}, {name}", "rank", places, seeds=found)
    for label in ch12.UNTUNED_RATES:
        results.add(label, "tasks level with the best, tuned", ch12.level_count(fields, label))
        results.add(label, "tasks behind the best, tuned", ch12.behind_count(fields, label))
    results.add("all", "tasks", len(fields))
    return results


def _at_the_tables_rate(field: ch12.Field, label: str) -> float:
    """The validation score at the table's rate; NaN if it was not tried."""
    one = field.entrants[label]
    return float(np.append(one.scores[np.isclose(one.rates, ch12.UNTUNED_RATES[label])], np.nan)[0])


def _tuned(field: ch12.Field, label: str) -> float:
    return field.entrants[label].median


def _ranks(scores: NDArray[np.floating], lower_is_better: bool) -> NDArray[np.floating]:
    """Places from 1; who is level shares the mean of their places."""
    ours, theirs = scores[:, None], scores[None, :]
    better = theirs < ours if lower_is_better else theirs > ours
    return 1 + better.sum(axis=1) + ((ours == theirs).sum(axis=1) - 1) / 2


few_digits_cnn = replace(few_digits_task, name="few digits, CNN", make_model=tasks.supervised.cnn)


@tests("c-poor")
def momentum_where_it_generalizes_poorly() -> Results:
    """200 digits, learned by heart: is the test accuracy of SGD with momentum higher than that of AdamW?"""
    results = Results()
    searches = {
        "AdamW": Search(AdamW, learning_rate=LogUniform(3e-4, 0.3), weight_decay=0.01),
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(3e-3, 3.0), momentum=0.9),
    }
    for task, budgets in ((few_digits_task, (140, 420)), (few_digits_cnn, (140,))):
        for steps in budgets:
            contest(results, searches, task, budget=steps, also=f", {task.name}, {steps} steps", **MANY)
    return results


@tests("c-rates")
def the_tables_rates() -> Results:
    """From the comparison of chapter 12: on what share of the tasks the best rate is near the usual table's.

    Near is within a factor of two of its range.
    """
    results, fields = Results(), ch12.read_results()
    above, inside = 0, 0
    for label, (low, high) in ch12.ARTICLE_RATES.items():
        best = np.array([field.entrants[label].rate for field in fields.values()])
        near = (best > low / 2) & (best < high * 2)
        above, inside = above + int(np.sum(best >= high * 2)), inside + int(near.sum())
        results.add(label, "share of tasks near the table's rate", near.mean())
        results.add(label, "lowest best rate", best.min())
        results.add(label, "highest best rate", best.max())
        results.add(label, "median best rate", np.median(best))
    results.add("all", "near", inside)
    results.add("all", "above", above)
    results.add("all", "pairs", len(fields) * len(ch12.ARTICLE_RATES))
    return results


@tests("c-beta2")
def a_shorter_memory_for_a_short_run() -> Results:
    """AdamW with the memory of large language models, and with the default, a tenth of the run to warm up."""
    results = Results()
    for label, beta2 in (("0.95", 0.95), ("0.999", 0.999)):
        search = {label: Search(AdamW, learning_rate=LogUniform(1e-3, 0.3), beta2=beta2, weight_decay=0.1)}
        contest(results, search, modern.text, schedule=modern.linear_to_zero, also=", text", **SLOW)
        contest(results, search, modern.digits_by_loss, budget=102, schedule=modern.linear_to_zero, also=", digits",
                **MANY)  # fmt: skip
    return results


@tests("c-width")
def one_rate_for_every_width() -> Results:
    """The best rate of a wide network and of a narrow one, and the narrow one's carried over."""
    results, rates, wide = Results(), np.geomspace(2**-9, 2**-2, 15), width.WIDTHS[-1]
    ways = {"as it is": (0.0, 0.0), "scaled": (1.0, 1.0), "rates alone": (1.0, 0.0), "first weights alone": (0.0, 1.0)}
    for way, (power, first) in ways.items():
        chosen, reported = (
            {w: _by_rate(w, power, first, rates, seeds) for w in (width.NARROW, wide)}
            for seeds in (range(100, 104), range(12))
        )
        at = {w: int(np.median(losses[-1], axis=0).argmin()) for w, losses in chosen.items()}
        for k, steps in enumerate(_LOOKS):
            best = {w: best_rate(rates, losses[k]) for w, losses in reported.items()}
            for w, each in best.items():
                results.add(f"{way}, width {w}, {steps} steps", "best rate", each)
            results.add(f"{way}, {steps} steps", "doublings", np.log2(best[wide] / best[width.NARROW]))
        for setting, place in ((f"{way}, carried", at[width.NARROW]), (f"{way}, own rate", at[wide])):
            results.add(setting, "training loss", reported[wide][-1][:, place])
            results.add(setting, "learning_rate", rates[place])
            results.add(setting, TRIED, rates.size)
            results.add(setting, AT_EDGE, place in (0, rates.size - 1))
    return results


_LOOKS = (20, 40)


def _by_rate(size: int, power: float, first: float, rates: np.ndarray, seeds: range) -> np.ndarray:
    """The training losses after 20 and 40 steps, of shape (steps, seeds, rates); a few seeds at a time."""
    some = [seeds[at : at + 4] for at in range(0, len(seeds), 4)]
    found = [width.losses(size, rates, power=power, first=first, seeds=part, steps=_LOOKS) for part in some]
    return np.concatenate(found, axis=1)

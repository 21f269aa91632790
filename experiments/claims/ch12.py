"""The claims of chapter 12, choosing: an experiment for each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from experiments import ch12
from experiments.claims.ch09 import few_digits_task
from experiments.claims.ch11 import CNN_RATES
from experiments.claims.registry import contest, difference, tests
from experiments.claims.results import Results
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
        also = f", {steps} steps"
        scheduled = {"momentum, cosine": momentum, "Adam, cosine": adam}
        contest(results, scheduled, tasks.digits_cnn, budget=steps, schedule=cosine_annealing, also=also)
        contest(results, {"momentum, constant": momentum, "Adam, constant": adam}, tasks.digits_cnn, budget=steps,
                also=also)  # fmt: skip
        difference(results, f"momentum, cosine{also}", f"Adam, cosine{also}")
        difference(results, f"momentum, cosine{also}", f"momentum, constant{also}")
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
        also, how = f", {steps} steps", {"budget": steps, "trials": 9, "report_seeds": range(8)}
        contest(results, {"AdamW": adamw, "momentum": momentum}, fine_tuning, also=also, **how)
        contest(results, {"AdamW, from scratch": adamw}, scratch, also=also, **how)
        difference(results, f"AdamW{also}", f"momentum{also}")
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
    how = {"tuning_seeds": (100,), "report_seeds": range(5)}
    for steps in (60, 120):
        also = f", {steps} steps"
        contest(results, {"AdamW": Search(AdamW, learning_rate=LogUniform(1e-5, 0.1))}, reading_on, trials=9,
                budget=steps, also=also, **how)  # fmt: skip
        for rate in (1e-5, 5e-5):
            one = {f"AdamW at {rate:.0e}": Search(AdamW, learning_rate=rate)}
            contest(results, one, reading_on, trials=1, budget=steps, also=also, **how)
    contest(results, {"before": Search(SGD, learning_rate=0.0)}, reading_on, trials=1, budget=1, **how)
    return results


@tests("c-tf")
def adamw_for_transformers() -> Results:
    results = Results()
    rates = LogUniform(3e-4, 0.3)
    warmed_up = {
        "AdamW": Search(AdamW, learning_rate=rates, weight_decay=0.1),
        "Adam": Search(Adam, learning_rate=rates),
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
    }
    for steps in (40, 100):
        also, how = f", {steps} steps", {"budget": steps, "tuning_seeds": (100,)}
        schedule = partial(warmup_cosine, warmup_epochs=steps // 10)
        contest(results, warmed_up, tasks.char_transformer, schedule=schedule, also=also, **how)
        contest(results, {"AdamW, constant": warmed_up["AdamW"]}, tasks.char_transformer, also=also, **how)
        for other in ("Adam", "SGD + momentum", "AdamW, constant"):
            difference(results, f"AdamW{also}", other + also)
    scheduled_for_longer(results)
    return results


def scheduled_for_longer(results: Results) -> None:
    """Warm-up and a cosine against a constant rate once more, for 300 steps."""
    search = Search(AdamW, learning_rate=LogUniform(1e-3, 0.03), weight_decay=0.1)
    for label, schedule in (("AdamW", partial(warmup_cosine, warmup_epochs=30)), ("AdamW, constant", None)):
        contest(results, {label: search}, tasks.char_transformer, trials=4, budget=300, schedule=schedule,
                also=", 300 steps", tuning_seeds=(100,))  # fmt: skip
    difference(results, "AdamW, 300 steps", "AdamW, constant, 300 steps")


CONTROL = {
    "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(3e-3, 3.0), momentum=0.9),
    "RMSprop": Search(RMSprop, learning_rate=LogUniform(3e-4, 0.3)),
    "Adam": Search(Adam, learning_rate=LogUniform(3e-4, 0.3)),
}


@tests("c-pg")
def adam_for_policies() -> Results:
    results = Results()
    for updates in (30, 80):
        also = f", {updates} updates"
        contest(results, CONTROL, tasks.cartpole_policy, budget=updates, also=also)
        difference(results, f"Adam{also}", f"SGD + momentum{also}")
        difference(results, f"Adam{also}", f"RMSprop{also}")
    return results


@tests("c-value")
def rmsprop_or_adam_for_values() -> Results:
    results = Results()
    for updates in (800, 2000):
        also = f", {updates} updates"
        contest(results, CONTROL, tasks.cartpole_value, budget=updates, also=also)
        difference(results, f"Adam{also}", f"SGD + momentum{also}")
        difference(results, f"RMSprop{also}", f"SGD + momentum{also}")
    return results


@tests("c-default")
def safest_default() -> Results:
    """From the comparison of chapter 12: who is level with the best when tuned, and who is how high without tuning."""
    results, fields = Results(), ch12.read_results()
    ranks: dict[str, list[int]] = {label: [] for label in ch12.ARTICLE_RATES}
    for field in fields.values():
        untuned = {label: _at_the_articles_rate(field, label) for label in ranks}
        if np.isnan(list(untuned.values())).any():
            continue  # the article's rate is not among those tried
        for label, score in untuned.items():
            better = [(other < score if field.lower_is_better else other > score) for other in untuned.values()]
            ranks[label].append(1 + sum(better))
    for label, found in ranks.items():
        results.add(label, "tasks level with the best, tuned", ch12.level_count(fields, label))
        results.add(label, "mean rank, untuned", np.mean(found))
        results.add(label, "worst rank, untuned", max(found))
        results.add(label, "tasks, untuned", len(found))
    results.add("all", "tasks", len(fields))
    return results


def _at_the_articles_rate(field: ch12.Field, label: str) -> float:
    """The best validation score at a rate inside the article's range; NaN if none was tried."""
    (low, high), entrant = ch12.ARTICLE_RATES[label], field.entrants[label]
    inside = entrant.scores[(entrant.rates > low / 1.01) & (entrant.rates < high * 1.01)]
    if not inside.size:
        return np.nan
    return float(inside.min() if field.lower_is_better else inside.max())


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
            also = f", {task.name}, {steps} steps"
            contest(results, searches, task, budget=steps, also=also, report_seeds=range(8))
            difference(results, f"SGD + momentum{also}", f"AdamW{also}")
    return results


@tests("c-rates")
def the_tables_rates() -> Results:
    """From the comparison of chapter 12: how often the best rate lies in the range of the article's table."""
    results, fields = Results(), ch12.read_results()
    inside, ratios = 0, []
    for label, (low, high) in ch12.ARTICLE_RATES.items():
        best = np.array([field.entrants[label].rate for field in fields.values()])
        hits = int(np.sum((best > low / 1.01) & (best < high * 1.01)))
        inside, ratios = inside + hits, [*ratios, *(best / high)]
        results.add(label, "tasks inside", hits)
        results.add(label, "lowest best rate", best.min())
        results.add(label, "highest best rate", best.max())
        results.add(label, "median best rate", np.median(best))
    results.add("all", "inside", inside)
    results.add("all", "pairs", len(ratios))
    results.add("all", "pairs above the range", np.sum(np.array(ratios) > 1.01))
    return results

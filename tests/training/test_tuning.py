"""A comparison gives everyone the same budget, looks at the test examples last, and says where it may be unfair."""

from dataclasses import replace

import numpy as np
import pytest

from optim_lib.data import Dataset, Split, digits
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam, MomentumSGD
from optim_lib.training import LogUniform, Search, Uniform, train, train_sweep, tune

NETWORK = MLP((64, 10))
SEARCHES = {
    "SGD": Search(SGD, learning_rate=LogUniform(0.001, 10.0)),
    "Adam": Search(Adam, learning_rate=LogUniform(0.0001, 0.1), beta1=Uniform(0.5, 0.99)),
}
BUDGET = {"trials": 4, "epochs": 2, "tuning_seeds": (10, 11), "report_seeds": (0, 1, 2)}


@pytest.fixture(scope="module")
def data():
    whole = digits()
    parts = (whole.train, 200), (whole.validation, 60), (whole.test, 60)
    return Dataset("few digits", *(Split(part.x[:n], part.y[:n]) for part, n in parts), whole.features, 10)


@pytest.fixture(scope="module")
def tuning(data):
    return tune(SEARCHES, NETWORK, data, **BUDGET)


def test_one_range_is_an_even_grid_with_its_ends():
    rates = Search(SGD, learning_rate=LogUniform(0.01, 1.0)).settings(5)["learning_rate"]
    np.testing.assert_allclose(rates, np.geomspace(0.01, 1, 5))


def test_several_ranges_are_each_covered_evenly_in_shuffled_combination():
    search = Search(
        Adam, learning_rate=LogUniform(0.01, 1.0), beta1=Uniform(0.0, 0.9), beta2=[0.9, 0.99, 0.999], epsilon=1e-6
    )
    settings = search.settings(12, seed=1)
    np.testing.assert_allclose(np.sort(settings["beta1"]), np.linspace(0, 0.9, 12))
    assert not np.array_equal(settings["beta1"], np.sort(settings["beta1"]))
    values, counts = np.unique(settings["beta2"], return_counts=True)
    assert values.tolist() == [0.9, 0.99, 0.999]
    assert counts.max() - counts.min() <= 2
    assert set(settings["epsilon"]) == {1e-6}
    for name, array in search.settings(12, seed=1).items():
        np.testing.assert_array_equal(array, settings[name])


def test_the_chosen_setting_is_the_best_on_validation_over_the_tuning_seeds(data, tuning):
    rates = SEARCHES["SGD"].settings(4)["learning_rate"]
    scores = [
        np.mean([train(NETWORK, SGD(rate), data, epochs=2, seed=s).validation_accuracies[-1] for s in (10, 11)])
        for rate in rates
    ]
    np.testing.assert_allclose(tuning["SGD"].scores, scores)
    assert tuning["SGD"].setting["learning_rate"] in rates[np.isclose(scores, max(scores))]


def test_a_tie_in_accuracy_goes_to_the_lower_loss(data):
    tuned = tune({"SGD": Search(SGD, learning_rate=LogUniform(1e-300, 1e-299))}, NETWORK, data, **BUDGET)["SGD"]
    assert len(set(tuned.scores)) == 1
    sweep = train_sweep(NETWORK, SGD, data, epochs=2, seeds=(10, 11), learning_rate=tuned.settings["learning_rate"])
    best = np.argmin(sweep.validation_losses[..., -1].mean(axis=-1))
    assert tuned.setting["learning_rate"] == tuned.settings["learning_rate"][best]


def test_choosing_by_loss(data):
    tuned = tune({"SGD": SEARCHES["SGD"]}, NETWORK, data, **BUDGET, select="validation loss")["SGD"]
    sweep = train_sweep(NETWORK, SGD, data, epochs=2, seeds=(10, 11), learning_rate=tuned.settings["learning_rate"])
    np.testing.assert_allclose(tuned.scores, sweep.validation_losses[..., -1].mean(axis=-1))
    assert tuned.setting["learning_rate"] == tuned.settings["learning_rate"][np.argmin(tuned.scores)]


def test_results_are_those_of_fresh_runs_on_the_report_seeds(data, tuning):
    tuned = tuning["Adam"]
    for i, seed in enumerate((0, 1, 2)):
        history = train(NETWORK, Adam(**tuned.setting), data, epochs=2, seed=seed)
        assert tuned.results["train_loss"][i] == pytest.approx(history.train_losses[-1], rel=1e-9)
        assert tuned.results["test_loss"][i] == pytest.approx(NETWORK.loss(history.params, *data.test), rel=1e-9)
        assert tuned.results["test_accuracy"][i] == pytest.approx(NETWORK.accuracy(history.params, *data.test))
    assert tuned.median("test_loss") == np.median(tuned.results["test_loss"])
    assert tuned.spread("test_loss") == (tuned.results["test_loss"].min(), tuned.results["test_loss"].max())


def test_the_test_examples_have_no_say_in_the_choice(data, tuning):
    shuffled = Split(data.test.x, np.roll(data.test.y, 1))
    other = tune(SEARCHES, NETWORK, replace(data, test=shuffled), **BUDGET)
    for label in SEARCHES:
        assert other[label].setting == tuning[label].setting
        assert not np.array_equal(other[label].results["test_loss"], tuning[label].results["test_loss"])


def test_the_same_call_gives_the_same_result(data, tuning):
    again = tune(SEARCHES, NETWORK, data, **BUDGET)
    assert repr(again) == repr(tuning)
    assert again._repr_html_() == tuning._repr_html_()


def test_everyone_gets_the_same_number_of_trials(tuning):
    assert {tuned.scores.size for tuned in tuning} == {4}
    assert "4 settings for each optimizer, 2 epochs, batch size 32" in repr(tuning)
    assert "over 2 seeds; median (lowest to highest) over 3 other seeds." in repr(tuning)


@pytest.mark.parametrize(
    ("low", "high", "warning"),
    [(1e-6, 1e-4, "SGD: the best learning_rate 0.0001 is the highest tried; widen its range."), (1e-4, 50.0, None)],
)
def test_a_best_value_at_the_end_of_its_range_is_told(data, low, high, warning):
    tuning = tune({"SGD": Search(SGD, learning_rate=LogUniform(low, high))}, NETWORK, data, **BUDGET | {"trials": 7})
    assert tuning.warnings == ([warning] if warning else [])
    assert (warning is not None) == ("widen its range" in repr(tuning))


def test_the_lowest_value_is_an_end_too(data):
    tuning = tune(
        {"SGD": Search(SGD, learning_rate=LogUniform(1e3, 1e9))}, NETWORK, data, **BUDGET, select="validation loss"
    )
    assert tuning.warnings == ["SGD: the best learning_rate 1e+03 is the lowest tried; widen its range."]


def test_diverged_settings_are_never_chosen():
    data = digits()
    regression = replace(data, classes=None, **{
        part: Split(getattr(data, part).x[:100], getattr(data, part).y[:100, None] / 10.0)
        for part in ("train", "validation", "test")
    })  # fmt: skip
    network = MLP((64, 1), loss="squared error")
    searches = {"momentum": Search(MomentumSGD, learning_rate=LogUniform(1e-3, 1e3))}
    tuned = tune(searches, network, regression, **BUDGET | {"epochs": 30}, select="validation loss")["momentum"]
    assert np.isinf(tuned.scores[-1])
    assert np.isfinite(tuned.results["train_loss"]).all()


def test_more_can_be_measured(data):
    norm = lambda params: np.linalg.norm(params["W1"])  # noqa: E731
    tuning = tune({"SGD": SEARCHES["SGD"]}, NETWORK, data, **BUDGET, measures={"norm": norm})
    expected = [np.linalg.norm(tuning["SGD"].histories.params["W1"][0, i]) for i in range(3)]
    np.testing.assert_array_equal(tuning["SGD"].results["norm"], expected)
    assert tuning.per_seed("norm")["SGD"].tolist() == expected
    assert "norm" in repr(tuning.table(columns=("norm",)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda d: tune(SEARCHES, NETWORK, d, tuning_seeds=(1, 2), report_seeds=(2, 3)),
            ValueError,
            r"both have \[2\]",
        ),
        (lambda d: tune(SEARCHES, NETWORK, d, select="test loss"), ValueError, "select must be one of validation acc"),
        (lambda d: tune(SEARCHES, NETWORK, d, trials=0), ValueError, "trials must be a whole number of at least 1"),
        (lambda d: Search(Adam()), TypeError, "optimizer must be a class"),
        (lambda d: Search(Adam, momentum=0.9), ValueError, "momentum must be a hyperparameter of Adam: learning_rate"),
        (
            lambda d: Search(Adam, learning_rate=(0.1, 1)),
            TypeError,
            "must be a number, a LogUniform, a Uniform or a list",
        ),
        (lambda d: LogUniform(0, 1), ValueError, "low and high must be positive and in this order, got 0 and 1"),
        (lambda d: Uniform(1, 0), ValueError, "low and high must be finite and in this order, got 1 and 0"),
    ],
)
def test_unfair_or_impossible_comparisons_are_refused(data, call, error, message):
    with pytest.raises(error, match=message):
        call(data)

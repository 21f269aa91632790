"""Of each public function: what could give a wrong number in silence, and the sentence or the right number that comes.

The table names every public function and class of these modules; one that is new fails until it has been asked. What
optimizers, schedules and figures refuse is asked in tests/library and tests/explorer.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from optim_lib import data, landscapes, measure, plotting, tasks
from optim_lib.data import Dataset, Split
from optim_lib.descent import descend, sweep
from optim_lib.landscapes import bowl
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam, Lookahead, Muon, ParameterGroups
from optim_lib.schedules import cosine_annealing
from optim_lib.training import (
    LogUniform,
    Search,
    TorchModel,
    TorchOptimizer,
    Uniform,
    compare,
    evaluate,
    step_cost,
    train,
    train_sweep,
    tune,
)

RNG = np.random.default_rng(0)
X, Y, T = RNG.normal(size=(12, 3)), RNG.integers(0, 2, 12), RNG.normal(size=(12, 1))
NET, LINE = MLP((3, 4, 2)), MLP((3, 1), loss="squared error")
PARAMS, LINE_PARAMS = NET.initialize(0), LINE.initialize(0)
FEW = Dataset.from_arrays(X, Y)
SEARCHES = {"SGD": Search(SGD, learning_rate=LogUniform(0.01, 1.0))}


def module(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 2, dtype=torch.float64)


ONE = module()
XY = {"xlabel": "x", "ylabel": "y"}


def used():
    optimizer = Adam(0.01)
    train(NET, optimizer, FEW, steps=2)
    return optimizer


def line(**changes):
    return replace(tasks.regression, **changes)


# (what might slip through, a call, the error, a part of its sentence)
Case = tuple[str, object, type[Exception], str]
ASKED: dict[str, dict[str, list[Case]]] = {
    "networks": {
        "MLP": [
            (
                "targets in a row",
                lambda: LINE.loss(LINE_PARAMS, X, T[:, 0]),
                ValueError,
                r"y must be numbers of shape \(12, 1\)",
            ),
            (
                "class numbers in a column",
                lambda: NET.loss(PARAMS, X, Y[:, None]),
                ValueError,
                r"y must be class numbers",
            ),
            (
                "a class that there is not",
                lambda: NET.loss(PARAMS, X, Y + 1),
                ValueError,
                "from 0 to 1, of shape .12,., got int64 from 1 to 2",
            ),
            (
                "classes as floats",
                lambda: NET.loss_and_gradients(PARAMS, X, Y + 0.5),
                ValueError,
                "y must be class numbers",
            ),
            (
                "an accuracy of a column",
                lambda: NET.accuracy(PARAMS, X, Y[:, None]),
                ValueError,
                "y must be class numbers",
            ),
            (
                "one example as a row",
                lambda: NET.outputs(PARAMS, X[0]),
                ValueError,
                r"x must be numbers of shape \(n, 3\)",
            ),
            (
                "a bias for each example",
                lambda: NET.loss(PARAMS | {"b1": np.zeros((12, 4))}, X, Y),
                ValueError,
                r"params\['b1'\] must be \(1, 4\)",
            ),
            (
                "a layer too many",
                lambda: NET.loss(PARAMS | {"W3": 0, "b3": 0}, X, Y),
                ValueError,
                "params must be those of 2 layers",
            ),
            (
                "a direction that is a number",
                lambda: NET.hessian_vector(PARAMS, X, Y, dict.fromkeys(PARAMS, 1.0)),
                ValueError,
                r"direction\['W1'\]",
            ),
            (
                "one weight for all",
                lambda: NET.loss_and_gradients(PARAMS, X, Y, [1.0]),
                ValueError,
                "weights must be one number for each example",
            ),
            (
                "whole numbers as parameters",
                lambda: MLP((3, 2), dtype=int),
                ValueError,
                "dtype must be a floating-point type",
            ),
        ],
        "Objective": [("targets that do not fit", lambda: NET.on(X, Y[:5]), ValueError, r"of shape \(12,\)")],
    },
    "data": {
        "Dataset": [
            (
                "more targets than inputs",
                lambda: replace(FEW, train=Split(X, Y[:5])),
                ValueError,
                "as many targets as inputs, got 5 and 12",
            ),
            ("NaN", lambda: Dataset.from_arrays(np.where(X > 1, np.nan, X), Y), ValueError, "of the inputs are not"),
            (
                "a class that there is not",
                lambda: replace(FEW, test=Split(X, Y + 5)),
                ValueError,
                "class numbers from 0 to 1, got 5 to 6",
            ),
            ("no pair", lambda: replace(FEW, train=X), TypeError, "must be a pair of arrays"),
            ("texts as inputs", lambda: Dataset.from_arrays(X.astype(str), Y), TypeError, "must be arrays of numbers"),
            (
                "a name too few",
                lambda: Dataset.from_arrays(X, Y, features=["a"]),
                ValueError,
                "features must be 3 names, got 1",
            ),
        ],
        "Split": [],  # a pair without checks of its own: everything that takes one looks at it
        "digits": [("a seed that is none", lambda: data.digits(seed=0.5), ValueError, "seed must be a whole number")],
        "breast_cancer": [("a share", lambda: data.breast_cancer(test=1.5), ValueError, "test must be a share")],
        "diabetes": [
            ("no training part", lambda: data.diabetes(validation=0.5, test=0.5), ValueError, "must leave examples")
        ],
        "ill_conditioned_regression": [
            ("a condition", lambda: data.ill_conditioned_regression(0.5), ValueError, "condition must be")
        ],
        "sparse_words": [("a seed", lambda: data.sparse_words(seed=-1), ValueError, "seed must be a whole number")],
        "characters": [("a length", lambda: data.characters(length=2.5), ValueError, "length must be a whole number")],
        "minibatches": [
            ("half an example", lambda: data.minibatches(10, 2.5, 0), ValueError, "batch_size must be a whole number")
        ],
        "write_files": [("another name", lambda: data.write_files(".", ["mnist"]), ValueError, "names must be among")],
    },
    "landscapes": {
        "Landscape": [
            (
                "a slope that is another's",
                lambda: replace(bowl, slope=lambda x, y: (y, x)),
                ValueError,
                "slope must be the derivative",
            )
        ],
        "quadratic": [
            ("no bowl", lambda: landscapes.quadratic((1.0, -1.0)), ValueError, "curvatures must be two positive")
        ],
        "least_squares": [
            ("NaN", lambda: landscapes.least_squares([0, 1], [0, np.nan]), ValueError, "x and y must be")
        ],
        "from_formula": [
            ("^ is no power", lambda: landscapes.from_formula("x^2"), ValueError, r"a power is written \*\*")
        ],
        "from_function": [
            (
                "one number for all",
                lambda: landscapes.from_function(lambda x, y: 1.0),
                ValueError,
                "one number for each point",
            )
        ],
    },
    "descent": {
        "Run": [],
        "descend": [("a class", lambda: descend(SGD, bowl), TypeError, "optimizer must be an object")],
        "Sweep": [
            (
                "the best of none",
                lambda: sweep(SGD, bowl, learning_rate=np.array([99.0])).best(),
                ValueError,
                "every run of this one diverged",
            )
        ],
        "sweep": [("an object", lambda: sweep(SGD(), bowl), TypeError, "optimizer must be a class")],
    },
    "measure": {
        "finite_difference_gradient": [
            (
                "lost beside a large parameter",
                lambda: measure.finite_difference_gradient(lambda p: p[0], np.array([1e13])),
                ValueError,
                "lost in a parameter of 1e",
            ),
            (
                "lost in float32",
                lambda: measure.finite_difference_gradient(lambda p: np.float32(p[0]), np.ones(1)),
                ValueError,
                "at least 0.001 for a loss in float32",
            ),
            (
                "a loss for each example",
                lambda: measure.finite_difference_gradient(lambda p: p, np.ones(3)),
                ValueError,
                "loss must give one number",
            ),
        ],
        "largest_difference": [
            (
                "other names",
                lambda: measure.largest_difference({"a": 1.0}, {"b": 1.0}),
                ValueError,
                "must have the names of ours",
            ),
            (
                "a dictionary and an array",
                lambda: measure.largest_difference({"a": 1.0}, 1.0),
                TypeError,
                "theirs must be what ours is",
            ),
        ],
        "Agreement": [],
        "EffectiveRate": [],
        "GradientNoise": [],
        "LossSlice": [],
        "compare_with_torch": [
            (
                "no steps",
                lambda: measure.compare_with_torch(SGD(), torch.optim.SGD, steps=0, lr=1.0),
                ValueError,
                "steps must be",
            )
        ],
        "sharpness": [
            ("a module", lambda: measure.sharpness(ONE, {}), ValueError, "params must have at least one array"),
            (
                "a model without examples",
                lambda: measure.sharpness(TorchModel(ONE), PARAMS),
                TypeError,
                "objective must be network.on",
            ),
            (
                "gradients of another shape",
                lambda: measure.sharpness(lambda p: p[:1], np.ones(2)),
                ValueError,
                "shape of the parameters",
            ),
            (
                "NaN",
                lambda: measure.sharpness(lambda p: np.nan * p, np.ones(2)),
                ValueError,
                "where the objective is finite",
            ),
        ],
        "extreme_eigenvalues": [
            (
                "a tolerance",
                lambda: measure.extreme_eigenvalues(lambda p: p, np.ones(2), tolerance=2.0),
                ValueError,
                r"in \(0, 1\)",
            )
        ],
        "hessian": [("a module", lambda: measure.hessian(ONE, np.ones(2)), TypeError, "objective must be network.on")],
        "effective_learning_rate": [
            (
                "a gradient too few",
                lambda: measure.effective_learning_rate(SGD(), {"a": np.ones(1)}, {}),
                ValueError,
                "it lacks a",
            )
        ],
        "gradient_noise": [
            (
                "no examples to draw",
                lambda: measure.gradient_noise(lambda p: p, PARAMS),
                TypeError,
                "whose examples can be drawn",
            )
        ],
        "loss_slice": [
            (
                "nowhere",
                lambda: measure.loss_slice(NET.on(X, Y), PARAMS, (PARAMS, {n: 0 * p for n, p in PARAMS.items()})),
                ValueError,
                "must lead somewhere",
            )
        ],
        "random_direction": [
            (
                "weights that it does not know",
                lambda: measure.random_direction({"theta": np.ones((2, 2))}),
                ValueError,
                "got 'theta'",
            )
        ],
        "steps_to_tolerance": [
            (
                "NaN",
                lambda: measure.steps_to_tolerance([1.0], 0.1, lowest=math.nan),
                ValueError,
                "lowest must be a finite number",
            )
        ],
    },
    "training": {
        "train": [
            ("a pair", lambda: train(NET, SGD(), (X, Y)), TypeError, r"Dataset.from_arrays\(x, y\) makes one"),
            (
                "an old optimizer",
                lambda: train(NET, used(), FEW, steps=2),
                ValueError,
                "optimizer must be without a past",
            ),
            (
                "parameters that are a number",
                lambda: train(NET, SGD(), FEW, steps=1, params=dict.fromkeys(PARAMS, 0.0)),
                ValueError,
                r"params\['W1'\] must have the shape",
            ),
            (
                "some of the parameters",
                lambda: train(NET, SGD(), FEW, steps=1, params={"W1": PARAMS["W1"]}),
                ValueError,
                "it lacks W2, b1, b2",
            ),
            (
                "a rate that is NaN",
                lambda: train(NET, SGD(), FEW, steps=1, schedule=lambda r, e: math.nan),
                ValueError,
                "schedule must give a rate",
            ),
            (
                "a rate below 0",
                lambda: train(NET, SGD(), FEW, steps=1, schedule=lambda r, e: -r),
                ValueError,
                "schedule must give a rate",
            ),
            ("a seed", lambda: train(NET, SGD(), FEW, steps=1, seed=0.5), ValueError, "seed must be a whole number"),
            ("a text", lambda: train(NET, SGD(), FEW, epochs="3"), ValueError, "epochs must be a positive number"),
            (
                "a schedule that is a number",
                lambda: train(NET, SGD(), FEW, schedule=0.1),
                TypeError,
                "schedule must be a function",
            ),
        ],
        "evaluate": [
            ("more targets", lambda: evaluate(NET, PARAMS, (X[:3], Y)), ValueError, "as many targets as inputs")
        ],
        "History": [],
        "StepCost": [],
        "Tuned": [],
        "Tuning": [],
        "TrainingSweep": [],
        "global_norm": [],  # of optim_lib.optimizers, asked there
        "train_sweep": [
            (
                "half an epoch",
                lambda: train_sweep(NET, SGD, FEW, epochs=2.5),
                ValueError,
                "epochs must be a whole number",
            ),
            ("a seed twice", lambda: train_sweep(NET, SGD, FEW, seeds=(0, 0)), ValueError, "seeds must be different"),
            (
                "one module for all",
                lambda: train_sweep(lambda seed: ONE, SGD, FEW, epochs=1, seeds=(0, 1)),
                ValueError,
                "the same module came again",
            ),
            (
                "a module",
                lambda: train_sweep(ONE, SGD, FEW, epochs=1),
                TypeError,
                "function from a seed to a torch module",
            ),
            ("texts", lambda: train_sweep(NET, SGD, FEW, learning_rate=["a"]), ValueError, "array of numbers"),
        ],
        "tune": [
            ("a list", lambda: tune([Search(SGD)], NET, FEW), TypeError, "searches must be a dictionary"),
            (
                "seeds that are no numbers",
                lambda: tune(SEARCHES, NET, FEW, report_seeds=(0.2, 0.7)),
                ValueError,
                "report_seeds must be a whole number",
            ),
            (
                "half an epoch",
                lambda: tune(SEARCHES, NET, FEW, trials=1, epochs=0.5),
                ValueError,
                "epochs must be a whole number",
            ),
        ],
        "compare": [
            ("a list", lambda: compare([Search(SGD)], tasks.regression), TypeError, "searches must be a dictionary"),
            (
                "an optimizer",
                lambda: compare({"SGD": SGD()}, tasks.regression),
                TypeError,
                r"searches\['SGD'\] must be a Search",
            ),
            ("a dataset", lambda: compare(SEARCHES, FEW), TypeError, "task must be one of optim_lib.tasks"),
            (
                "seeds that are no numbers",
                lambda: compare(SEARCHES, tasks.regression, report_seeds=(0.2, 0.7)),
                ValueError,
                "report_seeds must be",
            ),
            (
                "measures",
                lambda: compare(SEARCHES, tasks.regression, measures=[len]),
                TypeError,
                "measures must be a dictionary",
            ),
        ],
        "Search": [
            (
                "nothing to choose from",
                lambda: Search(SGD, learning_rate=[]),
                ValueError,
                "learning_rate must have something",
            )
        ],
        "LogUniform": [("a text", lambda: LogUniform("a", 1.0), ValueError, "low must be a finite number")],
        "Uniform": [("NaN", lambda: Uniform(math.nan, 1.0), ValueError, "low must be a finite number")],
        "step_cost": [("a class", lambda: step_cost(SGD, PARAMS), TypeError, "optimizer must be an object")],
        "TorchModel": [
            (
                "zeros of another shape",
                lambda: TorchModel(ONE).loss({"weight": 0, "bias": 0}, X, Y),
                ValueError,
                "must have the shape",
            )
        ],
        "TorchOptimizer": [
            (
                "a rate below 0",
                lambda: setattr(TorchOptimizer(torch.optim.SGD), "learning_rate", -1),
                ValueError,
                "learning_rate must be",
            )
        ],
        "FromTorch": [],  # makes a TorchOptimizer
    },
    "plotting": {
        "axes": [],
        "bands": [
            (
                "other lengths",
                lambda: plotting.bands([1, 2], {"a": np.ones((2, 3))}, **XY),
                ValueError,
                "x and y of 'a' must be of the same length",
            ),
        ],
        "bars": [
            ("NaN", lambda: plotting.bars({"a": math.nan}, xlabel="x"), ValueError, r"values\['a'\] must be finite"),
            (
                "below 0 on a logarithmic axis",
                lambda: plotting.bars({"a": -1, "b": 1}, xlabel="x", log=True),
                ValueError,
                r"values\['a'\] must be above 0",
            ),
            ("nothing", lambda: plotting.bars({}, xlabel="x"), ValueError, "at least one label"),
        ],
        "contour": [
            ("a function", lambda: plotting.contour(len), TypeError, "landscape must be a Landscape"),
            (
                "a window upside down",
                lambda: plotting.contour(bowl, window=(1, 0, 0, 1)),
                ValueError,
                "window must be .* rising",
            ),
            (
                "a path of one dimension",
                lambda: plotting.contour(bowl, {"a": [1, 2]}),
                ValueError,
                r"runs\['a'\] must be points of shape \(n, 2\)",
            ),
            ("a mark at NaN", lambda: plotting.contour(bowl, marks={"a": (math.nan, 0)}), ValueError, "must be finite"),
        ],
        "heatmap": [
            (
                "cells in another order",
                lambda: plotting.heatmap([3, 1, 2], [1, 2], np.ones((3, 2)), zlabel="z", **XY),
                ValueError,
                "x must rise or fall",
            ),
            (
                "the other way round",
                lambda: plotting.heatmap([1, 2, 3], [1, 2], np.ones((2, 3)), zlabel="z", **XY),
                ValueError,
                "z must have shape",
            ),
        ],
        "histogram": [
            ("NaN", lambda: plotting.histogram([1, math.nan], xlabel="x"), ValueError, "must be finite numbers"),
        ],
        "images": [
            ("one picture", lambda: plotting.images(np.ones(64)), ValueError, "pictures must have shape"),
            (
                "a label too few",
                lambda: plotting.images(np.ones((2, 64)), ["a"]),
                ValueError,
                "labels must be one for each",
            ),
        ],
        "lines": [
            (
                "words",
                lambda: plotting.lines([1, 2], {"a": ["1", "2"]}, **XY),
                TypeError,
                "y of 'a' must be real numbers",
            ),
            (
                "below 0 on a logarithmic axis",
                lambda: plotting.lines([1, 2], {"a": [-1, 2]}, log_y=True, **XY),
                ValueError,
                "y of 'a' must not be below 0",
            ),
            (
                "nothing finite",
                lambda: plotting.lines([1], {"a": [math.nan]}, **XY),
                ValueError,
                "must have a finite value",
            ),
            (
                "no places",
                lambda: plotting.lines({"b": [1]}, {"a": [1]}, **XY),
                KeyError,
                "no places for the curve 'a'",
            ),
        ],
        "loss_curves": [("below 0", lambda: plotting.loss_curves([-1, 2]), ValueError, "must not be below 0")],
        "scatter": [
            ("fewer heights", lambda: plotting.scatter([1, 2], [1], **XY), ValueError, "must be of the same length"),
            ("NaN", lambda: plotting.scatter([1, math.nan], [1, 2], **XY), ValueError, "x must be finite"),
        ],
        "show": [],
        "source": [],
        "strip": [
            ("nothing", lambda: plotting.strip({"a": []}, xlabel="x"), ValueError, "must have at least one number"),
        ],
        "table": [
            ("an unknown column", lambda: plotting.table([{"a": 1}], ["b"]), KeyError, "columns must name"),
            (
                "an unknown format",
                lambda: plotting.table([{"a": 1}], formats={"b": ".1f"}),
                KeyError,
                "formats must name",
            ),
        ],
    },
    "tasks": {
        "Task": [("a seed", lambda: tasks.regression.run(SGD, 1, seed=0.5), ValueError, "seed must be a whole number")],
        "Record": [],
        "CartPole": [],
        "ALL": [],
        "Supervised": [
            (
                "a metric misspelled",
                lambda: line(metric="Accuracy", lower_is_better=False),
                ValueError,
                "metric must be 'accuracy'",
            ),
            (
                "an accuracy that should be low",
                lambda: line(metric="accuracy"),
                ValueError,
                "metric must be 'accuracy'",
            ),
            (
                "an accuracy of numbers",
                lambda: line(metric="accuracy", lower_is_better=False).run(SGD, 1),
                ValueError,
                "its targets are no classes",
            ),
            ("a module", lambda: line(make_model=ONE), TypeError, "make_model must be a function"),
            ("a dataset", lambda: line(make_data=FEW), TypeError, "make_data must be a function"),
            ("no dataset", lambda: line(make_data=lambda: (X, T)).run(SGD, 1), TypeError, "data must be a Dataset"),
        ],
        **{
            name: []
            for name in (
                "PolicyGradient",
                "QLearning",
                "cartpole_policy",
                "cartpole_value",
                "char_transformer",
                "digits_cnn",
                "digits_mlp",
                "recurrent",
                "regression",
                "sparse_words",
            )
        },
    },
}
CASES = [
    (f"{m}.{n}: {case[0]}", *case[1:]) for m, names in ASKED.items() for n, cases in names.items() for case in cases
]


@pytest.mark.parametrize(("call", "error", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_would_be_a_wrong_number_is_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ASKED)
def test_every_public_name_was_asked(name):
    module = importlib.import_module(f"optim_lib.{name}")
    own = {n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__}
    public = set(getattr(module, "__all__", ())) or {n for n in own if not n.startswith("_")}
    assert public == ASKED[name].keys()


# ------------------------------------------------------------------------------- right numbers


def test_gradients_that_come_in_another_order_belong_to_their_parameters():
    curvatures, params = {"a": 1.0, "b": 25.0}, {"a": np.ones(2), "b": np.ones(1)}
    matrix = measure.hessian(lambda p: {name: curvatures[name] * p[name] for name in ("b", "a")}, params)
    np.testing.assert_allclose(np.diag(matrix), [1, 1, 25], rtol=1e-6)


def test_whole_numbers_and_float32_have_a_gradient_too():
    for dtype in (int, np.float32):
        gradient = measure.finite_difference_gradient(
            lambda p: float((p["w"] ** 2).sum()), {"w": np.array([3, 4], dtype)}
        )
        np.testing.assert_allclose(gradient["w"], [6, 8], rtol=1e-6)


def test_a_difference_that_is_not_a_number_is_not_passed_over():
    assert not measure.largest_difference({"a": 1.0, "b": np.nan}, {"a": 1.0, "b": 0.0}).largest <= 1
    assert not measure.largest_difference({"a": np.nan, "b": 1.0}, {"a": 0.0, "b": 1.0}).largest <= 1

    class Breaks(SGD):
        def step(self, theta, grad, state):
            theta *= np.nan

    assert "not finite" in repr(measure.compare_with_torch(Breaks(0.1), torch.optim.SGD, lr=0.1, steps=3))


def test_comparing_with_torch_leaves_the_optimizer_as_it_is():
    optimizer = used()
    before = optimizer.state_dict()
    measure.compare_with_torch(optimizer, torch.optim.Adam, lr=0.01, steps=2)
    assert repr(optimizer.state_dict()) == repr(before)


def test_a_task_and_a_cost_begin_without_the_past_of_an_optimizer():
    optimizer = Adam(0.01)
    tasks.regression.run(optimizer, 3)
    worn = Adam(0.01)
    train(MLP((20, 1), loss="squared error"), worn, tasks.regression.data, steps=50)
    records = [tasks.regression.run(each, 20) for each in (optimizer, worn)]
    np.testing.assert_array_equal(records[0].losses, records[1].losses)
    assert step_cost(worn, {"w": np.ones(10)}, repeats=2).state_bytes == 160


def test_the_test_loss_of_a_tuned_module_is_at_its_own_running_means():
    rng = np.random.default_rng(1)
    x = 5 + 3 * rng.normal(size=(200, 3))
    examples = Dataset.from_arrays(x, (x[:, 0] > 5).astype(int))

    def make(seed):
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)).double()

    tuned = tune(
        {"Adam": Search(Adam, learning_rate=[0.1])}, make, examples, trials=1, epochs=5, tuning_seeds=(9,),
        report_seeds=(0,), progress=False,
    )["Adam"]  # fmt: skip
    model = make(0)
    history = train(model, Adam(0.1), examples, epochs=5, seed=0, progress=False)
    assert tuned.results["test_loss"][0] == pytest.approx(evaluate(model, history.params, examples.test)[0])


def test_a_rate_is_given_back_to_an_optimizer_whose_run_was_stopped():
    optimizer, schedule = SGD(0.5), partial(cosine_annealing, total_epochs=3)

    def stops(rate, epoch):
        if epoch > 1:
            raise KeyboardInterrupt
        return schedule(rate, epoch)

    with pytest.raises(KeyboardInterrupt):
        train(NET, optimizer, FEW, epochs=3, batch_size=2, schedule=stops)
    assert optimizer.learning_rate == 0.5


def test_runs_that_are_not_finite_are_counted_beside_their_label():
    figure = plotting.strip({"a": [1.0, math.nan, 2.0], "b": [1.0, 2.0, 3.0]}, xlabel="x")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["a (1 of 3 not finite)", "b"]


def test_a_rule_that_takes_inputs_for_outputs_is_warned_of():
    for wrong in (Muon(0.1), ParameterGroups({"*": Lookahead(Muon(0.1))})):
        with pytest.warns(UserWarning, match="say output_axis=-1"):
            train(NET, wrong, FEW, steps=1)
    with pytest.warns(UserWarning, match="say output_axis=0"):
        train(module(), Muon(0.1, output_axis=-1), FEW, steps=1)
    train(NET, Muon(0.1, output_axis=-1), FEW, steps=1)
    train(module(), Muon(0.1), FEW, steps=1)


def test_choices_keep_their_types():
    found = Search(SGD, learning_rate=[1, 0.5, True]).settings(3)["learning_rate"].tolist()
    assert [type(value) for value in found] == [int, float, bool]


def test_a_dataset_from_arrays():
    made = Dataset.from_arrays(X, np.array(["b", "a"] * 6), seed=3, standardize=True)
    assert (made.classes, made.class_names, made.features) == (2, ("a", "b"), ("x1", "x2", "x3"))
    np.testing.assert_allclose(made.train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(
        np.sort(made.raw(np.concatenate([made.train.x, made.validation.x, made.test.x])), axis=0), np.sort(X, axis=0)
    )
    numbers = Dataset.from_arrays(X, 3 * X[:, :2] + 1, standardize=True)
    assert numbers.classes is None
    np.testing.assert_allclose(numbers.train.y.std(axis=0), 1)
    constant = Dataset.from_arrays(np.column_stack([X, np.full(12, 0.1)]), Y, standardize=True)
    np.testing.assert_allclose(constant.train.x[:, 3], 0, atol=1e-12)
    assert train(NET, Adam(0.05), made, epochs=2).losses.size == 2

"""A figure's state from NumPy alone, and computed again from JSON with what a reader changes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from optim_lib.explorer import MapCurve, explore_state, race_state, recompute
from optim_lib.explorer.recipe import editable, line_of, recipe_of
from optim_lib.landscapes import from_formula, least_squares, quadratic, ravine, rosenbrock
from optim_lib.optimizers import LARS, SGD, Adam, MomentumSGD, NesterovMomentum, Shampoo

RATES = np.geomspace(1e-3, 0.1, 5)


class Halved(SGD):
    """Not of the library: its source travels with the recipe."""

    def step(self, theta, grad, state):
        super().step(theta, 0.5 * grad, state)


STATES = {
    "two axes": lambda: explore_state(Adam, rosenbrock, learning_rate=RATES, beta1=[0, 0.9]),
    "noise": lambda: explore_state(SGD, quadratic((1, 9), 0.3), learning_rate=RATES, noise=[0.0, 1.0], seed=3),
    "draws": lambda: explore_state(SGD, quadratic((1, 9), 0.3), learning_rate=RATES, noise=[0.0, 1.0], seed=3, draws=4),
    "a line fitted": lambda: explore_state(SGD, least_squares([0, 1, 2], [1, 2, 4]), learning_rate=RATES),
    "a formula": lambda: explore_state(
        LARS, from_formula("a * x**4 + y**2", numbers={"a": 0.1}), learning_rate=RATES, momentum=[0, 0.9],
        map_curves=[MapCurve("edge", 0.01), MapCurve("here", [0.01, 0.1], [0.5, 0.9])],
    ),
    "a race": lambda: race_state(
        [SGD, ("heavy", MomentumSGD, {"rate_scale": 0.1}), NesterovMomentum, Shampoo, Halved], ravine,
        learning_rate=RATES, momentum=[0.0, 0.9],
    ),
}  # fmt: skip


@pytest.fixture(params=STATES, scope="module")
def state(request):
    return STATES[request.param]()


def test_the_state_needs_numpy_alone():
    code = """
import importlib.abc, sys
sys.path = [p for p in sys.path if p]
allowed = set(sys.stdlib_module_names) | {"numpy", "optim_lib", "scipy", "tqdm"}
class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("_") and name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} is not here")
sys.meta_path.insert(0, Wall())
import numpy as np
from optim_lib.explorer import curves_state, explore_state, race_state, recompute
from optim_lib.explorer.recipe import recipe_of
from optim_lib.landscapes import bowl
from optim_lib.optimizers import SGD
state = explore_state(SGD, bowl, learning_rate=np.array([0.1, 0.2]))
assert recompute(recipe_of(state)).raw == state.raw
race_state({"a": SGD, "b": SGD}, bowl, learning_rate=np.array([0.1, 0.2]))
curves_state({"rate": {"one": np.ones((2, 3))}}, np.arange(3), length=[1, 2])
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_losses_are_the_mean_of_draws_and_the_path_is_of_the_first():
    made = {"landscape": quadratic((1, 9)), "learning_rate": RATES, "noise": [0.0, 1.0]}
    singles = [explore_state(SGD, **made, seed=seed).data.series[0] for seed in (3, 4)]
    (both,) = explore_state(SGD, **made, seed=3, draws=2).data.series
    np.testing.assert_array_equal(both.points, singles[0].points)
    np.testing.assert_allclose(both.gaps, (singles[0].gaps + singles[1].gaps) / 2)
    assert np.any(both.gaps[:, :, 1] != singles[0].gaps[:, :, 1])


@pytest.mark.parametrize("draws", [0, 1.5, "many"])
def test_draws_are_a_whole_number(draws):
    with pytest.raises(ValueError, match="draws must be a whole number of at least 1"):
        explore_state(SGD, ravine, learning_rate=RATES, draws=draws)


def test_the_same_recipe_gives_the_same_table(state):
    # A notebook sorts what it stores.
    again = recompute(json.loads(json.dumps(recipe_of(state), sort_keys=True)))
    assert again.raw == state.raw
    assert json.dumps(again.spec) == json.dumps(state.spec)


def test_the_unedited_source_gives_the_same_table(state):
    recipe = recipe_of(state)
    for entry in range(len(state.spec["series"])):
        assert recompute(recipe, editable(recipe, entry), entry=entry).raw == state.raw


def test_an_edited_rule_changes_its_own_runs_alone():
    state = STATES["a race"]()
    recipe = recipe_of(state)
    flipped = "def step(self, theta, grad, state):\n    theta += self.learning_rate * grad\n"
    found = recompute(recipe, flipped, entry=0)
    assert [a == b for a, b in zip(found.parts, state.parts, strict=True)][:3] == [False] * 3
    assert all(a == b for a, b in zip(found.parts[3:], state.parts[3:], strict=True))


def test_the_articles_interface_is_a_source_too():
    source = """
class Mine:
    def __init__(self, learning_rate=0.01, beta1=0.9):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for name in params:
            params[name] = params[name] - self.learning_rate * grads[name]
        return params
"""
    recipe = recipe_of(STATES["two axes"]())
    found = recompute(recipe, source)
    plain = explore_state(SGD, rosenbrock, learning_rate=RATES)
    np.testing.assert_allclose(found.data.series[0].points[:, :, 0], plain.data.series[0].points, rtol=1e-12)


def test_own_start_steps_and_loss():
    recipe = recipe_of(STATES["two axes"]())
    found = recompute(recipe, start=(0.5, -0.5), steps=7, loss="x**2 + 3 * y**2")
    assert found.spec["starts"] == [pytest.approx([0.5 + 0.5 / 4.48, 0.125], abs=0.01)]
    assert found.spec["steps"] == 7
    gaps = found.data.series[0].gaps
    assert gaps.shape == (1, 5, 2, 8)
    np.testing.assert_allclose(gaps[..., 0], 0.25 + 0.75)
    assert found.spec["minima"] == []


@pytest.mark.parametrize(
    ("source", "kind", "line", "message"),
    [
        ("def step(self, theta, grad, state):\n    theta -= slope\n", NameError, 2, "slope"),
        ("def step(self, theta, grad, state)\n    pass\n", SyntaxError, 1, "expected ':'"),
        ("x = 1\n", TypeError, None, "must define a class with update"),
        ("class A:\n    pass\n", TypeError, None, "it defines A"),
    ],
)
def test_errors_name_the_line(source, kind, line, message):
    with pytest.raises(kind, match=message) as caught:
        recompute(recipe_of(STATES["two axes"]()), source)
    assert line_of(caught.value) == line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "x^2"}, r"a power is written \*\*"),
        ({"loss": "x +"}, "must be a formula in Python"),
        ({"loss": "z"}, "cannot be computed: NameError"),
        ({"loss": {"loss": "x", "slope": ["1"]}}, "slope must be two formulas"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"start": (1, 2, 3)}, r"start must be one point \(x, y\)"),
    ],
)
def test_bad_changes_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        recompute(recipe_of(STATES["two axes"]()), **change)


def test_what_cannot_be_told_has_no_recipe():
    made_here = type("Made", (SGD,), {})
    assert recipe_of(explore_state(made_here, ravine, learning_rate=RATES)) is None


def test_differences_give_the_slope_of_a_formula():
    text, slope = (
        "sin(3 * x) * exp(-y) + 2 * x * y",
        ["3 * cos(3 * x) * exp(-y) + 2 * y", "-sin(3 * x) * np.exp(-y) + 2 * x"],
    )
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    np.testing.assert_allclose(
        from_formula(text).gradient(points), from_formula(text, slope).gradient(points), rtol=1e-6, atol=1e-6
    )

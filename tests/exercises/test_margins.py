"""No verdict hangs on a last bit or on a seed: how far the cases of the checks are from the borders of decisions."""

import numpy as np
import pytest

from exercises import ch04_momentum as ch04
from exercises import ch13_conclusion as ch13
from exercises import get, scenarios
from exercises.ch12_choosing import TARGETS
from optim_lib import landscapes

LINE, COSINE = 1 - np.arange(100) / 100, 0.5 * (1 + np.cos(np.pi * np.arange(100) / 100))
RECIPES = [
    ("RMSprop", 0.03 * LINE),
    ("RMSprop", 0.04 * LINE),
    ("RMSprop", 0.03 * COSINE),
    ("MomentumSGD", 0.1 * LINE),
    ("Adam", 0.03 * LINE),
    ("AdaGrad", 0.1 * np.ones(100)),
    ("Adam", 0.02 * np.ones(100)),
]


def regime(product, momentum):
    """What a run in one dimension does: read from the two eigenvalues of a step."""
    eigenvalues = np.linalg.eigvals(np.array([[1 + momentum - product, -momentum], [1, 0]]))
    if np.abs(eigenvalues).max() > 1:
        return "diverges"
    return "swings" if np.iscomplexobj(eigenvalues) else "settles"


@pytest.mark.parametrize(("product", "momentum"), [case[:2] for case in (*ch04.OTHERS, *ch04.SWINGING)])
def test_no_run_of_4_4_lies_near_an_edge(product, momentum):
    assert {regime(factor * product, momentum) for factor in (0.94, 1, 1.06)} == {regime(product, momentum)}


@pytest.mark.parametrize(("name", "rates"), RECIPES)
def test_a_recipe_that_meets_a_target_in_practice_meets_it_on_other_seeds(name, rates):
    practice, judged = (
        scenarios.run_recipe(lambda steps: (name, {}, rates), seeds)
        for seeds in (scenarios.CHALLENGE_PRACTICE, scenarios.CHALLENGE_JUDGED)
    )
    for target in TARGETS:
        assert not practice < target or judged < target + scenarios.CHALLENGE_LUCK, (practice, judged)


@pytest.mark.parametrize("source", [get("12.5").solution, *(each.source for each in get("12.5").accepted_answers)])
def test_the_known_recipes_are_not_at_a_target(source):
    loss = scenarios.run_recipe(get("12.5").load(source), scenarios.CHALLENGE_JUDGED)
    assert min(abs(loss - target - scenarios.CHALLENGE_LUCK) for target in TARGETS) > 0.01


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_the_known_choices_are_as_good_on_other_seeds_and_not_at_the_target(name):
    target = scenarios.SCENARIOS[name].target
    exercise = get("12.4")
    for source in (exercise.solution, *(each.source for each in exercise.accepted_answers)):
        choice = exercise.load(source)[name]
        for seeds in (scenarios.PRACTICE_SEEDS, scenarios.JUDGED_SEEDS):
            assert scenarios.try_out(name, *choice, seeds=seeds).loss < target, choice


def test_the_targets_of_the_capstone_are_not_near_what_the_solution_and_the_baselines_reach():
    mine = get("13.4").load(get("13.4").solution)
    ravine = (ch13.RAVINE, ch13.RAVINE_STARTS, 100)
    left = min(ch13._at_each_rate(mine, *ravine)[0])
    best = min(ch13._baseline_left(name, ch13.RAVINE.name, *ravine[1:]) for name in ch13._BASELINES)
    assert left < best / 1000  # a tenth is asked
    banana = min(ch13._at_each_rate(mine, landscapes.rosenbrock, ch13.BANANA_STARTS, 400)[0])
    assert banana < 0.02 / 10
    assert ch13._baseline_left("SGD", ch13.RAVINE.name, *ravine[1:]) > 1.5 * 5e-3  # which is to miss it

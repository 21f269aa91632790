"""Descend and sweep: one run, a grid of runs, and the same numbers from both, whoever wrote the optimizer."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from optim_lib import descent
from optim_lib.descent import descend, sweep, sweeps
from optim_lib.landscapes import LANDSCAPES, beale, bowl, plateau, ravine, rosenbrock, saddle, tilted_ravine
from optim_lib.optimizers import LAMB, LARS, SGD, Adafactor, Adam, MomentumSGD, base
from optim_lib.optimizers.fields import ChoiceField
from tests.library.student import (
    BROADCASTING,
    NOT_BROADCASTING,
    BranchingMomentum,
    CheckedSGD,
    ClippedSGD,
    ForgetfulSGD,
    ScalarSGD,
    StudentAdam,
    StudentMomentum,
    StudentSGD,
)
from tests.library.table import OPTIMIZERS, assert_same, label

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)
RATES = np.geomspace(1e-3, 0.03, 5)


def bars_shown(monkeypatch):
    """How many settings each visible progress bar has run over."""
    shown = []
    real = descent.progress_bar

    def spy(settings, **options):
        shown.extend([] if options["disable"] else [len(settings)])
        return real(settings, **{**options, "disable": True})

    monkeypatch.setattr(descent, "progress_bar", spy)
    return shown


# ---------------------------------------------------------------------- one run


@every_optimizer
def test_descend_records_every_point_and_its_loss(optimizer):
    run = descend(optimizer(learning_rate=1e-4), rosenbrock, start=(-1.5, 1.5), steps=17)
    assert run.points.shape == (18, 2)
    assert run.losses.shape == (18,)
    assert run.points[0].tolist() == [-1.5, 1.5]
    assert run.losses == pytest.approx(rosenbrock.loss(run.points), rel=0)
    assert run.diverged_at is None
    by_hand, params = optimizer(learning_rate=1e-4), {"p": np.array([-1.5, 1.5])}
    for point in run.points[1:]:
        by_hand.update(params, {"p": rosenbrock.gradient(params["p"])})
        assert_same(point, params["p"])


def test_the_defaults_are_the_first_start_and_sixty_steps():
    run = descend(SGD(0.001), beale)
    assert run.points.shape == (61, 2)
    assert tuple(run.points[0]) == beale.starts[0]
    assert sweep(SGD, beale, learning_rate=[0.001]).points.shape == (1, 61, 2)


def test_descend_goes_on_with_the_optimizers_own_state():
    whole = descend(MomentumSGD(0.001), rosenbrock, steps=20)
    optimizer = MomentumSGD(0.001)
    half = descend(optimizer, rosenbrock, steps=10)
    rest = descend(optimizer, rosenbrock, start=half.points[-1], steps=10)
    assert_same(np.concatenate([half.points, rest.points[1:]]), whole.points)


def test_a_start_keeps_its_dtype_and_is_not_moved():
    start = np.array([-1.5, 1.5], dtype=np.float32)
    for optimizer in (Adam(0.1), StudentSGD(0.001)):
        assert descend(optimizer, rosenbrock, start=start).points.dtype == np.float32
    assert sweep(Adam, rosenbrock, start=start, learning_rate=RATES).points.dtype == np.float32
    assert sweep(ScalarSGD, rosenbrock, start=start, learning_rate=RATES).points.dtype == np.float32
    assert start.tolist() == [-1.5, 1.5]
    assert descend(Adam(0.1), rosenbrock, start=(1, 2)).points.dtype == np.float64


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: landscape.name)
def test_gradient_descent_goes_down_every_landscape(landscape):
    for start in landscape.starts:
        losses = descend(SGD(1e-4), landscape, start=start, steps=30).losses
        assert np.all(np.diff(losses) <= 0)
        assert losses[-1] < losses[0] or landscape in (plateau, saddle)


# ---------------------------------------------------------------------- divergence


def test_a_divergence_is_reported_by_its_first_step_and_nothing_after_it_is_shown():
    run = descend(SGD(learning_rate=3.0), bowl, start=(1.0, 0.0), steps=60)
    # x is multiplied by -2 a step: it is 1000 windows of width 4.4 away at the first power of two over 4400.
    assert run.diverged_at == 13
    assert np.all(np.isfinite(run.points[:13]))
    assert run.points[12].tolist() == [4096.0, 0.0]
    assert np.all(np.isnan(run.points[13:]))
    assert np.all(np.isposinf(run.losses[13:]))
    assert np.all(np.isfinite(run.losses[:13]))


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, StudentAdam, StudentMomentum, ScalarSGD], ids=label)
@pytest.mark.parametrize("rate", [1.0, 1e3, 1e200])
def test_a_divergence_comes_without_a_warning(optimizer, rate):
    """Warnings are errors here: overflow, division, comparison with NaN would each raise."""
    run = descend(optimizer(learning_rate=rate), rosenbrock, start=(-1.5, 1.5), steps=40)
    grid = sweep(optimizer, rosenbrock, start=(-1.5, 1.5), steps=40, progress=False, learning_rate=[1e-4, rate])
    assert grid.diverged_at[1] == (-1 if run.diverged_at is None else run.diverged_at)
    if rate > 1e3 and optimizer is not Adafactor:  # its relative step is at most 1 / sqrt(t)
        assert run.diverged_at is not None
        assert np.all(np.isnan(run.points[run.diverged_at :]))


def test_a_python_number_that_overflows_is_a_divergence():
    """Where NumPy gives an infinity, plain numbers raise: `float(g) ** 2` of a student's rule."""
    with pytest.raises(OverflowError):
        ScalarSGD(1.0).update({"p": np.ones(2)}, {"p": np.full(2, 1e200)})
    run = descend(ScalarSGD(1e100), rosenbrock, start=(-1.5, 1.5), steps=5)
    assert run.diverged_at == 1
    assert np.isnan(run.points[1:]).all()


def test_each_setting_of_a_sweep_has_its_own_divergence():
    grid = sweep(SGD, bowl, start=(1.0, 0.0), steps=60, learning_rate=[0.5, 3.0, 1.0, 5.0])
    assert grid.diverged_at.tolist() == [-1, 13, -1, 7]
    for index, step in enumerate(grid.diverged_at):
        run = descend(SGD(float(grid.axes["learning_rate"][index])), bowl, start=(1.0, 0.0), steps=60)
        assert run.diverged_at == (None if step < 0 else step)
        assert_same(run.points, grid.points[index])
        assert_same(run.losses, grid.losses[index])


def test_a_nan_or_an_infinity_is_a_divergence():
    class Jumps(StudentSGD):
        def update(self, params, grads):
            params["p"] = params["p"] + self.learning_rate
            return params

    for jump in (np.nan, np.inf, -np.inf, 1e300):
        run = descend(Jumps(jump), bowl, steps=3)
        assert run.diverged_at == 1
        assert np.isnan(run.points[1:]).all()


# ---------------------------------------------------------------------- a grid of runs


def values_of(optimizer, name):
    field = getattr(optimizer, name)
    if isinstance(field, ChoiceField):
        return np.array(field.among)
    return np.array([0.1 if field.positive else 0.0, 0.5, 0.9]) if field.sweeps else np.array([1, 2, 5])


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, *BROADCASTING, *NOT_BROADCASTING], ids=label)
def test_sweeps_from_several_starts_are_the_sweeps_from_each(optimizer):
    starts = [(-1.5, 2.0), (0.5, -1.0), (2.5, 2.5)]
    given = {"steps": 12, "noise": np.array([0.0, 0.3]), "seed": 3, "learning_rate": RATES, "progress": False}
    for together, start in zip(sweeps(optimizer, rosenbrock, starts, **given), starts, strict=True):
        alone = sweep(optimizer, rosenbrock, start, **given)
        assert_same(together.points, alone.points)
        np.testing.assert_array_equal(together.diverged_at, alone.diverged_at)
        assert (together.vectorized, list(together.axes)) == (alone.vectorized, list(alone.axes))


@every_optimizer
@pytest.mark.parametrize("landscape", [tilted_ravine, beale], ids=lambda landscape: landscape.name)
def test_a_sweep_is_the_loop_over_its_settings(optimizer, landscape):
    names = optimizer.hyperparameters()
    axes = {names[0]: RATES, names[-1]: values_of(optimizer, names[-1])} if len(names) > 1 else {names[0]: RATES}
    grid = sweep(optimizer, landscape, steps=50, progress=False, **axes)
    assert grid.vectorized == getattr(optimizer, names[-1]).sweeps
    assert list(grid.axes) == list(axes)
    shape = tuple(len(values) for values in axes.values())
    assert (grid.points.shape, grid.losses.shape, grid.diverged_at.shape) == ((*shape, 51, 2), (*shape, 51), shape)
    for index in np.ndindex(shape):
        setting = {name: values[i] for (name, values), i in zip(axes.items(), index, strict=True)}
        run = descend(optimizer(**setting), landscape, steps=50)
        np.testing.assert_allclose(grid.points[index], run.points, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(grid.losses[index], run.losses, rtol=1e-11, atol=1e-12)


@every_optimizer
def test_every_hyperparameter_can_be_an_axis(optimizer):
    for name in optimizer.hyperparameters():
        values = values_of(optimizer, name) if name != "learning_rate" else RATES[:3]
        grid = sweep(optimizer, ravine, steps=30, progress=False, **{name: values})
        for value, points in zip(values, grid.points, strict=True):
            alone = descend(optimizer(**{name: value}), ravine, steps=30).points
            np.testing.assert_allclose(points, alone, rtol=1e-12, atol=1e-12)


def test_three_axes_and_fixed_hyperparameters():
    axes = {"learning_rate": [0.01, 0.1], "beta1": [0.0, 0.5, 0.9], "epsilon": [1e-8, 1e-2]}
    grid = sweep(Adam, rosenbrock, steps=20, beta2=0.9, **axes)
    assert grid.points.shape == (2, 3, 2, 21, 2)
    for index in itertools.product(range(2), range(3), range(2)):
        setting = {name: values[i] for (name, values), i in zip(axes.items(), index, strict=True)}
        alone = descend(Adam(beta2=0.9, **setting), rosenbrock, steps=20)
        np.testing.assert_allclose(grid.points[index], alone.points, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam, StudentAdam, ScalarSGD], ids=label)
def test_no_axis_is_one_run(optimizer):
    grid = sweep(optimizer, rosenbrock, steps=5, learning_rate=0.001)
    assert grid.points.shape == (6, 2)
    assert grid.axes == {}
    assert grid.best() == {}
    assert_same(grid.points, descend(optimizer(learning_rate=0.001), rosenbrock, steps=5).points)


def test_an_axis_of_one_value_is_still_an_axis():
    assert sweep(Adam, rosenbrock, steps=5, learning_rate=[0.1]).points.shape == (1, 6, 2)


def test_axes_are_in_the_order_given_with_their_values():
    grid = sweep(Adam, rosenbrock, steps=2, beta1=[0, 0.5], learning_rate=(0.1, 0.2, 0.3))
    assert list(grid.axes) == ["beta1", "learning_rate"]
    assert grid.axes["learning_rate"].tolist() == [0.1, 0.2, 0.3]
    assert grid.axes["beta1"].dtype == np.float64


def test_best_is_the_setting_with_the_lowest_final_loss():
    grid = sweep(MomentumSGD, ravine, steps=60, learning_rate=np.geomspace(1e-3, 1, 9), momentum=[0.0, 0.5, 0.9])
    best = grid.best()
    final = descend(MomentumSGD(**best), ravine, steps=60).losses[-1]
    assert final == pytest.approx(grid.losses[..., -1].min(), rel=1e-9)


def test_a_layers_norm_is_taken_for_each_setting_alone():
    """LARS and LAMB take a norm; a setting that diverges must not change its neighbors'."""
    for optimizer in (LARS, LAMB):
        calm = sweep(optimizer, rosenbrock, steps=30, learning_rate=[0.01, 0.02])
        wild = sweep(optimizer, rosenbrock, steps=30, learning_rate=[0.01, 1e6])
        assert_same(calm.points[0], wild.points[0])


# ---------------------------------------------------------------------- a student's class


@pytest.mark.parametrize("student", BROADCASTING, ids=label)
def test_a_students_class_that_broadcasts_is_one_vectorized_run(student, monkeypatch):
    bars = bars_shown(monkeypatch)
    grid = sweep(student, tilted_ravine, steps=40, learning_rate=RATES)
    assert grid.vectorized
    assert bars == []
    for rate, points in zip(RATES, grid.points, strict=True):
        alone = descend(student(learning_rate=rate), tilted_ravine, steps=40).points
        np.testing.assert_allclose(points, alone, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("student", NOT_BROADCASTING, ids=label)
@pytest.mark.parametrize("rates", [RATES, RATES[:1]], ids=["five rates", "one rate"])
def test_a_students_class_that_cannot_broadcast_gives_the_numbers_of_descend(student, rates, monkeypatch):
    bars = bars_shown(monkeypatch)
    grid = sweep(student, tilted_ravine, steps=40, learning_rate=rates)
    assert grid.vectorized == (student is ClippedSGD and len(rates) == 1)
    assert bars == ([5] if len(rates) > 1 else [])
    for rate, points in zip(rates, grid.points, strict=True):
        assert_same(points, descend(student(learning_rate=float(rate)), tilted_ravine, steps=40).points)


def test_progress_can_be_turned_off(monkeypatch):
    bars = bars_shown(monkeypatch)
    sweep(ScalarSGD, ravine, steps=3, learning_rate=RATES, progress=False)
    assert bars == []


def test_the_library_and_the_student_agree():
    for ours, theirs in ((SGD, StudentSGD), (MomentumSGD, StudentMomentum), (Adam, StudentAdam)):
        one, other = (sweep(each, tilted_ravine, steps=50, learning_rate=RATES) for each in (ours, theirs))
        np.testing.assert_allclose(one.points, other.points, rtol=1e-12, atol=1e-14)


def test_a_subclass_of_the_library_that_cannot_broadcast_is_run_setting_by_setting():
    class Clipped(base.Optimizer):
        learning_rate = base.Hyperparameter(0.01)

        def step(self, theta, grad, state):
            theta -= self.learning_rate * grad / max(1.0, np.linalg.norm(grad))

    grid = sweep(Clipped, tilted_ravine, steps=20, learning_rate=RATES, progress=False)
    assert not grid.vectorized
    np.testing.assert_allclose(
        grid.points, sweep(ClippedSGD, tilted_ravine, steps=20, learning_rate=RATES, progress=False).points, rtol=1e-12
    )


def test_a_partial_or_a_function_will_do():
    grid = sweep(partial(Adam, beta1=0.5), rosenbrock, steps=10, learning_rate=RATES)
    assert_same(grid.points, sweep(Adam, rosenbrock, steps=10, learning_rate=RATES, beta1=0.5).points)
    layerwise = sweep(lambda learning_rate: LAMB(learning_rate), rosenbrock, steps=10, learning_rate=RATES)
    assert layerwise.vectorized
    assert_same(layerwise.points, sweep(LAMB, rosenbrock, steps=10, learning_rate=RATES).points)


def test_settings_that_differ_in_a_branch_are_noticed():
    grid = sweep(BranchingMomentum, ravine, steps=9, learning_rate=0.01, momentum=[0.0, 0.9], progress=False)
    assert not grid.vectorized
    assert_same(grid.points[0], descend(SGD(0.01), ravine, steps=9).points)
    assert_same(grid.points[1], descend(MomentumSGD(0.01, 0.9), ravine, steps=9).points)


# ---------------------------------------------------------------------- noise


def test_noise_is_reproducible_and_its_seed_matters():
    runs = [descend(SGD(0.01), ravine, noise=1.0, seed=seed).points for seed in (3, 3, 4)]
    assert_same(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


def test_all_settings_see_the_same_noise():
    grid = sweep(MomentumSGD, ravine, steps=30, noise=0.5, seed=2, learning_rate=RATES, momentum=[0.0, 0.9])
    for index in np.ndindex(5, 2):
        alone = descend(MomentumSGD(RATES[index[0]], [0.0, 0.9][index[1]]), ravine, steps=30, noise=0.5, seed=2)
        np.testing.assert_allclose(grid.points[index], alone.points, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("optimizer", [SGD, StudentSGD, ScalarSGD], ids=label)
def test_noise_can_be_an_axis_the_last(optimizer):
    levels = [0.0, 0.1, 2.0]
    grid = sweep(optimizer, ravine, steps=30, noise=levels, seed=2, learning_rate=RATES, progress=False)
    assert list(grid.axes) == ["learning_rate", "noise"]
    assert grid.points.shape == (5, 3, 31, 2)
    for index in np.ndindex(5, 3):
        alone = descend(optimizer(RATES[index[0]]), ravine, steps=30, noise=levels[index[1]], seed=2)
        np.testing.assert_allclose(grid.points[index], alone.points, rtol=1e-12, atol=1e-14)


def test_the_noise_has_the_standard_deviation_asked_for_in_each_coordinate():
    flat = sweep(SGD, plateau, start=(5000.0, 5000.0), steps=4000, noise=3.0, learning_rate=[1.0])
    steps = np.diff(flat.points[0], axis=0)
    assert steps.std(axis=0) == pytest.approx([3.0, 3.0], rel=0.05)
    assert abs(np.corrcoef(steps.T)[0, 1]) < 0.05


# ---------------------------------------------------------------------- bad input

BAD_CALLS = [
    (lambda: descend(Adam, rosenbrock), TypeError, r"optimizer must be an object with update.*got <class"),
    (lambda: descend("Adam", rosenbrock), TypeError, r"optimizer must be an object with update.*got 'Adam'"),
    (lambda: descend(Adam(), "rosenbrock"), TypeError, r"landscape must be one of optim_lib.landscapes.*'rosenbrock'"),
    (lambda: descend(Adam(), rosenbrock.loss), TypeError, r"landscape must be one of optim_lib.landscapes"),
    (lambda: descend(Adam(), rosenbrock, start=(1, 2, 3)), ValueError, r"start must be one point .*got \(1, 2, 3\)"),
    (lambda: descend(Adam(), rosenbrock, start=1.0), ValueError, r"start must be one point"),
    (lambda: descend(Adam(), rosenbrock, start=(np.nan, 1)), ValueError, r"start must be one point .*finite"),
    (lambda: descend(Adam(), rosenbrock, start=("a", "b")), ValueError, r"start must be one point"),
    (lambda: descend(Adam(), rosenbrock, start=[(1, 2), (3, 4)]), ValueError, r"start must be one point"),
    (lambda: descend(Adam(), rosenbrock, steps=0), ValueError, r"steps must be a whole number of at least 1, got 0"),
    (lambda: descend(Adam(), rosenbrock, steps=-3), ValueError, r"steps must be .*got -3"),
    (lambda: descend(Adam(), rosenbrock, steps=1.5), ValueError, r"steps must be .*got 1.5"),
    (lambda: descend(Adam(), rosenbrock, noise=-1), ValueError, r"noise must be a standard deviation.*got -1"),
    (lambda: descend(Adam(), rosenbrock, noise=np.nan), ValueError, r"noise must be a standard deviation.*got nan"),
    (lambda: descend(Adam(), rosenbrock, noise=[0.1, 1]), ValueError, r"noise must be one number in descend"),
    (lambda: descend(ForgetfulSGD(), rosenbrock), TypeError, r"ForgetfulSGD.update must return the dictionary .*None"),
    (
        lambda: sweep(Adam(), rosenbrock, learning_rate=RATES),
        TypeError,
        r"optimizer must be a class, .*\(not Adam\(\)\)",
    ),
    (lambda: sweep("Adam", rosenbrock, learning_rate=RATES), TypeError, r"optimizer must be a class"),
    (lambda: sweep(Adam, "rosenbrock", learning_rate=RATES), TypeError, r"landscape must be one of"),
    (lambda: sweep(Adam, rosenbrock, steps=0, learning_rate=RATES), ValueError, r"steps must be"),
    (lambda: sweep(Adam, rosenbrock, start=1, learning_rate=RATES), ValueError, r"start must be"),
    (lambda: sweep(Adam, rosenbrock, noise=[-1, 1], learning_rate=0.1), ValueError, r"noise must be"),
    (lambda: sweep(Adam, rosenbrock, noise=[[1], [1]], learning_rate=0.1), ValueError, r"noise must be"),
    (lambda: sweep(Adam, rosenbrock, learning_rate=[]), ValueError, r"learning_rate must be a number or a one-dim"),
    (lambda: sweep(Adam, rosenbrock, learning_rate=[[0.1]]), ValueError, r"learning_rate must be .*got \[\[0.1\]\]"),
    (lambda: sweep(Adam, rosenbrock, learning_rate=["a"]), ValueError, r"learning_rate must be .*got \['a'\]"),
    (lambda: sweep(Adam, rosenbrock, learning_rate=[0.1, -1]), ValueError, r"Adam: learning_rate must be .*\[0, inf\)"),
    (lambda: sweep(Adam, rosenbrock, beta1=[0.9, 1.0]), ValueError, r"Adam: beta1 must be .*\[0, 1\)"),
    (lambda: sweep(Adam, rosenbrock, lr=RATES), TypeError, r"unexpected keyword argument 'lr'"),
    (lambda: sweep(StudentSGD, rosenbrock, lr=RATES), TypeError, r"unexpected keyword argument 'lr'"),
    (lambda: sweep(CheckedSGD, rosenbrock, learning_rate=[0.1, 2]), ValueError, r"learning_rate is too large for me"),
    (lambda: sweep(ForgetfulSGD, rosenbrock, learning_rate=RATES), TypeError, r"ForgetfulSGD.update must return the"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS, ids=[message for *_, message in BAD_CALLS])
def test_a_bad_call_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_update_of_ones_own_is_called_at_every_step():
    class Mine(Adam):
        calls = 0

        def update(self, params, grads):
            self.calls += 1
            return super().update(params, grads)

    optimizer = Mine(learning_rate=0.1)
    run = descend(optimizer, rosenbrock, (-1.5, 1.5), 7)
    assert optimizer.calls == 7
    np.testing.assert_array_equal(run.points, descend(Adam(learning_rate=0.1), rosenbrock, (-1.5, 1.5), 7).points)


def test_gradients_are_checked_at_every_step_where_that_is_asked_for():
    optimizer = Adam(learning_rate=0.1)
    optimizer.check_finite = True
    cliff = replace(rosenbrock, slope=lambda x, y: (np.where(x > -1, np.nan, -1.0), 0 * y))
    with pytest.raises(ValueError, match="must be finite"):
        descend(optimizer, cliff, (-1.5, 1.5), 20)

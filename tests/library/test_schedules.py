"""Schedules against torch.optim.lr_scheduler and optax, and at their edges."""

from __future__ import annotations

import math
import warnings

import jax
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_lib.schedules import (
    LearningRateScheduler,
    cosine_annealing,
    exponential_decay,
    join_schedules,
    one_cycle,
    one_cycle_momentum,
    step_decay,
    warm_restarts,
    warmup_cosine,
    warmup_stable_decay,
)

RATE = 0.3
# Every schedule as a function of the epoch alone.
SCHEDULES = {
    "step_decay": lambda t: step_decay(RATE, t, 0.5, 4),
    "exponential_decay": lambda t: exponential_decay(RATE, t, 0.9),
    "cosine_annealing": lambda t: cosine_annealing(RATE, t, 20, 0.01),
    "warmup_cosine": lambda t: warmup_cosine(RATE, t, 20, 5, 0.01),
    "warmup_cosine, no warmup": lambda t: warmup_cosine(RATE, t, 20, 0, 0.01),
    "warmup_cosine, all warmup": lambda t: warmup_cosine(RATE, t, 20, 20, 0.01),
    "one_cycle": lambda t: one_cycle(RATE, t, 20),
    "one_cycle, no warmup": lambda t: one_cycle(RATE, t, 20, 0.0),
    "one_cycle_momentum": lambda t: one_cycle_momentum(t, 20),
    "warm_restarts": lambda t: warm_restarts(RATE, t, 4, 1.0, 0.01),
    "warm_restarts, growing": lambda t: warm_restarts(RATE, t, 3, 2.0, 0.01),
    "warmup_stable_decay": lambda t: warmup_stable_decay(RATE, t, 20, 4, 6, 0.01),
    "warmup_stable_decay, no decay": lambda t: warmup_stable_decay(RATE, t, 20, 4, 0, 0.01),
    "join_schedules": join_schedules(
        [lambda t: warmup_cosine(RATE, t, 8, 3), lambda t: step_decay(RATE, t, 0.5, 2)], [6]
    ),
}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())


def torch_rates(make, steps, field="lr", **options):
    """What a torch scheduler sets at each step, the first included."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE, momentum=0.9)
    scheduler = make(optimizer, **options)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0][field])
        optimizer.step()
        scheduler.step()
    return values


# ---------------------------------------------------------------------- peers


@pytest.mark.parametrize(("drop_rate", "epochs_drop"), [(0.5, 10), (0.1, 3), (1.0, 7), (0.9, 1)])
def test_step_decay_is_torch_step_lr(drop_rate, epochs_drop):
    theirs = torch_rates(torch.optim.lr_scheduler.StepLR, 40, step_size=epochs_drop, gamma=drop_rate)
    assert step_decay(RATE, np.arange(40), drop_rate, epochs_drop) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("decay_rate", [0.95, 0.5, 1.0])
def test_exponential_decay_is_torch_exponential_lr(decay_rate):
    theirs = torch_rates(torch.optim.lr_scheduler.ExponentialLR, 40, gamma=decay_rate)
    assert exponential_decay(RATE, np.arange(40), decay_rate) == pytest.approx(theirs, rel=1e-12)


def test_exponential_decay_is_the_articles_exponential_with_k_the_negative_logarithm():
    k = -math.log(0.95)
    for epoch in (0, 1, 10, 2.5):
        assert exponential_decay(RATE, epoch, 0.95) == pytest.approx(RATE * math.exp(-k * epoch), rel=1e-12)


@pytest.mark.parametrize(("total", "floor"), [(30, 0.0), (30, 0.02), (1, 0.1), (7, RATE)])
def test_cosine_annealing_is_torch_cosine_annealing_lr(total, floor):
    """Up to the end: past it torch's rises again."""
    theirs = torch_rates(torch.optim.lr_scheduler.CosineAnnealingLR, total + 1, T_max=total, eta_min=floor)
    assert cosine_annealing(RATE, np.arange(total + 1), total, floor) == pytest.approx(theirs, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("total", "warmup", "floor"), [(50, 5, 0.0), (50, 0, 0.01), (12, 11, 0.1), (30, 1, 0.0)])
def test_warmup_cosine_is_optax_started_one_step_up(total, warmup, floor):
    with jax.enable_x64(True):
        theirs = optax.warmup_cosine_decay_schedule(RATE / (warmup + 1), RATE, warmup, total, floor)
        expected = np.asarray(theirs(jax.numpy.arange(total + 10)))
    assert warmup_cosine(RATE, np.arange(total + 10), total, warmup, floor) == pytest.approx(
        expected, rel=1e-6, abs=1e-8
    )


@pytest.mark.parametrize(("total", "fraction"), [(100, 0.3), (10, 0.5), (31, 0.25), (2000, 0.1), (7, 0.9)])
def test_one_cycle_is_torch_one_cycle_lr_rate_and_momentum(total, fraction):
    cycle, options = torch.optim.lr_scheduler.OneCycleLR, {"max_lr": RATE, "pct_start": fraction}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rates = torch_rates(cycle, total - 1, total_steps=total, **options)
        momenta = torch_rates(cycle, total - 1, "momentum", total_steps=total, **options)
    steps = np.arange(total - 1)
    assert one_cycle(RATE, steps, total, fraction) == pytest.approx(rates, rel=1e-9)
    assert one_cycle_momentum(steps, total, fraction) == pytest.approx(momenta, rel=1e-9)


def test_one_cycle_takes_torchs_factors():
    cycle = torch.optim.lr_scheduler.OneCycleLR
    options = {"div_factor": 4.0, "final_div_factor": 50.0, "base_momentum": 0.7, "max_momentum": 0.99}
    rates = torch_rates(cycle, 19, total_steps=20, max_lr=RATE, **options)
    momenta = torch_rates(cycle, 19, "momentum", total_steps=20, max_lr=RATE, **options)
    steps = np.arange(19)
    assert one_cycle(RATE, steps, 20, 0.3, 4.0, 50.0) == pytest.approx(rates, rel=1e-9)
    assert one_cycle_momentum(steps, 20, 0.3, 0.7, 0.99) == pytest.approx(momenta, rel=1e-9)


@pytest.mark.parametrize(("period", "growth", "floor"), [(10, 1, 0.0), (7, 2, 0.02), (3, 3, 0.1), (1, 2, 0.0)])
def test_warm_restarts_is_torch_cosine_annealing_warm_restarts(period, growth, floor):
    restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    theirs = torch_rates(restarts, 200, T_0=period, T_mult=growth, eta_min=floor)
    assert warm_restarts(RATE, np.arange(200), period, growth, floor) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("total", "warmup", "decay", "floor"), [(50, 5, 20, 0.0), (30, 0, 30, 0.01), (12, 4, 8, 0.0)])
def test_warmup_stable_decay_is_optax_linear_parts_joined(total, warmup, decay, floor):
    parts = [
        optax.linear_schedule(RATE / (warmup + 1), RATE, warmup),
        optax.constant_schedule(RATE),
        optax.linear_schedule(RATE, floor, decay),
    ]
    theirs = optax.join_schedules(parts, [warmup, total - decay])
    with jax.enable_x64(True):
        expected = [float(theirs(step)) for step in range(total + 10)]
    assert warmup_stable_decay(RATE, np.arange(total + 10), total, warmup, decay, floor) == pytest.approx(
        expected, rel=1e-6, abs=1e-8
    )


def test_join_schedules_is_torch_sequential_lr():
    def make(optimizer):
        first = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=4)
        second = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
        third = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, [first, second, third], milestones=[4, 10])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch_rates(make, 20)
    ours = join_schedules(
        [
            lambda t: RATE * np.minimum(0.25 + 0.75 * t / 4, 1.0),
            lambda t: exponential_decay(RATE, t, 0.9),
            lambda t: step_decay(RATE, t, 0.5, 3),
        ],
        [4, 10],
    )
    assert ours(np.arange(20)) == pytest.approx(theirs, rel=1e-9)


# ---------------------------------------------------------------------- edges


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        ("step_decay", RATE),
        ("exponential_decay", RATE),
        ("cosine_annealing", RATE),
        ("warmup_cosine", RATE / 6),
        ("warmup_cosine, no warmup", RATE),
        ("warmup_cosine, all warmup", RATE / 21),
        ("one_cycle", RATE / 25),
        ("one_cycle, no warmup", RATE),
        ("one_cycle_momentum", 0.95),
        ("warm_restarts", RATE),
        ("warm_restarts, growing", RATE),
        ("warmup_stable_decay", RATE / 5),
        ("join_schedules", RATE / 4),
    ],
)
def test_at_epoch_0(schedule, first):
    assert SCHEDULES[schedule](0) == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "end", "last"),
    [
        ("cosine_annealing", 20, 0.01),
        ("warmup_cosine", 20, 0.01),
        ("warmup_cosine, no warmup", 20, 0.01),
        ("warmup_cosine, all warmup", 20, 0.01),
        ("one_cycle", 19, RATE / 25e4),
        ("one_cycle, no warmup", 19, RATE / 25e4),
        ("one_cycle_momentum", 19, 0.95),
        ("warmup_stable_decay", 20, 0.01),
        ("warmup_stable_decay, no decay", 20, 0.01),
    ],
)
def test_from_the_end_on_the_last_value_stays(schedule, end, last):
    """The article's cosine rises again past its end, all the way back to the top."""
    for epoch in (end, end + 0.5, end + 1, 2 * end, 1000 * end):
        assert SCHEDULES[schedule](epoch) == pytest.approx(last, rel=1e-12)
    assert SCHEDULES[schedule](end - 0.5) != pytest.approx(last, rel=1e-4)


def test_the_top_of_a_warmup_is_at_its_last_epoch_and_the_rise_is_a_straight_line():
    rates = warmup_cosine(1.0, np.arange(8), total_epochs=20, warmup_epochs=4)
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], rel=1e-12)
    assert np.argmax(rates) == 4
    assert warmup_cosine(1.0, np.arange(6), total_epochs=5, warmup_epochs=5) == pytest.approx(
        [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 0.0], rel=1e-12
    )


@pytest.mark.parametrize("growth", [1.0, 1.1, 1.5, 2.0, 3.0, 10.0])
def test_a_restart_falls_exactly_on_its_epoch(growth):
    """The first epoch of each cycle has the top rate and the last moment before it nearly the floor."""
    borders = [10.0 * growth**n for n in range(8)]
    for begin in np.cumsum([0.0, *borders]):
        assert warm_restarts(RATE, begin + 1e-6, 10, growth) == pytest.approx(RATE, rel=1e-9)
        if growth.is_integer():
            assert warm_restarts(RATE, begin, 10, growth) == pytest.approx(RATE, rel=1e-12)
        if begin:
            assert warm_restarts(RATE, begin - 1e-6, 10, growth) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("epoch", "period", "growth"),
    [
        (22, 10, 1.2),
        (23, 10, 1.3),
        (26, 10, 1.6),
        (44, 20, 1.2),
        (1 + 1.1 + 1.21, 1, 1.1),
        (10.1, 0.1, 1),
        (0.3, 0.1, 2),
    ],
)
def test_a_restart_after_cycles_of_fractional_length_is_at_the_top(epoch, period, growth):
    assert warm_restarts(RATE, epoch, period, growth) == pytest.approx(RATE, rel=1e-9)
    assert warm_restarts(RATE, epoch - 1e-5 * period, period, growth) == pytest.approx(0, abs=1e-6)


def test_fractions_of_epochs_that_are_summed_up_drop_and_restart_on_their_epoch():
    """0.1 + 0.1 + ... is never exactly a whole number of tenths, and ``5 // 0.1`` is 49."""
    for epochs in (0.1 * np.arange(300), np.cumsum(np.full(300, 0.1)) - 0.1, np.arange(300) / 10):
        assert step_decay(1.0, epochs, 0.99, 0.1) == pytest.approx(0.99 ** np.arange(300), rel=1e-12)
        assert warm_restarts(RATE, epochs, 0.1) == pytest.approx(RATE, rel=1e-9)
    assert step_decay(RATE, 0.3 - 1e-6, 0.5, 0.1) == RATE / 4


@pytest.mark.parametrize(("period", "growth"), [(10, 1), (7, 2), (3, 3)])
def test_restarts_at_fractions_of_an_epoch_are_torchs(period, growth):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, period, growth, eta_min=0.01)
    epochs, theirs = 0.1 * np.arange(600), []
    for epoch in epochs:
        scheduler.step(epoch)
        theirs.append(optimizer.param_groups[0]["lr"])
    assert warm_restarts(RATE, epochs, period, growth, 0.01) == pytest.approx(theirs, rel=1e-9)


def test_borders_that_are_fractions_are_met_in_spite_of_rounding():
    tenths = 0.1 * np.arange(8)
    joined = join_schedules([lambda t: 0 * t + 1.0, lambda t: 0 * t + 2.0, lambda t: t + 3.0], [0.3, 0.7])
    # 0.1 * 3 is more than 0.3, 0.7 is less than 0.1 * 7, and 0.1 + 0.6 is less than 0.7.
    assert joined(np.append(tenths, 0.1 + 0.6)).tolist() == pytest.approx([1, 1, 1, 2, 2, 2, 2, 3, 3])
    assert warmup_cosine(RATE, 0.1 + 0.6, total_epochs=0.7, warmup_epochs=0.7, min_lr=0.01) == 0.01
    assert warmup_stable_decay(RATE, 0.1 + 0.6, 0.7, 0.0, 0.0, 0.01) == 0.01
    assert warmup_stable_decay(RATE, 0.95, 1.0, 0.9, 0.1) == pytest.approx(RATE / 2)  # 1.0 - 0.9 is less than 0.1


def test_any_number_of_schedules_can_be_joined():
    joined = join_schedules([lambda t, k=k: 0 * t + k for k in range(70)], range(1, 70))
    assert joined(np.arange(75)).tolist() == [*range(70), 69, 69, 69, 69, 69]


def test_a_cycle_grows_and_comes_back_to_the_top():
    rates = warm_restarts(1.0, np.arange(31), 2, 2.0)
    assert np.flatnonzero(rates == 1.0).tolist() == [0, 2, 6, 14, 30]


def test_the_plateau_of_a_wsd_schedule_does_not_depend_on_the_length_of_the_run():
    short, long = (warmup_stable_decay(RATE, np.arange(15), total, 5, 5) for total in (20, 2000))
    assert short == pytest.approx(long, rel=0)
    assert warmup_stable_decay(RATE, np.arange(30), 25) == pytest.approx(
        warmup_stable_decay(RATE, np.arange(30), 25, 5, 5), rel=0
    )
    assert warmup_stable_decay(RATE, 9, 10, warmup_epochs=9) == pytest.approx(RATE)


def test_joined_schedules_count_their_own_epochs():
    joined = join_schedules([lambda t: 1.0 + t, lambda t: 10.0 + t], [3])
    assert joined(np.array([0, 2, 2.5, 3, 4])).tolist() == [1, 3, 3.5, 10, 11]
    assert joined(4) == 11
    assert join_schedules([lambda t: 5.0 * np.ones_like(t)], [])(7) == 5


def test_a_joined_schedule_is_not_asked_for_epochs_that_are_not_its_own():
    def strict(t):
        assert np.all(t < 3)
        return 0 * t

    joined = join_schedules([strict, lambda t: t], [3])
    assert joined(np.array([0, 2, 50])).tolist() == [0, 0, 47]


def test_halfway_down_a_cosine():
    assert cosine_annealing(1.0, 10, 20, 0.2) == pytest.approx(0.6, rel=1e-12)
    assert cosine_annealing(1.0, 5, 20) == pytest.approx(0.5 + math.sqrt(0.125), rel=1e-12)
    assert warmup_cosine(1.0, 12, 20, 4, 0.2) == pytest.approx(0.6, rel=1e-12)


def test_the_step_falls_exactly_on_its_epoch():
    assert [step_decay(1.0, epoch, 0.1, 3) for epoch in (2, 2.999, 3, 5, 6)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_the_tops_of_one_cycle_coincide():
    steps = np.arange(100)
    rates, momenta = one_cycle(RATE, steps, 100), one_cycle_momentum(steps, 100)
    assert np.argmax(rates) == np.argmin(momenta) == 29
    assert (rates.max(), momenta.min(), momenta.max()) == pytest.approx((RATE, 0.85, 0.95), rel=1e-12)


@every_schedule
def test_an_array_of_epochs_gives_what_each_epoch_gives(schedule):
    epochs = np.arange(24).reshape(2, 12)
    rates = schedule(epochs)
    assert rates.shape == (2, 12)
    assert rates.dtype == np.float64
    assert rates == pytest.approx(np.array([[schedule(int(epoch)) for epoch in row] for row in epochs]), rel=1e-12)
    assert schedule(epochs.astype(float)) == pytest.approx(rates, rel=0)
    assert schedule([0, 1]) == pytest.approx([schedule(0), schedule(1)], rel=1e-12)


@every_schedule
@pytest.mark.parametrize("epoch", [3, 3.0, np.int64(3), np.float32(3)])
def test_one_epoch_gives_a_plain_float(schedule, epoch):
    assert type(schedule(epoch)) is float


@given(
    total=st.integers(2, 200),
    share=st.floats(0, 1),
    floor=st.floats(0, 1),
    epoch=st.floats(0, 1000),
    later=st.floats(0, 1000),
)
@settings(deadline=None, derandomize=True)
def test_rates_stay_between_the_floor_and_the_top_and_only_fall_after_the_warmup(total, share, floor, epoch, later):
    warmup = share * total
    for schedule, start in (
        (lambda t: cosine_annealing(1.0, t, total, floor), 0),
        (lambda t: warmup_cosine(1.0, t, total, warmup, floor), warmup),
        (lambda t: one_cycle(1.0, t, total, 0.9 * share), 0.9 * share * total),
    ):
        rate, next_rate = schedule(epoch), schedule(epoch + later)
        assert 0 <= rate <= 1 + 1e-12
        if epoch >= start:
            assert next_rate <= rate + 1e-12


def test_a_scheduler_under_the_articles_names_is_the_function():
    assert LearningRateScheduler.step_decay(0.1, 25) == step_decay(0.1, 25)
    assert LearningRateScheduler.exponential_decay(0.1, 25) == exponential_decay(0.1, 25)
    assert LearningRateScheduler.cosine_annealing(0.1, 25, 50) == cosine_annealing(0.1, 25, 50)
    assert LearningRateScheduler.warmup_cosine(0.1, 25, 50) == warmup_cosine(0.1, 25, 50)
    assert LearningRateScheduler().warmup_cosine(0.1, 25, total_epochs=50, warmup_epochs=5, min_lr=0) > 0


# ---------------------------------------------------------------------- nonsense

NAN, INF = math.nan, math.inf
NONSENSE = [
    (lambda: step_decay(-0.1, 1), r"initial_lr must be a number of at least 0, got -0.1"),
    (lambda: step_decay(NAN, 1), r"initial_lr must be a number of at least 0, got nan"),
    (lambda: step_decay(INF, 1), r"initial_lr must be a number of at least 0, got inf"),
    (lambda: step_decay("fast", 1), r"initial_lr must be a number of at least 0, got 'fast'"),
    (lambda: step_decay(0.1, -1), r"epoch must be a number .* of at least 0, got -1"),
    (lambda: step_decay(0.1, NAN), r"epoch must be .*, got nan"),
    (lambda: step_decay(0.1, INF), r"epoch must be .*, got inf"),
    (lambda: step_decay(0.1, "late"), r"epoch must be .*, got 'late'"),
    (lambda: step_decay(0.1, None), r"epoch must be .*, got None"),
    (lambda: step_decay(0.1, np.array([0, -1])), r"epoch must be .*, got array\(\[ 0, -1\]\)"),
    (lambda: step_decay(0.1, 1, drop_rate=0), r"drop_rate must be in \(0, 1\], got 0"),
    (lambda: step_decay(0.1, 1, drop_rate=1.1), r"drop_rate must be in \(0, 1\], got 1.1"),
    (lambda: step_decay(0.1, 1, drop_rate=NAN), r"drop_rate must be in \(0, 1\], got nan"),
    (lambda: step_decay(0.1, 1, epochs_drop=0), r"epochs_drop must be a positive number of epochs, got 0"),
    (lambda: step_decay(0.1, 1, epochs_drop=INF), r"epochs_drop must be a positive number of epochs, got inf"),
    (lambda: exponential_decay(-1, 1), r"initial_lr must be"),
    (lambda: exponential_decay(0.1, -1), r"epoch must be"),
    (lambda: exponential_decay(0.1, 1, 0), r"decay_rate must be in \(0, 1\], got 0"),
    (lambda: exponential_decay(0.1, 1, 1.5), r"decay_rate must be in \(0, 1\], got 1.5"),
    (lambda: cosine_annealing(-1, 1, 10), r"initial_lr must be"),
    (lambda: cosine_annealing(0.1, -1, 10), r"epoch must be"),
    (lambda: cosine_annealing(0.1, 1, 0), r"total_epochs must be a positive number of epochs, got 0"),
    (lambda: cosine_annealing(0.1, 1, -5), r"total_epochs must be a positive number of epochs, got -5"),
    (lambda: cosine_annealing(0.1, 1, None), r"total_epochs must be a positive number of epochs, got None"),
    (lambda: cosine_annealing(0.1, 1, 10, -0.1), r"min_lr must be in \[0, initial_lr\] = \[0, 0.1\], got -0.1"),
    (lambda: cosine_annealing(0.1, 1, 10, 0.2), r"min_lr must be in \[0, initial_lr\] = \[0, 0.1\], got 0.2"),
    (lambda: warmup_cosine(-1, 1, 10), r"initial_lr must be"),
    (lambda: warmup_cosine(0.1, -1, 10), r"epoch must be"),
    (lambda: warmup_cosine(0.1, 1, 0, 0), r"total_epochs must be a positive number of epochs, got 0"),
    (lambda: warmup_cosine(0.1, 1, 4), r"warmup_epochs must be in \[0, total_epochs\] = \[0, 4\], got 5"),
    (lambda: warmup_cosine(0.1, 1, 10, -1), r"warmup_epochs must be in .*, got -1"),
    (lambda: warmup_cosine(0.1, 1, 10, NAN), r"warmup_epochs must be in .*, got nan"),
    (lambda: warmup_cosine(0.1, 1, 10, 5, 0.2), r"min_lr must be in .*, got 0.2"),
    (lambda: one_cycle(-1, 1, 10), r"max_lr must be a number of at least 0, got -1"),
    (lambda: one_cycle(0.1, -1, 10), r"step must be a number .* of at least 0, got -1"),
    (lambda: one_cycle(0.1, 1, 1), r"total_steps must be a number of at least 2, got 1"),
    (lambda: one_cycle(0.1, 1, 10, 1.0), r"warmup_fraction must be in \[0, 1\), got 1.0"),
    (lambda: one_cycle(0.1, 1, 10, -0.1), r"warmup_fraction must be in \[0, 1\), got -0.1"),
    (lambda: one_cycle(0.1, 1, 10, div_factor=0.5), r"div_factor must be a number of at least 1, got 0.5"),
    (lambda: one_cycle(0.1, 1, 10, final_div_factor=0), r"final_div_factor must be a number of at least 1, got 0"),
    (lambda: one_cycle_momentum(-1, 10), r"step must be"),
    (lambda: one_cycle_momentum(1, 0), r"total_steps must be a number of at least 2, got 0"),
    (lambda: one_cycle_momentum(1, 10, max_momentum=1.0), r"max_momentum must be in \[0, 1\), got 1.0"),
    (lambda: one_cycle_momentum(1, 10, base_momentum=0.96), r"base_momentum must be in \[0, 0.95\], got 0.96"),
    (lambda: one_cycle_momentum(1, 10, base_momentum=-0.1), r"base_momentum must be in \[0, 0.95\], got -0.1"),
    (lambda: warm_restarts(-1, 1, 10), r"initial_lr must be"),
    (lambda: warm_restarts(0.1, -1, 10), r"epoch must be"),
    (lambda: warm_restarts(0.1, 1, 0), r"period must be a positive number of epochs, got 0"),
    (lambda: warm_restarts(0.1, 1, 10, 0.5), r"growth must be a number of at least 1, got 0.5"),
    (lambda: warm_restarts(0.1, 1, 10, 1, 0.2), r"min_lr must be in .*, got 0.2"),
    (lambda: warmup_stable_decay(-1, 1, 10), r"initial_lr must be"),
    (lambda: warmup_stable_decay(0.1, -1, 10), r"epoch must be"),
    (lambda: warmup_stable_decay(0.1, 1, 0), r"total_epochs must be a positive number of epochs, got 0"),
    (lambda: warmup_stable_decay(0.1, 1, 4), r"warmup_epochs must be in .* = \[0, 4\], got 5"),
    (lambda: warmup_stable_decay(0.1, 1, 10, 5, 6), r"decay_epochs must be in .* = \[0, 5\], got 6"),
    (lambda: warmup_stable_decay(0.1, 1, 10, 5, -1), r"decay_epochs must be in .*, got -1"),
    (lambda: warmup_stable_decay(0.1, 1, 10, 5, 2, 0.2), r"min_lr must be in .*, got 0.2"),
    (lambda: join_schedules([], []), r"boundaries must be one fewer than the 0 schedules"),
    (lambda: join_schedules([abs, abs], []), r"boundaries must be one fewer than the 2 schedules, got \[\]"),
    (lambda: join_schedules([abs, abs], [0]), r"boundaries must be positive and rising, got \[0.0\]"),
    (lambda: join_schedules([abs, abs, abs], [5, 5]), r"boundaries must be positive and rising, got \[5.0, 5.0\]"),
    (lambda: join_schedules([abs, abs], [NAN]), r"boundaries must be positive and rising, got \[nan\]"),
    (lambda: join_schedules([abs, abs], [3])(-1), r"epoch must be"),
]


@pytest.mark.parametrize(("call", "message"), NONSENSE, ids=[message for _, message in NONSENSE])
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""What `update` promises of every optimizer: in place, its own state, every dtype and layout, block by block."""

from __future__ import annotations

import copy
import inspect
import pickle
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import numpy as np
import pytest

from optim_lib.optimizers import ADOPT, SGD, SOAP, Adam, AdamW, MomentumSGD, Optimizer, Prodigy, base
from tests.library.table import (
    ELEMENTWISE,
    INDEPENDENT,
    OPTIMIZERS,
    TABLE,
    assert_same,
    copied,
    gradients,
    label,
    parameters,
    snapshot,
    walk,
)

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)


# ---------------------------------------------------------------------- in place


@every_optimizer
def test_update_changes_the_callers_arrays_and_returns_the_callers_dictionary(optimizer):
    params = parameters()
    before, arrays, grads = copied(params), dict(params), gradients(4)[3]
    moving = optimizer(learning_rate=0.1)
    if optimizer in (ADOPT, SOAP):  # no step is taken with the first gradient
        moving.update(params, gradients(5)[4])
    returned = moving.update(params, grads)
    assert returned is params
    for name, array in arrays.items():
        assert params[name] is array
        assert array.size == 0 or np.any(array != before[name])


@every_optimizer
def test_update_leaves_the_gradients_alone(optimizer):
    grads = gradients(1)[0]
    before = copied(grads)
    optimizer().update(parameters(), grads)
    assert_same(grads, before)


@every_optimizer
def test_the_order_of_the_names_does_not_matter(optimizer):
    sequence = gradients(5)
    backward = [dict(reversed(grads.items())) for grads in sequence]
    assert_same(walk(optimizer(), parameters(), sequence), walk(optimizer(), parameters(), backward))


@every_optimizer
def test_a_gradient_in_the_memory_of_a_parameter_is_read_before_the_step(optimizer):
    """The gradient of |w|^2 / 2 is w itself, and that of x * y is (y, x): no step may see a half-updated one."""
    start = {"x": np.array([1.0, 2.0]), "y": np.array([3.0, -1.0])}
    aliased, apart = copied(start), copied(start)
    one, other = optimizer(learning_rate=0.1), optimizer(learning_rate=0.1)
    for _ in range(3):
        one.update(aliased, {"x": aliased["y"][::-1], "y": aliased["x"]})
        other.update(apart, {"x": apart["y"][::-1].copy(), "y": apart["x"].copy()})
        one.update(aliased, aliased)
        other.update(apart, copied(apart))
    assert_same(aliased, apart)


@every_optimizer
def test_an_array_under_two_names_takes_both_steps(optimizer):
    """Not an error, and not shared: each name has its own gradient and its own state."""
    tied = np.array([1.0, 2.0])
    both = optimizer(learning_rate=0.1)
    both.update({"a": tied, "b": tied}, {"a": np.ones(2), "b": np.ones(2)})
    in_turn = {"a": np.array([1.0, 2.0])}
    for _ in range(2):
        optimizer(learning_rate=0.1).update(in_turn, {"a": np.ones(2)})
    assert_same(tied, in_turn["a"])


@every_optimizer
def test_no_parameters_is_no_step(optimizer):
    nothing = optimizer()
    assert nothing.update({}, {}) == {}
    assert nothing.state == {}


# ---------------------------------------------------------------------- state


@every_optimizer
@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda saved: pickle.loads(pickle.dumps(saved))], ids=["copy", "pickle"]
)
def test_a_saved_state_resumes_bit_for_bit(optimizer, through):
    setting = next(row for row in TABLE if row.optimizer is optimizer).settings[-1]
    sequence = gradients(20)
    whole = walk(optimizer(**setting), parameters(), sequence)
    first = optimizer(**setting)
    params = walk(first, parameters(), sequence[:7])
    saved = through(first.state_dict())
    walk(first, copied(params), sequence[7:])  # what happens to the first afterwards is not in the saved state
    second = optimizer()
    second.load_state_dict(saved)
    assert_same(walk(second, params, sequence[7:]), whole)


@every_optimizer
def test_a_state_survives_a_file_of_arrays(optimizer, tmp_path):
    """`numpy.savez` turns every number into a zero-dimensional array; loading takes that back."""
    sequence = gradients(9)
    first = optimizer()
    params = walk(first, parameters(), sequence[:4])
    saved = first.state_dict()
    flat = {f"state/{name}/{slot}": value for name, slots in saved["state"].items() for slot, value in slots.items()}
    flat |= {f"hyperparameters/{name}": value for name, value in saved["hyperparameters"].items()}
    np.savez(tmp_path / "state.npz", optimizer=saved["optimizer"], **flat)
    loaded = {"hyperparameters": {}, "state": {name: {} for name in saved["state"]}}
    with np.load(tmp_path / "state.npz") as file:
        for key in file.files:
            part, *path = key.split("/")
            if part == "state":
                loaded["state"][path[0]][path[1]] = file[key]
            else:
                loaded.update({part: file[key]}) if not path else loaded[part].update({path[0]: file[key]})
    second = optimizer()
    second.load_state_dict(loaded)
    assert_same(snapshot(second), snapshot(first))
    assert_same(walk(second, copied(params), sequence[4:]), walk(first, copied(params), sequence[4:]))


@every_optimizer
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))], ids=["copy", "pickle"]
)
def test_an_optimizer_can_be_copied_and_pickled_with_its_state(optimizer, duplicate):
    sequence = gradients(8)
    first = optimizer(learning_rate=0.1)
    params = walk(first, parameters(), sequence[:4])
    second = duplicate(first)
    assert_same(snapshot(second), snapshot(first))
    assert_same(walk(second, copied(params), sequence[4:]), walk(first, copied(params), sequence[4:]))


@every_optimizer
def test_reset_forgets_the_state_and_keeps_the_hyperparameters(optimizer):
    sequence = gradients(6)
    used = optimizer(learning_rate=0.07)
    walk(used, parameters(), sequence)
    used.reset()
    assert used.state == {}
    assert used.learning_rate == 0.07
    assert_same(walk(used, parameters(), sequence), walk(optimizer(learning_rate=0.07), parameters(), sequence))


@every_optimizer
def test_a_rate_changed_in_mid_run_acts_from_that_step_on(optimizer):
    """As a new optimizer with the new rate does, that goes on with the old one's state."""
    sequence = gradients(12)
    used = optimizer(learning_rate=0.02)
    params = walk(used, parameters(), sequence[:6])
    fresh, other = optimizer(), copied(params)
    fresh.load_state_dict(used.state_dict())
    fresh.learning_rate = used.learning_rate = 0.05
    assert_same(walk(used, params, sequence[6:]), walk(fresh, other, sequence[6:]))
    whole = walk(optimizer(learning_rate=0.02), parameters(), sequence)
    assert any(np.any(whole[name] != array) for name, array in params.items())


@pytest.mark.parametrize("optimizer", INDEPENDENT, ids=label)
def test_a_late_parameter_counts_its_own_steps(optimizer):
    """Seen first at step 1001 it takes the same first step as at step 1; the article's shared t makes it 2.5 times."""
    used, early, late = optimizer(learning_rate=0.1), {"a": np.ones(3)}, np.array([1.0, -2.0])
    for _ in range(1000):
        used.update(early, {"a": np.full(3, 1e-3)})
    used.update(early | {"late": late}, {"a": np.ones(3), "late": np.array([3.0, 0.5])})
    alone = optimizer(learning_rate=0.1).update({"late": np.array([1.0, -2.0])}, {"late": np.array([3.0, 0.5])})
    assert_same(late, alone["late"])
    assert (used.state["a"].t, used.state["late"].t) == (1001, 1)


@pytest.mark.parametrize("optimizer", INDEPENDENT, ids=label)
def test_a_parameter_that_pauses_goes_on_where_it_was(optimizer):
    sequence = gradients(6)
    pausing, whole = optimizer(), optimizer()
    params, other = parameters(), parameters()
    matrix = {"matrix": params["matrix"]}
    for grads in sequence[:3]:
        pausing.update(params, grads)
        whole.update(other, grads)
    without = {name: array for name, array in params.items() if name != "matrix"}
    for grads in sequence[3:]:
        pausing.update(without, {name: grads[name] for name in without})
    for grads in sequence[3:]:
        pausing.update(matrix, {"matrix": grads["matrix"]})
        whole.update(other, grads)
    assert_same(params, other)


# ---------------------------------------------------------------------- dtypes


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble], ids=label)
def test_parameters_and_state_keep_their_dtype(optimizer, dtype):
    """Whatever the gradients and the hyperparameters are numbers of."""
    fields = {name: getattr(optimizer, name) for name in optimizer.hyperparameters()}
    for number in (float, np.float64, np.float32):
        params = parameters(dtype=dtype)
        used = optimizer(**{name: number(0.5) for name, field in fields.items() if field.sweeps})
        walk(used, params, [gradients(1, dtype=kind)[0] for kind in (np.float16, np.int64, np.float64)])
        assert {array.dtype for array in params.values()} == {np.dtype(dtype)}
        for state in used.state.values():
            assert all(array.dtype == dtype for array in state.arrays().values())


@every_optimizer
def test_a_gradient_of_another_dtype_is_cast_to_its_parameters(optimizer):
    """Float64 gradients for float32 parameters: the same numbers as with the gradients cast first."""
    sequence = gradients(10)
    cast = [{name: array.astype(np.float32) for name, array in grads.items()} for grads in sequence]
    given, expected = parameters(dtype=np.float32), parameters(dtype=np.float32)
    assert_same(walk(optimizer(), given, sequence), walk(optimizer(), expected, cast))


@every_optimizer
def test_a_list_of_numbers_will_do_as_a_gradient(optimizer):
    listed = optimizer().update({"w": np.ones(2)}, {"w": [1, 2]})
    assert_same(listed, optimizer().update({"w": np.ones(2)}, {"w": np.array([1.0, 2.0])}))


@every_optimizer
def test_float32_follows_float64_to_its_own_precision(optimizer):
    # Prodigy's rate grows with these gradients, which are not of a loss: a few steps are enough.
    sequence = gradients(10 if optimizer is Prodigy else 50)
    single = walk(optimizer(), parameters(dtype=np.float32), sequence)
    for name, double in walk(optimizer(), parameters(), sequence).items():
        assert np.allclose(single[name], double, rtol=1e-4, atol=1e-4)


# ---------------------------------------------------------------------- a NaN


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=label)
def test_one_nan_gradient_spoils_its_coordinate_for_good_and_no_other(optimizer):
    used, clean = optimizer(), optimizer()
    params, expected = {"w": np.ones(3)}, {"w": np.ones(3)}
    used.update(params, {"w": np.array([1.0, np.nan, 2.0])})
    clean.update(expected, {"w": np.array([1.0, 5.0, 2.0])})
    for _ in range(3):
        used.update(params, {"w": np.ones(3)})
        clean.update(expected, {"w": np.ones(3)})
    assert np.isnan(params["w"][1])
    assert_same(params["w"][[0, 2]], expected["w"][[0, 2]])
    for slot, array in used.state["w"].arrays().items():
        assert np.isnan(array).tolist() == ([False, True, False] if slot in optimizer.slots else [False])


@every_optimizer
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_one_nan_gradient_spoils_no_other_layer(optimizer, shape):
    used, clean = optimizer(), optimizer()
    params, expected = {"sick": np.ones(shape), "well": np.ones(shape)}, {"well": np.ones(shape)}
    for step in range(3):
        grad = np.random.default_rng(step).standard_normal(shape)
        sick = grad.copy()
        sick[1] = np.nan if step == 1 else sick[1]  # not the first, with which SOAP takes no step
        used.update(params, {"sick": sick, "well": grad})
        clean.update(expected, {"well": grad})
    assert np.isnan(params["sick"]).any()
    if optimizer.independent:
        assert_same(params["well"], expected["well"])
    assert np.isfinite(params["well"]).all()


@every_optimizer
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_check_finite_refuses_a_gradient_that_is_not_finite_before_anything_moves(optimizer, bad):
    used = optimizer()
    used.check_finite = True
    params = {"a": np.ones(2), "b": np.ones(2)}
    used.update(params, {"a": np.ones(2), "b": np.ones(2)})
    before, state = copied(params), snapshot(used)
    with pytest.raises(ValueError, match=r"grads\['b'\] must be finite \(check_finite is on\)"):
        used.update(params, {"a": np.ones(2), "b": np.array([1.0, bad])})
    assert_same(params, before)
    assert_same(snapshot(used), state)


# ---------------------------------------------------------------------- memory: blocks and layouts


def every_other_column(array):
    wide = np.zeros((array.shape[0], 2 * array.shape[1]), array.dtype)
    wide[:, ::2] = array
    return wide[:, ::2]


def at_an_odd_address(array):
    there = np.frombuffer(bytearray(array.nbytes + 2), array.dtype, offset=2).reshape(array.shape)
    there[...] = array
    return there


def in_a_file(array):
    with tempfile.TemporaryFile() as file:
        file.truncate(array.nbytes + 10)
        there = np.memmap(file, array.dtype, "r+", offset=10, shape=array.shape)
    there[...] = array
    return there


LAYOUTS = {
    "in Fortran's order": np.asfortranarray,
    "every other column": every_other_column,
    "backward": lambda array: array[::-1].copy()[::-1],
    "at an odd address": at_an_odd_address,
    "in a file": in_a_file,
    "with its bytes swapped": lambda array: array.astype(array.dtype.newbyteorder()),
    "a matrix of NumPy's own kind": lambda array: array.copy().view(np.matrix),
}


def large(optimizer):
    """A start and two gradients: more than a block, or, for a rule that is not cut up, as many as BLAS threads for."""
    shape, dtype = ((400, 1400), np.float32) if optimizer.elementwise else ((210, 200), np.float64)
    start, *sequence = np.random.default_rng(0).standard_normal((3, *shape)).astype(dtype)
    assert start.size >= 40_000
    assert not optimizer.elementwise or start.nbytes * (2 + len(optimizer.slots)) > base.BLOCK_BYTES
    return start, sequence


@every_optimizer
def test_the_same_numbers_give_the_same_bits_however_they_lie(optimizer):
    start, sequence = large(optimizer)
    expected = walk(optimizer(learning_rate=0.1), {"w": start.copy()}, [{"w": grad} for grad in sequence])["w"]
    for how, (name, layout) in enumerate(LAYOUTS.items()):
        other = list(LAYOUTS.values())[how - 1]
        there, used = layout(start), optimizer(learning_rate=0.1)
        walk(used, {"w": there}, [{"w": other(grad)} for grad in sequence])
        assert np.array_equal(there, expected), name


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=label)
def test_the_same_numbers_give_the_same_bits_however_they_are_cut_up(optimizer):
    start, sequence = large(optimizer)
    whole = walk(optimizer(learning_rate=0.1), {"w": start.copy()}, [{"w": grad} for grad in sequence])["w"]

    def cut(array):
        return dict(enumerate(np.split(array.reshape(-1), [1, 10, 33_000, 140_001, 141_000])))

    parts = walk(optimizer(learning_rate=0.1), copied(cut(start)), [cut(grad) for grad in sequence])
    assert np.array_equal(np.concatenate(list(parts.values())), whole.reshape(-1))


def test_a_large_parameter_at_an_odd_address_is_updated():
    """BLAS, used for it once, does not step such an array, and says nothing."""
    for size in (32_767, 32_768, 40_000):
        theta = at_an_odd_address(np.ones((1, size)))
        assert np.all(SGD(learning_rate=0.1).update({"w": theta}, {"w": np.ones((1, size))})["w"] == 0.9)


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=label)
def test_a_state_of_another_layout_is_still_updated(optimizer, monkeypatch):
    """The state was made for a Fortran-ordered array, and the parameter then replaced by a C-ordered one."""
    monkeypatch.setattr(base, "BLOCK_BYTES", 1000)
    rng = np.random.default_rng(0)
    start, grad = rng.standard_normal((20, 30)), rng.standard_normal((20, 30))
    used, plain = optimizer(), optimizer()
    first = used.update({"w": np.asfortranarray(start)}, {"w": np.asfortranarray(grad)})
    second = {"w": np.ascontiguousarray(first["w"])}
    expected = {"w": start.copy()}
    plain.update(expected, {"w": grad})
    for _ in range(2):
        used.update(second, {"w": grad})
        plain.update(expected, {"w": grad})
    assert_same(second["w"], expected["w"])


@every_optimizer
@pytest.mark.parametrize(
    ("size", "blocks"), [(49, [49]), (50, [50]), (51, [50, 1]), (100, [50, 50]), (101, [50, 50, 1])]
)
def test_block_by_block_is_the_whole(optimizer, size, blocks, monkeypatch):
    rng = np.random.default_rng(0)
    start, sequence = rng.standard_normal(size), [{"w": grad} for grad in rng.standard_normal((3, size))]
    whole = walk(optimizer(), {"w": start.copy()}, sequence)
    monkeypatch.setattr(base, "BLOCK_BYTES", 50 * 8 * (2 + len(optimizer.slots)))
    rule, seen = optimizer.step, []

    def step(self, theta, grad, state):
        seen.append(theta.size)
        rule(self, theta, grad, state)

    monkeypatch.setattr(optimizer, "step", step)
    assert_same(walk(optimizer(), {"w": start.copy()}, sequence), whole)
    assert seen == 3 * (blocks if optimizer.elementwise else [size])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is the allocator of glibc that is looked at")
@pytest.mark.parametrize("optimizer", ["Adam", "LAMB"])
def test_a_step_asks_the_system_for_no_memory(optimizer):
    """In a process of its own, since what was freed before decides; LAMB's arrays are as large as the parameter."""
    program = f"""
import resource
import numpy as np
from optim_lib.optimizers import {optimizer}
params, grads = {{"w": np.ones(1_000_000, np.float32)}}, {{"w": np.ones(1_000_000, np.float32)}}
optimizer = {optimizer}()
for step in range(12):
    if step == 4:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    optimizer.update(params, grads)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 100  # pages; one array of the parameter's size has 977


# ---------------------------------------------------------------------- hyperparameters as arrays


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=label)
def test_an_array_of_learning_rates_is_a_run_for_each(optimizer, dtype):
    rates = np.array([0.001, 0.1, 1.0])
    sequence = [np.asarray(np.random.default_rng(k).standard_normal((4, 2)), dtype) for k in range(5)]
    together = optimizer(learning_rate=rates[:, None, None])
    together.sweep_axes = 1
    params = {"w": np.ones((3, 4, 2), dtype)}
    for grad in sequence:
        together.update(params, {"w": np.broadcast_to(grad, (3, 4, 2))})
    assert params["w"].dtype == dtype
    assert all(array.dtype == dtype for array in together.state["w"].arrays().values())
    for rate, swept in zip(rates, params["w"], strict=True):
        alone = walk(optimizer(learning_rate=rate), {"w": np.ones((4, 2), dtype)}, [{"w": grad} for grad in sequence])
        np.testing.assert_allclose(swept, alone["w"], rtol=1e-12 if dtype is np.float64 else 1e-6)


def test_an_array_of_rates_is_the_optimizers_own_copy():
    rates = np.array([0.1, 0.2])
    optimizer = SGD(learning_rate=rates)
    rates[:] = 9
    assert optimizer.learning_rate.tolist() == [0.1, 0.2]


@every_optimizer
def test_a_swept_state_resumes_bit_for_bit(optimizer):
    first, second = optimizer(learning_rate=np.array([[0.01], [0.1]])), optimizer()
    first.sweep_axes = second.sweep_axes = 1
    params = {"w": np.ones((2, 3))}
    first.update(params, {"w": np.full((2, 3), 2.0)})
    second.load_state_dict(first.state_dict())
    assert_same(
        second.update(copied(params), {"w": np.ones((2, 3))}), first.update(copied(params), {"w": np.ones((2, 3))})
    )


# ---------------------------------------------------------------------- subclasses


def test_a_subclass_takes_its_parents_hyperparameters_and_its_own():
    class Clipped(Adam):
        clip = base.Hyperparameter(1.0)

        def step(self, theta, grad, state):
            super().step(theta, np.clip(grad, -self.clip, self.clip), state)

    assert Clipped.hyperparameters() == ["learning_rate", "beta1", "beta2", "epsilon", "clip"]
    clipped = Clipped(0.1, clip=0.5)
    assert repr(clipped) == "Clipped(learning_rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-08, clip=0.5)"
    grads = [{"w": np.array([3.0, 0.1])}, {"w": np.array([-0.2, 0.1])}]
    bounded = [{"w": np.array([0.5, 0.1])}, {"w": np.array([-0.2, 0.1])}]
    assert_same(walk(clipped, {"w": np.ones(2)}, grads), walk(Adam(0.1), {"w": np.ones(2)}, bounded))


def test_a_subclass_may_have_a_constructor_and_attributes_of_its_own():
    class Counting(MomentumSGD):
        def __init__(self, rate):
            self.learning_rate = rate
            self.calls = 0

        def step(self, theta, grad, state):
            self.calls += 1
            super().step(theta, grad, state)

    counting = Counting(0.25)
    assert counting.update({"w": np.ones(1)}, {"w": np.ones(1)})["w"].tolist() == [0.75]
    assert counting.calls == 1
    assert repr(counting) == "Counting(learning_rate=0.25, momentum=0.9, dampening=0.0, weight_decay=0.0)"


SIZES = (3, 1_500_000)  # the larger is stepped in blocks, if it may be


class Assigning(Optimizer):
    """A rule that assigns to its state, as its equation is written."""

    learning_rate: float = base.Hyperparameter(default=0.1)
    slots = ("m",)
    elementwise = True

    def step(self, theta, grad, state):
        state.m = 0.9 * state.m + grad
        theta -= self.learning_rate * state.m


class Normed(Adam):
    """A rule with a norm that does not say so: it has a `step` of its own, so that Adam's word does not count."""

    def step(self, theta, grad, state):
        super().step(theta, grad / np.sqrt(np.mean(grad**2)), state)


class NormedBefore:
    """The same for any rule, and no optimizer itself."""

    def step(self, theta, grad, state):
        super().step(theta, grad / np.sqrt(np.mean(grad**2)), state)


@pytest.mark.parametrize("size", SIZES)
def test_a_rule_may_assign_to_its_state_at_any_size(size):
    used, params = Assigning(), {"w": np.ones(size)}
    for _ in range(3):
        used.update(params, {"w": np.ones(size)})
    assert params["w"] == pytest.approx(0.439)
    assert used.state["w"].m == pytest.approx(2.71)
    assert used.state["w"].m.dtype == np.float64


@pytest.mark.parametrize("rule", [Normed, type("NormedSGD", (NormedBefore, SGD), {})], ids=label)
def test_a_rule_with_a_norm_is_never_cut_up_unawares(rule):
    grad = np.linspace(-1, 1, SIZES[1])
    ours, theirs = {"w": np.zeros(SIZES[1])}, {"w": np.zeros(SIZES[1])}
    rule().update(ours, {"w": grad})
    rule.__mro__[-4 if rule is not Normed else 1]().update(theirs, {"w": grad / np.sqrt(np.mean(grad**2))})
    assert not rule.elementwise
    assert_same(ours, theirs)


def rule_of(body, **attributes):
    def step(self, theta, grad, state):
        return body(theta, state)

    return type("Mine", (Optimizer,), {"slots": ("m",), "numbers": ("n",), "step": step, **attributes})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("elementwise", [True, False])
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (lambda theta, state: theta - 1, TypeError, "Mine.step must change theta in place and return nothing"),
        (lambda theta, state: vars(state).update(u=1), ValueError, "Mine.step must name .* slots or numbers.*state.u"),
        (lambda theta, state: vars(state).update(t=9), ValueError, "Mine.step must leave state.t alone: update counts"),
        (lambda theta, state: vars(state).update(m=0.0), ValueError, r"Mine.step must give state.m the shape \(\d+,\)"),
    ],
    ids=["returns", "a new name", "counts", "another shape"],
)
def test_what_a_rule_may_not_do_it_may_not_at_any_size(size, elementwise, body, error, message):
    with pytest.raises(error, match=message):
        rule_of(body, elementwise=elementwise)().update({"w": np.ones(size)}, {"w": np.ones(size)})


class Renaming(Optimizer):
    learning_rate: float = base.Hyperparameter(default=0.1)
    elementwise = True

    def step(self, theta, grad, state):
        theta = theta - self.learning_rate * grad


class ThroughAView(Renaming):
    elementwise = True

    def step(self, theta, grad, state):
        theta = theta.reshape(-1)
        theta -= self.learning_rate * grad.reshape(-1)


class ChangingTheGradient(Renaming):
    elementwise = True

    def step(self, theta, grad, state):
        grad *= 2
        theta -= self.learning_rate * grad


@pytest.mark.parametrize("size", SIZES)
def test_a_rule_that_steps_an_array_of_its_own_is_refused(size):
    with pytest.raises(TypeError, match=r"Renaming.step must change theta in place, as theta -= \.\.\. or"):
        Renaming().update({"w": np.ones(size)}, {"w": np.ones(size)})
    assert np.all(ThroughAView().update({"w": np.ones(size)}, {"w": np.ones(size)})["w"] == 0.9)


@pytest.mark.parametrize("size", SIZES)
def test_the_callers_gradient_stays_what_it_is(size):
    grads = {"w": np.ones(size)}
    with pytest.raises(ValueError, match=r"ChangingTheGradient\.step must not change grad, which is the caller's"):
        ChangingTheGradient().update({"w": np.ones(size)}, grads)
    assert np.all(grads["w"] == 1)


def test_parameters_that_lie_between_one_another_are_no_fault():
    weights = np.ones(6)
    params = {"even": weights[::2], "odd": weights[1::2]}
    SGD(0.5).update(params, {"even": np.ones(3), "odd": np.zeros(3)})
    assert weights.tolist() == [0.5, 1, 0.5, 1, 0.5, 1]


@pytest.mark.parametrize("size", SIZES)
def test_a_number_of_a_rule_that_is_cut_up_changes_in_advance(size):
    """In `step` it would change once for each block."""
    assigning = rule_of(lambda theta, state: vars(state).update(n=state.n + 1), elementwise=True)
    with pytest.raises(ValueError, match=r"Mine\.step must not change state\.n: numbers change in advance"):
        assigning().update({"w": np.ones(size)}, {"w": np.ones(size)})
    in_place = rule_of(lambda theta, state: np.add(state.n, 1, out=state.n) and None, elementwise=True)
    with pytest.raises(ValueError, match="must not change grad, which is the caller's, nor what advance changes"):
        in_place().update({"w": np.ones(size)}, {"w": np.ones(size)})
    advancing = rule_of(
        lambda theta, state: np.subtract(theta, state.n, out=theta) is None or None,
        elementwise=True,
        advance=lambda self, state: setattr(state, "n", state.n + 1),
    )
    assert np.all(advancing().update({"w": np.ones(size)}, {"w": np.ones(size)})["w"] == 0)


def test_a_penalty_is_added_to_the_gradient_and_a_decay_of_the_same_name_takes_its_place():
    """Also in blocks; and a subclass that has a weight decay of its own does not get two."""

    class Decayed(SGD):
        weight_decay: float = base.Hyperparameter(default=0.5)

        def step(self, theta, grad, state):
            theta *= 1 - self.learning_rate * self.weight_decay
            super().step(theta, grad, state)

    for size in SIZES:
        for make in (SGD, Decayed):
            stepped = make(learning_rate=0.5, weight_decay=0.5).update({"w": np.ones(size)}, {"w": np.ones(size)})
            assert np.all(stepped["w"] == 1 - 0.5 * 1.5)


def test_a_subclass_may_be_a_dataclass():
    @dataclass
    class Decaying(SGD):
        learning_rate: float = base.Hyperparameter(default=0.5)
        power: float = 1.0

        def step(self, theta, grad, state):
            theta -= self.learning_rate / state.t**self.power * grad

    assert list(inspect.signature(Decaying).parameters) == ["learning_rate", "power"]
    assert Decaying().learning_rate == 0.5
    params = walk(Decaying(power=0.0), {"w": np.ones(1)}, [{"w": np.ones(1)}] * 2)
    assert params["w"].tolist() == [0.0]
    with pytest.raises(ValueError, match="Decaying: learning_rate must be"):
        Decaying(learning_rate=-1)
    first, second = Decaying(power=0.0), Decaying()
    second.load_state_dict(first.state_dict())
    assert second.power == 0.0


def test_what_a_subclass_keeps_in_attributes_of_its_own_is_saved_too():
    class Counting(SGD):
        def __init__(self, rate=0.5):
            self.learning_rate, self.calls, self.seen = rate, 0, {}

        def step(self, theta, grad, state):
            self.calls += 1
            self.seen[self.calls] = theta.copy()
            super().step(theta, grad, state)

    first, second = Counting(), Counting(0.25)
    first.update({"w": np.ones(2)}, {"w": np.ones(2)})
    second.load_state_dict(first.state_dict())
    assert (second.calls, second.learning_rate) == (1, 0.5)
    assert_same(second.seen, first.seen)
    first.seen[1][:] = 9
    assert second.seen[1].tolist() == [1.0, 1.0]


def test_an_optimizer_without_a_rule_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Optimizer()


def test_two_optimizers_share_nothing():
    one, other = AdamW(), AdamW()
    one.update({"w": np.ones(2)}, {"w": np.ones(2)})
    assert other.state == {}

"""What `update` promises of every optimizer: in place, its own state, every dtype and layout, block by block."""

from __future__ import annotations

import copy
import pickle
import platform
import subprocess
import sys

import numpy as np
import pytest

from optim_lib.optimizers import SGD, SOAP, Adam, AdamW, MomentumSGD, Optimizer, Prodigy, Shampoo, base
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
    if optimizer is SOAP:  # no step is taken with the first gradient
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


def in_layout(layout, array):
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    if layout == "strided":
        wide = np.zeros((array.shape[0], 2 * array.shape[1]), array.dtype)
        wide[:, ::2] = array
        return wide[:, ::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    return array.copy()


@every_optimizer
@pytest.mark.parametrize("grad_layout", ["C", "Fortran", "strided"])
@pytest.mark.parametrize("layout", ["C", "Fortran", "transposed", "strided", "reversed"])
def test_the_layout_in_memory_does_not_matter(optimizer, layout, grad_layout, monkeypatch):
    monkeypatch.setattr(base, "BLOCK_BYTES", 1000)
    rng = np.random.default_rng(0)
    start, sequence = rng.standard_normal((20, 30)), rng.standard_normal((4, 20, 30))
    params, expected = {"w": in_layout(layout, start)}, {"w": start.copy()}
    used, plain = optimizer(learning_rate=0.1), optimizer(learning_rate=0.1)
    for grad in sequence:
        used.update(params, {"w": in_layout(grad_layout, grad)})
        plain.update(expected, {"w": grad})
    # A norm and a product of matrices add up in another order; eigenvectors enlarge that.
    tolerance = 0 if optimizer.elementwise else 1e-9 if optimizer in (Shampoo, SOAP) else 1e-13
    np.testing.assert_allclose(params["w"], expected["w"], rtol=tolerance, atol=tolerance)


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


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=label)
def test_a_parameter_larger_than_the_real_block_is_stepped_whole(optimizer):
    size = base.BLOCK_BYTES // (4 * (2 + len(optimizer.slots))) + 7
    rng = np.random.default_rng(0)
    start, grad = rng.standard_normal(size, dtype=np.float32), rng.standard_normal(size, dtype=np.float32)
    large, halves = {"w": start.copy()}, {"a": start[:100].copy(), "b": start[100:].copy()}
    one, two = optimizer(), optimizer()
    for _ in range(2):
        one.update(large, {"w": grad})
        two.update(halves, {"a": grad[:100], "b": grad[100:]})
    assert_same(large["w"], np.concatenate([halves["a"], halves["b"]]))


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
    assert repr(counting) == "Counting(learning_rate=0.25, momentum=0.9)"


def test_an_optimizer_without_a_rule_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Optimizer()


def test_two_optimizers_share_nothing():
    one, other = AdamW(), AdamW()
    one.update({"w": np.ones(2)}, {"w": np.ones(2)})
    assert other.state == {}

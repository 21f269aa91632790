"""The pieces around an optimizer: each does what its peer does, and together they keep the promises of an optimizer."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import pickle

import jax
import numpy as np
import optax
import pytest
import torch

from optim_lib.descent import sweep
from optim_lib.landscapes import rosenbrock
from optim_lib.optimizers import (
    SGD,
    SOAP,
    Adam,
    AdamW,
    GradientAccumulator,
    Lookahead,
    MomentumSGD,
    Muon,
    ParameterGroups,
    ScheduleFreeSGD,
    WeightAverage,
    clip_by_global_norm,
    clip_by_value,
    global_norm,
    is_vector,
)
from optim_lib.schedules import step_decay
from tests.library.student import NewDictionarySGD, StudentAdam
from tests.library.table import assert_agree, assert_same, copied, gradients, parameters, walk
from tests.library.test_agreement import torch_walk

WRAPPED = {
    "Lookahead": lambda: Lookahead(Adam(learning_rate=0.1), k=3),
    "Lookahead of a student's": lambda: Lookahead(StudentAdam(learning_rate=0.1), k=3, alpha=0.8),
    "Lookahead of Lookahead": lambda: Lookahead(Lookahead(MomentumSGD(), k=2), k=3),
    "groups": lambda: ParameterGroups({"b*": Adam(0.1), is_vector: SGD(0.1), "*": MomentumSGD(0.1)}),
    "groups of many kinds": lambda: ParameterGroups(
        {is_vector: StudentAdam(0.1), "k*": Lookahead(SOAP(0.1)), "*": Muon(0.1)}
    ),
}
wrapped = pytest.mark.parametrize("make", WRAPPED.values(), ids=WRAPPED)


# ---------------------------------------------------------------------- the promises of an optimizer


@wrapped
def test_a_step_is_in_place_and_returns_the_callers_dictionary(make):
    params = parameters()
    before, arrays = copied(params), dict(params)
    optimizer = make()
    optimizer.update(params, gradients(5)[4])  # the first, with which SOAP takes no step
    assert optimizer.update(params, gradients(5)[4]) is params
    for name, array in arrays.items():
        assert params[name] is array
        assert array.size == 0 or np.any(array != before[name])


@wrapped
@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda saved: pickle.loads(pickle.dumps(saved))], ids=["copy", "pickle"]
)
def test_a_saved_state_resumes_bit_for_bit(make, through):
    sequence = gradients(20)
    whole = walk(make(), parameters(), sequence)
    first, second = make(), make()
    params = walk(first, parameters(), sequence[:8])
    saved = through(first.state_dict())
    walk(first, copied(params), sequence[8:])
    second.load_state_dict(saved)
    assert_same(walk(second, params, sequence[8:]), whole)


@wrapped
@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda params, grads: grads.pop("matrix"), KeyError),
        (lambda params, grads: grads.update(more=np.ones(2)), KeyError),
        (lambda params, grads: grads.update(matrix=np.ones((1, 3))), ValueError),
        (lambda params, grads: params.update(kernel=np.ones((2, 3, 2, 2), int)), TypeError),
    ],
    ids=["missing", "extra", "shape", "integers"],
)
def test_a_bad_step_is_refused_and_nothing_has_changed(make, spoil, error):
    optimizer, params, grads = make(), parameters(), gradients(1)[0]
    optimizer.update(params, grads)
    before, state = copied(params), copy.deepcopy(optimizer.state_dict())
    given = dict(params)
    spoil(given, grads)
    with pytest.raises(error):
        optimizer.update(given, grads)
    assert_same(params, before)
    assert repr(optimizer.state_dict()) == repr(state)


@wrapped
def test_float32_stays_float32(make):
    params = parameters(dtype=np.float32)
    walk(make(), params, gradients(4))
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}


# ---------------------------------------------------------------------- Lookahead


def optax_lookahead(inner, k, alpha, start, sequence):
    with jax.enable_x64(True):
        peer = optax.lookahead(inner, k, alpha)
        params = optax.LookaheadParams.init_synced({name: jax.numpy.asarray(array) for name, array in start.items()})
        state = peer.init(params)

        @jax.jit
        def step(params, state, grads):
            updates, state = peer.update(grads, state, params)
            return optax.apply_updates(params, updates), state

        for grads in sequence:
            params, state = step(params, state, grads)
        return {name: np.asarray(array) for name, array in params.fast.items()}


@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (2, 0.8), (1, 0.3), (7, 1.0), (3, 0.0)])
@pytest.mark.parametrize(
    ("inner", "peer"), [(SGD(0.1), optax.sgd(0.1)), (Adam(0.05), optax.adam(0.05))], ids=["SGD", "Adam"]
)
def test_lookahead_is_that_of_optax(inner, peer, k, alpha):
    start, sequence = parameters(), gradients(101)
    ours = walk(Lookahead(inner, k, alpha), copied(start), sequence)
    assert_agree(ours, optax_lookahead(peer, k, alpha, start, sequence), start)


def test_lookahead_by_one_and_all_the_way_is_the_inner_optimizer_bit_for_bit():
    sequence = gradients(20)
    assert_same(
        walk(Lookahead(Adam(0.1), k=1, alpha=1), parameters(), sequence), walk(Adam(0.1), parameters(), sequence)
    )


def test_lookahead_works_on_a_copy_and_gives_its_rate():
    inner = MomentumSGD(0.1)
    lookahead = Lookahead(inner)
    lookahead.learning_rate = 0.3
    walk(lookahead, parameters(), gradients(2))
    assert (inner.learning_rate, inner.state, lookahead.inner.learning_rate) == (0.1, {}, 0.3)


def test_lookahead_sweeps_as_one_run():
    alphas, rates = np.array([0.0, 0.5, 1.0]), np.array([1e-4, 1e-3])
    grid = sweep(Lookahead, rosenbrock, steps=30, inner=MomentumSGD(1e-3), alpha=alphas)
    again = sweep(Lookahead, rosenbrock, steps=30, inner=MomentumSGD(1e-3), k=[1, 5], alpha=alphas, progress=False)
    both = sweep(lambda learning_rate: Lookahead(MomentumSGD(learning_rate)), rosenbrock, steps=30, learning_rate=rates)
    assert (grid.vectorized, again.vectorized, both.vectorized) == (True, False, True)
    np.testing.assert_allclose(again.points[1], grid.points, rtol=1e-12)
    np.testing.assert_allclose(both.points[1], grid.points[1], rtol=1e-12)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan])
def test_lookahead_refuses_a_share_that_is_none(alpha):
    with pytest.raises(ValueError, match=r"Lookahead: alpha must be a number \(or an array of numbers\) in \[0, 1\]"):
        Lookahead(SGD(), alpha=alpha)


def test_lookahead_refuses_what_is_no_optimizer():
    for wrong in (SGD, 3, None):
        with pytest.raises(TypeError, match="Lookahead: inner must have update"):
            Lookahead(wrong)


def test_lookahead_refuses_a_state_that_does_not_fit_and_keeps_its_own():
    used = Lookahead(Adam(0.1))
    walk(used, parameters(), gradients(2))
    before, other = copy.deepcopy(used.state_dict()), Lookahead(Adam(0.2), k=2)
    walk(other, parameters(seed=5), gradients(4))
    saved = other.state_dict()
    for wrong in (Adam().state_dict(), {**saved, "inner": SGD().state_dict()}, {**saved, "optimizer": "Adam"}, 3):
        with pytest.raises(ValueError, match="saved"):
            used.load_state_dict(wrong)
    assert repr(used.state_dict()) == repr(before)


def test_what_only_the_inner_optimizer_refuses_leaves_no_state_behind():
    strict = Lookahead(Adam(0.1))
    strict.inner.check_finite = True
    params = {"w": np.ones(2)}
    with pytest.raises(ValueError, match="must be finite"):
        strict.update(params, {"w": np.array([1.0, np.nan])})
    assert (strict.state, strict.inner.state, params["w"].tolist()) == ({}, {}, [1.0, 1.0])


# ---------------------------------------------------------------------- groups


def test_groups_are_the_parameter_groups_of_torch():
    start, sequence = parameters(), gradients(100)
    start.pop("none")
    sequence = [{name: grads[name] for name in start} for grads in sequence]
    vectors = [name for name in start if is_vector(name, start[name])]
    assert vectors == ["scalar", "bias", "one", "row"]

    def make(tensors, learning_rate):
        pairs = dict(zip(start, tensors, strict=True))
        return torch.optim.AdamW(
            [
                {"params": [pairs[name] for name in vectors], "weight_decay": 0.0},
                {"params": [pairs[name] for name in start if name not in vectors], "weight_decay": 0.5},
            ],
            lr=learning_rate,
        )

    groups = ParameterGroups({is_vector: AdamW(0.05, weight_decay=0.0), "*": AdamW(0.05, weight_decay=0.5)})
    ours = walk(groups, copied(start), sequence)
    assert_agree(ours, torch_walk(make, {"learning_rate": 0.05}, start, sequence), start)


def test_the_first_group_that_wants_a_parameter_has_it():
    params = {"W1": np.ones((2, 2)), "b1": np.ones((1, 2)), "scale": np.ones(2)}
    groups = ParameterGroups({"b*": SGD(1.0), lambda name, theta: theta.ndim == 1: SGD(2.0), "*1": SGD(3.0)})
    assert groups.members(params) == [["b1"], ["scale"], ["W1"]]
    groups.update(params, {name: np.ones_like(array) for name, array in params.items()})
    assert [array.flat[0] for array in params.values()] == [-2.0, 0.0, -1.0]


def test_a_parameter_that_no_group_wants_is_an_error_before_anything_moves():
    params = {"b": np.ones(2), "W": np.ones((2, 2))}
    with pytest.raises(KeyError, match=r"groups has no group for the parameter 'W'; a last group '\*'"):
        ParameterGroups({"b": SGD()}).update(params, copied(params))
    assert params["b"].tolist() == [1.0, 1.0]


def test_a_schedule_moves_all_rates_in_proportion():
    groups = ParameterGroups({"b": SGD(0.1), "*": Lookahead(Adam(0.02))})
    groups.learning_rate = step_decay(groups.learning_rate, 10, 0.5, 10)
    assert groups.learning_rate == 0.05
    assert [optimizer.learning_rate for optimizer in groups.optimizers] == [0.05, pytest.approx(0.01)]


def test_groups_refuse_a_state_that_does_not_fit_and_keep_their_own():
    used = ParameterGroups({"b*": Adam(0.1), "*": SGD(0.1)})
    walk(used, parameters(), gradients(2))
    before = repr(used.state_dict())
    first, second = (used.state_dict()["groups"][key] for key in "01")
    for groups in ({"0": first}, {"0": second, "1": second}, {"0": first, "1": {**second, "state": first["state"]}}):
        with pytest.raises(ValueError, match="saved must"):
            used.load_state_dict({**used.state_dict(), "groups": groups})
    assert repr(used.state_dict()) == before


def test_groups_go_on_with_the_proportions_that_were_saved():
    first = ParameterGroups({"b*": SGD(0.1), "*": SGD(0.01)})
    second = ParameterGroups({"b*": SGD(), "*": SGD()})
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.learning_rate = 0.05
    assert [optimizer.learning_rate for optimizer in second.optimizers] == [0.05, pytest.approx(0.005)]


def test_a_group_at_rest_stays_at_rest_when_a_schedule_sets_the_rate():
    groups = ParameterGroups({"b*": SGD(0.0), "w*": SGD(0.1), "*": SGD(0.2)})
    assert groups.learning_rate == 0.1
    groups.learning_rate = 0.05
    assert [optimizer.learning_rate for optimizer in groups.optimizers] == [0.0, 0.05, 0.1]


def test_a_rate_that_a_group_cannot_take_is_refused_by_all():
    class Rateless:
        def update(self, params, grads):
            return params

    groups = ParameterGroups({"b*": SGD(0.1), "*": Rateless()})
    with pytest.raises(AttributeError, match=r"the group '\*' of the groups has no learning_rate to be set"):
        groups.learning_rate = 0.2
    with pytest.raises(AttributeError, match=r"Lookahead: Rateless\(\) has no learning_rate to be set"):
        Lookahead(Rateless()).learning_rate = 0.2
    both = ParameterGroups({"b*": SGD(0.1), "*": SGD(0.2)})
    with pytest.raises(ValueError, match="learning_rate must be a number"):
        both.learning_rate = np.nan
    assert groups.learning_rate == 0.1
    assert [optimizer.learning_rate for optimizer in both.optimizers] == [0.1, 0.2]


def test_groups_refuse_the_state_of_other_groups_and_of_the_same_in_another_order():
    first = ParameterGroups({"b*": AdamW(weight_decay=0.0), "*": AdamW(weight_decay=0.1)})
    walk(first, {"W": np.ones(2), "b": np.ones(2)}, [{"W": np.ones(2), "b": np.ones(2)}])
    for wants in ("W*", is_vector, lambda name, theta: name == "b"):
        other = ParameterGroups({wants: AdamW(weight_decay=0.1), "*": AdamW(weight_decay=0.0)})
        with pytest.raises(ValueError, match=r"saved must have the state of the group '.*' as number 1, got .*'b\*'"):
            other.load_state_dict(first.state_dict())


def test_a_parameter_stays_in_the_group_that_has_its_state():
    """Two functions of one name cannot be told apart when a state is loaded; their parameters can."""
    first = ParameterGroups({lambda name, theta: name == "b": AdamW(weight_decay=0.0), "*": AdamW()})
    params = walk(first, {"W": np.ones(2), "b": np.ones(2)}, [{"W": np.ones(2), "b": np.ones(2)}])
    other = ParameterGroups({lambda name, theta: name == "W": AdamW(), "*": AdamW(weight_decay=0.0)})
    other.load_state_dict(first.state_dict())
    before = copied(params)
    with pytest.raises(ValueError, match=r"groups must go on stepping 'W' in the group '\*', where its state is"):
        other.update(params, {"W": np.ones(2), "b": np.ones(2)})
    assert_same(params, before)


def test_an_own_class_in_a_wrapper_has_words_that_are_the_same_in_every_process():
    words = "StudentAdam(learning_rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-08)"
    assert repr(Lookahead(StudentAdam(0.1))) == f"Lookahead({words}, k=5, alpha=0.5)"
    half = functools.partial(lambda name, theta, end: name.endswith(end), end="b")
    groups = ParameterGroups({half: StudentAdam(0.1), is_vector: SGD(), "*": Lookahead(StudentAdam(0.1))})
    expected = f"{{<lambda>(end='b'): {words}, is_vector: {SGD()!r}, '*': Lookahead({words}, k=5, alpha=0.5)}}"
    assert repr(groups) == f"ParameterGroups({expected})"


def test_the_state_of_one_own_class_is_not_that_of_another():
    saved = Lookahead(StudentAdam(0.1)).state_dict()
    with pytest.raises(ValueError, match="saved must be the state of NewDictionarySGD"):
        Lookahead(NewDictionarySGD(0.1)).load_state_dict(saved)


def test_what_an_own_class_has_made_since_is_gone_when_an_earlier_state_is_loaded():
    class Lazy(NewDictionarySGD):
        def update(self, params, grads):
            self.steps = getattr(self, "steps", 0) + 1
            return super().update(params, grads)

    lookahead = Lookahead(Lazy(0.1))
    saved = lookahead.state_dict()
    walk(lookahead, {"w": np.ones(1)}, [{"w": np.ones(1)}] * 3)
    lookahead.load_state_dict(saved)
    assert not hasattr(lookahead.inner, "steps")


def test_what_an_own_class_returns_has_to_fit():
    class Wrong:
        def __init__(self, result):
            self.result = result

        def update(self, params, grads):
            return self.result

    for result, error in ((None, TypeError), ({}, TypeError), ({"w": np.ones(1)}, ValueError)):
        with pytest.raises(error, match=r"Wrong\.update must (return the dictionary|keep the shape)"):
            Lookahead(Wrong(result)).update({"w": np.ones(3)}, {"w": np.ones(3)})


def test_what_cannot_be_reset_says_so_before_anything_is_forgotten():
    for make in (Lookahead, lambda inner: ParameterGroups({"b": Adam(), "*": inner})):
        used = make(StudentAdam(0.1))
        walk(used, {"w": np.ones(1), "b": np.ones(1)}, [{"w": np.ones(1), "b": np.ones(1)}])
        before = repr(used.state_dict())
        with pytest.raises(TypeError, match=r"StudentAdam\(learning_rate=.*\) has no reset\(\)"):
            used.reset()
        assert repr(used.state_dict()) == before


def test_lookahead_evaluates_where_its_inner_optimizer_does():
    free = Lookahead(ScheduleFreeSGD(0.5), k=100)
    params = walk(free, {"w": np.ones(1)}, [{"w": np.ones(1)}] * 2)
    assert free.eval_params(params)["w"] == pytest.approx([0.25])


def test_groups_refuse_what_is_no_group():
    for wrong in ([SGD()], {}, {3: SGD()}, {"*": SGD}, {"*": None}):
        with pytest.raises(TypeError, match="groups"):
            ParameterGroups(wrong)


def test_groups_say_where_to_evaluate():
    groups = ParameterGroups({"b": ScheduleFreeSGD(0.5), "*": SGD(0.5)})
    params = walk(groups, {"b": np.ones(1), "w": np.ones(1)}, [{"b": np.ones(1), "w": np.ones(1)}] * 2)
    at = groups.eval_params(params)
    assert at["w"] is params["w"]
    assert at["b"] == pytest.approx([0.25])


# ---------------------------------------------------------------------- clipping


@pytest.mark.parametrize("limit", [0.1, 1.0, 100.0])
def test_clipping_is_that_of_torch_and_optax(limit):
    grads = gradients(1)[0]
    before = copied(grads)
    tensors = [torch.tensor(array, requires_grad=True) for array in grads.values()]

    def set_gradients(scale):
        for tensor, array in zip(tensors, grads.values(), strict=True):
            tensor.grad = torch.tensor(scale * array)

    set_gradients(1)
    torch.nn.utils.clip_grad_value_(tensors, limit)
    for tensor, ours in zip(tensors, clip_by_value(grads, limit).values(), strict=True):
        assert_same(ours, tensor.grad.numpy())

    # torch adds 1e-6 to the norm before it divides: beneath the last digit of gradients as large as these.
    set_gradients(1e12)
    theirs = torch.nn.utils.clip_grad_norm_(tensors, 1e12 * limit).item()
    clipped, norm = clip_by_global_norm({name: 1e12 * grad for name, grad in grads.items()}, 1e12 * limit)
    assert norm == pytest.approx(theirs, rel=1e-14)
    for tensor, ours in zip(tensors, clipped.values(), strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-14)

    with jax.enable_x64(True):
        expected, _ = optax.clip_by_global_norm(limit).update(grads, optax.EmptyState())
        for name, ours in clip_by_global_norm(grads, limit)[0].items():
            np.testing.assert_allclose(ours, np.asarray(expected[name]), rtol=1e-14)
    assert_same(grads, before)


def test_a_clipped_gradient_has_the_norm_and_the_direction():
    grads = gradients(1)[0]
    clipped, norm = clip_by_global_norm(grads, 0.5)
    assert norm == global_norm(grads) == pytest.approx(np.sqrt(sum(np.sum(grad**2) for grad in grads.values())))
    assert global_norm(clipped) == pytest.approx(0.5, rel=1e-14)
    assert sum(np.vdot(clipped[name], grads[name]) for name in grads) == pytest.approx(0.5 * norm, rel=1e-14)
    assert_same(clip_by_global_norm(grads, 2 * norm)[0], grads)


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, "1", None, True])
def test_a_limit_that_is_no_positive_number_is_refused(bad):
    with pytest.raises(ValueError, match="limit must be a positive number, got"):
        clip_by_value({}, bad)
    with pytest.raises(ValueError, match="max_norm must be a positive number, got"):
        clip_by_global_norm({}, bad)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([300.0], np.float16), ([60000.0, 60000.0], np.float16), ([3e38, -3e38], np.float32), ([1e200, 1e200], float),
     ([1.7e308, 1.7e308], float), ([3e19], np.float32), ([4_000_000_000], np.int64), ([3e-200, 4e-200], float)],
    ids=str,
)  # fmt: skip
def test_a_gradient_that_is_finite_is_clipped_to_its_norm_and_not_to_nothing(values, dtype):
    grad = np.array(values, dtype)
    limit = 1.0 if abs(values[0]) > 1 else 1e-201
    clipped, norm = clip_by_global_norm({"w": grad}, limit)
    exact = math.sqrt(sum((float(v) / float(max(map(abs, values)))) ** 2 for v in grad))
    assert clipped["w"].dtype == (float if dtype is np.int64 else dtype)
    assert clipped["w"] == pytest.approx(limit * grad / float(max(map(abs, values))) / exact, rel=2e-3)
    assert norm == pytest.approx(exact * float(max(map(abs, values))), rel=1e-3)


def test_a_scale_that_is_no_number_of_the_gradients_own_precision_still_scales():
    grads = {f"w{k}": np.full(1000, 60000, np.float16) for k in range(10)}
    clipped, norm = clip_by_global_norm(grads, 1e-3)
    assert norm == pytest.approx(6e6, rel=1e-3)
    assert clipped["w0"] == pytest.approx(1e-5, rel=0.02)


def test_a_limit_beyond_the_gradients_numbers_is_no_limit():
    halves = np.array([-60000.0, np.nan, np.inf], np.float16)
    clipped = clip_by_value({"w": halves}, 1e6)["w"]
    assert_same(clipped, np.array([-60000.0, np.nan, 65504.0], np.float16))


def test_a_norm_that_is_not_finite_stays_what_it_is():
    for bad in (np.nan, np.inf):
        assert clip_by_global_norm({"a": np.array([bad]), "b": np.ones(2)}, 1e300)[1] == pytest.approx(bad, nan_ok=True)
    assert clip_by_global_norm({"a": np.zeros(2), "none": np.ones((0, 3))}, 1.0)[1] == 0
    assert clip_by_global_norm({}, 1.0) == ({}, 0.0)


@pytest.mark.parametrize(
    "clip", [clip_by_value, clip_by_global_norm, lambda grads, limit: GradientAccumulator(2).add(grads)]
)
def test_what_is_no_gradient_is_refused_by_its_name(clip):
    for bad in (np.array([1j]), np.array([True]), np.array(["1"]), None, np.ma.ones(2)):
        with pytest.raises(TypeError, match=r"grads\['w'\] must be an array of real numbers"):
            clip({"w": bad}, 1.0)


def test_lists_of_numbers_are_clipped_like_arrays():
    assert clip_by_global_norm({"w": [3.0, 4.0]}, 1.0)[0]["w"].tolist() == pytest.approx([0.6, 0.8])
    assert clip_by_value({"w": [3, 0]}, 1.5)["w"].tolist() == [1.5, 0.0]


# ---------------------------------------------------------------------- accumulation


@pytest.mark.parametrize(("value", "dtype"), [(40000.0, np.float16), (3e38, np.float32), (1.0, np.int64)])
def test_a_mean_of_gradients_that_are_finite_is_finite(value, dtype):
    accumulator = GradientAccumulator(2)
    for weight in (np.float64(3), 1):
        mean = accumulator.add({"w": np.array([value], dtype)}, weight)
    assert mean["w"] == pytest.approx([value], rel=1e-6)
    assert mean["w"].dtype == (float if dtype is np.int64 else dtype)


def test_an_accumulator_can_be_left_and_gone_on_with():
    first, second = GradientAccumulator(3), GradientAccumulator(3)
    for value in (1.0, 2.0):
        first.add({"w": np.array([value], np.float32)}, 2.0)
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    last = {"w": np.array([4.0], np.float32)}
    assert_same(second.add(last), first.add(last))
    with pytest.raises(ValueError, match="saved must be of 2 steps, got 3"):
        GradientAccumulator(2).load_state_dict(first.state_dict())


@pytest.mark.parametrize("sizes", [[8, 8, 8, 8], [3, 5, 13, 11]])
def test_accumulated_gradients_are_those_of_the_whole_batch(sizes):
    rng = np.random.default_rng(0)
    x, y, w = rng.standard_normal((32, 4)), rng.standard_normal(32), rng.standard_normal(4)

    def gradient(rows):
        return {"w": 2 * x[rows].T @ (x[rows] @ w - y[rows]) / len(y[rows])}

    accumulator, edges = GradientAccumulator(steps=4), np.cumsum([0, *sizes])
    for _ in range(2):
        means = [accumulator.add(gradient(slice(a, b)), b - a) for a, b in itertools.pairwise(edges)]
        assert means[:3] == [None] * 3
        np.testing.assert_allclose(means[3]["w"], gradient(slice(None))["w"], rtol=1e-14)


def test_an_accumulator_keeps_no_hold_of_the_gradients():
    accumulator, grad = GradientAccumulator(2), np.array([1.0, 2.0])
    accumulator.add({"w": grad})
    grad[:] = 99
    assert accumulator.add({"w": np.array([3.0, 4.0])})["w"].tolist() == [2.0, 3.0]
    assert accumulator.add({"w": np.float32([1, 2])}) is None
    assert accumulator.add({"w": np.float32([1, 2])})["w"].dtype == np.float32


def test_an_accumulator_refuses_what_does_not_belong_together():
    accumulator = GradientAccumulator(3)
    accumulator.add({"w": np.ones(2)})
    with pytest.raises(KeyError, match="grads must be of the parameters w, got v"):
        accumulator.add({"v": np.ones(2)})
    with pytest.raises(ValueError, match=r"grads\['w'\] must be of shape \(2,\), got \(3,\)"):
        accumulator.add({"w": np.ones(3)})
    with pytest.raises(ValueError, match="weight must be a positive number, got 0"):
        accumulator.add({"w": np.ones(2)}, 0)
    assert accumulator.count == 1
    for steps in (0, 1.5, True):
        with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got"):
            GradientAccumulator(steps)


# ---------------------------------------------------------------------- averaged weights


@pytest.mark.parametrize("decay", [0.999, 0.5, 0.0, None])
def test_averaged_weights_are_those_of_torch(decay):
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    model = torch.nn.Linear(3, 2).double()
    peer = AveragedModel(model, multi_avg_fn=None if decay is None else get_ema_multi_avg_fn(decay))
    average, rng = WeightAverage(decay), np.random.default_rng(0)
    for _ in range(100):
        params = {"weight": rng.standard_normal((2, 3)), "bias": rng.standard_normal(2)}
        with torch.no_grad():
            model.weight.copy_(torch.tensor(params["weight"]))
            model.bias.copy_(torch.tensor(params["bias"]))
        peer.update_parameters(model)
        average.update(params)
    for name, array in average.params.items():
        np.testing.assert_allclose(array, getattr(peer.module, name).detach().numpy(), rtol=1e-12, atol=1e-14)


def test_an_average_is_a_copy_keeps_the_dtype_and_resumes():
    first, second, w = WeightAverage(0.9), WeightAverage(), np.ones(2, np.float32)
    first.update({"w": w})
    w[:] = 5
    assert first.params["w"].tolist() == [1.0, 1.0]
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for each in (first, second):
        each.update({"w": w})
    assert_same(first.params, second.params)
    assert first.params["w"].dtype == np.float32


def test_an_average_copies_what_is_no_fraction():
    average = WeightAverage(0.5)
    for step in (1, 2, 3):
        average.update({"w": np.full(2, float(step)), "steps": np.array(step), "mask": np.array([step > 1, True])})
    assert average.params["w"].tolist() == [2.25, 2.25]
    assert (average.params["steps"], average.params["steps"].dtype.kind) == (3, "i")
    assert average.params["mask"].tolist() == [True, True]


def test_an_average_refuses_what_is_no_number_and_has_not_changed():
    average = WeightAverage(0.5)
    average.update({"w": np.ones(2), "name": np.array(1)})
    for bad, error in ((np.array("adam"), TypeError), (None, TypeError), (np.array(1.5), ValueError)):
        with pytest.raises(error, match="params"):
            average.update({"w": np.zeros(2), "name": bad})
    assert (average.count, average.params["w"].tolist()) == (1, [1.0, 1.0])


def test_an_average_of_halves_does_not_stand_still():
    average = WeightAverage(0.999)
    for _ in range(1000):
        average.update({"w": np.array([2.0 if average.count else 1.0], np.float16)})
    assert average.params["w"] == pytest.approx([2 - 0.999**999], rel=1e-4)


def test_an_average_refuses_a_state_that_is_none():
    average = WeightAverage(0.5)
    average.update({"w": np.ones(2)})
    for wrong in ({"count": -1}, {"count": 1.5}, {"decay": 2.0}, {"params": {"w": np.array("x")}}):
        with pytest.raises((TypeError, ValueError)):
            average.load_state_dict({**average.state_dict(), **wrong})
    assert (average.count, average.decay) == (1, 0.5)


def test_an_average_refuses_other_parameters_and_other_decays():
    average = WeightAverage()
    average.update({"w": np.ones(2)})
    for other in ({"v": np.ones(2)}, {"w": np.ones(3)}):
        with pytest.raises(ValueError, match="params must have the names and shapes"):
            average.update(other)
    for decay in (-0.1, 1.0, np.nan, True):
        with pytest.raises(ValueError, match=r"decay must be a number in \[0, 1\), or None"):
            WeightAverage(decay)
    with pytest.raises(ValueError, match="WeightAverage: saved must be what state_dict returns"):
        average.load_state_dict({"w": 1})


def test_a_class_that_makes_new_arrays_can_be_wrapped():
    start, sequence = parameters(), gradients(6)
    for make in (Lookahead, lambda inner, k, alpha: ParameterGroups({"*": Lookahead(inner, k, alpha)})):
        theirs = walk(make(NewDictionarySGD(0.1), k=2, alpha=0.5), copied(start), sequence)
        ours = walk(Lookahead(SGD(0.1), k=2, alpha=0.5), copied(start), sequence)
        assert_same(theirs, ours)

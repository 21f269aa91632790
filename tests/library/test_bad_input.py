"""Errors come before anything has changed, and name the argument, what was given, and what is accepted."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch

from optim_lib.optimizers import SGD, SOAP, Adam, AdamW, MomentumSGD, Muon
from tests.library.table import OPTIMIZERS, assert_same, copied, label, snapshot

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)

GOOD = {"a": np.ones(2), "b": np.ones((4, 3))}


def read_only(array):
    array.flags.writeable = False
    return array


# In each case the parameter (or gradient) "a", which comes first, is good: it must not have moved when "b" is refused.
BAD_STEPS = {
    "a gradient is missing": ({}, {"b": None}, KeyError, r"no gradient for the parameter\(s\) 'b'"),
    "a gradient too many": ({}, {"c": np.ones(2)}, KeyError, r"grads names 'c', but params has no such parameter"),
    "a gradient that would broadcast": (
        {},
        {"b": np.ones((1, 3))},
        ValueError,
        r"grads\['b'\] must have the shape of its parameter, \(4, 3\), got \(1, 3\)",
    ),
    "a transposed gradient": ({}, {"b": np.ones((3, 4))}, ValueError, r"grads\['b'\].* \(4, 3\), got \(3, 4\)"),
    "a number as a gradient": ({}, {"b": 1.0}, ValueError, r"grads\['b'\].* \(4, 3\), got \(\)"),
    "no gradient": ({}, {"b": np.array(None)}, TypeError, r"grads\['b'\] must be an array of real numbers.*object"),
    "a complex gradient": ({}, {"b": 1j * np.ones((4, 3))}, TypeError, r"grads\['b'\].*complex128"),
    "a gradient of truth values": ({}, {"b": np.ones((4, 3), bool)}, TypeError, r"grads\['b'\].*bool"),
    "an integer parameter": (
        {"b": np.ones((4, 3), int)},
        {},
        TypeError,
        r"params\['b'\] must be a floating-point NumPy array .*got an array of int64",
    ),
    "a float16 parameter": (
        {"b": np.ones((4, 3), np.float16)},
        {},
        TypeError,
        r"params\['b'\].*float32 or wider.*float16",
    ),
    "a masked parameter": ({"b": np.ma.ones((4, 3))}, {}, TypeError, r"params\['b'\].*masked.*filled"),
    "a single float64": ({"b": np.float64(1)}, {}, TypeError, r"params\['b'\].*got float64, a single number"),
    "a torch parameter": (
        {"b": torch.nn.Parameter(torch.ones(4, 3))},
        {},
        TypeError,
        r"params\['b'\].*got Parameter; optim_lib.training.TorchModel\(module\).initialize\(\) gives",
    ),
    "a parameter that repeats a number": (
        {"b": np.lib.stride_tricks.as_strided(np.ones(3), (4, 3), (0, 8))},
        {},
        ValueError,
        r"params\['b'\] must have memory for each number",
    ),
    "a masked gradient": ({}, {"b": np.ma.ones((4, 3))}, TypeError, r"grads\['b'\].*masked array; fill it first"),
    "a ragged gradient": ({}, {"b": [[1.0], [1.0, 2.0]]}, TypeError, r"grads\['b'\] must be an array of real.*list"),
    "a gradient that torch still tracks": (
        {},
        {"b": torch.nn.Parameter(torch.ones(4, 3))},
        TypeError,
        r"grads\['b'\] must be an array of real numbers, got Parameter",
    ),
    "a complex parameter": ({"b": 1j * np.ones((4, 3))}, {}, TypeError, r"params\['b'\].*complex128"),
    "a list as a parameter": ({"b": [[1.0] * 3] * 4}, {}, TypeError, r"params\['b'\].*got list"),
    "a number as a parameter": ({"b": 1.0}, {}, TypeError, r"params\['b'\].*got float"),
    "a read-only parameter": (
        {"b": read_only(np.ones((4, 3)))},
        {},
        ValueError,
        r"params\['b'\] must be writeable, got a read-only array",
    ),
}


# The checks are the base class's: one rule is tried with every case, and every rule with one.


def refused(used, params, case):
    """Try a bad step, and see that neither the parameters nor the state have changed."""
    bad_params, bad_grads, error, message = BAD_STEPS[case]
    wrong = {name: grad for name, grad in {**copied(GOOD), **bad_grads}.items() if grad is not None}
    before, state = copied(params), snapshot(used)
    with pytest.raises(error, match=message):
        used.update({**params, **bad_params}, wrong)
    assert_same(params, before)
    assert_same(snapshot(used), state)


@pytest.mark.parametrize("case", BAD_STEPS)
def test_a_bad_step_is_refused_and_nothing_has_changed(case):
    used, params = Adam(), copied(GOOD)
    refused(used, params, case)
    assert used.state == {}
    used.update(params, copied(GOOD))
    refused(used, params, case)


@every_optimizer
def test_every_rule_refuses_a_bad_step(optimizer):
    used, params = optimizer(), copied(GOOD)
    used.update(params, copied(GOOD))
    refused(used, params, "a gradient that would broadcast")


@pytest.mark.parametrize(
    ("params", "grads", "message"),
    [
        (np.ones(2), np.ones(2), r"params must be a dictionary from name to array.*got ndarray"),
        ({"w": np.ones(2)}, np.ones(2), r"grads must be a dictionary from name to array.*got ndarray"),
        ([np.ones(2)], [np.ones(2)], r"params must be a dictionary from name to array.*got list"),
    ],
    ids=["arrays", "an array of gradients", "lists"],
)
def test_params_and_grads_must_be_dictionaries(params, grads, message):
    with pytest.raises(TypeError, match=message):
        SGD().update(params, grads)


@pytest.mark.parametrize("optimizer", [each for each in OPTIMIZERS if each is not SGD], ids=label)
def test_a_parameter_may_not_change_under_its_state(optimizer):
    used = optimizer()
    used.update({"w": np.ones(2)}, {"w": np.ones(2)})
    state = snapshot(used)
    made = r"params\['w'\] must stay what it was when \w+ was made, float64 of shape \(2,( 2)?\), got "
    for changed, found in ((np.ones(3), r"float64 of shape \(3,\)"), (np.ones(2, np.float32), "float32")):
        with pytest.raises(ValueError, match=made + found):
            used.update({"w": changed}, {"w": np.ones_like(changed)})
    assert_same(snapshot(used), state)


@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 2), (2, 2, 2)])
def test_an_array_hyperparameter_must_broadcast_into_the_parameter(shape):
    """Not only with it: (2, 1) would make a (2,) parameter a (2, 2) one."""
    swept, params = Adam(learning_rate=np.full(shape, 0.1)), {"w": np.ones(2)}
    with pytest.raises(
        ValueError, match=r"learning_rate must broadcast against params\['w'\] of shape \(2,\), got shape"
    ):
        swept.update(params, {"w": np.ones(2)})
    assert params["w"].tolist() == [1.0, 1.0]
    assert swept.state == {}


# ---------------------------------------------------------------------- hyperparameters

BELOW_ONE = {"momentum", "decay", "beta1", "beta2", "beta3"}
UP_TO_ONE = {"dampening"}
ABOVE_ZERO = {("Adafactor", "clip_threshold"), ("Prodigy", "d0"), ("ADOPT", "epsilon")}
ABOVE_ZERO |= {(name, "beta1") for name in ("ScheduleFreeSGD", "ScheduleFreeAdamW")}  # the share of the average


@every_optimizer
def test_every_hyperparameter_has_the_range_of_its_paper(optimizer):
    for name in optimizer.hyperparameters():
        if not getattr(optimizer, name).sweeps:
            continue
        positive = (optimizer.__name__, name) in ABOVE_ZERO
        lowest, highest = (
            1e-9 if positive else 0.0,
            1.0 if name in UP_TO_ONE else 0.999999 if name in BELOW_ONE else 1e6,
        )
        for allowed in (lowest, highest):
            assert getattr(optimizer(**{name: allowed}), name) == allowed
        ends = f"{'(' if positive else '['}0, {1 if highest <= 1 else 'inf'}{']' if name in UP_TO_ONE else ')'}"
        message = re.escape(f"{optimizer.__name__}: {name} must be a number (or an array of numbers) in {ends}, got ")
        for beyond in (0 if positive else -1e-9, np.inf if highest > 1 else 1 + 1e-9 if name in UP_TO_ONE else 1):
            with pytest.raises(ValueError, match=message):
                optimizer(**{name: beyond})


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, -np.inf, np.array([0.1, -1e-9]), np.array([])], ids=repr)
def test_a_hyperparameter_out_of_range_is_refused_whenever_it_is_set(value):
    message = r"Adam: epsilon must be a number \(or an array of numbers\) in \[0, inf\), got "
    with pytest.raises(ValueError, match=message):
        Adam(epsilon=value)
    good = Adam()
    with pytest.raises(ValueError, match=message):
        good.epsilon = value
    assert good.epsilon == 1e-8


@pytest.mark.parametrize("value", ["0.1", None, 1j, True, ["a"]], ids=repr)
def test_a_hyperparameter_that_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=r"Adam: epsilon must be a number .*got "):
        Adam(epsilon=value)


@pytest.mark.parametrize("number", [np.float64(0.5), np.float32(0.5), np.array(0.5), 0.5], ids=repr)
def test_numbers_of_every_kind_become_floats(number):
    value = Adam(beta1=number).beta1
    assert (type(value), value) == (float, 0.5)


def test_a_count_is_a_whole_number_of_at_least_one():
    for number in (3, 3.0, np.int64(3), np.float32(3), np.array(3)):
        value = SOAP(precondition_frequency=number).precondition_frequency
        assert (type(value), value) == (int, 3)
    message = "SOAP: precondition_frequency must be a whole number of at least 1, got "
    for bad in (0, -1, 2.5, np.nan, np.inf, [2, 3]):
        with pytest.raises(ValueError, match=message):
            SOAP(precondition_frequency=bad)
    for bad in ("3", None, True, 1j):
        with pytest.raises(TypeError, match=message):
            SOAP(precondition_frequency=bad)


def test_a_choice_is_one_of_its_values():
    for number in (-1, -1.0, np.int64(-1), np.array(-1)):
        value = Muon(output_axis=number).output_axis
        assert (type(value), value) == (int, -1)
    for bad, error in (
        (1, ValueError),
        (np.nan, ValueError),
        ([0, -1], ValueError),
        ("0", TypeError),
        (None, TypeError),
    ):
        with pytest.raises(error, match="Muon: output_axis must be 0 or -1, got "):
            Muon(output_axis=bad)


def test_an_unknown_argument_is_refused_with_the_known_ones():
    with pytest.raises(TypeError, match=r"Adam\(learning_rate=.*unexpected keyword argument 'rate'"):
        Adam(rate=0.1)
    with pytest.raises(TypeError, match="too many positional arguments"):
        Adam(*[0.1] * 5)


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: SGD(lr=0.1), "learning_rate is the name here"),
        (lambda: Adam(betas=(0.9, 0.99)), "beta1 and beta2 are the names here"),
        (lambda: Adam(eps=1e-6, b2=0.9), "epsilon is the name here; beta2 is the name here"),
        (lambda: MomentumSGD(nesterov=True), "nesterov is what the class NesterovMomentum is for"),
        (lambda: Adam(weight_decay=0.1), "weight_decay is what the class AdamW is for"),
    ],
)
def test_who_comes_from_another_library_is_told_the_name(make, hint):
    with pytest.raises(TypeError, match=hint):
        make()


def test_the_name_is_told_for_an_attribute_too():
    with pytest.raises(AttributeError, match="learning_rate is the name here"):
        Adam().lr = 0.1


@pytest.mark.parametrize("body", [{"rate": 0.1}, {"__annotations__": {"rate": float}}], ids=["a number", "a note"])
def test_a_hyperparameter_that_was_not_declared_as_one_is_named(body):
    rule = type("Mine", (SGD,), body)
    with pytest.raises(TypeError, match=r"rate is no hyperparameter of Mine until it is declared as rate: float = Hyp"):
        rule(0.1, rate=0.2)


def test_a_misspelled_attribute_is_refused_with_the_right_names():
    used = Adam()
    with pytest.raises(AttributeError, match=r"Adam has no attribute 'rate'; its hyperparameters are learning_rate"):
        used.rate = 0.1
    assert not hasattr(used, "rate")


@pytest.mark.parametrize(
    ("optimizer", "signature"),
    {
        "SGD": "(learning_rate=0.01, weight_decay=0.0)",
        "MomentumSGD": "(learning_rate=0.01, momentum=0.9, dampening=0.0, weight_decay=0.0)",
        "NesterovMomentum": "(learning_rate=0.01, momentum=0.9, weight_decay=0.0)",
        "AdaGrad": "(learning_rate=0.01, epsilon=1e-08)",
        "RMSprop": "(learning_rate=0.001, decay=0.9, epsilon=1e-08)",
        "CenteredRMSprop": "(learning_rate=0.001, decay=0.9, epsilon=1e-08)",
        "UncorrectedAdam": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08)",
        "Adam": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08)",
        "AMSGrad": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08)",
        "AdamW": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)",
        "LARS": "(learning_rate=0.1, momentum=0.9, weight_decay=0.0005, trust_coefficient=0.001)",
        "LAMB": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-06, weight_decay=0.01)",
        "NAdam": "(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08, momentum_decay=0.004)",
        "RAdam": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08)",
        "AdaBelief": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-16)",
        "Lion": "(learning_rate=0.0001, beta1=0.9, beta2=0.99, weight_decay=0.0)",
        "Adafactor": ("(learning_rate=0.01, decay_power=0.8, clip_threshold=1.0, epsilon1=1e-30, epsilon2=0.001)"),
        "Muon": (
            "(learning_rate=0.02, momentum=0.95, weight_decay=0.0, adam_ratio=0.015, beta1=0.9, beta2=0.95, "
            "epsilon=1e-10, output_axis=0)"
        ),
        "AdEMAMix": (
            "(learning_rate=0.001, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5.0, epsilon=1e-08, weight_decay=0.0, "
            "warmup=0.0)"
        ),
        "ADOPT": "(learning_rate=0.001, beta1=0.9, beta2=0.9999, epsilon=1e-06, clip=1)",
        "CautiousAdamW": "(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)",
        "AdamHyperball": "(learning_rate=0.02, beta1=0.9, beta2=0.95, epsilon=1e-08, adam_ratio=0.03)",
        "NorMuon": (
            "(learning_rate=0.02, momentum=0.95, weight_decay=0.0, adam_ratio=0.015, beta1=0.9, beta2=0.95, "
            "epsilon=1e-10, output_axis=0)"
        ),
        "MuonHyperball": (
            "(learning_rate=0.02, momentum=0.95, adam_ratio=0.03, beta1=0.9, beta2=0.95, epsilon=1e-08, output_axis=0)"
        ),
        "Shampoo": "(learning_rate=0.1, epsilon=0.0001)",
        "SOAP": (
            "(learning_rate=0.003, beta1=0.95, beta2=0.95, epsilon=1e-08, weight_decay=0.01, precondition_frequency=10)"
        ),
        "ScheduleFreeSGD": "(learning_rate=1.0, beta1=0.9, weight_decay=0.0)",
        "ScheduleFreeAdamW": ("(learning_rate=0.0025, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.0)"),
        "Prodigy": ("(learning_rate=1.0, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.0, d0=1e-06)"),
    }.items(),
)
def test_names_order_and_defaults_are_those_of_the_article_and_the_papers(optimizer, signature):
    found = next(each for each in OPTIMIZERS if each.__name__ == optimizer)
    assert str(inspect.signature(found)) == signature
    assert repr(found()) == optimizer + signature
    fields = [getattr(found, name) for name in found.hyperparameters()]
    values = [0.5 / (k + 1) if field.sweeps else field.default for k, field in enumerate(fields)]
    positional = found(*values)
    assert [getattr(positional, name) for name in found.hyperparameters()] == values


# ---------------------------------------------------------------------- loading a state


def saved_adam():
    adam = Adam()
    adam.update({"a": np.ones(2), "b": np.ones(3)}, {"a": np.ones(2), "b": np.ones(3)})
    return adam.state_dict()


def spoil(path, value):
    saved = saved_adam()
    *outer, last = path
    part = saved
    for key in outer:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return saved


BAD_STATES = {
    "not a mapping": (3, ValueError, "Adam: saved must be what state_dict returns, got 3"),
    "empty": ({}, ValueError, r"Adam: saved must be what state_dict returns, got \{\}"),
    "a part missing": (spoil(["state"], None), ValueError, "must be what state_dict returns"),
    "of another optimizer": (AdamW().state_dict(), ValueError, "saved must be the state of Adam, got that of 'AdamW'"),
    "a hyperparameter missing": (
        spoil(["hyperparameters", "beta1"], None),
        ValueError,
        r"saved hyperparameters must be",
    ),
    "a hyperparameter too many": (spoil(["hyperparameters", "lr"], 0.1), ValueError, r"got .*'lr'"),
    "a hyperparameter out of range": (
        spoil(["hyperparameters", "beta2"], 1.5),
        ValueError,
        r"Adam: beta2 must be .* in \[0, 1\), got 1.5",
    ),
    "a hyperparameter of text": (spoil(["hyperparameters", "beta2"], "x"), TypeError, "Adam: beta2 must be a number"),
    "no mapping for a parameter": (
        spoil(["state", "b"], [1, 2]),
        ValueError,
        r"state of 'b' must have \['m', 't', 'v'\]",
    ),
    "a slot missing": (spoil(["state", "b", "v"], None), ValueError, r"state of 'b' must have .*got \['m', 't'\]"),
    "a slot too many": (spoil(["state", "b", "w"], np.ones(3)), ValueError, r"state of 'b' must have .*'w'\]"),
    "a list as a slot": (spoil(["state", "b", "v"], [1.0] * 3), TypeError, r"state of 'b' must have a floating.* as v"),
    "integers as a slot": (
        spoil(["state", "b", "m"], np.ones(3, int)),
        TypeError,
        r"state of 'b' must .* as m, got array",
    ),
    "a slot of another shape": (
        spoil(["state", "b", "v"], np.ones(4)),
        ValueError,
        r"state of 'b' must have arrays of one shape and dtype, got m float64 \(3,\), v float64 \(4,\)",
    ),
    "a slot of another dtype": (spoil(["state", "b", "v"], np.ones(3, np.float32)), ValueError, "one shape and dtype"),
    "a negative t": (spoil(["state", "b", "t"], -1), ValueError, "whole number of at least 0 as t, got -1"),
    "a broken t": (spoil(["state", "b", "t"], 1.5), ValueError, "whole number of at least 0 as t, got 1.5"),
}


@pytest.mark.parametrize("case", BAD_STATES)
def test_a_state_that_does_not_fit_is_refused_and_nothing_has_changed(case):
    saved, error, message = BAD_STATES[case]
    adam = Adam(learning_rate=0.5, beta1=0.25)
    adam.update({"mine": np.ones(2)}, {"mine": np.ones(2)})
    before = snapshot(adam)
    with pytest.raises(error, match=message):
        adam.load_state_dict(saved)
    assert_same(snapshot(adam), before)


def test_a_state_without_slots_can_be_loaded():
    first, second = SGD(learning_rate=0.3), SGD()
    first.update({"w": np.ones(2)}, {"w": np.ones(2)})
    second.load_state_dict(first.state_dict())
    assert (second.learning_rate, second.state["w"].t) == (0.3, 1)


def test_a_saved_state_is_a_copy_and_so_is_a_loaded_one():
    first, second = MomentumSGD(), MomentumSGD()
    first.update({"w": np.ones(2)}, {"w": np.ones(2)})
    saved = first.state_dict()
    second.load_state_dict(saved)
    saved["state"]["w"]["velocity"][:] = 99
    assert first.state["w"].velocity.tolist() == second.state["w"].velocity.tolist() == [1.0, 1.0]

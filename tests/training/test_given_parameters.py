"""A torch model computes at the parameters that it is given, and is afterwards as it was."""

import math

import numpy as np
import pytest
import torch

from optim_lib import measure
from optim_lib.data import Dataset, Split, digits
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam, ScheduleFreeAdamW, WeightAverage
from optim_lib.training import TorchModel, TorchOptimizer, evaluate, train


def linear(seed=0, outputs=3, dtype=torch.float64):
    torch.manual_seed(seed)
    return TorchModel(torch.nn.Linear(4, outputs, dtype=dtype))


def moving(seed=0):
    """Buffers that move and a layer that draws."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 3)
    return TorchModel(torch.nn.Sequential(*layers).double())


@pytest.fixture
def split():
    rng = np.random.default_rng(0)
    return Split(rng.normal(size=(30, 4)), rng.integers(0, 3, 30))


def zeros(params):
    return {name: np.zeros_like(array) for name, array in params.items()}


def test_a_loss_at_zero_is_that_of_a_guess(split):
    model = linear()
    own = model.initialize()
    assert evaluate(model, zeros(own), split)[0] == pytest.approx(math.log(3))
    assert model.loss(own, *split) != pytest.approx(math.log(3))
    assert model.loss({}, *split) == model.loss(own, *split)


@pytest.mark.parametrize("method", ["loss", "accuracy", "loss_and_gradients", "outputs", "predict", "hessian_vector"])
def test_every_method_uses_the_parameters_given_and_changes_nothing(method, split):
    model, other = moving(0), moving(1)
    given = {name: array.copy() for name, array in other.initialize().items()}
    arguments = {"outputs": split[:1], "predict": split[:1], "hessian_vector": (*split, given)}.get(method, split)
    before = {name: array.copy() for name, array in model.initialize().items()}
    hidden, modes = model.hidden_state(), [layer.training for layer in model.module.modules()]
    found, expected = getattr(model, method)(given, *arguments), getattr(other, method)({}, *arguments)
    for ours, theirs in zip(
        torch.utils._pytree.tree_leaves(found), torch.utils._pytree.tree_leaves(expected), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for name, array in model.initialize().items():
        np.testing.assert_array_equal(array, before[name])
    after = model.hidden_state()
    for name, buffer in hidden["buffers"].items():
        np.testing.assert_array_equal(after["buffers"][name], buffer)
    assert [layer.training for layer in model.module.modules()] == modes


def test_averages_and_schedule_free_parameters_are_what_is_evaluated():
    data = digits()
    torch.manual_seed(0)
    module = torch.nn.Linear(64, 10)
    average = WeightAverage(0.9)
    history = train(module, SGD(0.1), data, epochs=1)
    for _ in range(3):
        average.update(history.params)
        history = train(module, SGD(0.1), data, epochs=1)
    twin = torch.nn.Linear(64, 10)
    with torch.no_grad():
        for name, p in twin.named_parameters():
            p.copy_(torch.as_tensor(average.params[name]))
    assert evaluate(module, average.params, data.test) == evaluate(twin, {}, data.test)
    assert evaluate(module, average.params, data.test) != evaluate(module, {}, data.test)
    free = ScheduleFreeAdamW(0.01)
    history = train(module, free, data, epochs=2)
    averaged = free.eval_params(history.params)
    assert evaluate(module, averaged, data.validation)[0] == pytest.approx(history.validation_losses[-1], rel=1e-6)


def test_the_curvature_of_a_function_of_the_parameters_is_not_zero(split):
    model = linear(dtype=torch.float32)
    params = model.initialize()
    exact = measure.sharpness(model.on(*split), params)
    by_differences = measure.sharpness(lambda p: model.loss_and_gradients(p, *split)[1], params, tolerance=1e-3)
    assert exact > 0.1
    assert by_differences == pytest.approx(exact, rel=1e-2)  # the gradients are in float32


def test_gradients_that_were_handed_out_stay_as_they_are(split):
    model = linear()
    first = model.loss_and_gradients({}, *split)[1]
    kept = {name: gradient.copy() for name, gradient in first.items()}
    model.loss_and_gradients(zeros(first), *split)
    for name, gradient in first.items():
        np.testing.assert_array_equal(gradient, kept[name])


def test_layers_that_were_frozen_stay_frozen(split):
    model = moving()
    model.module[1].eval()
    model.loss({}, *split)
    assert [layer.training for layer in model.module] == [True, False, True, True]


REFUSED = {
    "a name too few": (lambda m: m.loss({"weight": np.zeros((3, 4))}, *TWO), ValueError, "it lacks bias"),
    "a name too many": (lambda m: m.loss({**m.initialize(), "W1": 0}, *TWO), ValueError, "it has W1"),
    "another shape": (
        lambda m: m.loss({"weight": 0.0, "bias": np.zeros(3)}, *TWO),
        ValueError,
        r"params\['weight'\] must have the shape that it has in the module, \(3, 4\), got \(\)",
    ),
    "no dictionary": (lambda m: m.loss(np.zeros(15), *TWO), TypeError, "params must be a dictionary"),
    "targets of another shape": (
        lambda m: m.loss({}, np.ones((2, 4)), np.ones(2)),
        ValueError,
        r"y must have shape \(2, 3\), as the outputs have, got \(2,\)",
    ),
    "class numbers in a column": (
        lambda m: m.loss({}, np.ones((2, 4)), np.ones((2, 1), int)),
        ValueError,
        r"y must have shape \(2,\), a class number for each of the outputs, got \(2, 1\)",
    ),
    "an accuracy of a column": (
        lambda m: m.accuracy({}, np.ones((2, 4)), np.ones((2, 1), int)),
        ValueError,
        r"y must be class numbers of shape \(2,\)",
    ),
    "a class of one output": (
        lambda m: linear(outputs=1).predict({}, np.ones((2, 4))),
        ValueError,
        "module must have an output for each class",
    ),
    "a direction of another shape": (
        lambda m: m.hessian_vector({}, *TWO, {"weight": 1.0, "bias": 1.0}),
        ValueError,
        r"direction\['weight'\] must have the shape",
    ),
    "a loss for each example": (
        lambda m: TorchModel(m.module, torch.nn.CrossEntropyLoss(reduction="none")).loss({}, *TWO),
        ValueError,
        "loss must give one number, the mean over the examples",
    ),
    "a module in half precision": (
        lambda m: TorchModel(torch.nn.Linear(2, 2, dtype=torch.bfloat16)),
        ValueError,
        "module must be in float32 or float64, but weight is in torch.bfloat16",
    ),
}
TWO = np.ones((2, 4)), np.array([0, 2])


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_be_another_number_is_refused(what):
    call, error, message = REFUSED[what]
    with pytest.raises(error, match=message):
        call(linear())


def test_a_classifier_with_one_output_has_a_loss_and_no_accuracy():
    """Where to cut a logit or a probability, only its loss knows: the share of class 0 is not an accuracy."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4))

    def loss(outputs, targets):
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))

    model = TorchModel(torch.nn.Linear(4, 1, dtype=torch.float64), loss)
    history = train(model, Adam(0.1), Dataset.from_arrays(x, (x[:, 0] > 0).astype(int)), epochs=5)
    assert history.validation_losses[-1] < history.validation_losses[0]
    assert np.isnan(history.validation_accuracies).all()


# ------------------------------------------------------------------------------- noise and slices


def twins():
    """The same network in NumPy and in torch, and its parameters for each."""
    network = MLP((4, 5, 3))
    params = network.initialize(3)
    module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()
    theirs = {f"{2 * (int(name[1]) - 1)}.{'weight' if name[0] == 'W' else 'bias'}": name for name in params}
    return network, params, TorchModel(module), {
        there: params[here].T.copy() if here[0] == "W" else params[here][0] for there, here in theirs.items()
    }  # fmt: skip


def test_the_gradient_noise_of_a_torch_model_is_that_of_the_same_network(split):
    network, params, model, theirs = twins()
    ours = measure.gradient_noise(network.on(*split), params, (1, 4, 16), draws=20)
    found = measure.gradient_noise(model.on(*split), theirs, (1, 4, 16), draws=20)
    assert found.noise_scale == pytest.approx(ours.noise_scale, rel=1e-9)
    np.testing.assert_allclose(found.variance, ours.variance, rtol=1e-9)


def test_a_loss_that_is_a_sum_is_refused_where_a_mean_is_needed(split):
    model = TorchModel(torch.nn.Linear(4, 3).double(), torch.nn.CrossEntropyLoss(reduction="sum"))
    with pytest.raises(ValueError, match="objective must have a loss that is a mean over its examples"):
        measure.gradient_noise(model.on(*split), model.initialize(), (1, 4))


def test_a_slice_of_a_torch_model_is_that_of_the_same_network(split):
    network, params, model, theirs = twins()
    rng = np.random.default_rng(1)
    ours = tuple({name: rng.normal(size=p.shape) for name, p in params.items()} for _ in range(2))
    given = tuple(dict(zip(theirs, (d[n].T if n[0] == "W" else d[n][0] for n in params), strict=True)) for d in ours)
    one = measure.loss_slice(network.on(*split), params, ours, resolution=5)
    other = measure.loss_slice(model.on(*split), theirs, given, resolution=5)
    np.testing.assert_allclose(other.losses, one.losses, rtol=1e-12)
    np.testing.assert_allclose(other.gradient([0.3, 0.1]), one.gradient([0.3, 0.1]), rtol=1e-10)


def test_a_slice_stays_where_it_is_while_its_module_is_trained(split):
    model = linear()
    params = model.initialize()
    flat = measure.loss_slice(model.on(*split), params, resolution=5)
    before = float(flat.loss([0.0, 0.0]))
    params["weight"] *= 2.0
    assert float(flat.loss([0.0, 0.0])) == before != model.loss(params, *split)


def test_a_random_direction_is_scaled_neuron_by_neuron_in_torch_too():
    model = TorchModel(torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Linear(5, 4)))
    params = model.initialize()
    direction = measure.random_direction(params, 0)
    for name in ("0.weight", "2.weight"):
        axes = tuple(range(1, params[name].ndim))
        lengths = [np.sqrt((array.astype(float) ** 2).sum(axis=axes)) for array in (direction[name], params[name])]
        np.testing.assert_allclose(*lengths, rtol=1e-6)
    for name in ("0.bias", "1.weight", "1.bias", "2.bias"):
        assert not direction[name].any()
    with pytest.raises(ValueError, match="normalize=False scales the direction as a whole"):
        measure.random_direction({"theta": np.ones((2, 3))})
    assert measure.random_direction({"theta": np.ones((2, 3))}, normalize=False)["theta"].any()


# ------------------------------------------------------------------------------- torch's optimizers

WRONG_STEPS = {
    "a parameter that came later": ({"w": 0.0, "b": 0.0}, {"w": 1.0, "b": 1.0}, "it has b"),
    "a gradient too few": ({"w": 0.0}, {}, "grads must have the names of the first step"),
}


@pytest.mark.parametrize("what", WRONG_STEPS)
def test_torchs_optimizer_does_not_pass_over_a_parameter(what):
    params, grads, message = WRONG_STEPS[what]
    optimizer, w = TorchOptimizer(torch.optim.SGD, 0.1), np.zeros(2)
    optimizer.update({"w": w}, {"w": np.ones(2)})
    with pytest.raises(ValueError, match=message):
        optimizer.update({n: w if n == "w" else np.zeros(2) for n in params}, {n: np.ones(2) for n in grads})


def test_torchs_optimizer_refuses_a_rate_and_arrays_that_torch_would_take():
    optimizer = TorchOptimizer(torch.optim.SGD, 0.1)
    for rate in (-0.1, math.nan):
        with pytest.raises(ValueError, match="learning_rate must be a number of at least 0"):
            optimizer.learning_rate = rate
    frozen = np.zeros(2)
    frozen.flags.writeable = False
    for array in (frozen, np.zeros(2, int)):
        with pytest.raises(TypeError, match=r"params\['w'\] must be a floating-point array that can be written to"):
            TorchOptimizer(torch.optim.SGD, 0.1).update({"w": array}, {"w": np.ones(2)})
